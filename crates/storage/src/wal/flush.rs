//! Making the log durable. One leader writes and syncs for everybody who waits (group commit); the others sleep until
//! a flush ends and look again. Rule: nobody waits for inserters while holding the write lock, since an inserter may
//! need that lock to make room in the ring.

use super::position::{SEGMENT_HEADER, SEGMENT_SIZE, end_lsn, segment_of, usable};
use super::segment;
use crate::Store;
use crate::datadir::panic_exit;
use crate::page::PAGE_SIZE;
use crate::tuning::WalSyncMethod;
use common::{Lsn, Result};
use ipc::{Mode, WaitEvent, futex};
use std::cell::RefCell;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::Duration;

const PAGE: u64 = PAGE_SIZE as u64;

/// The segment this process has open for writing.
#[derive(Default)]
pub(crate) struct WalFile(RefCell<Option<(u64, Rc<File>)>>);

impl WalFile {
    /// The next write opens it again.
    pub(crate) fn close(&self) {
        *self.0.borrow_mut() = None;
    }
}

impl Store {
    /// Makes the log durable up to `lsn` (group commit). A failure is a PANIC.
    pub fn flush_wal(&self, lsn: Lsn) {
        let f = &self.wal().flush;
        if f.flushed.load(Acquire) >= lsn.0 {
            return;
        }
        if self.in_recovery() {
            return;
        }
        let end = self.insert_lsn();
        if lsn > end {
            // A page from another life of the cluster: everything there is must do.
            return self.flush_wal(end);
        }
        self.wait_copied(lsn);
        let lock = &self.wal().write_lock;
        loop {
            let seen = f.finished.load(SeqCst);
            if f.flushed.load(Acquire) >= lsn.0 {
                return;
            }
            if lock.try_acquire(self.proc(), Mode::Exclusive) {
                if f.flushed.load(Acquire) < lsn.0 {
                    self.wait_for_company();
                    self.write_locked(Lsn(u64::MAX));
                    self.sync_locked();
                }
                lock.release(self.proc());
                self.announce_flush();
                continue;
            }
            // Another process writes for us: PostgreSQL waits for its lock there.
            let _w = self.shown(WaitEvent::lwlock(ipc::Tranche::WAL_WRITE));
            f.waiters.fetch_add(1, SeqCst);
            // The time-out covers a leader that was killed between its release and its announcement.
            futex::wait(&f.finished, seen, Some(Duration::from_millis(100)));
            f.waiters.fetch_sub(1, SeqCst);
        }
    }
    /// `commit_delay`: waits a moment so that others' commits are part of this flush, if others are likely to come.
    fn wait_for_company(&self) {
        let t = self.tuning();
        if t.commit_delay_us == 0 || self.wal().control.fsync.load(Relaxed) == 0 {
            return;
        }
        let company = self.siblings.borrow().clone();
        if company.is_some_and(|f| f(t.commit_siblings)) {
            std::thread::sleep(Duration::from_micros(u64::from(t.commit_delay_us)));
        }
    }
    fn announce_flush(&self) {
        let f = &self.wal().flush;
        f.finished.fetch_add(1, SeqCst);
        if f.waiters.load(SeqCst) != 0 {
            futex::wake_all(&f.finished);
        }
    }
    /// Writes (without sync) so that the ring is free before `lsn`.
    pub(crate) fn write_wal_up_to(&self, lsn: Lsn) {
        self.wait_copied(lsn);
        let lock = &self.wal().write_lock;
        let written = &self.wal().flush.written;
        while written.load(Acquire) < lsn.0 {
            lock.acquire(self.proc(), Mode::Exclusive);
            if written.load(Acquire) < lsn.0 {
                self.write_locked(Lsn(u64::MAX));
            }
            lock.release(self.proc());
        }
    }
    /// Waits until every record before `lsn` is copied into the ring.
    fn wait_copied(&self, lsn: Lsn) {
        let target = usable(lsn);
        let mut spins = 0;
        while self.wal().copied() < target {
            spins += 1;
            if spins < 64 {
                std::hint::spin_loop();
            } else if spins < 256 {
                std::thread::yield_now();
            } else {
                let _shown = self.shown(WaitEvent::lwlock(ipc::Tranche::WAL_INSERT));
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
    /// Writes what is copied, at most up to `limit`. The write lock is held.
    fn write_locked(&self, limit: Lsn) {
        let f = &self.wal().flush;
        let upto = end_lsn(self.wal().copied()).min(limit).0;
        let mut at = f.written.load(Acquire);
        while at < upto {
            let segno = segment_of(Lsn(at));
            let stop = upto.min((segno + 1) * SEGMENT_SIZE);
            let file = self.wal_segment(segno);
            self.write_range(&file, at, stop);
            if stop == (segno + 1) * SEGMENT_SIZE {
                // A finished segment is synced before the next begins: a later sync sees only its own file.
                self.sync_segment_file(&file);
                if self.config().archiving {
                    let timeline = self.wal().control.timeline.load(Relaxed);
                    segment::mark_ready(&self.config().data_dir, timeline, segno);
                }
            }
            f.written.store(stop, Release);
            at = stop;
        }
    }
    /// Writes [from, to) of one segment in whole 8 kB pages: full pages straight from the ring, the last one padded with
    /// zeros through a copy, since others may be copying into its rest.
    fn write_range(&self, file: &File, from: u64, to: u64) {
        let sh = self.shared();
        let mut at = from / PAGE * PAGE;
        let full = to / PAGE * PAGE;
        while at < full {
            let off = at % sh.wal_ring_bytes;
            let n = (full - at).min(sh.wal_ring_bytes - off);
            // SAFETY: the range lies in the ring; bytes before `to` are copied and stay until `written` passes them.
            let bytes = unsafe { std::slice::from_raw_parts(sh.wal_ring.add(off as usize), n as usize) };
            self.write_segment_file(file, bytes, at % SEGMENT_SIZE);
            at += n;
        }
        if at < to {
            let mut page = [0u8; PAGE_SIZE];
            let n = (to - at) as usize;
            let off = (at % sh.wal_ring_bytes) as usize;
            // SAFETY: as above; only bytes before `to` are read.
            unsafe { std::ptr::copy_nonoverlapping(sh.wal_ring.add(off), page.as_mut_ptr(), n) };
            self.write_segment_file(file, &page, at % SEGMENT_SIZE);
        }
    }
    fn write_segment_file(&self, file: &File, bytes: &[u8], at: u64) {
        let c = &self.counters.wal_writes;
        c.set(c.get() + 1);
        let _io = self.wal_io(WaitEvent::WAL_WRITE, &self.counters.wal_write_ns);
        if !self.tuning().wal_sync_method.is_open() {
            self.wal().flush.unsynced.store(1, Relaxed);
        }
        if let Err(e) = file.write_all_at(bytes, at) {
            panic_exit(&format!("could not write to log file: {}", common::error::os_message(&e)));
        }
    }
    fn sync_segment_file(&self, file: &File) {
        if self.wal().control.fsync.load(Relaxed) == 0 {
            return;
        }
        let unsynced = &self.wal().flush.unsynced;
        let method = self.tuning().wal_sync_method;
        // Writes by processes that open the file otherwise still need their sync.
        if method.is_open() && unsynced.load(Relaxed) == 0 {
            return;
        }
        let _io = self.wal_io(WaitEvent::WAL_SYNC, &self.counters.wal_sync_ns);
        let fd = file.as_raw_fd();
        let (name, failed) = match method {
            // SAFETY: plain system call on an open descriptor.
            WalSyncMethod::Fsync => ("fsync", unsafe { libc::fsync(fd) } != 0),
            // SAFETY: plain system call on an open descriptor.
            _ => ("fdatasync", unsafe { libc::fdatasync(fd) } != 0),
        };
        if failed {
            let e = std::io::Error::last_os_error();
            panic_exit(&format!("could not {name} log file: {}", common::error::os_message(&e)));
        }
        unsynced.store(0, Relaxed);
    }
    /// Syncs the segment that holds the last written byte. The write lock is held.
    fn sync_locked(&self) {
        let f = &self.wal().flush;
        let written = f.written.load(Acquire);
        if written > f.flushed.load(Relaxed) {
            let c = &self.counters.wal_syncs;
            c.set(c.get() + 1);
            if !written.is_multiple_of(SEGMENT_SIZE) {
                self.sync_segment_file(&self.wal_segment(segment_of(Lsn(written))));
            }
            f.flushed.store(written, Release);
        }
    }
    /// The segment's file, created if nobody did that ahead.
    fn wal_segment(&self, segno: u64) -> Rc<File> {
        if let Some((s, f)) = &*self.wal_file.0.borrow()
            && *s == segno
        {
            return f.clone();
        }
        let timeline = self.wal().control.timeline.load(Relaxed);
        let open = || -> Result<File> {
            let dir = &self.config().data_dir;
            let flags = self.tuning().wal_sync_method.open_flags();
            if let Some(f) = segment::open_segment(dir, timeline, segno, flags)? {
                return Ok(f);
            }
            let _w = self.ints().waiting(WaitEvent::WAL_INIT_WRITE);
            let fill = self.tuning().wal_init_zero;
            segment::create_segment(dir, timeline, segno, self.wal().control.fsync.load(Relaxed) != 0, fill)?;
            segment::open_segment(dir, timeline, segno, flags)?
                .ok_or_else(|| common::Error::internal("log segment vanished after its creation"))
        };
        match open() {
            Ok(f) => {
                let f = Rc::new(f);
                *self.wal_file.0.borrow_mut() = Some((segno, f.clone()));
                f
            }
            Err(e) => panic_exit(&e.report().message),
        }
    }

    /// The walwriter's work: makes asynchronous commits durable, and else writes whole pages that are full. Returns
    /// whether there was anything to do.
    pub fn background_flush(&self) -> bool {
        if self.in_recovery() {
            return false;
        }
        let f = &self.wal().flush;
        self.prepare_next_segment();
        let page = self.insert_lsn().0 / PAGE * PAGE;
        let target = f.asynchronous.load(Acquire).max(page);
        if target <= f.flushed.load(Acquire) {
            return false;
        }
        self.flush_wal(Lsn(target));
        true
    }
    /// Makes the next segment when a third of the current one is used, so that no commit waits for that. Failure
    /// (disk full) is left to whoever really needs the segment.
    fn prepare_next_segment(&self) {
        let now = self.insert_lsn().0;
        let next = now / SEGMENT_SIZE + 1;
        if now % SEGMENT_SIZE > SEGMENT_SIZE / 3 && self.prepared_segment.get() < next {
            self.prepared_segment.set(next);
            let _ = self.preallocate_wal(1);
        }
    }
    /// An asynchronous commit ended at `lsn`: the walwriter flushes it soon.
    pub fn set_async_lsn(&self, lsn: Lsn) {
        self.wal().flush.asynchronous.fetch_max(lsn.0, Release);
        let after = u64::from(self.tuning().wal_writer_flush_after) * PAGE;
        if after > 0 && lsn.0.saturating_sub(self.flushed_lsn().0) >= after {
            let wake = self.wake_walwriter.borrow().clone();
            if let Some(f) = wake {
                f();
            }
        }
    }
    /// Makes the next segments exist ahead of need (checkpointer).
    pub fn preallocate_wal(&self, segments: u64) -> Result<()> {
        let c = &self.wal().control;
        let now = segment_of(self.insert_lsn());
        for s in now + 1..=now + segments {
            let sync = c.fsync.load(Relaxed) != 0;
            let (timeline, fill) = (c.timeline.load(Relaxed), self.tuning().wal_init_zero);
            segment::create_segment(&self.config().data_dir, timeline, s, sync, fill)?;
        }
        Ok(())
    }
    /// After a checkpoint: segments wholly before `redo` (and before `keep`, if given) are renamed for future use, as
    /// many as keep the log's total at `min_bytes` … `max_bytes` by the caller's estimate, or removed.
    pub fn retire_wal(&self, redo: Lsn, keep: Option<Lsn>, recycle_bytes: u64) -> Result<segment::Retired> {
        let c = &self.wal().control;
        let mut keep_from = segment_of(keep.map_or(redo, |k| k.min(redo)));
        let (dir, timeline) = (&self.config().data_dir, c.timeline.load(Relaxed));
        let mut archived = Vec::new();
        if self.config().archiving {
            for s in segment::list_segments(dir, timeline)?.into_iter().filter(|s| *s < keep_from) {
                if !segment::is_archived(dir, timeline, s) {
                    keep_from = s;
                    break;
                }
                archived.push(s);
            }
        }
        let current = segment_of(self.insert_lsn());
        self.wal().flush.last_removed.store(keep_from, Release);
        let recycled = if self.tuning().wal_recycle { recycle_bytes / SEGMENT_SIZE } else { 0 };
        let until = current + recycled;
        let r = segment::retire_segments(dir, timeline, keep_from, current, until)?;
        archived.into_iter().for_each(|s| segment::forget_archived(dir, timeline, s));
        Ok(r)
    }

    /// Starts insertion of a log whose valid part ends at `end` (found by the reader), after recovery or bootstrap:
    /// clears what follows, loads the partial last page into the ring, lifts the recovery state.
    pub fn start_wal(&self, end: Lsn, redo: Lsn) -> Result<()> {
        let wal = self.wal();
        let c = &wal.control;
        let dir = &self.config().data_dir;
        segment::remove_temporary(dir)?;
        segment::clear_after(dir, c.timeline.load(Relaxed), end, c.fsync.load(Relaxed) != 0)?;
        *self.wal_file.0.borrow_mut() = None;
        // The next record sits after the segment's header, but what is written ends at `end`.
        let pos = usable(end);
        let end = end_lsn(pos);
        let page_start = end.0 / PAGE * PAGE;
        if page_start < end.0 {
            let file = self.wal_segment(segment_of(end));
            let mut page = [0u8; PAGE_SIZE];
            file.read_exact_at(&mut page, page_start % SEGMENT_SIZE)
                .map_err(|e| common::Error::os("could not read from log segment", &e))?;
            let sh = self.shared();
            // SAFETY: the page lies in the ring; nobody else uses the log yet.
            unsafe {
                let at = (page_start % sh.wal_ring_bytes) as usize;
                std::ptr::copy_nonoverlapping(page.as_ptr(), sh.wal_ring.add(at), PAGE_SIZE);
            }
        }
        wal.reserve.v.store(pos, SeqCst);
        wal.flush.written.store(end.0, SeqCst);
        wal.flush.flushed.store(end.0, SeqCst);
        c.redo.store(redo.0, SeqCst);
        c.in_recovery.store(0, SeqCst);
        Ok(())
    }
    /// Where a cluster's very first record goes: the start of segment 1.
    pub fn first_wal_lsn() -> Lsn {
        Lsn(SEGMENT_SIZE + SEGMENT_HEADER)
    }
}
