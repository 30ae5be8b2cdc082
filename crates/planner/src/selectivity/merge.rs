//! Which part of its inputs a merge join reads: it starts where the later of the two begins, and ends with the first.

use super::variable::{VarData, examine};
use super::*;
use crate::root::*;
use analyze::expr::*;
use common::Oid;
use types::Datum;

/// Start and end fractions of both inputs: left start, left end, right start, right end.
pub fn scan_fractions(g: &Glob<'_>, root: &Root, clause: &Expr, desc: bool, nulls_first: bool) -> [f64; 4] {
    let all = [0.0, 1.0, 0.0, 1.0];
    let Expr::Op(o) = clause else { return all };
    let (l, r) = (examine(g, root, &o.args[0], 0), examine(g, root, &o.args[1], 0));
    let coll = o.input_collation;
    let (Some(l_range), Some(r_range)) = (value_range(g, &l, coll), value_range(g, &r, coll)) else {
        return all;
    };
    let Some(cmp) = Comparisons::of(g, o) else { return all };
    let below =
        |of: &VarData, other: &VarData, lt: Oid, le: Oid, with_equal: bool, bound: &Datum, unknown: f64| {
            let c = Const {
                consttype: other.vartype,
                typmod: -1,
                collation: coll,
                value: bound.clone(),
                location: None,
            };
            // What is read first when going down is what is not below.
            let (f, eq) = if with_equal != desc { (le, true) } else { (lt, false) };
            let s = scalar::ineq(g, of, f, false, eq, &c, coll);
            match s {
                s if s == DEFAULT_INEQ_SEL => unknown,
                s if desc => 1.0 - s,
                s => s,
            }
        };
    let ends = |(min, max): (Datum, Datum)| if desc { (max, min) } else { (min, max) };
    let ((l_first, l_last), (r_first, r_last)) = (ends(l_range), ends(r_range));
    let mut out = [
        below(&l, &r, cmp.lt_lr, cmp.le_lr, false, &r_first, 0.0),
        below(&l, &r, cmp.lt_lr, cmp.le_lr, true, &r_last, 1.0),
        below(&r, &l, cmp.lt_rl, cmp.le_rl, false, &l_first, 0.0),
        below(&r, &l, cmp.lt_rl, cmp.le_rl, true, &l_last, 1.0),
    ];
    one_side_only(&mut out);
    if nulls_first {
        for (i, d) in [(0, &l), (1, &l), (2, &r), (3, &r)] {
            out[i] += d.null_frac();
        }
    }
    out = out.map(clamp);
    for (start, end) in [(0, 1), (2, 3)] {
        if out[start] >= out[end] {
            (out[start], out[end]) = (0.0, 1.0);
        }
    }
    out
}

/// Only one side can end early, and only one can start late.
fn one_side_only([l_start, l_end, r_start, r_end]: &mut [f64; 4]) {
    let (l, r) = (*l_end, *r_end);
    if l >= r {
        *l_end = 1.0;
    }
    if r >= l {
        *r_end = 1.0;
    }
    let (l, r) = (*l_start, *r_start);
    if l <= r {
        *l_start = 0.0;
    }
    if r <= l {
        *r_start = 0.0;
    }
}

/// Functions that compare across the two sides of a merge clause.
struct Comparisons {
    lt_lr: Oid,
    lt_rl: Oid,
    le_lr: Oid,
    le_rl: Oid,
}

impl Comparisons {
    fn of(g: &Glob<'_>, o: &OpExpr) -> Option<Comparisons> {
        let family = crate::initsplan::merge_families(g, o.opno).first().copied()?;
        let d = g.ctx.catalog.operator(o.opno).ok()?;
        let func = |a: Oid, b: Oid, strategy: i16| {
            let op = g.ctx.catalog.amop(family, a, b, strategy).ok().flatten()?;
            g.ctx.catalog.operator(op).ok().map(|x| x.code)
        };
        Some(Comparisons {
            lt_lr: func(d.left, d.right, 1)?,
            lt_rl: func(d.right, d.left, 1)?,
            le_lr: func(d.left, d.right, 2)?,
            le_rl: func(d.right, d.left, 2)?,
        })
    }
}

/// The least and the greatest value known. The histogram leaves the most common values out, which may lie beyond its ends;
/// without a histogram they count only if they are all there is.
fn value_range(g: &Glob<'_>, d: &VarData, coll: Oid) -> Option<(Datum, Datum)> {
    let s = d.stats.as_ref()?;
    let mut range = s.histogram.first().cloned().zip(s.histogram.last().cloned());
    let listed: f64 = s.mcv.iter().map(|(_, f)| f64::from(*f)).sum();
    if s.mcv.is_empty() || (range.is_none() && listed + d.null_frac() <= 0.99999) {
        return range;
    }
    let class = g.ctx.catalog.default_opclass(crate::relinfo::BTREE_AM, d.vartype).ok()??;
    let lt = g.ctx.catalog.amop(class.family, class.in_type, class.in_type, 1).ok()??;
    let lt = g.ctx.catalog.operator(lt).ok()?.code;
    let ev = g.ev();
    let less = |a: &Datum, b: &Datum| ev.test(lt, (a, d.vartype), (b, d.vartype), coll) == Some(true);
    for (v, _) in &s.mcv {
        let (min, max) = range.get_or_insert_with(|| (v.clone(), v.clone()));
        if less(v, min) {
            *min = v.clone();
        }
        if less(max, v) {
            *max = v.clone();
        }
    }
    range
}
