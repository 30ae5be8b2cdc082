//! Reads dates, times and timestamps. The fields that [`super::lex`] cuts are looked at in turn; what a number means
//! depends on what is known by then, and a thing said twice is an error. The rules are PostgreSQL's, odd corners included.

use super::cal::{JULIAN, civil_from_days, days_from_civil, month_days};
use super::fields::month_by_name;
use super::lex::{self, Field, Kind};
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
    fn is_time(self) -> bool {
        matches!(self, Want::Time | Want::TimeTz)
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

/// What is wrong with a text.
enum Bad {
    Format,
    Range,
    /// A month or day that another order of fields might cure.
    MonthDay,
    Offset,
    Zone(String),
}

impl Bad {
    #[cold]
    fn error(self, want: Want, text: &str) -> Error {
        match self {
            Bad::Format => {
                err!(INVALID_DATETIME_FORMAT, "invalid input syntax for type {}: \"{}\"", want.name(), text)
            }
            Bad::Range => field_range(text),
            Bad::MonthDay => field_range(text).hint("Perhaps you need a different \"datestyle\" setting."),
            Bad::Offset => err!(
                INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range: \"{}\"",
                text
            ),
            Bad::Zone(name) => err!(INVALID_PARAMETER_VALUE, "time zone \"{}\" not recognized", name),
        }
    }
}

type Step<T> = std::result::Result<T, Bad>;

/// 22008.
#[cold]
pub fn field_range(text: &str) -> Error {
    err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{}\"", text)
}

/// Sets of what has been said.
mod said {
    pub const YEAR: u32 = 1;
    pub const MONTH: u32 = 2;
    pub const DAY: u32 = 4;
    pub const DATE: u32 = YEAR | MONTH | DAY;
    pub const HOUR: u32 = 8;
    pub const MINUTE: u32 = 16;
    pub const SECOND: u32 = 32;
    pub const TIME: u32 = HOUR | MINUTE | SECOND;
    pub const ZONE: u32 = 64;
    pub const DAYLIGHT: u32 = 128;
    pub const DAY_OF_YEAR: u32 = 256;
    pub const WEEKDAY: u32 = 512;
    pub const HALF: u32 = 1024;
    pub const ERA: u32 = 2048;
    pub const MOMENT: u32 = 4096;
}

/// Words that say what the number behind them is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Julian,
    /// `t`: a time follows.
    Time,
    /// Known as words, of no use before a number.
    Other,
}

/// The vocabulary.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Word {
    Ignore,
    Now,
    Today(i64),
    AllBalls,
    Epoch,
    Infinity(bool),
    Month(i64),
    Weekday,
    Daylight,
    /// PM?
    Half(bool),
    /// BC?
    Era(bool),
    Unit(Unit),
}

fn word(w: &str) -> Option<Word> {
    Some(match w {
        "at" | "on" => Word::Ignore,
        "now" => Word::Now,
        "today" => Word::Today(0),
        "tomorrow" => Word::Today(1),
        "yesterday" => Word::Today(-1),
        "allballs" => Word::AllBalls,
        "epoch" => Word::Epoch,
        "infinity" => Word::Infinity(false),
        "-infinity" => Word::Infinity(true),
        "am" => Word::Half(false),
        "pm" => Word::Half(true),
        "ad" => Word::Era(false),
        "bc" => Word::Era(true),
        "dst" => Word::Daylight,
        "y" => Word::Unit(Unit::Year),
        "m" => Word::Unit(Unit::Month),
        "d" => Word::Unit(Unit::Day),
        "h" => Word::Unit(Unit::Hour),
        "mm" => Word::Unit(Unit::Minute),
        "s" => Word::Unit(Unit::Second),
        "j" | "jd" | "julian" => Word::Unit(Unit::Julian),
        "t" => Word::Unit(Unit::Time),
        "dow" | "doy" | "isodow" | "isoyear" => Word::Unit(Unit::Other),
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "wednesday" | "weds"
        | "thu" | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat" | "saturday" => Word::Weekday,
        _ => Word::Month(month_by_name(w)?),
    })
}

/// Is it a word of dates and times?
pub fn is_keyword(w: &str) -> bool {
    word(w).is_some()
}

/// Leading digits as a number, and what follows. Too large for 32 bits: `too_large`.
fn number(s: &str, too_large: Bad) -> Step<(i64, &str)> {
    let (digits, rest) = s.split_at(s.bytes().position(|c| !c.is_ascii_digit()).unwrap_or(s.len()));
    if digits.is_empty() {
        return Ok((0, rest));
    }
    match digits.parse::<i32>() {
        Ok(n) => Ok((i64::from(n), rest)),
        Err(_) => Err(too_large),
    }
}

/// `.digits` as microseconds.
fn fraction(s: &str) -> Step<i64> {
    match s.strip_prefix('.') {
        Some(f) if f.bytes().all(|c| c.is_ascii_digit()) => Ok(super::fields::fraction_us(f)),
        _ => Err(Bad::Format),
    }
}

/// An offset with its sign, as seconds east.
fn offset(s: &str) -> Step<i32> {
    let (negative, digits) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => return Err(Bad::Format),
    };
    let (mut hour, mut rest) = number(digits, Bad::Offset)?;
    let (mut minute, mut second) = (0, 0);
    if let Some(m) = rest.strip_prefix(':') {
        (minute, rest) = number(m, Bad::Offset)?;
        if let Some(s) = rest.strip_prefix(':') {
            (second, rest) = number(s, Bad::Offset)?;
        }
    } else if rest.is_empty() && digits.len() > 2 {
        (hour, minute) = (hour / 100, hour % 100);
    }
    if hour > 15 || minute > 59 || second > 59 {
        return Err(Bad::Offset);
    }
    if !rest.is_empty() {
        return Err(Bad::Format);
    }
    let east = ((hour * 60 + minute) * 60 + second) as i32;
    Ok(if negative { -east } else { east })
}

/// A word that stands for the whole value.
#[derive(Clone, Copy, PartialEq)]
enum Whole {
    Epoch,
    Infinity(bool),
    Now,
}

struct Decode<'a> {
    ctx: &'a CallCtx<'a>,
    time_only: bool,
    said: u32,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    us: i64,
    fixed_zone: i32,
    named_zone: Option<Zone>,
    two_digits: bool,
    bc: bool,
    half: Option<bool>,
    text_month: bool,
    julian: bool,
    unit: Option<Unit>,
    whole: Option<Whole>,
}

impl Decode<'_> {
    /// Notes what a field said; nothing may be said twice.
    fn note(&mut self, what: u32) -> Step<()> {
        if self.said & what != 0 {
            return Err(Bad::Format);
        }
        self.said |= what;
        Ok(())
    }
    fn has(&self, what: u32) -> bool {
        self.said & what == what
    }
    /// As the rules for numbers see it: where only a time is wanted, the date counts as known.
    fn seen(&self) -> u32 {
        if self.time_only { self.said | said::DATE } else { self.said }
    }

    fn field(&mut self, f: &[Field], i: usize) -> Step<()> {
        let text = f[i].text.as_str();
        match f[i].kind {
            Kind::Date => self.date_field(f, i, text),
            Kind::Time => {
                if self.unit.take().is_some_and(|u| u != Unit::Time) {
                    return Err(Bad::Format);
                }
                self.clock(text)?;
                if !self.time_only && !self.time_fits() {
                    return Err(Bad::Range);
                }
                self.note(said::TIME)
            }
            Kind::Offset => {
                self.fixed_zone = offset(text)?;
                self.note(said::ZONE)
            }
            Kind::Number => self.number_field(f, i, text),
            Kind::Word | Kind::Special => self.word_field(f, i, text),
        }
    }

    fn set_julian(&mut self, n: i64) {
        (self.year, self.month, self.day) = civil_from_days(n - JULIAN);
        self.julian = true;
    }

    fn date_field(&mut self, f: &[Field], i: usize, text: &str) -> Step<()> {
        if !self.time_only && self.unit == Some(Unit::Julian) {
            self.unit = None;
            let (n, rest) = number(text, Bad::Range)?;
            self.set_julian(n);
            self.fixed_zone = offset(rest)?;
            return self.note(said::DATE | said::TIME | said::ZONE);
        }
        if self.time_only {
            let begins = i == 0 && f.len() >= 2;
            if begins && (f[f.len() - 1].kind == Kind::Date || f[1].kind == Kind::Time) {
                return self.joined_date(text);
            }
        } else if self.unit.is_none() && !self.has(said::MONTH | said::DAY) {
            return self.joined_date(text);
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) && (self.time_only || self.unit.is_none()) {
            let zone = find_named(text).ok_or_else(|| Bad::Zone(text.into()))?;
            self.named_zone = Some(Zone::Named(zone));
            return self.note(said::ZONE);
        }
        // A time run together, with an offset.
        if self.unit.take().is_some_and(|u| u != Unit::Time && !self.time_only) || self.has(said::TIME) {
            return Err(Bad::Format);
        }
        let at = text.find('-').ok_or(Bad::Format)?;
        self.fixed_zone = offset(&text[at..])?;
        let what = self.run_together(&text[..at], self.seen())?;
        self.note(what | said::ZONE)
    }

    /// Year, month and day with separators, the month perhaps by name.
    fn joined_date(&mut self, text: &str) -> Step<()> {
        let b = text.as_bytes();
        let mut parts: Vec<&str> = Vec::new();
        let mut at = 0;
        while at < b.len() && parts.len() < 25 {
            while at < b.len() && !b[at].is_ascii_alphanumeric() {
                at += 1;
            }
            let Some(first) = b.get(at) else { return Err(Bad::Format) };
            let digits = first.is_ascii_digit();
            let same = |c: &u8| if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
            let len = b[at..].iter().take_while(|c| same(c)).count();
            parts.push(&text[at..at + len]);
            // Whatever ended the part is a separator.
            at += len + 1;
        }
        let mut here = 0;
        let is_word = |p: &&str| p.starts_with(|c: char| c.is_ascii_alphabetic());
        for p in parts.iter().filter(|p| is_word(p)) {
            match word(p) {
                Some(Word::Ignore) => continue,
                Some(Word::Month(m)) => self.month = m,
                _ => return Err(Bad::Format),
            }
            if (self.said | here) & said::MONTH != 0 {
                return Err(Bad::Format);
            }
            self.text_month = true;
            here |= said::MONTH;
        }
        let named = here & said::MONTH != 0;
        for p in parts.iter().filter(|p| !is_word(p)) {
            let what = self.single(p, self.said | here, named)?;
            if (self.said | here) & what != 0 {
                return Err(Bad::Format);
            }
            here |= what;
        }
        if (self.said | here) & !(said::DAY_OF_YEAR | said::ZONE) != said::DATE {
            return Err(Bad::Format);
        }
        self.note(here)
    }

    /// `H:M[:S[.f]]`, `M:S.f`.
    fn clock(&mut self, text: &str) -> Step<()> {
        let (hour, rest) = number(text, Bad::Range)?;
        let rest = rest.strip_prefix(':').ok_or(Bad::Format)?;
        let (minute, rest) = number(rest, Bad::Range)?;
        (self.hour, self.minute, self.second, self.us) = (hour, minute, 0, 0);
        if rest.starts_with('.') {
            (self.hour, self.minute, self.second) = (0, hour, minute);
            self.us = fraction(rest)?;
        } else if let Some(rest) = rest.strip_prefix(':') {
            let (second, rest) = number(rest, Bad::Range)?;
            self.second = second;
            if !rest.is_empty() {
                self.us = fraction(rest)?;
            }
        } else if !rest.is_empty() {
            return Err(Bad::Format);
        }
        if self.minute > 59 || self.second > 60 || self.us > SECOND_US {
            return Err(Bad::Range);
        }
        Ok(())
    }

    fn time_us(&self) -> i64 {
        ((self.hour * 60 + self.minute) * 60 + self.second) * SECOND_US + self.us
    }

    fn time_fits(&self) -> bool {
        self.hour <= 24 && self.minute < 60 && self.second <= 60 && self.time_us() <= DAY_US
    }

    fn number_field(&mut self, f: &[Field], i: usize, text: &str) -> Step<()> {
        if let Some(unit) = self.unit.take() {
            let what = self.labelled(unit, text)?;
            return self.note(what);
        }
        let point = text.find('.');
        let what = if self.time_only {
            match point {
                Some(_) if i == 0 && f.len() >= 2 && f[f.len() - 1].kind == Kind::Date => {
                    return self.joined_date(text);
                }
                Some(p) if p > 2 => self.run_together(text, self.seen())?,
                Some(_) => return Err(Bad::Format),
                None if text.len() > 4 => self.run_together(text, self.seen())?,
                None => self.single(text, self.seen(), false)?,
            }
        } else {
            match point {
                Some(_) if self.said & said::DATE == 0 => return self.joined_date(text),
                Some(p) if p > 2 => self.run_together(text, self.said)?,
                _ if text.len() >= 6 && (self.said & said::DATE == 0 || self.said & said::TIME == 0) => {
                    self.run_together(text, self.said)?
                }
                _ => self.single(text, self.said, self.text_month)?,
            }
        };
        self.note(what)
    }

    /// A number whose meaning the word before it gave.
    fn labelled(&mut self, unit: Unit, text: &str) -> Step<u32> {
        let (n, rest) = number(text, Bad::Range)?;
        if !rest.is_empty() && !rest.starts_with('.') {
            return Err(Bad::Format);
        }
        Ok(match unit {
            Unit::Year => {
                self.year = n;
                said::YEAR
            }
            // Behind month and hour it means minutes.
            Unit::Month if self.has(said::MONTH | said::HOUR) => {
                self.minute = n;
                said::MINUTE
            }
            Unit::Month => {
                self.month = n;
                said::MONTH
            }
            Unit::Day => {
                self.day = n;
                said::DAY
            }
            Unit::Hour => {
                self.hour = n;
                said::HOUR
            }
            Unit::Minute => {
                self.minute = n;
                said::MINUTE
            }
            Unit::Second => {
                self.second = n;
                if !rest.is_empty() {
                    self.us = fraction(rest)?;
                }
                said::SECOND
            }
            Unit::Julian => {
                self.set_julian(n);
                if rest.is_empty() {
                    return Ok(said::DATE);
                }
                let part: f64 = format!("0{rest}").parse().map_err(|_| Bad::Format)?;
                let us = (part * DAY_US as f64) as i64;
                (self.hour, self.minute) = (us / (3600 * SECOND_US), us / (60 * SECOND_US) % 60);
                (self.second, self.us) = (us / SECOND_US % 60, us % SECOND_US);
                said::DATE | said::TIME
            }
            Unit::Time => match self.run_together(text, self.said | said::DATE)? {
                said::TIME => said::TIME,
                _ => return Err(Bad::Format),
            },
            Unit::Other => return Err(Bad::Format),
        })
    }

    /// Date or time in a run of digits: `yyyymmdd`, `yymmdd`, `hhmmss`, `hhmm`.
    fn run_together(&mut self, text: &str, seen: u32) -> Step<u32> {
        let (digits, rest) = match text.split_once('.') {
            Some((d, _)) => (d, Some(&text[d.len()..])),
            None => (text, None),
        };
        // Digits beyond what a number holds make no valid date.
        let two = |from: usize| digits[from..from + 2].parse::<i64>().unwrap_or(99);
        let len = digits.len();
        match rest {
            Some(r) => self.us = fraction(r)?,
            None if seen & said::DATE != said::DATE && len >= 6 => {
                (self.month, self.day) = (two(len - 4), two(len - 2));
                self.year = digits[..len - 4].parse::<i32>().map_or(i64::from(i32::MAX), i64::from);
                self.two_digits |= len == 6;
                return Ok(said::DATE);
            }
            None => {}
        }
        if seen & said::TIME == said::TIME || !matches!(len, 4 | 6) {
            return Err(Bad::Format);
        }
        (self.hour, self.minute) = (two(0), two(2));
        self.second = if len == 6 { two(4) } else { 0 };
        Ok(said::TIME)
    }

    /// A number by itself: year, month or day by what is known already and the setting DateStyle.
    fn single(&mut self, text: &str, seen: u32, text_month: bool) -> Step<u32> {
        use said::*;
        let (n, rest) = number(text, Bad::Range)?;
        let len = text.len();
        if len == rest.len() {
            return Err(Bad::Format);
        }
        if rest.starts_with('.') {
            if len - rest.len() > 2 {
                return self.run_together(text, seen | DATE);
            }
            self.us = fraction(rest)?;
        } else if !rest.is_empty() {
            return Err(Bad::Format);
        }
        if len == 3 && seen & DATE == YEAR && (1..=366).contains(&n) {
            self.day_of_year = n;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let order = self.ctx.fmt.date_order;
        let what = match seen & DATE {
            0 if len >= 3 || order == DateOrder::Ymd => YEAR,
            0 if order == DateOrder::Dmy => DAY,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if text_month && (len >= 3 || order == DateOrder::Ymd) => YEAR,
            MONTH => DAY,
            x if x == YEAR | MONTH => {
                if text_month && len >= 3 && self.two_digits {
                    // What was taken for the year was the day.
                    self.day = std::mem::replace(&mut self.year, n);
                    self.two_digits = false;
                    return Ok(DAY);
                }
                DAY
            }
            DAY => MONTH,
            x if x == MONTH | DAY => YEAR,
            DATE => return self.run_together(text, seen),
            _ => return Err(Bad::Format),
        };
        match what {
            YEAR => {
                self.year = n;
                self.two_digits = len <= 2;
            }
            MONTH => self.month = n,
            _ => self.day = n,
        }
        Ok(what)
    }

    fn word_field(&mut self, f: &[Field], i: usize, text: &str) -> Step<()> {
        if let Some((secs, daylight)) = abbreviation(text) {
            self.fixed_zone = secs;
            return self.note(if daylight { said::ZONE | said::DAYLIGHT } else { said::ZONE });
        }
        let Some(w) = word(text) else {
            let zone = find_named(text).ok_or(Bad::Format)?;
            self.named_zone = Some(Zone::Named(zone));
            return self.note(said::ZONE);
        };
        match w {
            Word::Ignore => Ok(()),
            Word::AllBalls => {
                (self.hour, self.minute, self.second, self.us) = (0, 0, 0, 0);
                if !self.time_only {
                    self.whole = None;
                }
                self.fixed_zone = 0;
                self.note(said::TIME | said::ZONE)
            }
            Word::Half(pm) => {
                self.half = Some(pm);
                self.note(said::HALF)
            }
            Word::Era(bc) => {
                self.bc = bc;
                self.note(said::ERA)
            }
            Word::Daylight => {
                self.fixed_zone += 3600;
                self.note(said::DAYLIGHT)
            }
            Word::Unit(Unit::Time) => {
                let next = f.get(i + 1).map(|n| n.kind);
                let sensible = matches!(next, Some(Kind::Number | Kind::Time | Kind::Date));
                if !sensible || !self.time_only && !self.has(said::DATE) {
                    return Err(Bad::Format);
                }
                self.unit = Some(Unit::Time);
                Ok(())
            }
            Word::Unit(u) => {
                self.unit = Some(u);
                Ok(())
            }
            Word::Now => {
                self.whole = Some(Whole::Now);
                (self.year, self.month, self.day) = (2000, 1, 1);
                self.note(if self.time_only { said::TIME } else { said::DATE | said::TIME | said::ZONE })
            }
            _ if self.time_only => Err(Bad::Format),
            Word::Today(n) => {
                let local = super::zone::to_local(self.ctx.fmt, self.ctx.xact_start_us);
                (self.year, self.month, self.day) = civil_from_days(local.div_euclid(DAY_US) + n);
                self.note(said::DATE)
            }
            Word::Epoch => {
                self.whole = Some(Whole::Epoch);
                self.note(said::MOMENT)
            }
            Word::Infinity(negative) => {
                self.whole = Some(Whole::Infinity(negative));
                self.note(said::MOMENT)
            }
            Word::Weekday => self.note(said::WEEKDAY),
            Word::Month(m) => {
                let number_was_day = self.has(said::MONTH)
                    && !self.text_month
                    && !self.has(said::DAY)
                    && (1..=31).contains(&self.month);
                self.text_month = true;
                let old = std::mem::replace(&mut self.month, m);
                if number_was_day {
                    self.day = old;
                    return self.note(said::DAY);
                }
                self.note(said::MONTH)
            }
        }
    }

    /// Year in full, and limits of month and day.
    fn settle_date(&mut self) -> Step<()> {
        if self.has(said::YEAR) && !self.julian {
            if self.bc {
                if self.year <= 0 {
                    return Err(Bad::Range);
                }
                self.year = 1 - self.year;
            } else if self.two_digits {
                self.year += if self.year < 70 { 2000 } else { 1900 };
            } else if self.year <= 0 && self.whole.is_none() {
                return Err(Bad::Range);
            }
        }
        if self.has(said::DAY_OF_YEAR) {
            let day = days_from_civil(self.year, 1, 1) + self.day_of_year - 1;
            (self.year, self.month, self.day) = civil_from_days(day);
        }
        if self.has(said::MONTH) && !(1..=12).contains(&self.month)
            || self.has(said::DAY) && !(1..=31).contains(&self.day)
        {
            return Err(Bad::MonthDay);
        }
        if self.has(said::DATE) && self.day > month_days(self.year, self.month) {
            return Err(Bad::Range);
        }
        Ok(())
    }

    fn settle_half(&mut self) -> Step<()> {
        match self.half {
            Some(_) if self.hour > 12 => return Err(Bad::Range),
            Some(false) if self.hour == 12 => self.hour = 0,
            Some(true) if self.hour != 12 => self.hour += 12,
            _ => {}
        }
        Ok(())
    }

    fn zone(&self) -> Step<Option<Zone>> {
        match &self.named_zone {
            // Daylight saving cannot be added to a zone that knows it, nor to no zone at all.
            Some(_) if self.has(said::DAYLIGHT) => Err(Bad::Format),
            Some(z) => Ok(Some(z.clone())),
            None if self.has(said::ZONE) => Ok(Some(Zone::Fixed(self.fixed_zone))),
            None if self.has(said::DAYLIGHT) => Err(Bad::Format),
            None => Ok(None),
        }
    }

    fn finish(mut self) -> Step<Parsed> {
        self.settle_date()?;
        self.settle_half()?;
        if self.time_only {
            if !self.time_fits() {
                return Err(Bad::Range);
            }
            if !self.has(said::TIME) {
                return Err(Bad::Format);
            }
        }
        match self.whole {
            Some(Whole::Now) => return Ok(Parsed::Moment(self.ctx.xact_start_us)),
            Some(Whole::Epoch) => return Ok(Parsed::Moment(-EPOCH_SHIFT * SECOND_US)),
            Some(Whole::Infinity(true)) => return Ok(Parsed::NegInfinity),
            Some(Whole::Infinity(false)) => return Ok(Parsed::Infinity),
            None => {}
        }
        let day = if self.has(said::DATE) {
            let far = if self.year < 0 { i64::from(i32::MIN) } else { i64::from(i32::MAX) };
            let near = (-4_714..=5_874_898).contains(&self.year);
            Some(if near { days_from_civil(self.year, self.month, self.day) } else { far })
        } else if self.time_only && self.said & said::DATE == 0 {
            None
        } else {
            return Err(Bad::Format);
        };
        Ok(Parsed::Local { day, us: self.time_us(), zone: self.zone()? })
    }
}

/// Reads the value.
pub fn parse(ctx: &CallCtx<'_>, text: &str, want: Want) -> Result<Parsed> {
    read(ctx, text, want).map_err(|bad| bad.error(want, text))
}

fn read(ctx: &CallCtx<'_>, text: &str, want: Want) -> Step<Parsed> {
    let room = if want == Want::Date { 129 } else { 153 };
    let fields = lex::fields(text, room, &is_keyword).ok_or(Bad::Format)?;
    if fields.is_empty() {
        return Err(Bad::Format);
    }
    let mut d = Decode {
        ctx,
        time_only: want.is_time(),
        said: 0,
        year: 0,
        month: 0,
        day: 0,
        day_of_year: 0,
        hour: 0,
        minute: 0,
        second: 0,
        us: 0,
        fixed_zone: 0,
        named_zone: None,
        two_digits: false,
        bc: false,
        half: None,
        text_month: false,
        julian: false,
        unit: None,
        whole: None,
    };
    (0..fields.len()).try_for_each(|i| d.field(&fields, i))?;
    d.finish()
}
