//! Index scans. A scan reads one leaf at a time: it locks the page, copies out every matching TID (and index columns
//! if asked), unlocks, and remembers the neighbour to go on with. Entries that move right by a split in between are
//! found again because the remembered right link is the one of the moment the page was read.
//!
//! Keys: the *prefix* is the run of leading columns with an equality (or IS NULL, or one element of an ANY array). It
//! and one bound on the next column give the place to start; a failing key of those columns ends the scan. ANY arrays
//! within the prefix are walked element by element, each with a descent of its own.

use super::key::{SearchKey, attr_datum};
use super::page::{HAS_GARBAGE, NONE, Opaque};
use super::search;
use super::tuple::ITup;
use crate::heap::toast;
use crate::rel::IndexRel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Error, Lsn, Result, Tid};
use std::cmp::Ordering;
use std::rc::Rc;
use storage::{PageRef, Pinned, Store};
use transam::ssi::Place;
use types::tuple::RawAttr;
use types::{Batch, CmpFn, Datum, DatumRef};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// btree strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Lt = 1,
    Le = 2,
    Eq = 3,
    Ge = 4,
    Gt = 5,
}

/// A condition on one index column.
#[derive(Clone, Debug)]
pub enum ScanOp {
    /// Column ⟨op⟩ value; a NULL value matches nothing. `cmp` when the value's type is not the column's.
    Cmp(Strategy, Datum, Option<CmpFn>),
    IsNull,
    IsNotNull,
    /// Column = ANY of these.
    Any(Vec<Datum>, Option<CmpFn>),
}

/// One scan key. All keys of a scan must hold.
#[derive(Clone, Debug)]
pub struct ScanKey {
    /// Index column from 1.
    pub column: u16,
    pub op: ScanOp,
}

/// A remembered place in a scan.
#[derive(Clone, Debug, Default)]
pub struct ScanMark {
    page: PageState,
    arrays: Vec<usize>,
    valid: bool,
}

/// The leaf last read.
#[derive(Clone, Debug, Default)]
struct PageState {
    block: BlockNumber,
    next: BlockNumber,
    prev: BlockNumber,
    lsn: Lsn,
    /// Matching TIDs with their line pointers, in scan order.
    items: Vec<(Tid, u16)>,
    /// No match can follow in scan direction.
    ended: bool,
}

/// An ANY array of the prefix.
struct Array {
    key: usize,
    values: Vec<Datum>,
    at: usize,
}

/// An index scan: yields the TIDs of one leaf page at a time.
pub struct BtScan {
    ix: Rc<IndexRel>,
    keys: Vec<ScanKey>,
    dir: Direction,
    keep_pin: bool,
    /// The rows are not read under the transaction's snapshot.
    sees_all: bool,
    store: Option<Store>,
    prepared: bool,
    /// A page has been read for the present array elements.
    on_page: bool,
    done: bool,
    /// Leading columns with an equality.
    prefix: usize,
    /// The matches are all entries from the starting place up to the first that fails.
    contiguous: bool,
    arrays: Vec<Array>,
    page: PageState,
    pin: Option<Pinned>,
    killed: Vec<usize>,
    /// The next batch is the page already read (after `restore`).
    replay: bool,
    /// Leaves are taken in turn with other processes.
    pub(super) share: Option<super::shared::Share>,
}

/// Items tested one by one before the last one of the page is asked whether all will do.
const LOOK_AHEAD_AFTER: usize = 6;

/// What a tuple means for the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Match,
    Skip,
    End,
}

impl BtScan {
    /// Begins a scan. `keep_pin`: hold the leaf's pin while its TIDs are used (needed when the heap is read with
    /// anything but an MVCC snapshot, and by index-only scans).
    pub fn begin(ix: Rc<IndexRel>, keys: Vec<ScanKey>, dir: Direction, keep_pin: bool) -> BtScan {
        let keep_pin = keep_pin || !ix.rel.is_logged();
        BtScan {
            ix,
            keys,
            dir,
            keep_pin,
            sees_all: false,
            store: None,
            prepared: false,
            on_page: false,
            done: false,
            prefix: 0,
            contiguous: false,
            arrays: Vec::new(),
            page: PageState::default(),
            pin: None,
            killed: Vec::new(),
            replay: false,
            share: None,
        }
    }
    /// The rows will not be read under the transaction's snapshot: what keys are there is no read of SERIALIZABLE's.
    pub fn outside_snapshot(mut self) -> BtScan {
        self.sees_all = true;
        self
    }
    /// Starts over with other keys (parameters of a nested loop). Keeps the memory.
    pub fn restart(&mut self, keys: &[ScanKey]) {
        self.leave();
        self.keys.clear();
        self.keys.extend_from_slice(keys);
        self.prepared = false;
        self.on_page = false;
        self.done = false;
        self.replay = false;
        self.share = None;
    }
    /// Starts over with the same keys.
    pub fn rescan(&mut self) {
        self.leave();
        self.prepared = false;
        self.on_page = false;
        self.done = false;
        self.replay = false;
    }
    /// Changes direction from the current batch on (cursors): the next batch is the one before the current.
    pub fn set_direction(&mut self, dir: Direction) {
        if self.dir != dir {
            self.dir = dir;
            self.page.ended = false;
            self.done = self.done && !self.on_page;
        }
    }
    /// Lets go of pins and marks killed entries.
    pub fn end(&mut self, _eng: &Engine) {
        self.leave();
        self.done = true;
    }
    /// The n-th TID of the current batch leads to rows dead to everyone: mark the entry when leaving the page.
    pub fn kill(&mut self, n: usize) {
        self.killed.push(n);
    }
    /// Remembers the current batch. (Index columns cannot be replayed: only for scans without them.)
    pub fn mark(&self) -> ScanMark {
        ScanMark {
            page: self.page.clone(),
            arrays: self.arrays.iter().map(|a| a.at).collect(),
            valid: self.on_page,
        }
    }
    /// Goes back: the next batch is the one that was current at the mark.
    pub fn restore(&mut self, mark: &ScanMark) {
        self.leave();
        if !mark.valid {
            self.rescan();
            return;
        }
        self.page = mark.page.clone();
        for (a, at) in self.arrays.iter_mut().zip(&mark.arrays) {
            a.at = *at;
        }
        self.on_page = true;
        self.done = false;
        self.replay = true;
    }

    /// Replaces `tids` by the next leaf's matches; with `columns` (attribute number from 1 of the index, batch
    /// column; ascending), index values go to the batch, one row a TID. False at the end. A leaf full of posting lists
    /// holds up to about 1,350 TIDs.
    pub fn next_batch(
        &mut self,
        eng: &Engine,
        tids: &mut Vec<Tid>,
        mut columns: Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<bool> {
        tids.clear();
        if self.store.is_none() {
            self.store = Some(txn::store(eng).clone());
        }
        if !self.prepared {
            self.prepare()?;
        }
        loop {
            if self.replay {
                self.replay = false;
            } else {
                if self.done {
                    return Ok(false);
                }
                eng.check_interrupts()?;
                self.leave();
                if self.share.is_some() {
                    if !self.advance_shared(eng, &mut columns)? {
                        self.done = true;
                        return Ok(false);
                    }
                } else if !self.advance(eng, &mut columns)? && !self.next_array_element() {
                    self.done = true;
                    return Ok(false);
                }
            }
            if !self.page.items.is_empty() {
                tids.extend(self.page.items.iter().map(|i| i.0));
                eng.count_returned(self.ix.rel.stat_key(), tids.len() as u64);
                return Ok(true);
            }
        }
    }

    /// Reads the first or the next page; false when the present array elements are exhausted.
    fn advance(&mut self, eng: &Engine, columns: &mut Option<(&[(u16, u16)], &mut Batch)>) -> Result<bool> {
        if !self.on_page {
            eng.count_scan(self.ix.rel.stat_key());
            return self.first_page(eng, columns);
        }
        self.page.items.clear();
        if self.page.ended {
            return Ok(false);
        }
        match self.find_neighbour(eng)? {
            Some((p, start)) => {
                self.note_leaf(eng, &p)?;
                self.read_page(p, start, columns)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
    /// The leaf behind the one read last, locked, and where to begin on it.
    pub(super) fn find_neighbour(&mut self, eng: &Engine) -> Result<Option<(PageRef, u16)>> {
        let next = match self.dir {
            Direction::Forward => self.right_of(eng)?,
            Direction::Backward => self.left_of(eng)?,
        };
        let Some(p) = next else { return Ok(None) };
        let start = match self.dir {
            Direction::Forward => Opaque::read(&p)?.first_data(),
            Direction::Backward => p.max_offset(),
        };
        Ok(Some((p, start)))
    }
    pub(super) fn note_leaf(&self, eng: &Engine, p: &PageRef) -> Result<()> {
        self.note(eng, Place::Page(p.pin().block()))
    }
    /// The place another process has come to is this one's too.
    pub(super) fn stand_at(&mut self, block: BlockNumber, next: BlockNumber, prev: BlockNumber) {
        self.on_page = true;
        self.page.items.clear();
        (self.page.block, self.page.next, self.page.prev) = (block, next, prev);
    }
    /// No match can follow the leaf read last.
    pub(super) fn has_ended(&self) -> bool {
        self.page.ended
    }
    pub(super) fn direction(&self) -> Direction {
        self.dir
    }
    pub(super) fn relation(&self) -> &crate::Rel {
        &self.ix.rel
    }

    // ---- keys ----

    fn prepare(&mut self) -> Result<()> {
        self.prepared = true;
        self.arrays.clear();
        self.prefix = 0;
        self.keys.sort_by_key(|k| k.column);
        for k in &self.keys {
            if k.column == 0 || k.column as usize > self.ix.nkeys() {
                return Err(Error::internal(format!("scan key on index column {}", k.column)));
            }
            let impossible = match &k.op {
                ScanOp::Cmp(_, v, _) => v.is_null(),
                ScanOp::Any(v, _) => v.iter().all(Datum::is_null),
                _ => false,
            };
            self.done |= impossible;
        }
        while self.prefix < self.ix.nkeys() {
            let col = self.prefix as u16 + 1;
            let eq = self.keys.iter().position(|k| {
                k.column == col
                    && matches!(k.op, ScanOp::Cmp(Strategy::Eq, _, _) | ScanOp::IsNull | ScanOp::Any(..))
            });
            let Some(i) = eq else { break };
            if let ScanOp::Any(values, _) = &self.keys[i].op {
                let kc = self.ix.keys[self.prefix];
                let mut v: Vec<Datum> = values.iter().filter(|d| !d.is_null()).cloned().collect();
                v.sort_by(|a, b| kc.compare(a.as_ref(), b.as_ref()));
                v.dedup_by(|a, b| kc.compare(a.as_ref(), b.as_ref()) == Ordering::Equal);
                let at = if self.dir == Direction::Forward { 0 } else { v.len().saturating_sub(1) };
                self.arrays.push(Array { key: i, values: v, at });
            }
            self.prefix += 1;
        }
        self.contiguous = self.is_contiguous();
        Ok(())
    }

    /// One equality on each column of the prefix, and at most one bound in each direction on the next.
    fn is_contiguous(&self) -> bool {
        let mut starts = 0;
        self.keys.iter().enumerate().all(|(i, k)| {
            let col = k.column as usize - 1;
            let bound = match &k.op {
                ScanOp::Cmp(s, ..) if col == self.prefix && *s != Strategy::Eq => {
                    starts += usize::from(self.is_start_bound(col, *s));
                    true
                }
                _ => false,
            };
            let first_of_column = i == 0 || self.keys[i - 1].column < k.column;
            (bound && starts <= 1) || (col < self.prefix && first_of_column)
        })
    }

    /// Moves the arrays on to their next combination, last array fastest; false when all are through.
    pub(super) fn next_array_element(&mut self) -> bool {
        let dir = self.dir;
        for a in self.arrays.iter_mut().rev() {
            match dir {
                Direction::Forward if a.at + 1 < a.values.len() => a.at += 1,
                Direction::Backward if a.at > 0 => a.at -= 1,
                Direction::Forward => {
                    a.at = 0;
                    continue;
                }
                Direction::Backward => {
                    a.at = a.values.len().saturating_sub(1);
                    continue;
                }
            }
            self.on_page = false;
            self.page.items.clear();
            return true;
        }
        false
    }

    /// The value column `col` (from 0) of the prefix must have.
    fn prefix_value(&self, col: usize) -> DatumRef<'_> {
        for a in &self.arrays {
            if self.keys[a.key].column as usize == col + 1 {
                return a.values[a.at].as_ref();
            }
        }
        let c = col as u16 + 1;
        self.keys
            .iter()
            .find_map(|k| match &k.op {
                ScanOp::Cmp(Strategy::Eq, v, _) if k.column == c => Some(v.as_ref()),
                ScanOp::IsNull if k.column == c => Some(DatumRef::Null),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// Does this inequality bound the scan where it starts (in its direction)?
    fn is_start_bound(&self, col: usize, s: Strategy) -> bool {
        let lower = matches!(s, Strategy::Ge | Strategy::Gt);
        let ascending = self.ix.keys[col].desc != (self.dir == Direction::Forward);
        lower == ascending
    }

    /// The key to descend with: values and whether to find the first item beyond them.
    fn start_key(&self) -> (Vec<DatumRef<'_>>, bool) {
        let mut values: Vec<DatumRef<'_>> = (0..self.prefix).map(|c| self.prefix_value(c)).collect();
        let forward = self.dir == Direction::Forward;
        let mut exclusive = false;
        if self.prefix < self.ix.nkeys() {
            let col = self.prefix;
            let mut best: Option<(DatumRef<'_>, bool)> = None;
            let mut no_nulls = false;
            for k in self.keys.iter().filter(|k| k.column as usize == col + 1) {
                no_nulls = true;
                if let ScanOp::Cmp(s, v, _) = &k.op
                    && self.is_start_bound(col, *s)
                    && best.is_none()
                {
                    best = Some((v.as_ref(), matches!(s, Strategy::Lt | Strategy::Gt)));
                }
            }
            match best {
                Some((v, x)) => {
                    values.push(v);
                    exclusive = x;
                }
                // NULLs in front match nothing: begin behind them.
                None if no_nulls && self.ix.keys[col].nulls_first == forward => {
                    values.push(DatumRef::Null);
                    exclusive = true;
                }
                None => {}
            }
        }
        // Forward: first item ≥ (> when exclusive). Backward: the item before the first > (≥ when exclusive).
        (values, forward == exclusive)
    }

    fn first_page(
        &mut self,
        eng: &Engine,
        columns: &mut Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<bool> {
        match self.find_first(eng)? {
            None => {
                self.page.ended = true;
                Ok(false)
            }
            Some((p, off)) => {
                self.note_leaf(eng, &p)?;
                self.read_page(p, off, columns)?;
                Ok(true)
            }
        }
    }
    /// The leaf to begin with, locked, and where on it.
    pub(super) fn find_first(&mut self, eng: &Engine) -> Result<Option<(PageRef, u16)>> {
        let forward = self.dir == Direction::Forward;
        self.on_page = true;
        self.page.items.clear();
        let ix = self.ix.clone();
        let found = {
            let (values, next_key) = self.start_key();
            if values.is_empty() {
                search::end_leaf(eng, &ix, !forward)?.map(|p| {
                    let off =
                        if forward { Opaque::read(&p).map_or(1, |o| o.first_data()) } else { p.max_offset() };
                    (p, off)
                })
            } else {
                let key = SearchKey { values: &values, tid: None, next_key, forward };
                match search::find_leaf(eng, &ix, &key)? {
                    None => None,
                    Some(p) => {
                        let o = Opaque::read(&p)?;
                        let off = ix.bin_search(&p, &o, &key)?;
                        Some((p, if forward { off } else { off - 1 }))
                    }
                }
            }
        };
        if found.is_none() {
            // There is no leaf yet: the first key will be news.
            self.note(eng, Place::Whole)?;
        }
        Ok(found)
    }

    // ---- pages ----

    /// SERIALIZABLE remembers the gaps that were seen.
    fn note(&self, eng: &Engine, place: Place) -> Result<()> {
        if self.sees_all { Ok(()) } else { txn::note_read(eng, &self.ix.rel, place) }
    }

    /// Collects the matches of a locked leaf from `start` on.
    pub(super) fn read_page(
        &mut self,
        p: PageRef,
        start: u16,
        columns: &mut Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<()> {
        let o = Opaque::read(&p)?;
        let mut items = std::mem::take(&mut self.page.items);
        items.clear();
        self.page = PageState {
            block: p.pin().block(),
            next: o.next,
            prev: o.prev,
            lsn: p.lsn(),
            items,
            ended: false,
        };
        let (first, max) = (o.first_data(), p.max_offset());
        let mut off = start;
        let mut seen = 0;
        let mut all_fit = false;
        loop {
            if off < first || off > max {
                break;
            }
            seen += 1;
            if seen == LOOK_AHEAD_AFTER && self.contiguous {
                let last = if self.dir == Direction::Forward { max } else { first };
                all_fit = self.fit(self.ix.tup(&p, last)?)? == Fit::Match;
            }
            if !p.item_id(off).is_dead() {
                let t = self.ix.tup(&p, off)?;
                match if all_fit { Fit::Match } else { self.fit(t)? } {
                    Fit::Match => self.take(t, off, columns)?,
                    Fit::Skip => {}
                    Fit::End => {
                        self.page.ended = true;
                        break;
                    }
                }
            }
            match self.dir {
                Direction::Forward => off += 1,
                Direction::Backward => off -= 1,
            }
        }
        let last = match self.dir {
            Direction::Forward => o.is_rightmost(),
            Direction::Backward => o.is_leftmost(),
        };
        self.page.ended |= last;
        if self.keep_pin {
            self.pin = Some(p.unlock());
        }
        Ok(())
    }

    fn take(
        &mut self,
        t: ITup<'_>,
        off: u16,
        columns: &mut Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<()> {
        let before = self.page.items.len();
        let items = &mut self.page.items;
        t.each_tid(|tid| items.push((tid, off)));
        if self.dir == Direction::Backward {
            items[before..].reverse();
        }
        let Some((wanted, out)) = columns else { return Ok(()) };
        for _ in before..self.page.items.len() {
            let row = out.rows;
            self.ix.rel.deformer.deform_into_columns(
                wanted,
                t.key(self.ix.natts()),
                &mut |raw, buf| match raw {
                    RawAttr::Compressed { raw } => toast::decompress(raw, buf),
                    _ => Err(Error::corrupted("index tuple holds a toast pointer")),
                },
                &mut out.cols,
                row,
            )?;
            out.rows = row + 1;
        }
        Ok(())
    }

    /// Tests a tuple against all keys.
    fn fit(&self, t: ITup<'_>) -> Result<Fit> {
        if self.keys.is_empty() {
            return Ok(Fit::Match);
        }
        let mut walker = self.ix.rel.deformer.walk(t.key(self.ix.natts()));
        let mut scratch = Vec::new();
        let mut k = 0;
        for col in 0..self.ix.nkeys() {
            if k >= self.keys.len() {
                break;
            }
            let raw = walker.next_attr()?;
            if (self.keys[k].column as usize) > col + 1 {
                continue;
            }
            let v = attr_datum(raw, &mut scratch)?;
            while k < self.keys.len() && self.keys[k].column as usize == col + 1 {
                if !self.key_holds(k, col, v) {
                    return Ok(self.on_failure(k, col, v));
                }
                k += 1;
            }
        }
        Ok(Fit::Match)
    }

    fn compare_to(&self, col: usize, cmp: Option<CmpFn>, v: DatumRef<'_>, key: DatumRef<'_>) -> Ordering {
        let kc = &self.ix.keys[col];
        match cmp {
            Some(f) => f(kc.collation, v, key),
            None => kc.compare_values(v, key),
        }
    }

    fn key_holds(&self, k: usize, col: usize, v: DatumRef<'_>) -> bool {
        match &self.keys[k].op {
            ScanOp::IsNull => v.is_null(),
            ScanOp::IsNotNull => !v.is_null(),
            _ if v.is_null() => false,
            ScanOp::Cmp(s, key, cmp) => {
                let o = self.compare_to(col, *cmp, v, key.as_ref());
                match s {
                    Strategy::Lt => o.is_lt(),
                    Strategy::Le => o.is_le(),
                    Strategy::Eq => o.is_eq(),
                    Strategy::Ge => o.is_ge(),
                    Strategy::Gt => o.is_gt(),
                }
            }
            ScanOp::Any(values, cmp) => match self.arrays.iter().find(|a| a.key == k) {
                Some(a) => self.compare_to(col, *cmp, v, a.values[a.at].as_ref()).is_eq(),
                None => {
                    values.iter().any(|e| !e.is_null() && self.compare_to(col, *cmp, v, e.as_ref()).is_eq())
                }
            },
        }
    }

    /// A key failed: may later tuples still match?
    fn on_failure(&self, k: usize, col: usize, v: DatumRef<'_>) -> Fit {
        if col > self.prefix {
            return Fit::Skip;
        }
        let forward = self.dir == Direction::Forward;
        if v.is_null() {
            // NULLs at the end of the scan: nothing but NULLs follows for this prefix.
            return if self.ix.keys[col].nulls_first != forward { Fit::End } else { Fit::Skip };
        }
        if col < self.prefix {
            return Fit::End;
        }
        match &self.keys[k].op {
            ScanOp::Cmp(s, _, _) if *s != Strategy::Eq && !self.is_start_bound(col, *s) => Fit::End,
            _ => Fit::Skip,
        }
    }

    fn right_of(&self, eng: &Engine) -> Result<Option<PageRef>> {
        let mut block = self.page.next;
        while block != NONE {
            let p = search::pin(eng, &self.ix, block)?.share();
            let o = Opaque::read(&p)?;
            if !o.is_ignorable() {
                return Ok(Some(p));
            }
            block = o.next;
        }
        Ok(None)
    }

    /// The left neighbour of the page last read: the left link may be outdated by splits and deletions, so the
    /// candidate is accepted only when it links back.
    fn left_of(&mut self, eng: &Engine) -> Result<Option<PageRef>> {
        let mut from = self.page.block;
        let mut left = self.page.prev;
        loop {
            eng.check_interrupts()?;
            if left == NONE {
                return Ok(None);
            }
            let mut at = left;
            // A left page that split since has its former right part between itself and us.
            for _ in 0..5 {
                let p = search::pin(eng, &self.ix, at)?.share();
                let o = Opaque::read(&p)?;
                if !o.is_deleted() && o.next == from {
                    if o.is_ignorable() {
                        // Half-dead: holds nothing; go on from it.
                        from = at;
                        left = o.prev;
                        break;
                    }
                    return Ok(Some(p));
                }
                if o.next == NONE {
                    break;
                }
                at = o.next;
            }
            if from != self.page.block && left != NONE && from == at {
                continue;
            }
            // Look at our own page again for its present left link; if it is gone, the page that took its place.
            let mut p = search::pin(eng, &self.ix, from)?.share();
            let mut o = Opaque::read(&p)?;
            while o.is_deleted() {
                if o.next == NONE {
                    return Err(Error::new(
                        common::SqlState::INDEX_CORRUPTED,
                        format!("fell off the end of index \"{}\"", self.ix.rel.name),
                    ));
                }
                from = o.next;
                drop(p);
                p = search::pin(eng, &self.ix, from)?.share();
                o = Opaque::read(&p)?;
            }
            left = o.prev;
        }
    }

    /// Leaves the page: marks killed entries, drops the pin.
    fn leave(&mut self) {
        if !self.killed.is_empty() {
            // A hint that could not be set is no loss.
            let _ = self.mark_killed();
            self.killed.clear();
        }
        self.pin = None;
    }

    fn mark_killed(&mut self) -> Result<()> {
        let pin = match (self.pin.take(), &self.store) {
            (Some(p), _) => p,
            (None, Some(st)) => st.read_main(self.ix.rel.locator, self.page.block)?,
            (None, None) => return Ok(()),
        };
        let p = pin.share();
        // Without the pin in between, the TIDs may have been recycled, unless nothing touched the page.
        if !self.keep_pin && p.lsn() != self.page.lsn {
            return Ok(());
        }
        let mut any = false;
        for &n in &self.killed {
            let Some(&(tid, off)) = self.page.items.get(n) else { continue };
            let Ok(t) = self.ix.tup(&p, off) else { continue };
            let dead = if t.is_posting() {
                (0..t.posting_len()).all(|i| {
                    let x = t.posting_tid(i);
                    self.killed.iter().any(|&m| self.page.items.get(m).is_some_and(|it| it.0 == x))
                })
            } else {
                t.heap_tid() == Some(tid)
            };
            if dead && !p.item_id(off).is_dead() {
                p.set_item_dead_hint(off);
                any = true;
            }
        }
        if any {
            p.set_hint(p.special_offset() + 12, HAS_GARBAGE as u16);
            pin.store().mark_dirty_hint(&p);
        }
        Ok(())
    }
}
