//! Joins whose outer side is a partial path: each process joins its share of the outer rows with all inner rows, or with
//! a hash table that all processes build together.

use super::index::movable_into;
use super::join::*;
use crate::cost::join::*;
use crate::parallel::{gather, share};
use crate::path::*;
use crate::pathkeys;
use crate::root::*;
use analyze::query::JoinType;
use std::rc::Rc;

/// The outer side's partial paths, if this join can be made of them. Joins that keep unmatched inner rows cannot: a
/// process does not know what the others matched.
pub fn outers(root: &Root, cx: &Cx<'_>) -> Vec<Rc<Path>> {
    let fits = cx.uniq != Uniquify::Outer
        && !matches!(cx.kind, JoinType::Full | JoinType::Right)
        && root.find(cx.join).is_some_and(|r| r.consider_parallel && r.lateral.is_empty());
    if !fits {
        return Vec::new();
    }
    root.find(cx.outer).map_or_else(Vec::new, |r| r.partial.clone())
}

/// An inner path that a worker may run: the given one, or the cheapest of the relation (not where the inner side was
/// made unique: only that one path will do).
pub fn safe_inner(root: &Root, cx: &Cx<'_>, given: Option<&Rc<Path>>) -> Option<Rc<Path>> {
    match given {
        Some(p) if p.safe => Some(p.clone()),
        _ if cx.uniq == Uniquify::Inner => None,
        _ => gather::cheapest_safe(&root.find(cx.inner)?.paths),
    }
}

fn nestloop(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>, o: &Rc<Path>, i: &Rc<Path>, keys: &Rc<[PathKey]>) {
    // The loop itself must supply all parameters.
    if !i.outer.subset_of(o.rel) {
        return;
    }
    let w = nestloop_initial(g, cx.kind, o, i, &cx.x);
    if !root.find(cx.join).is_some_and(|r| gather::precheck_partial(r, w.total, keys)) {
        return;
    }
    let all = i.rel | i.outer;
    let checked_inside = |r: &Ri| i.outer.overlaps(o.rel) && movable_into(r, i.rel, all);
    let clauses = cx.x.clauses.iter().filter(|r| !checked_inside(r)).cloned().collect();
    let mut p = Path::new(PathKind::NestLoop(join_path(cx, o, i, clauses)), cx.join, cx.target.clone());
    p.rows = cx.rows;
    p.keys = keys.clone();
    share(g, &mut p);
    nestloop_final(g, &mut p, &w, &cx.x);
    add(root, cx, p);
}

fn add(root: &mut Root, cx: &Cx<'_>, p: Path) {
    if let Some(r) = root.find_mut(cx.join) {
        r.add_partial(p);
    }
}

/// A merge join of sorted (or still to be sorted) sides.
pub fn merge(
    g: &Glob<'_>,
    root: &mut Root,
    cx: &Cx<'_>,
    o: &Rc<Path>,
    i: &Rc<Path>,
    keys: &Rc<[PathKey]>,
    clauses: &[Ri],
    outer_sort: &[PathKey],
    inner_sort: &[PathKey],
) {
    if !i.outer.is_empty() {
        return;
    }
    let (os, is) = (to_sort(o, outer_sort), to_sort(i, inner_sort));
    let w = merge_initial(g, root, cx.kind, clauses, o, i, os, is);
    if !root.find(cx.join).is_some_and(|r| gather::precheck_partial(r, w.total, keys)) {
        return;
    }
    let kind = merge_kind(join_path(cx, o, i, cx.x.clauses.clone()), clauses, os, is);
    let mut p = Path::new(kind, cx.join, cx.target.clone());
    p.rows = cx.rows;
    p.keys = keys.clone();
    share(g, &mut p);
    merge_final(g, root, &mut p, &w, &cx.x);
    add(root, cx, p);
}

/// Nested loops and merge joins without sorting the outer side.
pub fn unsorted_outer(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>, merge_ok: bool, inner: Option<Rc<Path>>) {
    let outers = outers(root, cx);
    if outers.is_empty() {
        return;
    }
    let Some(ir) = root.find(cx.inner) else { return };
    let (inners, cheapest) = (ir.cheapest_param.clone(), ir.cheapest_total.clone());
    let mut loops: Vec<Rc<Path>> = Vec::new();
    for i in inners.into_iter().filter(|i| i.safe) {
        if cx.uniq != Uniquify::Inner {
            loops.push(i);
        } else if cheapest.as_ref().is_some_and(|c| Rc::ptr_eq(c, &i))
            && let Some(u) = unique_path(g, root, cx.inner, cx.x.sji)
        {
            loops.push(u);
        }
    }
    let sorted_inner = match inner {
        Some(i) if i.safe => Some(i),
        _ => root.find(cx.inner).and_then(|r| gather::cheapest_safe(&r.paths)),
    };
    let merges = merge_ok && (g.ctx.settings.enable_mergejoin || cx.kind == JoinType::Full);
    for o in &outers {
        let keys = pathkeys::for_join(root, cx.join, cx.kind, &o.keys);
        for i in &loops {
            nestloop(g, root, cx, o, i, &keys);
            if let Some(m) = super::memoize::path(g, root, cx.outer, o, i, cx.kind, &cx.x) {
                nestloop(g, root, cx, o, &Rc::new(m), &keys);
            }
        }
    }
    let (Some(inner), true) = (sorted_inner, merges) else { return };
    for o in &outers {
        let keys = pathkeys::for_join(root, cx.join, cx.kind, &o.keys);
        merge_with_outer(g, root, cx, o, &inner, &keys, false, true);
    }
}

/// Hash joins, with a table for each process or one that they share.
pub fn hash(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>, clauses: &[Ri], inner: Option<&Rc<Path>>) {
    let outers = outers(root, cx);
    let Some(o) = outers.first() else { return };
    let shared = root.find(cx.inner).and_then(|r| r.partial.first().cloned());
    if let Some(i) = shared
        && cx.uniq != Uniquify::Inner
        && g.ctx.settings.enable_parallel_hash
    {
        one_hash(g, root, cx, clauses, o, &i, true);
    }
    if let Some(i) = safe_inner(root, cx, inner) {
        one_hash(g, root, cx, clauses, o, &i, false);
    }
}

fn one_hash(
    g: &Glob<'_>,
    root: &mut Root,
    cx: &Cx<'_>,
    clauses: &[Ri],
    o: &Rc<Path>,
    i: &Rc<Path>,
    shared: bool,
) {
    if !i.outer.is_empty() {
        return;
    }
    let w = hash_initial(g, o, i, clauses.len(), shared);
    if !root.find(cx.join).is_some_and(|r| gather::precheck_partial(r, w.total, &[])) {
        return;
    }
    let kind =
        PathKind::HashJoin { join: join_path(cx, o, i, cx.x.clauses.clone()), clauses: clauses.to_vec() };
    let mut p = Path::new(kind, cx.join, cx.target.clone());
    p.aware = shared;
    p.rows = cx.rows;
    share(g, &mut p);
    hash_final(g, root, &mut p, &w, &cx.x);
    add(root, cx, p);
}
