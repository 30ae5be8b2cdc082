//! ON CONFLICT: a row is inserted speculatively (its ctid holds a token others can wait for), its index entries tell
//! whether it conflicts, and it is confirmed or killed before anyone waits for its transaction.

use super::header::{self, Header};
use super::page::bases;
use super::toast;
use super::wal::{self, Writer};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{Error, Result, Tid, Xid};
use storage::{Page, RegFlags, RmgrId};

/// Makes the version one that nobody ever sees.
pub(crate) fn kill(p: &mut Page, tid: Tid) -> Result<()> {
    let b = bases(p);
    let t = p.item_mut(tid.offset)?;
    let mut h = Header::read(t, b);
    h.xmin = Xid::INVALID;
    h.infomask = (h.infomask & !header::XMIN_FROZEN) | header::XMIN_INVALID;
    h.ctid = tid;
    h.write(t, b);
    Ok(())
}

fn change(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    info: u8,
    f: impl FnOnce(&mut Page) -> Result<()>,
) -> Result<()> {
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let mut g = pin.exclusive();
    let h = super::page::read_header(&g, tid.offset)?;
    if !h.is_some_and(|h| h.is_speculative() && txn::is_current(eng, h.xmin)) {
        return Err(Error::internal("tuple is not a speculative insertion of this transaction"));
    }
    let cr = txn::store(eng).begin_critical();
    f(cr.page(&mut g))?;
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        w.u16(tid.offset);
        let mut r = cr.record(RmgrId::HEAP, info, txn::current_xid(eng));
        r.data(w.bytes());
        r.block(0, &g, RegFlags::STANDARD);
        r
    });
    Ok(())
}

/// The row conflicts with nothing: it becomes an ordinary one.
pub fn finish_speculative(eng: &Engine, rel: &Rel, tid: Tid) -> Result<()> {
    change(eng, rel, tid, wal::CONFIRM, |p| {
        header::set_ctid(p.item_mut(tid.offset)?, tid);
        Ok(())
    })
}

/// The row conflicts: it is killed at once, without waiting for the end of the transaction.
pub fn abort_speculative(eng: &Engine, rel: &Rel, tid: Tid) -> Result<()> {
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let external = {
        let p = pin.share();
        match super::page::tuple(&p, tid.offset)? {
            Some(t) if rel.toast.is_some() => toast::pointers(rel, t)?,
            _ => Vec::new(),
        }
    };
    change(eng, rel, tid, wal::SUPER_DELETE, |p| {
        kill(p, tid)?;
        super::delete::set_prunable(p, txn::current_xid(eng));
        Ok(())
    })?;
    // PostgreSQL counts it as a deletion too: the dead version waits for vacuum.
    eng.count_delete(rel.stat_key());
    let cid = eng.current_command_id(true);
    for (_, p) in external {
        toast::delete_value(eng, rel, &p, cid)?;
    }
    Ok(())
}
