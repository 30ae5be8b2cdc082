//! Hints to the processor about rows that are going to be read: their mapping entries, buffer descriptors, page headers,
//! line pointers and heads are brought into the cache, all rows' one kind after the other, so that the misses overlap.

use super::desc::Tag;
use crate::Store;
use crate::page::{ItemId, PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use common::Tid;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Rows looked at together.
pub const WARM_MAX: usize = 32;

#[inline(always)]
fn touch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing the program sees and never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

impl Store {
    /// Warms the cache for these rows of a relation, at most [`WARM_MAX`] of them. Takes no pin and no lock; rows that are
    /// not in the pool are passed over.
    pub fn warm(&self, rel: RelFileLocator, tids: &[Tid]) {
        if rel.is_temp() {
            return;
        }
        let mut tags: [(u64, u32); WARM_MAX] = [(0, u32::MAX); WARM_MAX];
        let tids = &tids[..tids.len().min(WARM_MAX)];
        let tag = |t: &Tid| Tag { rel, fork: Fork::Main, block: t.block };
        let shared = self.shared();
        for (t, slot) in tids.iter().zip(&mut tags) {
            slot.0 = tag(t).hash();
            touch(shared.bucket_head(slot.0));
        }
        for slot in &tags[..tids.len()] {
            let first = shared.bucket_head(slot.0).load(Relaxed);
            if first != 0 {
                touch(&raw const *self.desc(first - 1));
            }
        }
        for (t, slot) in tids.iter().zip(&mut tags) {
            let Some(buf) = shared.probe(&tag(t), slot.0) else { continue };
            slot.1 = buf;
            let page = self.block_ptr(buf).cast::<u8>();
            touch(page);
            touch(page.wrapping_add(Page::lp_at(t.offset.max(1))));
        }
        for (t, slot) in tids.iter().zip(&tags) {
            let lp = Page::lp_at(t.offset.max(1));
            if slot.1 == u32::MAX || lp + 4 > PAGE_SIZE {
                continue;
            }
            let page = self.block_ptr(slot.1).cast::<u8>();
            // SAFETY: aligned and inside the block (checked). Without pin or lock the word may be anything; it is only
            // used to compute an address inside the block for another prefetch.
            let word = unsafe { AtomicU32::from_ptr(page.add(lp).cast()) }.load(Relaxed);
            let at = usize::from(ItemId(u32::from_le(word)).offset());
            if at + 128 <= PAGE_SIZE {
                touch(page.wrapping_add(at));
                touch(page.wrapping_add(at + 64));
            }
        }
    }
}
