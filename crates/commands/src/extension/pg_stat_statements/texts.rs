//! The statements' texts: a file that is appended to, places in it reserved by an atomic add. It is of no use to another
//! run of the server.

use common::{Error, Result};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The file, in the data directory, which is every process's working directory.
const PATH: &str = "pg_stat_tmp/pgss_query_texts.stat";

fn failed(what: &str, e: &std::io::Error) -> Error {
    Error::os(format!("could not {what} file \"{PATH}\""), e)
}

/// Writes a text at its place.
pub fn write(at: u64, text: &str) -> Result<()> {
    let f = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(PATH)
        .map_err(|e| failed("open", &e))?;
    f.write_all_at(text.as_bytes(), at).map_err(|e| failed("write", &e))
}

/// All of the file; empty if it cannot be read.
pub fn read() -> Vec<u8> {
    std::fs::read(PATH).unwrap_or_default()
}

/// Replaces the file.
pub fn replace(all: &[u8]) -> Result<()> {
    // A reader may have the old one open: it keeps what it reads.
    let _ = std::fs::remove_file(PATH);
    let f = File::create(PATH).map_err(|e| failed("create", &e))?;
    f.write_all_at(all, 0).map_err(|e| failed("write", &e))
}

/// Removes it.
pub fn remove(data_dir: &Path) {
    let _ = std::fs::remove_file(data_dir.join(PATH));
}

/// A text in the file's content.
pub fn slice(all: &[u8], at: u64, len: u64) -> Option<String> {
    let at = usize::try_from(at).ok()?;
    let b = all.get(at..at.checked_add(usize::try_from(len).ok()?)?)?;
    std::str::from_utf8(b).ok().map(str::to_string)
}
