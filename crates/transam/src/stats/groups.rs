//! Counters of a database and of the server as a whole. They live in the same shared table as the relations', under keys
//! that no relation can have, and are kept over restarts and crashes with them.
//!
//! A process gathers its own and hands them over from time to time ([`Engine::flush_counters`]): at most every
//! fiftieth of a second, at its end, and before it reads any.

use super::pending::Sum;
use super::{StatKey, TableStats};
use crate::Engine;
use common::Oid;
use ipc::{BackendKind, clock};
use std::cell::{Cell, RefCell};
use storage::BufferCounters;

/// "Relation" of a database's own counters: no relation has so small an OID.
const OF_DATABASE: Oid = Oid(2);
/// "Relations" of database 0 for the counters of the server.
const OF_WRITER: Oid = Oid(3);
const OF_WAL: Oid = Oid(4);
const OF_ARCHIVER: Oid = Oid(5);
/// "Relation" of what a database's relations have counted, dropped ones included.
const OF_DATABASE_ROWS: Oid = Oid(6);

/// Does a key stand for counters of this module?
pub(super) fn is_group(key: StatKey) -> bool {
    (2..10).contains(&key.relation().0)
}

/// Key of a relation's file: the database with its highest bit set, and the file's number.
fn file_key(db: Oid, relfilenode: Oid) -> StatKey {
    StatKey::new(Oid(db.0 | 0x8000_0000), relfilenode)
}

/// Does a key stand for a file?
pub(super) fn is_file(key: StatKey) -> bool {
    key.0 >> 63 != 0
}

/// The database a key belongs to, files' keys included; invalid for what all databases share.
pub(super) fn database_of(key: StatKey) -> Oid {
    Oid(key.database().0 & 0x7fff_ffff)
}

macro_rules! group {
    ($(#[$m:meta])* $name:ident { $($(#[$fm:meta])* $f:ident),+ $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$fm])* pub $f: i64,)+
        }
        impl $name {
            fn to_stats(self) -> TableStats {
                let mut a = [0; TableStats::FIELDS];
                let mine = [$(self.$f),+];
                a[..mine.len()].copy_from_slice(&mine);
                TableStats::from_array(a)
            }
            fn from_stats(s: TableStats) -> $name {
                let a = s.to_array();
                let mut at = a.iter();
                $(let $f = at.next().copied().unwrap_or(0);)+
                $name { $($f),+ }
            }
        }
    };
}

group! {
    /// `pg_stat_database`; times in microseconds.
    DatabaseStats {
        xact_commit,
        xact_rollback,
        blocks_read,
        blocks_hit,
        temp_files,
        temp_bytes,
        deadlocks,
        session_time,
        active_time,
        idle_in_transaction_time,
        sessions,
        sessions_abandoned,
        sessions_fatal,
        sessions_killed,
        checksum_failures,
        /// Moment of the last reset.
        stats_reset,
    }
}

group! {
    /// More of `pg_stat_database`: rows, and microseconds of input and output.
    DatabaseRows {
        returned,
        fetched,
        inserted,
        updated,
        deleted,
        read_time,
        write_time,
    }
}

impl DatabaseRows {
    fn add(&mut self, t: &TableStats) {
        self.returned += t.tuples_returned;
        self.fetched += t.tuples_fetched;
        self.inserted += t.tuples_inserted;
        self.updated += t.tuples_updated;
        self.deleted += t.tuples_deleted;
    }
}

group! {
    /// `pg_stat_bgwriter`; times in microseconds.
    WriterStats {
        checkpoints_timed,
        checkpoints_requested,
        write_time,
        sync_time,
        buffers_checkpoint,
        buffers_clean,
        maxwritten_clean,
        buffers_backend,
        buffers_backend_fsync,
        buffers_alloc,
        stats_reset,
    }
}

group! {
    /// `pg_stat_wal`; times in microseconds.
    WalStats {
        records,
        images,
        bytes,
        buffers_full,
        writes,
        syncs,
        write_time,
        sync_time,
        stats_reset,
    }
}

group! {
    /// The numbers of `pg_stat_archiver`; segments as their number + 1.
    ArchiverStats {
        archived,
        last_archived,
        last_archived_time,
        failed,
        last_failed,
        last_failed_time,
        stats_reset,
    }
}

/// What a process has gathered and not handed over.
#[derive(Default)]
pub(crate) struct Gathered {
    database: RefCell<DatabaseStats>,
    /// Of the own database, and of the shared relations.
    rows: Cell<(DatabaseRows, DatabaseRows)>,
    /// The storage counters at the last hand-over.
    seen: Cell<BufferCounters>,
    at: Cell<i64>,
}

/// Microseconds between two hand-overs.
const INTERVAL: i64 = 20_000;

impl Engine {
    /// Counts something of this process's database.
    pub fn count_database(&self, f: impl FnOnce(&mut DatabaseStats)) {
        if self.track_counts.get() {
            f(&mut self.gathered.database.borrow_mut());
        }
    }
    /// What a transaction has counted of a relation.
    pub(super) fn gather_rows(&self, key: StatKey, add: &TableStats) {
        let g = &self.gathered.rows;
        let (mut own, mut shared) = g.get();
        if key.database().is_valid() {
            own.add(add)
        } else {
            shared.add(add)
        }
        g.set((own, shared));
    }
    /// A transaction has ended.
    pub(crate) fn count_transaction(&self, committed: bool) {
        self.count_database(|d| if committed { d.xact_commit += 1 } else { d.xact_rollback += 1 });
        if clock::monotonic() - self.gathered.at.get() >= INTERVAL {
            self.flush_counters();
        }
    }
    /// A worker of this process has used so much: EXPLAIN counts it here, the statistics have it from the worker.
    pub fn add_worker_usage(&self, used: &BufferCounters) {
        self.store.add_counters(used);
        let g = &self.gathered.seen;
        g.set(g.get().plus(used));
    }
    /// Forgets what was gathered.
    pub(super) fn forget_gathered(&self) {
        let g = &self.gathered;
        *g.database.borrow_mut() = DatabaseStats::default();
        g.rows.take();
        g.seen.set(self.store.counters());
    }
    /// Hands over what was gathered.
    pub fn flush_counters(&self) {
        self.shared.flush_slru_hits(self.proc());
        let g = &self.gathered;
        g.at.set(clock::monotonic());
        if self.track_counts.get() {
            self.flush_files();
        }
        let now = self.store.counters();
        let seen = g.seen.replace(now);
        let delta = |f: fn(&BufferCounters) -> u64| (f(&now) - f(&seen)) as i64;
        let mut d = std::mem::take(&mut *g.database.borrow_mut());
        d.blocks_read += delta(|c| c.shared_read);
        d.blocks_hit += delta(|c| c.shared_hit);
        let db = self.proc().database();
        let (mut rows, shared) = g.rows.take();
        rows.read_time += delta(|c| c.read_ns) / 1000;
        rows.write_time += delta(|c| c.write_ns) / 1000;
        for (db, r) in [(db, rows), (Oid::INVALID, shared)] {
            if r != DatabaseRows::default() {
                self.add_group(StatKey::new(db, OF_DATABASE_ROWS), r.to_stats());
            }
        }
        if db.is_valid() && d != DatabaseStats::default() {
            self.add_group(StatKey::new(db, OF_DATABASE), d.to_stats());
        }
        let wal = WalStats {
            records: delta(|c| c.wal_records),
            images: delta(|c| c.wal_images),
            bytes: delta(|c| c.wal_bytes),
            writes: delta(|c| c.wal_writes),
            syncs: delta(|c| c.wal_syncs),
            write_time: delta(|c| c.wal_write_ns) / 1000,
            sync_time: delta(|c| c.wal_sync_ns) / 1000,
            ..WalStats::default()
        };
        if wal != WalStats::default() {
            self.add_group(StatKey::new(Oid::INVALID, OF_WAL), wal.to_stats());
        }
        let own = !matches!(self.proc().kind(), BackendKind::Checkpointer | BackendKind::BackgroundWriter);
        let writer = WriterStats {
            buffers_backend: if own { delta(|c| c.shared_written) } else { 0 },
            buffers_alloc: delta(|c| c.shared_read),
            ..WriterStats::default()
        };
        if writer != WriterStats::default() {
            self.count_writer(&writer);
        }
    }
    /// Blocks of a relation's file: `tuples_returned` fetched, `tuples_fetched` of these found in the pool.
    pub fn file_stats(&self, db: Oid, relfilenode: Oid) -> TableStats {
        self.seen_stats(file_key(db, relfilenode)).unwrap_or_default()
    }
    fn flush_files(&self) {
        for (rel, c) in self.store.take_file_counts() {
            let add = TableStats {
                tuples_returned: (c.hit + c.read) as i64,
                tuples_fetched: c.hit as i64,
                ..TableStats::default()
            };
            self.add_group(file_key(rel.db_oid, Oid(rel.rel_number)), add);
        }
    }
    fn add_group(&self, key: StatKey, add: TableStats) {
        self.shared.stats.add_group(self.proc(), key, &Sum { add, emptied: false });
    }
    fn group(&self, db: Oid, rel: Oid) -> TableStats {
        self.seen_stats(StatKey::new(db, rel)).unwrap_or_default()
    }
    /// Counters of a database (0: of the shared objects).
    pub fn database_stats(&self, db: Oid) -> DatabaseStats {
        DatabaseStats::from_stats(self.group(db, OF_DATABASE))
    }
    /// What a database's relations have counted, dropped ones included.
    pub fn database_rows(&self, db: Oid) -> DatabaseRows {
        DatabaseRows::from_stats(self.group(db, OF_DATABASE_ROWS))
    }
    /// Counters of the server that were never reset count from this moment.
    pub fn begin_counting(&self) {
        for (what, since) in [
            ("bgwriter", self.writer_stats().stats_reset),
            ("wal", self.wal_stats().stats_reset),
            ("archiver", self.archiver_stats().stats_reset),
        ] {
            if since == 0 {
                self.reset_shared_stats(what);
            }
        }
    }
    /// Counters of writers and checkpoints.
    pub fn writer_stats(&self) -> WriterStats {
        WriterStats::from_stats(self.group(Oid::INVALID, OF_WRITER))
    }
    /// Adds to them.
    pub fn count_writer(&self, add: &WriterStats) {
        self.add_group(StatKey::new(Oid::INVALID, OF_WRITER), add.to_stats());
    }
    /// Counters of the log.
    pub fn wal_stats(&self) -> WalStats {
        WalStats::from_stats(self.group(Oid::INVALID, OF_WAL))
    }
    /// Counters of the archiver.
    pub fn archiver_stats(&self) -> ArchiverStats {
        ArchiverStats::from_stats(self.group(Oid::INVALID, OF_ARCHIVER))
    }
    /// The archiver, their only writer, replaces them.
    pub fn set_archiver_stats(&self, s: &ArchiverStats) {
        let key = StatKey::new(Oid::INVALID, OF_ARCHIVER);
        self.shared.stats.set(self.proc(), key, &s.to_stats());
        self.shared.stats.set_changed();
    }

    /// `pg_stat_reset`: a database's counters and those of its relations.
    pub fn reset_database_stats(&self, db: Oid) {
        self.flush_counters();
        let stats = &self.shared.stats;
        for k in stats.keys().into_iter().filter(|k| k.database() == db && !is_group(*k)) {
            stats.remove(self.proc(), k);
        }
        let fresh = DatabaseStats { stats_reset: clock::now(), ..DatabaseStats::default() };
        stats.set(self.proc(), StatKey::new(db, OF_DATABASE), &fresh.to_stats());
        stats.set(self.proc(), StatKey::new(db, OF_DATABASE_ROWS), &DatabaseRows::default().to_stats());
        stats.set_changed();
    }
    /// `pg_stat_reset_single_table_counters`
    pub fn reset_relation_stats(&self, key: StatKey) {
        self.shared.stats.remove(self.proc(), key);
    }
    /// `pg_stat_reset_shared`: `bgwriter`, `wal` or `archiver`; false for another word.
    pub fn reset_shared_stats(&self, what: &str) -> bool {
        self.flush_counters();
        let now = clock::now();
        let (rel, s) = match what {
            "bgwriter" => (OF_WRITER, WriterStats { stats_reset: now, ..WriterStats::default() }.to_stats()),
            "wal" => (OF_WAL, WalStats { stats_reset: now, ..WalStats::default() }.to_stats()),
            "archiver" => {
                (OF_ARCHIVER, ArchiverStats { stats_reset: now, ..ArchiverStats::default() }.to_stats())
            }
            _ => return false,
        };
        self.shared.stats.set(self.proc(), StatKey::new(Oid::INVALID, rel), &s);
        self.shared.stats.set_changed();
        true
    }
}
