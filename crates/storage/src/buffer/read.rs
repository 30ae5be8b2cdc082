//! Reading blocks through the pool, one or several at a time, and extending relations.

use super::alloc::{Entered, usage_max};
use super::desc::{DIRTY, IO_IN_PROGRESS, JUST_DIRTIED, Tag, VALID};
use super::guard::{PageMut, Pinned};
use super::strategy::Strategy;
use crate::Store;
use crate::page::PAGE_SIZE;
use crate::relfile::{Fork, RelFileLocator, SEGMENT_BLOCKS};
use crate::shared::EXTENSION_LOCKS;
use common::{BlockNumber, Error, Report, Result, Severity, SqlState, bail, err};
use ipc::WaitEvent;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// Most blocks one system call reads.
const RUN_MAX: usize = 32;

/// How to read a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Checksum and header are verified.
    Normal,
    /// A broken page reads as zeros (maps).
    ZeroOnError,
    /// Not read at all when it is not in the pool: zeros; the caller initialises it (redo).
    ZeroAndLock,
}

impl Store {
    /// Pins a block, reading it when it is not in the pool. XX001 when it is broken or beyond the end of the file.
    #[inline]
    pub fn read(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        block: BlockNumber,
        mode: ReadMode,
        strategy: Option<&Strategy>,
    ) -> Result<Pinned> {
        let tag = Tag { rel, fork, block };
        if rel.is_temp() {
            return self.read_local(&tag, mode);
        }
        let hash = tag.hash();
        match self.pin_cached(&tag, hash, usage_max(strategy)) {
            Some(p) if self.desc(p.buf()).load() & VALID != 0 => {
                self.counters.shared_hit.set(self.counters.shared_hit.get() + 1);
                self.file_counts.hit(rel);
                Ok(p)
            }
            Some(p) => self.complete(p, mode),
            None => self.read_missing(&tag, hash, mode, strategy),
        }
    }
    /// Pins a block if it is in the pool and whole, without waiting for anything.
    #[inline]
    pub fn read_cached(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        block: BlockNumber,
        strategy: Option<&Strategy>,
    ) -> Option<Pinned> {
        let tag = Tag { rel, fork, block };
        let p = self.pin_cached(&tag, tag.hash(), usage_max(strategy))?;
        if self.desc(p.buf()).load() & VALID == 0 {
            return None;
        }
        self.counters.shared_hit.set(self.counters.shared_hit.get() + 1);
        Some(p)
    }
    /// [`Store::read`] in normal mode of the main fork.
    #[inline]
    pub fn read_main(&self, rel: RelFileLocator, block: BlockNumber) -> Result<Pinned> {
        self.read(rel, Fork::Main, block, ReadMode::Normal, None)
    }
    /// Finds and pins without a lock. `None` proves nothing.
    #[inline]
    fn pin_cached(&self, tag: &Tag, hash: u64, usage_max: u32) -> Option<Pinned> {
        let buf = self.shared().probe(tag, hash)?;
        if let Some(slot) = self.pins().find(buf) {
            // Pinned by this process already, so the tag read by the probe stays.
            if !self.desc(buf).tag_is(tag) {
                return None;
            }
            self.pins().increment(slot);
            return Some(Pinned::from_slot(self.clone(), slot, buf));
        }
        self.raw_pin(buf, usage_max)?;
        if !self.desc(buf).tag_is(tag) {
            self.raw_unpin(buf);
            return None;
        }
        let slot = self.pins().add(buf);
        Some(Pinned::from_slot(self.clone(), slot, buf))
    }
    /// Finds and pins under the partition lock.
    fn pin_cached_locked(&self, tag: &Tag, hash: u64, usage_max: u32) -> Option<Pinned> {
        let _g = self.shared().map_shared(hash, self.proc());
        let buf = self.shared().find_locked(tag, hash)?;
        let slot = self.pin_under_lock(buf, usage_max);
        Some(Pinned::from_slot(self.clone(), slot, buf))
    }
    #[cold]
    fn read_missing(
        &self,
        tag: &Tag,
        hash: u64,
        mode: ReadMode,
        strategy: Option<&Strategy>,
    ) -> Result<Pinned> {
        if let Some(p) = self.pin_cached_locked(tag, hash, usage_max(strategy)) {
            return self.complete(p, mode);
        }
        match self.enter(tag, hash, strategy)? {
            Entered::Found(slot, buf) => self.complete(Pinned::from_slot(self.clone(), slot, buf), mode),
            Entered::Fresh(buf) => {
                let p = self.adopt(buf);
                self.input(buf, tag, mode)?;
                Ok(p)
            }
        }
    }
    /// Gives a raw pin its private slot.
    fn adopt(&self, buf: u32) -> Pinned {
        Pinned::from_slot(self.clone(), self.pins().add(buf), buf)
    }
    /// Waits until the page is there; reads it if whoever began failed.
    fn complete(&self, p: Pinned, mode: ReadMode) -> Result<Pinned> {
        if !self.start_io(p.buf(), true) {
            self.counters.shared_hit.set(self.counters.shared_hit.get() + 1);
            self.file_counts.hit(self.desc(p.buf()).tag().rel);
            return Ok(p);
        }
        self.input(p.buf(), &self.desc(p.buf()).tag(), mode)?;
        Ok(p)
    }
    /// Reads one page into a buffer whose input this process owns, and ends the input.
    fn input(&self, buf: u32, tag: &Tag, mode: ReadMode) -> Result<()> {
        let r = if mode == ReadMode::ZeroAndLock {
            self.zero_block(buf);
            Ok(())
        } else {
            let _io = self.data_io(WaitEvent::DATA_FILE_READ, &self.counters.read_ns);
            self.counters.shared_read.set(self.counters.shared_read.get() + 1);
            self.file_counts.read(tag.rel);
            let mut iov = [self.iovec(buf)];
            self.files()
                .read(tag.rel, tag.fork, tag.block.0, &mut iov)
                .and_then(|()| self.verify(buf, tag, mode))
        };
        self.finish_io(buf, if r.is_ok() { VALID } else { 0 }, false);
        if !self.damage.borrow().is_empty() {
            self.tell_damage();
        }
        r
    }
    pub(super) fn iovec(&self, buf: u32) -> libc::iovec {
        libc::iovec { iov_base: self.block_ptr(buf).cast(), iov_len: PAGE_SIZE }
    }
    pub(super) fn verify(&self, buf: u32, tag: &Tag, mode: ReadMode) -> Result<()> {
        // SAFETY: this process owns the buffer's input; nobody else looks at the block until it is VALID.
        let page = unsafe { &*self.block_ptr(buf) };
        if page.verify(tag.block.0, self.config().data_checksums) {
            return Ok(());
        }
        if mode == ReadMode::ZeroOnError {
            self.zero_block(buf);
            return Ok(());
        }
        let t = self.tuning();
        let (block, path) = (tag.block, tag.rel.path(tag.fork));
        let warn = |text: String| {
            let r = Report::new(Severity::Warning, SqlState::DATA_CORRUPTED, text);
            self.damage.borrow_mut().push(r);
        };
        if page.verify(block.0, false) && !page.is_new() {
            let (got, want) = (page.compute_checksum(block.0), page.checksum());
            warn(format!("page verification failed, calculated checksum {got} but expected {want}"));
            if t.ignore_checksum_failure {
                return Ok(());
            }
        }
        if t.zero_damaged_pages {
            warn(format!("invalid page in block {block} of relation {path}; zeroing out page"));
            self.zero_block(buf);
            return Ok(());
        }
        Err(err!(DATA_CORRUPTED, "invalid page in block {block} of relation {path}"))
    }
    pub(super) fn zero_block(&self, buf: u32) {
        // SAFETY: as in `verify`.
        unsafe { std::ptr::write_bytes(self.block_ptr(buf).cast::<u8>(), 0, PAGE_SIZE) };
    }

    /// Becomes the one who reads (`input`) or writes the buffer; false when that is no longer needed. True enters a
    /// critical section, left by `finish_io`: a process killed in between leaves a buffer nobody would finish.
    pub(crate) fn start_io(&self, buf: u32, input: bool) -> bool {
        let d = self.desc(buf);
        loop {
            let s = d.load();
            if s & IO_IN_PROGRESS != 0 {
                self.wait_io(buf);
                continue;
            }
            if if input { s & VALID != 0 } else { s & DIRTY == 0 } {
                return false;
            }
            self.proc().enter_critical();
            let new = if input { s | IO_IN_PROGRESS } else { (s | IO_IN_PROGRESS) & !JUST_DIRTIED };
            if d.state.compare_exchange(s, new, AcqRel, Acquire).is_ok() {
                return true;
            }
            self.proc().leave_critical();
        }
    }
    /// Ends a read or write: sets `flags`; with `clean`, the buffer is clean unless dirtied since `start_io`.
    pub(crate) fn finish_io(&self, buf: u32, flags: u32, clean: bool) {
        let d = self.desc(buf);
        let mut s = d.load();
        loop {
            let mut n = (s & !IO_IN_PROGRESS) | flags;
            if clean && s & JUST_DIRTIED == 0 {
                n &= !(DIRTY | super::desc::CHECKPOINT_NEEDED);
            }
            match d.state.compare_exchange_weak(s, n, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => s = now,
            }
        }
        self.proc().leave_critical();
        self.io_condvar(buf).broadcast();
    }
    fn wait_io(&self, buf: u32) {
        let _hold = self.ints().hold();
        let done = || self.desc(buf).load() & IO_IN_PROGRESS == 0;
        for _ in 0..200 {
            if done() {
                return;
            }
            std::hint::spin_loop();
        }
        // Interrupts are held off: the wait cannot fail.
        let _ = self.io_condvar(buf).wait_until(self.ints(), WaitEvent::BUFFER_IO, None, done);
    }

    /// Pins up to `n` consecutive blocks with as few reads as possible; appends at least one to `out` (if `n` > 0). A
    /// broken block ends the run; it is an error only as the first.
    pub fn read_multi(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        first: BlockNumber,
        n: u32,
        strategy: Option<&Strategy>,
        out: &mut Vec<Pinned>,
    ) -> Result<()> {
        let before = out.len();
        match self.read_run(rel, fork, first, n, strategy, out) {
            Err(_) if out.len() > before => Ok(()),
            r => r,
        }
    }
    fn read_run(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        first: BlockNumber,
        n: u32,
        strategy: Option<&Strategy>,
        out: &mut Vec<Pinned>,
    ) -> Result<()> {
        if rel.is_temp() {
            return self.read_local_run(Tag { rel, fork, block: first }, n, out);
        }
        let room = SEGMENT_BLOCKS - first.0 % SEGMENT_BLOCKS;
        let n = n.min(room).min(RUN_MAX as u32).min(self.shared().descs.len() as u32 / 16).max(n.min(1));
        let mut pending: Vec<Pinned> = Vec::new();
        for i in 0..n {
            let tag = Tag { rel, fork, block: BlockNumber(first.0 + i) };
            let hash = tag.hash();
            let usage = usage_max(strategy);
            let found = match self.pin_cached(&tag, hash, usage) {
                Some(p) => Some(p),
                None => self.pin_cached_locked(&tag, hash, usage),
            };
            let entered = match found {
                Some(p) => Ok(Some(p)),
                None => match self.enter(&tag, hash, strategy) {
                    Ok(Entered::Found(slot, buf)) => Ok(Some(Pinned::from_slot(self.clone(), slot, buf))),
                    Ok(Entered::Fresh(buf)) => {
                        pending.push(self.adopt(buf));
                        Ok(None)
                    }
                    Err(e) => Err(e),
                },
            };
            match entered {
                Ok(Some(p)) => {
                    // Never wait for another's read while reads of ours are pending.
                    self.input_run(&mut pending, out)?;
                    out.push(self.complete(p, ReadMode::Normal)?);
                }
                Ok(None) if pending.len() == RUN_MAX => self.input_run(&mut pending, out)?,
                Ok(None) => {}
                Err(e) => {
                    let _ = self.input_run(&mut pending, out);
                    return Err(e);
                }
            }
        }
        self.input_run(&mut pending, out)
    }
    /// Reads consecutive blocks whose input this process owns.
    fn input_run(&self, pending: &mut Vec<Pinned>, out: &mut Vec<Pinned>) -> Result<()> {
        if pending.is_empty() {
            return Ok(());
        }
        let first = self.desc(pending[0].buf()).tag();
        let mut iov: Vec<libc::iovec> = pending.iter().map(|p| self.iovec(p.buf())).collect();
        let read = {
            let _io = self.data_io(WaitEvent::DATA_FILE_READ, &self.counters.read_ns);
            self.files().read(first.rel, first.fork, first.block.0, &mut iov)
        };
        let n = pending.len() as u64;
        self.counters.shared_read.set(self.counters.shared_read.get() + n);
        (0..n).for_each(|_| self.file_counts.read(first.rel));
        let mut failed = None;
        for p in pending.drain(..) {
            let r = match &read {
                Ok(()) => self.verify(p.buf(), &self.desc(p.buf()).tag(), ReadMode::Normal),
                Err(e) => Err(e.clone()),
            };
            self.finish_io(p.buf(), if r.is_ok() { VALID } else { 0 }, false);
            match r {
                Ok(()) if failed.is_none() => out.push(p),
                Ok(()) => {}
                Err(e) => failed = failed.or(Some(e)),
            }
        }
        if !self.damage.borrow().is_empty() {
            self.tell_damage();
        }
        failed.map_or(Ok(()), Err)
    }
    /// Tells the kernel that the blocks will be wanted.
    pub fn prefetch(&self, rel: RelFileLocator, fork: Fork, block: BlockNumber, n: u32) {
        let tag = Tag { rel, fork, block };
        if rel.is_temp() {
            return;
        }
        if n > 1 || self.shared().probe(&tag, tag.hash()).is_none() {
            let _shown = self.shown(WaitEvent::DATA_FILE_PREFETCH);
            self.files().prefetch(rel, fork, block.0, n);
        }
    }

    /// Adds a zeroed block at the end of the fork; takes the relation's extension lock inside. Others may find and use
    /// the block before the caller locks it: look whether it is still new, or use [`Store::extend_exclusive`].
    pub fn extend(&self, rel: RelFileLocator, fork: Fork, strategy: Option<&Strategy>) -> Result<Pinned> {
        self.extend_exclusive(rel, fork, strategy).map(PageMut::unlock)
    }
    /// Adds a zeroed block at the end of the fork and locks it before anyone else can see it.
    pub fn extend_exclusive(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        strategy: Option<&Strategy>,
    ) -> Result<PageMut> {
        let mut page = None;
        self.extend_pool(rel, fork, 1, strategy, |_, p| page = Some(p))?;
        page.ok_or_else(|| Error::internal("extension returned no block"))
    }
    /// Adds up to `n` zeroed blocks in one go (bulk loading; at most 32, so that the process's record of pins suffices),
    /// at least one. They are not locked: look whether each is still new before using it.
    pub fn extend_by(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        n: u32,
        strategy: Option<&Strategy>,
        out: &mut Vec<Pinned>,
    ) -> Result<()> {
        self.extend_pool(rel, fork, n, strategy, |_, p| out.push(p.unlock()))
    }
    /// Enters the buffers first, then lengthens the file, then locks and hands out the pages: whoever sees the new
    /// length finds the buffer with its input in progress and waits.
    fn extend_pool(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        n: u32,
        strategy: Option<&Strategy>,
        mut give: impl FnMut(u32, PageMut),
    ) -> Result<()> {
        if rel.is_temp() {
            return self.extend_local(rel, fork, n.clamp(1, RUN_MAX as u32), give);
        }
        let n = n.min(self.shared().descs.len() as u32 / 16).clamp(1, RUN_MAX as u32);
        let _lock = self.extension_lock(rel, fork);
        let first = self.files().nblocks(rel, fork)?;
        if first.checked_add(n).is_none_or(|end| end == u32::MAX) {
            bail!(
                PROGRAM_LIMIT_EXCEEDED,
                "cannot extend file \"{}\" beyond {} blocks",
                rel.path(fork),
                u32::MAX
            );
        }
        let mut owned: Vec<Pinned> = Vec::with_capacity(n as usize);
        let mut result = Ok(());
        for i in 0..n {
            match self.enter_beyond_end(Tag { rel, fork, block: BlockNumber(first + i) }, strategy) {
                Ok(p) => owned.push(p),
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
        }
        if !owned.is_empty() {
            result = self.extend_locked(rel, fork, first, owned.len() as u32);
        }
        for (i, p) in owned.into_iter().enumerate() {
            if result.is_err() {
                self.finish_io(p.buf(), 0, false);
                continue;
            }
            let buf = p.buf();
            let page = p.into_exclusive();
            self.finish_io(buf, VALID, false);
            give(i as u32, page);
        }
        result
    }
    /// A buffer for a block beyond the end of the file: zeroed, its input owned by this process.
    fn enter_beyond_end(&self, tag: Tag, strategy: Option<&Strategy>) -> Result<Pinned> {
        let p = match self.enter(&tag, tag.hash(), strategy)? {
            Entered::Fresh(buf) => self.adopt(buf),
            Entered::Found(slot, buf) => {
                // Left behind by an extension that failed, never written.
                let p = Pinned::from_slot(self.clone(), slot, buf);
                self.desc(buf).clear_flags(VALID);
                if !self.start_io(buf, true) {
                    bail!(
                        DATA_CORRUPTED,
                        "unexpected data beyond EOF in block {} of relation {}",
                        tag.block,
                        tag.rel.path(tag.fork)
                    );
                }
                p
            }
        };
        self.zero_block(p.buf());
        Ok(p)
    }
    /// Lengthens the file; the caller holds the extension lock.
    pub(crate) fn extend_locked(&self, rel: RelFileLocator, fork: Fork, first: u32, n: u32) -> Result<()> {
        let _io = self.data_io(WaitEvent::DATA_FILE_EXTEND, &self.counters.write_ns);
        self.files().extend(rel, fork, first, n)?;
        for seg in first / SEGMENT_BLOCKS..=(first + n - 1) / SEGMENT_BLOCKS {
            self.request_sync(rel, fork, seg);
        }
        Ok(())
    }
    /// Serialises extension of a fork. Nothing that waits for a page's content lock happens under it.
    pub(crate) fn extension_lock(&self, rel: RelFileLocator, fork: Fork) -> ipc::ExclusiveGuard<'static> {
        let h = Tag { rel, fork, block: BlockNumber(0) }.hash() as usize % EXTENSION_LOCKS;
        self.shared().extension_locks[h].exclusive(self.proc())
    }
}
