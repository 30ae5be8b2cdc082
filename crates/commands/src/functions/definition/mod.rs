//! Definitions as SQL text: what `pg_get_expr`, `pg_get_indexdef`, `pg_get_constraintdef` … print. Expressions and
//! queries are written by `analyze`; here the statements around them are put together from catalog rows.

mod constraint;
mod expr;
mod function;
mod index;
mod property;
mod view;

use super::{env, reg};
use analyze::names::quote_qualified;
use catalog::columns::*;
use common::{Error, Oid, Result, err};
use types::{CallCtx, Datum, FnImpl, c1, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1716, c2!(|c, e: &str, r: u32| expr::get_expr(c, e, r, false))),
    (2509, c3!(expr::get_expr)),
    (1643, c1!(|c, i: u32| index::definition(c, i, 0, false))),
    (2507, c3!(index::definition)),
    (1387, c1!(|c, o: u32| constraint::definition(c, o, false))),
    (2508, c2!(constraint::definition)),
    (1641, c1!(|c, v: u32| view::definition(c, v, false))),
    (2506, c2!(view::definition)),
    (3159, c2!(view::wrapped)),
    (1640, c1!(|c, v: &str| view::definition_by_name(c, v, false))),
    (2505, c2!(view::definition_by_name)),
    (1573, c1!(|c, r: u32| view::rule(c, r, false))),
    (2504, c2!(view::rule)),
    (1665, c2!(serial_sequence)),
    (2162, c1!(|c, f: u32| function::arguments(c, f, true))),
    (2232, c1!(|c, f: u32| function::arguments(c, f, false))),
    (2165, c1!(function::result)),
    (3808, c2!(function::arg_default)),
    (2098, c1!(function::definition)),
    (6197, c1!(function::sql_body)),
    (3352, c1!(|c, o: u32| absent(c, pg_partitioned_table::TABLE, pg_partitioned_table::PARTRELID_INDEX, o))),
    (3408, c1!(partition_constraint)),
    (1662, c1!(|c, o: u32| absent(c, pg_trigger::TABLE, pg_trigger::OID_INDEX, o))),
    (2730, c2!(|c, o: u32, _p: bool| absent(c, pg_trigger::TABLE, pg_trigger::OID_INDEX, o))),
    (636, c2!(property::access_method)),
    (637, c2!(property::index)),
    (638, c3!(property::column)),
];

/// `pg_get_constraintdef` for DDL.
pub fn constraint(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    constraint::definition(c, oid.0, false)
}

/// `pg_get_indexdef` for DDL.
pub fn index(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    index::definition(c, oid.0, 0, false)
}

/// An expression over a relation's columns as text.
pub(super) fn expression_text(
    c: &CallCtx<'_>,
    e: &analyze::expr::Expr,
    rel: &catalog::desc::Relation,
    pretty: bool,
) -> Result<String> {
    expr::text(c, e, Some(rel), pretty)
}

/// A relation's name: qualified always, or (pretty) only where the search path does not find it.
pub(super) fn table_name(c: &CallCtx<'_>, oid: Oid, pretty: bool) -> Result<String> {
    if pretty && let Some(n) = reg::relation_name(c, oid)? {
        return Ok(n);
    }
    let e = env(c)?;
    let row = crate::target::class_row(&e.catalog, oid)?;
    let schema = e.catalog.namespace_name(row.oid(pg_class::RELNAMESPACE))?;
    Ok(quote_qualified(schema.as_deref(), row.str(pg_class::RELNAME)))
}

/// Definitions of kinds of objects that cannot be made here: NULL, as for any OID that nothing has.
fn absent(c: &CallCtx<'_>, table: Oid, index: Oid, oid: u32) -> Result<Option<String>> {
    match env(c)?.catalog.scan(table, index, &[Datum::U32(oid)])?.is_empty() {
        true => Ok(None),
        false => Err(Error::unsupported("definition of this kind of object")),
    }
}

fn partition_constraint(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    let rows = env(c)?.catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::U32(oid)])?;
    if rows.first().is_some_and(|r| r.bool(pg_class::RELISPARTITION)) {
        return Err(Error::unsupported("partition constraints"));
    }
    Ok(None)
}

fn serial_sequence(c: &CallCtx<'_>, table: &str, column: &str) -> Result<Option<String>> {
    let e = env(c)?;
    let Some(oid) = reg::find_class(c, table)? else { return Err(reg::no_class(table)) };
    let r = e.catalog.relation(oid)?;
    let Some(i) = r.desc.attrs.iter().position(|a| !a.dropped && a.name == column) else {
        return Err(err!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{}\" does not exist", r.name));
    };
    let owned = crate::sequence_ddl::owned_sequences(&e.catalog, oid)?;
    match owned.iter().find(|(_, col, _)| usize::from(col.unsigned_abs()) == i + 1) {
        Some((seq, _, _)) => table_name(c, *seq, false).map(Some),
        None => Ok(None),
    }
}
