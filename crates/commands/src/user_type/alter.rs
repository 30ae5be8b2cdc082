//! RENAME, OWNER TO and SET SCHEMA of types and domains.

use super::{array_name, check_owner, shown};
use crate::ctx::CommandCtx;
use crate::{rename, target};
use catalog::Ref;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

/// The type a statement names.
fn find(ctx: &CommandCtx<'_>, o: Option<&ObjectRef>, kind: ObjectType) -> Result<Ref<TypeDesc>> {
    let names = match o {
        Some(ObjectRef::Type(t)) => t.names.clone(),
        Some(ObjectRef::Name(n)) => n.clone(),
        _ => return Err(Error::internal("a type without a name")),
    };
    let t = super::find(ctx, &names)?;
    if kind == ObjectType::Domain && t.typtype != b'd' {
        bail!(WRONG_OBJECT_TYPE, "{} is not a domain", shown(ctx, t.oid)?);
    }
    Ok(t)
}

/// Table row types and array types are changed through what they belong to.
fn check_independent(ctx: &CommandCtx<'_>, t: &TypeDesc) -> Result<()> {
    if t.typtype == b'c' && ctx.catalog.relation(t.relid)?.kind != b'c' {
        return Err(err!(WRONG_OBJECT_TYPE, "{} is a table's row type", shown(ctx, t.oid)?)
            .hint("Use ALTER TABLE instead."));
    }
    if t.elem.is_valid() && ctx.catalog.type_desc(t.elem)?.array == t.oid {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot alter array type {}", shown(ctx, t.oid)?).hint(format!(
            "You can alter type {}, which will alter the array type as well.",
            shown(ctx, t.elem)?
        )));
    }
    Ok(())
}

fn tag(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Domain | ObjectType::DomConstraint => "ALTER DOMAIN",
        _ => "ALTER TYPE",
    }
}

fn update(ctx: &CommandCtx<'_>, oid: Oid, changes: &[(usize, Datum)]) -> Result<()> {
    for r in ctx.catalog.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(oid)])? {
        ctx.catalog.update_columns(pg_type::TABLE, &r, changes)?;
    }
    ctx.engine.command_counter_increment()
}

/// ALTER TYPE … RENAME TO, ALTER DOMAIN … RENAME [CONSTRAINT].
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    if s.rename_type == ObjectType::DomConstraint {
        let t = find(ctx, s.object.as_ref(), ObjectType::Domain)?;
        check_owner(ctx, &t)?;
        rename_constraint(ctx, &t, s.subname.as_deref().unwrap_or_default(), &s.newname)?;
        return Ok(tag(s.rename_type).into());
    }
    let t = find(ctx, s.object.as_ref(), s.rename_type)?;
    check_owner(ctx, &t)?;
    check_independent(ctx, &t)?;
    if t.typtype == b'c' {
        target::lock_oid(ctx, t.relid, LockMode::AccessExclusive)?;
        rename::rename_relation(ctx, &*ctx.catalog.relation(t.relid)?, &s.newname)?;
        return Ok(tag(s.rename_type).into());
    }
    super::make_way(ctx, t.namespace, &s.newname)?;
    update(ctx, t.oid, &[(pg_type::TYPNAME, Datum::text(&s.newname))])?;
    if t.array.is_valid() {
        let name = array_name(ctx.catalog, t.namespace, &s.newname)?;
        update(ctx, t.array, &[(pg_type::TYPNAME, Datum::text(&name))])?;
    }
    Ok(tag(s.rename_type).into())
}

fn rename_constraint(ctx: &CommandCtx<'_>, t: &TypeDesc, old: &str, new: &str) -> Result<()> {
    use pg_constraint::*;
    let rows = ctx.catalog.scan(TABLE, CONTYPID_INDEX, &[Datum::oid(t.oid)])?;
    let Some(r) = rows.iter().find(|r| r.str(CONNAME) == old) else {
        bail!(UNDEFINED_OBJECT, "constraint \"{old}\" for domain {} does not exist", shown(ctx, t.oid)?);
    };
    if rows.iter().any(|r| r.str(CONNAME) == new) {
        bail!(DUPLICATE_OBJECT, "constraint \"{new}\" for domain {} already exists", shown(ctx, t.oid)?);
    }
    ctx.catalog.update_columns(TABLE, r, &[(CONNAME, Datum::text(new))])?;
    ctx.engine.command_counter_increment()
}

/// ALTER TYPE and ALTER DOMAIN … OWNER TO.
pub fn owner(ctx: &CommandCtx<'_>, s: &AlterOwnerStmt, owner: Oid) -> Result<String> {
    let t = find(ctx, Some(&s.object), s.object_type)?;
    check_independent(ctx, &t)?;
    if t.owner == owner {
        return Ok(tag(s.object_type).into());
    }
    check_owner(ctx, &t)?;
    rename::check_new_owner(ctx, owner, Some(t.namespace))?;
    let address = ObjectAddress::new(pg_type::TABLE, t.oid);
    if t.typtype == b'c' {
        rename::change_relation_owner(ctx, t.relid, owner, false)?;
        rename::replace_owner_dependency(ctx, address, owner)?;
    } else {
        rename::change_owner(ctx, address, owner)?;
        if t.array.is_valid() {
            update(ctx, t.array, &[(pg_type::TYPOWNER, Datum::oid(owner))])?;
        }
    }
    Ok(tag(s.object_type).into())
}

/// ALTER TYPE and ALTER DOMAIN … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, s: &AlterObjectSchemaStmt) -> Result<String> {
    let t = find(ctx, s.object.as_ref(), s.object_type)?;
    check_owner(ctx, &t)?;
    check_independent(ctx, &t)?;
    let ns = ctx.catalog.require_namespace(&s.newschema)?;
    target::check_creation(ctx, ns)?;
    if t.namespace == ns {
        return Ok(tag(s.object_type).into());
    }
    if ctx.catalog.type_oid(ns, &t.name)?.is_some() {
        bail!(DUPLICATE_OBJECT, "type \"{}\" already exists in schema \"{}\"", t.name, s.newschema);
    }
    if t.typtype == b'c' {
        rename::move_relation(ctx, t.relid, ns)?;
    } else {
        for oid in [t.oid, t.array] {
            update(ctx, oid, &[(pg_type::TYPNAMESPACE, Datum::oid(ns))])?;
        }
        use pg_constraint::*;
        for r in ctx.catalog.scan(TABLE, CONTYPID_INDEX, &[Datum::oid(t.oid)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(CONNAMESPACE, Datum::oid(ns))])?;
        }
    }
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let keys = [Datum::oid(me.class), Datum::oid(me.object), Datum::I32(0)];
    for r in ctx.catalog.scan(pg_depend::TABLE, pg_depend::DEPENDER_INDEX, &keys)? {
        if r.oid(pg_depend::REFCLASSID) == pg_namespace::TABLE {
            ctx.catalog.delete_row(pg_depend::TABLE, &r)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()?;
    Ok(tag(s.object_type).into())
}
