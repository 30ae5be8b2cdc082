//! Memoize paths: the inner side of a nested loop behind a cache of its results by parameter values. When one is possible
//! and what it costs are PostgreSQL's rules.

use crate::cost::byte_size;
use crate::cost::join::JoinExtra;
use crate::exprs::{contains_volatile, equal, type_of};
use crate::path::{Path, PathKind};
use crate::paths::join::sides_match;
use crate::relids::Relids;
use crate::relinfo::{BTREE_AM, HASH_AM};
use crate::root::*;
use crate::selectivity::groups::num_groups_known;
use analyze::expr::Expr;
use analyze::query::JoinType;
use common::Oid;
use std::rc::Rc;
use types::oids;

/// Bytes an entry takes besides its rows, and each row besides its values (PostgreSQL's structures).
const ENTRY_BYTES: f64 = 48.0;
const ROW_BYTES: f64 = 16.0;

/// A cache over `inner` for a nested loop below `outer`, if there can be one.
pub fn path(
    g: &Glob<'_>,
    root: &Root,
    outer_rel: Relids,
    outer: &Path,
    inner: &Rc<Path>,
    kind: JoinType,
    x: &JoinExtra<'_>,
) -> Option<Path> {
    let rti = inner.rel.first().filter(|_| inner.rel.is_single())?;
    if !g.ctx.settings.enable_memoize || root.find(outer_rel)?.rows < 2.0 {
        return None;
    }
    let rel = root.rel(rti);
    let clauses: &[Ri] = inner.param.as_ref().map_or(&[], |p| &p.clauses);
    if clauses.is_empty() && rel.lateral_vars.is_empty() {
        return None;
    }
    if !x.inner_unique && matches!(kind, JoinType::Semi | JoinType::Anti) {
        return None;
    }
    // A loop that stops at the first match would leave the result of the others unread.
    if x.inner_unique && clauses.len() < x.clauses.len() {
        return None;
    }
    let volatile = |e: &Expr| contains_volatile(g.ctx, e);
    if rel.target.exprs.iter().any(volatile)
        || rel.base_clauses.iter().chain(clauses).any(|r| volatile(&r.clause))
    {
        return None;
    }
    let (exprs, binary) = keys(g, rel, outer_rel, clauses)?;
    let s = g.ctx.settings;
    let calls = outer.rows;
    let (rescan, entries) = rescan_cost(g, root, inner, &exprs, calls);
    let kind =
        PathKind::Memoize { sub: inner.clone(), exprs, single: x.inner_unique, binary, entries, rescan };
    let mut p = inner.with_kind(kind);
    p.startup = inner.startup + s.cpu_tuple_cost;
    p.total = inner.total + s.cpu_tuple_cost;
    Some(p)
}

/// Can values of the type be looked up: has it a hash function and an equality?
fn hashable(g: &Glob<'_>, ty: Oid) -> bool {
    if matches!(
        ty,
        oids::INT2 | oids::INT4 | oids::INT8 | oids::TEXT | oids::NUMERIC | oids::DATE | oids::BPCHAR
    ) {
        return true;
    }
    [HASH_AM, BTREE_AM].iter().all(|am| g.ctx.catalog.default_opclass(*am, ty).is_ok_and(|c| c.is_some()))
}

/// The outer expressions the inner side depends on; whether they must be compared bit by bit.
fn keys(g: &Glob<'_>, rel: &RelInfo, outer: Relids, clauses: &[Ri]) -> Option<(Vec<Expr>, bool)> {
    let mut out: Vec<Expr> = Vec::new();
    let mut binary = false;
    for ri in clauses {
        let Expr::Op(o) = &ri.clause else { return None };
        if !ri.can_join || !sides_match(ri, outer, rel.relids) {
            return None;
        }
        let e = if ri.left_relids.subset_of(outer) { &o.args[0] } else { &o.args[1] };
        if !hashable(g, type_of(e)) {
            return None;
        }
        if !out.iter().any(|x| equal(x, e)) {
            out.push(e.clone());
        }
        // Another operator may tell values apart that this equality does not.
        binary |= !ri.hash_op.is_valid();
    }
    for e in &rel.lateral_vars {
        if !hashable(g, type_of(e)) {
            return None;
        }
        if !out.iter().any(|x| equal(x, e)) {
            out.push(e.clone());
        }
        binary = true;
    }
    Some((out, binary))
}

/// (startup, total) of one more scan through the cache, and the number of results it will hold.
fn rescan_cost(g: &Glob<'_>, root: &Root, sub: &Path, exprs: &[Expr], calls: f64) -> ((f64, f64), f64) {
    let s = g.ctx.settings;
    let tuples = sub.rows;
    let entry = byte_size(tuples, sub.target.width) + ENTRY_BYTES + ROW_BYTES * tuples;
    let room = (s.hash_mem_bytes() / entry).floor();
    let list: Vec<&Expr> = exprs.iter().collect();
    // A guess at the number of values is no ground to expect hits.
    let distinct = match num_groups_known(g, root, &list, calls) {
        (n, true) => n,
        _ => calls,
    };
    let evict = 1.0 - room.min(distinct) / distinct;
    let hit = (calls - distinct) / calls * (room / distinct.max(room));
    let total = sub.total * (1.0 - hit)
        + s.cpu_operator_cost
        + s.cpu_tuple_cost * evict
        + s.cpu_operator_cost / 10.0 * evict * tuples
        + s.cpu_tuple_cost
        + s.cpu_operator_cost * tuples;
    let startup = sub.startup * (1.0 - hit) + s.cpu_tuple_cost;
    ((startup, total), distinct.min(room))
}
