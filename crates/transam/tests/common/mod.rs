//! A cluster in a scratch directory and forked processes that work on it.
#![allow(clippy::unwrap_used, dead_code)]

use common::Oid;
use ipc::fork::{Ended, exit, fork_unchecked, wait_for};
use ipc::{BackendKind, Fork, Interrupts, Layout, ProcConfig, ProcTable, Segment, signals};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use storage::{SharedStorage, StorageConfig, StorageHandle, Store};
use transam::{ControlFile, Engine, EngineParts, RedoTable, TransamConfig, TransamHandle, TransamShared};

pub struct Cluster {
    pub dir: PathBuf,
    pub seg: Segment,
    pub procs: ProcTable,
    storage: StorageHandle,
    transam: TransamHandle,
    config: StorageConfig,
    extra: ipc::Handle<std::sync::atomic::AtomicU64>,
    owns_dir: bool,
}

pub const PROCS: ProcConfig =
    ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 };

impl Cluster {
    /// A cluster directory as initdb makes it, and shared memory on it.
    pub fn create(name: &str) -> Cluster {
        let dir = std::env::temp_dir().join(format!("stegodon-transam-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        for d in [
            "global",
            "base/5",
            "pg_wal",
            "pg_xact",
            "pg_subtrans",
            "pg_multixact/offsets",
            "pg_multixact/members",
        ] {
            std::fs::create_dir_all(dir.join(d)).unwrap();
        }
        let mut c = Cluster::attach(&dir);
        c.owns_dir = true;
        c.run(BackendKind::Bootstrap, |e| {
            e.bootstrap_cluster(&ControlFile::new_cluster(77, true, [1; 32])).unwrap();
            e.create_checkpoint(transam::checkpoint::flags::SHUTDOWN, 0, &mut |_| Ok(())).unwrap();
        });
        c
    }
    /// Fresh shared memory on a directory: what a restart does.
    pub fn attach(dir: &Path) -> Cluster {
        let config = StorageConfig { shared_buffers: 64, system_identifier: 77, ..StorageConfig::new(dir) };
        let t = TransamConfig { procs: PROCS, locks_per_transaction: 16, reads_per_transaction: 64 };
        let mut l = Layout::new();
        let p = ProcTable::reserve(&mut l, PROCS);
        let storage = SharedStorage::reserve(&mut l, &config);
        let transam = TransamShared::reserve(&mut l, &t);
        let extra = l.reserve("test", 64);
        let seg = Segment::create(l).unwrap();
        let procs = ProcTable::attach(&seg, p);
        procs.init();
        SharedStorage::attach(&seg, storage).init(&config);
        TransamShared::attach(&seg, transam).init();
        Cluster { dir: dir.to_path_buf(), seg, procs, storage, transam, config, extra, owns_dir: false }
    }
    pub fn words(&self) -> &'static [std::sync::atomic::AtomicU64] {
        self.seg.slice(self.extra)
    }
    pub fn engine(&self, kind: BackendKind) -> Engine {
        let proc = self.procs.allocate(kind).unwrap();
        proc.database.store(5, std::sync::atomic::Ordering::Relaxed);
        let interrupts = Rc::new(Interrupts::new());
        interrupts.attach(proc);
        let shared = SharedStorage::attach(&self.seg, self.storage);
        let store = Store::new(shared, proc, interrupts.clone(), &self.config);
        Engine::new(EngineParts {
            store,
            shared: TransamShared::attach(&self.seg, self.transam),
            proc,
            procs: self.procs,
            interrupts,
            data_dir: self.dir.clone(),
        })
    }
    /// Runs `f` in a child to its end; the child's failure fails the test.
    pub fn run(&self, kind: BackendKind, f: impl FnOnce(&Engine)) {
        let pid = self.spawn_kind(kind, f);
        assert_eq!(wait_for(pid), Some(Ended::Exit(0)));
    }
    pub fn spawn(&self, f: impl FnOnce(&Engine)) -> i32 {
        self.spawn_kind(BackendKind::Client, f)
    }
    fn spawn_kind(&self, kind: BackendKind, f: impl FnOnce(&Engine)) -> i32 {
        match fork_unchecked().unwrap() {
            Fork::Parent { child } => child,
            Fork::Child => {
                signals::install_backend();
                signals::unblock_all();
                // Not through std's stderr: another test's thread may have held its lock at the fork.
                std::panic::set_hook(Box::new(|i| {
                    let _ = std::fs::OpenOptions::new()
                        .append(true)
                        .open("/dev/stderr")
                        .and_then(|mut f| std::io::Write::write_all(&mut f, format!("{i}\n").as_bytes()));
                }));
                let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let e = self.engine(kind);
                    f(&e);
                    e.shutdown();
                    self.procs.release(e.proc());
                }));
                exit(if r.is_ok() { 0 } else { 3 })
            }
        }
    }
    /// The startup process.
    pub fn recover(&self) {
        self.run(BackendKind::Startup, |e| {
            e.perform_recovery(&RedoTable::new(), std::time::Duration::ZERO).unwrap();
        });
    }
    pub fn wait(&self, pid: i32) {
        assert_eq!(wait_for(pid), Some(Ended::Exit(0)));
    }
    pub fn kill(&self, pid: i32) -> &'static ipc::Proc {
        let p = self.procs.by_pid(pid).unwrap();
        signals::send_raw(pid, libc_sigkill());
        assert_eq!(wait_for(pid), Some(Ended::Signal(libc_sigkill())));
        p
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.owns_dir {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn libc_sigkill() -> i32 {
    9
}

pub fn db() -> Oid {
    Oid(5)
}

pub fn until(f: impl Fn() -> bool) {
    let t = std::time::Instant::now();
    while !f() {
        assert!(t.elapsed() < std::time::Duration::from_secs(20), "timed out");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
