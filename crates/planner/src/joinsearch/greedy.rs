//! The join order of many relations (`geqo`, `geqo_threshold`): the pair with the smallest result is joined, again and
//! again. The number of joins looked at grows with the square of the number of relations, where dynamic programming's
//! doubles with each.

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

/// Joins the items; returns the set joined.
pub(super) fn search(g: &Glob<'_>, root: &mut Root, mut items: Vec<Relids>) -> Result<Relids> {
    // Items keep their sets until they are merged, and so does what was found out about two of them.
    let mut known: HashMap<(Relids, Relids), Pair> = HashMap::new();
    while items.len() > 1 {
        let mut best: Option<(usize, usize, f64, f64)> = None;
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
                        && best.is_none_or(|x| (rows, cost) < (x.2, x.3))
                    {
                        best = Some((i, j, rows, cost));
                    }
                }
            }
            if best.is_some() {
                break;
            }
        }
        let Some((i, j, ..)) = best else { return Err(Error::internal("failed to build any join")) };
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
