//! Join paths between two relations: nested loops, hash joins and merge joins, for every kind of join.

use super::{index::movable_into, partial_join, precheck};
use crate::cost;
use crate::cost::join::*;
use crate::exprs::*;
use crate::joinsearch::join_size;
use crate::path::*;
use crate::pathkeys;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity;
use analyze::expr::Expr;
use analyze::query::{JoinType, RteKind};
use std::rc::Rc;

/// Which side of a semi join is made unique, turning it into an inner join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uniquify {
    No,
    Outer,
    Inner,
}

/// A pair of relations to be joined.
pub struct Cx<'s> {
    pub join: Relids,
    /// Its place among the join relations.
    at: usize,
    pub outer: Relids,
    pub inner: Relids,
    pub kind: JoinType,
    pub uniq: Uniquify,
    pub x: JoinExtra<'s>,
    param_source: Relids,
    pub target: Rc<Target>,
    pub rows: f64,
    consider_startup: bool,
}

/// Adds all paths for `outer kind inner` to the join relation.
pub fn add_paths(
    g: &Glob<'_>,
    root: &mut Root,
    join: Relids,
    outer: Relids,
    inner: Relids,
    kind: JoinType,
    uniq: Uniquify,
    sji: &SpecialJoin,
    clauses: &[Ri],
) {
    let inner_unique = match (kind, uniq) {
        (JoinType::Semi, _) => false,
        (_, Uniquify::Inner) => sji.min_left.subset_of(outer),
        _ => is_unique(root, outer, inner, kind, clauses),
    };
    let mut x = JoinExtra {
        clauses: clauses.into(),
        merge_clauses: Vec::new(),
        sji,
        inner_unique,
        match_frac: 1.0,
        match_count: 1.0,
    };
    let outer_join = is_outer(kind);
    let mut merge_ok = true;
    if g.ctx.settings.enable_mergejoin || kind == JoinType::Full {
        for ri in clauses {
            if outer_join && pushed_down(ri, join) {
                continue;
            }
            let usable = ri.can_join && !ri.merge_families.is_empty() && sides_match(ri, outer, inner);
            if !usable {
                if matches!(kind, JoinType::Right | JoinType::Full)
                    && (bool_const(&ri.clause).is_none() || kind == JoinType::Right)
                {
                    merge_ok = false;
                }
                continue;
            }
            pathkeys::init_merge_ecs(g, root, ri);
            x.merge_clauses.push(ri.clone());
        }
    }
    if matches!(kind, JoinType::Semi | JoinType::Anti) || inner_unique {
        factors(g, root, outer, inner, kind, clauses, join, &mut x);
    }
    let mut param_source = Relids::EMPTY;
    for s in &root.sjis {
        if join.overlaps(s.min_right) && !join.overlaps(s.min_left) {
            param_source |= root.all_base.minus(s.min_right);
        }
        if s.kind == JoinType::Full && join.overlaps(s.min_left) && !join.overlaps(s.min_right) {
            param_source |= root.all_base.minus(s.min_left);
        }
    }
    let Some(&at) = root.join_index.get(&join) else { return };
    let jr = &root.join_rels[at];
    param_source |= jr.lateral;
    let cx = Cx {
        join,
        at,
        outer,
        inner,
        kind,
        uniq,
        x,
        param_source,
        target: jr.target.clone(),
        rows: jr.rows,
        consider_startup: jr.consider_startup,
    };
    if merge_ok && (g.ctx.settings.enable_mergejoin || kind == JoinType::Full) {
        sort_both(g, root, &cx);
    }
    unsorted_outer(g, root, &cx, merge_ok);
    if g.ctx.settings.enable_hashjoin || kind == JoinType::Full {
        hash(g, root, &cx);
    }
}

/// Are unmatched rows of some side kept (or the opposite asked for)?
pub fn is_outer(k: JoinType) -> bool {
    matches!(k, JoinType::Left | JoinType::Right | JoinType::Full | JoinType::Anti)
}

/// Does the clause act as a filter above the join rather than as its condition?
pub fn pushed_down(ri: &Ri, join: Relids) -> bool {
    ri.is_pushed_down || !ri.required_relids.subset_of(join)
}

/// Does the clause compare one side with the other?
pub fn sides_match(ri: &Ri, outer: Relids, inner: Relids) -> bool {
    (ri.left_relids.subset_of(outer) && ri.right_relids.subset_of(inner))
        || (ri.left_relids.subset_of(inner) && ri.right_relids.subset_of(outer))
}

fn factors(
    g: &Glob<'_>,
    root: &Root,
    outer: Relids,
    inner: Relids,
    kind: JoinType,
    clauses: &[Ri],
    join: Relids,
    x: &mut JoinExtra<'_>,
) {
    let list: Vec<Ri> = if is_outer(kind) {
        clauses.iter().filter(|r| !pushed_down(r, join)).cloned().collect()
    } else {
        clauses.to_vec()
    };
    let jk = if kind == JoinType::Anti { JoinType::Anti } else { JoinType::Semi };
    // For an inner join with a unique inner side this is the inner selectivity, as in PostgreSQL.
    // Selectivities are memoised per clause, whatever the join; these belong to this one, and so do the copies they are
    // memoised in. Those of inner joins are the same for all sides.
    let copies = |kind: JoinType, rels: Relids| -> Vec<Ri> {
        let copy = |r: &Ri| {
            let mut known = root.join_copies.borrow_mut();
            let copy = known.entry((r.serial, kind, rels)).or_insert_with(|| {
                let n = (**r).clone();
                n.outer_sel.set(-1.0);
                if n.norm_sel.get() <= 1.0 {
                    n.norm_sel.set(-1.0);
                }
                Rc::new(n)
            });
            copy.clone()
        };
        list.iter().map(copy).collect()
    };
    let rels = match x.sji.kind {
        JoinType::Inner => Relids::EMPTY,
        _ => x.sji.min_left | x.sji.min_right,
    };
    let jsel = selectivity::list_sel(g, root, &copies(x.sji.kind, rels), 0, jk, Some(x.sji));
    let norm = plain_join(outer, inner);
    let own = copies(JoinType::Inner, Relids::EMPTY);
    let nsel = selectivity::list_sel(g, root, &own, 0, JoinType::Inner, Some(&norm));
    let irows = root.find(inner).map_or(1.0, |r| r.rows);
    x.match_frac = jsel;
    x.match_count = if jsel > 0.0 { (nsel * irows / jsel).max(1.0) } else { 1.0 };
}

/// Is the inner relation unique for the join clauses: at most one match per outer row?
pub fn is_unique(root: &mut Root, outer: Relids, inner: Relids, kind: JoinType, clauses: &[Ri]) -> bool {
    let Some(rti) = inner.first().filter(|_| inner.is_single()) else { return false };
    let rel = root.rel(rti);
    if rel.unique_for.iter().any(|o| o.subset_of(outer)) {
        return true;
    }
    if rel.non_unique_for.contains(&outer) && kind == JoinType::Inner {
        return false;
    }
    let list: Vec<&Ri> = clauses
        .iter()
        .filter(|r| {
            !(is_outer(kind) && pushed_down(r, outer | inner))
                && r.can_join
                && !r.merge_families.is_empty()
                && sides_match(r, outer, inner)
        })
        .collect();
    let ok = unique_by(root, rti, &list);
    let rel = root.rel_mut(rti);
    if ok {
        rel.unique_for.push(outer);
    } else {
        rel.non_unique_for.insert(outer);
    }
    ok
}

/// Do equalities with these clauses pick at most one row of the relation?
pub fn unique_by(root: &Root, rti: u32, list: &[&Ri]) -> bool {
    if list.is_empty() {
        return false;
    }
    let rel = root.rel(rti);
    let own = Relids::single(rti);
    let inner_side = |r: &Ri| -> Option<Expr> {
        let Expr::Op(o) = &r.clause else { return None };
        Some(if r.right_relids == own { o.args[1].clone() } else { o.args[0].clone() })
    };
    if matches!(root.query.rte(rti).kind, RteKind::Subquery { .. }) {
        let cols: Vec<i16> = list
            .iter()
            .filter_map(|r| match inner_side(r)? {
                Expr::Var(v) => Some(v.attno),
                _ => None,
            })
            .collect();
        return match (&rel.subroot, &root.query.rte(rti).kind) {
            (Some(sub), _) => query_distinct_for(&sub.query, &sub.tlist, &cols),
            // Not planned yet.
            (None, RteKind::Subquery { query, .. }) => query_distinct_for(query, &query.target_list, &cols),
            _ => false,
        };
    }
    rel.indexes.iter().any(|ix| {
        ix.unique
            && ix.immediate
            && (ix.predicate.is_empty() || ix.pred_ok)
            && (0..ix.desc.num_key_atts as usize).all(|c| {
                let Some(key) = pathkeys::index_expr(root, rti, ix, c) else { return false };
                let fam = ix.desc.opfamilies[c];
                let coll = ix.desc.collations[c];
                let coll_ok =
                    |e: &Expr| !coll.is_valid() || matches!(e, Expr::Op(o) if o.input_collation == coll);
                list.iter().any(|r| {
                    r.merge_families.contains(&fam)
                        && coll_ok(&r.clause)
                        && inner_side(r).is_some_and(|e| equal(strip_relabel(&e), &key))
                }) || rel.base_clauses.iter().any(|r| {
                    let Expr::Op(o) = &r.clause else { return false };
                    r.merge_families.contains(&fam)
                        && coll_ok(&r.clause)
                        && o.args.len() == 2
                        && ((r.left_relids == own
                            && r.right_relids.is_empty()
                            && equal(strip_relabel(&o.args[0]), &key))
                            || (r.right_relids == own
                                && r.left_relids.is_empty()
                                && equal(strip_relabel(&o.args[1]), &key)))
                })
            })
    })
}

/// Does a query never give two rows with equal values in these columns?
pub fn query_distinct_for(
    q: &analyze::query::Query,
    tlist: &[analyze::expr::TargetEntry],
    cols: &[i16],
) -> bool {
    let col_of = |r: u32| {
        tlist.iter().filter(|t| !t.junk).position(|t| t.sort_group_ref == r && r != 0).map(|i| i as i16 + 1)
    };
    if !q.distinct.is_empty()
        && q.distinct.iter().all(|d| col_of(d.tle_ref).is_some_and(|c| cols.contains(&c)))
    {
        return true;
    }
    if q.has_target_srfs {
        return false;
    }
    if !q.group_clause.is_empty() && q.grouping_sets.is_empty() {
        return q.group_clause.iter().all(|d| col_of(d.tle_ref).is_some_and(|c| cols.contains(&c)));
    }
    if q.group_clause.is_empty() && q.grouping_sets.is_empty() && (q.has_aggs || q.having.is_some()) {
        return true;
    }
    if let Some(analyze::query::SetOpTree::Node(s)) = &q.set_operations
        && !s.all
    {
        return (1..=s.col_types.len() as i16).all(|c| cols.contains(&c));
    }
    false
}

/// The relation made unique on the semi join's columns; memoised.
pub fn unique_path(g: &Glob<'_>, root: &mut Root, relids: Relids, sji: &SpecialJoin) -> Option<Rc<Path>> {
    if let Some(p) = &root.find(relids)?.unique_path {
        return p.clone();
    }
    let p = make_unique(g, root, relids, sji).map(Rc::new);
    root.find_mut(relids)?.unique_path = Some(p.clone());
    p
}

fn make_unique(g: &Glob<'_>, root: &Root, relids: Relids, sji: &SpecialJoin) -> Option<Path> {
    if !(sji.semi_can_hash || sji.semi_can_sort) || sji.semi_operators.is_empty() {
        return None;
    }
    let rel = root.find(relids)?;
    let sub = rel.cheapest_total.clone().filter(|p| p.outer.is_empty())?;
    let kind = |method| PathKind::Unique {
        sub: sub.clone(),
        method,
        exprs: sji.semi_rhs.clone(),
        operators: sji.semi_operators.clone(),
    };
    let cols: Vec<i16> = sji
        .semi_rhs
        .iter()
        .filter_map(|e| match e {
            Expr::Var(v) if rte_no(v) == rel.rti => Some(v.attno),
            _ => None,
        })
        .collect();
    let already = if rel.rti == 0 {
        false
    } else if let Some(s) = &rel.subroot {
        query_distinct_for(&s.query, &s.tlist, &cols)
    } else {
        matches!(root.query.rte(rel.rti).kind, RteKind::Relation { .. })
            && rel.indexes.iter().any(|ix| {
                ix.unique
                    && ix.immediate
                    && (ix.predicate.is_empty() || ix.pred_ok)
                    && ix.desc.keys[..ix.desc.num_key_atts as usize]
                        .iter()
                        .all(|k| *k != 0 && cols.contains(k))
            })
    };
    if already {
        let mut p = Path::new(kind(UniqueMethod::Noop), relids, rel.target.clone());
        p = p.cost(rel.rows, sub.startup, sub.total);
        p.keys = sub.keys.clone();
        return Some(p);
    }
    let exprs: Vec<&Expr> = sji.semi_rhs.iter().collect();
    let rows = selectivity::num_groups(g, root, &exprs, rel.rows);
    let n = exprs.len();
    let width = sub.target.width;
    let sorted = sji.semi_can_sort.then(|| {
        let (s, t) = cost::sort::sort(g, sub.total, rel.rows, width, -1.0);
        (s, t + g.ctx.settings.cpu_operator_cost * rel.rows * n as f64)
    });
    let hashed = (sji.semi_can_hash
        && (f64::from(width) + 64.0) * rows <= g.ctx.settings.hash_mem_bytes()
        && g.ctx.settings.enable_hashagg)
        .then(|| {
            let (s, t, _) = cost::upper::agg(
                g,
                AggKind::Hashed,
                &cost::upper::AggCosts::default(),
                n,
                rows,
                sub.startup,
                sub.total,
                rel.rows,
                width,
                QualCost::default(),
                1.0,
                false,
            );
            (s, t)
        });
    let (method, (s, t)) = match (hashed, sorted) {
        (Some(h), Some(o)) if o.1 <= h.1 => (UniqueMethod::Sort, o),
        (Some(h), _) => (UniqueMethod::Hash, h),
        (None, Some(o)) => (UniqueMethod::Sort, o),
        _ => return None,
    };
    Some(Path::new(kind(method), relids, rel.target.clone()).cost(rows, s, t))
}

/// Cheapest total path of a side, made unique if the join asks for it.
fn side(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>, outer: bool) -> Option<Rc<Path>> {
    let rel = if outer { cx.outer } else { cx.inner };
    let want = if outer { Uniquify::Outer } else { Uniquify::Inner };
    if cx.uniq == want {
        return unique_path(g, root, rel, cx.x.sji);
    }
    root.find(rel)?.cheapest_total.clone()
}

fn add(root: &mut Root, cx: &Cx<'_>, p: Path) {
    root.join_rels[cx.at].add_path(p);
}

/// The join's clauses, and those that its parameters add.
fn with_extra(cx: &Cx<'_>, extra: Vec<Ri>) -> Rc<[Ri]> {
    if extra.is_empty() {
        return cx.x.clauses.clone();
    }
    cx.x.clauses.iter().cloned().chain(extra).collect()
}

fn param_ok(cx: &Cx<'_>, outer: Relids) -> bool {
    outer.is_empty() || outer.overlaps(cx.param_source)
}

/// Rows and extra clauses of a join path that itself needs outer relations.
fn join_param(
    g: &Glob<'_>,
    root: &mut Root,
    cx: &Cx<'_>,
    o: &Path,
    i: &Path,
    outer: Relids,
) -> (f64, Vec<Ri>, Option<Rc<ParamInfo>>) {
    if outer.is_empty() {
        return (cx.rows, Vec::new(), None);
    }
    let all = cx.join | outer;
    let mut extra: Vec<Ri> = Vec::new();
    if let Some(r) = root.find(cx.join) {
        let (oa, ia) = (o.rel | o.outer, i.rel | i.outer);
        for ri in &r.join_clauses {
            if movable_into(ri, cx.join, all) && !movable_into(ri, o.rel, oa) && !movable_into(ri, i.rel, ia)
            {
                extra.push(ri.clone());
            }
        }
    }
    let eq = crate::equivalence::join_clauses(g, root, all, outer, cx.join);
    let (oa, ia) = (o.rel | o.outer, i.rel | i.outer);
    for ri in eq {
        if !movable_into(&ri, o.rel, oa) && !movable_into(&ri, i.rel, ia) {
            extra.push(ri);
        }
    }
    let mut clauses = cx.x.clauses.to_vec();
    clauses.extend(extra.iter().cloned());
    let sides = ((cx.outer, o.rows), (cx.inner, i.rows));
    let rows = join_size(g, root, cx.join, sides.0, sides.1, cx.x.sji, &clauses).min(cx.rows);
    let pi = ParamInfo { outer, rows, clauses: extra.clone() };
    (rows, extra, Some(Rc::new(pi)))
}

fn try_nestloop(
    g: &Glob<'_>,
    root: &mut Root,
    cx: &Cx<'_>,
    o: &Rc<Path>,
    i: &Rc<Path>,
    keys: &Rc<[PathKey]>,
) {
    if i.outer.overlaps(cx.outer) && o.outer.overlaps(cx.inner) {
        return;
    }
    let req = i.outer.minus(o.rel) | o.outer;
    if !req.is_empty() {
        let star = i.outer.overlaps(cx.outer) && !i.outer.subset_of(cx.outer);
        if !param_ok(cx, req) && !star {
            return;
        }
        if req.overlaps(cx.join) {
            return;
        }
    }
    let w = nestloop_initial(g, cx.kind, o, i, &cx.x);
    if !precheck(&root.join_rels[cx.at].paths, cx.consider_startup, w.startup, w.total, keys, req) {
        return;
    }
    let (rows, extra, param) = join_param(g, root, cx, o, i, req);
    let mut clauses = with_extra(cx, extra);
    if i.outer.overlaps(o.rel) {
        let all = i.rel | i.outer;
        if clauses.iter().any(|r| movable_into(r, i.rel, all)) {
            clauses = clauses.iter().filter(|r| !movable_into(r, i.rel, all)).cloned().collect();
        }
    }
    let j = join_path(cx, o, i, clauses);
    let mut p = Path::keyed(PathKind::NestLoop(j), cx.join, cx.target.clone(), keys.clone());
    p.rows = rows;
    p.outer = req;
    p.param = param;
    nestloop_final(g, &mut p, &w, &cx.x);
    add(root, cx, p);
}

/// What a join of these two is made of.
pub fn join_path(cx: &Cx<'_>, o: &Rc<Path>, i: &Rc<Path>, clauses: Rc<[Ri]>) -> JoinPath {
    JoinPath { kind: cx.kind, outer: o.clone(), inner: i.clone(), clauses, inner_unique: cx.x.inner_unique }
}

/// The order a side has to be sorted in; empty where it comes so.
pub fn to_sort<'k>(side: &Path, wanted: &'k [PathKey]) -> &'k [PathKey] {
    if pathkeys::contained(wanted, &side.keys) { &[] } else { wanted }
}

/// A merge join; whether marks are needed is found out with its costs.
pub fn merge_kind(
    join: JoinPath,
    clauses: &[Ri],
    outer_sort: &[PathKey],
    inner_sort: &[PathKey],
) -> PathKind {
    PathKind::MergeJoin {
        join,
        clauses: clauses.to_vec(),
        outer_sort: outer_sort.to_vec(),
        inner_sort: inner_sort.to_vec(),
        skip_mark: false,
        materialize: false,
    }
}

fn try_merge(
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
    let req = o.outer | i.outer;
    if !param_ok(cx, req) || req.overlaps(cx.join) {
        return;
    }
    let (os, is) = (to_sort(o, outer_sort), to_sort(i, inner_sort));
    let w = merge_initial(g, root, cx.kind, clauses, o, i, os, is);
    if !precheck(&root.join_rels[cx.at].paths, cx.consider_startup, w.startup, w.total, keys, req) {
        return;
    }
    let (rows, extra, param) = join_param(g, root, cx, o, i, req);
    let all = with_extra(cx, extra);
    let kind = merge_kind(join_path(cx, o, i, all), clauses, os, is);
    let mut p = Path::keyed(kind, cx.join, cx.target.clone(), keys.clone());
    p.rows = rows;
    p.outer = req;
    p.param = param;
    merge_final(g, root, &mut p, &w, &cx.x);
    add(root, cx, p);
}

fn sort_both(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>) {
    let cross = cx.kind == JoinType::Full && cx.x.clauses.is_empty();
    if cx.x.merge_clauses.is_empty() && !cross {
        return;
    }
    let (Some(o), Some(i)) = (side(g, root, cx, true), side(g, root, cx, false)) else { return };
    if o.outer.overlaps(cx.inner) || i.outer.overlaps(cx.outer) {
        return;
    }
    if cross {
        // Without conditions every row matches: a merge join without keys.
        try_merge(g, root, cx, &o, &i, &Rc::from([]), &[], &[], &[]);
        return;
    }
    let partial = partial_join::outers(root, cx).into_iter().next();
    let partial = partial.and_then(|o| Some((o, partial_join::safe_inner(root, cx, Some(&i))?)));
    let all = pathkeys::outer_keys_for_merge(root, &cx.x.merge_clauses, cx.join, cx.outer);
    for n in 0..all.len() {
        let mut ok = all.clone();
        let k = ok.remove(n);
        ok.insert(0, k);
        let clauses = pathkeys::merge_clauses_for(&ok, &cx.x.merge_clauses, cx.outer);
        if matches!(cx.kind, JoinType::Right | JoinType::Full) && clauses.len() != cx.x.merge_clauses.len() {
            continue;
        }
        let ik = pathkeys::inner_keys_for_merge(root, &clauses, &ok, cx.outer);
        let keys: Rc<[PathKey]> = match pathkeys::kept(root, cx.join, cx.kind, &ok) {
            0 => root.no_keys.clone(),
            n => ok[..n].into(),
        };
        try_merge(g, root, cx, &o, &i, &keys, &clauses, &ok, &ik);
        if let Some((o, i)) = &partial {
            partial_join::merge(g, root, cx, o, i, &keys, &clauses, &ok, &ik);
        }
    }
}

/// Does the node keep its rows anyway, so that materialising gains nothing?
fn materializes(p: &Path) -> bool {
    matches!(
        p.kind,
        PathKind::Material { .. }
            | PathKind::Function { .. }
            | PathKind::Cte { .. }
            | PathKind::WorkTable { .. }
            | PathKind::Sort { .. }
    )
}

/// A Material node on a path.
pub fn material(g: &Glob<'_>, sub: &Rc<Path>) -> Path {
    let kind = PathKind::Material { sub: sub.clone() };
    let mut p = Path::keyed(kind, sub.rel, sub.target.clone(), sub.keys.clone());
    let (s, t) = cost::sort::material(g, sub.startup, sub.total, sub.rows, sub.target.width);
    p = p.cost(sub.rows, s, t);
    p.outer = sub.outer;
    p.param = sub.param.clone();
    p
}

fn unsorted_outer(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>, merge_ok: bool) {
    let nest_ok = !matches!(cx.kind, JoinType::Right | JoinType::Full);
    let use_all = !nest_ok;
    let Some(mut inner_total) = root.find(cx.inner).and_then(|r| r.cheapest_total.clone()) else { return };
    let mut have_inner = !inner_total.outer.overlaps(cx.outer);
    let mut mat = None;
    if cx.uniq == Uniquify::Inner {
        match unique_path(g, root, cx.inner, cx.x.sji) {
            Some(p) => {
                inner_total = p;
                have_inner = true;
            }
            None => return,
        }
    } else if nest_ok
        && g.ctx.settings.enable_material
        && inner_total.outer.is_empty()
        && !materializes(&inner_total)
    {
        mat = Some(Rc::new(material(g, &inner_total)));
    }
    let outers: Vec<Rc<Path>> = if cx.uniq == Uniquify::Outer {
        match unique_path(g, root, cx.outer, cx.x.sji) {
            Some(p) => vec![p],
            None => return,
        }
    } else {
        root.find(cx.outer).map_or_else(Vec::new, |r| r.paths.clone())
    };
    let inners = root.find(cx.inner).map_or_else(Vec::new, |r| r.cheapest_param.clone());
    for o in &outers {
        if o.outer.overlaps(cx.inner) {
            continue;
        }
        let keys = pathkeys::for_join(root, cx.join, cx.kind, &o.keys);
        if cx.uniq == Uniquify::Inner {
            try_nestloop(g, root, cx, o, &inner_total, &keys);
        } else if nest_ok {
            for i in &inners {
                try_nestloop(g, root, cx, o, i, &keys);
                if let Some(m) = super::memoize::path(g, root, cx.outer, o, i, cx.kind, &cx.x) {
                    try_nestloop(g, root, cx, o, &Rc::new(m), &keys);
                }
            }
            if let Some(m) = &mat {
                try_nestloop(g, root, cx, o, m, &keys);
            }
        }
        if !merge_ok
            || !have_inner
            || cx.uniq == Uniquify::Outer
            || !g.ctx.settings.enable_mergejoin && cx.kind != JoinType::Full
        {
            continue;
        }
        merge_with_outer(g, root, cx, o, &inner_total, &keys, use_all, false);
    }
    partial_join::unsorted_outer(g, root, cx, merge_ok, have_inner.then_some(inner_total));
}

/// Merge joins with an outer path's order; `partial`: of each process's share of it.
pub fn merge_with_outer(
    g: &Glob<'_>,
    root: &mut Root,
    cx: &Cx<'_>,
    o: &Rc<Path>,
    inner_total: &Rc<Path>,
    keys: &Rc<[PathKey]>,
    use_all: bool,
    partial: bool,
) {
    let clauses = pathkeys::merge_clauses_for(&o.keys, &cx.x.merge_clauses, cx.outer);
    if clauses.is_empty() || (use_all && clauses.len() != cx.x.merge_clauses.len()) {
        return;
    }
    let ik = pathkeys::inner_keys_for_merge(root, &clauses, &o.keys, cx.outer);
    let attempt = |root: &mut Root, i: &Rc<Path>, clauses: &[Ri], sort: &[PathKey]| {
        let f = if partial { partial_join::merge } else { try_merge };
        f(g, root, cx, o, i, keys, clauses, &[], sort);
    };
    attempt(root, inner_total, &clauses, &ik);
    if cx.uniq == Uniquify::Inner {
        return;
    }
    let mut best_total: Option<Rc<Path>> = None;
    let mut best_startup: Option<Rc<Path>> = None;
    if pathkeys::contained(&ik, &inner_total.keys) {
        best_total = Some(inner_total.clone());
        best_startup = Some(inner_total.clone());
    }
    for n in (1..=ik.len()).rev() {
        let trial = &ik[..n];
        let paths = root.find(cx.inner).map_or_else(Vec::new, |r| r.paths.clone());
        let paths: Vec<Rc<Path>> = paths.into_iter().filter(|p| !partial || p.safe).collect();
        let newc =
            if n < ik.len() { pathkeys::trim_for_inner(&clauses, trial, cx.outer) } else { clauses.clone() };
        if let Some(p) = pathkeys::cheapest_with(&paths, trial, Relids::EMPTY, false)
            && best_total.as_ref().is_none_or(|b| p.total < b.total)
        {
            attempt(root, p, &newc, &[]);
            best_total = Some(p.clone());
        }
        if let Some(p) = pathkeys::cheapest_with(&paths, trial, Relids::EMPTY, true)
            && best_startup.as_ref().is_none_or(|b| p.startup < b.startup)
        {
            if !best_total.as_ref().is_some_and(|b| Rc::ptr_eq(b, p)) {
                attempt(root, p, &newc, &[]);
            }
            best_startup = Some(p.clone());
        }
        if use_all {
            break;
        }
    }
}

fn hash(g: &Glob<'_>, root: &mut Root, cx: &Cx<'_>) {
    let outer_join = is_outer(cx.kind);
    let clauses: Vec<Ri> =
        cx.x.clauses
            .iter()
            .filter(|r| {
                !(outer_join && pushed_down(r, cx.join))
                    && r.can_join
                    && r.hash_op.is_valid()
                    && sides_match(r, cx.outer, cx.inner)
            })
            .cloned()
            .collect();
    if clauses.is_empty() {
        return;
    }
    let mut pairs: Vec<(Rc<Path>, Rc<Path>)> = Vec::new();
    let mut total_inner = root.find(cx.inner).and_then(|r| r.cheapest_total.clone());
    match cx.uniq {
        Uniquify::No => {
            let (Some(o), Some(i)) = (root.find(cx.outer), root.find(cx.inner)) else { return };
            if let (Some(os), Some(it)) = (&o.cheapest_startup, &i.cheapest_total) {
                pairs.push((os.clone(), it.clone()));
            }
            for a in &o.cheapest_param {
                if a.outer.overlaps(cx.inner) {
                    continue;
                }
                for b in &i.cheapest_param {
                    if b.outer.overlaps(cx.outer)
                        || pairs.iter().any(|p| Rc::ptr_eq(&p.0, a) && Rc::ptr_eq(&p.1, b))
                    {
                        continue;
                    }
                    pairs.push((a.clone(), b.clone()));
                }
            }
        }
        _ => {
            let (Some(o), Some(i)) = (side(g, root, cx, true), side(g, root, cx, false)) else { return };
            pairs.push((o.clone(), i.clone()));
            total_inner = Some(i.clone());
            if cx.uniq == Uniquify::Inner
                && let Some(s) = root.find(cx.outer).and_then(|r| r.cheapest_startup.clone())
                && !Rc::ptr_eq(&s, &o)
            {
                pairs.push((s, i));
            }
        }
    }
    let none = root.no_keys.clone();
    for (o, i) in pairs {
        let req = o.outer | i.outer;
        if !param_ok(cx, req) || req.overlaps(cx.join) {
            continue;
        }
        let w = hash_initial(g, &o, &i, clauses.len(), false);
        if !precheck(&root.join_rels[cx.at].paths, cx.consider_startup, w.startup, w.total, &none, req) {
            continue;
        }
        let (rows, extra, param) = join_param(g, root, cx, &o, &i, req);
        let all = with_extra(cx, extra);
        let join =
            JoinPath { kind: cx.kind, outer: o, inner: i, clauses: all, inner_unique: cx.x.inner_unique };
        let mut p = Path::keyed(
            PathKind::HashJoin { join, clauses: clauses.clone() },
            cx.join,
            cx.target.clone(),
            none.clone(),
        );
        p.rows = rows;
        p.outer = req;
        p.param = param;
        hash_final(g, root, &mut p, &w, &cx.x);
        add(root, cx, p);
    }
    partial_join::hash(g, root, cx, &clauses, total_inner.as_ref());
}
