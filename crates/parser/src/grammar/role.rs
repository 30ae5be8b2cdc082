//! CREATE and ALTER of roles, users, groups; REASSIGN OWNED.

use super::Parser;
use super::admin::rename_simple;
use super::name::only_name;
use crate::ast::{
    AlterRoleSetStmt, AlterRoleStmt, CreateRoleStmt, DefArg, DefElem, ObjectType, ReassignOwnedStmt,
    RoleSpec, RoleSpecType, RoleStmtType, Statement,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// CREATE ROLE | USER | GROUP; the present token is that word.
    pub(crate) fn create_role(&mut self, stmt_type: RoleStmtType) -> Result<Statement> {
        self.skip()?;
        let role = self.role_id()?;
        self.opt_with()?;
        let mut options = Vec::new();
        loop {
            let at = self.tok.start;
            let option = match self.kw() {
                Some(Kw::Sysid) => {
                    self.skip()?;
                    DefElem::new("sysid", Some(DefArg::Integer(self.iconst()?)), at)
                }
                Some(Kw::Admin) => {
                    self.skip()?;
                    DefElem::new("adminmembers", Some(DefArg::Roles(self.role_list()?)), at)
                }
                Some(Kw::Role) => {
                    self.skip()?;
                    DefElem::new("rolemembers", Some(DefArg::Roles(self.role_list()?)), at)
                }
                Some(Kw::In) => {
                    self.skip()?;
                    if self.eat_one_of(&[Kw::Role, Kw::Group])?.is_none() {
                        return Err(self.syntax_error());
                    }
                    DefElem::new("addroleto", Some(DefArg::Roles(self.role_list()?)), at)
                }
                _ => match self.role_option()? {
                    Some(option) => option,
                    None => break,
                },
            };
            options.push(option);
        }
        Ok(Statement::CreateRole(Box::new(CreateRoleStmt { stmt_type, role, options })))
    }

    /// An option that ALTER ROLE takes as well.
    fn role_option(&mut self) -> Result<Option<DefElem>> {
        let at = self.tok.start;
        let text = |s| Some(DefArg::String(s));
        let (name, arg) = match self.kind() {
            T::Kw(Kw::Password) => {
                self.skip()?;
                ("password", self.sconst_or_null()?.map(DefArg::String))
            }
            T::Kw(Kw::Encrypted) => {
                self.skip()?;
                self.expect_kw(Kw::Password)?;
                ("password", text(self.sconst()?))
            }
            T::Kw(Kw::Unencrypted) => {
                self.skip()?;
                self.expect_kw(Kw::Password)?;
                self.sconst()?;
                let message = "UNENCRYPTED PASSWORD is no longer supported";
                return Err(err!(FEATURE_NOT_SUPPORTED, "{message}")
                    .hint("Remove UNENCRYPTED to store the password in encrypted form instead.")
                    .at(at));
            }
            T::Kw(Kw::Inherit) => {
                self.skip()?;
                ("inherit", Some(DefArg::Boolean(true)))
            }
            T::Kw(Kw::Connection) => {
                self.skip()?;
                self.expect_kw(Kw::Limit)?;
                ("connectionlimit", Some(DefArg::Integer(self.signed_iconst()?)))
            }
            T::Kw(Kw::Valid) => {
                self.skip()?;
                self.expect_kw(Kw::Until)?;
                ("validUntil", text(self.sconst()?))
            }
            T::Kw(Kw::User) => {
                self.skip()?;
                ("rolemembers", Some(DefArg::Roles(self.role_list()?)))
            }
            T::Ident => {
                let flag = |yes| Some(DefArg::Boolean(yes));
                let option = match &*self.tok.text {
                    "superuser" => ("superuser", flag(true)),
                    "nosuperuser" => ("superuser", flag(false)),
                    "createrole" => ("createrole", flag(true)),
                    "nocreaterole" => ("createrole", flag(false)),
                    "replication" => ("isreplication", flag(true)),
                    "noreplication" => ("isreplication", flag(false)),
                    "createdb" => ("createdb", flag(true)),
                    "nocreatedb" => ("createdb", flag(false)),
                    "login" => ("canlogin", flag(true)),
                    "nologin" => ("canlogin", flag(false)),
                    "bypassrls" => ("bypassrls", flag(true)),
                    "nobypassrls" => ("bypassrls", flag(false)),
                    "noinherit" => ("inherit", flag(false)),
                    word => return Err(err!(SYNTAX_ERROR, "unrecognized role option \"{word}\"").at(at)),
                };
                self.skip()?;
                option
            }
            _ => return Ok(None),
        };
        Ok(Some(DefElem::new(name, arg, at)))
    }

    /// ALTER ROLE | USER; that word has been read.
    pub(crate) fn alter_role(&mut self) -> Result<Statement> {
        if self.eat_kw(Kw::All)? {
            return self.alter_role_set(None);
        }
        let role = self.role_spec()?;
        if self.at_kw(Kw::Rename) {
            return self.rename_role(role);
        }
        if matches!(self.kw(), Some(Kw::In | Kw::Set | Kw::Reset)) {
            return self.alter_role_set(Some(role));
        }
        self.opt_with()?;
        let mut options = Vec::new();
        while let Some(option) = self.role_option()? {
            options.push(option);
        }
        Ok(Statement::AlterRole(Box::new(AlterRoleStmt { role, options, action: 1 })))
    }

    fn alter_role_set(&mut self, role: Option<RoleSpec>) -> Result<Statement> {
        let mut database = None;
        if self.eat_kw(Kw::In)? {
            self.expect_kw(Kw::Database)?;
            database = Some(self.col_id()?);
        }
        let setstmt = self.set_reset_clause()?;
        Ok(Statement::AlterRoleSet(Box::new(AlterRoleSetStmt { role, database, setstmt })))
    }

    /// The present token is RENAME.
    fn rename_role(&mut self, role: RoleSpec) -> Result<Statement> {
        let subname = only_name(role)?;
        self.expect_kws(&[Kw::Rename, Kw::To])?;
        let newname = self.role_id()?;
        Ok(rename_simple(ObjectType::Role, subname, newname))
    }

    /// ALTER GROUP; that word has been read.
    pub(crate) fn alter_group(&mut self) -> Result<Statement> {
        let role = self.role_spec()?;
        if self.at_kw(Kw::Rename) {
            return self.rename_role(role);
        }
        let action = match self.eat_one_of(&[Kw::Add, Kw::Drop])? {
            Some(Kw::Add) => 1,
            Some(_) => -1,
            None => {
                only_name(role)?;
                return Err(self.syntax_error());
            }
        };
        self.expect_kw(Kw::User)?;
        let at = self.tok.start;
        let members = self.role_list()?;
        let options = vec![DefElem::new("rolemembers", Some(DefArg::Roles(members)), at)];
        Ok(Statement::AlterRole(Box::new(AlterRoleStmt { role, options, action })))
    }

    pub(crate) fn reassign_owned_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kws(&[Kw::Owned, Kw::By])?;
        let roles = self.role_list()?;
        self.expect_kw(Kw::To)?;
        let newrole = self.role_spec()?;
        Ok(Statement::ReassignOwned(ReassignOwnedStmt { roles, newrole }))
    }

    /// The user of a user mapping: a role, or USER for the present one.
    pub(crate) fn auth_ident(&mut self) -> Result<RoleSpec> {
        if self.at_kw(Kw::User) {
            let location = self.skip()?;
            return Ok(RoleSpec { roletype: RoleSpecType::CurrentUser, location });
        }
        self.role_spec()
    }
}
