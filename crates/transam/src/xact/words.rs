//! Words of the transaction state machine.

use common::Result;

/// Outcome of a transaction in the commit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum XidStatus {
    InProgress = 0,
    Committed = 1,
    Aborted = 2,
    /// A committed child of a parent whose own outcome counts.
    SubCommitted = 3,
}

/// Isolation of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum IsolationLevel {
    /// Treated as READ COMMITTED, shown as asked for.
    ReadUncommitted,
    #[default]
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// `synchronous_commit`. Without standbys, `remote_*` mean `on`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncCommit {
    Off,
    Local,
    RemoteWrite,
    #[default]
    On,
    RemoteApply,
}

/// Names one subtransaction within its transaction: 1 is the top level. 0 is the session (locks).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubXactId(pub u32);

impl SubXactId {
    pub const SESSION: SubXactId = SubXactId(0);
    pub const TOP: SubXactId = SubXactId(1);
}

/// Options of BEGIN / START TRANSACTION; `None` is the session's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct XactOptions {
    pub isolation: Option<IsolationLevel>,
    pub read_only: Option<bool>,
    pub deferrable: Option<bool>,
}

/// Moments of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XactEvent {
    /// About to commit: may fail, may run queries' leftovers (close portals, fire nothing more).
    PreCommit,
    /// Committed, locks still held. Cannot fail.
    Commit,
    /// Being aborted, locks still held. Cannot fail.
    Abort,
    /// Locks are released, everything is over.
    Done { committed: bool },
}

/// Moments of a subtransaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubXactEvent {
    Start,
    Commit,
    Abort,
}

/// Whoever keeps private state per transaction. Called in order of registration.
pub trait XactHook {
    /// A transaction reached a moment. An error counts only in `PreCommit`.
    fn xact(&self, engine: &crate::Engine, event: XactEvent) -> Result<()>;
    /// A subtransaction reached a moment.
    fn subxact(&self, _engine: &crate::Engine, _event: SubXactEvent, _id: SubXactId, _parent: SubXactId) {}
}
