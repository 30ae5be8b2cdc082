//! Versions of collations, and the import of libc's locales.

use super::env;
use crate::collation::actual_version;
use catalog::columns::{pg_collation, pg_database};
use common::{Oid, Result, bail};
use types::{CallCtx, Datum, FnImpl, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (3445, c1!(import_system_collations)),
    (3448, c1!(collation_actual_version)),
    (6249, c1!(database_collation_actual_version)),
];

fn collation_actual_version(c: &CallCtx<'_>, oid: u32) -> Result<Option<&'static str>> {
    use pg_collation::*;
    match env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?.first() {
        Some(r) => Ok(actual_version(r.char(COLLPROVIDER))),
        None => bail!(UNDEFINED_OBJECT, "collation with OID {oid} does not exist"),
    }
}

fn database_collation_actual_version(c: &CallCtx<'_>, oid: u32) -> Result<Option<&'static str>> {
    use pg_database::*;
    match env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?.first() {
        Some(r) => Ok(actual_version(r.char(DATLOCPROVIDER))),
        None => bail!(UNDEFINED_OBJECT, "database with OID {oid} does not exist"),
    }
}

/// Adds what libc and ICU have and the schema has not: the rows initdb made, under their names.
fn import_system_collations(c: &CallCtx<'_>, schema: u32) -> Result<i32> {
    use pg_collation::*;
    let e = env(c)?;
    if !e.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to import system collations");
    }
    if e.catalog.namespace_name(Oid(schema))?.is_none() {
        bail!(UNDEFINED_SCHEMA, "schema with OID {schema} does not exist");
    }
    let mut n = 0;
    for (name, mut row) in e.catalog.system_collations()? {
        let there = e.catalog.scan(TABLE, NAME_ENC_NSP_INDEX, &[Datum::text(&name)])?;
        if there.iter().any(|r| r.oid(COLLNAMESPACE) == Oid(schema)) {
            continue;
        }
        row[OID] = Datum::oid(e.catalog.new_oid(TABLE, OID_INDEX)?);
        row[COLLNAMESPACE] = Datum::U32(schema);
        row[COLLOWNER] = Datum::oid(e.host.role());
        e.catalog.insert_row(TABLE, &row)?;
        n += 1;
    }
    e.engine.command_counter_increment()?;
    Ok(n)
}
