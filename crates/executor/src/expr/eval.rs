//! The interpreter of [`Program`]s: one loop over steps, each a kernel call on columns or a control step (control.rs)
//! that narrows the selection for the blocks it holds.

use crate::expr::control;
use crate::expr::program::{CallInfo, Op, Program, Src, State, Step};
use crate::expr::{arrays, decimal, row, special, subplan};
use crate::run::Exec;
use common::{Error, Oid, Result};
use types::{Arg, Batch, CallCtx, Column, Datum, Phys, Rows, ScalarKernel};

impl Program {
    /// Evaluates all expressions for `rows` of `input`.
    #[inline]
    pub fn run(&mut self, cx: &Exec, input: &Batch, rows: Rows<'_>) -> Result<()> {
        if self.row_by_row {
            return self.run_rows(cx, input, rows);
        }
        if self.steps.is_empty() || rows.count() == 0 {
            return Ok(());
        }
        run_steps(&self.steps, &mut self.st, cx, input, rows)
    }

    /// Evaluates for a single row without input (values of index conditions, LIMIT …).
    pub fn run_once(&mut self, cx: &Exec) -> Result<()> {
        self.run(cx, &cx.no_input, Rows::All(1))
    }

    /// [`Program::run_once`], then the value of expression `k`.
    pub fn value_once(&mut self, cx: &Exec, k: usize) -> Result<Datum> {
        self.run_once(cx)?;
        Ok(self.result(k, &cx.no_input).get(0).to_owned())
    }

    /// Row after row, so that volatile calls happen in row order. The results go to the registers `outs` name; the
    /// steps leave theirs where `inner` names.
    fn run_rows(&mut self, cx: &Exec, input: &Batch, rows: Rows<'_>) -> Result<()> {
        let n = self.outs.len();
        // The first n registers are reserved by the compiler for the results.
        let mut results: Vec<Column> = self.phys.iter().map(|p| Column::new(*p)).collect();
        for c in &mut results {
            c.resize(rows.bound());
        }
        let mut mini = crate::expr::colops::like(input);
        rows.each(|i| {
            mini.clear();
            for &u in &self.uses {
                mini.cols[u as usize].push(input.cols[u as usize].get(i));
            }
            mini.rows = 1;
            run_steps(&self.steps, &mut self.st, cx, &mini, Rows::All(1))?;
            for (k, c) in results.iter_mut().enumerate() {
                c.set(i, self.st.arg(self.inner_outs[k], &mini).get(0));
            }
            Ok::<(), common::Error>(())
        })?;
        for (k, c) in results.into_iter().enumerate().take(n) {
            self.st.regs[k] = c;
        }
        Ok(())
    }
}

/// Most arguments of a call that need no allocation.
const INLINE_ARGS: usize = 6;

/// Runs a list of steps for `rows`, which must not be empty.
pub(crate) fn run_steps(
    steps: &[Step],
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
) -> Result<()> {
    for step in steps {
        let rows = if step.konst { Rows::All(1) } else { rows };
        let o = step.out as usize;
        let mut out = std::mem::replace(&mut st.regs[o], Column::new(Phys::Bool));
        out.clear();
        let r = run_step(&step.op, st, cx, input, rows, &mut out);
        st.regs[o] = out;
        r?;
    }
    Ok(())
}

pub(crate) fn call_ctx<'a>(cx: &'a Exec, info: &'a CallInfo) -> CallCtx<'a> {
    CallCtx {
        fmt: &cx.fmt,
        registry: cx.env.registry,
        collation: info.collation,
        result_type: info.result_type,
        result_typmod: info.typmod,
        arg_types: &info.arg_types,
        variadic: info.variadic,
        columns: &[],
        xact_start_us: cx.xact_start_us,
        stmt_start_us: cx.stmt_start_us,
        env: cx.env.session.fn_env(),
    }
}

/// A context for calls that need neither result type nor collation.
pub(crate) fn plain_ctx(cx: &Exec) -> CallCtx<'_> {
    CallCtx {
        fmt: &cx.fmt,
        registry: cx.env.registry,
        collation: types::Collation::NONE,
        result_type: Oid::INVALID,
        result_typmod: -1,
        arg_types: &[],
        variadic: false,
        columns: &[],
        xact_start_us: cx.xact_start_us,
        stmt_start_us: cx.stmt_start_us,
        env: cx.env.session.fn_env(),
    }
}

/// Calls a kernel on sources.
pub(crate) fn call(
    f: ScalarKernel,
    args: &[Src],
    info: &CallInfo,
    st: &State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let ctx = call_ctx(cx, info);
    match args {
        [] => f(&ctx, &[], rows, out),
        [a] => f(&ctx, &[st.arg(*a, input)], rows, out),
        [a, b] => f(&ctx, &[st.arg(*a, input), st.arg(*b, input)], rows, out),
        _ if args.len() <= INLINE_ARGS => {
            let mut v = [st.arg(args[0], input); INLINE_ARGS];
            for (v, a) in v.iter_mut().zip(args) {
                *v = st.arg(*a, input);
            }
            f(&ctx, &v[..args.len()], rows, out)
        }
        _ => {
            let v: Vec<Arg<'_>> = args.iter().map(|a| st.arg(*a, input)).collect();
            f(&ctx, &v, rows, out)
        }
    }
}

fn run_step(
    op: &Op,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    match op {
        Op::Call { f, args, info } => call(*f, args, info, st, cx, input, rows, out),
        Op::ExtParam { id } => {
            out.push(cx.ext_param(*id)?.as_ref());
            Ok(())
        }
        Op::ExecParam { id } => cx.with_param(*id, |d| out.push(d)),
        Op::And { parts } => control::and_or(parts, false, st, cx, input, rows, out),
        Op::Or { parts } => control::and_or(parts, true, st, cx, input, rows, out),
        Op::Not { a } => control::not(st.arg(*a, input), rows, out),
        Op::NullTest { a, is_null } => control::null_test(st.arg(*a, input), *is_null, rows, out),
        Op::RowNullTest { a, is_null } => row::null_test(st.arg(*a, input), *is_null, rows, out),
        Op::BoolTest { a, test } => control::bool_test(st.arg(*a, input), *test, rows, out),
        Op::Distinct { a, b, f, info, negate } => {
            control::distinct([*a, *b], *f, info, *negate, st, cx, input, rows, out)
        }
        Op::NullIf { a, b, f, info } => control::null_if([*a, *b], *f, info, st, cx, input, rows, out),
        Op::Case { whens, default } => control::case(whens, default.as_ref(), st, cx, input, rows, out),
        Op::Coalesce { parts } => control::coalesce(parts, st, cx, input, rows, out),
        Op::MinMax { args, cmp, collation, greatest } => {
            control::min_max(args, *cmp, *collation, *greatest, st, input, rows, out)
        }
        Op::Cmp { f, a, b, collation } => {
            let (a, b) = (st.arg(*a, input), st.arg(*b, input));
            out.resize(rows.bound());
            rows.each(|i| {
                let (x, y) = (a.get(i), b.get(i));
                if x.is_null() || y.is_null() {
                    out.nulls.set(i);
                } else {
                    out.set(i, types::DatumRef::I32(f(*collation, x, y) as i32));
                }
                Ok(())
            })
        }
        Op::Hash { f, a, collation } => {
            let a = st.arg(*a, input);
            out.resize(rows.bound());
            rows.each(|i| {
                match a.get(i) {
                    types::DatumRef::Null => out.nulls.set(i),
                    x => out.set(i, types::DatumRef::I32(f(*collation, x) as i32)),
                }
                Ok(())
            })
        }
        Op::OutputCall { f, a } => special::output_call(*f, st.arg(*a, input), cx, rows, out),
        Op::InputCall { f, a, ioparam, typmod } => {
            special::input_call(*f, st.arg(*a, input), *ioparam, *typmod, cx, rows, out)
        }
        Op::OneRow(r) => r.run(st, cx, input, rows, out),
        Op::User { site, args } => {
            out.resize(rows.bound());
            let snapshot = cx.snapshot.as_ref().and_then(transam::Snapshot::mvcc);
            let mut vals: Vec<Datum> = Vec::with_capacity(args.len());
            rows.each(|i| {
                vals.clear();
                vals.extend(args.iter().map(|a| st.arg(*a, input).get(i).to_owned()));
                if site.strict && vals.iter().any(Datum::is_null) {
                    out.nulls.set(i);
                    return Ok(());
                }
                let v = cx.env.session.call_function(&site.call(&vals, &[], snapshot))?;
                out.set(i, v.as_ref());
                Ok(())
            })
        }
        Op::ScalarArray { .. } => arrays::array_op(op, st, cx, input, rows, out),
        Op::ArrayIn { lhs, set, negate } => arrays::array_in(st.arg(*lhs, input), set, *negate, rows, out),
        Op::ViaIo { a, out_f, in_f, ioparam } => {
            special::via_io(st.arg(*a, input), *out_f, *in_f, *ioparam, cx, rows, out)
        }
        Op::ArrayCoerce { .. } => arrays::array_coerce(op, st, cx, input, rows, out),
        Op::Array { elem, elements, multidims } => {
            arrays::make_array(*elem, elements, *multidims, st, input, rows, out)
        }
        Op::PartSubscript { a, index } => super::jsonb::part(*a, *index, st, input, rows, out),
        Op::JsonbSubscript { a, path, assign } => {
            super::jsonb::subscript(*a, path, *assign, st, input, rows, out)
        }
        Op::Subscript { .. } => arrays::subscript(op, st, input, rows, out),
        Op::Row(r) => row::make(r, st, input, rows, out),
        Op::FieldStore(f) => row::store(f, st, input, rows, out),
        Op::RowCompare { cmp, parts } => control::row_compare(*cmp, parts, st, cx, input, rows, out),
        Op::FieldSelect { a, field } => row::field(st.arg(*a, input), *field, rows, out),
        Op::SqlValue { op, f, typmod } => special::sql_value(*op, *f, *typmod, cx, out),
        Op::NextValue { seq, phys } => {
            out.resize(rows.bound());
            rows.each(|i| {
                let v = cx.env.session.nextval(*seq)?;
                out.set(i, special::int_datum(v, *phys)?.as_ref());
                Ok(())
            })
        }
        Op::SubPlan(s) => subplan::run(s, st, cx, input, rows, out),
        Op::MultiColumn { rows: kept, column } => subplan::put_column(&st.multi[*kept], *column, rows, out),
        Op::Domain { a, check } => {
            let mut d = st.domains[*check]
                .take()
                .ok_or_else(|| Error::internal("executor: domain check runs already"))?;
            let a = st.arg(*a, input);
            let r = d.test(cx, |i| a.get(i), rows);
            if r.is_ok() {
                out.resize(rows.bound());
                rows.each(|i| {
                    out.set(i, a.get(i));
                    Ok::<(), Error>(())
                })?;
            }
            st.domains[*check] = Some(d);
            r
        }
        Op::DecLoad { .. } | Op::DecCalc { .. } | Op::DecCase { .. } | Op::DecOut { .. } => {
            decimal::run(op, st, cx, input, rows, out)
        }
        Op::Rephys { a } => special::rephys(st.arg(*a, input), rows, out),
    }
}
