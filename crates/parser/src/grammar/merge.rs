//! MERGE.

use super::Parser;
use crate::ast::{MergeAction, MergeStmt, MergeWhenClause, OverridingKind, WithClause};
use crate::keywords::Kw;
use common::Result;

impl Parser<'_> {
    pub(crate) fn merge_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> Result<MergeStmt> {
        self.expect_kws(&[Kw::Merge, Kw::Into])?;
        let relation = self.target_relation()?;
        self.expect_kw(Kw::Using)?;
        let source_relation = self.table_ref()?;
        self.expect_kw(Kw::On)?;
        let join_condition = self.a_expr()?;
        let mut merge_when_clauses = Vec::new();
        while merge_when_clauses.is_empty() || self.at_kw(Kw::When) {
            merge_when_clauses.push(self.merge_when()?);
        }
        Ok(MergeStmt { relation, source_relation, join_condition, merge_when_clauses, with_clause })
    }

    fn merge_when(&mut self) -> Result<MergeWhenClause> {
        self.expect_kw(Kw::When)?;
        let matched = !self.eat_kw(Kw::Not)?;
        self.expect_kw(Kw::Matched)?;
        let condition = if self.eat_kw(Kw::And)? { Some(self.a_expr()?) } else { None };
        self.expect_kw(Kw::Then)?;
        let action = match self.kw() {
            Some(Kw::Do) => {
                self.skip()?;
                self.expect_kw(Kw::Nothing)?;
                MergeAction::DoNothing
            }
            Some(Kw::Delete) if matched => {
                self.skip()?;
                MergeAction::Delete
            }
            Some(Kw::Update) if matched => {
                self.skip()?;
                self.expect_kw(Kw::Set)?;
                MergeAction::Update { target_list: self.set_clause_list()? }
            }
            Some(Kw::Insert) if !matched => self.merge_insert()?,
            _ => return Err(self.syntax_error()),
        };
        Ok(MergeWhenClause { matched, condition, action })
    }

    fn merge_insert(&mut self) -> Result<MergeAction> {
        self.skip()?;
        if self.eat_kw(Kw::Default)? {
            self.expect_kw(Kw::Values)?;
            return Ok(MergeAction::Insert {
                cols: Vec::new(),
                override_: OverridingKind::NotSet,
                values: None,
            });
        }
        let cols = if self.at_char(b'(') { self.paren_list(Self::insert_column)? } else { Vec::new() };
        let override_ = if self.at_kw(Kw::Overriding) { self.overriding()? } else { OverridingKind::NotSet };
        self.expect_kw(Kw::Values)?;
        let values = Some(self.paren_list(Self::a_expr)?);
        Ok(MergeAction::Insert { cols, override_, values })
    }
}
