//! The private state of the running transaction: a stack of levels, the bottom one the transaction itself, and what the
//! state machine of BEGIN, COMMIT and savepoints last decided for each.

use super::words::{IsolationLevel, SubXactId, XactHook};
use crate::Engine;
use common::{CommandId, Report, Result, Severity, SqlState, Xid, bail};
use std::rc::Rc;

/// What goes on at a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trans {
    /// Nothing.
    #[default]
    Idle,
    /// Valid for work.
    InProgress,
    Commit,
    /// Failed, cleaned up later.
    Abort,
}

/// The block as the client sees it. `…Pending` and `End` wait for the end of the command that asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Block {
    #[default]
    Default,
    /// A single statement.
    Started,
    /// BEGIN was said.
    Begin,
    InProgress,
    ImplicitInProgress,
    /// COMMIT was said.
    End,
    /// Failed, waits for ROLLBACK.
    Abort,
    /// Failed, ROLLBACK was said.
    AbortEnd,
    /// Live, ROLLBACK was said.
    AbortPending,
    SubBegin,
    SubInProgress,
    SubRelease,
    SubCommit,
    SubAbort,
    SubAbortEnd,
    SubAbortPending,
    SubRestart,
    SubAbortRestart,
}

/// One level.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub id: SubXactId,
    pub xid: Option<Xid>,
    pub name: Option<String>,
    pub trans: Trans,
    pub block: Block,
    /// Committed subtransactions' ids.
    pub children: Vec<Xid>,
    pub read_only_before: bool,
    pub chain: bool,
}

/// The transaction.
pub(crate) struct Xact {
    pub levels: Vec<Level>,
    pub next_sub: u32,
    pub cid: CommandId,
    pub cid_used: bool,
    pub isolation: IsolationLevel,
    pub read_only: bool,
    pub deferrable: bool,
    pub started_at: i64,
}

impl Xact {
    pub(crate) fn new() -> Xact {
        Xact {
            levels: vec![Level { id: SubXactId::TOP, ..Level::default() }],
            next_sub: 2,
            cid: CommandId::FIRST,
            cid_used: false,
            isolation: IsolationLevel::default(),
            read_only: false,
            deferrable: false,
            started_at: 0,
        }
    }
    pub(crate) fn top(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the transaction's own level is never popped")
    }
    pub(crate) fn cur(&self) -> &Level {
        self.levels.last().expect("the transaction's own level is never popped")
    }
}

/// Warnings and such on their way to the client.
pub type NoticeSink = Rc<dyn Fn(Report)>;

impl Engine {
    pub(crate) fn block(&self) -> Block {
        self.xact.borrow().cur().block
    }
    pub(crate) fn set_block(&self, b: Block) {
        self.xact.borrow_mut().top().block = b;
    }
    /// Sends a warning to the client.
    pub(crate) fn warn(&self, state: SqlState, text: &str) {
        self.notice(Report::new(Severity::Warning, state, text));
    }
    /// Sends any report to where warnings go.
    pub fn notice(&self, r: Report) {
        let sink = self.notice_sink.borrow().clone();
        if let Some(s) = sink {
            s(r);
        }
    }
    /// Where warnings go.
    pub fn set_notice_sink(&self, sink: NoticeSink) {
        self.store.set_warning_sink(sink.clone());
        *self.notice_sink.borrow_mut() = Some(sink);
    }
    /// Calls `hook` at commits and aborts from here on.
    pub fn register_hook(&self, hook: Rc<dyn XactHook>) {
        let mut hooks = self.hooks.borrow_mut();
        *hooks = hooks.iter().cloned().chain([hook]).collect();
    }
    pub(crate) fn hooks(&self) -> Rc<[Rc<dyn XactHook>]> {
        self.hooks.borrow().clone()
    }

    /// The current (sub)transaction's id, assigned on the first call.
    pub fn current_xid(&self) -> Result<Xid> {
        if let Some(x) = self.current_xid_if_any() {
            return Ok(x);
        }
        let depth = self.xact.borrow().levels.len();
        for i in 0..depth {
            if self.xact.borrow().levels[i].xid.is_none() {
                self.assign(i)?;
            }
        }
        self.current_xid_if_any().ok_or_else(|| common::Error::internal("no transaction id was assigned"))
    }
    fn assign(&self, level: usize) -> Result<()> {
        if self.xact.borrow().levels[level].trans != Trans::InProgress {
            bail!(INTERNAL_ERROR, "transaction id wanted outside of a transaction");
        }
        self.not_in_parallel_mode("assign XIDs")?;
        let xid = self.assign_new_xid(level > 0)?;
        let parent = {
            let mut x = self.xact.borrow_mut();
            x.levels[level].xid = Some(xid);
            if level > 0 { x.levels[level - 1].xid } else { None }
        };
        match parent {
            Some(p) => self.set_parent_xid(xid, p)?,
            None => self.top_xid.set(xid),
        }
        let owner = self.xact.borrow().levels[level].id;
        self.lock_for(crate::LockTag::transaction(xid), crate::LockMode::Exclusive, owner)
    }
    /// The current (sub)transaction's id, if it has one.
    pub fn current_xid_if_any(&self) -> Option<Xid> {
        self.xact.borrow().cur().xid
    }
    /// The top-level transaction's id, assigned on the first call.
    pub fn top_xid(&self) -> Result<Xid> {
        if let Some(x) = self.top_xid_if_any() {
            return Ok(x);
        }
        self.assign(0)?;
        Ok(self.top_xid.get())
    }
    /// The top-level transaction's id, if it has one.
    pub fn top_xid_if_any(&self) -> Option<Xid> {
        let x = self.top_xid.get();
        x.is_valid().then_some(x)
    }
    /// Is it this transaction, or one of its live or committed subtransactions?
    #[inline]
    pub fn is_current_xid(&self, xid: Xid) -> bool {
        let top = self.top_xid.get();
        if xid == top {
            return top.is_valid() && self.xact.borrow().levels[0].trans != Trans::Abort;
        }
        // Children have later ids; without an own id nothing is own.
        if !top.is_valid() || xid < top {
            return false;
        }
        let x = self.xact.borrow();
        x.levels
            .iter()
            .filter(|l| l.trans != Trans::Abort)
            .any(|l| l.xid == Some(xid) || l.children.binary_search(&xid).is_ok())
    }
    /// The running subtransaction.
    pub fn current_subxact(&self) -> SubXactId {
        self.xact.borrow().cur().id
    }
    /// Is this subtransaction the current one or one of its open parents?
    pub fn subxact_is_active(&self, id: SubXactId) -> bool {
        self.xact.borrow().levels.iter().any(|l| l.id == id)
    }
    /// Nesting, 1 is the top level.
    pub fn nest_level(&self) -> u32 {
        self.xact.borrow().levels.len() as u32
    }
    /// Number of the running command, to be stored in tuples. Marks it used.
    pub fn current_command_id(&self, used: bool) -> CommandId {
        let mut x = self.xact.borrow_mut();
        x.cid_used |= used;
        x.cid
    }
    /// Makes what was done so far visible to what follows; processes own invalidations.
    pub fn command_counter_increment(&self) -> Result<()> {
        {
            let mut x = self.xact.borrow_mut();
            if !x.cid_used {
                return Ok(());
            }
            if x.cid.0 >= u32::MAX - 1 {
                bail!(PROGRAM_LIMIT_EXCEEDED, "cannot have more than 2^32-2 commands in a transaction");
            }
            x.cid.0 += 1;
            x.cid_used = false;
        }
        self.inval_command_end();
        Ok(())
    }
}
