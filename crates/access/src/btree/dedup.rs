//! Keeping leaves from splitting for nothing: removing entries of dead rows where many versions of the same rows pile
//! up (bottom-up deletion), and merging equal keys into posting lists (deduplication).

use super::insert;
use super::page::{self, Opaque};
use super::split;
use super::tuple::{self, ITup};
use super::wal;
use crate::heap::fetch::hot_search;
use crate::rel::{IndexRel, Rel};
use crate::txn::{self, Engine};
use common::{Result, Tid};
use storage::page::maxalign;
use storage::{Page, PageMut, RegFlags, RmgrId};
use transam::Snapshot;

/// Heap blocks looked at for one leaf.
const BLOCKS_MAX: usize = 8;
/// Largest posting list tuple: a sixth of a page, so that pages with them still split well.
pub(crate) const POSTING_MAX: usize = storage::PAGE_SIZE / 6;

pub(crate) fn same_key(ix: &IndexRel, a: ITup<'_>, b: ITup<'_>) -> bool {
    let n = ix.natts();
    let (x, y) = (a.key(n), b.key(n));
    // Byte equality: values that are equal but not identical (1.0 and 1.00) stay apart.
    x.bitmap == y.bitmap && x.data == y.data
}

/// May this index have posting lists? Only where values that compare equal are identical, and without INCLUDE columns.
pub(crate) fn is_allowed(ix: &IndexRel) -> bool {
    ix.natts() == ix.nkeys() && ix.keys.iter().all(|k| k.fast.is_some())
}

/// Entries with duplicates on the leaf whose rows are dead to everyone. Version churn (updates that do not change this
/// index's columns) leaves such groups behind.
pub(crate) fn dead_duplicates(eng: &Engine, ix: &IndexRel, heap: &Rel, leaf: &PageMut) -> Result<Vec<u16>> {
    let o = Opaque::read(leaf)?;
    let (first, max) = (o.first_data(), leaf.max_offset());
    let mut candidates: Vec<(Tid, u16)> = Vec::new();
    let mut at = first;
    while at < max {
        let base = ix.tup(leaf, at)?;
        let mut end = at + 1;
        while end <= max && same_key(ix, base, ix.tup(leaf, end)?) {
            end += 1;
        }
        if end - at > 1 {
            for i in at..end {
                if let Some(tid) = insert::plain_tid(ix.tup(leaf, i)?) {
                    candidates.push((tid, i));
                }
            }
        }
        at = end;
    }
    // Blocks with most candidates first: they are the likeliest to hold whole histories.
    candidates.sort_unstable();
    let mut groups: Vec<&[(Tid, u16)]> = candidates.chunk_by(|a, b| a.0.block == b.0.block).collect();
    groups.sort_by_key(|g| std::cmp::Reverse(g.len()));
    let mut dead = Vec::new();
    for (n, g) in groups.iter().take(BLOCKS_MAX).enumerate() {
        let before = dead.len();
        let pin = txn::store(eng).read_main(heap.locator, g[0].0.block)?;
        let horizon = txn::prune_horizon(eng, heap);
        let p = pin.share();
        for (tid, off) in g.iter() {
            let id = p.item_id(tid.offset);
            let all_dead = id.is_dead()
                || (!id.is_unused()
                    && hot_search(eng, heap, &Snapshot::NonVacuumable(horizon), &p, tid.offset)?.0.is_none());
            if all_dead {
                dead.push(*off);
            }
        }
        if n >= 1 && dead.len() == before {
            break;
        }
    }
    dead.sort_unstable();
    Ok(dead)
}

/// Merges runs of equal keys into posting lists if that frees `need` bytes; the page is left alone otherwise.
pub(crate) fn merge_duplicates(eng: &Engine, ix: &IndexRel, leaf: &mut PageMut, need: usize) -> Result<()> {
    // A unique index has duplicates only by version churn, which deletion deals with; INCLUDE columns are not merged.
    if !is_allowed(ix) {
        return Ok(());
    }
    let o = Opaque::read(leaf)?;
    let (first, max) = (o.first_data(), leaf.max_offset());
    let mut p = Page::zeroed();
    page::init(&mut p, Opaque { flags: o.flags & !page::HAS_GARBAGE, ..o });
    if !o.is_rightmost() {
        split::push(&mut p, leaf.item(1)?)?;
    }
    let mut merged = false;
    let mut at = first;
    let mut tids: Vec<Tid> = Vec::new();
    while at <= max {
        let base = ix.tup(leaf, at)?;
        tids.clear();
        base.each_tid(|t| tids.push(t));
        let key_len = maxalign(base.key_bytes().len());
        let mut end = at + 1;
        while end <= max && !leaf.item_id(end).is_dead() && !leaf.item_id(at).is_dead() {
            let t = ix.tup(leaf, end)?;
            let more = if t.is_posting() { t.posting_len() } else { 1 };
            if key_len + (tids.len() + more) * tuple::TID_SIZE > POSTING_MAX || !same_key(ix, base, t) {
                break;
            }
            t.each_tid(|t| tids.push(t));
            end += 1;
        }
        if end - at > 1 {
            merged = true;
            split::push(&mut p, &tuple::form_posting(base, &tids)?)?;
        } else {
            split::push(&mut p, leaf.item(at)?)?;
            if leaf.item_id(at).is_dead() {
                let off = p.max_offset();
                p.set_item_flags(off, storage::LpFlags::Dead)?;
            }
        }
        at = end;
    }
    if !merged || p.free_space() < need {
        return Ok(());
    }
    replace_page(eng, ix, leaf, &p)
}

fn replace_page(eng: &Engine, ix: &IndexRel, leaf: &mut PageMut, p: &Page) -> Result<()> {
    let cr = txn::store(eng).begin_critical();
    cr.page(leaf).bytes_mut().copy_from_slice(p.bytes());
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::IMAGES, txn::current_xid(eng));
        r.block(0, leaf, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}
