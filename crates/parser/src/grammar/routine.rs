//! Functions and procedures, languages, casts, transforms.

use super::Parser;
use super::alter_object::ALL_FORMS;
use crate::ast::{
    AlterFunctionStmt, CoercionContext, CreateCastStmt, CreateExtensionStmt, CreateFunctionStmt,
    CreatePLangStmt, CreateTransformStmt, DefArg, DefElem, FunctionParameter, FunctionParameterMode,
    ObjectRef, ObjectType, ReturnStmt, SqlBody, Statement, TypeName,
};
use crate::keywords::Kw;
use common::{Result, err};

impl Parser<'_> {
    /// CREATE FUNCTION or PROCEDURE; the present token is that word.
    pub(crate) fn create_function(&mut self, replace: bool) -> Result<Statement> {
        let is_procedure = self.at_kw(Kw::Procedure);
        self.skip()?;
        let funcname = self.func_name()?;
        let mut parameters = self.function_parameters(Self::parameter_with_default)?;
        let mut return_type = None;
        if !is_procedure && self.at_kw(Kw::Returns) && !self.peek_is_kw(Kw::Null) {
            self.skip()?;
            if self.at_kw(Kw::Table) {
                let table_at = self.skip()?;
                let columns = self.paren_list(Self::table_column)?;
                return_type = Some(table_function_type(&columns, table_at));
                merge_table_columns(&mut parameters, columns)?;
            } else {
                return_type = Some(self.func_type()?);
            }
        }
        let mut options = Vec::new();
        while let Some(option) = self.create_function_option()? {
            options.push(option);
        }
        let sql_body = self.opt_routine_body()?;
        Ok(Statement::CreateFunction(Box::new(CreateFunctionStmt {
            is_procedure,
            replace,
            funcname,
            parameters,
            return_type,
            options,
            sql_body,
        })))
    }

    fn parameter_with_default(&mut self) -> Result<FunctionParameter> {
        let mut parameter = self.function_parameter()?;
        if self.eat_kw(Kw::Default)? || self.eat_char(b'=')? {
            parameter.defexpr = Some(self.a_expr()?);
        }
        Ok(parameter)
    }

    fn table_column(&mut self) -> Result<FunctionParameter> {
        let name = Some(self.type_function_name()?);
        let arg_type = self.func_type()?;
        Ok(FunctionParameter { name, arg_type, mode: FunctionParameterMode::Table, defexpr: None })
    }

    fn create_function_option(&mut self) -> Result<Option<DefElem>> {
        let at = self.tok.start;
        let (name, arg) = match self.kw() {
            Some(Kw::As) => {
                self.skip()?;
                let mut parts = vec![DefArg::String(self.sconst()?)];
                if self.eat_char(b',')? {
                    parts.push(DefArg::String(self.sconst()?));
                }
                ("as", DefArg::List(parts))
            }
            Some(Kw::Language) => {
                self.skip()?;
                ("language", DefArg::String(self.non_reserved_word_or_sconst()?))
            }
            Some(Kw::Transform) => {
                self.skip()?;
                let types = self.list(|p| {
                    p.expect_kws(&[Kw::For, Kw::Type])?;
                    Ok(DefArg::TypeName(Box::new(p.type_name()?)))
                })?;
                ("transform", DefArg::List(types))
            }
            Some(Kw::Window) => {
                self.skip()?;
                ("window", DefArg::Boolean(true))
            }
            _ => return self.routine_option(),
        };
        Ok(Some(DefElem::new(name, Some(arg), at)))
    }

    /// An option that ALTER FUNCTION takes as well.
    fn routine_option(&mut self) -> Result<Option<DefElem>> {
        let at = self.tok.start;
        let Some(kw) = self.kw() else {
            return Ok(None);
        };
        let text = |s: &str| DefArg::String(s.to_string());
        let (name, arg) = match kw {
            Kw::Called => {
                self.skip()?;
                self.expect_kws(&[Kw::On, Kw::Null, Kw::Input])?;
                ("strict", DefArg::Boolean(false))
            }
            Kw::Returns => {
                self.skip()?;
                self.expect_kws(&[Kw::Null, Kw::On, Kw::Null, Kw::Input])?;
                ("strict", DefArg::Boolean(true))
            }
            Kw::Strict => {
                self.skip()?;
                ("strict", DefArg::Boolean(true))
            }
            Kw::Immutable | Kw::Stable | Kw::Volatile => {
                self.skip()?;
                ("volatility", text(kw.text()))
            }
            Kw::External | Kw::Security => {
                self.skip()?;
                if kw == Kw::External {
                    self.expect_kw(Kw::Security)?;
                }
                match self.eat_one_of(&[Kw::Definer, Kw::Invoker])? {
                    Some(word) => ("security", DefArg::Boolean(word == Kw::Definer)),
                    None => return Err(self.syntax_error()),
                }
            }
            Kw::Leakproof => {
                self.skip()?;
                ("leakproof", DefArg::Boolean(true))
            }
            Kw::Not => {
                self.skip()?;
                self.expect_kw(Kw::Leakproof)?;
                ("leakproof", DefArg::Boolean(false))
            }
            Kw::Cost | Kw::Rows => {
                self.skip()?;
                (kw.text(), self.numeric_arg()?)
            }
            Kw::Support => {
                self.skip()?;
                ("support", DefArg::Names(self.any_name()?))
            }
            Kw::Parallel => {
                self.skip()?;
                ("parallel", DefArg::String(self.col_id()?))
            }
            Kw::Set | Kw::Reset => ("set", DefArg::VariableSet(Box::new(self.function_set_reset()?))),
            _ => return Ok(None),
        };
        Ok(Some(DefElem::new(name, Some(arg), at)))
    }

    /// `RETURN expr` or `BEGIN ATOMIC … END`.
    fn opt_routine_body(&mut self) -> Result<Option<SqlBody>> {
        if self.eat_kw(Kw::Return)? {
            return Ok(Some(SqlBody::Return(self.a_expr()?)));
        }
        if !self.eat_kw(Kw::Begin)? {
            return Ok(None);
        }
        self.expect_kw(Kw::Atomic)?;
        self.enter()?;
        let mut statements = Vec::new();
        while !self.eat_kw(Kw::End)? {
            if self.eat_char(b';')? {
                continue;
            }
            if self.at_kw(Kw::Begin) {
                return Err(self.syntax_error());
            }
            if self.eat_kw(Kw::Return)? {
                let returnval = self.a_expr()?;
                statements.push(Statement::Return(Box::new(ReturnStmt { returnval })));
            } else {
                statements.push(self.statement()?);
            }
            self.expect_char(b';')?;
        }
        self.leave();
        Ok(Some(SqlBody::Atomic(statements)))
    }

    /// Behind ALTER FUNCTION, PROCEDURE, ROUTINE.
    pub(crate) fn alter_routine(&mut self, objtype: ObjectType) -> Result<Statement> {
        let func = self.function_with_args()?;
        match self.kw() {
            Some(Kw::Rename | Kw::Owner) => {
                return self.shared_form(objtype, ObjectRef::WithArgs(func), ALL_FORMS);
            }
            Some(Kw::Set) if self.peek_is_kw(Kw::Schema) && !self.third_sets_variable() => {
                return self.shared_form(objtype, ObjectRef::WithArgs(func), ALL_FORMS);
            }
            Some(Kw::Depends | Kw::No) => {
                return self.depends_on_extension(objtype, None, Some(ObjectRef::WithArgs(func)));
            }
            _ => {}
        }
        let mut actions = Vec::new();
        while let Some(action) = self.routine_option()? {
            actions.push(action);
        }
        if actions.is_empty() {
            return Err(self.syntax_error());
        }
        self.eat_kw(Kw::Restrict)?;
        Ok(Statement::AlterFunction(Box::new(AlterFunctionStmt { objtype, func, actions })))
    }

    /// CREATE [TRUSTED] [PROCEDURAL] LANGUAGE. Without a handler it means the extension of that name.
    pub(crate) fn create_language(&mut self, replace: bool) -> Result<Statement> {
        let pltrusted = self.eat_kw(Kw::Trusted)?;
        self.eat_kw(Kw::Procedural)?;
        self.expect_kw(Kw::Language)?;
        let plname = self.col_id()?;
        if !self.eat_kw(Kw::Handler)? {
            let stmt = CreateExtensionStmt { extname: plname, if_not_exists: replace, options: Vec::new() };
            return Ok(Statement::CreateExtension(Box::new(stmt)));
        }
        let plhandler = self.handler_name()?;
        let plinline = if self.eat_kw(Kw::Inline)? { self.handler_name()? } else { Vec::new() };
        let mut plvalidator = Vec::new();
        if self.eat_kw(Kw::Validator)? {
            plvalidator = self.handler_name()?;
        } else if self.eat_kw(Kw::No)? {
            self.expect_kw(Kw::Validator)?;
        }
        let stmt = CreatePLangStmt { replace, plname, plhandler, plinline, plvalidator, pltrusted };
        Ok(Statement::CreateLanguage(Box::new(stmt)))
    }

    /// A possibly qualified function name without arguments.
    pub(crate) fn handler_name(&mut self) -> Result<Vec<String>> {
        self.any_name()
    }

    /// CREATE CAST; the present token is CAST.
    pub(crate) fn create_cast(&mut self) -> Result<Statement> {
        self.skip()?;
        let ObjectRef::Cast(types) = self.cast_object()? else {
            return Err(self.syntax_error());
        };
        let (sourcetype, targettype) = *types;
        let mut stmt = CreateCastStmt {
            sourcetype,
            targettype,
            func: None,
            context: CoercionContext::Explicit,
            inout: false,
        };
        match self.eat_one_of(&[Kw::With, Kw::Without])? {
            Some(Kw::With) => {
                if self.eat_kw(Kw::Inout)? {
                    stmt.inout = true;
                } else {
                    self.expect_kw(Kw::Function)?;
                    stmt.func = Some(self.function_with_args()?);
                }
            }
            Some(_) => {
                self.expect_kw(Kw::Function)?;
            }
            None => return Err(self.syntax_error()),
        }
        if self.eat_kw(Kw::As)? {
            stmt.context = match self.eat_one_of(&[Kw::Implicit, Kw::Assignment])? {
                Some(Kw::Implicit) => CoercionContext::Implicit,
                Some(_) => CoercionContext::Assignment,
                None => return Err(self.syntax_error()),
            };
        }
        Ok(Statement::CreateCast(Box::new(stmt)))
    }

    /// CREATE TRANSFORM; the present token is TRANSFORM.
    pub(crate) fn create_transform(&mut self, replace: bool) -> Result<Statement> {
        self.skip()?;
        let ObjectRef::Transform(type_name, lang) = self.transform_object()? else {
            return Err(self.syntax_error());
        };
        let mut stmt =
            CreateTransformStmt { replace, type_name: *type_name, lang, fromsql: None, tosql: None };
        self.expect_char(b'(')?;
        loop {
            let from = match self.kw() {
                Some(Kw::From) if stmt.fromsql.is_none() => true,
                Some(Kw::To) if stmt.tosql.is_none() => false,
                _ => return Err(self.syntax_error()),
            };
            self.skip()?;
            self.expect_kws(&[Kw::Sql, Kw::With, Kw::Function])?;
            let function = Some(self.function_with_args()?);
            if from {
                stmt.fromsql = function;
            } else {
                stmt.tosql = function;
            }
            if (stmt.fromsql.is_some() && stmt.tosql.is_some()) || !self.eat_char(b',')? {
                break;
            }
        }
        self.expect_char(b')')?;
        Ok(Statement::CreateTransform(Box::new(stmt)))
    }
}

/// RETURNS TABLE returns a set of its one column's type, or of records.
fn table_function_type(columns: &[FunctionParameter], at: usize) -> TypeName {
    let mut t = match columns {
        [only] => only.arg_type.clone(),
        _ => super::types::system_type("record", at),
    };
    t.setof = true;
    t.location = at;
    t
}

fn merge_table_columns(
    parameters: &mut Vec<FunctionParameter>,
    columns: Vec<FunctionParameter>,
) -> Result<()> {
    use FunctionParameterMode::{Default, In, Variadic};
    if parameters.iter().any(|p| !matches!(p.mode, Default | In | Variadic)) {
        let message = "OUT and INOUT arguments aren't allowed in TABLE functions";
        return Err(err!(SYNTAX_ERROR, "{message}"));
    }
    parameters.extend(columns);
    Ok(())
}
