//! Selectivity of single clauses and of AND lists (range pairs are recognised).

use super::extended::{self, Asked};
use super::pattern::{PatternKind, pattern_sel};
use super::variable::{VarData, examine};
use super::*;
use crate::exprs::*;
use crate::root::*;
use analyze::expr::*;
use analyze::query::JoinType;
use common::Oid;
use types::{Datum, oids};

struct RangePair {
    var: Expr,
    lo: Option<f64>,
    hi: Option<f64>,
}

/// Selectivity of clauses taken together.
pub fn list_sel(
    g: &Glob<'_>,
    root: &Root,
    list: &[Ri],
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    list_sel_with(g, root, list, only, kind, sji, true)
}

/// [`list_sel`] with or without extended statistics.
pub fn list_sel_with(
    g: &Glob<'_>,
    root: &Root,
    list: &[Ri],
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
    extended: bool,
) -> f64 {
    if let [one] = list {
        return clause_sel_with(g, root, one, only, kind, sji, extended);
    }
    let mut s = 1.0;
    let mut done = Vec::new();
    if extended && root.has_statistics {
        let items = extended::items(list);
        if let Some(rel) = extended::single_rel(root, &items) {
            done = vec![false; list.len()];
            s = extended::list_sel(Asked { g, root, only, kind, sji }, rel, &items, &mut done, false);
        }
    }
    let mut pairs: Vec<RangePair> = Vec::new();
    for (i, ri) in list.iter().enumerate() {
        if done.get(i) == Some(&true) {
            continue;
        }
        let one = clause_sel_with(g, root, ri, only, kind, sji, extended);
        if !range_clause(g, &ri.clause, ri.clause_relids.is_single() && !ri.pseudoconstant, one, &mut pairs) {
            s *= one;
        }
    }
    s * finish_pairs(g, root, pairs, only)
}

/// Selectivity of plain expressions taken together.
pub fn exprs_sel(
    g: &Glob<'_>,
    root: &Root,
    list: &[&Expr],
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    if let [one] = list {
        return expr_sel(g, root, one, only, kind, sji);
    }
    let mut s = 1.0;
    let mut pairs = Vec::new();
    for e in list {
        let one = expr_sel(g, root, e, only, kind, sji);
        if !range_clause(g, e, pull_rtis(e).is_single(), one, &mut pairs) {
            s *= one;
        }
    }
    s * finish_pairs(g, root, pairs, only)
}

/// Notes a clause `var < const`; false if it is not one.
fn range_clause(g: &Glob<'_>, e: &Expr, single: bool, sel: f64, pairs: &mut Vec<RangePair>) -> bool {
    let Expr::Op(o) = e else { return false };
    if !single || o.args.len() != 2 {
        return false;
    }
    let (a, b) = (&o.args[0], &o.args[1]);
    let left = if pull_rtis(b).is_empty() {
        true
    } else if pull_rtis(a).is_empty() {
        false
    } else {
        return false;
    };
    let Ok(d) = g.ctx.catalog.operator(o.opno) else { return false };
    let less = match d.rest.0 {
        est::SCALARLTSEL | est::SCALARLESEL => true,
        est::SCALARGTSEL | est::SCALARGESEL => false,
        _ => return false,
    };
    let (var, high) = if left { (a, less) } else { (b, !less) };
    let i = match pairs.iter().position(|p| equal(&p.var, var)) {
        Some(i) => i,
        None => {
            pairs.push(RangePair { var: var.clone(), lo: None, hi: None });
            pairs.len() - 1
        }
    };
    let slot = if high { &mut pairs[i].hi } else { &mut pairs[i].lo };
    // Of several bounds on one side the tighter counts.
    *slot = Some(slot.map_or(sel, |x| x.min(sel)));
    true
}

fn finish_pairs(g: &Glob<'_>, root: &Root, pairs: Vec<RangePair>, only: u32) -> f64 {
    let mut s = 1.0;
    for p in pairs {
        s *= match (p.lo, p.hi) {
            (Some(l), Some(h)) => {
                if l == DEFAULT_INEQ_SEL || h == DEFAULT_INEQ_SEL {
                    DEFAULT_RANGE_INEQ_SEL
                } else {
                    let d = examine(g, root, &p.var, only);
                    let x = h + l - 1.0 + null_sel(&d, true);
                    if x > 0.0 {
                        x
                    } else if x < -0.01 {
                        DEFAULT_RANGE_INEQ_SEL
                    } else {
                        1.0e-10
                    }
                }
            }
            (Some(x), None) | (None, Some(x)) => x,
            _ => 1.0,
        };
    }
    s
}

/// Selectivity of one clause. `only`: the relation for which others count as constants, 0 for none.
pub fn clause_sel(
    g: &Glob<'_>,
    root: &Root,
    ri: &Ri,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    clause_sel_with(g, root, ri, only, kind, sji, true)
}

/// [`clause_sel`] with or without extended statistics.
pub fn clause_sel_with(
    g: &Glob<'_>,
    root: &Root,
    ri: &Ri,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
    extended: bool,
) -> f64 {
    if ri.pseudoconstant && bool_const(&ri.clause).is_none() {
        return 1.0;
    }
    if ri.norm_sel.get() > 1.0 {
        return 1.0;
    }
    let cacheable = only == 0 || (ri.clause_relids.count() <= 1 && ri.clause_relids.contains(only));
    let slot = if kind == JoinType::Inner { &ri.norm_sel } else { &ri.outer_sel };
    if cacheable && slot.get() >= 0.0 {
        return slot.get();
    }
    let s = match &ri.or_arms {
        Some(arms) => or_sel(Asked { g, root, only, kind, sji }, arms, extended),
        None => {
            let join = only == 0 && sji.is_some() && ri.clause_relids.count() > 1;
            node_sel(g, root, &ri.clause, only, kind, sji, join)
        }
    };
    if cacheable {
        slot.set(s);
    }
    s
}

/// Selectivity of the arms of an OR.
fn or_sel(a: Asked<'_>, arms: &[Vec<Ri>], extended: bool) -> f64 {
    let mut s = 0.0;
    let mut done = Vec::new();
    if extended && a.root.has_statistics {
        let items = extended::arms(arms);
        if let Some(rel) = extended::single_rel(a.root, &items) {
            done = vec![false; arms.len()];
            s = extended::list_sel(a, rel, &items, &mut done, true);
        }
    }
    for (_, arm) in arms.iter().enumerate().filter(|(i, _)| done.get(*i) != Some(&true)) {
        let x = list_sel_with(a.g, a.root, arm, a.only, a.kind, a.sji, extended);
        s = s + x - s * x;
    }
    s
}

/// Selectivity of a bare expression.
pub fn expr_sel(
    g: &Glob<'_>,
    root: &Root,
    e: &Expr,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    let join = only == 0 && sji.is_some() && pull_rtis(e).count() > 1;
    node_sel(g, root, e, only, kind, sji, join)
}

fn node_sel(
    g: &Glob<'_>,
    root: &Root,
    e: &Expr,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
    join: bool,
) -> f64 {
    match e {
        Expr::Const(c) => match c.value {
            Datum::Bool(true) => 1.0,
            _ => 0.0,
        },
        Expr::Var(v) if v.levels_up == 0 && (only == 0 || rte_no(v) == only) => {
            bool_var_sel(g, root, e, only)
        }
        Expr::Param(_) => match for_estimate(g, e) {
            Expr::Const(c) => f64::from(u8::from(c.value == Datum::Bool(true))),
            _ => 0.5,
        },
        Expr::Bool { op: BoolOp::Not, args, .. } => 1.0 - expr_sel(g, root, &args[0], only, kind, sji),
        Expr::Bool { op: BoolOp::And, args, .. } => {
            exprs_sel(g, root, &args.iter().collect::<Vec<_>>(), only, kind, sji)
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => args.iter().fold(0.0, |s, a| {
            let x = expr_sel(g, root, a, only, kind, sji);
            s + x - s * x
        }),
        Expr::Op(o) if o.args.len() == 2 => op_sel(g, root, o, only, kind, sji, join),
        Expr::DistinctExpr(o) => {
            let s = op_sel(g, root, o, only, kind, sji, join);
            clamp(1.0 - s)
        }
        Expr::Op(_) => 0.5,
        Expr::Func(_) => 0.3333333,
        Expr::ScalarArrayOp(o) => saop_sel(g, root, o, only, kind, sji, join),
        Expr::RowCompare { cmp, opnos, funcids, left, right, input_collations } => {
            let _ = cmp;
            let o = OpExpr {
                opno: opnos[0],
                funcid: funcids[0],
                result_type: oids::BOOL,
                retset: false,
                collation: Oid::INVALID,
                input_collation: input_collations[0],
                args: vec![left[0].clone(), right[0].clone()],
                location: None,
            };
            op_sel(g, root, &o, only, kind, sji, join)
        }
        Expr::NullTest { arg, is_null, .. } => null_sel(&examine(g, root, arg, only), *is_null),
        Expr::BooleanTest { arg, test, .. } => bool_test_sel(g, root, arg, *test, only, kind, sji),
        Expr::Relabel { arg, .. } | Expr::CoerceToDomain { arg, .. } => {
            node_sel(g, root, arg, only, kind, sji, join)
        }
        Expr::CurrentOf { rte, .. } => match root.base.get(analyze::query::rte_place(*rte)) {
            Some(Some(r)) if r.tuples > 0.0 => 1.0 / r.tuples,
            _ => 0.5,
        },
        _ => bool_var_sel(g, root, e, only),
    }
}

fn for_estimate(g: &Glob<'_>, e: &Expr) -> Expr {
    fold::for_estimate(g.ctx, e)
}

/// A boolean expression by itself.
fn bool_var_sel(g: &Glob<'_>, root: &Root, e: &Expr, only: u32) -> f64 {
    let d = examine(g, root, e, only);
    if d.stats.is_none() {
        return 0.5;
    }
    let c = Const {
        consttype: oids::BOOL,
        typmod: -1,
        collation: Oid::INVALID,
        value: Datum::Bool(true),
        location: None,
    };
    scalar::eq_const(g, &d, Oid(60), &c, true, Oid::INVALID, false)
}

/// IS NULL (or IS NOT NULL).
pub fn null_sel(d: &VarData, is_null: bool) -> f64 {
    match &d.stats {
        Some(s) => clamp(if is_null { f64::from(s.null_frac) } else { 1.0 - f64::from(s.null_frac) }),
        None if matches!(&d.expr, Expr::Var(v) if v.attno < 0) => f64::from(u8::from(!is_null)),
        None if is_null => DEFAULT_UNK_SEL,
        None => DEFAULT_NOT_UNK_SEL,
    }
}

fn bool_test_sel(
    g: &Glob<'_>,
    root: &Root,
    arg: &Expr,
    test: BoolTest,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
) -> f64 {
    let d = examine(g, root, arg, only);
    let Some(st) = &d.stats else {
        return match test {
            BoolTest::IsUnknown => DEFAULT_UNK_SEL,
            BoolTest::IsNotUnknown => DEFAULT_NOT_UNK_SEL,
            BoolTest::IsTrue | BoolTest::IsNotFalse => expr_sel(g, root, arg, only, kind, sji),
            BoolTest::IsFalse | BoolTest::IsNotTrue => 1.0 - expr_sel(g, root, arg, only, kind, sji),
        };
    };
    let null = f64::from(st.null_frac);
    let (t, f) = match st.mcv.first() {
        Some((v, freq)) => {
            let freq = f64::from(*freq);
            let t = if *v == Datum::Bool(true) { freq } else { 1.0 - freq - null };
            (t, 1.0 - t - null)
        }
        None => ((1.0 - null) / 2.0, (1.0 - null) / 2.0),
    };
    clamp(match test {
        BoolTest::IsUnknown => null,
        BoolTest::IsNotUnknown => 1.0 - null,
        BoolTest::IsTrue => t,
        BoolTest::IsNotTrue => 1.0 - t,
        BoolTest::IsFalse => f,
        BoolTest::IsNotFalse => 1.0 - f,
    })
}

fn op_sel(
    g: &Glob<'_>,
    root: &Root,
    o: &OpExpr,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
    join: bool,
) -> f64 {
    let Ok(d) = g.ctx.catalog.operator(o.opno) else { return 0.5 };
    if join {
        return super::join::join_sel(g, root, o, d.join.0, kind, sji);
    }
    restrict_sel(g, root, o, d.rest.0, only)
}

/// `variable op other` taken apart; `true`: the variable is on the left.
fn split(g: &Glob<'_>, root: &Root, o: &OpExpr, only: u32) -> Option<(VarData, Expr, bool)> {
    let l = examine(g, root, &o.args[0], only);
    let r = examine(g, root, &o.args[1], only);
    let lr = pull_rtis(&o.args[0]);
    let rr = pull_rtis(&o.args[1]);
    let in_scope = |r: crate::relids::Relids| !r.is_empty() && (only == 0 || r.contains(only));
    if in_scope(lr) && !in_scope(rr) {
        return Some((l, for_estimate(g, &o.args[1]), true));
    }
    if in_scope(rr) && !in_scope(lr) {
        return Some((r, for_estimate(g, &o.args[0]), false));
    }
    if lr.is_empty() && rr.is_empty() {
        return Some((l, for_estimate(g, &o.args[1]), true));
    }
    None
}

fn restrict_sel(g: &Glob<'_>, root: &Root, o: &OpExpr, est_fn: u32, only: u32) -> f64 {
    use est::*;
    let coll = o.input_collation;
    match est_fn {
        EQSEL | NEQSEL => {
            let neg = est_fn == NEQSEL;
            let Some((d, other, left)) = split(g, root, o, only) else {
                return if neg { 1.0 - DEFAULT_EQ_SEL } else { DEFAULT_EQ_SEL };
            };
            match &other {
                Expr::Const(c) => {
                    // Statistics are compared with the equality behind <>.
                    let f = if neg {
                        let n = g.ctx.catalog.operator(o.opno).map(|d| d.negator).unwrap_or(Oid::INVALID);
                        g.ctx.catalog.operator(n).map_or(o.funcid, |d| d.code)
                    } else {
                        o.funcid
                    };
                    scalar::eq_const(g, &d, f, c, left, coll, neg)
                }
                _ => scalar::eq_unknown(&d, neg),
            }
        }
        SCALARLTSEL | SCALARLESEL | SCALARGTSEL | SCALARGESEL => {
            let Some((d, other, left)) = split(g, root, o, only) else { return DEFAULT_INEQ_SEL };
            let Expr::Const(c) = &other else { return DEFAULT_INEQ_SEL };
            if c.value.is_null() {
                return 0.0;
            }
            let mut gt = matches!(est_fn, SCALARGTSEL | SCALARGESEL);
            let eq = matches!(est_fn, SCALARLESEL | SCALARGESEL);
            let mut func = o.funcid;
            if !left {
                gt = !gt;
                let Ok(d) = g.ctx.catalog.operator(o.opno) else { return DEFAULT_INEQ_SEL };
                let Ok(c) = g.ctx.catalog.operator(d.commutator) else { return DEFAULT_INEQ_SEL };
                func = c.code;
            }
            scalar::ineq(g, &d, func, gt, eq, c, coll)
        }
        LIKESEL | ICLIKESEL | NLIKESEL | ICNLIKESEL | REGEXEQSEL | ICREGEXEQSEL | REGEXNESEL
        | ICREGEXNESEL | PREFIXSEL => {
            let neg = matches!(est_fn, NLIKESEL | ICNLIKESEL | REGEXNESEL | ICREGEXNESEL);
            let default = if neg { 1.0 - DEFAULT_MATCH_SEL } else { DEFAULT_MATCH_SEL };
            let Some((d, Expr::Const(c), true)) = split(g, root, o, only) else { return default };
            let kind = match est_fn {
                LIKESEL | NLIKESEL => PatternKind::Like,
                ICLIKESEL | ICNLIKESEL => PatternKind::LikeIc,
                REGEXEQSEL | REGEXNESEL => PatternKind::Regex,
                PREFIXSEL => PatternKind::StartsWith,
                _ => PatternKind::RegexIc,
            };
            let f = if neg {
                let n = g.ctx.catalog.operator(o.opno).map(|d| d.negator).unwrap_or(Oid::INVALID);
                g.ctx.catalog.operator(n).map_or(o.funcid, |d| d.code)
            } else {
                o.funcid
            };
            pattern_sel(g, &d, f, kind, &c, coll, neg)
        }
        // No estimator at all.
        0 => 0.5,
        // Containment and overlap of arrays and ranges: PostgreSQL's fallback for matching operators.
        _ => 0.010,
    }
}

fn saop_sel(
    g: &Glob<'_>,
    root: &Root,
    o: &ScalarArrayOpExpr,
    only: u32,
    kind: JoinType,
    sji: Option<&SpecialJoin>,
    join: bool,
) -> f64 {
    let Ok(d) = g.ctx.catalog.operator(o.opno) else { return 0.5 };
    let arr = for_estimate(g, strip_relabel(&o.args[1]));
    let elem_type = g.ctx.catalog.type_desc(type_of(&arr)).map_or(Oid::INVALID, |t| t.elem);
    let is_eq = d.rest.0 == est::EQSEL || d.rest.0 == est::EQJOINSEL;
    let is_ne = d.rest.0 == est::NEQSEL;
    let op = |arg: Expr| OpExpr {
        opno: o.opno,
        funcid: o.funcid,
        result_type: oids::BOOL,
        retset: false,
        collation: Oid::INVALID,
        input_collation: o.input_collation,
        args: vec![o.args[0].clone(), arg],
        location: None,
    };
    let elems: Vec<Expr> = match &arr {
        Expr::Const(c) if c.value.is_null() => return 0.0,
        Expr::Const(c) => match g.ev().array_elems(&c.value, elem_type) {
            Some(v) => v
                .into_iter()
                .map(|value| {
                    Expr::Const(Const {
                        consttype: elem_type,
                        typmod: -1,
                        collation: c.collation,
                        value,
                        location: None,
                    })
                })
                .collect(),
            None => Vec::new(),
        },
        Expr::Array { elements, multidims: false, .. } => elements.clone(),
        _ => Vec::new(),
    };
    let known = matches!(&arr, Expr::Const(_) | Expr::Array { multidims: false, .. });
    let scope = pull_rtis(&o.args[0]);
    let variable =
        (is_eq && d.rest.0 == est::EQSEL && !scope.is_empty() && (only == 0 || scope.contains(only)))
            .then(|| examine(g, root, &o.args[0], only));
    let mut s = if o.use_or { 0.0 } else { 1.0 };
    let mut disjoint = s;
    let count = if known { elems.len() } else { 10 };
    for i in 0..count {
        let x = match (&variable, elems.get(i)) {
            // What `op_sel` comes to for a constant.
            (Some(d), Some(Expr::Const(c))) if known => {
                scalar::eq_const(g, d, o.funcid, c, true, o.input_collation, false)
            }
            (_, arg) => {
                let arg = arg.cloned().unwrap_or(Expr::CaseTest {
                    type_oid: elem_type,
                    typmod: -1,
                    collation: o.input_collation,
                });
                op_sel(g, root, &op(arg), only, kind, sji, join && !known)
            }
        };
        if o.use_or {
            s = s + x - s * x;
            if is_eq {
                disjoint += x;
            }
        } else {
            s *= x;
            if is_ne {
                disjoint += x - 1.0;
            }
        }
    }
    if known && (if o.use_or { is_eq } else { is_ne }) && (0.0..=1.0).contains(&disjoint) {
        s = disjoint;
    }
    clamp(s)
}
