//! What transactions share: counters, the dense array of running ids, the status caches, the lock table, the
//! invalidation ring. The postmaster reserves, attaches and initialises it before the first fork.

use crate::inval::ring::{Ring, RingHandle};
use crate::lock::table::{LockTables, LockTablesHandle};
use crate::notify::queue::{Queue, QueueHandle};
use crate::slru::{Slru, SlruHandle};
use crate::ssi::table::{SsiHandle, SsiTable};
use crate::stats::{StatsHandle, StatsTable};
use ipc::{CondVar, Handle, Layout, PaddedLwLock, ProcConfig, Segment, Tranche, shared_struct};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// Sizes, from the settings.
#[derive(Clone, Copy, Debug)]
pub struct TransamConfig {
    pub procs: ProcConfig,
    /// `max_locks_per_transaction`.
    pub locks_per_transaction: usize,
    /// `max_pred_locks_per_transaction`.
    pub reads_per_transaction: usize,
}

shared_struct! {
    /// Counters and their locks.
    pub struct Counters {
        /// Guards the dense array: shared to take a snapshot, exclusive to leave it.
        pub proc_array: PaddedLwLock,
        pub xid_gen: PaddedLwLock,
        pub oid_gen: PaddedLwLock,
        pub multi_gen: PaddedLwLock,
        pub control_file: PaddedLwLock,
        pub checkpoint: PaddedLwLock,
        /// Next transaction id; under `xid_gen`.
        pub next_xid: AtomicU64,
        /// Highest id that is over; under `proc_array`.
        pub latest_completed: AtomicU64,
        /// Transactions with an id that are over: unchanged, snapshots are too.
        pub completions: AtomicU64,
        /// Below this, pg_xact may be gone.
        pub oldest_xid: AtomicU64,
        pub next_oid: AtomicU32,
        /// Object ids left before the next log record.
        pub oids_left: AtomicU32,
        pub next_multi: AtomicU64,
        pub next_member: AtomicU64,
        pub oldest_multi: AtomicU64,
        /// 1 while recovery runs.
        pub in_recovery: AtomicU32,
        pub speculative_tokens: AtomicU32,
        /// Checkpoint requests: flags wanted, counts begun, done and failed.
        pub ckpt_flags: AtomicU32,
        pub ckpt_started: AtomicU32,
        pub ckpt_done: AtomicU32,
        pub ckpt_failed: AtomicU32,
        pub ckpt_start_cv: CondVar,
        pub ckpt_done_cv: CondVar,
        /// End of the last checkpoint, seconds since 1970; and the log position of its record.
        pub ckpt_time: AtomicI64,
        pub ckpt_lsn: AtomicU64,
        /// First id assigned since the server started: pg_subtrans knows nothing older.
        pub life_xid: AtomicU64,
        pub recovery_end: AtomicU64,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct TransamHandle {
    counters: Handle<Counters>,
    xids: Handle<AtomicU64>,
    substates: Handle<AtomicU32>,
    oldest_member: Handle<AtomicU64>,
    oldest_visible: Handle<AtomicU64>,
    clog: SlruHandle,
    subtrans: SlruHandle,
    offsets: SlruHandle,
    members: SlruHandle,
    locks: LockTablesHandle,
    ring: RingHandle,
    notify: QueueHandle,
    stats: StatsHandle,
    ssi: SsiHandle,
}

/// The shared part as one process sees it.
#[derive(Clone, Copy)]
pub struct TransamShared {
    pub c: &'static Counters,
    /// Running top-level id per slot, 0 if none.
    pub xids: &'static [AtomicU64],
    /// Known subtransactions per slot; bit 31: there are more.
    pub substates: &'static [AtomicU32],
    /// Per slot: oldest multixact this transaction may be a member of; and may look at.
    pub oldest_member: &'static [AtomicU64],
    pub oldest_visible: &'static [AtomicU64],
    pub clog: Slru,
    pub subtrans: Slru,
    pub offsets: Slru,
    pub members: Slru,
    pub locks: LockTables,
    pub ring: Ring,
    pub notify: Queue,
    pub stats: StatsTable,
    /// Serializable transactions.
    pub ssi: SsiTable,
}

impl TransamShared {
    /// Reserves everything.
    pub fn reserve(l: &mut Layout, config: &TransamConfig) -> TransamHandle {
        let n = config.procs.total();
        TransamHandle {
            counters: l.reserve("Transaction Counters", 1),
            xids: l.reserve("Proc Array Xids", n),
            substates: l.reserve("Proc Array Subxid States", n),
            oldest_member: l.reserve("MultiXact Oldest Members", n),
            oldest_visible: l.reserve("MultiXact Oldest Visible", n),
            clog: Slru::reserve(l, "Xact", 128, true),
            subtrans: Slru::reserve(l, "Subtrans", 64, false),
            offsets: Slru::reserve(l, "MultiXactOffset", 32, false),
            members: Slru::reserve(l, "MultiXactMember", 32, false),
            locks: LockTables::reserve(l, config.locks_per_transaction * n),
            ring: Ring::reserve(l),
            notify: Queue::reserve(l, n),
            stats: StatsTable::reserve(l),
            ssi: SsiTable::reserve(l, n, config.reads_per_transaction),
        }
    }
    /// Finds it.
    pub fn attach(seg: &Segment, h: TransamHandle) -> TransamShared {
        TransamShared {
            c: seg.get(h.counters),
            xids: seg.slice(h.xids),
            substates: seg.slice(h.substates),
            oldest_member: seg.slice(h.oldest_member),
            oldest_visible: seg.slice(h.oldest_visible),
            clog: Slru::attach(seg, h.clog, "pg_xact", 0),
            subtrans: Slru::attach(seg, h.subtrans, "pg_subtrans", 1),
            offsets: Slru::attach(seg, h.offsets, "pg_multixact/offsets", 2),
            members: Slru::attach(seg, h.members, "pg_multixact/members", 3),
            locks: LockTables::attach(seg, h.locks),
            ring: Ring::attach(seg, h.ring),
            notify: Queue::attach(seg, h.notify),
            stats: StatsTable::attach(seg, h.stats),
            ssi: SsiTable::attach(seg, h.ssi),
        }
    }
    /// Names locks and fills free lists; once, before any fork.
    pub fn init(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        self.c.proc_array.init(Tranche::PROC_ARRAY);
        self.c.xid_gen.init(Tranche::XID_GEN);
        self.c.oid_gen.init(Tranche::OID_GEN);
        self.c.multi_gen.init(Tranche::MULTIXACT_GEN);
        self.c.control_file.init(Tranche::CONTROL_FILE);
        self.c.checkpoint.init(Tranche::CHECKPOINT);
        self.clog.init(Tranche::XACT_SLRU);
        self.subtrans.init(Tranche::SUBTRANS_SLRU);
        self.offsets.init(Tranche::MULTIXACT_OFFSET_SLRU);
        self.members.init(Tranche::MULTIXACT_MEMBER_SLRU);
        self.locks.init();
        self.ring.init();
        self.notify.init();
        self.stats.init();
        self.ssi.init();
        self.c.in_recovery.store(1, Relaxed);
    }
}

impl TransamShared {
    /// The status caches by PostgreSQL's names.
    pub fn slrus(&self) -> [(&'static str, &Slru); 4] {
        [
            ("MultiXactMember", &self.members),
            ("MultiXactOffset", &self.offsets),
            ("Subtrans", &self.subtrans),
            ("Xact", &self.clog),
        ]
    }
    pub(crate) fn flush_slru_hits(&self, me: &ipc::Proc) {
        self.slrus().iter().for_each(|(_, s)| s.flush_hits(me));
    }
}
