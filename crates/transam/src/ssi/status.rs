//! What `pg_locks` shows of serializable transactions, and whom a deferrable one waits for.

use super::table::{ACTIVE, flag};
use crate::Engine;
use crate::lock::PredicateLock;
use std::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// What serializable transactions have read, also those that have committed but are remembered.
    pub fn predicate_locks(&self) -> Vec<PredicateLock> {
        let (t, _guard) = self.ssi();
        let mut out = Vec::new();
        for at in t.reads.entries_of(None) {
            let target = t.reads.target(at);
            for x in t.reads.readers(at).map(|r| &t.xacts[r]) {
                out.push(PredicateLock {
                    target,
                    pid: x.pid.load(Relaxed) as i32,
                    vxid: (x.owner.load(Relaxed), x.lxid.load(Relaxed)),
                });
            }
        }
        out
    }
    /// `pg_safe_snapshot_blocking_pids`: the writers that a READ ONLY DEFERRABLE transaction of this process waits for.
    pub fn safe_snapshot_blockers(&self, pid: i32) -> Vec<i32> {
        let (t, _guard) = self.ssi();
        let waits = |i: &usize| {
            let x = &t.xacts[*i];
            x.pid.load(Relaxed) as i32 == pid && x.has(flag::WAITS_SAFE) && x.state.load(Relaxed) == ACTIVE
        };
        let Some(me) = t.used().find(waits) else { return Vec::new() };
        let born = t.xacts[me].birth.load(Relaxed);
        t.used()
            .map(|i| &t.xacts[i])
            .filter(|x| {
                let writes = x.state.load(Relaxed) == ACTIVE && !x.has(flag::READ_ONLY);
                writes && x.birth.load(Relaxed) < born
            })
            .map(|x| x.pid.load(Relaxed) as i32)
            .collect()
    }
}
