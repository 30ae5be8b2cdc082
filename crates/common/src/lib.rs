//! What every layer shares: the error type with its SQLSTATEs, and the identifiers.
#![forbid(unsafe_code)]

pub mod encoding;
pub mod error;
pub mod ids;
pub mod settings;
pub mod sqlstate;

pub use encoding::Encoding;
pub use error::{Error, Report, Result, Severity, Source};
pub use ids::{BlockNumber, CommandId, Lsn, MultiXactId, Oid, Tid, Xid};
pub use sqlstate::SqlState;
