//! Signals between the processes of a server. Handlers do three things: set a bit in the process's `Wake`, set its
//! latch, return. What a bit means is decided where it is read. The pointer to the current `Wake` is the one piece of
//! process-wide state: a handler has no argument to find it by.

use crate::Wake;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// SIGHUP: read the settings again.
pub const RELOAD: u32 = 1;
/// SIGINT in a backend: cancel the running statement. In the checkpointer: do a checkpoint.
pub const CANCEL: u32 = 1 << 1;
/// SIGTERM: end the session.
pub const TERMINATE: u32 = 1 << 2;
/// SIGALRM: a time-out may have passed.
pub const TIMER: u32 = 1 << 3;
/// SIGUSR1: look at shared memory for a request.
pub const USR1: u32 = 1 << 4;
/// SIGUSR2: as the process defines it (checkpointer: shut down).
pub const USR2: u32 = 1 << 5;
/// SIGCHLD: a child ended.
pub const CHILD: u32 = 1 << 6;
/// Posted: this process has fallen behind in the invalidation queue.
pub const CATCHUP: u32 = 1 << 8;
/// Posted: take note of a global state change.
pub const BARRIER: u32 = 1 << 9;
/// Posted: a NOTIFY arrived.
pub const NOTIFY: u32 = 1 << 10;
/// Posted by the deadlock detector or an autovacuum-blocked backend: give up what you are doing (autovacuum workers).
pub const CANCEL_AUTOVACUUM: u32 = 1 << 11;
/// Posted to the leader of parallel workers: one of them has failed or was killed.
pub const WORKER: u32 = 1 << 13;
/// Write what the process has allocated to the log.
pub const LOG_MEMORY: u32 = 1 << 12;

static EARLY: Wake = Wake::new();
static CURRENT: AtomicPtr<Wake> = AtomicPtr::new((&raw const EARLY).cast_mut());

/// The `Wake` of this process.
pub fn current() -> &'static Wake {
    // SAFETY: CURRENT only ever holds `&'static Wake`s: the static, or one in a slot of the never-unmapped segment.
    unsafe { &*CURRENT.load(Acquire) }
}

/// Directs handlers to the `Wake` in a process slot (or, with `None`, back to the private one). Bits that came
/// before are moved along.
pub fn direct_to(wake: Option<&'static Wake>) {
    let new = wake.unwrap_or(&EARLY);
    let old = CURRENT.swap(std::ptr::from_ref(new).cast_mut(), AcqRel);
    if std::ptr::eq(old, new) {
        return;
    }
    // SAFETY: as in `current`.
    let bits = unsafe { &*old }.pending.swap(0, AcqRel);
    if bits != 0 {
        new.pending.fetch_or(bits, AcqRel);
        new.latch.set_in_handler();
    }
}

/// What to do with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Set the signal's bit and the latch.
    Flag,
    /// End the process at once with status 2, running nothing.
    ExitNow,
    Ignore,
    Default,
}

fn bit(sig: i32) -> u32 {
    match sig {
        libc::SIGHUP => RELOAD,
        libc::SIGINT => CANCEL,
        libc::SIGTERM => TERMINATE,
        libc::SIGALRM => TIMER,
        libc::SIGUSR1 => USR1,
        libc::SIGUSR2 => USR2,
        libc::SIGCHLD => CHILD,
        _ => 0,
    }
}

extern "C" fn flag_handler(sig: libc::c_int) {
    // SAFETY: errno belongs to this thread; saved and restored so that interrupted code does not see ours.
    let errno = unsafe { *libc::__errno_location() };
    let w = current();
    w.pending.fetch_or(bit(sig), AcqRel);
    w.latch.set_in_handler();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

extern "C" fn exit_handler(_: libc::c_int) {
    // SAFETY: _exit is async-signal-safe and does not return.
    unsafe { libc::_exit(2) }
}

/// Installs what to do with one signal. System calls are not restarted.
pub fn install(sig: i32, action: Action) {
    let handler = match action {
        Action::Flag => flag_handler as *const () as libc::sighandler_t,
        Action::ExitNow => exit_handler as *const () as libc::sighandler_t,
        Action::Ignore => libc::SIG_IGN,
        Action::Default => libc::SIG_DFL,
    };
    // SAFETY: a zeroed sigaction is valid; the handlers only touch atomics and make async-signal-safe calls.
    unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        sa.sa_sigaction = handler;
        libc::sigfillset(&raw mut sa.sa_mask);
        libc::sigdelset(&raw mut sa.sa_mask, libc::SIGQUIT);
        libc::sigaction(sig, &raw const sa, std::ptr::null_mut());
    }
}

/// The dispositions of a client backend and of most others: flags for HUP, INT, TERM, ALRM, USR1, USR2, URG; QUIT ends
/// the process; PIPE is ignored; CHLD is default.
pub fn install_backend() {
    for sig in
        [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGALRM, libc::SIGUSR1, libc::SIGUSR2, libc::SIGURG]
    {
        install(sig, Action::Flag);
    }
    install(libc::SIGQUIT, Action::ExitNow);
    install(libc::SIGPIPE, Action::Ignore);
    install(libc::SIGCHLD, Action::Default);
}

/// The dispositions of the postmaster: everything is a flag, SIGQUIT too is polled by its loop.
pub fn install_postmaster() {
    for sig in [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGALRM,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGCHLD,
        libc::SIGURG,
    ] {
        install(sig, Action::Flag);
    }
    install_quit_flag();
    install(libc::SIGPIPE, Action::Ignore);
}

/// SIGQUIT as a bit, for the postmaster, which must end its children first.
pub const QUIT: u32 = 1 << 7;
extern "C" fn quit_handler(_: libc::c_int) {
    // SAFETY: as in flag_handler.
    let errno = unsafe { *libc::__errno_location() };
    let w = current();
    w.pending.fetch_or(QUIT, AcqRel);
    w.latch.set_in_handler();
    // SAFETY: as in flag_handler.
    unsafe { *libc::__errno_location() = errno };
}
fn install_quit_flag() {
    // SAFETY: as in `install`.
    unsafe {
        let mut sa: libc::sigaction = std::mem::zeroed();
        sa.sa_sigaction = quit_handler as *const () as libc::sighandler_t;
        libc::sigfillset(&raw mut sa.sa_mask);
        libc::sigaction(libc::SIGQUIT, &raw const sa, std::ptr::null_mut());
    }
}

/// Sends a signal; false if the process is not there (or not ours).
pub fn send_raw(pid: i32, sig: i32) -> bool {
    // SAFETY: kill has no memory effects; pid is positive in all callers, or a deliberate group.
    unsafe { libc::kill(pid, sig) == 0 }
}

/// Asks a process to end.
pub fn terminate(pid: i32) -> bool {
    pid > 0 && send_raw(pid, libc::SIGTERM)
}

/// Blocks every signal but SIGQUIT; returns the mask before.
pub fn block_all() -> libc::sigset_t {
    // SAFETY: both sets are local and initialised by the calls.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigdelset(&raw mut all, libc::SIGQUIT);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        old
    }
}

/// Puts a mask back.
pub fn restore_mask(old: &libc::sigset_t) {
    // SAFETY: the set comes from `block_all`.
    unsafe {
        libc::sigprocmask(libc::SIG_SETMASK, old, std::ptr::null_mut());
    }
}

/// Lets all signals through.
pub fn unblock_all() {
    // SAFETY: the set is local and initialised by the call.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// One SIGALRM after so many microseconds (0: none). A system call only: safe in a handler.
pub fn arm_alarm_us(us: i64) {
    let it = libc::itimerval {
        it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 },
        it_value: libc::timeval { tv_sec: us / 1_000_000, tv_usec: us % 1_000_000 },
    };
    // SAFETY: the struct lives through the call.
    unsafe {
        libc::syscall(
            libc::SYS_setitimer,
            libc::ITIMER_REAL,
            &raw const it,
            std::ptr::null_mut::<libc::itimerval>(),
        );
    }
}

/// Asks the kernel to kill this process when its parent dies, and ends it if the parent is dead already. (SIGKILL: it
/// must go also while it is stopped or blocks signals, since the next server waits for that.)
pub fn die_with_parent(parent: i32) {
    // SAFETY: prctl with these arguments only sets a process attribute; getppid has no effects.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent {
            libc::_exit(1);
        }
    }
}

/// Takes bits out of this process's pending set; returns those that were there.
pub fn take(bits: u32) -> u32 {
    current().pending.fetch_and(!bits, AcqRel) & bits
}

/// Bits pending in this process.
pub fn pending() -> u32 {
    current().pending.load(Acquire)
}

/// Clears the private `Wake` of a process that was just forked, and makes it current.
pub(crate) fn reset_after_fork(pid: i32) {
    EARLY.pending.store(0, Release);
    EARLY.latch.own(pid);
    CURRENT.store((&raw const EARLY).cast_mut(), Release);
}

/// Makes this process the owner of its private `Wake` (the postmaster, tools, tests).
pub fn own_private_wake() {
    EARLY.latch.own(std::process::id() as i32);
}

/// What the system calls a signal that ends processes.
pub fn text(sig: i32) -> &'static str {
    match sig {
        libc::SIGHUP => "Hangup",
        libc::SIGINT => "Interrupt",
        libc::SIGQUIT => "Quit",
        libc::SIGILL => "Illegal instruction",
        libc::SIGABRT => "Aborted",
        libc::SIGBUS => "Bus error",
        libc::SIGFPE => "Floating point exception",
        libc::SIGKILL => "Killed",
        libc::SIGSEGV => "Segmentation fault",
        libc::SIGPIPE => "Broken pipe",
        libc::SIGALRM => "Alarm clock",
        libc::SIGTERM => "Terminated",
        _ => "unrecognized signal",
    }
}
