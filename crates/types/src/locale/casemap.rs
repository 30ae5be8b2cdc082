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

fn text(s: &[u8]) -> &str {
    std::str::from_utf8(s).unwrap_or("")
}

/// Appends the string in lower case.
pub fn lower(ctype: Ctype, s: &[u8], out: &mut Vec<u8>) {
    match ctype {
        Ctype::Icu(r) if !(s.is_ascii() && r.ascii_is_plain()) => {
            let mapped = CaseMapperBorrowed::new().lowercase_to_string(text(s), &r.language());
            out.extend_from_slice(mapped.as_bytes());
        }
        Ctype::Posix if !s.is_ascii() => each_char(text(s), out, |c| lower_char(c, ctype)),
        _ => out.extend(s.iter().map(u8::to_ascii_lowercase)),
    }
}

/// Appends the string in upper case.
pub fn upper(ctype: Ctype, s: &[u8], out: &mut Vec<u8>) {
    match ctype {
        Ctype::Icu(r) if !(s.is_ascii() && r.ascii_is_plain()) => {
            let mapped = CaseMapperBorrowed::new().uppercase_to_string(text(s), &r.language());
            out.extend_from_slice(mapped.as_bytes());
        }
        Ctype::Posix if !s.is_ascii() => each_char(text(s), out, |c| upper_char(c, ctype)),
        _ => out.extend(s.iter().map(u8::to_ascii_uppercase)),
    }
}

/// Appends the string with the first letter of each word in upper case, the rest in lower case. Words are runs of
/// letters and digits; in ICU's locales what Unicode's word boundaries part.
pub fn initcap(ctype: Ctype, s: &[u8], out: &mut Vec<u8>) {
    let mut inside = false;
    match ctype {
        Ctype::Icu(r) => {
            let (mapper, language) = (TitlecaseMapper::new(), r.language());
            for word in text(s).split_word_bounds().flat_map(|w| w.split_inclusive(COLONS)) {
                let mapped = mapper.titlecase_segment_to_string(word, &language, TitlecaseOptions::default());
                out.extend_from_slice(mapped.as_bytes());
            }
        }
        Ctype::Posix => each_char(text(s), out, |c| {
            let mapped = if inside { lower_char(c, ctype) } else { upper_char(c, ctype) };
            inside = if c.is_ascii() { c.is_ascii_alphanumeric() } else { ctype.is_alnum(c) };
            mapped
        }),
        Ctype::Ascii => out.extend(s.iter().map(|c| {
            let mapped = if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
            inside = c.is_ascii_alphanumeric();
            mapped
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(f: fn(Ctype, &[u8], &mut Vec<u8>), t: Ctype, s: &str) -> String {
        let mut out = Vec::new();
        f(t, s.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn mappings() {
        let (root, tr) = (Ctype::Icu(CaseRules::Root), Ctype::Icu(CaseRules::Turkic));
        assert_eq!(run(upper, root, "straße"), "STRASSE");
        assert_eq!(run(upper, Ctype::Posix, "straße"), "STRAßE");
        assert_eq!(run(upper, Ctype::Ascii, "straße"), "STRAßE");
        assert_eq!(run(upper, tr, "i"), "İ");
        assert_eq!(run(lower, root, "ΣΑΣ"), "σας");
        assert_eq!(run(lower, Ctype::Posix, "ΣΑΣ"), "σασ");
        assert_eq!(run(initcap, root, "a:b 3rd o'neil"), "A:B 3rd O'neil");
        assert_eq!(run(initcap, Ctype::Posix, "ébc o'neil"), "Ébc O'Neil");
        assert_eq!(run(initcap, Ctype::Ascii, "ébc o'neil"), "éBc O'Neil");
    }
}
