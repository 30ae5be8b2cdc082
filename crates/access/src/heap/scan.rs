//! Reading a table from end to end, in batches.
use crate::bitmap::BitmapIter;
use crate::rel::Rel;
use crate::txn::Engine;
use common::{BlockNumber, Error, Result};
use std::rc::Rc;
use transam::Snapshot;
use types::Batch;

/// A system column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysCol {
    /// I64, packed.
    Ctid,
    /// U32, low half.
    Xmin,
    /// U32, low half.
    Xmax,
    /// U32.
    Cmin,
    /// U32.
    Cmax,
    /// U32.
    TableOid,
}

/// Which columns a scan fills.
#[derive(Clone, Debug, Default)]
pub struct ScanSpec {
    /// (attribute number from 1, index of the batch's column), ascending by attribute.
    pub wanted: Vec<(u16, u16)>,
    /// System columns and where they go.
    pub system: Vec<(SysCol, u16)>,
}

/// How to scan.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// First block and number of blocks; `None` = all.
    pub range: Option<(BlockNumber, u32)>,
    /// Prune pages on the way when that looks worthwhile (ordinary scans by MVCC snapshots).
    pub prune: bool,
}

/// A sequential scan.
pub struct HeapScan {
    rel: Rc<Rel>,
}

impl HeapScan {
    /// Begins a scan: the number of blocks is fixed here.
    pub fn begin(
        _eng: &Engine,
        rel: Rc<Rel>,
        _snapshot: Snapshot,
        _spec: ScanSpec,
        _opts: ScanOptions,
    ) -> Result<HeapScan> {
        Ok(HeapScan { rel })
    }
    /// Appends visible rows to `out` (whose columns exist and are cleared by the caller) until it holds
    /// [`types::column::BATCH_ROWS`]; false when the table is exhausted and nothing was added.
    pub fn next_batch(&mut self, _eng: &Engine, _out: &mut Batch) -> Result<bool> {
        Err(Error::unsupported(format!("scan of {}", self.rel.name)))
    }
    /// Starts over, with another snapshot if one is given.
    pub fn rescan(&mut self, _eng: &Engine, _snapshot: Option<Snapshot>) -> Result<()> {
        Ok(())
    }
    /// Caps the rows of the next batches (LIMIT, cursors): at least 1.
    pub fn set_batch_rows(&mut self, _rows: usize) {}
}

/// Reads the rows of a bitmap.
pub struct BitmapHeapScan {
    rel: Rc<Rel>,
}

impl BitmapHeapScan {
    /// Prepares.
    pub fn begin(
        _eng: &Engine,
        rel: Rc<Rel>,
        _snapshot: Snapshot,
        _spec: ScanSpec,
        _pages: BitmapIter,
    ) -> Result<BitmapHeapScan> {
        Ok(BitmapHeapScan { rel })
    }
    /// Like [`HeapScan::next_batch`]. Appends to `recheck` the row numbers whose index condition must be re-checked.
    pub fn next_batch(&mut self, _eng: &Engine, _out: &mut Batch, _recheck: &mut Vec<u16>) -> Result<bool> {
        Err(Error::unsupported(format!("bitmap scan of {}", self.rel.name)))
    }
    /// (exact, lossy) pages read so far, for EXPLAIN.
    pub fn heap_blocks(&self) -> (u64, u64) {
        (0, 0)
    }
}
