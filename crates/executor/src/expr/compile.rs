//! `analyze::Expr` → [`Program`]. Functions are looked up once, constants are hoisted, calls whose arguments are
//! constant for the batch are evaluated once. What a Var means is the [`Scope`]'s affair.

use crate::env::ExecEnv;
use crate::expr::arrays;
use crate::expr::domain::DomainCheck;
use crate::expr::one_row::OneRow;
use crate::expr::program::*;
use crate::expr::special;
use crate::expr::subplan;
use analyze::expr::*;
use common::{Error, Oid, Result, bail, err};
use std::rc::Rc;
use types::registry::SrfFn;
use types::{CmpFn, Collation, Column, Datum, FnImpl, HashFn, Phys, ScalarKernel, oids};

/// What the names in an expression mean: input columns.
pub trait Scope {
    /// Column of a Var.
    fn var(&self, v: &Var) -> Option<usize>;
    /// Column of something computed below: an aggregate's, a window function's result …
    fn special(&self, e: &Expr) -> Option<usize> {
        let _ = e;
        None
    }
}

/// No input at all.
pub struct NoScope;
impl Scope for NoScope {
    fn var(&self, _: &Var) -> Option<usize> {
        None
    }
}

/// Compiles expressions that are to be evaluated together.
pub fn compile<'e>(
    env: &Rc<ExecEnv>,
    exprs: impl IntoIterator<Item = &'e Expr>,
    scope: &dyn Scope,
) -> Result<Program> {
    compile_small(env, exprs.into_iter().map(|e| (e, false)), scope)
}

/// The same; values marked `true` may stay small numbers ([`Program::small`]): [`Program::settle`] makes numerics of them.
pub fn compile_small<'e>(
    env: &Rc<ExecEnv>,
    exprs: impl IntoIterator<Item = (&'e Expr, bool)>,
    scope: &dyn Scope,
) -> Result<Program> {
    let (exprs, small): (Vec<&Expr>, Vec<bool>) = exprs.into_iter().unzip();
    let mut c = Compiler {
        env,
        scope,
        st: State::default(),
        case_stack: Vec::new(),
        volatile_calls: 0,
        uses: Vec::new(),
        depth: 0,
        plain: 0,
        known: Vec::new(),
        multi: Vec::new(),
    };
    let mut phys = Vec::with_capacity(exprs.len());
    for e in &exprs {
        let p = env.phys(expr_type(e))?;
        phys.push(p);
        // Reserved for row-by-row results.
        c.st.regs.push(Column::new(p));
    }
    let mut steps = Vec::new();
    let mut outs = Vec::with_capacity(exprs.len());
    let mut decs = Vec::new();
    for (e, small) in exprs.iter().zip(small) {
        if small && let Some(d) = c.small(e, &mut steps)? {
            let general = c.general(e)?;
            outs.push(general.src);
            decs.resize_with(outs.len() - 1, || None);
            decs.push(Some((d, general)));
            continue;
        }
        outs.push(c.expr(e, &mut steps)?);
    }
    let row_by_row = c.volatile_calls > 1;
    let inner_outs = outs.clone();
    if row_by_row {
        outs = (0..exprs.len()).map(|k| Src::Reg(k as u16)).collect();
    }
    c.uses.sort_unstable();
    c.uses.dedup();
    Ok(Program {
        steps,
        st: c.st,
        outs,
        inner_outs,
        phys,
        row_by_row,
        volatile_calls: c.volatile_calls,
        decs,
        uses: c.uses,
    })
}

/// Compiles one expression.
pub fn compile_one(env: &Rc<ExecEnv>, e: &Expr, scope: &dyn Scope) -> Result<Program> {
    compile(env, [e], scope)
}

pub use analyze::info::expr_type;

pub(crate) struct Compiler<'a> {
    pub env: &'a Rc<ExecEnv>,
    pub scope: &'a dyn Scope,
    pub st: State,
    /// Values of enclosing CASE arguments.
    pub case_stack: Vec<Src>,
    pub volatile_calls: u32,
    uses: Vec<u16>,
    /// How many blocks deep: what is computed there is computed for some rows only.
    pub depth: u32,
    /// Above 0: numerics are calculated one by one.
    pub plain: u32,
    /// Columns of small numbers that are there for all rows, by what they are.
    pub known: Vec<(Expr, u16)>,
    /// Multi-column sub-selects that are run for all rows, by their place in the state.
    multi: Vec<u32>,
}

impl Compiler<'_> {
    fn reg(&mut self, phys: Phys) -> u16 {
        self.st.regs.push(Column::new(phys));
        (self.st.regs.len() - 1) as u16
    }

    fn konst(&mut self, d: &Datum, type_oid: Oid) -> Result<Src> {
        let phys = self.env.phys(type_oid)?;
        self.st.consts.push(Column::constant(phys, d));
        Ok(Src::Const((self.st.consts.len() - 1) as u16))
    }

    /// Adds a step; its result is constant for the batch if `konst`.
    pub(crate) fn push(&mut self, steps: &mut Vec<Step>, op: Op, phys: Phys, konst: bool) -> Src {
        let out = self.reg(phys);
        steps.push(Step { out, konst, op });
        if konst { Src::Konst(out) } else { Src::Reg(out) }
    }

    pub(crate) fn block(&mut self, e: &Expr) -> Result<Block> {
        let mut steps = Vec::new();
        self.depth += 1;
        let src = self.expr(e, &mut steps);
        self.depth -= 1;
        Ok(Block { steps, src: src? })
    }

    /// A place for a multi-column sub-select's rows. Its other columns use them, unless it runs for some rows only.
    fn multi_rows(&mut self, plan_id: u32) -> usize {
        self.st.multi.push(Vec::new());
        if self.depth == 0 {
            self.multi.resize(self.st.multi.len() - 1, 0);
            self.multi.push(plan_id);
        }
        self.st.multi.len() - 1
    }

    fn blocks<'e>(&mut self, es: impl IntoIterator<Item = &'e Expr>) -> Result<Vec<Block>> {
        es.into_iter().map(|e| self.block(e)).collect()
    }

    fn srcs<'e>(
        &mut self,
        es: impl IntoIterator<Item = &'e Expr>,
        steps: &mut Vec<Step>,
    ) -> Result<Box<[Src]>> {
        es.into_iter().map(|e| self.expr(e, steps)).collect()
    }

    fn input(&mut self, col: usize) -> Src {
        self.uses.push(col as u16);
        Src::Col(col as u16)
    }

    pub(crate) fn expr(&mut self, e: &Expr, steps: &mut Vec<Step>) -> Result<Src> {
        if let Some(c) = self.scope.special(e) {
            return Ok(self.input(c));
        }
        if let Some(s) = self.calculation(e, steps)? {
            return Ok(s);
        }
        match e {
            Expr::Var(v) => match self.scope.var(v) {
                Some(c) => Ok(self.input(c)),
                None if v.attno == 0 && v.vartype != oids::RECORD => self.whole_row(v, steps),
                None => Err(Error::internal(format!(
                    "executor: no column for variable {:?}.{}",
                    v.varno, v.attno
                ))),
            },
            Expr::Const(c) => self.konst(&c.value, c.consttype),
            Expr::Param(p) => {
                let phys = self.env.phys(p.paramtype)?;
                let op = match p.kind {
                    ParamKind::External => Op::ExtParam { id: p.id },
                    ParamKind::Exec => Op::ExecParam { id: p.id },
                    ParamKind::SubLink => bail!(INTERNAL_ERROR, "executor: unplanned sub-link parameter"),
                };
                Ok(self.push(steps, op, phys, true))
            }
            Expr::Func(f) => {
                let args = self.srcs(&f.args, steps)?;
                let types = self.arg_types(f)?;
                let info = CallInfo {
                    collation: self.env.collation(f.input_collation)?,
                    result_type: f.result_type,
                    typmod: -1,
                    arg_types: types,
                    variadic: f.variadic,
                };
                if f.retset {
                    return Err(Error::internal(
                        "set-valued function called in context that cannot accept a set",
                    ));
                }
                self.call(f.funcid, args, info, steps)
            }
            Expr::Op(o) => {
                let args = self.srcs(&o.args, steps)?;
                let info = self.op_info(o)?;
                self.call(o.funcid, args, info, steps)
            }
            Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
                let args = self.srcs(&o.args, steps)?;
                let (f, collation) = self.env.kernel(o.funcid, o.input_collation)?;
                let info = CallInfo { result_type: oids::BOOL, collation, ..self.op_info(o)? };
                let (a, b) = (args[0], args[1]);
                let konst = a.is_konst() && b.is_konst();
                Ok(if matches!(e, Expr::DistinctExpr(_)) {
                    self.push(steps, Op::Distinct { a, b, f, info, negate: false }, Phys::Bool, konst)
                } else {
                    let phys = self.env.phys(expr_type(&o.args[0]))?;
                    self.push(steps, Op::NullIf { a, b, f, info }, phys, konst)
                })
            }
            Expr::ScalarArrayOp(o) => self.array_op(o, steps),
            Expr::Bool { op, args, .. } => match op {
                BoolOp::Not => {
                    let a = self.expr(&args[0], steps)?;
                    Ok(self.push(steps, Op::Not { a }, Phys::Bool, a.is_konst()))
                }
                BoolOp::And => {
                    let parts = self.blocks(args)?;
                    Ok(self.push(steps, Op::And { parts }, Phys::Bool, false))
                }
                BoolOp::Or => {
                    let parts = self.blocks(args)?;
                    Ok(self.push(steps, Op::Or { parts }, Phys::Bool, false))
                }
            },
            Expr::Case { result_type, arg, whens, default, .. } => {
                let phys = self.env.phys(*result_type)?;
                if let Some(a) = arg {
                    let s = self.expr(a, steps)?;
                    self.case_stack.push(s);
                }
                let mut w = Vec::with_capacity(whens.len());
                for c in whens {
                    w.push((self.block(&c.expr)?, self.block(&c.result)?));
                }
                let default = default.as_ref().map(|d| self.block(d)).transpose()?;
                if arg.is_some() {
                    self.case_stack.pop();
                }
                Ok(self.push(steps, Op::Case { whens: w, default }, phys, false))
            }
            Expr::CaseTest { .. } | Expr::DomainValue { .. } => self
                .case_stack
                .last()
                .copied()
                .ok_or_else(|| Error::internal("executor: CASE test value outside CASE")),
            Expr::Coalesce { result_type, args, .. } => {
                let phys = self.env.phys(*result_type)?;
                let parts = self.blocks(args)?;
                Ok(self.push(steps, Op::Coalesce { parts }, phys, false))
            }
            Expr::MinMax { greatest, result_type, input_collation, args, .. } => {
                let phys = self.env.phys(*result_type)?;
                let (cmp, collation) = cmp_for_type(self.env, *result_type, *input_collation)?;
                let args = self.srcs(args, steps)?;
                let konst = args.iter().all(|a| a.is_konst());
                let op = Op::MinMax { args, cmp, collation, greatest: *greatest };
                Ok(self.push(steps, op, phys, konst))
            }
            Expr::SqlValueFunction { op, result_type, typmod, .. } => {
                let phys = self.env.phys(*result_type)?;
                let f = special::sql_value_kernel(*op)
                    .map(|oid| self.env.registry.scalar(oid, "current_time"))
                    .transpose()?;
                Ok(self.push(steps, Op::SqlValue { op: *op, f, typmod: *typmod }, phys, true))
            }
            Expr::NullTest { arg, is_null, arg_is_row, .. } => {
                let a = self.expr(arg, steps)?;
                let is_null = *is_null;
                let op =
                    if *arg_is_row { Op::RowNullTest { a, is_null } } else { Op::NullTest { a, is_null } };
                Ok(self.push(steps, op, Phys::Bool, a.is_konst()))
            }
            Expr::BooleanTest { arg, test, .. } => {
                let a = self.expr(arg, steps)?;
                Ok(self.push(steps, Op::BoolTest { a, test: *test }, Phys::Bool, a.is_konst()))
            }
            Expr::Relabel { arg, result_type, .. } => {
                let a = self.expr(arg, steps)?;
                let (from, to) = (self.env.phys(expr_type(arg))?, self.env.phys(*result_type)?);
                if from == to {
                    return Ok(a);
                }
                Ok(self.push(steps, Op::Rephys { a }, to, a.is_konst()))
            }
            Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => self.expr(arg, steps),
            Expr::CoerceViaIo { arg, result_type, .. } => {
                let a = self.expr(arg, steps)?;
                let (_, output, _) = special::io_functions(self.env, expr_type(arg))?;
                let (input, _, ioparam) = special::io_functions(self.env, *result_type)?;
                let out_f = special::output_fn(self.env, output)?;
                let in_f = special::input_fn(self.env, input)?;
                let phys = self.env.phys(*result_type)?;
                Ok(self.push(steps, Op::ViaIo { a, out_f, in_f, ioparam }, phys, a.is_konst()))
            }
            Expr::ArrayCoerce { arg, elem, result_type, .. } => {
                let a = self.expr(arg, steps)?;
                let from_elem = arrays::elem_type(self.env, expr_type(arg))?;
                let to_elem = arrays::elem_type(self.env, *result_type)?;
                let sub = compile_elem(self.env, elem)?;
                self.st.subs.push(Some(sub));
                let op = Op::ArrayCoerce { a, sub: self.st.subs.len() - 1, from_elem, to_elem };
                Ok(self.push(steps, op, Phys::Bytes, a.is_konst()))
            }
            Expr::CoerceToDomain { arg, result_type, .. } => {
                let a = self.expr(arg, steps)?;
                let Some(check) = DomainCheck::compile(self.env, *result_type)? else { return Ok(a) };
                self.st.domains.push(Some(Box::new(check)));
                let op = Op::Domain { a, check: self.st.domains.len() - 1 };
                let phys = self.env.phys(*result_type)?;
                Ok(self.push(steps, op, phys, a.is_konst()))
            }
            Expr::Array { elem_type, elements, multidims, .. } => {
                let elements = self.srcs(elements, steps)?;
                let konst = elements.iter().all(|a| a.is_konst());
                let elem = self.env.storage_type(*elem_type)?;
                let op = Op::Array { elem, elements, multidims: *multidims };
                Ok(self.push(steps, op, Phys::Bytes, konst))
            }
            Expr::Subscript { container_type, elem_type, result_type, upper, lower, arg, assign, .. } => {
                let a = self.expr(arg, steps)?;
                if *container_type == types::oids::JSONB {
                    let path = upper.iter().flatten().map(|e| self.expr(e, steps)).collect::<Result<_>>()?;
                    let assign = assign.as_ref().map(|e| self.expr(e, steps)).transpose()?;
                    return Ok(self.push(steps, Op::JsonbSubscript { a, path, assign }, Phys::Bytes, false));
                }
                if matches!(
                    *container_type,
                    types::oids::POINT | types::oids::LSEG | types::oids::BOX | types::oids::LINE
                ) {
                    let (None, None, [Some(i)]) = (assign, lower, upper.as_slice()) else {
                        return Err(Error::unsupported(
                            "slices of and assignments to parts of a geometric value",
                        ));
                    };
                    let index = self.expr(i, steps)?;
                    let phys = self.env.phys(*result_type)?;
                    return Ok(self.push(steps, Op::PartSubscript { a, index }, phys, false));
                }
                let mut list = |c: &mut Self, v: &[Option<Expr>]| -> Result<Vec<Option<Src>>> {
                    v.iter().map(|e| e.as_ref().map(|e| c.expr(e, steps)).transpose()).collect()
                };
                let upper = list(self, upper)?;
                let lower = lower.as_ref().map(|l| list(self, l)).transpose()?;
                let assign = assign.as_ref().map(|e| self.expr(e, steps)).transpose()?;
                let phys = self.env.phys(*result_type)?;
                let name = *container_type == types::oids::NAME;
                let elem = self.env.storage_type(*elem_type)?;
                let op = Op::Subscript { a, upper, lower, elem, name, assign };
                Ok(self.push(steps, op, phys, false))
            }
            Expr::Row { args, row_type, col_names, .. } => {
                let types = self.field_types(args.iter().map(expr_type), *row_type)?;
                let names = if *row_type == oids::RECORD { field_names(col_names) } else { Vec::new() };
                let args = self.srcs(args, steps)?;
                let row = RowStep { args, types, row_type: *row_type, names };
                Ok(self.push(steps, Op::Row(Box::new(row)), Phys::Bytes, false))
            }
            Expr::RowCompare { cmp, opnos, input_collations, left, right, .. } => {
                let mut parts = Vec::with_capacity(left.len());
                for (k, (l, r)) in left.iter().zip(right.iter()).enumerate() {
                    let (f, c) = cmp_for_operator(
                        self.env,
                        opnos[k],
                        expr_type(l),
                        expr_type(r),
                        input_collations[k],
                    )?;
                    parts.push((self.block(l)?, self.block(r)?, RowCmp(f, c)));
                }
                Ok(self.push(steps, Op::RowCompare { cmp: *cmp, parts }, Phys::Bool, false))
            }
            Expr::FieldSelect { arg, fieldnum, result_type, .. } => {
                let a = self.expr(arg, steps)?;
                let phys = self.env.phys(*result_type)?;
                Ok(self.push(steps, Op::FieldSelect { a, field: *fieldnum as u16 }, phys, a.is_konst()))
            }
            Expr::NextValue { seqid, type_oid } => {
                self.volatile_calls += 1;
                let phys = self.env.phys(*type_oid)?;
                Ok(self.push(steps, Op::NextValue { seq: *seqid, phys }, phys, false))
            }
            Expr::SubPlan(s) => {
                let known = self.multi.iter().position(|id| *id == s.plan_id);
                if let (SubLinkType::MultiExpr, Some(rows)) = (s.kind, known) {
                    let phys = self.env.phys(s.result_type)?;
                    return Ok(self.push(steps, Op::MultiColumn { rows, column: s.column }, phys, false));
                }
                let mut args = Vec::with_capacity(s.args.len());
                for (e, p) in s.args.iter().zip(&s.par_param) {
                    args.push((self.expr(e, steps)?, *p));
                }
                let hashed = subplan::hashed_any(self, s, steps)?;
                let test = match &s.test {
                    Some(t) if hashed.is_none() => Some(self.block(t)?),
                    _ => None,
                };
                let phys = self.env.phys(subplan_type(s))?;
                let array_elem = if s.kind == SubLinkType::Array {
                    arrays::elem_type(self.env, s.result_type)?
                } else {
                    Oid::INVALID
                };
                let rows = (s.kind == SubLinkType::MultiExpr).then(|| self.multi_rows(s.plan_id));
                let op = Op::SubPlan(Box::new(SubPlanStep {
                    plan_id: s.plan_id,
                    column: s.column,
                    rows,
                    kind: s.kind,
                    args,
                    test,
                    param_ids: s.param_ids.clone(),
                    hashed,
                    array_elem,
                    stacked: s.stacked,
                }));
                Ok(self.push(steps, op, phys, false))
            }
            Expr::CurrentOf { .. } => Err(Error::unsupported("WHERE CURRENT OF")),
            Expr::FieldStore { arg, newvals, fieldnums, result_type } => {
                let a = self.expr(arg, steps)?;
                let row_type = self.env.storage_type(*result_type)?;
                let desc = self.env.catalog()?.composite_desc(row_type)?;
                let types = self.column_types(&desc)?;
                let values = self.srcs(newvals, steps)?;
                let fields = fieldnums.iter().map(|n| *n as u16).zip(values).collect();
                let op = FieldStoreStep { a, fields, types, row_type };
                Ok(self.push(steps, Op::FieldStore(Box::new(op)), Phys::Bytes, false))
            }
            Expr::Aggref(_) | Expr::GroupingFunc { .. } | Expr::WindowFunc(_) => {
                Err(Error::internal("executor: aggregate outside its node"))
            }
            Expr::SubLink(_) | Expr::SetToDefault { .. } => {
                Err(Error::internal("executor: unplanned expression"))
            }
        }
    }

    /// A relation's whole row, from the columns its scan fills.
    fn whole_row(&mut self, v: &Var, steps: &mut Vec<Step>) -> Result<Src> {
        let desc = self.env.catalog()?.composite_desc(v.vartype)?;
        let types = self.column_types(&desc)?;
        let mut args = Vec::with_capacity(desc.len());
        for (i, a) in desc.attrs.iter().enumerate() {
            if a.dropped {
                args.push(self.konst(&Datum::Null, oids::INT4)?);
                continue;
            }
            let col = Var { attno: i as i16 + 1, vartype: a.type_oid, ..v.clone() };
            let Some(c) = self.scope.var(&col) else {
                return Err(Error::internal("executor: a column of the whole row is missing"));
            };
            args.push(self.input(c));
        }
        let row = RowStep { args: args.into(), types, row_type: v.vartype, names: Vec::new() };
        Ok(self.push(steps, Op::Row(Box::new(row)), Phys::Bytes, false))
    }

    /// The types values of a composite type's columns carry; the invalid one for dropped columns.
    fn column_types(&self, desc: &types::TupleDesc) -> Result<Box<[Oid]>> {
        let one = |a: &types::Attribute| {
            if a.dropped { Ok(Oid::INVALID) } else { self.env.storage_type(a.type_oid) }
        };
        desc.attrs.iter().map(one).collect()
    }

    fn field_types(&self, given: impl Iterator<Item = Oid>, row_type: Oid) -> Result<Box<[Oid]>> {
        let mut types = given.map(|t| self.env.storage_type(t)).collect::<Result<Box<[Oid]>>>()?;
        if row_type != oids::RECORD {
            let desc = self.env.catalog()?.composite_desc(row_type)?;
            for (t, a) in types.iter_mut().zip(&desc.attrs).filter(|(_, a)| a.dropped) {
                debug_assert!(a.dropped);
                *t = Oid::INVALID;
            }
        }
        Ok(types)
    }

    /// Types of a call's arguments as the values carry them; only `pg_typeof` wants to hear of domains.
    fn arg_types(&self, f: &FuncExpr) -> Result<Box<[Oid]>> {
        const PG_TYPEOF: Oid = Oid(1619);
        let types = f.args.iter().map(expr_type);
        if f.funcid == PG_TYPEOF || f.funcid >= Oid::FIRST_NORMAL {
            return Ok(types.collect());
        }
        types.map(|t| self.env.storage_type(t)).collect()
    }

    fn op_info(&self, o: &OpExpr) -> Result<CallInfo> {
        Ok(CallInfo {
            collation: self.env.collation(o.input_collation)?,
            result_type: o.result_type,
            typmod: -1,
            arg_types: o.args.iter().map(expr_type).collect(),
            variadic: false,
        })
    }

    fn call(&mut self, funcid: Oid, args: Box<[Src]>, info: CallInfo, steps: &mut Vec<Step>) -> Result<Src> {
        let volatile = is_volatile(self.env, funcid)?;
        if volatile {
            self.volatile_calls += 1;
        }
        let konst = !volatile && args.iter().all(|a| a.is_konst());
        let phys = self.env.phys(info.result_type)?;
        let collation = info.collation;
        let op = match self.env.code(funcid)? {
            Some(FnImpl::Scalar(f)) => Op::Call { f, args, info },
            Some(FnImpl::Cmp(f)) if args.len() == 2 => Op::Cmp { f, a: args[0], b: args[1], collation },
            Some(FnImpl::Hash(_)) if let Some(f) = types::pg_hash::kernel(funcid) => {
                Op::Call { f, args, info }
            }
            Some(FnImpl::Hash(f)) if args.len() == 1 => Op::Hash { f, a: args[0], collation },
            Some(FnImpl::Output(f) | FnImpl::Send(f)) if args.len() == 1 => Op::OutputCall { f, a: args[0] },
            Some(FnImpl::Input(f)) if !args.is_empty() => {
                Op::InputCall { f, a: args[0], ioparam: info.result_type, typmod: -1 }
            }
            Some(FnImpl::Srf(f)) => {
                if let Some(row) = self.one_row(funcid, f, &args, &info)? {
                    return Ok(self.push(steps, Op::OneRow(Box::new(row)), phys, konst));
                }
                // Such a function gets its columns from the FROM clause.
                let d = self.env.catalog()?.proc_desc(funcid)?;
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "could not determine row type for result of {}",
                    d.name
                )
                .hint("Provide a non-null record argument, or call the function in the FROM clause using a column definition list."));
            }
            _ => {
                let d = self.env.catalog()?.proc_desc(funcid)?;
                if matches!(d.language.0, 12 | 13) {
                    return Err(Error::unsupported(format_args!("function {}", d.name)));
                }
                let site = crate::routine::RoutineSite {
                    oid: funcid,
                    strict: d.strict,
                    arg_types: info.arg_types,
                    result_type: info.result_type,
                    collation,
                };
                Op::User { site: Box::new(site), args }
            }
        };
        Ok(self.push(steps, op, phys, konst))
    }

    /// A function that returns no set, and whose OUT parameters tell the columns of its row.
    fn one_row(&self, funcid: Oid, f: SrfFn, args: &[Src], info: &CallInfo) -> Result<Option<OneRow>> {
        let d = self.env.catalog()?.proc_desc(funcid)?;
        if d.retset {
            return Ok(None);
        }
        let columns = crate::node::function_scan::out_columns_of(&d);
        if columns.is_empty() {
            return Ok(None);
        }
        let types: Box<[Oid]> = columns.iter().map(|c| c.0).collect();
        let phys = types.iter().map(|t| self.env.phys(*t)).collect::<Result<_>>()?;
        Ok(Some(OneRow {
            f,
            args: args.into(),
            info: info.clone(),
            strict: d.strict,
            types,
            phys,
            names: columns.into_iter().map(|c| c.1).collect(),
        }))
    }

    fn array_op(&mut self, o: &ScalarArrayOpExpr, steps: &mut Vec<Step>) -> Result<Src> {
        let lhs = self.expr(&o.args[0], steps)?;
        let elem = arrays::elem_type(self.env, expr_type(&o.args[1]))?;
        if let Expr::Const(c) = &o.args[1]
            && let Some((set, negate)) = arrays::in_set(o, self.env.collation(o.input_collation)?, &c.value)?
        {
            let op = Op::ArrayIn { lhs, set: Rc::new(set), negate };
            return Ok(self.push(steps, op, Phys::Bool, lhs.is_konst()));
        }
        let array = self.expr(&o.args[1], steps)?;
        let (f, collation) = self.env.kernel(o.funcid, o.input_collation)?;
        let info = CallInfo {
            collation,
            result_type: oids::BOOL,
            typmod: -1,
            arg_types: Box::new([expr_type(&o.args[0]), elem]),
            variadic: false,
        };
        let konst = lhs.is_konst() && array.is_konst();
        let op = Op::ScalarArray { f, lhs, array, elem, use_or: o.use_or, info };
        Ok(self.push(steps, op, Phys::Bool, konst))
    }
}

/// Names for an anonymous row's value, none if they are `f1`, `f2` ….
fn field_names(names: &[String]) -> Vec<String> {
    let plain = names.iter().enumerate().all(|(i, n)| n.strip_prefix('f') == Some(&(i + 1).to_string()));
    if plain { Vec::new() } else { names.to_vec() }
}

/// Type of a sub-plan's value.
fn subplan_type(s: &SubPlan) -> Oid {
    match s.kind {
        SubLinkType::Exists | SubLinkType::Any | SubLinkType::All | SubLinkType::RowCompare => oids::BOOL,
        _ => s.result_type,
    }
}

/// An element expression of ArrayCoerce: CaseTest is input column 0.
fn compile_elem(env: &Rc<ExecEnv>, elem: &Expr) -> Result<Program> {
    struct ElemScope;
    impl Scope for ElemScope {
        fn var(&self, _: &Var) -> Option<usize> {
            None
        }
        fn special(&self, e: &Expr) -> Option<usize> {
            matches!(e, Expr::CaseTest { .. }).then_some(0)
        }
    }
    compile(env, [elem], &ElemScope)
}

/// The kernel of a function that must be a built-in scalar one.
pub fn scalar_kernel(env: &ExecEnv, funcid: Oid) -> Result<ScalarKernel> {
    match env.code(funcid)? {
        Some(FnImpl::Scalar(f)) => Ok(f),
        _ => {
            let name = match &env.catalog {
                Some(c) => c.proc_desc(funcid)?.name.to_string(),
                None => funcid.to_string(),
            };
            Err(Error::unsupported(format_args!("function {name}")))
        }
    }
}

/// The comparison function behind a `pg_proc` OID (btree support 1).
pub fn cmp_fn(env: &ExecEnv, proc: Oid) -> Result<CmpFn> {
    match env.code(proc)? {
        Some(FnImpl::Cmp(f)) => Ok(f),
        _ => Err(Error::unsupported(format_args!("comparison function with OID {proc}"))),
    }
}

/// Access methods' OIDs.
const BTREE_AM: Oid = Oid(403);
const HASH_AM: Oid = Oid(405);

/// The default three-way comparison of a type.
pub fn cmp_for_type(env: &ExecEnv, type_oid: Oid, collation: Oid) -> Result<(CmpFn, Collation)> {
    let type_oid = env.storage_type(type_oid)?;
    if let Some(t) = types::storage_info(type_oid)
        && t.cmp.is_valid()
        && type_oid < Oid::FIRST_NORMAL
    {
        return env.cmp(t.cmp, collation);
    }
    let c = env.catalog()?;
    if let Some(oc) = c.default_opclass(BTREE_AM, type_oid)?
        && let Some(p) = c.amproc(oc.family, oc.in_type, oc.in_type, 1)?
    {
        return env.cmp(p, collation);
    }
    bail!(UNDEFINED_FUNCTION, "could not identify a comparison function for type {}", type_oid)
}

/// The three-way comparison that goes with an ordering operator.
fn cmp_for_operator(
    env: &ExecEnv,
    op: Oid,
    left: Oid,
    right: Oid,
    collation: Oid,
) -> Result<(CmpFn, Collation)> {
    if let Some(c) = &env.catalog {
        for a in c.amops_of(op)?.iter() {
            if a.method == BTREE_AM
                && let Some(p) = c.amproc(a.family, a.left, a.right, 1)?
            {
                return env.cmp(p, collation);
            }
        }
    }
    let _ = right;
    cmp_for_type(env, left, collation)
}

/// Hash functions (left, right) that go with an equality operator.
pub fn hash_for_operator(env: &ExecEnv, op: Oid) -> Result<Option<(HashFn, HashFn)>> {
    let Some(c) = &env.catalog else { return Ok(None) };
    for a in c.amops_of(op)?.iter() {
        if a.method == HASH_AM
            && let Some(l) = c.amproc(a.family, a.left, a.left, 1)?
            && let Some(r) = c.amproc(a.family, a.right, a.right, 1)?
        {
            // Functions of users are not called from here.
            return Ok(match (env.code(l)?, env.code(r)?) {
                (Some(FnImpl::Hash(l)), Some(FnImpl::Hash(r))) => Some((l, r)),
                _ => None,
            });
        }
    }
    Ok(None)
}

fn is_volatile(env: &ExecEnv, funcid: Oid) -> Result<bool> {
    match &env.catalog {
        Some(c) => Ok(c.proc_desc(funcid)?.volatile == b'v'),
        // random, nextval, clock_timestamp
        None => Ok(matches!(funcid.0, 1598 | 1574 | 2649)),
    }
}
