//! Gather and Gather Merge: the border between a backend and its parallel workers. The leader takes part in the work
//! when there is nothing to take from its workers, or does all of it when it got none.

use super::append::MergeAppend;
use super::*;
use crate::expr::colops;
use crate::node::sort::Order;
use crate::parallel::Joint;
use crate::parallel::team::{Got, Team};
use crate::run_filter::RunFilter;
use planner::plan::SortKey;
use std::cell::RefCell;

/// Workers, and the leader's own copy of the tree.
struct Crew {
    joint: Rc<Joint>,
    child: BoxNode,
    team: Option<Team>,
    workers: usize,
    single_copy: bool,
    /// Parameters that workers find computed.
    params: Vec<u32>,
    /// The leader's copy has rows left.
    own: bool,
    node_id: u32,
}

impl Crew {
    fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, workers: u32, single_copy: bool) -> Result<Crew> {
        let joint = Joint::new(workers);
        let inner = BuildCx { parallel: Some(&joint), ..*b };
        Ok(Crew {
            child: super::build(&inner, child)?,
            joint,
            team: None,
            workers: workers as usize,
            single_copy,
            params: child.ext_params.clone(),
            own: false,
            node_id: plan.node_id,
        })
    }
    /// Forks, and begins the leader's own part.
    fn start(&mut self, cx: &Exec) -> Result<()> {
        self.team = Team::launch(cx, &self.joint, self.workers, &self.params, &mut *self.child)?;
        let alone = self.team.is_none();
        self.own = alone || (!self.single_copy && cx.env.limits.get().leader_works);
        if self.own {
            self.child.rescan(cx)?;
        }
        Ok(())
    }
    /// The leader's next rows.
    fn own_next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.own {
            return Ok(false);
        }
        let _mode = match (&self.team, cx.engine()) {
            (Some(_), Ok(e)) => Some(e.enter_parallel_mode()),
            _ => None,
        };
        self.own = self.child.next(cx, want)?;
        Ok(self.own)
    }
    /// Workers that were all refused have done nothing: the leader does it.
    fn take_over(&mut self, cx: &Exec) -> Result<bool> {
        let refused = self.team.as_ref().is_some_and(|t| t.launched() == 0);
        let works = !self.single_copy && cx.env.limits.get().leader_works;
        if !refused || works {
            return Ok(false);
        }
        self.stop(cx);
        self.own = true;
        self.child.rescan(cx)?;
        Ok(true)
    }
    /// An error of the leader that says no more than that a worker has failed: that worker's.
    fn cause(&mut self, cx: &Exec, e: Error) -> Error {
        let lost = e.sqlstate() == common::SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
        let why = if lost { self.team.as_mut().and_then(|t| t.failure(cx)) } else { None };
        why.unwrap_or(e)
    }
    fn stop(&mut self, cx: &Exec) {
        if let Some(mut t) = self.team.take() {
            t.finish(cx);
            let n = t.launched();
            cx.instr(self.node_id, |i| i.workers_launched = Some(n));
        }
    }
    fn end(&mut self, cx: &Exec) {
        self.stop(cx);
        cx.instr(self.node_id, |i| {
            i.workers_launched.get_or_insert(0);
        });
        self.own = false;
        self.child.end(cx);
    }
}

/// Gather.
struct Gather {
    crew: Crew,
    started: bool,
    input: Batch,
    tail: Tail,
}

/// Makes a Gather.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, workers: u32, single_copy: bool) -> Result<BoxNode> {
    Ok(Box::new(Gather {
        crew: Crew::build(b, plan, child, workers, single_copy)?,
        started: false,
        input: output_batch(b.env, child)?,
        tail: Tail::compile(b, plan, &OuterScope, child.targetlist.len())?,
    }))
}

impl Gather {
    fn next_rows(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.started {
            self.started = true;
            self.crew.start(cx)?;
        }
        loop {
            cx.check_interrupts()?;
            let mut got = Got::Done;
            if let Some(t) = &mut self.crew.team {
                self.input.clear();
                got = t.poll(cx, &mut self.input)?;
            }
            if got == Got::Rows {
                if self.tail.finish_own(cx, &mut self.input)? {
                    return Ok(true);
                }
                continue;
            }
            if self.crew.own {
                if self.crew.own_next(cx, want)? && self.tail.finish_child(cx, &mut *self.crew.child)? {
                    return Ok(true);
                }
                continue;
            }
            match (got, &mut self.crew.team) {
                (Got::Nothing, Some(t)) => t.wait()?,
                _ => {
                    if !self.crew.take_over(cx)? {
                        self.crew.stop(cx);
                        return Ok(false);
                    }
                }
            }
        }
    }
}

impl ExecNode for Gather {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.next_rows(cx, want).map_err(|e| self.crew.cause(cx, e))
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.crew.stop(cx);
        self.started = false;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.crew.end(cx);
        self.started = false;
        self.tail.report(cx);
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.crew.child.set_bound(n);
    }
    /// Workers, which begin after it, inherit it.
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.tail.plain_column(col).is_some_and(|c| self.crew.child.push_filter(c, from, f))
    }
}

/// Rows of one process, for the merge.
enum Source {
    Leader(Rc<RefCell<Crew>>, Batch),
    Worker(Rc<RefCell<Crew>>, usize, Batch),
}

impl ExecNode for Source {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        match self {
            Source::Leader(crew, out) => {
                let mut crew = crew.borrow_mut();
                let more = crew.own_next(cx, want)?;
                if more {
                    colops::copy_batch(out, crew.child.batch());
                }
                Ok(more)
            }
            Source::Worker(crew, i, out) => match &mut crew.borrow_mut().team {
                Some(t) => {
                    out.clear();
                    t.next_of(cx, *i, out)
                }
                None => Ok(false),
            },
        }
    }
    fn batch(&self) -> &Batch {
        match self {
            Source::Leader(_, b) | Source::Worker(_, _, b) => b,
        }
    }
    fn batch_mut(&mut self) -> &mut Batch {
        match self {
            Source::Leader(_, b) | Source::Worker(_, _, b) => b,
        }
    }
    fn rescan(&mut self, _: &Exec) -> Result<()> {
        Ok(())
    }
    fn end(&mut self, _: &Exec) {}
}

/// Gather Merge.
struct GatherMerge {
    crew: Rc<RefCell<Crew>>,
    merge: Option<MergeAppend>,
    order: Order,
    shape: Batch,
    tail: Tail,
}

/// Makes a Gather Merge.
pub fn build_merge(
    b: &BuildCx<'_>,
    plan: &Plan,
    child: &Plan,
    workers: u32,
    keys: &[SortKey],
    single_copy: bool,
) -> Result<BoxNode> {
    Ok(Box::new(GatherMerge {
        crew: Rc::new(RefCell::new(Crew::build(b, plan, child, workers, single_copy)?)),
        merge: None,
        order: Order::new(b.env, keys)?,
        shape: output_batch(b.env, child)?,
        tail: Tail::compile(b, plan, &OuterScope, child.targetlist.len())?,
    }))
}

impl GatherMerge {
    fn sources(&self) -> MergeAppend {
        let (n, own) = {
            let crew = self.crew.borrow();
            (crew.team.as_ref().map_or(0, Team::len), crew.own)
        };
        let shape = || colops::like(&self.shape);
        let mut all: Vec<BoxNode> = Vec::new();
        // The merge asks for the first rows of all, in this order: nobody waits for a worker who could work himself.
        if own {
            all.push(Box::new(Source::Leader(self.crew.clone(), shape())));
        }
        for i in 0..n {
            all.push(Box::new(Source::Worker(self.crew.clone(), i, shape())));
        }
        MergeAppend::over(all, self.order.clone(), shape())
    }

    fn next_rows(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.merge.is_none() {
            self.crew.borrow_mut().start(cx)?;
            self.merge = Some(self.sources());
        }
        loop {
            cx.check_interrupts()?;
            let Some(m) = &mut self.merge else { return Ok(false) };
            if m.next(cx, want)? {
                if self.tail.finish_child(cx, m)? {
                    return Ok(true);
                }
            } else if self.crew.borrow_mut().take_over(cx)? {
                self.merge = Some(self.sources());
            } else {
                self.crew.borrow_mut().stop(cx);
                return Ok(false);
            }
        }
    }
}

impl ExecNode for GatherMerge {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.next_rows(cx, want).map_err(|e| self.crew.borrow_mut().cause(cx, e))
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.merge = None;
        self.crew.borrow_mut().stop(cx);
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.merge = None;
        self.crew.borrow_mut().end(cx);
        self.tail.report(cx);
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.crew.borrow_mut().child.set_bound(n);
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.tail.plain_column(col).is_some_and(|c| self.crew.borrow_mut().child.push_filter(c, from, f))
    }
}
