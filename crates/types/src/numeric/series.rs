//! `generate_series` over numeric.

use super::arith::add;
use super::num::{Kind, Num};
use crate::array::Values;
use crate::column::Column;
use crate::{CallCtx, Datum, RowSource};
use common::{Result, bail};

struct Series {
    next: Num,
    end: Num,
    step: Num,
}

impl RowSource for Series {
    fn next(&mut self, _: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let mut n = 0;
        while n < max {
            let past = if self.step.signum() > 0 { self.next > self.end } else { self.next < self.end };
            if past {
                break;
            }
            out[0].push(self.next.to_datum()?.as_ref());
            self.next = add(&self.next, &self.step);
            n += 1;
        }
        Ok(n)
    }
}

pub fn generate_series_numeric(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    if args.iter().any(Datum::is_null) {
        return Ok(Values::boxed(Vec::new()));
    }
    let mut v = Vec::new();
    for (d, what) in args.iter().zip(["start", "stop", "step size"]) {
        let n = Num::unpack(d.as_ref().bytes())?;
        match n.kind {
            Kind::Finite => {}
            Kind::Nan if what == "step size" => bail!(INVALID_PARAMETER_VALUE, "step size cannot be NaN"),
            Kind::Nan => bail!(INVALID_PARAMETER_VALUE, "{} value cannot be NaN", what),
            _ if what == "step size" => bail!(INVALID_PARAMETER_VALUE, "step size cannot be infinity"),
            _ => bail!(INVALID_PARAMETER_VALUE, "{} value cannot be infinity", what),
        }
        v.push(n);
    }
    let step = v.get(2).cloned().unwrap_or_else(|| Num::from_i64(1));
    if step.is_zero() {
        bail!(INVALID_PARAMETER_VALUE, "step size cannot equal zero");
    }
    Ok(Box::new(Series { next: v[0].clone(), end: v[1].clone(), step }))
}
