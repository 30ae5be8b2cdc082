//! CREATE SCHEMA with the objects it may create, and row-security policies.

use super::Parser;
use super::name::is_col_id;
use crate::ast::{
    AlterPolicyStmt, CreatePolicyStmt, CreateSchemaStmt, Expr, RoleSpec, RoleSpecType, Statement,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// CREATE SCHEMA; the present token is SCHEMA.
    pub(crate) fn create_schema(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let schemaname = if is_col_id(self.tok.kind) { Some(self.col_id()?) } else { None };
        let mut authrole = None;
        if schemaname.is_none() || self.at_kw(Kw::Authorization) {
            self.expect_kw(Kw::Authorization)?;
            authrole = Some(self.role_spec()?);
        }
        let elements_at = self.tok.start;
        let mut schema_elts = Vec::new();
        while matches!(self.kw(), Some(Kw::Create | Kw::Grant)) {
            schema_elts.push(self.schema_element()?);
        }
        if if_not_exists && !schema_elts.is_empty() {
            let message = "CREATE SCHEMA IF NOT EXISTS cannot include schema elements";
            return Err(err!(FEATURE_NOT_SUPPORTED, "{message}").at(elements_at));
        }
        let stmt = CreateSchemaStmt { schemaname, authrole, schema_elts, if_not_exists };
        Ok(Statement::CreateSchema(Box::new(stmt)))
    }

    fn schema_element(&mut self) -> Result<Statement> {
        if self.at_kw(Kw::Grant) {
            return self.grant_stmt();
        }
        let allowed = matches!(
            self.peek(),
            T::Kw(
                Kw::Table
                    | Kw::Temp
                    | Kw::Temporary
                    | Kw::Local
                    | Kw::Global
                    | Kw::Unlogged
                    | Kw::Unique
                    | Kw::Index
                    | Kw::Sequence
                    | Kw::Trigger
                    | Kw::Constraint
                    | Kw::View
                    | Kw::Recursive
                    | Kw::Or
            )
        );
        if !allowed {
            self.skip()?;
            return Err(self.syntax_error());
        }
        self.in_schema = true;
        let stmt = self.create_stmt()?;
        self.in_schema = false;
        Ok(stmt)
    }

    /// CREATE POLICY; the present token is POLICY.
    pub(crate) fn create_policy(&mut self) -> Result<Statement> {
        self.skip()?;
        let policy_name = self.col_id()?;
        self.expect_kw(Kw::On)?;
        let table = self.qualified_name()?;
        let mut permissive = true;
        if self.eat_kw(Kw::As)? {
            let at = self.tok.start;
            let is_ident = self.at(T::Ident);
            let word = if is_ident { self.word()? } else { return Err(self.syntax_error()) };
            permissive = match word.as_str() {
                "permissive" => true,
                "restrictive" => false,
                _ => {
                    let message = format!("unrecognized row security option \"{word}\"");
                    return Err(err!(SYNTAX_ERROR, "{message}")
                        .hint("Only PERMISSIVE or RESTRICTIVE policies are supported currently.")
                        .at(at));
                }
            };
        }
        let mut cmd_name = "all".to_string();
        if self.eat_kw(Kw::For)? {
            match self.eat_one_of(&[Kw::All, Kw::Select, Kw::Insert, Kw::Update, Kw::Delete])? {
                Some(kw) => cmd_name = kw.text().to_string(),
                None => return Err(self.syntax_error()),
            }
        }
        let location = self.tok.start;
        let roles = if self.eat_kw(Kw::To)? {
            self.role_list()?
        } else {
            vec![RoleSpec { roletype: RoleSpecType::Public, location }]
        };
        let (qual, with_check) = self.policy_conditions()?;
        Ok(Statement::CreatePolicy(Box::new(CreatePolicyStmt {
            policy_name,
            table,
            cmd_name,
            permissive,
            roles,
            qual,
            with_check,
        })))
    }

    /// Behind ALTER POLICY name ON table, without RENAME.
    pub(crate) fn alter_policy(
        &mut self,
        policy_name: String,
        table: crate::ast::RangeVar,
    ) -> Result<Statement> {
        let roles = if self.eat_kw(Kw::To)? { self.role_list()? } else { Vec::new() };
        let (qual, with_check) = self.policy_conditions()?;
        Ok(Statement::AlterPolicy(Box::new(AlterPolicyStmt { policy_name, table, roles, qual, with_check })))
    }

    /// `[USING (…)] [WITH CHECK (…)]`
    fn policy_conditions(&mut self) -> Result<(Option<Expr>, Option<Expr>)> {
        let qual = if self.eat_kw(Kw::Using)? { Some(self.paren_condition()?) } else { None };
        let mut with_check = None;
        if self.eat_kw(Kw::With)? {
            self.expect_kw(Kw::Check)?;
            with_check = Some(self.paren_condition()?);
        }
        Ok((qual, with_check))
    }

    /// `( expression )`
    pub(crate) fn paren_condition(&mut self) -> Result<Expr> {
        self.expect_char(b'(')?;
        let e = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(e)
    }
}
