//! Column statistics: rows of `pg_statistic` as the planner wants them.

use super::Catalog;
use crate::columns::pg_statistic::*;
use crate::desc::ColumnStats;
use crate::rows::CatRow;
use crate::{array, literal};
use common::{Oid, Result};
use std::rc::Rc;
use types::Datum;

/// Kinds of statistics slots.
pub const KIND_MCV: i16 = 1;
pub const KIND_HISTOGRAM: i16 = 2;
pub const KIND_CORRELATION: i16 = 3;
/// Slots a row has.
pub const SLOTS: usize = 5;

impl Catalog {
    /// Statistics of a column; `None` if it was never analysed.
    pub fn column_stats(&self, rel: Oid, attnum: i16) -> Result<Option<Rc<ColumnStats>>> {
        self.column_stats_of(rel, attnum, false)
    }
    /// Statistics of a column; `inherited`: of the table together with all that inherit from it.
    pub fn column_stats_of(&self, rel: Oid, attnum: i16, inherited: bool) -> Result<Option<Rc<ColumnStats>>> {
        if let Some(s) = self.stats.borrow().get(&(rel, attnum, inherited)) {
            return Ok(s.clone());
        }
        let generation = self.generation();
        let keys = [Datum::oid(rel), Datum::I16(attnum), Datum::Bool(inherited)];
        let rows = self.scan(TABLE, RELID_ATT_INH_INDEX, &keys)?;
        let found = match rows.first() {
            Some(r) => Some(Rc::new(self.stats_from_row(r)?)),
            None => None,
        };
        if generation == self.generation() {
            self.stats.borrow_mut().insert((rel, attnum, inherited), found.clone());
        }
        Ok(found)
    }

    pub(super) fn stats_from_row(&self, r: &CatRow) -> Result<ColumnStats> {
        let mut s = ColumnStats {
            null_frac: r.f32(STANULLFRAC),
            width: r.i32(STAWIDTH),
            distinct: r.f32(STADISTINCT),
            mcv: Vec::new(),
            histogram: Vec::new(),
            correlation: None,
        };
        for slot in 0..SLOTS {
            let numbers = || {
                let items = literal::array_items(r.bytes(STANUMBERS1 + slot));
                items.into_iter().map(|d| if let Datum::F32(v) = d { v } else { 0.0 })
            };
            match r.i16(STAKIND1 + slot) {
                KIND_MCV => {
                    s.mcv = self.values(r.bytes(STAVALUES1 + slot))?.into_iter().zip(numbers()).collect()
                }
                KIND_HISTOGRAM => s.histogram = self.values(r.bytes(STAVALUES1 + slot))?,
                KIND_CORRELATION => s.correlation = numbers().next(),
                _ => {}
            }
        }
        Ok(s)
    }

    fn values(&self, bytes: &[u8]) -> Result<Vec<Datum>> {
        match array::element_type(bytes) {
            Some(t) => Ok(array::elements(&*self.type_desc(t)?, bytes)),
            None => Ok(Vec::new()),
        }
    }
}
