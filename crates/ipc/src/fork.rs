//! Forking from a single-threaded process. The child starts with an empty set of pending signals and its own latch.

use crate::signals;
use common::{Error, Result};

/// Which side of the fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    Parent { child: i32 },
    Child,
}

/// Forks. Signals are blocked across the fork, so that a child never runs a handler against its parent's state; the
/// child unblocks them when it has installed its own (`signals::unblock_all`).
pub fn fork() -> Result<Fork> {
    // A process that runs on a stack of its own has one thread more, which only waits for it.
    let waiting = usize::from(nix::unistd::gettid() != nix::unistd::getpid());
    debug_assert!(thread_count() <= 1 + waiting, "fork of a process with threads");
    fork_unchecked()
}

/// Forks without the check for threads: test harnesses run tests in threads. The child must stay away from locks other
/// threads may have held (no printing) and end with [`exit`].
pub fn fork_unchecked() -> Result<Fork> {
    let old = signals::block_all();
    // SAFETY: the process is single-threaded (checked by `fork`), so the child's memory is consistent.
    let pid = unsafe { libc::fork() };
    match pid {
        0 => {
            signals::reset_after_fork(std::process::id() as i32);
            Ok(Fork::Child)
        }
        -1 => {
            let e = std::io::Error::last_os_error();
            signals::restore_mask(&old);
            Err(Error::os("could not fork new process", &e))
        }
        child => {
            signals::restore_mask(&old);
            Ok(Fork::Parent { child })
        }
    }
}

fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

/// Ends the process without running destructors or exit handlers: what a forked child does.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit does not return and touches no memory.
    unsafe { libc::_exit(code) }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exit(i32),
    Signal(i32),
}

/// Collects one ended child without waiting.
pub fn reap() -> Option<(i32, Ended)> {
    wait_pid(-1, libc::WNOHANG)
}

/// Waits for a child.
pub fn wait_for(pid: i32) -> Option<Ended> {
    loop {
        match wait_pid(pid, 0) {
            Some((_, e)) => return Some(e),
            None if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            None => return None,
        }
    }
}

fn wait_pid(pid: i32, flags: i32) -> Option<(i32, Ended)> {
    let mut status = 0;
    // SAFETY: status outlives the call.
    let pid = unsafe { libc::waitpid(pid, &raw mut status, flags) };
    if pid <= 0 {
        return None;
    }
    if libc::WIFEXITED(status) {
        Some((pid, Ended::Exit(libc::WEXITSTATUS(status))))
    } else {
        Some((pid, Ended::Signal(libc::WTERMSIG(status))))
    }
}
