//! Casts between the types, AT TIME ZONE, and the clock functions.

use super::cal::*;
use super::interval::Interval;
use super::io::{pack_timetz, round_ts, unpack_timetz};
use super::typmod::{apply_interval, round_micros, round_time};
use super::zone::{Zone, offset_at, offset_of_local, to_local, to_utc, zone_argument};
use super::{DAY_US, SECOND_US};
use crate::CallCtx;
use common::{Result, bail, err};

type F16 = [u8; 16];

fn range_ts() -> common::Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")
}
pub fn date_timestamp(d: i32) -> Result<i64> {
    match d {
        DATE_NOBEGIN => Ok(TS_NOBEGIN),
        DATE_NOEND => Ok(TS_NOEND),
        d => join_ts(i64::from(d), 0).ok_or_else(range_ts),
    }
}
pub fn date_timestamptz(c: &CallCtx<'_>, d: i32) -> Result<i64> {
    match d {
        DATE_NOBEGIN => Ok(TS_NOBEGIN),
        DATE_NOEND => Ok(TS_NOEND),
        d => {
            let local = i64::from(d).checked_mul(DAY_US).ok_or_else(range_ts)?;
            Some(to_utc(&c.fmt.timezone, local)).filter(|t| ts_valid(*t)).ok_or_else(range_ts)
        }
    }
}
pub fn timestamp_date(t: i64) -> i32 {
    match t {
        TS_NOBEGIN => DATE_NOBEGIN,
        TS_NOEND => DATE_NOEND,
        t => t.div_euclid(DAY_US) as i32,
    }
}
pub fn timestamptz_date(c: &CallCtx<'_>, t: i64) -> i32 {
    if ts_infinite(t) { timestamp_date(t) } else { timestamp_date(to_local(c.fmt, t)) }
}
pub fn timestamp_time(t: i64) -> Option<i64> {
    (!ts_infinite(t)).then(|| t.rem_euclid(DAY_US))
}
pub fn timestamptz_time(c: &CallCtx<'_>, t: i64) -> Option<i64> {
    (!ts_infinite(t)).then(|| to_local(c.fmt, t).rem_euclid(DAY_US))
}
pub fn timestamptz_timetz(c: &CallCtx<'_>, t: i64) -> Option<F16> {
    (!ts_infinite(t)).then(|| {
        let east = offset_at(&c.fmt.timezone, t).0;
        pack_timetz((t + i64::from(east) * SECOND_US).rem_euclid(DAY_US), -east)
    })
}
pub fn timestamp_timestamptz(c: &CallCtx<'_>, t: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    Some(to_utc(&c.fmt.timezone, t)).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn timestamptz_timestamp(c: &CallCtx<'_>, t: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    Some(to_local(c.fmt, t)).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn datetime_timestamp(d: i32, t: i64) -> Result<i64> {
    let base = date_timestamp(d)?;
    if ts_infinite(base) {
        return Ok(base);
    }
    base.checked_add(t).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn timedate_pl(t: i64, d: i32) -> Result<i64> {
    datetime_timestamp(d, t)
}
pub fn datetime_timestamptz(c: &CallCtx<'_>, d: i32, t: i64) -> Result<i64> {
    timestamp_timestamptz(c, datetime_timestamp(d, t)?)
}
pub fn datetimetz_timestamptz(d: i32, t: F16) -> Result<i64> {
    let base = date_timestamp(d)?;
    if ts_infinite(base) {
        return Ok(base);
    }
    let (us, west) = unpack_timetz(t);
    base.checked_add(us + i64::from(west) * SECOND_US).filter(|t| ts_valid(*t)).ok_or_else(range_ts)
}
pub fn timetzdate_pl(t: F16, d: i32) -> Result<i64> {
    datetimetz_timestamptz(d, t)
}
pub fn time_interval(t: i64) -> F16 {
    Interval { us: t, ..Interval::default() }.pack()
}
pub fn interval_time(v: F16) -> i64 {
    Interval::unpack(v).us.rem_euclid(DAY_US)
}
pub fn timetz_time(t: F16) -> i64 {
    unpack_timetz(t).0
}
pub fn time_timetz(c: &CallCtx<'_>, t: i64) -> F16 {
    let today = to_local(c.fmt, c.xact_start_us).div_euclid(DAY_US);
    pack_timetz(t, -offset_of_local(&c.fmt.timezone, today * DAY_US + t))
}

pub fn timestamp_scale(t: i64, typmod: i32) -> i64 {
    round_ts(t, typmod)
}
pub fn time_scale(t: i64, typmod: i32) -> i64 {
    round_time(t, typmod)
}
pub fn timetz_scale(t: F16, typmod: i32) -> F16 {
    let (us, west) = unpack_timetz(t);
    pack_timetz(round_time(us, typmod), west)
}
pub fn interval_scale(v: F16, typmod: i32) -> Result<F16> {
    Ok(apply_interval(Interval::unpack(v), typmod)?.pack())
}
pub fn finite_date(d: i32) -> bool {
    !date_infinite(d)
}
pub fn finite_ts(t: i64) -> bool {
    !ts_infinite(t)
}
pub fn finite_interval(_: F16) -> bool {
    true
}

fn shift(t: i64, by: i64) -> Result<i64> {
    t.checked_add(by).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
/// `timestamp AT TIME ZONE zone`.
pub fn timestamp_zone(zone: &str, t: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    let z = zone_argument(zone)?;
    shift(t, -i64::from(z.at_local(t)) * SECOND_US)
}
/// `timestamptz AT TIME ZONE zone`.
pub fn timestamptz_zone(zone: &str, t: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    let z = zone_argument(zone)?;
    shift(t, i64::from(z.at_utc(t)) * SECOND_US)
}
fn zone_interval(v: F16) -> Result<i64> {
    let v = Interval::unpack(v);
    if v.months != 0 || v.days != 0 {
        let mut text = Vec::new();
        super::interval_out::push_interval(v, crate::registry::IntervalStyle::Postgres, &mut text);
        bail!(
            INVALID_PARAMETER_VALUE,
            "interval time zone \"{}\" must not include months or days",
            String::from_utf8_lossy(&text)
        );
    }
    Ok(v.us / SECOND_US)
}
pub fn timestamp_izone(v: F16, t: i64) -> Result<i64> {
    if ts_infinite(t) { Ok(t) } else { shift(t, -zone_interval(v)? * SECOND_US) }
}
pub fn timestamptz_izone(v: F16, t: i64) -> Result<i64> {
    if ts_infinite(t) { Ok(t) } else { shift(t, zone_interval(v)? * SECOND_US) }
}
fn timetz_to(t: F16, east: i64) -> F16 {
    let (us, west) = unpack_timetz(t);
    pack_timetz((us + (i64::from(west) + east) * SECOND_US).rem_euclid(DAY_US), -east as i32)
}
pub fn timetz_zone(c: &CallCtx<'_>, zone: &str, t: F16) -> Result<F16> {
    let z: Zone = zone_argument(zone)?;
    Ok(timetz_to(t, i64::from(z.at_utc(c.xact_start_us))))
}
pub fn timetz_izone(v: F16, t: F16) -> Result<F16> {
    Ok(timetz_to(t, zone_interval(v)?))
}

pub fn now(c: &CallCtx<'_>) -> i64 {
    c.xact_start_us
}
pub fn statement_timestamp(c: &CallCtx<'_>) -> i64 {
    c.stmt_start_us
}
pub fn clock_timestamp(_: &CallCtx<'_>) -> i64 {
    super::clock_us()
}
pub fn timeofday(c: &CallCtx<'_>, out: &mut Vec<u8>) {
    let t = super::clock_us();
    let (east, _, name) = offset_at(&c.fmt.timezone, t);
    let local = t + i64::from(east) * SECOND_US;
    let (day, us) = split_ts(local);
    let (y, m, d) = civil_from_days(day);
    let text = format!(
        "{} {} {d:02} {:02}:{:02}:{:02}.{:06} {y} {name}",
        &super::fields::DAYS[weekday(day) as usize][..3],
        &super::fields::MONTHS[m as usize - 1][..3],
        us / super::HOUR_US,
        us / super::MINUTE_US % 60,
        us / SECOND_US % 60,
        us % SECOND_US
    );
    out.extend_from_slice(text.as_bytes());
}

/// CURRENT_DATE.
pub fn current_date(c: &CallCtx<'_>) -> i32 {
    timestamptz_date(c, c.xact_start_us)
}
/// LOCALTIMESTAMP(p); a negative precision is full.
pub fn local_timestamp(c: &CallCtx<'_>, precision: i32) -> i64 {
    round_micros(to_local(c.fmt, c.xact_start_us), precision)
}
/// LOCALTIME(p).
pub fn local_time(c: &CallCtx<'_>, precision: i32) -> i64 {
    round_time(to_local(c.fmt, c.xact_start_us).rem_euclid(DAY_US), precision)
}
/// CURRENT_TIMESTAMP(p).
pub fn current_time(c: &CallCtx<'_>, precision: i32) -> i64 {
    round_micros(c.xact_start_us, precision)
}
/// CURRENT_TIME(p), a timetz.
pub fn current_timetz(c: &CallCtx<'_>, precision: i32) -> [u8; 16] {
    let east = offset_at(&c.fmt.timezone, c.xact_start_us).0;
    let local = (c.xact_start_us + i64::from(east) * SECOND_US).rem_euclid(DAY_US);
    pack_timetz(round_time(local, precision), -east)
}
