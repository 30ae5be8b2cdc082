//! Inserting an entry.
use super::unique::UniqueCheck;
use crate::rel::{IndexRel, Rel};
use crate::txn::Engine;
use common::{Error, Result, Tid};
use types::DatumRef;

/// Inserts an entry for the row at `tid`: all index columns' values. Returns false when the check is `Partial` and
/// there may be a duplicate; `true` otherwise. 23505, 54000.
pub fn insert(
    _eng: &Engine,
    _ix: &IndexRel,
    _heap: &Rel,
    _values: &[DatumRef<'_>],
    _tid: Tid,
    _check: UniqueCheck,
) -> Result<bool> {
    Err(Error::unsupported("index insert"))
}

pub(crate) fn alloc_page(_eng: &Engine, _ix: &IndexRel) -> Result<storage::PageMut> {
    Err(Error::unsupported("index insert"))
}
pub(crate) fn insert_internal(
    _eng: &Engine,
    _ix: &IndexRel,
    _parent: storage::PageMut,
    _pivot: &[u8],
    _off: u16,
    _stack: super::search::Stack,
    _child: storage::PageMut,
) -> Result<()> {
    Err(Error::unsupported("index insert"))
}
