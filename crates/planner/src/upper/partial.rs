//! Grouping and DISTINCT in two stages: each process groups its share, the result is gathered and grouped again.
//! Aggregates hand their transition states from the first stage to the second.

use super::{Stage, incremental_path, sort_path};
use crate::cost::upper::{AggCosts, agg, agg_costs};
use crate::exprs::*;
use crate::parallel::gather;
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use std::rc::Rc;

/// Partially grouped rows, gathered; and what their second stage costs.
pub struct Groups {
    pub paths: Vec<Rc<Path>>,
    pub costs: AggCosts,
}

/// Can the aggregate's transition states be combined?
fn splits(g: &Glob<'_>, a: &Aggref) -> bool {
    if !a.order.is_empty() || !a.distinct.is_empty() || a.kind != b'n' {
        return false;
    }
    let Ok(Some(d)) = g.ctx.catalog.aggregate(a.aggfnoid) else { return false };
    let serial =
        d.trans_type != types::oids::INTERNAL || (d.serial_fn.is_valid() && d.deserial_fn.is_valid());
    d.combine_fn.is_valid() && serial
}

fn all_split(g: &Glob<'_>, target: &Target, having: &[Expr]) -> bool {
    let mut ok = true;
    for e in target.exprs.iter().chain(having) {
        walk(e, &mut |x| {
            if let Expr::Aggref(a) = x {
                ok = ok && splits(g, a);
                return false;
            }
            ok
        });
    }
    ok
}

/// The aggregate as its first stage computes it.
pub fn first_stage(a: &Aggref) -> Aggref {
    let mut p = a.clone();
    p.split = AggSplit::Partial;
    p.result_type = types::oids::BYTEA;
    p.collation = common::Oid::INVALID;
    p
}

/// The aggregate as its second stage computes it.
fn second_stage(a: &Aggref) -> Aggref {
    let state = TargetEntry {
        expr: Expr::Aggref(Box::new(first_stage(a))),
        resno: 1,
        name: None,
        sort_group_ref: 0,
        orig: (common::Oid::INVALID, 0),
        junk: false,
    };
    Aggref { split: AggSplit::Finalize, args: vec![state], filter: None, star: false, ..a.clone() }
}

/// Replaces aggregates by those that combine the states from below. Done when references are set: until then the nodes
/// above know the aggregates as the query has them.
pub fn combine(e: &mut Expr) {
    replace(e, &mut |x| match x {
        Expr::Aggref(a) => Some(Expr::Aggref(Box::new(second_stage(a)))),
        _ => None,
    });
}

/// Columns of the first stage: group columns, and the Vars and aggregates the result is computed from.
fn partial_target(g: &Glob<'_>, root: &Root, out: &Target, having: &[Expr]) -> Rc<Target> {
    let (mut list, mut refs) = (Vec::new(), Vec::new());
    let mut rest: Vec<&Expr> = Vec::new();
    for (e, r) in out.exprs.iter().zip(&out.refs) {
        if *r != 0 && root.query.group_clause.iter().any(|c| c.tle_ref == *r) {
            super::target::push(&mut list, &mut refs, e.clone(), *r);
        } else {
            rest.push(e);
        }
    }
    rest.extend(having);
    let mut vars = Vec::new();
    for e in rest {
        pull_vars(e, true, &mut vars);
    }
    for v in vars {
        super::target::push(&mut list, &mut refs, v.clone(), 0);
    }
    for e in &mut list {
        if let Expr::Aggref(a) = e {
            *e = Expr::Aggref(Box::new(first_stage(a)));
        }
    }
    Rc::new(root.finish_target(g, list, refs))
}

/// The first stage of grouping, gathered. `None` where it cannot be done in two.
pub fn groups(
    g: &Glob<'_>,
    root: &Root,
    input: &Stage,
    out: &Rc<Target>,
    having: &[Expr],
    group_exprs: &[Expr],
    (can_sort, can_hash): (bool, bool),
) -> Option<Groups> {
    let best = input.partial.first()?;
    if root.sets.is_some() || !all_split(g, out, having) {
        return None;
    }
    let clauses = &root.query.group_clause;
    let has_aggs = root.query.has_aggs;
    let target = partial_target(g, root, out, having);
    let exprs = || root.tlist.iter().map(|t| &t.expr).chain(having);
    let first = agg_costs(g, root, exprs(), AggSplit::Partial);
    let costs = agg_costs(g, root, exprs(), AggSplit::Finalize);
    let number = if clauses.is_empty() {
        1.0
    } else {
        selectivity::num_groups(g, root, &group_exprs.iter().collect::<Vec<_>>(), best.rows)
    };
    let stage = |sub: &Rc<Path>, kind: AggKind| -> Path {
        let none = QualCost::default();
        let width = sub.target.width;
        let (s, t, rows) = if has_aggs || kind == AggKind::Hashed {
            agg(
                g,
                kind,
                &first,
                clauses.len(),
                number,
                sub.startup,
                sub.total,
                sub.rows,
                width,
                none,
                1.0,
                false,
            )
        } else {
            let c = g.ctx.settings.cpu_operator_cost * clauses.len() as f64;
            (sub.startup, sub.total + c * sub.rows, number)
        };
        let node = if has_aggs || kind == AggKind::Hashed {
            PathKind::Agg {
                sub: sub.clone(),
                kind,
                split: AggSplit::Partial,
                clauses: clauses.clone(),
                qual: Vec::new(),
                groups: number,
            }
        } else {
            PathKind::Group { sub: sub.clone(), clauses: clauses.clone(), qual: Vec::new() }
        };
        let mut p = Path::new(node, sub.rel, target.clone()).cost(
            rows,
            s + target.cost.startup,
            t + target.cost.startup + target.cost.per_tuple * rows,
        );
        if kind == AggKind::Sorted {
            p.keys = sub.keys.clone();
        }
        p
    };
    let keys = &root.group_pathkeys;
    let mut partial: Vec<Rc<Path>> = Vec::new();
    if can_sort {
        let kind = if clauses.is_empty() { AggKind::Plain } else { AggKind::Sorted };
        for p in &input.partial {
            let n = pathkeys::common(keys, &p.keys);
            let sorted = n == keys.len();
            if sorted {
                gather::add_partial(&mut partial, stage(p, kind));
                continue;
            }
            if Rc::ptr_eq(p, best) {
                gather::add_partial(&mut partial, stage(&Rc::new(sort_path(g, p, keys, -1.0)), kind));
            }
            if n > 0 && g.ctx.settings.enable_incremental_sort {
                let s = Rc::new(incremental_path(g, root, p, keys, n, -1.0));
                gather::add_partial(&mut partial, stage(&s, kind));
            }
        }
    }
    if can_hash {
        gather::add_partial(&mut partial, stage(best, AggKind::Hashed));
    }
    let paths = gathered(g, root, &partial);
    (!paths.is_empty()).then_some(Groups { paths, costs })
}

/// Gather and Gather Merge of partially grouped rows, sorted by the group columns where that may help.
fn gathered(g: &Glob<'_>, root: &Root, partial: &[Rc<Path>]) -> Vec<Rc<Path>> {
    let mut list = Vec::new();
    let startup = root.tuple_fraction > 0.0;
    let Some(best) = partial.first() else { return list };
    gather::useful(g, root, &mut list, startup, partial, None);
    let keys = &root.group_pathkeys;
    if keys.is_empty() {
        return list;
    }
    if !pathkeys::contained(keys, &best.keys) {
        let s = Rc::new(sort_path(g, best, keys, -1.0));
        add_path(&mut list, startup, gather::gather_merge(g, &s, gather::all_rows(best)));
    }
    if g.ctx.settings.enable_incremental_sort && keys.len() > 1 {
        for p in partial {
            let n = pathkeys::common(keys, &p.keys);
            if n > 0 && n < keys.len() {
                let s = Rc::new(incremental_path(g, root, p, keys, n, -1.0));
                add_path(&mut list, startup, gather::gather_merge(g, &s, gather::all_rows(p)));
            }
        }
    }
    list
}

/// The first stage of DISTINCT, gathered; empty where it cannot be done in two.
pub fn distinct(g: &Glob<'_>, root: &Root, input: &Stage) -> Vec<Rc<Path>> {
    let mut list = Vec::new();
    let clauses = &root.query.distinct;
    let Some(best) = input.partial.first() else { return list };
    if !input.ok || root.query.has_distinct_on {
        return list;
    }
    let rows = super::distinct::rows(g, root, best.rows);
    let mut partial: Vec<Rc<Path>> = Vec::new();
    if clauses.iter().all(|c| c.sortop.is_valid()) {
        for p in &input.partial {
            if pathkeys::contained(&root.distinct_pathkeys, &p.keys) {
                gather::add_partial(&mut partial, super::distinct::unique(g, root, p.clone(), rows));
            }
        }
    }
    if g.ctx.settings.enable_hashagg && clauses.iter().all(|c| c.hashable) {
        gather::add_partial(&mut partial, super::distinct::hashed(g, root, best, rows));
    }
    gather::plain(g, &mut list, root.tuple_fraction > 0.0, &partial, None);
    list
}
