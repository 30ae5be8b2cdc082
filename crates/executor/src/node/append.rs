//! Append (children one after the other) and MergeAppend (sorted children merged).

use super::*;
use crate::expr::colops;
use crate::node::sort::Order;
use planner::plan::SortKey;
use std::cmp::Ordering;
use types::column::BATCH_ROWS;

struct Append {
    children: Vec<BoxNode>,
    at: usize,
}

/// Append: passes its children's columns on.
pub fn build(b: &BuildCx<'_>, plan: &Plan, children: &[Plan]) -> Result<BoxNode> {
    if !plan.qual.is_empty() {
        return Err(Error::internal("executor: Append with a filter"));
    }
    let children = children.iter().map(|c| super::build(b, c)).collect::<Result<_>>()?;
    Ok(Box::new(Append { children, at: 0 }))
}

impl ExecNode for Append {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.at < self.children.len() {
            if self.children[self.at].next(cx, want)? {
                return Ok(true);
            }
            self.at += 1;
            if let Some(c) = self.children.get_mut(self.at) {
                c.rescan(cx)?;
            }
        }
        Ok(false)
    }
    fn batch(&self) -> &Batch {
        self.children[self.at].batch()
    }
    fn batch_mut(&mut self) -> &mut Batch {
        self.children[self.at].batch_mut()
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.at = 0;
        match self.children.first_mut() {
            Some(c) => c.rescan(cx),
            None => Ok(()),
        }
    }
    fn end(&mut self, cx: &Exec) {
        self.children.iter_mut().for_each(|c| c.end(cx));
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.children.iter_mut().for_each(|c| c.set_bound(n));
    }
}

/// MergeAppend, and the merging part of Gather Merge.
pub struct MergeAppend {
    children: Vec<BoxNode>,
    /// Next live row of each child's batch; `None` when it is exhausted.
    pos: Vec<Option<usize>>,
    order: Order,
    out: Batch,
    opened: bool,
}

impl MergeAppend {
    /// Merges these, which are open, into batches like `out`.
    pub fn over(children: Vec<BoxNode>, order: Order, out: Batch) -> MergeAppend {
        MergeAppend { pos: vec![None; children.len()], children, order, out, opened: false }
    }
}

/// MergeAppend.
pub fn build_merge(b: &BuildCx<'_>, children: &[Plan], keys: &[SortKey]) -> Result<BoxNode> {
    let out = match children.first() {
        Some(c) => output_batch(b.env, c)?,
        None => Batch::default(),
    };
    let nodes = children.iter().map(|c| super::build(b, c)).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(MergeAppend::over(nodes, Order::new(b.env, keys)?, out)))
}

impl ExecNode for MergeAppend {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.opened {
            self.opened = true;
            for (c, p) in self.children.iter_mut().zip(&mut self.pos) {
                *p = c.next(cx, want)?.then_some(0);
            }
        }
        self.out.clear();
        let want = want.clamp(1, BATCH_ROWS);
        while self.out.rows < want {
            let mut best: Option<usize> = None;
            for i in 0..self.children.len() {
                let Some(p) = self.pos[i] else { continue };
                let b = self.children[i].batch();
                let better = match best {
                    None => true,
                    Some(j) => {
                        let o = self.children[j].batch();
                        let q = colops::nth_live(o, self.pos[j].unwrap_or(0));
                        self.order.compare(b, colops::nth_live(b, p), o, q) == Ordering::Less
                    }
                };
                if better {
                    best = Some(i);
                }
            }
            let Some(i) = best else { break };
            let p = self.pos[i].unwrap_or(0);
            let b = self.children[i].batch();
            colops::append_row(&mut self.out, b, colops::nth_live(b, p));
            self.pos[i] = if p + 1 < b.live_count() {
                Some(p + 1)
            } else {
                self.children[i].next(cx, want)?.then_some(0)
            };
        }
        Ok(self.out.rows > 0)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.opened = false;
        self.children.iter_mut().try_for_each(|c| c.rescan(cx))
    }
    fn end(&mut self, cx: &Exec) {
        self.children.iter_mut().for_each(|c| c.end(cx));
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.children.iter_mut().for_each(|c| c.set_bound(n));
    }
}
