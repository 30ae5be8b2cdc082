//! The fast path: a weak lock (up to ROW EXCLUSIVE) on a relation of the own database conflicts only with strong ones,
//! so it is noted in the process's slot, under the slot's own LWLock, without touching the shared table. Whoever wants a
//! strong lock first raises the count of the tag's bucket, which closes the fast path, then moves existing fast-path
//! locks on the relation into the shared table.

use super::acquire::LockStatus;
use super::local::Local;
use super::mode::LockMode;
use super::table::STRONG_BUCKETS;
use super::tag::{LockTag, TagType};
use crate::Engine;
use common::{Error, Oid, Result};
use ipc::Proc;
use ipc::procs::FAST_PATH_SLOTS;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, SeqCst};

/// Three bits per slot: AccessShare, RowShare, RowExclusive.
fn bit(slot: usize, mode: LockMode) -> u64 {
    1 << (slot * 3 + mode as usize - 1)
}
fn slot_bits(slot: usize) -> u64 {
    7 << (slot * 3)
}
fn eligible(tag: &LockTag, mode: LockMode, db: Oid) -> bool {
    tag.kind == TagType::Relation && tag.f1 != 0 && tag.f1 == db.0 && mode < LockMode::ShareUpdateExclusive
}
/// Does it exclude fast-path locks?
pub fn is_strong(tag: &LockTag, mode: LockMode) -> bool {
    tag.kind == TagType::Relation && tag.f1 != 0 && mode > LockMode::ShareUpdateExclusive
}

impl Engine {
    pub(super) fn begin_strong(&self, h: u32) {
        self.shared.locks.strong[h as usize % STRONG_BUCKETS].fetch_add(1, SeqCst);
        self.strong_held.borrow_mut().push(h);
    }
    pub(super) fn end_strong(&self, h: u32) {
        let mut held = self.strong_held.borrow_mut();
        if let Some(i) = held.iter().rposition(|x| *x == h) {
            held.swap_remove(i);
            self.shared.locks.strong[h as usize % STRONG_BUCKETS].fetch_sub(1, SeqCst);
        }
    }
    pub(super) fn fast_path_acquire(&self, tag: &LockTag, mode: LockMode, h: u32) -> bool {
        let me = self.proc();
        if !eligible(tag, mode, me.database()) {
            return false;
        }
        let _g = me.fast_path_lock.exclusive(me);
        if self.shared.locks.strong[h as usize % STRONG_BUCKETS].load(SeqCst) != 0 {
            return false;
        }
        let bits = me.fast_path_bits.load(Relaxed);
        let mut free = None;
        for s in 0..FAST_PATH_SLOTS {
            if bits & slot_bits(s) == 0 {
                free = free.or(Some(s));
            } else if me.fast_path_relations[s].load(Relaxed) == tag.f2 {
                me.fast_path_bits.store(bits | bit(s, mode), Relaxed);
                return true;
            }
        }
        let Some(s) = free else { return false };
        me.fast_path_relations[s].store(tag.f2, Relaxed);
        me.fast_path_bits.store(bits | bit(s, mode), Relaxed);
        true
    }
    /// False: it was moved to the shared table.
    pub(super) fn fast_path_release(&self, tag: &LockTag, mode: LockMode) -> bool {
        let me = self.proc();
        let _g = me.fast_path_lock.exclusive(me);
        let bits = me.fast_path_bits.load(Relaxed);
        for s in 0..FAST_PATH_SLOTS {
            if bits & bit(s, mode) != 0 && me.fast_path_relations[s].load(Relaxed) == tag.f2 {
                me.fast_path_bits.store(bits & !bit(s, mode), Relaxed);
                return true;
            }
        }
        false
    }
    /// Releases all fast-path locks of a list in one go; keeps in it what has to be released in the shared table.
    pub(super) fn fast_path_release_all(&self, list: &mut Vec<((LockTag, LockMode), Local)>) {
        if !list.iter().any(|l| l.1.fast) {
            return;
        }
        let me = self.proc();
        let _g = me.fast_path_lock.exclusive(me);
        let mut bits = me.fast_path_bits.load(Relaxed);
        list.retain(|((tag, mode), l)| {
            let slot = (0..FAST_PATH_SLOTS).find(|s| {
                l.fast && bits & bit(*s, *mode) != 0 && me.fast_path_relations[*s].load(Relaxed) == tag.f2
            });
            if let Some(s) = slot {
                bits &= !bit(s, *mode);
            }
            slot.is_none()
        });
        me.fast_path_bits.store(bits, Relaxed);
    }
    /// Moves all fast-path locks on a relation into the shared table (of one process, or of all).
    pub(super) fn transfer_fast_locks(&self, tag: &LockTag, h: u32, only: Option<&Proc>) -> Result<()> {
        let t = &self.shared.locks;
        for p in self.procs.scan() {
            if only.is_some_and(|o| o.number() != p.number()) || p.pid() == 0 {
                continue;
            }
            let _fp = p.fast_path_lock.exclusive(self.proc());
            if p.database().0 != tag.f1 {
                continue;
            }
            let bits = p.fast_path_bits.load(Relaxed);
            for s in 0..FAST_PATH_SLOTS {
                if bits & slot_bits(s) == 0 || p.fast_path_relations[s].load(Relaxed) != tag.f2 {
                    continue;
                }
                let _g = t.guard(h, self.proc());
                for mode in [LockMode::AccessShare, LockMode::RowShare, LockMode::RowExclusive] {
                    if bits & bit(s, mode) == 0 {
                        continue;
                    }
                    let (lock, holder) = t.enter(tag, h, p).map_err(|_| -> Error {
                        common::err!(OUT_OF_MEMORY, "out of shared memory")
                            .hint("You might need to increase max_locks_per_transaction.")
                    })?;
                    t.request(lock);
                    t.grant(lock, holder, mode);
                    p.fast_path_bits.fetch_and(!bit(s, mode), AcqRel);
                }
            }
        }
        Ok(())
    }
    pub(super) fn fast_path_status(&self) -> Vec<LockStatus> {
        let mut out = Vec::new();
        for p in self.procs.live() {
            let _g = p.fast_path_lock.shared(self.proc());
            let bits = p.fast_path_bits.load(Relaxed);
            for s in 0..FAST_PATH_SLOTS {
                for mode in [LockMode::AccessShare, LockMode::RowShare, LockMode::RowExclusive] {
                    if bits & bit(s, mode) != 0 {
                        let tag =
                            LockTag::relation(p.database(), Oid(p.fast_path_relations[s].load(Relaxed)));
                        out.push(LockStatus::new(tag, mode, true, true, p));
                    }
                }
            }
            let lxid = p.lxid.load(Relaxed);
            if lxid != 0 {
                let tag = LockTag::virtual_transaction(p.number() + 1, lxid);
                out.push(LockStatus::new(tag, LockMode::Exclusive, true, true, p));
            }
        }
        out
    }
}
