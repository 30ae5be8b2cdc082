//! Function calls in ordinary syntax with everything that may follow them, and window definitions.

use super::Parser;
use super::name::{is_col_id, is_type_function_name};
use super::primary::literal_cast;
use crate::ast::{
    Expr, FrameBound, FrameExclusion, FrameMode, FuncCall, NamedArgExpr, SortBy, TypeName, WindowDef,
    WindowFrame,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// Behind a function name, at `(`: a call, or with a string behind it a literal such as `varbit(3) '101'`.
    pub(crate) fn call_or_literal(&mut self, names: Vec<String>, at: usize) -> Result<Expr> {
        let call = self.application(names, at)?;
        if self.at(T::SConst) && may_be_type(&call) {
            for arg in &call.args {
                if let Expr::NamedArgExpr(named) = arg {
                    let message = "type modifier cannot have parameter name";
                    return Err(err!(SYNTAX_ERROR, "{message}").at(named.location));
                }
            }
            if !call.agg_order.is_empty() {
                return Err(err!(SYNTAX_ERROR, "type modifier cannot have ORDER BY").at(self.order_at));
            }
            let literal_at = self.tok.start;
            let literal = self.sconst()?;
            let type_name =
                TypeName { names: call.funcname, typmods: call.args, location: at, ..TypeName::default() };
            return Ok(literal_cast(literal, literal_at, type_name));
        }
        Ok(Expr::FuncCall(Box::new(self.aggregate_clauses(call)?)))
    }

    /// `( arguments )` of an ordinary call.
    pub(crate) fn application(&mut self, funcname: Vec<String>, location: usize) -> Result<FuncCall> {
        let mut call = FuncCall { funcname, location, ..FuncCall::default() };
        self.expect_char(b'(')?;
        if self.eat_char(b')')? {
            return Ok(call);
        }
        if self.at_char(b'*') {
            self.skip()?;
            self.expect_char(b')')?;
            call.agg_star = true;
            return Ok(call);
        }
        let mut variadic_allowed = true;
        match self.eat_one_of(&[Kw::All, Kw::Distinct])? {
            Some(Kw::Distinct) => {
                call.agg_distinct = true;
                variadic_allowed = false;
            }
            Some(_) => variadic_allowed = false,
            None => {}
        }
        loop {
            if variadic_allowed && self.eat_kw(Kw::Variadic)? {
                call.func_variadic = true;
                call.args.push(self.func_arg()?);
                break;
            }
            call.args.push(self.func_arg()?);
            if !self.eat_char(b',')? {
                break;
            }
        }
        if self.at_kw(Kw::Order) {
            self.order_at = self.tok.start;
            call.agg_order = self.opt_sort_clause()?;
        }
        self.expect_char(b')')?;
        Ok(call)
    }

    /// An argument, perhaps named.
    pub(crate) fn func_arg(&mut self) -> Result<Expr> {
        if is_type_function_name(self.tok.kind) && matches!(self.peek(), T::ColonEquals | T::EqualsGreater) {
            let location = self.tok.start;
            let name = self.word()?;
            self.skip()?;
            let arg = self.a_expr()?;
            return Ok(Expr::NamedArgExpr(Box::new(NamedArgExpr { name, arg, location })));
        }
        self.a_expr()
    }

    /// WITHIN GROUP, FILTER, OVER.
    fn aggregate_clauses(&mut self, mut call: FuncCall) -> Result<FuncCall> {
        if !matches!(self.kw(), Some(Kw::Within | Kw::Filter | Kw::Over)) {
            return Ok(call);
        }
        if self.at_kw(Kw::Within) {
            let at = self.skip()?;
            self.expect_kw(Kw::Group)?;
            self.expect_char(b'(')?;
            let order = self.sort_clause()?;
            self.expect_char(b')')?;
            if !call.agg_order.is_empty() {
                let message = "cannot use multiple ORDER BY clauses with WITHIN GROUP";
                return Err(err!(SYNTAX_ERROR, "{message}").at(at));
            }
            if call.agg_distinct {
                return Err(err!(SYNTAX_ERROR, "cannot use DISTINCT with WITHIN GROUP").at(at));
            }
            if call.func_variadic {
                return Err(err!(SYNTAX_ERROR, "cannot use VARIADIC with WITHIN GROUP").at(at));
            }
            call.agg_order = order;
            call.agg_within_group = true;
        }
        if self.eat_kw(Kw::Filter)? {
            self.expect_char(b'(')?;
            self.expect_kw(Kw::Where)?;
            call.agg_filter = Some(self.a_expr()?);
            self.expect_char(b')')?;
        }
        if self.eat_kw(Kw::Over)? {
            call.over = Some(Box::new(self.over_clause()?));
        }
        Ok(call)
    }

    fn over_clause(&mut self) -> Result<WindowDef> {
        if self.at_char(b'(') {
            return self.window_specification();
        }
        let location = self.tok.start;
        let name = Some(self.col_id()?);
        Ok(WindowDef { name, location, ..WindowDef::default() })
    }

    /// `WINDOW name AS (…), …`, optional.
    pub(crate) fn opt_window_clause(&mut self) -> Result<Vec<WindowDef>> {
        if !self.eat_kw(Kw::Window)? {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let name = p.col_id()?;
            p.expect_kw(Kw::As)?;
            let mut window = p.window_specification()?;
            window.name = Some(name);
            Ok(window)
        })
    }

    /// `([base] [PARTITION BY …] [ORDER BY …] [frame])`
    fn window_specification(&mut self) -> Result<WindowDef> {
        let location = self.expect_char(b'(')?;
        let mut window = WindowDef { location, ..WindowDef::default() };
        let keyword = matches!(self.kw(), Some(Kw::Partition | Kw::Range | Kw::Rows | Kw::Groups));
        if !keyword && is_col_id(self.tok.kind) {
            window.refname = Some(self.word()?);
        }
        if self.eat_kw(Kw::Partition)? {
            self.expect_kw(Kw::By)?;
            window.partition_clause = self.expr_list()?;
        }
        window.order_clause = self.opt_sort_clause()?;
        let mode = match self.kw() {
            Some(Kw::Range) => Some(FrameMode::Range),
            Some(Kw::Rows) => Some(FrameMode::Rows),
            Some(Kw::Groups) => Some(FrameMode::Groups),
            _ => None,
        };
        if let Some(mode) = mode {
            self.skip()?;
            window.frame = Some(self.frame(mode)?);
        }
        self.expect_char(b')')?;
        Ok(window)
    }

    fn frame(&mut self, mode: FrameMode) -> Result<WindowFrame> {
        let windowing = |message: &str, at| Err(err!(WINDOWING_ERROR, "{message}").at(at));
        // Before an operator BETWEEN is a column's name.
        let operator = |kind| {
            use T::{Char, DotDot, GreaterEquals, LessEquals, NotEquals, TypeCast};
            matches!(kind, Char(b'*' | b'/' | b'%' | b'^' | b'<' | b'>' | b'=' | b'.' | b'['))
                || matches!(kind, LessEquals | GreaterEquals | NotEquals | TypeCast | DotDot)
                || matches!(kind, T::Kw(Kw::And | Kw::Or))
        };
        let between = self.at_kw(Kw::Between) && !operator(self.peek());
        if between {
            self.skip()?;
            // BETWEEN might have been a column's name; these words bind as tightly, so that neither reading wins.
            if matches!(self.kw(), Some(Kw::Between | Kw::Like | Kw::Ilike | Kw::Similar)) {
                return Err(self.syntax_error());
            }
        }
        let start_at = self.tok.start;
        let start = self.frame_bound()?;
        let mut end = FrameBound::CurrentRow;
        if between {
            self.expect_kw(Kw::And)?;
            let end_at = self.tok.start;
            end = self.frame_bound()?;
            if start == FrameBound::UnboundedFollowing {
                return windowing("frame start cannot be UNBOUNDED FOLLOWING", start_at);
            }
            if end == FrameBound::UnboundedPreceding {
                return windowing("frame end cannot be UNBOUNDED PRECEDING", end_at);
            }
            let preceding_end = matches!(end, FrameBound::OffsetPreceding(_));
            match start {
                FrameBound::CurrentRow if preceding_end => {
                    return windowing("frame starting from current row cannot have preceding rows", end_at);
                }
                FrameBound::OffsetFollowing(_) if preceding_end || end == FrameBound::CurrentRow => {
                    return windowing("frame starting from following row cannot have preceding rows", end_at);
                }
                _ => {}
            }
        } else {
            match start {
                FrameBound::UnboundedFollowing => {
                    return windowing("frame start cannot be UNBOUNDED FOLLOWING", start_at);
                }
                FrameBound::OffsetFollowing(_) => {
                    return windowing(
                        "frame starting from following row cannot end with current row",
                        start_at,
                    );
                }
                _ => {}
            }
        }
        let exclusion = self.opt_frame_exclusion()?;
        Ok(WindowFrame { mode, start, end, between, exclusion })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.at_kw(Kw::Unbounded) && matches!(self.peek(), T::Kw(Kw::Preceding | Kw::Following)) {
            self.skip()?;
            return Ok(match self.eat_one_of(&[Kw::Preceding, Kw::Following])? {
                Some(Kw::Preceding) => FrameBound::UnboundedPreceding,
                _ => FrameBound::UnboundedFollowing,
            });
        }
        if self.at_kw(Kw::Current) && self.peek_is_kw(Kw::Row) {
            self.skip()?;
            self.skip()?;
            return Ok(FrameBound::CurrentRow);
        }
        let offset = self.a_expr()?;
        match self.eat_one_of(&[Kw::Preceding, Kw::Following])? {
            Some(Kw::Preceding) => Ok(FrameBound::OffsetPreceding(offset)),
            Some(_) => Ok(FrameBound::OffsetFollowing(offset)),
            None => Err(self.syntax_error()),
        }
    }

    fn opt_frame_exclusion(&mut self) -> Result<Option<FrameExclusion>> {
        if !self.eat_kw(Kw::Exclude)? {
            return Ok(None);
        }
        let exclusion = match self.kw() {
            Some(Kw::Current) => {
                self.skip()?;
                self.expect_kw(Kw::Row)?;
                return Ok(Some(FrameExclusion::CurrentRow));
            }
            Some(Kw::Group) => FrameExclusion::Group,
            Some(Kw::Ties) => FrameExclusion::Ties,
            Some(Kw::No) => {
                self.skip()?;
                self.expect_kw(Kw::Others)?;
                return Ok(Some(FrameExclusion::NoOthers));
            }
            _ => return Err(self.syntax_error()),
        };
        self.skip()?;
        Ok(Some(exclusion))
    }

    /// A call as FROM takes it: no WITHIN GROUP, FILTER or OVER.
    pub(crate) fn windowless_call(&mut self) -> Result<Expr> {
        if let Some(kw) = self.kw()
            && let Some(e) = self.special_function(kw)?
        {
            return Ok(e);
        }
        let at = self.tok.start;
        let names = self.func_name()?;
        Ok(Expr::FuncCall(Box::new(self.application(names, at)?)))
    }

    /// `ORDER BY …`
    pub(crate) fn sort_clause(&mut self) -> Result<Vec<SortBy>> {
        self.expect_kws(&[Kw::Order, Kw::By])?;
        self.list(Self::sort_by)
    }

    pub(crate) fn opt_sort_clause(&mut self) -> Result<Vec<SortBy>> {
        if self.at_kw(Kw::Order) { self.sort_clause() } else { Ok(Vec::new()) }
    }
}

/// Whether a call's argument list could as well be type modifiers.
fn may_be_type(call: &FuncCall) -> bool {
    !call.args.is_empty() && !call.agg_distinct && !call.func_variadic
}
