//! NestLoop: for every outer row, parameters are set and the inner side is scanned again. Pairs of several outer rows are
//! gathered into one batch before conditions and target list are evaluated; the outer order is kept.

use super::join_common::{Pairs, Side};
use super::*;
use crate::expr::colops;
use analyze::query::JoinType;
use planner::plan::{JoinCommon, NestLoopParam};
use types::column::BATCH_ROWS;

struct NestLoop {
    outer: BoxNode,
    inner: BoxNode,
    pairs: Pairs,
    /// (exec parameter, outer column).
    params: Vec<(u32, u16)>,
    unique: bool,
    /// Position in the outer batch; `None`: fetch one.
    pos: Option<usize>,
    /// The inner scan of the present outer row is open.
    open: bool,
    matched: bool,
    done: bool,
    /// Outer row of each pair in the batch.
    pair_rows: Vec<u16>,
    node_id: u32,
}

/// NestLoop.
pub fn build(b: &BuildCx<'_>, plan: &Plan, join: &JoinCommon, params: &[NestLoopParam]) -> Result<BoxNode> {
    let params = params
        .iter()
        .map(|p| match &p.var {
            Expr::Var(v) if v.varno == VarNo::Outer && v.attno > 0 => Ok((p.paramno, v.attno as u16 - 1)),
            _ => Err(Error::internal("executor: nested-loop parameter is not an outer column")),
        })
        .collect::<Result<Vec<(u32, u16)>>>()?;
    if matches!(join.kind, JoinType::Right | JoinType::Full) {
        return Err(Error::internal("executor: nested loop cannot do this join type"));
    }
    if let Some(n) = super::index_join::build(b, plan, join, &params)? {
        return Ok(n);
    }
    Ok(Box::new(NestLoop {
        outer: super::build(b, &join.outer)?,
        inner: super::build(b, &join.inner)?,
        pairs: Pairs::compile(b, plan, join, &[])?,
        params,
        unique: join.inner_unique,
        pos: None,
        open: false,
        matched: false,
        done: false,
        pair_rows: Vec::new(),
        node_id: plan.node_id,
    }))
}

impl NestLoop {
    /// One outer row at a time until its fate is known (all kinds but plain inner joins).
    fn next_single(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        loop {
            if !self.advance(cx, want)? {
                return Ok(false);
            }
            let kind = self.pairs.kind;
            let stop_early = self.unique || matches!(kind, JoinType::Semi | JoinType::Anti);
            let ask = if stop_early && self.pairs.joinqual.is_none() { 1 } else { usize::MAX };
            let row = self.outer_row();
            if !(stop_early && self.matched) && self.inner.next(cx, ask)? {
                let keep = self.test_pairs(cx, row)?;
                if keep > 0 {
                    self.matched = true;
                    if stop_early {
                        colops::slice_live(&mut self.pairs.batch, 0, 1);
                    }
                    match kind {
                        JoinType::Anti => self.finish_row(),
                        JoinType::Semi => {
                            self.finish_row();
                            self.pairs.batch.clear();
                            self.pairs.outer_only(self.outer.batch(), &[row]);
                            if self.pairs.finish(cx)? {
                                return Ok(true);
                            }
                        }
                        _ => {
                            if self.pairs.finish(cx)? {
                                return Ok(true);
                            }
                        }
                    }
                }
                continue;
            }
            let owed = !self.matched && matches!(kind, JoinType::Left | JoinType::Anti);
            self.finish_row();
            if owed {
                self.pairs.batch.clear();
                self.pairs.outer_only(self.outer.batch(), &[row]);
                if self.pairs.finish(cx)? {
                    return Ok(true);
                }
            }
        }
    }

    /// Puts the pairs of the outer row with the inner batch into the pair batch; returns how many satisfy the join.
    fn test_pairs(&mut self, cx: &Exec, row: u16) -> Result<usize> {
        self.pairs.batch.clear();
        self.add_pairs(row);
        let n = self.pairs.batch.rows;
        let left = qual::apply(&mut self.pairs.joinqual, cx, &mut self.pairs.batch)?;
        if left < n {
            cx.instr(self.node_id, |i| i.removed_join += (n - left) as f64);
        }
        Ok(left)
    }

    fn add_pairs(&mut self, row: u16) {
        let (outer, inner) = (self.outer.batch(), self.inner.batch());
        let n = inner.live_count();
        let p = &mut self.pairs;
        let (o, i) = p.batch.cols.split_at_mut(p.scope.outer.len());
        for (d, c) in o.iter_mut().zip(&p.scope.outer) {
            colops::fill_more(d, outer.cols[*c as usize].get(row as usize), n);
        }
        for (d, c) in i.iter_mut().zip(&p.scope.inner) {
            colops::append_rows(d, &inner.cols[*c as usize], inner.live());
        }
        p.batch.rows += n;
    }

    fn outer_row(&self) -> u16 {
        colops::nth_live(self.outer.batch(), self.pos.unwrap_or(0)) as u16
    }

    fn finish_row(&mut self) {
        self.open = false;
        let next = self.pos.map_or(0, |p| p + 1);
        self.pos = (next < self.outer.batch().live_count()).then_some(next);
    }

    /// Makes sure that an outer row is present and its inner scan open; false at the end.
    fn advance(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.pos.is_none() {
            if self.done || !self.outer.next(cx, want)? {
                self.done = true;
                return Ok(false);
            }
            cx.check_interrupts()?;
            self.pos = Some(0);
            self.open = false;
        }
        if !self.open {
            let row = self.outer_row() as usize;
            for (p, c) in &self.params {
                cx.set_param(*p, self.outer.batch().cols[*c as usize].get(row));
            }
            self.inner.rescan(cx)?;
            self.open = true;
            self.matched = false;
        }
        Ok(true)
    }

    /// Inner joins: pairs of many outer rows in one batch.
    fn next_inner(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        let full = want.clamp(1, BATCH_ROWS);
        loop {
            self.pairs.batch.clear();
            self.pair_rows.clear();
            let mut end = false;
            while self.pairs.batch.rows < full {
                if !self.advance(cx, want)? {
                    end = true;
                    break;
                }
                let row = self.outer_row();
                if self.inner.next(cx, want)? {
                    let n = self.inner.batch().live_count();
                    self.add_pairs(row);
                    if self.pairs.batch.rows + n > 4 * BATCH_ROWS {
                        break;
                    }
                } else {
                    self.finish_row();
                }
            }
            if self.pairs.batch.rows > 0 {
                let n = self.pairs.batch.rows;
                let left = qual::apply(&mut self.pairs.joinqual, cx, &mut self.pairs.batch)?;
                if left < n {
                    cx.instr(self.node_id, |i| i.removed_join += (n - left) as f64);
                }
                if left > 0 && self.pairs.finish(cx)? {
                    return Ok(true);
                }
            }
            if end {
                return Ok(false);
            }
        }
    }
}

impl ExecNode for NestLoop {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.pairs.kind == JoinType::Inner {
            self.next_inner(cx, want)
        } else {
            self.next_single(cx, want)
        }
    }
    fn batch(&self) -> &Batch {
        &self.pairs.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.pairs.tail.proj.out
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        match self.pairs.plain_column(col) {
            Some(Side::Outer(c)) => self.outer.push_filter(c, from, f),
            _ => false,
        }
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.pos = None;
        self.open = false;
        self.done = false;
        self.outer.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        self.pairs.tail.report(cx);
        self.outer.end(cx);
        self.inner.end(cx);
    }
}
