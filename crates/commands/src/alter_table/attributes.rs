//! Subcommands that change what is recorded of a table, an index or a column and leave the rows alone: statistics targets, column
//! options, compression, CLUSTER ON, replica identity, access method, DROP EXPRESSION.

use super::column::{attribute_row_of, update};
use super::column_number;
use crate::analysis::{notice, warning};
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::target;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::desc::{IndexDesc, Relation};
use catalog::{Ref, literal};
use common::{Error, Result, SqlState, bail, err};
use parser::ast::{DefElem, DropBehavior, ReplicaIdentity};
use types::Datum;

/// SET STATISTICS, of a column by name or of an index column by number.
pub fn set_statistics(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: Option<&str>,
    number: i16,
    value: i32,
) -> Result<()> {
    if name.is_none() && !matches!(rel.kind, b'i' | b'I') {
        bail!(FEATURE_NOT_SUPPORTED, "cannot refer to non-index column by number");
    }
    if value < -1 {
        bail!(INVALID_PARAMETER_VALUE, "statistics target {value} is too low");
    }
    if value > 10_000 {
        warning(ctx, SqlState::INVALID_PARAMETER_VALUE, "lowering statistics target to 10000");
    }
    let n = match name {
        Some(n) => column_number(rel, n)?,
        None if number < 1 || number as usize > rel.desc.len() => {
            bail!(UNDEFINED_COLUMN, "column number {number} of relation \"{}\" does not exist", rel.name)
        }
        None => number,
    };
    if rel.kind == b'i' {
        let ix = ctx.catalog.index(rel.oid)?;
        let column = &rel.desc.attrs[n as usize - 1].name;
        if n as u16 > ix.num_key_atts {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "cannot alter statistics on included column \"{column}\" of index \"{}\"",
                rel.name
            );
        }
        if ix.keys[n as usize - 1] != 0 {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot alter statistics on non-expression column \"{column}\" of index \"{}\"",
                rel.name
            )
            .hint("Alter statistics on table column instead."));
        }
    }
    update(ctx, rel.oid, n, &[(pg_attribute::ATTSTATTARGET, Datum::I32(value.min(10_000)))])
}

/// SET (…) and RESET (…) of a column: its estimates of distinct values.
pub fn column_options(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    defs: &[DefElem],
    reset: bool,
) -> Result<()> {
    let n = column_number(rel, name)?;
    let row = attribute_row_of(ctx, rel.oid, n)?;
    let old = literal::text_items(row.bytes(pg_attribute::ATTOPTIONS));
    let merged = crate::reloptions::merge(crate::reloptions::OptionsOf::Column, &old, defs, reset)?;
    let value = if merged.is_empty() { Datum::Null } else { literal::text_array(&merged) };
    update(ctx, rel.oid, n, &[(pg_attribute::ATTOPTIONS, value)])
}

/// SET COMPRESSION.
pub fn set_compression(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, method: &str) -> Result<()> {
    let n = column_number(rel, name)?;
    let a = &rel.desc.attrs[n as usize - 1];
    let t = ctx.catalog.type_desc(a.type_oid)?;
    if method != "default" && t.storage == b'p' {
        let shown = crate::analysis::with_analyze(ctx, |x| Ok(analyze::format_type_short(x, t.oid)))?;
        bail!(FEATURE_NOT_SUPPORTED, "column data type {shown} does not support compression");
    }
    if method != "default" && !matches!(method, "pglz" | "lz4") {
        bail!(INVALID_PARAMETER_VALUE, "invalid compression method \"{method}\"");
    }
    let letter = crate::columns::compression(method)?;
    update(ctx, rel.oid, n, &[(pg_attribute::ATTCOMPRESSION, Datum::I8(letter as i8))])
}

fn index_of(ctx: &CommandCtx<'_>, rel: &Relation, name: &str) -> Result<Ref<IndexDesc>> {
    let found = ctx.catalog.relation_oid(rel.namespace, name)?;
    match found {
        Some(oid) if rel.indexes.contains(&oid) => ctx.catalog.index(oid),
        Some(oid) if ctx.catalog.relation(oid)?.kind == b'i' => {
            bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not an index for table \"{}\"", rel.name)
        }
        Some(_) => bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not an index"),
        _ => bail!(UNDEFINED_OBJECT, "index \"{name}\" for table \"{}\" does not exist", rel.name),
    }
}

fn mark_index(ctx: &CommandCtx<'_>, rel: &Relation, flag: usize, index: Option<common::Oid>) -> Result<()> {
    use pg_index::*;
    for oid in &rel.indexes {
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(*oid)])? {
            let on = Some(*oid) == index;
            if r.bool(flag) != on {
                ctx.catalog.update_columns(TABLE, &r, &[(flag, Datum::Bool(on))])?;
            }
        }
    }
    ctx.engine.command_counter_increment()
}

/// CLUSTER ON, SET WITHOUT CLUSTER.
pub fn cluster_on(ctx: &CommandCtx<'_>, rel: &Relation, name: Option<&str>) -> Result<()> {
    let index = match name {
        Some(n) => {
            let ix = index_of(ctx, rel, n)?;
            crate::cluster::check_clusterable(rel, &ix)?;
            Some(ix.oid)
        }
        None => None,
    };
    mark_index(ctx, rel, pg_index::INDISCLUSTERED, index)
}

/// REPLICA IDENTITY.
pub fn replica_identity(ctx: &CommandCtx<'_>, rel: &Relation, r: &ReplicaIdentity) -> Result<()> {
    let (letter, index) = match r {
        ReplicaIdentity::Nothing => (b'n', None),
        ReplicaIdentity::Full => (b'f', None),
        ReplicaIdentity::Default => (b'd', None),
        ReplicaIdentity::Index(name) => {
            let Some(oid) = ctx.catalog.relation_oid(rel.namespace, name)? else {
                bail!(UNDEFINED_OBJECT, "index \"{name}\" for table \"{}\" does not exist", rel.name)
            };
            if !rel.indexes.contains(&oid) {
                bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not an index for table \"{}\"", rel.name);
            }
            let ix = ctx.catalog.index(oid)?;
            check_identity_index(rel, &ix)?;
            (b'i', Some(oid))
        }
    };
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELREPLIDENT, Datum::I8(letter as i8))])?;
    mark_index(ctx, rel, pg_index::INDISREPLIDENT, index)
}

fn check_identity_index(rel: &Relation, ix: &IndexDesc) -> Result<()> {
    let wrong = |what: &str| {
        Err(err!(WRONG_OBJECT_TYPE, "cannot use {what} index \"{}\" as replica identity", ix.name))
    };
    if !ix.unique {
        return wrong("non-unique");
    }
    if !ix.immediate {
        return wrong("non-immediate");
    }
    if ix.expressions.is_some() {
        return wrong("expression");
    }
    if ix.predicate.is_some() {
        return wrong("partial");
    }
    for k in &ix.keys[..ix.num_key_atts as usize] {
        let a = &rel.desc.attrs[*k as usize - 1];
        if !a.not_null {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "index \"{}\" cannot be used as replica identity because column \"{}\" is nullable",
                ix.name,
                a.name
            ));
        }
    }
    Ok(())
}

/// SET ACCESS METHOD: there is one.
pub fn set_access_method(ctx: &CommandCtx<'_>, name: &str) -> Result<()> {
    if name == "heap" {
        return Ok(());
    }
    let rows = ctx.catalog.scan(pg_am::TABLE, pg_am::NAME_INDEX, &[Datum::text(name)])?;
    if rows.is_empty() {
        bail!(UNDEFINED_OBJECT, "access method \"{name}\" does not exist");
    }
    bail!(WRONG_OBJECT_TYPE, "access method \"{name}\" is not of type TABLE")
}

/// DROP EXPRESSION: a generated column keeps its values and becomes an ordinary one.
pub fn drop_expression(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, missing_ok: bool) -> Result<()> {
    let n = column_number(rel, name)?;
    if rel.desc.attrs[n as usize - 1].generated == 0 {
        let message =
            format!("column \"{name}\" of relation \"{}\" is not a stored generated column", rel.name);
        if missing_ok {
            notice(ctx, format!("{message}, skipping"));
            return Ok(());
        }
        return Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    update(ctx, rel.oid, n, &[(pg_attribute::ATTGENERATED, Datum::I8(0))])?;
    forget_default(ctx, rel, n)?;
    update(ctx, rel.oid, n, &[(pg_attribute::ATTHASDEF, Datum::Bool(false))])
}

/// Removes the default or generation expression of a column.
pub fn forget_default(ctx: &CommandCtx<'_>, rel: &Relation, n: i16) -> Result<()> {
    use pg_attrdef::*;
    for r in ctx.catalog.scan(TABLE, ADRELID_ADNUM_INDEX, &[Datum::oid(rel.oid), Datum::I16(n)])? {
        let a = ObjectAddress::new(TABLE, r.oid(OID));
        // It is a part of the column no longer.
        ctx.catalog.delete_dependencies_of(a)?;
        ctx.engine.command_counter_increment()?;
        walk::drop_objects(ctx, &[a], DropBehavior::Restrict, true)?;
    }
    ctx.engine.command_counter_increment()
}
