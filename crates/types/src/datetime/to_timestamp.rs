//! to_date and to_timestamp: reads text by a template.

use super::SECOND_US;
use super::cal::*;
use super::fields::{DAYS, MONTHS};
use super::parse::field_range;
use super::template::{Case, Key, Node, parse};
use super::zone::to_utc;
use crate::CallCtx;
use common::{Error, Result, err};

/// What the fields of a template said; 0 is nothing, as PostgreSQL has it.
#[derive(Default)]
struct Got {
    mode: Option<Mode>,
    year: i64,
    /// Digits of the year's field.
    year_size: u8,
    month: i64,
    day: i64,
    doy: i64,
    century: i64,
    /// Sunday is 1.
    weekday: i64,
    week: i64,
    week_of_month: i64,
    julian: i64,
    bc: i64,
    hour: i64,
    hour12: bool,
    pm: i64,
    minute: i64,
    second: i64,
    ms: i64,
    us: i64,
    /// Digits of FF1 to FF6.
    precision: Option<u8>,
    second_of_day: i64,
    zone_sign: i64,
    zone_hour: i64,
    zone_minute: i64,
}

/// How a date is told: fields of the two do not mix.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Gregorian,
    IsoWeek,
}

fn mode_of(key: Key) -> Option<Mode> {
    match key {
        Key::IsoDayOfYear | Key::IsoDayOfWeek | Key::IsoWeek | Key::IsoYear(_) => Some(Mode::IsoWeek),
        Key::DayOfYear
        | Key::DayOfMonth
        | Key::DayOfWeek
        | Key::Month
        | Key::MonthName
        | Key::MonthShort
        | Key::Roman
        | Key::WeekOfYear
        | Key::WeekOfMonth
        | Key::YearComma
        | Key::Year(_) => Some(Mode::Gregorian),
        _ => None,
    }
}

/// Does the field start with a digit?
fn is_digits(key: Key) -> bool {
    !matches!(
        key,
        Key::Era
            | Key::Meridian
            | Key::DayName
            | Key::DayShort
            | Key::Fx
            | Key::MonthName
            | Key::MonthShort
            | Key::Offset
            | Key::Roman
            | Key::ZoneHour
            | Key::Zone
    )
}

fn is_separator(c: char) -> bool {
    c.is_ascii_punctuation()
}
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Set once; a second, different value is an error.
fn put(slot: &mut i64, v: i64, field: &str) -> Result<()> {
    if *slot != 0 && *slot != v {
        return Err(err!(
            INVALID_DATETIME_FORMAT,
            "conflicting values for \"{}\" field in formatting string",
            field
        )
        .detail("This value contradicts a previous setting for the same field type."));
    }
    *slot = v;
    Ok(())
}

/// Year of fewer than four digits: towards 2020.
fn near(v: i64) -> i64 {
    match v {
        ..70 => v + 2000,
        70..100 => v + 1900,
        100..520 => v + 2000,
        520..1000 => v + 1000,
        _ => v,
    }
}

fn invalid(value: &str, field: &str) -> Error {
    err!(INVALID_DATETIME_FORMAT, "invalid value \"{}\" for \"{}\"", value, field)
}

struct Scanner<'a> {
    whole: &'a str,
    s: &'a str,
    fx: bool,
    /// Characters skipped that the template did not ask for.
    skipped: i64,
}

impl<'a> Scanner<'a> {
    fn skip_spaces(&mut self) -> usize {
        let rest = self.s.trim_start_matches(is_space);
        let n = self.s.len() - rest.len();
        self.s = rest;
        n
    }
    fn step(&mut self) {
        let mut it = self.s.chars();
        it.next();
        self.s = it.as_str();
    }

    /// An integer of `len` characters, or of as many as there are where `free`; how many characters it took.
    fn int(&mut self, slot: &mut i64, len: usize, free: bool, field: &str) -> Result<usize> {
        let start = self.s.len();
        self.skip_spaces();
        let copy: String = {
            let end = (0..=len.min(self.s.len())).rev().find(|i| self.s.is_char_boundary(*i)).unwrap_or(0);
            self.s[..end].to_string()
        };
        if !free && self.s.len() < len {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "source string too short for \"{}\" formatting field",
                field
            )
            .detail(format!("Field requires {len} characters, but only {} remain.", self.s.len()))
            .hint(FIXED_WIDTH));
        }
        let source = if free { self.s } else { copy.as_str() };
        let body = source.trim_start_matches(is_space);
        let unsigned = body.strip_prefix(['+', '-']).unwrap_or(body);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let used = if digits == 0 { 0 } else { source.len() - unsigned.len() + digits };
        if !free && used > 0 && used < len {
            return Err(invalid(&copy, field)
                .detail(format!("Field requires {len} characters, but only {used} could be parsed."))
                .hint(FIXED_WIDTH));
        }
        if used == 0 && (free || self.s.len() == start) {
            return Err(invalid(&copy, field).detail("Value must be an integer."));
        }
        let text = &source[source.len() - body.len()..used.max(source.len() - body.len())];
        let v = if used == 0 { Ok(0) } else { text.parse::<i32>() }.map_err(|_| {
            err!(DATETIME_FIELD_OVERFLOW, "value for \"{}\" in source string is out of range", field)
                .detail("Value must be in the range -2147483648 to 2147483647.")
        })?;
        self.s = &self.s[used..];
        put(slot, i64::from(v), field)?;
        Ok(start - self.s.len())
    }

    /// The first of the words, in any case, the text starts with.
    fn word(&mut self, words: &[&str], field: &str) -> Result<i64> {
        let starts = |w: &str| self.s.get(..w.len()).is_some_and(|have| have.eq_ignore_ascii_case(w));
        match words.iter().position(|w| starts(w)) {
            Some(i) => {
                self.s = &self.s[words[i].len()..];
                Ok(i as i64)
            }
            None => {
                let shown = self.s.split(is_space).next().unwrap_or("");
                Err(invalid(shown, field)
                    .detail("The given value did not match any of the allowed values for this field."))
            }
        }
    }
}

const FIXED_WIDTH: &str = "If your source string is not fixed-width, try using the \"FM\" modifier.";

fn scan(text: &str, format: &str) -> Result<Got> {
    let mut sc = Scanner { whole: text, s: text, fx: false, skipped: 0 };
    let mut g = Got::default();
    scan_nodes(&parse(format), &mut sc, &mut g, false).map(|_| g)
}

/// Reads along the template while there is text; whether all of the template was used. With `strict` separators and text
/// must be the template's.
fn scan_nodes(nodes: &[Node], sc: &mut Scanner<'_>, g: &mut Got, strict: bool) -> Result<bool> {
    sc.fx = strict;
    for (k, node) in nodes.iter().enumerate() {
        let first = k == 0;
        match node {
            Node::Text { text, quoted } => {
                for (n, c) in text.chars().enumerate() {
                    if sc.s.is_empty() {
                        return Ok(false);
                    }
                    if first && n == 0 && !sc.fx {
                        sc.skipped += sc.skip_spaces() as i64;
                    }
                    text_char(sc, c, *quoted, strict)?;
                }
            }
            Node::Field { key, case, fill, ordinal, word, dots, .. } => {
                if sc.s.is_empty() {
                    return Ok(false);
                }
                if *key == Key::Fx {
                    sc.fx = true;
                    continue;
                }
                if !sc.fx {
                    sc.skipped += sc.skip_spaces() as i64;
                }
                if let Some(mode) = mode_of(*key) {
                    if g.mode.is_some_and(|m| m != mode) {
                        return Err(err!(INVALID_DATETIME_FORMAT, "invalid combination of date conventions")
                            .hint("Do not mix Gregorian and ISO week date conventions in a formatting template."));
                    }
                    g.mode = Some(mode);
                }
                // Digits run on freely when something that is not a digit must follow.
                let free = *fill
                    || ordinal.is_some()
                    || match nodes.get(k + 1) {
                        None => true,
                        Some(Node::Text { text, .. }) => !text.starts_with(|c: char| c.is_ascii_digit()),
                        Some(Node::Field { key, .. }) => !is_digits(*key),
                    };
                let name = match case {
                    Case::Upper => word.to_string(),
                    Case::Title => format!("{}{}", &word[..1], word[1..].to_ascii_lowercase()),
                    Case::Lower => word.to_ascii_lowercase(),
                };
                let takes_ordinal = field(g, sc, *key, free, &name, *dots)?;
                if ordinal.is_some() && takes_ordinal {
                    sc.step();
                    sc.step();
                }
                if !sc.fx {
                    sc.skipped = sc.skip_spaces() as i64;
                }
            }
        }
    }
    Ok(true)
}

fn text_char(sc: &mut Scanner<'_>, c: char, quoted: bool, strict: bool) -> Result<()> {
    let separator = !quoted && (is_space(c) || is_separator(c));
    if strict {
        if !sc.s.starts_with(c) {
            let kind = if separator { "separator" } else { "character" };
            return Err(err!(INVALID_DATETIME_FORMAT, "unmatched format {} \"{}\"", kind, c));
        }
        sc.step();
    } else if sc.fx {
        sc.step();
    } else if separator {
        // A separator or blank matches any one of them, or nothing.
        sc.skipped -= 1;
        if sc.s.starts_with(|x| is_space(x) || is_separator(x)) {
            sc.step();
            sc.skipped += 1;
        }
    } else if sc.skipped > 0 {
        sc.skipped -= 1;
    } else {
        sc.step();
    }
    Ok(())
}

/// Reads one field; whether TH may stand behind it.
fn field(g: &mut Got, sc: &mut Scanner<'_>, key: Key, free: bool, word: &str, dots: bool) -> Result<bool> {
    let mut plain = |slot: &mut i64, n: usize| sc.int(slot, n, free, word);
    match key {
        Key::Hour12 | Key::Hour24 => {
            plain(&mut g.hour, 2)?;
            g.hour12 |= key == Key::Hour12;
        }
        Key::Minute => drop(plain(&mut g.minute, 2)?),
        Key::Second => drop(plain(&mut g.second, 2)?),
        Key::Millisecond => {
            let n = plain(&mut g.ms, 3)?;
            g.ms *= 10i64.pow(3u32.saturating_sub(n as u32));
        }
        Key::Microsecond | Key::Fraction(_) => {
            let width = if let Key::Fraction(n) = key { usize::from(n) } else { 6 };
            if let Key::Fraction(n) = key {
                g.precision = Some(n);
            }
            let n = plain(&mut g.us, width)?;
            g.us *= 10i64.pow(6u32.saturating_sub(n as u32));
        }
        Key::SecondOfDay => drop(plain(&mut g.second_of_day, word.len())?),
        Key::Meridian => {
            let words: &[&str] = if dots { &["a.m.", "p.m."] } else { &["am", "pm"] };
            let v = sc.word(words, word)?;
            put(&mut g.pm, v, word)?;
            g.hour12 = true;
            return Ok(false);
        }
        Key::Era => {
            let words: &[&str] = if dots { &["a.d.", "b.c."] } else { &["ad", "bc"] };
            let v = sc.word(words, word)?;
            put(&mut g.bc, v, word)?;
            return Ok(false);
        }
        Key::MonthName | Key::MonthShort | Key::DayName | Key::DayShort | Key::Roman => {
            name(g, sc, key, word)?;
            return Ok(false);
        }
        Key::Month => drop(plain(&mut g.month, 2)?),
        Key::DayOfMonth => drop(plain(&mut g.day, 2)?),
        Key::DayOfYear | Key::IsoDayOfYear => drop(plain(&mut g.doy, 3)?),
        Key::DayOfWeek => drop(plain(&mut g.weekday, 1)?),
        Key::IsoDayOfWeek => {
            plain(&mut g.weekday, 1)?;
            g.weekday = if g.weekday + 1 > 7 { 1 } else { g.weekday + 1 };
        }
        Key::IsoWeek | Key::WeekOfYear => drop(plain(&mut g.week, 2)?),
        Key::WeekOfMonth => drop(plain(&mut g.week_of_month, 1)?),
        Key::Quarter => drop(plain(&mut 0, 1)?),
        Key::Century => drop(plain(&mut g.century, 2)?),
        Key::Julian => drop(plain(&mut g.julian, 1)?),
        Key::Year(n) | Key::IsoYear(n) => {
            let used = plain(&mut g.year, usize::from(n))?;
            if n < 4 && used < 4 {
                g.year = near(g.year);
            }
            g.year_size = n;
        }
        Key::YearComma => year_with_comma(g, sc, word)?,
        Key::ZoneHour => {
            g.zone_sign = 1;
            if sc.s.starts_with(['+', '-', ' ']) {
                g.zone_sign = if sc.s.starts_with('-') { -1 } else { 1 };
                sc.step();
            } else if sc.skipped > 0 && sc.whole[..sc.whole.len() - sc.s.len()].ends_with('-') {
                g.zone_sign = -1;
            }
            sc.int(&mut g.zone_hour, 2, free, word)?;
            return Ok(false);
        }
        Key::ZoneMinute => {
            plain(&mut g.zone_minute, 2)?;
            g.zone_sign = if g.zone_sign == 0 { 1 } else { g.zone_sign };
            return Ok(false);
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
    Ok(true)
}

fn name(g: &mut Got, sc: &mut Scanner<'_>, key: Key, word: &str) -> Result<()> {
    const ROMAN: [&str; 12] = ["XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"];
    let short = |names: &[&'static str]| names.iter().map(|n| &n[..3]).collect::<Vec<_>>();
    match key {
        Key::Roman => {
            let v = 12 - sc.word(&ROMAN, word)?;
            put(&mut g.month, v, word)
        }
        Key::MonthName | Key::MonthShort => {
            let v =
                if key == Key::MonthName { sc.word(&MONTHS, word)? } else { sc.word(&short(&MONTHS), word)? };
            put(&mut g.month, v + 1, word)
        }
        _ => {
            let v = if key == Key::DayName { sc.word(&DAYS, word)? } else { sc.word(&short(&DAYS), word)? };
            put(&mut g.weekday, v, word)?;
            g.weekday += 1;
            Ok(())
        }
    }
}

fn year_with_comma(g: &mut Got, sc: &mut Scanner<'_>, word: &str) -> Result<()> {
    let bad = || err!(INVALID_DATETIME_FORMAT, "invalid input string for \"{}\"", word);
    let number = |s: &str, limit: usize| -> Option<(i64, usize)> {
        let spaces = s.len() - s.trim_start_matches(is_space).len();
        let body = &s[spaces..];
        let sign = usize::from(body.starts_with(['+', '-']));
        let digits =
            body[sign..].bytes().take(limit - sign.min(limit)).take_while(u8::is_ascii_digit).count();
        let text = &body[..sign + digits];
        if digits == 0 { None } else { Some((text.parse::<i32>().ok()?.into(), spaces + sign + digits)) }
    };
    let (thousands, n) = number(sc.s, 12).ok_or_else(bad)?;
    let rest = sc.s[n..].strip_prefix(',').ok_or_else(bad)?;
    let (years, m) = number(rest, 3).ok_or_else(bad)?;
    put(&mut g.year, thousands * 1000 + years, word)?;
    g.year_size = 4;
    sc.s = &rest[m..];
    Ok(())
}

/// Broken-down date, which may not exist, and microseconds of the day.
struct Moment {
    date: (i64, i64, i64),
    us: i64,
    /// Seconds east.
    zone: Option<i64>,
}

/// 22007, 22008, 22009.
fn resolve(g: &Got, text: &str) -> Result<Moment> {
    let range = || field_range(text);
    let s = g.second_of_day;
    let (mut hour, mut minute, mut second) = (s / 3600, s / 60 % 60, s % 60);
    let set = |to: &mut i64, v: i64| {
        if v != 0 {
            *to = v;
        }
    };
    set(&mut second, g.second);
    set(&mut minute, g.minute);
    set(&mut hour, g.hour);
    if g.hour12 {
        if !(1..=12).contains(&hour) {
            return Err(err!(INVALID_DATETIME_FORMAT, "hour \"{}\" is invalid for the 12-hour clock", hour)
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        if g.pm != 0 && hour < 12 {
            hour += 12;
        } else if g.pm == 0 && hour == 12 {
            hour = 0;
        }
    }
    let date = resolve_date(g, text)?;
    let us = g.ms * 1000 + g.us;
    let ok = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !ok || !(0..SECOND_US).contains(&us) {
        return Err(range());
    }
    let mut zone = None;
    if g.zone_sign != 0 {
        if !(0..=15).contains(&g.zone_hour) || !(0..60).contains(&g.zone_minute) {
            return Err(err!(
                INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range: \"{}\"",
                text
            ));
        }
        zone = Some(g.zone_sign * (g.zone_hour * 3600 + g.zone_minute * 60));
    }
    Ok(Moment { date, us: ((hour * 60 + minute) * 60 + second) * SECOND_US + us, zone })
}

/// The year that century and year give, with the era; `None` if neither was there.
fn resolve_year(g: &Got) -> Option<i64> {
    let century = if g.bc != 0 { -g.century } else { g.century };
    if g.year != 0 {
        if g.century != 0 && g.year_size <= 2 {
            let y = g.year % 100;
            return Some(match (y != 0, century >= 0) {
                (true, true) => y + (century - 1) * 100,
                (true, false) => (century + 1) * 100 - y + 1,
                (false, true) => century * 100,
                (false, false) => century * 100 + 1,
            });
        }
        let y = if g.bc != 0 { -g.year } else { g.year };
        return Some(if y < 0 { y + 1 } else { y });
    }
    if g.century != 0 {
        return Some(if century >= 0 { (century - 1) * 100 + 1 } else { century * 100 + 1 });
    }
    None
}

fn resolve_date(g: &Got, text: &str) -> Result<(i64, i64, i64)> {
    let year = resolve_year(g);
    let (mut y, mut m, mut d) = (year.unwrap_or(0), 1, 1);
    // Which of year, month and day are there to be checked.
    let (mut has_year, mut has_month, mut has_day) = (year.is_some(), false, false);
    let mut whole = |day: i64, to: (&mut i64, &mut i64, &mut i64)| {
        (*to.0, *to.1, *to.2) = civil_from_days(day);
        (has_year, has_month, has_day) = (true, true, true);
    };
    if g.julian != 0 {
        whole(g.julian - JULIAN, (&mut y, &mut m, &mut d));
    }
    let mut doy = g.doy;
    let iso = g.mode == Some(Mode::IsoWeek);
    if g.week != 0 && iso {
        let monday = iso_week_start(y, g.week);
        let offset = match g.weekday {
            0 => 0,
            1 => 6,
            n => n - 2,
        };
        whole(monday + offset, (&mut y, &mut m, &mut d));
    } else if g.week != 0 {
        doy = (g.week - 1) * 7 + 1;
    }
    let day = if g.week_of_month != 0 { (g.week_of_month - 1) * 7 + 1 } else { g.day };
    if day != 0 {
        (d, has_day) = (day, true);
    }
    if g.month != 0 {
        (m, has_month) = (g.month, true);
    }
    if doy != 0 && (m <= 1 || d <= 1) {
        if y == 0 && g.bc == 0 {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "cannot calculate day of year without year information"
            ));
        }
        if iso {
            (y, m, d) = civil_from_days(iso_week_start(y, 1) - 1 + doy);
            has_year = true;
        } else {
            let before = |month: i64| (1..month).map(|i| month_days(y, i)).sum::<i64>();
            let month = (1..=12).find(|i| doy <= before(*i + 1)).unwrap_or(13);
            let first = before(month.min(13));
            m = if m <= 1 { month } else { m };
            d = if d <= 1 { doy - first } else { d };
        }
        (has_month, has_day) = (true, true);
    }
    let wrong_month = has_month && !(1..=12).contains(&m);
    let wrong_day = has_day && !(1..=31).contains(&d);
    if wrong_month || wrong_day || has_year && has_month && has_day && d > month_days(y, m) {
        return Err(field_range(text));
    }
    Ok((y, m, d))
}

/// Is it between 4714 BC and 5874897?
fn valid_julian((y, m, _): (i64, i64, i64)) -> bool {
    (y > -4713 || y == -4713 && m >= 11) && (y < 5_874_898 || y == 5_874_898 && m < 6)
}

pub fn to_date(text: &str, format: &str) -> Result<i32> {
    let date = resolve(&scan(text, format)?, text)?.date;
    to_day(date).ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{}\"", text))
}
fn to_day((y, m, d): (i64, i64, i64)) -> Option<i32> {
    let day = valid_julian((y, m, d)).then(|| days_from_civil(y, m, d))?;
    (MIN_DAY..END_DAY).contains(&day).then_some(day as i32)
}
fn local_ts(t: &Moment) -> Result<i64> {
    let (y, m, d) = t.date;
    let local = if valid_julian(t.date) { join_ts(days_from_civil(y, m, d), t.us) } else { None };
    local.ok_or_else(ts_range)
}
pub fn to_timestamp(c: &CallCtx<'_>, text: &str, format: &str) -> Result<i64> {
    let g = scan(text, format)?;
    let t = resolve(&g, text)?;
    let local = local_ts(&t)?;
    let mut utc = match t.zone {
        Some(east) => local - east * SECOND_US,
        None => to_utc(&c.fmt.timezone, local),
    };
    if let Some(n) = g.precision.filter(|_| ts_valid(utc)) {
        let unit = 10i64.pow(6 - u32::from(n));
        utc = (utc + utc.signum() * (unit / 2)) / unit * unit;
    }
    Some(utc).filter(|t| ts_valid(*t)).ok_or_else(ts_range)
}

/// A value by a template that says which parts there are: the date, time or timestamp of a jsonpath. 22007, 22008.
pub fn parse_template(c: &CallCtx<'_>, text: &str, format: &str) -> Result<crate::json::path::Moment> {
    use crate::json::path::Moment as Value;
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
    let mut sc = Scanner { whole: text, s: text, fx: true, skipped: 0 };
    let mut g = Got::default();
    if !scan_nodes(&parse(format), &mut sc, &mut g, true)? {
        return Err(err!(INVALID_DATETIME_FORMAT, "input string is too short for datetime format"));
    }
    if !sc.s.trim_start_matches(is_space).is_empty() {
        return Err(err!(
            INVALID_DATETIME_FORMAT,
            "trailing characters remain in input string after datetime format"
        ));
    }
    let t = resolve(&g, text)?;
    let us = t.us;
    let east =
        t.zone.map_or_else(|| super::zone::offset_at(&c.fmt.timezone, c.xact_start_us).0, |z| z as i32);
    let stamp = || local_ts(&t);
    let day =
        || to_day(t.date).ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{}\"", text));
    Ok(match (date, time, zone) {
        (true, true, true) => Value::TimestampTz(stamp()? - i64::from(east) * SECOND_US, east),
        (true, true, false) => Value::Timestamp(stamp()?),
        (true, false, false) => Value::Date(day()?),
        (false, true, true) => Value::TimeTz(us, east),
        (false, true, false) => Value::Time(us),
        (_, false, true) => {
            return Err(err!(INVALID_DATETIME_FORMAT, "datetime format is zoned but not timed"));
        }
        _ => {
            return Err(err!(INVALID_DATETIME_FORMAT, "datetime format is not dated and not timed"));
        }
    })
}
