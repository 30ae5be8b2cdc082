//! What is due after a statement, or at commit: foreign-key events and re-checks of deferrable unique constraints. Events
//! of deferred constraints wait in the session ([`Deferred`]) and are run by [`run_deferred`].

use super::fkey::{self, Lookups};
use crate::env::ExecEnv;
use crate::run::{Exec, RunOptions};
use access::UniqueCheck;
use catalog::desc::ForeignKey;
use common::{Oid, Result, Tid};
use planner::instrument::TriggerKind;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use transam::Snapshot;
use types::{Datum, DatumRef};

/// Something to be checked or done.
#[derive(Clone, Debug)]
pub enum Event {
    /// A row of the referencing table has this key.
    Check { fk: Rc<ForeignKey>, key: Vec<Datum>, row: Option<Tid> },
    /// A row of the referenced table with this key was deleted.
    Deleted { fk: Rc<ForeignKey>, old: Vec<Datum> },
    /// … was given another key.
    Updated { fk: Rc<ForeignKey>, old: Vec<Datum>, new: Vec<Datum> },
    /// The entry may be a duplicate.
    Unique { table: Oid, index: Oid, tid: Tid, values: Vec<Datum>, constraint: Oid, deferred: bool },
}

impl Event {
    /// The trigger that PostgreSQL has for it: constraint, table, kind.
    fn trigger(&self) -> (Oid, Oid, TriggerKind) {
        match self {
            Event::Check { fk, .. } => (fk.oid, fk.conrelid, TriggerKind::Check),
            Event::Deleted { fk, .. } => (fk.oid, fk.confrelid, TriggerKind::Deleted),
            Event::Updated { fk, .. } => (fk.oid, fk.confrelid, TriggerKind::Updated),
            Event::Unique { table, constraint, .. } => (*constraint, *table, TriggerKind::Check),
        }
    }
}

/// Events of the running statement.
#[derive(Default)]
pub struct AfterQueue {
    pub events: Vec<Event>,
}

impl AfterQueue {
    /// A unique index entry to be looked at again.
    pub fn push_unique(&mut self, ix: &catalog::desc::IndexDesc, tid: Tid, values: Vec<Datum>) {
        self.events.push(Event::Unique {
            table: ix.table,
            index: ix.oid,
            tid,
            values,
            constraint: ix.constraint,
            deferred: ix.deferred,
        });
    }
    /// A foreign-key event.
    pub fn push(&mut self, e: Event) {
        self.events.push(e);
    }
}

/// What SET CONSTRAINTS said.
#[derive(Clone, Debug, Default)]
struct Modes {
    all: Option<bool>,
    each: HashMap<Oid, bool>,
}

/// Events of deferred constraints of the running transaction, each with the nesting level it was queued in, and what
/// SET CONSTRAINTS said at which level.
#[derive(Default)]
pub struct Deferred {
    events: RefCell<Vec<(u32, Event)>>,
    modes: RefCell<Vec<(u32, Modes)>>,
    /// Foreign keys with a check waiting: an update of a row must queue another one, as the first will find its row gone.
    checks: RefCell<HashSet<Oid>>,
}

impl Deferred {
    /// Forgets all (end of transaction).
    pub fn clear(&self) {
        self.events.borrow_mut().clear();
        self.modes.borrow_mut().clear();
        self.checks.borrow_mut().clear();
    }
    /// Forgets what subtransactions at `level` and deeper left, which were rolled back.
    pub fn rollback_from(&self, level: u32) {
        self.events.borrow_mut().retain(|e| e.0 < level);
        self.modes.borrow_mut().retain(|m| m.0 < level);
    }
    /// What a released subtransaction left belongs to its parent.
    pub fn release(&self, level: u32) {
        for e in self.events.borrow_mut().iter_mut().filter(|e| e.0 >= level) {
            e.0 = level - 1;
        }
        let mut modes = self.modes.borrow_mut();
        if modes.last().is_some_and(|m| m.0 >= level) {
            let last = modes.pop().map(|m| m.1).unwrap_or_default();
            modes.retain(|m| m.0 < level - 1);
            modes.push((level - 1, last));
        }
    }
    /// Is anything waiting?
    pub fn is_empty(&self) -> bool {
        self.events.borrow().is_empty()
    }
    /// Is anything waiting that concerns the table?
    pub fn has_events_of(&self, table: Oid) -> bool {
        self.events.borrow().iter().any(|(_, e)| match e {
            Event::Check { fk, .. } => fk.conrelid == table,
            Event::Deleted { fk, .. } | Event::Updated { fk, .. } => fk.confrelid == table,
            Event::Unique { table: t, .. } => *t == table,
        })
    }
    /// Must an update that leaves the key alone be checked all the same?
    pub(super) fn has_checks_of(&self, fk: Oid) -> bool {
        self.checks.borrow().contains(&fk)
    }
    /// SET CONSTRAINTS in a transaction at nesting level `level`; no names: all.
    pub fn set_modes(&self, level: u32, constraints: &[Oid], deferred: bool) {
        let mut modes = self.modes.borrow_mut();
        let mut m = modes.last().map(|m| m.1.clone()).unwrap_or_default();
        if constraints.is_empty() {
            m = Modes { all: Some(deferred), each: HashMap::new() };
        }
        m.each.extend(constraints.iter().map(|c| (*c, deferred)));
        modes.retain(|x| x.0 < level);
        modes.push((level, m));
    }
    fn waits(&self, e: &Event) -> bool {
        let (constraint, deferrable, initially) = match e {
            Event::Check { fk, .. } => (fk.oid, fk.deferrable, fk.deferred),
            Event::Deleted { fk, .. } => (fk.oid, fk.deferrable && fk.on_delete == b'a', fk.deferred),
            Event::Updated { fk, .. } => (fk.oid, fk.deferrable && fk.on_update == b'a', fk.deferred),
            Event::Unique { constraint, deferred, .. } => (*constraint, true, *deferred),
        };
        if !deferrable {
            return false;
        }
        match self.modes.borrow().last() {
            Some((_, m)) => m.each.get(&constraint).copied().or(m.all).unwrap_or(initially),
            None => initially,
        }
    }
    fn push(&self, level: u32, e: Event) {
        if let Event::Check { fk, .. } = &e {
            self.checks.borrow_mut().insert(fk.oid);
        }
        self.events.borrow_mut().push((level, e));
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
            if cx.env.deferred.waits(&e) {
                cx.env.deferred.push(eng.nest_level(), e);
            } else {
                measured(cx, &e, &mut lookups)?;
            }
        }
    }
}

/// Runs an event, as a trigger of EXPLAIN ANALYZE.
fn measured(cx: &Exec, e: &Event, lookups: &mut Lookups) -> Result<()> {
    if !cx.instrumented() {
        return run(cx, e, lookups);
    }
    let begun = std::time::Instant::now();
    run(cx, e, lookups)?;
    // Checks that may share a look-up were counted when their rows were written.
    let calls = u64::from(!matches!(e, Event::Check { fk, .. } if !fk.deferrable));
    cx.trigger_called(e.trigger(), calls, begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn run(cx: &Exec, e: &Event, lookups: &mut Lookups) -> Result<()> {
    cx.check_interrupts()?;
    match e {
        Event::Unique { table, index, tid, values, .. } => recheck_unique(cx, *table, *index, *tid, values),
        other => fkey::run(cx, other, lookups),
    }
}

fn recheck_unique(cx: &Exec, table: Oid, index: Oid, tid: Tid, values: &[Datum]) -> Result<()> {
    let eng = cx.engine()?;
    let rel = cx.env.catalog()?.relation(table)?;
    let Some(heap) = &rel.rel else { return Ok(()) };
    // The row may be gone again.
    if !access::heap::chain_is_live(eng, heap, tid, &Snapshot::SelfSeen)? {
        return Ok(());
    }
    let desc = cx.env.catalog()?.index(index)?;
    let ix = desc.rel.clone();
    let v: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    if desc.exclusion {
        let mut target = super::TargetRelation::open(&cx.env, table)?;
        return target.check_exclusion(cx, index, &v, tid);
    }
    let Err(e) = access::btree::insert(eng, &ix, heap, &v, tid, UniqueCheck::Existing) else { return Ok(()) };
    let target = super::TargetRelation::open(&cx.env, table)?;
    match target.indexes.iter().find(|t| t.desc.oid == index) {
        Some(t) => Err(target.with_key_values(cx, e, t, &v)),
        None => Err(e),
    }
}

/// Runs all deferred events: before commit.
pub fn run_deferred(env: &Rc<ExecEnv>) -> Result<()> {
    if env.deferred.is_empty() {
        return Ok(());
    }
    env.deferred.set_modes(env.engine()?.nest_level(), &[], false);
    run_immediate(env)
}

/// Runs the waiting events of constraints that are no longer deferred: SET CONSTRAINTS … IMMEDIATE.
pub fn run_immediate(env: &Rc<ExecEnv>) -> Result<()> {
    let eng = env.engine()?;
    let mut exec = Exec::bare(env);
    let mut lookups = Lookups::default();
    loop {
        let all = std::mem::take(&mut *env.deferred.events.borrow_mut());
        let (events, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, e)| !env.deferred.waits(e));
        *env.deferred.events.borrow_mut() = rest;
        if events.is_empty() {
            return Ok(());
        }
        eng.command_counter_increment()?;
        exec.start(&[], &RunOptions { snapshot: Some(eng.latest_snapshot()?), row_limit: 0 });
        exec.cid = eng.current_command_id(true);
        for (_, e) in events {
            run(&exec, &e, &mut lookups)?;
        }
        // Cascades queue further events.
        fire_after(&exec)?;
    }
}
