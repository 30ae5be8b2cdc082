//! The hash table that the processes of a Gather fill and probe together. Its rows lie in columns in the region of the
//! [`Joint`]: whoever adds a batch takes the next row numbers, writes the values there, and puts the rows in their chains.
//! Room is reserved for as many rows as the table may have; what is not touched takes no memory.
//!
//! ```text
//! step:   n builders at work ──last leaves──> FINISHING ──what is left to do once──> READY
//! heads:  row number + 1 of the first row of a chain, 0: none
//! entry:  lower half of the row's hash (32 bits) | row number + 1 of the next row in the chain
//! bytes:  variable-length value: place in the heap (34 bits) | length (30 bits)
//! ```
//!
//! Who comes while others build joins them; who comes later finds the table made. The last builder to leave does what is to
//! be done once. Nobody waits for a process that has not begun to build, and a builder waits only for tables below its own,
//! so that there is no circle. A table that outgrows its memory is not used: its rows are in files, see the join.

use super::{Joint, Place};
use crate::expr::colops;
use crate::run::Exec;
use crate::run_filter::Keys;
use common::{Result, err};
use ipc::futex;
use ipc::{Region, WaitEvent, fork, shared_struct};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};
use std::time::Duration;
use types::{Batch, Column, ColumnData, Phys};

shared_struct! {
    /// What the processes know of a table.
    pub struct State {
        /// Builders at work, or one of the marks below.
        step: AtomicU32,
        /// There is no room for all rows.
        overflow: AtomicU32,
        rows: AtomicU64,
        heap: AtomicU64,
        /// Power of two.
        buckets: AtomicU64,
    }
}

const FINISHING: u32 = 1 << 30;
const READY: u32 = 1 << 31;
/// How long a process waits before it looks whether those it waits for live.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The smallest room for rows, and for values, if memory permits.
const ROOM_MIN: usize = 64 << 20;
/// A table may be so many times larger than was thought.
const SURPRISE: usize = 8;
const LENGTH_BITS: u32 = 30;
const HEAP_MAX: usize = 1 << (64 - LENGTH_BITS);

/// Where the values of a column lie.
#[derive(Clone, Copy)]
enum Values {
    Small(Place<AtomicU32>),
    Large(Place<AtomicU64>),
    /// Two words a value.
    Pair(Place<AtomicU64>),
    /// Views into the heap.
    Bytes(Place<AtomicU64>),
}

struct Stored {
    phys: Phys,
    values: Values,
    /// A bit for each row.
    nulls: Place<AtomicU32>,
    has_nulls: Place<AtomicU32>,
}

/// Where everything of a table lies in the region.
pub struct SharedTable {
    joint: Rc<Joint>,
    state: Place<State>,
    builders: Place<AtomicI32>,
    columns: Vec<Stored>,
    entries: Place<AtomicU64>,
    heads: Place<AtomicU32>,
    heap: usize,
    /// Where in each process's file the last block of each partition lies, plus one.
    blocks: Place<AtomicU64>,
    partitions: usize,
    rows_max: usize,
    row_bytes: usize,
    budget: usize,
    buckets_first: usize,
    buckets_max: usize,
    region: RefCell<Option<Rc<Region>>>,
}

/// What a process has to do for the table.
pub enum Part {
    /// Add rows, under this number.
    Build(usize),
    /// It is being made, or is there.
    Wait,
}

impl SharedTable {
    /// Reserves a table with these columns, of about `rows` rows and `bytes` bytes, at most `bytes_max`, else so many
    /// partitions.
    pub fn reserve(
        joint: &Rc<Joint>,
        columns: &[Phys],
        (rows, bytes, bytes_max): (usize, usize, usize),
        partitions: usize,
    ) -> SharedTable {
        let budget = bytes.saturating_mul(SURPRISE).max(ROOM_MIN).min(bytes_max.max(64 << 10)).min(HEAP_MAX);
        let width = |p: Phys| match p {
            Phys::Bool | Phys::I8 | Phys::I16 | Phys::I32 | Phys::U32 | Phys::F32 => 4,
            Phys::I64 | Phys::F64 | Phys::Bytes => 8,
            Phys::Fixed16 => 16,
        };
        // Entry, and two heads.
        let row_bytes = 16 + columns.iter().map(|p| width(*p)).sum::<usize>();
        let rows_max = (budget / row_bytes).min(u32::MAX as usize - 2);
        let stored = |p: &Phys| Stored {
            phys: *p,
            values: match (width(*p), p) {
                (_, Phys::Bytes) => Values::Bytes(joint.reserve(rows_max)),
                (4, _) => Values::Small(joint.reserve(rows_max)),
                (8, _) => Values::Large(joint.reserve(rows_max)),
                _ => Values::Pair(joint.reserve(2 * rows_max)),
            },
            nulls: joint.reserve(rows_max.div_ceil(32)),
            has_nulls: joint.reserve(1),
        };
        let buckets_max = (rows_max * 2).next_power_of_two().max(1024);
        joint.want_spills();
        SharedTable {
            joint: joint.clone(),
            state: joint.reserve(1),
            builders: joint.reserve(joint.participants()),
            columns: columns.iter().map(stored).collect(),
            entries: joint.reserve(rows_max),
            heads: joint.reserve(buckets_max),
            heap: joint.reserve_bytes(budget),
            blocks: joint.reserve(joint.participants() * partitions),
            partitions,
            rows_max,
            row_bytes,
            budget,
            buckets_first: (rows.saturating_mul(2)).next_power_of_two().clamp(1024, buckets_max),
            buckets_max,
            region: RefCell::default(),
        }
    }

    /// Begins to use it, if this is run in parallel.
    pub fn open(&self) -> bool {
        *self.region.borrow_mut() = self.joint.region();
        self.region.borrow().is_some()
    }
    /// Lets go of the memory.
    pub fn close(&self) {
        *self.region.borrow_mut() = None;
    }
    /// A look at it; between `open` and `close`.
    pub fn look(&self) -> Look<'_> {
        let region = self.region.borrow().clone().expect("an open table");
        Look { t: self, region }
    }
    /// Into how many parts it is cut when it is too large.
    pub fn partitions(&self) -> usize {
        self.partitions
    }
    /// The Gather's common memory.
    pub fn joint(&self) -> &Rc<Joint> {
        &self.joint
    }
}

/// A table in memory.
pub struct Look<'t> {
    t: &'t SharedTable,
    region: Rc<Region>,
}

impl Look<'_> {
    fn state(&self) -> &State {
        self.t.state.of(&self.region)
    }
    fn builders(&self) -> &[AtomicI32] {
        self.region.slice(self.t.builders.offset(), self.t.joint.participants())
    }
    fn words(&self, p: Place<AtomicU64>, n: usize) -> &[AtomicU64] {
        self.region.slice(p.offset(), n)
    }
    fn halves(&self, p: Place<AtomicU32>, n: usize) -> &[AtomicU32] {
        self.region.slice(p.offset(), n)
    }
    /// Rows in it.
    pub fn rows(&self) -> usize {
        self.state().rows.load(Acquire) as usize
    }
    /// Bytes they take.
    pub fn bytes(&self) -> usize {
        self.rows() * self.t.row_bytes + self.state().heap.load(Relaxed) as usize
    }
    /// Chains.
    pub fn buckets(&self) -> usize {
        (self.state().buckets.load(Acquire) as usize).max(self.t.buckets_first)
    }
    /// Are there too many rows?
    pub fn is_too_large(&self) -> bool {
        self.state().overflow.load(Acquire) != 0
    }

    /// Joins the builders, if they are still at work.
    pub fn join(&self) -> Part {
        let step = &self.state().step;
        let mut seen = step.load(Acquire);
        loop {
            if seen >= FINISHING {
                return Part::Wait;
            }
            match step.compare_exchange_weak(seen, seen + 1, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        let me = std::process::id() as i32;
        let free = |b: &AtomicI32| b.compare_exchange(0, me, AcqRel, Relaxed).is_ok();
        match self.builders().iter().position(free) {
            Some(k) => Part::Build(k),
            None => unreachable!("more processes than were forked"),
        }
    }
    /// A builder has added all its rows. True: it was the last, and finishes the table.
    pub fn leave(&self, number: usize) -> bool {
        let step = &self.state().step;
        let mut seen = step.load(Acquire);
        loop {
            let next = if seen == 1 { FINISHING } else { seen - 1 };
            match step.compare_exchange_weak(seen, next, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        let last = seen == 1;
        if !last {
            // Its number stays taken: it had its turn.
            self.builders()[number].store(-1, Release);
        }
        last
    }
    /// The table is made.
    pub fn publish(&self) {
        let step = &self.state().step;
        step.store(READY, Release);
        futex::wake_all(step);
    }
    /// Waits until it is. Errors: those of interrupts; 55000 in the leader, when a builder is no more.
    pub fn wait(&self, cx: &Exec) -> Result<()> {
        let step = &self.state().step;
        if step.load(Acquire) == READY {
            return Ok(());
        }
        let ints = cx.engine()?.interrupts();
        let _shown = ints.waiting(WaitEvent::HASH_BUILD_HASH_INNER);
        loop {
            let seen = step.load(Acquire);
            if seen == READY {
                return Ok(());
            }
            cx.check_interrupts()?;
            if futex::wait(step, seen, Some(LOOK_AGAIN)) == futex::Woken::TimedOut {
                let dead = |b: &AtomicI32| b.load(Acquire) > 0 && !fork::exists(b.load(Acquire));
                // A worker waits until its leader, who finds out too, ends it.
                if !cx.in_worker() && self.builders().iter().any(dead) && step.load(Acquire) != READY {
                    return Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "lost connection to parallel worker"));
                }
            }
        }
    }

    /// Takes room for rows and the bytes of their values; `None`: there is not enough.
    fn claim(&self, n: usize, bytes: usize) -> Option<(usize, usize)> {
        let s = self.state();
        let fits = |rows: u64, heap: u64| rows as usize * self.t.row_bytes + heap as usize <= self.t.budget;
        if s.overflow.load(Acquire) != 0 {
            return None;
        }
        let heap = s.heap.fetch_add(bytes as u64, AcqRel);
        let end = heap + bytes as u64;
        let grown = |rows: u64| {
            let to = rows + n as u64;
            (to as usize <= self.t.rows_max && fits(to, end)).then_some(to)
        };
        match s.rows.fetch_update(AcqRel, Acquire, grown) {
            Ok(from) => Some((from as usize, heap as usize)),
            Err(_) => {
                s.heap.fetch_sub(bytes as u64, AcqRel);
                s.overflow.store(1, Release);
                None
            }
        }
    }
    /// Adds the listed rows, with their hashes; `cols` has a value for each. False: there is no room, nothing was added.
    pub fn insert(&self, cols: &[&Column], rows: &[u16], hashes: &[u64]) -> bool {
        let bytes = |c: &&Column| match &c.data {
            ColumnData::Bytes(v) => rows.iter().map(|i| v.get(usize::from(*i)).len()).sum(),
            _ => 0,
        };
        let Some((from, mut heap)) = self.claim(rows.len(), cols.iter().map(bytes).sum()) else {
            return false;
        };
        for (c, to) in cols.iter().zip(&self.t.columns) {
            self.put(c, rows, to, from, &mut heap);
        }
        let entries = &self.words(self.t.entries, self.t.rows_max)[from..];
        let heads = self.halves(self.t.heads, self.t.buckets_first);
        for (k, h) in hashes.iter().enumerate() {
            let before = heads[*h as usize & (heads.len() - 1)].swap((from + k + 1) as u32, AcqRel);
            entries[k].store(h << 32 | u64::from(before), Relaxed);
        }
        true
    }
    fn put(&self, c: &Column, rows: &[u16], to: &Stored, from: usize, heap: &mut usize) {
        let n = from + rows.len();
        let each = rows.iter().map(|i| usize::from(*i));
        macro_rules! small {
            ($v:ident, $p:expr, $f:expr) => {
                for (d, i) in self.halves(*$p, n)[from..].iter().zip(each) {
                    d.store($f($v[i]), Relaxed);
                }
            };
        }
        macro_rules! large {
            ($v:ident, $p:expr, $f:expr) => {
                for (d, i) in self.words(*$p, n)[from..].iter().zip(each) {
                    d.store($f($v[i]), Relaxed);
                }
            };
        }
        match (&c.data, &to.values) {
            (ColumnData::Bool(v), Values::Small(p)) => small!(v, p, u32::from),
            (ColumnData::I8(v), Values::Small(p)) => small!(v, p, |x| x as u32),
            (ColumnData::I16(v), Values::Small(p)) => small!(v, p, |x| x as u32),
            (ColumnData::I32(v), Values::Small(p)) => small!(v, p, |x| x as u32),
            (ColumnData::U32(v), Values::Small(p)) => small!(v, p, |x| x),
            (ColumnData::F32(v), Values::Small(p)) => small!(v, p, f32::to_bits),
            (ColumnData::I64(v), Values::Large(p)) => large!(v, p, |x| x as u64),
            (ColumnData::F64(v), Values::Large(p)) => large!(v, p, f64::to_bits),
            (ColumnData::Fixed16(v), Values::Pair(p)) => {
                let words = &self.words(*p, 2 * n)[2 * from..];
                for (d, i) in words.chunks_exact(2).zip(each) {
                    let x = u128::from_le_bytes(v[i]);
                    d[0].store(x as u64, Relaxed);
                    d[1].store((x >> 64) as u64, Relaxed);
                }
            }
            (ColumnData::Bytes(v), Values::Bytes(p)) => {
                for (d, i) in self.words(*p, n)[from..].iter().zip(each) {
                    let b = v.get(i);
                    self.region.put_bytes(self.t.heap + *heap, b);
                    d.store((*heap as u64) << LENGTH_BITS | b.len() as u64, Relaxed);
                    *heap += b.len();
                }
            }
            _ => unreachable!("physical kind mismatch: {:?} into {:?}", c.phys(), to.phys),
        }
        if c.nulls.any() {
            to.has_nulls.of(&self.region).store(1, Relaxed);
            let nulls = self.halves(to.nulls, n.div_ceil(32));
            for (k, i) in rows.iter().enumerate().filter(|(_, i)| c.nulls.get(usize::from(**i))) {
                let _ = i;
                nulls[(from + k) / 32].fetch_or(1 << ((from + k) % 32), Relaxed);
            }
        }
    }

    /// When all rows are in: makes more chains if there are far more rows than was thought.
    pub fn widen(&self) {
        let (s, n) = (self.state(), self.rows());
        if n <= self.t.buckets_first {
            return;
        }
        let buckets = (n * 2).next_power_of_two().min(self.t.buckets_max);
        let heads = self.halves(self.t.heads, buckets);
        let entries = self.words(self.t.entries, n);
        heads[..self.t.buckets_first].iter().for_each(|h| h.store(0, Relaxed));
        for (i, e) in entries.iter().enumerate() {
            let h = e.load(Relaxed) >> 32;
            let before = heads[h as usize & (buckets - 1)].swap(i as u32 + 1, Relaxed);
            e.store(h << 32 | u64::from(before), Relaxed);
        }
        s.buckets.store(buckets as u64, Release);
    }

    /// Appends the values of rows.
    pub fn gather<I: colops::RowIx>(&self, col: usize, rows: &[I], out: &mut Column) {
        let s = &self.t.columns[col];
        let (from, n) = (out.len(), self.rows());
        macro_rules! small {
            ($v:ident, $p:expr, $f:expr) => {{
                let w = self.halves(*$p, n);
                $v.extend(rows.iter().map(|i| $f(w[i.ix()].load(Relaxed))));
            }};
        }
        macro_rules! large {
            ($v:ident, $p:expr, $f:expr) => {{
                let w = self.words(*$p, n);
                $v.extend(rows.iter().map(|i| $f(w[i.ix()].load(Relaxed))));
            }};
        }
        match (&mut out.data, &s.values) {
            (ColumnData::Bool(v), Values::Small(p)) => small!(v, p, |x| x != 0),
            (ColumnData::I8(v), Values::Small(p)) => small!(v, p, |x| x as i8),
            (ColumnData::I16(v), Values::Small(p)) => small!(v, p, |x| x as i16),
            (ColumnData::I32(v), Values::Small(p)) => small!(v, p, |x| x as i32),
            (ColumnData::U32(v), Values::Small(p)) => small!(v, p, |x| x),
            (ColumnData::F32(v), Values::Small(p)) => small!(v, p, f32::from_bits),
            (ColumnData::I64(v), Values::Large(p)) => large!(v, p, |x| x as i64),
            (ColumnData::F64(v), Values::Large(p)) => large!(v, p, f64::from_bits),
            (ColumnData::Fixed16(v), Values::Pair(p)) => {
                let w = self.words(*p, 2 * n);
                v.extend(rows.iter().map(|i| pair(w, i.ix())));
            }
            (ColumnData::Bytes(v), Values::Bytes(p)) => {
                let w = self.words(*p, n);
                rows.iter().for_each(|i| v.push(self.bytes_at(w[i.ix()].load(Relaxed))));
            }
            _ => unreachable!("physical kind mismatch: {:?} into {:?}", s.phys, out.phys()),
        }
        if s.has_nulls.of(&self.region).load(Relaxed) != 0 {
            let nulls = self.halves(s.nulls, n.div_ceil(32));
            for (k, i) in rows.iter().map(|i| i.ix()).enumerate() {
                if nulls[i / 32].load(Relaxed) >> (i % 32) & 1 == 1 {
                    out.nulls.set(from + k);
                }
            }
        }
    }
    fn bytes_at(&self, view: u64) -> &[u8] {
        let len = view & ((1 << LENGTH_BITS) - 1);
        self.region.view(self.t.heap + (view >> LENGTH_BITS) as usize, len as usize)
    }
    /// Rows of the first columns into a batch with these.
    pub fn read(&self, from: usize, to: usize, out: &mut Batch) {
        out.clear();
        let rows: Vec<u32> = (from as u32..to as u32).collect();
        for (k, c) in out.cols.iter_mut().enumerate() {
            self.gather(k, &rows, c);
        }
        out.rows = to - from;
    }

    /// The chains, to be walked; `keys` are the columns of the keys.
    pub fn chains(&self, keys: &[usize]) -> SharedChains<'_> {
        let n = self.rows();
        SharedChains {
            look: self,
            heads: self.halves(self.t.heads, self.buckets()),
            entries: self.words(self.t.entries, n),
            keys: keys.iter().map(|k| self.key(*k, n)).collect(),
        }
    }
    fn key(&self, col: usize, n: usize) -> Key<'_> {
        let s = &self.t.columns[col];
        match s.values {
            Values::Small(p) => Key::Small(self.halves(p, n)),
            Values::Large(p) => Key::Large(self.words(p, n)),
            Values::Pair(p) => Key::Pair(self.words(p, 2 * n)),
            Values::Bytes(p) => Key::Bytes(self.words(p, n)),
        }
    }
    /// The keys of an integer column.
    pub fn int_keys(&self, col: usize) -> IntKeys<'_> {
        let n = self.rows();
        IntKeys(self.key(col, n), n, self.t.columns[col].phys)
    }

    /// The last block of a partition in the file of a process, plus one.
    pub fn block(&self, process: usize, partition: usize) -> &AtomicU64 {
        let n = self.t.partitions;
        &self.words(self.t.blocks, self.t.joint.participants() * n)[process * n + partition]
    }
}

fn pair(w: &[AtomicU64], i: usize) -> [u8; 16] {
    let (lo, hi) = (w[2 * i].load(Relaxed), w[2 * i + 1].load(Relaxed));
    (u128::from(hi) << 64 | u128::from(lo)).to_le_bytes()
}

/// The values of a key.
enum Key<'a> {
    Small(&'a [AtomicU32]),
    Large(&'a [AtomicU64]),
    Pair(&'a [AtomicU64]),
    Bytes(&'a [AtomicU64]),
}

/// The chains of a table that is made.
pub struct SharedChains<'a> {
    look: &'a Look<'a>,
    heads: &'a [AtomicU32],
    entries: &'a [AtomicU64],
    keys: Vec<Key<'a>>,
}

impl SharedChains<'_> {
    /// The first row of a chain; `u32::MAX`: there is none.
    #[inline(always)]
    pub fn head(&self, h: u64) -> u32 {
        self.heads[h as usize & (self.heads.len() - 1)].load(Relaxed).wrapping_sub(1)
    }
    /// The row after row `c`, and whether `c` may have this hash.
    #[inline(always)]
    pub fn step(&self, c: u32, h: u64) -> (u32, bool) {
        let e = self.entries[c as usize].load(Relaxed);
        ((e as u32).wrapping_sub(1), (e >> 32) as u32 == h as u32)
    }
    /// Is key `k` of row `c` the stored value of row `i`?
    #[inline(always)]
    pub fn equals(&self, k: usize, a: &Column, i: usize, c: u32) -> bool {
        let c = c as usize;
        match (&a.data, &self.keys[k]) {
            (ColumnData::I32(v), Key::Small(w)) => v[i] == w[c].load(Relaxed) as i32,
            (ColumnData::I64(v), Key::Large(w)) => v[i] == w[c].load(Relaxed) as i64,
            (ColumnData::Bytes(v), Key::Bytes(w)) => v.get(i) == self.look.bytes_at(w[c].load(Relaxed)),
            (data, key) => equal(data, i, key, c),
        }
    }
}

/// Integers of different widths are stored with their sign.
fn equal(a: &ColumnData, i: usize, key: &Key<'_>, c: usize) -> bool {
    match (a, key) {
        (ColumnData::I64(v), Key::Small(w)) => v[i] == i64::from(w[c].load(Relaxed) as i32),
        (ColumnData::I32(v), Key::Large(w)) => i64::from(v[i]) == w[c].load(Relaxed) as i64,
        (ColumnData::I16(v), Key::Large(w)) => i64::from(v[i]) == w[c].load(Relaxed) as i64,
        (ColumnData::I16(v), Key::Small(w)) => i32::from(v[i]) == w[c].load(Relaxed) as i32,
        (ColumnData::I8(v), Key::Small(w)) => i32::from(v[i]) == w[c].load(Relaxed) as i32,
        (ColumnData::U32(v), Key::Small(w)) => v[i] == w[c].load(Relaxed),
        (ColumnData::Bool(v), Key::Small(w)) => u32::from(v[i]) == w[c].load(Relaxed),
        (ColumnData::F32(v), Key::Small(w)) => v[i] == f32::from_bits(w[c].load(Relaxed)),
        (ColumnData::F64(v), Key::Large(w)) => v[i] == f64::from_bits(w[c].load(Relaxed)),
        (ColumnData::Fixed16(v), Key::Pair(w)) => v[i] == pair(w, c),
        _ => unreachable!("keys of different kinds"),
    }
}

/// The keys of a run-time filter. No row of a shared table has a NULL key.
pub struct IntKeys<'a>(Key<'a>, usize, Phys);

impl Keys for IntKeys<'_> {
    fn count(&self) -> usize {
        self.1
    }
    fn each(&self, mut f: impl FnMut(i64)) -> bool {
        match (&self.0, self.2) {
            (Key::Small(w), Phys::I16 | Phys::I32) => {
                w.iter().for_each(|x| f(i64::from(x.load(Relaxed) as i32)));
                true
            }
            (Key::Large(w), Phys::I64) => {
                w.iter().for_each(|x| f(x.load(Relaxed) as i64));
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::DatumRef;

    fn column(phys: Phys, v: &[DatumRef<'_>]) -> Column {
        let mut c = Column::new(phys);
        v.iter().for_each(|d| c.push(*d));
        c
    }

    fn table(rows: usize, bytes: usize, max: usize) -> SharedTable {
        let joint = Joint::new(2);
        let t = SharedTable::reserve(&joint, &[Phys::I32, Phys::Bytes, Phys::Fixed16], (rows, bytes, max), 4);
        joint.begin().expect("memory");
        assert!(t.open());
        t
    }
    /// Row `i`, every third text of which is NULL.
    fn add(look: &Look<'_>, ids: std::ops::Range<i32>) -> bool {
        let texts: Vec<String> = ids.clone().map(|i| "t".repeat(i as usize % 7)).collect();
        let id: Vec<DatumRef<'_>> = ids.clone().map(DatumRef::I32).collect();
        let text: Vec<DatumRef<'_>> = ids
            .clone()
            .zip(&texts)
            .map(|(i, t)| if i % 3 == 0 { DatumRef::Null } else { DatumRef::Bytes(t.as_bytes()) })
            .collect();
        let wide: Vec<DatumRef<'_>> =
            ids.clone().map(|i| DatumRef::Fixed16((i as u128).to_be_bytes())).collect();
        let cols = [column(Phys::I32, &id), column(Phys::Bytes, &text), column(Phys::Fixed16, &wide)];
        let rows: Vec<u16> = (0..ids.len() as u16).collect();
        let hashes: Vec<u64> = ids.map(hash).collect();
        look.insert(&cols.iter().collect::<Vec<_>>(), &rows, &hashes)
    }
    fn hash(i: i32) -> u64 {
        (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7
    }
    fn find(look: &Look<'_>, i: i32) -> Option<u32> {
        let chains = look.chains(&[0]);
        let key = column(Phys::I64, &[DatumRef::I64(i64::from(i))]);
        let mut c = chains.head(hash(i));
        while c != u32::MAX {
            let (next, same) = chains.step(c, hash(i));
            if same && chains.equals(0, &key, 0, c) {
                return Some(c);
            }
            c = next;
        }
        None
    }

    #[test]
    fn rows_are_found_with_their_values() {
        // Far more rows than was thought: the chains are made anew.
        for rows in [10, 100_000] {
            let t = table(rows, 1 << 20, 1 << 30);
            let look = t.look();
            for from in (0..20_000).step_by(1000) {
                assert!(add(&look, from..from + 1000));
            }
            look.widen();
            assert_eq!(look.rows(), 20_000);
            for i in [0, 1, 999, 1000, 12_345, 19_999] {
                let c = find(&look, i).expect("a row");
                let mut out = [Column::new(Phys::I32), Column::new(Phys::Bytes), Column::new(Phys::Fixed16)];
                out.iter_mut().enumerate().for_each(|(k, o)| look.gather(k, &[c], o));
                assert_eq!(out[0].get(0), DatumRef::I32(i));
                let text = "t".repeat(i as usize % 7);
                let want = if i % 3 == 0 { DatumRef::Null } else { DatumRef::Bytes(text.as_bytes()) };
                assert_eq!(out[1].get(0), want);
                assert_eq!(out[2].get(0), DatumRef::Fixed16((i as u128).to_be_bytes()));
            }
            assert_eq!(find(&look, 20_000), None);
            let mut sum = 0;
            assert!(look.int_keys(0).each(|x| sum += x));
            assert_eq!(sum, 19_999 * 10_000);
        }
    }

    #[test]
    fn the_last_builder_finishes_and_a_full_table_says_so() {
        let t = table(10, 1 << 10, 64 << 10);
        let look = t.look();
        let (Part::Build(a), Part::Build(b)) = (look.join(), look.join()) else { panic!("builders") };
        assert_ne!(a, b);
        let mut took = 0;
        while add(&look, took * 100..took * 100 + 100) {
            took += 1;
        }
        assert!((2..30).contains(&took) && look.is_too_large());
        assert_eq!(look.rows(), took as usize * 100);
        assert!(look.bytes() <= 64 << 10);
        assert!(!look.leave(a) && look.leave(b));
        assert!(matches!(look.join(), Part::Wait));
        look.publish();
        assert!(matches!(look.join(), Part::Wait));
    }
}
