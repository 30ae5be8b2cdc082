//! The heap.
pub mod header;
