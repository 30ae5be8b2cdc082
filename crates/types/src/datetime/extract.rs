//! extract and date_part.

use super::cal::*;
use super::interval::Interval;
use super::io::unpack_timetz;
use super::zone::offset_at;
use super::{DAY_US, EPOCH_SHIFT, HOUR_US, MINUTE_US, SECOND_US};
use crate::CallCtx;
use crate::numeric::{Num, to_float};
use common::{Error, Result, err};

type F16 = [u8; 16];

/// Fields of extract and units of date_trunc.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Field {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

/// Field of a name.
pub fn field_by_name(s: &str) -> Option<Field> {
    use super::interval_in::{Unit, unit_by_name};
    let t = s.to_ascii_lowercase();
    Some(match t.as_str() {
        "dow" => Field::Dow,
        "isodow" => Field::IsoDow,
        "doy" => Field::Doy,
        "isoyear" => Field::IsoYear,
        "julian" | "jd" | "j" => Field::Julian,
        "epoch" => Field::Epoch,
        "timezone" => Field::Timezone,
        "timezone_hour" | "timezone_h" => Field::TimezoneHour,
        "timezone_minute" | "timezone_m" => Field::TimezoneMinute,
        _ => match unit_by_name(&t)? {
            Unit::Microsecond => Field::Microseconds,
            Unit::Millisecond => Field::Milliseconds,
            Unit::Second => Field::Second,
            Unit::Minute => Field::Minute,
            Unit::Hour => Field::Hour,
            Unit::Day => Field::Day,
            Unit::Week => Field::Week,
            Unit::Month => Field::Month,
            Unit::Quarter => Field::Quarter,
            Unit::Year => Field::Year,
            Unit::Decade => Field::Decade,
            Unit::Century => Field::Century,
            Unit::Millennium => Field::Millennium,
        },
    })
}

/// A unit as it is looked up: in lower case, as long as a name.
fn shown(name: &str) -> String {
    let end = (0..=name.len().min(63)).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
    name[..end].to_ascii_lowercase()
}

/// 22023: no such unit.
#[cold]
pub fn not_recognized(name: &str, type_name: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "unit \"{}\" not recognized for type {}", shown(name), type_name)
}
/// 0A000: a unit this type has not.
#[cold]
pub fn not_supported(name: &str, type_name: &str) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "unit \"{}\" not supported for type {}", shown(name), type_name)
}

/// `v / 10^scale` with that many places.
fn scaled(v: i128, scale: i32) -> Num {
    let mut n = Num::from_i128(v);
    n = crate::numeric::mul_exact(&n, &power_of_tenth(scale));
    n.dscale = scale;
    n
}
fn power_of_tenth(scale: i32) -> Num {
    match scale {
        0 => Num::from_i64(1),
        3 => Num { kind: crate::numeric::Kind::Finite, neg: false, weight: -1, dscale: 3, digits: vec![10] },
        _ => Num { kind: crate::numeric::Kind::Finite, neg: false, weight: -2, dscale: 6, digits: vec![100] },
    }
}
fn whole(v: i64) -> Num {
    Num::from_i64(v)
}

/// Parts of a time of day.
fn time_field(f: Field, us: i64) -> Option<Num> {
    let in_minute = us % MINUTE_US;
    Some(match f {
        Field::Microseconds => whole(in_minute),
        Field::Milliseconds => scaled(i128::from(in_minute), 3),
        Field::Second => scaled(i128::from(in_minute), 6),
        Field::Minute => whole(us / MINUTE_US % 60),
        Field::Hour => whole(us / HOUR_US),
        _ => return None,
    })
}

/// Century of a year (0 is 1 BC).
pub fn century(y: i64) -> i64 {
    if y > 0 { (y + 99) / 100 } else { -((99 - (y - 1)) / 100) }
}
fn millennium(y: i64) -> i64 {
    if y > 0 { (y + 999) / 1000 } else { -((999 - (y - 1)) / 1000) }
}
fn decade(y: i64) -> i64 {
    y.div_euclid(10)
}

/// Parts of a date.
fn date_field(f: Field, day: i64) -> Option<Num> {
    let (y, m, d) = civil_from_days(day);
    Some(whole(match f {
        Field::Day => d,
        Field::Month => m,
        Field::Quarter => (m - 1) / 3 + 1,
        Field::Week => iso_week(day).1,
        Field::Year => {
            if y > 0 {
                y
            } else {
                y - 1
            }
        }
        Field::Decade => decade(y),
        Field::Century => century(y),
        Field::Millennium => millennium(y),
        Field::Dow => weekday(day),
        Field::IsoDow => (weekday(day) + 6) % 7 + 1,
        Field::Doy => day - days_from_civil(y, 1, 1) + 1,
        Field::IsoYear => {
            let iy = iso_week(day).0;
            if iy > 0 { iy } else { iy - 1 }
        }
        Field::Julian => day + JULIAN,
        _ => return None,
    }))
}

/// Fields of an infinite value: the growing ones are infinite, the others NULL.
fn infinite(f: Field, neg: bool) -> Option<Num> {
    matches!(
        f,
        Field::Year
            | Field::Decade
            | Field::Century
            | Field::Millennium
            | Field::Julian
            | Field::IsoYear
            | Field::Epoch
    )
    .then(|| Num::inf(neg))
}

const TS: &str = "timestamp without time zone";
const TZ: &str = "timestamp with time zone";

fn stamp_field(name: &str, local: i64, epoch: i128, type_name: &str) -> Result<Option<Num>> {
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, type_name))?;
    if ts_infinite(local) {
        return Ok(infinite(f, local == TS_NOBEGIN));
    }
    let (day, us) = split_ts(local);
    if f == Field::Julian {
        let frac = crate::numeric::div_to(&whole(us), &whole(DAY_US), 20, true);
        let mut j = crate::numeric::num_add(&whole(day + JULIAN), &frac);
        j = Num { dscale: 20, ..j };
        if us == 0 {
            j.dscale = 16;
        }
        return Ok(Some(j));
    }
    if f == Field::Epoch {
        return Ok(Some(scaled(epoch + i128::from(EPOCH_SHIFT) * i128::from(SECOND_US), 6)));
    }
    match time_field(f, us).or_else(|| date_field(f, day)) {
        Some(n) => Ok(Some(n)),
        None => Err(not_supported(name, type_name)),
    }
}

pub fn timestamp(name: &str, t: i64) -> Result<Option<Num>> {
    stamp_field(name, t, i128::from(t), TS)
}
pub fn timestamptz(c: &CallCtx<'_>, name: &str, t: i64) -> Result<Option<Num>> {
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, TZ))?;
    if ts_infinite(t) {
        return Ok(infinite(f, t == TS_NOBEGIN));
    }
    let east = i64::from(offset_at(&c.fmt.timezone, t).0);
    match f {
        Field::Timezone => Ok(Some(whole(east))),
        Field::TimezoneHour => Ok(Some(whole(east / 3600))),
        Field::TimezoneMinute => Ok(Some(whole(east / 60 % 60))),
        _ => stamp_field(name, t + east * SECOND_US, i128::from(t), TZ),
    }
}
pub fn date(name: &str, d: i32) -> Result<Option<Num>> {
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, "date"))?;
    if matches!(
        f,
        Field::Microseconds
            | Field::Milliseconds
            | Field::Second
            | Field::Minute
            | Field::Hour
            | Field::Timezone
            | Field::TimezoneHour
            | Field::TimezoneMinute
    ) {
        return Err(not_supported(name, "date"));
    }
    if date_infinite(d) {
        return Ok(infinite(f, d == DATE_NOBEGIN));
    }
    if f == Field::Epoch {
        return Ok(Some(whole(i64::from(d) * 86_400 + EPOCH_SHIFT)));
    }
    Ok(date_field(f, i64::from(d)))
}
pub fn time(name: &str, t: i64) -> Result<Option<Num>> {
    let type_name = "time without time zone";
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, type_name))?;
    if f == Field::Epoch {
        return Ok(Some(scaled(i128::from(t), 6)));
    }
    time_field(f, t).map(Some).ok_or_else(|| not_supported(name, type_name))
}
pub fn timetz(name: &str, t: F16) -> Result<Option<Num>> {
    let type_name = "time with time zone";
    let (us, west) = unpack_timetz(t);
    let east = -i64::from(west);
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, type_name))?;
    Ok(Some(match f {
        Field::Timezone => whole(east),
        Field::TimezoneHour => whole(east / 3600),
        Field::TimezoneMinute => whole(east / 60 % 60),
        Field::Epoch => scaled(i128::from(us) + i128::from(west) * i128::from(SECOND_US), 6),
        _ => time_field(f, us).ok_or_else(|| not_supported(name, type_name))?,
    }))
}
pub fn interval(name: &str, v: F16) -> Result<Option<Num>> {
    let v = Interval::unpack(v);
    let f = field_by_name(name).ok_or_else(|| not_recognized(name, "interval"))?;
    let (y, m) = (i64::from(v.months / 12), i64::from(v.months % 12));
    Ok(Some(match f {
        Field::Day => whole(i64::from(v.days)),
        Field::Month => whole(m),
        Field::Quarter => whole(m / 3 + 1),
        Field::Year => whole(y),
        Field::Decade => whole(y / 10),
        Field::Century => whole(y / 100),
        Field::Millennium => whole(y / 1000),
        Field::Epoch => {
            // A year counts 365.25 days, a month 30.
            let secs = i128::from(y) * 31_557_600 + i128::from(m) * 2_592_000 + i128::from(v.days) * 86_400;
            scaled(secs * i128::from(SECOND_US) + i128::from(v.us), 6)
        }
        _ => time_field(f, v.us).ok_or_else(|| not_supported(name, "interval"))?,
    }))
}

macro_rules! forms {
    ($m:ident, $($arg:ident: $t:ty),*; $call:expr) => {
        /// The numeric form (extract) and the float form (date_part).
        pub mod $m {
            #![allow(unused_imports, dead_code)]
            use super::*;
            pub fn extract(name: &str, $($arg: $t,)* out: &mut Vec<u8>) -> Result<bool> {
                let f: fn(&str, $($t),*) -> Result<Option<Num>> = $call;
                match f(name, $($arg),*)? {
                    Some(n) => n.pack(out).map(|()| true),
                    None => Ok(false),
                }
            }
            pub fn part(name: &str, $($arg: $t),*) -> Result<Option<f64>> {
                let f: fn(&str, $($t),*) -> Result<Option<Num>> = $call;
                f(name, $($arg),*)?.map(|n| to_float(&n)).transpose()
            }
        }
    };
}
forms!(of_ts, t: i64; timestamp);
forms!(of_date, t: i32; date);
forms!(of_time, t: i64; time);
forms!(of_timetz, t: F16; timetz);
forms!(of_interval, t: F16; interval);

pub fn extract_tz(c: &CallCtx<'_>, name: &str, t: i64, out: &mut Vec<u8>) -> Result<bool> {
    match timestamptz(c, name, t)? {
        Some(n) => n.pack(out).map(|()| true),
        None => Ok(false),
    }
}
pub fn part_tz(c: &CallCtx<'_>, name: &str, t: i64) -> Result<Option<f64>> {
    timestamptz(c, name, t)?.map(|n| to_float(&n)).transpose()
}
pub fn part_date(name: &str, d: i32) -> Result<Option<f64>> {
    // date_part over a date goes through timestamp.
    timestamp(name, super::convert::date_timestamp(d)?)?.map(|n| to_float(&n)).transpose()
}
