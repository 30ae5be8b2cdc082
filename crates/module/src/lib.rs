//! The border between the server and libraries that it loads: a table of C functions with a version, safe wrappers for
//! the library's side ([`guest`]) and for the server's ([`host`]), and the loader. See the README for the rules.

pub mod abi;
pub mod guest;
pub mod host;
pub mod loader;

pub use guest::{Archive, Server, SqlError, Worker};
