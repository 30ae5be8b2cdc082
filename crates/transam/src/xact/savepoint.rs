//! SAVEPOINT, RELEASE, ROLLBACK TO, and the subtransactions that procedural languages open.

use super::block::unexpected;
use super::state::Block;
use crate::Engine;
use common::{Error, Result, bail, err};

fn no_such(name: &str) -> Error {
    err!(S_E_INVALID_SPECIFICATION, "savepoint \"{name}\" does not exist")
}

impl Engine {
    /// SAVEPOINT.
    pub fn define_savepoint(&self, name: &str) -> Result<()> {
        match self.block() {
            Block::InProgress | Block::SubInProgress => self.push_level(Some(name), Block::SubBegin),
            Block::ImplicitInProgress => {
                bail!(NO_ACTIVE_SQL_TRANSACTION, "SAVEPOINT can only be used in transaction blocks")
            }
            other => Err(unexpected("SAVEPOINT", other)),
        }
    }
    /// Position of the innermost savepoint of that name.
    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let x = self.xact.borrow();
        x.levels.iter().rposition(|l| l.name.as_deref() == Some(name)).ok_or_else(|| no_such(name))
    }
    /// RELEASE.
    pub fn release_savepoint(&self, name: &str) -> Result<()> {
        match self.block() {
            Block::InProgress => return Err(no_such(name)),
            Block::ImplicitInProgress => {
                bail!(NO_ACTIVE_SQL_TRANSACTION, "RELEASE SAVEPOINT can only be used in transaction blocks")
            }
            Block::SubInProgress => {}
            other => return Err(unexpected("RELEASE SAVEPOINT", other)),
        }
        let at = self.find_savepoint(name)?;
        self.xact.borrow_mut().levels[at..].iter_mut().for_each(|l| l.block = Block::SubRelease);
        Ok(())
    }
    /// ROLLBACK TO.
    pub fn rollback_to_savepoint(&self, name: &str) -> Result<()> {
        match self.block() {
            Block::InProgress | Block::Abort => return Err(no_such(name)),
            Block::ImplicitInProgress => {
                bail!(
                    NO_ACTIVE_SQL_TRANSACTION,
                    "ROLLBACK TO SAVEPOINT can only be used in transaction blocks"
                )
            }
            Block::SubInProgress | Block::SubAbort => {}
            other => return Err(unexpected("ROLLBACK TO SAVEPOINT", other)),
        }
        let at = self.find_savepoint(name)?;
        let mut x = self.xact.borrow_mut();
        for l in &mut x.levels[at + 1..] {
            l.block = if l.block == Block::SubAbort { Block::SubAbortEnd } else { Block::SubAbortPending };
        }
        let l = &mut x.levels[at];
        l.block = if l.block == Block::SubAbort { Block::SubAbortRestart } else { Block::SubRestart };
        Ok(())
    }

    /// An internal subtransaction (exception blocks of procedural languages).
    pub fn begin_subxact(&self, name: Option<&str>) -> Result<()> {
        match self.block() {
            Block::Started
            | Block::InProgress
            | Block::ImplicitInProgress
            | Block::SubInProgress
            | Block::End => {}
            other => return Err(unexpected("subtransaction", other)),
        }
        self.command_counter_increment()?;
        self.push_level(name, Block::SubBegin)?;
        self.start_subtransaction();
        self.set_block(Block::SubInProgress);
        Ok(())
    }
    /// Commits it.
    pub fn release_subxact(&self) -> Result<()> {
        if self.block() != Block::SubInProgress {
            return Err(unexpected("end of subtransaction", self.block()));
        }
        self.commit_subtransaction()
    }
    /// Undoes it, whether it is live or failed.
    pub fn rollback_subxact(&self) -> Result<()> {
        match self.block() {
            Block::SubInProgress => self.abort_subtransaction(),
            Block::SubAbort => {}
            other => return Err(unexpected("rollback of subtransaction", other)),
        }
        self.pop_level();
        Ok(())
    }
}
