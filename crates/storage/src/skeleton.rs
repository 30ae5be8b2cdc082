//! Signatures of the store: handle, pins, page guards, critical sections, redo.

use crate::wal::{Record, RegFlags, RmgrId};
use crate::{Fork, Page, RelFileLocator};
use common::{BlockNumber, Lsn, Oid, Result, Xid};
use std::rc::Rc;

pub(crate) fn later() -> ! {
    panic!("storage: not there yet")
}

/// How to read a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// Checksum and header are verified.
    Normal,
    /// A broken page reads as zeros (maps).
    ZeroOnError,
    /// Not read at all: zeros; the caller initialises it (redo, extension).
    ZeroAndLock,
}

/// A ring of buffers that a bulk operation confines itself to.
pub struct Strategy(());

/// Counts of one process since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferCounters {
    pub shared_hit: u64,
    pub shared_read: u64,
    pub shared_dirtied: u64,
    pub shared_written: u64,
    pub local_hit: u64,
    pub local_read: u64,
    pub temp_read: u64,
    pub temp_written: u64,
    pub wal_records: u64,
    pub wal_images: u64,
    pub wal_bytes: u64,
}

struct Inner {}

/// One process's handle on storage; clones share it. Not `Send`.
#[derive(Clone)]
pub struct Store(#[allow(dead_code)] Rc<Inner>);

/// A pinned page: it stays in the pool, and its items stay in place. Unpinned on drop. Cloning pins once more (cheap).
#[derive(Clone)]
pub struct Pinned {
    store: Store,
}

/// Shared content lock on a page, with a pin of its own.
pub struct PageRef {
    pin: Pinned,
}

/// Exclusive content lock on a page, with a pin of its own. Changed only through [`Critical::page`].
pub struct PageMut {
    pin: Pinned,
}

/// An open critical section: an error or panic inside takes the server down, so nothing in it may fail.
pub struct Critical {
    #[allow(dead_code)]
    store: Store,
}

/// A log record being put together. Data is copied in; no allocation in the steady state.
pub struct RecordBuilder {
    #[allow(dead_code)]
    store: Store,
}

/// What redo has to do with a block.
pub enum RedoAction {
    /// The page is older than the record: apply it.
    NeedsRedo(RedoPage),
    /// The page has the change already.
    Done,
    /// The page was restored from a full-page image: nothing to apply.
    Restored(RedoPage),
    /// The relation or block no longer exists (later log drops it).
    NotFound,
}

/// A page locked for redo. When [`RedoPage::page`] was called, drop sets its LSN to the record's end and marks it dirty.
pub struct RedoPage {
    #[allow(dead_code)]
    pin: Pinned,
}

impl RedoPage {
    /// The page, to be changed.
    pub fn page(&mut self) -> &mut Page {
        later()
    }
    /// The page.
    pub fn as_page(&self) -> &Page {
        later()
    }
    /// Block number.
    pub fn block(&self) -> BlockNumber {
        later()
    }
}

impl Strategy {
    /// Large sequential scans: 256 kB.
    pub fn bulk_read(_store: &Store) -> Strategy {
        later()
    }
    /// COPY, CREATE TABLE AS: 16 MB, at most an eighth of the pool.
    pub fn bulk_write(_store: &Store) -> Strategy {
        later()
    }
    /// VACUUM: 256 kB.
    pub fn vacuum(_store: &Store) -> Strategy {
        later()
    }
}

impl Store {
    // ---- buffers ----
    /// Pins a block, reading it when it is not in the pool. XX001 when it is broken or beyond the end of the file.
    pub fn read(
        &self,
        _rel: RelFileLocator,
        _fork: Fork,
        _block: BlockNumber,
        _mode: ReadMode,
        _strategy: Option<&Strategy>,
    ) -> Result<Pinned> {
        later()
    }
    /// [`Store::read`] in normal mode of the main fork.
    pub fn read_main(&self, rel: RelFileLocator, block: BlockNumber) -> Result<Pinned> {
        self.read(rel, Fork::Main, block, ReadMode::Normal, None)
    }
    /// Pins up to `n` consecutive blocks with as few reads as possible; appends at least one to `out`.
    pub fn read_multi(
        &self,
        _rel: RelFileLocator,
        _fork: Fork,
        _first: BlockNumber,
        _n: u32,
        _strategy: Option<&Strategy>,
        _out: &mut Vec<Pinned>,
    ) -> Result<()> {
        later()
    }
    /// Tells the kernel that the block will be wanted.
    pub fn prefetch(&self, _rel: RelFileLocator, _fork: Fork, _block: BlockNumber, _n: u32) {}
    /// Adds a zeroed block at the end of the fork; takes the relation's extension lock inside.
    pub fn extend(&self, _rel: RelFileLocator, _fork: Fork, _strategy: Option<&Strategy>) -> Result<Pinned> {
        later()
    }
    /// Adds `n` zeroed blocks in one go (bulk loading).
    pub fn extend_by(
        &self,
        _rel: RelFileLocator,
        _fork: Fork,
        _n: u32,
        _strategy: Option<&Strategy>,
        _out: &mut Vec<Pinned>,
    ) -> Result<()> {
        later()
    }
    /// Counters for EXPLAIN (BUFFERS, WAL).
    pub fn counters(&self) -> BufferCounters {
        later()
    }
    /// Opens a critical section. The only way to change a page.
    pub fn begin_critical(&self) -> Critical {
        later()
    }
    /// Marks a page dirty after hint bits were set with [`PageRef::set_hint`]; logs a full-page image when checksums
    /// are on and this is the first change after a checkpoint.
    pub fn mark_dirty_hint(&self, _page: &PageRef) {
        later()
    }
    /// Writes the page as a full-page image record under an exclusive lock (index builds, `log_newpage`).
    pub fn log_full_page(&self, _page: &mut PageMut, _standard: bool) -> Lsn {
        later()
    }
    /// Throws all buffers of the forks away from `first_kept` on, without writing (file about to go or be truncated).
    pub fn drop_buffers(&self, _rel: RelFileLocator, _fork: Fork, _from: BlockNumber) {
        later()
    }
    /// Throws all buffers of the relation away.
    pub fn drop_relation_buffers(&self, _rels: &[RelFileLocator]) {
        later()
    }
    /// Throws all buffers of a database away.
    pub fn drop_database_buffers(&self, _db: Oid) {
        later()
    }
    /// Writes all dirty buffers of a relation.
    pub fn flush_relation(&self, _rel: RelFileLocator) -> Result<()> {
        later()
    }
    /// Writes all dirty buffers of a database.
    pub fn flush_database(&self, _db: Oid) -> Result<()> {
        later()
    }

    // ---- files ----
    /// Creates an empty fork. With `is_redo`, an existing one is fine.
    pub fn create_file(&self, _rel: RelFileLocator, _fork: Fork, _is_redo: bool) -> Result<()> {
        later()
    }
    /// Is there such a fork?
    pub fn file_exists(&self, _rel: RelFileLocator, _fork: Fork) -> Result<bool> {
        later()
    }
    /// Length in blocks.
    pub fn nblocks(&self, _rel: RelFileLocator, _fork: Fork) -> Result<BlockNumber> {
        later()
    }
    /// Drops buffers and shortens the forks: (fork, new length). The caller has logged it and holds the table lock.
    pub fn truncate_files(&self, _rel: RelFileLocator, _forks: &[(Fork, BlockNumber)]) -> Result<()> {
        later()
    }
    /// Drops buffers and unlinks all forks; the main fork's name stays occupied until the next checkpoint so that the
    /// number is not reused too early (not in redo).
    pub fn unlink_relations(&self, _rels: &[RelFileLocator], _is_redo: bool) -> Result<()> {
        later()
    }
    /// fsyncs all segments of a fork at once.
    pub fn sync_file(&self, _rel: RelFileLocator, _fork: Fork) -> Result<()> {
        later()
    }

    // ---- log ----
    /// Inserts a record without pages. Opens its own critical section.
    pub fn log(&self, _rmgr: RmgrId, _info: u8, _xid: Xid, _data: &[u8]) -> Lsn {
        later()
    }
    /// Makes the log durable up to `lsn` (group commit).
    pub fn flush_wal(&self, _lsn: Lsn) {
        later()
    }
    /// An asynchronous commit ended at `lsn`: the walwriter flushes it soon.
    pub fn set_async_lsn(&self, _lsn: Lsn) {
        later()
    }
    /// End of what has been inserted.
    pub fn insert_lsn(&self) -> Lsn {
        later()
    }
    /// End of what is durable.
    pub fn flushed_lsn(&self) -> Lsn {
        later()
    }
    /// End of the last record this process inserted.
    pub fn last_insert_lsn(&self) -> Lsn {
        later()
    }
    /// Redo pointer of the last (or running) checkpoint.
    pub fn redo_lsn(&self) -> Lsn {
        later()
    }

    // ---- redo ----
    /// Reads block `id` of the record for redo: restores its full-page image, or compares LSNs.
    pub fn read_for_redo(&self, _record: &Record, _id: u8) -> Result<RedoAction> {
        later()
    }
    /// The same, with a cleanup lock (no one else has a pin).
    pub fn read_for_redo_cleanup(&self, _record: &Record, _id: u8) -> Result<RedoAction> {
        later()
    }
    /// The zeroed page of block `id` (registered with WILL_INIT), created when beyond the end of the file.
    pub fn init_for_redo(&self, _record: &Record, _id: u8) -> Result<RedoPage> {
        later()
    }
    /// A page that the record does not register (maps), for redo.
    pub fn read_unregistered_for_redo(
        &self,
        _record: &Record,
        _rel: RelFileLocator,
        _fork: Fork,
        _block: BlockNumber,
    ) -> Result<Option<RedoPage>> {
        later()
    }
}

impl Pinned {
    /// Block number.
    pub fn block(&self) -> BlockNumber {
        later()
    }
    /// Relation.
    pub fn rel(&self) -> RelFileLocator {
        later()
    }
    /// Fork.
    pub fn fork(&self) -> Fork {
        later()
    }
    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// Waits for the shared content lock.
    pub fn share(&self) -> PageRef {
        later()
    }
    /// Waits for the exclusive content lock.
    pub fn exclusive(&self) -> PageMut {
        later()
    }
    /// The exclusive lock if it is free.
    pub fn try_exclusive(&self) -> Option<PageMut> {
        later()
    }
    /// The shared lock if it is free.
    pub fn try_share(&self) -> Option<PageRef> {
        later()
    }
    /// Exclusive lock, and nobody else has a pin: items may be moved (pruning, vacuum). Waits.
    pub fn for_cleanup(&self) -> Result<PageMut> {
        later()
    }
    /// Cleanup lock if it can be had at once.
    pub fn try_for_cleanup(&self) -> Option<PageMut> {
        later()
    }
    /// The page without a content lock: bytes of items that were found visible under the lock stay as they are while
    /// pinned (except hint bits); everything else may change under the reader.
    pub fn page_pinned(&self) -> &Page {
        later()
    }
}

impl PageRef {
    /// The pin.
    pub fn pin(&self) -> &Pinned {
        &self.pin
    }
    /// ORs bits into the aligned little-endian u16 at `byte_offset` (infomask hint bits), atomically, under a shared lock.
    pub fn set_hint(&self, _byte_offset: usize, _bits: u16) {
        later()
    }
    /// Marks a line pointer dead as a hint (index entries known dead), under a shared lock.
    pub fn set_item_dead_hint(&self, _off: u16) {
        later()
    }
    /// Releases the lock, keeps the pin.
    pub fn unlock(self) -> Pinned {
        self.pin.clone()
    }
}

impl std::ops::Deref for PageRef {
    type Target = Page;
    fn deref(&self) -> &Page {
        later()
    }
}

impl PageMut {
    /// The pin.
    pub fn pin(&self) -> &Pinned {
        &self.pin
    }
    /// Releases the lock, keeps the pin.
    pub fn unlock(self) -> Pinned {
        self.pin.clone()
    }
    /// Sets hint bits, as [`PageRef::set_hint`], under the exclusive lock; follow with [`PageMut::mark_dirty_hint`].
    pub fn set_hint(&self, _byte_offset: usize, _bits: u16) {
        later()
    }
    /// As [`Store::mark_dirty_hint`].
    pub fn mark_dirty_hint(&self) {
        later()
    }
    /// Is nobody else pinning the page (it could serve as a cleanup lock)?
    pub fn is_cleanup_ok(&self) -> bool {
        later()
    }
}

impl std::ops::Deref for PageMut {
    type Target = Page;
    fn deref(&self) -> &Page {
        later()
    }
}

impl Critical {
    /// The page, to be changed; it is dirty from here on.
    pub fn page<'g>(&self, _guard: &'g mut PageMut) -> &'g mut Page {
        later()
    }
    /// Begins a record.
    pub fn record(&self, _rmgr: RmgrId, _info: u8, _xid: Xid) -> RecordBuilder {
        later()
    }
    /// Inserts the record, sets the LSN of every registered page, returns the record's end.
    pub fn log(&self, _record: RecordBuilder) -> Lsn {
        later()
    }
    /// The pages changed in this section need no record (maps, unlogged relations).
    pub fn unlogged(&self) {}
}

impl RecordBuilder {
    /// Appends to the main data.
    pub fn data(&mut self, _bytes: &[u8]) -> &mut Self {
        self
    }
    /// Registers a page the record changes.
    pub fn block(&mut self, _id: u8, _page: &PageMut, _flags: RegFlags) -> &mut Self {
        self
    }
    /// Appends data belonging to block `id` (left out of the record when a full-page image is taken).
    pub fn block_data(&mut self, _id: u8, _bytes: &[u8]) -> &mut Self {
        self
    }
}
