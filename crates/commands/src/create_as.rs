//! CREATE TABLE AS and SELECT INTO: a table shaped like a query's result, filled from it.

use crate::analysis::notice_as;
use crate::ctx::CommandCtx;
use crate::relation::{self, NewRelation};
use crate::reloptions::{self, OptionsOf};
use crate::{run_query, table_scan, target, view};
use access::heap;
use access::{BulkInsert, InsertOptions};
use analyze::query::Query;
use catalog::columns::pg_class;
use common::{Error, Result, SqlState, bail};
use executor::QueryRun;
use parser::ast::*;
use transam::LockMode;
use types::Datum;

fn tag(matview: bool) -> &'static str {
    if matview { "CREATE MATERIALIZED VIEW" } else { "CREATE TABLE AS" }
}

/// The columns have the names of the statement's list in the stored query too.
fn name_columns(q: &mut Query, names: &[String]) {
    for (t, n) in q.target_list.iter_mut().filter(|t| !t.junk).zip(names) {
        t.name = Some(n.as_str().into());
    }
}

/// What a materialized view's query may not be.
fn check_stored(ctx: &CommandCtx<'_>, q: &Query) -> Result<()> {
    if q.has_modifying_cte {
        bail!(FEATURE_NOT_SUPPORTED, "materialized views must not use data-modifying statements in WITH");
    }
    if view::uses_temp(ctx, q)? {
        bail!(FEATURE_NOT_SUPPORTED, "materialized views must not use temporary tables or views");
    }
    if analyze::walk::query_has_params(q) {
        bail!(FEATURE_NOT_SUPPORTED, "materialized views may not be defined using bound parameters");
    }
    Ok(())
}

/// Is there nothing of the name yet? If there is, 42P07, or false under IF NOT EXISTS.
pub fn may_create(ctx: &CommandCtx<'_>, s: &CreateTableAsStmt) -> Result<bool> {
    // A temporary table's schema is looked at later only.
    let named = match &s.into.rel.schemaname {
        Some(n) => ctx.catalog.named_schema(n)?,
        None => None,
    };
    let ns = match named {
        Some(ns) => ns,
        None => target::creation_target(ctx, &s.into.rel)?.0,
    };
    let name = &s.into.rel.relname;
    if ctx.catalog.relation_oid(ns, name)?.is_none() {
        return Ok(true);
    }
    if !s.if_not_exists {
        bail!(DUPLICATE_TABLE, "relation \"{name}\" already exists");
    }
    let message = format!("relation \"{name}\" already exists, skipping");
    notice_as(ctx, SqlState::DUPLICATE_TABLE, message);
    Ok(false)
}

/// Runs CREATE TABLE AS and CREATE MATERIALIZED VIEW. The tag counts the rows.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateTableAsStmt) -> Result<String> {
    create_from(ctx, s, |q| run_query::start(ctx, q)).map(|made| made.0)
}

/// The same with the query started by the caller, who gets its finished run too.
pub fn create_from(
    ctx: &CommandCtx<'_>,
    s: &CreateTableAsStmt,
    start: impl FnOnce(Query) -> Result<QueryRun>,
) -> Result<(String, Option<QueryRun>)> {
    let matview = s.objtype == ObjectType::MatView;
    if !matches!(s.query, Statement::Select(_)) {
        return Err(Error::unsupported("CREATE TABLE AS EXECUTE"));
    }
    if !may_create(ctx, s)? {
        return Ok((tag(matview).into(), None));
    }
    let into = &s.into;
    let name = &into.rel.relname;
    let (ns, persistence) = target::creation_target(ctx, &into.rel)?;
    if matview && persistence != b'p' {
        bail!(FEATURE_NOT_SUPPORTED, "materialized views cannot be unlogged");
    }
    let mut query = run_query::resolve(ctx, &s.query)?;
    if matview {
        check_stored(ctx, &query)?;
    }
    name_columns(&mut query, &into.col_names);
    let stored = matview.then(|| query.clone());
    let mut columns = analyze::output_columns(&query);
    if into.col_names.len() > columns.len() {
        bail!(SYNTAX_ERROR, "too many column names were specified");
    }
    for (c, n) in columns.iter_mut().zip(&into.col_names) {
        c.name = n.as_str().into();
    }
    if into.on_commit != OnCommitAction::Noop && persistence != b't' {
        bail!(INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables");
    }
    crate::index::check_tablespace(into.table_space_name.as_deref())?;
    let attrs = view::output_attributes(ctx.catalog, &columns)?;
    let options = reloptions::merge(OptionsOf::Table, &[], &into.options, false)?;
    crate::create_table::check_access_method(into.access_method.as_deref())?;
    // The query is started first: it must not see the table.
    let run = if into.skip_data { None } else { Some(start(query)?) };
    let oid = relation::create(
        ctx.catalog,
        &NewRelation {
            name,
            namespace: ns,
            owner: ctx.host.role(),
            kind: if matview { b'm' } else { b'r' },
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
    if let Some(q) = &stored {
        view::store_rule(ctx.catalog, oid, q)?;
        let flags = [
            (pg_class::RELHASRULES, Datum::Bool(true)),
            (pg_class::RELISPOPULATED, Datum::Bool(!into.skip_data)),
        ];
        target::update_class(ctx.catalog, oid, &flags)?;
    }
    let Some(mut run) = run else { return Ok((tag(matview).into(), None)) };
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
    Ok((format!("SELECT {rows}"), Some(run)))
}
