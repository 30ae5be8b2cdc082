//! The target lists of the stages above scan and join, and projections between them.

use crate::exprs::*;
use crate::path::*;
use crate::root::*;
use analyze::expr::*;
use common::{Error, Result};
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

/// What grouping delivers.
pub fn group_output(g: &Glob<'_>, root: &Root, srf: bool) -> Rc<Target> {
    if srf { without_srf(g, root, true) } else { final_target(g, root) }
}

/// The final target with set-returning expressions replaced by what they read.
fn without_srf(g: &Glob<'_>, root: &Root, stop_at_aggs: bool) -> Rc<Target> {
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut vars = Vec::new();
    for t in &root.tlist {
        if contains_srf(&t.expr) {
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

/// Adds the evaluation of set-returning functions; expressions around them are computed above.
pub fn project_set(g: &Glob<'_>, root: &Root, paths: Vec<Rc<Path>>) -> Result<Vec<Rc<Path>>> {
    let fin = final_target(g, root);
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    for (e, r) in fin.exprs.iter().zip(&fin.refs) {
        if is_srf(e) || !contains_srf(e) {
            if is_srf(e) && has_nested(e) {
                return Err(Error::unsupported("nested set-returning functions"));
            }
            list.push(e.clone());
            refs.push(*r);
            continue;
        }
        let mut err = false;
        walk(e, &mut |x| {
            if is_srf(x) {
                err |= has_nested(x);
                push(&mut list, &mut refs, x.clone(), 0);
                return false;
            }
            if matches!(x, Expr::Var(_) | Expr::Aggref(_)) {
                push(&mut list, &mut refs, x.clone(), 0);
                return false;
            }
            true
        });
        if err {
            return Err(Error::unsupported("nested set-returning functions"));
        }
    }
    let per_row: f64 = list.iter().map(|e| crate::paths::other::function_rows(g, e)).fold(1.0, f64::max);
    let t = Rc::new(root.finish_target(g, list, refs));
    let cpu = g.ctx.settings.cpu_tuple_cost;
    Ok(paths
        .iter()
        .map(|p| {
            let rows = p.rows * per_row;
            let startup = p.startup + t.cost.startup;
            let total =
                p.total + t.cost.startup + (cpu + t.cost.per_tuple) * p.rows + (rows - p.rows) * cpu / 2.0;
            let mut n = Path::new(PathKind::ProjectSet { sub: p.clone() }, p.rel, t.clone())
                .cost(rows, startup, total);
            n.keys = p.keys.clone();
            project(g, &Rc::new(n), &fin)
        })
        .collect())
}

fn has_nested(e: &Expr) -> bool {
    let mut found = false;
    each_child(e, &mut |c| found |= contains_srf(c));
    found
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
    if can_project(p) || matches!(p.kind, PathKind::Dummy) {
        let mut n = (**p).clone();
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
    Rc::new(n)
}
