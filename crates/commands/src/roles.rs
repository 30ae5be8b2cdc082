//! Roles: membership and attributes.

use catalog::Catalog;
use catalog::columns::{pg_auth_members, pg_authid};
use common::{Oid, Result};
use types::Datum;

/// The row of a role.
pub fn role_row(catalog: &Catalog, role: Oid) -> Result<Option<catalog::CatRow>> {
    let rows = catalog.scan(pg_authid::TABLE, pg_authid::OID_INDEX, &[Datum::oid(role)])?;
    Ok(rows.into_iter().next())
}

/// Is the role a superuser?
pub fn is_superuser(catalog: &Catalog, role: Oid) -> Result<bool> {
    Ok(role_row(catalog, role)?.is_some_and(|r| r.bool(pg_authid::ROLSUPER)))
}

/// All roles `member` is in, itself first; with `inherit`, only through roles that inherit.
fn roles_of(catalog: &Catalog, member: Oid, inherit: bool) -> Result<Vec<Oid>> {
    use pg_auth_members::*;
    let mut out = vec![member];
    let mut at = 0;
    while at < out.len() {
        let role = out[at];
        at += 1;
        if inherit && !role_row(catalog, role)?.is_some_and(|r| r.bool(pg_authid::ROLINHERIT)) {
            continue;
        }
        for r in catalog.scan(TABLE, MEMBER_ROLE_INDEX, &[Datum::oid(role)])? {
            if !out.contains(&r.oid(ROLEID)) {
                out.push(r.oid(ROLEID));
            }
        }
    }
    Ok(out)
}

/// Is `member` the role itself, or a direct or indirect member of it? Superusers are members of everything.
pub fn is_member(catalog: &Catalog, member: Oid, role: Oid) -> Result<bool> {
    Ok(member == role || is_superuser(catalog, member)? || roles_of(catalog, member, false)?.contains(&role))
}

/// As [`is_member`] without the superuser's exception.
pub fn is_member_nosuper(catalog: &Catalog, member: Oid, role: Oid) -> Result<bool> {
    Ok(member == role || roles_of(catalog, member, false)?.contains(&role))
}

/// Has `member` the privileges of the role, itself or by inheritance?
pub fn has_privs_of(catalog: &Catalog, member: Oid, role: Oid) -> Result<bool> {
    Ok(member == role || is_superuser(catalog, member)? || roles_of(catalog, member, true)?.contains(&role))
}

/// Is `member` allowed to grant membership in the role?
pub fn is_admin_of(catalog: &Catalog, member: Oid, role: Oid) -> Result<bool> {
    use pg_auth_members::*;
    if is_superuser(catalog, member)? {
        return Ok(true);
    }
    for r in roles_of(catalog, member, false)? {
        let keys = [Datum::oid(role), Datum::oid(r)];
        if catalog.scan(TABLE, ROLE_MEMBER_INDEX, &keys)?.iter().any(|x| x.bool(ADMIN_OPTION)) {
            return Ok(true);
        }
    }
    Ok(false)
}
