//! Acquiring and releasing: the local count first, then the fast path for weak relation locks, then the shared table,
//! then the wait.

use super::deadlock::{self, Verdict};
use super::fastpath;
use super::local::Local;
use super::mode::{LockMode, conflicts};
use super::table::LockTables;
use super::tag::{LockTag, TagType};
use super::{LockOutcome, LockTag as Tag};
use crate::{Engine, SubXactId};
use common::{Error, Result, err};
use ipc::procs::{LOCK_PARTITIONS, wait_status};
use ipc::{Proc, WaitEvent, clock};
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

fn out_of_memory() -> Error {
    err!(OUT_OF_MEMORY, "out of shared memory").hint("You might need to increase max_locks_per_transaction.")
}

enum Queue {
    Granted,
    Waiting,
    Deadlock(Error),
}

/// What a line about a long wait says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitEnd {
    StillWaiting,
    Acquired,
    Deadlock,
}

impl Engine {
    /// Acquires. `session`: beyond the transaction. 55P03 (lock timeout), 40P01, 53200, 57014.
    pub fn lock(&self, tag: LockTag, mode: LockMode, session: bool, dont_wait: bool) -> Result<LockOutcome> {
        let owner = if session { SubXactId::SESSION } else { self.current_subxact() };
        self.lock_as(tag, mode, owner, dont_wait)
    }
    /// Acquires for a level of the transaction.
    pub(crate) fn lock_for(&self, tag: LockTag, mode: LockMode, owner: SubXactId) -> Result<()> {
        self.lock_as(tag, mode, owner, false).map(|_| ())
    }
    fn lock_as(
        &self,
        tag: LockTag,
        mode: LockMode,
        owner: SubXactId,
        dont_wait: bool,
    ) -> Result<LockOutcome> {
        if self.parallel.is_inherited(tag, mode) {
            return Ok(LockOutcome::AlreadyHeld);
        }
        let mut locals = self.locals.borrow_mut();
        if let Some(l) = locals.map.get_mut(&(tag, mode)) {
            l.add(owner, 1);
            return Ok(LockOutcome::AlreadyHeld);
        }
        let h = LockTables::hash(&tag);
        if self.fast_path_acquire(&tag, mode, h) {
            locals.map.insert((tag, mode), Local::new(h, 0, 0, true, owner));
            return Ok(LockOutcome::Acquired);
        }
        drop(locals);
        let strong = fastpath::is_strong(&tag, mode);
        if strong {
            self.begin_strong(h);
            if let Err(e) = self.transfer_fast_locks(&tag, h, None) {
                self.end_strong(h);
                return Err(e);
            }
        }
        let r = self.lock_shared(tag, mode, h, owner, dont_wait);
        if strong && !matches!(r, Ok(LockOutcome::Acquired)) && !self.holds_exactly(tag, mode) {
            self.end_strong(h);
        }
        r
    }
    fn holds_exactly(&self, tag: LockTag, mode: LockMode) -> bool {
        self.locals.borrow().map.contains_key(&(tag, mode))
    }

    fn lock_shared(
        &self,
        tag: Tag,
        mode: LockMode,
        h: u32,
        owner: SubXactId,
        dont_wait: bool,
    ) -> Result<LockOutcome> {
        let t = &self.shared.locks;
        let me = self.proc();
        let g = t.guard(h, me);
        let (lock, holder) = t.enter(&tag, h, me).map_err(|_| out_of_memory())?;
        t.request(lock);
        let behind = conflicts(mode) & t.lock(lock).wait_mask.load(Relaxed) != 0;
        if !behind && !t.collides(&self.procs, lock, holder, mode) {
            t.grant(lock, holder, mode);
            drop(g);
            self.note_local(tag, mode, h, lock, holder, owner);
            return Ok(LockOutcome::Acquired);
        }
        if dont_wait {
            // A queue jump may still make it available: only a real collision counts if this process holds a lock already.
            t.forget(lock, holder, h, me);
            return Ok(LockOutcome::NotAvailable);
        }
        let q = self.join_queue(lock, holder, mode, h);
        drop(g);
        match q {
            Queue::Granted => {}
            Queue::Deadlock(e) => return Err(e),
            Queue::Waiting => {
                let r = self.sleep_for_lock(&tag, mode, h);
                if let Err(e) = r {
                    // It may have been granted while the error arose: then it is held, and released with the rest.
                    if self.cancel_wait(h) {
                        self.note_local(tag, mode, h, lock, holder, owner);
                    }
                    return Err(e);
                }
            }
        }
        self.note_local(tag, mode, h, lock, holder, owner);
        Ok(LockOutcome::Acquired)
    }
    fn note_local(&self, tag: Tag, mode: LockMode, h: u32, lock: u32, holder: u32, owner: SubXactId) {
        self.locals.borrow_mut().map.insert((tag, mode), Local::new(h, lock, holder, false, owner));
    }

    /// Finds the place in the queue: at the end, but ahead of a waiter who waits for a lock this process holds.
    fn join_queue(&self, lock: u32, holder: u32, mode: LockMode, h: u32) -> Queue {
        let t = &self.shared.locks;
        let me = self.proc();
        let mine = t.held_by_group(&self.procs, lock, me);
        let mut before = None;
        let mut early = None;
        if mine != 0 {
            let mut ahead = 0;
            for p in t.queue(&self.procs, lock) {
                let Some(his) = LockMode::from_u8(p.wait_mode.load(Relaxed) as u8) else { continue };
                if conflicts(his) & mine != 0 {
                    if conflicts(mode) & p.wait_held_mask.load(Relaxed) != 0 {
                        early = Some((p, his));
                    } else if conflicts(mode) & ahead == 0 && !t.collides(&self.procs, lock, holder, mode) {
                        t.grant(lock, holder, mode);
                        return Queue::Granted;
                    }
                    before = Some(p);
                    break;
                }
                ahead |= his.bit();
            }
        }
        if let (Some((p, his)), Some(tag)) = (early, t.tag(lock)) {
            let steps = [
                deadlock::Step { tag, mode, pid: me.pid(), slot: me.number() },
                deadlock::Step { tag, mode: his, pid: p.pid(), slot: p.number() },
            ];
            t.forget(lock, holder, h, me);
            return Queue::Deadlock(self.deadlock_error(&steps));
        }
        t.enqueue(&self.procs, lock, holder, me, mode, before);
        me.wait_start.store(clock::now(), Relaxed);
        Queue::Waiting
    }

    fn sleep_for_lock(&self, tag: &Tag, mode: LockMode, h: u32) -> Result<()> {
        let me = self.proc();
        let _w = self.interrupts.waiting(WaitEvent::lock(tag.kind as u8));
        let start = clock::monotonic();
        let deadlock_at = start + self.deadlock_timeout_ms.get().max(1) * 1000;
        let timeout = self.lock_timeout_ms.get();
        let give_up = (timeout > 0).then_some(start + timeout * 1000);
        let mut checked = false;
        loop {
            me.latch().reset();
            if me.wait_status.load(Acquire) != wait_status::WAITING {
                if checked {
                    self.log_wait(tag, mode, start, WaitEnd::Acquired, h);
                }
                return Ok(());
            }
            self.interrupts.check()?;
            let now = clock::monotonic();
            if give_up.is_some_and(|g| now >= g) {
                return Err(err!(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout"));
            }
            if !checked && now >= deadlock_at {
                checked = true;
                if let Err(e) = self.check_deadlock(h) {
                    self.log_wait(tag, mode, start, WaitEnd::Deadlock, h);
                    return Err(e);
                }
                if me.wait_status.load(Acquire) == wait_status::WAITING {
                    self.log_wait(tag, mode, start, WaitEnd::StillWaiting, h);
                }
                continue;
            }
            let next = match (checked, give_up) {
                (false, Some(g)) => Some(g.min(deadlock_at)),
                (false, None) => Some(deadlock_at),
                (true, g) => g,
            };
            me.latch().wait(next.map(|n| Duration::from_micros((n - now).max(1) as u64)));
        }
    }
    /// `log_lock_waits`: how a wait longer than `deadlock_timeout` stands.
    fn log_wait(&self, tag: &Tag, mode: LockMode, start: i64, end: WaitEnd, h: u32) {
        if !self.log_lock_waits.get() {
            return;
        }
        let us = clock::monotonic() - start;
        let after = format!("{}.{:03} ms", us / 1000, us % 1000);
        let (pid, lock, what) = (self.proc().pid(), mode.name(), tag.describe());
        let text = match end {
            WaitEnd::StillWaiting => {
                format!("process {pid} still waiting for {lock} on {what} after {after}")
            }
            WaitEnd::Acquired => format!("process {pid} acquired {lock} on {what} after {after}"),
            WaitEnd::Deadlock => {
                format!("process {pid} detected deadlock while waiting for {lock} on {what} after {after}")
            }
        };
        let mut r = common::Report::new(common::Severity::Log, common::SqlState::SUCCESSFUL_COMPLETION, text);
        if end == WaitEnd::StillWaiting {
            r.detail_log = Some(self.wait_detail(h));
        }
        self.notice(r);
    }
    /// Who holds the lock waited for, and who waits.
    fn wait_detail(&self, h: u32) -> String {
        let t = &self.shared.locks;
        let me = self.proc();
        let (mut holders, mut waiters) = (Vec::new(), Vec::new());
        {
            let _g = t.guard(h, me);
            let at = me.wait_lock.load(Relaxed);
            if at != 0 {
                waiters = t.queue(&self.procs, at - 1).iter().map(|p| p.pid().to_string()).collect();
                for h in t.holders_of(at - 1) {
                    let r = t.holder(h);
                    let p = self.procs.get(r.proc.load(Relaxed));
                    if r.mask.load(Relaxed) != 0 && p.number() != me.number() {
                        holders.push(p.pid().to_string());
                    }
                }
            }
        }
        let word = if holders.len() == 1 { "Process" } else { "Processes" };
        format!("{word} holding the lock: {}. Wait queue: {}.", holders.join(", "), waiters.join(", "))
    }
    fn check_deadlock(&self, h: u32) -> Result<()> {
        let t = &self.shared.locks;
        let me = self.proc();
        let g = t.guard_all(me);
        if me.wait_status.load(Acquire) != wait_status::WAITING {
            return Ok(());
        }
        match deadlock::check(t, &self.procs, me) {
            Verdict::None => {
                self.cancel_blocking_autovacuum();
                Ok(())
            }
            Verdict::Resolved => Ok(()),
            Verdict::Deadlock(steps) => {
                t.leave_queue(&self.procs, me, h);
                drop(g);
                Err(self.deadlock_error(&steps))
            }
        }
    }
    /// A vacuum that stands in the way of a statement gives up, unless it prevents trouble with old ids.
    fn cancel_blocking_autovacuum(&self) {
        let t = &self.shared.locks;
        let me = self.proc();
        let Some(mode) = LockMode::from_u8(me.wait_mode.load(Relaxed) as u8) else { return };
        for h in t.holders_of(me.wait_lock.load(Relaxed) - 1) {
            let r = t.holder(h);
            let p = self.procs.get(r.proc.load(Relaxed));
            let keep = p.status_flags.load(Relaxed) & ipc::procs::status::VACUUM_FOR_WRAPAROUND != 0;
            if r.mask.load(Relaxed) & conflicts(mode) != 0
                && p.kind() == ipc::BackendKind::AutovacuumWorker
                && !keep
            {
                p.post(ipc::signals::CANCEL);
            }
        }
    }
    fn deadlock_error(&self, steps: &[deadlock::Step]) -> Error {
        self.count_database(|d| d.deadlocks += 1);
        deadlock::report(steps, |slot| self.procs.get(slot).activity.read().query)
    }
    /// After a panic in the middle of a wait: leaves the queue, or gives back what was granted but never noted.
    pub(crate) fn stop_waiting(&self) {
        let at = self.proc().wait_lock.load(Relaxed);
        if at != 0 {
            self.cancel_wait(self.shared.locks.locks.hash_of(at - 1));
        }
    }
    /// Leaves the queue; true if the lock was granted before.
    fn cancel_wait(&self, h: u32) -> bool {
        let t = &self.shared.locks;
        let me = self.proc();
        let _g = t.guard(h, me);
        match me.wait_status.load(Acquire) {
            wait_status::WAITING => {
                t.leave_queue(&self.procs, me, h);
                false
            }
            wait_status::OK => true,
            _ => false,
        }
    }

    /// Gives one count back; false (with a warning) if it was not held.
    pub fn unlock(&self, tag: LockTag, mode: LockMode, session: bool) -> bool {
        let owner = if session { SubXactId::SESSION } else { self.current_subxact() };
        let mut locals = self.locals.borrow_mut();
        let Some(l) = locals.map.get_mut(&(tag, mode)) else { return false };
        if !l.sub(owner) {
            return false;
        }
        if l.held() {
            return true;
        }
        if let Some(l) = locals.map.remove(&(tag, mode)) {
            drop(locals);
            self.release_shared(&tag, mode, &l);
        }
        true
    }
    fn release_shared(&self, tag: &LockTag, mode: LockMode, l: &Local) {
        if l.fast && self.fast_path_release(tag, mode) {
            return;
        }
        let t = &self.shared.locks;
        let g = t.guard(l.hash, self.proc());
        // A fast-path lock that another process moved to the shared table is found there by its tag.
        let place = if l.fast {
            t.locks
                .find(l.hash, &tag.words())
                .and_then(|k| Some((k, t.find_holder(k, l.hash, self.proc().number())?)))
        } else {
            Some((l.lock, l.holder))
        };
        if let Some((lock, holder)) = place {
            t.ungrant(&self.procs, lock, holder, l.hash, self.proc(), mode);
        }
        drop(g);
        if fastpath::is_strong(tag, mode) {
            self.end_strong(l.hash);
        }
    }
    /// Drops the counts of some owners, and the locks that nobody here counts any more.
    fn release_owners(&self, doomed: impl Fn(SubXactId) -> bool) {
        let mut gone = {
            let mut locals = self.locals.borrow_mut();
            if locals.map.is_empty() {
                return;
            }
            let mut gone = std::mem::take(&mut locals.scratch);
            for l in locals.map.values_mut() {
                l.drop_owners(&doomed);
            }
            gone.extend(locals.map.extract_if(|_, l| !l.held()));
            gone
        };
        self.fast_path_release_all(&mut gone);
        for ((tag, mode), l) in gone.drain(..) {
            self.release_shared(&tag, mode, &l);
        }
        self.locals.borrow_mut().scratch = gone;
    }
    /// End of transaction: everything but the session's locks.
    pub(crate) fn release_transaction_locks(&self) {
        self.release_owners(|o| o != SubXactId::SESSION);
    }
    /// End of session, or DISCARD.
    pub fn release_all_locks(&self) {
        self.release_owners(|_| true);
    }
    /// `pg_advisory_unlock_all()`.
    pub fn release_session_advisory_locks(&self) {
        let tags: Vec<_> = self
            .locals
            .borrow()
            .map
            .iter()
            .filter(|((t, _), l)| t.kind == TagType::Advisory && l.held_by_session())
            .map(|(k, _)| *k)
            .collect();
        for (tag, mode) in tags {
            while self.unlock(tag, mode, true) {}
        }
    }
    /// Aborted subtransaction.
    pub(crate) fn release_subxact_locks(&self, id: SubXactId) {
        self.release_owners(|o| o == id);
    }
    /// Committed subtransaction.
    pub(crate) fn reassign_subxact_locks(&self, id: SubXactId, parent: SubXactId) {
        self.locals.borrow_mut().map.values_mut().for_each(|l| l.reassign(id, parent));
    }
    /// Does this process hold that mode (or, with `or_stronger`, a stronger one)?
    pub fn holds_lock(&self, tag: LockTag, mode: LockMode, or_stronger: bool) -> bool {
        let l = self.locals.borrow();
        LockMode::ALL
            .iter()
            .filter(|m| **m == mode || (or_stronger && **m > mode))
            .any(|m| l.map.contains_key(&(tag, *m)) || self.parallel.is_inherited(tag, *m))
    }

    /// All locks of all processes, for `pg_locks`.
    pub fn lock_status(&self) -> Vec<LockStatus> {
        let t = &self.shared.locks;
        let mut out = self.fast_path_status();
        let _g = t.guard_all(self.proc());
        for part in 0..LOCK_PARTITIONS {
            for at in t.holders.indexes(part, LOCK_PARTITIONS) {
                let r = t.holder(at);
                let p = self.procs.get(r.proc.load(Relaxed));
                let Some(tag) = t.tag(r.lock.load(Relaxed)) else { continue };
                for mode in LockMode::ALL {
                    if r.mask.load(Relaxed) & mode.bit() != 0 {
                        out.push(LockStatus::new(tag, mode, true, false, p));
                    }
                }
                if p.wait_holder.load(Relaxed) == at + 1
                    && let Some(mode) = LockMode::from_u8(p.wait_mode.load(Relaxed) as u8)
                {
                    let mut s = LockStatus::new(tag, mode, false, false, p);
                    s.wait_start = Some(p.wait_start.load(Relaxed));
                    out.push(s);
                }
            }
        }
        out
    }
    /// `pg_blocking_pids`.
    pub fn blocking_pids(&self, pid: i32) -> Vec<i32> {
        let t = &self.shared.locks;
        let _g = t.guard_all(self.proc());
        let Some(p) = self.procs.by_pid(pid) else { return vec![] };
        let at = p.wait_lock.load(Relaxed);
        let Some(mode) = LockMode::from_u8(p.wait_mode.load(Relaxed) as u8) else { return vec![] };
        if at == 0 {
            return vec![];
        }
        let c = conflicts(mode);
        let mut out = Vec::new();
        for h in t.holders_of(at - 1) {
            let r = t.holder(h);
            if r.proc.load(Relaxed) != p.number() && r.mask.load(Relaxed) & c != 0 {
                out.push(self.procs.get(r.proc.load(Relaxed)).pid());
            }
        }
        for q in t.queue(&self.procs, at - 1).into_iter().take_while(|q| q.number() != p.number()) {
            if (1 << q.wait_mode.load(Relaxed)) & c != 0 && !out.contains(&q.pid()) {
                out.push(q.pid());
            }
        }
        out
    }
}

/// A SIReadLock of `pg_locks`.
#[derive(Clone, Copy, Debug)]
pub struct PredicateLock {
    pub target: crate::ssi::Target,
    pub pid: i32,
    pub vxid: (u32, u64),
}

/// One row of `pg_locks`.
#[derive(Clone, Copy, Debug)]
pub struct LockStatus {
    pub tag: LockTag,
    pub mode: LockMode,
    pub granted: bool,
    pub fast_path: bool,
    pub pid: i32,
    /// Backend id and local number of the holder's virtual transaction.
    pub vxid: (u32, u64),
    pub wait_start: Option<i64>,
}

impl LockStatus {
    pub(super) fn new(tag: LockTag, mode: LockMode, granted: bool, fast_path: bool, p: &Proc) -> LockStatus {
        let vxid = (p.number() + 1, p.lxid.load(Relaxed));
        LockStatus { tag, mode, granted, fast_path, pid: p.pid(), vxid, wait_start: None }
    }
}
