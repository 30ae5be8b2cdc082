//! Uniqueness.
use crate::rel::{IndexRel, Rel};
use crate::txn::Engine;
use common::{Error, Result, Tid};
use types::DatumRef;

/// How an insertion treats duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueCheck {
    /// The index is not unique, or is checked otherwise.
    No,
    /// 23505 at once; waits for transactions that may still abort.
    Yes,
    /// Insert anyway and report that there may be a duplicate (deferrable constraints, ON CONFLICT).
    Partial,
    /// Do not insert: the entry exists, check it now (deferred constraints).
    Existing,
}

/// What [`check_conflict`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// No live row has the key.
    None,
    /// This committed (or own) row version has it.
    Row(Tid),
}

/// ON CONFLICT: is there a live row with this key? Waits for running transactions that decide it. `own` is ignored.
pub fn check_conflict(
    _eng: &Engine,
    _ix: &IndexRel,
    _heap: &Rel,
    _values: &[DatumRef<'_>],
    _own: Option<Tid>,
) -> Result<Conflict> {
    Err(Error::unsupported("ON CONFLICT"))
}
