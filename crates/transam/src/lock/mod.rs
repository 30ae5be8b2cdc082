//! Heavyweight locks: on relations, rows, transactions and everything else a statement may have to wait for.

pub mod acquire;
pub mod deadlock;
pub(crate) mod fastpath;
pub mod local;
pub mod mode;
pub mod table;
pub mod tag;
mod waits;

pub use acquire::{LockStatus, PredicateLock};
pub use mode::{LockMode, conflicts};
pub use tag::{LockTag, TagType};
pub use waits::BriefLock;

/// What an acquisition came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutcome {
    /// Got it, first hold of this process.
    Acquired,
    /// This process had it already; one more count.
    AlreadyHeld,
    /// Not to be had at once (only with `dont_wait`).
    NotAvailable,
}
