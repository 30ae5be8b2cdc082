//! The target lists of the stages above scan and join, and projections between them.

use crate::exprs::*;
use crate::parallel::safety;
use crate::path::*;
use crate::root::*;
use analyze::expr::*;
use common::Result;
use std::rc::Rc;

/// The final target list as a path target.
pub fn final_target(g: &Glob<'_>, root: &Root) -> Rc<Target> {
    let (e, r) = root.tlist.iter().map(|t| (t.expr.clone(), t.sort_group_ref)).unzip();
    Rc::new(root.finish_target(g, e, r))
}

/// Are set-returning functions evaluated above the sort?
pub fn srf_after_sort(root: &Root) -> bool {
    root.query.distinct.is_empty()
        && !root.query.sort.is_empty()
        && root.query.sort.iter().all(|s| {
            root.tlist.iter().find(|t| t.sort_group_ref == s.tle_ref).is_none_or(|t| !contains_srf(&t.expr))
        })
}

/// Adds a column unless it is there already.
pub fn push(list: &mut Vec<Expr>, refs: &mut Vec<u32>, e: Expr, r: u32) {
    if r == 0 && list.iter().any(|x| equal(x, &e)) {
        return;
    }
    if r != 0
        && let Some(i) = list.iter().position(|x| equal(x, &e))
        && refs[i] == 0
    {
        refs[i] = r;
        return;
    }
    list.push(e);
    refs.push(r);
}

/// What scan and join must deliver.
pub fn input_target(g: &Glob<'_>, root: &Root, grouping: bool, srf: bool) -> Rc<Target> {
    if !grouping {
        return if srf { without_srf(g, root, false) } else { final_target(g, root) };
    }
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut rest: Vec<&Expr> = Vec::new();
    for t in &root.tlist {
        let grouped =
            t.sort_group_ref != 0 && root.query.group_clause.iter().any(|c| c.tle_ref == t.sort_group_ref);
        if grouped {
            push(&mut list, &mut refs, t.expr.clone(), t.sort_group_ref);
        } else {
            rest.push(&t.expr);
        }
    }
    rest.extend(root.having.iter());
    let mut vars = Vec::new();
    for e in rest {
        pull_vars(e, false, &mut vars);
    }
    for v in vars {
        push(&mut list, &mut refs, v.clone(), 0);
    }
    Rc::new(root.finish_target(g, list, refs))
}

fn is_grouped(root: &Root, t: &TargetEntry) -> bool {
    t.sort_group_ref != 0 && root.query.group_clause.iter().any(|c| c.tle_ref == t.sort_group_ref)
}

/// Are there set-returning functions left to evaluate after grouping?
pub fn srf_above_groups(root: &Root) -> bool {
    root.tlist.iter().any(|t| contains_srf(&t.expr) && !is_grouped(root, t))
}

/// The columns a target needs before its set-returning functions are evaluated.
pub fn below_srf(g: &Glob<'_>, root: &Root, t: &Target) -> Rc<Target> {
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut vars = Vec::new();
    for (e, r) in t.exprs.iter().zip(&t.refs) {
        if contains_srf(e) {
            pull_vars(e, true, &mut vars);
        } else {
            push(&mut list, &mut refs, e.clone(), *r);
        }
    }
    for v in vars {
        push(&mut list, &mut refs, v.clone(), 0);
    }
    Rc::new(root.finish_target(g, list, refs))
}

/// What grouping delivers.
pub fn group_output(g: &Glob<'_>, root: &Root, srf: bool) -> Rc<Target> {
    if srf { without_srf(g, root, true) } else { final_target(g, root) }
}

/// The final target with set-returning expressions replaced by what they read.
fn without_srf(g: &Glob<'_>, root: &Root, stop_at_aggs: bool) -> Rc<Target> {
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut vars = Vec::new();
    for t in &root.tlist {
        if contains_srf(&t.expr) && !(stop_at_aggs && is_grouped(root, t)) {
            pull_vars(&t.expr, stop_at_aggs, &mut vars);
        } else {
            push(&mut list, &mut refs, t.expr.clone(), t.sort_group_ref);
        }
    }
    for v in vars {
        push(&mut list, &mut refs, v.clone(), 0);
    }
    Rc::new(root.finish_target(g, list, refs))
}

fn is_srf(e: &Expr) -> bool {
    matches!(e, Expr::Func(f) if f.retset) || matches!(e, Expr::Op(o) if o.retset)
}

/// How deeply set-returning functions stand inside each other.
fn srf_depth(e: &Expr) -> usize {
    let mut below = 0;
    each_child(e, &mut |c| below = below.max(srf_depth(c)));
    below + usize::from(is_srf(e))
}

/// Adds the evaluation of set-returning functions up to the final target.
pub fn project_set(g: &Glob<'_>, root: &Root, paths: Vec<Rc<Path>>) -> Result<Vec<Rc<Path>>> {
    let fin = final_target(g, root);
    project_set_to(g, root, paths, &fin)
}

/// Adds the evaluation of the set-returning functions of a target, innermost ones first; expressions around them are
/// computed above.
pub fn project_set_to(
    g: &Glob<'_>,
    root: &Root,
    mut paths: Vec<Rc<Path>>,
    fin: &Rc<Target>,
) -> Result<Vec<Rc<Path>>> {
    let levels = fin.exprs.iter().map(srf_depth).max().unwrap_or(0);
    for level in 1..=levels {
        let t = level_target(g, root, fin, level, level == levels);
        let per_row = t.exprs.iter().map(|e| crate::paths::other::function_rows(g, e)).fold(1.0, f64::max);
        paths = paths.iter().map(|p| Rc::new(one_level(g, p, &t, per_row))).collect();
    }
    Ok(paths.iter().map(|p| project(g, p, fin)).collect())
}

/// What is computed when functions of depth `level` are evaluated: they, those below, and what the rest reads.
fn level_target(g: &Glob<'_>, root: &Root, fin: &Target, level: usize, last: bool) -> Rc<Target> {
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    for (e, r) in fin.exprs.iter().zip(&fin.refs) {
        if !contains_srf(e) || (last && is_srf(e)) {
            list.push(e.clone());
            refs.push(*r);
            continue;
        }
        walk(e, &mut |x| {
            let here = is_srf(x) && srf_depth(x) <= level;
            if here
                || matches!(
                    x,
                    Expr::Var(_) | Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::GroupingFunc { .. }
                )
            {
                push(&mut list, &mut refs, x.clone(), 0);
                return false;
            }
            true
        });
    }
    Rc::new(root.finish_target(g, list, refs))
}

fn one_level(g: &Glob<'_>, p: &Rc<Path>, t: &Rc<Target>, per_row: f64) -> Path {
    let cpu = g.ctx.settings.cpu_tuple_cost;
    let rows = p.rows * per_row;
    let startup = p.startup + t.cost.startup;
    let total = p.total + t.cost.startup + (cpu + t.cost.per_tuple) * p.rows + (rows - p.rows) * cpu / 2.0;
    let mut n =
        Path::new(PathKind::ProjectSet { sub: p.clone() }, p.rel, t.clone()).cost(rows, startup, total);
    n.keys = p.keys.clone();
    n
}

fn same(a: &Target, b: &Target) -> bool {
    a.exprs.len() == b.exprs.len() && a.exprs.iter().zip(&b.exprs).all(|(x, y)| equal(x, y))
}

/// Can the node compute any target list itself?
pub fn can_project(p: &Path) -> bool {
    !matches!(
        p.kind,
        PathKind::Material { .. }
            | PathKind::Sort { .. }
            | PathKind::IncrementalSort { .. }
            | PathKind::UpperUnique { .. }
            | PathKind::SetOp { .. }
            | PathKind::LockRows { .. }
            | PathKind::Limit { .. }
            | PathKind::Modify { .. }
            | PathKind::Append { .. }
            | PathKind::MergeAppend { .. }
            | PathKind::RecursiveUnion { .. }
            | PathKind::ProjectSet { .. }
            | PathKind::Unique { .. }
            | PathKind::Dummy
    )
}

/// The path with another target list: in place where the node can, else with a Result on top.
pub fn project(g: &Glob<'_>, p: &Rc<Path>, t: &Rc<Target>) -> Rc<Path> {
    if same(&p.target, t) {
        if p.target.refs == t.refs && Rc::ptr_eq(&p.target, t) {
            return p.clone();
        }
        let mut n = (**p).clone();
        n.target = t.clone();
        return Rc::new(n);
    }
    let safe = p.safe && safety::exprs(g, &t.exprs);
    if can_project(p) || matches!(p.kind, PathKind::Dummy) {
        let mut n = (**p).clone();
        n.safe = safe;
        // The workers compute the columns if they can.
        if let PathKind::Gather { sub } | PathKind::GatherMerge { sub } = &mut n.kind
            && safety::exprs(g, &t.exprs)
        {
            *sub = project(g, sub, t);
        }
        let ds = t.cost.startup - p.target.cost.startup;
        let dt = ds + (t.cost.per_tuple - p.target.cost.per_tuple) * p.rows;
        n.startup += ds;
        n.total += dt;
        n.target = t.clone();
        return Rc::new(n);
    }
    let startup = p.startup + t.cost.startup;
    let total = p.total + t.cost.startup + (g.ctx.settings.cpu_tuple_cost + t.cost.per_tuple) * p.rows;
    let mut n = Path::new(PathKind::Projection { sub: p.clone(), dummy: false }, p.rel, t.clone())
        .cost(p.rows, startup, total);
    n.keys = p.keys.clone();
    n.safe = safe;
    Rc::new(n)
}
