//! HashJoin: the inner side in columns with a chained hash table over row numbers, probed a batch of outer rows at a time.
//! An inner side beyond its memory is split, with the outer side, into partition files that are joined one by one.

use super::join_common::{Pairs, Side};
use super::*;
use crate::expr::{Program, colops, compile};
use crate::node::group::eq_is_native;
use crate::node::group_table::hash_column;
use crate::run_filter::RunFilter;
use crate::store::{SpillFile, batch_of};
use analyze::expr::{CoercionForm, FuncExpr};
use analyze::query::JoinType;
use common::Oid;
use planner::instrument::HashInstr;
use planner::plan::{HashKey, JoinCommon};
use types::column::BATCH_ROWS;
use types::{Collation, Column, ColumnData, HashFn, Rows, oids};

mod ahead;
mod shared;

/// End of a chain.
const END: u32 = u32::MAX;
/// Mark of an inner row with a NULL key, until the chains are made.
const NULL_KEY: u32 = u32::MAX - 1;

struct KeyFns {
    outer_hash: Option<(HashFn, Collation)>,
    inner_hash: Option<(HashFn, Collation)>,
    /// Equal stored values are equal keys: compared here, without a call.
    native: bool,
}

/// The inner side.
#[derive(Default)]
struct Table {
    rows: Batch,
    keys: Vec<Column>,
    hashes: Vec<u64>,
    heads: Vec<u32>,
    next: Vec<u32>,
    /// Right and full joins: rows that found a partner.
    matched: Vec<bool>,
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Start,
    /// Probing with the present outer batch from a position on.
    Probe,
    /// Giving out inner rows without partner, from this row on.
    Unmatched(usize),
    Done,
}

/// The inner rows of a partition.
enum InnerPart {
    Own(SpillFile),
    /// In the files of all processes, under this number.
    Common(usize),
}

struct Partition {
    inner: InnerPart,
    outer: SpillFile,
}

struct HashJoin {
    /// The table of all processes, if they build and probe one together.
    shared: Option<Box<shared::Common>>,
    outer: BoxNode,
    inner: BoxNode,
    pairs: Pairs,
    fns: Vec<KeyFns>,
    outer_keys: Program,
    inner_keys: Program,
    inner_unique: bool,
    table: Table,
    ahead: ahead::Ahead,
    phase: Phase,
    params: Vec<u32>,
    stamp: u64,
    built: bool,
    /// Outer batch being probed: hashes of its live rows, and where we are.
    obatch: Batch,
    ohashes: Vec<u64>,
    ovalid: Vec<bool>,
    opos: usize,
    /// Where in its chain each of its rows is.
    ochains: Vec<u32>,
    omatched: Vec<bool>,
    have_outer: bool,
    /// Pairs found.
    po: Vec<u16>,
    pi: Vec<u32>,
    partitions: Vec<Partition>,
    current: Option<(SpillFile, u64)>,
    partitioned: bool,
    est_bytes: f64,
    nbatches: u64,
    node_id: u32,
    inner_id: u32,
}

/// HashJoin; its inner child is a Hash node, which is only a name for the table built here.
pub fn build(b: &BuildCx<'_>, plan: &Plan, join: &JoinCommon, keys: &[HashKey]) -> Result<BoxNode> {
    let (outer, inner) = (super::build(b, &join.outer)?, super::build(b, &join.inner)?);
    let mut node = compile_join(b, plan, join, keys, outer, inner)?;
    if let Some(joint) = b.parallel.filter(|_| plan.parallel_aware) {
        node.reserve_shared(b, joint, join);
    }
    Ok(Box::new(node))
}

fn compile_join(
    b: &BuildCx<'_>,
    plan: &Plan,
    join: &JoinCommon,
    keys: &[HashKey],
    outer: BoxNode,
    inner: BoxNode,
) -> Result<HashJoin> {
    let mut extra = Vec::new();
    let mut fns = Vec::new();
    for k in keys {
        let (lo, li) = (analyze::info::expr_type(&k.outer), analyze::info::expr_type(&k.inner));
        let (po, pi) = (b.env.phys(lo)?, b.env.phys(li)?);
        let collation = b.env.collation(k.collation)?;
        let int = |p| matches!(p, types::Phys::I16 | types::Phys::I32 | types::Phys::I64);
        // Integers of different widths hash and compare as 64-bit values.
        let native =
            (po == pi && eq_is_native(k.eq_proc, collation)) || (int(po) && int(pi) && is_int_eq(k.eq_proc));
        let (outer_hash, inner_hash) = if native {
            (None, None)
        } else {
            extra.push(eq_call(k));
            (
                Some(b.env.hash(k.outer_hash_proc, k.collation)?),
                Some(b.env.hash(k.inner_hash_proc, k.collation)?),
            )
        };
        fns.push(KeyFns { outer_hash, inner_hash, native });
    }
    let pairs = Pairs::compile(b, plan, join, &extra)?;
    let outer_keys = compile(b.env, keys.iter().map(|k| &k.outer), &SideScope(VarNo::Outer))?;
    let inner_keys = compile(b.env, keys.iter().map(|k| &k.inner), &AnySide)?;
    let shape = batch_of(&pairs.inner_phys);
    let key_cols: Vec<Column> = inner_keys.phys.iter().map(|p| Column::new(*p)).collect();
    let obatch = batch_of(&pairs.outer_phys);
    Ok(HashJoin {
        shared: None,
        outer,
        inner,
        pairs,
        fns,
        outer_keys,
        inner_keys,
        inner_unique: join.inner_unique,
        table: Table {
            rows: shape,
            keys: key_cols,
            hashes: Vec::new(),
            heads: Vec::new(),
            next: Vec::new(),
            matched: Vec::new(),
        },
        ahead: ahead::Ahead::plan(plan, join),
        phase: Phase::Start,
        params: join.inner.ext_params.clone(),
        stamp: 0,
        built: false,
        obatch,
        ohashes: Vec::new(),
        ovalid: Vec::new(),
        opos: 0,
        ochains: Vec::new(),
        omatched: Vec::new(),
        have_outer: false,
        po: Vec::new(),
        pi: Vec::new(),
        partitions: Vec::new(),
        current: None,
        partitioned: false,
        est_bytes: join.inner.rows * f64::from(join.inner.width.max(8) + 16),
        nbatches: 1,
        node_id: plan.node_id,
        inner_id: join.inner.node_id,
    })
}

fn is_int_eq(p: Oid) -> bool {
    matches!(p.0, 63 | 65 | 467 | 474 | 852 | 158 | 159 | 1850 | 1856)
}

/// The key's equality as a condition on the pair.
fn eq_call(k: &HashKey) -> Expr {
    Expr::Func(FuncExpr {
        funcid: k.eq_proc,
        result_type: oids::BOOL,
        retset: false,
        variadic: false,
        form: CoercionForm::ExplicitCall,
        collation: Oid::INVALID,
        input_collation: k.collation,
        args: vec![k.outer.clone(), as_inner(&k.inner)],
        location: None,
    })
}

/// Hash keys of the inner side may name the Hash node's child as `Outer`: in a pair they are the inner side.
fn as_inner(e: &Expr) -> Expr {
    let mut e = e.clone();
    analyze::walk::walk_mut(&mut e, 0, &mut |e, _| {
        if let Expr::Var(v) = e
            && v.varno == VarNo::Outer
        {
            v.varno = VarNo::Inner;
        }
        true
    });
    e
}

struct SideScope(VarNo);
impl Scope for SideScope {
    fn var(&self, v: &Var) -> Option<usize> {
        (v.varno == self.0 && v.attno > 0).then(|| v.attno as usize - 1)
    }
}
struct AnySide;
impl Scope for AnySide {
    fn var(&self, v: &Var) -> Option<usize> {
        (matches!(v.varno, VarNo::Outer | VarNo::Inner) && v.attno > 0).then(|| v.attno as usize - 1)
    }
}

/// Hashes of the keys of the live rows; `valid` is false where a key is NULL.
fn hash_keys(
    p: &Program,
    fns: &[KeyFns],
    inner: bool,
    b: &Batch,
    hashes: &mut Vec<u64>,
    valid: &mut Vec<bool>,
    scratch: &mut Vec<Column>,
) {
    let n = b.live_count();
    valid.clear();
    valid.resize(n, true);
    hashes.clear();
    hashes.resize(n, 0);
    for (k, f) in fns.iter().enumerate() {
        let a = p.result(k, b);
        let col = if a.konst {
            if scratch.is_empty() {
                scratch.push(Column::new(a.col.phys()));
            }
            scratch[0] = Column::new(a.col.phys());
            colops::fill(&mut scratch[0], a.get(0), b.rows);
            &scratch[0]
        } else {
            a.col
        };
        let h = if inner { f.inner_hash } else { f.outer_hash };
        hash_column(col, b.live(), h, k == 0, hashes);
        if col.nulls.any() {
            let mut k = 0;
            let _ = b.live().each(|i| {
                if col.nulls.get(i) {
                    valid[k] = false;
                }
                k += 1;
                Ok::<(), ()>(())
            });
        }
    }
}

/// The live rows by the partition they belong to.
fn partition_rows(b: &Batch, h: &[u64], valid: &[bool], keep_null: bool, n: usize) -> Vec<Vec<u16>> {
    let mut lists: Vec<Vec<u16>> = vec![Vec::new(); n];
    for k in 0..b.live_count() {
        if valid[k] || keep_null {
            lists[(h[k] >> 40) as usize % n].push(colops::nth_live(b, k) as u16);
        }
    }
    lists
}

/// A table whose chains are walked.
trait Chains {
    /// The first row of a chain, or [`END`].
    fn head(&self, h: u64) -> u32;
    /// The row after `c`, and whether `c` has this hash.
    fn step(&self, c: u32, h: u64) -> (u32, bool);
    /// Is key `k` of row `c` the value of row `i`?
    fn equals(&self, k: usize, a: &Column, i: usize, c: u32) -> bool;
}

/// The first rows of the chains of these hashes; [`END`] for NULL.
fn heads(t: &impl Chains, hashes: &[u64], valid: &[bool], out: &mut Vec<u32>) {
    out.clear();
    out.extend(hashes.iter().zip(valid).map(|(h, v)| if *v { t.head(*h) } else { END }));
}

impl Chains for Table {
    #[inline(always)]
    fn head(&self, h: u64) -> u32 {
        if self.heads.is_empty() { END } else { self.heads[h as usize & (self.heads.len() - 1)] }
    }
    #[inline(always)]
    fn step(&self, c: u32, h: u64) -> (u32, bool) {
        (self.next[c as usize], self.hashes[c as usize] == h)
    }
    #[inline(always)]
    fn equals(&self, k: usize, a: &Column, i: usize, c: u32) -> bool {
        int_equal(a, i, &self.keys[k], c as usize)
    }
}

impl HashJoin {
    fn clear_table(&mut self) {
        let t = &mut self.table;
        t.rows.clear();
        t.keys.iter_mut().for_each(Column::clear);
        t.hashes.clear();
        t.heads.clear();
        t.next.clear();
        t.matched.clear();
    }

    /// Takes a batch of inner rows into the table (chains are made by `link`).
    fn take_inner(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        self.inner_keys.run(cx, b, b.live())?;
        let mut valid = std::mem::take(&mut self.ovalid);
        let mut hashes = std::mem::take(&mut self.ohashes);
        let mut scratch = Vec::new();
        hash_keys(&self.inner_keys, &self.fns, true, b, &mut hashes, &mut valid, &mut scratch);
        let t = &mut self.table;
        for (k, d) in t.keys.iter_mut().enumerate() {
            let a = self.inner_keys.result(k, b);
            if a.konst {
                colops::fill_more(d, a.get(0), b.live_count());
            } else {
                colops::append_rows(d, a.col, b.live());
            }
        }
        colops::append_batch(&mut t.rows, b);
        // A NULL key is marked at its place in the chains: `link` leaves it out.
        t.next.extend(valid.iter().map(|v| if *v { END } else { NULL_KEY }));
        t.hashes.extend_from_slice(&hashes);
        self.ovalid = valid;
        self.ohashes = hashes;
        Ok(())
    }

    fn memory(&self) -> usize {
        let t = &self.table;
        colops::memory(&t.rows) + t.keys.iter().map(Column::memory).sum::<usize>() + t.hashes.len() * 20
    }

    fn link(&mut self) {
        let t = &mut self.table;
        let n = t.rows.rows;
        let size = (n * 2).next_power_of_two().max(16);
        t.heads.clear();
        t.heads.resize(size, END);
        // The last row comes first in its chain, as in PostgreSQL: unsorted results agree more often.
        for i in 0..n {
            if t.next[i] == NULL_KEY {
                t.next[i] = END;
                continue;
            }
            let h = t.hashes[i] as usize & (size - 1);
            t.next[i] = t.heads[h];
            t.heads[h] = i as u32;
        }
        if matches!(self.pairs.kind, JoinType::Right | JoinType::Full) {
            t.matched.clear();
            t.matched.resize(n, false);
        }
    }

    /// Reads the inner side; beyond the memory limit everything goes to partition files.
    fn build_table(&mut self, cx: &Exec) -> Result<()> {
        self.clear_table();
        self.partitions.clear();
        self.partitioned = false;
        self.nbatches = 1;
        self.inner.rescan(cx)?;
        while self.inner.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let b = std::mem::take(self.inner.batch_mut());
            let r = if self.partitioned { self.partition_inner(cx, &b) } else { self.take_inner(cx, &b) };
            *self.inner.batch_mut() = b;
            r?;
            if !self.partitioned && self.memory() > cx.env.hash_mem() {
                self.start_partitions(cx)?;
            }
        }
        let memory = self.memory();
        if !self.partitioned {
            self.link();
        }
        self.measure(cx, self.table.heads.len(), memory);
        Ok(())
    }
    fn measure(&self, cx: &Exec, buckets: usize, memory: usize) {
        let (buckets, batches) = (buckets.max(1024) as u64, self.nbatches);
        cx.instr(self.inner_id, |i| {
            i.hash = Some(HashInstr {
                buckets,
                buckets_original: buckets,
                batches,
                batches_original: batches,
                memory_kb: (memory as u64 + buckets * 8).div_ceil(1024),
            });
        });
    }
    /// Into how many partitions a table beyond memory is cut.
    fn partition_count(&self, env: &ExecEnv) -> usize {
        let ratio = (self.est_bytes / env.hash_mem().max(1) as f64).max(1.0) as usize;
        (ratio * 2).next_power_of_two().clamp(16, 256)
    }

    fn start_partitions(&mut self, cx: &Exec) -> Result<()> {
        let n = self.partition_count(&cx.env);
        for _ in 0..n {
            let inner = InnerPart::Own(SpillFile::create(&cx.env)?);
            self.partitions.push(Partition { inner, outer: SpillFile::create(&cx.env)? });
        }
        self.nbatches = n as u64;
        self.partitioned = true;
        let rows = std::mem::replace(&mut self.table.rows, batch_of(&self.pairs.inner_phys));
        let mut part = colops::like(&rows);
        let mut at = 0;
        while at < rows.rows {
            let to = (at + BATCH_ROWS).min(rows.rows);
            part.clear();
            for (d, s) in part.cols.iter_mut().zip(&rows.cols) {
                colops::append_range(d, s, at, to);
            }
            part.rows = to - at;
            self.partition_inner(cx, &part)?;
            at = to;
        }
        self.clear_table();
        Ok(())
    }

    fn partition_inner(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        self.inner_keys.run(cx, b, b.live())?;
        let (mut h, mut v) = (Vec::new(), Vec::new());
        hash_keys(&self.inner_keys, &self.fns, true, b, &mut h, &mut v, &mut Vec::new());
        let keep_null = matches!(self.pairs.kind, JoinType::Right | JoinType::Full);
        self.scatter(b, &h, &v, keep_null, true)
    }

    fn scatter(&mut self, b: &Batch, h: &[u64], valid: &[bool], keep_null: bool, inner: bool) -> Result<()> {
        let n = self.partitions.len();
        let mut part = colops::like(b);
        let lists = partition_rows(b, h, valid, keep_null, n);
        for (p, rows) in lists.iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            part.clear();
            for (d, s) in part.cols.iter_mut().zip(&b.cols) {
                colops::append_gather(d, s, rows);
            }
            part.rows = rows.len();
            let f = &mut self.partitions[p];
            match (&mut f.inner, inner) {
                (InnerPart::Own(f), true) => f.write(&part)?,
                _ => f.outer.write(&part)?,
            };
        }
        Ok(())
    }

    fn partition_outer(&mut self, cx: &Exec) -> Result<()> {
        if !self.ahead.is_open() {
            self.outer.rescan(cx)?;
        }
        while self.next_ahead() {
            let b = std::mem::take(&mut self.obatch);
            self.scatter_outer(cx, &b)?;
            self.obatch = b;
        }
        while !self.ahead.has_ended() && self.outer.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let b = std::mem::take(self.outer.batch_mut());
            let r = self.scatter_outer(cx, &b);
            *self.outer.batch_mut() = b;
            r?;
        }
        Ok(())
    }
    fn scatter_outer(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        let keep_null = matches!(self.pairs.kind, JoinType::Left | JoinType::Full | JoinType::Anti);
        self.outer_keys.run(cx, b, b.live())?;
        let (mut h, mut v) = (Vec::new(), Vec::new());
        hash_keys(&self.outer_keys, &self.fns, false, b, &mut h, &mut v, &mut Vec::new());
        self.scatter(b, &h, &v, keep_null, false)
    }

    /// Loads the next partition's inner side; false if there is none.
    fn next_partition(&mut self, cx: &Exec) -> Result<bool> {
        let Some(mut p) = self.partitions.pop() else { return Ok(false) };
        self.clear_table();
        let mut b = batch_of(&self.pairs.inner_phys);
        match &mut p.inner {
            InnerPart::Own(f) => {
                let mut at = 0;
                while at < f.len() {
                    at = f.read(at, &mut b)?;
                    self.take_inner(cx, &b)?;
                }
            }
            InnerPart::Common(k) => self.take_common(cx, *k, &mut b)?,
        }
        self.link();
        self.current = Some((p.outer, 0));
        Ok(true)
    }

    /// Gets the next outer batch and its hashes.
    fn next_outer(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.partitioned {
            let Some((f, at)) = &mut self.current else { return Ok(false) };
            if *at >= f.len() {
                return Ok(false);
            }
            *at = f.read(*at, &mut self.obatch)?;
        } else {
            self.give_back();
            if !self.next_ahead() {
                if self.ahead.has_ended() || !self.outer.next(cx, want)? {
                    return Ok(false);
                }
                std::mem::swap(self.outer.batch_mut(), &mut self.obatch);
                self.have_outer = true;
            }
        }
        cx.check_interrupts()?;
        self.outer_keys.run(cx, &self.obatch, self.obatch.live())?;
        hash_keys(
            &self.outer_keys,
            &self.fns,
            false,
            &self.obatch,
            &mut self.ohashes,
            &mut self.ovalid,
            &mut Vec::new(),
        );
        self.opos = 0;
        self.omatched.clear();
        self.omatched.resize(self.obatch.rows, false);
        self.find_heads();
        Ok(true)
    }

    /// Looks up the chains of all rows of the batch at once: their cache misses overlap.
    fn find_heads(&mut self) {
        let mut chains = std::mem::take(&mut self.ochains);
        if let Some(s) = self.shared.as_ref().filter(|s| s.in_memory()) {
            heads(&s.look().chains(&[]), &self.ohashes, &self.ovalid, &mut chains);
        } else {
            heads(&self.table, &self.ohashes, &self.ovalid, &mut chains);
        }
        self.ochains = chains;
    }

    /// Collects candidate pairs until the lists are full or the outer batch ends.
    fn collect(&mut self) {
        if let Some(s) = self.shared.take_if(|s| s.in_memory()) {
            let look = s.look();
            self.collect_from(&look.chains(s.keys()), look.rows());
            drop(look);
            self.shared = Some(s);
        } else {
            let t = std::mem::take(&mut self.table);
            self.collect_from(&t, t.rows.rows);
            self.table = t;
        }
    }
    fn collect_from(&mut self, t: &impl Chains, rows: usize) {
        self.po.clear();
        self.pi.clear();
        let n = self.ohashes.len();
        let simple = self.pairs.joinqual.is_none();
        let first_only = simple
            && (self.inner_unique || matches!(self.pairs.kind, JoinType::Semi | JoinType::Anti))
            && !matches!(self.pairs.kind, JoinType::Right | JoinType::Full);
        // One native integer key: compare the key itself.
        let int_key = self.fns.len() == 1 && self.fns[0].native && !self.outer_keys.outs[0].is_konst();
        // Without further conditions a row's fate is known here: null-extended ones keep their place in the order.
        let extend = simple && matches!(self.pairs.kind, JoinType::Left | JoinType::Full) && rows > 0;
        while self.opos < n {
            if self.po.len() == BATCH_ROWS {
                return;
            }
            let mut c = self.ochains[self.opos];
            if c == END && !extend {
                self.opos += 1;
                continue;
            }
            let i = colops::nth_live(&self.obatch, self.opos);
            let h = self.ohashes[self.opos];
            while c != END {
                let (next, same) = t.step(c, h);
                let hit = same
                    && if int_key {
                        t.equals(0, self.outer_keys.result(0, &self.obatch).col, i, c)
                    } else {
                        self.native_equal(t, i, c)
                    };
                let row = c;
                c = next;
                if hit {
                    self.po.push(i as u16);
                    self.pi.push(row);
                    self.omatched[i] |= simple;
                    if first_only {
                        c = END;
                    }
                    if self.po.len() == BATCH_ROWS {
                        self.ochains[self.opos] = c;
                        return;
                    }
                }
            }
            if extend && !self.omatched[i] {
                self.omatched[i] = true;
                self.po.push(i as u16);
                self.pi.push(END);
            }
            self.opos += 1;
        }
    }

    fn native_equal(&self, t: &impl Chains, i: usize, c: u32) -> bool {
        self.fns.iter().enumerate().all(|(k, f)| {
            if !f.native {
                return true;
            }
            let a = self.outer_keys.result(k, &self.obatch);
            t.equals(k, a.col, a.index(i), c)
        })
    }

    /// Appends the pairs found to the batch.
    fn gather(&mut self, outer_join: bool) {
        let (po, pi) = (&self.po, &mut self.pi);
        let shared = self.shared.as_ref().filter(|s| s.in_memory()).map(|s| s.look());
        let rows = &self.table.rows;
        let inner = |c: usize, d: &mut Column, idx: &[u32]| match &shared {
            Some(t) => t.gather(c, idx, d),
            None => colops::append_gather(d, &rows.cols[c], idx),
        };
        self.pairs.batch.clear();
        if outer_join {
            self.pairs.gather_outer_join(&self.obatch, po, pi, inner);
        } else {
            self.pairs.gather_by(&self.obatch, po, |c, d| inner(c, d, pi));
        }
    }

    /// Makes a batch from the candidate pairs; true if it has rows.
    fn emit_pairs(&mut self, cx: &Exec) -> Result<bool> {
        let kind = self.pairs.kind;
        let need_flags = !matches!(kind, JoinType::Inner);
        if self.pairs.joinqual.is_none() {
            if need_flags {
                for (o, i) in self.po.iter().zip(&self.pi) {
                    self.omatched[*o as usize] = true;
                    if let Some(m) = self.table.matched.get_mut(*i as usize) {
                        *m = true;
                    }
                }
            }
            if matches!(kind, JoinType::Semi | JoinType::Anti) || self.po.is_empty() {
                return Ok(false);
            }
            self.gather(matches!(kind, JoinType::Left | JoinType::Full));
            return self.pairs.finish(cx);
        }
        if self.po.is_empty() {
            return Ok(false);
        }
        self.gather(false);
        let left = qual::apply(&mut self.pairs.joinqual, cx, &mut self.pairs.batch)?;
        let removed = self.po.len() - left;
        cx.instr(self.node_id, |i| i.removed_join += removed as f64);
        if need_flags {
            for k in 0..left {
                let p = colops::nth_live(&self.pairs.batch, k);
                self.omatched[self.po[p] as usize] = true;
                if let Some(m) = self.table.matched.get_mut(self.pi[p] as usize) {
                    *m = true;
                }
            }
        }
        if left == 0 || matches!(kind, JoinType::Semi | JoinType::Anti) {
            return Ok(false);
        }
        self.pairs.finish(cx)
    }

    /// After an outer batch: the rows that joins other than inner owe. True if there are some.
    fn emit_outer_rest(&mut self, cx: &Exec) -> Result<bool> {
        let want = match self.pairs.kind {
            JoinType::Left | JoinType::Full | JoinType::Anti => false,
            JoinType::Semi => true,
            _ => return Ok(false),
        };
        let flags = &self.omatched;
        self.po.clear();
        match self.obatch.live() {
            Rows::All(n) => self.po.extend((0..n as u16).filter(|i| flags[*i as usize] == want)),
            Rows::Sel(s) => self.po.extend(s.iter().copied().filter(|i| flags[*i as usize] == want)),
        }
        if self.po.is_empty() {
            return Ok(false);
        }
        self.pairs.batch.clear();
        self.pairs.outer_only(&self.obatch, &self.po);
        self.pairs.finish(cx)
    }

    fn probe(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        loop {
            // `opos` past the batch means: ask for the next one.
            if self.opos > self.ohashes.len() && !self.next_outer(cx, want)? {
                return Ok(false);
            }
            if self.opos < self.ohashes.len() {
                self.collect();
                if self.emit_pairs(cx)? {
                    return Ok(true);
                }
                if self.opos < self.ohashes.len() {
                    continue;
                }
            }
            self.opos = self.ohashes.len() + 1;
            if self.emit_outer_rest(cx)? {
                return Ok(true);
            }
        }
    }

    fn emit_unmatched(&mut self, cx: &Exec, from: usize) -> Result<bool> {
        let mut at = from;
        let n = self.table.rows.rows;
        while at < n {
            self.pi.clear();
            while at < n && self.pi.len() < BATCH_ROWS {
                if !self.table.matched[at] {
                    self.pi.push(at as u32);
                }
                at += 1;
            }
            self.phase = Phase::Unmatched(at);
            if self.pi.is_empty() {
                continue;
            }
            self.pairs.batch.clear();
            self.pairs.inner_only(&self.table.rows, &self.pi);
            if self.pairs.finish(cx)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn give_back(&mut self) {
        if self.have_outer {
            self.have_outer = false;
            std::mem::swap(self.outer.batch_mut(), &mut self.obatch);
        }
    }

    /// Tells the scans of the outer side which keys the table has.
    fn push_keys(&mut self) {
        for k in 0..self.fns.len() {
            let Some(col) = self.outer_keys.column(k) else { continue };
            let useful = matches!(self.pairs.kind, JoinType::Inner | JoinType::Semi | JoinType::Right);
            if !useful || !self.fns[k].native {
                continue;
            }
            let f = if self.partitioned { None } else { self.filter_of(k).map(Rc::new) };
            self.outer.push_filter(col, self.node_id, f.as_ref());
        }
    }

    fn start(&mut self, cx: &Exec) -> Result<()> {
        self.opos = 1;
        self.ohashes.clear();
        let stamp = cx.stamp(&self.params);
        if self.open_shared(cx)? {
            self.push_keys();
        } else if !self.built || self.stamp != stamp || self.partitioned {
            let ahead = self.read_ahead(cx, stamp)?;
            if self.ahead.is_empty() {
                self.phase = Phase::Done;
                return Ok(());
            }
            self.build_table(cx)?;
            self.stamp = stamp;
            self.built = !self.ahead.told();
            if !ahead {
                self.push_keys();
            }
        } else {
            self.table.matched.fill(false);
        }
        self.ohashes.clear();
        self.opos = 1;
        let outer_counts = matches!(self.pairs.kind, JoinType::Left | JoinType::Full | JoinType::Anti);
        if self.partitioned {
            self.partition_outer(cx)?;
            self.ohashes.clear();
            self.opos = 1;
            self.phase = if self.next_partition(cx)? { Phase::Probe } else { Phase::Done };
            self.ohashes.clear();
        } else if self.inner_rows() == 0 && !outer_counts {
            self.phase = Phase::Done;
        } else {
            if !self.ahead.is_open() {
                self.outer.rescan(cx)?;
            }
            self.phase = Phase::Probe;
        }
        Ok(())
    }
}

#[inline]
fn int_equal(a: &Column, i: usize, b: &Column, j: usize) -> bool {
    match (&a.data, &b.data) {
        (ColumnData::I32(x), ColumnData::I32(y)) => x[i] == y[j],
        (ColumnData::I64(x), ColumnData::I64(y)) => x[i] == y[j],
        (ColumnData::I32(x), ColumnData::I64(y)) => i64::from(x[i]) == y[j],
        (ColumnData::I64(x), ColumnData::I32(y)) => x[i] == i64::from(y[j]),
        (ColumnData::I16(x), ColumnData::I32(y)) => i32::from(x[i]) == y[j],
        (ColumnData::I32(x), ColumnData::I16(y)) => x[i] == i32::from(y[j]),
        (ColumnData::I16(x), ColumnData::I64(y)) => i64::from(x[i]) == y[j],
        (ColumnData::I64(x), ColumnData::I16(y)) => x[i] == i64::from(y[j]),
        _ => a.get(i) == b.get(j),
    }
}

impl ExecNode for HashJoin {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.phase == Phase::Start {
            self.start(cx)?;
        }
        loop {
            match self.phase {
                Phase::Start | Phase::Done => return Ok(false),
                Phase::Probe => {
                    if self.probe(cx, want)? {
                        return Ok(true);
                    }
                    let right = matches!(self.pairs.kind, JoinType::Right | JoinType::Full);
                    if right {
                        self.phase = Phase::Unmatched(0);
                    } else if !self.partitioned || !self.next_partition(cx)? {
                        self.phase = Phase::Done;
                    } else {
                        self.ohashes.clear();
                        self.opos = 1;
                    }
                }
                Phase::Unmatched(at) => {
                    if self.emit_unmatched(cx, at)? {
                        return Ok(true);
                    }
                    if self.partitioned && self.next_partition(cx)? {
                        self.ohashes.clear();
                        self.opos = 1;
                        self.phase = Phase::Probe;
                    } else {
                        self.phase = Phase::Done;
                    }
                }
            }
        }
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        use JoinType::*;
        match (self.pairs.plain_column(col), self.pairs.kind) {
            (Some(Side::Outer(c)), Inner | Left | Semi | Anti) => self.outer.push_filter(c, from, f),
            (Some(Side::Inner(c)), Inner | Right) => {
                let taken = self.inner.push_filter(c, from, f);
                // What is in the table was filtered otherwise.
                self.built &= !taken;
                taken
            }
            _ => false,
        }
    }
    fn batch(&self) -> &Batch {
        &self.pairs.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.pairs.tail.proj.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.give_back();
        self.ahead.close();
        self.phase = Phase::Start;
        self.close_shared();
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.give_back();
        self.ahead.close();
        self.pairs.tail.report(cx);
        self.phase = Phase::Start;
        self.built = false;
        if self.table.rows.rows > BATCH_ROWS {
            self.table.rows = batch_of(&self.pairs.inner_phys);
            self.table.hashes = Vec::new();
            self.table.next = Vec::new();
            self.table.heads = Vec::new();
            self.table.keys.iter_mut().for_each(|c| *c = Column::new(c.phys()));
        }
        self.clear_table();
        self.partitions.clear();
        self.current = None;
        self.outer.end(cx);
        self.inner.end(cx);
        self.close_shared();
    }
}
