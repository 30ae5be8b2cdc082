//! Visibility map: two bits per heap page, all-visible and all-frozen, in the `_vm` fork. A set bit is a promise, so
//! setting is logged (by the heap, which registers the map page); clearing is always safe and needs no record of its
//! own: the redo of the heap change clears again. A broken map page reads as zeros.

use crate::buffer::guard::Pinned;
use crate::buffer::read::ReadMode;
use crate::page::{PAGE_HEADER_SIZE, PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use crate::wal::record::Record;
use crate::{RedoPage, Store};
use common::{BlockNumber, Result};
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

/// Every tuple of the page is visible to everyone.
pub const ALL_VISIBLE: u8 = 1;
/// Every tuple of the page is frozen.
pub const ALL_FROZEN: u8 = 2;
/// Both.
pub const VALID_BITS: u8 = 3;

const BYTES: usize = PAGE_SIZE - PAGE_HEADER_SIZE;
/// Heap pages one map page covers.
pub const HEAP_BLOCKS_PER_PAGE: u32 = BYTES as u32 * 4;

fn place(heap_block: BlockNumber) -> (usize, u32) {
    let n = heap_block.0 % HEAP_BLOCKS_PER_PAGE;
    (PAGE_HEADER_SIZE + n as usize / 4, (n % 4) * 2)
}

/// The map block that covers `heap_block`.
pub fn map_block(heap_block: BlockNumber) -> BlockNumber {
    BlockNumber(heap_block.0 / HEAP_BLOCKS_PER_PAGE)
}

/// Pins the map page covering `heap_block`, creating and extending the fork as needed. `pin` is reused when it is it.
pub fn pin(
    store: &Store,
    rel: RelFileLocator,
    heap_block: BlockNumber,
    pin: &mut Option<Pinned>,
) -> Result<()> {
    if !pin_ok(pin, heap_block) {
        *pin = None;
        *pin = Some(ensure_page(store, rel, Fork::Vm, map_block(heap_block))?);
    }
    Ok(())
}
/// Is `pin` the map page covering `heap_block`? (Of the same relation: the caller keeps one pin per relation.)
pub fn pin_ok(pin: &Option<Pinned>, heap_block: BlockNumber) -> bool {
    pin.as_ref().is_some_and(|p| p.block() == map_block(heap_block))
}
/// The bits of `heap_block` (0 where the map has no page); caches the map page in `pin`. No lock taken: the answer may be
/// outdated at once unless the caller holds the heap page.
pub fn status(
    store: &Store,
    rel: RelFileLocator,
    heap_block: BlockNumber,
    pin: &mut Option<Pinned>,
) -> Result<u8> {
    if !pin_ok(pin, heap_block) {
        *pin = None;
        let b = map_block(heap_block);
        if store.nblocks_or_zero(rel, Fork::Vm)? <= b {
            return Ok(0);
        }
        *pin = Some(store.read(rel, Fork::Vm, b, ReadMode::ZeroOnError, None)?);
    }
    let Some(p) = pin else { return Ok(0) };
    let (at, shift) = place(heap_block);
    Ok((byte_of(p, at).load(Relaxed) >> shift) & VALID_BITS)
}
/// Sets bits in a map page inside the caller's critical section, who registers the map page in its record.
/// Returns whether anything changed.
pub fn set_bits(map_page: &mut Page, heap_block: BlockNumber, bits: u8) -> bool {
    if map_page.is_new() {
        map_page.init(0);
    }
    let (at, shift) = place(heap_block);
    let b = &mut map_page.bytes_mut()[at];
    let new = *b | (bits & VALID_BITS) << shift;
    std::mem::replace(b, new) != new
}
/// The bits of `heap_block` in a map page.
pub fn get_bits(map_page: &Page, heap_block: BlockNumber) -> u8 {
    let (at, shift) = place(heap_block);
    (map_page.bytes()[at] >> shift) & VALID_BITS
}
/// Clears bits: locks the pinned map page itself, no record of its own (the heap record's redo clears them again).
/// Returns whether anything was set. May be called inside a critical section: it does not fail then.
pub fn clear(store: &Store, pin: &Pinned, heap_block: BlockNumber, bits: u8) -> Result<bool> {
    let mut page = pin.exclusive();
    if get_bits(&page, heap_block) & bits == 0 {
        return Ok(false);
    }
    let crit = store.begin_critical();
    clear_in(crit.page(&mut page), heap_block, bits);
    crit.unlogged();
    Ok(true)
}
fn clear_in(page: &mut Page, heap_block: BlockNumber, bits: u8) {
    let (at, shift) = place(heap_block);
    page.bytes_mut()[at] &= !((bits & VALID_BITS) << shift);
}
/// Clears bits in redo of a heap record that does not register the map page.
pub fn redo_clear(
    store: &Store,
    record: &Record,
    rel: RelFileLocator,
    heap_block: BlockNumber,
    bits: u8,
) -> Result<()> {
    if let Some(mut p) = store.read_unregistered_for_redo(record, rel, Fork::Vm, map_block(heap_block))?
        && get_bits(p.as_page(), heap_block) & bits != 0
    {
        // The page's LSN must not grow: a later record that registers the page still has to be applied.
        p.change_keeping_lsn(|page| clear_in(page, heap_block, bits));
    }
    Ok(())
}
/// The map page of a heap block in redo of a record that registers it under `id` (setting bits): applies `bits`.
pub fn redo_set(store: &Store, record: &Record, id: u8, heap_block: BlockNumber, bits: u8) -> Result<()> {
    if record.has_image(id) {
        store.read_for_redo(record, id)?;
        return Ok(());
    }
    // The fork's extension is not logged: make the page exist.
    let Some(b) = record.block(id) else { return Ok(()) };
    let pin = ensure_page(store, b.rel, Fork::Vm, b.block)?;
    let mut p = RedoPage::lock(pin, record);
    if p.as_page().lsn() < record.end {
        set_bits(p.page(), heap_block, bits);
    }
    Ok(())
}

/// (all-visible, all-frozen) pages.
pub fn count(store: &Store, rel: RelFileLocator) -> Result<(u32, u32)> {
    let mut visible = 0;
    let mut frozen = 0;
    for b in 0..store.nblocks_or_zero(rel, Fork::Vm)?.0 {
        let p = store.read(rel, Fork::Vm, BlockNumber(b), ReadMode::ZeroOnError, None)?;
        let page = p.share();
        for w in page.bytes()[PAGE_HEADER_SIZE..].chunks_exact(8) {
            let mut a = [0; 8];
            a.copy_from_slice(w);
            let w = u64::from_le_bytes(a);
            visible += (w & 0x5555_5555_5555_5555).count_ones();
            frozen += (w & 0xAAAA_AAAA_AAAA_AAAA).count_ones();
        }
    }
    Ok((visible, frozen))
}
/// Prepares truncation of the heap to `nblocks`: clears the tail of the last page that stays, returns the fork's new
/// length in blocks (`None` when there is nothing to cut).
pub fn prepare_truncate(
    store: &Store,
    rel: RelFileLocator,
    nblocks: BlockNumber,
) -> Result<Option<BlockNumber>> {
    let have = store.nblocks_or_zero(rel, Fork::Vm)?;
    let keep = BlockNumber(nblocks.0.div_ceil(HEAP_BLOCKS_PER_PAGE));
    if !nblocks.0.is_multiple_of(HEAP_BLOCKS_PER_PAGE) && map_block(nblocks) < have {
        let pin = store.read(rel, Fork::Vm, map_block(nblocks), ReadMode::ZeroOnError, None)?;
        let mut page = pin.into_exclusive();
        let (at, shift) = place(nblocks);
        let crit = store.begin_critical();
        let p = crit.page(&mut page);
        p.bytes_mut()[at] &= !(0xffu8.wrapping_shl(shift));
        p.bytes_mut()[at + 1..].fill(0);
        // A bit left for a block beyond the heap's end would lie about the block that comes there later: logged. A crash
        // before the truncation leaves bits cleared of blocks that stay, which is safe.
        if store.in_recovery() || rel.is_temp() {
            crit.unlogged();
        } else {
            let mut rec =
                crit.record(crate::RmgrId::XLOG, crate::wal::record::xlog_info::FPI, common::Xid::INVALID);
            rec.block(0, &page, crate::RegFlags::RAW | crate::RegFlags::FORCE_IMAGE);
            crit.log(rec);
        }
    }
    Ok((keep < have).then_some(keep))
}

fn byte_of(pin: &Pinned, at: usize) -> &AtomicU8 {
    debug_assert!(at < PAGE_SIZE);
    // SAFETY: `at` lies in the block, which the pin keeps in place; a byte is read atomically. Writers hold the
    // exclusive lock and write bytes.
    unsafe { AtomicU8::from_ptr(pin.page_pinned().bytes().as_ptr().add(at).cast_mut()) }
}

/// The page of a map fork, created with everything before it when it is not there. Map pages are initialised when
/// first written; zeros mean "no bit set".
pub(crate) fn ensure_page(
    store: &Store,
    rel: RelFileLocator,
    fork: Fork,
    block: BlockNumber,
) -> Result<Pinned> {
    if store.nblocks_or_zero(rel, fork)? <= block {
        let _lock = store.extension_lock(rel, fork);
        if !store.file_exists(rel, fork)? {
            store.create_file(rel, fork, true)?;
        }
        let n = store.nblocks(rel, fork)?;
        if n <= block {
            store.extend_locked(rel, fork, n.0, block.0 + 1 - n.0)?;
        }
    }
    let pin = store.read(rel, fork, block, ReadMode::ZeroOnError, None)?;
    if pin.page_pinned().is_new() {
        let mut page = pin.exclusive();
        if page.is_new() {
            page.raw().init(0);
        }
    }
    Ok(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_do_not_touch_their_neighbours() {
        let mut p = Page::zeroed();
        for b in [0, 1, 2, 3, 4, HEAP_BLOCKS_PER_PAGE - 1, HEAP_BLOCKS_PER_PAGE] {
            let b = BlockNumber(b);
            assert!(set_bits(&mut p, b, ALL_VISIBLE));
            assert!(!set_bits(&mut p, b, ALL_VISIBLE));
            assert_eq!(get_bits(&p, b), ALL_VISIBLE);
            clear_in(&mut p, b, VALID_BITS);
            assert_eq!(get_bits(&p, b), 0);
        }
        set_bits(&mut p, BlockNumber(5), VALID_BITS);
        assert_eq!((get_bits(&p, BlockNumber(4)), get_bits(&p, BlockNumber(6))), (0, 0));
    }
}
