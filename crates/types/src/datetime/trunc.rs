//! date_trunc and date_bin.

use super::cal::*;
use super::extract::{Field, field_by_name, not_recognized, not_supported};
use super::interval::Interval;
use super::zone::{Zone, zone_argument};
use super::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use crate::CallCtx;
use common::{Result, bail};

type F16 = [u8; 16];

fn trunc_local(f: Field, t: i64) -> Option<i64> {
    let (day, us) = split_ts(t);
    let (y, m, _) = civil_from_days(day);
    let date = |y: i64, m: i64| days_from_civil(y, m, 1).checked_mul(DAY_US);
    match f {
        Field::Microseconds => Some(t),
        Field::Milliseconds => Some(t - us % 1000),
        Field::Second => Some(t - us % SECOND_US),
        Field::Minute => Some(t - us % MINUTE_US),
        Field::Hour => Some(t - us % HOUR_US),
        Field::Day => Some(t - us),
        Field::Week => Some((day - (weekday(day) + 6) % 7) * DAY_US),
        Field::Month => date(y, m),
        Field::Quarter => date(y, (m - 1) / 3 * 3 + 1),
        Field::Year => date(y, 1),
        // Decades start at years that ten divides, centuries and millennia a year later; there is no year 0.
        Field::Decade => date(y.div_euclid(10) * 10, 1),
        Field::Century => date((y - 1).div_euclid(100) * 100 + 1, 1),
        Field::Millennium => date((y - 1).div_euclid(1000) * 1000 + 1, 1),
        _ => None,
    }
}

const TS: &str = "timestamp without time zone";
const TZ: &str = "timestamp with time zone";

fn unit(name: &str, type_name: &str) -> Result<Field> {
    let reserved = [Field::Dow, Field::IsoDow, Field::Doy, Field::IsoYear, Field::Julian, Field::Epoch];
    field_by_name(name).filter(|f| !reserved.contains(f)).ok_or_else(|| not_recognized(name, type_name))
}

pub fn timestamp_trunc(name: &str, t: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    let f = unit(name, TS)?;
    trunc_local(f, t).ok_or_else(|| not_supported(name, TS))
}

fn trunc_zone(name: &str, t: i64, zone: &Zone) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    let f = unit(name, TZ)?;
    let east = i64::from(zone.at_utc(t)) * SECOND_US;
    let r = trunc_local(f, t + east).ok_or_else(|| not_supported(name, TZ))?;
    // Below a day the offset in force stays; from a day on the start has its own.
    let fine =
        matches!(f, Field::Microseconds | Field::Milliseconds | Field::Second | Field::Minute | Field::Hour);
    let east = if fine { east } else { i64::from(zone.at_local(r)) * SECOND_US };
    Some(r - east).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}
pub fn timestamptz_trunc(c: &CallCtx<'_>, name: &str, t: i64) -> Result<i64> {
    trunc_zone(name, t, &Zone::Named(c.fmt.timezone.clone()))
}
pub fn timestamptz_trunc_zone(name: &str, t: i64, zone: &str) -> Result<i64> {
    trunc_zone(name, t, &zone_argument(zone)?)
}

pub fn interval_trunc(name: &str, v: F16) -> Result<F16> {
    let mut v = Interval::unpack(v);
    let f = unit(name, "interval")?;
    let years = |v: Interval, n: i32| Interval { months: v.months / (12 * n) * (12 * n), days: 0, us: 0 };
    v = match f {
        Field::Microseconds => v,
        Field::Milliseconds => Interval { us: v.us / 1000 * 1000, ..v },
        Field::Second => Interval { us: v.us / SECOND_US * SECOND_US, ..v },
        Field::Minute => Interval { us: v.us / MINUTE_US * MINUTE_US, ..v },
        Field::Hour => Interval { us: v.us / HOUR_US * HOUR_US, ..v },
        Field::Day => Interval { us: 0, ..v },
        Field::Month => Interval { us: 0, days: 0, ..v },
        Field::Quarter => Interval { us: 0, days: 0, months: v.months / 3 * 3 },
        Field::Year => years(v, 1),
        Field::Decade => years(v, 10),
        Field::Century => years(v, 100),
        Field::Millennium => years(v, 1000),
        Field::Week => {
            return Err(not_supported(name, "interval").detail("Months usually have fractional weeks."));
        }
        _ => return Err(not_supported(name, "interval")),
    };
    Ok(v.pack())
}

pub fn timestamp_bin(stride: F16, t: i64, origin: i64) -> Result<i64> {
    if ts_infinite(t) {
        return Ok(t);
    }
    if ts_infinite(origin) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "origin out of range");
    }
    let stride = Interval::unpack(stride);
    if stride.months != 0 {
        bail!(FEATURE_NOT_SUPPORTED, "timestamps cannot be binned into intervals containing months or years");
    }
    let step = i64::from(stride.days).checked_mul(DAY_US).and_then(|d| d.checked_add(stride.us));
    let step = step.ok_or_else(interval_range)?;
    if step <= 0 {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "stride must be greater than zero");
    }
    let diff = t.checked_sub(origin).ok_or_else(interval_range)?;
    Ok(origin + diff.div_euclid(step) * step)
}
