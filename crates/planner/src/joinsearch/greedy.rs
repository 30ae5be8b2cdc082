//! The join order of many relations (`geqo`, `geqo_threshold`, `geqo_effort`), in place of PostgreSQL's genetic search.
//!
//! Dynamic programming looks at every set of relations that clauses connect: a few hundred for twenty relations in a chain,
//! half a million for a star. Where there are too many sets the best pair is joined again and again, once by the size of the
//! result and once by its cost; the cheaper of the two trees wins. That looks at about the square of the number of relations.

use super::{make_join, order_restricted, relevant};
use crate::parallel::gather;
use crate::paths::set_cheapest;
use crate::relids::Relids;
use crate::root::*;
use common::{Error, Result};
use hashbrown::HashMap;

/// What is known about a pair of items.
#[derive(Clone, Copy)]
enum Pair {
    /// Rows and cost of their join.
    Joined(f64, f64),
    /// They cannot be joined directly.
    Apart,
}

/// Sets of relations for each step of `geqo_effort` that dynamic programming may look at.
const SETS_PER_EFFORT: usize = 100;

/// Are there more sets of connected items than the effort allows?
pub(super) fn too_many(root: &Root, items: &[Relids], effort: usize) -> bool {
    let n = items.len();
    let max = effort * SETS_PER_EFFORT;
    let near: Vec<Vec<usize>> = (0..n)
        .map(|i| {
            let joins = |j: &usize| {
                *j != i
                    && (relevant(root, items[i], items[*j]) || order_restricted(root, items[i], items[*j]))
            };
            (0..n).filter(joins).collect()
        })
        .collect();
    let mut level: Vec<(Relids, Vec<usize>)> = (0..n).map(|i| (items[i], vec![i])).collect();
    let mut count = n;
    while !level.is_empty() {
        let mut next: HashMap<Relids, Vec<usize>> = HashMap::new();
        for (set, members) in &level {
            for &j in members.iter().flat_map(|m| &near[*m]) {
                if items[j].subset_of(*set) {
                    continue;
                }
                next.entry(*set | items[j]).or_insert_with(|| {
                    let mut m = members.clone();
                    m.push(j);
                    m
                });
                if count + next.len() > max {
                    return true;
                }
            }
        }
        count += next.len();
        level = next.into_iter().collect();
    }
    false
}

/// Joins the items; returns the set joined.
pub(super) fn search(g: &Glob<'_>, root: &mut Root, items: Vec<Relids>) -> Result<Relids> {
    let mut known: HashMap<(Relids, Relids), Pair> = HashMap::new();
    pass(g, root, items.clone(), &mut known, |rows, cost| (rows, cost))?;
    // Paths of both trees compete for the whole set.
    pass(g, root, items, &mut known, |rows, cost| (cost, rows))
}

/// Joins the pair with the smallest `rank` (of rows and cost) until one item is left. Items keep their sets until they are
/// merged, and so does what is `known` about two of them.
fn pass(
    g: &Glob<'_>,
    root: &mut Root,
    mut items: Vec<Relids>,
    known: &mut HashMap<(Relids, Relids), Pair>,
    rank: fn(f64, f64) -> (f64, f64),
) -> Result<Relids> {
    while items.len() > 1 {
        let mut best: Option<(usize, usize, (f64, f64))> = None;
        for connected in [true, false] {
            for i in 0..items.len() {
                for j in i + 1..items.len() {
                    let (a, b) = (items[i], items[j]);
                    if connected && !relevant(root, a, b) && !order_restricted(root, a, b) {
                        continue;
                    }
                    let pair = match known.get(&(a, b)) {
                        Some(p) => *p,
                        None => {
                            let p = join(g, root, a, b)?;
                            known.insert((a, b), p);
                            p
                        }
                    };
                    if let Pair::Joined(rows, cost) = pair
                        && best.is_none_or(|x| rank(rows, cost) < x.2)
                    {
                        best = Some((i, j, rank(rows, cost)));
                    }
                }
            }
            if best.is_some() {
                break;
            }
        }
        let Some((i, j, _)) = best else { return Err(Error::internal("failed to build any join")) };
        let u = items[i] | items[j];
        items.remove(j);
        items[i] = u;
    }
    Ok(items[0])
}

fn join(g: &Glob<'_>, root: &mut Root, a: Relids, b: Relids) -> Result<Pair> {
    make_join(g, root, a, b, &mut Vec::new())?;
    if a | b != root.all_base {
        gather::of_rel(g, root, a | b);
    }
    let Some(rel) = root.find_mut(a | b) else { return Ok(Pair::Apart) };
    if rel.paths.is_empty() {
        return Ok(Pair::Apart);
    }
    set_cheapest(rel);
    Ok(Pair::Joined(rel.rows, rel.cheapest_total.as_ref().map_or(f64::MAX, |p| p.total)))
}
