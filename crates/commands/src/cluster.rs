//! CLUSTER and VACUUM FULL: a table written anew, in an index's order or as it is.

use crate::ctx::CommandCtx;
use crate::{table_rewrite, table_scan, target};
use catalog::Ref;
use catalog::columns::*;
use catalog::desc::{IndexDesc, Relation};
use common::{Error, Oid, Report, Result, Severity, SqlState, bail};
use ipc::progress::{Command, Reporting, cluster as progress};
use parser::ast::ClusterStmt;
use transam::LockMode;
use types::Datum;

/// Can the table be ordered by this index?
pub fn check_clusterable(rel: &Relation, ix: &IndexDesc) -> Result<()> {
    if ix.predicate.is_some() {
        bail!(FEATURE_NOT_SUPPORTED, "cannot cluster on partial index \"{}\"", ix.name);
    }
    if !ix.valid {
        bail!(FEATURE_NOT_SUPPORTED, "cannot cluster on invalid index \"{}\"", ix.name);
    }
    debug_assert!(ix.table == rel.oid);
    Ok(())
}

/// Writes a table anew as it is.
pub fn vacuum_full(ctx: &CommandCtx<'_>, rel: &Relation, verbose: bool) -> Result<()> {
    if rel.oid < Oid::FIRST_NORMAL {
        return Err(Error::unsupported("VACUUM FULL of a system catalog"));
    }
    rewrite(ctx, rel, None, verbose)
}

/// The rewrite with VERBOSE's lines around it.
fn rewrite(ctx: &CommandCtx<'_>, rel: &Relation, order: Option<&IndexDesc>, verbose: bool) -> Result<()> {
    let level = if verbose { Severity::Info } else { Severity::Debug2 };
    let say = |text: String, detail: Option<String>| {
        let mut r = Report::new(level, SqlState::SUCCESSFUL_COMPLETION, text);
        r.detail = detail;
        ctx.host.notice(r);
    };
    let name = format!("{}.{}", ctx.catalog.namespace_name(rel.namespace)?.unwrap_or_default(), rel.name);
    let timer = crate::rusage::Timer::start();
    if verbose {
        say(
            match order {
                None => format!("vacuuming \"{name}\""),
                Some(ix) => format!("clustering \"{name}\" using index scan on \"{}\"", ix.name),
            },
            None,
        );
    }
    let heap = table_scan::heap_of(rel)?;
    let reported = Reporting::begin(&ctx.engine.proc().progress, Command::Cluster, rel.oid.0);
    reported.set(progress::COMMAND, if order.is_some() { 1 } else { 2 });
    reported.set(progress::INDEX, order.map_or(0, |ix| i64::from(ix.oid.0)));
    let done = table_rewrite::rewrite_plain(ctx, rel.oid, &heap, order.map(|ix| &ix.rel))?;
    if verbose {
        let text = format!(
            "\"{name}\": found {} removable, {} nonremovable row versions in {} pages",
            done.gone, done.rows, done.pages
        );
        say(text, Some(format!("0 dead row versions cannot be removed yet.\n{}.", timer.show())));
    }
    Ok(())
}

/// Runs CLUSTER.
pub fn run(ctx: &CommandCtx<'_>, s: &ClusterStmt) -> Result<String> {
    let mut verbose = false;
    for p in &s.params {
        match p.defname.as_str() {
            "verbose" => verbose = crate::vacuum::flag(p)?,
            other => {
                return Err(
                    common::err!(SYNTAX_ERROR, "unrecognized CLUSTER option \"{other}\"").at(p.location)
                );
            }
        }
    }
    if let Some(rv) = &s.relation {
        let rel = target::open_relation(ctx, rv, LockMode::AccessExclusive)?;
        if !matches!(rel.kind, b'r' | b'm') {
            bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table or materialized view", rel.name);
        }
        target::check_relation_owner(ctx, &rel)?;
        let index = chosen(ctx, &rel, s.indexname.as_deref())?;
        cluster(ctx, &rel, index, verbose)?;
        return Ok("CLUSTER".into());
    }
    ctx.engine.prevent_in_block(ctx.top_level, "CLUSTER")?;
    let mut all = Vec::new();
    for r in ctx.catalog.scan_all(pg_index::TABLE)? {
        if r.bool(pg_index::INDISCLUSTERED) {
            all.push((r.oid(pg_index::INDRELID), r.oid(pg_index::INDEXRELID)));
        }
    }
    ctx.engine.commit_command()?;
    for (table, index) in all {
        ctx.engine.start_command()?;
        ctx.engine.transaction_snapshot()?;
        target::lock_oid(ctx, table, LockMode::AccessExclusive)?;
        if let Some(rel) = ctx.catalog.relation_if_any(table)?
            && rel.indexes.contains(&index)
            && target::owns(ctx, rel.owner)?
        {
            cluster(ctx, &rel, index, verbose)?;
        }
        ctx.engine.commit_command()?;
    }
    ctx.engine.start_command()?;
    Ok("CLUSTER".into())
}

/// The index named, or the one the table was clustered by before.
fn chosen(ctx: &CommandCtx<'_>, rel: &Relation, name: Option<&str>) -> Result<Oid> {
    let Some(name) = name else {
        for ix in &rel.indexes {
            if ctx.catalog.index(*ix)?.clustered {
                return Ok(*ix);
            }
        }
        bail!(UNDEFINED_OBJECT, "there is no previously clustered index for table \"{}\"", rel.name);
    };
    match ctx.catalog.relation_oid(rel.namespace, name)? {
        Some(oid) if rel.indexes.contains(&oid) => Ok(oid),
        Some(oid) if ctx.catalog.relation(oid)?.kind == b'i' => {
            bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not an index for table \"{}\"", rel.name)
        }
        _ => bail!(UNDEFINED_OBJECT, "index \"{name}\" for table \"{}\" does not exist", rel.name),
    }
}

fn cluster(ctx: &CommandCtx<'_>, rel: &Ref<Relation>, index: Oid, verbose: bool) -> Result<()> {
    if rel.oid < Oid::FIRST_NORMAL {
        return Err(Error::unsupported("CLUSTER of a system catalog"));
    }
    let ix = ctx.catalog.index(index)?;
    check_clusterable(rel, &ix)?;
    target::check_not_in_use(ctx, rel.oid, &rel.name, "CLUSTER")?;
    for other in &rel.indexes {
        use pg_index::*;
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(*other)])? {
            let on = *other == index;
            if r.bool(INDISCLUSTERED) != on {
                ctx.catalog.update_columns(TABLE, &r, &[(INDISCLUSTERED, Datum::Bool(on))])?;
            }
        }
    }
    ctx.engine.command_counter_increment()?;
    rewrite(ctx, rel, Some(&ix), verbose)
}
