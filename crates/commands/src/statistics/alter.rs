//! ALTER STATISTICS and DROP STATISTICS.

use super::named;
use crate::analysis::{notice, warning};
use crate::ctx::CommandCtx;
use crate::drop::remove::delete_by;
use crate::{acl, aclcheck, naming, rename, target};
use catalog::CatRow;
use catalog::columns::pg_statistic_ext::*;
use catalog::columns::{pg_depend, pg_namespace, pg_statistic_ext_data};
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::{AlterObjectSchemaStmt, AlterStatsStmt, DropStmt, ObjectRef, RenameStmt};
use types::Datum;

/// The most entries a list may be asked to have.
const MAX_TARGET: i32 = 10000;

fn names_of(o: Option<&ObjectRef>) -> Result<&[String]> {
    match o {
        Some(ObjectRef::Name(n)) => Ok(n),
        _ => Err(Error::internal("a statistics object without a name")),
    }
}

/// The object a name means. 3F000 if its schema does not exist, unless that may be.
fn find(ctx: &CommandCtx<'_>, names: &[String], missing_ok: bool) -> Result<Option<CatRow>> {
    let rv = target::range_var(names)?;
    let schemas = match &rv.schemaname {
        Some(s) => match ctx.catalog.named_schema(s)? {
            Some(ns) => vec![ns],
            None if missing_ok => Vec::new(),
            None => return Err(err!(UNDEFINED_SCHEMA, "schema \"{s}\" does not exist")),
        },
        None => ctx.host.search_path()?.schemas.clone(),
    };
    for ns in schemas {
        if let Some(r) = named(ctx, ns, &rv.relname)? {
            return Ok(Some(r));
        }
    }
    Ok(None)
}

fn require(ctx: &CommandCtx<'_>, names: &[String]) -> Result<CatRow> {
    find(ctx, names, false)?
        .ok_or_else(|| err!(UNDEFINED_OBJECT, "statistics object \"{}\" does not exist", names.join(".")))
}

fn check_owner(ctx: &CommandCtx<'_>, r: &CatRow, shown: &str) -> Result<()> {
    if !target::owns(ctx, r.oid(STXOWNER))? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of statistics object {shown}");
    }
    Ok(())
}

/// ALTER STATISTICS … SET STATISTICS.
pub fn set_target(ctx: &CommandCtx<'_>, s: &AlterStatsStmt) -> Result<String> {
    let mut new = s.stxstattarget;
    if new < -1 {
        bail!(INVALID_PARAMETER_VALUE, "statistics target {new} is too low");
    }
    if new > MAX_TARGET {
        new = MAX_TARGET;
        let text = format!("lowering statistics target to {new}");
        warning(ctx, SqlState::INVALID_PARAMETER_VALUE, text);
    }
    let done = || Ok("ALTER STATISTICS".into());
    let found = find(ctx, &s.defnames, s.missing_ok)?;
    if found.is_none() && s.missing_ok {
        notice(ctx, format!("statistics object \"{}\" does not exist, skipping", s.defnames.join(".")));
        return done();
    }
    let r = require(ctx, &s.defnames)?;
    check_owner(ctx, &r, &s.defnames.join("."))?;
    ctx.catalog.update_columns(TABLE, &r, &[(STXSTATTARGET, Datum::I32(new))])?;
    done()
}

fn check_free(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<()> {
    if named(ctx, ns, name)?.is_some() {
        let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        bail!(DUPLICATE_OBJECT, "statistics object \"{name}\" already exists in schema \"{schema}\"");
    }
    Ok(())
}

/// ALTER STATISTICS … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    let r = require(ctx, names_of(s.object.as_ref())?)?;
    check_owner(ctx, &r, r.str(STXNAME))?;
    let ns = r.oid(STXNAMESPACE);
    aclcheck::check_namespace(ctx, ns, acl::CREATE)?;
    let new = naming::clip(&s.newname, naming::NAME_MAX).to_string();
    check_free(ctx, ns, &new)?;
    ctx.catalog.update_columns(TABLE, &r, &[(STXNAME, Datum::text(&new))])?;
    Ok("ALTER STATISTICS".into())
}

/// ALTER STATISTICS … OWNER TO.
pub fn owner(ctx: &CommandCtx<'_>, o: &ObjectRef, owner: Oid) -> Result<String> {
    let r = require(ctx, names_of(Some(o))?)?;
    if r.oid(STXOWNER) != owner {
        check_owner(ctx, &r, r.str(STXNAME))?;
        rename::check_new_owner(ctx, owner, Some(r.oid(STXNAMESPACE)))?;
        rename::change_owner(ctx, ObjectAddress::new(TABLE, r.oid(OID)), owner)?;
    }
    Ok("ALTER STATISTICS".into())
}

/// ALTER STATISTICS … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, s: &AlterObjectSchemaStmt) -> Result<String> {
    let r = require(ctx, names_of(s.object.as_ref())?)?;
    let ns = ctx.catalog.require_namespace(&s.newschema)?;
    aclcheck::check_namespace(ctx, ns, acl::CREATE)?;
    target::check_move(ctx, r.oid(STXNAMESPACE), ns)?;
    if ns != r.oid(STXNAMESPACE) {
        check_owner(ctx, &r, r.str(STXNAME))?;
        check_free(ctx, ns, r.str(STXNAME))?;
        ctx.catalog.update_columns(TABLE, &r, &[(STXNAMESPACE, Datum::oid(ns))])?;
        depend_on_schema(ctx, ObjectAddress::new(TABLE, r.oid(OID)), ns)?;
    }
    Ok("ALTER STATISTICS".into())
}

/// Replaces an object's dependency on its schema.
fn depend_on_schema(ctx: &CommandCtx<'_>, me: ObjectAddress, ns: Oid) -> Result<()> {
    use pg_depend::*;
    let keys = [Datum::oid(me.class), Datum::oid(me.object), Datum::I32(0)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.oid(REFCLASSID) == pg_namespace::TABLE {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()
}

/// DROP STATISTICS.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let names = names_of(Some(o))?;
        if s.missing_ok {
            if let Some(schema) = target::range_var(names)?.schemaname
                && ctx.catalog.named_schema(&schema)?.is_none()
            {
                notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
                continue;
            }
            if find(ctx, names, true)?.is_none() {
                notice(ctx, format!("statistics object \"{}\" does not exist, skipping", names.join(".")));
                continue;
            }
        }
        let r = require(ctx, names)?;
        let own_schema = crate::drop::owns_schema(ctx, r.oid(STXNAMESPACE))?;
        if !own_schema {
            check_owner(ctx, &r, &names.join("."))?;
        }
        let rel = r.oid(STXRELID);
        target::lock_oid(ctx, rel, transam::LockMode::ShareUpdateExclusive)?;
        objects.push(ObjectAddress::new(TABLE, r.oid(OID)));
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP STATISTICS".into())
}

/// Removes an object's row and its data.
pub fn remove(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    let data = pg_statistic_ext_data::STXOID_INH_INDEX;
    delete_by(ctx, pg_statistic_ext_data::TABLE, data, &[Datum::oid(oid)])?;
    delete_by(ctx, TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    Ok(())
}
