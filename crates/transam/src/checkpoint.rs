//! Checkpoints: everything the log up to the redo pointer says is made durable in files, so that recovery can begin
//! there.
//!
//! Order: redo pointer (full-page images begin) → wait for commits under way → status caches → buffers → file syncs →
//! checkpoint record → control file → old segments and files go. A crash in between recovers from the checkpoint before.

use crate::Engine;
use crate::control::{CheckPoint, DbState};
use common::{Lsn, MultiXactId, Oid, Result, Xid, bail};
use ipc::{BackendKind, WaitEvent, clock, signals};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::time::Duration;
use storage::RmgrId;

/// `info` of a shutdown checkpoint's record.
pub const CHECKPOINT_SHUTDOWN: u8 = 0x00;
/// `info` of an online checkpoint's record.
pub const CHECKPOINT_ONLINE: u8 = 0x10;

/// `info` of a record that only takes up room.
pub const NOOP: u8 = 0x20;

/// Why and how. Bits can be combined.
pub mod flags {
    /// The last act of the server.
    pub const SHUTDOWN: u32 = 1;
    /// Ends recovery.
    pub const END_OF_RECOVERY: u32 = 2;
    /// Without spreading the writes.
    pub const IMMEDIATE: u32 = 4;
    /// Even when nothing happened.
    pub const FORCE: u32 = 8;
    /// The requester waits.
    pub const WAIT: u32 = 0x20;
    /// Somebody asked.
    pub const REQUESTED: u32 = 0x40;
    /// The log has grown.
    pub const CAUSE_XLOG: u32 = 0x80;
    /// Time is up.
    pub const CAUSE_TIME: u32 = 0x100;
}

const SEGMENT: u64 = 16 << 20;
const SEGMENT_HEADER: u64 = 64;

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckpointStats {
    /// False: nothing had happened since the last one.
    pub done: bool,
    pub buffers_written: usize,
    pub sync: storage::SyncStats,
    /// Microseconds of the two phases.
    pub write_us: u64,
    pub sync_us: u64,
    pub segments_removed: u32,
    pub segments_recycled: u32,
    pub redo: Lsn,
}

impl Engine {
    /// Performs a checkpoint. `pace(fraction done)` is called between writes: it sleeps to spread them, and may fail.
    /// `recycle_bytes`: how much log to keep ahead as renamed segments.
    pub fn create_checkpoint(
        &self,
        what: u32,
        recycle_bytes: u64,
        pace: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<CheckpointStats> {
        let shutdown = what & (flags::SHUTDOWN | flags::END_OF_RECOVERY) != 0;
        let c = self.shared.c;
        let store = &self.store;
        let forced = what & (flags::SHUTDOWN | flags::END_OF_RECOVERY | flags::FORCE) != 0;
        if !forced && Lsn(c.ckpt_lsn.load(Acquire)) == store.insert_lsn() {
            return Ok(CheckpointStats::default());
        }
        if what & flags::SHUTDOWN != 0 {
            self.update_control(|f| f.state = DbState::Shutdowning)?;
        }
        store.sync_pre_checkpoint();
        let redo = store.begin_checkpoint();
        let mut ckpt = self.gather(redo, shutdown);
        self.wait_for_delayed(1)?;
        self.with_slru(|cx| {
            self.shared.clog.checkpoint(cx)?;
            self.shared.offsets.checkpoint(cx)?;
            self.shared.members.checkpoint(cx)
        })?;
        let write_begun = std::time::Instant::now();
        let buffers_written = store.write_all_dirty(|done, total| {
            store.absorb_sync_requests();
            pace(done as f64 / total.max(1) as f64)
        })?;
        // A truncation whose record lies before the redo pointer must be done on disk.
        self.wait_for_delayed(2)?;
        let write_us = write_begun.elapsed().as_micros() as u64;
        let sync_begun = std::time::Instant::now();
        let sync = store.sync_requested_files()?;
        let sync_us = sync_begun.elapsed().as_micros() as u64;
        ckpt.oldest_active_xid = self.horizons().oldest_running;
        let info = if shutdown { CHECKPOINT_SHUTDOWN } else { CHECKPOINT_ONLINE };
        let (start, end) = self.log_located(RmgrId::XLOG, info, Xid::INVALID, &ckpt.encode());
        store.flush_wal(end);
        if what & flags::SHUTDOWN != 0 && start != redo {
            bail!(
                INTERNAL_ERROR,
                "concurrent write-ahead log activity while database system is shutting down"
            );
        }
        self.update_control(|f| {
            if what & flags::SHUTDOWN != 0 {
                f.state = DbState::Shutdowned;
            }
            f.checkpoint = start;
            f.checkpoint_end = end;
            f.copy = ckpt.clone();
        })?;
        c.ckpt_lsn.store(end.0, Release);
        c.ckpt_time.store(clock::now(), Relaxed);
        store.sync_post_checkpoint()?;
        let retired = store.retire_wal(redo, None, recycle_bytes)?;
        if what & flags::SHUTDOWN == 0 {
            let oldest = self.horizons().oldest_running;
            self.with_slru(|cx| {
                self.shared.subtrans.truncate(cx, oldest.0 / crate::slru::PAGE_WORDS as u64)
            })?;
        }
        Ok(CheckpointStats {
            done: true,
            buffers_written,
            sync,
            write_us,
            sync_us,
            segments_removed: retired.removed,
            segments_recycled: retired.recycled,
            redo,
        })
    }
    fn gather(&self, redo: Lsn, is_shutdown: bool) -> CheckPoint {
        let c = self.shared.c;
        let (next_xid, oldest_xid) = {
            let _g = c.xid_gen.shared(self.proc());
            (Xid(c.next_xid.load(Relaxed)), Xid(c.oldest_xid.load(Relaxed)))
        };
        let next_oid = {
            let _g = c.oid_gen.shared(self.proc());
            // Ids logged ahead count as used: the record may lie before the redo pointer. At a shutdown none are in use.
            let ahead = if is_shutdown { 0 } else { c.oids_left.load(Relaxed) };
            Oid(c.next_oid.load(Relaxed).wrapping_add(ahead))
        };
        let _g = c.multi_gen.shared(self.proc());
        CheckPoint {
            redo,
            timeline: self.store.config().timeline,
            prev_timeline: self.store.config().timeline,
            full_page_writes: self.store.full_page_writes(),
            next_oid,
            next_xid,
            next_multi: MultiXactId(c.next_multi.load(Relaxed)),
            next_member: c.next_member.load(Relaxed),
            oldest_xid,
            oldest_xid_db: Oid(1),
            oldest_multi: MultiXactId(c.oldest_multi.load(Relaxed)),
            oldest_multi_db: Oid(1),
            oldest_active_xid: next_xid,
            time: clock::now(),
        }
    }
    /// Waits for every process that was between its record and its effect when the redo pointer was set.
    fn wait_for_delayed(&self, bit: u8) -> Result<()> {
        let in_it = |p: &ipc::Proc| p.pid() != 0 && p.delay_checkpoint.load(SeqCst) & bit != 0;
        let start: Vec<_> =
            self.procs.scan().iter().filter(|p| in_it(p)).map(|p| (p, p.lxid.load(Relaxed))).collect();
        for (p, lxid) in start {
            while in_it(p) && p.lxid.load(Relaxed) == lxid {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }
    /// Inserts a record and tells where it begins and ends. The start is found from the end and the length: log
    /// positions skip the header at each segment's start.
    pub(crate) fn log_located(&self, rmgr: RmgrId, info: u8, xid: Xid, data: &[u8]) -> (Lsn, Lsn) {
        let before = self.store.counters().wal_bytes;
        let end = self.store.log(rmgr, info, xid, data);
        let len = (self.store.counters().wal_bytes - before).next_multiple_of(8);
        let usable = SEGMENT - SEGMENT_HEADER;
        let pos = end.0 / SEGMENT * usable + (end.0 % SEGMENT).saturating_sub(SEGMENT_HEADER) - len;
        (Lsn(pos / usable * SEGMENT + SEGMENT_HEADER + pos % usable), end)
    }

    // ---- asking for one ----

    /// Asks the checkpointer for a checkpoint; with `WAIT`, until it is done. A process that works alone (initdb,
    /// recovery) performs it itself.
    pub fn request_checkpoint(&self, what: u32) -> Result<()> {
        let c = self.shared.c;
        use BackendKind::{Bootstrap, Standalone, Startup};
        if matches!(self.proc().kind(), Bootstrap | Standalone | Startup) {
            self.create_checkpoint(what | flags::IMMEDIATE, 0, &mut |_| Ok(()))?;
            return Ok(());
        }
        let p = self.find_checkpointer()?;
        let (started, failed) = (c.ckpt_started.load(SeqCst), c.ckpt_failed.load(SeqCst));
        c.ckpt_flags.fetch_or(what | flags::REQUESTED, AcqRel);
        p.post(signals::CANCEL);
        if what & flags::WAIT == 0 {
            return Ok(());
        }
        // One that had begun before the request may not cover it: wait for the start of a later one, then its end.
        c.ckpt_start_cv.wait_until(&self.interrupts, WaitEvent::CHECKPOINT_START, None, || {
            c.ckpt_started.load(SeqCst) != started
        })?;
        let mine = c.ckpt_started.load(SeqCst);
        c.ckpt_done_cv.wait_until(&self.interrupts, WaitEvent::CHECKPOINT_DONE, None, || {
            c.ckpt_done.load(SeqCst).wrapping_sub(mine) as i32 >= 0
        })?;
        if c.ckpt_failed.load(SeqCst) != failed {
            return Err(common::Error::internal("checkpoint request failed")
                .hint("Consult recent messages in the server log for details."));
        }
        Ok(())
    }
    /// The checkpointer, which may be about to start.
    fn find_checkpointer(&self) -> Result<&'static ipc::Proc> {
        for _ in 0..600 {
            if let Some(p) = self.procs.by_kind(BackendKind::Checkpointer) {
                return Ok(p);
            }
            self.check_interrupts()?;
            self.proc().latch().wait(Some(Duration::from_millis(100)));
            self.proc().latch().reset();
        }
        Err(common::Error::internal("could not signal for checkpoint: checkpointer is not running"))
    }
    /// The checkpointer's side: what is asked for, if anything.
    pub fn take_checkpoint_request(&self) -> Option<u32> {
        let f = self.shared.c.ckpt_flags.swap(0, AcqRel);
        (f != 0).then_some(f)
    }
    /// Have requests come in that want the running checkpoint to hurry?
    pub fn immediate_checkpoint_requested(&self) -> bool {
        self.shared.c.ckpt_flags.load(Acquire) & flags::IMMEDIATE != 0
    }
    /// The checkpointer's side: performs one, and tells those who wait.
    pub fn run_checkpoint(
        &self,
        what: u32,
        recycle_bytes: u64,
        pace: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<CheckpointStats> {
        let c = self.shared.c;
        let n = c.ckpt_started.fetch_add(1, SeqCst) + 1;
        c.ckpt_start_cv.broadcast();
        let r = self.create_checkpoint(what, recycle_bytes, pace);
        if r.is_err() {
            c.ckpt_failed.fetch_add(1, SeqCst);
        }
        c.ckpt_done.store(n, SeqCst);
        c.ckpt_done_cv.broadcast();
        r
    }
    /// Ends the segment in use by filling it up (`pg_switch_wal`, `archive_timeout`); returns where the log stood. A
    /// segment on which nothing has been written is left alone.
    pub fn switch_wal(&self) -> Result<Lsn> {
        const PIECE: u64 = 64 << 10;
        let start = self.store.insert_lsn();
        let end = (start.0 / SEGMENT + 1) * SEGMENT;
        if start.0 % SEGMENT <= SEGMENT_HEADER {
            return Ok(start);
        }
        loop {
            let left = end.saturating_sub(self.store.insert_lsn().0);
            if left == 0 {
                break;
            }
            let filler = vec![0; left.min(PIECE).saturating_sub(64).max(1) as usize];
            self.store.log(RmgrId::XLOG, NOOP, Xid::INVALID, &filler);
            self.check_interrupts()?;
        }
        self.store.flush_wal(self.store.insert_lsn());
        Ok(start)
    }
    /// Log written since the last checkpoint's redo pointer.
    pub fn wal_since_checkpoint(&self) -> u64 {
        self.store.insert_lsn().0.saturating_sub(self.store.redo_lsn().0)
    }
}
