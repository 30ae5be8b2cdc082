//! The WAL writer: flushes the log of asynchronous commits within a few hundred milliseconds, and prepares the next
//! segment.

use super::AuxContext;
use common::Result;
use std::time::Duration;

/// Main loop.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    let mut idle_rounds = 0u32;
    loop {
        idle_rounds = if cx.engine.store().background_flush() { 0 } else { idle_rounds + 1 };
        let delay = cx.settings.int("wal_writer_delay").max(1) as u64;
        let factor = if idle_rounds > 50 { 5 } else { 1 };
        cx.nap(Duration::from_millis(delay * factor))?;
    }
}
