//! VACUUM and the row sampling of ANALYZE.

pub mod dead_tids;
pub mod sample;

use crate::rel::{IndexRel, Rel};
use crate::txn::Engine;
use common::{Error, MultiXactId, Result, Xid};
use std::rc::Rc;

pub use sample::{Sample, sample_rows};

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

/// Vacuums a table. The caller holds ShareUpdateExclusive on it and runs in a transaction of its own.
pub fn vacuum_heap(
    _eng: &Engine,
    _rel: &Rc<Rel>,
    _indexes: &[Rc<IndexRel>],
    _params: &VacuumParams,
) -> Result<VacuumStats> {
    Err(Error::unsupported("VACUUM"))
}
