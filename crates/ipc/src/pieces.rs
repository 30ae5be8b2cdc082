//! Small pieces of memory that were given back, by size, the last one first. mimalloc hands out the pieces of a page in
//! turn, so that the trees of one statement lie where those of the statements long before it did: outside the caches.
//! Here a statement gets the memory of the one before it. A part of the heap ([`crate::heap`]): it has to be reached from
//! the allocator, which is why each thread has one by itself.

use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;

/// Classes are so many bytes apart.
const STEP: usize = 16;
/// Pieces up to `CLASSES * STEP` bytes are kept.
const CLASSES: usize = 64;
/// Most bytes kept of a class, for each thread.
const KEPT_BYTES: usize = 16 << 10;

/// A piece nobody uses: its first bytes lead to the next one.
pub(crate) struct Free {
    next: Option<NonNull<Free>>,
}

struct Class {
    first: Cell<Option<NonNull<Free>>>,
    kept: Cell<u32>,
}

thread_local! {
    static KEPT: [Class; CLASSES] = const { [const { Class { first: Cell::new(None), kept: Cell::new(0) } }; CLASSES] };
}

/// The class that serves a layout, if one does.
#[inline]
pub(crate) fn class(layout: Layout) -> Option<usize> {
    let c = layout.size().wrapping_sub(1) / STEP;
    (c < CLASSES && layout.align() <= STEP).then_some(c)
}

/// Bytes of a piece of a class.
#[inline]
pub(crate) fn size(class: usize) -> usize {
    (class + 1) * STEP
}

/// Takes the piece of a class that was given back last.
#[inline]
pub(crate) fn take(class: usize) -> Option<NonNull<Free>> {
    KEPT.with(|k| {
        let k = &k[class];
        let p = k.first.get()?;
        // SAFETY: what is kept was given by `keep`, which wrote this, and is nobody else's.
        k.first.set(unsafe { p.as_ref() }.next);
        k.kept.set(k.kept.get() - 1);
        Some(p)
    })
}

/// Keeps a piece, unless there are enough of its class.
///
/// # Safety
/// The piece has the class's size, lies at a multiple of 8, and nobody uses it.
#[inline]
pub(crate) unsafe fn keep(class: usize, piece: *mut u8) -> bool {
    let Some(p) = NonNull::new(piece.cast::<Free>()) else { return false };
    KEPT.with(|k| {
        let k = &k[class];
        if k.kept.get() as usize >= KEPT_BYTES / size(class) {
            return false;
        }
        // SAFETY: the caller promises that the piece is free, long enough and aligned.
        unsafe { p.write(Free { next: k.first.get() }) };
        k.first.set(Some(p));
        k.kept.set(k.kept.get() + 1);
        true
    })
}
