//! The ModifyTable node: INSERT, UPDATE, DELETE of the child's rows in one target table.

use super::bulk::insert_rows;
use super::conflict::Conflicts;
use super::epq::{EpqRows, concurrent_delete, concurrent_update, keeps_snapshot, oid_at, recheck, tid_at};
use super::fkey;
use super::merge::MergeWhen;
use super::sides::{self, Side};
use super::target::TargetRelation;
use crate::expr::project::Projection;
use crate::expr::qual::Qual;
use crate::expr::{Scope, colops};
use crate::node::scan::relation_of;
use crate::node::{BoxNode, BuildCx, ExecNode};
use crate::run::Exec;
use crate::store::batch_of;
use access::heap::{UpdateOptions, UpdateResult};
use access::{BulkInsert, InsertOptions, LockWait, RowLock, ScanSpec, SysCol, TmResult};
use analyze::expr::{Expr, Var, VarNo};
use analyze::query::CmdType;
use common::{CommandId, Error, Oid, Result, Tid, err};
use planner::plan::{ModifyTable, Plan, PlanRowMark};
use transam::Snapshot;
use types::{Batch, DatumRef, Phys};

/// Input of RETURNING: the row's attributes, ctid, tableoid, xmin, cmin, xmax, cmax, then the child's columns.
pub(super) struct ReturningScope {
    pub natts: usize,
}

impl Scope for ReturningScope {
    fn var(&self, v: &Var) -> Option<usize> {
        match (v.varno, v.attno) {
            (VarNo::Rte(_), a) if a > 0 => Some(a as usize - 1),
            (VarNo::Rte(_), -1) => Some(self.natts),
            (VarNo::Rte(_), -6) => Some(self.natts + 1),
            (VarNo::Rte(_), a @ -5..=-2) => Some(self.natts + (-a) as usize),
            (VarNo::Outer, a) if a > 0 => Some(self.natts + 5 + a as usize),
            _ => None,
        }
    }
}

/// Does an expression name xmin, cmin, xmax or cmax of the target?
fn names_system(e: &Expr) -> bool {
    let mut found = false;
    analyze::walk::walk(e, 0, &mut |x, _| {
        found |= matches!(x, Expr::Var(v) if matches!((v.varno, v.attno), (VarNo::Rte(_), -5..=-2)));
        true
    });
    found
}

/// What became of one row.
pub(super) enum Outcome {
    /// Changed; the new (or last) version's address.
    Done(Tid),
    /// Nothing was changed: the row is gone or does not qualify any more.
    Skipped,
}

/// What the plan says, without the child.
pub(super) struct Spec {
    command: CmdType,
    pub(super) rti: u32,
    insert_cols: Vec<Option<u16>>,
    pub(super) update_cols: Vec<(i16, u16)>,
    pub(super) ctid_col: Option<u16>,
    tableoid_col: Option<u16>,
    epq_marks: Vec<PlanRowMark>,
    can_set_tag: bool,
}

pub(super) struct ModifyNode {
    pub(super) child: BoxNode,
    /// The table at work, and what belongs to the others of its inheritance tree.
    pub(super) relid: Oid,
    pub(super) is_root: bool,
    pub(super) others: Vec<Side>,
    /// Where to go on in the child's batch.
    resume: Option<usize>,
    pub(super) target: TargetRelation,
    pub(super) m: Spec,
    node_id: u32,
    pub(super) returning: Option<Projection>,
    /// RETURNING names xmin, cmin, xmax or cmax.
    wants_system: bool,
    /// Rows for RETURNING, see [`ReturningScope`].
    pub(super) ret: Batch,
    pub(super) old: Batch,
    pub(super) new: Batch,
    pub(super) all_attrs: ScanSpec,
    /// Attributes that UPDATE may change, ascending.
    pub(super) changed: Vec<u16>,
    pub(super) checks: Vec<(String, Qual)>,
    conflicts: Option<Conflicts>,
    pub(super) merge: Vec<MergeWhen>,
    pub(super) bulk: BulkInsert,
    pub(super) tids: Vec<Tid>,
    done: bool,
}

/// ModifyTable.
pub fn build(b: &BuildCx<'_>, plan: &Plan, m: &ModifyTable) -> Result<BoxNode> {
    let mut sides = Vec::new();
    if m.targets.is_empty() {
        sides.push(sides::compile(b, m, &sides::single(m, relation_of(b, m.rti)?))?);
    }
    for t in &m.targets {
        sides.push(sides::compile(b, m, t)?);
    }
    let first = sides.remove(0);
    let conflicts = match &m.on_conflict {
        Some(c) => Some(Conflicts::compile(b, &first.target, m.rti, c)?),
        None => None,
    };
    Ok(Box::new(ModifyNode {
        child: crate::node::build(b, &m.child)?,
        relid: first.relid,
        is_root: first.is_root,
        all_attrs: first.all_attrs,
        old: first.old,
        new: first.new,
        ret: first.ret,
        target: first.target,
        node_id: plan.node_id,
        returning: first.returning,
        wants_system: m.returning.iter().any(|t| names_system(&t.expr)),
        changed: first.changed,
        checks: first.checks,
        conflicts,
        merge: first.merge,
        bulk: first.bulk,
        tids: Vec::new(),
        done: false,
        resume: None,
        others: sides,
        m: Spec {
            command: m.command,
            rti: first.rti,
            insert_cols: m.insert_cols.clone(),
            update_cols: first.update_cols,
            ctid_col: m.ctid_col,
            tableoid_col: m.tableoid_col,
            epq_marks: m.epq_marks.clone(),
            can_set_tag: m.can_set_tag,
        },
    }))
}

impl ModifyNode {
    pub(super) fn count(&self, cx: &Exec, n: u64) {
        if self.m.can_set_tag {
            cx.processed.set(cx.processed.get() + n);
        }
    }

    /// Tests WITH CHECK OPTION on the new rows. 44000.
    fn check_views(&mut self, cx: &Exec) -> Result<()> {
        for (view, q) in &mut self.checks {
            let before = TargetRelation::rows(&self.new);
            let saved = self.new.sel.take();
            self.new.sel.clone_from(&saved);
            q.filter(cx, &mut self.new)?;
            let after = TargetRelation::rows(&self.new);
            self.new.sel = saved;
            if let Some(bad) = before.iter().find(|i| !after.contains(i)) {
                return Err(err!(
                    WITH_CHECK_OPTION_VIOLATION,
                    "new row violates check option for view \"{view}\""
                )
                .detail(self.target.failing_row(&cx.env, &self.new, *bad as usize)?));
            }
        }
        Ok(())
    }

    /// Adds a row to RETURNING's input: row `i` of `rows`, the child's row `ci`.
    fn push_returning(
        ret: &mut Batch,
        (rows, i): (&Batch, usize),
        tid: Tid,
        (oid, system): (u32, [u32; 4]),
        (child, ci): (&Batch, usize),
    ) {
        let n = rows.cols.len();
        for (d, s) in ret.cols.iter_mut().zip(&rows.cols) {
            d.push(s.get(i));
        }
        ret.cols[n].push(DatumRef::I64(tid.pack()));
        ret.cols[n + 1].push(DatumRef::U32(oid));
        for (d, x) in ret.cols[n + 2..n + 6].iter_mut().zip(system) {
            d.push(DatumRef::U32(x));
        }
        for (d, s) in ret.cols[n + 6..].iter_mut().zip(&child.cols) {
            d.push(s.get(ci));
        }
        ret.rows += 1;
    }

    /// xmin, cmin, xmax and cmax of a version, if RETURNING names one of them.
    fn system_values(&self, cx: &Exec, tid: Tid) -> Result<[u32; 4]> {
        let mut out = [0; 4];
        if !self.wants_system {
            return Ok(out);
        }
        let system = [SysCol::Xmin, SysCol::Cmin, SysCol::Xmax, SysCol::Cmax];
        let spec = ScanSpec { wanted: Vec::new(), system: system.into_iter().zip(0..).collect() };
        let mut b = batch_of(&[Phys::U32; 4]);
        access::heap::fetch_into(cx.engine()?, &self.target.heap, tid, &Snapshot::Any, &spec, &mut b)?;
        for (o, c) in out.iter_mut().zip(&b.cols) {
            if b.rows > 0
                && let DatumRef::U32(x) = c.get(0)
            {
                *o = x;
            }
        }
        Ok(out)
    }

    /// The child's batch as rows of the table.
    fn make_new_rows(&mut self) {
        let b = self.child.batch();
        self.new.clear();
        for (k, dst) in self.new.cols.iter_mut().enumerate() {
            match self.m.insert_cols.get(k).copied().flatten() {
                // A dropped column's NULL comes as an int4, whatever the column was.
                Some(c) if b.cols[c as usize].phys() == dst.phys() => {
                    colops::append_rows(dst, &b.cols[c as usize], b.live());
                }
                _ => colops::fill_more(dst, DatumRef::Null, b.live_count()),
            }
        }
        self.new.rows = b.live_count();
    }

    fn insert_batch(&mut self, cx: &Exec) -> Result<()> {
        self.make_new_rows();
        self.target.compute_generated(cx, &mut self.new)?;
        if self.conflicts.is_some() {
            return self.insert_conflicting(cx);
        }
        let opts = InsertOptions::default();
        let n = insert_rows(cx, &mut self.target, &self.new, cx.cid, &opts, &mut self.bulk, &mut self.tids)?;
        self.check_views(cx)?;
        self.count(cx, n);
        if self.returning.is_some() {
            let child = self.child.batch();
            for (k, tid) in self.tids.iter().enumerate() {
                let ci = colops::nth_live(child, k);
                let from = (self.target.rel.oid.0, self.system_values(cx, *tid)?);
                Self::push_returning(&mut self.ret, (&self.new, k), *tid, from, (child, ci));
            }
        }
        Ok(())
    }

    /// INSERT … ON CONFLICT, row by row.
    fn insert_conflicting(&mut self, cx: &Exec) -> Result<()> {
        let mut all = std::mem::replace(&mut self.new, self.target.batch());
        let Some(mut c) = self.conflicts.take() else { return Ok(()) };
        let r = (|| {
            for k in 0..all.rows {
                self.new.clear();
                colops::append_row(&mut self.new, &all, k);
                let done = c.insert_row(cx, self)?;
                cx.instr(self.node_id, |i| {
                    if c.inserted {
                        i.tuples_inserted += 1.0;
                    } else {
                        i.conflicting_tuples += 1.0;
                        i.removed_recheck += f64::from(c.do_update && done.is_none());
                    }
                });
                if let Some(tid) = done {
                    self.check_views(cx)?;
                    self.count(cx, 1);
                    if self.returning.is_some() {
                        let child = self.child.batch();
                        let ci = colops::nth_live(child, k);
                        let from = (self.target.rel.oid.0, self.system_values(cx, tid)?);
                        Self::push_returning(&mut self.ret, (&self.new, 0), tid, from, (child, ci));
                    }
                }
            }
            Ok(())
        })();
        self.conflicts = Some(c);
        std::mem::swap(&mut self.new, &mut all);
        r
    }

    /// Reads all attributes of a version into `old`; false if it is not there.
    pub(super) fn fetch_old(&mut self, cx: &Exec, tid: Tid) -> Result<bool> {
        self.old.clear();
        access::heap::fetch_into(
            cx.engine()?,
            &self.target.heap,
            tid,
            &Snapshot::Any,
            &self.all_attrs,
            &mut self.old,
        )
        .inspect(|_| {
            // Dropped attributes were not read.
            let n = self.old.rows;
            for c in &mut self.old.cols {
                if c.len() < n {
                    colops::fill_more(c, DatumRef::Null, n - c.len());
                }
            }
        })
    }

    /// `new` = `old` with the child's values.
    fn make_updated(&mut self, child: &Batch, ci: usize) {
        self.new.clear();
        for (k, dst) in self.new.cols.iter_mut().enumerate() {
            let attno = k as i16 + 1;
            let v = match self.m.update_cols.iter().find(|c| c.0 == attno) {
                Some((_, c)) => child.cols[*c as usize].get(ci),
                None => self.old.cols[k].get(0),
            };
            dst.push(v);
        }
        self.new.rows = 1;
    }

    /// Writes `new` over the version at `tid`, whose values are in `old`.
    pub(super) fn write_update(&mut self, cx: &Exec, tid: Tid, changed: &[u16]) -> Result<UpdateResult> {
        self.target.check_constraints(cx, &self.new)?;
        write_update(cx, &mut self.target, &self.old, &self.new, tid, changed, cx.cid)
    }

    /// Strength of the lock an update of these attributes takes.
    pub(super) fn update_lock(&self, changed: &[u16]) -> RowLock {
        if changed.iter().any(|a| self.target.key_attrs.contains(a)) {
            RowLock::Exclusive
        } else {
            RowLock::NoKeyUpdate
        }
    }

    /// Follows a concurrently updated row: its latest version is locked and the plan's conditions are tested again.
    pub(super) fn follow(
        &self,
        cx: &Exec,
        tid: Tid,
        i: usize,
        mode: RowLock,
    ) -> Result<Option<(Tid, Batch)>> {
        if keeps_snapshot(cx)? {
            return Err(concurrent_update());
        }
        let eng = cx.engine()?;
        match access::heap::lock_latest(eng, &self.target.heap, tid, cx.cid, mode, LockWait::Block)? {
            (TmResult::Ok, latest, _) => {
                let mut rows = EpqRows::from_marks(&self.m.epq_marks, self.child.batch(), i);
                self.others.iter().for_each(|s| rows.set(s.rti, None));
                rows.set(self.m.rti, Some(latest));
                Ok(recheck(cx, self.node_id, rows)?.map(|b| (latest, b)))
            }
            (TmResult::SelfModified { .. }, ..) | (TmResult::Deleted { .. }, ..) => Ok(None),
            (r, ..) => Err(Error::internal(format!("unexpected result of locking a row: {r:?}"))),
        }
    }

    fn update_row(&mut self, cx: &Exec, i: usize) -> Result<()> {
        let Some(col) = self.m.ctid_col else { return Err(Error::internal("executor: no ctid column")) };
        let Some(mut tid) = tid_at(self.child.batch(), col, i) else { return Ok(()) };
        let mut replaced: Option<Batch> = None;
        let changed = std::mem::take(&mut self.changed);
        let r = (|| {
            loop {
                if !self.fetch_old(cx, tid)? {
                    return Err(Error::internal("executor: row to update not found"));
                }
                match &replaced {
                    Some(b) => self.make_updated(b, 0),
                    None => {
                        let b = std::mem::take(self.child.batch_mut());
                        self.make_updated(&b, i);
                        *self.child.batch_mut() = b;
                    }
                }
                self.target.compute_generated(cx, &mut self.new)?;
                let u = self.write_update(cx, tid, &changed)?;
                match u.result {
                    TmResult::Ok => {
                        self.check_views(cx)?;
                        return Ok(Outcome::Done(u.tid));
                    }
                    TmResult::SelfModified { cmax } => {
                        if cmax != cx.cid {
                            return Err(self_modified("updated"));
                        }
                        return Ok(Outcome::Skipped);
                    }
                    TmResult::Deleted { .. } => {
                        if keeps_snapshot(cx)? {
                            return Err(concurrent_delete());
                        }
                        return Ok(Outcome::Skipped);
                    }
                    TmResult::Updated { .. } => match self.follow(cx, tid, i, self.update_lock(&changed))? {
                        None => return Ok(Outcome::Skipped),
                        Some((latest, b)) => {
                            tid = latest;
                            replaced = Some(b);
                        }
                    },
                    other => {
                        return Err(Error::internal(format!(
                            "attempted to update invisible tuple: {other:?}"
                        )));
                    }
                }
            }
        })();
        self.changed = changed;
        if let Outcome::Done(new_tid) = r? {
            self.count(cx, 1);
            if self.returning.is_some() {
                let (child, ci) = match &replaced {
                    Some(b) => (b, 0),
                    None => (self.child.batch(), i),
                };
                let from = (self.target.rel.oid.0, self.system_values(cx, new_tid)?);
                Self::push_returning(&mut self.ret, (&self.new, 0), new_tid, from, (child, ci));
            }
        }
        Ok(())
    }

    fn delete_row(&mut self, cx: &Exec, i: usize) -> Result<()> {
        let Some(col) = self.m.ctid_col else { return Err(Error::internal("executor: no ctid column")) };
        let Some(mut tid) = tid_at(self.child.batch(), col, i) else { return Ok(()) };
        let need_old = self.returning.is_some() || !self.target.rel.fkeys_in.is_empty();
        let mut replaced: Option<Batch> = None;
        loop {
            if need_old && !self.fetch_old(cx, tid)? {
                return Err(Error::internal("executor: row to delete not found"));
            }
            let eng = cx.engine()?;
            match access::heap::delete(eng, &self.target.heap, tid, cx.cid, LockWait::Block)? {
                TmResult::Ok => break,
                TmResult::SelfModified { cmax } => {
                    if cmax != cx.cid {
                        return Err(self_modified("deleted"));
                    }
                    return Ok(());
                }
                TmResult::Deleted { .. } => {
                    if keeps_snapshot(cx)? {
                        return Err(concurrent_delete());
                    }
                    return Ok(());
                }
                TmResult::Updated { .. } => match self.follow(cx, tid, i, RowLock::Exclusive)? {
                    None => return Ok(()),
                    Some((latest, b)) => {
                        tid = latest;
                        replaced = Some(b);
                    }
                },
                other => {
                    return Err(Error::internal(format!("attempted to delete invisible tuple: {other:?}")));
                }
            }
        }
        if !self.target.rel.fkeys_in.is_empty() {
            fkey::queue_delete(cx, &self.target.rel, &self.old);
        }
        self.count(cx, 1);
        if self.returning.is_some() {
            let (child, ci) = match &replaced {
                Some(b) => (b, 0),
                None => (self.child.batch(), i),
            };
            let from = (self.target.rel.oid.0, self.system_values(cx, tid)?);
            Self::push_returning(&mut self.ret, (&self.old, 0), tid, from, (child, ci));
        }
        Ok(())
    }

    /// Works on the child's batch from live row `from` on. Rows for RETURNING are given out table by table.
    fn process(&mut self, cx: &Exec, from: usize) -> Result<()> {
        if self.m.command == CmdType::Insert {
            return self.insert_batch(cx);
        }
        for k in from..self.child.batch().live_count() {
            let i = colops::nth_live(self.child.batch(), k);
            if let Some(col) = self.m.tableoid_col
                && let Some(table) = oid_at(self.child.batch(), col, i)
                && table != self.relid
            {
                if self.ret.rows > 0 {
                    self.resume = Some(k);
                    return Ok(());
                }
                self.turn_to(table)?;
            }
            match self.m.command {
                CmdType::Update => self.update_row(cx, i)?,
                CmdType::Merge => self.merge_row(cx, i)?,
                _ => self.delete_row(cx, i)?,
            }
        }
        Ok(())
    }
}

pub(super) fn self_modified(what: &str) -> Error {
    err!(
        TRIGGERED_DATA_CHANGE_VIOLATION,
        "tuple to be {what} was already modified by an operation triggered by the current command"
    )
    .hint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")
}

/// Replaces a version by row 0 of `new`, with index entries and foreign-key events. Constraints are checked already.
pub(super) fn write_update(
    cx: &Exec,
    target: &mut TargetRelation,
    old: &Batch,
    new: &Batch,
    tid: Tid,
    changed: &[u16],
    cid: CommandId,
) -> Result<UpdateResult> {
    let eng = cx.engine()?;
    let opts = UpdateOptions {
        cid,
        wait: LockWait::Block,
        indexed_attrs: &target.indexed_attrs,
        key_attrs: &target.key_attrs,
        changed: Some(changed),
    };
    let u = target.with_row(new, 0, |v| access::heap::update(eng, &target.heap, tid, v, &opts))?;
    if u.result == TmResult::Ok {
        if u.needs_index {
            target.prepare_indexes(cx, new)?;
            target.insert_entries(cx, new, 0, u.tid)?;
        }
        fkey::queue_update(cx, &target.rel, old, (new, u.tid), changed)?;
    }
    Ok(u)
}

impl ExecNode for ModifyNode {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        if self.done {
            return Ok(false);
        }
        loop {
            let from = match self.resume.take() {
                Some(k) => k,
                None if self.child.next(cx, usize::MAX)? => 0,
                None => {
                    self.done = true;
                    return Ok(false);
                }
            };
            cx.check_interrupts()?;
            self.ret.clear();
            self.process(cx, from)?;
            if self.ret.rows > 0
                && let Some(p) = &mut self.returning
            {
                p.project_own(cx, &mut self.ret)?;
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        match &self.returning {
            Some(p) => &p.out,
            None => &self.ret,
        }
    }
    fn batch_mut(&mut self) -> &mut Batch {
        match &mut self.returning {
            Some(p) => &mut p.out,
            None => &mut self.ret,
        }
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.done = false;
        self.resume = None;
        self.bulk = BulkInsert::default();
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        self.bulk = BulkInsert::default();
        self.child.end(cx);
    }
}
