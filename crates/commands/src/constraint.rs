//! Rows of `pg_constraint`, CHECK constraints, and the validation scans behind NOT NULL and CHECK.

use crate::analysis::{TableScope, transform};
use crate::ctx::CommandCtx;
use crate::{expr_depend, naming, table_scan};
use analyze::expr::Expr;
use analyze::{ExprContext, ExprRel};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use catalog::{Catalog, literal};
use common::{Error, Oid, Result, bail, err};
use executor::expr::compile_one;
use executor::run::Exec;
use parser::ast::Constraint;
use types::{Batch, Datum, DatumRef, TupleDesc, oids};

/// The foreign key part of a constraint.
pub struct ForeignPart<'a> {
    pub rel: Oid,
    pub keys: &'a [i16],
    pub on_update: u8,
    pub on_delete: u8,
    pub match_type: u8,
    pub pf_eq: &'a [Oid],
    pub pp_eq: &'a [Oid],
    pub ff_eq: &'a [Oid],
    pub delete_set_cols: &'a [i16],
}

/// A constraint to be recorded.
pub struct NewConstraint<'a> {
    pub name: &'a str,
    pub namespace: Oid,
    /// `c`, `f`, `p`, `u`, `x`.
    pub kind: u8,
    pub deferrable: bool,
    pub deferred: bool,
    /// Operators of an exclusion constraint.
    pub exclude: &'a [Oid],
    pub rel: Oid,
    /// Domain, for constraints of domains.
    pub domain: Oid,
    pub index: Oid,
    pub keys: &'a [i16],
    pub validated: bool,
    pub no_inherit: bool,
    /// Stored expression of a CHECK.
    pub bin: Option<&'a str>,
    pub foreign: Option<ForeignPart<'a>>,
}

fn int2_array(v: &[i16]) -> Datum {
    literal::make_array(oids::INT2, &v.iter().map(|k| Datum::I16(*k)).collect::<Vec<_>>(), 1)
}

fn oid_array(v: &[Oid]) -> Datum {
    literal::make_array(oids::OID, &v.iter().map(|k| Datum::U32(k.0)).collect::<Vec<_>>(), 1)
}

/// Inserts the row; dependencies are the caller's.
pub fn insert(catalog: &Catalog, c: &NewConstraint<'_>) -> Result<Oid> {
    use pg_constraint::*;
    let oid = catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[CONNAME] = Datum::text(c.name);
    r[CONNAMESPACE] = Datum::oid(c.namespace);
    r[CONTYPE] = Datum::I8(c.kind as i8);
    r[CONDEFERRABLE] = Datum::Bool(c.deferrable);
    r[CONDEFERRED] = Datum::Bool(c.deferred);
    r[CONVALIDATED] = Datum::Bool(c.validated);
    r[CONRELID] = Datum::oid(c.rel);
    r[CONTYPID] = Datum::oid(c.domain);
    r[CONINDID] = Datum::oid(c.index);
    r[CONPARENTID] = Datum::oid(Oid::INVALID);
    r[CONFRELID] = Datum::oid(Oid::INVALID);
    for i in [CONFUPDTYPE, CONFDELTYPE, CONFMATCHTYPE] {
        r[i] = Datum::I8(b' ' as i8);
    }
    r[CONISLOCAL] = Datum::Bool(true);
    r[CONINHCOUNT] = Datum::I32(0);
    r[CONNOINHERIT] = Datum::Bool(c.no_inherit);
    if !c.keys.is_empty() {
        r[CONKEY] = int2_array(c.keys);
    }
    if let Some(f) = &c.foreign {
        r[CONFRELID] = Datum::oid(f.rel);
        r[CONFUPDTYPE] = Datum::I8(f.on_update as i8);
        r[CONFDELTYPE] = Datum::I8(f.on_delete as i8);
        r[CONFMATCHTYPE] = Datum::I8(f.match_type as i8);
        r[CONFKEY] = int2_array(f.keys);
        r[CONPFEQOP] = oid_array(f.pf_eq);
        r[CONPPEQOP] = oid_array(f.pp_eq);
        r[CONFFEQOP] = oid_array(f.ff_eq);
        if !f.delete_set_cols.is_empty() {
            r[CONFDELSETCOLS] = int2_array(f.delete_set_cols);
        }
    }
    if !c.exclude.is_empty() {
        r[CONEXCLOP] = oid_array(c.exclude);
    }
    r[CONBIN] = c.bin.map_or(Datum::Null, Datum::text);
    catalog.insert_row(TABLE, &r)?;
    Ok(oid)
}

/// 42P16.
pub fn multiple_primary(table: &str) -> Error {
    err!(INVALID_TABLE_DEFINITION, "multiple primary keys for table \"{table}\" are not allowed")
}

/// A resolved CHECK constraint without a row yet.
#[derive(Clone)]
pub struct Check {
    pub name: String,
    pub expr: Expr,
    pub no_inherit: bool,
    pub validated: bool,
}

/// Resolves and names a CHECK constraint. `taken`: names given to others in the same statement.
pub fn resolve_check(
    ctx: &CommandCtx<'_>,
    table: &str,
    namespace: Oid,
    oid: Oid,
    desc: &TupleDesc,
    c: &Constraint,
    taken: &[String],
) -> Result<Check> {
    let raw = c.raw_expr.as_ref().ok_or_else(|| Error::internal("CHECK without an expression"))?;
    let rel = ExprRel { name: table, oid, desc };
    let expr = transform(ctx, raw, ExprContext::Check, Some(rel), None)?;
    let name = match &c.conname {
        Some(n) => {
            let exists =
                taken.contains(n) || oid.is_valid() && naming::constraint_on_relation(ctx.catalog, oid, n)?;
            if exists && oid.is_valid() {
                bail!(DUPLICATE_OBJECT, "constraint \"{n}\" for relation \"{table}\" already exists");
            } else if exists {
                bail!(DUPLICATE_OBJECT, "check constraint \"{n}\" already exists");
            }
            n.clone()
        }
        None => {
            let columns = expr_depend::columns_of(&expr);
            let column = match columns.as_slice() {
                [a] if *a > 0 => Some(desc.attrs[*a as usize - 1].name.as_str()),
                _ => None,
            };
            naming::choose_constraint_name(ctx.catalog, table, column, "check", namespace, taken)?
        }
    };
    Ok(Check { name, expr, no_inherit: c.is_no_inherit, validated: !c.skip_validation })
}

/// Inserts a CHECK constraint's row with its dependencies. `relchecks` is the caller's.
pub fn insert_check(catalog: &Catalog, rel: Oid, namespace: Oid, c: &Check) -> Result<Oid> {
    let bin = analyze::store_expr(&c.expr)?;
    let keys: Vec<i16> = expr_depend::columns_of(&c.expr).into_iter().filter(|k| *k > 0).collect();
    let oid = insert(
        catalog,
        &NewConstraint {
            name: &c.name,
            namespace,
            kind: b'c',
            deferrable: false,
            deferred: false,
            exclude: &[],
            rel,
            domain: Oid::INVALID,
            index: Oid::INVALID,
            keys: &keys,
            validated: c.validated,
            no_inherit: c.no_inherit,
            bin: Some(&bin),
            foreign: None,
        },
    )?;
    let me = ObjectAddress::new(pg_constraint::TABLE, oid);
    if keys.is_empty() {
        let table = ObjectAddress::new(pg_class::TABLE, rel);
        catalog.record_dependency(me, table, DependencyKind::Auto)?;
    }
    for k in &keys {
        catalog.record_dependency(me, ObjectAddress::column(rel, *k), DependencyKind::Auto)?;
    }
    expr_depend::record(catalog, me, &expr_depend::of_expr(&c.expr, rel), DependencyKind::Normal)?;
    Ok(oid)
}

/// Fails with 23514 if some row violates the expression.
pub fn validate_check(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, e: &Expr) -> Result<()> {
    let heap = table_scan::heap_of(rel)?;
    let mut p = compile_one(ctx.env, e, &TableScope { natts: heap.desc.len() })?;
    let exec = Exec::bare(ctx.env);
    table_scan::each_batch(ctx, &heap, &mut |batch| refuse_false(ctx, rel, name, &mut p, &exec, batch))
}

/// Fails with 23514 if the expression is false for some row of the batch.
pub fn refuse_false(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    p: &mut executor::expr::Program,
    exec: &Exec,
    batch: &Batch,
) -> Result<()> {
    p.run(exec, batch, batch.live())?;
    let a = p.result(0, batch);
    if !(0..batch.rows).any(|i| matches!(a.get(i), DatumRef::Bool(false))) {
        return Ok(());
    }
    let schema = ctx.catalog.namespace_name(rel.namespace)?.unwrap_or_default();
    let message = format!("check constraint \"{name}\" of relation \"{}\" is violated by some row", rel.name);
    Err(err!(CHECK_VIOLATION, "{message}").schema(&*schema).table(&rel.name).constraint(name))
}

/// Fails with 23502 if some row of the batch (attribute order) has a NULL in one of the columns.
pub fn refuse_nulls(ctx: &CommandCtx<'_>, rel: &Relation, columns: &[i16], batch: &Batch) -> Result<()> {
    for c in columns {
        let col = &batch.cols[*c as usize - 1];
        if (0..batch.rows).any(|i| col.get(i).is_null()) {
            let schema = ctx.catalog.namespace_name(rel.namespace)?.unwrap_or_default();
            let name = &rel.desc.attrs[*c as usize - 1].name;
            let message = format!("column \"{name}\" of relation \"{}\" contains null values", rel.name);
            return Err(err!(NOT_NULL_VIOLATION, "{message}").schema(&*schema).table(&rel.name).column(name));
        }
    }
    Ok(())
}

/// Sets `attnotnull` of columns; the caller has validated.
pub fn set_not_null(ctx: &CommandCtx<'_>, rel: Oid, columns: &[i16], on: bool) -> Result<()> {
    use pg_attribute::*;
    for c in columns {
        for r in ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(rel), Datum::I16(*c)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(ATTNOTNULL, Datum::Bool(on))])?;
        }
    }
    ctx.engine.command_counter_increment()
}
