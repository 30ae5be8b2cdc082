//! Re-check of a plan's conditions for a row that another transaction changed meanwhile (READ COMMITTED): the scan of the
//! changed relation gives the latest version, scans of the other relations give the rows of the original result.

use crate::expr::colops;
use crate::node::{self, BuildCx};
use crate::run::{Exec, InitPlans};
use common::{Error, Oid, Result, Tid, err};
use planner::plan::{Plan, PlanRowMark};
use transam::IsolationLevel;
use types::{Batch, DatumRef};

/// Replacement rows by range table index. `None`: that relation contributes no row (outer join).
#[derive(Default, Debug)]
pub struct EpqRows {
    rows: Vec<(u32, Option<Tid>)>,
}

impl EpqRows {
    /// Sets a relation's row.
    pub fn set(&mut self, rti: u32, tid: Option<Tid>) {
        self.rows.retain(|r| r.0 != rti);
        self.rows.push((rti, tid));
    }
    /// The row of a relation, if it is replaced.
    pub fn row(&self, rti: u32) -> Option<Option<Tid>> {
        self.rows.iter().find(|r| r.0 == rti).map(|r| r.1)
    }
    /// Takes the rows of `marks` from row `i` of the plan's output.
    pub fn from_marks(marks: &[PlanRowMark], b: &Batch, i: usize) -> EpqRows {
        let mut e = EpqRows::default();
        for m in marks {
            let tid = tid_at(b, m.ctid_col, i);
            let table = m.tableoid_col.and_then(|c| oid_at(b, c, i));
            e.set(m.rti, tid);
            for (relid, rti) in &m.members {
                e.set(*rti, tid.filter(|_| table == Some(*relid)));
            }
        }
        e
    }
}

/// The TID in a column.
pub fn tid_at(b: &Batch, col: u16, i: usize) -> Option<Tid> {
    match b.cols[col as usize].get(i) {
        DatumRef::I64(v) => Some(Tid::unpack(v)),
        _ => None,
    }
}

/// The OID in a column.
pub fn oid_at(b: &Batch, col: u16, i: usize) -> Option<Oid> {
    match b.cols[col as usize].get(i) {
        DatumRef::U32(v) => Some(Oid(v)),
        _ => None,
    }
}

/// Runs the child of node `parent` for the replacement rows: its output row, or `None` if the conditions fail. A tree of its
/// own is built, since the running one is in the midst of its scan.
pub fn recheck(cx: &Exec, parent: u32, rows: EpqRows) -> Result<Option<Batch>> {
    let stmt = cx.stmt.clone();
    let plan = stmt
        .subplans
        .iter()
        .chain([&stmt.plan])
        .find_map(|p| find(p, parent))
        .and_then(|p| p.children().first().copied())
        .ok_or_else(|| Error::internal("executor: plan to re-check not found"))?;
    let inits = InitPlans::default();
    let b = BuildCx { env: &cx.env, stmt: &stmt, inits: &inits, instrument: false, parallel: None };
    let mut tree = node::build(&b, plan)?;
    let outer = cx.epq.replace(Some(rows));
    let r = (|| {
        tree.rescan(cx)?;
        if !tree.next(cx, 1)? {
            return Ok(None);
        }
        let got = tree.batch();
        let mut out = colops::like(got);
        colops::append_row(&mut out, got, colops::nth_live(got, 0));
        Ok(Some(out))
    })();
    *cx.epq.borrow_mut() = outer;
    tree.end(cx);
    r
}

fn find(p: &Plan, id: u32) -> Option<&Plan> {
    if p.node_id == id {
        return Some(p);
    }
    p.children().into_iter().find_map(|c| find(c, id))
}

/// Does the transaction keep one snapshot, so that a concurrent change is an error?
pub fn keeps_snapshot(cx: &Exec) -> Result<bool> {
    Ok(matches!(cx.engine()?.isolation(), IsolationLevel::RepeatableRead | IsolationLevel::Serializable))
}

/// 40001 after a concurrent update.
pub fn concurrent_update() -> Error {
    err!(T_R_SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
}

/// 40001 after a concurrent deletion.
pub fn concurrent_delete() -> Error {
    err!(T_R_SERIALIZATION_FAILURE, "could not serialize access due to concurrent delete")
}
