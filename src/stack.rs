//! Room on the stack. Long statements make deep trees (a chain of 5,000 UNIONs, an expression of 4,000 operators), and every
//! level of the server walks them by recursion; the parser and the analyzer bound the depth for a stack of this size.
//! The kernel grows the main thread's stack on demand up to the soft limit, so that raising it costs nothing. Where the
//! hard limit forbids that, the server runs on a stack of its own, which no limit concerns.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// What the main thread may need. Unoptimised frames are several times larger.
const BYTES: u64 = if cfg!(debug_assertions) { 120 << 20 } else { 64 << 20 };

/// Raises the soft limit for this process and those it forks.
fn raise_limit() -> bool {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_STACK) else { return false };
    if soft == RLIM_INFINITY || soft >= BYTES {
        return true;
    }
    (hard == RLIM_INFINITY || hard >= BYTES) && setrlimit(Resource::RLIMIT_STACK, BYTES, hard).is_ok()
}

/// Runs the program with room for deep recursion, whatever the limits are. Returns its exit status.
pub fn with_room(program: impl FnOnce() -> i32 + Send) -> i32 {
    if raise_limit() {
        return program();
    }
    // Signals are for the thread that runs the server: the one that waits for it takes none. The other inherits the
    // mask and lets them in itself.
    let before = ipc::signals::block_all();
    // An immediate shutdown too.
    let _ = nix::sys::signal::SigSet::all().thread_block();
    let bytes = usize::try_from(BYTES).unwrap_or(usize::MAX);
    std::thread::scope(|scope| {
        let body = move || {
            ipc::signals::restore_mask(&before);
            program()
        };
        match std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, body) {
            Ok(t) => t.join().unwrap_or(1),
            Err(e) => {
                let e = common::Error::os("could not make room for the stack", &e).fatal();
                crate::log::report(e.report(), None);
                1
            }
        }
    })
}
