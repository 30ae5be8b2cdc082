//! Log records of the btree and their redo. Hot changes (leaf insert, delete, dedup) are logged by what they did, page
//! rebuilds by full-page images; every redo compares the page's LSN first, so replaying twice changes nothing.

use super::page::{self, Meta, Opaque};
use super::split::LeftHalf;
use common::{BlockNumber, Error, Result, Xid};
use storage::{Page, Record, RedoAction, RegFlags, Store};

/// Insert an item. Block 0: page, data = offset u16, item. Block 1 (internal only): child whose split this completes.
pub const INSERT: u8 = 0x00;
/// Page split. Block 0 left (data: [`LeftHalf`]), 1 right (image), 2 right's right sibling, 3 completed child.
pub const SPLIT: u8 = 0x10;
/// A root: block 0 root (image), 1 completed left child (optional), 2 metapage (image).
pub const NEW_ROOT: u8 = 0x20;
/// Items removed from a leaf (vacuum or before a split): block 0, data = offsets u16.
pub const DELETE: u8 = 0x30;
/// Items replaced (vacuumed or new posting lists): block 0, data = offset u16, length u16, item ….
pub const REPLACE: u8 = 0x40;
/// A leaf's downlink is removed: block 0 leaf, 1 parent (data: offset u16, child u32).
pub const MARK_HALF_DEAD: u8 = 0x50;
/// A half-dead leaf is unlinked: block 0 leaf (data: safe xid u64), 1 left sibling, 2 right sibling.
pub const UNLINK: u8 = 0x60;
/// Pages that need nothing but their images (dedup, builds, metapage).
pub const IMAGES: u8 = 0x70;
/// Insert into a posting list: block 0, data = offset u16, length u16, new list, tuple to go behind it.
pub const INSERT_POSTING: u8 = 0x80;

fn short() -> Error {
    Error::corrupted("btree log record is too short")
}
pub(crate) fn u16_at(d: &[u8], o: usize) -> Result<u16> {
    d.get(o..o + 2).and_then(|b| b.first_chunk()).map(|b| u16::from_le_bytes(*b)).ok_or_else(short)
}
pub(crate) fn u32_at(d: &[u8], o: usize) -> Result<u32> {
    d.get(o..o + 4).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b)).ok_or_else(short)
}
pub(crate) fn u64_at(d: &[u8], o: usize) -> Result<u64> {
    d.get(o..o + 8).and_then(|b| b.first_chunk()).map(|b| u64::from_le_bytes(*b)).ok_or_else(short)
}

/// Applies `f` to block `id` if it needs it.
fn apply(store: &Store, r: &Record, id: u8, f: impl FnOnce(&mut Page, &[u8]) -> Result<()>) -> Result<()> {
    if r.block(id).is_none() {
        return Ok(());
    }
    if let RedoAction::NeedsRedo(mut p) = store.read_for_redo(r, id)? {
        f(p.page(), r.block_data(id))?;
    }
    Ok(())
}

fn clear_incomplete(p: &mut Page) -> Result<()> {
    let mut o = Opaque::read(p)?;
    o.flags &= !page::INCOMPLETE_SPLIT;
    o.write(p);
    Ok(())
}

/// Redo of one record.
pub fn redo(store: &Store, r: &Record) -> Result<()> {
    match r.info & 0xf0 {
        INSERT => {
            apply(store, r, 1, |p, _| clear_incomplete(p))?;
            apply(store, r, 0, |p, d| {
                let off = u16_at(d, 0)?;
                if !p.insert_item(off, d.get(2..).unwrap_or(&[])) {
                    return Err(Error::corrupted("btree insert redo: failed to add item"));
                }
                Ok(())
            })
        }
        SPLIT => redo_split(store, r),
        NEW_ROOT => {
            apply(store, r, 0, |_, _| Err(image_missing()))?;
            apply(store, r, 1, |p, _| clear_incomplete(p))?;
            apply(store, r, 2, |_, _| Err(image_missing()))
        }
        DELETE => apply_cleanup(store, r, |p, d| apply_delete(p, &offsets(d))),
        REPLACE => apply_cleanup(store, r, apply_replace),
        INSERT_POSTING => apply(store, r, 0, apply_insert_posting),
        MARK_HALF_DEAD => {
            apply(store, r, 1, |p, d| apply_remove_downlink(p, u16_at(d, 0)?, BlockNumber(u32_at(d, 2)?)))?;
            apply(store, r, 0, |p, _| apply_half_dead(p))
        }
        UNLINK => redo_unlink(store, r),
        IMAGES => (0..r.block_count()).try_for_each(|id| apply(store, r, id, |_, _| Err(image_missing()))),
        other => Err(Error::corrupted(format!("unknown btree log record {other:#x}"))),
    }
}

fn image_missing() -> Error {
    Error::corrupted("btree log record lacks its page image")
}

fn apply_cleanup(store: &Store, r: &Record, f: impl FnOnce(&mut Page, &[u8]) -> Result<()>) -> Result<()> {
    if let RedoAction::NeedsRedo(mut p) = store.read_for_redo_cleanup(r, 0)? {
        f(p.page(), r.block_data(0))?;
    }
    Ok(())
}

fn offsets(d: &[u8]) -> Vec<u16> {
    d.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect()
}

fn redo_split(store: &Store, r: &Record) -> Result<()> {
    apply(store, r, 3, |p, _| clear_incomplete(p))?;
    apply(store, r, 1, |_, _| Err(image_missing()))?;
    let right = r.block(1).ok_or_else(short)?.block;
    apply(store, r, 0, |p, d| {
        let half = LeftHalf::decode(d)?;
        let rebuilt = half.build(p, right)?;
        p.bytes_mut().copy_from_slice(rebuilt.bytes());
        Ok(())
    })?;
    apply(store, r, 2, |p, _| {
        let mut o = Opaque::read(p)?;
        o.prev = right;
        o.write(p);
        Ok(())
    })
}

/// Removes items from a leaf and the garbage flag.
pub(crate) fn apply_delete(p: &mut Page, offs: &[u16]) -> Result<()> {
    p.index_multi_delete(offs)?;
    let mut o = Opaque::read(p)?;
    o.flags &= !page::HAS_GARBAGE;
    o.write(p);
    Ok(())
}

/// Replaces items by others with the same key.
pub(crate) fn apply_replace(p: &mut Page, d: &[u8]) -> Result<()> {
    let mut at = 0;
    let mut items = Vec::new();
    while at < d.len() {
        let (off, len) = (u16_at(d, at)?, u16_at(d, at + 2)? as usize);
        items.push((off, d.get(at + 4..at + 4 + len).ok_or_else(short)?));
        at += 4 + len;
    }
    if p.index_shrink(&items)? {
        return Ok(());
    }
    for (off, item) in items {
        if !p.index_overwrite(off, item)? {
            return Err(Error::corrupted("btree replace: item does not fit"));
        }
    }
    Ok(())
}

/// The page's part of [`INSERT_POSTING`].
pub(crate) fn apply_insert_posting(p: &mut Page, d: &[u8]) -> Result<()> {
    let (off, len) = (u16_at(d, 0)?, u16_at(d, 2)? as usize);
    let list = d.get(4..4 + len).ok_or_else(short)?;
    if !p.index_overwrite(off, list)? || !p.insert_item(off + 1, &d[4 + len..]) {
        return Err(Error::corrupted("btree posting list insertion does not fit"));
    }
    Ok(())
}

/// The parent's part of [`MARK_HALF_DEAD`]: the item at `off` takes over its right neighbour's child, which goes.
pub(crate) fn apply_remove_downlink(p: &mut Page, off: u16, right_child: BlockNumber) -> Result<()> {
    super::tuple::set_downlink(p.item_mut(off)?, right_child);
    p.index_delete(off + 1)
}

/// The leaf's part of [`MARK_HALF_DEAD`].
pub(crate) fn apply_half_dead(p: &mut Page) -> Result<()> {
    let mut o = Opaque::read(p)?;
    o.flags |= page::HALF_DEAD;
    o.flags &= !page::HAS_GARBAGE;
    o.write(p);
    Ok(())
}

/// The leaf's part of [`UNLINK`].
pub(crate) fn apply_deleted(p: &mut Page, safe: Xid) -> Result<()> {
    let mut o = Opaque::read(p)?;
    o.flags = (o.flags | page::DELETED) & !page::HALF_DEAD;
    o.write(p);
    p.set_xid_base(safe.0);
    Ok(())
}

fn redo_unlink(store: &Store, r: &Record) -> Result<()> {
    let left = r.block(1).map(|b| b.block);
    let right = r.block(2).ok_or_else(short)?.block;
    apply(store, r, 1, |p, _| {
        let mut o = Opaque::read(p)?;
        o.next = right;
        o.write(p);
        Ok(())
    })?;
    apply(store, r, 0, |p, d| apply_deleted(p, Xid(u64_at(d, 0)?)))?;
    apply(store, r, 2, |p, _| {
        let mut o = Opaque::read(p)?;
        o.prev = left.unwrap_or(page::NONE);
        o.write(p);
        Ok(())
    })
}

/// Overwrites the metapage and registers it as block `id` with an image.
pub(crate) fn register_meta(
    cr: &storage::Critical,
    rec: &mut Option<storage::RecordBuilder>,
    meta_page: &mut storage::PageMut,
    meta: &Meta,
    id: u8,
) {
    meta.write(cr.page(meta_page));
    if let Some(r) = rec {
        r.block(id, meta_page, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
    }
}
