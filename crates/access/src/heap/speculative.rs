//! ON CONFLICT: a row is inserted speculatively, its index entries tell whether it stays.
use crate::rel::Rel;
use crate::txn::Engine;
use common::{Error, Result, Tid};

/// The row conflicts with nothing: it becomes an ordinary one.
pub fn finish_speculative(_eng: &Engine, _rel: &Rel, _tid: Tid) -> Result<()> {
    Err(Error::unsupported("ON CONFLICT"))
}

/// The row conflicts: it is killed at once, without waiting for the end of the transaction.
pub fn abort_speculative(_eng: &Engine, _rel: &Rel, _tid: Tid) -> Result<()> {
    Err(Error::unsupported("ON CONFLICT"))
}
