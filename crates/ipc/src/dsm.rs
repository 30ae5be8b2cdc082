//! Dynamic shared memory: segments that are made while the server runs, found by a handle, and freed when the last process that
//! is attached leaves. They are POSIX shared memory objects under names made of the data directory's identity, so that
//! what a killed server left is known at the next start. A table in the main segment says who is attached to what.

use crate::segment::{Handle as Reservation, Layout, Segment};
use crate::{LwLock, Proc, Shared, Tranche};
use common::{Error, Result, bail, err};
use memmap2::MmapRaw;
use nix::fcntl::OFlag;
use nix::sys::mman::{shm_open, shm_unlink};
use nix::sys::stat::Mode;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

/// Processes that can be attached to one segment.
pub const MEMBERS_MAX: usize = 64;
/// Where the system shows the objects.
const OBJECTS: &str = "/dev/shm";

/// One segment.
#[repr(C)]
struct Slot {
    /// 0: free.
    handle: AtomicU32,
    _pad: AtomicU32,
    size: AtomicU64,
    /// Process ids of those attached, 0 where there is room.
    members: [AtomicI32; MEMBERS_MAX],
}
// SAFETY: atomics only.
unsafe impl Shared for Slot {}

/// The head of the table.
#[repr(C)]
struct Control {
    /// Held while a segment comes, goes, or changes its members.
    lock: LwLock,
    next: AtomicU32,
    /// Device and inode of the data directory.
    device: AtomicU64,
    inode: AtomicU64,
}
// SAFETY: an LWLock and atomics.
unsafe impl Shared for Control {}

/// Reservation of the table.
#[derive(Clone, Copy)]
pub struct DsmTableHandle {
    control: Reservation<Control>,
    slots: Reservation<Slot>,
}

/// The table of segments.
#[derive(Clone, Copy)]
pub struct DsmTable {
    control: &'static Control,
    slots: &'static [Slot],
}

impl DsmTable {
    /// Reserves room for the segments of `processes` processes: 64 and five each at most, as in PostgreSQL's rule, two of
    /// which a parallel query needs.
    pub fn reserve(layout: &mut Layout, processes: usize) -> DsmTableHandle {
        DsmTableHandle {
            control: layout.reserve("Dynamic Shared Memory Control", 1),
            slots: layout.reserve("Dynamic Shared Memory Slots", 64 + 2 * processes),
        }
    }
    /// Finds it in the segment.
    pub fn attach_table(seg: &Segment, h: DsmTableHandle) -> DsmTable {
        DsmTable { control: seg.get(h.control), slots: seg.slice(h.slots) }
    }
    /// Before any fork. What an earlier server of this data directory left behind is removed.
    pub fn init(&self, data_dir: &Path) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(data_dir).map_err(|e| {
            Error::os(format!("could not stat data directory \"{}\"", data_dir.display()), &e)
        })?;
        self.control.lock.init(Tranche::DSM_CONTROL);
        self.control.device.store(meta.dev(), Relaxed);
        self.control.inode.store(meta.ino(), Relaxed);
        self.remove_all();
        Ok(())
    }
    fn prefix(&self) -> String {
        let c = self.control;
        format!("stegodon.{:x}.{:x}.", c.device.load(Relaxed), c.inode.load(Relaxed))
    }
    fn name(&self, handle: u32) -> String {
        format!("/{}{handle}", self.prefix())
    }
    /// Removes every object of this data directory: at start, and when all processes are dead.
    pub fn remove_all(&self) {
        let prefix = self.prefix();
        for e in std::fs::read_dir(OBJECTS).into_iter().flatten().flatten() {
            if let Some(name) = e.file_name().to_str().filter(|n| n.starts_with(&prefix)) {
                // Somebody else may have been quicker.
                let _ = shm_unlink(format!("/{name}").as_str());
            }
        }
    }
    /// Segments in use.
    pub fn count(&self) -> usize {
        self.slots.iter().filter(|s| s.handle.load(Relaxed) != 0).count()
    }

    /// Makes a segment of zeros and attaches to it. 53200 when the table is full, 53100 when the system has no room.
    pub fn create(&self, me: &'static Proc, size: usize) -> Result<DsmSegment> {
        if size == 0 {
            return Err(Error::internal("a dynamic segment has a size"));
        }
        let _lock = self.control.lock.exclusive(me);
        let Some(at) = self.slots.iter().position(|s| s.handle.load(Relaxed) == 0) else {
            bail!(INSUFFICIENT_RESOURCES, "too many dynamic shared memory segments");
        };
        // Odd numbers: never 0, also when they start again.
        let handle = self.control.next.fetch_add(2, Relaxed) | 1;
        let name = self.name(handle);
        let map = make_object(&name, size).inspect_err(|_| {
            let _ = shm_unlink(name.as_str());
        })?;
        let slot = &self.slots[at];
        slot.size.store(size as u64, Relaxed);
        slot.members[0].store(me.pid(), Relaxed);
        slot.handle.store(handle, Release);
        Ok(DsmSegment { table: *self, me, slot: at, handle, map, size })
    }
    /// Attaches to a segment; `None`: it is gone.
    pub fn open(&self, me: &'static Proc, handle: u32) -> Result<Option<DsmSegment>> {
        let _lock = self.control.lock.exclusive(me);
        let found = self.slots.iter().position(|s| s.handle.load(Acquire) == handle);
        let Some(at) = found.filter(|_| handle != 0) else { return Ok(None) };
        let slot = &self.slots[at];
        let Some(room) = slot.members.iter().find(|m| m.load(Relaxed) == 0) else {
            bail!(INSUFFICIENT_RESOURCES, "too many processes use a dynamic shared memory segment");
        };
        let size = slot.size.load(Relaxed) as usize;
        let name = self.name(handle);
        let fail = |e: nix::Error| failed("open", &name, &e.into());
        let fd = shm_open(name.as_str(), OFlag::O_RDWR, Mode::empty()).map_err(fail)?;
        let map = map_object(&File::from(fd), &name, size)?;
        room.store(me.pid(), Relaxed);
        Ok(Some(DsmSegment { table: *self, me, slot: at, handle, map, size }))
    }
    /// A process has left a segment: the last one frees it.
    fn leave(&self, at: usize, pid: i32) {
        let slot = &self.slots[at];
        if let Some(m) = slot.members.iter().find(|m| m.load(Relaxed) == pid) {
            m.store(0, Relaxed);
        }
        if slot.members.iter().all(|m| m.load(Relaxed) == 0) {
            let handle = slot.handle.swap(0, AcqRel);
            let _ = shm_unlink(self.name(handle).as_str());
        }
    }
    /// The cleaner's part: a process died that may have been attached to segments, to one several times.
    pub fn leave_for_dead(&self, me: &Proc, pid: i32) {
        let _lock = self.control.lock.exclusive(me);
        for (at, s) in self.slots.iter().enumerate() {
            while s.handle.load(Relaxed) != 0 && s.members.iter().any(|m| m.load(Relaxed) == pid) {
                self.leave(at, pid);
            }
        }
    }
}

fn failed(what: &str, name: &str, e: &std::io::Error) -> Error {
    let why = common::error::os_message(e);
    match e.raw_os_error() {
        Some(libc::ENOSPC) => err!(DISK_FULL, "could not {what} shared memory segment \"{name}\": {why}"),
        Some(libc::ENOMEM) => err!(OUT_OF_MEMORY, "could not {what} shared memory segment \"{name}\": {why}"),
        _ => Error::os(format!("could not {what} shared memory segment \"{name}\""), e),
    }
}

fn make_object(name: &str, size: usize) -> Result<MmapRaw> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
    let fd =
        shm_open(name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|e| failed("open", name, &e.into()))?;
    // Room is taken at once: to run out of it later would be a SIGBUS.
    nix::fcntl::posix_fallocate(&fd, 0, size as i64)
        .map_err(|e| failed(&format!("resize to {size} bytes"), name, &e.into()))?;
    map_object(&File::from(fd), name, size)
}

fn map_object(file: &File, name: &str, size: usize) -> Result<MmapRaw> {
    memmap2::MmapOptions::new().len(size).map_raw(file).map_err(|e| failed("map", name, &e))
}

/// An attached segment. Leaving it is dropping it.
pub struct DsmSegment {
    table: DsmTable,
    me: &'static Proc,
    slot: usize,
    handle: u32,
    map: MmapRaw,
    size: usize,
}

impl DsmSegment {
    /// What others find it by.
    pub fn handle(&self) -> u32 {
        self.handle
    }
    /// Bytes.
    pub fn size(&self) -> usize {
        self.size
    }
    /// Values that lie in it, zero at first.
    pub fn slice<T: Shared>(&self, offset: usize, count: usize) -> &[T] {
        let bytes = count.checked_mul(size_of::<T>()).expect("a size");
        assert!(offset.checked_add(bytes).is_some_and(|end| end <= self.size), "outside of the segment");
        assert!(offset.is_multiple_of(align_of::<T>()), "not aligned");
        // SAFETY: inside the mapping and aligned (checked; a mapping begins at a page), zero or valid (`Shared`), and
        // `Shared` permits aliasing. Weak spot: two callers that read the same bytes as different types, which only
        // gives wrong numbers, as all `Shared` types are valid for any bits they can hold.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(offset).cast::<T>(), count) }
    }
    /// A single value.
    pub fn get<T: Shared>(&self, offset: usize) -> &T {
        &self.slice(offset, 1)[0]
    }
    /// Address of raw bytes of which `len` are inside.
    pub(crate) fn bytes(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.size), "outside of the segment");
        // SAFETY: inside the mapping, checked above.
        unsafe { self.map.as_mut_ptr().add(offset) }
    }
    /// Copies bytes in, before others are told of the segment.
    pub fn write(&self, offset: usize, data: &[u8]) {
        let to = self.bytes(offset, data.len());
        // SAFETY: in bounds; a private slice cannot overlap the mapping. Nobody else reads these bytes yet (contract).
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), to, data.len()) }
    }
    /// Copies bytes out that nobody changes any more.
    pub fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let from = self.bytes(offset, len);
        let mut out = vec![0; len];
        // SAFETY: in bounds, into a private buffer; nobody writes these bytes any more (contract).
        unsafe { std::ptr::copy_nonoverlapping(from, out.as_mut_ptr(), len) }
        out
    }
}

impl Drop for DsmSegment {
    fn drop(&mut self) {
        let pid = self.me.pid();
        // A child of a process that was attached is not attached.
        if pid == std::process::id() as i32 {
            let _lock = self.table.control.lock.exclusive(self.me);
            self.table.leave(self.slot, pid);
        }
    }
}
