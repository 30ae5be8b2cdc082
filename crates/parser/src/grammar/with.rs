//! WITH: common table expressions with SEARCH and CYCLE.

use super::Parser;
use crate::ast::{CTECycleClause, CTEMaterialize, CTESearchClause, CommonTableExpr, Statement, WithClause};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    pub(crate) fn opt_with_clause(&mut self) -> Result<Option<Box<WithClause>>> {
        if !self.at_kw(Kw::With) {
            return Ok(None);
        }
        let location = self.skip()?;
        let named_so = self.at_kw(Kw::Recursive) && matches!(self.peek(), T::Kw(Kw::As) | T::Char(b'('));
        let recursive = !named_so && self.eat_kw(Kw::Recursive)?;
        let ctes = self.list(Self::common_table_expr)?;
        Ok(Some(Box::new(WithClause { ctes, recursive, location })))
    }

    fn common_table_expr(&mut self) -> Result<CommonTableExpr> {
        let location = self.tok.start;
        let ctename = self.col_id()?;
        let aliascolnames = self.opt_column_list()?;
        self.expect_kw(Kw::As)?;
        let ctematerialized = if self.eat_kw(Kw::Materialized)? {
            CTEMaterialize::Always
        } else if self.at_kw(Kw::Not) {
            self.skip()?;
            self.expect_kw(Kw::Materialized)?;
            CTEMaterialize::Never
        } else {
            CTEMaterialize::Default
        };
        self.expect_char(b'(')?;
        self.enter()?;
        let ctequery = Box::new(self.preparable_stmt()?);
        self.leave();
        self.expect_char(b')')?;
        let search_clause = if self.at_kw(Kw::Search) { Some(self.search_clause()?) } else { None };
        let cycle_clause = if self.at_kw(Kw::Cycle) { Some(Box::new(self.cycle_clause()?)) } else { None };
        Ok(CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized,
            ctequery,
            search_clause,
            cycle_clause,
            location,
        })
    }

    fn search_clause(&mut self) -> Result<CTESearchClause> {
        let location = self.skip()?;
        let search_breadth_first = match self.eat_one_of(&[Kw::Depth, Kw::Breadth])? {
            Some(kw) => kw == Kw::Breadth,
            None => return Err(self.syntax_error()),
        };
        self.expect_kws(&[Kw::First, Kw::By])?;
        let search_col_list = self.name_list()?;
        self.expect_kw(Kw::Set)?;
        let search_seq_column = self.col_id()?;
        Ok(CTESearchClause { search_col_list, search_breadth_first, search_seq_column, location })
    }

    fn cycle_clause(&mut self) -> Result<CTECycleClause> {
        let location = self.skip()?;
        let cycle_col_list = self.name_list()?;
        self.expect_kw(Kw::Set)?;
        let cycle_mark_column = self.col_id()?;
        let (mut cycle_mark_value, mut cycle_mark_default) = (None, None);
        if self.eat_kw(Kw::To)? {
            cycle_mark_value = Some(self.constant()?);
            self.expect_kw(Kw::Default)?;
            cycle_mark_default = Some(self.constant()?);
        }
        self.expect_kw(Kw::Using)?;
        let cycle_path_column = self.col_id()?;
        Ok(CTECycleClause {
            cycle_col_list,
            cycle_mark_column,
            cycle_mark_value,
            cycle_mark_default,
            cycle_path_column,
            location,
        })
    }

    /// SELECT, INSERT, UPDATE, DELETE or MERGE: what can be prepared, explained as a plan, or stand in WITH.
    pub(crate) fn preparable_stmt(&mut self) -> Result<Statement> {
        let with = self.opt_with_clause()?;
        match self.kind() {
            T::Kw(Kw::Insert) => Ok(Statement::Insert(Box::new(self.insert_stmt(with)?))),
            T::Kw(Kw::Update) => Ok(Statement::Update(Box::new(self.update_stmt(with)?))),
            T::Kw(Kw::Delete) => Ok(Statement::Delete(Box::new(self.delete_stmt(with)?))),
            T::Kw(Kw::Merge) => Ok(Statement::Merge(Box::new(self.merge_stmt(with)?))),
            _ => Ok(Statement::Select(self.select_behind_with(with, None)?)),
        }
    }
}
