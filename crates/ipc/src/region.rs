//! Memory that a process shares with the children it is going to fork: an anonymous mapping, made before the fork and gone
//! with the last process that has it. Pages are taken when they are first touched, so that room can be reserved
//! generously. What lies where is laid out beforehand ([`RegionLayout`]).

use crate::futex::{self, Woken};
use crate::{Interrupts, Shared, WaitEvent, fork};
use common::{Error, Result};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

/// Adds up what is to lie in a region.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegionLayout {
    len: usize,
}

impl RegionLayout {
    /// Room for so many values; the place is for [`Region::slice`].
    pub fn reserve<T: Shared>(&mut self, count: usize) -> usize {
        self.reserve_bytes(size_of::<T>().saturating_mul(count), align_of::<T>())
    }
    /// Room for bytes.
    pub fn reserve_bytes(&mut self, len: usize, align: usize) -> usize {
        // Lines of the cache are not shared by accident.
        let at = self.len.next_multiple_of(align.max(64));
        self.len = at.saturating_add(len);
        at
    }
    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Nothing reserved?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The memory. All zero at first.
pub struct Region {
    base: *mut u8,
    len: usize,
}

impl Region {
    /// Maps it. 53200 when the system has no room.
    pub fn new(layout: &RegionLayout) -> Result<Region> {
        let len = layout.len.max(1);
        let (prot, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, prot, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            let e = std::io::Error::last_os_error();
            let why = common::error::os_message(&e);
            return Err(common::err!(OUT_OF_MEMORY, "could not map shared memory of {len} bytes: {why}"));
        }
        if base.is_null() {
            return Err(Error::internal("shared memory was mapped at address 0"));
        }
        Ok(Region { base: base.cast(), len })
    }
    /// Values that lie in it.
    pub fn slice<T: Shared>(&self, offset: usize, count: usize) -> &[T] {
        let bytes = count.checked_mul(size_of::<T>()).expect("a size");
        assert!(offset.checked_add(bytes).is_some_and(|end| end <= self.len), "outside of the region");
        assert!(offset.is_multiple_of(align_of::<T>()), "not aligned");
        // SAFETY: inside the mapping and aligned (checked; a mapping begins at a page), zero or valid (`Shared`), and
        // `Shared` permits aliasing. Weak spot: two callers that read the same bytes as different types, which only
        // gives wrong numbers, as all `Shared` types are valid for any bits they can hold.
        unsafe { std::slice::from_raw_parts(self.base.add(offset).cast::<T>(), count) }
    }
    /// A single value.
    pub fn get<T: Shared>(&self, offset: usize) -> &T {
        &self.slice(offset, 1)[0]
    }
    /// Writes bytes to a place that is the caller's alone until it tells others of it.
    pub fn put_bytes(&self, offset: usize, b: &[u8]) {
        // SAFETY: inside the mapping (checked by `bytes`), which no Rust value but this one owns. Weak spot: a caller
        // that writes where another process looks gives it wrong bytes.
        unsafe { std::ptr::copy_nonoverlapping(b.as_ptr(), self.bytes(offset, b.len()), b.len()) }
    }
    /// Bytes that were written by [`Region::put_bytes`], and are written no more.
    #[inline]
    pub fn view(&self, offset: usize, len: usize) -> &[u8] {
        // SAFETY: inside the mapping, checked by `bytes`; any bits are bytes. Weak spot: a process that writes there all
        // the same.
        unsafe { std::slice::from_raw_parts(self.bytes(offset, len), len) }
    }
    /// Address of raw bytes of which `len` are inside.
    pub(crate) fn bytes(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.len), "outside of the region");
        // SAFETY: inside the mapping, checked above.
        unsafe { self.base.add(offset) }
    }
}

/// A lock in a region. Who holds it may be killed: whoever waits then finds out.
#[repr(transparent)]
pub struct Mutex(AtomicU32);
// SAFETY: an atomic.
unsafe impl Shared for Mutex {}

/// Bit of a mutex that somebody sleeps on.
const WAITED_FOR: u32 = 1 << 31;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Mutex {
    /// Waits for it. `None`: its holder is dead. Errors: those of interrupts.
    pub fn lock(&self, ints: &Interrupts, event: WaitEvent) -> Result<Option<MutexGuard<'_>>> {
        let me = std::process::id();
        for _ in 0..100 {
            if self.0.compare_exchange(0, me, Acquire, Relaxed).is_ok() {
                return Ok(Some(MutexGuard(self)));
            }
            std::hint::spin_loop();
        }
        let _shown = ints.waiting(event);
        loop {
            // The bit stays set for as long as somebody may sleep.
            let seen = self.0.load(Relaxed);
            if seen == 0 {
                if self.0.compare_exchange(0, me | WAITED_FOR, Acquire, Relaxed).is_ok() {
                    return Ok(Some(MutexGuard(self)));
                }
                continue;
            }
            let marked = seen | WAITED_FOR;
            if seen != marked && self.0.compare_exchange(seen, marked, Relaxed, Relaxed).is_err() {
                continue;
            }
            ints.check()?;
            if futex::wait(&self.0, marked, Some(LOOK_AGAIN)) == Woken::TimedOut
                && self.0.load(Relaxed) == marked
                && !fork::exists((marked & !WAITED_FOR) as i32)
            {
                return Ok(None);
            }
        }
    }
}

/// The lock is held while this lives.
pub struct MutexGuard<'a>(&'a Mutex);
impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        if self.0.0.swap(0, Release) & WAITED_FOR != 0 {
            futex::wake_all(&self.0.0);
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own; nothing refers into it any more, as references borrow the value.
        unsafe {
            libc::munmap(self.base.cast(), self.len);
        }
    }
}
