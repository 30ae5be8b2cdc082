//! How a process reads and writes, from its settings.

use common::settings::Settings;
use ipc::BackendKind;
use storage::{Tuning, WalSyncMethod};

/// The part of the settings that storage follows.
pub fn tuning(s: &Settings, kind: BackendKind) -> Tuning {
    let n = |name: &str| s.int(name).max(0) as u32;
    Tuning {
        commit_delay_us: n("commit_delay"),
        commit_siblings: n("commit_siblings"),
        flush_after: match kind {
            BackendKind::Checkpointer => n("checkpoint_flush_after"),
            BackendKind::BackgroundWriter => n("bgwriter_flush_after"),
            _ => n("backend_flush_after"),
        },
        io_concurrency: n("effective_io_concurrency"),
        maintenance_io_concurrency: n("maintenance_io_concurrency"),
        wal_sync_method: WalSyncMethod::by_name(s.text("wal_sync_method")),
        wal_init_zero: s.bool("wal_init_zero"),
        wal_recycle: s.bool("wal_recycle"),
        wal_writer_flush_after: n("wal_writer_flush_after"),
        ignore_checksum_failure: s.bool("ignore_checksum_failure"),
        zero_damaged_pages: s.bool("zero_damaged_pages"),
    }
}
