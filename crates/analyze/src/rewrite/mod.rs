//! The rewriter: what happens between analysis and planning. Views become sub-queries, INSERT and UPDATE get their
//! defaults. Runs on every use of a prepared statement whose descriptors changed.

mod barrier;
mod defaults;
pub use defaults::column_default;
pub mod inherit;
mod updatable;
pub use updatable::not_updatable;
mod view;

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::query::*;
use crate::walk;
use common::Result;

/// Rewrites a query. The result is what is to be planned (one query; rules that add more are not supported).
pub fn rewrite(ctx: &AnalyzeCtx<'_>, mut q: Query) -> Result<Vec<Query>> {
    rewrite_query(ctx, &mut q, 0)?;
    Ok(vec![q])
}

/// As [`rewrite`], where the query lies.
pub fn rewrite_in_place(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    rewrite_query(ctx, q, 0)
}

fn rewrite_query(ctx: &AnalyzeCtx<'_>, q: &mut Query, depth: u32) -> Result<()> {
    for c in &mut q.ctes {
        crate::cte_search::expand(ctx, c)?;
        rewrite_query(ctx, &mut c.query, depth)?;
    }
    if q.command != CmdType::Select {
        updatable::expand_target(ctx, q)?;
    }
    if matches!(q.command, CmdType::Insert | CmdType::Update | CmdType::Merge) {
        defaults::fill(ctx, q)?;
    }
    view::expand(ctx, q, depth)?;
    inherit::expand(ctx, q)?;
    // What analysis counted sub-selects of has them all; only what is written to can bring in others.
    let plain = matches!(q.command, CmdType::Select | CmdType::Insert) && q.check_options.is_empty();
    if plain && !q.has_sub_links {
        return Ok(());
    }
    let mut r = Ok(());
    walk::query_exprs_mut(q, &mut |e| {
        if r.is_ok() {
            r = rewrite_sublinks(ctx, e, depth);
        }
    });
    r
}

fn rewrite_sublinks(ctx: &AnalyzeCtx<'_>, e: &mut Expr, depth: u32) -> Result<()> {
    let mut r = Ok(());
    walk::children_mut(e, &mut |c| {
        if r.is_ok() {
            r = rewrite_sublinks(ctx, c, depth);
        }
    });
    r?;
    if let Expr::SubLink(s) = e {
        rewrite_query(ctx, &mut s.subselect, depth)?;
    }
    Ok(())
}

/// Moves an expression `delta` query levels deeper: its references out of itself skip that many levels more.
pub fn shift_levels(e: &mut Expr, delta: i32) {
    walk::walk_mut(e, 0, &mut |x, d| {
        shift_node(x, d, delta);
        true
    });
    shift_cte_refs_in(e, 0, delta);
}

/// [`shift_levels`] for a whole query.
pub fn shift_query_levels(q: &mut Query, delta: i32) {
    walk::walk_query_mut(q, 1, &mut |x, d| {
        shift_node(x, d, delta);
        true
    });
    shift_cte_refs(q, 1, delta);
}

fn add(l: &mut u32, delta: i32) {
    *l = l.saturating_add_signed(delta);
}

fn shift_node(x: &mut Expr, d: u32, delta: i32) {
    match x {
        Expr::Var(v) if v.levels_up >= d => add(&mut v.levels_up, delta),
        Expr::Aggref(a) if a.levels_up >= d && a.levels_up > 0 => add(&mut a.levels_up, delta),
        Expr::GroupingFunc { levels_up, .. } if *levels_up >= d && *levels_up > 0 => add(levels_up, delta),
        _ => {}
    }
}

fn shift_cte_refs_in(e: &mut Expr, d: u32, delta: i32) {
    if let Expr::SubLink(s) = e {
        shift_cte_refs(&mut s.subselect, d + 1, delta);
    }
    walk::children_mut(e, &mut |c| shift_cte_refs_in(c, d, delta));
}

fn shift_cte_refs(q: &mut Query, d: u32, delta: i32) {
    for r in &mut q.rtable {
        if let RteKind::Cte { levels_up, .. } = &mut r.kind
            && *levels_up >= d
        {
            add(levels_up, delta);
        }
    }
    walk::query_exprs_mut(q, &mut |e| shift_cte_refs_in(e, d, delta));
    walk::subqueries_mut(q, &mut |s| shift_cte_refs(s, d + 1, delta));
}
