//! LIKE and regular expressions: the fixed prefix of a pattern, and selectivity from it.

use super::scalar::{eq_const, histogram_ineq, mcv_sel};
use super::variable::VarData;
use super::*;
use crate::root::Glob;
use analyze::expr::Const;
use common::Oid;
use types::{Datum, oids};

/// What a pattern fixes at its start.
#[derive(Clone, Debug, PartialEq)]
pub enum Prefix {
    None,
    Partial(Vec<u8>),
    Exact(Vec<u8>),
}

/// Kind of pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternKind {
    Like,
    LikeIc,
    Regex,
    RegexIc,
    StartsWith,
}

/// The fixed prefix of a pattern and the selectivity of what follows it.
pub fn prefix(kind: PatternKind, pat: &[u8]) -> (Prefix, f64) {
    match kind {
        PatternKind::StartsWith => (Prefix::Partial(pat.to_vec()), 1.0),
        PatternKind::Like | PatternKind::LikeIc => like_prefix(pat, kind == PatternKind::LikeIc),
        PatternKind::Regex | PatternKind::RegexIc => regex_prefix(pat, kind == PatternKind::RegexIc),
    }
}

fn like_prefix(pat: &[u8], ic: bool) -> (Prefix, f64) {
    let mut out = Vec::new();
    let mut i = 0;
    while i < pat.len() {
        match pat[i] {
            b'%' | b'_' => break,
            b'\\' => {
                i += 1;
                if i >= pat.len() {
                    break;
                }
            }
            c if ic && (c.is_ascii_alphabetic() || c >= 128) => break,
            _ => {}
        }
        out.push(pat[i]);
        i += 1;
    }
    if i >= pat.len() {
        return (Prefix::Exact(out), 1.0);
    }
    let rest = like_rest(&pat[i..], ic);
    if out.is_empty() { (Prefix::None, rest) } else { (Prefix::Partial(out), rest) }
}

const FIXED_CHAR_SEL: f64 = 0.20;

fn like_rest(pat: &[u8], _ic: bool) -> f64 {
    let mut s = 1.0;
    let mut i = 0;
    while i < pat.len() && (pat[i] == b'%' || pat[i] == b'_') {
        i += 1;
    }
    while i < pat.len() {
        match pat[i] {
            b'%' => s *= 5.0,
            b'_' => s *= 0.9,
            b'\\' => {
                i += 1;
                if i >= pat.len() {
                    break;
                }
                s *= FIXED_CHAR_SEL;
            }
            _ => s *= FIXED_CHAR_SEL,
        }
        i += 1;
    }
    f64::min(s, 1.0)
}

fn regex_prefix(pat: &[u8], ic: bool) -> (Prefix, f64) {
    let anchored = pat.first() == Some(&b'^');
    let special = |c: u8| {
        matches!(c, b'.' | b'[' | b'(' | b')' | b'*' | b'+' | b'?' | b'{' | b'|' | b'\\' | b'$' | b'^')
    };
    let body = if anchored { &pat[1..] } else { pat };
    let mut n = 0;
    if anchored && !ic && !pat.contains(&b'|') {
        while n < body.len() && !special(body[n]) {
            n += 1;
        }
        // A quantifier makes the character before it optional.
        if n < body.len() && matches!(body[n], b'*' | b'?' | b'{') && n > 0 {
            n -= 1;
        }
    }
    let fixed = body[..n].to_vec();
    let rest = &body[n..];
    if anchored && rest == b"$" && !fixed.is_empty() {
        return (Prefix::Exact(fixed), 1.0);
    }
    let mut s = 1.0;
    for &c in rest {
        if c == b'$' {
            continue;
        }
        s *= if special(c) { 0.9 } else { FIXED_CHAR_SEL };
    }
    if pat.last() != Some(&b'$') {
        s *= 5.0;
    }
    let s = f64::min(s, 1.0);
    if fixed.is_empty() { (Prefix::None, s) } else { (Prefix::Partial(fixed), s) }
}

/// The smallest string greater than everything that starts with `p`, bytewise.
pub fn greater_string(p: &[u8]) -> Option<Vec<u8>> {
    let mut v = p.to_vec();
    while let Some(last) = v.pop() {
        // UTF-8 strings stay valid if only ASCII is incremented.
        if last < 0x7f {
            v.push(last + 1);
            return Some(v);
        }
        while v.last().is_some_and(|b| b & 0xc0 == 0x80) {
            v.pop();
        }
    }
    None
}

/// The comparison function of a string type: (`=`, `<`, `>=`) functions.
pub fn string_funcs(ty: Oid) -> (Oid, Oid, Oid) {
    match ty {
        oids::BPCHAR => (Oid(1048), Oid(1049), Oid(1052)),
        oids::NAME => (Oid(62), Oid(655), Oid(657)),
        oids::BYTEA => (Oid(1948), Oid(1949), Oid(1952)),
        _ => (Oid(67), Oid(740), Oid(743)),
    }
}

/// Selectivity of `var ~~ constant` and kin.
pub fn pattern_sel(
    g: &Glob<'_>,
    d: &VarData,
    funcid: Oid,
    kind: PatternKind,
    c: &Const,
    coll: Oid,
    negate: bool,
) -> f64 {
    if c.value.is_null() {
        return 0.0;
    }
    let Datum::Bytes(pat) = &c.value else { return DEFAULT_MATCH_SEL };
    let null = d.null_frac();
    let (pre, rest) = prefix(kind, pat);
    let str_type = if d.vartype == oids::VARCHAR { oids::TEXT } else { d.vartype };
    let (eqf, ltf, gef) = string_funcs(str_type);
    let konst = |b: &[u8]| Const {
        consttype: if d.vartype == oids::NAME { oids::TEXT } else { str_type },
        typmod: -1,
        collation: c.collation,
        value: Datum::bytes(b),
        location: None,
    };
    let mut s;
    if let Prefix::Exact(p) = &pre {
        s = eq_const(g, d, eqf, &konst(p), true, coll, false);
    } else {
        let (hist, size) = histogram_match(g, d, funcid, c, coll);
        let hist_ok = size >= 100;
        s = hist.unwrap_or(-1.0);
        if !hist_ok {
            let pre_sel = match &pre {
                Prefix::Partial(p) => prefix_sel(g, d, (eqf, ltf, gef), p, &konst, coll),
                _ => 1.0,
            };
            let heur = pre_sel * rest;
            if s < 0.0 {
                s = heur;
            } else {
                let w = size as f64 / 100.0;
                s = s * w + heur * (1.0 - w);
            }
        }
        s = s.clamp(0.0001, 0.9999);
        let (mcv, sum) = mcv_sel(g, d, funcid, c, true, coll);
        s *= 1.0 - null - sum;
        s += mcv;
    }
    if negate {
        s = 1.0 - s - null;
    }
    clamp(s)
}

/// Share of the inner histogram bounds that match, if there are at least ten.
fn histogram_match(g: &Glob<'_>, d: &VarData, funcid: Oid, c: &Const, coll: Oid) -> (Option<f64>, usize) {
    let Some(st) = &d.stats else { return (None, 0) };
    let n = st.histogram.len();
    if n < 10 {
        return (None, n);
    }
    let inner = &st.histogram[1..n - 1];
    match g.ev().filter_column(funcid, inner, d.vartype, &c.value, c.consttype, false, coll) {
        Some(h) => (Some(h.iter().filter(|b| **b).count() as f64 / inner.len() as f64), n),
        None => (None, 0),
    }
}

fn prefix_sel(
    g: &Glob<'_>,
    d: &VarData,
    f: (Oid, Oid, Oid),
    p: &[u8],
    konst: &dyn Fn(&[u8]) -> Const,
    coll: Oid,
) -> f64 {
    let Some(mut s) = histogram_ineq(g, d, f.2, true, true, &konst(p), coll) else {
        return DEFAULT_MATCH_SEL;
    };
    if let Some(gs) = greater_string(p)
        && let Some(top) = histogram_ineq(g, d, f.1, false, false, &konst(&gs), coll)
    {
        s = top + s - 1.0;
        s += 0.0;
    }
    let eq = eq_const(g, d, f.0, &konst(p), true, coll, false);
    s.max(eq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let like = |p: &str| prefix(PatternKind::Like, p.as_bytes()).0;
        assert_eq!(like("abc%"), Prefix::Partial(b"abc".to_vec()));
        assert_eq!(like("abc"), Prefix::Exact(b"abc".to_vec()));
        assert_eq!(like("a\\%b%"), Prefix::Partial(b"a%b".to_vec()));
        assert_eq!(like("%abc"), Prefix::None);
        assert_eq!(prefix(PatternKind::LikeIc, b"a1%").0, Prefix::None);
        assert_eq!(prefix(PatternKind::Regex, b"^abc*").0, Prefix::Partial(b"ab".to_vec()));
        assert_eq!(prefix(PatternKind::Regex, b"abc").0, Prefix::None);
    }

    #[test]
    fn next_string() {
        assert_eq!(greater_string(b"abc"), Some(b"abd".to_vec()));
        assert_eq!(greater_string(b"ab\x7f"), Some(b"ac".to_vec()));
        assert_eq!(greater_string(b"\x7f"), None);
    }
}
