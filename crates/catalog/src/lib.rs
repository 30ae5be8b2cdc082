//! System tables and their bootstrap data, relation / type / function descriptors, caches and invalidation,
//! namespaces, dependencies.
#![forbid(unsafe_code)]

pub mod array;
pub mod bootstrap;
pub mod builtins;
pub mod cache;
pub mod columns;
pub mod data;
pub mod depend;
pub mod desc;
pub mod ext_stats;
mod inherits;
pub mod literal;
pub mod rows;
pub mod schema;
pub mod search_path;
pub mod shared_ref;
pub mod stored_tree;
pub mod temp;
pub mod toast;

pub use cache::Catalog;
pub use rows::CatRow;
pub use shared_ref::Ref;
