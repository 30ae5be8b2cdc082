//! UPDATE and DELETE.

use super::Parser;
use super::name::is_col_id;
use crate::ast::{
    Alias, CurrentOfExpr, DeleteStmt, Expr, MultiAssignRef, RangeVar, ResTarget, UpdateStmt, WithClause,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    pub(crate) fn update_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> Result<UpdateStmt> {
        self.expect_kw(Kw::Update)?;
        let relation = self.target_relation()?;
        self.expect_kw(Kw::Set)?;
        let target_list = self.set_clause_list()?;
        let from_clause = if self.eat_kw(Kw::From)? { self.table_ref_list()? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning_list = self.opt_returning()?;
        Ok(UpdateStmt { relation, target_list, where_clause, from_clause, returning_list, with_clause })
    }

    pub(crate) fn delete_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> Result<DeleteStmt> {
        self.expect_kws(&[Kw::Delete, Kw::From])?;
        let relation = self.target_relation()?;
        let using_clause = if self.eat_kw(Kw::Using)? { self.table_ref_list()? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning_list = self.opt_returning()?;
        Ok(DeleteStmt { relation, using_clause, where_clause, returning_list, with_clause })
    }

    /// A relation with an alias; SET is an alias only behind AS.
    pub(crate) fn target_relation(&mut self) -> Result<RangeVar> {
        let mut relation = self.relation_expr()?;
        let explicit = self.eat_kw(Kw::As)?;
        if explicit || (is_col_id(self.tok.kind) && !self.at_kw(Kw::Set)) {
            relation.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        Ok(relation)
    }

    fn where_or_current(&mut self) -> Result<Option<Expr>> {
        if self.at_kw(Kw::Where) && self.peek_is_kw(Kw::Current) {
            self.skip()?;
            if self.peek_is_kw(Kw::Of) {
                let location = self.skip()?;
                self.skip()?;
                let cursor_name = self.col_id()?;
                return Ok(Some(Expr::CurrentOfExpr(Box::new(CurrentOfExpr { cursor_name, location }))));
            }
            return Ok(Some(self.a_expr()?));
        }
        self.opt_where()
    }

    /// `column = value, (a, b) = row, …`
    pub(crate) fn set_clause_list(&mut self) -> Result<Vec<ResTarget>> {
        let mut targets = Vec::new();
        loop {
            if self.at_char(b'(') {
                self.multi_assignment(&mut targets)?;
            } else {
                let mut target = self.insert_column()?;
                self.expect_char(b'=')?;
                target.val = Some(self.a_expr()?);
                targets.push(target);
            }
            if !self.eat_char(b',')? {
                return Ok(targets);
            }
        }
    }

    fn multi_assignment(&mut self, targets: &mut Vec<ResTarget>) -> Result<()> {
        let columns = self.paren_list(Self::insert_column)?;
        self.expect_char(b'=')?;
        let mut source = Some(self.a_expr()?);
        let ncolumns = columns.len();
        for (i, mut column) in columns.into_iter().enumerate() {
            let reference = MultiAssignRef { source: source.take(), colno: i + 1, ncolumns };
            column.val = Some(Expr::MultiAssignRef(Box::new(reference)));
            targets.push(column);
        }
        Ok(())
    }

    /// VALUES as the first column's name: `INSERT INTO t (values) …`.
    pub(crate) fn values_is_a_column(&mut self) -> bool {
        self.peek() == T::Kw(Kw::Values) && !self.third_is_paren()
    }
}
