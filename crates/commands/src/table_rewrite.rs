//! Writing a table anew under a changed shape: ALTER COLUMN TYPE, ADD COLUMN with a default that differs by row. The
//! caller holds ACCESS EXCLUSIVE; the old files are read while the new ones are written, and go at commit.

mod plain;

pub use plain::rewrite_plain;

use crate::analysis::TableScope;
use crate::ctx::CommandCtx;
use crate::{constraint, index_build, relfilenode, table_scan, target};
use access::{BulkInsert, InsertOptions, Rel, heap};
use analyze::expr::Expr;
use catalog::columns::pg_class;
use catalog::desc::Relation;
use common::{Oid, Result};
use executor::expr::{colops, compile, compile_one};
use executor::run::Exec;
use ipc::progress::{Command, cluster};
use std::rc::Rc;
use types::{Batch, Column, Datum};

/// What must hold of the new rows.
pub struct Verify<'a> {
    pub not_null: &'a [i16],
    pub checks: &'a [(String, Expr)],
}

/// Writes the rows of `old` (the heap before the catalogs were changed) into new files of the table, with columns
/// computed from the old row where `exprs` says so (attribute number, expression), then builds the indexes.
pub fn rewrite(
    ctx: &CommandCtx<'_>,
    table: Oid,
    old: &Rc<Rel>,
    exprs: &[(i16, Expr)],
    verify: &Verify<'_>,
) -> Result<()> {
    let toast = target::class_row(ctx.catalog, table)?.oid(pg_class::RELTOASTRELID);
    replace_heap(ctx, table, toast)?;
    let rel = ctx.catalog.relation(table)?;
    copy_rows(ctx, old, &rel, exprs, verify)?;
    finish(ctx, &rel)
}

/// What follows when all rows are written: the indexes are built anew.
fn finish(ctx: &CommandCtx<'_>, rel: &Relation) -> Result<()> {
    forget_missing(ctx, rel.oid)?;
    ctx.engine.command_counter_increment()?;
    for ix in &rel.indexes {
        relfilenode::replace(ctx, *ix)?;
        index_build::build(ctx, rel.oid, *ix)?;
        ctx.engine.proc().progress.add(Command::Cluster, cluster::INDEXES_REBUILT, 1);
    }
    ctx.engine.proc().progress.set(Command::Cluster, cluster::PHASE, 7);
    Ok(())
}

/// New, empty files for a table's rows; its indexes keep theirs for the moment.
fn replace_heap(ctx: &CommandCtx<'_>, table: Oid, toast: Oid) -> Result<()> {
    relfilenode::replace(ctx, table)?;
    if toast.is_valid() {
        relfilenode::replace(ctx, toast)?;
        let indexes = ctx.catalog.relation(toast)?.indexes.clone();
        for ix in indexes {
            relfilenode::replace(ctx, ix)?;
            access::btree::create_empty(ctx.engine, &ctx.catalog.index(ix)?.rel)?;
        }
    }
    ctx.catalog.invalidate_relation(table);
    ctx.engine.current_command_id(true);
    ctx.engine.command_counter_increment()?;
    Ok(())
}

/// Every row has all columns: values kept for rows without them are needed no longer.
fn forget_missing(ctx: &CommandCtx<'_>, table: Oid) -> Result<()> {
    use catalog::columns::pg_attribute::*;
    for r in ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(table)])? {
        if r.bool(ATTHASMISSING) {
            let changes = [(ATTHASMISSING, Datum::Bool(false)), (ATTMISSINGVAL, Datum::Null)];
            ctx.catalog.update_columns(TABLE, &r, &changes)?;
        }
    }
    Ok(())
}

fn copy_rows(
    ctx: &CommandCtx<'_>,
    old: &Rc<Rel>,
    rel: &Relation,
    exprs: &[(i16, Expr)],
    verify: &Verify<'_>,
) -> Result<()> {
    let new = &table_scan::heap_of(rel)?;
    let scope = TableScope { natts: old.desc.len() };
    let mut program = compile(ctx.env, exprs.iter().map(|e| &e.1), &scope)?;
    let exec = Exec::bare(ctx.env);
    let new_scope = TableScope { natts: new.desc.len() };
    let mut checks = Vec::new();
    for (name, e) in verify.checks {
        checks.push((name, compile_one(ctx.env, e, &new_scope)?));
    }
    let mut target = executor::modify::TargetRelation::open(ctx.env, rel.oid)?;
    let cid = ctx.engine.current_command_id(true);
    let options = InsertOptions { skip_fsm: true, ..InsertOptions::default() };
    let (mut bulk, mut tids) = (BulkInsert::default(), Vec::new());
    let cols = new.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    let mut out = Batch { cols, rows: 0, sel: None };
    table_scan::each_batch(ctx, old, &mut |batch| {
        program.run(&exec, batch, batch.live())?;
        out.clear();
        for (i, a) in new.desc.attrs.iter().enumerate() {
            let computed = exprs.iter().position(|e| e.0 == i as i16 + 1);
            match computed {
                Some(k) => {
                    let values = program.result(k, batch);
                    (0..batch.rows).for_each(|r| out.cols[i].push(values.get(r)));
                }
                // A generated column is computed from the new row below.
                None if a.dropped || a.generated != 0 || i >= old.desc.len() => {
                    (0..batch.rows).for_each(|_| out.cols[i].push(types::DatumRef::Null));
                }
                None => colops::append_rows(&mut out.cols[i], &batch.cols[i], batch.live()),
            }
        }
        out.rows = batch.rows;
        target.compute_generated(&exec, &mut out)?;
        constraint::refuse_nulls(ctx, rel, verify.not_null, &out)?;
        for (name, p) in &mut checks {
            constraint::refuse_false(ctx, rel, name, p, &exec, &out)?;
        }
        tids.clear();
        heap::multi_insert(ctx.engine, new, &out, cid, &options, &mut bulk, &mut tids)
    })
}
