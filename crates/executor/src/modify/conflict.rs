//! INSERT … ON CONFLICT: look for a conflicting row first; if there is none, insert speculatively and let the unique
//! indexes decide; on a conflict leave the row out (DO NOTHING) or lock and update the existing one (DO UPDATE).

use super::epq::{concurrent_update, keeps_snapshot};
use super::fkey;
use super::table::ModifyNode;
use super::target::TargetRelation;
use crate::expr::qual::{self, Qual};
use crate::expr::{Program, Scope, colops, compile};
use crate::node::BuildCx;
use crate::run::Exec;
use access::{Conflict, InsertOptions, LockWait, TmResult, UniqueCheck};
use analyze::expr::{Var, VarNo};
use common::{CommandId, Error, Oid, Result, Tid, err};
use planner::plan::OnConflictPlan;
use std::rc::Rc;
use transam::{MvccSnapshot, Snapshot};
use types::Batch;

/// Existing row's attributes, then the proposed row's.
struct ExcludedScope {
    rti: u32,
    excluded: u32,
    natts: usize,
}

impl Scope for ExcludedScope {
    fn var(&self, v: &Var) -> Option<usize> {
        match v.varno {
            VarNo::Rte(r) if r == self.rti && v.attno > 0 => Some(v.attno as usize - 1),
            VarNo::Rte(r) if r == self.excluded && v.attno > 0 => Some(self.natts + v.attno as usize - 1),
            _ => None,
        }
    }
}

pub(super) struct Conflicts {
    pub(super) do_update: bool,
    /// The last row was inserted: nothing was in its way.
    pub(super) inserted: bool,
    arbiters: Vec<Oid>,
    set: Program,
    set_attrs: Vec<i16>,
    changed: Vec<u16>,
    filter: Option<Qual>,
    /// Input of SET and WHERE.
    input: Batch,
}

impl Conflicts {
    pub(super) fn compile(
        b: &BuildCx<'_>,
        target: &TargetRelation,
        rti: u32,
        c: &OnConflictPlan,
    ) -> Result<Conflicts> {
        let scope = ExcludedScope { rti, excluded: c.excluded_rti, natts: target.natts() };
        let mut phys = target.phys.clone();
        phys.extend_from_slice(&target.phys);
        let mut changed: Vec<u16> =
            c.set.iter().map(|s| s.0 as u16).chain(target.generated_attrs()).collect();
        changed.sort_unstable();
        changed.dedup();
        Ok(Conflicts {
            do_update: c.do_update,
            inserted: false,
            arbiters: c.arbiters.clone(),
            set: compile(b.env, c.set.iter().map(|s| &s.1), &scope)?,
            set_attrs: c.set.iter().map(|s| s.0).collect(),
            changed,
            filter: Qual::compile(b.env, &c.where_clause, &scope)?,
            input: crate::store::batch_of(&phys),
        })
    }

    fn is_arbiter(&self, index: Oid) -> bool {
        self.arbiters.is_empty() || self.arbiters.contains(&index)
    }

    /// Inserts row 0 of `node.new`, or does what the conflict asks for. The address of the row inserted or updated (then
    /// `node.new` is its new version), `None` if nothing was done.
    pub(super) fn insert_row(&mut self, cx: &Exec, node: &mut ModifyNode) -> Result<Option<Tid>> {
        node.target.check_constraints(cx, &node.new)?;
        self.inserted = false;
        loop {
            cx.check_interrupts()?;
            node.target.prepare_indexes(cx, &node.new)?;
            match self.find_conflict(cx, node)? {
                Some(tid) if !self.do_update => {
                    check_seen(cx, node, tid)?;
                    return Ok(None);
                }
                Some(tid) => {
                    if let Some(done) = self.update_existing(cx, node, tid)? {
                        return Ok(done);
                    }
                }
                None => {
                    if let Some(tid) = self.insert_speculatively(cx, node)? {
                        if !node.target.rel.fkeys_out.is_empty() {
                            fkey::queue_inserts(cx, &node.target.rel, &node.new, &[tid])?;
                        }
                        self.inserted = true;
                        return Ok(Some(tid));
                    }
                }
            }
        }
    }

    fn find_conflict(&self, cx: &Exec, node: &ModifyNode) -> Result<Option<Tid>> {
        let eng = cx.engine()?;
        for t in &node.target.indexes {
            if !(t.desc.unique || t.desc.exclusion) || !self.is_arbiter(t.desc.oid) || !t.covers(&node.new, 0)
            {
                continue;
            }
            if !t.desc.immediate {
                return Err(err!(
                    OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"
                ));
            }
            let c = t.with_values(&node.new, 0, |v| {
                access::btree::check_conflict(eng, &t.ix, &node.target.heap, v, None)
            })?;
            if let Conflict::Row(tid) = c {
                return Ok(Some(tid));
            }
        }
        Ok(None)
    }

    /// `None`: somebody else's row came in between, try again.
    fn insert_speculatively(&self, cx: &Exec, node: &mut ModifyNode) -> Result<Option<Tid>> {
        let eng = cx.engine()?;
        let xid = eng.current_xid()?;
        let token = eng.speculative_begin(xid)?;
        let opts = InsertOptions { speculative_token: Some(token), ..InsertOptions::default() };
        let r = (|| {
            let heap = &node.target.heap;
            let tid =
                node.target.with_row(&node.new, 0, |v| access::heap::insert(eng, heap, v, cx.cid, &opts))?;
            let mut conflict = false;
            for (k, t) in node.target.indexes.iter().enumerate() {
                if !t.covers(&node.new, 0) {
                    continue;
                }
                let kind = match t.desc.unique {
                    false => UniqueCheck::No,
                    true if self.is_arbiter(t.desc.oid) => UniqueCheck::Partial,
                    true => UniqueCheck::Yes,
                };
                let ok = t
                    .with_values(&node.new, 0, |v| access::btree::insert(eng, &t.ix, heap, v, tid, kind))
                    .map_err(|e| node.target.with_key_detail(cx, e, k, &node.new, 0))?;
                if !ok {
                    conflict = true;
                    break;
                }
            }
            if conflict {
                access::heap::abort_speculative(eng, heap, tid)?;
                Ok(None)
            } else {
                access::heap::finish_speculative(eng, heap, tid)?;
                Ok(Some(tid))
            }
        })();
        eng.speculative_end(xid, token);
        r
    }

    /// Outer `None`: the row changed under us, try again. Inner `None`: WHERE says no.
    fn update_existing(&mut self, cx: &Exec, node: &mut ModifyNode, tid: Tid) -> Result<Option<Option<Tid>>> {
        let eng = cx.engine()?;
        let mode = node.update_lock(&self.changed);
        match access::heap::lock_tuple(eng, &node.target.heap, tid, cx.cid, mode, LockWait::Block, false)? {
            TmResult::Ok => {}
            TmResult::Invisible | TmResult::SelfModified { .. } => {
                return Err(err!(
                    CARDINALITY_VIOLATION,
                    "ON CONFLICT DO UPDATE command cannot affect row a second time"
                )
                .hint(
                    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
                ));
            }
            TmResult::Updated { .. } | TmResult::Deleted { .. } => {
                if keeps_snapshot(cx)? {
                    return Err(concurrent_update());
                }
                return Ok(None);
            }
            other => return Err(Error::internal(format!("unexpected result of locking a row: {other:?}"))),
        }
        if !node.fetch_old(cx, tid)? {
            return Ok(None);
        }
        if keeps_snapshot(cx)? {
            let seen = access::heap::fetch_row(eng, &node.target.heap, tid, cx.snapshot()?)?;
            if seen.is_none() {
                return Err(concurrent_update());
            }
        }
        let natts = node.target.natts();
        self.input.clear();
        for (k, c) in self.input.cols.iter_mut().enumerate() {
            let from = if k < natts { &node.old.cols[k] } else { &node.new.cols[k - natts] };
            c.push(from.get(0));
        }
        self.input.rows = 1;
        if qual::apply(&mut self.filter, cx, &mut self.input)? == 0 {
            return Ok(Some(None));
        }
        self.input.sel = None;
        self.set.run(cx, &self.input, self.input.live())?;
        let proposed = std::mem::replace(&mut node.new, node.target.batch());
        for k in 0..natts {
            let v = match self.set_attrs.iter().position(|a| *a as usize == k + 1) {
                Some(s) => self.set.result(s, &self.input).get(0),
                None => node.old.cols[k].get(0),
            };
            node.new.cols[k].push(v);
        }
        node.new.rows = 1;
        node.target.compute_generated(cx, &mut node.new)?;
        let u = node.write_update(cx, tid, &self.changed)?;
        match u.result {
            TmResult::Ok => Ok(Some(Some(u.tid))),
            TmResult::Updated { .. } | TmResult::Deleted { .. } => {
                node.new.clear();
                colops::append_row(&mut node.new, &proposed, 0);
                Ok(None)
            }
            other => Err(Error::internal(format!("unexpected result of updating a locked row: {other:?}"))),
        }
    }
}

/// A row that the transaction's only snapshot does not show must not decide what happens: 40001. Rows of this
/// transaction may, those of the running command included.
fn check_seen(cx: &Exec, node: &ModifyNode, tid: Tid) -> Result<()> {
    if !keeps_snapshot(cx)? {
        return Ok(());
    }
    let Snapshot::Mvcc(snapshot) = cx.snapshot()? else { return Ok(()) };
    let with_own = MvccSnapshot { curcid: CommandId(u32::MAX), ..(**snapshot).clone() };
    let seen =
        access::heap::fetch_row(cx.engine()?, &node.target.heap, tid, &Snapshot::Mvcc(Rc::new(with_own)))?;
    if seen.is_some() { Ok(()) } else { Err(concurrent_update()) }
}
