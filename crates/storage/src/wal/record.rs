//! What a log record looks like, in memory and on disk: the codec, with full bounds checks. Layout: see the README.

use crate::page::{PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use common::{BlockNumber, Error, Lsn, Oid, Result, Xid};

/// Bytes of a record's fixed header.
pub const RECORD_HEADER: usize = 24;
/// No record is longer.
pub const RECORD_MAX: usize = 1020 << 20;
/// Most blocks of one record.
pub const BLOCKS_MAX: usize = 33;

pub(crate) const BLK_IMAGE: u8 = 1;
pub(crate) const BLK_COMPRESSED: u8 = 2;
pub(crate) const BLK_WILL_INIT: u8 = 4;
pub(crate) const BLK_SAME_REL: u8 = 8;
const BLK_ALL: u8 = 15;

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

/// `info` codes of [`RmgrId::XLOG`] that this crate writes.
pub mod xlog_info {
    /// Full-page images for their own sake.
    pub const FPI: u8 = 0xB0;
    /// Full-page image taken before a hint bit is written.
    pub const FPI_FOR_HINT: u8 = 0xA0;
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
    pub id: u8,
    pub rel: RelFileLocator,
    pub fork: Fork,
    pub block: BlockNumber,
    /// Registered with WILL_INIT.
    pub will_init: bool,
    image: Option<Image>,
    /// Offset and length of the block data in the record.
    data: (usize, usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Image {
    at: usize,
    len: usize,
    hole_at: usize,
    hole_len: usize,
    compressed: bool,
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
    bytes: Vec<u8>,
    blocks: Vec<BlockRef>,
    data_at: usize,
}

fn u16_at(b: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(b.get(at..at + 2)?.try_into().ok()?))
}
fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(b.get(at..at + 4)?.try_into().ok()?))
}

/// Length and CRC of a record header.
pub(crate) fn peek_header(h: &[u8; RECORD_HEADER]) -> (usize, u32) {
    (u32::from_le_bytes([h[0], h[1], h[2], h[3]]) as usize, u32::from_le_bytes([h[4], h[5], h[6], h[7]]))
}

/// CRC of a record's bytes from offset 8 on, its length and its position: a record found at another place than where
/// it was written is not valid, whatever a recycled segment contains.
pub(crate) fn crc(h: crc32fast::Hasher, total_len: u32, start: Lsn) -> u32 {
    let mut h = h;
    let mut tail = [0; 12];
    tail[..4].copy_from_slice(&total_len.to_le_bytes());
    tail[4..].copy_from_slice(&start.0.to_le_bytes());
    h.update(&tail);
    h.finalize()
}

impl Record {
    /// The record that these bytes are, whatever their CRC. XX001 when they do not hang together.
    pub fn from_bytes(bytes: &[u8], start: Lsn) -> Result<Record> {
        let mut record = Record { bytes: bytes.to_vec(), ..Record::default() };
        record.decode(start, Lsn(start.0 + bytes.len() as u64))?;
        Ok(record)
    }
    /// The buffer to be filled with a record's bytes before [`Record::decode`].
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
    /// Is the CRC of the buffered bytes right for a record at `start`?
    pub(crate) fn crc_ok(&self, start: Lsn) -> bool {
        let b = &self.bytes;
        if b.len() < RECORD_HEADER {
            return false;
        }
        let mut h = crc32fast::Hasher::new();
        h.update(&b[8..]);
        Some(crc(h, b.len() as u32, start)) == u32_at(b, 4)
    }
    /// Reads the structure of the buffered bytes. XX001 when it does not hang together.
    pub(crate) fn decode(&mut self, start: Lsn, end: Lsn) -> Result<()> {
        self.start = start;
        self.end = end;
        self.parse().ok_or_else(|| Error::corrupted(format!("invalid record structure at {start}")))
    }
    fn parse(&mut self) -> Option<()> {
        let b = &self.bytes;
        let main_len = u32_at(b, 16)? as usize;
        self.xid = Xid(u64::from_le_bytes(b.get(8..16)?.try_into().ok()?));
        self.rmgr = RmgrId(*b.get(20)?);
        self.info = *b.get(21)?;
        let n = *b.get(22)? as usize;
        let mut at = RECORD_HEADER;
        self.blocks.clear();
        let mut rel = RelFileLocator::default();
        for _ in 0..n {
            let (block, next) = parse_block(b, at, rel)?;
            rel = block.rel;
            at = next;
            self.blocks.push(block);
        }
        for blk in &mut self.blocks {
            if let Some(i) = &mut blk.image {
                i.at = at;
                at += i.len;
            }
            blk.data.0 = at;
            at += blk.data.1;
        }
        self.data_at = at;
        (at + main_len == b.len()).then_some(())
    }
    /// The page registered under `id`.
    pub fn block(&self, id: u8) -> Option<&BlockRef> {
        self.blocks.iter().find(|b| b.id == id)
    }
    /// All pages, in the order of registration.
    pub fn blocks(&self) -> &[BlockRef] {
        &self.blocks
    }
    /// Highest block id plus one.
    pub fn block_count(&self) -> u8 {
        self.blocks.iter().map(|b| b.id + 1).max().unwrap_or(0)
    }
    /// Has block `id` a full-page image?
    pub fn has_image(&self, id: u8) -> bool {
        self.block(id).is_some_and(|b| b.image.is_some())
    }
    /// Data registered for block `id`; empty when it was left out for an image.
    pub fn block_data(&self, id: u8) -> &[u8] {
        self.block(id).and_then(|b| self.bytes.get(b.data.0..b.data.0 + b.data.1)).unwrap_or(&[])
    }
    /// The record's main data.
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.data_at..).unwrap_or(&[])
    }
    /// Bytes of the whole record.
    pub fn total_len(&self) -> usize {
        self.bytes.len()
    }
    /// Restores the full-page image of block `id` into `page`. XX001 when there is none or it is broken.
    pub fn restore_image(&self, id: u8, page: &mut Page) -> Result<()> {
        let bad =
            || Error::corrupted(format!("invalid full-page image of block {id} in record at {}", self.start));
        let i = self.block(id).and_then(|b| b.image).ok_or_else(bad)?;
        let stored = self.bytes.get(i.at..i.at + i.len).ok_or_else(bad)?;
        let want = PAGE_SIZE.checked_sub(i.hole_len).filter(|w| i.hole_at <= *w).ok_or_else(bad)?;
        let mut unpacked = [0u8; PAGE_SIZE];
        let raw = if i.compressed {
            let n = lz4_flex::block::decompress_into(stored, &mut unpacked).map_err(|_| bad())?;
            &unpacked[..n]
        } else {
            stored
        };
        if raw.len() != want {
            return Err(bad());
        }
        let out = page.bytes_mut();
        out[..i.hole_at].copy_from_slice(&raw[..i.hole_at]);
        out[i.hole_at..i.hole_at + i.hole_len].fill(0);
        out[i.hole_at + i.hole_len..].copy_from_slice(&raw[i.hole_at..]);
        Ok(())
    }
}

fn parse_block(b: &[u8], at: usize, last: RelFileLocator) -> Option<(BlockRef, usize)> {
    let (id, fork, flags) = (*b.get(at)?, Fork::from_u8(*b.get(at + 1)?)?, *b.get(at + 2)?);
    if flags & !BLK_ALL != 0 || id as usize >= BLOCKS_MAX {
        return None;
    }
    let data_len = u16_at(b, at + 4)? as usize;
    let image_len = u16_at(b, at + 6)? as usize;
    let block = BlockNumber(u32_at(b, at + 8)?);
    let mut next = at + 12;
    let mut image = None;
    if flags & BLK_IMAGE != 0 {
        image = Some(Image {
            at: 0,
            len: image_len,
            hole_at: u16_at(b, next)? as usize,
            hole_len: u16_at(b, next + 2)? as usize,
            compressed: flags & BLK_COMPRESSED != 0,
        });
        next += 4;
    }
    let rel = if flags & BLK_SAME_REL != 0 {
        last
    } else {
        next += 12;
        RelFileLocator::new(Oid(u32_at(b, next - 12)?), Oid(u32_at(b, next - 8)?), u32_at(b, next - 4)?)
    };
    let r =
        BlockRef { id, rel, fork, block, will_init: flags & BLK_WILL_INIT != 0, image, data: (0, data_len) };
    Some((r, next))
}

/// The header of a block reference, as it goes on disk.
pub(crate) struct BlockHeader {
    pub id: u8,
    pub fork: Fork,
    pub flags: u8,
    pub data_len: u16,
    pub image_len: u16,
    pub block: BlockNumber,
    pub hole: (u16, u16),
    pub rel: RelFileLocator,
}

impl BlockHeader {
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.id, self.fork as u8, self.flags, 0]);
        out.extend_from_slice(&self.data_len.to_le_bytes());
        out.extend_from_slice(&self.image_len.to_le_bytes());
        out.extend_from_slice(&self.block.0.to_le_bytes());
        if self.flags & BLK_IMAGE != 0 {
            out.extend_from_slice(&self.hole.0.to_le_bytes());
            out.extend_from_slice(&self.hole.1.to_le_bytes());
        }
        if self.flags & BLK_SAME_REL == 0 {
            out.extend_from_slice(&self.rel.spc_oid.0.to_le_bytes());
            out.extend_from_slice(&self.rel.db_oid.0.to_le_bytes());
            out.extend_from_slice(&self.rel.rel_number.to_le_bytes());
        }
    }
}
