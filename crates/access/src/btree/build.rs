//! Building an index: entries are collected and sorted (spilling sorted runs beyond the memory limit), then the tree is
//! written bottom up, each page once, from left to right.
//!
//! A page is known only when the next one begins: its high key separates its last entry from the next one's first.
//! Each level keeps its unfinished page in memory; a finished page is logged as a page image.

use super::dedup;
use super::insert;
use super::page::{self, META_BLOCK, Meta, NONE, Opaque};
use super::split::{self, separator};
use super::tuple::{self, ITup};
use super::wal;
use crate::rel::{FastCmp, IndexRel};
use crate::txn::{self, Engine};
use common::{BlockNumber, Error, Result, Tid};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use storage::page::{LINE_POINTER_SIZE, PAGE_HEADER_SIZE, maxalign};
use storage::{Fork, PAGE_SIZE, Page, Pinned, RegFlags, RmgrId, Store, TempFile};
use types::{Batch, DatumRef};

const CAPACITY: usize = PAGE_SIZE - PAGE_HEADER_SIZE - page::SPECIAL_SIZE;
const INTERNAL_FILL: usize = 70;

/// Makes an empty index in the (existing, empty) main fork.
pub fn create_empty(eng: &Engine, ix: &IndexRel) -> Result<()> {
    let st = txn::store(eng);
    let mut g = st.extend(ix.rel.locator, Fork::Main, None)?.exclusive();
    if g.pin().block() != META_BLOCK {
        return Err(Error::internal(format!("index \"{}\" already contains data", ix.rel.name)));
    }
    let cr = st.begin_critical();
    Meta::default().init_page(cr.page(&mut g));
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::IMAGES, txn::current_xid(eng));
        r.block(0, &g, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    ix.root_cache.set((0, 0));
    ix.last_leaf.set(0);
    Ok(())
}

/// The init fork of an unlogged index: the file has just been made. Logged, as what it becomes after a crash must survive it.
pub fn write_init_fork(eng: &Engine, locator: storage::RelFileLocator) -> Result<()> {
    let st = txn::store(eng);
    let mut g = st.extend(locator, Fork::Init, None)?.exclusive();
    let cr = st.begin_critical();
    Meta::default().init_page(cr.page(&mut g));
    let mut r = cr.record(RmgrId::BTREE, wal::IMAGES, txn::current_xid(eng));
    r.block(0, &g, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
    cr.log(r);
    Ok(())
}

/// One entry to be sorted. Most comparisons are decided by the first words alone.
#[derive(Clone, Copy)]
struct Entry {
    /// First key column, as an integer in index order (a prefix of it for byte strings).
    abbrev: u64,
    tid: u64,
    pos: u32,
    len: u16,
    /// 0 null first, 1 value, 2 null last.
    class: u8,
    live: bool,
}

/// Turns first columns into integers that sort alike.
#[derive(Clone, Copy)]
struct Abbrev {
    fast: Option<FastCmp>,
    desc: bool,
    nulls_first: bool,
    /// Equal integers mean equal columns.
    exact: bool,
    /// ... and there is no other column.
    whole: bool,
}

impl Abbrev {
    fn new(ix: &IndexRel) -> Abbrev {
        let k = &ix.keys[0];
        let exact = matches!(k.fast, Some(FastCmp::I16 | FastCmp::I32 | FastCmp::I64 | FastCmp::U32));
        Abbrev {
            fast: k.fast,
            desc: k.desc,
            nulls_first: k.nulls_first,
            exact,
            whole: exact && ix.nkeys() == 1,
        }
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
            (Some(_), DatumRef::Bytes(b)) => {
                let mut w = [0; 8];
                let n = b.len().min(8);
                w[..n].copy_from_slice(&b[..n]);
                u64::from_be_bytes(w)
            }
            _ => 0,
        };
        (1, if self.desc { !a } else { a })
    }
}

/// A sorted run on disk.
struct Run {
    file: TempFile,
    item: Vec<u8>,
    entry: Entry,
}

impl Run {
    fn next(&mut self) -> Result<bool> {
        let mut head = [0u8; 20];
        if !self.file.read_exact(&mut head)? {
            return Ok(false);
        }
        let u64_at = |o: usize| {
            let mut b = [0; 8];
            b.copy_from_slice(&head[o..o + 8]);
            u64::from_le_bytes(b)
        };
        let len = u16::from_le_bytes([head[16], head[17]]);
        self.entry =
            Entry { abbrev: u64_at(0), tid: u64_at(8), pos: 0, len, class: head[18], live: head[19] != 0 };
        self.item.resize(len as usize, 0);
        if !self.file.read_exact(&mut self.item)? {
            return Err(Error::internal("unexpected end of a sorted run"));
        }
        Ok(true)
    }
}

/// Order of two entries given their tuples.
fn order(ix: &IndexRel, ab: &Abbrev, a: &Entry, at: &[u8], b: &Entry, bt: &[u8]) -> Ordering {
    let o = (a.class, a.abbrev).cmp(&(b.class, b.abbrev));
    if o != Ordering::Equal || ab.whole {
        return o.then(a.tid.cmp(&b.tid));
    }
    let start = usize::from(ab.exact || a.class != 1);
    compare_keys(ix, at, bt, start).then(a.tid.cmp(&b.tid))
}

/// Order of two tuples' key columns from `start` on; damaged tuples (ours, just made) compare equal.
fn compare_keys(ix: &IndexRel, a: &[u8], b: &[u8], start: usize) -> Ordering {
    let (Ok(a), Ok(b)) = (ITup::new(a), ITup::new(b)) else { return Ordering::Equal };
    let mut wa = ix.rel.deformer.walk(a.key(ix.natts()));
    let mut wb = ix.rel.deformer.walk(b.key(ix.natts()));
    let (mut s1, mut s2) = (Vec::new(), Vec::new());
    for (i, k) in ix.keys.iter().enumerate() {
        let (Ok(x), Ok(y)) = (wa.next_attr(), wb.next_attr()) else { return Ordering::Equal };
        if i < start {
            continue;
        }
        let (Ok(x), Ok(y)) = (super::key::attr_datum(x, &mut s1), super::key::attr_datum(y, &mut s2)) else {
            return Ordering::Equal;
        };
        let o = k.compare(x, y);
        if o != Ordering::Equal {
            return o;
        }
    }
    Ordering::Equal
}

/// Collects entries, sorts them (spilling beyond `maintenance_work_mem`) and writes the tree bottom up.
pub struct BtBuild<'a> {
    ix: &'a IndexRel,
    store: Store,
    memory: usize,
    ab: Abbrev,
    entries: Vec<Entry>,
    arena: Vec<u8>,
    runs: Vec<TempFile>,
}

impl<'a> BtBuild<'a> {
    /// Begins a build of an index whose main fork exists and is empty. `memory_bytes`: maintenance_work_mem.
    pub fn new(eng: &Engine, ix: &'a IndexRel, memory_bytes: usize) -> BtBuild<'a> {
        BtBuild {
            ix,
            store: txn::store(eng).clone(),
            memory: memory_bytes.clamp(1 << 20, 2 << 30),
            ab: Abbrev::new(ix),
            entries: Vec::new(),
            arena: Vec::new(),
            runs: Vec::new(),
        }
    }
    /// Adds one entry: values in index column order. `live`: counts for uniqueness (not a row already deleted).
    pub fn add(&mut self, values: &[DatumRef<'_>], tid: Tid, live: bool) -> Result<()> {
        let item = insert::form(self.ix, values, tid)?;
        let (class, abbrev) = self.ab.of(values[0]);
        if self.arena.len() + self.entries.len() * std::mem::size_of::<Entry>() + item.len() > self.memory {
            self.spill()?;
        }
        self.entries.push(Entry {
            abbrev,
            tid: tid.pack() as u64,
            pos: self.arena.len() as u32,
            len: item.len() as u16,
            class,
            live,
        });
        self.arena.extend_from_slice(&item);
        Ok(())
    }
    /// Adds the live rows of a batch: `cols[i]` is the batch column of index column i, `tid_col` holds packed TIDs.
    pub fn add_batch(&mut self, rows: &Batch, cols: &[usize], tid_col: usize) -> Result<()> {
        let mut values: Vec<DatumRef<'_>> = Vec::with_capacity(cols.len());
        rows.live().each(|i| {
            values.clear();
            values.extend(cols.iter().map(|c| rows.cols[*c].get(i)));
            self.add(&values, Tid::unpack(rows.cols[tid_col].get(i).i64()), true)
        })
    }
    fn sort(&mut self) {
        let (ix, ab, arena) = (self.ix, self.ab, &self.arena);
        let bytes = |e: &Entry| &arena[e.pos as usize..e.pos as usize + e.len as usize];
        if ab.whole {
            self.entries.sort_unstable_by_key(|e| (e.class, e.abbrev, e.tid));
        } else {
            self.entries.sort_unstable_by(|a, b| order(ix, &ab, a, bytes(a), b, bytes(b)));
        }
    }
    fn spill(&mut self) -> Result<()> {
        self.sort();
        let mut f = self.store.temp_file(None)?;
        for e in &self.entries {
            f.write(&e.abbrev.to_le_bytes())?;
            f.write(&e.tid.to_le_bytes())?;
            f.write(&e.len.to_le_bytes())?;
            f.write(&[e.class, u8::from(e.live)])?;
            f.write(&self.arena[e.pos as usize..e.pos as usize + e.len as usize])?;
        }
        self.entries.clear();
        self.arena.clear();
        self.runs.push(f);
        Ok(())
    }
    /// Sorts, checks uniqueness (23505 `could not create unique index`), writes. Returns the number of entries.
    pub fn finish(mut self, eng: &Engine) -> Result<u64> {
        create_empty(eng, self.ix)?;
        let mut w = Writer::new(eng, self.ix);
        if self.runs.is_empty() {
            self.sort();
            for e in &self.entries {
                w.entry(&self.ab, e, &self.arena[e.pos as usize..e.pos as usize + e.len as usize])?;
            }
        } else {
            if !self.entries.is_empty() {
                self.spill()?;
            }
            self.merge(&mut w)?;
        }
        w.finish()
    }
    fn merge(&mut self, w: &mut Writer<'_>) -> Result<()> {
        let mut runs = Vec::new();
        for mut file in self.runs.drain(..) {
            file.rewind()?;
            let entry = Entry { abbrev: 0, tid: 0, pos: 0, len: 0, class: 0, live: false };
            let mut r = Run { file, item: Vec::new(), entry };
            if r.next()? {
                runs.push(HeapRun { run: r, ix: self.ix, ab: self.ab });
            }
        }
        let mut heap = BinaryHeap::from(runs);
        while let Some(mut top) = heap.peek_mut() {
            w.entry(&self.ab, &top.run.entry, &top.run.item)?;
            if !top.run.next()? {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
        Ok(())
    }
}

/// A run in the merge heap: the greatest element of the heap is the least entry.
struct HeapRun<'a> {
    run: Run,
    ix: &'a IndexRel,
    ab: Abbrev,
}

impl Ord for HeapRun<'_> {
    fn cmp(&self, o: &Self) -> Ordering {
        order(self.ix, &self.ab, &o.run.entry, &o.run.item, &self.run.entry, &self.run.item)
    }
}
impl PartialOrd for HeapRun<'_> {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl PartialEq for HeapRun<'_> {
    fn eq(&self, o: &Self) -> bool {
        self.cmp(o) == Ordering::Equal
    }
}
impl Eq for HeapRun<'_> {}

/// The unfinished page of a level.
struct Level {
    /// The items one after the other, and where each ends.
    data: Vec<u8>,
    ends: Vec<usize>,
    size: usize,
    pin: Pinned,
    prev: BlockNumber,
    /// Separator from the page before; `None` on the first page.
    low_key: Option<Vec<u8>>,
}

impl Level {
    fn push(&mut self, item: &[u8]) {
        self.size += cost(item);
        self.data.extend_from_slice(item);
        self.ends.push(self.data.len());
    }
}

struct Writer<'a> {
    eng: &'a Engine,
    ix: &'a IndexRel,
    levels: Vec<Level>,
    count: u64,
    /// The last live entry: its first words and its tuple.
    last_words: Option<(u8, u64)>,
    last_live: Vec<u8>,
    /// Equal keys being gathered into a posting list.
    group: Option<(Vec<u8>, Vec<Tid>)>,
}

fn cost(item: &[u8]) -> usize {
    maxalign(item.len()) + LINE_POINTER_SIZE
}

impl<'a> Writer<'a> {
    fn new(eng: &'a Engine, ix: &'a IndexRel) -> Writer<'a> {
        Writer { eng, ix, levels: Vec::new(), count: 0, last_words: None, last_live: Vec::new(), group: None }
    }
    /// Next entry in order.
    fn entry(&mut self, ab: &Abbrev, e: &Entry, item: &[u8]) -> Result<()> {
        self.count += 1;
        if self.count.is_multiple_of(4096) {
            self.eng.check_interrupts()?;
        }
        if self.ix.unique {
            if e.live {
                if self.last_words == Some((e.class, e.abbrev)) {
                    self.check_unique(item)?;
                }
                self.last_words = Some((e.class, e.abbrev));
                if !ab.whole || self.ix.nulls_not_distinct {
                    self.last_live.clear();
                    self.last_live.extend_from_slice(item);
                }
            }
            return self.add(0, item);
        }
        if !dedup::is_allowed(self.ix) {
            return self.add(0, item);
        }
        let t = ITup::new(item)?;
        let tid = Tid::unpack(e.tid as i64);
        if let Some((base, tids)) = &mut self.group {
            let same = dedup::same_key(self.ix, ITup::new(base)?, t);
            if same && maxalign(base.len()) + (tids.len() + 1) * tuple::TID_SIZE <= dedup::POSTING_MAX {
                tids.push(tid);
                return Ok(());
            }
            self.flush_group()?;
        }
        self.group = Some((item.to_vec(), vec![tid]));
        Ok(())
    }
    fn flush_group(&mut self) -> Result<()> {
        match self.group.take() {
            None => Ok(()),
            Some((base, tids)) if tids.len() == 1 => self.add(0, &base),
            Some((base, tids)) => {
                let t = tuple::form_posting(ITup::new(&base)?, &tids)?;
                self.add(0, &t)
            }
        }
    }
    /// An entry whose first words equal the last one's: is it a duplicate?
    fn check_unique(&self, item: &[u8]) -> Result<()> {
        let values = self.ix.key_values(ITup::new(item)?)?;
        if !self.ix.nulls_not_distinct && values.iter().any(types::Datum::is_null) {
            return Ok(());
        }
        // An empty last tuple: the words were the whole key.
        if !self.last_live.is_empty() && compare_keys(self.ix, &self.last_live, item, 0) != Ordering::Equal {
            return Ok(());
        }
        let refs: Vec<_> = values.iter().map(types::Datum::as_ref).collect();
        let e = common::err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", self.ix.rel.name)
            .schema(self.ix.schema_name.clone())
            .table(self.ix.heap_name.clone())
            .constraint(self.ix.rel.name.clone());
        let detail = self.ix.format_key.as_ref().and_then(|f| f(self.ix, &refs).ok());
        Err(match detail {
            Some(d) if !d.is_empty() => e.detail(format!("Key {d} is duplicated.")),
            _ => e.detail("Duplicate keys exist."),
        })
    }
    fn new_page(&self) -> Result<Pinned> {
        txn::store(self.eng).extend(self.ix.rel.locator, Fork::Main, None)
    }
    /// Appends an item to the level's page, finishing the page first when it is full.
    fn add(&mut self, level: usize, item: &[u8]) -> Result<()> {
        if level == self.levels.len() {
            let pin = self.new_page()?;
            self.levels.push(Level {
                data: Vec::with_capacity(PAGE_SIZE),
                ends: Vec::new(),
                size: 0,
                pin,
                prev: NONE,
                low_key: None,
            });
        }
        let fill =
            if level == 0 { usize::from(self.ix.rel.fillfactor.clamp(10, 100)) } else { INTERNAL_FILL };
        let limit = CAPACITY * fill / 100;
        let l = &self.levels[level];
        // The high key may be as large as the next item and a TID.
        let full = l.size + cost(item) > limit || l.size + 2 * cost(item) + 8 > CAPACITY;
        if full && l.ends.len() >= 2 {
            let last = &l.data[l.ends[l.ends.len() - 2]..];
            let high = if level == 0 {
                separator(self.ix, ITup::new(last)?, ITup::new(item)?)?
            } else {
                item.to_vec()
            };
            self.finish_page(level, Some(high))?;
            if level > 0 {
                let first = tuple::minus_infinity(ITup::new(item)?.downlink());
                self.levels[level].push(&first);
                return Ok(());
            }
        }
        self.levels[level].push(item);
        Ok(())
    }
    /// Writes the level's page; with a high key, another page follows.
    fn finish_page(&mut self, level: usize, high: Option<Vec<u8>>) -> Result<()> {
        let next = high.is_some().then(|| self.new_page()).transpose()?;
        let is_root = high.is_none() && level + 1 == self.levels.len() && self.levels[level].prev == NONE;
        let l = &mut self.levels[level];
        let block = l.pin.block();
        let flags = if level == 0 { page::LEAF } else { 0 } | if is_root { page::ROOT } else { 0 };
        let mut p = Page::zeroed();
        let next_block = next.as_ref().map_or(NONE, Pinned::block);
        page::init(&mut p, Opaque { prev: l.prev, next: next_block, level: level as u32, flags });
        if let Some(h) = &high {
            split::push(&mut p, h)?;
        }
        let mut from = 0;
        for &end in &l.ends {
            split::push(&mut p, &l.data[from..end])?;
            from = end;
        }
        l.data.clear();
        l.ends.clear();
        l.size = 0;
        let pivot = match &l.low_key {
            Some(k) => tuple::with_downlink(k, block),
            None => tuple::minus_infinity(block),
        };
        let pin = match next {
            Some(n) => std::mem::replace(&mut l.pin, n),
            None => l.pin.clone(),
        };
        l.prev = block;
        l.low_key = high;
        write_page(self.eng, self.ix, &pin, &p)?;
        if is_root { Ok(()) } else { self.add(level + 1, &pivot) }
    }
    fn finish(mut self) -> Result<u64> {
        self.flush_group()?;
        if self.levels.is_empty() {
            return Ok(0);
        }
        let mut level = 0;
        while level < self.levels.len() {
            self.finish_page(level, None)?;
            level += 1;
        }
        let top = self.levels.len() - 1;
        let root = self.levels[top].pin.block();
        let meta = Meta { root, level: top as u32, fast_root: root, fast_level: top as u32, pending: 0 };
        let mut p = Page::zeroed();
        meta.init_page(&mut p);
        let pin = super::search::pin(self.eng, self.ix, META_BLOCK)?;
        write_page(self.eng, self.ix, &pin, &p)?;
        self.ix.root_cache.set((0, 0));
        Ok(self.count)
    }
}

fn write_page(eng: &Engine, ix: &IndexRel, pin: &Pinned, p: &Page) -> Result<()> {
    let mut g = pin.exclusive();
    let cr = txn::store(eng).begin_critical();
    cr.page(&mut g).bytes_mut().copy_from_slice(p.bytes());
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::IMAGES, txn::current_xid(eng));
        r.block(0, &g, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}
