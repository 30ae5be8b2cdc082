//! What serializable transactions have read, as a shared table of targets: a row version, a page (of a table, or a leaf of an index
//! for the gaps between its keys), or a whole relation, each with the set of its readers. A writer looks up the targets
//! its change lies in. All of it is under the lock of [`super::table::Head`]: shared to look, exclusive to change.

use common::{BlockNumber, Oid, Tid};
use ipc::{Handle, Layout, Segment, shared_struct};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Part of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Whole,
    Page(BlockNumber),
    Row(Tid),
}

/// A place in a relation of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub db: Oid,
    pub rel: Oid,
    pub place: Place,
}

const WHOLE: u64 = u64::MAX;

impl Target {
    fn words(self) -> (u64, u64) {
        let place = match self.place {
            Place::Whole => WHOLE,
            Place::Page(b) => u64::from(b.0) << 16,
            Place::Row(t) => u64::from(t.block.0) << 16 | u64::from(t.offset),
        };
        (relation_word(self.db, self.rel), place)
    }
    fn from_words(rel: u64, place: u64) -> Target {
        let (block, offset) = (BlockNumber((place >> 16) as u32), place as u16);
        let place = match (place, offset) {
            (WHOLE, _) => Place::Whole,
            (_, 0) => Place::Page(block),
            _ => Place::Row(Tid::new(block, offset)),
        };
        Target { db: Oid((rel >> 32) as u32), rel: Oid(rel as u32), place }
    }
}

fn relation_word(db: Oid, rel: Oid) -> u64 {
    u64::from(db.0) << 32 | u64::from(rel.0)
}

shared_struct! {
    /// One target.
    pub struct Entry {
        rel: AtomicU64,
        place: AtomicU64,
        /// Next of its bucket, or of the free ones; plus one.
        next: AtomicU32,
        readers: AtomicU32,
    }
}

shared_struct! {
    pub struct ReadsHead {
        /// First free entry, plus one.
        free: AtomicU32,
        /// Entries in use.
        used: AtomicU32,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct ReadsHandle {
    head: Handle<ReadsHead>,
    buckets: Handle<AtomicU32>,
    entries: Handle<Entry>,
    readers: Handle<AtomicU64>,
    words: usize,
}

/// The table as one process sees it.
#[derive(Clone, Copy)]
pub struct Reads {
    head: &'static ReadsHead,
    buckets: &'static [AtomicU32],
    entries: &'static [Entry],
    /// A row of bits per entry: the transactions that read it.
    readers: &'static [AtomicU64],
    words: usize,
}

impl Reads {
    /// Room for `targets`, read by up to `xacts` transactions (a multiple of 64).
    pub fn reserve(l: &mut Layout, targets: usize, xacts: usize) -> ReadsHandle {
        let words = xacts / 64;
        ReadsHandle {
            head: l.reserve("PREDICATELOCK head", 1),
            buckets: l.reserve("PREDICATELOCK hash", targets.next_power_of_two()),
            entries: l.reserve("PREDICATELOCKTARGET", targets),
            readers: l.reserve("PREDICATELOCK", targets * words),
            words,
        }
    }
    pub fn attach(seg: &Segment, h: ReadsHandle) -> Reads {
        Reads {
            head: seg.get(h.head),
            buckets: seg.slice(h.buckets),
            entries: seg.slice(h.entries),
            readers: seg.slice(h.readers),
            words: h.words,
        }
    }
    pub fn init(&self) {
        for (i, e) in self.entries.iter().enumerate() {
            e.next.store(if i + 1 < self.entries.len() { i as u32 + 2 } else { 0 }, Relaxed);
        }
        self.head.free.store(1, Relaxed);
    }

    /// Has nobody read anything? (May be asked without the lock by those who only copy what is there.)
    pub fn is_empty(&self) -> bool {
        self.head.used.load(Relaxed) == 0
    }

    fn bucket(&self, rel: u64, place: u64) -> &AtomicU32 {
        let h = (rel.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place).wrapping_mul(0xff51_afd7_ed55_8ccd);
        &self.buckets[(h >> 32) as usize & (self.buckets.len() - 1)]
    }
    /// The entry of a target.
    pub fn find(&self, target: Target) -> Option<usize> {
        let (rel, place) = target.words();
        let mut at = self.bucket(rel, place).load(Relaxed);
        while at != 0 {
            let e = &self.entries[at as usize - 1];
            if e.rel.load(Relaxed) == rel && e.place.load(Relaxed) == place {
                return Some(at as usize - 1);
            }
            at = e.next.load(Relaxed);
        }
        None
    }
    /// Notes a reader; `None`: the table is full. The flag says that the reader was not there before.
    pub fn add(&self, target: Target, xact: usize) -> Option<(usize, bool)> {
        let at = match self.find(target) {
            Some(at) => at,
            None => self.make(target)?,
        };
        let word = &self.readers[at * self.words + xact / 64];
        let bit = 1 << (xact % 64);
        let old = word.load(Relaxed);
        if old & bit == 0 {
            word.store(old | bit, Relaxed);
            self.entries[at].readers.store(self.entries[at].readers.load(Relaxed) + 1, Relaxed);
        }
        Some((at, old & bit == 0))
    }
    fn make(&self, target: Target) -> Option<usize> {
        let free = self.head.free.load(Relaxed);
        let e = self.entries.get((free as usize).checked_sub(1)?)?;
        self.head.free.store(e.next.load(Relaxed), Relaxed);
        self.head.used.store(self.head.used.load(Relaxed) + 1, Relaxed);
        let (rel, place) = target.words();
        e.rel.store(rel, Relaxed);
        e.place.store(place, Relaxed);
        e.readers.store(0, Relaxed);
        let bucket = self.bucket(rel, place);
        e.next.store(bucket.load(Relaxed), Relaxed);
        bucket.store(free, Relaxed);
        Some(free as usize - 1)
    }
    /// A reader forgets a target; one that nobody has read goes.
    pub fn remove(&self, at: usize, xact: usize) {
        let e = &self.entries[at];
        let word = &self.readers[at * self.words + xact / 64];
        let (old, bit) = (word.load(Relaxed), 1u64 << (xact % 64));
        if old & bit == 0 {
            return;
        }
        word.store(old & !bit, Relaxed);
        let left = e.readers.load(Relaxed) - 1;
        e.readers.store(left, Relaxed);
        if left == 0 {
            self.unlink(at);
        }
    }
    fn unlink(&self, at: usize) {
        let e = &self.entries[at];
        let mut link = self.bucket(e.rel.load(Relaxed), e.place.load(Relaxed));
        while link.load(Relaxed) != at as u32 + 1 {
            let next = link.load(Relaxed);
            if next == 0 {
                return;
            }
            link = &self.entries[next as usize - 1].next;
        }
        link.store(e.next.load(Relaxed), Relaxed);
        e.next.store(self.head.free.load(Relaxed), Relaxed);
        self.head.free.store(at as u32 + 1, Relaxed);
        self.head.used.store(self.head.used.load(Relaxed) - 1, Relaxed);
    }
    /// What an entry is about.
    pub fn target(&self, at: usize) -> Target {
        Target::from_words(self.entries[at].rel.load(Relaxed), self.entries[at].place.load(Relaxed))
    }
    /// Who has read it.
    pub fn readers(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.words).flat_map(move |w| {
            let mut bits = self.readers[at * self.words + w].load(Relaxed);
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits.checked_sub(1)?;
                Some(w * 64 + bit)
            })
        })
    }
    /// Is there a reader of the target besides `me`?
    pub fn has_other(&self, target: Target, me: usize) -> bool {
        self.find(target).is_some_and(|at| self.readers(at).any(|r| r != me))
    }
    /// All entries in use of a relation, or of all.
    pub fn entries_of(&self, of: Option<(Oid, Oid)>) -> Vec<usize> {
        let wanted = of.map(|(db, rel)| relation_word(db, rel));
        let mut found = Vec::new();
        for b in self.buckets {
            let mut at = b.load(Relaxed);
            while at != 0 {
                let e = &self.entries[at as usize - 1];
                if wanted.is_none_or(|w| e.rel.load(Relaxed) == w) {
                    found.push(at as usize - 1);
                }
                at = e.next.load(Relaxed);
            }
        }
        found
    }
}
