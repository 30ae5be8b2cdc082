//! Background workers in shared memory: `max_worker_processes` slots through which backends ask the postmaster for a process
//! and follow what becomes of it. A slot is claimed by compare-and-swap, filled in, then published; the postmaster copies
//! what it reads and believes none of it without bounds, since a crashed process may have written it.

use crate::activity::Text;
use crate::segment::{Handle as Reservation, Layout, Segment};
use crate::{Interrupts, Shared, WaitEvent, signals};
use common::Result;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64};
use std::time::Duration;

/// When the postmaster starts a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum StartTime {
    /// At once; no database connection is possible.
    PostmasterStart = 0,
    /// As soon as read-only queries are.
    ConsistentState = 1,
    /// When the system is in normal operation.
    RecoveryFinished = 2,
}

impl StartTime {
    /// From its number.
    pub fn from_u32(v: u32) -> StartTime {
        match v {
            0 => StartTime::PostmasterStart,
            1 => StartTime::ConsistentState,
            _ => StartTime::RecoveryFinished,
        }
    }
}

/// A worker, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSpec {
    /// In `ps` and the log; at most 95 bytes.
    pub name: String,
    /// `backend_type` in `pg_stat_activity`; the name if empty.
    pub kind: String,
    /// Statements will be run.
    pub database_connection: bool,
    /// It belongs to a parallel query: counted against `max_parallel_workers`.
    pub parallel: bool,
    pub start: StartTime,
    /// After a failure; `None`: never started again.
    pub restart: Option<Duration>,
    /// Library that holds the main function; `postgres` is the server itself.
    pub library: String,
    pub function: String,
    pub argument: i64,
    /// At most 127 bytes.
    pub extra: String,
    /// Gets SIGUSR1 when the worker starts and when it ends; 0: nobody.
    pub notify_pid: i32,
}

impl Default for WorkerSpec {
    fn default() -> WorkerSpec {
        WorkerSpec {
            name: String::new(),
            kind: String::new(),
            database_connection: true,
            parallel: false,
            start: StartTime::RecoveryFinished,
            restart: None,
            library: "postgres".into(),
            function: String::new(),
            argument: 0,
            extra: String::new(),
            notify_pid: 0,
        }
    }
}

impl WorkerSpec {
    /// What the log and `pg_stat_activity` call it.
    pub fn type_name(&self) -> &str {
        if self.kind.is_empty() { &self.name } else { &self.kind }
    }
}

const FREE: u32 = 0;
const CLAIMED: u32 = 1;
const PUBLISHED: u32 = 2;

/// The postmaster has not started it yet.
const NOT_STARTED: i32 = -1;

/// One slot.
#[repr(C)]
struct Slot {
    state: AtomicU32,
    terminate: AtomicU32,
    /// -1 not started, 0 ended, otherwise the process.
    pid: AtomicI32,
    notify_pid: AtomicI32,
    /// Counts uses: a handle is good for one of them.
    generation: AtomicU64,
    flags: AtomicU32,
    start: AtomicU32,
    restart_s: AtomicI32,
    _pad: AtomicU32,
    argument: AtomicI64,
    name: Text<12>,
    kind: Text<12>,
    library: Text<32>,
    function: Text<12>,
    extra: Text<16>,
}
// SAFETY: atomics only.
unsafe impl Shared for Slot {}

const CONNECTION: u32 = 1;
const PARALLEL: u32 = 2;

impl Slot {
    fn fill(&self, s: &WorkerSpec, pid: i32) {
        self.generation.fetch_add(1, AcqRel);
        self.terminate.store(0, Relaxed);
        self.pid.store(pid, Relaxed);
        self.notify_pid.store(s.notify_pid, Relaxed);
        let flags =
            if s.database_connection { CONNECTION } else { 0 } | if s.parallel { PARALLEL } else { 0 };
        self.flags.store(flags, Relaxed);
        self.start.store(s.start as u32, Relaxed);
        let restart = s.restart.map_or(-1, |d| i32::try_from(d.as_secs()).unwrap_or(i32::MAX));
        self.restart_s.store(restart, Relaxed);
        self.argument.store(s.argument, Relaxed);
        self.name.set(&s.name);
        self.kind.set(&s.kind);
        self.library.set(&s.library);
        self.function.set(&s.function);
        self.extra.set(&s.extra);
        self.state.store(PUBLISHED, Release);
    }
    fn spec(&self) -> WorkerSpec {
        let flags = self.flags.load(Relaxed);
        WorkerSpec {
            name: self.name.get(),
            kind: self.kind.get(),
            database_connection: flags & CONNECTION != 0,
            parallel: flags & PARALLEL != 0,
            start: StartTime::from_u32(self.start.load(Relaxed)),
            restart: u64::try_from(self.restart_s.load(Relaxed)).ok().map(Duration::from_secs),
            library: self.library.get(),
            function: self.function.get(),
            argument: self.argument.load(Relaxed),
            extra: self.extra.get(),
            notify_pid: self.notify_pid.load(Relaxed),
        }
    }
}

/// Reservation of the slots.
#[derive(Clone, Copy)]
pub struct WorkerTableHandle(Reservation<Slot>);

/// All slots.
#[derive(Clone, Copy)]
pub struct WorkerTable {
    slots: &'static [Slot],
}

/// One worker that was registered dynamically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerHandle {
    pub slot: u32,
    pub generation: u64,
}

/// What a dynamic worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerStatus {
    NotStarted,
    Running(i32),
    Stopped,
}

impl WorkerTable {
    /// Reserves `max_worker_processes` slots (and one, so that the table is never empty).
    pub fn reserve(layout: &mut Layout, max_worker_processes: usize) -> WorkerTableHandle {
        WorkerTableHandle(layout.reserve("Background Worker Data", max_worker_processes + 1))
    }
    /// Finds them in the segment.
    pub fn attach(seg: &Segment, h: WorkerTableHandle) -> WorkerTable {
        let slots = seg.slice(h.0);
        WorkerTable { slots: &slots[..slots.len() - 1] }
    }
    /// Number of slots.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
    /// No slots?
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
    fn claim(&self) -> Option<(usize, &'static Slot)> {
        self.slots
            .iter()
            .enumerate()
            .find(|(_, s)| s.state.compare_exchange(FREE, CLAIMED, SeqCst, Relaxed).is_ok())
    }

    // ---- a backend's side ----

    /// Asks for a worker. `None`: all slots are taken. The postmaster is told.
    pub fn register(&self, spec: &WorkerSpec) -> Option<WorkerHandle> {
        let (i, slot) = self.claim()?;
        slot.fill(spec, NOT_STARTED);
        let h = WorkerHandle { slot: i as u32, generation: slot.generation.load(Acquire) };
        tell_postmaster();
        Some(h)
    }
    /// How many parallel workers are registered.
    pub fn parallel_count(&self) -> usize {
        let parallel = |s: &&Slot| s.flags.load(Relaxed) & PARALLEL != 0;
        self.slots.iter().filter(|s| s.state.load(Acquire) == PUBLISHED).filter(parallel).count()
    }
    /// How a worker stands.
    pub fn status(&self, h: WorkerHandle) -> WorkerStatus {
        let Some(s) = self.slots.get(h.slot as usize) else { return WorkerStatus::Stopped };
        let pid = s.pid.load(Acquire);
        if s.state.load(Acquire) != PUBLISHED || s.generation.load(Acquire) != h.generation {
            return WorkerStatus::Stopped;
        }
        match pid {
            NOT_STARTED => WorkerStatus::NotStarted,
            0 => WorkerStatus::Stopped,
            pid => WorkerStatus::Running(pid),
        }
    }
    /// Has a worker ended, and not started again.
    pub fn terminate(&self, h: WorkerHandle) {
        let Some(s) = self.slots.get(h.slot as usize) else { return };
        if s.state.load(Acquire) == PUBLISHED && s.generation.load(Acquire) == h.generation {
            s.terminate.store(1, Release);
            tell_postmaster();
        }
    }
    /// Waits until the worker runs, or has ended. Errors: those of interrupts.
    pub fn wait_for_startup(&self, h: WorkerHandle, ints: &Interrupts) -> Result<WorkerStatus> {
        self.wait(h, ints, WaitEvent::BGWORKER_STARTUP, |s| s != WorkerStatus::NotStarted)
    }
    /// Waits until the worker has ended.
    pub fn wait_for_shutdown(&self, h: WorkerHandle, ints: &Interrupts) -> Result<WorkerStatus> {
        self.wait(h, ints, WaitEvent::BGWORKER_SHUTDOWN, |s| s == WorkerStatus::Stopped)
    }
    fn wait(
        &self,
        h: WorkerHandle,
        ints: &Interrupts,
        event: WaitEvent,
        enough: impl Fn(WorkerStatus) -> bool,
    ) -> Result<WorkerStatus> {
        let _shown = ints.waiting(event);
        loop {
            let s = self.status(h);
            if enough(s) {
                return Ok(s);
            }
            ints.check()?;
            // SIGUSR1 of the postmaster wakes it; who asked for no notification looks again soon.
            ints.latch().wait(Some(Duration::from_millis(50)));
            ints.latch().reset();
        }
    }

    // ---- the postmaster's side ----

    /// Puts a statically registered worker into a slot: at start, before any child.
    pub fn place(&self, spec: &WorkerSpec) -> Option<u32> {
        let (i, slot) = self.claim()?;
        slot.fill(spec, NOT_STARTED);
        Some(i as u32)
    }
    /// Workers asked for: slot, whether they are to end, and what they are. Bounded by the number of slots.
    pub fn published(&self) -> impl Iterator<Item = (u32, bool)> {
        let there = |s: &&Slot| s.state.load(Acquire) == PUBLISHED;
        let slots = self.slots.iter().enumerate().filter(move |(_, s)| there(s));
        slots.map(|(i, s)| (i as u32, s.terminate.load(Acquire) != 0))
    }
    /// What is asked for in a slot.
    pub fn spec(&self, slot: u32) -> Option<WorkerSpec> {
        self.slots.get(slot as usize).map(Slot::spec)
    }
    /// The worker's process started (`pid`) or ended (0, or -1 when it will be started again).
    pub fn set_pid(&self, slot: u32, pid: Option<i32>, again: bool) {
        if let Some(s) = self.slots.get(slot as usize) {
            s.pid.store(pid.unwrap_or(if again { NOT_STARTED } else { 0 }), Release);
        }
    }
    /// The worker will not run again: its slot is free.
    pub fn forget(&self, slot: u32) {
        if let Some(s) = self.slots.get(slot as usize) {
            s.pid.store(0, Relaxed);
            s.state.store(FREE, Release);
        }
    }
}

fn tell_postmaster() {
    signals::send_raw(std::os::unix::process::parent_id() as i32, libc::SIGUSR1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(n: usize) -> WorkerTable {
        let mut layout = Layout::new();
        let h = WorkerTable::reserve(&mut layout, n);
        WorkerTable::attach(&Segment::create(layout).expect("a segment"), h)
    }

    #[test]
    fn a_slot_carries_what_is_asked_for() {
        let t = table(2);
        let spec = WorkerSpec {
            name: "a worker".into(),
            kind: "kind".into(),
            restart: Some(Duration::from_secs(5)),
            function: "f".into(),
            argument: -7,
            extra: "ü".repeat(20),
            ..WorkerSpec::default()
        };
        let slot = t.place(&spec).expect("a slot");
        assert_eq!(t.spec(slot), Some(spec.clone()));
        assert_eq!(t.published().collect::<Vec<_>>(), vec![(slot, false)]);
        t.place(&spec).expect("a second");
        assert!(t.place(&spec).is_none(), "no third");
    }

    #[test]
    fn a_handle_is_good_for_one_use_of_its_slot() {
        let t = table(1);
        let slot = t.place(&WorkerSpec::default()).expect("a slot");
        let h = WorkerHandle { slot, generation: 1 };
        assert_eq!(t.status(h), WorkerStatus::NotStarted);
        t.set_pid(slot, Some(42), false);
        assert_eq!(t.status(h), WorkerStatus::Running(42));
        t.forget(slot);
        assert_eq!(t.status(h), WorkerStatus::Stopped);
        t.place(&WorkerSpec::default()).expect("the slot again");
        assert_eq!(t.status(h), WorkerStatus::Stopped);
    }
}
