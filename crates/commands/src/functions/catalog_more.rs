//! Functions about catalogs and about what this server is not: in recovery, or keeping commit timestamps.

use super::rows::made;
use super::{env, reg};
use catalog::columns::pg_class;
use common::{Error, Oid, Result, err};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c0, c1, c2};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2850, FnImpl::Srf(walfile_name_offset)),
    (3073, c0!(not_in_recovery::<bool>)),
    (3078, FnImpl::Srf(sequence_parameters)),
    (3163, c0!(|_c| Ok::<i32, Error>(0))),
    (3299, c1!(row_security_active)),
    (3436, c2!(|c, _wait: bool, _seconds: i32| not_in_recovery::<bool>(c))),
    (3454, c2!(filenode_relation)),
    (3581, c1!(|_c, _xid: u32| Err::<i64, Error>(no_commit_timestamps()))),
    (3583, FnImpl::Srf(|_, _| Err(no_commit_timestamps()))),
    (3820, c0!(|_c| Ok::<Option<i64>, Error>(None))),
    (3821, c0!(|_c| Ok::<Option<i64>, Error>(None))),
    (3830, c0!(|_c| Ok::<Option<i64>, Error>(None))),
    (6168, FnImpl::Srf(|_, _| Err(no_commit_timestamps()))),
];

fn not_in_recovery<T>(_: &CallCtx<'_>) -> Result<T> {
    Err(no_recovery())
}

/// 55000 of the functions that control a recovery.
pub fn no_recovery() -> Error {
    err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "recovery is not in progress")
        .hint("Recovery control functions can only be executed during recovery.")
}

fn no_commit_timestamps() -> Error {
    err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "could not get commit timestamp data")
        .hint("Make sure the configuration parameter \"track_commit_timestamp\" is set.")
}

/// Bytes of a segment of the log.
const SEGMENT: u64 = 16 << 20;

fn walfile_name_offset(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::I64(lsn)) = args.first() else { return made(Vec::new()) };
    let lsn = *lsn as u64;
    let name = storage::wal::segment::segment_name(1, lsn.saturating_sub(1) / SEGMENT);
    made(vec![vec![Datum::text(&name), Datum::I32((lsn % SEGMENT) as i32)]])
}

fn sequence_parameters(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::U32(oid)) = args.first() else { return made(Vec::new()) };
    let e = env(c)?;
    if e.catalog.relation_if_any(Oid(*oid))?.is_none_or(|r| r.kind != b'S') {
        return Err(Error::internal(format!("cache lookup failed for sequence {oid}")));
    }
    let p = crate::sequence_ddl::params(&e.catalog, Oid(*oid))?;
    made(vec![vec![
        Datum::I64(p.start),
        Datum::I64(p.min),
        Datum::I64(p.max),
        Datum::I64(p.increment),
        Datum::Bool(p.cycle),
        Datum::I64(p.cache),
        Datum::oid(p.type_oid),
    ]])
}

fn row_security_active(c: &CallCtx<'_>, name: &str) -> Result<bool> {
    match reg::find_class(c, name)? {
        Some(oid) => super::session::row_security_active(c, oid.0),
        None => Err(reg::no_class(name)),
    }
}

/// The relation whose file it is. Tablespace 0 is the database's own.
fn filenode_relation(c: &CallCtx<'_>, tablespace: u32, filenode: u32) -> Result<Option<u32>> {
    const GLOBAL: u32 = 1664;
    if filenode == 0 {
        return Ok(None);
    }
    let found = env(c)?.catalog.scan_all(pg_class::TABLE)?.into_iter().find(|r| {
        let place = if r.bool(pg_class::RELISSHARED) { GLOBAL } else { r.oid(pg_class::RELTABLESPACE).0 };
        r.oid(pg_class::RELFILENODE) == Oid(filenode)
            && place == if tablespace == 1663 { 0 } else { tablespace }
    });
    Ok(found.map(|r| r.oid(pg_class::OID).0))
}
