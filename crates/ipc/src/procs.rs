//! Process slots: one per process that may touch shared memory. A slot says who the process is, what it waits for,
//! which transaction it runs, and what it holds. The last is the containment record: when a process dies by a signal,
//! the postmaster reads there whether anything was in flight.

use crate::activity::Activity;
use crate::segment::{Handle, Layout, Segment};
use crate::{LwLock, Mode, PaddedLwLock, Shared, Tranche, WaitEvent, Wake, signals};
use common::Oid;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, compiler_fence};

/// Most LWLocks one process can hold at once, as in PostgreSQL.
pub const LWLOCKS_MAX: usize = 200;
/// Pins recorded one by one; more are only counted.
pub const PINS_MAX: usize = 64;
/// Subtransaction ids a slot can show.
pub const SUBXIDS_MAX: usize = 64;
/// Fast-path relation locks per process.
pub const FAST_PATH_SLOTS: usize = 16;
/// Partitions of the heavyweight lock table.
pub const LOCK_PARTITIONS: usize = 16;

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum BackendKind {
    Invalid = 0,
    Client = 1,
    AutovacuumWorker = 2,
    AutovacuumLauncher = 3,
    BackgroundWorker = 4,
    WalSender = 5,
    Startup = 6,
    Checkpointer = 7,
    BackgroundWriter = 8,
    WalWriter = 9,
    Archiver = 10,
    Stats = 11,
    Logger = 12,
    /// Cleans up after a dead backend.
    Cleaner = 13,
    /// initdb's bootstrap process.
    Bootstrap = 14,
    /// The monitoring endpoint.
    Monitoring = 15,
    /// Single-user mode.
    Standalone = 16,
    /// Runs a part of another backend's query, its leader's.
    ParallelWorker = 17,
}

impl BackendKind {
    fn from_u32(v: u32) -> BackendKind {
        use BackendKind as K;
        const ALL: [BackendKind; 18] = [
            K::Invalid,
            K::Client,
            K::AutovacuumWorker,
            K::AutovacuumLauncher,
            K::BackgroundWorker,
            K::WalSender,
            K::Startup,
            K::Checkpointer,
            K::BackgroundWriter,
            K::WalWriter,
            K::Archiver,
            K::Stats,
            K::Logger,
            K::Cleaner,
            K::Bootstrap,
            K::Monitoring,
            K::Standalone,
            K::ParallelWorker,
        ];
        ALL.get(v as usize).copied().unwrap_or(K::Invalid)
    }
    /// `backend_type` of `pg_stat_activity`.
    pub fn as_str(self) -> &'static str {
        match self {
            BackendKind::Invalid => "not initialized",
            BackendKind::Client => "client backend",
            BackendKind::AutovacuumWorker => "autovacuum worker",
            BackendKind::AutovacuumLauncher => "autovacuum launcher",
            BackendKind::BackgroundWorker | BackendKind::Monitoring => "background worker",
            BackendKind::WalSender => "walsender",
            BackendKind::Startup => "startup",
            BackendKind::Checkpointer => "checkpointer",
            BackendKind::BackgroundWriter => "background writer",
            BackendKind::WalWriter => "walwriter",
            BackendKind::Archiver => "archiver",
            BackendKind::Stats => "stats collector",
            BackendKind::Logger => "logger",
            BackendKind::Cleaner => "cleaner",
            BackendKind::Bootstrap | BackendKind::Standalone => "standalone backend",
            BackendKind::ParallelWorker => "parallel worker",
        }
    }
}

/// The LWLocks a process holds, and the one it is after.
#[repr(C)]
pub struct HeldLwLocks {
    /// Address of a lock about to be taken or released; bit 0: the process only sleeps on it.
    trying: AtomicUsize,
    count: AtomicU32,
    _pad: AtomicU32,
    /// Address, bit 0 set for exclusive.
    held: [AtomicUsize; LWLOCKS_MAX],
}
// SAFETY: atomics; the addresses are of locks in the segment, which is mapped at one address everywhere.
unsafe impl Shared for HeldLwLocks {}

impl HeldLwLocks {
    /// How many are held.
    #[inline]
    pub fn count(&self) -> usize {
        self.count.load(Relaxed) as usize
    }
    #[inline]
    pub(crate) fn begin(&self, addr: usize) {
        self.trying.store(addr, Relaxed);
        compiler_fence(AcqRel);
    }
    pub(crate) fn sleep(&self, addr: usize) {
        compiler_fence(AcqRel);
        self.trying.store(addr | 1, Relaxed);
    }
    pub(crate) fn gave_up(&self) {
        compiler_fence(AcqRel);
        self.trying.store(0, Relaxed);
    }
    #[inline]
    pub(crate) fn taken(&self, addr: usize, mode: Mode) {
        let n = self.count();
        assert!(n < LWLOCKS_MAX, "too many LWLocks taken");
        self.held[n].store(addr | usize::from(mode == Mode::Exclusive), Relaxed);
        compiler_fence(AcqRel);
        self.count.store(n as u32 + 1, Relaxed);
        compiler_fence(AcqRel);
        self.trying.store(0, Relaxed);
    }
    fn position(&self, addr: usize) -> Option<usize> {
        (0..self.count()).rev().find(|i| self.held[*i].load(Relaxed) & !1 == addr)
    }
    pub(crate) fn mode_of(&self, addr: usize) -> Option<Mode> {
        let v = self.held[self.position(addr)?].load(Relaxed);
        Some(if v & 1 == 1 { Mode::Exclusive } else { Mode::Shared })
    }
    /// The entry stays until `released`: a process killed in between counts as holding the lock.
    #[inline]
    pub(crate) fn begin_release(&self, addr: usize) -> Mode {
        self.mode_of(addr).expect("lock released is held")
    }
    #[inline]
    pub(crate) fn released(&self, addr: usize) {
        let Some(i) = self.position(addr) else { return };
        let last = self.count() - 1;
        if i != last {
            self.held[i].store(self.held[last].load(Relaxed), Relaxed);
            compiler_fence(AcqRel);
        }
        self.count.store(last as u32, Relaxed);
    }
    /// Debug check of the lock order before a wait.
    pub(crate) fn assert_order(&self, t: Tranche) {
        let rank = t.rank();
        if rank == 0 {
            return;
        }
        for i in 0..self.count() {
            let held = lock_at(self.held[i].load(Relaxed) & !1).tranche();
            assert!(held.rank() <= rank, "lock order: {} wanted while {} is held", t.name(), held.name());
        }
    }
    /// Families of the locks held.
    pub fn tranches(&self) -> Vec<Tranche> {
        (0..self.count().min(LWLOCKS_MAX))
            .map(|i| lock_at(self.held[i].load(Relaxed) & !1).tranche())
            .collect()
    }
}

fn lock_at(addr: usize) -> &'static LwLock {
    // SAFETY: only addresses of live LWLocks are stored in the record: of the caller itself (debug check), or, for another
    // process, of locks in the segment. Weak spot: a lock outside the segment, seen from another process; locks are
    // only ever placed in the segment.
    unsafe { &*(addr as *const LwLock) }
}

/// Buffer pins held: what a cleaner has to give back.
#[repr(C)]
pub struct HeldPins {
    /// A pin or unpin under way.
    changing: AtomicU32,
    /// Pins beyond the record.
    overflow: AtomicU32,
    /// Buffer number + 1.
    pins: [AtomicU32; PINS_MAX],
}
// SAFETY: atomics only.
unsafe impl Shared for HeldPins {}

impl HeldPins {
    /// To be called before the buffer's pin count is raised (first pin of this process on it).
    #[inline]
    pub fn begin(&self) {
        self.changing.store(1, Relaxed);
        compiler_fence(AcqRel);
    }
    /// The pin count was raised: `buffer` is pinned by this process.
    #[inline]
    pub fn pinned(&self, buffer: u32) {
        match self.pins.iter().find(|p| p.load(Relaxed) == 0) {
            Some(p) => p.store(buffer + 1, Relaxed),
            None => {
                self.overflow.fetch_add(1, Relaxed);
            }
        }
        self.end();
    }
    /// The pin count was lowered: this process's last pin on `buffer` is gone. Preceded by `begin`.
    #[inline]
    pub fn unpinned(&self, buffer: u32) {
        match self.pins.iter().find(|p| p.load(Relaxed) == buffer + 1) {
            Some(p) => p.store(0, Relaxed),
            None => {
                self.overflow.fetch_sub(1, Relaxed);
            }
        }
        self.end();
    }
    /// The change begun is over (or did not happen).
    #[inline]
    pub fn end(&self) {
        compiler_fence(AcqRel);
        self.changing.store(0, Relaxed);
    }
    /// Buffers pinned, as far as recorded one by one.
    pub fn buffers(&self) -> Vec<u32> {
        self.pins.iter().map(|p| p.load(Relaxed)).filter(|p| *p != 0).map(|p| p - 1).collect()
    }
    /// Pins that are only counted.
    pub fn overflow(&self) -> u32 {
        self.overflow.load(Relaxed)
    }
    /// Forgets everything; the pins were given back.
    pub fn clear(&self) {
        for p in &self.pins {
            p.store(0, Relaxed);
        }
        self.overflow.store(0, Relaxed);
        self.changing.store(0, Relaxed);
    }
}

/// How the wait for a heavyweight lock stands.
pub mod wait_status {
    /// Not waiting, or granted.
    pub const OK: u32 = 0;
    /// In a wait queue.
    pub const WAITING: u32 = 1;
    /// Taken out of the queue without the lock.
    pub const ERROR: u32 = 2;
}

/// `status_flags` bits.
pub mod status {
    /// Runs lazy VACUUM: ignored for other vacuums' horizons.
    pub const IN_VACUUM: u8 = 1;
    /// Runs safe CREATE INDEX CONCURRENTLY.
    pub const IN_SAFE_IC: u8 = 2;
    /// VACUUM to prevent old ids; not to be cancelled.
    pub const VACUUM_FOR_WRAPAROUND: u8 = 4;
    /// An autovacuum worker.
    pub const IS_AUTOVACUUM: u8 = 8;
}

/// The slot.
#[repr(C, align(128))]
pub struct Proc {
    // --- identity
    /// 0: the slot is free. Set by compare-and-swap: owning the slot and being named in it are one step.
    pub pid: AtomicI32,
    kind: AtomicU32,
    /// Index of the slot, from 0. The backend id of virtual transaction ids is this plus one.
    pub number: AtomicU32,
    pub database: AtomicU32,
    pub role: AtomicU32,
    pub cancel_key: AtomicU32,
    /// Pending bits and latch.
    pub wake: Wake,
    pub wait_event: AtomicU32,
    /// Nesting of critical sections.
    critical: AtomicU32,
    /// A WAL reservation is being filled.
    pub wal_in_flight: AtomicU32,

    // --- transaction
    /// Top-level transaction id, 0 if none. Copied in the dense array of `transam`.
    pub xid: AtomicU64,
    /// Oldest id this process's snapshots need, 0 if none.
    pub xmin: AtomicU64,
    /// Local number of the running virtual transaction, 0 if none.
    pub lxid: AtomicU64,
    /// Counts the uses of this slot: (slot, generation) names one process life.
    pub generation: AtomicU64,
    pub status_flags: AtomicU8,
    pub subxids_overflowed: AtomicU8,
    /// Commit is under way and checkpoints must wait for it.
    pub delay_checkpoint: AtomicU8,
    _pad1: AtomicU8,
    pub subxid_count: AtomicU32,
    pub subxids: [AtomicU64; SUBXIDS_MAX],

    // --- heavyweight locks, under the lock manager's partition locks
    /// Entry + 1 of the lock waited for, 0 if none.
    pub wait_lock: AtomicU32,
    /// Entry + 1 of the holder record.
    pub wait_holder: AtomicU32,
    pub wait_mode: AtomicU32,
    pub wait_status: AtomicU32,
    /// Neighbours in the wait queue: slot + 1.
    pub wait_next: AtomicU32,
    pub wait_prev: AtomicU32,
    /// Modes held on the lock waited for, as a mask.
    pub wait_held_mask: AtomicU32,
    /// Slot + 1 of the leader of the lock group, 0 if alone.
    pub lock_group_leader: AtomicU32,
    pub wait_start: AtomicI64,
    /// Of a parallel worker: the process it works for.
    pub leader_pid: AtomicI32,
    _pad2: AtomicI32,
    /// Heads of the lists of holder records, one per partition of the lock table.
    pub holders: [AtomicU32; LOCK_PARTITIONS],
    pub fast_path_lock: PaddedLwLock,
    /// Modes held: three bits per fast-path relation.
    pub fast_path_bits: AtomicU64,
    pub fast_path_relations: [AtomicU32; FAST_PATH_SLOTS],
    /// The virtual transaction's own lock lives here until somebody waits for it.
    pub fast_path_vxid: AtomicU64,

    // --- invalidation
    /// Next message to read.
    pub inval_position: AtomicU64,
    pub inval_reset: AtomicU32,
    pub inval_active: AtomicU32,

    // --- what it holds
    pub lwlocks: HeldLwLocks,
    pub pins: HeldPins,

    // --- group updates, intrusive list
    pub group_next: AtomicU32,
    pub group_member: AtomicU32,
    pub group_xid: AtomicU64,
    pub group_lsn: AtomicU64,

    /// Log positions of a commit record that has not yet taken effect everywhere: start, end; 0 if none.
    pub commit_start: AtomicU64,
    pub commit_end: AtomicU64,
    /// For modules above: each documents its use.
    pub spare: [AtomicU64; 8],
    /// Pages of the status caches found, not handed over yet.
    pub slru_hits: [AtomicU64; 4],
    pub activity: Activity,
    pub progress: crate::progress::Progress,
}
// SAFETY: atomics and Shared parts only, valid when zero.
unsafe impl Shared for Proc {}

/// What a dead process had under way.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    /// LWLocks held, or possibly held.
    pub lwlocks: Vec<Tranche>,
    /// It died about to take or release a lock: that lock's state is unknown.
    pub lwlock_unknown: bool,
    pub critical: bool,
    pub wal: bool,
    /// A pin count was being changed, or more pins than the record holds.
    pub pins_unknown: bool,
}

impl InFlight {
    /// Nothing: a cleaner can take away the rest and nobody notices.
    pub fn is_clean(&self) -> bool {
        self.lwlocks.is_empty() && !self.lwlock_unknown && !self.critical && !self.wal && !self.pins_unknown
    }
}

impl Proc {
    /// Shows what this process begins to wait for; returns what was shown before. Only the owner writes: plain stores.
    #[inline]
    pub fn show_wait(&self, event: WaitEvent) -> u32 {
        let before = self.wait_event.load(Relaxed);
        self.wait_event.store(event.0, Relaxed);
        before
    }
    /// [`Proc::show_wait`] until the guard is dropped.
    pub fn shown_wait(&self, event: WaitEvent) -> ShownWait<'_> {
        ShownWait { proc: self, before: self.show_wait(event) }
    }
    /// What the process is.
    pub fn kind(&self) -> BackendKind {
        BackendKind::from_u32(self.kind.load(Relaxed))
    }
    /// Process id, 0 when free.
    pub fn pid(&self) -> i32 {
        self.pid.load(Acquire)
    }
    /// Slot index.
    pub fn number(&self) -> u32 {
        self.number.load(Relaxed)
    }
    /// Database it is connected to.
    pub fn database(&self) -> Oid {
        Oid(self.database.load(Relaxed))
    }
    /// Role it logged in as.
    pub fn role(&self) -> Oid {
        Oid(self.role.load(Relaxed))
    }
    /// Its latch.
    pub fn latch(&self) -> &crate::Latch {
        &self.wake.latch
    }
    /// Begins a critical section: a failure inside must end the server.
    #[inline]
    pub fn enter_critical(&self) {
        self.critical.store(self.critical.load(Relaxed) + 1, Relaxed);
        compiler_fence(AcqRel);
    }
    /// Ends it.
    #[inline]
    pub fn leave_critical(&self) {
        compiler_fence(AcqRel);
        let n = self.critical.load(Relaxed);
        debug_assert!(n > 0);
        self.critical.store(n.saturating_sub(1), Relaxed);
    }
    /// Inside one?
    #[inline]
    pub fn in_critical_section(&self) -> bool {
        self.critical.load(Relaxed) > 0
    }
    /// A critical section as a guard.
    pub fn critical_section(&self) -> CriticalGuard<'_> {
        self.enter_critical();
        CriticalGuard(self)
    }
    /// The containment record, read by the postmaster after the process died.
    pub fn in_flight(&self) -> InFlight {
        let trying = self.lwlocks.trying.load(Acquire);
        InFlight {
            lwlocks: self.lwlocks.tranches(),
            lwlock_unknown: trying != 0 && trying & 1 == 0,
            critical: self.in_critical_section(),
            wal: self.wal_in_flight.load(Acquire) != 0,
            pins_unknown: self.pins.changing.load(Acquire) != 0 || self.pins.overflow() != 0,
        }
    }
    /// First step after a contained death: the process may have swallowed a wake-up of the lock it slept on.
    pub fn wake_lwlock_waiters(&self) {
        let trying = self.lwlocks.trying.load(Acquire);
        if trying & 1 == 1 {
            lock_at(trying & !1).wake_everyone();
        }
    }
    /// Leaves signal bits for this process and wakes it.
    pub fn post(&self, bits: u32) {
        self.wake.post(bits);
    }
    /// Sends it a signal.
    pub fn signal(&self, sig: i32) -> bool {
        let pid = self.pid();
        pid > 0 && signals::send_raw(pid, sig)
    }
    fn clear(&self) {
        for a in [
            &self.database,
            &self.role,
            &self.cancel_key,
            &self.wait_event,
            &self.critical,
            &self.wal_in_flight,
            &self.subxid_count,
            &self.wait_lock,
            &self.wait_holder,
            &self.wait_mode,
            &self.wait_status,
            &self.wait_next,
            &self.wait_prev,
            &self.wait_held_mask,
            &self.lock_group_leader,
            &self.inval_reset,
            &self.inval_active,
            &self.group_next,
            &self.group_member,
            &self.lwlocks.count,
        ] {
            a.store(0, Relaxed);
        }
        for a in [
            &self.xid,
            &self.xmin,
            &self.lxid,
            &self.fast_path_bits,
            &self.fast_path_vxid,
            &self.commit_start,
            &self.commit_end,
        ] {
            a.store(0, Relaxed);
        }
        for a in &self.spare {
            a.store(0, Relaxed);
        }
        self.lwlocks.trying.store(0, Relaxed);
        self.wake.pending.store(0, Relaxed);
        self.status_flags.store(0, Relaxed);
        self.subxids_overflowed.store(0, Relaxed);
        self.delay_checkpoint.store(0, Relaxed);
        self.wait_start.store(0, Relaxed);
        self.leader_pid.store(0, Relaxed);
        self.pins.clear();
        self.progress.end();
    }
}

/// A wait shown while this lives.
pub struct ShownWait<'a> {
    proc: &'a Proc,
    before: u32,
}
impl Drop for ShownWait<'_> {
    fn drop(&mut self) {
        self.proc.wait_event.store(self.before, Relaxed);
    }
}

/// Leaves the critical section when dropped.
pub struct CriticalGuard<'a>(&'a Proc);
impl Drop for CriticalGuard<'_> {
    fn drop(&mut self) {
        self.0.leave_critical();
    }
}

/// How many slots of each class.
#[derive(Clone, Copy, Debug)]
pub struct ProcConfig {
    pub max_connections: usize,
    pub autovacuum_workers: usize,
    /// Background workers and walsenders.
    pub max_workers: usize,
    /// `track_activity_query_size`.
    pub query_bytes: usize,
}

/// Slots for the launcher and the auxiliary processes.
pub const AUX_SLOTS: usize = 16;

impl ProcConfig {
    fn query_words(&self) -> usize {
        self.query_bytes.div_ceil(8)
    }
    /// All slots together.
    pub fn total(&self) -> usize {
        self.max_connections + self.autovacuum_workers + self.max_workers + AUX_SLOTS
    }
}

/// Reservation of the slots.
#[derive(Clone, Copy)]
pub struct ProcTableHandle {
    slots: Handle<Proc>,
    header: Handle<Header>,
    queries: Handle<AtomicU64>,
    config: ProcConfig,
}

#[repr(C)]
struct Header {
    /// Slots below this have been in use at some time: scans stop here.
    high_water: AtomicU32,
    _pad: AtomicU32,
}
// SAFETY: atomics only.
unsafe impl Shared for Header {}

/// All slots.
#[derive(Clone, Copy)]
pub struct ProcTable {
    slots: &'static [Proc],
    header: &'static Header,
    queries: &'static [AtomicU64],
    config: ProcConfig,
}

impl ProcTable {
    /// Reserves the slots.
    pub fn reserve(layout: &mut Layout, config: ProcConfig) -> ProcTableHandle {
        ProcTableHandle {
            slots: layout.reserve("Proc Array Slots", config.total()),
            header: layout.reserve("Proc Header", 1),
            queries: layout.reserve("Backend Activity Buffer", config.total() * config.query_words()),
            config,
        }
    }
    /// Finds them in the segment.
    pub fn attach(seg: &Segment, h: ProcTableHandle) -> ProcTable {
        ProcTable {
            slots: seg.slice(h.slots),
            header: seg.get(h.header),
            queries: seg.slice(h.queries),
            config: h.config,
        }
    }
    /// Numbers the slots; once, before any fork.
    pub fn init(&self) {
        for (i, p) in self.slots.iter().enumerate() {
            p.number.store(i as u32, Relaxed);
            p.fast_path_lock.init(Tranche::LOCK_FAST_PATH);
            let words = self.config.query_words();
            p.activity.set_query_space(&self.queries[i * words..(i + 1) * words], self.config.query_bytes);
        }
    }
    /// The sizes.
    pub fn config(&self) -> ProcConfig {
        self.config
    }
    /// Total slots.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
    /// No slots?
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
    fn class(&self, kind: BackendKind) -> std::ops::Range<usize> {
        let c = &self.config;
        let auto = c.max_connections;
        let workers = auto + c.autovacuum_workers;
        let aux = workers + c.max_workers;
        match kind {
            BackendKind::Client | BackendKind::Bootstrap | BackendKind::Standalone => 0..auto,
            BackendKind::AutovacuumWorker => auto..workers,
            BackendKind::BackgroundWorker | BackendKind::ParallelWorker | BackendKind::WalSender => {
                workers..aux
            }
            _ => aux..c.total(),
        }
    }
    /// Takes a slot for this process, the lowest free one of its class; `None`: all are in use ("sorry, too many
    /// clients already").
    pub fn allocate(&self, kind: BackendKind) -> Option<&'static Proc> {
        let pid = std::process::id() as i32;
        let p = self.slots[self.class(kind)]
            .iter()
            .find(|p| p.pid() == 0 && p.pid.compare_exchange(0, pid, SeqCst, Relaxed).is_ok())?;
        p.clear();
        p.kind.store(kind as u32, Relaxed);
        p.generation.fetch_add(1, AcqRel);
        p.wake.latch.own(pid);
        self.header.high_water.fetch_max(p.number() + 1, AcqRel);
        Some(p)
    }
    /// Gives a slot back: by its process at its end, or by the cleaner when everything it held is gone.
    pub fn release(&self, p: &Proc) {
        debug_assert_eq!(p.lwlocks.count(), 0);
        p.latch().disown();
        p.clear();
        p.kind.store(0, Relaxed);
        p.generation.fetch_add(1, AcqRel);
        p.wait_event.store(WaitEvent::NONE.0, Relaxed);
        p.pid.store(0, Release);
    }
    /// A slot by index.
    pub fn get(&self, number: u32) -> &'static Proc {
        &self.slots[number as usize]
    }
    /// Slots that are or were in use.
    pub fn scan(&self) -> &'static [Proc] {
        &self.slots[..(self.header.high_water.load(Acquire) as usize).min(self.slots.len())]
    }
    /// Slots in use.
    pub fn live(&self) -> impl Iterator<Item = &'static Proc> {
        self.scan().iter().filter(|p| p.pid() != 0)
    }
    /// The slot of a process.
    pub fn by_pid(&self, pid: i32) -> Option<&'static Proc> {
        self.live().find(|p| p.pid() == pid)
    }
    /// The slot of the only process of a kind (checkpointer, walwriter …).
    pub fn by_kind(&self, kind: BackendKind) -> Option<&'static Proc> {
        self.live().find(|p| p.kind() == kind)
    }
    /// Parallel workers of a leader.
    pub fn workers_of(&self, leader_pid: i32) -> impl Iterator<Item = &'static Proc> {
        self.parallel_workers().filter(move |p| p.leader_pid.load(Acquire) == leader_pid)
    }
    /// All parallel workers.
    pub fn parallel_workers(&self) -> impl Iterator<Item = &'static Proc> {
        self.live().filter(|p| p.kind() == BackendKind::ParallelWorker)
    }
    /// Client backends connected (slots of that class in use).
    pub fn count_kind(&self, kind: BackendKind) -> usize {
        self.live().filter(|p| p.kind() == kind).count()
    }
}
