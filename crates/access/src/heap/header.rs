//! The 23-byte header in front of every heap tuple, PostgreSQL's shape: two 32-bit transaction words, the command
//! id, the ctid, two infomasks and the data offset. The transaction words are offsets to the page's `pd_xid_base` (or
//! to its multixact base); [`Bases`] turns them into 64-bit ids. Everything that touches tuple bytes goes through here.
//!
//! Invariant: word values 0, 1, 2 mean [`Xid::INVALID`], [`Xid::BOOTSTRAP`], [`Xid::FROZEN`] on every page.

use common::{BlockNumber, CommandId, MultiXactId, Tid, Xid};

/// Bytes of the fixed part.
pub const HEADER_SIZE: usize = 23;
/// Alignment of tuples on a page and of user data in a tuple.
pub const MAXALIGN: usize = 8;

pub const HASNULL: u16 = 0x0001;
pub const HASVARWIDTH: u16 = 0x0002;
pub const HASEXTERNAL: u16 = 0x0004;
pub const XMAX_KEYSHR_LOCK: u16 = 0x0010;
pub const COMBOCID: u16 = 0x0020;
pub const XMAX_EXCL_LOCK: u16 = 0x0040;
pub const XMAX_LOCK_ONLY: u16 = 0x0080;
pub const XMAX_SHR_LOCK: u16 = XMAX_EXCL_LOCK | XMAX_KEYSHR_LOCK;
pub const LOCK_MASK: u16 = XMAX_SHR_LOCK;
pub const XMIN_COMMITTED: u16 = 0x0100;
pub const XMIN_INVALID: u16 = 0x0200;
pub const XMIN_FROZEN: u16 = XMIN_COMMITTED | XMIN_INVALID;
pub const XMAX_COMMITTED: u16 = 0x0400;
pub const XMAX_INVALID: u16 = 0x0800;
pub const XMAX_IS_MULTI: u16 = 0x1000;
pub const UPDATED: u16 = 0x2000;
/// Everything that describes xmax.
pub const XMAX_BITS: u16 = XMAX_COMMITTED | XMAX_INVALID | XMAX_IS_MULTI | LOCK_MASK | XMAX_LOCK_ONLY;

pub const NATTS_MASK: u16 = 0x07FF;
pub const KEYS_UPDATED: u16 = 0x2000;
pub const HOT_UPDATED: u16 = 0x4000;
pub const HEAP_ONLY: u16 = 0x8000;

/// The offset number that marks a speculatively inserted tuple (its ctid's block then holds the token).
pub const SPEC_OFFSET: u16 = 0xFFFE;

/// What the 32-bit transaction words of one page are relative to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bases {
    pub xid: u64,
    pub multi: u64,
}

/// Largest distance a word can express.
const SPAN: u64 = u32::MAX as u64;

impl Bases {
    /// Word → xid.
    #[inline]
    pub fn xid(&self, word: u32) -> Xid {
        if word < 3 { Xid(u64::from(word)) } else { Xid(self.xid + u64::from(word)) }
    }
    /// Word → multixact.
    #[inline]
    pub fn multi(&self, word: u32) -> MultiXactId {
        if word == 0 { MultiXactId(0) } else { MultiXactId(self.multi + u64::from(word)) }
    }
    /// Can the page express this xid?
    #[inline]
    pub fn xid_fits(&self, xid: Xid) -> bool {
        !xid.is_normal() || (xid.0 >= self.xid + 3 && xid.0 - self.xid <= SPAN)
    }
    /// Can the page express this multixact?
    #[inline]
    pub fn multi_fits(&self, m: MultiXactId) -> bool {
        m.0 == 0 || (m.0 > self.multi && m.0 - self.multi <= SPAN)
    }
    /// Xid → word; the caller has made sure that it fits.
    #[inline]
    pub fn xid_word(&self, xid: Xid) -> u32 {
        debug_assert!(self.xid_fits(xid), "xid {xid} does not fit base {}", self.xid);
        if xid.is_normal() { (xid.0 - self.xid) as u32 } else { xid.0 as u32 }
    }
    /// Multixact → word; the caller has made sure that it fits.
    #[inline]
    pub fn multi_word(&self, m: MultiXactId) -> u32 {
        debug_assert!(self.multi_fits(m));
        if m.0 == 0 { 0 } else { (m.0 - self.multi) as u32 }
    }
    /// A base with equal room below and above `id`.
    pub fn centred(id: u64) -> u64 {
        id.saturating_sub(1 << 31)
    }
}

/// A tuple header, decoded. Small and `Copy`: read once under the page lock, examined at leisure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub xmin: Xid,
    /// The xmax word as a transaction; meaningless while [`Header::is_multi`].
    pub xmax: Xid,
    /// The xmax word as a multixact; meaningful while [`Header::is_multi`].
    pub multi: MultiXactId,
    /// cmin, cmax or combo command id.
    pub cid: u32,
    pub ctid: Tid,
    pub infomask2: u16,
    pub infomask: u16,
    pub hoff: u8,
}

#[inline]
fn u16_at(t: &[u8], o: usize) -> u16 {
    u16::from_le_bytes([t[o], t[o + 1]])
}
#[inline]
fn u32_at(t: &[u8], o: usize) -> u32 {
    u32::from_le_bytes([t[o], t[o + 1], t[o + 2], t[o + 3]])
}
#[inline]
fn put16(t: &mut [u8], o: usize, v: u16) {
    t[o..o + 2].copy_from_slice(&v.to_le_bytes());
}
#[inline]
fn put32(t: &mut [u8], o: usize, v: u32) {
    t[o..o + 4].copy_from_slice(&v.to_le_bytes());
}

/// infomask of tuple bytes.
#[inline]
pub fn infomask(t: &[u8]) -> u16 {
    u16_at(t, 20)
}
/// infomask2 of tuple bytes.
#[inline]
pub fn infomask2(t: &[u8]) -> u16 {
    u16_at(t, 18)
}
/// Offset of the user data.
#[inline]
pub fn hoff(t: &[u8]) -> usize {
    t[22] as usize
}
/// Stored number of attributes.
#[inline]
pub fn natts(t: &[u8]) -> usize {
    (infomask2(t) & NATTS_MASK) as usize
}
/// The ctid.
#[inline]
pub fn ctid(t: &[u8]) -> Tid {
    Tid::new(BlockNumber(u32_at(t, 12)), u16_at(t, 16))
}
/// Sets the ctid.
pub fn set_ctid(t: &mut [u8], tid: Tid) {
    put32(t, 12, tid.block.0);
    put16(t, 16, tid.offset);
}
/// Sets infomask.
pub fn set_infomask(t: &mut [u8], m: u16) {
    put16(t, 20, m);
}
/// Sets infomask2.
pub fn set_infomask2(t: &mut [u8], m: u16) {
    put16(t, 18, m);
}
/// The raw xmin word.
#[inline]
pub fn xmin_word(t: &[u8]) -> u32 {
    u32_at(t, 0)
}
/// The raw xmax word.
#[inline]
pub fn xmax_word(t: &[u8]) -> u32 {
    u32_at(t, 4)
}
/// Sets the raw xmin word.
pub fn set_xmin_word(t: &mut [u8], w: u32) {
    put32(t, 0, w);
}
/// Sets the raw xmax word.
pub fn set_xmax_word(t: &mut [u8], w: u32) {
    put32(t, 4, w);
}
/// Sets the command word.
pub fn set_cid(t: &mut [u8], cid: u32) {
    put32(t, 8, cid);
}

impl Header {
    /// Decodes the header of tuple bytes.
    #[inline]
    pub fn read(t: &[u8], b: Bases) -> Header {
        let t = &t[..HEADER_SIZE];
        let infomask = u16_at(t, 20);
        let xmax_word = u32_at(t, 4);
        let is_multi = infomask & XMAX_IS_MULTI != 0;
        Header {
            xmin: b.xid(u32_at(t, 0)),
            xmax: if is_multi { Xid::INVALID } else { b.xid(xmax_word) },
            multi: if is_multi { b.multi(xmax_word) } else { MultiXactId(0) },
            cid: u32_at(t, 8),
            ctid: ctid(t),
            infomask2: u16_at(t, 18),
            infomask,
            hoff: t[22],
        }
    }
    /// Writes the header over tuple bytes; ids must fit `b`.
    pub fn write(&self, t: &mut [u8], b: Bases) {
        put32(t, 0, b.xid_word(self.xmin));
        put32(t, 4, if self.is_multi() { b.multi_word(self.multi) } else { b.xid_word(self.xmax) });
        put32(t, 8, self.cid);
        set_ctid(t, self.ctid);
        put16(t, 18, self.infomask2);
        put16(t, 20, self.infomask);
        t[22] = self.hoff;
    }
    /// xmin is frozen.
    #[inline]
    pub fn xmin_frozen(&self) -> bool {
        self.infomask & XMIN_FROZEN == XMIN_FROZEN
    }
    /// Hint or freeze says that xmin committed.
    #[inline]
    pub fn xmin_committed(&self) -> bool {
        self.infomask & XMIN_COMMITTED != 0
    }
    /// Hint says that xmin aborted.
    #[inline]
    pub fn xmin_invalid(&self) -> bool {
        self.infomask & XMIN_FROZEN == XMIN_INVALID
    }
    /// xmax is a multixact.
    #[inline]
    pub fn is_multi(&self) -> bool {
        self.infomask & XMAX_IS_MULTI != 0
    }
    /// xmax only locked the row.
    #[inline]
    pub fn is_locked_only(&self) -> bool {
        self.infomask & XMAX_LOCK_ONLY != 0
    }
    /// Updated by a HOT update: the successor is on the same page and has no index entry of its own.
    #[inline]
    pub fn is_hot_updated(&self) -> bool {
        self.infomask2 & HOT_UPDATED != 0 && self.infomask & XMAX_INVALID == 0 && !self.xmin_invalid()
    }
    /// Reached only through a HOT chain.
    #[inline]
    pub fn is_heap_only(&self) -> bool {
        self.infomask2 & HEAP_ONLY != 0
    }
    /// Inserted by an INSERT … ON CONFLICT that has not been confirmed.
    #[inline]
    pub fn is_speculative(&self) -> bool {
        self.ctid.offset == SPEC_OFFSET
    }
    /// Raw command id.
    pub fn raw_cid(&self) -> CommandId {
        CommandId(self.cid)
    }
}

/// Rounds up to [`MAXALIGN`].
#[inline]
pub const fn maxalign(n: usize) -> usize {
    (n + MAXALIGN - 1) & !(MAXALIGN - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_round_trip_with_bases() {
        let b = Bases { xid: 1 << 40, multi: 1 << 35 };
        for (xmin, xmax, mask) in [
            (Xid((1 << 40) + 3), Xid::INVALID, XMAX_INVALID),
            (Xid::FROZEN, Xid((1 << 40) + u32::MAX as u64), 0),
            (Xid::BOOTSTRAP, Xid((1 << 40) + 77), XMIN_FROZEN | XMAX_COMMITTED),
        ] {
            let h = Header {
                xmin,
                xmax,
                multi: MultiXactId(0),
                cid: 9,
                ctid: Tid::new(BlockNumber(70000), 12),
                infomask2: 5,
                infomask: mask,
                hoff: 24,
            };
            let mut t = [0u8; 24];
            h.write(&mut t, b);
            assert_eq!(Header::read(&t, b), h);
        }
        let h = Header { multi: MultiXactId((1 << 35) + 8), infomask: XMAX_IS_MULTI, ..Default::default() };
        let mut t = [0u8; 24];
        h.write(&mut t, b);
        assert_eq!(Header::read(&t, b), h);
    }

    #[test]
    fn what_fits_a_base() {
        let b = Bases { xid: 100, multi: 0 };
        assert!(b.xid_fits(Xid(103)) && !b.xid_fits(Xid(102)) && b.xid_fits(Xid::FROZEN));
        assert!(b.xid_fits(Xid(100 + SPAN)) && !b.xid_fits(Xid(101 + SPAN)));
        assert_eq!(Bases::centred(5), 0);
    }
}
