//! FROM: relations, functions, subqueries, joins, aliases.

use super::Parser;
use super::name::{is_col_id, is_type_function_name, range_var_from_names};
use crate::ast::{
    Alias, Expr, FuncColumnDef, JoinExpr, JoinType, RangeFunction, RangeFunctionItem, RangeSubselect,
    RangeTableSample, RangeVar, SelectStmt, TableExpr,
};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::{Result, err};

/// What stood in parentheses in FROM.
enum FromParen {
    Select(Box<SelectStmt>),
    Join(TableExpr),
}

impl Parser<'_> {
    pub(crate) fn table_ref_list(&mut self) -> Result<Vec<TableExpr>> {
        self.list(Self::table_ref)
    }

    /// An item of FROM with all joins behind it.
    pub(crate) fn table_ref(&mut self) -> Result<TableExpr> {
        self.enter()?;
        let saved = self.start_chain();
        let left = self.table_primary()?;
        let t = self.joins(left)?;
        self.end_chain(saved);
        self.leave();
        Ok(t)
    }

    fn at_join(&self) -> bool {
        matches!(
            self.kw(),
            Some(Kw::Join | Kw::Cross | Kw::Natural | Kw::Inner | Kw::Left | Kw::Right | Kw::Full)
        )
    }

    /// Joins behind `left`. A join that still waits for its ON takes the joins behind it into its right side.
    fn joins(&mut self, mut left: TableExpr) -> Result<TableExpr> {
        while self.at_join() {
            self.link()?;
            left = self.join(left)?;
        }
        Ok(left)
    }

    fn join(&mut self, larg: TableExpr) -> Result<TableExpr> {
        let location = self.tok.start;
        let cross = self.eat_kw(Kw::Cross)?;
        let natural = !cross && self.eat_kw(Kw::Natural)?;
        let jointype = if cross { JoinType::Inner } else { self.join_type()? };
        self.expect_kw(Kw::Join)?;
        let mut rarg = self.table_primary()?;
        let mut using_clause = Vec::new();
        let mut join_using_alias = None;
        let mut quals = None;
        if !cross && !natural {
            if self.at_join() {
                self.enter()?;
                rarg = self.joins(rarg)?;
                self.leave();
            }
            if self.eat_kw(Kw::On)? {
                quals = Some(self.a_expr()?);
            } else {
                self.expect_kw(Kw::Using)?;
                using_clause = self.paren_list(Self::col_id)?;
                if self.eat_kw(Kw::As)? {
                    join_using_alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
                }
            }
        }
        Ok(TableExpr::JoinExpr(Box::new(JoinExpr {
            jointype,
            is_natural: natural,
            larg,
            rarg,
            using_clause,
            join_using_alias,
            quals,
            alias: None,
            location,
        })))
    }

    fn join_type(&mut self) -> Result<JoinType> {
        let jointype = match self.eat_one_of(&[Kw::Inner, Kw::Left, Kw::Right, Kw::Full])? {
            Some(Kw::Left) => JoinType::Left,
            Some(Kw::Right) => JoinType::Right,
            Some(Kw::Full) => JoinType::Full,
            Some(_) => return Ok(JoinType::Inner),
            None => return Ok(JoinType::Inner),
        };
        self.eat_kw(Kw::Outer)?;
        Ok(jointype)
    }

    fn table_primary(&mut self) -> Result<TableExpr> {
        let at = self.tok.start;
        if self.at_char(b'(') {
            return match self.paren_table_ref()? {
                FromParen::Select(select) => self.subselect(select, false, at),
                FromParen::Join(join) => self.aliased_join(join),
            };
        }
        if self.eat_kw(Kw::Lateral)? {
            if self.at_char(b'(') {
                let select = self.select_with_parens()?;
                return self.subselect(select, true, at);
            }
            if self.at_kw(Kw::Xmltable) && self.peek_is_char(b'(') {
                return self.xml_table_ref(true);
            }
            return self.function_ref(true);
        }
        match self.kind() {
            T::Kw(Kw::Only) => {
                let relation = self.relation_expr()?;
                self.relation_ref(relation)
            }
            T::Kw(Kw::Xmltable) if self.peek_is_char(b'(') => self.xml_table_ref(false),
            T::Kw(Kw::Rows) if self.peek_is_kw(Kw::From) => self.function_ref(false),
            T::Kw(kw) if kw.category() != Category::Unreserved => {
                if is_col_id(self.tok.kind) && !self.peek_is_char(b'(') {
                    return self.named_ref(at);
                }
                self.function_ref(false)
            }
            kind if is_col_id(kind) => self.named_ref(at),
            _ => Err(self.syntax_error()),
        }
    }

    /// A relation, or a function call when a parenthesis follows the name.
    fn named_ref(&mut self, at: usize) -> Result<TableExpr> {
        let function = is_type_function_name(self.tok.kind);
        let first = self.col_id()?;
        let simple = !matches!(self.tok.kind, T::Char(b'.' | b'['));
        if simple && !self.at_char(b'(') {
            let relation = RangeVar { relname: first, inh: true, location: at, ..RangeVar::default() };
            self.eat_char(b'*')?;
            return self.relation_ref(relation);
        }
        let steps = self.indirection()?;
        let names = self.names_of(first, steps)?;
        if self.at_char(b'(') && (function || !simple) {
            let call = self.application(names, at)?;
            return self.function_item(Expr::FuncCall(Box::new(call)), false, at);
        }
        let relation = range_var_from_names(names, at)?;
        self.eat_char(b'*')?;
        self.relation_ref(relation)
    }

    fn relation_ref(&mut self, mut relation: RangeVar) -> Result<TableExpr> {
        relation.alias = self.opt_alias()?;
        if !self.at_kw(Kw::Tablesample) {
            return Ok(TableExpr::RangeVar(Box::new(relation)));
        }
        self.skip()?;
        let location = self.tok.start;
        let method = self.func_name()?;
        let args = self.paren_list(Self::a_expr)?;
        let mut repeatable = None;
        if self.eat_kw(Kw::Repeatable)? {
            self.expect_char(b'(')?;
            repeatable = Some(self.a_expr()?);
            self.expect_char(b')')?;
        }
        let sample = RangeTableSample { relation, method, args, repeatable, location };
        Ok(TableExpr::RangeTableSample(Box::new(sample)))
    }

    fn xml_table_ref(&mut self, lateral: bool) -> Result<TableExpr> {
        let mut t = self.xml_table(lateral)?;
        t.alias = self.opt_alias()?;
        Ok(TableExpr::RangeTableFunc(Box::new(t)))
    }

    fn subselect(&mut self, subquery: Box<SelectStmt>, lateral: bool, location: usize) -> Result<TableExpr> {
        let alias = self.opt_alias()?;
        if alias.is_none() {
            let (what, example) = if subquery.values_lists.is_empty() {
                ("subquery", "(SELECT ...)")
            } else {
                ("VALUES", "(VALUES ...)")
            };
            return Err(err!(SYNTAX_ERROR, "{what} in FROM must have an alias")
                .hint(format!("For example, FROM {example} [AS] foo."))
                .at(if lateral { self.lateral_subquery_at(location) } else { location }));
        }
        Ok(TableExpr::RangeSubselect(Box::new(RangeSubselect { lateral, subquery, alias, location })))
    }

    fn aliased_join(&mut self, join: TableExpr) -> Result<TableExpr> {
        let TableExpr::JoinExpr(mut join) = join else {
            return Err(self.syntax_error());
        };
        if join.alias.is_none()
            && let Some(alias) = self.opt_alias()?
        {
            join.alias = Some(alias);
        }
        Ok(TableExpr::JoinExpr(join))
    }

    /// From `(` to `)`: a subquery or a join.
    fn paren_table_ref(&mut self) -> Result<FromParen> {
        self.enter()?;
        let saved = self.start_chain();
        self.expect_char(b'(')?;
        let content = if self.at_select() {
            FromParen::Select(self.select_no_parens(None)?)
        } else if self.at_char(b'(') {
            let at = self.tok.start;
            match self.paren_table_ref()? {
                FromParen::Select(select) if self.at_char(b')') || self.continues_select() => {
                    FromParen::Select(self.select_no_parens(Some(select))?)
                }
                FromParen::Select(select) => {
                    if !self.at_join() && !self.at_kw(Kw::As) && !is_col_id(self.tok.kind) {
                        return Err(self.syntax_error());
                    }
                    let left = self.subselect(select, false, at)?;
                    if !self.at_join() {
                        return Err(self.syntax_error());
                    }
                    FromParen::Join(self.joins(left)?)
                }
                FromParen::Join(join) => {
                    let join = self.aliased_join(join)?;
                    let aliased = matches!(&join, TableExpr::JoinExpr(j) if j.alias.is_some());
                    if aliased && !self.at_join() {
                        return Err(self.syntax_error());
                    }
                    FromParen::Join(self.joins(join)?)
                }
            }
        } else {
            let left = self.table_primary()?;
            if !self.at_join() {
                return Err(self.syntax_error());
            }
            FromParen::Join(self.joins(left)?)
        };
        self.expect_char(b')')?;
        self.end_chain(saved);
        self.leave();
        Ok(content)
    }

    /// A function, or ROWS FROM.
    fn function_ref(&mut self, lateral: bool) -> Result<TableExpr> {
        let at = self.tok.start;
        if self.at_kw(Kw::Rows) && self.peek_is_kw(Kw::From) {
            self.skip()?;
            self.skip()?;
            let functions = self.paren_list(|p| {
                let func = p.windowless_call()?;
                let mut coldeflist = Vec::new();
                if p.eat_kw(Kw::As)? {
                    coldeflist = p.paren_list(Self::func_column)?;
                }
                Ok(RangeFunctionItem { func, coldeflist })
            })?;
            return self.finish_function(functions, true, lateral, at);
        }
        let func = self.windowless_call()?;
        self.function_item(func, lateral, at)
    }

    fn function_item(&mut self, func: Expr, lateral: bool, at: usize) -> Result<TableExpr> {
        let item = RangeFunctionItem { func, coldeflist: Vec::new() };
        self.finish_function(vec![item], false, lateral, at)
    }

    /// WITH ORDINALITY, and an alias with column names or column definitions.
    fn finish_function(
        &mut self,
        functions: Vec<RangeFunctionItem>,
        is_rowsfrom: bool,
        lateral: bool,
        location: usize,
    ) -> Result<TableExpr> {
        let mut ordinality = false;
        if self.at_kw(Kw::With) && self.peek_is_kw(Kw::Ordinality) {
            self.skip()?;
            self.skip()?;
            ordinality = true;
        }
        let mut alias = None;
        let mut coldeflist = Vec::new();
        let explicit = self.eat_kw(Kw::As)?;
        if explicit && self.at_char(b'(') {
            coldeflist = self.paren_list(Self::func_column)?;
        } else if explicit || is_col_id(self.tok.kind) {
            let mut a = Alias { aliasname: self.col_id()?, colnames: Vec::new() };
            if self.at_char(b'(') {
                self.skip()?;
                if is_col_id(self.tok.kind) && matches!(self.peek(), T::Char(b',' | b')')) {
                    a.colnames = self.name_list()?;
                } else {
                    coldeflist = self.list(Self::func_column)?;
                }
                self.expect_char(b')')?;
            }
            alias = Some(a);
        }
        let f = RangeFunction { lateral, ordinality, is_rowsfrom, functions, alias, coldeflist, location };
        Ok(TableExpr::RangeFunction(Box::new(f)))
    }

    fn func_column(&mut self) -> Result<FuncColumnDef> {
        let location = self.tok.start;
        let colname = self.col_id()?;
        let type_name = self.type_name()?;
        let coll_clause = self.opt_collate()?;
        Ok(FuncColumnDef { colname, type_name, coll_clause, location })
    }

    /// `[AS] name [(columns)]`
    pub(crate) fn opt_alias(&mut self) -> Result<Option<Alias>> {
        if !self.eat_kw(Kw::As)? && !is_col_id(self.tok.kind) {
            return Ok(None);
        }
        let aliasname = self.col_id()?;
        let colnames = self.opt_column_list()?;
        Ok(Some(Alias { aliasname, colnames }))
    }

    /// PostgreSQL points at the subquery, not at LATERAL before it.
    fn lateral_subquery_at(&self, lateral_at: usize) -> usize {
        let text = self.source();
        text[lateral_at..].find('(').map_or(lateral_at, |n| lateral_at + n)
    }
}
