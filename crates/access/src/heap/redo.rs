//! Redo of the heap's log records. Each first asks the page's LSN whether it has the change already; visibility map
//! bits are cleared whether or not the heap page needed redo, since the map has no LSN of its own for that.

use super::header::{self, Bases, Header};
use super::page::{self, bases};
use super::prune;
use super::wal::{self, Reader, Xmax};
use common::{BlockNumber, Error, Result, Tid, Xid};
use storage::{Page, Record, RedoAction, RelFileLocator, Store, vm};

fn target(r: &Record, id: u8) -> Result<(RelFileLocator, BlockNumber)> {
    let b = r.block(id).ok_or_else(|| Error::corrupted("heap log record lacks its block"))?;
    Ok((b.rel, b.block))
}

/// Rebuilds tuple bytes from their logged form.
fn rebuild(logged: &[u8], b: Bases, xmin: Xid, ctid: Tid) -> Result<Vec<u8>> {
    let mut t = vec![0; wal::SKIPPED];
    t.extend_from_slice(logged);
    if t.len() < header::HEADER_SIZE {
        return Err(Error::corrupted("logged heap tuple is too short"));
    }
    let mut h = Header::read(&t, Bases::default());
    h.xmin = xmin;
    h.xmax = Xid::INVALID;
    h.multi = common::MultiXactId(0);
    h.ctid = ctid;
    let mask = h.infomask;
    h.infomask &= !header::XMAX_IS_MULTI;
    h.write(&mut t, b);
    header::set_infomask(&mut t, mask);
    Ok(t)
}

fn put(p: &mut Page, off: u16, t: &[u8]) -> Result<()> {
    if p.put_item(off, t) { Ok(()) } else { Err(Error::corrupted("heap redo: failed to add tuple")) }
}

/// The page a record with optional INIT is applied to.
fn page_for(
    store: &Store,
    r: &Record,
    id: u8,
    init: Option<Bases>,
    f: impl FnOnce(&mut Page) -> Result<()>,
) -> Result<()> {
    match init {
        Some(b) => {
            let mut rp = store.init_for_redo(r, id)?;
            let p = rp.page();
            page::init(p, b);
            f(p)
        }
        None => match store.read_for_redo(r, id)? {
            RedoAction::NeedsRedo(mut rp) => f(rp.page()),
            _ => Ok(()),
        },
    }
}

fn read_init(rd: &mut Reader<'_>, flags: u8) -> Result<Option<Bases>> {
    if flags & wal::F_INIT == 0 {
        return Ok(None);
    }
    Ok(Some(Bases { xid: rd.u64()?, multi: rd.u64()? }))
}

/// Redo of [`storage::RmgrId::HEAP`] records.
pub fn redo_heap(s: &Store, r: &Record) -> Result<()> {
    match r.info & 0xf0 {
        wal::INSERT => redo_insert(s, r),
        wal::DELETE => redo_xmax(s, r, true),
        wal::LOCK => redo_xmax(s, r, false),
        wal::UPDATE => redo_update(s, r),
        wal::INPLACE => {
            if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 0)? {
                let off = Reader(r.data()).u16()?;
                overwrite(rp.page(), off, r.block_data(0))?;
            }
            Ok(())
        }
        wal::CONFIRM | wal::SUPER_DELETE => {
            let (_, block) = target(r, 0)?;
            if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 0)? {
                let off = Reader(r.data()).u16()?;
                if r.info & 0xf0 == wal::CONFIRM {
                    header::set_ctid(rp.page().item_mut(off)?, Tid::new(block, off));
                } else {
                    super::speculative::kill(rp.page(), Tid::new(block, off))?;
                }
            }
            Ok(())
        }
        other => Err(Error::corrupted(format!("unknown heap log record {other:#x}"))),
    }
}

/// Redo of [`storage::RmgrId::HEAP2`] records.
pub fn redo_heap2(s: &Store, r: &Record) -> Result<()> {
    match r.info & 0xf0 {
        wal::PRUNE => {
            if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo_cleanup(r, 0)? {
                let plan = prune::Plan::decode(r.block_data(0))?;
                plan.apply(rp.page())?;
            }
            Ok(())
        }
        wal::VACUUM => {
            if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 0)? {
                let offs: Vec<u16> =
                    r.block_data(0).chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
                prune::apply_unused(rp.page(), &offs)?;
            }
            Ok(())
        }
        wal::VISIBLE => redo_visible(s, r),
        wal::MULTI_INSERT => redo_multi_insert(s, r),
        wal::CARRY => redo_carry(s, r),
        wal::REBASE => s.read_for_redo(r, 0).map(|_| ()),
        other => Err(Error::corrupted(format!("unknown heap2 log record {other:#x}"))),
    }
}

fn redo_carry(s: &Store, r: &Record) -> Result<()> {
    let mut rd = Reader(r.data());
    let (off, flags) = (rd.u16()?, rd.u8()?);
    let init = read_init(&mut rd, flags)?;
    page_for(s, r, 0, init, |p| put(p, off, r.block_data(0)))
}

fn redo_insert(s: &Store, r: &Record) -> Result<()> {
    let (rel, block) = target(r, 0)?;
    let mut rd = Reader(r.data());
    let (off, flags) = (rd.u16()?, rd.u8()?);
    let init = read_init(&mut rd, flags)?;
    let ctid = if flags & wal::F_SPECULATIVE != 0 {
        Tid::new(BlockNumber(rd.u32()?), header::SPEC_OFFSET)
    } else {
        Tid::new(block, off)
    };
    if flags & wal::F_VM_CLEARED != 0 {
        vm::redo_clear(s, r, rel, block, vm::VALID_BITS)?;
    }
    page_for(s, r, 0, init, |p| {
        let t = rebuild(r.block_data(0), bases(p), r.xid, ctid)?;
        put(p, off, &t)?;
        if flags & wal::F_VM_CLEARED != 0 {
            p.set_flag(storage::page::PD_ALL_VISIBLE, false);
        }
        Ok(())
    })
}

fn redo_multi_insert(s: &Store, r: &Record) -> Result<()> {
    let (rel, block) = target(r, 0)?;
    let mut rd = Reader(r.data());
    let (flags, n) = (rd.u8()?, rd.u16()?);
    let init = read_init(&mut rd, flags)?;
    if flags & wal::F_VM_CLEARED != 0 {
        vm::redo_clear(s, r, rel, block, vm::VALID_BITS)?;
    }
    page_for(s, r, 0, init, |p| {
        let mut data = Reader(r.block_data(0));
        for i in 0..n {
            let off = if init.is_some() { i + 1 } else { rd.u16()? };
            let len = data.u16()? as usize;
            let t = rebuild(data.take(len)?, bases(p), r.xid, Tid::new(block, off))?;
            put(p, off, &t)?;
        }
        if flags & wal::F_VM_CLEARED != 0 {
            p.set_flag(storage::page::PD_ALL_VISIBLE, false);
        }
        Ok(())
    })
}

fn redo_xmax(s: &Store, r: &Record, delete: bool) -> Result<()> {
    let (rel, block) = target(r, 0)?;
    let mut rd = Reader(r.data());
    let (off, flags) = (rd.u16()?, rd.u8()?);
    let (raw, mask, mask2) = (rd.u64()?, rd.u16()?, rd.u16()?);
    let bits = if flags & wal::F_VM_CLEARED != 0 {
        vm::VALID_BITS
    } else if flags & wal::F_FROZEN_CLEARED != 0 {
        vm::ALL_FROZEN
    } else {
        0
    };
    if bits != 0 {
        vm::redo_clear(s, r, rel, block, bits)?;
    }
    if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 0)? {
        let p = rp.page();
        let x = Xmax::from_raw(raw, mask, mask2);
        let reset_ctid = delete || mask & header::XMAX_LOCK_ONLY != 0;
        let ctid = reset_ctid.then(|| Tid::new(block, off));
        let keep_hot = !reset_ctid
            && page::tuple(p, off)?.is_some_and(|t| header::infomask2(t) & header::HOT_UPDATED != 0);
        wal::apply_xmax(p, off, &x, delete.then_some((0, false)), ctid, keep_hot)?;
        if delete {
            let b = bases(p);
            p.set_prune_xid(b.xid_word(r.xid));
        }
        if flags & wal::F_VM_CLEARED != 0 {
            p.set_flag(storage::page::PD_ALL_VISIBLE, false);
        }
    }
    Ok(())
}

fn redo_update(s: &Store, r: &Record) -> Result<()> {
    let (rel, new_block) = target(r, 0)?;
    let old_block = if r.block(1).is_some() { target(r, 1)?.1 } else { new_block };
    let mut rd = Reader(r.data());
    let flags = rd.u8()?;
    let (old_off, new_off) = (rd.u16()?, rd.u16()?);
    let old_xmax = Xmax::from_raw(rd.u64()?, rd.u16()?, rd.u16()?);
    let new_xmax_raw = rd.u64()?;
    let (prefix, suffix) = (rd.u16()? as usize, rd.u16()? as usize);
    let hot = rd.u8()? != 0;
    let init = read_init(&mut rd, flags)?;
    if flags & wal::F_VM_CLEARED != 0 {
        vm::redo_clear(s, r, rel, old_block, vm::VALID_BITS)?;
    }
    if flags & wal::F_NEW_VM_CLEARED != 0 {
        vm::redo_clear(s, r, rel, new_block, vm::VALID_BITS)?;
    }
    let new_tid = Tid::new(new_block, new_off);
    let change_old = |p: &mut Page| -> Result<()> {
        wal::apply_xmax(p, old_off, &old_xmax, Some((0, false)), Some(new_tid), hot)?;
        let b = bases(p);
        p.set_prune_xid(b.xid_word(r.xid));
        p.set_flag(storage::page::PD_ALL_VISIBLE, false);
        Ok(())
    };
    if old_block != new_block
        && let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 1)?
    {
        change_old(rp.page())?;
    }
    page_for(s, r, 0, init, |p| {
        let mut t = new_tuple(p, old_off, r.block_data(0), prefix, suffix)?;
        if old_block == new_block {
            change_old(p)?;
        }
        let b = bases(p);
        let mask = header::infomask(&t);
        t = rebuild(&t[wal::SKIPPED..], b, r.xid, new_tid)?;
        let x = Xmax::from_raw(new_xmax_raw, mask, 0);
        let word = if mask & header::XMAX_IS_MULTI != 0 { b.multi_word(x.multi) } else { b.xid_word(x.xid) };
        header::set_xmax_word(&mut t, word);
        put(p, new_off, &t)?;
        p.set_flag(storage::page::PD_ALL_VISIBLE, false);
        Ok(())
    })
}

/// The new version's bytes: what was logged, between the prefix and suffix it shares with the old version.
fn new_tuple(p: &Page, old_off: u16, logged: &[u8], prefix: usize, suffix: usize) -> Result<Vec<u8>> {
    let mut t = vec![0; wal::SKIPPED];
    if prefix + suffix == 0 {
        t.extend_from_slice(logged);
        return Ok(t);
    }
    let bad = || Error::corrupted("heap update redo: shared prefix or suffix is out of range");
    let old = page::tuple(p, old_off)?.ok_or_else(bad)?;
    let old_data = &old[header::hoff(old)..];
    let hoff = *logged.get(4).ok_or_else(bad)? as usize;
    let head = hoff.checked_sub(wal::SKIPPED).ok_or_else(bad)?;
    if head > logged.len() || prefix > old_data.len() || suffix > old_data.len() {
        return Err(bad());
    }
    t.extend_from_slice(&logged[..head]);
    t.extend_from_slice(&old_data[..prefix]);
    t.extend_from_slice(&logged[head..]);
    t.extend_from_slice(&old_data[old_data.len() - suffix..]);
    Ok(t)
}

/// Overwrites the data part of a tuple by bytes of the same length.
pub(crate) fn overwrite(p: &mut Page, off: u16, data: &[u8]) -> Result<()> {
    let t = p.item_mut(off)?;
    let hoff = header::hoff(t);
    if t.len() < hoff || t.len() - hoff != data.len() {
        return Err(Error::corrupted("in-place update: size differs"));
    }
    t[hoff..].copy_from_slice(data);
    Ok(())
}

fn redo_visible(s: &Store, r: &Record) -> Result<()> {
    // Block 0: heap page (no image, no LSN of its own needed), block 1: map page.
    let bits = Reader(r.data()).u8()?;
    let (_, heap_block) = target(r, 0)?;
    if let RedoAction::NeedsRedo(mut rp) = s.read_for_redo(r, 0)? {
        rp.page().set_flag(storage::page::PD_ALL_VISIBLE, true);
    }
    vm::redo_set(s, r, 1, heap_block, bits)?;
    Ok(())
}
