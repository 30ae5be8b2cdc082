//! Changing pages: the critical section and the record that describes the change. The recipe is in the types: a page
//! is reached mutably only through an open section, is dirty from that moment, and gets its LSN when the record is
//! inserted. Nothing inside may fail; a panic in it aborts the process, which restarts the server.

use crate::Store;
use crate::buffer::guard::{PageMut, Pinned};
use crate::buffer::pins::Held;
use crate::datadir::panic_exit;
use crate::page::Page;
use crate::wal::insert::Draft;
use crate::wal::record::{RegFlags, RmgrId, xlog_info};
use common::{Lsn, Xid};
use std::cell::Cell;

/// An open critical section: an error or panic inside takes the server down, so nothing in it may fail.
pub struct Critical {
    store: Store,
    /// A page was changed and no record inserted yet.
    pending: Cell<bool>,
}

/// A log record being put together. Data is copied in; no allocation in the steady state.
pub struct RecordBuilder {
    store: Store,
    /// `None` only while being taken apart.
    draft: Option<Box<Draft>>,
}

impl Store {
    /// Opens a critical section. The only way to change a page.
    #[inline]
    pub fn begin_critical(&self) -> Critical {
        self.proc().enter_critical();
        Critical { store: self.clone(), pending: Cell::new(false) }
    }
    /// Inserts a record without pages. Opens its own critical section.
    pub fn log(&self, rmgr: RmgrId, info: u8, xid: Xid, data: &[u8]) -> Lsn {
        let crit = self.begin_critical();
        let mut rec = crit.record(rmgr, info, xid);
        rec.data(data);
        crit.log(rec)
    }
    /// Writes the page as a full-page image record under an exclusive lock (index builds, unlogged changes that become
    /// permanent). The page is marked dirty.
    pub fn log_full_page(&self, page: &mut PageMut, standard: bool) -> Lsn {
        let crit = self.begin_critical();
        crit.page(page);
        let mut rec = crit.record(RmgrId::XLOG, xlog_info::FPI, Xid::INVALID);
        let layout = if standard { RegFlags::STANDARD } else { RegFlags::RAW };
        rec.block(0, page, layout | RegFlags::FORCE_IMAGE);
        crit.log(rec)
    }
    /// Makes a page the copy of another, logged as an image.
    pub fn log_copy(&self, to: &mut PageMut, from: &Page) -> Lsn {
        let crit = self.begin_critical();
        crit.page(to).bytes_mut().copy_from_slice(from.bytes());
        let mut rec = crit.record(RmgrId::XLOG, xlog_info::FPI, Xid::INVALID);
        rec.block(0, to, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        crit.log(rec)
    }
    /// The image that goes before a hint bit. The page is locked in shared mode; its hint bits may change while it is
    /// copied, which is harmless.
    pub(crate) fn log_hint_image(&self, pin: &Pinned) -> Lsn {
        let crit = self.begin_critical();
        let mut draft = self.take_draft();
        draft.reset(RmgrId::XLOG, xlog_info::FPI_FOR_HINT, Xid::INVALID);
        let tag = self.desc(pin.buf()).tag();
        draft.add_block(0, RegFlags::STANDARD | RegFlags::FORCE_IMAGE, pin.buf(), pin.slot(), tag);
        let lsn = self.insert_record(&mut draft);
        self.give_draft(draft);
        drop(crit);
        lsn
    }
}

impl Critical {
    /// The page, to be changed; it is dirty from here on.
    #[inline]
    pub fn page<'g>(&self, guard: &'g mut PageMut) -> &'g mut Page {
        self.store.set_dirty(guard.pin().buf());
        self.pending.set(true);
        guard.raw()
    }
    /// Begins a record.
    pub fn record(&self, rmgr: RmgrId, info: u8, xid: Xid) -> RecordBuilder {
        let mut draft = self.store.take_draft();
        draft.reset(rmgr, info, xid);
        RecordBuilder { store: self.store.clone(), draft: Some(draft) }
    }
    /// Inserts the record, sets the LSN of every registered page, returns the record's end.
    pub fn log(&self, mut record: RecordBuilder) -> Lsn {
        let Some(mut draft) = record.draft.take() else { panic_exit("log record was taken apart twice") };
        for b in &draft.blocks[..draft.block_count] {
            if self.store.pins().held(b.slot) != Held::Exclusive {
                panic_exit("page of a log record is not locked exclusively");
            }
        }
        let lsn = self.store.insert_record(&mut draft);
        for b in &draft.blocks[..draft.block_count] {
            // SAFETY: exclusive content lock, checked above; the guards lend out `&mut Page` only by their own borrow,
            // which ended before `record` could be passed here or is to a page being written by this very process.
            unsafe { (*self.store.block_ptr(b.buf)).set_lsn(lsn) };
        }
        self.pending.set(false);
        self.store.give_draft(draft);
        lsn
    }
    /// The pages changed in this section need no record (maps, unlogged relations).
    pub fn unlogged(&self) {
        self.pending.set(false);
    }
}

impl Drop for Critical {
    #[inline]
    fn drop(&mut self) {
        if std::thread::panicking() {
            panic_exit("panic in a critical section");
        }
        if self.pending.get() {
            // An error left the section between the change and its record: memory now differs from what redo makes.
            panic_exit("pages were changed in a critical section without a log record");
        }
        self.store.proc().leave_critical();
    }
}

impl RecordBuilder {
    fn draft(&mut self) -> &mut Draft {
        match &mut self.draft {
            Some(d) => d,
            None => panic_exit("log record used after it was inserted"),
        }
    }
    /// Appends to the main data.
    #[inline]
    pub fn data(&mut self, bytes: &[u8]) -> &mut Self {
        self.draft().main.extend_from_slice(bytes);
        self
    }
    /// Registers a page the record changes, under an id below 33 of the record's own choice.
    pub fn block(&mut self, id: u8, page: &PageMut, flags: RegFlags) -> &mut Self {
        let (buf, slot) = (page.pin().buf(), page.pin().slot());
        let tag = self.store.desc(buf).tag();
        self.draft().add_block(id, flags, buf, slot, tag);
        self
    }
    /// Appends data belonging to block `id` (left out of the record when a full-page image is taken). At most 64 kB.
    pub fn block_data(&mut self, id: u8, bytes: &[u8]) -> &mut Self {
        match self.draft().find(id) {
            Some(b) => b.data.extend_from_slice(bytes),
            None => panic_exit("data for a block that is not registered"),
        }
        self
    }
}

impl Drop for RecordBuilder {
    fn drop(&mut self) {
        if let Some(d) = self.draft.take() {
            self.store.give_draft(d);
        }
    }
}
