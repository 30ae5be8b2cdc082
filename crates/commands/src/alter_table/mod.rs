//! ALTER TABLE: the subcommands in PostgreSQL's order of passes, under the strongest lock any of them needs.

pub mod again;
mod attributes;
pub mod column;
mod column_type;
mod constraint;
mod persistence;
pub mod work;

pub use constraint::find as find_constraint;

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::inherit::alter as inherit;
use crate::reloptions::{self, OptionsOf};
use crate::target;
use crate::typed_table;
use catalog::columns::pg_class;
use catalog::desc::Relation;
use catalog::{Ref, literal};
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

use AlterTableCmd as Cmd;
use work::Work;

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

/// What was dropped for a type's sake is made again between these passes.
const PASS_ALTER_TYPE: u8 = 1;
const PASS_ADD_COLUMN: u8 = 4;

/// PostgreSQL's passes: dropping before altering before adding.
fn pass(c: &Cmd) -> u8 {
    match c {
        Cmd::DropColumn { .. }
        | Cmd::DropConstraint { .. }
        | Cmd::DropNotNull { .. }
        | Cmd::DropExpression { .. }
        | Cmd::DropInherit(_)
        | Cmd::DropIdentity { .. }
        | Cmd::ColumnDefault { default: None, .. } => 0,
        Cmd::AlterColumnType { .. } => PASS_ALTER_TYPE,
        Cmd::AddColumn { .. } => PASS_ADD_COLUMN,
        Cmd::AddConstraint(k) => match k.contype {
            ConstrType::Primary | ConstrType::Unique | ConstrType::Exclusion => 7,
            ConstrType::Foreign => 9,
            _ => 9,
        },
        Cmd::ColumnDefault { .. } => PASS_ADD_COLUMN + 1,
        Cmd::SetNotNull { .. } | Cmd::AddIdentity { .. } | Cmd::SetIdentity { .. } => 6,
        Cmd::SetStorage { .. } | Cmd::SetStatistics { .. } | Cmd::SetCompression { .. } => 10,
        _ => 10,
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
        ObjectType::Type => r.kind == b'c',
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
        ObjectType::Type => ("a", "composite type"),
        _ if r.kind == b'c' => {
            return Err(common::err!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", r.name)
                .hint("Use ALTER TYPE instead."));
        }
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
        ObjectType::Type => "ALTER TYPE",
        ObjectType::ForeignTable => "ALTER FOREIGN TABLE",
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
    target::check_not_in_use(ctx, rel.oid, &rel.name, tag(s.objtype))?;
    let mut cmds: Vec<&Cmd> = s.cmds.iter().collect();
    cmds.sort_by_key(|c| pass(c));
    let mut work = Work::new(rel.clone());
    let (recurse, mut below) = (s.relation.inh, inherit::Below::default());
    for c in cmds {
        if pass(c) > PASS_ALTER_TYPE {
            again::make(ctx, &mut work)?;
        }
        let was = ctx.catalog.relation(rel.oid)?;
        typed_table::refuse(&was, c)?;
        let tables = typed_table::affected(ctx, &was, c)?;
        inherit::before(ctx, &was, c, recurse)?;
        command(ctx, &mut work, rel.oid, c)?;
        ctx.engine.command_counter_increment()?;
        inherit::after(ctx, &was, c, recurse, &mut below)?;
        typed_table::cascade(ctx, &tables, c, &mut below)?;
    }
    again::make(ctx, &mut work)?;
    work.finish(ctx)?;
    below.finish(ctx)?;
    Ok(tag(s.objtype).into())
}

/// Adds a constraint to a table below the one the statement names.
pub fn add_constraint(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Ref<Relation>, k: &Constraint) -> Result<()> {
    constraint::add(ctx, w, rel, k)
}

/// Drops one from such a table.
pub fn drop_constraint(ctx: &CommandCtx<'_>, rel: &Relation, name: &str) -> Result<()> {
    constraint::drop(ctx, rel, name, DropBehavior::Restrict, false)
}

/// A subcommand is for tables.
fn require_table(r: &Relation, what: &str) -> Result<()> {
    require(r, b"r", what)
}

/// A subcommand is for these kinds of relations.
fn require(r: &Relation, kinds: &[u8], what: &str) -> Result<()> {
    if kinds.contains(&r.kind) {
        return Ok(());
    }
    let kinds = match r.kind {
        b'm' => "materialized views",
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

pub fn command(ctx: &CommandCtx<'_>, w: &mut Work, oid: Oid, c: &Cmd) -> Result<()> {
    let rel: Ref<Relation> = ctx.catalog.relation(oid)?;
    match c {
        Cmd::AddConstraint(k) => {
            require_table(&rel, "ADD CONSTRAINT")?;
            constraint::add(ctx, w, &rel, k)
        }
        Cmd::DropConstraint { name, behavior, missing_ok } => {
            constraint::drop(ctx, &rel, name, *behavior, *missing_ok)
        }
        Cmd::AlterConstraint(c) => constraint::alter(ctx, &rel, c),
        Cmd::ValidateConstraint { name } => constraint::validate(ctx, &rel, name),
        Cmd::AddColumn { def, .. } if rel.kind == b'c' => column::add_attribute(ctx, &rel, def),
        Cmd::AlterColumnType { name, type_name, coll_clause, .. } if rel.kind == b'c' => {
            column_type::alter_attribute(ctx, &rel, name, type_name, coll_clause.as_ref())
        }
        Cmd::AddColumn { def, missing_ok, .. } => {
            require_table(&rel, "ADD COLUMN")?;
            column::add(ctx, w, &rel, def, *missing_ok)
        }
        Cmd::AlterColumnType { name, type_name, coll_clause, using, .. } => {
            require_table(&rel, "ALTER COLUMN ... SET DATA TYPE")?;
            column_type::alter(ctx, w, &rel, name, type_name, coll_clause.as_ref(), using.as_ref())
        }
        Cmd::DropColumn { name, behavior, missing_ok } => {
            if rel.kind != b'c' {
                require_table(&rel, "DROP COLUMN")?;
            }
            column::drop(ctx, &rel, name, *behavior, *missing_ok)
        }
        Cmd::ColumnDefault { name, default } => {
            if rel.kind != b'v' {
                require_table(&rel, "ALTER COLUMN ... SET DEFAULT")?;
            }
            column::set_default(ctx, &rel, name, default.as_ref())
        }
        Cmd::SetNotNull { name } => {
            require_table(&rel, "ALTER COLUMN ... SET NOT NULL")?;
            column::set_not_null(ctx, w, &rel, name)
        }
        Cmd::DropNotNull { name } => {
            require_table(&rel, "ALTER COLUMN ... DROP NOT NULL")?;
            column::drop_not_null(ctx, &rel, name)
        }
        Cmd::SetStatistics { name, num, value } => {
            attributes::set_statistics(ctx, &rel, name.as_deref(), *num, *value)
        }
        Cmd::SetOptions { name, options } => attributes::column_options(ctx, &rel, name, options, false),
        Cmd::ResetOptions { name, options } => attributes::column_options(ctx, &rel, name, options, true),
        Cmd::SetCompression { name, method } => {
            require(&rel, b"rm", "ALTER COLUMN ... SET COMPRESSION")?;
            attributes::set_compression(ctx, &rel, name, method)
        }
        Cmd::DropExpression { name, missing_ok } => {
            require_table(&rel, "ALTER COLUMN ... DROP EXPRESSION")?;
            attributes::drop_expression(ctx, &rel, name, *missing_ok)
        }
        Cmd::ClusterOn { name } => {
            require(&rel, b"rm", "CLUSTER ON")?;
            attributes::cluster_on(ctx, &rel, Some(name))
        }
        Cmd::DropCluster => {
            require(&rel, b"rm", "SET WITHOUT CLUSTER")?;
            attributes::cluster_on(ctx, &rel, None)
        }
        Cmd::ReplicaIdentity(r) => {
            require_table(&rel, "REPLICA IDENTITY")?;
            attributes::replica_identity(ctx, &rel, r)
        }
        Cmd::SetAccessMethod { name } => {
            require(&rel, b"rm", "SET ACCESS METHOD")?;
            attributes::set_access_method(ctx, name)
        }
        Cmd::SetTableSpace { name } => crate::index::check_tablespace(Some(name)),
        // Tables never have oids.
        Cmd::DropOids => require_table(&rel, "SET WITHOUT OIDS"),
        Cmd::SetLogged | Cmd::SetUnLogged => {
            let logged = matches!(c, Cmd::SetLogged);
            require(&rel, b"rS", if logged { "SET LOGGED" } else { "SET UNLOGGED" })?;
            persistence::set(ctx, w, &rel, if logged { b'p' } else { b'u' })
        }
        Cmd::SetStorage { name, storage } => {
            require(&rel, b"rm", "ALTER COLUMN ... SET STORAGE")?;
            column::set_storage(ctx, &rel, name, storage)
        }
        Cmd::AddIdentity { name, def } => {
            require_table(&rel, "ALTER COLUMN ... ADD IDENTITY")?;
            column::add_identity(ctx, &rel, name, def)
        }
        Cmd::SetIdentity { name, options } => column::set_identity(ctx, &rel, name, options),
        Cmd::DropIdentity { name, missing_ok } => column::drop_identity(ctx, &rel, name, *missing_ok),
        Cmd::ChangeOwner(r) => {
            let owner = target::role(ctx, r)?;
            crate::rename::change_relation_owner(ctx, oid, owner, true)
        }
        Cmd::SetRelOptions(o) => options(ctx, &rel, o, false),
        Cmd::ResetRelOptions(o) => options(ctx, &rel, o, true),
        Cmd::AddInherit(parent) => {
            require_table(&rel, "INHERIT")?;
            crate::inherit::attach::inherit(ctx, &rel, parent)
        }
        Cmd::DropInherit(parent) => {
            require_table(&rel, "NO INHERIT")?;
            crate::inherit::attach::no_inherit(ctx, &rel, parent)
        }
        Cmd::AddOf(tn) => {
            require_table(&rel, "OF")?;
            crate::typed_table::attach(ctx, &rel, tn)
        }
        Cmd::DropOf => {
            require_table(&rel, "NOT OF")?;
            crate::typed_table::detach(ctx, &rel)
        }
        other => Err(Error::unsupported(format_args!("ALTER TABLE {}", command_name(other)))),
    }
}

/// The first word of a subcommand's node, for refusals.
fn command_name(c: &Cmd) -> String {
    let shown = format!("{c:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_string()
}

/// SET (…) and RESET (…).
fn options(ctx: &CommandCtx<'_>, rel: &Relation, defs: &[DefElem], reset: bool) -> Result<()> {
    let of = match rel.kind {
        b'i' => OptionsOf::Index,
        b'v' => OptionsOf::View,
        b'r' | b'm' => OptionsOf::Table,
        _ => return Err(Error::unsupported("storage parameters of this relation")),
    };
    let merged = reloptions::merge(of, &rel.options, defs, reset)?;
    let value = if merged.is_empty() { Datum::Null } else { literal::text_array(&merged) };
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELOPTIONS, value)])
}
