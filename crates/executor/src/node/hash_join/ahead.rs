//! A small outer side is read before the table is built: then the scans of the inner side are told which keys are asked
//! for, and the table holds little more than those. The reverse of what the table does for the outer side.

use super::*;
use std::collections::VecDeque;

/// More outer rows are not read ahead.
const ROWS_MAX: usize = 4096;
/// The inner side is so many times larger at least, and has so many rows, by the plan's numbers.
const RATIO: f64 = 8.0;
const INNER_MIN: f64 = 4096.0;

/// Outer rows read ahead.
#[derive(Default)]
pub(super) struct Ahead {
    /// The plan's numbers say that it may be of use.
    useful: bool,
    open: bool,
    ended: bool,
    batches: VecDeque<Batch>,
    /// The parameters of the last time. If they come again the table may be of use again, and is to be whole.
    stamp: Option<u64>,
    told: bool,
}

impl Ahead {
    /// For a join.
    pub fn plan(plan: &Plan, join: &JoinCommon) -> Ahead {
        let (outer, inner) = (join.outer.rows, join.inner.rows);
        // Who has no partner on the inner side is of interest to all kinds of join but these.
        let kind = !matches!(join.kind, JoinType::Right | JoinType::Full);
        let few = outer * 2.0 <= ROWS_MAX as f64;
        let useful = kind && !plan.parallel_aware && few && inner >= INNER_MIN.max(outer * RATIO);
        Ahead { useful, ..Ahead::default() }
    }
    /// Has the outer side been begun?
    pub fn is_open(&self) -> bool {
        self.open
    }
    /// Have all its rows been read?
    pub fn has_ended(&self) -> bool {
        self.ended
    }
    /// Is it known that there is no outer row?
    pub fn is_empty(&self) -> bool {
        self.ended && self.batches.is_empty()
    }
    /// Does the inner side leave out what nobody asks for?
    pub fn told(&self) -> bool {
        self.told
    }
    /// Forgets the rows.
    pub fn close(&mut self) {
        self.open = false;
        self.ended = false;
        self.batches.clear();
    }
}

impl HashJoin {
    /// Reads the outer side, if it may be small, and tells the inner side of its keys. True if the outer side was begun.
    pub(super) fn read_ahead(&mut self, cx: &Exec, stamp: u64) -> Result<bool> {
        let again = self.ahead.stamp.replace(stamp) == Some(stamp);
        if !self.ahead.useful || again {
            self.tell_inner(None);
            return Ok(false);
        }
        self.outer.rescan(cx)?;
        self.ahead.close();
        self.ahead.open = true;
        let mut rows = 0;
        while rows < ROWS_MAX {
            if !self.outer.next(cx, usize::MAX)? {
                self.ahead.ended = true;
                break;
            }
            let from = self.outer.batch();
            let mut b = colops::like(from);
            colops::append_batch(&mut b, from);
            rows += b.rows;
            self.ahead.batches.push_back(b);
        }
        let asked = if self.ahead.ended { Some(std::mem::take(&mut self.ahead.batches)) } else { None };
        self.tell_inner(asked.as_ref());
        if let Some(b) = asked {
            self.ahead.batches = b;
        }
        Ok(true)
    }
    /// Gives the inner side the keys of these rows, or takes back what it was given.
    fn tell_inner(&mut self, rows: Option<&VecDeque<Batch>>) {
        if rows.is_none() && !std::mem::take(&mut self.ahead.told) {
            return;
        }
        for k in 0..self.fns.len() {
            let (Some(o), Some(i), true) =
                (self.outer_keys.column(k), self.inner_keys.column(k), self.fns[k].native)
            else {
                continue;
            };
            let f = rows.and_then(|rows| {
                let mut keys = Column::new(self.outer_keys.phys[k]);
                rows.iter().for_each(|b| colops::append_rows(&mut keys, &b.cols[o], b.live()));
                RunFilter::of(&keys).map(Rc::new)
            });
            self.ahead.told |= self.inner.push_filter(i, self.node_id, f.as_ref()) && f.is_some();
        }
        // What is in the table is not all there is.
        self.built = false;
    }
    /// Makes the next outer rows read ahead the present ones; false: there are none.
    pub(super) fn next_ahead(&mut self) -> bool {
        match self.ahead.batches.pop_front() {
            Some(b) => {
                self.obatch = b;
                true
            }
            None => false,
        }
    }
}
