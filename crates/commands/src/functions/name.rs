//! Names of things by OID: types, roles, tablespaces' places.

use super::{env, with_analyze};
use catalog::columns::*;
use common::{Oid, Result, bail};
use types::{CallCtx, Datum, FnImpl, c1, c2};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1642, c1!(user_by_id)),
    (1081, c2!(format_type)),
    (3778, c1!(tablespace_location)),
    (6121, c1!(is_publishable)),
    (6120, c1!(replica_identity_index)),
];

fn user_by_id(c: &CallCtx<'_>, oid: u32) -> Result<String> {
    Ok(match env(c)?.catalog.role_name(Oid(oid))? {
        Some(n) => n.to_string(),
        None => format!("unknown (OID={oid})"),
    })
}

fn format_type(c: &CallCtx<'_>, oid: Option<u32>, typmod: Option<i32>) -> Result<Option<String>> {
    let Some(oid) = oid.map(Oid) else { return Ok(None) };
    if !oid.is_valid() {
        return Ok(Some("-".into()));
    }
    with_analyze(c, |a| {
        if a.catalog.type_if_any(oid)?.is_none() {
            return Ok(Some("???".into()));
        }
        Ok(Some(match typmod {
            Some(m) => analyze::format_type(a, oid, m),
            None => analyze::format_type_short(a, oid),
        }))
    })
}

fn tablespace_location(c: &CallCtx<'_>, oid: u32) -> Result<String> {
    let e = env(c)?;
    if matches!(oid, 0 | 1663 | 1664) {
        return Ok(String::new());
    }
    let link = e.engine.data_dir().join("pg_tblspc").join(oid.to_string());
    match std::fs::read_link(&link) {
        Ok(p) => Ok(p.to_string_lossy().into_owned()),
        Err(err) => bail!(
            UNDEFINED_FILE,
            "could not read symbolic link \"pg_tblspc/{oid}\": {}",
            common::error::os_message(&err)
        ),
    }
}

fn is_publishable(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
    let rows = env(c)?.catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::U32(oid)])?;
    Ok(rows.first().map(|r| {
        matches!(r.char(pg_class::RELKIND), b'r' | b'p')
            && r.char(pg_class::RELPERSISTENCE) == b'p'
            && oid >= Oid::FIRST_NORMAL.0
    }))
}

fn replica_identity_index(c: &CallCtx<'_>, oid: u32) -> Result<Option<u32>> {
    let e = env(c)?;
    let Some(r) = e.catalog.relation_if_any(Oid(oid))? else { return Ok(None) };
    let row = crate::target::class_row(&e.catalog, r.oid)?;
    let wanted = row.char(pg_class::RELREPLIDENT);
    for ix in &r.indexes {
        let d = e.catalog.index(*ix)?;
        if (wanted == b'd' && d.primary) || (wanted == b'i' && d.replident) {
            return Ok(Some(d.oid.0));
        }
    }
    Ok(None)
}
