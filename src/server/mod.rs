//! What every process of the server is made of: the shared segment with its parts, and one process's way into it.

pub mod redo;
pub mod registry;
pub mod shmem;

pub use shmem::{Shared, SharedConfig};
