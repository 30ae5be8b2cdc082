//! The btree: a Lehman-Yao tree with right links and high keys, unique on (key, heap TID).

pub mod build;
pub mod dedup;
pub mod insert;
pub mod key;
pub mod page;
pub mod scan;
pub mod search;
pub mod shared;
pub mod sort;
pub mod split;
pub mod tuple;
pub mod unique;
pub mod vacuum;
pub mod wal;

pub use build::{BtBuild, create_empty, write_init_fork};
pub use insert::insert;
pub use scan::{BtScan, Direction, ScanKey, ScanMark, ScanOp, Strategy};
pub use unique::{Conflict, UniqueCheck, check_conflict, may_conflict};
