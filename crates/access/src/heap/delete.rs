//! Deleting rows.
use super::{LockWait, TmResult};
use crate::rel::Rel;
use crate::txn::Engine;
use common::{CommandId, Error, Result, Tid};

/// Deletes the version at `tid`. With [`LockWait::Block`] it waits for a concurrent modifier first; in the result
/// `Updated` or `Deleted` nothing was changed.
pub fn delete(_eng: &Engine, _rel: &Rel, _tid: Tid, _cid: CommandId, _wait: LockWait) -> Result<TmResult> {
    Err(Error::unsupported("heap delete"))
}
