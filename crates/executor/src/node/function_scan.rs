//! FunctionScan: rows of set-returning (or plain) functions in FROM, several side by side for ROWS FROM.

use super::*;
use crate::expr::{NoScope, Program, colops, compile, compile_one};
use analyze::expr::FuncExpr;
use analyze::query::RangeFunction;
use types::column::BATCH_ROWS;
use types::registry::{RowSource, SrfFn};
use types::{CallCtx, Column, Datum, DatumRef, FnImpl, Phys};

/// A started or startable set-returning call.
pub struct SrfCall {
    f: SrfFn,
    args: Program,
    strict: bool,
    result_type: common::Oid,
    collation: common::Oid,
    arg_types: Vec<common::Oid>,
    source: Option<Box<dyn RowSource>>,
}

impl SrfCall {
    /// Compiles a set-returning call; `None` if the registry has no code of that kind for it.
    pub fn compile(env: &Rc<ExecEnv>, f: &FuncExpr, scope: &dyn Scope) -> Result<SrfCall> {
        let Some(FnImpl::Srf(srf)) = env.registry.get(f.funcid) else {
            let name = env.catalog()?.proc_desc(f.funcid)?.name.to_string();
            return Err(Error::unsupported(format_args!("set-returning function {name}")));
        };
        let strict = match &env.catalog {
            Some(c) => c.proc_desc(f.funcid)?.strict,
            None => true,
        };
        Ok(SrfCall {
            f: srf,
            args: compile(env, &f.args, scope)?,
            strict,
            result_type: f.result_type,
            collation: f.input_collation,
            arg_types: f.args.iter().map(analyze::info::expr_type).collect(),
            source: None,
        })
    }
    fn ctx<'a>(&'a self, cx: &'a Exec) -> CallCtx<'a> {
        CallCtx {
            fmt: &cx.fmt,
            registry: cx.env.registry,
            collation: self.collation,
            result_type: self.result_type,
            result_typmod: -1,
            arg_types: &self.arg_types,
            variadic: false,
            columns: &[],
            xact_start_us: cx.xact_start_us,
            stmt_start_us: cx.stmt_start_us,
            env: cx.env.session.fn_env(),
        }
    }
    /// Evaluates the arguments on a row of `input` and starts.
    pub fn start(&mut self, cx: &Exec, input: &Batch, row: usize) -> Result<()> {
        self.source = None;
        let sel = [row as u16];
        self.args.run(cx, input, types::Rows::Sel(&sel))?;
        let args: Vec<Datum> =
            (0..self.arg_types.len()).map(|k| self.args.result(k, input).get(row).to_owned()).collect();
        if self.strict && args.iter().any(Datum::is_null) {
            return Ok(());
        }
        let s = (self.f)(&self.ctx(cx), &args)?;
        self.source = Some(s);
        Ok(())
    }
    /// Appends rows; 0 at the end.
    pub fn next(&mut self, cx: &Exec, out: &mut [Column], max: usize) -> Result<usize> {
        let Some(mut s) = self.source.take() else { return Ok(0) };
        let n = s.next(&self.ctx(cx), out, max)?;
        if n > 0 {
            self.source = Some(s);
        }
        Ok(n)
    }
    /// Drops the source.
    pub fn reset(&mut self) {
        self.source = None;
    }
}

enum Func {
    Srf(Box<SrfCall>),
    /// A function that returns one value: one row.
    Scalar(Box<Program>),
}

struct Part {
    func: Func,
    first: usize,
    ncols: usize,
    done: bool,
}

struct FunctionScan {
    parts: Vec<Part>,
    ordinality: bool,
    count: i64,
    started: bool,
    input: Batch,
    tail: Tail,
}

/// FunctionScan.
pub fn build(b: &BuildCx<'_>, plan: &Plan, functions: &[RangeFunction], ordinality: bool) -> Result<BoxNode> {
    let mut parts = Vec::new();
    let mut phys: Vec<Phys> = Vec::new();
    for f in functions {
        let func = match &f.expr {
            Expr::Func(c) if c.retset => Func::Srf(Box::new(SrfCall::compile(b.env, c, &NoScope)?)),
            e => Func::Scalar(Box::new(compile_one(b.env, e, &NoScope)?)),
        };
        let first = phys.len();
        for t in &f.col_types {
            phys.push(b.env.phys(*t)?);
        }
        parts.push(Part { func, first, ncols: f.col_types.len(), done: false });
    }
    if ordinality {
        phys.push(Phys::I64);
    }
    let width = phys.len();
    Ok(Box::new(FunctionScan {
        parts,
        ordinality,
        count: 0,
        started: false,
        input: crate::store::batch_of(&phys),
        tail: Tail::compile(b, plan, &RelScope, width)?,
    }))
}

impl FunctionScan {
    fn fill(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.input.clear();
        let max = want.clamp(1, BATCH_ROWS);
        let single = self.parts.len() == 1;
        for p in &mut self.parts {
            let cols = &mut self.input.cols[p.first..p.first + p.ncols];
            let mut n = 0;
            while !p.done && n < max {
                let got = match &mut p.func {
                    Func::Srf(s) => s.next(cx, cols, max - n)?,
                    Func::Scalar(prog) => {
                        let v = prog.value_once(cx, 0)?;
                        if p.ncols != 1 {
                            return Err(Error::unsupported("functions returning composite values in FROM"));
                        }
                        cols[0].push(v.as_ref());
                        p.done = true;
                        n = 1;
                        break;
                    }
                };
                if got == 0 {
                    p.done = true;
                }
                n += got;
                // One function may give short batches; several must run in step.
                if single {
                    break;
                }
            }
            self.input.rows = self.input.rows.max(n);
        }
        let n = self.input.rows;
        for c in &mut self.input.cols {
            let len = c.len();
            if len < n {
                colops::fill_more(c, DatumRef::Null, n - len);
            }
        }
        if self.ordinality
            && let Some(c) = self.input.cols.last_mut()
        {
            c.clear();
            for _ in 0..n {
                self.count += 1;
                c.push(DatumRef::I64(self.count));
            }
        }
        Ok(n > 0)
    }
}

impl ExecNode for FunctionScan {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.started {
            self.started = true;
            for p in &mut self.parts {
                p.done = false;
                if let Func::Srf(s) = &mut p.func {
                    s.start(cx, &cx.no_input, 0)?;
                }
            }
        }
        while self.fill(cx, want)? {
            cx.check_interrupts()?;
            if self.tail.finish_own(cx, &mut self.input)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.started = false;
        self.count = 0;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        for p in &mut self.parts {
            if let Func::Srf(s) = &mut p.func {
                s.reset();
            }
        }
        self.tail.report(cx);
    }
}
