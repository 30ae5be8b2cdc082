//! From the chosen path to a plan tree. Expressions still use the query level's range table numbers; `setrefs` turns
//! them into references to child columns.

use crate::cost;
use crate::create_bitmap::bitmap_scan;
use crate::create_input::build_any_columns;
use crate::create_keys::*;
use crate::exprs::*;
use crate::path::*;
use crate::paths::index::filters_of;
use crate::plan::*;
use crate::relinfo::BTREE_AM;
use crate::root::*;
use crate::upper::minmax;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Oid, Result};
use std::rc::Rc;

/// Builds the plan of a query level. Init-plans of the level hang on its top node.
pub fn create(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    let mut p = build(g, root, path)?;
    // Names and origins of the result columns come from the query's target list.
    if !matches!(p.node, Node::ModifyTable(_)) {
        for (t, src) in p.targetlist.iter_mut().zip(&root.tlist) {
            t.name = src.name.clone();
            t.orig = src.orig;
            t.junk = src.junk;
            t.sort_group_ref = src.sort_group_ref;
        }
    }
    p.init_plans = std::mem::take(&mut root.init_plans);
    Ok(p)
}

pub fn entry(i: usize, e: Expr, r: u32) -> TargetEntry {
    TargetEntry {
        expr: e,
        resno: i as i16 + 1,
        name: None,
        sort_group_ref: r,
        orig: (Oid::INVALID, 0),
        junk: false,
    }
}

fn tlist(t: &Target) -> Vec<TargetEntry> {
    t.exprs.iter().zip(&t.refs).enumerate().map(|(i, (e, r))| entry(i, e.clone(), *r)).collect()
}

pub fn wrap(path: &Path, node: Node, qual: Vec<Expr>) -> Plan {
    Plan {
        startup_cost: path.startup,
        total_cost: path.total,
        rows: path.rows,
        width: path.target.width,
        targetlist: tlist(&path.target),
        qual,
        init_plans: Vec::new(),
        parallel_aware: path.aware,
        node,
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

pub fn bare(list: &[Ri]) -> Vec<Expr> {
    list.iter().filter(|r| !r.pseudoconstant).map(|r| r.clause.clone()).collect()
}

/// Cheap clauses first; the order is kept otherwise.
fn ordered(g: &Glob<'_>, list: Vec<Ri>) -> Vec<Ri> {
    if list.len() < 2 {
        return list;
    }
    let mut l: Vec<(f64, Ri)> = list.into_iter().map(|r| (cost::ri_cost(g, &r).per_tuple, r)).collect();
    l.sort_by(|a, b| a.0.total_cmp(&b.0));
    l.into_iter().map(|x| x.1).collect()
}

/// Builds a path's plan.
pub fn build(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    match &path.kind {
        PathKind::SeqScan { .. }
        | PathKind::Index(_)
        | PathKind::BitmapHeap { .. }
        | PathKind::Tid { .. }
        | PathKind::Subquery { .. }
        | PathKind::Function { .. }
        | PathKind::Values { .. }
        | PathKind::Cte { .. }
        | PathKind::WorkTable { .. } => scan(g, root, path),
        PathKind::NestLoop(_) | PathKind::MergeJoin { .. } | PathKind::HashJoin { .. } => {
            crate::create_join::join(g, root, path)
        }
        PathKind::Result { quals } => {
            Ok(wrap(path, Node::Result { child: None, one_time: quals.clone() }, Vec::new()))
        }
        PathKind::Dummy => {
            Ok(wrap(path, Node::Result { child: None, one_time: vec![is_bool_const(false)] }, Vec::new()))
        }
        PathKind::Material { sub } => {
            let c = build(g, root, sub)?;
            Ok(pass(path, c, |child| Node::Material { child }))
        }
        PathKind::Memoize { sub, exprs, single, binary, entries, .. } => {
            let keys = with_params(g, root, exprs.clone());
            let c = build(g, root, sub)?;
            let (single, binary, est_entries) = (*single, *binary, entries.min(f64::from(u32::MAX)) as u32);
            Ok(pass(path, c, |child| Node::Memoize { child, keys, single, binary, est_entries }))
        }
        PathKind::Unique { .. } => unique(g, root, path),
        PathKind::Append { subs, rti } => {
            let children = subs.iter().map(|s| build(g, root, s)).collect::<Result<Vec<_>>>()?;
            Ok(wrap(path, Node::Append { children, rti: *rti }, Vec::new()))
        }
        PathKind::MergeAppend { subs, rti } => merge_append(g, root, path, subs, *rti),
        PathKind::Projection { sub, .. } => {
            let c = build(g, root, sub)?;
            Ok(wrap(path, Node::Result { child: Some(Box::new(c)), one_time: Vec::new() }, Vec::new()))
        }
        PathKind::ProjectSet { sub } => {
            let c = build_any_columns(g, root, sub)?;
            Ok(wrap(path, Node::ProjectSet { child: Box::new(c) }, Vec::new()))
        }
        PathKind::Sort { sub } => {
            let mut c = build(g, root, sub)?;
            let keys = sort_keys(g, root, &mut c, &path.keys, None)?;
            Ok(pass(path, c, |child| Node::Sort { child, keys }))
        }
        PathKind::IncrementalSort { sub, presorted } => {
            let mut c = build(g, root, sub)?;
            let keys = sort_keys(g, root, &mut c, &path.keys, None)?;
            let presorted = *presorted as u16;
            Ok(pass(path, c, |child| Node::IncrementalSort { child, keys, presorted }))
        }
        PathKind::Group { sub, clauses, qual } => {
            let c = build_labelled(g, root, sub, build_any_columns)?;
            let keys = group_keys(g, &c, clauses)?;
            Ok(wrap(path, Node::Group { child: Box::new(c), keys }, qual.clone()))
        }
        PathKind::UpperUnique { sub, cols } => {
            let c = build(g, root, sub)?;
            let keys = unique_keys(g, root, &c, &path.keys, *cols)?;
            Ok(pass(path, c, |child| Node::Unique { child, keys }))
        }
        PathKind::Agg { sub, kind, split, clauses, qual, groups } => {
            let c = build_labelled(g, root, sub, build_any_columns)?;
            let keys = group_keys(g, &c, clauses)?;
            let strategy = match kind {
                AggKind::Plain => AggStrategy::Plain,
                AggKind::Sorted => AggStrategy::Sorted,
                AggKind::Hashed => AggStrategy::Hashed,
                AggKind::Mixed => AggStrategy::Mixed,
            };
            let node = Node::Agg {
                child: Box::new(c),
                strategy,
                split: *split,
                keys,
                num_groups: *groups,
                grouping_sets: Vec::new(),
            };
            Ok(wrap(path, node, qual.clone()))
        }
        PathKind::GroupingSets { sub, kind, rollups, qual } => {
            let c = build_labelled(g, root, sub, build_any_columns)?;
            let mut first_sort = true;
            let mut list = Vec::new();
            for r in rollups {
                let keys = group_keys(g, &c, &r.clauses)?;
                let sort = if r.hashed || std::mem::take(&mut first_sort) {
                    Vec::new()
                } else {
                    clause_sort_keys(g, &keys, &c, &r.clauses)?
                };
                list.push(Rollup {
                    hashed: r.hashed,
                    keys,
                    sort,
                    refs: r.clauses.iter().map(|c| c.tle_ref).collect(),
                    sets: r.sets.iter().map(|s| s.refs.len()).collect(),
                });
            }
            let strategy = match kind {
                AggKind::Plain => AggStrategy::Plain,
                AggKind::Sorted => AggStrategy::Sorted,
                AggKind::Hashed => AggStrategy::Hashed,
                AggKind::Mixed => AggStrategy::Mixed,
            };
            let num_groups = rollups.iter().map(|r| r.groups).sum();
            let node = Node::Agg {
                child: Box::new(c),
                strategy,
                split: AggSplit::Simple,
                keys: Vec::new(),
                num_groups,
                grouping_sets: list,
            };
            Ok(wrap(path, node, qual.clone()))
        }
        PathKind::Window { sub, clause, qual, top } => {
            // The rows of a partition are kept: narrow ones.
            let c = build_labelled(g, root, sub, build)?;
            let partition = group_keys(g, &c, &clause.partition)?;
            let order = group_keys(g, &c, &clause.order)?;
            let first = clause.order.first();
            let node = Node::WindowAgg {
                child: Box::new(c),
                partition,
                order,
                desc: first.and_then(|f| crate::pathkeys::ordering_op(g, f.sortop)).is_some_and(|o| o.2),
                nulls_first: first.is_some_and(|f| f.nulls_first),
                clause: clause.clone(),
                top: *top,
            };
            Ok(wrap(path, node, qual.clone()))
        }
        PathKind::MinMax { quals } => {
            let map = minmax::init_plans(g, root)?;
            let mut p = wrap(path, Node::Result { child: None, one_time: quals.clone() }, Vec::new());
            let subst = |e: &mut Expr| {
                replace(e, &mut |x| map.iter().find(|m| equal(&m.0, x)).map(|m| m.1.clone()));
            };
            p.targetlist.iter_mut().for_each(|t| subst(&mut t.expr));
            if let Node::Result { one_time, .. } = &mut p.node {
                one_time.iter_mut().for_each(subst);
            }
            Ok(p)
        }
        PathKind::SetOp { sub, op, all, hashed, groups, flag_col, first_flag } => {
            let c = build(g, root, sub)?;
            let keys = group_keys(g, &c, groups)?;
            let node = Node::SetOp {
                child: Box::new(c),
                op: *op,
                all: *all,
                hashed: *hashed,
                keys,
                flag_col: *flag_col as u16,
                first_flag: *first_flag,
            };
            // Every column of the child is passed on; the consumer ignores the flag.
            let mut p = wrap(path, node, Vec::new());
            if let Node::SetOp { child, .. } = &p.node
                && let Some(f) = child.targetlist.get(*flag_col)
            {
                let mut f = f.clone();
                f.junk = true;
                p.targetlist.push(f);
            }
            Ok(p)
        }
        PathKind::RecursiveUnion { nonrec, rec, wt_param, all, groups } => {
            let n = build(g, root, nonrec)?;
            let r = build(g, root, rec)?;
            let keys = groups
                .iter()
                .enumerate()
                .map(|(i, c)| group_key(g, i as u16, c.eqop, collation_of(&n.targetlist[i].expr)))
                .collect::<Result<Vec<_>>>()?;
            let node = Node::RecursiveUnion {
                wt_param: *wt_param,
                keys,
                all: *all,
                nonrec: Box::new(n),
                rec: Box::new(r),
            };
            Ok(wrap(path, node, Vec::new()))
        }
        PathKind::LockRows { sub } => {
            let c = build(g, root, sub)?;
            let marks = crate::upper::modify::marks(root);
            Ok(pass(path, c, |child| Node::LockRows { child, marks }))
        }
        PathKind::Limit { sub, offset, count, with_ties } => {
            let c = build(g, root, sub)?;
            let tie_keys = if *with_ties {
                let sort = root.query.sort.clone();
                group_keys(g, &c, &sort)?
            } else {
                Vec::new()
            };
            let (offset, count) = (offset.as_deref().cloned(), count.as_deref().cloned());
            let with_ties = *with_ties;
            Ok(pass(path, c, |child| Node::Limit { child, offset, count, with_ties, tie_keys }))
        }
        PathKind::Modify { sub } => modify(g, root, path, sub),
        PathKind::Gather { sub } => {
            let child = Box::new(build(g, root, sub)?);
            let node = Node::Gather { child, workers: sub.workers, single_copy: false, invisible: false };
            Ok(wrap(path, node, Vec::new()))
        }
        PathKind::GatherMerge { sub } => {
            let mut c = build(g, root, sub)?;
            let keys = sort_keys(g, root, &mut c, &path.keys, None)?;
            let node =
                Node::GatherMerge { child: Box::new(c), workers: sub.workers, keys, single_copy: false };
            Ok(wrap(path, node, Vec::new()))
        }
    }
}

/// A Merge Append: sort expressions that are no columns of the relation are computed by its inputs.
fn merge_append(
    g: &Glob<'_>,
    root: &mut Root,
    path: &Path,
    subs: &[(u32, Rc<Path>)],
    rti: u32,
) -> Result<Plan> {
    let mut head = wrap(path, Node::Result { child: None, one_time: Vec::new() }, Vec::new());
    let columns = head.targetlist.len();
    let keys = sort_keys(g, root, &mut head, &path.keys, None)?;
    let mut children = Vec::new();
    for (member, sub) in subs {
        let mut c = build(g, root, sub)?;
        for t in &head.targetlist[columns..] {
            if !plan_projects(&c) {
                c = result_over(c);
            }
            let mut t = t.clone();
            t.expr = crate::append::translate(root, *member, &t.expr);
            nest_params(g, root, &mut t.expr);
            c.targetlist.push(t);
        }
        if !crate::pathkeys::contained(&path.keys, &sub.keys) {
            let (s, t) = cost::sort::sort(g, c.total_cost, c.rows, c.width, root.limit_tuples);
            let (tl, width, rows) = (c.targetlist.clone(), c.width, c.rows);
            let mut sorted = small(s, t, rows, Node::Sort { child: Box::new(c), keys: keys.clone() });
            (sorted.targetlist, sorted.width) = (tl, width);
            c = sorted;
        }
        children.push(c);
    }
    head.node = Node::MergeAppend { children, rti, keys };
    Ok(head)
}

/// The input of a node that finds its columns by their labels: a projection that would only bring the columns of an Append
/// into another order is left out.
fn build_labelled(
    g: &Glob<'_>,
    root: &mut Root,
    path: &Rc<Path>,
    other: fn(&Glob<'_>, &mut Root, &Rc<Path>) -> Result<Plan>,
) -> Result<Plan> {
    if let PathKind::Projection { sub, .. } = &path.kind
        && matches!(&sub.kind, PathKind::Append { rti, .. } | PathKind::MergeAppend { rti, .. } if *rti != 0)
        && path.target.exprs.iter().all(|e| sub.target.exprs.iter().any(|x| equal(x, e)))
    {
        let mut p = build(g, root, sub)?;
        for t in &mut p.targetlist {
            let wanted = path.target.exprs.iter().position(|e| equal(e, &t.expr));
            t.sort_group_ref = wanted.map_or(0, |i| path.target.refs[i]);
        }
        return Ok(p);
    }
    other(g, root, path)
}

/// A node that passes its child's columns on.
pub fn pass(path: &Path, child: Plan, node: impl FnOnce(Box<Plan>) -> Node) -> Plan {
    let targetlist = child.targetlist.clone();
    let width = child.width;
    let mut p = wrap(path, node(Box::new(child)), Vec::new());
    p.targetlist = targetlist;
    p.width = width;
    p
}

/// Clauses a gate above the node must test once.
fn gate(plan: Plan, list: &[Ri]) -> Plan {
    let one_time: Vec<Expr> = list.iter().filter(|r| r.pseudoconstant).map(|r| r.clause.clone()).collect();
    gated(plan, one_time)
}

/// A Result that lets rows through only if the one-time conditions hold.
pub fn gated(mut plan: Plan, one_time: Vec<Expr>) -> Plan {
    if one_time.is_empty() {
        return plan;
    }
    // Two gates become one.
    if let Node::Result { one_time: o, .. } = &mut plan.node {
        o.splice(0..0, one_time);
        return plan;
    }
    Plan {
        startup_cost: plan.startup_cost,
        total_cost: plan.total_cost,
        rows: plan.rows,
        width: plan.width,
        targetlist: plan
            .targetlist
            .iter()
            .map(|t| TargetEntry { expr: unindex(&t.expr), ..t.clone() })
            .collect(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node: Node::Result { child: Some(Box::new(plan)), one_time },
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

/// Replaces Vars of relations on the outer side of the nested loops around by parameters.
fn nest_params(g: &Glob<'_>, root: &mut Root, e: &mut Expr) {
    if root.cur_outer.is_empty() {
        return;
    }
    let outer = root.cur_outer;
    let params = &mut root.cur_outer_params;
    replace(e, &mut |x| {
        let Expr::Var(v) = x else { return None };
        if v.levels_up != 0 || !outer.contains(rte_no(v)) {
            return None;
        }
        let id = match params.iter().find(|p| p.var == *x) {
            Some(p) => p.paramno,
            None => {
                let id = g.new_param();
                params.push(NestLoopParam { paramno: id, var: x.clone() });
                id
            }
        };
        Some(crate::subplan::exec_param(id, v.vartype, v.typmod, v.collation))
    });
}

pub fn with_params(g: &Glob<'_>, root: &mut Root, mut list: Vec<Expr>) -> Vec<Expr> {
    for e in &mut list {
        nest_params(g, root, e);
    }
    list
}

pub fn all_clauses(root: &Root, rti: u32, path: &Path) -> Vec<Ri> {
    let mut l = root.rel(rti).base_clauses.clone();
    if let Some(p) = &path.param {
        l.extend(p.clauses.iter().cloned());
    }
    l
}

fn scan(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    // Arms of set operations may be numbered beyond what a set of relations holds.
    let rti = match &path.kind {
        PathKind::Index(ip) => ip.rti,
        PathKind::SeqScan { rti }
        | PathKind::BitmapHeap { rti, .. }
        | PathKind::Tid { rti, .. }
        | PathKind::Subquery { rti, .. }
        | PathKind::Function { rti }
        | PathKind::Values { rti }
        | PathKind::Cte { rti }
        | PathKind::WorkTable { rti } => *rti,
        _ => path.rel.first().unwrap_or(0),
    };
    let list = all_clauses(root, rti, path);
    let clauses = ordered(g, list.clone());
    let mut p = match &path.kind {
        PathKind::SeqScan { rti } => {
            let q = with_params(g, root, bare(&clauses));
            let sample = match &root.query.rte(*rti).kind {
                RteKind::Relation { tablesample, .. } => tablesample.clone(),
                _ => None,
            };
            wrap(path, Node::SeqScan { rti: *rti, sample }, q)
        }
        PathKind::Index(ip) => index_scan(g, root, path, ip)?,
        PathKind::BitmapHeap { rti, bitmap } => bitmap_scan(g, root, path, *rti, bitmap, clauses)?,
        PathKind::Tid { rti, quals } => {
            let tids: Vec<Expr> = quals.iter().map(|q| q.clause.clone()).collect();
            let is_or = quals.len() > 1;
            let q: Vec<Expr> = bare(&clauses)
                .into_iter()
                .filter(|c| {
                    let known = |e: &Expr| tids.iter().any(|t| equal(t, e));
                    let whole_or = is_or
                        && matches!(c, Expr::Bool { op: BoolOp::Or, args, .. } if args.iter().all(known));
                    !known(c) && !whole_or
                })
                .collect();
            let q = with_params(g, root, q);
            let tids = with_params(g, root, tids);
            wrap(path, Node::TidScan { rti: *rti, tids }, q)
        }
        PathKind::Subquery { rti, sub } => subquery_scan(g, root, path, *rti, sub, &clauses)?,
        PathKind::Function { rti } => {
            let RteKind::Function { functions, ordinality, .. } = root.query.rte(*rti).kind.clone() else {
                return Err(Error::internal("function scan of something else"));
            };
            let mut functions = functions;
            for f in &mut functions {
                nest_params(g, root, &mut f.expr);
            }
            let q = with_params(g, root, bare(&clauses));
            wrap(path, Node::FunctionScan { rti: *rti, functions, ordinality }, q)
        }
        PathKind::Values { rti } => {
            let RteKind::Values { lists, .. } = root.query.rte(*rti).kind.clone() else {
                return Err(Error::internal("values scan of something else"));
            };
            let lists = lists.into_iter().map(|l| with_params(g, root, l)).collect();
            let q = with_params(g, root, bare(&clauses));
            wrap(path, Node::ValuesScan { rti: *rti, lists }, q)
        }
        PathKind::Cte { rti } | PathKind::WorkTable { rti } => {
            let RteKind::Cte { name, levels_up, recursive } = &root.query.rte(*rti).kind else {
                return Err(Error::internal("CTE scan of something else"));
            };
            let depth = root.depth - *levels_up as usize;
            let node = if *recursive {
                let w = g.work_tables.borrow();
                let Some(w) = w.get(depth + 1).and_then(|w| w.as_ref()) else {
                    return Err(Error::internal("no work table"));
                };
                Node::WorkTableScan { rti: *rti, wt_param: w.param }
            } else {
                let c = g.ctes.borrow();
                let Some(c) = c.get(depth).and_then(|l| l.iter().find(|c| c.name == *name)) else {
                    return Err(Error::internal("no such WITH query"));
                };
                Node::CteScan { rti: *rti, plan_id: c.plan_id, cte_param: c.param }
            };
            let q = with_params(g, root, bare(&clauses));
            wrap(path, node, q)
        }
        _ => return Err(Error::internal("not a scan path")),
    };
    for t in &mut p.targetlist {
        nest_params(g, root, &mut t.expr);
    }
    Ok(gate(p, &list))
}

pub fn index_conds(g: &Glob<'_>, root: &mut Root, ip: &IndexPath) -> Vec<IndexCond> {
    let mut out = Vec::new();
    for c in &ip.clauses {
        for q in &c.quals {
            let mut clause = q.clause.clone();
            nest_params(g, root, &mut clause);
            let right = |clause: &Expr| match clause {
                Expr::Op(o) => o.args[1].clone(),
                Expr::ScalarArrayOp(o) => o.args[1].clone(),
                other => other.clone(),
            };
            let kind = match &q.kind {
                IndexQualKind::Op { strategy, opno, cmp_proc } => IndexCondKind::Op {
                    strategy: *strategy,
                    opno: *opno,
                    cmp_proc: *cmp_proc,
                    value: right(&clause),
                },
                IndexQualKind::ArrayOp { strategy, opno, cmp_proc } => IndexCondKind::ArrayOp {
                    strategy: *strategy,
                    opno: *opno,
                    cmp_proc: *cmp_proc,
                    array: right(&clause),
                },
                IndexQualKind::IsNull => IndexCondKind::IsNull,
                IndexQualKind::IsNotNull => IndexCondKind::IsNotNull,
                IndexQualKind::Row { strategy, columns, opnos, cmp_procs } => IndexCondKind::Row {
                    strategy: *strategy,
                    columns: columns.clone(),
                    opnos: opnos.clone(),
                    cmp_procs: cmp_procs.clone(),
                    values: match &clause {
                        Expr::RowCompare { right, .. } => right.to_vec(),
                        _ => Vec::new(),
                    },
                },
            };
            out.push(IndexCond { column: c.col as u16, kind, clause });
        }
    }
    out
}

/// The index's column has the operator's type already: EXPLAIN shows no cast.
fn strip_operand(clause: &mut Expr) {
    let args = match clause {
        Expr::Op(o) => &mut o.args,
        Expr::ScalarArrayOp(o) => &mut o.args,
        _ => return,
    };
    while let Some(Expr::Relabel { arg, .. }) = args.first() {
        args[0] = (**arg).clone();
    }
}

fn index_scan(g: &Glob<'_>, root: &mut Root, path: &Path, ip: &IndexPath) -> Result<Plan> {
    let mut conds = index_conds(g, root, ip);
    let filters = ordered(g, filters_of(g, &ip.index, &ip.clauses, &path.param));
    let q = with_params(g, root, bare(&filters));
    let direction = if ip.backward { ScanDirection::Backward } else { ScanDirection::Forward };
    let index = ip.index.desc.oid;
    if !ip.only {
        return Ok(wrap(path, Node::IndexScan { rti: ip.rti, index, conds, direction }, q));
    }
    conds.iter_mut().for_each(|c| strip_operand(&mut c.clause));
    let mut p = wrap(path, Node::IndexOnlyScan { rti: ip.rti, index, conds, direction }, q);
    // Columns are read from the index tuple.
    let keys = ip.index.desc.keys.clone();
    let to_index = |e: &mut Expr| {
        walk_mut(e, &mut |x| {
            if let Expr::Var(v) = x
                && v.varno == VarNo::Rte(ip.rti)
                && let Some(i) = keys.iter().position(|k| *k == v.attno)
            {
                v.syn = (ip.rti, v.attno);
                v.varno = VarNo::Index;
                v.attno = i as i16 + 1;
            }
            true
        });
    };
    p.targetlist.iter_mut().for_each(|t| to_index(&mut t.expr));
    p.qual.iter_mut().for_each(to_index);
    Ok(p)
}

pub fn small(startup: f64, total: f64, rows: f64, node: Node) -> Plan {
    Plan {
        startup_cost: startup,
        total_cost: total,
        rows,
        width: 0,
        targetlist: Vec::new(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node,
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

fn subquery_scan(
    g: &Glob<'_>,
    root: &mut Root,
    path: &Path,
    rti: u32,
    sub: &Rc<Path>,
    clauses: &[Ri],
) -> Result<Plan> {
    let Some(mut sr) = root.rel_mut(rti).subroot.take() else {
        return Err(Error::internal("sub-query was not planned"));
    };
    // Lateral references of the sub-query were numbered as outer references of its level.
    let child = create(g, &mut sr, sub)?;
    let params: Vec<ParamItem> = g
        .plan_params
        .borrow()
        .get(root.depth)
        .map(|l| l.iter().filter(|p| pull_rtis(&p.item).overlaps(root.cur_outer)).cloned().collect())
        .unwrap_or_default();
    for p in params {
        if !root.cur_outer_params.iter().any(|x| x.paramno == p.id) {
            root.cur_outer_params.push(NestLoopParam { paramno: p.id, var: p.item });
        }
    }
    let q = with_params(g, root, bare(clauses));
    let mut p = wrap(path, Node::SubqueryScan { rti, child: Box::new(child) }, q);
    let mut l = g.sub_rtables.borrow_mut();
    l.push(std::mem::take(&mut sr.query.rtable));
    p.node_id = l.len() as u32;
    Ok(p)
}

/// Semi-join inputs made unique.
fn unique(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    let PathKind::Unique { sub, method, exprs, operators } = &path.kind else {
        return Err(Error::internal("not a unique path"));
    };
    let mut c = build(g, root, sub)?;
    if *method == UniqueMethod::Noop {
        return Ok(c);
    }
    // The columns must be in the child's output.
    let mut cols = Vec::new();
    for e in exprs {
        let i = match c.targetlist.iter().position(|t| equal(&t.expr, e)) {
            Some(i) => i,
            None => {
                if !plan_projects(&c) {
                    c = result_over(c);
                }
                c.targetlist.push(entry(c.targetlist.len(), e.clone(), 0));
                c.targetlist.len() - 1
            }
        };
        cols.push(i as u16);
    }
    let mut keys = Vec::new();
    let mut sorts = Vec::new();
    for (i, op) in operators.iter().enumerate() {
        let d = g.ctx.catalog.operator(*op)?;
        // The value on the right: its own type's equality groups it.
        let ty = d.right;
        let list = g.ctx.catalog.amops_of(*op)?;
        let eq = list
            .iter()
            .find(|a| a.strategy == if a.method == BTREE_AM { 3 } else { 1 })
            .and_then(|a| {
                let s = if a.method == BTREE_AM { 3 } else { 1 };
                g.ctx.catalog.amop(a.family, ty, ty, s).ok().flatten()
            })
            .unwrap_or(*op);
        let coll = collation_of(&exprs[i]);
        keys.push(group_key(g, cols[i], eq, coll)?);
        if *method == UniqueMethod::Sort {
            let fam = list
                .iter()
                .find(|a| a.method == BTREE_AM && a.strategy == 3)
                .map(|a| a.family)
                .ok_or_else(|| Error::internal("no ordering for semi-join column"))?;
            let lt = g.ctx.catalog.amop(fam, ty, ty, 1)?.unwrap_or(Oid::INVALID);
            let cmp_proc = g.ctx.catalog.amproc(fam, ty, ty, 1)?.unwrap_or(Oid::INVALID);
            sorts.push(SortKey {
                column: cols[i],
                sortop: lt,
                cmp_proc,
                desc: false,
                collation: coll,
                nulls_first: false,
            });
        }
    }
    if *method == UniqueMethod::Hash {
        let tl = c.targetlist.clone();
        let node = Node::Agg {
            child: Box::new(c),
            strategy: AggStrategy::Hashed,
            split: AggSplit::Simple,
            keys,
            num_groups: path.rows,
            grouping_sets: Vec::new(),
        };
        let mut p = wrap(path, node, Vec::new());
        p.targetlist = tl;
        return Ok(p);
    }
    let (s, t) = cost::sort::sort(g, c.total_cost, c.rows, c.width, -1.0);
    let tl = c.targetlist.clone();
    let mut sp = small(s, t, c.rows, Node::Sort { child: Box::new(c), keys: sorts });
    sp.targetlist = tl;
    sp.width = path.target.width;
    Ok(pass(path, sp, |child| Node::Unique { child, keys }))
}

pub fn plan_projects(p: &Plan) -> bool {
    !matches!(
        p.node,
        Node::Material { .. }
            | Node::Sort { .. }
            | Node::IncrementalSort { .. }
            | Node::Unique { .. }
            | Node::SetOp { .. }
            | Node::LockRows { .. }
            | Node::Limit { .. }
            | Node::Append { .. }
            | Node::MergeAppend { .. }
            | Node::RecursiveUnion { .. }
            | Node::ModifyTable(_)
            | Node::ProjectSet { .. }
            | Node::IndexOnlyScan { .. }
            | Node::Memoize { .. }
            | Node::Hash { .. }
    )
}

pub fn result_over(c: Plan) -> Plan {
    let mut targetlist = c.targetlist.clone();
    targetlist.iter_mut().for_each(|t| crate::setrefs::name_table_columns(&mut t.expr));
    Plan {
        startup_cost: c.startup_cost,
        total_cost: c.total_cost,
        rows: c.rows,
        width: c.width,
        targetlist,
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node: Node::Result { child: Some(Box::new(c)), one_time: Vec::new() },
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

fn modify(g: &Glob<'_>, root: &mut Root, path: &Path, sub: &Rc<Path>) -> Result<Plan> {
    let mut child = build(g, root, sub)?;
    for (t, src) in child.targetlist.iter_mut().zip(&root.tlist) {
        t.name = src.name.clone();
        t.junk = src.junk;
        t.orig = src.orig;
    }
    let q = &root.query;
    let rti = q.result_relation;
    let RteKind::Relation { relid, .. } = q.rte(rti).kind else {
        return Err(Error::internal("target is not a table"));
    };
    let rel = g.ctx.catalog.relation(relid)?;
    let mut m = ModifyTable {
        command: q.command,
        rti,
        child: Box::new(child),
        insert_cols: Vec::new(),
        update_cols: Vec::new(),
        ctid_col: None,
        returning: q.returning.clone(),
        on_conflict: None,
        epq_marks: crate::upper::modify::marks(root),
        check_options: q.check_options.iter().map(|c| (c.view.clone(), c.qual.clone())).collect(),
        can_set_tag: root.depth == 0,
        merge: q.merge_actions.iter().map(merge_action).collect(),
        tableoid_col: None,
        targets: Vec::new(),
    };
    match q.command {
        CmdType::Insert => {
            m.insert_cols = (1..=rel.desc.len() as i16)
                .map(|a| q.target_list.iter().position(|t| !t.junk && t.resno == a).map(|i| i as u16))
                .collect();
            if let Some(oc) = &q.on_conflict {
                m.on_conflict = Some(crate::create_join::on_conflict(g, root, oc, relid)?);
            }
        }
        CmdType::Update => {
            m.update_cols = q
                .target_list
                .iter()
                .enumerate()
                .filter(|(_, t)| !t.junk)
                .map(|(i, t)| (t.resno, i as u16))
                .collect();
        }
        _ => {}
    }
    if matches!(q.command, CmdType::Update | CmdType::Delete | CmdType::Merge) {
        m.ctid_col =
            root.tlist.iter().position(|t| t.junk && t.name.as_deref() == Some("ctid")).map(|i| i as u16);
    }
    let junk = |name: &str| root.tlist.iter().position(|t| t.junk && t.name.as_deref() == Some(name));
    if m.ctid_col.is_some()
        && let Some(col) = junk("tableoid")
    {
        m.tableoid_col = Some(col as u16);
        m.targets = crate::upper::modify::targets(root, &m);
    }
    let mut p = wrap(path, Node::ModifyTable(Box::new(m)), Vec::new());
    p.targetlist = q.returning.clone();
    Ok(p)
}

fn merge_action(a: &MergeAction) -> MergeActionPlan {
    MergeActionPlan {
        matched: a.matched,
        command: a.command,
        qual: a.qual.iter().cloned().collect(),
        set: a.target_list.iter().filter(|t| !t.junk).map(|t| (t.resno, t.expr.clone())).collect(),
    }
}
