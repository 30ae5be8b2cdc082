//! Inheritance: a table that others inherit from is read as the union of all of them. UPDATE and DELETE get the list of their
//! target tables, for the planner to make a plan for each ([`target_query`]).

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::query::*;
use crate::target::push_entry;
use crate::walk;
use catalog::desc::Relation;
use common::{Error, Oid, Result};
use types::{Datum, oids};

/// System columns with their types: a union hands them on as columns of its own.
const SYSTEM: [(i16, Oid); 6] =
    [(-1, oids::TID), (-2, oids::XID), (-3, oids::CID), (-4, oids::XID), (-5, oids::CID), (-6, oids::OID)];

/// Expands the tables of one query level.
pub fn expand(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    for i in 0..q.rtable.len() {
        let rti = i as u32 + 1;
        let r = &q.rtable[i];
        let RteKind::Relation { relid, lockmode, inh: true, tablesample, .. } = &r.kind else { continue };
        let (relid, lockmode, sampled) = (*relid, *lockmode, tablesample.is_some());
        let rel = ctx.catalog.relation(relid)?;
        if !rel.has_subclass || !matches!(rel.kind, b'r' | b'p') {
            continue;
        }
        let is_target = rti == q.result_relation;
        if is_target && q.command == CmdType::Insert || !is_target && !r.in_from {
            continue;
        }
        let mut tables = vec![relid];
        for c in ctx.catalog.descendants(relid)?.into_iter().skip(1) {
            (ctx.lock)(c, lockmode)?;
            // It may have been dropped before the lock was there.
            if ctx.catalog.relation_if_any(c)?.is_some() {
                tables.push(c);
            }
        }
        if tables.len() == 1 {
            continue;
        }
        if is_target {
            if q.command == CmdType::Merge {
                return Err(Error::unsupported("MERGE into a table that others inherit from"));
            }
            q.inherit_targets = tables;
        } else if q.row_marks.iter().any(|m| m.rti == rti) {
            return Err(Error::unsupported("locking rows of a table that others inherit from"));
        } else if sampled {
            return Err(Error::unsupported("TABLESAMPLE of a table that others inherit from"));
        } else {
            replace(ctx, q, rti, &rel, &tables)?;
        }
    }
    Ok(())
}

/// Attribute number in `child` of each of `parent`'s, by name; 0 for dropped ones.
fn map(parent: &Relation, child: &Relation) -> Result<Vec<i16>> {
    let find = |name: &str| child.desc.attrs.iter().position(|a| !a.dropped && a.name == name);
    parent
        .desc
        .attrs
        .iter()
        .map(|a| match (a.dropped, find(&a.name)) {
            (true, _) => Ok(0),
            (false, Some(i)) => Ok(i as i16 + 1),
            (false, None) => Err(Error::internal(format!(
                "could not find inherited attribute \"{}\" of relation \"{}\"",
                a.name, child.name
            ))),
        })
        .collect()
}

fn column(rel: &Relation, rti: u32, attno: i16, levels_up: u32) -> Expr {
    let a = &rel.desc.attrs[attno as usize - 1];
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno,
        vartype: a.type_oid,
        typmod: a.typmod,
        collation: a.collation,
        levels_up,
        syn: (rti, attno),
        location: None,
    })
}

fn null() -> Expr {
    crate::coerce::make_const(oids::INT4, Datum::Null)
}

/// The row of `parent`'s type out of columns of another table.
fn row_of(parent: &Relation, child: &Relation, map: &[i16], rti: u32, depth: u32) -> Expr {
    let value = |n: &i16| if *n == 0 { null() } else { column(child, rti, *n, depth) };
    Expr::Row {
        args: map.iter().map(value).collect(),
        row_type: parent.row_type,
        col_names: parent.desc.attrs.iter().map(|a| a.name.clone()).collect(),
        location: None,
    }
}

/// A range table entry for one of the tables.
fn entry(of: &RangeTblEntry, child: &Relation) -> RangeTblEntry {
    let mut r = of.clone();
    if let RteKind::Relation { relid, relkind, inh, .. } = &mut r.kind {
        *relid = child.oid;
        *relkind = child.kind;
        *inh = false;
    }
    let attrs = &child.desc.attrs;
    r.alias = Some(of.alias.clone().unwrap_or_else(|| of.eref_name.clone()));
    r.eref_cols = attrs.iter().map(|a| if a.dropped { String::new() } else { a.name.clone() }).collect();
    r.col_types = attrs.iter().map(|a| a.type_oid).collect();
    r.col_typmods = attrs.iter().map(|a| a.typmod).collect();
    r.col_collations = attrs.iter().map(|a| a.collation).collect();
    // The parent's privileges are all that is asked for.
    r.required_perms = 0;
    r.selected_cols.clear();
    r
}

/// Makes the entry a union over the tables, and references to system columns and the whole row references to its columns.
fn replace(ctx: &AnalyzeCtx<'_>, q: &mut Query, rti: u32, parent: &Relation, tables: &[Oid]) -> Result<()> {
    let mut system: Vec<(i16, Oid)> = Vec::new();
    walk::walk_query(q, 0, &mut |x, d| {
        if let Expr::Var(v) = x
            && v.varno == VarNo::Rte(rti)
            && v.levels_up == d
            && let Some(s) = SYSTEM.iter().find(|s| s.0 == v.attno)
            && !system.contains(s)
        {
            system.push(*s);
        }
        true
    });
    let natts = parent.desc.len();
    let identity: Vec<i16> =
        parent.desc.attrs.iter().zip(1..).map(|(a, n)| if a.dropped { 0 } else { n }).collect();
    walk::walk_query_mut(q, 0, &mut |x, d| {
        let Expr::Var(v) = x else { return true };
        if v.varno != VarNo::Rte(rti) || v.levels_up != d {
            return true;
        }
        if v.attno == 0 {
            *x = row_of(parent, parent, &identity, rti, d);
            return false;
        }
        if let Some(k) = system.iter().position(|s| s.0 == v.attno) {
            v.attno = (natts + k + 1) as i16;
            v.syn.1 = v.attno;
        }
        true
    });
    let old = q.rtable[rti as usize - 1].clone();
    let mut union = crate::select::new_query(CmdType::Select);
    let mut tree: Option<SetOpTree> = None;
    let mut shape: Vec<(String, Oid, i32, Oid)> = Vec::new();
    for (k, t) in tables.iter().enumerate() {
        let child = ctx.catalog.relation(*t)?;
        let arm = arm(&old, parent, &child, &system)?;
        if k == 0 {
            shape = crate::output_columns(&arm)
                .into_iter()
                .map(|c| (c.name, c.type_oid, c.typmod, c.collation))
                .collect();
        }
        union.rtable.push(subquery_entry(&old, arm, &shape, None));
        let leaf = SetOpTree::Leaf(k as u32 + 1);
        tree = Some(match tree {
            None => leaf,
            Some(left) => SetOpTree::Node(Box::new(SetOperation {
                op: SetOp::Union,
                all: true,
                left,
                right: leaf,
                col_types: shape.iter().map(|c| c.1).collect(),
                col_typmods: shape.iter().map(|c| c.2).collect(),
                col_collations: shape.iter().map(|c| c.3).collect(),
                group_clauses: Vec::new(),
            })),
        });
    }
    union.set_operations = tree;
    for (k, c) in shape.iter().enumerate() {
        let v = Var {
            varno: VarNo::Rte(1),
            attno: k as i16 + 1,
            vartype: c.1,
            typmod: c.2,
            collation: c.3,
            levels_up: 0,
            syn: (1, k as i16 + 1),
            location: None,
        };
        push_entry(&mut union.target_list, Expr::Var(v), Some(c.0.clone()));
    }
    let whole = subquery_entry(&old, union, &shape, Some(parent.oid));
    q.rtable[rti as usize - 1] = whole;
    Ok(())
}

/// The select of one table's rows.
fn arm(of: &RangeTblEntry, parent: &Relation, child: &Relation, system: &[(i16, Oid)]) -> Result<Query> {
    let mut q = crate::select::new_query(CmdType::Select);
    for (a, n) in parent.desc.attrs.iter().zip(map(parent, child)?) {
        let e = if n == 0 { null() } else { column(child, 1, n, 0) };
        push_entry(&mut q.target_list, e, Some(a.name.clone()));
    }
    for (attno, t) in system {
        let v = Var {
            varno: VarNo::Rte(1),
            attno: *attno,
            vartype: *t,
            typmod: -1,
            collation: Oid::INVALID,
            levels_up: 0,
            syn: (1, *attno),
            location: None,
        };
        push_entry(&mut q.target_list, Expr::Var(v), Some(format!("system{attno}")));
    }
    q.rtable.push(entry(of, child));
    q.jointree.from.push(JoinTree::Rte(1));
    Ok(q)
}

fn subquery_entry(
    of: &RangeTblEntry,
    query: Query,
    shape: &[(String, Oid, i32, Oid)],
    table: Option<Oid>,
) -> RangeTblEntry {
    let mut r = of.clone();
    r.kind =
        RteKind::Subquery { query: Box::new(query), lateral: false, security_barrier: false, view: table };
    r.eref_cols = shape.iter().map(|c| c.0.clone()).collect();
    r.col_types = shape.iter().map(|c| c.1).collect();
    r.col_typmods = shape.iter().map(|c| c.2).collect();
    r.col_collations = shape.iter().map(|c| c.3).collect();
    if table.is_none() {
        r.required_perms = 0;
        r.selected_cols.clear();
    }
    r
}

/// An UPDATE or DELETE for one of its target tables.
pub fn target_query(catalog: &catalog::Catalog, q: &Query, table: Oid) -> Result<Query> {
    let mut out = q.clone();
    out.inherit_targets.clear();
    let rti = q.result_relation;
    let RteKind::Relation { relid, .. } = q.rte(rti).kind else {
        return Err(Error::internal("target is not a table"));
    };
    let (parent, child) = (catalog.relation(relid)?, catalog.relation(table)?);
    let at = rti as usize - 1;
    if relid == table {
        if let RteKind::Relation { inh, .. } = &mut out.rtable[at].kind {
            *inh = false;
        }
        return Ok(out);
    }
    let map = map(&parent, &child)?;
    let to = |n: i16| map.get((n as usize).wrapping_sub(1)).copied().unwrap_or(n);
    walk::walk_query_mut(&mut out, 0, &mut |x, d| {
        let Expr::Var(v) = x else { return true };
        if v.varno != VarNo::Rte(rti) || v.levels_up != d {
            return true;
        }
        if v.attno == 0 {
            *x = row_of(&parent, &child, &map, rti, d);
            return false;
        }
        if v.attno > 0 {
            v.attno = to(v.attno);
            v.syn.1 = v.attno;
        }
        true
    });
    if q.command == CmdType::Update {
        for t in out.target_list.iter_mut().filter(|t| !t.junk) {
            t.resno = to(t.resno);
        }
    }
    let updated = q.rte(rti).updated_cols.iter().map(|n| to(*n)).collect();
    out.rtable[at] = entry(&q.rtable[at], &child);
    out.rtable[at].updated_cols = updated;
    Ok(out)
}
