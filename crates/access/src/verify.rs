//! Consistency checks in the manner of amcheck, for crash tests and for SQL. They take shared locks page by page, so
//! they may run beside other sessions; findings are texts, none means sound.

use crate::btree::key::SearchKey;
use crate::btree::page::{NONE, Opaque};
use crate::btree::search;
use crate::btree::tuple::ITup;
use crate::heap::header::{self, Header};
use crate::heap::page::{self, bases};
use crate::heap::visibility::{self, Hints, VacuumState};
use crate::rel::{IndexRel, Rel};
use crate::txn::{self, Engine};
use common::{BlockNumber, Result, Tid};
use hashbrown::HashSet;
use storage::{Fork, Page, PageRef, vm};

/// Checks a table's pages, headers, update chains and visibility map. Returns the findings; empty = sound.
pub fn check_heap(eng: &Engine, rel: &Rel) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let st = txn::store(eng);
    let horizon = txn::oldest_xmin(eng, rel);
    let mut map = None;
    for b in 0..st.nblocks(rel.locator, Fork::Main)?.0 {
        eng.check_interrupts()?;
        let block = BlockNumber(b);
        let p = st.read_main(rel.locator, block)?.share();
        if p.is_new() {
            continue;
        }
        if p.special().len() != page::SPECIAL_SIZE {
            found.push(format!("block {b}: special space of {} bytes", p.special().len()));
            continue;
        }
        let visible = vm::status(st, rel.locator, block, &mut map)? & vm::ALL_VISIBLE != 0;
        if visible && !p.is_all_visible() {
            found.push(format!("block {b}: all-visible in the map but not on the page"));
        }
        for off in 1..=p.max_offset() {
            check_item(eng, rel, &p, off, visible, horizon, &mut found)
                .unwrap_or_else(|e| found.push(format!("({b},{off}): {}", e.report().message)));
        }
    }
    Ok(found)
}

fn check_item(
    eng: &Engine,
    rel: &Rel,
    p: &PageRef,
    off: u16,
    visible: bool,
    horizon: common::Xid,
    found: &mut Vec<String>,
) -> Result<()> {
    let block = p.pin().block();
    let mut say = |s: &str| found.push(format!("({block},{off}): {s}"));
    let id = p.item_id(off);
    if id.is_redirect() {
        match page::read_header(p, id.offset())? {
            Some(h) if h.is_heap_only() => {}
            _ => say("redirect does not lead to a heap-only tuple"),
        }
        return Ok(());
    }
    if visible && id.is_dead() {
        say("dead line pointer on an all-visible page");
    }
    let Some(t) = page::tuple(p, off)? else { return Ok(()) };
    let h = Header::read(t, bases(p));
    if header::natts(t) > rel.desc.len() {
        say("more attributes than the table has");
    }
    if (h.hoff as usize) < header::HEADER_SIZE || !(h.hoff as usize).is_multiple_of(8) {
        say("bad data offset");
    }
    let mut raws = Vec::new();
    rel.deformer.deform(page::tuple_bytes(t), &mut raws)?;
    if h.xmin.is_normal() && h.xmin >= eng.next_xid() {
        say("xmin is in the future");
    }
    if !h.is_multi() && h.xmax.is_normal() && h.xmax >= eng.next_xid() {
        say("xmax is in the future");
    }
    let mut hints = Hints::new(p.lsn());
    let state = visibility::satisfies_vacuum(eng, &h, horizon, &mut hints)?;
    if visible && state != VacuumState::Live {
        say("tuple that is not visible to all on an all-visible page");
    }
    if h.is_hot_updated()
        && let Some(updater) = visibility::update_xid(eng, &h)?
        && (txn::did_commit(eng, updater)? || txn::in_progress(eng, updater))
    {
        if h.ctid.block != block {
            say("HOT update leads to another block");
        } else {
            match page::read_header(p, h.ctid.offset)? {
                Some(n) if n.is_heap_only() && n.xmin == updater => {}
                // The successor may be gone when a later update of the chain was pruned away.
                _ if state == VacuumState::Dead => {}
                _ => say("HOT update does not lead to its successor"),
            }
        }
    }
    Ok(())
}

/// Checks an index's order, links and high keys, that its entries lead to line pointers of the heap, and (when
/// `complete`, that is, the index is not partial) that each row visible to everyone has its entry.
pub fn check_btree(eng: &Engine, ix: &IndexRel, heap: &Rel, complete: bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut tids: HashSet<Tid> = HashSet::new();
    let meta = search::read_meta(eng, ix)?;
    let mut leftmost = meta.root;
    let mut level = meta.level;
    while leftmost != NONE {
        let below = check_level(eng, ix, leftmost, level, &mut tids, &mut found)?;
        if level == 0 {
            break;
        }
        level -= 1;
        leftmost = below;
    }
    check_against_heap(eng, ix, heap, complete, &tids, &mut found)?;
    Ok(found)
}

/// Walks a level from its leftmost page; returns the leftmost page of the level below.
fn check_level(
    eng: &Engine,
    ix: &IndexRel,
    first: BlockNumber,
    level: u32,
    tids: &mut HashSet<Tid>,
    found: &mut Vec<String>,
) -> Result<BlockNumber> {
    let mut below = NONE;
    let mut at = first;
    let mut prev = NONE;
    let mut last_high: Option<Vec<u8>> = None;
    while at != NONE {
        eng.check_interrupts()?;
        let p = search::pin(eng, ix, at)?.share();
        let o = Opaque::read(&p)?;
        let mut say = |s: String| found.push(format!("block {at} (level {level}): {s}"));
        if o.is_deleted() {
            say("deleted page is linked".into());
        }
        if o.level != level {
            say(format!("level is {}", o.level));
        }
        if o.prev != prev {
            say(format!("left link is {}, should be {prev}", o.prev));
        }
        if below == NONE && level > 0 && p.max_offset() >= o.first_data() {
            below = ix.tup(&p, o.first_data())?.downlink();
        }
        if !o.is_half_dead() {
            check_order(ix, &p, &o, &last_high, &mut say)?;
        }
        if level == 0 {
            for off in o.first_data()..=p.max_offset() {
                ix.tup(&p, off)?.each_tid(|t| {
                    if !tids.insert(t) {
                        say(format!("row ({},{}) has two entries", t.block, t.offset));
                    }
                });
            }
        } else {
            check_children(eng, ix, &p, &o, &mut say)?;
        }
        last_high = if o.is_rightmost() { None } else { Some(p.item(1)?.to_vec()) };
        prev = at;
        at = o.next;
    }
    Ok(below)
}

fn greater(ix: &IndexRel, a: ITup<'_>, b: ITup<'_>) -> Result<bool> {
    let values = ix.key_values(a)?;
    let refs: Vec<_> = values.iter().map(types::Datum::as_ref).collect();
    // A truncated pivot is less than everything that shares its columns.
    if a.is_pivot() && a.heap_tid().is_none() {
        let key = SearchKey { values: &refs, tid: None, next_key: false, forward: false };
        return Ok(ix.compare(&key, b)?.is_gt());
    }
    let tid = if a.is_pivot() { a.heap_tid() } else { a.max_heap_tid() };
    let key = SearchKey { values: &refs, tid, next_key: false, forward: false };
    Ok(ix.compare(&key, b)?.is_gt())
}

fn check_order(
    ix: &IndexRel,
    p: &Page,
    o: &Opaque,
    low: &Option<Vec<u8>>,
    say: &mut dyn FnMut(String),
) -> Result<()> {
    let first = o.first_data();
    // The first item of an internal page is minus infinity.
    let from = if o.is_leaf() { first } else { first + 1 };
    for off in from..=p.max_offset() {
        let t = ix.tup(p, off)?;
        if off > from && !greater(ix, t, ix.tup(p, off - 1)?)? {
            say(format!("items {} and {off} are out of order", off - 1));
        }
        if !o.is_rightmost() {
            let high = ix.tup(p, 1)?;
            if greater(ix, t, high)? {
                say(format!("item {off} is beyond the high key"));
            }
        }
        if let Some(l) = low
            && o.is_leaf()
            && off == from
            && !greater(ix, t, ITup::new(l)?)?
            && !covers(ix, ITup::new(l)?, t)?
        {
            say(format!("item {off} is not beyond the left sibling's high key"));
        }
    }
    Ok(())
}

/// Do the columns of a truncated pivot equal the tuple's? (Then the pivot is less.)
fn covers(ix: &IndexRel, pivot: ITup<'_>, t: ITup<'_>) -> Result<bool> {
    if pivot.heap_tid().is_some() {
        return Ok(false);
    }
    let values = ix.key_values(pivot)?;
    let refs: Vec<_> = values.iter().map(types::Datum::as_ref).collect();
    let key = SearchKey { values: &refs, tid: None, next_key: false, forward: false };
    Ok(ix.compare(&key, t)?.is_eq())
}

fn check_children(
    eng: &Engine,
    ix: &IndexRel,
    p: &Page,
    o: &Opaque,
    say: &mut dyn FnMut(String),
) -> Result<()> {
    for off in o.first_data()..=p.max_offset() {
        let child = ix.tup(p, off)?.downlink();
        let c = search::pin(eng, ix, child)?.share();
        let co = Opaque::read(&c)?;
        if co.level + 1 != o.level {
            say(format!("child {child} is of level {}", co.level));
        }
        if co.is_ignorable() {
            say(format!("downlink to the deleted page {child}"));
        }
        if off == o.first_data() || !co.is_leaf() {
            continue;
        }
        let pivot = ix.tup(p, off)?;
        if c.max_offset() >= co.first_data() {
            let t = ix.tup(&c, co.first_data())?;
            if !greater(ix, t, pivot)? && !covers(ix, pivot, t)? {
                say(format!("first item of child {child} is below its downlink's key"));
            }
        }
    }
    Ok(())
}

fn check_against_heap(
    eng: &Engine,
    ix: &IndexRel,
    heap: &Rel,
    complete: bool,
    tids: &HashSet<Tid>,
    found: &mut Vec<String>,
) -> Result<()> {
    let st = txn::store(eng);
    let horizon = txn::oldest_xmin(eng, heap);
    let n = st.nblocks(heap.locator, Fork::Main)?;
    for t in tids {
        if t.block >= n {
            found.push(format!("entry for ({},{}) beyond the table's end", t.block, t.offset));
        }
    }
    for b in 0..n.0 {
        eng.check_interrupts()?;
        let block = BlockNumber(b);
        let p = st.read_main(heap.locator, block)?.share();
        for off in 1..=p.max_offset() {
            let id = p.item_id(off);
            let tid = Tid::new(block, off);
            if id.is_unused() {
                if tids.contains(&tid) {
                    found.push(format!(
                        "entry for the unused line pointer ({b},{off}) in \"{}\"",
                        ix.rel.name
                    ));
                }
                continue;
            }
            let at = if id.is_redirect() { id.offset() } else { off };
            let Some(h) = page::read_header(&p, at)? else { continue };
            if h.is_heap_only() && !id.is_redirect() {
                if tids.contains(&tid) {
                    found.push(format!("entry for the heap-only tuple ({b},{off}) in \"{}\"", ix.rel.name));
                }
                continue;
            }
            let mut hints = Hints::new(p.lsn());
            let live = visibility::satisfies_vacuum(eng, &h, horizon, &mut hints)? == VacuumState::Live
                && (h.xmin_frozen() || h.xmin < horizon);
            if complete && live && !tids.contains(&tid) {
                found.push(format!("row ({b},{off}) has no entry in \"{}\"", ix.rel.name));
            }
        }
    }
    Ok(())
}
