//! Planning of one query level, from `Query` to finished paths; recursion for sub-queries starts here.

use crate::create_plan;
use crate::exprs::*;
use crate::parallel::Parallel;
use crate::path::*;
use crate::plan::PlannedStmt;
use crate::prep::{self, aliases, cte, outerjoin, pullup, sublinks};
use crate::root::*;
use crate::subplan;
use crate::{PlannerCtx, equivalence, initsplan, join_removal, joinsearch, parallel, paths, setrefs, upper};
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Oid, Result};
use std::rc::Rc;

/// Plans a statement.
pub fn plan(ctx: &PlannerCtx<'_>, mut query: Query) -> Result<PlannedStmt> {
    let g = Glob::new(ctx, Parallel::of(ctx, &query));
    prep::wholerow::replace_all(&mut query);
    let command = query.command;
    let has_returning = !query.returning.is_empty();
    let fraction = if ctx.cursor { ctx.settings.cursor_tuple_fraction } else { 0.0 };
    let fraction = if fraction >= 1.0 { 0.0 } else { fraction };
    let mut root = subquery_planner(&g, query, 0, fraction, None)?;
    let best = cheapest_fractional(&root.final_paths, fraction)
        .ok_or_else(|| Error::internal("query has no path"))?;
    let mut top = create_plan::create(&g, &mut root, &best)?;
    if best.safe {
        top = parallel::single_copy(&g, top);
    }
    let rtable = std::mem::take(&mut root.query.rtable);
    setrefs::finish(&g, top, rtable, command, has_returning)
}

/// The path that is cheapest when only a fraction of the rows (or, above 1, a number of them) is fetched.
pub fn cheapest_fractional(paths: &[Rc<Path>], fraction: f64) -> Option<Rc<Path>> {
    let total = paths.iter().min_by(|a, b| {
        (a.total, a.startup).partial_cmp(&(b.total, b.startup)).unwrap_or(std::cmp::Ordering::Equal)
    })?;
    if fraction <= 0.0 {
        return Some(total.clone());
    }
    let mut f = fraction;
    if f >= 1.0 {
        f = if total.rows > 0.0 { f / total.rows } else { 1.0 };
    }
    if f >= 1.0 {
        return Some(total.clone());
    }
    let cost = |p: &Path| p.startup + f * (p.total - p.startup);
    let mut best = total;
    for p in paths {
        if cost(p) < cost(best) {
            best = p;
        }
    }
    Some(best.clone())
}

fn reset_depth(g: &Glob<'_>, depth: usize) {
    let mut c = g.ctes.borrow_mut();
    if c.len() <= depth {
        c.resize_with(depth + 1, Vec::new);
    }
    c[depth].clear();
    let mut w = g.work_tables.borrow_mut();
    if w.len() <= depth {
        w.resize_with(depth + 1, || None);
    }
    w[depth] = None;
    let mut p = g.plan_params.borrow_mut();
    if p.len() <= depth {
        p.resize_with(depth + 1, Vec::new);
    }
}

/// Plans one query level. `recursive`: it is a WITH RECURSIVE item whose work table has this parameter.
pub fn subquery_planner(
    g: &Glob<'_>,
    mut q: Query,
    depth: usize,
    fraction: f64,
    recursive: Option<u32>,
) -> Result<Root> {
    if depth > 200 {
        return Err(common::err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
    }
    g.check_interrupts()?;
    reset_depth(g, depth);
    let ctx = g.ctx;
    let mut init = Vec::new();
    if !q.ctes.is_empty() {
        cte::inline(ctx, &mut q);
        plan_ctes(g, &mut q, depth, &mut init)?;
    }
    if recursive.is_none() && prep::union_all::is_simple_level(&q) {
        prep::union_all::flatten(&mut q);
    }
    if q.set_operations.is_none() {
        prep::numbering::compact(&mut q);
        sublinks::pull_up(ctx, &mut q);
        prep::inline_function::inline(ctx, &mut q)?;
        pullup::pull_up(ctx, &mut q);
        aliases::flatten(&mut q);
    }
    let mut root = Root::new(depth, q);
    root.init_plans = init;
    root.tuple_fraction = fraction;
    preprocess(g, &mut root)?;
    move_having(g, &mut root);
    prep::groupby::trim(ctx, &mut root.query)?;
    outerjoin::reduce(ctx, &mut root.query.jointree);
    root.has_having = root.query.having.is_some();
    upper::grouping_planner(g, &mut root, fraction, recursive)?;
    charge_init_plans(&mut root);
    Ok(root)
}

/// Plans the WITH items that were not put in place.
fn plan_ctes(g: &Glob<'_>, q: &mut Query, depth: usize, init: &mut Vec<SubPlan>) -> Result<()> {
    for c in std::mem::take(&mut q.ctes) {
        if c.query.command != CmdType::Select {
            g.has_modifying_cte.set(true);
        }
        let wt = c.recursive.then(|| g.new_param());
        let mut sub = subquery_planner(g, (*c.query).clone(), depth + 1, 0.0, wt)?;
        let best = cheapest_fractional(&sub.final_paths, 0.0).ok_or_else(|| Error::internal("no path"))?;
        let plan = create_plan::create(g, &mut sub, &best)?;
        g.subplans.borrow_mut().push(PendingPlan { plan, rtable: std::mem::take(&mut sub.query.rtable) });
        let plan_id = g.subplans.borrow().len() as u32;
        let param = g.new_param();
        init.push(SubPlan {
            kind: SubLinkType::MultiExpr,
            plan_id,
            plan_name: format!("CTE {}", c.name),
            test: None,
            param_ids: Vec::new(),
            result_type: Oid::INVALID,
            stacked: false,
            typmod: -1,
            collation: Oid::INVALID,
            use_hash_table: false,
            unknown_eq_false: false,
            set_param: vec![param],
            par_param: Vec::new(),
            args: Vec::new(),
            startup_cost: best.startup,
            per_call_cost: best.total - best.startup,
            parallel_safe: false,
            alternative: None,
            column: 0,
        });
        g.ctes.borrow_mut()[depth].push(CtePlan { name: c.name, plan_id, param, rows: best.rows });
    }
    Ok(())
}

/// Costs of init-plans are charged to every finished path.
fn charge_init_plans(root: &mut Root) {
    let c: f64 = root.init_plans.iter().map(|s| s.startup_cost + s.per_call_cost).sum();
    if root.init_plans.is_empty() {
        return;
    }
    // Workers cannot evaluate init-plans.
    root.final_partial.clear();
    for p in &mut root.final_paths {
        let mut n = (**p).clone();
        n.safe = false;
        n.startup += c;
        n.total += c;
        *p = Rc::new(n);
    }
}

/// Folds, canonicalises and resolves sub-links and outer references of one expression.
pub fn preprocess_expr(g: &Glob<'_>, root: &mut Root, e: &mut Expr, qual: bool) -> Result<()> {
    if matches!(e, Expr::Const(_)) {
        strip(e);
        return Ok(());
    }
    strip(e);
    fold::fold(g.ctx, e)?;
    if qual {
        let x = std::mem::replace(e, is_bool_const(true));
        *e = canonicalize(x);
    }
    if root.query.has_sub_links && contains_subplans(e) {
        subplan::process_sublinks(g, root, e, qual)?;
    }
    if root.depth > 0 {
        subplan::replace_outer_refs(g, root.depth, e);
    }
    Ok(())
}

fn preprocess(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    let mut tl = std::mem::take(&mut root.query.target_list);
    for t in &mut tl {
        preprocess_expr(g, root, &mut t.expr, false)?;
    }
    root.query.target_list = tl;
    let mut tl = std::mem::take(&mut root.query.returning);
    for t in &mut tl {
        preprocess_expr(g, root, &mut t.expr, false)?;
    }
    root.query.returning = tl;
    let mut tree = std::mem::take(&mut root.query.jointree);
    preprocess_from(g, root, &mut tree)?;
    root.query.jointree = tree;
    for slot in [1, 2, 3] {
        let q = &mut root.query;
        let place = match slot {
            1 => &mut q.having,
            2 => &mut q.limit_offset,
            _ => &mut q.limit_count,
        };
        if let Some(mut e) = place.take() {
            preprocess_expr(g, root, &mut e, slot == 1)?;
            let q = &mut root.query;
            *(match slot {
                1 => &mut q.having,
                2 => &mut q.limit_offset,
                _ => &mut q.limit_count,
            }) = Some(e);
        }
    }
    let mut windows = std::mem::take(&mut root.query.windows);
    for w in &mut windows {
        let offsets = w.start_offset.iter_mut().chain(&mut w.end_offset);
        for e in offsets.chain(&mut w.run_condition) {
            preprocess_expr(g, root, e, false)?;
        }
    }
    root.query.windows = windows;
    if let Some(mut oc) = root.query.on_conflict.take() {
        for e in oc.arbiter_elems.iter_mut() {
            preprocess_expr(g, root, e, false)?;
        }
        for t in &mut oc.set {
            preprocess_expr(g, root, &mut t.expr, false)?;
        }
        for e in [&mut oc.arbiter_where, &mut oc.where_clause].into_iter().flatten() {
            preprocess_expr(g, root, e, true)?;
        }
        root.query.on_conflict = Some(oc);
    }
    let mut checks = std::mem::take(&mut root.query.check_options);
    for c in &mut checks {
        preprocess_expr(g, root, &mut c.qual, false)?;
    }
    root.query.check_options = checks;
    let mut actions = std::mem::take(&mut root.query.merge_actions);
    for a in &mut actions {
        if let Some(e) = &mut a.qual {
            preprocess_expr(g, root, e, true)?;
        }
        for t in &mut a.target_list {
            preprocess_expr(g, root, &mut t.expr, false)?;
        }
    }
    root.query.merge_actions = actions;
    let mut rtable = std::mem::take(&mut root.query.rtable);
    let mut r = Ok(());
    for rte in &mut rtable {
        match &mut rte.kind {
            RteKind::Function { functions, .. } => {
                for f in functions {
                    if r.is_ok() {
                        r = preprocess_expr(g, root, &mut f.expr, false);
                    }
                }
            }
            RteKind::Relation { tablesample: Some(s), .. } => {
                for e in s.args.iter_mut().chain(&mut s.repeatable) {
                    if r.is_ok() {
                        r = preprocess_expr(g, root, e, false);
                    }
                }
            }
            RteKind::Values { lists, .. } => {
                for e in lists.iter_mut().flatten() {
                    if r.is_ok() {
                        r = preprocess_expr(g, root, e, false);
                    }
                }
            }
            RteKind::Append { members } => {
                for e in members.iter_mut().flat_map(|m| &mut m.columns) {
                    if r.is_ok() {
                        r = preprocess_expr(g, root, e, false);
                    }
                }
            }
            _ => {}
        }
    }
    root.query.rtable = rtable;
    r
}

fn preprocess_from(g: &Glob<'_>, root: &mut Root, f: &mut FromExpr) -> Result<()> {
    for t in &mut f.from {
        preprocess_tree(g, root, t)?;
    }
    if let Some(e) = &mut f.quals {
        preprocess_expr(g, root, e, true)?;
    }
    Ok(())
}

fn preprocess_tree(g: &Glob<'_>, root: &mut Root, t: &mut JoinTree) -> Result<()> {
    match t {
        JoinTree::Rte(_) => Ok(()),
        JoinTree::From(f) => preprocess_from(g, root, f),
        JoinTree::Join(j) => {
            preprocess_tree(g, root, &mut j.left)?;
            preprocess_tree(g, root, &mut j.right)?;
            match &mut j.quals {
                Some(e) => preprocess_expr(g, root, e, true),
                None => Ok(()),
            }
        }
    }
}

/// HAVING clauses without aggregates filter groups as well before grouping.
fn move_having(g: &Glob<'_>, root: &mut Root) {
    let Some(h) = root.query.having.take() else { return };
    let mut keep = Vec::new();
    let mut down = Vec::new();
    for c in to_and_list(Some(h)) {
        let sets = !root.query.grouping_sets.is_empty();
        if sets || contains_aggs(&c) || contains_volatile(g.ctx, &c) || contains_subplans(&c) {
            keep.push(c);
        } else if !root.query.group_clause.is_empty() {
            down.push(c);
        } else {
            down.push(c.clone());
            keep.push(c);
        }
    }
    if !down.is_empty() {
        let mut l = to_and_list(root.query.jointree.quals.take());
        l.extend(down);
        root.query.jointree.quals = Some(make_and(l));
    }
    // An empty list still means "there is a HAVING".
    let keep_any = !keep.is_empty()
        || (root.query.group_clause.is_empty()
            && root.query.grouping_sets.is_empty()
            && !root.query.has_aggs);
    root.having = keep;
    root.query.having = keep_any.then(|| is_bool_const(true));
}

/// Plans the join tree: relations, clauses, join order. The result relation's set, or empty for no FROM.
pub fn query_planner(
    g: &Glob<'_>,
    root: &mut Root,
    callback: &mut dyn FnMut(&Glob<'_>, &mut Root) -> Result<()>,
) -> Result<crate::relids::Relids> {
    let empty = prep::from_relids(&root.query.jointree).is_empty();
    if empty {
        callback(g, root)?;
        return Ok(crate::relids::Relids::EMPTY);
    }
    initsplan::build_base_rels(g, root)?;
    let (tlist, having) = (std::mem::take(&mut root.tlist), std::mem::take(&mut root.having));
    initsplan::need_final(root, tlist.iter().map(|t| &t.expr).chain(&having));
    (root.tlist, root.having) = (tlist, having);
    initsplan::find_lateral(g, root)?;
    let mut list = initsplan::deconstruct(g, root)?;
    equivalence::reconsider_outer(g, root)?;
    equivalence::generate_base(g, root)?;
    callback(g, root)?;
    join_removal::remove(root, &mut list);
    join_removal::reduce_semi(g, root);
    crate::selectivity::foreign::find(g, root);
    paths::orclauses::extract(g, root);
    crate::append::expand(g, root)?;
    paths::base::set_sizes(g, root)?;
    paths::base::set_paths(g, root)?;
    let all = joinsearch::search(g, root, &list)?;
    Ok(all)
}
