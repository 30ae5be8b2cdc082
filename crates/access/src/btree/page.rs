//! The btree's view of a page: the special space with the sibling links, the metapage, and where data items begin.
//!
//! Special space (16 bytes): left sibling, right sibling, level (0 = leaf), flags. A deleted page keeps the
//! transaction that must have ended before it may be reused in the header's `pd_xid_base`, which indexes do not use.
//! On every page but a level's rightmost, item 1 is the *high key*: no key on the page is greater than it.

use common::{BlockNumber, Error, Result, Xid};
use storage::page::{PAGE_HEADER_SIZE, Page};

pub const SPECIAL_SIZE: usize = 16;
pub const LEAF: u32 = 1;
pub const ROOT: u32 = 2;
pub const DELETED: u32 = 4;
pub const META: u32 = 8;
pub const HALF_DEAD: u32 = 16;
/// Some tuples are marked dead.
pub const HAS_GARBAGE: u32 = 64;
/// The right sibling has no downlink yet.
pub const INCOMPLETE_SPLIT: u32 = 128;

/// "No sibling".
pub const NONE: BlockNumber = BlockNumber(0);
/// Block of the metapage.
pub const META_BLOCK: BlockNumber = BlockNumber(0);
const MAGIC: u32 = 0x5354_4254;
const VERSION: u32 = 1;

/// Largest index tuple: three must fit on a page.
pub const MAX_ITEM: usize = ((storage::page::PAGE_SIZE - PAGE_HEADER_SIZE - 3 * 4 - SPECIAL_SIZE) / 3) & !7;
/// Largest leaf tuple the user may make: a pivot copied from it may need a heap TID more.
pub const MAX_LEAF_ITEM: usize = MAX_ITEM - 8;

/// The special space, decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opaque {
    pub prev: BlockNumber,
    pub next: BlockNumber,
    pub level: u32,
    pub flags: u32,
}

impl Opaque {
    /// Reads it; XX002 when the page is not a btree page.
    #[inline]
    pub fn read(p: &Page) -> Result<Opaque> {
        let s = p.special();
        if s.len() != SPECIAL_SIZE {
            return Err(Error::new(
                common::SqlState::INDEX_CORRUPTED,
                if p.is_new() {
                    "index contains unexpected zero page"
                } else {
                    "index contains corrupted page"
                },
            )
            .hint("Please REINDEX it."));
        }
        let w = |i: usize| u32::from_le_bytes([s[i], s[i + 1], s[i + 2], s[i + 3]]);
        Ok(Opaque { prev: BlockNumber(w(0)), next: BlockNumber(w(4)), level: w(8), flags: w(12) })
    }
    /// Writes it.
    pub fn write(&self, p: &mut Page) {
        let s = p.special_mut();
        s[0..4].copy_from_slice(&self.prev.0.to_le_bytes());
        s[4..8].copy_from_slice(&self.next.0.to_le_bytes());
        s[8..12].copy_from_slice(&self.level.to_le_bytes());
        s[12..16].copy_from_slice(&self.flags.to_le_bytes());
    }
    /// Leaf page?
    #[inline]
    pub fn is_leaf(&self) -> bool {
        self.flags & LEAF != 0
    }
    /// Last page of its level?
    #[inline]
    pub fn is_rightmost(&self) -> bool {
        self.next == NONE
    }
    /// First page of its level?
    #[inline]
    pub fn is_leftmost(&self) -> bool {
        self.prev == NONE
    }
    /// Half-dead or deleted: to be stepped over.
    #[inline]
    pub fn is_ignorable(&self) -> bool {
        self.flags & (DELETED | HALF_DEAD) != 0
    }
    /// Unlinked from its siblings.
    pub fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }
    /// Its downlink is gone, its siblings still link to it.
    pub fn is_half_dead(&self) -> bool {
        self.flags & HALF_DEAD != 0
    }
    /// Split whose downlink is missing.
    pub fn is_incomplete(&self) -> bool {
        self.flags & INCOMPLETE_SPLIT != 0
    }
    /// Number of the first data item.
    #[inline]
    pub fn first_data(&self) -> u16 {
        if self.is_rightmost() { 1 } else { 2 }
    }
}

/// Makes `p` an empty btree page.
pub fn init(p: &mut Page, o: Opaque) {
    p.init(SPECIAL_SIZE);
    o.write(p);
}

/// The metapage's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Root block; zero in an empty index.
    pub root: BlockNumber,
    pub level: u32,
    /// Where descents start: the lowest level with a single page.
    pub fast_root: BlockNumber,
    pub fast_level: u32,
    /// Deleted pages that the free space map does not know yet: the next vacuum looks for them.
    pub pending: u32,
}

impl Meta {
    /// Bytes on the page.
    pub const SIZE: usize = 28;

    /// Reads it.
    pub fn read(p: &Page) -> Result<Meta> {
        let b = p.bytes();
        let w = |i: usize| {
            let o = PAGE_HEADER_SIZE + i * 4;
            u32::from_le_bytes([b[o], b[o + 1], b[o + 2], b[o + 3]])
        };
        if w(0) != MAGIC || w(1) != VERSION {
            return Err(Error::new(common::SqlState::INDEX_CORRUPTED, "index is not a btree"));
        }
        Ok(Meta {
            root: BlockNumber(w(2)),
            level: w(3),
            fast_root: BlockNumber(w(4)),
            fast_level: w(5),
            pending: w(6),
        })
    }
    /// Turns `p` into a metapage holding this.
    pub fn init_page(&self, p: &mut Page) {
        init(p, Opaque { flags: META, ..Default::default() });
        self.write(p);
    }
    /// Overwrites the content.
    pub fn write(&self, p: &mut Page) {
        let words =
            [MAGIC, VERSION, self.root.0, self.level, self.fast_root.0, self.fast_level, self.pending];
        for (i, w) in words.iter().enumerate() {
            let o = PAGE_HEADER_SIZE + i * 4;
            p.bytes_mut()[o..o + 4].copy_from_slice(&w.to_le_bytes());
        }
        p.set_lower(PAGE_HEADER_SIZE + Meta::SIZE);
    }
}

/// The transaction that must be past everyone's horizon before a deleted page is reused.
pub fn safe_xid(p: &Page) -> Xid {
    Xid(p.xid_base())
}
