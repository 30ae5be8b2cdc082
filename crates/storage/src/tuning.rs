//! Settings that say how a process reads, writes and syncs. Unlike those of [`crate::StorageConfig`] they may change while
//! it runs: whoever owns the settings of a process hands them in again after every change.

/// How written log is made durable (`wal_sync_method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WalSyncMethod {
    #[default]
    Fdatasync,
    Fsync,
    /// Every write is durable (`O_DSYNC`).
    OpenDatasync,
    /// The same with the file's metadata (`O_SYNC`).
    OpenSync,
}

impl WalSyncMethod {
    /// By the setting's value.
    pub fn by_name(name: &str) -> WalSyncMethod {
        match name {
            "fsync" => WalSyncMethod::Fsync,
            "open_datasync" => WalSyncMethod::OpenDatasync,
            "open_sync" => WalSyncMethod::OpenSync,
            _ => WalSyncMethod::Fdatasync,
        }
    }
    /// Flags for opening a segment.
    pub(crate) fn open_flags(self) -> i32 {
        match self {
            WalSyncMethod::Fdatasync | WalSyncMethod::Fsync => 0,
            WalSyncMethod::OpenDatasync => libc::O_DSYNC,
            WalSyncMethod::OpenSync => libc::O_SYNC,
        }
    }
    /// Are writes durable without a sync?
    pub(crate) fn is_open(self) -> bool {
        self.open_flags() != 0
    }
}

/// The settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// `commit_delay`, microseconds: the leader of a flush waits so long for others to join.
    pub commit_delay_us: u32,
    /// `commit_siblings`: … if so many other transactions run.
    pub commit_siblings: u32,
    /// `backend_flush_after`, `bgwriter_flush_after` or `checkpoint_flush_after`, in blocks: the kernel is asked to write
    /// back what was written after so many; 0: it is left alone.
    pub flush_after: u32,
    /// `effective_io_concurrency`: blocks announced ahead of a bitmap scan.
    pub io_concurrency: u32,
    /// `maintenance_io_concurrency`: the same for ANALYZE.
    pub maintenance_io_concurrency: u32,
    /// `wal_sync_method`.
    pub wal_sync_method: WalSyncMethod,
    /// `wal_init_zero`: a fresh segment is written in full, not only lengthened.
    pub wal_init_zero: bool,
    /// `wal_recycle`: old segments are renamed for future use.
    pub wal_recycle: bool,
    /// `wal_writer_flush_after`, in blocks: so much log of asynchronous commits wakes the walwriter.
    pub wal_writer_flush_after: u32,
    /// `ignore_checksum_failure`: a page with a wrong checksum is used if its header makes sense.
    pub ignore_checksum_failure: bool,
    /// `zero_damaged_pages`: a page that cannot be used is taken for an empty one.
    pub zero_damaged_pages: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            commit_delay_us: 0,
            commit_siblings: 5,
            flush_after: 0,
            io_concurrency: 1,
            maintenance_io_concurrency: 10,
            wal_sync_method: WalSyncMethod::Fdatasync,
            wal_init_zero: true,
            wal_recycle: true,
            wal_writer_flush_after: 128,
            ignore_checksum_failure: false,
            zero_damaged_pages: false,
        }
    }
}
