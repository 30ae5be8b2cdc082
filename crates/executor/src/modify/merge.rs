//! MERGE: for every row of the join the first WHEN clause whose condition holds. A target row that another transaction
//! changed meanwhile is looked at again: the join condition first, then the clauses from the start.

use super::bulk::insert_rows;
use super::epq::{concurrent_delete, keeps_snapshot, tid_at};
use super::fkey;
use super::table::ModifyNode;
use crate::expr::colops;
use crate::expr::project::Projection;
use crate::expr::qual::Qual;
use crate::node::{BuildCx, OuterScope};
use crate::run::Exec;
use access::{InsertOptions, LockWait, RowLock, TmResult};
use analyze::expr::TargetEntry;
use analyze::query::CmdType;
use common::{Error, Oid, Result, Tid, err};
use planner::plan::MergeActionPlan;
use types::{Batch, DatumRef};

/// A WHEN clause, compiled.
pub(super) struct MergeWhen {
    matched: bool,
    command: Option<CmdType>,
    qual: Option<Qual>,
    /// Attribute number of each column of `values`.
    attnos: Vec<i16>,
    values: Projection,
    /// Attributes UPDATE may change, ascending.
    changed: Vec<u16>,
}

/// Compiles the clauses; `generated` are attributes that every update computes anew.
pub(super) fn compile(
    b: &BuildCx<'_>,
    actions: &[MergeActionPlan],
    generated: &[u16],
) -> Result<Vec<MergeWhen>> {
    let mut out = Vec::with_capacity(actions.len());
    for a in actions {
        let list: Vec<TargetEntry> = a
            .set
            .iter()
            .map(|(attno, e)| TargetEntry {
                expr: e.clone(),
                resno: *attno,
                name: None,
                sort_group_ref: 0,
                orig: (Oid::INVALID, 0),
                junk: false,
            })
            .collect();
        let mut changed: Vec<u16> =
            a.set.iter().map(|s| s.0 as u16).chain(generated.iter().copied()).collect();
        changed.sort_unstable();
        changed.dedup();
        out.push(MergeWhen {
            matched: a.matched,
            command: a.command,
            qual: Qual::compile(b.env, &a.qual, &OuterScope)?,
            attnos: a.set.iter().map(|s| s.0).collect(),
            values: Projection::compile(b.env, &list, &OuterScope, usize::MAX)?,
            changed,
        });
    }
    Ok(out)
}

/// 21000.
fn second_time() -> Error {
    err!(CARDINALITY_VIOLATION, "MERGE command cannot affect row a second time")
        .hint("Ensure that not more than one source row matches any one target row.")
}

impl ModifyNode {
    /// Does what MERGE says for row `i` of the child.
    pub(super) fn merge_row(&mut self, cx: &Exec, i: usize) -> Result<()> {
        let mut row = colops::like(self.child.batch());
        colops::append_row(&mut row, self.child.batch(), i);
        let mut clauses = std::mem::take(&mut self.merge);
        let r = self.merge_matched(cx, i, &mut row, &mut clauses);
        self.merge = clauses;
        if r? {
            return Ok(());
        }
        // New rows go to the table that the statement names.
        self.turn_to_root();
        let mut clauses = std::mem::take(&mut self.merge);
        let r = match first(cx, &mut clauses, &mut row, false) {
            Ok(Some(w)) if w.command == Some(CmdType::Insert) => self.merge_insert(cx, &mut row, w),
            r => r.map(|_| ()),
        };
        self.merge = clauses;
        r
    }

    /// `false`: there is no target row (any more).
    fn merge_matched(
        &mut self,
        cx: &Exec,
        i: usize,
        row: &mut Batch,
        clauses: &mut [MergeWhen],
    ) -> Result<bool> {
        let Some(col) = self.m.ctid_col else { return Err(Error::internal("executor: no ctid column")) };
        while let Some(tid) = tid_at(row, col, 0) {
            let Some(w) = first(cx, clauses, row, true)? else { return Ok(true) };
            let (done, lock) = match w.command {
                Some(CmdType::Update) => (self.merge_update(cx, tid, row, w)?, self.update_lock(&w.changed)),
                Some(CmdType::Delete) => (self.merge_delete(cx, tid)?, RowLock::Exclusive),
                _ => return Ok(true),
            };
            match done {
                TmResult::Ok => {
                    self.count(cx, 1);
                    return Ok(true);
                }
                TmResult::SelfModified { cmax } if cmax == cx.cid => return Err(second_time()),
                TmResult::SelfModified { .. } => {
                    return Err(super::table::self_modified("updated or deleted"));
                }
                TmResult::Deleted { .. } => {
                    if keeps_snapshot(cx)? {
                        return Err(concurrent_delete());
                    }
                    break;
                }
                TmResult::Updated { .. } => match self.follow(cx, tid, i, lock)? {
                    // Its latest version is looked at from the start; it may not match any more.
                    Some((_, b)) => *row = b,
                    None => break,
                },
                other => {
                    return Err(Error::internal(format!("unexpected result of changing a row: {other:?}")));
                }
            }
        }
        Ok(false)
    }

    fn merge_update(&mut self, cx: &Exec, tid: Tid, row: &mut Batch, w: &mut MergeWhen) -> Result<TmResult> {
        if !self.fetch_old(cx, tid)? {
            return Err(Error::internal("executor: row to update not found"));
        }
        w.values.project(cx, row)?;
        self.new.clear();
        for (k, dst) in self.new.cols.iter_mut().enumerate() {
            dst.push(match w.attnos.iter().position(|a| *a as usize == k + 1) {
                Some(c) => w.values.out.cols[c].get(0),
                None => self.old.cols[k].get(0),
            });
        }
        self.new.rows = 1;
        self.target.compute_generated(cx, &mut self.new)?;
        Ok(self.write_update(cx, tid, &w.changed)?.result)
    }

    fn merge_delete(&mut self, cx: &Exec, tid: Tid) -> Result<TmResult> {
        let referenced = !self.target.rel.fkeys_in.is_empty();
        if referenced && !self.fetch_old(cx, tid)? {
            return Err(Error::internal("executor: row to delete not found"));
        }
        let r = access::heap::delete(cx.engine()?, &self.target.heap, tid, cx.cid, LockWait::Block)?;
        if referenced && r == TmResult::Ok {
            fkey::queue_delete(cx, &self.target.rel, &self.old);
        }
        Ok(r)
    }

    fn merge_insert(&mut self, cx: &Exec, row: &mut Batch, w: &mut MergeWhen) -> Result<()> {
        w.values.project(cx, row)?;
        self.new.clear();
        for (k, dst) in self.new.cols.iter_mut().enumerate() {
            let given = w.attnos.iter().position(|a| *a as usize == k + 1).map(|c| &w.values.out.cols[c]);
            // A dropped column's NULL comes as an int4, whatever the column was.
            dst.push(given.filter(|c| c.phys() == dst.phys()).map_or(DatumRef::Null, |c| c.get(0)));
        }
        self.new.rows = 1;
        self.target.compute_generated(cx, &mut self.new)?;
        let opts = InsertOptions::default();
        let n = insert_rows(cx, &mut self.target, &self.new, cx.cid, &opts, &mut self.bulk, &mut self.tids)?;
        self.count(cx, n);
        Ok(())
    }
}

/// The first clause of a kind whose condition holds for the row.
fn first<'w>(
    cx: &Exec,
    clauses: &'w mut [MergeWhen],
    row: &mut Batch,
    matched: bool,
) -> Result<Option<&'w mut MergeWhen>> {
    for w in clauses.iter_mut().filter(|w| w.matched == matched) {
        row.sel = None;
        let holds = match &mut w.qual {
            None => true,
            Some(q) => q.filter(cx, row)? > 0,
        };
        row.sel = None;
        if holds {
            return Ok(Some(w));
        }
    }
    Ok(None)
}
