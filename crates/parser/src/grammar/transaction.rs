//! BEGIN, COMMIT, ROLLBACK, savepoints, two-phase commit, and transaction modes.

use super::Parser;
use crate::ast::{DefArg, DefElem, Statement, TransactionStmt, TransactionStmtKind};
use crate::keywords::Kw;
use common::Result;

fn transaction(kind: TransactionStmtKind) -> TransactionStmt {
    TransactionStmt { kind, options: Vec::new(), savepoint_name: None, gid: None, chain: false }
}

impl Parser<'_> {
    pub(crate) fn transaction_stmt(&mut self) -> Result<Statement> {
        use TransactionStmtKind as Kind;
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        self.skip()?;
        let mut stmt = transaction(Kind::Begin);
        match kw {
            Kw::Begin => {
                self.opt_transaction_word()?;
                stmt.options = self.opt_transaction_modes()?;
            }
            Kw::Start => {
                self.expect_kw(Kw::Transaction)?;
                stmt.kind = Kind::Start;
                stmt.options = self.opt_transaction_modes()?;
            }
            Kw::Commit | Kw::Rollback if self.at_kw(Kw::Prepared) => {
                self.skip()?;
                stmt.kind = if kw == Kw::Commit { Kind::CommitPrepared } else { Kind::RollbackPrepared };
                stmt.gid = Some(self.sconst()?);
            }
            Kw::Commit | Kw::End => {
                self.opt_transaction_word()?;
                stmt.kind = Kind::Commit;
                stmt.chain = self.opt_chain()?;
            }
            Kw::Abort => {
                self.opt_transaction_word()?;
                stmt.kind = Kind::Rollback;
                stmt.chain = self.opt_chain()?;
            }
            Kw::Rollback => {
                self.opt_transaction_word()?;
                if self.eat_kw(Kw::To)? {
                    stmt.kind = Kind::RollbackTo;
                    stmt.savepoint_name = Some(self.savepoint_name()?);
                } else {
                    stmt.kind = Kind::Rollback;
                    stmt.chain = self.opt_chain()?;
                }
            }
            Kw::Savepoint => {
                stmt.kind = Kind::Savepoint;
                stmt.savepoint_name = Some(self.col_id()?);
            }
            _ => {
                stmt.kind = Kind::Release;
                stmt.savepoint_name = Some(self.savepoint_name()?);
            }
        }
        Ok(Statement::Transaction(Box::new(stmt)))
    }

    /// `PREPARE TRANSACTION 'gid'`; PREPARE has been read.
    pub(crate) fn prepare_transaction(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut stmt = transaction(TransactionStmtKind::Prepare);
        stmt.gid = Some(self.sconst()?);
        Ok(Statement::Transaction(Box::new(stmt)))
    }

    fn opt_transaction_word(&mut self) -> Result<()> {
        self.eat_one_of(&[Kw::Work, Kw::Transaction])?;
        Ok(())
    }

    fn savepoint_name(&mut self) -> Result<String> {
        if self.at_kw(Kw::Savepoint) && super::name::is_col_id(self.peek()) {
            self.skip()?;
        }
        self.col_id()
    }

    /// `AND [NO] CHAIN`
    fn opt_chain(&mut self) -> Result<bool> {
        if !self.eat_kw(Kw::And)? {
            return Ok(false);
        }
        let no = self.eat_kw(Kw::No)?;
        self.expect_kw(Kw::Chain)?;
        Ok(!no)
    }

    fn at_transaction_mode(&self) -> bool {
        matches!(self.kw(), Some(Kw::Isolation | Kw::Read | Kw::Deferrable | Kw::Not))
    }

    fn opt_transaction_modes(&mut self) -> Result<Vec<DefElem>> {
        if self.at_transaction_mode() { self.transaction_modes() } else { Ok(Vec::new()) }
    }

    /// Modes with or without commas between them.
    pub(crate) fn transaction_modes(&mut self) -> Result<Vec<DefElem>> {
        let mut modes = vec![self.transaction_mode()?];
        loop {
            if self.eat_char(b',')? || self.at_transaction_mode() {
                modes.push(self.transaction_mode()?);
            } else {
                return Ok(modes);
            }
        }
    }

    fn transaction_mode(&mut self) -> Result<DefElem> {
        let at = self.tok.start;
        match self.eat_one_of(&[Kw::Isolation, Kw::Read, Kw::Deferrable, Kw::Not])? {
            Some(Kw::Isolation) => {
                self.expect_kw(Kw::Level)?;
                let level = self.isolation_level()?;
                Ok(DefElem::new("transaction_isolation", Some(DefArg::String(level.to_string())), at))
            }
            Some(Kw::Read) => {
                let only = match self.eat_one_of(&[Kw::Only, Kw::Write])? {
                    Some(kw) => kw == Kw::Only,
                    None => return Err(self.syntax_error()),
                };
                Ok(DefElem::new("transaction_read_only", Some(DefArg::Boolean(only)), at))
            }
            Some(Kw::Deferrable) => {
                Ok(DefElem::new("transaction_deferrable", Some(DefArg::Boolean(true)), at))
            }
            Some(_) => {
                self.expect_kw(Kw::Deferrable)?;
                Ok(DefElem::new("transaction_deferrable", Some(DefArg::Boolean(false)), at))
            }
            None => Err(self.syntax_error()),
        }
    }

    fn isolation_level(&mut self) -> Result<&'static str> {
        match self.eat_one_of(&[Kw::Read, Kw::Repeatable, Kw::Serializable])? {
            Some(Kw::Read) => match self.eat_one_of(&[Kw::Uncommitted, Kw::Committed])? {
                Some(Kw::Uncommitted) => Ok("read uncommitted"),
                Some(_) => Ok("read committed"),
                None => Err(self.syntax_error()),
            },
            Some(Kw::Repeatable) => {
                self.expect_kw(Kw::Read)?;
                Ok("repeatable read")
            }
            Some(_) => Ok("serializable"),
            None => Err(self.syntax_error()),
        }
    }
}
