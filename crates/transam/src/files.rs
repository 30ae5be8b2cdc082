//! Relation files that live and die with transactions: created now and removed at abort, or dropped at commit. Both are
//! logged: creation when it happens, removal in the commit or abort record.

use crate::Engine;
use crate::xact::record::put_locator;
use common::{BlockNumber, Oid, Result, Xid};
use std::sync::atomic::Ordering::Relaxed;
use storage::{Fork, RelFileLocator, RmgrId};

/// `info` of a creation.
pub const CREATE: u8 = 0x10;
/// `info` of a truncation.
pub const TRUNCATE: u8 = 0x20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    rel: RelFileLocator,
    at_commit: bool,
    level: u32,
}

impl Engine {
    /// Creates a relation's main fork, gone again if the transaction aborts. `logged`: not for temporary and unlogged ones.
    pub fn create_storage(&self, rel: RelFileLocator, logged: bool) -> Result<()> {
        // The id: redo must find the transaction's outcome to know that files of a crashed one are leftovers.
        let xid = if logged { self.current_xid()? } else { Xid::INVALID };
        self.store.create_file(rel, Fork::Main, false)?;
        let level = self.nest_level();
        self.pending_files.borrow_mut().push(Pending { rel, at_commit: false, level });
        if logged {
            self.log_create_storage(rel, Fork::Main, xid);
        }
        Ok(())
    }
    /// Creates the init fork of an unlogged relation: what its main fork becomes after a crash. Logged and synced; it goes with the
    /// main fork.
    pub fn create_init_fork(&self, rel: RelFileLocator) -> Result<()> {
        let xid = self.current_xid()?;
        self.store.create_file(rel, Fork::Init, false)?;
        self.log_create_storage(rel, Fork::Init, xid);
        Ok(())
    }
    /// Logs the creation of a fork that exists already.
    pub fn log_create_storage(&self, rel: RelFileLocator, fork: Fork, xid: Xid) {
        let mut data = Vec::with_capacity(13);
        put_locator(&mut data, rel);
        data.push(fork as u8);
        self.store.log(RmgrId::STORAGE, CREATE, xid, &data);
    }
    /// Were the files made in the running subtransaction? (Nobody else can see them, and they go if it aborts.)
    pub fn created_in_this_subxact(&self, rel: RelFileLocator) -> bool {
        let level = self.nest_level();
        self.pending_files.borrow().iter().any(|p| p.rel == rel && !p.at_commit && p.level >= level)
    }
    /// Removes a relation's files when the transaction commits.
    pub fn drop_storage(&self, rel: RelFileLocator) {
        let level = self.nest_level();
        self.pending_files.borrow_mut().push(Pending { rel, at_commit: true, level });
    }
    /// The files stay whatever happens (a mapping that was switched to them is durable).
    pub fn keep_storage(&self, rel: RelFileLocator, at_commit: bool) {
        self.pending_files.borrow_mut().retain(|p| p.rel != rel || p.at_commit != at_commit);
    }
    /// Shortens forks to the given lengths, logged. The caller holds ACCESS EXCLUSIVE on the relation.
    pub fn truncate_storage(&self, rel: RelFileLocator, forks: &[(Fork, BlockNumber)]) -> Result<()> {
        let mut data = Vec::with_capacity(12 + forks.len() * 5);
        put_locator(&mut data, rel);
        for (f, n) in forks {
            data.push(*f as u8);
            data.extend_from_slice(&n.0.to_le_bytes());
        }
        if rel.is_temp() {
            return self.store.truncate_files(rel, forks);
        }
        // Between record and truncation a checkpoint must not declare the record done.
        self.proc().delay_checkpoint.fetch_or(2, Relaxed);
        let lsn = self.store.log(RmgrId::STORAGE, TRUNCATE, self.top_xid_if_any().unwrap_or_default(), &data);
        // The truncation cannot be undone, so the record goes first.
        self.store.flush_wal(lsn);
        let r = self.store.truncate_files(rel, forks);
        self.proc().delay_checkpoint.fetch_and(!2, Relaxed);
        r
    }
    /// An unused number for a relation's files in a database, and an unused object id at that.
    pub fn new_relfilenumber(&self, spc: Oid, db: Oid) -> Result<u32> {
        loop {
            self.check_interrupts()?;
            let n = self.new_oid()?.0;
            if !self.store.file_exists(RelFileLocator::new(spc, db, n), Fork::Main)? {
                return Ok(n);
            }
        }
    }
    /// What the record of this outcome names: temporary relations go without.
    pub(crate) fn files_to_log(&self, level: u32, commit: bool) -> Vec<RelFileLocator> {
        let mut files = self.files_to_drop(level, commit);
        files.retain(|f| !f.is_temp());
        files
    }
    /// What goes with this outcome of the levels from `level` on.
    pub(crate) fn files_to_drop(&self, level: u32, commit: bool) -> Vec<RelFileLocator> {
        let p = self.pending_files.borrow();
        p.iter().filter(|p| p.level >= level && p.at_commit == commit).map(|p| p.rel).collect()
    }
    pub(crate) fn files_at_end(&self, level: u32, commit: bool) {
        if self.pending_files.borrow().is_empty() {
            return;
        }
        let doomed = self.files_to_drop(level, commit);
        self.pending_files.borrow_mut().retain(|p| p.level < level);
        if !doomed.is_empty()
            && let Err(e) = self.store.unlink_relations(&doomed, false)
        {
            // The outcome is settled; a file left over is a nuisance, not an error of the statement.
            let mut r = e.report().clone();
            r.severity = common::Severity::Warning;
            self.notice(r);
        }
    }
    /// Removes what a log record of somebody's outcome names: files and whole databases.
    pub(crate) fn remove_files(&self, files: &[RelFileLocator], redo: bool) -> Result<()> {
        let (databases, files): (Vec<_>, Vec<_>) =
            files.iter().partition(|f| crate::database::is_database(f));
        if redo {
            files.iter().for_each(|f| self.store.redo_forget_relation(*f));
            databases.iter().for_each(|d| self.store.redo_forget_database(d.db_oid));
        }
        if !files.is_empty() {
            self.store.unlink_relations(&files, redo)?;
        }
        databases.iter().try_for_each(|d| self.forget_database(d.spc_oid, d.db_oid))
    }
    pub(crate) fn files_subxact_commit(&self, level: u32) {
        for p in self.pending_files.borrow_mut().iter_mut().filter(|p| p.level >= level) {
            p.level = level - 1;
        }
    }
}
