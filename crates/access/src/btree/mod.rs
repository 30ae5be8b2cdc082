//! The btree.
pub mod page;
pub mod tuple;
