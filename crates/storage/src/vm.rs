//! Visibility map: two bits per heap page, all-visible and all-frozen.
use crate::{Page, Pinned, RelFileLocator, Store};
use common::{BlockNumber, Result};

/// Every tuple of the page is visible to everyone.
pub const ALL_VISIBLE: u8 = 1;
/// Every tuple of the page is frozen.
pub const ALL_FROZEN: u8 = 2;
/// Both.
pub const VALID_BITS: u8 = 3;

/// The map block that covers `heap_block`.
pub fn map_block(heap_block: BlockNumber) -> BlockNumber {
    BlockNumber(heap_block.0 / 32640)
}
/// Pins the map page covering `heap_block`, creating and extending the fork as needed. `pin` is reused when it is it.
pub fn pin(_store: &Store, _rel: RelFileLocator, _heap_block: BlockNumber, _pin: &mut Option<Pinned>) -> Result<()> {
    crate::skeleton::later()
}
/// Is `pin` the map page covering `heap_block`?
pub fn pin_ok(_pin: &Option<Pinned>, _heap_block: BlockNumber) -> bool {
    false
}
/// The bits of `heap_block` (0 where the map has no page); caches the map page in `pin`. No lock taken.
pub fn status(_store: &Store, _rel: RelFileLocator, _heap_block: BlockNumber, _pin: &mut Option<Pinned>) -> Result<u8> {
    crate::skeleton::later()
}
/// Sets bits in a map page inside the caller's critical section, who registers the map page in its record.
/// Returns whether anything changed.
pub fn set_bits(_map_page: &mut Page, _heap_block: BlockNumber, _bits: u8) -> bool {
    false
}
/// The bits of `heap_block` in a map page.
pub fn get_bits(_map_page: &Page, _heap_block: BlockNumber) -> u8 {
    0
}
/// Clears bits: locks the pinned map page itself, no record of its own (the heap record's redo clears them again).
/// Returns whether anything was set.
pub fn clear(_store: &Store, _pin: &Pinned, _heap_block: BlockNumber, _bits: u8) -> Result<bool> {
    crate::skeleton::later()
}
/// (all-visible, all-frozen) pages.
pub fn count(_store: &Store, _rel: RelFileLocator) -> Result<(u32, u32)> {
    crate::skeleton::later()
}
/// Prepares truncation of the heap to `nblocks`: clears the tail, returns the fork's new length in blocks (if it exists).
pub fn prepare_truncate(_store: &Store, _rel: RelFileLocator, _nblocks: BlockNumber) -> Result<Option<BlockNumber>> {
    crate::skeleton::later()
}
