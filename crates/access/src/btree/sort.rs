//! Sorting the entries of an index build. Keys of up to eight bytes of integers become one integer each and are sorted
//! by radix with the row's address beside them; byte strings are sorted eight bytes at a time; everything else by the
//! operator class, with the first column's leading bytes deciding most comparisons. All sorts keep the order of
//! arrival among equal keys, which is that of the heap. Sorted runs go to temporary files beyond the memory limit.

use super::insert;
use super::key::attr_datum;
use super::tuple::{ITup, PREFIX};
use crate::rel::{FastCmp, IndexRel};
use common::{Error, Result, Tid};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use storage::page::maxalign;
use storage::{Store, TempFile};
use types::DatumRef;
use types::tuple::{align_bytes, align_up};

/// A key that is an integer, and its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    pub key: u64,
    pub tid: u64,
}

#[derive(Clone, Copy)]
struct WordColumn {
    /// Offset in the tuple.
    at: usize,
    width: usize,
    signed: bool,
    desc: bool,
}

impl WordColumn {
    fn mask(&self) -> u64 {
        u64::MAX >> (64 - 8 * self.width)
    }
    fn flips(&self) -> u64 {
        let sign = if self.signed { 1 << (8 * self.width - 1) } else { 0 };
        if self.desc { self.mask() ^ sign } else { sign }
    }
}

/// How the columns of a key of at most eight bytes lie in an integer whose order is the index's.
#[derive(Clone)]
pub(crate) struct WordShape {
    cols: Vec<WordColumn>,
    /// A tuple without nulls, to be filled in.
    template: Vec<u8>,
}

impl WordShape {
    pub fn of(ix: &IndexRel) -> Option<WordShape> {
        let mut cols = Vec::new();
        let (mut end, mut bytes) = (PREFIX, 0);
        for (k, a) in ix.keys.iter().zip(&ix.rel.desc.attrs) {
            let (width, signed) = match k.fast? {
                FastCmp::I16 => (2, true),
                FastCmp::I32 => (4, true),
                FastCmp::I64 => (8, true),
                FastCmp::U32 => (4, false),
                FastCmp::Bytes => return None,
            };
            let at = align_up(end, align_bytes(a.align));
            cols.push(WordColumn { at, width, signed, desc: k.desc });
            end = at + width;
            bytes += width;
        }
        if ix.natts() != ix.nkeys() || bytes > 8 {
            return None;
        }
        let mut template = vec![0; maxalign(end)];
        let size = template.len() as u16;
        template[6..8].copy_from_slice(&size.to_le_bytes());
        Some(WordShape { cols, template })
    }
    /// The key of these values; `None` when one is null.
    pub fn key(&self, values: &[DatumRef<'_>]) -> Option<u64> {
        let mut key = 0u64;
        for (c, v) in self.cols.iter().zip(values) {
            let bits = match v {
                DatumRef::I16(x) => *x as u64,
                DatumRef::I32(x) => *x as u64,
                DatumRef::I64(x) => *x as u64,
                DatumRef::U32(x) => u64::from(*x),
                _ => return None,
            };
            let v = (bits & c.mask()) ^ c.flips();
            key = if c.width == 8 { v } else { key << (8 * c.width) | v };
        }
        Some(key)
    }
    /// The only column's key.
    #[inline]
    pub fn single(&self, bits: u64) -> u64 {
        (bits & self.cols[0].mask()) ^ self.cols[0].flips()
    }
    /// Is there only one column?
    pub fn is_single(&self) -> bool {
        self.cols.len() == 1
    }
    /// The leaf tuple.
    #[inline]
    pub fn item<'b>(&self, w: Word, out: &'b mut [u8; 64]) -> &'b [u8] {
        let n = self.template.len();
        out[..n].copy_from_slice(&self.template);
        put_tid(&mut out[..6], w.tid);
        let mut key = w.key;
        for c in self.cols.iter().rev() {
            let v = ((key & c.mask()) ^ c.flips()).to_le_bytes();
            out[c.at..c.at + c.width].copy_from_slice(&v[..c.width]);
            key = if c.width == 8 { 0 } else { key >> (8 * c.width) };
        }
        &out[..n]
    }
}

/// Writes a packed address at the start of a tuple.
fn put_tid(t: &mut [u8], tid: u64) {
    t[..4].copy_from_slice(&((tid >> 16) as u32).to_le_bytes());
    t[4..6].copy_from_slice(&(tid as u16).to_le_bytes());
}

/// Sorts by a 64-bit key, least significant byte first; bytes that are alike everywhere cost nothing. Stable.
fn radix_sort<T: Copy + Default>(v: &mut Vec<T>, key: impl Fn(&T) -> u64 + Copy) {
    if v.len() < 512 {
        v.sort_by_key(key);
        return;
    }
    let mut counts = vec![[0u32; 256]; 8];
    let mut sorted = true;
    let mut last = 0;
    for e in v.iter() {
        let k = key(e);
        sorted &= k >= last;
        last = k;
        for (c, b) in counts.iter_mut().zip(k.to_le_bytes()) {
            c[b as usize] += 1;
        }
    }
    if sorted {
        return;
    }
    let mut other = vec![T::default(); v.len()];
    for (pass, count) in counts.iter_mut().enumerate() {
        if count.iter().any(|c| *c as usize == v.len()) {
            continue;
        }
        let mut at = 0;
        for c in count.iter_mut() {
            at += std::mem::replace(c, at);
        }
        for e in v.iter() {
            let place = &mut count[(key(e) >> (8 * pass)) as usize & 255];
            other[*place as usize] = *e;
            *place += 1;
        }
        std::mem::swap(v, &mut other);
    }
}

/// Collects integer keys.
pub(crate) struct WordSorter {
    pub shape: WordShape,
    words: Vec<Word>,
    /// Rows whose only column is null.
    nulls: Vec<u64>,
    runs: Vec<TempFile>,
    last_tid: u64,
    /// Rows came out of order: equal keys are to be ordered by address.
    jumbled: bool,
}

impl WordSorter {
    pub fn new(shape: WordShape) -> WordSorter {
        WordSorter {
            shape,
            words: Vec::new(),
            nulls: Vec::new(),
            runs: Vec::new(),
            last_tid: 0,
            jumbled: false,
        }
    }
    #[inline]
    pub fn push(&mut self, key: u64, tid: u64) {
        self.jumbled |= tid < self.last_tid;
        self.last_tid = tid;
        self.words.push(Word { key, tid });
    }
    pub fn push_null(&mut self, tid: u64) {
        self.nulls.push(tid);
    }
    /// Bytes in use when sorting.
    pub fn memory(&self) -> usize {
        self.words.len() * 2 * size_of::<Word>() + self.nulls.len() * 8
    }
    fn sort(&mut self) {
        if self.jumbled {
            self.words.sort_unstable();
        } else {
            radix_sort(&mut self.words, |w| w.key);
        }
    }
    pub fn spill(&mut self, store: &Store) -> Result<()> {
        self.sort();
        let mut f = store.temp_file(None)?;
        for w in &self.words {
            f.write(&w.key.to_le_bytes())?;
            f.write(&w.tid.to_le_bytes())?;
        }
        self.words.clear();
        self.runs.push(f);
        Ok(())
    }
    /// Everything in order: addresses of nulls, and the keys.
    pub fn finish(mut self) -> Result<(Vec<u64>, WordMerge)> {
        self.sort();
        self.nulls.sort_unstable();
        let mut merge = WordMerge { words: self.words.into_iter(), runs: self.runs, heap: BinaryHeap::new() };
        if !merge.runs.is_empty() {
            for n in 0..merge.runs.len() {
                merge.runs[n].rewind()?;
                merge.refill(n)?;
            }
            merge.refill(merge.runs.len())?;
        }
        Ok((self.nulls, merge))
    }
}

/// Sorted integer keys from memory and files.
pub(crate) struct WordMerge {
    words: std::vec::IntoIter<Word>,
    runs: Vec<TempFile>,
    heap: BinaryHeap<std::cmp::Reverse<(Word, usize)>>,
}

impl WordMerge {
    fn read(&mut self, run: usize) -> Result<Option<Word>> {
        let Some(f) = self.runs.get_mut(run) else { return Ok(self.words.next()) };
        let (mut key, mut tid) = ([0; 8], [0; 8]);
        if !f.read_exact(&mut key)? || !f.read_exact(&mut tid)? {
            return Ok(None);
        }
        Ok(Some(Word { key: u64::from_le_bytes(key), tid: u64::from_le_bytes(tid) }))
    }
    fn refill(&mut self, run: usize) -> Result<()> {
        if let Some(w) = self.read(run)? {
            self.heap.push(std::cmp::Reverse((w, run)));
        }
        Ok(())
    }
    pub fn next(&mut self) -> Result<Option<Word>> {
        if self.runs.is_empty() {
            return Ok(self.words.next());
        }
        let Some(std::cmp::Reverse((w, run))) = self.heap.peek().copied() else { return Ok(None) };
        let more = self.read(run)?;
        if let Some(mut top) = self.heap.peek_mut() {
            match more {
                Some(n) => *top = std::cmp::Reverse((n, run)),
                None => {
                    PeekMut::pop(top);
                }
            }
        }
        Ok(Some(w))
    }
    /// How many are left, at least.
    pub fn left(&self) -> usize {
        self.words.len()
    }
}

/// An entry with its tuple elsewhere. Most comparisons are decided by the first words alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    /// Leading bytes of the first column as an integer in index order; while byte strings are sorted, the bytes at the
    /// depth reached.
    word: u64,
    /// Packed address.
    tid: u64,
    pos: u32,
    len: u16,
    /// 0 null first, 1 value, 2 null last.
    class: u8,
    /// The key is that of the entry before (known for byte strings).
    same: bool,
}

/// Turns first columns into integers that sort alike.
#[derive(Clone, Copy)]
struct Abbrev {
    fast: Option<FastCmp>,
    desc: bool,
    nulls_first: bool,
    /// Equal integers mean equal columns.
    exact: bool,
}

fn word_of(b: &[u8], desc: bool) -> u64 {
    let mut w = [0; 8];
    let n = b.len().min(8);
    w[..n].copy_from_slice(&b[..n]);
    let w = u64::from_be_bytes(w);
    if desc { !w } else { w }
}

impl Abbrev {
    fn new(ix: &IndexRel) -> Abbrev {
        let k = &ix.keys[0];
        let exact = matches!(k.fast, Some(FastCmp::I16 | FastCmp::I32 | FastCmp::I64 | FastCmp::U32));
        Abbrev { fast: k.fast, desc: k.desc, nulls_first: k.nulls_first, exact }
    }
    fn of(&self, d: DatumRef<'_>) -> (u8, u64) {
        if d.is_null() {
            return (if self.nulls_first { 0 } else { 2 }, 0);
        }
        let signed = |v: i64| (v as u64) ^ (1 << 63);
        let a = match (self.fast, d) {
            (Some(_), DatumRef::I16(v)) => signed(v.into()),
            (Some(_), DatumRef::I32(v)) => signed(v.into()),
            (Some(_), DatumRef::I64(v)) => signed(v),
            (Some(_), DatumRef::U32(v)) => v.into(),
            (Some(_), DatumRef::Bytes(b)) => return (1, word_of(b, self.desc)),
            _ => 0,
        };
        (1, if self.desc { !a } else { a })
    }
}

/// Order of two tuples' key columns from `start` on; damaged tuples (ours, just made) compare equal.
pub(crate) fn compare_keys(ix: &IndexRel, a: &[u8], b: &[u8], start: usize) -> Ordering {
    let (Ok(a), Ok(b)) = (ITup::new(a), ITup::new(b)) else { return Ordering::Equal };
    let mut wa = ix.rel.deformer.walk(a.key(ix.natts()));
    let mut wb = ix.rel.deformer.walk(b.key(ix.natts()));
    let (mut s1, mut s2) = (Vec::new(), Vec::new());
    for (i, k) in ix.keys.iter().enumerate() {
        let (Ok(x), Ok(y)) = (wa.next_attr(), wb.next_attr()) else { return Ordering::Equal };
        if i < start {
            continue;
        }
        let (Ok(x), Ok(y)) = (attr_datum(x, &mut s1), attr_datum(y, &mut s2)) else {
            return Ordering::Equal;
        };
        let o = k.compare(x, y);
        if o != Ordering::Equal {
            return o;
        }
    }
    Ordering::Equal
}

/// The order of an index.
#[derive(Clone, Copy)]
struct Order<'a> {
    ix: &'a IndexRel,
    ab: Abbrev,
    /// One column of byte strings, none of them compressed: the bytes of tuples can be compared as they lie.
    bytes: bool,
}

impl Order<'_> {
    fn keys(&self, a: &Entry, at: &[u8], b: &Entry, bt: &[u8]) -> Ordering {
        let o = (a.class, a.word).cmp(&(b.class, b.word));
        if o != Ordering::Equal {
            return o;
        }
        if self.bytes && a.class == 1 {
            let o = key_bytes(at).cmp(key_bytes(bt));
            return if self.ab.desc { o.reverse() } else { o };
        }
        compare_keys(self.ix, at, bt, usize::from(self.ab.exact || a.class != 1))
    }
    fn entries(&self, a: &Entry, at: &[u8], b: &Entry, bt: &[u8]) -> Ordering {
        self.keys(a, at, b, bt).then(a.tid.cmp(&b.tid))
    }
}

/// The plain byte string that is the first column of a tuple without nulls.
#[inline]
fn key_bytes(item: &[u8]) -> &[u8] {
    match item[PREFIX] {
        b if b & 1 == 1 => &item[PREFIX + 1..PREFIX + usize::from(b >> 1)],
        _ => {
            let n = u32::from_le_bytes([item[8], item[9], item[10], item[11]]) as usize >> 2;
            &item[PREFIX + 4..PREFIX + n]
        }
    }
}

/// Collects entries with their tuples.
pub(crate) struct ItemSorter<'a> {
    order: Order<'a>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
    runs: Vec<TempFile>,
    last_tid: u64,
    jumbled: bool,
}

/// Values longer than this may be stored compressed.
const PLAIN_MAX: usize = 500;

impl<'a> ItemSorter<'a> {
    pub fn new(ix: &'a IndexRel) -> ItemSorter<'a> {
        let ab = Abbrev::new(ix);
        let bytes = ab.fast == Some(FastCmp::Bytes) && ix.natts() == 1 && ix.rel.desc.attrs[0].len == -1;
        ItemSorter {
            order: Order { ix, ab, bytes },
            entries: Vec::new(),
            arena: Vec::new(),
            runs: Vec::new(),
            last_tid: 0,
            jumbled: false,
        }
    }
    pub fn add(&mut self, values: &[DatumRef<'_>], tid: u64) -> Result<()> {
        let pos = self.arena.len();
        if let [DatumRef::Bytes(b)] = values
            && self.order.bytes
        {
            self.order.bytes = b.len() <= PLAIN_MAX;
        }
        insert::form_into(self.order.ix, values, Tid::unpack(tid as i64), &mut self.arena)?;
        let (class, word) = self.order.ab.of(values[0]);
        self.jumbled |= tid < self.last_tid;
        self.last_tid = tid;
        let len = (self.arena.len() - pos) as u16;
        self.entries.push(Entry { word, tid, pos: pos as u32, len, class, same: false });
        Ok(())
    }
    /// Bytes in use when sorting.
    pub fn memory(&self) -> usize {
        self.arena.len() + self.entries.len() * 2 * size_of::<Entry>()
    }
    fn sort(&mut self) {
        if self.jumbled {
            self.entries.sort_unstable_by_key(|e| e.tid);
        }
        let (order, arena) = (self.order, &self.arena);
        if order.bytes && !self.entries.is_empty() {
            let mut words = std::mem::take(&mut self.entries);
            let nulls: Vec<Entry> = words.iter().copied().filter(|e| e.class != 1).collect();
            words.retain(|e| e.class == 1);
            sort_bytes(&mut words, arena, 0, order.ab.desc);
            let at = if order.ab.nulls_first { 0 } else { words.len() };
            words.splice(at..at, nulls);
            self.entries = words;
        } else {
            let item = |e: &Entry| &arena[e.pos as usize..e.pos as usize + e.len as usize];
            self.entries.sort_by(|a, b| order.keys(a, item(a), b, item(b)));
        }
    }
    pub fn spill(&mut self, store: &Store) -> Result<()> {
        self.sort();
        let mut f = store.temp_file(None)?;
        for e in &self.entries {
            let item = &self.arena[e.pos as usize..e.pos as usize + e.len as usize];
            let mut head = [0; 19];
            // The sort of byte strings used the word up.
            let word = if self.order.bytes && e.class == 1 {
                word_of(key_bytes(item), self.order.ab.desc)
            } else {
                e.word
            };
            head[..8].copy_from_slice(&word.to_le_bytes());
            head[8..16].copy_from_slice(&e.tid.to_le_bytes());
            head[16..18].copy_from_slice(&e.len.to_le_bytes());
            head[18] = e.class;
            f.write(&head)?;
            f.write(item)?;
        }
        self.entries.clear();
        self.arena.clear();
        self.runs.push(f);
        Ok(())
    }
    /// Calls `f` with every tuple in order: address, tuple, how many are left at least, and whether its key is that of
    /// the tuple before, if that is known.
    pub fn finish(
        mut self,
        store: &Store,
        f: &mut dyn FnMut(u64, &[u8], usize, Option<bool>) -> Result<()>,
    ) -> Result<()> {
        if self.runs.is_empty() {
            self.sort();
            let n = self.entries.len();
            for (i, e) in self.entries.iter().enumerate() {
                let item = &self.arena[e.pos as usize..e.pos as usize + e.len as usize];
                f(e.tid, item, n - i, (self.order.bytes && e.class == 1).then_some(e.same))?;
            }
            return Ok(());
        }
        if !self.entries.is_empty() {
            self.spill(store)?;
        }
        let mut runs = Vec::new();
        for mut file in self.runs.drain(..) {
            file.rewind()?;
            let mut r = Run { file, item: Vec::new(), entry: Entry::default(), order: self.order };
            if r.next()? {
                runs.push(r);
            }
        }
        let mut heap = BinaryHeap::from(runs);
        while let Some(mut top) = heap.peek_mut() {
            f(top.entry.tid, &top.item, 0, None)?;
            if !top.next()? {
                PeekMut::pop(top);
            }
        }
        Ok(())
    }
}

/// Runs of equal words up to this length are finished by comparing.
const SMALL_RUN: usize = 24;

/// Sorts entries whose keys agree in their first `depth` bytes and whose words hold the next eight, and marks the keys
/// that equal the one before. The depth is bounded by [`PLAIN_MAX`].
fn sort_bytes(v: &mut Vec<Entry>, arena: &[u8], depth: usize, desc: bool) {
    radix_sort(v, |e| e.word);
    let mut deeper = Vec::new();
    let mut at = 0;
    while at < v.len() {
        let mut end = at + 1;
        while end < v.len() && v[end].word == v[at].word {
            end += 1;
        }
        let run = &mut v[at..end];
        at = end;
        if run.len() == 1 {
            continue;
        }
        let rest = |e: &Entry| {
            let k = key_bytes(&arena[e.pos as usize..]);
            k.get(depth..).unwrap_or(&[])
        };
        // Keys that ended before this depth may differ by zero bytes at their ends.
        let size = |e: &Entry| key_bytes(&arena[e.pos as usize..]).len();
        let order = |a: &Entry, b: &Entry| {
            let o = rest(a).cmp(rest(b)).then(size(a).cmp(&size(b)));
            if desc { o.reverse() } else { o }
        };
        if run.len() <= SMALL_RUN || run.iter().all(|e| rest(e).len() <= 8) {
            let alike = run.iter().all(|e| size(e) == size(&run[0]) && rest(e).len() <= 8);
            if !alike {
                run.sort_by(order);
            }
            for i in 1..run.len() {
                run[i].same = alike || order(&run[i - 1], &run[i]) == Ordering::Equal;
            }
            continue;
        }
        deeper.clear();
        deeper.extend_from_slice(run);
        for e in &mut deeper {
            e.word = word_of(rest(e).get(8..).unwrap_or(&[]), desc);
        }
        sort_bytes(&mut deeper, arena, depth + 8, desc);
        run.copy_from_slice(&deeper);
    }
}

/// A sorted run on disk. The greatest in a heap is the least entry.
struct Run<'a> {
    file: TempFile,
    item: Vec<u8>,
    entry: Entry,
    order: Order<'a>,
}

impl Run<'_> {
    fn next(&mut self) -> Result<bool> {
        let mut head = [0u8; 19];
        if !self.file.read_exact(&mut head)? {
            return Ok(false);
        }
        let u64_at = |o: usize| {
            let mut b = [0; 8];
            b.copy_from_slice(&head[o..o + 8]);
            u64::from_le_bytes(b)
        };
        let len = u16::from_le_bytes([head[16], head[17]]);
        self.entry = Entry { word: u64_at(0), tid: u64_at(8), pos: 0, len, class: head[18], same: false };
        self.item.resize(len as usize, 0);
        if !self.file.read_exact(&mut self.item)? {
            return Err(Error::internal("unexpected end of a sorted run"));
        }
        Ok(true)
    }
}

impl Ord for Run<'_> {
    fn cmp(&self, o: &Self) -> Ordering {
        self.order.entries(&o.entry, &o.item, &self.entry, &self.item)
    }
}
impl PartialOrd for Run<'_> {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl PartialEq for Run<'_> {
    fn eq(&self, o: &Self) -> bool {
        self.cmp(o) == Ordering::Equal
    }
}
impl Eq for Run<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radix_sort_is_stable() {
        let mut x = 1u64;
        let mut v: Vec<Word> = (0..5000)
            .map(|tid| {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                Word { key: (x >> 33) % 700 * 0x1_0000_0001, tid }
            })
            .collect();
        let mut want = v.clone();
        want.sort();
        radix_sort(&mut v, |w| w.key);
        assert_eq!(v, want);
    }

    #[test]
    fn byte_strings_sort_as_slices_do() {
        let mut x = 7u64;
        for desc in [false, true] {
            let (mut arena, mut v, mut keys) = (Vec::new(), Vec::new(), Vec::new());
            for tid in 0..4000u64 {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let n = (x >> 60) as usize * 3;
                let key: Vec<u8> = (0..n).map(|i| ((x >> (i % 48)) & 1) as u8).collect();
                let pos = arena.len() as u32;
                arena.extend_from_slice(&[0; PREFIX]);
                arena.push(((n + 1) as u8) << 1 | 1);
                arena.extend_from_slice(&key);
                v.push(Entry { word: word_of(&key, desc), tid, pos, ..Entry::default() });
                keys.push((key, tid));
            }
            sort_bytes(&mut v, &arena, 0, desc);
            keys.sort_by(|a, b| if desc { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
            for (i, (e, k)) in v.iter().zip(&keys).enumerate() {
                assert_eq!(e.tid, k.1);
                assert_eq!(e.same, i > 0 && keys[i - 1].0 == k.0);
            }
        }
    }
}
