//! Sequences: nextval, currval, setval and their state.

use crate::FnEnv;
use common::{Error, Oid, Result};

/// The next value.
pub fn nextval(_env: &FnEnv, _sequence: Oid) -> Result<i64> {
    Err(Error::unsupported("nextval"))
}

/// Forgets cached values and `lastval` (DISCARD SEQUENCES).
pub fn forget_all(_env: &FnEnv) {}

/// Redo of a sequence's log record.
pub fn redo(_cx: &transam::RedoCtx<'_>, _record: &storage::Record) -> Result<()> {
    Err(Error::unsupported("redo of sequences"))
}
