//! A plan made runnable ([`CompiledPlan`], reusable) and one execution of it ([`QueryRun`]).

use crate::env::ExecEnv;
use common::{Error, Result};
use planner::plan::PlannedStmt;
use std::rc::Rc;
use types::{Batch, Datum};

/// How a plan is to be run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Count rows and time per node for EXPLAIN ANALYZE.
    pub instrument: bool,
    /// The caller wants at most so many rows in all (0 = all): a hint that keeps batches small.
    pub row_limit: u64,
}

/// A compiled plan with all its buffers; run it as often as the plan stays valid.
pub struct CompiledPlan {
    stmt: Rc<PlannedStmt>,
}

impl CompiledPlan {
    /// Compiles.
    pub fn new(env: &Rc<ExecEnv>, stmt: Rc<PlannedStmt>) -> Result<CompiledPlan> {
        let _ = env;
        Ok(CompiledPlan { stmt })
    }
    /// The plan.
    pub fn stmt(&self) -> &Rc<PlannedStmt> {
        &self.stmt
    }
}

/// One execution.
pub struct QueryRun {
    plan: CompiledPlan,
}

impl QueryRun {
    /// Begins: binds the external parameters.
    pub fn start(plan: CompiledPlan, params: &[Datum], opts: RunOptions) -> Result<QueryRun> {
        let _ = (params, opts);
        Ok(QueryRun { plan })
    }
    /// Next rows, at most `max_rows` (0 = as many as come); `None` at the end. Columns past the result's are cut off.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<&Batch>> {
        let _ = max_rows;
        Err(Error::unsupported("execution"))
    }
    /// Runs whatever is left without returning rows, fires what is due at the end of the statement (foreign keys), and
    /// returns the number of rows processed for the command tag.
    pub fn finish(&mut self) -> Result<u64> {
        Ok(0)
    }
    /// Releases pins and files; gives the compiled plan back for the next execution.
    pub fn end(self) -> CompiledPlan {
        self.plan
    }
}
