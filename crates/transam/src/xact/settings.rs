//! Characteristics of transactions: isolation, read only, deferrable, and times.

use super::state::Trans;
use super::words::{IsolationLevel, SyncCommit};
use crate::Engine;
use common::{Result, bail};

impl Engine {
    /// Isolation of the running transaction.
    pub fn isolation(&self) -> IsolationLevel {
        self.xact.borrow().isolation
    }
    /// Session default of the isolation level.
    pub fn default_isolation(&self) -> IsolationLevel {
        self.defaults.get().0
    }
    /// SET TRANSACTION ISOLATION LEVEL. 25001 after the first query.
    pub fn set_isolation(&self, l: IsolationLevel) -> Result<()> {
        if l != self.isolation() && self.in_transaction() {
            if self.snaps.borrow().first_taken() {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query"
                );
            }
            if self.nest_level() > 1 {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"
                );
            }
        }
        self.xact.borrow_mut().isolation = l;
        Ok(())
    }
    /// Is the transaction forbidden to write?
    pub fn read_only(&self) -> bool {
        self.xact.borrow().read_only
    }
    /// SET TRANSACTION READ ONLY / READ WRITE. 25001 when it comes too late.
    pub fn set_read_only(&self, ro: bool) -> Result<()> {
        if !ro && self.read_only() && self.in_transaction() {
            let sub_of_read_only = self.nest_level() > 1 && self.xact.borrow().cur().read_only_before;
            if sub_of_read_only {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "cannot set transaction read-write mode inside a read-only transaction"
                );
            }
            if self.snaps.borrow().first_taken() {
                bail!(ACTIVE_SQL_TRANSACTION, "transaction read-write mode must be set before any query");
            }
        }
        self.xact.borrow_mut().read_only = ro;
        Ok(())
    }
    /// Is it DEFERRABLE?
    pub fn deferrable(&self) -> bool {
        self.xact.borrow().deferrable
    }
    /// SET TRANSACTION DEFERRABLE.
    pub fn set_deferrable(&self, d: bool) -> Result<()> {
        if self.in_transaction() {
            if self.nest_level() > 1 {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction"
                );
            }
            if self.snaps.borrow().first_taken() {
                bail!(
                    ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"
                );
            }
        }
        self.xact.borrow_mut().deferrable = d;
        Ok(())
    }
    /// Session defaults: isolation, read only, deferrable.
    pub fn set_defaults(&self, isolation: IsolationLevel, read_only: bool, deferrable: bool) {
        self.defaults.set((isolation, read_only, deferrable));
    }
    /// `synchronous_commit`.
    pub fn set_sync_commit(&self, s: SyncCommit) {
        self.sync_commit.set(s);
    }
    /// `log_lock_waits`
    pub fn set_log_lock_waits(&self, on: bool) {
        self.log_lock_waits.set(on);
    }
    /// `max_pred_locks_per_page`, `…_per_relation` (negative: that fraction of the last), `…_per_transaction`.
    pub fn set_read_limits(&self, per_page: i64, per_relation: i64, per_transaction: i64) {
        let parts = match per_relation {
            n if n < 0 => per_transaction / n.saturating_neg() - 1,
            n => n,
        };
        self.ssi_local.limits.set(crate::ssi::Limits {
            rows_of_page: usize::try_from(per_page).unwrap_or(0),
            parts_of_relation: usize::try_from(parts).unwrap_or(0),
        });
    }
    /// `deadlock_timeout` and `lock_timeout` (0: none), milliseconds.
    pub fn set_lock_timeouts(&self, deadlock_ms: i64, lock_ms: i64) {
        self.deadlock_timeout_ms.set(deadlock_ms);
        self.lock_timeout_ms.set(lock_ms);
    }
    /// `now()`: start of the transaction, microseconds since 2000.
    pub fn transaction_timestamp(&self) -> i64 {
        self.xact.borrow().started_at
    }
    /// Start of the statement.
    pub fn statement_timestamp(&self) -> i64 {
        self.statement_at.get()
    }
    /// A statement's message arrived.
    pub fn set_statement_timestamp(&self, t: i64) {
        self.statement_at.set(t);
    }
    /// In a transaction that can do work?
    pub fn in_transaction(&self) -> bool {
        self.xact.borrow().cur().trans == Trans::InProgress
    }
}
