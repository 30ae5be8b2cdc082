//! Comparing a search key with the tuples of a page, and binary search. The order is (key columns, heap TID); a
//! truncated column of a pivot compares as minus infinity.

use super::page::Opaque;
use super::tuple::ITup;
use crate::heap::toast;
use crate::rel::{FastCmp, IndexRel};
use common::{Error, Result, Tid};
use std::cmp::Ordering;
use storage::Page;
use types::DatumRef;
use types::tuple::RawAttr;

/// What a descent looks for.
#[derive(Clone, Copy)]
pub struct SearchKey<'a> {
    /// Leading key columns, in index order; may be fewer than the index has.
    pub values: &'a [DatumRef<'a>],
    /// Tie-breaker; without it the search finds the first of equal keys.
    pub tid: Option<Tid>,
    /// Find the first item greater than the key instead of greater or equal.
    pub next_key: bool,
    /// The descent may skip the left neighbour of a truncated pivot (every use but backward scans).
    pub forward: bool,
}

impl<'a> SearchKey<'a> {
    /// First item ≥ `values`.
    pub fn first(values: &'a [DatumRef<'a>]) -> SearchKey<'a> {
        SearchKey { values, tid: None, next_key: false, forward: true }
    }
    /// The position of exactly this entry.
    pub fn exact(values: &'a [DatumRef<'a>], tid: Tid) -> SearchKey<'a> {
        SearchKey { values, tid: Some(tid), next_key: false, forward: true }
    }
}

/// Decodes one attribute of an index tuple as a datum; compressed values are expanded into `scratch`.
pub fn attr_datum<'t>(raw: RawAttr<'t>, scratch: &'t mut Vec<u8>) -> Result<DatumRef<'t>> {
    match raw {
        RawAttr::Null => Ok(DatumRef::Null),
        RawAttr::Plain(d) => Ok(d),
        RawAttr::Compressed { raw } => {
            scratch.clear();
            toast::decompress(raw, scratch)?;
            Ok(DatumRef::Bytes(scratch))
        }
        RawAttr::External(_) => Err(Error::corrupted("index tuple holds a toast pointer")),
    }
}

/// First column of a tuple without nulls, for the types that sit at a fixed place.
#[inline]
fn fast_first(fast: FastCmp, t: ITup<'_>) -> Option<DatumRef<'_>> {
    let b = t.bytes();
    let d = super::tuple::PREFIX;
    match fast {
        FastCmp::I32 => b.get(d..d + 4)?.first_chunk().map(|c| DatumRef::I32(i32::from_le_bytes(*c))),
        FastCmp::I64 => b.get(d..d + 8)?.first_chunk().map(|c| DatumRef::I64(i64::from_le_bytes(*c))),
        FastCmp::I16 => b.get(d..d + 2)?.first_chunk().map(|c| DatumRef::I16(i16::from_le_bytes(*c))),
        FastCmp::U32 => b.get(d..d + 4)?.first_chunk().map(|c| DatumRef::U32(u32::from_le_bytes(*c))),
        FastCmp::Bytes => None,
    }
}

/// A search key's first column in a form that is compared with items where they lie.
enum Lead<'a> {
    Int(FastCmp, i64),
    Bytes(&'a [u8]),
}

impl<'a> Lead<'a> {
    fn of(fast: Option<FastCmp>, v: DatumRef<'a>) -> Option<Lead<'a>> {
        Some(match (fast?, v) {
            (FastCmp::Bytes, DatumRef::Bytes(b)) => Lead::Bytes(b),
            (FastCmp::U32, DatumRef::U32(v)) => Lead::Int(FastCmp::U32, v.into()),
            (FastCmp::U32 | FastCmp::Bytes, _) => return None,
            (f, DatumRef::I16(v)) => Lead::Int(f, v.into()),
            (f, DatumRef::I32(v)) => Lead::Int(f, v.into()),
            (f, DatumRef::I64(v)) => Lead::Int(f, v),
            _ => return None,
        })
    }
    /// Order relative to an item's first column, without DESC. `None`: equal, or not to be told this way.
    #[inline]
    fn compare(&self, item: &[u8]) -> Option<Ordering> {
        let t = ITup::new(item).ok()?;
        if t.has_nulls() || t.natts(1) == 0 {
            return None;
        }
        let data = &item[super::tuple::PREFIX..];
        let o = match self {
            Lead::Int(fast, want) => {
                let v = match fast {
                    FastCmp::I16 => i16::from_le_bytes(*data.first_chunk()?).into(),
                    FastCmp::I32 => i32::from_le_bytes(*data.first_chunk()?).into(),
                    FastCmp::I64 => i64::from_le_bytes(*data.first_chunk()?),
                    FastCmp::U32 => u32::from_le_bytes(*data.first_chunk()?).into(),
                    FastCmp::Bytes => return None,
                };
                want.cmp(&v)
            }
            Lead::Bytes(want) => {
                let b = *data.first()?;
                if b & 1 == 0 || b == 1 {
                    return None;
                }
                (*want).cmp(data.get(1..usize::from(b >> 1))?)
            }
        };
        (o != Ordering::Equal).then_some(o)
    }
}

impl IndexRel {
    /// Order of `key` relative to `t`.
    pub fn compare(&self, key: &SearchKey<'_>, t: ITup<'_>) -> Result<Ordering> {
        let natts = t.natts(self.natts());
        let n = key.values.len().min(natts);
        if n > 0 {
            let first = match self.keys[0].fast {
                Some(f) if !t.has_nulls() => fast_first(f, t),
                _ => None,
            };
            let mut start = 0;
            if let Some(d) = first {
                let o = self.keys[0].compare(key.values[0], d);
                if o != Ordering::Equal {
                    return Ok(o);
                }
                start = 1;
            }
            if start < n {
                let o = self.compare_columns(key.values, t, start, n)?;
                if o != Ordering::Equal {
                    return Ok(o);
                }
            }
        }
        self.compare_tail(key, t, natts)
    }

    fn compare_columns(
        &self,
        values: &[DatumRef<'_>],
        t: ITup<'_>,
        start: usize,
        n: usize,
    ) -> Result<Ordering> {
        let mut walker = self.rel.deformer.walk(t.key(self.natts()));
        let mut scratch = Vec::new();
        for (i, v) in values[..n].iter().enumerate() {
            let raw = walker.next_attr()?;
            if i < start {
                continue;
            }
            let o = self.keys[i].compare(*v, attr_datum(raw, &mut scratch)?);
            if o != Ordering::Equal {
                return Ok(o);
            }
        }
        Ok(Ordering::Equal)
    }

    /// All compared columns are equal: truncated columns and the TID decide.
    fn compare_tail(&self, key: &SearchKey<'_>, t: ITup<'_>, natts: usize) -> Result<Ordering> {
        if key.values.len() > natts {
            return Ok(Ordering::Greater);
        }
        let Some(tid) = key.tid else {
            let beyond = t.is_pivot() && key.forward && key.values.len() == natts && t.heap_tid().is_none();
            return Ok(if beyond && !key.values.is_empty() { Ordering::Greater } else { Ordering::Equal });
        };
        let Some(low) = t.heap_tid() else { return Ok(Ordering::Greater) };
        if tid <= low || !t.is_posting() {
            return Ok(tid.cmp(&low));
        }
        let high = t.max_heap_tid().unwrap_or(low);
        Ok(if tid > high { Ordering::Greater } else { Ordering::Equal })
    }

    /// The tuple at `off`.
    pub(crate) fn tup<'p>(&self, p: &'p Page, off: u16) -> Result<ITup<'p>> {
        ITup::new(p.item(off)?)
    }

    /// Must a search for `key` go on to the right sibling?
    pub(crate) fn beyond_high_key(&self, p: &Page, o: &Opaque, key: &SearchKey<'_>) -> Result<bool> {
        if o.is_rightmost() {
            return Ok(false);
        }
        let c = self.compare(key, self.tup(p, 1)?)?;
        Ok(if key.next_key { c != Ordering::Less } else { c == Ordering::Greater })
    }

    /// On a leaf: the first item ≥ key (> key with `next_key`), `max + 1` when there is none. On an internal page: the
    /// item whose child to descend to.
    pub(crate) fn bin_search(&self, p: &Page, o: &Opaque, key: &SearchKey<'_>) -> Result<u16> {
        let first = o.first_data();
        let (mut low, mut high) = (first, p.max_offset() + 1);
        // A `name` column is not stored as a variable-length value.
        let lead = match (key.values.first(), self.rel.desc.attrs.first()) {
            (Some(v), Some(a)) if a.len == -1 || self.keys[0].fast != Some(FastCmp::Bytes) => {
                Lead::of(self.keys[0].fast, *v)
            }
            _ => None,
        };
        while low < high {
            let mid = low + (high - low) / 2;
            // The first item of an internal page is minus infinity whatever it holds.
            let c = if !o.is_leaf() && mid == first {
                Ordering::Greater
            } else {
                let item = p.item(mid)?;
                match lead.as_ref().and_then(|l| l.compare(item)) {
                    Some(o) if self.keys[0].desc => o.reverse(),
                    Some(o) => o,
                    None => self.compare(key, ITup::new(item)?)?,
                }
            };
            if c == Ordering::Greater || (key.next_key && c == Ordering::Equal) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        Ok(if o.is_leaf() { low } else { low.saturating_sub(1).max(first) })
    }

    /// Decodes the key columns of a tuple into owned values.
    pub fn key_values(&self, t: ITup<'_>) -> Result<Vec<types::Datum>> {
        let n = t.natts(self.natts()).min(self.nkeys());
        let mut walker = self.rel.deformer.walk(t.key(self.natts()));
        let mut scratch = Vec::new();
        (0..n).map(|_| Ok(attr_datum(walker.next_attr()?, &mut scratch)?.to_owned())).collect()
    }
}
