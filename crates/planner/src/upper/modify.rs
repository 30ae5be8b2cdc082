//! Target lists of INSERT, UPDATE and DELETE with their junk columns, row marks, and the path that modifies.

use crate::exprs::*;
use crate::path::*;
use crate::plan::PlanRowMark;
use crate::prep::from_relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use common::{Oid, Result};
use std::rc::Rc;
use types::oids;

fn ctid_var(rti: u32) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno: -1,
        vartype: oids::TID,
        typmod: -1,
        collation: Oid::INVALID,
        levels_up: 0,
        syn: (0, 0),
        location: None,
    })
}

fn junk(root: &mut Root, e: Expr, name: String) -> u16 {
    let resno = root.tlist.len() as i16 + 1;
    root.tlist.push(TargetEntry {
        expr: e,
        resno,
        name: Some(name),
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: true,
    });
    resno as u16 - 1
}

/// Fills `root.tlist` and `root.row_marks`.
pub fn target_list(_g: &Glob<'_>, root: &mut Root) -> Result<()> {
    root.tlist = root.query.target_list.clone();
    let target = root.query.result_relation;
    let from = from_relids(&root.query.jointree);
    match root.query.command {
        CmdType::Update | CmdType::Delete | CmdType::Merge => {
            junk(root, ctid_var(target), "ctid".into());
            for rti in from.iter().filter(|r| *r != target) {
                mark(root, rti, LockStrength::KeyShare, LockWaitPolicy::Block);
            }
        }
        CmdType::Select => {
            for m in root.query.row_marks.clone() {
                if from.contains(m.rti) {
                    mark(root, m.rti, m.strength, m.wait);
                }
            }
        }
        _ => {}
    }
    // RETURNING reads other relations' columns from the child's rows.
    let mut vars: Vec<Expr> = Vec::new();
    for t in &root.query.returning {
        let mut v = Vec::new();
        pull_vars(&t.expr, false, &mut v);
        for x in v {
            if let Expr::Var(y) = x
                && rte_no(y) != target
                && from.contains(rte_no(y))
                && !vars.contains(x)
            {
                vars.push(x.clone());
            }
        }
    }
    // MERGE's clauses read the columns of both sides.
    for e in merge_exprs(&root.query) {
        let mut v = Vec::new();
        pull_vars(e, false, &mut v);
        vars.extend(v.into_iter().filter(|x| matches!(x, Expr::Var(y) if from.contains(rte_no(y)))).cloned());
    }
    for v in vars {
        if !root.tlist.iter().any(|t| t.expr == v) {
            junk(root, v, "returning".into());
        }
    }
    Ok(())
}

/// Expressions of MERGE's clauses.
fn merge_exprs(q: &Query) -> impl Iterator<Item = &Expr> {
    q.merge_actions.iter().flat_map(|a| a.qual.iter().chain(a.target_list.iter().map(|t| &t.expr)))
}

fn mark(root: &mut Root, rti: u32, strength: LockStrength, wait: LockWaitPolicy) {
    if !matches!(root.query.rte(rti).kind, RteKind::Relation { .. }) {
        return;
    }
    let col = junk(root, ctid_var(rti), format!("ctid{rti}"));
    root.row_marks.push(PlanRowMark { rti, strength, wait, ctid_col: col });
}

/// The modification on top of the path that finds or makes its rows.
pub fn path(g: &Glob<'_>, root: &Root, sub: &Rc<Path>) -> Path {
    let exprs: Vec<Expr> = root.query.returning.iter().map(|t| t.expr.clone()).collect();
    let refs = vec![0; exprs.len()];
    let rows = if exprs.is_empty() { 0.0 } else { sub.rows };
    let t = root.finish_target(g, exprs, refs);
    Path::new(PathKind::Modify { sub: sub.clone() }, sub.rel, Rc::new(t)).cost(rows, sub.startup, sub.total)
}
