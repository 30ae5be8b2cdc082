//! Utility statements: DDL, COPY, VACUUM, ANALYZE, EXPLAIN and others, and the SQL functions that need the database. The
//! session loop hands over what is neither a query nor bound to the session itself (transactions, settings, cursors,
//! prepared statements stay there).
#![forbid(unsafe_code)]

pub mod acl;
pub mod aclcheck;
pub mod admin;
mod alter_table;
mod analysis;
mod analyze_table;
pub mod autovacuum;
mod cast;
mod cluster;
mod collation;
mod columns;
mod comment;
mod constraint;
mod copy;
mod create_as;
mod create_like;
mod create_table;
pub mod ctx;
mod database;
pub mod database_locale;
mod default_privileges;
mod drop;
mod explain;
mod expr_depend;
pub mod extension;
mod foreign_key;
mod frozen_ids;
pub mod functions;
mod grant;
mod index;
mod index_build;
mod information_schema;
mod inherit;
mod internal_triggers;
pub mod large_object;
mod lock;
mod matview;
mod naming;
mod object_address;
mod opclass;
mod operator;
mod owned;
pub mod query_ids;
mod read_only;
mod reindex;
mod relation;
mod relfilenode;
mod reloptions;
mod rename;
mod role;
mod role_config;
pub mod roles;
pub mod routine;
mod run_query;
mod rusage;
mod schema;
pub mod sequence;
mod sequence_ddl;
mod set_constraints;
pub mod set_value;
mod stat_views;
mod statistics;
mod system_views;
mod table_rewrite;
mod table_scan;
mod target;
pub mod temp;
mod truncate;
mod typed_table;
mod user_type;
mod vacuum;
mod vacuum_delay;
mod vacuum_report;
mod vacuum_settings;
mod view;
mod volatility;

pub use ctx::{CommandCtx, CopyFormat, FnEnv, Host};
pub use system_views::bootstrap_views;
use transam::lock::LockMode;

/// Runs a utility statement and returns its command tag. Statements of other kinds are a bug of the caller (XX000).
pub fn run(ctx: &CommandCtx<'_>, stmt: &parser::ast::Statement) -> common::Result<String> {
    use parser::ast::Statement as S;
    read_only::check(ctx, stmt)?;
    match stmt {
        S::CreateTable(s) => create_table::create(ctx, s),
        S::Index(s) => index::create(ctx, s),
        S::CreateSequence(s) => sequence_ddl::create(ctx, s),
        S::AlterSequence(s) => sequence_ddl::alter(ctx, s),
        S::AlterTable(s) => alter_table::run(ctx, s),
        S::CompositeType(s) => user_type::composite::create(ctx, s),
        S::CreateEnum(s) => user_type::create_enum(ctx, s),
        S::AlterEnum(s) => user_type::alter_enum(ctx, s),
        S::CreateDomain(s) => user_type::create_domain(ctx, s),
        S::AlterDomain(s) => user_type::alter_domain(ctx, s),
        S::CreateFunction(s) => routine::create(ctx, s),
        S::Define(s) if s.kind == parser::ast::ObjectType::Aggregate => routine::create_aggregate(ctx, s),
        S::Define(s) if s.kind == parser::ast::ObjectType::Operator => operator::create(ctx, s),
        S::Define(s) if s.kind == parser::ast::ObjectType::Type && s.definition.is_empty() => {
            user_type::shell::create(ctx, s)
        }
        S::Define(s) if s.kind == parser::ast::ObjectType::Type => user_type::create_base(ctx, s),
        S::AlterOperator(s) => operator::alter(ctx, s),
        S::CreateOpClass(s) => opclass::create(ctx, s),
        S::CreateOpFamily(s) => opclass::create_family(ctx, s),
        S::AlterOpFamily(s) => opclass::alter_family(ctx, s),
        S::CreateCast(s) => cast::create(ctx, s),
        S::CreateRange(s) => user_type::create_range(ctx, s),
        S::AlterFunction(s) => routine::alter(ctx, s),
        S::Call(s) => routine::call_procedure(ctx, s),
        S::Do(s) => routine::do_block(ctx, s),
        S::Drop(s) => drop::run(ctx, s),
        S::Truncate(s) => truncate::run(ctx, s),
        S::Copy(s) => copy::run(ctx, s),
        S::Vacuum(s) => vacuum::run(ctx, s),
        S::Explain(s) => explain::run(ctx, s),
        S::Checkpoint => checkpoint(ctx),
        S::Constraints(s) => set_constraints::run(ctx, s),
        S::AlterDefaultPrivileges(s) => default_privileges::alter(ctx, s),
        S::DropOwned(s) => owned::drop(ctx, s),
        S::ReassignOwned(s) => owned::reassign(ctx, s),
        S::Cluster(s) => cluster::run(ctx, s),
        S::Lock(s) => lock::run(ctx, s),
        S::CreateTableAs(s) => create_as::create(ctx, s),
        S::View(s) => view::create(ctx, s),
        S::RefreshMatView(s) => matview::refresh(ctx, s),
        S::Rename(s) => rename::rename(ctx, s),
        S::AlterOwner(s) => rename::owner(ctx, s),
        S::AlterObjectSchema(s) => rename::set_schema(ctx, s),
        S::Comment(s) => comment::run(ctx, s),
        S::Reindex(s) => reindex::run(ctx, s),
        S::CreateSchema(s) => schema::create(ctx, s),
        S::CreateRole(s) => role::create(ctx, s),
        S::AlterRole(s) => role::alter(ctx, s),
        S::AlterRoleSet(s) => role_config::alter_role_set(ctx, s),
        S::DropRole(s) => role::drop(ctx, s),
        S::GrantRole(s) => role::grant(ctx, s),
        S::Grant(s) => grant::run(ctx, s),
        S::CreateDatabase(s) => database::create(ctx, s),
        S::DropDatabase(s) => database::drop(ctx, s),
        S::AlterCollation(s) => collation::refresh(ctx, s),
        S::AlterDatabaseRefreshColl(s) => database_locale::refresh(ctx, s),
        S::AlterDatabase(s) => database::alter(ctx, s),
        S::AlterDatabaseSet(s) => database::alter_set(ctx, s),
        S::CreateStats(s) => statistics::create(ctx, s),
        S::AlterStats(s) => statistics::alter::set_target(ctx, s),
        S::CreateExtension(s) => extension::create(ctx, s),
        S::AlterExtension(s) => extension::alter(ctx, s),
        S::AlterExtensionContents(s) => extension::alter_contents(ctx, s),
        S::Define(s) if s.kind == parser::ast::ObjectType::Collation => collation::create(ctx, s),
        other => Err(common::Error::unsupported(statement_name(other))),
    }
}

/// The first word of a statement's node, for the refusal of what is not there.
fn statement_name(stmt: &parser::ast::Statement) -> String {
    let shown = format!("{stmt:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_string()
}

pub use explain::run_planned as explain_planned;

/// Type of EXPLAIN's result column: text, or json by FORMAT.
pub fn explain_type(e: &parser::ast::ExplainStmt) -> common::Oid {
    explain::result_type(e)
}

fn checkpoint(ctx: &CommandCtx<'_>) -> common::Result<String> {
    const PG_CHECKPOINT: common::Oid = common::Oid(4544);
    if !ctx.host.is_superuser() && !roles::has_privs_of(ctx.catalog, ctx.host.role(), PG_CHECKPOINT)? {
        common::bail!(
            INSUFFICIENT_PRIVILEGE,
            "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT"
        );
    }
    ctx.host.request_checkpoint()?;
    Ok("CHECKPOINT".into())
}

/// A lock mode by PostgreSQL's number (1 AccessShare … 8 AccessExclusive).
pub fn lock_mode(number: u8) -> LockMode {
    LockMode::from_u8(number).unwrap_or(LockMode::AccessExclusive)
}
