//! What tests need of a server: clusters of Stegodon and of a real PostgreSQL 15 in temporary directories, and the real
//! `psql` to talk to them. Every cluster is stopped and removed when its handle is dropped.
#![forbid(unsafe_code)]

pub mod cluster;
pub mod process;
pub mod psql;
pub mod random;
pub mod wire;

pub use cluster::{Cluster, Kind, Options};
pub use process::{is_alive, kill9, wait_for};
pub use random::Random;
pub use wire::{Fields, Reply, Wire};
