//! Arithmetic: timestamps plus intervals, differences, scaling of intervals, overlaps.

use super::cal::*;
use super::interval::Interval;
use super::interval_in::checked;
use super::io::{pack_timetz, unpack_timetz};
use super::zone::{to_local, to_utc};
use super::{DAY_US, SECOND_US};
use crate::CallCtx;
use crate::int::ops_division_by_zero;
use common::{Result, err};

type F16 = [u8; 16];

/// Adds months to a day, staying within the month.
pub fn add_months(day: i64, months: i64) -> i64 {
    let (y, m, d) = civil_from_days(day);
    let total = y * 12 + m - 1 + months;
    let (y, m) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    days_from_civil(y, m, d.min(month_days(y, m)))
}

/// Adds the months and days of an interval to a local timestamp.
fn add_calendar(ts: i64, v: Interval) -> Result<i64> {
    let (mut day, us) = split_ts(ts);
    if v.months != 0 {
        day = add_months(day, i64::from(v.months));
    }
    join_ts(day + i64::from(v.days), us).ok_or_else(ts_range)
}

pub fn ts_add(ts: i64, v: Interval) -> Result<i64> {
    if ts_infinite(ts) {
        return Ok(ts);
    }
    let t = if v.months != 0 || v.days != 0 { add_calendar(ts, v)? } else { ts };
    t.checked_add(v.us).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}

/// Months and days pass in local time, hours in real time.
pub fn tz_add(ctx: &CallCtx<'_>, ts: i64, v: Interval) -> Result<i64> {
    if ts_infinite(ts) {
        return Ok(ts);
    }
    let mut t = ts;
    if v.months != 0 {
        let months = Interval { months: v.months, ..Interval::default() };
        t = to_utc(&ctx.fmt.timezone, add_calendar(to_local(ctx.fmt, t), months)?);
    }
    if v.days != 0 {
        let days = Interval { days: v.days, ..Interval::default() };
        t = to_utc(&ctx.fmt.timezone, add_calendar(to_local(ctx.fmt, t), days)?);
    }
    t.checked_add(v.us).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}

pub fn timestamp_pl_interval(ts: i64, v: F16) -> Result<i64> {
    ts_add(ts, Interval::unpack(v))
}
pub fn timestamp_mi_interval(ts: i64, v: F16) -> Result<i64> {
    ts_add(ts, Interval::unpack(v).negate()?)
}
pub fn interval_pl_timestamp(v: F16, ts: i64) -> Result<i64> {
    timestamp_pl_interval(ts, v)
}
pub fn timestamptz_pl_interval(ctx: &CallCtx<'_>, ts: i64, v: F16) -> Result<i64> {
    tz_add(ctx, ts, Interval::unpack(v))
}
pub fn timestamptz_mi_interval(ctx: &CallCtx<'_>, ts: i64, v: F16) -> Result<i64> {
    tz_add(ctx, ts, Interval::unpack(v).negate()?)
}
pub fn interval_pl_timestamptz(ctx: &CallCtx<'_>, v: F16, ts: i64) -> Result<i64> {
    timestamptz_pl_interval(ctx, ts, v)
}
pub fn timestamp_mi(a: i64, b: i64) -> Result<F16> {
    if ts_infinite(a) || ts_infinite(b) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite timestamps"));
    }
    let us = a.checked_sub(b).ok_or_else(interval_range)?;
    Ok(Interval { us, ..Interval::default() }.justify_hours()?.pack())
}

fn date_ts(d: i32) -> Result<i64> {
    match d {
        DATE_NOBEGIN => Ok(TS_NOBEGIN),
        DATE_NOEND => Ok(TS_NOEND),
        d => join_ts(i64::from(d), 0)
            .ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")),
    }
}
pub fn date_pl_interval(d: i32, v: F16) -> Result<i64> {
    timestamp_pl_interval(date_ts(d)?, v)
}
pub fn date_mi_interval(d: i32, v: F16) -> Result<i64> {
    timestamp_mi_interval(date_ts(d)?, v)
}
pub fn interval_pl_date(v: F16, d: i32) -> Result<i64> {
    date_pl_interval(d, v)
}
pub fn date_mi(a: i32, b: i32) -> Result<i32> {
    if date_infinite(a) || date_infinite(b) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite dates"));
    }
    Ok(a.wrapping_sub(b))
}
fn date_shift(d: i32, n: i64) -> Result<i32> {
    if date_infinite(d) {
        return Ok(d);
    }
    let r = i64::from(d) + n;
    if !(MIN_DAY..END_DAY).contains(&r) {
        return Err(date_range());
    }
    Ok(r as i32)
}
pub fn date_pli(d: i32, n: i32) -> Result<i32> {
    date_shift(d, i64::from(n))
}
pub fn date_mii(d: i32, n: i32) -> Result<i32> {
    date_shift(d, -i64::from(n))
}
pub fn integer_pl_date(n: i32, d: i32) -> Result<i32> {
    date_shift(d, i64::from(n))
}

pub fn time_pl_interval(t: i64, v: F16) -> i64 {
    t.wrapping_add(Interval::unpack(v).us).rem_euclid(DAY_US)
}
pub fn time_mi_interval(t: i64, v: F16) -> i64 {
    t.wrapping_sub(Interval::unpack(v).us).rem_euclid(DAY_US)
}
pub fn interval_pl_time(v: F16, t: i64) -> i64 {
    time_pl_interval(t, v)
}
pub fn time_mi_time(a: i64, b: i64) -> F16 {
    Interval { us: a - b, ..Interval::default() }.pack()
}
pub fn timetz_pl_interval(t: F16, v: F16) -> F16 {
    let (us, west) = unpack_timetz(t);
    pack_timetz(time_pl_interval(us, v), west)
}
pub fn timetz_mi_interval(t: F16, v: F16) -> F16 {
    let (us, west) = unpack_timetz(t);
    pack_timetz(time_mi_interval(us, v), west)
}
pub fn interval_pl_timetz(v: F16, t: F16) -> F16 {
    timetz_pl_interval(t, v)
}

pub fn interval_um(v: F16) -> Result<F16> {
    Ok(Interval::unpack(v).negate()?.pack())
}
pub fn interval_pl(a: F16, b: F16) -> Result<F16> {
    Ok(Interval::unpack(a).plus(Interval::unpack(b))?.pack())
}
/// `a - b`.
pub fn interval_sub(a: Interval, b: Interval) -> Result<Interval> {
    Ok(Interval::unpack(interval_mi(a.pack(), b.pack())?))
}
pub fn interval_mi(a: F16, b: F16) -> Result<F16> {
    Ok(Interval::unpack(a).minus(Interval::unpack(b))?.pack())
}
/// Sum, for aggregates.
pub fn interval_add(a: Interval, b: Interval) -> Result<Interval> {
    a.plus(b)
}

/// Rounds to microseconds, absorbing noise of the multiplication.
fn snap(v: f64) -> f64 {
    (v * SECOND_US as f64).round_ties_even() / SECOND_US as f64
}

/// `f` applied to each part; fractions of months go to days, fractions of days to microseconds.
fn scale(v: Interval, f: impl Fn(f64) -> f64) -> Result<Interval> {
    let months = f(f64::from(v.months));
    let days = f(f64::from(v.days));
    let fits = |x: f64| x.is_finite() && x.abs() < 2_147_483_648.0;
    if !fits(months) || !fits(days) {
        return Err(interval_range());
    }
    let (m, d) = (months.trunc(), days.trunc());
    let month_days = snap((months - m) * 30.0);
    let mut sec = snap((days - d + month_days - month_days.trunc()) * 86_400.0);
    let mut extra = month_days.trunc();
    // Rounding can reach a whole day.
    if sec.abs() >= 86_400.0 {
        extra += (sec / 86_400.0).trunc();
        sec -= (sec / 86_400.0).trunc() * 86_400.0;
    }
    let us = (f(v.us as f64) + sec * SECOND_US as f64).round_ties_even();
    if !us.is_finite() || us.abs() >= 9.3e18 {
        return Err(interval_range());
    }
    checked(us as i128, d as i64 + extra as i64, m as i64)
}
pub fn interval_mul(v: F16, f: f64) -> Result<F16> {
    Ok(scale(Interval::unpack(v), |x| x * f)?.pack())
}
pub fn mul_d_interval(f: f64, v: F16) -> Result<F16> {
    interval_mul(v, f)
}
pub fn interval_div_f(v: F16, f: f64) -> Result<F16> {
    Ok(interval_div(Interval::unpack(v), f)?.pack())
}
/// Quotient, for aggregates. 22012.
pub fn interval_div(v: Interval, f: f64) -> Result<Interval> {
    if f == 0.0 {
        return Err(ops_division_by_zero());
    }
    scale(v, |x| x / f)
}
pub fn interval_justify_hours(v: F16) -> Result<F16> {
    Ok(Interval::unpack(v).justify_hours()?.pack())
}
pub fn interval_justify_days(v: F16) -> Result<F16> {
    Ok(Interval::unpack(v).justify_days()?.pack())
}
pub fn interval_justify_interval(v: F16) -> Result<F16> {
    Ok(Interval::unpack(v).justify()?.pack())
}

/// SQL's OVERLAPS over four end points, each possibly NULL.
fn overlaps<T: Copy>(
    s1: Option<T>,
    e1: Option<T>,
    s2: Option<T>,
    e2: Option<T>,
    gt: impl Fn(T, T) -> bool,
) -> Option<bool> {
    let order = |s: Option<T>, e: Option<T>| match (s, e) {
        (None, None) => None,
        (None, Some(e)) => Some((e, None)),
        (Some(s), None) => Some((s, None)),
        (Some(s), Some(e)) => Some(if gt(s, e) { (e, Some(s)) } else { (s, Some(e)) }),
    };
    let (s1, e1) = order(s1, e1)?;
    let (s2, e2) = order(s2, e2)?;
    if gt(s1, s2) {
        match e2 {
            None => None,
            Some(e2) if gt(e2, s1) => Some(true),
            Some(_) => e1.map(|_| false),
        }
    } else if gt(s2, s1) {
        match e1 {
            None => None,
            Some(e1) if gt(e1, s2) => Some(true),
            Some(_) => e2.map(|_| false),
        }
    } else if e1.is_none() || e2.is_none() {
        None
    } else {
        Some(true)
    }
}
type O = Option<i64>;
pub fn overlaps_i64(s1: O, e1: O, s2: O, e2: O) -> Option<bool> {
    overlaps(s1, e1, s2, e2, |a, b| a > b)
}
pub fn overlaps_timetz(s1: Option<F16>, e1: Option<F16>, s2: Option<F16>, e2: Option<F16>) -> Option<bool> {
    overlaps(s1, e1, s2, e2, super::cmp::timetz::gt)
}
type I = Option<F16>;
fn end(s: O, i: I) -> Result<O> {
    match (s, i) {
        (Some(s), Some(i)) => timestamp_pl_interval(s, i).map(Some),
        _ => Ok(None),
    }
}
fn end_tz(c: &CallCtx<'_>, s: O, i: I) -> Result<O> {
    match (s, i) {
        (Some(s), Some(i)) => timestamptz_pl_interval(c, s, i).map(Some),
        _ => Ok(None),
    }
}
fn end_time(s: O, i: I) -> O {
    Some(time_pl_interval(s?, i?))
}
pub fn overlaps_ts_ii(s1: O, i1: I, s2: O, i2: I) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, end(s1, i1)?, s2, end(s2, i2)?))
}
pub fn overlaps_ts_ti(s1: O, e1: O, s2: O, i2: I) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, e1, s2, end(s2, i2)?))
}
pub fn overlaps_ts_it(s1: O, i1: I, s2: O, e2: O) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, end(s1, i1)?, s2, e2))
}
pub fn overlaps_tz_ii(c: &CallCtx<'_>, s1: O, i1: I, s2: O, i2: I) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, end_tz(c, s1, i1)?, s2, end_tz(c, s2, i2)?))
}
pub fn overlaps_tz_ti(c: &CallCtx<'_>, s1: O, e1: O, s2: O, i2: I) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, e1, s2, end_tz(c, s2, i2)?))
}
pub fn overlaps_tz_it(c: &CallCtx<'_>, s1: O, i1: I, s2: O, e2: O) -> Result<Option<bool>> {
    Ok(overlaps_i64(s1, end_tz(c, s1, i1)?, s2, e2))
}
pub fn overlaps_time_ii(s1: O, i1: I, s2: O, i2: I) -> Option<bool> {
    overlaps_i64(s1, end_time(s1, i1), s2, end_time(s2, i2))
}
pub fn overlaps_time_ti(s1: O, e1: O, s2: O, i2: I) -> Option<bool> {
    overlaps_i64(s1, e1, s2, end_time(s2, i2))
}
pub fn overlaps_time_it(s1: O, i1: I, s2: O, e2: O) -> Option<bool> {
    overlaps_i64(s1, end_time(s1, i1), s2, e2)
}
