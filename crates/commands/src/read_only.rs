//! What a read-only transaction refuses: every statement that changes what a dump would show. VACUUM, ANALYZE, REINDEX
//! and LOCK write and are allowed all the same, as in PostgreSQL; COPY and nextval look for themselves.

use crate::ctx::CommandCtx;
use common::{Result, bail};
use parser::ast::{ObjectType, Statement};

fn object(t: ObjectType) -> &'static str {
    match t {
        ObjectType::Index => "INDEX",
        ObjectType::Sequence => "SEQUENCE",
        ObjectType::View => "VIEW",
        ObjectType::MatView => "MATERIALIZED VIEW",
        ObjectType::Schema => "SCHEMA",
        ObjectType::Database => "DATABASE",
        ObjectType::Role => "ROLE",
        _ => "TABLE",
    }
}

/// The command tag of a statement that writes; `None` if a read-only transaction may run it.
fn writing_tag(stmt: &Statement) -> Option<String> {
    use Statement as S;
    let tag = match stmt {
        S::CreateTable(_) => "CREATE TABLE",
        S::Index(_) => "CREATE INDEX",
        S::CreateSequence(_) => "CREATE SEQUENCE",
        S::AlterSequence(_) => "ALTER SEQUENCE",
        S::AlterTable(s) => return Some(format!("ALTER {}", object(s.objtype))),
        S::Drop(s) => return Some(format!("DROP {}", object(s.remove_type))),
        S::Truncate(_) => "TRUNCATE TABLE",
        S::CreateTableAs(_) => "CREATE TABLE AS",
        S::View(_) => "CREATE VIEW",
        S::Rename(s) => return Some(format!("ALTER {}", object(s.relation_type.unwrap_or(s.rename_type)))),
        S::AlterOwner(s) => return Some(format!("ALTER {}", object(s.object_type))),
        S::AlterObjectSchema(s) => return Some(format!("ALTER {}", object(s.object_type))),
        S::Comment(_) => "COMMENT",
        S::CreateSchema(_) => "CREATE SCHEMA",
        S::CreateRole(_) => "CREATE ROLE",
        S::AlterRole(_) | S::AlterRoleSet(_) => "ALTER ROLE",
        S::DropRole(_) => "DROP ROLE",
        S::GrantRole(s) => return Some(if s.is_grant { "GRANT ROLE" } else { "REVOKE ROLE" }.into()),
        S::Grant(s) => return Some(if s.is_grant { "GRANT" } else { "REVOKE" }.into()),
        S::CreateDatabase(_) => "CREATE DATABASE",
        S::DropDatabase(_) => "DROP DATABASE",
        S::AlterDatabase(_) | S::AlterDatabaseSet(_) => "ALTER DATABASE",
        _ => return None,
    };
    Some(tag.into())
}

/// 25006 for a statement that writes in a read-only transaction, 25000 for one in a part of a parallel query.
pub fn check(ctx: &CommandCtx<'_>, stmt: &Statement) -> Result<()> {
    if ctx.engine.in_parallel_mode()
        && let Some(tag) = writing_tag(stmt)
    {
        ctx.engine.not_in_parallel_mode(&format!("execute {tag}"))?;
    }
    if ctx.engine.read_only()
        && let Some(tag) = writing_tag(stmt)
    {
        bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute {tag} in a read-only transaction");
    }
    Ok(())
}
