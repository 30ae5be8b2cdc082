//! The settings storage works with, resolved from configuration and control file by the postmaster before it makes
//! shared memory.

use std::path::PathBuf;

/// Sizes and switches. Fixed for the life of the shared memory unless a method of the store changes them.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Absolute path of the data directory.
    pub data_dir: PathBuf,
    /// Blocks in the buffer pool (`shared_buffers`); at least 16.
    pub shared_buffers: usize,
    /// Blocks of WAL buffers (`wal_buffers`); `None`: 1/32 of the pool, between 64 kB and 16 MB.
    pub wal_buffers: Option<usize>,
    /// Page checksums (from the control file).
    pub data_checksums: bool,
    /// `full_page_writes`.
    pub full_page_writes: bool,
    /// `wal_compression`: LZ4 for full-page images.
    pub wal_compression: bool,
    /// `archive_mode`: finished segments are marked for the archiver and kept until it has them.
    pub archiving: bool,
    /// `fsync`. Off only for throw-away clusters.
    pub fsync: bool,
    /// Identifies the cluster; written into every WAL segment.
    pub system_identifier: u64,
    /// Timeline of the log.
    pub timeline: u32,
    /// Relation files one process keeps open.
    pub max_open_files: usize,
}

impl StorageConfig {
    /// Defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> StorageConfig {
        StorageConfig {
            data_dir: data_dir.into(),
            shared_buffers: 16384,
            wal_buffers: None,
            data_checksums: true,
            full_page_writes: true,
            wal_compression: false,
            archiving: false,
            fsync: true,
            system_identifier: 0,
            timeline: 1,
            max_open_files: 512,
        }
    }
    /// Blocks in the pool.
    pub fn pool_blocks(&self) -> usize {
        self.shared_buffers.clamp(16, 1 << 30)
    }
    /// Pages in the ring of WAL buffers.
    pub fn wal_ring_pages(&self) -> usize {
        self.wal_buffers.unwrap_or((self.pool_blocks() / 32).min(2048)).clamp(8, 1 << 18)
    }
}
