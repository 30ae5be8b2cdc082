//! Subcommands about columns: ADD and DROP COLUMN, defaults, NOT NULL, identity, statistics and storage.

use super::column_number;
use super::work::Work;
use crate::analysis::{evaluate, lost, notice, notice_as};
use crate::columns::{self, NewColumn, TableConstraints};
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{constraint, create_table, foreign_key, index, relation, sequence_ddl, target, volatility};
use catalog::bootstrap::attribute_row;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::desc::Relation;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::{Datum, TupleDesc};

/// The `pg_attribute` row of a column.
pub fn attribute_row_of(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16) -> Result<catalog::CatRow> {
    use pg_attribute::*;
    let rows = ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(rel), Datum::I16(attnum)])?;
    rows.into_iter().next().ok_or_else(|| lost("column of relation", rel))
}

pub fn update(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16, changes: &[(usize, Datum)]) -> Result<()> {
    let row = attribute_row_of(ctx, rel, attnum)?;
    ctx.catalog.update_columns(pg_attribute::TABLE, &row, changes)?;
    ctx.engine.command_counter_increment()
}

/// ADD COLUMN. A constant default is kept as the value of the rows that are there; they are not touched.
pub fn add(
    ctx: &CommandCtx<'_>,
    w: &mut Work,
    rel: &Relation,
    d: &ColumnDef,
    missing_ok: bool,
) -> Result<()> {
    if rel.desc.attrs.iter().any(|a| !a.dropped && a.name == d.colname) {
        let message = format!("column \"{}\" of relation \"{}\" already exists", d.colname, rel.name);
        if missing_ok {
            notice_as(ctx, SqlState::DUPLICATE_COLUMN, format!("{message}, skipping"));
            return Ok(());
        }
        bail!(DUPLICATE_COLUMN, "{message}");
    }
    add_new(ctx, w, rel, d, None)
}

/// ADD COLUMN to a table that inherits the column from `above`: a serial column has the parent's sequence.
pub fn add_inherited(
    ctx: &CommandCtx<'_>,
    w: &mut Work,
    rel: &Relation,
    d: &ColumnDef,
    above: &Relation,
) -> Result<()> {
    add_new(ctx, w, rel, d, Some(above))
}

fn add_new(
    ctx: &CommandCtx<'_>,
    w: &mut Work,
    rel: &Relation,
    d: &ColumnDef,
    above: Option<&Relation>,
) -> Result<()> {
    let mut constraints = TableConstraints::default();
    let mut c = columns::define(ctx, &rel.name, d, &mut constraints)?;
    if let Some(above) = above
        && c.serial
    {
        let n = column_number(above, &d.colname)?;
        c.serial = false;
        if let Some(x) = above.defaults.iter().find(|x| x.attnum == n) {
            c.default = columns::Default::Resolved(analyze::load_expr(&x.bin)?);
        }
    }
    crate::user_type::composite::check_not_recursive(ctx, c.attr.type_oid, rel.row_type)?;
    if rel.desc.len() >= 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    let primary = constraints.indexes.first().is_some_and(|k| k.contype == ConstrType::Primary);
    c.attr.not_null |= primary;
    let place = (rel.namespace, rel.persistence);
    let seq = create_table::make_sequence(ctx, &rel.name, place, rel.owner, &c, "ALTER TABLE")?;
    let mut attrs = rel.desc.attrs.clone();
    attrs.push(c.attr.clone());
    let desc = TupleDesc { attrs, type_oid: rel.desc.type_oid };
    let default = create_table::resolve_default(ctx, &rel.name, rel.oid, &desc, &c, seq).map_err(nowhere)?;
    if default.is_some() {
        crate::user_type::check_row_type_unused(ctx, rel)?;
    }
    let attnum = rel.desc.len() as i16 + 1;
    // What the rows that are there get: one value kept in the catalog, or one each.
    let missing = match &default {
        Some(e) if c.attr.generated == 0 && !volatility::contains_volatile(ctx, e)? && !w.rewrites() => {
            evaluate(ctx, e)?
        }
        _ => Datum::Null,
    };
    insert(ctx, rel, attnum, &mut c, &missing, default.is_some())?;
    relation::record_column_type(ctx.catalog, rel.oid, attnum, &c.attr)?;
    if let Some(s) = seq {
        sequence_ddl::record_owner(ctx, s, rel.oid, attnum, c.identity.is_some())?;
    }
    if let Some(e) = &default {
        columns::store_default(ctx, rel.oid, attnum, e, c.attr.generated != 0)?;
    }
    ctx.engine.command_counter_increment()?;
    relation::create_toast_if_needed(ctx.catalog, rel.oid)?;
    match (&default, seq) {
        (Some(_), _) if c.attr.generated != 0 => w.rewrite = true,
        (Some(e), _) if missing.is_null() && columns::is_null_constant(e) => {}
        (Some(e), _) if missing.is_null() => w.values.push((attnum, e.clone())),
        (None, Some(s)) => w.values.push((attnum, columns::nextval_expr(ctx, s, &c.attr)?)),
        (Some(e), _) => w.kept.push((attnum, e.clone())),
        _ => {}
    }
    if c.attr.not_null && missing.is_null() && seq.is_none() {
        w.not_null.push(attnum);
    }
    for k in &constraints.checks {
        super::constraint::add(ctx, w, &ctx.catalog.relation(rel.oid)?, k)?;
    }
    for k in &constraints.indexes {
        index::make_for_constraint(ctx, &ctx.catalog.relation(rel.oid)?, k, w.rewrites(), false)?;
    }
    for k in &constraints.foreign {
        let (name, validated) = foreign_key::add(ctx, rel.oid, k)?;
        if validated {
            w.foreign.push((rel.oid, name));
        }
    }
    Ok(())
}

/// PostgreSQL gives no position for what is resolved after the statement was taken apart.
pub fn nowhere(mut e: Error) -> Error {
    e.report_mut().position = None;
    e
}

/// ADD ATTRIBUTE of a composite type. Values stored before read it as NULL.
pub fn add_attribute(ctx: &CommandCtx<'_>, rel: &Relation, d: &ColumnDef) -> Result<()> {
    if rel.desc.attrs.iter().any(|a| !a.dropped && a.name == d.colname) {
        bail!(DUPLICATE_COLUMN, "column \"{}\" of relation \"{}\" already exists", d.colname, rel.name);
    }
    let mut c = columns::define(ctx, &rel.name, d, &mut TableConstraints::default())?;
    crate::user_type::composite::check_not_recursive(ctx, c.attr.type_oid, rel.row_type)?;
    if rel.desc.len() >= 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    let attnum = rel.desc.len() as i16 + 1;
    insert(ctx, rel, attnum, &mut c, &Datum::Null, false)?;
    relation::record_column_type(ctx.catalog, rel.oid, attnum, &c.attr)
}

fn insert(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    attnum: i16,
    c: &mut NewColumn,
    value: &Datum,
    has_default: bool,
) -> Result<()> {
    c.attr.has_default = has_default;
    let mut row = attribute_row(ctx.catalog, rel.oid, attnum, &c.attr, c.ndims);
    if !value.is_null() {
        let t = ctx.catalog.type_desc(c.attr.type_oid)?;
        row[pg_attribute::ATTHASMISSING] = Datum::Bool(true);
        row[pg_attribute::ATTMISSINGVAL] = catalog::array::build(&t, std::slice::from_ref(value));
    }
    ctx.catalog.insert_row(pg_attribute::TABLE, &row)?;
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELNATTS, Datum::I16(attnum))])
}

/// DROP COLUMN.
pub fn drop(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    behavior: DropBehavior,
    missing_ok: bool,
) -> Result<()> {
    if missing_ok
        && !create_table::is_system_column(name)
        && !rel.desc.attrs.iter().any(|a| !a.dropped && a.name == name)
    {
        notice(ctx, format!("column \"{name}\" of relation \"{}\" does not exist, skipping", rel.name));
        return Ok(());
    }
    if create_table::is_system_column(name) {
        bail!(FEATURE_NOT_SUPPORTED, "cannot drop system column \"{name}\"");
    }
    let n = column_number(rel, name)?;
    walk::drop_objects(ctx, &[ObjectAddress::column(rel.oid, n)], behavior, false)
}

/// SET DEFAULT and DROP DEFAULT.
pub fn set_default(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    default: Option<&parser::Expr>,
) -> Result<()> {
    let n = column_number(rel, name)?;
    let a = &rel.desc.attrs[n as usize - 1];
    if a.identity != 0 {
        let e = err!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is an identity column", rel.name);
        return Err(if default.is_none() {
            e.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
        } else {
            e
        });
    }
    if a.generated != 0 {
        let e = err!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is a generated column", rel.name);
        return Err(if default.is_none() {
            e.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.")
        } else {
            e
        });
    }
    let c = NewColumn {
        attr: a.clone(),
        ndims: 0,
        default: default.map_or(columns::Default::None, |d| columns::Default::Raw(d.clone())),
        serial: false,
        identity: None,
        explicit_null: false,
    };
    let e = create_table::resolve_default(ctx, &rel.name, rel.oid, &rel.desc, &c, None).map_err(nowhere)?;
    use pg_attrdef as d;
    let keys = [Datum::oid(rel.oid), Datum::I16(n)];
    for r in ctx.catalog.scan(d::TABLE, d::ADRELID_ADNUM_INDEX, &keys)? {
        let old = ObjectAddress::new(d::TABLE, r.oid(d::OID));
        walk::drop_objects(ctx, &[old], DropBehavior::Restrict, true)?;
    }
    if let Some(e) = e {
        columns::store_default(ctx, rel.oid, n, &e, false)?;
        update(ctx, rel.oid, n, &[(pg_attribute::ATTHASDEF, Datum::Bool(true))])?;
    }
    Ok(())
}

/// SET NOT NULL.
pub fn set_not_null(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, name: &str) -> Result<()> {
    let n = column_number(rel, name)?;
    if rel.desc.attrs[n as usize - 1].not_null {
        return Ok(());
    }
    w.not_null.push(n);
    constraint::set_not_null(ctx, rel.oid, &[n], true)
}

/// DROP NOT NULL.
pub fn drop_not_null(ctx: &CommandCtx<'_>, rel: &Relation, name: &str) -> Result<()> {
    let n = column_number(rel, name)?;
    if rel.desc.attrs[n as usize - 1].identity != 0 {
        bail!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is an identity column", rel.name);
    }
    for oid in &rel.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if ix.primary && ix.keys[..ix.num_key_atts as usize].contains(&n) {
            bail!(INVALID_TABLE_DEFINITION, "column \"{name}\" is in a primary key");
        }
    }
    constraint::set_not_null(ctx, rel.oid, &[n], false)
}

/// SET STORAGE.
pub fn set_storage(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, storage: &str) -> Result<()> {
    let letter = match storage.to_ascii_lowercase().as_str() {
        "plain" => b'p',
        "external" => b'e',
        "extended" => b'x',
        "main" => b'm',
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid storage type \"{storage}\""),
    };
    let n = column_number(rel, name)?;
    let t = ctx.catalog.type_desc(rel.desc.attrs[n as usize - 1].type_oid)?;
    if letter != b'p' && t.storage == b'p' {
        let shown = crate::analysis::with_analyze(ctx, |a| Ok(analyze::format_type_short(a, t.oid)))?;
        bail!(FEATURE_NOT_SUPPORTED, "column data type {shown} can only have storage PLAIN");
    }
    let change = [(pg_attribute::ATTSTORAGE, Datum::I8(letter as i8))];
    update(ctx, rel.oid, n, &change)?;
    // Columns of indexes that hold the column follow.
    for oid in &rel.indexes {
        for at in ctx.catalog.index(*oid)?.keys.iter().enumerate().filter(|k| *k.1 == n).map(|k| k.0) {
            update(ctx, *oid, at as i16 + 1, &change)?;
        }
    }
    relation::create_toast_if_needed(ctx.catalog, rel.oid)?;
    Ok(())
}

/// ADD GENERATED … AS IDENTITY.
pub fn add_identity(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, def: &Constraint) -> Result<()> {
    let n = column_number(rel, name)?;
    let a = &rel.desc.attrs[n as usize - 1];
    let state = |m: String| Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, m);
    let of = format!("column \"{name}\" of relation \"{}\"", rel.name);
    if !a.not_null {
        return Err(state(format!("{of} must be declared NOT NULL before identity can be added")));
    }
    if a.identity != 0 {
        return Err(state(format!("{of} is already an identity column")));
    }
    if a.has_default {
        return Err(state(format!("{of} already has a default value")));
    }
    let letter = if def.generated_when == GeneratedWhen::Always { b'a' } else { b'd' };
    let c = NewColumn {
        attr: a.clone(),
        ndims: 0,
        default: columns::Default::None,
        serial: false,
        identity: Some(def.options.clone()),
        explicit_null: true,
    };
    let place = (rel.namespace, rel.persistence);
    if let Some(s) = create_table::make_sequence(ctx, &rel.name, place, rel.owner, &c, "ALTER TABLE")? {
        sequence_ddl::record_owner(ctx, s, rel.oid, n, true)?;
    }
    update(ctx, rel.oid, n, &[(pg_attribute::ATTIDENTITY, Datum::I8(letter as i8))])
}

pub fn identity_sequence(ctx: &CommandCtx<'_>, rel: &Relation, n: i16) -> Result<Option<Oid>> {
    let all = sequence_ddl::owned_sequences(ctx.catalog, rel.oid)?;
    Ok(all.into_iter().find(|(_, c, identity)| *c == n && *identity).map(|s| s.0))
}

/// DROP IDENTITY.
pub fn drop_identity(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, missing_ok: bool) -> Result<()> {
    let n = column_number(rel, name)?;
    if rel.desc.attrs[n as usize - 1].identity == 0 {
        let message = format!("column \"{name}\" of relation \"{}\" is not an identity column", rel.name);
        if missing_ok {
            notice(ctx, format!("{message}, skipping"));
            return Ok(());
        }
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "{message}");
    }
    update(ctx, rel.oid, n, &[(pg_attribute::ATTIDENTITY, Datum::I8(0))])?;
    if let Some(s) = identity_sequence(ctx, rel, n)? {
        let a = ObjectAddress::new(pg_class::TABLE, s);
        ctx.catalog.delete_dependencies_of(a)?;
        ctx.engine.command_counter_increment()?;
        walk::drop_objects(ctx, &[a], DropBehavior::Restrict, true)?;
    }
    Ok(())
}

/// SET GENERATED and the sequence options of an identity column.
pub fn set_identity(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, options: &[DefElem]) -> Result<()> {
    let n = column_number(rel, name)?;
    if rel.desc.attrs[n as usize - 1].identity == 0 {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is not an identity column",
            rel.name
        );
    }
    let (kind, options): (Vec<_>, Vec<_>) = options.iter().cloned().partition(|o| o.defname == "generated");
    if let Some(k) = kind.first() {
        if kind.len() > 1 {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options"));
        }
        let always = matches!(&k.arg, Some(DefArg::Integer(i)) if *i == i32::from(b'a'))
            || crate::reloptions::value_text(k.arg.as_ref()).eq_ignore_ascii_case("a");
        let letter = if always { b'a' } else { b'd' };
        update(ctx, rel.oid, n, &[(pg_attribute::ATTIDENTITY, Datum::I8(letter as i8))])?;
    }
    if options.is_empty() {
        return Ok(());
    }
    match identity_sequence(ctx, rel, n)? {
        Some(s) => sequence_ddl::alter_options(ctx, s, &options, true),
        None => Err(Error::internal("identity column without a sequence")),
    }
}
