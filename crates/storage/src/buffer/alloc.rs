//! Finding a buffer for a block that is not in the pool: the clock sweep, eviction, and entering the new tag.

use super::desc::{
    DIRTY, IO_IN_PROGRESS, REFCOUNT_MASK, TAG_VALID, Tag, USAGE_MASK, USAGE_MAX, USAGE_ONE, USAGE_RING,
};
use super::strategy::Strategy;
use crate::Store;
use common::{Result, bail};
use ipc::Mode;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// What came of entering a tag.
pub(crate) enum Entered {
    /// This process owns the buffer's input: pinned once, `IO_IN_PROGRESS`, inside a critical section.
    Fresh(u32),
    /// Somebody else was faster: private slot and buffer, pinned.
    Found(u32, u32),
}

/// How far a pin raises the usage count.
pub(crate) fn usage_max(strategy: Option<&Strategy>) -> u32 {
    if strategy.is_none() { USAGE_MAX } else { USAGE_RING }
}

impl Store {
    /// Raises the shared pin count of a tagged buffer, with the containment record.
    #[inline]
    pub(crate) fn raw_pin(&self, buf: u32, usage_max: u32) -> Option<u32> {
        let pins = &self.proc().pins;
        pins.begin();
        match self.shared().descs[buf as usize].try_pin(usage_max) {
            Some(s) => {
                pins.pinned(buf);
                Some(s)
            }
            None => {
                pins.end();
                None
            }
        }
    }
    /// Lowers the shared pin count; wakes whoever waits for the last other pin to go.
    #[inline]
    pub(crate) fn raw_unpin(&self, buf: u32) {
        if buf >= super::local::LOCAL {
            self.desc(buf).unpin();
            return;
        }
        let pins = &self.proc().pins;
        pins.begin();
        let s = self.shared().descs[buf as usize].unpin();
        pins.unpinned(buf);
        if s & super::desc::PIN_WAITER != 0 && s & REFCOUNT_MASK == 1 {
            self.io_condvar(buf).broadcast();
        }
    }

    /// A buffer without a tag, pinned once by this process (no private slot). 53000-class error when all are pinned.
    pub(crate) fn take_victim(&self, strategy: Option<&Strategy>) -> Result<u32> {
        let sh = self.shared();
        sh.pool.allocations.fetch_add(1, Relaxed);
        loop {
            let buf = match strategy.and_then(|s| s.victim(self)) {
                Some(b) => {
                    self.proc().pins.pinned(b);
                    b
                }
                None => {
                    let b = self.sweep()?;
                    if let Some(s) = strategy {
                        s.remember(b);
                    }
                    b
                }
            };
            let d = &sh.descs[buf as usize];
            let s = d.load();
            if s & DIRTY != 0 {
                let lsn = self.page_lsn(buf);
                let costly = lsn > self.flushed_lsn() && !self.in_recovery();
                if (costly && strategy.is_some_and(Strategy::rejects_dirty))
                    || !d.content.try_acquire(self.proc(), Mode::Shared)
                {
                    self.raw_unpin(buf);
                    continue;
                }
                let r = self.flush_buffer(buf);
                d.content.release(self.proc());
                if let Err(e) = r {
                    self.raw_unpin(buf);
                    return Err(e);
                }
                sh.pool.backend_writes.fetch_add(1, Relaxed);
            }
            if self.detach(buf) {
                return Ok(buf);
            }
            self.raw_unpin(buf);
        }
    }
    /// Takes the tag off a buffer this process has pinned, unless somebody else pinned or dirtied it meanwhile.
    fn detach(&self, buf: u32) -> bool {
        let sh = self.shared();
        let d = &sh.descs[buf as usize];
        if d.load() & TAG_VALID == 0 {
            return d.load() & REFCOUNT_MASK == 1;
        }
        let hash = d.tag().hash();
        let _g = sh.map_exclusive(hash, self.proc());
        let mut s = d.load();
        loop {
            if s & REFCOUNT_MASK != 1 || s & (DIRTY | IO_IN_PROGRESS) != 0 {
                return false;
            }
            match d.state.compare_exchange_weak(s, 1, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => s = now,
            }
        }
        sh.map_remove(buf, hash);
        true
    }
    /// The clock: passes over pinned buffers, counts usage down, pins the first unused one.
    fn sweep(&self) -> Result<u32> {
        let sh = self.shared();
        let n = sh.descs.len() as u32;
        let mut tries = n;
        loop {
            let buf = self.clock_tick(n);
            let d = &sh.descs[buf as usize];
            let s = d.state.load(Relaxed);
            if s & REFCOUNT_MASK == 0 {
                if s & USAGE_MASK != 0 {
                    if d.state.compare_exchange(s, s - USAGE_ONE, AcqRel, Relaxed).is_ok() {
                        tries = n;
                    }
                    continue;
                }
                self.proc().pins.begin();
                if d.state.compare_exchange(s, s + 1, AcqRel, Relaxed).is_ok() {
                    self.proc().pins.pinned(buf);
                    return Ok(buf);
                }
                self.proc().pins.end();
                continue;
            }
            tries -= 1;
            if tries == 0 {
                bail!(INSUFFICIENT_RESOURCES, "no unpinned buffers available");
            }
        }
    }
    fn clock_tick(&self, n: u32) -> u32 {
        let hand = &self.shared().pool.hand;
        let at = hand.fetch_add(1, Relaxed);
        if at < n {
            return at;
        }
        // Bring the counter back into range; whoever passes the end first does it, others just wrap.
        if at.is_multiple_of(n) {
            let mut now = hand.load(Relaxed);
            while now >= n {
                match hand.compare_exchange_weak(now, now % n, Relaxed, Relaxed) {
                    Ok(_) => break,
                    Err(v) => now = v,
                }
            }
        }
        at % n
    }

    /// Enters `tag` for a victim buffer, or finds who did. On `Fresh` the caller reads or zeroes the page and calls
    /// `finish_input`.
    pub(crate) fn enter(&self, tag: &Tag, hash: u64, strategy: Option<&Strategy>) -> Result<Entered> {
        let sh = self.shared();
        let buf = self.take_victim(strategy)?;
        let g = sh.map_exclusive(hash, self.proc());
        if let Some(found) = sh.find_locked(tag, hash) {
            let slot = self.pin_under_lock(found, usage_max(strategy));
            drop(g);
            self.raw_unpin(buf);
            return Ok(Entered::Found(slot, found));
        }
        self.proc().enter_critical();
        let d = &sh.descs[buf as usize];
        d.set_tag(tag);
        // Pins of racing unlocked lookups come and go through compare-and-swap that demands TAG_VALID: none is possible
        // before this store.
        d.state.store(1 | USAGE_ONE | TAG_VALID | IO_IN_PROGRESS, Release);
        sh.map_insert(buf, hash);
        Ok(Entered::Fresh(buf))
    }
    /// Pins a buffer found under the partition lock: its tag cannot go away. Returns the private slot.
    pub(crate) fn pin_under_lock(&self, buf: u32, usage_max: u32) -> u32 {
        if let Some(slot) = self.pins().find(buf) {
            self.pins().increment(slot);
            return slot;
        }
        while self.raw_pin(buf, usage_max).is_none() {
            std::hint::spin_loop();
        }
        self.pins().add(buf)
    }
    /// (buffers handed out since the background writer last looked, dirty victims that backends wrote themselves).
    pub fn pool_statistics(&self) -> (u32, u32) {
        let pool = self.shared().pool;
        (pool.allocations.load(Relaxed), pool.backend_writes.load(Relaxed))
    }
}
