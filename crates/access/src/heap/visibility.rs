//! Who sees a row version: the rules of PostgreSQL's heap visibility, as pure functions of a decoded header and the
//! transaction engine. Nothing here touches a page; outcomes that may be remembered are reported as *hint bits* for
//! the caller to set ([`super::page::set_hints`]).
//!
//! ```text
//! xmin running, not mine      invisible            xmax none / aborted / lock only   as xmin says
//! xmin aborted                invisible            xmax running, not mine            still visible
//! xmin committed, in snapshot visible, unless ...  xmax committed, in snapshot       gone
//! ```
//! "Is it in progress?" is always asked before "did it commit?": the other order would take a transaction that
//! commits in between for aborted.

use super::header::*;
use crate::txn::{self, Engine};
use common::{Lsn, Result, Tid, Xid};
use transam::{MvccSnapshot, Snapshot};

/// State of a row version for vacuum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VacuumState {
    /// Nobody can see it.
    Dead,
    /// Deleted by this committed transaction, which is too recent: someone may still see the row.
    RecentlyDead(Xid),
    /// Visible to some or all.
    Live,
    /// Its inserter runs.
    InsertInProgress,
    /// Its deleter runs.
    DeleteInProgress,
}

/// What a modification or lock would run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateCheck {
    /// Nothing in the way.
    Free,
    Invisible,
    SelfModified,
    Updated,
    Deleted,
    BeingModified,
}

/// What a dirty read found: the version is there, but these transactions decide whether it stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirtyInfo {
    /// Running inserter.
    pub xmin: Option<Xid>,
    /// Running deleter.
    pub xmax: Option<Xid>,
    /// Token of a speculative insertion (ON CONFLICT), 0 if it is none.
    pub speculative_token: u32,
}

/// The updating transaction behind xmax, multixact or not; `None` when it only locked.
pub fn update_xid(eng: &Engine, h: &Header) -> Result<Option<Xid>> {
    if h.infomask & XMAX_INVALID != 0 || h.is_locked_only() {
        return Ok(None);
    }
    if h.is_multi() {
        return txn::multi_update_xid(eng, h.multi);
    }
    Ok(h.xmax.is_valid().then_some(h.xmax))
}

/// Outcomes worth remembering in the infomask, and the LSN of the page they would go to: "committed" must not reach
/// disk before the commit record does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    pub bits: u16,
    pub page_lsn: Lsn,
    /// A transaction that the snapshot does not see, though it has made or replaced the version.
    pub overtaken: Xid,
}

impl Hints {
    /// No hints yet, for a page with this LSN.
    pub fn new(page_lsn: Lsn) -> Hints {
        Hints { bits: 0, page_lsn, overtaken: Xid::INVALID }
    }
}

fn hint_commit(eng: &Engine, xid: Xid, bit: u16, hints: &mut Hints) {
    if !xid.is_normal() || eng.may_set_committed_hint(xid, hints.page_lsn) {
        hints.bits |= bit;
    }
}

/// MVCC visibility. Hint bits that may be set are ORed into `hints`.
pub fn satisfies_mvcc(eng: &Engine, snap: &MvccSnapshot, h: &Header, hints: &mut Hints) -> Result<bool> {
    if !h.xmin_committed() {
        if h.xmin_invalid() {
            return Ok(false);
        }
        if txn::is_current(eng, h.xmin) {
            if txn::cmin(eng, h) >= snap.curcid {
                return Ok(false);
            }
            return Ok(!own_xmax_hides(eng, h, snap.curcid.0, hints)?);
        }
        if txn::in_snapshot(eng, snap, h.xmin)? {
            hints.overtaken = h.xmin;
            return Ok(false);
        }
        if !txn::did_commit(eng, h.xmin)? {
            hints.bits |= XMIN_INVALID;
            return Ok(false);
        }
        hint_commit(eng, h.xmin, XMIN_COMMITTED, hints);
    } else if !h.xmin_frozen() && txn::in_snapshot(eng, snap, h.xmin)? {
        hints.overtaken = h.xmin;
        return Ok(false);
    }
    if h.infomask & XMAX_INVALID != 0 || h.is_locked_only() {
        return Ok(true);
    }
    if h.is_multi() {
        let Some(xmax) = txn::multi_update_xid(eng, h.multi)? else { return Ok(true) };
        if txn::is_current(eng, xmax) {
            return Ok(txn::cmax(eng, h) >= snap.curcid);
        }
        return Ok(outlives(eng, snap, xmax, hints)? || !txn::did_commit(eng, xmax)?);
    }
    if h.infomask & XMAX_COMMITTED != 0 {
        return outlives(eng, snap, h.xmax, hints);
    }
    if txn::is_current(eng, h.xmax) {
        return Ok(txn::cmax(eng, h) >= snap.curcid);
    }
    if outlives(eng, snap, h.xmax, hints)? {
        return Ok(true);
    }
    if !txn::did_commit(eng, h.xmax)? {
        hints.bits |= XMAX_INVALID;
        return Ok(true);
    }
    hint_commit(eng, h.xmax, XMAX_COMMITTED, hints);
    Ok(false)
}

/// Does the snapshot not see the transaction that deleted the version?
fn outlives(eng: &Engine, snap: &MvccSnapshot, xmax: Xid, hints: &mut Hints) -> Result<bool> {
    let unseen = txn::in_snapshot(eng, snap, xmax)?;
    if unseen {
        hints.overtaken = xmax;
    }
    Ok(unseen)
}

/// For a row this transaction inserted: has it also been deleted by a command before `curcid`?
fn own_xmax_hides(eng: &Engine, h: &Header, curcid: u32, hints: &mut Hints) -> Result<bool> {
    if h.infomask & XMAX_INVALID != 0 || h.is_locked_only() {
        return Ok(false);
    }
    let xmax = if h.is_multi() { txn::multi_update_xid(eng, h.multi)? } else { Some(h.xmax) };
    let Some(xmax) = xmax else { return Ok(false) };
    if !txn::is_current(eng, xmax) {
        // A subtransaction of ours that rolled back.
        if !h.is_multi() {
            hints.bits |= XMAX_INVALID;
        }
        return Ok(false);
    }
    Ok(txn::cmax(eng, h).0 < curcid)
}

/// Visibility by any of the rules.
pub fn satisfies(eng: &Engine, snap: &Snapshot, h: &Header, hints: &mut Hints) -> Result<bool> {
    match snap {
        Snapshot::Mvcc(s) => satisfies_mvcc(eng, s, h, hints),
        Snapshot::Any => Ok(true),
        Snapshot::SelfSeen => {
            let mut info = DirtyInfo::default();
            Ok(satisfies_dirty(eng, h, hints, &mut info)? && info.xmin.is_none())
        }
        Snapshot::Dirty(r) => {
            let mut info = DirtyInfo::default();
            let seen = satisfies_dirty(eng, h, hints, &mut info)?;
            r.xmin.set(info.xmin.unwrap_or(Xid::INVALID));
            r.xmax.set(info.xmax.unwrap_or(Xid::INVALID));
            r.speculative_token.set(info.speculative_token);
            Ok(seen)
        }
        Snapshot::Toast => Ok(!h.xmin_invalid()),
        Snapshot::NonVacuumable(horizon) => {
            Ok(satisfies_vacuum(eng, h, *horizon, hints)? != VacuumState::Dead)
        }
    }
}

/// Dirty visibility: own and committed effects count, and so do other running inserters; `info` names whom one would
/// have to wait for. A row whose deleter still runs is visible with `info.xmax` set.
pub fn satisfies_dirty(eng: &Engine, h: &Header, hints: &mut Hints, info: &mut DirtyInfo) -> Result<bool> {
    *info = DirtyInfo::default();
    if !h.xmin_committed() {
        if h.xmin_invalid() {
            return Ok(false);
        }
        if txn::is_current(eng, h.xmin) {
            return Ok(!own_xmax_hides(eng, h, u32::MAX, hints)?);
        }
        if txn::in_progress(eng, h.xmin) {
            info.xmin = Some(h.xmin);
            info.speculative_token = if h.is_speculative() { h.ctid.block.0 } else { 0 };
            return Ok(true);
        }
        if !txn::did_commit(eng, h.xmin)? {
            hints.bits |= XMIN_INVALID;
            return Ok(false);
        }
        hint_commit(eng, h.xmin, XMIN_COMMITTED, hints);
    }
    if h.infomask & XMAX_INVALID != 0 || h.is_locked_only() {
        return Ok(true);
    }
    let xmax = if h.is_multi() { txn::multi_update_xid(eng, h.multi)? } else { Some(h.xmax) };
    let Some(xmax) = xmax else { return Ok(true) };
    if h.infomask & XMAX_COMMITTED != 0 || txn::is_current(eng, xmax) {
        return Ok(false);
    }
    if txn::in_progress(eng, xmax) {
        info.xmax = Some(xmax);
        return Ok(true);
    }
    if !txn::did_commit(eng, xmax)? {
        if !h.is_multi() {
            hints.bits |= XMAX_INVALID;
        }
        return Ok(true);
    }
    if !h.is_multi() {
        hint_commit(eng, xmax, XMAX_COMMITTED, hints);
    }
    Ok(false)
}

/// May the current command (`curcid`) update, delete or lock the version at `self_tid`?
pub fn satisfies_update(
    eng: &Engine,
    h: &Header,
    self_tid: Tid,
    curcid: u32,
    hints: &mut Hints,
) -> Result<UpdateCheck> {
    use UpdateCheck::*;
    let by_me = |eng: &Engine| if txn::cmax(eng, h).0 >= curcid { SelfModified } else { Invisible };
    let gone = || if h.ctid != self_tid && h.ctid.is_valid() { Updated } else { Deleted };
    if !h.xmin_committed() {
        if h.xmin_invalid() {
            return Ok(Invisible);
        }
        if txn::is_current(eng, h.xmin) {
            return update_own_insert(eng, h, curcid, hints);
        }
        if txn::in_progress(eng, h.xmin) {
            return Ok(Invisible);
        }
        if !txn::did_commit(eng, h.xmin)? {
            hints.bits |= XMIN_INVALID;
            return Ok(Invisible);
        }
        hint_commit(eng, h.xmin, XMIN_COMMITTED, hints);
    }
    if h.infomask & XMAX_INVALID != 0 {
        return Ok(Free);
    }
    if h.infomask & XMAX_COMMITTED != 0 && !h.is_multi() {
        return Ok(if h.is_locked_only() { Free } else { gone() });
    }
    if h.is_multi() {
        if h.is_locked_only() {
            if txn::multi_running(eng, h.multi, true)? {
                return Ok(BeingModified);
            }
            hints.bits |= XMAX_INVALID;
            return Ok(Free);
        }
        let Some(xmax) = txn::multi_update_xid(eng, h.multi)? else {
            return Ok(if txn::multi_running(eng, h.multi, false)? { BeingModified } else { Free });
        };
        if txn::is_current(eng, xmax) {
            return Ok(by_me(eng));
        }
        if txn::in_progress(eng, xmax) {
            return Ok(BeingModified);
        }
        if txn::did_commit(eng, xmax)? {
            return Ok(gone());
        }
        return Ok(if txn::multi_running(eng, h.multi, false)? { BeingModified } else { Free });
    }
    if txn::is_current(eng, h.xmax) {
        return Ok(if h.is_locked_only() { BeingModified } else { by_me(eng) });
    }
    if txn::in_progress(eng, h.xmax) {
        return Ok(BeingModified);
    }
    if h.is_locked_only() || !txn::did_commit(eng, h.xmax)? {
        hints.bits |= XMAX_INVALID;
        return Ok(Free);
    }
    hint_commit(eng, h.xmax, XMAX_COMMITTED, hints);
    Ok(gone())
}

fn update_own_insert(eng: &Engine, h: &Header, curcid: u32, hints: &mut Hints) -> Result<UpdateCheck> {
    use UpdateCheck::*;
    if txn::cmin(eng, h).0 >= curcid {
        return Ok(Invisible);
    }
    if h.infomask & XMAX_INVALID != 0 {
        return Ok(Free);
    }
    let by_me = || if txn::cmax(eng, h).0 >= curcid { SelfModified } else { Invisible };
    if h.is_multi() {
        let running = txn::multi_running(eng, h.multi, h.is_locked_only())?;
        let updater = if h.is_locked_only() { None } else { txn::multi_update_xid(eng, h.multi)? };
        return Ok(match updater {
            Some(x) if txn::is_current(eng, x) => by_me(),
            _ if running => BeingModified,
            _ => Free,
        });
    }
    if h.is_locked_only() {
        return Ok(if txn::in_progress(eng, h.xmax) { BeingModified } else { Free });
    }
    if !txn::is_current(eng, h.xmax) {
        hints.bits |= XMAX_INVALID;
        return Ok(Free);
    }
    Ok(by_me())
}

/// What vacuum and pruning may do with a version. `horizon`: versions deleted by transactions before it are dead.
pub fn satisfies_vacuum(eng: &Engine, h: &Header, horizon: Xid, hints: &mut Hints) -> Result<VacuumState> {
    use VacuumState::*;
    if !h.xmin_committed() {
        if h.xmin_invalid() {
            return Ok(Dead);
        }
        if txn::is_current(eng, h.xmin) {
            if h.infomask & XMAX_INVALID != 0 || h.is_locked_only() {
                return Ok(InsertInProgress);
            }
            return Ok(match update_xid(eng, h)? {
                Some(x) if txn::is_current(eng, x) => DeleteInProgress,
                _ => InsertInProgress,
            });
        }
        if txn::in_progress(eng, h.xmin) {
            return Ok(InsertInProgress);
        }
        if !txn::did_commit(eng, h.xmin)? {
            hints.bits |= XMIN_INVALID;
            return Ok(Dead);
        }
        hint_commit(eng, h.xmin, XMIN_COMMITTED, hints);
    }
    if h.infomask & XMAX_INVALID != 0 {
        return Ok(Live);
    }
    if h.is_locked_only() {
        if h.infomask & XMAX_COMMITTED == 0 {
            let running = if h.is_multi() {
                txn::multi_running(eng, h.multi, true)?
            } else {
                txn::in_progress(eng, h.xmax)
            };
            if !running {
                hints.bits |= XMAX_INVALID;
            }
        }
        return Ok(Live);
    }
    let Some(xmax) = update_xid(eng, h)? else { return Ok(Live) };
    if h.infomask & XMAX_COMMITTED == 0 || h.is_multi() {
        if txn::is_current(eng, xmax) || txn::in_progress(eng, xmax) {
            return Ok(DeleteInProgress);
        }
        if !txn::did_commit(eng, xmax)? {
            if !h.is_multi() || !txn::multi_running(eng, h.multi, false)? {
                hints.bits |= XMAX_INVALID;
            }
            return Ok(Live);
        }
        if !h.is_multi() {
            hint_commit(eng, xmax, XMAX_COMMITTED, hints);
        }
    }
    Ok(if xmax < horizon { Dead } else { RecentlyDead(xmax) })
}
