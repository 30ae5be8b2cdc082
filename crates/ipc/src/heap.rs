//! The heap of every process: mimalloc, with a count of the bytes that are in use. Trees of statements are many small
//! pieces that live for a statement; the C library's allocator spends a third of a short statement's time on them.

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The allocator of all binaries of the server (`#[global_allocator]` in the root crate).
pub struct Heap {
    /// Bytes asked for and not given back. Load and store are not one step: where a process has several threads (the
    /// monitoring endpoint) it may be off, and it is for display only.
    used: AtomicUsize,
}

/// Bytes taken from the system, and how many of them are in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapUse {
    pub total: usize,
    pub used: usize,
}

impl Heap {
    /// An allocator that has given out nothing.
    pub const fn new() -> Heap {
        Heap { used: AtomicUsize::new(0) }
    }
    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
    /// What is in use, and what was taken from the system for it.
    pub fn sizes(&self) -> HeapUse {
        let used = self.used();
        let mut n = [0usize; 8];
        let [elapsed, user, system, rss, peak_rss, commit, peak_commit, faults] = &mut n;
        // SAFETY: every argument is a valid place for one number, which is all that the call writes.
        unsafe {
            libmimalloc_sys::mi_process_info(
                elapsed,
                user,
                system,
                rss,
                peak_rss,
                commit,
                peak_commit,
                faults,
            );
        }
        HeapUse { total: n[5].max(used), used }
    }
    fn count(&self, taken: usize, given: usize) {
        let n = self.used.load(Relaxed);
        self.used.store(n.wrapping_add(taken).wrapping_sub(given), Relaxed);
    }
}

/// Does whatever `mi_malloc` gives have the alignment? Pieces of more than 8 bytes lie at multiples of 16, others at
/// multiples of 8.
fn fits_any(layout: Layout) -> bool {
    layout.align() <= 8 || (layout.align() == 16 && layout.size() > 8)
}

impl Default for Heap {
    fn default() -> Self {
        Heap::new()
    }
}

// SAFETY: every call is handed on to mimalloc, which keeps the contract, with the caller's arguments unchanged; the count
// beside it touches no memory of the heap.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), 0);
        if fits_any(layout) {
            // SAFETY: a call without preconditions.
            return unsafe { libmimalloc_sys::mi_malloc(layout.size()) }.cast();
        }
        // SAFETY: the caller's promises are those that mimalloc's method asks for.
        unsafe { MiMalloc.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        self.count(0, layout.size());
        // SAFETY: as above; the pointer came from `alloc` or `realloc`, hence from mimalloc.
        unsafe { MiMalloc.dealloc(ptr, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.count(new_size, layout.size());
        // SAFETY: as above; the pointer came from this allocator with this layout.
        unsafe { MiMalloc.realloc(ptr, layout, new_size) }
    }
}

/// The one heap of a process. It stands here, and not in the root crate, so that [`crate::memory`] can read its count;
/// being the allocator, it cannot hang off anything that is itself allocated.
#[global_allocator]
static HEAP: Heap = Heap::new();

/// Bytes in use in this process.
pub fn used() -> usize {
    HEAP.used()
}

/// What is in use in this process, and what was taken from the system for it.
pub fn sizes() -> HeapUse {
    HEAP.sizes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned() {
        let mut held = Vec::new();
        for size in 1..600 {
            for align in [1, 2, 4, 8, 16, 32, 64] {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: the layout's size is not zero; each piece is given back once, with its layout.
                let p = unsafe { std::alloc::alloc(layout) };
                assert_eq!(p as usize % align, 0, "{size} bytes");
                held.push((p, layout));
            }
        }
        // SAFETY: as above.
        held.into_iter().for_each(|(p, layout)| unsafe { std::alloc::dealloc(p, layout) });
    }

    #[test]
    fn the_count_follows_what_is_held() {
        let before = used();
        let v = vec![1u8; 1 << 20];
        assert!(used() - before >= 1 << 20);
        assert!(sizes().total >= used());
        drop(v);
        assert!(used() < before + (1 << 20));
    }
}
