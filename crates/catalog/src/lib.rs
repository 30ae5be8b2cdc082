//! System tables and their bootstrap data, relation / type / function descriptors, caches and invalidation,
//! namespaces, dependencies.
#![forbid(unsafe_code)]

pub mod builtins;
pub mod cache;
pub mod columns;
pub mod data;
pub mod desc;
pub mod literal;
pub mod schema;
pub mod search_path;
pub mod shared_ref;

pub use cache::Catalog;
pub use shared_ref::Ref;
