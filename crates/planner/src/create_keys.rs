//! Keys of plan nodes: what a Sort, a Group or a Unique compares, as column numbers of its input and operators.

use crate::create_plan::{entry, plan_projects, result_over, small};
use crate::exprs::*;
use crate::path::*;
use crate::plan::*;
use crate::relids::Relids;
use crate::relinfo::HASH_AM;
use crate::root::*;
use analyze::expr::*;
use common::{Error, Oid, Result};

/// Column numbers and operators of an order; adds a column to the plan where the key is not in its output.
pub fn sort_keys(
    g: &Glob<'_>,
    root: &Root,
    plan: &mut Plan,
    keys: &[PathKey],
    rels: Option<Relids>,
) -> Result<Vec<SortKey>> {
    let mut out = Vec::new();
    for k in keys {
        let ec = &root.ecs[k.ec];
        let mut hit: Option<(usize, Oid)> = None;
        if ec.has_volatile {
            hit = plan
                .targetlist
                .iter()
                .position(|t| t.sort_group_ref == ec.sort_ref && ec.sort_ref != 0)
                .map(|i| (i, ec.members[0].datatype));
        }
        if hit.is_none() {
            'find: for m in &ec.members {
                if m.is_const || rels.is_some_and(|r| !m.relids.subset_of(r)) {
                    continue;
                }
                for (i, t) in plan.targetlist.iter().enumerate() {
                    let te = if matches!(plan.node, Node::IndexOnlyScan { .. }) {
                        unindex(&t.expr)
                    } else {
                        t.expr.clone()
                    };
                    if equal(strip_relabel(&te), strip_relabel(&m.expr)) {
                        hit = Some((i, m.datatype));
                        break 'find;
                    }
                }
            }
        }
        if hit.is_none() {
            // Compute the expression as an extra column.
            let m = ec.members.iter().find(|m| {
                !m.is_const && rels.is_none_or(|r| m.relids.subset_of(r)) && {
                    let mut vars = Vec::new();
                    pull_vars(&m.expr, true, &mut vars);
                    vars.iter().all(|v| {
                        plan.targetlist.iter().any(|t| {
                            let te = if matches!(plan.node, Node::IndexOnlyScan { .. }) {
                                unindex(&t.expr)
                            } else {
                                t.expr.clone()
                            };
                            equal(&te, v)
                        })
                    })
                }
            });
            let Some(m) = m else { return Err(Error::internal("could not find pathkey item to sort")) };
            let (e, ty) = (m.expr.clone(), m.datatype);
            if !plan_projects(plan) {
                let c = std::mem::replace(
                    plan,
                    small(0.0, 0.0, 0.0, Node::Append { children: Vec::new(), rti: 0 }),
                );
                *plan = result_over(c);
            }
            let n = plan.targetlist.len();
            let mut t = entry(n, e, 0);
            t.junk = true;
            plan.targetlist.push(t);
            hit = Some((n, ty));
        }
        let Some((i, ty)) = hit else { continue };
        let strat = if k.desc { 5 } else { 1 };
        let ty = resolve_family_type(g, k.family, ty);
        let sortop = g.ctx.catalog.amop(k.family, ty, ty, strat)?.unwrap_or(Oid::INVALID);
        let cmp_proc = g
            .ctx
            .catalog
            .amproc(k.family, ty, ty, 1)?
            .ok_or_else(|| Error::internal("missing comparison support function"))?;
        if out.iter().any(|s: &SortKey| s.column as usize == i) {
            continue;
        }
        out.push(SortKey {
            column: i as u16,
            sortop,
            cmp_proc,
            desc: k.desc,
            collation: ec.collation,
            nulls_first: k.nulls_first,
        });
    }
    Ok(out)
}

/// An expression over an index's columns in terms of the table's.
pub fn unindex(e: &Expr) -> Expr {
    let mut x = e.clone();
    walk_mut(&mut x, &mut |y| {
        if let Expr::Var(v) = y
            && v.varno == VarNo::Index
        {
            v.varno = VarNo::Rte(v.syn.0);
            v.attno = v.syn.1;
            v.syn = (0, 0);
        }
        true
    });
    x
}

/// The type a family declares for arrays, enums and the like.
fn resolve_family_type(g: &Glob<'_>, family: Oid, ty: Oid) -> Oid {
    if g.ctx.catalog.amproc(family, ty, ty, 1).ok().flatten().is_some() {
        return ty;
    }
    for t in [
        types::oids::ANYARRAY,
        types::oids::ANYENUM,
        types::oids::RECORD,
        types::oids::ANYRANGE,
        types::oids::ANYMULTIRANGE,
        types::oids::TEXT,
    ] {
        if g.ctx.catalog.amproc(family, t, t, 1).ok().flatten().is_some() {
            return t;
        }
    }
    ty
}

/// Hash support function of an equality operator, invalid if it has none.
pub fn hash_proc(g: &Glob<'_>, op: Oid, left: bool) -> Oid {
    let Ok(l) = g.ctx.catalog.amops_of(op) else { return Oid::INVALID };
    l.iter()
        .filter(|a| a.method == HASH_AM)
        .find_map(|a| {
            let t = if left { a.left } else { a.right };
            g.ctx.catalog.amproc(a.family, t, t, 1).ok().flatten()
        })
        .unwrap_or(Oid::INVALID)
}

/// A grouping column.
pub fn group_key(g: &Glob<'_>, column: u16, eqop: Oid, collation: Oid) -> Result<GroupKey> {
    Ok(GroupKey {
        column,
        eq_proc: g.ctx.catalog.operator(eqop)?.code,
        hash_proc: hash_proc(g, eqop, true),
        collation,
    })
}

pub fn group_keys(g: &Glob<'_>, child: &Plan, clauses: &[SortGroupClause]) -> Result<Vec<GroupKey>> {
    clauses
        .iter()
        .map(|c| {
            let i = child
                .targetlist
                .iter()
                .position(|t| t.sort_group_ref == c.tle_ref)
                .ok_or_else(|| Error::internal("ORDER/GROUP BY expression not found in targetlist"))?;
            group_key(g, i as u16, c.eqop, collation_of(&child.targetlist[i].expr))
        })
        .collect()
}

/// Sort keys of grouping columns.
pub fn clause_sort_keys(
    g: &Glob<'_>,
    keys: &[GroupKey],
    child: &Plan,
    clauses: &[SortGroupClause],
) -> Result<Vec<SortKey>> {
    keys.iter()
        .zip(clauses)
        .map(|(k, c)| {
            let (family, ty, desc) = crate::pathkeys::ordering_op(g, c.sortop)
                .ok_or_else(|| Error::internal("grouping column cannot be sorted"))?;
            let _ = &child.targetlist[k.column as usize];
            let cmp_proc = g
                .ctx
                .catalog
                .amproc(family, ty, ty, 1)?
                .ok_or_else(|| Error::internal("missing comparison support function"))?;
            Ok(SortKey {
                column: k.column,
                sortop: c.sortop,
                cmp_proc,
                desc,
                collation: k.collation,
                nulls_first: c.nulls_first,
            })
        })
        .collect()
}

/// Unique's columns: the first path keys of its sorted input.
pub fn unique_keys(
    g: &Glob<'_>,
    root: &Root,
    child: &Plan,
    keys: &[PathKey],
    cols: usize,
) -> Result<Vec<GroupKey>> {
    let mut out = Vec::new();
    for k in keys.iter().take(cols) {
        let ec = &root.ecs[k.ec];
        for m in &ec.members {
            if let Some(i) = child.targetlist.iter().position(|t| {
                let te = if matches!(child.node, Node::IndexOnlyScan { .. }) {
                    unindex(&t.expr)
                } else {
                    t.expr.clone()
                };
                equal(strip_relabel(&te), strip_relabel(&m.expr))
            }) {
                let ty = resolve_family_type(g, k.family, m.datatype);
                let eq = g
                    .ctx
                    .catalog
                    .amop(k.family, ty, ty, 3)?
                    .ok_or_else(|| Error::internal("missing equality operator"))?;
                out.push(group_key(g, i as u16, eq, ec.collation)?);
                break;
            }
        }
    }
    Ok(out)
}
