//! Operands of expressions: literals, column references, parentheses, CASE, ARRAY, ROW, subqueries. What PostgreSQL's
//! grammar calls `c_expr`.

use super::Parser;
use super::expr::string_const;
use super::name::{is_col_id, is_type_function_name, split_column_ref};
use crate::ast::{
    AArrayExpr, AConst, AIndirection, CaseExpr, CaseWhen, ColumnRef, Expr, Field, GroupingFunc, Indirection,
    ParamRef, RowExpr, SelectStmt, SubLink, SubLinkType, TypeCast, TypeName, Value,
};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::Result;

/// What stood in parentheses.
pub(crate) enum Paren {
    Select(Box<SelectStmt>),
    /// One expression or several.
    List(Vec<Expr>),
}

fn constant(val: Value, location: usize) -> Expr {
    Expr::AConst(AConst { val, location })
}

fn sub_link(sub_link_type: SubLinkType, subselect: Box<SelectStmt>, location: usize) -> Expr {
    Expr::SubLink(Box::new(SubLink {
        sub_link_type,
        testexpr: None,
        oper_name: Vec::new(),
        subselect,
        location,
    }))
}

impl Parser<'_> {
    /// Whether a SELECT statement (without parentheses around it) begins here.
    pub(crate) fn at_select(&mut self) -> bool {
        match self.kw() {
            Some(Kw::Select | Kw::With | Kw::Table) => true,
            Some(Kw::Values) => self.peek_is_char(b'('),
            _ => false,
        }
    }

    /// Whether the present token continues a parenthesised SELECT rather than an expression.
    pub(crate) fn continues_select(&self) -> bool {
        matches!(
            self.kw(),
            Some(
                Kw::Union
                    | Kw::Intersect
                    | Kw::Except
                    | Kw::Order
                    | Kw::Limit
                    | Kw::Offset
                    | Kw::Fetch
                    | Kw::For
            )
        )
    }

    pub(crate) fn primary(&mut self) -> Result<Expr> {
        let at = self.tok.start;
        match self.kind() {
            T::IConst => {
                let token = self.advance()?;
                Ok(constant(Value::Integer(token.ival), at))
            }
            T::Ident => self.named(),
            T::SConst => {
                let text = self.advance()?.text.into_owned();
                Ok(string_const(text, at))
            }
            T::FConst => {
                let text = self.advance()?.text.into_owned();
                Ok(constant(Value::Float(text), at))
            }
            T::BConst | T::XConst => {
                let text = self.advance()?.text.into_owned();
                Ok(constant(Value::BitString(text), at))
            }
            T::Param => {
                let number = self.advance()?.ival;
                self.with_indirection(Expr::ParamRef(ParamRef { number, location: at }))
            }
            T::Char(b'(') => self.paren_primary(),
            T::Kw(kw) => self.keyword_primary(kw),
            _ => Err(self.syntax_error()),
        }
    }

    /// A literal, with or without a type before it.
    pub(crate) fn constant(&mut self) -> Result<Expr> {
        if matches!(self.tok.kind, T::Char(b'(') | T::Param) {
            return Err(self.syntax_error());
        }
        let e = self.primary()?;
        let literal = match &e {
            Expr::AConst(_) => true,
            Expr::TypeCast(cast) => matches!(&cast.arg, Expr::AConst(_)),
            _ => false,
        };
        if literal { Ok(e) } else { Err(self.syntax_error()) }
    }

    fn keyword_primary(&mut self, kw: Kw) -> Result<Expr> {
        let at = self.tok.start;
        match kw {
            Kw::Null => {
                self.skip()?;
                Ok(constant(Value::Null, at))
            }
            Kw::True | Kw::False => {
                self.skip()?;
                Ok(constant(Value::Boolean(kw == Kw::True), at))
            }
            Kw::Case => self.case_expr(),
            Kw::Array => self.array_expr(),
            Kw::Exists if self.peek_is_char(b'(') => {
                self.skip()?;
                let select = self.select_with_parens()?;
                Ok(sub_link(SubLinkType::Exists, select, at))
            }
            Kw::Row if self.peek_is_char(b'(') => {
                self.skip()?;
                self.skip()?;
                let args = if self.at_char(b')') { Vec::new() } else { self.expr_list()? };
                self.expect_char(b')')?;
                self.row_end = self.prev_end;
                Ok(Expr::RowExpr(Box::new(RowExpr { args, explicit: true, location: at })))
            }
            Kw::Grouping if self.peek_is_char(b'(') => {
                self.skip()?;
                let args = self.paren_list(Self::a_expr)?;
                Ok(Expr::GroupingFunc(Box::new(GroupingFunc { args, location: at })))
            }
            _ => {
                if let Some(e) = self.special_function(kw)? {
                    return Ok(e);
                }
                if self.starts_typed_literal(kw) {
                    return self.typed_literal(kw);
                }
                if kw.category() == Category::Reserved || self.at_nulls_order() {
                    return Err(self.syntax_error());
                }
                self.named()
            }
        }
    }

    /// `int '1'`, `interval '1' day`, `timestamp with time zone '…'`.
    fn typed_literal(&mut self, kw: Kw) -> Result<Expr> {
        let at = self.tok.start;
        if kw == Kw::Interval {
            self.skip()?;
            let mut type_name = super::types::system_type("interval", at);
            if self.at_char(b'(') {
                type_name.typmods = self.interval_precision()?;
            }
            let literal_at = self.tok.start;
            let literal = self.sconst()?;
            if type_name.typmods.is_empty() {
                type_name.typmods = self.opt_interval_fields()?;
            }
            return Ok(literal_cast(literal, literal_at, type_name));
        }
        let type_name = self.literal_type(kw)?;
        let literal_at = self.tok.start;
        let literal = self.sconst()?;
        Ok(literal_cast(literal, literal_at, type_name))
    }

    /// Column reference, function call, or `type 'literal'`.
    fn named(&mut self) -> Result<Expr> {
        let at = self.tok.start;
        let column = is_col_id(self.tok.kind);
        let function = is_type_function_name(self.tok.kind);
        let first = self.word()?;
        if column && self.at_char(b'.') {
            self.skip()?;
            if self.eat_char(b'*')? {
                let steps = self.further_indirection(Indirection::Star)?;
                return self.named_by(first, steps, (column, function), at);
            }
            let second = self.col_label()?;
            if !matches!(self.kind(), T::Char(b'.' | b'[' | b'(') | T::SConst) {
                let fields = vec![Field::Name(first), Field::Name(second)];
                return Ok(Expr::ColumnRef(ColumnRef { fields, location: at }));
            }
            let steps = self.further_indirection(Indirection::Field(second))?;
            return self.named_by(first, steps, (column, function), at);
        }
        let steps = match self.kind() {
            T::Char(b'[') if column => self.indirection()?,
            _ => Vec::new(),
        };
        self.named_by(first, steps, (column, function), at)
    }

    /// What begins with a name: may it be a column's, a function's?
    fn named_by(
        &mut self,
        first: String,
        steps: Vec<Indirection>,
        (column, function): (bool, bool),
        at: usize,
    ) -> Result<Expr> {
        if function || !steps.is_empty() {
            if self.at_char(b'(') {
                let names = self.names_of(first, steps)?;
                return self.call_or_literal(names, at);
            }
            if self.at(T::SConst) {
                let names = self.names_of(first, steps)?;
                let type_name = TypeName { names, location: at, ..TypeName::default() };
                let literal_at = self.tok.start;
                let literal = self.sconst()?;
                return Ok(literal_cast(literal, literal_at, type_name));
            }
        }
        if !column {
            return Err(self.syntax_error());
        }
        if steps.is_empty() {
            return Ok(Expr::ColumnRef(ColumnRef { fields: vec![Field::Name(first)], location: at }));
        }
        let (fields, rest) = split_column_ref(first, steps);
        Ok(indirect(Expr::ColumnRef(ColumnRef { fields, location: at }), rest))
    }

    fn with_indirection(&mut self, e: Expr) -> Result<Expr> {
        match self.kind() {
            T::Char(b'.' | b'[') => {
                let steps = self.indirection()?;
                Ok(indirect(e, steps))
            }
            _ => Ok(e),
        }
    }

    /// `(` … `)`: a subquery, an expression, or a row.
    fn paren_primary(&mut self) -> Result<Expr> {
        let at = self.tok.start;
        let content = self.paren(false)?;
        self.paren_operand(content, at)
    }

    fn paren_operand(&mut self, content: Paren, at: usize) -> Result<Expr> {
        match content {
            Paren::Select(select) => self.with_indirection(sub_link(SubLinkType::Expr, select, at)),
            Paren::List(mut items) => {
                if items.len() == 1
                    && let Some(e) = items.pop()
                {
                    return self.with_indirection(e);
                }
                self.row_end = self.prev_end;
                Ok(Expr::RowExpr(Box::new(RowExpr { args: items, explicit: false, location: at })))
            }
        }
    }

    /// From `(` to `)`. Only behind the second token of nested parentheses does it show whether they hold a subquery
    /// or an expression that starts with one. `single` refuses a list.
    pub(crate) fn paren(&mut self, single: bool) -> Result<Paren> {
        let outer = std::mem::replace(&mut self.similar_stops, false);
        let content = self.paren_content(single)?;
        self.similar_stops = outer;
        Ok(content)
    }

    fn paren_content(&mut self, single: bool) -> Result<Paren> {
        self.enter()?;
        let saved = self.start_chain();
        self.expect_char(b'(')?;
        let first = if self.at_select() {
            let select = self.select_no_parens(None)?;
            self.expect_char(b')')?;
            self.end_chain(saved);
            self.leave();
            return Ok(Paren::Select(select));
        } else if self.at_char(b'(') {
            let inner_at = self.tok.start;
            match self.paren(false)? {
                Paren::Select(select) if self.at_char(b')') || self.continues_select() => {
                    let select = self.select_no_parens(Some(select))?;
                    self.expect_char(b')')?;
                    self.end_chain(saved);
                    self.leave();
                    return Ok(Paren::Select(select));
                }
                content => {
                    let operand = self.paren_operand(content, inner_at)?;
                    let operand = self.opt_overlaps(operand)?;
                    self.continue_a_expr(operand)?
                }
            }
        } else {
            self.a_expr()?
        };
        let mut items = vec![first];
        while !single && self.eat_char(b',')? {
            items.push(self.a_expr()?);
        }
        self.expect_char(b')')?;
        self.end_chain(saved);
        self.leave();
        Ok(Paren::List(items))
    }

    fn case_expr(&mut self) -> Result<Expr> {
        let location = self.skip()?;
        let arg = if self.at_kw(Kw::When) { None } else { Some(self.a_expr()?) };
        let mut args = Vec::new();
        while args.is_empty() || self.at_kw(Kw::When) {
            let location = self.expect_kw(Kw::When)?;
            let expr = self.a_expr()?;
            self.expect_kw(Kw::Then)?;
            let result = self.a_expr()?;
            args.push(CaseWhen { expr, result, location });
        }
        let defresult = if self.eat_kw(Kw::Else)? { Some(self.a_expr()?) } else { None };
        self.expect_kw(Kw::End)?;
        Ok(Expr::CaseExpr(Box::new(CaseExpr { arg, args, defresult, location })))
    }

    /// `ARRAY[…]` or `ARRAY(SELECT …)`.
    fn array_expr(&mut self) -> Result<Expr> {
        let at = self.skip()?;
        if self.at_char(b'(') {
            let select = self.select_with_parens()?;
            return Ok(sub_link(SubLinkType::Array, select, at));
        }
        self.array_elements(at)
    }

    /// `[…]`; inside it, brackets may stand without ARRAY.
    fn array_elements(&mut self, location: usize) -> Result<Expr> {
        self.enter()?;
        self.expect_char(b'[')?;
        let elements = if self.at_char(b']') {
            Vec::new()
        } else if self.at_char(b'[') {
            self.list(|p| {
                let at = p.tok.start;
                p.array_elements(at)
            })?
        } else {
            self.expr_list()?
        };
        self.expect_char(b']')?;
        self.leave();
        Ok(Expr::AArrayExpr(Box::new(AArrayExpr { elements, location })))
    }
}

fn indirect(arg: Expr, indirection: Vec<Indirection>) -> Expr {
    if indirection.is_empty() {
        return arg;
    }
    Expr::AIndirection(Box::new(AIndirection { arg, indirection }))
}

/// `type 'literal'`
pub(crate) fn literal_cast(literal: String, literal_at: usize, type_name: TypeName) -> Expr {
    let location = type_name.location;
    let arg = string_const(literal, literal_at);
    Expr::TypeCast(Box::new(TypeCast { arg, type_name, location }))
}
