//! Temporary files for operators that spill: written and read in sequence through a buffer, counted against
//! `temp_file_limit`, removed when dropped; what a crash leaves is removed at the next start.

use crate::Store;
use crate::datadir;
use common::{Error, Result, bail};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const BUFFER: usize = 64 << 10;

/// A temporary file of this process.
pub struct TempFile {
    store: Store,
    file: File,
    path: PathBuf,
    limit_kb: Option<u64>,
    /// Bytes in the file.
    size: u64,
    /// Position of the buffer's first byte in the file.
    buf_at: u64,
    buf: Vec<u8>,
    /// Position in the buffer.
    at: usize,
    dirty: bool,
}

impl Store {
    /// Opens an empty temporary file `base/pgsql_tmp/pgsql_tmpPID.N`. `limit_kb` is `temp_file_limit`; `None`: no limit.
    pub fn temp_file(&self, limit_kb: Option<u64>) -> Result<TempFile> {
        let n = self.temp_files.get();
        self.temp_files.set(n + 1);
        let dir = self.config().data_dir.join("base/pgsql_tmp");
        let path = dir.join(format!("pgsql_tmp{}.{n}", std::process::id()));
        let open =
            || OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = open().or_else(|e| {
            if e.kind() != std::io::ErrorKind::NotFound {
                return Err(e);
            }
            std::fs::create_dir_all(&dir)?;
            open()
        });
        let file = file
            .map_err(|e| Error::os(format!("could not create temporary file \"{}\"", path.display()), &e))?;
        Ok(TempFile {
            store: self.clone(),
            file,
            path,
            limit_kb,
            size: 0,
            buf_at: 0,
            buf: Vec::new(),
            at: 0,
            dirty: false,
        })
    }
}

impl TempFile {
    /// Appends or overwrites at the position. 53400 beyond the limit.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            if self.at == BUFFER {
                self.next_buffer(false)?;
            }
            let n = bytes.len().min(BUFFER - self.at);
            if self.buf.len() < self.at + n {
                self.buf.resize(self.at + n, 0);
            }
            self.buf[self.at..self.at + n].copy_from_slice(&bytes[..n]);
            self.at += n;
            self.dirty = true;
            bytes = &bytes[n..];
        }
        Ok(())
    }
    /// Reads up to `out.len()` bytes; less only at the end of the file.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < out.len() {
            if self.at == self.buf.len() {
                if self.buf.len() < BUFFER && self.buf_at + self.buf.len() as u64 >= self.size {
                    break;
                }
                self.next_buffer(true)?;
                if self.buf.is_empty() {
                    break;
                }
            }
            let n = (out.len() - done).min(self.buf.len() - self.at);
            out[done..done + n].copy_from_slice(&self.buf[self.at..self.at + n]);
            self.at += n;
            done += n;
        }
        Ok(done)
    }
    /// Reads exactly `out.len()` bytes; `false` at the end of the file, XX000 in the middle.
    pub fn read_exact(&mut self, out: &mut [u8]) -> Result<bool> {
        match self.read(out)? {
            0 if !out.is_empty() => Ok(false),
            n if n == out.len() => Ok(true),
            n => Err(Error::internal(format!(
                "could not read from temporary file: read only {n} of {} bytes",
                out.len()
            ))),
        }
    }
    /// Position of the next read or write.
    pub fn tell(&self) -> u64 {
        self.buf_at + self.at as u64
    }
    /// Goes to a position (at most the file's length).
    pub fn seek(&mut self, pos: u64) -> Result<()> {
        if pos >= self.buf_at && pos <= self.buf_at + self.buf.len() as u64 {
            self.at = (pos - self.buf_at) as usize;
            return Ok(());
        }
        self.flush()?;
        self.buf_at = pos;
        self.buf.clear();
        self.at = 0;
        self.load()
    }
    /// Goes to the start.
    pub fn rewind(&mut self) -> Result<()> {
        self.seek(0)
    }
    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.size.max(self.buf_at + self.buf.len() as u64)
    }
    /// Nothing written?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn next_buffer(&mut self, load: bool) -> Result<()> {
        self.flush()?;
        self.buf_at += self.at as u64;
        self.buf.clear();
        self.at = 0;
        if load { self.load() } else { Ok(()) }
    }
    fn load(&mut self) -> Result<()> {
        let want = self.size.saturating_sub(self.buf_at).min(BUFFER as u64) as usize;
        self.buf.resize(want, 0);
        if want > 0 {
            let read = || self.file.read_exact_at(&mut self.buf, self.buf_at);
            self.store.temp_io(false, want as u64, read).map_err(|e| {
                Error::os(format!("could not read from temporary file \"{}\"", self.path.display()), &e)
            })?;
        }
        Ok(())
    }
    fn flush(&mut self) -> Result<()> {
        if !self.dirty {
            return Ok(());
        }
        let end = self.buf_at + self.buf.len() as u64;
        let grown = end.saturating_sub(self.size);
        let total = self.store.temp_bytes.get() + grown;
        if let Some(limit) = self.limit_kb
            && total > limit * 1024
        {
            bail!(CONFIGURATION_LIMIT_EXCEEDED, "temporary file size exceeds temp_file_limit ({limit}kB)");
        }
        let write = || self.file.write_all_at(&self.buf, self.buf_at);
        self.store.temp_io(true, self.buf.len() as u64, write).map_err(|e| {
            Error::os(format!("could not write to temporary file \"{}\"", self.path.display()), &e)
        })?;
        self.store.temp_bytes.set(total);
        self.size += grown;
        self.dirty = false;
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        self.store.temp_bytes.set(self.store.temp_bytes.get().saturating_sub(self.size));
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes the temporary files of a process that died.
pub fn remove_temp_files_of(data_dir: &Path, pid: i32) -> Result<()> {
    remove_matching(data_dir, &format!("pgsql_tmp{pid}."))
}
/// Removes the temporary files of processes that no longer exist. Only while no backend runs.
pub fn remove_temp_files(data_dir: &Path) -> Result<()> {
    remove_matching(data_dir, "pgsql_tmp")
}
fn remove_matching(data_dir: &Path, prefix: &str) -> Result<()> {
    if let Ok(entries) = std::fs::read_dir(data_dir.join("base/pgsql_tmp")) {
        for e in entries.flatten() {
            if e.file_name().to_string_lossy().starts_with(prefix) {
                datadir::unlink(&e.path())?;
            }
        }
    }
    Ok(())
}
