//! FunctionScan: rows of set-returning (or plain) functions in FROM, several side by side for ROWS FROM.

use super::*;
use crate::expr::{NoScope, Program, colops, compile, compile_one};
use crate::routine::{RoutineSite, RowSet};
use crate::store::RowStore;
use analyze::expr::FuncExpr;
use analyze::query::RangeFunction;
use types::column::BATCH_ROWS;
use types::registry::{RowColumn, RowSource, SrfFn};
use types::{CallCtx, Column, Datum, DatumRef, FnImpl, Phys, oids};

/// A started or startable set-returning call.
pub struct SrfCall {
    /// `None`: the session runs it.
    f: Option<SrfFn>,
    args: Program,
    site: RoutineSite,
    source: Option<Source>,
    /// What a column definition list says of the rows.
    columns: Vec<RowColumn>,
    in_from: bool,
}

enum Source {
    Builtin(Box<dyn RowSource>),
    Routine(Box<dyn RowSet>),
}

impl SrfCall {
    /// Compiles a set-returning call; `None` if the registry has no code of that kind for it.
    pub fn compile(env: &Rc<ExecEnv>, f: &FuncExpr, scope: &dyn Scope) -> Result<SrfCall> {
        let srf = match env.code(f.funcid)? {
            Some(FnImpl::Srf(srf)) => Some(srf),
            None if f.funcid >= common::Oid::FIRST_NORMAL => None,
            _ => {
                let name = env.catalog()?.proc_desc(f.funcid)?.name.to_string();
                return Err(Error::unsupported(format_args!("set-returning function {name}")));
            }
        };
        let strict = match &env.catalog {
            Some(c) => c.proc_desc(f.funcid)?.strict,
            None => true,
        };
        let types = f.args.iter().map(analyze::info::expr_type);
        let site = RoutineSite {
            oid: f.funcid,
            strict,
            arg_types: match srf {
                Some(_) => types.map(|t| env.storage_type(t)).collect::<Result<_>>()?,
                None => types.collect(),
            },
            result_type: f.result_type,
            collation: env.collation(f.input_collation)?,
        };
        let args = compile(env, &f.args, scope)?;
        Ok(SrfCall { f: srf, args, site, source: None, columns: Vec::new(), in_from: false })
    }
    fn ctx<'a>(&'a self, cx: &'a Exec) -> CallCtx<'a> {
        CallCtx {
            collation: self.site.collation,
            result_type: self.site.result_type,
            arg_types: &self.site.arg_types,
            columns: &self.columns,
            ..cx.call_ctx()
        }
    }
    /// Evaluates the arguments on a row of `input` and starts.
    pub fn start(&mut self, cx: &Exec, input: &Batch, row: usize) -> Result<()> {
        self.source = None;
        let sel = [row as u16];
        self.args.run(cx, input, types::Rows::Sel(&sel))?;
        let args: Vec<Datum> =
            (0..self.site.arg_types.len()).map(|k| self.args.result(k, input).get(row).to_owned()).collect();
        if self.site.strict && args.iter().any(Datum::is_null) {
            return Ok(());
        }
        self.source = Some(match self.f {
            Some(f) => Source::Builtin(f(&self.ctx(cx), &args)?),
            None => {
                let snapshot = cx.snapshot.as_ref().and_then(transam::Snapshot::mvcc);
                let call = self.site.call(&args, &self.columns, snapshot);
                Source::Routine(cx.env.session.open_set(&call, self.in_from)?)
            }
        });
        Ok(())
    }
    /// Appends rows; 0 at the end.
    pub fn next(&mut self, cx: &Exec, out: &mut [Column], max: usize) -> Result<usize> {
        let Some(mut s) = self.source.take() else { return Ok(0) };
        let n = match &mut s {
            Source::Builtin(s) => s.next(&self.ctx(cx), out, max)?,
            Source::Routine(s) => s.next(&mut out[0], max)?,
        };
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

/// Columns of a set-returning built-in function with OUT parameters: types and names. Empty for one whose rows are
/// single values.
pub fn out_columns(env: &ExecEnv, f: &FuncExpr) -> Result<Vec<(common::Oid, String)>> {
    let Some(c) = &env.catalog else { return Ok(Vec::new()) };
    let p = c.proc_desc(f.funcid)?;
    if p.oid >= common::Oid::FIRST_NORMAL && !matches!(env.code(f.funcid)?, Some(FnImpl::Srf(_))) {
        // Rows of functions that are not built in come as composite values.
        return Ok(Vec::new());
    }
    let mut columns = out_columns_of(&p);
    for (t, _) in columns.iter_mut().filter(|c| c.0 == oids::ANYELEMENT) {
        let array = p.arg_types.iter().position(|a| *a == oids::ANYARRAY).and_then(|n| f.args.get(n));
        if let Some(e) = array {
            *t = crate::expr::arrays::elem_type(env, analyze::info::expr_type(e))?;
        }
    }
    Ok(columns)
}

/// The same by the function, which has code; polymorphic types are left as they are.
pub fn out_columns_of(p: &catalog::desc::ProcDesc) -> Vec<(common::Oid, String)> {
    let outs = p.arg_modes.iter().enumerate().filter(|(_, m)| matches!(m, b'o' | b'b' | b't'));
    let cols: Vec<(common::Oid, String)> = outs
        .filter_map(|(i, _)| {
            Some((*p.all_arg_types.get(i)?, p.arg_names.get(i).cloned().unwrap_or_default()))
        })
        .collect();
    if cols.len() > 1 { cols } else { Vec::new() }
}

/// Rows that come as composite values and are to be spread over columns.
struct Spread {
    value: Column,
    /// Of an anonymous record: the types the query expects.
    expected: Option<Vec<common::Oid>>,
}

impl Spread {
    fn of(b: &BuildCx<'_>, f: &RangeFunction) -> Result<Option<Spread>> {
        let t = analyze::info::expr_type(&f.expr);
        let composite = match &b.env.catalog {
            _ if t == oids::RECORD => true,
            Some(c) => c.type_desc(c.storage_type(t)?)?.typtype == b'c',
            None => false,
        };
        let in_columns = match &f.expr {
            Expr::Func(c) if matches!(b.env.code(c.funcid)?, Some(FnImpl::Srf(_))) => {
                !out_columns(b.env, c)?.is_empty() || b.env.catalog()?.proc_desc(c.funcid)?.ret_type == t
            }
            _ => false,
        };
        if !composite || in_columns {
            return Ok(None);
        }
        let expected = (t == oids::RECORD).then(|| f.col_types.clone());
        Ok(Some(Spread { value: Column::new(Phys::Bytes), expected }))
    }

    /// Moves the values collected to the columns.
    fn flush(&mut self, cx: &Exec, out: &mut [Column]) -> Result<()> {
        for i in 0..self.value.len() {
            let v = self.value.get(i);
            if let (Some(want), DatumRef::Bytes(raw)) = (&self.expected, v) {
                check_row(cx, raw, want)?;
            }
            crate::expr::row::spread(v, out)?;
        }
        self.value.clear();
        Ok(())
    }
}

/// Does an anonymous row have the columns the query says? 42804.
fn check_row(cx: &Exec, raw: &[u8], want: &[common::Oid]) -> Result<()> {
    let fields = types::record::RecordRef::new(raw)?.fields()?;
    let mismatch = |detail: String| {
        common::err!(DATATYPE_MISMATCH, "function return row and query-specified return row do not match")
            .detail(detail)
    };
    if fields.len() != want.len() {
        let s = if fields.len() == 1 { "" } else { "s" };
        return Err(mismatch(format!(
            "Returned row contains {} attribute{s}, but query expects {}.",
            fields.len(),
            want.len()
        )));
    }
    for (i, ((t, _), w)) in fields.iter().zip(want).enumerate() {
        if w.is_valid() && *t != cx.env.storage_type(*w)? && *t != oids::UNKNOWN {
            let name = |t: common::Oid| cx.env.catalog()?.type_label(t);
            return Err(mismatch(format!(
                "Returned type {} at ordinal position {}, but query expects {}.",
                name(*t)?,
                i + 1,
                name(*w)?
            )));
        }
    }
    Ok(())
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
    /// Returns one row, of NULLs if it gives none.
    one: bool,
    /// Has given a row.
    any: bool,
    spread: Option<Spread>,
}

struct FunctionScan {
    parts: Vec<Part>,
    ordinality: bool,
    count: i64,
    started: bool,
    /// Rows of functions of the user's: they run to their end before the first is given out, whatever LIMIT says.
    held: Option<Held>,
    /// Parameters they depend on, and their stamp when they ran.
    params: Vec<u32>,
    stamp: u64,
    input: Batch,
    tail: Tail,
}

#[derive(Default)]
struct Held {
    rows: RowStore,
    /// Next chunk to give.
    at: usize,
    complete: bool,
}

/// The columns a column definition list names.
fn columns_of(f: &RangeFunction) -> Vec<RowColumn> {
    let types = f.col_types.iter().zip(&f.col_typmods);
    f.col_names
        .iter()
        .zip(types)
        .map(|(name, (t, m))| RowColumn { name: name.clone(), type_oid: *t, typmod: *m })
        .collect()
}

/// FunctionScan.
pub fn build(b: &BuildCx<'_>, plan: &Plan, functions: &[RangeFunction], ordinality: bool) -> Result<BoxNode> {
    let mut parts = Vec::new();
    let mut phys: Vec<Phys> = Vec::new();
    for f in functions {
        let func = match &f.expr {
            // A function that returns one record is one that returns rows, and returns one.
            Expr::Func(c)
                if c.retset
                    || (f.has_coldef && c.funcid >= common::Oid::FIRST_NORMAL)
                    || matches!(b.env.code(c.funcid)?, Some(FnImpl::Srf(_))) =>
            {
                let mut call = SrfCall::compile(b.env, c, &NoScope)?;
                if f.has_coldef {
                    call.columns = columns_of(f);
                }
                call.in_from = true;
                Func::Srf(Box::new(call))
            }
            e => Func::Scalar(Box::new(compile_one(b.env, e, &NoScope)?)),
        };
        let first = phys.len();
        for t in &f.col_types {
            // A dropped column has no type; its values are NULL.
            phys.push(if t.is_valid() { b.env.phys(*t)? } else { Phys::I32 });
        }
        let one = matches!(&f.expr, Expr::Func(c) if !c.retset);
        let spread = Spread::of(b, f)?;
        parts.push(Part { func, first, ncols: f.col_types.len(), done: false, one, any: false, spread });
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
        held: functions.iter().any(is_users).then(Held::default),
        params: plan.ext_params.clone(),
        stamp: 0,
        input: crate::store::batch_of(&phys),
        tail: Tail::compile(b, plan, &RelScope, width)?,
    }))
}

fn is_users(f: &RangeFunction) -> bool {
    matches!(&f.expr, Expr::Func(c) if c.funcid >= common::Oid::FIRST_NORMAL)
}

impl FunctionScan {
    /// The next rows, from the store where the functions run to their end.
    fn more(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        let Some(mut held) = self.held.take() else { return self.fill(cx, want) };
        let r = self.stored_rows(cx, want, &mut held);
        self.held = Some(held);
        r
    }
    fn stored_rows(&mut self, cx: &Exec, want: usize, held: &mut Held) -> Result<bool> {
        if !held.complete {
            while self.fill(cx, want)? {
                cx.check_interrupts()?;
                held.rows.append(&cx.env, &self.input)?;
                if want < BATCH_ROWS {
                    held.rows.flush(&cx.env)?;
                }
            }
            held.rows.flush(&cx.env)?;
            held.complete = true;
        }
        if held.at >= held.rows.chunks() {
            return Ok(false);
        }
        self.input.clear();
        held.rows.chunk(held.at, &mut self.input)?;
        held.at += 1;
        Ok(true)
    }
    fn fill(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.input.clear();
        let max = want.clamp(1, BATCH_ROWS);
        let single = self.parts.len() == 1;
        for p in &mut self.parts {
            let cols = &mut self.input.cols[p.first..p.first + p.ncols];
            let mut n = 0;
            while !p.done && n < max {
                let got = match (&mut p.func, &mut p.spread) {
                    (Func::Srf(s), None) => s.next(cx, cols, max - n)?,
                    (Func::Srf(s), Some(to)) => {
                        let got = s.next(cx, std::slice::from_mut(&mut to.value), max - n)?;
                        to.flush(cx, cols)?;
                        got
                    }
                    (Func::Scalar(prog), to) => {
                        let v = prog.value_once(cx, 0)?;
                        match to {
                            None => cols[0].push(v.as_ref()),
                            Some(to) => {
                                to.value.push(v.as_ref());
                                to.flush(cx, cols)?;
                            }
                        }
                        p.done = true;
                        n = 1;
                        break;
                    }
                };
                if got == 0 {
                    p.done = true;
                    if p.one && !p.any {
                        cols.iter_mut().for_each(|c| c.push(DatumRef::Null));
                        n = 1;
                    }
                }
                p.any |= got > 0;
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
                p.any = false;
                if let Func::Srf(s) = &mut p.func {
                    s.start(cx, &cx.no_input, 0)?;
                }
            }
        }
        while self.more(cx, want)? {
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
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        let stamp = cx.stamp(&self.params);
        let same = std::mem::replace(&mut self.stamp, stamp) == stamp;
        if let Some(h) = &mut self.held
            && h.complete
            && same
        {
            h.at = 0;
            return Ok(());
        }
        self.started = false;
        self.count = 0;
        if let Some(h) = &mut self.held {
            *h = Held::default();
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.started = false;
        if let Some(h) = &mut self.held {
            *h = Held::default();
        }
        for p in &mut self.parts {
            if let Func::Srf(s) = &mut p.func {
                s.reset();
            }
        }
        self.tail.report(cx);
    }
}
