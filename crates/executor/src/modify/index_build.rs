//! CREATE INDEX's view of the executor: turns batches of table rows into batches of index columns.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::modify::target::IndexTarget;
use crate::run::{Exec, RunOptions};
use common::{Oid, Result};
use std::rc::Rc;
use types::{Batch, Column};

/// Computes index entries for an index build.
pub struct IndexEntries {
    exec: Exec,
    pub target: IndexTarget,
    out: Batch,
}

impl IndexEntries {
    /// For an index whose catalog rows exist.
    pub fn new(env: &Rc<ExecEnv>, index: Oid, run: &RunOptions) -> Result<IndexEntries> {
        let mut exec = Exec::bare(env);
        exec.start(&[], run);
        let target = IndexTarget::open(env, index)?;
        let mut cols: Vec<Column> = target.ix.rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
        cols.push(Column::new(types::Phys::I64));
        Ok(IndexEntries { exec, target, out: Batch { cols, rows: 0, sel: None } })
    }
    /// Entries of the live rows of `b` (attribute order; `tid_col` holds packed TIDs): index columns, then the TID in the
    /// last column. Rows outside a partial index are left out.
    pub fn entries(&mut self, b: &Batch, tid_col: usize) -> Result<&Batch> {
        self.exec.check_interrupts()?;
        self.target.prepare(&self.exec, b)?;
        self.out.clear();
        let n = self.out.cols.len() - 1;
        for k in 0..b.live_count() {
            let i = colops::nth_live(b, k);
            if !self.target.covers(b, i) {
                continue;
            }
            let cols = &mut self.out.cols;
            self.target.with_values(b, i, |v| {
                for (c, d) in cols[..n].iter_mut().zip(v) {
                    c.push(*d);
                }
            });
            cols[n].push(b.cols[tid_col].get(i));
            self.out.rows += 1;
        }
        Ok(&self.out)
    }
}
