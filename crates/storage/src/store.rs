//! The handle: one process's view of storage. Clones share it. It owns what is private to the process (open files,
//! pins, counters, scratch space) and refers to what is shared.

use crate::buffer::desc::BufferDesc;
use crate::buffer::local::{LOCAL, LocalPool};
use crate::buffer::pins::Pins;
use crate::buffer::write::SweepAhead;
use crate::buffer::writeback::WriteBack;
use crate::config::StorageConfig;
use crate::page::Page;
use crate::redo::RedoState;
use crate::relfile::files::Files;
use crate::relfile::sync::PendingSyncs;
use crate::shared::{IO_CONDVARS, SharedStorage};
use crate::tuning::Tuning;
use crate::wal::flush::WalFile;
use crate::wal::insert::Draft;
use crate::wal::position::{end_lsn, start_lsn};
use crate::wal::state::WalState;
use common::{Lsn, Report};
use ipc::{CondVar, Interrupts, Proc};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// Counts of one process since it started, for EXPLAIN (BUFFERS, WAL).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferCounters {
    pub shared_hit: u64,
    pub shared_read: u64,
    pub shared_dirtied: u64,
    pub shared_written: u64,
    pub local_hit: u64,
    pub local_read: u64,
    pub temp_read: u64,
    pub local_dirtied: u64,
    pub local_written: u64,
    pub temp_written: u64,
    pub wal_records: u64,
    pub wal_images: u64,
    pub wal_bytes: u64,
    pub wal_writes: u64,
    pub wal_syncs: u64,
    /// Nanoseconds, under `track_io_timing`; likewise the ones below.
    pub read_ns: u64,
    pub write_ns: u64,
    pub temp_read_ns: u64,
    pub temp_write_ns: u64,
    /// Under `track_wal_io_timing`.
    pub wal_write_ns: u64,
    pub wal_sync_ns: u64,
}

impl BufferCounters {
    fn each(mut self, other: &BufferCounters, f: impl Fn(u64, u64) -> u64) -> BufferCounters {
        macro_rules! fields {
            ($($f:ident)*) => { $(self.$f = f(self.$f, other.$f);)* };
        }
        fields! {
            shared_hit shared_read shared_dirtied shared_written local_hit local_read temp_read local_dirtied
            local_written temp_written wal_records wal_images wal_bytes wal_writes wal_syncs read_ns write_ns
            temp_read_ns temp_write_ns wal_write_ns wal_sync_ns
        }
        self
    }
    /// What was counted after `before`.
    pub fn since(self, before: &BufferCounters) -> BufferCounters {
        self.each(before, u64::wrapping_sub)
    }
    /// Both together.
    pub fn plus(self, other: &BufferCounters) -> BufferCounters {
        self.each(other, u64::wrapping_add)
    }
}

/// What the buffer pool holds at a moment, in buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolSummary {
    pub total: u32,
    pub used: u32,
    pub dirty: u32,
    pub pinned: u32,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub shared_hit: Cell<u64>,
    pub shared_read: Cell<u64>,
    pub shared_dirtied: Cell<u64>,
    pub shared_written: Cell<u64>,
    pub local_hit: Cell<u64>,
    pub local_read: Cell<u64>,
    pub local_dirtied: Cell<u64>,
    pub local_written: Cell<u64>,
    pub temp_read: Cell<u64>,
    pub temp_written: Cell<u64>,
    pub wal_records: Cell<u64>,
    pub wal_images: Cell<u64>,
    pub wal_bytes: Cell<u64>,
    pub wal_writes: Cell<u64>,
    pub wal_syncs: Cell<u64>,
    pub read_ns: Cell<u64>,
    pub write_ns: Cell<u64>,
    pub temp_read_ns: Cell<u64>,
    pub temp_write_ns: Cell<u64>,
    pub wal_write_ns: Cell<u64>,
    pub wal_sync_ns: Cell<u64>,
}

/// What a [`Store`] refers to.
pub struct Inner {
    shared: SharedStorage,
    proc: Cell<&'static Proc>,
    ints: Rc<Interrupts>,
    config: StorageConfig,
    files: Files,
    pins: Pins,
    pub(crate) local: LocalPool,
    pub(crate) counters: Counters,
    pub(crate) file_counts: crate::file_counts::FileCounts,
    /// A page on its way to its file.
    pub(crate) page_copy: RefCell<Box<Page>>,
    pub(crate) sweep_ahead: SweepAhead,
    pub(crate) writeback: WriteBack,
    tuning: Cell<Tuning>,
    /// Told of damage that is passed over.
    warning_sink: RefCell<Option<Rc<dyn Fn(Report)>>>,
    /// What is to be told once no buffer is being read.
    pub(crate) damage: RefCell<Vec<Report>>,
    /// Do so many other transactions run?
    pub(crate) siblings: RefCell<Option<Rc<dyn Fn(u32) -> bool>>>,
    /// Wakes the walwriter.
    pub(crate) wake_walwriter: RefCell<Option<Rc<dyn Fn()>>>,
    pub(crate) wal_file: WalFile,
    pub(crate) wal_compression: Cell<bool>,
    pub(crate) io_timing: Cell<bool>,
    pub(crate) wal_io_timing: Cell<bool>,
    pub(crate) last_insert: Cell<Lsn>,
    /// The segment this process made ahead of need last.
    pub(crate) prepared_segment: Cell<u64>,
    #[expect(clippy::vec_box, reason = "a draft moves between here and its builder: one pointer")]
    drafts: RefCell<Vec<Box<Draft>>>,
    pub(crate) pending: RefCell<Option<PendingSyncs>>,
    pub(crate) redo: RefCell<RedoState>,
    pub(crate) temp_files: Cell<u64>,
    pub(crate) temp_bytes: Cell<u64>,
}

/// One process's handle on storage; clones share it. Not `Send`.
#[derive(Clone)]
pub struct Store(Rc<Inner>);

impl Deref for Store {
    type Target = Inner;
    #[inline]
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Store {
    /// The handle of this process, made after the fork and after it has its slot.
    pub fn new(
        shared: SharedStorage,
        proc: &'static Proc,
        ints: Rc<Interrupts>,
        config: &StorageConfig,
    ) -> Store {
        Store(Rc::new(Inner {
            shared,
            proc: Cell::new(proc),
            ints,
            files: Files::new(&config.data_dir, config.max_open_files),
            wal_compression: Cell::new(config.wal_compression),
            io_timing: Cell::new(false),
            wal_io_timing: Cell::new(false),
            config: config.clone(),
            pins: Pins::default(),
            local: LocalPool::default(),
            counters: Counters::default(),
            file_counts: Default::default(),
            page_copy: RefCell::new(Page::zeroed()),
            sweep_ahead: SweepAhead::default(),
            writeback: WriteBack::default(),
            tuning: Cell::default(),
            warning_sink: RefCell::default(),
            damage: RefCell::default(),
            siblings: RefCell::default(),
            wake_walwriter: RefCell::default(),
            wal_file: WalFile::default(),
            last_insert: Cell::new(Lsn::INVALID),
            prepared_segment: Cell::new(0),
            drafts: RefCell::default(),
            pending: RefCell::new(None),
            redo: RefCell::default(),
            temp_files: Cell::new(0),
            temp_bytes: Cell::new(0),
        }))
    }
    /// Takes the blocks read and found per file since the last call.
    pub fn take_file_counts(&self) -> Vec<(crate::RelFileLocator, crate::FileCount)> {
        self.file_counts.take()
    }
    /// Bytes of the buffers for temporary tables.
    pub fn local_bytes(&self) -> usize {
        self.local.bytes()
    }
    /// Counters for EXPLAIN (BUFFERS, WAL).
    pub fn counters(&self) -> BufferCounters {
        let c = &self.counters;
        BufferCounters {
            shared_hit: c.shared_hit.get(),
            shared_read: c.shared_read.get(),
            shared_dirtied: c.shared_dirtied.get(),
            shared_written: c.shared_written.get(),
            local_hit: c.local_hit.get(),
            local_read: c.local_read.get(),
            local_dirtied: c.local_dirtied.get(),
            local_written: c.local_written.get(),
            temp_read: c.temp_read.get(),
            temp_written: c.temp_written.get(),
            wal_records: c.wal_records.get(),
            wal_images: c.wal_images.get(),
            wal_bytes: c.wal_bytes.get(),
            wal_writes: c.wal_writes.get(),
            wal_syncs: c.wal_syncs.get(),
            read_ns: c.read_ns.get(),
            write_ns: c.write_ns.get(),
            temp_read_ns: c.temp_read_ns.get(),
            temp_write_ns: c.temp_write_ns.get(),
            wal_write_ns: c.wal_write_ns.get(),
            wal_sync_ns: c.wal_sync_ns.get(),
        }
    }

    /// Another process has used so much in this one's place.
    pub fn add_counters(&self, used: &BufferCounters) {
        let (c, now) = (&self.counters, self.counters().plus(used));
        macro_rules! set {
            ($($f:ident)*) => { $(c.$f.set(now.$f);)* };
        }
        set! {
            shared_hit shared_read shared_dirtied shared_written local_hit local_read temp_read local_dirtied
            local_written temp_written wal_records wal_images wal_bytes wal_writes wal_syncs read_ns write_ns
            temp_read_ns temp_write_ns wal_write_ns wal_sync_ns
        }
    }

    /// End of what has been inserted.
    pub fn insert_lsn(&self) -> Lsn {
        end_lsn(self.wal().reserve.v.load(Acquire))
    }
    /// Where the next record begins: differs from [`Store::insert_lsn`] at a segment's start.
    pub fn next_record_lsn(&self) -> Lsn {
        start_lsn(self.wal().reserve.v.load(Acquire))
    }
    /// End of what is durable.
    #[inline]
    pub fn flushed_lsn(&self) -> Lsn {
        Lsn(self.wal().flush.flushed.load(Acquire))
    }
    /// End of what is written to files, durable or not.
    pub fn written_lsn(&self) -> Lsn {
        Lsn(self.wal().flush.written.load(Acquire))
    }
    /// End of the last record this process inserted.
    pub fn last_insert_lsn(&self) -> Lsn {
        self.last_insert.get()
    }
    /// Redo pointer of the last (or running) checkpoint.
    #[inline]
    pub fn redo_lsn(&self) -> Lsn {
        Lsn(self.wal().control.redo.load(Acquire))
    }
    /// Is the log being replayed?
    #[inline]
    pub fn in_recovery(&self) -> bool {
        self.wal().control.in_recovery.load(Relaxed) != 0
    }
    /// `full_page_writes`.
    pub fn full_page_writes(&self) -> bool {
        self.wal().control.full_page_writes.load(Relaxed) != 0
    }
    /// Counts the buffers, without a lock: they change meanwhile.
    pub fn pool_summary(&self) -> PoolSummary {
        use crate::buffer::desc::{DIRTY, REFCOUNT_MASK, VALID};
        let mut p = PoolSummary { total: self.shared().descs.len() as u32, ..PoolSummary::default() };
        for d in self.shared().descs {
            let s = d.load();
            p.used += u32::from(s & VALID != 0);
            p.dirty += u32::from(s & (VALID | DIRTY) == VALID | DIRTY);
            p.pinned += u32::from(s & REFCOUNT_MASK != 0);
        }
        p
    }
    /// Changes `full_page_writes` for everybody (checkpointer, on reload).
    pub fn set_full_page_writes(&self, on: bool) {
        self.wal().control.full_page_writes.store(u32::from(on), Relaxed);
    }
    /// Settings of this process have changed.
    pub fn tune(&self, t: Tuning) {
        if self.tuning().wal_sync_method != t.wal_sync_method {
            self.wal_file.close();
        }
        self.tuning.set(t);
    }
    /// Who is told of damage.
    pub fn set_warning_sink(&self, sink: Rc<dyn Fn(Report)>) {
        *self.warning_sink.borrow_mut() = Some(sink);
    }
    /// Tells of damage that was found. No critical section is open.
    pub(crate) fn tell_damage(&self) {
        let told = std::mem::take(&mut *self.damage.borrow_mut());
        let sink = self.warning_sink.borrow().clone();
        if let Some(f) = sink {
            told.into_iter().for_each(|r| f(r));
        }
    }
    /// How to find out whether other transactions run (`commit_siblings`), and how to wake the walwriter.
    pub fn set_neighbours(&self, siblings: Rc<dyn Fn(u32) -> bool>, walwriter: Rc<dyn Fn()>) {
        *self.siblings.borrow_mut() = Some(siblings);
        *self.wake_walwriter.borrow_mut() = Some(walwriter);
    }
    /// Changes `fsync` of the log for everybody (checkpointer, on reload).
    pub fn set_fsync(&self, on: bool) {
        self.wal().control.fsync.store(u32::from(on), Relaxed);
    }
    /// Changes `wal_compression` for this process.
    pub fn set_wal_compression(&self, on: bool) {
        self.wal_compression.set(on);
    }
}

impl Inner {
    #[inline]
    pub(crate) fn shared(&self) -> &SharedStorage {
        &self.shared
    }
    #[inline]
    pub(crate) fn wal(&self) -> &'static WalState {
        self.shared.wal
    }
    /// This process's slot.
    #[inline]
    pub fn proc(&self) -> &'static Proc {
        self.proc.get()
    }
    /// This process is a child of the one that made the handle, with a slot of its own. Pins and counts so far are the
    /// parent's: guards that came along through the fork do nothing when they are dropped.
    pub fn begin_child(&self, proc: &'static Proc) {
        self.proc.set(proc);
        self.pins.disown();
        self.file_counts.take();
    }
    /// This process's interrupts.
    pub fn ints(&self) -> &Interrupts {
        &self.ints
    }
    /// The settings.
    #[inline]
    pub fn config(&self) -> &StorageConfig {
        &self.config
    }
    /// How this process reads and writes.
    #[inline]
    pub fn tuning(&self) -> Tuning {
        self.tuning.get()
    }
    /// Relation files, below the pool.
    #[inline]
    pub fn files(&self) -> &Files {
        &self.files
    }
    #[inline]
    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }
    #[inline]
    pub(crate) fn desc(&self, buf: u32) -> &'static BufferDesc {
        if buf >= LOCAL {
            return self.local.desc(buf);
        }
        &self.shared.descs[buf as usize]
    }
    #[inline]
    pub(crate) fn block_ptr(&self, buf: u32) -> *mut Page {
        if buf >= LOCAL {
            return self.local.block_ptr(buf);
        }
        debug_assert!((buf as usize) < self.shared.descs.len());
        // SAFETY: the block array has one page per descriptor and `buf` indexes descriptors.
        unsafe { self.shared.blocks.cast::<Page>().add(buf as usize) }
    }
    pub(crate) fn io_condvar(&self, buf: u32) -> &'static CondVar {
        &self.shared.io[buf as usize % IO_CONDVARS]
    }
    pub(crate) fn take_draft(&self) -> Box<Draft> {
        self.drafts.borrow_mut().pop().unwrap_or_default()
    }
    pub(crate) fn give_draft(&self, d: Box<Draft>) {
        // One huge record must not cost its memory for the life of the process.
        if d.main.capacity() > (256 << 10) {
            return;
        }
        self.drafts.borrow_mut().push(d);
    }
    /// Buffers this process has pinned (leak checks at the end of a transaction).
    pub fn pinned_buffers(&self) -> Vec<u32> {
        self.pins.buffers()
    }
}
