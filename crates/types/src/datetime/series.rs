//! `generate_series` over timestamps.

use super::calc::{ts_add, tz_add};
use super::interval::Interval;
use crate::array::Values;
use crate::column::Column;
use crate::{CallCtx, Datum, DatumRef, RowSource};
use common::{Result, bail};

struct Series {
    next: Option<i64>,
    end: i64,
    step: Interval,
    zoned: bool,
}

impl RowSource for Series {
    fn next(&mut self, ctx: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let up = self.step.span() > 0;
        let mut n = 0;
        while n < max {
            let Some(v) = self.next else { break };
            if if up { v > self.end } else { v < self.end } {
                self.next = None;
                break;
            }
            out[0].push(DatumRef::I64(v));
            self.next = Some(if self.zoned { tz_add(ctx, v, self.step)? } else { ts_add(v, self.step)? });
            n += 1;
        }
        Ok(n)
    }
}

fn start(args: &[Datum], zoned: bool) -> Result<Box<dyn RowSource>> {
    if args.iter().any(Datum::is_null) {
        return Ok(Values::boxed(Vec::new()));
    }
    let step = Interval::unpack(args[2].as_ref().fixed16());
    if step.span() == 0 {
        bail!(INVALID_PARAMETER_VALUE, "step size cannot equal zero");
    }
    let (first, end) = (args[0].as_ref().i64(), args[1].as_ref().i64());
    Ok(Box::new(Series { next: Some(first), end, step, zoned }))
}
pub fn generate_series_timestamp(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    start(args, false)
}
pub fn generate_series_timestamptz(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    start(args, true)
}
