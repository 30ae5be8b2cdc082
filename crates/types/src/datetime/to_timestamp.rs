//! to_date and to_timestamp: reads text by a template.

use super::SECOND_US;
use super::cal::*;
use super::fields::{DAYS, MONTHS};
use super::parse::field_range;
use super::template::{Case, Key, Node, parse};
use super::zone::to_utc;
use crate::CallCtx;
use common::{Error, Result, err};

#[derive(Default)]
struct Got {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    doy: Option<i64>,
    century: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    iso_doy: Option<i64>,
    week: Option<i64>,
    week_of_month: Option<i64>,
    julian: Option<i64>,
    bc: bool,
    hour: i64,
    hour12: bool,
    pm: Option<bool>,
    minute: i64,
    second: i64,
    us: i64,
    second_of_day: Option<i64>,
    zone: Option<i32>,
    zone_sign: i32,
    /// The text ended before the template.
    short: bool,
}

struct Scanner<'a> {
    s: &'a str,
    fx: bool,
}

fn invalid(value: &str, field: &str) -> Error {
    err!(INVALID_DATETIME_FORMAT, "invalid value \"{}\" for \"{}\"", value, field)
}

impl<'a> Scanner<'a> {
    fn skip_spaces(&mut self) {
        self.s = self.s.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }
    /// An integer of at most `len` characters (`None`: any), sign included.
    fn int(&mut self, len: Option<usize>, field: &str) -> Result<i64> {
        self.skip_spaces();
        let mut end = 0;
        let limit = len.unwrap_or(usize::MAX);
        for (i, c) in self.s.char_indices() {
            let sign = i == 0 && matches!(c, '+' | '-');
            if i >= limit || !(sign || c.is_ascii_digit()) {
                break;
            }
            end = i + 1;
        }
        let digits = self.s[..end].trim_start_matches(['+', '-']).len();
        if let Some(n) = len
            && self.fx
            && self.s.len() < n
        {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "source string too short for \"{}\" formatting field",
                field
            )
            .detail(format!("Field requires {n} characters, but only {} remain.", self.s.len()))
            .hint("If your source string is not fixed-width, try using the \"FM\" modifier."));
        }
        if digits == 0 {
            let shown: String = self.s.chars().take(limit.min(self.s.len())).collect();
            return Err(invalid(&shown, field).detail("Value must be an integer."));
        }
        let text = &self.s[..end];
        let v = text.parse::<i32>().map_err(|_| {
            err!(DATETIME_FIELD_OVERFLOW, "value for \"{}\" in source string is out of range", field)
                .detail("Value must be in the range -2147483648 to 2147483647.")
        })?;
        self.s = &self.s[end..];
        Ok(i64::from(v))
    }
    /// One of the words, any case; the longest that fits.
    fn word(&mut self, words: &[&str], field: &str) -> Result<usize> {
        self.skip_spaces();
        let hit = words
            .iter()
            .enumerate()
            .filter(|(_, w)| {
                self.s.len() >= w.len()
                    && self.s.is_char_boundary(w.len())
                    && self.s[..w.len()].eq_ignore_ascii_case(w)
            })
            .max_by_key(|(_, w)| w.len());
        match hit {
            Some((i, w)) => {
                self.s = &self.s[w.len()..];
                Ok(i)
            }
            None => {
                let shown: String = self.s.chars().take_while(|c| !c.is_ascii_whitespace()).collect();
                Err(invalid(&shown, field)
                    .detail("The given value did not match any of the allowed values for this field."))
            }
        }
    }
}

fn is_separator(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !c.is_ascii_control()
}

/// Set once; a second, different value is an error.
fn put(slot: &mut Option<i64>, v: i64, field: &str) -> Result<()> {
    if slot.is_some_and(|o| o != v) {
        return Err(err!(
            INVALID_DATETIME_FORMAT,
            "conflicting values for \"{}\" field in formatting string",
            field
        )
        .detail("This value contradicts a previous setting for the same field type."));
    }
    *slot = Some(v);
    Ok(())
}

/// Year of fewer than four digits: towards 2020.
fn near(v: i64, digits: usize) -> i64 {
    match digits {
        1 | 2 if (0..70).contains(&v) => v + 2000,
        1 | 2 if v < 100 => v + 1900,
        3 if (100..520).contains(&v) => v + 2000,
        3 if (520..1000).contains(&v) => v + 1000,
        3 if v < 100 => near(v, 2),
        _ => v,
    }
}

fn scan(text: &str, format: &str) -> Result<Got> {
    scan_rest(text, format).map(|(g, _)| g)
}

/// As [`scan`], with what is left of the text and whether the template ran out of it.
fn scan_rest<'a>(text: &'a str, format: &str) -> Result<(Got, &'a str)> {
    let nodes = parse(format);
    let mut g = Got::default();
    let mut sc = Scanner { s: text, fx: false };
    for (k, node) in nodes.iter().enumerate() {
        match node {
            Node::Text { text, quoted } => {
                for c in text.chars() {
                    if !*quoted && (c == ' ' || is_separator(c)) && !sc.fx {
                        // A separator or blank matches any one of them, or nothing.
                        let mut it = sc.s.chars();
                        if it.next().is_some_and(|x| x == ' ' || is_separator(x)) {
                            sc.s = it.as_str();
                        }
                        if c == ' ' {
                            sc.skip_spaces();
                        }
                    } else {
                        let mut it = sc.s.chars();
                        if it.next().is_some() {
                            sc.s = it.as_str();
                        }
                    }
                }
            }
            Node::Field { key: Key::Fx, .. } => sc.fx = true,
            Node::Field { key, case, fill, ordinal, word, dots } => {
                if sc.s.trim().is_empty() {
                    g.short = true;
                    break;
                }
                // Digits run on freely when something that is not a digit must follow.
                let free = *fill
                    || match nodes.get(k + 1) {
                        None => true,
                        Some(Node::Text { text, .. }) => !text.starts_with(|c: char| c.is_ascii_digit()),
                        Some(Node::Field { key, .. }) => matches!(
                            key,
                            Key::Era
                                | Key::Meridian
                                | Key::DayName
                                | Key::DayShort
                                | Key::MonthName
                                | Key::MonthShort
                        ),
                    };
                let name = match case {
                    Case::Upper => word.to_string(),
                    Case::Title => format!("{}{}", &word[..1], word[1..].to_ascii_lowercase()),
                    Case::Lower => word.to_ascii_lowercase(),
                };
                field(&mut g, &mut sc, *key, free, &name, *dots)?;
                if ordinal.is_some() && sc.s.len() >= 2 && sc.s.is_char_boundary(2) {
                    sc.s = &sc.s[2..];
                }
            }
        }
    }
    Ok((g, sc.s))
}

fn field(g: &mut Got, sc: &mut Scanner<'_>, key: Key, free: bool, word: &str, dots: bool) -> Result<()> {
    let width = |n: usize| if free { None } else { Some(n) };
    match key {
        Key::Hour12 | Key::Hour24 => {
            g.hour = sc.int(width(2), word)?;
            g.hour12 = key == Key::Hour12;
        }
        Key::Minute => g.minute = sc.int(width(2), word)?,
        Key::Second => g.second = sc.int(width(2), word)?,
        Key::Millisecond | Key::Microsecond | Key::Fraction(_) => {
            let n = match key {
                Key::Millisecond => 3,
                Key::Fraction(n) => usize::from(n),
                _ => 6,
            };
            sc.skip_spaces();
            let before = sc.s;
            let v = sc.int(if free { None } else { Some(n) }, word)?;
            let digits = before.len() - sc.s.len();
            let scaled = v as f64 * 10f64.powi(n as i32 - digits as i32);
            g.us += (scaled * 10f64.powi(6 - n as i32)).round() as i64;
        }
        Key::SecondOfDay => g.second_of_day = Some(sc.int(width(5), word)?),
        Key::Meridian => {
            let words: &[&str] = if dots { &["a.m.", "p.m."] } else { &["am", "pm"] };
            g.pm = Some(sc.word(words, word)? == 1);
            g.hour12 = true;
        }
        Key::Era => {
            let words: &[&str] = if dots { &["a.d.", "b.c."] } else { &["ad", "bc"] };
            g.bc = sc.word(words, word)? == 1;
        }
        Key::MonthName | Key::MonthShort => {
            let short: Vec<&str> = MONTHS.iter().map(|m| &m[..3]).collect();
            let i = if key == Key::MonthName { sc.word(&MONTHS, word)? } else { sc.word(&short, word)? };
            put(&mut g.month, i as i64 + 1, word)?;
        }
        Key::DayName | Key::DayShort => {
            let short: Vec<&str> = DAYS.iter().map(|m| &m[..3]).collect();
            let i = if key == Key::DayName { sc.word(&DAYS, word)? } else { sc.word(&short, word)? };
            g.iso_day = Some(if i == 0 { 7 } else { i as i64 });
        }
        Key::Month => {
            let v = sc.int(width(2), word)?;
            put(&mut g.month, v, word)?;
        }
        Key::DayOfMonth => {
            let v = sc.int(width(2), word)?;
            put(&mut g.day, v, word)?;
        }
        Key::DayOfYear => {
            let v = sc.int(width(3), word)?;
            put(&mut g.doy, v, word)?;
        }
        Key::IsoDayOfYear => g.iso_doy = Some(sc.int(width(3), word)?),
        Key::DayOfWeek => {
            let v = sc.int(width(1), word)?;
            g.iso_day = Some(if v == 1 { 7 } else { v - 1 });
        }
        Key::IsoDayOfWeek => g.iso_day = Some(sc.int(width(1), word)?),
        Key::IsoWeek => g.iso_week = Some(sc.int(width(2), word)?),
        Key::WeekOfYear => g.week = Some(sc.int(width(2), word)?),
        Key::WeekOfMonth => g.week_of_month = Some(sc.int(width(1), word)?),
        Key::Quarter => {
            sc.int(width(1), word)?;
        }
        Key::Century => g.century = Some(sc.int(width(2), word)?),
        Key::Julian => g.julian = Some(sc.int(None, word)?),
        Key::Year(n) | Key::IsoYear(n) => {
            sc.skip_spaces();
            let before = sc.s.len();
            let v = sc.int(width(usize::from(n)), word)?;
            let digits = before - sc.s.len();
            let v = if n < 4 { near(v, digits.min(3)) } else { v };
            put(if matches!(key, Key::Year(_)) { &mut g.year } else { &mut g.iso_year }, v, word)?;
        }
        Key::YearComma => {
            let thousands = sc.int(None, word)?;
            sc.s = sc.s.strip_prefix(',').unwrap_or(sc.s);
            let rest = sc.int(Some(3), word)?;
            put(&mut g.year, thousands * 1000 + rest, word)?;
        }
        Key::Roman => {
            const ROMAN: [&str; 12] =
                ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
            let i = sc.word(&ROMAN, word)?;
            put(&mut g.month, i as i64 + 1, word)?;
        }
        Key::ZoneHour => {
            sc.skip_spaces();
            g.zone_sign = if sc.s.starts_with('-') { -1 } else { 1 };
            sc.s = sc.s.trim_start_matches(['+', '-']);
            let h = sc.int(width(2), word)?;
            g.zone = Some(g.zone.unwrap_or(0) + g.zone_sign * h as i32 * 3600);
        }
        Key::ZoneMinute => {
            let m = sc.int(width(2), word)?;
            let sign = if g.zone_sign == 0 { 1 } else { g.zone_sign };
            g.zone = Some(g.zone.unwrap_or(0) + sign * m as i32 * 60);
        }
        Key::Zone | Key::Offset => {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "formatting field \"{}\" is only supported in to_char",
                word
            ));
        }
        Key::Fx => {}
    }
    Ok(())
}

/// Day and microseconds of the day.
fn resolve(g: &Got, text: &str) -> Result<(i64, i64)> {
    let range = || field_range(text);
    let mut hour = g.hour;
    if g.hour12 {
        if !(1..=12).contains(&hour) && (g.pm.is_some() || hour != 0) {
            return Err(err!(INVALID_DATETIME_FORMAT, "hour \"{}\" is invalid for the 12-hour clock", hour)
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        match g.pm {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
    }
    let (mut minute, mut second) = (g.minute, g.second);
    if let Some(s) = g.second_of_day {
        (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
    }
    let ok = (0..=24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (hour < 24 || (minute == 0 && second == 0 && g.us == 0));
    if !ok {
        return Err(range());
    }
    let us = ((hour * 60 + minute) * 60 + second) * SECOND_US + g.us;
    Ok((resolve_day(g, text)?, us))
}

fn resolve_day(g: &Got, text: &str) -> Result<i64> {
    let range = || field_range(text);
    if let Some(j) = g.julian {
        return Ok(j - JULIAN);
    }
    if let Some(y) = g.iso_year {
        let y = if g.bc { 1 - y } else { y };
        if let Some(d) = g.iso_doy {
            return Ok(iso_week_start(y, 1) + d - 1);
        }
        let week = g.iso_week.unwrap_or(1);
        return Ok(iso_week_start(y, week) + g.iso_day.unwrap_or(1) - 1);
    }
    let mut y = g.year.unwrap_or(0);
    if let Some(c) = g.century {
        y = match g.year {
            Some(y) => {
                let yy = y.rem_euclid(100);
                if yy == 0 { c * 100 } else { (c - 1) * 100 + yy }
            }
            None => (c - 1) * 100 + 1,
        };
    }
    if g.bc {
        y = if y > 0 { 1 - y } else { y };
    } else if y < 0 {
        y += 1;
    }
    let no_date =
        g.year.is_none() && g.century.is_none() && g.month.is_none() && g.day.is_none() && g.doy.is_none();
    if no_date && g.week.is_none() {
        return Ok(days_from_civil(0, 1, 1));
    }
    let mut doy = g.doy;
    if let Some(w) = g.week {
        doy = Some((w - 1) * 7 + 1);
    }
    if let Some(d) = doy {
        if g.year.is_none() {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "cannot calculate day of year without year information"
            ));
        }
        if !(1..=365 + i64::from(is_leap(y))).contains(&d) {
            return Err(range());
        }
        return Ok(days_from_civil(y, 1, 1) + d - 1);
    }
    let m = g.month.unwrap_or(1);
    let d = g.day.or(g.week_of_month.map(|w| (w - 1) * 7 + 1)).unwrap_or(1);
    if !(1..=12).contains(&m) || d < 1 || d > month_days(y, m) || !(-4713..=5_874_897).contains(&y) {
        return Err(range());
    }
    Ok(days_from_civil(y, m, d))
}

pub fn to_date(text: &str, format: &str) -> Result<i32> {
    let g = scan(text, format)?;
    let (day, _) = resolve(&g, text)?;
    if !(MIN_DAY..END_DAY).contains(&day) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{}\"", text));
    }
    Ok(day as i32)
}
pub fn to_timestamp(c: &CallCtx<'_>, text: &str, format: &str) -> Result<i64> {
    let g = scan(text, format)?;
    let (day, us) = resolve(&g, text)?;
    let local = join_ts(day, us)
        .ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{}\"", text))?;
    let utc = match g.zone {
        Some(east) => local - i64::from(east) * SECOND_US,
        None => to_utc(&c.fmt.timezone, local),
    };
    Some(utc).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}

/// A value by a template that says which parts there are: the date, time or timestamp of a jsonpath. 22007, 22008.
pub fn parse_template(c: &CallCtx<'_>, text: &str, format: &str) -> Result<crate::json::path::Moment> {
    use crate::json::path::Moment;
    let (mut date, mut time, mut zone) = (false, false, false);
    for n in parse(format) {
        match n {
            Node::Field { key, .. } => match key {
                Key::Hour12
                | Key::Hour24
                | Key::Minute
                | Key::Second
                | Key::SecondOfDay
                | Key::Millisecond
                | Key::Microsecond
                | Key::Fraction(_)
                | Key::Meridian => time = true,
                Key::ZoneHour | Key::ZoneMinute => zone = true,
                Key::Fx => {}
                _ => date = true,
            },
            Node::Text { text, quoted } => {
                if let Some(bad) = text.chars().find(|c| !quoted && !"-./,':; ".contains(*c)) {
                    return Err(err!(
                        INVALID_DATETIME_FORMAT,
                        "invalid datetime format separator: \"{}\"",
                        bad
                    ));
                }
            }
        }
    }
    let (g, rest) = scan_rest(text, format)?;
    if !rest.trim_start().is_empty() {
        return Err(err!(
            INVALID_DATETIME_FORMAT,
            "trailing characters remain in input string after datetime format"
        ));
    }
    if g.short {
        return Err(err!(INVALID_DATETIME_FORMAT, "input string is too short for datetime format"));
    }
    let (day, us) = resolve(&g, text)?;
    let east = g.zone.unwrap_or_else(|| super::zone::offset_at(&c.fmt.timezone, c.xact_start_us).0);
    let stamp = || join_ts(day, us).ok_or_else(ts_range);
    Ok(match (date, time, zone) {
        (true, true, true) => Moment::TimestampTz(stamp()? - i64::from(east) * SECOND_US, east),
        (true, true, false) => Moment::Timestamp(stamp()?),
        (true, false, false) => Moment::Date(day as i32),
        (false, true, true) => Moment::TimeTz(us, east),
        (false, true, false) => Moment::Time(us),
        (_, false, true) => {
            return Err(err!(INVALID_DATETIME_FORMAT, "datetime format is zoned but not timed"));
        }
        _ => {
            return Err(err!(INVALID_DATETIME_FORMAT, "datetime format is not dated and not timed"));
        }
    })
}
