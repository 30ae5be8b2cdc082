//! Updating rows.
use super::{LockWait, RowLock, TmResult};
use crate::rel::Rel;
use crate::txn::Engine;
use common::{CommandId, Error, Result, Tid};
use types::DatumRef;

/// What an update needs to know besides the values.
#[derive(Clone, Copy, Debug)]
pub struct UpdateOptions<'a> {
    pub cid: CommandId,
    pub wait: LockWait,
    /// Attributes (from 1, ascending) in any index, expressions and predicates included: HOT needs them unchanged.
    pub indexed_attrs: &'a [u16],
    /// Attributes of unique indexes that foreign keys may refer to: unchanged ones need the weaker row lock only.
    pub key_attrs: &'a [u16],
    /// Attributes (ascending) that the statement may have changed; `None` = any. The others keep their stored form.
    pub changed: Option<&'a [u16]>,
}

/// Outcome of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateResult {
    pub result: TmResult,
    /// The new version (when `result` is `Ok`).
    pub tid: Tid,
    /// The new version needs index entries (it is not heap-only).
    pub needs_index: bool,
    /// Strength of the lock taken on the old version.
    pub lock: RowLock,
}

/// Replaces the version at `tid` by one with these values (attribute order).
pub fn update(
    _eng: &Engine,
    _rel: &Rel,
    _tid: Tid,
    _values: &[DatumRef<'_>],
    _opts: &UpdateOptions<'_>,
) -> Result<UpdateResult> {
    Err(Error::unsupported("heap update"))
}
