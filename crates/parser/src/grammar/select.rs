//! SELECT: set operations, the clauses of a simple SELECT, ORDER BY / LIMIT / locking around them.

use super::Parser;
use super::name::{is_bare_label, is_col_id};
use crate::ast::{
    AConst, ColumnRef, DistinctClause, Expr, Field, GroupByItem, GroupingSet, GroupingSetKind, IntoClause,
    LimitOption, LockClauseStrength, LockWaitPolicy, LockingClause, RelPersistence, ResTarget, SelectStmt,
    SetOperation, SortBy, SortByDir, SortByNulls, Value, WithClause,
};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::{Result, err};

/// LIMIT and its relatives as written.
#[derive(Default)]
struct Limits {
    offset: Option<Expr>,
    count: Option<Expr>,
    option: LimitOption,
    any: bool,
}

impl Parser<'_> {
    /// `( select )`
    pub(crate) fn select_with_parens(&mut self) -> Result<Box<SelectStmt>> {
        self.enter()?;
        self.expect_char(b'(')?;
        let select = if self.at_char(b'(') {
            let inner = self.select_with_parens()?;
            self.select_no_parens(Some(inner))?
        } else {
            self.select_no_parens(None)?
        };
        self.expect_char(b')')?;
        self.leave();
        Ok(select)
    }

    /// A SELECT with or without parentheses.
    pub(crate) fn select_stmt(&mut self) -> Result<Box<SelectStmt>> {
        self.select_no_parens(None)
    }

    /// A SELECT; `first` is a parenthesised one that has been read already and that this one starts with.
    pub(crate) fn select_no_parens(&mut self, first: Option<Box<SelectStmt>>) -> Result<Box<SelectStmt>> {
        let with = if first.is_none() { self.opt_with_clause()? } else { None };
        self.select_behind_with(with, first)
    }

    /// A SELECT whose WITH clause has been read.
    pub(crate) fn select_behind_with(
        &mut self,
        with: Option<Box<WithClause>>,
        first: Option<Box<SelectStmt>>,
    ) -> Result<Box<SelectStmt>> {
        self.enter()?;
        let saved = self.start_chain();
        let mut select = self.set_operations(0, first)?;
        let sort = self.opt_sort_clause()?;
        let mut limits = Limits::default();
        let mut locking = Vec::new();
        if self.at_kw(Kw::For) {
            locking = self.locking_clause()?;
            self.limit_clauses(&mut limits)?;
        } else {
            self.limit_clauses(&mut limits)?;
            if limits.any && self.at_kw(Kw::For) {
                locking = self.locking_clause()?;
            }
        }
        if with.is_some() || !sort.is_empty() || limits.any || !locking.is_empty() {
            attach_options(&mut select, sort, locking, limits, with)?;
        }
        self.end_chain(saved);
        self.leave();
        Ok(select)
    }

    /// UNION and EXCEPT bind weaker than INTERSECT; all associate to the left.
    fn set_operations(&mut self, min: u8, first: Option<Box<SelectStmt>>) -> Result<Box<SelectStmt>> {
        let mut left = match first {
            Some(s) => s,
            None => self.simple_select()?,
        };
        loop {
            let (op, level) = match self.kw() {
                Some(Kw::Union) => (SetOperation::Union, 1),
                Some(Kw::Except) => (SetOperation::Except, 1),
                Some(Kw::Intersect) => (SetOperation::Intersect, 2),
                _ => return Ok(left),
            };
            if level < min {
                return Ok(left);
            }
            self.link_within(super::SET_CHAIN_MAX)?;
            self.skip()?;
            let all = self.eat_one_of(&[Kw::All, Kw::Distinct])? == Some(Kw::All);
            let right = self.set_operations(level + 1, None)?;
            left = Box::new(SelectStmt {
                op,
                all,
                larg: Some(left),
                rarg: Some(right),
                ..SelectStmt::default()
            });
        }
    }

    fn simple_select(&mut self) -> Result<Box<SelectStmt>> {
        match self.kind() {
            T::Char(b'(') => self.select_with_parens(),
            T::Kw(Kw::Select) => self.select_core(),
            T::Kw(Kw::Values) => {
                let values_lists = self.values_clause()?;
                Ok(Box::new(SelectStmt { values_lists, ..SelectStmt::default() }))
            }
            T::Kw(Kw::Table) => {
                let location = self.skip()?;
                let relation = self.relation_expr()?;
                let star = Expr::ColumnRef(ColumnRef { fields: vec![Field::Star], location });
                let target = ResTarget { val: Some(star), location, ..ResTarget::default() };
                Ok(Box::new(SelectStmt {
                    target_list: vec![target],
                    from_clause: vec![crate::ast::TableExpr::RangeVar(Box::new(relation))],
                    ..SelectStmt::default()
                }))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// `VALUES (…), …`
    pub(crate) fn values_clause(&mut self) -> Result<Vec<Vec<Expr>>> {
        self.expect_kw(Kw::Values)?;
        let mut width = 0;
        self.list(|p| {
            p.expect_char(b'(')?;
            // Rows are as long as the one before.
            let mut row = Vec::with_capacity(width);
            row.push(p.a_expr()?);
            while p.eat_char(b',')? {
                row.push(p.a_expr()?);
            }
            p.expect_char(b')')?;
            width = row.len();
            Ok(row)
        })
    }

    fn select_core(&mut self) -> Result<Box<SelectStmt>> {
        self.skip()?;
        let mut s = Box::new(SelectStmt::default());
        let mut target_needed = false;
        if self.eat_one_of(&[Kw::All, Kw::Distinct])? == Some(Kw::Distinct) {
            target_needed = true;
            s.distinct_clause = Some(if self.eat_kw(Kw::On)? {
                DistinctClause::On(self.paren_list(Self::a_expr)?)
            } else {
                DistinctClause::All
            });
        }
        if target_needed || self.at_target() {
            s.target_list = self.target_list()?;
        }
        if self.at_kw(Kw::Into) {
            s.into_clause = Some(Box::new(self.select_into()?));
        }
        if self.eat_kw(Kw::From)? {
            s.from_clause = self.table_ref_list()?;
        }
        s.where_clause = self.opt_where()?;
        if self.eat_kw(Kw::Group)? {
            self.expect_kw(Kw::By)?;
            s.group_distinct = self.eat_one_of(&[Kw::All, Kw::Distinct])? == Some(Kw::Distinct);
            s.group_clause = self.list(Self::group_by_item)?;
        }
        if self.eat_kw(Kw::Having)? {
            s.having_clause = Some(self.a_expr()?);
        }
        s.window_clause = self.opt_window_clause()?;
        Ok(s)
    }

    pub(crate) fn opt_where(&mut self) -> Result<Option<Expr>> {
        if self.eat_kw(Kw::Where)? { Ok(Some(self.a_expr()?)) } else { Ok(None) }
    }

    /// Whether a target list begins here, which may be empty.
    fn at_target(&self) -> bool {
        match self.kind() {
            T::Kw(kw) if kw.category() == Category::Reserved => matches!(
                kw,
                Kw::Not
                    | Kw::Default
                    | Kw::Unique
                    | Kw::Array
                    | Kw::Case
                    | Kw::Cast
                    | Kw::CurrentCatalog
                    | Kw::CurrentDate
                    | Kw::CurrentRole
                    | Kw::CurrentTime
                    | Kw::CurrentTimestamp
                    | Kw::CurrentUser
                    | Kw::False
                    | Kw::Localtime
                    | Kw::Localtimestamp
                    | Kw::Null
                    | Kw::SessionUser
                    | Kw::True
                    | Kw::User
            ),
            T::Kw(_)
            | T::Ident
            | T::IConst
            | T::FConst
            | T::SConst
            | T::BConst
            | T::XConst
            | T::Param
            | T::Op => true,
            T::Char(c) => matches!(c, b'(' | b'*' | b'+' | b'-'),
            _ => false,
        }
    }

    pub(crate) fn target_list(&mut self) -> Result<Vec<ResTarget>> {
        self.list(Self::target_element)
    }

    fn target_element(&mut self) -> Result<ResTarget> {
        let location = self.tok.start;
        if self.eat_char(b'*')? {
            let star = Expr::ColumnRef(ColumnRef { fields: vec![Field::Star], location });
            return Ok(ResTarget { name: None, indirection: Vec::new(), val: Some(star), location });
        }
        let val = self.target_expr()?;
        let name = if self.eat_kw(Kw::As)? {
            Some(self.col_label()?)
        } else if is_bare_label(self.tok.kind) && !self.at_nulls_order() {
            Some(self.word()?)
        } else {
            None
        };
        Ok(ResTarget { name, indirection: Vec::new(), val: Some(val), location })
    }

    /// At NULLS before FIRST or LAST, where it is no name.
    pub(crate) fn at_nulls_order(&mut self) -> bool {
        self.at_kw(Kw::Nulls) && matches!(self.peek(), T::Kw(Kw::First | Kw::Last))
    }

    /// `INTO [TEMP | UNLOGGED] [TABLE] name`
    fn select_into(&mut self) -> Result<IntoClause> {
        self.skip()?;
        let persistence = self.opt_temp_before_name()?;
        self.eat_kw(Kw::Table)?;
        let rel = self.qualified_name()?;
        Ok(IntoClause::into_table(rel, persistence))
    }

    /// TEMP and its synonyms where a relation's name follows and might itself be one of these words.
    pub(crate) fn opt_temp_before_name(&mut self) -> Result<RelPersistence> {
        let at = self.tok.start;
        match self.kw() {
            Some(Kw::Temp | Kw::Temporary | Kw::Unlogged) => {
                let next = self.peek();
                if next != T::Kw(Kw::Table) && !is_col_id(next) {
                    return Ok(RelPersistence::Permanent);
                }
                let unlogged = self.at_kw(Kw::Unlogged);
                self.skip()?;
                Ok(if unlogged { RelPersistence::Unlogged } else { RelPersistence::Temp })
            }
            Some(kw @ (Kw::Local | Kw::Global)) => {
                if !matches!(self.peek(), T::Kw(Kw::Temp | Kw::Temporary)) {
                    return Ok(RelPersistence::Permanent);
                }
                self.skip()?;
                self.skip()?;
                if kw == Kw::Global {
                    self.warn_global_temp(at);
                }
                Ok(RelPersistence::Temp)
            }
            _ => Ok(RelPersistence::Permanent),
        }
    }

    fn group_by_item(&mut self) -> Result<GroupByItem> {
        let location = self.tok.start;
        let set = |kind, content| GroupByItem::GroupingSet(GroupingSet { kind, content, location });
        if self.at_char(b'(') && self.peek_is_char(b')') {
            self.skip()?;
            self.skip()?;
            return Ok(set(GroupingSetKind::Empty, Vec::new()));
        }
        match self.kw() {
            Some(kw @ (Kw::Cube | Kw::Rollup)) if self.peek_is_char(b'(') => {
                self.skip()?;
                let items = self.paren_list(|p| Ok(GroupByItem::Expr(p.a_expr()?)))?;
                let kind = if kw == Kw::Cube { GroupingSetKind::Cube } else { GroupingSetKind::Rollup };
                Ok(set(kind, items))
            }
            Some(Kw::Grouping) if self.peek_is_kw(Kw::Sets) => {
                self.enter()?;
                self.skip()?;
                self.skip()?;
                let items = self.paren_list(Self::group_by_item)?;
                self.leave();
                Ok(set(GroupingSetKind::Sets, items))
            }
            _ => Ok(GroupByItem::Expr(self.a_expr()?)),
        }
    }

    pub(crate) fn sort_by(&mut self) -> Result<SortBy> {
        let node = self.a_expr()?;
        let mut location = node.location();
        let mut use_op = Vec::new();
        let sortby_dir = match self.eat_one_of(&[Kw::Asc, Kw::Desc, Kw::Using])? {
            Some(Kw::Asc) => SortByDir::Asc,
            Some(Kw::Desc) => SortByDir::Desc,
            Some(_) => {
                location = self.tok.start;
                use_op = self.qual_all_op()?;
                SortByDir::Using
            }
            None => SortByDir::Default,
        };
        let sortby_nulls = self.opt_nulls_order()?;
        Ok(SortBy { node, sortby_dir, sortby_nulls, use_op, location })
    }

    /// `NULLS FIRST`, `NULLS LAST`, or nothing.
    pub(crate) fn opt_nulls_order(&mut self) -> Result<SortByNulls> {
        if self.at_kw(Kw::Nulls) && matches!(self.peek(), T::Kw(Kw::First | Kw::Last)) {
            self.skip()?;
            return Ok(match self.eat_one_of(&[Kw::First, Kw::Last])? {
                Some(Kw::First) => SortByNulls::First,
                _ => SortByNulls::Last,
            });
        }
        Ok(SortByNulls::Default)
    }

    /// LIMIT, OFFSET, FETCH: each kind at most once, in either order.
    fn limit_clauses(&mut self, limits: &mut Limits) -> Result<()> {
        loop {
            match self.kw() {
                Some(Kw::Offset) if limits.offset.is_none() => {
                    self.skip()?;
                    limits.offset = Some(self.offset_value()?);
                }
                Some(Kw::Limit) if limits.count.is_none() => {
                    let at = self.skip()?;
                    let value_at = self.tok.start;
                    limits.count = Some(if self.eat_kw(Kw::All)? {
                        Expr::AConst(AConst { val: Value::Null, location: value_at })
                    } else {
                        self.a_expr()?
                    });
                    if self.eat_char(b',')? {
                        self.a_expr()?;
                        return Err(err!(SYNTAX_ERROR, "LIMIT #,# syntax is not supported")
                            .hint("Use separate LIMIT and OFFSET clauses.")
                            .at(at));
                    }
                }
                Some(Kw::Fetch) if limits.count.is_none() => {
                    self.skip()?;
                    self.fetch_first(limits)?;
                }
                _ => return Ok(()),
            }
            limits.any = true;
        }
    }

    /// An expression, or a plain value followed by ROW or ROWS.
    fn offset_value(&mut self) -> Result<Expr> {
        let signed = matches!(self.tok.kind, T::Char(b'+' | b'-'));
        let prefixed = matches!(self.tok.kind, T::Op | T::Kw(Kw::Not | Kw::Operator | Kw::Default));
        let operand = self.prefix(false)?;
        let end = self.prev_end;
        let plain_number =
            matches!(operand, Expr::AConst(_)) || matches!(&operand, Expr::AExpr(e) if e.lexpr.is_none());
        let value = self.continue_a_expr(operand)?;
        let plain = self.prev_end == end && !prefixed && (!signed || plain_number);
        if plain && matches!(self.kw(), Some(Kw::Row | Kw::Rows)) {
            self.skip()?;
        }
        Ok(value)
    }

    fn fetch_first(&mut self, limits: &mut Limits) -> Result<()> {
        if self.eat_one_of(&[Kw::First, Kw::Next])?.is_none() {
            return Err(self.syntax_error());
        }
        let at = self.tok.start;
        let omitted = matches!(self.kw(), Some(Kw::Row | Kw::Rows))
            && matches!(self.peek(), T::Kw(Kw::Only | Kw::With));
        limits.count = Some(match self.kind() {
            _ if omitted => super::types::int_const(1, at),
            T::Char(b'+' | b'-') => {
                if !matches!(self.peek(), T::IConst | T::FConst) {
                    self.skip()?;
                    return Err(self.syntax_error());
                }
                self.prefix(true)?
            }
            _ => self.primary()?,
        });
        if self.eat_one_of(&[Kw::Row, Kw::Rows])?.is_none() {
            return Err(self.syntax_error());
        }
        if self.eat_kw(Kw::With)? {
            self.expect_kw(Kw::Ties)?;
            limits.option = LimitOption::WithTies;
        } else {
            self.expect_kw(Kw::Only)?;
        }
        Ok(())
    }

    /// `FOR UPDATE …` once or more, or `FOR READ ONLY`.
    fn locking_clause(&mut self) -> Result<Vec<LockingClause>> {
        let mut list = Vec::new();
        while self.at_kw(Kw::For) {
            self.skip()?;
            if list.is_empty() && self.at_kw(Kw::Read) {
                self.skip()?;
                self.expect_kw(Kw::Only)?;
                return Ok(list);
            }
            let strength = match self.eat_one_of(&[Kw::Update, Kw::Share, Kw::No, Kw::Key])? {
                Some(Kw::Update) => LockClauseStrength::ForUpdate,
                Some(Kw::Share) => LockClauseStrength::ForShare,
                Some(Kw::No) => {
                    self.expect_kws(&[Kw::Key, Kw::Update])?;
                    LockClauseStrength::ForNoKeyUpdate
                }
                Some(_) => {
                    self.expect_kw(Kw::Share)?;
                    LockClauseStrength::ForKeyShare
                }
                None => return Err(self.syntax_error()),
            };
            let locked_rels = if self.eat_kw(Kw::Of)? { self.qualified_name_list()? } else { Vec::new() };
            let wait_policy = if self.eat_kw(Kw::Nowait)? {
                LockWaitPolicy::Error
            } else if self.eat_kw(Kw::Skip)? {
                self.expect_kw(Kw::Locked)?;
                LockWaitPolicy::Skip
            } else {
                LockWaitPolicy::Block
            };
            list.push(LockingClause { locked_rels, strength, wait_policy });
        }
        Ok(list)
    }
}

/// Puts what stood around a SELECT into it. A parenthesised one may have some of it already.
fn attach_options(
    select: &mut SelectStmt,
    sort: Vec<SortBy>,
    locking: Vec<LockingClause>,
    limits: Limits,
    with: Option<Box<WithClause>>,
) -> Result<()> {
    if let Some(first) = sort.first() {
        if !select.sort_clause.is_empty() {
            let message = "multiple ORDER BY clauses not allowed";
            return Err(err!(SYNTAX_ERROR, "{message}").at(first.node.location()));
        }
        select.sort_clause = sort;
    }
    select.locking_clause.extend(locking);
    if let Some(offset) = limits.offset {
        if select.limit_offset.is_some() {
            return Err(err!(SYNTAX_ERROR, "multiple OFFSET clauses not allowed").at(offset.location()));
        }
        select.limit_offset = Some(offset);
    }
    if let Some(count) = limits.count {
        if select.limit_count.is_some() {
            return Err(err!(SYNTAX_ERROR, "multiple LIMIT clauses not allowed").at(count.location()));
        }
        select.limit_count = Some(count);
    }
    if limits.any && limits.option == LimitOption::WithTies {
        if select.limit_option == LimitOption::WithTies {
            return Err(err!(SYNTAX_ERROR, "multiple limit options not allowed"));
        }
        if select.sort_clause.is_empty() {
            return Err(err!(SYNTAX_ERROR, "WITH TIES cannot be specified without ORDER BY clause"));
        }
        if select.locking_clause.iter().any(|l| l.wait_policy == LockWaitPolicy::Skip) {
            let message = "SKIP LOCKED and WITH TIES options cannot be used together";
            return Err(err!(SYNTAX_ERROR, "{message}"));
        }
        select.limit_option = limits.option;
    }
    if let Some(with) = with {
        if select.with_clause.is_some() {
            return Err(err!(SYNTAX_ERROR, "multiple WITH clauses not allowed").at(with.location));
        }
        select.with_clause = Some(with);
    }
    Ok(())
}
