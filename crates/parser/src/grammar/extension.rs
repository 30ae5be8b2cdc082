//! Extensions and foreign data: wrappers, servers, user mappings, IMPORT FOREIGN SCHEMA.

use super::Parser;
use super::alter_object::Forms;
use crate::ast::{
    AlterExtensionContentsStmt, AlterExtensionStmt, AlterFdwStmt, AlterForeignServerStmt,
    AlterObjectSchemaStmt, AlterUserMappingStmt, CreateExtensionStmt, CreateFdwStmt, CreateForeignServerStmt,
    CreateUserMappingStmt, DefArg, DefElem, ImportForeignSchemaStmt, ImportForeignSchemaType, ObjectRef,
    ObjectType, Statement,
};
use crate::keywords::Kw;
use common::{Result, err};

const RENAME_OWNER: Forms = Forms { rename: true, owner: true, schema: false };

impl Parser<'_> {
    /// CREATE EXTENSION; the present token is EXTENSION.
    pub(crate) fn create_extension(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let extname = self.col_id()?;
        self.opt_with()?;
        let mut options = Vec::new();
        loop {
            let at = self.tok.start;
            let (name, arg) = match self.eat_one_of(&[Kw::Schema, Kw::Version, Kw::From, Kw::Cascade])? {
                Some(Kw::Schema) => ("schema", DefArg::String(self.col_id()?)),
                Some(Kw::Version) => ("new_version", DefArg::String(self.non_reserved_word_or_sconst()?)),
                Some(Kw::From) => {
                    self.non_reserved_word_or_sconst()?;
                    let message = "CREATE EXTENSION ... FROM is no longer supported";
                    return Err(err!(FEATURE_NOT_SUPPORTED, "{message}").at(at));
                }
                Some(_) => ("cascade", DefArg::Boolean(true)),
                None => break,
            };
            options.push(DefElem::new(name, Some(arg), at));
        }
        let stmt = CreateExtensionStmt { extname, if_not_exists, options };
        Ok(Statement::CreateExtension(Box::new(stmt)))
    }

    /// ALTER EXTENSION; EXTENSION has been read.
    pub(crate) fn alter_extension(&mut self) -> Result<Statement> {
        let extname = self.col_id()?;
        match self.eat_one_of(&[Kw::Update, Kw::Add, Kw::Drop, Kw::Set])? {
            Some(Kw::Update) => {
                let mut options = Vec::new();
                while self.at_kw(Kw::To) {
                    let at = self.skip()?;
                    let version = DefArg::String(self.non_reserved_word_or_sconst()?);
                    options.push(DefElem::new("new_version", Some(version), at));
                }
                Ok(Statement::AlterExtension(Box::new(AlterExtensionStmt { extname, options })))
            }
            Some(Kw::Set) => {
                self.expect_kw(Kw::Schema)?;
                let newschema = self.col_id()?;
                Ok(Statement::AlterObjectSchema(Box::new(AlterObjectSchemaStmt {
                    object_type: ObjectType::Extension,
                    relation: None,
                    object: Some(ObjectRef::Name(vec![extname])),
                    newschema,
                    missing_ok: false,
                })))
            }
            Some(kw) => {
                let action = if kw == Kw::Add { 1 } else { -1 };
                let (objtype, object) = self.object(false, true)?;
                let stmt = AlterExtensionContentsStmt { extname, action, objtype, object };
                Ok(Statement::AlterExtensionContents(Box::new(stmt)))
            }
            None => Err(self.syntax_error()),
        }
    }

    /// HANDLER, VALIDATOR and their negations.
    fn fdw_options(&mut self) -> Result<Vec<DefElem>> {
        let mut options = Vec::new();
        loop {
            let at = self.tok.start;
            let no = self.eat_kw(Kw::No)?;
            let Some(kw) = self.eat_one_of(&[Kw::Handler, Kw::Validator])? else {
                if no {
                    return Err(self.syntax_error());
                }
                return Ok(options);
            };
            let arg = if no { None } else { Some(DefArg::Names(self.handler_name()?)) };
            options.push(DefElem::new(kw.text(), arg, at));
        }
    }

    /// CREATE FOREIGN DATA WRAPPER; the present token is DATA.
    pub(crate) fn create_fdw(&mut self) -> Result<Statement> {
        self.expect_kws(&[Kw::Data, Kw::Wrapper])?;
        let fdwname = self.col_id()?;
        let func_options = self.fdw_options()?;
        let options = self.opt_generic_options()?;
        Ok(Statement::CreateFdw(Box::new(CreateFdwStmt { fdwname, func_options, options })))
    }

    /// ALTER FOREIGN DATA WRAPPER; these words have been read.
    pub(crate) fn alter_fdw(&mut self) -> Result<Statement> {
        let fdwname = self.col_id()?;
        if matches!(self.kw(), Some(Kw::Rename | Kw::Owner)) {
            return self.shared_form(ObjectType::Fdw, ObjectRef::Name(vec![fdwname]), RENAME_OWNER);
        }
        let func_options = self.fdw_options()?;
        let options = if self.at_kw(Kw::Options) || func_options.is_empty() {
            self.alter_generic_options()?
        } else {
            Vec::new()
        };
        Ok(Statement::AlterFdw(Box::new(AlterFdwStmt { fdwname, func_options, options })))
    }

    /// CREATE SERVER; the present token is SERVER.
    pub(crate) fn create_server(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let servername = self.col_id()?;
        let servertype = if self.eat_kw(Kw::Type)? { Some(self.sconst()?) } else { None };
        let version = if self.eat_kw(Kw::Version)? { self.sconst_or_null()? } else { None };
        self.expect_kws(&[Kw::Foreign, Kw::Data, Kw::Wrapper])?;
        let fdwname = self.col_id()?;
        let options = self.opt_generic_options()?;
        Ok(Statement::CreateForeignServer(Box::new(CreateForeignServerStmt {
            servername,
            servertype,
            version,
            fdwname,
            if_not_exists,
            options,
        })))
    }

    /// ALTER SERVER; SERVER has been read.
    pub(crate) fn alter_server(&mut self) -> Result<Statement> {
        let servername = self.col_id()?;
        if matches!(self.kw(), Some(Kw::Rename | Kw::Owner)) {
            return self.shared_form(
                ObjectType::ForeignServer,
                ObjectRef::Name(vec![servername]),
                RENAME_OWNER,
            );
        }
        let has_version = self.eat_kw(Kw::Version)?;
        let version = if has_version { self.sconst_or_null()? } else { None };
        let options =
            if self.at_kw(Kw::Options) || !has_version { self.alter_generic_options()? } else { Vec::new() };
        let stmt = AlterForeignServerStmt { servername, version, has_version, options };
        Ok(Statement::AlterForeignServer(Box::new(stmt)))
    }

    /// CREATE USER MAPPING; the present token is USER.
    pub(crate) fn create_user_mapping(&mut self) -> Result<Statement> {
        self.expect_kws(&[Kw::User, Kw::Mapping])?;
        let if_not_exists = self.if_not_exists_only()?;
        self.expect_kw(Kw::For)?;
        let user = self.auth_ident()?;
        self.expect_kw(Kw::Server)?;
        let servername = self.col_id()?;
        let options = self.opt_generic_options()?;
        let stmt = CreateUserMappingStmt { user, servername, if_not_exists, options };
        Ok(Statement::CreateUserMapping(Box::new(stmt)))
    }

    /// ALTER USER MAPPING; the present token is MAPPING.
    pub(crate) fn alter_user_mapping(&mut self) -> Result<Statement> {
        self.expect_kws(&[Kw::Mapping, Kw::For])?;
        let user = self.auth_ident()?;
        self.expect_kw(Kw::Server)?;
        let servername = self.col_id()?;
        let options = self.alter_generic_options()?;
        Ok(Statement::AlterUserMapping(Box::new(AlterUserMappingStmt { user, servername, options })))
    }

    pub(crate) fn import_foreign_schema_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kws(&[Kw::Foreign, Kw::Schema])?;
        let remote_schema = self.col_id()?;
        let list_type = match self.eat_one_of(&[Kw::Limit, Kw::Except])? {
            Some(Kw::Limit) => {
                self.expect_kw(Kw::To)?;
                ImportForeignSchemaType::LimitTo
            }
            Some(_) => ImportForeignSchemaType::Except,
            None => ImportForeignSchemaType::All,
        };
        let table_list = if list_type == ImportForeignSchemaType::All {
            Vec::new()
        } else {
            self.paren_list(Self::relation_expr)?
        };
        self.expect_kws(&[Kw::From, Kw::Server])?;
        let server_name = self.col_id()?;
        self.expect_kw(Kw::Into)?;
        let local_schema = self.col_id()?;
        let options = self.opt_generic_options()?;
        Ok(Statement::ImportForeignSchema(Box::new(ImportForeignSchemaStmt {
            server_name,
            remote_schema,
            local_schema,
            list_type,
            table_list,
            options,
        })))
    }
}
