//! The questions the access methods ask the transaction engine, with the special ids (bootstrap, frozen, invalid)
//! answered here so that the engine only ever sees ordinary ones.

use crate::heap::header::{COMBOCID, Header};
use crate::heap::visibility::Hints;
use crate::rel::Rel;
use common::{CommandId, MultiXactId, Result, Xid};
pub use transam::Engine;
use transam::MvccSnapshot;
use transam::ssi::Place;

/// Pages and log.
#[inline]
pub fn store(eng: &Engine) -> &storage::Store {
    eng.store()
}

/// The id to put into log records: the current one, or none.
#[inline]
pub fn current_xid(eng: &Engine) -> Xid {
    eng.current_xid_if_any().unwrap_or(Xid::INVALID)
}

/// Own transaction or one of its subtransactions?
#[inline]
pub fn is_current(eng: &Engine, xid: Xid) -> bool {
    xid.is_normal() && eng.is_current_xid(xid)
}

/// Does SERIALIZABLE look at what the transaction does with this relation?
#[inline]
fn is_tracked(eng: &Engine, rel: &Rel) -> bool {
    eng.is_tracked() && !rel.is_catalog && !rel.locator.is_temp()
}

/// A place is about to be written (the page is locked): SERIALIZABLE looks who has read it.
#[inline]
pub fn note_write(eng: &Engine, rel: &Rel, place: Place) -> Result<()> {
    if is_tracked(eng, rel) { eng.note_write(rel.oid, place) } else { Ok(()) }
}

/// A place is read under the transaction's snapshot.
#[inline]
pub fn note_read(eng: &Engine, rel: &Rel, place: Place) -> Result<()> {
    if is_tracked(eng, rel) { eng.note_read(rel.oid, place) } else { Ok(()) }
}

/// A row was looked at: what an overlapping transaction has done to it is a conflict.
#[inline]
pub fn note_overtaken(eng: &Engine, rel: &Rel, hints: &Hints) -> Result<()> {
    if hints.overtaken.is_valid() && is_tracked(eng, rel) {
        eng.note_overtaken(hints.overtaken)
    } else {
        Ok(())
    }
}

/// Running anywhere?
#[inline]
pub fn in_progress(eng: &Engine, xid: Xid) -> bool {
    xid.is_normal() && eng.xid_is_in_progress(xid)
}

/// Committed?
#[inline]
pub fn did_commit(eng: &Engine, xid: Xid) -> Result<bool> {
    if xid.is_normal() { eng.xid_did_commit(xid) } else { Ok(xid.is_valid()) }
}

/// Running as of the snapshot?
#[inline]
pub fn in_snapshot(eng: &Engine, snap: &MvccSnapshot, xid: Xid) -> Result<bool> {
    if !xid.is_normal() {
        return Ok(false);
    }
    match snap.in_progress_fast(xid) {
        Some(b) => Ok(b),
        None => eng.xid_in_snapshot(xid, snap),
    }
}

/// Command that inserted a row of the own transaction.
pub fn cmin(eng: &Engine, h: &Header) -> CommandId {
    if h.infomask & COMBOCID != 0 { eng.combo_cmin(CommandId(h.cid)) } else { CommandId(h.cid) }
}

/// Command of the own transaction that deleted a row.
pub fn cmax(eng: &Engine, h: &Header) -> CommandId {
    if h.infomask & COMBOCID != 0 { eng.combo_cmax(CommandId(h.cid)) } else { CommandId(h.cid) }
}

/// The updater among a multixact's members.
pub fn multi_update_xid(eng: &Engine, m: MultiXactId) -> Result<Option<Xid>> {
    Ok(eng.multixact_members(m)?.iter().find(|m| m.status.is_update()).map(|m| m.xid))
}

/// Is any member running?
pub fn multi_running(eng: &Engine, m: MultiXactId, lock_only: bool) -> Result<bool> {
    eng.multixact_is_running(m, lock_only)
}

/// Database for lock tags: 0 for shared relations, which live in the global tablespace.
pub fn lock_db(rel: &Rel) -> common::Oid {
    rel.locator.db_oid
}

/// Locks a relation that no statement names (a catalog, a TOAST table) for one read or change of it.
pub fn lock_briefly<'e>(
    eng: &'e Engine,
    rel: &Rel,
    mode: transam::LockMode,
) -> common::Result<transam::BriefLock<'e>> {
    eng.lock_briefly(lock_db(rel), rel.oid, mode)
}

/// Is the relation shared by all databases?
pub fn is_shared(rel: &Rel) -> bool {
    rel.locator.spc_oid == storage::relfile::GLOBAL_TABLESPACE
}

/// Versions deleted below this are dead (cheap form).
pub fn prune_horizon(eng: &Engine, rel: &Rel) -> Xid {
    eng.prune_horizon(is_shared(rel), rel.is_catalog)
}

/// Versions deleted below this are dead (exact form).
pub fn oldest_xmin(eng: &Engine, rel: &Rel) -> Xid {
    eng.oldest_xmin(is_shared(rel), rel.is_catalog)
}
