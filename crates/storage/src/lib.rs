//! Pages, relation files, the buffer pool, the write-ahead log, free-space and visibility maps, checkpoint mechanics.
//! `transam` and `access` build on it; it knows nothing of transactions, tuples or catalogs. One process works through
//! one [`Store`], a cheap clonable handle on the shared structures plus this process's caches.

pub mod buffer;
pub mod config;
pub mod contain;
pub mod critical;
pub mod datadir;
mod file_counts;
pub mod fsm;
mod io_wait;
mod leftovers;
pub mod page;
pub mod redo;
pub mod relfile;
pub mod shared;
pub mod store;
pub mod temp;
#[cfg(test)]
mod testing;
pub mod tuning;
pub mod vm;
pub mod wal;

pub use buffer::write::DELAY_FOR_HINT;
pub use buffer::{PageMut, PageRef, Pinned, ReadMode, Strategy, WARM_MAX};
pub use config::StorageConfig;
pub use critical::{Critical, RecordBuilder};
pub use file_counts::FileCount;
pub use page::{ItemId, LpFlags, PAGE_SIZE, Page};
pub use redo::{RedoAction, RedoPage};
pub use relfile::sync::SyncStats;
pub use relfile::{Fork, RelFileLocator};
pub use shared::{SharedStorage, StorageHandle};
pub use store::{BufferCounters, PoolSummary, Store};
pub use temp::TempFile;
pub use tuning::{Tuning, WalSyncMethod};
pub use wal::{BlockRef, Record, RegFlags, RmgrId, WalReader};
