//! Large objects: a row of `pg_largeobject_metadata` for each, and its bytes in pages of `pg_largeobject`. Pages that were never
//! written are not there and read as zeros.
//!
//! A descriptor lives until its transaction ends. One opened for reading alone sees the state at its opening; one that may
//! write sees the present state, the session's own writes at once.

mod descriptors;
mod pages;

pub use descriptors::Descriptors;
pub use pages::Open;

use crate::FnEnv;
use crate::acl;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::{CatRow, Catalog};
use common::{Oid, Result, SqlState, bail, err};
use types::Datum;

/// Flags of lo_open and lo_creat.
pub const INV_WRITE: i32 = 0x20000;
pub const INV_READ: i32 = 0x40000;

/// Its row, if there is such an object.
pub fn row(catalog: &Catalog, oid: Oid) -> Result<Option<CatRow>> {
    use pg_largeobject_metadata::*;
    Ok(catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?.into_iter().next())
}

/// Its row; 42704 if there is none.
pub fn require(catalog: &Catalog, oid: Oid) -> Result<CatRow> {
    row(catalog, oid)?.ok_or_else(|| err!(UNDEFINED_OBJECT, "large object {oid} does not exist"))
}

/// The address by which dependencies and comments know it.
pub fn address(oid: Oid) -> ObjectAddress {
    ObjectAddress::new(pg_largeobject::TABLE, oid)
}

/// Makes an empty one; an invalid OID asks for any.
pub fn create(e: &FnEnv, wanted: Oid) -> Result<Oid> {
    use pg_largeobject_metadata::*;
    let oid = if wanted.is_valid() { wanted } else { e.catalog.new_oid(TABLE, OID_INDEX)? };
    if row(&e.catalog, oid)?.is_some() {
        let mut dup = err!(
            UNIQUE_VIOLATION,
            "duplicate key value violates unique constraint \"pg_largeobject_metadata_oid_index\""
        )
        .detail(format!("Key (oid)=({oid}) already exists."))
        .schema("pg_catalog")
        .table("pg_largeobject_metadata");
        dup.report_mut().constraint = Some("pg_largeobject_metadata_oid_index".into());
        return Err(dup);
    }
    let mut r = e.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[LOMOWNER] = Datum::oid(e.host.role());
    r[LOMACL] = Datum::Null;
    e.catalog.insert_row(TABLE, &r)?;
    e.catalog.record_role_dependency(address(oid), e.host.role(), b'o')?;
    e.engine.command_counter_increment()?;
    Ok(oid)
}

/// Takes it away, with its comment and all that names it.
pub fn remove(e: &FnEnv, oid: Oid) -> Result<()> {
    delete(&e.catalog, oid)?;
    let a = address(oid);
    e.catalog.delete_dependencies_of(a)?;
    e.catalog.delete_role_dependencies_of(a)?;
    use pg_description::*;
    for r in e.catalog.scan(TABLE, O_C_O_INDEX, &[Datum::oid(a.object), Datum::oid(a.class)])? {
        e.catalog.delete_row(TABLE, &r)?;
    }
    e.engine.command_counter_increment()
}

/// Deletes its rows.
pub fn delete(catalog: &Catalog, oid: Oid) -> Result<()> {
    let r = require(catalog, oid)?;
    catalog.delete_row(pg_largeobject_metadata::TABLE, &r)?;
    use pg_largeobject::*;
    for r in catalog.scan(TABLE, LOID_PN_INDEX, &[Datum::oid(oid)])? {
        catalog.delete_row(TABLE, &r)?;
    }
    Ok(())
}

/// Are privileges on large objects looked at?
fn compat(e: &FnEnv) -> bool {
    let mut on = false;
    e.host.with_settings(&mut |s| on = s.bool("lo_compat_privileges"));
    on
}

/// 42501 for those without the privilege.
pub fn check_privilege(e: &FnEnv, oid: Oid, wanted: u32) -> Result<()> {
    let r = require(&e.catalog, oid)?;
    if compat(e) || e.host.is_superuser() {
        return Ok(());
    }
    use pg_largeobject_metadata::*;
    let owner = r.oid(LOMOWNER);
    let items = acl::effective(acl::AclKind::LargeObject, r.opt_bytes(LOMACL).as_deref(), owner);
    if acl::mask(&e.catalog, &items, e.host.role(), owner, wanted)? != wanted {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for large object {oid}");
    }
    Ok(())
}

/// 42501 for those who do not own it.
pub fn check_owner(e: &FnEnv, oid: Oid) -> Result<()> {
    let r = require(&e.catalog, oid)?;
    let owner = r.oid(pg_largeobject_metadata::LOMOWNER);
    if compat(e) || e.host.is_superuser() || crate::roles::has_privs_of(&e.catalog, e.host.role(), owner)? {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be owner of large object {oid}")
}

/// The number in a statement; 22P02 and 22003 as the type oid has them.
pub fn parse_oid(text: &str) -> Result<Oid> {
    let Ok(n) = text.parse::<i128>() else {
        bail!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type oid: \"{text}\"");
    };
    match u32::try_from(n).or_else(|_| i32::try_from(n).map(|v| v as u32)) {
        Ok(v) => Ok(Oid(v)),
        Err(_) => Err(common::Error::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("value \"{text}\" is out of range for type oid"),
        )),
    }
}
