//! `lower`, `upper` and `initcap`: byte by byte in C, character by character in C.UTF-8, by Unicode's full mapping and the
//! language's own rules in ICU's locales.

use super::ctype::{CaseRules, Ctype, lower_char, upper_char};
use icu_casemap::options::TitlecaseOptions;
use icu_casemap::{CaseMapperBorrowed, TitlecaseMapper};
use icu_locale_core::{LanguageIdentifier, langid};
use unicode_segmentation::UnicodeSegmentation;

impl CaseRules {
    fn language(self) -> LanguageIdentifier {
        match self {
            CaseRules::Root => LanguageIdentifier::UNKNOWN,
            CaseRules::Armenian => langid!("hy"),
            CaseRules::Dutch => langid!("nl"),
            CaseRules::Greek => langid!("el"),
            CaseRules::Lithuanian => langid!("lt"),
            CaseRules::Turkic => langid!("tr"),
        }
    }
    /// Do ASCII letters map as everywhere?
    fn ascii_is_plain(self) -> bool {
        !matches!(self, CaseRules::Turkic | CaseRules::Lithuanian)
    }
}

fn each_char(s: &str, out: &mut Vec<u8>, mut f: impl FnMut(char) -> char) {
    let mut buf = [0; 4];
    for c in s.chars() {
        out.extend_from_slice(f(c).encode_utf8(&mut buf).as_bytes());
    }
}

/// Word boundaries of CLDR differ from Unicode's in that these part words.
const COLONS: [char; 3] = [':', '\u{fe55}', '\u{ff1a}'];

/// Appends the string in lower case.
pub fn lower(ctype: Ctype, s: &str, out: &mut Vec<u8>) {
    match ctype {
        Ctype::Icu(r) if !(s.is_ascii() && r.ascii_is_plain()) => {
            let mapped = CaseMapperBorrowed::new().lowercase_to_string(s, &r.language());
            out.extend_from_slice(mapped.as_bytes());
        }
        Ctype::Posix if !s.is_ascii() => each_char(s, out, |c| lower_char(c, ctype)),
        _ => out.extend(s.bytes().map(|b| b.to_ascii_lowercase())),
    }
}

/// Appends the string in upper case.
pub fn upper(ctype: Ctype, s: &str, out: &mut Vec<u8>) {
    match ctype {
        Ctype::Icu(r) if !(s.is_ascii() && r.ascii_is_plain()) => {
            let mapped = CaseMapperBorrowed::new().uppercase_to_string(s, &r.language());
            out.extend_from_slice(mapped.as_bytes());
        }
        Ctype::Posix if !s.is_ascii() => each_char(s, out, |c| upper_char(c, ctype)),
        _ => out.extend(s.bytes().map(|b| b.to_ascii_uppercase())),
    }
}

/// Appends the string with the first letter of each word in upper case, the rest in lower case. Words are runs of
/// letters and digits; in ICU's locales what Unicode's word boundaries part.
pub fn initcap(ctype: Ctype, s: &str, out: &mut Vec<u8>) {
    if let Ctype::Icu(r) = ctype {
        let (mapper, language) = (TitlecaseMapper::new(), r.language());
        for word in s.split_word_bounds().flat_map(|w| w.split_inclusive(COLONS)) {
            let mapped = mapper.titlecase_segment_to_string(word, &language, TitlecaseOptions::default());
            out.extend_from_slice(mapped.as_bytes());
        }
        return;
    }
    let mut inside = false;
    each_char(s, out, |c| {
        let mapped = if inside { lower_char(c, ctype) } else { upper_char(c, ctype) };
        inside = if c.is_ascii() { c.is_ascii_alphanumeric() } else { ctype.is_alnum(c) };
        mapped
    });
}
