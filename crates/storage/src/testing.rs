//! What the tests of this crate share: a scratch data directory removed on drop, and a whole storage in it, used by
//! this process and by children it forks.

use crate::wal::position::{SEGMENT_HEADER, SEGMENT_SIZE};
use crate::{SharedStorage, StorageConfig, Store, WalReader};
use common::Lsn;
use ipc::{BackendKind, Interrupts, Layout, ProcConfig, ProcTable, Segment};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A directory under /tmp.
pub struct TestDir(PathBuf, u32);

impl TestDir {
    pub fn new(name: &str) -> TestDir {
        let p = std::env::temp_dir().join(format!("stegodon-storage-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&p);
        std::fs::create_dir_all(&p).unwrap();
        TestDir(p, std::process::id())
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        if std::process::id() == self.1 {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Shared memory over a data directory: one life of the server.
pub struct Server {
    pub config: StorageConfig,
    pub shared: SharedStorage,
    pub procs: ProcTable,
}

pub const START: Lsn = Lsn(SEGMENT_SIZE + SEGMENT_HEADER);

impl Server {
    /// Makes shared memory for the directory, whose log is not started.
    pub fn new(config: StorageConfig) -> Server {
        std::fs::create_dir_all(config.data_dir.join("pg_wal")).unwrap();
        std::fs::create_dir_all(config.data_dir.join("base/5")).unwrap();
        let mut layout = Layout::new();
        let h = SharedStorage::reserve(&mut layout, &config);
        let ph = ProcTable::reserve(
            &mut layout,
            ProcConfig { max_connections: 20, autovacuum_workers: 0, max_workers: 0, query_bytes: 1024 },
        );
        let seg = Segment::create(layout).unwrap();
        let shared = SharedStorage::attach(&seg, h);
        shared.init(&config);
        let procs = ProcTable::attach(&seg, ph);
        procs.init();
        Server { config, shared, procs }
    }
    /// A handle for this process or thread of a test.
    pub fn store(&self) -> Store {
        let proc = self.procs.allocate(BackendKind::Client).unwrap();
        let ints = Rc::new(Interrupts::new());
        Store::new(self.shared, proc, ints, &self.config)
    }
    /// Starts the log of an empty directory.
    pub fn bootstrap(&self) -> Store {
        let s = self.store();
        s.become_checkpointer();
        s.start_wal(START, Lsn::INVALID).unwrap();
        s
    }
    /// Forks a child that runs `f` and exits with its result.
    pub fn fork(&self, f: impl FnOnce(&Server) -> i32) -> i32 {
        match ipc::fork::fork_unchecked().unwrap() {
            ipc::Fork::Parent { child } => child,
            ipc::Fork::Child => {
                let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(self)));
                ipc::fork::exit(r.unwrap_or(99))
            }
        }
    }
}

/// Everything the log says from the start: (start, rmgr, info, main data).
pub fn read_log(dir: &Path) -> (Vec<(Lsn, u8, Vec<u8>)>, Lsn) {
    let mut r = WalReader::new(dir, 1, 0, START);
    let mut out = Vec::new();
    while let Some(rec) = r.next_record().unwrap() {
        out.push((rec.start, rec.info, rec.data().to_vec()));
    }
    (out, r.end_lsn())
}

/// A small generator of pseudo-random numbers.
pub struct Rnd(pub u64);
impl Rnd {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Waits for a condition that other processes bring about; fails after a minute.
pub fn wait_until(done: impl Fn() -> bool) {
    let t = std::time::Instant::now();
    while !done() {
        assert!(t.elapsed() < std::time::Duration::from_secs(60), "the condition never came");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
