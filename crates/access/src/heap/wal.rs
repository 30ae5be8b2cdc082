//! Log records of the heap: what each holds, and the page changes that doing and redoing have in common.
//!
//! New tuples are logged from byte 18 on (infomasks, data offset, null bitmap, data): xmin is the record's
//! transaction, ctid follows from the address, and command ids mean nothing after a crash.

use super::header::{self, Header};
use super::page::{self, bases};
use common::{BlockNumber, Error, MultiXactId, Result, Tid, Xid};
use storage::{Critical, Page, PageMut, Pinned, RecordBuilder, RmgrId, vm};

use crate::rel::Rel;
use crate::txn::{self, Engine};

// Heap records (info byte).
pub const INSERT: u8 = 0x00;
pub const DELETE: u8 = 0x10;
pub const UPDATE: u8 = 0x20;
pub const LOCK: u8 = 0x30;
pub const INPLACE: u8 = 0x40;
pub const CONFIRM: u8 = 0x50;
/// A speculative tuple dies (its xmin becomes invalid).
pub const SUPER_DELETE: u8 = 0x60;
// Heap2 records.
pub const PRUNE: u8 = 0x10;
/// Dead line pointers become unused (vacuum's second pass).
pub const VACUUM: u8 = 0x20;
pub const VISIBLE: u8 = 0x30;
pub const MULTI_INSERT: u8 = 0x40;
/// New bases: page image.
pub const REBASE: u8 = 0x50;
/// A version written with its history: the whole tuple, its words by the page's bases.
pub const CARRY: u8 = 0x60;

/// The visibility map bit of the (old) page was cleared.
pub const F_VM_CLEARED: u8 = 1;
/// The visibility map bit of the update's new page was cleared.
pub const F_NEW_VM_CLEARED: u8 = 2;
/// Redo makes the (new) page from nothing; the bases follow.
pub const F_INIT: u8 = 4;
/// The tuple is speculative; its token follows.
pub const F_SPECULATIVE: u8 = 8;
/// Only the all-frozen bit was cleared.
pub const F_FROZEN_CLEARED: u8 = 16;

/// Bytes of a tuple header that the log leaves out.
pub const SKIPPED: usize = 18;

/// Reads a record's fields in order.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            return Err(Error::corrupted("heap log record is too short"));
        }
        let (a, b) = self.0.split_at(n);
        self.0 = b;
        Ok(a)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.take(N)?);
        Ok(a)
    }
    /// A byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}

/// A record's main data under construction, on the stack.
pub struct Writer {
    buf: [u8; 64],
    len: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Writer { buf: [0; 64], len: 0 }
    }
}

impl Writer {
    fn put(&mut self, b: &[u8]) -> &mut Self {
        self.buf[self.len..self.len + b.len()].copy_from_slice(b);
        self.len += b.len();
        self
    }
    /// Appends a byte.
    pub fn u8(&mut self, v: u8) -> &mut Self {
        self.put(&[v])
    }
    /// Appends two bytes.
    pub fn u16(&mut self, v: u16) -> &mut Self {
        self.put(&v.to_le_bytes())
    }
    /// Appends four bytes.
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.put(&v.to_le_bytes())
    }
    /// Appends eight bytes.
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.put(&v.to_le_bytes())
    }
    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }
}

/// The xmax of a tuple with everything that describes it: what locking, deleting and updating write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Xmax {
    pub xid: Xid,
    pub multi: MultiXactId,
    /// Bits of [`header::XMAX_BITS`].
    pub infomask: u16,
    /// [`header::KEYS_UPDATED`] or nothing.
    pub infomask2: u16,
}

impl Xmax {
    /// The word's id, transaction or multixact.
    pub fn raw(&self) -> u64 {
        if self.infomask & header::XMAX_IS_MULTI != 0 { self.multi.0 } else { self.xid.0 }
    }
    /// From the logged form.
    pub fn from_raw(raw: u64, infomask: u16, infomask2: u16) -> Xmax {
        let multi = infomask & header::XMAX_IS_MULTI != 0;
        Xmax {
            xid: Xid(if multi { 0 } else { raw }),
            multi: MultiXactId(if multi { raw } else { 0 }),
            infomask,
            infomask2,
        }
    }
    /// No xmax.
    pub fn none() -> Xmax {
        Xmax { infomask: header::XMAX_INVALID, ..Default::default() }
    }
}

/// Writes an xmax into the tuple at `off`. `cid`: command word; `ctid`: successor, `None` leaves it.
pub fn apply_xmax(
    p: &mut Page,
    off: u16,
    x: &Xmax,
    cid: Option<(u32, bool)>,
    ctid: Option<Tid>,
    hot: bool,
) -> Result<()> {
    let b = bases(p);
    let t = p.item_mut(off)?;
    if t.len() < header::HEADER_SIZE {
        return Err(Error::corrupted("heap tuple is too short"));
    }
    let mut h = Header::read(t, b);
    h.infomask = (h.infomask & !header::XMAX_BITS) | x.infomask;
    h.infomask2 = (h.infomask2 & !(header::KEYS_UPDATED | header::HOT_UPDATED)) | x.infomask2;
    if hot {
        h.infomask2 |= header::HOT_UPDATED;
    }
    h.xmax = x.xid;
    h.multi = x.multi;
    if let Some((cid, combo)) = cid {
        h.cid = cid;
        h.infomask = (h.infomask & !header::COMBOCID) | if combo { header::COMBOCID } else { 0 };
    }
    if let Some(c) = ctid {
        h.ctid = c;
    }
    h.write(t, b);
    Ok(())
}

/// Makes room in the page's words for these ids, rebasing it if need be.
pub fn ensure_fits(eng: &Engine, rel: &Rel, g: &mut PageMut, xid: Xid, multi: MultiXactId) -> Result<()> {
    let b = bases(g);
    if b.xid_fits(xid) && b.multi_fits(multi) {
        return Ok(());
    }
    let horizon = txn::oldest_xmin(eng, rel);
    let mut new = b;
    if !b.xid_fits(xid) {
        new.xid = header::Bases::centred(xid.0);
    }
    if !b.multi_fits(multi) {
        new.multi = header::Bases::centred(multi.0);
    }
    let mut copy = Page::zeroed();
    copy.bytes_mut().copy_from_slice(g.bytes());
    page::rebase(&mut copy, new, horizon, &|x| txn::did_commit(eng, x).unwrap_or(false))?;
    let cr = txn::store(eng).begin_critical();
    cr.page(g).bytes_mut().copy_from_slice(copy.bytes());
    if rel.is_logged() {
        let mut r = cr.record(RmgrId::HEAP2, REBASE, txn::current_xid(eng));
        r.block(0, g, storage::RegFlags::STANDARD | storage::RegFlags::FORCE_IMAGE);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}

/// Logs a finished record of a permanent relation, or notes that there is none to log.
pub fn finish(rel: &Rel, cr: &Critical, build: impl FnOnce() -> RecordBuilder) {
    if rel.is_logged() {
        cr.log(build());
    } else {
        cr.unlogged();
    }
}

/// Pins the map page if the heap page is marked all-visible. Called with the heap page locked: the map page is read
/// under the lock, which happens once per page between vacuums.
pub fn vm_pin_if_visible(eng: &Engine, rel: &Rel, g: &PageMut) -> Result<Option<Pinned>> {
    let mut pin = None;
    if g.is_all_visible() {
        vm::pin(txn::store(eng), rel.locator, g.pin().block(), &mut pin)?;
    }
    Ok(pin)
}

/// Clears the page's all-visible mark and its map bits, inside a critical section.
pub fn clear_visible(eng: &Engine, p: &mut Page, pin: &Option<Pinned>, block: BlockNumber) -> Result<bool> {
    let Some(pin) = pin else { return Ok(false) };
    p.set_flag(storage::page::PD_ALL_VISIBLE, false);
    vm::clear(txn::store(eng), pin, block, vm::VALID_BITS)?;
    Ok(true)
}
