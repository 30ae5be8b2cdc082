//! The server's log files: which is current, the next one, and what lies in the directories of the cluster.

use super::env;
use super::rows::made;
use common::{Error, Oid, Result, bail, err};
use std::path::Path;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c0, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (3800, c0!(current_logfile)),
    (3801, c1!(current_logfile_of)),
    (2622, c0!(rotate)),
    (3353, FnImpl::Srf(ls_logdir)),
    (3354, FnImpl::Srf(ls_waldir)),
    (5031, FnImpl::Srf(ls_archive_status)),
    (5029, FnImpl::Srf(ls_tmpdir)),
    (5030, FnImpl::Srf(ls_tmpdir_of)),
    (6270, FnImpl::Srf(|c, _| ls_logical(c, "pg_ls_logicalsnapdir"))),
    (6271, FnImpl::Srf(|c, _| ls_logical(c, "pg_ls_logicalmapdir"))),
    (6272, FnImpl::Srf(ls_slot)),
];

/// OID of the predefined role `pg_monitor`.
pub const MONITOR: Oid = Oid(3373);

/// 42501 for those who are neither superusers nor members of `pg_monitor`.
fn require_monitor(c: &CallCtx<'_>, function: &str) -> Result<()> {
    let e = env(c)?;
    if e.host.is_superuser() || crate::roles::has_privs_of(&e.catalog, e.host.role(), MONITOR)? {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function {function}")
}

fn data_dir(c: &CallCtx<'_>) -> Result<std::path::PathBuf> {
    Ok(env(c)?.engine.store().config().data_dir.clone())
}

fn current_logfile(c: &CallCtx<'_>) -> Result<Option<String>> {
    require_monitor(c, "pg_current_logfile")?;
    logfile(c, None)
}

fn current_logfile_of(c: &CallCtx<'_>, format: Option<&str>) -> Result<Option<String>> {
    require_monitor(c, "pg_current_logfile")?;
    if let Some(f) = format
        && !["stderr", "csvlog", "jsonlog"].contains(&f)
    {
        return Err(err!(INVALID_PARAMETER_VALUE, "log format \"{f}\" is not supported")
            .hint("The supported log formats are \"stderr\", \"csvlog\", and \"jsonlog\"."));
    }
    logfile(c, format)
}

fn logfile(c: &CallCtx<'_>, format: Option<&str>) -> Result<Option<String>> {
    let path = data_dir(c)?.join("current_logfiles");
    let text = match std::fs::read_to_string(&path) {
        Ok(t) => t,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::os("could not read file \"current_logfiles\"", &e)),
    };
    let found = text.lines().filter_map(|l| l.split_once(' ')).find(|(f, _)| format.is_none_or(|w| w == *f));
    Ok(found.map(|(_, p)| p.to_string()))
}

fn rotate(c: &CallCtx<'_>) -> Result<bool> {
    let e = env(c)?;
    if !e.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function pg_rotate_logfile");
    }
    let mut collects = false;
    e.host.with_settings(&mut |s| collects = s.bool("logging_collector"));
    if !collects {
        e.host.notice(common::Report::new(
            common::Severity::Warning,
            common::SqlState::WARNING,
            "rotation not possible because log collection not active",
        ));
        return Ok(false);
    }
    std::fs::write(data_dir(c)?.join("logrotate"), "")
        .map_err(|e| Error::os("could not create log rotation signal file \"logrotate\"", &e))?;
    const SIGUSR1: i32 = 10;
    Ok(ipc::signals::send_raw(std::os::unix::process::parent_id() as i32, SIGUSR1))
}

/// Names, sizes and times of the plain files of a directory.
fn list(dir: &Path, missing_ok: bool) -> Result<Box<dyn RowSource>> {
    use std::os::unix::fs::MetadataExt;
    let entries = match std::fs::read_dir(dir) {
        Ok(d) => d,
        Err(e) if missing_ok && e.kind() == std::io::ErrorKind::NotFound => return made(Vec::new()),
        Err(e) => return Err(Error::os(format!("could not open directory \"{}\"", dir.display()), &e)),
    };
    let mut rows = Vec::new();
    for e in entries.flatten() {
        let name = e.file_name().to_string_lossy().into_owned();
        let Ok(meta) = e.metadata() else { continue };
        if name.starts_with('.') || !meta.is_file() {
            continue;
        }
        const SINCE_2000: i64 = 946_684_800;
        let modified = (meta.mtime() - SINCE_2000) * 1_000_000;
        rows.push(vec![Datum::text(&name), Datum::I64(meta.len() as i64), Datum::I64(modified)]);
    }
    made(rows)
}

fn ls_logdir(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_logdir")?;
    let mut dir = String::new();
    env(c)?.host.with_settings(&mut |s| dir = s.text("log_directory").to_string());
    list(&data_dir(c)?.join(&dir), false).map_err(|e| {
        // The directory is named as the setting does.
        let m = e.report().message.clone();
        let shown = m.split_once(": ").map_or(String::new(), |(_, why)| why.to_string());
        Error::new(e.sqlstate(), format!("could not open directory \"{dir}\": {shown}"))
    })
}

fn ls_waldir(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_waldir")?;
    list(&data_dir(c)?.join("pg_wal"), false)
}

fn ls_archive_status(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_archive_statusdir")?;
    list(&data_dir(c)?.join("pg_wal/archive_status"), true)
}

/// There is no logical decoding: nothing lies there.
fn ls_logical(c: &CallCtx<'_>, function: &str) -> Result<Box<dyn RowSource>> {
    require_monitor(c, function)?;
    made(Vec::new())
}

fn ls_slot(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_replslotdir")?;
    match args.first().map(Datum::as_ref) {
        Some(types::DatumRef::Bytes(b)) => {
            Err(err!(UNDEFINED_OBJECT, "replication slot \"{}\" does not exist", String::from_utf8_lossy(b)))
        }
        _ => made(Vec::new()),
    }
}

fn ls_tmpdir(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_tmpdir")?;
    list(&data_dir(c)?.join("base/pgsql_tmp"), true)
}

fn ls_tmpdir_of(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    require_monitor(c, "pg_ls_tmpdir")?;
    match args.first() {
        Some(Datum::U32(1663 | 1664)) => list(&data_dir(c)?.join("base/pgsql_tmp"), true),
        Some(Datum::U32(o)) => Err(err!(UNDEFINED_OBJECT, "tablespace with OID {o} does not exist")),
        _ => made(Vec::new()),
    }
}
