//! Walking expressions, join trees and queries. The direct children of a node are listed in one place only
//! ([`each_child`]); everything else is built on it. A [`SubLink`]'s sub-select is not a child: use [`walk_levels`].

use analyze::expr::*;
use analyze::query::*;

pub use analyze::walk::{children as each_child, children_mut as each_child_mut};

/// Top-level expressions of a query (not of its sub-queries).
pub fn query_exprs<'e>(q: &'e Query, f: &mut dyn FnMut(&'e Expr)) {
    for t in &q.target_list {
        f(&t.expr);
    }
    for t in &q.returning {
        f(&t.expr);
    }
    jointree_exprs(&q.jointree, f);
    if let Some(h) = &q.having {
        f(h);
    }
    if let Some(h) = &q.limit_offset {
        f(h);
    }
    if let Some(h) = &q.limit_count {
        f(h);
    }
    for w in &q.windows {
        if let Some(e) = &w.start_offset {
            f(e);
        }
        if let Some(e) = &w.end_offset {
            f(e);
        }
    }
    if let Some(oc) = &q.on_conflict {
        oc.arbiter_elems.iter().for_each(&mut *f);
        if let Some(w) = &oc.arbiter_where {
            f(w);
        }
        for t in &oc.set {
            f(&t.expr);
        }
        if let Some(w) = &oc.where_clause {
            f(w);
        }
    }
    q.check_options.iter().for_each(|c| f(&c.qual));
    for a in &q.merge_actions {
        a.qual.iter().for_each(&mut *f);
        a.target_list.iter().for_each(|t| f(&t.expr));
    }
    for r in &q.rtable {
        match &r.kind {
            RteKind::Function { functions, .. } => functions.iter().for_each(|x| f(&x.expr)),
            RteKind::Values { lists, .. } => lists.iter().flatten().for_each(&mut *f),
            RteKind::Join { alias_vars, .. } => alias_vars.iter().for_each(&mut *f),
            RteKind::Append { members } => members.iter().flat_map(|m| &m.columns).for_each(&mut *f),
            RteKind::Relation { tablesample: Some(t), .. } => {
                t.args.iter().for_each(&mut *f);
                if let Some(x) = &t.repeatable {
                    f(x);
                }
            }
            _ => {}
        }
        r.security_quals.iter().for_each(&mut *f);
    }
}

/// Top-level expressions of a query, mutable.
pub fn query_exprs_mut(q: &mut Query, f: &mut dyn FnMut(&mut Expr)) {
    for t in &mut q.target_list {
        f(&mut t.expr);
    }
    for t in &mut q.returning {
        f(&mut t.expr);
    }
    jointree_exprs_mut(&mut q.jointree, f);
    if let Some(h) = &mut q.having {
        f(h);
    }
    if let Some(h) = &mut q.limit_offset {
        f(h);
    }
    if let Some(h) = &mut q.limit_count {
        f(h);
    }
    for w in &mut q.windows {
        if let Some(e) = &mut w.start_offset {
            f(e);
        }
        if let Some(e) = &mut w.end_offset {
            f(e);
        }
    }
    if let Some(oc) = &mut q.on_conflict {
        oc.arbiter_elems.iter_mut().for_each(&mut *f);
        if let Some(w) = &mut oc.arbiter_where {
            f(w);
        }
        for t in &mut oc.set {
            f(&mut t.expr);
        }
        if let Some(w) = &mut oc.where_clause {
            f(w);
        }
    }
    q.check_options.iter_mut().for_each(|c| f(&mut c.qual));
    for a in &mut q.merge_actions {
        a.qual.iter_mut().for_each(&mut *f);
        a.target_list.iter_mut().for_each(|t| f(&mut t.expr));
    }
    for r in &mut q.rtable {
        match &mut r.kind {
            RteKind::Function { functions, .. } => functions.iter_mut().for_each(|x| f(&mut x.expr)),
            RteKind::Values { lists, .. } => lists.iter_mut().flatten().for_each(&mut *f),
            RteKind::Join { alias_vars, .. } => alias_vars.iter_mut().for_each(&mut *f),
            RteKind::Append { members } => members.iter_mut().flat_map(|m| &mut m.columns).for_each(&mut *f),
            RteKind::Relation { tablesample: Some(t), .. } => {
                t.args.iter_mut().for_each(&mut *f);
                if let Some(x) = &mut t.repeatable {
                    f(x);
                }
            }
            _ => {}
        }
        r.security_quals.iter_mut().for_each(&mut *f);
    }
}

/// Qualifications of a FROM item list.
pub fn jointree_exprs<'e>(j: &'e FromExpr, f: &mut dyn FnMut(&'e Expr)) {
    if let Some(x) = &j.quals {
        f(x);
    }
    for c in &j.from {
        tree_exprs(c, f);
    }
}

/// Qualifications of a FROM item list, mutable.
pub fn jointree_exprs_mut(j: &mut FromExpr, f: &mut dyn FnMut(&mut Expr)) {
    if let Some(x) = &mut j.quals {
        f(x);
    }
    for c in &mut j.from {
        tree_exprs_mut(c, f);
    }
}

fn tree_exprs<'e>(t: &'e JoinTree, f: &mut dyn FnMut(&'e Expr)) {
    match t {
        JoinTree::Rte(_) => {}
        JoinTree::Join(j) => {
            tree_exprs(&j.left, f);
            tree_exprs(&j.right, f);
            if let Some(x) = &j.quals {
                f(x);
            }
        }
        JoinTree::From(fr) => jointree_exprs(fr, f),
    }
}

/// Qualifications inside a join tree, mutable.
pub fn tree_exprs_mut(t: &mut JoinTree, f: &mut dyn FnMut(&mut Expr)) {
    match t {
        JoinTree::Rte(_) => {}
        JoinTree::Join(j) => {
            tree_exprs_mut(&mut j.left, f);
            tree_exprs_mut(&mut j.right, f);
            if let Some(x) = &mut j.quals {
                f(x);
            }
        }
        JoinTree::From(fr) => jointree_exprs_mut(fr, f),
    }
}

/// Sub-queries of a query: range table and WITH, each with the number of levels it lies below.
pub fn subqueries_mut(q: &mut Query, f: &mut dyn FnMut(&mut Query)) {
    for r in &mut q.rtable {
        if let RteKind::Subquery { query, .. } = &mut r.kind {
            f(query);
        }
    }
    for c in &mut q.ctes {
        f(&mut c.query);
    }
}

fn subqueries<'e>(q: &'e Query, f: &mut dyn FnMut(&'e Query)) {
    for r in &q.rtable {
        if let RteKind::Subquery { query, .. } = &r.kind {
            f(query);
        }
    }
    for c in &q.ctes {
        f(&c.query);
    }
}

/// Pre-order walk; `f` returns false to skip a node's children.
pub fn walk<'e>(e: &'e Expr, f: &mut dyn FnMut(&'e Expr) -> bool) {
    if f(e) {
        each_child(e, &mut |c| walk(c, f));
    }
}

/// Does any node of the expression satisfy `f`?
pub fn any(e: &Expr, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    walk(e, &mut |x| {
        if !found && f(x) {
            found = true;
        }
        !found
    });
    found
}

/// Pre-order walk that may change nodes; `f` returns false to skip a node's children.
pub fn walk_mut(e: &mut Expr, f: &mut dyn FnMut(&mut Expr) -> bool) {
    if f(e) {
        each_child_mut(e, &mut |c| walk_mut(c, f));
    }
}

/// Walk through an expression and the sub-selects in it; `f` gets the number of levels it has gone down.
pub fn walk_levels<'e>(e: &'e Expr, level: u32, f: &mut dyn FnMut(&'e Expr, u32)) {
    f(e, level);
    if let Expr::SubLink(s) = e {
        walk_query_levels(&s.subselect, level + 1, f);
    }
    each_child(e, &mut |c| walk_levels(c, level, f));
}

/// [`walk_levels`] over all of a query at depth `level`.
pub fn walk_query_levels<'e>(q: &'e Query, level: u32, f: &mut dyn FnMut(&'e Expr, u32)) {
    query_exprs(q, &mut |e| walk_levels(e, level, f));
    subqueries(q, &mut |s| walk_query_levels(s, level + 1, f));
}

/// [`walk_levels`], mutable; `f` is called before the children are visited.
pub fn walk_levels_mut(e: &mut Expr, level: u32, f: &mut dyn FnMut(&mut Expr, u32)) {
    f(e, level);
    if let Expr::SubLink(s) = e {
        walk_query_levels_mut(&mut s.subselect, level + 1, f);
    }
    each_child_mut(e, &mut |c| walk_levels_mut(c, level, f));
}

/// [`walk_query_levels`], mutable.
pub fn walk_query_levels_mut(q: &mut Query, level: u32, f: &mut dyn FnMut(&mut Expr, u32)) {
    query_exprs_mut(q, &mut |e| walk_levels_mut(e, level, f));
    subqueries_mut(q, &mut |s| walk_query_levels_mut(s, level + 1, f));
}

/// Replaces nodes top-down: where `f` gives a new node it is taken as is and not entered.
pub fn replace(e: &mut Expr, f: &mut dyn FnMut(&Expr) -> Option<Expr>) {
    if let Some(n) = f(e) {
        *e = n;
        return;
    }
    each_child_mut(e, &mut |c| replace(c, f));
}

/// Adds `delta` to the `levels_up` of everything that refers out of the level the expression stands on.
pub fn shift_levels(e: &mut Expr, delta: i32, base: u32) {
    walk_levels_mut(e, base, &mut |x, lvl| shift_node(x, delta, lvl));
}

/// [`shift_levels`] for a whole query: references that leave it (`levels_up` ≥ 1 + depth) are shifted.
pub fn shift_query_levels(q: &mut Query, delta: i32, base: u32) {
    walk_query_levels_mut(q, base, &mut |x, lvl| shift_node(x, delta, lvl));
    shift_cte_refs(q, delta, base);
}

fn shift_node(x: &mut Expr, delta: i32, lvl: u32) {
    let up = match x {
        Expr::Var(v) => &mut v.levels_up,
        Expr::Aggref(a) => &mut a.levels_up,
        Expr::GroupingFunc { levels_up, .. } => levels_up,
        Expr::SubLink(s) => {
            shift_cte_refs(&mut s.subselect, delta, lvl + 1);
            return;
        }
        _ => return,
    };
    if *up >= lvl {
        *up = (*up as i32 + delta) as u32;
    }
}

fn shift_cte_refs(q: &mut Query, delta: i32, base: u32) {
    for r in &mut q.rtable {
        if let RteKind::Cte { levels_up, .. } = &mut r.kind
            && *levels_up >= base
        {
            *levels_up = (*levels_up as i32 + delta) as u32;
        }
    }
    subqueries_mut(q, &mut |s| shift_cte_refs(s, delta, base + 1));
}

/// The number of a `Rte` Var's range table entry, or 0.
pub fn rte_no(v: &Var) -> u32 {
    match v.varno {
        VarNo::Rte(n) => n,
        _ => 0,
    }
}

/// Every Var of the query's own level gets its range table number through `f`, sub-queries included.
pub fn renumber_query_vars(q: &mut Query, f: &mut dyn FnMut(u32) -> u32) {
    walk_query_levels_mut(q, 0, &mut |x, lvl| renumber_node(x, lvl, f));
}

/// [`renumber_query_vars`] for one expression.
pub fn renumber_expr_vars(e: &mut Expr, level: u32, f: &mut dyn FnMut(u32) -> u32) {
    walk_levels_mut(e, level, &mut |x, lvl| renumber_node(x, lvl, f));
}

fn renumber_node(x: &mut Expr, lvl: u32, f: &mut dyn FnMut(u32) -> u32) {
    match x {
        Expr::Var(v) if v.levels_up == lvl => {
            if let VarNo::Rte(n) = v.varno {
                v.varno = VarNo::Rte(f(n));
            }
        }
        Expr::CurrentOf { rte, .. } if lvl == 0 => *rte = f(*rte),
        _ => {}
    }
}

/// Erases what must not make equal expressions unequal: byte positions and the syntactic names of Vars.
pub fn strip(e: &mut Expr) {
    match e {
        Expr::Var(v) => {
            v.location = None;
            v.syn = (0, 0);
        }
        Expr::Const(c) => c.location = None,
        Expr::Param(p) => p.location = None,
        Expr::Func(f) => f.location = None,
        Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.location = None,
        Expr::ScalarArrayOp(o) => o.location = None,
        Expr::Aggref(a) => a.location = None,
        Expr::WindowFunc(w) => w.location = None,
        Expr::SubLink(s) => s.location = None,
        Expr::Bool { location, .. }
        | Expr::GroupingFunc { location, .. }
        | Expr::Case { location, .. }
        | Expr::Coalesce { location, .. }
        | Expr::MinMax { location, .. }
        | Expr::SqlValueFunction { location, .. }
        | Expr::NullTest { location, .. }
        | Expr::BooleanTest { location, .. }
        | Expr::Relabel { location, .. }
        | Expr::CoerceViaIo { location, .. }
        | Expr::ArrayCoerce { location, .. }
        | Expr::CoerceToDomain { location, .. }
        | Expr::Collate { location, .. }
        | Expr::Array { location, .. }
        | Expr::Row { location, .. }
        | Expr::SetToDefault { location, .. }
        | Expr::NamedArg { location, .. } => *location = None,
        _ => {}
    }
    each_child_mut(e, &mut strip);
}

fn strip_forms(e: &mut Expr) {
    match e {
        Expr::Func(f) => f.form = CoercionForm::ExplicitCall,
        Expr::Relabel { form, .. }
        | Expr::CoerceViaIo { form, .. }
        | Expr::ArrayCoerce { form, .. }
        | Expr::CoerceToDomain { form, .. } => *form = CoercionForm::ExplicitCast,
        _ => {}
    }
    each_child_mut(e, &mut strip_forms);
}

fn has_form(e: &Expr) -> bool {
    matches!(
        e,
        Expr::Func(_)
            | Expr::Relabel { .. }
            | Expr::CoerceViaIo { .. }
            | Expr::ArrayCoerce { .. }
            | Expr::CoerceToDomain { .. }
    )
}

/// Do two stripped expressions mean the same? How a cast was written does not count.
pub fn equal(a: &Expr, b: &Expr) -> bool {
    if std::mem::discriminant(a) != std::mem::discriminant(b) {
        return false;
    }
    if a == b {
        return true;
    }
    let list = |x: &[Expr], y: &[Expr]| x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y));
    match (a, b) {
        (Expr::Var(_) | Expr::Const(_) | Expr::Param(_), _) => return false,
        (Expr::Op(x), Expr::Op(y))
        | (Expr::DistinctExpr(x), Expr::DistinctExpr(y))
        | (Expr::NullIfExpr(x), Expr::NullIfExpr(y)) => {
            return x.opno == y.opno
                && x.funcid == y.funcid
                && x.result_type == y.result_type
                && x.retset == y.retset
                && x.collation == y.collation
                && x.input_collation == y.input_collation
                && x.location == y.location
                && list(&x.args, &y.args);
        }
        (Expr::ScalarArrayOp(x), Expr::ScalarArrayOp(y)) => {
            return x.opno == y.opno
                && x.funcid == y.funcid
                && x.use_or == y.use_or
                && x.input_collation == y.input_collation
                && x.location == y.location
                && list(&x.args, &y.args);
        }
        (Expr::Bool { op, args, location }, Expr::Bool { op: op2, args: args2, location: location2 }) => {
            return op == op2 && location == location2 && list(args, args2);
        }
        (Expr::Func(x), Expr::Func(y)) if x.funcid != y.funcid || x.args.len() != y.args.len() => {
            return false;
        }
        (Expr::Relabel { arg: x, .. }, Expr::Relabel { arg: y, .. }) if !equal(x, y) => return false,
        (Expr::Aggref(x), Expr::Aggref(y)) if x.aggfnoid != y.aggfnoid || x.args.len() != y.args.len() => {
            return false;
        }
        _ => {}
    }
    // Where there is no cast whose form could differ, the comparison above was all.
    if !any(a, &mut has_form) {
        return false;
    }
    let (mut x, mut y) = (a.clone(), b.clone());
    strip_forms(&mut x);
    strip_forms(&mut y);
    x == y
}
