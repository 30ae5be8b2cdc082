//! The shared structures of storage: what the postmaster reserves and initialises before it forks. A copy of
//! [`SharedStorage`] in each process is a set of references into the segment.

use crate::buffer::desc::{BufferDesc, PoolHeader};
use crate::config::StorageConfig;
use crate::page::PAGE_SIZE;
use crate::relfile::sync::SyncQueue;
use crate::wal::state::WalState;
use ipc::{CondVar, Handle, Layout, PaddedLwLock, Segment, Tranche};
use std::sync::atomic::AtomicU32;

/// Partitions of the buffer mapping table.
pub(crate) const MAPPING_PARTITIONS: usize = 128;
/// Locks that serialise extension of relations, by hash of the relation.
pub(crate) const EXTENSION_LOCKS: usize = 64;
/// Condition variables for buffer reads, writes and pin waits, by buffer number.
pub(crate) const IO_CONDVARS: usize = 64;

/// Where the parts lie in the segment.
#[derive(Clone, Copy)]
pub struct StorageHandle {
    descs: Handle<BufferDesc>,
    blocks: Handle<u8>,
    pool: Handle<PoolHeader>,
    buckets: Handle<AtomicU32>,
    mapping_locks: Handle<PaddedLwLock>,
    extension_locks: Handle<PaddedLwLock>,
    io: Handle<CondVar>,
    sync: Handle<SyncQueue>,
    sync_slots: Handle<AtomicU32>,
    wal: Handle<WalState>,
    wal_ring: Handle<u8>,
}

/// References to the shared structures.
#[derive(Clone, Copy)]
pub struct SharedStorage {
    pub(crate) descs: &'static [BufferDesc],
    pub(crate) blocks: *mut u8,
    pub(crate) pool: &'static PoolHeader,
    pub(crate) buckets: &'static [AtomicU32],
    pub(crate) mapping_locks: &'static [PaddedLwLock],
    pub(crate) extension_locks: &'static [PaddedLwLock],
    pub(crate) io: &'static [CondVar],
    pub(crate) sync: &'static SyncQueue,
    pub(crate) sync_slots: &'static [AtomicU32],
    pub(crate) wal: &'static WalState,
    pub(crate) wal_ring: *mut u8,
    pub(crate) wal_ring_bytes: u64,
}

impl SharedStorage {
    /// Reserves everything storage needs.
    pub fn reserve(layout: &mut Layout, config: &StorageConfig) -> StorageHandle {
        let n = config.pool_blocks();
        let buckets = (n * 2).next_power_of_two().max(MAPPING_PARTITIONS * 2);
        let sync_len = n.clamp(1024, 32768);
        StorageHandle {
            blocks: layout.reserve_bytes("Buffer Blocks", n * PAGE_SIZE, 1 << 21),
            descs: layout.reserve("Buffer Descriptors", n),
            pool: layout.reserve("Buffer Strategy Status", 1),
            buckets: layout.reserve("Shared Buffer Lookup Table", buckets),
            mapping_locks: layout.reserve("Buffer Mapping Locks", MAPPING_PARTITIONS),
            extension_locks: layout.reserve("Relation Extension Locks", EXTENSION_LOCKS),
            io: layout.reserve("Buffer IO Condition Variables", IO_CONDVARS),
            sync: layout.reserve("Checkpointer Data", 1),
            sync_slots: layout.reserve("Sync Requests", sync_len * SyncQueue::WORDS),
            wal: layout.reserve("XLOG Ctl", 1),
            wal_ring: layout.reserve_bytes("XLOG Buffers", config.wal_ring_pages() * PAGE_SIZE, PAGE_SIZE),
        }
    }
    /// Finds the parts in the segment.
    pub fn attach(seg: &Segment, h: StorageHandle) -> SharedStorage {
        SharedStorage {
            descs: seg.slice(h.descs),
            blocks: seg.bytes_ptr(h.blocks),
            pool: seg.get(h.pool),
            buckets: seg.slice(h.buckets),
            mapping_locks: seg.slice(h.mapping_locks),
            extension_locks: seg.slice(h.extension_locks),
            io: seg.slice(h.io),
            sync: seg.get(h.sync),
            sync_slots: seg.slice(h.sync_slots),
            wal: seg.get(h.wal),
            wal_ring: seg.bytes_ptr(h.wal_ring),
            wal_ring_bytes: h.wal_ring.count() as u64,
        }
    }
    /// Initialises freshly mapped (zero) memory; once, before any fork.
    pub fn init(&self, config: &StorageConfig) {
        for d in self.descs {
            d.content.init(Tranche::BUFFER_CONTENT);
        }
        for l in self.mapping_locks {
            l.init(Tranche::BUFFER_MAPPING);
        }
        for l in self.extension_locks {
            l.init(Tranche::EXTENSION);
        }
        self.sync.init();
        self.wal.init(config);
    }
    /// Number of buffers.
    pub fn buffer_count(&self) -> usize {
        self.descs.len()
    }
}
