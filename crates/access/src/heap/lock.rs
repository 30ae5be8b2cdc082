//! Locking rows.
use super::{LockWait, RowLock, TmResult};
use crate::rel::Rel;
use crate::txn::Engine;
use common::{CommandId, Error, Result, Tid};

/// Locks the version at `tid`. `follow_updates`: also lock the versions that later updates made of it (needed for
/// key-share locks on rows whose non-key columns were updated).
pub fn lock_tuple(
    _eng: &Engine,
    _rel: &Rel,
    _tid: Tid,
    _cid: CommandId,
    _mode: RowLock,
    _wait: LockWait,
    _follow_updates: bool,
) -> Result<TmResult> {
    Err(Error::unsupported("row locks"))
}

/// Locks the latest version of the row whose version `tid` was: follows the update chain as READ COMMITTED does
/// before it re-checks the query's conditions. On `Ok`, the address is that of the locked version, and the flag says
/// whether it is another one than `tid`.
pub fn lock_latest(
    _eng: &Engine,
    _rel: &Rel,
    _tid: Tid,
    _cid: CommandId,
    _mode: RowLock,
    _wait: LockWait,
) -> Result<(TmResult, Tid, bool)> {
    Err(Error::unsupported("row locks"))
}
