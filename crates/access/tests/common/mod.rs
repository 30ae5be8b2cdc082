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
}

pub const PROCS: ProcConfig =
    ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 };

impl Cluster {
    /// A cluster directory as initdb makes it, and shared memory on it.
    pub fn create(name: &str) -> Cluster {
        let dir = std::env::temp_dir().join(format!("stegodon-access-{name}-{}", std::process::id()));
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
        let c = Cluster::attach(&dir);
        c.run(BackendKind::Bootstrap, |e| {
            e.bootstrap_cluster(&ControlFile::new_cluster(77, true, [1; 32])).unwrap();
            e.create_checkpoint(transam::checkpoint::flags::SHUTDOWN, 0, &mut |_| Ok(())).unwrap();
        });
        c
    }
    /// Fresh shared memory on a directory: what a restart does.
    pub fn attach(dir: &Path) -> Cluster {
        let config = StorageConfig { shared_buffers: 512, system_identifier: 77, ..StorageConfig::new(dir) };
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
        Cluster { dir: dir.to_path_buf(), seg, procs, storage, transam, config, extra }
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
    pub fn spawn_kind(&self, kind: BackendKind, f: impl FnOnce(&Engine)) -> i32 {
        match fork_unchecked().unwrap() {
            Fork::Parent { child } => child,
            Fork::Child => {
                signals::install_backend();
                signals::unblock_all();
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
            let mut t = RedoTable::new();
            access::register_redo(&mut t);
            e.perform_recovery(&t, std::time::Duration::ZERO).unwrap();
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

fn libc_sigkill() -> i32 {
    9
}

impl Drop for Cluster {
    fn drop(&mut self) {}
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

use ::common::{BlockNumber, Tid};
use access::heap::{self, InsertOptions};
use access::*;
use storage::RelFileLocator;
use types::{Attribute, Batch, Column, DatumRef, Phys, TupleDesc, oids};

pub fn att(name: &str, type_oid: Oid, phys: Phys) -> Attribute {
    let (len, align) = types::tuple::disk_len_align(type_oid);
    Attribute {
        name: name.into(),
        type_oid,
        typmod: -1,
        len,
        by_val: len > 0 && len <= 8,
        align,
        storage: if len == -1 { b'x' } else { b'p' },
        compression: 0,
        phys,
        collation: Oid(0),
        not_null: false,
        has_default: false,
        missing: None,
        identity: 0,
        generated: 0,
        dropped: false,
    }
}

fn cmp(_: types::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> std::cmp::Ordering {
    a.i32().cmp(&b.i32())
}

fn cmp_oid(_: types::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> std::cmp::Ordering {
    a.u32().cmp(&b.u32())
}

/// Table (a int, b int, t text) with a unique index on a, an index on b, and a TOAST table.
pub struct Table {
    pub rel: Rc<Rel>,
    pub unique: Rc<IndexRel>,
    pub second: Rc<IndexRel>,
}

fn loc(n: u32) -> RelFileLocator {
    RelFileLocator::new(Oid(1663), Oid(5), n)
}

impl Table {
    pub fn describe() -> Table {
        let d = |attrs| Rc::new(TupleDesc { attrs, type_oid: oids::RECORD });
        let int = |n: &str| att(n, oids::INT4, Phys::I32);
        let toast_desc = d(vec![att("chunk_id", oids::OID, Phys::U32), int("chunk_seq"), {
            let mut a = att("chunk_data", oids::BYTEA, Phys::Bytes);
            a.storage = b'p';
            a
        }]);
        let toast_heap = Rc::new(Rel::new(Oid(20010), "pg_toast_20000", loc(20010), toast_desc));
        let k_int = KeyColumn::new(oids::INT4, cmp, types::Collation::NONE, false, false, true);
        let k_oid = KeyColumn::new(oids::OID, cmp_oid, types::Collation::NONE, false, false, true);
        let ti_desc = d(vec![att("chunk_id", oids::OID, Phys::U32), int("chunk_seq")]);
        let mut ti = IndexRel::new(
            Rel::new(Oid(20011), "pg_toast_20000_index", loc(20011), ti_desc),
            Oid(20010),
            "pg_toast_20000",
            vec![k_oid, k_int],
        );
        ti.unique = true;
        let mut rel = Rel::new(
            Oid(20000),
            "t",
            loc(20000),
            d(vec![int("a"), int("b"), att("t", oids::TEXT, Phys::Bytes)]),
        );
        rel.toast = Some(Rc::new(ToastRel { heap: toast_heap, index: Rc::new(ti) }));
        let index = |oid: u32, name: &str, col: &str| {
            let mut r = Rel::new(Oid(oid), name, loc(oid), d(vec![int(col)]));
            r.fillfactor = 90;
            IndexRel::new(r, Oid(20000), "t", vec![k_int])
        };
        let mut u = index(20001, "t_pkey", "a");
        u.unique = true;
        u.format_key = Some(Rc::new(|_, v| Ok(format!("(a)=({})", v[0].i32()))));
        Table { rel: Rc::new(rel), unique: Rc::new(u), second: Rc::new(index(20002, "t_b", "b")) }
    }
    pub fn create(e: &Engine) -> Table {
        let t = Table::describe();
        let toast = t.rel.toast.as_ref().unwrap();
        for l in [20000, 20001, 20002, 20010, 20011] {
            e.create_storage(loc(l), true).unwrap();
        }
        btree::create_empty(e, &t.unique).unwrap();
        btree::create_empty(e, &t.second).unwrap();
        btree::create_empty(e, &toast.index).unwrap();
        t
    }
    pub fn insert(&self, e: &Engine, a: i32, b: i32, t: &str) -> ::common::Result<Tid> {
        let row = [DatumRef::I32(a), DatumRef::I32(b), DatumRef::Bytes(t.as_bytes())];
        let cid = e.current_command_id(true);
        let tid = heap::insert(e, &self.rel, &row, cid, &InsertOptions::default())?;
        btree::insert(e, &self.unique, &self.rel, &row[..1], tid, UniqueCheck::Yes)?;
        btree::insert(e, &self.second, &self.rel, &row[1..2], tid, UniqueCheck::No)?;
        Ok(tid)
    }
    pub fn update(
        &self,
        e: &Engine,
        tid: Tid,
        a: i32,
        b: i32,
        t: &str,
        wait: LockWait,
    ) -> ::common::Result<UpdateResult> {
        let row = [DatumRef::I32(a), DatumRef::I32(b), DatumRef::Bytes(t.as_bytes())];
        let o = UpdateOptions {
            cid: e.current_command_id(true),
            wait,
            indexed_attrs: &[1, 2],
            key_attrs: &[1],
            changed: None,
        };
        let r = heap::update(e, &self.rel, tid, &row, &o)?;
        if r.result == TmResult::Ok && r.needs_index {
            btree::insert(e, &self.unique, &self.rel, &row[..1], r.tid, UniqueCheck::Yes)?;
            btree::insert(e, &self.second, &self.rel, &row[1..2], r.tid, UniqueCheck::No)?;
        }
        Ok(r)
    }
    pub fn snap(e: &Engine) -> transam::Snapshot {
        e.latest_snapshot().unwrap().into()
    }
    /// All visible rows by sequential scan.
    pub fn rows(&self, e: &Engine) -> Vec<(i32, i32, String, Tid)> {
        self.rows_at(e, Table::snap(e))
    }
    pub fn rows_at(&self, e: &Engine, snap: transam::Snapshot) -> Vec<(i32, i32, String, Tid)> {
        let spec = ScanSpec { wanted: vec![(1, 0), (2, 1), (3, 2)], system: vec![(SysCol::Ctid, 3)] };
        let opts = ScanOptions { range: None, prune: true };
        let mut s = HeapScan::begin(e, self.rel.clone(), snap, spec, opts).unwrap();
        let mut out = Vec::new();
        let mut b = batch();
        while s.next_batch(e, &mut b).unwrap() {
            take(&b, &mut out);
            b.clear();
        }
        out
    }
    /// Rows by an index.
    pub fn by_index(
        &self,
        e: &Engine,
        ix: &Rc<IndexRel>,
        keys: Vec<ScanKey>,
        dir: Direction,
    ) -> Vec<(i32, i32, String, Tid)> {
        self.by_index_at(e, Table::snap(e), ix, keys, dir)
    }
    pub fn by_index_at(
        &self,
        e: &Engine,
        snap: transam::Snapshot,
        ix: &Rc<IndexRel>,
        keys: Vec<ScanKey>,
        dir: Direction,
    ) -> Vec<(i32, i32, String, Tid)> {
        let mut s = BtScan::begin(ix.clone(), keys, dir, false);
        let spec = ScanSpec { wanted: vec![(1, 0), (2, 1), (3, 2)], system: vec![(SysCol::Ctid, 3)] };
        let mut f = IndexFetch::new(self.rel.clone(), snap, spec);
        let mut tids = Vec::new();
        let mut out = Vec::new();
        let mut b = batch();
        while s.next_batch(e, &mut tids, None).unwrap() {
            for (n, t) in tids.iter().enumerate() {
                if f.fetch_into(e, *t, &mut b).unwrap() == FetchStatus::AllDead {
                    s.kill(n);
                }
            }
            take(&b, &mut out);
            b.clear();
        }
        s.end(e);
        out
    }
    pub fn find(&self, e: &Engine, a: i32) -> Option<(i32, i32, String, Tid)> {
        let k = ScanKey { column: 1, op: ScanOp::Cmp(Strategy::Eq, types::Datum::I32(a), None) };
        self.by_index(e, &self.unique, vec![k], Direction::Forward).pop()
    }
    pub fn vacuum(&self, e: &Engine) -> VacuumStats {
        vacuum_heap(e, &self.rel, &[self.unique.clone(), self.second.clone()], &VacuumParams::default())
            .unwrap()
    }
    pub fn verify(&self, e: &Engine) {
        assert_eq!(verify::check_heap(e, &self.rel).unwrap(), Vec::<String>::new());
        for ix in [&self.unique, &self.second] {
            assert_eq!(verify::check_btree(e, ix, &self.rel, true).unwrap(), Vec::<String>::new());
        }
        let t = self.rel.toast.as_ref().unwrap();
        assert_eq!(verify::check_heap(e, &t.heap).unwrap(), Vec::<String>::new());
        assert_eq!(verify::check_btree(e, &t.index, &t.heap, true).unwrap(), Vec::<String>::new());
    }
}

pub fn batch() -> Batch {
    Batch {
        cols: vec![
            Column::new(Phys::I32),
            Column::new(Phys::I32),
            Column::new(Phys::Bytes),
            Column::new(Phys::I64),
        ],
        rows: 0,
        sel: None,
    }
}

fn take(b: &Batch, out: &mut Vec<(i32, i32, String, Tid)>) {
    for i in 0..b.rows {
        out.push((
            b.cols[0].get(i).i32(),
            b.cols[1].get(i).i32(),
            b.cols[2].get(i).str().to_string(),
            Tid::unpack(b.cols[3].get(i).i64()),
        ));
    }
    let _ = BlockNumber(0);
}

pub fn stmt<R>(e: &Engine, f: impl FnOnce() -> R) -> R {
    e.start_command().unwrap();
    let snap = e.transaction_snapshot().unwrap();
    e.push_active_snapshot(snap);
    let r = f();
    e.pop_active_snapshot();
    e.commit_command().unwrap();
    r
}

pub struct Rnd(pub u64);
impl Rnd {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}
