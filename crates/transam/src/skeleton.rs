//! Signatures of the engine's methods.

use crate::{
    Engine, InvalHandler, InvalMsg, IsolationLevel, LockMode, LockOutcome, LockTag, Member, MemberStatus,
    MvccSnapshot, SubXactId, SyncCommit, XactHook, XactOptions, XidStatus,
};
use common::{BlockNumber, CommandId, Lsn, MultiXactId, Oid, Report, Result, Tid, Xid};
use std::rc::Rc;
use storage::{Fork, RelFileLocator};

fn later() -> ! {
    panic!("transam: not there yet")
}

/// Transaction ids and their outcome.
impl Engine {
    /// The current (sub)transaction's id, assigned now if it has none.
    pub fn current_xid(&self) -> Result<Xid> {
        later()
    }
    /// The current (sub)transaction's id, if it has one.
    pub fn current_xid_if_any(&self) -> Option<Xid> {
        later()
    }
    /// The top-level transaction's id, assigned now if it has none.
    pub fn top_xid(&self) -> Result<Xid> {
        later()
    }
    /// The top-level transaction's id, if it has one.
    pub fn top_xid_if_any(&self) -> Option<Xid> {
        later()
    }
    /// Is it this transaction, or one of its live or committed subtransactions?
    pub fn is_current_xid(&self, _xid: Xid) -> bool {
        later()
    }
    /// Is it running, anywhere? Check this before the outcome: a crashed one is neither running nor in the log.
    pub fn xid_is_in_progress(&self, _xid: Xid) -> bool {
        later()
    }
    /// Did it commit, its parents included?
    pub fn xid_did_commit(&self, _xid: Xid) -> Result<bool> {
        later()
    }
    /// Did it abort explicitly (a crashed one is "not in progress and not committed")?
    pub fn xid_did_abort(&self, _xid: Xid) -> Result<bool> {
        later()
    }
    /// What the log says, and up to where the log must be durable before a hint bit "committed" may reach disk.
    pub fn xid_status(&self, _xid: Xid) -> Result<(XidStatus, Lsn)> {
        later()
    }
    /// May a "committed" hint for `xid` be set on a page with this LSN? (False: an asynchronous commit is not durable.)
    pub fn may_set_committed_hint(&self, _xid: Xid, _page_lsn: Lsn) -> bool {
        later()
    }
    /// Running by this snapshot (pg_subtrans included)? The own transaction counts as running: test it before.
    pub fn xid_in_snapshot(&self, _xid: Xid, _snap: &MvccSnapshot) -> Result<bool> {
        later()
    }
    /// Top-level parent of a subtransaction (itself if it is one).
    pub fn top_parent_xid(&self, _xid: Xid) -> Result<Xid> {
        later()
    }
    /// The id that will be assigned next.
    pub fn next_xid(&self) -> Xid {
        later()
    }
}

/// Commands.
impl Engine {
    /// Number of the running command, to be stored in tuples. Marks it used.
    pub fn current_command_id(&self, _used: bool) -> CommandId {
        later()
    }
    /// Makes what was done so far visible to what follows; processes own invalidations.
    pub fn command_counter_increment(&self) -> Result<()> {
        later()
    }
    /// The combined number for a version inserted (`cmin`) and deleted (`cmax`) in this transaction.
    pub fn combo_cid(&self, _cmin: CommandId, _cmax: CommandId) -> CommandId {
        later()
    }
    /// Inserting command of a combined number.
    pub fn combo_cmin(&self, _combo: CommandId) -> CommandId {
        later()
    }
    /// Deleting command of a combined number.
    pub fn combo_cmax(&self, _combo: CommandId) -> CommandId {
        later()
    }
}

/// Snapshots.
impl Engine {
    /// The snapshot for a new statement: fresh in READ COMMITTED, the transaction's otherwise.
    pub fn transaction_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        later()
    }
    /// A fresh snapshot in any isolation level.
    pub fn latest_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        later()
    }
    /// A fresh snapshot for catalog scans.
    pub fn catalog_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        later()
    }
    /// Makes a snapshot the active one (with the current command id).
    pub fn push_active_snapshot(&self, _s: Rc<MvccSnapshot>) {
        later()
    }
    /// Takes the active one off.
    pub fn pop_active_snapshot(&self) {
        later()
    }
    /// The active one.
    pub fn active_snapshot(&self) -> Option<Rc<MvccSnapshot>> {
        later()
    }
    /// Lets the active snapshot see the commands up to the present one.
    pub fn update_active_snapshot_command_id(&self) {
        later()
    }
    /// Keeps a snapshot's rows from being vacuumed until `unregister_snapshot`.
    pub fn register_snapshot(&self, _s: &Rc<MvccSnapshot>) {
        later()
    }
    /// Ends `register_snapshot`.
    pub fn unregister_snapshot(&self, _s: &Rc<MvccSnapshot>) {
        later()
    }
    /// Versions deleted by ids below this are dead to everyone who may look at the relation.
    pub fn oldest_xmin(&self, _shared: bool, _catalog: bool) -> Xid {
        later()
    }
    /// Cheap, possibly too old form of `oldest_xmin`, for pruning: recomputed when it might help.
    pub fn prune_horizon(&self, _shared: bool, _catalog: bool) -> Xid {
        later()
    }
}

/// Multixacts.
impl Engine {
    /// An id for two lockers.
    pub fn multixact_create(&self, _a: Member, _b: Member) -> Result<MultiXactId> {
        later()
    }
    /// An id for these members.
    pub fn multixact_create_from(&self, _members: &[Member]) -> Result<MultiXactId> {
        later()
    }
    /// An id for the live members of `multi` and one more.
    pub fn multixact_expand(
        &self,
        _multi: MultiXactId,
        _xid: Xid,
        _status: MemberStatus,
    ) -> Result<MultiXactId> {
        later()
    }
    /// The members.
    pub fn multixact_members(&self, _multi: MultiXactId) -> Result<Rc<[Member]>> {
        later()
    }
    /// Is any member still running? With `lock_only`, an old (pre-horizon) one is not.
    pub fn multixact_is_running(&self, _multi: MultiXactId, _lock_only: bool) -> Result<bool> {
        later()
    }
    /// To be called before a row of which one may become a member is read.
    pub fn multixact_set_oldest_member(&self) {
        later()
    }
    /// Multis below this have no running members.
    pub fn oldest_multixact(&self) -> MultiXactId {
        later()
    }
    /// The next id.
    pub fn next_multixact(&self) -> MultiXactId {
        later()
    }
}

/// The transaction state machine.
impl Engine {
    /// Before each command: starts a transaction if none runs.
    pub fn start_command(&self) -> Result<()> {
        later()
    }
    /// After each command that succeeded: commits unless in a block, or does what BEGIN, COMMIT … asked for.
    pub fn commit_command(&self) -> Result<()> {
        later()
    }
    /// After an error: aborts, or marks the block as failed.
    pub fn abort_command(&self) {
        later()
    }
    /// Ends everything, whatever the state (end of session).
    pub fn abort_any(&self) {
        later()
    }
    /// BEGIN.
    pub fn begin_block(&self, _o: &XactOptions) -> Result<()> {
        later()
    }
    /// COMMIT. False: the tag has to say ROLLBACK.
    pub fn end_block(&self, _chain: bool) -> Result<bool> {
        later()
    }
    /// ROLLBACK.
    pub fn rollback_block(&self, _chain: bool) -> Result<()> {
        later()
    }
    /// SAVEPOINT.
    pub fn define_savepoint(&self, _name: &str) -> Result<()> {
        later()
    }
    /// RELEASE.
    pub fn release_savepoint(&self, _name: &str) -> Result<()> {
        later()
    }
    /// ROLLBACK TO.
    pub fn rollback_to_savepoint(&self, _name: &str) -> Result<()> {
        later()
    }
    /// Several statements in one simple-query message form an implicit block.
    pub fn begin_implicit_block(&self) {
        later()
    }
    /// Ends it.
    pub fn end_implicit_block(&self) {
        later()
    }
    /// An internal subtransaction (exception blocks of procedural languages).
    pub fn begin_subxact(&self, _name: Option<&str>) -> Result<()> {
        later()
    }
    /// Commits it.
    pub fn release_subxact(&self) -> Result<()> {
        later()
    }
    /// Undoes it.
    pub fn rollback_subxact(&self) -> Result<()> {
        later()
    }
    /// Fails with 25001 if in a block: `stmt` "cannot run inside a transaction block".
    pub fn prevent_in_block(&self, _top_level: bool, _stmt: &str) -> Result<()> {
        later()
    }
    /// Fails with 25P01 if not in a block: `stmt` "can only be used in transaction blocks".
    pub fn require_block(&self, _top_level: bool, _stmt: &str) -> Result<()> {
        later()
    }
    /// Warns with 25P01 if not in a block (SET LOCAL …).
    pub fn warn_no_block(&self, _top_level: bool, _stmt: &str) {
        later()
    }
    /// Is the block failed: only COMMIT and ROLLBACK (TO) are accepted?
    pub fn is_aborted_block(&self) -> bool {
        later()
    }
    /// 25P02.
    pub fn aborted_error(&self) -> common::Error {
        later()
    }
    /// In a transaction that can do work?
    pub fn in_transaction(&self) -> bool {
        later()
    }
    /// In a block, explicit or implicit, failed or not?
    pub fn in_block(&self) -> bool {
        later()
    }
    /// ReadyForQuery's byte: `I`, `T` or `E`.
    pub fn status_byte(&self) -> u8 {
        later()
    }
    /// The running subtransaction.
    pub fn current_subxact(&self) -> SubXactId {
        later()
    }
    /// Nesting, 1 is the top level.
    pub fn nest_level(&self) -> u32 {
        later()
    }
    /// Isolation of the running transaction.
    pub fn isolation(&self) -> IsolationLevel {
        later()
    }
    /// SET TRANSACTION ISOLATION LEVEL. 25001 after the first query, 0A000 for SERIALIZABLE.
    pub fn set_isolation(&self, _l: IsolationLevel) -> Result<()> {
        later()
    }
    /// May the transaction write?
    pub fn read_only(&self) -> bool {
        later()
    }
    /// SET TRANSACTION READ ONLY / READ WRITE. 25001 when it comes too late.
    pub fn set_read_only(&self, _ro: bool) -> Result<()> {
        later()
    }
    /// Is it DEFERRABLE?
    pub fn deferrable(&self) -> bool {
        later()
    }
    /// SET TRANSACTION DEFERRABLE.
    pub fn set_deferrable(&self, _d: bool) -> Result<()> {
        later()
    }
    /// Session defaults: isolation, read only, deferrable.
    pub fn set_defaults(&self, _i: IsolationLevel, _ro: bool, _d: bool) {
        later()
    }
    /// `synchronous_commit`.
    pub fn set_sync_commit(&self, _s: SyncCommit) {
        later()
    }
    /// `now()`: start of the transaction, microseconds since 2000.
    pub fn transaction_timestamp(&self) -> i64 {
        later()
    }
    /// Start of the statement.
    pub fn statement_timestamp(&self) -> i64 {
        later()
    }
    /// A statement's message arrived.
    pub fn set_statement_timestamp(&self, _t: i64) {
        later()
    }
    /// Calls `hook` at commits and aborts from here on.
    pub fn register_hook(&self, _hook: Rc<dyn XactHook>) {
        later()
    }
    /// Where warnings go.
    pub fn set_notice_sink(&self, _sink: Rc<dyn Fn(Report)>) {
        later()
    }
}

/// Invalidation.
impl Engine {
    /// The caches of this process.
    pub fn set_inval_handler(&self, _h: Rc<dyn InvalHandler>) {
        later()
    }
    /// To be done here at the next command and everywhere at commit.
    pub fn queue_invalidation(&self, _m: InvalMsg) {
        later()
    }
    /// Tells the caches what others have changed.
    pub fn accept_invalidations(&self) {
        later()
    }
}

/// Files.
impl Engine {
    /// Creates a relation's main fork, logged, gone again if the transaction aborts.
    pub fn create_storage(&self, _rel: RelFileLocator, _logged: bool) -> Result<()> {
        later()
    }
    /// Removes a relation's files when the transaction commits.
    pub fn drop_storage(&self, _rel: RelFileLocator) {
        later()
    }
    /// Shortens a relation's main fork to `blocks`, logged, with its maps to the given lengths.
    pub fn truncate_storage(&self, _rel: RelFileLocator, _forks: &[(Fork, BlockNumber)]) -> Result<()> {
        later()
    }
    /// An unused object id.
    pub fn new_oid(&self) -> Result<Oid> {
        later()
    }
}

/// Heavyweight locks.
impl Engine {
    /// Acquires. `session`: beyond the transaction. 55P03, 40P01, 53200, 57014.
    pub fn lock(
        &self,
        _tag: LockTag,
        _mode: LockMode,
        _session: bool,
        _dont_wait: bool,
    ) -> Result<LockOutcome> {
        later()
    }
    /// Gives one count back.
    pub fn unlock(&self, _tag: LockTag, _mode: LockMode, _session: bool) -> bool {
        later()
    }
    /// Locks a relation until the end of the transaction, then accepts invalidations. `db` 0: shared relation.
    pub fn lock_relation(&self, _db: Oid, _rel: Oid, _mode: LockMode) -> Result<()> {
        later()
    }
    /// The same without waiting; false: not available.
    pub fn try_lock_relation(&self, _db: Oid, _rel: Oid, _mode: LockMode) -> Result<bool> {
        later()
    }
    /// Gives it back before the end of the transaction.
    pub fn unlock_relation(&self, _db: Oid, _rel: Oid, _mode: LockMode) {
        later()
    }
    /// Does this process hold that mode (or, with `or_stronger`, a stronger one)?
    pub fn holds_lock(&self, _tag: LockTag, _mode: LockMode, _or_stronger: bool) -> bool {
        later()
    }
    /// Locks a row version's place in the line.
    pub fn lock_tuple(
        &self,
        _db: Oid,
        _rel: Oid,
        _tid: Tid,
        _mode: LockMode,
        _dont_wait: bool,
    ) -> Result<bool> {
        later()
    }
    /// Gives it back.
    pub fn unlock_tuple(&self, _db: Oid, _rel: Oid, _tid: Tid, _mode: LockMode) {
        later()
    }
    /// Waits until a transaction is over. The closure adds a CONTEXT line to errors ("while updating tuple …").
    pub fn wait_for_xid(&self, _xid: Xid, _context: &dyn Fn() -> Option<String>) -> Result<()> {
        later()
    }
    /// Is it over? Does not wait.
    pub fn try_wait_for_xid(&self, _xid: Xid) -> Result<bool> {
        later()
    }
    /// Waits until all running members that conflict are over.
    pub fn wait_for_multixact(
        &self,
        _multi: MultiXactId,
        _conflicts: &dyn Fn(MemberStatus) -> bool,
        _context: &dyn Fn() -> Option<String>,
    ) -> Result<()> {
        later()
    }
    /// Would `wait_for_multixact` return at once?
    pub fn try_wait_for_multixact(
        &self,
        _multi: MultiXactId,
        _conflicts: &dyn Fn(MemberStatus) -> bool,
    ) -> Result<bool> {
        later()
    }
    /// Begins a speculative insertion; returns its token.
    pub fn speculative_begin(&self, _xid: Xid) -> Result<u32> {
        later()
    }
    /// Ends it.
    pub fn speculative_end(&self, _xid: Xid, _token: u32) {
        later()
    }
    /// Waits for another's speculative insertion.
    pub fn speculative_wait(&self, _xid: Xid, _token: u32) -> Result<()> {
        later()
    }
}
