//! Sort: all rows in columns, an order of row numbers sorted by a normalised 64-bit prefix of the first key, full
//! comparison only where prefixes tie. With a bound only the best rows are kept; beyond `work_mem` sorted runs go to files
//! and are merged.

use super::*;
use crate::expr::colops;
use crate::store::SpillFile;
use common::Oid;
use planner::instrument::SortInstr;
use planner::plan::SortKey;
use std::cmp::Ordering;
use types::column::BATCH_ROWS;
use types::{CmpFn, Collation, Column, ColumnData, DatumRef};

/// How two values of a key compare.
#[derive(Clone, Copy)]
enum Kind {
    /// By the machine value of the column: integers, booleans, fixed bytes, byte strings.
    Native,
    /// Floats: NaN is equal to itself and above everything.
    Float,
    Call(CmpFn),
    /// Text by a collation that is not the order of the bytes: the prefix is that of the sort key.
    Collated,
}

#[derive(Clone, Copy)]
struct Key {
    col: usize,
    kind: Kind,
    collation: Collation,
    desc: bool,
    nulls_first: bool,
}

/// An ordering of rows by several columns.
#[derive(Clone)]
pub struct Order {
    keys: Vec<Key>,
}

/// Comparison functions that are the order of the stored value.
fn native(proc: Oid, collation: Collation) -> Option<Kind> {
    match proc.0 {
        // int2 int4 int8 oid bool date time timestamp timestamptz bytea uuid money "char"
        350 | 351 | 842 | 356 | 1693 | 1092 | 1107 | 2045 | 1314 | 1954 | 2960 | 377 | 358 => {
            Some(Kind::Native)
        }
        // text and name where the order is that of the bytes
        360 | 359 if collation.by_bytes() => Some(Kind::Native),
        360 => Some(Kind::Collated),
        354 | 355 => Some(Kind::Float),
        _ => None,
    }
}

impl Order {
    /// From a plan's sort keys.
    pub fn new(env: &ExecEnv, keys: &[SortKey]) -> Result<Order> {
        let keys = keys
            .iter()
            .map(|k| {
                let mut collation = env.collation(k.collation)?;
                let kind = match native(k.cmp_proc, collation) {
                    Some(k) => k,
                    None => {
                        let (f, c) = env.cmp(k.cmp_proc, k.collation)?;
                        collation = c;
                        Kind::Call(f)
                    }
                };
                Ok(Key { col: k.column as usize, kind, collation, desc: k.desc, nulls_first: k.nulls_first })
            })
            .collect::<Result<_>>()?;
        Ok(Order { keys })
    }
    /// Ascending order by the first `n` columns with the default comparison of their types, nulls last.
    pub fn by_types(env: &ExecEnv, types: &[(usize, Oid, Oid)]) -> Result<Order> {
        let keys = types
            .iter()
            .map(|(col, t, collation)| {
                let t = &env.storage_type(*t)?;
                let own = *t >= Oid::FIRST_NORMAL;
                let cmp = types::storage_info(*t).filter(|_| !own).map_or(Oid::INVALID, |i| i.cmp);
                let oid = *collation;
                let mut collation = env.collation(oid)?;
                let kind = match native(cmp, collation) {
                    Some(k) => k,
                    None => {
                        let (f, c) = crate::expr::compile_cmp(env, *t, oid)?;
                        collation = c;
                        Kind::Call(f)
                    }
                };
                Ok(Key { col: *col, kind, collation, desc: false, nulls_first: false })
            })
            .collect::<Result<_>>()?;
        Ok(Order { keys })
    }
    /// Compares row `i` of `a` with row `j` of `b`.
    pub fn compare(&self, a: &Batch, i: usize, b: &Batch, j: usize) -> Ordering {
        self.compare_from(0, a, i, b, j)
    }
    fn compare_from(&self, from: usize, a: &Batch, i: usize, b: &Batch, j: usize) -> Ordering {
        for k in &self.keys[from..] {
            let o = k.compare(&a.cols[k.col], i, &b.cols[k.col], j);
            if o != Ordering::Equal {
                return o;
            }
        }
        Ordering::Equal
    }
    /// Row numbers of a dense batch in order.
    fn sorted(&self, data: &Batch) -> Vec<u32> {
        let n = data.rows as u32;
        let Some(first) = self.keys.first() else { return (0..n).collect() };
        let col = &data.cols[first.col];
        let exact = first.exact(col);
        let mut entries: Vec<(u64, u32)> = Vec::with_capacity(n as usize);
        let mut nulls: Vec<u32> = Vec::new();
        for i in 0..n {
            if col.nulls.get(i as usize) {
                nulls.push(i);
            } else {
                entries.push((first.prefix(col, i as usize), i));
            }
        }
        if exact && self.keys.len() == 1 {
            entries.sort_unstable();
        } else {
            let from = usize::from(exact);
            entries.sort_unstable_by(|x, y| {
                x.0.cmp(&y.0)
                    .then_with(|| self.compare_from(from, data, x.1 as usize, data, y.1 as usize))
                    .then(x.1.cmp(&y.1))
            });
        }
        if self.keys.len() > 1 {
            nulls.sort_by(|&x, &y| self.compare_from(1, data, x as usize, data, y as usize));
        }
        let values = entries.into_iter().map(|e| e.1);
        if first.nulls_first {
            nulls.extend(values);
            nulls
        } else {
            let mut v: Vec<u32> = values.collect();
            v.extend(nulls);
            v
        }
    }
}

#[inline]
fn float_key(x: f64) -> u64 {
    if x.is_nan() {
        return u64::MAX;
    }
    let b = (x + 0.0).to_bits();
    if b >> 63 == 1 { !b } else { b | 1 << 63 }
}

impl Key {
    fn compare(&self, a: &Column, i: usize, b: &Column, j: usize) -> Ordering {
        match (a.nulls.get(i), b.nulls.get(j)) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if self.nulls_first { Ordering::Less } else { Ordering::Greater },
            (false, true) => return if self.nulls_first { Ordering::Greater } else { Ordering::Less },
            _ => {}
        }
        let o = match self.kind {
            Kind::Call(f) => f(self.collation, a.get(i), b.get(j)),
            Kind::Collated => self.collation.compare(a.get(i).bytes(), b.get(j).bytes()),
            _ => match (&a.data, &b.data) {
                (ColumnData::I32(x), ColumnData::I32(y)) => x[i].cmp(&y[j]),
                (ColumnData::I64(x), ColumnData::I64(y)) => x[i].cmp(&y[j]),
                (ColumnData::Bytes(x), ColumnData::Bytes(y)) => x.get(i).cmp(y.get(j)),
                (ColumnData::F64(x), ColumnData::F64(y)) => float_key(x[i]).cmp(&float_key(y[j])),
                (ColumnData::F32(x), ColumnData::F32(y)) => {
                    float_key(x[i].into()).cmp(&float_key(y[j].into()))
                }
                (ColumnData::I16(x), ColumnData::I16(y)) => x[i].cmp(&y[j]),
                (ColumnData::U32(x), ColumnData::U32(y)) => x[i].cmp(&y[j]),
                (ColumnData::Bool(x), ColumnData::Bool(y)) => x[i].cmp(&y[j]),
                (ColumnData::I8(x), ColumnData::I8(y)) => (x[i] as u8).cmp(&(y[j] as u8)),
                (ColumnData::Fixed16(x), ColumnData::Fixed16(y)) => x[i].cmp(&y[j]),
                _ => Ordering::Equal,
            },
        };
        if self.desc { o.reverse() } else { o }
    }
    /// Does the prefix say everything?
    fn exact(&self, c: &Column) -> bool {
        match self.kind {
            Kind::Native => !matches!(c.data, ColumnData::Bytes(_) | ColumnData::Fixed16(_)),
            Kind::Float => true,
            Kind::Call(_) | Kind::Collated => false,
        }
    }
    /// A number that orders as the (non-null) value does, as far as 64 bits tell.
    fn prefix(&self, c: &Column, i: usize) -> u64 {
        const SIGN: u64 = 1 << 63;
        let v = match self.kind {
            Kind::Call(_) => 0,
            Kind::Collated => {
                let mut key = Vec::with_capacity(64);
                self.collation.sort_key(c.get(i).bytes(), &mut key);
                bytes_prefix(&key)
            }
            _ => match &c.data {
                ColumnData::I32(v) => v[i] as i64 as u64 ^ SIGN,
                ColumnData::I64(v) => v[i] as u64 ^ SIGN,
                ColumnData::I16(v) => v[i] as i64 as u64 ^ SIGN,
                ColumnData::U32(v) => u64::from(v[i]),
                ColumnData::Bool(v) => u64::from(v[i]),
                ColumnData::I8(v) => u64::from(v[i] as u8),
                ColumnData::F64(v) => float_key(v[i]),
                ColumnData::F32(v) => float_key(v[i].into()),
                ColumnData::Fixed16(v) => bytes_prefix(&v[i]),
                ColumnData::Bytes(v) => bytes_prefix(v.get(i)),
            },
        };
        if self.desc && !matches!(self.kind, Kind::Call(_)) { !v } else { v }
    }
}

fn bytes_prefix(b: &[u8]) -> u64 {
    let mut p = [0; 8];
    let n = b.len().min(8);
    p[..n].copy_from_slice(&b[..n]);
    u64::from_be_bytes(p)
}

struct Run {
    file: SpillFile,
    at: u64,
    batch: Batch,
    row: usize,
}

/// The sorting machine, also used by aggregates with ORDER BY and by index builds.
pub struct Sorter {
    order: Order,
    data: Batch,
    rows_order: Vec<u32>,
    at: usize,
    bound: Option<u64>,
    /// Rows whose first key's prefix is above this cannot be among the best.
    cutoff: Option<u64>,
    runs: Vec<Run>,
    sorted: bool,
    pub spilled_bytes: u64,
    pub peak_bytes: usize,
    bounded_used: bool,
    /// Rows taken in.
    seen: u64,
}

impl Sorter {
    /// An empty sorter for rows like `shape`.
    pub fn new(order: Order, shape: Batch) -> Sorter {
        Sorter {
            order,
            data: shape,
            rows_order: Vec::new(),
            at: 0,
            bound: None,
            cutoff: None,
            runs: Vec::new(),
            sorted: false,
            spilled_bytes: 0,
            peak_bytes: 0,
            bounded_used: false,
            seen: 0,
        }
    }
    /// The order.
    pub fn order(&self) -> &Order {
        &self.order
    }
    /// Only the best `n` rows are wanted.
    pub fn set_bound(&mut self, n: Option<u64>) {
        self.bound = n.filter(|n| *n <= 100_000);
    }
    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.data.clear();
        self.rows_order.clear();
        self.runs.clear();
        self.at = 0;
        self.cutoff = None;
        self.sorted = false;
        self.bounded_used = false;
        self.seen = 0;
    }
    /// Takes the live rows of a batch in.
    pub fn append(&mut self, env: &ExecEnv, b: &mut Batch) -> Result<()> {
        self.seen += b.live_count() as u64;
        if let Some(cut) = self.cutoff {
            let k = self.order.keys[0];
            let col = &b.cols[k.col];
            let keep: Vec<u16> = match b.live() {
                types::Rows::All(n) => (0..n as u16)
                    .filter(|&i| k.prefix(col, i as usize) <= cut || col.nulls.get(i as usize))
                    .collect(),
                types::Rows::Sel(s) => s
                    .iter()
                    .copied()
                    .filter(|&i| k.prefix(col, i as usize) <= cut || col.nulls.get(i as usize))
                    .collect(),
            };
            if keep.is_empty() {
                return Ok(());
            }
            b.sel = Some(keep);
        }
        colops::append_batch(&mut self.data, b);
        if let Some(n) = self.bound {
            let n = n as usize;
            if self.data.rows > (2 * n).max(4 * BATCH_ROWS) {
                self.keep_best(n);
            }
            return Ok(());
        }
        if self.data.rows.is_multiple_of(8) || self.data.rows > BATCH_ROWS {
            let used = colops::memory(&self.data) + self.data.rows * 16;
            self.peak_bytes = self.peak_bytes.max(used);
            if used > env.work_mem.get() {
                self.spill(env)?;
            }
        }
        Ok(())
    }
    fn keep_best(&mut self, n: usize) {
        let mut order = self.order.sorted(&self.data);
        order.truncate(n);
        let mut best = colops::like(&self.data);
        for (d, s) in best.cols.iter_mut().zip(&self.data.cols) {
            colops::append_gather(d, s, &order);
        }
        best.rows = order.len();
        self.data = best;
        self.bounded_used = true;
        if let (Some(k), true) = (self.order.keys.first(), self.data.rows == n && n > 0) {
            let col = &self.data.cols[k.col];
            // With nulls first a null in last place lets in nothing but nulls; not worth a rule of its own.
            if !col.nulls.get(n - 1) && !matches!(k.kind, Kind::Call(_)) {
                self.cutoff = Some(k.prefix(col, n - 1));
            }
        }
    }
    fn spill(&mut self, env: &ExecEnv) -> Result<()> {
        let order = self.order.sorted(&self.data);
        let mut file = SpillFile::create(env)?;
        let mut out = colops::like(&self.data);
        for part in order.chunks(BATCH_ROWS) {
            gather(&self.data, part, &mut out);
            file.write(&out)?;
        }
        self.spilled_bytes += file.len();
        out.clear();
        self.runs.push(Run { file, at: 0, batch: out, row: 0 });
        self.data = colops::like(&self.data);
        Ok(())
    }
    /// All rows are in.
    pub fn sort(&mut self, env: &ExecEnv) -> Result<()> {
        self.sorted = true;
        self.at = 0;
        if self.runs.is_empty() {
            self.peak_bytes = self.peak_bytes.max(colops::memory(&self.data) + self.data.rows * 16);
            self.rows_order = self.order.sorted(&self.data);
            if let Some(n) = self.bound {
                self.rows_order.truncate(n as usize);
            }
            return Ok(());
        }
        if self.data.rows > 0 {
            self.spill(env)?;
        }
        self.rewind()
    }
    /// Back to the first row.
    pub fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        for r in &mut self.runs {
            r.at = 0;
            r.load()?;
        }
        Ok(())
    }
    /// Fills `out` with the next rows, at most `want`.
    pub fn next(&mut self, out: &mut Batch, want: usize) -> Result<bool> {
        let want = want.clamp(1, BATCH_ROWS);
        if self.runs.is_empty() {
            let to = (self.at + want).min(self.rows_order.len());
            gather(&self.data, &self.rows_order[self.at..to], out);
            self.at = to;
            return Ok(out.rows > 0);
        }
        out.clear();
        while out.rows < want {
            let mut best: Option<usize> = None;
            for (i, r) in self.runs.iter().enumerate() {
                if r.row >= r.batch.rows {
                    continue;
                }
                let better = best.is_none_or(|j| {
                    let o = &self.runs[j];
                    self.order.compare(&r.batch, r.row, &o.batch, o.row) == Ordering::Less
                });
                if better {
                    best = Some(i);
                }
            }
            let Some(i) = best else { break };
            let r = &mut self.runs[i];
            colops::append_row(out, &r.batch, r.row);
            r.row += 1;
            if r.row == r.batch.rows {
                r.load()?;
            }
        }
        Ok(out.rows > 0)
    }
    fn instr(&self) -> SortInstr {
        let disk = self.spilled_bytes > 0;
        let method = if disk {
            "external merge"
        } else if self.bounded_used || self.bound.is_some_and(|n| self.seen > 2 * n) {
            "top-N heapsort"
        } else {
            "quicksort"
        };
        let bytes = if disk { self.spilled_bytes } else { self.peak_bytes as u64 };
        SortInstr { method, space_kb: bytes.div_ceil(1024).max(25), disk }
    }
}

impl Run {
    fn load(&mut self) -> Result<()> {
        self.row = 0;
        if self.at >= self.file.len() {
            self.batch.clear();
            return Ok(());
        }
        self.at = self.file.read(self.at, &mut self.batch)?;
        Ok(())
    }
}

fn gather(src: &Batch, rows: &[u32], out: &mut Batch) {
    out.clear();
    for (d, s) in out.cols.iter_mut().zip(&src.cols) {
        colops::append_gather(d, s, rows);
    }
    out.rows = rows.len();
}

struct Sort {
    child: BoxNode,
    sorter: Sorter,
    params: Vec<u32>,
    stamp: u64,
    bound: Option<u64>,
    out: Batch,
    node_id: u32,
}

/// Sort (and IncrementalSort, which is executed as a full sort).
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, keys: &[SortKey]) -> Result<BoxNode> {
    let shape = output_batch(b.env, child)?;
    Ok(Box::new(Sort {
        child: super::build(b, child)?,
        sorter: Sorter::new(Order::new(b.env, keys)?, shape.clone()),
        params: plan.ext_params.clone(),
        stamp: 0,
        bound: None,
        out: shape,
        node_id: plan.node_id,
    }))
}

impl ExecNode for Sort {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.sorter.sorted {
            self.sorter.set_bound(self.bound);
            self.child.rescan(cx)?;
            while self.child.next(cx, usize::MAX)? {
                cx.check_interrupts()?;
                self.sorter.append(&cx.env, self.child.batch_mut())?;
            }
            self.sorter.sort(&cx.env)?;
            if cx.instrumented() {
                let i = self.sorter.instr();
                cx.instr(self.node_id, |n| n.sort = Some(i));
            }
        }
        self.sorter.next(&mut self.out, want)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        let stamp = cx.stamp(&self.params);
        if stamp == self.stamp
            && self.sorter.sorted
            && self.sorter.bound == self.bound.filter(|n| *n <= 100_000)
        {
            return self.sorter.rewind();
        }
        self.stamp = stamp;
        self.sorter.clear();
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.stamp = 0;
        if self.sorter.data.rows > 4 * BATCH_ROWS {
            self.sorter.data = colops::like(&self.sorter.data);
            self.sorter.rows_order = Vec::new();
        }
        self.sorter.clear();
        self.child.end(cx);
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.bound = n;
    }
}

/// Compares two values as `Order` would a column of the type; for callers with scalars.
pub fn compare_datums(f: CmpFn, collation: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => f(collation, a, b),
    }
}
