//! What messages call statements and routines.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use analyze::names::quote_qualified;
use analyze::query::{CmdType, LockStrength, Query};
use catalog::desc::ProcDesc;
use common::Result;
use parser::ast::{Statement, TransactionStmtKind as Kind};

/// The tag of a transaction statement.
pub fn of_transaction(k: Kind) -> &'static str {
    match k {
        Kind::Begin => "BEGIN",
        Kind::Start => "START TRANSACTION",
        Kind::Commit => "COMMIT",
        Kind::Rollback | Kind::RollbackTo => "ROLLBACK",
        Kind::Savepoint => "SAVEPOINT",
        Kind::Release => "RELEASE",
        Kind::Prepare => "PREPARE TRANSACTION",
        Kind::CommitPrepared => "COMMIT PREPARED",
        Kind::RollbackPrepared => "ROLLBACK PREPARED",
    }
}

/// The tag of a query.
pub fn of_query(q: &Query) -> &'static str {
    match q.command {
        CmdType::Select if !q.row_marks.is_empty() => match q.row_marks[0].strength {
            LockStrength::KeyShare => "SELECT FOR KEY SHARE",
            LockStrength::Share => "SELECT FOR SHARE",
            LockStrength::NoKeyUpdate => "SELECT FOR NO KEY UPDATE",
            LockStrength::Update => "SELECT FOR UPDATE",
        },
        CmdType::Select => "SELECT",
        CmdType::Insert => "INSERT",
        CmdType::Update => "UPDATE",
        CmdType::Delete => "DELETE",
        CmdType::Merge => "MERGE",
    }
}

/// The tag of a utility statement.
pub fn of_statement(s: &Statement) -> String {
    let word = match s {
        Statement::Transaction(t) => return of_transaction(t.kind).into(),
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::CreateTableAs(c) if c.objtype == parser::ast::ObjectType::Table => "CREATE TABLE AS",
        Statement::CreateTableAs(_) => "CREATE MATERIALIZED VIEW",
        Statement::View(_) => "CREATE VIEW",
        Statement::Index(_) => "CREATE INDEX",
        Statement::CreateSequence(_) => "CREATE SEQUENCE",
        Statement::CreateSchema(_) => "CREATE SCHEMA",
        Statement::AlterTable(_) => "ALTER TABLE",
        Statement::Truncate(_) => "TRUNCATE TABLE",
        Statement::Copy(_) => "COPY",
        Statement::Vacuum(v) if v.is_vacuumcmd => "VACUUM",
        Statement::Vacuum(_) => "ANALYZE",
        Statement::Notify(_) => "NOTIFY",
        Statement::Listen(_) => "LISTEN",
        Statement::Unlisten(_) => "UNLISTEN",
        Statement::Lock(_) => "LOCK TABLE",
        Statement::Comment(_) => "COMMENT",
        Statement::Grant(g) if g.is_grant => "GRANT",
        Statement::Grant(_) => "REVOKE",
        Statement::Explain(_) => "EXPLAIN",
        Statement::Prepare(_) => "PREPARE",
        Statement::Execute(_) => "EXECUTE",
        Statement::Deallocate(_) => "DEALLOCATE",
        Statement::DeclareCursor(_) => "DECLARE CURSOR",
        Statement::Fetch(_) => "FETCH",
        Statement::ClosePortal(_) => "CLOSE CURSOR",
        Statement::VariableSet(_) => "SET",
        Statement::VariableShow(_) => "SHOW",
        Statement::Call(_) => "CALL",
        Statement::Do(_) => "DO",
        Statement::Reindex(_) => "REINDEX",
        Statement::Checkpoint => "CHECKPOINT",
        Statement::CreateFunction(f) if f.is_procedure => "CREATE PROCEDURE",
        Statement::CreateFunction(_) => "CREATE FUNCTION",
        Statement::Drop(d) => {
            let kind = format!("{:?}", d.remove_type);
            return format!("DROP {}", kind.to_ascii_uppercase());
        }
        other => return super::super::statement_name(other),
    };
    word.into()
}

/// `f(integer, text)`, with the schema where the name alone would not find it.
pub fn signature(ctx: &CommandCtx<'_>, p: &ProcDesc) -> Result<String> {
    let path = ctx.host.search_path()?;
    let mut schema = None;
    let first = ctx
        .catalog
        .procs_named(&p.name)?
        .into_iter()
        .filter(|o| o.arg_types == p.arg_types)
        .filter_map(|o| path.position_for_functions(o.namespace).map(|n| (n, o.oid)))
        .min();
    if first.is_none_or(|f| f.1 != p.oid) {
        schema = ctx.catalog.namespace_name(p.namespace)?;
    }
    let args = with_analyze(ctx, |a| {
        Ok(p.arg_types.iter().map(|t| analyze::format_type_short(a, *t)).collect::<Vec<_>>().join(","))
    })?;
    Ok(format!("{}({args})", quote_qualified(schema.as_deref(), &p.name)))
}
