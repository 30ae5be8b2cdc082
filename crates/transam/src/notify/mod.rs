//! LISTEN and NOTIFY: what a transaction wants to send and to hear takes effect when it commits. Notifications are put
//! into the queue just before the commit, with the transaction's id, one committing sender at a time: so listeners see
//! them in the order of the commits, and skip those of transactions that failed after all.

pub mod queue;

use crate::{Engine, LockMode};
use common::{Oid, Result, Xid, bail};
use queue::Entry;
use std::cell::RefCell;
use std::collections::HashSet;

/// Class and object of the lock that puts committing senders in a line: "database 0", as PostgreSQL takes it.
const DATABASE_CLASS: Oid = Oid(1262);
const LONGEST_CHANNEL: usize = 63;
const LONGEST_PAYLOAD: usize = 7999;

/// What a statement asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
    Send { channel: String, payload: String },
}

/// A notification for this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub pid: i32,
    pub channel: String,
    pub payload: String,
}

/// The session's side.
#[derive(Default)]
pub(crate) struct Notify {
    /// Wishes of the transaction, with the nesting level of each.
    wishes: RefCell<Vec<(u32, Wish)>>,
    /// Channels and payloads of the notifications among them.
    sent: RefCell<HashSet<(String, String)>>,
    channels: RefCell<Vec<String>>,
}

impl Engine {
    fn wish(&self, w: Wish) {
        self.notify.wishes.borrow_mut().push((self.nest_level(), w));
    }
    /// LISTEN, from the commit on.
    pub fn listen(&self, channel: &str) {
        self.wish(Wish::Listen(channel.to_string()));
    }
    /// UNLISTEN of a channel, or of all.
    pub fn unlisten(&self, channel: Option<&str>) {
        // Nothing to take back, as in sessions that never listen: the commit has nothing to do.
        if self.notify.channels.borrow().is_empty() && self.notify.wishes.borrow().is_empty() {
            return;
        }
        self.wish(channel.map_or(Wish::UnlistenAll, |c| Wish::Unlisten(c.to_string())));
    }
    /// NOTIFY. 22023 for a channel or payload of the wrong length; the same notification twice is one.
    pub fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        if channel.is_empty() {
            bail!(INVALID_PARAMETER_VALUE, "channel name cannot be empty");
        }
        if channel.len() > LONGEST_CHANNEL {
            bail!(INVALID_PARAMETER_VALUE, "channel name too long");
        }
        if payload.len() > LONGEST_PAYLOAD {
            bail!(INVALID_PARAMETER_VALUE, "payload string too long");
        }
        let (channel, payload) = (channel.to_string(), payload.to_string());
        if self.notify.sent.borrow_mut().insert((channel.clone(), payload.clone())) {
            self.wish(Wish::Send { channel, payload });
        }
        Ok(())
    }
    /// Channels this session listens to.
    pub fn listening_channels(&self) -> Vec<String> {
        self.notify.channels.borrow().clone()
    }
    /// The part of the queue in use.
    pub fn notification_queue_usage(&self) -> f64 {
        self.shared.notify.usage(&self.procs)
    }
    /// Before the commit: joins the queue, puts the notifications into it.
    pub fn notify_before_commit(&self) -> Result<()> {
        let wishes = self.notify.wishes.borrow();
        if wishes.is_empty() {
            return Ok(());
        }
        if wishes.iter().any(|w| matches!(w.1, Wish::Listen(_))) {
            self.shared.notify.join(self.proc());
        }
        let mut entries = Vec::new();
        for (_, w) in wishes.iter() {
            if let Wish::Send { channel, payload } = w {
                entries.push(Entry {
                    database: self.proc().database().0,
                    xid: self.top_xid()?.0,
                    pid: self.proc().pid(),
                    channel: channel.clone(),
                    payload: payload.clone(),
                });
            }
        }
        if !entries.is_empty() {
            self.lock_object(Oid::INVALID, DATABASE_CLASS, Oid::INVALID, 0, LockMode::AccessExclusive)?;
            self.shared.notify.append(self.proc(), &self.procs, &entries)?;
        }
        Ok(())
    }
    /// The transaction is over.
    pub fn notify_at_end(&self, committed: bool) {
        let wishes = std::mem::take(&mut *self.notify.wishes.borrow_mut());
        *self.notify.sent.borrow_mut() = HashSet::new();
        if wishes.is_empty() {
            return;
        }
        let mut sent = false;
        if committed {
            let mut channels = self.notify.channels.borrow_mut();
            for (_, w) in wishes {
                match w {
                    Wish::Listen(c) if !channels.contains(&c) => channels.push(c),
                    Wish::Listen(_) => {}
                    Wish::Unlisten(c) => channels.retain(|x| *x != c),
                    Wish::UnlistenAll => channels.clear(),
                    Wish::Send { .. } => sent = true,
                }
            }
        }
        if self.notify.channels.borrow().is_empty() {
            self.shared.notify.leave(self.proc());
        }
        if sent {
            self.shared.notify.wake(self.proc(), &self.procs);
        }
    }
    /// A subtransaction at `level` is over: its wishes become its parent's, or nothing.
    pub fn notify_at_subend(&self, level: u32, committed: bool) {
        let mut wishes = self.notify.wishes.borrow_mut();
        if committed {
            wishes.iter_mut().filter(|w| w.0 >= level).for_each(|w| w.0 = level - 1);
        } else {
            let mut sent = self.notify.sent.borrow_mut();
            wishes.retain(|(at, w)| {
                let stays = *at < level;
                if !stays && let Wish::Send { channel, payload } = w {
                    sent.remove(&(channel.clone(), payload.clone()));
                }
                stays
            });
        }
    }
    /// What has been sent to this session's channels. Between transactions only.
    pub fn notifications(&self) -> Result<Vec<Notification>> {
        let mut out = Vec::new();
        if self.notify.channels.borrow().is_empty() || !self.shared.notify.has_news(self.proc()) {
            return Ok(out);
        }
        let channels = self.notify.channels.borrow();
        self.shared.notify.receive(self.proc(), |e| {
            if e.database != self.proc().database().0 {
                return Ok(true);
            }
            let xid = Xid(e.xid);
            if self.xid_is_in_progress(xid) {
                return Ok(false);
            }
            if channels.contains(&e.channel) && self.xid_did_commit(xid)? {
                out.push(Notification { pid: e.pid, channel: e.channel, payload: e.payload });
            }
            Ok(true)
        })?;
        Ok(out)
    }
}
