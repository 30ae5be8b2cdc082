//! INSERT with ON CONFLICT and RETURNING.

use super::Parser;
use crate::ast::{
    Alias, InferClause, InsertStmt, OnConflictAction, OnConflictClause, OverridingKind, ResTarget, WithClause,
};
use crate::keywords::Kw;
use common::Result;

impl Parser<'_> {
    pub(crate) fn insert_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> Result<InsertStmt> {
        self.expect_kws(&[Kw::Insert, Kw::Into])?;
        let mut relation = self.qualified_name()?;
        if self.eat_kw(Kw::As)? {
            relation.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        let mut stmt = InsertStmt {
            relation,
            cols: Vec::new(),
            select_stmt: None,
            on_conflict_clause: None,
            returning_list: Vec::new(),
            with_clause,
            override_: OverridingKind::NotSet,
        };
        if self.at_kw(Kw::Default) {
            self.skip()?;
            self.expect_kw(Kw::Values)?;
        } else {
            self.insert_source(&mut stmt)?;
        }
        if self.at_kw(Kw::On) {
            stmt.on_conflict_clause = Some(Box::new(self.on_conflict()?));
        }
        stmt.returning_list = self.opt_returning()?;
        Ok(stmt)
    }

    /// Column list, OVERRIDING, and the rows. A parenthesis may open a column list or a subquery.
    fn insert_source(&mut self, stmt: &mut InsertStmt) -> Result<()> {
        if self.at_char(b'(') {
            let subquery = match self.peek() {
                crate::token::T::Char(b'(') => true,
                crate::token::T::Kw(kw) => matches!(kw, Kw::Select | Kw::With | Kw::Table | Kw::Values),
                _ => false,
            };
            if !subquery || self.values_is_a_column() {
                stmt.cols = self.paren_list(Self::insert_column)?;
            }
        }
        if self.at_kw(Kw::Overriding) {
            stmt.override_ = self.overriding()?;
        }
        stmt.select_stmt = Some(self.select_stmt()?);
        Ok(())
    }

    /// `OVERRIDING USER | SYSTEM VALUE`
    pub(crate) fn overriding(&mut self) -> Result<OverridingKind> {
        self.skip()?;
        let kind = match self.eat_one_of(&[Kw::User, Kw::System])? {
            Some(Kw::User) => OverridingKind::UserValue,
            Some(_) => OverridingKind::SystemValue,
            None => return Err(self.syntax_error()),
        };
        self.expect_kw(Kw::Value)?;
        Ok(kind)
    }

    /// `name[.field][index]`
    pub(crate) fn insert_column(&mut self) -> Result<ResTarget> {
        let location = self.tok.start;
        let name = Some(self.col_id()?);
        let indirection = self.indirection()?;
        Ok(ResTarget { name, indirection, val: None, location })
    }

    fn on_conflict(&mut self) -> Result<OnConflictClause> {
        let location = self.skip()?;
        self.expect_kw(Kw::Conflict)?;
        let infer = self.conflict_target()?;
        self.expect_kw(Kw::Do)?;
        let mut clause = OnConflictClause {
            action: OnConflictAction::Nothing,
            infer,
            target_list: Vec::new(),
            where_clause: None,
            location,
        };
        if self.eat_kw(Kw::Update)? {
            self.expect_kw(Kw::Set)?;
            clause.action = OnConflictAction::Update;
            clause.target_list = self.set_clause_list()?;
            clause.where_clause = self.opt_where()?;
        } else {
            self.expect_kw(Kw::Nothing)?;
        }
        Ok(clause)
    }

    fn conflict_target(&mut self) -> Result<Option<InferClause>> {
        let location = self.tok.start;
        if self.at_char(b'(') {
            let index_elems = self.paren_list(Self::index_elem)?;
            let where_clause = self.opt_where()?;
            return Ok(Some(InferClause { index_elems, where_clause, conname: None, location }));
        }
        if self.eat_kw(Kw::On)? {
            self.expect_kw(Kw::Constraint)?;
            let conname = Some(self.col_id()?);
            return Ok(Some(InferClause { index_elems: Vec::new(), where_clause: None, conname, location }));
        }
        Ok(None)
    }

    pub(crate) fn opt_returning(&mut self) -> Result<Vec<ResTarget>> {
        if self.eat_kw(Kw::Returning)? { self.target_list() } else { Ok(Vec::new()) }
    }
}
