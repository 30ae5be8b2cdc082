//! CteScan (all references read one store that the CTE's plan fills on demand), RecursiveUnion and WorkTableScan.

use super::*;
use crate::expr::colops;
use crate::node::group_table::GroupTable;
use crate::store::RowStore;
use planner::plan::GroupKey;

/// Rows of a CTE read so far.
#[derive(Default)]
pub struct CteStore {
    rows: RowStore,
    opened: bool,
    full: bool,
    stamp: u64,
}

impl CteStore {
    /// Forgets everything.
    pub fn reset(&mut self) {
        if self.opened {
            *self = CteStore::default();
        }
    }
    /// Reads the CTE to its end (data-changing CTEs run whether they are read or not).
    pub fn complete(&mut self, cx: &Exec, plan_id: u32) -> Result<()> {
        while self.more(cx, plan_id)? {}
        Ok(())
    }
    /// Fetches another batch; false at the end.
    fn more(&mut self, cx: &Exec, plan_id: u32) -> Result<bool> {
        if self.full {
            return Ok(false);
        }
        cx.with_subplan(plan_id, |node| {
            if !self.opened {
                self.opened = true;
                self.stamp = cx.plan_stamp(plan_id);
                node.rescan(cx)?;
            }
            if node.next(cx, usize::MAX)? {
                self.rows.append(&cx.env, node.batch())?;
                self.rows.flush(&cx.env)?;
                return Ok(true);
            }
            self.full = true;
            Ok(false)
        })
    }
}

struct CteScan {
    plan_id: u32,
    at: usize,
    input: Batch,
    tail: Tail,
}

/// CteScan.
pub fn build_scan(b: &BuildCx<'_>, plan: &Plan, plan_id: u32) -> Result<BoxNode> {
    let sub = b
        .stmt
        .subplans
        .get(plan_id as usize - 1)
        .ok_or_else(|| Error::internal("executor: CTE plan not found"))?;
    let input = output_batch(b.env, sub)?;
    let width = input.cols.len();
    Ok(Box::new(CteScan { plan_id, at: 0, input, tail: Tail::compile(b, plan, &RelScope, width)? }))
}

impl ExecNode for CteScan {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        loop {
            {
                let mut store = cx.ctes[self.plan_id as usize - 1].borrow_mut();
                if self.at >= store.rows.chunks() && !store.more(cx, self.plan_id)? {
                    return Ok(false);
                }
                store.rows.chunk(self.at, &mut self.input)?;
            }
            self.at += 1;
            if self.tail.finish_own(cx, &mut self.input)? {
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.at = 0;
        let mut store = cx.ctes[self.plan_id as usize - 1].borrow_mut();
        // A CTE that depends on outer parameters is computed again when they change.
        if store.opened && store.stamp != cx.plan_stamp(self.plan_id) {
            store.reset();
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
    }
}

struct WorkTable {
    param: u32,
    at: usize,
    input: Batch,
    tail: Tail,
}

/// WorkTableScan: the rows of the last round of the enclosing RecursiveUnion.
pub fn build_worktable(b: &BuildCx<'_>, plan: &Plan, wt_param: u32) -> Result<BoxNode> {
    Ok(Box::new(WorkTable {
        param: wt_param,
        at: 0,
        input: Batch::default(),
        tail: Tail::compile(b, plan, &RelScope, usize::MAX)?,
    }))
}

impl ExecNode for WorkTable {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        loop {
            let store = {
                let tables = cx.worktables.borrow();
                match tables.iter().rev().find(|t| t.0 == self.param) {
                    Some(t) => t.1.clone(),
                    None => return Err(Error::internal("executor: no work table")),
                }
            };
            if self.at >= store.chunks() {
                return Ok(false);
            }
            store.chunk(self.at, &mut self.input)?;
            self.at += 1;
            if self.tail.finish_own(cx, &mut self.input)? {
                return Ok(true);
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
        self.at = 0;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
    }
}

#[derive(PartialEq)]
enum Phase {
    Start,
    NonRec,
    Rec,
    Done,
}

struct RecursiveUnion {
    nonrec: BoxNode,
    rec: BoxNode,
    param: u32,
    /// UNION: rows seen.
    seen: Option<GroupTable>,
    /// Rows of the present round, input of the next.
    next_round: RowStore,
    phase: Phase,
    out: Batch,
    groups: Vec<u32>,
    fresh: Vec<u16>,
}

/// RecursiveUnion.
pub fn build_recursive(
    b: &BuildCx<'_>,
    wt_param: u32,
    keys: &[GroupKey],
    all: bool,
    nonrec: &Plan,
    rec: &Plan,
) -> Result<BoxNode> {
    let phys = output_phys(b.env, nonrec)?;
    let seen = if all { None } else { Some(GroupTable::new(b.env, keys, &phys)?) };
    Ok(Box::new(RecursiveUnion {
        nonrec: super::build(b, nonrec)?,
        rec: super::build(b, rec)?,
        param: wt_param,
        seen,
        next_round: RowStore::default(),
        phase: Phase::Start,
        out: crate::store::batch_of(&phys),
        groups: Vec::new(),
        fresh: Vec::new(),
    }))
}

impl RecursiveUnion {
    /// Takes a batch of either side: duplicates go, the rest is result and next work table.
    fn take(&mut self, cx: &Exec, rec: bool) -> Result<bool> {
        let b = if rec { self.rec.batch() } else { self.nonrec.batch() };
        colops::copy_batch(&mut self.out, b);
        if let Some(seen) = &mut self.seen {
            seen.find(cx, &self.out, false, &mut self.groups, &mut self.fresh)?;
            if self.fresh.is_empty() {
                return Ok(false);
            }
            self.out.sel = Some(self.fresh.clone());
        }
        self.next_round.append(&cx.env, &self.out)?;
        Ok(true)
    }
    /// Makes the rows of the last round the work table; false if there are none.
    fn turn(&mut self, cx: &Exec) -> Result<bool> {
        self.next_round.flush(&cx.env)?;
        let store = std::mem::take(&mut self.next_round);
        if store.rows() == 0 {
            return Ok(false);
        }
        self.drop_table(cx);
        cx.worktables.borrow_mut().push((self.param, Rc::new(store)));
        // What nodes below kept of the last round (hash tables, sorted rows) is out of date.
        cx.touch_param(self.param);
        self.rec.rescan(cx)?;
        Ok(true)
    }
    fn drop_table(&self, cx: &Exec) {
        cx.worktables.borrow_mut().retain(|t| t.0 != self.param);
    }
}

impl ExecNode for RecursiveUnion {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        loop {
            match self.phase {
                Phase::Start => {
                    if let Some(s) = &mut self.seen {
                        s.clear();
                    }
                    self.next_round.clear();
                    self.nonrec.rescan(cx)?;
                    self.phase = Phase::NonRec;
                }
                Phase::NonRec => {
                    if self.nonrec.next(cx, want)? {
                        if self.take(cx, false)? {
                            return Ok(true);
                        }
                    } else {
                        self.phase = if self.turn(cx)? { Phase::Rec } else { Phase::Done };
                    }
                }
                Phase::Rec => {
                    cx.check_interrupts()?;
                    if self.rec.next(cx, want)? {
                        if self.take(cx, true)? {
                            return Ok(true);
                        }
                    } else if !self.turn(cx)? {
                        self.phase = Phase::Done;
                    }
                }
                Phase::Done => {
                    self.drop_table(cx);
                    return Ok(false);
                }
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.phase = Phase::Start;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.drop_table(cx);
        self.next_round.clear();
        self.nonrec.end(cx);
        self.rec.end(cx);
    }
}
