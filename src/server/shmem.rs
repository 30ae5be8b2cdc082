//! The shared memory segment: made by the postmaster (and by `initdb` for itself) from the settings, entered by each
//! child through a process slot.

use commands::extension::pg_stat_statements;
use common::settings::Settings;
use common::{Result, err};
use ipc::{BackendKind, Interrupts, Layout, ProcConfig, ProcTable, Segment, WorkerTable};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use storage::{SharedStorage, StorageConfig, Store};
use transam::{ControlFile, Engine, EngineParts, TransamConfig, TransamShared};

/// Sizes, resolved from settings and control file.
#[derive(Clone, Debug)]
pub struct SharedConfig {
    pub data_dir: PathBuf,
    pub storage: StorageConfig,
    pub procs: ProcConfig,
    pub locks_per_transaction: usize,
    pub reads_per_transaction: usize,
    /// `pg_stat_statements.max`, if that library is preloaded.
    pub statement_stats: Option<usize>,
    pub max_worker_processes: usize,
}

impl SharedConfig {
    /// From the settings of the postmaster.
    pub fn new(data_dir: &Path, s: &Settings, control: &ControlFile) -> SharedConfig {
        let mut storage = StorageConfig::new(data_dir);
        storage.shared_buffers = s.int("shared_buffers") as usize;
        storage.wal_buffers = usize::try_from(s.int("wal_buffers")).ok();
        storage.data_checksums = control.data_checksums;
        storage.full_page_writes = s.bool("full_page_writes");
        storage.wal_compression = s.text("wal_compression") != "off";
        storage.archiving = s.text("archive_mode") != "off";
        storage.fsync = s.bool("fsync");
        // Sockets, log and shared memory need some of them.
        storage.max_open_files = (s.int("max_files_per_process") - 24).max(16) as usize;
        storage.system_identifier = control.system_identifier;
        storage.timeline = control.copy.timeline.max(1);
        SharedConfig {
            data_dir: data_dir.to_path_buf(),
            storage,
            procs: ProcConfig {
                max_connections: s.int("max_connections") as usize,
                autovacuum_workers: s.int("autovacuum_max_workers") as usize,
                max_workers: (s.int("max_worker_processes") + s.int("max_wal_senders")) as usize,
                query_bytes: s.int("track_activity_query_size") as usize,
            },
            locks_per_transaction: s.int("max_locks_per_transaction") as usize,
            reads_per_transaction: s.int("max_pred_locks_per_transaction") as usize,
            statement_stats: commands::query_ids::is_preloaded(s, pg_stat_statements::LIBRARY)
                .then(|| s.int("pg_stat_statements.max") as usize),
            max_worker_processes: s.int("max_worker_processes") as usize,
        }
    }
}

/// The segment and its parts.
pub struct Shared {
    pub config: SharedConfig,
    pub segment: Segment,
    pub procs: ProcTable,
    pub workers: WorkerTable,
    storage: SharedStorage,
    transam: TransamShared,
    statement_stats: Option<pg_stat_statements::Store>,
}

impl Shared {
    /// Maps and initialises the segment. Before any fork.
    pub fn create(config: SharedConfig) -> Result<Shared> {
        let mut layout = Layout::new();
        let procs_handle = ProcTable::reserve(&mut layout, config.procs);
        let storage_handle = SharedStorage::reserve(&mut layout, &config.storage);
        let transam_config = TransamConfig {
            procs: config.procs,
            locks_per_transaction: config.locks_per_transaction,
            reads_per_transaction: config.reads_per_transaction,
        };
        let transam_handle = TransamShared::reserve(&mut layout, &transam_config);
        let statements_handle =
            config.statement_stats.map(|max| pg_stat_statements::Store::reserve(&mut layout, max));
        let workers_handle = WorkerTable::reserve(&mut layout, config.max_worker_processes);
        let segment = Segment::create(layout)?;
        let procs = ProcTable::attach(&segment, procs_handle);
        let workers = WorkerTable::attach(&segment, workers_handle);
        let storage = SharedStorage::attach(&segment, storage_handle);
        let transam = TransamShared::attach(&segment, transam_handle);
        let statement_stats = statements_handle.map(|h| pg_stat_statements::Store::attach(&segment, h));
        procs.init();
        statement_stats.iter().for_each(pg_stat_statements::Store::init);
        storage.init(&config.storage);
        transam.init();
        Ok(Shared { config, segment, procs, workers, storage, transam, statement_stats })
    }

    /// Where statements are counted.
    pub fn statement_stats(&self) -> Option<pg_stat_statements::Store> {
        self.statement_stats
    }

    /// Takes a slot for this process and builds its engine. 53300 when all slots of the kind are taken.
    pub fn enter(&self, kind: BackendKind) -> Result<Rc<Engine>> {
        let Some(proc) = self.procs.allocate(kind) else {
            return Err(err!(TOO_MANY_CONNECTIONS, "sorry, too many clients already").fatal());
        };
        proc.activity.start(ipc::clock::now(), "", "", 0);
        let interrupts = Rc::new(Interrupts::new());
        interrupts.attach(proc);
        let store = Store::new(self.storage, proc, interrupts.clone(), &self.config.storage);
        Ok(Rc::new(Engine::new(EngineParts {
            store,
            shared: self.transam,
            proc,
            procs: self.procs,
            interrupts,
            data_dir: self.config.data_dir.clone(),
        })))
    }

    /// Gives the slot back at the end of a process.
    pub fn leave(&self, engine: &Engine) {
        engine.shutdown();
        engine.interrupts().detach();
        self.procs.release(engine.proc());
    }
}
