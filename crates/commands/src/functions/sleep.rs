//! The `pg_sleep` family: waits on the latch, so that cancel and termination end it at once.

use super::env;
use common::Result;
use std::time::Duration;
use types::{CallCtx, FnImpl, c1};

pub static TABLE: &[(u32, FnImpl)] = &[(2626, c1!(sleep)), (3935, c1!(sleep_for)), (3936, c1!(sleep_until))];

fn until(c: &CallCtx<'_>, end: i64) -> Result<i32> {
    let e = env(c)?;
    let _shown = e.engine.interrupts().waiting(ipc::WaitEvent::PG_SLEEP);
    let latch = e.engine.interrupts().latch();
    loop {
        e.host.check_interrupts()?;
        let left = end.saturating_sub(ipc::clock::monotonic());
        if left <= 0 {
            return Ok(0);
        }
        // At most ten minutes at a time, as a clock may jump.
        latch.wait(Some(Duration::from_micros((left as u64).min(600_000_000))));
        latch.reset();
    }
}

fn from_now(us: f64) -> i64 {
    let us = if us.is_nan() { 0.0 } else { us.clamp(0.0, 1e17) };
    ipc::clock::monotonic().saturating_add(us as i64)
}

fn sleep(c: &CallCtx<'_>, seconds: f64) -> Result<i32> {
    until(c, from_now(seconds * 1e6))
}

fn sleep_for(c: &CallCtx<'_>, v: [u8; 16]) -> Result<i32> {
    let word = |at: usize| f64::from(i32::from_le_bytes([v[at], v[at + 1], v[at + 2], v[at + 3]]));
    let us = i64::from_le_bytes([v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]]) as f64;
    // Nobody sleeps for calendar months: they count as thirty days.
    until(c, from_now(us + (word(8) + 30.0 * word(12)) * types::datetime::DAY_US as f64))
}

fn sleep_until(c: &CallCtx<'_>, at: i64) -> Result<i32> {
    until(c, from_now(at.saturating_sub(types::datetime::clock_us()) as f64))
}
