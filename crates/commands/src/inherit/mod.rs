//! Inheritance of tables: who inherits from whom, and how often each column and constraint is inherited (`attinhcount`,
//! `coninhcount`) beside being a table's own (`attislocal`, `conislocal`). [`create`] merges at CREATE TABLE, [`alter`] carries
//! ALTER TABLE down, [`attach`] is INHERIT and NO INHERIT.

pub mod alter;
pub mod attach;
pub mod create;

use crate::alter_table::find_constraint;
use crate::analysis::{lost, with_analyze};
use crate::ctx::CommandCtx;
use crate::target;
use analyze::expr::Expr;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use common::{Oid, Result};
use types::Datum;

/// Records that a table inherits from another.
pub fn record(ctx: &CommandCtx<'_>, child: Oid, parent: Oid, number: i32) -> Result<()> {
    use pg_inherits::*;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[INHRELID] = Datum::oid(child);
    r[INHPARENT] = Datum::oid(parent);
    r[INHSEQNO] = Datum::I32(number);
    r[INHDETACHPENDING] = Datum::Bool(false);
    ctx.catalog.insert_row(TABLE, &r)?;
    let (me, its) = (ObjectAddress::new(pg_class::TABLE, child), ObjectAddress::new(pg_class::TABLE, parent));
    ctx.catalog.record_dependency(me, its, DependencyKind::Normal)?;
    target::update_class(ctx.catalog, parent, &[(pg_class::RELHASSUBCLASS, Datum::Bool(true))])?;
    ctx.catalog.invalidate_relation(parent);
    ctx.engine.current_command_id(true);
    ctx.engine.command_counter_increment()
}

/// Deletes what is recorded of a table that goes.
pub fn forget(ctx: &CommandCtx<'_>, child: Oid) -> Result<()> {
    use pg_inherits::*;
    for r in ctx.catalog.scan(TABLE, RELID_SEQNO_INDEX, &[Datum::oid(child)])? {
        ctx.catalog.delete_row(TABLE, &r)?;
        ctx.catalog.invalidate_relation(r.oid(INHPARENT));
    }
    Ok(())
}

/// How often a column is inherited, and whether it is the table's own too.
fn column_state(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16) -> Result<(CatRow, i32, bool)> {
    use pg_attribute::*;
    let rows = ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(rel), Datum::I16(attnum)])?;
    let row = rows.into_iter().next().ok_or_else(|| lost("column of relation", rel))?;
    let (count, local) = (row.i32(ATTINHCOUNT), row.bool(ATTISLOCAL));
    Ok((row, count, local))
}

fn set_column_state(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16, count: i32, local: bool) -> Result<()> {
    use pg_attribute::*;
    let (row, _, _) = column_state(ctx, rel, attnum)?;
    let changes = [(ATTINHCOUNT, Datum::I32(count)), (ATTISLOCAL, Datum::Bool(local))];
    ctx.catalog.update_columns(TABLE, &row, &changes)?;
    ctx.engine.command_counter_increment()
}

fn constraint_state(ctx: &CommandCtx<'_>, rel: Oid, name: &str) -> Result<Option<(CatRow, i32, bool)>> {
    use pg_constraint::*;
    Ok(find_constraint(ctx, rel, name)?.map(|r| {
        let (count, local) = (r.i32(CONINHCOUNT), r.bool(CONISLOCAL));
        (r, count, local)
    }))
}

fn set_constraint_state(ctx: &CommandCtx<'_>, row: &CatRow, count: i32, local: bool) -> Result<()> {
    use pg_constraint::*;
    let changes = [(CONINHCOUNT, Datum::I32(count)), (CONISLOCAL, Datum::Bool(local))];
    ctx.catalog.update_columns(TABLE, row, &changes)?;
    ctx.engine.command_counter_increment()
}

/// Number of a column that is there.
fn column(rel: &Relation, name: &str) -> Option<i16> {
    rel.desc.attrs.iter().position(|a| !a.dropped && a.name == name).map(|i| i as i16 + 1)
}

/// A type by its SQL name.
fn shown(ctx: &CommandCtx<'_>, t: Oid, typmod: i32) -> Result<String> {
    with_analyze(ctx, |a| Ok(analyze::format_type(a, t, typmod)))
}

/// The same expression over the columns of another table, found by name.
fn translated(e: &Expr, from: &Relation, to: &[String]) -> Result<Expr> {
    let find = |name: &str| to.iter().position(|n| n == name).map_or(0, |i| i as i16 + 1);
    let map: Vec<i16> = from.desc.attrs.iter().map(|a| if a.dropped { 0 } else { find(&a.name) }).collect();
    let mut e = e.clone();
    crate::create_like::remap(&mut e, &map)?;
    Ok(e)
}

/// Are two expressions the same, wherever they were written?
fn same(a: &Expr, b: &Expr) -> bool {
    let bare = |e: &Expr| {
        let mut e = e.clone();
        planner::exprs::strip(&mut e);
        e
    };
    bare(a) == bare(b)
}
