//! The lightweight lock: shared / exclusive, process-shared, parked on futexes. Every acquisition is written into the
//! owner's process slot, so that the postmaster sees what a dead process held or was about to take.
//!
//! State word: the low 30 bits count readers, all ones mean a writer; bit 30 says readers sleep (on the state word),
//! bit 31 that writers sleep (on `notify`). Arriving readers queue behind sleeping writers, so writers do not starve;
//! a release wakes one writer or, if there is none, all readers.

use crate::{Proc, Shared, Tranche, WaitEvent, futex};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU16, AtomicU32, compiler_fence};

const READ_ONE: u32 = 1;
const COUNT: u32 = (1 << 30) - 1;
const WRITER: u32 = COUNT;
const READERS_MAX: u32 = COUNT - 1;
const READERS_WAIT: u32 = 1 << 30;
const WRITERS_WAIT: u32 = 1 << 31;
const SPINS: u32 = 100;

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Shared,
    Exclusive,
}

/// The lock. All-zero is an unlocked lock of an unknown tranche.
#[repr(C)]
pub struct LwLock {
    state: AtomicU32,
    notify: AtomicU32,
    tranche: AtomicU16,
    _pad: AtomicU16,
}

// SAFETY: atomics only, valid when zero.
unsafe impl Shared for LwLock {}
const _: () = assert!(size_of::<LwLock>() == 12);

/// A lock alone on its cache line.
#[repr(C, align(64))]
pub struct PaddedLwLock(pub LwLock);
// SAFETY: as `LwLock`.
unsafe impl Shared for PaddedLwLock {}

impl std::ops::Deref for PaddedLwLock {
    type Target = LwLock;
    fn deref(&self) -> &LwLock {
        &self.0
    }
}

fn readable(s: u32) -> bool {
    s & COUNT < READERS_MAX && s & (READERS_WAIT | WRITERS_WAIT) == 0
}
fn unlocked(s: u32) -> bool {
    s & COUNT == 0
}

impl LwLock {
    /// An unlocked lock.
    pub const fn new(t: Tranche) -> LwLock {
        LwLock {
            state: AtomicU32::new(0),
            notify: AtomicU32::new(0),
            tranche: AtomicU16::new(t.0),
            _pad: AtomicU16::new(0),
        }
    }
    /// Names a zero-filled lock; once, before others use it.
    pub fn init(&self, t: Tranche) {
        self.tranche.store(t.0, Relaxed);
    }
    /// The family.
    pub fn tranche(&self) -> Tranche {
        Tranche(self.tranche.load(Relaxed))
    }
    fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Waits for the lock in shared mode.
    pub fn shared<'a>(&'a self, me: &'a Proc) -> SharedGuard<'a> {
        self.acquire(me, Mode::Shared);
        SharedGuard { lock: self, me }
    }
    /// Waits for the lock in exclusive mode.
    pub fn exclusive<'a>(&'a self, me: &'a Proc) -> ExclusiveGuard<'a> {
        self.acquire(me, Mode::Exclusive);
        ExclusiveGuard { lock: self, me }
    }
    /// Takes the lock in shared mode if it is free for that.
    pub fn try_shared<'a>(&'a self, me: &'a Proc) -> Option<SharedGuard<'a>> {
        self.try_acquire(me, Mode::Shared).then_some(SharedGuard { lock: self, me })
    }
    /// Takes the lock in exclusive mode if it is free.
    pub fn try_exclusive<'a>(&'a self, me: &'a Proc) -> Option<ExclusiveGuard<'a>> {
        self.try_acquire(me, Mode::Exclusive).then_some(ExclusiveGuard { lock: self, me })
    }

    /// Waits for the lock; to be paired with [`LwLock::release`].
    #[inline]
    pub fn acquire(&self, me: &Proc, mode: Mode) {
        if cfg!(debug_assertions) {
            me.lwlocks.assert_order(self.tranche());
        }
        me.lwlocks.begin(self.addr());
        let fast = match mode {
            Mode::Shared => {
                let s = self.state.load(Relaxed);
                readable(s) && self.state.compare_exchange_weak(s, s + READ_ONE, AcqRel, Relaxed).is_ok()
            }
            Mode::Exclusive => self.state.compare_exchange(0, WRITER, AcqRel, Relaxed).is_ok(),
        };
        if !fast {
            let event = me.show_wait(WaitEvent::lwlock(self.tranche()));
            match mode {
                Mode::Shared => self.read_contended(me),
                Mode::Exclusive => self.write_contended(me),
            }
            me.wait_event.store(event, Relaxed);
        }
        me.lwlocks.taken(self.addr(), mode);
    }

    /// Takes the lock without waiting; false if it is not free.
    pub fn try_acquire(&self, me: &Proc, mode: Mode) -> bool {
        me.lwlocks.begin(self.addr());
        let mut s = self.state.load(Relaxed);
        loop {
            let want = match mode {
                Mode::Shared if s & COUNT < READERS_MAX => s + READ_ONE,
                Mode::Exclusive if unlocked(s) => s | WRITER,
                _ => break,
            };
            match self.state.compare_exchange_weak(s, want, AcqRel, Relaxed) {
                Ok(_) => {
                    me.lwlocks.taken(self.addr(), mode);
                    return true;
                }
                Err(now) => s = now,
            }
        }
        me.lwlocks.gave_up();
        false
    }

    /// Releases a lock this process holds.
    #[inline]
    pub fn release(&self, me: &Proc) {
        let mode = me.lwlocks.begin_release(self.addr());
        compiler_fence(AcqRel);
        match mode {
            Mode::Shared => {
                let s = self.state.fetch_sub(READ_ONE, AcqRel) - READ_ONE;
                if unlocked(s) && s & WRITERS_WAIT != 0 {
                    self.wake(s);
                }
            }
            Mode::Exclusive => {
                let s = self.state.fetch_sub(WRITER, AcqRel) - WRITER;
                if s != 0 {
                    self.wake(s);
                }
            }
        }
        compiler_fence(AcqRel);
        me.lwlocks.released(self.addr());
    }

    /// Does this process hold it?
    pub fn held_by(&self, me: &Proc) -> bool {
        me.lwlocks.mode_of(self.addr()).is_some()
    }
    /// Does this process hold it exclusively?
    pub fn held_exclusively_by(&self, me: &Proc) -> bool {
        me.lwlocks.mode_of(self.addr()) == Some(Mode::Exclusive)
    }
    /// Is anybody asleep on it? A hint.
    pub fn has_waiters(&self) -> bool {
        self.state.load(Relaxed) & (READERS_WAIT | WRITERS_WAIT) != 0
    }
    /// Wakes every sleeper so that it looks again: for a lock on which a process died that may have swallowed a wake-up.
    pub fn wake_everyone(&self) {
        self.state.fetch_and(!READERS_WAIT, AcqRel);
        self.notify.fetch_add(1, Release);
        futex::wake_all(&self.notify);
        futex::wake_all(&self.state);
    }

    fn spin_until(&self, done: impl Fn(u32) -> bool) -> u32 {
        for _ in 0..SPINS {
            let s = self.state.load(Relaxed);
            if done(s) {
                return s;
            }
            std::hint::spin_loop();
        }
        self.state.load(Relaxed)
    }

    #[cold]
    fn read_contended(&self, me: &Proc) {
        let stop = |s: u32| s & COUNT != WRITER || s & (READERS_WAIT | WRITERS_WAIT) != 0;
        let mut s = self.spin_until(stop);
        loop {
            if readable(s) {
                match self.state.compare_exchange_weak(s, s + READ_ONE, AcqRel, Relaxed) {
                    Ok(_) => return,
                    Err(now) => s = now,
                }
                continue;
            }
            if s & READERS_WAIT == 0
                && let Err(now) = self.state.compare_exchange(s, s | READERS_WAIT, Relaxed, Relaxed)
            {
                s = now;
                continue;
            }
            me.lwlocks.sleep(self.addr());
            futex::wait(&self.state, s | READERS_WAIT, None);
            me.lwlocks.begin(self.addr());
            s = self.spin_until(stop);
        }
    }

    #[cold]
    fn write_contended(&self, me: &Proc) {
        let stop = |s: u32| unlocked(s) || s & WRITERS_WAIT != 0;
        let mut s = self.spin_until(stop);
        let mut others = 0;
        loop {
            if unlocked(s) {
                match self.state.compare_exchange_weak(s, s | WRITER | others, AcqRel, Relaxed) {
                    Ok(_) => return,
                    Err(now) => s = now,
                }
                continue;
            }
            if s & WRITERS_WAIT == 0
                && let Err(now) = self.state.compare_exchange(s, s | WRITERS_WAIT, Relaxed, Relaxed)
            {
                s = now;
                continue;
            }
            others = WRITERS_WAIT;
            let seq = self.notify.load(Acquire);
            s = self.state.load(Relaxed);
            if unlocked(s) || s & WRITERS_WAIT == 0 {
                continue;
            }
            me.lwlocks.sleep(self.addr());
            futex::wait(&self.notify, seq, None);
            me.lwlocks.begin(self.addr());
            s = self.spin_until(stop);
        }
    }

    /// Called with the lock free and somebody asleep.
    #[cold]
    fn wake(&self, mut s: u32) {
        if s == WRITERS_WAIT {
            match self.state.compare_exchange(s, 0, Relaxed, Relaxed) {
                Ok(_) => {
                    self.wake_writer();
                    return;
                }
                Err(now) => s = now,
            }
        }
        if s == READERS_WAIT | WRITERS_WAIT {
            if self.state.compare_exchange(s, READERS_WAIT, Relaxed, Relaxed).is_err() {
                return;
            }
            if self.wake_writer() {
                return;
            }
            s = READERS_WAIT;
        }
        if s == READERS_WAIT && self.state.compare_exchange(s, 0, Relaxed, Relaxed).is_ok() {
            futex::wake_all(&self.state);
        }
    }
    fn wake_writer(&self) -> bool {
        self.notify.fetch_add(1, Release);
        futex::wake(&self.notify, 1) > 0
    }
}

/// Shared hold; released when dropped.
#[must_use]
pub struct SharedGuard<'a> {
    lock: &'a LwLock,
    me: &'a Proc,
}
/// Exclusive hold; released when dropped.
#[must_use]
pub struct ExclusiveGuard<'a> {
    lock: &'a LwLock,
    me: &'a Proc,
}
impl Drop for SharedGuard<'_> {
    fn drop(&mut self) {
        self.lock.release(self.me);
    }
}
impl Drop for ExclusiveGuard<'_> {
    fn drop(&mut self) {
        self.lock.release(self.me);
    }
}
