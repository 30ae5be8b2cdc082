//! The write-ahead log: record format, insertion, flushing, segments, reading.

pub mod record;

pub use record::{BlockRef, Record, RegFlags, RmgrId};

use common::{Lsn, Result};
use std::path::Path;

/// Reads records forward from a position until the end of the valid log.
pub struct WalReader {
    record: Record,
}

impl WalReader {
    /// A reader over `DATA/pg_wal` that begins at `start`, the position of a record.
    pub fn new(_data_dir: &Path, _start: Lsn) -> WalReader {
        WalReader { record: Record::default() }
    }
    /// The next record; `None` at the end of the log (a torn or stale tail).
    pub fn next_record(&mut self) -> Result<Option<&Record>> {
        Ok(Some(&self.record))
    }
    /// After `None`: where the next record is to be written.
    pub fn end_lsn(&self) -> Lsn {
        Lsn::INVALID
    }
}
