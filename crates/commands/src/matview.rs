//! REFRESH MATERIALIZED VIEW: the stored query is run again into new, empty files. CONCURRENTLY asks for what PostgreSQL
//! asks for and takes the ordinary lock: readers wait meanwhile.

use crate::ctx::CommandCtx;
use crate::{relfilenode, run_query, target};
use access::InsertOptions;
use analyze::query::Query;
use catalog::columns::pg_class;
use catalog::desc::Relation;
use common::{Result, bail, err};
use executor::RunOptions;
use executor::expr::colops;
use executor::modify::bulk::BulkInserter;
use parser::ast::RefreshMatViewStmt;
use transam::LockMode;
use types::Datum;

/// Runs REFRESH MATERIALIZED VIEW.
pub fn refresh(ctx: &CommandCtx<'_>, s: &RefreshMatViewStmt) -> Result<String> {
    let mode = if s.concurrent { LockMode::Exclusive } else { LockMode::AccessExclusive };
    let rel = target::open_relation(ctx, &s.relation, mode)?;
    if rel.kind != b'm' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a materialized view", rel.name);
    }
    target::check_relation_owner(ctx, &rel)?;
    if s.concurrent {
        check_concurrent(ctx, &rel, s.skip_data)?;
        target::lock_oid(ctx, rel.oid, LockMode::AccessExclusive)?;
    }
    let Some(text) = &rel.view_query else {
        bail!(INTERNAL_ERROR, "materialized view \"{}\" is missing rewrite information", rel.name);
    };
    let query: Query = analyze::load_expr(text)?;
    // The query is started first: it reads the old contents, should it name the view itself.
    let run = if s.skip_data { None } else { Some(run_query::start(ctx, query)?) };
    relfilenode::replace_table(ctx, rel.oid)?;
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELISPOPULATED, Datum::Bool(!s.skip_data))])?;
    if let Some(run) = run {
        fill(ctx, &rel, run)?;
    }
    Ok("REFRESH MATERIALIZED VIEW".into())
}

fn fill(ctx: &CommandCtx<'_>, rel: &Relation, mut run: executor::QueryRun) -> Result<()> {
    let options = RunOptions { snapshot: Some(ctx.engine.latest_snapshot()?), ..RunOptions::default() };
    let mut into = BulkInserter::new(ctx.env, rel.oid, &options, InsertOptions::default())?;
    let mut rows = into.batch();
    while let Some(b) = run.next(0)? {
        ctx.engine.check_interrupts()?;
        rows.clear();
        for (dst, src) in rows.cols.iter_mut().zip(&b.cols) {
            colops::append_rows(dst, src, b.live());
        }
        rows.rows = b.live_count();
        into.insert(&mut rows)?;
    }
    into.finish()?;
    run.finish()?;
    run.stop();
    ctx.engine.command_counter_increment()
}

fn check_concurrent(ctx: &CommandCtx<'_>, rel: &Relation, skip_data: bool) -> Result<()> {
    if skip_data {
        bail!(SYNTAX_ERROR, "CONCURRENTLY and WITH NO DATA options cannot be used together");
    }
    if !rel.populated {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "CONCURRENTLY cannot be used when the materialized view is not populated"
        );
    }
    for oid in &rel.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if ix.unique && ix.predicate.is_none() && ix.expressions.is_none() {
            return Ok(());
        }
    }
    let schema = ctx.catalog.namespace_name(rel.namespace)?.unwrap_or_default();
    let name = analyze::names::quote_qualified(Some(&schema), &rel.name);
    Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cannot refresh materialized view \"{name}\" concurrently")
        .hint("Create a unique index with no WHERE clause on one or more columns of the materialized view."))
}
