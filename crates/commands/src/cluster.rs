//! CLUSTER and VACUUM FULL: a table written anew, in an index's order or as it is.

use catalog::desc::{IndexDesc, Relation};
use common::{Result, bail};

/// Can the table be ordered by this index?
pub fn check_clusterable(rel: &Relation, ix: &IndexDesc) -> Result<()> {
    if ix.predicate.is_some() {
        bail!(FEATURE_NOT_SUPPORTED, "cannot cluster on partial index \"{}\"", ix.name);
    }
    if !ix.valid {
        bail!(FEATURE_NOT_SUPPORTED, "cannot cluster on invalid index \"{}\"", ix.name);
    }
    debug_assert!(ix.table == rel.oid);
    Ok(())
}
