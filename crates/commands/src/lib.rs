//! Utility statements: DDL, COPY, VACUUM, ANALYZE, EXPLAIN and others. The session loop hands over what is neither a
//! query nor bound to the session itself (transactions, settings, cursors, prepared statements stay there).
#![forbid(unsafe_code)]

pub mod ctx;

pub use ctx::{CommandCtx, CopyFormat, Host};

/// Runs a utility statement and returns its command tag. Statements of other kinds are a bug of the caller (XX000).
pub fn run(ctx: &CommandCtx<'_>, stmt: &parser::ast::Statement) -> common::Result<String> {
    let _ = ctx;
    Err(common::Error::unsupported(format_args!("{stmt:?}")))
}
