//! REINDEX: indexes built anew in new files.

use crate::ctx::CommandCtx;
use crate::{index_build, relfilenode, target};
use catalog::columns::pg_class;
use common::{Error, Oid, Report, Result, Severity, SqlState, bail};
use ipc::progress::{Command, Reporting, create_index as progress};
use parser::ast::{DefArg, ReindexObjectType, ReindexStmt};
use transam::LockMode;

/// Options of REINDEX.
#[derive(Clone, Copy, Default)]
struct Options {
    verbose: bool,
}

fn options(s: &ReindexStmt) -> Result<Options> {
    let mut o = Options::default();
    for p in &s.params {
        match p.defname.as_str() {
            "verbose" => o.verbose = crate::vacuum::flag(p)?,
            "concurrently" => {
                if crate::vacuum::flag(p)? {
                    return Err(Error::unsupported("REINDEX CONCURRENTLY"));
                }
            }
            "tablespace" => {
                let name = match &p.arg {
                    Some(DefArg::String(s)) => Some(s.as_str()),
                    _ => None,
                };
                crate::index::check_tablespace(name)?;
            }
            other => {
                return Err(
                    common::err!(SYNTAX_ERROR, "unrecognized REINDEX option \"{other}\"").at(p.location)
                );
            }
        }
    }
    Ok(o)
}

fn one(ctx: &CommandCtx<'_>, table: Oid, index: Oid, o: Options) -> Result<()> {
    let reported = Reporting::begin(&ctx.engine.proc().progress, Command::CreateIndex, table.0);
    reported.set(progress::COMMAND, 3);
    reported.set(progress::INDEX, i64::from(index.0));
    target::lock_oid(ctx, index, LockMode::AccessExclusive)?;
    let timer = crate::rusage::Timer::start();
    relfilenode::replace(ctx, index)?;
    index_build::build(ctx, table, index)?;
    if o.verbose {
        let text = format!("index \"{}\" was reindexed", ctx.catalog.index(index)?.name);
        let mut r = Report::new(Severity::Info, SqlState::SUCCESSFUL_COMPLETION, text);
        r.detail = Some(timer.show());
        ctx.host.notice(r);
    }
    Ok(())
}

/// A table's indexes and those of its TOAST table; false if there are none.
fn table(ctx: &CommandCtx<'_>, oid: Oid, o: Options) -> Result<bool> {
    target::lock_oid(ctx, oid, LockMode::Share)?;
    let indexes = ctx.catalog.relation(oid)?.indexes.clone();
    let mut any = !indexes.is_empty();
    for ix in indexes {
        one(ctx, oid, ix, o)?;
    }
    let toast = target::class_row(ctx.catalog, oid)?.oid(pg_class::RELTOASTRELID);
    if toast.is_valid() {
        target::lock_oid(ctx, toast, LockMode::Share)?;
        let indexes = ctx.catalog.relation(toast)?.indexes.clone();
        any |= !indexes.is_empty();
        for ix in indexes {
            one(ctx, toast, ix, o)?;
        }
    }
    Ok(any)
}

/// Runs REINDEX.
pub fn run(ctx: &CommandCtx<'_>, s: &ReindexStmt) -> Result<String> {
    let o = options(s)?;
    match (s.kind, &s.relation) {
        (ReindexObjectType::Index, Some(rv)) => {
            if let Some(oid) = target::find_relation(ctx, rv)? {
                let r = ctx.catalog.relation(oid)?;
                if r.kind == b'i' {
                    target::lock_oid(ctx, ctx.catalog.index(oid)?.table, LockMode::Share)?;
                }
            }
            let r = target::open_relation(ctx, rv, LockMode::AccessExclusive)?;
            if r.kind != b'i' {
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not an index", r.name);
            }
            target::check_relation_owner(ctx, &r)?;
            refuse_catalog(r.oid)?;
            one(ctx, ctx.catalog.index(r.oid)?.table, r.oid, o)?;
        }
        (ReindexObjectType::Table, Some(rv)) => {
            let r = target::open_relation(ctx, rv, LockMode::Share)?;
            if !matches!(r.kind, b'r' | b't' | b'm') {
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table or materialized view", r.name);
            }
            target::check_relation_owner(ctx, &r)?;
            refuse_catalog(r.oid)?;
            if !table(ctx, r.oid, o)? {
                let text = format!("table \"{}\" has no indexes to reindex", r.name);
                ctx.host.notice(Report::new(Severity::Notice, SqlState::SUCCESSFUL_COMPLETION, text));
            }
        }
        (ReindexObjectType::System, _) => return Err(Error::unsupported("REINDEX SYSTEM")),
        (kind, _) => many(ctx, kind, s.name.as_deref(), o)?,
    }
    Ok("REINDEX".into())
}

/// The files of system catalogs are found by fixed numbers.
fn refuse_catalog(oid: Oid) -> Result<()> {
    if oid < Oid::FIRST_NORMAL {
        return Err(Error::unsupported("REINDEX of a system catalog"));
    }
    Ok(())
}

fn many(ctx: &CommandCtx<'_>, kind: ReindexObjectType, name: Option<&str>, o: Options) -> Result<()> {
    let ns = match (kind, name) {
        (ReindexObjectType::Schema, Some(n)) => Some(ctx.catalog.require_namespace(n)?),
        (ReindexObjectType::Database, Some(n)) if n != ctx.host.database_name() => {
            bail!(FEATURE_NOT_SUPPORTED, "can only reindex the currently open database")
        }
        _ => None,
    };
    let word = if ns.is_some() { "REINDEX SCHEMA" } else { "REINDEX DATABASE" };
    ctx.engine.prevent_in_block(ctx.top_level, word)?;
    for r in ctx.catalog.scan_all(pg_class::TABLE)? {
        use pg_class::*;
        let wanted = r.char(RELKIND) == b'r'
            && r.oid(OID) >= Oid::FIRST_NORMAL
            && ns.is_none_or(|n| r.oid(RELNAMESPACE) == n);
        if wanted && target::owns(ctx, r.oid(RELOWNER))? {
            table(ctx, r.oid(OID), o)?;
        }
    }
    Ok(())
}
