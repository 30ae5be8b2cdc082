//! The order of joins: dynamic programming over sets of relations. Where there are too many ([`greedy`]) the pairs with the
//! smallest results are joined first.

mod greedy;

use crate::equivalence;
use crate::exprs::*;
use crate::initsplan::JoinList;
use crate::parallel::{gather, safety};
use crate::path::*;
use crate::paths::join::{Uniquify, add_paths, is_outer, pushed_down, unique_path};
use crate::paths::set_cheapest;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity;
use analyze::expr::Expr;
use analyze::query::JoinType;
use common::{Error, Result};
use std::rc::Rc;

/// Solves a join problem; returns the relation set joined.
pub fn search(g: &Glob<'_>, root: &mut Root, list: &[JoinList]) -> Result<Relids> {
    let mut items = Vec::new();
    for l in list {
        items.push(match l {
            JoinList::Rel(n) => Relids::single(*n),
            JoinList::List(v) => search(g, root, v)?,
        });
    }
    match items.len() {
        0 => Ok(Relids::EMPTY),
        1 => Ok(items[0]),
        n if g.ctx.settings.geqo
            && n >= g.ctx.settings.geqo_threshold
            && greedy::too_many(root, &items, g.ctx.settings.geqo_effort) =>
        {
            greedy::search(g, root, items)
        }
        _ => dynamic(g, root, items),
    }
}

fn dynamic(g: &Glob<'_>, root: &mut Root, items: Vec<Relids>) -> Result<Relids> {
    let n = items.len();
    let mut levels: Vec<Vec<Relids>> = vec![Vec::new(); n + 1];
    levels[1] = items.clone();
    for level in 2..=n {
        let mut made: Vec<Relids> = Vec::new();
        for (i, &old) in levels[level - 1].clone().iter().enumerate() {
            let others: Vec<Relids> = if level == 2 { items[i + 1..].to_vec() } else { items.clone() };
            let joined = has_joins(root, old);
            for o in if joined { others } else { items.clone() } {
                if o.overlaps(old) || (joined && !relevant(root, old, o) && !order_restricted(root, old, o)) {
                    continue;
                }
                make_join(g, root, old, o, &mut made)?;
            }
        }
        for k in 2.. {
            let other = level - k.min(level);
            if k > other {
                break;
            }
            for (i, &a) in levels[k].clone().iter().enumerate() {
                if !has_joins(root, a) {
                    continue;
                }
                let list: Vec<Relids> =
                    if k == other { levels[other][i + 1..].to_vec() } else { levels[other].clone() };
                for b in list {
                    if !a.overlaps(b) && (relevant(root, a, b) || order_restricted(root, a, b)) {
                        make_join(g, root, a, b, &mut made)?;
                    }
                }
            }
        }
        if made.is_empty() {
            for &old in &levels[level - 1].clone() {
                for &o in &items {
                    if !o.overlaps(old) {
                        make_join(g, root, old, o, &mut made)?;
                    }
                }
            }
        }
        for r in &made {
            if *r != root.all_base {
                gather::of_rel(g, root, *r);
            }
            if let Some(rel) = root.find_mut(*r) {
                set_cheapest(rel);
            }
        }
        levels[level] = made;
    }
    levels[n].first().copied().ok_or_else(|| Error::internal("failed to build any join"))
}

fn has_joins(root: &Root, r: Relids) -> bool {
    root.find(r).is_some_and(|x| !x.join_clauses.is_empty() || x.has_eclass_joins)
        || root.sjis.iter().any(|s| {
            if s.kind == JoinType::Full || (s.min_left.subset_of(r) && s.min_right.subset_of(r)) {
                return false;
            }
            r.overlaps(s.min_left) || r.overlaps(s.min_right)
        })
        || root.has_lateral
}

/// Is there a clause between the two?
fn relevant(root: &Root, a: Relids, b: Relids) -> bool {
    let (Some(x), Some(y)) = (root.find(a), root.find(b)) else { return false };
    let (list, other) = if x.join_clauses.len() <= y.join_clauses.len() { (x, b) } else { (y, a) };
    list.join_clauses.iter().any(|r| r.required_relids.overlaps(other))
        || (x.has_eclass_joins && y.has_eclass_joins && equivalence::relevant(root, a, b))
}

/// Must the two be joined directly because of an outer join or a lateral reference?
fn order_restricted(root: &Root, a: Relids, b: Relids) -> bool {
    if root.has_lateral {
        let l = |r: Relids| r.iter().fold(Relids::EMPTY, |s, x| s | root.rel(x).lateral);
        if l(a).overlaps(b) || l(b).overlaps(a) {
            return true;
        }
    }
    root.sjis.iter().any(|s| {
        if s.kind == JoinType::Full {
            return false;
        }
        (s.min_left.subset_of(a) && s.min_right.subset_of(b))
            || (s.min_left.subset_of(b) && s.min_right.subset_of(a))
            || (s.min_right.overlaps(a) && s.min_right.overlaps(b))
            || (s.min_left.overlaps(a) && s.min_left.overlaps(b))
    })
}

struct Legal {
    /// Number of the special join it is.
    sji: Option<usize>,
    reversed: bool,
}

fn legal(g: &Glob<'_>, root: &mut Root, a: Relids, b: Relids) -> Option<Legal> {
    let join = a | b;
    let mut found: Option<(usize, bool)> = None;
    let mut unique_ified = false;
    let mut must_left = false;
    for i in 0..root.sjis.len() {
        let s = &root.sjis[i];
        if !s.min_right.overlaps(join) || join.subset_of(s.min_right) {
            continue;
        }
        if (s.min_left.subset_of(a) && s.min_right.subset_of(a))
            || (s.min_left.subset_of(b) && s.min_right.subset_of(b))
        {
            continue;
        }
        if s.kind == JoinType::Semi
            && ((s.syn_right.subset_of(a) && s.syn_right != a)
                || (s.syn_right.subset_of(b) && s.syn_right != b))
        {
            continue;
        }
        let hit = if s.min_left.subset_of(a) && s.min_right.subset_of(b) {
            Some(false)
        } else if s.min_left.subset_of(b) && s.min_right.subset_of(a) {
            Some(true)
        } else if s.kind == JoinType::Semi && (s.syn_right == b || s.syn_right == a) {
            let (right, sji) = (s.syn_right, s.clone());
            let unique = unique_path(g, root, right, &sji).is_some();
            unique_ified |= unique;
            unique.then_some(right == a)
        } else {
            None
        };
        let s = &root.sjis[i];
        match hit {
            Some(rev) => {
                if found.is_some() {
                    return None;
                }
                found = Some((i, rev));
            }
            None => {
                if a.overlaps(s.min_right) && b.overlaps(s.min_right) {
                    continue;
                }
                if s.kind != JoinType::Left || join.overlaps(s.min_left) {
                    return None;
                }
                must_left = true;
            }
        }
    }
    if must_left && !found.is_some_and(|f| root.sjis[f.0].kind == JoinType::Left && root.sjis[f.0].lhs_strict)
    {
        return None;
    }
    if root.has_lateral {
        let l = |r: Relids| r.iter().fold(Relids::EMPTY, |s, x| s | root.rel(x).lateral);
        let (fwd, rev) = (l(b).overlaps(a), l(a).overlaps(b));
        if fwd && rev {
            return None;
        }
        if let Some((s, r)) = found
            && ((fwd && (r || unique_ified || root.sjis[s].kind == JoinType::Full))
                || (rev && (!r || unique_ified || root.sjis[s].kind == JoinType::Full)))
        {
            return None;
        }
    }
    Some(match found {
        Some((s, r)) => Legal { sji: Some(s), reversed: r },
        None => Legal { sji: None, reversed: false },
    })
}

fn make_join(g: &Glob<'_>, root: &mut Root, a: Relids, b: Relids, made: &mut Vec<Relids>) -> Result<()> {
    g.check_interrupts()?;
    let Some(l) = legal(g, root, a, b) else { return Ok(()) };
    let (a, b) = if l.reversed { (b, a) } else { (a, b) };
    let sji = l.sji.map_or_else(|| crate::cost::join::plain_join(a, b), |i| root.sjis[i].clone());
    let join = a | b;
    let clauses = restrictions(g, root, join, a, b);
    if !root.join_index.contains_key(&join) {
        build_rel(g, root, join, a, b, &sji, &clauses);
    }
    if !made.contains(&join) {
        made.push(join);
    }
    let dummy = |root: &Root, r: Relids| root.find(r).is_some_and(|x| x.dummy);
    let false_filter = |down_only: bool| {
        clauses.iter().any(|r| {
            (bool_const(&r.clause) == Some(false) || const_null(&r.clause))
                && (!down_only || pushed_down(r, join))
        })
    };
    let (da, db) = (dummy(root, a), dummy(root, b));
    let empty = match sji.kind {
        JoinType::Inner | JoinType::Semi => da || db || false_filter(false),
        JoinType::Left | JoinType::Anti => da || false_filter(true),
        _ => (da && db) || false_filter(true),
    };
    if empty {
        mark_dummy(root, join);
        return Ok(());
    }
    let mut go = |o, i, k, u| add_paths(g, root, join, o, i, k, u, &sji, &clauses);
    match sji.kind {
        JoinType::Inner => {
            go(a, b, JoinType::Inner, Uniquify::No);
            go(b, a, JoinType::Inner, Uniquify::No);
        }
        JoinType::Left => {
            go(a, b, JoinType::Left, Uniquify::No);
            go(b, a, JoinType::Right, Uniquify::No);
        }
        JoinType::Full => {
            go(a, b, JoinType::Full, Uniquify::No);
            go(b, a, JoinType::Full, Uniquify::No);
            if root.find(join).is_none_or(|r| r.paths.is_empty()) {
                return Err(common::err!(
                    FEATURE_NOT_SUPPORTED,
                    "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions"
                ));
            }
        }
        JoinType::Semi => {
            if sji.min_left.subset_of(a) && sji.min_right.subset_of(b) {
                go(a, b, JoinType::Semi, Uniquify::No);
            }
            if b == sji.syn_right && unique_path(g, root, b, &sji).is_some() {
                add_paths(g, root, join, a, b, JoinType::Inner, Uniquify::Inner, &sji, &clauses);
                add_paths(g, root, join, b, a, JoinType::Inner, Uniquify::Outer, &sji, &clauses);
            }
        }
        JoinType::Anti => go(a, b, JoinType::Anti, Uniquify::No),
        JoinType::Right => {}
    }
    Ok(())
}

fn mark_dummy(root: &mut Root, join: Relids) {
    let Some(r) = root.find_mut(join) else { return };
    let mut p = Path::new(PathKind::Dummy, join, r.target.clone());
    p.rows = 0.0;
    r.rows = 0.0;
    r.dummy = true;
    r.paths = vec![Rc::new(p)];
}

/// Clauses to be checked at this join.
fn restrictions(g: &Glob<'_>, root: &mut Root, join: Relids, a: Relids, b: Relids) -> Vec<Ri> {
    let mut out: Vec<Ri> = Vec::new();
    for r in [a, b] {
        if let Some(rel) = root.find(r) {
            for ri in &rel.join_clauses {
                if ri.required_relids.subset_of(join) && !out.iter().any(|x| Rc::ptr_eq(x, ri)) {
                    out.push(ri.clone());
                }
            }
        }
    }
    out.extend(equivalence::join_clauses(g, root, join, a, b));
    out
}

fn build_rel(
    g: &Glob<'_>,
    root: &mut Root,
    join: Relids,
    a: Relids,
    b: Relids,
    sji: &SpecialJoin,
    clauses: &[Ri],
) {
    let mut rel = RelInfo::new(join, 0);
    rel.consider_startup = root.tuple_fraction > 0.0;
    let mut exprs: Vec<Expr> = Vec::new();
    let mut width = 0;
    for side in [a, b] {
        let Some(r) = root.find(side) else { continue };
        rel.lateral |= r.lateral;
        for e in &r.target.exprs {
            let Expr::Var(v) = e else { continue };
            let base = root.rel(rte_no(v));
            let needed = base.needed.iter().find(|n| n.0 == *e).is_some_and(|n| !n.1.subset_of(join));
            if needed {
                width += root.var_width(g, v);
                exprs.push(e.clone());
            }
        }
        for ri in &r.join_clauses {
            if !ri.required_relids.subset_of(join) && !rel.join_clauses.iter().any(|x| Rc::ptr_eq(x, ri)) {
                rel.join_clauses.push(ri.clone());
            }
        }
    }
    rel.lateral = rel.lateral.minus(join);
    let refs = vec![0; exprs.len()];
    rel.target = Rc::new(Target { exprs, refs, cost: QualCost::default(), width });
    rel.has_eclass_joins = root.ecs.iter().any(|ec| {
        ec.merged.is_none() && ec.members.len() > 1 && ec.relids.overlaps(join) && !ec.relids.subset_of(join)
    });
    rel.rows = join_rows(g, root, join, a, b, sji, clauses);
    rel.consider_parallel = g.parallel.ok
        && root.find(a).is_some_and(|r| r.consider_parallel)
        && root.find(b).is_some_and(|r| r.consider_parallel)
        && safety::exprs(g, clauses.iter().map(|r| &r.clause))
        && safety::exprs(g, &rel.target.exprs);
    root.join_rels.push(rel);
    let i = root.join_rels.len() - 1;
    root.join_index.insert(join, i);
}

fn join_rows(
    g: &Glob<'_>,
    root: &Root,
    join: Relids,
    a: Relids,
    b: Relids,
    sji: &SpecialJoin,
    clauses: &[Ri],
) -> f64 {
    let (Some(o), Some(i)) = (root.find(a), root.find(b)) else { return 1.0 };
    join_size(g, root, join, (a, o.rows), (b, i.rows), sji, clauses)
}

/// Rows of a join of two sides, given with their rows, under these clauses.
pub fn join_size(
    g: &Glob<'_>,
    root: &Root,
    join: Relids,
    (a, or): (Relids, f64),
    (b, ir): (Relids, f64),
    sji: &SpecialJoin,
    clauses: &[Ri],
) -> f64 {
    let mut clauses = clauses.to_vec();
    let fksel = selectivity::foreign::join_sel(g, root, a, b, sji, &mut clauses);
    let clauses = clauses.as_slice();
    let (jsel, psel) = if is_outer(sji.kind) {
        let (down, own): (Vec<Ri>, Vec<Ri>) = clauses.iter().cloned().partition(|r| pushed_down(r, join));
        (
            selectivity::list_sel(g, root, &own, 0, sji.kind, Some(sji)),
            selectivity::list_sel(g, root, &down, 0, sji.kind, Some(sji)),
        )
    } else {
        (selectivity::list_sel(g, root, clauses, 0, sji.kind, Some(sji)), 1.0)
    };
    let n = match sji.kind {
        JoinType::Inner => or * ir * fksel * jsel,
        JoinType::Left | JoinType::Right => (or * ir * fksel * jsel).max(or) * psel,
        JoinType::Full => (or * ir * fksel * jsel).max(or).max(ir) * psel,
        JoinType::Semi => or * fksel * jsel,
        JoinType::Anti => or * (1.0 - fksel * jsel) * psel,
    };
    selectivity::clamp_rows(n)
}
