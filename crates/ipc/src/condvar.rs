//! A condition variable in shared memory: sleep until another process says that a condition may hold. Waits end with
//! an error when the statement is cancelled.

use crate::{Interrupts, Shared, WaitEvent, futex};
use common::Result;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// The variable; all-zero is valid.
#[repr(C)]
#[derive(Default)]
pub struct CondVar {
    seq: AtomicU32,
    waiters: AtomicU32,
}
// SAFETY: atomics only.
unsafe impl Shared for CondVar {}

impl CondVar {
    /// Nobody waits.
    pub const fn new() -> CondVar {
        CondVar { seq: AtomicU32::new(0), waiters: AtomicU32::new(0) }
    }
    /// Tells all waiters to look again. Call after the condition was changed.
    pub fn broadcast(&self) {
        self.seq.fetch_add(1, SeqCst);
        if self.waiters.load(SeqCst) != 0 {
            futex::wake_all(&self.seq);
        }
    }
    /// Tells one waiter to look again.
    pub fn signal(&self) {
        self.seq.fetch_add(1, SeqCst);
        if self.waiters.load(SeqCst) != 0 {
            futex::wake(&self.seq, 1);
        }
    }
    /// Sleeps until `done` returns true, an interrupt comes, or time is over (then `Ok(false)`). No LWLock may be
    /// held while interrupts are wanted.
    pub fn wait_until(
        &self,
        ints: &Interrupts,
        event: WaitEvent,
        timeout: Option<Duration>,
        mut done: impl FnMut() -> bool,
    ) -> Result<bool> {
        if done() {
            return Ok(true);
        }
        let until = timeout.map(|t| Instant::now() + t);
        let _waiting = ints.waiting(event);
        loop {
            // A waiter that dies asleep leaves this count too high: a wasted wake-up, never a lost one.
            self.waiters.fetch_add(1, SeqCst);
            let seq = self.seq.load(SeqCst);
            let left = until.map(|u| u.saturating_duration_since(Instant::now()));
            let ready = done();
            if !ready && left != Some(Duration::ZERO) {
                ints.latch().blocking(|| futex::wait(&self.seq, seq, left));
                ints.latch().reset();
            }
            self.waiters.fetch_sub(1, SeqCst);
            if ready || done() {
                return Ok(true);
            }
            ints.check()?;
            if left == Some(Duration::ZERO) {
                return Ok(false);
            }
        }
    }
}
