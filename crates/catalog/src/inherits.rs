//! Who inherits from whom (`pg_inherits`).

use crate::cache::Catalog;
use crate::columns::pg_inherits::*;
use common::{Oid, Result};
use types::Datum;

impl Catalog {
    /// Tables that inherit directly from a table, by OID.
    pub fn children(&self, parent: Oid) -> Result<Vec<Oid>> {
        let rows = self.scan(TABLE, PARENT_INDEX, &[Datum::oid(parent)])?;
        let mut out: Vec<Oid> = rows.iter().map(|r| r.oid(INHRELID)).collect();
        out.sort_unstable();
        Ok(out)
    }
    /// A table and all that inherit from it, directly or not; each once, level by level.
    pub fn descendants(&self, table: Oid) -> Result<Vec<Oid>> {
        let mut out = vec![table];
        let mut at = 0;
        while at < out.len() {
            for c in self.children(out[at])? {
                if !out.contains(&c) {
                    out.push(c);
                }
            }
            at += 1;
        }
        Ok(out)
    }
    /// Tables that a table inherits from, in order.
    pub fn parents(&self, child: Oid) -> Result<Vec<Oid>> {
        let rows = self.scan(TABLE, RELID_SEQNO_INDEX, &[Datum::oid(child)])?;
        Ok(rows.iter().map(|r| r.oid(INHPARENT)).collect())
    }
}
