//! Collations at run time: how strings compare, and what their characters are. A [`Collation`] is what every comparison,
//! hash and string function is called with; it is the OID of a `pg_collation` row and, unless the collation is C, its
//! [`Locale`]. The catalog makes one of an OID; nothing below it looks anything up.
//!
//! A locale without a value is C: order of bytes, ASCII letters. That is the case the loops are written for; all else
//! is behind one test a batch.

mod casemap;
mod code;
mod ctype;
mod icu;

pub use casemap::{initcap, lower, upper};
pub use code::{Code, OwnCode, own_cmp, own_hash, own_kernel};
pub use ctype::{Ctype, lower_char, upper_char};
pub use icu::{ICU_VERSION, IcuLocale};

use common::{Error, Oid, Result, bail, err};
use std::cmp::Ordering;

/// The error of a comparison, a case mapping or a match whose arguments' collations contradict each other.
#[cold]
pub fn indeterminate(what: &str) -> Error {
    err!(INDETERMINATE_COLLATION, "could not determine which collation to use for {what}")
        .hint("Use the COLLATE clause to set the collation explicitly.")
}

/// How a locale orders strings.
#[derive(Debug)]
enum Order {
    /// Code points, which is the order of the bytes.
    CodePoints,
    Icu(Box<IcuLocale>),
}

/// Rules of a provider for one locale. Made once for each locale a session uses and kept to its end, which is why
/// [`Collation`] can be copied freely.
#[derive(Debug)]
pub struct Locale {
    order: Order,
    ctype: Ctype,
    deterministic: bool,
    /// Is the order the one of the C locale by name? Only then a prefix of a pattern is a range of the order.
    collate_is_c: bool,
}

/// The locales libc knows by name here, as (order is C's by name, character rules).
fn libc_names(name: &str) -> Option<bool> {
    match name {
        "C" | "POSIX" => Some(true),
        n if n.eq_ignore_ascii_case("C.UTF-8") || n.eq_ignore_ascii_case("C.UTF8") => Some(false),
        _ => None,
    }
}

/// Does libc have the locale?
pub fn libc_has(name: &str) -> bool {
    libc_names(name).is_some()
}

impl Locale {
    /// A locale of libc; `None` is C. 22023 if there is no such locale.
    pub fn libc(collate: &str, ctype: &str) -> Result<Option<Locale>> {
        let known = |n: &str| {
            libc_names(n).ok_or_else(|| {
                err!(INVALID_PARAMETER_VALUE, "could not create locale \"{n}\": No such file or directory")
                    .detail(format!(
                        "The operating system could not find any locale data for the locale name \"{n}\"."
                    ))
            })
        };
        let (collate_is_c, ctype_is_c) = (known(collate)?, known(ctype)?);
        if collate_is_c && ctype_is_c {
            return Ok(None);
        }
        Ok(Some(Locale {
            order: Order::CodePoints,
            ctype: if ctype_is_c { Ctype::Ascii } else { Ctype::Posix },
            deterministic: true,
            collate_is_c,
        }))
    }
    /// A locale of ICU. 0A000 for attributes that are not there.
    pub fn icu(name: &str, deterministic: bool) -> Result<Locale> {
        let icu = IcuLocale::new(name)?;
        let ctype = Ctype::Icu(icu.case_rules());
        Ok(Locale { order: Order::Icu(Box::new(icu)), ctype, deterministic, collate_is_c: false })
    }

    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match &self.order {
            Order::CodePoints => a.cmp(b),
            Order::Icu(_) if a == b => Ordering::Equal,
            Order::Icu(c) => match c.compare(a, b) {
                Ordering::Equal if self.deterministic => a.cmp(b),
                o => o,
            },
        }
    }
}

/// The collation of a comparison, a hash or a call.
#[derive(Clone, Copy)]
pub struct Collation {
    /// Row of `pg_collation`; invalid where no collation applies, or none could be chosen.
    pub oid: Oid,
    locale: Option<&'static Locale>,
    /// What the function called with this collation runs, where that is a user's.
    code: Option<&'static OwnCode>,
}

impl std::fmt::Debug for Collation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Collation({})", self.oid)
    }
}

impl PartialEq for Collation {
    fn eq(&self, o: &Collation) -> bool {
        self.oid == o.oid
    }
}

impl Collation {
    /// None: for values that have no collation. Strings compare as in C.
    pub const NONE: Collation = Collation { oid: Oid::INVALID, locale: None, code: None };
    /// The collation C.
    pub const C: Collation = Collation { oid: Oid(950), locale: None, code: None };

    /// A collation of the catalog.
    pub fn new(oid: Oid, locale: Option<&'static Locale>) -> Collation {
        Collation { oid, locale, code: None }
    }
    /// The same, for a function whose code this is.
    pub fn with_code(self, code: &'static OwnCode) -> Collation {
        Collation { code: Some(code), ..self }
    }
    /// The code of the function called with it.
    #[inline]
    pub fn code(self) -> Option<&'static OwnCode> {
        self.code
    }
    /// The error of a comparison by a user's function.
    #[inline]
    pub fn check(self) -> Result<()> {
        self.code.map_or(Ok(()), |c| c.0.check())
    }
    /// The locale, unless it is C.
    #[inline]
    pub fn locale(self) -> Option<&'static Locale> {
        self.locale
    }
    /// Is the order that of the bytes?
    #[inline]
    pub fn by_bytes(self) -> bool {
        self.locale.is_none_or(|l| matches!(l.order, Order::CodePoints))
    }
    /// Is the order that of the C locale, as the planner needs it for prefixes of patterns?
    pub fn collate_is_c(self) -> bool {
        self.locale.is_none_or(|l| l.collate_is_c)
    }
    /// Are strings equal only if their bytes are?
    #[inline]
    pub fn is_deterministic(self) -> bool {
        self.locale.is_none_or(|l| l.deterministic)
    }
    /// What characters are.
    #[inline]
    pub fn ctype(self) -> Ctype {
        self.locale.map_or(Ctype::Ascii, |l| l.ctype)
    }
    /// Order of two strings.
    #[inline]
    pub fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self.locale {
            None => a.cmp(b),
            Some(l) => l.compare(a, b),
        }
    }
    /// Equality of two strings.
    #[inline]
    pub fn equal(self, a: &[u8], b: &[u8]) -> bool {
        match self.locale {
            Some(l) if !l.deterministic => l.compare(a, b).is_eq(),
            _ => a == b,
        }
    }
    /// Appends bytes whose order is that of the strings (of equal ones the same bytes, if the collation is not
    /// deterministic). `false` if the order is that of the bytes: nothing is appended.
    pub fn sort_key(self, s: &[u8], out: &mut Vec<u8>) -> bool {
        match self.locale.map(|l| &l.order) {
            None | Some(Order::CodePoints) => false,
            Some(Order::Icu(c)) => {
                c.sort_key(s, out);
                true
            }
        }
    }
    /// Hash that equal strings share.
    #[inline]
    pub fn hash(self, s: &[u8]) -> u64 {
        if self.is_deterministic() {
            return crate::hash::hash_bytes(s);
        }
        let mut key = Vec::with_capacity(2 * s.len() + 8);
        self.sort_key(s, &mut key);
        crate::hash::hash_bytes(&key)
    }
    /// 42P22 if no collation could be chosen for something that needs one.
    #[inline]
    pub fn require(self, what: &str) -> Result<()> {
        if self.oid.is_valid() { Ok(()) } else { Err(indeterminate(what)) }
    }
    /// 0A000 for what nondeterministic collations cannot do.
    pub fn require_deterministic(self, what: &str) -> Result<()> {
        if self.is_deterministic() {
            return Ok(());
        }
        bail!(FEATURE_NOT_SUPPORTED, "nondeterministic collations are not supported for {what}")
    }
}
