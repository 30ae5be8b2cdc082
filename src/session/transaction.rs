//! Transaction statements, and what the session does when a transaction ends.

use super::Session;
use common::{Error, Result, bail};
use parser::ast::{DefArg, DefElem, TransactionStmt, TransactionStmtKind as Kind};
use std::rc::Weak;
use transam::{
    Engine, IsolationLevel, SubXactEvent, SubXactId, SyncCommit, XactEvent, XactHook, XactOptions,
};

/// Reads an isolation level.
pub fn isolation(name: &str) -> Result<IsolationLevel> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "serializable" => IsolationLevel::Serializable,
        "repeatable read" => IsolationLevel::RepeatableRead,
        "read uncommitted" => IsolationLevel::ReadUncommitted,
        "read committed" => IsolationLevel::ReadCommitted,
        other => bail!(
            INVALID_PARAMETER_VALUE,
            "invalid value for parameter \"transaction_isolation\": \"{other}\""
        ),
    })
}

/// Reads `synchronous_commit`.
pub fn sync_commit(name: &str) -> SyncCommit {
    match name {
        "off" => SyncCommit::Off,
        "local" => SyncCommit::Local,
        "remote_write" => SyncCommit::RemoteWrite,
        "remote_apply" => SyncCommit::RemoteApply,
        _ => SyncCommit::On,
    }
}

/// The session's part in the end of transactions.
pub struct Hook(pub Weak<Session>);

impl XactHook for Hook {
    fn xact(&self, _engine: &Engine, event: XactEvent) -> Result<()> {
        let Some(s) = self.0.upgrade() else { return Ok(()) };
        match event {
            XactEvent::PreCommit => {
                executor::modify::run_deferred(s.env())?;
                s.portals_before_commit()?;
                s.with_commands(commands::temp::before_commit)?;
                s.engine.notify_before_commit()
            }
            XactEvent::Abort => {
                s.portals_at_abort();
                s.env().deferred.clear();
                Ok(())
            }
            XactEvent::Done { committed } => {
                s.env().deferred.clear();
                s.catalog.temp().at_end(1, committed);
                s.fn_env().large_objects.at_end(1, committed, &s.engine);
                s.settings_at_end(1, committed);
                s.engine.notify_at_end(committed);
                Ok(())
            }
            XactEvent::Commit => Ok(()),
        }
    }
    fn subxact(&self, _engine: &Engine, event: SubXactEvent, id: SubXactId, _parent: SubXactId) {
        let Some(s) = self.0.upgrade() else { return };
        let level = s.engine.nest_level();
        match event {
            SubXactEvent::Start => {}
            SubXactEvent::Commit => {
                s.env().deferred.release(level);
                s.catalog.temp().at_end(level, true);
                s.fn_env().large_objects.at_end(level, true, &s.engine);
                s.settings_at_end(level, true);
                s.engine.notify_at_subend(level, true);
            }
            SubXactEvent::Abort => {
                s.portals_at_subabort(id);
                s.env().deferred.rollback_from(level);
                s.catalog.temp().at_end(level, false);
                s.fn_env().large_objects.at_end(level, false, &s.engine);
                s.settings_at_end(level, false);
                s.engine.notify_at_subend(level, false);
            }
        }
    }
}

impl Session {
    fn settings_at_end(&self, level: u32, commit: bool) {
        let changed = self.settings.borrow_mut().at_end(level, commit);
        if changed {
            self.apply_settings();
        }
    }

    /// BEGIN, COMMIT, SAVEPOINT … Returns the command tag.
    pub(super) fn transaction_statement(&self, t: &TransactionStmt) -> Result<String> {
        let name = || t.savepoint_name.as_deref().unwrap_or("");
        let tag = match t.kind {
            Kind::Begin | Kind::Start => {
                self.engine.begin_block(&XactOptions::default())?;
                for o in &t.options {
                    self.set_transaction_mode(o)?;
                }
                if t.kind == Kind::Begin { "BEGIN" } else { "START TRANSACTION" }
            }
            Kind::Commit => {
                if self.engine.end_block(t.chain)? {
                    "COMMIT"
                } else {
                    "ROLLBACK"
                }
            }
            Kind::Rollback => {
                self.engine.rollback_block(t.chain)?;
                "ROLLBACK"
            }
            Kind::Savepoint => {
                self.engine.require_block(true, "SAVEPOINT")?;
                self.engine.define_savepoint(name())?;
                "SAVEPOINT"
            }
            Kind::Release => {
                self.engine.require_block(true, "RELEASE SAVEPOINT")?;
                self.engine.release_savepoint(name())?;
                "RELEASE"
            }
            Kind::RollbackTo => {
                self.engine.require_block(true, "ROLLBACK TO SAVEPOINT")?;
                self.engine.rollback_to_savepoint(name())?;
                "ROLLBACK"
            }
            Kind::Prepare => {
                if self.engine.in_block() && !self.engine.is_aborted_block() {
                    // The transaction ends whatever comes out, as at a COMMIT that fails.
                    self.engine.rollback_block(false)?;
                    return Err(self.no_prepared_transactions());
                }
                self.engine.end_block(false)?;
                "ROLLBACK"
            }
            Kind::CommitPrepared | Kind::RollbackPrepared => {
                let what =
                    if t.kind == Kind::CommitPrepared { "COMMIT PREPARED" } else { "ROLLBACK PREPARED" };
                self.engine.prevent_in_block(true, what)?;
                let gid = t.gid.as_deref().unwrap_or("");
                bail!(UNDEFINED_OBJECT, "prepared transaction with identifier \"{gid}\" does not exist");
            }
        };
        Ok(tag.to_string())
    }

    /// Two-phase commit is switched off unless the settings say otherwise, and does not exist when they do.
    fn no_prepared_transactions(&self) -> Error {
        if self.settings.borrow().int("max_prepared_transactions") > 0 {
            return Error::unsupported("two-phase commit");
        }
        common::err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "prepared transactions are disabled")
            .hint("Set max_prepared_transactions to a nonzero value.")
    }

    /// ISOLATION LEVEL, READ ONLY, DEFERRABLE of BEGIN and SET TRANSACTION.
    pub(super) fn set_transaction_mode(&self, o: &DefElem) -> Result<()> {
        self.set_setting(&o.defname, Some(&mode_value(o)?), common::settings::Scope::Local)
    }
}

/// The value of a transaction mode as text.
pub fn mode_value(o: &DefElem) -> Result<String> {
    match &o.arg {
        Some(DefArg::String(s)) => Ok(s.clone()),
        Some(DefArg::Boolean(b)) => Ok(b.to_string()),
        Some(DefArg::Integer(i)) => Ok((*i != 0).to_string()),
        other => Err(Error::internal(format!("transaction mode {other:?}"))),
    }
}
