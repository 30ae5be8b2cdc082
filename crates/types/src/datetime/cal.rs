//! The proleptic Gregorian calendar: days from 2000-01-01 to year, month, day and back; limits of the types.

use super::DAY_US;
use common::{Error, err};

/// Days from 2000-01-01 of `-infinity` and `infinity`.
pub const DATE_NOBEGIN: i32 = i32::MIN;
pub const DATE_NOEND: i32 = i32::MAX;
/// Timestamps `-infinity` and `infinity`.
pub const TS_NOBEGIN: i64 = i64::MIN;
pub const TS_NOEND: i64 = i64::MAX;
/// 4714-11-24 BC.
pub const MIN_DAY: i64 = -2_451_545;
/// One past 5874897-12-31.
pub const END_DAY: i64 = 2_147_483_494 - 2_451_545;
/// 4714-11-24 00:00:00 BC.
pub const MIN_TS: i64 = -211_813_488_000_000_000;
/// One past 294276-12-31 23:59:59.999999.
pub const END_TS: i64 = 9_223_371_331_200_000_000;
/// Julian day number of 2000-01-01.
pub const JULIAN: i64 = 2_451_545;

/// Days from 2000-01-01; year 0 is 1 BC.
pub fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468 - 10_957
}

/// Year (0 is 1 BC), month, day.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468 + 10_957;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, d)
}

/// Is `y` (0 is 1 BC) a leap year?
pub fn is_leap(y: i64) -> bool {
    y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)
}

/// Days in a month.
pub fn month_days(y: i64, m: i64) -> i64 {
    match m {
        2 => 28 + i64::from(is_leap(y)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Day of week, Sunday 0.
pub fn weekday(days: i64) -> i64 {
    (days + 6).rem_euclid(7)
}

/// ISO 8601 year and week.
pub fn iso_week(days: i64) -> (i64, i64) {
    // The Thursday of a week decides its year.
    let thursday = days - (weekday(days) + 6) % 7 + 3;
    let (y, _, _) = civil_from_days(thursday);
    (y, (thursday - days_from_civil(y, 1, 1)) / 7 + 1)
}

/// Monday of an ISO week.
pub fn iso_week_start(year: i64, week: i64) -> i64 {
    let jan4 = days_from_civil(year, 1, 4);
    jan4 - (weekday(jan4) + 6) % 7 + (week - 1) * 7
}

/// Is a timestamp infinite?
pub fn ts_infinite(ts: i64) -> bool {
    ts == TS_NOBEGIN || ts == TS_NOEND
}
/// Is a date infinite?
pub fn date_infinite(d: i32) -> bool {
    d == DATE_NOBEGIN || d == DATE_NOEND
}
/// Is a finite timestamp within the type's range?
pub fn ts_valid(ts: i64) -> bool {
    (MIN_TS..END_TS).contains(&ts)
}
/// Splits into day and microsecond of the day.
pub fn split_ts(ts: i64) -> (i64, i64) {
    (ts.div_euclid(DAY_US), ts.rem_euclid(DAY_US))
}
/// Joins day and microseconds. `None` out of range.
pub fn join_ts(day: i64, us: i64) -> Option<i64> {
    day.checked_mul(DAY_US)?.checked_add(us).filter(|t| ts_valid(*t))
}

/// 22008.
#[cold]
pub fn ts_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
}
/// 22008.
#[cold]
pub fn date_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
}
/// 22008.
#[cold]
pub fn interval_range() -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        assert_eq!(days_from_civil(2000, 1, 1), 0);
        assert_eq!(days_from_civil(1970, 1, 1), -10_957);
        assert_eq!(weekday(0), 6);
        for d in (-3_000_000..3_000_000).step_by(97) {
            let (y, m, dd) = civil_from_days(d);
            assert_eq!(days_from_civil(y, m, dd), d);
        }
        assert_eq!(days_from_civil(-4713, 11, 24), MIN_DAY);
    }
}
