//! MergeJoin: both sides sorted on the keys. Runs of equal inner keys are kept in a batch, so that no mark and restore is
//! needed below; every outer row with the key is paired with the whole run.

use super::join_common::Pairs;
use super::*;
use crate::expr::{Program, colops, compile};
use crate::store::batch_of;
use analyze::query::JoinType;
use planner::plan::{JoinCommon, MergeKey};
use std::cmp::Ordering;
use types::column::BATCH_ROWS;
use types::{CmpFn, Collation};

struct Key {
    cmp: CmpFn,
    collation: Collation,
    desc: bool,
    nulls_first: bool,
}

/// A side: its present batch, position in it and key values.
struct Side {
    node: BoxNode,
    keys: Program,
    pos: usize,
    have: bool,
    done: bool,
}

struct MergeJoin {
    outer: Side,
    inner: Side,
    keys: Vec<Key>,
    pairs: Pairs,
    /// Inner rows with the present key, and their key values.
    run: Batch,
    run_keys: Batch,
    run_matched: Vec<bool>,
    /// Next row of the run to pair with the outer row.
    run_pos: usize,
    /// The outer row is being paired with the run.
    pairing: bool,
    matched: bool,
    started: bool,
    /// Unmatched run rows to give out.
    flush_at: Option<usize>,
    node_id: u32,
}

struct Both;
impl Scope for Both {
    fn var(&self, v: &Var) -> Option<usize> {
        (matches!(v.varno, VarNo::Outer | VarNo::Inner) && v.attno > 0).then(|| v.attno as usize - 1)
    }
}

/// MergeJoin.
pub fn build(b: &BuildCx<'_>, plan: &Plan, join: &JoinCommon, keys: &[MergeKey]) -> Result<BoxNode> {
    let pairs = Pairs::compile(b, plan, join, &[])?;
    let side = |p: &Plan, keys: Program| -> Result<Side> {
        Ok(Side { node: super::build(b, p)?, keys, pos: 0, have: false, done: false })
    };
    let inner_keys = compile(b.env, keys.iter().map(|k| &k.inner), &Both)?;
    let run_keys = batch_of(&inner_keys.phys);
    Ok(Box::new(MergeJoin {
        outer: side(&join.outer, compile(b.env, keys.iter().map(|k| &k.outer), &Both)?)?,
        inner: side(&join.inner, inner_keys)?,
        keys: keys
            .iter()
            .map(|k| {
                let (cmp, collation) = b.env.cmp(k.cmp_proc, k.collation)?;
                Ok(Key { cmp, collation, desc: k.desc, nulls_first: k.nulls_first })
            })
            .collect::<Result<_>>()?,
        run: batch_of(&pairs.inner_phys),
        run_keys,
        run_matched: Vec::new(),
        run_pos: 0,
        pairing: false,
        matched: false,
        started: false,
        flush_at: None,
        pairs,
        node_id: plan.node_id,
    }))
}

impl Side {
    /// Makes sure a row is present; false at the end.
    fn ensure(&mut self, cx: &Exec) -> Result<bool> {
        if self.have {
            return Ok(true);
        }
        if self.done || !self.node.next(cx, usize::MAX)? {
            self.done = true;
            return Ok(false);
        }
        cx.check_interrupts()?;
        let b = self.node.batch();
        self.keys.run(cx, b, b.live())?;
        self.pos = 0;
        self.have = true;
        Ok(true)
    }
    fn row(&self) -> usize {
        colops::nth_live(self.node.batch(), self.pos)
    }
    fn advance(&mut self) {
        self.pos += 1;
        self.have = self.pos < self.node.batch().live_count();
    }
    fn key(&self, k: usize) -> types::DatumRef<'_> {
        self.keys.result(k, self.node.batch()).get(self.row())
    }
    fn has_null(&self, n: usize) -> bool {
        (0..n).any(|k| self.key(k).is_null())
    }
}

impl MergeJoin {
    /// Order of two key values; NULLs are placed as the sort placed them, two NULLs are not equal (`None`).
    fn order(k: &Key, a: types::DatumRef<'_>, b: types::DatumRef<'_>) -> Ordering {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if k.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if k.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => {
                let o = (k.cmp)(k.collation, a, b);
                if k.desc { o.reverse() } else { o }
            }
        }
    }
    fn compare_run(&self) -> Ordering {
        for (n, k) in self.keys.iter().enumerate() {
            let o = Self::order(k, self.outer.key(n), self.run_keys.cols[n].get(0));
            if o != Ordering::Equal {
                return o;
            }
        }
        Ordering::Equal
    }
    fn compare_sides(&self) -> Ordering {
        for (n, k) in self.keys.iter().enumerate() {
            let o = Self::order(k, self.outer.key(n), self.inner.key(n));
            if o != Ordering::Equal {
                return o;
            }
        }
        Ordering::Equal
    }
    fn same_as_run(&self) -> bool {
        (0..self.keys.len()).all(|n| {
            // Both are inner values: equal when neither sorts before the other by the same comparison.
            let (a, b) = (self.inner.key(n), self.run_keys.cols[n].get(0));
            !a.is_null() && (a == b || same_by_outer(&self.keys[n], &self.outer, n, a))
        })
    }
    fn keeps_inner(&self) -> bool {
        matches!(self.pairs.kind, JoinType::Right | JoinType::Full)
    }
    fn keeps_outer(&self) -> bool {
        matches!(self.pairs.kind, JoinType::Left | JoinType::Full | JoinType::Anti)
    }
    fn clear_run(&mut self) {
        self.run.clear();
        self.run_keys.clear();
        self.run_matched.clear();
    }
    /// Collects the inner rows equal to the outer row.
    fn fill_run(&mut self, cx: &Exec) -> Result<()> {
        self.clear_run();
        loop {
            let b = self.inner.node.batch();
            let i = self.inner.row();
            colops::append_row(&mut self.run, b, i);
            if self.run_keys.rows == 0 {
                for n in 0..self.keys.len() {
                    let v = self.inner.key(n).to_owned();
                    self.run_keys.cols[n].push(v.as_ref());
                }
                self.run_keys.rows = 1;
            }
            self.run_matched.push(false);
            self.inner.advance();
            if !self.inner.ensure(cx)? || !self.same_as_run() {
                return Ok(());
            }
        }
    }
    /// Begins giving out what the run owes (right and full joins).
    fn leave_run(&mut self) {
        if self.keeps_inner() && self.run.rows > 0 {
            self.flush_at = Some(0);
        } else {
            self.clear_run();
        }
    }
    fn flush(&mut self, cx: &Exec, from: usize) -> Result<bool> {
        let rows: Vec<u32> = (from..self.run.rows)
            .filter(|i| !self.run_matched[*i])
            .map(|i| i as u32)
            .take(BATCH_ROWS)
            .collect();
        match rows.last() {
            Some(&l) => self.flush_at = Some(l as usize + 1),
            None => {
                self.flush_at = None;
                self.clear_run();
                return Ok(false);
            }
        }
        self.pairs.batch.clear();
        self.pairs.inner_only(&self.run, &rows);
        self.pairs.finish(cx)
    }
    fn emit_outer(&mut self, cx: &Exec) -> Result<bool> {
        let row = [self.outer.row() as u16];
        self.pairs.batch.clear();
        self.pairs.outer_only(self.outer.node.batch(), &row);
        self.pairs.finish(cx)
    }
    /// Pairs the outer row with a stretch of the run.
    fn pair(&mut self, cx: &Exec) -> Result<bool> {
        let kind = self.pairs.kind;
        let to = (self.run_pos + BATCH_ROWS).min(self.run.rows);
        let inner: Vec<u32> = (self.run_pos as u32..to as u32).collect();
        let outer = vec![self.outer.row() as u16; inner.len()];
        let from = self.run_pos;
        self.run_pos = to;
        self.pairs.batch.clear();
        self.pairs.gather(self.outer.node.batch(), &outer, &self.run, &inner);
        let left = qual::apply(&mut self.pairs.joinqual, cx, &mut self.pairs.batch)?;
        cx.instr(self.node_id, |i| i.removed_join += (inner.len() - left) as f64);
        for k in 0..left {
            self.run_matched[from + colops::nth_live(&self.pairs.batch, k)] = true;
        }
        self.matched |= left > 0;
        match kind {
            JoinType::Semi | JoinType::Anti => {
                if self.matched {
                    self.run_pos = self.run.rows;
                }
                if left > 0 && kind == JoinType::Semi { self.emit_outer(cx) } else { Ok(false) }
            }
            _ => {
                if left == 0 {
                    return Ok(false);
                }
                self.pairs.finish(cx)
            }
        }
    }
}

fn same_by_outer(k: &Key, outer: &Side, n: usize, a: types::DatumRef<'_>) -> bool {
    (k.cmp)(k.collation, outer.key(n), a) == Ordering::Equal
}

impl ExecNode for MergeJoin {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        if !self.started {
            self.started = true;
            self.outer.node.rescan(cx)?;
            self.inner.node.rescan(cx)?;
        }
        loop {
            if let Some(at) = self.flush_at {
                if self.flush(cx, at)? {
                    return Ok(true);
                }
                continue;
            }
            if self.pairing {
                if self.run_pos < self.run.rows {
                    if self.pair(cx)? {
                        return Ok(true);
                    }
                    continue;
                }
                self.pairing = false;
                let owed = !self.matched && self.keeps_outer();
                let emitted = owed && self.emit_outer(cx)?;
                self.outer.advance();
                if emitted {
                    return Ok(true);
                }
                continue;
            }
            if !self.outer.ensure(cx)? {
                // Outer is at its end: the inner side may owe rows.
                if !self.keeps_inner() {
                    return Ok(false);
                }
                if self.run.rows > 0 {
                    self.leave_run();
                    continue;
                }
                if !self.inner.ensure(cx)? {
                    return Ok(false);
                }
                let row = [self.inner.row() as u16];
                self.pairs.batch.clear();
                self.pairs.inner_only(self.inner.node.batch(), &row);
                self.inner.advance();
                if self.pairs.finish(cx)? {
                    return Ok(true);
                }
                continue;
            }
            let outer_null = self.outer.has_null(self.keys.len());
            if !outer_null && self.run.rows > 0 {
                if self.compare_run() == Ordering::Equal {
                    self.pairing = true;
                    self.run_pos = 0;
                    self.matched = false;
                    continue;
                }
                self.leave_run();
                continue;
            }
            if outer_null || !self.inner.ensure(cx)? {
                // No partner.
                if !self.keeps_outer() && !outer_null && !self.keeps_inner() {
                    return Ok(false);
                }
                let emitted = self.keeps_outer() && self.emit_outer(cx)?;
                self.outer.advance();
                if emitted {
                    return Ok(true);
                }
                continue;
            }
            let inner_null = self.inner.has_null(self.keys.len());
            let o = if inner_null { Ordering::Greater } else { self.compare_sides() };
            match o {
                Ordering::Equal => self.fill_run(cx)?,
                Ordering::Less => {
                    let emitted = self.keeps_outer() && self.emit_outer(cx)?;
                    self.outer.advance();
                    if emitted {
                        return Ok(true);
                    }
                }
                Ordering::Greater => {
                    let keep = self.keeps_inner();
                    let mut emitted = false;
                    if keep {
                        let row = [self.inner.row() as u16];
                        self.pairs.batch.clear();
                        self.pairs.inner_only(self.inner.node.batch(), &row);
                        emitted = self.pairs.finish(cx)?;
                    }
                    self.inner.advance();
                    if emitted {
                        return Ok(true);
                    }
                }
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.pairs.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.pairs.tail.proj.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.started = false;
        self.pairing = false;
        self.flush_at = None;
        self.clear_run();
        for s in [&mut self.outer, &mut self.inner] {
            s.have = false;
            s.done = false;
            s.pos = 0;
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.pairs.tail.report(cx);
        self.outer.node.end(cx);
        self.inner.node.end(cx);
    }
}
