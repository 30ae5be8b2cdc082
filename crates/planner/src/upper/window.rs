//! Window functions: which windows are active and in what order, their sorts, and the WindowAgg paths.

use super::{cheapest, incremental_path, sort_path};
use crate::cost;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use common::{Result, err};
use std::cmp::Ordering;
use std::rc::Rc;

/// A window that functions of the query use.
#[derive(Clone, Debug)]
pub struct ActiveWindow {
    pub clause: WindowClause,
    /// Its functions, each once.
    pub funcs: Vec<Expr>,
    /// The order its input must have.
    pub keys: Vec<PathKey>,
}

/// The windows in use, those that share sort columns next to each other.
pub fn active(root: &Root) -> Vec<ActiveWindow> {
    let mut out: Vec<ActiveWindow> = Vec::new();
    for clause in &root.query.windows {
        let mut funcs: Vec<Expr> = Vec::new();
        for t in &root.tlist {
            walk(&t.expr, &mut |x| {
                if let Expr::WindowFunc(w) = x {
                    if w.winref == clause.winref && !funcs.iter().any(|f| equal(f, x)) {
                        funcs.push(x.clone());
                    }
                    return false;
                }
                true
            });
        }
        if !funcs.is_empty() {
            out.push(ActiveWindow { clause: clause.clone(), funcs, keys: Vec::new() });
        }
    }
    out.sort_by(|a, b| compare_orders(&unique_order(&a.clause), &unique_order(&b.clause)));
    out
}

fn unique_order(w: &WindowClause) -> Vec<SortGroupClause> {
    let mut l = w.partition.clone();
    for o in &w.order {
        if !l.contains(o) {
            l.push(o.clone());
        }
    }
    l
}

/// Longer and higher-numbered orders first, so that a later window may find its rows sorted already.
fn compare_orders(a: &[SortGroupClause], b: &[SortGroupClause]) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let o =
            y.tle_ref.cmp(&x.tle_ref).then(y.sortop.cmp(&x.sortop)).then(y.nulls_first.cmp(&x.nulls_first));
        if o != Ordering::Equal {
            return o;
        }
    }
    b.len().cmp(&a.len())
}

/// Path keys of every active window; refuses columns that cannot be sorted.
pub fn set_keys(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    if root.windows.is_empty() {
        return Ok(());
    }
    let tlist = root.tlist.clone();
    let mut windows = std::mem::take(&mut root.windows);
    for w in &mut windows {
        for (list, what, column) in
            [(&w.clause.partition, "PARTITION BY", "partitioning"), (&w.clause.order, "ORDER BY", "ordering")]
        {
            if list.iter().any(|c| !c.sortop.is_valid()) {
                return Err(err!(FEATURE_NOT_SUPPORTED, "could not implement window {what}")
                    .detail(format!("Window {column} columns must be of sortable datatypes.")));
            }
        }
        let clauses: Vec<SortGroupClause> =
            w.clause.partition.iter().chain(&w.clause.order).cloned().collect();
        w.keys = pathkeys::for_clauses(g, root, &clauses, &tlist).unwrap_or_default();
    }
    root.windows = windows;
    Ok(())
}

/// What the windows read: their sort columns and grouping columns as they are, of everything else the columns and
/// aggregates in it.
pub fn input_target(g: &Glob<'_>, root: &Root) -> Rc<Target> {
    let sorted = |r: u32| {
        r != 0
            && (root
                .windows
                .iter()
                .any(|w| w.clause.partition.iter().chain(&w.clause.order).any(|c| c.tle_ref == r))
                || root.query.group_clause.iter().any(|c| c.tle_ref == r))
    };
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut rest: Vec<&Expr> = Vec::new();
    for t in &root.tlist {
        if sorted(t.sort_group_ref) {
            super::target::push(&mut list, &mut refs, t.expr.clone(), t.sort_group_ref);
        } else {
            walk(&t.expr, &mut |x| match x {
                Expr::Var(_) | Expr::Aggref(_) | Expr::GroupingFunc { .. } => {
                    rest.push(x);
                    false
                }
                _ => true,
            });
        }
    }
    for e in rest {
        super::target::push(&mut list, &mut refs, e.clone(), 0);
    }
    Rc::new(root.finish_target(g, list, refs))
}

/// WindowAgg paths over the inputs; the last window delivers `out`.
pub fn paths(g: &Glob<'_>, root: &Root, inputs: &[Rc<Path>], out: &Rc<Target>) -> Vec<Rc<Path>> {
    let Some(first) = root.windows.first() else { return inputs.to_vec() };
    let best = cheapest(inputs);
    let mut list: Vec<Rc<Path>> = Vec::new();
    for p in inputs {
        let n = pathkeys::common(&first.keys, &p.keys);
        if n == first.keys.len() || n > 0 || Rc::ptr_eq(p, &best) {
            add_path(&mut list, true, one(g, root, p, out));
        }
    }
    list
}

fn one(g: &Glob<'_>, root: &Root, input: &Rc<Path>, out: &Rc<Target>) -> Path {
    let mut path = input.clone();
    let mut target = input.target.clone();
    let mut qual: Vec<Expr> = Vec::new();
    for (i, w) in root.windows.iter().enumerate() {
        let n = pathkeys::common(&w.keys, &path.keys);
        if n < w.keys.len() {
            let sorted = if n == 0 || !g.ctx.settings.enable_incremental_sort {
                sort_path(g, &path, &w.keys, -1.0)
            } else {
                incremental_path(g, root, &path, &w.keys, n, -1.0)
            };
            path = Rc::new(sorted);
        }
        let top = i + 1 == root.windows.len();
        if top {
            target = out.clone();
        } else {
            let (mut e, mut r) = (target.exprs.clone(), target.refs.clone());
            e.extend(w.funcs.iter().cloned());
            r.resize(e.len(), 0);
            target = Rc::new(root.finish_target(g, e, r));
            // The top window filters by the conditions of those below.
            qual.extend(w.clause.run_condition.iter().cloned());
        }
        let (startup, total) = cost::upper::window(g, w, &path);
        let kind = PathKind::Window {
            sub: path.clone(),
            clause: Box::new(w.clause.clone()),
            qual: if top { std::mem::take(&mut qual) } else { Vec::new() },
            top,
        };
        let mut p = Path::new(kind, path.rel, target.clone()).cost(
            path.rows,
            startup + target.cost.startup,
            total + target.cost.startup + target.cost.per_tuple * path.rows,
        );
        p.keys = path.keys.clone();
        path = Rc::new(p);
    }
    (*path).clone()
}
