//! The cost-based planner: [`analyze::query::Query`] → [`plan::PlannedStmt`], and EXPLAIN's text.
#![forbid(unsafe_code)]

pub mod explain;
pub mod instrument;
pub mod plan;
pub mod settings;

use analyze::query::Query;
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
}

/// Plans a rewritten SELECT, INSERT, UPDATE or DELETE.
pub fn plan_query(_ctx: &PlannerCtx<'_>, _query: Query) -> Result<PlannedStmt> {
    Err(common::Error::unsupported("planning"))
}
