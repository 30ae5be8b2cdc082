//! to_char over timestamps and intervals.

use super::cal::*;
use super::extract::century;
use super::fields::{DAYS, MONTHS};
use super::interval::Interval;
use super::template::{Case, Key, Node, parse};
use super::zone::offset_at;
use super::{HOUR_US, MINUTE_US, SECOND_US};
use crate::CallCtx;
use common::{Result, err};

/// Broken-down time.
#[derive(Default)]
struct Tm {
    year: i64,
    month: i64,
    day: i64,
    doy: i64,
    wday: i64,
    days: i64,
    hour: i64,
    minute: i64,
    second: i64,
    us: i64,
    zone: Option<(i32, String)>,
    interval: bool,
}

const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

fn cased(s: &str, case: Case) -> String {
    match case {
        Case::Upper => s.to_ascii_uppercase(),
        Case::Title => s.to_string(),
        Case::Lower => s.to_ascii_lowercase(),
    }
}

/// `st`, `nd`, `rd` or `th` for a number.
pub fn ordinal_suffix(digits: &str, case: Case) -> String {
    let b: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    let teen = b.len() > 1 && b[b.len() - 2] == b'1';
    let s = match b.last() {
        Some(b'1') if !teen => "st",
        Some(b'2') if !teen => "nd",
        Some(b'3') if !teen => "rd",
        _ => "th",
    };
    cased(s, case)
}

impl Tm {
    fn shown_year(&self) -> i64 {
        if self.interval || self.year > 0 { self.year } else { 1 - self.year }
    }
    fn iso_year(&self) -> i64 {
        let y = iso_week(self.days).0;
        if self.interval || y > 0 { y } else { 1 - y }
    }

    /// Number, and the digits it is padded to.
    fn number(&self, key: Key) -> Option<(i64, usize)> {
        let hour12 = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        let tail = |y: i64, n: u8| match n {
            4 => (y, 4),
            3 => (y % 1000, 3),
            2 => (y % 100, 2),
            _ => (y % 10, 1),
        };
        Some(match key {
            Key::Hour12 => (hour12, 2),
            Key::Hour24 => (self.hour, 2),
            Key::Minute => (self.minute, 2),
            Key::Second => (self.second, 2),
            Key::Month => (self.month, 2),
            Key::DayOfMonth => (self.day, 2),
            Key::DayOfYear => (self.doy, 3),
            Key::IsoDayOfYear => {
                let (y, _) = iso_week(self.days);
                (self.days - iso_week_start(y, 1) + 1, 3)
            }
            Key::DayOfWeek => (self.wday + 1, 1),
            Key::IsoDayOfWeek => (if self.wday == 0 { 7 } else { self.wday }, 1),
            Key::WeekOfYear => ((self.doy - 1) / 7 + 1, 2),
            Key::IsoWeek => (iso_week(self.days).1, 2),
            Key::WeekOfMonth => ((self.day - 1) / 7 + 1, 1),
            Key::Quarter if self.month == 0 => return None,
            Key::Quarter => ((self.month - 1) / 3 + 1, 1),
            Key::Julian => (self.days + JULIAN, 1),
            Key::SecondOfDay => ((self.hour * 60 + self.minute) * 60 + self.second, 1),
            Key::Century => {
                let c = if self.interval { self.year / 100 } else { century(self.year) };
                (c, if c.abs() <= 99 { 2 } else { 1 })
            }
            Key::Year(n) => tail(self.shown_year(), n),
            Key::IsoYear(n) => tail(self.iso_year(), n),
            _ => return None,
        })
    }

    fn field(&self, key: Key, case: Case, dots: bool, fill: bool, ordinal: Option<Case>) -> Result<String> {
        if self.interval
            && matches!(
                key,
                Key::MonthName
                    | Key::MonthShort
                    | Key::DayName
                    | Key::DayShort
                    | Key::DayOfWeek
                    | Key::IsoDayOfWeek
                    | Key::Era
                    | Key::Zone
                    | Key::ZoneHour
                    | Key::ZoneMinute
                    | Key::Offset
            )
        {
            return Err(err!(INVALID_DATETIME_FORMAT, "invalid format specification for an interval value")
                .hint("Intervals are not tied to specific calendar dates."));
        }
        if let Some((v, width)) = self.number(key) {
            let grows = matches!(
                key,
                Key::Hour12 | Key::Hour24 | Key::Minute | Key::Second | Key::Month | Key::Century
            );
            let negative = match key {
                Key::Year(_) | Key::IsoYear(_) => self.shown_year() < 0,
                _ => v < 0 && grows,
            };
            let width = if fill { 0 } else { width + usize::from(negative) };
            let mut s = format!("{v:0width$}");
            if let Some(c) = ordinal {
                s.push_str(&ordinal_suffix(&s, c));
            }
            return Ok(s);
        }
        let padded = |s: String, width: usize| if fill { s } else { format!("{s:<width$}") };
        Ok(match key {
            Key::Era | Key::Meridian => {
                let first = if key == Key::Era { self.year <= 0 } else { self.hour % 24 < 12 };
                let word = match (key == Key::Era, first) {
                    (true, true) => "BC",
                    (true, false) => "AD",
                    (false, true) => "AM",
                    (false, false) => "PM",
                };
                let word = if dots { format!("{}.{}.", &word[..1], &word[1..]) } else { word.to_string() };
                cased(&word, case)
            }
            Key::MonthName | Key::MonthShort if self.month == 0 => String::new(),
            Key::MonthName => padded(cased(MONTHS[self.month as usize - 1], case), 9),
            Key::MonthShort => cased(&MONTHS[self.month as usize - 1][..3], case),
            Key::DayName => padded(cased(DAYS[self.wday as usize], case), 9),
            Key::DayShort => cased(&DAYS[self.wday as usize][..3], case),
            Key::Roman if self.month == 0 && self.year == 0 => String::new(),
            Key::Roman => {
                let m = match self.month {
                    0 if self.year < 0 => 1,
                    0 => 12,
                    m if m < 0 => 13 + m,
                    m => m,
                };
                padded(cased(ROMAN[m as usize - 1], case), 4)
            }
            Key::Millisecond => self.with_ordinal(format!("{:03}", self.us / 1000), ordinal),
            Key::Microsecond => self.with_ordinal(format!("{:06}", self.us), ordinal),
            Key::Fraction(n) => {
                let v = self.us / 10i64.pow(6 - u32::from(n));
                self.with_ordinal(format!("{v:0width$}", width = usize::from(n)), ordinal)
            }
            Key::YearComma => {
                let y = self.shown_year();
                self.with_ordinal(format!("{},{:03}", y / 1000, y % 1000), ordinal)
            }
            Key::Zone => match &self.zone {
                Some((_, name)) => cased(name, if case == Case::Lower { case } else { Case::Title }),
                None => String::new(),
            },
            Key::ZoneHour => {
                let east = self.zone.as_ref().map_or(0, |z| z.0);
                format!("{}{:02}", if east < 0 { '-' } else { '+' }, east.abs() / 3600)
            }
            Key::ZoneMinute => {
                let east = self.zone.as_ref().map_or(0, |z| z.0);
                format!("{:02}", east.abs() / 60 % 60)
            }
            Key::Offset => {
                let east = self.zone.as_ref().map_or(0, |z| z.0);
                let width = if fill { 0 } else { 2 };
                let mut s = format!("{}{:0width$}", if east < 0 { '-' } else { '+' }, east.abs() / 3600);
                if east.abs() / 60 % 60 != 0 {
                    s.push_str(&format!(":{:02}", east.abs() / 60 % 60));
                }
                s
            }
            _ => String::new(),
        })
    }

    fn with_ordinal(&self, mut s: String, ordinal: Option<Case>) -> String {
        if let Some(c) = ordinal {
            s.push_str(&ordinal_suffix(&s, c));
        }
        s
    }

    fn write(&self, format: &str, out: &mut Vec<u8>) -> Result<()> {
        for node in parse(format) {
            match node {
                Node::Text { text, .. } => out.extend_from_slice(text.as_bytes()),
                Node::Field { key, case, dots, fill, local, ordinal, .. } => {
                    let named = matches!(key, Key::MonthName | Key::DayName);
                    let fill = fill || local && named;
                    out.extend_from_slice(self.field(key, case, dots, fill, ordinal)?.as_bytes());
                }
            }
        }
        Ok(())
    }
}

fn from_local(ts: i64, zone: Option<(i32, String)>) -> Tm {
    let (days, us) = split_ts(ts);
    let (year, month, day) = civil_from_days(days);
    Tm {
        year,
        month,
        day,
        doy: days - days_from_civil(year, 1, 1) + 1,
        wday: weekday(days),
        days,
        hour: us / HOUR_US,
        minute: us / MINUTE_US % 60,
        second: us / SECOND_US % 60,
        us: us % SECOND_US,
        zone,
        interval: false,
    }
}

pub fn timestamp_to_char(ts: i64, format: &str, out: &mut Vec<u8>) -> Result<bool> {
    if format.is_empty() || ts_infinite(ts) {
        return Ok(false);
    }
    from_local(ts, None).write(format, out).map(|()| true)
}
pub fn timestamptz_to_char(c: &CallCtx<'_>, ts: i64, format: &str, out: &mut Vec<u8>) -> Result<bool> {
    if format.is_empty() || ts_infinite(ts) {
        return Ok(false);
    }
    let (east, _, name) = offset_at(&c.fmt.timezone, ts);
    from_local(ts + i64::from(east) * SECOND_US, Some((east, name))).write(format, out).map(|()| true)
}
/// The day number PostgreSQL's calendar formula gives for an interval's fields, whose month may be 0 or negative.
fn interval_day(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 { (year + 4800, month + 1) } else { (year + 4799, month + 13) };
    let century = y / 100;
    let julian = y * 365 - 32167 + y / 4 - century + century / 4 + 7834 * m / 256 + day;
    julian - JULIAN
}

pub fn interval_to_char(v: [u8; 16], format: &str, out: &mut Vec<u8>) -> Result<bool> {
    if format.is_empty() {
        return Ok(false);
    }
    let v = Interval::unpack(v);
    let (hour, minute, second, us) = v.hms();
    let (year, month, day) = (i64::from(v.months / 12), i64::from(v.months % 12), i64::from(v.days));
    let doy = (year * 12 + month) * 30 + day;
    let tm = Tm {
        year,
        month,
        day,
        doy,
        days: interval_day(year, month, day),
        hour,
        minute,
        second,
        us,
        interval: true,
        ..Tm::default()
    };
    tm.write(format, out).map(|()| true)
}
