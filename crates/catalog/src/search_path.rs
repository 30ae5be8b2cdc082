//! The schemas in which an unqualified name is looked for.

use common::Oid;

/// The effective search path: implicit `pg_temp` and `pg_catalog` included, in look-up order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPath {
    pub schemas: Vec<Oid>,
    /// Where unqualified objects are created; invalid if nowhere.
    pub creation: Oid,
    /// `pg_temp` is named first: what is created is temporary, though the schema may not be there yet.
    pub creates_temp: bool,
    /// The session's temporary schema, if there is one: searched for relations and types only.
    pub temp: Oid,
}

impl SearchPath {
    /// Where a schema of functions or operators stands in the search; `None` if they are not looked for there.
    pub fn position_for_functions(&self, namespace: Oid) -> Option<usize> {
        if namespace == self.temp {
            return None;
        }
        self.schemas.iter().position(|s| *s == namespace)
    }
}
