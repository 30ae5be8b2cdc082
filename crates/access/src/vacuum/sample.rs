//! Sampling rows for ANALYZE.
use crate::rel::Rel;
use crate::txn::Engine;
use common::{Error, Result};
use std::rc::Rc;
use types::Batch;

/// A random sample of a table.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The rows, all attributes in order, in physical order; at most the target (may exceed 1,024 rows).
    pub rows: Batch,
    /// Estimated live and dead rows in the table.
    pub total_rows: f64,
    pub dead_rows: f64,
    pub pages: u32,
    pub scanned_pages: u32,
}

/// Takes up to `target` rows at random (blocks chosen evenly, rows by reservoir). `rand` yields values in [0, 1).
pub fn sample_rows(
    _eng: &Engine,
    _rel: &Rc<Rel>,
    _target: usize,
    _rand: &mut dyn FnMut() -> f64,
) -> Result<Sample> {
    Err(Error::unsupported("ANALYZE"))
}
