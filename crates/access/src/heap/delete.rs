//! Deleting rows.

use super::header;
use super::lock::{self, Obstacle, TupleLock};
use super::page::{self, bases};
use super::toast;
use super::visibility::UpdateCheck;
use super::wal::{self, Writer};
use super::{LockWait, RowLock, TmResult};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{CommandId, Error, Result, Tid};
use storage::{RegFlags, RmgrId};
use transam::ssi::Place;

/// The command word for a row deleted by this transaction: a combined id when it inserted the row too.
pub(crate) fn delete_cid(eng: &Engine, h: &header::Header, cid: CommandId) -> (u32, bool) {
    if !h.xmin_committed() && txn::is_current(eng, h.xmin) {
        let cmin = txn::cmin(eng, h);
        if cmin != cid {
            return (eng.combo_cid(cmin, cid).0, true);
        }
    }
    (cid.0, false)
}

/// Deletes the version at `tid`. With [`LockWait::Block`] it waits for a concurrent modifier first; in the result
/// `Updated` or `Deleted` nothing was changed.
pub fn delete(eng: &Engine, rel: &Rel, tid: Tid, cid: CommandId, wait: LockWait) -> Result<TmResult> {
    eng.not_in_parallel_mode("delete tuples")?;
    let me = eng.current_xid()?;
    let mode = RowLock::Exclusive;
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let mut line = TupleLock::new(eng, rel, tid, mode);
    let (mut g, h) = loop {
        let g = pin.exclusive();
        let (h, check) = lock::judge(eng, rel, &g, tid, cid)?;
        match check {
            UpdateCheck::Free => break (g, h),
            UpdateCheck::Invisible => {
                return Err(Error::new(
                    common::SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "attempted to delete invisible tuple",
                ));
            }
            UpdateCheck::SelfModified => return Ok(TmResult::SelfModified { cmax: txn::cmax(eng, &h) }),
            UpdateCheck::Updated | UpdateCheck::Deleted => return lock::gone(eng, &h, check),
            UpdateCheck::BeingModified => {}
        }
        let what = lock::obstacle(eng, &h, mode)?;
        if what == Obstacle::None {
            break (g, h);
        }
        drop(g);
        if !lock::wait_for(eng, rel, &mut line, what, wait, "deleting")? {
            return Ok(TmResult::WouldBlock);
        }
    };
    txn::note_write(eng, rel, Place::Row(tid))?;
    eng.multixact_set_oldest_member();
    let x = lock::join_xmax(eng, &h, me, mode, true)?;
    wal::ensure_fits(eng, rel, &mut g, me, x.multi)?;
    let cid_word = delete_cid(eng, &h, cid);
    let external = match page::tuple(&g, tid.offset)? {
        Some(t) if rel.toast.is_some() => toast::pointers(rel, t)?,
        _ => Vec::new(),
    };
    let map = wal::vm_pin_if_visible(eng, rel, &g)?;
    let cr = txn::store(eng).begin_critical();
    let p = cr.page(&mut g);
    wal::apply_xmax(p, tid.offset, &x, Some(cid_word), Some(tid), false)?;
    set_prunable(p, me);
    let cleared = wal::clear_visible(eng, p, &map, tid.block)?;
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        let flags = if cleared { wal::F_VM_CLEARED } else { 0 };
        w.u16(tid.offset).u8(flags).u64(x.raw()).u16(x.infomask).u16(x.infomask2);
        let mut r = cr.record(RmgrId::HEAP, wal::DELETE, me);
        r.data(w.bytes());
        r.block(0, &g, RegFlags::STANDARD);
        r
    });
    drop(cr);
    drop(g);
    eng.count_delete(rel.stat_key());
    for (_, p) in external {
        toast::delete_value(eng, rel, &p, cid)?;
    }
    Ok(TmResult::Ok)
}

/// Remembers that the page is worth pruning once `xid` is over, if it is the first such transaction.
pub(crate) fn set_prunable(p: &mut storage::Page, xid: common::Xid) {
    let word = bases(p).xid_word(xid);
    let old = p.prune_xid();
    if old == 0 || word < old {
        p.set_prune_xid(word);
    }
}
