//! Expressions over the rows of a sample.

use super::column::ValueKind;
use crate::analysis::TableScope;
use analyze::expr::Expr;
use analyze::info::{expr_collation, expr_type};
use catalog::Catalog;
use common::{Oid, Result};
use executor::ExecEnv;
use executor::expr::colops;
use executor::run::Exec;
use std::rc::Rc;
use types::{Batch, Column};

/// Rows evaluated at a time.
const PIECE: usize = 1024;

/// The type of an expression's values; `collation`: that of the index column they are for.
pub fn kind_of(catalog: &Catalog, e: &Expr, collation: Option<Oid>) -> Result<ValueKind> {
    let t = catalog.type_desc(expr_type(e))?;
    let collation = collation.filter(|c| c.is_valid()).unwrap_or_else(|| expr_collation(e));
    Ok(ValueKind { type_oid: t.oid, len: t.len, collation })
}

/// Values of the expressions in the rows that satisfy the predicate, and how many those are.
pub fn evaluate(
    env: &Rc<ExecEnv>,
    exprs: &[Expr],
    predicate: &[Expr],
    sample: &Batch,
) -> Result<(Vec<Column>, usize)> {
    let natts = sample.cols.len();
    let scope = TableScope { natts };
    let mut program = executor::expr::compile(env, exprs.iter(), &scope)?;
    let mut qual = executor::expr::qual::Qual::compile(env, predicate, &scope)?;
    let exec = Exec::bare(env);
    let mut out: Vec<Column> = program.phys.iter().map(|p| Column::new(*p)).collect();
    let mut found = 0;
    for lo in (0..sample.rows).step_by(PIECE) {
        let hi = (lo + PIECE).min(sample.rows);
        let mut piece = colops::like(sample);
        for (to, from) in piece.cols.iter_mut().zip(&sample.cols) {
            if from.len() >= hi {
                colops::append_range(to, from, lo, hi);
            } else {
                // The column was not read: dropped.
                to.resize(hi - lo);
            }
        }
        piece.rows = hi - lo;
        if let Some(q) = &mut qual {
            q.filter(&exec, &mut piece)?;
        }
        program.run(&exec, &piece, piece.live())?;
        for (k, to) in out.iter_mut().enumerate() {
            let value = program.result(k, &piece);
            piece.live().each(|i| {
                to.push(value.get(i));
                Ok::<(), common::Error>(())
            })?;
        }
        found += piece.live_count();
    }
    Ok((out, found))
}
