//! Transactions: ids and their outcome, snapshots, heavyweight locks, invalidation, the control file, checkpoints and
//! recovery. One process sees all of it, and the storage below, through one [`Engine`]; everything above takes `&Engine`.
#![forbid(unsafe_code)]

pub mod checkpoint;
mod cleanup;
mod combocid;
pub mod control;
pub mod database;
pub mod engine;
pub mod files;
pub mod inval;
pub mod lock;
pub mod multixact;
pub mod notify;
pub mod oid;
pub mod parallel;
pub mod procarray;
pub mod recovery;
pub mod shared;
pub mod slru;
mod snapmgr;
pub mod snapshot;
pub mod ssi;
pub mod stats;
pub mod status;
pub mod xact;

pub use checkpoint::CheckpointStats;
pub use control::{CheckPoint, ControlFile, DbState};
pub use engine::{Engine, EngineParts};
pub use inval::{InvalHandler, InvalMsg};
pub use lock::{BriefLock, LockMode, LockOutcome, LockStatus, LockTag, PredicateLock, TagType};
pub use multixact::{Member, MemberStatus};
pub use notify::Notification;
pub use procarray::Horizons;
pub use recovery::{RecoveryReport, RedoCtx, RedoFn, RedoTable};
pub use shared::{TransamConfig, TransamHandle, TransamShared};
pub use snapshot::{DirtyResult, MvccSnapshot, Snapshot};
pub use stats::{
    ArchiverStats, Consistency, DatabaseRows, DatabaseStats, StatKey, StatsView, TableStats, WalStats,
    WriterStats,
};
pub use xact::{
    IsolationLevel, SubXactEvent, SubXactId, SyncCommit, XactEvent, XactHook, XactOptions, XidStatus,
};
