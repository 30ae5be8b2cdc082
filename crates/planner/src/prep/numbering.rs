//! Numbers of relations that sets have room for. Merged sub-queries and the arms of UNION ALL are appended to the range table,
//! so that a relation of the join tree may get a number beyond [`Relids::MAX`]; then the table is put in another order, the
//! join tree's relations first.

use crate::exprs::renumber_query_vars;
use crate::relids::Relids;
use analyze::query::*;

/// Relations and joins of a join tree.
pub fn count(f: &FromExpr) -> usize {
    let mut n = 0;
    f.from.iter().for_each(|t| each(t, &mut |_| n += 1));
    n
}

fn each(t: &JoinTree, f: &mut dyn FnMut(u32)) {
    match t {
        JoinTree::Rte(n) => f(*n),
        JoinTree::Join(j) => {
            each(&j.left, f);
            each(&j.right, f);
            if j.rtindex != 0 {
                f(j.rtindex);
            }
        }
        JoinTree::From(x) => x.from.iter().for_each(|t| each(t, f)),
    }
}

/// Gives the join tree's relations low numbers if any might be too high. Nothing is done to a tree of too many relations.
pub fn compact(q: &mut Query) {
    let n = q.rtable.len();
    if n <= Relids::MAX {
        return;
    }
    let mut wanted = Vec::new();
    q.jointree.from.iter().for_each(|t| each(t, &mut |r| wanted.push(r)));
    wanted.extend((q.result_relation != 0).then_some(q.result_relation));
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.len() > Relids::MAX || wanted.last().is_none_or(|r| *r as usize <= Relids::MAX) {
        return;
    }
    // New numbers by old ones; 0: not among the join tree's.
    let mut to = vec![0; n + 1];
    wanted.iter().zip(1..).for_each(|(old, new)| to[*old as usize] = new);
    let mut next = wanted.len() as u32;
    for t in to.iter_mut().skip(1).filter(|t| **t == 0) {
        next += 1;
        *t = next;
    }
    let mut rtable: Vec<(u32, RangeTblEntry)> =
        std::mem::take(&mut q.rtable).into_iter().zip(&to[1..]).map(|(r, t)| (*t, r)).collect();
    rtable.sort_unstable_by_key(|(t, _)| *t);
    q.rtable = rtable.into_iter().map(|(_, r)| r).collect();
    renumber(q, &mut |old| to.get(old as usize).copied().unwrap_or(old));
}

fn renumber(q: &mut Query, to: &mut dyn FnMut(u32) -> u32) {
    renumber_query_vars(q, to);
    q.jointree.from.iter_mut().for_each(|t| renumber_tree(t, to));
    for r in &mut q.rtable {
        if let RteKind::Append { members } = &mut r.kind {
            members.iter_mut().for_each(|m| m.rti = to(m.rti));
        }
    }
    q.row_marks.iter_mut().for_each(|m| m.rti = to(m.rti));
    if q.result_relation != 0 {
        q.result_relation = to(q.result_relation);
    }
    if let Some(c) = &mut q.on_conflict
        && c.excluded_rti != 0
    {
        c.excluded_rti = to(c.excluded_rti);
    }
}

fn renumber_tree(t: &mut JoinTree, to: &mut dyn FnMut(u32) -> u32) {
    match t {
        JoinTree::Rte(n) => *n = to(*n),
        JoinTree::Join(j) => {
            renumber_tree(&mut j.left, to);
            renumber_tree(&mut j.right, to);
            if j.rtindex != 0 {
                j.rtindex = to(j.rtindex);
            }
        }
        JoinTree::From(f) => f.from.iter_mut().for_each(|c| renumber_tree(c, to)),
    }
}
