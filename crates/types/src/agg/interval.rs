//! sum and avg over intervals.

use super::wire::{Reader, put_i64};
use super::{Group, PerGroup};
use crate::column::Arg;
use crate::datetime::{Interval, interval_add, interval_div, interval_sub};
use crate::{AggState, CallCtx, Datum};
use common::{Oid, Result};

/// Sum and count.
#[derive(Clone, Default)]
pub struct Acc<const AVG: bool> {
    sum: Interval,
    n: i64,
}
impl<const AVG: bool> Group for Acc<AVG> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if !args[0].is_null(i) {
            self.sum = interval_add(self.sum, Interval::unpack(args[0].get(i).fixed16()))?;
            self.n += 1;
        }
        Ok(())
    }
    const INVERSE: bool = true;
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        if !args[0].is_null(i) {
            self.sum = interval_sub(self.sum, Interval::unpack(args[0].get(i).fixed16()))?;
            self.n -= 1;
        }
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.n == 0 {
            return Ok(Datum::Null);
        }
        let v = if AVG { interval_div(self.sum, self.n as f64)? } else { self.sum };
        Ok(Datum::Fixed16(v.pack()))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.sum.pack());
        put_i64(out, self.n);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let mut raw = [0; 16];
        raw.copy_from_slice(r.bytes(16)?);
        Ok(Acc { sum: Interval::unpack(raw), n: r.i64()? })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.sum = interval_add(self.sum, o.sum)?;
        self.n += o.n;
        Ok(())
    }
}
pub fn sum_interval(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Acc::<false>::default())
}
pub fn avg_interval(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Acc::<true>::default())
}
