//! Locking rows, and the arithmetic of xmax that locking, deleting and updating share: which lock conflicts with
//! what a row's xmax says, waiting for it, and the xmax that results when one more transaction joins.

use super::header::{self, Header};
use super::page::{self, bases};
use super::visibility::{self, Hints, UpdateCheck};
use super::wal::{self, Writer, Xmax};
use super::{LockWait, RowLock, TmResult};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{CommandId, Error, Result, Tid, Xid};
use storage::{PageMut, RegFlags, RmgrId, vm};
use transam::{LockMode, Member, MemberStatus};

/// Strength of what a multixact member does.
pub(crate) fn strength(s: MemberStatus) -> RowLock {
    match s {
        MemberStatus::ForKeyShare => RowLock::KeyShare,
        MemberStatus::ForShare => RowLock::Share,
        MemberStatus::ForNoKeyUpdate | MemberStatus::NoKeyUpdate => RowLock::NoKeyUpdate,
        MemberStatus::ForUpdate | MemberStatus::Update => RowLock::Exclusive,
    }
}

/// Do two strengths exclude each other?
pub(crate) fn conflicts(a: RowLock, b: RowLock) -> bool {
    use RowLock::*;
    match (a, b) {
        (Exclusive, _) | (_, Exclusive) => true,
        (NoKeyUpdate, KeyShare) | (KeyShare, NoKeyUpdate) => false,
        (NoKeyUpdate, _) | (_, NoKeyUpdate) => true,
        _ => false,
    }
}

fn status_for(mode: RowLock, is_update: bool) -> MemberStatus {
    match (mode, is_update) {
        (RowLock::KeyShare, _) => MemberStatus::ForKeyShare,
        (RowLock::Share, _) => MemberStatus::ForShare,
        (RowLock::NoKeyUpdate, false) => MemberStatus::ForNoKeyUpdate,
        (RowLock::NoKeyUpdate, true) => MemberStatus::NoKeyUpdate,
        (RowLock::Exclusive, false) => MemberStatus::ForUpdate,
        (RowLock::Exclusive, true) => MemberStatus::Update,
    }
}

/// What a plain (non-multi) xmax does.
fn status_of(h: &Header) -> MemberStatus {
    let keys = h.infomask2 & header::KEYS_UPDATED != 0;
    if h.is_locked_only() {
        match h.infomask & header::LOCK_MASK {
            header::XMAX_KEYSHR_LOCK => MemberStatus::ForKeyShare,
            header::XMAX_SHR_LOCK => MemberStatus::ForShare,
            _ if keys => MemberStatus::ForUpdate,
            _ => MemberStatus::ForNoKeyUpdate,
        }
    } else if keys {
        MemberStatus::Update
    } else {
        MemberStatus::NoKeyUpdate
    }
}

fn tuple_lock_mode(m: RowLock) -> LockMode {
    match m {
        RowLock::KeyShare => LockMode::AccessShare,
        RowLock::Share => LockMode::RowShare,
        RowLock::NoKeyUpdate => LockMode::Exclusive,
        RowLock::Exclusive => LockMode::AccessExclusive,
    }
}

/// A place in the line of those waiting for one row; given back on drop.
pub(crate) struct TupleLock<'a> {
    eng: &'a Engine,
    rel: &'a Rel,
    tid: Tid,
    mode: RowLock,
    held: bool,
}

impl<'a> TupleLock<'a> {
    pub(crate) fn new(eng: &'a Engine, rel: &'a Rel, tid: Tid, mode: RowLock) -> TupleLock<'a> {
        TupleLock { eng, rel, tid, mode, held: false }
    }
    fn acquire(&mut self, wait: LockWait) -> Result<bool> {
        if self.held {
            return Ok(true);
        }
        let dont_wait = wait != LockWait::Block;
        self.held = self.eng.lock_tuple(
            txn::lock_db(self.rel),
            self.rel.oid,
            self.tid,
            tuple_lock_mode(self.mode),
            dont_wait,
        )?;
        Ok(self.held)
    }
}

impl Drop for TupleLock<'_> {
    fn drop(&mut self) {
        if self.held {
            let mode = tuple_lock_mode(self.mode);
            self.eng.unlock_tuple(txn::lock_db(self.rel), self.rel.oid, self.tid, mode);
        }
    }
}

/// What an in-progress xmax means for somebody who wants `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    None,
    Xid(Xid),
    Multi(common::MultiXactId),
}

/// Is this member in the way? A locker is while it runs. An updater that ended since the row was judged is too when it
/// committed: the row must be judged again (waiting for it returns at once).
fn in_the_way(eng: &Engine, xid: Xid, status: MemberStatus, mode: RowLock) -> Result<bool> {
    if txn::is_current(eng, xid) || !conflicts(strength(status), mode) {
        return Ok(false);
    }
    Ok(txn::in_progress(eng, xid) || (status.is_update() && txn::did_commit(eng, xid)?))
}

/// Who, of the transactions in the xmax of a row being modified, stands in the way of `mode`?
pub(crate) fn obstacle(eng: &Engine, h: &Header, mode: RowLock) -> Result<Obstacle> {
    if h.infomask & header::XMAX_INVALID != 0 {
        return Ok(Obstacle::None);
    }
    if h.is_multi() {
        for m in eng.multixact_members(h.multi)?.iter() {
            if in_the_way(eng, m.xid, m.status, mode)? {
                return Ok(Obstacle::Multi(h.multi));
            }
        }
        return Ok(Obstacle::None);
    }
    let busy = in_the_way(eng, h.xmax, status_of(h), mode)?;
    Ok(if busy { Obstacle::Xid(h.xmax) } else { Obstacle::None })
}

/// Waits for the obstacle (page unlocked) as told; false: it is still there and the caller is to give up.
pub(crate) fn wait_for(
    eng: &Engine,
    rel: &Rel,
    line: &mut TupleLock<'_>,
    what: Obstacle,
    wait: LockWait,
    doing: &str,
) -> Result<bool> {
    let not_available =
        || common::err!(LOCK_NOT_AVAILABLE, "could not obtain lock on row in relation \"{}\"", rel.name);
    let (tid, mode) = (line.tid, line.mode);
    let got_line = line.acquire(wait)?;
    let context =
        || Some(format!("while {doing} tuple ({},{}) in relation \"{}\"", tid.block, tid.offset, rel.name));
    let against = |s: MemberStatus| conflicts(strength(s), mode);
    let free = match (wait, what) {
        (_, Obstacle::None) => true,
        (LockWait::Block, Obstacle::Xid(x)) => {
            eng.wait_for_xid(x, &context)?;
            true
        }
        (LockWait::Block, Obstacle::Multi(m)) => {
            eng.wait_for_multixact(m, &against, &context)?;
            true
        }
        (_, Obstacle::Xid(x)) => got_line && eng.try_wait_for_xid(x)?,
        (_, Obstacle::Multi(m)) => got_line && eng.try_wait_for_multixact(m, &against)?,
    };
    match (free, wait) {
        (true, _) => Ok(true),
        (false, LockWait::Error) => Err(not_available()),
        (false, _) => Ok(false),
    }
}

/// infomask bits that describe a multixact's members.
fn multi_bits(eng: &Engine, m: common::MultiXactId) -> Result<(u16, u16)> {
    let mut mask = header::XMAX_IS_MULTI;
    let mut mask2 = 0;
    let mut updated = false;
    let mut strongest = RowLock::KeyShare;
    for member in eng.multixact_members(m)?.iter() {
        strongest = strongest.max(strength(member.status));
        updated |= member.status.is_update();
        if strength(member.status) == RowLock::Exclusive {
            mask2 |= header::KEYS_UPDATED;
        }
    }
    mask |= match strongest {
        RowLock::KeyShare => header::XMAX_KEYSHR_LOCK,
        RowLock::Share => header::XMAX_SHR_LOCK,
        _ => header::XMAX_EXCL_LOCK,
    };
    if !updated {
        mask |= header::XMAX_LOCK_ONLY;
    }
    Ok((mask, mask2))
}

fn from_multi(eng: &Engine, m: common::MultiXactId) -> Result<Xmax> {
    let (infomask, infomask2) = multi_bits(eng, m)?;
    Ok(Xmax { xid: Xid::INVALID, multi: m, infomask, infomask2 })
}

/// The xmax of a row when transaction `me` joins what its header says.
pub(crate) fn join_xmax(eng: &Engine, h: &Header, me: Xid, mode: RowLock, is_update: bool) -> Result<Xmax> {
    let new_status = status_for(mode, is_update);
    if h.infomask & header::XMAX_INVALID != 0 {
        return Ok(alone(me, mode, is_update));
    }
    if h.is_multi() {
        if !eng.multixact_is_running(h.multi, h.is_locked_only())? {
            let updated = match txn::multi_update_xid(eng, h.multi)? {
                Some(x) if !h.is_locked_only() => txn::did_commit(eng, x)?,
                _ => false,
            };
            if !updated {
                return Ok(alone(me, mode, is_update));
            }
        }
        return from_multi(eng, eng.multixact_expand(h.multi, me, new_status)?);
    }
    let old = Member { xid: h.xmax, status: status_of(h) };
    if h.xmax == me {
        // Own lock: the stronger of the two stays.
        return Ok(alone(me, mode.max(strength(old.status)), is_update));
    }
    let counts = txn::in_progress(eng, h.xmax) || (!h.is_locked_only() && txn::did_commit(eng, h.xmax)?);
    if !counts {
        return Ok(alone(me, mode, is_update));
    }
    from_multi(eng, eng.multixact_create(old, Member { xid: me, status: new_status })?)
}

/// xmax when `me` is the only one.
fn alone(me: Xid, mode: RowLock, is_update: bool) -> Xmax {
    let keys = if mode == RowLock::Exclusive { header::KEYS_UPDATED } else { 0 };
    let infomask = if is_update {
        0
    } else {
        header::XMAX_LOCK_ONLY
            | match mode {
                RowLock::KeyShare => header::XMAX_KEYSHR_LOCK,
                RowLock::Share => header::XMAX_SHR_LOCK,
                _ => header::XMAX_EXCL_LOCK,
            }
    };
    Xmax { xid: me, infomask, infomask2: keys, ..Default::default() }
}

/// Does this transaction hold a lock of at least this strength already?
fn have_lock(eng: &Engine, h: &Header, mode: RowLock) -> Result<bool> {
    if h.infomask & header::XMAX_INVALID != 0 {
        return Ok(false);
    }
    if h.is_multi() {
        return Ok(eng
            .multixact_members(h.multi)?
            .iter()
            .any(|m| txn::is_current(eng, m.xid) && !m.status.is_update() && strength(m.status) >= mode));
    }
    Ok(h.is_locked_only() && txn::is_current(eng, h.xmax) && strength(status_of(h)) >= mode)
}

/// Writes and logs an xmax that only locks (or joins a lock to an update).
pub(crate) fn write_lock(eng: &Engine, rel: &Rel, g: &mut PageMut, off: u16, x: &Xmax) -> Result<()> {
    wal::ensure_fits(eng, rel, g, x.xid, x.multi)?;
    let tid = Tid::new(g.pin().block(), off);
    let pin = wal::vm_pin_if_visible(eng, rel, g)?;
    let locks_only = x.infomask & header::XMAX_LOCK_ONLY != 0;
    let cr = txn::store(eng).begin_critical();
    let p = cr.page(g);
    let hot =
        !locks_only && page::tuple(p, off)?.is_some_and(|t| header::infomask2(t) & header::HOT_UPDATED != 0);
    wal::apply_xmax(p, off, x, None, locks_only.then_some(tid), hot)?;
    let mut flags = 0;
    if let Some(map) = &pin
        && vm::clear(txn::store(eng), map, tid.block, vm::ALL_FROZEN)?
    {
        flags |= wal::F_FROZEN_CLEARED;
    }
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        w.u16(off).u8(flags).u64(x.raw()).u16(x.infomask).u16(x.infomask2);
        let mut r = cr.record(RmgrId::HEAP, wal::LOCK, txn::current_xid(eng));
        r.data(w.bytes());
        r.block(0, g, RegFlags::STANDARD);
        r
    });
    Ok(())
}

/// Result for a version that a committed transaction updated or deleted.
pub(crate) fn gone(eng: &Engine, h: &Header, check: UpdateCheck) -> Result<TmResult> {
    let xmax = visibility::update_xid(eng, h)?.unwrap_or(Xid::INVALID);
    Ok(match check {
        UpdateCheck::Updated => TmResult::Updated { ctid: h.ctid, xmax },
        _ => TmResult::Deleted { xmax },
    })
}

/// The header at `tid` under the page's exclusive lock, and what stands in the way of changing it.
pub(crate) fn judge(
    eng: &Engine,
    rel: &Rel,
    g: &PageMut,
    tid: Tid,
    cid: CommandId,
) -> Result<(Header, UpdateCheck)> {
    let Some(t) = page::tuple(g, tid.offset)? else {
        return Err(Error::internal(format!(
            "attempted to modify a missing tuple ({},{}) of relation \"{}\"",
            tid.block, tid.offset, rel.name
        )));
    };
    let h = Header::read(t, bases(g));
    let mut hints = Hints::new(g.lsn());
    let check = visibility::satisfies_update(eng, &h, tid, cid.0, &mut hints)?;
    if hints.bits != 0 {
        page::set_hints_exclusive(g, tid.offset, hints.bits);
    }
    Ok((Header { infomask: h.infomask | hints.bits, ..h }, check))
}

/// Locks the version at `tid`. `follow_updates`: also lock the versions that later updates made of it (needed for
/// key-share locks on rows whose non-key columns were updated).
pub fn lock_tuple(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    cid: CommandId,
    mode: RowLock,
    wait: LockWait,
    follow_updates: bool,
) -> Result<TmResult> {
    let me = eng.current_xid()?;
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let mut line = TupleLock::new(eng, rel, tid, mode);
    loop {
        let mut g = pin.exclusive();
        let (h, check) = judge(eng, rel, &g, tid, cid)?;
        match check {
            UpdateCheck::Invisible => return Ok(TmResult::Invisible),
            UpdateCheck::SelfModified => return Ok(TmResult::SelfModified { cmax: txn::cmax(eng, &h) }),
            _ => {}
        }
        if have_lock(eng, &h, mode)? {
            return Ok(TmResult::Ok);
        }
        if check != UpdateCheck::Free {
            // A version whose key columns an update left alone can still be key-share locked.
            let key_intact = mode == RowLock::KeyShare && h.infomask2 & header::KEYS_UPDATED == 0;
            if !key_intact {
                if check != UpdateCheck::BeingModified {
                    return gone(eng, &h, check);
                }
                let what = obstacle(eng, &h, mode)?;
                if what != Obstacle::None {
                    drop(g);
                    if !wait_for(eng, rel, &mut line, what, wait, "locking")? {
                        return Ok(TmResult::WouldBlock);
                    }
                    continue;
                }
            } else if follow_updates && !h.is_locked_only() && h.ctid != tid {
                drop(g);
                if !lock_successors(eng, rel, &h, mode, me)? {
                    // A later version lost the key: the caller has to look at that one.
                    let xmax = visibility::update_xid(eng, &h)?.unwrap_or(Xid::INVALID);
                    return Ok(TmResult::Updated { ctid: h.ctid, xmax });
                }
                g = pin.exclusive();
                let (again, _) = judge(eng, rel, &g, tid, cid)?;
                if (again.xmax, again.multi) != (h.xmax, h.multi) {
                    continue;
                }
            }
        }
        eng.multixact_set_oldest_member();
        let x = join_xmax(eng, &h, me, mode, false)?;
        write_lock(eng, rel, &mut g, tid.offset, &x)?;
        return Ok(TmResult::Ok);
    }
}

/// Locks the later versions of a row from `from`'s successor on; waits for conflicting modifiers. False: one of them
/// was deleted or had its key changed by a committed transaction.
fn lock_successors(eng: &Engine, rel: &Rel, from: &Header, mode: RowLock, me: Xid) -> Result<bool> {
    let mut at = from.ctid;
    let mut prior = visibility::update_xid(eng, from)?;
    loop {
        let pin = txn::store(eng).read_main(rel.locator, at.block)?;
        let mut g = pin.exclusive();
        let Some(h) = page::read_header(&g, at.offset)? else { return Ok(true) };
        if prior.is_some_and(|x| x != h.xmin) {
            return Ok(true);
        }
        // A version of an aborted update ends the chain.
        if !txn::is_current(eng, h.xmin) && !txn::in_progress(eng, h.xmin) && !txn::did_commit(eng, h.xmin)? {
            return Ok(true);
        }
        let what = obstacle(eng, &h, mode)?;
        if what != Obstacle::None {
            if let Some(x) = visibility::update_xid(eng, &h)?
                && !txn::in_progress(eng, x)
                && txn::did_commit(eng, x)?
            {
                return Ok(false);
            }
            drop(g);
            let mut line = TupleLock::new(eng, rel, at, mode);
            wait_for(eng, rel, &mut line, what, LockWait::Block, "locking updated version of")?;
            continue;
        }
        if !have_lock(eng, &h, mode)? {
            eng.multixact_set_oldest_member();
            let x = join_xmax(eng, &h, me, mode, false)?;
            write_lock(eng, rel, &mut g, at.offset, &x)?;
        }
        let next = visibility::update_xid(eng, &h)?;
        if next.is_none() || h.ctid == at || h.is_speculative() {
            return Ok(true);
        }
        prior = next;
        at = h.ctid;
    }
}

/// Locks the latest version of the row whose version `tid` was: follows the update chain as READ COMMITTED does
/// before it re-checks the query's conditions. On `Ok`, the address is that of the locked version, and the flag says
/// whether it is another one than `tid`.
pub fn lock_latest(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    cid: CommandId,
    mode: RowLock,
    wait: LockWait,
) -> Result<(TmResult, Tid, bool)> {
    let mut at = tid;
    loop {
        eng.check_interrupts()?;
        let r = lock_tuple(eng, rel, at, cid, mode, wait, false)?;
        let TmResult::Updated { ctid, xmax } = r else { return Ok((r, at, at != tid)) };
        // The successor must be the one that update made: its line pointer may have been reused since.
        let pin = txn::store(eng).read_main(rel.locator, ctid.block)?;
        let p = pin.share();
        let Some(h) = page::read_header(&p, ctid.offset)? else {
            return Ok((TmResult::Deleted { xmax }, at, at != tid));
        };
        if h.xmin != xmax && xmax.is_valid() {
            return Ok((TmResult::Deleted { xmax }, at, at != tid));
        }
        at = ctid;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_table() {
        use RowLock::*;
        let all = [KeyShare, Share, NoKeyUpdate, Exclusive];
        let want = [
            [false, false, false, true],
            [false, false, true, true],
            [false, true, true, true],
            [true, true, true, true],
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(conflicts(*a, *b), want[i][j], "{a:?} {b:?}");
            }
        }
    }
}
