//! Index tuples: eight bytes of address and size, then the key in the heap's data format. Leaf tuples address heap
//! rows (one, or a *posting list* of several with the same key); *pivot* tuples (high keys and everything on internal
//! pages) address child pages and may have lost trailing columns to suffix truncation.
//!
//! ```text
//! 0      4      6      8            16 (with nulls) / 8            size
//! | block | off | info | bitmap 4 + 4 pad | key attributes | [heap tid 6+2] or [posting tids 6 each] |
//! ```
//! `info`: size 13 bits, 0x2000 alternative tid, 0x8000 has nulls. With the alternative tid, `off` holds a count in 12
//! bits and flags: 0x1000 a pivot with a heap tid at its end, 0x2000 a posting list (which starts at byte `block`).

use crate::heap::header::maxalign;
use common::{BlockNumber, Error, Result, Tid};
use types::tuple::{FormAttr, TupleBytes};
use types::{DatumRef, TupleDesc};

const SIZE_MASK: u16 = 0x1fff;
const ALT_TID: u16 = 0x2000;
const HAS_NULLS: u16 = 0x8000;
const COUNT_MASK: u16 = 0x0fff;
const PIVOT_HEAP_TID: u16 = 0x1000;
const IS_POSTING: u16 = 0x2000;
/// Bytes of a TID in a tuple.
pub const TID_SIZE: usize = 6;
/// Bytes before the key of a tuple without nulls.
pub const PREFIX: usize = 8;

#[inline]
fn u16_at(t: &[u8], o: usize) -> u16 {
    u16::from_le_bytes([t[o], t[o + 1]])
}
#[inline]
fn tid_at(t: &[u8], o: usize) -> Tid {
    Tid::new(BlockNumber(u32::from_le_bytes([t[o], t[o + 1], t[o + 2], t[o + 3]])), u16_at(t, o + 4))
}
fn put_tid(t: &mut [u8], o: usize, tid: Tid) {
    t[o..o + 4].copy_from_slice(&tid.block.0.to_le_bytes());
    t[o + 4..o + 6].copy_from_slice(&tid.offset.to_le_bytes());
}
#[inline]
fn info(t: &[u8]) -> u16 {
    u16_at(t, 6)
}

/// A view of the bytes of one index tuple, checked to be at least a prefix long.
#[derive(Clone, Copy)]
pub struct ITup<'a>(&'a [u8]);

impl<'a> ITup<'a> {
    /// Wraps an item's bytes.
    #[inline]
    pub fn new(item: &'a [u8]) -> Result<ITup<'a>> {
        if item.len() < PREFIX {
            return Err(Error::corrupted(format!("index tuple of {} bytes", item.len())));
        }
        Ok(ITup(item))
    }
    /// All bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }
    /// Pivot: the address is a child and the count says how many key columns are left.
    #[inline]
    pub fn is_pivot(&self) -> bool {
        info(self.0) & ALT_TID != 0 && u16_at(self.0, 4) & IS_POSTING == 0
    }
    /// Posting list tuple.
    #[inline]
    pub fn is_posting(&self) -> bool {
        info(self.0) & ALT_TID != 0 && u16_at(self.0, 4) & IS_POSTING != 0
    }
    /// Has the key a NULL?
    #[inline]
    pub fn has_nulls(&self) -> bool {
        info(self.0) & HAS_NULLS != 0
    }
    /// Offset of the key attributes.
    #[inline]
    pub fn data_offset(&self) -> usize {
        if self.has_nulls() { PREFIX + 8 } else { PREFIX }
    }
    /// Columns present, of an index with `total`.
    #[inline]
    pub fn natts(&self, total: usize) -> usize {
        if self.is_pivot() { ((u16_at(self.0, 4) & COUNT_MASK) as usize).min(total) } else { total }
    }
    /// Child block of a pivot tuple on an internal page.
    #[inline]
    pub fn downlink(&self) -> BlockNumber {
        tid_at(self.0, 0).block
    }
    /// Lowest heap TID: of a leaf tuple its own, of a posting list the first, of a pivot the one kept as tiebreaker.
    #[inline]
    pub fn heap_tid(&self) -> Option<Tid> {
        if info(self.0) & ALT_TID == 0 {
            Some(tid_at(self.0, 0))
        } else if self.is_posting() {
            Some(self.posting_tid(0))
        } else if u16_at(self.0, 4) & PIVOT_HEAP_TID != 0 && self.0.len() >= PREFIX + 8 {
            Some(tid_at(self.0, self.0.len() - 8))
        } else {
            None
        }
    }
    /// Highest heap TID of a leaf tuple.
    pub fn max_heap_tid(&self) -> Option<Tid> {
        if self.is_posting() {
            Some(self.posting_tid(self.posting_len().max(1) - 1))
        } else {
            self.heap_tid()
        }
    }
    /// Number of TIDs of a posting list.
    pub fn posting_len(&self) -> usize {
        (u16_at(self.0, 4) & COUNT_MASK) as usize
    }
    fn posting_start(&self) -> usize {
        u32::from_le_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]) as usize
    }
    /// n-th TID of a posting list; the zero TID when the tuple is damaged.
    pub fn posting_tid(&self, n: usize) -> Tid {
        let o = self.posting_start() + n * TID_SIZE;
        if o + TID_SIZE <= self.0.len() { tid_at(self.0, o) } else { Tid::default() }
    }
    /// Calls `f` with every heap TID of a leaf tuple.
    pub fn each_tid(&self, mut f: impl FnMut(Tid)) {
        if self.is_posting() {
            (0..self.posting_len()).for_each(|i| f(self.posting_tid(i)));
        } else {
            f(tid_at(self.0, 0));
        }
    }
    /// The key's bytes end here (posting list or pivot TID excluded).
    fn key_end(&self) -> usize {
        if self.is_posting() {
            self.posting_start().min(self.0.len())
        } else if self.is_pivot() && u16_at(self.0, 4) & PIVOT_HEAP_TID != 0 {
            self.0.len() - 8
        } else {
            self.0.len()
        }
    }
    /// The key for the deformer; `total` is the index's column count.
    #[inline]
    pub fn key(&self, total: usize) -> TupleBytes<'a> {
        let d = self.data_offset().min(self.0.len());
        let bitmap = if self.has_nulls() { self.0.get(PREFIX..PREFIX + 4) } else { None };
        TupleBytes { natts: self.natts(total), bitmap, data: &self.0[d..self.key_end().max(d)] }
    }
    /// Prefix and key without TIDs.
    pub fn key_bytes(&self) -> &'a [u8] {
        &self.0[..self.key_end()]
    }
}

fn finish(mut t: Vec<u8>, nulls: bool, alt: bool) -> Result<Vec<u8>> {
    t.resize(maxalign(t.len()), 0);
    set_info(&mut t, nulls, alt)?;
    Ok(t)
}
fn set_info(t: &mut [u8], nulls: bool, alt: bool) -> Result<()> {
    if t.len() > SIZE_MASK as usize {
        return Err(Error::new(
            common::SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!("index row requires {} bytes, maximum size is {}", t.len(), 8191),
        ));
    }
    let v = t.len() as u16 | if nulls { HAS_NULLS } else { 0 } | if alt { ALT_TID } else { 0 };
    t[6..8].copy_from_slice(&v.to_le_bytes());
    Ok(())
}

/// Forms a leaf tuple.
pub fn form_leaf(desc: &TupleDesc, values: &[DatumRef<'_>], tid: Tid) -> Result<Vec<u8>> {
    let attrs: Vec<FormAttr<'_>> = values.iter().map(|v| FormAttr::Datum(*v)).collect();
    form_leaf_attrs(desc, &attrs, tid)
}

/// Appends the leaf tuple of a single byte string of at most [`types::tuple::SHORT_MAX`] bytes.
pub fn form_short(b: &[u8], tid: Tid, out: &mut Vec<u8>) {
    let at = out.len();
    let size = maxalign(PREFIX + 1 + b.len());
    let mut head = [0; PREFIX + 1];
    put_tid(&mut head, 0, tid);
    head[6..8].copy_from_slice(&(size as u16).to_le_bytes());
    head[PREFIX] = ((b.len() + 1) as u8) << 1 | 1;
    out.extend_from_slice(&head);
    out.extend_from_slice(b);
    out.resize(at + size, 0);
}

/// Forms a leaf tuple from attributes that may be in stored (compressed) form.
pub fn form_leaf_attrs(desc: &TupleDesc, attrs: &[FormAttr<'_>], tid: Tid) -> Result<Vec<u8>> {
    let nulls = attrs.iter().any(FormAttr::is_null);
    let mut t = Vec::with_capacity(64);
    t.resize(PREFIX, 0);
    put_tid(&mut t, 0, tid);
    form_key(desc, attrs, nulls, &mut t);
    finish(t, nulls, false)
}

fn form_key(desc: &TupleDesc, attrs: &[FormAttr<'_>], nulls: bool, t: &mut Vec<u8>) {
    if nulls {
        types::tuple::form_bitmap(attrs, t);
        t.resize(PREFIX + 8, 0);
    }
    types::tuple::form_data(desc, attrs, t);
}

/// A pivot tuple of the first `keep` columns of leaf or pivot `src`, which has `total`, with an optional heap TID as
/// tiebreaker. `attrs` are the decoded columns of `src`, at least `keep` of them.
pub fn form_pivot(
    desc: &TupleDesc,
    attrs: &[FormAttr<'_>],
    tid: Option<Tid>,
    downlink: BlockNumber,
) -> Result<Vec<u8>> {
    let nulls = attrs.iter().any(FormAttr::is_null);
    let mut t = vec![0; PREFIX];
    form_key(desc, attrs, nulls, &mut t);
    t.resize(maxalign(t.len()), 0);
    let mut count = attrs.len() as u16;
    if let Some(tid) = tid {
        let at = t.len();
        t.resize(at + 8, 0);
        put_tid(&mut t, at, tid);
        count |= PIVOT_HEAP_TID;
    }
    put_tid(&mut t, 0, Tid::new(downlink, count));
    finish(t, nulls, true)
}

/// The pivot that stands for minus infinity on an internal page.
pub fn minus_infinity(downlink: BlockNumber) -> Vec<u8> {
    let mut t = vec![0; PREFIX];
    put_tid(&mut t, 0, Tid::new(downlink, 0));
    t[6..8].copy_from_slice(&(PREFIX as u16 | ALT_TID).to_le_bytes());
    t
}

/// Redirects a pivot tuple to another child, in place.
pub fn set_downlink(t: &mut [u8], child: BlockNumber) {
    t[0..4].copy_from_slice(&child.0.to_le_bytes());
}

/// A copy of a pivot (or minus-infinity) tuple with another child.
pub fn with_downlink(t: &[u8], child: BlockNumber) -> Vec<u8> {
    let mut v = t.to_vec();
    set_downlink(&mut v, child);
    v
}

/// A copy of a plain leaf tuple for another row.
pub fn with_tid(t: &[u8], tid: Tid) -> Vec<u8> {
    let mut v = t.to_vec();
    put_tid(&mut v, 0, tid);
    v
}

/// A leaf tuple with `base`'s key and the given TIDs (ascending): plain for one, a posting list for several.
pub fn form_posting(base: ITup<'_>, tids: &[Tid]) -> Result<Vec<u8>> {
    let mut t = base.key_bytes().to_vec();
    t.resize(maxalign(t.len()), 0);
    let nulls = base.has_nulls();
    if let [tid] = tids {
        put_tid(&mut t, 0, *tid);
        return finish(t, nulls, false);
    }
    let start = t.len();
    for tid in tids {
        let at = t.len();
        t.resize(at + TID_SIZE, 0);
        put_tid(&mut t, at, *tid);
    }
    put_tid(&mut t, 0, Tid::new(BlockNumber(start as u32), tids.len() as u16 | IS_POSTING));
    finish(t, nulls, true)
}

/// A posting list with `tid` put in its place and its last TID taken out, and a plain tuple for that last TID.
pub fn exchange(list: ITup<'_>, tid: Tid) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut tids = Vec::with_capacity(list.posting_len() + 1);
    list.each_tid(|t| tids.push(t));
    let at = tids.partition_point(|t| *t < tid);
    tids.insert(at, tid);
    let last = tids.pop().ok_or_else(|| Error::corrupted("empty posting list"))?;
    Ok((form_posting(list, &tids)?, form_posting(list, &[last])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_strings_as_any_other() {
        let attr = types::Attribute {
            name: "a".into(),
            type_oid: types::oids::TEXT,
            typmod: -1,
            len: -1,
            by_val: false,
            align: b'i',
            storage: b'x',
            compression: 0,
            phys: types::Phys::Bytes,
            collation: common::Oid(100),
            not_null: false,
            has_default: false,
            missing: None,
            identity: 0,
            generated: 0,
            dropped: false,
        };
        let desc = TupleDesc { attrs: vec![attr], type_oid: types::oids::RECORD };
        for n in [0usize, 1, 6, 7, 8, 126] {
            let b = vec![b'x'; n];
            let tid = Tid::new(BlockNumber(70000), 9);
            let mut out = vec![1, 2, 3];
            form_short(&b, tid, &mut out);
            assert_eq!(out[3..], form_leaf(&desc, &[DatumRef::Bytes(&b)], tid).unwrap());
        }
    }

    #[test]
    fn posting_lists_exchange_tids() {
        let mut base = vec![0u8; 16];
        base[8..12].copy_from_slice(&77i32.to_le_bytes());
        base[6..8].copy_from_slice(&16u16.to_le_bytes());
        let tids: Vec<Tid> = (1..10).map(|i| Tid::new(BlockNumber(5), i * 2)).collect();
        let list = form_posting(ITup::new(&base).unwrap(), &tids).unwrap();
        let t = ITup::new(&list).unwrap();
        assert!(t.is_posting() && !t.is_pivot() && t.posting_len() == 9);
        assert_eq!((t.heap_tid(), t.max_heap_tid()), (Some(tids[0]), Some(tids[8])));
        let (new, last) = exchange(t, Tid::new(BlockNumber(5), 7)).unwrap();
        assert_eq!(new.len(), list.len());
        let (new, last) = (ITup::new(&new).unwrap(), ITup::new(&last).unwrap());
        assert_eq!(new.posting_tid(3), Tid::new(BlockNumber(5), 7));
        assert_eq!((new.posting_len(), last.heap_tid()), (9, Some(tids[8])));
        assert!(!last.is_posting() && last.bytes()[8..12] == 77i32.to_le_bytes());
    }
}
