//! The shared table of statements: a hash table in partitions, each under its own lock, which guards its entries'
//! counters as well. Lock order: partitions ascending; whoever needs the whole table (to evict, to rewrite the file of
//! texts, to read) takes all of them. Texts are in a file ([`super::texts`]); its end is reserved by an atomic add.

use super::entry::{Amounts, Entry, Phase, Used};
use super::texts;
use common::Result;
use ipc::shmhash::{ShmHash, ShmHashHandle};
use ipc::{Handle, Layout, PaddedLwLock, Proc, Segment, Tranche, shared_struct};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};

const PARTITIONS: usize = 16;
/// Part of the entries that goes when the table is full, in percent; and what is left of everybody's usage.
const EVICTED_PERCENT: usize = 5;
const EVICTED_MIN: usize = 10;
const USAGE_LEFT: f64 = 0.99;
/// Texts are rewritten without those of statements that are gone when the file is larger than this for each statement
/// that fits.
const TEXT_BYTES_EACH: u64 = 512;

/// How often a new statement is tried to be put in, while others move texts or fill the table.
const STORE_TRIES: u32 = 4;

/// What a statement is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub user: u32,
    pub database: u32,
    pub query: i64,
    pub toplevel: bool,
}

impl Key {
    fn words(&self) -> [u64; 3] {
        [u64::from(self.user) << 32 | u64::from(self.database), self.query as u64, u64::from(self.toplevel)]
    }
    fn of_words(w: [u64; 3]) -> Key {
        Key { user: (w[0] >> 32) as u32, database: w[0] as u32, query: w[1] as i64, toplevel: w[2] != 0 }
    }
}

/// A statement as read.
pub struct Row {
    pub key: Key,
    pub usage: f64,
    pub amounts: Amounts,
    pub text: Option<String>,
}

shared_struct! {
    pub struct Header {
        locks: [PaddedLwLock; PARTITIONS],
        dealloc: AtomicI64,
        stats_reset: AtomicI64,
        /// End of the file of texts.
        text_end: AtomicU64,
        /// Changes when texts move: a place found before is worthless.
        text_moves: AtomicU64,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct StoreHandle {
    header: Handle<Header>,
    table: ShmHashHandle<3, Entry>,
}

/// The table as one process sees it.
#[derive(Clone, Copy)]
pub struct Store {
    header: &'static Header,
    table: ShmHash<3, Entry>,
}

impl Store {
    /// Reserves it for `max` statements.
    pub fn reserve(l: &mut Layout, max: usize) -> StoreHandle {
        StoreHandle {
            header: l.reserve("pg_stat_statements", 1),
            table: ShmHash::reserve(l, "pg_stat_statements hash", max),
        }
    }
    /// Finds it.
    pub fn attach(seg: &Segment, h: StoreHandle) -> Store {
        Store { header: seg.get(h.header), table: ShmHash::attach(seg, h.table) }
    }
    /// Once, before any fork.
    pub fn init(&self) {
        self.header.locks.iter().for_each(|l| l.init(Tranche::PG_STAT_STATEMENTS));
        self.table.init();
        self.set_info(0, ipc::clock::now());
    }
    /// Evictions so far, and when everything was reset last.
    pub fn info(&self) -> (i64, i64) {
        (self.header.dealloc.load(Relaxed), self.header.stats_reset.load(Relaxed))
    }
    pub(super) fn set_info(&self, dealloc: i64, stats_reset: i64) {
        self.header.dealloc.store(dealloc, Relaxed);
        self.header.stats_reset.store(stats_reset, Relaxed);
    }
    pub(super) fn set_text_end(&self, end: u64) {
        self.header.text_end.store(end, Relaxed);
    }

    /// Counts one execution. `text` makes the statement's text if it was not seen before.
    pub fn count(
        &self,
        me: &Proc,
        key: &Key,
        (phase, ms, rows): (Phase, f64, u64),
        blocks: &Used,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        let words = key.words();
        let hash = ShmHash::<3, Entry>::hash(&words);
        let lock = &self.header.locks[hash as usize % PARTITIONS];
        {
            let _g = lock.exclusive(me);
            if let Some(i) = self.table.find(hash, &words) {
                self.table.value(i).add(phase, ms, rows, blocks);
                return Ok(());
            }
        }
        let text = text();
        for _ in 0..STORE_TRIES {
            let (moves, at, len) = self.store_text(me, &text)?;
            let guard = lock.exclusive(me);
            if self.header.text_moves.load(Relaxed) != moves {
                continue;
            }
            if let Some((i, there)) = self.table.find_or_insert(hash, &words) {
                let e = self.table.value(i);
                if !there {
                    self.reset_entry(e, at, len);
                }
                e.add(phase, ms, rows, blocks);
                return Ok(());
            }
            drop(guard);
            self.evict(me);
        }
        Ok(())
    }

    fn reset_entry(&self, e: &Entry, at: u64, len: u64) {
        e.text_at.store(at, Relaxed);
        e.text_len.store(len, Relaxed);
        e.usage.store(0f64.to_bits(), Relaxed);
        e.write(&Amounts::default());
    }

    /// Puts a text into the file.
    fn store_text(&self, me: &Proc, text: &str) -> Result<(u64, u64, u64)> {
        let limit = TEXT_BYTES_EACH * self.table.capacity() as u64;
        if self.header.text_end.load(Relaxed) > limit {
            self.rewrite_texts(me, limit)?;
        }
        let moves = self.header.text_moves.load(Relaxed);
        let len = text.len() as u64;
        let at = self.header.text_end.fetch_add(len, Relaxed);
        texts::write(at, text)?;
        Ok((moves, at, len))
    }

    /// Runs `f` with all partitions locked.
    fn with_all<R>(&self, me: &Proc, f: impl FnOnce() -> R) -> R {
        let guards: Vec<_> = self.header.locks.iter().map(|l| l.exclusive(me)).collect();
        let r = f();
        drop(guards);
        r
    }

    fn indexes(&self) -> Vec<u32> {
        self.table.indexes(0, 1)
    }

    /// Drops the texts of statements that are gone, if that is much of the file.
    fn rewrite_texts(&self, me: &Proc, limit: u64) -> Result<()> {
        self.with_all(me, || {
            let live: u64 = self.indexes().iter().map(|i| self.table.value(*i).text_len.load(Relaxed)).sum();
            let end = self.header.text_end.load(Relaxed);
            if end < limit || end < live.saturating_mul(2) {
                return Ok(());
            }
            let old = texts::read();
            let mut new = Vec::new();
            for i in self.indexes() {
                let e = self.table.value(i);
                let (at, len) = (e.text_at.load(Relaxed), e.text_len.load(Relaxed));
                let text = texts::slice(&old, at, len).unwrap_or_default();
                e.text_at.store(new.len() as u64, Relaxed);
                e.text_len.store(text.len() as u64, Relaxed);
                new.extend_from_slice(text.as_bytes());
            }
            self.header.text_moves.fetch_add(1, Relaxed);
            texts::replace(&new)?;
            self.set_text_end(new.len() as u64);
            Ok(())
        })
    }

    /// Removes the statements least in use.
    fn evict(&self, me: &Proc) {
        self.with_all(me, || {
            let mut all: Vec<(f64, u32)> = Vec::new();
            for i in self.indexes() {
                let e = self.table.value(i);
                let usage = f64::from_bits(e.usage.load(Relaxed)) * USAGE_LEFT;
                e.usage.store(usage.to_bits(), Relaxed);
                all.push((usage, i));
            }
            if all.len() < self.table.capacity() {
                return;
            }
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let n = (all.len() * EVICTED_PERCENT / 100).max(EVICTED_MIN).min(all.len());
            for (_, i) in &all[..n] {
                self.table.remove(self.table.hash_of(*i), &self.table.key(*i));
            }
            self.header.dealloc.fetch_add(1, Relaxed);
        });
    }

    /// Forgets statements: of a user, a database, an identifier; 0 is all.
    pub fn reset(&self, me: &Proc, user: u32, database: u32, query: i64) -> Result<()> {
        self.with_all(me, || {
            for i in self.indexes() {
                let k = Key::of_words(self.table.key(i));
                let goes = (user == 0 || k.user == user)
                    && (database == 0 || k.database == database)
                    && (query == 0 || k.query == query);
                if goes {
                    self.table.remove(self.table.hash_of(i), &self.table.key(i));
                }
            }
            if user == 0 && database == 0 && query == 0 {
                self.set_info(0, ipc::clock::now());
            }
            if self.table.is_empty() {
                self.header.text_moves.fetch_add(1, Relaxed);
                self.set_text_end(0);
                return texts::replace(&[]);
            }
            Ok(())
        })
    }

    /// All statements, with their texts if wanted.
    pub fn read(&self, me: &Proc, with_texts: bool) -> Result<Vec<Row>> {
        Ok(self.with_all(me, || {
            let all = if with_texts { texts::read() } else { Vec::new() };
            let row = |i: u32| {
                let e = self.table.value(i);
                let place = (e.text_at.load(Relaxed), e.text_len.load(Relaxed));
                Row {
                    key: Key::of_words(self.table.key(i)),
                    usage: f64::from_bits(e.usage.load(Relaxed)),
                    amounts: e.read(),
                    text: if with_texts { texts::slice(&all, place.0, place.1) } else { None },
                }
            };
            self.indexes().into_iter().map(row).collect()
        }))
    }

    /// Puts back what was saved; false if the table is full.
    pub(super) fn restore(&self, key: &Key, usage: f64, a: &Amounts, (at, len): (u64, u64)) -> bool {
        let words = key.words();
        let Some(i) = self.table.insert(ShmHash::<3, Entry>::hash(&words), &words) else { return false };
        let e = self.table.value(i);
        self.reset_entry(e, at, len);
        e.write(a);
        e.usage.store(usage.to_bits(), Relaxed);
        true
    }
}
