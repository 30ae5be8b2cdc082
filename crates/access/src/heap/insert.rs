//! Inserting rows one at a time, and finding pages with room.

use super::form;
use super::header::{self, Bases, Header, maxalign};
use super::multi::BulkInsert;
use super::page::{self, bases};
use super::wal::{self, Writer};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{BlockNumber, CommandId, Error, MultiXactId, Result, Tid, Xid};
use storage::{Fork, Page, PageMut, ReadMode, RegFlags, RmgrId, Strategy, fsm};
use transam::ssi::Place;
use types::DatumRef;

/// How to insert.
#[derive(Clone, Copy, Debug, Default)]
pub struct InsertOptions {
    /// Token of a speculative insertion (`Engine::speculative_begin`).
    pub speculative_token: Option<u32>,
    /// COPY FREEZE and the like: the row is visible to everyone at once.
    pub frozen: bool,
    /// Do not look for room on existing pages (bulk loads into new tables).
    pub skip_fsm: bool,
}

/// Most blocks added in one go.
const EXTEND_MAX: u32 = 16;

fn has_room(p: &Page, need: usize) -> bool {
    if p.is_new() {
        return true;
    }
    p.heap_free_space() >= need
}

/// An exclusively locked page with `len` free bytes beyond the fill factor. A page that is still all zero is to be
/// initialised by the caller.
pub(crate) fn page_with_room(
    eng: &Engine,
    rel: &Rel,
    len: usize,
    opts: &InsertOptions,
    bulk: Option<&mut BulkInsert>,
) -> Result<PageMut> {
    let block = candidate(eng, rel, len, opts)?;
    let need = room_needed(rel, len);
    let st = txn::store(eng);
    let strategy = bulk.as_ref().and_then(|b| b.strategy.as_ref());
    let mut next = block;
    let mut tries = 0;
    while let Some(b) = next {
        let pin = match st.read(rel.locator, Fork::Main, b, ReadMode::Normal, strategy) {
            // The remembered block was cut off by a vacuum meanwhile.
            Err(_) if b.0 == rel.target_block.get() && b >= st.nblocks(rel.locator, Fork::Main)? => {
                rel.target_block.set(u32::MAX);
                next = candidate(eng, rel, len, opts)?;
                continue;
            }
            r => r?,
        };
        let g = pin.exclusive();
        // A page that holds nothing takes anything, whatever the fill factor says.
        if has_room(&g, need) || (g.max_offset() == 0 && has_room(&g, maxalign(len))) {
            rel.target_block.set(b.0);
            return Ok(g);
        }
        let free = g.heap_free_space();
        drop(g);
        tries += 1;
        next = if opts.skip_fsm || tries > 20 {
            None
        } else {
            fsm::record_and_search(st, rel.locator, b, free, need)?
        };
        eng.check_interrupts()?;
    }
    let g = extend(eng, rel, bulk)?;
    rel.target_block.set(g.pin().block().0);
    Ok(g)
}

fn room_needed(rel: &Rel, len: usize) -> usize {
    (maxalign(len) + rel.target_free_space()).min(page::MAX_TUPLE_SIZE)
}

/// Where to look first: where the last row went, what the map knows, or the last block.
fn candidate(eng: &Engine, rel: &Rel, len: usize, opts: &InsertOptions) -> Result<Option<BlockNumber>> {
    let st = txn::store(eng);
    // Not checked against the file's length, which would cost a system call for each row.
    let cached = rel.target_block.get();
    if cached != u32::MAX {
        return Ok(Some(BlockNumber(cached)));
    }
    let nblocks = st.nblocks(rel.locator, Fork::Main)?;
    if !opts.skip_fsm
        && let Some(b) = fsm::search(st, rel.locator, room_needed(rel, len))?
        && b.0 < nblocks.0
    {
        return Ok(Some(b));
    }
    Ok((nblocks.0 > 0 && !opts.skip_fsm).then(|| BlockNumber(nblocks.0 - 1)))
}

fn extend(eng: &Engine, rel: &Rel, bulk: Option<&mut BulkInsert>) -> Result<PageMut> {
    let st = txn::store(eng);
    let Some(bulk) = bulk else { return st.extend_exclusive(rel.locator, Fork::Main, None) };
    if bulk.strategy.is_none() {
        bulk.strategy = Some(Strategy::bulk_write(st));
    }
    loop {
        // Another process may have found and filled a spare block at the end of the file.
        while let Some(p) = bulk.spare.pop() {
            let g = p.into_exclusive();
            if g.is_new() {
                return Ok(g);
            }
        }
        // The more was loaded, the more blocks are added at a time; what stays empty makes every scan dearer.
        let n = (bulk.added / 32).clamp(1, EXTEND_MAX);
        st.extend_by(rel.locator, Fork::Main, n, bulk.strategy.as_ref(), &mut bulk.spare)?;
        bulk.added += n;
        bulk.spare.reverse();
    }
}

/// Bases for a page that a transaction is about to write to.
pub(crate) fn fresh_bases(eng: &Engine, xid: Xid) -> Bases {
    page::bases_for(xid, eng.next_multixact())
}

/// Puts the inserting transaction's fields into formed tuple bytes.
pub(crate) fn stamp(t: &mut [u8], b: Bases, xid: Xid, cid: CommandId, frozen: bool, ctid: Tid) {
    let mut h = Header::read(t, Bases::default());
    h.xmin = xid;
    h.xmax = Xid::INVALID;
    h.cid = cid.0;
    h.ctid = ctid;
    if frozen {
        h.infomask |= header::XMIN_FROZEN;
    }
    h.write(t, b);
}

/// Inserts one row (values in attribute order, dropped columns NULL) and returns where.
pub fn insert(
    eng: &Engine,
    rel: &Rel,
    values: &[DatumRef<'_>],
    cid: CommandId,
    opts: &InsertOptions,
) -> Result<Tid> {
    eng.not_in_worker("insert tuples")?;
    txn::note_write(eng, rel, Place::Whole)?;
    let t = form::form_tuple(eng, rel, values, cid)?;
    insert_formed(eng, rel, t, cid, opts)
}

/// Inserts tuple bytes made by [`form`].
pub(crate) fn insert_formed(
    eng: &Engine,
    rel: &Rel,
    mut t: Vec<u8>,
    cid: CommandId,
    opts: &InsertOptions,
) -> Result<Tid> {
    let xid = eng.current_xid()?;
    let mut g = page_with_room(eng, rel, t.len(), opts, None)?;
    let block = g.pin().block();
    let is_new = g.is_new();
    if !is_new {
        wal::ensure_fits(eng, rel, &mut g, xid, MultiXactId(0))?;
    }
    let fresh = fresh_bases(eng, xid);
    let vm = wal::vm_pin_if_visible(eng, rel, &g)?;

    let cr = txn::store(eng).begin_critical();
    let p = cr.page(&mut g);
    if is_new {
        page::init(p, fresh);
    }
    let b = bases(p);
    let init = p.max_offset() == 0;
    stamp(&mut t, b, xid, cid, opts.frozen, Tid::default());
    let off = p.add_heap_item(&t).ok_or_else(|| Error::internal("heap page has no room after all"))?;
    let tid = Tid::new(block, off);
    let ctid = match opts.speculative_token {
        Some(token) => Tid::new(BlockNumber(token), header::SPEC_OFFSET),
        None => tid,
    };
    header::set_ctid(p.item_mut(off)?, ctid);
    let cleared = wal::clear_visible(eng, p, &vm, block)?;
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        let flags = if cleared { wal::F_VM_CLEARED } else { 0 }
            | if init { wal::F_INIT } else { 0 }
            | if opts.speculative_token.is_some() { wal::F_SPECULATIVE } else { 0 };
        w.u16(off).u8(flags);
        if init {
            w.u64(b.xid).u64(b.multi);
        }
        if let Some(token) = opts.speculative_token {
            w.u32(token);
        }
        let mut r = cr.record(RmgrId::HEAP, wal::INSERT, xid);
        r.data(w.bytes());
        r.block(0, &g, if init { RegFlags::WILL_INIT } else { RegFlags::STANDARD });
        r.block_data(0, &t[wal::SKIPPED..]);
        r
    });
    eng.count_insert(rel.stat_key(), 1);
    Ok(tid)
}
