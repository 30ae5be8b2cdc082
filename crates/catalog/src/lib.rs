//! System tables and their bootstrap data, relation / type / function descriptors, caches and invalidation,
//! namespaces, dependencies.
#![forbid(unsafe_code)]

mod access_stub;
pub mod builtins;
pub mod cache;
pub mod desc;
pub mod search_path;
pub mod shared_ref;

pub use cache::Catalog;
pub use shared_ref::Ref;
