//! Foreign keys of a relation, from either side.

use super::Catalog;
use crate::columns::*;
use crate::desc::ForeignKey;
use crate::literal;
use crate::rows::CatRow;
use common::{Oid, Result};
use std::rc::Rc;
use types::Datum;

impl Catalog {
    /// Foreign keys on `table`'s columns, by name.
    pub(super) fn foreign_keys_of(&self, table: Oid) -> Result<Vec<Rc<ForeignKey>>> {
        use pg_constraint::*;
        let rows = self.scan(TABLE, CONRELID_CONTYPID_CONNAME_INDEX, &[Datum::oid(table)])?;
        Ok(rows.iter().filter(|r| r.char(CONTYPE) == b'f').map(|r| Rc::new(foreign_key(r))).collect())
    }

    /// Foreign keys that point at `table`. `pg_constraint` has no index for that; the constraints' dependencies do.
    pub(super) fn foreign_keys_onto(&self, table: Oid) -> Result<Vec<Rc<ForeignKey>>> {
        use pg_depend::*;
        let keys = [Datum::oid(pg_class::TABLE), Datum::oid(table)];
        let mut seen: Vec<Oid> = self
            .scan(TABLE, REFERENCE_INDEX, &keys)?
            .iter()
            .filter(|r| r.oid(CLASSID) == pg_constraint::TABLE)
            .map(|r| r.oid(OBJID))
            .collect();
        seen.sort();
        seen.dedup();
        let mut out = Vec::new();
        for oid in seen {
            for r in self.scan(pg_constraint::TABLE, pg_constraint::OID_INDEX, &[Datum::oid(oid)])? {
                if r.char(pg_constraint::CONTYPE) == b'f' && r.oid(pg_constraint::CONFRELID) == table {
                    out.push(Rc::new(foreign_key(&r)));
                }
            }
        }
        Ok(out)
    }
}

fn foreign_key(r: &CatRow) -> ForeignKey {
    use pg_constraint::*;
    ForeignKey {
        oid: r.oid(OID),
        name: r.str(CONNAME).to_string(),
        conrelid: r.oid(CONRELID),
        conkey: literal::int2_items(r.bytes(CONKEY)),
        confrelid: r.oid(CONFRELID),
        confkey: literal::int2_items(r.bytes(CONFKEY)),
        index: r.oid(CONINDID),
        on_update: r.char(CONFUPDTYPE),
        on_delete: r.char(CONFDELTYPE),
        delete_set_cols: literal::int2_items(r.bytes(CONFDELSETCOLS)),
        match_type: r.char(CONFMATCHTYPE),
        pf_eq: literal::oid_items(r.bytes(CONPFEQOP)),
        pp_eq: literal::oid_items(r.bytes(CONPPEQOP)),
        ff_eq: literal::oid_items(r.bytes(CONFFEQOP)),
        deferrable: r.bool(CONDEFERRABLE),
        deferred: r.bool(CONDEFERRED),
        validated: r.bool(CONVALIDATED),
    }
}
