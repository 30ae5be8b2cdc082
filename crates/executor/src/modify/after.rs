//! What is due after a statement, or at commit: foreign-key events and re-checks of deferrable unique constraints. Events
//! of deferred constraints wait in the session ([`Deferred`]) and are run by [`run_deferred`].

use super::fkey::{self, Lookups};
use crate::env::ExecEnv;
use crate::run::{Exec, RunOptions};
use access::UniqueCheck;
use catalog::desc::ForeignKey;
use common::{Oid, Result, Tid};
use std::cell::RefCell;
use std::rc::Rc;
use transam::Snapshot;
use types::{Datum, DatumRef};

/// Something to be checked or done.
#[derive(Clone, Debug)]
pub enum Event {
    /// A row of the referencing table has this key.
    Check { fk: Rc<ForeignKey>, key: Vec<Datum> },
    /// A row of the referenced table with this key was deleted.
    Deleted { fk: Rc<ForeignKey>, old: Vec<Datum> },
    /// … was given another key.
    Updated { fk: Rc<ForeignKey>, old: Vec<Datum>, new: Vec<Datum> },
    /// The entry may be a duplicate.
    Unique { table: Oid, index: Oid, tid: Tid, values: Vec<Datum> },
}

/// Events of the running statement.
#[derive(Default)]
pub struct AfterQueue {
    pub events: Vec<Event>,
}

impl AfterQueue {
    /// A unique index entry to be looked at again.
    pub fn push_unique(&mut self, table: Oid, index: Oid, tid: Tid, values: Vec<Datum>) {
        self.events.push(Event::Unique { table, index, tid, values });
    }
    /// A foreign-key event.
    pub fn push(&mut self, e: Event) {
        self.events.push(e);
    }
}

/// Events of deferred constraints of the running transaction, each with the nesting level it was queued in.
#[derive(Default)]
pub struct Deferred(RefCell<Vec<(u32, Event)>>);

impl Deferred {
    /// Forgets all (end of transaction).
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
    /// Forgets those of subtransactions at `level` and deeper, which were rolled back.
    pub fn rollback_from(&self, level: u32) {
        self.0.borrow_mut().retain(|e| e.0 < level);
    }
    /// Events of a released subtransaction belong to its parent.
    pub fn release(&self, level: u32) {
        for e in self.0.borrow_mut().iter_mut().filter(|e| e.0 >= level) {
            e.0 = level - 1;
        }
    }
    /// Is anything waiting?
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

fn is_deferred(e: &Event) -> bool {
    match e {
        Event::Check { fk, .. } => fk.deferrable && fk.deferred,
        Event::Deleted { fk, .. } => fk.deferrable && fk.deferred && fk.on_delete == b'a',
        Event::Updated { fk, .. } => fk.deferrable && fk.deferred && fk.on_update == b'a',
        // Deferrable unique constraints are checked at the end of the statement; DDL refuses INITIALLY DEFERRED ones.
        Event::Unique { .. } => false,
    }
}

/// Runs what the statement queued, cascades included; deferred events go to the session.
pub fn fire_after(cx: &Exec) -> Result<()> {
    if cx.after.borrow().events.is_empty() {
        return Ok(());
    }
    let eng = cx.engine()?;
    let mut lookups = Lookups::default();
    loop {
        let events = std::mem::take(&mut cx.after.borrow_mut().events);
        if events.is_empty() {
            return Ok(());
        }
        eng.command_counter_increment()?;
        for e in events {
            if is_deferred(&e) {
                cx.env.deferred.0.borrow_mut().push((eng.nest_level(), e));
            } else {
                run(cx, &e, &mut lookups)?;
            }
        }
    }
}

fn run(cx: &Exec, e: &Event, lookups: &mut Lookups) -> Result<()> {
    cx.check_interrupts()?;
    match e {
        Event::Unique { table, index, tid, values } => recheck_unique(cx, *table, *index, *tid, values),
        other => fkey::run(cx, other, lookups),
    }
}

fn recheck_unique(cx: &Exec, table: Oid, index: Oid, tid: Tid, values: &[Datum]) -> Result<()> {
    let eng = cx.engine()?;
    let rel = cx.env.catalog()?.relation(table)?;
    let Some(heap) = &rel.rel else { return Ok(()) };
    // The row may be gone again.
    if access::heap::fetch_row(eng, heap, tid, &Snapshot::SelfSeen)?.is_none() {
        return Ok(());
    }
    let ix = cx.env.catalog()?.index(index)?.rel.clone();
    let v: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    access::btree::insert(eng, &ix, heap, &v, tid, UniqueCheck::Existing).map(|_| ())
}

/// Runs the deferred events: before commit, and for SET CONSTRAINTS … IMMEDIATE.
pub fn run_deferred(env: &Rc<ExecEnv>) -> Result<()> {
    if env.deferred.is_empty() {
        return Ok(());
    }
    let eng = env.engine()?;
    let mut exec = Exec::bare(env);
    let mut lookups = Lookups::default();
    while !env.deferred.is_empty() {
        let events = std::mem::take(&mut *env.deferred.0.borrow_mut());
        eng.command_counter_increment()?;
        exec.start(&[], &RunOptions { snapshot: Some(eng.latest_snapshot()?), row_limit: 0 });
        exec.cid = eng.current_command_id(true);
        for (_, e) in events {
            run(&exec, &e, &mut lookups)?;
        }
        // Cascades queue further events.
        fire_after(&exec)?;
    }
    Ok(())
}
