//! The schemas in which an unqualified name is looked for.

use common::Oid;

/// The effective search path: implicit `pg_temp` and `pg_catalog` included, in look-up order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPath {
    pub schemas: Vec<Oid>,
    /// Where unqualified objects are created; invalid if nowhere.
    pub creation: Oid,
}
