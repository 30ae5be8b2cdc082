//! The shared lock table: locks, the records of who holds or wants them, wait queues. Sixteen partitions by hash of the
//! tag; everything about a lock, its holder records and its queue is read and changed under its partition's LWLock.

use super::mode::{LockMode, conflicts};
use super::tag::LockTag;
use crate::parallel;
use ipc::procs::{LOCK_PARTITIONS, wait_status};
use ipc::shmhash::ShmHashHandle;
use ipc::{ExclusiveGuard, Handle, Layout, PaddedLwLock, Proc, ProcTable, Segment, ShmHash, Tranche};
use ipc::{hash, shared_struct};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

shared_struct! {
    /// One lockable thing somebody holds or wants. Links are index + 1, 0 is the end.
    pub struct Lock {
        pub grant_mask: AtomicU32,
        pub wait_mask: AtomicU32,
        pub requested: AtomicU32,
        pub granted: AtomicU32,
        pub granted_of: [AtomicU32; 9],
        pub wait_head: AtomicU32,
        pub wait_tail: AtomicU32,
        pub holders: AtomicU32,
    }
}

shared_struct! {
    /// What one process holds of one lock (nothing yet, if it only waits).
    pub struct Holder {
        pub lock: AtomicU32,
        pub proc: AtomicU32,
        pub mask: AtomicU32,
        lock_next: AtomicU32,
        lock_prev: AtomicU32,
        proc_next: AtomicU32,
        proc_prev: AtomicU32,
        _pad: AtomicU32,
    }
}

/// Buckets of the counts of strong relation locks that forbid the fast path.
pub const STRONG_BUCKETS: usize = 1024;

/// Reservation.
#[derive(Clone, Copy)]
pub struct LockTablesHandle {
    locks: ShmHashHandle<2, Lock>,
    holders: ShmHashHandle<1, Holder>,
    partitions: Handle<PaddedLwLock>,
    strong: Handle<AtomicU32>,
}

/// The tables as one process sees them.
#[derive(Clone, Copy)]
pub struct LockTables {
    pub locks: ShmHash<2, Lock>,
    pub holders: ShmHash<1, Holder>,
    pub partitions: &'static [PaddedLwLock],
    pub strong: &'static [AtomicU32],
}

/// The tables are full.
pub struct Full;

fn set(a: &AtomicU32, v: u32) {
    a.store(v, Relaxed);
}
fn get(a: &AtomicU32) -> u32 {
    a.load(Relaxed)
}

impl LockTables {
    /// Room for `n` locks, and twice as many holder records.
    pub fn reserve(l: &mut Layout, n: usize) -> LockTablesHandle {
        LockTablesHandle {
            locks: ShmHash::reserve(l, "LOCK hash", n),
            holders: ShmHash::reserve(l, "PROCLOCK hash", n * 2),
            partitions: l.reserve("LOCK partition locks", LOCK_PARTITIONS),
            strong: l.reserve("Fast Path Strong Relation Lock Data", STRONG_BUCKETS),
        }
    }
    /// Finds them in the segment.
    pub fn attach(seg: &Segment, h: LockTablesHandle) -> LockTables {
        LockTables {
            locks: ShmHash::attach(seg, h.locks),
            holders: ShmHash::attach(seg, h.holders),
            partitions: seg.slice(h.partitions),
            strong: seg.slice(h.strong),
        }
    }
    /// Once, before any fork.
    pub fn init(&self) {
        self.locks.init();
        self.holders.init();
        self.partitions.iter().for_each(|p| p.init(Tranche::LOCK_MANAGER));
    }
    /// Hash of a tag; its low bits choose the partition.
    pub fn hash(tag: &LockTag) -> u32 {
        ShmHash::<2, Lock>::hash(&tag.words())
    }
    /// Partition number of a hash.
    pub fn partition(h: u32) -> usize {
        h as usize % LOCK_PARTITIONS
    }
    /// The partition's lock, exclusively.
    pub fn guard<'a>(&'a self, h: u32, me: &'a Proc) -> ExclusiveGuard<'a> {
        self.partitions[Self::partition(h)].exclusive(me)
    }
    /// All partitions, in order.
    pub fn guard_all<'a>(&'a self, me: &'a Proc) -> Vec<ExclusiveGuard<'a>> {
        self.partitions.iter().map(|p| p.exclusive(me)).collect()
    }
    /// The lock of an entry.
    pub fn lock(&self, at: u32) -> &'static Lock {
        self.locks.value(at)
    }
    /// The record of an entry.
    pub fn holder(&self, at: u32) -> &'static Holder {
        self.holders.value(at)
    }
    /// The tag of a lock entry.
    pub fn tag(&self, at: u32) -> Option<LockTag> {
        LockTag::from_words(self.locks.key(at))
    }
    fn holder_key(lock: u32, proc: u32, h: u32) -> (u32, [u64; 1]) {
        let key = [u64::from(lock) | u64::from(proc) << 32];
        let low = LOCK_PARTITIONS as u32 - 1;
        ((hash::hash_words(&key) & !low) | (h & low), key)
    }

    // From here on the caller holds the partition of `h`.

    /// Finds or makes the lock and the record of `p`.
    pub fn enter(&self, tag: &LockTag, h: u32, p: &Proc) -> Result<(u32, u32), Full> {
        let (lock, found) = self.locks.find_or_insert(h, &tag.words()).ok_or(Full)?;
        if !found {
            let l = self.lock(lock);
            for a in [
                &l.grant_mask,
                &l.wait_mask,
                &l.requested,
                &l.granted,
                &l.wait_head,
                &l.wait_tail,
                &l.holders,
            ] {
                set(a, 0);
            }
            l.granted_of.iter().for_each(|a| set(a, 0));
        }
        match self.enter_holder(lock, h, p) {
            Some(holder) => Ok((lock, holder)),
            None => {
                self.drop_if_unused(lock, h);
                Err(Full)
            }
        }
    }
    fn enter_holder(&self, lock: u32, h: u32, p: &Proc) -> Option<u32> {
        let (hh, key) = Self::holder_key(lock, p.number(), h);
        let (at, found) = self.holders.find_or_insert(hh, &key)?;
        if !found {
            let r = self.holder(at);
            set(&r.lock, lock);
            set(&r.proc, p.number());
            set(&r.mask, 0);
            let l = self.lock(lock);
            link(self, &l.holders, at, |r| (&r.lock_next, &r.lock_prev));
            link(self, &p.holders[Self::partition(h)], at, |r| (&r.proc_next, &r.proc_prev));
        }
        Some(at)
    }
    /// The record of a process, if there is one.
    pub fn find_holder(&self, lock: u32, h: u32, proc: u32) -> Option<u32> {
        let (hh, key) = Self::holder_key(lock, proc, h);
        self.holders.find(hh, &key)
    }
    fn remove_holder(&self, at: u32, h: u32, p: &Proc) {
        let r = self.holder(at);
        let lock = get(&r.lock);
        unlink(self, &self.lock(lock).holders, at, |r| (&r.lock_next, &r.lock_prev));
        unlink(self, &p.holders[Self::partition(h)], at, |r| (&r.proc_next, &r.proc_prev));
        let (hh, key) = Self::holder_key(lock, p.number(), h);
        self.holders.remove(hh, &key);
    }
    fn drop_if_unused(&self, lock: u32, h: u32) -> bool {
        let l = self.lock(lock);
        if get(&l.requested) != 0 || get(&l.holders) != 0 {
            return false;
        }
        debug_assert_eq!(get(&l.wait_head), 0);
        let key = self.locks.key(lock);
        self.locks.remove(h, &key);
        true
    }
    /// Modes that a process holds, and those of its group.
    pub fn held_by_group(&self, procs: &ProcTable, lock: u32, p: &Proc) -> u32 {
        let group = parallel::group(p);
        let records = self.holders_of(lock).into_iter().map(|h| self.holder(h));
        let ours = records.filter(|r| parallel::group(procs.get(get(&r.proc))) == group);
        ours.fold(0, |mask, r| mask | get(&r.mask))
    }
    /// Would `mode` collide with what others than this record's process and its group hold?
    pub fn collides(&self, procs: &ProcTable, lock: u32, holder: u32, mode: LockMode) -> bool {
        if !self.collides_with_any(lock, holder, mode) {
            return false;
        }
        let me = procs.get(get(&self.holder(holder).proc));
        if get(&me.lock_group_leader) == 0 {
            return true;
        }
        let group = parallel::group(me);
        self.holders_of(lock)
            .into_iter()
            .map(|h| self.holder(h))
            .any(|r| get(&r.mask) & conflicts(mode) != 0 && parallel::group(procs.get(get(&r.proc))) != group)
    }
    fn collides_with_any(&self, lock: u32, holder: u32, mode: LockMode) -> bool {
        let l = self.lock(lock);
        let c = conflicts(mode);
        if get(&l.grant_mask) & c == 0 {
            return false;
        }
        let own = get(&self.holder(holder).mask);
        LockMode::ALL
            .iter()
            .any(|m| c & m.bit() != 0 && get(&l.granted_of[*m as usize]) > u32::from(own & m.bit() != 0))
    }
    /// Counts a request; `grant` or `forget` follows.
    pub fn request(&self, lock: u32) {
        let l = self.lock(lock);
        set(&l.requested, get(&l.requested) + 1);
    }
    /// Takes a request back.
    pub fn forget(&self, lock: u32, holder: u32, h: u32, p: &Proc) {
        let l = self.lock(lock);
        set(&l.requested, get(&l.requested) - 1);
        if get(&self.holder(holder).mask) == 0 {
            self.remove_holder(holder, h, p);
        }
        self.drop_if_unused(lock, h);
    }
    /// Grants a counted request.
    pub fn grant(&self, lock: u32, holder: u32, mode: LockMode) {
        let l = self.lock(lock);
        set(&l.granted, get(&l.granted) + 1);
        let of = &l.granted_of[mode as usize];
        set(of, get(of) + 1);
        set(&l.grant_mask, get(&l.grant_mask) | mode.bit());
        let r = self.holder(holder);
        debug_assert_eq!(get(&r.mask) & mode.bit(), 0);
        set(&r.mask, get(&r.mask) | mode.bit());
    }
    /// Gives a granted mode back, and wakes whom that lets through.
    pub fn ungrant(&self, procs: &ProcTable, lock: u32, holder: u32, h: u32, p: &Proc, mode: LockMode) {
        let l = self.lock(lock);
        set(&l.requested, get(&l.requested) - 1);
        set(&l.granted, get(&l.granted) - 1);
        let of = &l.granted_of[mode as usize];
        set(of, get(of) - 1);
        if get(of) == 0 {
            set(&l.grant_mask, get(&l.grant_mask) & !mode.bit());
        }
        let r = self.holder(holder);
        set(&r.mask, get(&r.mask) & !mode.bit());
        let wake = conflicts(mode) & get(&l.wait_mask) != 0;
        if get(&r.mask) == 0 && get(&p.wait_holder) != holder + 1 {
            self.remove_holder(holder, h, p);
        }
        if !self.drop_if_unused(lock, h) && wake {
            self.wake_up(procs, lock);
        }
    }

    /// The wait queue, first in line first.
    pub fn queue(&self, procs: &ProcTable, lock: u32) -> Vec<&'static Proc> {
        let mut out = Vec::new();
        let mut at = get(&self.lock(lock).wait_head);
        while at != 0 {
            let p = procs.get(at - 1);
            out.push(p);
            at = get(&p.wait_next);
        }
        out
    }
    /// Puts `p` into the queue, before `before` or at the end.
    pub fn enqueue(
        &self,
        procs: &ProcTable,
        lock: u32,
        holder: u32,
        p: &Proc,
        mode: LockMode,
        before: Option<&Proc>,
    ) {
        let mut order: Vec<u32> = self.queue(procs, lock).iter().map(|q| q.number()).collect();
        let at = before.and_then(|b| order.iter().position(|n| *n == b.number())).unwrap_or(order.len());
        order.insert(at, p.number());
        set(&p.wait_lock, lock + 1);
        set(&p.wait_holder, holder + 1);
        set(&p.wait_mode, mode as u32);
        set(&p.wait_held_mask, get(&self.holder(holder).mask));
        p.wait_status.store(wait_status::WAITING, Release);
        self.relink(procs, lock, &order);
    }
    /// Writes the queue in a given order.
    pub fn relink(&self, procs: &ProcTable, lock: u32, order: &[u32]) {
        let l = self.lock(lock);
        let mut mask = 0;
        for (i, n) in order.iter().enumerate() {
            let p = procs.get(*n);
            set(&p.wait_prev, if i == 0 { 0 } else { order[i - 1] + 1 });
            set(&p.wait_next, order.get(i + 1).map_or(0, |n| n + 1));
            mask |= 1 << get(&p.wait_mode);
        }
        set(&l.wait_head, order.first().map_or(0, |n| n + 1));
        set(&l.wait_tail, order.last().map_or(0, |n| n + 1));
        set(&l.wait_mask, mask);
    }
    /// Takes `p` out of its queue; its request is still counted.
    fn dequeue(&self, procs: &ProcTable, p: &Proc, outcome: u32) {
        let lock = get(&p.wait_lock) - 1;
        let order: Vec<u32> =
            self.queue(procs, lock).iter().map(|q| q.number()).filter(|n| *n != p.number()).collect();
        self.relink(procs, lock, &order);
        set(&p.wait_lock, 0);
        set(&p.wait_holder, 0);
        set(&p.wait_next, 0);
        set(&p.wait_prev, 0);
        p.wait_status.store(outcome, Release);
    }
    /// `p` stops waiting without the lock; those behind may go ahead.
    pub fn leave_queue(&self, procs: &ProcTable, p: &Proc, h: u32) {
        let (lock, holder) = (get(&p.wait_lock) - 1, get(&p.wait_holder) - 1);
        self.dequeue(procs, p, wait_status::ERROR);
        let l = self.lock(lock);
        set(&l.requested, get(&l.requested) - 1);
        if get(&self.holder(holder).mask) == 0 {
            self.remove_holder(holder, h, p);
        }
        if !self.drop_if_unused(lock, h) {
            self.wake_up(procs, lock);
        }
    }
    /// Grants what can be granted, in queue order: nobody passes a waiter ahead whose request conflicts.
    pub fn wake_up(&self, procs: &ProcTable, lock: u32) {
        let mut ahead = 0;
        for p in self.queue(procs, lock) {
            let Some(mode) = LockMode::from_u8(get(&p.wait_mode) as u8) else { continue };
            let holder = get(&p.wait_holder) - 1;
            if conflicts(mode) & ahead == 0 && !self.collides(procs, lock, holder, mode) {
                self.grant(lock, holder, mode);
                self.dequeue(procs, p, wait_status::OK);
                p.latch().set();
            } else {
                ahead |= mode.bit();
            }
        }
    }
    /// Records of a lock.
    pub fn holders_of(&self, lock: u32) -> Vec<u32> {
        let mut out = Vec::new();
        let mut at = get(&self.lock(lock).holders);
        while at != 0 {
            out.push(at - 1);
            at = get(&self.holder(at - 1).lock_next);
        }
        out
    }
    /// Releases everything a dead process held or waited for.
    pub fn release_dead(&self, procs: &ProcTable, me: &Proc, dead: &Proc) {
        for part in 0..LOCK_PARTITIONS {
            let _g = self.partitions[part].exclusive(me);
            loop {
                let at = dead.holders[part].load(Acquire);
                if at == 0 {
                    break;
                }
                let holder = at - 1;
                let lock = get(&self.holder(holder).lock);
                let h = self.locks.hash_of(lock);
                if get(&dead.wait_holder) == at {
                    let mask = get(&self.holder(holder).mask);
                    self.leave_queue(procs, dead, h);
                    if mask == 0 {
                        continue;
                    }
                }
                for mode in LockMode::ALL {
                    if get(&self.holder(holder).mask) & mode.bit() != 0 {
                        let last = get(&self.holder(holder).mask) == mode.bit();
                        self.ungrant(procs, lock, holder, h, dead, mode);
                        if last {
                            break;
                        }
                    }
                }
            }
        }
    }
}

type Links = fn(&'static Holder) -> (&'static AtomicU32, &'static AtomicU32);

fn link(t: &LockTables, head: &AtomicU32, at: u32, links: Links) {
    let (next, prev) = links(t.holder(at));
    let first = get(head);
    set(next, first);
    set(prev, 0);
    if first != 0 {
        set(links(t.holder(first - 1)).1, at + 1);
    }
    set(head, at + 1);
}

fn unlink(t: &LockTables, head: &AtomicU32, at: u32, links: Links) {
    let (next, prev) = links(t.holder(at));
    let (n, p) = (get(next), get(prev));
    if p == 0 {
        set(head, n);
    } else {
        set(links(t.holder(p - 1)).0, n);
    }
    if n != 0 {
        set(links(t.holder(n - 1)).1, p);
    }
}
