//! Objects whose privileges can be asked for: found by name (an error if missing) or by OID (`None` if missing), with
//! their owner and the lists in force.

use super::super::{env, reg, size};
use crate::acl::{self, AclItem, AclKind};
use catalog::CatRow;
use catalog::columns::*;
use common::{Oid, Result, bail, err};
use types::{CallCtx, Datum, DatumRef};

/// What was found.
pub struct Object {
    pub oid: Oid,
    pub owner: Oid,
    /// Any list that grants it will do.
    pub lists: Vec<Vec<AclItem>>,
    /// What the predefined roles for all data can have here.
    pub data: u32,
}

/// Reading and writing, the schemas' USAGE included.
const DATA: u32 = acl::SELECT | acl::INSERT | acl::UPDATE | acl::DELETE;

type Found = Result<(u32, Option<Object>)>;

fn relation_oid(c: &CallCtx<'_>, o: DatumRef<'_>) -> Result<Oid> {
    match o {
        DatumRef::U32(oid) => Ok(Oid(oid)),
        name => match reg::find_class(c, name.str())? {
            Some(oid) => Ok(oid),
            None => Err(reg::no_class(name.str())),
        },
    }
}

fn relation(c: &CallCtx<'_>, oid: Oid) -> Result<Option<(Object, u8, String)>> {
    let e = env(c)?;
    let Some(r) = e.catalog.relation_if_any(oid)? else { return Ok(None) };
    let items = crate::aclcheck::relation_items(&r);
    Ok(Some((Object { oid, owner: r.owner, lists: vec![items], data: DATA }, r.kind, r.name.clone())))
}

/// A table, view or other relation.
pub fn table(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    Ok((acl::ALL_TABLE, relation(c, relation_oid(c, o)?)?.map(|f| f.0)))
}

/// A table with the lists of all its columns.
pub fn any_column(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_attribute::*;
    let (_, found) = table(c, o)?;
    let Some(mut t) = found else { return Ok((acl::ALL_COLUMN, None)) };
    for r in env(c)?.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(t.oid)])? {
        if let (Some(b), false) = (r.opt_bytes(ATTACL), r.bool(ATTISDROPPED)) {
            t.lists.push(acl::parse(&b));
        }
    }
    Ok((acl::ALL_COLUMN, Some(t)))
}

/// List of one column, by name or number; `None` if the number is nobody's.
pub fn column(c: &CallCtx<'_>, table: Oid, column: DatumRef<'_>) -> Result<Option<Vec<AclItem>>> {
    use pg_attribute::*;
    let rows = env(c)?.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(table)])?;
    let live = |r: &&CatRow| !r.bool(ATTISDROPPED);
    let row = match column {
        DatumRef::I16(n) => rows.iter().filter(live).find(|r| r.i16(ATTNUM) == n),
        name => {
            let found = rows.iter().filter(live).find(|r| r.str(ATTNAME) == name.str());
            if found.is_none() {
                let table = env(c)?.catalog.relation(table)?.name.clone();
                bail!(UNDEFINED_COLUMN, "column \"{}\" of relation \"{table}\" does not exist", name.str());
            }
            found
        }
    };
    Ok(row.map(|r| r.opt_bytes(ATTACL).map_or_else(Vec::new, |b| acl::parse(&b))))
}

/// A sequence.
pub fn sequence(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    match relation(c, relation_oid(c, o)?)? {
        None => Ok((acl::ALL_SEQUENCE, None)),
        Some((found, b'S', _)) => Ok((acl::ALL_SEQUENCE, Some(found))),
        Some((_, _, name)) => bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not a sequence"),
    }
}

/// What a catalog row says: OID, owner and list columns.
fn from_row(
    r: &CatRow,
    oid: usize,
    owner: usize,
    acl: usize,
    default: impl Fn(Oid) -> Vec<AclItem>,
) -> Object {
    let owner = r.oid(owner);
    let items = r.opt_bytes(acl).map_or_else(|| default(owner), |b| acl::parse(&b));
    Object { oid: r.oid(oid), owner, lists: vec![items], data: 0 }
}

/// The row by OID, or by what `find` makes of the name.
fn row(
    c: &CallCtx<'_>,
    o: DatumRef<'_>,
    table: Oid,
    index: Oid,
    find: impl FnOnce(&str) -> Result<Oid>,
) -> Result<Option<CatRow>> {
    let oid = match o {
        DatumRef::U32(oid) => Oid(oid),
        name => find(name.str())?,
    };
    Ok(env(c)?.catalog.scan(table, index, &[Datum::oid(oid)])?.into_iter().next())
}

fn by_name(c: &CallCtx<'_>, table: Oid, index: Oid, oid: usize, what: &str, name: &str) -> Result<Oid> {
    let rows = env(c)?.catalog.scan(table, index, &[Datum::text(name)])?;
    rows.first().map(|r| r.oid(oid)).ok_or_else(|| err!(UNDEFINED_OBJECT, "{what} \"{name}\" does not exist"))
}

/// A list that gives the owner these privileges and nobody else any.
fn owner_only(owner: Oid, privs: u32) -> Vec<AclItem> {
    vec![AclItem { grantee: owner, grantor: owner, privs, goptions: 0 }]
}

/// A database.
pub fn database(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_database::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| match env(c)?.catalog.database_row(n)? {
        Some(r) => Ok(r.oid(OID)),
        None => bail!(UNDEFINED_DATABASE, "database \"{n}\" does not exist"),
    })?;
    let default = |owner| AclKind::Database.default_list(owner);
    Ok((acl::ALL_DATABASE, r.map(|r| from_row(&r, OID, DATDBA, DATACL, default))))
}

/// A schema.
pub fn schema(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_namespace::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| env(c)?.catalog.require_namespace(n))?;
    let default = |owner| AclKind::Schema.default_list(owner);
    let found = r.map(|r| Object { data: acl::USAGE, ..from_row(&r, OID, NSPOWNER, NSPACL, default) });
    Ok((acl::ALL_SCHEMA, found))
}

/// A function.
pub fn function(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_proc::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| reg::procedure_oid(c, n))?;
    let default = |owner| AclKind::Function.default_list(owner);
    Ok((acl::EXECUTE, r.map(|r| from_row(&r, OID, PROOWNER, PROACL, default))))
}

/// A language.
pub fn language(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_language::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| by_name(c, TABLE, NAME_INDEX, OID, "language", n))?;
    let default = |owner| AclKind::Language.default_list(owner);
    Ok((acl::USAGE, r.map(|r| from_row(&r, OID, LANOWNER, LANACL, default))))
}

/// A tablespace.
pub fn tablespace(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_tablespace::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| size::tablespace_oid(c, n))?;
    let default = |owner| owner_only(owner, acl::CREATE);
    Ok((acl::CREATE, r.map(|r| from_row(&r, OID, SPCOWNER, SPCACL, default))))
}

/// A foreign-data wrapper.
pub fn foreign_data_wrapper(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_foreign_data_wrapper::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| by_name(c, TABLE, NAME_INDEX, OID, "foreign-data wrapper", n))?;
    let default = |owner| owner_only(owner, acl::USAGE);
    Ok((acl::USAGE, r.map(|r| from_row(&r, OID, FDWOWNER, FDWACL, default))))
}

/// A foreign server.
pub fn server(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_foreign_server::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| by_name(c, TABLE, NAME_INDEX, OID, "server", n))?;
    let default = |owner| owner_only(owner, acl::USAGE);
    Ok((acl::USAGE, r.map(|r| from_row(&r, OID, SRVOWNER, SRVACL, default))))
}

/// A type.
pub fn type_(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_type::*;
    let r = row(c, o, TABLE, OID_INDEX, |n| reg::type_oid(c, n))?;
    let default = |owner| AclKind::Type.default_list(owner);
    Ok((acl::USAGE, r.map(|r| from_row(&r, OID, TYPOWNER, TYPACL, default))))
}

/// A setting: nobody but superusers unless granted.
pub fn parameter(c: &CallCtx<'_>, o: DatumRef<'_>) -> Found {
    use pg_parameter_acl::*;
    let name = o.str().to_ascii_lowercase();
    let rows = env(c)?.catalog.scan_all(TABLE)?;
    let stored = rows.iter().find(|r| r.str(PARNAME) == name).and_then(|r| r.opt_bytes(PARACL));
    let items = stored.map_or_else(Vec::new, |b| acl::parse(&b));
    let owner = catalog::builtins::BOOTSTRAP_SUPERUSER;
    Ok((acl::SET | acl::ALTER_SYSTEM, Some(Object { oid: Oid::INVALID, owner, lists: vec![items], data: 0 })))
}
