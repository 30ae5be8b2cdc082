//! min and max over any type with a btree operator class.

use super::wire::{Reader, put_datum};
use super::{Group, PerGroup};
use crate::column::{Arg, ColumnData};
use crate::ops::type_cmp;
use crate::{AggState, CallCtx, CmpFn, Collation, Datum, DatumRef};
use common::{Oid, Result};

/// The best value so far.
#[derive(Clone)]
pub struct Best<const MAX: bool> {
    cmp: CmpFn,
    collation: Collation,
    /// Strings need a collation.
    strings: bool,
    best: Datum,
}

impl<const MAX: bool> Best<MAX> {
    #[inline]
    fn offer(&mut self, v: DatumRef<'_>) -> Result<()> {
        if self.strings {
            self.collation.require("string comparison")?;
        }
        let o = (self.cmp)(self.collation, v, self.best.as_ref());
        // Of equal values that look different (1 mon, 30 days) the last one wins.
        if if MAX { o.is_gt() } else { o.is_lt() } || o.is_eq() && v != self.best.as_ref() {
            self.best = v.to_owned();
        }
        Ok(())
    }
}

impl<const MAX: bool> Group for Best<MAX> {
    #[inline]
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let a = &args[0];
        if a.is_null(i) {
            return Ok(());
        }
        match (&mut self.best, &a.col.data) {
            (Datum::Null, _) => self.best = a.get(i).to_owned(),
            (Datum::I32(b), ColumnData::I32(v)) => {
                let x = v[a.index(i)];
                if if MAX { x > *b } else { x < *b } {
                    *b = x;
                }
            }
            _ => self.offer(a.get(i))?,
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.best.clone())
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, &self.best);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(Best { best: r.datum()?, ..self.clone() })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if self.best.is_null() {
            self.best = o.best.clone();
        } else if !o.best.is_null() {
            self.offer(o.best.as_ref())?;
        }
        Ok(())
    }
    fn heap(&self) -> usize {
        match &self.best {
            Datum::Bytes(b) => b.len(),
            _ => 0,
        }
    }
}

fn strings(arg_types: &[Oid]) -> bool {
    use crate::oids::{BPCHAR, NAME, TEXT, VARCHAR};
    matches!(arg_types.first(), Some(&(TEXT | VARCHAR | BPCHAR | NAME)))
}
fn cmp_for(arg_types: &[Oid], result_type: Oid) -> CmpFn {
    arg_types
        .first()
        .and_then(|t| type_cmp(*t))
        .or_else(|| type_cmp(result_type))
        .unwrap_or(crate::text::text_cmp)
}
pub fn max(arg_types: &[Oid], result_type: Oid, collation: Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Best::<true> {
        cmp: cmp_for(arg_types, result_type),
        collation,
        strings: strings(arg_types),
        best: Datum::Null,
    })
}
pub fn min(arg_types: &[Oid], result_type: Oid, collation: Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Best::<false> {
        cmp: cmp_for(arg_types, result_type),
        collation,
        strings: strings(arg_types),
        best: Datum::Null,
    })
}
