//! DISTINCT and DISTINCT ON: sorted (Unique) and hashed.

use super::{Stage, cheapest, partial, sort_path};
use crate::cost;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::root::*;
use crate::selectivity;
use analyze::expr::{AggSplit, Expr};
use common::Result;
use std::rc::Rc;

/// How many of so many rows differ.
pub fn rows(g: &Glob<'_>, root: &Root, input: f64) -> f64 {
    let q = &root.query;
    if !q.group_clause.is_empty() || q.has_aggs || q.having.is_some() {
        return input;
    }
    let exprs: Vec<&Expr> = q
        .distinct
        .iter()
        .filter_map(|c| root.tlist.iter().find(|t| t.sort_group_ref == c.tle_ref))
        .map(|t| &t.expr)
        .collect();
    selectivity::num_groups(g, root, &exprs, input)
}

/// The first row of each run of equal ones.
pub fn unique(g: &Glob<'_>, root: &Root, sub: Rc<Path>, rows: f64) -> Path {
    let cols = root.distinct_pathkeys.len();
    let total = sub.total + g.ctx.settings.cpu_operator_cost * sub.rows * cols as f64;
    let mut p = Path::new(PathKind::UpperUnique { sub: sub.clone(), cols }, sub.rel, sub.target.clone())
        .cost(rows, sub.startup, total);
    p.keys = sub.keys.clone();
    p
}

/// Different rows by a hash table.
pub fn hashed(g: &Glob<'_>, root: &Root, sub: &Rc<Path>, rows: f64) -> Path {
    let clauses = root.query.distinct.clone();
    let (s, t, r) = cost::upper::agg(
        g,
        AggKind::Hashed,
        &cost::upper::AggCosts::default(),
        clauses.len(),
        rows,
        sub.startup,
        sub.total,
        sub.rows,
        sub.target.width,
        QualCost::default(),
        1.0,
        false,
    );
    let kind = PathKind::Agg {
        sub: sub.clone(),
        kind: AggKind::Hashed,
        split: AggSplit::Simple,
        clauses,
        qual: Vec::new(),
        groups: rows,
    };
    Path::new(kind, sub.rel, sub.target.clone()).cost(r, s, t)
}

/// DISTINCT paths over the inputs.
pub fn paths(g: &Glob<'_>, root: &mut Root, input: Stage) -> Result<Stage> {
    let mut list: Vec<Rc<Path>> = Vec::new();
    let two = partial::distinct(g, root, &input);
    if !two.is_empty() {
        of(g, root, &two, &mut list);
    }
    of(g, root, &input.paths, &mut list);
    if list.is_empty() {
        return Err(common::err!(FEATURE_NOT_SUPPORTED, "could not implement DISTINCT")
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    Ok(Stage::complete(list, input.ok))
}

fn of(g: &Glob<'_>, root: &Root, inputs: &[Rc<Path>], list: &mut Vec<Rc<Path>>) {
    let q = &root.query;
    let best = cheapest(inputs);
    let rows = rows(g, root, best.rows);
    if q.distinct.iter().all(|c| c.sortop.is_valid()) {
        let cols = root.distinct_pathkeys.len();
        let needed = if q.has_distinct_on && root.sort_pathkeys.len() > cols {
            root.sort_pathkeys.clone()
        } else {
            root.distinct_pathkeys.clone()
        };
        for p in inputs {
            if pathkeys::contained(&needed, &p.keys) {
                add_path(list, true, unique(g, root, p.clone(), rows));
            }
        }
        if !pathkeys::contained(&needed, &best.keys) {
            // With ORDER BY in the same order one sort does both.
            let keys = if pathkeys::contained(&needed, &root.sort_pathkeys) {
                root.sort_pathkeys.clone()
            } else {
                needed
            };
            let sorted = Rc::new(sort_path(g, &best, &keys, -1.0));
            add_path(list, true, unique(g, root, sorted, rows));
        }
    }
    if !q.has_distinct_on
        && q.distinct.iter().all(|c| c.hashable)
        && (list.is_empty() || g.ctx.settings.enable_hashagg)
    {
        add_path(list, true, hashed(g, root, &best, rows));
    }
}
