//! Rings: a bulk operation reuses a few buffers of its own instead of sweeping the whole pool out.

use super::desc::{REFCOUNT_MASK, USAGE_MASK, USAGE_ONE};
use crate::Store;
use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

/// What a ring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BulkRead,
    BulkWrite,
    Vacuum,
}

/// A ring of buffers that a bulk operation confines itself to. Private to one process.
pub struct Strategy {
    kind: Kind,
    /// Buffer + 1; 0 is a place not filled yet.
    ring: RefCell<Vec<u32>>,
    at: Cell<usize>,
    /// The last victim came from the ring.
    from_ring: Cell<bool>,
}

impl Strategy {
    fn new(store: &Store, kind: Kind, blocks: usize) -> Strategy {
        let n = blocks.min(store.shared().descs.len() / 8).max(1);
        Strategy { kind, ring: RefCell::new(vec![0; n]), at: Cell::new(0), from_ring: Cell::new(false) }
    }
    /// Large sequential scans: 256 kB.
    pub fn bulk_read(store: &Store) -> Strategy {
        Strategy::new(store, Kind::BulkRead, 32)
    }
    /// COPY, CREATE TABLE AS: 16 MB, at most an eighth of the pool.
    pub fn bulk_write(store: &Store) -> Strategy {
        Strategy::new(store, Kind::BulkWrite, 2048)
    }
    /// VACUUM: 256 kB.
    pub fn vacuum(store: &Store) -> Strategy {
        Strategy::new(store, Kind::Vacuum, 32)
    }
    /// The next buffer of the ring, pinned once, if nobody else uses it.
    pub(crate) fn victim(&self, store: &Store) -> Option<u32> {
        let mut ring = self.ring.borrow_mut();
        let at = (self.at.get() + 1) % ring.len();
        self.at.set(at);
        self.from_ring.set(false);
        let buf = ring[at].checked_sub(1)?;
        let d = &store.shared().descs[buf as usize];
        let s = d.state.load(Relaxed);
        if s & REFCOUNT_MASK != 0 || s & USAGE_MASK > USAGE_ONE {
            ring[at] = 0;
            return None;
        }
        store.proc().pins.begin();
        if d.state.compare_exchange(s, s + 1, AcqRel, Relaxed).is_err() {
            store.proc().pins.end();
            return None;
        }
        self.from_ring.set(true);
        Some(buf)
    }
    /// The buffer the sweep gave instead takes the place in the ring.
    pub(crate) fn remember(&self, buf: u32) {
        self.ring.borrow_mut()[self.at.get()] = buf + 1;
    }
    /// Bulk reads give a dirty ring buffer up rather than flush the log for it.
    pub(crate) fn rejects_dirty(&self) -> bool {
        if self.kind == Kind::BulkRead && self.from_ring.get() {
            self.ring.borrow_mut()[self.at.get()] = 0;
            return true;
        }
        false
    }
}
