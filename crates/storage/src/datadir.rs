//! Durable file operations in the data directory: sync, rename, unlink, whole-file writes. A failing fsync ends the
//! server: the kernel may have dropped the dirty pages, so trying again would lie.

use common::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Prints a PANIC line and aborts this process; the postmaster treats that as a crash.
#[cold]
pub fn panic_exit(message: &str) -> ! {
    let line = format!("PANIC:  {message}\n");
    // A plain write: formatting machinery or locks of stderr may be what just failed.
    let _ = std::io::stderr().write_all(line.as_bytes());
    std::process::abort()
}

/// fsyncs an open file; failure is a PANIC.
pub fn sync_or_panic(f: &File, name: &str) {
    if let Err(e) = f.sync_all() {
        panic_exit(&format!("could not fsync file \"{name}\": {}", common::error::os_message(&e)));
    }
}

/// fsyncs a directory, so that creations, renames and removals in it are durable.
pub fn sync_dir(dir: &Path) -> Result<()> {
    let f =
        File::open(dir).map_err(|e| Error::os(format!("could not open file \"{}\"", dir.display()), &e))?;
    sync_or_panic(&f, &dir.to_string_lossy());
    Ok(())
}

/// fsyncs a file or directory by name; missing is fine.
pub fn sync_path(path: &Path) -> Result<()> {
    match File::open(path) {
        Ok(f) => {
            sync_or_panic(&f, &path.to_string_lossy());
            Ok(())
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::os(format!("could not open file \"{}\"", path.display()), &e)),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Renames so that after a crash either the old or the new state is there: the source is synced first, then the
/// target's directory.
pub fn durable_rename(from: &Path, to: &Path) -> Result<()> {
    sync_path(from)?;
    std::fs::rename(from, to).map_err(|e| {
        Error::os(format!("could not rename file \"{}\" to \"{}\"", from.display(), to.display()), &e)
    })?;
    sync_dir(parent(to))
}

/// Removes a file; missing is fine. Not durable by itself.
pub fn unlink(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Error::os(format!("could not remove file \"{}\"", path.display()), &e))
        }
        _ => Ok(()),
    }
}

/// Removes a file and makes that durable.
pub fn durable_unlink(path: &Path) -> Result<()> {
    unlink(path)?;
    sync_dir(parent(path))
}

/// Replaces a file's contents in one step: a crash leaves the old or the new file, whole.
pub fn write_file_durably(path: &Path, contents: &[u8]) -> Result<()> {
    let mut tmp = path.as_os_str().to_owned();
    tmp.push(".tmp");
    let tmp = Path::new(&tmp);
    let fail = |e: std::io::Error| Error::os(format!("could not write file \"{}\"", tmp.display()), &e);
    let mut f =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(tmp).map_err(fail)?;
    f.write_all(contents).map_err(fail)?;
    drop(f);
    durable_rename(tmp, path)
}

/// Overwrites a small file in place and syncs it (the control file: one sector, never renamed).
pub fn overwrite_durably(path: &Path, contents: &[u8]) -> Result<()> {
    let fail = |e: std::io::Error| Error::os(format!("could not write file \"{}\"", path.display()), &e);
    let mut f =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(fail)?;
    f.write_all(contents).map_err(fail)?;
    sync_or_panic(&f, &path.to_string_lossy());
    Ok(())
}

/// fsyncs everything below `dir` (initdb, before recovery: what an earlier crash left unsynced in the kernel must not
/// be trusted and lost later). Symbolic links are followed one level (tablespaces).
pub fn sync_tree(dir: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Ok(e) => e,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::os(format!("could not open directory \"{}\"", dir.display()), &e)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match std::fs::metadata(&path) {
            Ok(m) if m.is_dir() => sync_tree(&path)?,
            Ok(m) if m.is_file() => sync_path(&path)?,
            _ => {}
        }
    }
    sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_rename_unlink() {
        let dir = crate::testing::TestDir::new("datadir");
        let p = dir.path().join("x");
        write_file_durably(&p, b"one").unwrap();
        write_file_durably(&p, b"two").unwrap();
        assert_eq!(std::fs::read(&p).unwrap(), b"two");
        overwrite_durably(&p, b"TW").unwrap();
        assert_eq!(std::fs::read(&p).unwrap(), b"TWo");
        durable_rename(&p, &dir.path().join("y")).unwrap();
        durable_unlink(&dir.path().join("y")).unwrap();
        sync_tree(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
