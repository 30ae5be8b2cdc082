//! Which snapshots a process has in use, and the xmin it advertises because of them. READ COMMITTED takes a snapshot per
//! statement, REPEATABLE READ keeps the first one of the transaction.
//!
//! The advertised xmin only moves forward when nothing is active, registered or still held by somebody (an open cursor
//! has its snapshot's `Rc`): at the end of a command, or before the next statement's snapshot.

use crate::{Engine, IsolationLevel, MvccSnapshot};
use common::{Error, Result, Xid};
use std::rc::{Rc, Weak};
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Snapshots of this process.
#[derive(Default)]
pub(crate) struct Snapshots {
    /// Reused from statement to statement.
    current: Rc<MvccSnapshot>,
    latest: Rc<MvccSnapshot>,
    catalog: Rc<MvccSnapshot>,
    /// The transaction's own, from REPEATABLE READ on.
    fixed: Option<Rc<MvccSnapshot>>,
    first_taken: bool,
    /// With the nesting level that pushed it.
    active: Vec<(Rc<MvccSnapshot>, u32)>,
    registered: Vec<(Rc<MvccSnapshot>, u32)>,
    /// Handed out and still held by somebody (an open cursor) when the next one was taken.
    outstanding: Vec<Weak<MvccSnapshot>>,
}

impl Snapshots {
    fn idle(&mut self) -> bool {
        if !self.active.is_empty() || !self.registered.is_empty() || self.fixed.is_some() {
            return false;
        }
        self.outstanding.retain(|w| w.strong_count() > 0);
        self.outstanding.is_empty()
            && Rc::strong_count(&self.current) == 1
            && Rc::strong_count(&self.latest) == 1
    }
    pub(crate) fn first_taken(&self) -> bool {
        self.first_taken
    }
    pub(crate) fn end_transaction(&mut self) {
        self.fixed = None;
        self.first_taken = false;
        self.active.clear();
        self.registered.clear();
        self.outstanding.clear();
    }
    pub(crate) fn end_subtransaction(&mut self, level: u32, commit: bool) {
        if commit {
            for a in &mut self.active {
                a.1 = a.1.min(level - 1);
            }
        } else {
            self.active.retain(|a| a.1 < level);
        }
    }
}

impl Engine {
    fn require_transaction(&self) -> Result<()> {
        if self.in_transaction() { Ok(()) } else { Err(Error::internal("snapshot outside of a transaction")) }
    }
    fn take(&self, which: impl Fn(&mut Snapshots) -> &mut Rc<MvccSnapshot>) -> Rc<MvccSnapshot> {
        let cid = self.current_command_id(false);
        let mut s = self.snaps.borrow_mut();
        let slot = which(&mut s);
        if Rc::strong_count(slot) > 1 {
            let held = Rc::downgrade(slot);
            s.outstanding.push(held);
        }
        let slot = which(&mut s);
        self.fill_snapshot(Rc::make_mut(slot), cid);
        slot.clone()
    }
    /// The snapshot for a new statement: fresh in READ COMMITTED, the transaction's otherwise.
    pub fn transaction_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        self.require_transaction()?;
        let level = self.isolation();
        if matches!(level, IsolationLevel::RepeatableRead | IsolationLevel::Serializable) {
            let cid = self.current_command_id(false);
            let fixed = self.snaps.borrow().fixed.clone();
            if let Some(mut f) = fixed {
                if f.curcid != cid {
                    Rc::make_mut(&mut f).curcid = cid;
                }
                return Ok(f);
            }
            let take = || self.take(|s| &mut s.current);
            let s = if level == IsolationLevel::Serializable {
                self.serializable_snapshot(take)?
            } else {
                take()
            };
            let mut sn = self.snaps.borrow_mut();
            sn.fixed = Some(s.clone());
            sn.first_taken = true;
            return Ok(s);
        }
        self.reset_xmin_if_idle();
        self.snaps.borrow_mut().first_taken = true;
        Ok(self.take(|s| &mut s.current))
    }
    /// A fresh snapshot in any isolation level.
    pub fn latest_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        self.require_transaction()?;
        if !self.snaps.borrow().first_taken {
            return self.transaction_snapshot();
        }
        Ok(self.take(|s| &mut s.latest))
    }
    /// A fresh snapshot for catalog scans.
    pub fn catalog_snapshot(&self) -> Result<Rc<MvccSnapshot>> {
        Ok(self.take(|s| &mut s.catalog))
    }
    /// Makes a snapshot the active one, as it is.
    pub fn push_active_snapshot(&self, s: Rc<MvccSnapshot>) {
        let level = self.nest_level();
        self.snaps.borrow_mut().active.push((s, level));
    }
    /// Takes the active one off.
    pub fn pop_active_snapshot(&self) {
        self.snaps.borrow_mut().active.pop();
    }
    /// The active one.
    pub fn active_snapshot(&self) -> Option<Rc<MvccSnapshot>> {
        self.snaps.borrow().active.last().map(|a| a.0.clone())
    }
    /// Lets the active snapshot see the commands up to the present one.
    pub fn update_active_snapshot_command_id(&self) {
        let cid = self.current_command_id(false);
        if let Some(a) = self.snaps.borrow_mut().active.last_mut()
            && a.0.curcid != cid
        {
            Rc::make_mut(&mut a.0).curcid = cid;
        }
    }
    /// Keeps a snapshot's rows from being vacuumed until `unregister_snapshot`.
    pub fn register_snapshot(&self, s: &Rc<MvccSnapshot>) {
        let mut sn = self.snaps.borrow_mut();
        match sn.registered.iter_mut().find(|r| Rc::ptr_eq(&r.0, s)) {
            Some(r) => r.1 += 1,
            None => sn.registered.push((s.clone(), 1)),
        }
    }
    /// Ends `register_snapshot`.
    pub fn unregister_snapshot(&self, s: &Rc<MvccSnapshot>) {
        let mut sn = self.snaps.borrow_mut();
        if let Some(i) = sn.registered.iter().position(|r| Rc::ptr_eq(&r.0, s)) {
            sn.registered[i].1 -= 1;
            if sn.registered[i].1 == 0 {
                sn.registered.swap_remove(i);
            }
        }
    }
    /// Nothing in use any more: rows only this process kept may be vacuumed.
    pub(crate) fn reset_xmin_if_idle(&self) {
        if self.snaps.borrow_mut().idle() && self.proc().xmin.load(Relaxed) != 0 {
            self.proc().xmin.store(Xid::INVALID.0, Release);
        }
    }
}
