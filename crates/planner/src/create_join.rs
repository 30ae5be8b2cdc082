//! Join plans, and what INSERT … ON CONFLICT needs.

use crate::cost;
use crate::create_input::build_any_columns;
use crate::create_keys::*;
use crate::create_plan::*;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::join::{is_outer, pushed_down};
use crate::paths::predicate;
use crate::plan::*;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Oid, Result};
use std::rc::Rc;

/// Splits join clauses into join conditions and filters above the join.
fn split(kind: JoinType, join: Relids, clauses: &[Ri]) -> (Vec<Expr>, Vec<Expr>) {
    let (mut on, mut filter) = (Vec::new(), Vec::new());
    for r in clauses.iter().filter(|r| !r.pseudoconstant) {
        if is_outer(kind) && pushed_down(r, join) {
            filter.push(r.clause.clone());
        } else {
            on.push(r.clause.clone());
        }
    }
    (on, filter)
}

fn plan(path: &Path, node: Node, qual: Vec<Expr>) -> Plan {
    Plan {
        startup_cost: path.startup,
        total_cost: path.total,
        rows: path.rows,
        width: path.target.width,
        targetlist: path
            .target
            .exprs
            .iter()
            .zip(&path.target.refs)
            .enumerate()
            .map(|(i, (e, r))| TargetEntry {
                expr: e.clone(),
                resno: i as i16 + 1,
                name: None,
                sort_group_ref: *r,
                orig: (Oid::INVALID, 0),
                junk: false,
            })
            .collect(),
        qual,
        init_plans: Vec::new(),
        parallel_aware: path.aware,
        node,
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

/// Builds a join.
pub fn join(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    let (p, clauses) = match &path.kind {
        PathKind::NestLoop(j) => (nestloop(g, root, path, j)?, &j.clauses),
        PathKind::HashJoin { join, clauses } => (hashjoin(g, root, path, join, clauses)?, &join.clauses),
        PathKind::MergeJoin { join, clauses, outer_sort, inner_sort, skip_mark, materialize } => (
            mergejoin(g, root, path, join, clauses, outer_sort, inner_sort, *skip_mark, *materialize)?,
            &join.clauses,
        ),
        _ => return Err(Error::internal("not a join path")),
    };
    let one_time: Vec<Expr> = clauses.iter().filter(|r| r.pseudoconstant).map(|r| r.clause.clone()).collect();
    Ok(gated(p, one_time))
}

fn params_in(g: &Glob<'_>, root: &mut Root, list: &mut [Expr], outer: Relids) {
    // A join that is itself parameterised checks some clauses with parameters.
    if outer.is_empty() {
        return;
    }
    let cur = root.cur_outer & outer;
    for e in list {
        replace(e, &mut |x| {
            let Expr::Var(v) = x else { return None };
            if !cur.contains(rte_no(v)) {
                return None;
            }
            let id = match root.cur_outer_params.iter().find(|p| p.var == *x) {
                Some(p) => p.paramno,
                None => {
                    let id = g.new_param();
                    root.cur_outer_params.push(NestLoopParam { paramno: id, var: x.clone() });
                    id
                }
            };
            Some(crate::subplan::exec_param(id, v.vartype, v.typmod, v.collation))
        });
    }
}

fn nestloop(g: &Glob<'_>, root: &mut Root, path: &Path, j: &JoinPath) -> Result<Plan> {
    let outer = build_any_columns(g, root, &j.outer)?;
    let saved = root.cur_outer;
    root.cur_outer = saved | j.outer.rel;
    let inner = build_any_columns(g, root, &j.inner)?;
    root.cur_outer = saved;
    // Parameters this loop can supply.
    let mut mine = Vec::new();
    let mut rest = Vec::new();
    for p in std::mem::take(&mut root.cur_outer_params) {
        if pull_rtis(&p.var).subset_of(j.outer.rel) {
            mine.push(p);
        } else {
            rest.push(p);
        }
    }
    root.cur_outer_params = rest;
    mine.sort_by_key(|p| p.paramno);
    let (mut on, mut filter) = split(j.kind, path.rel, &order(g, &j.clauses));
    params_in(g, root, &mut on, path.outer);
    params_in(g, root, &mut filter, path.outer);
    let mut outer = outer;
    // Values handed down must be columns of the outer side.
    for p in &mine {
        if !outer.targetlist.iter().any(|t| is_column(&t.expr, &p.var)) {
            let n = outer.targetlist.len();
            outer.targetlist.push(TargetEntry {
                expr: p.var.clone(),
                resno: n as i16 + 1,
                name: None,
                sort_group_ref: 0,
                orig: (Oid::INVALID, 0),
                junk: false,
            });
        }
    }
    let common = JoinCommon {
        kind: j.kind,
        outer: Box::new(outer),
        inner: Box::new(inner),
        joinqual: on,
        inner_unique: j.inner_unique,
    };
    Ok(plan(path, Node::NestLoop { join: common, params: mine }, filter))
}

/// Is `e` the column `v`, before or after it was bound to its child's output?
fn is_column(e: &Expr, v: &Expr) -> bool {
    match (e, v) {
        (Expr::Var(a), Expr::Var(b)) if a.varno == VarNo::Index => a.syn == (rte_no(b), b.attno),
        (Expr::Var(a), Expr::Var(b)) => (a.varno, a.attno, a.levels_up) == (b.varno, b.attno, b.levels_up),
        _ => equal(e, v),
    }
}

fn order(g: &Glob<'_>, l: &[Ri]) -> Vec<Ri> {
    let mut v: Vec<Ri> = l.to_vec();
    if v.len() > 1 {
        v.sort_by(|a, b| cost::ri_cost(g, a).per_tuple.total_cmp(&cost::ri_cost(g, b).per_tuple));
    }
    v
}

/// (outer operand, inner operand, operator with the outer side on the left)
fn oriented(g: &Glob<'_>, r: &Ri, outer: Relids) -> Result<(Expr, Expr, Oid)> {
    let Expr::Op(o) = &r.clause else { return Err(Error::internal("join key is not an operator")) };
    if r.left_relids.subset_of(outer) {
        return Ok((o.args[0].clone(), o.args[1].clone(), o.opno));
    }
    let com = g.ctx.catalog.operator(o.opno)?.commutator;
    if !com.is_valid() {
        return Err(Error::internal(format!("could not find commutator for operator {}", o.opno)));
    }
    Ok((o.args[1].clone(), o.args[0].clone(), com))
}

fn minus(list: Vec<Expr>, keys: &[Ri]) -> Vec<Expr> {
    list.into_iter().filter(|e| !keys.iter().any(|k| equal(&k.clause, e))).collect()
}

fn coll(r: &Ri) -> Oid {
    match &r.clause {
        Expr::Op(o) => o.input_collation,
        _ => Oid::INVALID,
    }
}

fn hashjoin(g: &Glob<'_>, root: &mut Root, path: &Path, j: &JoinPath, clauses: &[Ri]) -> Result<Plan> {
    // Rows that go to files are kept narrow, and so is the table.
    let narrow = cost::join::hash_batches(g, path) > 1.0;
    let outer = if narrow { build(g, root, &j.outer)? } else { build_any_columns(g, root, &j.outer)? };
    let inner = build(g, root, &j.inner)?;
    let (on, mut filter) = split(j.kind, path.rel, &order(g, &j.clauses));
    let mut on = minus(on, clauses);
    params_in(g, root, &mut on, path.outer);
    params_in(g, root, &mut filter, path.outer);
    let mut keys = Vec::new();
    for r in clauses {
        let (o, i, op) = oriented(g, r, j.outer.rel)?;
        keys.push(HashKey {
            opno: op,
            outer: o,
            inner: i,
            eq_proc: g.ctx.catalog.operator(op)?.code,
            outer_hash_proc: hash_proc(g, op, true),
            inner_hash_proc: hash_proc(g, op, false),
            collation: coll(r),
        });
    }
    let hash = Plan {
        startup_cost: inner.total_cost,
        total_cost: inner.total_cost,
        rows: inner.rows,
        width: inner.width,
        targetlist: inner.targetlist.clone(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: path.aware,
        node: Node::Hash { child: Box::new(inner) },
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    };
    let common = JoinCommon {
        kind: j.kind,
        outer: Box::new(outer),
        inner: Box::new(hash),
        joinqual: on,
        inner_unique: j.inner_unique,
    };
    Ok(plan(path, Node::HashJoin { join: common, keys }, filter))
}

fn sorted(g: &Glob<'_>, root: &Root, mut p: Plan, keys: &[PathKey], rels: Relids) -> Result<Plan> {
    if keys.is_empty() {
        return Ok(p);
    }
    let sk = sort_keys(g, root, &mut p, keys, Some(rels))?;
    let (s, t) = cost::sort::sort(g, p.total_cost, p.rows, p.width, -1.0);
    Ok(Plan {
        startup_cost: s,
        total_cost: t,
        rows: p.rows,
        width: p.width,
        targetlist: p.targetlist.clone(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node: Node::Sort { child: Box::new(p), keys: sk },
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    })
}

fn mergejoin(
    g: &Glob<'_>,
    root: &mut Root,
    path: &Path,
    j: &JoinPath,
    clauses: &[Ri],
    outer_sort: &[PathKey],
    inner_sort: &[PathKey],
    skip_mark: bool,
    materialize: bool,
) -> Result<Plan> {
    let mut input = |side: &Rc<Path>, to_sort: &[PathKey]| {
        if to_sort.is_empty() { build_any_columns(g, root, side) } else { build(g, root, side) }
    };
    let outer = input(&j.outer, outer_sort)?;
    let inner = input(&j.inner, inner_sort)?;
    let (on, mut filter) = split(j.kind, path.rel, &order(g, &j.clauses));
    let mut on = minus(on, clauses);
    params_in(g, root, &mut on, path.outer);
    params_in(g, root, &mut filter, path.outer);
    let outer_keys: Vec<PathKey> =
        if outer_sort.is_empty() { j.outer.keys.to_vec() } else { outer_sort.to_vec() };
    let outer = sorted(g, root, outer, outer_sort, j.outer.rel)?;
    let mut inner = sorted(g, root, inner, inner_sort, j.inner.rel)?;
    if materialize {
        let (s, t) = (inner.startup_cost, inner.total_cost + g.ctx.settings.cpu_operator_cost * inner.rows);
        inner = Plan {
            startup_cost: s,
            total_cost: t,
            rows: inner.rows,
            width: inner.width,
            targetlist: inner.targetlist.clone(),
            qual: Vec::new(),
            init_plans: Vec::new(),
            parallel_aware: false,
            node: Node::Material { child: Box::new(inner) },
            ext_params: Vec::new(),
            all_columns: false,
            node_id: 0,
        };
    }
    let mut keys = Vec::new();
    for r in clauses {
        let (o, i, op) = oriented(g, r, j.outer.rel)?;
        let ecs = pathkeys::clause_ecs(r, j.outer.rel);
        let k = outer_keys.iter().find(|k| ecs.is_some_and(|e| e.0 == k.ec));
        let family =
            k.map(|k| k.family).or_else(|| r.merge_families.first().copied()).unwrap_or(Oid::INVALID);
        let list = g.ctx.catalog.amops_of(op)?;
        let a = list
            .iter()
            .find(|a| a.family == family)
            .ok_or_else(|| Error::internal("merge clause is not in its family"))?;
        let cmp_proc = g
            .ctx
            .catalog
            .amproc(family, a.left, a.right, 1)?
            .ok_or_else(|| Error::internal("missing comparison support function"))?;
        keys.push(MergeKey {
            opno: op,
            outer: o,
            inner: i,
            cmp_proc,
            collation: coll(r),
            desc: k.is_some_and(|k| k.desc),
            nulls_first: k.is_some_and(|k| k.nulls_first),
        });
    }
    let common = JoinCommon {
        kind: j.kind,
        outer: Box::new(outer),
        inner: Box::new(inner),
        joinqual: on,
        inner_unique: j.inner_unique,
    };
    Ok(plan(path, Node::MergeJoin { join: common, keys, skip_mark_restore: skip_mark }, filter))
}

/// Has the index a column like this element, with the collation and of the operator family written there?
fn fits_class(
    g: &Glob<'_>,
    d: &catalog::desc::IndexDesc,
    elem: &Expr,
    exprs: &[Expr],
    (collation, opclass): (Oid, Oid),
) -> Result<bool> {
    if !collation.is_valid() && !opclass.is_valid() {
        return Ok(true);
    }
    let class = if opclass.is_valid() { Some(g.ctx.catalog.opclass(opclass)?) } else { None };
    let mut next = exprs.iter();
    for k in 0..d.num_key_atts as usize {
        let same = match (d.keys[k], strip_relabel(elem)) {
            (0, e) => next.next().is_some_and(|x| equal(x, e)),
            (n, Expr::Var(v)) => v.attno == n,
            _ => false,
        };
        let class_fits =
            class.as_ref().is_none_or(|c| c.family == d.opfamilies[k] && c.in_type == d.opcintypes[k]);
        if same && class_fits && (!collation.is_valid() || collation == d.collations[k]) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// ON CONFLICT: infers the arbiter indexes.
pub fn on_conflict(g: &Glob<'_>, root: &Root, oc: &OnConflict, relid: Oid) -> Result<OnConflictPlan> {
    let rel = g.ctx.catalog.relation(relid)?;
    let mut arbiters = Vec::new();
    if oc.constraint.is_valid() {
        if oc.do_update && g.ctx.catalog.index(oc.constraint)?.exclusion {
            common::bail!(
                WRONG_OBJECT_TYPE,
                "ON CONFLICT DO UPDATE not supported with exclusion constraints"
            );
        }
        arbiters.push(oc.constraint);
    } else if !oc.arbiter_elems.is_empty() {
        let pred = to_and_list(oc.arbiter_where.clone());
        let have: Vec<&Expr> = pred.iter().collect();
        for ix in &rel.indexes {
            let d = g.ctx.catalog.index(*ix)?;
            if !d.unique || !d.valid {
                continue;
            }
            let mut exprs: Vec<Expr> = match &d.expressions {
                Some(s) => Vec::clone(&*analyze::load_stored(s)?),
                None => Vec::new(),
            };
            let mut preds: Vec<Expr> = match &d.predicate {
                Some(s) => to_and_list(Some(Expr::clone(&*analyze::load_stored(s)?))),
                None => Vec::new(),
            };
            for e in exprs.iter_mut().chain(preds.iter_mut()) {
                fold::fold(g.ctx, e)?;
                strip(e);
                walk_mut(e, &mut |x| {
                    if let Expr::Var(v) = x {
                        v.varno = VarNo::Rte(root.query.result_relation);
                    }
                    true
                });
            }
            let keys = &d.keys[..d.num_key_atts as usize];
            let cols: Vec<i16> = oc
                .arbiter_elems
                .iter()
                .filter_map(|e| match strip_relabel(e) {
                    Expr::Var(v) => Some(v.attno),
                    _ => None,
                })
                .collect();
            let others: Vec<&Expr> =
                oc.arbiter_elems.iter().filter(|e| !matches!(strip_relabel(e), Expr::Var(_))).collect();
            let same_cols = keys.iter().filter(|k| **k != 0).all(|k| cols.contains(k))
                && cols.iter().all(|c| keys.contains(c));
            let same_exprs = exprs.iter().all(|e| others.iter().any(|o| equal(o, e)))
                && others.iter().all(|o| exprs.iter().any(|e| equal(o, e)));
            let same_classes = oc
                .arbiter_elems
                .iter()
                .zip(&oc.arbiter_classes)
                .map(|(e, given)| fits_class(g, &d, e, &exprs, *given))
                .collect::<Result<Vec<bool>>>()?;
            if same_cols
                && same_exprs
                && !same_classes.contains(&false)
                && predicate::implied(g, &preds, &have)
            {
                arbiters.push(*ix);
            }
        }
        if arbiters.is_empty() {
            return Err(common::err!(
                INVALID_COLUMN_REFERENCE,
                "there is no unique or exclusion constraint matching the ON CONFLICT specification"
            ));
        }
    }
    Ok(OnConflictPlan {
        do_update: oc.do_update,
        arbiters,
        set: oc.set.iter().filter(|t| !t.junk).map(|t| (t.resno, t.expr.clone())).collect(),
        where_clause: to_and_list(oc.where_clause.clone()),
        excluded_rti: oc.excluded_rti,
    })
}
