//! Reads intervals: numbers with units, SQL year-month and day-time forms, ISO 8601 durations.

use super::cal::interval_range;
use super::fields::fraction_us;
use super::interval::Interval;
use super::typmod::{self, range};
use super::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use crate::wire::bad_input;
use common::{Error, Result, err};

/// Units, coarse to fine; the discriminant is the bit of "already given".
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Unit {
    Microsecond,
    Millisecond,
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
}

/// Unit of a word.
pub fn unit_by_name(w: &str) -> Option<Unit> {
    Some(match w.to_ascii_lowercase().as_str() {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" | "microsecon" => {
            Unit::Microsecond
        }
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" | "millisecon" => {
            Unit::Millisecond
        }
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennium" | "millennia" => Unit::Millennium,
        _ => return None,
    })
}

#[derive(Debug)]
enum Token {
    Number { neg: bool, int: String, frac: String },
    Time { neg: bool, text: String },
    YearMonth { neg: bool, years: String, months: String },
    Word(String),
}

fn tokenize(s: &str) -> Option<Vec<Token>> {
    let b = s.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    let digits = |mut j: usize| {
        while b.get(j).is_some_and(u8::is_ascii_digit) {
            j += 1;
        }
        j
    };
    while i < b.len() {
        let c = b[i];
        let ignored = c.is_ascii_punctuation() && !matches!(c, b'+' | b'-' | b'.');
        if c.is_ascii_whitespace() || ignored {
            i += 1;
        } else if c.is_ascii_alphabetic() {
            let start = i;
            while b.get(i).is_some_and(u8::is_ascii_alphabetic) {
                i += 1;
            }
            let word = s[start..i].to_ascii_lowercase();
            // What is glued to a word makes it something else, but for a number behind a word of dates.
            match b.get(i) {
                Some(b'-' | b'/' | b'.') => return None,
                Some(c) if (*c == b'+' || c.is_ascii_digit()) && !super::parse::is_keyword(&word) => {
                    return None;
                }
                _ => out.push(Token::Word(word)),
            }
        } else if c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.') {
            let neg = c == b'-';
            if matches!(c, b'+' | b'-') {
                i += 1;
                while b.get(i).is_some_and(u8::is_ascii_whitespace) {
                    i += 1;
                }
            }
            let start = i;
            i = digits(i);
            if b.get(i) == Some(&b':') {
                while b.get(i).is_some_and(|c| c.is_ascii_digit() || matches!(c, b':' | b'.')) {
                    i += 1;
                }
                let text = s[start..i].strip_suffix(':').unwrap_or(&s[start..i]);
                out.push(Token::Time { neg, text: text.into() });
            } else if b.get(i) == Some(&b'-') && i > start && b.get(i + 1).is_some_and(u8::is_ascii_digit) {
                let years = s[start..i].to_string();
                let from = i + 1;
                i = digits(from);
                if b.get(i) == Some(&b'-') {
                    return None;
                }
                out.push(Token::YearMonth { neg, years, months: s[from..i].into() });
            } else {
                let int = s[start..i].to_string();
                let mut frac = String::new();
                if b.get(i) == Some(&b'.') {
                    let from = i + 1;
                    i = digits(from);
                    frac = s[from..i].into();
                    let glued = |c: &u8| *c == b'.' || i == from && c.is_ascii_alphanumeric();
                    if b.get(i).is_some_and(glued) {
                        return None;
                    }
                }
                if int.is_empty() && frac.is_empty() {
                    return None;
                }
                out.push(Token::Number { neg, int, frac });
            }
        } else {
            return None;
        }
    }
    Some(out)
}

#[cold]
fn field_range(text: &str) -> Error {
    err!(INTERVAL_FIELD_OVERFLOW, "interval field value out of range: \"{}\"", text)
}

/// Sums up an interval in wide fields.
#[derive(Default)]
struct Acc {
    us: i128,
    days: i64,
    months: i64,
}

impl Acc {
    /// Adds `v + frac` units; fractions run over into the finer parts.
    fn add(&mut self, unit: Unit, v: i64, frac: f64) {
        let us = |n: i64| i128::from(v) * i128::from(n) + (frac * n as f64).round_ties_even() as i128;
        match unit {
            Unit::Microsecond => self.us += i128::from(v) + frac.round_ties_even() as i128,
            Unit::Millisecond => self.us += us(1000),
            Unit::Second => self.us += us(SECOND_US),
            Unit::Minute => self.us += us(MINUTE_US),
            Unit::Hour => self.us += us(HOUR_US),
            Unit::Day => {
                self.days += v;
                self.us += (frac * DAY_US as f64).round_ties_even() as i128;
            }
            Unit::Week => {
                self.days += v * 7;
                self.frac_days(frac, 7.0);
            }
            Unit::Month => {
                self.months += v;
                self.frac_days(frac, 30.0);
            }
            Unit::Quarter => {
                self.months += v * 3;
                self.frac_days(frac, 90.0);
            }
            Unit::Year => self.years(v, frac, 1),
            Unit::Decade => self.years(v, frac, 10),
            Unit::Century => self.years(v, frac, 100),
            Unit::Millennium => self.years(v, frac, 1000),
        }
    }
    fn years(&mut self, v: i64, frac: f64, n: i64) {
        self.months += v.saturating_mul(12 * n);
        self.months += (frac * 12.0 * n as f64).round_ties_even() as i64;
    }
    fn frac_days(&mut self, frac: f64, n: f64) {
        let d = frac * n;
        self.days += d as i64;
        self.us += ((d - d.trunc()) * DAY_US as f64).round_ties_even() as i128;
    }
    fn finish(self, text: &str) -> Result<Interval> {
        match (i64::try_from(self.us), i32::try_from(self.days), i32::try_from(self.months)) {
            (Ok(us), Ok(days), Ok(months)) => Ok(Interval { us, days, months }),
            (Ok(_), _, Err(_)) => Err(interval_range()),
            _ => Err(field_range(text)),
        }
    }
}

fn small(s: &str, text: &str) -> Result<i64> {
    if s.is_empty() {
        return Ok(0);
    }
    s.parse::<i64>().map_err(|_| field_range(text))
}

fn fraction(s: &str) -> f64 {
    if s.is_empty() { 0.0 } else { format!("0.{s}").parse().unwrap_or(0.0) }
}

/// `H:M[:S[.f]]` as microseconds; one colon means minutes and seconds in an interval minute to second.
fn parse_time(t: &str, minute_first: bool, text: &str) -> Result<i64> {
    let bad = || bad_input_interval(text);
    let parts: Vec<&str> = t.split(':').collect();
    let num = |p: &str| -> Result<i64> {
        if p.is_empty() { Err(bad()) } else { p.parse().map_err(|_| field_range(text)) }
    };
    let sec = |p: &str| -> Result<(i64, i64)> {
        let (i, f) = p.split_once('.').unwrap_or((p, ""));
        Ok((num(i)?, fraction_us(f)))
    };
    let (h, m, (s, us)) = match parts[..] {
        [m, s] if minute_first || s.contains('.') => (0, num(m)?, sec(s)?),
        [h, m] => (num(h)?, num(m)?, (0, 0)),
        [h, m, s] => (num(h)?, num(m)?, sec(s)?),
        _ => return Err(bad()),
    };
    if m > 59 || s > 60 {
        return Err(field_range(text));
    }
    h.checked_mul(HOUR_US)
        .and_then(|v| v.checked_add(m * MINUTE_US + s * SECOND_US + us))
        .ok_or_else(|| field_range(text))
}

#[cold]
fn bad_input_interval(text: &str) -> Error {
    let mut e = bad_input("interval", text);
    e.report_mut().sqlstate = common::SqlState::INVALID_DATETIME_FORMAT;
    e
}

/// Unit of a number without one, by the declared fields.
fn default_unit(range: i32) -> Unit {
    if range & typmod::SECOND != 0 {
        Unit::Second
    } else if range & typmod::MINUTE != 0 {
        Unit::Minute
    } else if range & typmod::HOUR != 0 {
        Unit::Hour
    } else if range & typmod::DAY != 0 {
        Unit::Day
    } else if range & typmod::MONTH != 0 {
        Unit::Month
    } else if range & typmod::YEAR != 0 {
        Unit::Year
    } else {
        Unit::Second
    }
}

/// Reads an interval. 22007, 22015.
///
/// `sql_standard`: a minus sign in front is for all fields, if there is no other sign.
pub fn parse_interval(text: &str, typmod: i32, sql_standard: bool) -> Result<Interval> {
    let t = text.trim();
    if t.starts_with('P') {
        return typmod::apply_interval(iso8601(t, text)?, typmod);
    }
    let tokens = tokenize(t).filter(|t| !t.is_empty()).ok_or_else(|| bad_input_interval(text))?;
    let range = if typmod < 0 { typmod::FULL_RANGE } else { range(typmod) };
    let signs = t.split_ascii_whitespace().filter(|w| w.starts_with(['+', '-'])).count();
    let all_negative = sql_standard && signs == 1 && t.starts_with('-');
    let mut acc = Acc::default();
    let mut seen = 0u32;
    let mut ago = false;
    let mut unit: Option<Unit> = None;
    let mut mark = |u: u32| {
        let dup = seen & u != 0;
        seen |= u;
        if dup { Err(bad_input_interval(text)) } else { Ok(()) }
    };
    // Right to left: a unit comes before its number that way.
    for (i, token) in tokens.iter().enumerate().rev() {
        match token {
            // A number needs its unit right behind it.
            Token::Word(w) if w == "ago" => {
                let number = i.checked_sub(1).is_some_and(|p| matches!(tokens[p], Token::Number { .. }));
                if number || tokens.iter().all(|t| matches!(t, Token::Word(_))) {
                    return Err(bad_input_interval(text));
                }
                ago = true;
            }
            Token::Word(w) => match unit_by_name(w) {
                Some(u)
                    if u != Unit::Quarter
                        && matches!(i.checked_sub(1).map(|p| &tokens[p]), Some(Token::Number { .. })) =>
                {
                    unit = Some(u);
                }
                _ => return Err(bad_input_interval(text)),
            },
            Token::Time { neg, text: t } => {
                mark(0b11100)?;
                let minute_first = range == (typmod::MINUTE | typmod::SECOND);
                let us = parse_time(t, minute_first, text)?;
                acc.us += i128::from(if *neg || all_negative { -us } else { us });
                unit = Some(Unit::Day);
            }
            Token::YearMonth { neg, years, months } => {
                mark(1 << Unit::Year as u32 | 1 << Unit::Month as u32)?;
                let (y, m) = (small(years, text)?, small(months, text)?);
                if m > 11 {
                    return Err(field_range(text));
                }
                let total = y.saturating_mul(12).saturating_add(m);
                acc.months += if *neg || all_negative { -total } else { total };
                unit = Some(Unit::Day);
            }
            Token::Number { neg, int, frac } => {
                let u = unit.take().unwrap_or_else(|| default_unit(range));
                mark(1 << u as u32)?;
                // What stands before hours are days.
                unit = Some(if u == Unit::Hour { Unit::Day } else { u });
                let neg = *neg || all_negative;
                let (v, f) = (small(int, text)?, fraction(frac));
                let coarse = !matches!(
                    u,
                    Unit::Microsecond | Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour
                );
                if coarse && v > i64::from(i32::MAX) + i64::from(neg) {
                    return Err(field_range(text));
                }
                if matches!(u, Unit::Second) && !frac.is_empty() {
                    let us = i128::from(v) * i128::from(SECOND_US) + i128::from(fraction_us(frac));
                    acc.us += if neg { -us } else { us };
                } else if neg {
                    acc.add(u, -v, -f);
                } else {
                    acc.add(u, v, f);
                }
            }
        }
    }
    let r = acc.finish(text)?;
    let r = if ago { r.negate().map_err(|_| field_range(text))? } else { r };
    typmod::apply_interval(r, typmod)
}

/// `P1Y2M3W4DT5H6M7.8S` and `P0001-02-03T04:05:06`.
fn iso8601(t: &str, text: &str) -> Result<Interval> {
    let bad = || bad_input_interval(text);
    let mut acc = Acc::default();
    let mut rest = &t[1..];
    let mut time = false;
    if rest.is_empty() {
        return Err(bad());
    }
    let (mut any, mut any_time) = (false, false);
    while !rest.is_empty() {
        if let Some(r) = rest.strip_prefix('T') {
            if time {
                return Err(bad());
            }
            time = true;
            rest = r;
            any = true;
            if rest.contains(':') {
                let (neg, body) = rest.strip_prefix('-').map_or((false, rest), |b| (true, b));
                let us = parse_time(body, false, text)?;
                acc.us += i128::from(if neg { -us } else { us });
                return acc.finish(text);
            }
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let number = &rest[..end];
        if !time && number.trim_start_matches('-').contains('-') {
            let parts: Vec<&str> = number.split('-').collect();
            let mut parts = parts.into_iter();
            for unit in [Unit::Year, Unit::Month, Unit::Day] {
                let (neg, p) = match parts.next() {
                    Some("") => (true, parts.next()),
                    p => (false, p),
                };
                match p {
                    Some(p) if !any && !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit()) => {
                        let v = small(p, text)?;
                        acc.add(unit, if neg { -v } else { v }, 0.0);
                    }
                    None if !neg => {}
                    _ => return Err(bad()),
                }
            }
            if parts.next().is_some() {
                return Err(bad());
            }
            rest = &rest[end..];
            any = true;
            continue;
        }
        let designator = match rest[end..].chars().next() {
            // The first number without a letter: years, or hours.
            None | Some('T') if !time && !any => '1',
            None if time && rest.len() == end && !any_time => '2',
            Some(c) => c,
            None => return Err(bad()),
        };
        let (neg, body) = number.strip_prefix('-').map_or((false, number), |b| (true, b));
        let (int, frac) = body.split_once(['.', ',']).unwrap_or((body, ""));
        if (int.is_empty() && frac.is_empty())
            || !body.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b','))
        {
            return Err(bad());
        }
        let unit = match (designator, time) {
            ('Y', false) => Unit::Year,
            ('M', false) => Unit::Month,
            ('W', false) => Unit::Week,
            ('D', false) => Unit::Day,
            ('H', true) => Unit::Hour,
            ('M', true) => Unit::Minute,
            ('S', true) => Unit::Second,
            ('1', _) => Unit::Year,
            ('2', _) => Unit::Hour,
            _ => return Err(bad()),
        };
        let (v, f) = (small(int, text)?, fraction(frac));
        let sign = if neg { -1 } else { 1 };
        match (designator, int.len()) {
            // yyyymmdd and hhmmss
            ('1', 8) => {
                acc.add(Unit::Year, sign * (v / 10_000), 0.0);
                acc.add(Unit::Month, sign * (v / 100 % 100), 0.0);
                acc.add(Unit::Day, sign * (v % 100), f * sign as f64);
            }
            ('2', 6) => {
                acc.add(Unit::Hour, sign * (v / 10_000), 0.0);
                acc.add(Unit::Minute, sign * (v / 100 % 100), 0.0);
                acc.add(Unit::Second, sign * (v % 100), f * sign as f64);
            }
            _ => acc.add(unit, sign * v, f * sign as f64),
        }
        any = true;
        any_time |= time;
        rest = if matches!(designator, '1' | '2') { &rest[end..] } else { &rest[end + 1..] };
    }
    if !any {
        return Err(bad());
    }
    acc.finish(text)
}

/// Sum that must fit, for callers that build intervals from parts. 22008.
pub fn checked(us: i128, days: i64, months: i64) -> Result<Interval> {
    match (i64::try_from(us), i32::try_from(days), i32::try_from(months)) {
        (Ok(us), Ok(days), Ok(months)) => Ok(Interval { us, days, months }),
        _ => Err(interval_range()),
    }
}
