//! Simple sub-selects in FROM (views among them) are merged into their parent.

use super::{from_relids, numbering, sublinks, union_all};
use crate::PlannerCtx;
use crate::exprs::*;
use crate::relids::Relids;
use analyze::expr::*;
use analyze::query::*;

/// Pulls up what can be pulled up, recursively.
pub fn pull_up(ctx: &PlannerCtx<'_>, q: &mut Query) {
    if q.set_operations.is_some() {
        return;
    }
    merge_single_row(ctx, q);
    if !q.rtable.iter().any(|r| matches!(r.kind, RteKind::Subquery { .. })) {
        return;
    }
    while let Some(rti) = candidate(ctx, q) {
        merge(q, rti);
        numbering::compact(q);
    }
    union_all::merge_members(ctx, q);
}

/// A query over nothing but VALUES of one row needs no FROM.
fn merge_single_row(ctx: &PlannerCtx<'_>, q: &mut Query) {
    let ([JoinTree::Rte(1)], [r]) = (q.jointree.from.as_slice(), q.rtable.as_mut_slice()) else { return };
    let RteKind::Values { lists, .. } = &mut r.kind else { return };
    let [row] = lists.as_slice() else { return };
    if row.iter().any(|e| contains_volatile(ctx, e) || contains_srf(e)) || whole_row_used(q, 1) {
        return;
    }
    let RteKind::Values { lists, .. } = &mut q.rtable[0].kind else { return };
    let row = lists.pop().unwrap_or_default();
    substitute(q, 1, &row);
    q.jointree.from.clear();
}

/// The first sub-query of the join tree that may be merged.
fn candidate(ctx: &PlannerCtx<'_>, q: &mut Query) -> Option<u32> {
    let mut list = Vec::new();
    let room = Relids::MAX.saturating_sub(numbering::count(&q.jointree));
    for t in &q.jointree.from {
        leaves(t, false, false, &mut list);
    }
    for (rti, outer, beside) in list {
        let RteKind::Subquery { query, lateral, security_barrier, .. } = &mut q.rtable[rti as usize - 1].kind
        else {
            continue;
        };
        if *security_barrier || (*lateral && outer) {
            continue;
        }
        if query.set_operations.is_some() && union_all::is_simple(query) && !*lateral {
            union_all::flatten(query);
        }
        if !is_simple(ctx, query) || (*lateral && refers_out_of_place(query)) {
            continue;
        }
        // Its own sub-queries come first: afterwards it may have become too complicated.
        if query.has_sub_links {
            sublinks::pull_up(ctx, query);
        }
        pull_up(ctx, query);
        if !is_simple(ctx, query) || ((outer || beside) && query.jointree.from.is_empty()) {
            continue;
        }
        if room < numbering::count(&query.jointree) {
            continue;
        }
        let own = from_relids(&query.jointree);
        if outer && !query.target_list.iter().all(|t| null_safe(ctx, &t.expr, own)) {
            continue;
        }
        if whole_row_used(q, rti) {
            continue;
        }
        return Some(rti);
    }
    None
}

/// Are there references to the neighbours of a LATERAL sub-query where they could not be evaluated once it is merged: in or
/// below an outer join of its own, whose condition would become a filter, and in a sample's arguments?
fn refers_out_of_place(q: &Query) -> bool {
    let sampled = q.rtable.iter().any(|r| match &r.kind {
        RteKind::Relation { tablesample: Some(s), .. } => s.args.iter().chain(&s.repeatable).any(refers_out),
        _ => false,
    });
    sampled || q.jointree.from.iter().any(|t| outer_join_refers_out(t, false))
}

fn refers_out(e: &Expr) -> bool {
    let mut found = false;
    walk_levels(e, 0, &mut |x, lvl| found |= matches!(x, Expr::Var(v) if v.levels_up == lvl + 1));
    found
}

fn outer_join_refers_out(t: &JoinTree, below: bool) -> bool {
    match t {
        JoinTree::Rte(_) => false,
        JoinTree::From(f) => {
            (below && f.quals.as_ref().is_some_and(refers_out))
                || f.from.iter().any(|c| outer_join_refers_out(c, below))
        }
        JoinTree::Join(j) => {
            let below = below || !matches!(j.kind, JoinType::Inner | JoinType::Semi);
            (below && j.quals.as_ref().is_some_and(refers_out))
                || outer_join_refers_out(&j.left, below)
                || outer_join_refers_out(&j.right, below)
        }
    }
}

/// Does the expression become NULL when the sub-query's relations are null-extended?
fn null_safe(ctx: &PlannerCtx<'_>, e: &Expr, own: Relids) -> bool {
    matches!(e, Expr::Var(v) if v.levels_up == 0)
        || (pull_rtis(e).overlaps(own) && !contains_nonstrict(ctx, e) && !contains_subplans(e))
}

fn whole_row_used(q: &Query, rti: u32) -> bool {
    let mut found = false;
    walk_query_levels(q, 0, &mut |x, lvl| {
        if let Expr::Var(v) = x
            && v.levels_up == lvl
            && v.varno == VarNo::Rte(rti)
            && v.attno <= 0
        {
            found = true;
        }
    });
    found
}

/// Entries of a join tree, with whether outer joins may null-extend them, and whether they stand on either side of one
/// (where something must stand).
fn leaves(t: &JoinTree, outer: bool, beside: bool, out: &mut Vec<(u32, bool, bool)>) {
    match t {
        JoinTree::Rte(n) => out.push((*n, outer, beside)),
        JoinTree::From(f) => f.from.iter().for_each(|c| leaves(c, outer, beside, out)),
        JoinTree::Join(j) => {
            let (l, r) = match j.kind {
                JoinType::Inner | JoinType::Semi => (outer, outer),
                JoinType::Left | JoinType::Anti => (outer, true),
                JoinType::Right => (true, outer),
                JoinType::Full => (true, true),
            };
            let beside = beside || !matches!(j.kind, JoinType::Inner | JoinType::Semi);
            leaves(&j.left, l, beside, out);
            leaves(&j.right, r, beside, out);
        }
    }
}

/// Is it a plain select, without anything that must be done before its rows are joined?
pub fn is_simple(ctx: &PlannerCtx<'_>, q: &Query) -> bool {
    q.command == CmdType::Select
        && q.set_operations.is_none()
        && !q.has_aggs
        && !q.has_window_funcs
        && !q.has_target_srfs
        && !q.has_modifying_cte
        && q.group_clause.is_empty()
        && q.grouping_sets.is_empty()
        && q.having.is_none()
        && q.sort.is_empty()
        && q.distinct.is_empty()
        && q.limit_offset.is_none()
        && q.limit_count.is_none()
        && q.row_marks.is_empty()
        && q.ctes.is_empty()
        && !q.target_list.iter().any(|t| contains_volatile(ctx, &t.expr))
}

/// Merges sub-query `rti` into its parent.
fn merge(q: &mut Query, rti: u32) {
    let RteKind::Subquery { query, lateral, .. } = &mut q.rtable[rti as usize - 1].kind else { return };
    let lateral = *lateral;
    let mut sub = std::mem::replace(&mut **query, empty_query());
    super::aliases::flatten(&mut sub);
    let off = q.rtable.len() as u32;
    offset(&mut sub, off);
    shift_query_levels(&mut sub, -1, 1);
    let mut from = std::mem::take(&mut sub.jointree);
    if lateral {
        // The merged relations inherit the right to refer to their left neighbours.
        for r in &mut sub.rtable {
            match &mut r.kind {
                RteKind::Subquery { lateral, .. }
                | RteKind::Function { lateral, .. }
                | RteKind::Values { lateral, .. } => *lateral = true,
                _ => {}
            }
        }
    }
    let targets: Vec<Expr> = sub.target_list.iter().filter(|t| !t.junk).map(|t| t.expr.clone()).collect();
    let node = if from.from.len() == 1 && from.quals.is_none() {
        from.from.swap_remove(0)
    } else {
        JoinTree::From(from)
    };
    substitute(q, rti, &targets);
    let mut node = Some(node);
    for t in &mut q.jointree.from {
        place(t, rti, &mut node);
    }
    q.has_sub_links |= sub.has_sub_links;
    q.has_for_update |= sub.has_for_update;
    q.rtable.append(&mut sub.rtable);
}

/// Renumbers a query's relations, for its range table to be appended to another one.
pub fn offset(q: &mut Query, off: u32) {
    renumber_query_vars(q, &mut |n| n + off);
    for t in &mut q.jointree.from {
        sublinks::offset_tree(t, off);
    }
    for r in &mut q.rtable {
        if let RteKind::Append { members } = &mut r.kind {
            members.iter_mut().for_each(|m| m.rti += off);
        }
    }
}

fn place(t: &mut JoinTree, rti: u32, node: &mut Option<JoinTree>) {
    match t {
        JoinTree::Rte(n) if *n == rti => {
            if let Some(x) = node.take() {
                *t = x;
            }
        }
        JoinTree::Rte(_) => {}
        JoinTree::Join(j) => {
            place(&mut j.left, rti, node);
            place(&mut j.right, rti, node);
        }
        JoinTree::From(f) => f.from.iter_mut().for_each(|c| place(c, rti, node)),
    }
}

/// Replaces every reference to a sub-query's columns.
fn substitute(q: &mut Query, rti: u32, targets: &[Expr]) {
    subst_query(q, 0, rti, targets);
}

fn subst_query(q: &mut Query, lvl: u32, rti: u32, targets: &[Expr]) {
    query_exprs_mut(q, &mut |e| subst(e, lvl, rti, targets));
    // Sub-links may have come into a query that had none.
    if lvl > 0 && !q.has_sub_links {
        let linked = |t: &Expr| any(t, &mut |e| matches!(e, Expr::SubLink(_)));
        q.has_sub_links = targets.iter().any(linked);
    }
    subqueries_mut(q, &mut |s| subst_query(s, lvl + 1, rti, targets));
}

fn subst(e: &mut Expr, lvl: u32, rti: u32, targets: &[Expr]) {
    match e {
        Expr::Var(v) => {
            if v.levels_up == lvl
                && v.varno == VarNo::Rte(rti)
                && v.attno > 0
                && let Some(t) = targets.get(v.attno as usize - 1)
            {
                let mut t = t.clone();
                if lvl > 0 {
                    shift_levels(&mut t, lvl as i32, 0);
                }
                *e = t;
            }
            return;
        }
        Expr::SubLink(s) => subst_query(&mut s.subselect, lvl + 1, rti, targets),
        _ => {}
    }
    each_child_mut(e, &mut |c| subst(c, lvl, rti, targets));
}

/// A query without anything, as a placeholder.
pub fn empty_query() -> Query {
    analyze::select::new_query(CmdType::Select)
}
