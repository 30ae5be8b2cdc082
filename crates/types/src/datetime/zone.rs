//! Time zones: names and abbreviations, offsets at a moment, and local time to UTC.

use super::{DAY_US, EPOCH_SHIFT, SECOND_US};
use crate::FormatSettings;
use common::{Result, err};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A zone as written in a value.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Named(TimeZone),
}

/// Seconds that jiff can represent.
const JIFF_MIN: i64 = -377_705_023_201;
const JIFF_MAX: i64 = 253_402_207_200;

/// Seconds in 400 years, after which calendar and weekdays repeat, and with them the rules.
const CYCLE: i64 = 146_097 * 86_400;

/// The same moment of a year that jiff can represent.
fn in_reach(secs: i64) -> i64 {
    if secs > JIFF_MAX {
        let cycles = (secs - JIFF_MAX + CYCLE - 1) / CYCLE;
        return secs - cycles * CYCLE;
    }
    secs.max(JIFF_MIN)
}

/// Seconds east at a moment, daylight saving in force, abbreviation.
pub fn offset_at(tz: &TimeZone, utc_us: i64) -> (i32, bool, String) {
    let secs = in_reach(utc_us.div_euclid(SECOND_US) + EPOCH_SHIFT);
    let ts = Timestamp::from_second(secs).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = tz.to_offset_info(ts);
    (info.offset().seconds(), info.dst().is_dst(), info.abbreviation().to_string())
}

/// Seconds east for a local time. In a gap the offset before it holds, in an overlap the one after.
pub fn offset_of_local(tz: &TimeZone, local_us: i64) -> i32 {
    let (day, us) = (local_us.div_euclid(DAY_US), local_us.rem_euclid(DAY_US));
    let (y, m, d) = super::cal::civil_from_days(day);
    let y = if y > 9998 { 9598 + (y - 9598) % 400 } else { y };
    let secs = us / SECOND_US;
    let civil = DateTime::new(
        y.clamp(-9998, 9998) as i16,
        m as i8,
        d.min(if m == 2 && !(-9998..=9998).contains(&y) { 28 } else { 31 }) as i8,
        (secs / 3600) as i8,
        (secs / 60 % 60) as i8,
        (secs % 60) as i8,
        0,
    );
    let Ok(civil) = civil else { return 0 };
    match tz.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
        AmbiguousOffset::Gap { before, .. } => before.seconds(),
        AmbiguousOffset::Fold { after, .. } => after.seconds(),
    }
}

impl Zone {
    /// Seconds east at a moment.
    pub fn at_utc(&self, utc_us: i64) -> i32 {
        match self {
            Zone::Fixed(s) => *s,
            Zone::Named(tz) => offset_at(tz, utc_us).0,
        }
    }
    /// Seconds east for a local time.
    pub fn at_local(&self, local_us: i64) -> i32 {
        match self {
            Zone::Fixed(s) => *s,
            Zone::Named(tz) => offset_of_local(tz, local_us),
        }
    }
}

/// UTC to the session's local time. `None` out of range.
pub fn to_local(fmt: &FormatSettings, utc: i64) -> i64 {
    utc + i64::from(offset_at(&fmt.timezone, utc).0) * SECOND_US
}

/// Local time of a zone to UTC.
pub fn to_utc(tz: &TimeZone, local: i64) -> i64 {
    local - i64::from(offset_of_local(tz, local)) * SECOND_US
}

/// Offset of an abbreviation in PostgreSQL's default set.
pub fn abbreviation(name: &str) -> Option<(i32, bool)> {
    let upper = name.to_ascii_uppercase();
    let i = ABBREVS.binary_search_by(|a| a.0.cmp(&upper)).ok()?;
    Some((ABBREVS[i].1, ABBREVS[i].2))
}

/// A POSIX zone: one name of any length with an offset, or what jiff reads (`EST5EDT`, `<+03>-3`).
fn posix(name: &str) -> Option<TimeZone> {
    if !name.bytes().any(|c| c.is_ascii_digit()) {
        return None;
    }
    posix_offset(name).or_else(|| TimeZone::posix(name).ok())
}

/// `NAME[+-]hh[:mm[:ss]]`, hours counted to the west.
fn posix_offset(name: &str) -> Option<TimeZone> {
    let at = name.bytes().position(|c| !c.is_ascii_alphabetic()).filter(|at| *at > 0)?;
    let (sign, digits) = match name.as_bytes()[at] {
        b'-' => (1, &name[at + 1..]),
        b'+' => (-1, &name[at + 1..]),
        _ => (-1, &name[at..]),
    };
    let parts: Vec<&str> = digits.split(':').collect();
    let mut west = 0;
    for (p, seconds) in parts.iter().zip([3600, 60, 1]) {
        if p.is_empty() || p.len() > 3 || !p.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        west += p.parse::<i32>().ok()? * seconds;
    }
    let offset = jiff::tz::Offset::from_seconds(sign * west).ok().filter(|_| parts.len() <= 3)?;
    Some(TimeZone::fixed(offset))
}

/// Finds a zone by full name, POSIX description or abbreviation.
pub fn find_zone(name: &str) -> Option<Zone> {
    if let Some((secs, _)) = abbreviation(name) {
        return Some(Zone::Fixed(secs));
    }
    find_named(name).map(Zone::Named)
}

/// Finds a zone by full name (any case) or POSIX description.
pub fn find_named(name: &str) -> Option<TimeZone> {
    if name.is_empty() || name.len() > 255 {
        return None;
    }
    TimeZone::get(name).ok().or_else(|| posix(name))
}

/// The zone argument of AT TIME ZONE: a name, or an offset like `+05:30` (POSIX sign in names like `UTC+3`). 22023.
pub fn zone_argument(name: &str) -> Result<Zone> {
    if let Some(z) = find_zone(name) {
        return Ok(z);
    }
    // A bare number counts hours west, as in a POSIX zone.
    let (sign, rest) = match name.as_bytes().first() {
        Some(b'-') => (-1, &name[1..]),
        Some(b'+') => (1, &name[1..]),
        Some(c) if c.is_ascii_digit() => (1, name),
        _ => (0, name),
    };
    if sign != 0
        && let Some(secs) = super::fields::parse_offset(rest)
    {
        return Ok(Zone::Fixed(-sign * secs));
    }
    Err(err!(INVALID_PARAMETER_VALUE, "time zone \"{}\" not recognized", name))
}

/// Abbreviation, seconds east, daylight saving; sorted.
#[rustfmt::skip]
/// A zone at a moment.
pub struct ZoneNow {
    pub name: String,
    pub abbreviation: String,
    /// Seconds east.
    pub offset: i32,
    pub dst: bool,
}

/// All zones of the zone database.
pub fn all_zones(utc_us: i64) -> Vec<ZoneNow> {
    let db = jiff::tz::db();
    let zone = |name: String| {
        let (offset, dst, abbreviation) = offset_at(&db.get(&name).ok()?, utc_us);
        Some(ZoneNow { name, abbreviation, offset, dst })
    };
    db.available().filter_map(|n| zone(n.to_string())).collect()
}

/// All abbreviations: name, seconds east, daylight saving.
pub fn all_abbreviations() -> impl Iterator<Item = (&'static str, i32, bool)> {
    ABBREVS.iter().copied()
}

static ABBREVS: &[(&str, i32, bool)] = &[
    ("ACDT", 37800, true),
    ("ACSST", 37800, true),
    ("ACST", 34200, false),
    ("ACT", -18000, false),
    ("ACWST", 31500, false),
    ("ADT", -10800, true),
    ("AEDT", 39600, true),
    ("AESST", 39600, true),
    ("AEST", 36000, false),
    ("AFT", 16200, false),
    ("AKDT", -28800, true),
    ("AKST", -32400, false),
    ("ALMST", 25200, true),
    ("ALMT", 21600, false),
    ("AMST", 14400, false),
    ("AMT", -14400, false),
    ("ANAST", 43200, false),
    ("ANAT", 43200, false),
    ("ARST", -10800, false),
    ("ART", -10800, false),
    ("AST", -14400, false),
    ("AWSST", 32400, true),
    ("AWST", 28800, false),
    ("AZOST", 0, true),
    ("AZOT", -3600, false),
    ("AZST", 14400, false),
    ("AZT", 14400, false),
    ("BDST", 7200, true),
    ("BDT", 21600, false),
    ("BNT", 28800, false),
    ("BORT", 28800, false),
    ("BOT", -14400, false),
    ("BRA", -10800, false),
    ("BRST", -7200, true),
    ("BRT", -10800, false),
    ("BST", 3600, true),
    ("BTT", 21600, false),
    ("CADT", 37800, true),
    ("CAST", 34200, false),
    ("CCT", 28800, false),
    ("CDT", -18000, true),
    ("CEST", 7200, true),
    ("CET", 3600, false),
    ("CETDST", 7200, true),
    ("CHADT", 49500, true),
    ("CHAST", 45900, false),
    ("CHUT", 36000, false),
    ("CKT", -36000, false),
    ("CLST", -10800, true),
    ("CLT", -10800, true),
    ("COT", -18000, false),
    ("CST", -21600, false),
    ("CXT", 25200, false),
    ("DAVT", 25200, false),
    ("DDUT", 36000, false),
    ("EASST", -18000, true),
    ("EAST", -18000, true),
    ("EAT", 10800, false),
    ("EDT", -14400, true),
    ("EEST", 10800, true),
    ("EET", 7200, false),
    ("EETDST", 10800, true),
    ("EGST", 0, true),
    ("EGT", -3600, false),
    ("EST", -18000, false),
    ("FET", 10800, false),
    ("FJST", 46800, true),
    ("FJT", 43200, false),
    ("FKST", -10800, false),
    ("FKT", -10800, false),
    ("FNST", -3600, true),
    ("FNT", -7200, false),
    ("GALT", -21600, false),
    ("GAMT", -32400, false),
    ("GEST", 14400, false),
    ("GET", 14400, false),
    ("GFT", -10800, false),
    ("GILT", 43200, false),
    ("GMT", 0, false),
    ("GYT", -14400, false),
    ("HKT", 28800, false),
    ("HST", -36000, false),
    ("ICT", 25200, false),
    ("IDT", 10800, true),
    ("IOT", 21600, false),
    ("IRKST", 28800, false),
    ("IRKT", 28800, false),
    ("IRT", 12600, false),
    ("IST", 7200, false),
    ("JAYT", 32400, false),
    ("JST", 32400, false),
    ("KDT", 36000, true),
    ("KGST", 21600, true),
    ("KGT", 21600, false),
    ("KOST", 39600, false),
    ("KRAST", 25200, false),
    ("KRAT", 25200, false),
    ("KST", 32400, false),
    ("LHDT", 39600, true),
    ("LHST", 37800, false),
    ("LIGT", 36000, false),
    ("LINT", 50400, false),
    ("LKT", 19800, false),
    ("MAGST", 39600, false),
    ("MAGT", 39600, false),
    ("MART", -34200, false),
    ("MAWT", 18000, false),
    ("MDT", -21600, true),
    ("MEST", 7200, true),
    ("MESZ", 7200, true),
    ("MET", 3600, false),
    ("METDST", 7200, true),
    ("MEZ", 3600, false),
    ("MHT", 43200, false),
    ("MMT", 23400, false),
    ("MPT", 36000, false),
    ("MSD", 14400, true),
    ("MSK", 10800, false),
    ("MST", -25200, false),
    ("MUST", 18000, true),
    ("MUT", 14400, false),
    ("MVT", 18000, false),
    ("MYT", 28800, false),
    ("NDT", -9000, true),
    ("NFT", -12600, false),
    ("NOVST", 25200, false),
    ("NOVT", 25200, false),
    ("NPT", 20700, false),
    ("NST", -12600, false),
    ("NUT", -39600, false),
    ("NZDT", 46800, true),
    ("NZST", 43200, false),
    ("NZT", 43200, false),
    ("OMSST", 21600, false),
    ("OMST", 21600, false),
    ("PDT", -25200, true),
    ("PET", -18000, false),
    ("PETST", 43200, false),
    ("PETT", 43200, false),
    ("PGT", 36000, false),
    ("PHT", 28800, false),
    ("PKST", 21600, true),
    ("PKT", 18000, false),
    ("PMDT", -7200, true),
    ("PMST", -10800, false),
    ("PONT", 39600, false),
    ("PST", -28800, false),
    ("PWT", 32400, false),
    ("PYST", -10800, true),
    ("PYT", -10800, false),
    ("RET", 14400, false),
    ("SADT", 37800, true),
    ("SAST", 7200, false),
    ("SCT", 14400, false),
    ("SGT", 28800, false),
    ("TAHT", -36000, false),
    ("TFT", 18000, false),
    ("TJT", 18000, false),
    ("TKT", 46800, false),
    ("TMT", 18000, false),
    ("TOT", 46800, false),
    ("TRUT", 36000, false),
    ("TVT", 43200, false),
    ("UCT", 0, false),
    ("ULAST", 32400, true),
    ("ULAT", 28800, false),
    ("UT", 0, false),
    ("UTC", 0, false),
    ("UYST", -7200, true),
    ("UYT", -10800, false),
    ("UZST", 21600, true),
    ("UZT", 18000, false),
    ("VET", -14400, false),
    ("VLAST", 36000, false),
    ("VLAT", 36000, false),
    ("VOLT", 10800, false),
    ("VUT", 39600, false),
    ("WADT", 28800, true),
    ("WAKT", 43200, false),
    ("WAST", 25200, false),
    ("WAT", 3600, false),
    ("WDT", 32400, true),
    ("WET", 0, false),
    ("WETDST", 3600, true),
    ("WFT", 43200, false),
    ("WGST", -7200, true),
    ("WGT", -10800, false),
    ("XJT", 21600, false),
    ("YAKST", 32400, false),
    ("YAKT", 32400, false),
    ("YAPT", 36000, false),
    ("YEKST", 21600, true),
    ("YEKT", 18000, false),
    ("Z", 0, false),
    ("ZULU", 0, false),
];
