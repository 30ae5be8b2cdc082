//! Multixacts: ids for sets of lockers (and at most one updater) of one row. Immutable once made.
//!
//! `pg_multixact/offsets` has one word per id: where its members begin (low 44 bits) and how many there are (high 20);
//! `pg_multixact/members` has one word per member: transaction id (high 56 bits) and status (low 8). Both are
//! written, after the log record that creates the id, before the id can be found in a row.

use crate::slru::PAGE_WORDS;
use crate::{Engine, XidStatus};
use common::{Lsn, MultiXactId, Result, Xid, bail, err};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use storage::RmgrId;

/// What a member does to the row. Numbers are stored on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MemberStatus {
    ForKeyShare = 0,
    ForShare = 1,
    ForNoKeyUpdate = 2,
    ForUpdate = 3,
    NoKeyUpdate = 4,
    Update = 5,
}

impl MemberStatus {
    /// Does it change the row (rather than lock it)?
    pub fn is_update(self) -> bool {
        self >= MemberStatus::NoKeyUpdate
    }
    /// From its stored number.
    pub fn from_u8(v: u8) -> Option<MemberStatus> {
        use MemberStatus as S;
        [S::ForKeyShare, S::ForShare, S::ForNoKeyUpdate, S::ForUpdate, S::NoKeyUpdate, S::Update]
            .get(v as usize)
            .copied()
    }
}

/// One member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    pub xid: Xid,
    pub status: MemberStatus,
}

const OFFSET_BITS: u32 = 44;
/// `info` of the record that makes an id.
pub const CREATE_ID: u8 = 0x20;
const CACHE: usize = 256;

pub(crate) type MultiCache = std::collections::VecDeque<(MultiXactId, Rc<[Member]>)>;

/// The creation record's data: id, first member, members.
fn encode(multi: MultiXactId, offset: u64, members: &[Member]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + members.len() * 8);
    out.extend_from_slice(&multi.0.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    for m in members {
        out.extend_from_slice(&member_word(m).to_le_bytes());
    }
    out
}
fn member_word(m: &Member) -> u64 {
    m.xid.0 << 8 | m.status as u64
}
fn word_member(w: u64) -> Option<Member> {
    Some(Member { xid: Xid(w >> 8), status: MemberStatus::from_u8(w as u8)? })
}

impl Engine {
    /// An id for two lockers.
    pub fn multixact_create(&self, a: Member, b: Member) -> Result<MultiXactId> {
        self.multixact_create_from(&[a, b])
    }
    /// An id for these members.
    pub fn multixact_create_from(&self, members: &[Member]) -> Result<MultiXactId> {
        let mut sorted: Vec<Member> = members.to_vec();
        sorted.sort_by_key(|m| (m.xid, m.status));
        sorted.dedup();
        if sorted.iter().filter(|m| m.status.is_update()).count() > 1 {
            return Err(common::Error::internal("new multixact has more than one updating member"));
        }
        if let Some(hit) = self.multi_cache.borrow().iter().find(|c| *c.1 == *sorted) {
            return Ok(hit.0);
        }
        self.multixact_set_oldest_member();
        let c = self.shared.c;
        let _g = c.multi_gen.exclusive(self.proc());
        let multi = MultiXactId(c.next_multi.load(Relaxed));
        let offset = c.next_member.load(Relaxed);
        self.extend_multi(multi, offset, sorted.len())?;
        // A failure from the record to the files would leave an id that redo knows and memory does not.
        let crit = self.proc().critical_section();
        let lsn = self.store.log(RmgrId::MULTIXACT, CREATE_ID, Xid::INVALID, &encode(multi, offset, &sorted));
        let r = self.write_multi(multi, offset, &sorted, lsn);
        c.next_multi.store(multi.0 + 1, Release);
        c.next_member.store(offset + sorted.len() as u64, Release);
        drop(crit);
        r?;
        self.remember_multi(multi, sorted.into());
        Ok(multi)
    }
    fn extend_multi(&self, multi: MultiXactId, offset: u64, n: usize) -> Result<()> {
        let words = PAGE_WORDS as u64;
        self.with_slru(|cx| {
            if multi.0.is_multiple_of(words) || multi.0 == 1 {
                self.shared.offsets.zero_page(cx, multi.0 / words)?;
            }
            for at in offset..offset + n as u64 {
                if at.is_multiple_of(words) {
                    self.shared.members.zero_page(cx, at / words)?;
                }
            }
            Ok(())
        })
    }
    fn write_multi(&self, multi: MultiXactId, offset: u64, members: &[Member], lsn: Lsn) -> Result<()> {
        self.with_slru(|cx| {
            for (i, m) in members.iter().enumerate() {
                self.shared.members.update(cx, offset + i as u64, lsn, |_| member_word(m))?;
            }
            let word = offset | (members.len() as u64) << OFFSET_BITS;
            self.shared.offsets.update(cx, multi.0, lsn, |_| word)
        })
    }
    fn remember_multi(&self, multi: MultiXactId, members: Rc<[Member]>) {
        let mut c = self.multi_cache.borrow_mut();
        if c.len() >= CACHE {
            c.pop_front();
        }
        c.push_back((multi, members));
    }
    /// An id for the live members of `multi` and one more.
    pub fn multixact_expand(
        &self,
        multi: MultiXactId,
        xid: Xid,
        status: MemberStatus,
    ) -> Result<MultiXactId> {
        let old = self.multixact_members(multi)?;
        if old.contains(&Member { xid, status }) {
            return Ok(multi);
        }
        let mut keep = Vec::with_capacity(old.len() + 1);
        for m in old.iter() {
            if self.xid_is_in_progress(m.xid) || (m.status.is_update() && self.xid_did_commit(m.xid)?) {
                keep.push(*m);
            }
        }
        keep.push(Member { xid, status });
        self.multixact_create_from(&keep)
    }
    /// The members.
    pub fn multixact_members(&self, multi: MultiXactId) -> Result<Rc<[Member]>> {
        if let Some(hit) = self.multi_cache.borrow().iter().find(|c| c.0 == multi) {
            return Ok(hit.1.clone());
        }
        let c = self.shared.c;
        if multi.0 < c.oldest_multi.load(Acquire) {
            return Ok(Rc::from([]));
        }
        if multi.0 >= c.next_multi.load(Acquire) {
            return Err(common::Error::internal(format!(
                "MultiXactId {} has not been created yet -- apparent wraparound",
                multi.0
            )));
        }
        let members = self.with_slru(|cx| -> Result<Vec<Member>> {
            let word = self.shared.offsets.read(cx, multi.0)?.0;
            let (offset, n) = (word & ((1 << OFFSET_BITS) - 1), word >> OFFSET_BITS);
            (offset..offset + n)
                .map(|i| {
                    let w = self.shared.members.read(cx, i)?.0;
                    word_member(w)
                        .ok_or_else(|| err!(DATA_CORRUPTED, "invalid member of MultiXactId {}", multi.0))
                })
                .collect()
        })?;
        if members.is_empty() {
            bail!(DATA_CORRUPTED, "MultiXactId {} has no members", multi.0);
        }
        let members: Rc<[Member]> = members.into();
        self.remember_multi(multi, members.clone());
        Ok(members)
    }
    /// Is any member still running? With `lock_only`, an old (pre-horizon) one is not.
    pub fn multixact_is_running(&self, multi: MultiXactId, lock_only: bool) -> Result<bool> {
        if lock_only && multi < self.oldest_multixact() {
            return Ok(false);
        }
        Ok(self.multixact_members(multi)?.iter().any(|m| self.xid_is_in_progress(m.xid)))
    }
    /// To be called before a row of which one may become a member is read.
    pub fn multixact_set_oldest_member(&self) {
        let slot = &self.shared.oldest_member[self.proc().number() as usize];
        if slot.load(Relaxed) == 0 {
            let _g = self.shared.c.multi_gen.shared(self.proc());
            slot.store(self.shared.c.next_multi.load(Relaxed), Release);
        }
    }
    /// Multis below this have no running members.
    pub fn oldest_multixact(&self) -> MultiXactId {
        let c = self.shared.c;
        let _g = c.multi_gen.shared(self.proc());
        let n = self.procs.scan().len();
        let slots = self.shared.oldest_member[..n].iter().map(|s| s.load(Acquire)).filter(|v| *v != 0);
        MultiXactId(slots.min().unwrap_or(u64::MAX).min(c.next_multi.load(Relaxed)))
    }
    /// The next id.
    pub fn next_multixact(&self) -> MultiXactId {
        MultiXactId(self.shared.c.next_multi.load(Acquire))
    }
    pub(crate) fn multixact_end(&self) {
        self.shared.oldest_member[self.proc().number() as usize].store(0, Release);
        let mut c = self.multi_cache.borrow_mut();
        if !c.is_empty() {
            c.clear();
        }
    }
    /// Replays a creation.
    pub(crate) fn multixact_redo(&self, data: &[u8], end: Lsn) -> Result<()> {
        let word = |i: usize| -> Option<u64> {
            Some(u64::from_le_bytes(data.get(i * 8..i * 8 + 8)?.try_into().ok()?))
        };
        let bad = || common::Error::corrupted("invalid multixact record");
        let (multi, offset) = (word(0).ok_or_else(bad)?, word(1).ok_or_else(bad)?);
        let members: Vec<Member> = (2..data.len() / 8).filter_map(|i| word_member(word(i)?)).collect();
        self.write_multi(MultiXactId(multi), offset, &members, end)?;
        let c = self.shared.c;
        c.next_multi.fetch_max(multi + 1, Relaxed);
        c.next_member.fetch_max(offset + members.len() as u64, Relaxed);
        for m in &members {
            c.next_xid.fetch_max(m.xid.0 + 1, Relaxed);
        }
        Ok(())
    }
    /// Removes what lies below `multi`: no row refers to it.
    pub fn truncate_multixact(&self, multi: MultiXactId) -> Result<()> {
        let c = self.shared.c;
        if multi.0 <= c.oldest_multi.load(Relaxed) || multi.0 >= c.next_multi.load(Relaxed) {
            return Ok(());
        }
        let offset = self.with_slru(|cx| self.shared.offsets.read(cx, multi.0))?.0 & ((1 << OFFSET_BITS) - 1);
        c.oldest_multi.fetch_max(multi.0, Relaxed);
        self.with_slru(|cx| {
            self.shared.offsets.truncate(cx, multi.0 / PAGE_WORDS as u64)?;
            self.shared.members.truncate(cx, offset / PAGE_WORDS as u64)
        })
    }
    /// The one updating member, if its transaction did not abort.
    pub fn multixact_update_xid(&self, multi: MultiXactId) -> Result<Option<Xid>> {
        for m in self.multixact_members(multi)?.iter() {
            if m.status.is_update() {
                let aborted = matches!(self.xid_status(m.xid)?.0, XidStatus::Aborted);
                return Ok((!aborted).then_some(m.xid));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_round_trip() {
        for s in 0..6 {
            let m = Member { xid: Xid(0x00AB_CDEF_0123_4567), status: MemberStatus::from_u8(s).unwrap() };
            assert_eq!(word_member(member_word(&m)), Some(m));
        }
        assert_eq!(word_member(0x0607), None);
        assert_eq!(encode(MultiXactId(5), 9, &[]).len(), 16);
    }
}
