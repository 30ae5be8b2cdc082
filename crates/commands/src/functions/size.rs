//! Sizes and places of relations, databases and tablespaces.

use super::env;
use catalog::columns::*;
use common::{Error, Oid, Result, bail, err};
use std::path::Path;
use storage::{Fork, PAGE_SIZE, RelFileLocator};
use types::{CallCtx, Datum, FnImpl, c1, c2};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2325, c1!(|c, r: u32| relation_size(c, r, "main"))),
    (2332, c2!(relation_size)),
    (2997, c1!(table_size)),
    (2998, c1!(indexes_size)),
    (2286, c1!(total_size)),
    (2324, c1!(database_size)),
    (2168, c1!(database_size_by_name)),
    (2322, c1!(tablespace_size)),
    (2323, c1!(tablespace_size_by_name)),
    (2999, c1!(filenode)),
    (3034, c1!(filepath)),
];

const FORKS: [Fork; 4] = [Fork::Main, Fork::Fsm, Fork::Vm, Fork::Init];

/// Files of a relation: `None` if there is no such relation, `Some(None)` if it has no storage.
fn locator(c: &CallCtx<'_>, oid: Oid) -> Result<Option<Option<RelFileLocator>>> {
    use pg_class::*;
    let e = env(c)?;
    let rows = e.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    if !matches!(r.char(RELKIND), b'r' | b'i' | b'S' | b't' | b'm') {
        return Ok(Some(None));
    }
    e.catalog.locator_of(r).map(|l| Some(Some(l)))
}

fn fork_size(c: &CallCtx<'_>, rel: RelFileLocator, fork: Fork) -> Result<i64> {
    let blocks = env(c)?.engine.store().nblocks_or_zero(rel, fork)?;
    Ok(i64::from(blocks.0) * PAGE_SIZE as i64)
}

/// All forks of one relation; 0 without storage.
fn all_forks(c: &CallCtx<'_>, oid: Oid) -> Result<i64> {
    let Some(Some(l)) = locator(c, oid)? else { return Ok(0) };
    FORKS.iter().map(|f| fork_size(c, l, *f)).sum()
}

fn relation_size(c: &CallCtx<'_>, oid: u32, fork: &str) -> Result<Option<i64>> {
    let Some(l) = locator(c, Oid(oid))? else { return Ok(None) };
    let fork = match fork {
        "main" => Fork::Main,
        "fsm" => Fork::Fsm,
        "vm" => Fork::Vm,
        "init" => Fork::Init,
        _ => {
            return Err(err!(INVALID_PARAMETER_VALUE, "invalid fork name")
                .hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\"."));
        }
    };
    l.map_or(Ok(0), |l| fork_size(c, l, fork)).map(Some)
}

fn indexes_of(c: &CallCtx<'_>, table: Oid) -> Result<Vec<Oid>> {
    use pg_index::*;
    let rows = env(c)?.catalog.scan(TABLE, INDRELID_INDEX, &[Datum::oid(table)])?;
    Ok(rows.iter().map(|r| r.oid(INDEXRELID)).collect())
}

/// A table with its TOAST table and that one's index; `None` if it does not exist.
fn with_toast(c: &CallCtx<'_>, oid: Oid) -> Result<Option<i64>> {
    use pg_class::*;
    let rows = env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let mut size = all_forks(c, oid)?;
    let toast = r.oid(RELTOASTRELID);
    if toast.is_valid() {
        size += all_forks(c, toast)?;
        for ix in indexes_of(c, toast)? {
            size += all_forks(c, ix)?;
        }
    }
    Ok(Some(size))
}

fn table_size(c: &CallCtx<'_>, oid: u32) -> Result<Option<i64>> {
    with_toast(c, Oid(oid))
}

fn indexes_size(c: &CallCtx<'_>, oid: u32) -> Result<Option<i64>> {
    if locator(c, Oid(oid))?.is_none() {
        return Ok(None);
    }
    indexes_of(c, Oid(oid))?.into_iter().map(|ix| all_forks(c, ix)).sum::<Result<i64>>().map(Some)
}

fn total_size(c: &CallCtx<'_>, oid: u32) -> Result<Option<i64>> {
    Ok(match (table_size(c, oid)?, indexes_size(c, oid)?) {
        (Some(t), Some(i)) => Some(t + i),
        _ => None,
    })
}

/// Bytes of the files below a directory; files that vanish meanwhile count nothing.
fn directory_size(c: &CallCtx<'_>, dir: &Path) -> Result<i64> {
    env(c)?.host.check_interrupts()?;
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(0) };
    let mut size = 0;
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(m) if m.is_dir() => size += directory_size(c, &entry.path())?,
            Ok(m) => size += m.len() as i64,
            Err(_) => {}
        }
    }
    Ok(size)
}

fn size_of_database(c: &CallCtx<'_>, row: &catalog::CatRow) -> Result<i64> {
    use pg_database::*;
    let e = env(c)?;
    let oid = row.oid(OID);
    let read_all = crate::roles::has_privs_of(&e.catalog, e.host.role(), super::activity::READ_ALL_STATS)?;
    let connect = crate::acl::CONNECT;
    if !e.host.is_superuser()
        && !read_all
        && crate::aclcheck::database_mask(&e.catalog, oid, e.host.role(), connect)? == 0
    {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for database {}", row.str(DATNAME));
    }
    directory_size(c, &e.engine.data_dir().join("base").join(oid.to_string()))
}

fn database_size(c: &CallCtx<'_>, oid: u32) -> Result<Option<i64>> {
    use pg_database::*;
    let rows = env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?;
    rows.first().map(|r| size_of_database(c, r)).transpose()
}

fn database_size_by_name(c: &CallCtx<'_>, name: &str) -> Result<i64> {
    match env(c)?.catalog.database_row(name)? {
        Some(r) => size_of_database(c, &r),
        None => bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"),
    }
}

fn tablespace_size(c: &CallCtx<'_>, oid: u32) -> Result<Option<i64>> {
    let dir = env(c)?.engine.data_dir();
    let dir = match oid {
        1663 => dir.join("base"),
        1664 => dir.join("global"),
        _ => dir.join("pg_tblspc").join(oid.to_string()),
    };
    if !dir.exists() {
        return Ok(None);
    }
    directory_size(c, &dir).map(Some)
}

/// OID of a tablespace by name.
pub fn tablespace_oid(c: &CallCtx<'_>, name: &str) -> Result<Oid> {
    use pg_tablespace::*;
    let rows = env(c)?.catalog.scan(TABLE, SPCNAME_INDEX, &[Datum::text(name)])?;
    rows.first()
        .map(|r| r.oid(OID))
        .ok_or_else(|| err!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist"))
}

fn tablespace_size_by_name(c: &CallCtx<'_>, name: &str) -> Result<Option<i64>> {
    tablespace_size(c, tablespace_oid(c, name)?.0)
}

fn filenode(c: &CallCtx<'_>, oid: u32) -> Result<Option<u32>> {
    Ok(locator(c, Oid(oid))?.flatten().map(|l| l.rel_number))
}

fn filepath(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    Ok::<_, Error>(locator(c, Oid(oid))?.flatten().map(|l| l.path(Fork::Main)))
}
