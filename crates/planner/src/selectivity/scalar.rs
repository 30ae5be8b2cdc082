//! Selectivity of `=` and of inequalities against one column's statistics.

use super::variable::{VarData, num_distinct};
use super::*;
use crate::exprs::Evaluator;
use crate::root::Glob;
use analyze::expr::*;
use catalog::desc::ColumnStats;
use common::Oid;
use types::{Datum, oids};

/// `var = constant` (or `<>` when `negate`).
pub fn eq_const(
    g: &Glob<'_>,
    d: &VarData,
    funcid: Oid,
    c: &Const,
    var_left: bool,
    coll: Oid,
    negate: bool,
) -> f64 {
    if c.value.is_null() {
        return 0.0;
    }
    let null = d.null_frac();
    let mut s;
    if d.unique && d.rti.is_some() && d.rel_tuples >= 1.0 {
        s = 1.0 / d.rel_tuples;
    } else if let Some(st) = &d.stats {
        if let Some(i) = equal_mcv(g, d, st, funcid, c, var_left, coll) {
            s = f64::from(st.mcv[i].1);
        } else {
            let sum: f64 = st.mcv.iter().map(|m| f64::from(m.1)).sum();
            s = clamp(1.0 - sum - null);
            let other = num_distinct(d).0 - st.mcv.len() as f64;
            if other > 1.0 {
                s /= other;
            }
            if let Some(last) = st.mcv.last() {
                s = s.min(f64::from(last.1));
            }
        }
    } else {
        s = 1.0 / num_distinct(d).0;
    }
    if negate {
        s = 1.0 - s - null;
    }
    clamp(s)
}

/// Which of the most common values equals a constant.
fn equal_mcv(
    g: &Glob<'_>,
    d: &VarData,
    st: &ColumnStats,
    funcid: Oid,
    c: &Const,
    var_left: bool,
    coll: Oid,
) -> Option<usize> {
    let ev = g.ev();
    let quick = |v: &Datum| {
        let (a, b) = if var_left { (v, &c.value) } else { (&c.value, v) };
        ev.quick_test(funcid, a, b, coll)
    };
    if quick(&st.mcv.first()?.0).is_some() {
        return st.mcv.iter().position(|m| quick(&m.0) == Some(true));
    }
    let vals: Vec<Datum> = st.mcv.iter().map(|m| m.0.clone()).collect();
    let hits = g.ev().filter_column(funcid, &vals, d.vartype, &c.value, c.consttype, !var_left, coll)?;
    hits.iter().position(|b| *b)
}

/// `var = something unknown`.
pub fn eq_unknown(d: &VarData, negate: bool) -> f64 {
    let null = d.null_frac();
    let mut s;
    if d.unique && d.rti.is_some() && d.rel_tuples >= 1.0 {
        s = 1.0 / d.rel_tuples;
    } else if let Some(st) = &d.stats {
        s = 1.0 - null;
        let nd = num_distinct(d).0;
        if nd > 1.0 {
            s /= nd;
        }
        if let Some(m) = st.mcv.first() {
            s = s.min(f64::from(m.1));
        }
    } else {
        s = 1.0 / num_distinct(d).0;
    }
    if negate {
        s = 1.0 - s - null;
    }
    clamp(s)
}

/// Share of the most common values that satisfy the operator, and their total share.
pub fn mcv_sel(g: &Glob<'_>, d: &VarData, funcid: Oid, c: &Const, var_left: bool, coll: Oid) -> (f64, f64) {
    let Some(st) = &d.stats else { return (0.0, 0.0) };
    let ev = g.ev();
    let quick = |v: &Datum| {
        let (a, b) = if var_left { (v, &c.value) } else { (&c.value, v) };
        ev.quick_test(funcid, a, b, coll)
    };
    if st.mcv.first().is_some_and(|m| quick(&m.0).is_some()) {
        let hits = st.mcv.iter().filter(|m| quick(&m.0) == Some(true));
        return (hits.map(|m| f64::from(m.1)).sum(), st.mcv.iter().map(|m| f64::from(m.1)).sum());
    }
    let vals: Vec<Datum> = st.mcv.iter().map(|m| m.0.clone()).collect();
    let sum = st.mcv.iter().map(|m| f64::from(m.1)).sum();
    let Some(hits) = g.ev().filter_column(funcid, &vals, d.vartype, &c.value, c.consttype, !var_left, coll)
    else {
        return (0.0, sum);
    };
    let hit = st.mcv.iter().zip(hits).filter(|(_, h)| *h).map(|(m, _)| f64::from(m.1)).sum();
    (hit, sum)
}

/// `var < constant` and kin (`gt`: `>`; `eq`: with equality).
pub fn ineq(g: &Glob<'_>, d: &VarData, funcid: Oid, gt: bool, eq: bool, c: &Const, coll: Oid) -> f64 {
    let Some(_) = &d.stats else {
        return ctid_ineq(d, gt, eq, c).unwrap_or(DEFAULT_INEQ_SEL);
    };
    let (mcv, sum) = mcv_sel(g, d, funcid, c, true, coll);
    let hist = histogram_ineq(g, d, funcid, gt, eq, c, coll);
    let mut s = 1.0 - d.null_frac() - sum;
    s *= hist.unwrap_or(0.5);
    clamp(s + mcv)
}

/// Row addresses grow evenly with the table.
fn ctid_ineq(d: &VarData, gt: bool, eq: bool, c: &Const) -> Option<f64> {
    let Expr::Var(v) = &d.expr else { return None };
    if v.attno != -1 || d.rel_tuples <= 0.0 {
        return None;
    }
    let _ = (gt, eq, c);
    None
}

/// Share of the histogram on the right side of a constant; `None` without histogram.
pub fn histogram_ineq(
    g: &Glob<'_>,
    d: &VarData,
    funcid: Oid,
    gt: bool,
    eq: bool,
    c: &Const,
    coll: Oid,
) -> Option<f64> {
    let st = d.stats.as_ref()?;
    let h = &st.histogram;
    let n = h.len();
    if n < 2 {
        return None;
    }
    let ev = g.ev();
    let (mut lo, mut hi) = (0, n);
    while lo < hi {
        let mid = (lo + hi) / 2;
        let t = ev.test(funcid, (&h[mid], d.vartype), (&c.value, c.consttype), coll)?;
        if t != gt {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    let frac = if lo == 0 {
        0.0
    } else if lo >= n {
        1.0
    } else {
        let mut eq_sel = 0.0;
        if lo == 1 || gt == eq {
            let other = num_distinct(d).0 - st.mcv.len() as f64;
            if other > 1.0 {
                eq_sel = 1.0 / other;
            }
        }
        let bin = bin_fraction(&ev, (&c.value, c.consttype), &h[lo - 1], &h[lo], d.vartype);
        let mut f = ((lo - 1) as f64 + bin) / (n - 1) as f64;
        if lo == 1 {
            f += eq_sel * (1.0 - bin);
        }
        if gt == eq {
            f -= eq_sel;
        }
        f
    };
    let s = if gt { 1.0 - frac } else { frac };
    let cut = 0.01 / (n - 1) as f64;
    Some(s.clamp(cut, 1.0 - cut))
}

/// Where between two histogram bounds a value lies, 0..1.
fn bin_fraction(ev: &Evaluator<'_>, v: (&Datum, Oid), lo: &Datum, hi: &Datum, ty: Oid) -> f64 {
    let (val, low, high) = if is_string(ty) {
        match (string_bytes(v.0), string_bytes(lo), string_bytes(hi)) {
            (Some(a), Some(b), Some(c)) => string_scalars(a, b, c),
            _ => return 0.5,
        }
    } else {
        match (scalar(ev, v.0, v.1), scalar(ev, lo, ty), scalar(ev, hi, ty)) {
            (Some(a), Some(b), Some(c)) => (a, b, c),
            _ => return 0.5,
        }
    };
    if high <= low {
        0.5
    } else if val <= low {
        0.0
    } else if val >= high {
        1.0
    } else {
        let f = (val - low) / (high - low);
        if f.is_nan() { 0.5 } else { f.clamp(0.0, 1.0) }
    }
}

fn is_string(t: Oid) -> bool {
    matches!(t, oids::TEXT | oids::VARCHAR | oids::BPCHAR | oids::NAME | oids::CHAR)
}

fn string_bytes(d: &Datum) -> Option<&[u8]> {
    match d {
        Datum::Bytes(b) => Some(b),
        _ => None,
    }
}

/// A number for values of types with a linear scale.
pub fn scalar(ev: &Evaluator<'_>, d: &Datum, ty: Oid) -> Option<f64> {
    Some(match d {
        Datum::Bool(b) => f64::from(u8::from(*b)),
        Datum::I8(v) => f64::from(*v),
        Datum::I16(v) => f64::from(*v),
        Datum::I32(v) if ty == oids::DATE => f64::from(*v) * 86_400_000_000.0,
        Datum::I32(v) => f64::from(*v),
        Datum::U32(v) => f64::from(*v),
        Datum::I64(v) => *v as f64,
        Datum::F32(v) => f64::from(*v),
        Datum::F64(v) => *v,
        Datum::Fixed16(b) => {
            let us = i64::from_le_bytes(b[..8].try_into().ok()?) as f64;
            match ty {
                oids::INTERVAL => {
                    let days = i32::from_le_bytes(b[8..12].try_into().ok()?);
                    let months = i32::from_le_bytes(b[12..16].try_into().ok()?);
                    us + f64::from(days) * 86_400e6 + f64::from(months) * (365.25 / 12.0 * 86_400e6)
                }
                oids::TIMETZ => us + f64::from(i32::from_le_bytes(b[8..12].try_into().ok()?)) * 1e6,
                // A uuid has no scale; its leading bytes order it.
                _ => u64::from_be_bytes(b[..8].try_into().ok()?) as f64,
            }
        }
        Datum::Bytes(_) if ty == oids::NUMERIC => ev.output(ty, d)?.parse().ok()?,
        _ => return None,
    })
}

/// Strings as fractions in a base fitted to the characters that occur, after their common prefix.
fn string_scalars(v: &[u8], lo: &[u8], hi: &[u8]) -> (f64, f64, f64) {
    let (mut min, mut max) = (hi.first().copied().unwrap_or(0), hi.first().copied().unwrap_or(0));
    for b in lo.iter().chain(hi) {
        min = min.min(*b);
        max = max.max(*b);
    }
    let mut widen = |a: u8, b: u8| {
        if min <= b && max >= a {
            min = min.min(a);
            max = max.max(b);
        }
    };
    widen(b'A', b'Z');
    widen(b'a', b'z');
    widen(b'0', b'9');
    if max - min < 9 {
        min = b' ';
        max = 127;
    }
    let mut k = 0;
    while k < lo.len() && lo.get(k) == hi.get(k) && v.get(k) == lo.get(k) {
        k += 1;
    }
    let conv = |s: &[u8]| {
        let base = f64::from(max) - f64::from(min) + 1.0;
        let mut num = 0.0;
        let mut den = base;
        for &c in s.iter().skip(k).take(12) {
            let ch = if c < min {
                -1.0
            } else if c > max {
                base
            } else {
                f64::from(c) - f64::from(min)
            };
            num += ch / den;
            den *= base;
        }
        num
    };
    (conv(v), conv(lo), conv(hi))
}
