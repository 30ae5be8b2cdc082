//! VACUUM (lazy) and the row sampling of ANALYZE.
//!
//! First pass: every page not known to be all-visible is pruned and frozen, its dead line pointers are remembered.
//! Then each index loses the entries of the remembered rows, and only then, in the second pass, the line pointers
//! become reusable. At the end empty pages are cut off the tail if nobody is in the way.

pub mod dead_tids;
mod pages;
pub mod sample;
mod truncate;

use crate::btree;
use crate::rel::{IndexRel, Rel};
use crate::txn::{self, Engine};
use common::{BlockNumber, MultiXactId, Result, Xid};
use dead_tids::DeadTids;
use std::rc::Rc;
use storage::{Fork, Pinned, Strategy, fsm, vm};

pub use sample::{Sample, sample_rows};

/// Prices of a page (`vacuum_cost_page_hit`, `…_miss`, `…_dirty`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCosts {
    pub hit: u32,
    pub miss: u32,
    pub dirty: u32,
}

impl Default for PageCosts {
    fn default() -> Self {
        PageCosts { hit: 1, miss: 2, dirty: 20 }
    }
}

/// Settings of one vacuum.
#[derive(Clone)]
pub struct VacuumParams {
    /// `vacuum_freeze_min_age`.
    pub freeze_min_age: u64,
    /// `vacuum_freeze_table_age`: older than that, all-visible pages are read too.
    pub freeze_table_age: u64,
    /// FREEZE: freeze everything that can be.
    pub freeze: bool,
    /// DISABLE_PAGE_SKIPPING.
    pub disable_page_skipping: bool,
    /// `None` = auto.
    pub index_cleanup: Option<bool>,
    pub truncate: bool,
    /// `maintenance_work_mem` for dead TIDs, bytes.
    pub memory_bytes: usize,
    /// The table's present `relfrozenxid`.
    pub relfrozenxid: Xid,
    /// The table's present `relpages` and `reltuples` (negative = unknown): the density of pages that are skipped.
    pub old_rel_pages: u32,
    pub old_rel_tuples: f64,
    pub costs: PageCosts,
    /// `vacuum_multixact_freeze_min_age`.
    pub multi_freeze_min_age: u64,
    /// Called after each page with its cost in `vacuum_cost_page_*` units: sleeps when the balance is used up.
    pub delay: Option<Rc<dyn Fn(&Engine, u32) -> Result<()>>>,
    /// Called with the progress counters.
    pub progress: Option<Rc<dyn Fn(&Progress)>>,
}

impl Default for VacuumParams {
    fn default() -> Self {
        VacuumParams {
            freeze_min_age: 50_000_000,
            freeze_table_age: 150_000_000,
            freeze: false,
            disable_page_skipping: false,
            index_cleanup: None,
            truncate: true,
            memory_bytes: 64 << 20,
            relfrozenxid: Xid::INVALID,
            old_rel_pages: 0,
            old_rel_tuples: -1.0,
            costs: PageCosts::default(),
            multi_freeze_min_age: 5_000_000,
            delay: None,
            progress: None,
        }
    }
}

/// `pg_stat_progress_vacuum`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// PostgreSQL's phase number: 1 scanning heap, 2 vacuuming indexes, 3 vacuuming heap, 4 cleaning up indexes,
    /// 5 truncating heap, 6 final cleanup.
    pub phase: u32,
    pub heap_blks_total: u32,
    pub heap_blks_scanned: u32,
    pub heap_blks_vacuumed: u32,
    pub index_vacuum_count: u32,
    pub max_dead_tuples: u64,
    pub num_dead_tuples: u64,
}

/// What a vacuum did, for `pg_class` and for VERBOSE.
#[derive(Clone, Debug, Default)]
pub struct VacuumStats {
    pub rel_pages: u32,
    pub scanned_pages: u32,
    pub removed_pages: u32,
    pub frozen_pages: u32,
    pub lpdead_item_pages: u32,
    pub tuples_deleted: u64,
    pub tuples_frozen: u64,
    pub lpdead_items: u64,
    pub live_tuples: u64,
    pub recently_dead_tuples: u64,
    pub missed_dead_tuples: u64,
    /// Estimated live rows of the whole table: `reltuples`.
    pub new_rel_tuples: f64,
    /// `relallvisible`.
    pub all_visible_pages: u32,
    pub index_scans: u32,
    /// New `relfrozenxid`, if the scan allows one.
    pub new_frozen_xid: Option<Xid>,
    /// New `relminmxid`.
    pub new_min_mxid: Option<MultiXactId>,
    pub oldest_xmin: Xid,
    /// Per index, in the order given.
    pub indexes: Vec<IndexStats>,
}

/// What a vacuum found in an index.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexStats {
    pub pages: u32,
    pub tuples: f64,
    /// The tuple count is an estimate.
    pub estimated: bool,
    pub tuples_removed: u64,
    pub pages_newly_deleted: u32,
    pub pages_deleted: u32,
    pub pages_free: u32,
}

/// Most rows of a page.
const PAGE_TUPLES_MAX: u64 = 291;

/// One vacuum under way.
struct Vacuum<'a> {
    eng: &'a Engine,
    rel: &'a Rc<Rel>,
    indexes: &'a [Rc<IndexRel>],
    params: &'a VacuumParams,
    strategy: Strategy,
    stats: VacuumStats,
    progress: Progress,
    dead: DeadTids,
    oldest_xmin: Xid,
    limits: crate::heap::prune::FreezeLimits,
    aggressive: bool,
    do_indexes: bool,
    /// Some all-visible, not all-frozen page was skipped: relfrozenxid cannot advance.
    skipped_visible: bool,
    oldest_xid_left: Xid,
    oldest_multi_left: MultiXactId,
    /// One past the last page with tuples or dead items.
    nonempty_end: u32,
    map: Option<Pinned>,
    /// Blocks read by this process when costs were last charged.
    reads: std::cell::Cell<u64>,
}

/// Vacuums a table. The caller holds ShareUpdateExclusive on it and runs in a transaction of its own.
pub fn vacuum_heap(
    eng: &Engine,
    rel: &Rc<Rel>,
    indexes: &[Rc<IndexRel>],
    params: &VacuumParams,
) -> Result<VacuumStats> {
    let st = txn::store(eng);
    let oldest_xmin = txn::oldest_xmin(eng, rel);
    let age = if params.freeze { 0 } else { params.freeze_min_age };
    let freeze_xid = Xid(oldest_xmin.0.saturating_sub(age).max(Xid::FIRST_NORMAL.0)).min(oldest_xmin);
    let oldest_multi = eng.oldest_multixact();
    let freeze_multi = if params.freeze {
        oldest_multi
    } else {
        MultiXactId(oldest_multi.0.saturating_sub(params.multi_freeze_min_age))
    };
    let aggressive = params.freeze
        || params.disable_page_skipping
        || (params.relfrozenxid.is_normal()
            && params.relfrozenxid.0 + params.freeze_table_age <= eng.next_xid().0);
    let mut v = Vacuum {
        eng,
        rel,
        indexes,
        params,
        strategy: Strategy::vacuum(st),
        stats: VacuumStats {
            oldest_xmin,
            indexes: vec![IndexStats::default(); indexes.len()],
            ..Default::default()
        },
        progress: Progress::default(),
        dead: DeadTids::default(),
        oldest_xmin,
        limits: crate::heap::prune::FreezeLimits { xid: freeze_xid, multi: freeze_multi },
        aggressive,
        do_indexes: params.index_cleanup.unwrap_or(true),
        skipped_visible: false,
        oldest_xid_left: oldest_xmin,
        oldest_multi_left: oldest_multi,
        nonempty_end: 0,
        map: None,
        reads: std::cell::Cell::new(st.counters().shared_read),
    };
    v.run()?;
    Ok(v.stats)
}

/// Rows of the whole table from those on the pages read; the others count with their former density, since the pages
/// read are not a random sample (PostgreSQL's `vac_estimate_reltuples`).
fn estimate_tuples(pages: u32, scanned: u32, tuples: f64, old_pages: u32, old_tuples: f64) -> f64 {
    if scanned >= pages {
        return tuples;
    }
    let known = old_tuples >= 0.0 && old_pages > 0;
    if known && (scanned <= 1 || (old_pages == pages && f64::from(scanned) < f64::from(pages) * 0.02)) {
        return old_tuples;
    }
    if !known {
        return (tuples / f64::from(scanned.max(1)) * f64::from(pages) + 0.5).floor();
    }
    let density = old_tuples / f64::from(old_pages);
    (density * f64::from(pages - scanned) + tuples + 0.5).floor()
}

impl Vacuum<'_> {
    fn report(&self) {
        if let Some(f) = &self.params.progress {
            f(&self.progress);
        }
    }
    /// How many dead rows can be remembered: at six bytes each, the worst case, and no more than the pages can hold.
    fn max_dead_tuples(&self, pages: u32) -> u64 {
        let fits = (self.params.memory_bytes / 6) as u64;
        let present = if self.indexes.is_empty() { 1 } else { u64::from(pages) };
        fits.min(present * PAGE_TUPLES_MAX).max(PAGE_TUPLES_MAX)
    }
    /// One page more: charges it, and what was read from files since the last one.
    fn tick(&self) -> Result<()> {
        let c = &self.params.costs;
        let now = txn::store(self.eng).counters().shared_read;
        let missed = now.saturating_sub(self.reads.replace(now)).min(u64::from(u32::MAX)) as u32;
        self.charge(c.hit.saturating_add(missed.saturating_mul(c.miss)))
    }
    fn charge(&self, cost: u32) -> Result<()> {
        self.eng.check_interrupts()?;
        match &self.params.delay {
            Some(f) => f(self.eng, cost),
            None => Ok(()),
        }
    }
    fn run(&mut self) -> Result<()> {
        let st = txn::store(self.eng);
        let nblocks = st.nblocks(self.rel.locator, Fork::Main)?;
        self.stats.rel_pages = nblocks.0;
        self.progress = Progress {
            phase: 1,
            heap_blks_total: nblocks.0,
            max_dead_tuples: self.max_dead_tuples(nblocks.0),
            ..Default::default()
        };
        self.report();
        self.first_pass(nblocks)?;
        if !self.dead.is_empty() {
            self.index_and_heap_round()?;
        }
        self.progress.phase = 4;
        self.report();
        if self.stats.index_scans == 0 {
            // Nothing was deleted: the indexes need not be read, one entry a row is a good estimate.
            for (i, ix) in self.indexes.iter().enumerate() {
                if self.do_indexes && btree::vacuum::needs_cleanup(self.eng, ix)? {
                    let mut s = self.stats.indexes[i];
                    btree::vacuum::cleanup(self.eng, ix, &mut s, &mut || self.tick())?;
                    self.stats.indexes[i] = s;
                    continue;
                }
                self.stats.indexes[i] = IndexStats {
                    pages: st.nblocks(ix.rel.locator, Fork::Main)?.0,
                    tuples: -1.0,
                    estimated: true,
                    ..Default::default()
                };
            }
        }
        fsm::vacuum(st, self.rel.locator, BlockNumber(0), nblocks)?;
        self.map = None;
        if self.params.truncate && self.rel.vacuum.truncate.unwrap_or(true) {
            truncate::truncate(self)?;
        }
        self.progress.phase = 6;
        self.report();
        self.finish()
    }
    fn finish(&mut self) -> Result<()> {
        let s = &mut self.stats;
        s.new_rel_tuples = estimate_tuples(
            s.rel_pages,
            s.scanned_pages,
            s.live_tuples as f64,
            self.params.old_rel_pages,
            self.params.old_rel_tuples,
        );
        s.all_visible_pages = vm::count(txn::store(self.eng), self.rel.locator)?.0.min(s.rel_pages);
        for i in s.indexes.iter_mut().filter(|i| i.estimated) {
            i.tuples = s.new_rel_tuples;
        }
        if !self.skipped_visible {
            s.new_frozen_xid = Some(self.oldest_xid_left);
            s.new_min_mxid = Some(self.oldest_multi_left);
        }
        Ok(())
    }
    /// Removes the remembered rows' entries from the indexes, then frees their line pointers.
    fn index_and_heap_round(&mut self) -> Result<()> {
        if self.indexes.is_empty() || self.do_indexes {
            self.progress.phase = 2;
            self.report();
            for (i, ix) in self.indexes.iter().enumerate() {
                let mut s = self.stats.indexes[i];
                let dead = &self.dead;
                btree::vacuum::bulk_delete(self.eng, ix, &|t| dead.contains(t), &mut s, &mut || self.tick())?;
                self.stats.indexes[i] = s;
            }
            self.stats.index_scans += u32::from(!self.indexes.is_empty());
            self.progress.index_vacuum_count = self.stats.index_scans;
            self.progress.phase = 3;
            self.report();
            self.second_pass()?;
        }
        self.dead.clear();
        self.progress.num_dead_tuples = 0;
        self.progress.phase = 1;
        self.report();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::estimate_tuples;

    #[test]
    fn skipped_pages_count_with_their_former_density() {
        assert_eq!(estimate_tuples(10, 10, 77.0, 5, 10.0), 77.0);
        assert_eq!(estimate_tuples(1000, 1, 3.0, 1000, 60_000.0), 60_000.0);
        assert_eq!(estimate_tuples(1000, 10, 100.0, 1000, 60_000.0), 60_000.0);
        assert_eq!(estimate_tuples(1000, 100, 5000.0, 1000, 60_000.0), 59_000.0);
        assert_eq!(estimate_tuples(1000, 100, 5000.0, 0, -1.0), 50_000.0);
    }
}
