//! UNION, INTERSECT, EXCEPT and recursive unions. Columns of every intermediate result are named by the leftmost leaf's
//! Vars; inputs are matched by position.

use super::sort_path;
use crate::cost;
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::{other, set_cheapest};
use crate::relids::Relids;
use crate::relinfo::build_base;
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Oid, Result};
use std::rc::Rc;
use types::{Datum, oids};

/// Plans the query's set operation tree.
pub fn plan(g: &Glob<'_>, root: &mut Root, recursive: Option<u32>) -> Result<Vec<Rc<Path>>> {
    if !root.query.row_marks.is_empty() {
        return Err(common::err!(
            FEATURE_NOT_SUPPORTED,
            "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT"
        ));
    }
    root.base.resize_with(root.query.rtable.len() + 1, || None);
    let Some(tree) = root.query.set_operations.clone() else {
        return Err(Error::internal("no set operation"));
    };
    let p = match (&tree, recursive) {
        (SetOpTree::Node(s), Some(param)) => recursion(g, root, s, param)?,
        _ => {
            let fraction = root.tuple_fraction;
            let all = only_union_all(&tree);
            root.flat_union = all;
            if !all {
                root.tuple_fraction = 0.0;
            }
            let p = node(g, root, &tree)?;
            root.tuple_fraction = fraction;
            p
        }
    };
    super::set_pathkeys(g, root);
    Ok(vec![p])
}

fn only_union_all(t: &SetOpTree) -> bool {
    match t {
        SetOpTree::Leaf(_) => true,
        SetOpTree::Node(s) => {
            s.all && s.op == SetOp::Union && only_union_all(&s.left) && only_union_all(&s.right)
        }
    }
}

fn column_vars(root: &Root, rti: u32) -> Vec<Expr> {
    let rte = root.query.rte(rti);
    (0..rte.col_types.len())
        .map(|i| {
            Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno: i as i16 + 1,
                vartype: rte.col_types[i],
                typmod: rte.col_typmods.get(i).copied().unwrap_or(-1),
                collation: rte.col_collations.get(i).copied().unwrap_or(Oid::INVALID),
                levels_up: 0,
                syn: (0, 0),
                location: None,
            })
        })
        .collect()
}

fn leftmost(t: &SetOpTree) -> u32 {
    match t {
        SetOpTree::Leaf(n) => *n,
        SetOpTree::Node(s) => leftmost(&s.left),
    }
}

fn node(g: &Glob<'_>, root: &mut Root, t: &SetOpTree) -> Result<Rc<Path>> {
    g.check_interrupts()?;
    match t {
        SetOpTree::Leaf(rti) => leaf(g, root, *rti),
        SetOpTree::Node(s) if s.op == SetOp::Union => union(g, root, s, leftmost(t)),
        SetOpTree::Node(s) => intersect_except(g, root, s, leftmost(t)),
    }
}

fn leaf(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<Rc<Path>> {
    build_base(g, root, rti)?;
    let vars = column_vars(root, rti);
    root.rel_mut(rti).needed = vars.iter().map(|v| (v.clone(), Relids::single(0))).collect();
    other::plan_subquery(g, root, rti)?;
    let refs = vec![0; vars.len()];
    let t = Rc::new(root.finish_target(g, vars, refs));
    let rel = root.rel_mut(rti);
    rel.target = t;
    rel.rows = selectivity::clamp_rows(rel.tuples);
    crate::parallel::safety::set_base(g, root, rti);
    other::subquery_paths(g, root, rti);
    let rel = root.rel_mut(rti);
    set_cheapest(rel);
    rel.cheapest_total.clone().ok_or_else(|| Error::internal("set operation input has no path"))
}

fn children(t: &SetOpTree, all: bool, out: &mut Vec<SetOpTree>, types: &[Oid]) {
    match t {
        SetOpTree::Node(s) if s.op == SetOp::Union && (s.all == all || s.all) && s.col_types == types => {
            children(&s.left, all, out, types);
            children(&s.right, all, out, types);
        }
        other => out.push(other.clone()),
    }
}

/// Width of a set operation's rows: its columns belong to no table, so that only their types are known.
fn typical_width(g: &Glob<'_>, t: &Target) -> i32 {
    t.exprs.iter().map(|e| crate::relinfo::type_width(g, type_of(e), typmod_of(e))).sum()
}

fn append(g: &Glob<'_>, root: &Root, subs: Vec<Rc<Path>>, left: u32, s: &SetOperation) -> Path {
    let mut vars = column_vars(root, left);
    // A length that not all inputs share is not the result's.
    for (v, typmod) in vars.iter_mut().zip(&s.col_typmods) {
        if let Expr::Var(v) = v {
            v.typmod = *typmod;
        }
    }
    let refs = vec![0; vars.len()];
    let mut t = root.finish_target(g, vars, refs);
    t.width = typical_width(g, &t);
    let rows: f64 = subs.iter().map(|p| p.rows).sum();
    let startup = subs.first().map_or(0.0, |p| p.startup);
    let total: f64 = subs.iter().map(|p| p.total).sum::<f64>() + 0.5 * g.ctx.settings.cpu_tuple_cost * rows;
    Path::new(PathKind::Append { subs, rti: 0 }, Relids::EMPTY, Rc::new(t)).cost(rows, startup, total)
}

fn union(g: &Glob<'_>, root: &mut Root, s: &SetOperation, left: u32) -> Result<Rc<Path>> {
    let mut list = Vec::new();
    children(&s.left, s.all, &mut list, &s.col_types);
    children(&s.right, s.all, &mut list, &s.col_types);
    let mut subs = Vec::new();
    for c in &list {
        subs.push(node(g, root, c)?);
    }
    let p = append(g, root, subs, left, s);
    let leaves = list.iter().map(|c| match c {
        SetOpTree::Leaf(rti) => Some(*rti),
        SetOpTree::Node(_) => None,
    });
    let shared = match leaves.collect::<Option<Vec<u32>>>() {
        Some(arms) => crate::append::partial::union(g, root, &arms, &p),
        None => None,
    };
    let whole = distinct_of(g, root, s, p)?;
    match shared {
        Some(p) => {
            let p = distinct_of(g, root, s, p)?;
            Ok(if p.total < whole.total { p } else { whole })
        }
        None => Ok(whole),
    }
}

/// The different rows of a UNION's appended arms; all of them for UNION ALL.
fn distinct_of(g: &Glob<'_>, root: &mut Root, s: &SetOperation, p: Path) -> Result<Rc<Path>> {
    let p = Rc::new(p);
    if s.all {
        return Ok(p);
    }
    let (clauses, p) = with_refs(g, root, &p, &s.group_clauses);
    let rows = p.rows;
    if choose_hash(g, &clauses, &p, rows, "UNION")? {
        let n = clauses.len();
        let (st, tot, r) = hash_cost(g, &p, n, rows);
        let kind = PathKind::Agg {
            sub: p.clone(),
            kind: AggKind::Hashed,
            split: AggSplit::Simple,
            clauses,
            qual: Vec::new(),
            groups: rows,
        };
        return Ok(Rc::new(Path::new(kind, Relids::EMPTY, p.target.clone()).cost(r, st, tot)));
    }
    let (sorted, n) = sort_all(g, root, &p, &clauses);
    let total = sorted.total + g.ctx.settings.cpu_operator_cost * sorted.rows * n as f64;
    let (st, keys, target) = (sorted.startup, sorted.keys.clone(), sorted.target.clone());
    let kind = PathKind::UpperUnique { sub: Rc::new(sorted), cols: n };
    let mut u = Path::new(kind, Relids::EMPTY, target).cost(rows, st, total);
    u.keys = keys;
    Ok(Rc::new(u))
}

/// Numbers the columns so that the group clauses can refer to them.
fn with_refs(
    g: &Glob<'_>,
    root: &Root,
    p: &Rc<Path>,
    clauses: &[SortGroupClause],
) -> (Vec<SortGroupClause>, Rc<Path>) {
    let _ = (g, root);
    let mut t = (*p.target).clone();
    let mut out = Vec::new();
    for (i, c) in clauses.iter().enumerate() {
        let mut c = c.clone();
        c.tle_ref = i as u32 + 1;
        t.refs[i] = c.tle_ref;
        out.push(c);
    }
    let mut n = (**p).clone();
    n.target = Rc::new(t);
    (out, Rc::new(n))
}

fn sort_all(g: &Glob<'_>, root: &mut Root, p: &Rc<Path>, clauses: &[SortGroupClause]) -> (Path, usize) {
    let tl: Vec<TargetEntry> = p
        .target
        .exprs
        .iter()
        .zip(&p.target.refs)
        .enumerate()
        .map(|(i, (e, r))| TargetEntry {
            expr: e.clone(),
            resno: i as i16 + 1,
            name: None,
            sort_group_ref: *r,
            orig: (Oid::INVALID, 0),
            junk: false,
        })
        .collect();
    let keys = pathkeys::for_clauses(g, root, clauses, &tl).unwrap_or_default();
    (sort_path(g, p, &keys, -1.0), keys.len())
}

fn hash_cost(g: &Glob<'_>, p: &Path, cols: usize, groups: f64) -> (f64, f64, f64) {
    cost::upper::agg(
        g,
        AggKind::Hashed,
        &cost::upper::AggCosts::default(),
        cols,
        groups,
        p.startup,
        p.total,
        p.rows,
        p.target.width,
        QualCost::default(),
        1.0,
        false,
    )
}

fn choose_hash(g: &Glob<'_>, clauses: &[SortGroupClause], p: &Path, groups: f64, what: &str) -> Result<bool> {
    let can_sort = clauses.iter().all(|c| c.sortop.is_valid());
    let can_hash = clauses.iter().all(|c| c.hashable);
    match (can_hash, can_sort) {
        (false, false) => {
            return Err(common::err!(FEATURE_NOT_SUPPORTED, "could not implement {what}")
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        (true, false) => return Ok(true),
        (false, true) => return Ok(false),
        _ => {}
    }
    if !g.ctx.settings.enable_hashagg {
        return Ok(false);
    }
    let entry = f64::from((p.target.width + 7) / 8 * 8) + 24.0;
    if entry * groups > g.ctx.settings.hash_mem_bytes() {
        return Ok(false);
    }
    let h = hash_cost(g, p, clauses.len(), groups).1;
    let (_, s) = cost::sort::sort(g, p.total, p.rows, p.target.width, -1.0);
    let s = s + g.ctx.settings.cpu_operator_cost * clauses.len() as f64 * p.rows;
    Ok(h < s)
}

fn input_groups(g: &Glob<'_>, root: &Root, t: &SetOpTree, p: &Path) -> f64 {
    if let SetOpTree::Leaf(rti) = t
        && let Some(sub) = &root.rel(*rti).subroot
        && sub.query.set_operations.is_none()
        && sub.query.group_clause.is_empty()
        && sub.query.distinct.is_empty()
    {
        let exprs: Vec<&Expr> = sub.tlist.iter().filter(|t| !t.junk).map(|t| &t.expr).collect();
        return selectivity::num_groups(g, sub, &exprs, p.rows);
    }
    p.rows
}

fn intersect_except(g: &Glob<'_>, root: &mut Root, s: &SetOperation, left: u32) -> Result<Rc<Path>> {
    let l = node(g, root, &s.left)?;
    let r = node(g, root, &s.right)?;
    let (lg, rg) = (input_groups(g, root, &s.left, &l), input_groups(g, root, &s.right, &r));
    let swap = s.op == SetOp::Intersect && lg > rg;
    let flag = |v: i32| {
        Expr::Const(Const {
            consttype: oids::INT4,
            typmod: -1,
            collation: Oid::INVALID,
            value: Datum::I32(v),
            location: None,
        })
    };
    let flagged = |p: &Rc<Path>, v: i32| -> Rc<Path> {
        let mut t = (*p.target).clone();
        t.exprs.push(flag(v));
        t.refs.push(0);
        t.width += 4;
        super::target::project(g, p, &Rc::new(t))
    };
    let (l2, r2) = (flagged(&l, 0), flagged(&r, 1));
    let subs = if swap { vec![r2, l2] } else { vec![l2, r2] };
    let first_flag = i32::from(swap);
    let mut a = append(g, root, subs, left, s);
    let mut t = (*a.target).clone();
    t.exprs.push(flag(0));
    t.refs.push(0);
    t.width += 4;
    let flag_col = t.exprs.len() - 1;
    a.target = Rc::new(t);
    let (clauses, p) = with_refs(g, root, &Rc::new(a), &s.group_clauses);
    let groups = if s.op == SetOp::Except { lg } else { lg.min(rg) };
    let rows = if s.all { if s.op == SetOp::Except { l.rows } else { l.rows.min(r.rows) } } else { groups };
    let hashed =
        choose_hash(g, &clauses, &p, groups, if s.op == SetOp::Except { "EXCEPT" } else { "INTERSECT" })?;
    let sub = if hashed { p.clone() } else { Rc::new(sort_all(g, root, &p, &clauses).0) };
    let total = sub.total + g.ctx.settings.cpu_operator_cost * sub.rows * clauses.len() as f64;
    let startup = sub.startup;
    let target = sub.target.clone();
    let kind = PathKind::SetOp { sub, op: s.op, all: s.all, hashed, groups: clauses, flag_col, first_flag };
    // The flag is not part of the result.
    let so = Rc::new(Path::new(kind, Relids::EMPTY, target).cost(rows, startup, total));
    let mut out = (*so.target).clone();
    out.exprs.truncate(flag_col);
    out.refs.truncate(flag_col);
    let mut n = (*so).clone();
    n.target = Rc::new(out);
    Ok(Rc::new(n))
}

fn recursion(g: &Glob<'_>, root: &mut Root, s: &SetOperation, wt_param: u32) -> Result<Rc<Path>> {
    if s.op != SetOp::Union {
        return Err(Error::internal("only UNION queries can be recursive"));
    }
    let l = node(g, root, &s.left)?;
    {
        let mut w = g.work_tables.borrow_mut();
        if w.len() <= root.depth {
            w.resize_with(root.depth + 1, || None);
        }
        w[root.depth] = Some(WorkTable { param: wt_param, rows: l.rows });
    }
    let r = node(g, root, &s.right)?;
    let vars = column_vars(root, leftmost(&s.left));
    let refs = vec![0; vars.len()];
    let mut t = root.finish_target(g, vars, refs);
    t.width = typical_width(g, &t);
    let rows = l.rows + 10.0 * r.rows;
    let total = l.total + 10.0 * r.total + g.ctx.settings.cpu_tuple_cost * rows;
    let startup = l.startup;
    if !s.all && !s.group_clauses.iter().all(|c| c.hashable) {
        return Err(common::err!(FEATURE_NOT_SUPPORTED, "could not implement recursive UNION")
            .detail("All column datatypes must be hashable."));
    }
    let kind = PathKind::RecursiveUnion {
        nonrec: l,
        rec: r,
        wt_param,
        all: s.all,
        groups: if s.all { Vec::new() } else { s.group_clauses.clone() },
    };
    Ok(Rc::new(Path::new(kind, Relids::EMPTY, Rc::new(t)).cost(rows, startup, total)))
}
