//! DISTINCT and DISTINCT ON: sorted (Unique) and hashed.

use super::{cheapest, sort_path};
use crate::cost;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::root::*;
use crate::selectivity;
use common::Result;
use std::rc::Rc;

/// DISTINCT paths over the inputs.
pub fn paths(g: &Glob<'_>, root: &mut Root, inputs: Vec<Rc<Path>>) -> Result<Vec<Rc<Path>>> {
    let q = &root.query;
    let clauses = q.distinct.clone();
    let best = cheapest(&inputs);
    let rows = if !q.group_clause.is_empty() || q.has_aggs || q.having.is_some() {
        best.rows
    } else {
        let exprs: Vec<&analyze::expr::Expr> = clauses
            .iter()
            .filter_map(|c| root.tlist.iter().find(|t| t.sort_group_ref == c.tle_ref))
            .map(|t| &t.expr)
            .collect();
        selectivity::num_groups(g, root, &exprs, best.rows)
    };
    let mut list: Vec<Rc<Path>> = Vec::new();
    if clauses.iter().all(|c| c.sortop.is_valid()) {
        let cols = root.distinct_pathkeys.len();
        let needed = if q.has_distinct_on && root.sort_pathkeys.len() > cols {
            root.sort_pathkeys.clone()
        } else {
            root.distinct_pathkeys.clone()
        };
        let unique = |list: &mut Vec<Rc<Path>>, sub: Rc<Path>| {
            let total = sub.total + g.ctx.settings.cpu_operator_cost * sub.rows * cols as f64;
            let mut p =
                Path::new(PathKind::UpperUnique { sub: sub.clone(), cols }, sub.rel, sub.target.clone())
                    .cost(rows, sub.startup, total);
            p.keys = sub.keys.clone();
            add_path(list, true, p);
        };
        for p in &inputs {
            if pathkeys::contained(&needed, &p.keys) {
                unique(&mut list, p.clone());
            }
        }
        if !pathkeys::contained(&needed, &best.keys) {
            // With ORDER BY in the same order one sort does both.
            let keys = if pathkeys::contained(&needed, &root.sort_pathkeys) {
                root.sort_pathkeys.clone()
            } else {
                needed
            };
            unique(&mut list, Rc::new(sort_path(g, &best, &keys, -1.0)));
        }
    }
    if !root.query.has_distinct_on
        && clauses.iter().all(|c| c.hashable)
        && (list.is_empty() || g.ctx.settings.enable_hashagg)
    {
        let (s, t, r) = cost::upper::agg(
            g,
            AggKind::Hashed,
            &cost::upper::AggCosts::default(),
            clauses.len(),
            rows,
            best.startup,
            best.total,
            best.rows,
            best.target.width,
            QualCost::default(),
            1.0,
            false,
        );
        let kind = PathKind::Agg {
            sub: best.clone(),
            kind: AggKind::Hashed,
            clauses,
            qual: Vec::new(),
            groups: rows,
        };
        add_path(&mut list, true, Path::new(kind, best.rel, best.target.clone()).cost(r, s, t));
    }
    if list.is_empty() {
        return Err(common::err!(FEATURE_NOT_SUPPORTED, "could not implement DISTINCT")
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    Ok(list)
}
