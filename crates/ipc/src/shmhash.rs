//! A fixed-capacity hash table in shared memory: chained buckets, one free list. Keys are arrays of words, values
//! are `Shared`. The caller holds the lock of the key's partition: shared for `find`, exclusive for `insert` and
//! `remove`. All memory is atomic, so a broken lock discipline gives wrong answers, not undefined behaviour.

use crate::segment::{Handle, Layout, Segment};
use crate::{Shared, hash};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

const NIL: u32 = 0;

#[repr(C)]
struct Header {
    /// Tag in the high half (against ABA), index + 1 of the first free entry in the low half.
    free: AtomicU64,
    used: AtomicU32,
    _pad: AtomicU32,
}
// SAFETY: atomics only.
unsafe impl Shared for Header {}

#[repr(C)]
struct Entry<const KW: usize, V> {
    hash: AtomicU32,
    next: AtomicU32,
    key: [AtomicU64; KW],
    value: V,
}
// SAFETY: atomics and a `Shared` value.
unsafe impl<const KW: usize, V: Shared> Shared for Entry<KW, V> {}

/// Reservation of a table.
pub struct ShmHashHandle<const KW: usize, V: Shared> {
    header: Handle<Header>,
    buckets: Handle<AtomicU32>,
    entries: Handle<Entry<KW, V>>,
}
impl<const KW: usize, V: Shared> Clone for ShmHashHandle<KW, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<const KW: usize, V: Shared> Copy for ShmHashHandle<KW, V> {}

/// The table as one process sees it.
pub struct ShmHash<const KW: usize, V: Shared> {
    header: &'static Header,
    buckets: &'static [AtomicU32],
    entries: &'static [Entry<KW, V>],
}

impl<const KW: usize, V: Shared> Clone for ShmHash<KW, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<const KW: usize, V: Shared> Copy for ShmHash<KW, V> {}

impl<const KW: usize, V: Shared> ShmHash<KW, V> {
    /// Reserves room for `capacity` entries.
    pub fn reserve(layout: &mut Layout, name: &str, capacity: usize) -> ShmHashHandle<KW, V> {
        let buckets = capacity.next_power_of_two().max(256);
        ShmHashHandle {
            header: layout.reserve(&format!("{name} header"), 1),
            buckets: layout.reserve(&format!("{name} buckets"), buckets),
            entries: layout.reserve(name, capacity),
        }
    }
    /// Finds the table in the segment.
    pub fn attach(seg: &Segment, h: ShmHashHandle<KW, V>) -> ShmHash<KW, V> {
        ShmHash { header: seg.get(h.header), buckets: seg.slice(h.buckets), entries: seg.slice(h.entries) }
    }
    /// Fills the free list; once, before any fork.
    pub fn init(&self) {
        for (i, e) in self.entries.iter().enumerate() {
            e.next.store(if i + 1 < self.entries.len() { i as u32 + 2 } else { NIL }, Relaxed);
        }
        for b in self.buckets {
            b.store(NIL, Relaxed);
        }
        self.header.used.store(0, Relaxed);
        self.header.free.store(u64::from(!self.entries.is_empty()), Release);
    }
    /// The hash by which partitions are chosen: partition = hash modulo a power of two up to 256.
    #[inline]
    pub fn hash(key: &[u64; KW]) -> u32 {
        hash::hash_words(key)
    }
    #[inline]
    fn bucket(&self, h: u32) -> &'static AtomicU32 {
        &self.buckets[h as usize & (self.buckets.len() - 1)]
    }
    fn matches(e: &Entry<KW, V>, h: u32, key: &[u64; KW]) -> bool {
        e.hash.load(Relaxed) == h && e.key.iter().zip(key).all(|(a, b)| a.load(Relaxed) == *b)
    }
    /// Looks a key up; returns the entry's index, stable while the entry lives.
    #[inline]
    pub fn find(&self, h: u32, key: &[u64; KW]) -> Option<u32> {
        let mut at = self.bucket(h).load(Acquire);
        while at != NIL {
            let e = &self.entries[at as usize - 1];
            if Self::matches(e, h, key) {
                return Some(at - 1);
            }
            at = e.next.load(Acquire);
        }
        None
    }
    /// Value of an entry.
    #[inline]
    pub fn value(&self, index: u32) -> &'static V {
        &self.entries[index as usize].value
    }
    /// Key of an entry.
    pub fn key(&self, index: u32) -> [u64; KW] {
        std::array::from_fn(|i| self.entries[index as usize].key[i].load(Relaxed))
    }
    /// Hash of an entry's key.
    pub fn hash_of(&self, index: u32) -> u32 {
        self.entries[index as usize].hash.load(Relaxed)
    }
    /// Adds a key that is not there. The value keeps what an earlier entry left in it: the caller sets all of it.
    /// `None` when the table is full.
    pub fn insert(&self, h: u32, key: &[u64; KW]) -> Option<u32> {
        let at = self.pop_free()?;
        let e = &self.entries[at as usize - 1];
        e.hash.store(h, Relaxed);
        for (a, b) in e.key.iter().zip(key) {
            a.store(*b, Relaxed);
        }
        let b = self.bucket(h);
        e.next.store(b.load(Relaxed), Relaxed);
        b.store(at, Release);
        self.header.used.fetch_add(1, Relaxed);
        Some(at - 1)
    }
    /// Finds or adds; the flag says whether it was there.
    pub fn find_or_insert(&self, h: u32, key: &[u64; KW]) -> Option<(u32, bool)> {
        match self.find(h, key) {
            Some(i) => Some((i, true)),
            None => self.insert(h, key).map(|i| (i, false)),
        }
    }
    /// Removes a key; returns the index it had.
    pub fn remove(&self, h: u32, key: &[u64; KW]) -> Option<u32> {
        let mut link = self.bucket(h);
        loop {
            let at = link.load(Relaxed);
            if at == NIL {
                return None;
            }
            let e = &self.entries[at as usize - 1];
            if Self::matches(e, h, key) {
                link.store(e.next.load(Relaxed), Release);
                self.push_free(at);
                self.header.used.fetch_sub(1, Relaxed);
                return Some(at - 1);
            }
            link = &e.next;
        }
    }
    /// Entries in use.
    pub fn len(&self) -> usize {
        self.header.used.load(Relaxed) as usize
    }
    /// No entries?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Most entries there can be.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }
    /// Indexes of all entries whose bucket belongs to `partition` of `partitions` (a power of two ≤ 256). The
    /// caller holds that partition's lock.
    pub fn indexes(&self, partition: usize, partitions: usize) -> Vec<u32> {
        let mut out = Vec::new();
        for b in self.buckets.iter().skip(partition).step_by(partitions) {
            let mut at = b.load(Acquire);
            while at != NIL {
                out.push(at - 1);
                at = self.entries[at as usize - 1].next.load(Acquire);
            }
        }
        out
    }
    fn pop_free(&self) -> Option<u32> {
        let mut head = self.header.free.load(Acquire);
        loop {
            let at = head as u32;
            if at == NIL {
                return None;
            }
            let next = self.entries[at as usize - 1].next.load(Relaxed);
            let want = ((head >> 32).wrapping_add(1) << 32) | u64::from(next);
            match self.header.free.compare_exchange_weak(head, want, AcqRel, Acquire) {
                Ok(_) => return Some(at),
                Err(now) => head = now,
            }
        }
    }
    fn push_free(&self, at: u32) {
        let e = &self.entries[at as usize - 1];
        let mut head = self.header.free.load(Acquire);
        loop {
            e.next.store(head as u32, Relaxed);
            let want = ((head >> 32).wrapping_add(1) << 32) | u64::from(at);
            match self.header.free.compare_exchange_weak(head, want, AcqRel, Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}
