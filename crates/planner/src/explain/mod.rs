//! EXPLAIN's text of a finished plan, in PostgreSQL's layout. Called by the session for EXPLAIN; reads the plan, the
//! catalogs (names) and, for ANALYZE, the executor's [`Instrumentation`].

use crate::PlannerCtx;
use crate::instrument::Instrumentation;
use crate::plan::PlannedStmt;

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExplainFormat {
    #[default]
    Text,
    Json,
    Xml,
    Yaml,
}

/// EXPLAIN's options. `summary` and `timing` carry their effective values (both default to `analyze`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    pub analyze: bool,
    pub verbose: bool,
    pub costs: bool,
    pub buffers: bool,
    pub wal: bool,
    pub timing: bool,
    pub summary: bool,
    pub settings: bool,
    pub format: ExplainFormat,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        ExplainOptions {
            analyze: false,
            verbose: false,
            costs: true,
            buffers: false,
            wal: false,
            timing: false,
            summary: false,
            settings: false,
            format: ExplainFormat::Text,
        }
    }
}

/// The lines of EXPLAIN's output: one row each for TEXT; one multi-line row for the other formats.
pub fn explain_text(
    _ctx: &PlannerCtx<'_>,
    _stmt: &PlannedStmt,
    _opts: ExplainOptions,
    _instr: Option<&Instrumentation>,
) -> Vec<String> {
    Vec::new()
}
