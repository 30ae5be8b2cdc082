//! Free-space map: how much room each heap page has, approximately, in the `_fsm` fork. Each map page is a binary tree of
//! one-byte categories (32 bytes each) whose inner nodes hold the maximum below; map pages form a tree of three levels
//! in the same way. Nothing is logged: wrong answers are noticed by whoever follows them and corrected here; broken
//! pages read as zeros.

use crate::Store;
use crate::buffer::guard::{PageMut, PageRef, Pinned};
use crate::buffer::read::ReadMode;
use crate::page::{PAGE_HEADER_SIZE, PAGE_SIZE, Page};
use crate::relfile::{Fork, RelFileLocator};
use crate::vm::ensure_page;
use common::{BlockNumber, Result};

/// Bytes of one category.
const STEP: usize = PAGE_SIZE / 256;
/// Offset of the search hint, then of the tree.
const NEXT_SLOT: usize = PAGE_HEADER_SIZE;
const NODES: usize = PAGE_HEADER_SIZE + 4;
const INNER: usize = PAGE_SIZE / 2 - 1;
/// Leaves of one map page.
const LEAVES: usize = PAGE_SIZE - NODES - INNER;
const LEVELS: u32 = 3;
/// Searches that end in a corrected promise before giving up.
const RETRIES_MAX: u32 = 1000;

/// The category of a page with `free` bytes: rounded down.
fn category(free: usize) -> u8 {
    (free / STEP).min(255) as u8
}
/// The category a page must have so that `needed` bytes surely fit: rounded up.
fn category_needed(needed: usize) -> u8 {
    needed.div_ceil(STEP).clamp(1, 255) as u8
}

/// Physical block of map page `page` of `level` (0 is the bottom): depth first, so that a small heap has a small map.
fn physical(level: u32, page: u32) -> BlockNumber {
    let leaves = LEAVES as u64;
    let mut at = u64::from(page) * leaves.pow(level);
    let mut before = 0;
    for _ in 0..LEVELS {
        before += at + 1;
        at /= leaves;
    }
    BlockNumber((before - u64::from(level) - 1) as u32)
}
fn bottom(heap: BlockNumber) -> (u32, usize) {
    (heap.0 / LEAVES as u32, heap.0 as usize % LEAVES)
}
fn parent(page: u32) -> (u32, usize) {
    (page / LEAVES as u32, page as usize % LEAVES)
}

fn node(p: &Page, i: usize) -> u8 {
    p.bytes()[NODES + i]
}
fn leaf(p: &Page, slot: usize) -> u8 {
    node(p, INNER + slot)
}
fn max_of(p: &Page) -> u8 {
    node(p, 0)
}
fn children_max(p: &Page, i: usize) -> u8 {
    let get = |c: usize| if c < INNER + LEAVES { node(p, c) } else { 0 };
    get(2 * i + 1).max(get(2 * i + 2))
}
/// Sets a leaf and what depends on it; true when something changed.
fn set_leaf(p: &mut Page, slot: usize, value: u8) -> bool {
    if p.is_new() {
        p.init(0);
    }
    let mut i = INNER + slot;
    if node(p, i) == value && max_of(p) >= value {
        return false;
    }
    p.bytes_mut()[NODES + i] = value;
    while i > 0 {
        i = (i - 1) / 2;
        let m = children_max(p, i);
        if node(p, i) == m {
            break;
        }
        p.bytes_mut()[NODES + i] = m;
    }
    if max_of(p) < value {
        rebuild(p);
    }
    true
}
/// Makes every inner node right again.
fn rebuild(p: &mut Page) {
    for i in (0..INNER).rev() {
        p.bytes_mut()[NODES + i] = children_max(p, i);
    }
}
enum Found {
    Slot(usize),
    None,
    /// An inner node promises what no child has.
    Broken,
}
/// A leaf of at least `want`, beginning near `start` so that concurrent inserters spread.
fn find_leaf(p: &Page, want: u8, start: usize) -> Found {
    if max_of(p) < want {
        return Found::None;
    }
    // Climb from the start leaf, moving right, until a subtree can help; then descend into it.
    let mut i = INNER + start % LEAVES;
    while i > 0 && node(p, i) < want {
        // The right neighbour on this level, wrapping to the level's first node; then its parent.
        i += 1;
        if (i + 1).is_power_of_two() || i >= INNER + LEAVES {
            i = if i >= INNER + LEAVES { INNER } else { i / 2 };
        }
        i = (i - 1) / 2;
    }
    while i < INNER {
        let l = 2 * i + 1;
        let has = |c: usize| c < INNER + LEAVES && node(p, c) >= want;
        i = if has(l) {
            l
        } else if has(l + 1) {
            l + 1
        } else {
            return Found::Broken;
        };
    }
    Found::Slot(i - INNER)
}
fn next_slot(p: &Page) -> usize {
    let b = &p.bytes()[NEXT_SLOT..NODES];
    u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize % LEAVES
}

fn change(page: &mut PageMut, f: impl FnOnce(&mut Page) -> bool) {
    let (store, buf) = (page.pin().store().clone(), page.pin().buf());
    // Dirty first, as everywhere: a change must not be missed by the writer.
    store.set_dirty(buf);
    f(page.raw());
}
fn open(store: &Store, rel: RelFileLocator, level: u32, page: u32) -> Result<Option<Pinned>> {
    let b = physical(level, page);
    if store.nblocks_or_zero(rel, Fork::Fsm)? <= b {
        return Ok(None);
    }
    store.read(rel, Fork::Fsm, b, ReadMode::ZeroOnError, None).map(Some)
}
fn set(store: &Store, rel: RelFileLocator, level: u32, page: u32, slot: usize, value: u8) -> Result<()> {
    let pin = ensure_page(store, rel, Fork::Fsm, physical(level, page))?;
    if leaf(&pin.share(), slot) != value {
        change(&mut pin.exclusive(), |p| set_leaf(p, slot, value));
    }
    Ok(())
}
/// Searches one map page, repairing it if it is inconsistent.
fn search_page(pin: &Pinned, want: u8) -> Option<usize> {
    let page: PageRef = pin.share();
    match find_leaf(&page, want, next_slot(&page)) {
        Found::Slot(s) => {
            page.pin().store().advance_hint(page.pin(), NEXT_SLOT, ((s + 1) % LEAVES) as u32);
            Some(s)
        }
        Found::None => None,
        Found::Broken => {
            drop(page);
            let mut page = pin.exclusive();
            change(&mut page, |p| {
                rebuild(p);
                true
            });
            match find_leaf(&page, want, 0) {
                Found::Slot(s) => Some(s),
                _ => None,
            }
        }
    }
}

/// A block with at least `needed` free bytes, if the map knows one.
pub fn search(store: &Store, rel: RelFileLocator, needed: usize) -> Result<Option<BlockNumber>> {
    let want = category_needed(needed);
    'again: for _ in 0..RETRIES_MAX {
        let mut page = 0;
        for level in (0..LEVELS).rev() {
            let pin = open(store, rel, level, page)?;
            let found = pin.as_ref().and_then(|p| search_page(p, want));
            match found {
                Some(slot) if level == 0 => {
                    let block = BlockNumber(page * LEAVES as u32 + slot as u32);
                    if block < store.nblocks(rel, Fork::Main)? {
                        return Ok(Some(block));
                    }
                    // The heap was truncated, or a crash lost its extension.
                    set(store, rel, 0, page, slot, 0)?;
                    continue 'again;
                }
                Some(slot) => page = page * LEAVES as u32 + slot as u32,
                None if level == LEVELS - 1 => return Ok(None),
                None => {
                    // The level above promised too much: correct it there.
                    let have = pin.map_or(0, |p| max_of(&p.share()));
                    let (up, slot) = parent(page);
                    set(store, rel, level + 1, up, slot, have.min(want - 1))?;
                    continue 'again;
                }
            }
        }
    }
    Ok(None)
}
/// Records that `block` has `free` bytes. Upper levels learn of it by [`vacuum`].
pub fn record(store: &Store, rel: RelFileLocator, block: BlockNumber, free: usize) -> Result<()> {
    let (page, slot) = bottom(block);
    set(store, rel, 0, page, slot, category(free))
}
/// Records that `block` has `free` bytes (it disappointed) and searches again, first nearby.
pub fn record_and_search(
    store: &Store,
    rel: RelFileLocator,
    block: BlockNumber,
    free: usize,
    needed: usize,
) -> Result<Option<BlockNumber>> {
    record(store, rel, block, free)?;
    let (page, _) = bottom(block);
    if let Some(pin) = open(store, rel, 0, page)?
        && let Some(slot) = search_page(&pin, category_needed(needed))
    {
        let near = BlockNumber(page * LEAVES as u32 + slot as u32);
        if near < store.nblocks(rel, Fork::Main)? {
            return Ok(Some(near));
        }
    }
    search(store, rel, needed)
}
/// What the map says about `block`, in bytes (rounded down).
pub fn recorded_free_space(store: &Store, rel: RelFileLocator, block: BlockNumber) -> Result<usize> {
    let (page, slot) = bottom(block);
    Ok(match open(store, rel, 0, page)? {
        Some(pin) => leaf(&pin.share(), slot) as usize * STEP,
        None => 0,
    })
}
/// Propagates the leaves of heap blocks `from..to` to the upper levels.
pub fn vacuum(store: &Store, rel: RelFileLocator, from: BlockNumber, to: BlockNumber) -> Result<()> {
    if from >= to {
        return Ok(());
    }
    let (mut first, mut last) = (bottom(from).0, bottom(BlockNumber(to.0 - 1)).0);
    for level in 0..LEVELS - 1 {
        for page in first..=last {
            let Some(pin) = open(store, rel, level, page)? else { break };
            let max = max_of(&pin.share());
            drop(pin);
            let (up, slot) = parent(page);
            set(store, rel, level + 1, up, slot, max)?;
        }
        (first, last) = (parent(first).0, parent(last).0);
    }
    Ok(())
}
/// Prepares truncation of the heap to `nblocks`: clears the tail of the last page that stays, returns the fork's new
/// length in blocks (`None` when there is nothing to cut). Call [`vacuum`] for the cut range afterwards.
pub fn prepare_truncate(
    store: &Store,
    rel: RelFileLocator,
    nblocks: BlockNumber,
) -> Result<Option<BlockNumber>> {
    let have = store.nblocks_or_zero(rel, Fork::Fsm)?;
    let (page, slot) = bottom(nblocks);
    let mut keep = physical(0, page);
    if slot > 0 {
        if let Some(pin) = open(store, rel, 0, page)? {
            change(&mut pin.exclusive(), |p| {
                if p.is_new() {
                    p.init(0);
                }
                p.bytes_mut()[NODES + INNER + slot..NODES + INNER + LEAVES].fill(0);
                rebuild(p);
                true
            });
        }
        keep = keep.next();
    }
    Ok((keep < have).then_some(keep))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn physical_places_are_distinct_and_dense() {
        let l = LEAVES as u32;
        // Root, its first child, that one's first bottom page, then its other bottom pages.
        assert_eq!(physical(2, 0).0, 0);
        assert_eq!(physical(1, 0).0, 1);
        assert_eq!(physical(0, 0).0, 2);
        assert_eq!(physical(0, 1).0, 3);
        assert_eq!(physical(0, l - 1).0, l + 1);
        assert_eq!(physical(1, 1).0, l + 2);
        assert_eq!(physical(0, l).0, l + 3);
    }

    #[test]
    fn page_search_agrees_with_a_scan() {
        let mut s = 5u64;
        let mut rnd = move || {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            s as usize
        };
        let mut p = Page::zeroed();
        p.init(0);
        let mut model = vec![0u8; LEAVES];
        for _ in 0..20_000 {
            let slot = rnd() % LEAVES;
            let v = if rnd() % 4 == 0 { (rnd() % 256) as u8 } else { (rnd() % 20) as u8 };
            set_leaf(&mut p, slot, v);
            model[slot] = v;
            if rnd() % 50 == 0 {
                let slot = rnd() % LEAVES;
                set_leaf(&mut p, slot, 0);
                model[slot] = 0;
            }
            let want = 1 + (rnd() % 255) as u8;
            let start = rnd() % LEAVES;
            match find_leaf(&p, want, start) {
                Found::Slot(s) => assert!(model[s] >= want),
                Found::None => assert!(model.iter().all(|v| *v < want)),
                Found::Broken => panic!("broken tree"),
            }
            assert_eq!(max_of(&p), *model.iter().max().unwrap());
        }
    }

    #[test]
    fn broken_tree_is_noticed_and_rebuilt() {
        let mut p = Page::zeroed();
        p.init(0);
        set_leaf(&mut p, 100, 50);
        p.bytes_mut()[NODES] = 200;
        assert!(matches!(find_leaf(&p, 100, 0), Found::Broken));
        rebuild(&mut p);
        assert!(matches!(find_leaf(&p, 100, 0), Found::None));
        assert!(matches!(find_leaf(&p, 50, 3000), Found::Slot(100)));
    }
}
