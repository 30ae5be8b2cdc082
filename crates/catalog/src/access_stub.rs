//! Stand-in until `access` lands.
/// A relation as the access methods see it.
#[derive(Debug)]
pub struct Rel {}
/// An index as the access methods see it.
#[derive(Debug)]
pub struct IndexRel {}
