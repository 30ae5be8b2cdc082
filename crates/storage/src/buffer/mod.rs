//! The buffer pool: pages of relation files in shared memory, found through a partitioned hash table, pinned while in
//! use, replaced by a clock sweep, written back before their log is forgotten.

pub(crate) mod alloc;
pub(crate) mod desc;
pub(crate) mod discard;
pub(crate) mod guard;
pub(crate) mod local;
pub(crate) mod mapping;
pub(crate) mod pins;
pub(crate) mod read;
pub(crate) mod strategy;
pub(crate) mod warm;
pub(crate) mod write;
pub(crate) mod writeback;

pub use guard::{PageMut, PageRef, Pinned};
pub use read::ReadMode;
pub use strategy::Strategy;
pub use warm::WARM_MAX;

#[cfg(test)]
mod tests;
