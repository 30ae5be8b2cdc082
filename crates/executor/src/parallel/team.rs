//! The leader's side: forking workers, taking what they say, and seeing them off. A [`Team`] that is dropped unfinished
//! (an error, a cancel) ends its workers and waits for them, so that nobody reads with this transaction's locks after it.

use super::message::{self, kind};
use super::{Joint, RING, stage, worker};
use crate::node::ExecNode;
use crate::run::Exec;
use common::{Error, Result, err};
use ipc::fork::{Fork, exists};
use ipc::queue::{Received, Receiver};
use ipc::{BackendKind, ProcTable, Region, WaitEvent, signals};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, SeqCst};
use std::time::Duration;
use transam::{Engine, IsolationLevel};
use types::Batch;

/// How long the leader sleeps at most before it looks whether its workers live.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// One worker.
struct Member {
    pid: i32,
    number: u32,
    queue: Receiver,
    message: Vec<u8>,
    /// Nothing more will come.
    done: bool,
    refused: bool,
}

/// What there was to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Rows,
    Nothing,
    /// All workers are done.
    Done,
}

/// The workers of one parallel run.
pub struct Team {
    engine: Rc<Engine>,
    joint: Rc<Joint>,
    region: Rc<Region>,
    members: Vec<Member>,
    /// Whose turn it is.
    at: usize,
    /// Time to look whether they live.
    suspicious: bool,
}

/// How many workers may be started at this moment.
fn allowed(cx: &Exec, engine: &Engine, wanted: usize) -> usize {
    let proc = engine.proc();
    let leads = matches!(proc.kind(), BackendKind::Client | BackendKind::BackgroundWorker);
    // Reads of a serializable transaction are noted under the slot of the process.
    let serializable = engine.isolation() == IsolationLevel::Serializable;
    // What runs inside a part of a parallel plan has no workers of its own.
    if !leads || serializable || engine.in_parallel_mode() || cx.no_workers.get() {
        return 0;
    }
    wanted.min(room(&cx.env.limits.get(), engine.procs(), 0))
}

/// Workers that the settings leave room for; `own` of those there are do not count.
pub(super) fn room(limits: &super::Limits, procs: ProcTable, own: usize) -> usize {
    let workers = procs.parallel_workers().count().saturating_sub(own);
    let processes = procs.count_kind(BackendKind::BackgroundWorker) + workers;
    let left = limits.processes_max.saturating_sub(processes);
    limits.workers_max.saturating_sub(workers).min(left)
}

impl Team {
    /// Forks the workers that there is room for, `wanted` at most; each runs `child`. `None`: there are none.
    pub fn launch(
        cx: &Exec,
        joint: &Rc<Joint>,
        wanted: usize,
        params: &[u32],
        child: &mut dyn ExecNode,
    ) -> Result<Option<Team>> {
        let Some(engine) = cx.env.engine.clone() else { return Ok(None) };
        let n = allowed(cx, &engine, wanted.min(joint.planned()));
        if n == 0 {
            return Ok(None);
        }
        // What all of them need is computed once.
        for p in params {
            cx.with_param(*p, |_| ())?;
        }
        joint.prepare(cx)?;
        let region = joint.begin()?;
        engine.interrupts().begin_team();
        let mut team =
            Team { engine, joint: joint.clone(), region, members: Vec::new(), at: 0, suspicious: false };
        team.fork(cx, n, child);
        if team.members.is_empty() {
            return Ok(None);
        }
        Ok(Some(team))
    }
    fn fork(&mut self, cx: &Exec, n: usize, child: &mut dyn ExecNode) {
        let procs = self.engine.procs();
        let me = self.engine.proc();
        debug_assert_eq!(me.lwlocks.count(), 0);
        self.engine.begin_leading();
        let postmaster = std::os::unix::process::parent_id() as i32;
        for k in 0..n {
            let ring = self.joint.ring(k);
            let queue = Receiver::new(self.region.clone(), ring, RING, procs, me.number());
            match ipc::fork_sibling() {
                Ok(Fork::Child) => {
                    let w = worker::Worker {
                        engine: &self.engine,
                        joint: &self.joint,
                        region: &self.region,
                        number: k,
                        postmaster,
                    };
                    w.run(cx, child)
                }
                Ok(Fork::Parent { child: pid }) => self.members.push(Member {
                    pid,
                    number: k as u32,
                    queue,
                    message: Vec::new(),
                    done: false,
                    refused: false,
                }),
                // The work is done by fewer.
                Err(_) => return,
            }
        }
    }
    /// Workers that came to work.
    pub fn launched(&self) -> u32 {
        self.members.iter().filter(|m| !m.refused).count() as u32
    }
    /// Workers forked; some may turn out to be refused.
    pub fn len(&self) -> usize {
        self.members.len()
    }
    /// No workers?
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
    /// Takes rows of any worker, if there are some. Errors: those of workers, and 55000 for one that died.
    pub fn poll(&mut self, cx: &Exec, out: &mut Batch) -> Result<Got> {
        let n = self.members.len();
        let look = std::mem::take(&mut self.suspicious);
        let mut got = Got::Done;
        for k in 0..n {
            let i = (self.at + k) % n;
            match self.take(cx, i, look, out)? {
                Got::Rows => {
                    // Others have their turn too, so that none of them waits with a full queue.
                    self.at = (i + 1) % n;
                    return Ok(Got::Rows);
                }
                Got::Nothing => got = Got::Nothing,
                Got::Done => {}
            }
        }
        Ok(got)
    }
    /// Waits for rows of one worker; false: there are no more.
    pub fn next_of(&mut self, cx: &Exec, i: usize, out: &mut Batch) -> Result<bool> {
        loop {
            let look = std::mem::take(&mut self.suspicious);
            match self.take(cx, i, look, out)? {
                Got::Rows => return Ok(true),
                Got::Done => return Ok(false),
                Got::Nothing => self.wait()?,
            }
        }
    }
    /// Sleeps until a worker says something. 57014, 57P01.
    pub fn wait(&mut self) -> Result<()> {
        let ints = self.engine.interrupts();
        let _shown = ints.waiting(WaitEvent::EXECUTE_GATHER);
        ints.check()?;
        self.suspicious = !ints.latch().wait(Some(LOOK_AGAIN));
        ints.latch().reset();
        Ok(())
    }
    /// Takes what worker `i` has said, up to a batch of rows.
    fn take(&mut self, cx: &Exec, i: usize, look: bool, out: &mut Batch) -> Result<Got> {
        let m = &mut self.members[i];
        while !m.done {
            // Asked first: what it said before its end is there by then.
            let lives = !look || exists(m.pid);
            match m.queue.try_receive(&mut m.message)? {
                Received::Message => {
                    if m.heard(cx, &self.engine, out)? {
                        return Ok(Got::Rows);
                    }
                }
                Received::Empty if lives => return Ok(Got::Nothing),
                Received::Empty | Received::Detached => {
                    m.done = true;
                    m.refused = self.joint.state(&self.region, i).stage.load(Acquire) == stage::REFUSED;
                    if !m.refused {
                        return Err(err!(
                            OBJECT_NOT_IN_PREREQUISITE_STATE,
                            "lost connection to parallel worker"
                        ));
                    }
                }
            }
        }
        Ok(Got::Done)
    }
    /// Has workers stop that still run, takes their measurements, and waits until all have given back what they held.
    pub fn finish(&mut self, cx: &Exec) {
        self.ask_to_stop();
        let mut none = Batch::default();
        for i in 0..self.members.len() {
            loop {
                let look = std::mem::take(&mut self.suspicious);
                // Rows are not wanted any more, and what fails while it stops has not failed.
                match self.take(cx, i, look, &mut none) {
                    Ok(Got::Nothing) => self.pause(),
                    Ok(Got::Rows) => {}
                    Ok(Got::Done) | Err(_) => break,
                }
            }
        }
        self.wait_for_end();
    }
    fn ask_to_stop(&self) {
        if self.members.iter().all(|m| m.done) {
            return;
        }
        self.joint.stop_flag(&self.region).store(1, SeqCst);
        for m in self.members.iter().filter(|m| !m.done) {
            // One that has no slot yet looks at the flag when it has.
            if let Some(p) =
                self.engine.procs().workers_of(self.engine.proc().pid()).find(|p| p.pid() == m.pid)
            {
                p.post(signals::CANCEL);
            }
        }
    }
    /// Sleeps without looking at interrupts.
    fn pause(&mut self) {
        let ints = self.engine.interrupts();
        let _shown = ints.waiting(WaitEvent::PARALLEL_FINISH);
        self.suspicious = !ints.latch().wait(Some(LOOK_AGAIN));
        ints.latch().reset();
    }
    /// What has failed in a worker, if something has.
    pub fn failure(&mut self, cx: &Exec) -> Option<Error> {
        if self.joint.failed_flag(&self.region).load(Acquire) == 0 {
            return None;
        }
        let mut none = Batch::default();
        loop {
            match self.poll(cx, &mut none) {
                Err(e) => return Some(e),
                Ok(Got::Done) => return None,
                Ok(Got::Rows) => {}
                Ok(Got::Nothing) => self.pause(),
            }
        }
    }
    /// Has this worker given everything back?
    fn is_gone(&self, i: usize, pid: i32) -> bool {
        let s = self.joint.state(&self.region, i).stage.load(Acquire);
        s == stage::ENDED || s == stage::REFUSED || self.was_cleaned_up(pid)
    }
    /// One that was killed: a cleaner frees its slot.
    fn was_cleaned_up(&self, pid: i32) -> bool {
        !exists(pid) && self.engine.procs().by_pid(pid).is_none()
    }
    fn wait_for_end(&mut self) {
        for i in 0..self.members.len() {
            while !self.is_gone(i, self.members[i].pid) {
                self.pause();
            }
        }
    }
}

impl Member {
    /// Acts on a message; true if it brought rows.
    fn heard(&mut self, cx: &Exec, engine: &Engine, out: &mut Batch) -> Result<bool> {
        match self.message.first() {
            // A batch without columns may have rows all the same; one with other columns is not wanted.
            Some(&kind::ROWS) if out.cols.is_empty() => {
                if let Some(n) = self.message.get(1..5) {
                    out.rows = u32::from_le_bytes([n[0], n[1], n[2], n[3]]) as usize;
                }
                Ok(out.rows > 0)
            }
            Some(&kind::ROWS) => {
                message::take_rows(&self.message, out)?;
                Ok(out.rows > 0)
            }
            Some(&kind::NOTICE) => {
                cx.env.session.notice(message::take_report(&self.message)?);
                Ok(false)
            }
            Some(&kind::USAGE) => {
                let (counters, nodes) = message::take_usage(&self.message)?;
                engine.add_worker_usage(&counters);
                for (id, n) in nodes {
                    cx.instr(id as u32, |to| message::merge(to, self.number, n));
                }
                Ok(false)
            }
            Some(&kind::DONE) => {
                self.done = true;
                Ok(false)
            }
            Some(&kind::ERROR) => {
                self.done = true;
                Err(message::take_report(&self.message)?.into())
            }
            _ => Err(Error::internal("message of a parallel worker makes no sense")),
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let pids: Vec<(usize, i32)> = self.members.iter().enumerate().map(|(i, m)| (i, m.pid)).collect();
        let _hold = self.engine.interrupts().hold();
        if !pids.iter().all(|(i, p)| self.is_gone(*i, *p)) {
            let _shown = self.engine.interrupts().waiting(WaitEvent::PARALLEL_FINISH);
            self.joint.stop_flag(&self.region).store(1, SeqCst);
            // Who waits for room in its queue sees that nobody listens.
            self.members.clear();
            for (i, pid) in pids {
                signals::terminate(pid);
                while !self.is_gone(i, pid) {
                    self.engine.interrupts().latch().wait(Some(LOOK_AGAIN / 10));
                    self.engine.interrupts().latch().reset();
                }
            }
        }
        self.engine.interrupts().end_team();
        self.joint.end();
    }
}
