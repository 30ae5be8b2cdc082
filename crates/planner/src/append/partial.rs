//! Partial paths of append relations. A Parallel Append hands its inputs out: each complete one to one process, each
//! partial one to all that are free.

use super::paths::finish;
use crate::parallel::{divisor, gather};
use crate::path::*;
use crate::root::*;
use crate::selectivity::clamp_rows;
use std::rc::Rc;

/// Workers for so many inputs: at least what the neediest asks for, more with many inputs.
fn workers(g: &Glob<'_>, partial: &[Rc<Path>], inputs: usize) -> u32 {
    let s = g.ctx.settings;
    let most = partial.iter().map(|p| p.workers).max().unwrap_or(0);
    let by_number = if s.enable_parallel_append { (inputs.max(1) as u32).ilog2() + 1 } else { 0 };
    most.max(by_number).min(s.max_parallel_workers_per_gather)
}

/// The time it takes the workers to run complete paths, dearest first, each taking the next when it is done.
fn complete_cost(subs: &[Rc<Path>], workers: u32) -> f64 {
    let n = subs.len().min(workers as usize);
    let mut busy: Vec<f64> = subs[..n].iter().map(|p| p.total).collect();
    for p in &subs[n..] {
        if let Some(least) = busy.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *least += p.total;
        }
    }
    busy.into_iter().fold(0.0, f64::max)
}

/// (rows, startup, total) of an Append that shares its inputs out; complete ones come first.
fn shared_cost(g: &Glob<'_>, subs: &[Rc<Path>], workers: u32) -> (f64, f64, f64) {
    let div = divisor(g, workers);
    let first_partial = subs.iter().take_while(|p| p.workers == 0).count();
    let startup =
        subs.iter().take(workers.max(1) as usize).map(|p| p.startup).reduce(f64::min).unwrap_or(0.0);
    let (mut rows, mut total) = (0.0, 0.0);
    for (i, p) in subs.iter().enumerate() {
        if i < first_partial {
            rows += p.rows / div;
        } else {
            rows += p.rows * (divisor(g, p.workers) / div);
            total += p.total;
        }
        rows = clamp_rows(rows);
    }
    total += complete_cost(&subs[..first_partial], workers);
    (rows, startup, total + 0.5 * g.ctx.settings.cpu_tuple_cost * rows)
}

/// An Append of complete and partial inputs. `rows`: an estimate made before.
fn path(
    g: &Glob<'_>,
    base: Path,
    mut complete: Vec<Rc<Path>>,
    mut partial: Vec<Rc<Path>>,
    inputs: usize,
    rows: Option<f64>,
) -> Path {
    let n = workers(g, &partial, inputs);
    let aware = g.ctx.settings.enable_parallel_append;
    if aware {
        complete.sort_by(|a, b| b.total.total_cmp(&a.total));
        partial.sort_by(|a, b| b.startup.total_cmp(&a.startup));
    }
    complete.extend(partial);
    let subs = complete;
    let mut keys: Rc<[PathKey]> = Rc::from([]);
    let (r, s, t) = match subs.as_slice() {
        [only] if only.aware == aware => {
            keys = only.keys.clone();
            (only.rows, only.startup, only.total)
        }
        _ if aware => shared_cost(g, &subs, n),
        _ => {
            let rows: f64 = subs.iter().map(|p| p.rows).sum();
            let total: f64 = subs.iter().map(|p| p.total).sum();
            let startup = subs.first().map_or(0.0, |p| p.startup);
            (rows, startup, total + 0.5 * g.ctx.settings.cpu_tuple_cost * rows)
        }
    };
    let rti = match &base.kind {
        PathKind::Append { rti, .. } => *rti,
        _ => 0,
    };
    let mut p =
        Path::new(PathKind::Append { subs, rti }, base.rel, base.target).cost(rows.unwrap_or(r), s, t);
    p.keys = keys;
    p.workers = n;
    p.aware = aware;
    p
}

/// A member's path among the inputs: what a Parallel Append shares out is taken apart.
fn take(p: &Rc<Path>, partial: &mut Vec<Rc<Path>>, complete: Option<&mut Vec<Rc<Path>>>) {
    match (&p.kind, complete) {
        (PathKind::Append { subs, rti }, complete) if *rti != 0 => {
            let (parts, whole): (Vec<_>, Vec<_>) = subs.iter().cloned().partition(|s| s.workers > 0);
            match complete {
                _ if whole.is_empty() || !p.aware => partial.extend(subs.iter().cloned()),
                Some(c) => {
                    partial.extend(parts);
                    c.extend(whole);
                }
                None => partial.push(p.clone()),
            }
        }
        _ => partial.push(p.clone()),
    }
}

/// Adds the partial paths of an append relation with these members.
pub fn add(g: &Glob<'_>, root: &mut Root, rti: u32, live: &[u32]) {
    if !root.rel(rti).consider_parallel {
        return;
    }
    let aware = g.ctx.settings.enable_parallel_append;
    let (mut all_partial, mut mixed_ok) = (true, aware);
    let mut parts = Vec::new();
    let (mut complete, mut partial) = (Vec::new(), Vec::new());
    for m in live {
        let rel = root.rel(*m);
        let part = rel.partial.first();
        match part {
            Some(p) => take(p, &mut parts, None),
            None => all_partial = false,
        }
        let whole = gather::cheapest_safe(&rel.paths);
        match (part, whole) {
            (Some(p), w) if w.as_ref().is_none_or(|w| w.total >= p.total) => {
                take(p, &mut partial, Some(&mut complete));
            }
            (_, Some(w)) => finish(&mut complete, w),
            _ => mixed_ok = false,
        }
    }
    let rel = root.rel(rti);
    let base = Path::new(PathKind::Append { subs: Vec::new(), rti }, rel.relids, rel.target.clone());
    let mut rows = None;
    if all_partial && !parts.is_empty() {
        let p = path(g, base.clone(), Vec::new(), parts, live.len(), None);
        rows = Some(p.rows);
        root.rel_mut(rti).add_partial(p);
    }
    if mixed_ok && !complete.is_empty() {
        let p = path(g, base, complete, partial, live.len(), rows);
        root.rel_mut(rti).add_partial(p);
    }
}

/// The arms of a UNION, shared out and gathered; `whole` is what appends them in one process.
pub fn union(g: &Glob<'_>, root: &Root, arms: &[u32], whole: &Path) -> Option<Path> {
    let parts: Vec<Rc<Path>> = arms
        .iter()
        .map(|a| root.rel(*a).partial.first().filter(|_| root.rel(*a).consider_parallel).cloned())
        .collect::<Option<_>>()?;
    let n = parts.len();
    let mut p = path(g, whole.clone(), Vec::new(), parts, n, None);
    p.safe = true;
    Some(gather::gather(g, &Rc::new(p), whole.rows))
}
