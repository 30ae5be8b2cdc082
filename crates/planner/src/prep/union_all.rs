//! UNION ALL as an append relation: its arms become relations of the query level itself, so that conditions, orders and
//! parameters reach each of them. Arms that are simple selects from one relation are replaced by that relation.

use super::pullup::{self, empty_query};
use super::sublinks;
use crate::PlannerCtx;
use crate::exprs::*;
use analyze::expr::*;
use analyze::query::*;

/// Turns a query that is nothing but UNION ALL into a select from an append relation. `false`: it stays as it is.
pub fn flatten(q: &mut Query) -> bool {
    let Some(SetOpTree::Node(top)) = &q.set_operations else { return false };
    let mut leaves = Vec::new();
    if !collect(q, top, &mut leaves) {
        return false;
    }
    let Some(SetOpTree::Node(top)) = q.set_operations.take() else { return false };
    let first = leaves[0];
    let mut parent = q.rtable[first as usize - 1].clone();
    q.rtable.push(parent.clone());
    leaves[0] = q.rtable.len() as u32;
    parent.col_types = top.col_types.into();
    parent.col_typmods = top.col_typmods.into();
    parent.col_collations = top.col_collations.into();
    let members =
        leaves.iter().map(|n| AppendMember { rti: *n, columns: columns_of(q.rte(*n), *n) }).collect();
    parent.kind = RteKind::Append { members };
    let typmods = parent.col_typmods.clone();
    q.rtable[first as usize - 1] = parent;
    q.jointree.from = vec![JoinTree::Rte(first)];
    // A length that not all arms share is not the result's.
    query_exprs_mut(q, &mut |e| {
        walk_mut(e, &mut |x| {
            if let Expr::Var(v) = x
                && v.levels_up == 0
                && v.varno == VarNo::Rte(first)
                && let Some(t) = typmods.get((v.attno as usize).wrapping_sub(1))
            {
                v.typmod = *t;
            }
            true
        });
    });
    true
}

/// The arms in order, if all of the tree is UNION ALL and all give the same types.
fn collect(q: &Query, s: &SetOperation, out: &mut Vec<u32>) -> bool {
    if s.op != SetOp::Union || !s.all {
        return false;
    }
    [&s.left, &s.right].into_iter().all(|t| match t {
        SetOpTree::Leaf(n) => {
            out.push(*n);
            let RteKind::Subquery { query, .. } = &q.rte(*n).kind else { return false };
            let mut types = query.target_list.iter().filter(|t| !t.junk).map(|t| type_of(&t.expr));
            s.col_types.iter().all(|c| types.next() == Some(*c)) && types.next().is_none()
        }
        SetOpTree::Node(x) => x.col_types == s.col_types && collect(q, x, out),
    })
}

fn columns_of(rte: &RangeTblEntry, rti: u32) -> Vec<Expr> {
    (0..rte.col_types.len())
        .map(|i| {
            Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno: i as i16 + 1,
                vartype: rte.col_types[i],
                typmod: rte.col_typmods.get(i).copied().unwrap_or(-1),
                collation: rte.col_collations.get(i).copied().unwrap_or_default(),
                levels_up: 0,
                syn: (0, 0),
                location: None,
            })
        })
        .collect()
}

/// May the query itself become a select from an append relation?
pub fn is_simple_level(q: &Query) -> bool {
    q.command == CmdType::Select && q.set_operations.is_some() && q.row_marks.is_empty()
}

/// Can a sub-query be merged once its UNION ALL is an append relation?
pub fn is_simple(q: &Query) -> bool {
    q.command == CmdType::Select
        && q.set_operations.is_some()
        && q.sort.is_empty()
        && q.limit_offset.is_none()
        && q.limit_count.is_none()
        && q.row_marks.is_empty()
        && q.ctes.is_empty()
}

/// Replaces the arms of the query's append relations by what they select from.
pub fn merge_members(ctx: &PlannerCtx<'_>, q: &mut Query) {
    let mut i = 0;
    while i < q.rtable.len() {
        let n = match &q.rtable[i].kind {
            RteKind::Append { members } => members.len(),
            _ => 0,
        };
        for k in 0..n {
            let at = match &q.rtable[i].kind {
                RteKind::Append { members } => members[k].rti,
                _ => break,
            };
            if let Some((sub, only)) = take_arm(ctx, q, at) {
                replace_arm(q, i, k, sub, only);
            }
        }
        i += 1;
    }
}

/// The sub-query of an arm and the relation it selects from, if there is nothing more to it.
fn take_arm(ctx: &PlannerCtx<'_>, q: &mut Query, rti: u32) -> Option<(Query, u32)> {
    let RteKind::Subquery { query, security_barrier: false, .. } = &mut q.rtable[rti as usize - 1].kind
    else {
        return None;
    };
    if is_simple(query) {
        flatten(query);
    }
    if !pullup::is_simple(ctx, query) {
        return None;
    }
    if query.has_sub_links {
        sublinks::pull_up(ctx, query);
    }
    pullup::pull_up(ctx, query);
    if !pullup::is_simple(ctx, query) {
        return None;
    }
    if query.jointree.from.is_empty() && query.jointree.quals.is_none() {
        query.rtable.push(result_entry());
        query.jointree.from.push(JoinTree::Rte(query.rtable.len() as u32));
    }
    let mut from = &query.jointree;
    let only = loop {
        match from.from.as_slice() {
            [JoinTree::Rte(n)] if from.quals.is_none() => break *n,
            [JoinTree::From(f)] if from.quals.is_none() => from = f,
            _ => return None,
        }
    };
    // References to the parent's neighbours stay behind a sub-query of their own.
    let mut outward = false;
    walk_query_levels(query, 0, &mut |x, lvl| {
        outward |= matches!(x, Expr::Var(v) if v.levels_up == lvl + 1);
    });
    if outward {
        return None;
    }
    Some((std::mem::replace(&mut **query, empty_query()), only))
}

/// One row without columns.
fn result_entry() -> RangeTblEntry {
    let mut r = sublinks::subquery_rte(empty_query(), "*RESULT*");
    r.kind = RteKind::Result;
    r
}

/// Member `k` of the append relation at `i` becomes relation `only` of `sub`.
fn replace_arm(q: &mut Query, i: usize, k: usize, mut sub: Query, only: u32) {
    let off = q.rtable.len() as u32;
    super::aliases::flatten(&mut sub);
    pullup::offset(&mut sub, off);
    shift_query_levels(&mut sub, -1, 1);
    let targets: Vec<Expr> = sub.target_list.iter().filter(|t| !t.junk).map(|t| t.expr.clone()).collect();
    if let RteKind::Append { members } = &mut q.rtable[i].kind {
        let m = &mut members[k];
        let old = m.rti;
        m.rti = only + off;
        for e in &mut m.columns {
            replace(e, &mut |x| match x {
                Expr::Var(v) if v.levels_up == 0 && v.varno == VarNo::Rte(old) && v.attno > 0 => {
                    targets.get(v.attno as usize - 1).cloned()
                }
                _ => None,
            });
        }
    }
    q.has_sub_links |= sub.has_sub_links;
    q.rtable.append(&mut sub.rtable);
}
