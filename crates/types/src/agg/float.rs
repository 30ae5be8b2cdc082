//! Aggregates over floats: sum, avg, variance by the Youngs-Cramer recurrence, and the two-variable statistics.

use super::wire::{Reader, put_datum, put_f64s};
use super::{Group, PerGroup};
use crate::column::Arg;
use crate::float::{add_f32, add_f64, float_overflow};
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

fn input(arg: &Arg<'_>, i: usize) -> Option<f64> {
    match arg.get(i) {
        DatumRef::Null => None,
        DatumRef::F32(v) => Some(f64::from(v)),
        d => Some(d.f64()),
    }
}

/// sum of real.
#[derive(Clone, Default)]
pub struct Sum4(Option<f32>);
impl Group for Sum4 {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if args[0].is_null(i) { Ok(()) } else { self.combine(&Sum4(Some(args[0].get(i).f32()))) }
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::F32))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, &self.0.map_or(Datum::Null, Datum::F32));
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let d = r.datum()?;
        Ok(Sum4((!d.is_null()).then(|| d.as_ref().f32())))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0 = match (self.0, o.0) {
            (Some(a), Some(b)) => Some(add_f32(a, b)?),
            (a, b) => a.or(b),
        };
        Ok(())
    }
}
pub fn sum_float4(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Sum4::default())
}

/// sum of double precision.
#[derive(Clone, Default)]
pub struct Sum8(Option<f64>);
impl Group for Sum8 {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        match input(&args[0], i) {
            None => Ok(()),
            v => self.combine(&Sum8(v)),
        }
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::F64))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, &self.0.map_or(Datum::Null, Datum::F64));
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let d = r.datum()?;
        Ok(Sum8((!d.is_null()).then(|| d.as_ref().f64())))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0 = match (self.0, o.0) {
            (Some(a), Some(b)) => Some(add_f64(a, b)?),
            (a, b) => a.or(b),
        };
        Ok(())
    }
}
pub fn sum_float8(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Sum8::default())
}

/// What a one-variable statistic reports.
#[derive(Clone, Copy)]
pub enum Stat {
    Avg,
    VarPop,
    VarSamp,
    StddevPop,
    StddevSamp,
}

/// Count, sum and sum of squared deviations.
#[derive(Clone)]
pub struct Moments {
    stat: Stat,
    n: f64,
    sx: f64,
    sxx: f64,
}
impl Group for Moments {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let Some(v) = input(&args[0], i) else { return Ok(()) };
        let (n0, sx0) = (self.n, self.sx);
        self.n += 1.0;
        self.sx += v;
        if n0 > 0.0 {
            let t = v * self.n - self.sx;
            self.sxx += t * t / (self.n * n0);
            if self.sx.is_infinite() || self.sxx.is_infinite() {
                if !sx0.is_infinite() && !v.is_infinite() {
                    return Err(float_overflow());
                }
                self.sxx = f64::NAN;
            }
        } else if v.is_nan() || v.is_infinite() {
            self.sxx = f64::NAN;
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        let n = self.n;
        let sample = matches!(self.stat, Stat::VarSamp | Stat::StddevSamp);
        if n == 0.0 || (sample && n <= 1.0) {
            return Ok(Datum::Null);
        }
        Ok(Datum::F64(match self.stat {
            Stat::Avg => self.sx / n,
            Stat::VarPop => self.sxx / n,
            Stat::VarSamp => self.sxx / (n - 1.0),
            Stat::StddevPop => (self.sxx / n).sqrt(),
            Stat::StddevSamp => (self.sxx / (n - 1.0)).sqrt(),
        }))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_f64s(out, &[self.n, self.sx, self.sxx]);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(Moments { stat: self.stat, n: r.f64()?, sx: r.f64()?, sxx: r.f64()? })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if o.n == 0.0 {
            return Ok(());
        }
        if self.n == 0.0 {
            *self = o.clone();
            return Ok(());
        }
        let n = self.n + o.n;
        let t = self.sx / self.n - o.sx / o.n;
        self.sxx += o.sxx + self.n * o.n * t * t / n;
        self.sx = add_f64(self.sx, o.sx)?;
        self.n = n;
        Ok(())
    }
}
macro_rules! moments {
    ($($name:ident $stat:ident;)*) => {$(
        pub fn $name(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
            PerGroup::boxed(Moments { stat: Stat::$stat, n: 0.0, sx: 0.0, sxx: 0.0 })
        }
    )*};
}
moments! { avg_float Avg; fvar_pop VarPop; fvar_samp VarSamp; fstddev_pop StddevPop; fstddev_samp StddevSamp; }

/// What a two-variable statistic reports.
#[derive(Clone, Copy, PartialEq)]
pub enum Stat2 {
    Count,
    Sxx,
    Syy,
    Sxy,
    AvgX,
    AvgY,
    R2,
    Slope,
    Intercept,
    CovarPop,
    CovarSamp,
    Corr,
}

/// Regression state: arguments are (y, x).
#[derive(Clone)]
pub struct Regr {
    stat: Stat2,
    n: f64,
    sx: f64,
    sxx: f64,
    sy: f64,
    syy: f64,
    sxy: f64,
}
impl Group for Regr {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let (Some(y), Some(x)) = (input(&args[0], i), input(&args[1], i)) else { return Ok(()) };
        let (n0, sx0, sy0) = (self.n, self.sx, self.sy);
        self.n += 1.0;
        if self.stat == Stat2::Count {
            return Ok(());
        }
        self.sx += x;
        self.sy += y;
        if n0 > 0.0 {
            let (tx, ty) = (x * self.n - self.sx, y * self.n - self.sy);
            let scale = 1.0 / (self.n * n0);
            self.sxx += tx * tx * scale;
            self.syy += ty * ty * scale;
            self.sxy += tx * ty * scale;
            let (x_ok, y_ok) =
                (!sx0.is_infinite() && !x.is_infinite(), !sy0.is_infinite() && !y.is_infinite());
            let over = (x_ok && (self.sx.is_infinite() || self.sxx.is_infinite()))
                || (y_ok && (self.sy.is_infinite() || self.syy.is_infinite()))
                || (x_ok && y_ok && self.sxy.is_infinite());
            if over {
                return Err(float_overflow());
            }
            for s in [&mut self.sxx, &mut self.syy, &mut self.sxy] {
                if s.is_infinite() {
                    *s = f64::NAN;
                }
            }
        } else if !x.is_finite() || !y.is_finite() {
            if !x.is_finite() {
                self.sxx = f64::NAN;
            }
            if !y.is_finite() {
                self.syy = f64::NAN;
            }
            self.sxy = f64::NAN;
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        let n = self.n;
        if self.stat == Stat2::Count {
            return Ok(Datum::I64(n as i64));
        }
        if n < 1.0 || (self.stat == Stat2::CovarSamp && n < 2.0) {
            return Ok(Datum::Null);
        }
        let v = match self.stat {
            Stat2::Sxx => self.sxx,
            Stat2::Syy => self.syy,
            Stat2::Sxy => self.sxy,
            Stat2::AvgX => self.sx / n,
            Stat2::AvgY => self.sy / n,
            Stat2::CovarPop => self.sxy / n,
            Stat2::CovarSamp => self.sxy / (n - 1.0),
            Stat2::Corr if self.sxx == 0.0 || self.syy == 0.0 => return Ok(Datum::Null),
            Stat2::Corr => self.sxy / (self.sxx * self.syy).sqrt(),
            _ if self.sxx == 0.0 => return Ok(Datum::Null),
            Stat2::R2 if self.syy == 0.0 => 1.0,
            Stat2::R2 => (self.sxy * self.sxy) / (self.sxx * self.syy),
            Stat2::Slope => self.sxy / self.sxx,
            _ => (self.sy - self.sx * self.sxy / self.sxx) / n,
        };
        Ok(Datum::F64(v))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_f64s(out, &[self.n, self.sx, self.sxx, self.sy, self.syy, self.sxy]);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let stat = self.stat;
        let (n, sx, sxx) = (r.f64()?, r.f64()?, r.f64()?);
        Ok(Regr { stat, n, sx, sxx, sy: r.f64()?, syy: r.f64()?, sxy: r.f64()? })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if o.n == 0.0 {
            return Ok(());
        }
        if self.n == 0.0 {
            *self = o.clone();
            return Ok(());
        }
        let n = self.n + o.n;
        let (tx, ty) = (self.sx / self.n - o.sx / o.n, self.sy / self.n - o.sy / o.n);
        let w = self.n * o.n / n;
        self.sxx += o.sxx + w * tx * tx;
        self.syy += o.syy + w * ty * ty;
        self.sxy += o.sxy + w * tx * ty;
        self.sx += o.sx;
        self.sy += o.sy;
        self.n = n;
        Ok(())
    }
}
macro_rules! regr {
    ($($name:ident $stat:ident;)*) => {$(
        pub fn $name(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
            PerGroup::boxed(Regr { stat: Stat2::$stat, n: 0.0, sx: 0.0, sxx: 0.0, sy: 0.0, syy: 0.0, sxy: 0.0 })
        }
    )*};
}
regr! {
    regr_count Count; regr_sxx Sxx; regr_syy Syy; regr_sxy Sxy; regr_avgx AvgX; regr_avgy AvgY; regr_r2 R2;
    regr_slope Slope; regr_intercept Intercept; covar_pop CovarPop; covar_samp CovarSamp; corr Corr;
}
