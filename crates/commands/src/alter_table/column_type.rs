//! ALTER COLUMN TYPE: the rows are written anew with the converted value, indexes on the column are built anew for the
//! new type. Columns that constraints, views or generated columns look at are refused.

use super::column::attribute_row_of;
use super::column_number;
use crate::analysis::{transform, with_analyze};
use crate::ctx::CommandCtx;
use crate::drop::describe::describe;
use crate::{columns, create_table, relation, table_rewrite, table_scan};
use analyze::expr::{Expr, Var, VarNo};
use analyze::names::quote_ident;
use analyze::{ExprContext, ExprRel, ExprTarget, info};
use catalog::builtins::BTREE_AM;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::desc::Relation;
use catalog::literal;
use common::{Error, Oid, Result, err};
use parser::ast::{CollateClause, TypeName};
use types::{Attribute, Datum};

/// The expression that makes the new value from the old row.
fn conversion(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    n: i16,
    new: &Attribute,
    using: Option<&parser::Expr>,
) -> Result<Expr> {
    let old = &rel.desc.attrs[n as usize - 1];
    if let Some(u) = using {
        let r = ExprRel { name: &rel.name, oid: rel.oid, desc: &rel.desc };
        let t = ExprTarget { name: &old.name, type_oid: new.type_oid, typmod: new.typmod };
        return transform(ctx, u, ExprContext::Using, Some(r), Some(t));
    }
    let var = Expr::Var(Var {
        varno: VarNo::Rte(1),
        attno: n,
        vartype: old.type_oid,
        typmod: old.typmod,
        collation: old.collation,
        levels_up: 0,
        syn: (1, n),
        location: None,
    });
    let done = with_analyze(ctx, |a| analyze::coerce_for_assignment(a, var, new.type_oid, new.typmod))?;
    match done {
        Some(e) => Ok(e),
        None => {
            let shown = with_analyze(ctx, |a| Ok(analyze::format_type(a, new.type_oid, new.typmod)))?;
            let short = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, new.type_oid)))?;
            Err(err!(
                DATATYPE_MISMATCH,
                "column \"{}\" cannot be cast automatically to type {short}",
                old.name
            )
            .hint(format!("You might need to specify \"USING {}::{shown}\".", quote_ident(&old.name))))
        }
    }
}

/// What depends on the column besides plain indexes and their constraints.
fn check_dependents(ctx: &CommandCtx<'_>, rel: &Relation, n: i16, name: &str) -> Result<()> {
    for d in ctx.catalog.dependents(ObjectAddress::column(rel.oid, n))? {
        match d.depender.class {
            pg_rewrite::TABLE => {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot alter type of a column used by a view or rule"
                )
                .detail(format!("{} depends on column \"{name}\"", describe(ctx, d.depender)?)));
            }
            pg_constraint::TABLE => {
                use pg_constraint::*;
                let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(d.depender.object)])?;
                if rows.iter().any(|r| !matches!(r.char(CONTYPE), b'p' | b'u')) {
                    return Err(Error::unsupported(
                        "ALTER COLUMN TYPE of a column with CHECK or FOREIGN KEY constraints",
                    ));
                }
            }
            pg_class::TABLE if d.depender.object == rel.oid => {
                return Err(Error::unsupported("ALTER COLUMN TYPE of a column used by a generated column"));
            }
            _ => {}
        }
    }
    for oid in &rel.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if ix.keys.contains(&n) && (ix.expressions.is_some() || ix.predicate.is_some())
            || ix.expressions.is_some()
            || ix.predicate.is_some()
        {
            return Err(Error::unsupported(
                "ALTER COLUMN TYPE of a table with expression or partial indexes",
            ));
        }
    }
    Ok(())
}

fn type_columns(a: &Attribute, ndims: i32) -> Vec<(usize, Datum)> {
    use pg_attribute::*;
    vec![
        (ATTTYPID, Datum::oid(a.type_oid)),
        (ATTTYPMOD, Datum::I32(a.typmod)),
        (ATTLEN, Datum::I16(a.len)),
        (ATTBYVAL, Datum::Bool(a.by_val)),
        (ATTALIGN, Datum::I8(a.align as i8)),
        (ATTSTORAGE, Datum::I8(a.storage as i8)),
        (ATTCOLLATION, Datum::oid(a.collation)),
        (ATTNDIMS, Datum::I32(ndims)),
        (ATTHASMISSING, Datum::Bool(false)),
        (ATTMISSINGVAL, Datum::Null),
    ]
}

fn update_indexes(ctx: &CommandCtx<'_>, rel: &Relation, n: i16, a: &Attribute) -> Result<()> {
    for oid in &rel.indexes {
        let ix = ctx.catalog.index(*oid)?;
        let mut opclasses = ix.opclasses.clone();
        let mut collations = ix.collations.clone();
        for (at, _) in ix.keys.iter().enumerate().filter(|(_, k)| **k == n) {
            let row = attribute_row_of(ctx, *oid, at as i16 + 1)?;
            ctx.catalog.update_columns(pg_attribute::TABLE, &row, &type_columns(a, 0))?;
            if at < opclasses.len() {
                let class = ctx.catalog.default_opclass(BTREE_AM, a.type_oid)?;
                let class = class.ok_or_else(|| {
                    Error::unsupported("ALTER COLUMN TYPE of an index column to a type without an order")
                })?;
                opclasses[at] = class.oid;
                collations[at] = a.collation;
            }
        }
        use pg_index::*;
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(*oid)])? {
            let changes =
                [(INDCLASS, literal::oidvector(&opclasses)), (INDCOLLATION, literal::oidvector(&collations))];
            ctx.catalog.update_columns(TABLE, &r, &changes)?;
        }
    }
    Ok(())
}

/// Runs the subcommand.
pub fn alter(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    tn: &TypeName,
    coll: Option<&CollateClause>,
    using: Option<&parser::Expr>,
) -> Result<()> {
    let n = column_number(rel, name)?;
    let old = &rel.desc.attrs[n as usize - 1];
    let (mut new, ndims) = columns::attribute_for(ctx, name, tn, coll)?;
    if old.identity != 0 || old.generated != 0 {
        return Err(Error::unsupported("ALTER COLUMN TYPE of an identity or generated column"));
    }
    let expr = conversion(ctx, rel, n, &new, using)?;
    check_dependents(ctx, rel, n, name)?;
    let default = new_default(ctx, rel, n, &new)?;
    new.not_null = old.not_null;
    let heap = table_scan::heap_of(rel)?;
    let row = attribute_row_of(ctx, rel.oid, n)?;
    ctx.catalog.update_columns(pg_attribute::TABLE, &row, &type_columns(&new, ndims))?;
    update_indexes(ctx, rel, n, &new)?;
    if let Some((oid, e)) = default {
        use pg_attrdef::*;
        for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(ADBIN, Datum::text(&analyze::store_expr(&e)?))])?;
        }
    }
    use pg_statistic::{RELID_ATT_INH_INDEX, TABLE};
    for r in ctx.catalog.scan(TABLE, RELID_ATT_INH_INDEX, &[Datum::oid(rel.oid), Datum::I16(n)])? {
        ctx.catalog.delete_row(TABLE, &r)?;
    }
    ctx.engine.command_counter_increment()?;
    relation::create_toast_if_needed(ctx.catalog, rel.oid)?;
    table_rewrite::rewrite(ctx, rel.oid, &heap, &[(n, expr)])
}

/// The column's default, converted: (row of `pg_attrdef`, expression).
fn new_default(ctx: &CommandCtx<'_>, rel: &Relation, n: i16, new: &Attribute) -> Result<Option<(Oid, Expr)>> {
    use pg_attrdef::*;
    let keys = [Datum::oid(rel.oid), Datum::I16(n)];
    let rows = ctx.catalog.scan(TABLE, ADRELID_ADNUM_INDEX, &keys)?;
    let Some(r) = rows.first() else { return Ok(None) };
    let e: Expr = analyze::load_expr(r.str(ADBIN))?;
    debug_assert!(info::expr_type(&e).is_valid() && !create_table::is_system_column(&new.name));
    match with_analyze(ctx, |a| analyze::coerce_for_assignment(a, e, new.type_oid, new.typmod))? {
        Some(e) => Ok(Some((r.oid(OID), e))),
        None => {
            let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, new.type_oid)))?;
            Err(err!(
                DATATYPE_MISMATCH,
                "default for column \"{}\" cannot be cast automatically to type {shown}",
                new.name
            ))
        }
    }
}
