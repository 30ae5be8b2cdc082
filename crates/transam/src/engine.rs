//! The engine: storage and transactions as one process sees them.

use crate::combocid::ComboCids;
use crate::files::Pending;
use crate::inval::{Collected, InvalHandler};
use crate::lock::local::Locals;
use crate::multixact::MultiCache;
use crate::procarray::Horizons;
use crate::shared::TransamShared;
use crate::snapmgr::Snapshots;
use crate::xact::state::{NoticeSink, Xact};
use crate::xact::{IsolationLevel, SyncCommit, XactHook, XidStatus};
use common::{Lsn, Xid};
use ipc::{BackendKind, Interrupts, Proc, ProcTable};
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use storage::Store;

/// What an engine is made of.
pub struct EngineParts {
    pub store: Store,
    pub shared: TransamShared,
    pub proc: &'static Proc,
    pub procs: ProcTable,
    pub interrupts: Rc<Interrupts>,
    pub data_dir: PathBuf,
}

/// One process's handle on the storage engine. Not `Send`; lives as long as the process.
pub struct Engine {
    pub(crate) store: Store,
    proc: Cell<&'static Proc>,
    pub(crate) procs: ProcTable,
    pub(crate) interrupts: Rc<Interrupts>,
    pub(crate) shared: TransamShared,
    pub(crate) data_dir: PathBuf,
    pub(crate) is_bootstrap: Cell<bool>,

    pub(crate) xact: RefCell<Xact>,
    /// The top-level id, 0 if none: also in `xact`, here for the tests of every row.
    pub(crate) top_xid: Cell<Xid>,
    pub(crate) next_lxid: Cell<u64>,
    pub(crate) defaults: Cell<(IsolationLevel, bool, bool)>,
    pub(crate) sync_commit: Cell<SyncCommit>,
    pub(crate) force_sync: Cell<bool>,
    pub(crate) statement_at: Cell<i64>,
    pub(crate) hooks: RefCell<Rc<[Rc<dyn XactHook>]>>,
    pub(crate) notice_sink: RefCell<Option<NoticeSink>>,

    pub(crate) snaps: RefCell<Snapshots>,
    pub(crate) recent_xmin: Cell<Xid>,
    pub(crate) status_cache: Cell<(Xid, XidStatus)>,
    pub(crate) status_lsn: Cell<(Xid, Lsn)>,
    pub(crate) horizon_cache: Cell<(Horizons, u64)>,
    pub(crate) combo: RefCell<ComboCids>,
    pub(crate) multi_cache: RefCell<MultiCache>,

    pub(crate) notify: crate::notify::Notify,
    pub(crate) inval: RefCell<Collected>,
    pub(crate) inval_handler: RefCell<Option<Rc<dyn InvalHandler>>>,
    pub(crate) pending_files: RefCell<Vec<Pending>>,
    /// Database directories made, or to be removed, by this transaction.
    pub(crate) pending_databases: RefCell<Vec<crate::database::Pending>>,

    pub(crate) locals: RefCell<Locals>,
    pub(crate) parallel: crate::parallel::State,
    pub(crate) strong_held: RefCell<Vec<u32>>,
    pub(crate) log_lock_waits: Cell<bool>,
    pub(crate) deadlock_timeout_ms: Cell<i64>,
    pub(crate) lock_timeout_ms: Cell<i64>,
    pub(crate) speculative_token: Cell<u32>,
    pub(crate) ssi_local: crate::ssi::Local,
    pub(crate) stats: RefCell<crate::stats::Pending>,
    pub(crate) gathered: crate::stats::Gathered,
    pub(crate) stats_view: crate::stats::StatsView,
    pub(crate) track_counts: Cell<bool>,
}

/// Tells the log who else is there: transactions for which a flush may wait, and the process that flushes in their place.
fn introduce_neighbours(p: &EngineParts) {
    let (procs, me, shared) = (p.procs, p.proc.number(), p.shared);
    let siblings = move |wanted: u32| {
        use std::sync::atomic::Ordering::Relaxed;
        let busy = procs.live().filter(|q| {
            let n = q.number();
            n != me && shared.xids[n as usize].load(Relaxed) != 0 && q.wait_lock.load(Relaxed) == 0
        });
        busy.count() >= wanted as usize
    };
    let walwriter = move || {
        if let Some(w) = procs.live().find(|q| q.kind() == BackendKind::WalWriter) {
            w.latch().set();
        }
    };
    p.store.set_neighbours(Rc::new(siblings), Rc::new(walwriter));
}

impl Engine {
    /// An engine for a process that owns a slot.
    pub fn new(p: EngineParts) -> Engine {
        p.shared.ring.join(p.proc);
        introduce_neighbours(&p);
        let generation = p.proc.generation.load(std::sync::atomic::Ordering::Relaxed);
        Engine {
            is_bootstrap: Cell::new(p.proc.kind() == BackendKind::Bootstrap),
            store: p.store,
            proc: Cell::new(p.proc),
            procs: p.procs,
            interrupts: p.interrupts,
            shared: p.shared,
            data_dir: p.data_dir,
            xact: RefCell::new(Xact::new()),
            top_xid: Cell::new(Xid::INVALID),
            // Local numbers of a slot's successive owners must differ.
            next_lxid: Cell::new((generation << 32) | 1),
            defaults: Cell::new((IsolationLevel::ReadCommitted, false, false)),
            sync_commit: Cell::default(),
            force_sync: Cell::default(),
            statement_at: Cell::default(),
            hooks: RefCell::new(Rc::from([])),
            notice_sink: RefCell::default(),
            snaps: RefCell::default(),
            recent_xmin: Cell::default(),
            status_cache: Cell::new((Xid::INVALID, XidStatus::Aborted)),
            status_lsn: Cell::default(),
            horizon_cache: Cell::default(),
            combo: RefCell::default(),
            multi_cache: RefCell::default(),
            notify: Default::default(),
            inval: RefCell::default(),
            inval_handler: RefCell::default(),
            pending_files: RefCell::default(),
            pending_databases: RefCell::default(),
            locals: RefCell::default(),
            parallel: Default::default(),
            strong_held: RefCell::default(),
            log_lock_waits: Cell::new(false),
            deadlock_timeout_ms: Cell::new(1000),
            lock_timeout_ms: Cell::new(0),
            speculative_token: Cell::default(),
            ssi_local: Default::default(),
            stats: RefCell::default(),
            gathered: Default::default(),
            stats_view: Default::default(),
            track_counts: Cell::new(true),
        }
    }
    /// Pages and log.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// This process's slot.
    #[inline]
    pub fn proc(&self) -> &'static Proc {
        self.proc.get()
    }
    pub(crate) fn set_proc(&self, proc: &'static Proc) {
        self.proc.set(proc);
    }
    /// All slots.
    pub fn procs(&self) -> ProcTable {
        self.procs
    }
    /// The shared counters and tables.
    pub fn shared(&self) -> &TransamShared {
        &self.shared
    }
    /// Cancel, terminate, time-outs.
    pub fn interrupts(&self) -> &Interrupts {
        &self.interrupts
    }
    /// The same, to be shared.
    pub fn interrupts_rc(&self) -> Rc<Interrupts> {
        self.interrupts.clone()
    }
    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
    /// Fails if the statement or session is to end. Call it in every loop that may last.
    #[inline]
    pub fn check_interrupts(&self) -> common::Result<()> {
        self.interrupts.check()
    }
    /// End of the session: aborts, gives all locks back, leaves the invalidation ring.
    pub fn shutdown(&self) {
        self.end_workers();
        self.abort_any();
        self.flush_counters();
        self.release_all_locks();
        self.shared.notify.leave(self.proc());
        self.proc().inval_active.store(0, std::sync::atomic::Ordering::SeqCst);
    }
}
