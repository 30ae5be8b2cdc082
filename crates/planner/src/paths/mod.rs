//! Making candidate paths and keeping the undominated ones.

pub mod base;
pub mod bitmap;
pub mod exclusion;
pub mod index;
pub mod join;
pub mod memoize;
pub mod orclauses;
pub mod other;
mod partial_join;
pub mod predicate;
pub mod runcond;

use crate::path::*;
use crate::pathkeys;
use crate::root::*;
use std::cmp::Ordering;
use std::rc::Rc;

const FUZZ: f64 = 1.01;

#[derive(PartialEq, Clone, Copy)]
enum Cmp {
    Equal,
    First,
    Second,
    Different,
}

fn compare_costs(a: &Path, b: &Path, fuzz: f64, startup: bool) -> Cmp {
    let s = |p: &Path| startup && p.param.is_none();
    if a.total > b.total * fuzz {
        return if s(a) && b.startup > a.startup * fuzz { Cmp::Different } else { Cmp::Second };
    }
    if b.total > a.total * fuzz {
        return if s(b) && a.startup > b.startup * fuzz { Cmp::Different } else { Cmp::First };
    }
    if a.startup > b.startup * fuzz {
        return Cmp::Second;
    }
    if b.startup > a.startup * fuzz {
        return Cmp::First;
    }
    Cmp::Equal
}

/// Adds a path to a list unless one there is as good in every respect; drops what it makes superfluous.
pub fn add_path(list: &mut Vec<Rc<Path>>, startup: bool, new: Path) {
    let none: [PathKey; 0] = [];
    let nk: &[PathKey] = if new.outer.is_empty() { &new.keys } else { &none };
    let mut accept = true;
    let mut at = 0;
    let mut i = 0;
    while i < list.len() {
        let old = &list[i];
        let mut remove = false;
        let c = compare_costs(&new, old, FUZZ, startup);
        if c != Cmp::Different {
            let ok: &[PathKey] = if old.outer.is_empty() { &old.keys } else { &none };
            if let Some(k) = pathkeys::compare(nk, ok) {
                let sub1 = new.outer.subset_of(old.outer);
                let sub2 = old.outer.subset_of(new.outer);
                match c {
                    Cmp::Equal => match k {
                        Ordering::Greater => remove = sub1 && new.rows <= old.rows && new.safe >= old.safe,
                        Ordering::Less => {
                            if sub2 && new.rows >= old.rows && new.safe <= old.safe {
                                accept = false;
                            }
                        }
                        Ordering::Equal => {
                            if sub1 && sub2 {
                                if new.safe != old.safe {
                                    // A path workers may run is worth more at the same price.
                                    remove = new.safe;
                                    accept = new.safe;
                                } else if new.rows < old.rows {
                                    remove = true;
                                } else if new.rows > old.rows {
                                    accept = false;
                                } else if compare_costs(&new, old, 1.0000000001, startup) == Cmp::First {
                                    remove = true;
                                } else {
                                    accept = false;
                                }
                            } else if sub1 && new.rows <= old.rows && new.safe >= old.safe {
                                remove = true;
                            } else if sub2 && new.rows >= old.rows && new.safe <= old.safe {
                                accept = false;
                            }
                        }
                    },
                    Cmp::First => {
                        remove = k != Ordering::Less && sub1 && new.rows <= old.rows && new.safe >= old.safe;
                    }
                    Cmp::Second => {
                        if k != Ordering::Greater && sub2 && new.rows >= old.rows && new.safe <= old.safe {
                            accept = false;
                        }
                    }
                    Cmp::Different => {}
                }
            }
        }
        if remove {
            list.remove(i);
        } else {
            if new.total >= list[i].total {
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

/// Would a path of (at least) these costs survive? Spares building it.
pub fn precheck(
    list: &[Rc<Path>],
    consider: bool,
    startup: f64,
    total: f64,
    keys: &[PathKey],
    outer: crate::relids::Relids,
) -> bool {
    let none: [PathKey; 0] = [];
    let nk = if outer.is_empty() { keys } else { &none };
    let use_startup = consider && outer.is_empty();
    for old in list {
        if total < old.total * FUZZ {
            // Ordered by total cost: the rest is worse still, the new one may live.
            if total <= old.total {
                break;
            }
        }
        if total >= old.total * FUZZ && (!use_startup || startup >= old.startup * FUZZ) {
            let ok: &[PathKey] = if old.outer.is_empty() { &old.keys } else { &none };
            if matches!(pathkeys::compare(nk, ok), Some(Ordering::Equal | Ordering::Less))
                && outer == old.outer
            {
                return false;
            }
        }
    }
    true
}

/// Chooses a relation's cheapest paths.
pub fn set_cheapest(rel: &mut RelInfo) {
    let mut startup: Option<&Rc<Path>> = None;
    let mut total: Option<&Rc<Path>> = None;
    let mut param: Vec<Rc<Path>> = Vec::new();
    let mut best_param: Option<&Rc<Path>> = None;
    for p in &rel.paths {
        if !p.outer.is_empty() {
            param.push(p.clone());
            if best_param.is_none_or(|b| {
                (p.outer.subset_of(b.outer) && p.outer != b.outer)
                    || (p.outer == b.outer && p.total < b.total)
            }) {
                best_param = Some(p);
            }
            continue;
        }
        let better = |cur: Option<&Rc<Path>>, f: fn(&Path) -> (f64, f64)| {
            cur.is_none_or(|c| {
                let (a, b) = (f(p), f(c));
                a < b || (a == b && matches!(pathkeys::compare(&p.keys, &c.keys), Some(Ordering::Greater)))
            })
        };
        if better(startup, |p| (p.startup, p.total)) {
            startup = Some(p);
        }
        if better(total, |p| (p.total, p.startup)) {
            total = Some(p);
        }
    }
    if let Some(t) = total {
        param.insert(0, t.clone());
    }
    rel.cheapest_startup = startup.cloned();
    rel.cheapest_total = total.or(best_param).cloned();
    rel.cheapest_param = param;
}

impl RelInfo {
    /// Adds a candidate.
    pub fn add_path(&mut self, mut p: Path) {
        p.safe &= self.consider_parallel;
        add_path(&mut self.paths, self.consider_startup, p);
    }
}
