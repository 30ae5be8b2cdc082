//! LockRows: FOR UPDATE and its kin. Each row is locked before it is given out; one that another transaction changed is
//! followed to its latest version and re-checked (READ COMMITTED).

use super::*;
use crate::expr::colops;
use crate::modify::epq::{EpqRows, concurrent_update, keeps_snapshot, oid_at, recheck, tid_at};
use crate::node::scan::{heap_of, relation_of};
use access::{LockWait, Rel, RowLock, TmResult};
use analyze::query::{LockStrength, LockWaitPolicy};
use planner::plan::PlanRowMark;
use types::column::BATCH_ROWS;

struct LockRows {
    child: BoxNode,
    marks: Vec<PlanRowMark>,
    /// By mark: the tables whose rows it names, with their range table indexes.
    heaps: Vec<Vec<(Rc<Rel>, u32)>>,
    /// Next live row of the child's batch.
    pos: Option<usize>,
    out: Batch,
    node_id: u32,
}

/// LockRows.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, marks: &[PlanRowMark]) -> Result<BoxNode> {
    let heaps = marks.iter().map(|m| heaps_of(b, m)).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(LockRows {
        child: super::build(b, child)?,
        marks: marks.to_vec(),
        heaps,
        pos: None,
        out: output_batch(b.env, child)?,
        node_id: plan.node_id,
    }))
}

fn heaps_of(b: &BuildCx<'_>, m: &PlanRowMark) -> Result<Vec<(Rc<Rel>, u32)>> {
    if m.tableoid_col.is_none() {
        return Ok(vec![(heap_of(b.env, relation_of(b, m.rti)?)?, m.rti)]);
    }
    m.members.iter().map(|(relid, rti)| Ok((heap_of(b.env, *relid)?, *rti))).collect()
}

/// The access method's lock strength.
pub fn row_lock(s: LockStrength) -> RowLock {
    match s {
        LockStrength::KeyShare => RowLock::KeyShare,
        LockStrength::Share => RowLock::Share,
        LockStrength::NoKeyUpdate => RowLock::NoKeyUpdate,
        LockStrength::Update => RowLock::Exclusive,
    }
}

fn lock_wait(w: LockWaitPolicy) -> LockWait {
    match w {
        LockWaitPolicy::Block => LockWait::Block,
        LockWaitPolicy::Skip => LockWait::Skip,
        LockWaitPolicy::Error => LockWait::Error,
    }
}

impl LockRows {
    /// Locks row `i` of the child's batch and appends it (or its latest version) to the output, unless it is gone.
    fn lock(&mut self, cx: &Exec, i: usize) -> Result<()> {
        let eng = cx.engine()?;
        let cid = eng.current_command_id(true);
        let mut moved: Option<EpqRows> = None;
        for (m, heap) in self.marks.iter().zip(&self.heaps) {
            let b = self.child.batch();
            let Some(tid) = tid_at(b, m.ctid_col, i) else { continue };
            let table = m.tableoid_col.and_then(|c| oid_at(b, c, i));
            let Some((heap, rti)) = heap.iter().find(|h| table.is_none_or(|t| h.0.oid == t)) else {
                continue;
            };
            let (mode, wait) = (row_lock(m.strength), lock_wait(m.wait));
            match access::heap::lock_tuple(eng, heap, tid, cid, mode, wait, true)? {
                TmResult::Ok => {}
                TmResult::WouldBlock | TmResult::BeingModified | TmResult::SelfModified { .. } => {
                    return Ok(());
                }
                TmResult::Deleted { .. } => {
                    if keeps_snapshot(cx)? {
                        return Err(concurrent_update());
                    }
                    return Ok(());
                }
                TmResult::Updated { .. } => {
                    if keeps_snapshot(cx)? {
                        return Err(concurrent_update());
                    }
                    match access::heap::lock_latest(eng, heap, tid, cid, mode, wait)? {
                        (TmResult::Ok, latest, _) => moved
                            .get_or_insert_with(|| EpqRows::from_marks(&self.marks, self.child.batch(), i))
                            .set(*rti, Some(latest)),
                        _ => return Ok(()),
                    }
                }
                TmResult::Invisible => {
                    return Err(Error::internal("attempted to lock invisible tuple"));
                }
            }
        }
        match moved {
            None => colops::append_row(&mut self.out, self.child.batch(), i),
            Some(rows) => {
                if let Some(b) = recheck(cx, self.node_id, rows)? {
                    colops::append_row(&mut self.out, &b, 0);
                }
            }
        }
        Ok(())
    }
}

impl ExecNode for LockRows {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.out.clear();
        let want = want.clamp(1, BATCH_ROWS);
        while self.out.rows < want {
            let Some(p) = self.pos else {
                if self.out.rows > 0 {
                    return Ok(true);
                }
                if !self.child.next(cx, want)? {
                    return Ok(false);
                }
                self.pos = Some(0);
                continue;
            };
            cx.check_interrupts()?;
            let i = colops::nth_live(self.child.batch(), p);
            self.lock(cx, i)?;
            self.pos = (p + 1 < self.child.batch().live_count()).then_some(p + 1);
        }
        Ok(true)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.pos = None;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        self.child.end(cx);
    }
}
