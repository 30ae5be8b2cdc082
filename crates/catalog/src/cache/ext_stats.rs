//! Statistics objects of a table with their data, as the planner wants them.

use super::Catalog;
use crate::array;
use crate::columns::{pg_statistic_ext as ext, pg_statistic_ext_data as data};
use crate::desc::ColumnStats;
use crate::ext_stats::*;
use crate::literal;
use crate::rows::CatRow;
use common::{Oid, Result, Tid};
use std::rc::Rc;
use types::record::RecordRef;
use types::{Datum, DatumRef};

impl Catalog {
    /// The statistics objects on a table that have data, by OID.
    pub fn ext_stats(&self, rel: Oid) -> Result<Rc<Vec<ExtStats>>> {
        if let Some(s) = self.ext_stats.borrow().get(&rel) {
            return Ok(s.clone());
        }
        let generation = self.generation();
        let mut found = Vec::new();
        if rel >= Oid::FIRST_NORMAL {
            for r in self.scan(ext::TABLE, ext::RELID_INDEX, &[Datum::oid(rel)])? {
                let keys = [Datum::oid(r.oid(ext::OID)), Datum::Bool(false)];
                if let Some(d) = self.scan(data::TABLE, data::STXOID_INH_INDEX, &keys)?.first() {
                    found.push(self.ext_stats_from(&r, d)?);
                }
            }
        }
        found.sort_by_key(|s: &ExtStats| s.oid);
        let found = Rc::new(found);
        if generation == self.generation() {
            self.ext_stats.borrow_mut().insert(rel, found.clone());
        }
        Ok(found)
    }

    fn ext_stats_from(&self, r: &CatRow, d: &CatRow) -> Result<ExtStats> {
        let stored = |c: usize| d.opt_bytes(c);
        Ok(ExtStats {
            oid: r.oid(ext::OID),
            keys: literal::int2_items(r.bytes(ext::STXKEYS)),
            exprs: r.text(ext::STXEXPRS).map(Into::into),
            ndistinct: stored(data::STXDNDISTINCT).map(|b| read_ndistinct(&b)),
            dependencies: stored(data::STXDDEPENDENCIES).map(|b| read_dependencies(&b)),
            mcv: stored(data::STXDMCV).map(|b| read_mcv(self, &b)).transpose()?,
            expr_stats: match stored(data::STXDEXPR) {
                Some(b) => self.expression_stats(&b)?,
                None => Vec::new(),
            },
        })
    }

    /// The rows of an array of `pg_statistic`.
    fn expression_stats(&self, b: &[u8]) -> Result<Vec<Rc<ColumnStats>>> {
        let Some(t) = array::element_type(b) else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for e in array::elements(&*self.type_desc(t)?, b) {
            let Datum::Bytes(row) = &e else { continue };
            let values =
                RecordRef::new(row)?.fields()?.into_iter().map(|(_, d): (Oid, DatumRef<'_>)| d.to_owned());
            let row = CatRow { tid: Tid::unpack(0), values: values.collect() };
            out.push(Rc::new(self.stats_from_row(&row)?));
        }
        Ok(out)
    }
}
