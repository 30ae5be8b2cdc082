//! ALTER and DROP of operator classes and families.

use super::items::{Items, Place, family_name, pair};
use super::name::{self, NAME, NAMESPACE, OWNER, kind, split};
use super::{FAMILY, Method, method};
use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::{naming, target};
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use types::Datum;

fn tag(verb: &str, t: ObjectType) -> String {
    format!("{verb} {}", kind(t).word.to_ascii_uppercase())
}

/// Runs ALTER OPERATOR FAMILY … ADD and DROP.
pub fn alter_family(ctx: &CommandCtx<'_>, s: &AlterOpFamilyStmt) -> Result<String> {
    let am = method(ctx, &s.amname)?;
    let family = FAMILY.require(ctx, &am, &s.opfamilyname)?.oid(pg_opfamily::OID);
    if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to alter an operator family");
    }
    am.check_supported()?;
    match &s.items {
        OpFamilyItems::Add(list) => {
            let mut items = Items::default();
            for i in list {
                items.read(ctx, &am, i, None)?;
            }
            items.store(ctx, &Place { family, class: None, am: am.oid, name: family_name(ctx, family)? })?;
        }
        OpFamilyItems::Drop(list) => drop_members(ctx, &am, family, list)?,
    }
    Ok("ALTER OPERATOR FAMILY".into())
}

fn drop_members(ctx: &CommandCtx<'_>, am: &Method, family: Oid, list: &[OpFamilyDropItem]) -> Result<()> {
    // Everything is read before anything goes.
    let mut doomed: Vec<(bool, i32, Oid, Oid)> = Vec::new();
    for i in list {
        let (is_function, number, args, max) = match i {
            OpFamilyDropItem::Operator { number, args } => (false, *number, args, am.operators),
            OpFamilyDropItem::Function { number, args } => (true, *number, args, am.functions),
        };
        let what = if is_function { "function" } else { "operator" };
        if number < 1 || number > max {
            bail!(INVALID_OBJECT_DEFINITION, "invalid {what} number {number}, must be between 1 and {max}");
        }
        let (left, right) = pair(ctx, args)?;
        if doomed.contains(&(is_function, number, left, right)) {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "{what} number {number} for ({},{}) appears more than once",
                crate::user_type::shown(ctx, left)?,
                crate::user_type::shown(ctx, right)?
            );
        }
        doomed.push((is_function, number, left, right));
    }
    doomed.sort_by_key(|d| d.0);
    for (is_function, number, left, right) in doomed {
        let (table, index, what) = match is_function {
            false => (pg_amop::TABLE, pg_amop::FAM_STRAT_INDEX, "operator"),
            true => (pg_amproc::TABLE, pg_amproc::FAM_PROC_INDEX, "function"),
        };
        let keys = [Datum::oid(family), Datum::oid(left), Datum::oid(right), Datum::I16(number as i16)];
        let rows = ctx.catalog.scan(table, index, &keys)?;
        let Some(r) = rows.first() else {
            bail!(
                UNDEFINED_OBJECT,
                "{what} {number}({},{}) does not exist in operator family \"{}\"",
                crate::user_type::shown(ctx, left)?,
                crate::user_type::shown(ctx, right)?,
                family_name(ctx, family)?
            );
        };
        let a = [ObjectAddress::new(table, r.oid(0))];
        crate::drop::walk::drop_objects(ctx, &a, DropBehavior::Restrict, false)?;
    }
    Ok(())
}

fn require(ctx: &CommandCtx<'_>, t: ObjectType, o: Option<&ObjectRef>) -> Result<(Method, CatRow)> {
    let o = o.ok_or_else(|| Error::internal("an operator class without a name"))?;
    let (am, names) = split(o)?;
    let am = method(ctx, am)?;
    let r = kind(t).require(ctx, &am, names)?;
    Ok((am, r))
}

fn check_free(ctx: &CommandCtx<'_>, t: ObjectType, am: &Method, ns: Oid, name: &str) -> Result<()> {
    if kind(t).in_schema(ctx, am.oid, ns, name)?.is_some() {
        let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        bail!(
            DUPLICATE_OBJECT,
            "{} \"{name}\" for access method \"{}\" already exists in schema \"{schema}\"",
            kind(t).word,
            am.name
        );
    }
    Ok(())
}

/// Runs ALTER … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    let t = s.rename_type;
    let (am, r) = require(ctx, t, s.object.as_ref())?;
    kind(t).check_owner(ctx, &r)?;
    if !ctx.host.is_superuser() {
        crate::aclcheck::check_namespace(ctx, r.oid(NAMESPACE), crate::acl::CREATE)?;
    }
    let new = naming::clip(&s.newname, naming::NAME_MAX).to_string();
    check_free(ctx, t, &am, r.oid(NAMESPACE), &new)?;
    ctx.catalog.update_columns(kind(t).table, &r, &[(NAME, Datum::text(&new))])?;
    ctx.engine.command_counter_increment()?;
    Ok(tag("ALTER", t))
}

/// Runs ALTER … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, s: &AlterObjectSchemaStmt) -> Result<String> {
    let t = s.object_type;
    let (am, r) = require(ctx, t, s.object.as_ref())?;
    let ns = ctx.catalog.require_namespace(&s.newschema)?;
    kind(t).check_owner(ctx, &r)?;
    let old = r.oid(NAMESPACE);
    target::check_move(ctx, old, ns)?;
    if ns != old {
        if !ctx.host.is_superuser() {
            crate::aclcheck::check_namespace(ctx, ns, crate::acl::CREATE)?;
        }
        check_free(ctx, t, &am, ns, r.str(NAME))?;
        move_to(ctx, t, &r, ns)?;
    }
    Ok(tag("ALTER", t))
}

fn move_to(ctx: &CommandCtx<'_>, t: ObjectType, r: &CatRow, ns: Oid) -> Result<()> {
    let k = kind(t);
    ctx.catalog.update_columns(k.table, r, &[(NAMESPACE, Datum::oid(ns))])?;
    let me = ObjectAddress::new(k.table, r.oid(0));
    use pg_depend::*;
    let keys = [Datum::oid(k.table), Datum::oid(me.object), Datum::I32(0)];
    for d in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if d.oid(REFCLASSID) == pg_namespace::TABLE {
            ctx.catalog.delete_row(TABLE, &d)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()
}

/// Runs ALTER … OWNER TO.
pub fn owner(ctx: &CommandCtx<'_>, s: &AlterOwnerStmt, owner: Oid) -> Result<String> {
    let t = s.object_type;
    let (_, r) = require(ctx, t, Some(&s.object))?;
    if r.oid(OWNER) != owner {
        kind(t).check_owner(ctx, &r)?;
        crate::rename::check_new_owner(ctx, owner, Some(r.oid(NAMESPACE)))?;
        crate::rename::change_owner(ctx, ObjectAddress::new(kind(t).table, r.oid(0)), owner)?;
    }
    Ok(tag("ALTER", t))
}

/// Runs DROP OPERATOR CLASS and DROP OPERATOR FAMILY.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let t = s.remove_type;
    let k = name::kind(t);
    let mut objects = Vec::new();
    for o in &s.objects {
        let (am, names) = split(o)?;
        let am = method(ctx, am)?;
        if let Some(schema) = target::range_var(names)?.schemaname
            && s.missing_ok
            && ctx.catalog.namespace_oid(&schema)?.is_none()
        {
            notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
            continue;
        }
        let Some(r) = k.find(ctx, am.oid, names)? else {
            if !s.missing_ok {
                k.require(ctx, &am, names)?;
            }
            let shown = names.join(".");
            notice(
                ctx,
                format!("{} \"{shown}\" does not exist for access method \"{}\", skipping", k.word, am.name),
            );
            continue;
        };
        if !crate::drop::owns_schema(ctx, r.oid(NAMESPACE))? {
            k.check_owner(ctx, &r)?;
        }
        objects.push(ObjectAddress::new(k.table, r.oid(0)));
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok(tag("DROP", t))
}
