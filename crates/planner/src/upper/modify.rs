//! Target lists of INSERT, UPDATE and DELETE with their junk columns, row marks, and the path that modifies.

use crate::exprs::*;
use crate::path::*;
use crate::plan::{ModifyTable, ModifyTarget, PlanRowMark};
use crate::prep::from_relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use common::{Oid, Result};
use std::rc::Rc;
use types::oids;

fn system_var(rti: u32, attno: i16, vartype: Oid) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno,
        vartype,
        typmod: -1,
        collation: Oid::INVALID,
        levels_up: 0,
        syn: (0, 0),
        location: None,
    })
}

fn ctid_var(rti: u32) -> Expr {
    system_var(rti, -1, oids::TID)
}

/// Is the relation read together with tables that inherit from it?
fn has_members(g: &Glob<'_>, root: &Root, rti: u32) -> Result<bool> {
    let kind = &root.query.rte(rti).kind;
    let RteKind::Relation { relid, .. } = kind else { return Ok(false) };
    Ok(crate::append::is_parent(kind, &*g.ctx.catalog.relation(*relid)?))
}

fn junk(root: &mut Root, e: Expr, name: String) -> u16 {
    let resno = root.tlist.len() as i16 + 1;
    root.tlist.push(TargetEntry {
        expr: e,
        resno,
        name: Some(name.into()),
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: true,
    });
    resno as u16 - 1
}

/// Fills `root.tlist` and `root.row_marks`.
pub fn target_list(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    root.tlist = root.query.target_list.clone();
    let target = root.query.result_relation;
    let from = from_relids(&root.query.jointree);
    match root.query.command {
        CmdType::Update | CmdType::Delete | CmdType::Merge => {
            if has_members(g, root, target)? {
                junk(root, system_var(target, -6, oids::OID), "tableoid".into());
            }
            junk(root, ctid_var(target), "ctid".into());
            for rti in from.iter().filter(|r| *r != target) {
                mark(g, root, rti, LockStrength::KeyShare, LockWaitPolicy::Block)?;
            }
        }
        CmdType::Select => {
            for m in root.query.row_marks.clone() {
                if from.contains(m.rti) {
                    mark(g, root, m.rti, m.strength, m.wait)?;
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

fn mark(g: &Glob<'_>, root: &mut Root, rti: u32, strength: LockStrength, wait: LockWaitPolicy) -> Result<()> {
    if !matches!(root.query.rte(rti).kind, RteKind::Relation { .. }) {
        return Ok(());
    }
    let ctid_col = junk(root, ctid_var(rti), format!("ctid{rti}"));
    let tableoid_col = if has_members(g, root, rti)? {
        Some(junk(root, system_var(rti, -6, oids::OID), format!("tableoid{rti}")))
    } else {
        None
    };
    root.row_marks.push(PlanRowMark { rti, strength, wait, ctid_col, tableoid_col, members: Vec::new() });
    Ok(())
}

/// The row marks with the members of append relations, which are known once the relations have been expanded.
pub fn marks(root: &Root) -> Vec<PlanRowMark> {
    let mut out = root.row_marks.clone();
    for m in out.iter_mut().filter(|m| m.tableoid_col.is_some()) {
        m.members = tables(root, m.rti);
    }
    out
}

/// Members of an append relation of tables.
pub fn tables(root: &Root, rti: u32) -> Vec<(Oid, u32)> {
    let members = root.rel(rti).members.iter();
    members.filter_map(|m| Some((root.rel(*m).relation.as_ref()?.oid, *m))).collect()
}

/// What changing each table of an inheritance tree takes. Tables without rows to change are left out.
pub fn targets(root: &Root, m: &ModifyTable) -> Vec<ModifyTarget> {
    let rti = m.rti;
    let mut out = Vec::new();
    let members = tables(root, rti);
    let root_oid = members.first().map_or(Oid::INVALID, |m| m.0);
    for (relid, no) in members {
        let is_root = relid == root_oid;
        let hidden = root.rel(no).dummy;
        if hidden && !(is_root && m.command == CmdType::Merge) {
            continue;
        }
        let columns = root.rel(no).member.clone();
        let attno = |n: i16| match columns.as_ref().and_then(|c| c.columns.get((n as usize).wrapping_sub(1)))
        {
            Some(Expr::Var(v)) => v.attno,
            _ => n,
        };
        let own = |e: &Expr| crate::append::translate(root, no, e);
        let mut returning = m.returning.clone();
        returning.iter_mut().for_each(|t| t.expr = own(&t.expr));
        let mut merge = m.merge.clone();
        if !is_root {
            let updates = merge.iter_mut().filter(|a| a.command == Some(CmdType::Update));
            updates.for_each(|a| a.set.iter_mut().for_each(|s| s.0 = attno(s.0)));
        }
        out.push(ModifyTarget {
            relid,
            rti: no,
            is_root,
            hidden,
            update_cols: m.update_cols.iter().map(|c| (attno(c.0), c.1)).collect(),
            returning,
            check_options: m.check_options.iter().map(|c| (c.0.clone(), own(&c.1))).collect(),
            merge,
        });
    }
    out
}

/// The modification on top of the path that finds or makes its rows.
pub fn path(g: &Glob<'_>, root: &Root, sub: &Rc<Path>) -> Path {
    let exprs: Vec<Expr> = root.query.returning.iter().map(|t| t.expr.clone()).collect();
    let refs = vec![0; exprs.len()];
    let rows = if exprs.is_empty() { 0.0 } else { sub.rows };
    let t = root.finish_target(g, exprs, refs);
    Path::new(PathKind::Modify { sub: sub.clone() }, sub.rel, Rc::new(t)).cost(rows, sub.startup, sub.total)
}
