//! Row versions carried into a new file with their history: who made them, who deleted or replaced them, and what replaced them.
//! VACUUM FULL and CLUSTER need it for the versions that some snapshot may still tell apart; whoever calls holds ACCESS
//! EXCLUSIVE on the table, so no other transaction is at work in it.
//!
//! A replaced version names its successor, whose place is known only once it is written. It waits until then. Every version
//! gets index entries of its own afterwards: HOT marks do not survive.

use super::form;
use super::header::{self, Header, maxalign};
use super::insert::{InsertOptions, fresh_bases, page_with_room};
use super::multi::BulkInsert;
use super::page::{self, bases};
use super::visibility::{self, Hints, VacuumState};
use super::wal::{self, Writer};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{BlockNumber, CommandId, Error, MultiXactId, Result, Tid, Xid};
use std::collections::HashMap;
use storage::{RegFlags, RmgrId};
use types::DatumRef;

/// What becomes of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody can see it, or there is none.
    Gone,
    /// Everybody sees it.
    Settled,
    /// It keeps this header.
    Kept(Header),
}

/// The fates of a page's versions, by offset from 1. Versions deleted before `horizon` are gone.
pub fn fates(eng: &Engine, rel: &Rel, block: BlockNumber, horizon: Xid) -> Result<Vec<Fate>> {
    let p = txn::store(eng).read_main(rel.locator, block)?.into_share();
    (1..=p.max_offset())
        .map(|off| match page::read_header(&p, off)? {
            Some(h) => fate(eng, &h, horizon),
            None => Ok(Fate::Gone),
        })
        .collect()
}

fn fate(eng: &Engine, h: &Header, horizon: Xid) -> Result<Fate> {
    let mut hints = Hints::new(common::Lsn::default());
    let state = visibility::satisfies_vacuum(eng, h, horizon, &mut hints)?;
    let mut kept = *h;
    kept.infomask2 &= !(header::HOT_UPDATED | header::HEAP_ONLY);
    match state {
        VacuumState::Dead => return Ok(Fate::Gone),
        VacuumState::Live | VacuumState::InsertInProgress => {
            kept.xmax = Xid::INVALID;
            kept.infomask = kept.infomask & !header::XMAX_BITS | header::XMAX_INVALID;
            kept.infomask2 &= !header::KEYS_UPDATED;
        }
        VacuumState::RecentlyDead(_) | VacuumState::DeleteInProgress => {
            // Who only locked the row beside the deleter has ended, or is this transaction.
            kept.xmax = visibility::update_xid(eng, h)?.unwrap_or(Xid::INVALID);
            kept.infomask &= !(header::XMAX_IS_MULTI | header::XMAX_COMMITTED | header::LOCK_MASK);
        }
    }
    kept.multi = MultiXactId(0);
    let old = h.xmin_frozen() || !h.xmin.is_normal() || h.xmin < horizon;
    if old && state != VacuumState::InsertInProgress {
        kept.xmin = Xid::FROZEN;
        kept.infomask |= header::XMIN_FROZEN;
        if state == VacuumState::Live {
            return Ok(Fate::Settled);
        }
    }
    Ok(Fate::Kept(kept))
}

/// Which versions of a page are deleted, but too recently to be gone: an index must have them. Those that a HOT update replaced
/// share the entry of their chain.
pub fn recently_dead(eng: &Engine, rel: &Rel, block: BlockNumber, horizon: Xid) -> Result<Vec<bool>> {
    let p = txn::store(eng).read_main(rel.locator, block)?.into_share();
    let mut hints = Hints::new(common::Lsn::default());
    (1..=p.max_offset())
        .map(|off| match page::read_header(&p, off)? {
            Some(h) if !h.is_hot_updated() => Ok(matches!(
                visibility::satisfies_vacuum(eng, &h, horizon, &mut hints)?,
                VacuumState::RecentlyDead(_) | VacuumState::DeleteInProgress
            )),
            _ => Ok(false),
        })
        .collect()
}

/// The versions of the HOT chain that begins at `head`, oldest first.
pub fn chain(eng: &Engine, rel: &Rel, head: Tid) -> Result<Vec<Tid>> {
    let p = txn::store(eng).read_main(rel.locator, head.block)?.into_share();
    let mut out = Vec::new();
    let mut off = head.offset;
    let id = p.item_id(off);
    if id.is_redirect() {
        off = id.offset();
    }
    while let Some(h) = page::read_header(&p, off)? {
        out.push(Tid::new(head.block, off));
        let next = h.ctid;
        let ends = h.infomask2 & header::HOT_UPDATED == 0 || next.block != head.block;
        if ends || next.offset == off || out.len() > usize::from(p.max_offset()) {
            break;
        }
        off = next.offset;
    }
    Ok(out)
}

/// A version on its way.
struct Version {
    old: Tid,
    header: Header,
    tuple: Vec<u8>,
}

/// Writes versions into a new file.
pub struct Carrier {
    /// Where versions have gone that others may name as their successors.
    moved: HashMap<Tid, Tid>,
    /// By the successor's old place.
    waiting: HashMap<Tid, Vec<Version>>,
}

impl Carrier {
    /// Nothing carried yet.
    pub fn new() -> Carrier {
        Carrier { moved: HashMap::new(), waiting: HashMap::new() }
    }

    /// Carries the version at `old`, with its values.
    pub fn write(
        &mut self,
        eng: &Engine,
        rel: &Rel,
        bulk: &mut BulkInsert,
        old: Tid,
        header: Header,
        values: &[DatumRef<'_>],
        cid: CommandId,
    ) -> Result<()> {
        let tuple = form::form_tuple(eng, rel, values, cid)?;
        let v = Version { old, header, tuple };
        let replaced = header.infomask & header::XMAX_INVALID == 0 && header.ctid != old;
        if !replaced {
            return self.place(eng, rel, bulk, v, None);
        }
        match self.moved.get(&header.ctid).copied() {
            Some(to) => self.place(eng, rel, bulk, v, Some(to)),
            None => {
                self.waiting.entry(header.ctid).or_default().push(v);
                Ok(())
            }
        }
    }

    /// Writes what waits for successors that are gone.
    pub fn finish(mut self, eng: &Engine, rel: &Rel, bulk: &mut BulkInsert) -> Result<()> {
        let mut left: Vec<Version> = self.waiting.drain().flat_map(|(_, v)| v).collect();
        left.sort_by_key(|v| v.old);
        for v in left {
            self.place(eng, rel, bulk, v, None)?;
        }
        Ok(())
    }

    /// Writes a version, then those that wait for it, and so on.
    fn place(
        &mut self,
        eng: &Engine,
        rel: &Rel,
        bulk: &mut BulkInsert,
        v: Version,
        successor: Option<Tid>,
    ) -> Result<()> {
        let mut ready = vec![(v, successor)];
        while let Some((v, successor)) = ready.pop() {
            let at = put(eng, rel, bulk, &v, successor)?;
            self.moved.insert(v.old, at);
            for w in self.waiting.remove(&v.old).unwrap_or_default() {
                ready.push((w, Some(at)));
            }
        }
        Ok(())
    }
}

impl Default for Carrier {
    fn default() -> Self {
        Carrier::new()
    }
}

/// What formed bytes say about the data, and the rest of the history.
const SHAPE: u16 = header::HASNULL | header::HASVARWIDTH | header::HASEXTERNAL;

fn put(eng: &Engine, rel: &Rel, bulk: &mut BulkInsert, v: &Version, successor: Option<Tid>) -> Result<Tid> {
    let mut t = v.tuple.clone();
    let formed = Header::read(&t, header::Bases::default());
    let mut h = v.header;
    h.infomask = (h.infomask & !SHAPE) | (formed.infomask & SHAPE);
    h.infomask2 = (h.infomask2 & !header::NATTS_MASK) | (formed.infomask2 & header::NATTS_MASK);
    h.hoff = formed.hoff;
    let opts = InsertOptions { skip_fsm: true, ..InsertOptions::default() };
    let xid = eng.current_xid()?;
    let mut g = page_with_room(eng, rel, maxalign(t.len()), &opts, Some(bulk))?;
    let block = g.pin().block();
    let is_new = g.is_new();
    if !is_new {
        wal::ensure_fits(eng, rel, &mut g, h.xmin, MultiXactId(0))?;
        wal::ensure_fits(eng, rel, &mut g, h.xmax, MultiXactId(0))?;
    }
    let fresh = fresh_bases(eng, xid);
    let cr = txn::store(eng).begin_critical();
    let p = cr.page(&mut g);
    if is_new {
        page::init(p, fresh);
    }
    let b = bases(p);
    let init = p.max_offset() == 0;
    let off = p.max_offset() + 1;
    h.ctid = successor.unwrap_or(Tid::new(block, off));
    h.write(&mut t, b);
    if p.add_heap_item(&t) != Some(off) {
        return Err(Error::internal("heap page has no room after all"));
    }
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        w.u16(off).u8(if init { wal::F_INIT } else { 0 });
        if init {
            w.u64(b.xid).u64(b.multi);
        }
        let mut r = cr.record(RmgrId::HEAP2, wal::CARRY, xid);
        r.data(w.bytes());
        r.block(0, &g, if init { RegFlags::WILL_INIT } else { RegFlags::STANDARD });
        r.block_data(0, &t);
        r
    });
    Ok(Tid::new(block, off))
}
