//! CREATE INDEX and index elements; CREATE STATISTICS, whose elements look alike.

use super::Parser;
use super::name::is_col_id;
use crate::ast::{
    AlterStatsStmt, CreateStatsStmt, Expr, IndexElem, IndexStmt, SortByDir, Statement, StatsElem,
};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::Result;

/// A column, a function call, or an expression in parentheses.
pub(crate) struct IndexTarget {
    pub(crate) name: Option<String>,
    pub(crate) expr: Option<Expr>,
}

impl Parser<'_> {
    /// CREATE [UNIQUE] INDEX; the present token is UNIQUE or INDEX.
    pub(crate) fn create_index(&mut self) -> Result<Statement> {
        let unique = self.eat_kw(Kw::Unique)?;
        self.expect_kw(Kw::Index)?;
        let concurrent = self.eat_kw(Kw::Concurrently)?;
        let if_not_exists = self.if_not_exists()?;
        let idxname = if if_not_exists || is_col_id(self.tok.kind) { Some(self.col_id()?) } else { None };
        self.expect_kw(Kw::On)?;
        let relation = self.relation_expr()?;
        let access_method = if self.eat_kw(Kw::Using)? { self.col_id()? } else { "btree".to_string() };
        let index_params = self.paren_list(Self::index_elem)?;
        let index_including_params =
            if self.eat_kw(Kw::Include)? { self.paren_list(Self::index_elem)? } else { Vec::new() };
        let nulls_not_distinct = self.opt_nulls_distinct()?;
        let options = if self.eat_kw(Kw::With)? { self.reloptions()? } else { Vec::new() };
        let table_space = self.opt_tablespace()?;
        let where_clause = self.opt_where()?;
        Ok(Statement::Index(Box::new(IndexStmt {
            idxname,
            relation,
            access_method,
            table_space,
            index_params,
            index_including_params,
            options,
            where_clause,
            unique,
            nulls_not_distinct,
            concurrent,
            if_not_exists,
        })))
    }

    pub(crate) fn index_target(&mut self) -> Result<IndexTarget> {
        if self.eat_char(b'(')? {
            let expr = Some(self.a_expr()?);
            self.expect_char(b')')?;
            return Ok(IndexTarget { name: None, expr });
        }
        let special =
            matches!(self.kw(), Some(kw) if kw.category() == Category::ColName) && self.peek_is_char(b'(');
        let call = matches!(self.peek(), T::Char(b'(' | b'.' | b'['));
        let collation_for = self.at_kw(Kw::Collation) && self.peek_is_kw(Kw::For);
        if is_col_id(self.tok.kind) && !special && !call && !collation_for {
            return Ok(IndexTarget { name: Some(self.col_id()?), expr: None });
        }
        Ok(IndexTarget { name: None, expr: Some(self.windowless_call()?) })
    }

    pub(crate) fn index_elem(&mut self) -> Result<IndexElem> {
        let IndexTarget { name, expr } = self.index_target()?;
        let collation = self.opt_collate()?.map(|c| c.collname).unwrap_or_default();
        let mut elem = IndexElem { name, expr, collation, ..IndexElem::default() };
        let nulls_order = self.at_kw(Kw::Nulls) && matches!(self.peek(), T::Kw(Kw::First | Kw::Last));
        if is_col_id(self.tok.kind) && !nulls_order {
            elem.opclass = self.any_name()?;
            if self.at_char(b'(') {
                elem.opclassopts = self.reloptions()?;
            }
        }
        elem.ordering = match self.eat_one_of(&[Kw::Asc, Kw::Desc])? {
            Some(Kw::Asc) => SortByDir::Asc,
            Some(_) => SortByDir::Desc,
            None => SortByDir::Default,
        };
        elem.nulls_ordering = self.opt_nulls_order()?;
        Ok(elem)
    }

    /// CREATE STATISTICS; the present token is STATISTICS.
    pub(crate) fn create_statistics(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let defnames = self.any_name()?;
        let stat_types = self.opt_column_list()?;
        self.expect_kw(Kw::On)?;
        let exprs = self.list(|p| {
            let IndexTarget { name, expr } = p.index_target()?;
            Ok(StatsElem { name, expr })
        })?;
        self.expect_kw(Kw::From)?;
        let relations = self.table_ref_list()?;
        Ok(Statement::CreateStats(Box::new(CreateStatsStmt {
            defnames,
            stat_types,
            exprs,
            relations,
            if_not_exists,
        })))
    }

    /// Behind ALTER STATISTICS name: SET STATISTICS n.
    pub(crate) fn alter_statistics_target(
        &mut self,
        defnames: Vec<String>,
        missing_ok: bool,
    ) -> Result<Statement> {
        self.expect_kw(Kw::Statistics)?;
        let stxstattarget = self.signed_iconst()?;
        Ok(Statement::AlterStats(Box::new(AlterStatsStmt { defnames, stxstattarget, missing_ok })))
    }
}
