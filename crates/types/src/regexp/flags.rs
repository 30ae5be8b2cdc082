//! Options of a match, as letters and as embedded options.

use crate::locale::Ctype;
use common::{Result, err};

/// How a pattern is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Advanced regular expressions: the default.
    #[default]
    Advanced,
    /// POSIX extended ones (behind `***:` no pattern is; jsonpath has none).
    Basic,
    /// A plain string.
    Literal,
}

/// Options of a match.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flags {
    pub fold_case: bool,
    pub global: bool,
    /// `.` and `[^…]` do not match a line end.
    pub newline_stops: bool,
    /// `^` and `$` match at line ends.
    pub newline_anchors: bool,
    /// Blanks and comments in the pattern are skipped.
    pub expanded: bool,
    pub flavour: Flavour,
    pub ctype: Ctype,
}

impl Flags {
    /// Reads option letters. 22023.
    pub fn parse(letters: &str) -> Result<Flags> {
        let mut f = Flags::default();
        for c in letters.chars() {
            match c {
                'g' => f.global = true,
                _ if f.set(c) => {}
                _ => {
                    return Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "invalid regular expression option: \"{}\"",
                        c
                    ));
                }
            }
        }
        Ok(f)
    }
    /// Sets one option; is there such a letter? PostgreSQL's `e` switches to the same basic flavour as `b`.
    pub fn set(&mut self, c: char) -> bool {
        match c {
            'i' => self.fold_case = true,
            'c' => self.fold_case = false,
            'n' | 'm' => (self.newline_stops, self.newline_anchors) = (true, true),
            's' => (self.newline_stops, self.newline_anchors) = (false, false),
            'p' => (self.newline_stops, self.newline_anchors) = (true, false),
            'w' => (self.newline_stops, self.newline_anchors) = (false, true),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.flavour = Flavour::Literal,
            'b' | 'e' => self.flavour = Flavour::Basic,
            _ => return false,
        }
        true
    }
}
