//! GROUPING SETS: the sets are gathered into rollups, chains in which each set is a prefix of the one before, so that one
//! sort serves a whole chain; chains may be hashed instead. The fewest chains come from a maximum matching between sets
//! and their subsets (Hopcroft and Karp), what to hash from a knapsack over `hash_mem`.

use super::sort_path;
use crate::cost::upper::{AggCosts, agg, hash_entry_size};
use crate::path::*;
use crate::root::*;
use crate::selectivity;
use analyze::expr::*;
use common::Result;
use std::rc::Rc;

/// One grouping set with its estimated number of groups.
#[derive(Clone, Debug)]
pub struct SetData {
    pub refs: Vec<u32>,
    pub groups: f64,
}

/// Sets computed over one order (or one hash table).
#[derive(Clone, Debug)]
pub struct Rollup {
    pub clauses: Vec<SortGroupClause>,
    pub sets: Vec<SetData>,
    pub groups: f64,
    pub hashable: bool,
    pub hashed: bool,
}

/// The sets of a query.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    pub rollups: Vec<Rollup>,
    pub any_hashable: bool,
    /// Sets over columns that cannot be sorted: they are always hashed.
    pub unsortable: Vec<SetData>,
    /// How many groups those have.
    pub unsortable_groups: f64,
}

/// Expands the sets of the query and arranges them in rollups.
pub fn prepare(root: &Root) -> Result<Option<Sets>> {
    let q = &root.query;
    if q.grouping_sets.is_empty() {
        return Ok(None);
    }
    let all = analyze::grouping::expand(&q.grouping_sets, q.group_distinct, usize::MAX).unwrap_or_default();
    let none_of = |set: &[u32], ok: fn(&SortGroupClause) -> bool| {
        q.group_clause.iter().all(|c| ok(c) || !set.contains(&c.tle_ref))
    };
    let (sortable, unsortable): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|s| none_of(s, |c| c.sortop.is_valid()));
    if unsortable.iter().any(|s| !none_of(s, |c| c.hashable)) {
        return Err(cannot());
    }
    let mut out = Sets { any_hashable: !unsortable.is_empty(), ..Sets::default() };
    out.unsortable = unsortable.into_iter().map(|refs| SetData { refs, groups: 0.0 }).collect();
    let chains = if sortable.is_empty() { Vec::new() } else { chains(sortable) };
    let single = chains.len() == 1;
    for chain in chains {
        let sets = prefix_order(chain, if single { &q.sort } else { &[] });
        let clauses = clauses_for(root, sets.first().map_or(&[][..], |s| &s.refs));
        let hashable = !clauses.is_empty() && clauses.iter().all(|c| c.hashable);
        out.any_hashable |= hashable;
        out.rollups.push(Rollup { clauses, sets, groups: 0.0, hashable, hashed: false });
    }
    Ok(Some(out))
}

/// Columns that can only be sorted meet columns that can only be hashed. 0A000.
pub fn cannot() -> common::Error {
    common::err!(FEATURE_NOT_SUPPORTED, "could not implement GROUP BY")
        .detail("Some of the datatypes only support hashing, while others only support sorting.")
}

fn clauses_for(root: &Root, refs: &[u32]) -> Vec<SortGroupClause> {
    refs.iter().filter_map(|r| root.query.group_clause.iter().find(|c| c.tle_ref == *r)).cloned().collect()
}

/// Longest first, each set's columns in the order of the shorter ones; where it can be, in the order of ORDER BY.
fn prefix_order(chain: Vec<Vec<u32>>, sort: &[SortGroupClause]) -> Vec<SetData> {
    let mut sort = sort;
    let mut previous: Vec<u32> = Vec::new();
    let mut out: Vec<SetData> = Vec::new();
    for set in chain {
        let mut fresh: Vec<u32> = set.into_iter().filter(|r| !previous.contains(r)).collect();
        while sort.len() > previous.len() && !fresh.is_empty() {
            let r = sort[previous.len()].tle_ref;
            match fresh.iter().position(|f| *f == r) {
                Some(i) => {
                    fresh.remove(i);
                    previous.push(r);
                }
                None => sort = &[],
            }
        }
        previous.extend(fresh);
        out.push(SetData { refs: previous.clone(), groups: 0.0 });
    }
    out.reverse();
    out
}

/// Splits sets (shortest first) into the fewest chains by inclusion; sets of the same columns stay together.
fn chains(sets: Vec<Vec<u32>>) -> Vec<Vec<Vec<u32>>> {
    let empty = sets.iter().take_while(|s| s.is_empty()).count();
    if empty == sets.len() {
        return vec![sets];
    }
    // Distinct column sets from 1, with what was written for each.
    let mut written: Vec<Vec<Vec<u32>>> = vec![Vec::new()];
    let mut adjacent: Vec<Vec<usize>> = vec![Vec::new()];
    let same = |a: &[u32], b: &[u32]| a.len() == b.len() && a.iter().all(|x| b.contains(x));
    for s in &sets[empty..] {
        if let Some(k) = (1..written.len()).find(|k| same(&written[*k][0], s)) {
            written[k].push(s.clone());
            continue;
        }
        let shorter = (1..written.len()).filter(|k| {
            let w = &written[*k][0];
            w.len() < s.len() && w.iter().all(|x| s.contains(x))
        });
        let list: Vec<usize> = shorter.rev().collect();
        written.push(vec![s.clone()]);
        adjacent.push(list);
    }
    let (uv, vu) = matching(&adjacent);
    let n = written.len() - 1;
    let mut chain = vec![0; n + 1];
    let mut count = 0;
    for i in 1..=n {
        chain[i] = if vu[i] > 0 && vu[i] < i {
            chain[vu[i]]
        } else if uv[i] > 0 && uv[i] < i {
            chain[uv[i]]
        } else {
            count += 1;
            count
        };
    }
    let mut out: Vec<Vec<Vec<u32>>> = vec![Vec::new(); count];
    for i in 1..=n {
        out[chain[i] - 1].append(&mut written[i]);
    }
    out[0].splice(0..0, vec![Vec::new(); empty]);
    out
}

/// Far away.
const FAR: usize = usize::MAX;

/// Maximum matching of a bipartite graph over 1..n on both sides; partners of the left and of the right side, 0 = none.
fn matching(adjacent: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    let n = adjacent.len();
    let (mut uv, mut vu) = (vec![0; n], vec![0; n]);
    loop {
        let mut distance = vec![FAR; n];
        let mut queue = std::collections::VecDeque::new();
        for u in 1..n {
            if uv[u] == 0 {
                distance[u] = 0;
                queue.push_back(u);
            }
        }
        while let Some(u) = queue.pop_front() {
            if distance[u] >= distance[0] {
                continue;
            }
            for &v in adjacent[u].iter().rev() {
                let next = vu[v];
                if distance[next] == FAR {
                    distance[next] = distance[u] + 1;
                    queue.push_back(next);
                }
            }
        }
        if distance[0] == FAR {
            return (uv, vu);
        }
        for u in 1..n {
            if uv[u] == 0 {
                augment(u, adjacent, &mut distance, &mut uv, &mut vu);
            }
        }
    }
}

fn augment(
    u: usize,
    adjacent: &[Vec<usize>],
    distance: &mut [usize],
    uv: &mut [usize],
    vu: &mut [usize],
) -> bool {
    if u == 0 {
        return true;
    }
    if distance[u] == FAR {
        return false;
    }
    for &v in adjacent[u].iter().rev() {
        if distance[vu[v]] == distance[u] + 1 && augment(vu[v], adjacent, distance, uv, vu) {
            vu[v] = u;
            uv[u] = v;
            return true;
        }
    }
    distance[u] = FAR;
    false
}

/// Fills in the numbers of groups; returns their sum.
pub fn estimate(g: &Glob<'_>, root: &Root, sets: &mut Sets, rows: f64) -> f64 {
    let mut all = 0.0;
    let count = |s: &mut SetData| {
        let of = |x: &u32| root.tlist.iter().find(|t| t.sort_group_ref == *x).map(|t| &t.expr);
        s.groups = selectivity::num_groups(g, root, &s.refs.iter().filter_map(of).collect::<Vec<_>>(), rows);
        s.groups
    };
    for r in &mut sets.rollups {
        r.groups = r.sets.iter_mut().map(count).sum();
        all += r.groups;
    }
    sets.unsortable_groups = sets.unsortable.iter_mut().map(count).sum();
    all + sets.unsortable_groups
}

/// What the paths of one query share.
pub struct Maker<'r> {
    pub root: &'r Root,
    pub costs: &'r AggCosts,
    pub having: &'r [Expr],
    pub having_cost: crate::exprs::QualCost,
    pub having_sel: f64,
    pub out: &'r Rc<Target>,
}

impl Maker<'_> {
    fn table_size(&self, sub: &Path, groups: f64) -> f64 {
        hash_entry_size(self.costs.count, sub.target.width, self.costs.space) * groups
    }

    fn one_set(&self, s: &SetData) -> Rollup {
        Rollup {
            clauses: clauses_for(self.root, &s.refs),
            sets: vec![s.clone()],
            groups: s.groups,
            hashable: true,
            hashed: true,
        }
    }

    /// Everything hashed, but for a rollup the input happens to be sorted for, and empty sets.
    pub fn hashed(&self, g: &Glob<'_>, sub: &Rc<Path>, sets: &Sets, groups: f64) -> Option<Path> {
        let mut rest = sets.rollups.as_slice();
        let mut sorted = None;
        if crate::pathkeys::contained(&self.root.group_pathkeys, &sub.keys)
            && let Some((first, more)) = rest.split_first()
        {
            sorted = Some(first);
            rest = more;
        }
        let size = self.table_size(sub, groups - sorted.map_or(0.0, |r| r.groups));
        // Without anything to sort there is no other way.
        if (size > g.ctx.settings.hash_mem_bytes() && !sets.rollups.is_empty())
            || rest.iter().any(|r| !r.hashable && r.sets.iter().any(|s| !s.refs.is_empty()))
        {
            return None;
        }
        let mut out: Vec<Rollup> = Vec::new();
        let mut empty: Vec<SetData> = Vec::new();
        for s in sets.unsortable.iter().chain(rest.iter().flat_map(|r| &r.sets)) {
            if s.refs.is_empty() {
                empty.push(s.clone());
            } else {
                out.push(self.one_set(s));
            }
        }
        if out.is_empty() {
            return None;
        }
        let mut kind = AggKind::Hashed;
        if let Some(r) = sorted {
            out.push(r.clone());
            kind = AggKind::Mixed;
        } else if !empty.is_empty() {
            let groups = empty.len() as f64;
            out.push(Rollup { clauses: Vec::new(), sets: empty, groups, hashable: false, hashed: false });
            kind = AggKind::Mixed;
        }
        Some(self.path(g, sub, kind, out))
    }

    /// Over sorted input: as much hashed as fits besides the first rollup, and nothing hashed.
    pub fn sorted(&self, g: &Glob<'_>, sub: &Rc<Path>, sets: &Sets, can_hash: bool) -> Vec<Path> {
        let mut out = Vec::new();
        if sets.rollups.is_empty() {
            return out;
        }
        if can_hash
            && sets.any_hashable
            && let Some(l) = self.mix(g, sub, sets)
        {
            out.push(self.path(g, sub, AggKind::Mixed, l));
        }
        if sets.unsortable.is_empty() {
            out.push(self.path(g, sub, AggKind::Sorted, sets.rollups.clone()));
        }
        out
    }

    fn mix(&self, g: &Glob<'_>, sub: &Path, sets: &Sets) -> Option<Vec<Rollup>> {
        let n = sets.rollups.len();
        let space = g.ctx.settings.hash_mem_bytes() - self.table_size(sub, sets.unsortable_groups);
        let hashed = if n < 2 || space <= 0.0 { Vec::new() } else { self.fitting(sub, sets, space) };
        if hashed.is_empty() && sets.unsortable.is_empty() {
            return None;
        }
        let mut out: Vec<Rollup> =
            (0..n).filter(|i| !hashed.contains(i)).map(|i| sets.rollups[i].clone()).collect();
        let more = (0..n).filter(|i| hashed.contains(i)).flat_map(|i| &sets.rollups[i].sets);
        for s in sets.unsortable.iter().chain(more) {
            out.insert(0, self.one_set(s));
        }
        Some(out)
    }

    /// Rollups that are hashed, beside the first, as many as there is room for.
    fn fitting(&self, sub: &Path, sets: &Sets, space: f64) -> Vec<usize> {
        let n = sets.rollups.len();
        let scale = (space / (20.0 * n as f64)).max(1.0);
        let capacity = (space / scale).floor() as usize;
        let items: Vec<usize> = (1..n).filter(|i| sets.rollups[*i].hashable).collect();
        let weights: Vec<usize> = items
            .iter()
            .map(|i| {
                let size = self.table_size(sub, sets.rollups[*i].groups);
                (size / scale).floor().min(capacity as f64 + 1.0) as usize
            })
            .collect();
        knapsack(capacity, &weights).iter().map(|k| items[*k]).collect()
    }

    fn path(&self, g: &Glob<'_>, sub: &Rc<Path>, kind: AggKind, rollups: Vec<Rollup>) -> Path {
        let kind = match (kind, rollups.as_slice()) {
            (AggKind::Sorted, [r]) if r.clauses.is_empty() => AggKind::Plain,
            (AggKind::Mixed, [_]) => AggKind::Hashed,
            (k, _) => k,
        };
        let cost = |kind: AggKind, r: &Rollup, startup: f64, total: f64| {
            let cols = r.sets.first().map_or(0, |s| s.refs.len());
            agg(
                g,
                kind,
                self.costs,
                cols,
                r.groups,
                startup,
                total,
                sub.rows,
                sub.target.width,
                self.having_cost,
                self.having_sel,
                !self.having.is_empty(),
            )
        };
        let (mut startup, mut total, mut rows) = (0.0, 0.0, 0.0);
        let mut first_sort = true;
        for (i, r) in rollups.iter().enumerate() {
            if i == 0 {
                (startup, total, rows) = cost(kind, r, sub.startup, sub.total);
                first_sort = r.hashed;
                continue;
            }
            let (t, n) = if r.hashed || first_sort {
                first_sort &= r.hashed;
                let c = cost(if r.hashed { AggKind::Hashed } else { AggKind::Sorted }, r, 0.0, 0.0);
                (c.1, c.2)
            } else {
                let s = sort_path(g, sub, &[], -1.0);
                let c = cost(AggKind::Sorted, r, s.startup - sub.total, s.total - sub.total);
                (c.1, c.2)
            };
            total += t;
            rows += n;
        }
        startup += self.out.cost.startup;
        total += self.out.cost.startup + self.out.cost.per_tuple * rows;
        let keys = match (kind, rollups.len()) {
            (AggKind::Sorted, 1) => self.root.group_pathkeys.clone(),
            _ => Vec::new(),
        };
        let k = PathKind::GroupingSets { sub: sub.clone(), kind, rollups, qual: self.having.to_vec() };
        let mut p = Path::new(k, sub.rel, self.out.clone()).cost(rows, startup, total);
        p.keys = keys.into();
        p
    }
}

/// As many items as fit, by their weights.
fn knapsack(capacity: usize, weights: &[usize]) -> Vec<usize> {
    let mut best: Vec<Vec<usize>> = vec![Vec::new(); capacity + 1];
    for (i, &w) in weights.iter().enumerate() {
        for j in (w..=capacity).rev() {
            if best[j].len() <= best[j - w].len() + 1 {
                let mut l = best[j - w].clone();
                l.push(i);
                best[j] = l;
            }
        }
    }
    best.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewest_chains() {
        // CUBE (1, 2): two chains.
        let l = chains(vec![vec![], vec![1], vec![2], vec![1, 2]]);
        assert_eq!(l.len(), 2);
        assert_eq!(l.iter().map(Vec::len).sum::<usize>(), 4);
        let l = chains(vec![vec![], vec![1], vec![1, 2], vec![1, 2, 3]]);
        assert_eq!(l, vec![vec![vec![], vec![1], vec![1, 2], vec![1, 2, 3]]]);
        assert_eq!(knapsack(5, &[4, 3, 2]), vec![1, 2]);
    }
}
