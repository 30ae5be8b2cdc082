//! The mapping table: from a tag to the buffer that holds the block. Buckets of chained descriptors, 128 partitions.
//! A lookup normally takes no lock: it walks the chain, pins, and looks again; a pinned buffer keeps its tag. When
//! that fails (the chain moved under it, or the block is not there) the locked lookup decides.

use super::desc::{BufferDesc, TAG_VALID, Tag};
use crate::shared::{MAPPING_PARTITIONS, SharedStorage};
use ipc::{ExclusiveGuard, Proc, SharedGuard};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Longest chain an unlocked lookup follows before it gives up.
const STEPS_MAX: usize = 32;

impl SharedStorage {
    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        // The bucket count is a power of two; the top bits are the best mixed.
        (hash >> (64 - self.buckets.len().trailing_zeros())) as usize
    }
    #[inline]
    fn partition(&self, hash: u64) -> usize {
        (hash >> (64 - MAPPING_PARTITIONS.trailing_zeros())) as usize
    }
    pub(crate) fn map_exclusive<'a>(&self, hash: u64, me: &'a Proc) -> ExclusiveGuard<'a> {
        let s = *self;
        s.mapping_locks[s.partition(hash)].exclusive(me)
    }
    pub(crate) fn map_shared<'a>(&self, hash: u64, me: &'a Proc) -> SharedGuard<'a> {
        let s = *self;
        s.mapping_locks[s.partition(hash)].shared(me)
    }
    /// Where the chain of this hash begins.
    #[inline]
    pub(crate) fn bucket_head(&self, hash: u64) -> &AtomicU32 {
        &self.buckets[self.bucket(hash)]
    }
    /// The buffer that seems to hold the block, found without a lock: the caller pins it and compares the tag again.
    #[inline]
    pub(crate) fn probe(&self, tag: &Tag, hash: u64) -> Option<u32> {
        let mut at = self.buckets[self.bucket(hash)].load(Acquire);
        for _ in 0..STEPS_MAX {
            if at == 0 {
                return None;
            }
            let d: &BufferDesc = &self.descs[at as usize - 1];
            if d.tag_is(tag) && d.state.load(Acquire) & TAG_VALID != 0 {
                return Some(at - 1);
            }
            at = d.next.load(Acquire);
        }
        None
    }
    /// Finds a buffer; the caller holds the partition lock.
    pub(crate) fn find_locked(&self, tag: &Tag, hash: u64) -> Option<u32> {
        let mut at = self.buckets[self.bucket(hash)].load(Acquire);
        while at != 0 {
            let d = &self.descs[at as usize - 1];
            if d.tag_is(tag) && d.state.load(Relaxed) & TAG_VALID != 0 {
                return Some(at - 1);
            }
            at = d.next.load(Acquire);
        }
        None
    }
    /// Adds a buffer whose tag is set; the caller holds the partition lock exclusively.
    pub(crate) fn map_insert(&self, buf: u32, hash: u64) {
        let head = &self.buckets[self.bucket(hash)];
        self.descs[buf as usize].next.store(head.load(Relaxed), Release);
        head.store(buf + 1, Release);
    }
    /// Takes a buffer out; the caller holds the partition lock exclusively.
    pub(crate) fn map_remove(&self, buf: u32, hash: u64) {
        let mut link = &self.buckets[self.bucket(hash)];
        loop {
            let at = link.load(Acquire);
            if at == 0 {
                debug_assert!(false, "buffer {buf} is not in its chain");
                return;
            }
            let d = &self.descs[at as usize - 1];
            if at == buf + 1 {
                link.store(d.next.load(Acquire), Release);
                return;
            }
            link = &d.next;
        }
    }
}
