//! Free-space map: how much room each heap page has, approximately.
use crate::{RelFileLocator, Store};
use common::{BlockNumber, Result};

/// A block with at least `needed` free bytes, if the map knows one.
pub fn search(_store: &Store, _rel: RelFileLocator, _needed: usize) -> Result<Option<BlockNumber>> {
    Err(common::Error::unsupported("free space map"))
}
/// Records that `block` has `free` bytes.
pub fn record(_store: &Store, _rel: RelFileLocator, _block: BlockNumber, _free: usize) -> Result<()> {
    Err(common::Error::unsupported("free space map"))
}
/// Records that `block` has `free` bytes (it disappointed) and searches again.
pub fn record_and_search(
    _store: &Store,
    _rel: RelFileLocator,
    _block: BlockNumber,
    _free: usize,
    _needed: usize,
) -> Result<Option<BlockNumber>> {
    Err(common::Error::unsupported("free space map"))
}
/// What the map says about `block`, in bytes (rounded down).
pub fn recorded_free_space(_store: &Store, _rel: RelFileLocator, _block: BlockNumber) -> Result<usize> {
    Err(common::Error::unsupported("free space map"))
}
/// Propagates the leaves of heap blocks `from..to` to the upper levels.
pub fn vacuum(_store: &Store, _rel: RelFileLocator, _from: BlockNumber, _to: BlockNumber) -> Result<()> {
    Err(common::Error::unsupported("free space map"))
}
/// Prepares truncation of the heap to `nblocks`: clears the tail, returns the fork's new length in blocks (if it exists).
pub fn prepare_truncate(
    _store: &Store,
    _rel: RelFileLocator,
    _nblocks: BlockNumber,
) -> Result<Option<BlockNumber>> {
    Err(common::Error::unsupported("free space map"))
}
