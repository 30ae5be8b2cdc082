//! What the planner asks about functions: bodies to merge into a query, values of calls on constants.

use super::body::{self, Part};
use super::sql::{check_result, result_columns};
use crate::FnEnv;
use crate::aclcheck;
use crate::ctx::CommandCtx;
use analyze::expr::Expr;
use analyze::query::Query;
use analyze::routine::Shape;
use common::{Oid, Result};
use executor::routine::RoutineCall;
use planner::routines::{BodyOf, Routines};
use planner::{PlannedStmt, PlannerCtx};
use types::Datum;

/// The functions of a session, as the planner sees them.
pub struct Merge<'a>(pub &'a FnEnv);

/// Plans a query of a function's body, for any values of its parameters.
pub fn plan(env: &FnEnv, q: Query, param_types: &[Oid]) -> Result<PlannedStmt> {
    with_planner(env, param_types, |cx| planner::plan_query(cx, q))
}

/// Folds an expression of DDL as planning would.
pub fn fold(ctx: &CommandCtx<'_>, e: &mut Expr) -> Result<()> {
    match ctx.env.session.fn_env().downcast_ref::<FnEnv>() {
        Some(env) => with_planner(env, &[], |cx| planner::exprs::fold::fold(cx, e)),
        None => Ok(()),
    }
}

fn with_planner<R>(
    env: &FnEnv,
    param_types: &[Oid],
    f: impl FnOnce(&PlannerCtx<'_>) -> Result<R>,
) -> Result<R> {
    let settings = env.host.planner_settings();
    let exec = env.host.exec_env();
    let fmt = exec.fmt.borrow().clone();
    f(&PlannerCtx {
        catalog: &env.catalog,
        settings: &settings,
        registry: env.catalog.registry(),
        fmt: &fmt,
        env: exec.session.fn_env(),
        xact_start_us: exec.session.xact_start_us(),
        stmt_start_us: exec.session.stmt_start_us(),
        param_types,
        bound_params: None,
        cursor: false,
        parallel: false,
        routines: Some(&Merge(env)),
    })
}

impl Routines for Merge<'_> {
    fn single_query(&self, call: &BodyOf<'_>) -> Result<Option<(Query, Shape)>> {
        let env = self.0;
        let p = env.catalog.proc_desc(call.funcid)?;
        let read = || -> Result<Option<(Query, Shape)>> {
            // Types of the parameters as declared; pseudo-types are what they stand for in this call.
            let mut types = p.arg_types.clone();
            body::with_analyze(env, "", |a| {
                analyze::routine::resolve_types(a, call.arg_types, &mut types, p.ret_type)
            })?;
            let mut parts = body::read(env, &p, &types, call.collation)?;
            if parts.len() != 1 || !matches!(parts[0], Part::Query(..)) {
                return Ok(None);
            }
            let expected = call.columns.cloned();
            let columns = result_columns(env, &p, call.arg_types, call.result_type, expected)?;
            let shape = check_result(env, &p, &mut parts, call.result_type, columns.as_ref())?;
            let Some(Part::Query(q, _)) = parts.pop() else { return Ok(None) };
            let (role, superuser) = (env.host.role(), env.host.is_superuser());
            if !superuser
                && (aclcheck::check_query_privileges(&env.catalog, role, false, &q).is_err()
                    || aclcheck::check_functions(&env.catalog, role, &aclcheck::query_functions(&q)).is_err())
            {
                // The call will say what is not allowed.
                return Ok(None);
            }
            Ok(Some((*q, shape)))
        };
        read().map_err(|e| {
            body::inner_position(e, &p.src).context(format!("SQL function \"{}\" during inlining", p.name))
        })
    }

    fn call(&self, funcid: Oid, args: &[(Datum, Oid)], result_type: Oid, collation: Oid) -> Result<Datum> {
        let (values, types): (Vec<Datum>, Vec<Oid>) = args.iter().cloned().unzip();
        super::call(
            self.0,
            &RoutineCall {
                oid: funcid,
                args: &values,
                arg_types: &types,
                result_type,
                collation,
                columns: &[],
                snapshot: None,
            },
        )
    }

    fn may_execute(&self, funcid: Oid) -> Result<bool> {
        let env = self.0;
        Ok(env.host.is_superuser()
            || aclcheck::check_functions(&env.catalog, env.host.role(), &[funcid]).is_ok())
    }
}
