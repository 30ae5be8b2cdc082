//! ProjectSet: set-returning functions in the target list. They run in step for every input row; one that ends early
//! gives NULLs until all have ended.

use super::*;
use crate::expr::{Program, colops, compile};
use crate::node::function_scan::{SrfCall, out_columns};
use crate::store::batch_of;
use types::column::BATCH_ROWS;
use types::{Column, DatumRef};

enum Item {
    /// Value number k of the plain program.
    Plain(usize),
    Srf(usize),
}

struct ProjectSet {
    child: BoxNode,
    items: Vec<Item>,
    plain: Program,
    srfs: Vec<SrfCall>,
    /// Columns of functions with several OUT parameters, whose rows become records.
    outs: Vec<Option<OutCols>>,
    /// Rows of each function for the present input row.
    rows: Vec<Column>,
    pos: Option<usize>,
    /// The functions run for the present input row, and which of them have ended.
    started: bool,
    done: Vec<bool>,
    out: Batch,
}

struct OutCols {
    types: Vec<common::Oid>,
    names: Vec<String>,
    row_type: common::Oid,
    cols: Vec<Column>,
}

impl OutCols {
    fn of(b: &BuildCx<'_>, f: &analyze::expr::FuncExpr) -> Result<Option<OutCols>> {
        let cols = out_columns(b.env, f)?;
        if cols.is_empty() {
            return Ok(None);
        }
        let (types, names): (Vec<_>, Vec<_>) = cols.into_iter().unzip();
        let phys = types.iter().map(|t| b.env.phys(*t)).collect::<Result<Vec<_>>>()?;
        let cols = phys.into_iter().map(Column::new).collect();
        Ok(Some(OutCols { types, names, row_type: f.result_type, cols }))
    }

    fn rows_into(&mut self, out: &mut Column) {
        for i in 0..self.cols.first().map_or(0, Column::len) {
            let fields = self.types.iter().zip(&self.cols).map(|(t, c)| (*t, c.get(i)));
            out.push(types::record::build_named(self.row_type, fields, &self.names).as_ref());
        }
        self.cols.iter_mut().for_each(Column::clear);
    }
}

/// ProjectSet.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan) -> Result<BoxNode> {
    let mut items = Vec::new();
    let mut plain = Vec::new();
    let mut srfs = Vec::new();
    let mut rows = Vec::new();
    let mut outs = Vec::new();
    for t in &plan.targetlist {
        match &t.expr {
            Expr::Func(f) if f.retset => {
                items.push(Item::Srf(srfs.len()));
                srfs.push(SrfCall::compile(b.env, f, &OuterScope)?);
                outs.push(OutCols::of(b, f)?);
                rows.push(Column::new(b.env.phys(f.result_type)?));
            }
            e => {
                items.push(Item::Plain(plain.len()));
                plain.push(e);
            }
        }
    }
    Ok(Box::new(ProjectSet {
        child: super::build(b, child)?,
        items,
        plain: compile(b.env, plain, &OuterScope)?,
        done: vec![false; srfs.len()],
        started: false,
        srfs,
        outs,
        rows,
        pos: None,
        out: batch_of(&output_phys(b.env, plan)?),
    }))
}

impl ProjectSet {
    /// The next rows of the functions for one input row, a batch of them at most: an endless function is not run to its end.
    fn expand(&mut self, cx: &Exec, row: usize) -> Result<usize> {
        let input = self.child.batch();
        if !self.started {
            for s in &mut self.srfs {
                s.start(cx, input, row)?;
            }
            self.done.fill(false);
            self.started = true;
        }
        let mut most = 0;
        for (k, (s, c)) in self.srfs.iter_mut().zip(&mut self.rows).enumerate() {
            c.clear();
            while !self.done[k] && c.len() < BATCH_ROWS {
                let room = BATCH_ROWS - c.len();
                let got = match &mut self.outs[k] {
                    None => s.next(cx, std::slice::from_mut(c), room)?,
                    Some(o) => {
                        let got = s.next(cx, &mut o.cols, room)?;
                        o.rows_into(c);
                        got
                    }
                };
                self.done[k] = got == 0;
                cx.check_interrupts()?;
            }
            most = most.max(c.len());
        }
        self.started = !self.done.iter().all(|d| *d);
        Ok(most)
    }
}

impl ExecNode for ProjectSet {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.out.clear();
        loop {
            let Some(p) = self.pos else {
                if self.out.rows > 0 {
                    return Ok(true);
                }
                if !self.child.next(cx, want)? {
                    return Ok(false);
                }
                let b = self.child.batch();
                self.plain.run(cx, b, b.live())?;
                self.pos = Some(0);
                continue;
            };
            let row = colops::nth_live(self.child.batch(), p);
            let n = self.expand(cx, row)?;
            for (item, out) in self.items.iter().zip(&mut self.out.cols) {
                match item {
                    Item::Plain(k) => {
                        let v = self.plain.result(*k, self.child.batch()).get(row);
                        colops::fill_more(out, v, n);
                    }
                    Item::Srf(k) => {
                        let c = &self.rows[*k];
                        colops::append_range(out, c, 0, c.len());
                        colops::fill_more(out, DatumRef::Null, n - c.len());
                    }
                }
            }
            self.out.rows += n;
            if !self.started {
                self.pos = (p + 1 < self.child.batch().live_count()).then_some(p + 1);
            }
            if self.out.rows >= BATCH_ROWS {
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.pos = None;
        self.started = false;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        self.srfs.iter_mut().for_each(SrfCall::reset);
        self.child.end(cx);
    }
}
