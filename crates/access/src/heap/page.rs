//! The heap's view of a page: transaction bases, tuple access by line pointer, hint bits, and the rebase that makes
//! room for transaction ids which no longer fit the page's 32-bit words.
//!
//! A heap page has eight bytes of special space: the base of its multixact words (`pd_xid_base` in the header is
//! that of the transaction words).

use super::header::{self, Bases, Header};
use common::{Error, MultiXactId, Result, Xid};
use storage::{ItemId, Page, PageMut, PageRef};

/// Bytes of special space.
pub const SPECIAL_SIZE: usize = 8;
/// Largest tuple: alone on a page.
pub const MAX_TUPLE_SIZE: usize = storage::PAGE_SIZE - storage::page::PAGE_HEADER_SIZE - 4 - SPECIAL_SIZE;

/// The page's bases.
#[inline]
pub fn bases(p: &Page) -> Bases {
    let s = p.special();
    let multi = match s.first_chunk::<8>() {
        Some(b) => u64::from_le_bytes(*b),
        None => 0,
    };
    Bases { xid: p.xid_base(), multi }
}

/// Overwrites the bases (the caller rewrites the words).
pub fn set_bases(p: &mut Page, b: Bases) {
    p.set_xid_base(b.xid);
    if let Some(s) = p.special_mut().first_chunk_mut::<8>() {
        *s = b.multi.to_le_bytes();
    }
}

/// Makes `p` an empty heap page whose words suit ids around these.
pub fn init(p: &mut Page, b: Bases) {
    p.init(SPECIAL_SIZE);
    set_bases(p, b);
}

/// Bases for a page made by transaction `xid`.
pub fn bases_for(xid: Xid, next_multi: MultiXactId) -> Bases {
    Bases { xid: Bases::centred(xid.0), multi: Bases::centred(next_multi.0) }
}

/// Tuple bytes at a line pointer, if it is normal; XX001 when they are too short to be a tuple.
#[inline]
pub fn tuple(p: &Page, off: u16) -> Result<Option<&[u8]>> {
    let id = p.item_id(off);
    if !id.is_normal() {
        return Ok(None);
    }
    tuple_at(p, id).map(Some)
}

/// Tuple bytes of a normal line pointer.
#[inline]
pub fn tuple_at(p: &Page, id: ItemId) -> Result<&[u8]> {
    let t = p.item_bytes(id)?;
    if t.len() < header::HEADER_SIZE || header::hoff(t) > t.len() {
        return Err(short_tuple(t.len()));
    }
    Ok(t)
}

#[cold]
fn short_tuple(len: usize) -> Error {
    Error::corrupted(format!("heap tuple of {len} bytes has no valid header"))
}

/// Decoded header at a line pointer.
#[inline]
pub fn read_header(p: &Page, off: u16) -> Result<Option<Header>> {
    let b = bases(p);
    Ok(tuple(p, off)?.map(|t| Header::read(t, b)))
}

/// Remembers outcomes found under a shared lock. The caller marks the page dirty (as a hint) when it is done.
#[inline]
pub fn set_hints(p: &PageRef, off: u16, bits: u16) {
    p.set_hint(p.item_id(off).offset() as usize + 20, bits);
}

/// The same under an exclusive lock.
#[inline]
pub fn set_hints_exclusive(p: &PageMut, off: u16, bits: u16) {
    p.set_hint(p.item_id(off).offset() as usize + 20, bits);
    p.mark_dirty_hint();
}

/// The data part of a tuple for the deformer.
#[inline]
pub fn tuple_bytes(t: &[u8]) -> types::tuple::TupleBytes<'_> {
    let hoff = header::hoff(t);
    let bitmap =
        if header::infomask(t) & header::HASNULL != 0 { t.get(header::HEADER_SIZE..hoff) } else { None };
    types::tuple::TupleBytes { natts: header::natts(t), bitmap, data: t.get(hoff..).unwrap_or(&[]) }
}

/// Moves the words of all tuples to new bases, freezing xmins below `horizon` that committed and dropping xmaxes that
/// are marked invalid. Fails (54000) when the page holds ids too far apart, which takes a transaction that stays
/// open over four billion others.
pub fn rebase(p: &mut Page, new: Bases, horizon: Xid, committed: &dyn Fn(Xid) -> bool) -> Result<()> {
    let old = bases(p);
    let mut fixed = Vec::new();
    for off in 1..=p.max_offset() {
        let Some(t) = tuple(p, off)? else { continue };
        let mut h = Header::read(t, old);
        let raw = [header::xmin_word(t), header::xmax_word(t)];
        if h.xmin.is_normal()
            && h.xmin < horizon
            && (h.xmin_committed() || (!h.xmin_invalid() && committed(h.xmin)))
        {
            h.infomask |= header::XMIN_FROZEN;
        }
        if h.xmin_frozen() || h.xmin_invalid() {
            h.xmin = if h.xmin_frozen() { Xid::FROZEN } else { Xid::INVALID };
        }
        if h.infomask & header::XMAX_INVALID != 0 {
            h.infomask &= !header::XMAX_IS_MULTI;
            h.xmax = Xid::INVALID;
        }
        let fits =
            new.xid_fits(h.xmin) && if h.is_multi() { new.multi_fits(h.multi) } else { new.xid_fits(h.xmax) };
        if !fits {
            return Err(common::err!(
                PROGRAM_LIMIT_EXCEEDED,
                "transaction ids {} and {} on one page are too far apart",
                h.xmin,
                new.xid
            )
            .hint("Close old open transactions soon."));
        }
        let _ = raw;
        fixed.push((off, h));
    }
    for (off, h) in fixed {
        let t = p.item_mut(off)?;
        h.write(t, new);
    }
    p.set_prune_xid(0);
    set_bases(p, new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Tid;

    #[test]
    fn rebase_keeps_ids_and_freezes_old_ones() {
        let mut p = Page::zeroed();
        let b = Bases { xid: 0, multi: 0 };
        init(&mut p, b);
        let mut t = vec![0u8; 24];
        let mk = |xmin: u64, xmax: u64, mask: u16| Header {
            xmin: Xid(xmin),
            xmax: Xid(xmax),
            ctid: Tid::default(),
            infomask: mask,
            hoff: 24,
            ..Default::default()
        };
        mk(10, 0, header::XMIN_COMMITTED | header::XMAX_INVALID).write(&mut t, b);
        assert_eq!(p.add_heap_item(&t), Some(1));
        mk(4_000_000_000, 4_000_000_001, 0).write(&mut t, b);
        assert_eq!(p.add_heap_item(&t), Some(2));
        let new = Bases { xid: 3_000_000_000, multi: 5 };
        rebase(&mut p, new, Xid(100), &|_| false).unwrap();
        let h1 = read_header(&p, 1).unwrap().unwrap();
        assert!(h1.xmin_frozen());
        let h2 = read_header(&p, 2).unwrap().unwrap();
        assert_eq!((h2.xmin, h2.xmax), (Xid(4_000_000_000), Xid(4_000_000_001)));
        assert!(rebase(&mut p, Bases { xid: 9_000_000_000, multi: 5 }, Xid(100), &|_| false).is_err());
    }
}
