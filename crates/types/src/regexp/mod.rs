//! POSIX regular expressions (PostgreSQL's "advanced" flavour) on top of the `regex` crate. The pattern is translated;
//! back-references and look-around have no linear-time form and are refused. One difference remains: among
//! alternatives the first that matches wins, not the longest.

mod funcs;
mod similar;
pub mod table;
mod translate;

pub use translate::{Flags, compile};
