//! sum(money).

use crate::agg::wire::{Reader, put_datum};
use crate::agg::{Group, PerGroup};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

#[derive(Clone)]
struct Sum(Option<i64>);

impl Group for Sum {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let DatumRef::I64(v) = args[0].get(i) {
            self.0 = Some(super::add(self.0.unwrap_or(0), v)?);
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::I64))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, &self.0.map_or(Datum::Null, Datum::I64));
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let d = r.datum()?;
        Ok(Sum((!d.is_null()).then(|| d.as_ref().i64())))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if let Some(v) = o.0 {
            self.0 = Some(super::add(self.0.unwrap_or(0), v)?);
        }
        Ok(())
    }
}
pub fn sum(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Sum(None))
}
