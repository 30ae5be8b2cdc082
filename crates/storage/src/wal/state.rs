//! The log's shared state: where the next record goes, who is copying, what is written and durable.

use crate::config::StorageConfig;
use ipc::{PaddedLwLock, Tranche, shared_struct};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Records that can be copied into the buffers at the same time.
pub(crate) const INSERT_SLOTS: usize = 64;

shared_struct! {
    /// A counter alone on its cache line.
    #[repr(align(64))]
    pub struct Line { pub(crate) v: AtomicU64 }
}

shared_struct! {
    /// What every inserter reads and few write.
    #[repr(align(64))]
    pub struct Control {
        /// Redo pointer of the last or running checkpoint.
        pub(crate) redo: AtomicU64,
        pub(crate) system_identifier: AtomicU64,
        pub(crate) timeline: AtomicU32,
        pub(crate) full_page_writes: AtomicU32,
        /// A checkpoint determines its redo pointer: no record may be inserted.
        pub(crate) blocked: AtomicU32,
        /// The log is being replayed: nothing is inserted, pages are written without a flush.
        pub(crate) in_recovery: AtomicU32,
        pub(crate) fsync: AtomicU32,
    }
}

shared_struct! {
    /// What flushers work with.
    #[repr(align(64))]
    pub struct Flushed {
        /// LSN up to which the files have it.
        pub(crate) written: AtomicU64,
        /// LSN up to which it is durable.
        pub(crate) flushed: AtomicU64,
        /// End of the last asynchronous commit.
        pub(crate) asynchronous: AtomicU64,
        /// Counts finished flushes; waiters sleep on it.
        pub(crate) finished: AtomicU32,
        pub(crate) waiters: AtomicU32,
        /// The current segment holds writes that only a sync makes durable. Changed under the write lock.
        pub(crate) unsynced: AtomicU32,
        pub(crate) spare: AtomicU32,
        /// Segment below which old ones were removed.
        pub(crate) last_removed: AtomicU64,
    }
}

shared_struct! {
    /// The whole.
    pub struct WalState {
        /// Usable position of the next record.
        pub(crate) reserve: Line,
        pub(crate) control: Control,
        pub(crate) flush: Flushed,
        pub(crate) write_lock: PaddedLwLock,
        /// Usable position + 1 from which on the owner of the slot may not have copied yet; 0: free.
        pub(crate) slots: [Line; INSERT_SLOTS],
    }
}

impl WalState {
    pub(crate) fn init(&self, config: &StorageConfig) {
        self.write_lock.init(Tranche::WAL_WRITE);
        self.control.system_identifier.store(config.system_identifier, Relaxed);
        self.control.timeline.store(config.timeline, Relaxed);
        self.control.full_page_writes.store(u32::from(config.full_page_writes), Relaxed);
        self.control.fsync.store(u32::from(config.fsync), Relaxed);
        self.control.in_recovery.store(1, Relaxed);
    }
    /// Usable position up to which every record is copied. Reads the end first, then the slots: a record reserved
    /// before the first read shows in its slot (occupied before the reservation) or is copied.
    pub(crate) fn copied(&self) -> u64 {
        let end = self.reserve.v.load(SeqCst);
        let slots = self.slots.iter().map(|s| s.v.load(SeqCst)).filter(|v| *v != 0).map(|v| v - 1);
        slots.min().map_or(end, |m| m.min(end))
    }
}
