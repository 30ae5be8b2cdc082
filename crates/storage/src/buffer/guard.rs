//! Pins and content locks as values. A [`Pinned`] keeps a page in the pool; [`PageRef`] and [`PageMut`] add the
//! content lock and carry a pin of their own, so that they can be stored and moved freely. Nothing here can change a
//! page except hint bits: that takes a [`Critical`](crate::Critical).

use super::desc::{PIN_WAITER, REFCOUNT_MASK};
use super::local::LOCAL;
use super::pins::Held;
use crate::Store;
use crate::page::{ItemId, LpFlags, PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use common::{BlockNumber, Error, Result};
use ipc::{Mode, WaitEvent};
use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU16, AtomicU32};

/// A pinned page: it stays in the pool, and its items stay in place. Unpinned on drop. Cloning pins once more (cheap).
pub struct Pinned {
    store: Store,
    slot: u32,
    buf: u32,
}

impl Clone for Pinned {
    fn clone(&self) -> Pinned {
        self.store.pins().increment(self.slot);
        Pinned { store: self.store.clone(), slot: self.slot, buf: self.buf }
    }
}

impl Drop for Pinned {
    #[inline]
    fn drop(&mut self) {
        if self.store.pins().decrement(self.slot) {
            self.store.raw_unpin(self.buf);
        }
    }
}

impl Pinned {
    /// Takes over a pin counted in the private table.
    #[inline]
    pub(crate) fn from_slot(store: Store, slot: u32, buf: u32) -> Pinned {
        Pinned { store, slot, buf }
    }
    #[inline]
    pub(crate) fn buf(&self) -> u32 {
        self.buf
    }
    #[inline]
    pub(crate) fn slot(&self) -> u32 {
        self.slot
    }
    /// Block number.
    #[inline]
    pub fn block(&self) -> BlockNumber {
        self.store.desc(self.buf).tag().block
    }
    /// Relation.
    pub fn rel(&self) -> RelFileLocator {
        self.store.desc(self.buf).tag().rel
    }
    /// Fork.
    pub fn fork(&self) -> Fork {
        self.store.desc(self.buf).tag().fork
    }
    /// Number of the buffer in the pool, from 0.
    pub fn buffer_number(&self) -> u32 {
        self.buf
    }
    /// Do both pin the same page?
    pub fn same_page(&self, o: &Pinned) -> bool {
        self.buf == o.buf
    }
    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// Waits for the shared content lock.
    #[inline]
    pub fn share(&self) -> PageRef {
        self.clone().into_share()
    }
    /// Waits for the shared content lock, giving the pin to the guard.
    #[inline]
    pub fn into_share(self) -> PageRef {
        let held = match self.store.pins().held(self.slot) {
            Held::Exclusive => locked_twice(),
            Held::Shared(n) => Held::Shared(n + 1),
            Held::No => {
                self.acquire(Mode::Shared);
                Held::Shared(1)
            }
        };
        self.store.pins().set_held(self.slot, held);
        PageRef { pin: self }
    }
    /// The shared lock if it is free.
    pub fn try_share(&self) -> Option<PageRef> {
        if self.store.pins().held(self.slot) == Held::No {
            if !self.try_acquire(Mode::Shared) {
                return None;
            }
            self.store.pins().set_held(self.slot, Held::Shared(1));
            return Some(PageRef { pin: self.clone() });
        }
        Some(self.share())
    }
    /// Waits for the exclusive content lock.
    #[inline]
    pub fn exclusive(&self) -> PageMut {
        self.clone().into_exclusive()
    }
    /// Waits for the exclusive content lock, giving the pin to the guard.
    #[inline]
    pub fn into_exclusive(self) -> PageMut {
        if self.store.pins().held(self.slot) != Held::No {
            locked_twice();
        }
        self.acquire(Mode::Exclusive);
        self.store.pins().set_held(self.slot, Held::Exclusive);
        PageMut { pin: self }
    }
    /// The exclusive lock if it is free.
    pub fn try_exclusive(&self) -> Option<PageMut> {
        if self.store.pins().held(self.slot) != Held::No || !self.try_acquire(Mode::Exclusive) {
            return None;
        }
        self.store.pins().set_held(self.slot, Held::Exclusive);
        Some(PageMut { pin: self.clone() })
    }
    /// Exclusive lock, and nobody else has a pin: items may be moved (pruning, vacuum). Waits; a cancel ends the wait
    /// with an error. This process must hold exactly this one pin on the page, else it would wait for itself: XX000.
    pub fn for_cleanup(&self) -> Result<PageMut> {
        if self.store.pins().count(self.slot) != 1 {
            return Err(Error::internal(format!(
                "incorrect local pin count: {}",
                self.store.pins().count(self.slot)
            )));
        }
        let d = self.store.desc(self.buf);
        loop {
            let page = self.exclusive();
            if d.load() & REFCOUNT_MASK == 1 {
                d.clear_flags(PIN_WAITER);
                return Ok(page);
            }
            // Set under the lock and checked again in the wait: an unpin in between is seen there.
            d.set_flags(PIN_WAITER);
            drop(page);
            self.store.io_condvar(self.buf).wait_until(
                self.store.ints(),
                WaitEvent::BUFFER_PIN,
                None,
                || d.load() & REFCOUNT_MASK == 1,
            )?;
        }
    }
    /// Cleanup lock if it can be had at once.
    pub fn try_for_cleanup(&self) -> Option<PageMut> {
        if self.store.pins().count(self.slot) != 1 {
            return None;
        }
        let d = self.store.desc(self.buf);
        if d.load() & REFCOUNT_MASK != 1 {
            return None;
        }
        let page = self.try_exclusive()?;
        (d.load() & REFCOUNT_MASK == 1).then_some(page)
    }
    /// The page without a content lock: bytes of items that were found visible under the lock stay as they are while
    /// pinned (except hint bits); everything else may change under the reader.
    #[inline]
    pub fn page_pinned(&self) -> &Page {
        // SAFETY: the pin keeps the block in place. Weak spot: other processes may write other bytes of the page at
        // the same time (and hint bits of these); readers must look only at items the pin protects, and every
        // accessor of `Page` checks bounds on values it has read once.
        unsafe { &*self.store.block_ptr(self.buf) }
    }
    /// The content lock; private pages need none.
    #[inline]
    fn acquire(&self, mode: Mode) {
        if self.buf < LOCAL {
            self.store.desc(self.buf).content.acquire(self.store.proc(), mode);
        }
    }
    fn try_acquire(&self, mode: Mode) -> bool {
        self.buf >= LOCAL || self.store.desc(self.buf).content.try_acquire(self.store.proc(), mode)
    }
    fn release(&self) {
        let pins = self.store.pins();
        let held = match pins.held(self.slot) {
            Held::Shared(n) if n > 1 => Held::Shared(n - 1),
            _ => {
                if self.buf < LOCAL {
                    self.store.desc(self.buf).content.release(self.store.proc());
                }
                Held::No
            }
        };
        pins.set_held(self.slot, held);
    }
    fn hint_u16(&self, at: usize) -> &AtomicU16 {
        assert!(at.is_multiple_of(2) && at + 2 <= PAGE_SIZE, "hint outside of the page");
        // SAFETY: aligned and inside the block (asserted). Hint bits are written by atomic OR under at least a shared
        // lock. Weak spot: readers under a shared lock read the same bytes with plain loads; either value is right.
        unsafe { AtomicU16::from_ptr(self.store.block_ptr(self.buf).cast::<u8>().add(at).cast()) }
    }
    fn item_dead_hint(&self, off: u16) {
        let page = self.page_pinned();
        if off == 0 || off > page.max_offset() {
            return;
        }
        let id: ItemId = page.item_id(off);
        let at = Page::lp_at(off);
        // SAFETY: line pointers are 4-byte aligned and `off` is within the array, so within the block. As `hint_u16`.
        let word = unsafe { AtomicU32::from_ptr(self.store.block_ptr(self.buf).cast::<u8>().add(at).cast()) };
        let _ = word.compare_exchange(id.0.to_le(), id.with_flags(LpFlags::Dead).0.to_le(), Relaxed, Relaxed);
    }
}

#[cold]
fn locked_twice() -> ! {
    panic!("content lock of a page taken twice by one process");
}

/// Shared content lock on a page, with a pin of its own.
pub struct PageRef {
    pin: Pinned,
}

impl PageRef {
    /// The pin.
    pub fn pin(&self) -> &Pinned {
        &self.pin
    }
    /// Block number.
    pub fn block(&self) -> BlockNumber {
        self.pin.block()
    }
    /// ORs bits into the aligned little-endian u16 at `byte_offset` (infomask hint bits), atomically, under a shared
    /// lock. Follow with [`Store::mark_dirty_hint`].
    pub fn set_hint(&self, byte_offset: usize, bits: u16) {
        self.pin.hint_u16(byte_offset).fetch_or(bits.to_le(), Relaxed);
    }
    /// Marks a line pointer dead as a hint (index entries known dead), under a shared lock.
    pub fn set_item_dead_hint(&self, off: u16) {
        self.pin.item_dead_hint(off);
    }
    /// Releases the lock, keeps the pin.
    pub fn unlock(self) -> Pinned {
        let me = ManuallyDrop::new(self);
        me.pin.release();
        // SAFETY: `me` is never dropped, so the pin is moved out exactly once.
        unsafe { std::ptr::read(&me.pin) }
    }
}

impl Drop for PageRef {
    #[inline]
    fn drop(&mut self) {
        self.pin.release();
    }
}

impl std::ops::Deref for PageRef {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: the shared content lock keeps writers out (hint bits excepted, see `hint_u16`).
        unsafe { &*self.pin.store.block_ptr(self.pin.buf) }
    }
}

/// Exclusive content lock on a page, with a pin of its own. Changed only through
/// [`Critical::page`](crate::Critical::page).
pub struct PageMut {
    pin: Pinned,
}

impl PageMut {
    /// The pin.
    pub fn pin(&self) -> &Pinned {
        &self.pin
    }
    /// Block number.
    pub fn block(&self) -> BlockNumber {
        self.pin.block()
    }
    /// Releases the lock, keeps the pin.
    pub fn unlock(self) -> Pinned {
        let me = ManuallyDrop::new(self);
        me.pin.release();
        // SAFETY: `me` is never dropped, so the pin is moved out exactly once.
        unsafe { std::ptr::read(&me.pin) }
    }
    /// Sets hint bits, as [`PageRef::set_hint`], under the exclusive lock; follow with [`PageMut::mark_dirty_hint`].
    pub fn set_hint(&self, byte_offset: usize, bits: u16) {
        self.pin.hint_u16(byte_offset).fetch_or(bits.to_le(), Relaxed);
    }
    /// As [`PageRef::set_item_dead_hint`].
    pub fn set_item_dead_hint(&self, off: u16) {
        self.pin.item_dead_hint(off);
    }
    /// As [`Store::mark_dirty_hint`].
    pub fn mark_dirty_hint(&self) {
        self.pin.store.dirty_for_hint(&self.pin);
    }
    /// Does this lock serve as a cleanup lock: nobody else pins the page, and this process only through the guard and
    /// at most one [`Pinned`] it was made from?
    pub fn is_cleanup_ok(&self) -> bool {
        self.pin.store.pins().count(self.pin.slot) <= 2
            && self.pin.store.desc(self.pin.buf).load() & REFCOUNT_MASK == 1
    }
    /// The page, changeable: for code of this crate that follows the logging rules by itself.
    #[inline]
    pub(crate) fn raw(&mut self) -> &mut Page {
        // SAFETY: the exclusive content lock keeps everyone else out; `&mut self` keeps this process from a second one.
        unsafe { &mut *self.pin.store.block_ptr(self.pin.buf) }
    }
}

impl Drop for PageMut {
    #[inline]
    fn drop(&mut self) {
        self.pin.release();
    }
}

impl std::ops::Deref for PageMut {
    type Target = Page;
    #[inline]
    fn deref(&self) -> &Page {
        // SAFETY: the exclusive content lock.
        unsafe { &*self.pin.store.block_ptr(self.pin.buf) }
    }
}

impl Store {
    /// Marks a page dirty after hint bits were set with [`PageRef::set_hint`]; logs a full-page image when checksums
    /// are on and this is the first change after a checkpoint (a torn write would otherwise break the checksum).
    #[inline]
    pub fn mark_dirty_hint(&self, page: &PageRef) {
        self.dirty_for_hint(&page.pin);
    }
}
