//! WindowAgg: rows come in sorted; they wait in columns until everything their functions look at is there, then all
//! functions are computed for many rows in one go. Functions that only look back (row_number, rank, aggregates up to the
//! current row) need no more than the current peer group; the others need their whole partition.

//!
//! Rows that wait for longer than `work_mem` has room for go to a file and come back in blocks (`big`).

mod big;
mod frame;
mod func;
mod spool;

use super::group::KeyEq;
use super::*;
use crate::expr::colops;
use crate::store::batch_of;
use analyze::expr::WindowFunc;
use analyze::walk;
use big::Big;
use frame::{FrameRule, Partition};
use func::{Call, Chunk};
use spool::Spool;
use types::agg::{Span, Spans};
use types::column::BATCH_ROWS;
use types::{Column, ColumnData, Phys};

/// Bytes of waiting rows at most, whatever `work_mem` says: row numbers and offsets have 32 bits there.
const MEMORY_MAX: usize = 1 << 30;

/// Row flags: first of its partition, first of its peers.
const NEW_PARTITION: u8 = 1;
const NEW_PEER: u8 = 2;

/// Child columns, then one column a function.
struct WindowScope<'a> {
    carried: &'a [u16],
    funcs: &'a [WindowFunc],
}

impl Scope for WindowScope<'_> {
    fn var(&self, v: &Var) -> Option<usize> {
        if v.varno != VarNo::Outer || v.attno < 1 {
            return None;
        }
        self.carried.iter().position(|c| *c == v.attno as u16 - 1)
    }
    fn special(&self, e: &Expr) -> Option<usize> {
        let Expr::WindowFunc(w) = e else { return None };
        self.funcs.iter().position(|f| f == &**w).map(|p| self.carried.len() + p)
    }
}

struct WindowAgg {
    child: BoxNode,
    partition: KeyEq,
    order: KeyEq,
    rule: FrameRule,
    calls: Vec<Call>,
    frames_wanted: bool,
    /// Rows need not wait for the end of their partition …
    streams: bool,
    /// … but for their last peer.
    waits_for_peers: bool,
    no_partition: bool,

    /// Rows that are not given out yet, with their flags; before the first one, the row that preceded it.
    buf: Batch,
    flags: Vec<u8>,
    last: Batch,
    /// Rows `0..ready` are computed, `0..at` given out.
    ready: usize,
    at: usize,
    /// Row 0 goes on with the partition of a row given out before.
    continued: bool,
    opened: bool,
    eof: bool,
    /// Rows before `buf` that did not fit into memory, on their way out.
    big: Option<Box<Big>>,

    parts: Vec<Span>,
    peers: Vec<u32>,
    frames: Vec<Span>,
    spans: Vec<Spans>,

    carried: Vec<u16>,
    input: Batch,
    run: Option<Qual>,
    tail: Tail,
}

/// WindowAgg.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan) -> Result<BoxNode> {
    let Node::WindowAgg { partition, order, desc, nulls_first, clause, top, .. } = &plan.node else {
        return Err(Error::internal("executor: not a WindowAgg"));
    };
    let mut funcs: Vec<WindowFunc> = Vec::new();
    let mut carried: Vec<u16> = Vec::new();
    let run_condition: &[Expr] = if *top { &clause.run_condition } else { &[] };
    for e in plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual).chain(run_condition) {
        walk::walk(e, 0, &mut |e, _| match e {
            Expr::WindowFunc(w) => {
                if !funcs.contains(w) {
                    funcs.push((**w).clone());
                }
                false
            }
            Expr::Var(v) if v.varno == VarNo::Outer && v.attno > 0 => {
                let c = v.attno as u16 - 1;
                if !carried.contains(&c) {
                    carried.push(c);
                }
                true
            }
            _ => true,
        });
    }
    let phys = output_phys(b.env, child)?;
    let calls = funcs.iter().map(|w| Call::compile(b, w)).collect::<Result<Vec<_>>>()?;
    let mut kinds: Vec<Phys> = carried.iter().map(|c| phys[*c as usize]).collect();
    kinds.extend(calls.iter().map(|c| c.phys));
    let scope = WindowScope { carried: &carried, funcs: &funcs };
    let tail = Tail::compile(b, plan, &scope, kinds.len())?;
    let run = if run_condition.is_empty() { None } else { Qual::compile(b.env, run_condition, &scope)? };
    let column = match order.first() {
        Some(k) => {
            let c = k.column as usize;
            Some((c, phys[c], b.env.collation(k.collation)?))
        }
        None => None,
    };
    let rule = FrameRule::new(b, clause, column, *desc, *nulls_first)?;
    let frames_wanted = calls.iter().any(Call::wants_frames);
    let streams = calls.iter().all(Call::streams) && (!frames_wanted || rule.is_running());
    Ok(Box::new(WindowAgg {
        child: super::build(b, child)?,
        partition: KeyEq::new(b.env, partition)?,
        order: KeyEq::new(b.env, order)?,
        frames_wanted,
        streams,
        waits_for_peers: frames_wanted && !rule.by_rows(),
        no_partition: partition.is_empty(),
        rule,
        calls,
        buf: batch_of(&phys),
        flags: Vec::new(),
        last: batch_of(&phys),
        ready: 0,
        at: 0,
        continued: false,
        opened: false,
        eof: false,
        big: None,
        parts: Vec::new(),
        peers: Vec::new(),
        frames: Vec::new(),
        spans: Vec::new(),
        input: batch_of(&kinds),
        carried,
        run,
        tail,
    }))
}

/// Removes the first `n` of `total` rows of a column.
fn drop_front(c: &mut Column, n: usize, total: usize) {
    if n >= total {
        c.clear();
        return;
    }
    let mut rest = Column::new(c.phys());
    colops::append_range(&mut rest, c, n, total);
    *c = rest;
}

impl WindowAgg {
    fn reset(&mut self) {
        self.buf.clear();
        self.flags.clear();
        self.last.clear();
        self.ready = 0;
        self.at = 0;
        self.continued = false;
        self.opened = false;
        self.eof = false;
        self.big = None;
        self.calls.iter_mut().for_each(Call::reset);
    }

    /// Forgets the rows given out.
    fn compact(&mut self) {
        let n = self.ready;
        if n == 0 {
            return;
        }
        self.last.clear();
        colops::append_row(&mut self.last, &self.buf, n - 1);
        let total = self.buf.rows;
        for c in &mut self.buf.cols {
            drop_front(c, n, total);
        }
        self.buf.rows = total - n;
        self.flags.drain(..n);
        for c in &mut self.calls {
            c.drop_rows(n, total);
        }
        self.continued = self.flags.first().is_none_or(|f| f & NEW_PARTITION == 0);
        self.ready = 0;
        self.at = 0;
    }

    /// Takes one batch of the child in.
    fn read(&mut self, cx: &Exec) -> Result<()> {
        if !self.child.next(cx, usize::MAX)? {
            self.eof = true;
            return Ok(());
        }
        cx.check_interrupts()?;
        let mut b = std::mem::take(self.child.batch_mut());
        let r = self.take(cx, &mut b);
        *self.child.batch_mut() = b;
        r
    }

    fn take(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        for c in &mut self.calls {
            c.take(cx, b)?;
        }
        let from = self.buf.rows;
        colops::append_batch(&mut self.buf, b);
        self.flags.resize(self.buf.rows, 0);
        if from == 0 && self.buf.rows > 0 {
            self.flags[0] =
                if self.last.rows == 0 || !self.partition.equal(cx, &self.buf, 0, &self.last, 0)? {
                    NEW_PARTITION | NEW_PEER
                } else if !self.order.equal(cx, &self.buf, 0, &self.last, 0)? {
                    NEW_PEER
                } else {
                    0
                };
            self.continued = self.flags[0] & NEW_PARTITION == 0;
        }
        let first = from.max(1);
        self.partition.mark_changes(cx, &self.buf, first, NEW_PARTITION, &mut self.flags)?;
        self.order.mark_changes(cx, &self.buf, first, NEW_PEER, &mut self.flags)?;
        for f in &mut self.flags[first..] {
            if *f & NEW_PARTITION != 0 {
                *f |= NEW_PEER;
            }
        }
        Ok(())
    }

    /// Reads until some rows are complete; false at the end.
    fn fill(&mut self, cx: &Exec) -> Result<bool> {
        self.compact();
        let mut searched = 0;
        loop {
            let n = self.buf.rows;
            if self.eof || (self.streams && !self.waits_for_peers) {
                self.ready = n;
            } else {
                let mark = if self.streams { NEW_PEER } else { NEW_PARTITION };
                let lo = searched.max(1).min(n);
                self.ready = self.flags[lo..].iter().rposition(|f| f & mark != 0).map_or(0, |p| p + lo);
                searched = n;
            }
            if self.ready > 0 {
                return Ok(true);
            }
            if self.eof {
                return Ok(false);
            }
            if self.memory() > cx.env.work_mem.get().min(MEMORY_MAX) {
                self.spool(cx)?;
                return Ok(true);
            }
            self.read(cx)?;
        }
    }

    /// Bytes that the waiting rows take, and will take when they are computed.
    fn memory(&self) -> usize {
        let a_row = 1 + 16 * (self.calls.len() + 1) + if self.rule.has_exclusion() { 24 } else { 0 };
        colops::memory(&self.buf) + self.calls.iter().map(Call::memory).sum::<usize>() + self.buf.rows * a_row
    }

    /// Moves the waiting rows and those that must wait with them to a file.
    fn spool(&mut self, cx: &Exec) -> Result<()> {
        let mut kinds: Vec<Phys> = self.buf.cols.iter().map(Column::phys).collect();
        let mut next = kinds.len();
        let continued = self.continued;
        let places = self.calls.iter().map(|c| c.places(&mut next, &mut kinds, continued)).collect();
        kinds.push(Phys::I8);
        let mut big = Box::new(Big::new(Spool::new(&cx.env, kinds)?, next, places));
        let mark = if self.streams { NEW_PEER } else { NEW_PARTITION };
        loop {
            // The first row belongs to what is here, whatever its flag.
            let from = usize::from(big.spool.rows == 0);
            let rest = &self.flags[from.min(self.buf.rows)..];
            let stop = rest.iter().position(|f| f & mark != 0).map(|p| p + from);
            self.ready = stop.unwrap_or(self.buf.rows);
            self.append_to(&mut big.spool)?;
            self.compact();
            if self.buf.rows == 0 {
                // Room for what comes next, which need not be as much.
                self.buf = colops::like(&self.buf);
                self.calls.iter_mut().for_each(Call::release);
            }
            if stop.is_some() || self.eof {
                break;
            }
            self.read(cx)?;
        }
        big.spool.finish()?;
        self.big = Some(big);
        Ok(())
    }

    /// Appends the first `ready` rows.
    fn append_to(&self, spool: &mut Spool) -> Result<()> {
        let n = self.ready;
        let mut flags = Column::new(Phys::I8);
        flags.data = ColumnData::I8(self.flags[..n].iter().map(|f| *f as i8).collect());
        let pass: Vec<Option<Column>> = self.calls.iter().map(|c| c.pass_column(n)).collect();
        let mut cols: Vec<&Column> = self.buf.cols.iter().collect();
        for (c, p) in self.calls.iter().zip(&pass) {
            c.spooled(p.as_ref(), &mut cols);
        }
        cols.push(&flags);
        spool.append(&cols, n)
    }

    /// Gives out the next block of spooled rows that has any left.
    fn emit_big(&mut self, cx: &Exec) -> Result<bool> {
        while let Some(big) = &mut self.big {
            if !big.next(cx, &mut self.rule, &mut self.calls, self.frames_wanted)? {
                self.big = None;
                break;
            }
            let batch = big.batch.clone();
            self.give(&batch, 0, batch.rows);
            if self.finish(cx)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn compute(&mut self, cx: &Exec) -> Result<()> {
        self.parts.clear();
        self.frames.clear();
        self.spans.clear();
        let n = self.ready;
        let mut lo = 0;
        for i in 1..=n {
            if i == n || self.flags[i] & NEW_PARTITION != 0 {
                self.parts.push((lo as u32, i as u32));
                lo = i;
            }
        }
        if self.frames_wanted {
            self.make_frames(cx)?;
        }
        let chunk = Chunk {
            rows: n,
            flags: &self.flags,
            parts: &self.parts,
            frames: &self.frames,
            spans: &self.spans,
            cols: &self.buf.cols,
            continued: self.continued,
        };
        self.calls.iter_mut().try_for_each(|c| c.compute(cx, &chunk, &self.rule))
    }

    fn make_frames(&mut self, cx: &Exec) -> Result<()> {
        for &(lo, hi) in &self.parts {
            self.peers.clear();
            self.peers.push(lo);
            self.peers.extend((lo + 1..hi).filter(|i| self.flags[*i as usize] & NEW_PEER != 0));
            let p = Partition { lo, hi, peers: &self.peers };
            self.rule.frames(cx, &self.buf.cols, &p, &mut self.frames)?;
            if !self.rule.has_exclusion() {
                continue;
            }
            for (g, &a) in self.peers.iter().enumerate() {
                let b = self.peers.get(g + 1).copied().unwrap_or(hi);
                for i in a..b {
                    self.spans.push(self.rule.spans(i, self.frames[i as usize], (a, b)));
                }
            }
        }
        Ok(())
    }

    /// Makes the input of the tail: rows of a batch with the functions' results for them.
    fn give(&mut self, of: &Batch, lo: usize, hi: usize) {
        self.input.clear();
        let sources = self.carried.iter().map(|c| &of.cols[*c as usize]);
        for (d, s) in self.input.cols.iter_mut().zip(sources.chain(self.calls.iter().map(|c| &c.out))) {
            colops::append_range(d, s, lo, hi);
        }
        self.input.rows = hi - lo;
    }

    /// Filters and projects that. True if a batch has rows.
    fn finish(&mut self, cx: &Exec) -> Result<bool> {
        if let Some(run) = &mut self.run {
            let before = self.input.rows;
            let left = run.filter(cx, &mut self.input)?;
            if left < before && self.no_partition {
                // Every later row fails as well.
                self.at = self.ready;
                self.eof = true;
                self.big = None;
                self.buf.rows = self.buf.rows.min(self.ready);
                self.flags.truncate(self.buf.rows);
            }
            if left == 0 {
                return Ok(false);
            }
        }
        self.tail.finish_own(cx, &mut self.input)
    }

    /// Gives out computed rows, `want` at a time. True if a batch has rows.
    fn emit(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.at < self.ready {
            let to = (self.at + want.clamp(1, BATCH_ROWS)).min(self.ready);
            let buf = std::mem::take(&mut self.buf);
            self.give(&buf, self.at, to);
            self.buf = buf;
            self.at = to;
            if self.finish(cx)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ExecNode for WindowAgg {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.opened {
            self.opened = true;
            self.rule.start(cx)?;
            self.child.rescan(cx)?;
        }
        loop {
            if self.emit_big(cx)? || self.emit(cx, want)? {
                return Ok(true);
            }
            if !self.fill(cx)? {
                return Ok(false);
            }
            if self.big.is_none() {
                self.compute(cx)?;
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.reset();
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
        self.reset();
        self.child.end(cx);
    }
}
