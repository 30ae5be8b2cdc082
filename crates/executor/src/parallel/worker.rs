//! A worker's life: from the fork in the middle of its leader's Gather node to its exit. It never returns to what its
//! leader was doing, and runs none of its destructors: what lies further up the stack, and what nodes hold, is the leader's.

use super::message::{self, kind};
use super::{Joint, RING, stage, team};
use crate::node::ExecNode;
use crate::run::Exec;
use common::{Error, Report, Result};
use ipc::fork::{exists, exit};
use ipc::queue::{Sender, Sent};
use ipc::{BackendKind, Proc, Region, clock, signals};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Release, SeqCst};
use transam::Engine;

/// What a forked worker starts from.
pub(super) struct Worker<'a> {
    pub engine: &'a Rc<Engine>,
    pub joint: &'a Rc<Joint>,
    pub region: &'a Rc<Region>,
    pub number: usize,
    pub postmaster: i32,
}

impl Worker<'_> {
    /// The worker's whole life. Signals are blocked.
    pub fn run(&self, cx: &Exec, child: &mut dyn ExecNode) -> ! {
        signals::die_with_parent(self.postmaster);
        let leader = self.engine.proc();
        let Some(me) = self.enter(cx, leader) else {
            self.end(stage::REFUSED, leader);
            exit(0)
        };
        signals::unblock_all();
        self.joint.state(self.region, self.number).stage.store(stage::RUNNING, Release);
        let procs = self.engine.procs();
        let ring = self.joint.ring(self.number);
        let queue = Rc::new(RefCell::new(Sender::new(self.region.clone(), ring, RING, procs, me.number())));
        self.introduce(cx, leader, &queue);
        // A panic is caught here: the frames above are the leader's.
        let r = catch_unwind(AssertUnwindSafe(|| self.work(cx, child, &queue)));
        let r = r.unwrap_or_else(|_| Err(Error::internal("a parallel worker panicked")));
        self.say_goodbye(cx, r, leader, &queue);
        self.engine.end_worker();
        self.engine.interrupts().detach();
        procs.release(me);
        self.end(stage::ENDED, leader);
        exit(0)
    }
    /// Takes a slot; `None`: there is none, or there are as many workers as may be.
    fn enter(&self, cx: &Exec, leader: &'static Proc) -> Option<&'static Proc> {
        let procs = self.engine.procs();
        let me = procs.allocate(BackendKind::ParallelWorker)?;
        let copy = leader.activity.read();
        me.activity.start_as(clock::now(), &copy);
        if !self.engine.begin_worker(me) {
            procs.release(me);
            return None;
        }
        // The leader has counted too, but several may have done so at once.
        if team::room(&cx.env.limits.get(), procs, 1) == 0 {
            self.engine.end_worker();
            self.engine.interrupts().detach();
            procs.release(me);
            return None;
        }
        Some(me)
    }
    fn introduce(&self, cx: &Exec, leader: &Proc, queue: &Rc<RefCell<Sender>>) {
        let (queue, engine) = (queue.clone(), self.engine.clone());
        let sink = move |r: Report| {
            let mut m = Vec::new();
            message::put_report(kind::NOTICE, &r, &mut m);
            // Raised in the middle of a message, it has no place.
            if let Ok(mut q) = queue.try_borrow_mut() {
                let _ = q.send(&m, engine.interrupts());
            }
        };
        cx.env.session.begin_worker(leader.pid(), Rc::new(sink));
    }
    fn stops(&self) -> bool {
        self.joint.stop_flag(self.region).load(SeqCst) != 0
    }
    /// Runs the tree.
    fn work(&self, cx: &Exec, child: &mut dyn ExecNode, queue: &Rc<RefCell<Sender>>) -> Result<()> {
        cx.reset_measurements();
        cx.env.temp.forget();
        let before = self.engine.store().counters();
        let r = self.send_rows(cx, child, queue);
        let stopped = self.stops();
        if r.is_err() && !stopped {
            return r;
        }
        child.end(cx);
        self.joint.close_spills();
        let mut m = Vec::new();
        let used = self.engine.store().counters().since(&before);
        cx.with_measurements(|nodes| message::put_usage(&used, nodes, &mut m));
        let alive = || exists(self.leader_pid());
        queue.borrow_mut().send_last(&m, self.engine.interrupts(), &alive);
        Ok(())
    }
    fn send_rows(&self, cx: &Exec, child: &mut dyn ExecNode, queue: &Rc<RefCell<Sender>>) -> Result<()> {
        if self.stops() {
            return Ok(());
        }
        child.rescan(cx)?;
        let mut m = Vec::new();
        while child.next(cx, usize::MAX)? {
            message::put_rows(child.batch(), &mut m);
            let mut q = queue.borrow_mut();
            if self.stops() || q.send(&m, self.engine.interrupts())? == Sent::Detached {
                return Ok(());
            }
            q.flush();
        }
        Ok(())
    }
    fn leader_pid(&self) -> i32 {
        self.engine.proc().leader_pid.load(SeqCst)
    }
    /// The last message: how it went.
    fn say_goodbye(&self, cx: &Exec, r: Result<()>, leader: &Proc, queue: &Rc<RefCell<Sender>>) {
        let leader_pid = leader.pid();
        let mut m = vec![kind::DONE];
        if let Err(e) = r {
            message::put_report(kind::ERROR, e.report(), &mut m);
            // The leader may be busy with its own part: it is to look.
            self.joint.failed_flag(self.region).store(1, SeqCst);
            leader.post(signals::WORKER);
        }
        cx.env.temp.hand_over(self.engine);
        let alive = || exists(leader_pid);
        if let Ok(mut q) = queue.try_borrow_mut() {
            q.send_last(&m, self.engine.interrupts(), &alive);
        }
    }
    fn end(&self, how: u32, leader: &Proc) {
        self.joint.state(self.region, self.number).stage.store(how, Release);
        leader.latch().set();
    }
}
