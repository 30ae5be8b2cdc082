//! REASSIGN OWNED and DROP OWNED: what roles own and what was granted to them in this database, found through `pg_shdepend`.

use crate::acl;
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{rename, roles, target};
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail, err};
use parser::ast::{DropOwnedStmt, ReassignOwnedStmt, RoleSpec};
use types::Datum;

/// What a role has to do with an object: `o` owns it, `a` is named in its list, … Object and its database.
fn dependents(ctx: &CommandCtx<'_>, role: Oid) -> Result<Vec<(ObjectAddress, u8, Oid)>> {
    use pg_shdepend::*;
    let rows = ctx.catalog.scan(TABLE, REFERENCE_INDEX, &[Datum::oid(pg_authid::TABLE), Datum::oid(role)])?;
    let here = ctx.catalog.database();
    Ok(rows
        .iter()
        .filter(|r| r.oid(DBID) == here || !r.oid(DBID).is_valid())
        .map(|r| {
            let a = ObjectAddress { class: r.oid(CLASSID), object: r.oid(OBJID), sub: r.i32(OBJSUBID) };
            (a, r.char(DEPTYPE), r.oid(DBID))
        })
        .collect())
}

fn named_roles(ctx: &CommandCtx<'_>, list: &[RoleSpec], command: &str) -> Result<Vec<Oid>> {
    let mut out = Vec::new();
    for r in list {
        let role = target::role(ctx, r)?;
        if role < Oid::FIRST_NORMAL {
            let what = if command == "drop" { "drop" } else { "reassign ownership of" };
            let name = ctx.catalog.role_name(role)?.unwrap_or_default();
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot {what} objects owned by role {name} because they are required by the database system"
            ));
        }
        if !ctx.host.is_superuser() && !roles::has_privs_of(ctx.catalog, ctx.host.role(), role)? {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to {command} objects");
        }
        out.push(role);
    }
    Ok(out)
}

/// Runs DROP OWNED.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropOwnedStmt) -> Result<String> {
    let mut doomed = Vec::new();
    for role in named_roles(ctx, &s.roles, "drop")? {
        for (a, kind, _) in dependents(ctx, role)? {
            match kind {
                b'a' => revoke_all(ctx, a, role)?,
                // Databases and tablespaces stay.
                b'o' if a.class != pg_database::TABLE && a.class != pg_tablespace::TABLE => doomed.push(a),
                _ => {}
            }
        }
    }
    doomed.sort_by_key(|a| std::cmp::Reverse(a.object));
    doomed.dedup();
    walk::drop_objects(ctx, &doomed, s.behavior, false)?;
    Ok("DROP OWNED".into())
}

/// Takes a role out of an object's list.
fn revoke_all(ctx: &CommandCtx<'_>, a: ObjectAddress, role: Oid) -> Result<()> {
    let (table, index, column, keys) = match a.class {
        pg_class::TABLE if a.sub != 0 => (
            pg_attribute::TABLE,
            pg_attribute::RELID_ATTNUM_INDEX,
            pg_attribute::ATTACL,
            vec![Datum::oid(a.object), Datum::I16(a.sub as i16)],
        ),
        pg_class::TABLE => (a.class, pg_class::OID_INDEX, pg_class::RELACL, vec![Datum::oid(a.object)]),
        pg_namespace::TABLE => {
            (a.class, pg_namespace::OID_INDEX, pg_namespace::NSPACL, vec![Datum::oid(a.object)])
        }
        pg_database::TABLE => {
            (a.class, pg_database::OID_INDEX, pg_database::DATACL, vec![Datum::oid(a.object)])
        }
        pg_proc::TABLE => (a.class, pg_proc::OID_INDEX, pg_proc::PROACL, vec![Datum::oid(a.object)]),
        pg_type::TABLE => (a.class, pg_type::OID_INDEX, pg_type::TYPACL, vec![Datum::oid(a.object)]),
        pg_default_acl::TABLE => {
            (a.class, pg_default_acl::OID_INDEX, pg_default_acl::DEFACLACL, vec![Datum::oid(a.object)])
        }
        pg_tablespace::TABLE => {
            (a.class, pg_tablespace::OID_INDEX, pg_tablespace::SPCACL, vec![Datum::oid(a.object)])
        }
        pg_largeobject::TABLE => (
            pg_largeobject_metadata::TABLE,
            pg_largeobject_metadata::OID_INDEX,
            pg_largeobject_metadata::LOMACL,
            vec![Datum::oid(a.object)],
        ),
        pg_language::TABLE => {
            (a.class, pg_language::OID_INDEX, pg_language::LANACL, vec![Datum::oid(a.object)])
        }
        other => {
            return Err(Error::unsupported(format_args!("DROP OWNED with privileges on catalog {other}")));
        }
    };
    for r in ctx.catalog.scan(table, index, &keys)? {
        let mut items = acl::parse(r.bytes(column));
        items.retain(|i| i.grantee != role && i.grantor != role);
        let value =
            if items.is_empty() && table == pg_attribute::TABLE { Datum::Null } else { acl::format(&items) };
        ctx.catalog.update_columns(table, &r, &[(column, value)])?;
    }
    use pg_shdepend::*;
    for r in ctx.catalog.scan(TABLE, REFERENCE_INDEX, &[Datum::oid(pg_authid::TABLE), Datum::oid(role)])? {
        let same = r.oid(CLASSID) == a.class && r.oid(OBJID) == a.object && r.i32(OBJSUBID) == a.sub;
        if same && r.char(DEPTYPE) == b'a' {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    ctx.engine.command_counter_increment()
}

/// Runs REASSIGN OWNED.
pub fn reassign(ctx: &CommandCtx<'_>, s: &ReassignOwnedStmt) -> Result<String> {
    let from = named_roles(ctx, &s.roles, "reassign")?;
    let to = target::role(ctx, &s.newrole)?;
    if !ctx.host.is_superuser() && !roles::has_privs_of(ctx.catalog, ctx.host.role(), to)? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to reassign objects");
    }
    for role in from {
        for (a, kind, _) in dependents(ctx, role)? {
            if kind != b'o' {
                continue;
            }
            match a.class {
                pg_class::TABLE => {
                    target::lock_oid(ctx, a.object, transam::LockMode::AccessExclusive)?;
                    // It may have followed its table already.
                    if ctx.catalog.relation(a.object)?.owner == role {
                        rename::change_relation_owner(ctx, a.object, to, false)?;
                    }
                }
                // Default privileges are about the old role and stay with it.
                pg_default_acl::TABLE => {}
                _ => rename::change_owner(ctx, a, to)?,
            }
            ctx.engine.command_counter_increment()?;
        }
    }
    Ok("REASSIGN OWNED".into())
}
