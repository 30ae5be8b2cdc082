//! Above scan and join: grouping, DISTINCT, ORDER BY, set-returning functions, row locks, LIMIT, modification.

pub mod distinct;
pub mod group;
pub mod grouping_sets;
pub mod minmax;
pub mod modify;
pub mod partial;
pub mod setop;
pub mod target;
pub mod window;

use crate::cost;
use crate::exprs::*;
use crate::parallel::{gather, safety};
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::planner::query_planner;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity::clamp_rows;
use crate::settings::ForceParallel;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Result};
use std::rc::Rc;
use types::Datum;

/// What a step of the way from scan and join to the result can be made from.
pub struct Stage {
    pub paths: Vec<Rc<Path>>,
    /// Paths each process computes a part of.
    pub partial: Vec<Rc<Path>>,
    /// Workers may compute it.
    pub ok: bool,
}

impl Stage {
    /// Without partial paths.
    pub fn complete(paths: Vec<Rc<Path>>, ok: bool) -> Stage {
        Stage { paths, partial: Vec::new(), ok }
    }
}

/// LIMIT and OFFSET as estimates: 0 = none, -1 = unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitEst {
    pub count: f64,
    pub offset: f64,
}

/// Plans everything of one query level; leaves the finished paths in `root.final_paths`.
pub fn grouping_planner(g: &Glob<'_>, root: &mut Root, fraction: f64, recursive: Option<u32>) -> Result<()> {
    let (fraction, limit) = preprocess_limit(g, root, fraction);
    root.tuple_fraction = fraction;
    let limit_tuples =
        if limit.count > 0.0 && limit.offset >= 0.0 { limit.count + limit.offset } else { -1.0 };
    let paths = if root.query.set_operations.is_some() {
        root.tlist = root.query.target_list.clone();
        let paths = setop::plan(g, root, recursive)?;
        let ok = paths.iter().all(|p| p.safe);
        Stage::complete(paths, ok)
    } else {
        plain(g, root, limit_tuples)?
    };
    let sorted = order(g, root, paths, limit_tuples);
    finish(g, root, sorted, limit)
}

fn preprocess_limit(g: &Glob<'_>, root: &Root, fraction: f64) -> (f64, LimitEst) {
    let est = |e: &Option<Expr>, is_count: bool| -> f64 {
        match e {
            None => 0.0,
            Some(e) => match fold::for_estimate(g.ctx, e) {
                Expr::Const(c) => match c.value {
                    Datum::Null => 0.0,
                    Datum::I64(v) if v <= 0 => f64::from(u8::from(is_count)),
                    Datum::I64(v) => v as f64,
                    _ => -1.0,
                },
                _ => -1.0,
            },
        }
    };
    let l =
        LimitEst { count: est(&root.query.limit_count, true), offset: est(&root.query.limit_offset, false) };
    let mut f = fraction;
    if l.count != 0.0 {
        let lim = if l.count < 0.0 || l.offset < 0.0 { 0.10 } else { l.count + l.offset };
        f = if f >= 1.0 {
            if lim >= 1.0 { f.min(lim) } else { f }
        } else if f > 0.0 {
            if lim >= 1.0 { lim } else { f * lim }
        } else {
            lim
        };
    } else if l.offset != 0.0 && f > 0.0 {
        let lim = if l.offset < 0.0 { 0.10 } else { l.offset };
        f = if f >= 1.0 {
            if lim >= 1.0 { f + lim } else { lim }
        } else if lim >= 1.0 {
            lim
        } else {
            (f + lim).min(0.0)
        };
        if f >= 1.0 && lim < 1.0 {
            f = 0.0;
        }
    }
    (f.max(0.0), l)
}

/// A query without set operations, up to (not including) ORDER BY.
fn plain(g: &Glob<'_>, root: &mut Root, limit_tuples: f64) -> Result<Stage> {
    modify::target_list(g, root)?;
    root.sets = grouping_sets::prepare(root)?;
    if root.sets.is_none() {
        order_group_clause(root);
        // Nothing is ever grouped away.
        let zero =
            |e: &mut Expr| replace(e, &mut |x| matches!(x, Expr::GroupingFunc { .. }).then(|| int4(0)));
        root.tlist.iter_mut().for_each(|t| zero(&mut t.expr));
        root.having.iter_mut().for_each(zero);
    }
    let q = &root.query;
    let grouping =
        !q.group_clause.is_empty() || !q.grouping_sets.is_empty() || q.has_aggs || q.having.is_some();
    root.limit_tuples = if grouping || !q.distinct.is_empty() || q.has_target_srfs || q.has_window_funcs {
        -1.0
    } else {
        limit_tuples
    };
    if root.query.has_window_funcs {
        root.windows = window::active(root);
    }
    let candidates = if root.query.has_aggs { minmax::candidates(g, root) } else { Vec::new() };
    let before = if candidates.is_empty() { None } else { Some(root.query.clone()) };
    let rel = query_planner(g, root, &mut |g, root| {
        window::set_keys(g, root)?;
        set_pathkeys(g, root);
        Ok(())
    })?;
    if let Some(q) = before {
        minmax::plan(g, root, q, candidates)?;
    }
    let mut scan = scan_stage(g, root, rel)?;
    if scan.paths.is_empty() {
        return Err(Error::internal("could not devise a query plan for the given query"));
    }
    let has_srf = root.query.has_target_srfs;
    let windows = !root.windows.is_empty();
    let input = if windows && !grouping {
        window::input_target(g, root)
    } else {
        target::input_target(g, root, grouping, has_srf)
    };
    if !windows && !grouping && !has_srf {
        root.plain_target = Some(input.clone());
    }
    let mut has_srf = has_srf;
    if has_srf && grouping && input.exprs.iter().any(contains_srf) {
        // Sets are made before they are grouped.
        gather_scan(g, root, rel, &mut scan);
        scan.partial.clear();
        let below = target::below_srf(g, root, &input);
        scan.paths = scan.paths.iter().map(|p| target::project(g, p, &below)).collect();
        scan.paths = target::project_set_to(g, root, scan.paths, &input)?;
        has_srf = target::srf_above_groups(root);
        root.srfs_done = !has_srf;
    } else {
        if scan.ok && !safety::exprs(g, &input.exprs) {
            // The columns cannot be computed by workers: they are above the Gather.
            gather_scan(g, root, rel, &mut scan);
            scan.partial.clear();
            scan.ok = false;
        }
        scan.project(g, &input);
        let sets_here = has_srf && !grouping && !windows && !target::srf_after_sort(root);
        if sets_here {
            has_srf = false;
            scan.paths = target::project_set(g, root, scan.paths)?;
            if !scan.partial.is_empty() {
                scan.partial = target::project_set(g, root, scan.partial)?;
            }
        }
        gather_scan(g, root, rel, &mut scan);
    }
    let mut stage = scan;
    if grouping {
        let out =
            if windows { window::input_target(g, root) } else { target::group_output(g, root, has_srf) };
        stage = group::paths(g, root, stage, out)?;
    }
    if windows {
        let out = target::group_output(g, root, has_srf);
        stage = Stage::complete(window::paths(g, root, &stage.paths, &out), false);
    }
    if has_srf && !target::srf_after_sort(root) {
        stage = Stage::complete(target::project_set(g, root, stage.paths)?, false);
    }
    if !root.query.distinct.is_empty() {
        stage = distinct::paths(g, root, stage)?;
    }
    Ok(stage)
}

/// The paths of the whole FROM and WHERE.
fn scan_stage(g: &Glob<'_>, root: &mut Root, rel: Relids) -> Result<Stage> {
    if rel.is_empty() {
        let p = result_path(g, root)?;
        let ok = p.safe;
        return Ok(Stage::complete(vec![Rc::new(p)], ok));
    }
    let r = root.find(rel).ok_or_else(|| Error::internal("join relation missing"))?;
    let paths = r.paths.iter().filter(|p| p.outer.is_empty()).cloned().collect();
    Ok(Stage { paths, partial: r.partial.clone(), ok: r.consider_parallel })
}

impl Stage {
    /// Gives all paths another target list.
    fn project(&mut self, g: &Glob<'_>, t: &Rc<Target>) {
        for p in self.paths.iter_mut().chain(&mut self.partial) {
            *p = target::project(g, p, t);
        }
    }
}

/// Adds Gather paths above the partial ones of scan and join.
fn gather_scan(g: &Glob<'_>, root: &Root, rel: Relids, scan: &mut Stage) {
    if let (false, Some(r)) = (scan.partial.is_empty(), root.find(rel)) {
        gather::useful(g, root, &mut scan.paths, r.consider_startup, &scan.partial, Some(r.rows));
    }
}

fn int4(v: i32) -> Expr {
    Expr::Const(Const {
        consttype: types::oids::INT4,
        typmod: -1,
        collation: common::Oid::INVALID,
        value: Datum::I32(v),
        location: None,
    })
}

/// GROUP BY in the order of ORDER BY as far as both agree, so that one sort serves both.
fn order_group_clause(root: &mut Root) {
    let q = &mut root.query;
    let mut out: Vec<SortGroupClause> = Vec::new();
    for s in &q.sort {
        match q.group_clause.iter().find(|c| c.tle_ref == s.tle_ref && c.eqop == s.eqop) {
            Some(c) => {
                let mut c = c.clone();
                c.sortop = s.sortop;
                c.nulls_first = s.nulls_first;
                out.push(c);
            }
            None => break,
        }
    }
    if out.is_empty() {
        return;
    }
    let rest: Vec<SortGroupClause> =
        q.group_clause.iter().filter(|c| !out.iter().any(|o| o.tle_ref == c.tle_ref)).cloned().collect();
    if rest.iter().any(|c| !c.sortop.is_valid()) {
        return;
    }
    out.extend(rest);
    q.group_clause = out;
}

/// The orders that grouping, DISTINCT and ORDER BY ask for.
pub fn set_pathkeys(g: &Glob<'_>, root: &mut Root) {
    let q = &root.query;
    if q.group_clause.is_empty() && q.distinct.is_empty() && q.sort.is_empty() && root.sets.is_none() {
        root.query_pathkeys = root.windows.first().map(|w| w.keys.clone()).unwrap_or_default();
        return;
    }
    let tl = root.tlist.clone();
    let sortable = |l: &[SortGroupClause]| l.iter().all(|c| c.sortop.is_valid());
    let mut q = root.query.clone_clauses();
    if let Some(s) = &root.sets {
        q.0 = s.rollups.first().map(|r| r.clauses.clone()).unwrap_or_default();
    }
    root.group_pathkeys = if !q.0.is_empty() && sortable(&q.0) {
        pathkeys::for_clauses(g, root, &q.0, &tl).unwrap_or_default()
    } else {
        Vec::new()
    };
    root.distinct_pathkeys = if !q.1.is_empty() && sortable(&q.1) {
        pathkeys::for_clauses(g, root, &q.1, &tl).unwrap_or_default()
    } else {
        Vec::new()
    };
    root.sort_pathkeys = pathkeys::for_clauses(g, root, &q.2, &tl).unwrap_or_default();
    root.query_pathkeys = if !root.group_pathkeys.is_empty() {
        root.group_pathkeys.clone()
    } else if let Some(w) = root.windows.first().filter(|w| !w.keys.is_empty()) {
        w.keys.clone()
    } else if root.distinct_pathkeys.len() > root.sort_pathkeys.len() {
        root.distinct_pathkeys.clone()
    } else {
        root.sort_pathkeys.clone()
    };
}

/// Clause lists apart from the query, for use while the root is borrowed.
trait CloneClauses {
    fn clone_clauses(&self) -> (Vec<SortGroupClause>, Vec<SortGroupClause>, Vec<SortGroupClause>);
}

impl CloneClauses for Query {
    fn clone_clauses(&self) -> (Vec<SortGroupClause>, Vec<SortGroupClause>, Vec<SortGroupClause>) {
        (self.group_clause.clone(), self.distinct.clone(), self.sort.clone())
    }
}

/// A query without FROM.
fn result_path(g: &Glob<'_>, root: &mut Root) -> Result<Path> {
    let quals = to_and_list(root.query.jointree.quals.clone());
    let c = cost::exprs_cost(g, quals.iter());
    let s = c.startup;
    let t = s + g.ctx.settings.cpu_tuple_cost + c.per_tuple;
    let wanted = root.depth > 0 || g.ctx.settings.force_parallel_mode != ForceParallel::Off;
    let safe = g.parallel.ok && wanted && safety::exprs(g, &quals);
    let mut p = Path::new(PathKind::Result { quals }, Relids::EMPTY, Rc::default()).cost(1.0, s, t);
    p.safe = safe;
    Ok(p)
}

/// A Sort on top of a path.
pub fn sort_path(g: &Glob<'_>, sub: &Rc<Path>, keys: &[PathKey], limit: f64) -> Path {
    let mut p = Path::new(PathKind::Sort { sub: sub.clone() }, sub.rel, sub.target.clone());
    let (s, t) = cost::sort::sort(g, sub.total, sub.rows, sub.target.width, limit);
    p = p.cost(sub.rows, s, t);
    p.keys = keys.into();
    p
}

/// An Incremental Sort on top of a path sorted by the first `n` keys.
pub fn incremental_path(
    g: &Glob<'_>,
    root: &Root,
    sub: &Rc<Path>,
    keys: &[PathKey],
    n: usize,
    limit: f64,
) -> Path {
    let kind = PathKind::IncrementalSort { sub: sub.clone(), presorted: n };
    let mut p = Path::new(kind, sub.rel, sub.target.clone());
    let (s, t) =
        cost::sort::incremental(g, root, keys, n, sub.startup, sub.total, sub.rows, sub.target.width, limit);
    p = p.cost(sub.rows, s, t);
    p.keys = keys.into();
    p
}

/// The cheapest of a list by total cost.
pub fn cheapest(paths: &[Rc<Path>]) -> Rc<Path> {
    paths
        .iter()
        .min_by(|a, b| {
            (a.total, a.startup).partial_cmp(&(b.total, b.startup)).unwrap_or(std::cmp::Ordering::Equal)
        })
        .expect("a relation has at least one path")
        .clone()
}

/// ORDER BY, with set-returning functions of the target list before or after it.
fn order(g: &Glob<'_>, root: &mut Root, input: Stage, limit: f64) -> Stage {
    let after = root.query.has_target_srfs
        && !root.srfs_done
        && root.query.set_operations.is_none()
        && target::srf_after_sort(root);
    let mut out: Vec<Rc<Path>> = Vec::new();
    let Stage { paths, mut partial, mut ok } = input;
    if root.query.sort.is_empty() {
        out = paths;
    } else {
        let keys = root.sort_pathkeys.clone();
        let best = cheapest(&paths);
        let limit = if root.query.has_target_srfs { -1.0 } else { limit };
        for p in &paths {
            let n = pathkeys::common(&keys, &p.keys);
            if n == keys.len() {
                add_path(&mut out, true, (**p).clone());
                continue;
            }
            if Rc::ptr_eq(p, &best) {
                add_path(&mut out, true, sort_path(g, p, &keys, limit));
            }
            if n > 0 && g.ctx.settings.enable_incremental_sort {
                add_path(&mut out, true, incremental_path(g, root, p, &keys, n, limit));
            }
        }
        gather_sorted(g, root, &partial, &keys, limit, &mut out);
        partial.clear();
    }
    if after && let Ok(p) = target::project_set(g, root, out.clone()) {
        out = p;
    }
    if root.query.set_operations.is_none() {
        // Without steps in between, what the scan delivers is the result.
        let t = match root.plain_target.take() {
            Some(t) => t,
            None => target::final_target(g, root),
        };
        ok = ok && safety::exprs(g, &t.exprs);
        out = out.iter().map(|p| target::project(g, p, &t)).collect();
        partial = if ok { partial.iter().map(|p| target::project(g, p, &t)).collect() } else { Vec::new() };
    }
    Stage { paths: out, partial, ok }
}

/// Each process sorts its share; the results are merged.
fn gather_sorted(
    g: &Glob<'_>,
    root: &Root,
    partial: &[Rc<Path>],
    keys: &[PathKey],
    limit: f64,
    out: &mut Vec<Rc<Path>>,
) {
    let Some(best) = partial.first() else { return };
    if keys.is_empty() {
        return;
    }
    if !pathkeys::contained(keys, &best.keys) {
        let s = Rc::new(sort_path(g, best, keys, limit));
        add_path(out, true, gather::gather_merge(g, &s, gather::all_rows(best)));
    }
    if g.ctx.settings.enable_incremental_sort && keys.len() > 1 {
        for p in partial {
            let n = pathkeys::common(keys, &p.keys);
            if n > 0 && n < keys.len() {
                let s = Rc::new(incremental_path(g, root, p, keys, n, limit));
                add_path(out, true, gather::gather_merge(g, &s, gather::all_rows(p)));
            }
        }
    }
}

/// Row locks, LIMIT and the modification itself.
fn finish(g: &Glob<'_>, root: &mut Root, input: Stage, limit: LimitEst) -> Result<()> {
    let s = g.ctx.settings;
    let limited = limit_needed(&root.query);
    let ok = input.ok && safety::exprs(g, root.query.limit_offset.iter().chain(&root.query.limit_count));
    if ok && root.depth > 0 && !limited && root.query.command == CmdType::Select {
        root.final_partial = input.partial;
    }
    let paths = input.paths;
    let mut out: Vec<Rc<Path>> = Vec::new();
    for p in paths {
        let mut p = p;
        if !root.row_marks.is_empty() && root.query.command == CmdType::Select {
            let total = p.total + s.cpu_tuple_cost * p.rows;
            let mut n = Path::new(PathKind::LockRows { sub: p.clone() }, p.rel, p.target.clone())
                .cost(p.rows, p.startup, total);
            // Locked rows may change: the order is not guaranteed.
            n.keys = Rc::from([]);
            p = Rc::new(n);
        }
        if limited {
            p = Rc::new(limit_path(root, &p, limit));
        }
        if root.query.command != CmdType::Select {
            p = Rc::new(modify::path(g, root, &p));
        }
        let mut p = (*p).clone();
        p.safe &= ok;
        add_path(&mut out, true, p);
    }
    root.final_paths = out;
    Ok(())
}

fn limit_needed(q: &Query) -> bool {
    let matters = |e: &Option<Expr>, zero_matters: bool| match e {
        None => false,
        Some(Expr::Const(c)) => match c.value {
            Datum::Null => false,
            Datum::I64(0) => zero_matters,
            _ => true,
        },
        Some(_) => true,
    };
    matters(&q.limit_count, true) || matters(&q.limit_offset, false)
}

/// A Limit on top of a path.
pub fn limit_path(root: &Root, sub: &Rc<Path>, l: LimitEst) -> Path {
    let q = &root.query;
    let kind = PathKind::Limit {
        sub: sub.clone(),
        offset: q.limit_offset.clone().map(Box::new),
        count: q.limit_count.clone().map(Box::new),
        with_ties: q.limit_option == LimitOption::WithTies,
    };
    let (in_rows, in_s, in_t) = (sub.rows, sub.startup, sub.total);
    let (mut rows, mut startup, mut total) = (in_rows, in_s, in_t);
    if l.offset != 0.0 {
        let o = if l.offset > 0.0 { l.offset } else { clamp_rows(in_rows * 0.10) }.min(rows);
        if in_rows > 0.0 {
            startup += (in_t - in_s) * o / in_rows;
        }
        rows = (rows - o).max(1.0);
    }
    if l.count != 0.0 {
        let c = if l.count > 0.0 { l.count } else { clamp_rows(in_rows * 0.10) }.min(rows);
        if in_rows > 0.0 {
            total = startup + (in_t - in_s) * c / in_rows;
        }
        rows = c.max(1.0);
    }
    let mut p = Path::new(kind, sub.rel, sub.target.clone()).cost(rows, startup, total);
    p.keys = sub.keys.clone();
    p
}
