//! What serializable transactions share: who runs or has committed while somebody who overlaps runs, what each has read
//! (see [`super::reads`]), and which read what another has overwritten. One lock guards it all.

use super::reads::{Reads, ReadsHandle, Target};
use ipc::{Handle, Layout, PaddedLwLock, Segment, Tranche, shared_struct};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Targets remembered per transaction; with more, it counts as having read everything.
const READS_MAX: usize = 252;
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
    pub const WROTE: u32 = 64;
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
        /// Process and virtual transaction, for pg_locks: both may be over.
        pub pid: AtomicU32,
        _pad: AtomicU32,
        pub lxid: AtomicU64,
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
        /// Entries of the table of reads.
        pub reads: [AtomicU32; READS_MAX],
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
        /// Transactions that count as having read everything.
        pub reads_all: AtomicU32,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct SsiHandle {
    head: Handle<Head>,
    xacts: Handle<SerXact>,
    edges: Handle<AtomicU64>,
    reads: ReadsHandle,
}

/// The table as one process sees it.
#[derive(Clone, Copy)]
pub struct SsiTable {
    pub head: &'static Head,
    pub xacts: &'static [SerXact],
    /// A row of bits per transaction: those it has a conflict out to.
    edges: &'static [AtomicU64],
    pub reads: Reads,
}

impl SsiTable {
    /// Reserves room for some times the number of processes.
    pub fn reserve(l: &mut Layout, procs: usize, reads_per_proc: usize) -> SsiHandle {
        let n = (procs * 4).next_multiple_of(64).clamp(64, TRANSACTIONS_MAX);
        SsiHandle {
            head: l.reserve("Serializable Transactions", 1),
            xacts: l.reserve("SERIALIZABLEXACT", n),
            edges: l.reserve("RWConflictPool", n * n / 64),
            reads: Reads::reserve(l, procs * reads_per_proc, n),
        }
    }
    pub fn attach(seg: &Segment, h: SsiHandle) -> SsiTable {
        SsiTable {
            head: seg.get(h.head),
            xacts: seg.slice(h.xacts),
            edges: seg.slice(h.edges),
            reads: Reads::attach(seg, h.reads),
        }
    }
    pub fn init(&self) {
        self.head.lock.init(Tranche::SERIALIZABLE);
        self.head.sequence.store(1, Relaxed);
        self.reads.init();
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
        let x = &self.xacts[i];
        for at in &x.reads[..x.read_count.load(Relaxed) as usize] {
            self.reads.remove(at.load(Relaxed) as usize, i);
        }
        x.read_count.store(0, Relaxed);
        if x.has(flag::READS_ALL) {
            self.head.reads_all.fetch_sub(1, Relaxed);
        }
        x.state.store(FREE, Relaxed);
    }

    /// Notes that `i` has read a target; false: there is no room for it.
    pub fn add_read(&self, i: usize, target: Target) -> bool {
        let x = &self.xacts[i];
        let n = x.read_count.load(Relaxed) as usize;
        if n == READS_MAX {
            return self.reads.find(target).is_some_and(|at| self.reads.readers(at).any(|r| r == i));
        }
        match self.reads.add(target, i) {
            None => return false,
            Some((_, false)) => {}
            Some((at, true)) => {
                x.reads[n].store(at as u32, Relaxed);
                x.read_count.store(n as u32 + 1, Relaxed);
            }
        }
        true
    }
    /// A coarser target has taken this one's place.
    pub fn drop_read(&self, i: usize, target: Target) {
        let x = &self.xacts[i];
        let Some(at) = self.reads.find(target) else { return };
        let n = x.read_count.load(Relaxed) as usize;
        let Some(k) = x.reads[..n].iter().position(|r| r.load(Relaxed) as usize == at) else { return };
        x.reads[k].store(x.reads[n - 1].load(Relaxed), Relaxed);
        x.read_count.store(n as u32 - 1, Relaxed);
        self.reads.remove(at, i);
    }
    /// Without room for its reads, `i` counts as having read everything.
    pub fn read_all(&self, i: usize) {
        if !self.xacts[i].has(flag::READS_ALL) {
            self.xacts[i].set(flag::READS_ALL);
            self.head.reads_all.fetch_add(1, Relaxed);
        }
    }
    /// Everybody who has read one of the targets, besides `me`.
    pub fn readers_of(&self, targets: &[Target], me: usize) -> Vec<usize> {
        let mut found: Vec<usize> = targets
            .iter()
            .filter_map(|t| self.reads.find(*t))
            .flat_map(|at| self.reads.readers(at))
            .collect();
        if self.head.reads_all.load(Relaxed) > 0 {
            found.extend(self.used().filter(|i| self.xacts[*i].has(flag::READS_ALL)));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|i| *i != me);
        found
    }
    /// Has anybody besides `me` read one of the targets?
    pub fn is_read(&self, targets: &[Target], me: usize) -> bool {
        self.head.reads_all.load(Relaxed) > 0 || targets.iter().any(|t| self.reads.has_other(*t, me))
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
    pub fn wrote(&self) -> bool {
        self.has(flag::WROTE)
    }
}
