//! Properties of expressions: which relations they read, strictness, volatility, cost of evaluation.

use super::walk::*;
use crate::PlannerCtx;
use crate::relids::Relids;
use analyze::expr::*;
use common::Oid;
use types::{Datum, oids};

/// A boolean constant.
pub fn is_bool_const(b: bool) -> Expr {
    Expr::Const(Const {
        consttype: oids::BOOL,
        typmod: -1,
        collation: Oid::INVALID,
        value: Datum::Bool(b),
        location: None,
    })
}

/// Value of a non-null boolean constant.
pub fn bool_const(e: &Expr) -> Option<bool> {
    match e {
        Expr::Const(Const { value: Datum::Bool(b), .. }) => Some(*b),
        _ => None,
    }
}

/// Is it a NULL constant?
pub fn const_null(e: &Expr) -> bool {
    matches!(e, Expr::Const(c) if c.value.is_null())
}

/// The expression under type relabelling.
pub fn strip_relabel(e: &Expr) -> &Expr {
    match e {
        Expr::Relabel { arg, .. } => strip_relabel(arg),
        _ => e,
    }
}

/// Range table numbers of this level's Vars, sub-selects included.
pub fn pull_rtis(e: &Expr) -> Relids {
    let mut r = Relids::EMPTY;
    walk_levels(e, 0, &mut |x, lvl| add_rti(x, lvl, &mut r));
    r
}

/// [`pull_rtis`] of Vars that belong `level` levels above a query.
pub fn pull_query_rtis(q: &analyze::query::Query, level: u32) -> Relids {
    let mut r = Relids::EMPTY;
    walk_query_levels(q, 0, &mut |x, lvl| {
        if let Expr::Var(v) = x
            && v.levels_up == lvl + level
            && let VarNo::Rte(n) = v.varno
        {
            r.add(n);
        }
    });
    r
}

fn add_rti(x: &Expr, lvl: u32, r: &mut Relids) {
    match x {
        Expr::Var(v) if v.levels_up == lvl => {
            if let VarNo::Rte(n) = v.varno {
                r.add(n);
            }
        }
        Expr::CurrentOf { rte, .. } if lvl == 0 => r.add(*rte),
        _ => {}
    }
}

/// Does the expression hold a Var of this level or (inside sub-selects) of its query?
pub fn has_level_vars(e: &Expr) -> bool {
    !pull_rtis(e).is_empty()
}

/// Is there a reference to level `up` or beyond?
pub fn refers_to_level(e: &Expr, up: u32) -> bool {
    let mut found = false;
    walk_levels(e, 0, &mut |x, lvl| match x {
        Expr::Var(v) if v.levels_up >= lvl + up => found = true,
        Expr::Aggref(a) if a.levels_up >= lvl + up => found = true,
        Expr::GroupingFunc { levels_up, .. } if *levels_up >= lvl + up => found = true,
        _ => {}
    });
    found
}

/// Does the query refer to a level above itself?
pub fn query_is_correlated(q: &analyze::query::Query) -> bool {
    let mut found = false;
    walk_query_levels(q, 0, &mut |x, lvl| match x {
        Expr::Var(v) if v.levels_up > lvl => found = true,
        Expr::Aggref(a) if a.levels_up > lvl => found = true,
        Expr::GroupingFunc { levels_up, .. } if *levels_up > lvl => found = true,
        _ => {}
    });
    found
}

/// Every Var (and, if asked, aggregate of this level) at the expression's own level, outermost first, without
/// duplicates.
pub fn pull_vars<'e>(e: &'e Expr, stop_at_aggs: bool, out: &mut Vec<&'e Expr>) {
    walk(e, &mut |x| match x {
        Expr::Var(_) => {
            if !out.contains(&x) {
                out.push(x);
            }
            false
        }
        Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::GroupingFunc { .. } if stop_at_aggs => {
            if !out.contains(&x) {
                out.push(x);
            }
            false
        }
        _ => true,
    });
}

/// Function called by a node, if it calls one.
pub fn node_func(ctx: &PlannerCtx<'_>, e: &Expr) -> Option<Oid> {
    match e {
        Expr::Func(f) => Some(f.funcid),
        Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => Some(o.funcid),
        Expr::ScalarArrayOp(o) => Some(o.funcid),
        Expr::CoerceViaIo { arg, .. } => {
            ctx.catalog.type_desc(analyze::info::expr_type(arg)).ok().map(|t| t.output)
        }
        _ => None,
    }
}

/// Does evaluation twice give different results (volatile function, nextval)?
pub fn contains_volatile(ctx: &PlannerCtx<'_>, e: &Expr) -> bool {
    let mut found = false;
    walk_levels(e, 0, &mut |x, _| {
        if !found {
            found = node_volatility(ctx, x) == b'v';
        }
    });
    found
}

/// Does it hold anything not immutable?
pub fn contains_mutable(ctx: &PlannerCtx<'_>, e: &Expr) -> bool {
    any(e, &mut |x| node_volatility(ctx, x) != b'i')
}

fn node_volatility(ctx: &PlannerCtx<'_>, e: &Expr) -> u8 {
    match e {
        Expr::NextValue { .. } => b'v',
        Expr::SqlValueFunction { .. } => b's',
        Expr::RowCompare { .. } | Expr::Var(_) | Expr::Const(_) => b'i',
        _ => match node_func(ctx, e) {
            Some(f) => ctx.catalog.proc_desc(f).map_or(b'v', |p| p.volatile),
            None => b'i',
        },
    }
}

/// Does a query hold volatile functions anywhere?
pub fn query_contains_volatile(ctx: &PlannerCtx<'_>, q: &analyze::query::Query) -> bool {
    let mut found = false;
    walk_query_levels(q, 0, &mut |x, _| {
        if !found {
            found = node_volatility(ctx, x) == b'v';
        }
    });
    found
}

/// Sub-links or sub-plans inside?
pub fn contains_subplans(e: &Expr) -> bool {
    any(e, &mut |x| matches!(x, Expr::SubLink(_) | Expr::SubPlan(_)))
}

/// Does the expression hold a window function call?
pub fn contains_windows(e: &Expr) -> bool {
    any(e, &mut |x| matches!(x, Expr::WindowFunc(_)))
}

/// Aggregates of this level inside?
pub fn contains_aggs(e: &Expr) -> bool {
    let mut found = false;
    walk_levels(e, 0, &mut |x, lvl| {
        if let Expr::Aggref(a) = x
            && a.levels_up == lvl
        {
            found = true;
        }
    });
    found
}

/// Set-returning functions inside?
pub fn contains_srf(e: &Expr) -> bool {
    any(e, &mut |x| match x {
        Expr::Func(f) => f.retset,
        Expr::Op(o) => o.retset,
        _ => false,
    })
}

/// Could the expression give a non-null result for NULL input? (PostgreSQL's notion: anything not known strict.)
pub fn contains_nonstrict(ctx: &PlannerCtx<'_>, e: &Expr) -> bool {
    any(e, &mut |x| match x {
        Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::Relabel { .. } | Expr::ArrayCoerce { .. } => {
            false
        }
        Expr::Func(f) => !strict(ctx, f.funcid),
        Expr::Op(o) => !strict(ctx, o.funcid),
        Expr::ScalarArrayOp(_) => true,
        Expr::Bool { op: BoolOp::Not, .. } => false,
        Expr::CoerceViaIo { .. } => false,
        _ => true,
    })
}

/// Is the function strict?
pub fn strict(ctx: &PlannerCtx<'_>, f: Oid) -> bool {
    ctx.catalog.proc_desc(f).is_ok_and(|p| p.strict)
}

/// Relations (as range table numbers) whose all-NULL row makes the clause not true. `top` is true for a WHERE-like
/// position, where false is as good as NULL.
pub fn nonnullable_rels(ctx: &PlannerCtx<'_>, e: &Expr, top: bool) -> Relids {
    match e {
        Expr::Var(v) if v.levels_up == 0 => Relids::single(rte_no(v)),
        Expr::Func(f) if strict(ctx, f.funcid) => union_rels(ctx, &f.args),
        Expr::Op(o) if strict(ctx, o.funcid) => union_rels(ctx, &o.args),
        Expr::ScalarArrayOp(o) if saop_strict(ctx, o) => union_rels(ctx, &o.args),
        Expr::Bool { op: BoolOp::Not, args, .. } => nonnullable_rels(ctx, &args[0], false),
        Expr::Bool { op: BoolOp::And, args, .. } if top => {
            args.iter().fold(Relids::EMPTY, |r, a| r | nonnullable_rels(ctx, a, top))
        }
        Expr::Bool { args, .. } => {
            args.iter().map(|a| nonnullable_rels(ctx, a, top)).reduce(|a, b| a & b).unwrap_or(Relids::EMPTY)
        }
        Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::ArrayCoerce { arg, .. }
        | Expr::Collate { arg, .. } => nonnullable_rels(ctx, arg, top),
        Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } if top => {
            nonnullable_rels(ctx, arg, false)
        }
        Expr::BooleanTest { arg, test, .. }
            if top && matches!(test, BoolTest::IsTrue | BoolTest::IsFalse | BoolTest::IsNotUnknown) =>
        {
            nonnullable_rels(ctx, arg, false)
        }
        _ => Relids::EMPTY,
    }
}

fn union_rels(ctx: &PlannerCtx<'_>, args: &[Expr]) -> Relids {
    args.iter().fold(Relids::EMPTY, |r, a| r | nonnullable_rels(ctx, a, false))
}

fn saop_strict(ctx: &PlannerCtx<'_>, o: &ScalarArrayOpExpr) -> bool {
    if !strict(ctx, o.funcid) {
        return false;
    }
    // An empty array gives a non-null result: the array must be known not to be empty.
    match &o.args[1] {
        Expr::Const(c) => match &c.value {
            Datum::Bytes(b) => b.len() > 4 && b[..4] != [0; 4],
            _ => false,
        },
        Expr::Array { elements, .. } => !elements.is_empty(),
        _ => false,
    }
}

/// Cost of evaluating once, and per row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QualCost {
    pub startup: f64,
    pub per_tuple: f64,
}

impl std::ops::Add for QualCost {
    type Output = QualCost;
    fn add(self, o: QualCost) -> QualCost {
        QualCost { startup: self.startup + o.startup, per_tuple: self.per_tuple + o.per_tuple }
    }
}

impl std::ops::AddAssign for QualCost {
    fn add_assign(&mut self, o: QualCost) {
        *self = *self + o;
    }
}

/// Cost of a list of expressions.
pub fn cost_list<'e>(ctx: &PlannerCtx<'_>, list: impl IntoIterator<Item = &'e Expr>) -> QualCost {
    list.into_iter().fold(QualCost::default(), |c, e| c + cost_expr(ctx, e))
}

/// Cost of an expression by its functions' `procost`.
pub fn cost_expr(ctx: &PlannerCtx<'_>, e: &Expr) -> QualCost {
    let mut c = QualCost::default();
    let unit = ctx.settings.cpu_operator_cost;
    walk(e, &mut |x| {
        let f = |o: Oid| ctx.catalog.proc_desc(o).map_or(1.0, |p| p.cost) * unit;
        match x {
            Expr::Func(n) => c.per_tuple += f(n.funcid),
            Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => c.per_tuple += f(o.funcid),
            Expr::ScalarArrayOp(o) => {
                let n = array_length_estimate(ctx, &o.args[1]);
                if saop_hashes(ctx, o, n) {
                    // The table is built once; a row costs its hash and a comparison.
                    c.startup += unit * n;
                    c.per_tuple += f(o.funcid) + unit;
                } else {
                    // Half the elements are looked at.
                    c.per_tuple += f(o.funcid) * n * 0.5;
                }
            }
            Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::GroupingFunc { .. } => return false,
            Expr::CoerceViaIo { arg, result_type, .. } => {
                if let Ok(t) = ctx.catalog.type_desc(*result_type) {
                    c.per_tuple += f(t.input);
                }
                if let Ok(t) = ctx.catalog.type_desc(analyze::info::expr_type(arg)) {
                    c.per_tuple += f(t.output);
                }
            }
            Expr::ArrayCoerce { arg, elem, .. } => {
                let per = cost_expr(ctx, elem);
                c.startup += per.startup;
                if per.per_tuple > 0.0 {
                    c.per_tuple += per.per_tuple * array_length_estimate(ctx, arg);
                }
                c += cost_expr(ctx, arg);
                return false;
            }
            Expr::RowCompare { funcids, .. } => c.per_tuple += funcids.iter().map(|o| f(*o)).sum::<f64>(),
            Expr::MinMax { .. }
            | Expr::SqlValueFunction { .. }
            | Expr::NextValue { .. }
            | Expr::CoerceToDomain { .. } => c.per_tuple += unit,
            Expr::CurrentOf { .. } => c.startup += 1.0e10,
            Expr::SubPlan(s) => {
                c.startup += s.startup_cost;
                c.per_tuple += s.per_call_cost;
                // The test expression is accounted for in the sub-plan's own cost.
                for a in &s.args {
                    c += cost_expr(ctx, a);
                }
                return false;
            }
            _ => {}
        }
        true
    });
    c
}

/// Constant lists from this length on are looked up in a hash table.
const HASHED_LIST_MIN: f64 = 9.0;

/// Will `x = ANY` or `x <> ALL` of a list of `n` elements be a hash look-up?
fn saop_hashes(ctx: &PlannerCtx<'_>, o: &ScalarArrayOpExpr, n: f64) -> bool {
    if n < HASHED_LIST_MIN || !matches!(&o.args[1], Expr::Const(c) if !c.value.is_null()) {
        return false;
    }
    let Ok(mut d) = ctx.catalog.operator(o.opno) else { return false };
    if !o.use_or {
        match ctx.catalog.operator(d.negator) {
            Ok(n) => d = n,
            Err(_) => return false,
        }
    }
    d.can_hash && d.left == d.right
}

/// How many elements an array expression probably has.
pub fn array_length_estimate(_ctx: &PlannerCtx<'_>, e: &Expr) -> f64 {
    match strip_relabel(e) {
        Expr::Const(c) => match &c.value {
            Datum::Null => 0.0,
            d => super::array::length(d).map_or(10.0, |n| n as f64),
        },
        Expr::Array { elements, multidims: false, .. } => elements.len() as f64,
        _ => 10.0,
    }
}
