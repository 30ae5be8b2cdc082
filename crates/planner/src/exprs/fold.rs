//! Constant folding and boolean simplification. Immutable functions of constants are computed, strict functions of
//! NULL become NULL, decided CASE/COALESCE/AND/OR branches disappear. For estimates, stable functions count too.

use super::eval::Evaluator;
use super::props::{bool_const, const_null, is_bool_const};
use super::quals::{make_and, make_or, negate};
use super::walk::each_child_mut;
use crate::PlannerCtx;
use analyze::expr::*;
use analyze::info::{expr_collation, expr_type, expr_typmod};
use common::{Oid, Result};
use types::array::{ArrayBuilder, ArrayRef};
use types::{Datum, oids};

/// A folding run.
pub struct Folder<'a> {
    ev: Evaluator<'a>,
    estimate: bool,
    /// Functions whose bodies are being folded in place of calls.
    inlining: Vec<Oid>,
    /// Argument of the enclosing CASE, when constant.
    case_val: Vec<Option<Expr>>,
}

/// Folds an expression in place. Errors of the functions called are the statement's errors.
pub fn fold(ctx: &PlannerCtx<'_>, e: &mut Expr) -> Result<()> {
    if matches!(e, Expr::Var(_) | Expr::Const(_)) {
        return Ok(());
    }
    Folder { ev: Evaluator::new(ctx), estimate: false, inlining: Vec::new(), case_val: Vec::new() }.go(e)
}

/// The expression with everything folded that helps an estimate; errors leave it unfolded.
pub fn for_estimate(ctx: &PlannerCtx<'_>, e: &Expr) -> Expr {
    let mut x = e.clone();
    if matches!(e, Expr::Var(_) | Expr::Const(_)) {
        return x;
    }
    let r = Folder { ev: Evaluator::new(ctx), estimate: true, inlining: Vec::new(), case_val: Vec::new() }
        .go(&mut x);
    if r.is_err() { e.clone() } else { x }
}

fn konst(e: &Expr) -> Option<&Const> {
    match e {
        Expr::Const(c) => Some(c),
        _ => None,
    }
}

impl Folder<'_> {
    fn children(&mut self, e: &mut Expr) -> Result<()> {
        let mut r = Ok(());
        each_child_mut(e, &mut |c| {
            if r.is_ok() {
                r = self.go(c);
            }
        });
        r
    }

    fn make_const(&self, value: Datum, ty: Oid, typmod: i32, collation: Oid) -> Expr {
        Expr::Const(Const { consttype: ty, typmod, collation, value, location: None })
    }

    fn may_call(&self, funcid: Oid) -> Result<(bool, bool)> {
        let p = self.ev.ctx.catalog.proc_desc(funcid)?;
        let ok = p.volatile == b'i' || (self.estimate && p.volatile == b's');
        let row = p.ret_type == oids::RECORD && funcid >= Oid::FIRST_NORMAL;
        Ok((ok && !p.retset && !row && self.ev.has(funcid), p.strict && !p.retset))
    }

    /// The call's value if it can be known.
    fn try_call(&self, funcid: Oid, args: &[Expr], ty: Oid, typmod: i32, coll: Oid) -> Result<Option<Datum>> {
        if !args.iter().any(|a| matches!(a, Expr::Const(_))) && !args.is_empty() {
            return Ok(None);
        }
        let (callable, strict) = self.may_call(funcid)?;
        if strict && args.iter().any(const_null) {
            return Ok(Some(Datum::Null));
        }
        if !callable {
            return Ok(None);
        }
        let mut vals = Vec::with_capacity(args.len());
        for a in args {
            let Expr::Const(c) = a else { return Ok(None) };
            vals.push((c.value.clone(), c.consttype));
        }
        match self.ev.call(funcid, &vals, ty, typmod, coll) {
            Ok(d) => Ok(Some(d)),
            Err(e) if e.sqlstate() == common::SqlState::FEATURE_NOT_SUPPORTED => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn op_value(&self, o: &OpExpr) -> Result<Option<Datum>> {
        self.try_call(o.funcid, &o.args, o.result_type, -1, o.input_collation)
    }

    fn go(&mut self, e: &mut Expr) -> Result<()> {
        match e {
            Expr::Var(_) | Expr::Const(_) | Expr::SubPlan(_) => Ok(()),
            Expr::Param(p) => {
                if p.kind == ParamKind::External
                    && let Some(v) = self.ev.ctx.bound_params.and_then(|b| b.get(p.id as usize - 1))
                {
                    *e = self.make_const(v.clone(), p.paramtype, p.typmod, p.collation);
                }
                Ok(())
            }
            Expr::Func(_) => self.func(e),
            Expr::Op(_) => self.op(e),
            Expr::DistinctExpr(_) | Expr::NullIfExpr(_) => self.distinct(e),
            Expr::ScalarArrayOp(_) => self.array_op(e),
            Expr::Bool { .. } => self.boolean(e),
            Expr::Case { .. } => self.case(e),
            Expr::CaseTest { .. } => {
                if let Some(Some(v)) = self.case_val.last() {
                    *e = v.clone();
                }
                Ok(())
            }
            Expr::Coalesce { .. } => self.coalesce(e),
            Expr::NullTest { .. } | Expr::BooleanTest { .. } => self.tests(e),
            Expr::Relabel { .. } | Expr::CoerceViaIo { .. } | Expr::Collate { .. } => self.casts(e),
            Expr::Array { .. } => self.array(e),
            Expr::Row { .. } => self.row(e),
            Expr::ArrayCoerce { .. } => self.array_coerce(e),
            _ => self.children(e),
        }
    }

    fn func(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let Expr::Func(f) = e else { return Ok(()) };
        if f.retset {
            return Ok(());
        }
        if let Some(d) =
            self.try_call(f.funcid, &f.args, f.result_type, expr_typmod_of_call(f), f.input_collation)?
        {
            let typmod = expr_typmod(&Expr::Func(f.clone()));
            *e = self.make_const(d, f.result_type, typmod, f.collation);
            return Ok(());
        }
        if let Some(body) = self.inline(f.funcid, &f.args, f.result_type, (f.input_collation, f.collation))? {
            *e = body;
        }
        Ok(())
    }

    /// The folded body of an SQL function in place of a call.
    fn inline(
        &mut self,
        funcid: Oid,
        args: &[Expr],
        result: Oid,
        collations: (Oid, Oid),
    ) -> Result<Option<Expr>> {
        if funcid < Oid::FIRST_NORMAL || self.estimate || self.inlining.contains(&funcid) {
            return Ok(None);
        }
        let Some(mut body) = super::inline::scalar(self.ev.ctx, (funcid, args), result, collations)? else {
            return Ok(None);
        };
        self.inlining.push(funcid);
        let r = self.go(&mut body);
        self.inlining.pop();
        match r {
            Ok(()) => Ok(Some(body)),
            Err(e) => {
                let p = self.ev.ctx.catalog.proc_desc(funcid)?;
                Err(e.context(format!("SQL function \"{}\" during inlining", p.name)))
            }
        }
    }

    fn op(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let Expr::Op(o) = e else { return Ok(()) };
        if let Some(d) = self.op_value(o)? {
            *e = self.make_const(d, o.result_type, -1, o.collation);
            return Ok(());
        }
        if !o.retset
            && let Some(body) =
                self.inline(o.funcid, &o.args, o.result_type, (o.input_collation, o.collation))?
        {
            *e = body;
            return Ok(());
        }
        // bool = constant, bool <> constant
        if (o.opno == Oid(91) || o.opno == Oid(85)) && o.args.len() == 2 {
            for (i, j) in [(0, 1), (1, 0)] {
                if let Some(b) = bool_const(&o.args[i]) {
                    let other = o.args[j].clone();
                    *e = if b == (o.opno == Oid(91)) { other } else { negate(self.ev.ctx, other) };
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn distinct(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let is_nullif = matches!(e, Expr::NullIfExpr(_));
        let (Expr::DistinctExpr(o) | Expr::NullIfExpr(o)) = e else { return Ok(()) };
        let (Some(a), Some(b)) = (konst(&o.args[0]), konst(&o.args[1])) else { return Ok(()) };
        let both_null = a.value.is_null() && b.value.is_null();
        let one_null = a.value.is_null() != b.value.is_null();
        let eq = if both_null || one_null {
            Some(both_null)
        } else {
            // NULLIF's node carries the type of its result; its operator gives a boolean.
            match self.try_call(o.funcid, &o.args, oids::BOOL, -1, o.input_collation)? {
                Some(Datum::Bool(b)) => Some(b),
                _ => None,
            }
        };
        let Some(eq) = eq else { return Ok(()) };
        if is_nullif {
            let first = o.args[0].clone();
            let hit = eq && !both_null;
            *e = if hit {
                self.make_const(Datum::Null, expr_type(&first), expr_typmod(&first), expr_collation(&first))
            } else {
                first
            };
        } else {
            *e = self.make_const(Datum::Bool(!eq), oids::BOOL, -1, Oid::INVALID);
        }
        Ok(())
    }

    fn array_op(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let Expr::ScalarArrayOp(o) = e else { return Ok(()) };
        let (Some(a), Some(arr)) = (konst(&o.args[0]), konst(&o.args[1])) else { return Ok(()) };
        let (callable, strict) = self.may_call(o.funcid)?;
        if !callable {
            return Ok(());
        }
        let null = arr.value.is_null();
        let elem_type = self.ev.ctx.catalog.type_desc(arr.consttype)?.elem;
        let elems = if null { Some(Vec::new()) } else { self.ev.array_elems(&arr.value, elem_type) };
        let Some(elems) = elems else { return Ok(()) };
        let (mut hit, mut unknown) = (false, null);
        for v in elems {
            if strict && (v.is_null() || a.value.is_null()) {
                unknown = true;
                continue;
            }
            let args = [(a.value.clone(), a.consttype), (v, elem_type)];
            match self.ev.call(o.funcid, &args, oids::BOOL, -1, o.input_collation)? {
                Datum::Bool(b) if b == o.use_or => hit = true,
                Datum::Bool(_) => {}
                _ => unknown = true,
            }
        }
        let d = if hit {
            Datum::Bool(o.use_or)
        } else if unknown {
            Datum::Null
        } else {
            Datum::Bool(!o.use_or)
        };
        *e = self.make_const(d, oids::BOOL, -1, Oid::INVALID);
        Ok(())
    }

    fn boolean(&mut self, e: &mut Expr) -> Result<()> {
        let Expr::Bool { op, args, .. } = e else { return Ok(()) };
        if *op == BoolOp::Not {
            let mut a = args.swap_remove(0);
            self.go(&mut a)?;
            *e = negate(self.ev.ctx, a);
            return Ok(());
        }
        let is_and = *op == BoolOp::And;
        let mut out = Vec::new();
        let mut force_null = false;
        let mut todo: Vec<Expr> = std::mem::take(args);
        todo.reverse();
        while let Some(mut a) = todo.pop() {
            match &mut a {
                Expr::Bool { op, args, .. } if (*op == BoolOp::And) == is_and && *op != BoolOp::Not => {
                    todo.extend(std::mem::take(args).into_iter().rev());
                    continue;
                }
                _ => {}
            }
            self.go(&mut a)?;
            match &mut a {
                Expr::Bool { op, args, .. } if (*op == BoolOp::And) == is_and && *op != BoolOp::Not => {
                    out.append(args);
                    continue;
                }
                _ => {}
            }
            if const_null(&a) {
                force_null = true;
                continue;
            }
            match bool_const(&a) {
                Some(b) if b == is_and => {}
                Some(b) => {
                    *e = is_bool_const(b);
                    return Ok(());
                }
                None => out.push(a),
            }
        }
        if force_null {
            out.push(self.make_const(Datum::Null, oids::BOOL, -1, Oid::INVALID));
        }
        *e = match (out.len(), is_and) {
            (0, b) => is_bool_const(b),
            (_, true) => make_and(out),
            (_, false) => make_or(out),
        };
        Ok(())
    }

    fn case(&mut self, e: &mut Expr) -> Result<()> {
        let Expr::Case { arg, whens, default, result_type, collation, .. } = e else { return Ok(()) };
        let mut val = None;
        if let Some(a) = arg {
            self.go(a)?;
            if konst(a).is_some() {
                val = Some((**a).clone());
                *arg = None;
            }
        }
        self.case_val.push(val);
        let mut out = Vec::new();
        let mut decided = None;
        for mut w in std::mem::take(whens) {
            self.go(&mut w.expr)?;
            if const_null(&w.expr) || bool_const(&w.expr) == Some(false) {
                continue;
            }
            let always = bool_const(&w.expr) == Some(true);
            let saved = self.case_val.pop();
            self.go(&mut w.result)?;
            self.case_val.extend(saved);
            if always {
                decided = Some(w.result);
                break;
            }
            out.push(w);
        }
        self.case_val.pop();
        if decided.is_none()
            && let Some(d) = default
        {
            self.go(d)?;
        }
        let (ty, coll) = (*result_type, *collation);
        if out.is_empty() {
            *e = match decided.or_else(|| default.take().map(|d| *d)) {
                Some(r) => r,
                None => self.make_const(Datum::Null, ty, -1, coll),
            };
            return Ok(());
        }
        if let Some(d) = decided {
            *default = Some(Box::new(d));
        }
        *whens = out;
        Ok(())
    }

    fn coalesce(&mut self, e: &mut Expr) -> Result<()> {
        let Expr::Coalesce { args, result_type, collation, .. } = e else { return Ok(()) };
        let mut out = Vec::new();
        for mut a in std::mem::take(args) {
            self.go(&mut a)?;
            if const_null(&a) {
                continue;
            }
            let known = konst(&a).is_some();
            out.push(a);
            if known {
                break;
            }
        }
        match out.len() {
            0 => *e = self.make_const(Datum::Null, *result_type, -1, *collation),
            1 => *e = out.swap_remove(0),
            _ => *args = out,
        }
        Ok(())
    }

    fn tests(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let v = match e {
            Expr::NullTest { arg, is_null, arg_is_row: false, .. } => {
                konst(arg).map(|c| c.value.is_null() == *is_null)
            }
            Expr::BooleanTest { arg, test, .. } => konst(arg).map(|c| {
                let v = match c.value {
                    Datum::Bool(b) => Some(b),
                    _ => None,
                };
                match test {
                    BoolTest::IsTrue => v == Some(true),
                    BoolTest::IsNotTrue => v != Some(true),
                    BoolTest::IsFalse => v == Some(false),
                    BoolTest::IsNotFalse => v != Some(false),
                    BoolTest::IsUnknown => v.is_none(),
                    BoolTest::IsNotUnknown => v.is_some(),
                }
            }),
            _ => None,
        };
        if let Some(b) = v {
            *e = is_bool_const(b);
        }
        Ok(())
    }

    fn casts(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        match e {
            Expr::Relabel { arg, result_type, typmod, collation, .. } => {
                // Only the topmost of stacked relabels counts.
                while let Expr::Relabel { arg: inner, .. } = &mut **arg {
                    let x = std::mem::replace(
                        &mut **inner,
                        Expr::CaseTest { type_oid: Oid::INVALID, typmod: -1, collation: Oid::INVALID },
                    );
                    **arg = x;
                }
                if let Expr::Const(c) = &**arg {
                    let v = c.value.clone().relabelled(types::phys_of(*result_type));
                    *e = self.make_const(v, *result_type, *typmod, *collation);
                } else if expr_type(arg) == *result_type
                    && expr_typmod(arg) == *typmod
                    && expr_collation(arg) == *collation
                {
                    let x = std::mem::replace(
                        &mut **arg,
                        Expr::CaseTest { type_oid: Oid::INVALID, typmod: -1, collation: Oid::INVALID },
                    );
                    *e = x;
                }
            }
            Expr::Collate { arg, collation, .. } => {
                if let Expr::Const(c) = &**arg {
                    *e = self.make_const(c.value.clone(), c.consttype, c.typmod, *collation);
                } else {
                    let (ty, typmod) = (expr_type(arg), expr_typmod(arg));
                    let x = std::mem::replace(
                        &mut **arg,
                        Expr::CaseTest { type_oid: Oid::INVALID, typmod: -1, collation: Oid::INVALID },
                    );
                    *e = if expr_collation(&x) == *collation {
                        x
                    } else {
                        Expr::Relabel {
                            arg: Box::new(x),
                            result_type: ty,
                            typmod,
                            collation: *collation,
                            form: CoercionForm::ImplicitCast,
                            location: None,
                        }
                    };
                }
            }
            Expr::CoerceViaIo { arg, result_type, collation, .. } => {
                let Some(c) = konst(arg) else { return Ok(()) };
                let (ty, coll) = (*result_type, *collation);
                if c.value.is_null() {
                    *e = self.make_const(Datum::Null, ty, -1, coll);
                    return Ok(());
                }
                let cat = self.ev.ctx.catalog;
                let (out_fn, in_fn) = (cat.type_desc(c.consttype)?.output, cat.type_desc(ty)?.input);
                let (a, b) = (self.may_call(out_fn)?.0, self.may_call(in_fn)?.0);
                if a && b
                    && let Some(text) = self.ev.output(c.consttype, &c.value)
                {
                    let d = self.ev.input(ty, &text, -1)?;
                    *e = self.make_const(d, ty, -1, coll);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A row of constants is a constant.
    fn row(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let Expr::Row { args, row_type, .. } = e else { return Ok(()) };
        let mut fields = Vec::with_capacity(args.len());
        for a in args.iter() {
            let Some(c) = konst(a) else { return Ok(()) };
            fields.push((self.ev.ctx.catalog.storage_type(c.consttype)?, c.value.as_ref()));
        }
        // Anonymous rows have names, and dropped columns no type: those the executor makes.
        if *row_type == oids::RECORD
            || self.ev.ctx.catalog.composite_desc(*row_type)?.attrs.iter().any(|a| a.dropped)
        {
            return Ok(());
        }
        let value = types::record::build_record(*row_type, fields.into_iter());
        *e = self.make_const(value, *row_type, -1, Oid::INVALID);
        Ok(())
    }

    /// A cast of an array, element by element if its value is known and the casts of all elements can be computed.
    fn array_coerce(&mut self, e: &mut Expr) -> Result<()> {
        let Expr::ArrayCoerce { arg, elem, result_type, typmod, collation, .. } = e else { return Ok(()) };
        self.go(arg)?;
        if let Expr::Const(Const { value: Datum::Bytes(bytes), collation: from_collation, .. }) = &**arg {
            let array = ArrayRef::new(bytes)?;
            let mut values = ArrayBuilder::new(self.ev.ctx.catalog.storage_type(expr_type(elem))?);
            for value in array.to_vec()? {
                let from = self.make_const(value.to_owned(), array.elem.oid, -1, *from_collation);
                let mut one = Expr::clone(elem);
                self.case_val.push(Some(from));
                let folded = self.go(&mut one);
                self.case_val.pop();
                folded?;
                let Expr::Const(c) = one else { return Ok(()) };
                values.push(c.value.as_ref());
            }
            let value = Datum::Bytes(values.finish(&array.dims, &array.lower).into());
            *e = self.make_const(value, *result_type, *typmod, *collation);
            return Ok(());
        }
        self.case_val.push(None);
        let folded = self.go(elem);
        self.case_val.pop();
        folded
    }

    fn array(&mut self, e: &mut Expr) -> Result<()> {
        self.children(e)?;
        let Expr::Array { array_type, elem_type, collation, elements, multidims: false, .. } = e else {
            return Ok(());
        };
        let mut vals = Vec::with_capacity(elements.len());
        for x in elements.iter() {
            let Some(c) = konst(x) else { return Ok(()) };
            vals.push(c.value.clone());
        }
        if let Some(d) = super::array::build(&self.ev, &vals, *elem_type) {
            *e = self.make_const(d, *array_type, -1, *collation);
        }
        Ok(())
    }
}

fn expr_typmod_of_call(f: &FuncExpr) -> i32 {
    expr_typmod(&Expr::Func(FuncExpr { args: f.args.clone(), ..f.clone() }))
}
