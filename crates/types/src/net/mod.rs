//! Network addresses: inet and cidr (`inet`), hardware addresses (`mac`).

mod inet;
mod mac;
pub mod table;

pub use inet::host as inet_host;
