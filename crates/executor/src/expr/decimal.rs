//! Calculations with numerics on whole columns: operands are loaded as 64-bit integers over a power of ten, sums and
//! products run as plain loops, and only the result is made a numeric again, or none at all where a sum takes it. A batch
//! with numbers that do not fit is computed the general way, by steps compiled beside.

use crate::expr::compile::{Compiler, expr_type};
use crate::expr::control::{copy_rows, run_block, truth};
use crate::expr::eval::run_steps;
use crate::expr::program::{Block, DecBlock, Op, Program, Src, State, Step};
use crate::run::Exec;
use analyze::expr::Expr;
use common::{Error, Oid, Result};
use types::numeric::{DecColumn, DecOp};
use types::{Batch, Column, Phys, Rows, oids};

/// The operation behind a function of numerics.
fn op_of(funcid: Oid) -> Option<DecOp> {
    match funcid.0 {
        1724 => Some(DecOp::Add),
        1725 => Some(DecOp::Sub),
        1726 => Some(DecOp::Mul),
        _ => None,
    }
}

/// The operands of a calculation.
fn calculation(e: &Expr) -> Option<(DecOp, &Expr, &Expr)> {
    let (id, args) = match e {
        Expr::Op(o) => (o.funcid, &o.args),
        Expr::Func(f) => (f.funcid, &f.args),
        _ => return None,
    };
    match args.as_slice() {
        [a, b] => Some((op_of(id)?, a, b)),
        _ => None,
    }
}

/// The integer that a cast makes a numeric of.
fn from_int(e: &Expr) -> Option<&Expr> {
    match e {
        Expr::Func(f) if matches!(f.funcid.0, 1740 | 1781 | 1782) => f.args.first(),
        _ => None,
    }
}

/// How many operations small numbers would save from going through digits.
fn operations(e: &Expr) -> usize {
    match (calculation(e), e) {
        (Some((_, a, b)), _) => 1 + operations(a) + operations(b),
        (None, Expr::Case { whens, default, .. }) => {
            let d = default.as_ref().map_or(0, |d| operations(d));
            whens.iter().map(|w| operations(&w.result)).sum::<usize>() + d
        }
        _ => 0,
    }
}

impl Compiler<'_> {
    /// A calculation of two operations or more, by small numbers; `None` for every other expression.
    pub(super) fn calculation(&mut self, e: &Expr, steps: &mut Vec<Step>) -> Result<Option<Src>> {
        if self.plain > 0 || !matches!(e, Expr::Op(_) | Expr::Func(_)) || calculation(e).is_none() {
            return Ok(None);
        }
        if operations(e) < 2 {
            return Ok(None);
        }
        let Some(d) = self.small(e, steps)? else { return Ok(None) };
        let general = self.general(e)?;
        Ok(Some(self.push(steps, Op::DecOut { d, general }, Phys::Bytes, false)))
    }

    /// The same expression without small numbers.
    pub(super) fn general(&mut self, e: &Expr) -> Result<Block> {
        self.plain += 1;
        let b = self.block(e);
        self.plain -= 1;
        b
    }

    /// Compiles a numeric to a column of small numbers. `None`: it cannot be evaluated twice.
    pub(super) fn small(&mut self, e: &Expr, steps: &mut Vec<Step>) -> Result<Option<u16>> {
        if expr_type(e) != oids::NUMERIC || self.plain > 0 {
            return Ok(None);
        }
        let before = (steps.len(), self.volatile_calls, self.known.len());
        let d = self.small_part(e, steps)?;
        if self.volatile_calls > before.1 {
            steps.truncate(before.0);
            self.volatile_calls = before.1;
            self.known.truncate(before.2);
            return Ok(None);
        }
        Ok(Some(d))
    }

    fn dec(&mut self) -> u16 {
        self.st.decs.push(DecColumn::default());
        (self.st.decs.len() - 1) as u16
    }

    fn small_part(&mut self, e: &Expr, steps: &mut Vec<Step>) -> Result<u16> {
        if let Some((_, d)) = self.known.iter().find(|(x, _)| x == e) {
            return Ok(*d);
        }
        let op = if self.scope.special(e).is_some() {
            Op::DecLoad { a: self.expr(e, steps)?, d: self.dec() }
        } else if let Some((op, a, b)) = calculation(e) {
            let (a, b) = (self.small_part(a, steps)?, self.small_part(b, steps)?);
            Op::DecCalc { op, a, b, d: self.dec() }
        } else if let Some(i) = from_int(e) {
            Op::DecLoad { a: self.expr(i, steps)?, d: self.dec() }
        } else if let Expr::Case { .. } = e {
            self.small_case(e, steps)?
        } else {
            Op::DecLoad { a: self.expr(e, steps)?, d: self.dec() }
        };
        let (Op::DecLoad { d, .. } | Op::DecCalc { d, .. } | Op::DecCase { d, .. }) = op else {
            return Err(Error::internal("executor: not a calculation"));
        };
        self.push(steps, op, Phys::Bool, false);
        if self.depth == 0 {
            self.known.push((e.clone(), d));
        }
        Ok(d)
    }

    fn small_block(&mut self, e: &Expr) -> Result<DecBlock> {
        let mut steps = Vec::new();
        self.depth += 1;
        let d = self.small_part(e, &mut steps);
        self.depth -= 1;
        Ok(DecBlock { steps, d: d? })
    }

    fn small_case(&mut self, e: &Expr, steps: &mut Vec<Step>) -> Result<Op> {
        let Expr::Case { arg, whens, default, .. } = e else {
            return Err(Error::internal("executor: not a CASE"));
        };
        if let Some(a) = arg {
            let s = self.expr(a, steps)?;
            self.case_stack.push(s);
        }
        let mut w = Vec::with_capacity(whens.len());
        for c in whens {
            w.push((self.block(&c.expr)?, self.small_block(&c.result)?));
        }
        let default = default.as_ref().map(|d| self.small_block(d)).transpose()?;
        if arg.is_some() {
            self.case_stack.pop();
        }
        Ok(Op::DecCase { whens: w, default, d: self.dec() })
    }
}

impl Program {
    /// Computes expression `k`, whose value is not left as small numbers for this batch, into its place.
    pub fn settle(&mut self, k: usize, cx: &Exec, input: &Batch) -> Result<()> {
        match self.decs.get(k) {
            Some(Some((_, general))) => run_block(general, &mut self.st, cx, input, input.live()),
            _ => Ok(()),
        }
    }
}

/// Runs a step on small numbers.
pub(crate) fn run(
    op: &Op,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    match op {
        Op::DecLoad { a, d } => {
            let mut r = std::mem::take(&mut st.decs[usize::from(*d)]);
            r.load(st.arg(*a, input), rows);
            st.decs[usize::from(*d)] = r;
            Ok(())
        }
        Op::DecCalc { op, a, b, d } => {
            let mut r = std::mem::take(&mut st.decs[usize::from(*d)]);
            r.calculate(*op, &st.decs[usize::from(*a)], &st.decs[usize::from(*b)], rows.bound());
            st.decs[usize::from(*d)] = r;
            Ok(())
        }
        Op::DecCase { whens, default, d } => {
            let mut r = std::mem::take(&mut st.decs[usize::from(*d)]);
            let done = case(whens, default.as_ref(), &mut r, st, cx, input, rows);
            st.decs[usize::from(*d)] = r;
            done
        }
        Op::DecOut { d, general } => {
            let r = &st.decs[usize::from(*d)];
            if r.ok {
                return r.write(rows, out);
            }
            run_block(general, st, cx, input, rows)?;
            out.resize(rows.bound());
            copy_rows(st.arg(general.src, input), rows, out)
        }
        _ => Err(Error::internal("executor: not a calculation")),
    }
}

fn case(
    whens: &[(Block, DecBlock)],
    default: Option<&DecBlock>,
    r: &mut DecColumn,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
) -> Result<()> {
    r.start_parts(rows.bound());
    let (mut live, mut hit, mut rest) = (st.take_sel(), st.take_sel(), st.take_sel());
    rows.each(|i| {
        live.push(i as u16);
        Ok::<(), Error>(())
    })?;
    for (cond, result) in whens {
        if live.is_empty() {
            break;
        }
        run_block(cond, st, cx, input, Rows::Sel(&live))?;
        hit.clear();
        rest.clear();
        let a = st.arg(cond.src, input);
        for &i in &live {
            if truth(&a, i as usize) == Some(true) { &mut hit } else { &mut rest }.push(i);
        }
        part(result, &hit, r, st, cx, input)?;
        std::mem::swap(&mut live, &mut rest);
    }
    if let Some(d) = default {
        part(d, &live, r, st, cx, input)?;
    }
    st.give_sel(live);
    st.give_sel(hit);
    st.give_sel(rest);
    Ok(())
}

fn part(
    b: &DecBlock,
    rows: &[u16],
    r: &mut DecColumn,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    run_steps(&b.steps, st, cx, input, Rows::Sel(rows))?;
    r.put(&st.decs[usize::from(b.d)], rows);
    Ok(())
}
