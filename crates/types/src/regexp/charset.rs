//! Sets of characters, as bracket expressions and class escapes make them.

use crate::locale::{Ctype, lower_char as lower, upper_char as upper};

/// A named class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Alnum,
    Alpha,
    Ascii,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
    Word,
}

impl Class {
    /// The class of a name in `[: :]`.
    pub fn of(name: &str) -> Option<Class> {
        use Class::*;
        Some(match name {
            "alnum" => Alnum,
            "alpha" => Alpha,
            "ascii" => Ascii,
            "blank" => Blank,
            "cntrl" => Cntrl,
            "digit" => Digit,
            "graph" => Graph,
            "lower" => Lower,
            "print" => Print,
            "punct" => Punct,
            "space" => Space,
            "upper" => Upper,
            "xdigit" => Xdigit,
            "word" => Word,
            _ => return None,
        })
    }
    /// Is the character in the class?
    pub fn has(self, c: char, ctype: Ctype) -> bool {
        if c.is_ascii() { self.has_ascii(c) } else { self.has_beyond(c, ctype) }
    }
    fn has_ascii(self, c: char) -> bool {
        match self {
            Class::Alnum => c.is_ascii_alphanumeric(),
            Class::Alpha => c.is_ascii_alphabetic(),
            Class::Ascii => true,
            Class::Blank => matches!(c, ' ' | '\t'),
            Class::Cntrl => c.is_ascii_control(),
            Class::Digit => c.is_ascii_digit(),
            Class::Graph => c.is_ascii_graphic(),
            Class::Lower => c.is_ascii_lowercase(),
            Class::Print => c.is_ascii_graphic() || c == ' ',
            Class::Punct => c.is_ascii_punctuation(),
            Class::Space => matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c'),
            Class::Upper => c.is_ascii_uppercase(),
            Class::Xdigit => c.is_ascii_hexdigit(),
            Class::Word => c.is_ascii_alphanumeric() || c == '_',
        }
    }
    fn has_beyond(self, c: char, ctype: Ctype) -> bool {
        match self {
            Class::Alnum | Class::Word => ctype.is_alnum(c),
            Class::Alpha => ctype.is_alpha(c),
            Class::Ascii | Class::Xdigit | Class::Blank => false,
            Class::Cntrl => c <= '\u{9f}',
            Class::Digit => ctype.is_digit(c),
            Class::Graph => ctype.is_graph(c),
            Class::Lower => ctype.is_lower(c),
            Class::Print => ctype.is_print(c),
            Class::Punct => ctype.is_punct(c),
            Class::Space => ctype.is_space(c),
            Class::Upper => ctype.is_upper(c),
        }
    }
}

/// Names of characters in `[. .]`.
const NAMES: &[(&str, u8)] = &[
    ("NUL", 0),
    ("SOH", 1),
    ("STX", 2),
    ("ETX", 3),
    ("EOT", 4),
    ("ENQ", 5),
    ("ACK", 6),
    ("BEL", 7),
    ("alert", 7),
    ("BS", 8),
    ("backspace", 8),
    ("HT", 9),
    ("tab", 9),
    ("LF", 10),
    ("newline", 10),
    ("VT", 11),
    ("vertical-tab", 11),
    ("FF", 12),
    ("form-feed", 12),
    ("CR", 13),
    ("carriage-return", 13),
    ("SO", 14),
    ("SI", 15),
    ("DLE", 16),
    ("DC1", 17),
    ("DC2", 18),
    ("DC3", 19),
    ("DC4", 20),
    ("NAK", 21),
    ("SYN", 22),
    ("ETB", 23),
    ("CAN", 24),
    ("EM", 25),
    ("SUB", 26),
    ("ESC", 27),
    ("IS4", 28),
    ("FS", 28),
    ("IS3", 29),
    ("GS", 29),
    ("IS2", 30),
    ("RS", 30),
    ("IS1", 31),
    ("US", 31),
    ("space", b' '),
    ("exclamation-mark", b'!'),
    ("quotation-mark", b'"'),
    ("number-sign", b'#'),
    ("dollar-sign", b'$'),
    ("percent-sign", b'%'),
    ("ampersand", b'&'),
    ("apostrophe", b'\''),
    ("left-parenthesis", b'('),
    ("right-parenthesis", b')'),
    ("asterisk", b'*'),
    ("plus-sign", b'+'),
    ("comma", b','),
    ("hyphen", b'-'),
    ("hyphen-minus", b'-'),
    ("period", b'.'),
    ("full-stop", b'.'),
    ("slash", b'/'),
    ("solidus", b'/'),
    ("zero", b'0'),
    ("one", b'1'),
    ("two", b'2'),
    ("three", b'3'),
    ("four", b'4'),
    ("five", b'5'),
    ("six", b'6'),
    ("seven", b'7'),
    ("eight", b'8'),
    ("nine", b'9'),
    ("colon", b':'),
    ("semicolon", b';'),
    ("less-than-sign", b'<'),
    ("equals-sign", b'='),
    ("greater-than-sign", b'>'),
    ("question-mark", b'?'),
    ("commercial-at", b'@'),
    ("left-square-bracket", b'['),
    ("backslash", b'\\'),
    ("reverse-solidus", b'\\'),
    ("right-square-bracket", b']'),
    ("circumflex", b'^'),
    ("circumflex-accent", b'^'),
    ("underscore", b'_'),
    ("low-line", b'_'),
    ("grave-accent", b'`'),
    ("left-brace", b'{'),
    ("left-curly-bracket", b'{'),
    ("vertical-line", b'|'),
    ("right-brace", b'}'),
    ("right-curly-bracket", b'}'),
    ("tilde", b'~'),
    ("DEL", 127),
];

/// The character of a name in `[. .]`, which may be the character itself.
pub fn collating_element(name: &str) -> Option<char> {
    let mut it = name.chars();
    if let (Some(c), None) = (it.next(), it.next()) {
        return Some(c);
    }
    NAMES.iter().find(|(n, _)| *n == name).map(|(_, c)| char::from(*c))
}

/// A set of characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CharSet {
    pub ranges: Vec<(char, char)>,
    /// Classes, and whether their complement is meant.
    pub classes: Vec<(Class, bool)>,
    pub negated: bool,
    /// A line end is not in it, whatever the rest says.
    pub no_newline: bool,
    pub fold_case: bool,
}

impl CharSet {
    /// The set of one character.
    pub fn one(c: char, fold_case: bool) -> CharSet {
        let folds = fold_case && (c.is_alphabetic() || !c.is_ascii());
        CharSet { ranges: vec![(c, c)], fold_case: folds, ..CharSet::default() }
    }
    /// The set of a class or of its complement.
    pub fn class(class: Class, complement: bool) -> CharSet {
        CharSet { classes: vec![(class, complement)], ..CharSet::default() }
    }
    /// All characters.
    pub fn any(no_newline: bool) -> CharSet {
        CharSet { negated: true, no_newline, ..CharSet::default() }
    }
    /// The only character of the set, if it is so.
    pub fn single(&self) -> Option<char> {
        match (&self.ranges[..], &self.classes[..]) {
            ([(a, b)], []) if a == b && !self.negated && !self.fold_case => Some(*a),
            _ => None,
        }
    }
    fn listed(&self, c: char, ctype: Ctype) -> bool {
        self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c))
            || self.classes.iter().any(|(k, complement)| k.has(c, ctype) != *complement)
    }
    /// Is the character in the set?
    pub fn has(&self, c: char, ctype: Ctype) -> bool {
        if self.no_newline && c == '\n' {
            return false;
        }
        let hit = self.listed(c, ctype)
            || (self.fold_case && {
                let (l, u) = (lower(c, ctype), upper(c, ctype));
                (l != c && self.listed(l, ctype)) || (u != c && self.listed(u, ctype))
            });
        hit != self.negated
    }
}
