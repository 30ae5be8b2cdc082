//! Number of groups, and sizes of hash buckets.

use super::variable::{VarData, examine, num_distinct};
use super::*;
use crate::exprs::*;
use crate::root::*;
use analyze::expr::Expr;
use types::oids;

/// How many groups the expressions make of `rows` input rows.
pub fn num_groups(g: &Glob<'_>, root: &Root, exprs: &[&Expr], rows: f64) -> f64 {
    num_groups_known(g, root, exprs, rows).0
}

/// The same; `false`: it rests on a default number of distinct values.
pub fn num_groups_known(g: &Glob<'_>, root: &Root, exprs: &[&Expr], rows: f64) -> (f64, bool) {
    let rows = clamp_rows(rows);
    if exprs.is_empty() {
        return (1.0, true);
    }
    let mut n: f64 = 1.0;
    let mut vars: Vec<(VarData, f64)> = Vec::new();
    for e in exprs {
        if type_of(e) == oids::BOOL {
            n *= 2.0;
            continue;
        }
        let d = examine(g, root, e, 0);
        if d.stats.is_some() || d.unique {
            add(root, &mut vars, d);
            continue;
        }
        let mut list = Vec::new();
        pull_vars(e, false, &mut list);
        if list.is_empty() {
            if contains_volatile(g.ctx, e) {
                return (rows, true);
            }
            continue;
        }
        for v in list {
            let d = examine(g, root, v, 0);
            add(root, &mut vars, d);
        }
    }
    if vars.is_empty() {
        return (n.ceil().min(rows).max(1.0), true);
    }
    let known = !vars.iter().any(|(d, _)| num_distinct(d).1);
    while let Some((first, _)) = vars.first() {
        let rti = first.rti;
        let (tuples, rel_rows) = (first.rel_tuples, first.rel_rows);
        let (mut of_rel, others): (Vec<_>, Vec<_>) = vars.drain(..).partition(|(d, _)| d.rti == rti);
        vars = others;
        let (mut prod, mut max, mut count) = (1.0, 0.0f64, 0);
        let mut count_in = |nd: f64| {
            prod *= nd;
            max = max.max(nd);
            count += 1;
        };
        if let Some(Some(rel)) = rti.and_then(|r| root.base.get(analyze::query::rte_place(r))) {
            while let Some(nd) = multi_groups::take_known(rel, &mut of_rel) {
                count_in(nd);
            }
        }
        of_rel.iter().for_each(|(_, nd)| count_in(*nd));
        if tuples > 0.0 {
            let mut lim = tuples;
            if count > 1 {
                lim *= 0.1;
                if lim < max {
                    lim = max.min(tuples);
                }
            }
            prod = prod.min(lim);
            if prod > 0.0 && rel_rows < tuples {
                prod *= 1.0 - ((tuples - rel_rows) / tuples).powf(tuples / prod);
            }
            n *= clamp_rows(prod);
        }
    }
    (n.ceil().min(rows).max(1.0), known)
}

fn add(root: &Root, vars: &mut Vec<(VarData, f64)>, d: VarData) {
    let nd = num_distinct(&d).0;
    let mut i = 0;
    while i < vars.len() {
        if equal(&vars[i].0.expr, &d.expr) {
            return;
        }
        if vars[i].0.rti != d.rti && known_equal(root, &vars[i].0.expr, &d.expr) {
            if vars[i].1 <= nd {
                return;
            }
            vars.remove(i);
            continue;
        }
        i += 1;
    }
    vars.push((d, nd));
}

fn known_equal(root: &Root, a: &Expr, b: &Expr) -> bool {
    root.ecs.iter().any(|ec| {
        ec.merged.is_none()
            && !ec.has_volatile
            && ec.members.iter().any(|m| equal(&m.expr, a))
            && ec.members.iter().any(|m| equal(&m.expr, b))
    })
}

/// (fraction of the inner rows in a typical bucket, frequency of the commonest value) for a hash key.
pub fn hash_bucket(g: &Glob<'_>, root: &Root, key: &Expr, buckets: f64) -> (f64, f64) {
    let d = examine(g, root, key, 0);
    let mcv = d.stats.as_ref().and_then(|s| s.mcv.first()).map_or(0.0, |m| f64::from(m.1));
    let (mut nd, default) = num_distinct(&d);
    if default {
        return (0.1f64.max(mcv), mcv);
    }
    let null = d.null_frac();
    let avg = (1.0 - null) / nd;
    if let Some(Some(rel)) = d.rti.and_then(|r| root.base.get(analyze::query::rte_place(r)))
        && rel.tuples > 0.0
    {
        nd = clamp_rows(nd * rel.rows / rel.tuples);
    }
    let mut est = if nd > buckets { 1.0 / buckets } else { 1.0 / nd };
    if avg > 0.0 && mcv > avg {
        est *= mcv / avg;
    }
    (est.clamp(1.0e-6, 1.0), mcv)
}
