//! The checkpointer: checkpoints by time, by log volume and by command, spread over time; it also collects the file
//! syncs that other processes hand over. Its last act is the shutdown checkpoint.

use super::AuxContext;
use common::{Error, Result};
use ipc::signals;
use std::time::{Duration, Instant};
use transam::Engine;
use transam::checkpoint::flags;

/// Main loop.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    cx.engine.store().become_checkpointer();
    let mut last = Instant::now();
    let mut preallocated = false;
    let mut saved = Instant::now();
    loop {
        cx.engine.store().absorb_sync_requests();
        let ints = cx.engine.interrupts();
        ints.take(signals::CANCEL);
        if ints.take(signals::RELOAD) != 0 {
            crate::config::reload(cx.settings, crate::config::Reader::Child);
            cx.engine.store().set_full_page_writes(cx.settings.bool("full_page_writes"));
        }
        if ints.take(signals::USR2) != 0 {
            return shutdown(cx);
        }
        // SIGTERM is not for the checkpointer: it must outlive those whose work it saves.
        ints.take(signals::TERMINATE);
        if !preallocated {
            cx.engine.store().preallocate_wal(1)?;
            preallocated = true;
        }
        if saved.elapsed() >= STATS_INTERVAL {
            save_stats(cx);
            saved = Instant::now();
        }
        if let Some(what) = wanted(cx, last) {
            perform(cx, what)?;
            last = Instant::now();
            continue;
        }
        let timeout = Duration::from_secs(cx.settings.int("checkpoint_timeout") as u64);
        let left =
            timeout.saturating_sub(last.elapsed()).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let ints = cx.engine.interrupts();
        ints.latch().wait(Some(left));
        ints.latch().reset();
    }
}

/// How often the cumulative statistics are written: a crash loses what was counted since.
const STATS_INTERVAL: Duration = Duration::from_secs(10);

fn save_stats(cx: &AuxContext<'_>) {
    if let Err(e) = cx.engine.save_stats() {
        crate::log::report(e.report(), None);
    }
}

fn wanted(cx: &AuxContext<'_>, last: Instant) -> Option<u32> {
    if let Some(what) = cx.engine.take_checkpoint_request() {
        return Some(what);
    }
    if cx.engine.wal_since_checkpoint() >= checkpoint_volume(cx) {
        return Some(flags::CAUSE_XLOG);
    }
    let timeout = Duration::from_secs(cx.settings.int("checkpoint_timeout") as u64);
    (last.elapsed() >= timeout).then_some(flags::CAUSE_TIME)
}

/// Log that triggers a checkpoint: one is still running while the next part is written, as in PostgreSQL.
fn checkpoint_volume(cx: &AuxContext<'_>) -> u64 {
    let max = cx.settings.int("max_wal_size") as f64 * 1024.0 * 1024.0;
    (max / (1.0 + cx.settings.real("checkpoint_completion_target"))).max(16.0 * 1024.0 * 1024.0) as u64
}

fn perform(cx: &mut AuxContext<'_>, what: u32) -> Result<()> {
    let started = Instant::now();
    let reason = if what & flags::CAUSE_TIME != 0 {
        "time"
    } else if what & flags::CAUSE_XLOG != 0 {
        "wal"
    } else {
        "force"
    };
    if cx.settings.bool("log_checkpoints") {
        crate::log::line("LOG", &format!("checkpoint starting: {reason}"));
    }
    let timeout = cx.settings.int("checkpoint_timeout") as f64;
    let target = cx.settings.real("checkpoint_completion_target");
    let volume = checkpoint_volume(cx) as f64;
    let wal_start = cx.engine.store().insert_lsn().0;
    let engine = cx.engine.clone();
    let mut pace = |done: f64| -> Result<()> {
        let ints = engine.interrupts();
        let hurry = what & flags::IMMEDIATE != 0
            || engine.immediate_checkpoint_requested()
            || ints.peek(signals::USR2) != 0;
        if hurry {
            return Ok(());
        }
        let wal = (engine.store().insert_lsn().0 - wal_start) as f64;
        let elapsed = (started.elapsed().as_secs_f64() / timeout).max(wal / volume);
        if done * target > elapsed {
            ints.latch().wait(Some(Duration::from_millis(100)));
            ints.latch().reset();
        }
        Ok(())
    };
    let keep = cx.settings.int("min_wal_size") as u64 * 1024 * 1024;
    let stats = match cx.engine.run_checkpoint(what, keep, &mut pace) {
        Ok(s) => s,
        Err(e) => {
            // The next one tries again; those who waited were told.
            crate::log::report(e.report(), None);
            return Ok(());
        }
    };
    if stats.done && cx.settings.bool("log_checkpoints") {
        let text = format!(
            "checkpoint complete: wrote {} buffers; {} WAL file(s) removed, {} recycled; total={:.3} s; sync files={}; redo lsn={}",
            stats.buffers_written,
            stats.segments_removed,
            stats.segments_recycled,
            started.elapsed().as_secs_f64(),
            stats.files_synced,
            stats.redo
        );
        crate::log::line("LOG", &text);
    }
    Ok(())
}

fn shutdown(cx: &mut AuxContext<'_>) -> Result<()> {
    crate::log::line("LOG", "shutting down");
    save_stats(cx);
    cx.engine
        .run_checkpoint(flags::SHUTDOWN | flags::IMMEDIATE | flags::FORCE, 0, &mut |_| Ok(()))
        .map_err(|e| Error::severity(e, common::Severity::Panic))?;
    Ok(())
}

/// CHECKPOINT: asks for one at once and waits for it.
pub fn request_and_wait(engine: &Engine) -> Result<()> {
    engine.request_checkpoint(flags::IMMEDIATE | flags::FORCE | flags::WAIT)
}
