//! sum, avg over numeric; variance and standard deviation over numeric and integers, exact until the last division.

use super::wire::{Reader, put_i64, put_num};
use super::{Group, PerGroup};
use crate::column::Arg;
use crate::numeric::{
    Num, Small, div_scale, div_to, mul_exact, num_add, num_div, num_mul, num_sub, sqrt_to, to_num,
};
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

fn input(args: &[Arg<'_>], i: usize) -> Result<Option<Num>> {
    Ok(match args[0].get(i) {
        DatumRef::Null => None,
        DatumRef::Bytes(b) => Some(Num::unpack(b)?),
        d => Some(Num::from_i64(crate::int::widen(d))),
    })
}

/// Power of 10,000 that the quick sum counts in: sixteen decimal places.
const QUICK_UNIT: i32 = -4;

/// sum, avg. Small numbers are added up in an integer; everything else in `sum`.
#[derive(Clone)]
pub struct Sum<const AVG: bool> {
    quick: i128,
    quick_dscale: i32,
    sum: Option<Box<Num>>,
    n: i64,
    /// How many inputs have the most decimal digits of all: while one of them is left the sum's scale stays.
    widest: i64,
}

impl<const AVG: bool> Sum<AVG> {
    fn new() -> Sum<AVG> {
        Sum { quick: 0, quick_dscale: 0, sum: None, n: 0, widest: 0 }
    }
    /// Largest scale of the inputs so far.
    #[inline]
    fn dscale(&self) -> i32 {
        self.sum.as_ref().map_or(0, |s| s.dscale).max(self.quick_dscale)
    }
    #[inline]
    fn count_widest(&mut self, dscale: i32, n: i64) {
        match dscale.cmp(&self.dscale()) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => self.widest += n,
            std::cmp::Ordering::Greater => self.widest = n,
        }
    }
    fn add_slow(&mut self, v: &Num) {
        let sum = match &self.sum {
            Some(s) => num_add(s, v),
            None => v.clone(),
        };
        self.sum = Some(Box::new(sum));
    }
    #[inline]
    fn add_quick(&mut self, b: &[u8]) -> Option<()> {
        let s = Small::read(b)?;
        let quick = self.quick.checked_add(s.wide_over(QUICK_UNIT)?)?;
        self.count_widest(s.dscale, 1);
        self.quick = quick;
        self.quick_dscale = self.quick_dscale.max(s.dscale);
        Some(())
    }
    /// Adds an integer over the quick sum's unit.
    fn add_wide(&mut self, v: i128, dscale: i32) {
        match self.quick.checked_add(v) {
            Some(q) => self.quick = q,
            None => self.add_slow(&to_num(v, QUICK_UNIT, dscale)),
        }
    }
    fn total(&self) -> Num {
        let quick = to_num(self.quick, QUICK_UNIT, self.quick_dscale);
        self.sum.as_ref().map_or_else(|| quick.clone(), |s| num_add(s, &quick))
    }
}
impl<const AVG: bool> Group for Sum<AVG> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let DatumRef::Bytes(b) = args[0].get(i)
            && self.add_quick(b).is_some()
        {
            self.n += 1;
        } else if let Some(v) = input(args, i)? {
            self.count_widest(v.dscale, 1);
            self.add_slow(&v);
            self.n += 1;
        }
        Ok(())
    }
    const DEC: bool = true;
    #[inline]
    fn add_dec(&mut self, v: i64, unit: i64, dscale: i32) {
        self.n += 1;
        if self.sum.is_none() && dscale == self.quick_dscale {
            self.widest += 1;
            if let Some(q) = self.quick.checked_add(i128::from(v) * i128::from(unit)) {
                self.quick = q;
                return;
            }
        } else {
            self.count_widest(dscale, 1);
            self.quick_dscale = self.quick_dscale.max(dscale);
        }
        self.add_wide(i128::from(v) * i128::from(unit), dscale);
    }
    fn add_dec_sum(&mut self, v: i128, unit: i64, dscale: i32, n: i64) {
        self.n += n;
        self.count_widest(dscale, n);
        self.quick_dscale = self.quick_dscale.max(dscale);
        match v.checked_mul(unit.into()) {
            Some(v) => self.add_wide(v, dscale),
            None => self.add_slow(&num_mul(&to_num(v, QUICK_UNIT, dscale), &Num::from_i64(unit))),
        }
    }
    const INVERSE: bool = true;
    /// An input can be taken out if that does not change the scale of the sum.
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        let Some(v) = input(args, i)? else { return Ok(true) };
        if !v.is_finite() || self.sum.as_ref().is_some_and(|s| !s.is_finite()) {
            return Ok(false);
        }
        if v.dscale >= self.dscale() && v.dscale != 0 {
            self.widest -= 1;
            if self.widest == 0 {
                return Ok(false);
            }
        }
        self.add_slow(&v.negated());
        self.n -= 1;
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.n == 0 {
            Ok(Datum::Null)
        } else if AVG {
            num_div(&self.total(), &Num::from_i64(self.n))?.to_datum()
        } else {
            self.total().to_datum()
        }
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.quick.to_le_bytes());
        for v in [i64::from(self.quick_dscale), self.n, self.widest] {
            put_i64(out, v);
        }
        if let Some(s) = &self.sum {
            put_num(out, s)?;
        }
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let quick = r.i128()?;
        let quick_dscale = r.i64()? as i32;
        let (n, widest) = (r.i64()?, r.i64()?);
        let sum = if r.0.is_empty() { None } else { Some(Box::new(r.num()?)) };
        Ok(Sum { quick, quick_dscale, sum, n, widest })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.count_widest(o.dscale(), o.widest);
        self.add_slow(&o.total());
        self.n += o.n;
        Ok(())
    }
    fn heap(&self) -> usize {
        self.sum.as_ref().map_or(0, |s| size_of::<Num>() + s.digits.capacity() * 2)
    }
}
pub fn sum_numeric(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Sum::<false>::new())
}
pub fn avg_numeric(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Sum::<true>::new())
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
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_num(out, &self.sum)?;
        put_num(out, &self.squares)?;
        put_i64(out, self.n);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(Var { sum: r.num()?, squares: r.num()?, n: r.i64()? })
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
pub fn var_pop(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    var::<false, false>()
}
pub fn var_samp(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    var::<true, false>()
}
pub fn stddev_pop(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    var::<false, true>()
}
pub fn stddev_samp(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    var::<true, true>()
}
