//! Operator expressions: plain ones, ANY/ALL over arrays, IN, BETWEEN, DISTINCT, NULLIF and comparisons of rows.

use crate::coerce::make_const;
use crate::expr::*;
use crate::info::expr_type;
use crate::scope::Analyzer;
use common::{Error, Oid, Result, err};
use parser::{AExpr, AExprKind, Expr as Raw};
use types::{Datum, oids};

fn is_null_const(e: &Raw) -> bool {
    matches!(e, Raw::AConst(c) if c.val == parser::Value::Null)
}

/// `args` joined by AND or OR; a single one stands alone.
pub fn bool_list(op: BoolOp, mut args: Vec<Expr>, location: Option<usize>) -> Expr {
    match args.len() {
        0 => make_const(oids::BOOL, Datum::Bool(op == BoolOp::And)),
        1 => args.remove(0),
        _ => Expr::Bool { op, args, location },
    }
}

impl Analyzer<'_> {
    pub(super) fn transform_a_expr(&mut self, x: &AExpr) -> Result<Expr> {
        let loc = Some(x.location);
        match x.kind {
            AExprKind::Op | AExprKind::Like | AExprKind::ILike | AExprKind::Similar => self.transform_op(x),
            AExprKind::OpAny | AExprKind::OpAll => {
                let l = self.side(&x.lexpr)?;
                let r = self.side(&x.rexpr)?;
                self.make_scalar_array_op(&x.name, x.kind == AExprKind::OpAny, l, r, loc)
            }
            AExprKind::Distinct | AExprKind::NotDistinct => self.transform_distinct_from(x),
            AExprKind::NullIf => self.transform_nullif(x),
            AExprKind::In => self.transform_in(x),
            AExprKind::Between | AExprKind::NotBetween | AExprKind::BetweenSym | AExprKind::NotBetweenSym => {
                self.transform_between(x)
            }
        }
    }

    fn side(&mut self, e: &Option<Raw>) -> Result<Expr> {
        match e {
            Some(e) => self.transform_expr(e),
            None => Err(Error::internal("operator without operand")),
        }
    }

    fn transform_op(&mut self, x: &AExpr) -> Result<Expr> {
        let loc = Some(x.location);
        match (&x.lexpr, &x.rexpr) {
            (Some(Raw::RowExpr(l)), Some(Raw::SubLink(s)))
                if s.sub_link_type == parser::SubLinkType::Expr =>
            {
                let left = self.transform_row(l)?;
                let Expr::Row { args, .. } = left else { return Err(Error::internal("row expected")) };
                self.row_compare_sublink(&x.name, args, s, loc)
            }
            (Some(Raw::RowExpr(l)), Some(Raw::RowExpr(r))) => {
                let l = self.row_args(l)?;
                let r = self.row_args(r)?;
                self.make_row_comparison(&x.name, l, r, loc)
            }
            (l, r) => {
                let left = match l {
                    Some(l) => Some(self.transform_expr(l)?),
                    None => None,
                };
                let right = self.side(r)?;
                if let Some(left) = &left
                    && self.reads_null_equals(x)
                    && !matches!(left, Expr::CaseTest { .. })
                {
                    let is_null = |e: &Option<Raw>| matches!(e, Some(Raw::AConst(c)) if matches!(c.val, parser::Value::Null));
                    let arg = match (is_null(l), is_null(r)) {
                        (_, true) => Some(left),
                        (true, false) => Some(&right),
                        _ => None,
                    };
                    if let Some(arg) = arg.cloned() {
                        let arg_is_row = self.is_row_type(&arg)?;
                        let arg = Box::new(arg);
                        return Ok(Expr::NullTest { arg, is_null: true, arg_is_row, location: loc });
                    }
                }
                self.make_op(&x.name, left, right, loc)
            }
        }
    }

    /// `transform_null_equals`, for a plain `=`.
    fn reads_null_equals(&self, x: &AExpr) -> bool {
        self.ctx.fmt.transform_null_equals && matches!(&x.name[..], [op] if op == "=")
    }

    fn row_args(&mut self, r: &parser::RowExpr) -> Result<Vec<Expr>> {
        match self.transform_row(r)? {
            Expr::Row { args, .. } => Ok(args),
            _ => Err(Error::internal("row expected")),
        }
    }

    fn transform_distinct_from(&mut self, x: &AExpr) -> Result<Expr> {
        let loc = Some(x.location);
        let not = x.kind == AExprKind::NotDistinct;
        let (Some(l), Some(r)) = (&x.lexpr, &x.rexpr) else { return Err(Error::internal("operand missing")) };
        for (this, other) in [(r, l), (l, r)] {
            if is_null_const(this) {
                let arg = self.transform_expr(other)?;
                // The scalar test, also for rows: DISTINCT does not look into them.
                return Ok(Expr::NullTest {
                    arg: Box::new(arg),
                    is_null: not,
                    arg_is_row: false,
                    location: loc,
                });
            }
        }
        let e = if let (Raw::RowExpr(l), Raw::RowExpr(r)) = (l, r) {
            let (la, ra) = (self.row_args(l)?, self.row_args(r)?);
            if la.len() != ra.len() {
                return Err(err!(SYNTAX_ERROR, "unequal number of entries in row expressions").at(x.location));
            }
            let mut parts = Vec::new();
            for (a, b) in la.into_iter().zip(ra) {
                parts.push(self.make_distinct(&x.name, a, b, loc)?);
            }
            if parts.is_empty() {
                make_const(oids::BOOL, Datum::Bool(false))
            } else {
                bool_list(BoolOp::Or, parts, loc)
            }
        } else {
            let (a, b) = (self.transform_expr(l)?, self.transform_expr(r)?);
            self.make_distinct(&x.name, a, b, loc)?
        };
        Ok(if not { Expr::Bool { op: BoolOp::Not, args: vec![e], location: loc } } else { e })
    }

    fn make_distinct(&mut self, name: &[String], a: Expr, b: Expr, loc: Option<usize>) -> Result<Expr> {
        let Expr::Op(o) = self.make_op(name, Some(a), b, loc)? else {
            return Err(Error::internal("operator expected"));
        };
        if o.result_type != oids::BOOL {
            return Err(err!(DATATYPE_MISMATCH, "IS DISTINCT FROM requires = operator to yield boolean")
                .at_if_none(loc));
        }
        Ok(Expr::DistinctExpr(o))
    }

    fn transform_nullif(&mut self, x: &AExpr) -> Result<Expr> {
        let loc = Some(x.location);
        let l = self.side(&x.lexpr)?;
        let r = self.side(&x.rexpr)?;
        let Expr::Op(mut o) = self.make_op(&x.name, Some(l), r, loc)? else {
            return Err(Error::internal("operator expected"));
        };
        if o.result_type != oids::BOOL {
            return Err(
                err!(DATATYPE_MISMATCH, "NULLIF requires = operator to yield boolean").at_if_none(loc)
            );
        }
        o.result_type = expr_type(&o.args[0]);
        Ok(Expr::NullIfExpr(o))
    }

    fn transform_in(&mut self, x: &AExpr) -> Result<Expr> {
        let loc = Some(x.location);
        let use_or = x.name.last().is_none_or(|n| n != "<>");
        let (conn, lraw) = (if use_or { BoolOp::Or } else { BoolOp::And }, x.lexpr.as_ref());
        let left = self.side(&x.lexpr)?;
        let have_row =
            matches!(lraw, Some(Raw::RowExpr(_))) || x.list.iter().any(|r| matches!(r, Raw::RowExpr(_)));
        let mut constants = Vec::with_capacity(x.list.len());
        let mut others = Vec::new();
        for r in &x.list {
            let e = self.transform_expr(r)?;
            if has_own_vars(&e) { others.push(e) } else { constants.push(e) }
        }
        let mut parts = Vec::new();
        if constants.len() > 1 && !have_row {
            let all: Vec<&Expr> = std::iter::once(&left).chain(&constants).collect();
            let t = self.common_type(&all, "IN").ok();
            let array_type = match t {
                Some(t) if t != oids::RECORD => self.verified_array_type(t, &all)?,
                _ => Oid::INVALID,
            };
            if let (Some(t), true) = (t, array_type.is_valid()) {
                let mut elements = std::mem::take(&mut constants);
                for e in elements.iter_mut().filter(|e| expr_type(e) != t) {
                    let c = std::mem::replace(e, make_const(t, Datum::Null));
                    *e = self.coerce_to_common(c, t, "IN")?;
                }
                let array = Expr::Array {
                    array_type,
                    elem_type: t,
                    collation: Oid::INVALID,
                    elements,
                    multidims: false,
                    location: None,
                };
                parts.push(self.make_scalar_array_op(&x.name, use_or, left.clone(), array, loc)?);
            }
        }
        if parts.is_empty() {
            // Keep the order in which the items were written.
            let mut ordered = Vec::new();
            for r in &x.list {
                ordered.push(self.transform_expr(r)?);
            }
            constants.clear();
            others = ordered;
        }
        for r in others {
            let cmp = match (&left, r) {
                (
                    Expr::Row { args: l, row_type: oids::RECORD, .. },
                    Expr::Row { args: r, row_type: oids::RECORD, .. },
                ) => self.make_row_comparison(&x.name, l.clone(), r, loc)?,
                (_, r) => self.make_op(&x.name, Some(left.clone()), r, loc)?,
            };
            parts.push(self.coerce_to_boolean(cmp, "IN")?);
        }
        Ok(bool_list(conn, parts, loc))
    }

    fn verified_array_type(&self, t: Oid, all: &[&Expr]) -> Result<Oid> {
        for e in all {
            if !self.ctx.can_coerce(&[expr_type(e)], &[t], crate::coerce::Context::Implicit)? {
                return Ok(Oid::INVALID);
            }
        }
        self.ctx.array_of(t)
    }

    fn transform_between(&mut self, x: &AExpr) -> Result<Expr> {
        let (Some(a), [b, c]) = (&x.lexpr, x.list.as_slice()) else {
            return Err(Error::internal("BETWEEN without bounds"));
        };
        let rows = [a, b, c].iter().any(|x| matches!(x, Raw::RowExpr(_)));
        let plain = match x.kind {
            AExprKind::Between => Some((BoolOp::And, ">=", "<=")),
            AExprKind::NotBetween => Some((BoolOp::Or, "<", ">")),
            _ => None,
        };
        if let (Some((op, low, high)), false) = (plain, rows) {
            let place = if op == BoolOp::And { "AND" } else { "OR" };
            let mut args = Vec::with_capacity(2);
            for (name, bound) in [(low, b), (high, c)] {
                let (l, r) = (self.transform_expr(a)?, self.transform_expr(bound)?);
                let e = self.make_op(&[name.to_string()], Some(l), r, Some(x.location))?;
                args.push(self.coerce_to_boolean(e, place)?);
            }
            return Ok(Expr::Bool { op, args, location: Some(x.location) });
        }
        let cmp = |op: &str, r: &Raw| {
            Raw::AExpr(Box::new(AExpr {
                kind: AExprKind::Op,
                name: [op.to_string()].into(),
                lexpr: Some(a.clone()),
                rexpr: Some(r.clone()),
                list: Vec::new(),
                location: x.location,
            }))
        };
        let list =
            |boolop, args| Raw::BoolExpr(Box::new(parser::BoolExpr { boolop, args, location: x.location }));
        use parser::BoolExprType::{And, Or};
        let raw = match x.kind {
            AExprKind::Between => list(And, vec![cmp(">=", b), cmp("<=", c)]),
            AExprKind::NotBetween => list(Or, vec![cmp("<", b), cmp(">", c)]),
            AExprKind::BetweenSym => list(
                Or,
                vec![
                    list(And, vec![cmp(">=", b), cmp("<=", c)]),
                    list(And, vec![cmp(">=", c), cmp("<=", b)]),
                ],
            ),
            _ => list(
                And,
                vec![list(Or, vec![cmp("<", b), cmp(">", c)]), list(Or, vec![cmp("<", c), cmp(">", b)])],
            ),
        };
        self.transform_expr(&raw)
    }

    /// `(a, b) op (c, d)`.
    pub fn make_row_comparison(
        &mut self,
        name: &[String],
        left: Vec<Expr>,
        right: Vec<Expr>,
        loc: Option<usize>,
    ) -> Result<Expr> {
        if left.len() != right.len() {
            return Err(err!(SYNTAX_ERROR, "unequal number of entries in row expressions").at_if_none(loc));
        }
        if left.is_empty() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length").at_if_none(loc));
        }
        let mut ops = Vec::new();
        for (l, r) in left.into_iter().zip(right) {
            let Expr::Op(o) = self.make_op(name, Some(l), r, loc)? else {
                return Err(Error::internal("operator expected"));
            };
            if o.result_type != oids::BOOL {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "row comparison operator must yield type boolean, not type {}",
                    crate::typename::format_type_short(self.ctx, o.result_type)
                )
                .at_if_none(loc));
            }
            ops.push(o);
        }
        if ops.len() == 1 {
            return Ok(Expr::Op(ops.remove(0)));
        }
        let Some(cmp) = self.row_compare_type(&ops)? else {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "could not determine interpretation of row comparison operator {}",
                name.join(".")
            )
            .hint("Row comparison operators must be associated with btree operator families.")
            .at_if_none(loc));
        };
        let list = |op, ops: Vec<OpExpr>| bool_list(op, ops.into_iter().map(Expr::Op).collect(), loc);
        Ok(match cmp {
            RowCompareType::Eq => list(BoolOp::And, ops),
            RowCompareType::Ne => list(BoolOp::Or, ops),
            cmp => {
                let mut rc = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                for mut o in ops {
                    rc.0.push(o.opno);
                    rc.1.push(o.funcid);
                    let r = o.args.pop();
                    let l = o.args.pop();
                    rc.2.extend(l);
                    rc.3.extend(r);
                }
                let n = rc.0.len();
                Expr::RowCompare {
                    cmp,
                    opnos: rc.0.into(),
                    funcids: rc.1.into(),
                    input_collations: vec![Oid::INVALID; n].into(),
                    left: rc.2.into(),
                    right: rc.3.into(),
                }
            }
        })
    }

    fn row_compare_type(&self, ops: &[OpExpr]) -> Result<Option<RowCompareType>> {
        const BTREE: Oid = Oid(403);
        let mut common: Option<Vec<i16>> = None;
        for o in ops {
            let strategies = |op: Oid| -> Result<Vec<i16>> {
                Ok(self
                    .ctx
                    .catalog
                    .amops_of(op)?
                    .into_iter()
                    .filter(|a| a.method == BTREE && a.purpose == b's')
                    .map(|a| a.strategy)
                    .collect())
            };
            let mut s = strategies(o.opno)?;
            let neg = self.ctx.catalog.operator(o.opno)?.negator;
            if s.is_empty() && neg.is_valid() && strategies(neg)?.contains(&3) {
                s.push(6);
            }
            common = Some(match common {
                None => s,
                Some(c) => c.into_iter().filter(|x| s.contains(x)).collect(),
            });
        }
        Ok(common.and_then(|c| c.into_iter().min()).map(|s| match s {
            1 => RowCompareType::Lt,
            2 => RowCompareType::Le,
            3 => RowCompareType::Eq,
            4 => RowCompareType::Ge,
            5 => RowCompareType::Gt,
            _ => RowCompareType::Ne,
        }))
    }
}

fn has_own_vars(e: &Expr) -> bool {
    if let Expr::Const(_) = e {
        return false;
    }
    crate::walk::contains(e, &mut |x, d| matches!(x, Expr::Var(v) if v.levels_up == d))
}
