//! Inserting an entry: finding the leaf, checking uniqueness under its exclusive lock, making room (dead entries go
//! first, a split is the last resort), and the page allocation that splits need.

use super::dedup;
use super::key::SearchKey;
use super::page::{self, META_BLOCK, Meta, NONE, Opaque};
use super::search::{self, Stack};
use super::split;
use super::tuple::{self, ITup};
use super::unique::{self, UniqueCheck, Verdict};
use super::wal;
use crate::heap::toast;
use crate::rel::{IndexRel, Rel};
use crate::txn::{self, Engine};
use common::{Result, Tid};
use storage::page::maxalign;
use storage::{Fork, PAGE_SIZE, Page, PageMut, RegFlags, RmgrId, fsm};
use transam::ssi::Place;
use types::DatumRef;
use types::tuple::FormAttr;

/// Values beyond this are compressed in the index.
const COMPRESS_OVER: usize = 508;

/// Appends the leaf tuple to `out`; 54000 when it is too large.
pub(crate) fn form_into(ix: &IndexRel, values: &[DatumRef<'_>], tid: Tid, out: &mut Vec<u8>) -> Result<()> {
    if let [DatumRef::Bytes(b)] = values
        && b.len() <= types::tuple::SHORT_MAX
        && ix.rel.desc.attrs[0].len == -1
        && ix.rel.desc.attrs[0].storage != b'p'
    {
        tuple::form_short(b, tid, out);
        return Ok(());
    }
    out.extend_from_slice(&form(ix, values, tid)?);
    Ok(())
}

/// Forms the leaf tuple; 54000 when it is too large.
pub(crate) fn form(ix: &IndexRel, values: &[DatumRef<'_>], tid: Tid) -> Result<Vec<u8>> {
    let large = |v: &DatumRef<'_>| matches!(v, DatumRef::Bytes(b) if b.len() > COMPRESS_OVER);
    if !values.iter().any(large) {
        let t = tuple::form_leaf(&ix.rel.desc, values, tid)?;
        return if t.len() <= page::MAX_LEAF_ITEM { Ok(t) } else { Err(too_large(ix, t.len(), tid)) };
    }
    let stored: Vec<Option<Vec<u8>>> = values
        .iter()
        .zip(&ix.rel.desc.attrs)
        .map(|(v, a)| match v {
            DatumRef::Bytes(b) if b.len() > COMPRESS_OVER && matches!(a.storage, b'x' | b'm') => {
                toast::compress(b)
            }
            _ => None,
        })
        .collect();
    let attrs: Vec<FormAttr<'_>> = values
        .iter()
        .zip(&stored)
        .map(|(v, s)| s.as_ref().map_or(FormAttr::Datum(*v), |s| FormAttr::Raw(s)))
        .collect();
    let t = tuple::form_leaf_attrs(&ix.rel.desc, &attrs, tid);
    match t {
        Ok(t) if t.len() <= page::MAX_LEAF_ITEM => Ok(t),
        Ok(t) => Err(too_large(ix, t.len(), tid)),
        Err(_) => Err(too_large(ix, 8192, tid)),
    }
}

fn too_large(ix: &IndexRel, size: usize, tid: Tid) -> common::Error {
    common::err!(
        PROGRAM_LIMIT_EXCEEDED,
        "index row size {} exceeds btree version 4 maximum {} for index \"{}\"",
        size,
        page::MAX_LEAF_ITEM,
        ix.rel.name
    )
    .detail(format!(
        "Index row references tuple ({},{}) in relation \"{}\".",
        tid.block, tid.offset, ix.heap_name
    ))
    .hint(
        "Values larger than 1/3 of a buffer page cannot be indexed.\nConsider a function index of an MD5 hash of the value, or use full text indexing.",
    )
    .table(ix.heap_name.clone())
    .constraint(ix.rel.name.clone())
}

/// Inserts an entry for the row at `tid`: all index columns' values. Returns false when the check is `Partial` and
/// there may be a duplicate; `true` otherwise. 23505, 54000.
pub fn insert(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    values: &[DatumRef<'_>],
    tid: Tid,
    check: UniqueCheck,
) -> Result<bool> {
    let item = form(ix, values, tid)?;
    let keys = &values[..ix.nkeys()];
    let distinct = !ix.nulls_not_distinct && keys.iter().any(|v| v.is_null());
    let checking = check != UniqueCheck::No && !distinct;
    if check == UniqueCheck::Existing && !checking {
        return Ok(true);
    }
    let exact = SearchKey::exact(keys, tid);
    loop {
        if !checking && let Some(leaf) = last_leaf(eng, ix, &exact, item.len())? {
            place(eng, ix, heap, leaf, Stack::new(), &exact, &item)?;
            return Ok(true);
        }
        let first = SearchKey::first(keys);
        let search = if checking { &first } else { &exact };
        let Some((leaf, stack)) = search::find_leaf_exclusive(eng, ix, search)? else {
            create_root(eng, ix)?;
            continue;
        };
        let mut unique = true;
        if checking {
            match unique::check(eng, ix, heap, &leaf, &first, tid, check)? {
                Verdict::Unique => {}
                Verdict::MaybeDuplicate => unique = false,
                Verdict::Wait { xid, token } => {
                    drop(leaf);
                    unique::wait(eng, ix, heap, xid, token, tid)?;
                    continue;
                }
                Verdict::Duplicate(_) => {
                    // Who read that the key was not there is told of that first.
                    txn::note_write(eng, &ix.rel, Place::Page(leaf.pin().block()))?;
                    drop(leaf);
                    return Err(ix.unique_violation(keys));
                }
            }
        }
        if check != UniqueCheck::Existing {
            place(eng, ix, heap, leaf, stack, &exact, &item)?;
        }
        return Ok(unique);
    }
}

/// The rightmost leaf, exclusively locked, if this index's last insert went there and this one belongs there too.
fn last_leaf(eng: &Engine, ix: &IndexRel, key: &SearchKey<'_>, len: usize) -> Result<Option<PageMut>> {
    let block = ix.last_leaf.get();
    if block == 0 {
        return Ok(None);
    }
    let pin = search::pin(eng, ix, common::BlockNumber(block))?;
    if let Some(leaf) = pin.try_exclusive()
        && let Ok(o) = Opaque::read(&leaf)
        && o.is_leaf()
        && o.is_rightmost()
        && !o.is_ignorable()
        && leaf.free_space() > maxalign(len)
        && leaf.max_offset() >= o.first_data()
        && ix.compare(key, ix.tup(&leaf, o.first_data())?)?.is_gt()
    {
        return Ok(Some(leaf));
    }
    ix.last_leaf.set(0);
    Ok(None)
}

/// Inserts into the leaf that `key` belongs to, at or right of `leaf`.
fn place(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    mut leaf: PageMut,
    mut stack: Stack,
    key: &SearchKey<'_>,
    item: &[u8],
) -> Result<()> {
    let need = maxalign(item.len());
    loop {
        leaf = search::move_right_exclusive(eng, ix, leaf, key, &stack)?;
        txn::note_write(eng, &ix.rel, Place::Page(leaf.pin().block()))?;
        if leaf.free_space() < need {
            make_room(eng, ix, heap, &mut leaf, need)?;
        }
        let o = Opaque::read(&leaf)?;
        let off = ix.bin_search(&leaf, &o, key)?;
        if let Some(tid) = inside_posting(ix, &leaf, off, key)? {
            let (list, last) = tuple::exchange(ix.tup(&leaf, off)?, tid)?;
            if leaf.free_space() >= maxalign(last.len()) {
                return insert_into_posting(eng, ix, &mut leaf, off, &list, &last);
            }
            // Two changes do not go into one split: split first, then look again.
            split::split_only(eng, ix, leaf, stack)?;
            match search::find_leaf_exclusive(eng, ix, key)? {
                Some(found) => (leaf, stack) = found,
                None => return Err(common::Error::internal("btree vanished during an insertion")),
            }
            continue;
        }
        if leaf.free_space() < need {
            return split::split(eng, ix, leaf, item, off, stack, None);
        }
        let is_last = o.is_rightmost() && off > leaf.max_offset();
        ix.last_leaf.set(if is_last { leaf.pin().block().0 } else { 0 });
        return insert_item(eng, ix, &mut leaf, item, off, None);
    }
}

/// The key's TID, if the item at `off` is a posting list with the same key whose range it falls into.
fn inside_posting(ix: &IndexRel, leaf: &Page, off: u16, key: &SearchKey<'_>) -> Result<Option<Tid>> {
    if off > leaf.max_offset() {
        return Ok(None);
    }
    let t = ix.tup(leaf, off)?;
    let Some(tid) = key.tid.filter(|_| t.is_posting()) else { return Ok(None) };
    let inside = t.heap_tid().is_some_and(|low| tid > low) && ix.compare(key, t)?.is_eq();
    Ok(inside.then_some(tid))
}

/// Puts a TID into a posting list: the list keeps its size, its last TID moves to a tuple of its own behind it.
fn insert_into_posting(
    eng: &Engine,
    ix: &IndexRel,
    leaf: &mut PageMut,
    off: u16,
    list: &[u8],
    last: &[u8],
) -> Result<()> {
    ix.check_comparisons()?;
    let mut data = Vec::with_capacity(4 + list.len() + last.len());
    data.extend_from_slice(&off.to_le_bytes());
    data.extend_from_slice(&(list.len() as u16).to_le_bytes());
    data.extend_from_slice(list);
    data.extend_from_slice(last);
    let cr = txn::store(eng).begin_critical();
    wal::apply_insert_posting(cr.page(leaf), &data)?;
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::INSERT_POSTING, txn::current_xid(eng));
        r.block(0, leaf, RegFlags::STANDARD);
        r.block_data(0, &data);
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}

/// Puts an item that fits onto a page; `child`: the page whose split its downlink completes.
pub(crate) fn insert_item(
    eng: &Engine,
    ix: &IndexRel,
    page: &mut PageMut,
    item: &[u8],
    off: u16,
    mut child: Option<PageMut>,
) -> Result<()> {
    ix.check_comparisons()?;
    let cr = txn::store(eng).begin_critical();
    if !cr.page(page).insert_item(off, item) {
        cr.unlogged();
        return Err(common::Error::internal(format!(
            "failed to add new item to block {} in index \"{}\"",
            page.pin().block(),
            ix.rel.name
        )));
    }
    if let Some(c) = &mut child {
        split::clear_incomplete(cr.page(c))?;
    }
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::INSERT, txn::current_xid(eng));
        r.block(0, page, RegFlags::STANDARD);
        r.block_data(0, &off.to_le_bytes());
        r.block_data(0, item);
        if let Some(c) = &child {
            r.block(1, c, RegFlags::STANDARD);
        }
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}

/// Puts a downlink into a parent page, splitting it if need be.
pub(crate) fn insert_internal(
    eng: &Engine,
    ix: &IndexRel,
    mut parent: PageMut,
    pivot: &[u8],
    off: u16,
    stack: Stack,
    child: PageMut,
) -> Result<()> {
    if parent.free_space() < maxalign(pivot.len()) {
        return split::split(eng, ix, parent, pivot, off, stack, Some(child));
    }
    insert_item(eng, ix, &mut parent, pivot, off, Some(child))
}

/// Tries to free `need` bytes on a leaf without splitting: entries marked dead, entries whose rows turn out to be dead,
/// and at last duplicates merged into posting lists.
fn make_room(eng: &Engine, ix: &IndexRel, heap: &Rel, leaf: &mut PageMut, need: usize) -> Result<()> {
    let o = Opaque::read(leaf)?;
    let dead: Vec<u16> =
        (o.first_data()..=leaf.max_offset()).filter(|&i| leaf.item_id(i).is_dead()).collect();
    if !dead.is_empty() {
        delete_items(eng, ix, leaf, &dead)?;
        if leaf.free_space() >= need {
            return Ok(());
        }
    }
    let gone = dedup::dead_duplicates(eng, ix, heap, leaf)?;
    if !gone.is_empty() {
        delete_items(eng, ix, leaf, &gone)?;
        if leaf.free_space() >= need {
            return Ok(());
        }
    }
    dedup::merge_duplicates(eng, ix, leaf, need)
}

/// Removes items (ascending offsets) from a leaf.
pub(crate) fn delete_items(eng: &Engine, ix: &IndexRel, leaf: &mut PageMut, offs: &[u16]) -> Result<()> {
    let cr = txn::store(eng).begin_critical();
    wal::apply_delete(cr.page(leaf), offs)?;
    if ix.rel.is_logged() {
        let mut r = cr.record(RmgrId::BTREE, wal::DELETE, txn::current_xid(eng));
        r.block(0, leaf, RegFlags::STANDARD);
        for o in offs {
            r.block_data(0, &o.to_le_bytes());
        }
        cr.log(r);
    } else {
        cr.unlogged();
    }
    Ok(())
}

/// A page to be overwritten: a recycled one, or a new one at the end. Its content is undefined.
pub(crate) fn alloc_page(eng: &Engine, ix: &IndexRel) -> Result<PageMut> {
    let st = txn::store(eng);
    while let Some(b) = fsm::search(st, ix.rel.locator, PAGE_SIZE / 2)? {
        fsm::record(st, ix.rel.locator, b, 0)?;
        if let Some(g) = search::pin(eng, ix, b)?.try_exclusive()
            && (g.is_new() || is_recyclable(eng, ix, &g))
        {
            return Ok(g);
        }
        eng.check_interrupts()?;
    }
    st.extend_exclusive(ix.rel.locator, Fork::Main, None)
}

/// Deleted so long ago that no scan can still be on its way to it?
pub(crate) fn is_recyclable(eng: &Engine, ix: &IndexRel, p: &Page) -> bool {
    Opaque::read(p).is_ok_and(|o| o.is_deleted()) && page::safe_xid(p) < txn::oldest_xmin(eng, &ix.rel)
}

/// Makes the first page of an empty index: a leaf that is the root.
fn create_root(eng: &Engine, ix: &IndexRel) -> Result<()> {
    let mut meta_page = search::pin(eng, ix, META_BLOCK)?.exclusive();
    if Meta::read(&meta_page)?.root != NONE {
        return Ok(());
    }
    let mut root = alloc_page(eng, ix)?;
    let block = root.pin().block();
    let meta = Meta { root: block, level: 0, fast_root: block, fast_level: 0, pending: 0 };
    let cr = txn::store(eng).begin_critical();
    let flags = page::LEAF | page::ROOT;
    page::init(cr.page(&mut root), Opaque { prev: NONE, next: NONE, level: 0, flags });
    let mut rec = ix.rel.is_logged().then(|| cr.record(RmgrId::BTREE, wal::NEW_ROOT, txn::current_xid(eng)));
    if let Some(r) = &mut rec {
        r.block(0, &root, RegFlags::STANDARD | RegFlags::FORCE_IMAGE);
    }
    wal::register_meta(&cr, &mut rec, &mut meta_page, &meta, 2);
    match rec {
        Some(r) => {
            cr.log(r);
        }
        None => cr.unlogged(),
    }
    Ok(())
}

/// Is `t` worth a look at its row? (Used by [`dedup`]; here so that the view of tuples stays in one place.)
pub(crate) fn plain_tid(t: ITup<'_>) -> Option<Tid> {
    if t.is_posting() { None } else { t.heap_tid() }
}
