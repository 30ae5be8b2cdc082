//! Small parsers shared by all date/time input: numbers, fractions, times of day, zone offsets, and the vocabulary.

/// Fraction digits as microseconds, rounded as binary floating point rounds.
pub fn fraction_us(digits: &str) -> i64 {
    if digits.len() <= 6 {
        return (0..6).fold(0, |v, i| v * 10 + i64::from(digits.as_bytes().get(i).map_or(0, |c| c - b'0')));
    }
    let v: f64 = format!("0.{digits}").parse().unwrap_or(0.0);
    (v * 1e6).round_ties_even() as i64
}

/// `HH`, `HHMM`, `HHMMSS`, `HH:MM[:SS]` as seconds; the sign is the caller's.
pub fn parse_offset(s: &str) -> Option<i32> {
    let num = |p: &str| -> Option<i32> {
        (!p.is_empty() && p.len() <= 4 && p.bytes().all(|c| c.is_ascii_digit()))
            .then(|| p.parse().ok())
            .flatten()
    };
    let (h, m, sec) = if s.contains(':') {
        let mut it = s.split(':');
        let h = num(it.next()?)?;
        let m = num(it.next()?)?;
        let sec = it.next().map_or(Some(0), num)?;
        if it.next().is_some() {
            return None;
        }
        (h, m, sec)
    } else {
        if !s.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        match s.len() {
            1 | 2 => (num(s)?, 0, 0),
            3 | 4 => (num(&s[..s.len() - 2])?, num(&s[s.len() - 2..])?, 0),
            5 | 6 => (num(&s[..s.len() - 4])?, num(&s[s.len() - 4..s.len() - 2])?, num(&s[s.len() - 2..])?),
            _ => return None,
        }
    };
    (m < 60 && sec < 60).then_some(h * 3600 + m * 60 + sec)
}

/// Largest zone offset, in seconds (exclusive).
pub const OFFSET_LIMIT: i32 = 16 * 3600;

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Month number of a full or abbreviated English name.
pub fn month_by_name(s: &str) -> Option<i64> {
    let t = s.trim_end_matches('.').to_ascii_lowercase();
    if t == "sept" {
        return Some(9);
    }
    MONTHS
        .iter()
        .position(|m| t.eq_ignore_ascii_case(m) || (t.len() == 3 && m[..3].eq_ignore_ascii_case(&t)))
        .map(|i| i as i64 + 1)
}
