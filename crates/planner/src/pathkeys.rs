//! Sort orders: making them from ORDER BY and from indexes, comparing them, finding which are worth keeping.

use crate::equivalence::get_for_sort_expr;
use crate::exprs::collation_of;
use crate::initsplan::merge_families;
use crate::path::{Path, PathKey};
use crate::relids::Relids;
use crate::relinfo::BTREE_AM;
use crate::root::*;
use analyze::expr::*;
use analyze::query::JoinType;
use common::Oid;
use std::cmp::Ordering;
use std::rc::Rc;

/// What an ordering operator means: family, input type, descending.
pub fn ordering_op(g: &Glob<'_>, op: Oid) -> Option<(Oid, Oid, bool)> {
    let list = g.ctx.catalog.amops_of(op).ok()?;
    list.iter()
        .find(|a| a.method == BTREE_AM && a.left == a.right && (a.strategy == 1 || a.strategy == 5))
        .map(|a| (a.family, a.left, a.strategy == 5))
}

/// The path key of one sort expression.
pub fn from_sort_op(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    sortop: Oid,
    nulls_first: bool,
    sort_ref: u32,
    create: bool,
) -> Option<PathKey> {
    let (family, intype, desc) = ordering_op(g, sortop)?;
    from_family(g, root, expr, family, intype, collation_of(expr), desc, nulls_first, sort_ref, create)
}

/// The path key of an expression ordered by an operator family.
pub fn from_family(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    family: Oid,
    intype: Oid,
    collation: Oid,
    desc: bool,
    nulls_first: bool,
    sort_ref: u32,
    create: bool,
) -> Option<PathKey> {
    let eqop = g.ctx.catalog.amop(family, intype, intype, 3).ok().flatten()?;
    let fams = merge_families(g, eqop);
    let nullable = root.nullable_base;
    let ec = get_for_sort_expr(g, root, expr, nullable, &fams, intype, collation, sort_ref, create)?;
    Some(PathKey { ec, family, desc, nulls_first })
}

/// Would the key add nothing to the list? What is constant below an outer join may be null above it.
pub fn redundant(root: &Root, k: &PathKey, list: &[PathKey]) -> bool {
    let ec = &root.ecs[k.ec];
    (ec.has_const && !ec.below_outer_join) || list.iter().any(|o| o.ec == k.ec)
}

/// Path keys of sort clauses; `None` if one cannot be sorted.
pub fn for_clauses(
    g: &Glob<'_>,
    root: &mut Root,
    clauses: &[SortGroupClause],
    tlist: &[TargetEntry],
) -> Option<Vec<PathKey>> {
    let mut out = Vec::new();
    for c in clauses {
        let e = tlist.iter().find(|t| t.sort_group_ref == c.tle_ref)?;
        let k = from_sort_op(g, root, &e.expr, c.sortop, c.nulls_first, c.tle_ref, true)?;
        if !redundant(root, &k, &out) {
            out.push(k);
        }
    }
    Some(out)
}

/// The order an index scan gives.
pub fn for_index(g: &Glob<'_>, root: &mut Root, rti: u32, ix: &IndexInfo, backward: bool) -> Vec<PathKey> {
    let mut out = Vec::new();
    for c in 0..ix.desc.num_key_atts as usize {
        let Some(expr) = index_expr(root, rti, ix, c) else { break };
        let opt = ix.desc.options.get(c).copied().unwrap_or(0);
        let (mut desc, mut nf) = (opt & 1 != 0, opt & 2 != 0);
        if backward {
            desc = !desc;
            nf = !nf;
        }
        let k = from_family(
            g,
            root,
            &expr,
            ix.desc.opfamilies[c],
            ix.desc.opcintypes[c],
            ix.desc.collations[c],
            desc,
            nf,
            0,
            false,
        );
        match k {
            Some(k) => {
                if !redundant(root, &k, &out) {
                    out.push(k);
                }
            }
            None => break,
        }
    }
    out
}

/// The expression of an index column.
pub fn index_expr(root: &Root, rti: u32, ix: &IndexInfo, col: usize) -> Option<Expr> {
    let k = *ix.desc.keys.get(col)?;
    if k != 0 {
        let rel = root.rel(rti).relation.as_ref()?;
        let a = rel.desc.attrs.get(k as usize - 1)?;
        return Some(Expr::Var(Var {
            varno: VarNo::Rte(rti),
            attno: k,
            vartype: a.type_oid,
            typmod: a.typmod,
            collation: a.collation,
            levels_up: 0,
            syn: (0, 0),
            location: None,
        }));
    }
    let n = ix.desc.keys[..col].iter().filter(|k| **k == 0).count();
    ix.exprs.get(n).cloned()
}

/// Is `a` a prefix of `b`?
pub fn contained(a: &[PathKey], b: &[PathKey]) -> bool {
    b.len() >= a.len() && a == &b[..a.len()]
}

/// Length of the common prefix.
pub fn common(a: &[PathKey], b: &[PathKey]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// `Greater`: a is longer and starts with b; `None`: neither contains the other.
pub fn compare(a: &[PathKey], b: &[PathKey]) -> Option<Ordering> {
    if a.len() == b.len() && std::ptr::eq(a.as_ptr(), b.as_ptr()) {
        return Some(Ordering::Equal);
    }
    let n = common(a, b);
    match (n == a.len(), n == b.len()) {
        (true, true) => Some(Ordering::Equal),
        (false, true) => Some(Ordering::Greater),
        (true, false) => Some(Ordering::Less),
        _ => None,
    }
}

/// The part of an order that something above can use.
pub fn truncate_useless(root: &Root, rel: Relids, keys: &[PathKey]) -> Vec<PathKey> {
    keys[..useful(root, rel, keys)].to_vec()
}

fn useful(root: &Root, rel: Relids, keys: &[PathKey]) -> usize {
    useful_for_merging(root, rel, keys).max(useful_for_ordering(root, keys))
}

/// Could any order of the relation be of use?
pub fn any_useful(root: &Root, rel: &RelInfo) -> bool {
    !rel.join_clauses.is_empty() || rel.has_eclass_joins || !root.query_pathkeys.is_empty()
}

fn useful_for_ordering(root: &Root, keys: &[PathKey]) -> usize {
    common(&root.query_pathkeys, keys)
}

/// Joins are merged in the direction the query's own order asks for, else upwards: one of the two directions is enough.
fn merges_that_way(root: &Root, key: &PathKey) -> bool {
    let wanted = root.query_pathkeys.iter().find(|q| q.ec == key.ec && q.family == key.family);
    key.desc == wanted.is_some_and(|q| q.desc)
}

fn useful_for_merging(root: &Root, relids: Relids, keys: &[PathKey]) -> usize {
    let mut n = 0;
    for k in keys {
        if !merges_that_way(root, k) {
            break;
        }
        let ec = &root.ecs[k.ec];
        let by_ec = ec.members.len() > 1
            && !ec.has_const
            && !ec.relids.subset_of(relids)
            && ec.members.iter().any(|m| !m.relids.is_empty() && !m.relids.overlaps(relids));
        let matched = by_ec
            || relids.iter().any(|r| {
                root.base.get(r as usize).and_then(|b| b.as_ref()).is_some_and(|b| {
                    b.join_clauses.iter().any(|ri| {
                        !ri.merge_families.is_empty()
                            && !ri.required_relids.subset_of(relids)
                            && (ri.left_ec.get().map(|e| root.ec_id(e)) == Some(k.ec)
                                || ri.right_ec.get().map(|e| root.ec_id(e)) == Some(k.ec))
                    })
                })
            });
        if !matched {
            break;
        }
        n += 1;
    }
    n
}

/// The order a join keeps from its outer side.
pub fn for_join(root: &Root, join: Relids, kind: JoinType, outer: &Rc<[PathKey]>) -> Rc<[PathKey]> {
    match kept(root, join, kind, outer) {
        0 => root.no_keys.clone(),
        n if n == outer.len() => outer.clone(),
        n => outer[..n].into(),
    }
}

/// How many keys of its outer side's order a join keeps.
pub fn kept(root: &Root, join: Relids, kind: JoinType, outer: &[PathKey]) -> usize {
    if matches!(kind, JoinType::Full | JoinType::Right) || outer.is_empty() {
        return 0;
    }
    useful(root, join, outer)
}

/// Classes of both sides of a merge clause, made on demand for clauses outside the classes.
pub fn init_merge_ecs(g: &Glob<'_>, root: &mut Root, ri: &Ri) {
    if ri.merge_families.is_empty() {
        return;
    }
    if ri.left_ec.get().is_none()
        && let Expr::Op(o) = &ri.clause
        && let Ok(d) = g.ctx.catalog.operator(o.opno)
    {
        let n = ri.nullable_relids;
        let l =
            get_for_sort_expr(g, root, &o.args[0], n, &ri.merge_families, d.left, o.input_collation, 0, true);
        let r = get_for_sort_expr(
            g,
            root,
            &o.args[1],
            n,
            &ri.merge_families,
            d.right,
            o.input_collation,
            0,
            true,
        );
        ri.left_ec.set(l);
        ri.right_ec.set(r);
    }
    ri.left_ec.set(ri.left_ec.get().map(|e| root.ec_id(e)));
    ri.right_ec.set(ri.right_ec.get().map(|e| root.ec_id(e)));
}

/// (outer class, inner class) of a merge clause.
pub fn clause_ecs(ri: &Ri, outer: Relids) -> Option<(usize, usize)> {
    let (l, r) = (ri.left_ec.get()?, ri.right_ec.get()?);
    Some(if ri.left_relids.subset_of(outer) { (l, r) } else { (r, l) })
}

/// Merge clauses usable with an outer order, in its order.
pub fn merge_clauses_for(keys: &[PathKey], clauses: &[Ri], outer: Relids) -> Vec<Ri> {
    let mut out: Vec<Ri> = Vec::new();
    for k in keys {
        let before = out.len();
        for c in clauses {
            if clause_ecs(c, outer).is_some_and(|(o, _)| o == k.ec) && !out.iter().any(|x| Rc::ptr_eq(x, c)) {
                out.push(c.clone());
            }
        }
        if out.len() == before {
            break;
        }
    }
    out
}

/// An outer order for a sort-merge join on the clauses; prefers one that serves the query's order.
pub fn outer_keys_for_merge(root: &Root, clauses: &[Ri], join: Relids, outer: Relids) -> Vec<PathKey> {
    let mut ecs: Vec<(usize, usize)> = Vec::new();
    for c in clauses {
        let Some((o, _)) = clause_ecs(c, outer) else { continue };
        if ecs.iter().any(|e| e.0 == o) {
            continue;
        }
        let ec = &root.ecs[o];
        let score = ec.members.iter().filter(|m| !m.relids.is_empty() && !m.relids.overlaps(join)).count();
        ecs.push((o, score));
    }
    let mut out: Vec<PathKey> = Vec::new();
    if !root.query_pathkeys.is_empty() && root.query_pathkeys.iter().all(|k| ecs.iter().any(|e| e.0 == k.ec))
    {
        out = root.query_pathkeys.clone();
        ecs.retain(|e| !out.iter().any(|k| k.ec == e.0));
    }
    while !ecs.is_empty() {
        let mut best = 0;
        for i in 1..ecs.len() {
            if ecs[i].1 > ecs[best].1 {
                best = i;
            }
        }
        let e = ecs.remove(best).0;
        let k = PathKey { ec: e, family: root.ecs[e].families[0], desc: false, nulls_first: false };
        if !redundant(root, &k, &out) {
            out.push(k);
        }
    }
    out
}

/// The inner order that matches the outer order through the clauses.
pub fn inner_keys_for_merge(
    root: &Root,
    clauses: &[Ri],
    outer_keys: &[PathKey],
    outer: Relids,
) -> Vec<PathKey> {
    let mut out: Vec<PathKey> = Vec::new();
    for c in clauses {
        let Some((o, i)) = clause_ecs(c, outer) else { continue };
        let Some(k) = outer_keys.iter().find(|k| k.ec == o) else { continue };
        let k = PathKey { ec: i, ..*k };
        if !redundant(root, &k, &out) {
            out.push(k);
        }
    }
    out
}

/// Merge clauses whose inner order is given by a shorter inner order.
pub fn trim_for_inner(clauses: &[Ri], keys: &[PathKey], outer: Relids) -> Vec<Ri> {
    let mut out: Vec<Ri> = Vec::new();
    let mut k = 0;
    for c in clauses {
        let Some((_, i)) = clause_ecs(c, outer) else { break };
        if keys.get(k).is_some_and(|x| x.ec == i) {
            out.push(c.clone());
        } else if !out.is_empty() && keys.get(k + 1).is_some_and(|x| x.ec == i) {
            k += 1;
            out.push(c.clone());
        } else {
            break;
        }
    }
    out
}

/// A sub-query's order in terms of its columns as the parent sees them.
pub fn from_subquery(g: &Glob<'_>, root: &mut Root, rti: u32, sub: &Root, keys: &[PathKey]) -> Vec<PathKey> {
    let mut out = Vec::new();
    for k in keys {
        let ec = &sub.ecs[k.ec];
        let mut found = None;
        for m in &ec.members {
            if m.is_const && !ec.has_volatile {
                continue;
            }
            let col = sub.tlist.iter().filter(|t| !t.junk).position(|t| {
                crate::equivalence::canonical_expr(&t.expr, m.datatype, ec.collation) == m.expr
            });
            let Some(col) = col else { continue };
            let rte = root.query.rte(rti);
            let v = Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno: col as i16 + 1,
                vartype: rte.col_types.get(col).copied().unwrap_or(m.datatype),
                typmod: rte.col_typmods.get(col).copied().unwrap_or(-1),
                collation: rte.col_collations.get(col).copied().unwrap_or(ec.collation),
                levels_up: 0,
                syn: (0, 0),
                location: None,
            });
            let nullable = root.nullable_base;
            found =
                get_for_sort_expr(g, root, &v, nullable, &ec.families, m.datatype, ec.collation, 0, false)
                    .map(|e| PathKey { ec: e, ..*k });
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(k) => {
                if !redundant(root, &k, &out) {
                    out.push(k);
                }
            }
            None => break,
        }
    }
    out
}

/// The cheapest path (by total or startup cost) with an order and no parameters beyond `outer`.
pub fn cheapest_with<'p>(
    paths: &'p [Rc<Path>],
    keys: &[PathKey],
    outer: Relids,
    startup: bool,
) -> Option<&'p Rc<Path>> {
    let mut best: Option<&Rc<Path>> = None;
    for p in paths {
        if !contained(keys, &p.keys) || !p.outer.subset_of(outer) {
            continue;
        }
        let cost = |p: &Path| if startup { (p.startup, p.total) } else { (p.total, p.startup) };
        if best.is_none_or(|b| cost(p) < cost(b)) {
            best = Some(p);
        }
    }
    best
}
