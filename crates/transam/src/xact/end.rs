//! Beginning and ending a transaction and its subtransactions: what happens in which order.
//!
//! Commit: hooks (may fail) → commit record → durable (unless asynchronous) → commit log → out of the array →
//! invalidations → hooks → locks → files. While the record is inserted a critical section is open: a process that dies in it
//! takes the server through recovery. From then to the invalidations the slot names the record: if the process dies, the
//! cleaner finishes the commit. One that dies before or after is rolled back or just tidied up.

use super::record::{ABORT, COMMIT, CommitRecord};
use super::state::{Block, Level, Trans};
use super::words::{SubXactEvent, SubXactId, SyncCommit, XactEvent, XidStatus};
use crate::Engine;
use common::{CommandId, Lsn, Result, Xid, bail};
use ipc::clock;
use std::sync::atomic::Ordering::{Relaxed, Release};
use storage::RmgrId;

/// A panic that unwinds past a commit record must not be taken for an error of the statement: the process ends, and
/// the cleaner or recovery goes by the record.
struct NoUnwind;
impl Drop for NoUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            storage::datadir::panic_exit("failure while a transaction was being committed");
        }
    }
}

impl Engine {
    pub(crate) fn start_transaction(&self) -> Result<()> {
        let (isolation, read_only, deferrable) = self.defaults.get();
        let lxid = self.next_lxid.get();
        self.next_lxid.set(lxid + 1);
        {
            let mut x = self.xact.borrow_mut();
            debug_assert_eq!(x.levels.len(), 1);
            let top = x.top();
            let (block, chain) = (top.block, top.chain);
            *top = Level { id: SubXactId::TOP, trans: Trans::InProgress, block, chain, ..Level::default() };
            x.next_sub = 2;
            x.cid = CommandId::FIRST;
            x.cid_used = false;
            x.isolation = isolation;
            x.read_only = read_only;
            x.deferrable = deferrable;
            x.started_at = match self.statement_at.get() {
                0 => clock::now(),
                t => t,
            };
        }
        self.top_xid.set(Xid::INVALID);
        self.proc().lxid.store(lxid, Relaxed);
        self.proc().activity.xact(self.xact.borrow().started_at);
        self.accept_invalidations();
        Ok(())
    }

    pub(crate) fn commit_transaction(&self) -> Result<()> {
        if self.xact.borrow().cur().trans != Trans::InProgress {
            bail!(INTERNAL_ERROR, "commit of a transaction that does not run");
        }
        let hooks = self.hooks();
        for h in hooks.iter() {
            h.xact(self, XactEvent::PreCommit)?;
        }
        self.ssi_pre_commit()?;
        let _hold = self.interrupts.hold();
        self.xact.borrow_mut().top().trans = Trans::Commit;
        match self.top_xid_if_any() {
            Some(xid) => self.commit_with_xid(xid)?,
            None => {
                self.end_in_array(None);
                self.inval_commit();
            }
        }
        self.ssi_end(true);
        self.top_xid.set(Xid::INVALID);
        for h in hooks.iter() {
            self.report_hook(h.xact(self, XactEvent::Commit));
        }
        self.release_transaction_locks();
        self.files_at_end(1, true);
        self.databases_at_end(true);
        self.stats_at_end(true);
        self.finish(true);
        Ok(())
    }
    fn commit_with_xid(&self, xid: Xid) -> Result<()> {
        let record = CommitRecord {
            time: clock::now(),
            db: self.proc().database(),
            children: self.xact.borrow().cur().children.clone(),
            files: [self.files_to_log(1, true), self.databases_to_drop(true)].concat(),
            messages: self.inval_messages(),
        };
        let data = record.encode();
        let asynchronous =
            self.sync_commit.get() == SyncCommit::Off && record.files.is_empty() && !self.force_sync.get();
        let committing = NoUnwind;
        let crit = self.proc().critical_section();
        // A checkpoint that puts its redo pointer behind our record must not write pg_xact before we have.
        self.proc().delay_checkpoint.fetch_or(1, Relaxed);
        let (start, lsn) = self.log_located(RmgrId::TRANSACTION, COMMIT, xid, &data);
        self.proc().commit_start.store(start.0, Relaxed);
        self.proc().commit_end.store(lsn.0, Release);
        // From here on a cleaner can finish the commit by the record.
        drop(crit);
        let noted = if asynchronous {
            self.store.set_async_lsn(lsn);
            lsn
        } else {
            self.store.flush_wal(lsn);
            Lsn::INVALID
        };
        let r = self.with_slru(|cx| {
            crate::status::set_tree(&self.shared.clog, cx, xid, &record.children, XidStatus::Committed, noted)
        });
        if let Err(e) = r {
            // The record says committed and the commit log cannot: only recovery can make them agree.
            storage::datadir::panic_exit(&e.report().message);
        }
        self.proc().delay_checkpoint.fetch_and(!1, Relaxed);
        let latest = record.children.iter().copied().max().unwrap_or(xid).max(xid);
        self.end_in_array(Some(latest));
        self.inval_commit();
        self.proc().commit_end.store(0, Release);
        drop(committing);
        Ok(())
    }
    fn report_hook(&self, r: Result<()>) {
        if let Err(e) = r {
            let mut report = e.report().clone();
            report.severity = common::Severity::Warning;
            self.notice(report);
        }
    }

    /// Undoes everything; the level stays until `cleanup_transaction`.
    pub(crate) fn abort_transaction(&self) {
        let _hold = self.interrupts.hold();
        self.end_workers();
        self.stop_waiting();
        self.leave_all_levels();
        self.xact.borrow_mut().top().trans = Trans::Abort;
        let hooks = self.hooks();
        for h in hooks.iter() {
            self.report_hook(h.xact(self, XactEvent::Abort));
        }
        match self.top_xid_if_any() {
            Some(xid) => {
                let children = self.xact.borrow().cur().children.clone();
                self.record_abort(xid, &children, 1);
                let latest = children.iter().copied().max().unwrap_or(xid).max(xid);
                self.end_in_array(Some(latest));
            }
            None => self.end_in_array(None),
        }
        self.ssi_end(false);
        self.inval_abort();
        self.release_transaction_locks();
        self.files_at_end(1, false);
        self.databases_at_end(false);
        self.stats_at_end(false);
        self.snaps.borrow_mut().end_transaction();
        self.combo.borrow_mut().clear();
        self.multixact_end();
        self.force_sync.set(false);
    }
    /// The failed transaction's level goes.
    pub(crate) fn cleanup_transaction(&self) {
        self.top_xid.set(Xid::INVALID);
        self.finish(false);
    }
    fn finish(&self, committed: bool) {
        self.proc().activity.xact(0);
        self.snaps.borrow_mut().end_transaction();
        self.combo.borrow_mut().clear();
        self.multixact_end();
        self.force_sync.set(false);
        {
            let mut x = self.xact.borrow_mut();
            let top = x.top();
            let (block, chain) = (top.block, top.chain);
            *top = Level { id: SubXactId::TOP, block, chain, ..Level::default() };
            let (isolation, read_only, deferrable) = self.defaults.get();
            x.isolation = isolation;
            x.read_only = read_only;
            x.deferrable = deferrable;
        }
        for h in self.hooks().iter() {
            self.report_hook(h.xact(self, XactEvent::Done { committed }));
        }
    }
    fn record_abort(&self, xid: Xid, children: &[Xid], level: u32) {
        let record = CommitRecord {
            time: clock::now(),
            db: self.proc().database(),
            children: children.to_vec(),
            files: self.files_to_log(level, false),
            messages: vec![],
        };
        let crit = self.proc().critical_section();
        let lsn = self.store.log(RmgrId::TRANSACTION, ABORT, xid, &record.encode());
        // Nobody waits for it: if it is lost, recovery finds the transaction without an outcome, which is the same.
        self.store.set_async_lsn(lsn);
        let r = self.with_slru(|cx| {
            crate::status::set_tree(&self.shared.clog, cx, xid, children, XidStatus::Aborted, Lsn::INVALID)
        });
        if let Err(e) = r {
            storage::datadir::panic_exit(&e.report().message);
        }
        drop(crit);
    }
    /// Makes this commit wait for the disk whatever `synchronous_commit` says (CREATE DATABASE …).
    pub fn force_sync_commit(&self) {
        self.force_sync.set(true);
    }
    fn leave_all_levels(&self) {
        while self.nest_level() > 1 {
            self.abort_subtransaction();
            self.pop_level();
        }
    }

    // ---- subtransactions ----

    pub(crate) fn push_level(&self, name: Option<&str>, block: Block) -> Result<()> {
        let mut x = self.xact.borrow_mut();
        if x.next_sub == u32::MAX {
            bail!(PROGRAM_LIMIT_EXCEEDED, "cannot have more than 2^32-1 subtransactions in a transaction");
        }
        let id = SubXactId(x.next_sub);
        x.next_sub += 1;
        let read_only_before = x.read_only;
        x.levels.push(Level {
            id,
            name: name.map(str::to_string),
            block,
            read_only_before,
            ..Level::default()
        });
        Ok(())
    }
    pub(crate) fn start_subtransaction(&self) {
        self.xact.borrow_mut().top().trans = Trans::InProgress;
        let (id, parent) = self.ids();
        for h in self.hooks().iter() {
            h.subxact(self, SubXactEvent::Start, id, parent);
        }
    }
    fn ids(&self) -> (SubXactId, SubXactId) {
        let x = self.xact.borrow();
        let n = x.levels.len();
        (x.levels[n - 1].id, x.levels[n.saturating_sub(2)].id)
    }
    pub(crate) fn commit_subtransaction(&self) -> Result<()> {
        self.command_counter_increment()?;
        let depth = self.nest_level();
        let (id, parent) = self.ids();
        self.xact.borrow_mut().top().trans = Trans::Commit;
        {
            let mut x = self.xact.borrow_mut();
            let n = x.levels.len();
            let level = &mut x.levels[n - 1];
            let own: Vec<Xid> = level.xid.into_iter().chain(level.children.drain(..)).collect();
            let children = &mut x.levels[n - 2].children;
            children.extend(own);
            children.sort_unstable();
            x.read_only = x.levels[n - 1].read_only_before;
        }
        for h in self.hooks().iter() {
            h.subxact(self, SubXactEvent::Commit, id, parent);
        }
        self.inval_subxact_end(depth, true);
        // The id's own lock goes at once in PostgreSQL; kept by the parent it does no harm: waiters wait for the parent.
        self.reassign_subxact_locks(id, parent);
        self.snaps.borrow_mut().end_subtransaction(depth, true);
        self.files_subxact_commit(depth);
        self.stats_at_subxact_end(depth, true);
        self.pop_level();
        Ok(())
    }
    /// Undoes a subtransaction; its level stays until `pop_level`.
    pub(crate) fn abort_subtransaction(&self) {
        let _hold = self.interrupts.hold();
        self.stop_waiting();
        let depth = self.nest_level();
        let (id, parent) = self.ids();
        if matches!(self.xact.borrow().cur().trans, Trans::Abort | Trans::Idle) {
            return;
        }
        for h in self.hooks().iter() {
            h.subxact(self, SubXactEvent::Abort, id, parent);
        }
        let (xid, children) = {
            let mut x = self.xact.borrow_mut();
            x.top().trans = Trans::Abort;
            (x.cur().xid, x.cur().children.clone())
        };
        if let Some(xid) = xid {
            self.record_abort(xid, &children, depth);
            let latest = children.iter().copied().max().unwrap_or(xid).max(xid);
            self.remove_running_subxids(xid, &children, latest);
        }
        self.inval_subxact_end(depth, false);
        self.release_subxact_locks(id);
        self.files_at_end(depth, false);
        self.stats_at_subxact_end(depth, false);
        self.snaps.borrow_mut().end_subtransaction(depth, false);
        let mut x = self.xact.borrow_mut();
        x.read_only = x.cur().read_only_before;
    }
    pub(crate) fn pop_level(&self) {
        let mut x = self.xact.borrow_mut();
        if x.levels.len() > 1 {
            x.levels.pop();
        }
    }
}
