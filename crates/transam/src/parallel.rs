//! Parallel workers: processes forked by a backend, their leader, to run a part of its query. A worker sees the leader's
//! transaction in the memory it inherits: ids, snapshots, command numbers. What the leader holds stays the leader's; the
//! worker has a slot of its own for locks, pins and counters, may read, and may not write.
//!
//! A worker never outlives its leader's transaction: the leader ends it before that ends, and if the leader is killed,
//! the cleaner does, before it gives the leader's locks back.

use crate::lock::local::Locals;
use crate::{Engine, LockMode, LockTag};
use common::{Result, bail};
use ipc::{Proc, ProcTable, WaitEvent, fork, signals};
use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

/// How long one waits for processes to end before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// This process's part in parallel queries.
#[derive(Default)]
pub(crate) struct State {
    worker: Cell<bool>,
    /// Parts of plans that this process runs together with workers, nested.
    depth: Cell<u32>,
    /// A worker was started: there may be some to be ended.
    launched: Cell<bool>,
    /// What the leader held when it forked this worker: as good as held here.
    inherited: RefCell<Locals>,
}

impl State {
    /// Does the leader hold that?
    pub fn is_inherited(&self, tag: LockTag, mode: LockMode) -> bool {
        self.worker.get() && self.inherited.borrow().map.contains_key(&(tag, mode))
    }
}

/// The group of processes that do not stand in each other's way: a leader and its workers.
pub(crate) fn group(p: &Proc) -> u32 {
    match p.lock_group_leader.load(Relaxed) {
        0 => p.number() + 1,
        leader => leader,
    }
}

/// Does this process run a part of a parallel query while the guard lives?
pub struct ParallelGuard<'a>(&'a Cell<u32>);
impl Drop for ParallelGuard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Engine {
    /// Is this process a parallel worker?
    pub fn is_worker(&self) -> bool {
        self.parallel.worker.get()
    }
    /// Does it run what workers run too?
    pub fn in_parallel_mode(&self) -> bool {
        self.is_worker() || self.parallel.depth.get() > 0
    }
    /// Nothing may be written until the guard is dropped.
    pub fn enter_parallel_mode(&self) -> ParallelGuard<'_> {
        let d = &self.parallel.depth;
        d.set(d.get() + 1);
        ParallelGuard(d)
    }
    /// 25000 for what a parallel query may not do; `what` reads "update tuples".
    #[inline]
    pub fn not_in_parallel_mode(&self, what: &str) -> Result<()> {
        if self.in_parallel_mode() {
            bail!(INVALID_TRANSACTION_STATE, "cannot {what} during a parallel operation");
        }
        Ok(())
    }
    /// The same where the leader may.
    #[inline]
    pub fn not_in_worker(&self, what: &str) -> Result<()> {
        if self.is_worker() {
            bail!(INVALID_TRANSACTION_STATE, "cannot {what} in a parallel worker");
        }
        Ok(())
    }

    /// A worker is about to be forked: from here on the locks of this process are its group's.
    pub fn begin_leading(&self) {
        let me = self.proc();
        me.lock_group_leader.store(me.number() + 1, Relaxed);
        self.parallel.launched.set(true);
    }
    /// First thing in a forked worker: it takes over the slot. False: the leader is gone already.
    pub fn begin_worker(&self, me: &'static Proc) -> bool {
        let leader = self.proc();
        let leader_pid = leader.pid();
        me.database.store(leader.database().0, Relaxed);
        me.role.store(leader.role().0, Relaxed);
        me.lock_group_leader.store(leader.number() + 1, Relaxed);
        me.leader_pid.store(leader_pid, SeqCst);
        // A leader that was reaped after this is cleaned up after by who sees this slot, and waits for it.
        if !fork::exists(leader_pid) {
            return false;
        }
        // As long as the leader lives, it keeps the rows its snapshots need.
        me.xmin.store(leader.xmin.load(Relaxed), SeqCst);
        self.shared.ring.join_as(me, leader);
        self.set_proc(me);
        self.store.begin_child(me);
        self.interrupts.begin_child(me);
        let held = std::mem::take(&mut *self.locals.borrow_mut());
        *self.parallel.inherited.borrow_mut() = held;
        self.parallel.worker.set(true);
        self.parallel.launched.set(false);
        self.strong_held.borrow_mut().clear();
        self.forget_counts();
        true
    }
    /// Last thing in a worker: hands its counts over and gives back what it held. The slot is still its own.
    pub fn end_worker(&self) {
        let _hold = self.interrupts.hold();
        self.stop_waiting();
        self.store.release_own_pins();
        self.hand_counts_over();
        self.release_all_locks();
        let me = self.proc();
        me.xmin.store(0, SeqCst);
        me.inval_active.store(0, SeqCst);
    }
    /// Ends the workers of this process, and waits until they are gone.
    pub fn end_workers(&self) {
        if self.parallel.launched.replace(false) {
            self.end_workers_of(self.proc().pid());
        }
    }
    pub(crate) fn end_workers_of(&self, leader_pid: i32) {
        let _shown = self.interrupts.waiting(WaitEvent::PARALLEL_FINISH);
        while signal_workers(&self.procs, leader_pid) {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Tells a leader's workers to end; false if there are none.
fn signal_workers(procs: &ProcTable, leader_pid: i32) -> bool {
    let mut any = false;
    for w in procs.workers_of(leader_pid) {
        any = true;
        // By the number read once: the slot may be somebody else's the next moment.
        signals::terminate(w.pid());
    }
    any
}
