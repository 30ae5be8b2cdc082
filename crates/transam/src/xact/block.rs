//! Transaction blocks: what BEGIN, COMMIT, ROLLBACK and errors do to the state. The statements only note what was asked;
//! the work is done at the end of the command (`commit_command`) or after an error (`abort_command`), as in
//! PostgreSQL, whose states and messages these are.

use super::state::{Block, Trans};
use super::words::{IsolationLevel, XactOptions};
use crate::Engine;
use common::{Error, Result, SqlState, bail, err};

const NO_BLOCK: &str = "there is no transaction in progress";

/// Characteristics that AND CHAIN hands on.
type Characteristics = (IsolationLevel, bool, bool);

impl Engine {
    /// Before each command: starts a transaction if none runs.
    pub fn start_command(&self) -> Result<()> {
        if self.block() == Block::Default {
            self.start_transaction()?;
            self.set_block(Block::Started);
        }
        Ok(())
    }
    fn characteristics(&self) -> Characteristics {
        let x = self.xact.borrow();
        (x.isolation, x.read_only, x.deferrable)
    }
    fn chain_or_default(&self, c: Characteristics) -> Result<()> {
        let chain = std::mem::take(&mut self.xact.borrow_mut().top().chain);
        self.set_block(Block::Default);
        if chain {
            self.start_transaction()?;
            let mut x = self.xact.borrow_mut();
            (x.isolation, x.read_only, x.deferrable) = c;
            x.top().block = Block::InProgress;
        }
        Ok(())
    }
    /// After each command that succeeded: commits unless in a block, or does what BEGIN, COMMIT … asked for.
    pub fn commit_command(&self) -> Result<()> {
        let c = self.characteristics();
        loop {
            match self.block() {
                Block::Default | Block::Abort | Block::SubAbort => return Ok(()),
                Block::Started => {
                    self.commit_transaction()?;
                    self.set_block(Block::Default);
                    return Ok(());
                }
                Block::Begin => {
                    self.set_block(Block::InProgress);
                    return Ok(());
                }
                Block::InProgress | Block::ImplicitInProgress | Block::SubInProgress => {
                    self.command_counter_increment()?;
                    self.reset_xmin_if_idle();
                    return Ok(());
                }
                Block::End => {
                    self.commit_transaction()?;
                    return self.chain_or_default(c);
                }
                Block::AbortEnd => {
                    self.cleanup_transaction();
                    return self.chain_or_default(c);
                }
                Block::AbortPending => {
                    self.abort_transaction();
                    self.cleanup_transaction();
                    return self.chain_or_default(c);
                }
                Block::SubBegin => {
                    self.start_subtransaction();
                    self.set_block(Block::SubInProgress);
                    return Ok(());
                }
                Block::SubRelease => {
                    while self.block() == Block::SubRelease {
                        self.commit_subtransaction()?;
                    }
                    return Ok(());
                }
                Block::SubCommit => {
                    while self.block() == Block::SubCommit {
                        self.commit_subtransaction()?;
                    }
                }
                Block::SubAbortEnd => self.pop_level(),
                Block::SubAbortPending => {
                    self.abort_subtransaction();
                    self.pop_level();
                }
                Block::SubRestart => {
                    self.abort_subtransaction();
                    return self.restart_savepoint();
                }
                Block::SubAbortRestart => return self.restart_savepoint(),
            }
        }
    }
    /// ROLLBACK TO: the undone level is replaced by a fresh one of the same name.
    fn restart_savepoint(&self) -> Result<()> {
        let name = self.xact.borrow().cur().name.clone();
        self.pop_level();
        self.push_level(name.as_deref(), Block::SubBegin)?;
        self.start_subtransaction();
        self.set_block(Block::SubInProgress);
        Ok(())
    }
    /// After an error: aborts, or marks the block as failed.
    pub fn abort_command(&self) {
        loop {
            match self.block() {
                Block::Default => {
                    if self.xact.borrow().cur().trans != Trans::Idle {
                        self.abort_transaction();
                        self.cleanup_transaction();
                    }
                    return;
                }
                Block::Started
                | Block::ImplicitInProgress
                | Block::Begin
                | Block::End
                | Block::AbortPending => {
                    if self.xact.borrow().cur().trans != Trans::Idle {
                        self.abort_transaction();
                        self.cleanup_transaction();
                    }
                    self.xact.borrow_mut().top().chain = false;
                    self.set_block(Block::Default);
                    return;
                }
                Block::InProgress => {
                    self.abort_transaction();
                    self.set_block(Block::Abort);
                    return;
                }
                Block::Abort | Block::SubAbort => return,
                Block::AbortEnd => {
                    self.cleanup_transaction();
                    self.set_block(Block::Default);
                    return;
                }
                Block::SubInProgress => {
                    self.abort_subtransaction();
                    self.set_block(Block::SubAbort);
                    return;
                }
                Block::SubBegin
                | Block::SubRelease
                | Block::SubCommit
                | Block::SubAbortPending
                | Block::SubRestart => {
                    self.abort_subtransaction();
                    self.pop_level();
                }
                Block::SubAbortEnd | Block::SubAbortRestart => self.pop_level(),
            }
        }
    }
    /// Ends everything, whatever the state (end of session).
    pub fn abort_any(&self) {
        if self.xact.borrow().levels[0].trans == Trans::InProgress {
            self.abort_transaction();
        }
        self.xact.borrow_mut().levels.truncate(1);
        if self.xact.borrow().cur().trans != Trans::Idle {
            self.cleanup_transaction();
        }
        self.set_block(Block::Default);
    }

    /// BEGIN.
    pub fn begin_block(&self, o: &XactOptions) -> Result<()> {
        match self.block() {
            Block::Started | Block::ImplicitInProgress => self.set_block(Block::Begin),
            Block::InProgress | Block::SubInProgress | Block::Abort | Block::SubAbort => {
                self.warn(SqlState::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress");
            }
            other => return Err(unexpected("BEGIN", other)),
        }
        if let Some(i) = o.isolation {
            self.set_isolation(i)?;
        }
        if let Some(r) = o.read_only {
            self.set_read_only(r)?;
        }
        if let Some(d) = o.deferrable {
            self.set_deferrable(d)?;
        }
        Ok(())
    }
    /// COMMIT. False: the tag has to say ROLLBACK.
    pub fn end_block(&self, chain: bool) -> Result<bool> {
        let no_chain =
            || err!(NO_ACTIVE_SQL_TRANSACTION, "COMMIT AND CHAIN can only be used in transaction blocks");
        let done = match self.block() {
            Block::InProgress => {
                self.set_block(Block::End);
                true
            }
            Block::ImplicitInProgress => {
                if chain {
                    return Err(no_chain());
                }
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, NO_BLOCK);
                self.set_block(Block::End);
                true
            }
            Block::Abort => {
                self.set_block(Block::AbortEnd);
                false
            }
            Block::SubInProgress => {
                self.mark_levels(|b| match b {
                    Block::SubInProgress => Some(Block::SubCommit),
                    Block::InProgress => Some(Block::End),
                    _ => None,
                })?;
                true
            }
            Block::SubAbort => {
                self.mark_for_rollback()?;
                false
            }
            Block::Started => {
                if chain {
                    return Err(no_chain());
                }
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, NO_BLOCK);
                true
            }
            other => return Err(unexpected("COMMIT", other)),
        };
        self.xact.borrow_mut().levels[0].chain = chain;
        Ok(done)
    }
    /// ROLLBACK.
    pub fn rollback_block(&self, chain: bool) -> Result<()> {
        match self.block() {
            Block::InProgress => self.set_block(Block::AbortPending),
            Block::Abort => self.set_block(Block::AbortEnd),
            Block::SubInProgress | Block::SubAbort => self.mark_for_rollback()?,
            Block::Started | Block::ImplicitInProgress => {
                if chain {
                    bail!(
                        NO_ACTIVE_SQL_TRANSACTION,
                        "ROLLBACK AND CHAIN can only be used in transaction blocks"
                    );
                }
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, NO_BLOCK);
                self.set_block(Block::AbortPending);
            }
            other => return Err(unexpected("ROLLBACK", other)),
        }
        self.xact.borrow_mut().levels[0].chain = chain;
        Ok(())
    }
    fn mark_for_rollback(&self) -> Result<()> {
        self.mark_levels(|b| match b {
            Block::SubInProgress => Some(Block::SubAbortPending),
            Block::SubAbort => Some(Block::SubAbortEnd),
            Block::InProgress => Some(Block::AbortPending),
            Block::Abort => Some(Block::AbortEnd),
            _ => None,
        })
    }
    fn mark_levels(&self, f: impl Fn(Block) -> Option<Block>) -> Result<()> {
        for l in self.xact.borrow_mut().levels.iter_mut().rev() {
            l.block = f(l.block).ok_or_else(|| unexpected("end of block", l.block))?;
        }
        Ok(())
    }
    /// Several statements in one simple-query message form an implicit block.
    pub fn begin_implicit_block(&self) {
        if self.block() == Block::Started {
            self.set_block(Block::ImplicitInProgress);
        }
    }
    /// Ends it.
    pub fn end_implicit_block(&self) {
        if self.block() == Block::ImplicitInProgress {
            self.set_block(Block::Started);
        }
    }

    /// Fails with 25001 if in a block: `stmt` "cannot run inside a transaction block".
    pub fn prevent_in_block(&self, top_level: bool, stmt: &str) -> Result<()> {
        if self.in_block() {
            bail!(ACTIVE_SQL_TRANSACTION, "{stmt} cannot run inside a transaction block");
        }
        if self.nest_level() > 1 {
            bail!(ACTIVE_SQL_TRANSACTION, "{stmt} cannot run inside a subtransaction");
        }
        if !top_level {
            bail!(ACTIVE_SQL_TRANSACTION, "{stmt} cannot be executed from a function");
        }
        Ok(())
    }
    fn is_in_block(&self, top_level: bool) -> bool {
        self.in_block() || self.nest_level() > 1 || !top_level
    }
    /// Fails with 25P01 if not in a block: `stmt` "can only be used in transaction blocks".
    pub fn require_block(&self, top_level: bool, stmt: &str) -> Result<()> {
        if !self.is_in_block(top_level) {
            bail!(NO_ACTIVE_SQL_TRANSACTION, "{stmt} can only be used in transaction blocks");
        }
        Ok(())
    }
    /// Warns with 25P01 if not in a block (SET LOCAL …).
    pub fn warn_no_block(&self, top_level: bool, stmt: &str) {
        if !self.is_in_block(top_level) {
            self.warn(
                SqlState::NO_ACTIVE_SQL_TRANSACTION,
                &format!("{stmt} can only be used in transaction blocks"),
            );
        }
    }
    /// Is the block failed: only COMMIT and ROLLBACK (TO) are accepted?
    pub fn is_aborted_block(&self) -> bool {
        matches!(self.block(), Block::Abort | Block::SubAbort)
    }
    /// 25P02.
    pub fn aborted_error(&self) -> Error {
        err!(
            IN_FAILED_SQL_TRANSACTION,
            "current transaction is aborted, commands ignored until end of transaction block"
        )
    }
    /// In a block, explicit or implicit, failed or not?
    pub fn in_block(&self) -> bool {
        !matches!(self.block(), Block::Default | Block::Started)
    }
    /// ReadyForQuery's byte: `I`, `T` or `E`.
    pub fn status_byte(&self) -> u8 {
        match self.block() {
            Block::Default | Block::Started => b'I',
            Block::Abort
            | Block::SubAbort
            | Block::AbortEnd
            | Block::SubAbortEnd
            | Block::AbortPending
            | Block::SubAbortPending
            | Block::SubRestart
            | Block::SubAbortRestart => b'E',
            _ => b'T',
        }
    }
}

pub(super) fn unexpected(what: &str, b: Block) -> Error {
    Error::internal(format!("{what}: unexpected state {b:?}")).fatal()
}
