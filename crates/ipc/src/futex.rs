//! Futex system calls on words in shared memory. Not the private variant: waiters sit in other processes.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Why a wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Woken, or spuriously.
    Woken,
    /// The word was not the expected value.
    Changed,
    /// A signal handler ran.
    Interrupted,
    /// The time was over.
    TimedOut,
}

/// Sleeps while `word == expected`.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> Woken {
    let ts = timeout.map(|d| libc::timespec {
        tv_sec: d.as_secs() as libc::time_t,
        tv_nsec: i64::from(d.subsec_nanos()),
    });
    let tsp = ts.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word is a live aligned u32, the timespec outlives the call.
    let r = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, tsp) };
    if r == 0 {
        return Woken::Woken;
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EAGAIN) => Woken::Changed,
        Some(libc::EINTR) => Woken::Interrupted,
        Some(libc::ETIMEDOUT) => Woken::TimedOut,
        _ => Woken::Woken,
    }
}

/// Wakes up to `n` sleepers; returns how many there were. Async-signal-safe.
pub fn wake(word: &AtomicU32, n: i32) -> usize {
    // SAFETY: the word is a live aligned u32.
    let r = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, n) };
    usize::try_from(r).unwrap_or(0)
}

/// Wakes all sleepers.
pub fn wake_all(word: &AtomicU32) -> usize {
    wake(word, i32::MAX)
}
