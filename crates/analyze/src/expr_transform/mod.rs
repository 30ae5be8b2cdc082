//! Raw expressions → resolved ones: names, literals, casts, boolean connectives and the special forms. Operators with
//! lists and rows are in [`ops`], sub-selects in [`sublink`], subscripts and rows in [`container`].

mod column;
mod container;
mod ops;
mod sublink;

use crate::coerce::{Context, make_const, returns_set};
use crate::expr::*;
use crate::info::{expr_location, expr_type, expr_typmod};
use crate::kind::ExprKind;
use crate::scope::Analyzer;
use crate::typename::{format_type_short, resolve_type_name};
use common::{Error, Oid, Result, err};
use parser::Expr as Raw;
use types::{Datum, oids};

impl Analyzer<'_> {
    /// Resolves an expression in a clause of the given kind.
    pub fn transform_expr_kind(&mut self, e: &Raw, kind: ExprKind) -> Result<Expr> {
        self.with_kind(kind, |a| a.transform_expr(e))
    }

    /// Resolves an expression; the kind of clause is the level's present one.
    pub fn transform_expr(&mut self, e: &Raw) -> Result<Expr> {
        self.check_stack()?;
        match e {
            Raw::ColumnRef(c) => self.transform_column_ref(c),
            Raw::ParamRef(p) => self.transform_param(*p),
            Raw::AConst(c) => self.transform_const(c),
            Raw::AExpr(x) => self.transform_a_expr(x),
            Raw::BoolExpr(b) => self.transform_bool(b),
            Raw::NullTest(n) => {
                let arg = self.transform_expr(&n.arg)?;
                let arg_is_row = self.is_row_type(&arg)?;
                Ok(Expr::NullTest {
                    arg: Box::new(arg),
                    is_null: n.nulltesttype == parser::NullTestType::IsNull,
                    arg_is_row,
                    location: Some(n.location),
                })
            }
            Raw::BooleanTest(b) => self.transform_boolean_test(b),
            Raw::TypeCast(t) => self.transform_cast(t),
            Raw::CollateClause(c) => self.transform_collate(c),
            Raw::FuncCall(f) => self.transform_func_call(f),
            Raw::NamedArgExpr(n) => self.transform_expr(&n.arg),
            Raw::SubLink(s) => self.transform_sublink(s),
            Raw::CaseExpr(c) => self.transform_case(c),
            Raw::CoalesceExpr(c) => {
                let (args, t) = self.common_args(&c.args, "COALESCE")?;
                self.refuse_set(&args, "COALESCE")?;
                Ok(Expr::Coalesce {
                    result_type: t,
                    collation: Oid::INVALID,
                    args,
                    location: Some(c.location),
                })
            }
            Raw::MinMaxExpr(m) => {
                let greatest = m.op == parser::MinMaxOp::Greatest;
                let (args, t) = self.common_args(&m.args, if greatest { "GREATEST" } else { "LEAST" })?;
                Ok(Expr::MinMax {
                    greatest,
                    result_type: t,
                    collation: Oid::INVALID,
                    input_collation: Oid::INVALID,
                    args,
                    location: Some(m.location),
                })
            }
            Raw::SQLValueFunction(s) => Ok(sql_value_function(s)),
            Raw::AArrayExpr(a) => self.transform_array(a, None),
            Raw::RowExpr(r) => self.transform_row(r),
            Raw::AIndirection(i) => self.transform_indirection(i),
            Raw::GroupingFunc(g) => self.transform_grouping(g),
            Raw::CurrentOfExpr(c) => {
                let rte = self.level().target_rti;
                Ok(Expr::CurrentOf { rte, cursor: c.cursor_name.clone() })
            }
            Raw::SetToDefault(d) => {
                Err(err!(SYNTAX_ERROR, "DEFAULT is not allowed in this context").at(d.location))
            }
            Raw::XmlExpr(_) | Raw::XmlSerialize(_) => Err(Error::unsupported("XML")),
            Raw::MultiAssignRef(_) => Err(Error::internal("MultiAssignRef outside UPDATE")),
        }
    }

    pub(super) fn transform_param(&mut self, p: parser::ParamRef) -> Result<Expr> {
        let n = p.number;
        let missing = || err!(UNDEFINED_PARAMETER, "there is no parameter ${n}").at(p.location);
        if n <= 0 || n > 65535 {
            return Err(missing());
        }
        let i = n as usize - 1;
        if i >= self.params.types.len() {
            if !self.params.variable {
                return Err(missing());
            }
            self.params.types.resize(i + 1, Oid::INVALID);
        }
        if !self.params.types[i].is_valid() {
            if !self.params.variable {
                return Err(missing());
            }
            self.params.types[i] = oids::UNKNOWN;
        }
        let t = self.params.types[i];
        let of_call = self.params.function.as_ref().map_or(Oid::INVALID, |f| f.collation);
        let collation = match self.ctx.type_collation(t)? {
            c if c.is_valid() && of_call.is_valid() => of_call,
            c => c,
        };
        Ok(Expr::Param(Param {
            kind: ParamKind::External,
            id: n as u32,
            paramtype: t,
            typmod: -1,
            collation,
            location: Some(p.location),
        }))
    }

    fn transform_const(&mut self, c: &parser::AConst) -> Result<Expr> {
        let (t, value) = match &c.val {
            parser::Value::Integer(i) => (oids::INT4, Datum::I32(*i)),
            parser::Value::Float(s) => match s.parse::<i64>() {
                // A minus sign before a literal belongs to it: -2147483648 is an integer.
                Ok(i) => match i32::try_from(i) {
                    Ok(i) => (oids::INT4, Datum::I32(i)),
                    Err(_) => (oids::INT8, Datum::I64(i)),
                },
                Err(_) => (
                    oids::NUMERIC,
                    self.ctx.input(oids::NUMERIC, s, -1).map_err(|e| e.at_if_none(Some(c.location)))?,
                ),
            },
            parser::Value::String(s) => (oids::UNKNOWN, Datum::text(s)),
            parser::Value::BitString(s) => {
                (oids::BIT, self.ctx.input(oids::BIT, s, -1).map_err(|e| e.at_if_none(Some(c.location)))?)
            }
            parser::Value::Boolean(b) => (oids::BOOL, Datum::Bool(*b)),
            parser::Value::Null => (oids::UNKNOWN, Datum::Null),
        };
        Ok(Expr::Const(Const {
            consttype: t,
            typmod: -1,
            collation: Oid::INVALID,
            value,
            location: Some(c.location),
        }))
    }

    fn transform_bool(&mut self, b: &parser::BoolExpr) -> Result<Expr> {
        let (op, name) = match b.boolop {
            parser::BoolExprType::And => (BoolOp::And, "AND"),
            parser::BoolExprType::Or => (BoolOp::Or, "OR"),
            parser::BoolExprType::Not => (BoolOp::Not, "NOT"),
        };
        let mut args = Vec::with_capacity(b.args.len());
        for a in &b.args {
            let e = self.transform_expr(a)?;
            args.push(self.coerce_to_boolean(e, name)?);
        }
        Ok(Expr::Bool { op, args, location: Some(b.location) })
    }

    fn transform_boolean_test(&mut self, b: &parser::BooleanTest) -> Result<Expr> {
        let (test, name) = match b.booltesttype {
            parser::BoolTestType::IsTrue => (BoolTest::IsTrue, "IS TRUE"),
            parser::BoolTestType::IsNotTrue => (BoolTest::IsNotTrue, "IS NOT TRUE"),
            parser::BoolTestType::IsFalse => (BoolTest::IsFalse, "IS FALSE"),
            parser::BoolTestType::IsNotFalse => (BoolTest::IsNotFalse, "IS NOT FALSE"),
            parser::BoolTestType::IsUnknown => (BoolTest::IsUnknown, "IS UNKNOWN"),
            parser::BoolTestType::IsNotUnknown => (BoolTest::IsNotUnknown, "IS NOT UNKNOWN"),
        };
        let e = self.transform_expr(&b.arg)?;
        let arg = self.coerce_to_boolean(e, name)?;
        Ok(Expr::BooleanTest { arg: Box::new(arg), test, location: Some(b.location) })
    }

    fn transform_cast(&mut self, t: &parser::TypeCast) -> Result<Expr> {
        let (target, typmod) = resolve_type_name(self.ctx, &t.type_name)?;
        let e = if let Raw::AArrayExpr(a) = &t.arg {
            let (base, _) = self.ctx.base_type(target, -1)?;
            let elem = self.ctx.array_elem(base)?;
            if elem.is_valid() {
                self.transform_array(a, Some((base, elem, typmod)))?
            } else {
                self.transform_expr(&t.arg)?
            }
        } else {
            self.transform_expr(&t.arg)?
        };
        let source = expr_type(&e);
        if source == Oid::INVALID {
            return Ok(e);
        }
        let loc = Some(t.location);
        match self.coerce_to_target(e, target, typmod, Context::Explicit, CoercionForm::ExplicitCast, loc)? {
            Some(e) => Ok(e),
            None => Err(err!(
                CANNOT_COERCE,
                "cannot cast type {} to {}",
                format_type_short(self.ctx, source),
                format_type_short(self.ctx, target)
            )
            .at(t.location)),
        }
    }

    fn transform_collate(&mut self, c: &parser::CollateClause) -> Result<Expr> {
        let Some(arg) = &c.arg else { return Err(Error::internal("COLLATE without argument")) };
        let arg = self.transform_expr(arg)?;
        let t = expr_type(&arg);
        if t != oids::UNKNOWN && !self.ctx.type_collation(t)?.is_valid() {
            return Err(err!(
                DATATYPE_MISMATCH,
                "collations are not supported by type {}",
                format_type_short(self.ctx, t)
            )
            .at(c.location));
        }
        let collation = crate::collation::lookup_collation(self.ctx, &c.collname, Some(c.location))?;
        Ok(Expr::Collate { arg: Box::new(arg), collation, location: Some(c.location) })
    }

    fn transform_case(&mut self, c: &parser::CaseExpr) -> Result<Expr> {
        let mut arg = None;
        let mut test = None;
        if let Some(a) = &c.arg {
            let mut e = self.transform_expr(a)?;
            if expr_type(&e) == oids::UNKNOWN {
                e = self.coerce_to_common(e, oids::TEXT, "CASE")?;
            }
            crate::collation::assign(self.ctx, &mut e)?;
            test = Some(Expr::CaseTest {
                type_oid: expr_type(&e),
                typmod: expr_typmod(&e),
                collation: crate::info::expr_collation(&e),
            });
            arg = Some(Box::new(e));
        }
        let mut conds = Vec::new();
        let mut results = Vec::new();
        for w in &c.args {
            let mut cond = self.transform_expr(&w.expr)?;
            if let Some(t) = &test {
                cond = self.make_op(&["=".to_string()], Some(t.clone()), cond, Some(w.location))?;
            }
            conds.push(self.coerce_to_boolean(cond, "CASE/WHEN")?);
            results.push(self.transform_expr(&w.result)?);
        }
        let default = match &c.defresult {
            Some(d) => self.transform_expr(d)?,
            None => make_const(oids::UNKNOWN, Datum::Null),
        };
        let mut all: Vec<&Expr> = vec![&default];
        all.extend(results.iter());
        let t = self.common_type(&all, "CASE")?;
        let default = self.coerce_to_common(default, t, "CASE/ELSE")?;
        let mut whens = Vec::new();
        for (expr, r) in conds.into_iter().zip(results) {
            let result = self.coerce_to_common(r, t, "CASE/WHEN")?;
            whens.push(CaseWhen { expr, result });
        }
        self.refuse_set(whens.iter().flat_map(|w| [&w.expr, &w.result]).chain([&default]), "CASE")?;
        Ok(Expr::Case {
            result_type: t,
            collation: Oid::INVALID,
            arg,
            whens,
            default: Some(Box::new(default)),
            location: Some(c.location),
        })
    }

    fn refuse_set<'e>(&self, parts: impl IntoIterator<Item = &'e Expr>, what: &str) -> Result<()> {
        match parts.into_iter().find(|p| returns_set(p)) {
            None => Ok(()),
            Some(p) => Err(err!(FEATURE_NOT_SUPPORTED, "set-returning functions are not allowed in {what}")
                .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
                .at_if_none(expr_location(p))),
        }
    }

    fn common_args(&mut self, raw: &[Raw], what: &str) -> Result<(Vec<Expr>, Oid)> {
        let mut args = Vec::with_capacity(raw.len());
        for a in raw {
            args.push(self.transform_expr(a)?);
        }
        let refs: Vec<&Expr> = args.iter().collect();
        let t = self.common_type(&refs, what)?;
        let mut out = Vec::with_capacity(args.len());
        for a in args {
            out.push(self.coerce_to_common(a, t, what)?);
        }
        Ok((out, t))
    }

    /// Is the value a row (so that IS NULL looks at its fields)?
    pub fn is_row_type(&self, e: &Expr) -> Result<bool> {
        let t = expr_type(e);
        Ok(t == oids::RECORD || (t.is_valid() && t != oids::UNKNOWN && self.ctx.is_complex(t)?))
    }
}

fn sql_value_function(s: &parser::SQLValueFunction) -> Expr {
    use parser::SQLValueFunctionOp as R;
    let m = s.typmod.map_or(-1, |t| t.min(6));
    let (op, t) = match s.op {
        R::CurrentDate => (SqlValueFunctionOp::CurrentDate, oids::DATE),
        R::CurrentTime => (SqlValueFunctionOp::CurrentTime, oids::TIMETZ),
        R::CurrentTimestamp => (SqlValueFunctionOp::CurrentTimestamp, oids::TIMESTAMPTZ),
        R::LocalTime => (SqlValueFunctionOp::LocalTime, oids::TIME),
        R::LocalTimestamp => (SqlValueFunctionOp::LocalTimestamp, oids::TIMESTAMP),
        R::CurrentRole => (SqlValueFunctionOp::CurrentRole, oids::NAME),
        R::CurrentUser | R::User => (SqlValueFunctionOp::CurrentUser, oids::NAME),
        R::SessionUser => (SqlValueFunctionOp::SessionUser, oids::NAME),
        R::CurrentCatalog => (SqlValueFunctionOp::CurrentCatalog, oids::NAME),
        R::CurrentSchema => (SqlValueFunctionOp::CurrentSchema, oids::NAME),
    };
    Expr::SqlValueFunction { op, result_type: t, typmod: m, location: Some(s.location) }
}
