//! The postmaster's children: which process does what.

use ipc::BackendKind;
use std::collections::BTreeMap;

/// A child process.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    pub kind: BackendKind,
    /// It was told to end because the shared memory is no longer trusted.
    pub doomed: bool,
    /// It only gives a refusal and goes (no slot, no shared memory).
    pub dead_end: bool,
}

/// All of them by process id.
#[derive(Default)]
pub struct Children(BTreeMap<i32, Child>);

impl Children {
    /// A child was forked.
    pub fn add(&mut self, pid: i32, kind: BackendKind, dead_end: bool) {
        self.0.insert(pid, Child { kind, doomed: false, dead_end });
    }
    /// A child has ended.
    pub fn remove(&mut self, pid: i32) -> Option<Child> {
        self.0.remove(&pid)
    }
    /// Is there one of a kind?
    pub fn has(&self, kind: BackendKind) -> bool {
        self.0.values().any(|c| c.kind == kind)
    }
    /// How many of a kind that serve (refusals not counted).
    pub fn count(&self, kind: BackendKind) -> usize {
        self.0.values().filter(|c| c.kind == kind && !c.dead_end).count()
    }
    /// Those for which `test` holds.
    pub fn pids(&self, test: impl Fn(&Child) -> bool) -> Vec<i32> {
        self.0.iter().filter(|(_, c)| test(c)).map(|(p, _)| *p).collect()
    }
    /// Signals those for which `test` holds.
    pub fn signal(&self, sig: i32, test: impl Fn(&Child) -> bool) {
        for pid in self.pids(test) {
            ipc::signals::send_raw(pid, sig);
        }
    }
    /// Marks all as told to end.
    pub fn doom(&mut self) {
        for c in self.0.values_mut() {
            c.doomed = true;
        }
    }
}
