//! The two passes of vacuum over the heap's pages.

use super::Vacuum;
use crate::heap::prune::{self, PageReport};
use crate::heap::wal;
use crate::txn;
use common::{BlockNumber, Result};
use storage::page::PD_ALL_VISIBLE;
use storage::{Fork, PageMut, ReadMode, RegFlags, RmgrId, fsm, vm};

/// Runs of skippable pages shorter than this are read anyway: the kernel's read-ahead is worth more.
const SKIP_MIN: u32 = 32;
/// Pages between two updates of the upper levels of the free space map.
const FSM_EVERY: u32 = 8192;

impl Vacuum<'_> {
    /// May this page be skipped, and would that keep relfrozenxid from advancing?
    fn skippable(&mut self, b: BlockNumber) -> Result<(bool, bool)> {
        if self.params.disable_page_skipping {
            return Ok((false, false));
        }
        let bits = vm::status(txn::store(self.eng), self.rel.locator, b, &mut self.map)?;
        let frozen = bits & vm::ALL_FROZEN != 0;
        let visible = bits & vm::ALL_VISIBLE != 0;
        Ok(if self.aggressive { (frozen, false) } else { (visible, visible && !frozen) })
    }
    /// End of the run of skippable pages that starts at `b`.
    fn skip_run(&mut self, b: u32, nblocks: u32) -> Result<(u32, bool)> {
        let (mut at, mut holds_back) = (b, false);
        // The last page is always read: truncation wants to know it.
        while at + 1 < nblocks {
            let (skip, visible_only) = self.skippable(BlockNumber(at))?;
            if !skip {
                break;
            }
            holds_back |= visible_only;
            at += 1;
        }
        Ok((at, holds_back))
    }
    pub(super) fn first_pass(&mut self, nblocks: BlockNumber) -> Result<()> {
        let mut b = 0;
        let mut fsm_from = 0;
        while b < nblocks.0 {
            let (end, holds_back) = self.skip_run(b, nblocks.0)?;
            if end - b >= SKIP_MIN {
                self.skipped_visible |= holds_back;
                b = end;
                self.nonempty_end = b;
                continue;
            }
            for n in b..end.max(b + 1) {
                self.scan_page(BlockNumber(n))?;
                if self.dead.memory() > self.params.memory_bytes.max(1 << 16) {
                    self.map = None;
                    self.index_and_heap_round()?;
                }
            }
            b = end.max(b + 1);
            if b - fsm_from >= FSM_EVERY {
                fsm::vacuum(txn::store(self.eng), self.rel.locator, BlockNumber(fsm_from), BlockNumber(b))?;
                fsm_from = b;
            }
        }
        self.progress.heap_blks_scanned = nblocks.0;
        self.report();
        Ok(())
    }
    fn scan_page(&mut self, block: BlockNumber) -> Result<()> {
        self.progress.heap_blks_scanned = block.0;
        self.report();
        self.tick()?;
        let st = txn::store(self.eng);
        self.stats.scanned_pages += 1;
        vm::pin(st, self.rel.locator, block, &mut self.map)?;
        let pin = st.read(self.rel.locator, Fork::Main, block, ReadMode::Normal, Some(&self.strategy))?;
        let mut g = match pin.try_for_cleanup() {
            Some(g) => g,
            None if self.aggressive => pin.for_cleanup()?,
            None => return self.look_only(&pin),
        };
        if g.is_new() {
            drop(g);
            return fsm::record(st, self.rel.locator, block, storage::PAGE_SIZE - 64);
        }
        let before = g.lsn();
        let r = prune::prune_page(self.eng, self.rel, &mut g, self.oldest_xmin, Some(self.limits))?;
        self.account(block, &r);
        // Without indexes the dead line pointers can go at once.
        let mut all_visible = r.all_visible;
        if self.indexes.is_empty() && !r.dead_items.is_empty() {
            free_items(self, &mut g, &r.dead_items)?;
            all_visible = page_all_visible(self, &g)?;
        } else if !r.dead_items.is_empty() {
            self.stats.lpdead_item_pages += 1;
            self.stats.lpdead_items += r.dead_items.len() as u64;
            self.dead.add(block, &r.dead_items);
            self.progress.num_dead_tuples = self.dead.len();
        }
        if all_visible {
            mark_visible(self, &mut g, r.all_frozen && r.dead_items.is_empty())?;
        }
        let (free, dirtied) = (g.heap_free_space(), g.lsn() != before);
        drop(g);
        if dirtied {
            self.charge(self.params.costs.dirty)?;
        }
        fsm::record(st, self.rel.locator, block, free)
    }
    /// A page someone else has pinned: count, leave it for the next vacuum.
    fn look_only(&mut self, pin: &storage::Pinned) -> Result<()> {
        let p = pin.share();
        let b = crate::heap::page::bases(&p);
        let block = pin.block();
        for off in 1..=p.max_offset() {
            let id = p.item_id(off);
            if id.is_dead() {
                self.stats.missed_dead_tuples += 1;
                self.nonempty_end = block.0 + 1;
            }
            let Some(t) = crate::heap::page::tuple(&p, off)? else { continue };
            let h = crate::heap::header::Header::read(t, b);
            self.nonempty_end = block.0 + 1;
            self.stats.live_tuples += 1;
            for x in [h.xmin, h.xmax] {
                let frozen = x == h.xmin && h.xmin_frozen();
                if x.is_normal() && !frozen && x < self.oldest_xid_left {
                    self.oldest_xid_left = x;
                }
            }
            if h.is_multi() {
                self.oldest_multi_left = self.oldest_multi_left.min(h.multi);
            }
        }
        Ok(())
    }
    fn account(&mut self, block: BlockNumber, r: &PageReport) {
        self.stats.live_tuples += u64::from(r.live);
        self.stats.recently_dead_tuples += u64::from(r.recently_dead);
        self.stats.tuples_deleted += u64::from(r.removed);
        self.stats.tuples_frozen += u64::from(r.frozen);
        self.stats.frozen_pages += u32::from(r.frozen > 0);
        if r.has_tuples {
            self.nonempty_end = block.0 + 1;
        }
        if let Some(x) = r.oldest_xid {
            self.oldest_xid_left = self.oldest_xid_left.min(x);
        }
        if let Some(m) = r.oldest_multi {
            self.oldest_multi_left = self.oldest_multi_left.min(m);
        }
    }
    /// Frees the line pointers whose index entries are gone.
    pub(super) fn second_pass(&mut self) -> Result<()> {
        let st = txn::store(self.eng);
        let mut offs = Vec::new();
        for n in 0..self.dead.block_count() {
            self.tick()?;
            let block = self.dead.block(n, &mut offs);
            vm::pin(st, self.rel.locator, block, &mut self.map)?;
            let pin = st.read(self.rel.locator, Fork::Main, block, ReadMode::Normal, Some(&self.strategy))?;
            let mut g = pin.exclusive();
            offs.retain(|o| g.item_id(*o).is_dead());
            if !offs.is_empty() {
                free_items(self, &mut g, &offs)?;
            }
            if page_all_visible(self, &g)? {
                mark_visible(self, &mut g, false)?;
            }
            let free = g.heap_free_space();
            drop(g);
            fsm::record(st, self.rel.locator, block, free)?;
            self.progress.heap_blks_vacuumed += 1;
            self.report();
        }
        Ok(())
    }
}

fn free_items(v: &Vacuum<'_>, g: &mut PageMut, offs: &[u16]) -> Result<()> {
    let cr = txn::store(v.eng).begin_critical();
    prune::apply_unused(cr.page(g), offs)?;
    wal::finish(v.rel, &cr, || {
        let mut r = cr.record(RmgrId::HEAP2, wal::VACUUM, txn::current_xid(v.eng));
        r.block(0, g, RegFlags::STANDARD);
        for o in offs {
            r.block_data(0, &o.to_le_bytes());
        }
        r
    });
    Ok(())
}

/// Is every version on the page visible to all?
fn page_all_visible(v: &Vacuum<'_>, g: &PageMut) -> Result<bool> {
    use crate::heap::visibility::{self, Hints, VacuumState};
    let b = crate::heap::page::bases(g);
    for off in 1..=g.max_offset() {
        let id = g.item_id(off);
        if id.is_dead() {
            return Ok(false);
        }
        let Some(t) = crate::heap::page::tuple(g, off)? else { continue };
        let h = crate::heap::header::Header::read(t, b);
        let mut hints = Hints::new(g.lsn());
        let live = visibility::satisfies_vacuum(v.eng, &h, v.oldest_xmin, &mut hints)? == VacuumState::Live;
        let old = h.xmin_frozen() || h.xmin < v.oldest_xmin;
        if !live || !old {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sets the page's all-visible mark and its map bits, logged together.
fn mark_visible(v: &Vacuum<'_>, g: &mut PageMut, frozen: bool) -> Result<()> {
    let Some(map) = &v.map else { return Ok(()) };
    let block = g.pin().block();
    let bits = if frozen { vm::VALID_BITS } else { vm::ALL_VISIBLE };
    let mut m = map.exclusive();
    if g.is_all_visible() && vm::get_bits(&m, block) & bits == bits {
        return Ok(());
    }
    let cr = txn::store(v.eng).begin_critical();
    cr.page(g).set_flag(PD_ALL_VISIBLE, true);
    vm::set_bits(cr.page(&mut m), block, bits);
    wal::finish(v.rel, &cr, || {
        let mut r = cr.record(RmgrId::HEAP2, wal::VISIBLE, txn::current_xid(v.eng));
        r.data(&[bits]);
        r.block(0, g, RegFlags::STANDARD);
        r.block(1, &m, RegFlags::RAW);
        r
    });
    Ok(())
}
