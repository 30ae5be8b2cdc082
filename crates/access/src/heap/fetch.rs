//! Reading rows by address: following HOT chains for index scans, and single versions for everything else.

use super::header::{self, Header};
use super::page::{self, bases};
use super::prune;
use super::scan::{self, Pending, ScanSpec};
use super::toast;
use super::visibility::{self, Hints};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{Result, Tid, Xid};
use std::rc::Rc;
use storage::{PageRef, Pinned, vm};
use transam::Snapshot;
use transam::ssi::Place;
use types::tuple::RawAttr;
use types::{Batch, Datum};

/// What an index entry's row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStatus {
    /// A visible version was found at this address and appended to the batch.
    Found(Tid),
    /// No version is visible.
    NotVisible,
    /// No version is visible to anyone: the index entry may be killed.
    AllDead,
}

/// Dead by its hint bits alone, for everyone.
fn surely_dead(h: &Header, horizon: Xid) -> bool {
    if !h.xmin_committed() {
        return h.xmin_invalid();
    }
    h.infomask & (header::XMAX_INVALID | header::XMAX_LOCK_ONLY | header::XMAX_IS_MULTI) == 0
        && h.infomask & header::XMAX_COMMITTED != 0
        && h.xmax < horizon
}

/// Follows the HOT chain from line pointer `root` to the version the snapshot sees. The flag says whether every
/// version met is dead to everyone.
pub(crate) fn hot_search(
    eng: &Engine,
    rel: &Rel,
    snap: &Snapshot,
    p: &PageRef,
    root: u16,
) -> Result<(Option<u16>, bool)> {
    let b = bases(p);
    let mut off = root;
    let mut at_start = true;
    let mut prior: Option<Xid> = None;
    let mut all_dead = true;
    let mut horizon = None;
    // A chain visits each line pointer at most once.
    for _ in 0..=p.max_offset() {
        let id = p.item_id(off);
        if !id.is_normal() {
            if id.is_redirect() && at_start {
                off = id.offset();
                at_start = false;
                continue;
            }
            break;
        }
        let t = page::tuple_at(p, id)?;
        if at_start
            && let Snapshot::Mvcc(s) = snap
            && scan::settled(t, b, s.xmin)
            && header::infomask2(t) & header::HEAP_ONLY == 0
        {
            note_row(eng, rel, snap, p, off)?;
            return Ok((Some(off), false));
        }
        let h = Header::read(t, b);
        if at_start && h.is_heap_only() {
            break;
        }
        if prior.is_some_and(|x| x != h.xmin) {
            break;
        }
        let mut hints = Hints::new(p.lsn());
        let seen = visibility::satisfies(eng, snap, &h, &mut hints)?;
        if hints.bits != 0 {
            page::set_hints(p, off, hints.bits);
            p.pin().store().mark_dirty_hint(p);
        }
        txn::note_overtaken(eng, rel, &hints)?;
        if seen {
            note_row(eng, rel, snap, p, off)?;
            return Ok((Some(off), false));
        }
        let h = Header { infomask: h.infomask | hints.bits, ..h };
        if all_dead {
            let hz = *horizon.get_or_insert_with(|| txn::prune_horizon(eng, rel));
            all_dead = surely_dead(&h, hz);
        }
        if !h.is_hot_updated() {
            break;
        }
        prior = visibility::update_xid(eng, &h)?;
        off = h.ctid.offset;
        at_start = false;
    }
    Ok((None, all_dead))
}

/// SERIALIZABLE remembers a version read under its snapshot.
#[inline]
fn note_row(eng: &Engine, rel: &Rel, snap: &Snapshot, p: &PageRef, off: u16) -> Result<()> {
    match snap {
        Snapshot::Mvcc(_) => txn::note_read(eng, rel, Place::Row(Tid::new(p.pin().block(), off))),
        _ => Ok(()),
    }
}

/// Fetches rows for an index scan, keeping the heap page pinned between rows of one block.
pub struct IndexFetch {
    rel: Rc<Rel>,
    spec: ScanSpec,
    snapshot: Snapshot,
    page: Option<Pinned>,
    map: Option<Pinned>,
    pending: Pending,
}

impl IndexFetch {
    /// Prepares to fetch the columns of `spec`.
    pub fn new(rel: Rc<Rel>, snapshot: Snapshot, spec: ScanSpec) -> IndexFetch {
        IndexFetch { rel, spec, snapshot, page: None, map: None, pending: Vec::new() }
    }
    /// Changes the snapshot (rescan in a later command).
    pub fn set_snapshot(&mut self, s: Snapshot) {
        self.snapshot = s;
    }
    /// Has the processor bring the first [`storage::WARM_MAX`] of these rows near, which are to be fetched next.
    #[inline]
    pub fn warm(&self, eng: &Engine, tids: &[Tid]) {
        // A row or two gain nothing.
        if tids.len() > 2 {
            txn::store(eng).warm(self.rel.locator, tids);
        }
    }
    /// Follows the HOT chain that starts at `tid` to the visible version and appends it to `out` as a row.
    pub fn fetch_into(&mut self, eng: &Engine, tid: Tid, out: &mut Batch) -> Result<FetchStatus> {
        if self.page.as_ref().is_none_or(|p| p.block() != tid.block) {
            self.page = None;
            let pin = txn::store(eng).read_main(self.rel.locator, tid.block)?;
            prune::prune_opt(eng, &self.rel, &pin)?;
            self.page = Some(pin);
        }
        let Some(pin) = &self.page else { return Ok(FetchStatus::NotVisible) };
        let p = pin.share();
        let (found, all_dead) = hot_search(eng, &self.rel, &self.snapshot, &p, tid.offset)?;
        let Some(off) = found else {
            return Ok(if all_dead { FetchStatus::AllDead } else { FetchStatus::NotVisible });
        };
        let at = Tid::new(tid.block, off);
        if let Some(t) = page::tuple(&p, off)? {
            scan::emit(&self.rel, &self.spec, t, at, &p, out, &mut self.pending)?;
        }
        drop(p);
        if !self.pending.is_empty() {
            scan::resolve(eng, &self.rel, &mut self.pending, out)?;
        }
        eng.count_fetched(self.rel.stat_key(), 1);
        Ok(FetchStatus::Found(at))
    }
    /// Index-only scans: are all rows of the block visible to everyone? (Then the heap need not be read.)
    pub fn all_visible(&mut self, eng: &Engine, tid: Tid) -> Result<bool> {
        let bits = vm::status(txn::store(eng), self.rel.locator, tid.block, &mut self.map)?;
        let visible = bits & vm::ALL_VISIBLE != 0;
        if visible {
            // The row itself is not looked at.
            txn::note_read(eng, &self.rel, Place::Page(tid.block))?;
        }
        Ok(visible)
    }
    /// Lets go of pins.
    pub fn release(&mut self) {
        self.page = None;
        self.map = None;
    }
}

/// Locks the page and calls `f` with the version at exactly `tid` if the snapshot sees it.
pub(crate) fn with_version<R>(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    snapshot: &Snapshot,
    f: impl FnOnce(&PageRef, &[u8]) -> Result<R>,
) -> Result<Option<R>> {
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let p = pin.share();
    let Some(t) = page::tuple(&p, tid.offset)? else { return Ok(None) };
    let h = Header::read(t, bases(&p));
    let mut hints = Hints::new(p.lsn());
    let seen = visibility::satisfies(eng, snapshot, &h, &mut hints)?;
    if hints.bits != 0 {
        page::set_hints(&p, tid.offset, hints.bits);
        txn::store(eng).mark_dirty_hint(&p);
    }
    txn::note_overtaken(eng, rel, &hints)?;
    if !seen {
        return Ok(None);
    }
    note_row(eng, rel, snapshot, &p, tid.offset)?;
    f(&p, t).map(Some)
}

/// Appends the version at exactly `tid` to `out` if the snapshot sees it.
pub fn fetch_into(
    eng: &Engine,
    rel: &Rel,
    tid: Tid,
    snapshot: &Snapshot,
    spec: &ScanSpec,
    out: &mut Batch,
) -> Result<bool> {
    let mut pending = Pending::new();
    let found =
        with_version(eng, rel, tid, snapshot, |p, t| scan::emit(rel, spec, t, tid, p, out, &mut pending))?;
    scan::resolve(eng, rel, &mut pending, out)?;
    Ok(found.is_some())
}

/// All attributes of tuple bytes as owned values, toasted ones fetched.
pub(crate) fn all_values(eng: &Engine, rel: &Rel, t: &[u8]) -> Result<Vec<Datum>> {
    let mut raws = Vec::with_capacity(rel.desc.len());
    rel.deformer.deform(page::tuple_bytes(t), &mut raws)?;
    raws.into_iter()
        .map(|raw| match raw {
            RawAttr::Null => Ok(Datum::Null),
            RawAttr::Plain(d) => Ok(d.to_owned()),
            stored => {
                let mut buf = Vec::new();
                toast::detoast(eng, rel, stored, &mut buf)?;
                Ok(Datum::bytes(&buf))
            }
        })
        .collect()
}

/// All attributes of the version at exactly `tid`, if the snapshot sees it.
pub fn fetch_row(eng: &Engine, rel: &Rel, tid: Tid, snapshot: &Snapshot) -> Result<Option<Vec<Datum>>> {
    let bytes = with_version(eng, rel, tid, snapshot, |_, t| Ok(t.to_vec()))?;
    bytes.map(|t| all_values(eng, rel, &t)).transpose()
}

/// Does the HOT chain that begins at `tid`, the address in an index entry, have a version that the snapshot sees?
pub fn chain_is_live(eng: &Engine, rel: &Rel, tid: Tid, snapshot: &Snapshot) -> Result<bool> {
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let p = pin.share();
    Ok(hot_search(eng, rel, snapshot, &p, tid.offset)?.0.is_some())
}

/// Address of the latest version reachable from `tid` through update links that the snapshot sees.
pub fn latest_version(eng: &Engine, rel: &Rel, tid: Tid, snapshot: &Snapshot) -> Result<Tid> {
    let mut best = tid;
    let mut at = tid;
    let mut prior: Option<Xid> = None;
    loop {
        eng.check_interrupts()?;
        let pin = txn::store(eng).read_main(rel.locator, at.block)?;
        let p = pin.share();
        let Some(t) = page::tuple(&p, at.offset)? else { break };
        let h = Header::read(t, bases(&p));
        if prior.is_some_and(|x| x != h.xmin) {
            break;
        }
        let mut hints = Hints::new(p.lsn());
        if visibility::satisfies(eng, snapshot, &h, &mut hints)? {
            best = at;
        }
        let next = visibility::update_xid(eng, &h)?;
        if next.is_none() || h.ctid == at || !h.ctid.is_valid() || h.is_speculative() {
            break;
        }
        prior = next;
        at = h.ctid;
    }
    Ok(best)
}
