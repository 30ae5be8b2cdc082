//! Putting a record into the log: compose, reserve space with one atomic add, copy into the ring of WAL buffers.
//! Processes copy in parallel; a slot per inserter tells flushers how far the log is complete.

use super::position::{SEGMENT_HEADER, SEGMENT_SIZE, align, end_lsn, start_lsn};
use super::record::{
    BLK_COMPRESSED, BLK_IMAGE, BLK_SAME_REL, BLK_WILL_INIT, BLOCKS_MAX, BlockHeader, RECORD_HEADER,
    RECORD_MAX, RegFlags, RmgrId, crc,
};
use super::segment;
use super::state::INSERT_SLOTS;
use crate::Store;
use crate::buffer::desc::Tag;
use crate::datadir::panic_exit;
use crate::page::{PAGE_HEADER_SIZE, PAGE_SIZE, Page};
use common::{Lsn, Xid};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// A page registered in a record.
pub(crate) struct BlockReg {
    pub id: u8,
    pub flags: RegFlags,
    pub buf: u32,
    pub slot: u32,
    pub tag: Tag,
    pub data: Vec<u8>,
    /// Full-page image without its hole; valid while `image_len > 0`.
    image: Vec<u8>,
    has_image: bool,
    compressed: bool,
    hole: (u16, u16),
}

/// A record being put together; reused, so that the steady state allocates nothing.
#[derive(Default)]
pub(crate) struct Draft {
    pub rmgr: RmgrId,
    pub info: u8,
    pub xid: Xid,
    pub main: Vec<u8>,
    pub blocks: Vec<BlockReg>,
    /// Blocks in use: the rest of `blocks` keeps its allocations.
    pub block_count: usize,
    head: Vec<u8>,
}

impl Draft {
    pub fn reset(&mut self, rmgr: RmgrId, info: u8, xid: Xid) {
        self.rmgr = rmgr;
        self.info = info;
        self.xid = xid;
        self.main.clear();
        self.block_count = 0;
    }
    pub fn add_block(&mut self, id: u8, flags: RegFlags, buf: u32, slot: u32, tag: Tag) {
        assert!((id as usize) < BLOCKS_MAX && self.find(id).is_none(), "block id {id} of a record is taken");
        if self.blocks.len() == self.block_count {
            self.blocks.push(BlockReg {
                id,
                flags,
                buf,
                slot,
                tag,
                data: Vec::new(),
                image: Vec::new(),
                has_image: false,
                compressed: false,
                hole: (0, 0),
            });
        } else {
            let b = &mut self.blocks[self.block_count];
            (b.id, b.flags, b.buf, b.slot, b.tag) = (id, flags, buf, slot, tag);
            b.data.clear();
        }
        self.block_count += 1;
    }
    pub fn find(&mut self, id: u8) -> Option<&mut BlockReg> {
        self.blocks[..self.block_count].iter_mut().find(|b| b.id == id)
    }
    /// Writes the head (fixed header and block headers) and returns the record's length.
    fn compose(&mut self) -> usize {
        self.head.clear();
        self.head.resize(RECORD_HEADER, 0);
        let mut len = self.main.len();
        let mut last = None;
        for b in &self.blocks[..self.block_count] {
            let keep = !b.has_image || b.flags.has(RegFlags::KEEP_DATA);
            let data_len = if keep { b.data.len() } else { 0 };
            let image_len = if b.has_image { b.image.len() } else { 0 };
            let mut flags = 0;
            if b.has_image {
                flags |= BLK_IMAGE;
                if b.compressed {
                    flags |= BLK_COMPRESSED;
                }
            }
            if b.flags.has(RegFlags::WILL_INIT) {
                flags |= BLK_WILL_INIT;
            }
            if last == Some(b.tag.rel) {
                flags |= BLK_SAME_REL;
            }
            last = Some(b.tag.rel);
            if data_len > u16::MAX as usize {
                panic_exit("block data of a log record is too long");
            }
            BlockHeader {
                id: b.id,
                fork: b.tag.fork,
                flags,
                data_len: data_len as u16,
                image_len: image_len as u16,
                block: b.tag.block,
                hole: b.hole,
                rel: b.tag.rel,
            }
            .encode(&mut self.head);
            len += data_len + image_len;
        }
        let total = self.head.len() + len;
        if total > RECORD_MAX {
            panic_exit("log record is too long");
        }
        self.head[8..16].copy_from_slice(&self.xid.0.to_le_bytes());
        self.head[16..20].copy_from_slice(&(self.main.len() as u32).to_le_bytes());
        self.head[20] = self.rmgr.0;
        self.head[21] = self.info;
        self.head[22] = self.block_count as u8;
        self.head[..4].copy_from_slice(&(total as u32).to_le_bytes());
        total
    }
    /// Everything after the head, in order.
    fn body(&self, mut f: impl FnMut(&[u8])) {
        for b in &self.blocks[..self.block_count] {
            if b.has_image {
                f(&b.image);
            }
            if !b.has_image || b.flags.has(RegFlags::KEEP_DATA) {
                f(&b.data);
            }
        }
        f(&self.main);
    }
}

/// Copies the page without its hole, compressed if that is on and helps.
fn take_image(b: &mut BlockReg, page: &Page, compress: bool) {
    let (lower, upper) = (page.lower(), page.upper());
    b.hole = if b.flags.has(RegFlags::STANDARD)
        && lower >= PAGE_HEADER_SIZE
        && lower < upper
        && upper <= PAGE_SIZE
    {
        (lower as u16, (upper - lower) as u16)
    } else {
        (0, 0)
    };
    let (at, len) = (b.hole.0 as usize, b.hole.1 as usize);
    b.image.clear();
    b.image.extend_from_slice(&page.bytes()[..at]);
    b.image.extend_from_slice(&page.bytes()[at + len..]);
    b.compressed = false;
    if compress {
        let packed = lz4_flex::block::compress(&b.image);
        if packed.len() < b.image.len() {
            b.image = packed;
            b.compressed = true;
        }
    }
    b.has_image = true;
}

/// Where a record is copied to.
struct Cursor<'a> {
    store: &'a Store,
    slot: usize,
    lsn: u64,
    /// Bytes before this LSN may be overwritten in the ring without looking.
    free_until: u64,
}

impl Cursor<'_> {
    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.lsn.is_multiple_of(SEGMENT_SIZE) {
                self.put_header();
            }
            let room = PAGE_SIZE as u64 - self.lsn % PAGE_SIZE as u64;
            let n = room.min(bytes.len() as u64) as usize;
            self.copy(&bytes[..n]);
            bytes = &bytes[n..];
        }
    }
    /// The record crosses into a segment: its inserter writes the segment's header.
    #[cold]
    fn put_header(&mut self) {
        let c = &self.store.wal().control;
        let h = segment::encode_header(
            c.timeline.load(Relaxed),
            c.system_identifier.load(Relaxed),
            self.lsn / SEGMENT_SIZE,
        );
        self.copy(&h);
    }
    /// Copies bytes that stay within one page of the ring.
    fn copy(&mut self, bytes: &[u8]) {
        if self.lsn + bytes.len() as u64 > self.free_until {
            self.free_until = self.store.wait_for_ring(self.slot, Lsn(self.lsn));
        }
        let sh = self.store.shared();
        let at = (self.lsn % sh.wal_ring_bytes) as usize;
        // SAFETY: the ring is a multiple of the page size and the bytes stay within one page; this range of LSNs is
        // reserved by this process alone, and the page's earlier contents are written (free_until).
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), sh.wal_ring.add(at), bytes.len()) };
        self.lsn += bytes.len() as u64;
    }
}

impl Store {
    /// Inserts the record and returns its end. The caller is in a critical section and holds exclusive locks on the
    /// registered pages; their LSNs are the caller's business.
    pub(crate) fn insert_record(&self, draft: &mut Draft) -> Lsn {
        let wal = self.wal();
        assert!(wal.control.in_recovery.load(Relaxed) == 0, "cannot make new WAL entries during recovery");
        self.proc().wal_in_flight.store(1, Relaxed);
        loop {
            let redo = wal.control.redo.load(Acquire);
            let full = wal.control.full_page_writes.load(Relaxed) != 0;
            let images = self.decide_images(draft, redo, full);
            let total = draft.compose();
            let mut h = crc32fast::Hasher::new();
            h.update(&draft.head[8..]);
            draft.body(|b| h.update(b));

            let slot = self.occupy_slot();
            if wal.control.blocked.load(SeqCst) != 0 || wal.control.redo.load(SeqCst) != redo {
                // A checkpoint begins: which pages need an image may have changed.
                wal.slots[slot].v.store(0, Release);
                while wal.control.blocked.load(SeqCst) != 0 {
                    std::thread::yield_now();
                }
                continue;
            }
            let size = align(total as u64);
            let pos = wal.reserve.v.fetch_add(size, SeqCst);
            // Raises the bound only: late news costs a flusher a little patience.
            wal.slots[slot].v.store(pos + 1, Release);
            let start = start_lsn(pos);
            let sum = crc(h, total as u32, start);
            draft.head[4..8].copy_from_slice(&sum.to_le_bytes());
            // A record at the very start of a segment begins before its header.
            let at =
                if start.0 % SEGMENT_SIZE == SEGMENT_HEADER { start.0 - SEGMENT_HEADER } else { start.0 };
            let mut c = Cursor { store: self, slot, lsn: at, free_until: 0 };
            c.put(&draft.head);
            draft.body(|b| c.put(b));
            c.put(&[0; 8][..(size - total as u64) as usize]);
            wal.slots[slot].v.store(0, Release);
            self.proc().wal_in_flight.store(0, Relaxed);
            let end = end_lsn(pos + size);
            debug_assert!(c.lsn == end.0);
            self.last_insert.set(end);
            self.counters.wal_records.set(self.counters.wal_records.get() + 1);
            self.counters.wal_images.set(self.counters.wal_images.get() + images);
            self.counters.wal_bytes.set(self.counters.wal_bytes.get() + total as u64);
            return end;
        }
    }
    fn decide_images(&self, draft: &mut Draft, redo: u64, full: bool) -> u64 {
        let compress = self.wal_compression.get();
        let mut n = 0;
        for b in &mut draft.blocks[..draft.block_count] {
            b.has_image = false;
            let wanted = b.flags.has(RegFlags::FORCE_IMAGE)
                || (!b.flags.has(RegFlags::NO_IMAGE) && full && self.page_lsn(b.buf).0 <= redo);
            if wanted {
                // SAFETY: the caller holds the page's content lock (checked by `Critical::log`).
                let page = unsafe { &*self.block_ptr(b.buf) };
                take_image(b, page, compress);
                n += 1;
            }
        }
        n
    }
    /// Takes a slot and puts a lower bound of the coming reservation in it.
    fn occupy_slot(&self) -> usize {
        let wal = self.wal();
        let first = self.proc().number() as usize;
        for i in 0.. {
            let slot = (first + i) % INSERT_SLOTS;
            let at = wal.reserve.v.load(SeqCst);
            if wal.slots[slot].v.load(Relaxed) == 0
                && wal.slots[slot].v.compare_exchange(0, at + 1, SeqCst, Relaxed).is_ok()
            {
                return slot;
            }
            if i % INSERT_SLOTS == INSERT_SLOTS - 1 {
                std::thread::yield_now();
            }
        }
        unreachable!("the loop above does not end")
    }
    /// Waits until the ring page that holds `lsn` may be overwritten; returns the LSN up to which that is so.
    #[cold]
    fn wait_for_ring(&self, slot: usize, lsn: Lsn) -> u64 {
        let sh = self.shared();
        let page_end = (lsn.0 / PAGE_SIZE as u64 + 1) * PAGE_SIZE as u64;
        let needed = page_end.saturating_sub(sh.wal_ring_bytes);
        let flush = &self.wal().flush;
        if flush.written.load(Acquire) < needed {
            // What is copied so far may be written by others while this process waits; then nobody waits in a circle.
            let pos = super::position::usable(lsn);
            let slot = &self.wal().slots[slot].v;
            slot.store(slot.load(Relaxed).max(pos + 1), SeqCst);
            self.write_wal_up_to(Lsn(needed));
        }
        (flush.written.load(Acquire) + sh.wal_ring_bytes) / PAGE_SIZE as u64 * PAGE_SIZE as u64
    }

    /// Determines the redo pointer of a checkpoint: stops insertion for a moment, so that every record from there on
    /// is made with the new pointer in sight (full-page images).
    pub fn begin_checkpoint(&self) -> Lsn {
        let wal = self.wal();
        self.proc().enter_critical();
        wal.control.blocked.store(1, SeqCst);
        while wal.slots.iter().any(|s| s.v.load(SeqCst) != 0) {
            std::thread::yield_now();
        }
        let redo = start_lsn(wal.reserve.v.load(SeqCst));
        wal.control.redo.store(redo.0, SeqCst);
        wal.control.blocked.store(0, SeqCst);
        self.proc().leave_critical();
        redo
    }
}
