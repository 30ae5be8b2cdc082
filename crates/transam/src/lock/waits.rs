//! The locks by name: relations, row versions, other transactions, speculative insertions, advisory locks.

use super::{LockMode, LockOutcome, LockTag};
use crate::{Engine, MemberStatus};
use common::{MultiXactId, Oid, Result, Tid, Xid};
use std::time::Duration;

/// A relation lock that ends with its guard.
pub struct BriefLock<'e> {
    eng: &'e Engine,
    db: Oid,
    rel: Oid,
    mode: LockMode,
}

impl Drop for BriefLock<'_> {
    fn drop(&mut self) {
        self.eng.unlock_relation(self.db, self.rel, self.mode);
    }
}

impl Engine {
    /// Locks a relation for one read or change by storage's own code (catalogs, TOAST tables). It keeps VACUUM from
    /// cutting the file's end under the change. Invalidations are not accepted here: the caller may be in the middle of
    /// filling a cache.
    pub fn lock_briefly(&self, db: Oid, rel: Oid, mode: LockMode) -> Result<BriefLock<'_>> {
        self.lock(LockTag::relation(db, rel), mode, false, false)?;
        Ok(BriefLock { eng: self, db, rel, mode })
    }
    /// Locks a relation until the end of the transaction, then accepts invalidations. `db` 0: shared relation.
    pub fn lock_relation(&self, db: Oid, rel: Oid, mode: LockMode) -> Result<()> {
        // A lock already held means that nobody can have changed what this process knows of the relation.
        if self.lock(LockTag::relation(db, rel), mode, false, false)? == LockOutcome::Acquired {
            self.accept_invalidations();
        }
        Ok(())
    }
    /// The same without waiting; false: not available.
    pub fn try_lock_relation(&self, db: Oid, rel: Oid, mode: LockMode) -> Result<bool> {
        match self.lock(LockTag::relation(db, rel), mode, false, true)? {
            LockOutcome::NotAvailable => Ok(false),
            LockOutcome::AlreadyHeld => Ok(true),
            LockOutcome::Acquired => {
                self.accept_invalidations();
                Ok(true)
            }
        }
    }
    /// Gives it back before the end of the transaction.
    pub fn unlock_relation(&self, db: Oid, rel: Oid, mode: LockMode) {
        self.unlock(LockTag::relation(db, rel), mode, false);
    }
    /// Locks a catalog object (schema, role, database …) against concurrent drops.
    pub fn lock_object(&self, db: Oid, class: Oid, object: Oid, sub: u16, mode: LockMode) -> Result<()> {
        if self.lock(LockTag::object(db, class, object, sub), mode, false, false)? == LockOutcome::Acquired {
            self.accept_invalidations();
        }
        Ok(())
    }
    /// Gives it back before the end of the transaction.
    pub fn unlock_object(&self, db: Oid, class: Oid, object: Oid, sub: u16, mode: LockMode) {
        self.unlock(LockTag::object(db, class, object, sub), mode, false);
    }
    /// Locks a row version's place in the line.
    pub fn lock_tuple(&self, db: Oid, rel: Oid, tid: Tid, mode: LockMode, dont_wait: bool) -> Result<bool> {
        Ok(self.lock(LockTag::tuple(db, rel, tid), mode, false, dont_wait)? != LockOutcome::NotAvailable)
    }
    /// Gives it back.
    pub fn unlock_tuple(&self, db: Oid, rel: Oid, tid: Tid, mode: LockMode) {
        self.unlock(LockTag::tuple(db, rel, tid), mode, false);
    }

    /// Waits until a transaction is over. The closure adds a CONTEXT line to errors ("while updating tuple …").
    pub fn wait_for_xid(&self, xid: Xid, context: &dyn Fn() -> Option<String>) -> Result<()> {
        self.wait_for_xid_inner(xid).map_err(|e| match context() {
            Some(line) => e.context(line),
            None => e,
        })
    }
    fn wait_for_xid_inner(&self, xid: Xid) -> Result<()> {
        let mut xid = xid;
        let mut first = true;
        loop {
            self.lock(LockTag::transaction(xid), LockMode::Share, false, false)?;
            self.unlock(LockTag::transaction(xid), LockMode::Share, false);
            if !self.xid_is_in_progress(xid) {
                return Ok(());
            }
            // A committed subtransaction's lock is gone while its parent runs on; and an id is visible a moment before its
            // lock is taken.
            if !first {
                self.check_interrupts()?;
                std::thread::sleep(Duration::from_millis(1));
            }
            first = false;
            xid = self.top_parent_xid(xid)?;
        }
    }
    /// Is it over? Does not wait.
    pub fn try_wait_for_xid(&self, xid: Xid) -> Result<bool> {
        let mut xid = xid;
        loop {
            if self.lock(LockTag::transaction(xid), LockMode::Share, false, true)?
                == LockOutcome::NotAvailable
            {
                return Ok(false);
            }
            self.unlock(LockTag::transaction(xid), LockMode::Share, false);
            if !self.xid_is_in_progress(xid) {
                return Ok(true);
            }
            let top = self.top_parent_xid(xid)?;
            if top == xid {
                return Ok(false);
            }
            xid = top;
        }
    }
    /// Waits until all running members that conflict are over.
    pub fn wait_for_multixact(
        &self,
        multi: MultiXactId,
        conflicts: &dyn Fn(MemberStatus) -> bool,
        context: &dyn Fn() -> Option<String>,
    ) -> Result<()> {
        for m in self.multixact_members(multi)?.iter() {
            if !self.is_current_xid(m.xid) && conflicts(m.status) {
                self.wait_for_xid(m.xid, context)?;
            }
        }
        Ok(())
    }
    /// Would `wait_for_multixact` return at once?
    pub fn try_wait_for_multixact(
        &self,
        multi: MultiXactId,
        conflicts: &dyn Fn(MemberStatus) -> bool,
    ) -> Result<bool> {
        for m in self.multixact_members(multi)?.iter() {
            if !self.is_current_xid(m.xid) && conflicts(m.status) && !self.try_wait_for_xid(m.xid)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Begins a speculative insertion; returns its token.
    pub fn speculative_begin(&self, xid: Xid) -> Result<u32> {
        let t = self.speculative_token.get().wrapping_add(1).max(1);
        self.speculative_token.set(t);
        self.lock(LockTag::speculative(xid, t), LockMode::Exclusive, false, false)?;
        Ok(t)
    }
    /// Ends it.
    pub fn speculative_end(&self, xid: Xid, token: u32) {
        self.unlock(LockTag::speculative(xid, token), LockMode::Exclusive, false);
    }
    /// Waits for another's speculative insertion.
    pub fn speculative_wait(&self, xid: Xid, token: u32) -> Result<()> {
        let tag = LockTag::speculative(xid, token);
        self.lock(tag, LockMode::Share, false, false)?;
        self.unlock(tag, LockMode::Share, false);
        Ok(())
    }

    /// Advisory lock. `shared`, `session`; with `dont_wait` false means not available.
    pub fn advisory_lock(&self, tag: LockTag, shared: bool, session: bool, dont_wait: bool) -> Result<bool> {
        let mode = if shared { LockMode::Share } else { LockMode::Exclusive };
        Ok(self.lock(tag, mode, session, dont_wait)? != LockOutcome::NotAvailable)
    }
    /// Gives a session-level advisory lock back; false (the caller warns) if it was not held.
    pub fn advisory_unlock(&self, tag: LockTag, shared: bool) -> bool {
        let mode = if shared { LockMode::Share } else { LockMode::Exclusive };
        self.unlock(tag, mode, true)
    }
}
