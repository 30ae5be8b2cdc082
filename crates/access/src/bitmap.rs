//! A set of TIDs that a bitmap index scan builds and a bitmap heap scan reads in block order. When it outgrows its
//! memory limit, pages become *lossy*: the whole page is in the set and every tuple on it must be re-checked.
//!
//! Called by the executor's bitmap nodes. Invariant: turning a page lossy never loses a TID.

use common::{BlockNumber, Tid};
use hashbrown::HashMap;

/// Line pointers a page can have (8 kB page, 24-byte tuples plus 4-byte line pointers: 291).
const MAX_OFFSET: usize = 320;
const WORDS: usize = MAX_OFFSET / 64;

#[derive(Clone, Copy, Default)]
struct PageBits {
    /// Bits are offsets; empty and `lossy` means every tuple.
    words: [u64; WORDS],
    lossy: bool,
    recheck: bool,
}

const PAGE_COST: usize = std::mem::size_of::<PageBits>() + 16;
/// Blocks that share one lossy word.
const CHUNK: u32 = 64;

/// A bitmap of TIDs.
pub struct TidBitmap {
    pages: HashMap<u32, PageBits, foldhash::fast::RandomState>,
    /// Lossy pages, 64 neighbouring blocks a word.
    lossy: HashMap<u32, u64, foldhash::fast::RandomState>,
    max_pages: usize,
}

/// One page of the bitmap, in block order.
#[derive(Clone, Debug, Default)]
pub struct BitmapPage {
    pub block: BlockNumber,
    /// The offsets, ascending; empty when `lossy`.
    pub offsets: Vec<u16>,
    /// Every tuple of the page is in the set.
    pub lossy: bool,
    /// The index condition must be re-checked.
    pub recheck: bool,
}

impl TidBitmap {
    /// An empty bitmap that stays within `limit_bytes` (work_mem) by going lossy.
    pub fn new(limit_bytes: usize) -> TidBitmap {
        TidBitmap {
            pages: HashMap::default(),
            lossy: HashMap::default(),
            max_pages: (limit_bytes / PAGE_COST).max(16),
        }
    }
    /// Adds TIDs; `recheck` says that the index condition is only implied on the page, not proven.
    pub fn add(&mut self, tids: &[Tid], recheck: bool) {
        for t in tids {
            if self.is_lossy(t.block.0) {
                continue;
            }
            let p = self.pages.entry(t.block.0).or_default();
            let o = t.offset as usize;
            if o < MAX_OFFSET {
                p.words[o / 64] |= 1 << (o % 64);
            }
            p.recheck |= recheck;
        }
        if self.pages.len() > self.max_pages {
            self.lossify();
        }
    }
    /// Adds every tuple of a block.
    pub fn add_page(&mut self, block: BlockNumber) {
        self.pages.remove(&block.0);
        *self.lossy.entry(block.0 / CHUNK).or_default() |= 1 << (block.0 % CHUNK);
    }
    fn is_lossy(&self, block: u32) -> bool {
        self.lossy.get(&(block / CHUNK)).is_some_and(|w| w >> (block % CHUNK) & 1 == 1)
    }
    /// Turns pages lossy until half the limit is used.
    fn lossify(&mut self) {
        let target = self.max_pages / 2;
        let mut blocks: Vec<u32> = self.pages.keys().copied().collect();
        blocks.sort_unstable();
        let surplus = blocks.len().saturating_sub(target);
        for b in blocks.into_iter().take(surplus) {
            self.add_page(BlockNumber(b));
        }
        // Scattered pages do not compress; accept the overrun rather than loop.
        self.max_pages = self.max_pages.max(self.pages.len() * 2 + self.lossy.len() / 4);
    }
    /// Number of pages, exact and lossy.
    pub fn page_counts(&self) -> (usize, usize) {
        (self.pages.len(), self.lossy.values().map(|w| w.count_ones() as usize).sum())
    }
    /// No TIDs?
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.lossy.is_empty()
    }
    /// Set union (BitmapOr).
    pub fn union(&mut self, other: &TidBitmap) {
        for (&c, &w) in &other.lossy {
            let mut bits = w;
            while bits != 0 {
                self.add_page(BlockNumber(c * CHUNK + bits.trailing_zeros()));
                bits &= bits - 1;
            }
        }
        for (&b, p) in &other.pages {
            if self.is_lossy(b) {
                continue;
            }
            let mine = self.pages.entry(b).or_default();
            for (a, x) in mine.words.iter_mut().zip(&p.words) {
                *a |= x;
            }
            mine.recheck |= p.recheck;
        }
        if self.pages.len() > self.max_pages {
            self.lossify();
        }
    }
    /// Set intersection (BitmapAnd). A lossy page meeting an exact one keeps the exact offsets with a re-check.
    pub fn intersect(&mut self, other: &TidBitmap) {
        let mut exact_from_lossy = Vec::new();
        for (&c, &w) in &self.lossy {
            let mut bits = w;
            while bits != 0 {
                let b = c * CHUNK + bits.trailing_zeros();
                bits &= bits - 1;
                if let Some(p) = other.pages.get(&b) {
                    exact_from_lossy.push((b, PageBits { recheck: true, ..*p }));
                }
            }
        }
        self.lossy.retain(|c, w| {
            *w &= other.lossy.get(c).copied().unwrap_or(0);
            *w != 0
        });
        self.pages.retain(|b, p| {
            if other.is_lossy(*b) {
                p.recheck = true;
                return true;
            }
            let Some(o) = other.pages.get(b) else { return false };
            for (a, x) in p.words.iter_mut().zip(&o.words) {
                *a &= x;
            }
            p.recheck |= o.recheck;
            p.words.iter().any(|&w| w != 0)
        });
        self.pages.extend(exact_from_lossy);
    }
    /// The pages in block order.
    pub fn into_pages(self) -> BitmapIter {
        let mut order: Vec<(u32, PageBits)> = self.pages.into_iter().collect();
        for (c, w) in self.lossy {
            let mut bits = w;
            while bits != 0 {
                order.push((
                    c * CHUNK + bits.trailing_zeros(),
                    PageBits { lossy: true, recheck: true, words: [0; WORDS] },
                ));
                bits &= bits - 1;
            }
        }
        order.sort_unstable_by_key(|(b, _)| *b);
        BitmapIter { order, next: 0, source: None }
    }
}

/// Walks a finished bitmap in block order.
pub struct BitmapIter {
    order: Vec<(u32, PageBits)>,
    next: usize,
    source: Option<PageSource>,
}

/// Gives out places in the list of pages: how processes share a bitmap.
pub type PageSource = Box<dyn FnMut() -> usize>;

impl BitmapIter {
    /// Next page into `out` (its vector is reused); false at the end.
    pub fn next_page(&mut self, out: &mut BitmapPage) -> bool {
        if let Some(s) = &mut self.source {
            self.next = s();
        }
        let Some((b, p)) = self.order.get(self.next) else { return false };
        self.next += 1;
        out.block = BlockNumber(*b);
        out.lossy = p.lossy;
        out.recheck = p.recheck;
        out.offsets.clear();
        for (i, w) in p.words.iter().enumerate() {
            let mut bits = *w;
            while bits != 0 {
                out.offsets.push((i * 64) as u16 + bits.trailing_zeros() as u16);
                bits &= bits - 1;
            }
        }
        true
    }
    /// From here on the pages are those the source names.
    pub fn share(&mut self, source: PageSource) {
        self.source = Some(source);
    }
    /// Blocks of the next `n` pages that [`BitmapIter::next_page`] gives.
    pub fn ahead(&self, n: usize) -> impl Iterator<Item = BlockNumber> + '_ {
        self.order.iter().skip(self.next).take(n).map(|(b, _)| BlockNumber(*b))
    }
    /// Starts over (rescan of a parameterless bitmap).
    pub fn rewind(&mut self) {
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tid(b: u32, o: u16) -> Tid {
        Tid::new(BlockNumber(b), o)
    }

    #[test]
    fn going_lossy_loses_nothing() {
        let mut m = TidBitmap::new(0);
        for b in 0..500 {
            m.add(&[tid(b * 7, 1), tid(b * 7, 9)], false);
        }
        let mut it = m.into_pages();
        let mut page = BitmapPage::default();
        let mut n = 0;
        while it.next_page(&mut page) {
            assert_eq!(page.block.0, n * 7);
            assert!(page.lossy || page.offsets == [1, 9]);
            n += 1;
        }
        assert_eq!(n, 500);
    }

    #[test]
    fn and_or() {
        let mut a = TidBitmap::new(1 << 20);
        let mut b = TidBitmap::new(1 << 20);
        a.add(&[tid(1, 1), tid(1, 2), tid(2, 5)], false);
        b.add(&[tid(1, 2), tid(3, 1)], false);
        b.add_page(BlockNumber(2));
        a.intersect(&b);
        let mut it = a.into_pages();
        let mut p = BitmapPage::default();
        assert!(it.next_page(&mut p) && p.block.0 == 1 && p.offsets == [2] && !p.recheck);
        assert!(it.next_page(&mut p) && p.block.0 == 2 && p.offsets == [5] && p.recheck);
        assert!(!it.next_page(&mut p));
    }
}
