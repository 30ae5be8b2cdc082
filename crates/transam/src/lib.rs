//! Transactions: ids and their outcome, snapshots, heavyweight locks, invalidation, the control file, checkpoints and
//! recovery. One process sees all of it, and the storage below, through one [`Engine`]; everything above takes `&Engine`.
#![forbid(unsafe_code)]

pub mod engine;
pub mod inval;
pub mod lock;
pub mod multixact;
pub mod skeleton;
pub mod snapshot;
pub mod xact;

pub use engine::Engine;
pub use inval::{InvalHandler, InvalMsg};
pub use lock::{LockMode, LockOutcome, LockTag};
pub use multixact::{Member, MemberStatus};
pub use snapshot::{DirtyResult, MvccSnapshot, Snapshot};
pub use xact::{
    IsolationLevel, SubXactEvent, SubXactId, SyncCommit, XactEvent, XactHook, XactOptions, XidStatus,
};
