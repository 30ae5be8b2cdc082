//! ALTER TABLE: the subcommands in PostgreSQL's order of passes, under the strongest lock any of them needs.

mod constraint;

pub use constraint::find as find_constraint;

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::target;
use catalog::Ref;
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use transam::LockMode;

use AlterTableCmd as Cmd;

fn lock_of(c: &Cmd) -> LockMode {
    match c {
        Cmd::SetStatistics { .. }
        | Cmd::ValidateConstraint { .. }
        | Cmd::SetRelOptions(_)
        | Cmd::ResetRelOptions(_)
        | Cmd::SetOptions { .. }
        | Cmd::ResetOptions { .. }
        | Cmd::ClusterOn { .. }
        | Cmd::DropCluster => LockMode::ShareUpdateExclusive,
        Cmd::AddConstraint(k) if k.contype == ConstrType::Foreign => LockMode::ShareRowExclusive,
        _ => LockMode::AccessExclusive,
    }
}

/// PostgreSQL's passes: dropping before altering before adding.
fn pass(c: &Cmd) -> u8 {
    match c {
        Cmd::DropColumn { .. } | Cmd::DropConstraint { .. } | Cmd::DropNotNull { .. } => 0,
        Cmd::AlterColumnType { .. } => 1,
        Cmd::AddColumn { .. } => 4,
        Cmd::AddConstraint(k) if matches!(k.contype, ConstrType::Primary | ConstrType::Unique) => 7,
        Cmd::AddConstraint(k) if k.contype == ConstrType::Foreign => 8,
        Cmd::AddConstraint(_) => 6,
        Cmd::SetNotNull { .. } => 5,
        Cmd::ColumnDefault { default: None, .. } | Cmd::DropIdentity { .. } => 0,
        _ => 5,
    }
}

/// The kind of relation the statement's words name.
fn check_kind(s: &AlterTableStmt, r: &Relation) -> Result<()> {
    let ok = match s.objtype {
        ObjectType::Table => matches!(r.kind, b'r' | b'p' | b'v' | b'm' | b'i' | b'S' | b'f'),
        ObjectType::Index => r.kind == b'i',
        ObjectType::Sequence => r.kind == b'S',
        ObjectType::View => r.kind == b'v',
        ObjectType::MatView => r.kind == b'm',
        _ => return Err(Error::unsupported(format_args!("ALTER {:?}", s.objtype))),
    };
    if ok {
        return Ok(());
    }
    let (article, word) = match s.objtype {
        ObjectType::Index => ("an", "index"),
        ObjectType::Sequence => ("a", "sequence"),
        ObjectType::View => ("a", "view"),
        ObjectType::MatView => ("a", "materialized view"),
        _ => ("a", "table"),
    };
    bail!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {word}", r.name)
}

fn tag(t: ObjectType) -> &'static str {
    match t {
        ObjectType::Index => "ALTER INDEX",
        ObjectType::Sequence => "ALTER SEQUENCE",
        ObjectType::View => "ALTER VIEW",
        ObjectType::MatView => "ALTER MATERIALIZED VIEW",
        _ => "ALTER TABLE",
    }
}

/// Runs ALTER TABLE (INDEX, VIEW, SEQUENCE …).
pub fn run(ctx: &CommandCtx<'_>, s: &AlterTableStmt) -> Result<String> {
    let mode = s.cmds.iter().map(lock_of).max().unwrap_or(LockMode::AccessExclusive);
    let Some(rel) = target::lock_relation(ctx, &s.relation, mode)? else {
        if s.missing_ok {
            notice(ctx, format!("relation \"{}\" does not exist, skipping", s.relation.relname));
            return Ok(tag(s.objtype).into());
        }
        return Err(target::undefined(ctx, &s.relation));
    };
    check_kind(s, &rel)?;
    target::check_relation_owner(ctx, &rel)?;
    target::check_not_catalog(&rel)?;
    let mut cmds: Vec<&Cmd> = s.cmds.iter().collect();
    cmds.sort_by_key(|c| pass(c));
    for c in cmds {
        command(ctx, rel.oid, c)?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(tag(s.objtype).into())
}

/// A subcommand is for tables.
fn require_table(r: &Relation, what: &str) -> Result<()> {
    if r.kind == b'r' {
        return Ok(());
    }
    let kinds = match r.kind {
        b'v' => "views",
        b'i' => "indexes",
        b'S' => "sequences",
        _ => "such relations",
    };
    Err(common::err!(WRONG_OBJECT_TYPE, "ALTER action {what} cannot be performed on relation \"{}\"", r.name)
        .detail(format!("This operation is not supported for {kinds}.")))
}

/// Number of a column; 42703 if there is none.
pub fn column_number(r: &Relation, name: &str) -> Result<i16> {
    match r.desc.attrs.iter().position(|a| !a.dropped && a.name == name) {
        Some(i) => Ok(i as i16 + 1),
        None if crate::create_table::is_system_column(name) => {
            bail!(FEATURE_NOT_SUPPORTED, "cannot alter system column \"{name}\"")
        }
        None => bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", r.name),
    }
}

fn command(ctx: &CommandCtx<'_>, oid: Oid, c: &Cmd) -> Result<()> {
    let rel: Ref<Relation> = ctx.catalog.relation(oid)?;
    match c {
        Cmd::AddConstraint(k) => {
            require_table(&rel, "ADD CONSTRAINT")?;
            constraint::add(ctx, &rel, k)
        }
        Cmd::DropConstraint { name, behavior, missing_ok } => {
            constraint::drop(ctx, &rel, name, *behavior, *missing_ok)
        }
        Cmd::ValidateConstraint { name } => constraint::validate(ctx, &rel, name),
        other => Err(Error::unsupported(format_args!("ALTER TABLE {other:?}"))),
    }
}
