//! System tables and their bootstrap data, relation / type / function descriptors, caches and invalidation,
//! namespaces, dependencies.
#![forbid(unsafe_code)]

pub mod builtins;
pub mod cache;
pub mod desc;
pub mod search_path;
