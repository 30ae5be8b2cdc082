//! What characters are: classes as each provider has them, and the forms of single characters in the other case.

use icu_casemap::CaseMapperBorrowed;
use icu_properties::props::{Alphabetic, GeneralCategory, Lowercase, Uppercase};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Languages whose case mapping differs from all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseRules {
    #[default]
    Root,
    Armenian,
    Dutch,
    Greek,
    Lithuanian,
    Turkic,
}

impl CaseRules {
    /// Those of a language.
    pub(super) fn of(language: &str) -> CaseRules {
        match language {
            "hy" => CaseRules::Armenian,
            "nl" => CaseRules::Dutch,
            "el" => CaseRules::Greek,
            "lt" => CaseRules::Lithuanian,
            "tr" | "az" => CaseRules::Turkic,
            _ => CaseRules::Root,
        }
    }
}

/// Whose rules say what a letter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ctype {
    /// Only ASCII has letters (C and POSIX).
    #[default]
    Ascii,
    /// Those of C.UTF-8 in glibc: one character for one.
    Posix,
    /// ICU's.
    Icu(CaseRules),
}

use GeneralCategory as G;

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_letter(g: G) -> bool {
    matches!(
        g,
        G::UppercaseLetter | G::LowercaseLetter | G::TitlecaseLetter | G::ModifierLetter | G::OtherLetter
    )
}
fn is_control(g: G) -> bool {
    matches!(g, G::Control | G::Format | G::Surrogate | G::Unassigned)
}
fn is_separator(g: G) -> bool {
    matches!(g, G::SpaceSeparator | G::LineSeparator | G::ParagraphSeparator)
}
fn is_punctuation(g: G) -> bool {
    matches!(
        g,
        G::DashPunctuation
            | G::OpenPunctuation
            | G::ClosePunctuation
            | G::ConnectorPunctuation
            | G::OtherPunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation
    )
}

/// Spaces at which a line may not break are none to glibc.
fn posix_space(c: char, g: G) -> bool {
    is_separator(g) && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}
fn posix_alpha(c: char, g: G) -> bool {
    CodePointSetData::new::<Alphabetic>().contains(c) || g == G::DecimalNumber
}
fn posix_lower(c: char) -> bool {
    upper_char(c, Ctype::Posix) != c || CodePointSetData::new::<Lowercase>().contains(c)
}
fn posix_upper(c: char) -> bool {
    lower_char(c, Ctype::Posix) != c || CodePointSetData::new::<Uppercase>().contains(c)
}

/// Classes of characters beyond ASCII.
impl Ctype {
    pub fn is_alpha(self, c: char) -> bool {
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => posix_alpha(c, category(c)),
            Ctype::Icu(_) => is_letter(category(c)),
        }
    }
    pub fn is_digit(self, c: char) -> bool {
        matches!(self, Ctype::Icu(_)) && category(c) == G::DecimalNumber
    }
    pub fn is_alnum(self, c: char) -> bool {
        self.is_alpha(c) || self.is_digit(c)
    }
    pub fn is_upper(self, c: char) -> bool {
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => posix_upper(c),
            Ctype::Icu(_) => category(c) == G::UppercaseLetter,
        }
    }
    pub fn is_lower(self, c: char) -> bool {
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => posix_lower(c),
            Ctype::Icu(_) => category(c) == G::LowercaseLetter,
        }
    }
    pub fn is_graph(self, c: char) -> bool {
        let g = category(c);
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => self.is_print(c) && !posix_space(c, g),
            Ctype::Icu(_) => !is_control(g) && !is_separator(g),
        }
    }
    pub fn is_print(self, c: char) -> bool {
        let g = category(c);
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => !matches!(
                g,
                G::Control | G::Surrogate | G::Unassigned | G::LineSeparator | G::ParagraphSeparator
            ),
            Ctype::Icu(_) => !is_control(g) && g != G::PrivateUse,
        }
    }
    pub fn is_punct(self, c: char) -> bool {
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => self.is_graph(c) && !self.is_alpha(c),
            Ctype::Icu(_) => is_punctuation(category(c)),
        }
    }
    pub fn is_space(self, c: char) -> bool {
        match self {
            Ctype::Ascii => false,
            Ctype::Posix => posix_space(c, category(c)),
            Ctype::Icu(_) => c == '\u{85}' || is_separator(category(c)),
        }
    }
}

/// The lower-case form of a character, one for one.
pub fn lower_char(c: char, ctype: Ctype) -> char {
    match ctype {
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        Ctype::Ascii => c,
        _ => CaseMapperBorrowed::new().simple_lowercase(c),
    }
}
/// The upper-case form of a character, one for one.
pub fn upper_char(c: char, ctype: Ctype) -> char {
    match ctype {
        _ if c.is_ascii() => c.to_ascii_uppercase(),
        Ctype::Ascii => c,
        _ => CaseMapperBorrowed::new().simple_uppercase(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let icu = Ctype::Icu(CaseRules::Root);
        assert!(icu.is_alpha('é') && Ctype::Posix.is_alpha('é') && !Ctype::Ascii.is_alpha('é'));
        assert!(icu.is_digit('٣') && !Ctype::Posix.is_digit('٣') && Ctype::Posix.is_alpha('٣'));
        assert!(Ctype::Posix.is_upper('ℂ') && Ctype::Posix.is_upper('ǅ') && !icu.is_upper('ǅ'));
        assert!(icu.is_space('\u{a0}') && !Ctype::Posix.is_space('\u{a0}'));
        assert!(Ctype::Posix.is_punct('€') && !icu.is_punct('€'));
        assert_eq!((lower_char('İ', icu), upper_char('ß', icu)), ('i', 'ß'));
    }
}
