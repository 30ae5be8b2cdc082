//! The private buffers of a process: pages of its temporary relations. They have descriptors like those of the shared pool and
//! buffer numbers from [`LOCAL`] on, so that pins, guards and critical sections work on both; content locks, the process's record
//! of pins and the log are left out. Memory is taken from the kernel when the first temporary page is wanted.

use super::desc::{
    BufferDesc, DIRTY, JUST_DIRTIED, REFCOUNT_MASK, TAG_VALID, Tag, USAGE_MASK, USAGE_ONE, VALID,
};
use super::guard::{PageMut, Pinned};
use super::read::ReadMode;
use crate::Store;
use crate::page::{PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use common::{BlockNumber, Result, bail};
use hashbrown::HashMap;
use std::alloc::{Layout, alloc_zeroed};
use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering::Relaxed;

/// First buffer number of private buffers.
pub(crate) const LOCAL: u32 = 1 << 30;
/// Buffers when nobody said otherwise: `temp_buffers` of 8 MB.
const DEFAULT_SIZE: u32 = 1024;
/// Usage count of a buffer just used.
const USAGE: u32 = 3;

/// The pool, empty until first used.
#[derive(Default)]
pub(crate) struct LocalPool {
    /// `temp_buffers`; 0 = default.
    wanted: Cell<u32>,
    descs: Cell<&'static [BufferDesc]>,
    blocks: Cell<usize>,
    map: RefCell<HashMap<Tag, u32, foldhash::fast::FixedState>>,
    hand: Cell<u32>,
}

impl LocalPool {
    /// Bytes of the blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.descs.get().len() * crate::PAGE_SIZE
    }
    #[inline]
    pub(crate) fn desc(&self, buf: u32) -> &'static BufferDesc {
        &self.descs.get()[(buf - LOCAL) as usize]
    }
    #[inline]
    pub(crate) fn block_ptr(&self, buf: u32) -> *mut Page {
        debug_assert!(((buf - LOCAL) as usize) < self.descs.get().len());
        (self.blocks.get() as *mut Page).wrapping_add((buf - LOCAL) as usize)
    }
    /// Takes the memory, once.
    fn ready(&self) -> Result<()> {
        if !self.descs.get().is_empty() {
            return Ok(());
        }
        let n = match self.wanted.get() {
            0 => DEFAULT_SIZE,
            n => n.clamp(100, 1 << 20),
        } as usize;
        let layouts = Layout::array::<BufferDesc>(n)
            .and_then(|d| Ok((d, Layout::from_size_align(n * PAGE_SIZE, PAGE_SIZE)?)));
        let Ok((descs, blocks)) = layouts else { bail!(OUT_OF_MEMORY, "out of memory") };
        // SAFETY: both layouts have a size above zero. Zero is a valid value of every field of a descriptor (atomics and a lock
        // that is not used). The memory is never freed: it lives as long as the process, like the shared pool.
        let (descs, blocks) = unsafe { (alloc_zeroed(descs).cast::<BufferDesc>(), alloc_zeroed(blocks)) };
        if descs.is_null() || blocks.is_null() {
            bail!(OUT_OF_MEMORY, "out of memory");
        }
        // SAFETY: `n` zeroed descriptors, made above.
        self.descs.set(unsafe { std::slice::from_raw_parts(descs, n) });
        self.blocks.set(blocks as usize);
        Ok(())
    }
}

impl Store {
    /// `temp_buffers`, in blocks. Without effect once a temporary page was read; false then, if the number differs.
    pub fn set_temp_buffers(&self, n: u32) -> bool {
        let descs = self.local.descs.get();
        if !descs.is_empty() {
            return descs.len() == n as usize;
        }
        self.local.wanted.set(n);
        true
    }
    /// The number under which this process owns temporary relations.
    pub fn backend_number(&self) -> u32 {
        self.proc().number() + 1
    }
    fn check_local(&self, rel: RelFileLocator) -> Result<()> {
        if rel.backend != self.backend_number() {
            bail!(FEATURE_NOT_SUPPORTED, "cannot access temporary tables of other sessions");
        }
        self.local.ready()
    }
    fn pin_local(&self, buf: u32) -> Pinned {
        if let Some(slot) = self.pins().find(buf) {
            self.pins().increment(slot);
            return Pinned::from_slot(self.clone(), slot, buf);
        }
        let d = self.desc(buf);
        let s = d.load();
        d.state.store((s & !USAGE_MASK) + USAGE * USAGE_ONE + 1, Relaxed);
        Pinned::from_slot(self.clone(), self.pins().add(buf), buf)
    }
    /// [`Store::read`] of a temporary relation's block.
    pub(super) fn read_local(&self, tag: &Tag, mode: ReadMode) -> Result<Pinned> {
        self.check_local(tag.rel)?;
        if let Some(buf) = self.local.map.borrow().get(tag) {
            self.counters.local_hit.set(self.counters.local_hit.get() + 1);
            return Ok(self.pin_local(*buf));
        }
        let buf = self.local_victim()?;
        if mode == ReadMode::ZeroAndLock {
            self.zero_block(buf);
        } else {
            self.counters.local_read.set(self.counters.local_read.get() + 1);
            let _io = self.data_io(ipc::WaitEvent::DATA_FILE_READ, &self.counters.read_ns);
            self.files().read(tag.rel, tag.fork, tag.block.0, &mut [self.iovec(buf)])?;
            self.verify(buf, tag, mode)?;
        }
        Ok(self.enter_local(buf, tag))
    }
    fn enter_local(&self, buf: u32, tag: &Tag) -> Pinned {
        let d = self.desc(buf);
        d.set_tag(tag);
        d.state.store(TAG_VALID | VALID, Relaxed);
        self.local.map.borrow_mut().insert(*tag, buf);
        self.pin_local(buf)
    }
    /// Consecutive blocks, a few at a time.
    pub(super) fn read_local_run(&self, first: Tag, n: u32, out: &mut Vec<Pinned>) -> Result<()> {
        for i in 0..n.min(16) {
            let tag = Tag { block: BlockNumber(first.block.0 + i), ..first };
            out.push(self.read_local(&tag, ReadMode::Normal)?);
        }
        Ok(())
    }
    /// Lengthens a temporary relation and hands out the pages, locked.
    pub(super) fn extend_local(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        n: u32,
        mut give: impl FnMut(u32, PageMut),
    ) -> Result<()> {
        self.check_local(rel)?;
        let first = self.files().nblocks(rel, fork)?;
        {
            let _io = self.data_io(ipc::WaitEvent::DATA_FILE_EXTEND, &self.counters.write_ns);
            self.files().extend(rel, fork, first, n)?;
        }
        for i in 0..n {
            let tag = Tag { rel, fork, block: BlockNumber(first + i) };
            let buf = self.local_victim()?;
            self.zero_block(buf);
            give(i, self.enter_local(buf, &tag).into_exclusive());
        }
        Ok(())
    }
    /// A buffer without a tag; what it held is written first.
    fn local_victim(&self) -> Result<u32> {
        let n = self.local.descs.get().len() as u32;
        // Each round lowers every usage count: after a few, only pinned buffers are passed over.
        for _ in 0..n * (USAGE + 2) {
            let at = self.local.hand.get();
            self.local.hand.set((at + 1) % n);
            let buf = LOCAL + at;
            let d = self.desc(buf);
            let s = d.load();
            if s & REFCOUNT_MASK != 0 {
                continue;
            }
            if s & USAGE_MASK != 0 {
                d.state.store(s - USAGE_ONE, Relaxed);
                continue;
            }
            if s & TAG_VALID != 0 {
                let tag = d.tag();
                if s & DIRTY != 0 {
                    self.write_out(buf, &tag)?;
                    d.clear_flags(DIRTY | JUST_DIRTIED);
                }
                self.local.map.borrow_mut().remove(&tag);
                d.state.store(0, Relaxed);
            }
            return Ok(buf);
        }
        bail!(INSUFFICIENT_RESOURCES, "no empty local buffer available")
    }
    /// Throws private buffers away without writing them.
    pub(super) fn local_drop(&self, wanted: impl Fn(&Tag) -> bool) -> Result<()> {
        let doomed: Vec<(Tag, u32)> =
            self.local.map.borrow().iter().filter(|(t, _)| wanted(t)).map(|(t, b)| (*t, *b)).collect();
        for (tag, buf) in doomed {
            let d = self.desc(buf);
            if d.load() & REFCOUNT_MASK != 0 {
                return Err(common::Error::internal(format!(
                    "block {} of relation {} is pinned while its buffers are dropped",
                    tag.block,
                    tag.rel.path(tag.fork)
                )));
            }
            d.state.store(0, Relaxed);
            self.local.map.borrow_mut().remove(&tag);
        }
        Ok(())
    }
}
