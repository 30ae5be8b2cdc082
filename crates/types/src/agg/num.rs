//! sum, avg over numeric; variance and standard deviation over numeric and integers, exact until the last division.

use super::{Group, PerGroup};
use crate::column::Arg;
use crate::numeric::{Num, div_scale, div_to, mul_exact, num_add, num_div, num_sub, sqrt_to};
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

fn input(args: &[Arg<'_>], i: usize) -> Result<Option<Num>> {
    Ok(match args[0].get(i) {
        DatumRef::Null => None,
        DatumRef::Bytes(b) => Some(Num::unpack(b)?),
        d => Some(Num::from_i64(crate::int::widen(d))),
    })
}

/// sum, avg.
#[derive(Clone)]
pub struct Sum<const AVG: bool> {
    sum: Num,
    n: i64,
    /// How many inputs have the most decimal digits of all: while one of them is left the sum's scale stays.
    widest: i64,
}

/// Counts an input of scale `dscale` among those of the largest scale; `have` is the largest so far.
fn count_widest(widest: &mut i64, have: i32, dscale: i32) {
    match dscale.cmp(&have) {
        std::cmp::Ordering::Less => {}
        std::cmp::Ordering::Equal => *widest += 1,
        std::cmp::Ordering::Greater => *widest = 1,
    }
}

/// Can an input be taken out of a sum without changing its scale?
fn may_leave(widest: &mut i64, sum: &Num, v: &Num) -> bool {
    if !sum.is_finite() || !v.is_finite() {
        return false;
    }
    if v.dscale < sum.dscale || v.dscale == 0 {
        return true;
    }
    *widest -= 1;
    *widest > 0
}
impl<const AVG: bool> Group for Sum<AVG> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let Some(v) = input(args, i)? {
            count_widest(&mut self.widest, self.sum.dscale, v.dscale);
            self.sum = num_add(&self.sum, &v);
            self.n += 1;
        }
        Ok(())
    }
    const INVERSE: bool = true;
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        if let Some(v) = input(args, i)? {
            if !may_leave(&mut self.widest, &self.sum, &v) {
                return Ok(false);
            }
            self.sum = num_sub(&self.sum, &v);
            self.n -= 1;
        }
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.n == 0 {
            Ok(Datum::Null)
        } else if AVG {
            num_div(&self.sum, &Num::from_i64(self.n))?.to_datum()
        } else {
            self.sum.to_datum()
        }
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if self.sum.dscale == o.sum.dscale {
            self.widest += o.widest;
        } else if o.sum.dscale > self.sum.dscale {
            self.widest = o.widest;
        }
        self.sum = num_add(&self.sum, &o.sum);
        self.n += o.n;
        Ok(())
    }
    fn heap(&self) -> usize {
        self.sum.digits.capacity() * 2
    }
}
pub fn sum_numeric(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    PerGroup::boxed(Sum::<false> { sum: Num::zero(0), n: 0, widest: 0 })
}
pub fn avg_numeric(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    PerGroup::boxed(Sum::<true> { sum: Num::zero(0), n: 0, widest: 0 })
}

/// Variance (`ROOT`: its root), of the population or of a sample.
#[derive(Clone)]
pub struct Var<const SAMPLE: bool, const ROOT: bool> {
    sum: Num,
    squares: Num,
    n: i64,
}
impl<const SAMPLE: bool, const ROOT: bool> Group for Var<SAMPLE, ROOT> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let Some(v) = input(args, i)? {
            self.n += 1;
            if v.is_finite() {
                self.squares = num_add(&self.squares, &mul_exact(&v, &v));
                self.sum = num_add(&self.sum, &v);
            } else {
                self.sum = Num::nan();
            }
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.n == 0 || (SAMPLE && self.n == 1) {
            return Ok(Datum::Null);
        }
        if !self.sum.is_finite() {
            return Num::nan().to_datum();
        }
        let n = Num::from_i64(self.n);
        let numerator = num_sub(&mul_exact(&n, &self.squares), &mul_exact(&self.sum, &self.sum));
        if numerator.signum() <= 0 {
            return Num::zero(0).to_datum();
        }
        let denominator = Num::from_i128(i128::from(self.n) * i128::from(self.n - i64::from(SAMPLE)));
        let scale = div_scale(&numerator, &denominator);
        let var = div_to(&numerator, &denominator, scale, true);
        if ROOT { sqrt_to(&var, scale).to_datum() } else { var.to_datum() }
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.sum = num_add(&self.sum, &o.sum);
        self.squares = num_add(&self.squares, &o.squares);
        self.n += o.n;
        Ok(())
    }
    fn heap(&self) -> usize {
        (self.sum.digits.capacity() + self.squares.digits.capacity()) * 2
    }
}
fn var<const SAMPLE: bool, const ROOT: bool>() -> Box<dyn AggState> {
    PerGroup::boxed(Var::<SAMPLE, ROOT> { sum: Num::zero(0), squares: Num::zero(0), n: 0 })
}
pub fn var_pop(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    var::<false, false>()
}
pub fn var_samp(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    var::<true, false>()
}
pub fn stddev_pop(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    var::<false, true>()
}
pub fn stddev_samp(_: &[Oid], _: Oid, _: Oid) -> Box<dyn AggState> {
    var::<true, true>()
}
