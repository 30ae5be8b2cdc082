//! Files of the server's machine: `pg_read_file`, `pg_read_binary_file`, `pg_stat_file`, `pg_ls_dir`. Who may read any file is a member of
//! `pg_read_server_files`; others (who were granted the function) see the data directory and the log directory.

use super::env;
use super::rows::made;
use crate::roles::has_privs_of;
use common::{Error, Oid, Result, bail, err};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1, c3, c4};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2623, FnImpl::Srf(stat_file)),
    (2624, c3!(|c, f: &str, from: i64, n: i64| text(c, f, Some((from, n)), false))),
    (2625, FnImpl::Srf(ls_dir)),
    (3293, c4!(|c, f: &str, from: i64, n: i64, missing_ok: bool| text(c, f, Some((from, n)), missing_ok))),
    (3295, c4!(|c, f: &str, from: i64, n: i64, missing_ok: bool| binary(c, f, Some((from, n)), missing_ok))),
    (3297, FnImpl::Srf(ls_dir)),
    (3307, FnImpl::Srf(stat_file)),
    (3826, c1!(|c, f: &str| text(c, f, None, false))),
    (3827, c3!(|c, f: &str, from: i64, n: i64| binary(c, f, Some((from, n)), false))),
    (3828, c1!(|c, f: &str| binary(c, f, None, false))),
    (4100, c3!(read_file_old)),
];

/// OID of `pg_read_server_files`.
const READ_SERVER_FILES: Oid = Oid(4569);

/// A path as a request named it, cleaned up, and where the file is.
struct Place {
    shown: String,
    at: PathBuf,
}

/// Takes `.`, doubled slashes and `x/..` out of a path.
fn canonical(name: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            p => out.push(p),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

/// The file a name means, if the role may see it.
fn place(c: &CallCtx<'_>, name: &str) -> Result<Place> {
    let e = env(c)?;
    let path = canonical(name);
    let data_dir = e.engine.store().config().data_dir.clone();
    let found = Place { shown: path.display().to_string(), at: data_dir.join(&path) };
    if e.host.is_superuser() || has_privs_of(&e.catalog, e.host.role(), READ_SERVER_FILES)? {
        return Ok(found);
    }
    if path.is_absolute() {
        let mut logs = String::new();
        e.host.with_settings(&mut |s| logs = s.text("log_directory").to_string());
        let logs = data_dir.join(logs);
        if !path.starts_with(canonical(&data_dir.display().to_string()))
            && !path.starts_with(canonical(&logs.display().to_string()))
        {
            bail!(INSUFFICIENT_PRIVILEGE, "absolute path not allowed");
        }
    } else if matches!(path.components().next(), Some(Component::ParentDir)) {
        bail!(INSUFFICIENT_PRIVILEGE, "path must be in or below the current directory");
    }
    Ok(found)
}

/// Reads all of a file or a part of it; a negative start counts from the end.
fn read(c: &CallCtx<'_>, name: &str, part: Option<(i64, i64)>, missing_ok: bool) -> Result<Option<Vec<u8>>> {
    if let Some((_, n)) = part
        && n < 0
    {
        bail!(INVALID_PARAMETER_VALUE, "requested length cannot be negative");
    }
    let p = place(c, name)?;
    let mut f = match std::fs::File::open(&p.at) {
        Ok(f) => f,
        Err(e) if missing_ok && e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::os(format!("could not open file \"{}\" for reading", p.shown), &e)),
    };
    let (from, limit) = part.unwrap_or((0, -1));
    let seek = if from >= 0 { SeekFrom::Start(from as u64) } else { SeekFrom::End(from) };
    if from != 0 {
        f.seek(seek).map_err(|e| Error::os(format!("could not seek in file \"{}\"", p.shown), &e))?;
    }
    // A varlena holds less than a gigabyte.
    const MOST: u64 = (1 << 30) - 5;
    if limit as u64 > MOST && limit >= 0 {
        bail!(INVALID_PARAMETER_VALUE, "requested length too large");
    }
    let take = if limit < 0 { MOST + 1 } else { limit as u64 };
    let mut out = Vec::new();
    f.take(take)
        .read_to_end(&mut out)
        .map_err(|e| Error::os(format!("could not read file \"{}\"", p.shown), &e))?;
    if out.len() as u64 > MOST {
        bail!(PROGRAM_LIMIT_EXCEEDED, "file length too large");
    }
    Ok(Some(out))
}

fn text(c: &CallCtx<'_>, name: &str, part: Option<(i64, i64)>, missing_ok: bool) -> Result<Option<String>> {
    let Some(bytes) = read(c, name, part, missing_ok)? else { return Ok(None) };
    types::text::check_utf8(&bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn binary(
    c: &CallCtx<'_>,
    name: &str,
    part: Option<(i64, i64)>,
    missing_ok: bool,
) -> Result<Option<Vec<u8>>> {
    read(c, name, part, missing_ok)
}

fn read_file_old(c: &CallCtx<'_>, name: &str, from: i64, n: i64) -> Result<Option<String>> {
    if !env(c)?.host.is_superuser() {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "must be superuser to read files with adminpack 1.0")
            .hint("Consider using pg_file_read(), which is part of core, instead."));
    }
    text(c, name, Some((from, n)), false)
}

fn name_of(d: Option<&Datum>) -> Option<String> {
    match d {
        Some(Datum::Bytes(b)) => Some(String::from_utf8_lossy(b).into_owned()),
        _ => None,
    }
}

fn flag(args: &[Datum], n: usize) -> bool {
    matches!(args.get(n), Some(Datum::Bool(true)))
}

/// Seconds since 1970 as a timestamp.
fn timestamp(seconds: i64) -> Datum {
    const SINCE_2000: i64 = 946_684_800;
    Datum::I64((seconds - SINCE_2000) * 1_000_000)
}

fn stat_file(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    use std::os::unix::fs::MetadataExt;
    let Some(name) = name_of(args.first()) else { return made(Vec::new()) };
    let p = place(c, &name)?;
    let m = match std::fs::metadata(&p.at) {
        Ok(m) => m,
        Err(e) if flag(args, 1) && e.kind() == ErrorKind::NotFound => return made(Vec::new()),
        Err(e) => return Err(Error::os(format!("could not stat file \"{}\"", p.shown), &e)),
    };
    made(vec![vec![
        Datum::I64(m.len() as i64),
        timestamp(m.atime()),
        timestamp(m.mtime()),
        timestamp(m.ctime()),
        Datum::Null,
        Datum::Bool(m.is_dir()),
    ]])
}

fn ls_dir(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(name) = name_of(args.first()) else { return made(Vec::new()) };
    let p = place(c, &name)?;
    let entries = match std::fs::read_dir(&p.at) {
        Ok(d) => d,
        Err(e) if flag(args, 1) && e.kind() == ErrorKind::NotFound => return made(Vec::new()),
        Err(e) => return Err(Error::os(format!("could not open directory \"{}\"", p.shown), &e)),
    };
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    if flag(args, 2) {
        rows.extend([".", ".."].map(|d| vec![Datum::text(d)]));
    }
    for e in entries {
        let e = e.map_err(|e| Error::os(format!("could not read directory \"{}\"", p.shown), &e))?;
        rows.push(vec![Datum::text(&e.file_name().to_string_lossy())]);
    }
    made(rows)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn paths_are_cleaned_up() {
        for (given, want) in [
            ("base/../PG_VERSION", "PG_VERSION"),
            ("./a//b/.", "a/b"),
            ("../a", "../a"),
            ("/a/../../b", "/b"),
            ("a/..", "."),
            ("", "."),
        ] {
            assert_eq!(canonical(given).to_str(), Some(want), "{given}");
        }
    }
}
