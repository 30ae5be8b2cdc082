//! Reading a table from end to end, and reading the pages of a bitmap, in batches.
//!
//! A page is locked (shared) once per visit: visibility of all its tuples is decided, then the wanted attributes are
//! copied into the batch's columns under the same lock. Between calls the current page stays pinned, which keeps its items
//! in place, and so do pages read together with it. Out-of-line values are fetched after the page lock is gone.

use super::fetch::hot_search;
use super::header::{self, Bases, Header};
use super::page::{self, bases};
use super::prune;
use super::staged::Staged;
use super::toast;
use super::visibility::{self, Hints};
use crate::bitmap::{BitmapIter, BitmapPage};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Error, Result, Tid, Xid};
use std::rc::Rc;
use storage::page::{LINE_POINTER_SIZE, PAGE_HEADER_SIZE, PAGE_SIZE};
use storage::{Fork, ItemId, Page, PageRef, Pinned, Strategy};
use transam::Snapshot;
use transam::ssi::Place;
use types::column::BATCH_ROWS;
use types::deform::{NO_DATA, RunDeformer};
use types::tuple::{RawAttr, ToastPointer};
use types::{Batch, Column, ColumnData, DatumRef};

/// A system column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysCol {
    /// I64, packed.
    Ctid,
    /// U32, low half.
    Xmin,
    /// U32, low half.
    Xmax,
    /// U32.
    Cmin,
    /// U32.
    Cmax,
    /// U32.
    TableOid,
}

/// Which columns a scan fills.
#[derive(Clone, Debug, Default)]
pub struct ScanSpec {
    /// (attribute number from 1, index of the batch's column), ascending by attribute.
    pub wanted: Vec<(u16, u16)>,
    /// System columns and where they go.
    pub system: Vec<(SysCol, u16)>,
}

/// How to scan.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// First block and number of blocks; `None` = all.
    pub range: Option<(BlockNumber, u32)>,
    /// Prune pages on the way when that looks worthwhile (ordinary scans by MVCC snapshots).
    pub prune: bool,
}

/// Out-of-line values met while a page was locked: (column, row, pointer).
pub(crate) type Pending = Vec<(u16, usize, ToastPointer)>;

/// Appends one version to the batch.
pub(crate) fn emit(
    rel: &Rel,
    spec: &ScanSpec,
    t: &[u8],
    tid: Tid,
    p: &Page,
    out: &mut Batch,
    pending: &mut Pending,
) -> Result<()> {
    let row = out.rows;
    emit_at(rel, spec, t, tid, p, out, row, pending)?;
    out.rows = row + 1;
    Ok(())
}

/// Copies one version into a row of the batch.
fn emit_at(
    rel: &Rel,
    spec: &ScanSpec,
    t: &[u8],
    tid: Tid,
    p: &Page,
    out: &mut Batch,
    row: usize,
    pending: &mut Pending,
) -> Result<()> {
    let tb = page::tuple_bytes(t);
    rel.deformer.deform_into_columns(
        &spec.wanted,
        tb,
        &mut |raw, buf| match raw {
            RawAttr::Compressed { raw } => toast::decompress(raw, buf),
            _ => Ok(()),
        },
        &mut out.cols,
        row,
    )?;
    if header::infomask(t) & header::HASEXTERNAL != 0 {
        for &(att, col) in &spec.wanted {
            if let RawAttr::External(ptr) = rel.deformer.attribute(tb, att as usize)? {
                pending.push((col, row, ptr));
            }
        }
    }
    if !spec.system.is_empty() {
        let h = Header::read(t, bases(p));
        for &(sys, col) in &spec.system {
            put_system(sys, rel, &h, tid, &mut out.cols[col as usize], row);
        }
    }
    Ok(())
}

fn put_system(sys: SysCol, rel: &Rel, h: &Header, tid: Tid, col: &mut Column, row: usize) {
    let d = match sys {
        SysCol::Ctid => DatumRef::I64(tid.pack()),
        SysCol::Xmin => DatumRef::U32(h.xmin.0 as u32),
        SysCol::Xmax => DatumRef::U32(if h.is_multi() { h.multi.0 } else { h.xmax.0 } as u32),
        SysCol::Cmin | SysCol::Cmax => DatumRef::U32(h.cid),
        SysCol::TableOid => DatumRef::U32(rel.oid.0),
    };
    col.set(row, d);
}

/// Fetches the out-of-line values noted by [`emit`].
pub(crate) fn resolve(eng: &Engine, rel: &Rel, pending: &mut Pending, out: &mut Batch) -> Result<()> {
    for (col, row, ptr) in pending.drain(..) {
        if let ColumnData::Bytes(b) = &mut out.cols[col as usize].data {
            b.set_with(row, |buf| toast::fetch(eng, rel, &ptr, buf))?;
        }
    }
    Ok(())
}

/// Line pointers with the smallest tuple that fit on a page.
const MAX_TUPLES_PER_PAGE: usize = storage::PAGE_SIZE / 28;

/// Gives the wanted columns room for `rows` rows so that the deformer's fast lanes apply.
fn reserve(spec: &ScanSpec, out: &mut Batch, rows: usize) {
    for &(_, c) in &spec.wanted {
        out.cols[c as usize].resize(rows);
    }
}

/// Cuts the columns to the rows really there.
fn settle(spec: &ScanSpec, out: &mut Batch) {
    let n = out.rows;
    for c in spec.wanted.iter().map(|w| w.1).chain(spec.system.iter().map(|s| s.1)) {
        out.cols[c as usize].resize(n);
    }
}

/// The common case, told by the hint bits: inserted by a transaction that was over before the oldest one of the
/// snapshot began, and never deleted or locked.
#[inline]
pub(crate) fn settled(t: &[u8], b: Bases, snapshot_xmin: Xid) -> bool {
    let mask = header::infomask(t);
    mask & (header::XMIN_COMMITTED | header::XMAX_INVALID) == header::XMIN_COMMITTED | header::XMAX_INVALID
        && (mask & header::XMIN_INVALID != 0 || b.xid(header::xmin_word(t)) < snapshot_xmin)
}

/// A visible tuple of a page: where it begins, and its offset number.
#[derive(Clone, Copy)]
pub(super) struct Seen(u32);

impl Seen {
    #[inline]
    fn new(off: u16, at: u32) -> Seen {
        Seen(u32::from(off) << 16 | at)
    }
    #[inline]
    fn offset(self) -> u16 {
        (self.0 >> 16) as u16
    }
    #[inline]
    fn at(self) -> usize {
        self.0 as usize & 0xffff
    }
}

/// The page's line pointers.
#[inline]
fn line_pointers(p: &Page) -> impl Iterator<Item = ItemId> {
    let end = p.lower().clamp(PAGE_HEADER_SIZE, PAGE_SIZE);
    p.bytes()[PAGE_HEADER_SIZE..end]
        .chunks_exact(LINE_POINTER_SIZE)
        .map(|lp| ItemId(u32::from_le_bytes([lp[0], lp[1], lp[2], lp[3]])))
}

/// PD_ALL_VISIBLE means visible to every snapshot there is; rules other than MVCC judge each version.
fn all_seen(snap: &Snapshot, p: &Page) -> bool {
    p.is_all_visible() && matches!(snap, Snapshot::Mvcc(s) if !s.taken_during_recovery)
}

/// The tuples on the page that the snapshot sees.
fn visible_items(eng: &Engine, rel: &Rel, snap: &Snapshot, p: &PageRef, out: &mut Vec<Seen>) -> Result<()> {
    out.clear();
    if all_seen(snap, p) {
        // Every pointer is written, and the next one overwrites it when it leads to no tuple.
        out.resize(p.max_offset() as usize, Seen(0));
        let mut n = 0;
        for (i, id) in line_pointers(p).enumerate() {
            if let Some(slot) = out.get_mut(n) {
                *slot = Seen::new(i as u16 + 1, u32::from(id.offset()));
                n += usize::from(id.is_normal());
            }
        }
        out.truncate(n);
        return Ok(());
    }
    let b = bases(p);
    let lsn = p.lsn();
    let mut any_hint = false;
    for (i, id) in line_pointers(p).enumerate() {
        if !id.is_normal() {
            continue;
        }
        let off = i as u16 + 1;
        let t = page::tuple_at(p, id)?;
        if let Snapshot::Mvcc(s) = snap
            && settled(t, b, s.xmin)
        {
            out.push(Seen::new(off, u32::from(id.offset())));
            continue;
        }
        let h = Header::read(t, b);
        let mut hints = Hints::new(lsn);
        let seen = visibility::satisfies(eng, snap, &h, &mut hints)?;
        txn::note_overtaken(eng, rel, &hints)?;
        if hints.bits != 0 {
            page::set_hints(p, off, hints.bits);
            any_hint = true;
        }
        if seen {
            out.push(Seen::new(off, u32::from(id.offset())));
        }
    }
    if any_hint {
        p.pin().store().mark_dirty_hint(p);
    }
    Ok(())
}

/// What the head of a tuple says about its data.
struct Head {
    infomask: u16,
    natts: usize,
    hoff: usize,
}

/// The head of the tuple at a place of the page, read at once; `None` beyond its end.
#[inline]
fn head_at(page: &[u8; PAGE_SIZE], at: usize) -> Option<Head> {
    let w = u64::from_le_bytes(*page.get(at + 16..)?.first_chunk::<8>()?);
    Some(Head {
        infomask: (w >> 32) as u16,
        natts: (w >> 16) as usize & usize::from(header::NATTS_MASK),
        hoff: (w >> 48) as usize & 0xff,
    })
}

/// Tuples without nulls are taken apart column by column, the others row by row.
#[derive(Default)]
pub(super) struct Columnar {
    run: RunDeformer,
    /// Where the row's address goes.
    ctid: Option<u16>,
    /// The columns for which each row has to be walked.
    rest: ScanSpec,
    /// Where on the page the data of each row of the run begins; [`NO_DATA`] for a tuple that does not qualify.
    starts: Vec<u32>,
    odd: Vec<usize>,
}

impl Columnar {
    pub(super) fn new(rel: &Rel, spec: &ScanSpec) -> Columnar {
        let mut c = Columnar { run: RunDeformer::new(&rel.deformer, &spec.wanted), ..Columnar::default() };
        for &(sys, col) in &spec.system {
            if sys == SysCol::Ctid {
                c.ctid = Some(col);
            } else {
                c.rest.system.push((sys, col));
            }
        }
        c.rest.wanted = c.run.rest().to_vec();
        c
    }
    /// Appends these tuples to the batch, which has room for them.
    pub(super) fn copy_run(
        &mut self,
        rel: &Rel,
        spec: &ScanSpec,
        p: &PageRef,
        seen: &[Seen],
        out: &mut Batch,
        pending: &mut Pending,
    ) -> Result<()> {
        let base = out.rows;
        let block = p.pin().block();
        self.find_starts(p, seen.iter().copied());
        self.run.run(p.bytes(), &self.starts, base, &mut out.cols, &mut self.odd);
        self.copy_odd(rel, spec, p, |i| (seen[i], base + i), seen.len(), out, pending)?;
        if let Some(col) = self.ctid
            && let ColumnData::I64(v) = &mut out.cols[col as usize].data
        {
            v.resize(base + seen.len(), 0);
            for (x, s) in v[base..].iter_mut().zip(seen) {
                *x = Tid::new(block, s.offset()).pack();
            }
        }
        out.rows = base + seen.len();
        Ok(())
    }
}

/// Gives out ranges of blocks, first and number, until there are no more: how processes share a scan.
pub type BlockSource = Box<dyn FnMut() -> Option<(u32, u32)>>;

impl Columnar {
    /// Fills the columns of these tuples' rows, which the batch has: row `rows[i]` from the i-th tuple.
    pub(super) fn fill_rows(
        &mut self,
        rel: &Rel,
        spec: &ScanSpec,
        p: &PageRef,
        seen: &[Seen],
        rows: &[u16],
        out: &mut Batch,
        pending: &mut Pending,
    ) -> Result<()> {
        self.find_starts(p, seen.iter().copied());
        self.run.run_rows(p.bytes(), &self.starts, rows, &mut out.cols, &mut self.odd);
        if let Some(col) = self.ctid
            && let ColumnData::I64(v) = &mut out.cols[col as usize].data
        {
            let block = p.pin().block();
            v.resize(out.rows, 0);
            for (s, i) in seen.iter().zip(rows) {
                v[usize::from(*i)] = Tid::new(block, s.offset()).pack();
            }
        }
        self.copy_odd(rel, spec, p, |i| (seen[i], usize::from(rows[i])), seen.len(), out, pending)
    }
    /// Where the data of each tuple begins; those that have to be walked one by one are listed in `odd`.
    #[inline]
    fn find_starts(&mut self, p: &PageRef, seen: impl Iterator<Item = Seen>) {
        let bytes = p.bytes();
        let natts = self.run.natts();
        self.starts.clear();
        self.odd.clear();
        for (i, s) in seen.enumerate() {
            let at = s.at();
            let start = match head_at(bytes, at) {
                Some(h) if h.infomask & header::HASNULL == 0 && h.natts >= natts => (at + h.hoff) as u32,
                _ => {
                    self.odd.push(i);
                    NO_DATA
                }
            };
            self.starts.push(start);
        }
    }
    /// The columns and the tuples that are not taken apart by runs; `at` gives the i-th tuple and its row.
    fn copy_odd(
        &mut self,
        rel: &Rel,
        spec: &ScanSpec,
        p: &PageRef,
        at: impl Fn(usize) -> (Seen, usize),
        n: usize,
        out: &mut Batch,
        pending: &mut Pending,
    ) -> Result<()> {
        let block = p.pin().block();
        let mut one = |spec: &ScanSpec, i: usize| {
            let (s, row) = at(i);
            let t = page::tuple_at(p, p.item_id(s.offset()))?;
            emit_at(rel, spec, t, Tid::new(block, s.offset()), p, out, row, pending)
        };
        if !self.rest.wanted.is_empty() || !self.rest.system.is_empty() {
            (0..n).try_for_each(|i| one(&self.rest, i))?;
        }
        self.odd.iter().try_for_each(|&i| one(spec, i))
    }
}

/// A sequential scan.
pub struct HeapScan {
    rel: Rc<Rel>,
    snapshot: Snapshot,
    spec: ScanSpec,
    prune: bool,
    range: Option<(BlockNumber, u32)>,
    source: Option<BlockSource>,
    first: BlockNumber,
    end: BlockNumber,
    next: BlockNumber,
    strategy: Option<Strategy>,
    /// Page being read: pin, visible tuples (only their number when no columns are wanted), how many are done.
    page: Option<Pinned>,
    seen: Vec<Seen>,
    count: usize,
    done: usize,
    /// Pages read ahead, the next one last.
    ahead: Vec<Pinned>,
    batch_rows: usize,
    pending: Pending,
    columnar: Columnar,
    /// Columns that are filled later, for the rows that are left by then.
    staged: Option<Staged>,
}

/// Tables larger than this part of the buffer pool are read through a ring of buffers.
const RING_FRACTION: usize = 4;
/// Blocks read at a time when the next one is not in the pool.
const READ_AHEAD: u32 = 16;

impl HeapScan {
    /// Begins a scan: the number of blocks is fixed here.
    pub fn begin(
        eng: &Engine,
        rel: Rc<Rel>,
        snapshot: Snapshot,
        spec: ScanSpec,
        opts: ScanOptions,
    ) -> Result<HeapScan> {
        if matches!(snapshot, Snapshot::Mvcc(_)) {
            txn::note_read(eng, &rel, Place::Whole)?;
        }
        let mut s = HeapScan {
            columnar: Columnar::new(&rel, &spec),
            rel,
            snapshot,
            spec,
            prune: opts.prune,
            range: opts.range,
            source: None,
            first: BlockNumber(0),
            end: BlockNumber(0),
            next: BlockNumber(0),
            strategy: None,
            page: None,
            seen: Vec::new(),
            count: 0,
            done: 0,
            ahead: Vec::new(),
            batch_rows: BATCH_ROWS,
            pending: Vec::new(),
            staged: None,
        };
        s.set_range(eng, opts.range)?;
        eng.count_scan(s.rel.stat_key());
        Ok(s)
    }
    fn set_range(&mut self, eng: &Engine, range: Option<(BlockNumber, u32)>) -> Result<()> {
        let n = txn::store(eng).nblocks(self.rel.locator, Fork::Main)?;
        let (first, end) = match range {
            Some((b, len)) => (b.0.min(n.0), b.0.saturating_add(len).min(n.0)),
            None => (0, n.0),
        };
        self.first = BlockNumber(first);
        self.end = BlockNumber(end);
        self.next = self.first;
        let st = txn::store(eng);
        let large = n.0 as usize > st.config().pool_blocks() / RING_FRACTION;
        self.strategy = large.then(|| Strategy::bulk_read(st));
        self.page = None;
        self.ahead.clear();
        self.count = 0;
        self.done = 0;
        if let Some(s) = &mut self.staged {
            s.release();
        }
        Ok(())
    }
    /// From the next batch on, only the columns of the first of these specs are filled by [`HeapScan::next_batch`], those
    /// of each further one by a call of [`HeapScan::fill_stage`]. No specs: all columns at once.
    pub fn set_stages(&mut self, stages: Vec<ScanSpec>) {
        self.staged = (stages.len() > 1).then(|| Staged::new(&self.rel, stages));
    }
    /// Is the attribute found in a tuple without looking at others?
    pub fn at_fixed_place(&self, attno: u16) -> bool {
        self.rel.deformer.at_fixed_place(attno)
    }
    /// Fills the columns of stage `n` for the live rows of the batch last given out.
    pub fn fill_stage(&mut self, eng: &Engine, n: usize, out: &mut Batch) -> Result<()> {
        match &mut self.staged {
            Some(s) => s.fill(eng, &self.rel, n, out),
            None => Ok(()),
        }
    }
    /// From here on the scan reads what the source gives it, and nothing else; until the next rescan.
    pub fn share(&mut self, source: BlockSource) {
        self.next = self.end;
        self.source = Some(source);
    }
    /// Goes on to the source's next blocks.
    fn next_share(&mut self) -> bool {
        match self.source.as_mut().and_then(|s| s()) {
            Some((first, n)) => {
                self.next = BlockNumber(first);
                self.end = BlockNumber(first.saturating_add(n));
                true
            }
            None => false,
        }
    }
    /// Blocks the scan covers.
    pub fn nblocks(&self) -> u32 {
        self.end.0 - self.first.0
    }
    /// Starts over, with another snapshot if one is given.
    pub fn rescan(&mut self, eng: &Engine, snapshot: Option<Snapshot>) -> Result<()> {
        if let Some(s) = snapshot {
            self.snapshot = s;
        }
        eng.count_scan(self.rel.stat_key());
        self.source = None;
        self.set_range(eng, self.range)
    }
    /// Caps the rows of the next batches (LIMIT, cursors): at least 1.
    pub fn set_batch_rows(&mut self, rows: usize) {
        self.batch_rows = rows.clamp(1, BATCH_ROWS);
    }
    /// Appends visible rows to `out` (whose columns exist and are cleared by the caller) until it holds a full batch;
    /// false when the table is exhausted and nothing was added.
    pub fn next_batch(&mut self, eng: &Engine, out: &mut Batch) -> Result<bool> {
        let start = out.rows;
        if let Some(s) = &mut self.staged {
            s.release();
        }
        // A small table does not pay for a full batch.
        let pages_left = (self.end.0 - self.next.0.min(self.end.0)) as usize;
        let most = match &self.source {
            Some(_) => BATCH_ROWS,
            None => pages_left.saturating_mul(MAX_TUPLES_PER_PAGE) + self.count - self.done,
        };
        reserve(&self.spec, out, self.batch_rows.min(start + most));
        let r = self.fill(eng, out);
        settle(&self.spec, out);
        r?;
        eng.count_returned(self.rel.stat_key(), (out.rows - start) as u64);
        Ok(out.rows > start)
    }
    fn fill(&mut self, eng: &Engine, out: &mut Batch) -> Result<()> {
        while out.rows < self.batch_rows && !self.staged.as_ref().is_some_and(Staged::is_full) {
            let blind = self.spec.wanted.is_empty() && self.spec.system.is_empty();
            let locked = if self.done < self.count {
                match &self.page {
                    _ if blind => None,
                    Some(pin) => Some(pin.share()),
                    None => break,
                }
            } else if self.next < self.end || self.next_share() {
                Some(self.open_page(eng, blind)?)
            } else {
                self.page = None;
                break;
            };
            let n = (self.count - self.done).min(self.batch_rows - out.rows);
            let from = self.done;
            self.done += n;
            if blind {
                // Only the number of rows is wanted.
                out.rows += n;
                continue;
            }
            let Some(locked) = locked else { continue };
            let seen = &self.seen[from..from + n];
            match &mut self.staged {
                Some(s) => s.take(&self.rel, &locked, seen, out, &mut self.pending)?,
                None => {
                    self.columnar.copy_run(&self.rel, &self.spec, &locked, seen, out, &mut self.pending)?;
                }
            }
            drop(locked);
            if !self.pending.is_empty() {
                resolve(eng, &self.rel, &mut self.pending, out)?;
            }
        }
        Ok(())
    }
    /// Pins the next page, decides its visibility, and returns it locked. `blind`: the number of its tuples suffices.
    fn open_page(&mut self, eng: &Engine, blind: bool) -> Result<PageRef> {
        eng.check_interrupts()?;
        self.page = None;
        let pin = self.next_pin(eng)?;
        self.next = self.next.next();
        if self.prune {
            prune::prune_opt(eng, &self.rel, &pin)?;
        }
        let locked = pin.share();
        if blind && all_seen(&self.snapshot, &locked) {
            self.count = line_pointers(&locked).map(|id| usize::from(id.is_normal())).sum();
        } else {
            visible_items(eng, &self.rel, &self.snapshot, &locked, &mut self.seen)?;
            self.count = self.seen.len();
        }
        self.done = 0;
        self.page = Some(pin);
        Ok(locked)
    }
    /// The next page from the pool, or read together with those behind it.
    fn next_pin(&mut self, eng: &Engine) -> Result<Pinned> {
        if let Some(p) = self.ahead.pop() {
            return Ok(p);
        }
        let (st, strategy) = (txn::store(eng), self.strategy.as_ref());
        if let Some(p) = st.read_cached(self.rel.locator, Fork::Main, self.next, strategy) {
            return Ok(p);
        }
        let n = READ_AHEAD.min(self.end.0 - self.next.0);
        st.read_multi(self.rel.locator, Fork::Main, self.next, n, strategy, &mut self.ahead)?;
        self.ahead.reverse();
        self.ahead.pop().ok_or_else(|| Error::internal("read of no blocks"))
    }
}

/// Reads the rows of a bitmap.
pub struct BitmapHeapScan {
    rel: Rc<Rel>,
    snapshot: Snapshot,
    spec: ScanSpec,
    pages: BitmapIter,
    current: BitmapPage,
    page: Option<Pinned>,
    seen: Vec<Seen>,
    offsets: Vec<u16>,
    done: usize,
    nblocks: BlockNumber,
    /// Pages ahead that were announced to the kernel, the current one not counted.
    announced: usize,
    exact: u64,
    lossy: u64,
    pending: Pending,
}

impl BitmapHeapScan {
    /// Prepares.
    pub fn begin(
        eng: &Engine,
        rel: Rc<Rel>,
        snapshot: Snapshot,
        spec: ScanSpec,
        pages: BitmapIter,
    ) -> Result<BitmapHeapScan> {
        Ok(BitmapHeapScan {
            nblocks: txn::store(eng).nblocks(rel.locator, Fork::Main)?,
            rel,
            snapshot,
            spec,
            pages,
            current: BitmapPage::default(),
            page: None,
            seen: Vec::new(),
            offsets: Vec::new(),
            done: 0,
            announced: 0,
            exact: 0,
            lossy: 0,
            pending: Vec::new(),
        })
    }
    /// Like [`HeapScan::next_batch`]. Appends to `recheck` the row numbers whose index condition must be re-checked.
    pub fn next_batch(&mut self, eng: &Engine, out: &mut Batch, recheck: &mut Vec<u16>) -> Result<bool> {
        let start = out.rows;
        reserve(&self.spec, out, BATCH_ROWS);
        let r = self.fill(eng, out, recheck);
        settle(&self.spec, out);
        r?;
        eng.count_fetched(self.rel.stat_key(), (out.rows - start) as u64);
        Ok(out.rows > start)
    }
    fn fill(&mut self, eng: &Engine, out: &mut Batch, recheck: &mut Vec<u16>) -> Result<()> {
        while out.rows < BATCH_ROWS {
            let locked = if self.done < self.offsets.len() {
                match &self.page {
                    Some(pin) => pin.share(),
                    None => break,
                }
            } else {
                match self.open_page(eng)? {
                    Some(p) => p,
                    None => break,
                }
            };
            let block = locked.pin().block();
            while self.done < self.offsets.len() && out.rows < BATCH_ROWS {
                let off = self.offsets[self.done];
                self.done += 1;
                if let Some(t) = page::tuple(&locked, off)? {
                    if self.current.recheck {
                        recheck.push(out.rows as u16);
                    }
                    emit(&self.rel, &self.spec, t, Tid::new(block, off), &locked, out, &mut self.pending)?;
                }
            }
            drop(locked);
            if !self.pending.is_empty() {
                resolve(eng, &self.rel, &mut self.pending, out)?;
            }
        }
        Ok(())
    }
    /// Keeps `effective_io_concurrency` pages announced.
    fn announce(&mut self, st: &storage::Store) {
        let distance = st.tuning().io_concurrency as usize;
        self.announced = self.announced.saturating_sub(1);
        if self.announced < distance {
            for b in self.pages.ahead(distance).skip(self.announced) {
                st.prefetch(self.rel.locator, Fork::Main, b, 1);
            }
            self.announced = distance;
        }
    }
    fn open_page(&mut self, eng: &Engine) -> Result<Option<PageRef>> {
        let st = txn::store(eng);
        loop {
            eng.check_interrupts()?;
            self.page = None;
            if !self.pages.next_page(&mut self.current) {
                return Ok(None);
            }
            self.announce(st);
            // Entries of rows beyond the end belong to transactions that began later.
            if self.current.block >= self.nblocks {
                continue;
            }
            let pin = st.read_main(self.rel.locator, self.current.block)?;
            prune::prune_opt(eng, &self.rel, &pin)?;
            let locked = pin.share();
            if self.current.lossy {
                self.lossy += 1;
                visible_items(eng, &self.rel, &self.snapshot, &locked, &mut self.seen)?;
                txn::note_read(eng, &self.rel, Place::Page(self.current.block))?;
                self.offsets.clear();
                self.offsets.extend(self.seen.iter().map(|s| s.offset()));
            } else {
                self.exact += 1;
                self.offsets.clear();
                for &off in &self.current.offsets {
                    let found = hot_search(eng, &self.rel, &self.snapshot, &locked, off)?.0;
                    if let Some(o) = found
                        && !self.offsets.contains(&o)
                    {
                        self.offsets.push(o);
                    }
                }
            }
            self.done = 0;
            self.page = Some(pin);
            return Ok(Some(locked));
        }
    }
    /// (exact, lossy) pages read so far, for EXPLAIN.
    pub fn heap_blocks(&self) -> (u64, u64) {
        (self.exact, self.lossy)
    }
    /// Starts over.
    pub fn rescan(&mut self) {
        self.pages.rewind();
        self.page = None;
        self.offsets.clear();
        self.done = 0;
    }
}
