//! The queue of notifications in shared memory: a ring of words. Committing transactions append under its lock; each
//! listener has a position of its own and reads under the shared lock. What no listener has still to read is free.

use common::{Result, bail};
use ipc::{Handle, Layout, PaddedLwLock, Proc, ProcTable, Segment, Tranche, shared_struct};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Words of the ring: 8 MB of memory that is touched only as the queue fills.
const WORDS: u64 = 1 << 20;
/// Words before an entry's text.
const HEAD: u64 = 4;

shared_struct! {
    struct Head {
        lock: PaddedLwLock,
        /// Words ever written.
        end: AtomicU64,
    }
}
shared_struct! {
    /// One a process slot.
    struct Listener {
        /// The listening process; another pid in the slot makes the entry void. 0: nobody listens.
        pid: AtomicU64,
        /// Words this listener has read.
        position: AtomicU64,
    }
}

/// A notification in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub database: u32,
    /// The transaction that sent it: it counts once that has committed.
    pub xid: u64,
    pub pid: i32,
    pub channel: String,
    pub payload: String,
}

impl Entry {
    fn words(&self) -> u64 {
        HEAD + ((self.channel.len() + self.payload.len()) as u64).div_ceil(8)
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct QueueHandle {
    head: Handle<Head>,
    listeners: Handle<Listener>,
    words: Handle<AtomicU64>,
}

/// The queue as one process sees it.
#[derive(Clone, Copy)]
pub struct Queue {
    head: &'static Head,
    listeners: &'static [Listener],
    words: &'static [AtomicU64],
}

impl Queue {
    /// Reserves it.
    pub fn reserve(l: &mut Layout, slots: usize) -> QueueHandle {
        QueueHandle {
            head: l.reserve("Async Queue Control", 1),
            listeners: l.reserve("Async Queue Listeners", slots),
            words: l.reserve("Notify", WORDS as usize),
        }
    }
    /// Finds it in the segment.
    pub fn attach(seg: &Segment, h: QueueHandle) -> Queue {
        Queue { head: seg.get(h.head), listeners: seg.slice(h.listeners), words: seg.slice(h.words) }
    }
    /// Once, before any fork.
    pub fn init(&self) {
        self.head.lock.init(Tranche::NOTIFY_QUEUE);
    }
    fn mine(&self, me: &Proc) -> &'static Listener {
        &self.listeners[me.number() as usize]
    }
    /// This process listens from here on. It listens already: nothing changes.
    pub fn join(&self, me: &Proc) {
        let _g = self.head.lock.exclusive(me);
        let l = self.mine(me);
        if l.pid.load(Relaxed) != me.pid() as u64 {
            l.position.store(self.head.end.load(Relaxed), Relaxed);
            l.pid.store(me.pid() as u64, Release);
        }
    }
    /// It listens no more.
    pub fn leave(&self, me: &Proc) {
        let l = self.mine(me);
        if l.pid.load(Relaxed) == me.pid() as u64 {
            l.pid.store(0, Release);
        }
    }
    /// Processes that listen, with how many words each has still to read.
    fn lags(&self, procs: &ProcTable) -> Vec<(&'static Proc, u64)> {
        let end = self.head.end.load(Acquire);
        procs
            .live()
            .filter_map(|p| {
                let l = &self.listeners[p.number() as usize];
                let listens = p.pid() != 0 && l.pid.load(Acquire) == p.pid() as u64;
                listens.then(|| (p, end - l.position.load(Acquire).min(end)))
            })
            .collect()
    }
    /// Appends entries. 54000 when the slowest listener leaves no room.
    pub fn append(&self, me: &Proc, procs: &ProcTable, entries: &[Entry]) -> Result<()> {
        let _g = self.head.lock.exclusive(me);
        let lags = self.lags(procs);
        let Some(used) = lags.iter().map(|l| l.1).max() else { return Ok(()) };
        let wanted: u64 = entries.iter().map(Entry::words).sum();
        if used + wanted > WORDS {
            bail!(PROGRAM_LIMIT_EXCEEDED, "too many notifications in the NOTIFY queue");
        }
        let mut at = self.head.end.load(Relaxed);
        for e in entries {
            at = self.write(at, e);
        }
        self.head.end.store(at, Release);
        Ok(())
    }
    fn put(&self, at: u64, word: u64) {
        self.words[(at % WORDS) as usize].store(word, Relaxed);
    }
    fn get(&self, at: u64) -> u64 {
        self.words[(at % WORDS) as usize].load(Relaxed)
    }
    fn write(&self, at: u64, e: &Entry) -> u64 {
        self.put(at, e.words() | u64::from(e.database) << 32);
        self.put(at + 1, e.xid);
        self.put(at + 2, u64::from(e.pid as u32));
        self.put(at + 3, e.channel.len() as u64 | (e.payload.len() as u64) << 32);
        let text = [e.channel.as_bytes(), e.payload.as_bytes()].concat();
        for (i, chunk) in text.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.put(at + HEAD + i as u64, u64::from_le_bytes(word));
        }
        at + e.words()
    }
    fn read(&self, at: u64) -> (Entry, u64) {
        let (first, lengths) = (self.get(at), self.get(at + 3));
        let (channel, payload) = (lengths as u32 as usize, (lengths >> 32) as usize);
        let words = u64::from(first as u32);
        let mut text: Vec<u8> = (HEAD..words).flat_map(|i| self.get(at + i).to_le_bytes()).collect();
        text.truncate(channel + payload);
        let payload = text.split_off(channel.min(text.len()));
        let string = |b: Vec<u8>| String::from_utf8(b).unwrap_or_default();
        let e = Entry {
            database: (first >> 32) as u32,
            xid: self.get(at + 1),
            pid: self.get(at + 2) as i32,
            channel: string(text),
            payload: string(payload),
        };
        (e, at + words)
    }
    /// Is there something this process has not read?
    pub fn has_news(&self, me: &Proc) -> bool {
        let l = self.mine(me);
        l.pid.load(Relaxed) == me.pid() as u64 && l.position.load(Relaxed) != self.head.end.load(Acquire)
    }
    /// Hands the unread entries to `f` until it returns false: that one stays to be read again.
    pub fn receive(&self, me: &Proc, mut f: impl FnMut(Entry) -> Result<bool>) -> Result<()> {
        let l = self.mine(me);
        loop {
            let (entry, next) = {
                let _g = self.head.lock.shared(me);
                let at = l.position.load(Relaxed);
                if at == self.head.end.load(Acquire) {
                    return Ok(());
                }
                self.read(at)
            };
            if !f(entry)? {
                return Ok(());
            }
            l.position.store(next, Release);
        }
    }
    /// Wakes the listeners of a database that have something to read, and any that is far behind.
    pub fn wake(&self, me: &Proc, procs: &ProcTable) {
        for (p, lag) in self.lags(procs) {
            let concerned = p.database() == me.database() || lag > WORDS / 8;
            if lag > 0 && concerned && p.number() != me.number() {
                p.post(ipc::signals::NOTIFY);
            }
        }
    }
    /// The part of the ring in use, 0 to 1.
    pub fn usage(&self, procs: &ProcTable) -> f64 {
        self.lags(procs).iter().map(|l| l.1).max().unwrap_or(0) as f64 / WORDS as f64
    }
}
