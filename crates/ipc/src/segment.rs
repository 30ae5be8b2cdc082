//! The shared-memory segment. Every subsystem first reserves its part in a `Layout`; then the postmaster maps one
//! memfd of that size, before any fork, so that each process sees it at the same address. Never unmapped: references
//! into it are `'static`.

use crate::Shared;
use common::{Error, Result};
use std::marker::PhantomData;
use std::os::fd::AsFd;

const HUGE: usize = 2 << 20;
const PAGE: usize = 4096;

/// A reserved part of the segment: `count` values of `T` at a fixed offset.
pub struct Handle<T> {
    offset: usize,
    count: usize,
    _t: PhantomData<fn() -> T>,
}
impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> Handle<T> {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// One line of `pg_shmem_allocations`.
#[derive(Clone, Debug)]
pub struct Allocation {
    pub name: String,
    pub offset: usize,
    pub size: usize,
    /// Size with the padding up to the next allocation.
    pub allocated_size: usize,
}

/// Collects what the subsystems need.
#[derive(Default)]
pub struct Layout {
    size: usize,
    directory: Vec<Allocation>,
}

impl Layout {
    /// An empty layout.
    pub fn new() -> Layout {
        Layout::default()
    }
    /// Reserves `count` values of `T`, aligned to at least a cache line.
    pub fn reserve<T: Shared>(&mut self, name: &str, count: usize) -> Handle<T> {
        let offset = self.place(name, size_of::<T>() * count, align_of::<T>().max(64));
        Handle { offset, count, _t: PhantomData }
    }
    /// Reserves raw bytes for unsafe code of `storage`.
    pub fn reserve_bytes(&mut self, name: &str, len: usize, align: usize) -> Handle<u8> {
        let offset = self.place(name, len, align.max(64));
        Handle { offset, count: len, _t: PhantomData }
    }
    /// Bytes reserved so far.
    pub fn size(&self) -> usize {
        self.size
    }
    fn place(&mut self, name: &str, len: usize, align: usize) -> usize {
        assert!(align.is_power_of_two() && align <= HUGE);
        let offset = self.size.next_multiple_of(align);
        if let Some(last) = self.directory.last_mut() {
            last.allocated_size = offset - last.offset;
        }
        self.size = offset + len;
        self.directory.push(Allocation { name: name.into(), offset, size: len, allocated_size: len });
        offset
    }
}

/// The mapped segment. Made once by the postmaster; children inherit mapping and directory.
pub struct Segment {
    base: *mut u8,
    size: usize,
    directory: Vec<Allocation>,
}

// SAFETY: the segment hands out only `&'static T` with `T: Shared` (or raw pointers, whose use is unsafe).
unsafe impl Sync for Segment {}
// SAFETY: as above; the mapping belongs to the process, not to a thread.
unsafe impl Send for Segment {}

impl Segment {
    /// Maps zero-filled memory for the layout. 53200/58030 when the system refuses.
    pub fn create(layout: Layout) -> Result<Segment> {
        let size = layout.size.max(1).next_multiple_of(PAGE);
        let fail =
            |e: nix::Error| Error::os("could not create shared memory segment", &std::io::Error::from(e));
        let fd = nix::sys::memfd::memfd_create(c"stegodon", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)
            .map_err(fail)?;
        nix::unistd::ftruncate(fd.as_fd(), size as i64).map_err(fail)?;
        let reserved = map_anonymous(size + HUGE).map_err(fail)?;
        let base = reserved.next_multiple_of(HUGE);
        map_fixed(base, size, fd.as_fd()).map_err(fail)?;
        trim(reserved, base, size);
        Ok(Segment { base: base as *mut u8, size, directory: layout.directory })
    }
    /// The values behind a handle.
    pub fn slice<T: Shared>(&self, h: Handle<T>) -> &'static [T] {
        assert!(h.offset + h.count * size_of::<T>() <= self.size, "handle of another layout");
        // SAFETY: the range lies inside the mapping (checked), is aligned (Layout::place), zero or valid (`Shared`),
        // lives as long as the process, and `T: Shared` permits aliasing from every process. Weak spot: a handle of
        // another layout of at least this size would alias other values; layouts are made once, at start.
        unsafe { std::slice::from_raw_parts(self.base.add(h.offset).cast::<T>(), h.count) }
    }
    /// The single value behind a handle.
    pub fn get<T: Shared>(&self, h: Handle<T>) -> &'static T {
        &self.slice(h)[0]
    }
    /// Address of raw bytes.
    pub fn bytes_ptr(&self, h: Handle<u8>) -> *mut u8 {
        assert!(h.offset + h.count <= self.size);
        // SAFETY: offset is inside the mapping, checked above.
        unsafe { self.base.add(h.offset) }
    }
    /// What lies where, in order.
    pub fn directory(&self) -> &[Allocation] {
        &self.directory
    }
    /// Mapped bytes.
    pub fn size(&self) -> usize {
        self.size
    }
    /// Asks the kernel to back one range with huge pages. Refusal is not an error.
    pub fn collapse(&self, from: usize, len: usize) -> bool {
        const MADV_COLLAPSE: i32 = 25;
        if from.checked_add(len).is_none_or(|end| end > self.size) {
            return false;
        }
        // SAFETY: the range is inside our mapping; MADV_COLLAPSE changes no contents.
        unsafe { libc::madvise(self.base.add(from).cast(), len, MADV_COLLAPSE) == 0 }
    }
}

fn map_anonymous(len: usize) -> nix::Result<usize> {
    // SAFETY: a fresh private mapping at an address of the kernel's choice touches nothing that exists.
    let p = unsafe {
        libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    if p == libc::MAP_FAILED { Err(nix::Error::last()) } else { Ok(p as usize) }
}

fn map_fixed(base: usize, size: usize, fd: std::os::fd::BorrowedFd<'_>) -> nix::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: [base, base + size) lies inside the PROT_NONE reservation made just before by the caller.
    let p = unsafe {
        libc::mmap(
            base as *mut libc::c_void,
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED,
            fd.as_raw_fd(),
            0,
        )
    };
    if p == libc::MAP_FAILED { Err(nix::Error::last()) } else { Ok(()) }
}

/// Gives back what the alignment left over on both sides.
fn trim(reserved: usize, base: usize, size: usize) {
    let end = base + size;
    let reserved_end = reserved + size + HUGE;
    // SAFETY: both ranges are the unused ends of our own reservation.
    unsafe {
        if base > reserved {
            libc::munmap(reserved as *mut libc::c_void, base - reserved);
        }
        if reserved_end > end {
            libc::munmap(end as *mut libc::c_void, reserved_end - end);
        }
    }
}
