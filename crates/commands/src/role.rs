//! CREATE, ALTER and DROP ROLE (USER, GROUP), membership by GRANT and REVOKE.

use crate::analysis::{notice, warning, with_analyze};
use crate::ctx::CommandCtx;
use crate::drop::describe::describe;
use crate::{role_config, roles, target};
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::{Datum, oids};

/// Attributes set by options, as columns of `pg_authid`.
struct Attributes {
    changes: Vec<(usize, Datum)>,
    superuser: Option<bool>,
    replication: Option<bool>,
    bypassrls: Option<bool>,
    only_password: bool,
}

fn flag(d: &DefElem) -> bool {
    !matches!(d.arg, Some(DefArg::Boolean(false)))
}

fn read_attributes(ctx: &CommandCtx<'_>, role: &str, options: &[DefElem]) -> Result<Attributes> {
    use pg_authid::*;
    let mut a = Attributes {
        changes: Vec::new(),
        superuser: None,
        replication: None,
        bypassrls: None,
        only_password: true,
    };
    for (i, d) in options.iter().enumerate() {
        if options[..i].iter().any(|x| x.defname == d.defname) {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
        }
        a.only_password &= d.defname == "password";
        let b = Datum::Bool(flag(d));
        let change = match d.defname.as_str() {
            "superuser" => {
                a.superuser = Some(flag(d));
                (ROLSUPER, b)
            }
            "inherit" => (ROLINHERIT, b),
            "createrole" => (ROLCREATEROLE, b),
            "createdb" => (ROLCREATEDB, b),
            "canlogin" => (ROLCANLOGIN, b),
            "isreplication" => {
                a.replication = Some(flag(d));
                (ROLREPLICATION, b)
            }
            "bypassrls" => {
                a.bypassrls = Some(flag(d));
                (ROLBYPASSRLS, b)
            }
            "connectionlimit" => {
                let Some(DefArg::Integer(n)) = d.arg else {
                    return Err(Error::internal("CONNECTION LIMIT without a number"));
                };
                if n < -1 {
                    bail!(INVALID_PARAMETER_VALUE, "invalid connection limit: {n}");
                }
                (ROLCONNLIMIT, Datum::I32(n))
            }
            "validUntil" => {
                let Some(DefArg::String(s)) = &d.arg else {
                    return Err(Error::internal("VALID UNTIL without a time"));
                };
                (ROLVALIDUNTIL, with_analyze(ctx, |x| x.input(oids::TIMESTAMPTZ, s, -1))?)
            }
            "password" => (ROLPASSWORD, password(ctx, role, d.arg.as_ref())?),
            "sysid" => {
                notice(ctx, "SYSID can no longer be specified");
                continue;
            }
            "rolemembers" | "adminmembers" | "addroleto" => continue,
            other => return Err(Error::unsupported(format_args!("role option {other}"))),
        };
        a.changes.push(change);
    }
    Ok(a)
}

/// The stored form of a password by `password_encryption`; what is stored form already stays.
fn password(ctx: &CommandCtx<'_>, role: &str, arg: Option<&DefArg>) -> Result<Datum> {
    let Some(DefArg::String(p)) = arg else { return Ok(Datum::Null) };
    if p.is_empty() {
        notice(ctx, "empty string is not a valid password, clearing password");
        return Ok(Datum::Null);
    }
    if protocol::auth::is_md5(p) || protocol::scram::Verifier::parse(p).is_some() {
        return Ok(Datum::text(p));
    }
    let stored = if crate::analysis::setting(ctx, "password_encryption") == "md5" {
        protocol::auth::md5_stored(p, role)
    } else {
        protocol::scram::Verifier::new(p)?.to_stored()
    };
    Ok(Datum::text(&stored))
}

fn has_createrole(ctx: &CommandCtx<'_>) -> Result<bool> {
    if ctx.host.is_superuser() {
        return Ok(true);
    }
    let row = roles::role_row(ctx.catalog, ctx.host.role())?;
    Ok(row.is_some_and(|r| r.bool(pg_authid::ROLCREATEROLE)))
}

fn check_reserved(name: &str) -> Result<()> {
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "role name \"{name}\" is reserved")
            .detail("Role names starting with \"pg_\" are reserved."));
    }
    if name == "public" || name == "none" {
        bail!(RESERVED_NAME, "role name \"{name}\" is reserved");
    }
    Ok(())
}

fn role_list(d: Option<&DefElem>) -> &[RoleSpec] {
    match d.and_then(|d| d.arg.as_ref()) {
        Some(DefArg::Roles(r)) => r,
        _ => &[],
    }
}

/// Runs CREATE ROLE, USER, GROUP.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateRoleStmt) -> Result<String> {
    use pg_authid::*;
    let a = read_attributes(ctx, &s.role, &s.options)?;
    if !ctx.host.is_superuser() {
        if a.superuser == Some(true) {
            bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create superusers");
        }
        if a.replication == Some(true) {
            bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create replication users");
        }
        if a.bypassrls == Some(true) {
            bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create bypassrls users");
        }
        if !has_createrole(ctx)? {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to create role");
        }
    }
    check_reserved(&s.role)?;
    if ctx.catalog.role_oid(&s.role)?.is_some() {
        bail!(DUPLICATE_OBJECT, "role \"{}\" already exists", s.role);
    }
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[ROLNAME] = Datum::text(&s.role);
    for c in [ROLSUPER, ROLCREATEROLE, ROLCREATEDB, ROLREPLICATION, ROLBYPASSRLS] {
        r[c] = Datum::Bool(false);
    }
    r[ROLINHERIT] = Datum::Bool(true);
    r[ROLCANLOGIN] = Datum::Bool(s.stmt_type == RoleStmtType::User);
    r[ROLCONNLIMIT] = Datum::I32(-1);
    for (c, d) in a.changes {
        r[c] = d;
    }
    ctx.catalog.insert_row(TABLE, &r)?;
    ctx.engine.command_counter_increment()?;
    let find = |name: &str| s.options.iter().find(|d| d.defname == name);
    for g in role_list(find("addroleto")) {
        let group = target::role(ctx, g)?;
        add_member(ctx, group, oid, false)?;
    }
    for m in role_list(find("rolemembers")) {
        add_member(ctx, oid, target::role(ctx, m)?, false)?;
    }
    for m in role_list(find("adminmembers")) {
        add_member(ctx, oid, target::role(ctx, m)?, true)?;
    }
    Ok("CREATE ROLE".into())
}

/// Runs ALTER ROLE, USER, GROUP.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterRoleStmt) -> Result<String> {
    let oid = target::role(ctx, &s.role)?;
    let row = roles::role_row(ctx.catalog, oid)?.ok_or_else(|| crate::analysis::lost("role", oid))?;
    let name = row.str(pg_authid::ROLNAME).to_string();
    if let RoleSpecType::CString(_) = s.role.roletype
        && name.starts_with("pg_")
    {
        return Err(
            err!(RESERVED_NAME, "role name \"{name}\" is reserved").detail("Cannot alter reserved roles.")
        );
    }
    let a = read_attributes(ctx, &name, &s.options)?;
    if !ctx.host.is_superuser() {
        if a.superuser.is_some() || row.bool(pg_authid::ROLSUPER) {
            bail!(
                INSUFFICIENT_PRIVILEGE,
                "must be superuser to alter superuser roles or change superuser attribute"
            );
        }
        if a.replication.is_some() || row.bool(pg_authid::ROLREPLICATION) {
            bail!(
                INSUFFICIENT_PRIVILEGE,
                "must be superuser to alter replication roles or change replication attribute"
            );
        }
        if a.bypassrls.is_some() {
            bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to change bypassrls attribute");
        }
        let own_password = oid == ctx.host.role() && a.only_password;
        if !own_password && !has_createrole(ctx)? {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied");
        }
    }
    ctx.catalog.update_columns(pg_authid::TABLE, &row, &a.changes)?;
    ctx.engine.command_counter_increment()?;
    for m in role_list(s.options.iter().find(|d| d.defname == "rolemembers")) {
        let member = target::role(ctx, m)?;
        if s.action > 0 {
            add_member(ctx, oid, member, false)?;
        } else {
            remove_member(ctx, oid, member, false)?;
        }
    }
    Ok("ALTER ROLE".into())
}

/// Runs DROP ROLE.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropRoleStmt) -> Result<String> {
    if !has_createrole(ctx)? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to drop role");
    }
    for r in &s.roles {
        let RoleSpecType::CString(name) = &r.roletype else {
            bail!(INVALID_PARAMETER_VALUE, "cannot use special role specifier in DROP ROLE");
        };
        let Some(row) = ctx.catalog.role_row(name)? else {
            if s.missing_ok {
                notice(ctx, format!("role \"{name}\" does not exist, skipping"));
                continue;
            }
            bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist");
        };
        drop_one(ctx, name, &row)?;
    }
    Ok("DROP ROLE".into())
}

fn drop_one(ctx: &CommandCtx<'_>, name: &str, row: &catalog::CatRow) -> Result<()> {
    let oid = row.oid(pg_authid::OID);
    if oid == ctx.host.role() {
        bail!(OBJECT_IN_USE, "current user cannot be dropped");
    }
    if oid == ctx.host.session_role() {
        bail!(OBJECT_IN_USE, "session user cannot be dropped");
    }
    if row.bool(pg_authid::ROLSUPER) && !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to drop superusers");
    }
    let address = ObjectAddress::new(pg_authid::TABLE, oid);
    if oid < Oid::FIRST_NORMAL {
        bail!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop role {name} because it is required by the database system"
        );
    }
    ctx.engine.lock_object(Oid::INVALID, pg_authid::TABLE, oid, 0, LockMode::AccessExclusive)?;
    check_dependents(ctx, name, oid)?;
    ctx.catalog.delete_row(pg_authid::TABLE, row)?;
    let members = [(pg_auth_members::ROLE_MEMBER_INDEX, oid), (pg_auth_members::MEMBER_ROLE_INDEX, oid)];
    for (index, role) in members {
        for r in ctx.catalog.scan(pg_auth_members::TABLE, index, &[Datum::oid(role)])? {
            ctx.catalog.delete_row(pg_auth_members::TABLE, &r)?;
        }
        ctx.engine.command_counter_increment()?;
    }
    crate::comment::delete_shared(ctx, address)?;
    role_config::delete(ctx, None, Some(oid))?;
    ctx.engine.command_counter_increment()
}

/// 2BP01 with the list of what the role owns or has privileges on.
fn check_dependents(ctx: &CommandCtx<'_>, name: &str, oid: Oid) -> Result<()> {
    use pg_shdepend::*;
    let keys = [Datum::oid(pg_authid::TABLE), Datum::oid(oid)];
    let mut lines = Vec::new();
    let mut elsewhere: Vec<(Oid, usize)> = Vec::new();
    let mut here = Vec::new();
    for r in ctx.catalog.scan(TABLE, REFERENCE_INDEX, &keys)? {
        let db = r.oid(DBID);
        if db.is_valid() && db != ctx.catalog.database() {
            match elsewhere.iter_mut().find(|e| e.0 == db) {
                Some(e) => e.1 += 1,
                None => elsewhere.push((db, 1)),
            }
            continue;
        }
        let object = ObjectAddress { class: r.oid(CLASSID), object: r.oid(OBJID), sub: r.i32(OBJSUBID) };
        here.push((object, r.char(DEPTYPE)));
    }
    here.sort_by_key(|(a, kind)| (a.object, a.class, a.sub, *kind));
    for (object, kind) in here {
        let what = describe(ctx, object)?;
        lines.push(if kind == b'o' { format!("owner of {what}") } else { format!("privileges for {what}") });
    }
    for (db, n) in elsewhere {
        let d = describe(ctx, ObjectAddress::new(pg_database::TABLE, db))?;
        lines.push(format!("{n} object{} in {d}", if n == 1 { "" } else { "s" }));
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(err!(
        DEPENDENT_OBJECTS_STILL_EXIST,
        "role \"{name}\" cannot be dropped because some objects depend on it"
    )
    .detail(lines.join("\n")))
}

/// Makes `member` a member of `role`.
fn add_member(ctx: &CommandCtx<'_>, role: Oid, member: Oid, admin: bool) -> Result<()> {
    use pg_auth_members::*;
    let name = |o| Ok::<_, Error>(ctx.catalog.role_name(o)?.unwrap_or_default());
    // Its one member is whoever owns the database.
    const DATABASE_OWNER: Oid = Oid(6171);
    if role == DATABASE_OWNER {
        bail!(INTERNAL_ERROR, "role \"{}\" cannot have explicit members", name(role)?);
    }
    if member == DATABASE_OWNER {
        bail!(INTERNAL_ERROR, "role \"{}\" cannot be a member of any role", name(member)?);
    }
    if roles::is_member_nosuper(ctx.catalog, role, member)? {
        bail!(INVALID_GRANT_OPERATION, "role \"{}\" is a member of role \"{}\"", name(role)?, name(member)?);
    }
    let keys = [Datum::oid(role), Datum::oid(member)];
    if let Some(r) = ctx.catalog.scan(TABLE, ROLE_MEMBER_INDEX, &keys)?.first() {
        if !admin || r.bool(ADMIN_OPTION) {
            notice(
                ctx,
                format!("role \"{}\" is already a member of role \"{}\"", name(member)?, name(role)?),
            );
            return Ok(());
        }
        ctx.catalog.update_columns(TABLE, r, &[(ADMIN_OPTION, Datum::Bool(true))])?;
        return ctx.engine.command_counter_increment();
    }
    let mut r = ctx.catalog.blank_row(TABLE);
    r[ROLEID] = Datum::oid(role);
    r[MEMBER] = Datum::oid(member);
    r[GRANTOR] = Datum::oid(ctx.host.role());
    r[ADMIN_OPTION] = Datum::Bool(admin);
    ctx.catalog.insert_row(TABLE, &r)?;
    ctx.engine.command_counter_increment()
}

fn remove_member(ctx: &CommandCtx<'_>, role: Oid, member: Oid, admin_only: bool) -> Result<()> {
    use pg_auth_members::*;
    let keys = [Datum::oid(role), Datum::oid(member)];
    match ctx.catalog.scan(TABLE, ROLE_MEMBER_INDEX, &keys)?.first() {
        None => {
            let name = |o| Ok::<_, Error>(ctx.catalog.role_name(o)?.unwrap_or_default());
            let text = format!("role \"{}\" is not a member of role \"{}\"", name(member)?, name(role)?);
            warning(ctx, SqlState::WARNING, text);
            return Ok(());
        }
        Some(r) if admin_only => {
            ctx.catalog.update_columns(TABLE, r, &[(ADMIN_OPTION, Datum::Bool(false))])?;
        }
        Some(r) => ctx.catalog.delete_row(TABLE, r)?,
    }
    ctx.engine.command_counter_increment()
}

/// Runs GRANT and REVOKE of roles.
pub fn grant(ctx: &CommandCtx<'_>, s: &GrantRoleStmt) -> Result<String> {
    if s.grantor.is_some() {
        let g = s.grantor.as_ref().map(|g| target::role(ctx, g)).transpose()?;
        if g != Some(ctx.host.role()) {
            return Err(Error::unsupported("GRANTED BY another role"));
        }
    }
    let members: Vec<Oid> = s.grantee_roles.iter().map(|r| target::role(ctx, r)).collect::<Result<_>>()?;
    for p in &s.granted_roles {
        let name = p.priv_name.as_deref().unwrap_or_default();
        if !p.cols.is_empty() {
            bail!(INVALID_GRANT_OPERATION, "column names cannot be included in GRANT/REVOKE ROLE");
        }
        let role = target::role_by_name(ctx, name)?;
        check_admin(ctx, role, name)?;
        for m in &members {
            if s.is_grant {
                add_member(ctx, role, *m, s.admin_opt)?;
            } else {
                remove_member(ctx, role, *m, s.admin_opt)?;
            }
        }
    }
    Ok(if s.is_grant { "GRANT ROLE" } else { "REVOKE ROLE" }.into())
}

fn check_admin(ctx: &CommandCtx<'_>, role: Oid, name: &str) -> Result<()> {
    if ctx.host.is_superuser() {
        return Ok(());
    }
    if roles::is_superuser(ctx.catalog, role)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to alter superusers");
    }
    if !has_createrole(ctx)? && !roles::is_admin_of(ctx.catalog, ctx.host.role(), role)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must have admin option on role \"{name}\"");
    }
    Ok(())
}

/// ALTER ROLE … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, old: &str, new: &str) -> Result<()> {
    let Some(row) = ctx.catalog.role_row(old)? else {
        bail!(UNDEFINED_OBJECT, "role \"{old}\" does not exist");
    };
    let oid = row.oid(pg_authid::OID);
    if oid == ctx.host.session_role() {
        bail!(FEATURE_NOT_SUPPORTED, "session user cannot be renamed");
    }
    if oid == ctx.host.role() {
        bail!(FEATURE_NOT_SUPPORTED, "current user cannot be renamed");
    }
    check_reserved(old)?;
    check_reserved(new)?;
    if ctx.catalog.role_oid(new)?.is_some() {
        bail!(DUPLICATE_OBJECT, "role \"{new}\" already exists");
    }
    if row.bool(pg_authid::ROLSUPER) && !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to rename superusers");
    }
    if !has_createrole(ctx)? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to rename role");
    }
    let mut changes = vec![(pg_authid::ROLNAME, Datum::text(new))];
    if protocol::auth::is_md5(row.str(pg_authid::ROLPASSWORD)) {
        notice(ctx, "MD5 password cleared because of role rename");
        changes.push((pg_authid::ROLPASSWORD, Datum::Null));
    }
    ctx.catalog.update_columns(pg_authid::TABLE, &row, &changes)?;
    Ok(())
}
