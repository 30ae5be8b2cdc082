//! Walking and rewriting expression trees. [`children`] and [`children_mut`] list the direct sub-expressions; they do
//! not enter sub-selects (callers that care about query levels do that themselves).

use crate::expr::*;
use crate::query::*;

/// Calls `f` on every direct sub-expression.
pub fn children<'a>(e: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    match e {
        Expr::Func(x) => x.args.iter().for_each(f),
        Expr::Op(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => x.args.iter().for_each(f),
        Expr::ScalarArrayOp(x) => x.args.iter().for_each(f),
        Expr::Bool { args, .. }
        | Expr::GroupingFunc { args, .. }
        | Expr::Coalesce { args, .. }
        | Expr::MinMax { args, .. }
        | Expr::Row { args, .. } => args.iter().for_each(f),
        Expr::Array { elements, .. } => elements.iter().for_each(f),
        Expr::Aggref(a) => {
            a.direct_args.iter().for_each(&mut *f);
            a.args.iter().for_each(|t| f(&t.expr));
            a.filter.as_deref().into_iter().for_each(f);
        }
        Expr::WindowFunc(w) => {
            w.args.iter().for_each(&mut *f);
            w.filter.as_deref().into_iter().for_each(f);
        }
        Expr::SubLink(s) => s.test.as_deref().into_iter().for_each(f),
        Expr::SubPlan(s) => {
            s.test.as_deref().into_iter().for_each(&mut *f);
            s.args.iter().for_each(&mut *f);
            s.alternative.iter().flat_map(|a| &a.test).for_each(|t| f(t));
        }
        Expr::Case { arg, whens, default, .. } => {
            arg.as_deref().into_iter().for_each(&mut *f);
            for w in whens.iter() {
                f(&w.expr);
                f(&w.result);
            }
            default.as_deref().into_iter().for_each(f);
        }
        Expr::NullTest { arg, .. }
        | Expr::BooleanTest { arg, .. }
        | Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::CoerceToDomain { arg, .. }
        | Expr::Collate { arg, .. }
        | Expr::FieldSelect { arg, .. }
        | Expr::NamedArg { arg, .. } => f(arg),
        Expr::ArrayCoerce { arg, elem, .. } => {
            f(arg);
            f(elem);
        }
        Expr::Subscript { upper, lower, arg, assign, .. } => {
            f(arg);
            upper.iter().flatten().for_each(&mut *f);
            lower.iter().flat_map(|l| l.iter()).flatten().for_each(&mut *f);
            assign.as_deref().into_iter().for_each(f);
        }
        Expr::FieldStore { arg, newvals, .. } => {
            f(arg);
            newvals.iter().for_each(f);
        }
        Expr::RowCompare { left, right, .. } => {
            left.iter().for_each(&mut *f);
            right.iter().for_each(f);
        }
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::CaseTest { .. }
        | Expr::SqlValueFunction { .. }
        | Expr::DomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::NextValue { .. } => {}
    }
}

/// Calls `f` on every expression at the top of one of the query's clauses (target list, join tree, HAVING, LIMIT,
/// RETURNING, VALUES, functions in FROM, join aliases); does not enter sub-queries.
pub fn query_exprs<'a>(q: &'a Query, f: &mut dyn FnMut(&'a Expr)) {
    q.target_list.iter().for_each(|t| f(&t.expr));
    q.returning.iter().for_each(|t| f(&t.expr));
    from_exprs(&q.jointree, f);
    for e in [&q.having, &q.limit_offset, &q.limit_count] {
        e.iter().for_each(&mut *f);
    }
    for w in q.windows.iter() {
        w.start_offset.iter().for_each(&mut *f);
        w.end_offset.iter().for_each(&mut *f);
    }
    if let Some(oc) = q.on_conflict.as_deref() {
        oc.arbiter_elems.iter().for_each(&mut *f);
        oc.arbiter_where.iter().for_each(&mut *f);
        oc.set.iter().for_each(|t| f(&t.expr));
        oc.where_clause.iter().for_each(&mut *f);
    }
    q.check_options.iter().for_each(|c| f(&c.qual));
    for a in &q.merge_actions {
        a.qual.iter().for_each(&mut *f);
        a.target_list.iter().for_each(|t| f(&t.expr));
    }
    for r in q.rtable.iter() {
        r.security_quals.iter().for_each(&mut *f);
        match &r.kind {
            RteKind::Join { alias_vars, .. } => alias_vars.iter().for_each(&mut *f),
            RteKind::Function { functions, .. } => functions.iter().for_each(|x| f(&x.expr)),
            RteKind::Values { lists, .. } => lists.iter().flatten().for_each(&mut *f),
            _ => {}
        }
    }
}

fn from_exprs<'a>(from: &'a FromExpr, f: &mut dyn FnMut(&'a Expr)) {
    from.from.iter().for_each(|j| jointree_exprs(j, f));
    from.quals.iter().for_each(f);
}

fn jointree_exprs<'a>(j: &'a JoinTree, f: &mut dyn FnMut(&'a Expr)) {
    match j {
        JoinTree::Rte(_) => {}
        JoinTree::From(x) => from_exprs(x, f),
        JoinTree::Join(x) => {
            jointree_exprs(&x.left, f);
            jointree_exprs(&x.right, f);
            x.quals.iter().for_each(f);
        }
    }
}

/// Calls `f` on the query's direct sub-queries in FROM and WITH, with how many levels deeper they are (always 1).
pub fn subqueries<'a>(q: &'a Query, f: &mut dyn FnMut(&'a Query)) {
    q.ctes.iter().for_each(|c| f(&c.query));
    for r in q.rtable.iter() {
        if let RteKind::Subquery { query, .. } = &r.kind {
            f(query);
        }
    }
}

/// Calls `f` on every direct sub-expression.
pub fn children_mut<'a>(e: &'a mut Expr, f: &mut dyn FnMut(&'a mut Expr)) {
    match e {
        Expr::Func(x) => x.args.iter_mut().for_each(f),
        Expr::Op(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => x.args.iter_mut().for_each(f),
        Expr::ScalarArrayOp(x) => x.args.iter_mut().for_each(f),
        Expr::Bool { args, .. }
        | Expr::GroupingFunc { args, .. }
        | Expr::Coalesce { args, .. }
        | Expr::MinMax { args, .. }
        | Expr::Row { args, .. } => args.iter_mut().for_each(f),
        Expr::Array { elements, .. } => elements.iter_mut().for_each(f),
        Expr::Aggref(a) => {
            a.direct_args.iter_mut().for_each(&mut *f);
            a.args.iter_mut().for_each(|t| f(&mut t.expr));
            a.filter.as_deref_mut().into_iter().for_each(f);
        }
        Expr::WindowFunc(w) => {
            w.args.iter_mut().for_each(&mut *f);
            w.filter.as_deref_mut().into_iter().for_each(f);
        }
        Expr::SubLink(s) => s.test.as_deref_mut().into_iter().for_each(f),
        Expr::SubPlan(s) => {
            s.test.as_deref_mut().into_iter().for_each(&mut *f);
            s.args.iter_mut().for_each(&mut *f);
            s.alternative.iter_mut().flat_map(|a| &mut a.test).for_each(|t| f(t));
        }
        Expr::Case { arg, whens, default, .. } => {
            arg.as_deref_mut().into_iter().for_each(&mut *f);
            for w in whens.iter_mut() {
                f(&mut w.expr);
                f(&mut w.result);
            }
            default.as_deref_mut().into_iter().for_each(f);
        }
        Expr::NullTest { arg, .. }
        | Expr::BooleanTest { arg, .. }
        | Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::CoerceToDomain { arg, .. }
        | Expr::Collate { arg, .. }
        | Expr::FieldSelect { arg, .. }
        | Expr::NamedArg { arg, .. } => f(arg),
        Expr::ArrayCoerce { arg, elem, .. } => {
            f(arg);
            f(elem);
        }
        Expr::Subscript { upper, lower, arg, assign, .. } => {
            f(arg);
            upper.iter_mut().flatten().for_each(&mut *f);
            lower.iter_mut().flat_map(|l| l.iter_mut()).flatten().for_each(&mut *f);
            assign.as_deref_mut().into_iter().for_each(f);
        }
        Expr::FieldStore { arg, newvals, .. } => {
            f(arg);
            newvals.iter_mut().for_each(f);
        }
        Expr::RowCompare { left, right, .. } => {
            left.iter_mut().for_each(&mut *f);
            right.iter_mut().for_each(f);
        }
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::CaseTest { .. }
        | Expr::SqlValueFunction { .. }
        | Expr::DomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::NextValue { .. } => {}
    }
}

/// Calls `f` on every expression at the top of one of the query's clauses (target list, join tree, HAVING, LIMIT,
/// RETURNING, VALUES, functions in FROM, join aliases); does not enter sub-queries.
pub fn query_exprs_mut<'a>(q: &'a mut Query, f: &mut dyn FnMut(&'a mut Expr)) {
    q.target_list.iter_mut().for_each(|t| f(&mut t.expr));
    q.returning.iter_mut().for_each(|t| f(&mut t.expr));
    from_exprs_mut(&mut q.jointree, f);
    for e in [&mut q.having, &mut q.limit_offset, &mut q.limit_count] {
        e.iter_mut().for_each(&mut *f);
    }
    for w in q.windows.iter_mut() {
        w.start_offset.iter_mut().for_each(&mut *f);
        w.end_offset.iter_mut().for_each(&mut *f);
    }
    if let Some(oc) = q.on_conflict.as_deref_mut() {
        oc.arbiter_elems.iter_mut().for_each(&mut *f);
        oc.arbiter_where.iter_mut().for_each(&mut *f);
        oc.set.iter_mut().for_each(|t| f(&mut t.expr));
        oc.where_clause.iter_mut().for_each(&mut *f);
    }
    q.check_options.iter_mut().for_each(|c| f(&mut c.qual));
    for a in &mut q.merge_actions {
        a.qual.iter_mut().for_each(&mut *f);
        a.target_list.iter_mut().for_each(|t| f(&mut t.expr));
    }
    for r in q.rtable.iter_mut() {
        r.security_quals.iter_mut().for_each(&mut *f);
        match &mut r.kind {
            RteKind::Join { alias_vars, .. } => alias_vars.iter_mut().for_each(&mut *f),
            RteKind::Function { functions, .. } => functions.iter_mut().for_each(|x| f(&mut x.expr)),
            RteKind::Values { lists, .. } => lists.iter_mut().flatten().for_each(&mut *f),
            _ => {}
        }
    }
}

fn from_exprs_mut<'a>(from: &'a mut FromExpr, f: &mut dyn FnMut(&'a mut Expr)) {
    from.from.iter_mut().for_each(|j| jointree_exprs_mut(j, f));
    from.quals.iter_mut().for_each(f);
}

fn jointree_exprs_mut<'a>(j: &'a mut JoinTree, f: &mut dyn FnMut(&'a mut Expr)) {
    match j {
        JoinTree::Rte(_) => {}
        JoinTree::From(x) => from_exprs_mut(x, f),
        JoinTree::Join(x) => {
            jointree_exprs_mut(&mut x.left, f);
            jointree_exprs_mut(&mut x.right, f);
            x.quals.iter_mut().for_each(f);
        }
    }
}

/// Calls `f` on the query's direct sub-queries in FROM and WITH, with how many levels deeper they are (always 1).
pub fn subqueries_mut<'a>(q: &'a mut Query, f: &mut dyn FnMut(&'a mut Query)) {
    q.ctes.iter_mut().for_each(|c| f(&mut c.query));
    for r in q.rtable.iter_mut() {
        if let RteKind::Subquery { query, .. } = &mut r.kind {
            f(query);
        }
    }
}

/// Calls `f` on the expression and everything below it, parents first; sub-selects are entered with the level
/// counted up. `f` returns false to leave a node's children out.
pub fn walk(e: &Expr, level: u32, f: &mut dyn FnMut(&Expr, u32) -> bool) {
    if !f(e, level) {
        return;
    }
    children(e, &mut |c| walk(c, level, f));
    if let Expr::SubLink(s) = e {
        walk_query(&s.subselect, level + 1, f);
    }
}

/// [`walk`] over every expression of a query (whose own level is `level`) and of its sub-queries.
pub fn walk_query(q: &Query, level: u32, f: &mut dyn FnMut(&Expr, u32) -> bool) {
    query_exprs(q, &mut |e| walk(e, level, f));
    subqueries(q, &mut |s| walk_query(s, level + 1, f));
}

/// As [`walk`] with the right to change nodes; children are visited after `f` (if it returns true).
pub fn walk_mut(e: &mut Expr, level: u32, f: &mut dyn FnMut(&mut Expr, u32) -> bool) {
    if !f(e, level) {
        return;
    }
    children_mut(e, &mut |c| walk_mut(c, level, f));
    if let Expr::SubLink(s) = e {
        walk_query_mut(&mut s.subselect, level + 1, f);
    }
}

/// [`walk_mut`] over every expression of a query and of its sub-queries.
pub fn walk_query_mut(q: &mut Query, level: u32, f: &mut dyn FnMut(&mut Expr, u32) -> bool) {
    query_exprs_mut(q, &mut |e| walk_mut(e, level, f));
    subqueries_mut(q, &mut |s| walk_query_mut(s, level + 1, f));
}

/// Does any node below (sub-selects included) satisfy `pred`?
pub fn contains(e: &Expr, pred: &mut dyn FnMut(&Expr, u32) -> bool) -> bool {
    let mut found = false;
    walk(e, 0, &mut |x, l| {
        found = found || pred(x, l);
        !found
    });
    found
}

/// Does a query use `$n` anywhere?
pub fn query_has_params(q: &Query) -> bool {
    let mut found = false;
    walk_query(q, 1, &mut |x, _| {
        found |= matches!(x, Expr::Param(p) if p.kind == ParamKind::External);
        !found
    });
    found
}
