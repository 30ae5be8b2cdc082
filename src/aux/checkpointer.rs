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
            crate::log::configure(cx.settings);
            super::follow_settings(&cx.engine, cx.settings);
            cx.engine.store().set_full_page_writes(cx.settings.bool("full_page_writes"));
            cx.engine.store().set_fsync(cx.settings.bool("fsync"));
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
        let _shown = ints.waiting(ipc::WaitEvent::CHECKPOINTER_MAIN);
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
    if cx.settings.bool("log_checkpoints") {
        crate::log::line("LOG", &format!("checkpoint starting:{}", reasons(what)));
    }
    warn_too_frequent(cx, what);
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
            let _shown = ints.waiting(ipc::WaitEvent::CHECKPOINT_WRITE_DELAY);
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
    if stats.done {
        cx.engine.count_writer(&transam::WriterStats {
            checkpoints_timed: i64::from(what & flags::CAUSE_TIME != 0),
            checkpoints_requested: i64::from(what & flags::CAUSE_TIME == 0),
            buffers_checkpoint: stats.buffers_written as i64,
            write_time: stats.write_us as i64,
            sync_time: stats.sync_us as i64,
            ..transam::WriterStats::default()
        });
        cx.engine.flush_counters();
        cx.progress.distance(stats.redo.0);
    }
    if stats.done && cx.settings.bool("log_checkpoints") {
        log_complete(cx, &stats, started.elapsed());
    }
    Ok(())
}

/// The words of the line about a beginning checkpoint.
fn reasons(what: u32) -> String {
    let words = [
        (flags::SHUTDOWN, " shutdown"),
        (flags::END_OF_RECOVERY, " end-of-recovery"),
        (flags::IMMEDIATE, " immediate"),
        (flags::FORCE, " force"),
        (flags::WAIT, " wait"),
        (flags::CAUSE_XLOG, " wal"),
        (flags::CAUSE_TIME, " time"),
    ];
    words.iter().filter(|(f, _)| what & f != 0).map(|(_, w)| *w).collect()
}

/// `checkpoint_warning`: the log grows faster than checkpoints are meant to come.
fn warn_too_frequent(cx: &mut AuxContext<'_>, what: u32) {
    if what & flags::CAUSE_XLOG == 0 {
        return;
    }
    let limit = cx.settings.int("checkpoint_warning");
    let since = cx.progress.last_by_volume.replace(Instant::now()).map(|t| t.elapsed().as_secs() as i64);
    if let Some(s) = since.filter(|s| *s < limit) {
        let seconds = if s == 1 { "second" } else { "seconds" };
        crate::log::report_with_hint(
            &format!("checkpoints are occurring too frequently ({s} {seconds} apart)"),
            "Consider increasing the configuration parameter \"max_wal_size\".",
        );
    }
}

/// What the checkpointer remembers from one checkpoint to the next.
#[derive(Default)]
pub struct Progress {
    last_by_volume: Option<Instant>,
    last_redo: u64,
    distance: f64,
    estimate: f64,
}

impl Progress {
    /// Takes note of a checkpoint's redo pointer: the log between two, and a moving average that falls slowly.
    fn distance(&mut self, redo: u64) {
        if self.last_redo != 0 {
            self.distance = redo.saturating_sub(self.last_redo) as f64;
            self.estimate = if self.distance > self.estimate {
                self.distance
            } else {
                0.9 * self.estimate + 0.1 * self.distance
            };
        }
        self.last_redo = redo;
    }
}

fn log_complete(cx: &AuxContext<'_>, s: &transam::checkpoint::CheckpointStats, total: Duration) {
    let seconds = |us: u64| us as f64 / 1e6;
    let share = s.buffers_written as f64 * 100.0 / cx.settings.int("shared_buffers").max(1) as f64;
    let average = s.sync.total_us / s.sync.files.max(1) as u64;
    // A checkpoint adds no segments: they are made ahead by the writers of the log.
    let text = format!(
        "checkpoint complete: wrote {} buffers ({share:.1}%); 0 WAL file(s) added, {} removed, {} recycled; \
         write={:.3} s, sync={:.3} s, total={:.3} s; sync files={}, longest={:.3} s, average={:.3} s; \
         distance={:.0} kB, estimate={:.0} kB",
        s.buffers_written,
        s.segments_removed,
        s.segments_recycled,
        seconds(s.write_us),
        seconds(s.sync_us),
        total.as_secs_f64(),
        s.sync.files,
        seconds(s.sync.longest_us),
        seconds(average),
        cx.progress.distance / 1024.0,
        cx.progress.estimate / 1024.0
    );
    crate::log::line("LOG", &text);
}

fn shutdown(cx: &mut AuxContext<'_>) -> Result<()> {
    crate::log::line("LOG", "shutting down");
    last_checkpoint(cx)
}

/// What a server leaves behind: statistics and the shutdown checkpoint.
pub fn last_checkpoint(cx: &mut AuxContext<'_>) -> Result<()> {
    save_stats(cx);
    if let Some(s) = cx.shared.statement_stats()
        && cx.settings.bool("pg_stat_statements.save")
        && let Err(e) = s.save(cx.engine.proc(), cx.engine.data_dir())
    {
        crate::log::report(e.report(), None);
    }
    let started = Instant::now();
    let log = cx.settings.bool("log_checkpoints");
    if log {
        crate::log::line("LOG", "checkpoint starting: shutdown immediate");
    }
    let stats = cx
        .engine
        .run_checkpoint(flags::SHUTDOWN | flags::IMMEDIATE | flags::FORCE, 0, &mut |_| Ok(()))
        .map_err(|e| Error::severity(e, common::Severity::Panic))?;
    if log && stats.done {
        cx.progress.distance(stats.redo.0);
        log_complete(cx, &stats, started.elapsed());
    }
    Ok(())
}

/// CHECKPOINT: asks for one at once and waits for it.
pub fn request_and_wait(engine: &Engine) -> Result<()> {
    engine.request_checkpoint(flags::IMMEDIATE | flags::FORCE | flags::WAIT)
}
