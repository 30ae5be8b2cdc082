//! Invalidation messages: what a committed change made stale in other processes' caches. Transactions collect them,
//! commit sends them through a ring in shared memory, and every process accepts them when it takes a lock or begins a
//! transaction. What a message means is the catalog's business.

pub mod ring;

use crate::Engine;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// One message. `kind` is the catalog's to define.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InvalMsg {
    pub kind: u32,
    /// Database concerned, 0 for shared objects.
    pub db: u32,
    pub a: u32,
    pub b: u32,
}

impl InvalMsg {
    pub(crate) fn words(&self) -> [u64; 2] {
        [u64::from(self.kind) | u64::from(self.db) << 32, u64::from(self.a) | u64::from(self.b) << 32]
    }
    pub(crate) fn from_words(w: [u64; 2]) -> InvalMsg {
        InvalMsg { kind: w[0] as u32, db: (w[0] >> 32) as u32, a: w[1] as u32, b: (w[1] >> 32) as u32 }
    }
}

/// The caches' side, registered with `Engine::set_inval_handler`.
pub trait InvalHandler {
    /// Something became stale.
    fn invalidate(&self, engine: &Engine, msg: &InvalMsg);
    /// Messages were lost: everything may be stale.
    fn reset(&self, engine: &Engine);
}

/// Messages of one nesting level.
#[derive(Default)]
pub(crate) struct Level {
    depth: u32,
    /// Of the running command.
    current: Vec<InvalMsg>,
    /// Of earlier commands: done here already.
    prior: Vec<InvalMsg>,
}

/// What the transaction has collected.
#[derive(Default)]
pub(crate) struct Collected(Vec<Level>);

impl Engine {
    /// The caches of this process.
    pub fn set_inval_handler(&self, h: Rc<dyn InvalHandler>) {
        *self.inval_handler.borrow_mut() = Some(h);
    }
    /// To be done here at the next command and everywhere at commit.
    pub fn queue_invalidation(&self, m: InvalMsg) {
        let depth = self.nest_level();
        let mut c = self.inval.borrow_mut();
        if c.0.last().is_none_or(|l| l.depth < depth) {
            c.0.push(Level { depth, ..Level::default() });
        }
        if let Some(l) = c.0.last_mut()
            && l.current.last() != Some(&m)
        {
            l.current.push(m);
        }
    }
    fn tell(&self, msgs: &[InvalMsg]) {
        let handler = self.inval_handler.borrow().clone();
        if let Some(h) = handler {
            msgs.iter().for_each(|m| h.invalidate(self, m));
        }
    }
    /// Own changes become visible to the next command: own caches must notice.
    pub(crate) fn inval_command_end(&self) {
        let msgs = match self.inval.borrow_mut().0.last_mut() {
            Some(l) if !l.current.is_empty() => std::mem::take(&mut l.current),
            _ => return,
        };
        self.tell(&msgs);
        if let Some(l) = self.inval.borrow_mut().0.last_mut() {
            l.prior.extend_from_slice(&msgs);
        }
    }
    /// Everything to send, for the commit record.
    pub(crate) fn inval_messages(&self) -> Vec<InvalMsg> {
        let c = self.inval.borrow();
        c.0.iter().flat_map(|l| l.prior.iter().chain(&l.current)).copied().collect()
    }
    /// Commit: everybody hears of it.
    pub(crate) fn inval_commit(&self) {
        if self.inval.borrow().0.is_empty() {
            return;
        }
        let msgs = self.inval_messages();
        self.inval.borrow_mut().0.clear();
        self.shared.ring.send(&self.procs, self.proc(), &msgs);
    }
    /// Abort: own caches may hold what never happened.
    pub(crate) fn inval_abort(&self) {
        let msgs: Vec<InvalMsg> = self.inval.borrow_mut().0.drain(..).flat_map(|l| l.prior).collect();
        self.tell(&msgs);
    }
    /// A subtransaction at `depth` ended.
    pub(crate) fn inval_subxact_end(&self, depth: u32, commit: bool) {
        let top = {
            let mut c = self.inval.borrow_mut();
            if c.0.last().is_none_or(|l| l.depth < depth) {
                return;
            }
            c.0.pop()
        };
        let Some(level) = top else { return };
        if !commit {
            self.tell(&level.prior);
            return;
        }
        let mut c = self.inval.borrow_mut();
        match c.0.last_mut() {
            Some(parent) if parent.depth == depth - 1 => {
                parent.prior.extend(level.prior);
                parent.current.extend(level.current);
            }
            _ => c.0.push(Level { depth: depth - 1, ..level }),
        }
    }
    /// Sends messages at once, outside of any transaction's fate (in-place changes).
    pub fn send_invalidations_now(&self, msgs: &[InvalMsg]) {
        self.shared.ring.send(&self.procs, self.proc(), msgs);
    }
    /// Tells the caches what others have changed.
    pub fn accept_invalidations(&self) {
        let p = self.proc();
        let ring = &self.shared.ring;
        if p.inval_position.load(Relaxed) == ring.end() && p.inval_reset.load(Acquire) == 0 {
            return;
        }
        let mut batch = Vec::with_capacity(32);
        loop {
            batch.clear();
            if !ring.receive(p, &mut batch) {
                let handler = self.inval_handler.borrow().clone();
                if let Some(h) = handler {
                    h.reset(self);
                }
                continue;
            }
            if batch.is_empty() {
                return;
            }
            self.tell(&batch);
        }
    }
}
