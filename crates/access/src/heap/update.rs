//! Updating rows: the new version goes to the same page where possible, and needs no index entries when it does and
//! no indexed column changed (HOT).
//!
//! Lock order: of the old and the new page, the lower block is locked first; both locks are taken without holding
//! another page, and everything is judged again after each acquisition.

use super::delete::{delete_cid, set_prunable};
use super::form::{self, Value};
use super::header::{self, Bases, Header, maxalign};
use super::insert::{self, InsertOptions, stamp};
use super::lock::{self, Obstacle, TupleLock};
use super::page::{self, bases};
use super::toast;
use super::visibility::UpdateCheck;
use super::wal::{self, Writer, Xmax};
use super::{LockWait, RowLock, TmResult};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{BlockNumber, CommandId, Error, Result, Tid, Xid};
use storage::page::PD_PAGE_FULL;
use storage::{PageMut, RegFlags, RmgrId};
use transam::ssi::Place;
use types::DatumRef;
use types::tuple::{FormAttr, RawAttr};

/// What an update needs to know besides the values.
#[derive(Clone, Copy, Debug)]
pub struct UpdateOptions<'a> {
    pub cid: CommandId,
    pub wait: LockWait,
    /// Attributes (from 1, ascending) in any index, expressions and predicates included: HOT needs them unchanged.
    pub indexed_attrs: &'a [u16],
    /// Attributes of unique indexes that foreign keys may refer to: unchanged ones need the weaker row lock only.
    pub key_attrs: &'a [u16],
    /// Attributes (ascending) that the statement may have changed; `None` = any. The others keep their stored form.
    pub changed: Option<&'a [u16]>,
}

/// Outcome of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateResult {
    pub result: TmResult,
    /// The new version (when `result` is `Ok`).
    pub tid: Tid,
    /// The new version needs index entries (it is not heap-only).
    pub needs_index: bool,
    /// Strength of the lock taken on the old version.
    pub lock: RowLock,
}

/// The new version before it has a place.
struct Planned {
    bytes: Vec<u8>,
    /// No indexed column changed.
    hot_ok: bool,
    mode: RowLock,
    /// Out-of-line values of the old version that the new one does not use.
    orphans: Vec<types::tuple::ToastPointer>,
}

/// Replaces the version at `tid` by one with these values (attribute order).
pub fn update(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    values: &[DatumRef<'_>],
    opts: &UpdateOptions<'_>,
) -> Result<UpdateResult> {
    eng.not_in_parallel_mode("update tuples")?;
    let me = eng.current_xid()?;
    let mut planned = plan(eng, rel, tid, values, opts)?;
    let mode = planned.mode;
    let fail = |result| UpdateResult { result, tid, needs_index: false, lock: mode };
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let mut line = TupleLock::new(eng, rel, tid, mode);
    let need = maxalign(planned.bytes.len());
    let mut other: Option<BlockNumber> = None;
    let (mut old, mut new, h) = loop {
        let (old, new) = lock_pages(eng, rel, &pin, other)?;
        let (h, check) = lock::judge(eng, rel, &old, tid, opts.cid)?;
        match check {
            UpdateCheck::Free => {}
            UpdateCheck::Invisible => {
                return Err(Error::new(
                    common::SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "attempted to update invisible tuple",
                ));
            }
            UpdateCheck::SelfModified => {
                return Ok(fail(TmResult::SelfModified { cmax: txn::cmax(eng, &h) }));
            }
            UpdateCheck::Updated | UpdateCheck::Deleted => return Ok(fail(lock::gone(eng, &h, check)?)),
            UpdateCheck::BeingModified => {
                let what = lock::obstacle(eng, &h, mode)?;
                if what != Obstacle::None {
                    drop((old, new));
                    if !lock::wait_for(eng, rel, &mut line, what, opts.wait, "updating")? {
                        return Ok(fail(TmResult::WouldBlock));
                    }
                    continue;
                }
            }
        }
        if old.heap_free_space() >= need {
            break (old, None, h);
        }
        if let Some(n) = new
            && (n.is_new() || n.heap_free_space() >= need)
        {
            break (old, Some(n), h);
        }
        drop(old);
        other = Some(find_page(eng, rel, planned.bytes.len(), tid.block)?);
    };
    txn::note_write(eng, rel, Place::Row(tid))?;
    let hot = planned.hot_ok && new.is_none();
    let result = place(eng, rel, me, tid, &mut planned, opts.cid, &h, &mut old, new.as_mut(), hot)?;
    drop((old, new));
    eng.count_update(rel.stat_key(), hot);
    for p in &planned.orphans {
        toast::delete_value(eng, rel, p, opts.cid)?;
    }
    Ok(UpdateResult { result: TmResult::Ok, tid: result, needs_index: !hot, lock: mode })
}

/// Exclusive locks on the old page and, if given, on another one, lower block first.
fn lock_pages(
    eng: &Engine,
    rel: &Rel,
    old: &storage::Pinned,
    other: Option<BlockNumber>,
) -> Result<(PageMut, Option<PageMut>)> {
    match other {
        Some(b) if b != old.block() => {
            let pin = txn::store(eng).read_main(rel.locator, b)?;
            if b < old.block() {
                let n = pin.exclusive();
                Ok((old.exclusive(), Some(n)))
            } else {
                let o = old.exclusive();
                let n = pin.exclusive();
                Ok((o, Some(n)))
            }
        }
        _ => Ok((old.exclusive(), None)),
    }
}

/// Another block with room; its lock is given up again.
fn find_page(eng: &Engine, rel: &Rel, len: usize, not: BlockNumber) -> Result<BlockNumber> {
    if rel.target_block.get() == not.0 {
        rel.target_block.set(u32::MAX);
    }
    let mut opts = InsertOptions::default();
    for _ in 0..3 {
        let g = insert::page_with_room(eng, rel, len, &opts, None)?;
        let b = g.pin().block();
        if b != not {
            return Ok(b);
        }
        // The old page itself: room for the fill factor's idea of the tuple, but not for us. Extend.
        rel.target_block.set(u32::MAX);
        opts.skip_fsm = true;
    }
    Err(Error::internal("no page found for an updated tuple"))
}

/// Forms the new version and compares it with the old one.
fn plan(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    values: &[DatumRef<'_>],
    opts: &UpdateOptions<'_>,
) -> Result<Planned> {
    let old = {
        let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
        let p = pin.share();
        match page::tuple(&p, tid.offset)? {
            Some(t) => t.to_vec(),
            None => return Err(Error::internal("attempted to update a missing tuple")),
        }
    };
    let mut raws = Vec::with_capacity(rel.desc.len());
    rel.deformer.deform(page::tuple_bytes(&old), &mut raws)?;
    let touched = |att: usize| opts.changed.is_none_or(|c| c.binary_search(&(att as u16 + 1)).is_ok());
    let mut kept = Vec::new();
    let mut new_values: Vec<Value<'_>> = Vec::with_capacity(values.len());
    let mut orphans = Vec::new();
    for (i, v) in values.iter().enumerate() {
        match raws.get(i) {
            Some(RawAttr::External(p)) if !touched(i) => {
                kept.push(p.value_id);
                new_values.push(Value::Stored(p.to_bytes().to_vec()));
            }
            Some(RawAttr::Compressed { raw }) if !touched(i) => {
                new_values.push(Value::Ref(FormAttr::Raw(raw)));
            }
            Some(RawAttr::External(p)) => {
                orphans.push(*p);
                new_values.push(Value::Ref(FormAttr::Datum(*v)));
            }
            _ => new_values.push(Value::Ref(FormAttr::Datum(*v))),
        }
    }
    let same = |attrs: &[u16]| -> Result<bool> {
        for a in attrs {
            let i = *a as usize - 1;
            if touched(i) && !unchanged(eng, rel, raws.get(i), values.get(i))? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let mode = if same(opts.key_attrs)? { RowLock::NoKeyUpdate } else { RowLock::Exclusive };
    let hot_ok = same(opts.indexed_attrs)?;
    let bytes = form::form_values(eng, rel, new_values, opts.cid)?;
    Ok(Planned { bytes, hot_ok, mode, orphans })
}

/// Is the stored attribute the same value as the new one, byte for byte?
fn unchanged(eng: &Engine, rel: &Rel, old: Option<&RawAttr<'_>>, new: Option<&DatumRef<'_>>) -> Result<bool> {
    let (Some(old), Some(new)) = (old, new) else { return Ok(false) };
    match old {
        RawAttr::Null => Ok(new.is_null()),
        RawAttr::Plain(d) => Ok(same_datum(*d, *new)),
        stored => {
            if new.is_null() {
                return Ok(false);
            }
            let mut buf = Vec::new();
            toast::detoast(eng, rel, *stored, &mut buf)?;
            Ok(buf == new.bytes())
        }
    }
}

/// Equality of bits: -0 and 0, and different NaNs, are different values to an index's point of view.
fn same_datum(a: DatumRef<'_>, b: DatumRef<'_>) -> bool {
    match (a, b) {
        (DatumRef::F64(x), DatumRef::F64(y)) => x.to_bits() == y.to_bits(),
        (DatumRef::F32(x), DatumRef::F32(y)) => x.to_bits() == y.to_bits(),
        _ => a == b,
    }
}

/// xmax for the new version: the key-share lockers of the old one that are still at work, or this transaction's own lock.
fn carried_xmax(eng: &Engine, h: &Header) -> Result<Xmax> {
    if h.infomask & header::XMAX_INVALID != 0 {
        return Ok(Xmax::none());
    }
    if h.is_multi() {
        let live: Vec<_> = eng
            .multixact_members(h.multi)?
            .iter()
            .filter(|m| !m.status.is_update() && !txn::is_current(eng, m.xid) && txn::in_progress(eng, m.xid))
            .copied()
            .collect();
        return Ok(match live.as_slice() {
            [] => Xmax::none(),
            [m] => key_share(m.xid),
            many => Xmax {
                xid: Xid::INVALID,
                multi: eng.multixact_create_from(many)?,
                infomask: header::XMAX_IS_MULTI | header::XMAX_KEYSHR_LOCK | header::XMAX_LOCK_ONLY,
                infomask2: 0,
            },
        });
    }
    if h.is_locked_only() && (txn::is_current(eng, h.xmax) || txn::in_progress(eng, h.xmax)) {
        return Ok(key_share(h.xmax));
    }
    Ok(Xmax::none())
}

fn key_share(xid: Xid) -> Xmax {
    Xmax { xid, infomask: header::XMAX_KEYSHR_LOCK | header::XMAX_LOCK_ONLY, ..Default::default() }
}

/// Writes both versions and the record.
fn place(
    eng: &Engine,
    rel: &Rel,
    me: Xid,
    tid: Tid,
    planned: &mut Planned,
    cid: CommandId,
    h: &Header,
    old: &mut PageMut,
    new: Option<&mut PageMut>,
    hot: bool,
) -> Result<Tid> {
    eng.multixact_set_oldest_member();
    let x = lock::join_xmax(eng, h, me, planned.mode, true)?;
    let carried = carried_xmax(eng, h)?;
    let cid_word = delete_cid(eng, h, cid);
    wal::ensure_fits(eng, rel, old, me, x.multi)?;
    wal::ensure_fits(eng, rel, old, carried.xid, carried.multi)?;
    let old_map = wal::vm_pin_if_visible(eng, rel, old)?;
    let fresh = insert::fresh_bases(eng, me);
    let t = &mut planned.bytes;
    let mut head = Header::read(t, Bases::default());
    head.infomask = (head.infomask & !header::XMAX_BITS) | header::UPDATED | carried.infomask;
    head.infomask2 |= if hot { header::HEAP_ONLY } else { 0 };
    head.multi = common::MultiXactId(0);
    head.write(t, Bases::default());
    let Some(new) = new else {
        // One page.
        let block = tid.block;
        let (prefix, suffix) = shared(page::tuple(old, tid.offset)?.unwrap_or(&[]), t);
        let cr = txn::store(eng).begin_critical();
        let p = cr.page(old);
        let new_tid = put_new(p, t, me, cid, &carried, block)?;
        wal::apply_xmax(p, tid.offset, &x, Some(cid_word), Some(new_tid), hot)?;
        set_prunable(p, me);
        let cleared = wal::clear_visible(eng, p, &old_map, block)?;
        let flags = if cleared { wal::F_VM_CLEARED } else { 0 };
        wal::finish(rel, &cr, || {
            let w = record(flags, tid.offset, new_tid.offset, &x, &carried, prefix, suffix, hot, None);
            let mut r = cr.record(RmgrId::HEAP, wal::UPDATE, me);
            r.data(w.bytes());
            r.block(0, old, RegFlags::STANDARD);
            let hoff = header::hoff(t);
            r.block_data(0, &t[wal::SKIPPED..hoff]);
            r.block_data(0, &t[hoff + prefix..t.len() - suffix]);
            r
        });
        return Ok(new_tid);
    };
    let block = new.pin().block();
    let is_new = new.is_new();
    if !is_new {
        wal::ensure_fits(eng, rel, new, me, carried.multi)?;
        wal::ensure_fits(eng, rel, new, carried.xid, carried.multi)?;
    }
    let new_map = wal::vm_pin_if_visible(eng, rel, new)?;
    let cr = txn::store(eng).begin_critical();
    let np = cr.page(new);
    if is_new {
        page::init(np, fresh);
    }
    let init = (np.max_offset() == 0).then(|| bases(np));
    let new_tid = put_new(np, t, me, cid, &carried, block)?;
    let new_cleared = wal::clear_visible(eng, np, &new_map, block)?;
    let op = cr.page(old);
    wal::apply_xmax(op, tid.offset, &x, Some(cid_word), Some(new_tid), false)?;
    set_prunable(op, me);
    op.set_flag(PD_PAGE_FULL, true);
    let cleared = wal::clear_visible(eng, op, &old_map, tid.block)?;
    let flags = if cleared { wal::F_VM_CLEARED } else { 0 }
        | if new_cleared { wal::F_NEW_VM_CLEARED } else { 0 }
        | if init.is_some() { wal::F_INIT } else { 0 };
    wal::finish(rel, &cr, || {
        let w = record(flags, tid.offset, new_tid.offset, &x, &carried, 0, 0, false, init);
        let mut r = cr.record(RmgrId::HEAP, wal::UPDATE, me);
        r.data(w.bytes());
        r.block(0, new, if init.is_some() { RegFlags::WILL_INIT } else { RegFlags::STANDARD });
        r.block_data(0, &t[wal::SKIPPED..]);
        r.block(1, old, RegFlags::STANDARD);
        r
    });
    Ok(new_tid)
}

/// Adds the new version to its page.
fn put_new(
    p: &mut storage::Page,
    t: &mut [u8],
    me: Xid,
    cid: CommandId,
    carried: &Xmax,
    block: BlockNumber,
) -> Result<Tid> {
    let b = bases(p);
    let mask = header::infomask(t);
    // `stamp` writes a plain xmax; the carried lockers' word and bits follow.
    header::set_infomask(t, mask & !header::XMAX_IS_MULTI);
    stamp(t, b, me, cid, false, Tid::default());
    header::set_infomask(t, mask);
    let word =
        if mask & header::XMAX_IS_MULTI != 0 { b.multi_word(carried.multi) } else { b.xid_word(carried.xid) };
    header::set_xmax_word(t, word);
    let off = p
        .add_heap_item(t)
        .ok_or_else(|| Error::internal("heap page has no room for an updated tuple after all"))?;
    let tid = Tid::new(block, off);
    header::set_ctid(p.item_mut(off)?, tid);
    Ok(tid)
}

fn record(
    flags: u8,
    old_off: u16,
    new_off: u16,
    x: &Xmax,
    carried: &Xmax,
    prefix: usize,
    suffix: usize,
    hot: bool,
    init: Option<Bases>,
) -> Writer {
    let mut w = Writer::default();
    w.u8(flags).u16(old_off).u16(new_off);
    w.u64(x.raw()).u16(x.infomask).u16(x.infomask2);
    w.u64(carried.raw()).u16(prefix as u16).u16(suffix as u16).u8(u8::from(hot));
    if let Some(b) = init {
        w.u64(b.xid).u64(b.multi);
    }
    w
}

/// Bytes that the data parts of two versions have in common at the beginning and at the end.
fn shared(old: &[u8], new: &[u8]) -> (usize, usize) {
    if old.len() < header::HEADER_SIZE {
        return (0, 0);
    }
    let (a, b) = (&old[header::hoff(old)..], &new[header::hoff(new)..]);
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - prefix;
    let suffix = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
    (prefix, suffix)
}
