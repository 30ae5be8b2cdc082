//! ValuesScan: rows of expressions. Constant lists are evaluated a batch at a time, row by row.

use super::*;
use crate::expr::{NoScope, Program, compile};
use types::column::BATCH_ROWS;

struct Values {
    rows: Vec<Program>,
    at: usize,
    input: Batch,
    tail: Tail,
}

/// ValuesScan.
pub fn build(b: &BuildCx<'_>, plan: &Plan, lists: &[Vec<Expr>]) -> Result<BoxNode> {
    let rows = lists.iter().map(|l| compile(b.env, l, &NoScope)).collect::<Result<Vec<_>>>()?;
    let input = match rows.first() {
        Some(p) => crate::store::batch_of(&p.phys),
        None => Batch::default(),
    };
    let width = input.cols.len();
    Ok(Box::new(Values { rows, at: 0, input, tail: Tail::compile(b, plan, &RelScope, width)? }))
}

impl ExecNode for Values {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.at < self.rows.len() {
            let n = want.clamp(1, BATCH_ROWS).min(self.rows.len() - self.at);
            self.input.clear();
            for p in &mut self.rows[self.at..self.at + n] {
                p.run_once(cx)?;
                for (k, c) in self.input.cols.iter_mut().enumerate() {
                    c.push(p.result(k, &cx.no_input).get(0));
                }
                self.input.rows += 1;
            }
            self.at += n;
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
        self.at = 0;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
    }
}
