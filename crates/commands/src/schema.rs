//! CREATE SCHEMA, with the objects made in it.

use crate::analysis::notice_as;
use crate::ctx::CommandCtx;
use crate::{acl, aclcheck, roles, target};
use catalog::columns::pg_namespace;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::Datum;

/// Makes a schema row.
pub fn insert(ctx: &CommandCtx<'_>, name: &str, owner: Oid) -> Result<Oid> {
    use pg_namespace::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[NSPNAME] = Datum::text(name);
    r[NSPOWNER] = Datum::oid(owner);
    let acl = crate::default_privileges::for_new(ctx.catalog, acl::AclKind::Schema, owner, Oid::INVALID)?;
    if let Some(items) = &acl {
        r[NSPACL] = acl::format(items);
    }
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    ctx.catalog.record_role_dependency(me, owner, b'o')?;
    if let Some(items) = &acl {
        crate::default_privileges::record_roles(ctx.catalog, me, owner, items)?;
    }
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

/// Runs CREATE SCHEMA.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateSchemaStmt) -> Result<String> {
    let owner = match &s.authrole {
        Some(r) => target::role(ctx, r)?,
        None => ctx.host.role(),
    };
    let name = match &s.schemaname {
        Some(n) => n.clone(),
        None => ctx.catalog.role_name(owner)?.unwrap_or_default().to_string(),
    };
    aclcheck::check_database(ctx, acl::CREATE)?;
    if !ctx.host.is_superuser() && !roles::is_member(ctx.catalog, ctx.host.role(), owner)? {
        let role = ctx.catalog.role_name(owner)?.unwrap_or_default();
        bail!(INSUFFICIENT_PRIVILEGE, "must be member of role \"{role}\"");
    }
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "unacceptable schema name \"{name}\"")
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if ctx.catalog.namespace_oid(&name)?.is_some() {
        if s.if_not_exists {
            let message = format!("schema \"{name}\" already exists, skipping");
            notice_as(ctx, SqlState::DUPLICATE_SCHEMA, message);
            return Ok("CREATE SCHEMA".into());
        }
        bail!(DUPLICATE_SCHEMA, "schema \"{name}\" already exists");
    }
    let oid = insert(ctx, &name, owner)?;
    if s.schema_elts.is_empty() {
        return Ok("CREATE SCHEMA".into());
    }
    ctx.host.set_first_schema(Some(oid));
    let r = create_elements(ctx, s, &name);
    ctx.host.set_first_schema(None);
    r?;
    Ok("CREATE SCHEMA".into())
}

/// The elements, in an order in which most references are to what exists already. Names are looked for in the new schema
/// first.
fn create_elements(ctx: &CommandCtx<'_>, s: &CreateSchemaStmt, schema: &str) -> Result<()> {
    let rank = |e: &Statement| match e {
        Statement::CreateSequence(_) => 0,
        Statement::CreateTable(_) => 1,
        Statement::View(_) => 2,
        Statement::Index(_) => 3,
        Statement::CreateTrigger(_) => 4,
        _ => 5,
    };
    let elements = s.schema_elts.iter().map(|e| in_schema(e, schema)).collect::<Result<Vec<_>>>()?;
    for wanted in 0..=5 {
        for e in elements.iter().filter(|e| rank(e) == wanted) {
            crate::run(ctx, e)?;
            ctx.engine.command_counter_increment()?;
        }
    }
    Ok(())
}

/// An element of CREATE SCHEMA goes to that schema.
fn in_schema(e: &Statement, schema: &str) -> Result<Statement> {
    let mut e = e.clone();
    let rv = match &mut e {
        Statement::CreateTable(s) => &mut s.relation,
        Statement::View(s) => &mut s.view,
        Statement::CreateSequence(s) => &mut s.sequence,
        Statement::Index(s) => &mut s.relation,
        Statement::Grant(_) => return Ok(e),
        Statement::CreateTrigger(s) => &mut s.relation,
        _ => return Err(Error::unsupported("this element of CREATE SCHEMA")),
    };
    match &rv.schemaname {
        Some(s) if s != schema => bail!(
            INVALID_SCHEMA_DEFINITION,
            "CREATE specifies a schema ({s}) different from the one being created ({schema})"
        ),
        _ => rv.schemaname = Some(schema.to_string()),
    }
    Ok(e)
}
