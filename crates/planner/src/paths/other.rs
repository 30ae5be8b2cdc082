//! Base relations that are not tables: sub-queries, functions, VALUES, WITH items.

use crate::cost;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Result};

/// Tuples of functions, VALUES and WITH items.
pub fn size(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    let tuples = match &root.query.rte(rti).kind {
        RteKind::Function { functions, .. } => {
            functions.iter().map(|f| function_rows(g, &f.expr)).fold(0.0, f64::max)
        }
        RteKind::Values { lists, .. } => lists.len() as f64,
        RteKind::Cte { name, levels_up, recursive } => {
            let depth = root.depth - *levels_up as usize;
            if *recursive {
                match &g.work_tables.borrow().get(depth + 1).cloned().flatten() {
                    Some(w) => selectivity::clamp_rows(10.0 * w.rows),
                    None => return Err(Error::internal("no work table for recursive reference")),
                }
            } else {
                match g.ctes.borrow().get(depth).and_then(|l| l.iter().find(|c| c.name == *name)) {
                    Some(c) => c.rows,
                    None => return Err(Error::internal(format!("WITH query \"{name}\" was not planned"))),
                }
            }
        }
        _ => 1.0,
    };
    root.rel_mut(rti).tuples = tuples;
    Ok(())
}

/// How many rows a set-returning call probably gives.
pub fn function_rows(g: &Glob<'_>, e: &Expr) -> f64 {
    let (id, args, retset) = match e {
        Expr::Func(f) => (f.funcid, &f.args, f.retset),
        Expr::Op(o) => (o.funcid, &o.args, o.retset),
        _ => return 1.0,
    };
    if !retset {
        return 1.0;
    }
    // generate_series over constants is known exactly.
    if matches!(id.0, 1066..=1069) {
        let num = |e: &Expr| match fold::for_estimate(g.ctx, e) {
            Expr::Const(c) => match c.value {
                types::Datum::I32(v) => Some(f64::from(v)),
                types::Datum::I64(v) => Some(v as f64),
                _ => None,
            },
            _ => None,
        };
        let a: Vec<Option<f64>> = args.iter().map(num).collect();
        if let (Some(Some(lo)), Some(Some(hi))) = (a.first(), a.get(1)) {
            let step = match a.get(2) {
                None => Some(1.0),
                Some(s) => *s,
            };
            if let Some(step) = step
                && step != 0.0
            {
                return selectivity::clamp_rows(((hi - lo + step) / step).floor());
            }
        }
    }
    if id.0 == 2331 {
        return selectivity::clamp_rows(array_length_estimate(g.ctx, &args[0]));
    }
    g.ctx.catalog.proc_desc(id).map_or(1000.0, |p| if p.rows > 0.0 { p.rows } else { 1.0 })
}

/// Paths of functions, VALUES and WITH items.
pub fn paths(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    let s = g.ctx.settings;
    let lateral = root.rel(rti).lateral;
    let param = super::index::param_info(g, root, rti, lateral);
    let rel = root.rel(rti);
    let rte = root.query.rte(rti);
    let (kind, startup, per) = match &rte.kind {
        RteKind::Function { functions, .. } => {
            let c = functions.iter().fold(QualCost::default(), |c, f| c + cost_expr(g.ctx, &f.expr));
            (PathKind::Function { rti }, c.startup + c.per_tuple, s.cpu_tuple_cost)
        }
        RteKind::Values { .. } => (PathKind::Values { rti }, 0.0, s.cpu_operator_cost + s.cpu_tuple_cost),
        RteKind::Cte { recursive: false, .. } => (PathKind::Cte { rti }, 0.0, s.cpu_tuple_cost * 2.0),
        RteKind::Cte { .. } => (PathKind::WorkTable { rti }, 0.0, s.cpu_tuple_cost * 2.0),
        RteKind::Result => {
            let quals = rel.base_clauses.iter().map(|r| r.clause.clone()).collect();
            (PathKind::Result { quals }, 0.0, s.cpu_tuple_cost)
        }
        _ => return Err(Error::internal("unexpected range table entry in FROM")),
    };
    let mut p = Path::new(kind, rel.relids, rel.target.clone());
    p.param = param;
    p.outer = lateral;
    cost::scan::simple_scan(g, rel, &mut p, startup, per);
    root.rel_mut(rti).add_path(p);
    Ok(())
}

/// Plans a sub-query in FROM: pushes restrictions into it first.
pub fn plan_subquery(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    let needed: Vec<i16> = root
        .rel(rti)
        .needed
        .iter()
        .map(|n| &n.0)
        .chain(root.rel(rti).base_clauses.iter().map(|r| &r.clause))
        .flat_map(|e| {
            let mut v = Vec::new();
            pull_vars(e, false, &mut v);
            v.into_iter()
                .filter_map(|x| match x {
                    Expr::Var(v) if rte_no(v) == rti => Some(v.attno),
                    _ => None,
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let RteKind::Subquery { query, security_barrier, .. } = &mut root.query.rtable[rte_place(rti) - 1].kind
    else {
        return Ok(());
    };
    let barrier = *security_barrier;
    let mut sub = std::mem::replace(&mut **query, crate::prep::pullup::empty_query());
    if !barrier {
        let clauses = std::mem::take(&mut root.rel_mut(rti).base_clauses);
        let safe = pushdown_safe(&sub);
        let mut keep = Vec::new();
        for ri in clauses {
            if safe && !ri.pseudoconstant && qual_safe(g, &sub, rti, &ri.clause) {
                push(&mut sub, rti, &ri.clause);
            } else if !safe
                || ri.pseudoconstant
                || !sub.has_window_funcs
                || super::runcond::keep_above(g, &mut sub, rti, &ri.clause)
            {
                keep.push(ri);
            }
        }
        root.rel_mut(rti).base_clauses = keep;
    }
    let still: Vec<i16> = needed;
    drop_unused(g, &mut sub, &still);
    let q = &root.query;
    let fraction = if !q.group_clause.is_empty()
        || q.has_aggs
        || !q.distinct.is_empty()
        || q.having.is_some()
        || !q.sort.is_empty()
        || root.all_base.count() > 1
    {
        0.0
    } else {
        root.tuple_fraction
    };
    let subroot = crate::planner::subquery_planner(g, sub, root.depth + 1, fraction, None)?;
    let best = subroot.final_paths.iter().min_by(|a, b| a.total.total_cmp(&b.total));
    let rows = best.map_or(0.0, |p| p.rows);
    let dummy = best.is_some_and(|p| matches!(p.kind, PathKind::Dummy));
    // Vars of this level used below became parameters: whoever supplies them is a lateral source.
    let rel = root.rel_mut(rti);
    rel.tuples = rows;
    rel.dummy |= dummy;
    rel.subroot = Some(Box::new(subroot));
    Ok(())
}

fn drop_unused(g: &Glob<'_>, sub: &mut Query, needed: &[i16]) {
    if sub.set_operations.is_some() || !sub.distinct.is_empty() || needed.contains(&0) {
        return;
    }
    let mut n = 0;
    for t in &mut sub.target_list {
        if t.junk {
            continue;
        }
        n += 1;
        if needed.contains(&n)
            || t.sort_group_ref != 0
            || contains_srf(&t.expr)
            || contains_volatile(g.ctx, &t.expr)
            || matches!(t.expr, Expr::Const(_))
        {
            continue;
        }
        t.expr = Expr::Const(Const {
            consttype: type_of(&t.expr),
            typmod: typmod_of(&t.expr),
            collation: collation_of(&t.expr),
            value: types::Datum::Null,
            location: None,
        });
    }
}

fn pushdown_safe(q: &Query) -> bool {
    if q.limit_offset.is_some() || q.limit_count.is_some() || !q.grouping_sets.is_empty() {
        return false;
    }
    if q.command != CmdType::Select || q.has_for_update || !q.row_marks.is_empty() {
        return false;
    }
    match &q.set_operations {
        None => true,
        Some(t) => set_tree_safe(q, t),
    }
}

fn set_tree_safe(q: &Query, t: &SetOpTree) -> bool {
    match t {
        SetOpTree::Leaf(n) => match &q.rte(*n).kind {
            RteKind::Subquery { query, .. } => pushdown_safe(query) && q.ctes.is_empty(),
            _ => false,
        },
        SetOpTree::Node(s) => {
            s.op != SetOp::Except && set_tree_safe(q, &s.left) && set_tree_safe(q, &s.right)
        }
    }
}

fn first_leaf<'q>(q: &'q Query, t: &SetOpTree) -> Option<&'q Query> {
    match t {
        SetOpTree::Leaf(n) => match &q.rte(*n).kind {
            RteKind::Subquery { query, .. } => Some(query),
            _ => None,
        },
        SetOpTree::Node(s) => first_leaf(q, &s.left),
    }
}

fn leaves<'q>(q: &'q Query, t: &SetOpTree, out: &mut Vec<&'q Query>) {
    match t {
        SetOpTree::Leaf(n) => {
            if let RteKind::Subquery { query, .. } = &q.rte(*n).kind {
                out.push(query);
            }
        }
        SetOpTree::Node(s) => {
            leaves(q, &s.left, out);
            leaves(q, &s.right, out);
        }
    }
}

fn qual_safe(g: &Glob<'_>, sub: &Query, rti: u32, e: &Expr) -> bool {
    if contains_subplans(e) || contains_volatile(g.ctx, e) {
        return false;
    }
    let mut ok = true;
    walk(e, &mut |x| {
        if let Expr::Var(v) = x
            && v.levels_up == 0
        {
            if v.varno != VarNo::Rte(rti) || v.attno <= 0 {
                ok = false;
                return false;
            }
            ok &= col_safe(g, sub, v.attno, v.vartype);
        }
        if matches!(x, Expr::Param(p) if p.kind == ParamKind::Exec) {
            // Parameters are numbered for the whole statement: they may go down.
        }
        ok
    });
    ok
}

fn col_safe(g: &Glob<'_>, sub: &Query, attno: i16, ty: common::Oid) -> bool {
    if let Some(t) = &sub.set_operations {
        let _ = first_leaf(sub, t);
        let mut l = Vec::new();
        leaves(sub, t, &mut l);
        return l.iter().all(|q| col_safe(g, q, attno, ty));
    }
    let Some(t) = sub.target_list.iter().filter(|t| !t.junk).nth(attno as usize - 1) else { return false };
    type_of(&t.expr) == ty
        && !contains_srf(&t.expr)
        && !contains_volatile(g.ctx, &t.expr)
        && sub
            .windows
            .iter()
            .all(|w| !sub.has_window_funcs || w.partition.iter().any(|c| c.tle_ref == t.sort_group_ref))
        && (!sub.has_distinct_on || sub.distinct.iter().any(|d| d.tle_ref == t.sort_group_ref))
        && !contains_subplans(&t.expr)
}

fn push(sub: &mut Query, rti: u32, e: &Expr) {
    if let Some(t) = sub.set_operations.clone() {
        push_tree(sub, &t, rti, e);
        return;
    }
    let targets: Vec<Expr> = sub.target_list.iter().filter(|t| !t.junk).map(|t| t.expr.clone()).collect();
    let mut q = e.clone();
    replace(&mut q, &mut |x| match x {
        Expr::Var(v) if v.varno == VarNo::Rte(rti) => targets.get(v.attno.max(1) as usize - 1).cloned(),
        _ => None,
    });
    let grouped = sub.has_aggs || !sub.group_clause.is_empty() || sub.having.is_some();
    let slot = if grouped { &mut sub.having } else { &mut sub.jointree.quals };
    let mut list = to_and_list(slot.take());
    list.push(q);
    *slot = Some(make_and(list));
}

fn push_tree(sub: &mut Query, t: &SetOpTree, rti: u32, e: &Expr) {
    match t {
        SetOpTree::Leaf(n) => {
            if let RteKind::Subquery { query, .. } = &mut sub.rtable[*n as usize - 1].kind {
                push(query, rti, e);
            }
        }
        SetOpTree::Node(s) => {
            push_tree(sub, &s.left, rti, e);
            push_tree(sub, &s.right, rti, e);
        }
    }
}

/// Sub-query scan paths over the sub-query's finished paths.
pub fn subquery_paths(g: &Glob<'_>, root: &mut Root, rti: u32) {
    let lateral = root.rel(rti).lateral;
    let param = super::index::param_info(g, root, rti, lateral);
    let Some(sub) = root.rel_mut(rti).subroot.take() else { return };
    let target = root.rel(rti).target.clone();
    let free = root.flat_union && root.rel(rti).base_clauses.is_empty();
    for sp in &sub.final_paths {
        let keys = pathkeys::from_subquery(g, root, rti, &sub, &sp.keys);
        let rel = root.rel(rti);
        let mut p = Path::new(PathKind::Subquery { rti, sub: sp.clone() }, rel.relids, target.clone());
        p.keys = keys.into();
        p.param = param.clone();
        p.outer = lateral;
        cost::scan::subquery(g, rel, &mut p, sp, free);
        root.rel_mut(rti).add_path(p);
    }
    if root.rel(rti).consider_parallel && lateral.is_empty() {
        for sp in &sub.final_partial {
            let keys = pathkeys::from_subquery(g, root, rti, &sub, &sp.keys);
            let rel = root.rel(rti);
            let mut p = Path::new(PathKind::Subquery { rti, sub: sp.clone() }, rel.relids, target.clone());
            p.keys = keys.into();
            cost::scan::subquery(g, rel, &mut p, sp, free);
            root.rel_mut(rti).add_partial(p);
        }
    }
    root.rel_mut(rti).subroot = Some(sub);
}
