//! What serializable transactions share: who runs or has committed while somebody who overlaps runs, what each has read
//! and written, and which read what another has overwritten. One lock guards it all: it is taken once per transaction
//! and relation, not per row.

use ipc::{Handle, Layout, PaddedLwLock, Segment, Tranche, shared_struct};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Relations remembered per transaction and direction; with more, it counts as touching all.
pub const RELATIONS_MAX: usize = 62;
/// Most transactions remembered.
const TRANSACTIONS_MAX: usize = 1024;

pub const FREE: u32 = 0;
pub const ACTIVE: u32 = 1;
pub const COMMITTED: u32 = 2;

/// Flags of a transaction.
pub mod flag {
    /// Must not commit.
    pub const DOOMED: u32 = 1;
    /// Declared so, or committed without a write.
    pub const READ_ONLY: u32 = 2;
    /// It read what one that committed before it had overwritten.
    pub const CONFLICT_OUT: u32 = 4;
    /// The same of one that is no longer remembered; and the other way round.
    pub const SUMMARY_OUT: u32 = 8;
    pub const SUMMARY_IN: u32 = 16;
    pub const READS_ALL: u32 = 32;
    pub const WRITES_ALL: u32 = 64;
    /// A deferrable reader waits to know whether its snapshot is safe; and it is not.
    pub const WAITS_SAFE: u32 = 128;
    pub const UNSAFE: u32 = 256;
}

/// Not prepared, not committed, no conflict.
pub const NEVER: u64 = u64::MAX;

shared_struct! {
    /// One serializable transaction.
    pub struct SerXact {
        pub state: AtomicU32,
        pub flags: AtomicU32,
        /// Slot of the process plus one.
        pub owner: AtomicU32,
        pub read_count: AtomicU32,
        pub write_count: AtomicU32,
        _pad: AtomicU32,
        /// Number of its beginning: tells successive users of the entry apart.
        pub birth: AtomicU64,
        pub xid: AtomicU64,
        /// Commits with lower numbers are in its snapshot.
        pub start: AtomicU64,
        /// Number given when it had decided to commit; and when it had.
        pub prepared: AtomicU64,
        pub committed: AtomicU64,
        /// Lowest number of a transaction it has a conflict out to.
        pub earliest_out: AtomicU64,
        /// `database << 32 | relation`
        pub reads: [AtomicU64; RELATIONS_MAX],
        pub writes: [AtomicU64; RELATIONS_MAX],
    }
}

shared_struct! {
    pub struct Head {
        pub lock: PaddedLwLock,
        /// Last number given to a commit.
        pub sequence: AtomicU64,
        pub births: AtomicU64,
        /// Of the transactions that are no longer remembered: highest commit numbers of readers and writers, and whether
        /// one of the writers had a conflict out.
        pub old_reader: AtomicU64,
        pub old_writer: AtomicU64,
        pub old_writer_out: AtomicU32,
        _pad: AtomicU32,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct SsiHandle {
    head: Handle<Head>,
    xacts: Handle<SerXact>,
    edges: Handle<AtomicU64>,
}

/// The table as one process sees it.
#[derive(Clone, Copy)]
pub struct SsiTable {
    pub head: &'static Head,
    pub xacts: &'static [SerXact],
    /// A row of bits per transaction: those it has a conflict out to.
    edges: &'static [AtomicU64],
}

impl SsiTable {
    /// Reserves room for some times the number of processes.
    pub fn reserve(l: &mut Layout, procs: usize) -> SsiHandle {
        let n = (procs * 4).next_multiple_of(64).clamp(64, TRANSACTIONS_MAX);
        SsiHandle {
            head: l.reserve("Serializable Transactions", 1),
            xacts: l.reserve("SERIALIZABLEXACT", n),
            edges: l.reserve("RWConflictPool", n * n / 64),
        }
    }
    pub fn attach(seg: &Segment, h: SsiHandle) -> SsiTable {
        SsiTable { head: seg.get(h.head), xacts: seg.slice(h.xacts), edges: seg.slice(h.edges) }
    }
    pub fn init(&self) {
        self.head.lock.init(Tranche::SERIALIZABLE);
        self.head.sequence.store(1, Relaxed);
    }

    fn word(&self, from: usize, to: usize) -> (&AtomicU64, u64) {
        (&self.edges[from * (self.xacts.len() / 64) + to / 64], 1 << (to % 64))
    }
    /// Has `from` read what `to` has overwritten?
    pub fn edge(&self, from: usize, to: usize) -> bool {
        let (w, bit) = self.word(from, to);
        w.load(Relaxed) & bit != 0
    }
    pub fn set_edge(&self, from: usize, to: usize) {
        let (w, bit) = self.word(from, to);
        w.store(w.load(Relaxed) | bit, Relaxed);
    }
    pub fn clear_edge(&self, from: usize, to: usize) {
        let (w, bit) = self.word(from, to);
        w.store(w.load(Relaxed) & !bit, Relaxed);
    }
    /// Entries in use.
    pub fn used(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.xacts.len()).filter(|i| self.xacts[*i].state.load(Relaxed) != FREE)
    }
    /// Forgets an entry and its conflicts.
    pub fn free(&self, i: usize) {
        for j in 0..self.xacts.len() {
            self.clear_edge(i, j);
            self.clear_edge(j, i);
        }
        self.xacts[i].state.store(FREE, Relaxed);
    }
}

impl SerXact {
    pub fn has(&self, flags: u32) -> bool {
        self.flags.load(Relaxed) & flags != 0
    }
    pub fn set(&self, flags: u32) {
        self.flags.store(self.flags.load(Relaxed) | flags, Relaxed);
    }
    pub fn is_committed(&self) -> bool {
        self.state.load(Relaxed) == COMMITTED
    }
    pub fn is_prepared(&self) -> bool {
        self.prepared.load(Relaxed) != NEVER
    }
    /// Did it read the relation?
    pub fn reads(&self, key: u64) -> bool {
        self.has(flag::READS_ALL) || listed(&self.reads, &self.read_count, key)
    }
    pub fn writes(&self, key: u64) -> bool {
        self.has(flag::WRITES_ALL) || listed(&self.writes, &self.write_count, key)
    }
    pub fn note_read(&self, key: u64) {
        if !note(&self.reads, &self.read_count, key) {
            self.set(flag::READS_ALL);
        }
    }
    pub fn note_write(&self, key: u64) {
        if !note(&self.writes, &self.write_count, key) {
            self.set(flag::WRITES_ALL);
        }
    }
    pub fn wrote(&self) -> bool {
        self.write_count.load(Relaxed) > 0
    }
}

fn listed(list: &[AtomicU64], count: &AtomicU32, key: u64) -> bool {
    list[..count.load(Relaxed) as usize].iter().any(|k| k.load(Relaxed) == key)
}

fn note(list: &[AtomicU64], count: &AtomicU32, key: u64) -> bool {
    let n = count.load(Relaxed) as usize;
    let Some(place) = list.get(n) else { return false };
    place.store(key, Relaxed);
    count.store(n as u32 + 1, Relaxed);
    true
}
