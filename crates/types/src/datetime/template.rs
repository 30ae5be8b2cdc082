//! Templates of to_char, to_date and to_timestamp: the format text as a list of nodes.

/// What a template word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Era,
    Meridian,
    Century,
    DayName,
    DayShort,
    DayOfYear,
    IsoDayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    Fraction(u8),
    Fx,
    Hour12,
    Hour24,
    IsoWeek,
    IsoYear(u8),
    Julian,
    Minute,
    Month,
    MonthName,
    MonthShort,
    Millisecond,
    Microsecond,
    Offset,
    Quarter,
    Roman,
    Second,
    SecondOfDay,
    ZoneHour,
    ZoneMinute,
    Zone,
    WeekOfYear,
    WeekOfMonth,
    YearComma,
    Year(u8),
}

/// How a word was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Upper,
    Title,
    Lower,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Field {
        key: Key,
        case: Case,
        /// `A.M.` instead of `AM`.
        dots: bool,
        /// FM: no padding.
        fill: bool,
        /// TM: names without padding.
        local: bool,
        /// TH or th behind.
        ordinal: Option<Case>,
        /// The word itself, for error messages.
        word: &'static str,
    },
    /// Text that stands for itself; `quoted` text never counts as separator.
    Text { text: String, quoted: bool },
}

/// Words, longer ones before their prefixes. Text words also exist in title case.
static WORDS: &[(&str, Key)] = &[
    ("A.D.", Key::Era),
    ("A.M.", Key::Meridian),
    ("AD", Key::Era),
    ("AM", Key::Meridian),
    ("B.C.", Key::Era),
    ("BC", Key::Era),
    ("CC", Key::Century),
    ("DAY", Key::DayName),
    ("DDD", Key::DayOfYear),
    ("DD", Key::DayOfMonth),
    ("DY", Key::DayShort),
    ("D", Key::DayOfWeek),
    ("FF1", Key::Fraction(1)),
    ("FF2", Key::Fraction(2)),
    ("FF3", Key::Fraction(3)),
    ("FF4", Key::Fraction(4)),
    ("FF5", Key::Fraction(5)),
    ("FF6", Key::Fraction(6)),
    ("FX", Key::Fx),
    ("HH24", Key::Hour24),
    ("HH12", Key::Hour12),
    ("HH", Key::Hour12),
    ("IDDD", Key::IsoDayOfYear),
    ("ID", Key::IsoDayOfWeek),
    ("IW", Key::IsoWeek),
    ("IYYY", Key::IsoYear(4)),
    ("IYY", Key::IsoYear(3)),
    ("IY", Key::IsoYear(2)),
    ("I", Key::IsoYear(1)),
    ("J", Key::Julian),
    ("MI", Key::Minute),
    ("MM", Key::Month),
    ("MONTH", Key::MonthName),
    ("MON", Key::MonthShort),
    ("MS", Key::Millisecond),
    ("OF", Key::Offset),
    ("P.M.", Key::Meridian),
    ("PM", Key::Meridian),
    ("Q", Key::Quarter),
    ("RM", Key::Roman),
    ("SSSSS", Key::SecondOfDay),
    ("SSSS", Key::SecondOfDay),
    ("SS", Key::Second),
    ("TZH", Key::ZoneHour),
    ("TZM", Key::ZoneMinute),
    ("TZ", Key::Zone),
    ("US", Key::Microsecond),
    ("WW", Key::WeekOfYear),
    ("W", Key::WeekOfMonth),
    ("Y,YYY", Key::YearComma),
    ("YYYY", Key::Year(4)),
    ("YYY", Key::Year(3)),
    ("YY", Key::Year(2)),
    ("Y", Key::Year(1)),
];

fn title(word: &str) -> String {
    let mut s = word.to_ascii_lowercase();
    s[..1].make_ascii_uppercase();
    s
}

fn word_at(s: &str) -> Option<(&'static str, Key, Case)> {
    WORDS.iter().find_map(|(w, k)| {
        if s.starts_with(w) {
            return Some((*w, *k, Case::Upper));
        }
        if s.len() < w.len() || !s.is_char_boundary(w.len()) || !s[..w.len()].eq_ignore_ascii_case(w) {
            return None;
        }
        let have = &s[..w.len()];
        if have == w.to_ascii_lowercase() {
            return Some((*w, *k, Case::Lower));
        }
        let named = matches!(k, Key::DayName | Key::DayShort | Key::MonthName | Key::MonthShort);
        (named && have == title(w)).then_some((*w, *k, Case::Title))
    })
}

/// Takes a template apart.
pub fn parse(format: &str) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let prefix = ["FM", "fm", "TM", "tm"].iter().find(|p| rest.starts_with(**p));
        let fill = prefix.is_some_and(|p| p.eq_ignore_ascii_case("FM"));
        let local = prefix.is_some() && !fill;
        rest = &rest[prefix.map_or(0, |p| p.len())..];
        let mut s = rest;
        if let Some((word, key, case)) = word_at(s) {
            s = &s[word.len()..];
            let mut ordinal = None;
            if s.starts_with("TH") || s.starts_with("th") {
                ordinal = Some(if s.starts_with('T') { Case::Upper } else { Case::Lower });
                s = &s[2..];
            } else if s.starts_with("SP") {
                s = &s[2..];
            }
            let dots = word.contains('.');
            nodes.push(Node::Field { key, case, dots, fill, local, ordinal, word });
            rest = s;
            continue;
        }
        if rest.is_empty() {
            break;
        }
        if let Some(q) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut it = q.char_indices();
            let mut end = q.len();
            while let Some((i, c)) = it.next() {
                match c {
                    '"' => {
                        end = i + 1;
                        break;
                    }
                    '\\' => {
                        text.push(it.next().map_or('\\', |(_, c)| c));
                    }
                    c => text.push(c),
                }
            }
            nodes.push(Node::Text { text, quoted: true });
            rest = &q[end..];
            continue;
        }
        let mut it = rest.chars();
        let mut c = it.next().unwrap_or(' ');
        if c == '\\' && rest[1..].starts_with('"') {
            it.next();
            c = '"';
        }
        match nodes.last_mut() {
            Some(Node::Text { text, quoted: false }) => text.push(c),
            _ => nodes.push(Node::Text { text: c.into(), quoted: false }),
        }
        rest = it.as_str();
    }
    nodes
}
