//! SERIALIZABLE as serializable snapshot isolation (Cahill, Röhm, Fekete 2008; Ports and Grittner 2012). A transaction works
//! on its snapshot as under REPEATABLE READ. If T1 reads what T2, overlapping with it, has overwritten, then T1 must come
//! before T2 in any serial order: a conflict out of T1 into T2. An anomaly needs two such conflicts in a row,
//! T1 → T2 → T3, where T3 is the first of the three to commit; when that is found, one of the three is made to fail.
//!
//! Reads are remembered: a sequential scan's as the whole table, an index scan's as the leaves it visits, so that keys
//! inserted into the gaps it saw are noticed, and the rows it fetches. A writer looks for readers of what it changes,
//! holding the page's lock; a reader that comes later finds the writer's id in the row. Each conflict is found by the
//! one who comes second.
//!
//! Committed transactions stay in the table while one runs that does not see them. When the table is full the oldest
//! is folded into the head: all that is known then is that there was one.

mod granularity;
pub mod reads;
mod status;
pub mod table;

pub(crate) use granularity::Limits;
pub use reads::{Place, Target};

use crate::{Engine, IsolationLevel, MvccSnapshot};
use common::{BlockNumber, Error, Oid, Result, Xid, err};
use granularity::{Change, Granularity};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use table::{ACTIVE, COMMITTED, FREE, NEVER, SerXact, SsiTable, flag};

/// The running transaction's part.
#[derive(Default)]
pub(crate) struct Local {
    /// Its entry in the table.
    me: Cell<Option<usize>>,
    reads: RefCell<Granularity>,
    /// Overlapping transactions found in rows read: each is looked at once.
    overtakers: RefCell<BTreeSet<Xid>>,
    pub(crate) limits: Cell<Limits>,
}

#[cold]
fn failure(reason: impl std::fmt::Display) -> Error {
    err!(
        T_R_SERIALIZATION_FAILURE,
        "could not serialize access due to read/write dependencies among transactions"
    )
    .detail(format!("Reason code: {reason}."))
    .hint("The transaction might succeed if retried.")
}

impl Engine {
    fn ssi(&self) -> (&SsiTable, ipc::lwlock::ExclusiveGuard<'static>) {
        let t = &self.shared.ssi;
        (t, t.head.lock.exclusive(self.proc()))
    }

    /// Takes the snapshot of a serializable transaction and enters it into the table.
    pub(crate) fn serializable_snapshot(
        &self,
        take: impl Fn() -> Rc<MvccSnapshot>,
    ) -> Result<Rc<MvccSnapshot>> {
        if self.read_only() && self.deferrable() {
            return self.safe_snapshot(take);
        }
        let (t, _guard) = self.ssi();
        let s = take();
        let others =
            t.used().any(|i| t.xacts[i].state.load(Relaxed) == ACTIVE && !t.xacts[i].has(flag::READ_ONLY));
        if self.read_only() && !others {
            // Nobody writes who could come between: the snapshot is as good as a serial order.
            return Ok(s);
        }
        self.enter(t, if self.read_only() { flag::READ_ONLY } else { 0 })?;
        Ok(s)
    }

    /// READ ONLY DEFERRABLE: waits for a snapshot that no writer can make part of an anomaly.
    fn safe_snapshot(&self, take: impl Fn() -> Rc<MvccSnapshot>) -> Result<Rc<MvccSnapshot>> {
        loop {
            let (s, writers) = {
                let (t, _guard) = self.ssi();
                let s = take();
                let writes = |i: &usize| {
                    t.xacts[*i].state.load(Relaxed) == ACTIVE && !t.xacts[*i].has(flag::READ_ONLY)
                };
                let writers: Vec<(usize, u64)> =
                    t.used().filter(writes).map(|i| (i, t.xacts[i].birth.load(Relaxed))).collect();
                if writers.is_empty() {
                    return Ok(s);
                }
                self.enter(t, flag::READ_ONLY | flag::WAITS_SAFE)?;
                (s, writers)
            };
            let safe = self.wait_for_writers(&writers);
            self.ssi_end(false);
            if safe? {
                return Ok(s);
            }
        }
    }

    /// Waits until all of them have ended; true if none committed with a conflict that reaches behind the snapshot.
    fn wait_for_writers(&self, writers: &[(usize, u64)]) -> Result<bool> {
        let _w = self.interrupts.waiting(ipc::WaitEvent::SAFE_SNAPSHOT);
        loop {
            self.check_interrupts()?;
            {
                let (t, _guard) = self.ssi();
                let Some(me) = self.ssi_local.me.get() else { return Ok(true) };
                if t.xacts[me].has(flag::UNSAFE) {
                    return Ok(false);
                }
                let runs = |w: &&(usize, u64)| {
                    let x = &t.xacts[w.0];
                    x.state.load(Relaxed) == ACTIVE && x.birth.load(Relaxed) == w.1
                };
                if !writers.iter().any(|w| runs(&w)) {
                    return Ok(true);
                }
            }
            // Whoever ends sets the latch; the limit is for one that is killed.
            self.proc().latch().wait(Some(Duration::from_secs(1)));
            self.proc().latch().reset();
        }
    }

    fn enter(&self, t: &SsiTable, flags: u32) -> Result<()> {
        self.forget_old(t);
        if !t.xacts.iter().any(|x| x.state.load(Relaxed) == FREE) {
            summarize(t);
        }
        let Some(i) = t.xacts.iter().position(|x| x.state.load(Relaxed) == FREE) else {
            return Err(err!(OUT_OF_MEMORY, "out of shared memory")
                .hint("You might need to run fewer transactions at a time or increase max_connections."));
        };
        let x = &t.xacts[i];
        x.read_count.store(0, Relaxed);
        x.flags.store(flags, Relaxed);
        x.owner.store(self.proc().number() + 1, Relaxed);
        x.pid.store(self.proc().pid() as u32, Relaxed);
        x.lxid.store(self.proc().lxid.load(Relaxed), Relaxed);
        x.birth.store(t.head.births.fetch_add(1, Relaxed) + 1, Relaxed);
        x.xid.store(0, Relaxed);
        x.start.store(t.head.sequence.load(Relaxed), Relaxed);
        for number in [&x.prepared, &x.committed, &x.earliest_out] {
            number.store(NEVER, Relaxed);
        }
        x.state.store(ACTIVE, Relaxed);
        self.ssi_local.me.set(Some(i));
        Ok(())
    }

    /// Committed transactions that everybody sees matter no more.
    fn forget_old(&self, t: &SsiTable) {
        let oldest = t
            .used()
            .filter(|i| t.xacts[*i].state.load(Relaxed) == ACTIVE)
            .map(|i| t.xacts[i].start.load(Relaxed))
            .min()
            .unwrap_or(NEVER);
        let over = |i: &usize| t.xacts[*i].is_committed() && t.xacts[*i].committed.load(Relaxed) <= oldest;
        let gone: Vec<usize> = t.used().filter(over).collect();
        gone.into_iter().for_each(|i| t.free(i));
    }

    /// Is the running transaction one whose reads and writes are remembered?
    #[inline]
    pub fn is_tracked(&self) -> bool {
        self.ssi_local.me.get().is_some()
    }
    fn target(&self, rel: Oid, place: Place) -> Target {
        Target { db: self.proc().database(), rel, place }
    }

    /// The transaction reads a place of a relation, and holds the page's lock if it is less than the whole. 40001.
    pub fn note_read(&self, rel: Oid, place: Place) -> Result<()> {
        let Some(me) = self.ssi_local.me.get() else { return Ok(()) };
        let x = &self.shared.ssi.xacts[me];
        // Read without the lock: one that is doomed now finds out at its commit at the latest.
        if x.has(flag::DOOMED) {
            return Err(failure("Canceled on identification as a pivot, during conflict out checking"));
        }
        let change = self.ssi_local.reads.borrow_mut().note(rel, place, self.ssi_local.limits.get());
        let Some(change) = change else { return Ok(()) };
        let (t, _guard) = self.ssi();
        let put = |of: Oid, c: &Change| {
            for p in &c.drop {
                t.drop_read(me, self.target(of, *p));
            }
            t.add_read(me, self.target(of, c.add))
        };
        if put(rel, &change) {
            return Ok(());
        }
        // No room: what takes most of it is remembered more coarsely.
        while let Some((of, coarse)) = self.ssi_local.reads.borrow_mut().coarsen() {
            if put(of, &coarse) && (of == rel || put(rel, &change)) {
                return Ok(());
            }
        }
        t.read_all(me);
        Ok(())
    }

    /// A row that is read shows the work of `xid`, which overlaps with this transaction: it goes before that one. The
    /// caller holds the page's lock. 40001.
    pub fn note_overtaken(&self, xid: Xid) -> Result<()> {
        let Some(me) = self.ssi_local.me.get() else { return Ok(()) };
        if !self.ssi_local.overtakers.borrow_mut().insert(xid) {
            return Ok(());
        }
        let top = self.top_parent_xid(xid)?;
        let (t, _guard) = self.ssi();
        let x = &t.xacts[me];
        if x.has(flag::DOOMED) {
            return Err(failure("Canceled on identification as a pivot, during conflict out checking"));
        }
        let Some(w) = t.used().find(|w| t.xacts[*w].xid.load(Relaxed) == top.0) else {
            // Not a serializable one, or one that is no longer remembered.
            let is_old = t.head.old_writer.load(Relaxed) > x.start.load(Relaxed);
            return if is_old { old_writer(t, me) } else { Ok(()) };
        };
        let writer = &t.xacts[w];
        let seen = writer.is_committed() && writer.committed.load(Relaxed) <= x.start.load(Relaxed);
        if w == me || seen || writer.has(flag::DOOMED) || t.edge(me, w) || runs_first(x, writer) {
            return Ok(());
        }
        self.conflict(t, me, w, me)
    }

    /// The transaction changes a place: the row it deletes or replaces, the leaf that gets a key, or, for a new row, the
    /// relation. The caller holds the page's lock and has not made the change yet. 40001.
    pub fn note_write(&self, rel: Oid, place: Place) -> Result<()> {
        let Some(me) = self.ssi_local.me.get() else { return Ok(()) };
        let t = &self.shared.ssi;
        let x = &t.xacts[me];
        if x.has(flag::DOOMED) {
            return Err(failure("Canceled on identification as a pivot, during conflict in checking"));
        }
        let mut targets = vec![self.target(rel, Place::Whole)];
        match place {
            Place::Whole => {}
            Place::Page(_) => targets.push(self.target(rel, place)),
            Place::Row(tid) => {
                targets.extend([self.target(rel, place), self.target(rel, Place::Page(tid.block))]);
            }
        }
        if x.wrote() {
            let _guard = t.head.lock.shared(self.proc());
            if !t.is_read(&targets, me) && t.head.old_reader.load(Relaxed) <= x.start.load(Relaxed) {
                return Ok(());
            }
        }
        self.conflicts_in(me, |t| t.readers_of(&targets, me))
    }

    /// Every row of the relation goes (TRUNCATE, DROP). 40001.
    pub fn note_write_all(&self, rel: Oid) -> Result<()> {
        let Some(me) = self.ssi_local.me.get() else { return Ok(()) };
        let db = self.proc().database();
        self.conflicts_in(me, |t| {
            let targets = t.reads.entries_of(Some((db, rel))).into_iter().map(|at| t.reads.target(at));
            t.readers_of(&targets.collect::<Vec<_>>(), me)
        })
    }

    fn conflicts_in(&self, me: usize, readers: impl Fn(&SsiTable) -> Vec<usize>) -> Result<()> {
        let xid = self.top_xid()?;
        let (t, _guard) = self.ssi();
        let x = &t.xacts[me];
        x.xid.store(xid.0, Relaxed);
        if x.has(flag::DOOMED) {
            return Err(failure("Canceled on identification as a pivot, during conflict in checking"));
        }
        x.set(flag::WROTE);
        if t.head.old_reader.load(Relaxed) > x.start.load(Relaxed) {
            x.set(flag::SUMMARY_IN);
            if x.has(flag::SUMMARY_OUT)
                || (0..t.xacts.len()).any(|o| t.edge(me, o) && t.xacts[o].is_prepared())
            {
                return Err(failure("Canceled on identification as a pivot, during write"));
            }
        }
        for r in readers(t) {
            let reader = &t.xacts[r];
            let over = reader.is_committed() && reader.committed.load(Relaxed) <= x.start.load(Relaxed);
            if over || reader.has(flag::DOOMED) || t.edge(r, me) {
                continue;
            }
            self.conflict(t, r, me, me)?;
        }
        Ok(())
    }

    /// Keys of an index page have gone to another page as well: so have the reads. The caller holds both pages.
    pub fn reads_spread(&self, rel: Oid, from: BlockNumber, to: BlockNumber) {
        if self.shared.ssi.reads.is_empty() {
            return;
        }
        let (t, _guard) = self.ssi();
        let Some(at) = t.reads.find(self.target(rel, Place::Page(from))) else { return };
        for r in t.reads.readers(at).collect::<Vec<_>>() {
            if !t.add_read(r, self.target(rel, Place::Page(to))) {
                t.read_all(r);
            }
        }
    }

    /// The rows of a relation have got other places, or it goes: its reads count for the whole of `to`.
    pub fn reads_moved(&self, rel: Oid, to: Oid) {
        if self.shared.ssi.reads.is_empty() {
            return;
        }
        let (t, _guard) = self.ssi();
        for at in t.reads.entries_of(Some((self.proc().database(), rel))) {
            let target = t.reads.target(at);
            if rel == to && target.place == Place::Whole {
                continue;
            }
            for r in t.reads.readers(at).collect::<Vec<_>>() {
                t.drop_read(r, target);
                if !t.add_read(r, self.target(to, Place::Whole)) {
                    t.read_all(r);
                }
            }
        }
    }

    /// What is remembered of reads, with the process and virtual transaction of the reader (`None`: over), for
    /// `pg_locks`.
    pub fn remembered_reads(&self) -> Vec<(Target, Option<u32>)> {
        let t = &self.shared.ssi;
        let _guard = t.head.lock.shared(self.proc());
        let mut all = Vec::new();
        for at in t.reads.entries_of(None) {
            for r in t.reads.readers(at) {
                let x = &t.xacts[r];
                let owner = (x.state.load(Relaxed) == ACTIVE).then(|| x.owner.load(Relaxed).wrapping_sub(1));
                all.push((t.reads.target(at), owner));
            }
        }
        all
    }

    /// Notes that `reader` has read what `writer` overwrites, and looks for two conflicts in a row.
    fn conflict(&self, t: &SsiTable, reader: usize, writer: usize, me: usize) -> Result<()> {
        if dangerous(t, reader, writer) {
            if writer == me {
                return Err(failure("Canceled on identification as a pivot, during write"));
            }
            if t.xacts[writer].is_prepared() {
                let xid = t.xacts[writer].xid.load(Relaxed);
                return Err(failure(format_args!("Canceled on conflict out to pivot {xid}, during read")));
            }
            t.xacts[writer].set(flag::DOOMED);
        }
        t.set_edge(reader, writer);
        Ok(())
    }

    /// Before the commit record: may it commit? One that overlaps may be doomed instead. 40001.
    pub(crate) fn ssi_pre_commit(&self) -> Result<()> {
        let Some(me) = self.ssi_local.me.get() else { return Ok(()) };
        let (t, _guard) = self.ssi();
        let x = &t.xacts[me];
        if x.has(flag::DOOMED) {
            return Err(failure("Canceled on identification as a pivot, during commit attempt"));
        }
        for pivot in t.used().filter(|p| t.edge(*p, me)).collect::<Vec<_>>() {
            let p = &t.xacts[pivot];
            if p.is_committed() || p.has(flag::DOOMED) {
                continue;
            }
            let comes_first = |far: usize| {
                let f = &t.xacts[far];
                far == me || !f.is_committed() && !f.has(flag::READ_ONLY | flag::DOOMED)
            };
            if t.used().any(|far| t.edge(far, pivot) && comes_first(far)) {
                if p.is_prepared() {
                    return Err(failure("Canceled on commit attempt with conflict in from prepared pivot"));
                }
                p.set(flag::DOOMED);
            }
        }
        x.prepared.store(t.head.sequence.fetch_add(1, Relaxed) + 1, Relaxed);
        Ok(())
    }

    /// The transaction is over and has left the array of running ones.
    pub(crate) fn ssi_end(&self, committed: bool) {
        let Some(me) = self.ssi_local.me.take() else { return };
        self.ssi_local.reads.borrow_mut().clear();
        self.ssi_local.overtakers.borrow_mut().clear();
        let (t, guard) = self.ssi();
        self.leave(t, me, committed);
        let waiting: Vec<u32> = t
            .used()
            .filter(|i| t.xacts[*i].has(flag::WAITS_SAFE))
            .map(|i| t.xacts[i].owner.load(Relaxed))
            .collect();
        drop(guard);
        for owner in waiting {
            self.procs.get(owner - 1).latch().set();
        }
    }

    /// What a killed process left.
    pub(crate) fn ssi_end_dead(&self, dead: &ipc::Proc, committed: bool) {
        let (t, _guard) = self.ssi();
        let mine = |i: &usize| {
            let x = &t.xacts[*i];
            x.state.load(Relaxed) == ACTIVE && x.owner.load(Relaxed) == dead.number() + 1
        };
        for i in t.used().filter(mine).collect::<Vec<_>>() {
            self.leave(t, i, committed);
        }
    }

    fn leave(&self, t: &SsiTable, me: usize, committed: bool) {
        let x = &t.xacts[me];
        if !committed {
            t.free(me);
            return self.forget_old(t);
        }
        if !x.wrote() {
            x.set(flag::READ_ONLY);
        }
        for o in t.used().filter(|o| t.edge(me, *o)).collect::<Vec<_>>() {
            let out = &t.xacts[o];
            if out.is_committed() {
                if !x.has(flag::READ_ONLY) {
                    let n = out.prepared.load(Relaxed).min(x.earliest_out.load(Relaxed));
                    x.earliest_out.store(n, Relaxed);
                    x.set(flag::CONFLICT_OUT);
                }
                t.clear_edge(me, o);
            }
        }
        for i in t.used().filter(|i| t.edge(*i, me)).collect::<Vec<_>>() {
            if t.xacts[i].is_committed() || t.xacts[i].has(flag::READ_ONLY) {
                t.clear_edge(i, me);
            }
        }
        // A reader waiting for safety is not safe if this one reaches behind its snapshot.
        for r in t.used().filter(|r| t.xacts[*r].has(flag::WAITS_SAFE)) {
            let behind = x.earliest_out.load(Relaxed) <= t.xacts[r].start.load(Relaxed);
            if !x.has(flag::READ_ONLY) && (x.has(flag::CONFLICT_OUT) && behind || x.has(flag::SUMMARY_OUT)) {
                t.xacts[r].set(flag::UNSAFE);
            }
        }
        let number = t.head.sequence.fetch_add(1, Relaxed) + 1;
        if !x.is_prepared() {
            x.prepared.store(number, Relaxed);
        }
        x.committed.store(number, Relaxed);
        x.state.store(COMMITTED, Relaxed);
        self.forget_old(t);
    }

    /// Does the transaction run under SERIALIZABLE?
    pub fn is_serializable(&self) -> bool {
        self.isolation() == IsolationLevel::Serializable
    }
}

/// A read-only transaction can be put before a committed writer that has no conflict out behind the reader's snapshot.
fn runs_first(reader: &SerXact, writer: &SerXact) -> bool {
    reader.has(flag::READ_ONLY)
        && writer.is_committed()
        && !writer.has(flag::SUMMARY_OUT)
        && (!writer.has(flag::CONFLICT_OUT) || reader.start.load(Relaxed) < writer.earliest_out.load(Relaxed))
}

/// Would a conflict from `r` into `w` be one of two in a row, with the last of the three committed first?
fn dangerous(t: &SsiTable, r: usize, w: usize) -> bool {
    let (reader, writer) = (&t.xacts[r], &t.xacts[w]);
    if writer.is_committed() && writer.has(flag::CONFLICT_OUT | flag::SUMMARY_OUT) {
        return true;
    }
    // The writer in the middle: r → w → o, o first.
    let not_after = |n: u64, x: &SerXact| !x.is_committed() || n <= x.committed.load(Relaxed);
    let last = |o: usize| {
        let n = t.xacts[o].prepared.load(Relaxed);
        n != NEVER
            && not_after(n, reader)
            && not_after(n, writer)
            && (!reader.has(flag::READ_ONLY) || n <= reader.start.load(Relaxed))
    };
    if writer.has(flag::SUMMARY_OUT) || t.used().any(|o| t.edge(w, o) && last(o)) {
        return true;
    }
    // The reader in the middle: i → r → w, w first.
    if !writer.is_prepared() || reader.has(flag::READ_ONLY) {
        return false;
    }
    reader.has(flag::SUMMARY_IN) || first_overtaken(t, r, writer.prepared.load(Relaxed))
}

/// Is there one with a conflict into `r` that is not over before number `n`?
fn first_overtaken(t: &SsiTable, r: usize, n: u64) -> bool {
    t.used().any(|i| {
        let x = &t.xacts[i];
        t.edge(i, r)
            && !x.has(flag::DOOMED)
            && (!x.is_committed() || x.committed.load(Relaxed) >= n)
            && (!x.has(flag::READ_ONLY) || x.start.load(Relaxed) >= n)
    })
}

/// `me` may have read what a transaction that is no longer remembered has overwritten.
fn old_writer(t: &SsiTable, me: usize) -> Result<()> {
    let x = &t.xacts[me];
    if t.head.old_writer_out.load(Relaxed) != 0 {
        return Err(failure("Canceled on conflict out to old pivot"));
    }
    x.set(flag::SUMMARY_OUT);
    if !x.has(flag::READ_ONLY) && (x.has(flag::SUMMARY_IN) || first_overtaken(t, me, 0)) {
        return Err(failure(
            "Canceled on identification as a pivot, with conflict out to old committed transaction",
        ));
    }
    Ok(())
}

/// Makes room: the transaction that committed first is folded into the head.
fn summarize(t: &SsiTable) {
    let committed = |i: &usize| t.xacts[*i].is_committed();
    let Some(i) = t.used().filter(committed).min_by_key(|i| t.xacts[*i].committed.load(Relaxed)) else {
        return;
    };
    let (x, h) = (&t.xacts[i], &t.head);
    let number = x.committed.load(Relaxed);
    if x.read_count.load(Relaxed) > 0 {
        h.old_reader.fetch_max(number, Relaxed);
    }
    if x.wrote() {
        h.old_writer.fetch_max(number, Relaxed);
        if x.has(flag::CONFLICT_OUT | flag::SUMMARY_OUT) {
            h.old_writer_out.store(1, Relaxed);
        }
    }
    for j in t.used().filter(|j| *j != i) {
        if t.edge(j, i) {
            t.xacts[j].set(flag::SUMMARY_OUT);
        }
        if t.edge(i, j) {
            t.xacts[j].set(flag::SUMMARY_IN);
        }
    }
    t.free(i);
}
