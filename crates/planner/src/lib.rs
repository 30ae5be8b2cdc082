//! The cost-based planner: [`analyze::query::Query`] → [`plan::PlannedStmt`], and EXPLAIN's text.
#![forbid(unsafe_code)]

mod append;
mod backward;
mod cost;
mod create_bitmap;
mod create_input;
mod create_join;
mod create_keys;
mod create_plan;
mod equivalence;
mod exists;
pub mod explain;
pub mod exprs;
mod initsplan;
pub mod instrument;
mod join_removal;
mod joinsearch;
mod parallel;
mod path;
mod pathkeys;
mod paths;
pub mod plan;
mod planner;
mod prep;
pub mod relids;
mod relinfo;
mod root;
pub mod routines;
mod selectivity;
mod setrefs;
pub mod settings;
mod subplan;
mod upper;

use analyze::query::Query;
pub use backward::{make_scrollable, supports_backward_scan};
use catalog::cache::Catalog;
use common::{Oid, Result};
pub use instrument::Instrumentation;
pub use plan::PlannedStmt;
pub use settings::PlannerSettings;
use std::any::Any;
use types::{Datum, FormatSettings, Registry};

/// Everything a planning run looks at besides the query.
pub struct PlannerCtx<'a> {
    pub catalog: &'a Catalog,
    pub settings: &'a PlannerSettings,
    pub registry: &'a Registry,
    pub fmt: &'a FormatSettings,
    /// Environment of functions called while folding constants (see [`types::CallCtx::env`]).
    pub env: &'a dyn Any,
    /// Start of transaction and statement, microseconds from 2000-01-01 UTC (estimates of `now()`).
    pub xact_start_us: i64,
    pub stmt_start_us: i64,
    /// Types of `$1 …`.
    pub param_types: &'a [Oid],
    /// Values of `$1 …` for a custom plan; `None` makes a generic one.
    pub bound_params: Option<&'a [Datum]>,
    /// A cursor: plan for a fast start (`cursor_tuple_fraction`).
    pub cursor: bool,
    /// Parallel workers may run it: all rows are fetched at once, and no more is asked of the plan.
    pub parallel: bool,
    /// Functions that are not built in; `None` where there are none.
    pub routines: Option<&'a dyn routines::Routines>,
}

/// Plans a rewritten SELECT, INSERT, UPDATE or DELETE.
pub fn plan_query(ctx: &PlannerCtx<'_>, query: Query) -> Result<PlannedStmt> {
    planner::plan(ctx, query)
}
