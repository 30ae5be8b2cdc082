//! Uniqueness: whether a live row with the same key exists, judged by dirty reads of the heap while the leaf is
//! locked exclusively, so that of two concurrent inserters the second always sees the first one's entry.

use super::key::SearchKey;
use super::page::Opaque;
use super::search;
use crate::heap::fetch::hot_search;
use crate::rel::{IndexRel, Rel};
use crate::txn::{self, Engine};
use common::{BlockNumber, Result, Tid, Xid};
use std::ops::Deref;
use std::rc::Rc;
use storage::{Page, PageMut, PageRef};
use transam::{DirtyResult, Snapshot};
use types::DatumRef;

/// How an insertion treats duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueCheck {
    /// The index is not unique, or is checked otherwise.
    No,
    /// 23505 at once; waits for transactions that may still abort.
    Yes,
    /// Insert anyway and report that there may be a duplicate (deferrable constraints, ON CONFLICT).
    Partial,
    /// Do not insert: the entry exists, check it now (deferred constraints).
    Existing,
}

/// What [`check_conflict`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// No live row has the key.
    None,
    /// This committed (or own) row version has it.
    Row(Tid),
}

/// What a look at the equal keys came to.
pub(crate) enum Verdict {
    Unique,
    MaybeDuplicate,
    /// This transaction decides (speculative insertion if the token is not 0).
    Wait {
        xid: Xid,
        token: u32,
    },
    Duplicate(Tid),
}

/// The page under examination: the caller's leaf, or a right neighbour.
enum At<'a> {
    Leaf(&'a Page),
    Right(PageRef),
}

impl Deref for At<'_> {
    type Target = Page;
    fn deref(&self) -> &Page {
        match self {
            At::Leaf(p) => p,
            At::Right(p) => p,
        }
    }
}

/// The live row version behind an index entry's TID, by dirty rules.
fn probe(eng: &Engine, heap: &Rel, tid: Tid) -> Result<Option<(Tid, Rc<DirtyResult>)>> {
    let info: Rc<DirtyResult> = Rc::default();
    let snap = Snapshot::Dirty(info.clone());
    let pin = txn::store(eng).read_main(heap.locator, tid.block)?;
    let p = pin.share();
    let (found, _) = hot_search(eng, heap, &snap, &p, tid.offset)?;
    Ok(found.map(|off| (Tid::new(tid.block, off), info)))
}

/// Looks at all entries equal to `key` from `leaf` on. `own` is the entry being inserted or re-checked.
pub(crate) fn check(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    leaf: &PageMut,
    key: &SearchKey<'_>,
    own: Tid,
    mode: UniqueCheck,
) -> Result<Verdict> {
    walk(eng, ix, heap, At::Leaf(leaf), key, Some(own), mode == UniqueCheck::Partial)
}

fn walk(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    mut page: At<'_>,
    key: &SearchKey<'_>,
    own: Option<Tid>,
    partial: bool,
) -> Result<Verdict> {
    let mut o = Opaque::read(&page)?;
    let mut off = ix.bin_search(&page, &o, key)?;
    let mut tids = Vec::new();
    loop {
        if off > page.max_offset() {
            // Equal keys go on to the right only if the high key is not greater than them.
            if o.is_rightmost() || ix.compare(key, ix.tup(&page, 1)?)?.is_lt() {
                return Ok(Verdict::Unique);
            }
            page = At::Right(next_page(eng, ix, o.next)?);
            o = Opaque::read(&page)?;
            off = o.first_data();
            continue;
        }
        if !page.item_id(off).is_dead() {
            let t = ix.tup(&page, off)?;
            if !ix.compare(key, t)?.is_eq() {
                return Ok(Verdict::Unique);
            }
            tids.clear();
            t.each_tid(|t| tids.push(t));
            for &tid in &tids {
                if own == Some(tid) {
                    continue;
                }
                let Some((at, info)) = probe(eng, heap, tid)? else { continue };
                if own == Some(at) {
                    continue;
                }
                if partial {
                    return Ok(Verdict::MaybeDuplicate);
                }
                let xid = if info.xmin.get().is_valid() { info.xmin.get() } else { info.xmax.get() };
                if xid.is_valid() {
                    let token = if info.xmin.get().is_valid() { info.speculative_token.get() } else { 0 };
                    return Ok(Verdict::Wait { xid, token });
                }
                return Ok(Verdict::Duplicate(at));
            }
        }
        off += 1;
    }
}

fn next_page(eng: &Engine, ix: &IndexRel, mut block: BlockNumber) -> Result<PageRef> {
    loop {
        let p = search::pin(eng, ix, block)?.share();
        let o = Opaque::read(&p)?;
        if !o.is_ignorable() || o.is_rightmost() {
            return Ok(p);
        }
        block = o.next;
    }
}

/// Waits for whoever decides about a duplicate.
pub(crate) fn wait(eng: &Engine, ix: &IndexRel, heap: &Rel, xid: Xid, token: u32, tid: Tid) -> Result<()> {
    if token != 0 {
        return eng.speculative_wait(xid, token);
    }
    let _ = ix;
    eng.wait_for_xid(xid, &|| {
        Some(format!(
            "while inserting index tuple ({},{}) in relation \"{}\"",
            tid.block, tid.offset, heap.name
        ))
    })
}

/// Is there another row with this key that is live or may become so? Waits for nobody.
pub fn may_conflict(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    values: &[DatumRef<'_>],
    own: Tid,
) -> Result<bool> {
    let keys = &values[..ix.nkeys()];
    if keys.iter().any(|v| v.is_null()) {
        return Ok(false);
    }
    let key = SearchKey::first(keys);
    let Some(leaf) = search::find_leaf(eng, ix, &key)? else { return Ok(false) };
    Ok(!matches!(walk(eng, ix, heap, At::Right(leaf), &key, Some(own), true)?, Verdict::Unique))
}

/// ON CONFLICT: is there a live row with this key? Waits for running transactions that decide it. `own` is ignored.
pub fn check_conflict(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    values: &[DatumRef<'_>],
    own: Option<Tid>,
) -> Result<Conflict> {
    let keys = &values[..ix.nkeys()];
    if !ix.nulls_not_distinct && keys.iter().any(|v| v.is_null()) {
        return Ok(Conflict::None);
    }
    let key = SearchKey::first(keys);
    loop {
        let Some(leaf) = search::find_leaf(eng, ix, &key)? else { return Ok(Conflict::None) };
        match walk(eng, ix, heap, At::Right(leaf), &key, own, false)? {
            Verdict::Unique | Verdict::MaybeDuplicate => return Ok(Conflict::None),
            Verdict::Duplicate(tid) => return Ok(Conflict::Row(tid)),
            Verdict::Wait { xid, token } => wait(eng, ix, heap, xid, token, own.unwrap_or_default())?,
        }
    }
}
