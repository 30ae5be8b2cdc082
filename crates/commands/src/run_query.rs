//! Running queries that a command makes itself: foreign key validation, CREATE TABLE AS.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use analyze::query::Query;
use analyze::{Analyzed, ParamTypes};
use common::{Error, Result};
use executor::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::Statement;
use planner::{PlannedStmt, PlannerCtx};
use std::rc::Rc;

/// Resolves a statement that must be a query.
pub fn resolve(ctx: &CommandCtx<'_>, stmt: &Statement) -> Result<Query> {
    let raw = parser::RawStmt { stmt: stmt.clone(), location: 0, len: ctx.source.len() };
    let mut params = ParamTypes::fixed(ctx.param_types.to_vec());
    match with_analyze(ctx, |a| analyze::analyze(a, &raw, &mut params))? {
        Analyzed::Query(q) => Ok(*q),
        Analyzed::Utility(_) => Err(Error::unsupported("a utility statement as a query")),
    }
}

/// Rewrites and plans a query; the user's privileges are checked.
pub fn plan(ctx: &CommandCtx<'_>, q: Query) -> Result<PlannedStmt> {
    plan_as(ctx, q, false, true)
}

/// [`plan`], for a cursor if `cursor`: its first rows count. `parallel`: workers may help.
pub fn plan_as(ctx: &CommandCtx<'_>, q: Query, cursor: bool, parallel: bool) -> Result<PlannedStmt> {
    let mut queries = with_analyze(ctx, |a| analyze::rewrite(a, q))?;
    let (Some(q), true) = (queries.pop(), queries.is_empty()) else {
        return Err(Error::unsupported("a query that is rewritten to several"));
    };
    crate::aclcheck::check_query_privileges(ctx.catalog, ctx.host.role(), ctx.host.is_superuser(), &q)?;
    if !ctx.host.is_superuser() {
        crate::aclcheck::check_functions(
            ctx.catalog,
            ctx.host.role(),
            &crate::aclcheck::query_functions(&q),
        )?;
    }
    let settings = ctx.host.planner_settings();
    let fmt = ctx.env.fmt.borrow().clone();
    let fn_env = ctx.env.session.fn_env().downcast_ref::<crate::FnEnv>();
    let merge = fn_env.map(crate::routine::Merge);
    let cx = PlannerCtx {
        catalog: ctx.catalog,
        settings: &settings,
        registry: ctx.catalog.registry(),
        fmt: &fmt,
        env: ctx.env.session.fn_env(),
        xact_start_us: ctx.env.session.xact_start_us(),
        stmt_start_us: ctx.env.session.stmt_start_us(),
        param_types: ctx.param_types,
        bound_params: Some(ctx.params),
        cursor,
        parallel,
        routines: merge.as_ref().map(|m| m as _),
    };
    planner::plan_query(&cx, q)
}

/// Rewrites, plans and starts a query under the latest snapshot.
pub fn start(ctx: &CommandCtx<'_>, q: Query) -> Result<QueryRun> {
    run(ctx, plan(ctx, q)?)
}

/// [`start`], without parallel workers.
pub fn start_alone(ctx: &CommandCtx<'_>, q: Query) -> Result<QueryRun> {
    run(ctx, plan_as(ctx, q, false, false)?)
}

fn run(ctx: &CommandCtx<'_>, plan: PlannedStmt) -> Result<QueryRun> {
    let compiled = CompiledPlan::new(ctx.env, Rc::new(plan))?;
    let options = RunOptions { snapshot: Some(ctx.engine.latest_snapshot()?), ..RunOptions::default() };
    QueryRun::start(compiled, ctx.params, &options)
}
