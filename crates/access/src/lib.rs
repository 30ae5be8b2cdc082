//! Table and index access methods: heap (HOT, pruning, TOAST, vacuum) and btree, with their redo. The executor and the
//! commands call it with relation descriptors built by the catalog; it works on pages through `storage` and asks
//! `transam` who may see what. See the README for the invariants and the lock order.
#![forbid(unsafe_code)]

pub mod bitmap;
pub mod btree;
pub mod heap;
pub mod rel;
pub mod vacuum;

pub use bitmap::{BitmapIter, BitmapPage, TidBitmap};
pub use rel::{FastCmp, IndexRel, KeyColumn, KeyFormatter, Persistence, Rel, ToastRel, VacuumOptions};
