//! What this process has allocated, as the C library counts it.

/// Bytes taken from the system, and how many of them are in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryUse {
    pub total: usize,
    pub blocks: usize,
    pub free: usize,
    pub free_chunks: usize,
}

/// The present numbers.
pub fn in_use() -> MemoryUse {
    // SAFETY: mallinfo2 only reads the allocator's counters.
    let m = unsafe { libc::mallinfo2() };
    MemoryUse { total: m.arena + m.hblkhd, blocks: 1 + m.hblks, free: m.fordblks, free_chunks: m.ordblks }
}
