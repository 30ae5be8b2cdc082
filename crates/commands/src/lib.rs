//! Utility statements: DDL, COPY, VACUUM, ANALYZE, EXPLAIN and others, and the SQL functions that need the database. The
//! session loop hands over what is neither a query nor bound to the session itself (transactions, settings, cursors,
//! prepared statements stay there).
#![forbid(unsafe_code)]

pub mod acl;
pub mod aclcheck;
mod alter_table;
mod analysis;
mod analyze_table;
pub mod autovacuum;
mod columns;
mod constraint;
mod copy;
mod create_like;
mod create_table;
pub mod ctx;
mod drop;
mod explain;
mod expr_depend;
mod foreign_key;
pub mod functions;
mod index;
mod index_build;
mod lock;
mod naming;
mod relation;
mod relfilenode;
mod reloptions;
pub mod roles;
mod run_query;
pub mod sequence;
mod sequence_ddl;
mod table_scan;
mod target;
mod truncate;
mod vacuum;
mod volatility;

pub use ctx::{CommandCtx, CopyFormat, FnEnv, Host};
use transam::lock::LockMode;

/// Runs a utility statement and returns its command tag. Statements of other kinds are a bug of the caller (XX000).
pub fn run(ctx: &CommandCtx<'_>, stmt: &parser::ast::Statement) -> common::Result<String> {
    use parser::ast::Statement as S;
    match stmt {
        S::CreateTable(s) => create_table::create(ctx, s),
        S::Index(s) => index::create(ctx, s),
        S::CreateSequence(s) => sequence_ddl::create(ctx, s),
        S::AlterSequence(s) => sequence_ddl::alter(ctx, s),
        S::AlterTable(s) => alter_table::run(ctx, s),
        S::Drop(s) => drop::run(ctx, s),
        S::Truncate(s) => truncate::run(ctx, s),
        S::Copy(s) => copy::run(ctx, s),
        S::Vacuum(s) => vacuum::run(ctx, s),
        S::Explain(s) => explain::run(ctx, s),
        S::Checkpoint => checkpoint(ctx),
        S::Lock(s) => lock::run(ctx, s),
        other => Err(common::Error::unsupported(statement_name(other))),
    }
}

/// The first word of a statement's node, for the refusal of what is not there.
fn statement_name(stmt: &parser::ast::Statement) -> String {
    let shown = format!("{stmt:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_string()
}

/// Type of EXPLAIN's result column: text, or json by FORMAT.
pub fn explain_type(e: &parser::ast::ExplainStmt) -> common::Oid {
    explain::result_type(e)
}

fn checkpoint(ctx: &CommandCtx<'_>) -> common::Result<String> {
    if !ctx.host.is_superuser() {
        common::bail!(INSUFFICIENT_PRIVILEGE, "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
    }
    ctx.host.request_checkpoint()?;
    Ok("CHECKPOINT".into())
}

/// A lock mode by PostgreSQL's number (1 AccessShare … 8 AccessExclusive).
pub fn lock_mode(number: u8) -> LockMode {
    LockMode::from_u8(number).unwrap_or(LockMode::AccessExclusive)
}

/// Creates the system views in a fresh cluster.
pub fn bootstrap_views(
    _engine: &std::rc::Rc<transam::Engine>,
    _catalog: &std::rc::Rc<catalog::Catalog>,
) -> common::Result<()> {
    Ok(())
}
