//! Vacuuming an index: removing entries of dead rows, and leaf pages that become empty.
//!
//! Pages are visited in physical order. A split that happens meanwhile may move entries to a page already passed (a
//! recycled one with a lower number); such a split leaves an LSN younger than the scan's start on the left half, and
//! the scan then follows the right link back. Each leaf is locked for cleanup, so that no scan is between an entry and
//! its row when vacuum makes the row's line pointer reusable.
//!
//! Page deletion, in two logged steps: (1) the downlink goes and the leaf is *half-dead*: descents no longer reach it,
//! its siblings still lead past it; (2) the siblings are linked past it and it is *deleted*, kept until no scan can be
//! on its way to it. A crash between the steps leaves a half-dead leaf for the next vacuum to unlink. A leaf that is the
//! last child of its parent stays.

use super::insert;
use super::key::SearchKey;
use super::page::{self, META_BLOCK, Meta, NONE, Opaque};
use super::search;
use super::split;
use super::tuple::{self, ITup};
use super::wal;
use crate::rel::IndexRel;
use crate::txn::{self, Engine};
use crate::vacuum::IndexStats;
use common::{BlockNumber, Lsn, Result, Tid, Xid};
use storage::{Fork, PAGE_SIZE, PageMut, ReadMode, RegFlags, RmgrId, Strategy, fsm};

/// Removes the entries whose row `is_dead` says is gone. `tick` is called per page (cost-based delay).
pub fn bulk_delete(
    eng: &Engine,
    ix: &IndexRel,
    is_dead: &dyn Fn(Tid) -> bool,
    stats: &mut IndexStats,
    tick: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    scan(eng, ix, Some(is_dead), stats, tick)
}

/// Brings the statistics and the free space map up to date when nothing had to be deleted.
pub fn cleanup(
    eng: &Engine,
    ix: &IndexRel,
    stats: &mut IndexStats,
    tick: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    scan(eng, ix, None, stats, tick)
}

fn scan(
    eng: &Engine,
    ix: &IndexRel,
    is_dead: Option<&dyn Fn(Tid) -> bool>,
    stats: &mut IndexStats,
    tick: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let st = txn::store(eng);
    let start = st.insert_lsn();
    let strategy = Strategy::vacuum(st);
    stats.tuples = 0.0;
    stats.pages_deleted = 0;
    stats.pages_free = 0;
    let mut block = BlockNumber(1);
    loop {
        let nblocks = st.nblocks(ix.rel.locator, Fork::Main)?;
        if block >= nblocks {
            stats.pages = nblocks.0;
            break;
        }
        while block < nblocks {
            tick()?;
            eng.check_interrupts()?;
            let mut back = visit(eng, ix, block, block, start, &strategy, is_dead, stats)?;
            while let Some(b) = back {
                back = visit(eng, ix, b, block, start, &strategy, is_dead, stats)?;
            }
            block = block.next();
        }
    }
    set_pending(eng, ix, stats.pages_deleted.saturating_sub(stats.pages_free))?;
    fsm::vacuum(st, ix.rel.locator, META_BLOCK, BlockNumber(stats.pages))
}

/// Are there deleted pages worth looking for although no entry has to be removed?
pub fn needs_cleanup(eng: &Engine, ix: &IndexRel) -> Result<bool> {
    let pages = txn::store(eng).nblocks(ix.rel.locator, Fork::Main)?.0;
    let pending = search::read_meta(eng, ix)?.pending;
    Ok(pending > 0 && pending >= pages / 20)
}

fn set_pending(eng: &Engine, ix: &IndexRel, pending: u32) -> Result<()> {
    let mut g = search::pin(eng, ix, META_BLOCK)?.exclusive();
    let meta = Meta::read(&g)?;
    if meta.pending == pending {
        return Ok(());
    }
    let cr = txn::store(eng).begin_critical();
    let mut rec = ix.rel.is_logged().then(|| cr.record(RmgrId::BTREE, wal::IMAGES, txn::current_xid(eng)));
    wal::register_meta(&cr, &mut rec, &mut g, &Meta { pending, ..meta }, 0);
    match rec {
        Some(r) => {
            cr.log(r);
        }
        None => cr.unlogged(),
    }
    Ok(())
}

/// One page; returns the page to go back to, if a split moved entries behind the scan.
fn visit(
    eng: &Engine,
    ix: &IndexRel,
    block: BlockNumber,
    scan_at: BlockNumber,
    start: Lsn,
    strategy: &Strategy,
    is_dead: Option<&dyn Fn(Tid) -> bool>,
    stats: &mut IndexStats,
) -> Result<Option<BlockNumber>> {
    let st = txn::store(eng);
    let pin = st.read(ix.rel.locator, Fork::Main, block, ReadMode::Normal, Some(strategy))?;
    {
        let p = pin.share();
        if p.is_new() {
            fsm::record(st, ix.rel.locator, block, PAGE_SIZE - 1)?;
            stats.pages_free += 1;
            return Ok(None);
        }
        let o = Opaque::read(&p)?;
        if o.is_deleted() {
            stats.pages_deleted += 1;
            if insert::is_recyclable(eng, ix, &p) {
                fsm::record(st, ix.rel.locator, block, PAGE_SIZE - 1)?;
                stats.pages_free += 1;
            }
            return Ok(None);
        }
        if !o.is_leaf() {
            return Ok(None);
        }
        if is_dead.is_none() && !o.is_half_dead() {
            stats.tuples += count(ix, &p, &o)?;
            return Ok(None);
        }
    }
    let mut g = pin.for_cleanup()?;
    let o = Opaque::read(&g)?;
    if !o.is_leaf() || o.is_deleted() {
        return Ok(None);
    }
    if o.is_half_dead() {
        unlink(eng, ix, g, stats)?;
        return Ok(None);
    }
    let changed_since = !ix.rel.is_logged() || g.lsn() > start;
    let back = (changed_since && o.next != NONE && o.next < scan_at).then_some(o.next);
    if let Some(f) = is_dead {
        remove_dead(eng, ix, &mut g, &o, f, stats)?;
    }
    let empty = g.max_offset() < o.first_data();
    stats.tuples += count(ix, &g, &o)?;
    if empty && !o.is_rightmost() && !o.is_incomplete() && o.flags & page::ROOT == 0 {
        let high = g.item(1)?.to_vec();
        drop(g);
        delete_page(eng, ix, block, &high, stats)?;
    }
    Ok(back)
}

fn count(ix: &IndexRel, p: &storage::Page, o: &Opaque) -> Result<f64> {
    let mut n = 0;
    for off in o.first_data()..=p.max_offset() {
        let t = ix.tup(p, off)?;
        n += if t.is_posting() { t.posting_len() } else { 1 };
    }
    Ok(n as f64)
}

/// Removes dead entries and thins posting lists of one leaf.
fn remove_dead(
    eng: &Engine,
    ix: &IndexRel,
    g: &mut PageMut,
    o: &Opaque,
    is_dead: &dyn Fn(Tid) -> bool,
    stats: &mut IndexStats,
) -> Result<()> {
    let mut gone = Vec::new();
    let mut replaced: Vec<u8> = Vec::new();
    let mut tids = Vec::new();
    for off in o.first_data()..=g.max_offset() {
        let t = ix.tup(g, off)?;
        tids.clear();
        t.each_tid(|tid| {
            if !is_dead(tid) {
                tids.push(tid);
            }
        });
        let had = if t.is_posting() { t.posting_len() } else { 1 };
        stats.tuples_removed += (had - tids.len()) as u64;
        if tids.is_empty() {
            gone.push(off);
        } else if tids.len() < had {
            let item = tuple::form_posting(t, &tids)?;
            replaced.extend_from_slice(&off.to_le_bytes());
            replaced.extend_from_slice(&(item.len() as u16).to_le_bytes());
            replaced.extend_from_slice(&item);
        }
    }
    if !replaced.is_empty() {
        let cr = txn::store(eng).begin_critical();
        wal::apply_replace(cr.page(g), &replaced)?;
        if ix.rel.is_logged() {
            let mut r = cr.record(RmgrId::BTREE, wal::REPLACE, txn::current_xid(eng));
            r.block(0, g, RegFlags::STANDARD);
            r.block_data(0, &replaced);
            cr.log(r);
        } else {
            cr.unlogged();
        }
    }
    if !gone.is_empty() {
        insert::delete_items(eng, ix, g, &gone)?;
    }
    Ok(())
}

/// Step 1 for an empty leaf: takes its downlink away. Locks leaf, then parent, as a split does.
fn delete_page(
    eng: &Engine,
    ix: &IndexRel,
    block: BlockNumber,
    high_key: &[u8],
    stats: &mut IndexStats,
) -> Result<()> {
    let hk = ITup::new(high_key)?;
    let values = ix.key_values(hk)?;
    let refs: Vec<_> = values.iter().map(types::Datum::as_ref).collect();
    let key = SearchKey { values: &refs, tid: hk.heap_tid(), next_key: false, forward: false };
    let stack = search::path_to_level(eng, ix, &key, 1)?;
    if stack.is_empty() {
        return Ok(());
    }
    let mut leaf = search::pin(eng, ix, block)?.exclusive();
    let o = Opaque::read(&leaf)?;
    let empty = leaf.max_offset() < o.first_data();
    if !o.is_leaf() || !empty || o.is_rightmost() || o.is_ignorable() || o.is_incomplete() {
        return Ok(());
    }
    // A left sibling in the middle of a split could be the one whose right half we are: its downlink is missing.
    if !o.is_leftmost() {
        let left = search::pin(eng, ix, o.prev)?;
        let Some(p) = left.try_share() else { return Ok(()) };
        let lo = Opaque::read(&p)?;
        if lo.next != block || lo.is_incomplete() {
            return Ok(());
        }
    }
    let (mut parent, off, _) = split::find_parent(eng, ix, &leaf, stack, 1)?;
    let po = Opaque::read(&parent)?;
    if off >= parent.max_offset() || po.max_is_only_child(&parent, off) {
        return Ok(());
    }
    let right = ix.tup(&parent, off + 1)?.downlink();
    if right != o.next {
        // The right sibling's own downlink is still missing (incomplete split): leave it for another time.
        return Ok(());
    }
    eng.reads_spread(ix.rel.oid, block, right);
    let cr = txn::store(eng).begin_critical();
    wal::apply_remove_downlink(cr.page(&mut parent), off, right)?;
    wal::apply_half_dead(cr.page(&mut leaf))?;
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::MARK_HALF_DEAD, txn::current_xid(eng));
        r.block(0, &leaf, RegFlags::STANDARD);
        r.block(1, &parent, RegFlags::STANDARD);
        r.block_data(1, &off.to_le_bytes());
        r.block_data(1, &right.0.to_le_bytes());
        cr.log(r);
    } else {
        cr.unlogged();
    }
    drop(cr);
    drop(parent);
    unlink(eng, ix, leaf, stats)
}

impl Opaque {
    /// Would removing the item at `off` leave the page without children?
    fn max_is_only_child(&self, p: &storage::Page, _off: u16) -> bool {
        p.max_offset() <= self.first_data()
    }
}

/// Step 2: links the siblings past a half-dead leaf. Locks left, leaf, right in that order; gives up (for the next
/// vacuum) when the left sibling cannot be found at once.
fn unlink(eng: &Engine, ix: &IndexRel, leaf: PageMut, stats: &mut IndexStats) -> Result<()> {
    let block = leaf.pin().block();
    let first = Opaque::read(&leaf)?;
    drop(leaf);
    let mut left = None;
    if first.prev != NONE {
        let mut at = first.prev;
        // The left sibling may have split: walk right from it to the page that links to us.
        for _ in 0..8 {
            let g = search::pin(eng, ix, at)?.exclusive();
            let o = Opaque::read(&g)?;
            if o.next == block && !o.is_deleted() {
                left = Some(g);
                break;
            }
            if o.next == NONE || o.is_deleted() {
                return Ok(());
            }
            at = o.next;
        }
        if left.is_none() {
            return Ok(());
        }
    }
    let mut leaf = search::pin(eng, ix, block)?.exclusive();
    let o = Opaque::read(&leaf)?;
    if !o.is_half_dead() || o.next == NONE || (left.is_none() && o.prev != NONE) {
        return Ok(());
    }
    let mut right = search::pin(eng, ix, o.next)?.exclusive();
    let mut ro = Opaque::read(&right)?;
    if ro.prev != block {
        return Ok(());
    }
    let safe = Xid(eng.next_xid().0);
    let cr = txn::store(eng).begin_critical();
    if let Some(l) = &mut left {
        let p = cr.page(l);
        let mut lo = Opaque::read(p)?;
        lo.next = o.next;
        lo.write(p);
    }
    ro.prev = left.as_ref().map_or(NONE, |l| l.pin().block());
    ro.write(cr.page(&mut right));
    wal::apply_deleted(cr.page(&mut leaf), safe)?;
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::UNLINK, txn::current_xid(eng));
        r.block(0, &leaf, RegFlags::STANDARD);
        r.block_data(0, &safe.0.to_le_bytes());
        if let Some(l) = &left {
            r.block(1, l, RegFlags::STANDARD);
        }
        r.block(2, &right, RegFlags::STANDARD);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    stats.pages_newly_deleted += 1;
    stats.pages_deleted += 1;
    Ok(())
}
