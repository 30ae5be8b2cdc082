//! The cost model: PostgreSQL 15's published formulas. Unit: one sequential page read.

pub mod join;
pub mod scan;
pub mod sort;
pub mod upper;

use crate::exprs::{QualCost, cost_expr};
use crate::root::{Glob, Ri};
use analyze::expr::Expr;

/// Added to disabled node types.
pub const DISABLE_COST: f64 = 1.0e10;

/// Binary logarithm as PostgreSQL computes it: the last digits of its costs.
#[allow(clippy::approx_constant)]
pub fn log2(x: f64) -> f64 {
    // One digit short of ln 2, so that log2(2.0) is a little over 1.
    x.ln() / 0.693147180559945
}

/// Bytes of rows in memory: header plus aligned width.
pub fn byte_size(tuples: f64, width: i32) -> f64 {
    tuples * (f64::from((width + 7) / 8 * 8) + 24.0)
}

/// Pages of rows on disk.
pub fn page_size(tuples: f64, width: i32) -> f64 {
    (byte_size(tuples, width) / 8192.0).ceil()
}

/// Cost of one clause, memoised in it.
pub fn ri_cost(g: &Glob<'_>, ri: &Ri) -> QualCost {
    if let Some(c) = ri.cost.get() {
        return c;
    }
    let mut c = cost_expr(g.ctx, &ri.clause);
    if ri.pseudoconstant {
        c.startup += c.per_tuple;
        c.per_tuple = 0.0;
    }
    ri.cost.set(Some(c));
    c
}

/// Cost of a list of clauses.
pub fn list_cost<'r>(g: &Glob<'_>, list: impl IntoIterator<Item = &'r Ri>) -> QualCost {
    list.into_iter().fold(QualCost::default(), |c, r| c + ri_cost(g, r))
}

/// Cost of a list of expressions.
pub fn exprs_cost<'e>(g: &Glob<'_>, list: impl IntoIterator<Item = &'e Expr>) -> QualCost {
    list.into_iter().fold(QualCost::default(), |c, e| c + cost_expr(g.ctx, e))
}
