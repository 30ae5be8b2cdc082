//! ADD, DROP and VALIDATE CONSTRAINT.

use super::work::Work;
use crate::analysis::notice;
use crate::constraint;
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{foreign_key, index, naming, target};
use analyze::expr::Expr;
use catalog::Ref;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use types::Datum;

/// Adds a table constraint.
pub fn add(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Ref<Relation>, c: &Constraint) -> Result<()> {
    // A constraint of another table is verified there and then: the work is about this one's rows.
    let own = rel.oid == w.old.oid;
    match c.contype {
        ConstrType::Check => add_check(ctx, w, rel, c),
        ConstrType::Primary | ConstrType::Unique if c.indexname.is_some() => use_index(ctx, w, rel, c),
        ConstrType::Primary | ConstrType::Unique => {
            check_key(rel, c)?;
            if c.contype == ConstrType::Primary {
                prepare_primary(ctx, w, rel, &c.keys)?;
            }
            index::make_for_constraint(ctx, &ctx.catalog.relation(rel.oid)?, c, own && w.rewrites(), false)?;
            Ok(())
        }
        ConstrType::Foreign => {
            let (name, validated) = foreign_key::add(ctx, rel.oid, c)?;
            if validated {
                w.foreign.push((rel.oid, name));
            }
            Ok(())
        }
        ConstrType::Exclusion => {
            index::make_for_constraint(ctx, &ctx.catalog.relation(rel.oid)?, c, own && w.rewrites(), false)?;
            Ok(())
        }
        _ => Err(Error::internal("not a table constraint")),
    }
}

fn check_key(rel: &Relation, c: &Constraint) -> Result<()> {
    for (i, k) in c.keys.iter().enumerate() {
        if !rel.desc.attrs.iter().any(|a| !a.dropped && a.name == *k) {
            let e = common::err!(UNDEFINED_COLUMN, "column \"{k}\" named in key does not exist");
            return Err(e.at(c.location));
        }
        if c.keys[..i].contains(k) {
            let what = if c.contype == ConstrType::Primary { "primary key" } else { "unique" };
            let e = common::err!(DUPLICATE_COLUMN, "column \"{k}\" appears twice in {what} constraint");
            return Err(e.at(c.location));
        }
    }
    Ok(())
}

/// The columns of a primary key become NOT NULL, after a look at the rows.
fn prepare_primary(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, keys: &[String]) -> Result<()> {
    for oid in &rel.indexes {
        if ctx.catalog.index(*oid)?.primary {
            return Err(constraint::multiple_primary(&rel.name));
        }
    }
    let open: Vec<i16> = rel
        .desc
        .attrs
        .iter()
        .enumerate()
        .filter(|(_, a)| !a.dropped && !a.not_null && keys.contains(&a.name))
        .map(|(i, _)| i as i16 + 1)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    w.not_null.extend(&open);
    constraint::set_not_null(ctx, rel.oid, &open, true)
}

fn add_check(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, c: &Constraint) -> Result<()> {
    let check = constraint::resolve_check(ctx, &rel.name, rel.namespace, rel.oid, &rel.desc, c, &[])?;
    if check.validated {
        w.checks.push((check.name.clone(), check.expr.clone()));
    }
    constraint::insert_check(ctx.catalog, rel.oid, rel.namespace, &check)?;
    let n = target::class_row(ctx.catalog, rel.oid)?.i16(pg_class::RELCHECKS) + 1;
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELCHECKS, Datum::I16(n))])
}

fn use_index(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, c: &Constraint) -> Result<()> {
    let name = c.indexname.as_deref().unwrap_or_default();
    let primary = c.contype == ConstrType::Primary;
    let deferrable = c.deferrable || c.initdeferred;
    let at = |e: Error| e.at(c.location);
    let Some(oid) = ctx.catalog.relation_oid(rel.namespace, name)? else {
        return Err(at(common::err!(UNDEFINED_OBJECT, "index \"{name}\" does not exist")));
    };
    if ctx.catalog.relation(oid)?.kind != b'i' {
        return Err(at(common::err!(WRONG_OBJECT_TYPE, "\"{name}\" is not an index")));
    }
    let ix = ctx.catalog.index(oid)?;
    let not_ready = |m: String| at(Error::new(common::SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, m));
    let wrong = |m: String| {
        at(Error::new(common::SqlState::WRONG_OBJECT_TYPE, m)
            .detail("Cannot create a primary key or unique constraint using such an index."))
    };
    if ix.constraint.is_valid() {
        return Err(not_ready(format!("index \"{name}\" is already associated with a constraint")));
    }
    if ix.table != rel.oid {
        return Err(not_ready(format!("index \"{name}\" does not belong to table \"{}\"", rel.name)));
    }
    if !ix.unique {
        return Err(wrong(format!("\"{name}\" is not a unique index")));
    }
    if ix.expressions.is_some() {
        return Err(wrong(format!("index \"{name}\" contains expressions")));
    }
    if ix.predicate.is_some() {
        return Err(wrong(format!("\"{name}\" is a partial index")));
    }
    let keys: Vec<i16> = ix.keys[..ix.num_key_atts as usize].to_vec();
    if primary {
        let names: Vec<String> = keys.iter().map(|k| rel.desc.attrs[*k as usize - 1].name.clone()).collect();
        prepare_primary(ctx, w, rel, &names)?;
    }
    let conname = c.conname.clone().unwrap_or_else(|| name.to_string());
    if conname != name {
        notice(
            ctx,
            format!("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{name}\" to \"{conname}\""),
        );
        target::update_class(ctx.catalog, oid, &[(pg_class::RELNAME, Datum::text(&conname))])?;
    }
    if naming::constraint_on_relation(ctx.catalog, rel.oid, &conname)? {
        bail!(DUPLICATE_OBJECT, "constraint \"{conname}\" for relation \"{}\" already exists", rel.name);
    }
    let con = constraint::insert(
        ctx.catalog,
        &constraint::NewConstraint {
            name: &conname,
            namespace: rel.namespace,
            kind: if primary { b'p' } else { b'u' },
            deferrable,
            deferred: c.initdeferred,
            exclude: &[],
            rel: rel.oid,
            domain: Oid::INVALID,
            index: oid,
            keys: &keys,
            validated: true,
            no_inherit: true,
            bin: None,
            foreign: None,
        },
    )?;
    let me = ObjectAddress::new(pg_constraint::TABLE, con);
    for k in &ix.keys {
        ctx.catalog.record_dependency(me, ObjectAddress::column(rel.oid, *k), DependencyKind::Auto)?;
    }
    let index_address = ObjectAddress::new(pg_class::TABLE, oid);
    ctx.catalog.delete_dependencies_of(index_address)?;
    ctx.catalog.record_dependency(index_address, me, DependencyKind::Internal)?;
    if deferrable {
        let of = crate::internal_triggers::Of {
            constraint: con,
            index: oid,
            deferrable,
            deferred: c.initdeferred,
        };
        crate::internal_triggers::of_deferrable(ctx.catalog, &of, rel.oid, primary)?;
        use pg_index::*;
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(oid)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(INDIMMEDIATE, Datum::Bool(false))])?;
        }
        ctx.engine.command_counter_increment()?;
    }
    if primary {
        use pg_index::*;
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(oid)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(INDISPRIMARY, Datum::Bool(true))])?;
        }
    }
    Ok(())
}

/// The row of a named constraint of a table.
pub fn find(ctx: &CommandCtx<'_>, rel: Oid, name: &str) -> Result<Option<catalog::CatRow>> {
    use pg_constraint::*;
    let keys = [Datum::oid(rel), Datum::oid(Oid::INVALID), Datum::text(name)];
    Ok(ctx.catalog.scan(TABLE, CONRELID_CONTYPID_CONNAME_INDEX, &keys)?.into_iter().next())
}

/// DROP CONSTRAINT.
pub fn drop(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    behavior: DropBehavior,
    missing_ok: bool,
) -> Result<()> {
    let Some(row) = find(ctx, rel.oid, name)? else {
        if missing_ok {
            notice(
                ctx,
                format!("constraint \"{name}\" of relation \"{}\" does not exist, skipping", rel.name),
            );
            return Ok(());
        }
        bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of relation \"{}\" does not exist", rel.name);
    };
    if row.char(pg_constraint::CONTYPE) == b'f' {
        let other = row.oid(pg_constraint::CONFRELID);
        target::lock_oid(ctx, other, transam::LockMode::AccessExclusive)?;
    }
    let address = ObjectAddress::new(pg_constraint::TABLE, row.oid(pg_constraint::OID));
    walk::drop_objects(ctx, &[address], behavior, false)
}

/// ALTER CONSTRAINT: deferrability of a foreign key.
pub fn alter(ctx: &CommandCtx<'_>, rel: &Relation, c: &Constraint) -> Result<()> {
    use pg_constraint::*;
    let name = c.conname.as_deref().unwrap_or_default();
    let Some(row) = find(ctx, rel.oid, name)? else {
        bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of relation \"{}\" does not exist", rel.name);
    };
    if row.char(CONTYPE) != b'f' {
        bail!(
            WRONG_OBJECT_TYPE,
            "constraint \"{name}\" of relation \"{}\" is not a foreign key constraint",
            rel.name
        );
    }
    let (deferrable, deferred) = (c.deferrable || c.initdeferred, c.initdeferred);
    let changes = [(CONDEFERRABLE, Datum::Bool(deferrable)), (CONDEFERRED, Datum::Bool(deferred))];
    ctx.catalog.update_columns(TABLE, &row, &changes)?;
    crate::internal_triggers::alter(ctx, row.oid(OID), deferrable, deferred)?;
    // Both tables' descriptors hold the constraint.
    for table in [rel.oid, row.oid(CONFRELID)] {
        let flag = [(pg_class::RELHASTRIGGERS, Datum::Bool(true))];
        target::update_class(ctx.catalog, table, &flag)?;
    }
    Ok(())
}

/// VALIDATE CONSTRAINT.
pub fn validate(ctx: &CommandCtx<'_>, rel: &Relation, name: &str) -> Result<()> {
    use pg_constraint::*;
    let Some(row) = find(ctx, rel.oid, name)? else {
        bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of relation \"{}\" does not exist", rel.name);
    };
    match row.char(CONTYPE) {
        b'f' | b'c' if row.bool(CONVALIDATED) => return Ok(()),
        b'f' => foreign_key::validate(ctx, rel.oid, name)?,
        b'c' => {
            let e: Expr = analyze::load_expr(row.str(CONBIN))?;
            constraint::validate_check(ctx, rel, name, &e)?;
        }
        _ => bail!(
            WRONG_OBJECT_TYPE,
            "constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint",
            rel.name
        ),
    }
    ctx.catalog.update_columns(TABLE, &row, &[(CONVALIDATED, Datum::Bool(true))])?;
    Ok(())
}
