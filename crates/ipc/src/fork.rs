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
    check_threads();
    fork_unchecked()
}

/// Forks without the check for threads: test harnesses run tests in threads. The child must stay away from locks other
/// threads may have held (no printing) and end with [`exit`].
pub fn fork_unchecked() -> Result<Fork> {
    // SAFETY: the process is single-threaded (checked by `fork`), so the child's memory is consistent.
    branch(|| unsafe { libc::fork() })
}

/// Forks a child of this process's parent: a sibling, that is, which begins as a copy of this process. Parallel workers
/// are made so: the postmaster reaps them as it does backends, and they find in memory what their leader knows.
pub fn fork_sibling() -> Result<Fork> {
    check_threads();
    branch(|| clone_sibling() as i32)
}

fn check_threads() {
    // A process that runs on a stack of its own has one thread more, which only waits for it.
    let waiting = usize::from(nix::unistd::gettid() != nix::unistd::getpid());
    debug_assert!(thread_count() <= 1 + waiting, "fork of a process with threads");
}

/// Makes a child by `call`, which returns as fork(2) does.
fn branch(call: impl FnOnce() -> i32) -> Result<Fork> {
    let old = signals::block_all();
    match call() {
        0 => {
            // A session of its own, as PostgreSQL's processes have: the terminal's signals are the postmaster's alone, and
            // a kernel that shares the processor between sessions does not count all of a server's processes as one.
            let _ = nix::unistd::setsid();
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

/// The system call itself: the C library's `fork` takes no flags. What that does besides is either without effect in a
/// process of one thread, or done here: the library's note of the thread's id, whose address the kernel knows, is
/// written by the kernel in the child.
fn clone_sibling() -> libc::c_long {
    const PR_GET_TID_ADDRESS: libc::c_int = 40;
    let mut tid: *mut libc::c_void = std::ptr::null_mut();
    // SAFETY: writes one pointer to `tid`, or fails and leaves it null.
    unsafe { libc::prctl(PR_GET_TID_ADDRESS, &raw mut tid) };
    let mut flags = libc::CLONE_PARENT | libc::SIGCHLD;
    if !tid.is_null() {
        flags |= libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID;
    }
    let none = 0usize;
    // The last two arguments change places between machines; the one for thread-local storage is not looked at.
    #[cfg(target_arch = "x86_64")]
    let (fourth, fifth) = (tid as usize, none);
    #[cfg(not(target_arch = "x86_64"))]
    let (fourth, fifth) = (none, tid as usize);
    // SAFETY: without CLONE_VM and with no stack given, this is fork: the child runs on a copy of all memory. The process has
    // a single thread that does anything (checked by the caller), so the copy is consistent.
    unsafe { libc::syscall(libc::SYS_clone, flags as usize, none, none, fourth, fifth) }
}

/// Lets go of what a child has inherited under a descriptor whose owner, a copy of the parent's, stays. The number leads
/// nowhere from here on, and to no other file: what should not be written there is lost, and damages nothing.
pub fn close_inherited(fd: std::os::fd::RawFd) {
    // SAFETY: system calls on numbers; the path is a constant. The owner's number stays valid.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if null >= 0 {
            libc::dup3(null, fd, libc::O_CLOEXEC);
        }
        if null >= 0 {
            libc::close(null);
        }
    }
}

/// Is it a child of this process, running or not yet reaped?
pub fn is_child(pid: i32) -> bool {
    let Ok(id) = libc::id_t::try_from(pid) else { return false };
    // SAFETY: `info` is local; WNOWAIT leaves the child as it is.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        pid > 0 && libc::waitid(libc::P_PID, id, &raw mut info, flags) == 0
    }
}

/// Does the process exist? One that has ended counts until it is reaped.
pub fn exists(pid: i32) -> bool {
    signals::send_raw(pid, 0)
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
