//! Table and index access methods: heap (HOT, pruning, TOAST, vacuum) and btree, with their redo. The executor and the
//! commands call it with relation descriptors built by the catalog; it works on pages through `storage` and asks
//! `transam` who may see what. See the README for the invariants and the lock order.
#![forbid(unsafe_code)]

pub mod bitmap;
pub mod btree;
pub mod heap;
pub mod rel;
pub mod txn;
pub mod vacuum;
pub mod verify;

pub use bitmap::{BitmapIter, BitmapPage, TidBitmap};
pub use btree::{BtBuild, BtScan, Conflict, Direction, ScanKey, ScanOp, Strategy, UniqueCheck};
pub use heap::{
    BitmapHeapScan, BulkInsert, FetchStatus, HeapScan, IndexFetch, InsertOptions, LockWait, RowLock,
    ScanOptions, ScanSpec, SysCol, TmResult, UpdateOptions, UpdateResult,
};
pub use rel::{FastCmp, IndexRel, KeyColumn, KeyFormatter, Persistence, Rel, ToastRel, VacuumOptions};
pub use storage::WARM_MAX;
pub use vacuum::{
    PageCosts, Progress as VacuumProgress, Sample, VacuumParams, VacuumStats, sample_rows, vacuum_heap,
};

/// Registers the redo handlers of this crate with recovery.
pub fn register_redo(table: &mut transam::RedoTable) {
    use storage::RmgrId;
    table.register(RmgrId::HEAP, "Heap", |cx, r| heap::redo::redo_heap(cx.engine.store(), r));
    table.register(RmgrId::HEAP2, "Heap2", |cx, r| heap::redo::redo_heap2(cx.engine.store(), r));
    table.register(RmgrId::BTREE, "Btree", |cx, r| btree::wal::redo(cx.engine.store(), r));
}
