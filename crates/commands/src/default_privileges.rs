//! ALTER DEFAULT PRIVILEGES, and what it means for objects that are made: rows of `pg_default_acl`, one for a role everywhere (the whole
//! list, beginning from what is built in) and one for a role in a schema (what is granted on top).

use crate::acl::{self, AclItem, AclKind};
use crate::ctx::CommandCtx;
use crate::{grant, roles, target};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::{CatRow, Catalog};
use common::{Oid, Result, bail};
use parser::ast::*;
use types::Datum;

/// The letter of `pg_default_acl` for a kind of object.
fn letter(kind: AclKind) -> u8 {
    match kind {
        AclKind::Sequence => b'S',
        AclKind::Function => b'f',
        AclKind::Type => b'T',
        AclKind::Schema => b'n',
        _ => b'r',
    }
}

fn entry(catalog: &Catalog, role: Oid, ns: Oid, kind: AclKind) -> Result<Option<CatRow>> {
    use pg_default_acl::*;
    let keys = [Datum::oid(role), Datum::oid(ns), Datum::I8(letter(kind) as i8)];
    Ok(catalog.scan(TABLE, ROLE_NSP_OBJ_INDEX, &keys)?.into_iter().next())
}

fn sorted(items: &[AclItem]) -> Vec<(Oid, Oid, u32, u32)> {
    let mut v: Vec<_> = items.iter().map(|i| (i.grantee, i.grantor, i.privs, i.goptions)).collect();
    v.sort_unstable();
    v
}

/// The list a new object of `owner` in a schema begins with; `None` where it is the built-in one.
pub fn for_new(catalog: &Catalog, kind: AclKind, owner: Oid, ns: Oid) -> Result<Option<Vec<AclItem>>> {
    // The cluster is being made: nobody can have said anything.
    if owner < Oid::FIRST_NORMAL && catalog.engine().proc().kind() == ipc::BackendKind::Bootstrap {
        return Ok(None);
    }
    use pg_default_acl::DEFACLACL;
    let built_in = kind.default_list(owner);
    let global = entry(catalog, owner, Oid::INVALID, kind)?;
    let local = if ns.is_valid() { entry(catalog, owner, ns, kind)? } else { None };
    if global.is_none() && local.is_none() {
        return Ok(None);
    }
    let mut items = global.map_or_else(|| built_in.clone(), |r| acl::parse(r.bytes(DEFACLACL)));
    for add in local.iter().flat_map(|r| acl::parse(r.bytes(DEFACLACL))) {
        match items.iter_mut().find(|i| i.grantee == add.grantee && i.grantor == add.grantor) {
            Some(i) => {
                i.privs |= add.privs;
                i.goptions |= add.goptions;
            }
            None => items.push(add),
        }
    }
    items.sort_unstable_by_key(|i| (i.grantee, i.grantor, i.privs, i.goptions));
    Ok((sorted(&items) != sorted(&built_in)).then_some(items))
}

/// Gives a type that was just made the list it begins with.
pub fn apply_to_type(catalog: &Catalog, type_oid: Oid, owner: Oid, ns: Oid) -> Result<()> {
    use catalog::columns::pg_type;
    let Some(items) = for_new(catalog, AclKind::Type, owner, ns)? else { return Ok(()) };
    catalog.engine().command_counter_increment()?;
    let rows = catalog.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(type_oid)])?;
    if let Some(r) = rows.first() {
        catalog.update_columns(pg_type::TABLE, r, &[(pg_type::TYPACL, acl::format(&items))])?;
    }
    record_roles(catalog, ObjectAddress::new(pg_type::TABLE, type_oid), owner, &items)
}

/// Records that an object's list names roles.
pub fn record_roles(catalog: &Catalog, a: ObjectAddress, owner: Oid, items: &[AclItem]) -> Result<()> {
    let mut named: Vec<Oid> = items.iter().flat_map(|i| [i.grantee, i.grantor]).collect();
    named.sort();
    named.dedup();
    named
        .into_iter()
        .filter(|r| r.is_valid() && *r != owner)
        .try_for_each(|r| catalog.record_role_dependency(a, r, b'a'))
}

/// Runs ALTER DEFAULT PRIVILEGES.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterDefaultPrivilegesStmt) -> Result<String> {
    let g = &s.action;
    let kind = match g.objtype {
        ObjectType::Sequence => AclKind::Sequence,
        ObjectType::Function | ObjectType::Routine | ObjectType::Procedure => AclKind::Function,
        ObjectType::Type => AclKind::Type,
        ObjectType::Schema => AclKind::Schema,
        _ => AclKind::Table,
    };
    let bits = grant::privilege_bits(g, kind, false).map_err(|mut e| {
        let m = &mut e.report_mut().message;
        if let Some(head) = m.strip_suffix(" for table") {
            *m = format!("{head} for relation");
        }
        e
    })?;
    let mut grantees = Vec::new();
    for r in &g.grantees {
        grantees.push(match &r.roletype {
            RoleSpecType::Public => Oid::INVALID,
            _ => target::role(ctx, r)?,
        });
    }
    let (mut schemas, mut for_roles) = (Vec::new(), Vec::new());
    for o in &s.options {
        match &o.arg {
            Some(DefArg::List(names)) if o.defname == "schemas" => {
                schemas.extend(names.iter().filter_map(|n| match n {
                    DefArg::String(s) => Some(s.clone()),
                    _ => None,
                }));
            }
            Some(DefArg::Roles(r)) => for_roles.clone_from(r),
            _ => {}
        }
    }
    let mut owners = Vec::new();
    for r in &for_roles {
        let role = target::role(ctx, r)?;
        if !ctx.host.is_superuser() && !roles::has_privs_of(ctx.catalog, ctx.host.role(), role)? {
            let name = ctx.catalog.role_name(role)?.unwrap_or_default();
            bail!(INSUFFICIENT_PRIVILEGE, "must be member of role \"{name}\"");
        }
        owners.push(role);
    }
    if owners.is_empty() {
        owners.push(ctx.host.role());
    }
    if kind == AclKind::Schema && !schemas.is_empty() {
        bail!(INVALID_GRANT_OPERATION, "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS");
    }
    let mut places = Vec::new();
    for n in &schemas {
        places.push(ctx.catalog.require_namespace(n)?);
    }
    if places.is_empty() {
        places.push(Oid::INVALID);
    }
    for owner in owners {
        for ns in &places {
            change(ctx, g, (kind, bits), owner, *ns, &grantees)?;
        }
    }
    Ok("ALTER DEFAULT PRIVILEGES".into())
}

fn change(
    ctx: &CommandCtx<'_>,
    g: &GrantStmt,
    (kind, bits): (AclKind, u32),
    owner: Oid,
    ns: Oid,
    grantees: &[Oid],
) -> Result<()> {
    use pg_default_acl::*;
    let built_in = if ns.is_valid() { Vec::new() } else { kind.default_list(owner) };
    let old = entry(ctx.catalog, owner, ns, kind)?;
    let mut items = old.as_ref().map_or_else(|| built_in.clone(), |r| acl::parse(r.bytes(DEFACLACL)));
    for grantee in grantees {
        if g.is_grant {
            grant::grant_one(&mut items, *grantee, owner, bits, g.grant_option);
        } else {
            grant::revoke_one(&mut items, *grantee, owner, owner, bits, g.grant_option, g.behavior)?;
        }
    }
    grant::check_public(g, grantees)?;
    items.sort_unstable_by_key(|i| (i.grantee, i.grantor, i.privs, i.goptions));
    let is_default = sorted(&items) == sorted(&built_in);
    match old {
        Some(r) => {
            let a = ObjectAddress::new(TABLE, r.oid(OID));
            ctx.catalog.delete_role_dependencies_of(a)?;
            if is_default {
                ctx.catalog.delete_dependencies_of(a)?;
                ctx.catalog.delete_row(TABLE, &r)?;
            } else {
                ctx.catalog.update_columns(TABLE, &r, &[(DEFACLACL, acl::format(&items))])?;
                ctx.catalog.record_role_dependency(a, owner, b'o')?;
                record_roles(ctx.catalog, a, owner, &items)?;
            }
        }
        None if is_default => {}
        None => {
            let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
            let mut r = ctx.catalog.blank_row(TABLE);
            r[OID] = Datum::oid(oid);
            r[DEFACLROLE] = Datum::oid(owner);
            r[DEFACLNAMESPACE] = Datum::oid(ns);
            r[DEFACLOBJTYPE] = Datum::I8(letter(kind) as i8);
            r[DEFACLACL] = acl::format(&items);
            ctx.catalog.insert_row(TABLE, &r)?;
            let a = ObjectAddress::new(TABLE, oid);
            ctx.catalog.record_role_dependency(a, owner, b'o')?;
            record_roles(ctx.catalog, a, owner, &items)?;
            if ns.is_valid() {
                let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
                ctx.catalog.record_dependency(a, schema, DependencyKind::Auto)?;
            }
        }
    }
    ctx.engine.command_counter_increment()
}
