//! sum and avg over integers.

use super::wire::{Reader, put_i64};
use super::{Group, PerGroup};
use crate::column::{Arg, ColumnData};
use crate::int::{ops_out_of_range_i64, widen};
use crate::numeric::{Num, num_div};
use crate::{AggState, CallCtx, Datum};
use common::{Oid, Result};

/// Value of row `i`, if not null.
#[inline]
fn input(args: &[Arg<'_>], i: usize) -> Option<i64> {
    let a = &args[0];
    if a.is_null(i) {
        return None;
    }
    Some(match &a.col.data {
        ColumnData::I32(v) => i64::from(v[a.index(i)]),
        ColumnData::I64(v) => v[a.index(i)],
        _ => widen(a.get(i)),
    })
}

/// Sum of the first `n` values of a dense column. A batch of 32-bit values cannot overflow 64 bits.
fn dense_sum(args: &[Arg<'_>], n: usize) -> Option<i128> {
    match &args[0].col.data {
        ColumnData::I16(v) => Some(v[..n].iter().map(|x| i64::from(*x)).sum::<i64>().into()),
        ColumnData::I32(v) if n <= 1 << 30 => Some(v[..n].iter().map(|x| i64::from(*x)).sum::<i64>().into()),
        ColumnData::I64(v) => Some(v[..n].iter().map(|x| i128::from(*x)).sum()),
        _ => None,
    }
}

/// sum of smallint or integer: bigint.
#[derive(Clone, Default)]
pub struct SumSmall {
    sum: i64,
    n: i64,
}
impl Group for SumSmall {
    #[inline]
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let Some(v) = input(args, i) {
            self.sum = self.sum.checked_add(v).ok_or_else(ops_out_of_range_i64)?;
            self.n += 1;
        }
        Ok(())
    }
    fn add_dense(&mut self, args: &[Arg<'_>], n: usize) -> Result<bool> {
        let Some(s) = dense_sum(args, n).and_then(|s| i64::try_from(s).ok()) else { return Ok(false) };
        self.sum = self.sum.checked_add(s).ok_or_else(ops_out_of_range_i64)?;
        self.n += n as i64;
        Ok(true)
    }
    const INVERSE: bool = true;
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        if let Some(v) = input(args, i) {
            self.sum -= v;
            self.n -= 1;
        }
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(if self.n > 0 { Datum::I64(self.sum) } else { Datum::Null })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_i64(out, self.sum);
        put_i64(out, self.n);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(SumSmall { sum: r.i64()?, n: r.i64()? })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.sum = self.sum.checked_add(o.sum).ok_or_else(ops_out_of_range_i64)?;
        self.n += o.n;
        Ok(())
    }
}
pub fn sum_small(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(SumSmall::default())
}

/// sum of bigint, avg of any integer: numeric.
#[derive(Clone, Default)]
pub struct Wide<const AVG: bool> {
    sum: i128,
    n: i64,
}
impl<const AVG: bool> Group for Wide<AVG> {
    #[inline]
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let Some(v) = input(args, i) {
            self.sum += i128::from(v);
            self.n += 1;
        }
        Ok(())
    }
    fn add_dense(&mut self, args: &[Arg<'_>], n: usize) -> Result<bool> {
        let Some(s) = dense_sum(args, n) else { return Ok(false) };
        self.sum += s;
        self.n += n as i64;
        Ok(true)
    }
    const INVERSE: bool = true;
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        if let Some(v) = input(args, i) {
            self.sum -= i128::from(v);
            self.n -= 1;
        }
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.n == 0 {
            return Ok(Datum::Null);
        }
        let sum = Num::from_i128(self.sum);
        if AVG { num_div(&sum, &Num::from_i64(self.n))?.to_datum() } else { sum.to_datum() }
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.sum.to_le_bytes());
        put_i64(out, self.n);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(Wide { sum: r.i128()?, n: r.i64()? })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.sum += o.sum;
        self.n += o.n;
        Ok(())
    }
}
pub fn sum_int8(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Wide::<false>::default())
}
pub fn avg_int(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Wide::<true>::default())
}
