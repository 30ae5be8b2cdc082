//! `generate_series` over integers.

use crate::column::Column;
use crate::{CallCtx, Datum, DatumRef, Phys, RowSource};
use common::{Result, bail};

struct Series {
    next: Option<i64>,
    end: i64,
    step: i64,
    phys: Phys,
}

impl RowSource for Series {
    fn next(&mut self, _: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let mut n = 0;
        while n < max {
            let Some(v) = self.next else { break };
            if (self.step > 0 && v > self.end) || (self.step < 0 && v < self.end) {
                self.next = None;
                break;
            }
            out[0].push(match self.phys {
                Phys::I32 => DatumRef::I32(v as i32),
                _ => DatumRef::I64(v),
            });
            self.next = v.checked_add(self.step);
            n += 1;
        }
        Ok(n)
    }
}

/// A source without rows (strict function with a NULL argument).
pub struct Empty;
impl RowSource for Empty {
    fn next(&mut self, _: &CallCtx<'_>, _: &mut [Column], _: usize) -> Result<usize> {
        Ok(0)
    }
}

/// `generate_series(int4 | int8, …[, step])`.
pub fn generate_series_int(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    if args.iter().any(Datum::is_null) {
        return Ok(Box::new(Empty));
    }
    let v: Vec<i64> = args.iter().map(|d| super::io::widen(d.as_ref())).collect();
    let step = v.get(2).copied().unwrap_or(1);
    if step == 0 {
        bail!(INVALID_PARAMETER_VALUE, "step size cannot equal zero");
    }
    let phys = if matches!(args[0], Datum::I32(_)) { Phys::I32 } else { Phys::I64 };
    Ok(Box::new(Series { next: Some(v[0]), end: v[1], step, phys }))
}
