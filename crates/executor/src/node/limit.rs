//! LIMIT and OFFSET, WITH TIES included. The bound goes down to a Sort below as a top-N, and row by row as `want`.

use super::*;
use crate::expr::compile_one;
use crate::expr::{NoScope, Program, colops};
use crate::node::group::KeyEq;
use common::err;
use planner::plan::GroupKey;

struct Limit {
    child: BoxNode,
    offset: Option<Program>,
    count: Option<Program>,
    ties: Option<Ties>,
    skip: u64,
    /// Rows still to give; `None` = all.
    left: Option<u64>,
    started: bool,
}

struct Ties {
    eq: KeyEq,
    /// The last row counted.
    last: Batch,
    running: bool,
}

/// Limit.
pub fn build(
    b: &BuildCx<'_>,
    _plan: &Plan,
    child: &Plan,
    offset: Option<&Expr>,
    count: Option<&Expr>,
    with_ties: bool,
    tie_keys: &[GroupKey],
) -> Result<BoxNode> {
    let one = |e: Option<&Expr>| e.map(|e| compile_one(b.env, e, &NoScope)).transpose();
    let ties = if with_ties {
        let last = output_batch(b.env, child)?;
        Some(Ties { eq: KeyEq::new(b.env, tie_keys)?, last, running: false })
    } else {
        None
    };
    Ok(Box::new(Limit {
        child: super::build(b, child)?,
        offset: one(offset)?,
        count: one(count)?,
        ties,
        skip: 0,
        left: None,
        started: false,
    }))
}

impl Limit {
    fn compute(&mut self, cx: &Exec) -> Result<()> {
        self.skip = match &mut self.offset {
            Some(p) => match p.value_once(cx, 0)?.as_ref() {
                types::DatumRef::I64(n) if n < 0 => {
                    return Err(err!(
                        INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
                        "OFFSET must not be negative"
                    ));
                }
                types::DatumRef::I64(n) => n as u64,
                _ => 0,
            },
            None => 0,
        };
        self.left = match &mut self.count {
            Some(p) => match p.value_once(cx, 0)?.as_ref() {
                types::DatumRef::I64(n) if n < 0 => {
                    return Err(err!(INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT must not be negative"));
                }
                types::DatumRef::I64(n) => Some(n as u64),
                _ => None,
            },
            None => None,
        };
        let bound = if self.ties.is_some() { None } else { self.left.map(|n| n.saturating_add(self.skip)) };
        self.child.set_bound(bound);
        Ok(())
    }
}

impl ExecNode for Limit {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.started {
            self.started = true;
            self.compute(cx)?;
            self.child.rescan(cx)?;
        }
        loop {
            if self.left == Some(0) && !self.ties.as_ref().is_some_and(|t| t.running) {
                return Ok(false);
            }
            let mut w = want;
            if let Some(l) = self.left {
                w = w.min(usize::try_from(l).unwrap_or(usize::MAX)).max(1);
            }
            w = w.saturating_add(usize::try_from(self.skip).unwrap_or(usize::MAX));
            if !self.child.next(cx, w)? {
                self.left = Some(0);
                if let Some(t) = &mut self.ties {
                    t.running = false;
                }
                return Ok(false);
            }
            let b = self.child.batch_mut();
            let n = b.live_count() as u64;
            if self.skip >= n {
                self.skip -= n;
                continue;
            }
            let from = self.skip;
            self.skip = 0;
            let mut to = self.left.map_or(n, |l| n.min(from.saturating_add(l)));
            if let Some(l) = &mut self.left {
                *l -= to - from;
                if let (0, Some(t)) = (*l, &mut self.ties) {
                    // Rows equal to the last one counted belong to the result.
                    if to > from {
                        t.last.clear();
                        colops::append_row(&mut t.last, b, colops::nth_live(b, to as usize - 1));
                    }
                    t.running = true;
                    while to < n && t.eq.equal(cx, b, colops::nth_live(b, to as usize), &t.last, 0)? {
                        to += 1;
                    }
                    t.running = to == n;
                }
            }
            if to > from {
                colops::slice_live(b, from as usize, to as usize);
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        self.child.batch()
    }
    fn batch_mut(&mut self) -> &mut Batch {
        self.child.batch_mut()
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        // The child is rescanned once the bound is known.
        self.started = false;
        if let Some(t) = &mut self.ties {
            t.running = false;
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.child.end(cx);
    }
    fn set_bound(&mut self, _n: Option<u64>) {}
}
