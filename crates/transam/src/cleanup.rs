//! Containment: what a backend that died by a signal left behind, taken away by a cleaner process, so that nobody else
//! notices. Only called when the dead slot's record says that nothing was in flight
//! (`Proc::in_flight().is_clean()`); otherwise the whole server goes through recovery.

use crate::lock::fastpath::is_strong;
use crate::lock::table::{LockTables, STRONG_BUCKETS};
use crate::xact::record::{ABORT, CommitRecord};
use crate::{Engine, LockMode, XidStatus};
use common::{Error, Lsn, Result, Xid};
use ipc::Proc;
use ipc::procs::{LOCK_PARTITIONS, SUBXIDS_MAX};
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use storage::{RmgrId, WalReader};

impl Engine {
    /// Aborts the transaction of a dead process, gives back its locks and pins, frees its slot. XX000 when its record says
    /// that something was in flight after all.
    pub fn cleanup_dead(&self, dead: &'static Proc) -> Result<()> {
        let f = dead.in_flight();
        if !f.is_clean() {
            return Err(Error::internal(format!("process {} died with work in flight: {f:?}", dead.pid())));
        }
        self.end_workers_of(dead.pid());
        dead.wake_lwlock_waiters();
        match dead.commit_end.load(Acquire) {
            0 => self.abort_dead(dead)?,
            end => self.commit_dead(dead, Lsn(end))?,
        }
        self.ssi_end_dead(dead, dead.commit_end.load(Acquire) != 0);
        self.store.release_dead_pins(dead);
        self.release_dead_locks(dead);
        let n = dead.number() as usize;
        self.shared.oldest_member[n].store(0, Relaxed);
        self.shared.oldest_visible[n].store(0, Relaxed);
        dead.inval_active.store(0, SeqCst);
        if dead.kind() == ipc::BackendKind::ParallelWorker
            && let Some(leader) = self.procs.by_pid(dead.leader_pid.load(Relaxed))
        {
            leader.post(ipc::signals::WORKER);
        }
        self.procs.release(dead);
        Ok(())
    }
    /// The commit record is in the log, so the transaction may already count as committed for somebody: finish it. Every step
    /// may have been done before.
    fn commit_dead(&self, dead: &Proc, end: Lsn) -> Result<()> {
        let lost = || Error::corrupted(format!("commit record of process {} cannot be read", dead.pid()));
        self.store.flush_wal(end);
        let config = self.store.config();
        let start = Lsn(dead.commit_start.load(Acquire));
        let mut reader = WalReader::new(&self.data_dir, config.timeline, config.system_identifier, start);
        let (xid, record) = match reader.next_record()? {
            Some(r) if r.rmgr == RmgrId::TRANSACTION && r.end == end => {
                (r.xid, CommitRecord::decode(r.data()).ok_or_else(lost)?)
            }
            _ => return Err(lost()),
        };
        self.with_slru(|cx| {
            let s = XidStatus::Committed;
            crate::status::set_tree(&self.shared.clog, cx, xid, &record.children, s, Lsn::INVALID)
        })?;
        {
            let latest = record.children.iter().copied().max().unwrap_or(xid).max(xid);
            let _g = self.shared.c.proc_array.exclusive(self.proc());
            self.clear_slot(dead, latest);
        }
        self.shared.ring.send(&self.procs, self.proc(), &record.messages);
        self.remove_files(&record.files, false)
    }
    fn abort_dead(&self, dead: &Proc) -> Result<()> {
        let n = dead.number() as usize;
        let xid = Xid(self.shared.xids[n].load(Acquire));
        let count = (dead.subxid_count.load(Relaxed) as usize).min(SUBXIDS_MAX);
        let children: Vec<Xid> = dead.subxids[..count].iter().map(|x| Xid(x.load(Relaxed))).collect();
        if xid.is_valid() && self.xid_status(xid)?.0 == XidStatus::InProgress {
            let record = CommitRecord {
                time: ipc::clock::now(),
                db: dead.database(),
                children: children.clone(),
                ..CommitRecord::default()
            };
            let crit = self.proc().critical_section();
            let lsn = self.store.log(RmgrId::TRANSACTION, ABORT, xid, &record.encode());
            self.store.set_async_lsn(lsn);
            let r = self.with_slru(|cx| {
                let s = XidStatus::Aborted;
                crate::status::set_tree(&self.shared.clog, cx, xid, &children, s, Lsn::INVALID)
            });
            drop(crit);
            r?;
        }
        let latest = children.iter().copied().max().unwrap_or(xid).max(xid);
        let _g = self.shared.c.proc_array.exclusive(self.proc());
        self.clear_slot(dead, latest);
        Ok(())
    }
    fn release_dead_locks(&self, dead: &Proc) {
        let t = &self.shared.locks;
        // The counts of strong locks it had raised: one for each strong lock held or waited for. A count raised for a lock
        // it never came to ask for stays raised, and only keeps the fast path closed for one bucket.
        for h in self.strong_locks_of(dead) {
            t.strong[h as usize % STRONG_BUCKETS].fetch_sub(1, SeqCst);
        }
        {
            let _g = dead.fast_path_lock.exclusive(self.proc());
            dead.fast_path_bits.store(0, Relaxed);
        }
        t.release_dead(&self.procs, self.proc(), dead);
    }
    fn strong_locks_of(&self, p: &Proc) -> Vec<u32> {
        let t = &self.shared.locks;
        let _g = t.guard_all(self.proc());
        let mut out = Vec::new();
        for part in 0..LOCK_PARTITIONS {
            for at in t.holders.indexes(part, LOCK_PARTITIONS) {
                let r = t.holder(at);
                if r.proc.load(Relaxed) != p.number() {
                    continue;
                }
                let Some(tag) = t.tag(r.lock.load(Relaxed)) else { continue };
                let mut mask = r.mask.load(Relaxed);
                if p.wait_holder.load(Relaxed) == at + 1 {
                    mask |= 1 << p.wait_mode.load(Relaxed);
                }
                let strong = LockMode::ALL.iter().filter(|m| mask & m.bit() != 0 && is_strong(&tag, **m));
                out.extend(strong.map(|_| LockTables::hash(&tag)));
            }
        }
        out
    }
}
