//! Functions with a syntax of their own: CURRENT_DATE and its kin, CAST, EXTRACT, SUBSTRING, TRIM, COALESCE …

use super::Parser;
use super::expr::{string_const, system_call};
use super::types::int_const;
use crate::ast::{
    AExpr, AExprKind, CoalesceExpr, CoercionForm, Expr, FuncCall, MinMaxExpr, MinMaxOp, SQLValueFunction,
    SQLValueFunctionOp, TypeCast,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

/// A call that was written in ordinary syntax although its name is a keyword.
fn plain_call(name: &str, args: Vec<Expr>, location: usize) -> Expr {
    let funcname = vec![name.to_string()];
    Expr::FuncCall(Box::new(FuncCall { funcname, args, location, ..FuncCall::default() }))
}

impl Parser<'_> {
    /// The special function that starts here, if one does.
    pub(crate) fn special_function(&mut self, kw: Kw) -> Result<Option<Expr>> {
        use SQLValueFunctionOp as Op;
        let value = match kw {
            Kw::CurrentDate => Op::CurrentDate,
            Kw::CurrentTime => Op::CurrentTime,
            Kw::CurrentTimestamp => Op::CurrentTimestamp,
            Kw::Localtime => Op::LocalTime,
            Kw::Localtimestamp => Op::LocalTimestamp,
            Kw::CurrentRole => Op::CurrentRole,
            Kw::CurrentUser => Op::CurrentUser,
            Kw::User => Op::User,
            Kw::SessionUser => Op::SessionUser,
            Kw::CurrentCatalog => Op::CurrentCatalog,
            Kw::CurrentSchema if !matches!(self.peek(), T::Char(b'(') | T::SConst) => Op::CurrentSchema,
            Kw::Collation if self.peek_is_kw(Kw::For) => return self.collation_for().map(Some),
            Kw::Cast => return self.cast().map(Some),
            _ => return self.special_call(kw),
        };
        let location = self.skip()?;
        let precise =
            matches!(kw, Kw::CurrentTime | Kw::CurrentTimestamp | Kw::Localtime | Kw::Localtimestamp);
        let mut typmod = None;
        if precise && self.at_char(b'(') {
            self.skip()?;
            typmod = Some(self.iconst()?);
            self.expect_char(b')')?;
        }
        Ok(Some(Expr::SQLValueFunction(SQLValueFunction { op: value, typmod, location })))
    }

    fn collation_for(&mut self) -> Result<Expr> {
        let at = self.skip()?;
        self.skip()?;
        self.expect_char(b'(')?;
        let arg = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(system_call("pg_collation_for", vec![arg], CoercionForm::SqlSyntax, at))
    }

    fn cast(&mut self) -> Result<Expr> {
        let location = self.skip()?;
        self.expect_char(b'(')?;
        let arg = self.a_expr()?;
        self.expect_kw(Kw::As)?;
        let type_name = self.type_name()?;
        self.expect_char(b')')?;
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location })))
    }

    /// The ones whose name counts only before a parenthesis.
    fn special_call(&mut self, kw: Kw) -> Result<Option<Expr>> {
        let known = matches!(
            kw,
            Kw::Extract
                | Kw::Normalize
                | Kw::Overlay
                | Kw::Position
                | Kw::Substring
                | Kw::Treat
                | Kw::Trim
                | Kw::Nullif
                | Kw::Coalesce
                | Kw::Greatest
                | Kw::Least
        );
        let xml = matches!(
            kw,
            Kw::Xmlconcat
                | Kw::Xmlelement
                | Kw::Xmlexists
                | Kw::Xmlforest
                | Kw::Xmlparse
                | Kw::Xmlpi
                | Kw::Xmlroot
                | Kw::Xmlserialize
        );
        if !(known || xml) || !self.peek_is_char(b'(') {
            return Ok(None);
        }
        let at = self.skip()?;
        self.skip()?;
        let e = match kw {
            Kw::Extract => self.extract(at)?,
            Kw::Normalize => self.normalize(at)?,
            Kw::Overlay => self.overlay(at)?,
            Kw::Position => {
                let needle = self.b_expr()?;
                self.expect_kw(Kw::In)?;
                let hay = self.b_expr()?;
                system_call("position", vec![hay, needle], CoercionForm::SqlSyntax, at)
            }
            Kw::Substring => self.substring(at)?,
            Kw::Treat => {
                let arg = self.a_expr()?;
                self.expect_kw(Kw::As)?;
                let mut type_name = self.type_name()?;
                let name = type_name.names.pop().unwrap_or_default();
                system_call(&name, vec![arg], CoercionForm::ExplicitCall, at)
            }
            Kw::Trim => self.trim(at)?,
            Kw::Nullif => {
                let left = self.a_expr()?;
                self.expect_char(b',')?;
                let right = self.a_expr()?;
                Expr::AExpr(Box::new(AExpr {
                    kind: AExprKind::NullIf,
                    name: ["=".to_string()].into(),
                    lexpr: Some(left),
                    rexpr: Some(right),
                    list: Vec::new(),
                    location: at,
                }))
            }
            Kw::Coalesce => {
                let args = self.expr_list()?;
                Expr::CoalesceExpr(Box::new(CoalesceExpr { args, location: at }))
            }
            Kw::Greatest | Kw::Least => {
                let args = self.expr_list()?;
                let op = if kw == Kw::Greatest { MinMaxOp::Greatest } else { MinMaxOp::Least };
                Expr::MinMaxExpr(Box::new(MinMaxExpr { op, args, location: at }))
            }
            _ => self.xml_function(kw, at)?,
        };
        self.expect_char(b')')?;
        Ok(Some(e))
    }

    fn extract(&mut self, at: usize) -> Result<Expr> {
        let field_at = self.tok.start;
        let field = match self.kind() {
            T::SConst => self.sconst()?,
            T::Ident | T::Kw(Kw::Year | Kw::Month | Kw::Day | Kw::Hour | Kw::Minute | Kw::Second) => {
                self.word()?
            }
            _ => return Err(self.syntax_error()),
        };
        self.expect_kw(Kw::From)?;
        let source = self.a_expr()?;
        let args = vec![string_const(field, field_at), source];
        Ok(system_call("extract", args, CoercionForm::SqlSyntax, at))
    }

    fn normalize(&mut self, at: usize) -> Result<Expr> {
        let mut args = vec![self.a_expr()?];
        if self.eat_char(b',')? {
            let form_at = self.tok.start;
            match self.eat_one_of(&[Kw::Nfc, Kw::Nfd, Kw::Nfkc, Kw::Nfkd])? {
                Some(form) => args.push(string_const(form.text().to_ascii_uppercase(), form_at)),
                None => return Err(self.syntax_error()),
            }
        }
        Ok(system_call("normalize", args, CoercionForm::SqlSyntax, at))
    }

    /// Ordinary arguments behind the first one, which has been read.
    fn rest_of_args(&mut self, first: Expr) -> Result<Vec<Expr>> {
        let mut args = vec![first];
        while self.eat_char(b',')? {
            args.push(self.func_arg()?);
        }
        Ok(args)
    }

    fn overlay(&mut self, at: usize) -> Result<Expr> {
        if self.at_char(b')') {
            return Ok(plain_call("overlay", Vec::new(), at));
        }
        let first = self.func_arg()?;
        if !self.at_kw(Kw::Placing) {
            let args = self.rest_of_args(first)?;
            return Ok(plain_call("overlay", args, at));
        }
        self.skip()?;
        let mut args = vec![first, self.a_expr()?];
        self.expect_kw(Kw::From)?;
        args.push(self.a_expr()?);
        if self.eat_kw(Kw::For)? {
            args.push(self.a_expr()?);
        }
        Ok(system_call("overlay", args, CoercionForm::SqlSyntax, at))
    }

    fn substring(&mut self, at: usize) -> Result<Expr> {
        if self.at_char(b')') {
            return Ok(plain_call("substring", Vec::new(), at));
        }
        let outer = std::mem::replace(&mut self.similar_stops, true);
        let first = self.func_arg()?;
        self.similar_stops = outer;
        let args = match self.kw() {
            Some(Kw::From) => {
                self.skip()?;
                let mut args = vec![first, self.a_expr()?];
                if self.eat_kw(Kw::For)? {
                    args.push(self.a_expr()?);
                }
                args
            }
            Some(Kw::For) => {
                self.skip()?;
                let count = self.a_expr()?;
                if self.eat_kw(Kw::From)? {
                    vec![first, self.a_expr()?, count]
                } else {
                    let count_at = count.location();
                    vec![first, int_const(1, count_at), Self::system_cast(count, "int4", count_at)]
                }
            }
            Some(Kw::Similar) => {
                self.skip()?;
                let pattern = self.a_expr()?;
                self.expect_kw(Kw::Escape)?;
                vec![first, pattern, self.a_expr()?]
            }
            _ => {
                let args = self.rest_of_args(first)?;
                return Ok(plain_call("substring", args, at));
            }
        };
        Ok(system_call("substring", args, CoercionForm::SqlSyntax, at))
    }

    fn trim(&mut self, at: usize) -> Result<Expr> {
        let name = match self.eat_one_of(&[Kw::Both, Kw::Leading, Kw::Trailing])? {
            Some(Kw::Leading) => "ltrim",
            Some(Kw::Trailing) => "rtrim",
            _ => "btrim",
        };
        let args = if self.eat_kw(Kw::From)? {
            self.expr_list()?
        } else {
            let first = self.a_expr()?;
            if self.eat_kw(Kw::From)? {
                let mut args = self.expr_list()?;
                args.push(first);
                args
            } else {
                let mut args = vec![first];
                while self.eat_char(b',')? {
                    args.push(self.a_expr()?);
                }
                args
            }
        };
        Ok(system_call(name, args, CoercionForm::SqlSyntax, at))
    }
}
