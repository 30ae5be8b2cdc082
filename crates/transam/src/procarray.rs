//! The dense array of running transactions: assigning ids, ending transactions, asking who runs, and the horizons below
//! which nobody looks.
//!
//! An id is published in the array before the id counter's lock is released, and taken out under the array's exclusive
//! lock together with the advance of `latest_completed`; so a snapshot (array lock shared) sees every id below its xmax
//! either running or over, never in between.

use crate::{Engine, MvccSnapshot, XidStatus};
use common::{CommandId, Result, Xid};
use ipc::procs::{SUBXIDS_MAX, status};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::fence;

const OVERFLOWED: u32 = 1 << 31;

/// Oldest ids that may still matter, by kind of relation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Horizons {
    pub shared: Xid,
    pub catalog: Xid,
    pub data: Xid,
    /// Oldest running transaction id.
    pub oldest_running: Xid,
}

impl Engine {
    /// A fresh id, published as running. `parent` for subtransactions.
    pub(crate) fn assign_new_xid(&self, is_sub: bool) -> Result<Xid> {
        let c = self.shared.c;
        if c.in_recovery.load(Relaxed) != 0 && !self.is_bootstrap.get() {
            return Err(common::Error::internal("cannot assign TransactionIds during recovery"));
        }
        let n = self.proc().number() as usize;
        let _g = c.xid_gen.exclusive(self.proc());
        let xid = Xid(c.next_xid.load(Relaxed));
        self.extend_status(xid)?;
        c.next_xid.store(xid.0 + 1, Release);
        if is_sub {
            let count = self.proc().subxid_count.load(Relaxed) as usize;
            if count < SUBXIDS_MAX {
                self.proc().subxids[count].store(xid.0, Relaxed);
                self.proc().subxid_count.store(count as u32 + 1, Release);
                let over = self.shared.substates[n].load(Relaxed) & OVERFLOWED;
                self.shared.substates[n].store(over | (count as u32 + 1), Release);
            } else {
                self.proc().subxids_overflowed.store(1, Relaxed);
                self.shared.substates[n].fetch_or(OVERFLOWED, Release);
            }
        } else {
            self.proc().xid.store(xid.0, Release);
            self.shared.xids[n].store(xid.0, Release);
        }
        Ok(xid)
    }
    /// First id on a page: makes the page.
    fn extend_status(&self, xid: Xid) -> Result<()> {
        use crate::slru::PAGE_WORDS;
        use crate::status::XIDS_PER_PAGE;
        if xid.0.is_multiple_of(XIDS_PER_PAGE) {
            self.with_slru(|cx| self.shared.clog.zero_page(cx, xid.0 / XIDS_PER_PAGE))?;
        }
        if xid.0.is_multiple_of(PAGE_WORDS as u64) {
            self.with_slru(|cx| self.shared.subtrans.zero_page(cx, xid.0 / PAGE_WORDS as u64))?;
        }
        Ok(())
    }
    /// The transaction is over: it leaves the array. `latest` is the highest id of its tree.
    pub(crate) fn end_in_array(&self, latest: Option<Xid>) {
        let p = self.proc();
        if let Some(latest) = latest {
            let _g = self.shared.c.proc_array.exclusive(p);
            self.clear_slot(p, latest);
        } else {
            // Without an id nobody's snapshot changes.
            p.lxid.store(0, Relaxed);
            p.xmin.store(0, Release);
            if p.status_flags.load(Relaxed) & (status::IN_VACUUM | status::IN_SAFE_IC) != 0 {
                p.status_flags.fetch_and(!(status::IN_VACUUM | status::IN_SAFE_IC), Relaxed);
            }
        }
    }
    /// Takes a slot's transaction out. Under the exclusive array lock.
    pub(crate) fn clear_slot(&self, p: &ipc::Proc, latest: Xid) {
        let n = p.number() as usize;
        self.shared.xids[n].store(0, Relaxed);
        self.shared.substates[n].store(0, Relaxed);
        p.xid.store(0, Relaxed);
        p.lxid.store(0, Relaxed);
        p.xmin.store(0, Relaxed);
        p.subxid_count.store(0, Relaxed);
        p.subxids_overflowed.store(0, Relaxed);
        p.status_flags.fetch_and(!(status::IN_VACUUM | status::IN_SAFE_IC), Relaxed);
        self.shared.c.latest_completed.fetch_max(latest.0, Relaxed);
        self.shared.c.completions.fetch_add(1, Release);
    }
    /// An aborted subtransaction's ids leave the array.
    pub(crate) fn remove_running_subxids(&self, xid: Xid, children: &[Xid], latest: Xid) {
        let p = self.proc();
        let n = p.number() as usize;
        let _g = self.shared.c.proc_array.exclusive(p);
        let count = p.subxid_count.load(Relaxed) as usize;
        let mut left = 0;
        for i in 0..count {
            let x = p.subxids[i].load(Relaxed);
            if x != xid.0 && !children.iter().any(|c| c.0 == x) {
                p.subxids[left].store(x, Relaxed);
                left += 1;
            }
        }
        p.subxid_count.store(left as u32, Relaxed);
        let over = self.shared.substates[n].load(Relaxed) & OVERFLOWED;
        self.shared.substates[n].store(over | left as u32, Relaxed);
        self.shared.c.latest_completed.fetch_max(latest.0, Relaxed);
        self.shared.c.completions.fetch_add(1, Release);
    }

    /// Takes a snapshot into `s`, reusing it if no transaction with an id has ended since. Advertises its xmin.
    pub(crate) fn fill_snapshot(&self, s: &mut MvccSnapshot, curcid: CommandId) {
        if !self.reuse_snapshot(s) {
            let c = self.shared.c;
            let g = c.proc_array.shared(self.proc());
            self.build_snapshot(s, self.proc().number() as usize);
            s.completion = c.completions.load(Acquire);
            if self.proc().xmin.load(Relaxed) == 0 {
                self.proc().xmin.store(s.xmin.0, Release);
            }
            drop(g);
        }
        s.curcid = curcid;
        s.taken_during_recovery = false;
        self.recent_xmin.set(s.xmin);
    }
    /// The common case of little writing, without the array's lock. The xmin is advertised first, then the count is
    /// looked at again: if it is still the snapshot's, whoever computes a horizon after the next completion sees the
    /// xmin, and a horizon computed before it is not above this xmin, since the same transactions were running.
    fn reuse_snapshot(&self, s: &MvccSnapshot) -> bool {
        let count = &self.shared.c.completions;
        if !s.xmax.is_valid() || s.completion != count.load(Acquire) {
            return false;
        }
        if self.proc().xmin.load(Relaxed) != 0 {
            return true;
        }
        self.proc().xmin.store(s.xmin.0, SeqCst);
        fence(SeqCst);
        if count.load(SeqCst) == s.completion {
            return true;
        }
        self.proc().xmin.store(0, Release);
        false
    }
    fn build_snapshot(&self, s: &mut MvccSnapshot, me: usize) {
        let live = self.procs.scan().len();
        s.xip.clear();
        s.subxip.clear();
        s.suboverflowed = false;
        s.xmax = Xid(self.shared.c.latest_completed.load(Relaxed) + 1);
        let own = self.shared.xids[me].load(Relaxed);
        s.xmin = if own != 0 && own < s.xmax.0 { Xid(own) } else { s.xmax };
        for n in 0..live {
            let x = Xid(self.shared.xids[n].load(Relaxed));
            if !x.is_valid() || n == me || x >= s.xmax {
                continue;
            }
            s.xmin = s.xmin.min(x);
            s.xip.push(x);
            let sub = self.shared.substates[n].load(Acquire);
            if sub & OVERFLOWED != 0 {
                s.suboverflowed = true;
            }
            let p = self.procs.get(n as u32);
            for i in 0..((sub & !OVERFLOWED) as usize).min(SUBXIDS_MAX) {
                s.subxip.push(Xid(p.subxids[i].load(Relaxed)));
            }
        }
    }
    /// Running by this snapshot (pg_subtrans included)? The own transaction counts as running: test it before.
    pub fn xid_in_snapshot(&self, xid: Xid, snap: &MvccSnapshot) -> Result<bool> {
        if let Some(b) = snap.in_progress_fast(xid) {
            return Ok(b);
        }
        if snap.subxip.contains(&xid) || snap.xip.contains(&xid) {
            return Ok(true);
        }
        let top = self.top_parent_xid(xid)?;
        Ok(top >= snap.xmin && top != xid && snap.xip.contains(&top))
    }
    /// Is it running, anywhere? Check this before the outcome: a crashed one is neither running nor in the log.
    pub fn xid_is_in_progress(&self, xid: Xid) -> bool {
        if !xid.is_normal() || xid < self.recent_xmin.get() {
            return false;
        }
        if self.status_cache.get().0 == xid {
            return false;
        }
        if self.is_current_xid(xid) {
            return true;
        }
        let mut overflowed = Vec::new();
        {
            let _g = self.shared.c.proc_array.shared(self.proc());
            if xid.0 > self.shared.c.latest_completed.load(Relaxed) {
                return true;
            }
            for n in 0..self.procs.scan().len() {
                let x = self.shared.xids[n].load(Relaxed);
                if x == 0 {
                    continue;
                }
                if x == xid.0 {
                    return true;
                }
                if x > xid.0 {
                    continue;
                }
                let sub = self.shared.substates[n].load(Acquire);
                let p = self.procs.get(n as u32);
                let count = ((sub & !OVERFLOWED) as usize).min(SUBXIDS_MAX);
                if p.subxids[..count].iter().any(|s| s.load(Relaxed) == xid.0) {
                    return true;
                }
                if sub & OVERFLOWED != 0 {
                    overflowed.push(Xid(x));
                }
            }
        }
        if overflowed.is_empty() || matches!(self.xid_status(xid), Ok((XidStatus::Aborted, _))) {
            return false;
        }
        self.top_parent_xid(xid).is_ok_and(|top| top != xid && overflowed.contains(&top))
    }

    /// Computes all horizons.
    pub fn horizons(&self) -> Horizons {
        let c = self.shared.c;
        let _g = c.proc_array.shared(self.proc());
        // Pairs with the one in `reuse_snapshot`.
        fence(SeqCst);
        let start = Xid(c.latest_completed.load(Relaxed) + 1);
        let mut h = Horizons { shared: start, catalog: start, data: start, oldest_running: start };
        let my_db = self.proc().database();
        for (n, p) in self.procs.scan().iter().enumerate() {
            let xid = self.shared.xids[n].load(Relaxed);
            if xid != 0 {
                h.oldest_running = h.oldest_running.min(Xid(xid));
            }
            let flags = p.status_flags.load(Relaxed);
            let oldest = match (p.xmin.load(Relaxed), xid) {
                (0, 0) => continue,
                (0, x) | (x, 0) => x,
                (a, b) => a.min(b),
            };
            if flags & status::IN_VACUUM != 0 {
                continue;
            }
            h.shared = h.shared.min(Xid(oldest));
            if my_db.0 == 0 || p.database() == my_db || p.database().0 == 0 {
                h.catalog = h.catalog.min(Xid(oldest));
                if flags & status::IN_SAFE_IC == 0 {
                    h.data = h.data.min(Xid(oldest));
                }
            }
        }
        h.catalog = h.catalog.min(h.data);
        h
    }
    /// Versions deleted by ids below this are dead to everyone who may look at the relation.
    pub fn oldest_xmin(&self, shared: bool, catalog: bool) -> Xid {
        let h = self.horizons();
        self.horizon_cache.set((h, self.shared.c.completions.load(Relaxed)));
        if shared {
            h.shared
        } else if catalog {
            h.catalog
        } else {
            h.data
        }
    }
    /// Cheap, possibly too old form of `oldest_xmin`, for pruning: recomputed when transactions ended since.
    pub fn prune_horizon(&self, shared: bool, catalog: bool) -> Xid {
        let (h, at) = self.horizon_cache.get();
        if h.shared.is_valid() && at == self.shared.c.completions.load(Relaxed) {
            return if shared {
                h.shared
            } else if catalog {
                h.catalog
            } else {
                h.data
            };
        }
        self.oldest_xmin(shared, catalog)
    }
    /// Marks this transaction as a lazy vacuum: other vacuums need not wait for its snapshot.
    pub fn set_vacuum_flag(&self) {
        let _g = self.shared.c.proc_array.exclusive(self.proc());
        self.proc().status_flags.fetch_or(status::IN_VACUUM, Relaxed);
    }
    /// Ids of all running top-level transactions.
    pub fn running_xids(&self) -> Vec<Xid> {
        let _g = self.shared.c.proc_array.shared(self.proc());
        let live = self.procs.scan().len();
        self.shared.xids[..live].iter().map(|x| Xid(x.load(Relaxed))).filter(|x| x.is_valid()).collect()
    }
}
