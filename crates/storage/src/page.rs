//! The 8 kB page: header, line pointers growing up, items growing down, special space at the end. Access methods read
//! and change pages only through these accessors; every offset found in the page is checked before it is used, so a
//! corrupted page yields XX001 and never a panic. On-disk layout: see the crate's README.

use common::{Error, Lsn, Result};

/// Bytes in a page.
pub const PAGE_SIZE: usize = 8192;
/// Bytes of the page header; the line pointer array begins here.
pub const PAGE_HEADER_SIZE: usize = 32;
/// Bytes of a line pointer.
pub const LINE_POINTER_SIZE: usize = 4;
/// Version of the page layout, kept in every initialised page.
pub const PAGE_VERSION: u16 = 1;
/// Most line pointers a heap page may have (23-byte tuple header aligned to 24, plus its line pointer).
pub const MAX_HEAP_TUPLES_PER_PAGE: usize = (PAGE_SIZE - PAGE_HEADER_SIZE) / (24 + LINE_POINTER_SIZE);
/// Most line pointers any page can hold.
pub const MAX_LINE_POINTERS: usize = (PAGE_SIZE - PAGE_HEADER_SIZE) / LINE_POINTER_SIZE;

const OFF_LSN: usize = 0;
const OFF_CHECKSUM: usize = 8;
const OFF_FLAGS: usize = 10;
const OFF_LOWER: usize = 12;
const OFF_UPPER: usize = 14;
const OFF_SPECIAL: usize = 16;
const OFF_VERSION: usize = 18;
const OFF_PRUNE: usize = 20;
const OFF_XID_BASE: usize = 24;

/// Page flag: there may be unused line pointers.
pub const PD_HAS_FREE_LINES: u16 = 1;
/// Page flag: not enough room for a new version was found; pruning is worth trying.
pub const PD_PAGE_FULL: u16 = 2;
/// Page flag: all tuples are visible to everyone.
pub const PD_ALL_VISIBLE: u16 = 4;

/// `n` rounded up to a multiple of 8.
#[inline]
pub const fn maxalign(n: usize) -> usize {
    (n + 7) & !7
}

/// State of a line pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LpFlags {
    Unused = 0,
    Normal = 1,
    Redirect = 2,
    Dead = 3,
}

/// A line pointer: offset (15 bits), state (2 bits), length (15 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct ItemId(pub u32);

impl ItemId {
    /// Builds a line pointer.
    #[inline]
    pub const fn new(offset: u16, flags: LpFlags, len: u16) -> ItemId {
        ItemId((offset as u32 & 0x7fff) | ((flags as u32) << 15) | ((len as u32 & 0x7fff) << 17))
    }
    /// An unused line pointer.
    pub const UNUSED: ItemId = ItemId(0);
    /// Byte offset of the item in the page; of a redirect, the line pointer number it leads to.
    #[inline]
    pub const fn offset(self) -> u16 {
        (self.0 & 0x7fff) as u16
    }
    /// Length of the item in bytes.
    #[inline]
    pub const fn len(self) -> u16 {
        (self.0 >> 17) as u16
    }
    /// Has it no storage?
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// State.
    #[inline]
    pub const fn flags(self) -> LpFlags {
        match (self.0 >> 15) & 3 {
            0 => LpFlags::Unused,
            1 => LpFlags::Normal,
            2 => LpFlags::Redirect,
            _ => LpFlags::Dead,
        }
    }
    /// Is the state NORMAL?
    #[inline]
    pub const fn is_normal(self) -> bool {
        (self.0 >> 15) & 3 == LpFlags::Normal as u32
    }
    /// Is the state UNUSED?
    #[inline]
    pub const fn is_unused(self) -> bool {
        (self.0 >> 15) & 3 == LpFlags::Unused as u32
    }
    /// Is the state REDIRECT?
    #[inline]
    pub const fn is_redirect(self) -> bool {
        (self.0 >> 15) & 3 == LpFlags::Redirect as u32
    }
    /// Is the state DEAD?
    #[inline]
    pub const fn is_dead(self) -> bool {
        (self.0 >> 15) & 3 == LpFlags::Dead as u32
    }
    /// Does it own bytes in the page?
    #[inline]
    pub const fn has_storage(self) -> bool {
        !self.is_empty()
    }
    /// Same storage, other state.
    #[inline]
    pub const fn with_flags(self, f: LpFlags) -> ItemId {
        ItemId((self.0 & !(3 << 15)) | ((f as u32) << 15))
    }
}

/// One 8 kB page.
#[repr(C, align(8))]
#[derive(Clone)]
pub struct Page([u8; PAGE_SIZE]);

impl Page {
    /// A page of zeros: what extension leaves behind ("new").
    pub fn zeroed() -> Box<Page> {
        Box::new(Page([0; PAGE_SIZE]))
    }
    /// The raw bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8; PAGE_SIZE] {
        &self.0
    }
    /// The raw bytes, to be changed.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8; PAGE_SIZE] {
        &mut self.0
    }
    #[inline]
    fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }
    #[inline]
    fn u64_at(&self, at: usize) -> u64 {
        let mut b = [0; 8];
        b.copy_from_slice(&self.0[at..at + 8]);
        u64::from_le_bytes(b)
    }
    #[inline]
    fn put_u16(&mut self, at: usize, v: u16) {
        self.0[at..at + 2].copy_from_slice(&v.to_le_bytes());
    }

    /// LSN of the end of the last log record that changed the page.
    #[inline]
    pub fn lsn(&self) -> Lsn {
        Lsn(self.u64_at(OFF_LSN))
    }
    /// Sets the LSN. Done by [`Critical::log`](crate::Critical::log) and redo.
    #[inline]
    pub fn set_lsn(&mut self, lsn: Lsn) {
        self.0[OFF_LSN..OFF_LSN + 8].copy_from_slice(&lsn.0.to_le_bytes());
    }
    /// Stored checksum (meaningful on disk only).
    pub fn checksum(&self) -> u16 {
        self.u16_at(OFF_CHECKSUM)
    }
    /// Stores a checksum.
    pub fn set_checksum(&mut self, v: u16) {
        self.put_u16(OFF_CHECKSUM, v);
    }
    /// `PD_*` flags.
    #[inline]
    pub fn flags(&self) -> u16 {
        self.u16_at(OFF_FLAGS)
    }
    /// Sets or clears `PD_*` flags.
    #[inline]
    pub fn set_flag(&mut self, flag: u16, on: bool) {
        let f = self.flags();
        self.put_u16(OFF_FLAGS, if on { f | flag } else { f & !flag });
    }
    /// Is `PD_ALL_VISIBLE` set?
    #[inline]
    pub fn is_all_visible(&self) -> bool {
        self.flags() & PD_ALL_VISIBLE != 0
    }
    /// End of the line pointer array.
    #[inline]
    pub fn lower(&self) -> usize {
        self.u16_at(OFF_LOWER) as usize
    }
    /// Start of the items.
    #[inline]
    pub fn upper(&self) -> usize {
        self.u16_at(OFF_UPPER) as usize
    }
    /// Start of the special space.
    #[inline]
    pub fn special_offset(&self) -> usize {
        self.u16_at(OFF_SPECIAL) as usize
    }
    /// Layout version.
    pub fn version(&self) -> u16 {
        self.u16_at(OFF_VERSION)
    }
    /// Oldest transaction whose end makes pruning worthwhile, as offset to the base; 0 = none. The heap interprets it.
    pub fn prune_xid(&self) -> u32 {
        let mut b = [0; 4];
        b.copy_from_slice(&self.0[OFF_PRUNE..OFF_PRUNE + 4]);
        u32::from_le_bytes(b)
    }
    /// Sets the prune hint.
    pub fn set_prune_xid(&mut self, v: u32) {
        self.0[OFF_PRUNE..OFF_PRUNE + 4].copy_from_slice(&v.to_le_bytes());
    }
    /// Base of the tuples' 32-bit transaction ids.
    #[inline]
    pub fn xid_base(&self) -> u64 {
        self.u64_at(OFF_XID_BASE)
    }
    /// Sets the base; the caller rewrites the tuples' offsets.
    pub fn set_xid_base(&mut self, v: u64) {
        self.0[OFF_XID_BASE..OFF_XID_BASE + 8].copy_from_slice(&v.to_le_bytes());
    }
    /// Sets the end of the line pointer array (metapages keep their data below it so that it survives hole removal).
    pub fn set_lower(&mut self, v: usize) {
        self.put_u16(OFF_LOWER, v as u16);
    }
    /// Sets the start of the items.
    pub fn set_upper(&mut self, v: usize) {
        self.put_u16(OFF_UPPER, v as u16);
    }

    /// Makes it an empty page with `special` bytes (rounded up to 8) at the end.
    pub fn init(&mut self, special: usize) {
        let special = PAGE_SIZE - maxalign(special);
        self.0.fill(0);
        self.put_u16(OFF_LOWER, PAGE_HEADER_SIZE as u16);
        self.put_u16(OFF_UPPER, special as u16);
        self.put_u16(OFF_SPECIAL, special as u16);
        self.put_u16(OFF_VERSION, PAGE_VERSION);
    }
    /// Never initialised: all zeros since the file was extended.
    #[inline]
    pub fn is_new(&self) -> bool {
        self.upper() == 0
    }
    /// Is the whole page zero?
    pub fn is_all_zero(&self) -> bool {
        self.0.iter().all(|b| *b == 0)
    }
    /// Do the header's offsets make sense? Checked when a page comes from disk.
    pub fn header_is_valid(&self) -> bool {
        let (l, u, s) = (self.lower(), self.upper(), self.special_offset());
        l >= PAGE_HEADER_SIZE
            && l <= u
            && u <= s
            && s <= PAGE_SIZE
            && s == maxalign(s)
            && self.version() == PAGE_VERSION
    }
    /// The special space.
    #[inline]
    pub fn special(&self) -> &[u8] {
        self.0.get(self.special_offset()..).unwrap_or(&[])
    }
    /// The special space, to be changed.
    #[inline]
    pub fn special_mut(&mut self) -> &mut [u8] {
        let at = self.special_offset().min(PAGE_SIZE);
        &mut self.0[at..]
    }

    /// Number of line pointers.
    #[inline]
    pub fn max_offset(&self) -> u16 {
        let l = self.lower().min(PAGE_SIZE);
        (l.saturating_sub(PAGE_HEADER_SIZE) / LINE_POINTER_SIZE) as u16
    }
    /// Line pointer `off` (from 1); UNUSED beyond the array.
    #[inline]
    pub fn item_id(&self, off: u16) -> ItemId {
        if off == 0 || off > self.max_offset() {
            return ItemId::UNUSED;
        }
        self.lp(off)
    }
    /// Line pointer without the range check on the array; 1 ≤ off ≤ MAX_LINE_POINTERS.
    #[inline]
    fn lp(&self, off: u16) -> ItemId {
        let at = Self::lp_at(off);
        ItemId(u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]]))
    }
    /// Byte offset of line pointer `off`.
    #[inline]
    pub fn lp_at(off: u16) -> usize {
        PAGE_HEADER_SIZE + (off as usize - 1) * LINE_POINTER_SIZE
    }
    /// Overwrites line pointer `off`. XX001 when it is beyond the array.
    pub fn set_item_id(&mut self, off: u16, id: ItemId) -> Result<()> {
        if off == 0 || off > self.max_offset() {
            return Err(bad_offset(off, self.max_offset()));
        }
        self.put_lp(off, id);
        Ok(())
    }
    #[inline]
    fn put_lp(&mut self, off: u16, id: ItemId) {
        let at = Self::lp_at(off);
        self.0[at..at + 4].copy_from_slice(&id.0.to_le_bytes());
    }
    /// Changes the state of a line pointer, keeping its storage.
    pub fn set_item_flags(&mut self, off: u16, flags: LpFlags) -> Result<()> {
        self.set_item_id(off, self.item_id(off).with_flags(flags))
    }
    /// Makes the line pointer lead to `to` (HOT).
    pub fn set_redirect(&mut self, off: u16, to: u16) -> Result<()> {
        self.set_item_id(off, ItemId::new(to, LpFlags::Redirect, 0))
    }
    /// Makes the line pointer dead without storage.
    pub fn set_dead(&mut self, off: u16) -> Result<()> {
        self.set_item_id(off, ItemId::new(0, LpFlags::Dead, 0))
    }
    /// Makes the line pointer unused.
    pub fn set_unused(&mut self, off: u16) -> Result<()> {
        self.set_item_id(off, ItemId::UNUSED)?;
        self.set_flag(PD_HAS_FREE_LINES, true);
        Ok(())
    }
    /// The bytes a line pointer covers, or XX001.
    #[inline]
    pub fn item_bytes(&self, id: ItemId) -> Result<&[u8]> {
        let (o, l) = (id.offset() as usize, id.len() as usize);
        if o >= PAGE_HEADER_SIZE && o + l <= PAGE_SIZE { Ok(&self.0[o..o + l]) } else { Err(bad_item(id)) }
    }
    /// The item at line pointer `off`: XX001 when it has no storage or points outside the page.
    #[inline]
    pub fn item(&self, off: u16) -> Result<&[u8]> {
        let id = self.item_id(off);
        if !id.has_storage() {
            return Err(bad_item(id));
        }
        self.item_bytes(id)
    }
    /// The item at line pointer `off`, to be changed.
    #[inline]
    pub fn item_mut(&mut self, off: u16) -> Result<&mut [u8]> {
        let id = self.item_id(off);
        let (o, l) = (id.offset() as usize, id.len() as usize);
        if l == 0 || o < PAGE_HEADER_SIZE || o + l > PAGE_SIZE {
            return Err(bad_item(id));
        }
        Ok(&mut self.0[o..o + l])
    }

    /// Bytes between the line pointers and the items, without reserving a line pointer.
    #[inline]
    pub fn exact_free_space(&self) -> usize {
        self.upper().saturating_sub(self.lower()).min(PAGE_SIZE)
    }
    /// Room for one more item with its line pointer.
    #[inline]
    pub fn free_space(&self) -> usize {
        self.exact_free_space().saturating_sub(LINE_POINTER_SIZE)
    }
    /// [`Page::free_space`] for a heap page: zero when the line pointer array is full.
    pub fn heap_free_space(&self) -> usize {
        let space = self.free_space();
        let max = self.max_offset();
        if space > 0 && max as usize >= MAX_HEAP_TUPLES_PER_PAGE {
            let reusable = self.flags() & PD_HAS_FREE_LINES != 0 && (1..=max).any(|o| self.lp(o).is_unused());
            if !reusable {
                return 0;
            }
        }
        space
    }

    /// Adds an item, reusing an unused line pointer if there is one. `None` when it does not fit.
    pub fn add_item(&mut self, item: &[u8]) -> Option<u16> {
        let max = self.max_offset();
        let mut off = max + 1;
        if self.flags() & PD_HAS_FREE_LINES != 0 {
            match (1..=max).find(|o| self.lp(*o).is_unused()) {
                Some(o) => off = o,
                None => self.set_flag(PD_HAS_FREE_LINES, false),
            }
        }
        self.place(off, item, false).then_some(off)
    }
    /// Adds a heap tuple: [`Page::add_item`] with the heap's limit on line pointers.
    pub fn add_heap_item(&mut self, item: &[u8]) -> Option<u16> {
        if self.max_offset() as usize >= MAX_HEAP_TUPLES_PER_PAGE && self.heap_free_space() == 0 {
            return None;
        }
        self.add_item(item)
    }
    /// Inserts an item at `off`, moving later line pointers up by one (indexes). False when it does not fit or `off`
    /// leaves a gap.
    #[must_use]
    pub fn insert_item(&mut self, off: u16, item: &[u8]) -> bool {
        off >= 1 && off <= self.max_offset() + 1 && self.place(off, item, true)
    }
    /// Puts an item at exactly `off`, which must be unused or just beyond the array (redo, overwriting). False when it
    /// does not fit.
    #[must_use]
    pub fn put_item(&mut self, off: u16, item: &[u8]) -> bool {
        let max = self.max_offset();
        if off == 0 || off > max + 1 || (off <= max && self.lp(off).has_storage()) {
            return false;
        }
        self.place(off, item, false)
    }
    fn place(&mut self, off: u16, item: &[u8], shift: bool) -> bool {
        let max = self.max_offset();
        let (lower, upper) = (self.lower(), self.upper());
        let grows = shift || off > max;
        let new_lower = lower + if grows { LINE_POINTER_SIZE } else { 0 };
        let size = maxalign(item.len());
        if upper > PAGE_SIZE || item.is_empty() || item.len() > 0x7fff || new_lower + size > upper {
            return false;
        }
        let at = upper - size;
        if shift && off <= max {
            let from = Self::lp_at(off);
            self.0.copy_within(from..lower, from + LINE_POINTER_SIZE);
        }
        self.0[at..at + item.len()].copy_from_slice(item);
        self.0[at + item.len()..upper].fill(0);
        self.put_lp(off, ItemId::new(at as u16, LpFlags::Normal, item.len() as u16));
        self.set_lower(new_lower);
        self.set_upper(at);
        true
    }

    /// Moves all items with storage to the end of the page, in place (defragmentation). Line pointers without storage
    /// stay. XX001 when a line pointer leads outside the items' area.
    pub fn compactify(&mut self) -> Result<()> {
        let special = self.special_offset();
        let (lower, upper) = (self.lower(), self.upper());
        if lower < PAGE_HEADER_SIZE || lower > upper || upper > special || special > PAGE_SIZE {
            return Err(Error::corrupted(format!(
                "corrupted page pointers: lower = {lower}, upper = {upper}, special = {special}"
            )));
        }
        let max = self.max_offset();
        let mut items: Vec<(u16, u16)> = Vec::with_capacity(max as usize);
        let mut sorted = true;
        for off in 1..=max {
            let id = self.lp(off);
            if id.has_storage() {
                sorted &= items.last().is_none_or(|last| id.offset() < last.0);
                items.push((id.offset(), off));
            }
        }
        // In physical order from the end: each item moves up, over bytes that have moved already.
        if !sorted {
            items.sort_unstable_by_key(|i| std::cmp::Reverse(i.0));
        }
        let mut end = special;
        for &(o, off) in &items {
            let size = maxalign(self.lp(off).len() as usize);
            if (o as usize) < upper || o as usize + size > end {
                return Err(Error::corrupted(format!("corrupted line pointer: {o}")));
            }
            end = o as usize;
        }
        let mut at = special;
        for &(o, off) in &items {
            let (o, id) = (o as usize, self.lp(off));
            let l = id.len() as usize;
            let size = maxalign(l);
            at -= size;
            if at != o {
                self.0.copy_within(o..o + l, at);
                self.0[at + l..at + size].fill(0);
                self.put_lp(off, ItemId::new(at as u16, id.flags(), l as u16));
            }
        }
        self.set_upper(at);
        Ok(())
    }
    /// After pruning a heap page: frees the storage of unused line pointers, drops unused ones at the end of the
    /// array, defragments, and sets `PD_HAS_FREE_LINES` as it is.
    pub fn repair_fragmentation(&mut self) -> Result<()> {
        let mut last_used = 0;
        let mut any_unused = false;
        for off in 1..=self.max_offset() {
            let id = self.lp(off);
            if id.is_unused() {
                self.put_lp(off, ItemId::UNUSED);
            } else {
                any_unused |= off > last_used + 1;
                last_used = off;
            }
        }
        self.truncate_line_pointers(last_used);
        self.set_flag(PD_HAS_FREE_LINES, any_unused);
        self.compactify()
    }
    /// Shortens the line pointer array to `max` entries; the caller knows that the rest is unused.
    pub fn truncate_line_pointers(&mut self, max: u16) {
        if max < self.max_offset() {
            let new_lower = PAGE_HEADER_SIZE + max as usize * LINE_POINTER_SIZE;
            let lower = self.lower().min(PAGE_SIZE);
            self.0[new_lower..lower].fill(0);
            self.set_lower(new_lower);
        }
    }

    /// Removes line pointers `offs` (ascending) and their items from an index page, closing the gaps in the array.
    pub fn index_multi_delete(&mut self, offs: &[u16]) -> Result<()> {
        if offs.is_empty() {
            return Ok(());
        }
        let max = self.max_offset();
        if offs[0] == 0 || offs[offs.len() - 1] > max || offs.windows(2).any(|w| w[0] >= w[1]) {
            return Err(Error::corrupted("incorrect index offsets supplied"));
        }
        let (mut next, mut kept) = (0, 0u16);
        for off in 1..=max {
            if next < offs.len() && offs[next] == off {
                next += 1;
                continue;
            }
            kept += 1;
            let id = self.lp(off);
            self.put_lp(kept, id);
        }
        self.truncate_line_pointers(kept);
        self.compactify()
    }
    /// Removes one item from an index page.
    pub fn index_delete(&mut self, off: u16) -> Result<()> {
        self.index_multi_delete(&[off])
    }
    /// Replaces the item at `off` by one of any length. Returns false when there is no room (the page is unchanged).
    pub fn index_overwrite(&mut self, off: u16, item: &[u8]) -> Result<bool> {
        let id = self.item_id(off);
        let old = self.item(off)?.len();
        if maxalign(old) == maxalign(item.len()) {
            let at = id.offset() as usize;
            if at + maxalign(item.len()) > PAGE_SIZE {
                return Err(bad_item(id));
            }
            self.0[at..at + item.len()].copy_from_slice(item);
            self.0[at + item.len()..at + maxalign(item.len())].fill(0);
            self.put_lp(off, ItemId::new(id.offset(), id.flags(), item.len() as u16));
            return Ok(true);
        }
        if maxalign(item.len()) > self.exact_free_space() + maxalign(old) {
            return Ok(false);
        }
        self.put_lp(off, ItemId::UNUSED);
        self.compactify()?;
        let at = self.upper() - maxalign(item.len());
        let upper = self.upper();
        self.0[at..at + item.len()].copy_from_slice(item);
        self.0[at + item.len()..upper].fill(0);
        self.put_lp(off, ItemId::new(at as u16, LpFlags::Normal, item.len() as u16));
        self.set_upper(at);
        Ok(true)
    }
    /// Replaces the items at these offsets by others that take no more room each. Returns false when one takes more (the
    /// page is unchanged). The page is defragmented once.
    pub fn index_shrink(&mut self, items: &[(u16, &[u8])]) -> Result<bool> {
        for (off, item) in items {
            if maxalign(item.len()) > maxalign(self.item(*off)?.len()) {
                return Ok(false);
            }
        }
        let mut gaps = false;
        for (off, item) in items {
            let (id, l) = (self.item_id(*off), item.len());
            let (at, old) = (id.offset() as usize, maxalign(id.len() as usize));
            self.0[at..at + l].copy_from_slice(item);
            self.0[at + l..at + maxalign(l)].fill(0);
            self.put_lp(*off, ItemId::new(id.offset(), id.flags(), l as u16));
            gaps |= maxalign(l) != old;
        }
        if gaps {
            self.compactify()?;
        }
        Ok(true)
    }

    /// The 16-bit checksum of the page as block `block`: CRC-32 of everything but the checksum field itself, seeded with
    /// the block number so that a misplaced page is noticed, folded to 1..=65535.
    pub fn compute_checksum(&self, block: u32) -> u16 {
        let mut h = crc32fast::Hasher::new();
        h.update(&self.0[..OFF_CHECKSUM]);
        h.update(&block.to_le_bytes());
        h.update(&self.0[OFF_FLAGS..]);
        let c = h.finalize();
        (((c >> 16) ^ c) % 65535 + 1) as u16
    }
    /// Is the page, as read from disk as block `block`, whole? A page of zeros is.
    pub fn verify(&self, block: u32, checksums: bool) -> bool {
        if self.is_new() {
            return self.is_all_zero();
        }
        (!checksums || self.checksum() == self.compute_checksum(block)) && self.header_is_valid()
    }
}

fn bad_offset(off: u16, max: u16) -> Error {
    Error::corrupted(format!("line pointer {off} is beyond the end of the page ({max})"))
}
fn bad_item(id: ItemId) -> Error {
    Error::corrupted(format!("corrupted line pointer: offset = {}, size = {}", id.offset(), id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rnd(s: &mut u64) -> u64 {
        *s ^= *s << 13;
        *s ^= *s >> 7;
        *s ^= *s << 17;
        *s
    }

    #[test]
    fn add_delete_compact_keeps_items() {
        let mut s = 7;
        for _ in 0..50 {
            let mut p = Page::zeroed();
            p.init(16);
            let mut model: Vec<Vec<u8>> = vec![];
            for step in 0..300 {
                if !rnd(&mut s).is_multiple_of(3) || model.is_empty() {
                    let n = 1 + (rnd(&mut s) % 200) as usize;
                    let item = vec![step as u8; n];
                    let at = rnd(&mut s) as usize % (model.len() + 1);
                    if p.insert_item(at as u16 + 1, &item) {
                        model.insert(at, item);
                    } else {
                        assert!(p.free_space() < maxalign(n));
                    }
                } else {
                    let at = rnd(&mut s) as usize % model.len();
                    p.index_delete(at as u16 + 1).unwrap();
                    model.remove(at);
                }
                assert_eq!(p.max_offset() as usize, model.len());
                assert!(p.header_is_valid());
            }
            for (i, m) in model.iter().enumerate() {
                assert_eq!(p.item(i as u16 + 1).unwrap(), &m[..]);
            }
        }
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut s = 99;
        for _ in 0..2000 {
            let mut p = Page::zeroed();
            p.init(16);
            for _ in 0..20 {
                let _ = p.add_item(&[1, 2, 3]);
            }
            for _ in 0..20 {
                let at = rnd(&mut s) as usize % 100;
                p.bytes_mut()[at] = rnd(&mut s) as u8;
            }
            for o in 0..p.max_offset().min(2100) {
                let _ = p.item(o);
                let _ = p.item_mut(o);
            }
            let _ = p.add_item(&[0; 30]);
            let _ = p.insert_item(2, &[0; 30]);
            let _ = p.index_overwrite(3, &[1; 40]);
            let _ = p.index_multi_delete(&[1, 2]);
            let _ = p.repair_fragmentation();
            let _ = (p.special().len(), p.special_mut().len(), p.heap_free_space());
        }
    }

    #[test]
    fn checksum_sees_every_byte_and_the_block() {
        let mut p = Page::zeroed();
        p.init(0);
        p.add_item(b"hello").unwrap();
        let c = p.compute_checksum(5);
        p.set_checksum(c);
        assert!(p.verify(5, true));
        assert!(!p.verify(6, true));
        for at in [0, 12, 40, 5000, 8191] {
            p.bytes_mut()[at] ^= 1;
            assert!(!p.verify(5, true), "{at}");
            p.bytes_mut()[at] ^= 1;
        }
    }

    #[test]
    fn heap_page_reuses_unused_lines() {
        let mut p = Page::zeroed();
        p.init(0);
        for _ in 0..5 {
            p.add_heap_item(&[9; 100]).unwrap();
        }
        p.set_unused(2).unwrap();
        p.set_unused(5).unwrap();
        p.repair_fragmentation().unwrap();
        assert_eq!(p.max_offset(), 4);
        assert_eq!(p.add_heap_item(&[8; 50]), Some(2));
        assert_eq!(p.add_heap_item(&[8; 50]), Some(5));
        p.set_unused(1).unwrap();
        assert!(p.index_overwrite(3, &[7; 300]).unwrap());
        assert_eq!(p.item(3).unwrap(), &[7; 300][..]);
        assert_eq!(p.item(2).unwrap(), &[8; 50][..]);
    }
}
