//! Append (children one after the other) and MergeAppend (sorted children merged).

use super::*;
use crate::expr::colops;
use crate::node::sort::Order;
use crate::parallel::{Joint, Place};
use planner::plan::SortKey;
use std::cmp::Ordering;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use types::column::BATCH_ROWS;

struct Append {
    children: Vec<BoxNode>,
    at: usize,
    share: Option<Share>,
}

/// A shared Append: which of the children are still to be run, and whether several processes can run one together.
struct Share {
    joint: Rc<Joint>,
    taken: Place<AtomicU32>,
    partial: Vec<bool>,
    /// Where this process looked last; none before the first.
    last: Option<usize>,
}

impl Share {
    fn of(b: &BuildCx<'_>, plan: &Plan, children: &[Plan]) -> Option<Share> {
        let joint = b.parallel.filter(|_| plan.parallel_aware)?;
        Some(Share {
            joint: joint.clone(),
            taken: joint.reserve(children.len()),
            partial: children.iter().map(shares_work).collect(),
            last: None,
        })
    }
    /// The next child for this process, when it is through with `done`. `None`: alone.
    fn next(&mut self, done: Option<usize>) -> Option<usize> {
        let n = self.partial.len();
        let (partial, last) = (&self.partial, &mut self.last);
        self.joint.with(self.taken, n, |taken| {
            // What several share is over for all when one finds nothing more in it.
            if let Some(d) = done {
                taken[d].store(1, Release);
            }
            let whole = (0..n).filter(|i| !partial[*i]);
            // Those that are one process's first; the shared ones in turn, each process from another one.
            for i in whole {
                if taken[i].compare_exchange(0, 1, AcqRel, Relaxed).is_ok() {
                    return i;
                }
            }
            let from = last.map_or(std::process::id() as usize, |l| l + 1);
            let shared = (0..n).map(|k| (from + k) % n).find(|i| partial[*i] && taken[*i].load(Acquire) == 0);
            *last = shared.or(*last);
            shared.unwrap_or(n)
        })
    }
}

/// Does each process that runs this plan do only a part of it?
fn shares_work(p: &Plan) -> bool {
    p.parallel_aware || p.children().into_iter().any(shares_work)
}

/// Append: passes its children's columns on.
pub fn build(b: &BuildCx<'_>, plan: &Plan, children: &[Plan]) -> Result<BoxNode> {
    if !plan.qual.is_empty() {
        return Err(Error::internal("executor: Append with a filter"));
    }
    let share = Share::of(b, plan, children);
    let children = children.iter().map(|c| super::build(b, c)).collect::<Result<_>>()?;
    Ok(Box::new(Append { children, at: 0, share }))
}

impl Append {
    /// Goes on to the next child, and opens it.
    fn advance(&mut self, cx: &Exec, done: Option<usize>) -> Result<()> {
        let shared = self.share.as_mut().and_then(|s| s.next(done));
        self.at = shared.unwrap_or(done.map_or(0, |d| d + 1));
        match self.children.get_mut(self.at) {
            Some(c) => c.rescan(cx),
            None => Ok(()),
        }
    }
}

impl ExecNode for Append {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.at < self.children.len() {
            if self.children[self.at].next(cx, want)? {
                return Ok(true);
            }
            self.advance(cx, Some(self.at))?;
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
        if let Some(s) = &mut self.share {
            s.last = None;
        }
        self.advance(cx, None)
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
