//! Parallel query: may a statement use workers at all, and how many does a scan get. What may run inside a worker is
//! `safety`'s question; partial paths and the Gather nodes above them are made in `gather`.

pub mod gather;
pub mod safety;

use crate::PlannerCtx;
use crate::exprs::walk_query_levels;
use crate::path::Path;
use crate::plan::{Node, Plan};
use crate::relids::is_member;
use crate::root::{Glob, RelInfo};
use crate::settings::{ForceParallel, PlannerSettings};
use analyze::expr::Expr;
use analyze::query::{CmdType, Query, RteKind};
use common::Oid;
use std::cell::RefCell;

/// What is known of a statement before it is planned.
#[derive(Default)]
pub struct Parallel {
    /// Workers may be used.
    pub ok: bool,
    /// Nothing in the statement is restricted to the leader.
    pub all_safe: bool,
    /// Parameters that init-plans set: known before workers start.
    pub safe_params: RefCell<Vec<u32>>,
    /// Tables measured on the way to the decision, and their pages.
    pub sizes: Vec<(Oid, u32)>,
}

impl Parallel {
    /// Looks at a statement. Cheap where no table is large enough for workers.
    pub fn of(ctx: &PlannerCtx<'_>, q: &Query) -> Parallel {
        let s = ctx.settings;
        let mut none = Parallel::default();
        if !ctx.parallel
            || ctx.catalog.engine().is_worker()
            || q.command != CmdType::Select
            || q.has_modifying_cte
            || s.max_parallel_workers_per_gather == 0
            || (s.force_parallel_mode == ForceParallel::Off && !any_large(ctx, q, &mut none.sizes))
        {
            return none;
        }
        match safety::of_query(ctx, q) {
            safety::Hazard::Unsafe => none,
            h => Parallel { ok: true, all_safe: h == safety::Hazard::Safe, ..none },
        }
    }
}

/// Calls `f` on a query and all queries in it until it says `true`.
pub fn any_query(q: &Query, f: &mut dyn FnMut(&Query) -> bool) -> bool {
    if f(q) {
        return true;
    }
    let mut found = q.ctes.iter().any(|c| any_query(&c.query, f));
    for r in &q.rtable {
        if found {
            return true;
        }
        if let RteKind::Subquery { query, .. } = &r.kind {
            found = any_query(query, f);
        }
    }
    if !found && q.has_sub_links {
        crate::exprs::query_exprs(q, &mut |e| {
            crate::exprs::any(e, &mut |x| {
                if let Expr::SubLink(s) = x {
                    found = found || any_query(&s.subselect, f);
                }
                found
            });
        });
    }
    found
}

/// Does the query read anything a worker could be worth starting for?
fn any_large(ctx: &PlannerCtx<'_>, q: &Query, sizes: &mut Vec<(Oid, u32)>) -> bool {
    any_query(q, &mut |q| {
        q.rtable.iter().any(|r| match &r.kind {
            RteKind::Relation { relid, .. } => large(ctx, *relid, sizes),
            // A function's body may be put in its place.
            RteKind::Function { functions, .. } => {
                functions.iter().any(|f| matches!(&f.expr, Expr::Func(c) if c.funcid >= Oid::FIRST_NORMAL))
            }
            _ => false,
        })
    })
}

fn large(ctx: &PlannerCtx<'_>, relid: Oid, sizes: &mut Vec<(Oid, u32)>) -> bool {
    let Ok(r) = ctx.catalog.relation(relid) else { return false };
    if r.kind == b'p' || r.has_subclass || option_workers(&r.options).is_some() {
        return true;
    }
    let s = ctx.settings;
    let Ok(pages) = ctx.catalog.relation_blocks(&r) else { return false };
    sizes.push((relid, pages));
    let pages = f64::from(pages);
    // An index is hardly ever more than twice the size of its table.
    pages >= s.min_parallel_table_scan_size || (r.has_index && pages * 2.0 >= s.min_parallel_index_scan_size)
}

/// The storage parameter `parallel_workers`.
pub fn option_workers(options: &[String]) -> Option<u32> {
    options.iter().find_map(|o| o.strip_prefix("parallel_workers=")).and_then(|v| v.parse().ok())
}

/// Number of workers for reading so many pages of a relation and of its index.
pub fn workers(s: &PlannerSettings, rel: &RelInfo, heap: Option<f64>, index: Option<f64>) -> u32 {
    let by_size = |pages: f64, min: f64| {
        let mut threshold = min.max(1.0);
        let mut n = 1;
        while pages >= threshold * 3.0 {
            n += 1;
            threshold *= 3.0;
            if threshold > f64::from(i32::MAX / 3) {
                break;
            }
        }
        n
    };
    let (min_heap, min_index) = (s.min_parallel_table_scan_size, s.min_parallel_index_scan_size);
    let n = match rel.option_workers {
        Some(n) => n,
        None => {
            let few = |pages: Option<f64>, min: f64| pages.is_some_and(|p| p < min);
            if !is_member(rel.rti) && (few(heap, min_heap) || few(index, min_index)) {
                return 0;
            }
            match (heap.map(|p| by_size(p, min_heap)), index.map(|p| by_size(p, min_index))) {
                (Some(h), Some(i)) => h.min(i),
                (Some(n), None) | (None, Some(n)) => n,
                (None, None) => 0,
            }
        }
    };
    n.min(s.max_parallel_workers_per_gather)
}

/// Could a scan of the index be shared? Spares costing it.
pub fn worth_index(s: &PlannerSettings, rel: &RelInfo, index_pages: f64, only: bool) -> bool {
    rel.consider_parallel
        && (rel.option_workers.is_some()
            || is_member(rel.rti)
            || (index_pages >= s.min_parallel_index_scan_size
                && (only || rel.pages >= s.min_parallel_table_scan_size)))
}

/// Could a bitmap scan of the table be shared?
pub fn worth_bitmap(s: &PlannerSettings, rel: &RelInfo) -> bool {
    rel.consider_parallel
        && rel.lateral.is_empty()
        && (rel.option_workers.is_some() || is_member(rel.rti) || rel.pages >= s.min_parallel_table_scan_size)
}

/// How many processes' worth of work a partial path is divided by: the workers, and the leader as far as it is not busy
/// reading from them.
pub fn divisor(g: &Glob<'_>, workers: u32) -> f64 {
    let n = f64::from(workers);
    let leader = 1.0 - 0.3 * n;
    if g.ctx.settings.parallel_leader_participation && leader > 0.0 { n + leader } else { n }
}

/// Rows of a partial path: each process's share.
pub fn share(g: &Glob<'_>, p: &mut Path) {
    if p.workers > 0 {
        p.rows = crate::selectivity::clamp_rows(p.rows / divisor(g, p.workers));
    }
}

/// Under `force_parallel_mode` a plan that a worker may run is run by one.
pub fn single_copy(g: &Glob<'_>, top: Plan) -> Plan {
    let s = g.ctx.settings;
    if !g.parallel.ok || s.force_parallel_mode == ForceParallel::Off {
        return top;
    }
    let invisible = s.force_parallel_mode == ForceParallel::Regress;
    let mut p = crate::create_plan::result_over(top);
    p.startup_cost += s.parallel_setup_cost;
    p.total_cost += s.parallel_setup_cost + s.parallel_tuple_cost * p.rows;
    if let Node::Result { child: Some(child), .. } = p.node {
        p.node = Node::Gather { child, workers: 1, single_copy: true, invisible };
    }
    p
}

/// Row marks anywhere?
fn locks_rows(q: &Query) -> bool {
    any_query(q, &mut |q| !q.row_marks.is_empty() || q.has_for_update || q.command != CmdType::Select)
}

/// Calls `f` on all expressions of a query and the queries in it.
fn each_expr(q: &Query, f: &mut dyn FnMut(&Expr)) {
    walk_query_levels(q, 0, &mut |e, _| f(e));
}
