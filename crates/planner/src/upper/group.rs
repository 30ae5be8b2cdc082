//! GROUP BY and aggregates: plain, sorted and hashed.

use super::{Stage, cheapest, incremental_path, partial, sort_path};
use crate::cost;
use crate::cost::upper::AggCosts;
use crate::parallel::safety;
use crate::path::*;
use crate::pathkeys;
use crate::paths::add_path;
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use analyze::query::JoinType;
use common::Result;
use std::rc::Rc;

/// Grouping paths over the inputs.
pub fn paths(g: &Glob<'_>, root: &mut Root, input: Stage, out: Rc<Target>) -> Result<Stage> {
    let ok = input.ok && safety::exprs(g, out.exprs.iter().chain(&root.having));
    let q = &root.query;
    let clauses = q.group_clause.clone();
    let having = root.having.clone();
    let inputs = &input.paths;
    let best = cheapest(inputs);
    if !q.has_aggs && clauses.is_empty() {
        let n = root.query.grouping_sets.first().map_or(1, |_| {
            analyze::grouping::expand(&root.query.grouping_sets, root.query.group_distinct, usize::MAX)
                .map_or(1, |l| l.len())
        });
        let one = degenerate(g, root, out, having);
        if n == 1 {
            return Ok(Stage::complete(vec![one], false));
        }
        let rows = one.rows * n as f64;
        let (startup, total) = (one.startup, one.total * n as f64);
        let target = one.target.clone();
        let kind = PathKind::Append { subs: vec![one; n], rti: 0 };
        let p = Path::new(kind, crate::relids::Relids::EMPTY, target).cost(rows, startup, total);
        return Ok(Stage::complete(vec![Rc::new(p)], false));
    }
    let exprs: Vec<&Expr> = root.tlist.iter().map(|t| &t.expr).chain(&having).collect();
    let costs = cost::upper::agg_costs(g, root, exprs, AggSplit::Simple);
    let gexprs: Vec<Expr> = clauses
        .iter()
        .filter_map(|c| root.tlist.iter().find(|t| t.sort_group_ref == c.tle_ref))
        .map(|t| t.expr.clone())
        .collect();
    let groups = if clauses.is_empty() {
        1.0
    } else {
        selectivity::num_groups(g, root, &gexprs.iter().collect::<Vec<_>>(), best.rows)
    };
    let can_sort = clauses.iter().all(|c| c.sortop.is_valid());
    let can_hash = !clauses.is_empty() && clauses.iter().all(|c| c.hashable) && !costs.any_ordered;
    let hcost = cost::exprs_cost(g, having.iter());
    let hsel = if having.is_empty() {
        1.0
    } else {
        selectivity::clause::exprs_sel(g, root, &having.iter().collect::<Vec<_>>(), 0, JoinType::Inner, None)
    };
    let has_aggs = root.query.has_aggs;
    if let Some(mut sets) = root.sets.take() {
        let groups = super::grouping_sets::estimate(g, root, &mut sets, best.rows);
        let m = super::grouping_sets::Maker {
            root,
            costs: &costs,
            having: &having,
            having_cost: hcost,
            having_sel: hsel,
            out: &out,
        };
        let mut list: Vec<Rc<Path>> = Vec::new();
        let keys = root.group_pathkeys.clone();
        let can_hash = !clauses.is_empty() && !costs.any_ordered && sets.any_hashable;
        for p in inputs {
            let n = pathkeys::common(&keys, &p.keys);
            let sorted = n == keys.len();
            if sorted || Rc::ptr_eq(p, &best) {
                let s = if sorted { p.clone() } else { Rc::new(sort_path(g, p, &keys, -1.0)) };
                m.sorted(g, &s, &sets, can_hash).into_iter().for_each(|p| add_path(&mut list, true, p));
            }
            if !sorted && n > 0 && g.ctx.settings.enable_incremental_sort {
                let s = Rc::new(incremental_path(g, root, p, &keys, n, -1.0));
                m.sorted(g, &s, &sets, can_hash).into_iter().for_each(|p| add_path(&mut list, true, p));
            }
        }
        if can_hash && let Some(p) = m.hashed(g, &best, &sets, groups) {
            add_path(&mut list, true, p);
        }
        if list.is_empty() {
            return Err(super::grouping_sets::cannot());
        }
        return Ok(Stage::complete(list, false));
    }
    let two = if ok {
        partial::groups(g, root, &input, &out, &having, &gexprs, (can_sort, can_hash))
    } else {
        None
    };
    let make = |sub: &Rc<Path>, kind: AggKind, split: AggSplit, costs: &AggCosts| -> Path {
        let (s, t, rows) = cost::upper::agg(
            g,
            kind,
            costs,
            clauses.len(),
            groups,
            sub.startup,
            sub.total,
            sub.rows,
            sub.target.width,
            hcost,
            hsel,
            !having.is_empty(),
        );
        let s2 = s + out.cost.startup;
        let t2 = t + out.cost.startup + out.cost.per_tuple * rows;
        let k = PathKind::Agg {
            sub: sub.clone(),
            kind,
            split,
            clauses: clauses.clone(),
            qual: having.clone(),
            groups,
        };
        let mut p = Path::new(k, sub.rel, out.clone()).cost(rows, s2, t2);
        p.safe &= ok;
        if kind == AggKind::Sorted {
            p.keys = sub.keys.clone();
        }
        p
    };
    let make_group = |sub: &Rc<Path>| -> Path {
        let c = g.ctx.settings.cpu_operator_cost * clauses.len() as f64;
        let mut startup = sub.startup;
        let mut total = sub.total + c * sub.rows;
        let mut rows = groups;
        if !having.is_empty() {
            startup += hcost.startup;
            total += hcost.startup + rows * hcost.per_tuple;
            rows = selectivity::clamp_rows(rows * hsel);
        }
        startup += out.cost.startup;
        total += out.cost.startup + out.cost.per_tuple * rows;
        let k = PathKind::Group { sub: sub.clone(), clauses: clauses.clone(), qual: having.clone() };
        let mut p = Path::new(k, sub.rel, out.clone()).cost(rows, startup, total);
        p.safe &= ok;
        p.keys = sub.keys.clone();
        p
    };
    let mut list: Vec<Rc<Path>> = Vec::new();
    if can_sort {
        let keys = root.group_pathkeys.clone();
        let first = inputs.iter().map(|p| (p, &best, AggSplit::Simple, &costs));
        let best_two = two.as_ref().map(|t| cheapest(&t.paths));
        let second = two.iter().flat_map(|t| t.paths.iter().map(move |p| (p, &t.costs)));
        let second = second.filter_map(|(p, c)| Some((p, best_two.as_ref()?, AggSplit::Finalize, c)));
        for (p, best, split, costs) in first.chain(second) {
            let n = pathkeys::common(&keys, &p.keys);
            let sorted = n == keys.len();
            let is_best = Rc::ptr_eq(p, best);
            let mut subs: Vec<Rc<Path>> = Vec::new();
            if sorted {
                subs.push(p.clone());
            } else {
                if is_best {
                    subs.push(Rc::new(sort_path(g, p, &keys, -1.0)));
                }
                if n > 0 && g.ctx.settings.enable_incremental_sort {
                    subs.push(Rc::new(incremental_path(g, root, p, &keys, n, -1.0)));
                }
            }
            for s in subs {
                let new = if has_aggs {
                    make(&s, if clauses.is_empty() { AggKind::Plain } else { AggKind::Sorted }, split, costs)
                } else {
                    make_group(&s)
                };
                add_path(&mut list, true, new);
            }
        }
    }
    if can_hash {
        add_path(&mut list, true, make(&best, AggKind::Hashed, AggSplit::Simple, &costs));
        if let Some(t) = &two {
            let p = make(&cheapest(&t.paths), AggKind::Hashed, AggSplit::Finalize, &t.costs);
            add_path(&mut list, true, p);
        }
    }
    if let Some(p) = super::minmax::path(g, root, &out, &having, hcost) {
        add_path(&mut list, true, p);
    }
    if list.is_empty() {
        return Err(super::grouping_sets::cannot());
    }
    Ok(Stage::complete(list, ok))
}

/// HAVING without aggregates and groups: one row or none.
fn degenerate(g: &Glob<'_>, _root: &Root, out: Rc<Target>, having: Vec<Expr>) -> Rc<Path> {
    let c = cost::exprs_cost(g, having.iter());
    let s = c.startup + c.per_tuple;
    let total = s + g.ctx.settings.cpu_tuple_cost + out.cost.startup + out.cost.per_tuple;
    Rc::new(
        Path::new(PathKind::Result { quals: having }, crate::relids::Relids::EMPTY, out).cost(1.0, s, total),
    )
}
