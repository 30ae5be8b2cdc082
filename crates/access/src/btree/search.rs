//! Descending the tree. Readers hold one page lock at a time and step right over concurrent splits (Lehman and Yao);
//! writers take the leaf exclusively and remember the path, so that a split finds its parent.

use super::key::SearchKey;
use super::page::{META_BLOCK, Meta, NONE, Opaque};
use super::split;
use crate::rel::IndexRel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Result};
use std::cmp::Ordering;
use storage::{PageMut, PageRef, Pinned};

/// One step of a descent: where the downlink was seen.
#[derive(Clone, Copy, Debug)]
pub struct StackEntry {
    pub block: BlockNumber,
    pub offset: u16,
}

/// The internal pages passed on the way down, root first.
pub type Stack = Vec<StackEntry>;

pub(crate) fn pin(eng: &Engine, ix: &IndexRel, block: BlockNumber) -> Result<Pinned> {
    txn::store(eng).read_main(ix.rel.locator, block)
}

/// Reads the metapage.
pub(crate) fn read_meta(eng: &Engine, ix: &IndexRel) -> Result<Meta> {
    Meta::read(&pin(eng, ix, META_BLOCK)?.share())
}

/// Levels above the leaves that a descent passes. The cached number may lag behind a root that has grown since.
pub fn height(eng: &Engine, ix: &IndexRel) -> Result<u32> {
    if ix.root_cache.get().0 == 0 {
        let meta = read_meta(eng, ix)?;
        if meta.root == NONE {
            return Ok(0);
        }
        ix.root_cache.set((meta.fast_root.0, meta.fast_level));
    }
    Ok(ix.root_cache.get().1)
}

/// Pin of the page where a descent starts; `None` when the index is empty.
pub(crate) fn root(eng: &Engine, ix: &IndexRel) -> Result<Option<PageRef>> {
    let (block, level) = ix.root_cache.get();
    if block != 0 {
        let page = pin(eng, ix, BlockNumber(block))?.share();
        let usable = Opaque::read(&page)
            .is_ok_and(|o| !o.is_ignorable() && o.level == level && o.is_leftmost() && o.is_rightmost());
        if usable {
            return Ok(Some(page));
        }
        ix.root_cache.set((0, 0));
    }
    let meta = read_meta(eng, ix)?;
    if meta.root == NONE {
        return Ok(None);
    }
    ix.root_cache.set((meta.fast_root.0, meta.fast_level));
    let mut page = pin(eng, ix, meta.fast_root)?.share();
    loop {
        let o = Opaque::read(&page)?;
        if !o.is_ignorable() {
            return Ok(Some(page));
        }
        let next = o.next;
        drop(page);
        page = pin(eng, ix, next)?.share();
    }
}

/// Shared lock on the page of this level that `key` belongs to, starting from `page`.
pub(crate) fn move_right(
    eng: &Engine,
    ix: &IndexRel,
    mut page: PageRef,
    key: &SearchKey<'_>,
) -> Result<PageRef> {
    loop {
        let o = Opaque::read(&page)?;
        if !o.is_rightmost() && (o.is_ignorable() || ix.beyond_high_key(&page, &o, key)?) {
            drop(page);
            page = pin(eng, ix, o.next)?.share();
            continue;
        }
        return Ok(page);
    }
}

/// The same with exclusive locks; splits that a crash or error left unfinished are finished on the way.
pub(crate) fn move_right_exclusive(
    eng: &Engine,
    ix: &IndexRel,
    mut page: PageMut,
    key: &SearchKey<'_>,
    stack: &Stack,
) -> Result<PageMut> {
    loop {
        let o = Opaque::read(&page)?;
        if o.is_incomplete() && !o.is_rightmost() {
            let block = page.pin().block();
            split::finish_split(eng, ix, page, stack.clone())?;
            page = pin(eng, ix, block)?.exclusive();
            continue;
        }
        if !o.is_rightmost() && (o.is_ignorable() || ix.beyond_high_key(&page, &o, key)?) {
            drop(page);
            page = pin(eng, ix, o.next)?.exclusive();
            continue;
        }
        return Ok(page);
    }
}

/// The child that `key` belongs under.
fn child_for(ix: &IndexRel, page: &PageRef, o: &Opaque, key: &SearchKey<'_>) -> Result<(BlockNumber, u16)> {
    let off = ix.bin_search(page, o, key)?;
    Ok((ix.tup(page, off)?.downlink(), off))
}

/// After this many searches in a row that ended on the same leaf, the next one looks there first.
const SAME_LEAF: u32 = 3;

/// The leaf where the last searches ended, if `key` belongs there: beyond its first entry and not beyond its last. Whatever
/// became of the page since, that makes it the right one.
fn same_leaf(eng: &Engine, ix: &IndexRel, block: u32, key: &SearchKey<'_>) -> Result<Option<PageRef>> {
    let page = pin(eng, ix, BlockNumber(block))?.share();
    let Ok(o) = Opaque::read(&page) else { return Ok(None) };
    let first = o.first_data();
    let fits = o.is_leaf()
        && !o.is_ignorable()
        && page.max_offset() >= first
        && ix.compare(key, ix.tup(&page, first)?)? == Ordering::Greater
        && !ix.beyond_high_key(&page, &o, key)?;
    Ok(fits.then_some(page))
}

/// The leaf for `key`, shared. `None` when the index is empty.
pub(crate) fn find_leaf(eng: &Engine, ix: &IndexRel, key: &SearchKey<'_>) -> Result<Option<PageRef>> {
    let (last, mut times) = ix.leaf_hint.get();
    if times >= SAME_LEAF {
        if let Some(page) = same_leaf(eng, ix, last, key)? {
            return Ok(Some(page));
        }
        times = 0;
    }
    let Some(mut page) = root(eng, ix)? else { return Ok(None) };
    loop {
        page = move_right(eng, ix, page, key)?;
        let o = Opaque::read(&page)?;
        if o.is_leaf() {
            let block = page.pin().block().0;
            ix.leaf_hint.set((block, if block == last { times + 1 } else { 0 }));
            return Ok(Some(page));
        }
        let (child, _) = child_for(ix, &page, &o, key)?;
        drop(page);
        page = pin(eng, ix, child)?.share();
    }
}

/// The leaf for `key`, exclusive, and the path to it. `None` when the index is empty.
pub(crate) fn find_leaf_exclusive(
    eng: &Engine,
    ix: &IndexRel,
    key: &SearchKey<'_>,
) -> Result<Option<(PageMut, Stack)>> {
    let mut stack = Stack::new();
    let Some(mut page) = root(eng, ix)? else { return Ok(None) };
    loop {
        page = move_right(eng, ix, page, key)?;
        let o = Opaque::read(&page)?;
        if o.is_leaf() {
            // Root leaf: swap the shared lock for an exclusive one; it may have split in between.
            let block = page.pin().block();
            drop(page);
            let leaf = pin(eng, ix, block)?.exclusive();
            if !Opaque::read(&leaf)?.is_leaf() {
                drop(leaf);
                ix.root_cache.set((0, 0));
                stack.clear();
                let Some(p) = root(eng, ix)? else { return Ok(None) };
                page = p;
                continue;
            }
            let leaf = move_right_exclusive(eng, ix, leaf, key, &stack)?;
            return Ok(Some((leaf, stack)));
        }
        let (child, offset) = child_for(ix, &page, &o, key)?;
        stack.push(StackEntry { block: page.pin().block(), offset });
        drop(page);
        if o.level == 1 {
            let leaf = pin(eng, ix, child)?.exclusive();
            let leaf = move_right_exclusive(eng, ix, leaf, key, &stack)?;
            return Ok(Some((leaf, stack)));
        }
        page = pin(eng, ix, child)?.share();
    }
}

/// Path to the page at `level` that `key` belongs to, found from the true root: used when a split's own path has
/// been outgrown by concurrent root splits.
pub(crate) fn path_to_level(eng: &Engine, ix: &IndexRel, key: &SearchKey<'_>, level: u32) -> Result<Stack> {
    let meta = read_meta(eng, ix)?;
    ix.root_cache.set((0, 0));
    let mut stack = Stack::new();
    let mut page = pin(eng, ix, meta.root)?.share();
    loop {
        page = move_right(eng, ix, page, key)?;
        let o = Opaque::read(&page)?;
        if o.level < level || o.is_leaf() {
            return Ok(stack);
        }
        let (child, offset) = child_for(ix, &page, &o, key)?;
        stack.push(StackEntry { block: page.pin().block(), offset });
        if o.level == level {
            return Ok(stack);
        }
        drop(page);
        page = pin(eng, ix, child)?.share();
    }
}

/// Leftmost or rightmost page of the leaf level, shared.
pub(crate) fn end_leaf(eng: &Engine, ix: &IndexRel, rightmost: bool) -> Result<Option<PageRef>> {
    let Some(mut page) = root(eng, ix)? else { return Ok(None) };
    loop {
        let o = Opaque::read(&page)?;
        if !o.is_rightmost() && (o.is_ignorable() || rightmost) {
            drop(page);
            page = pin(eng, ix, o.next)?.share();
            continue;
        }
        if o.is_leaf() {
            return Ok(Some(page));
        }
        let off = if rightmost { page.max_offset() } else { o.first_data() };
        let child = ix.tup(&page, off)?.downlink();
        drop(page);
        page = pin(eng, ix, child)?.share();
    }
}
