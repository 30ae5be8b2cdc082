//! Sizes and paths of base relations.

use super::{exclusion, index, other, set_cheapest};
use crate::cost;
use crate::exprs::*;
use crate::parallel::{self, gather, safety};
use crate::path::*;
use crate::paths::predicate;
use crate::relids::{Relids, is_member};
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use analyze::query::{JoinType, RteKind};
use common::Result;
use std::rc::Rc;

/// Fills in rows, width and target of every base relation.
pub fn set_sizes(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    for rti in root.all_base.iter().collect::<Vec<_>>() {
        let exprs: Vec<Expr> = root.rel(rti).needed.iter().map(|n| n.0.clone()).collect();
        set_size(g, root, rti, exprs)?;
    }
    Ok(())
}

/// Rows, width and target of one relation whose output columns are `exprs`.
pub fn set_size(g: &Glob<'_>, root: &mut Root, rti: u32, exprs: Vec<Expr>) -> Result<()> {
    let is_false = |r: &Ri| matches!(bool_const(&r.clause), Some(false)) || const_null(&r.clause);
    // Next to other clauses a false one is tested once, when the plan runs.
    if matches!(root.rel(rti).base_clauses.as_slice(), [r] if is_false(r))
        || exclusion::excluded(g, root, rti)?
    {
        root.rel_mut(rti).dummy = true;
    }
    if !root.rel(rti).members.is_empty() {
        return crate::append::set_size(g, root, rti, exprs);
    }
    match &root.query.rte(rti).kind {
        RteKind::Relation { .. } => check_predicates(g, root, rti),
        RteKind::Subquery { .. } => other::plan_subquery(g, root, rti)?,
        _ => other::size(g, root, rti)?,
    }
    size_by_clauses(g, root, rti);
    let refs = vec![0; exprs.len()];
    let t = root.finish_target(g, exprs, refs);
    root.rel_mut(rti).target = Rc::new(t);
    safety::set_base(g, root, rti);
    Ok(())
}

fn size_by_clauses(g: &Glob<'_>, root: &mut Root, rti: u32) {
    let rel = root.rel(rti);
    let sel = if rel.base_clauses.is_empty() {
        1.0
    } else {
        selectivity::list_sel(g, root, &rel.base_clauses, 0, JoinType::Inner, None)
    };
    let rows = selectivity::clamp_rows(rel.tuples * sel);
    let c = cost::list_cost(g, &rel.base_clauses);
    let rel = root.rel_mut(rti);
    rel.rows = if rel.dummy { 0.0 } else { rows };
    rel.base_cost = c;
}

/// Which partial indexes apply, and which clauses their predicates make superfluous.
fn check_predicates(g: &Glob<'_>, root: &mut Root, rti: u32) {
    let rel = root.rel_mut(rti);
    let clauses = rel.base_clauses.clone();
    for ix in &mut rel.indexes {
        let Some(i) = Rc::get_mut(ix) else { continue };
        if i.predicate.is_empty() {
            i.restrict = clauses.clone();
            continue;
        }
        let exprs: Vec<&Expr> = clauses.iter().map(|c| &c.clause).collect();
        i.pred_ok = predicate::implied(g, &i.predicate, &exprs);
        let preds: Vec<&Expr> = i.predicate.iter().collect();
        i.restrict = clauses
            .iter()
            .filter(|c| {
                contains_mutable(g.ctx, &c.clause)
                    || !predicate::implied(g, std::slice::from_ref(&c.clause), &preds)
            })
            .cloned()
            .collect();
    }
}

/// Builds the paths of every base relation.
pub fn set_paths(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    for rti in root.all_base.iter().collect::<Vec<_>>() {
        set_rel_paths(g, root, rti)?;
    }
    Ok(())
}

/// A sequential scan that the workers share.
fn partial_scan(g: &Glob<'_>, root: &mut Root, rti: u32) {
    let rel = root.rel(rti);
    if !rel.consider_parallel || !rel.lateral.is_empty() {
        return;
    }
    let sample = match &root.query.rte(rti).kind {
        RteKind::Relation { tablesample: Some(_), .. } => return,
        _ => None,
    };
    let workers = parallel::workers(g.ctx.settings, rel, Some(rel.pages), None);
    if workers == 0 {
        return;
    }
    let mut p = Path::new(PathKind::SeqScan { rti }, rel.relids, rel.target.clone());
    p.workers = workers;
    p.aware = true;
    cost::scan::seqscan(g, rel, &mut p, sample);
    root.rel_mut(rti).add_partial(p);
}

/// Builds the paths of one relation, of its members too.
pub fn set_rel_paths(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    if root.rel(rti).dummy {
        let r = root.rel_mut(rti);
        let mut p = Path::new(PathKind::Dummy, r.relids, r.target.clone());
        p.rows = 0.0;
        r.paths = vec![Rc::new(p)];
        set_cheapest(r);
        return Ok(());
    }
    if !root.rel(rti).members.is_empty() {
        crate::append::set_paths(g, root, rti)?;
        if !root.all_base.is_single() && !is_member(rti) {
            gather::of_rel(g, root, Relids::single(rti));
        }
        set_cheapest(root.rel_mut(rti));
        return Ok(());
    }
    match &root.query.rte(rti).kind {
        RteKind::Relation { .. } => {
            let lateral = root.rel(rti).lateral;
            let p = seq_path(g, root, rti, lateral);
            let sampled = matches!(&root.query.rte(rti).kind, RteKind::Relation { tablesample: Some(_), .. });
            root.rel_mut(rti).add_path(p);
            partial_scan(g, root, rti);
            if !sampled {
                index::create(g, root, rti);
                tid(g, root, rti);
            }
        }
        RteKind::Subquery { .. } => other::subquery_paths(g, root, rti),
        _ => other::paths(g, root, rti)?,
    }
    // The topmost relation is gathered when its final columns are known.
    if !root.all_base.is_single() && !is_member(rti) {
        gather::of_rel(g, root, Relids::single(rti));
    }
    set_cheapest(root.rel_mut(rti));
    Ok(())
}

/// A sequential or sample scan, which the relations `outer` drive.
pub fn seq_path(g: &Glob<'_>, root: &mut Root, rti: u32, outer: Relids) -> Path {
    let param = index::param_info(g, root, rti, outer);
    let rel = root.rel(rti);
    let mut p = Path::new(PathKind::SeqScan { rti }, rel.relids, rel.target.clone());
    p.param = param;
    p.outer = outer;
    let sample = match &root.query.rte(rti).kind {
        RteKind::Relation { tablesample: Some(s), .. } => Some(s.method.as_str()),
        _ => None,
    };
    cost::scan::seqscan(g, rel, &mut p, sample);
    p
}

fn is_ctid(e: &Expr, rti: u32) -> bool {
    matches!(e, Expr::Var(v) if v.attno == -1 && v.varno == VarNo::Rte(rti) && v.levels_up == 0)
}

/// Is it `ctid = value` or `ctid = ANY (array)`?
pub fn is_tid_clause(g: &Glob<'_>, rti: u32, e: &Expr) -> bool {
    let free = |x: &Expr| !pull_rtis(x).contains(rti) && !contains_volatile(g.ctx, x);
    match e {
        Expr::Op(o) if o.opno.0 == 387 => {
            (is_ctid(&o.args[0], rti) && free(&o.args[1])) || (is_ctid(&o.args[1], rti) && free(&o.args[0]))
        }
        Expr::ScalarArrayOp(o) if o.opno.0 == 387 && o.use_or => is_ctid(&o.args[0], rti) && free(&o.args[1]),
        Expr::CurrentOf { rte, .. } => *rte == rti,
        _ => false,
    }
}

fn tid(g: &Glob<'_>, root: &mut Root, rti: u32) {
    let rel = root.rel(rti);
    let quals: Vec<Ri> = rel
        .base_clauses
        .iter()
        .filter(|r| {
            is_tid_clause(g, rti, &r.clause)
                || r.or_arms
                    .as_ref()
                    .is_some_and(|a| a.iter().all(|l| l.iter().any(|c| is_tid_clause(g, rti, &c.clause))))
        })
        .cloned()
        .collect();
    if let Some(first) = quals.first() {
        // One qual is enough; all its alternatives are fetched.
        let list: Vec<Ri> = match &first.or_arms {
            Some(arms) => arms
                .iter()
                .filter_map(|l| l.iter().find(|c| is_tid_clause(g, rti, &c.clause)).cloned())
                .collect(),
            None => vec![first.clone()],
        };
        let mut p = Path::new(PathKind::Tid { rti, quals: list.clone() }, rel.relids, rel.target.clone());
        cost::scan::tidscan(g, rel, &mut p, &list);
        root.rel_mut(rti).add_path(p);
    }
    // ctid = other.ctid, driven by a nested loop.
    let joins: Vec<Ri> = root
        .rel(rti)
        .join_clauses
        .iter()
        .filter(|r| {
            is_tid_clause(g, rti, &r.clause)
                && !r.outer_relids.contains(rti)
                && !r.nullable_relids.contains(rti)
        })
        .cloned()
        .collect();
    for ri in joins {
        let outer = ri.clause_relids.minus(Relids::single(rti));
        let param = index::param_info(g, root, rti, outer);
        let rel = root.rel(rti);
        let quals = vec![ri.clone()];
        let mut p = Path::new(PathKind::Tid { rti, quals: quals.clone() }, rel.relids, rel.target.clone());
        p.param = param;
        p.outer = outer;
        cost::scan::tidscan(g, rel, &mut p, &quals);
        root.rel_mut(rti).add_path(p);
    }
}
