//! The latch: how one process (or a signal handler) gets another out of its sleep. A set latch stays set until its
//! owner resets it, so nothing is lost between "look for work" and "sleep".
//!
//! The owner sleeps in one of three ways, and tells setters which: on the latch's futex, in `ppoll` with signals
//! unblocked only there, or in some blocking system call (a socket `recv`, another futex). The last leaves a
//! gap between the look and the call: a handler that finds the owner in it re-arms a 1 ms timer until the owner is out.

use crate::futex::{self, Woken};
use crate::{Shared, signals};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::Ordering::{AcqRel, Relaxed, SeqCst};
use std::sync::atomic::{AtomicI32, AtomicU32};
use std::time::Duration;

const AWAKE: u32 = 0;
const ON_FUTEX: u32 = 1;
const IN_POLL: u32 = 2;
const BLOCKED: u32 = 3;

/// The latch of one process.
#[repr(C)]
pub struct Latch {
    set: AtomicU32,
    sleep: AtomicU32,
    owner: AtomicI32,
}
// SAFETY: atomics only.
unsafe impl Shared for Latch {}

/// What made a wait return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    pub latch: bool,
    pub readable: bool,
    pub writable: bool,
    /// The peer closed or the socket failed.
    pub hangup: bool,
    pub timeout: bool,
}

/// Socket events to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interest {
    pub read: bool,
    pub write: bool,
}

impl Latch {
    /// A latch nobody owns.
    pub const fn new() -> Latch {
        Latch { set: AtomicU32::new(0), sleep: AtomicU32::new(AWAKE), owner: AtomicI32::new(0) }
    }
    /// Makes `pid` (this process) the one who sleeps on it.
    pub fn own(&self, pid: i32) {
        self.sleep.store(AWAKE, Relaxed);
        self.set.store(0, Relaxed);
        self.owner.store(pid, SeqCst);
    }
    /// Nobody sleeps on it any more.
    pub fn disown(&self) {
        self.owner.store(0, SeqCst);
        self.sleep.store(AWAKE, Relaxed);
    }
    /// Wakes the owner, from any process.
    pub fn set(&self) {
        if self.set.swap(1, SeqCst) == 1 {
            return;
        }
        self.kick();
    }
    fn kick(&self) {
        match self.sleep.load(SeqCst) {
            AWAKE => {}
            ON_FUTEX => {
                futex::wake_all(&self.set);
            }
            _ => {
                let pid = self.owner.load(SeqCst);
                if pid > 0 {
                    signals::send_raw(pid, libc::SIGURG);
                }
            }
        }
    }
    /// Wakes the owner, who is this process, from its signal handler.
    pub(crate) fn set_in_handler(&self) {
        self.set.store(1, SeqCst);
        match self.sleep.load(SeqCst) {
            ON_FUTEX => {
                futex::wake_all(&self.set);
            }
            // The interrupted call may not have begun yet: come again soon.
            BLOCKED => signals::arm_alarm_us(1000),
            _ => {}
        }
    }
    /// Forgets a wake-up; the owner looks for work after this.
    pub fn reset(&self) {
        self.set.store(0, SeqCst);
    }
    /// Is it set?
    pub fn is_set(&self) -> bool {
        self.set.load(SeqCst) == 1
    }
    /// Sleeps until set or time is over. Returns false on time-out. Does not reset.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        self.sleep.store(ON_FUTEX, SeqCst);
        let until = timeout.map(|d| std::time::Instant::now() + d);
        let mut ok = true;
        while self.set.load(SeqCst) == 0 {
            let left = until.map(|u| u.saturating_duration_since(std::time::Instant::now()));
            if left == Some(Duration::ZERO) || futex::wait(&self.set, 0, left) == Woken::TimedOut {
                ok = self.set.load(SeqCst) == 1;
                break;
            }
        }
        self.sleep.store(AWAKE, SeqCst);
        ok
    }
    /// Sleeps until set, a socket event, or time is over. Does not reset.
    pub fn wait_fd(&self, fd: BorrowedFd<'_>, want: Interest, timeout: Option<Duration>) -> Ready {
        let mut events = 0;
        if want.read {
            events |= libc::POLLIN | libc::POLLRDHUP;
        }
        if want.write {
            events |= libc::POLLOUT;
        }
        let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }];
        let n = self.poll(&mut fds, timeout);
        let r = fds[0].revents;
        Ready {
            latch: self.is_set(),
            readable: r & (libc::POLLIN | libc::POLLHUP | libc::POLLERR | libc::POLLRDHUP) != 0,
            writable: r & (libc::POLLOUT | libc::POLLHUP | libc::POLLERR) != 0,
            hangup: r & (libc::POLLHUP | libc::POLLERR | libc::POLLRDHUP) != 0,
            timeout: n == 0,
        }
    }
    /// `ppoll` on many descriptors, ended early by the latch. Returns the number of ready ones (0: time-out), or -1
    /// when the latch or a signal ended it.
    pub fn poll(&self, fds: &mut [libc::pollfd], timeout: Option<Duration>) -> i32 {
        let old = signals::block_all();
        self.sleep.store(IN_POLL, SeqCst);
        let ts = if self.is_set() { Some(Duration::ZERO) } else { timeout };
        let ts = ts.map(|d| libc::timespec {
            tv_sec: d.as_secs() as libc::time_t,
            tv_nsec: i64::from(d.subsec_nanos()),
        });
        let tsp = ts.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the slice, timespec and mask live through the call.
        let n = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, tsp, &raw const old) };
        self.sleep.store(AWAKE, SeqCst);
        signals::restore_mask(&old);
        if n == 0 && self.is_set() { -1 } else { n }
    }
    /// Runs a blocking system call that a set latch should end: the call returns EINTR then. `None` if the latch was
    /// set before it began.
    pub fn blocking<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        self.sleep.store(BLOCKED, SeqCst);
        let out = if self.is_set() { None } else { Some(call()) };
        self.sleep.store(AWAKE, SeqCst);
        out
    }
    /// One blocking `recv`: the cheapest way to wait for a client's bytes. An error of kind `Interrupted` means the latch
    /// was set or a signal came: reset the latch, look at the interrupts, call again.
    pub fn recv(&self, fd: BorrowedFd<'_>, buf: &mut [u8]) -> std::io::Result<usize> {
        let r = self.blocking(|| {
            // SAFETY: the buffer is valid for its length, the descriptor is borrowed.
            let n = unsafe { libc::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), 0) };
            if n < 0 { Err(std::io::Error::last_os_error()) } else { Ok(n as usize) }
        });
        r.unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()))
    }
}

impl Default for Latch {
    fn default() -> Self {
        Latch::new()
    }
}

/// What signal handlers and other processes leave for a process: pending bits and its latch.
#[repr(C)]
pub struct Wake {
    pub pending: AtomicU32,
    pub latch: Latch,
}
// SAFETY: atomics only.
unsafe impl Shared for Wake {}

impl Wake {
    /// Nothing pending.
    pub const fn new() -> Wake {
        Wake { pending: AtomicU32::new(0), latch: Latch::new() }
    }
    /// Leaves bits (see [`crate::signals`]) and wakes the owner.
    pub fn post(&self, bits: u32) {
        self.pending.fetch_or(bits, AcqRel);
        self.latch.set();
    }
}
impl Default for Wake {
    fn default() -> Self {
        Wake::new()
    }
}
