//! Smaller views of the server: progress of commands, shared memory, this process's memory, the control file, blocks of
//! relations.

use super::env;
use super::rows::made;
use common::{Error, Oid, Result, bail};
use ipc::progress::Command;
use transam::{ControlFile, StatKey, TableStats};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1};

macro_rules! blocks {
    ($f:expr) => {
        c1!(|c, r: u32| Ok::<i64, Error>($f(&file_blocks(c, r)?)))
    };
}
macro_rules! xact {
    ($f:ident) => {
        c1!(|c, r: u32| Ok::<i64, Error>(this_xact(c, r)?.$f))
    };
}

pub static TABLE: &[(u32, FnImpl)] = &[
    (3318, FnImpl::Srf(progress)),
    (5052, FnImpl::Srf(shmem)),
    (2282, FnImpl::Srf(memory)),
    (4543, c1!(log_memory)),
    (3441, FnImpl::Srf(control_system)),
    (3442, FnImpl::Srf(control_checkpoint)),
    (3443, FnImpl::Srf(control_recovery)),
    (3444, FnImpl::Srf(control_init)),
    (1934, blocks!(|s: &TableStats| s.tuples_returned)),
    (1935, blocks!(|s: &TableStats| s.tuples_fetched)),
    (3037, xact!(scans)),
    (3038, xact!(tuples_returned)),
    (3039, xact!(tuples_fetched)),
    (3040, xact!(tuples_inserted)),
    (3041, xact!(tuples_updated)),
    (3042, xact!(tuples_deleted)),
    (3043, xact!(tuples_hot_updated)),
    // Functions are not counted (track_functions has no effect).
    (2978, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<i64>, Error>(None))),
    (2979, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<f64>, Error>(None))),
    (2980, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<f64>, Error>(None))),
];

/// Blocks of a relation's file: fetched and hit.
fn file_blocks(c: &CallCtx<'_>, rel: u32) -> Result<TableStats> {
    let e = env(c)?;
    e.engine.flush_counters();
    use catalog::columns::pg_class::*;
    let rows = e.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(Oid(rel))])?;
    let Some(r) = rows.first() else { return Ok(TableStats::default()) };
    let db = if r.bool(RELISSHARED) { Oid::INVALID } else { e.catalog.database() };
    let node = r.oid(RELFILENODE);
    let node = if node.is_valid() { node } else { Oid(rel) };
    Ok(e.engine.file_stats(db, node))
}

/// What the running transaction has counted.
fn this_xact(c: &CallCtx<'_>, rel: u32) -> Result<TableStats> {
    let e = env(c)?;
    let of = |db| e.engine.pending_stats(StatKey::new(db, Oid(rel)));
    Ok(of(e.catalog.database()).or_else(|| of(Oid::INVALID)).unwrap_or_default())
}

fn progress(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let e = env(c)?;
    let name = match args.first().map(Datum::as_ref) {
        Some(types::DatumRef::Bytes(b)) => String::from_utf8_lossy(b).into_owned(),
        _ => String::new(),
    };
    let Some(command) = Command::by_name(&name) else {
        bail!(INVALID_PARAMETER_VALUE, "invalid command name: \"{name}\"");
    };
    let all = e.host.is_superuser()
        || crate::roles::has_privs_of(&e.catalog, e.host.role(), super::activity::READ_ALL_STATS)?;
    let mut rows = Vec::new();
    for p in e.engine.procs().live() {
        let Some((relation, params)) = p.progress.read(command) else { continue };
        let mut row = vec![Datum::I32(p.pid()), Datum::oid(p.database())];
        if all || crate::roles::has_privs_of(&e.catalog, e.host.role(), p.role())? {
            row.push(Datum::oid(Oid(relation)));
            row.extend(params.iter().map(|v| Datum::I64(*v)));
        } else {
            row.resize(23, Datum::Null);
        }
        rows.push(row);
    }
    made(rows)
}

fn shmem(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let e = env(c)?;
    let allowed = e.host.is_superuser()
        || crate::roles::has_privs_of(&e.catalog, e.host.role(), super::activity::READ_ALL_STATS)?;
    if !allowed {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function pg_get_shmem_allocations");
    }
    let all = e.host.admin().shared_memory();
    let rows = all.iter().map(|a| {
        vec![
            Datum::text(&a.name),
            Datum::I64(a.offset as i64),
            Datum::I64(a.size as i64),
            Datum::I64(a.allocated_size as i64),
        ]
    });
    made(rows.collect())
}

/// The owners of this process's memory.
fn memory(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let tree = env(c)?.host.admin().memory_contexts();
    let rows = tree.iter().map(|m| {
        vec![
            Datum::text(m.name),
            Datum::Null,
            m.parent.map_or(Datum::Null, Datum::text),
            Datum::I32(m.level),
            Datum::I64(m.total as i64),
            Datum::I64(m.blocks as i64),
            Datum::I64(m.free as i64),
            Datum::I64(m.free_chunks as i64),
            Datum::I64((m.total - m.free) as i64),
        ]
    });
    made(rows.collect())
}

/// Another process is asked to write what it has allocated to the log.
fn log_memory(c: &CallCtx<'_>, pid: i32) -> Result<bool> {
    let e = env(c)?;
    if !e.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function pg_log_backend_memory_contexts");
    }
    let Some(p) = e.engine.procs().by_pid(pid) else {
        e.host.notice(common::Report::new(
            common::Severity::Warning,
            common::SqlState::WARNING,
            format!("PID {pid} is not a PostgreSQL server process"),
        ));
        return Ok(false);
    };
    p.post(ipc::signals::LOG_MEMORY);
    Ok(true)
}

fn control(c: &CallCtx<'_>) -> Result<ControlFile> {
    ControlFile::read(&env(c)?.engine.store().config().data_dir)
}

fn control_system(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let f = control(c)?;
    made(vec![vec![
        Datum::I32(f.control_version as i32),
        Datum::I32(f.catalog_version as i32),
        Datum::I64(f.system_identifier as i64),
        Datum::I64(f.time),
    ]])
}

fn control_checkpoint(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let f = control(c)?;
    let k = &f.copy;
    let segment = storage::wal::segment::segment_name(k.timeline, k.redo.0 / (16 << 20));
    let xid = |x: u64| Datum::U32(x as u32);
    made(vec![vec![
        Datum::I64(f.checkpoint.0 as i64),
        Datum::I64(k.redo.0 as i64),
        Datum::text(&segment),
        Datum::I32(k.timeline as i32),
        Datum::I32(k.prev_timeline as i32),
        Datum::Bool(k.full_page_writes),
        Datum::text(&format!("{}:{}", k.next_xid.0 >> 32, k.next_xid.0 as u32)),
        Datum::oid(k.next_oid),
        xid(k.next_multi.0),
        xid(k.next_member),
        xid(k.oldest_xid.0),
        Datum::oid(k.oldest_xid_db),
        xid(k.oldest_active_xid.0),
        xid(k.oldest_multi.0),
        Datum::oid(k.oldest_multi_db),
        xid(0),
        xid(0),
        Datum::I64(k.time),
    ]])
}

fn control_recovery(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    control(c)?;
    made(vec![vec![Datum::I64(0), Datum::I32(0), Datum::I64(0), Datum::I64(0), Datum::Bool(false)]])
}

fn control_init(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let f = control(c)?;
    let n = |v: i32| Datum::I32(v);
    made(vec![vec![
        n(8),
        n(f.page_size as i32),
        n(131_072),
        n(f.page_size as i32),
        n(f.wal_segment_size as i32),
        n(64),
        n(32),
        n(1996),
        n(2048),
        Datum::Bool(true),
        n(i32::from(f.data_checksums)),
    ]])
}
