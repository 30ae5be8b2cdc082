//! Locales of ICU: names in both spellings (`de-u-co-phonebk`, `de@collation=phonebook`), and collators made of them. The
//! data is compiled in and read-only; a collator is a handful of references to it.

use super::ctype::CaseRules;
use common::{Error, Result};
use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, MaxVariable, Strength};
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale as Tag;
use std::cmp::Ordering;

/// What `collversion` says: the version of CLDR the data is made of.
pub const ICU_VERSION: &str = "49";

/// A collator, and the language its case mapping follows.
#[derive(Debug)]
pub struct IcuLocale {
    collator: CollatorBorrowed<'static>,
    rules: CaseRules,
}

/// Attribute names of the old spelling: (old, key of BCP 47).
const OLD_KEYS: &[(&str, &str)] = &[
    ("collation", "co"),
    ("colstrength", "ks"),
    ("colalternate", "ka"),
    ("colcaselevel", "kc"),
    ("colcasefirst", "kf"),
    ("colnumeric", "kn"),
    ("colbackwards", "kb"),
    ("colnormalization", "kk"),
    ("colhiraganaquaternary", "kh"),
    ("colreorder", "kr"),
    ("kv", "kv"),
];

/// Values of the old spelling whose name differs.
const OLD_VALUES: &[(&str, &str)] = &[
    ("primary", "level1"),
    ("secondary", "level2"),
    ("tertiary", "level3"),
    ("quaternary", "level4"),
    ("quarternary", "level4"),
    ("identical", "identic"),
    ("non-ignorable", "noignore"),
    ("phonebook", "phonebk"),
    ("traditional", "trad"),
    ("dictionary", "dict"),
    ("gb2312han", "gb2312"),
    ("yes", "true"),
    ("no", "false"),
];

/// A name in the spelling of BCP 47.
fn bcp47(name: &str) -> String {
    let (base, attributes) = name.split_once('@').unwrap_or((name, ""));
    let base = base.split('.').next().unwrap_or("");
    let mut out = base.replace('_', "-");
    if out.is_empty() || out.eq_ignore_ascii_case("root") {
        out = "und".into();
    } else if out.len() > 5 && out[..5].eq_ignore_ascii_case("root-") {
        out = format!("und-{}", &out[5..]);
    }
    let mut keys: Vec<(&str, String)> = Vec::new();
    for a in attributes.split(';') {
        let Some((k, v)) = a.split_once('=') else { continue };
        let (k, v) = (k.trim().to_ascii_lowercase(), v.trim().to_ascii_lowercase());
        let Some((_, key)) = OLD_KEYS.iter().find(|(old, _)| *old == k) else { continue };
        let value = OLD_VALUES.iter().find(|(old, _)| *old == v).map_or(v.clone(), |(_, new)| (*new).into());
        keys.push((key, value));
    }
    if !keys.is_empty() && !out.contains("-u-") {
        out.push_str("-u");
    }
    for (k, v) in keys {
        out.push('-');
        out.push_str(k);
        if v != "true" {
            out.push('-');
            out.push_str(&v);
        }
    }
    out
}

/// The tag of a name. Whatever cannot be read as one is the root locale, as in ICU.
fn tag(name: &str) -> Tag {
    let full = bcp47(name);
    if let Ok(t) = Tag::try_from_str(&full) {
        return t;
    }
    // The longest part in front that is a tag.
    let mut rest = full.as_str();
    while let Some((front, _)) = rest.rsplit_once('-') {
        if let Ok(t) = Tag::try_from_str(front) {
            return t;
        }
        rest = front;
    }
    Tag::UNKNOWN
}

fn attribute(t: &Tag, key: &str) -> Option<String> {
    let key = key.parse().ok()?;
    t.extensions.unicode.keywords.get(&key).map(|v| v.to_string())
}

fn options(t: &Tag) -> Result<CollatorOptions> {
    let mut o = CollatorOptions::default();
    let on = |v: &str| matches!(v, "" | "true" | "yes");
    if let Some(v) = attribute(t, "ks") {
        o.strength = match v.as_str() {
            "level1" => Some(Strength::Primary),
            "level2" => Some(Strength::Secondary),
            "level3" => Some(Strength::Tertiary),
            "level4" => Some(Strength::Quaternary),
            "identic" => Some(Strength::Identical),
            _ => None,
        };
    }
    if let Some(v) = attribute(t, "ka") {
        o.alternate_handling = match v.as_str() {
            "shifted" => Some(AlternateHandling::Shifted),
            "noignore" => Some(AlternateHandling::NonIgnorable),
            _ => None,
        };
    }
    if let Some(v) = attribute(t, "kc") {
        o.case_level = Some(if on(&v) { CaseLevel::On } else { CaseLevel::Off });
    }
    if let Some(v) = attribute(t, "kv") {
        o.max_variable = match v.as_str() {
            "space" => Some(MaxVariable::Space),
            "punct" => Some(MaxVariable::Punctuation),
            "symbol" => Some(MaxVariable::Symbol),
            "currency" => Some(MaxVariable::Currency),
            _ => None,
        };
    }
    if attribute(t, "kb").is_some_and(|v| on(&v)) {
        return Err(Error::unsupported("colBackwards of an ICU locale"));
    }
    if attribute(t, "kr").is_some() {
        return Err(Error::unsupported("colReorder of an ICU locale"));
    }
    Ok(o)
}

impl IcuLocale {
    /// Of a locale's name. 0A000 for attributes that are not there.
    pub fn new(name: &str) -> Result<IcuLocale> {
        let t = tag(name);
        let prefs = CollatorPreferences::from(&t);
        let collator = Collator::try_new(prefs, options(&t)?)
            .map_err(|e| Error::internal(format!("could not open collator for locale \"{name}\": {e}")))?;
        Ok(IcuLocale { collator, rules: CaseRules::of(t.id.language.as_str()) })
    }
    pub(super) fn case_rules(&self) -> CaseRules {
        self.rules
    }
    #[inline]
    pub(super) fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.collator.compare_utf8(a, b)
    }
    pub(super) fn sort_key(&self, s: &[u8], out: &mut Vec<u8>) {
        let Ok(()) = self.collator.write_sort_key_utf8_to(s, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, want) in [
            ("de@collation=phonebook", "de-u-co-phonebk"),
            ("de_DE@collation=phonebook", "de-DE-u-co-phonebk"),
            ("@colStrength=secondary", "und-u-ks-level2"),
            ("en@colNumeric=yes;colCaseFirst=upper", "en-u-kn-kf-upper"),
            ("root", "und"),
            ("", "und"),
            ("en_US", "en-US"),
        ] {
            assert_eq!(bcp47(name), want);
        }
        assert_eq!(tag("nonsense!"), Tag::UNKNOWN);
    }

    #[test]
    fn order() {
        let c =
            |name: &str, a: &str, b: &str| IcuLocale::new(name).unwrap().compare(a.as_bytes(), b.as_bytes());
        assert!(c("en", "a", "B").is_lt());
        assert!(c("de-u-co-phonebk", "Göbel", "Goethe").is_lt());
        assert!(c("sv", "z", "ö").is_lt());
        assert!(c("de", "z", "ö").is_gt());
        assert!(c("en-u-kn", "a2", "a10").is_lt());
        assert!(c("und-u-ks-level2", "a", "A").is_eq());
        assert!(c("@colStrength=primary", "a", "á").is_eq());
        assert!(c("en-u-kf-upper", "a", "A").is_gt());
    }
}
