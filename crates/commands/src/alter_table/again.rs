//! What a changed column type forces to be dropped and made again: constraints and indexes whose expressions were resolved for the
//! old type. They are kept as SQL and resolved anew, as PostgreSQL does.

use super::work::Work;
use crate::analysis::lost;
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::functions::definition;
use analyze::names::{quote_ident, quote_qualified};
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result};
use parser::ast::{AlterTableCmd, DropBehavior, Statement};
use types::Datum;

/// Order in which things are made again.
const INDEX: u8 = 0;
const CONSTRAINT: u8 = 1;
const FOREIGN: u8 = 2;

fn table_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    let r = ctx.catalog.relation(oid)?;
    Ok(quote_qualified(ctx.catalog.namespace_name(r.namespace)?.as_deref(), &r.name))
}

/// Remembers a constraint and drops it.
pub fn constraint(ctx: &CommandCtx<'_>, w: &mut Work, oid: Oid) -> Result<()> {
    use pg_constraint::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(()) };
    let table = r.oid(CONRELID);
    if table != w.old.oid {
        crate::target::lock_oid(ctx, table, transam::LockMode::AccessExclusive)?;
    }
    let text = ctx
        .env
        .with_call_ctx(types::Collation::NONE, |c| definition::constraint(c, oid))?
        .ok_or_else(|| lost("constraint", oid))?;
    let order = if r.char(CONTYPE) == b'f' { FOREIGN } else { CONSTRAINT };
    let name = quote_ident(r.str(CONNAME));
    w.again.push((order, format!("ALTER TABLE {} ADD CONSTRAINT {name} {text}", table_name(ctx, table)?)));
    let address = ObjectAddress::new(TABLE, oid);
    // Foreign keys that point at a key are remembered before it goes.
    for d in ctx.catalog.dependents(address)?.into_iter().filter(|d| d.depender.class == pg_class::TABLE) {
        for f in ctx.catalog.dependents(d.depender)?.into_iter().filter(|f| f.depender.class == TABLE) {
            constraint(ctx, w, f.depender.object)?;
        }
    }
    walk::drop_objects(ctx, &[address], DropBehavior::Restrict, true)
}

/// Remembers an index without a constraint and drops it.
pub fn index(ctx: &CommandCtx<'_>, w: &mut Work, oid: Oid) -> Result<()> {
    let text = ctx
        .env
        .with_call_ctx(types::Collation::NONE, |c| definition::index(c, oid))?
        .ok_or_else(|| lost("index", oid))?;
    w.again.push((INDEX, text));
    walk::drop_objects(ctx, &[ObjectAddress::new(pg_class::TABLE, oid)], DropBehavior::Restrict, true)
}

/// Remembers a statistics object and drops it. Its data goes, its comment stays.
pub fn statistics(ctx: &CommandCtx<'_>, w: &mut Work, oid: Oid) -> Result<()> {
    let text = ctx
        .env
        .with_call_ctx(types::Collation::NONE, |c| crate::functions::statistics::statement(c, oid))?
        .ok_or_else(|| lost("statistics object", oid))?;
    let address = ObjectAddress::new(pg_statistic_ext::TABLE, oid);
    w.again.push((INDEX, text.clone()));
    if let Some(c) = crate::comment::of(ctx, address)? {
        let name = statistics_name(ctx, oid)?;
        let quoted = analyze::names::quote_literal(&c);
        w.again.push((CONSTRAINT, format!("COMMENT ON STATISTICS {name} IS {quoted}")));
    }
    walk::drop_objects(ctx, &[address], DropBehavior::Restrict, true)
}

fn statistics_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    use pg_statistic_ext::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let r = rows.first().ok_or_else(|| lost("statistics object", oid))?;
    Ok(quote_qualified(ctx.catalog.namespace_name(r.oid(STXNAMESPACE))?.as_deref(), r.str(STXNAME)))
}

/// Makes everything again.
pub fn make(ctx: &CommandCtx<'_>, w: &mut Work) -> Result<()> {
    let mut all = std::mem::take(&mut w.again);
    all.sort_by_key(|a| a.0);
    for (_, sql) in all {
        one(ctx, w, &sql).map_err(|mut e| {
            // A position would point into text the user never wrote.
            e.report_mut().position = None;
            e
        })?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(())
}

fn one(ctx: &CommandCtx<'_>, w: &mut Work, sql: &str) -> Result<()> {
    let parsed = parser::parse(sql)?;
    match parsed.first().map(|s| &s.stmt) {
        Some(Statement::Index(s)) => crate::index::create_for_rewrite(ctx, s, w.rewrites()).map(|_| ()),
        Some(Statement::CreateStats(s)) => crate::statistics::create(ctx, s).map(|_| ()),
        Some(Statement::Comment(s)) => crate::comment::run(ctx, s).map(|_| ()),
        Some(Statement::AlterTable(s)) => {
            let rel = crate::target::open_relation(ctx, &s.relation, transam::LockMode::AccessExclusive)?;
            for c in &s.cmds {
                if let AlterTableCmd::AddConstraint(k) = c {
                    super::constraint::add(ctx, w, &rel, k)?;
                }
            }
            Ok(())
        }
        _ => Err(Error::internal("a definition that does not parse")),
    }
}
