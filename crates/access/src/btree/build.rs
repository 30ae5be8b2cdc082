//! Building an index: entries are collected and sorted ([`super::sort`]), then the tree is written bottom up, each page
//! once, from left to right.
//!
//! A page is known only when the next one begins: its high key separates its last entry from the next one's first.
//! Each level keeps its unfinished page in memory; a finished page is logged as a page image.

use super::dedup;
use super::insert;
use super::page::{self, META_BLOCK, Meta, NONE, Opaque};
use super::sort::{ItemSorter, WordShape, WordSorter, compare_keys};
use super::split::{self, separator};
use super::tuple::{self, ITup};
use super::wal;
use crate::rel::IndexRel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Error, Result, Tid};
use std::cmp::Ordering;
use storage::page::{LINE_POINTER_SIZE, PAGE_HEADER_SIZE, maxalign};
use storage::{Fork, PAGE_SIZE, Page, Pinned, RegFlags, RmgrId, Store};
use types::column::Arg;
use types::{ColumnData, DatumRef, Rows};

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

/// Entries on their way to be sorted.
enum Sorter<'a> {
    Words(WordSorter),
    Items(ItemSorter<'a>),
}

/// Collects entries, sorts them (spilling beyond `maintenance_work_mem`) and writes the tree bottom up.
pub struct BtBuild<'a> {
    ix: &'a IndexRel,
    store: Store,
    memory: usize,
    sorter: Sorter<'a>,
}

/// Rows added between two looks at the memory in use.
const CHECK_ROWS: usize = 1024;

impl<'a> BtBuild<'a> {
    /// Begins a build of an index whose main fork exists and is empty. `memory_bytes`: maintenance_work_mem.
    pub fn new(eng: &Engine, ix: &'a IndexRel, memory_bytes: usize) -> BtBuild<'a> {
        let sorter = match WordShape::of(ix) {
            Some(shape) => Sorter::Words(WordSorter::new(shape)),
            None => Sorter::Items(ItemSorter::new(ix)),
        };
        BtBuild { ix, store: txn::store(eng).clone(), memory: memory_bytes.clamp(1 << 20, 2 << 30), sorter }
    }
    /// Adds one entry: values in index column order.
    pub fn add(&mut self, values: &[DatumRef<'_>], tid: Tid) -> Result<()> {
        self.add_row(values, tid.pack() as u64)?;
        self.check_memory()
    }
    fn add_row(&mut self, values: &[DatumRef<'_>], tid: u64) -> Result<()> {
        match &mut self.sorter {
            Sorter::Items(s) => s.add(values, tid),
            Sorter::Words(s) => {
                match s.shape.key(values) {
                    Some(key) => s.push(key, tid),
                    None if s.shape.is_single() => s.push_null(tid),
                    None => {
                        self.switch_to_items()?;
                        return self.add_row(values, tid);
                    }
                }
                Ok(())
            }
        }
    }
    /// A null among several columns: no integer stands for that.
    #[cold]
    fn switch_to_items(&mut self) -> Result<()> {
        let mut items = ItemSorter::new(self.ix);
        if let Sorter::Words(s) = std::mem::replace(&mut self.sorter, Sorter::Items(ItemSorter::new(self.ix)))
        {
            let shape = s.shape.clone();
            let mut words = s.finish()?.1;
            let mut item = [0; 64];
            while let Some(w) = words.next()? {
                let values = self.ix.key_values(ITup::new(shape.item(w, &mut item))?)?;
                let refs: Vec<DatumRef<'_>> = values.iter().map(types::Datum::as_ref).collect();
                items.add(&refs, w.tid)?;
                if items.memory() > self.memory {
                    items.spill(&self.store)?;
                }
            }
        }
        self.sorter = Sorter::Items(items);
        Ok(())
    }
    fn check_memory(&mut self) -> Result<()> {
        match &mut self.sorter {
            Sorter::Words(s) if s.memory() > self.memory => s.spill(&self.store),
            Sorter::Items(s) if s.memory() > self.memory => s.spill(&self.store),
            _ => Ok(()),
        }
    }
    /// Adds rows of a batch: index column `i` in `cols[i]`, and the packed address of each row, in row order, in `tids`.
    pub fn add_batch(&mut self, cols: &[Arg<'_>], rows: Rows<'_>, tids: &[u64]) -> Result<()> {
        debug_assert!(rows.count() == tids.len() && tids.len() <= CHECK_ROWS);
        if let (Sorter::Words(s), [col]) = (&mut self.sorter, cols)
            && !col.konst
            && !col.col.nulls.any()
        {
            let mut k = 0;
            let mut put = |bits: u64| {
                s.push(s.shape.single(bits), tids[k]);
                k += 1;
            };
            match (&col.col.data, rows) {
                (ColumnData::I32(v), Rows::All(n)) => v[..n].iter().for_each(|x| put(*x as u64)),
                (ColumnData::I64(v), Rows::All(n)) => v[..n].iter().for_each(|x| put(*x as u64)),
                (ColumnData::I16(v), Rows::All(n)) => v[..n].iter().for_each(|x| put(*x as u64)),
                (ColumnData::U32(v), Rows::All(n)) => v[..n].iter().for_each(|x| put(u64::from(*x))),
                (ColumnData::I32(v), Rows::Sel(r)) => r.iter().for_each(|i| put(v[*i as usize] as u64)),
                (ColumnData::I64(v), Rows::Sel(r)) => r.iter().for_each(|i| put(v[*i as usize] as u64)),
                (ColumnData::I16(v), Rows::Sel(r)) => r.iter().for_each(|i| put(v[*i as usize] as u64)),
                (ColumnData::U32(v), Rows::Sel(r)) => r.iter().for_each(|i| put(u64::from(v[*i as usize]))),
                _ => return Err(Error::internal("index build: key of an unexpected kind")),
            }
            return self.check_memory();
        }
        let mut values: Vec<DatumRef<'_>> = Vec::with_capacity(cols.len());
        let mut k = 0;
        rows.each(|i| {
            values.clear();
            values.extend(cols.iter().map(|c| c.get(i)));
            k += 1;
            self.add_row(&values, tids[k - 1])
        })?;
        self.check_memory()
    }
    /// Sorts, checks uniqueness (23505 `could not create unique index`), writes. Returns the number of entries.
    pub fn finish(self, eng: &Engine) -> Result<u64> {
        create_empty(eng, self.ix)?;
        let mut w = Writer::new(eng, self.ix);
        match self.sorter {
            Sorter::Items(s) => {
                s.finish(&self.store, &mut |tid, item, left, same| w.entry(tid, item, left, same))?;
            }
            Sorter::Words(s) => {
                let shape = s.shape.clone();
                let (nulls, mut words) = s.finish()?;
                let first = self.ix.keys[0].nulls_first;
                if first {
                    w.nulls(&nulls)?;
                }
                let mut item = [0; 64];
                let mut last = None;
                while let Some(x) = words.next()? {
                    let same = last == Some(x.key);
                    last = Some(x.key);
                    w.entry(x.tid, shape.item(x, &mut item), words.left(), Some(same))?;
                }
                if !first {
                    w.nulls(&nulls)?;
                }
            }
        }
        w.report();
        w.finish()
    }
}

/// The unfinished page of a level. It is built without its high key, which is known at its end.
struct Level {
    page: Box<Page>,
    /// Bytes of its items and their line pointers.
    size: usize,
    pin: Pinned,
    prev: BlockNumber,
    /// Separator from the page before; `None` on the first page.
    low_key: Option<Vec<u8>>,
}

impl Level {
    fn push(&mut self, item: &[u8]) -> Result<()> {
        self.size += cost(item);
        split::push(&mut self.page, item)
    }
}

struct Writer<'a> {
    eng: &'a Engine,
    ix: &'a IndexRel,
    levels: Vec<Level>,
    count: u64,
    dedup: bool,
    /// The last entry of a unique index.
    last: Vec<u8>,
    /// Equal keys being gathered into a posting list: the first tuple, and addresses.
    base: Vec<u8>,
    tids: Vec<Tid>,
    /// Entries to come, at least.
    left: usize,
    /// Blocks added ahead, last first.
    spare: Vec<Pinned>,
}

fn cost(item: &[u8]) -> usize {
    maxalign(item.len()) + LINE_POINTER_SIZE
}

/// Most blocks added in one go.
const EXTEND_MAX: usize = 16;

impl<'a> Writer<'a> {
    fn new(eng: &'a Engine, ix: &'a IndexRel) -> Writer<'a> {
        Writer {
            eng,
            ix,
            levels: Vec::new(),
            count: 0,
            dedup: dedup::is_allowed(ix),
            last: Vec::new(),
            base: Vec::new(),
            tids: Vec::new(),
            left: 0,
            spare: Vec::new(),
        }
    }
    /// Entries of a single column that are all null.
    fn nulls(&mut self, tids: &[u64]) -> Result<()> {
        let Some(first) = tids.first() else { return Ok(()) };
        let item = insert::form(self.ix, &[DatumRef::Null], Tid::unpack(*first as i64))?;
        for (i, tid) in tids.iter().enumerate() {
            let item = tuple::with_tid(&item, Tid::unpack(*tid as i64));
            self.entry(*tid, &item, 0, Some(i > 0))?;
        }
        Ok(())
    }
    /// Next entry in order; `left` are to come at least. `same`: is its key that of the entry before? `None`: not known.
    fn entry(&mut self, tid: u64, item: &[u8], left: usize, same: Option<bool>) -> Result<()> {
        self.count += 1;
        self.left = left;
        if self.count.is_multiple_of(4096) {
            self.eng.check_interrupts()?;
        }
        if self.ix.unique {
            let same = match same {
                Some(s) => s,
                None => {
                    !self.last.is_empty() && compare_keys(self.ix, &self.last, item, 0) == Ordering::Equal
                }
            };
            if same {
                self.check_unique(item)?;
            }
            self.last.clear();
            self.last.extend_from_slice(item);
            return self.add(0, item);
        }
        if !self.dedup {
            return self.add(0, item);
        }
        let tid = Tid::unpack(tid as i64);
        if !self.tids.is_empty() {
            let same = match same {
                Some(s) => s,
                None => dedup::same_key(self.ix, ITup::new(&self.base)?, ITup::new(item)?),
            };
            if same
                && maxalign(self.base.len()) + (self.tids.len() + 1) * tuple::TID_SIZE <= dedup::POSTING_MAX
            {
                self.tids.push(tid);
                return Ok(());
            }
            self.flush_group()?;
        }
        self.base.clear();
        self.base.extend_from_slice(item);
        self.tids.push(tid);
        Ok(())
    }
    fn flush_group(&mut self) -> Result<()> {
        let mut tids = std::mem::take(&mut self.tids);
        let base = std::mem::take(&mut self.base);
        match tids.len() {
            0 => {}
            1 => self.add(0, &base)?,
            _ => self.add(0, &tuple::form_posting(ITup::new(&base)?, &tids)?)?,
        }
        tids.clear();
        (self.tids, self.base) = (tids, base);
        Ok(())
    }
    /// An entry whose key equals the last one's: is that allowed?
    fn check_unique(&self, item: &[u8]) -> Result<()> {
        let values = self.ix.key_values(ITup::new(item)?)?;
        if !self.ix.nulls_not_distinct && values.iter().any(types::Datum::is_null) {
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
    /// `pg_stat_progress_create_index`, a page at a time.
    fn report(&self) {
        use ipc::progress::{Command, create_index as p};
        let progress = &self.eng.proc().progress;
        progress.set(Command::CreateIndex, p::SUBPHASE, 5);
        progress.set(Command::CreateIndex, p::TUPLES_DONE, self.count as i64);
    }
    fn new_page(&mut self) -> Result<Pinned> {
        self.report();
        if let Some(p) = self.spare.pop() {
            return Ok(p);
        }
        // What is to come takes at least the addresses: no block is added that would stay empty.
        let sure = self.left * tuple::TID_SIZE / PAGE_SIZE;
        let n = sure.clamp(1, EXTEND_MAX) as u32;
        txn::store(self.eng).extend_by(self.ix.rel.locator, Fork::Main, n, None, &mut self.spare)?;
        self.spare.reverse();
        self.spare.pop().ok_or_else(|| Error::internal("extension returned no block"))
    }
    /// Appends an item to the level's page, finishing the page first when it is full.
    fn add(&mut self, level: usize, item: &[u8]) -> Result<()> {
        if level == self.levels.len() {
            let pin = self.new_page()?;
            let mut page = Page::zeroed();
            page::init(&mut page, Opaque::default());
            self.levels.push(Level { page, size: 0, pin, prev: NONE, low_key: None });
        }
        let fill =
            if level == 0 { usize::from(self.ix.rel.fillfactor.clamp(10, 100)) } else { INTERNAL_FILL };
        let limit = CAPACITY * fill / 100;
        let l = &self.levels[level];
        let more = cost(item);
        // The high key may be as large as the next item and a TID.
        let full = l.size + more > limit || l.size + 2 * more + 8 > CAPACITY;
        if full && l.page.max_offset() >= 2 {
            let high = if level == 0 {
                let last = ITup::new(l.page.item(l.page.max_offset())?)?;
                separator(self.ix, last, ITup::new(item)?)?
            } else {
                item.to_vec()
            };
            self.finish_page(level, Some(high))?;
            if level > 0 {
                let first = tuple::minus_infinity(ITup::new(item)?.downlink());
                return self.levels[level].push(&first);
            }
        }
        self.levels[level].push(item)
    }
    /// Writes the level's page; with a high key, another page follows.
    fn finish_page(&mut self, level: usize, high: Option<Vec<u8>>) -> Result<()> {
        let next = if high.is_some() { Some(self.new_page()?) } else { None };
        let is_root = high.is_none() && level + 1 == self.levels.len() && self.levels[level].prev == NONE;
        let l = &mut self.levels[level];
        let block = l.pin.block();
        let flags = if level == 0 { page::LEAF } else { 0 } | if is_root { page::ROOT } else { 0 };
        let next_block = next.as_ref().map_or(NONE, Pinned::block);
        Opaque { prev: l.prev, next: next_block, level: level as u32, flags }.write(&mut l.page);
        if let Some(h) = &high
            && !l.page.insert_item(1, h)
        {
            return Err(Error::internal("btree page build: high key does not fit"));
        }
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
        l.size = 0;
        write_page(self.eng, self.ix, &pin, &l.page)?;
        page::init(&mut l.page, Opaque::default());
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
