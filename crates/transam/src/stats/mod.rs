//! Cumulative counters of tables and indexes: what autovacuum's thresholds and `pg_stat_all_tables` read.
//!
//! A process counts privately ([`pending`]) while its transaction runs and adds to the shared table ([`table`]) when it
//! ends, by PostgreSQL's rules: rows of an aborted transaction are dead rows. The shared table is bounded; when it is
//! full, further relations are not counted. [`file`] keeps it over restarts and crashes.

mod file;
mod groups;
mod pending;
mod table;
mod view;

pub(crate) use groups::Gathered;
pub use groups::{ArchiverStats, DatabaseRows, DatabaseStats, WalStats, WriterStats};
pub(crate) use pending::Pending;
pub use table::{SAVED_TABLES_MAX, StatsHandle, StatsTable, TableStats};
pub use view::{Consistency, StatsView};

use crate::Engine;
use common::Oid;
use ipc::{BackendKind, clock};
use std::collections::BTreeSet;

/// A relation of a database; database 0 for relations shared by all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatKey(pub(crate) u64);

impl StatKey {
    /// From the database (0 for shared relations) and the relation.
    #[inline]
    pub fn new(db: Oid, rel: Oid) -> StatKey {
        StatKey(u64::from(db.0) << 32 | u64::from(rel.0))
    }
    /// The database, 0 for shared relations.
    pub fn database(self) -> Oid {
        // The highest bit marks keys of files.
        Oid((self.0 >> 32) as u32 & 0x7fff_ffff)
    }
    /// The relation.
    pub fn relation(self) -> Oid {
        Oid(self.0 as u32)
    }
}

impl Engine {
    /// Turns counting on or off (`track_counts`).
    pub fn set_track_counts(&self, on: bool) {
        self.track_counts.set(on);
    }
    #[inline]
    fn count(&self, key: StatKey, f: impl FnOnce(&mut pending::Table)) {
        if self.track_counts.get() && key.relation().is_valid() {
            f(self.stats.borrow_mut().table(key));
        }
    }
    /// Rows were inserted.
    pub fn count_insert(&self, key: StatKey, rows: u64) {
        let nest = self.nest_level();
        self.count(key, |t| t.level(nest).inserted += rows as i64);
    }
    /// A row was updated; `hot`: without new index entries.
    pub fn count_update(&self, key: StatKey, hot: bool) {
        let nest = self.nest_level();
        self.count(key, |t| {
            t.level(nest).updated += 1;
            t.add.tuples_hot_updated += i64::from(hot);
        });
    }
    /// A row was deleted.
    pub fn count_delete(&self, key: StatKey) {
        let nest = self.nest_level();
        self.count(key, |t| t.level(nest).deleted += 1);
    }
    /// The relation was emptied by giving it new files.
    pub fn count_truncate(&self, key: StatKey) {
        let nest = self.nest_level();
        self.count(key, |t| t.truncate(nest));
    }
    /// A scan began: of the whole table, or of the index.
    pub fn count_scan(&self, key: StatKey) {
        self.count(key, |t| t.add.scans += 1);
    }
    /// A sequential scan returned rows.
    pub fn count_returned(&self, key: StatKey, rows: u64) {
        self.count(key, |t| t.add.tuples_returned += rows as i64);
    }
    /// Rows were fetched from the table for an index.
    pub fn count_fetched(&self, key: StatKey, rows: u64) {
        self.count(key, |t| t.add.tuples_fetched += rows as i64);
    }
    /// Pruning removed dead rows.
    pub fn count_pruned(&self, key: StatKey, rows: u64) {
        self.count(key, |t| t.add.dead_tuples -= rows as i64);
    }
    /// VACUUM is done with a table.
    pub fn report_vacuum(&self, key: StatKey, live: f64, dead: u64) {
        if !self.track_counts.get() {
            return;
        }
        let auto = self.proc().kind() == BackendKind::AutovacuumWorker;
        self.shared.stats.vacuumed(self.proc(), key, live.max(0.0) as i64, dead as i64, auto, clock::now());
    }
    /// ANALYZE is done with a table; `all_columns`: of all its columns. What this transaction itself has changed is
    /// left out, since it will be added when it ends.
    pub fn report_analyze(&self, key: StatKey, live: f64, dead: f64, all_columns: bool) {
        if !self.track_counts.get() {
            return;
        }
        let auto = self.proc().kind() == BackendKind::AutovacuumWorker;
        let (own_live, own_dead) = self.stats.borrow_mut().table(key).own();
        let live = (live.max(0.0) as i64 - own_live).max(0);
        let dead = (dead.max(0.0) as i64 - own_dead).max(0);
        self.shared.stats.analyzed(self.proc(), key, live, dead, all_columns, auto, clock::now());
    }
    /// What is known of a relation.
    pub fn table_stats(&self, key: StatKey) -> Option<TableStats> {
        self.seen_stats(key)
    }
    /// What the running transaction has counted of a relation so far.
    pub fn pending_stats(&self, key: StatKey) -> Option<TableStats> {
        self.stats.borrow().peek(key)
    }
    /// Databases of which something is known.
    pub fn stats_databases(&self) -> Vec<Oid> {
        let keys = self.shared.stats.keys().into_iter();
        let mut all: Vec<Oid> =
            keys.filter(|k| !groups::is_group(*k) && !groups::is_file(*k)).map(StatKey::database).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
    /// Forgets all databases but these; what belongs to none stays.
    pub fn stats_retain_databases(&self, live: &[Oid]) {
        self.stats_retain(|k| match groups::database_of(k) {
            db if db.is_valid() => live.contains(&db),
            _ => true,
        });
    }
    /// Forgets the relations of a database that are not among these. Its own counters, and those of files, stay.
    pub fn stats_retain_relations(&self, db: Oid, live: &BTreeSet<Oid>) {
        let of_relation = |k| !groups::is_group(k) && !groups::is_file(k) && k.database() == db;
        self.stats_retain(|k| !of_relation(k) || live.contains(&k.relation()));
    }
    fn stats_retain(&self, keep: impl Fn(StatKey) -> bool) {
        for key in self.shared.stats.keys() {
            if !keep(key) {
                self.shared.stats.remove(self.proc(), key);
            }
        }
    }
    /// The transaction has ended: its counts become everybody's.
    pub(crate) fn stats_at_end(&self, committed: bool) {
        let mut stats = self.stats.borrow_mut();
        stats.end(committed, |key, sum| {
            self.gather_rows(key, &sum.add);
            self.shared.stats.add(self.proc(), key, sum);
        });
        drop(stats);
        self.stats_view.clear();
        self.count_transaction(committed);
    }
    /// What a parent has counted before the fork is not a worker's.
    pub(crate) fn forget_counts(&self) {
        *self.stats.borrow_mut() = Pending::default();
        self.forget_gathered();
    }
    /// A worker's counts become everybody's. It has no transaction of its own.
    pub(crate) fn hand_counts_over(&self) {
        self.stats.borrow_mut().end(true, |key, sum| {
            self.gather_rows(key, &sum.add);
            self.shared.stats.add(self.proc(), key, sum);
        });
        self.flush_counters();
    }
    /// A subtransaction has ended.
    pub(crate) fn stats_at_subxact_end(&self, level: u32, committed: bool) {
        self.stats.borrow_mut().end_level(level, committed);
    }
}
