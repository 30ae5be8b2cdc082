//! A cluster in a scratch directory with bootstrapped catalogs, and forked processes that work on it.
#![allow(clippy::unwrap_used, dead_code)]

use catalog::Catalog;
use catalog::bootstrap::{BootstrapOptions, bootstrap};
use catalog::builtins::Builtins;
use common::Oid;
use executor::{ExecEnv, NoSession};
use ipc::fork::{Ended, exit, fork_unchecked, wait_for};
use ipc::{BackendKind, Fork, Interrupts, Layout, ProcConfig, ProcTable, Segment, signals};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{SharedStorage, StorageConfig, StorageHandle, Store};
use transam::{ControlFile, Engine, EngineParts, TransamConfig, TransamHandle, TransamShared};
use types::Registry;

pub struct Cluster {
    dir: PathBuf,
    seg: Segment,
    procs: ProcTable,
    storage: StorageHandle,
    transam: TransamHandle,
    config: StorageConfig,
    words: ipc::Handle<AtomicU64>,
    builtins: &'static Builtins,
    registry: &'static Registry,
}

const PROCS: ProcConfig =
    ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 };

impl Cluster {
    pub fn create(name: &str) -> Cluster {
        let dir = std::env::temp_dir().join(format!("stegodon-executor-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        for d in [
            "global",
            "base/1",
            "pg_wal",
            "pg_xact",
            "pg_subtrans",
            "pg_multixact/offsets",
            "pg_multixact/members",
        ] {
            std::fs::create_dir_all(dir.join(d)).unwrap();
        }
        let config =
            StorageConfig { shared_buffers: 2048, system_identifier: 77, ..StorageConfig::new(&dir) };
        let t = TransamConfig { procs: PROCS, locks_per_transaction: 64, reads_per_transaction: 64 };
        let mut l = Layout::new();
        let p = ProcTable::reserve(&mut l, PROCS);
        let storage = SharedStorage::reserve(&mut l, &config);
        let transam = TransamShared::reserve(&mut l, &t);
        let words = l.reserve("test", 64);
        let seg = Segment::create(l).unwrap();
        let procs = ProcTable::attach(&seg, p);
        procs.init();
        SharedStorage::attach(&seg, storage).init(&config);
        TransamShared::attach(&seg, transam).init();
        let registry = Box::leak(Box::new(Registry::build(&types::builtin_tables())));
        let c = Cluster {
            dir,
            seg,
            procs,
            storage,
            transam,
            config,
            words,
            builtins: Builtins::load(),
            registry,
        };
        c.run(BackendKind::Bootstrap, |env| {
            let e = env.engine().unwrap();
            e.bootstrap_cluster(&ControlFile::new_cluster(77, true, [1; 32])).unwrap();
            e.start_command().unwrap();
            let o = BootstrapOptions {
                superuser: "postgres".into(),
                password: None,
                collate: "C".into(),
                ctype: "C".into(),
                icu_locale: None,
                encoding: 6,
            };
            bootstrap(env.catalog().unwrap(), &o).unwrap();
            e.commit_command().unwrap();
            e.create_checkpoint(transam::checkpoint::flags::SHUTDOWN, 0, &mut |_| Ok(())).unwrap();
        });
        c
    }
    /// Words of shared memory by which processes of a test talk.
    pub fn words(&self) -> &'static [AtomicU64] {
        self.seg.slice(self.words)
    }
    fn env(&self, kind: BackendKind) -> Rc<ExecEnv> {
        let proc = self.procs.allocate(kind).unwrap();
        proc.database.store(1, Ordering::Relaxed);
        let interrupts = Rc::new(Interrupts::new());
        interrupts.attach(proc);
        let store = Store::new(
            SharedStorage::attach(&self.seg, self.storage),
            proc,
            interrupts.clone(),
            &self.config,
        );
        let engine = Rc::new(Engine::new(EngineParts {
            store,
            shared: TransamShared::attach(&self.seg, self.transam),
            proc,
            procs: self.procs,
            interrupts,
            data_dir: self.dir.clone(),
        }));
        let catalog = Catalog::new(engine.clone(), self.builtins, self.registry, Oid(1));
        let env = ExecEnv::new(Some(engine), Some(catalog), self.registry, Rc::new(NoSession));
        *env.temp_dir.borrow_mut() = self.dir.join("base/pgsql_tmp");
        Rc::new(env)
    }
    /// Runs `f` in a child to its end; the child's failure fails the test.
    pub fn run(&self, kind: BackendKind, f: impl FnOnce(&Rc<ExecEnv>)) {
        let pid = self.spawn_kind(kind, f);
        assert_eq!(wait_for(pid), Some(Ended::Exit(0)));
    }
    pub fn spawn(&self, f: impl FnOnce(&Rc<ExecEnv>)) -> i32 {
        self.spawn_kind(BackendKind::Client, f)
    }
    pub fn wait(&self, pid: i32) {
        assert_eq!(wait_for(pid), Some(Ended::Exit(0)));
    }
    fn spawn_kind(&self, kind: BackendKind, f: impl FnOnce(&Rc<ExecEnv>)) -> i32 {
        match fork_unchecked().unwrap() {
            Fork::Parent { child } => child,
            Fork::Child => {
                signals::install_backend();
                signals::unblock_all();
                let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let env = self.env(kind);
                    f(&env);
                    let e = env.engine().unwrap();
                    e.shutdown();
                    self.procs.release(e.proc());
                }));
                exit(if r.is_ok() { 0 } else { 3 })
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn until(f: impl Fn() -> bool) {
    let t = std::time::Instant::now();
    while !f() {
        assert!(t.elapsed() < std::time::Duration::from_secs(20), "timed out");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
