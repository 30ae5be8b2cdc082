//! Overwriting a row where it stands.
use crate::rel::Rel;
use crate::txn::Engine;
use common::{Error, Result, Tid};
use types::DatumRef;

/// Overwrites fixed-width columns (attribute number from 1, value) of the version at `tid`, non-transactionally:
/// statistics in `pg_class`, sequences' rows. The tuple's size must not change.
pub fn inplace_update(_eng: &Engine, _rel: &Rel, _tid: Tid, _values: &[(u16, DatumRef<'_>)]) -> Result<()> {
    Err(Error::unsupported("in-place update"))
}
