//! ALTER TABLE … INHERIT and NO INHERIT.

use super::{
    column, column_state, constraint_state, record, same, set_column_state, set_constraint_state, translated,
};
use crate::ctx::CommandCtx;
use crate::target;
use analyze::expr::Expr;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::desc::Relation;
use common::{Result, bail, err};
use parser::ast::RangeVar;
use transam::LockMode;
use types::Datum;

/// INHERIT.
pub fn inherit(ctx: &CommandCtx<'_>, child: &Relation, rv: &RangeVar) -> Result<()> {
    let parent = target::open_relation(ctx, rv, LockMode::ShareUpdateExclusive)?;
    if parent.kind != b'r' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table or foreign table", parent.name);
    }
    target::check_relation_owner(ctx, &parent)?;
    target::check_not_catalog(&parent)?;
    if parent.persistence == b't' && child.persistence != b't' {
        bail!(WRONG_OBJECT_TYPE, "cannot inherit from temporary relation \"{}\"", parent.name);
    }
    if ctx.catalog.descendants(child.oid)?.contains(&parent.oid) {
        return Err(err!(DUPLICATE_TABLE, "circular inheritance not allowed")
            .detail(format!("\"{}\" is already a child of \"{}\".", parent.name, child.name)));
    }
    let before = ctx.catalog.parents(child.oid)?;
    if before.contains(&parent.oid) {
        bail!(DUPLICATE_TABLE, "relation \"{}\" would be inherited from more than once", parent.name);
    }
    take_columns(ctx, child, &parent)?;
    take_checks(ctx, child, &parent)?;
    let last = ctx
        .catalog
        .scan(pg_inherits::TABLE, pg_inherits::RELID_SEQNO_INDEX, &[Datum::oid(child.oid)])?
        .last()
        .map_or(0, |r| r.i32(pg_inherits::INHSEQNO));
    record(ctx, child.oid, parent.oid, last + 1)
}

fn take_columns(ctx: &CommandCtx<'_>, child: &Relation, parent: &Relation) -> Result<()> {
    for a in parent.desc.attrs.iter().filter(|a| !a.dropped) {
        let Some(n) = column(child, &a.name) else {
            bail!(DATATYPE_MISMATCH, "child table is missing column \"{}\"", a.name);
        };
        let own = &child.desc.attrs[n as usize - 1];
        if own.type_oid != a.type_oid || own.typmod != a.typmod {
            bail!(
                DATATYPE_MISMATCH,
                "child table \"{}\" has different type for column \"{}\"",
                child.name,
                a.name
            );
        }
        if own.collation != a.collation {
            bail!(
                COLLATION_MISMATCH,
                "child table \"{}\" has different collation for column \"{}\"",
                child.name,
                a.name
            );
        }
        if a.not_null && !own.not_null {
            bail!(DATATYPE_MISMATCH, "column \"{}\" in child table must be marked NOT NULL", a.name);
        }
        if a.generated != 0 && own.generated == 0 {
            bail!(DATATYPE_MISMATCH, "column \"{}\" in child table must be a generated column", a.name);
        }
        let (_, count, local) = column_state(ctx, child.oid, n)?;
        set_column_state(ctx, child.oid, n, count + 1, local)?;
    }
    Ok(())
}

fn take_checks(ctx: &CommandCtx<'_>, child: &Relation, parent: &Relation) -> Result<()> {
    let names: Vec<String> =
        child.desc.attrs.iter().map(|a| if a.dropped { String::new() } else { a.name.clone() }).collect();
    for c in parent.checks.iter().filter(|c| !c.no_inherit) {
        let Some(own) = child.checks.iter().find(|o| o.name == c.name) else {
            bail!(DATATYPE_MISMATCH, "child table is missing constraint \"{}\"", c.name);
        };
        let above: Expr = analyze::load_expr(&c.bin)?;
        if !same(&translated(&above, parent, &names)?, &analyze::load_expr(&own.bin)?) {
            bail!(
                DATATYPE_MISMATCH,
                "child table \"{}\" has different definition for check constraint \"{}\"",
                child.name,
                c.name
            );
        }
        if own.no_inherit {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "constraint \"{}\" conflicts with non-inherited constraint on child table \"{}\"",
                c.name,
                child.name
            );
        }
        if let Some((row, count, local)) = constraint_state(ctx, child.oid, &c.name)? {
            set_constraint_state(ctx, &row, count + 1, local)?;
        }
    }
    Ok(())
}

/// NO INHERIT.
pub fn no_inherit(ctx: &CommandCtx<'_>, child: &Relation, rv: &RangeVar) -> Result<()> {
    let parent = target::open_relation(ctx, rv, LockMode::AccessShare)?;
    let rows =
        ctx.catalog.scan(pg_inherits::TABLE, pg_inherits::RELID_SEQNO_INDEX, &[Datum::oid(child.oid)])?;
    let Some(row) = rows.iter().find(|r| r.oid(pg_inherits::INHPARENT) == parent.oid) else {
        bail!(UNDEFINED_TABLE, "relation \"{}\" is not a parent of relation \"{}\"", parent.name, child.name);
    };
    ctx.catalog.delete_row(pg_inherits::TABLE, row)?;
    for a in parent.desc.attrs.iter().filter(|a| !a.dropped) {
        let Some(n) = column(child, &a.name) else { continue };
        let (_, count, local) = column_state(ctx, child.oid, n)?;
        if count > 0 {
            set_column_state(ctx, child.oid, n, count - 1, local || count == 1)?;
        }
    }
    for c in parent.checks.iter().filter(|c| !c.no_inherit) {
        if let Some((row, count, local)) = constraint_state(ctx, child.oid, &c.name)?
            && count > 0
        {
            set_constraint_state(ctx, &row, count - 1, local || count == 1)?;
        }
    }
    use pg_depend::*;
    let me = ObjectAddress::new(pg_class::TABLE, child.oid);
    let keys = [Datum::oid(me.class), Datum::oid(me.object), Datum::I32(0)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.oid(REFCLASSID) == pg_class::TABLE && r.oid(REFOBJID) == parent.oid && r.char(DEPTYPE) == b'n' {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    ctx.catalog.invalidate_relation(parent.oid);
    ctx.engine.current_command_id(true);
    ctx.engine.command_counter_increment()
}
