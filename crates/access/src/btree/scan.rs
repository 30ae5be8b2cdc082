//! Index scans.
use crate::rel::IndexRel;
use crate::txn::Engine;
use common::{Error, Result, Tid};
use std::rc::Rc;
use types::{Batch, CmpFn, Datum};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// btree strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Lt = 1,
    Le = 2,
    Eq = 3,
    Ge = 4,
    Gt = 5,
}

/// A condition on one index column.
#[derive(Clone, Debug)]
pub enum ScanOp {
    /// Column ⟨op⟩ value; a NULL value matches nothing. `cmp` when the value's type is not the column's.
    Cmp(Strategy, Datum, Option<CmpFn>),
    IsNull,
    IsNotNull,
    /// Column = ANY of these.
    Any(Vec<Datum>, Option<CmpFn>),
}

/// One scan key. All keys of a scan must hold.
#[derive(Clone, Debug)]
pub struct ScanKey {
    /// Index column from 1.
    pub column: u16,
    pub op: ScanOp,
}

/// A remembered place in a scan.
#[derive(Clone, Debug, Default)]
pub struct ScanMark {}

/// An index scan: yields the TIDs of one leaf page at a time.
pub struct BtScan {
    ix: Rc<IndexRel>,
}

impl BtScan {
    /// Begins a scan. `keep_pin`: hold the leaf's pin while its TIDs are used (needed when the heap is read with
    /// anything but an MVCC snapshot, and by index-only scans).
    pub fn begin(ix: Rc<IndexRel>, _keys: Vec<ScanKey>, _dir: Direction, _keep_pin: bool) -> BtScan {
        BtScan { ix }
    }
    /// Starts over with other keys (parameters of a nested loop). Keeps the memory.
    pub fn restart(&mut self, _keys: &[ScanKey]) {}
    /// Changes direction from the current batch on (cursors): the next batch is the one before the current.
    pub fn set_direction(&mut self, _dir: Direction) {}
    /// Replaces `tids` by the next leaf's matches; with `columns` (attribute number from 1 of the index, batch
    /// column; ascending), index values go to the batch, one row a TID. False at the end.
    pub fn next_batch(
        &mut self,
        _eng: &Engine,
        _tids: &mut Vec<Tid>,
        _columns: Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<bool> {
        Err(Error::unsupported(format!("scan of {}", self.ix.rel.name)))
    }
    /// The n-th TID of the current batch leads to rows dead to everyone: mark the entry when leaving the page.
    pub fn kill(&mut self, _n: usize) {}
    /// Remembers the current batch.
    pub fn mark(&self) -> ScanMark {
        ScanMark::default()
    }
    /// Goes back: the next batch is the one that was current at the mark.
    pub fn restore(&mut self, _mark: &ScanMark) {}
    /// Lets go of pins.
    pub fn end(&mut self, _eng: &Engine) {}
}
