//! Everything done to a query before paths are looked for: WITH, sub-links to joins, sub-query pull-up, expression
//! preprocessing, outer-join reduction. Called once per query level by `subquery_planner`.

pub mod aliases;
pub mod cte;
pub mod groupby;
pub mod inline_function;
pub mod numbering;
pub mod outerjoin;
pub mod pullup;
pub mod sublinks;
pub mod union_all;
pub mod wholerow;

use crate::relids::Relids;
use analyze::query::{FromExpr, JoinTree};

/// Base (and join) range table numbers inside a join tree node.
pub fn tree_relids(t: &JoinTree) -> Relids {
    match t {
        JoinTree::Rte(n) => Relids::single(*n),
        JoinTree::Join(j) => tree_relids(&j.left) | tree_relids(&j.right),
        JoinTree::From(f) => from_relids(f),
    }
}

/// [`tree_relids`] of a FROM list.
pub fn from_relids(f: &FromExpr) -> Relids {
    f.from.iter().fold(Relids::EMPTY, |r, t| r | tree_relids(t))
}

/// [`tree_relids`] plus the joins' own range table numbers.
pub fn tree_relids_with_joins(t: &JoinTree) -> Relids {
    match t {
        JoinTree::Rte(n) => Relids::single(*n),
        JoinTree::Join(j) => {
            let r = tree_relids_with_joins(&j.left) | tree_relids_with_joins(&j.right);
            if j.rtindex != 0 { r | Relids::single(j.rtindex) } else { r }
        }
        JoinTree::From(f) => f.from.iter().fold(Relids::EMPTY, |r, t| r | tree_relids_with_joins(t)),
    }
}
