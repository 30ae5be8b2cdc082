//! Output columns of a node from its target list. Results of the program move to the output batch by exchanging
//! columns, so that projecting copies nothing that was computed; input columns are copied, or exchanged when the input
//! batch is the node's own.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::expr::compile::{Scope, compile};
use crate::expr::program::{Program, Src};
use crate::run::Exec;
use analyze::expr::TargetEntry;
use common::Result;
use std::rc::Rc;
use types::{Batch, Column};

/// A compiled target list and its output batch.
pub struct Projection {
    prog: Program,
    /// Output k may take its source column away: it is the last to want it.
    may_take: Vec<bool>,
    pub out: Batch,
    /// The target list is the identity on the input: nothing is done at all.
    identity: bool,
}

impl Projection {
    /// Compiles. `width` is the number of input columns (to see that the list is the identity).
    pub fn compile(
        env: &Rc<ExecEnv>,
        list: &[TargetEntry],
        scope: &dyn Scope,
        width: usize,
    ) -> Result<Projection> {
        let prog = compile(env, list.iter().map(|t| &t.expr), scope)?;
        let n = prog.outs.len();
        let may_take = (0..n).map(|k| !prog.outs[k + 1..].contains(&prog.outs[k])).collect();
        let identity = n == width && prog.outs.iter().enumerate().all(|(k, s)| *s == Src::Col(k as u16));
        let out = Batch { cols: prog.phys.iter().map(|p| Column::new(*p)).collect(), rows: 0, sel: None };
        Ok(Projection { prog, may_take, out, identity })
    }

    /// Does it call volatile functions?
    pub fn is_volatile(&self) -> bool {
        self.prog.is_volatile()
    }

    /// The input column that output column `k` is; `None` also when the list has volatile calls.
    pub fn plain_column(&self, k: usize) -> Option<usize> {
        match self.prog.outs.get(k)? {
            Src::Col(c) if self.prog.volatile_calls == 0 => Some(usize::from(*c)),
            _ => None,
        }
    }

    /// Is the output the input?
    pub fn is_identity(&self) -> bool {
        self.identity
    }

    /// Projects the live rows of `input`, which the node owns: its columns may be exchanged for empty ones of the same
    /// kind, so the node must fill it anew. Leaves the result in `self.out`.
    pub fn project_own(&mut self, cx: &Exec, input: &mut Batch) -> Result<()> {
        if self.identity {
            std::mem::swap(&mut self.out, input);
            return Ok(());
        }
        self.prog.run(cx, input, input.live())?;
        for k in 0..self.out.cols.len() {
            match self.prog.outs[k] {
                Src::Col(c) if self.may_take[k] => {
                    std::mem::swap(&mut self.out.cols[k], &mut input.cols[c as usize]);
                }
                _ => self.emit(k, input),
            }
        }
        self.out.rows = input.rows;
        std::mem::swap(&mut self.out.sel, &mut input.sel);
        Ok(())
    }

    /// Projects the live rows of another node's batch, which stays as it is.
    pub fn project(&mut self, cx: &Exec, input: &Batch) -> Result<()> {
        self.prog.run(cx, input, input.live())?;
        for k in 0..self.out.cols.len() {
            self.emit(k, input);
        }
        self.out.rows = input.rows;
        match (&mut self.out.sel, &input.sel) {
            (Some(d), Some(s)) => {
                d.clear();
                d.extend_from_slice(s);
            }
            (d, s) => *d = s.clone(),
        }
        Ok(())
    }

    fn emit(&mut self, k: usize, input: &Batch) {
        let out = &mut self.out.cols[k];
        match self.prog.outs[k] {
            Src::Reg(r) if self.may_take[k] => std::mem::swap(out, &mut self.prog.st.regs[r as usize]),
            Src::Reg(r) => colops::copy(out, &self.prog.st.regs[r as usize]),
            Src::Col(c) => colops::copy(out, &input.cols[c as usize]),
            Src::Konst(_) | Src::Const(_) => {
                let a = self.prog.result(k, input);
                colops::fill(out, a.get(0), input.rows);
            }
        }
    }
}
