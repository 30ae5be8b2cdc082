//! Runs finished plans on batches of typed column vectors. `commands` and the root's session loop make an [`ExecEnv`]
//! once a session, compile a `PlannedStmt` into a [`CompiledPlan`] and pull batches through a [`QueryRun`]. See README.
#![forbid(unsafe_code)]

pub mod env;
pub mod expr;
pub mod modify;
pub mod node;
mod own_code;
pub mod parallel;
pub mod routine;
pub mod run;
pub mod run_filter;
pub mod store;

pub use env::{ExecEnv, NoSession, Session};
pub use node::add_buffers;
pub use run::{CompiledPlan, QueryRun, RunOptions};

/// Evaluates an expression without variables.
pub fn eval_constant(env: &std::rc::Rc<ExecEnv>, expr: &analyze::expr::Expr) -> common::Result<types::Datum> {
    let mut program = expr::compile_one(env, expr, &expr::NoScope)?;
    let exec = run::Exec::bare(env);
    let input = types::Batch { cols: Vec::new(), rows: 1, sel: None };
    program.run(&exec, &input, types::Rows::All(1))?;
    Ok(program.result(0, &input).get(0).to_owned())
}
