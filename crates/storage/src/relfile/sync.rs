//! Which files must be synced at the next checkpoint, and which removed after it. Backends put requests in a shared
//! queue; the checkpointer absorbs them into its private table, which removes duplicates. A backend that finds the
//! queue full even after removing duplicates from it syncs the file itself.

use super::{Fork, RelFileLocator, database_dir};
use crate::Store;
use crate::datadir;
use common::{Oid, Result};
use hashbrown::{HashMap, HashSet};
use ipc::{LwLock, Tranche, shared_struct};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Kind {
    /// Sync one segment.
    Segment = 0,
    /// Sync the database's directory.
    Directory = 1,
    /// The relation's fork is gone: forget its requests.
    ForgetFork = 2,
    /// The database is gone.
    ForgetDatabase = 3,
    /// Remove the empty first segment after the next checkpoint.
    Unlink = 4,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    kind: Kind,
    fork: Fork,
    rel: RelFileLocator,
    seg: u32,
}

shared_struct! {
    /// Head of the queue.
    pub struct SyncQueue {
        lock: LwLock,
        count: AtomicU32,
    }
}

impl SyncQueue {
    /// Words of one request.
    pub(crate) const WORDS: usize = 5;

    pub(crate) fn init(&self) {
        self.lock.init(Tranche::CHECKPOINTER_COMM);
    }
}

impl Request {
    fn store(&self, w: &[AtomicU32]) {
        w[0].store(self.kind as u32 | (self.fork as u32) << 8, Relaxed);
        w[1].store(self.rel.spc_oid.0, Relaxed);
        w[2].store(self.rel.db_oid.0, Relaxed);
        w[3].store(self.rel.rel_number, Relaxed);
        w[4].store(self.seg, Relaxed);
    }
    fn load(w: &[AtomicU32]) -> Request {
        let head = w[0].load(Relaxed);
        Request {
            kind: match head & 0xff {
                0 => Kind::Segment,
                1 => Kind::Directory,
                2 => Kind::ForgetFork,
                3 => Kind::ForgetDatabase,
                _ => Kind::Unlink,
            },
            fork: Fork::from_u8((head >> 8) as u8).unwrap_or_default(),
            rel: RelFileLocator::new(Oid(w[1].load(Relaxed)), Oid(w[2].load(Relaxed)), w[3].load(Relaxed)),
            seg: w[4].load(Relaxed),
        }
    }
}

/// Requests collected by the process that performs checkpoints.
#[derive(Default)]
pub(crate) struct PendingSyncs {
    syncs: HashSet<Request>,
    /// With the number of the checkpoint cycle in which it was asked for.
    unlinks: Vec<(RelFileLocator, u64)>,
    cycle: u64,
}

impl PendingSyncs {
    fn add(&mut self, r: Request) {
        match r.kind {
            Kind::Segment | Kind::Directory => {
                self.syncs.insert(r);
            }
            Kind::ForgetFork => {
                self.syncs.retain(|s| s.rel != r.rel || s.fork != r.fork || s.kind != Kind::Segment)
            }
            Kind::ForgetDatabase => {
                self.syncs.retain(|s| s.rel.db_oid != r.rel.db_oid);
                self.unlinks.retain(|(u, _)| u.db_oid != r.rel.db_oid);
            }
            Kind::Unlink => self.unlinks.push((r.rel, self.cycle)),
        }
    }
}

/// What the syncs of a checkpoint took.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncStats {
    pub files: usize,
    pub longest_us: u64,
    pub total_us: u64,
}

impl SyncStats {
    fn add(&mut self, t: std::time::Duration) {
        let us = t.as_micros() as u64;
        self.files += 1;
        self.longest_us = self.longest_us.max(us);
        self.total_us += us;
    }
}

impl Store {
    /// This process performs checkpoints (checkpointer, startup, a process without others): it keeps the table.
    pub fn become_checkpointer(&self) {
        self.pending.borrow_mut().get_or_insert_default();
    }
    /// Gives the table up (startup process at its end): what is in it must have been synced.
    pub fn resign_checkpointer(&self) {
        *self.pending.borrow_mut() = None;
    }
    /// The segment was written and must be synced before the next checkpoint ends.
    pub(crate) fn request_sync(&self, rel: RelFileLocator, fork: Fork, seg: u32) {
        self.request(Request { kind: Kind::Segment, fork, rel, seg });
    }
    /// A file was created or removed in the database's directory.
    pub(crate) fn request_directory_sync(&self, rel: RelFileLocator) {
        let rel = RelFileLocator { rel_number: 0, ..rel };
        self.request(Request { kind: Kind::Directory, fork: Fork::Main, rel, seg: 0 });
    }
    pub(crate) fn request_forget(&self, rel: RelFileLocator, fork: Fork) {
        self.request(Request { kind: Kind::ForgetFork, fork, rel, seg: 0 });
    }
    /// The database's files are about to be removed.
    pub fn forget_database_syncs(&self, db: Oid) {
        let rel = RelFileLocator::new(Oid::INVALID, db, 0);
        self.request(Request { kind: Kind::ForgetDatabase, fork: Fork::Main, rel, seg: 0 });
    }
    pub(crate) fn request_unlink(&self, rel: RelFileLocator) {
        self.request(Request { kind: Kind::Unlink, fork: Fork::Main, rel, seg: 0 });
    }

    fn request(&self, r: Request) {
        // A crash takes temporary relations with it.
        if r.rel.is_temp() {
            return;
        }
        if let Some(p) = &mut *self.pending.borrow_mut() {
            p.add(r);
            return;
        }
        if self.enqueue(&r) {
            return;
        }
        match r.kind {
            Kind::Segment => {
                // Somebody must do it before the page counts as written.
                let _shown = self.shown(ipc::WaitEvent::DATA_FILE_SYNC);
                if let Err(e) = self.files().sync_segment(r.rel, r.fork, r.seg) {
                    datadir::panic_exit(&e.report().message);
                }
            }
            Kind::Directory => {
                let _ = datadir::sync_path(&self.files().database_path(r.rel.spc_oid, r.rel.db_oid));
            }
            _ => {
                // Must not be lost, and the checkpointer empties the queue regularly.
                let _shown = self.shown(ipc::WaitEvent::REGISTER_SYNC_REQUEST);
                while !self.enqueue(&r) {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            }
        }
    }
    fn enqueue(&self, r: &Request) -> bool {
        let sh = self.shared();
        let _g = sh.sync.lock.exclusive(self.proc());
        let capacity = sh.sync_slots.len() / SyncQueue::WORDS;
        let mut n = sh.sync.count.load(Relaxed) as usize;
        if n == capacity {
            n = self.compact_queue();
            if n == capacity {
                return false;
            }
        }
        r.store(&sh.sync_slots[n * SyncQueue::WORDS..]);
        sh.sync.count.store(n as u32 + 1, Relaxed);
        true
    }
    /// Removes earlier duplicates from the queue (the last one counts: a forget may lie between). Lock held.
    fn compact_queue(&self) -> usize {
        let sh = self.shared();
        let n = sh.sync.count.load(Relaxed) as usize;
        let all: Vec<Request> =
            (0..n).map(|i| Request::load(&sh.sync_slots[i * SyncQueue::WORDS..])).collect();
        let mut last: HashMap<Request, usize> = HashMap::new();
        for (i, r) in all.iter().enumerate() {
            last.insert(*r, i);
        }
        let mut kept = 0;
        for (i, r) in all.iter().enumerate() {
            if last.get(r) == Some(&i) {
                r.store(&sh.sync_slots[kept * SyncQueue::WORDS..]);
                kept += 1;
            }
        }
        sh.sync.count.store(kept as u32, Relaxed);
        kept
    }
    /// Moves the shared queue into the private table. To be called often by the checkpointer.
    pub fn absorb_sync_requests(&self) {
        let sh = self.shared();
        let mut pending = self.pending.borrow_mut();
        let Some(p) = &mut *pending else { return };
        if sh.sync.count.load(Relaxed) == 0 {
            return;
        }
        // A death between taking the requests and syncing would lose them: the critical section makes the postmaster
        // restart everything. Outside of it the same holds, since the checkpointer is never contained.
        self.proc().enter_critical();
        {
            let _g = sh.sync.lock.exclusive(self.proc());
            let n = sh.sync.count.load(Relaxed) as usize;
            for i in 0..n {
                p.add(Request::load(&sh.sync_slots[i * SyncQueue::WORDS..]));
            }
            sh.sync.count.store(0, Relaxed);
        }
        self.proc().leave_critical();
    }
    /// Requests of removal made from here on wait for the checkpoint after this one. Called when a checkpoint begins.
    pub fn sync_pre_checkpoint(&self) {
        self.absorb_sync_requests();
        if let Some(p) = &mut *self.pending.borrow_mut() {
            p.cycle += 1;
        }
    }
    /// Syncs every file written since the last checkpoint, after all dirty buffers were written. Returns how many.
    pub fn sync_requested_files(&self) -> Result<SyncStats> {
        self.absorb_sync_requests();
        let mut todo: Vec<Request> = match &mut *self.pending.borrow_mut() {
            Some(p) => p.syncs.drain().collect(),
            None => return Ok(SyncStats::default()),
        };
        if !self.config().fsync {
            return Ok(SyncStats::default());
        }
        let mut stats = SyncStats::default();
        todo.sort_unstable_by_key(|r| (r.kind as u8, r.rel, r.fork, r.seg));
        for r in &todo {
            let begun = std::time::Instant::now();
            let _shown = self.shown(ipc::WaitEvent::DATA_FILE_SYNC);
            match r.kind {
                Kind::Directory => datadir::sync_path(&self.data_path(r.rel))?,
                // Gone means dropped since: its durability is nobody's concern.
                _ => {
                    self.files().sync_segment(r.rel, r.fork, r.seg)?;
                }
            }
            stats.add(begun.elapsed());
        }
        Ok(stats)
    }
    fn data_path(&self, rel: RelFileLocator) -> std::path::PathBuf {
        self.files().data_dir().join(database_dir(rel.spc_oid, rel.db_oid))
    }
    /// Removes the files whose removal was asked for before the checkpoint began.
    pub fn sync_post_checkpoint(&self) -> Result<()> {
        let due: Vec<RelFileLocator> = match &mut *self.pending.borrow_mut() {
            Some(p) => {
                let cycle = p.cycle;
                let (due, later) = std::mem::take(&mut p.unlinks).into_iter().partition(|(_, c)| *c < cycle);
                p.unlinks = later;
                let due: Vec<(RelFileLocator, u64)> = due;
                due.into_iter().map(|(r, _)| r).collect()
            }
            None => return Ok(()),
        };
        for rel in due {
            self.files().unlink(rel, Fork::Main, false)?;
            self.request_directory_sync(rel);
        }
        Ok(())
    }
}
