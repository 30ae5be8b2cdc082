//! Rows kept for later: [`RowStore`] (memory first, then a file) for Material, CTEs and work tables; [`SpillFile`] for
//! sorts and hash tables that outgrow `work_mem`. Files are unlinked as soon as they are open: nothing is left behind.

use crate::env::ExecEnv;
use crate::expr::colops;
use common::{Error, Result, bail};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use types::column::BATCH_ROWS;
use types::{Batch, Column, ColumnData};

/// No batch is longer, and no file.
const BLOCK_MAX: u64 = 1 << 40;
const FILE_MAX: u64 = 1 << 60;

/// A temporary file of batches.
pub struct SpillFile {
    file: File,
    end: u64,
    buf: Vec<u8>,
    /// Counts of bytes read and written, for EXPLAIN (BUFFERS).
    pub read_bytes: u64,
    path: PathBuf,
    account: Rc<TempAccount>,
}

/// What a session's temporary files may take, and what is told of them.
pub struct TempAccount {
    /// `temp_file_limit`; -1: no limit. Set by the session.
    pub limit_kb: Cell<i64>,
    /// `log_temp_files`; -1: never.
    pub log_min_kb: Cell<i64>,
    used: Cell<u64>,
    /// Files and bytes of the session so far, for the statistics.
    pub files: Cell<u64>,
    pub bytes: Cell<u64>,
    /// Counts, times and shows reads and writes.
    pub store: RefCell<Option<storage::Store>>,
    /// Told of each file at its end: path and size.
    pub log: RefCell<Option<Rc<dyn Fn(&Path, u64)>>>,
}

/// No limit, nothing told.
impl Default for TempAccount {
    fn default() -> TempAccount {
        TempAccount {
            limit_kb: Cell::new(-1),
            log_min_kb: Cell::new(-1),
            used: Cell::default(),
            files: Cell::default(),
            bytes: Cell::default(),
            store: RefCell::default(),
            log: RefCell::default(),
        }
    }
}

impl TempAccount {
    /// A parallel worker begins: files so far are its leader's.
    pub(crate) fn forget(&self) {
        self.files.set(0);
        self.bytes.set(0);
    }
    /// A worker's files go to the statistics of the database.
    pub(crate) fn hand_over(&self, engine: &transam::Engine) {
        engine.count_database(|d| {
            d.temp_files += self.files.get() as i64;
            d.temp_bytes += self.bytes.get() as i64;
        });
    }
    fn grow(&self, bytes: u64) -> Result<()> {
        let used = self.used.get() + bytes;
        if let Ok(limit) = u64::try_from(self.limit_kb.get())
            && used > limit * 1024
        {
            bail!(CONFIGURATION_LIMIT_EXCEEDED, "temporary file size exceeds temp_file_limit ({limit}kB)");
        }
        self.used.set(used);
        Ok(())
    }
    fn end(&self, path: &Path, bytes: u64) {
        self.used.set(self.used.get().saturating_sub(bytes));
        self.files.set(self.files.get() + 1);
        self.bytes.set(self.bytes.get() + bytes);
        let min = self.log_min_kb.get();
        if min >= 0 && bytes >= min as u64 * 1024 {
            let log = self.log.borrow().clone();
            if let Some(log) = log {
                log(path, bytes);
            }
        }
    }
}

fn io(e: &std::io::Error) -> Error {
    Error::os("could not access temporary file", e)
}

impl SpillFile {
    /// Creates a file in the session's directory of temporary files and unlinks it.
    pub fn create(env: &ExecEnv) -> Result<SpillFile> {
        let n = env.temp_counter.get();
        env.temp_counter.set(n + 1);
        let dir = env.temp_dir.borrow().clone();
        std::fs::create_dir_all(&dir).map_err(|e| io(&e))?;
        let path = dir.join(format!("pgsql_tmp{}.{n}", std::process::id()));
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(|e| {
                Error::os(format!("could not create temporary file \"{}\"", path.display()), &e)
            })?;
        std::fs::remove_file(&path).map_err(|e| io(&e))?;
        let account = env.temp.clone();
        Ok(SpillFile { file, end: 0, buf: Vec::new(), read_bytes: 0, path, account })
    }
    /// Shown as a wait, timed and counted.
    fn io<R>(&self, write: bool, bytes: u64, f: impl FnOnce() -> R) -> R {
        match &*self.account.store.borrow() {
            Some(s) => s.temp_io(write, bytes, f),
            None => f(),
        }
    }
    /// Bytes written.
    pub fn len(&self) -> u64 {
        self.end
    }
    /// Was nothing written?
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }
    /// Appends a batch's live rows; returns where it begins.
    pub fn write(&mut self, b: &Batch) -> Result<u64> {
        self.buf.clear();
        encode_live(b, &mut self.buf);
        self.append()
    }
    /// Appends a batch's live rows behind a number, for [`SpillFile::read_linked`]; returns where it begins.
    pub fn write_linked(&mut self, link: u64, b: &Batch) -> Result<u64> {
        self.buf.clear();
        self.buf.extend_from_slice(&link.to_le_bytes());
        encode_live(b, &mut self.buf);
        self.append()
    }
    fn append(&mut self) -> Result<u64> {
        let at = self.end;
        let len = self.buf.len() as u64;
        self.account.grow(8 + len)?;
        let write = || {
            self.file.write_all_at(&len.to_le_bytes(), at)?;
            self.file.write_all_at(&self.buf, at + 8)
        };
        self.io(true, len, write).map_err(|e| io(&e))?;
        self.end = at + 8 + len;
        Ok(at)
    }
    /// Reads the batch at `at` into `out` (columns of the right kinds); returns where the next one begins.
    pub fn read(&mut self, at: u64, out: &mut Batch) -> Result<u64> {
        let len = self.load(at, self.end)?;
        decode(&self.buf, out)?;
        Ok(at + 8 + len)
    }
    /// Reads the batch at `at`, which another process that shares the file may have written; returns its number.
    pub fn read_linked(&mut self, at: u64, out: &mut Batch) -> Result<u64> {
        self.load(at, FILE_MAX)?;
        let Some((link, rows)) = self.buf.split_first_chunk::<8>() else {
            return Err(Error::corrupted("temporary file is damaged"));
        };
        decode(rows, out)?;
        Ok(u64::from_le_bytes(*link))
    }
    /// Gets the bytes of the batch at `at`, which ends before `end`; returns their number.
    fn load(&mut self, at: u64, end: u64) -> Result<u64> {
        let mut len = [0; 8];
        self.file.read_exact_at(&mut len, at).map_err(|e| io(&e))?;
        let len = u64::from_le_bytes(len);
        if len > BLOCK_MAX || at + 8 + len > end {
            return Err(Error::corrupted("temporary file is damaged"));
        }
        let mut buf = std::mem::take(&mut self.buf);
        buf.resize(len as usize, 0);
        let read = self.io(false, len, || self.file.read_exact_at(&mut buf, at + 8));
        self.buf = buf;
        read.map_err(|e| io(&e))?;
        self.read_bytes += len;
        Ok(len)
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        // One that nothing was written to was never there.
        if self.end > 0 {
            self.account.end(&self.path, self.end);
        }
    }
}

/// Appends a batch's live rows in the form [`decode`] reads.
pub(crate) fn encode_live(b: &Batch, out: &mut Vec<u8>) {
    if b.sel.is_some() {
        let mut dense = colops::like(b);
        colops::append_batch(&mut dense, b);
        encode(&dense, out);
    } else {
        encode(b, out);
    }
}

fn encode(b: &Batch, out: &mut Vec<u8>) {
    out.extend_from_slice(&(b.rows as u32).to_le_bytes());
    for c in &b.cols {
        let words = c.nulls.words();
        out.extend_from_slice(&(words.len() as u32).to_le_bytes());
        for w in words {
            out.extend_from_slice(&w.to_le_bytes());
        }
        match &c.data {
            ColumnData::Bool(v) => out.extend(v.iter().map(|x| *x as u8)),
            ColumnData::I8(v) => out.extend(v.iter().map(|x| *x as u8)),
            ColumnData::I16(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::I32(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::U32(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::I64(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::F32(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::F64(v) => v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes())),
            ColumnData::Fixed16(v) => v.iter().for_each(|x| out.extend_from_slice(x)),
            ColumnData::Bytes(v) => {
                for i in 0..b.rows {
                    let s = v.get(i);
                    out.extend_from_slice(&(s.len() as u32).to_le_bytes());
                    out.extend_from_slice(s);
                }
            }
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            return Err(Error::corrupted("temporary file is damaged"));
        }
        let (a, b) = self.0.split_at(n);
        self.0 = b;
        Ok(a)
    }
    fn u32(&mut self) -> Result<u32> {
        let mut b = [0; 4];
        b.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(b))
    }
}

macro_rules! read_fixed {
    ($cur:expr, $v:expr, $rows:expr, $t:ty, $n:literal) => {{
        let raw = $cur.take($rows * $n)?;
        $v.extend(raw.chunks_exact($n).map(|c| {
            let mut b = [0u8; $n];
            b.copy_from_slice(c);
            <$t>::from_le_bytes(b)
        }));
    }};
}

/// Rows into `out`, which has columns of their kinds.
pub(crate) fn decode(raw: &[u8], out: &mut Batch) -> Result<()> {
    out.clear();
    let mut cur = Cursor(raw);
    let rows = cur.u32()? as usize;
    for c in &mut out.cols {
        let words = cur.u32()? as usize;
        for w in 0..words {
            let mut b = [0; 8];
            b.copy_from_slice(cur.take(8)?);
            let mut bits = u64::from_le_bytes(b);
            while bits != 0 {
                c.nulls.set(w * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
        match &mut c.data {
            ColumnData::Bool(v) => v.extend(cur.take(rows)?.iter().map(|x| *x != 0)),
            ColumnData::I8(v) => v.extend(cur.take(rows)?.iter().map(|x| *x as i8)),
            ColumnData::I16(v) => read_fixed!(cur, v, rows, i16, 2),
            ColumnData::I32(v) => read_fixed!(cur, v, rows, i32, 4),
            ColumnData::U32(v) => read_fixed!(cur, v, rows, u32, 4),
            ColumnData::I64(v) => read_fixed!(cur, v, rows, i64, 8),
            ColumnData::F32(v) => read_fixed!(cur, v, rows, f32, 4),
            ColumnData::F64(v) => read_fixed!(cur, v, rows, f64, 8),
            ColumnData::Fixed16(v) => {
                for c in cur.take(rows * 16)?.chunks_exact(16) {
                    let mut b = [0; 16];
                    b.copy_from_slice(c);
                    v.push(b);
                }
            }
            ColumnData::Bytes(v) => {
                for _ in 0..rows {
                    let n = cur.u32()? as usize;
                    v.push(cur.take(n)?);
                }
            }
        }
    }
    out.rows = rows;
    Ok(())
}

/// Rows in arrival order, in chunks of at most [`BATCH_ROWS`]. Chunks past the memory limit live in a file.
#[derive(Default)]
pub struct RowStore {
    mem: Vec<Batch>,
    disk: Vec<u64>,
    file: std::cell::RefCell<Option<SpillFile>>,
    tail: Batch,
    bytes: usize,
    rows: Cell<u64>,
}

impl RowStore {
    /// Appends a batch's live rows.
    pub fn append(&mut self, env: &ExecEnv, b: &Batch) -> Result<()> {
        if self.tail.cols.len() != b.cols.len() {
            self.tail = colops::like(b);
        }
        self.rows.set(self.rows.get() + b.live_count() as u64);
        colops::append_batch(&mut self.tail, b);
        if self.tail.rows >= BATCH_ROWS / 2 {
            self.flush(env)?;
        }
        Ok(())
    }
    /// Closes the last chunk, so that [`RowStore::chunk`] sees it.
    pub fn flush(&mut self, env: &ExecEnv) -> Result<()> {
        if self.tail.rows == 0 {
            return Ok(());
        }
        let empty = colops::like(&self.tail);
        let b = std::mem::replace(&mut self.tail, empty);
        let size = colops::memory(&b);
        if self.disk.is_empty() && self.bytes + size <= env.work_mem.get() {
            self.bytes += size;
            self.mem.push(b);
            return Ok(());
        }
        let mut file = self.file.borrow_mut();
        if file.is_none() {
            *file = Some(SpillFile::create(env)?);
        }
        if let Some(f) = file.as_mut() {
            self.disk.push(f.write(&b)?);
        }
        Ok(())
    }
    /// Number of closed chunks.
    pub fn chunks(&self) -> usize {
        self.mem.len() + self.disk.len()
    }
    /// Rows stored.
    pub fn rows(&self) -> u64 {
        self.rows.get()
    }
    /// Chunk `i` (closed) into `out`.
    pub fn chunk(&self, i: usize, out: &mut Batch) -> Result<()> {
        if let Some(b) = self.mem.get(i) {
            colops::copy_batch(out, b);
            return Ok(());
        }
        if out.cols.len() != self.tail.cols.len() {
            *out = colops::like(&self.tail);
        }
        match (self.file.borrow_mut().as_mut(), self.disk.get(i - self.mem.len())) {
            (Some(f), Some(&at)) => f.read(at, out).map(|_| ()),
            _ => Err(Error::internal("executor: row store chunk out of range")),
        }
    }
    /// Drops all rows.
    pub fn clear(&mut self) {
        *self = RowStore::default();
    }
}

/// An empty batch with columns of these kinds.
pub fn batch_of(phys: &[types::Phys]) -> Batch {
    Batch { cols: phys.iter().map(|p| Column::new(*p)).collect(), rows: 0, sel: None }
}
