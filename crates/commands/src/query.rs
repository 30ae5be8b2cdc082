//! Planning and running a query inside a utility statement: COPY (query), EXPLAIN, CREATE TABLE AS.

use crate::CommandCtx;
use analyze::{AnalyzeCtx, Analyzed, OutputColumn, ParamTypes};
use common::{Error, Oid, Result, bail};
use executor::run::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::{RawStmt, Statement};
use planner::{PlannedStmt, PlannerCtx};
use std::rc::Rc;
use types::Batch;

/// Runs `f` with a context for analysis.
pub fn with_analyze_ctx<R>(ctx: &CommandCtx<'_>, f: impl FnOnce(&AnalyzeCtx<'_>) -> Result<R>) -> Result<R> {
    let path = ctx.host.search_path()?;
    let fmt = ctx.env.fmt.borrow().clone();
    let database = ctx.host.database_name();
    let lock = |rel: Oid, mode: u8| {
        let shared = ctx.catalog.builtins().schema.table(rel).is_some_and(|t| t.shared);
        let db = if shared { Oid::INVALID } else { ctx.catalog.database() };
        ctx.engine.lock_relation(db, rel, crate::lock_mode(mode))
    };
    let actx = AnalyzeCtx {
        catalog: ctx.catalog,
        path: &path,
        registry: ctx.catalog.registry(),
        fmt: &fmt,
        role: ctx.host.role(),
        database: &database,
        source: ctx.source,
        lock: &lock,
        env: ctx.env.session.fn_env(),
        xact_start_us: ctx.engine.transaction_timestamp(),
        stmt_start_us: ctx.engine.statement_timestamp(),
    };
    f(&actx)
}

/// Analyses and plans a statement. Utility statements are refused by the caller's own rules before.
pub fn plan_statement(ctx: &CommandCtx<'_>, s: &Statement, cursor: bool) -> Result<(PlannedStmt, Vec<OutputColumn>)> {
    let raw = RawStmt { stmt: s.clone(), location: 0, len: ctx.source.len() };
    let mut params = ParamTypes::fixed(ctx.param_types.to_vec());
    let query = with_analyze_ctx(ctx, |actx| match analyze::analyze(actx, &raw, &mut params)? {
        Analyzed::Utility(_) => Err(Error::internal("a utility statement cannot be planned")),
        Analyzed::Query(q) => {
            let mut queries = analyze::rewrite(actx, *q)?;
            match (queries.pop(), queries.is_empty()) {
                (Some(q), true) => Ok(q),
                _ => Err(Error::unsupported("a rule that makes several queries of one")),
            }
        }
    })?;
    let columns = analyze::output_columns(&query);
    let settings = ctx.host.planner_settings();
    let fmt = ctx.env.fmt.borrow().clone();
    let pctx = PlannerCtx {
        catalog: ctx.catalog,
        settings: &settings,
        registry: ctx.catalog.registry(),
        fmt: &fmt,
        env: ctx.env.session.fn_env(),
        xact_start_us: ctx.engine.transaction_timestamp(),
        stmt_start_us: ctx.engine.statement_timestamp(),
        param_types: ctx.param_types,
        bound_params: Some(ctx.params),
        cursor,
    };
    if query.command != analyze::query::CmdType::Select && ctx.engine.read_only() {
        bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute the statement in a read-only transaction");
    }
    Ok((planner::plan_query(&pctx, query)?, columns))
}

/// A query being run.
pub struct SelectRun(QueryRun);

impl SelectRun {
    /// Begins.
    pub fn start(ctx: &CommandCtx<'_>, planned: PlannedStmt) -> Result<SelectRun> {
        let snapshot = ctx.engine.transaction_snapshot()?;
        let opts = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
        let plan = CompiledPlan::new(ctx.env, Rc::new(planned))?;
        Ok(SelectRun(QueryRun::start(plan, ctx.params, &opts)?))
    }
    /// Next rows.
    pub fn next(&mut self) -> Result<Option<&Batch>> {
        self.0.next(0)
    }
    /// Does what is due at the end; returns the number of rows.
    pub fn finish(mut self) -> Result<u64> {
        let n = self.0.finish()?;
        self.0.stop();
        Ok(n)
    }
}
