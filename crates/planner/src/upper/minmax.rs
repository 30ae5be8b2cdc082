//! `SELECT min(x), max(y) FROM t` from the ends of indexes: each aggregate becomes an init-plan with LIMIT 1.

use super::{LimitEst, limit_path};
use crate::create_plan;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::planner::query_planner;
use crate::root::*;
use crate::subplan::exec_param;
use analyze::expr::*;
use analyze::query::*;
use common::{Oid, Result};
use std::rc::Rc;
use types::oids;

/// One min/max aggregate that an index can answer.
pub struct MinMaxAgg {
    pub agg: Expr,
    pub target: Expr,
    pub root: Root,
    pub path: Rc<Path>,
    pub cost: f64,
    pub param: u32,
}

/// The query's aggregates if all of them are min or max over one table: (aggregate, argument, sort operator).
pub fn candidates(g: &Glob<'_>, root: &Root) -> Vec<(Expr, Expr, Oid)> {
    let q = &root.query;
    let no = Vec::new();
    if !q.group_clause.is_empty()
        || q.grouping_sets.len() > 1
        || q.has_window_funcs
        || !q.ctes.is_empty()
        || q.jointree.from.len() != 1
        || q.command != CmdType::Select
    {
        return no;
    }
    let JoinTree::Rte(rti) = q.jointree.from[0] else { return no };
    if !matches!(q.rte(rti).kind, RteKind::Relation { .. } | RteKind::Append { .. })
        || !root.row_marks.is_empty()
    {
        return no;
    }
    let mut aggs: Vec<&Expr> = Vec::new();
    for e in root.tlist.iter().map(|t| &t.expr).chain(&root.having) {
        walk(e, &mut |x| {
            if matches!(x, Expr::Aggref(_)) {
                if !aggs.iter().any(|a| equal(a, x)) {
                    aggs.push(x);
                }
                return false;
            }
            true
        });
    }
    let mut out = Vec::new();
    for e in aggs {
        let Expr::Aggref(a) = e else { return no };
        if a.args.len() != 1 || a.kind != b'n' || !a.order.is_empty() || a.filter.is_some() {
            return no;
        }
        let Ok(Some(d)) = g.ctx.catalog.aggregate(a.aggfnoid) else { return no };
        let arg = &a.args[0].expr;
        if !d.sort_op.is_valid() || contains_mutable(g.ctx, arg) || matches!(arg, Expr::Const(_)) {
            return no;
        }
        out.push((e.clone(), arg.clone(), d.sort_op));
    }
    out
}

/// Plans an index look-up for each; on failure of one nothing is used.
pub fn plan(g: &Glob<'_>, root: &mut Root, query: Query, list: Vec<(Expr, Expr, Oid)>) -> Result<()> {
    let mut out = Vec::new();
    for (agg, target, sortop) in list {
        // The order that puts NULLs last as an index has it by default, else the other.
        let Some((_, _, desc)) = pathkeys::ordering_op(g, sortop) else { return Ok(()) };
        let mut found = None;
        for nulls_first in [desc, !desc] {
            if let Some(r) = one(g, root, &query, &target, sortop, nulls_first)? {
                found = Some(r);
                break;
            }
        }
        let Some((r, path, cost)) = found else { return Ok(()) };
        let param = g.new_param();
        out.push(MinMaxAgg { agg, target, root: r, path, cost, param });
    }
    root.minmax = out;
    Ok(())
}

fn one(
    g: &Glob<'_>,
    root: &Root,
    query: &Query,
    target: &Expr,
    sortop: Oid,
    nulls_first: bool,
) -> Result<Option<(Root, Rc<Path>, f64)>> {
    let mut q = query.clone();
    let entry = TargetEntry {
        expr: target.clone(),
        resno: 1,
        name: Some("agg_target".into()),
        sort_group_ref: 1,
        orig: (Oid::INVALID, 0),
        junk: false,
    };
    let eqop = {
        let Some((family, ty, _)) = pathkeys::ordering_op(g, sortop) else { return Ok(None) };
        g.ctx.catalog.amop(family, ty, ty, 3)?.unwrap_or(Oid::INVALID)
    };
    q.target_list = vec![entry.clone()];
    q.has_aggs = false;
    q.having = None;
    q.distinct.clear();
    q.has_distinct_on = false;
    q.sort = vec![SortGroupClause { tle_ref: 1, eqop, sortop, nulls_first, hashable: false }];
    let not_null =
        Expr::NullTest { arg: Box::new(target.clone()), is_null: false, arg_is_row: false, location: None };
    let mut quals = to_and_list(q.jointree.quals.take());
    if !quals.iter().any(|x| equal(x, &not_null)) {
        quals.insert(0, not_null);
    }
    q.jointree.quals = Some(make_and(quals));
    q.limit_offset = None;
    q.limit_count = Some(Expr::Const(Const {
        consttype: oids::INT8,
        typmod: -1,
        collation: Oid::INVALID,
        value: types::Datum::I64(1),
        location: None,
    }));
    let mut r = Root::new(root.depth, q);
    r.tlist = vec![entry];
    r.tuple_fraction = 1.0;
    r.limit_tuples = 1.0;
    let rel = query_planner(g, &mut r, &mut |g, r| {
        super::set_pathkeys(g, r);
        Ok(())
    })?;
    let Some(found) = r.find(rel) else { return Ok(None) };
    let keys = r.sort_pathkeys.clone();
    let mut best: Option<(Rc<Path>, f64)> = None;
    for p in &found.paths {
        if !pathkeys::contained(&keys, &p.keys) || !p.outer.is_empty() {
            continue;
        }
        let f = if p.rows > 1.0 { 1.0 / p.rows } else { 1.0 };
        let c = p.startup + f * (p.total - p.startup);
        if best.as_ref().is_none_or(|b| c < b.1) {
            best = Some((p.clone(), c));
        }
    }
    let Some((p, c)) = best else { return Ok(None) };
    let t = super::target::final_target(g, &r);
    let p = super::target::project(g, &p, &t);
    let p = Rc::new(limit_path(&r, &p, LimitEst { count: 1.0, offset: 0.0 }));
    Ok(Some((r, p, c)))
}

/// The path that reads the aggregates from init-plans.
pub fn path(g: &Glob<'_>, root: &Root, out: &Rc<Target>, having: &[Expr], hcost: QualCost) -> Option<Path> {
    if root.minmax.is_empty() {
        return None;
    }
    let init: f64 = root.minmax.iter().map(|m| m.cost).sum();
    let startup = init + out.cost.startup + hcost.startup + hcost.per_tuple;
    let total = startup + out.cost.per_tuple + g.ctx.settings.cpu_tuple_cost;
    Some(
        Path::new(PathKind::MinMax { quals: having.to_vec() }, crate::relids::Relids::EMPTY, out.clone())
            .cost(1.0, startup, total),
    )
}

/// Makes the init-plans of the chosen path; their aggregates are to be replaced by parameters.
pub fn init_plans(g: &Glob<'_>, root: &mut Root) -> Result<Vec<(Expr, Expr)>> {
    let mut map = Vec::new();
    for mut m in std::mem::take(&mut root.minmax) {
        let plan = create_plan::create(g, &mut m.root, &m.path)?;
        let rtable = std::mem::take(&mut m.root.query.rtable);
        let mut l = g.subplans.borrow_mut();
        l.push(PendingPlan { plan, rtable });
        let plan_id = l.len() as u32;
        drop(l);
        let (ty, tm, coll) = (type_of(&m.target), typmod_of(&m.target), collation_of(&m.target));
        root.init_plans.push(SubPlan {
            kind: SubLinkType::Expr,
            plan_id,
            plan_name: format!("InitPlan {plan_id} (returns ${})", m.param),
            test: None,
            param_ids: Vec::new(),
            result_type: ty,
            stacked: false,
            typmod: tm,
            collation: coll,
            use_hash_table: false,
            unknown_eq_false: false,
            set_param: vec![m.param],
            par_param: Vec::new(),
            args: Vec::new(),
            startup_cost: m.path.startup,
            per_call_cost: m.path.total - m.path.startup,
            parallel_safe: false,
            alternative: None,
            column: 0,
        });
        map.push((m.agg, exec_param(m.param, ty, tm, coll)));
    }
    Ok(map)
}
