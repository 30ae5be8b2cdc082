//! Rows by their addresses: `ctid = …`, `ctid = ANY (…)`, WHERE CURRENT OF.

use super::scan::Base;
use super::*;
use crate::expr::{NoScope, Program, compile};
use analyze::info::expr_type;
use common::{Oid, Tid};
use types::array::ArrayRef;
use types::column::BATCH_ROWS;
use types::{Datum, DatumRef, oids};

/// Makes the node from its conditions, any of which a row may meet.
pub(super) fn build(b: &BuildCx<'_>, base: Base, rti: u32, conds: &[Expr]) -> Result<BoxNode> {
    let values: Vec<&Expr> = conds.iter().filter_map(|c| value_of(c, rti)).collect();
    let cursors: Vec<String> = conds.iter().filter_map(cursor_of).collect();
    if values.len() + cursors.len() != conds.len() {
        return Err(Error::internal("executor: not a condition on ctid"));
    }
    Ok(Box::new(TidScan {
        base,
        cursors,
        types: values.iter().map(|e| expr_type(e)).collect(),
        values: compile(b.env, values, &NoScope)?,
        list: Vec::new(),
        at: 0,
        ready: false,
    }))
}

/// What the row's address is compared with: one address, or an array of them.
fn value_of(cond: &Expr, rti: u32) -> Option<&Expr> {
    let is_ctid = |e: &Expr| matches!(e, Expr::Var(v) if v.varno == VarNo::Rte(rti) && v.attno == -1);
    match cond {
        Expr::Op(o) => match o.args.as_slice() {
            [c, value] if is_ctid(c) => Some(value),
            [value, c] if is_ctid(c) => Some(value),
            _ => None,
        },
        Expr::ScalarArrayOp(o) => o.args.get(1),
        _ => None,
    }
}

/// The cursor of WHERE CURRENT OF.
fn cursor_of(e: &Expr) -> Option<String> {
    match e {
        Expr::CurrentOf { cursor, .. } => Some(cursor.clone()),
        _ => None,
    }
}

struct TidScan {
    base: Base,
    /// WHERE CURRENT OF.
    cursors: Vec<String>,
    values: Program,
    types: Vec<Oid>,
    list: Vec<Tid>,
    at: usize,
    ready: bool,
}

impl TidScan {
    fn compute(&mut self, cx: &Exec) -> Result<()> {
        self.values.run_once(cx)?;
        self.list.clear();
        for (k, t) in self.types.iter().enumerate() {
            match self.values.result(k, &cx.no_input).get(0) {
                DatumRef::Null => {}
                d if *t == oids::TID => self.list.push(Tid::unpack(tid_i64(d))),
                d => {
                    for e in ArrayRef::new(d.bytes())?.to_vec()? {
                        if !e.is_null() {
                            self.list.push(Tid::unpack(tid_i64(e)));
                        }
                    }
                }
            }
        }
        for c in &self.cursors {
            if let Some(tid) = cx.env.session.current_of(c, self.base.heap.oid)? {
                // The row may have been updated since the cursor read it.
                let latest =
                    access::heap::latest_version(cx.engine()?, &self.base.heap, tid, cx.snapshot()?)?;
                self.list.push(latest);
            }
        }
        self.list.sort_by_key(|t| t.pack());
        self.list.dedup();
        self.at = 0;
        Ok(())
    }
}

fn tid_i64(d: DatumRef<'_>) -> i64 {
    match d.to_owned() {
        Datum::I64(v) => v,
        _ => 0,
    }
}

impl ExecNode for TidScan {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        if cx.epq.borrow().is_some()
            && let Some(r) = self.base.epq(cx)?
        {
            return Ok(r);
        }
        if !self.ready {
            self.ready = true;
            self.compute(cx)?;
        }
        let eng = cx.engine()?;
        let spec = self.base.cols.spec();
        let blocks = cx.env.catalog()?.relation(self.base.heap.oid)?;
        let blocks = cx.env.catalog()?.relation_blocks(&blocks)?;
        self.base.input.clear();
        while self.at < self.list.len() && self.base.input.rows < BATCH_ROWS {
            let tid = self.list[self.at];
            self.at += 1;
            if tid.is_valid() && tid.block.0 < blocks {
                access::heap::fetch_into(
                    eng,
                    &self.base.heap,
                    tid,
                    cx.snapshot()?,
                    &spec,
                    &mut self.base.input,
                )?;
            }
        }
        if self.base.input.rows == 0 {
            return Ok(false);
        }
        if self.base.tail.finish_own(cx, &mut self.base.input)? {
            return Ok(true);
        }
        if self.at < self.list.len() { self.next(cx, _want) } else { Ok(false) }
    }
    fn batch(&self) -> &Batch {
        &self.base.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.base.tail.proj.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.base.epq_done = false;
        self.ready = false;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.base.tail.report(cx);
    }
}
