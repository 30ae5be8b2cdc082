//! What this process holds, counted by who asked: one entry per tag and mode, so that asking again for a lock already
//! held costs no shared memory access.

use super::mode::LockMode;
use super::tag::LockTag;
use crate::SubXactId;
use hashbrown::HashMap;

/// One tag in one mode.
#[derive(Debug)]
pub struct Local {
    pub hash: u32,
    /// Entries in the shared tables (unused while `fast`).
    pub lock: u32,
    pub holder: u32,
    /// Held in the process's own fast-path array.
    pub fast: bool,
    first: (SubXactId, u32),
    more: Vec<(SubXactId, u32)>,
}

/// All of them.
#[derive(Default)]
pub struct Locals {
    pub map: HashMap<(LockTag, LockMode), Local, foldhash::fast::FixedState>,
    /// Locks on their way out: kept for its capacity.
    pub scratch: Vec<((LockTag, LockMode), Local)>,
}

impl Local {
    /// Held once by `owner`.
    pub fn new(hash: u32, lock: u32, holder: u32, fast: bool, owner: SubXactId) -> Local {
        Local { hash, lock, holder, fast, first: (owner, 1), more: Vec::new() }
    }
    /// One more count.
    pub fn add(&mut self, owner: SubXactId, n: u32) {
        if self.first.0 == owner || self.first.1 == 0 {
            self.first = (owner, self.first.1 + n);
        } else if let Some(o) = self.more.iter_mut().find(|o| o.0 == owner) {
            o.1 += n;
        } else {
            self.more.push((owner, n));
        }
    }
    /// One count less; false if the owner has none.
    pub fn sub(&mut self, owner: SubXactId) -> bool {
        if self.first.0 == owner && self.first.1 > 0 {
            self.first.1 -= 1;
            return true;
        }
        match self.more.iter_mut().find(|o| o.0 == owner && o.1 > 0) {
            Some(o) => {
                o.1 -= 1;
                true
            }
            None => false,
        }
    }
    /// Drops all counts of owners chosen.
    pub fn drop_owners(&mut self, doomed: impl Fn(SubXactId) -> bool) {
        if doomed(self.first.0) {
            self.first.1 = 0;
        }
        self.more.retain(|o| !doomed(o.0));
    }
    /// Counts of `from` become `to`'s.
    pub fn reassign(&mut self, from: SubXactId, to: SubXactId) {
        let mut n = 0;
        if self.first.0 == from {
            n += self.first.1;
            self.first.1 = 0;
        }
        self.more.retain(|o| {
            if o.0 == from {
                n += o.1;
            }
            o.0 != from
        });
        if n > 0 {
            self.add(to, n);
        }
    }
    /// Is any count left?
    pub fn held(&self) -> bool {
        self.first.1 > 0 || self.more.iter().any(|o| o.1 > 0)
    }
    /// Does an owner of a transaction (not the session) hold it?
    pub fn held_by_transaction(&self) -> bool {
        let t = |o: &(SubXactId, u32)| o.0 != SubXactId::SESSION && o.1 > 0;
        t(&self.first) || self.more.iter().any(t)
    }
    /// Does the session hold it?
    pub fn held_by_session(&self) -> bool {
        let t = |o: &(SubXactId, u32)| o.0 == SubXactId::SESSION && o.1 > 0;
        t(&self.first) || self.more.iter().any(t)
    }
}
