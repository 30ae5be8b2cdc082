//! CREATE TABLE AS and SELECT INTO: a table shaped like a query's result, filled from it.

use crate::analysis::notice_as;
use crate::ctx::CommandCtx;
use crate::relation::{self, NewRelation};
use crate::reloptions::{self, OptionsOf};
use crate::{run_query, table_scan, target, view};
use access::heap;
use access::{BulkInsert, InsertOptions};
use common::{Error, Result, SqlState, bail};
use parser::ast::*;
use transam::LockMode;

/// Runs CREATE TABLE AS. The tag counts the rows.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateTableAsStmt) -> Result<String> {
    if s.objtype != ObjectType::Table {
        return Err(Error::unsupported("MATERIALIZED VIEW"));
    }
    if !matches!(s.query, Statement::Select(_)) {
        return Err(Error::unsupported("CREATE TABLE AS EXECUTE"));
    }
    let into = &s.into;
    if let Some(m) = into.access_method.as_deref()
        && m != "heap"
    {
        bail!(UNDEFINED_OBJECT, "access method \"{m}\" does not exist");
    }
    crate::index::check_tablespace(into.table_space_name.as_deref())?;
    let (ns, persistence) = target::creation_target(ctx, &into.rel)?;
    if into.on_commit != OnCommitAction::Noop && persistence != b't' {
        bail!(INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables");
    }
    let name = &into.rel.relname;
    if ctx.catalog.relation_oid(ns, name)?.is_some() {
        if s.if_not_exists {
            let message = format!("relation \"{name}\" already exists, skipping");
            notice_as(ctx, SqlState::DUPLICATE_TABLE, message);
            return Ok("CREATE TABLE AS".into());
        }
        bail!(DUPLICATE_TABLE, "relation \"{name}\" already exists");
    }
    let query = run_query::resolve(ctx, &s.query)?;
    let mut columns = analyze::output_columns(&query);
    if into.col_names.len() > columns.len() {
        bail!(SYNTAX_ERROR, "too many column names were specified");
    }
    for (c, n) in columns.iter_mut().zip(&into.col_names) {
        c.name.clone_from(n);
    }
    let attrs = view::output_attributes(ctx.catalog, &columns)?;
    let options = reloptions::merge(OptionsOf::Table, &[], &into.options, false)?;
    // The query is started first: it must not see the table.
    let run = if into.skip_data { None } else { Some(run_query::start(ctx, query)?) };
    let oid = relation::create(
        ctx.catalog,
        &NewRelation {
            name,
            namespace: ns,
            owner: ctx.host.role(),
            kind: b'r',
            persistence,
            attrs: &attrs,
            ndims: &[],
            options: &options,
            checks: 0,
        },
    )?;
    crate::temp::note(ctx, oid, into.on_commit);
    target::lock_oid(ctx, oid, LockMode::AccessExclusive)?;
    relation::create_toast_if_needed(ctx.catalog, oid)?;
    let Some(mut run) = run else { return Ok("CREATE TABLE AS".into()) };
    let heap_rel = table_scan::heap_of(&*ctx.catalog.relation(oid)?)?;
    let cid = ctx.engine.current_command_id(true);
    let opts = InsertOptions { skip_fsm: true, ..InsertOptions::default() };
    let mut bulk = BulkInsert::default();
    let (mut rows, mut tids) = (0u64, Vec::new());
    let n = run.columns();
    let mut own = types::Batch::default();
    while let Some(b) = run.next(0)? {
        ctx.engine.check_interrupts()?;
        if own.cols.len() != n {
            own = executor::expr::colops::like(b);
            own.cols.truncate(n);
        }
        own.clear();
        let live = b.live_count();
        for k in 0..live {
            executor::expr::colops::append_row(&mut own, b, executor::expr::colops::nth_live(b, k));
        }
        tids.clear();
        heap::multi_insert(ctx.engine, &heap_rel, &own, cid, &opts, &mut bulk, &mut tids)?;
        rows += live as u64;
    }
    run.finish()?;
    run.stop();
    ctx.engine.command_counter_increment()?;
    Ok(format!("SELECT {rows}"))
}
