//! Selectivity of join clauses `a = b` between two relations, from both columns' most common values and distinct
//! counts.

use super::variable::{VarData, examine, num_distinct};
use super::*;
use crate::exprs::*;
use crate::root::*;
use analyze::expr::*;
use analyze::query::JoinType;
use common::Oid;
use std::collections::HashMap;

/// Selectivity of a join operator.
pub fn join_sel(
    g: &Glob<'_>,
    root: &Root,
    o: &OpExpr,
    est_fn: u32,
    _kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    let kind = sji.map_or(JoinType::Inner, |s| s.kind);
    match est_fn {
        est::EQJOINSEL => eq_join(g, root, o, kind, sji),
        est::NEQJOINSEL => {
            if matches!(kind, JoinType::Semi | JoinType::Anti) {
                // Nearly every row finds one that differs.
                let l = examine(g, root, &o.args[0], 0);
                return 1.0 - l.null_frac();
            }
            let neg = g.ctx.catalog.operator(o.opno).map(|d| d.negator).unwrap_or(Oid::INVALID);
            match g.ctx.catalog.operator(neg) {
                Ok(d) => {
                    let mut e = o.clone();
                    e.opno = neg;
                    e.funcid = d.code;
                    1.0 - eq_join(g, root, &e, kind, sji)
                }
                Err(_) => 1.0 - DEFAULT_EQ_SEL,
            }
        }
        est::SCALARLTJOINSEL | est::SCALARGTJOINSEL | est::SCALARLEJOINSEL | est::SCALARGEJOINSEL => {
            DEFAULT_INEQ_SEL
        }
        1825 | 1816 | 1824 | 1826 | 3438 => DEFAULT_MATCH_SEL,
        1828 | 1817 | 1827 | 1829 => 1.0 - DEFAULT_MATCH_SEL,
        0 => 0.5,
        _ => 0.010,
    }
}

fn side_rows(root: &Root, d: &VarData) -> f64 {
    d.rti.and_then(|r| root.base.get(analyze::query::rte_place(r))?.as_ref()).map_or(0.0, |r| r.rows)
}

fn eq_join(g: &Glob<'_>, root: &Root, o: &OpExpr, kind: JoinType, sji: Option<&SpecialJoin>) -> f64 {
    let a = examine(g, root, &o.args[0], 0);
    let b = examine(g, root, &o.args[1], 0);
    let (n1, d1) = num_distinct(&a);
    let (n2, d2) = num_distinct(&b);
    let inner = eq_inner(g, &a, &b, n1, n2, o);
    let Some(s) = sji else { return clamp(inner) };
    if !matches!(kind, JoinType::Semi | JoinType::Anti) {
        return clamp(inner);
    }
    // The variable on the right-hand side of the semi join is the second one unless the sides are swapped.
    let lrels = pull_rtis(&o.args[0]);
    let reversed = lrels.subset_of(s.syn_right) && !lrels.is_empty();
    let inner_rel = root.find(s.min_right).or_else(|| root.find(s.syn_right));
    let irows = inner_rel.map_or(0.0, |r| r.rows);
    let x = if reversed {
        eq_semi(g, root, &b, &a, n2, n1, d2, d1, o, true, irows)
    } else {
        eq_semi(g, root, &a, &b, n1, n2, d1, d2, o, false, irows)
    };
    // A semi join keeps no more rows than the inner join would.
    clamp(if irows > 0.0 { x.min(irows * inner) } else { x })
}

fn eq_inner(g: &Glob<'_>, a: &VarData, b: &VarData, n1: f64, n2: f64, o: &OpExpr) -> f64 {
    let (null1, null2) = (a.null_frac(), b.null_frac());
    let (ma, mb) = match (&a.stats, &b.stats) {
        (Some(x), Some(y)) if !x.mcv.is_empty() && !y.mcv.is_empty() => (&x.mcv, &y.mcv),
        _ => {
            let s = (1.0 - null1) * (1.0 - null2);
            return if n1 > n2 { s / n1 } else { s / n2 };
        }
    };
    let m = matches(g, a, b, o);
    let mut prod = 0.0;
    let (mut match1, mut match2) = (0.0, 0.0);
    let mut nmatch = 0.0;
    for (i, j) in m.iter().enumerate() {
        if let Some(j) = j {
            prod += f64::from(ma[i].1) * f64::from(mb[*j].1);
            match1 += f64::from(ma[i].1);
            match2 += f64::from(mb[*j].1);
            nmatch += 1.0;
        }
    }
    let sum1: f64 = ma.iter().map(|x| f64::from(x.1)).sum();
    let sum2: f64 = mb.iter().map(|x| f64::from(x.1)).sum();
    let (match1, match2) = (clamp(match1), clamp(match2));
    let un1 = clamp(sum1 - match1);
    let un2 = clamp(sum2 - match2);
    let other1 = clamp(1.0 - null1 - match1 - un1);
    let other2 = clamp(1.0 - null2 - match2 - un2);
    let (l1, l2) = (ma.len() as f64, mb.len() as f64);
    let mut s1 = prod;
    if n2 > l2 {
        s1 += un1 * other2 / (n2 - l2);
    }
    if n2 > nmatch {
        s1 += other1 * (other2 + un2) / (n2 - nmatch);
    }
    let mut s2 = prod;
    if n1 > l1 {
        s2 += un2 * other1 / (n1 - l1);
    }
    if n1 > nmatch {
        s2 += other2 * (other1 + un1) / (n1 - nmatch);
    }
    s1.min(s2)
}

/// For each most common value of `a`, the equal one of `b`.
fn matches(g: &Glob<'_>, a: &VarData, b: &VarData, o: &OpExpr) -> Vec<Option<usize>> {
    let (Some(x), Some(y)) = (&a.stats, &b.stats) else { return Vec::new() };
    if machine_comparison(o.funcid).is_some() {
        let at: HashMap<i64, usize> =
            y.mcv.iter().enumerate().filter_map(|(j, m)| Some((integer(&m.0)?, j))).collect();
        return x.mcv.iter().map(|(v, _)| at.get(&integer(v)?).copied()).collect();
    }
    let vals: Vec<types::Datum> = y.mcv.iter().map(|m| m.0.clone()).collect();
    let ev = g.ev();
    let mut used = vec![false; vals.len()];
    x.mcv
        .iter()
        .map(|(v, _)| {
            let hits = ev.filter_column(o.funcid, &vals, b.vartype, v, a.vartype, true, o.input_collation)?;
            let j = hits.iter().enumerate().position(|(j, h)| *h && !used[j])?;
            used[j] = true;
            Some(j)
        })
        .collect()
}

fn eq_semi(
    g: &Glob<'_>,
    root: &Root,
    a: &VarData,
    b: &VarData,
    n1: f64,
    n2: f64,
    d1: bool,
    mut d2: bool,
    o: &OpExpr,
    reversed: bool,
    inner_rows: f64,
) -> f64 {
    let mut n2 = n2;
    let brows = side_rows(root, b);
    if b.rti.is_some() && brows > 0.0 && n2 >= brows {
        n2 = brows;
        d2 = false;
    }
    if inner_rows > 0.0 && n2 >= inner_rows {
        n2 = inner_rows;
        d2 = false;
    }
    let null1 = a.null_frac();
    if let (Some(x), Some(y)) = (&a.stats, &b.stats)
        && !x.mcv.is_empty()
        && !y.mcv.is_empty()
    {
        let mut e = o.clone();
        if reversed
            && let Ok(d) = g.ctx.catalog.operator(o.opno)
            && let Ok(c) = g.ctx.catalog.operator(d.commutator)
        {
            e.opno = d.commutator;
            e.funcid = c.code;
        }
        let limit = (y.mcv.len() as f64).min(n2) as usize;
        let m = matches(g, a, b, &e);
        let mut matched = 0.0;
        let mut nmatch = 0.0;
        for (i, j) in m.iter().enumerate() {
            if j.is_some_and(|j| j < limit) {
                matched += f64::from(x.mcv[i].1);
                nmatch += 1.0;
            }
        }
        let matched = clamp(matched);
        let rest1 = n1 - nmatch;
        let rest2 = n2 - nmatch;
        let uncertain =
            if !d1 && !d2 { if rest1 <= rest2 || rest2 < 0.0 { 1.0 } else { rest2 / rest1 } } else { 0.5 };
        let unc = clamp(1.0 - matched - null1);
        return matched + uncertain * unc;
    }
    if !d1 && !d2 {
        if n1 <= n2 || n2 < 0.0 { 1.0 - null1 } else { n2 / n1 * (1.0 - null1) }
    } else {
        0.5 * (1.0 - null1)
    }
}
