//! Small types: boolean, the identifier types (oid, xid, cid, tid, xid8, pg_lsn), uuid, and the pseudo-types that have
//! text forms (cstring, void, unknown).

mod any;
mod boolean;
mod ident;
pub mod table;
mod uuid;

pub use boolean::parse_bool;
pub use ident::{parse_oid, u32_cmp};
