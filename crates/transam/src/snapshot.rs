//! Snapshots: which transactions' effects a statement sees. An MVCC snapshot is the set of ids that were running when
//! it was taken; the others are rules without a moment (all versions, the present state, …).

use common::{CommandId, Xid};
use std::cell::Cell;
use std::rc::Rc;

/// A moment: everything that committed before it is visible.
#[derive(Clone, Debug, Default)]
pub struct MvccSnapshot {
    /// Every id below was over.
    pub xmin: Xid,
    /// Every id from here on had not begun.
    pub xmax: Xid,
    /// Top-level ids running, `xmin <= id < xmax`, in slot order.
    pub xip: Vec<Xid>,
    /// Subtransaction ids running, as far as known.
    pub subxip: Vec<Xid>,
    /// Some subtransaction ids are not in `subxip`: ask pg_subtrans.
    pub suboverflowed: bool,
    /// In the own transaction, commands below this are visible.
    pub curcid: CommandId,
    pub taken_during_recovery: bool,
    /// Completion count at which it was taken: unchanged count, unchanged snapshot.
    pub completion: u64,
}

/// Who was found in the way by a dirty snapshot.
#[derive(Debug, Default)]
pub struct DirtyResult {
    /// The version's inserter, if still running.
    pub xmin: Cell<Xid>,
    /// The version's deleter or updater, if still running.
    pub xmax: Cell<Xid>,
    /// Speculative insertion token, 0 if none.
    pub speculative_token: Cell<u32>,
}

/// A rule of visibility.
#[derive(Clone, Debug)]
pub enum Snapshot {
    Mvcc(Rc<MvccSnapshot>),
    /// Committed, or done by this transaction (this command included).
    SelfSeen,
    /// Every version.
    Any,
    /// Everything not dead, uncommitted included, and who did it.
    Dirty(Rc<DirtyResult>),
    /// TOAST chunks: visible if inserted at all.
    Toast,
    /// Versions that vacuum could not remove yet, given the horizon.
    NonVacuumable(Xid),
}

impl MvccSnapshot {
    /// The test by the numbers alone; `None` when pg_subtrans has to be asked (`Engine::xid_in_snapshot` does).
    #[inline]
    pub fn in_progress_fast(&self, xid: Xid) -> Option<bool> {
        if xid < self.xmin {
            return Some(false);
        }
        if xid >= self.xmax {
            return Some(true);
        }
        if self.suboverflowed {
            return None;
        }
        Some(self.subxip.contains(&xid) || self.xip.contains(&xid))
    }
}

impl Snapshot {
    /// A fresh dirty snapshot.
    pub fn dirty() -> Snapshot {
        Snapshot::Dirty(Rc::default())
    }
    /// The MVCC snapshot inside, if it is one.
    pub fn mvcc(&self) -> Option<&Rc<MvccSnapshot>> {
        match self {
            Snapshot::Mvcc(s) => Some(s),
            _ => None,
        }
    }
}

impl From<Rc<MvccSnapshot>> for Snapshot {
    fn from(s: Rc<MvccSnapshot>) -> Snapshot {
        Snapshot::Mvcc(s)
    }
}
