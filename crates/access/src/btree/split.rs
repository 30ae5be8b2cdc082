//! Page splits. The left half keeps its block, the right half gets a new one; the pair is linked and logged in one
//! step with the left half marked *incomplete*, and the downlink is put into the parent in a second step that clears
//! the mark. Whoever meets an incomplete split with an exclusive lock (after a crash, an error) finishes it.

use super::insert;
use super::key::{SearchKey, attr_datum};
use super::page::{self, META_BLOCK, Meta, NONE, Opaque};
use super::search::{self, Stack};
use super::tuple::{self, ITup};
use super::wal::{self, u16_at};
use crate::rel::IndexRel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Error, Result};
use std::cmp::Ordering;
use storage::{Page, PageMut, RegFlags, RmgrId};
use types::tuple::{FormAttr, RawAttr};

/// Usable bytes of a page: items with their line pointers.
const CAPACITY: usize = storage::PAGE_SIZE - storage::page::PAGE_HEADER_SIZE - page::SPECIAL_SIZE;
/// Percent of a page filled by splitting the rightmost internal page.
const INTERNAL_FILL: usize = 70;

fn cost(item: &[u8]) -> usize {
    storage::page::maxalign(item.len()) + storage::page::LINE_POINTER_SIZE
}

/// How the left half is made from the page before the split; logged, so that redo makes the same.
pub(crate) struct LeftHalf<'a> {
    /// Data items of the old page that stay.
    pub keep: u16,
    /// The new item and its index among the left half's data items.
    pub new_item: Option<(u16, &'a [u8])>,
    pub high_key: &'a [u8],
}

impl<'a> LeftHalf<'a> {
    fn encode(&self) -> Vec<u8> {
        let mut v = Vec::with_capacity(64 + self.high_key.len());
        v.extend_from_slice(&self.keep.to_le_bytes());
        v.extend_from_slice(&self.new_item.map_or(u16::MAX, |(i, _)| i).to_le_bytes());
        v.extend_from_slice(&(self.high_key.len() as u16).to_le_bytes());
        v.extend_from_slice(self.high_key);
        if let Some((_, b)) = self.new_item {
            v.extend_from_slice(b);
        }
        v
    }
    /// Reads the logged form.
    pub fn decode(d: &'a [u8]) -> Result<LeftHalf<'a>> {
        let (keep, at, n) = (u16_at(d, 0)?, u16_at(d, 2)?, u16_at(d, 4)? as usize);
        let high_key = d.get(6..6 + n).ok_or_else(|| Error::corrupted("btree split record is too short"))?;
        let new_item = (at != u16::MAX).then(|| (at, &d[6 + n..]));
        Ok(LeftHalf { keep, new_item, high_key })
    }
    /// The left half of `old`.
    pub fn build(&self, old: &Page, right: BlockNumber) -> Result<Box<Page>> {
        let mut o = Opaque::read(old)?;
        let first = o.first_data();
        o.next = right;
        o.flags = (o.flags & !(page::ROOT | page::HAS_GARBAGE)) | page::INCOMPLETE_SPLIT;
        let mut p = Page::zeroed();
        page::init(&mut p, o);
        push(&mut p, self.high_key)?;
        let mut put = 0;
        for i in 0..self.keep {
            if let Some((at, b)) = self.new_item
                && at == put
            {
                push(&mut p, b)?;
                put += 1;
            }
            push(&mut p, old.item(first + i)?)?;
            put += 1;
        }
        if let Some((at, b)) = self.new_item
            && at >= put
        {
            push(&mut p, b)?;
        }
        Ok(p)
    }
}

pub(crate) fn push(p: &mut Page, item: &[u8]) -> Result<()> {
    let off = p.max_offset() + 1;
    if p.insert_item(off, item) {
        Ok(())
    } else {
        Err(Error::internal("btree page build: item does not fit"))
    }
}

/// The separator between two neighbouring leaf tuples: as few columns of `right` as tell them apart; when all key
/// columns are equal, all of them and the left one's heap TID.
pub(crate) fn separator(ix: &IndexRel, left: ITup<'_>, right: ITup<'_>) -> Result<Vec<u8>> {
    let mut keep = keep_columns(ix, left, right)?;
    let mut tid = None;
    if keep > ix.nkeys() {
        keep = ix.nkeys();
        tid = left.max_heap_tid();
    }
    let mut w = ix.rel.deformer.walk(right.key(ix.natts()));
    let mut attrs = Vec::with_capacity(keep);
    for _ in 0..keep {
        attrs.push(match w.next_attr()? {
            RawAttr::Null => FormAttr::Datum(types::DatumRef::Null),
            RawAttr::Plain(d) => FormAttr::Datum(d),
            RawAttr::Compressed { raw } => FormAttr::Raw(raw),
            RawAttr::External(_) => return Err(Error::corrupted("index tuple holds a toast pointer")),
        });
    }
    tuple::form_pivot(&ix.rel.desc, &attrs, tid, NONE)
}

/// How many columns the separator needs; key column count + 1 when a TID is needed.
fn keep_columns(ix: &IndexRel, left: ITup<'_>, right: ITup<'_>) -> Result<usize> {
    let mut a = ix.rel.deformer.walk(left.key(ix.natts()));
    let mut b = ix.rel.deformer.walk(right.key(ix.natts()));
    let (mut s1, mut s2) = (Vec::new(), Vec::new());
    for (i, k) in ix.keys.iter().enumerate() {
        let (x, y) = (attr_datum(a.next_attr()?, &mut s1)?, attr_datum(b.next_attr()?, &mut s2)?);
        if k.compare(x, y) != Ordering::Equal {
            return Ok(i + 1);
        }
    }
    Ok(ix.nkeys() + 1)
}

/// Where to split: index of the first item of the right half.
fn choose(ix: &IndexRel, o: &Opaque, items: &[&[u8]], old_high_key: usize) -> Result<usize> {
    let total: usize = items.iter().map(|i| cost(i)).sum();
    let fill = match (o.is_rightmost(), o.is_leaf()) {
        (true, true) => usize::from(ix.rel.fillfactor),
        (true, false) => INTERNAL_FILL,
        _ => 50,
    };
    // Aim: the left half holds `fill` of a page when that leaves something for the right, else half of all.
    let aim = if o.is_rightmost() { (CAPACITY * fill / 100).min(total) } else { total * fill / 100 };
    let mut left = 0;
    let mut best: Option<(usize, usize)> = None;
    let mut options = Vec::new();
    for s in 1..items.len() {
        left += cost(items[s - 1]);
        let high_key = cost(items[s]) + 8;
        let right = total - left + old_high_key;
        if left + high_key > CAPACITY || right > CAPACITY {
            continue;
        }
        let off = left.abs_diff(aim);
        options.push((off, s));
        if best.is_none_or(|(b, _)| off < b) {
            best = Some((off, s));
        }
    }
    let Some((best_off, best_s)) = best else {
        return Err(Error::internal(format!(
            "could not find a feasible split point for index \"{}\"",
            ix.rel.name
        )));
    };
    if !o.is_leaf() {
        return Ok(best_s);
    }
    let slack = best_off + CAPACITY / 24;
    options.retain(|(off, _)| *off <= slack);
    options.sort_unstable();
    let mut chosen = (usize::MAX, best_s);
    for &(_, s) in options.iter().take(12) {
        let n = keep_columns(ix, ITup::new(items[s - 1])?, ITup::new(items[s])?)?;
        if n < chosen.0 {
            chosen = (n, s);
        }
        if n == 1 {
            break;
        }
    }
    Ok(chosen.1)
}

/// Splits `left` without inserting anything, to make room on both halves.
pub(crate) fn split_only(eng: &Engine, ix: &IndexRel, left: PageMut, stack: Stack) -> Result<()> {
    split_page(eng, ix, left, None, stack, None)
}

/// Splits `left` (exclusively locked) while inserting `item` at `off`; `child` is the page whose incomplete split the
/// item's downlink completes. Takes the insertion up to the root as far as needed.
pub(crate) fn split(
    eng: &Engine,
    ix: &IndexRel,
    left: PageMut,
    item: &[u8],
    off: u16,
    stack: Stack,
    child: Option<PageMut>,
) -> Result<()> {
    split_page(eng, ix, left, Some((item, off)), stack, child)
}

fn split_page(
    eng: &Engine,
    ix: &IndexRel,
    mut left: PageMut,
    item: Option<(&[u8], u16)>,
    stack: Stack,
    mut child: Option<PageMut>,
) -> Result<()> {
    ix.check_comparisons()?;
    let o = Opaque::read(&left)?;
    let first = o.first_data();
    // Where the item goes among the data items; without one, a place that is never reached.
    let at = item.map_or(usize::MAX, |(_, off)| (off - first) as usize);
    let mut items: Vec<&[u8]> = (first..=left.max_offset()).map(|i| left.item(i)).collect::<Result<_>>()?;
    if let Some((it, _)) = item {
        items.insert(at, it);
    }
    let old_high = if o.is_rightmost() { 0 } else { cost(left.item(1)?) };
    let s = choose(ix, &o, &items, old_high)?;
    let high_key = if o.is_leaf() {
        separator(ix, ITup::new(items[s - 1])?, ITup::new(items[s])?)?
    } else {
        items[s].to_vec()
    };
    let half = LeftHalf {
        keep: if at < s { s - 1 } else { s } as u16,
        new_item: item.filter(|_| at < s).map(|(it, _)| (at as u16, it)),
        high_key: &high_key,
    };
    let mut right = insert::alloc_page(eng, ix)?;
    let (lblock, rblock) = (left.pin().block(), right.pin().block());
    let new_left = half.build(&left, rblock)?;
    let new_right = build_right(&left, &o, &items[s..], lblock)?;
    let half_data = half.encode();
    let mut sibling = match o.next {
        NONE => None,
        b => Some(search::pin(eng, ix, b)?.exclusive()),
    };
    let cr = txn::store(eng).begin_critical();
    cr.page(&mut left).bytes_mut().copy_from_slice(new_left.bytes());
    cr.page(&mut right).bytes_mut().copy_from_slice(new_right.bytes());
    if let Some(sib) = &mut sibling {
        let p = cr.page(sib);
        let mut so = Opaque::read(p)?;
        so.prev = rblock;
        so.write(p);
    }
    if let Some(c) = &mut child {
        clear_incomplete(cr.page(c))?;
    }
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::SPLIT, txn::current_xid(eng));
        r.block(0, &left, RegFlags::STANDARD);
        r.block_data(0, &half_data);
        r.block(1, &right, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        if let Some(sib) = &sibling {
            r.block(2, sib, RegFlags::STANDARD);
        }
        if let Some(c) = &child {
            r.block(3, c, RegFlags::STANDARD);
        }
        cr.log(r);
    } else {
        cr.unlogged();
    }
    drop(cr);
    if o.is_leaf() {
        eng.reads_spread(ix.rel.oid, lblock, rblock);
    }
    drop(sibling);
    drop(child);
    insert_parent(eng, ix, left, right, stack, o.flags & page::ROOT != 0)
}

fn build_right(old: &Page, o: &Opaque, items: &[&[u8]], left: BlockNumber) -> Result<Box<Page>> {
    let mut p = Page::zeroed();
    let flags = o.flags & !(page::ROOT | page::HAS_GARBAGE | page::INCOMPLETE_SPLIT);
    page::init(&mut p, Opaque { prev: left, next: o.next, level: o.level, flags });
    if !o.is_rightmost() {
        push(&mut p, old.item(1)?)?;
    }
    for (i, it) in items.iter().enumerate() {
        if i == 0 && !o.is_leaf() {
            push(&mut p, &tuple::minus_infinity(ITup::new(it)?.downlink()))?;
        } else {
            push(&mut p, it)?;
        }
    }
    Ok(p)
}

pub(crate) fn clear_incomplete(p: &mut Page) -> Result<()> {
    let mut o = Opaque::read(p)?;
    o.flags &= !page::INCOMPLETE_SPLIT;
    o.write(p);
    Ok(())
}

/// Puts the downlink of `right` into the parent of `left`.
fn insert_parent(
    eng: &Engine,
    ix: &IndexRel,
    left: PageMut,
    right: PageMut,
    stack: Stack,
    was_root: bool,
) -> Result<()> {
    if was_root {
        return new_root(eng, ix, left, right);
    }
    let level = Opaque::read(&left)?.level;
    let pivot = tuple::with_downlink(left.item(1)?, right.pin().block());
    drop(right);
    let (parent, off, stack) = find_parent(eng, ix, &left, stack, level + 1)?;
    insert::insert_internal(eng, ix, parent, &pivot, off + 1, stack, left)
}

/// The parent of `child`, exclusively locked, and the place of its downlink.
pub(crate) fn find_parent(
    eng: &Engine,
    ix: &IndexRel,
    child: &PageMut,
    mut stack: Stack,
    level: u32,
) -> Result<(PageMut, u16, Stack)> {
    let block = child.pin().block();
    let entry = match stack.pop() {
        Some(e) => e,
        None => {
            let hk = ITup::new(child.item(1)?)?;
            let values = ix.key_values(hk)?;
            let refs: Vec<_> = values.iter().map(types::Datum::as_ref).collect();
            let key = SearchKey { values: &refs, tid: hk.heap_tid(), next_key: false, forward: false };
            stack = search::path_to_level(eng, ix, &key, level)?;
            stack.pop().ok_or_else(|| lost_parent(ix, block))?
        }
    };
    let (mut at, mut hint) = (entry.block, entry.offset);
    loop {
        let page = search::pin(eng, ix, at)?.exclusive();
        let o = Opaque::read(&page)?;
        if o.is_incomplete() && !o.is_rightmost() {
            finish_split(eng, ix, page, stack.clone())?;
            continue;
        }
        if !o.is_ignorable() {
            let (first, max) = (o.first_data(), page.max_offset());
            let hint_ok = hint.max(first);
            for off in (hint_ok..=max).chain(first..hint_ok) {
                if ix.tup(&page, off)?.downlink() == block {
                    return Ok((page, off, stack));
                }
            }
        }
        if o.is_rightmost() {
            return Err(lost_parent(ix, block));
        }
        (at, hint) = (o.next, 0);
    }
}

fn lost_parent(ix: &IndexRel, block: BlockNumber) -> Error {
    Error::new(
        common::SqlState::INDEX_CORRUPTED,
        format!("failed to re-find parent key in index \"{}\" for split pages (block {block})", ix.rel.name),
    )
}

/// Completes the split whose left half is `left`.
pub(crate) fn finish_split(eng: &Engine, ix: &IndexRel, left: PageMut, stack: Stack) -> Result<()> {
    let o = Opaque::read(&left)?;
    let was_root = stack.is_empty() && search::read_meta(eng, ix)?.root == left.pin().block();
    let right = search::pin(eng, ix, o.next)?.exclusive();
    insert_parent(eng, ix, left, right, stack, was_root)
}

/// A new root above the two halves of the old one.
fn new_root(eng: &Engine, ix: &IndexRel, mut left: PageMut, right: PageMut) -> Result<()> {
    let level = Opaque::read(&left)?.level + 1;
    let mut p = Page::zeroed();
    page::init(&mut p, Opaque { prev: NONE, next: NONE, level, flags: page::ROOT });
    push(&mut p, &tuple::minus_infinity(left.pin().block()))?;
    push(&mut p, &tuple::with_downlink(left.item(1)?, right.pin().block()))?;
    let mut root = insert::alloc_page(eng, ix)?;
    let mut meta_page = search::pin(eng, ix, META_BLOCK)?.exclusive();
    let block = root.pin().block();
    let pending = Meta::read(&meta_page)?.pending;
    let meta = Meta { root: block, level, fast_root: block, fast_level: level, pending };
    let cr = txn::store(eng).begin_critical();
    cr.page(&mut root).bytes_mut().copy_from_slice(p.bytes());
    clear_incomplete(cr.page(&mut left))?;
    let mut rec = ix.rel.is_logged().then(|| cr.record(RmgrId::BTREE, wal::NEW_ROOT, txn::current_xid(eng)));
    if let Some(r) = &mut rec {
        r.block(0, &root, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
        r.block(1, &left, RegFlags::STANDARD);
    }
    wal::register_meta(&cr, &mut rec, &mut meta_page, &meta, 2);
    match rec {
        Some(r) => {
            cr.log(r);
        }
        None => cr.unlogged(),
    }
    drop(cr);
    ix.root_cache.set((block.0, level));
    Ok(())
}
