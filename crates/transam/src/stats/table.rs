//! The shared table: open addressing over (database, relation). Counters are added to without a lock; a lock
//! serialises those who add or remove relations. A removed relation leaves a tombstone that a later one takes over, so
//! a process that adds to it at that very moment may count a few rows to the wrong relation: they are statistics.

use super::StatKey;
use super::groups::is_group;
use ipc::{Handle, Layout, PaddedLwLock, Proc, Segment, Tranche, shared_struct};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// Most relations and files that are counted, databases and the like included.
pub const SAVED_TABLES_MAX: usize = 32_768;
/// Of these, kept for the counters of databases and of the server.
const RESERVED: usize = 1024;
/// Places: twice as many, so that searches stay short.
const PLACES: usize = 2 * SAVED_TABLES_MAX;
const EMPTY: u64 = 0;
/// No relation of database 0 has OID 1.
const TOMBSTONE: u64 = 1;

macro_rules! counters {
    ($($(#[$m:meta])* $f:ident),+ $(,)?) => {
        shared_struct! {
            /// One relation.
            pub struct Entry {
                key: AtomicU64,
                $($f: AtomicI64,)+
            }
        }
        /// Counters of one relation; times are microseconds since 2000, 0 is never.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct TableStats {
            $($(#[$m])* pub $f: i64,)+
        }
        impl TableStats {
            /// Number of counters.
            pub(super) const FIELDS: usize = [$(stringify!($f)),+].len();
            pub(super) fn to_array(self) -> [i64; Self::FIELDS] {
                [$(self.$f),+]
            }
            pub(super) fn from_array(a: [i64; Self::FIELDS]) -> TableStats {
                let [$($f),+] = a;
                TableStats { $($f),+ }
            }
        }
        impl Entry {
            fn read(&self) -> TableStats {
                TableStats { $($f: self.$f.load(Relaxed)),+ }
            }
            fn write(&self, s: &TableStats) {
                $(self.$f.store(s.$f, Relaxed);)+
            }
            fn add(&self, s: &TableStats) {
                $(if s.$f != 0 {
                    self.$f.fetch_add(s.$f, Relaxed);
                })+
            }
        }
    };
}

counters! {
    /// Sequential scans of a table, scans of an index.
    scans,
    tuples_returned,
    tuples_fetched,
    tuples_inserted,
    tuples_updated,
    tuples_deleted,
    tuples_hot_updated,
    /// Estimates, set by VACUUM and ANALYZE, carried on by what is counted.
    live_tuples,
    dead_tuples,
    mod_since_analyze,
    ins_since_vacuum,
    last_vacuum,
    last_autovacuum,
    last_analyze,
    last_autoanalyze,
    vacuum_count,
    autovacuum_count,
    analyze_count,
    autoanalyze_count,
}

shared_struct! {
    /// The table's own state.
    pub struct Header {
        lock: PaddedLwLock,
        used: AtomicU32,
        /// Something was counted since the table was saved.
        changed: AtomicU32,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct StatsHandle {
    header: Handle<Header>,
    entries: Handle<Entry>,
}

/// The table as one process sees it.
#[derive(Clone, Copy)]
pub struct StatsTable {
    header: &'static Header,
    entries: &'static [Entry],
}

impl StatsTable {
    /// Reserves it.
    pub fn reserve(l: &mut Layout) -> StatsHandle {
        StatsHandle {
            header: l.reserve("Cumulative Statistics Header", 1),
            entries: l.reserve("Cumulative Statistics", PLACES),
        }
    }
    /// Finds it.
    pub fn attach(seg: &Segment, h: StatsHandle) -> StatsTable {
        StatsTable { header: seg.get(h.header), entries: seg.slice(h.entries) }
    }
    /// Names the lock; once, before any fork.
    pub fn init(&self) {
        self.header.lock.init(Tranche::PG_STATS);
    }
    fn place(at: usize, key: u64) -> usize {
        (ipc::hash::hash_words(&[key]) as usize).wrapping_add(at) % PLACES
    }
    fn find(&self, key: StatKey) -> Option<&'static Entry> {
        for at in 0..PLACES {
            let e = &self.entries[Self::place(at, key.0)];
            match e.key.load(Acquire) {
                k if k == key.0 => return Some(e),
                EMPTY => return None,
                _ => {}
            }
        }
        None
    }
    /// Finds or adds; `None` when the table is full.
    fn entry(&self, me: &Proc, key: StatKey) -> Option<&'static Entry> {
        if let Some(e) = self.find(key) {
            return Some(e);
        }
        let _g = self.header.lock.exclusive(me);
        if let Some(e) = self.find(key) {
            return Some(e);
        }
        let limit = if is_group(key) { SAVED_TABLES_MAX } else { SAVED_TABLES_MAX - RESERVED };
        if self.header.used.load(Relaxed) as usize >= limit {
            return None;
        }
        let free = (0..PLACES)
            .map(|at| &self.entries[Self::place(at, key.0)])
            .find(|e| matches!(e.key.load(Relaxed), EMPTY | TOMBSTONE))?;
        free.write(&TableStats::default());
        free.key.store(key.0, Release);
        self.header.used.fetch_add(1, Relaxed);
        Some(free)
    }
    fn touch(&self) {
        if self.header.changed.load(Relaxed) == 0 {
            self.header.changed.store(1, Relaxed);
        }
    }
    /// Was something counted since the last call?
    pub(super) fn take_changed(&self) -> bool {
        self.header.changed.swap(0, Relaxed) != 0
    }
    pub(super) fn set_changed(&self) {
        self.touch();
    }
    /// Counters of a relation.
    pub fn get(&self, key: StatKey) -> Option<TableStats> {
        self.find(key).map(Entry::read)
    }
    /// Replaces the counters of a relation.
    pub(super) fn set(&self, me: &Proc, key: StatKey, s: &TableStats) {
        if let Some(e) = self.entry(me, key) {
            e.write(s);
        }
    }
    /// All relations.
    pub fn keys(&self) -> Vec<StatKey> {
        let all = self.entries.iter().map(|e| e.key.load(Acquire));
        all.filter(|k| !matches!(*k, EMPTY | TOMBSTONE)).map(StatKey).collect()
    }
    /// Forgets a relation.
    pub(super) fn remove(&self, me: &Proc, key: StatKey) {
        let _g = self.header.lock.exclusive(me);
        if let Some(e) = self.find(key) {
            e.key.store(TOMBSTONE, Release);
            self.header.used.fetch_sub(1, Relaxed);
            self.touch();
        }
    }
    /// Adds what a transaction has counted; `emptied`: the table was truncated before.
    pub(super) fn add(&self, me: &Proc, key: StatKey, p: &super::pending::Sum) {
        let Some(e) = self.entry(me, key) else { return };
        if p.emptied {
            for c in [&e.live_tuples, &e.dead_tuples, &e.ins_since_vacuum] {
                c.store(0, Relaxed);
            }
        }
        e.add(&p.add);
        // Estimates may have been too low: they do not become negative.
        for c in [&e.live_tuples, &e.dead_tuples] {
            if c.load(Relaxed) < 0 {
                c.fetch_max(0, Relaxed);
            }
        }
        self.touch();
    }
    /// Adds to counters that are not a relation's.
    pub(super) fn add_group(&self, me: &Proc, key: StatKey, p: &super::pending::Sum) {
        if let Some(e) = self.entry(me, key) {
            e.add(&p.add);
            self.touch();
        }
    }
    /// VACUUM has counted the rows.
    pub(super) fn vacuumed(&self, me: &Proc, key: StatKey, live: i64, dead: i64, auto: bool, now: i64) {
        let Some(e) = self.entry(me, key) else { return };
        e.live_tuples.store(live, Relaxed);
        e.dead_tuples.store(dead, Relaxed);
        e.ins_since_vacuum.store(0, Relaxed);
        let (at, count) =
            if auto { (&e.last_autovacuum, &e.autovacuum_count) } else { (&e.last_vacuum, &e.vacuum_count) };
        at.store(now, Relaxed);
        count.fetch_add(1, Relaxed);
        self.touch();
    }
    /// ANALYZE has estimated the rows.
    pub(super) fn analyzed(
        &self,
        me: &Proc,
        key: StatKey,
        live: i64,
        dead: i64,
        reset: bool,
        auto: bool,
        now: i64,
    ) {
        let Some(e) = self.entry(me, key) else { return };
        e.live_tuples.store(live, Relaxed);
        e.dead_tuples.store(dead, Relaxed);
        if reset {
            e.mod_since_analyze.store(0, Relaxed);
        }
        let (at, count) = if auto {
            (&e.last_autoanalyze, &e.autoanalyze_count)
        } else {
            (&e.last_analyze, &e.analyze_count)
        };
        at.store(now, Relaxed);
        count.fetch_add(1, Relaxed);
        self.touch();
    }
}
