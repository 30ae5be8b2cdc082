//! Outcomes of transactions: the commit log (two bits an id) and pg_subtrans (the parent of each subtransaction).

use crate::slru::{Cx, PAGE_WORDS, Slru};
use crate::{Engine, XidStatus};
use common::{Lsn, Result, Xid};
use std::sync::atomic::Ordering::{Acquire, Relaxed};

const PER_WORD: u64 = 32;
/// Ids on one pg_xact page.
pub const XIDS_PER_PAGE: u64 = PER_WORD * PAGE_WORDS as u64;

fn to_status(v: u64) -> XidStatus {
    match v & 3 {
        0 => XidStatus::InProgress,
        1 => XidStatus::Committed,
        2 => XidStatus::Aborted,
        _ => XidStatus::SubCommitted,
    }
}

/// Sets one id's bits.
pub fn set_one(clog: &Slru, cx: &Cx<'_>, xid: Xid, status: XidStatus, lsn: Lsn) -> Result<()> {
    let shift = xid.0 % PER_WORD * 2;
    clog.update(cx, xid.0 / PER_WORD, lsn, |w| w & !(3 << shift) | (status as u64) << shift)
}

/// Reads one id's bits, with the log position noted for its group.
pub fn get_one(clog: &Slru, cx: &Cx<'_>, xid: Xid) -> Result<(XidStatus, Lsn)> {
    let (w, lsn) = clog.read(cx, xid.0 / PER_WORD)?;
    Ok((to_status(w >> (xid.0 % PER_WORD * 2)), lsn))
}

/// Sets a whole tree. Children are first marked as depending on the parent: until the parent's own bits are set, none
/// of them counts as committed.
pub fn set_tree(
    clog: &Slru,
    cx: &Cx<'_>,
    xid: Xid,
    children: &[Xid],
    status: XidStatus,
    lsn: Lsn,
) -> Result<()> {
    if status == XidStatus::Committed {
        for c in children {
            set_one(clog, cx, *c, XidStatus::SubCommitted, lsn)?;
        }
    }
    set_one(clog, cx, xid, status, lsn)?;
    for c in children {
        set_one(clog, cx, *c, status, lsn)?;
    }
    Ok(())
}

impl Engine {
    /// Runs `f` with what the status caches need.
    pub(crate) fn with_slru<T>(&self, f: impl FnOnce(&Cx<'_>) -> T) -> T {
        let flush = |lsn: Lsn| self.store.flush_wal(lsn);
        f(&Cx {
            me: self.proc(),
            data_dir: &self.data_dir,
            flush_wal: &flush,
            missing_is_zero: self.shared.c.in_recovery.load(Relaxed) != 0,
        })
    }
    /// What the log says, and up to where the log must be durable before a hint bit "committed" may reach disk.
    pub fn xid_status(&self, xid: Xid) -> Result<(XidStatus, Lsn)> {
        if !xid.is_normal() {
            let s = if xid.is_valid() { XidStatus::Committed } else { XidStatus::Aborted };
            return Ok((s, Lsn::INVALID));
        }
        self.with_slru(|cx| get_one(&self.shared.clog, cx, xid))
    }
    fn final_status(&self, xid: Xid) -> Result<XidStatus> {
        let (cached, status) = self.status_cache.get();
        if cached == xid {
            return Ok(status);
        }
        let (status, lsn) = self.xid_status(xid)?;
        let settled = matches!(status, XidStatus::Committed | XidStatus::Aborted);
        if settled {
            self.status_cache.set((xid, status));
            self.status_lsn.set((xid, lsn));
        }
        Ok(status)
    }
    /// Did it commit, its parents included?
    pub fn xid_did_commit(&self, xid: Xid) -> Result<bool> {
        match self.final_status(xid)? {
            XidStatus::Committed => Ok(true),
            XidStatus::SubCommitted => match self.parent_xid(xid)? {
                // pg_subtrans does not survive a restart: the parent did not commit before.
                p if !p.is_valid() => Ok(false),
                p => self.xid_did_commit(p),
            },
            _ => Ok(false),
        }
    }
    /// Did it abort explicitly (a crashed one is "not in progress and not committed")?
    pub fn xid_did_abort(&self, xid: Xid) -> Result<bool> {
        match self.final_status(xid)? {
            XidStatus::Aborted => Ok(true),
            XidStatus::SubCommitted => match self.parent_xid(xid)? {
                p if !p.is_valid() => Ok(true),
                p => self.xid_did_abort(p),
            },
            _ => Ok(false),
        }
    }
    /// May a "committed" hint for `xid` be set on a page with this LSN? (False: an asynchronous commit is not durable,
    /// and the page could reach disk before the commit record.)
    pub fn may_set_committed_hint(&self, xid: Xid, page_lsn: Lsn) -> bool {
        let (cached, lsn) = self.status_lsn.get();
        let lsn = if cached == xid {
            lsn
        } else {
            match self.xid_status(xid) {
                Ok((_, l)) => l,
                Err(_) => return false,
            }
        };
        !lsn.is_valid() || page_lsn >= lsn || self.store.flushed_lsn() >= lsn
    }
    /// Immediate parent as recorded in pg_subtrans; invalid for top-level transactions.
    pub fn parent_xid(&self, xid: Xid) -> Result<Xid> {
        if !xid.is_normal() || xid.0 < self.shared.c.life_xid.load(Relaxed) {
            return Ok(Xid::INVALID);
        }
        self.with_slru(|cx| {
            // Truncated pages held ids nobody can have in a snapshot any more.
            let cx = Cx { missing_is_zero: true, ..*cx };
            Ok(Xid(self.shared.subtrans.read(&cx, xid.0)?.0))
        })
    }
    /// Top-level parent of a subtransaction (itself if it is one).
    pub fn top_parent_xid(&self, xid: Xid) -> Result<Xid> {
        let mut x = xid;
        loop {
            // Below any snapshot's xmin the parents do not matter, and pg_subtrans may be gone.
            let p = self.parent_xid(x)?;
            if !p.is_valid() || p >= x {
                return Ok(x);
            }
            x = p;
        }
    }
    pub(crate) fn set_parent_xid(&self, xid: Xid, parent: Xid) -> Result<()> {
        self.with_slru(|cx| self.shared.subtrans.update(cx, xid.0, Lsn::INVALID, |_| parent.0))
    }
    /// The id that will be assigned next.
    pub fn next_xid(&self) -> Xid {
        Xid(self.shared.c.next_xid.load(Acquire))
    }
    /// pg_xact below `xid` is no longer needed: every row older is frozen in every database.
    pub fn truncate_clog(&self, xid: Xid) -> Result<()> {
        self.shared.c.oldest_xid.fetch_max(xid.0, Relaxed);
        self.with_slru(|cx| self.shared.clog.truncate(cx, xid.0 / XIDS_PER_PAGE))
    }
}
