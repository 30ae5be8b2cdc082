//! Operators: precedence climbing over PostgreSQL's precedence table. `a_expr` is the general expression, `b_expr` the
//! restricted one that stands where AND, NOT, IS and such would be ambiguous.

use super::Parser;
use super::primary::Paren;
use super::types::system_type;
use crate::ast::{
    AConst, AExpr, AExprKind, BoolExpr, BoolExprType, BoolTestType, BooleanTest, CoercionForm, CollateClause,
    Expr, FuncCall, NullTest, NullTestType, RowExpr, SetToDefault, SubLink, SubLinkType, TypeCast, Value,
    XmlExpr, XmlExprOp,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};
use std::rc::Rc;

/// Binding strengths, weakest first. IS, comparison and the LIKE group do not associate.
mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const IS: u8 = 4;
    pub const COMPARISON: u8 = 5;
    pub const LIKE: u8 = 6;
    pub const OPERATOR: u8 = 8;
    pub const ADD: u8 = 9;
    pub const MULTIPLY: u8 = 10;
    pub const POWER: u8 = 11;
    pub const AT: u8 = 12;
    pub const COLLATE: u8 = 13;
    pub const UNARY: u8 = 14;
    pub const CAST: u8 = 16;
}

/// An ordinary operator.
pub(crate) fn op_expr(name: &str, lexpr: Option<Expr>, rexpr: Expr, location: usize) -> Expr {
    a_expr_node(AExprKind::Op, [name.to_string()], lexpr, Some(rexpr), Vec::new(), location)
}

fn a_expr_node(
    kind: AExprKind,
    name: impl Into<Rc<[String]>>,
    lexpr: Option<Expr>,
    rexpr: Option<Expr>,
    list: Vec<Expr>,
    location: usize,
) -> Expr {
    Expr::AExpr(Box::new(AExpr { kind, name: name.into(), lexpr, rexpr, list, location }))
}

/// `NOT arg`
pub(crate) fn not_expr(arg: Expr, location: usize) -> Expr {
    Expr::BoolExpr(Box::new(BoolExpr { boolop: BoolExprType::Not, args: vec![arg], location }))
}

/// A call of `pg_catalog.name`.
pub(crate) fn system_call(name: &str, args: Vec<Expr>, funcformat: CoercionForm, location: usize) -> Expr {
    let funcname = vec!["pg_catalog".to_string(), name.to_string()];
    Expr::FuncCall(Box::new(FuncCall { funcname, args, funcformat, location, ..FuncCall::default() }))
}

/// A string literal.
pub(crate) fn string_const(text: impl Into<String>, location: usize) -> Expr {
    Expr::AConst(AConst { val: Value::String(text.into()), location })
}

impl Parser<'_> {
    pub(crate) fn a_expr(&mut self) -> Result<Expr> {
        self.expr(0, false)
    }

    pub(crate) fn b_expr(&mut self) -> Result<Expr> {
        self.expr(0, true)
    }

    pub(crate) fn expr_list(&mut self) -> Result<Vec<Expr>> {
        self.list(Self::a_expr)
    }

    fn expr(&mut self, min: u8, restricted: bool) -> Result<Expr> {
        self.enter()?;
        let saved = self.start_chain();
        let left = self.prefix(restricted)?;
        let e = self.infix(left, min, restricted, false)?;
        self.end_chain(saved);
        self.leave();
        Ok(e)
    }

    /// Goes on with operators behind an operand that is already there.
    pub(crate) fn continue_a_expr(&mut self, left: Expr) -> Result<Expr> {
        self.infix(left, 0, false, false)
    }

    /// A prefix operator with its operand, or a primary.
    pub(crate) fn prefix(&mut self, restricted: bool) -> Result<Expr> {
        let at = self.tok.start;
        match self.kind() {
            T::Char(b'-') => {
                self.skip()?;
                let arg = self.expr(level::UNARY, restricted)?;
                Ok(negate(arg, at))
            }
            T::Char(b'+') => {
                self.skip()?;
                let arg = self.expr(level::UNARY, restricted)?;
                Ok(op_expr("+", None, arg, at))
            }
            T::Op => {
                let name = [self.advance()?.text.into_owned()];
                let arg = self.expr(level::OPERATOR + 1, restricted)?;
                Ok(a_expr_node(AExprKind::Op, name, None, Some(arg), Vec::new(), at))
            }
            T::Kw(Kw::Operator) if self.peek_is_char(b'(') => {
                let name = self.operator_call()?;
                let arg = self.expr(level::OPERATOR + 1, restricted)?;
                Ok(a_expr_node(AExprKind::Op, name, None, Some(arg), Vec::new(), at))
            }
            T::Kw(Kw::Not) if !restricted => {
                self.skip()?;
                let arg = self.expr(level::NOT, restricted)?;
                Ok(not_expr(arg, at))
            }
            T::Kw(Kw::Default) if !restricted => {
                self.skip()?;
                Ok(Expr::SetToDefault(SetToDefault { location: at }))
            }
            T::Kw(Kw::Unique) if !restricted => {
                self.skip()?;
                if !self.at_char(b'(') {
                    return Err(self.syntax_error());
                }
                self.select_with_parens()?;
                Err(err!(FEATURE_NOT_SUPPORTED, "UNIQUE predicate is not yet implemented").at(at))
            }
            _ => {
                let e = self.primary()?;
                if restricted { Ok(e) } else { self.opt_overlaps(e) }
            }
        }
    }

    /// OVERLAPS directly behind a row constructor.
    #[inline]
    pub(crate) fn opt_overlaps(&mut self, e: Expr) -> Result<Expr> {
        if self.at_kw(Kw::Overlaps) && self.row_end == self.prev_end { self.overlaps(e) } else { Ok(e) }
    }

    fn overlaps(&mut self, left: Expr) -> Result<Expr> {
        let at = self.skip()?;
        let right = match self.kind() {
            T::Char(b'(') => {
                let location = self.skip()?;
                let mut args = vec![self.a_expr()?];
                self.expect_char(b',')?;
                args.append(&mut self.expr_list()?);
                self.expect_char(b')')?;
                Expr::RowExpr(Box::new(RowExpr { args, explicit: false, location }))
            }
            T::Kw(Kw::Row) => self.primary()?,
            _ => return Err(self.syntax_error()),
        };
        let (Expr::RowExpr(left), Expr::RowExpr(right)) = (left, right) else {
            return Err(self.syntax_error());
        };
        let pair = |row: RowExpr, side: &str| {
            if row.args.len() == 2 {
                return Ok(row.args);
            }
            let message = format!("wrong number of parameters on {side} side of OVERLAPS expression");
            Err(err!(SYNTAX_ERROR, "{message}").at(row.location))
        };
        let mut args = pair(*left, "left")?;
        args.append(&mut pair(*right, "right")?);
        Ok(system_call("overlaps", args, CoercionForm::SqlSyntax, at))
    }

    /// The expression of a target list item. Words like IS and AND are its label when nothing follows that could be
    /// an operand.
    pub(crate) fn target_expr(&mut self) -> Result<Expr> {
        self.enter()?;
        let saved = self.start_chain();
        let left = self.prefix(false)?;
        let e = self.infix(left, 0, false, true)?;
        self.end_chain(saved);
        self.leave();
        Ok(e)
    }

    /// Whether the present word is a label although it could be an operator.
    fn at_label(&mut self) -> bool {
        let T::Kw(kw) = self.tok.kind else {
            return false;
        };
        kw.is_bare_label() && !matches!(kw, Kw::Isnull | Kw::Notnull) && ends_target(self.peek())
    }

    /// Operators behind `left`, as long as they bind at least as strongly as `min`.
    fn infix(&mut self, mut left: Expr, min: u8, restricted: bool, label: bool) -> Result<Expr> {
        // Level of the last operator, if it does not associate and ended in an operand.
        let mut closed = 0;
        loop {
            let Some(level) = self.infix_level(restricted) else {
                return Ok(left);
            };
            if level < min {
                return Ok(left);
            }
            if level == closed {
                return Err(self.syntax_error());
            }
            if label && self.at_label() {
                return Ok(left);
            }
            if !matches!(level, level::AND | level::OR) {
                self.link()?;
            }
            let operand_last;
            (left, operand_last) = self.infix_step(left, level, restricted)?;
            let associates = !matches!(level, level::IS | level::COMPARISON | level::LIKE);
            closed = if associates || !operand_last { 0 } else { level };
        }
    }

    /// Level of the present token as an infix or postfix operator.
    #[inline]
    fn infix_level(&mut self, restricted: bool) -> Option<u8> {
        let level = match self.kind() {
            T::Eof | T::Char(b')' | b',' | b';') => return None,
            T::TypeCast => level::CAST,
            T::Op => level::OPERATOR,
            T::Char(b'+' | b'-') => level::ADD,
            T::Char(b'*' | b'/' | b'%') => level::MULTIPLY,
            T::Char(b'^') => level::POWER,
            T::Char(b'<' | b'>' | b'=') | T::LessEquals | T::GreaterEquals | T::NotEquals => {
                level::COMPARISON
            }
            T::Kw(Kw::Operator) => level::OPERATOR,
            T::Kw(Kw::Is) => level::IS,
            T::Kw(kw) if !restricted => match kw {
                Kw::Or => level::OR,
                Kw::And => level::AND,
                Kw::Isnull | Kw::Notnull => level::IS,
                Kw::Between | Kw::In | Kw::Like | Kw::Ilike => level::LIKE,
                Kw::Similar => {
                    // SUBSTRING(a SIMILAR b ESCAPE c) has no TO.
                    if self.similar_stops && !self.peek_is_kw(Kw::To) {
                        return None;
                    }
                    level::LIKE
                }
                Kw::Not => {
                    if !negatable(self.peek()) {
                        return None;
                    }
                    level::LIKE
                }
                Kw::At => level::AT,
                Kw::Collate => level::COLLATE,
                _ => return None,
            },
            _ => return None,
        };
        Some(level)
    }

    /// Applies the present operator to `left`. Says whether it ended in an operand, rather than in a word or bracket.
    fn infix_step(&mut self, left: Expr, level: u8, restricted: bool) -> Result<(Expr, bool)> {
        let at = self.tok.start;
        let done = match level {
            level::CAST => {
                self.skip()?;
                let type_name = self.type_name()?;
                Expr::TypeCast(Box::new(TypeCast { arg: left, type_name, location: at }))
            }
            level::AND => {
                self.skip()?;
                let right = self.expr(level::AND + 1, false)?;
                bool_expr(BoolExprType::And, left, right, at)
            }
            level::OR => {
                self.skip()?;
                let right = self.expr(level::OR + 1, false)?;
                bool_expr(BoolExprType::Or, left, right, at)
            }
            level::IS => return self.is_test(left, restricted),
            level::LIKE => return self.like_group(left),
            level::AT => {
                self.skip()?;
                self.expect_kws(&[Kw::Time, Kw::Zone])?;
                let zone = self.expr(level::AT + 1, false)?;
                system_call("timezone", vec![zone, left], CoercionForm::SqlSyntax, at)
            }
            level::COLLATE => {
                self.skip()?;
                let collname = self.any_name()?;
                Expr::CollateClause(Box::new(CollateClause { arg: Some(left), collname, location: at }))
            }
            _ => {
                let name = self.infix_operator()?;
                if !restricted && let Some(kw) = self.eat_one_of(&[Kw::Any, Kw::Some, Kw::All])? {
                    return Ok((self.any_all(left, name.to_vec(), kw, at)?, false));
                }
                let right = self.expr(level + 1, restricted)?;
                a_expr_node(AExprKind::Op, name, Some(left), Some(right), Vec::new(), at)
            }
        };
        Ok((done, true))
    }

    /// The name of the operator between two operands.
    fn infix_operator(&mut self) -> Result<Rc<[String]>> {
        if let (Some(text), Some(last)) = (self.operator_text(), &self.last_operator)
            && matches!(&**last, [l] if l == text)
        {
            let name = last.clone();
            self.skip()?;
            return Ok(name);
        }
        let name: Rc<[String]> = match self.at_kw(Kw::Operator) {
            true => self.operator_call()?.into(),
            false => [self.all_op()?].into(),
        };
        self.last_operator = Some(name.clone());
        Ok(name)
    }

    /// Behind `left op ANY`: a subquery or an array.
    fn any_all(&mut self, left: Expr, name: Vec<String>, kw: Kw, at: usize) -> Result<Expr> {
        if !self.at_char(b'(') {
            return Err(self.syntax_error());
        }
        let all = kw == Kw::All;
        match self.paren(true)? {
            Paren::Select(select) => Ok(Expr::SubLink(Box::new(SubLink {
                sub_link_type: if all { SubLinkType::All } else { SubLinkType::Any },
                testexpr: Some(left),
                oper_name: name,
                subselect: select,
                location: at,
            }))),
            Paren::List(mut items) if items.len() == 1 => {
                let kind = if all { AExprKind::OpAll } else { AExprKind::OpAny };
                Ok(a_expr_node(kind, name, Some(left), items.pop(), Vec::new(), at))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// IS …, ISNULL, NOTNULL.
    fn is_test(&mut self, left: Expr, restricted: bool) -> Result<(Expr, bool)> {
        let at = self.tok.start;
        let null_test =
            |arg, nulltesttype| Expr::NullTest(Box::new(NullTest { arg, nulltesttype, location: at }));
        match self.kw() {
            Some(Kw::Isnull) => {
                self.skip()?;
                return Ok((null_test(left, NullTestType::IsNull), false));
            }
            Some(Kw::Notnull) => {
                self.skip()?;
                return Ok((null_test(left, NullTestType::IsNotNull), false));
            }
            _ => self.skip()?,
        };
        let not = self.eat_kw(Kw::Not)?;
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        if restricted && !matches!(kw, Kw::Distinct | Kw::Document) {
            return Err(self.syntax_error());
        }
        let truth = |yes, no| if not { no } else { yes };
        let boolean =
            |arg, booltesttype| Expr::BooleanTest(Box::new(BooleanTest { arg, booltesttype, location: at }));
        use BoolTestType::{IsFalse, IsNotFalse, IsNotTrue, IsNotUnknown, IsTrue, IsUnknown};
        let done = match kw {
            Kw::Null => null_test(left, if not { NullTestType::IsNotNull } else { NullTestType::IsNull }),
            Kw::True => boolean(left, truth(IsTrue, IsNotTrue)),
            Kw::False => boolean(left, truth(IsFalse, IsNotFalse)),
            Kw::Unknown => boolean(left, truth(IsUnknown, IsNotUnknown)),
            Kw::Distinct => {
                self.skip()?;
                self.expect_kw(Kw::From)?;
                let right = self.expr(level::IS + 1, restricted)?;
                let kind = if not { AExprKind::NotDistinct } else { AExprKind::Distinct };
                let e = a_expr_node(kind, ["=".to_string()], Some(left), Some(right), Vec::new(), at);
                return Ok((e, true));
            }
            Kw::Document => {
                let e = Expr::XmlExpr(Box::new(XmlExpr::with_args(XmlExprOp::IsDocument, vec![left], at)));
                if not { not_expr(e, at) } else { e }
            }
            Kw::Normalized | Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd => {
                let mut args = vec![left];
                if kw != Kw::Normalized {
                    args.push(string_const(kw.text().to_ascii_uppercase(), self.tok.start));
                    self.skip()?;
                    if !self.at_kw(Kw::Normalized) {
                        return Err(self.syntax_error());
                    }
                }
                let e = system_call("is_normalized", args, CoercionForm::SqlSyntax, at);
                if not { not_expr(e, at) } else { e }
            }
            _ => return Err(self.syntax_error()),
        };
        self.skip()?;
        Ok((done, false))
    }

    /// [NOT] LIKE, ILIKE, SIMILAR TO, BETWEEN, IN.
    fn like_group(&mut self, left: Expr) -> Result<(Expr, bool)> {
        let at = self.tok.start;
        let not = self.at_kw(Kw::Not);
        if not {
            self.skip()?;
        }
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        self.skip()?;
        match kw {
            Kw::In => Ok((self.in_list(left, not, at)?, false)),
            Kw::Between => Ok((self.between(left, not, at)?, true)),
            Kw::Similar => {
                self.expect_kw(Kw::To)?;
                let mut args = vec![self.expr(level::LIKE + 1, false)?];
                if self.eat_kw(Kw::Escape)? {
                    args.push(self.expr(level::LIKE + 1, false)?);
                }
                let pattern = system_call("similar_to_escape", args, CoercionForm::ExplicitCall, at);
                let name = [if not { "!~" } else { "~" }.to_string()];
                Ok((a_expr_node(AExprKind::Similar, name, Some(left), Some(pattern), Vec::new(), at), true))
            }
            _ => {
                let (kind, name) = match (kw, not) {
                    (Kw::Like, false) => (AExprKind::Like, "~~"),
                    (Kw::Like, true) => (AExprKind::Like, "!~~"),
                    (_, false) => (AExprKind::ILike, "~~*"),
                    (_, true) => (AExprKind::ILike, "!~~*"),
                };
                let name = vec![name.to_string()];
                if let Some(kw) = self.eat_one_of(&[Kw::Any, Kw::Some, Kw::All])? {
                    return Ok((self.any_all(left, name, kw, at)?, false));
                }
                let mut pattern = self.expr(level::LIKE + 1, false)?;
                if self.eat_kw(Kw::Escape)? {
                    let escape = self.expr(level::LIKE + 1, false)?;
                    pattern =
                        system_call("like_escape", vec![pattern, escape], CoercionForm::ExplicitCall, at);
                }
                Ok((a_expr_node(kind, name, Some(left), Some(pattern), Vec::new(), at), true))
            }
        }
    }

    fn between(&mut self, left: Expr, not: bool, at: usize) -> Result<Expr> {
        let symmetric = self.eat_kw(Kw::Symmetric)?;
        if !symmetric {
            self.eat_kw(Kw::Asymmetric)?;
        }
        let (kind, name) = match (not, symmetric) {
            (false, false) => (AExprKind::Between, "BETWEEN"),
            (true, false) => (AExprKind::NotBetween, "NOT BETWEEN"),
            (false, true) => (AExprKind::BetweenSym, "BETWEEN SYMMETRIC"),
            (true, true) => (AExprKind::NotBetweenSym, "NOT BETWEEN SYMMETRIC"),
        };
        let low = self.b_expr()?;
        self.expect_kw(Kw::And)?;
        let high = self.expr(level::LIKE + 1, false)?;
        Ok(a_expr_node(kind, [name.to_string()], Some(left), None, vec![low, high], at))
    }

    fn in_list(&mut self, left: Expr, not: bool, at: usize) -> Result<Expr> {
        if !self.at_char(b'(') {
            return Err(self.syntax_error());
        }
        match self.paren(false)? {
            Paren::Select(subselect) => {
                let link = Expr::SubLink(Box::new(SubLink {
                    sub_link_type: SubLinkType::Any,
                    testexpr: Some(left),
                    oper_name: Vec::new(),
                    subselect,
                    location: at,
                }));
                Ok(if not { not_expr(link, at) } else { link })
            }
            Paren::List(items) => {
                let name = [if not { "<>" } else { "=" }.to_string()];
                Ok(a_expr_node(AExprKind::In, name, Some(left), None, items, at))
            }
        }
    }

    /// A cast as the grammar itself makes them.
    pub(crate) fn system_cast(arg: Expr, type_name: &str, location: usize) -> Expr {
        let type_name = system_type(type_name, location);
        Expr::TypeCast(Box::new(TypeCast { arg, type_name, location }))
    }
}

/// What may follow an item of a target list and cannot begin an operand.
fn ends_target(kind: T) -> bool {
    match kind {
        T::Eof | T::Char(b',' | b')' | b';') => true,
        T::Kw(kw) => matches!(
            kw,
            Kw::From
                | Kw::Into
                | Kw::Where
                | Kw::Group
                | Kw::Having
                | Kw::Window
                | Kw::Union
                | Kw::Intersect
                | Kw::Except
                | Kw::Order
                | Kw::Limit
                | Kw::Offset
                | Kw::Fetch
                | Kw::For
                | Kw::On
                | Kw::Returning
                | Kw::With
        ),
        _ => false,
    }
}

/// What may follow NOT in the middle of an expression.
pub(super) fn negatable(kind: T) -> bool {
    matches!(kind, T::Kw(Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar))
}

/// Joins two conditions; a chain of the same operator becomes one flat node.
fn bool_expr(boolop: BoolExprType, left: Expr, right: Expr, location: usize) -> Expr {
    match left {
        Expr::BoolExpr(mut b) if b.boolop == boolop => {
            b.args.push(right);
            Expr::BoolExpr(b)
        }
        left => Expr::BoolExpr(Box::new(BoolExpr { boolop, args: vec![left, right], location })),
    }
}

/// A minus sign before a number literal belongs to it.
fn negate(arg: Expr, location: usize) -> Expr {
    match arg {
        Expr::AConst(AConst { val: Value::Integer(n), .. }) => {
            Expr::AConst(AConst { val: Value::Integer(n.wrapping_neg()), location })
        }
        Expr::AConst(AConst { val: Value::Float(text), .. }) => {
            let text = match text.strip_prefix('-') {
                Some(positive) => positive.to_string(),
                None => format!("-{text}"),
            };
            Expr::AConst(AConst { val: Value::Float(text), location })
        }
        arg => op_expr("-", None, arg, location),
    }
}
