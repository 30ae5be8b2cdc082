//! The buffer descriptor: one cache line of atomics per buffer, and the state word in which pin count, usage count and
//! flags change together by compare-and-swap.

use crate::relfile::{Fork, RelFileLocator};
use common::{BlockNumber, Oid};
use ipc::{LwLock, shared_struct};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};

/// Bits of the pin count.
pub(crate) const REFCOUNT_MASK: u32 = (1 << 18) - 1;
/// One unit of the usage count.
pub(crate) const USAGE_ONE: u32 = 1 << 18;
/// Bits of the usage count.
pub(crate) const USAGE_MASK: u32 = 15 << 18;
/// The usage count stops here: an ordinary pin raises it by one.
pub(crate) const USAGE_MAX: u32 = 5;
/// A pin on behalf of a ring does not raise it further.
pub(crate) const USAGE_RING: u32 = 1;
/// A pin to write the page out does not count as use.
pub(crate) const USAGE_NONE: u32 = 0;
/// Differs from the file.
pub(crate) const DIRTY: u32 = 1 << 22;
/// Contents are the block's.
pub(crate) const VALID: u32 = 1 << 23;
/// The tag is set and the buffer is in the mapping table.
pub(crate) const TAG_VALID: u32 = 1 << 24;
/// Somebody reads or writes it.
pub(crate) const IO_IN_PROGRESS: u32 = 1 << 25;
/// Dirtied since the write under way began.
pub(crate) const JUST_DIRTIED: u32 = 1 << 27;
/// Somebody waits for the pin count to fall to one.
pub(crate) const PIN_WAITER: u32 = 1 << 28;
/// Must be written by the checkpoint under way.
pub(crate) const CHECKPOINT_NEEDED: u32 = 1 << 29;

/// Which block a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tag {
    pub rel: RelFileLocator,
    pub fork: Fork,
    pub block: BlockNumber,
}

impl Tag {
    /// Fork and owning backend in one word.
    #[inline]
    fn fork_word(&self) -> u32 {
        self.fork as u32 | self.rel.backend << 8
    }
    /// A well-mixed hash; the mapping table takes its top bits.
    #[inline]
    pub fn hash(&self) -> u64 {
        const K: u64 = 0x9E37_79B9_7F4A_7C15;
        let a = (u64::from(self.rel.rel_number) << 32) | u64::from(self.block.0);
        let b =
            (u64::from(self.rel.db_oid.0) << 32) | (u64::from(self.rel.spc_oid.0) << 3) | self.fork as u64;
        let m = u128::from(a ^ b.wrapping_mul(K)).wrapping_mul(0xA076_1D64_78BD_642F_E703_7ED1_A0B4_28DB);
        ((m >> 64) as u64 ^ m as u64).wrapping_mul(K)
    }
}

shared_struct! {
    /// One buffer.
    #[repr(align(64))]
    pub struct BufferDesc {
        pub(crate) state: AtomicU32,
        /// Next buffer + 1 in the bucket's chain. Changed under the partition lock, read without it.
        pub(crate) next: AtomicU32,
        spc: AtomicU32,
        db: AtomicU32,
        rel: AtomicU32,
        fork: AtomicU32,
        block: AtomicU32,
        pub(crate) content: LwLock,
    }
}
const _: () = assert!(size_of::<BufferDesc>() == 64);

shared_struct! {
    /// Clock hand and counts of the sweep.
    #[repr(align(64))]
    pub struct PoolHeader {
        /// Next buffer the sweep looks at (modulo the pool size).
        pub(crate) hand: AtomicU32,
        /// Buffers handed out since the background writer looked.
        pub(crate) allocations: AtomicU32,
        /// Buffers that backends had to write themselves.
        pub(crate) backend_writes: AtomicU32,
    }
}

impl BufferDesc {
    /// The tag as it reads at this moment; meaningful under a pin or the partition lock.
    #[inline]
    pub(crate) fn tag(&self) -> Tag {
        Tag {
            rel: RelFileLocator {
                spc_oid: Oid(self.spc.load(Relaxed)),
                db_oid: Oid(self.db.load(Relaxed)),
                rel_number: self.rel.load(Relaxed),
                backend: self.fork.load(Relaxed) >> 8,
            },
            fork: Fork::from_u8(self.fork.load(Relaxed) as u8).unwrap_or(Fork::Main),
            block: BlockNumber(self.block.load(Relaxed)),
        }
    }
    #[inline]
    pub(crate) fn tag_is(&self, t: &Tag) -> bool {
        self.block.load(Relaxed) == t.block.0
            && self.rel.load(Relaxed) == t.rel.rel_number
            && self.fork.load(Relaxed) == t.fork_word()
            && self.db.load(Relaxed) == t.rel.db_oid.0
            && self.spc.load(Relaxed) == t.rel.spc_oid.0
    }
    /// Only by the owner of a buffer that is pinned once and has no valid tag.
    pub(crate) fn set_tag(&self, t: &Tag) {
        self.spc.store(t.rel.spc_oid.0, Relaxed);
        self.db.store(t.rel.db_oid.0, Relaxed);
        self.rel.store(t.rel.rel_number, Relaxed);
        self.fork.store(t.fork_word(), Relaxed);
        self.block.store(t.block.0, Relaxed);
    }
    #[inline]
    pub(crate) fn load(&self) -> u32 {
        self.state.load(Acquire)
    }
    /// Sets flags; returns the state before.
    #[inline]
    pub(crate) fn set_flags(&self, flags: u32) -> u32 {
        self.state.fetch_or(flags, AcqRel)
    }
    /// Clears flags; returns the state before.
    #[inline]
    pub(crate) fn clear_flags(&self, flags: u32) -> u32 {
        self.state.fetch_and(!flags, AcqRel)
    }
    /// Pins if the tag is valid.
    #[inline]
    pub(crate) fn try_pin(&self, usage_max: u32) -> Option<u32> {
        let mut s = self.state.load(Relaxed);
        loop {
            if s & TAG_VALID == 0 {
                return None;
            }
            let usage = (s & USAGE_MASK) / USAGE_ONE;
            let mut n = s + 1;
            if usage < usage_max {
                n += USAGE_ONE;
            }
            match self.state.compare_exchange_weak(s, n, SeqCst, Relaxed) {
                Ok(_) => return Some(n),
                Err(now) => s = now,
            }
        }
    }
    /// Lowers the pin count; returns the state after.
    #[inline]
    pub(crate) fn unpin(&self) -> u32 {
        let s = self.state.fetch_sub(1, AcqRel);
        debug_assert!(s & REFCOUNT_MASK > 0, "unpin of an unpinned buffer");
        s - 1
    }
}
