//! Time as PostgreSQL counts it: microseconds since 2000-01-01 UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds between the Unix epoch and 2000-01-01.
pub const PG_EPOCH_UNIX_SECONDS: i64 = 946_684_800;

/// The present moment.
pub fn now() -> i64 {
    let unix = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(d) => d.as_micros() as i64,
        Err(e) => -(e.duration().as_micros() as i64),
    };
    unix - PG_EPOCH_UNIX_SECONDS * 1_000_000
}

/// Microseconds of the monotonic clock: for time-outs and durations, unaffected by clock changes.
pub fn monotonic() -> i64 {
    match nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC) {
        Ok(t) => t.tv_sec() * 1_000_000 + t.tv_nsec() / 1000,
        Err(_) => 0,
    }
}

/// Seconds of processor time this process has used: (user, system).
pub fn cpu_seconds() -> (f64, f64) {
    let mut r = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to memory for one `rusage`, which is valid when all zero, should the call fail.
    let r = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, r.as_mut_ptr());
        r.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    (seconds(r.ru_utime), seconds(r.ru_stime))
}
