//! The cost-based planner: [`analyze::query::Query`] → [`plan::PlannedStmt`], and EXPLAIN's text.
#![forbid(unsafe_code)]

pub mod plan;
