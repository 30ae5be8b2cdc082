//! Vacuum.
pub mod dead_tids;
