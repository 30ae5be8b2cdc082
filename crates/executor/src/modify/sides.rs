//! The tables of an inheritance tree that one statement changes. The node works on one of them at a time; what belongs to the
//! others waits here, and is exchanged when a row of another table comes.

use super::merge::{self, MergeWhen};
use super::table::{ModifyNode, ReturningScope};
use super::target::{TableScope, TargetRelation};
use crate::expr::project::Projection;
use crate::expr::qual::Qual;
use crate::node::scan::{RelCols, relation_of};
use crate::node::{BuildCx, output_phys};
use crate::store::batch_of;
use access::{BulkInsert, ScanSpec};
use common::{Error, Oid, Result};
use planner::plan::{ModifyTable, ModifyTarget};
use types::{Batch, Phys};

/// What a node needs for one table.
pub(super) struct Side {
    pub relid: Oid,
    pub rti: u32,
    pub is_root: bool,
    pub target: TargetRelation,
    pub update_cols: Vec<(i16, u16)>,
    pub returning: Option<Projection>,
    /// Rows for RETURNING, see [`ReturningScope`].
    pub ret: Batch,
    pub old: Batch,
    pub new: Batch,
    pub all_attrs: ScanSpec,
    /// Attributes that UPDATE may change, ascending.
    pub changed: Vec<u16>,
    pub checks: Vec<(String, Qual)>,
    pub merge: Vec<MergeWhen>,
    pub bulk: BulkInsert,
}

/// The only table of a statement, as one of several would be given.
pub(super) fn single(m: &ModifyTable, relid: Oid) -> ModifyTarget {
    ModifyTarget {
        relid,
        rti: m.rti,
        is_root: true,
        hidden: false,
        update_cols: m.update_cols.clone(),
        returning: m.returning.clone(),
        check_options: m.check_options.clone(),
        merge: m.merge.clone(),
    }
}

/// Opens a table and compiles what is evaluated for its rows.
pub(super) fn compile(b: &BuildCx<'_>, m: &ModifyTable, t: &ModifyTarget) -> Result<Side> {
    let mut target = TargetRelation::open(b.env, t.relid)?;
    if !t.is_root {
        let named = b.env.catalog()?.relation(relation_of(b, m.rti)?)?;
        let map = analyze::rewrite::inherit::attribute_map(&named, &target.rel)?;
        target.shown = Some(map.into_iter().filter(|n| *n > 0).map(|n| n as usize - 1).collect());
    }
    let natts = target.natts();
    let mut phys = target.phys.clone();
    phys.extend([Phys::I64, Phys::U32, Phys::U32, Phys::U32, Phys::U32, Phys::U32]);
    phys.extend(output_phys(b.env, &m.child)?);
    let returning = if t.returning.is_empty() {
        None
    } else {
        Some(Projection::compile(b.env, &t.returning, &ReturningScope { natts }, usize::MAX)?)
    };
    let mut checks = Vec::new();
    for (name, e) in &t.check_options {
        if let Some(q) = Qual::compile(b.env, std::slice::from_ref(e), &TableScope)? {
            checks.push((name.clone(), q));
        }
    }
    let generated: Vec<u16> = target.generated_attrs().collect();
    let mut changed: Vec<u16> =
        t.update_cols.iter().map(|c| c.0 as u16).chain(generated.iter().copied()).collect();
    changed.sort_unstable();
    changed.dedup();
    Ok(Side {
        relid: t.relid,
        rti: t.rti,
        is_root: t.is_root,
        all_attrs: RelCols::all(&target.heap).spec_by_attr(),
        old: target.batch(),
        new: target.batch(),
        ret: batch_of(&phys),
        target,
        update_cols: t.update_cols.clone(),
        returning,
        changed,
        checks,
        merge: merge::compile(b, &t.merge, &generated)?,
        bulk: BulkInsert::default(),
    })
}

impl ModifyNode {
    fn exchange(&mut self, k: usize) {
        let s = &mut self.others[k];
        std::mem::swap(&mut self.relid, &mut s.relid);
        std::mem::swap(&mut self.m.rti, &mut s.rti);
        std::mem::swap(&mut self.is_root, &mut s.is_root);
        std::mem::swap(&mut self.target, &mut s.target);
        std::mem::swap(&mut self.m.update_cols, &mut s.update_cols);
        std::mem::swap(&mut self.returning, &mut s.returning);
        std::mem::swap(&mut self.ret, &mut s.ret);
        std::mem::swap(&mut self.old, &mut s.old);
        std::mem::swap(&mut self.new, &mut s.new);
        std::mem::swap(&mut self.all_attrs, &mut s.all_attrs);
        std::mem::swap(&mut self.changed, &mut s.changed);
        std::mem::swap(&mut self.checks, &mut s.checks);
        std::mem::swap(&mut self.merge, &mut s.merge);
        std::mem::swap(&mut self.bulk, &mut s.bulk);
        self.ret.clear();
    }

    /// Turns to a table.
    pub(super) fn turn_to(&mut self, relid: Oid) -> Result<()> {
        if self.relid == relid {
            return Ok(());
        }
        let Some(k) = self.others.iter().position(|s| s.relid == relid) else {
            return Err(Error::internal(format!("unable to find result relation {relid}")));
        };
        self.exchange(k);
        Ok(())
    }

    /// Turns to the table that the statement names.
    pub(super) fn turn_to_root(&mut self) {
        if !self.is_root
            && let Some(k) = self.others.iter().position(|s| s.is_root)
        {
            self.exchange(k);
        }
    }
}
