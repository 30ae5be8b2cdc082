//! What may run in a worker: expressions by their functions' `proparallel`, relations by what they read.

use super::{each_expr, locks_rows};
use crate::PlannerCtx;
use crate::exprs::*;
use crate::root::*;
use analyze::expr::*;
use analyze::query::{Query, RteKind};
use common::Oid;

/// Ordered by how much they forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hazard {
    Safe,
    /// Only in the leader.
    Restricted,
    /// No workers while it runs.
    Unsafe,
}

fn of_function(ctx: &PlannerCtx<'_>, f: Oid) -> Hazard {
    match ctx.catalog.proc_desc(f).map_or(b'u', |p| p.parallel) {
        b's' => Hazard::Safe,
        b'r' => Hazard::Restricted,
        _ => Hazard::Unsafe,
    }
}

/// A node by itself, without its children.
fn of_node(ctx: &PlannerCtx<'_>, e: &Expr) -> Hazard {
    match e {
        Expr::Var(_) | Expr::Const(_) => Hazard::Safe,
        Expr::Aggref(a) => of_function(ctx, a.aggfnoid),
        Expr::WindowFunc(w) => of_function(ctx, w.winfnoid).max(Hazard::Restricted),
        Expr::CoerceViaIo { arg, result_type, .. } => {
            let types = ctx
                .catalog
                .type_desc(*result_type)
                .and_then(|t| Ok((t.input, ctx.catalog.type_desc(type_of(arg))?.output)));
            types.map_or(Hazard::Unsafe, |(i, o)| of_function(ctx, i).max(of_function(ctx, o)))
        }
        Expr::RowCompare { funcids, .. } => {
            funcids.iter().map(|f| of_function(ctx, *f)).max().unwrap_or(Hazard::Safe)
        }
        Expr::NextValue { .. } => Hazard::Unsafe,
        Expr::CoerceToDomain { .. } | Expr::SubLink(_) | Expr::CurrentOf { .. } => Hazard::Restricted,
        _ => node_func(ctx, e).map_or(Hazard::Safe, |f| of_function(ctx, f)),
    }
}

/// The worst thing in a statement that is not planned yet.
pub fn of_query(ctx: &PlannerCtx<'_>, q: &Query) -> Hazard {
    if locks_rows(q) {
        return Hazard::Unsafe;
    }
    let mut worst = Hazard::Safe;
    each_expr(q, &mut |e| {
        if worst < Hazard::Unsafe {
            worst = worst.max(of_node(ctx, e));
        }
    });
    worst
}

/// May a worker evaluate the expression?
pub fn expr(g: &Glob<'_>, e: &Expr) -> bool {
    exprs(g, std::iter::once(e))
}

/// May a worker evaluate all of them?
pub fn exprs<'e>(g: &Glob<'_>, list: impl IntoIterator<Item = &'e Expr>) -> bool {
    if !g.parallel.ok {
        return false;
    }
    if g.parallel.all_safe && g.next_param.get() == 0 {
        return true;
    }
    list.into_iter().all(|e| walk_safe(g, e, &[]))
}

fn walk_safe(g: &Glob<'_>, e: &Expr, set: &[u32]) -> bool {
    match e {
        Expr::Param(p) if p.kind == ParamKind::External => return true,
        Expr::Param(p) => {
            return p.kind == ParamKind::Exec
                && (set.contains(&p.id) || g.parallel.safe_params.borrow().contains(&p.id));
        }
        Expr::SubPlan(s) => {
            return s.parallel_safe
                && s.test.as_deref().is_none_or(|t| {
                    let inner: Vec<u32> = set.iter().chain(&s.param_ids).copied().collect();
                    walk_safe(g, t, &inner)
                })
                && s.args.iter().all(|a| walk_safe(g, a, set));
        }
        _ => {}
    }
    if of_node(g.ctx, e) != Hazard::Safe {
        return false;
    }
    let mut ok = true;
    each_child(e, &mut |c| ok = ok && walk_safe(g, c, set));
    ok
}

/// Decides whether a base relation may be read in a worker.
pub fn set_base(g: &Glob<'_>, root: &mut Root, rti: u32) {
    if !g.parallel.ok {
        return;
    }
    let rel = root.rel(rti);
    let readable = match &root.query.rte(rti).kind {
        RteKind::Relation { tablesample, .. } => {
            rel.relation.as_ref().is_some_and(|r| r.persistence != b't')
                && tablesample.as_ref().is_none_or(|t| exprs(g, t.args.iter().chain(&t.repeatable)))
        }
        // Each process would take other rows. (Constants are not looked at, as in PostgreSQL: OFFSET 0 counts.)
        RteKind::Subquery { .. } => rel
            .subroot
            .as_ref()
            .is_none_or(|s| s.query.limit_offset.iter().chain(&s.query.limit_count).all(const_null)),
        RteKind::Function { functions, .. } => exprs(g, functions.iter().map(|f| &f.expr)),
        RteKind::Values { lists, .. } => exprs(g, lists.iter().flatten()),
        RteKind::Result => true,
        _ => false,
    };
    let ok = readable && exprs(g, rel.base_clauses.iter().map(|r| &r.clause)) && exprs(g, &rel.target.exprs);
    root.rel_mut(rti).consider_parallel = ok;
}
