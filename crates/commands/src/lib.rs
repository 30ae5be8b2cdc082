//! Utility statements: DDL, COPY, VACUUM, ANALYZE, EXPLAIN and others, and the SQL functions that need the database. The
//! session loop hands over what is neither a query nor bound to the session itself (transactions, settings, cursors,
//! prepared statements stay there).
#![forbid(unsafe_code)]

pub mod autovacuum;
pub mod ctx;
pub mod functions;
pub mod roles;
pub mod sequence;

pub use ctx::{CommandCtx, CopyFormat, FnEnv, Host};
use transam::lock::LockMode;

/// Runs a utility statement and returns its command tag. Statements of other kinds are a bug of the caller (XX000).
pub fn run(ctx: &CommandCtx<'_>, stmt: &parser::ast::Statement) -> common::Result<String> {
    let _ = ctx;
    Err(common::Error::unsupported(format_args!("{stmt:?}")))
}

/// Type of EXPLAIN's result column: text, or json, xml by FORMAT.
pub fn explain_type(_e: &parser::ast::ExplainStmt) -> common::Oid {
    types::oids::TEXT
}

/// A lock mode by PostgreSQL's number (1 AccessShare … 8 AccessExclusive).
pub fn lock_mode(number: u8) -> LockMode {
    LockMode::from_u8(number).unwrap_or(LockMode::AccessExclusive)
}

/// Creates the system views in a fresh cluster.
pub fn bootstrap_views(_engine: &std::rc::Rc<transam::Engine>, _catalog: &std::rc::Rc<catalog::Catalog>) -> common::Result<()> {
    Ok(())
}
