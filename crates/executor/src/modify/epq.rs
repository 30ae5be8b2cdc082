//! Re-check of a plan's conditions for a row that another transaction changed meanwhile (READ COMMITTED): the scan of the
//! changed relation gives the latest version, scans of the other relations give the rows of the original result.

use common::Tid;

/// Replacement rows by range table index. `None`: that relation contributes no row (outer join).
#[derive(Default, Debug)]
pub struct EpqRows {
    rows: Vec<(u32, Option<Tid>)>,
}

impl EpqRows {
    /// Sets a relation's row.
    pub fn set(&mut self, rti: u32, tid: Option<Tid>) {
        self.rows.retain(|r| r.0 != rti);
        self.rows.push((rti, tid));
    }
    /// The row of a relation, if it is replaced.
    pub fn row(&self, rti: u32) -> Option<Option<Tid>> {
        self.rows.iter().find(|r| r.0 == rti).map(|r| r.1)
    }
}
