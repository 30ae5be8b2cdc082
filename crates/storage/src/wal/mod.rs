//! The write-ahead log: record format, insertion, flushing, segments, reading. It lies below the buffer pool, which
//! asks for `flush_wal(lsn)` before it writes a page; the log never calls the pool.

pub(crate) mod flush;
pub(crate) mod insert;
pub(crate) mod position;
pub mod reader;
pub mod record;
pub mod segment;
pub(crate) mod state;

pub use reader::WalReader;
pub use record::{BlockRef, Record, RegFlags, RmgrId};

#[cfg(test)]
mod tests;
