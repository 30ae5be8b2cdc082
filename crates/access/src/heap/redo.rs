//! Redo of the heap.
use common::{Error, Result};
use storage::{Record, Store};

/// Redo of [`storage::RmgrId::HEAP`] records.
pub fn redo_heap(_s: &Store, _r: &Record) -> Result<()> {
    Err(Error::unsupported("heap redo"))
}
/// Redo of [`storage::RmgrId::HEAP2`] records.
pub fn redo_heap2(_s: &Store, _r: &Record) -> Result<()> {
    Err(Error::unsupported("heap redo"))
}
