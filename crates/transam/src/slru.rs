//! Small page caches in shared memory for the files that say what became of transactions: pg_xact, pg_subtrans,
//! pg_multixact. A page is 8 kB, seen as 1,024 words of 64 bits; 32 pages make a segment file.
//!
//! Reading a cached word takes no lock: a slot's version, odd while its page is exchanged, tells whether the word read
//! was the page's. Changing a word takes the bank's lock shared (the word is changed atomically), loading, evicting and
//! writing a page take it exclusively. Before a page is written, the log is flushed up to the highest position noted
//! with a change on it.

use common::{Error, Lsn, Result};
use ipc::{Handle, Layout, PaddedLwLock, Proc, Segment, Tranche, shared_struct};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

/// Words of a page.
pub const PAGE_WORDS: usize = 1024;
const PAGE_BYTES: usize = PAGE_WORDS * 8;
/// Pages of a segment file.
pub const SEGMENT_PAGES: u64 = 32;
const BANK: usize = 8;

shared_struct! {
    struct Slot {
        /// Page number + 1; 0 is empty.
        page: AtomicU64,
        version: AtomicU64,
        dirty: AtomicU32,
        used: AtomicU32,
        lsn: AtomicU64,
    }
}

shared_struct! {
    struct Written {
        /// Segments written since the last sync: lowest, and highest + 1.
        low: AtomicU64,
        high: AtomicU64,
        /// Counters of `pg_stat_slru`.
        zeroed: AtomicU64,
        hit: AtomicU64,
        read: AtomicU64,
        pages: AtomicU64,
        flushes: AtomicU64,
        truncates: AtomicU64,
        reset: AtomicU64,
    }
}

/// Reservation of one cache.
#[derive(Clone, Copy)]
pub struct SlruHandle {
    slots: Handle<Slot>,
    words: Handle<AtomicU64>,
    lsns: Option<Handle<AtomicU64>>,
    locks: Handle<PaddedLwLock>,
    written: Handle<Written>,
}

/// The counters of one cache, and when they were last reset.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlruStats {
    pub zeroed: i64,
    pub hit: i64,
    pub read: i64,
    pub written: i64,
    pub flushes: i64,
    pub truncates: i64,
    pub stats_reset: i64,
}

/// One cache as a process sees it.
#[derive(Clone, Copy)]
pub struct Slru {
    dir: &'static str,
    /// Place of its hits in the slots of processes.
    number: usize,
    slots: &'static [Slot],
    words: &'static [AtomicU64],
    lsns: Option<&'static [AtomicU64]>,
    locks: &'static [PaddedLwLock],
    written: &'static Written,
}

/// What the cache needs of its caller.
pub struct Cx<'a> {
    pub me: &'a Proc,
    pub data_dir: &'a Path,
    /// Makes the log durable up to a position.
    pub flush_wal: &'a dyn Fn(Lsn),
    /// Missing files and short segments read as zeros (recovery), rather than being an error.
    pub missing_is_zero: bool,
}

impl Slru {
    /// Reserves `pages` pages (a multiple of 8); `lsns` keeps a log position per word.
    pub fn reserve(l: &mut Layout, name: &str, pages: usize, lsns: bool) -> SlruHandle {
        let pages = pages.next_multiple_of(BANK);
        SlruHandle {
            slots: l.reserve(&format!("{name} slots"), pages),
            words: l.reserve(name, pages * PAGE_WORDS),
            lsns: lsns.then(|| l.reserve(&format!("{name} lsns"), pages * PAGE_WORDS)),
            locks: l.reserve(&format!("{name} locks"), pages / BANK),
            written: l.reserve(&format!("{name} sync"), 1),
        }
    }
    /// Finds it in the segment. `dir` is relative to the data directory.
    pub fn attach(seg: &Segment, h: SlruHandle, dir: &'static str, number: usize) -> Slru {
        Slru {
            dir,
            number,
            slots: seg.slice(h.slots),
            words: seg.slice(h.words),
            lsns: h.lsns.map(|l| seg.slice(l)),
            locks: seg.slice(h.locks),
            written: seg.get(h.written),
        }
    }
    /// Names the locks; once, before any fork.
    pub fn init(&self, tranche: Tranche) {
        for l in self.locks {
            l.init(tranche);
        }
        self.written.low.store(u64::MAX, Relaxed);
        self.reset_stats();
    }
    /// The counters of `pg_stat_slru`.
    pub fn stats(&self) -> SlruStats {
        let w = self.written;
        SlruStats {
            zeroed: w.zeroed.load(Relaxed) as i64,
            hit: w.hit.load(Relaxed) as i64,
            read: w.read.load(Relaxed) as i64,
            written: w.pages.load(Relaxed) as i64,
            flushes: w.flushes.load(Relaxed) as i64,
            truncates: w.truncates.load(Relaxed) as i64,
            stats_reset: w.reset.load(Relaxed) as i64,
        }
    }
    /// All back to 0.
    pub fn reset_stats(&self) {
        let w = self.written;
        for c in [&w.zeroed, &w.hit, &w.read, &w.pages, &w.flushes, &w.truncates] {
            c.store(0, Relaxed);
        }
        w.reset.store(ipc::clock::now() as u64, Relaxed);
    }
    /// The process hands over the hits it has counted in its slot.
    pub fn flush_hits(&self, me: &Proc) {
        let mine = &me.slru_hits[self.number];
        let n = mine.load(Relaxed);
        if n != 0 {
            mine.store(0, Relaxed);
            self.written.hit.fetch_add(n, Relaxed);
        }
    }
    /// Only the owner writes its slot.
    #[inline]
    fn count_hit(&self, me: &Proc) {
        let mine = &me.slru_hits[self.number];
        mine.store(mine.load(Relaxed) + 1, Relaxed);
    }
    fn bank(&self, page: u64) -> usize {
        (page % self.locks.len() as u64) as usize
    }
    fn find(&self, bank: usize, page: u64) -> Option<usize> {
        (bank * BANK..(bank + 1) * BANK).find(|s| self.slots[*s].page.load(Acquire) == page + 1)
    }

    /// Word `index` (counted from the beginning of the first file), and the log position noted for it.
    pub fn read(&self, cx: &Cx<'_>, index: u64) -> Result<(u64, Lsn)> {
        let (page, at) = (index / PAGE_WORDS as u64, index as usize % PAGE_WORDS);
        let bank = self.bank(page);
        if let Some(v) = self.read_fast(bank, page, at) {
            self.count_hit(cx.me);
            return Ok(v);
        }
        let _g = self.locks[bank].exclusive(cx.me);
        let s = self.load(cx, bank, page)?;
        Ok(self.word(s, at))
    }
    fn word(&self, slot: usize, at: usize) -> (u64, Lsn) {
        let i = slot * PAGE_WORDS + at;
        (self.words[i].load(Acquire), Lsn(self.lsns.map_or(0, |l| l[i].load(Relaxed))))
    }
    fn read_fast(&self, bank: usize, page: u64, at: usize) -> Option<(u64, Lsn)> {
        let s = self.find(bank, page)?;
        let slot = &self.slots[s];
        let v = slot.version.load(Acquire);
        if v & 1 == 1 || slot.page.load(Acquire) != page + 1 {
            return None;
        }
        let out = self.word(s, at);
        fence(Acquire);
        if slot.version.load(Relaxed) != v {
            return None;
        }
        if slot.used.load(Relaxed) == 0 {
            slot.used.store(1, Relaxed);
        }
        Some(out)
    }
    /// Changes word `index` atomically; `lsn` is noted with it.
    pub fn update(&self, cx: &Cx<'_>, index: u64, lsn: Lsn, f: impl Fn(u64) -> u64) -> Result<()> {
        let (page, at) = (index / PAGE_WORDS as u64, index as usize % PAGE_WORDS);
        let bank = self.bank(page);
        {
            let _g = self.locks[bank].shared(cx.me);
            if let Some(s) = self.find(bank, page) {
                self.count_hit(cx.me);
                self.change(s, at, lsn, &f);
                return Ok(());
            }
        }
        let _g = self.locks[bank].exclusive(cx.me);
        let s = self.load(cx, bank, page)?;
        self.change(s, at, lsn, &f);
        Ok(())
    }
    fn change(&self, s: usize, at: usize, lsn: Lsn, f: &impl Fn(u64) -> u64) {
        let i = s * PAGE_WORDS + at;
        let slot = &self.slots[s];
        // The position first: whoever sees the new word sees it.
        if lsn.is_valid() {
            if let Some(l) = self.lsns {
                l[i].fetch_max(lsn.0, Relaxed);
            }
            slot.lsn.fetch_max(lsn.0, Relaxed);
        }
        let mut old = self.words[i].load(Relaxed);
        while let Err(now) = self.words[i].compare_exchange_weak(old, f(old), AcqRel, Relaxed) {
            old = now;
        }
        slot.dirty.store(1, Release);
        slot.used.store(1, Relaxed);
    }
    /// Makes a page of zeros (first use of its ids).
    pub fn zero_page(&self, cx: &Cx<'_>, page: u64) -> Result<()> {
        let bank = self.bank(page);
        let _g = self.locks[bank].exclusive(cx.me);
        let s = match self.find(bank, page) {
            Some(s) => s,
            None => self.victim(cx, bank)?,
        };
        self.written.zeroed.fetch_add(1, Relaxed);
        self.fill(s, page, None);
        self.slots[s].dirty.store(1, Relaxed);
        Ok(())
    }
    /// Makes sure that the page exists on disk or will: reads it, missing or not, and marks it to be written.
    pub fn touch_page(&self, cx: &Cx<'_>, page: u64) -> Result<()> {
        let bank = self.bank(page);
        let _g = self.locks[bank].exclusive(cx.me);
        let s = self.load(cx, bank, page)?;
        self.slots[s].dirty.store(1, Relaxed);
        Ok(())
    }

    // Everything below runs under the bank's exclusive lock.

    fn load(&self, cx: &Cx<'_>, bank: usize, page: u64) -> Result<usize> {
        if let Some(s) = self.find(bank, page) {
            self.slots[s].used.store(1, Relaxed);
            return Ok(s);
        }
        let s = self.victim(cx, bank)?;
        let bytes = self.read_file(cx, page)?;
        self.written.read.fetch_add(1, Relaxed);
        self.fill(s, page, Some(&bytes));
        Ok(s)
    }
    fn fill(&self, s: usize, page: u64, bytes: Option<&[u8]>) {
        let slot = &self.slots[s];
        slot.version.fetch_add(1, AcqRel);
        slot.page.store(0, Relaxed);
        fence(AcqRel);
        let range = s * PAGE_WORDS..(s + 1) * PAGE_WORDS;
        for (i, w) in self.words[range.clone()].iter().enumerate() {
            let v = bytes.and_then(|b| b[i * 8..i * 8 + 8].try_into().ok()).map_or(0, u64::from_le_bytes);
            w.store(v, Relaxed);
        }
        if let Some(l) = self.lsns {
            l[range].iter().for_each(|x| x.store(0, Relaxed));
        }
        slot.lsn.store(0, Relaxed);
        slot.dirty.store(0, Relaxed);
        slot.used.store(1, Relaxed);
        slot.page.store(page + 1, Release);
        slot.version.fetch_add(1, Release);
    }
    fn victim(&self, cx: &Cx<'_>, bank: usize) -> Result<usize> {
        let range = bank * BANK..(bank + 1) * BANK;
        if let Some(s) = range.clone().find(|s| self.slots[*s].page.load(Relaxed) == 0) {
            return Ok(s);
        }
        // The first page not looked at since the last sweep; the sweep clears the marks.
        let s = range.clone().find(|s| self.slots[*s].used.load(Relaxed) == 0).unwrap_or_else(|| {
            range.clone().for_each(|s| self.slots[s].used.store(0, Relaxed));
            // The lowest page: ids of interest are recent ones.
            range.clone().min_by_key(|s| self.slots[*s].page.load(Relaxed)).unwrap_or(range.start)
        });
        self.write(cx, s)?;
        Ok(s)
    }
    fn write(&self, cx: &Cx<'_>, s: usize) -> Result<()> {
        let slot = &self.slots[s];
        let page = slot.page.load(Relaxed);
        if page == 0 || slot.dirty.load(Acquire) == 0 {
            return Ok(());
        }
        let page = page - 1;
        if slot.lsn.load(Relaxed) != 0 {
            (cx.flush_wal)(Lsn(slot.lsn.load(Relaxed)));
        }
        let mut bytes = Vec::with_capacity(PAGE_BYTES);
        for w in &self.words[s * PAGE_WORDS..(s + 1) * PAGE_WORDS] {
            bytes.extend_from_slice(&w.load(Relaxed).to_le_bytes());
        }
        let seg = page / SEGMENT_PAGES;
        self.written.low.fetch_min(seg, AcqRel);
        self.written.high.fetch_max(seg + 1, AcqRel);
        let path = self.path(cx, seg);
        let fail =
            |e: &std::io::Error| Error::os(format!("could not write to file \"{}\"", self.name(seg)), e);
        let f = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| fail(&e))?;
        let _shown = cx.me.shown_wait(ipc::WaitEvent::SLRU_WRITE);
        f.write_all_at(&bytes, page % SEGMENT_PAGES * PAGE_BYTES as u64).map_err(|e| fail(&e))?;
        slot.dirty.store(0, Release);
        self.written.pages.fetch_add(1, Relaxed);
        Ok(())
    }
    fn name(&self, seg: u64) -> String {
        format!("{}/{seg:04X}", self.dir)
    }
    fn path(&self, cx: &Cx<'_>, seg: u64) -> PathBuf {
        cx.data_dir.join(self.dir).join(format!("{seg:04X}"))
    }
    fn read_file(&self, cx: &Cx<'_>, page: u64) -> Result<Vec<u8>> {
        let seg = page / SEGMENT_PAGES;
        let mut bytes = vec![0; PAGE_BYTES];
        let fail = |what: String| {
            common::err!(IO_ERROR, "could not access status of transaction data page {page}").detail(what)
        };
        let f = match File::open(self.path(cx, seg)) {
            Ok(f) => f,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && cx.missing_is_zero => return Ok(bytes),
            Err(e) => {
                let m = common::error::os_message(&e);
                return Err(fail(format!("Could not open file \"{}\": {m}.", self.name(seg))));
            }
        };
        let offset = page % SEGMENT_PAGES * PAGE_BYTES as u64;
        let _shown = cx.me.shown_wait(ipc::WaitEvent::SLRU_READ);
        match f.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof && cx.missing_is_zero => {
                Ok(vec![0; PAGE_BYTES])
            }
            Err(_) => Err(fail(format!(
                "Could not read from file \"{}\" at offset {offset}: read too few bytes.",
                self.name(seg)
            ))),
        }
    }

    /// Writes all changed pages and makes them durable. A failing sync ends the server.
    pub fn checkpoint(&self, cx: &Cx<'_>) -> Result<()> {
        self.written.flushes.fetch_add(1, Relaxed);
        let low = self.written.low.swap(u64::MAX, AcqRel);
        let high = self.written.high.swap(0, AcqRel);
        let (mut low, mut high) = (low, high);
        for (bank, lock) in self.locks.iter().enumerate() {
            let _g = lock.exclusive(cx.me);
            for s in bank * BANK..(bank + 1) * BANK {
                if self.slots[s].dirty.load(Relaxed) != 0 {
                    let seg = (self.slots[s].page.load(Relaxed) - 1) / SEGMENT_PAGES;
                    (low, high) = (low.min(seg), high.max(seg + 1));
                    self.write(cx, s)?;
                }
            }
        }
        let _shown = cx.me.shown_wait(ipc::WaitEvent::SLRU_SYNC);
        for seg in low..high {
            storage::datadir::sync_path(&self.path(cx, seg))?;
        }
        if low < high {
            storage::datadir::sync_dir(&cx.data_dir.join(self.dir))?;
        }
        Ok(())
    }
    /// Removes segments that lie wholly below `page`.
    pub fn truncate(&self, cx: &Cx<'_>, page: u64) -> Result<()> {
        let keep = page / SEGMENT_PAGES;
        self.written.truncates.fetch_add(1, Relaxed);
        for (bank, lock) in self.locks.iter().enumerate() {
            let _g = lock.exclusive(cx.me);
            for slot in &self.slots[bank * BANK..(bank + 1) * BANK] {
                let p = slot.page.load(Relaxed);
                if p != 0 && (p - 1) / SEGMENT_PAGES < keep {
                    slot.version.fetch_add(1, AcqRel);
                    slot.page.store(0, Relaxed);
                    slot.dirty.store(0, Relaxed);
                    slot.version.fetch_add(1, AcqRel);
                }
            }
        }
        self.remove_segments(cx, |seg| seg < keep)
    }
    /// Removes all files (pg_subtrans at start).
    pub fn remove_all(&self, cx: &Cx<'_>) -> Result<()> {
        self.remove_segments(cx, |_| true)
    }
    fn remove_segments(&self, cx: &Cx<'_>, doomed: impl Fn(u64) -> bool) -> Result<()> {
        let dir = cx.data_dir.join(self.dir);
        let list = std::fs::read_dir(&dir)
            .map_err(|e| Error::os(format!("could not open directory \"{}\"", self.dir), &e))?;
        for entry in list.flatten() {
            let name = entry.file_name();
            if let Some(seg) = name.to_str().and_then(|n| u64::from_str_radix(n, 16).ok())
                && doomed(seg)
            {
                storage::datadir::unlink(&entry.path())?;
            }
        }
        storage::datadir::sync_dir(&dir)
    }
}
