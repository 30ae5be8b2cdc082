//! Precision of time types, fields and precision of intervals.

use super::interval::Interval;
use super::{DAY_US, HOUR_US, MINUTE_US};
use common::{Result, bail};
use std::io::Write;

/// Bits of the field mask.
pub const MONTH: i32 = 1 << 1;
pub const YEAR: i32 = 1 << 2;
pub const DAY: i32 = 1 << 3;
pub const HOUR: i32 = 1 << 10;
pub const MINUTE: i32 = 1 << 11;
pub const SECOND: i32 = 1 << 12;
/// No restriction of fields.
pub const FULL_RANGE: i32 = 0x7fff;
/// No precision given.
pub const FULL_PRECISION: i32 = 0xffff;

/// Field mask of an interval typmod.
pub fn range(typmod: i32) -> i32 {
    typmod >> 16 & 0x7fff
}
fn precision(typmod: i32) -> i32 {
    typmod & 0xffff
}

/// Rounds microseconds to a precision of 0 to 6 digits, half away from zero.
pub fn round_micros(us: i64, precision: i32) -> i64 {
    if !(0..6).contains(&precision) {
        return us;
    }
    let unit = 10i64.pow(6 - precision as u32);
    let half = unit / 2;
    if us >= 0 {
        us.saturating_add(half) / unit * unit
    } else {
        -(us.saturating_neg().saturating_add(half) / unit * unit)
    }
}

/// Cuts an interval to the declared fields and precision.
pub fn apply_interval(mut v: Interval, typmod: i32) -> Result<Interval> {
    if typmod < 0 {
        return Ok(v);
    }
    match range(typmod) {
        FULL_RANGE => {}
        YEAR => v = Interval { months: v.months / 12 * 12, days: 0, us: 0 },
        r if r == MONTH || r == YEAR | MONTH => v = Interval { days: 0, us: 0, ..v },
        DAY => v.us = 0,
        r if r == HOUR || r == DAY | HOUR => v.us = v.us / HOUR_US * HOUR_US,
        r if r == MINUTE || r == DAY | HOUR | MINUTE || r == HOUR | MINUTE => {
            v.us = v.us / MINUTE_US * MINUTE_US;
        }
        r if r & SECOND != 0 => {}
        _ => bail!(INTERNAL_ERROR, "unrecognized interval typmod: {}", typmod),
    }
    let p = precision(typmod);
    if p != FULL_PRECISION {
        v.us = round_micros(v.us, p);
    }
    Ok(v)
}

/// typmod of `time(p)`, `timestamp(p)`; more than 6 counts as 6 (the caller warns).
pub fn time_typmod(mods: &[i32], with_zone: bool) -> Result<i32> {
    let [p] = mods else { bail!(INVALID_PARAMETER_VALUE, "invalid type modifier") };
    if *p < 0 {
        let tz = if with_zone { " WITH TIME ZONE" } else { "" };
        bail!(INVALID_PARAMETER_VALUE, "TIMESTAMP({}){} precision must not be negative", p, tz);
    }
    Ok((*p).min(6))
}

/// typmod of an interval: field mask, and a precision.
pub fn interval_typmod(mods: &[i32]) -> Result<i32> {
    let (r, p) = match mods {
        [r] => (*r, FULL_PRECISION),
        [r, p] => (*r, *p),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier"),
    };
    if mods.len() == 1 && r == FULL_RANGE {
        return Ok(-1);
    }
    if p < 0 {
        bail!(INVALID_PARAMETER_VALUE, "INTERVAL({}) precision must not be negative", p);
    }
    let p = if p == FULL_PRECISION { p } else { p.min(6) };
    Ok(r << 16 | p)
}

pub fn timetypmodin(arg: &[u8]) -> Result<i32> {
    time_typmod(&crate::text::typmod_ints(arg)?, false)
}
pub fn timetztypmodin(arg: &[u8]) -> Result<i32> {
    time_typmod(&crate::text::typmod_ints(arg)?, true)
}
pub fn intervaltypmodin(arg: &[u8]) -> Result<i32> {
    interval_typmod(&crate::text::typmod_ints(arg)?)
}
pub fn timetypmodout(typmod: i32, out: &mut Vec<u8>) {
    if typmod >= 0 {
        let _ = write!(out, "({typmod})");
    }
    out.extend_from_slice(b" without time zone");
}
pub fn timetztypmodout(typmod: i32, out: &mut Vec<u8>) {
    if typmod >= 0 {
        let _ = write!(out, "({typmod})");
    }
    out.extend_from_slice(b" with time zone");
}
pub fn intervaltypmodout(typmod: i32, out: &mut Vec<u8>) -> Result<()> {
    if typmod < 0 {
        return Ok(());
    }
    let words = match range(typmod) {
        YEAR => " year",
        MONTH => " month",
        DAY => " day",
        HOUR => " hour",
        MINUTE => " minute",
        SECOND => " second",
        r if r == YEAR | MONTH => " year to month",
        r if r == DAY | HOUR => " day to hour",
        r if r == DAY | HOUR | MINUTE => " day to minute",
        r if r == DAY | HOUR | MINUTE | SECOND => " day to second",
        r if r == HOUR | MINUTE => " hour to minute",
        r if r == HOUR | MINUTE | SECOND => " hour to second",
        r if r == MINUTE | SECOND => " minute to second",
        FULL_RANGE => "",
        _ => bail!(INTERNAL_ERROR, "invalid INTERVAL typmod: {:#x}", typmod),
    };
    out.extend_from_slice(words.as_bytes());
    if precision(typmod) != FULL_PRECISION {
        let _ = write!(out, "({})", precision(typmod));
    }
    Ok(())
}

/// Time of day rounded; 24:00:00 stays.
pub fn round_time(us: i64, typmod: i32) -> i64 {
    round_micros(us, typmod).min(DAY_US)
}
