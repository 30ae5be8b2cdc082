//! age: the difference in years, months, days and time, as a calendar counts it.

use super::cal::*;
use super::interval::Interval;
use super::zone::to_local;
use super::{DAY_US, HOUR_US, MINUTE_US};
use crate::CallCtx;
use common::Result;

type F16 = [u8; 16];

/// Symbolic difference of two local timestamps.
fn age_local(a: i64, b: i64) -> Interval {
    let neg = a < b;
    let (hi, lo) = if neg { (b, a) } else { (a, b) };
    let ((d1, t1), (d2, t2)) = (split_ts(hi), split_ts(lo));
    let ((y1, m1, dd1), (y2, m2, dd2)) = (civil_from_days(d1), civil_from_days(d2));
    let (mut us, mut days) = (t1 - t2, dd1 - dd2);
    let mut months = (y1 - y2) * 12 + m1 - m2;
    if us < 0 {
        us += DAY_US;
        days -= 1;
    }
    if days < 0 {
        // Borrows the length of the month the earlier date is in; counting down, of the later one's predecessor.
        days += if neg { month_days(prev(y1, m1).0, prev(y1, m1).1) } else { month_days(y2, m2) };
        months -= 1;
    }
    debug_assert!(us < 24 * HOUR_US && us % MINUTE_US < MINUTE_US);
    let sign = if neg { -1 } else { 1 };
    Interval { us: us * sign, days: (days * sign) as i32, months: (months * sign) as i32 }
}
fn prev(y: i64, m: i64) -> (i64, i64) {
    if m == 1 { (y - 1, 12) } else { (y, m - 1) }
}

fn check(a: i64, b: i64) -> Result<()> {
    if ts_infinite(a) || ts_infinite(b) { Err(ts_range()) } else { Ok(()) }
}
pub fn timestamp_age(a: i64, b: i64) -> Result<F16> {
    Ok(age_local(a, b).pack())
}
pub fn timestamptz_age(c: &CallCtx<'_>, a: i64, b: i64) -> Result<F16> {
    check(a, b)?;
    Ok(age_local(to_local(c.fmt, a), to_local(c.fmt, b)).pack())
}
pub fn timestamp_age1(c: &CallCtx<'_>, t: i64) -> Result<F16> {
    let today = to_local(c.fmt, c.xact_start_us).div_euclid(DAY_US) * DAY_US;
    timestamp_age(today, t)
}
pub fn timestamptz_age1(c: &CallCtx<'_>, t: i64) -> Result<F16> {
    check(t, t)?;
    let today = to_local(c.fmt, c.xact_start_us).div_euclid(DAY_US) * DAY_US;
    Ok(age_local(today, to_local(c.fmt, t)).pack())
}
