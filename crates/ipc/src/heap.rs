//! The heap of every process: mimalloc, with a count of the bytes that are in use. Trees of statements are many small
//! pieces that live for a statement; the C library's allocator spends a third of a short statement's time on them.
//! Small pieces given back are kept ([`crate::pieces`]) for whoever asks next.

use crate::pieces;
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

impl Default for Heap {
    fn default() -> Self {
        Heap::new()
    }
}

// SAFETY: a piece comes from mimalloc, directly or by way of `pieces`, where only pieces of the same class are; a class
// depends on the layout alone, and what mimalloc is asked for is the class's size, which no layout of the class exceeds.
// mimalloc's pieces of more than 8 bytes lie at multiples of 16, the largest alignment a class serves. All other layouts
// are handed on with the caller's arguments unchanged. The count beside it touches no memory of the heap.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), 0);
        let Some(c) = pieces::class(layout) else {
            // SAFETY: the caller's promises are those that mimalloc's method asks for.
            return unsafe { MiMalloc.alloc(layout) };
        };
        match pieces::take(c) {
            Some(p) => p.as_ptr().cast(),
            // SAFETY: a call without preconditions.
            None => unsafe { libmimalloc_sys::mi_malloc(pieces::size(c)) }.cast(),
        }
    }
    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        self.count(0, layout.size());
        // SAFETY: the piece is the caller's to give, and has its class's size.
        if pieces::class(layout).is_some_and(|c| unsafe { pieces::keep(c, ptr) }) {
            return;
        }
        // SAFETY: as above; the pointer came from `alloc` or `realloc`, hence from mimalloc.
        unsafe { MiMalloc.dealloc(ptr, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if pieces::class(layout).is_none() {
            self.count(layout.size(), 0);
            // SAFETY: as above.
            return unsafe { MiMalloc.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's promises are the same; so many bytes were got, unless none were.
        unsafe {
            let p = self.alloc(layout);
            if !p.is_null() {
                p.write_bytes(0, layout.size());
            }
            p
        }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size, with the alignment, makes a layout.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (pieces::class(layout), pieces::class(new)) {
            (None, None) => {
                self.count(new_size, layout.size());
                // SAFETY: as above; the pointer came from this allocator with this layout.
                unsafe { MiMalloc.realloc(ptr, layout, new_size) }
            }
            (old, class) if old == class => {
                self.count(new_size, layout.size());
                ptr
            }
            // SAFETY: both pieces are as long as is copied, and do not overlap; the old one is given back once.
            _ => unsafe {
                let p = self.alloc(new);
                if !p.is_null() {
                    std::ptr::copy_nonoverlapping(ptr, p, layout.size().min(new_size));
                    self.dealloc(ptr, layout);
                }
                p
            },
        }
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

    /// One after the other: the count is that of the whole process.
    #[test]
    fn pieces_and_their_count() {
        pieces_are_aligned();
        pieces_grow_and_shrink();
        the_count_follows_what_is_held();
    }

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

    fn pieces_grow_and_shrink() {
        for (from, to) in [(5, 9), (16, 17), (40, 33), (1000, 1024), (1024, 1025), (1025, 100), (3000, 5000)]
        {
            let layout = Layout::from_size_align(from, 8).unwrap();
            // SAFETY: no size is zero; the piece is written before it is read, and given back once with its layout.
            unsafe {
                let p = std::alloc::alloc(layout);
                (0..from).for_each(|i| p.add(i).write(i as u8));
                let q = std::alloc::realloc(p, layout, to);
                assert!((0..from.min(to)).all(|i| q.add(i).read() == i as u8), "{from} to {to}");
                std::alloc::dealloc(q, Layout::from_size_align(to, 8).unwrap());
                let z = std::alloc::alloc_zeroed(layout);
                assert!((0..from).all(|i| z.add(i).read() == 0));
                std::alloc::dealloc(z, layout);
            }
        }
    }

    fn the_count_follows_what_is_held() {
        let before = used();
        let v = vec![1u8; 1 << 20];
        assert!(used() - before >= 1 << 20);
        assert!(sizes().total >= used());
        drop(v);
        assert!(used() < before + (1 << 20));
    }
}
