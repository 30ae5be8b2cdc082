//! From names in a statement to objects: relations (locked, then looked up again), schemas to create in, roles.

use crate::aclcheck;
use crate::ctx::CommandCtx;
use catalog::Ref;
use catalog::columns::*;
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;

/// `schema.name` as it stands in the statement.
pub fn display(rv: &RangeVar) -> String {
    match (&rv.catalogname, &rv.schemaname) {
        (Some(c), Some(s)) => format!("{c}.{s}.{}", rv.relname),
        (_, Some(s)) => format!("{s}.{}", rv.relname),
        _ => rv.relname.clone(),
    }
}

/// The schemas to look a name up in: the one written before it (3F000 if there is none), else those of the search path.
pub fn schemas_of(ctx: &CommandCtx<'_>, name: &RangeVar) -> Result<Vec<Oid>> {
    match &name.schemaname {
        Some(s) => {
            let named = ctx.catalog.named_schema(s)?;
            Ok(vec![named.ok_or_else(|| err!(UNDEFINED_SCHEMA, "schema \"{s}\" does not exist"))?])
        }
        None => Ok(ctx.host.search_path()?.schemas.clone()),
    }
}

/// A qualified name as a range variable.
pub fn range_var(names: &[String]) -> Result<RangeVar> {
    let mut rv = RangeVar { inh: true, ..RangeVar::default() };
    match names {
        [n] => rv.relname.clone_from(n),
        [s, n] => {
            rv.schemaname = Some(s.clone());
            rv.relname.clone_from(n);
        }
        [c, s, n] => {
            rv.catalogname = Some(c.clone());
            rv.schemaname = Some(s.clone());
            rv.relname.clone_from(n);
        }
        _ => bail!(SYNTAX_ERROR, "improper relation name (too many dotted names): {}", names.join(".")),
    }
    Ok(rv)
}

fn check_catalog(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<()> {
    if let Some(c) = &rv.catalogname
        && *c != ctx.host.database_name()
    {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "cross-database references are not implemented: \"{}\"",
            display(rv)
        )
        .at(rv.location));
    }
    Ok(())
}

/// OID of a named relation, without a lock. A schema that does not exist reads as no relation.
pub fn find_relation(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<Option<Oid>> {
    check_catalog(ctx, rv)?;
    match &rv.schemaname {
        Some(s) => match ctx.catalog.named_schema(s)? {
            Some(ns) => ctx.catalog.relation_oid(ns, &rv.relname),
            None => Ok(None),
        },
        None => ctx.catalog.find_relation(&*ctx.host.search_path()?, &rv.relname),
    }
}

/// A named relation under a lock; `None` if there is none. The name is looked up again once the lock is held.
pub fn lock_relation(ctx: &CommandCtx<'_>, rv: &RangeVar, mode: LockMode) -> Result<Option<Ref<Relation>>> {
    loop {
        let Some(oid) = find_relation(ctx, rv)? else { return Ok(None) };
        lock_oid(ctx, oid, mode)?;
        if find_relation(ctx, rv)? == Some(oid) {
            return ctx.catalog.relation_if_any(oid);
        }
        ctx.engine.unlock_relation(ctx.catalog.database(), oid, mode);
    }
}

/// Locks a relation by OID.
pub fn lock_oid(ctx: &CommandCtx<'_>, oid: Oid, mode: LockMode) -> Result<()> {
    ctx.engine.lock_relation(relation_database(ctx, oid), oid, mode)
}

fn relation_database(ctx: &CommandCtx<'_>, oid: Oid) -> Oid {
    let shared = ctx.catalog.builtins().schema.table(oid).is_some_and(|t| t.shared);
    if shared { Oid::INVALID } else { ctx.catalog.database() }
}

/// What opens tables opens neither indexes nor composite types.
pub fn check_openable(r: &Relation) -> Result<()> {
    match r.kind {
        b'i' | b'I' => bail!(WRONG_OBJECT_TYPE, "\"{}\" is an index", r.name),
        b'c' => bail!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", r.name),
        _ => Ok(()),
    }
}

/// As [`lock_relation`]; 42P01 if there is none, 3F000 if its schema does not exist.
pub fn open_relation(ctx: &CommandCtx<'_>, rv: &RangeVar, mode: LockMode) -> Result<Ref<Relation>> {
    match lock_relation(ctx, rv, mode)? {
        Some(r) => Ok(r),
        None => Err(undefined(ctx, rv)),
    }
}

/// The error for a relation that does not exist.
pub fn undefined(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Error {
    if let Some(schema) = &rv.schemaname
        && matches!(ctx.catalog.named_schema(schema), Ok(None))
    {
        return err!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist");
    }
    err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", display(rv))
}

/// The schema a new relation goes to, with the right to create there, and its persistence: `p`, `u`, `t`.
pub fn creation_target(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<(Oid, u8)> {
    let ns = creation_schema(ctx, rv)?;
    let own = ctx.catalog.temp().is_own(ns);
    let other = || is_temp_schema(ctx, ns);
    const FOREIGN: &str = "cannot create relations in temporary schemas of other sessions";
    let refused = |text: &str| Err(err!(INVALID_TABLE_DEFINITION, "{text}").at(rv.location));
    let persistence = match rv.relpersistence {
        RelPersistence::Permanent if own => b't',
        RelPersistence::Permanent | RelPersistence::Temp if !own && other()? => {
            return refused(FOREIGN);
        }
        RelPersistence::Permanent => b'p',
        RelPersistence::Temp if own => b't',
        RelPersistence::Temp => {
            return refused("cannot create temporary relation in non-temporary schema");
        }
        RelPersistence::Unlogged if own || other()? => {
            return refused("only temporary relations may be created in temporary schemas");
        }
        RelPersistence::Unlogged => b'u',
    };
    Ok((ns, persistence))
}

fn creation_schema(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<Oid> {
    check_catalog(ctx, rv)?;
    let ns = match &rv.schemaname {
        Some(s) if s == "pg_temp" => return crate::temp::namespace(ctx),
        None if rv.relpersistence == RelPersistence::Temp => return crate::temp::namespace(ctx),
        Some(s) => ctx.catalog.require_namespace(s).map_err(|e| e.at(rv.location))?,
        None => {
            let path = ctx.host.search_path()?;
            if path.creates_temp {
                return crate::temp::namespace(ctx);
            }
            let ns = path.creation;
            if !ns.is_valid() {
                return Err(
                    err!(INVALID_SCHEMA_NAME, "no schema has been selected to create in").at(rv.location)
                );
            }
            ns
        }
    };
    if ns == catalog::builtins::PG_CATALOG || ns == catalog::builtins::PG_TOAST {
        let name = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to create \"{name}.{}\"", rv.relname)
            .detail("System catalog modifications are currently disallowed."));
    }
    check_creation(ctx, ns).map_err(|e| e.at_if_none(Some(rv.location)))?;
    ctx.engine.lock_object(ctx.catalog.database(), pg_namespace::TABLE, ns, 0, LockMode::AccessShare)?;
    Ok(ns)
}

/// Objects do not change between temporary schemas, TOAST's schema and others.
pub fn check_move(ctx: &CommandCtx<'_>, from: Oid, to: Oid) -> Result<()> {
    for ns in [from, to] {
        if is_temp_schema(ctx, ns)? {
            bail!(FEATURE_NOT_SUPPORTED, "cannot move objects into or out of temporary schemas");
        }
    }
    if from == catalog::builtins::PG_TOAST || to == catalog::builtins::PG_TOAST {
        bail!(FEATURE_NOT_SUPPORTED, "cannot move objects into or out of TOAST schema");
    }
    Ok(())
}

/// A temporary schema, of whatever session.
pub fn is_temp_schema(ctx: &CommandCtx<'_>, ns: Oid) -> Result<bool> {
    let name = ctx.catalog.namespace_name(ns)?;
    Ok(name.as_deref().is_some_and(|n| catalog::temp::backend_of_schema(n).is_some()))
}

/// The right to create in a schema; system schemas are closed to everyone.
pub fn check_creation(ctx: &CommandCtx<'_>, ns: Oid) -> Result<()> {
    let name = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
    if ns == catalog::builtins::PG_CATALOG || ns == catalog::builtins::PG_TOAST {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}");
    }
    aclcheck::check_namespace(ctx, ns, crate::acl::CREATE)
}

/// OID of a role written in a statement. PUBLIC is not accepted here.
pub fn role(ctx: &CommandCtx<'_>, r: &RoleSpec) -> Result<Oid> {
    match &r.roletype {
        RoleSpecType::CString(name) => role_by_name(ctx, name),
        RoleSpecType::CurrentRole | RoleSpecType::CurrentUser => Ok(ctx.host.role()),
        RoleSpecType::SessionUser => Ok(ctx.host.session_role()),
        RoleSpecType::Public => bail!(UNDEFINED_OBJECT, "role \"public\" does not exist"),
    }
}

/// OID of a role; 42704 if there is none.
pub fn role_by_name(ctx: &CommandCtx<'_>, name: &str) -> Result<Oid> {
    ctx.catalog.role_oid(name)?.ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"))
}

/// Does the current user own something owned by `owner` (directly, as a member, as superuser)?
pub fn owns(ctx: &CommandCtx<'_>, owner: Oid) -> Result<bool> {
    Ok(ctx.host.is_superuser() || crate::roles::has_privs_of(ctx.catalog, ctx.host.role(), owner)?)
}

/// What messages call a relation of this kind.
pub fn kind_word(kind: u8) -> &'static str {
    match kind {
        b'i' | b'I' => "index",
        b'S' => "sequence",
        b'v' => "view",
        b'm' => "materialized view",
        b'c' => "composite type",
        b't' => "toast table",
        b'f' => "foreign table",
        _ => "table",
    }
}

/// 42501 `must be owner of …`.
pub fn check_relation_owner(ctx: &CommandCtx<'_>, r: &Relation) -> Result<()> {
    if !owns(ctx, r.owner)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", kind_word(r.kind), r.name);
    }
    Ok(())
}

/// System catalogs are not changed by DDL.
pub fn check_not_catalog(r: &Relation) -> Result<()> {
    if r.oid < catalog::builtins::FIRST_UNPINNED
        && (r.namespace == catalog::builtins::PG_CATALOG || r.namespace == catalog::builtins::PG_TOAST)
    {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", r.name);
    }
    Ok(())
}

/// 55006 for a table with deferred checks waiting.
pub fn check_not_in_use(ctx: &CommandCtx<'_>, oid: Oid, name: &str, command: &str) -> Result<()> {
    if ctx.env.deferred.has_events_of(oid) {
        bail!(OBJECT_IN_USE, "cannot {command} \"{name}\" because it has pending trigger events");
    }
    Ok(())
}

/// The `pg_class` row of a relation.
pub fn class_row(catalog: &catalog::Catalog, oid: Oid) -> Result<catalog::CatRow> {
    let rows = catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[types::Datum::oid(oid)])?;
    rows.into_iter().next().ok_or_else(|| crate::analysis::lost("relation", oid))
}

/// Changes columns of a relation's `pg_class` row.
pub fn update_class(catalog: &catalog::Catalog, oid: Oid, changes: &[(usize, types::Datum)]) -> Result<()> {
    let row = class_row(catalog, oid)?;
    catalog.update_columns(pg_class::TABLE, &row, changes)?;
    catalog.engine().command_counter_increment()
}
