//! Pages, relation files, the buffer pool, the write-ahead log, free-space and visibility maps, checkpoint mechanics.
//! `transam` and `access` build on it; it knows nothing of transactions, tuples or catalogs. One process works through
//! one [`Store`], a cheap clonable handle on the shared structures plus this process's caches.

pub mod fsm;
pub mod page;
pub mod relfile;
pub mod skeleton;
pub mod vm;
pub mod wal;

pub use page::{ItemId, LpFlags, PAGE_SIZE, Page};
pub use relfile::{Fork, RelFileLocator};
pub use skeleton::*;
pub use wal::{BlockRef, Record, RegFlags, RmgrId, WalReader};
