//! Reads records forward from a position until the end of the valid log. Used by recovery and by tools; every length
//! is checked against the CRC before anything is believed, and nothing is allocated beyond what the files hold.

use super::position::{SEGMENT_HEADER, SEGMENT_SIZE, align, end_lsn, segment_of, start_lsn, usable};
use super::record::{RECORD_HEADER, RECORD_MAX, Record, peek_header};
use super::segment;
use crate::datadir;
use common::{Lsn, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const CHUNK: u64 = 128 << 10;

/// The reader.
pub struct WalReader {
    data_dir: PathBuf,
    timeline: u32,
    system: u64,
    /// Sync each segment when it is opened: what recovery builds on must not be lost by a second crash.
    sync: bool,
    /// Usable position of the next record.
    pos: u64,
    file: Option<(u64, File)>,
    chunk: Vec<u8>,
    chunk_at: u64,
    record: Record,
}

impl WalReader {
    /// A reader over `DATA/pg_wal` that begins at `start`, the position of a record. `system` 0 accepts the log of any
    /// cluster.
    pub fn new(data_dir: &Path, timeline: u32, system: u64, start: Lsn) -> WalReader {
        WalReader {
            data_dir: data_dir.to_path_buf(),
            timeline,
            system,
            sync: false,
            pos: usable(start),
            file: None,
            chunk: Vec::new(),
            chunk_at: 0,
            record: Record::default(),
        }
    }
    /// For recovery: makes every segment durable before its records are used.
    pub fn syncing(mut self) -> WalReader {
        self.sync = true;
        self
    }
    /// The next record; `None` at the end of the log (a torn or stale tail).
    pub fn next_record(&mut self) -> Result<Option<&Record>> {
        let start = start_lsn(self.pos);
        let mut header = [0; RECORD_HEADER];
        if !self.read_at(self.pos, &mut header)? {
            return Ok(None);
        }
        let (len, _) = peek_header(&header);
        if !(RECORD_HEADER..=RECORD_MAX).contains(&len) {
            return Ok(None);
        }
        let mut buf = std::mem::take(self.record.buffer());
        buf.clear();
        let complete = self.read_grow(len, &mut buf)?;
        *self.record.buffer() = buf;
        if !complete || !self.record.crc_ok(start) {
            return Ok(None);
        }
        let next = self.pos + align(len as u64);
        self.record.decode(start, end_lsn(next))?;
        self.pos = next;
        Ok(Some(&self.record))
    }
    /// The record [`WalReader::next_record`] returned last.
    pub fn current(&self) -> &Record {
        &self.record
    }
    /// Where the next record is, or after `None`: where one is to be written.
    pub fn end_lsn(&self) -> Lsn {
        end_lsn(self.pos)
    }
    /// Goes to another record.
    pub fn seek(&mut self, start: Lsn) {
        self.pos = usable(start);
    }
    /// Forgets what was read ahead: the log may have grown.
    pub fn refresh(&mut self) {
        self.chunk.clear();
    }

    fn read_grow(&mut self, len: usize, buf: &mut Vec<u8>) -> Result<bool> {
        while buf.len() < len {
            let n = (len - buf.len()).min(1 << 20);
            let at = buf.len();
            buf.resize(at + n, 0);
            let (_, tail) = buf.split_at_mut(at);
            if !self.read_at(self.pos + at as u64, tail)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// Reads record bytes at a usable position; false when the log ends before.
    fn read_at(&mut self, pos: u64, out: &mut [u8]) -> Result<bool> {
        let mut done = 0;
        while done < out.len() {
            let lsn = start_lsn(pos + done as u64).0;
            if !self.load(lsn)? {
                return Ok(false);
            }
            let off = (lsn - self.chunk_at) as usize;
            let n = (self.chunk.len() - off).min(out.len() - done);
            out[done..done + n].copy_from_slice(&self.chunk[off..off + n]);
            done += n;
        }
        Ok(true)
    }
    /// Makes the chunk contain the byte at `lsn`. Chunks do not cross segments.
    fn load(&mut self, lsn: u64) -> Result<bool> {
        if lsn >= self.chunk_at && lsn < self.chunk_at + self.chunk.len() as u64 {
            return Ok(true);
        }
        let segno = segment_of(Lsn(lsn));
        if self.file.as_ref().is_none_or(|(s, _)| *s != segno) && !self.open(segno)? {
            return Ok(false);
        }
        let Some((_, file)) = &self.file else { return Ok(false) };
        self.chunk_at = lsn / CHUNK * CHUNK;
        self.chunk.resize(CHUNK as usize, 0);
        let mut n = 0;
        while n < self.chunk.len() {
            match file.read_at(&mut self.chunk[n..], self.chunk_at % SEGMENT_SIZE + n as u64) {
                Ok(0) => break,
                Ok(k) => n += k,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.chunk.clear();
                    let name = segment::segment_name(self.timeline, segno);
                    return Err(common::Error::os(format!("could not read from log segment {name}"), &e));
                }
            }
        }
        self.chunk.truncate(n);
        Ok(lsn < self.chunk_at + n as u64)
    }
    fn open(&mut self, segno: u64) -> Result<bool> {
        self.file = None;
        self.chunk.clear();
        let Some(f) = segment::open_segment(&self.data_dir, self.timeline, segno, 0)? else {
            return Ok(false);
        };
        let mut h = [0; SEGMENT_HEADER as usize];
        if f.read_exact_at(&mut h, 0).is_err() || !segment::header_ok(&h, self.timeline, self.system, segno) {
            return Ok(false);
        }
        if self.sync {
            datadir::sync_or_panic(&f, &segment::segment_name(self.timeline, segno));
        }
        self.file = Some((segno, f));
        Ok(true)
    }
}
