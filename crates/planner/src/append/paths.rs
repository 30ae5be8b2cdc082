//! Paths of append relations: the members' cheapest paths one after the other, their ordered paths merged, their
//! parameterised paths for the inner side of nested loops.

use crate::cost;
use crate::path::*;
use crate::pathkeys;
use crate::paths::{base, index};
use crate::relids::Relids;
use crate::root::*;
use common::Result;
use std::rc::Rc;

/// Makes the paths of the members, then those of the append relation.
pub fn set_paths(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    let mut live = Vec::new();
    for m in root.rel(rti).members.clone() {
        base::set_rel_paths(g, root, m)?;
        if !root.rel(m).dummy {
            live.push(m);
        }
    }
    let mut orders: Vec<Rc<[PathKey]>> = Vec::new();
    let mut outers: Vec<Relids> = Vec::new();
    for m in &live {
        for p in &root.rel(*m).paths {
            if !p.outer.is_empty() {
                if !outers.contains(&p.outer) {
                    outers.push(p.outer);
                }
            } else if !p.keys.is_empty() && !orders.iter().any(|k| *k == p.keys) {
                orders.push(p.keys.clone());
            }
        }
    }
    let cheapest: Option<Vec<Rc<Path>>> =
        live.iter().map(|m| root.rel(*m).cheapest_total.clone().filter(|p| p.outer.is_empty())).collect();
    if let Some(subs) = cheapest {
        let p = append(g, root, rti, subs, Relids::EMPTY);
        root.rel_mut(rti).add_path(p);
        for keys in &orders {
            merged(g, root, rti, &live, keys);
        }
    }
    super::partial::add(g, root, rti, &live);
    for outer in outers {
        parameterised(g, root, rti, &live, outer);
    }
    Ok(())
}

/// A member's path among the inputs; what it appends is appended directly.
pub fn finish(subs: &mut Vec<Rc<Path>>, p: Rc<Path>) {
    match &p.kind {
        PathKind::Append { subs: inner, rti } if *rti != 0 => subs.extend(inner.iter().cloned()),
        PathKind::MergeAppend { subs: inner, .. } => subs.extend(inner.iter().map(|s| s.1.clone())),
        _ => subs.push(p),
    }
}

fn append(g: &Glob<'_>, root: &Root, rti: u32, list: Vec<Rc<Path>>, outer: Relids) -> Path {
    let mut subs = Vec::new();
    list.into_iter().for_each(|p| finish(&mut subs, p));
    let rel = root.rel(rti);
    let rows: f64 = subs.iter().map(|p| p.rows).sum();
    let mut startup = subs.first().map_or(0.0, |p| p.startup);
    let mut total: f64 = subs.iter().map(|p| p.total).sum();
    let mut keys: Rc<[PathKey]> = Rc::from([]);
    if let [only] = subs.as_slice() {
        (startup, total, keys) = (only.startup, only.total, only.keys.clone());
    } else {
        total += 0.5 * g.ctx.settings.cpu_tuple_cost * rows;
    }
    let kind = PathKind::Append { subs, rti };
    let mut p = Path::new(kind, rel.relids, rel.target.clone()).cost(rows, startup, total);
    p.keys = keys;
    with_outer(&mut p, outer);
    p
}

fn with_outer(p: &mut Path, outer: Relids) {
    if !outer.is_empty() {
        p.outer = outer;
        p.param = Some(Rc::new(ParamInfo { outer, rows: p.rows, clauses: Vec::new() }));
    }
}

/// Which of a member's paths with an order is wanted.
#[derive(Clone, Copy)]
enum Want {
    Startup,
    Total,
    Fraction(f64),
}

fn pick(rel: &RelInfo, keys: &[PathKey], want: Want) -> Option<Rc<Path>> {
    let found = match want {
        Want::Startup => pathkeys::cheapest_with(&rel.paths, keys, Relids::EMPTY, true),
        Want::Total => pathkeys::cheapest_with(&rel.paths, keys, Relids::EMPTY, false),
        Want::Fraction(f) => {
            let cost = |p: &Path| p.startup + f.min(1.0) * (p.total - p.startup);
            rel.paths
                .iter()
                .filter(|p| p.outer.is_empty() && pathkeys::contained(keys, &p.keys))
                .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        }
    };
    found.or(rel.cheapest_total.as_ref()).cloned()
}

/// Merge Appends with an order: of the members' paths that start and that end first.
fn merged(g: &Glob<'_>, root: &mut Root, rti: u32, live: &[u32], keys: &Rc<[PathKey]>) {
    let mut wants = vec![Want::Startup, Want::Total];
    if root.tuple_fraction > 0.0 {
        // As PostgreSQL 15 computes it.
        wants.push(Want::Fraction(1.0 / root.tuple_fraction));
    }
    let mut made: Vec<Vec<(u32, Rc<Path>)>> = Vec::new();
    for w in wants {
        let mut subs: Vec<(u32, Rc<Path>)> = Vec::new();
        for m in live {
            let Some(p) = pick(root.rel(*m), keys, w) else { return };
            match &p.kind {
                PathKind::MergeAppend { subs: inner, .. } if pathkeys::contained(keys, &p.keys) => {
                    subs.extend(inner.iter().cloned());
                }
                _ => subs.push((*m, p)),
            }
        }
        let same = |l: &Vec<(u32, Rc<Path>)>| {
            l.len() == subs.len() && l.iter().zip(&subs).all(|(a, b)| Rc::ptr_eq(&a.1, &b.1))
        };
        if made.iter().any(same) {
            continue;
        }
        let p = merge_path(g, root, rti, subs.clone(), keys);
        root.rel_mut(rti).add_path(p);
        made.push(subs);
    }
}

fn merge_path(g: &Glob<'_>, root: &Root, rti: u32, subs: Vec<(u32, Rc<Path>)>, keys: &Rc<[PathKey]>) -> Path {
    let s = g.ctx.settings;
    let rel = root.rel(rti);
    let limit = if rel.relids == root.all_base { root.limit_tuples } else { -1.0 };
    let (mut rows, mut startup, mut total) = (0.0, 0.0, 0.0);
    for (m, p) in &subs {
        rows += p.rows;
        let (st, tot) = if pathkeys::contained(keys, &p.keys) {
            (p.startup, p.total)
        } else {
            cost::sort::sort(g, p.total, root.rel(*m).tuples, p.target.width, limit)
        };
        startup += st;
        total += tot;
    }
    if subs.len() > 1 {
        let n = subs.len() as f64;
        let compare = 2.0 * s.cpu_operator_cost;
        let heap = compare * n * n.log2();
        let run = rows * compare * n.log2() + 0.5 * s.cpu_tuple_cost * rows;
        startup += heap;
        total += heap + run;
    }
    let kind = PathKind::MergeAppend { subs, rti };
    let mut p = Path::new(kind, rel.relids, rel.target.clone()).cost(rows, startup, total);
    p.keys = keys.clone();
    p
}

/// An Append whose inputs are all driven by `outer`.
fn parameterised(g: &Glob<'_>, root: &mut Root, rti: u32, live: &[u32], outer: Relids) {
    let mut subs = Vec::new();
    for m in live {
        match cheapest_driven(g, root, *m, outer) {
            Some(p) => subs.push(p),
            None => return,
        }
    }
    let p = append(g, root, rti, subs, outer);
    root.rel_mut(rti).add_path(p);
}

/// A member's cheapest path with exactly these parameters.
fn cheapest_driven(g: &Glob<'_>, root: &mut Root, m: u32, outer: Relids) -> Option<Rc<Path>> {
    let paths: Vec<Rc<Path>> =
        root.rel(m).paths.iter().filter(|p| p.outer.subset_of(outer)).cloned().collect();
    let first = paths.iter().min_by(|a, b| a.total.total_cmp(&b.total))?;
    if first.outer == outer {
        return Some(first.clone());
    }
    let mut best: Option<Rc<Path>> = None;
    for p in paths {
        let p = if p.outer == outer { Some(p) } else { driven(g, root, m, &p, outer).map(Rc::new) };
        if let Some(p) = p
            && best.as_ref().is_none_or(|b| p.total < b.total)
        {
            best = Some(p);
        }
    }
    best
}

/// The same path with more parameters, so that it applies the clauses they allow.
fn driven(g: &Glob<'_>, root: &mut Root, m: u32, p: &Rc<Path>, outer: Relids) -> Option<Path> {
    match &p.kind {
        PathKind::SeqScan { rti } => Some(base::seq_path(g, root, *rti, outer)),
        PathKind::Index(ip) => {
            let mut out = (**p).clone();
            out.param = index::param_info(g, root, m, outer);
            out.outer = outer;
            let filters = index::unapplied(&ip.index, &ip.clauses, &out.param);
            let rel = root.rel(m);
            cost::scan::index(g, root, rel, &mut out, ip.clone(), 1.0, &filters);
            Some(out)
        }
        PathKind::BitmapHeap { bitmap, .. } => {
            Some(crate::paths::bitmap::heap_path(g, root, m, bitmap.clone(), outer))
        }
        PathKind::Append { subs, rti } if *rti != 0 => {
            let members = root.rel(m).members.clone();
            let live: Vec<u32> = members.into_iter().filter(|x| !root.rel(*x).dummy).collect();
            if live.len() != subs.len() {
                return None;
            }
            let subs: Option<Vec<Rc<Path>>> =
                live.iter().map(|x| cheapest_driven(g, root, *x, outer)).collect();
            Some(append(g, root, m, subs?, outer))
        }
        _ => None,
    }
}
