//! The ring of invalidation messages. Writers append under a lock. Readers take no lock: each slot keeps its own
//! position; a writer about to overwrite what a process has not read sets that process's reset flag first, and a
//! reader looks at its flag after it has copied messages.

use super::InvalMsg;
use ipc::{Handle, Layout, PaddedLwLock, Proc, ProcTable, Segment, Tranche, shared_struct};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::fence;

/// Messages kept.
pub const MESSAGES: u64 = 4096;
const BATCH: usize = 32;

shared_struct! {
    struct Head {
        lock: PaddedLwLock,
        /// Messages ever sent.
        end: AtomicU64,
    }
}

/// Reservation.
#[derive(Clone, Copy)]
pub struct RingHandle {
    head: Handle<Head>,
    words: Handle<AtomicU64>,
}

/// The ring as one process sees it.
#[derive(Clone, Copy)]
pub struct Ring {
    head: &'static Head,
    words: &'static [AtomicU64],
}

impl Ring {
    /// Reserves it.
    pub fn reserve(l: &mut Layout) -> RingHandle {
        RingHandle {
            head: l.reserve("shmInvalBuffer head", 1),
            words: l.reserve("shmInvalBuffer", MESSAGES as usize * 2),
        }
    }
    /// Finds it in the segment.
    pub fn attach(seg: &Segment, h: RingHandle) -> Ring {
        Ring { head: seg.get(h.head), words: seg.slice(h.words) }
    }
    /// Once, before any fork.
    pub fn init(&self) {
        self.head.lock.init(Tranche::SINVAL_WRITE);
    }
    /// Messages ever sent.
    pub fn end(&self) -> u64 {
        self.head.end.load(Acquire)
    }
    /// This process reads from here on.
    pub fn join(&self, p: &Proc) {
        p.inval_reset.store(0, Relaxed);
        p.inval_position.store(self.end(), SeqCst);
        p.inval_active.store(1, SeqCst);
        // Messages sent between the two stores were not checked against this process.
        p.inval_reset.store(1, SeqCst);
    }
    /// A worker of `leader` reads on from where that stands: its caches are copies of the leader's.
    pub fn join_as(&self, p: &Proc, leader: &Proc) {
        let at = leader.inval_position.load(Relaxed);
        p.inval_reset.store(0, Relaxed);
        p.inval_position.store(at, SeqCst);
        p.inval_active.store(1, SeqCst);
        // Messages may have been overwritten before this process was looked at.
        if leader.inval_reset.load(SeqCst) != 0 || self.end().wrapping_sub(at) >= MESSAGES {
            p.inval_reset.store(1, SeqCst);
        }
    }
    /// Appends messages.
    pub fn send(&self, procs: &ProcTable, me: &Proc, msgs: &[InvalMsg]) {
        for chunk in msgs.chunks(BATCH * 8) {
            let _g = self.head.lock.exclusive(me);
            let end = self.head.end.load(Relaxed);
            let new_end = end + chunk.len() as u64;
            for p in procs.live() {
                if p.inval_active.load(SeqCst) != 0 && p.inval_position.load(Acquire) + MESSAGES < new_end {
                    p.inval_reset.store(1, SeqCst);
                }
            }
            fence(SeqCst);
            for (i, m) in chunk.iter().enumerate() {
                let at = ((end + i as u64) % MESSAGES) as usize * 2;
                let w = m.words();
                self.words[at].store(w[0], Relaxed);
                self.words[at + 1].store(w[1], Relaxed);
            }
            self.head.end.store(new_end, Release);
        }
    }
    /// Copies the next messages; false: some were lost, the position is at the end.
    pub fn receive(&self, p: &Proc, out: &mut Vec<InvalMsg>) -> bool {
        let pos = p.inval_position.load(Relaxed);
        let end = self.end();
        let n = (end - pos).min(BATCH as u64);
        for i in pos..pos + n {
            let at = (i % MESSAGES) as usize * 2;
            out.push(InvalMsg::from_words([self.words[at].load(Relaxed), self.words[at + 1].load(Relaxed)]));
        }
        fence(Acquire);
        if p.inval_reset.swap(0, AcqRel) != 0 {
            out.clear();
            p.inval_position.store(self.end(), Release);
            return false;
        }
        p.inval_position.store(pos + n, Release);
        true
    }
}
