//! Reads dates, times and timestamps in all the forms PostgreSQL takes: ISO, month names, numbers in DateStyle order,
//! run-together digits, special words, time zones by offset, abbreviation or name.

use super::cal::{days_from_civil, month_days};
use super::fields::{Hms, OFFSET_LIMIT, fraction_us, is_weekday, month_by_name, parse_hms, parse_offset};
use super::zone::{Zone, abbreviation, find_named};
use super::{DAY_US, EPOCH_SHIFT, SECOND_US};
use crate::CallCtx;
use crate::registry::DateOrder;
use common::{Error, Result, err};

/// Which type's input is being read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Want {
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
}

impl Want {
    fn name(self) -> &'static str {
        match self {
            Want::Date => "date",
            Want::Time => "time",
            Want::TimeTz => "time with time zone",
            Want::Timestamp => "timestamp",
            Want::TimestampTz => "timestamp with time zone",
        }
    }
}

/// What was read.
#[derive(Clone, Debug)]
pub enum Parsed {
    Infinity,
    NegInfinity,
    /// A moment given by a word (`now`, `epoch`): microseconds UTC.
    Moment(i64),
    /// Day (if any), microseconds of the day, zone (if any).
    Local {
        day: Option<i64>,
        us: i64,
        zone: Option<Zone>,
    },
}

/// 22007.
#[cold]
fn bad(want: Want, text: &str) -> Error {
    err!(INVALID_DATETIME_FORMAT, "invalid input syntax for type {}: \"{}\"", want.name(), text)
}
/// 22008.
#[cold]
pub fn field_range(text: &str) -> Error {
    err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{}\"", text)
}
#[cold]
fn month_day_range(text: &str) -> Error {
    field_range(text).hint("Perhaps you need a different \"datestyle\" setting.")
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Digits, perhaps with a fraction.
    Number(String),
    /// Digits and words joined by `-`, `/` or `.`.
    Date(String),
    /// Contains a colon.
    Time(String),
    Word(String),
    /// Sign and offset.
    Offset(bool, String),
}

fn tokenize(text: &str) -> Option<Vec<Token>> {
    let s = text.to_ascii_lowercase();
    let b = s.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        let start = i;
        let run = |mut j: usize, ok: &dyn Fn(u8) -> bool| {
            while j < b.len() && ok(b[j]) {
                j += 1;
            }
            j
        };
        if c.is_ascii_whitespace() || c == b',' || c == b'(' || c == b')' {
            i += 1;
        } else if c.is_ascii_digit() {
            i = run(i, &|c| c.is_ascii_digit());
            match b.get(i) {
                Some(b':') => {
                    i = run(i, &|c| c.is_ascii_digit() || c == b':' || c == b'.');
                    out.push(Token::Time(s[start..i].into()));
                }
                Some(sep @ (b'-' | b'/' | b'.'))
                    if b.get(i + 1).is_some_and(|c| c.is_ascii_alphanumeric()) =>
                {
                    let sep = *sep;
                    let mut j = run(i + 1, &|c| c.is_ascii_digit());
                    if j == i + 1 {
                        j = run(j, &|c| c.is_ascii_alphabetic());
                    }
                    let two =
                        b.get(j) == Some(&sep) && b.get(j + 1).is_some_and(|c| c.is_ascii_alphanumeric());
                    if two {
                        j = run(j + 1, &|c| c.is_ascii_alphanumeric());
                        // "2024-01-02t03:04": the letter starts the time.
                        let part = &s[i..j];
                        if let Some(t) = part.rfind('t').filter(|t| {
                            part[t + 1..].bytes().all(|c| c.is_ascii_digit())
                                && part[..*t].ends_with(|c: char| c.is_ascii_digit())
                        }) {
                            j = i + t;
                        }
                        i = j;
                        out.push(Token::Date(s[start..i].into()));
                    } else if sep == b'.' {
                        i = j;
                        out.push(Token::Number(s[start..i].into()));
                    } else if sep == b'-' && i - start >= 6 {
                        // Run-together time with an offset.
                        out.push(Token::Number(s[start..i].into()));
                    } else {
                        i = j;
                        out.push(Token::Date(s[start..i].into()));
                    }
                }
                Some(b'.') => {
                    i += 1;
                    out.push(Token::Number(s[start..i - 1].into()));
                }
                _ => out.push(Token::Number(s[start..i].into())),
            }
        } else if c == b'.' && b.get(i + 1).is_some_and(u8::is_ascii_digit) {
            i = run(i + 1, &|c| c.is_ascii_digit());
            out.push(Token::Number(format!("0{}", &s[start..i])));
        } else if c.is_ascii_alphabetic() {
            i = run(i, &|c| c.is_ascii_alphabetic());
            // Zone names hold slashes, underscores, digits and signs; a month may be glued to a date.
            if matches!(b.get(i), Some(b'-' | b'/' | b'.')) && month_by_name(&s[start..i]).is_some() {
                if b[i] == b'.' {
                    out.push(Token::Word(s[start..i].into()));
                    i += 1;
                } else {
                    i = run(i, &|c| c.is_ascii_digit() || matches!(c, b'-' | b'/'));
                    out.push(Token::Date(s[start..i].into()));
                }
            } else if matches!(b.get(i), Some(b'/' | b'_')) {
                i = run(i, &|c| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'_' | b'-' | b'+'));
                out.push(Token::Word(s[start..i].into()));
            } else if matches!(&s[start..i], "t" | "j") {
                out.push(Token::Word(s[start..i].into()));
            } else {
                let j = run(i, &|c| c.is_ascii_alphanumeric());
                let posix = j > i || matches!(b.get(i), Some(b'+' | b'-'));
                let known = abbreviation(&s[start..i]).is_some() || find_named(&s[start..i]).is_some();
                if posix && known && month_by_name(&s[start..i]).is_none() {
                    let j = run(i, &|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b':'));
                    if find_named(&s[start..j]).is_some() {
                        i = j;
                    }
                } else if j > i && find_named(&s[start..j]).is_some() {
                    i = j;
                }
                out.push(Token::Word(s[start..i].into()));
            }
        } else if matches!(c, b'+' | b'-') {
            let j = i + 1;
            if b.get(j).is_some_and(u8::is_ascii_digit) {
                i = run(j, &|c| c.is_ascii_digit() || c == b':');
                out.push(Token::Offset(c == b'-', s[j..i].into()));
            } else if b.get(j).is_some_and(u8::is_ascii_alphabetic) {
                i = run(j, &|c| c.is_ascii_alphabetic());
                out.push(Token::Word(s[start..i].into()));
            } else {
                return None;
            }
        } else {
            return None;
        }
    }
    Some(out)
}

#[derive(Default)]
struct Fields {
    year: Option<(i64, usize)>,
    month: Option<i64>,
    day: Option<i64>,
    doy: Option<i64>,
    julian: Option<i64>,
    time: Option<Hms>,
    zone: Option<Zone>,
    bc: bool,
    ad: bool,
    pm: Option<bool>,
    relative: Option<i64>,
    is_time_prefix: bool,
    month_by_name: bool,
}

impl Fields {
    fn has_date(&self) -> bool {
        self.julian.is_some()
            || self.relative.is_some()
            || (self.day.is_some() && self.month.is_some() && self.year.is_some())
            || (self.doy.is_some() && self.year.is_some())
    }
}

/// Reads the value.
pub fn parse(ctx: &CallCtx<'_>, text: &str, want: Want) -> Result<Parsed> {
    let tokens = tokenize(text).ok_or_else(|| bad(want, text))?;
    if tokens.is_empty() {
        return Err(bad(want, text));
    }
    let mut f = Fields::default();
    let mut i = 0;
    while i < tokens.len() {
        match &tokens[i] {
            Token::Time(t) => {
                if f.time.is_some() {
                    return Err(bad(want, text));
                }
                f.time = Some(parse_hms(t).ok_or_else(|| bad(want, text))?);
                f.is_time_prefix = false;
            }
            Token::Date(d) => date_token(ctx, &mut f, d, want, text)?,
            Token::Number(n) => number_token(ctx, &mut f, n, want, text)?,
            Token::Offset(neg, o) => {
                if f.zone.is_some() && !matches!(f.zone, Some(Zone::Fixed(0))) {
                    return Err(bad(want, text));
                }
                let secs = parse_offset(o).ok_or_else(|| zone_range(text))?;
                if secs >= OFFSET_LIMIT {
                    return Err(zone_range(text));
                }
                f.zone = Some(Zone::Fixed(if *neg { -secs } else { secs }));
            }
            Token::Word(w) => {
                if let Some(special) = word_token(ctx, &mut f, w, &tokens, &mut i, want, text)? {
                    return if tokens.len() == 1 { Ok(special) } else { Err(bad(want, text)) };
                }
            }
        }
        i += 1;
    }
    finish(f, want, text)
}

#[cold]
fn zone_range(text: &str) -> Error {
    err!(INVALID_TIME_ZONE_DISPLACEMENT_VALUE, "time zone displacement out of range: \"{}\"", text)
}

/// A word; returns a whole value for words that are one.
fn word_token(
    ctx: &CallCtx<'_>,
    f: &mut Fields,
    w: &str,
    tokens: &[Token],
    i: &mut usize,
    want: Want,
    text: &str,
) -> Result<Option<Parsed>> {
    let today = || super::zone::to_local(ctx.fmt, ctx.xact_start_us).div_euclid(DAY_US);
    match w {
        "infinity" | "inf" | "+infinity" | "+inf" if !matches!(want, Want::Time | Want::TimeTz) => {
            return Ok(Some(Parsed::Infinity));
        }
        "-infinity" | "-inf" if !matches!(want, Want::Time | Want::TimeTz) => {
            return Ok(Some(Parsed::NegInfinity));
        }
        "epoch" if !matches!(want, Want::Time | Want::TimeTz) => {
            return Ok(Some(Parsed::Moment(-EPOCH_SHIFT * SECOND_US)));
        }
        "now" => {
            if tokens.len() == 1 {
                return Ok(Some(Parsed::Moment(ctx.xact_start_us)));
            }
            return Err(bad(want, text));
        }
        "today" => f.relative = Some(today()),
        "tomorrow" => f.relative = Some(today() + 1),
        "yesterday" => f.relative = Some(today() - 1),
        "allballs" => {
            f.time = Some(Hms::default());
            f.zone = Some(Zone::Fixed(0));
        }
        "am" => f.pm = Some(false),
        "pm" => f.pm = Some(true),
        "bc" => f.bc = true,
        "ad" => f.ad = true,
        "t" => f.is_time_prefix = true,
        "at" | "on" => {}
        "j" | "jd" | "julian" => match tokens.get(*i + 1) {
            Some(Token::Number(n)) => {
                *i += 1;
                let (whole, frac) = n.split_once('.').unwrap_or((n, ""));
                f.julian = Some(whole.parse().map_err(|_| bad(want, text))?);
                if !frac.is_empty() {
                    let part: f64 = format!("0.{frac}").parse().unwrap_or(0.0);
                    let us = (part * DAY_US as f64).round() as i64;
                    f.time = Some(Hms { us: 0, ..hms_of(us) });
                }
            }
            _ => return Err(bad(want, text)),
        },
        "dst" => {
            if let Some(Zone::Fixed(s)) = &mut f.zone {
                *s += 3600;
            }
        }
        "z" | "zulu" => f.zone = Some(Zone::Fixed(0)),
        _ => {
            if let Some(m) = month_by_name(w) {
                // A number read as month before was the day.
                if let Some(old) = f.month.replace(m)
                    && f.day.is_none()
                {
                    f.day = Some(old);
                }
                f.month_by_name = true;
            } else if is_weekday(w) {
            } else if let Some((secs, _)) = abbreviation(w) {
                f.zone = Some(Zone::Fixed(secs));
            } else if let Some(tz) = find_named(w) {
                f.zone = Some(Zone::Named(tz));
            } else if w.contains('/') {
                return Err(err!(INVALID_PARAMETER_VALUE, "time zone \"{}\" not recognized", w));
            } else {
                return Err(bad(want, text));
            }
        }
    }
    Ok(None)
}

fn hms_of(us: i64) -> Hms {
    let s = us / SECOND_US;
    Hms { hour: s / 3600, minute: s / 60 % 60, second: s % 60, us: us % SECOND_US }
}

fn int(s: &str) -> Option<i64> {
    (s.len() <= 9 && s.bytes().all(|c| c.is_ascii_digit())).then(|| s.parse().ok()).flatten()
}

/// `a-b-c`, `a/b/c`, `a.b.c`, with a month name in any place; `yyyy-ddd`; `yyyy-mm`.
fn date_token(ctx: &CallCtx<'_>, f: &mut Fields, d: &str, want: Want, text: &str) -> Result<()> {
    let parts: Vec<&str> = d.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
    if f.has_date() && !f.month_by_name {
        // A zone like "-08" glued on or garbage.
        return Err(bad(want, text));
    }
    let named = parts.iter().position(|p| p.starts_with(|c: char| c.is_ascii_alphabetic()));
    if let Some(k) = named {
        let m = month_by_name(parts[k]).ok_or_else(|| bad(want, text))?;
        f.month = Some(m);
        f.month_by_name = true;
        for p in parts.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, p)| *p) {
            let v = int(p).ok_or_else(|| bad(want, text))?;
            let year_first = ctx.fmt.date_order == DateOrder::Ymd && parts.len() == 3;
            if p.len() > 2 || f.day.is_some() || (year_first && f.year.is_none() && p.len() > 2) {
                f.year = Some((v, p.len()));
            } else {
                f.day = Some(v);
            }
        }
        return Ok(());
    }
    let v: Option<Vec<i64>> = parts.iter().map(|p| int(p)).collect();
    let v = v.ok_or_else(|| bad(want, text))?;
    match v[..] {
        [a, b, c] => {
            if parts[0].len() >= 3 || (ctx.fmt.date_order == DateOrder::Ymd && parts[2].len() <= 2) {
                f.year = Some((a, parts[0].len()));
                f.month = Some(b);
                f.day = Some(c);
            } else if ctx.fmt.date_order == DateOrder::Dmy {
                f.day = Some(a);
                f.month = Some(b);
                f.year = Some((c, parts[2].len()));
            } else {
                f.month = Some(a);
                f.day = Some(b);
                f.year = Some((c, parts[2].len()));
            }
        }
        [a, b] if parts[1].len() == 3 && parts[0].len() >= 3 => {
            f.year = Some((a, parts[0].len()));
            f.doy = Some(b);
        }
        [a, b] if parts[0].len() >= 3 && d.contains('-') => {
            f.year = Some((a, parts[0].len()));
            f.month = Some(b);
        }
        [a, b] if f.year.is_none() && parts[1].len() <= 2 => {
            let (m, d) = if ctx.fmt.date_order == DateOrder::Dmy { (b, a) } else { (a, b) };
            f.month = Some(m);
            f.day = Some(d);
        }
        _ => return Err(bad(want, text)),
    }
    Ok(())
}

/// A bare number: run-together date or time, year, month, day by what is known already.
fn number_token(ctx: &CallCtx<'_>, f: &mut Fields, n: &str, want: Want, text: &str) -> Result<()> {
    let (digits, frac) = n.split_once('.').map_or((n, None), |(a, b)| (a, Some(b)));
    let v = int(digits).or_else(|| digits.parse().ok()).ok_or_else(|| bad(want, text))?;
    let time_ok = f.is_time_prefix || f.has_date() || matches!(want, Want::Time | Want::TimeTz);
    if f.time.is_none()
        && time_ok
        && matches!(digits.len(), 4 | 6)
        && (f.is_time_prefix || f.has_date() || frac.is_some() || digits.len() == 6 || want != Want::Date)
    {
        let (hour, minute, second) =
            if digits.len() == 6 { (v / 10_000, v / 100 % 100, v % 100) } else { (v / 100, v % 100, 0) };
        f.time = Some(Hms { hour, minute, second, us: frac.map_or(0, fraction_us) });
        f.is_time_prefix = false;
        return Ok(());
    }
    if f.is_time_prefix && f.time.is_none() && digits.len() <= 2 {
        f.time = Some(Hms { hour: v, ..Hms::default() });
        f.is_time_prefix = false;
        return Ok(());
    }
    if let Some(fr) = frac {
        // yyyy.ddd, or yymmdd.fraction-free garbage.
        if digits.len() >= 4 && fr.len() == 3 && f.year.is_none() {
            f.year = Some((v, digits.len()));
            f.doy = fr.parse().ok();
            return Ok(());
        }
        return Err(bad(want, text));
    }
    if f.year.is_none() && f.month.is_none() && f.day.is_none() && digits.len() >= 6 {
        let (y, rest) = digits.split_at(digits.len() - 4);
        f.year = Some((int(y).ok_or_else(|| field_range(text))?, y.len()));
        f.month = int(&rest[..2]);
        f.day = int(&rest[2..]);
        return Ok(());
    }
    if digits.len() == 3 && f.year.is_some() && f.month.is_none() && f.day.is_none() {
        f.doy = Some(v);
        return Ok(());
    }
    if f.month_by_name {
        if f.day.is_none() && digits.len() <= 2 && !(ctx.fmt.date_order == DateOrder::Ymd && f.year.is_none())
        {
            f.day = Some(v);
        } else if f.year.is_none() {
            f.year = Some((v, digits.len()));
        } else if f.day.is_none() {
            f.day = Some(v);
        } else {
            return Err(bad(want, text));
        }
        return Ok(());
    }
    if digits.len() >= 4 || (f.month.is_some() && f.day.is_some()) {
        if f.year.is_some() {
            return Err(bad(want, text));
        }
        f.year = Some((v, digits.len()));
    } else if f.year.is_some() {
        if f.month.is_none() {
            f.month = Some(v);
        } else if f.day.is_none() {
            f.day = Some(v);
        } else {
            return Err(bad(want, text));
        }
    } else {
        match ctx.fmt.date_order {
            DateOrder::Ymd => f.year = Some((v, digits.len())),
            DateOrder::Dmy if f.day.is_none() => f.day = Some(v),
            _ if f.month.is_none() => f.month = Some(v),
            _ => f.day = Some(v),
        }
    }
    Ok(())
}

/// Year with two digits widened and BC applied (year 0 is 1 BC).
fn full_year(f: &Fields, text: &str) -> Result<i64> {
    let (mut y, len) = f.year.unwrap_or((0, 4));
    if f.bc {
        if y <= 0 {
            return Err(field_range(text));
        }
        return Ok(1 - y);
    }
    if y == 0 && len > 2 {
        return Err(field_range(text));
    }
    if len <= 2 && !f.ad {
        y += if y < 70 { 2000 } else { 1900 };
    }
    Ok(y)
}

fn finish(f: Fields, want: Want, text: &str) -> Result<Parsed> {
    let mut time = f.time;
    if let (Some(t), Some(pm)) = (&mut time, f.pm) {
        if t.hour > 12 {
            return Err(field_range(text));
        }
        if pm && t.hour != 12 {
            t.hour += 12;
        } else if !pm && t.hour == 12 {
            t.hour = 0;
        }
    } else if f.pm.is_some() {
        return Err(bad(want, text));
    }
    let us = match time {
        Some(t) if !t.valid() => return Err(field_range(text)),
        Some(t) => t.total(),
        None => 0,
    };
    let day = resolve_day(&f, want, text)?;
    let missing = match want {
        Want::Time | Want::TimeTz => time.is_none() && f.relative.is_none(),
        _ => day.is_none(),
    };
    if missing {
        return Err(bad(want, text));
    }
    Ok(Parsed::Local { day, us, zone: f.zone })
}

fn resolve_day(f: &Fields, want: Want, text: &str) -> Result<Option<i64>> {
    if let Some(d) = f.relative {
        return Ok(Some(d));
    }
    if let Some(j) = f.julian {
        return Ok(Some(j - super::cal::JULIAN));
    }
    if f.year.is_none() && f.month.is_none() && f.day.is_none() {
        return Ok(None);
    }
    if f.year.is_none() {
        return Err(bad(want, text));
    }
    let y = full_year(f, text)?;
    if let Some(doy) = f.doy {
        if !(1..=365 + i64::from(super::cal::is_leap(y))).contains(&doy) {
            return Err(field_range(text));
        }
        return Ok(Some(days_from_civil(y, 1, 1) + doy - 1));
    }
    let (Some(m), Some(d)) = (f.month, f.day) else { return Err(bad(want, text)) };
    if !(1..=12).contains(&m) || !(1..=31).contains(&d) {
        return Err(month_day_range(text));
    }
    if d > month_days(y, m) {
        return Err(field_range(text));
    }
    if !(-4_713..=5_874_897).contains(&y) {
        return Ok(Some(if y < 0 { i64::from(i32::MIN) } else { i64::from(i32::MAX) }));
    }
    Ok(Some(days_from_civil(y, m, d)))
}
