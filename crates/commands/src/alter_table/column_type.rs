//! ALTER COLUMN TYPE: the rows are written anew with the converted value, plain indexes on the column are built anew for the new
//! type; constraints and indexes with expressions are dropped and made again from their text. A column that a view, a rule, a
//! trigger or a generated column looks at is refused, as in PostgreSQL.

use super::column::{attribute_row_of, nowhere, update};
use super::work::Work;
use super::{again, column_number};
use crate::analysis::{transform, with_analyze};
use crate::ctx::CommandCtx;
use crate::drop::describe::describe;
use crate::{columns, create_table, relation};
use analyze::expr::{Expr, Var, VarNo};
use analyze::names::quote_ident;
use analyze::{ExprContext, ExprRel, ExprTarget, info};
use catalog::builtins::BTREE_AM;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use catalog::literal;
use common::{Oid, Result, bail, err};
use parser::ast::{CollateClause, DefArg, DefElem, TypeName};
use types::{Attribute, Datum, oids};

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

/// What depends on the column: what cannot follow is refused, what was resolved for the old type is remembered to be made again.
fn prepare_dependents(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, n: i16, name: &str) -> Result<()> {
    let refuse = |what: &str, a: ObjectAddress| -> Result<()> {
        Err(err!(FEATURE_NOT_SUPPORTED, "cannot alter type of a column used {what}")
            .detail(format!("{} depends on column \"{name}\"", describe(ctx, a)?)))
    };
    let mut constraints = Vec::new();
    let mut indexes = Vec::new();
    let mut statistics = Vec::new();
    for d in ctx.catalog.dependents(ObjectAddress::column(rel.oid, n))? {
        let a = d.depender;
        match a.class {
            pg_rewrite::TABLE => return refuse("by a view or rule", a),
            pg_trigger::TABLE => return refuse("in a trigger definition", a),
            pg_policy::TABLE => return refuse("in a policy definition", a),
            pg_constraint::TABLE => constraints.push(a.object),
            pg_statistic_ext::TABLE => statistics.push(a.object),
            pg_attrdef::TABLE => {
                use pg_attrdef::*;
                let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(a.object)])?;
                let Some(r) = rows.first().filter(|r| r.i16(ADNUM) != n) else { continue };
                let other = &rel.desc.attrs[r.i16(ADNUM) as usize - 1].name;
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot alter type of a column used by a generated column"
                )
                .detail(format!("Column \"{name}\" is used by generated column \"{other}\".")));
            }
            pg_class::TABLE if ctx.catalog.relation(a.object)?.kind == b'i' => indexes.push(a.object),
            _ => {}
        }
    }
    statistics.sort();
    statistics.dedup();
    statistics.into_iter().try_for_each(|oid| again::statistics(ctx, w, oid))?;
    for oid in constraints {
        use pg_constraint::*;
        let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
        // A foreign key may have gone with the key it points at.
        let Some(r) = rows.first() else { continue };
        match r.char(CONTYPE) {
            b'p' | b'u' => foreign_keys_onto(ctx, w, rel, r.oid(CONINDID))?,
            _ => again::constraint(ctx, w, oid)?,
        }
    }
    indexes.sort();
    indexes.dedup();
    for oid in indexes {
        let ix = ctx.catalog.index(oid)?;
        if !ix.constraint.is_valid() && (ix.expressions.is_some() || ix.predicate.is_some()) {
            again::index(ctx, w, oid)?;
        }
    }
    Ok(())
}

/// Foreign keys that point at an index have operators for the old type.
fn foreign_keys_onto(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, index: Oid) -> Result<()> {
    for f in rel.fkeys_in.iter().filter(|f| f.index == index) {
        if ctx.catalog.relation(rel.oid)?.fkeys_in.iter().any(|x| x.oid == f.oid) {
            again::constraint(ctx, w, f.oid)?;
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

/// Plain indexes on the column follow its type.
fn update_indexes(ctx: &CommandCtx<'_>, w: &mut Work, rel: Oid, n: i16, a: &Attribute) -> Result<()> {
    for oid in &ctx.catalog.relation(rel)?.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if !ix.keys.contains(&n) {
            continue;
        }
        let mut opclasses = ix.opclasses.clone();
        let mut collations = ix.collations.clone();
        for (at, _) in ix.keys.iter().enumerate().filter(|(_, k)| **k == n) {
            let row = attribute_row_of(ctx, *oid, at as i16 + 1)?;
            ctx.catalog.update_columns(pg_attribute::TABLE, &row, &type_columns(a, 0))?;
            if at < opclasses.len() {
                let class = ctx.catalog.default_opclass(BTREE_AM, a.type_oid)?;
                let Some(class) = class else {
                    let shown = with_analyze(ctx, |x| Ok(analyze::format_type_short(x, a.type_oid)))?;
                    return Err(err!(
                        UNDEFINED_OBJECT,
                        "data type {shown} has no default operator class for access method \"btree\""
                    )
                    .hint("You must specify an operator class for the index or define a default operator class for the data type."));
                };
                if opclasses[at] != class.oid || collations[at] != a.collation {
                    w.indexes.push(*oid);
                }
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
    w: &mut Work,
    rel: &Relation,
    name: &str,
    tn: &TypeName,
    coll: Option<&CollateClause>,
    using: Option<&parser::Expr>,
) -> Result<()> {
    let n = column_number(rel, name)?;
    let old = &rel.desc.attrs[n as usize - 1];
    if w.values.iter().any(|v| v.0 == n) {
        bail!(FEATURE_NOT_SUPPORTED, "cannot alter type of column \"{name}\" twice");
    }
    if old.generated != 0 && using.is_some() {
        return Err(err!(
            INVALID_COLUMN_DEFINITION,
            "cannot specify USING when altering type of generated column"
        )
        .detail(format!("Column \"{name}\" is a generated column.")));
    }
    let (mut new, ndims) = columns::attribute_for(ctx, name, tn, coll).map_err(nowhere)?;
    if old.identity != 0 {
        change_sequence(ctx, rel, n, &new, tn)?;
    }
    let before = w.old.clone();
    let expr = conversion(ctx, &before, n, &new, using)?;
    crate::user_type::composite::check_not_recursive(ctx, new.type_oid, rel.row_type)?;
    if !is_same_value(&expr, n) {
        crate::user_type::check_row_type_unused(ctx, rel)?;
    }
    let default = new_default(ctx, rel, n, &new)?;
    prepare_dependents(ctx, w, rel, n, name)?;
    new.not_null = old.not_null;
    let row = attribute_row_of(ctx, rel.oid, n)?;
    ctx.catalog.update_columns(pg_attribute::TABLE, &row, &type_columns(&new, ndims))?;
    depend_on_type(ctx, rel.oid, n, &new)?;
    update_indexes(ctx, w, rel.oid, n, &new)?;
    if let Some((_, e)) = default {
        ctx.engine.command_counter_increment()?;
        super::attributes::forget_default(ctx, rel, n)?;
        columns::store_default(ctx, rel.oid, n, &e, old.generated != 0)?;
        update(ctx, rel.oid, n, &[(pg_attribute::ATTHASDEF, Datum::Bool(true))])?;
    }
    use pg_statistic::{RELID_ATT_INH_INDEX, TABLE};
    for r in ctx.catalog.scan(TABLE, RELID_ATT_INH_INDEX, &[Datum::oid(rel.oid), Datum::I16(n)])? {
        ctx.catalog.delete_row(TABLE, &r)?;
    }
    ctx.engine.command_counter_increment()?;
    relation::create_toast_if_needed(ctx.catalog, rel.oid)?;
    if old.generated != 0 {
        w.rewrite = true;
    } else if !is_same_value(&expr, n) {
        w.values.push((n, expr));
    }
    Ok(())
}

/// Is the new value the old one, bit by bit?
fn is_same_value(e: &Expr, n: i16) -> bool {
    match e {
        Expr::Var(v) => v.attno == n,
        Expr::Relabel { arg, .. } => is_same_value(arg, n),
        _ => false,
    }
}

/// The sequence of an identity column has the column's type.
fn change_sequence(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    n: i16,
    new: &Attribute,
    tn: &TypeName,
) -> Result<()> {
    if !matches!(new.type_oid, oids::INT2 | oids::INT4 | oids::INT8) {
        bail!(INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint");
    }
    if let Some(s) = super::column::identity_sequence(ctx, rel, n)? {
        let option = DefElem::new("as", Some(DefArg::TypeName(Box::new(tn.clone()))), 0);
        crate::sequence_ddl::alter_options(ctx, s, &[option], true)?;
    }
    Ok(())
}

/// The column depends on its new type and collation.
fn depend_on_type(ctx: &CommandCtx<'_>, rel: Oid, n: i16, new: &Attribute) -> Result<()> {
    let me = ObjectAddress::column(rel, n);
    {
        use pg_depend::*;
        let keys = [Datum::oid(pg_class::TABLE), Datum::oid(rel), Datum::I32(i32::from(n))];
        for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
            if matches!(r.oid(REFCLASSID), pg_type::TABLE | pg_collation::TABLE) {
                ctx.catalog.delete_row(TABLE, &r)?;
            }
        }
    }
    let t = ObjectAddress::new(pg_type::TABLE, new.type_oid);
    ctx.catalog.record_dependency(me, t, DependencyKind::Normal)?;
    if new.collation.is_valid() {
        let c = ObjectAddress::new(pg_collation::TABLE, new.collation);
        ctx.catalog.record_dependency(me, c, DependencyKind::Normal)?;
    }
    Ok(())
}

/// ALTER ATTRIBUTE … TYPE of a composite type that no table holds values of.
pub fn alter_attribute(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    tn: &TypeName,
    coll: Option<&CollateClause>,
) -> Result<()> {
    let n = column_number(rel, name)?;
    let (new, ndims) = columns::attribute_for(ctx, name, tn, coll)?;
    crate::user_type::composite::check_not_recursive(ctx, new.type_oid, rel.row_type)?;
    crate::user_type::check_row_type_unused(ctx, rel)?;
    let row = attribute_row_of(ctx, rel.oid, n)?;
    ctx.catalog.update_columns(pg_attribute::TABLE, &row, &type_columns(&new, ndims))?;
    depend_on_type(ctx, rel.oid, n, &new)
}

/// The column's default, converted: (row of `pg_attrdef`, expression).
fn new_default(ctx: &CommandCtx<'_>, rel: &Relation, n: i16, new: &Attribute) -> Result<Option<(Oid, Expr)>> {
    use pg_attrdef::*;
    let keys = [Datum::oid(rel.oid), Datum::I16(n)];
    let rows = ctx.catalog.scan(TABLE, ADRELID_ADNUM_INDEX, &keys)?;
    let Some(r) = rows.first() else { return Ok(None) };
    let e: Expr = analyze::load_expr(r.str(ADBIN))?;
    debug_assert!(info::expr_type(&e).is_valid() && !create_table::is_system_column(&new.name));
    let what = if new.generated != 0 || rel.desc.attrs[n as usize - 1].generated != 0 {
        "generation expression"
    } else {
        "default"
    };
    match with_analyze(ctx, |a| analyze::coerce_for_assignment(a, e, new.type_oid, new.typmod))? {
        Some(e) => Ok(Some((r.oid(OID), e))),
        None => {
            let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, new.type_oid)))?;
            Err(err!(
                DATATYPE_MISMATCH,
                "{what} for column \"{}\" cannot be cast automatically to type {shown}",
                new.name
            ))
        }
    }
}
