//! Extended statistics of a sample: numbers of distinct combinations, functional dependencies, most common combinations.
//! Every dimension's values are replaced by their ranks first, so that all of it works on small numbers. Estimators and
//! thresholds are PostgreSQL's.

use super::column::{self, ValueKind};
use super::qsort;
use catalog::Catalog;
use catalog::ext_stats::{Dependence, McvList, Member, NDistinct};
use common::Result;
use std::cmp::Ordering;
use types::{Column, Datum, DatumRef};

/// A column or expression of a statistics object.
pub struct Dimension {
    member: Member,
    kind: ValueKind,
    /// By row of the sample: rank of the value among the distinct ones; NULL comes last.
    ranks: Vec<u32>,
    /// By rank: the first row that has the value.
    first: Vec<u32>,
    /// Rows whose value is too wide for lists; empty if there are none.
    wide: Vec<bool>,
}

impl Dimension {
    /// `None`: the type has no order.
    pub fn new(
        catalog: &Catalog,
        member: Member,
        kind: ValueKind,
        col: &Column,
        rows: usize,
    ) -> Result<Option<Dimension>> {
        let Some((cmp, _, _)) = column::order(catalog, kind.type_oid)? else { return Ok(None) };
        let coll = catalog.collation(kind.collation)?;
        let order = |a: DatumRef<'_>, b: DatumRef<'_>| match (a.is_null(), b.is_null()) {
            (false, false) => cmp(coll, a, b),
            (a, b) => a.cmp(&b),
        };
        let mut sorted: Vec<u32> = (0..rows as u32).collect();
        sorted.sort_by(|x, y| order(col.get(*x as usize), col.get(*y as usize)).then(x.cmp(y)));
        let mut ranks = vec![0; rows];
        let mut first: Vec<u32> = Vec::new();
        for row in sorted {
            let new = first
                .last()
                .is_none_or(|f| order(col.get(*f as usize), col.get(row as usize)) != Ordering::Equal);
            if new {
                first.push(row);
            }
            ranks[row as usize] = first.len() as u32 - 1;
        }
        let is_wide =
            |i| kind.len < 0 && matches!(col.get(i), DatumRef::Bytes(b) if column::too_wide(b.len()));
        let wide: Vec<bool> = (0..rows).map(is_wide).collect();
        let wide = if wide.contains(&true) { wide } else { Vec::new() };
        Ok(Some(Dimension { member, kind, ranks, first, wide }))
    }
}

/// The sample with the dimensions of one statistics object: columns ascending, then expressions.
pub struct Data<'a> {
    pub dims: Vec<(Dimension, &'a Column)>,
    pub rows: usize,
    pub total_rows: f64,
}

/// Calls `f` with every ascending choice of `k` out of `n`.
fn choices(n: usize, k: usize, f: &mut dyn FnMut(&[usize])) {
    fn more(n: usize, k: usize, from: usize, chosen: &mut Vec<usize>, f: &mut dyn FnMut(&[usize])) {
        if chosen.len() == k {
            return f(chosen);
        }
        for i in from..n {
            chosen.push(i);
            more(n, k, i + 1, chosen, f);
            chosen.pop();
        }
    }
    more(n, k, 0, &mut Vec::new(), f);
}

impl Data<'_> {
    fn ranks(&self, dims: &[usize], row: usize) -> impl Iterator<Item = u32> {
        dims.iter().map(move |d| self.dims[*d].0.ranks[row])
    }

    fn same(&self, dims: &[usize], x: usize, y: usize) -> bool {
        dims.iter().all(|d| self.dims[*d].0.ranks[x] == self.dims[*d].0.ranks[y])
    }

    /// Rows in the order of some dimensions; without those that have a wide value there, unless `all`.
    fn sorted(&self, dims: &[usize], all: bool) -> Vec<usize> {
        let wide = |row: usize| dims.iter().any(|d| self.dims[*d].0.wide.get(row) == Some(&true));
        let mut rows: Vec<usize> = (0..self.rows).filter(|r| all || !wide(*r)).collect();
        rows.sort_by(|x, y| self.ranks(dims, *x).cmp(self.ranks(dims, *y)));
        rows
    }

    /// Runs of rows that are equal in some dimensions: the rows in order, and each run's length.
    fn groups(&self, dims: &[usize], rows: &[usize]) -> Vec<usize> {
        rows.chunk_by(|x, y| self.same(dims, *x, *y)).map(<[usize]>::len).collect()
    }

    fn members(&self, dims: &[usize]) -> Vec<Member> {
        dims.iter().map(|d| self.dims[*d].0.member).collect()
    }

    /// Distinct combinations of every two and more dimensions.
    pub fn ndistinct(&self) -> Vec<NDistinct> {
        let mut out = Vec::new();
        for k in 2..=self.dims.len() {
            choices(self.dims.len(), k, &mut |dims| {
                let groups = self.groups(dims, &self.sorted(dims, true));
                let once = groups.iter().filter(|n| **n == 1).count();
                let ndistinct = estimate(self.total_rows, self.rows, groups.len(), once);
                out.push(NDistinct { members: self.members(dims), ndistinct });
            });
        }
        out
    }

    /// Functional dependencies between the dimensions, those that hold nowhere left out.
    pub fn dependencies(&self) -> Vec<Dependence> {
        let n = self.dims.len();
        let mut out = Vec::new();
        for k in 2..=n {
            choices(n, k - 1, &mut |from| {
                for to in (0..n).filter(|i| !from.contains(i)) {
                    let degree = self.degree(from, to);
                    if degree != 0.0 {
                        let dims: Vec<usize> = from.iter().copied().chain([to]).collect();
                        out.push(Dependence { members: self.members(&dims), degree });
                    }
                }
            });
        }
        out
    }

    /// Share of the rows in groups (by `from`) that have one value of `to`.
    fn degree(&self, from: &[usize], to: usize) -> f64 {
        let dims: Vec<usize> = from.iter().copied().chain([to]).collect();
        let rows = self.sorted(&dims, false);
        let supporting: usize = rows
            .chunk_by(|x, y| self.same(from, *x, *y))
            .filter(|g| g.first().zip(g.last()).is_some_and(|(a, b)| self.same(&[to], *a, *b)))
            .map(<[usize]>::len)
            .sum();
        supporting as f64 / self.rows as f64
    }

    /// The most common combinations of all dimensions; `None` if none is worth it.
    pub fn mcv(&self, target: usize) -> Option<McvList> {
        let dims: Vec<usize> = (0..self.dims.len()).collect();
        let rows = self.sorted(&dims, false);
        let mut groups: Vec<(usize, usize)> =
            rows.chunk_by(|x, y| self.same(&dims, *x, *y)).map(|g| (g[0], g.len())).collect();
        let counts = self.value_counts(&groups);
        qsort::sort(&mut groups, &mut |a, b| b.1.cmp(&a.1));
        let least = least_count(self.rows as f64, self.total_rows);
        groups.truncate(target);
        groups.truncate(groups.iter().position(|g| (g.1 as f64) < least).unwrap_or(groups.len()));
        if groups.is_empty() {
            return None;
        }
        let mut list = McvList::default();
        for (dim, col) in &self.dims {
            list.types.push(dim.kind.type_oid);
            let value =
                |row: usize| -> Datum { col.get(dim.first[dim.ranks[row] as usize] as usize).to_owned() };
            list.values.push(groups.iter().map(|g| value(g.0)).collect());
        }
        for (row, count) in groups {
            list.frequency.push(count as f64 / self.rows as f64);
            let shares = self
                .dims
                .iter()
                .zip(&counts)
                .map(|((dim, _), by_rank)| by_rank[dim.ranks[row] as usize] as f64 / self.rows as f64);
            list.base.push(shares.fold(1.0, |a, b| a * b));
        }
        Some(list)
    }

    /// By dimension and rank: rows of the groups that have the value.
    fn value_counts(&self, groups: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let count = |dim: &Dimension| {
            let mut by_rank = vec![0; dim.first.len()];
            for (row, n) in groups {
                by_rank[dim.ranks[*row] as usize] += n;
            }
            by_rank
        };
        self.dims.iter().map(|(d, _)| count(d)).collect()
    }
}

/// Distinct combinations in a table of which a sample has `d`, `f1` of them once.
fn estimate(total: f64, rows: usize, d: usize, f1: usize) -> f64 {
    let (n, d, f1) = (rows as f64, d as f64, f1 as f64);
    let found = n * d / ((n - f1) + f1 * n / total);
    let found = if found < d { d } else { found };
    let found = if found > total { total } else { found };
    (found + 0.5).floor()
}

/// How often a combination must occur in the sample for its frequency to be known well enough.
fn least_count(n: f64, total: f64) -> f64 {
    let below = total - n + 0.04 * n * (total - 1.0);
    if below == 0.0 { 0.0 } else { n * (total - n) / below }
}
