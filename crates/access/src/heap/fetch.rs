//! Reading rows by address.
use super::scan::ScanSpec;
use crate::rel::Rel;
use crate::txn::Engine;
use common::{Error, Result, Tid};
use std::rc::Rc;
use transam::Snapshot;
use types::{Batch, Datum};

/// What an index entry's row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStatus {
    /// A visible version was found at this address and appended to the batch.
    Found(Tid),
    /// No version is visible.
    NotVisible,
    /// No version is visible to anyone: the index entry may be killed.
    AllDead,
}

/// Fetches rows for an index scan, keeping the heap page pinned between rows of one block.
pub struct IndexFetch {
    pub(crate) rel: Rc<Rel>,
    pub(crate) spec: ScanSpec,
    pub(crate) snapshot: Snapshot,
}

impl IndexFetch {
    /// Prepares to fetch the columns of `spec`.
    pub fn new(rel: Rc<Rel>, snapshot: Snapshot, spec: ScanSpec) -> IndexFetch {
        IndexFetch { rel, spec, snapshot }
    }
    /// Changes the snapshot (rescan in a later command).
    pub fn set_snapshot(&mut self, s: Snapshot) {
        self.snapshot = s;
    }
    /// Follows the HOT chain that starts at `tid` to the visible version and appends it to `out` as a row.
    pub fn fetch_into(&mut self, _eng: &Engine, _tid: Tid, _out: &mut Batch) -> Result<FetchStatus> {
        let _ = &self.rel;
        Err(Error::unsupported("heap fetch"))
    }
    /// Index-only scans: are all rows of the block visible to everyone? (Then the heap need not be read.)
    pub fn all_visible(&mut self, _eng: &Engine, _tid: Tid) -> Result<bool> {
        Err(Error::unsupported("heap fetch"))
    }
    /// Lets go of pins.
    pub fn release(&mut self) {}
}

/// Appends the version at exactly `tid` to `out` if the snapshot sees it.
pub fn fetch_into(
    _eng: &Engine,
    _rel: &Rel,
    _tid: Tid,
    _snapshot: &Snapshot,
    _spec: &ScanSpec,
    _out: &mut Batch,
) -> Result<bool> {
    Err(Error::unsupported("heap fetch"))
}

/// All attributes of the version at exactly `tid`, if the snapshot sees it.
pub fn fetch_row(_eng: &Engine, _rel: &Rel, _tid: Tid, _snapshot: &Snapshot) -> Result<Option<Vec<Datum>>> {
    Err(Error::unsupported("heap fetch"))
}

/// Address of the latest committed (or own) version reachable from `tid` through update links (`currtid`, CLUSTER).
pub fn latest_version(_eng: &Engine, _rel: &Rel, _tid: Tid, _snapshot: &Snapshot) -> Result<Tid> {
    Err(Error::unsupported("heap fetch"))
}
