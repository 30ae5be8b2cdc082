//! Inserting whole batches with all constraints: INSERT without ON CONFLICT and COPY FROM.

use crate::env::ExecEnv;
use crate::modify::fkey;
use crate::modify::target::TargetRelation;
use crate::run::{Exec, RunOptions};
use access::{BulkInsert, InsertOptions};
use common::{CommandId, Oid, Result, Tid};
use std::rc::Rc;
use types::Batch;

/// Inserts the live rows of a batch in attribute order; their addresses are in `tids` afterwards, in row order.
pub fn insert_rows(
    cx: &Exec,
    target: &mut TargetRelation,
    b: &Batch,
    cid: CommandId,
    opts: &InsertOptions,
    bulk: &mut BulkInsert,
    tids: &mut Vec<Tid>,
) -> Result<u64> {
    let n = b.live_count();
    tids.clear();
    if n == 0 {
        return Ok(0);
    }
    target.check_constraints(cx, b)?;
    let eng = cx.engine()?;
    if n == 1 {
        let i = crate::expr::colops::nth_live(b, 0);
        let tid = target.with_row(b, i, |v| access::heap::insert(eng, &target.heap, v, cid, opts))?;
        tids.push(tid);
    } else {
        access::heap::multi_insert(eng, &target.heap, b, cid, opts, bulk, tids)?;
    }
    if !target.indexes.is_empty() {
        target.prepare_indexes(cx, b)?;
        for (k, tid) in tids.iter().enumerate() {
            let i = crate::expr::colops::nth_live(b, k);
            target.insert_entries(cx, b, i, *tid)?;
        }
    }
    if !target.rel.fkeys_out.is_empty() {
        fkey::queue_inserts(cx, &target.rel, b, tids)?;
    }
    Ok(n as u64)
}

/// COPY FROM's way into a table.
pub struct BulkInserter {
    exec: Exec,
    pub target: TargetRelation,
    bulk: BulkInsert,
    opts: InsertOptions,
    tids: Vec<Tid>,
}

impl BulkInserter {
    /// Opens the table. `opts.snapshot` is the statement's.
    pub fn new(env: &Rc<ExecEnv>, relid: Oid, run: &RunOptions, opts: InsertOptions) -> Result<BulkInserter> {
        let mut exec = Exec::bare(env);
        exec.start(&[], run);
        exec.cid = exec.engine()?.current_command_id(true);
        Ok(BulkInserter {
            target: TargetRelation::open(env, relid)?,
            exec,
            bulk: BulkInsert::default(),
            opts,
            tids: Vec::new(),
        })
    }
    /// An empty batch in attribute order (dropped columns are to be NULL).
    pub fn batch(&self) -> Batch {
        self.target.batch()
    }
    /// The context for evaluating defaults and filters.
    pub fn exec(&self) -> &Exec {
        &self.exec
    }
    /// Computes generated columns, checks and inserts the live rows. After an error, `target.failed_row` may name the row.
    pub fn insert(&mut self, b: &mut Batch) -> Result<u64> {
        self.exec.check_interrupts()?;
        self.target.compute_generated(&self.exec, b)?;
        let cid = self.exec.cid;
        insert_rows(&self.exec, &mut self.target, b, cid, &self.opts, &mut self.bulk, &mut self.tids)
    }
    /// Checks what is due at the end of the statement.
    pub fn finish(self) -> Result<()> {
        crate::modify::fire_after(&self.exec)
    }
}
