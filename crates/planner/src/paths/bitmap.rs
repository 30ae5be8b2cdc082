//! Bitmap heap scans: combining index scans with AND and OR before the heap is read in physical order.

use super::index;
use crate::cost;
use crate::exprs::*;
use crate::parallel;
use crate::path::*;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::Expr;
use std::rc::Rc;

/// Adds the bitmap paths that the collected index paths and the relation's OR clauses allow.
pub fn create(g: &Glob<'_>, root: &mut Root, rti: u32, bit: Vec<Rc<Path>>, bit_join: Vec<Rc<Path>>) {
    let mut cands: Vec<Rc<Bitmap>> = bit.into_iter().map(|p| Rc::new(Bitmap::Index(p))).collect();
    let clauses = root.rel(rti).base_clauses.clone();
    cands.extend(or_paths(g, root, rti, &clauses, &clauses));
    if !cands.is_empty() {
        let b = choose_and(g, root, rti, cands, Relids::EMPTY);
        heap(g, root, rti, b.clone(), Relids::EMPTY);
        partial_heap(g, root, rti, b);
    }
    let mut outers: Vec<Relids> = bit_join.iter().map(|p| p.outer).collect();
    outers.sort();
    outers.dedup();
    for o in outers {
        let list: Vec<Rc<Bitmap>> =
            bit_join.iter().filter(|p| p.outer == o).map(|p| Rc::new(Bitmap::Index(p.clone()))).collect();
        let b = choose_and(g, root, rti, list, o);
        heap(g, root, rti, b, o);
    }
}

fn heap(g: &Glob<'_>, root: &mut Root, rti: u32, b: Rc<Bitmap>, outer: Relids) {
    let p = heap_path(g, root, rti, b, outer);
    root.rel_mut(rti).add_path(p);
}

/// The workers share the pages a bitmap tells of.
fn partial_heap(g: &Glob<'_>, root: &mut Root, rti: u32, b: Rc<Bitmap>) {
    let rel = root.rel(rti);
    if !parallel::worth_bitmap(g.ctx.settings, rel) {
        return;
    }
    let mut p = Path::new(PathKind::Dummy, rel.relids, rel.target.clone());
    p.aware = true;
    cost::scan::bitmap_heap(g, root, rel, &mut p, &b, 1.0);
    if p.workers > 0 {
        p.kind = PathKind::BitmapHeap { rti, bitmap: b };
        root.rel_mut(rti).add_partial(p);
    }
}

/// A bitmap heap scan, driven by `outer`.
pub fn heap_path(g: &Glob<'_>, root: &mut Root, rti: u32, b: Rc<Bitmap>, outer: Relids) -> Path {
    let param = index::param_info(g, root, rti, outer);
    let loops = index::loop_count(g, root, rti, outer);
    let rel = root.rel(rti);
    let mut p = Path::new(PathKind::Dummy, rel.relids, rel.target.clone());
    p.param = param;
    p.outer = outer;
    cost::scan::bitmap_heap(g, root, rel, &mut p, &b, loops);
    p.kind = PathKind::BitmapHeap { rti, bitmap: b };
    p
}

/// Serial numbers of the clauses a bitmap applies.
fn clauses_of(b: &Bitmap, out: &mut Vec<u32>) {
    match b {
        Bitmap::Index(p) => {
            if let PathKind::Index(ip) = &p.kind {
                out.extend(ip.clauses.iter().map(|c| c.ri.serial));
            }
        }
        Bitmap::And { subs, .. } | Bitmap::Or { subs, .. } => subs.iter().for_each(|s| clauses_of(s, out)),
    }
}

fn heap_cost(g: &Glob<'_>, root: &mut Root, rti: u32, b: Rc<Bitmap>, outer: Relids) -> f64 {
    heap_path(g, root, rti, b, outer).total
}

/// The cheapest AND combination of bitmaps.
fn choose_and(g: &Glob<'_>, root: &mut Root, rti: u32, cands: Vec<Rc<Bitmap>>, outer: Relids) -> Rc<Bitmap> {
    // Of candidates with the same clauses only the cheapest is of use.
    let mut list: Vec<(Rc<Bitmap>, Vec<u32>, f64)> = Vec::new();
    for b in cands {
        let mut ids = Vec::new();
        clauses_of(&b, &mut ids);
        ids.sort_unstable();
        ids.dedup();
        let c = cost::scan::bitmap_node(g, &b).0;
        match list.iter_mut().find(|l| l.1 == ids) {
            Some(l) if c < l.2 => *l = (b, ids, c),
            Some(_) => {}
            None => list.push((b, ids, c)),
        }
    }
    if list.len() == 1 {
        return list.remove(0).0;
    }
    list.sort_by(|a, b| a.2.total_cmp(&b.2));
    let mut best: Option<(Rc<Bitmap>, f64)> = None;
    for i in 0..list.len() {
        let mut subs = vec![list[i].0.clone()];
        let mut used = list[i].1.clone();
        let mut cur = list[i].0.clone();
        let mut c = heap_cost(g, root, rti, cur.clone(), outer);
        for (b, ids, _) in &list[i + 1..] {
            if ids.iter().any(|x| used.contains(x)) || ids.is_empty() {
                continue;
            }
            let mut more = subs.clone();
            more.push(b.clone());
            let and = Rc::new(cost::scan::bitmap_and(g, more.clone()));
            let nc = heap_cost(g, root, rti, and.clone(), outer);
            if nc < c {
                c = nc;
                cur = and;
                subs = more;
                used.extend(ids);
            }
        }
        if best.as_ref().is_none_or(|b| c < b.1) {
            best = Some((cur, c));
        }
    }
    best.expect("at least one candidate").0
}

/// Bitmap ORs for OR clauses every arm of which some index can use.
fn or_paths(g: &Glob<'_>, root: &mut Root, rti: u32, clauses: &[Ri], others: &[Ri]) -> Vec<Rc<Bitmap>> {
    let mut out = Vec::new();
    for ri in clauses {
        let Some(arms) = &ri.or_arms else { continue };
        let mut subs = Vec::new();
        for arm in arms {
            let mut list = arm_paths(g, root, rti, arm, others);
            list.extend(or_paths(g, root, rti, arm, others));
            if list.is_empty() {
                subs.clear();
                break;
            }
            subs.push(choose_and(g, root, rti, list, Relids::EMPTY));
        }
        if !subs.is_empty() {
            out.push(Rc::new(cost::scan::bitmap_or(g, subs)));
        }
    }
    out
}

fn arm_paths(g: &Glob<'_>, root: &mut Root, rti: u32, arm: &[Ri], others: &[Ri]) -> Vec<Rc<Bitmap>> {
    let mut out = Vec::new();
    for ix in root.rel(rti).indexes.clone() {
        if !ix.predicate.is_empty() && !ix.pred_ok {
            let all: Vec<&Expr> = arm.iter().chain(others).map(|r| &r.clause).collect();
            if !super::predicate::implied(g, &ix.predicate, &all) {
                continue;
            }
        }
        let mut set = index::match_clauses(g, root, rti, &ix, arm);
        if set.is_empty() {
            continue;
        }
        for c in index::match_clauses(g, root, rti, &ix, others) {
            if !set.iter().any(|s| equal(&s.ri.clause, &c.ri.clause)) {
                set.push(c);
            }
        }
        set.sort_by_key(|c| c.col);
        for p in index::build(g, root, rti, &ix, set, Relids::EMPTY, false, true) {
            out.push(Rc::new(Bitmap::Index(Rc::new(p))));
        }
    }
    out
}
