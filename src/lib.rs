//! Stegodon: a PostgreSQL-compatible multi-process database server. This package holds the processes: postmaster,
//! backends with their session loop, auxiliary processes, and `initdb`. Everything else is in `crates/`.
#![forbid(unsafe_code)]

pub mod aux;
pub mod backend;
pub mod config;
pub mod initdb;
pub mod log;
pub mod modules;
pub mod monitoring;
pub mod postmaster;
pub mod server;
pub mod session;
pub mod single;
mod stack;
pub mod tools;
mod tuning;
pub mod worker;

/// `server_version`.
pub const VERSION: &str = "15.18";
