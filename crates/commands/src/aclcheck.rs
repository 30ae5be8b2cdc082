//! Privilege checks: before a query runs ([`check_relation_privileges`], called by the session) and before a command
//! touches a schema, database or function.

use crate::acl::{self, AclKind};
use crate::ctx::CommandCtx;
use crate::roles;
use analyze::query::{Query, RangeTblEntry, RteKind};
use analyze::walk;
use catalog::Catalog;
use catalog::columns::*;
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail, err};
use types::Datum;

/// Privileges of `wanted` that the role has on a relation.
pub fn relation_mask(catalog: &Catalog, rel: &Relation, role: Oid, wanted: u32) -> Result<u32> {
    let mut wanted_here = wanted;
    // System catalogs are not written by anyone but superusers.
    if rel.namespace == catalog::builtins::PG_CATALOG
        && catalog::builtins::is_pinned(rel.oid)
        && rel.kind == b'r'
    {
        wanted_here &= acl::SELECT | acl::REFERENCES | acl::TRIGGER;
    }
    let have = acl::mask(catalog, &relation_items(rel), role, rel.owner, wanted_here)?;
    if have == wanted_here {
        return Ok(have);
    }
    Ok(have | predefined(catalog, role, wanted_here & !have & !acl::USAGE)?)
}

/// What membership in `pg_read_all_data` and `pg_write_all_data` gives of `wanted`.
pub fn predefined(catalog: &Catalog, role: Oid, wanted: u32) -> Result<u32> {
    let (read, write) = (acl::SELECT | acl::USAGE, acl::INSERT | acl::UPDATE | acl::DELETE | acl::USAGE);
    let mut have = 0;
    for (predefined, gives) in [(Oid(6181), read), (Oid(6182), write)] {
        if role.is_valid() && wanted & gives & !have != 0 && roles::has_privs_of(catalog, role, predefined)? {
            have |= wanted & gives;
        }
    }
    Ok(have)
}

/// The list in force for a relation.
pub fn relation_items(rel: &Relation) -> Vec<acl::AclItem> {
    let kind = if rel.kind == b'S' { AclKind::Sequence } else { AclKind::Table };
    match &rel.acl {
        Some(b) => acl::parse(b),
        None if catalog::builtins::is_pinned(rel.oid) && rel.kind != b'S' => catalog_default(rel),
        None => kind.default_list(rel.owner),
    }
}

/// Catalogs that hold secrets are closed, the others may be read by everyone; `initdb` would have granted it.
fn catalog_default(rel: &Relation) -> Vec<acl::AclItem> {
    let mut items = AclKind::Table.default_list(rel.owner);
    if !catalog::bootstrap::CLOSED_CATALOGS.contains(&rel.oid) {
        let public = Oid::INVALID;
        items.push(acl::AclItem { grantee: public, grantor: rel.owner, privs: acl::SELECT, goptions: 0 });
    }
    items
}

fn column_mask(catalog: &Catalog, rel: Oid, attno: i16, role: Oid, wanted: u32) -> Result<u32> {
    use pg_attribute::*;
    let rows = catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(rel), Datum::I16(attno)])?;
    match rows.first().and_then(|r| r.opt_bytes(ATTACL)) {
        Some(b) => acl::mask(catalog, &acl::parse(&b), role, Oid::INVALID, wanted),
        None => Ok(0),
    }
}

fn denied(rel: &Relation) -> Error {
    let word = if rel.kind == b'S' {
        "sequence"
    } else if rel.kind == b'v' {
        "view"
    } else {
        "table"
    };
    err!(INSUFFICIENT_PRIVILEGE, "permission denied for {word} {}", rel.name)
}

fn is_superuser(catalog: &Catalog, role: Oid) -> Result<bool> {
    roles::is_superuser(catalog, role)
}

fn check_entry(catalog: &Catalog, user: Oid, superuser: bool, r: &RangeTblEntry) -> Result<()> {
    // A view that became a sub-query is still read by who names it.
    let (RteKind::Relation { relid, .. } | RteKind::Subquery { view: Some(relid), .. }) = &r.kind else {
        return Ok(());
    };
    if r.required_perms == 0 {
        return Ok(());
    }
    let (role, superuser) = if r.check_as_user.is_valid() && r.check_as_user != user {
        (r.check_as_user, is_superuser(catalog, r.check_as_user)?)
    } else {
        (user, superuser)
    };
    if superuser {
        return Ok(());
    }
    let Some(rel) = catalog.relation_if_any(*relid)? else { return Ok(()) };
    let missing = r.required_perms & !relation_mask(catalog, &rel, role, r.required_perms)?;
    if missing == 0 {
        return Ok(());
    }
    // What the table does not give, the columns may.
    for (privilege, columns) in
        [(acl::SELECT, &r.selected_cols), (acl::INSERT, &r.inserted_cols), (acl::UPDATE, &r.updated_cols)]
    {
        if missing & privilege == 0 {
            continue;
        }
        if columns.is_empty() {
            // SELECT count(*): any column will do.
            let any = (1..=rel.desc.len() as i16)
                .map(|a| column_mask(catalog, rel.oid, a, role, privilege))
                .collect::<Result<Vec<_>>>()?;
            if !any.contains(&privilege) {
                return Err(denied(&rel));
            }
        }
        for c in columns {
            if *c <= 0 || column_mask(catalog, rel.oid, *c, role, privilege)? & privilege == 0 {
                return Err(denied(&rel));
            }
        }
    }
    if missing & !acl::ALL_COLUMN != 0 || missing & acl::REFERENCES != 0 {
        return Err(denied(&rel));
    }
    Ok(())
}

fn check_query(catalog: &Catalog, user: Oid, superuser: bool, q: &Query) -> Result<()> {
    for r in &q.rtable {
        check_entry(catalog, user, superuser, r)?;
    }
    let mut result = Ok(());
    let mut visit = |s: &Query| {
        if result.is_ok() {
            result = check_query(catalog, user, superuser, s);
        }
    };
    walk::subqueries(q, &mut visit);
    walk::query_exprs(q, &mut |e| {
        walk::walk(e, 0, &mut |x, _| {
            if let analyze::expr::Expr::SubLink(s) = x {
                visit(&s.subselect);
            }
            true
        });
    });
    result
}

/// May `user` do what the query asks of its tables? 42501 `permission denied for table t`.
pub fn check_query_privileges(catalog: &Catalog, user: Oid, superuser: bool, q: &Query) -> Result<()> {
    check_query(catalog, user, superuser, q)
}

/// The same for a flat range table (of a plan).
pub fn check_relation_privileges(
    catalog: &Catalog,
    user: Oid,
    superuser: bool,
    rtable: &[RangeTblEntry],
) -> Result<()> {
    rtable.iter().try_for_each(|r| check_entry(catalog, user, superuser, r))
}

/// The functions a query calls, by operators and aggregates too.
pub fn query_functions(q: &Query) -> Vec<Oid> {
    use analyze::expr::Expr;
    let mut out = Vec::new();
    walk::walk_query(q, 0, &mut |e, _| {
        match e {
            Expr::Func(f) => out.push(f.funcid),
            Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => out.push(o.funcid),
            Expr::ScalarArrayOp(o) => out.push(o.funcid),
            Expr::Aggref(a) => out.push(a.aggfnoid),
            Expr::WindowFunc(w) => out.push(w.winfnoid),
            Expr::RowCompare { funcids, .. } => out.extend(funcids.iter()),
            _ => {}
        }
        true
    });
    out.sort_unstable();
    out.dedup();
    out
}

/// May the role execute all of them? 42501 `permission denied for function f`.
pub fn check_functions(catalog: &Catalog, role: Oid, functions: &[Oid]) -> Result<()> {
    use pg_proc::*;
    for f in functions {
        let rows = catalog.scan(TABLE, OID_INDEX, &[Datum::oid(*f)])?;
        let Some(acl) = rows.first().and_then(|r| r.opt_bytes(PROACL).map(|a| (r, a))) else { continue };
        let (row, acl) = acl;
        if acl::mask(catalog, &acl::parse(&acl), role, row.oid(PROOWNER), acl::EXECUTE)? == 0 {
            let word = match row.char(PROKIND) {
                b'a' => "aggregate",
                b'p' => "procedure",
                _ => "function",
            };
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {word} {}", row.str(PRONAME));
        }
    }
    Ok(())
}

/// A privilege of the current user on a relation.
pub fn check_relation(ctx: &CommandCtx<'_>, rel: &Relation, wanted: u32) -> Result<()> {
    if ctx.host.is_superuser() || relation_mask(ctx.catalog, rel, ctx.host.role(), wanted)? == wanted {
        return Ok(());
    }
    Err(denied(rel))
}

/// Has the role a privilege on a schema?
pub fn namespace_mask(catalog: &Catalog, ns: Oid, role: Oid, wanted: u32) -> Result<u32> {
    use pg_namespace::*;
    let rows = catalog.scan(TABLE, OID_INDEX, &[Datum::oid(ns)])?;
    let Some(r) = rows.first() else { bail!(INVALID_SCHEMA_NAME, "schema with OID {ns} does not exist") };
    let acl = r.opt_bytes(NSPACL);
    let items = acl::effective(AclKind::Schema, acl.as_deref(), r.oid(NSPOWNER));
    let have = acl::mask(catalog, &items, role, r.oid(NSPOWNER), wanted)?;
    Ok(have | predefined(catalog, role, wanted & !have & acl::USAGE)?)
}

/// 42501 unless the current user may use a type, or an array's elements.
pub fn check_type(ctx: &CommandCtx<'_>, type_oid: Oid) -> Result<()> {
    use pg_type::*;
    if ctx.host.is_superuser() || catalog::builtins::is_pinned(type_oid) {
        return Ok(());
    }
    let row =
        |oid: Oid| Ok::<_, Error>(ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?.into_iter().next());
    let Some(mut r) = row(type_oid)? else { return Ok(()) };
    if r.oid(TYPELEM).is_valid() && r.i16(TYPLEN) == -1 {
        match row(r.oid(TYPELEM))? {
            Some(e) => r = e,
            None => return Ok(()),
        }
    }
    let stored = r.opt_bytes(TYPACL);
    let items = acl::effective(AclKind::Type, stored.as_deref(), r.oid(TYPOWNER));
    if acl::mask(ctx.catalog, &items, ctx.host.role(), r.oid(TYPOWNER), acl::USAGE)? != 0 {
        return Ok(());
    }
    let shown = crate::analysis::with_analyze(ctx, |a| Ok(analyze::format_type_short(a, r.oid(OID))))?;
    bail!(INSUFFICIENT_PRIVILEGE, "permission denied for type {shown}")
}

/// A privilege of the current user on a schema.
pub fn check_namespace(ctx: &CommandCtx<'_>, ns: Oid, wanted: u32) -> Result<()> {
    if ctx.host.is_superuser() || namespace_mask(ctx.catalog, ns, ctx.host.role(), wanted)? == wanted {
        return Ok(());
    }
    let name = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
    bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}")
}

/// Privileges of a role on a database.
pub fn database_mask(catalog: &Catalog, database: Oid, role: Oid, wanted: u32) -> Result<u32> {
    use pg_database::*;
    let rows = catalog.scan(TABLE, OID_INDEX, &[Datum::oid(database)])?;
    let Some(r) = rows.first() else {
        bail!(UNDEFINED_DATABASE, "database with OID {database} does not exist")
    };
    let acl = r.opt_bytes(DATACL);
    let items = acl::effective(AclKind::Database, acl.as_deref(), r.oid(DATDBA));
    acl::mask(catalog, &items, role, r.oid(DATDBA), wanted)
}

/// A privilege of the current user on the connected database.
pub fn check_database(ctx: &CommandCtx<'_>, wanted: u32) -> Result<()> {
    let db = ctx.catalog.database();
    if ctx.host.is_superuser() || database_mask(ctx.catalog, db, ctx.host.role(), wanted)? == wanted {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "permission denied for database {}", ctx.host.database_name())
}
