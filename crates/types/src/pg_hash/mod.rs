//! PostgreSQL's hash functions as SQL sees them: `hashtext`, `hashint8extended` … give the numbers PostgreSQL gives. Joins and
//! aggregates hash with something faster ([`crate::hash`]). The mixing is Bob Jenkins' lookup3 (public domain).

mod jenkins;
mod table;
mod value;

pub use jenkins::{hash_bytes, hash_word};
pub use table::{EXTENDED, kernel};
pub use value::{by_type, rows};
