//! Dates and times of `.datetime()`: ISO forms, and comparison across types.

use super::exec::Fail;
use super::item::Moment;
use crate::FormatSettings;
use crate::datetime::cal::{days_from_civil, join_ts, month_days};
use common::err;
use std::cmp::Ordering;

struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn eat(&mut self, c: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == c).then(|| self.0 = rest)
    }
    /// A number of at most `max` digits.
    fn number(&mut self, max: usize) -> Option<(i64, usize)> {
        let n = self.0.iter().take(max).take_while(|c| c.is_ascii_digit()).count();
        let v = std::str::from_utf8(&self.0[..n]).ok()?.parse().ok()?;
        self.0 = &self.0[n..];
        Some((v, n))
    }
    fn date(&mut self) -> Option<i64> {
        let (y, _) = self.number(4)?;
        self.eat(b'-')?;
        let (m, _) = self.number(2)?;
        self.eat(b'-')?;
        let (d, _) = self.number(2)?;
        ((1..=12).contains(&m) && d >= 1 && d <= month_days(y, m) && y > 0).then(|| days_from_civil(y, m, d))
    }
    fn time(&mut self) -> Option<i64> {
        let (h, _) = self.number(2)?;
        self.eat(b':')?;
        let (m, _) = self.number(2)?;
        self.eat(b':')?;
        let (s, _) = self.number(2)?;
        let mut us = 0;
        if self.eat(b'.').is_some() {
            let (f, n) = self.number(6)?;
            us = f * 10i64.pow(6 - n as u32);
        }
        (h < 24 && m < 60 && s < 60).then_some(((h * 60 + m) * 60 + s) * 1_000_000 + us)
    }
    /// `+h[:m]`, seconds east.
    fn zone(&mut self) -> Option<i32> {
        while self.eat(b' ').is_some() {}
        let sign = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let (h, _) = self.number(2)?;
        let mut east = h * 3600;
        if self.eat(b':').is_some() {
            east += self.number(2)?.0 * 60;
        }
        (h < 16).then_some(sign * east as i32)
    }
}

/// Reads one of the ISO forms.
pub fn parse(s: &str) -> Option<Moment> {
    let mut sc = Scan(s.trim_start_matches(' ').as_bytes());
    let dated = sc.0.iter().take_while(|c| c.is_ascii_digit()).count();
    let is_date = sc.0.get(dated) == Some(&b'-');
    let day = if is_date { Some(sc.date()?) } else { None };
    if let Some(d) = day
        && sc.0.is_empty()
    {
        return i32::try_from(d).ok().map(Moment::Date);
    }
    if day.is_some() && sc.eat(b'T').is_none() {
        sc.eat(b' ')?;
        while sc.eat(b' ').is_some() {}
    }
    let us = sc.time()?;
    let zone = if sc.0.is_empty() { None } else { Some(sc.zone()?) };
    if !sc.0.is_empty() {
        return None;
    }
    Some(match (day, zone) {
        (None, None) => Moment::Time(us),
        (None, Some(z)) => Moment::TimeTz(us, z),
        (Some(d), None) => Moment::Timestamp(join_ts(d, us)?),
        (Some(d), Some(z)) => Moment::TimestampTz(join_ts(d, us)? - i64::from(z) * 1_000_000, z),
    })
}

fn needs_zone(from: &str, to: &str) -> Fail {
    Fail::Hard(
        err!(FEATURE_NOT_SUPPORTED, "cannot convert value from {from} to {to} without time zone usage")
            .hint("Use *_tz() function for time zone support."),
    )
}

/// Compares; `None` where a date meets a time. 0A000 where the session's zone would decide and may not.
pub fn compare(
    fmt: &FormatSettings,
    a: Moment,
    b: Moment,
    use_tz: bool,
) -> std::result::Result<Option<Ordering>, Fail> {
    use Moment::*;
    let ts = |d: i32| i64::from(d).saturating_mul(86_400_000_000);
    let zoned = |local: i64, from: Moment| -> std::result::Result<i64, Fail> {
        if use_tz {
            Ok(crate::datetime::to_utc(&fmt.timezone, local))
        } else {
            Err(needs_zone(from.short_name(), "timestamptz"))
        }
    };
    // Seconds of the session's zone do not matter between times: they are compared in Greenwich.
    let timetz = |t: i64, east: i32| (t - i64::from(east) * 1_000_000, -east);
    let plain_time = |t: i64| -> std::result::Result<(i64, i32), Fail> {
        if !use_tz {
            return Err(needs_zone("time", "timetz"));
        }
        let now = crate::datetime::clock_us();
        Ok(timetz(t, crate::datetime::offset_at(&fmt.timezone, now).0))
    };
    Ok(match (a, b) {
        (Date(x), Date(y)) => Some(x.cmp(&y)),
        (Date(x), Timestamp(y)) => Some(ts(x).cmp(&y)),
        (Timestamp(x), Date(y)) => Some(x.cmp(&ts(y))),
        (Timestamp(x), Timestamp(y)) => Some(x.cmp(&y)),
        (Date(x), TimestampTz(y, _)) => Some(zoned(ts(x), a)?.cmp(&y)),
        (TimestampTz(x, _), Date(y)) => Some(x.cmp(&zoned(ts(y), b)?)),
        (Timestamp(x), TimestampTz(y, _)) => Some(zoned(x, a)?.cmp(&y)),
        (TimestampTz(x, _), Timestamp(y)) => Some(x.cmp(&zoned(y, b)?)),
        (TimestampTz(x, _), TimestampTz(y, _)) => Some(x.cmp(&y)),
        (Time(x), Time(y)) => Some(x.cmp(&y)),
        (TimeTz(x, zx), TimeTz(y, zy)) => Some(timetz(x, zx).cmp(&timetz(y, zy))),
        (Time(x), TimeTz(y, z)) => Some(plain_time(x)?.cmp(&timetz(y, z))),
        (TimeTz(x, z), Time(y)) => Some(timetz(x, z).cmp(&plain_time(y)?)),
        _ => None,
    })
}
