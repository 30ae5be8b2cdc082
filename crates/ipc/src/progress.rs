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
    /// A number changes, if a command reports.
    pub fn set(&self, param: usize, v: i64) {
        if let Some(p) = self.params.get(param) {
            p.store(v, Relaxed);
        }
    }
    /// A number grows.
    pub fn add(&self, param: usize, v: i64) {
        if let Some(p) = self.params.get(param) {
            p.fetch_add(v, Relaxed);
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

/// Ends the report when dropped, also on the way of an error.
pub struct Reporting(&'static Progress);

impl Reporting {
    /// Begins.
    pub fn begin(p: &'static Progress, c: Command, relation: u32) -> Reporting {
        p.begin(c, relation);
        Reporting(p)
    }
    /// A number changes.
    pub fn set(&self, param: usize, v: i64) {
        self.0.set(param, v);
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        self.0.end();
    }
}
