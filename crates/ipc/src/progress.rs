//! What `pg_stat_progress_…` shows of a process: a command, a relation, and numbers whose meaning the command defines.
//! Written by the owner only.

use crate::Shared;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU32};

/// Commands that report. Numbers of parameters are PostgreSQL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Command {
    Vacuum = 1,
    Analyze = 2,
    Cluster = 3,
    CreateIndex = 4,
    BaseBackup = 5,
    Copy = 6,
}

impl Command {
    /// By the word that `pg_stat_get_progress_info` takes.
    pub fn by_name(name: &str) -> Option<Command> {
        Some(match name.to_ascii_uppercase().as_str() {
            "VACUUM" => Command::Vacuum,
            "ANALYZE" => Command::Analyze,
            "CLUSTER" => Command::Cluster,
            "CREATE INDEX" => Command::CreateIndex,
            "BASEBACKUP" => Command::BaseBackup,
            "COPY" => Command::Copy,
            _ => return None,
        })
    }
}

/// What the numbers of VACUUM mean, by their place.
pub mod vacuum {
    pub const PHASE: usize = 0;
    pub const BLOCKS: usize = 1;
    pub const SCANNED: usize = 2;
    pub const VACUUMED: usize = 3;
    pub const INDEX_VACUUMS: usize = 4;
    pub const DEAD_MAX: usize = 5;
    pub const DEAD: usize = 6;
}

/// … of ANALYZE. Phases: 1 sampling, 3 computing, 5 finishing.
pub mod analyze {
    pub const PHASE: usize = 0;
    pub const BLOCKS: usize = 1;
    pub const BLOCKS_DONE: usize = 2;
    pub const EXT_STATS: usize = 3;
    pub const EXT_STATS_DONE: usize = 4;
    pub const CHILDREN: usize = 5;
    pub const CHILDREN_DONE: usize = 6;
    pub const CHILD: usize = 7;
}

/// … of CREATE INDEX and REINDEX.
pub mod create_index {
    /// 1 CREATE INDEX, 2 … CONCURRENTLY, 3 REINDEX, 4 … CONCURRENTLY.
    pub const COMMAND: usize = 0;
    pub const LOCKERS: usize = 3;
    pub const LOCKERS_DONE: usize = 4;
    pub const LOCKER_PID: usize = 5;
    pub const INDEX: usize = 6;
    pub const ACCESS_METHOD: usize = 8;
    /// 2 is the build.
    pub const PHASE: usize = 9;
    /// Of a btree's build: 1 initializing, 2 scanning the table, 3 sorting live tuples, 4 dead ones, 5 loading.
    pub const SUBPHASE: usize = 10;
    pub const TUPLES: usize = 11;
    pub const TUPLES_DONE: usize = 12;
    pub const PARTITIONS: usize = 13;
    pub const PARTITIONS_DONE: usize = 14;
    pub const BLOCKS: usize = 15;
    pub const BLOCKS_DONE: usize = 16;
}

/// … of COPY.
pub mod copy {
    pub const BYTES: usize = 0;
    pub const BYTES_TOTAL: usize = 1;
    pub const TUPLES: usize = 2;
    pub const EXCLUDED: usize = 3;
    /// 1 FROM, 2 TO.
    pub const COMMAND: usize = 4;
    /// 1 a file, 2 a program, 3 the client, 4 a function.
    pub const TYPE: usize = 5;
}

/// … of CLUSTER and VACUUM FULL.
pub mod cluster {
    /// 1 CLUSTER, 2 VACUUM FULL.
    pub const COMMAND: usize = 0;
    /// 1 seq scanning heap, 2 index scanning heap, 3 sorting, 4 writing, 5 swapping files, 6 rebuilding indexes,
    /// 7 final cleanup.
    pub const PHASE: usize = 1;
    pub const INDEX: usize = 2;
    pub const TUPLES_SCANNED: usize = 3;
    pub const TUPLES_WRITTEN: usize = 4;
    pub const BLOCKS: usize = 5;
    pub const BLOCKS_SCANNED: usize = 6;
    pub const INDEXES_REBUILT: usize = 7;
}

/// Number of parameters.
pub const PARAMS: usize = 20;

/// The shared part.
#[repr(C)]
pub struct Progress {
    command: AtomicU32,
    relation: AtomicU32,
    params: [AtomicI64; PARAMS],
}
// SAFETY: atomics only.
unsafe impl Shared for Progress {}

impl Progress {
    /// A command begins: all numbers are 0.
    pub fn begin(&self, c: Command, relation: u32) {
        for p in &self.params {
            p.store(0, Relaxed);
        }
        self.relation.store(relation, Relaxed);
        self.command.store(c as u32, Relaxed);
    }
    /// A number of command `c` changes, if that is what the process reports: a piece of work may be part of another
    /// command (an index built by CLUSTER).
    #[inline]
    pub fn set(&self, c: Command, param: usize, v: i64) {
        if self.command.load(Relaxed) == c as u32
            && let Some(p) = self.params.get(param)
        {
            p.store(v, Relaxed);
        }
    }
    /// A number grows. Only the owner writes.
    #[inline]
    pub fn add(&self, c: Command, param: usize, v: i64) {
        if self.command.load(Relaxed) == c as u32
            && let Some(p) = self.params.get(param)
        {
            p.store(p.load(Relaxed) + v, Relaxed);
        }
    }
    /// The command is over.
    pub fn end(&self) {
        self.command.store(0, Relaxed);
        self.relation.store(0, Relaxed);
    }
    /// Relation and numbers, if this command is being run.
    pub fn read(&self, c: Command) -> Option<(u32, [i64; PARAMS])> {
        if self.command.load(Relaxed) != c as u32 {
            return None;
        }
        Some((self.relation.load(Relaxed), std::array::from_fn(|i| self.params[i].load(Relaxed))))
    }
}

/// Ends the report when dropped, also on the way of an error. Inert within the report of another command.
pub struct Reporting(Option<(&'static Progress, Command)>);

impl Reporting {
    /// Begins, unless a command is being reported.
    pub fn begin(p: &'static Progress, c: Command, relation: u32) -> Reporting {
        if p.command.load(Relaxed) != 0 {
            return Reporting(None);
        }
        p.begin(c, relation);
        Reporting(Some((p, c)))
    }
    /// A number changes.
    #[inline]
    pub fn set(&self, param: usize, v: i64) {
        if let Some((p, c)) = self.0 {
            p.set(c, param, v);
        }
    }
    /// A number grows.
    #[inline]
    pub fn add(&self, param: usize, v: i64) {
        if let Some((p, c)) = self.0 {
            p.add(c, param, v);
        }
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        if let Some((p, _)) = self.0 {
            p.end();
        }
    }
}
