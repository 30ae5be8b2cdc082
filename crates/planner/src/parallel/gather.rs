//! Partial paths, and the Gather and Gather Merge paths above them.

use super::safety;
use crate::cost::{DISABLE_COST, log2};
use crate::exprs::*;
use crate::path::*;
use crate::pathkeys;
use crate::paths::{add_path, precheck};
use crate::relids::Relids;
use crate::root::*;
use crate::upper::{incremental_path, sort_path};
use std::cmp::Ordering;
use std::rc::Rc;

const FUZZ: f64 = 1.01;

/// Adds a partial path to a list ordered by total cost. Only total cost and order count: rows start to flow when all
/// workers have begun anyway, and no partial path is parameterised.
pub fn add_partial(list: &mut Vec<Rc<Path>>, new: Path) {
    let mut at = 0;
    let mut i = 0;
    while i < list.len() {
        let old = &list[i];
        let (mut remove, mut accept) = (false, true);
        if let Some(k) = pathkeys::compare(&new.keys, &old.keys) {
            if new.total > old.total * FUZZ {
                accept = k == Ordering::Greater;
            } else if old.total > new.total * FUZZ {
                remove = k != Ordering::Less;
            } else {
                match k {
                    Ordering::Greater => remove = true,
                    Ordering::Less => accept = false,
                    Ordering::Equal if old.total > new.total * 1.0000000001 => remove = true,
                    Ordering::Equal => accept = false,
                }
            }
        }
        if remove {
            list.remove(i);
        } else {
            if new.total >= old.total {
                at = i + 1;
            }
            i += 1;
        }
        if !accept {
            return;
        }
    }
    let at = at.min(list.len());
    list.insert(at, Rc::new(new));
}

/// Would a partial path of (at least) this cost survive?
pub fn precheck_partial(rel: &RelInfo, total: f64, keys: &[PathKey]) -> bool {
    for old in &rel.partial {
        if let Some(k) = pathkeys::compare(keys, &old.keys) {
            if total > old.total * FUZZ && k != Ordering::Greater {
                return false;
            }
            if old.total > total * FUZZ && k != Ordering::Less {
                return true;
            }
        }
    }
    // Once gathered it has to stand against the plain paths.
    precheck(&rel.paths, rel.consider_startup, total, total, keys, Relids::EMPTY)
}

impl RelInfo {
    /// Adds a partial candidate.
    pub fn add_partial(&mut self, mut p: Path) {
        p.safe &= self.consider_parallel;
        if p.safe {
            add_partial(&mut self.partial, p);
        }
    }
}

/// The cheapest path of a list that a worker may run and that needs no parameters.
pub fn cheapest_safe(list: &[Rc<Path>]) -> Option<Rc<Path>> {
    list.iter().find(|p| p.safe && p.outer.is_empty()).cloned()
}

/// A Gather on a partial path; `rows` as they come out of it.
pub fn gather(g: &Glob<'_>, sub: &Rc<Path>, rows: f64) -> Path {
    let s = g.ctx.settings;
    let mut p = Path::new(PathKind::Gather { sub: sub.clone() }, sub.rel, sub.target.clone());
    let startup = sub.startup + s.parallel_setup_cost;
    let run = sub.total - sub.startup + s.parallel_tuple_cost * rows;
    p = p.cost(rows, startup, startup + run);
    p
}

/// A Gather Merge on a sorted partial path.
pub fn gather_merge(g: &Glob<'_>, sub: &Rc<Path>, rows: f64) -> Path {
    let s = g.ctx.settings;
    let mut p = Path::new(PathKind::GatherMerge { sub: sub.clone() }, sub.rel, sub.target.clone());
    let mut startup = if s.enable_gathermerge { 0.0 } else { DISABLE_COST };
    let n = f64::from(sub.workers) + 1.0;
    let compare = 2.0 * s.cpu_operator_cost;
    startup += compare * n * log2(n);
    let mut run = rows * compare * log2(n);
    run += s.cpu_operator_cost * rows;
    startup += s.parallel_setup_cost;
    run += s.parallel_tuple_cost * rows * 1.05;
    p = p.cost(rows, startup + sub.startup, startup + run + sub.total);
    p.keys = sub.keys.clone();
    p
}

/// All rows of a partial path, as Gather's own estimate has them.
pub fn all_rows(p: &Path) -> f64 {
    p.rows * f64::from(p.workers)
}

/// Gather of the cheapest partial path and Gather Merge of the sorted ones. `rows`: of the whole relation; without, each
/// path's own estimate is multiplied by its workers.
pub fn plain(g: &Glob<'_>, list: &mut Vec<Rc<Path>>, startup: bool, partial: &[Rc<Path>], rows: Option<f64>) {
    let Some(best) = partial.first() else { return };
    add_path(list, startup, gather(g, best, rows.unwrap_or_else(|| all_rows(best))));
    for p in partial.iter().filter(|p| !p.keys.is_empty()) {
        add_path(list, startup, gather_merge(g, p, rows.unwrap_or_else(|| all_rows(p))));
    }
}

/// [`plain`], and Gather Merge above sorts that give an order the query asks for.
pub fn useful(
    g: &Glob<'_>,
    root: &Root,
    list: &mut Vec<Rc<Path>>,
    startup: bool,
    partial: &[Rc<Path>],
    rows: Option<f64>,
) {
    let Some(best) = partial.first() else { return };
    plain(g, list, startup, partial, rows);
    let keys = useful_keys(g, root, best);
    if keys.is_empty() {
        return;
    }
    for p in partial {
        let n = pathkeys::common(&keys, &p.keys);
        if n == keys.len() {
            continue;
        }
        if Rc::ptr_eq(p, best) {
            let s = Rc::new(sort_path(g, p, &keys, -1.0));
            let r = rows.unwrap_or_else(|| all_rows(&s));
            add_path(list, startup, gather_merge(g, &s, r));
        }
        if g.ctx.settings.enable_incremental_sort && n > 0 {
            let s = Rc::new(incremental_path(g, root, p, &keys, n, -1.0));
            let r = rows.unwrap_or_else(|| all_rows(&s));
            add_path(list, startup, gather_merge(g, &s, r));
        }
    }
}

/// Adds the Gather paths of a scan or join relation.
pub fn of_rel(g: &Glob<'_>, root: &mut Root, relids: Relids) {
    let Some(rel) = root.find_mut(relids) else { return };
    if rel.partial.is_empty() {
        return;
    }
    let mut list = std::mem::take(&mut rel.paths);
    let partial = rel.partial.clone();
    let (rows, startup) = (rel.rows, rel.consider_startup);
    useful(g, root, &mut list, startup, &partial, Some(rows));
    if let Some(rel) = root.find_mut(relids) {
        rel.paths = list;
    }
}

/// How much of the query's order the path's columns already allow.
fn useful_keys(g: &Glob<'_>, root: &Root, p: &Path) -> Vec<PathKey> {
    let n = root.query_pathkeys.iter().take_while(|k| sortable_early(g, root, p, k)).count();
    root.query_pathkeys[..n].to_vec()
}

fn sortable_early(g: &Glob<'_>, root: &Root, p: &Path, k: &PathKey) -> bool {
    let ec = &root.ecs[k.ec];
    if ec.has_volatile {
        return false;
    }
    let fits = |e: &analyze::expr::Expr| !contains_srf(e) && safety::expr(g, e);
    let members = || ec.members.iter().filter(|m| !m.is_const && m.relids.subset_of(p.rel));
    for t in &p.target.exprs {
        if members().any(|m| equal(strip_relabel(&m.expr), strip_relabel(t))) && fits(t) {
            return true;
        }
    }
    members().any(|m| {
        let mut vars = Vec::new();
        pull_vars(&m.expr, true, &mut vars);
        vars.iter().all(|v| p.target.exprs.iter().any(|t| equal(t, v))) && fits(&m.expr)
    })
}
