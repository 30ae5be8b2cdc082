//! CREATE TYPE, DOMAIN, AGGREGATE, OPERATOR, COLLATION, CONVERSION, TEXT SEARCH, ACCESS METHOD.

use super::Parser;
use crate::ast::{
    ColumnDef, CompositeTypeStmt, CreateAmStmt, CreateConversionStmt, CreateDomainStmt, CreateEnumStmt,
    CreateRangeStmt, DefArg, DefElem, DefineStmt, ObjectType, Statement,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

fn define(kind: ObjectType, defnames: Vec<String>, definition: Vec<DefElem>) -> DefineStmt {
    DefineStmt {
        kind,
        oldstyle: false,
        defnames,
        args: Vec::new(),
        num_direct_args: None,
        definition,
        if_not_exists: false,
        replace: false,
    }
}

impl Parser<'_> {
    /// CREATE AGGREGATE; the present token is AGGREGATE.
    pub(crate) fn create_aggregate(&mut self, replace: bool) -> Result<Statement> {
        self.skip()?;
        let defnames = self.func_name()?;
        if !self.at_char(b'(') {
            return Err(self.syntax_error());
        }
        let mut stmt = define(ObjectType::Aggregate, defnames, Vec::new());
        stmt.replace = replace;
        if self.peek() == T::Ident && self.third_is_equals() {
            stmt.oldstyle = true;
            stmt.definition = self.paren_list(|p| {
                let at = p.tok.start;
                if !p.at(T::Ident) {
                    return Err(p.syntax_error());
                }
                let name = p.word()?;
                p.expect_char(b'=')?;
                Ok(DefElem::new(name, Some(p.def_arg()?), at))
            })?;
        } else {
            (stmt.args, stmt.num_direct_args, _) = self.aggregate_parameters()?;
            stmt.definition = self.definition()?;
        }
        Ok(Statement::Define(Box::new(stmt)))
    }

    /// CREATE OPERATOR [CLASS | FAMILY]; the present token is OPERATOR.
    pub(crate) fn create_operator(&mut self) -> Result<Statement> {
        self.skip()?;
        match self.kw() {
            Some(Kw::Class) if !self.peek_is_char(b'.') => return self.create_opclass(),
            Some(Kw::Family) if !self.peek_is_char(b'.') => return self.create_opfamily(),
            _ => {}
        }
        let defnames = self.any_operator()?;
        let definition = self.definition()?;
        Ok(Statement::Define(Box::new(define(ObjectType::Operator, defnames, definition))))
    }

    /// CREATE TYPE; the present token is TYPE.
    pub(crate) fn create_type(&mut self) -> Result<Statement> {
        self.skip()?;
        let location = self.tok.start;
        let type_name = self.any_name()?;
        if self.at_char(b'(') {
            let definition = self.definition()?;
            return Ok(Statement::Define(Box::new(define(ObjectType::Type, type_name, definition))));
        }
        if !self.eat_kw(Kw::As)? {
            return Ok(Statement::Define(Box::new(define(ObjectType::Type, type_name, Vec::new()))));
        }
        if self.eat_kw(Kw::Enum)? {
            self.expect_char(b'(')?;
            let vals = if self.at_char(b')') { Vec::new() } else { self.list(Self::sconst)? };
            self.expect_char(b')')?;
            return Ok(Statement::CreateEnum(CreateEnumStmt { type_name, vals }));
        }
        if self.eat_kw(Kw::Range)? {
            let params = self.definition()?;
            return Ok(Statement::CreateRange(Box::new(CreateRangeStmt { type_name, params })));
        }
        self.expect_char(b'(')?;
        let coldeflist = if self.at_char(b')') { Vec::new() } else { self.list(Self::attribute_def)? };
        self.expect_char(b')')?;
        let typevar = super::name::range_var_from_names(type_name, location)?;
        Ok(Statement::CompositeType(Box::new(CompositeTypeStmt { typevar, coldeflist })))
    }

    /// `name type [COLLATE c]`
    pub(crate) fn attribute_def(&mut self) -> Result<ColumnDef> {
        let location = self.tok.start;
        let colname = self.col_id()?;
        let type_name = Some(self.type_name()?);
        let coll_clause = self.opt_collate()?;
        Ok(ColumnDef { colname, type_name, coll_clause, location, ..ColumnDef::default() })
    }

    /// CREATE DOMAIN; the present token is DOMAIN.
    pub(crate) fn create_domain(&mut self) -> Result<Statement> {
        self.skip()?;
        let domainname = self.any_name()?;
        self.eat_kw(Kw::As)?;
        let type_name = self.type_name()?;
        let (constraints, coll_clause) = self.qualifiers()?;
        let stmt = CreateDomainStmt { domainname, type_name, coll_clause, constraints };
        Ok(Statement::CreateDomain(Box::new(stmt)))
    }

    /// CREATE TEXT SEARCH …; the present token is TEXT.
    pub(crate) fn create_text_search(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::Search)?;
        let kind = self.text_search_kind()?;
        let defnames = self.any_name()?;
        let definition = self.definition()?;
        Ok(Statement::Define(Box::new(define(kind, defnames, definition))))
    }

    /// CREATE COLLATION; the present token is COLLATION.
    pub(crate) fn create_collation(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let defnames = self.any_name()?;
        let definition = if self.at_kw(Kw::From) {
            let at = self.skip()?;
            vec![DefElem::new("from", Some(DefArg::Names(self.any_name()?)), at)]
        } else {
            self.definition()?
        };
        let mut stmt = define(ObjectType::Collation, defnames, definition);
        stmt.if_not_exists = if_not_exists;
        Ok(Statement::Define(Box::new(stmt)))
    }

    /// CREATE [DEFAULT] CONVERSION; the present token is one of these words.
    pub(crate) fn create_conversion(&mut self) -> Result<Statement> {
        let def = self.eat_kw(Kw::Default)?;
        self.expect_kw(Kw::Conversion)?;
        let conversion_name = self.any_name()?;
        self.expect_kw(Kw::For)?;
        let for_encoding_name = self.sconst()?;
        self.expect_kw(Kw::To)?;
        let to_encoding_name = self.sconst()?;
        self.expect_kw(Kw::From)?;
        let func_name = self.any_name()?;
        Ok(Statement::CreateConversion(Box::new(CreateConversionStmt {
            conversion_name,
            for_encoding_name,
            to_encoding_name,
            func_name,
            def,
        })))
    }

    /// CREATE ACCESS METHOD; the present token is ACCESS.
    pub(crate) fn create_access_method(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::Method)?;
        let amname = self.col_id()?;
        self.expect_kw(Kw::Type)?;
        let amtype = match self.eat_one_of(&[Kw::Index, Kw::Table])? {
            Some(Kw::Index) => 'i',
            Some(_) => 't',
            None => return Err(self.syntax_error()),
        };
        self.expect_kw(Kw::Handler)?;
        let handler_name = self.handler_name()?;
        Ok(Statement::CreateAm(CreateAmStmt { amname, handler_name, amtype }))
    }
}
