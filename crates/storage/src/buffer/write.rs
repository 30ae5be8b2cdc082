//! Dirtying and writing back: hint changes, single flushes, the background writer's pass, and the write phase of a
//! checkpoint. The law: a page reaches its file only after the log up to its LSN is durable.

use super::desc::{
    CHECKPOINT_NEEDED, DIRTY, JUST_DIRTIED, REFCOUNT_MASK, TAG_VALID, Tag, USAGE_MASK, USAGE_NONE, VALID,
};
use super::guard::Pinned;
use super::local::LOCAL;
use crate::Store;
use crate::relfile::SEGMENT_BLOCKS;
use common::{Lsn, Result};
use ipc::{Mode, WaitEvent};
use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Bit of [`ipc::Proc::delay_checkpoint`] set while a hint's image is logged and its page not yet marked dirty: the
/// same for which a checkpoint waits after it has set its redo pointer.
pub const DELAY_FOR_HINT: u8 = 1;

/// What the background writer remembers between passes.
#[derive(Default)]
pub(crate) struct SweepAhead {
    at: Cell<u32>,
    smoothed: Cell<f32>,
}

impl Store {
    /// The LSN of a page that may be changing: one aligned load.
    pub(crate) fn page_lsn(&self, buf: u32) -> Lsn {
        Lsn(self.page_lsn_word(buf).load(Acquire))
    }
    pub(crate) fn page_lsn_word(&self, buf: u32) -> &AtomicU64 {
        // SAFETY: pd_lsn is the first, 8-byte aligned word of the block.
        unsafe { AtomicU64::from_ptr(self.block_ptr(buf).cast()) }
    }
    /// Marks a buffer dirty; the caller holds its content lock.
    #[inline]
    pub(crate) fn set_dirty(&self, buf: u32) {
        let d = self.desc(buf);
        if d.load() & (DIRTY | JUST_DIRTIED) == (DIRTY | JUST_DIRTIED) {
            return;
        }
        if d.set_flags(DIRTY | JUST_DIRTIED) & DIRTY == 0 {
            let c = &self.counters;
            let counter = if buf < LOCAL { &c.shared_dirtied } else { &c.local_dirtied };
            counter.set(counter.get() + 1);
        }
    }
    /// See [`Store::mark_dirty_hint`].
    pub(crate) fn dirty_for_hint(&self, pin: &Pinned) {
        let buf = pin.buf();
        let d = self.desc(buf);
        if d.load() & (DIRTY | JUST_DIRTIED) == (DIRTY | JUST_DIRTIED) {
            return;
        }
        // A page that no record ever changed belongs to a relation without log: a temporary or unlogged one.
        if self.page_lsn(buf).0 == 0 {
            self.set_dirty(buf);
            return;
        }
        if self.config().data_checksums && self.full_page_writes() && !self.in_recovery() {
            if self.page_lsn(buf) <= self.redo_lsn() {
                // The record's LSN comes before the dirty flag: whoever writes the page flushes the image first. And a
                // checkpoint that begins in between waits for the flag, so that it sees the page dirty.
                let delay = &self.proc().delay_checkpoint;
                let before = delay.load(Relaxed);
                delay.store(before | DELAY_FOR_HINT, SeqCst);
                let lsn = self.log_hint_image(pin);
                // Several processes may do this under shared locks: the LSN only grows.
                self.page_lsn_word(buf).fetch_max(lsn.0, Release);
                self.set_dirty(buf);
                delay.store(before, Release);
                return;
            }
        } else if self.in_recovery() && self.config().data_checksums {
            // Without a log record a torn write could not be repaired: leave the hint unwritten.
            return;
        }
        self.set_dirty(buf);
    }

    /// Writes one dirty buffer; the caller has it pinned and holds its content lock (shared suffices).
    pub(crate) fn flush_buffer(&self, buf: u32) -> Result<()> {
        if !self.start_io(buf, false) {
            return Ok(());
        }
        let tag = self.desc(buf).tag();
        let r = self.write_out(buf, &tag);
        self.finish_io(buf, 0, r.is_ok());
        r
    }
    pub(super) fn write_out(&self, buf: u32, tag: &Tag) -> Result<()> {
        let mut copy = self.page_copy.borrow_mut();
        // SAFETY: the content lock keeps changes out except hint bits, which tear harmlessly: the copy is what gets
        // its checksum and is written. The LSN is taken from the copy, so it covers whatever the copy contains.
        unsafe { std::ptr::copy_nonoverlapping(self.block_ptr(buf), &raw mut **copy, 1) };
        let page = &mut **copy;
        if buf < LOCAL && !self.in_recovery() {
            self.flush_wal(page.lsn());
        }
        if !page.is_new() {
            let sum = page.compute_checksum(tag.block.0);
            page.set_checksum(if self.config().data_checksums { sum } else { 0 });
        }
        {
            let _io = self.data_io(WaitEvent::DATA_FILE_WRITE, &self.counters.write_ns);
            self.files().write(tag.rel, tag.fork, tag.block.0, page.bytes())?;
        }
        self.request_sync(tag.rel, tag.fork, tag.block.0 / SEGMENT_BLOCKS);
        let c = &self.counters;
        let counter = if buf < LOCAL { &c.shared_written } else { &c.local_written };
        counter.set(counter.get() + 1);
        self.note_written(tag);
        Ok(())
    }
    /// Pins, locks and writes a buffer if it is still dirty and, given a tag, still holds that block.
    pub(crate) fn write_if_dirty(&self, buf: u32, expect: Option<&Tag>) -> Result<bool> {
        let d = self.desc(buf);
        if d.load() & (TAG_VALID | DIRTY) != TAG_VALID | DIRTY || self.raw_pin(buf, USAGE_NONE).is_none() {
            return Ok(false);
        }
        let s = d.load();
        let wanted = s & (VALID | DIRTY) == VALID | DIRTY && expect.is_none_or(|t| d.tag_is(t));
        let mut r = Ok(());
        if wanted {
            let held = d.content.held_by(self.proc());
            if !held {
                d.content.acquire(self.proc(), Mode::Shared);
            }
            r = self.flush_buffer(buf);
            if !held {
                d.content.release(self.proc());
            }
        }
        self.raw_unpin(buf);
        r.map(|()| wanted)
    }

    /// Writes every buffer that is dirty when it begins, sorted by file and block; `progress(done, total)` is called
    /// after each write so that the checkpointer can spread the load and absorb sync requests.
    pub fn write_all_dirty(&self, mut progress: impl FnMut(usize, usize) -> Result<()>) -> Result<usize> {
        let mut todo: Vec<(Tag, u32)> = Vec::new();
        for (i, d) in self.shared().descs.iter().enumerate() {
            if d.load() & DIRTY != 0 && d.set_flags(CHECKPOINT_NEEDED) & DIRTY != 0 {
                todo.push((d.tag(), i as u32));
            }
        }
        todo.sort_unstable();
        let total = todo.len();
        for (done, (_, buf)) in todo.iter().enumerate() {
            if self.desc(*buf).load() & CHECKPOINT_NEEDED != 0 {
                self.write_if_dirty(*buf, None)?;
            }
            progress(done + 1, total)?;
        }
        self.issue_writeback();
        Ok(total)
    }

    /// The background writer's pass: cleans buffers that the sweep will reach soon, at most `max_pages`. Returns how
    /// many it wrote.
    pub fn bgwriter_pass(&self, max_pages: u32, multiplier: f32) -> Result<u32> {
        let pool = self.shared().pool;
        let n = self.shared().descs.len() as u32;
        let recent = pool.allocations.swap(0, Relaxed) as f32;
        let a = &self.sweep_ahead;
        let smoothed = a.smoothed.get();
        a.smoothed.set(if recent > smoothed { recent } else { smoothed + (recent - smoothed) / 16.0 });
        let hand = pool.hand.load(Relaxed) % n;
        // Stay ahead of the hand; when it has overtaken, start from it.
        let ahead = (a.at.get() + n - hand) % n;
        if ahead > n / 2 {
            a.at.set(hand);
        }
        let want = ((a.smoothed.get() * multiplier) as u32).max(n / 1200).min(n);
        let (mut reusable, mut written, mut at) = (0, 0, a.at.get());
        for _ in 0..n / 4 {
            if reusable >= want || written >= max_pages {
                break;
            }
            let d = self.desc(at);
            let s = d.load();
            if s & (REFCOUNT_MASK | USAGE_MASK) == 0 {
                reusable += 1;
                if s & DIRTY != 0 && self.write_if_dirty(at, None)? {
                    written += 1;
                }
            }
            at = (at + 1) % n;
        }
        a.at.set(at);
        Ok(written)
    }
}

impl Store {
    /// Stores a search hint in a map page under a shared lock: not marked dirty, lost hints do not matter.
    pub(crate) fn advance_hint(&self, pin: &Pinned, at: usize, value: u32) {
        assert!(at.is_multiple_of(4) && at + 4 <= crate::PAGE_SIZE, "hint outside of the page");
        // SAFETY: aligned and inside the block (asserted), which `pin` keeps in place. Weak spot: readers under a
        // shared lock use plain loads; any value is right.
        let word = unsafe {
            std::sync::atomic::AtomicU32::from_ptr(self.block_ptr(pin.buf()).cast::<u8>().add(at).cast())
        };
        word.store(value.to_le(), Relaxed);
    }
}
