//! CHECK constraints of domains: their rows, and the test of all columns that hold values of the domain.

use super::without_position;
use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{expr_depend, naming, table_scan};
use analyze::expr::Expr;
use catalog::Catalog;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result, bail, err};
use executor::expr::compile_one;
use executor::run::Exec;
use parser::ast::{Constraint, DropBehavior};
use transam::LockMode;
use types::{Datum, DatumRef};

fn rows_of(ctx: &CommandCtx<'_>, domain: Oid) -> Result<Vec<catalog::CatRow>> {
    ctx.catalog.scan(pg_constraint::TABLE, pg_constraint::CONTYPID_INDEX, &[Datum::oid(domain)])
}

/// Adds a CHECK constraint; whether present values satisfy it is the caller's question. Returns the expression.
pub fn add_check(ctx: &CommandCtx<'_>, t: &TypeDesc, c: &Constraint) -> Result<Expr> {
    use pg_constraint::*;
    let raw = c.raw_expr.as_ref().ok_or_else(|| Error::internal("CHECK without an expression"))?;
    let taken: Vec<String> = rows_of(ctx, t.oid)?.iter().map(|r| r.str(CONNAME).to_string()).collect();
    let name = match &c.conname {
        Some(n) if taken.contains(n) => {
            bail!(DUPLICATE_OBJECT, "constraint \"{n}\" for domain \"{}\" already exists", t.name)
        }
        Some(n) => n.clone(),
        None => naming::choose_constraint_name(ctx.catalog, &t.name, None, "check", t.namespace, &taken)?,
    };
    let e =
        with_analyze(ctx, |a| analyze::transform_domain_check(a, raw, (t.base_type, t.typmod, t.collation)))
            .map_err(without_position)?;
    store_check(ctx.catalog, t, &name, &e, !c.skip_validation)?;
    Ok(e)
}

/// The row of a domain's CHECK constraint, and what it depends on.
pub fn store_check(catalog: &Catalog, t: &TypeDesc, name: &str, check: &Expr, validated: bool) -> Result<()> {
    let bin = analyze::store_expr(check)?;
    let oid = crate::constraint::insert(
        catalog,
        &crate::constraint::NewConstraint {
            name,
            namespace: t.namespace,
            kind: b'c',
            deferrable: false,
            deferred: false,
            exclude: &[],
            rel: Oid::INVALID,
            domain: t.oid,
            index: Oid::INVALID,
            keys: &[],
            validated,
            no_inherit: false,
            bin: Some(&bin),
            foreign: None,
        },
    )?;
    let me = ObjectAddress::new(pg_constraint::TABLE, oid);
    let on = ObjectAddress::new(pg_type::TABLE, t.oid);
    catalog.record_dependency(me, on, DependencyKind::Auto)?;
    expr_depend::record(catalog, me, &expr_depend::of_expr(check, Oid::INVALID), DependencyKind::Normal)
}

/// Drops a constraint by name; false if there is none.
pub fn drop_check(ctx: &CommandCtx<'_>, t: &TypeDesc, name: &str, behavior: DropBehavior) -> Result<bool> {
    use pg_constraint::*;
    let Some(oid) = rows_of(ctx, t.oid)?.iter().find(|r| r.str(CONNAME) == name).map(|r| r.oid(OID)) else {
        return Ok(false);
    };
    walk::drop_objects(ctx, &[ObjectAddress::new(TABLE, oid)], behavior, false)?;
    Ok(true)
}

/// VALIDATE CONSTRAINT.
pub fn validate_named(ctx: &CommandCtx<'_>, t: &TypeDesc, name: &str, shown: &[String]) -> Result<()> {
    use pg_constraint::*;
    let rows = rows_of(ctx, t.oid)?;
    let Some(r) = rows.iter().find(|r| r.str(CONNAME) == name) else {
        bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of domain \"{}\" does not exist", shown.join("."));
    };
    validate(ctx, t, &analyze::load_expr(r.str(CONBIN))?)?;
    ctx.catalog.update_columns(TABLE, r, &[(CONVALIDATED, Datum::Bool(true))])?;
    Ok(())
}

/// Table columns whose type is the domain or one over it. A domain inside of arrays and rows cannot be looked at: 0A000.
fn columns(ctx: &CommandCtx<'_>, domain: Oid) -> Result<Vec<(Oid, i16)>> {
    let mut out = Vec::new();
    let mut todo = vec![domain];
    while let Some(t) = todo.pop() {
        let d = ctx.catalog.type_desc(t)?;
        if let Some((rel, column)) = super::column_using(ctx, d.array)? {
            return Err(inside(ctx, domain, rel, column)?);
        }
        for dep in ctx.catalog.dependents(ObjectAddress::new(pg_type::TABLE, t))? {
            match dep.depender.class {
                pg_type::TABLE if ctx.catalog.type_desc(dep.depender.object)?.typtype == b'd' => {
                    todo.push(dep.depender.object);
                }
                pg_class::TABLE if dep.depender.sub > 0 => {
                    let rel = ctx.catalog.relation(dep.depender.object)?;
                    if matches!(rel.kind, b'r' | b'm') {
                        out.push((rel.oid, dep.depender.sub as i16));
                    }
                    if let Some((rel, column)) = super::column_using(ctx, rel.row_type)? {
                        return Err(inside(ctx, domain, rel, column)?);
                    }
                }
                _ => {}
            }
        }
    }
    out.sort();
    Ok(out)
}

fn inside(ctx: &CommandCtx<'_>, domain: Oid, rel: Oid, column: i16) -> Result<Error> {
    let r = ctx.catalog.relation(rel)?;
    Ok(err!(
        FEATURE_NOT_SUPPORTED,
        "cannot alter type \"{}\" because column \"{}.{}\" uses it",
        ctx.catalog.type_desc(domain)?.name,
        r.name,
        r.desc.attrs[column as usize - 1].name
    ))
}

/// Looks at every value of a domain in the database's tables.
fn each_column(
    ctx: &CommandCtx<'_>,
    t: &TypeDesc,
    mut bad: impl FnMut(&types::Column, usize) -> Result<bool>,
    message: &str,
    state: common::SqlState,
) -> Result<()> {
    for (rel, column) in columns(ctx, t.oid)? {
        crate::target::lock_oid(ctx, rel, LockMode::Share)?;
        let r = ctx.catalog.relation(rel)?;
        let heap = table_scan::heap_of(&r)?;
        let name = &r.desc.attrs[column as usize - 1].name;
        let schema = ctx.catalog.namespace_name(r.namespace)?.unwrap_or_default();
        table_scan::each_batch(ctx, &heap, &mut |batch| {
            if bad(&batch.cols[column as usize - 1], batch.rows)? {
                let text = format!("column \"{name}\" of table \"{}\" {message}", r.name);
                return Err(Error::new(state, text).schema(&*schema).table(&r.name).column(name));
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// 23502 if some column of the domain holds NULLs.
pub fn validate_not_null(ctx: &CommandCtx<'_>, t: &TypeDesc) -> Result<()> {
    let bad = |c: &types::Column, n: usize| Ok((0..n).any(|i| c.get(i).is_null()));
    each_column(ctx, t, bad, "contains null values", common::SqlState::NOT_NULL_VIOLATION)
}

/// VALUE is column 0.
struct ValueScope;

impl executor::expr::Scope for ValueScope {
    fn var(&self, _: &analyze::expr::Var) -> Option<usize> {
        None
    }
    fn special(&self, e: &Expr) -> Option<usize> {
        matches!(e, Expr::DomainValue { .. }).then_some(0)
    }
}

/// 23514 if some column of the domain holds a value that violates a new constraint.
pub fn validate(ctx: &CommandCtx<'_>, t: &TypeDesc, e: &Expr) -> Result<()> {
    let mut p = compile_one(ctx.env, e, &ValueScope)?;
    let exec = Exec::bare(ctx.env);
    let mut values = types::Batch { cols: vec![types::Column::new(t.phys)], rows: 0, sel: None };
    let bad = |c: &types::Column, n: usize| {
        values.clear();
        (0..n).for_each(|i| values.cols[0].push(c.get(i)));
        values.rows = n;
        p.run(&exec, &values, values.live())?;
        let r = p.result(0, &values);
        Ok((0..n).any(|i| matches!(r.get(i), DatumRef::Bool(false))))
    };
    let message = "contains values that violate the new constraint";
    each_column(ctx, t, bad, message, common::SqlState::CHECK_VIOLATION)
}
