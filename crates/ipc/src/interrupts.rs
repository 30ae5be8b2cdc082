//! Interrupts of a running statement: cancel, terminate, time-outs. `check` is called wherever work may last; it costs
//! one load when nothing is pending, and it does nothing while an LWLock is held or a critical section is open.

use crate::{Latch, Proc, WaitEvent, Wake, clock, signals};
use common::{Result, bail};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Time-outs a process can have armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum TimerId {
    /// Look for a deadlock now. Not an error: the lock manager asks `fired`.
    Deadlock = 0,
    /// `lock_timeout`.
    Lock = 1,
    /// `statement_timeout`.
    Statement = 2,
    /// `idle_in_transaction_session_timeout`.
    IdleInTransaction = 3,
    /// `idle_session_timeout`.
    IdleSession = 4,
    /// `authentication_timeout`.
    Startup = 5,
    /// `client_connection_check_interval`: is the client still there?
    ClientCheck = 6,
}
const TIMERS: usize = 7;
const HANDLED: u32 =
    signals::CANCEL | signals::TERMINATE | signals::TIMER | signals::LOG_MEMORY | signals::WORKER;

/// The interrupt state of one process.
pub struct Interrupts {
    wake: Cell<&'static Wake>,
    proc: Cell<Option<&'static Proc>>,
    hold: Cell<u32>,
    /// Monotonic microseconds; 0 is not armed.
    deadline: [Cell<i64>; TIMERS],
    fired: [Cell<bool>; TIMERS],
    /// When the kernel timer goes off; 0 is not armed.
    alarm_at: Cell<i64>,
    is_autovacuum: Cell<bool>,
    /// Tells whether the client is still connected, and how often to ask (milliseconds).
    /// Writes what the process has allocated to the log.
    log_memory: RefCell<Option<Rc<dyn Fn()>>>,
    client_check: RefCell<Option<(Rc<dyn Fn() -> bool>, i64)>>,
    /// Bits that are requests to the main loop of this kind of process, not errors.
    not_errors: Cell<u32>,
    /// Teams of parallel workers that work for this process.
    teams: Cell<u32>,
}

impl Default for Interrupts {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupts {
    /// For a process without a slot yet.
    pub fn new() -> Interrupts {
        Interrupts {
            wake: Cell::new(signals::current()),
            proc: Cell::new(None),
            hold: Cell::new(0),
            deadline: Default::default(),
            fired: Default::default(),
            alarm_at: Cell::new(0),
            is_autovacuum: Cell::new(false),
            log_memory: RefCell::new(None),
            client_check: RefCell::new(None),
            not_errors: Cell::new(0),
            teams: Cell::new(0),
        }
    }
    /// The process got its slot: handlers and other processes reach it there.
    pub fn attach(&self, proc: &'static Proc) {
        signals::direct_to(Some(&proc.wake));
        self.wake.set(&proc.wake);
        self.proc.set(Some(proc));
        use crate::BackendKind as K;
        self.is_autovacuum.set(proc.kind() == K::AutovacuumWorker);
        self.not_errors.set(match proc.kind() {
            K::Client
            | K::AutovacuumWorker
            | K::BackgroundWorker
            | K::ParallelWorker
            | K::WalSender
            | K::Bootstrap => 0,
            // Outlives those whose work it saves.
            K::Checkpointer => signals::CANCEL | signals::TERMINATE,
            _ => signals::CANCEL,
        });
    }
    /// A child of the process goes on with a slot of its own: what its parent had armed, asked for or held off is the
    /// parent's.
    pub fn begin_child(&self, proc: &'static Proc) {
        self.hold.set(0);
        self.teams.set(0);
        self.deadline.iter().for_each(|d| d.set(0));
        self.fired.iter().for_each(|f| f.set(false));
        self.alarm_at.set(0);
        *self.client_check.borrow_mut() = None;
        self.attach(proc);
    }
    /// The process gives its slot back.
    pub fn detach(&self) {
        signals::direct_to(None);
        self.wake.set(signals::current());
        self.proc.set(None);
    }
    /// The latch of this process.
    pub fn latch(&self) -> &'static Latch {
        &self.wake.get().latch
    }
    fn pending(&self) -> &'static AtomicU32 {
        &self.wake.get().pending
    }
    /// Fails with 57014, 57P01 (FATAL) … if the statement or session is to end. Cancel requests to auxiliary processes, and
    /// SIGTERM to the checkpointer, are for their main loops to `take`.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.pending().load(Relaxed) & HANDLED == 0 { Ok(()) } else { self.process() }
    }
    /// Is something pending that `check` would report?
    pub fn is_pending(&self) -> bool {
        self.pending().load(Relaxed) & HANDLED != 0
    }
    /// Takes bits; returns those that were pending.
    pub fn take(&self, bits: u32) -> u32 {
        self.pending().fetch_and(!bits, AcqRel) & bits
    }
    /// Bits that are pending.
    pub fn peek(&self, bits: u32) -> u32 {
        self.pending().load(Acquire) & bits
    }
    /// Parallel workers begin to work for this process: the failure of one ends what it does.
    pub fn begin_team(&self) {
        self.teams.set(self.teams.get() + 1);
    }
    /// They have ended.
    pub fn end_team(&self) {
        self.teams.set(self.teams.get().saturating_sub(1));
        self.take(signals::WORKER);
    }
    /// Holds interrupts off until the guard is dropped.
    pub fn hold(&self) -> HoldGuard<'_> {
        self.hold.set(self.hold.get() + 1);
        HoldGuard(self)
    }
    /// Would `check` do nothing at present?
    pub fn held_off(&self) -> bool {
        self.hold.get() > 0
            || self.proc.get().is_some_and(|p| p.lwlocks.count() > 0 || p.in_critical_section())
    }

    #[cold]
    fn process(&self) -> Result<()> {
        if self.held_off() {
            return Ok(());
        }
        if self.take(signals::TIMER) != 0 {
            self.alarm_at.set(0);
            self.expire();
            self.rearm();
        }
        if self.take(signals::LOG_MEMORY) != 0 {
            let f = self.log_memory.borrow().clone();
            if let Some(f) = f {
                f();
            }
        }
        let errors = !self.not_errors.get();
        if self.take(signals::TERMINATE & errors) != 0 {
            self.take(signals::CANCEL & errors);
            return Err(self.terminated());
        }
        if self.take_fired(TimerId::IdleInTransaction) {
            return Err(common::err!(
                IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle-in-transaction timeout"
            )
            .fatal());
        }
        if self.take_fired(TimerId::IdleSession) {
            return Err(common::err!(
                IDLE_SESSION_TIMEOUT,
                "terminating connection due to idle-session timeout"
            )
            .fatal());
        }
        if self.take_fired(TimerId::Startup) {
            return Err(common::err!(QUERY_CANCELED, "canceling authentication due to timeout").fatal());
        }
        if self.take_fired(TimerId::ClientCheck) {
            self.check_client()?;
        }
        if self.take(signals::WORKER) != 0 && self.teams.get() > 0 {
            // Who leads the team asks what it was.
            bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "lost connection to parallel worker");
        }
        let cancel = self.take(signals::CANCEL & errors) != 0;
        if self.take_fired(TimerId::Lock) {
            bail!(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout");
        }
        if self.take_fired(TimerId::Statement) {
            bail!(QUERY_CANCELED, "canceling statement due to statement timeout");
        }
        if cancel && self.is_autovacuum.get() {
            bail!(QUERY_CANCELED, "canceling autovacuum task");
        }
        if cancel {
            bail!(QUERY_CANCELED, "canceling statement due to user request");
        }
        Ok(())
    }
    /// What to do when another process wants the log to say what this one has allocated.
    pub fn set_log_memory(&self, f: Rc<dyn Fn()>) {
        *self.log_memory.borrow_mut() = Some(f);
    }
    /// How to find out whether the client has gone, asked every so many milliseconds while a statement runs.
    pub fn set_client_check(&self, f: Rc<dyn Fn() -> bool>, every_ms: i64) {
        *self.client_check.borrow_mut() = Some((f, every_ms));
    }
    fn check_client(&self) -> Result<()> {
        let check = self.client_check.borrow().clone();
        let Some((connected, every)) = check else { return Ok(()) };
        if !connected() {
            return Err(common::err!(CONNECTION_FAILURE, "connection to client lost").fatal());
        }
        if every > 0 {
            self.arm(TimerId::ClientCheck, every);
        }
        Ok(())
    }
    fn terminated(&self) -> common::Error {
        if self.is_autovacuum.get() {
            common::err!(ADMIN_SHUTDOWN, "terminating autovacuum process due to administrator command")
                .fatal()
        } else if self.proc.get().is_some_and(|p| p.kind() == crate::BackendKind::ParallelWorker) {
            let what = "terminating background worker \"parallel worker\" due to administrator command";
            common::err!(ADMIN_SHUTDOWN, "{what}").fatal()
        } else {
            common::err!(ADMIN_SHUTDOWN, "terminating connection due to administrator command").fatal()
        }
    }

    /// Arms a time-out `ms` milliseconds from this moment. The kernel timer is touched only if it would go off too late.
    pub fn arm(&self, id: TimerId, ms: i64) {
        self.fired[id as usize].set(false);
        self.deadline[id as usize].set(clock::monotonic() + ms.max(1) * 1000);
        self.rearm();
    }
    /// Disarms a time-out. A kernel timer that goes off for nothing finds nothing to do.
    pub fn disarm(&self, id: TimerId) {
        self.deadline[id as usize].set(0);
        self.fired[id as usize].set(false);
    }
    /// Is it armed and not yet fired?
    pub fn is_armed(&self, id: TimerId) -> bool {
        self.deadline[id as usize].get() != 0
    }
    /// Has it fired? Forgets it.
    pub fn take_fired(&self, id: TimerId) -> bool {
        self.fired[id as usize].replace(false)
    }
    /// Looks at the clock for time-outs that passed, also while interrupts are held off.
    pub fn poll_timers(&self) {
        if self.take(signals::TIMER) != 0 {
            self.alarm_at.set(0);
            self.expire();
            self.rearm();
            // Others than the caller's must still be seen by `check`.
            if self.fired.iter().any(Cell::get) {
                self.pending().fetch_or(signals::TIMER, AcqRel);
            }
        }
    }
    fn expire(&self) {
        let now = clock::monotonic();
        for (d, f) in self.deadline.iter().zip(&self.fired) {
            if d.get() != 0 && d.get() <= now {
                d.set(0);
                f.set(true);
            }
        }
    }
    fn rearm(&self) {
        let Some(first) = self.deadline.iter().map(Cell::get).filter(|d| *d != 0).min() else { return };
        if self.alarm_at.get() == 0 || self.alarm_at.get() > first {
            self.alarm_at.set(first);
            signals::arm_alarm_us((first - clock::monotonic()).max(1));
        }
    }

    /// Shows a wait event in `pg_stat_activity` until the guard is dropped.
    #[inline]
    pub fn waiting(&self, event: WaitEvent) -> WaitGuard {
        let proc = self.proc.get();
        let before = proc.map_or(0, |p| p.show_wait(event));
        WaitGuard { proc, before }
    }
}

/// Interrupts stay held off while this lives.
pub struct HoldGuard<'a>(&'a Interrupts);
impl Drop for HoldGuard<'_> {
    fn drop(&mut self) {
        self.0.hold.set(self.0.hold.get() - 1);
    }
}

/// The wait event is shown while this lives.
pub struct WaitGuard {
    proc: Option<&'static Proc>,
    before: u32,
}
impl Drop for WaitGuard {
    fn drop(&mut self) {
        if let Some(p) = self.proc {
            p.wait_event.store(self.before, Relaxed);
        }
    }
}
