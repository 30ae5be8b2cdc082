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
