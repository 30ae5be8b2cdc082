//! Replaying a record: bringing each page it names to the state the record found, or finding that the change is there
//! already. Full-page images repair torn pages. A record may name a relation that later log removes: such references
//! are remembered and must be gone when recovery ends.

use crate::Store;
use crate::buffer::guard::{PageMut, Pinned};
use crate::buffer::read::ReadMode;
use crate::page::Page;
use crate::relfile::{Fork, RelFileLocator};
use crate::wal::record::Record;
use common::{BlockNumber, Error, Lsn, Oid, Result, err};
use hashbrown::HashMap;

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
    page: PageMut,
    end: Lsn,
    changed: bool,
}

impl RedoPage {
    /// The page, to be changed.
    pub fn page(&mut self) -> &mut Page {
        self.changed = true;
        self.page.raw()
    }
    /// The page.
    pub fn as_page(&self) -> &Page {
        &self.page
    }
    /// Block number.
    pub fn block(&self) -> BlockNumber {
        self.page.block()
    }
    /// Locks a pinned page for redo of `record`.
    pub(crate) fn lock(pin: Pinned, record: &Record) -> RedoPage {
        RedoPage { page: pin.into_exclusive(), end: record.end, changed: false }
    }
    /// Changes the page without raising its LSN (changes that records of other pages imply).
    pub fn change_keeping_lsn(&mut self, f: impl FnOnce(&mut Page)) {
        let pin = self.page.pin();
        pin.store().set_dirty(pin.buf());
        f(self.page.raw());
    }
    /// The guard, for its pin.
    pub fn guard(&self) -> &PageMut {
        &self.page
    }
}

impl Drop for RedoPage {
    fn drop(&mut self) {
        if self.changed {
            let end = self.end;
            self.page.raw().set_lsn(end);
            let pin = self.page.pin();
            pin.store().set_dirty(pin.buf());
        }
    }
}

/// Blocks that redo looked for in vain, with the record that did.
#[derive(Default)]
pub struct RedoState {
    missing: HashMap<(RelFileLocator, Fork, BlockNumber), Lsn>,
}

impl Store {
    /// Reads block `id` of the record for redo: restores its full-page image, or compares LSNs.
    pub fn read_for_redo(&self, record: &Record, id: u8) -> Result<RedoAction> {
        self.redo_block(record, id, false)
    }
    /// The same, with a cleanup lock (no one else has a pin).
    pub fn read_for_redo_cleanup(&self, record: &Record, id: u8) -> Result<RedoAction> {
        self.redo_block(record, id, true)
    }
    fn redo_block(&self, record: &Record, id: u8, cleanup: bool) -> Result<RedoAction> {
        let b = record
            .block(id)
            .ok_or_else(|| Error::corrupted(format!("record at {} has no block {id}", record.start)))?;
        if record.has_image(id) {
            let mut p = self.redo_create(record, b.rel, b.fork, b.block, cleanup)?;
            record.restore_image(id, p.page())?;
            return Ok(RedoAction::Restored(p));
        }
        match self.redo_existing(record, b.rel, b.fork, b.block, cleanup)? {
            None => Ok(RedoAction::NotFound),
            Some(p) if p.as_page().lsn() >= record.end => Ok(RedoAction::Done),
            Some(p) => Ok(RedoAction::NeedsRedo(p)),
        }
    }
    /// The page of block `id` (registered with WILL_INIT), created when beyond the end of the file. The caller
    /// initialises it whole.
    pub fn init_for_redo(&self, record: &Record, id: u8) -> Result<RedoPage> {
        let b = record
            .block(id)
            .ok_or_else(|| Error::corrupted(format!("record at {} has no block {id}", record.start)))?;
        self.redo_create(record, b.rel, b.fork, b.block, false)
    }
    /// A page that the record does not register (maps), for redo; `None` when it does not exist. The caller decides by
    /// itself whether the change is there; a broken page reads as zeros.
    pub fn read_unregistered_for_redo(
        &self,
        record: &Record,
        rel: RelFileLocator,
        fork: Fork,
        block: BlockNumber,
    ) -> Result<Option<RedoPage>> {
        if self.files().nblocks_or_zero(rel, fork)? <= block.0 {
            return Ok(None);
        }
        let page = self.read(rel, fork, block, ReadMode::ZeroOnError, None)?.into_exclusive();
        Ok(Some(RedoPage { page, end: record.end, changed: false }))
    }
    fn redo_existing(
        &self,
        record: &Record,
        rel: RelFileLocator,
        fork: Fork,
        block: BlockNumber,
        cleanup: bool,
    ) -> Result<Option<RedoPage>> {
        if matches!(fork, Fork::Vm | Fork::Fsm) {
            // Growth of maps is not logged, and a broken map page is as good as none.
            let page = crate::vm::ensure_page(self, rel, fork, block)?.into_exclusive();
            return Ok(Some(RedoPage { page, end: record.end, changed: false }));
        }
        if self.files().nblocks_or_zero(rel, fork)? <= block.0 {
            self.redo.borrow_mut().missing.entry((rel, fork, block)).or_insert(record.start);
            return Ok(None);
        }
        let pin = self.read(rel, fork, block, ReadMode::Normal, None)?;
        let page = if cleanup { pin.for_cleanup()? } else { pin.into_exclusive() };
        if page.is_new() {
            // Extended but never written: the change that initialised it is lost together with what follows.
            self.redo.borrow_mut().missing.entry((rel, fork, block)).or_insert(record.start);
            return Ok(None);
        }
        Ok(Some(RedoPage { page, end: record.end, changed: false }))
    }
    fn redo_create(
        &self,
        record: &Record,
        rel: RelFileLocator,
        fork: Fork,
        block: BlockNumber,
        cleanup: bool,
    ) -> Result<RedoPage> {
        if !self.files().exists(rel, fork)? {
            self.create_file(rel, fork, true)?;
        }
        let n = self.files().nblocks(rel, fork)?;
        if n <= block.0 {
            let _lock = self.extension_lock(rel, fork);
            self.extend_locked(rel, fork, n, block.0 + 1 - n)?;
        }
        self.redo.borrow_mut().missing.remove(&(rel, fork, block));
        // Not read from the file: a torn page must not get in the way of its repair.
        let pin = self.read(rel, fork, block, ReadMode::ZeroAndLock, None)?;
        let page = if cleanup { pin.for_cleanup()? } else { pin.into_exclusive() };
        Ok(RedoPage { page, end: record.end, changed: false })
    }
    /// Restores every full-page image of a record that carries nothing else.
    pub fn redo_images(&self, record: &Record) -> Result<()> {
        for b in record.blocks() {
            self.read_for_redo(record, b.id)?;
        }
        Ok(())
    }

    /// Redo removed the relation: references to it are explained.
    pub fn redo_forget_relation(&self, rel: RelFileLocator) {
        self.redo.borrow_mut().missing.retain(|k, _| k.0 != rel);
    }
    /// Redo shortened the fork.
    pub fn redo_forget_truncated(&self, rel: RelFileLocator, fork: Fork, nblocks: BlockNumber) {
        self.redo.borrow_mut().missing.retain(|k, _| k.0 != rel || k.1 != fork || k.2 < nblocks);
    }
    /// Redo removed the database.
    pub fn redo_forget_database(&self, db: Oid) {
        self.redo.borrow_mut().missing.retain(|k, _| k.0.db_oid != db);
    }
    /// At the end of recovery: XX001 if a record named a page that nothing explains.
    pub fn redo_check_missing(&self) -> Result<()> {
        let redo = self.redo.borrow();
        match redo.missing.iter().min_by_key(|(_, lsn)| **lsn) {
            None => Ok(()),
            Some(((rel, fork, block), lsn)) => Err(err!(
                DATA_CORRUPTED,
                "WAL contains references to invalid pages: page {block} of relation {} at {lsn} and {} more",
                rel.path(*fork),
                redo.missing.len() - 1
            )),
        }
    }
}
