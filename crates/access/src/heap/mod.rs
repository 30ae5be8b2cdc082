//! The heap: rows in no order, versions side by side, chained by ctid. Inserting, updating (HOT), deleting and
//! locking rows, reading them by scan or by TID, TOAST, pruning. The executor calls these with a relation descriptor.

pub mod header;
pub mod page;
pub mod visibility;

pub mod carry;
pub mod delete;
pub mod fetch;
pub mod form;
pub mod inplace;
pub mod insert;
pub mod lock;
pub mod multi;
pub mod prune;
pub mod redo;
pub mod scan;
pub mod speculative;
mod staged;
pub mod toast;
pub mod update;
pub mod wal;

use common::{CommandId, Tid, Xid};

pub use delete::delete;
pub use fetch::{FetchStatus, IndexFetch, chain_is_live, fetch_into, fetch_row, latest_version};
pub use inplace::inplace_update;
pub use insert::{InsertOptions, insert};
pub use lock::{lock_latest, lock_tuple};
pub use multi::{BulkInsert, multi_insert};
pub use scan::{BitmapHeapScan, HeapScan, ScanOptions, ScanSpec, SysCol};
pub use speculative::{abort_speculative, finish_speculative};
pub use update::{UpdateOptions, UpdateResult, update};

/// What a modification or lock of a row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TmResult {
    Ok,
    /// The version is not visible to the command at all: an internal error of the caller.
    Invisible,
    /// This command, or a later one of the own transaction (a trigger, a function), did it already.
    SelfModified {
        cmax: CommandId,
    },
    /// A concurrent transaction updated it; `ctid` is the successor.
    Updated {
        ctid: Tid,
        xmax: Xid,
    },
    /// A concurrent transaction deleted it.
    Deleted {
        xmax: Xid,
    },
    /// A concurrent transaction is at it, and the caller did not want to wait.
    BeingModified,
    /// SKIP LOCKED: somebody holds a conflicting lock.
    WouldBlock,
}

/// What to do about a conflicting lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    Block,
    /// SKIP LOCKED.
    Skip,
    /// NOWAIT: 55P03.
    Error,
}

/// The four strengths of a row lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowLock {
    KeyShare,
    Share,
    NoKeyUpdate,
    Exclusive,
}
