//! Room on the stack. Long statements make deep trees (a chain of 5,000 UNIONs, an expression of 4,000 operators), and every
//! level of the server walks them by recursion; the parser and the analyzer bound the depth for a stack of this size.
//! The kernel grows the main thread's stack on demand up to the soft limit, so that raising it costs nothing.

use common::{Result, err};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// What the main thread may need. Unoptimised frames are several times larger.
const BYTES: u64 = if cfg!(debug_assertions) { 120 << 20 } else { 64 << 20 };

/// Raises the soft limit for this process and those it forks.
pub fn make_room() -> Result<()> {
    let failed = |e: nix::Error| common::Error::os("could not change the stack limit", &e.into()).fatal();
    let (soft, hard) = getrlimit(Resource::RLIMIT_STACK).map_err(failed)?;
    if soft == RLIM_INFINITY || soft >= BYTES {
        return Ok(());
    }
    if hard != RLIM_INFINITY && hard < BYTES {
        return Err(err!(
            INSUFFICIENT_RESOURCES,
            "the hard limit of the stack is {} kB, at least {} kB are needed",
            hard >> 10,
            BYTES >> 10
        )
        .hint("Raise it with \"ulimit -Hs\" or its equivalent.")
        .fatal());
    }
    setrlimit(Resource::RLIMIT_STACK, BYTES, hard).map_err(failed)
}
