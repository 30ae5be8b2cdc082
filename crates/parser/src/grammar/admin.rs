//! Databases, tablespaces, ALTER SYSTEM.

use super::Parser;
use crate::ast::{
    AlterDatabaseRefreshCollStmt, AlterDatabaseSetStmt, AlterDatabaseStmt, AlterOwnerStmt, AlterSystemStmt,
    AlterTableSpaceOptionsStmt, CreateTableSpaceStmt, CreatedbStmt, DefArg, DefElem, DropBehavior, ObjectRef,
    ObjectType, RenameStmt, Statement,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    /// CREATE DATABASE; the present token is DATABASE.
    pub(crate) fn create_database(&mut self) -> Result<Statement> {
        self.skip()?;
        let dbname = self.col_id()?;
        self.opt_with()?;
        let options = self.database_options()?;
        Ok(Statement::CreateDatabase(Box::new(CreatedbStmt { dbname, options })))
    }

    fn at_database_option(&self) -> bool {
        matches!(
            self.tok.kind,
            T::Ident
                | T::Kw(
                    Kw::Connection | Kw::Encoding | Kw::Location | Kw::Owner | Kw::Tablespace | Kw::Template
                )
        )
    }

    fn database_options(&mut self) -> Result<Vec<DefElem>> {
        let mut options = Vec::new();
        while self.at_database_option() {
            let at = self.tok.start;
            let name = if self.eat_kw(Kw::Connection)? {
                self.expect_kw(Kw::Limit)?;
                "connection_limit".to_string()
            } else {
                self.word()?
            };
            self.eat_char(b'=')?;
            let arg = match self.kind() {
                T::Kw(Kw::Default) => {
                    self.skip()?;
                    None
                }
                T::IConst | T::FConst | T::Char(b'+' | b'-') => Some(self.numeric_arg()?),
                _ => Some(DefArg::String(self.boolean_or_string()?)),
            };
            options.push(DefElem::new(name, arg, at));
        }
        Ok(options)
    }

    /// ALTER DATABASE; that word has been read.
    pub(crate) fn alter_database(&mut self) -> Result<Statement> {
        let dbname = self.col_id()?;
        match self.kw() {
            Some(Kw::Rename) => {
                self.skip()?;
                self.expect_kw(Kw::To)?;
                Ok(rename_simple(ObjectType::Database, dbname, self.col_id()?))
            }
            Some(Kw::Owner) if self.peek_is_kw(Kw::To) => {
                self.skip()?;
                self.skip()?;
                let newowner = self.role_spec()?;
                let object = ObjectRef::Name(vec![dbname]);
                let object_type = ObjectType::Database;
                Ok(Statement::AlterOwner(Box::new(AlterOwnerStmt { object_type, object, newowner })))
            }
            Some(Kw::Set) if self.peek_is_kw(Kw::Tablespace) && !self.third_sets_variable() => {
                self.skip()?;
                let at = self.skip()?;
                let tablespace = self.col_id()?;
                let options = vec![DefElem::new("tablespace", Some(DefArg::String(tablespace)), at)];
                Ok(Statement::AlterDatabase(Box::new(AlterDatabaseStmt { dbname, options })))
            }
            Some(Kw::Set | Kw::Reset) => {
                let setstmt = self.set_reset_clause()?;
                Ok(Statement::AlterDatabaseSet(Box::new(AlterDatabaseSetStmt { dbname, setstmt })))
            }
            Some(Kw::Refresh) => {
                self.skip()?;
                self.expect_kws(&[Kw::Collation, Kw::Version])?;
                Ok(Statement::AlterDatabaseRefreshColl(AlterDatabaseRefreshCollStmt { dbname }))
            }
            _ => {
                self.opt_with()?;
                let options = self.database_options()?;
                Ok(Statement::AlterDatabase(Box::new(AlterDatabaseStmt { dbname, options })))
            }
        }
    }

    /// ALTER SYSTEM; that word has been read.
    pub(crate) fn alter_system(&mut self) -> Result<Statement> {
        let setstmt = self.system_set_reset()?;
        Ok(Statement::AlterSystem(Box::new(AlterSystemStmt { setstmt })))
    }

    /// CREATE TABLESPACE; the present token is TABLESPACE.
    pub(crate) fn create_tablespace(&mut self) -> Result<Statement> {
        self.skip()?;
        let tablespacename = self.col_id()?;
        let owner = if self.eat_kw(Kw::Owner)? { Some(self.role_spec()?) } else { None };
        self.expect_kw(Kw::Location)?;
        let location = self.sconst()?;
        let options = if self.eat_kw(Kw::With)? { self.reloptions()? } else { Vec::new() };
        let stmt = CreateTableSpaceStmt { tablespacename, owner, location, options };
        Ok(Statement::CreateTableSpace(Box::new(stmt)))
    }

    /// ALTER TABLESPACE; that word has been read.
    pub(crate) fn alter_tablespace(&mut self) -> Result<Statement> {
        let tablespacename = self.col_id()?;
        match self.eat_one_of(&[Kw::Rename, Kw::Owner, Kw::Set, Kw::Reset])? {
            Some(Kw::Rename) => {
                self.expect_kw(Kw::To)?;
                Ok(rename_simple(ObjectType::TableSpace, tablespacename, self.col_id()?))
            }
            Some(Kw::Owner) => {
                self.expect_kw(Kw::To)?;
                let newowner = self.role_spec()?;
                let object = ObjectRef::Name(vec![tablespacename]);
                let object_type = ObjectType::TableSpace;
                Ok(Statement::AlterOwner(Box::new(AlterOwnerStmt { object_type, object, newowner })))
            }
            Some(kw) => {
                let options = self.reloptions()?;
                let is_reset = kw == Kw::Reset;
                let stmt = AlterTableSpaceOptionsStmt { tablespacename, options, is_reset };
                Ok(Statement::AlterTableSpaceOptions(Box::new(stmt)))
            }
            None => Err(self.syntax_error()),
        }
    }
}

/// Renaming of something outside schemas that the statement names by `subname`.
pub(crate) fn rename_simple(rename_type: ObjectType, subname: String, newname: String) -> Statement {
    Statement::Rename(Box::new(RenameStmt {
        rename_type,
        relation_type: None,
        relation: None,
        object: None,
        subname: Some(subname),
        newname,
        behavior: DropBehavior::Restrict,
        missing_ok: false,
    }))
}
