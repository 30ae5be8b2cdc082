//! The set of dead line pointers that vacuum collects in its first pass and hands to index bulk deletion. Blocks
//! arrive in ascending order; each is stored as one array entry plus either a bitmap or a list of offsets in a shared
//! byte pool, so that a page with many dead tuples costs 37 bytes and one with a single dead tuple 14.

use common::{BlockNumber, Tid};

struct BlockEntry {
    block: u32,
    /// Start in the pool.
    start: u32,
    /// Number of offsets.
    count: u16,
    /// Offsets are a bitmap of this many bytes; zero means a list of `u16`.
    bitmap_bytes: u16,
}

/// A compact sorted set of TIDs, filled block by block.
#[derive(Default)]
pub struct DeadTids {
    blocks: Vec<BlockEntry>,
    pool: Vec<u8>,
    count: u64,
}

impl DeadTids {
    /// Adds a block's dead offsets (ascending). Blocks must come in ascending order.
    pub fn add(&mut self, block: BlockNumber, offsets: &[u16]) {
        let Some(&last) = offsets.last() else { return };
        debug_assert!(self.blocks.last().is_none_or(|b| b.block < block.0));
        let start = self.pool.len() as u32;
        let bitmap_bytes = last as usize / 8 + 1;
        let as_bitmap = bitmap_bytes < offsets.len() * 2;
        if as_bitmap {
            self.pool.resize(self.pool.len() + bitmap_bytes, 0);
            for &o in offsets {
                self.pool[start as usize + (o >> 3) as usize] |= 1 << (o & 7);
            }
        } else {
            for &o in offsets {
                self.pool.extend_from_slice(&o.to_le_bytes());
            }
        }
        self.blocks.push(BlockEntry {
            block: block.0,
            start,
            count: offsets.len() as u16,
            bitmap_bytes: if as_bitmap { bitmap_bytes as u16 } else { 0 },
        });
        self.count += offsets.len() as u64;
    }
    /// Number of TIDs.
    pub fn len(&self) -> u64 {
        self.count
    }
    /// No TIDs?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.blocks.capacity() * std::mem::size_of::<BlockEntry>() + self.pool.capacity()
    }
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.pool.clear();
        self.count = 0;
    }
    /// Is this TID dead?
    pub fn contains(&self, tid: Tid) -> bool {
        let Ok(i) = self.blocks.binary_search_by_key(&tid.block.0, |b| b.block) else { return false };
        let b = &self.blocks[i];
        let bytes = &self.pool[b.start as usize..];
        if b.bitmap_bytes > 0 {
            let byte = (tid.offset >> 3) as usize;
            byte < b.bitmap_bytes as usize && bytes[byte] >> (tid.offset & 7) & 1 == 1
        } else {
            bytes[..b.count as usize * 2]
                .chunks_exact(2)
                .any(|c| u16::from_le_bytes([c[0], c[1]]) == tid.offset)
        }
    }
    /// Number of blocks.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }
    /// The n-th block and its offsets, ascending.
    pub fn block(&self, n: usize, offsets: &mut Vec<u16>) -> BlockNumber {
        let b = &self.blocks[n];
        offsets.clear();
        let bytes = &self.pool[b.start as usize..];
        if b.bitmap_bytes > 0 {
            for (i, &byte) in bytes[..b.bitmap_bytes as usize].iter().enumerate() {
                let mut w = byte;
                while w != 0 {
                    offsets.push(i as u16 * 8 + w.trailing_zeros() as u16);
                    w &= w - 1;
                }
            }
        } else {
            offsets.extend(
                bytes[..b.count as usize * 2].chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])),
            );
        }
        BlockNumber(b.block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_bitmaps_agree_with_a_set() {
        let mut d = DeadTids::default();
        let mut all = std::collections::BTreeSet::new();
        let mut seed = 7u32;
        for block in (0..200u32).step_by(3) {
            let mut offs: Vec<u16> = Vec::new();
            for o in 1..290u16 {
                seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
                if seed >> 24 < block {
                    offs.push(o);
                }
            }
            for &o in &offs {
                all.insert((block, o));
            }
            d.add(BlockNumber(block), &offs);
        }
        assert_eq!(d.len(), all.len() as u64);
        for block in 0..200u32 {
            for o in 0..300u16 {
                assert_eq!(d.contains(Tid::new(BlockNumber(block), o)), all.contains(&(block, o)));
            }
        }
        let mut seen = Vec::new();
        let mut offs = Vec::new();
        for n in 0..d.block_count() {
            let b = d.block(n, &mut offs);
            seen.extend(offs.iter().map(|&o| (b.0, o)));
        }
        assert_eq!(seen, all.into_iter().collect::<Vec<_>>());
    }
}
