//! make_date, make_time, make_timestamp[tz], make_interval, to_timestamp(double precision), in_range.

use super::cal::*;
use super::interval::Interval;
use super::interval_in::checked;
use super::zone::{Zone, zone_argument};
use super::{DAY_US, EPOCH_SHIFT, SECOND_US};
use crate::CallCtx;
use common::{Result, bail, err};

type F16 = [u8; 16];

fn date_of(y: i32, m: i32, d: i32) -> Result<i64> {
    let range = || {
        err!(
            DATETIME_FIELD_OVERFLOW,
            "date field value out of range: {}-{:02}-{:02}",
            if y < 0 { y.saturating_add(1) } else { y },
            m,
            d
        )
    };
    let year = match y {
        0 => return Err(range()),
        y if y < 0 => i64::from(y) + 1,
        y => i64::from(y),
    };
    let (m, d) = (i64::from(m), i64::from(d));
    if !(1..=12).contains(&m) || d < 1 || d > month_days(year, m) {
        return Err(range());
    }
    let day = days_from_civil(year, m, d);
    if !(MIN_DAY..END_DAY).contains(&day) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: {}-{:02}-{:02}", y, m, d);
    }
    Ok(day)
}
pub fn make_date(y: i32, m: i32, d: i32) -> Result<i32> {
    Ok(date_of(y, m, d)? as i32)
}

/// A number as C's `%02g` shows it.
fn g02(v: f64) -> String {
    if !v.is_finite() {
        return if v.is_nan() {
            "NaN"
        } else if v > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into();
    }
    let s = crate::numeric::format_g(v, 6);
    if s.len() < 2 { format!("0{s}") } else { s }
}

fn time_of(h: i32, m: i32, s: f64) -> Result<i64> {
    let us = (s * 1e6).round_ties_even();
    let ok = (0..=24).contains(&h)
        && (0..60).contains(&m)
        && (0.0..=60.0).contains(&s)
        && (h < 24 || (m == 0 && s == 0.0));
    if !ok {
        bail!(DATETIME_FIELD_OVERFLOW, "time field value out of range: {}:{:02}:{}", h, m, g02(s));
    }
    Ok((i64::from(h) * 60 + i64::from(m)) * 60 * SECOND_US + us as i64)
}
pub fn make_time(h: i32, m: i32, s: f64) -> Result<i64> {
    time_of(h, m, s)
}
pub fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    let day = date_of(y, mo, d)?;
    join_ts(day, time_of(h, mi, s)?).ok_or_else(|| {
        err!(
            DATETIME_VALUE_OUT_OF_RANGE,
            "timestamp out of range: {}-{:02}-{:02} {}:{:02}:{}",
            y,
            mo,
            d,
            h,
            mi,
            g02(s)
        )
    })
}
pub fn make_timestamptz(c: &CallCtx<'_>, y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    let local = make_timestamp(y, mo, d, h, mi, s)?;
    let east = Zone::Named(c.fmt.timezone.clone()).at_local(local);
    Some(local - i64::from(east) * SECOND_US).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn make_timestamptz_zone(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64, zone: &str) -> Result<i64> {
    let local = make_timestamp(y, mo, d, h, mi, s)?;
    // A bare offset here counts east, unlike in AT TIME ZONE.
    let z = match zone.as_bytes().first() {
        Some(c) if c.is_ascii_digit() => {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "invalid input syntax for type numeric time zone: \"{}\"",
                zone
            )
            .hint("Numeric time zones must have \"-\" or \"+\" as first character."));
        }
        Some(sign @ (b'+' | b'-')) => match super::fields::parse_offset(&zone[1..]) {
            Some(secs) => Zone::Fixed(if *sign == b'-' { -secs } else { secs }),
            None => bail!(
                INVALID_PARAMETER_VALUE,
                "invalid input syntax for type numeric time zone: \"{}\"",
                zone
            ),
        },
        _ => zone_argument(zone)?,
    };
    Some(local - i64::from(z.at_local(local)) * SECOND_US).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn make_interval(y: i32, mo: i32, w: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<F16> {
    if !s.is_finite() {
        return Err(interval_range());
    }
    let us =
        i128::from(h) * 3_600_000_000 + i128::from(mi) * 60_000_000 + (s * 1e6).round_ties_even() as i128;
    let days = i64::from(w) * 7 + i64::from(d);
    Ok(checked(us, days, i64::from(y) * 12 + i64::from(mo))?.pack())
}
pub fn float8_timestamptz(v: f64) -> Result<i64> {
    if v.is_nan() {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp cannot be NaN");
    }
    if v.is_infinite() {
        return Ok(if v < 0.0 { TS_NOBEGIN } else { TS_NOEND });
    }
    let shown = || crate::numeric::format_g(v, 6);
    let us = (v - EPOCH_SHIFT as f64) * SECOND_US as f64;
    let us = us.round_ties_even();
    if !(MIN_TS as f64..END_TS as f64).contains(&us) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{}\"", shown());
    }
    Ok(us as i64)
}

fn check_offset(v: Interval) -> Result<Interval> {
    if v.span() < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    Ok(v)
}
fn within(v: i64, bound: i64, less: bool) -> bool {
    if less { v <= bound } else { v >= bound }
}
pub fn in_range_timestamp(val: i64, base: i64, offset: F16, sub: bool, less: bool) -> Result<bool> {
    let o = check_offset(Interval::unpack(offset))?;
    let o = if sub { o.negate()? } else { o };
    Ok(within(val, super::calc::ts_add(base, o)?, less))
}
pub fn in_range_timestamptz(
    c: &CallCtx<'_>,
    val: i64,
    base: i64,
    offset: F16,
    sub: bool,
    less: bool,
) -> Result<bool> {
    let o = check_offset(Interval::unpack(offset))?;
    let o = if sub { o.negate()? } else { o };
    Ok(within(val, super::calc::tz_add(c, base, o)?, less))
}
pub fn in_range_date(val: i32, base: i32, offset: F16, sub: bool, less: bool) -> Result<bool> {
    let t = super::convert::date_timestamp;
    in_range_timestamp(t(val)?, t(base)?, offset, sub, less)
}
pub fn in_range_interval(val: F16, base: F16, offset: F16, sub: bool, less: bool) -> Result<bool> {
    let o = check_offset(Interval::unpack(offset))?;
    let b = Interval::unpack(base);
    let bound = if sub { b.minus(o)? } else { b.plus(o)? };
    let v = Interval::unpack(val).span();
    Ok(if less { v <= bound.span() } else { v >= bound.span() })
}
pub fn in_range_time(val: i64, base: i64, offset: F16, sub: bool, less: bool) -> Result<bool> {
    let o = Interval::unpack(offset);
    if o.us < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    let bound = if sub { base - o.us } else { base.checked_add(o.us).unwrap_or(DAY_US * 2) };
    Ok(within(val, bound, less))
}
pub fn in_range_timetz(val: F16, base: F16, offset: F16, sub: bool, less: bool) -> Result<bool> {
    let o = Interval::unpack(offset);
    if o.us < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    let ((val, val_zone), (base, zone)) = (super::io::unpack_timetz(val), super::io::unpack_timetz(base));
    let bound = if sub { base - o.us } else { base.checked_add(o.us).unwrap_or(DAY_US * 2) };
    // As timetz compares: by the moment, then by the zone.
    let key = |t: i64, z: i32| (t.saturating_add(i64::from(z) * 1_000_000), z);
    let (v, b) = (key(val, val_zone), key(bound, zone));
    Ok(if less { v <= b } else { v >= b })
}
