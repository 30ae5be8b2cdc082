//! The form of an hstore: number of pairs (top bit set), an end position for each key and each value in turn, the strings.
//! Keys are in order of their length, then of their bytes, and unique. This is PostgreSQL's form, so `hstore_hash` and the
//! order `#<#` come out the same.

use common::{Error, Result, bail};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Set in the word with the count.
const NEW_VERSION: u32 = 1 << 31;
/// Set in the first end position.
const FIRST: u32 = 1 << 31;
/// Set in the end position of a NULL.
const NULL: u32 = 1 << 30;
const POSITION: u32 = NULL - 1;
/// Longest key, longest value.
pub const TEXT_MAX: usize = POSITION as usize;
/// Most pairs PostgreSQL takes.
const PAIRS_MAX: usize = 134_217_727;

/// A pair to be stored.
pub type Pair<'a> = (Cow<'a, [u8]>, Option<Cow<'a, [u8]>>);

/// A borrowed hstore.
#[derive(Clone, Copy)]
pub struct Hstore<'a> {
    bytes: &'a [u8],
    count: usize,
}

/// Order of keys.
pub fn key_cmp(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn corrupt() -> Error {
    Error::corrupted("invalid hstore value")
}

impl<'a> Hstore<'a> {
    /// Reads the header; XX001 unless all positions lie inside.
    pub fn new(bytes: &'a [u8]) -> Result<Hstore<'a>> {
        let word = bytes.first_chunk::<4>().ok_or_else(corrupt)?;
        let count = (u32::from_le_bytes(*word) & !NEW_VERSION) as usize;
        let h = Hstore { bytes, count };
        let head = count.checked_mul(8).and_then(|n| n.checked_add(4)).ok_or_else(corrupt)?;
        if bytes.len() < head {
            return Err(corrupt());
        }
        let mut last = 0;
        for i in 0..2 * count {
            let (end, _) = h.entry(i);
            if end < last || head + end > bytes.len() {
                return Err(corrupt());
            }
            last = end;
        }
        Ok(h)
    }
    pub fn len(&self) -> usize {
        self.count
    }
    fn word(&self, i: usize) -> u32 {
        let at = 4 + 4 * i;
        self.bytes.get(at..at + 4).and_then(|w| w.first_chunk::<4>()).map_or(0, |w| u32::from_le_bytes(*w))
    }
    /// End position and NULL of an entry.
    fn entry(&self, i: usize) -> (usize, bool) {
        let w = self.word(i);
        ((w & POSITION) as usize, w & NULL != 0)
    }
    fn strings(&self) -> &'a [u8] {
        &self.bytes[4 + 8 * self.count..]
    }
    fn text(&self, i: usize) -> &'a [u8] {
        let from = if i == 0 { 0 } else { self.entry(i - 1).0 };
        &self.strings()[from..self.entry(i).0]
    }
    pub fn key(&self, i: usize) -> &'a [u8] {
        self.text(2 * i)
    }
    pub fn value(&self, i: usize) -> Option<&'a [u8]> {
        if self.entry(2 * i + 1).1 { None } else { Some(self.text(2 * i + 1)) }
    }
    /// Keys and values in order.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        (0..self.count).map(move |i| (self.key(i), self.value(i)))
    }
    /// Where a key is.
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        let (mut lo, mut hi) = (0, self.count);
        while lo < hi {
            let mid = (lo + hi) / 2;
            match key_cmp(self.key(mid), key) {
                Ordering::Equal => return Some(mid),
                Ordering::Less => lo = mid + 1,
                Ordering::Greater => hi = mid,
            }
        }
        None
    }
    /// The order of `hstore_cmp`: of all strings in a row, then of their number, then of where they end.
    pub fn compare(&self, o: &Hstore<'_>) -> Ordering {
        if self.count == 0 || o.count == 0 {
            return self.count.min(1).cmp(&o.count.min(1));
        }
        let (a, b) = (self.strings(), o.strings());
        let n = a.len().min(b.len());
        a[..n].cmp(&b[..n]).then(a.len().cmp(&b.len())).then(self.count.cmp(&o.count)).then_with(|| {
            (0..2 * self.count)
                .map(|i| self.entry(i).cmp(&o.entry(i)))
                .find(|c| c.is_ne())
                .unwrap_or(Ordering::Equal)
        })
    }
}

/// Stores pairs in order; of equal keys the first one stays.
pub fn build(mut pairs: Vec<Pair<'_>>, out: &mut Vec<u8>) -> Result<()> {
    pairs.sort_by(|a, b| key_cmp(&a.0, &b.0));
    pairs.dedup_by(|b, a| a.0 == b.0);
    write(&pairs, out)
}

/// Checks a number of pairs. 54000.
pub fn check_count(n: usize) -> Result<()> {
    if n > PAIRS_MAX {
        bail!(PROGRAM_LIMIT_EXCEEDED, "number of pairs ({n}) exceeds the maximum allowed ({PAIRS_MAX})");
    }
    Ok(())
}

/// Stores pairs whose keys are in order and unique.
pub fn write<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, Option<V>)], out: &mut Vec<u8>) -> Result<()> {
    check_count(pairs.len())?;
    out.extend_from_slice(&(pairs.len() as u32 | NEW_VERSION).to_le_bytes());
    let mut end = 0usize;
    for (i, (k, v)) in pairs.iter().enumerate() {
        let (k, v) = (k.as_ref(), v.as_ref().map(AsRef::as_ref));
        if k.len() > TEXT_MAX {
            bail!(STRING_DATA_RIGHT_TRUNCATION, "string too long for hstore key");
        }
        if v.is_some_and(|v| v.len() > TEXT_MAX) {
            bail!(STRING_DATA_RIGHT_TRUNCATION, "string too long for hstore value");
        }
        end += k.len();
        out.extend_from_slice(&(end as u32 | if i == 0 { FIRST } else { 0 }).to_le_bytes());
        end += v.map_or(0, <[u8]>::len);
        out.extend_from_slice(&(end as u32 | if v.is_none() { NULL } else { 0 }).to_le_bytes());
        if end > TEXT_MAX {
            bail!(PROGRAM_LIMIT_EXCEEDED, "hstore is too large");
        }
    }
    for (k, v) in pairs {
        out.extend_from_slice(k.as_ref());
        if let Some(v) = v {
            out.extend_from_slice(v.as_ref());
        }
    }
    Ok(())
}
