//! Append relations: a relation of the join tree whose rows are those of several members, which are tables that inherit from
//! it or the arms of a UNION ALL. Each member is a base relation of its own, with the parent's clauses in terms of its own
//! columns, its own selectivities, indexes and paths; the parent's paths append or merge theirs.
//!
//! Members are numbered by [`member_no`]: in sets of relations ([`Relids`]) a member counts as the relation of the join tree
//! it is part of. So clauses, classes and parameters need no sets of their own for members, and there may be more of them than
//! a set has room for. A clause of the parent becomes the member's by replacing the parent's Vars ([`translate`]).

pub mod partial;
mod paths;
mod size;

pub use paths::set_paths;
pub use size::set_size;

use crate::equivalence::canonical_expr;
use crate::exprs::*;
use crate::initsplan::{make_ri, with_merge_info};
use crate::relids::{Relids, is_member, member_no};
use crate::relinfo::build_base;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use analyze::rewrite::inherit;
use catalog::desc::Relation;
use common::{Oid, Result};
use std::rc::Rc;

/// How a member stands for its parent.
#[derive(Debug)]
pub struct Member {
    /// The append relation it belongs to: of the join tree, or a member itself.
    pub parent: u32,
    /// By the parent's column: what the member gives.
    pub columns: Vec<Expr>,
    /// The whole row in the parent's type.
    pub row: Option<Expr>,
}

/// Is it a table read together with those that inherit from it?
pub fn is_parent(kind: &RteKind, rel: &Relation) -> bool {
    matches!(kind, RteKind::Relation { inh: true, .. }) && rel.has_subclass && matches!(rel.kind, b'r' | b'p')
}

/// The member whose columns an expression reads.
pub fn member_of(e: &Expr) -> Option<u32> {
    let mut found = None;
    walk(e, &mut |x| {
        if let Expr::Var(v) = x
            && v.levels_up == 0
            && is_member(rte_no(v))
        {
            found = Some(rte_no(v));
        }
        found.is_none()
    });
    found
}

/// Makes the members of all append relations of the join tree.
pub fn expand(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    for rti in root.all_base.iter().collect::<Vec<_>>() {
        expand_one(g, root, rti)?;
    }
    Ok(())
}

fn expand_one(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    match &root.query.rte(rti).kind {
        kind @ RteKind::Relation { .. } => match root.rel(rti).relation.clone() {
            Some(rel) if is_parent(kind, &rel) => inherited(g, root, rti, &rel),
            _ => Ok(()),
        },
        RteKind::Append { members } => {
            let members = members.clone();
            for m in members {
                let no = member_no(m.rti as usize, rti);
                let mut columns = m.columns;
                let rename =
                    |e: &mut Expr| renumber_expr_vars(e, 0, &mut |n| if n == m.rti { no } else { n });
                columns.iter_mut().for_each(rename);
                add_member(g, root, rti, no, Member { parent: rti, columns, row: None })?;
                expand_one(g, root, no)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add_member(g: &Glob<'_>, root: &mut Root, parent: u32, no: u32, m: Member) -> Result<()> {
    build_base(g, root, no)?;
    root.rel_mut(no).member = Some(Rc::new(m));
    root.rel_mut(parent).members.push(no);
    Ok(())
}

/// The table itself and all that inherit from it, directly or not.
fn inherited(g: &Glob<'_>, root: &mut Root, rti: u32, parent: &Relation) -> Result<()> {
    for oid in g.ctx.catalog.descendants(parent.oid)? {
        g.check_interrupts()?;
        let Some(child) = g.ctx.catalog.relation_if_any(oid)? else { continue };
        let entry = inherit::member_entry(root.query.rte(rti), &child);
        root.query.rtable.push(entry);
        let no = member_no(root.query.rtable.len(), rti);
        let map = inherit::attribute_map(parent, &child)?;
        let column = |n: &i16| match *n {
            0 => null(),
            n => member_column(&child, no, n),
        };
        let columns: Vec<Expr> = map.iter().map(column).collect();
        let row = if oid == parent.oid {
            whole_row(parent, no)
        } else {
            Expr::Row {
                args: columns.clone(),
                row_type: parent.row_type,
                col_names: parent.desc.attrs.iter().map(|a| a.name.clone()).collect(),
                location: None,
            }
        };
        add_member(g, root, rti, no, Member { parent: rti, columns, row: Some(row) })?;
    }
    Ok(())
}

fn null() -> Expr {
    Expr::Const(Const {
        consttype: types::oids::INT4,
        typmod: -1,
        collation: Oid::INVALID,
        value: types::Datum::Null,
        location: None,
    })
}

fn whole_row(rel: &Relation, rti: u32) -> Expr {
    var(rti, 0, (rel.row_type, -1, Oid::INVALID))
}

fn member_column(rel: &Relation, rti: u32, attno: i16) -> Expr {
    let a = &rel.desc.attrs[attno as usize - 1];
    var(rti, attno, (a.type_oid, a.typmod, a.collation))
}

fn var(rti: u32, attno: i16, (vartype, typmod, collation): (Oid, i32, Oid)) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno,
        vartype,
        typmod,
        collation,
        levels_up: 0,
        syn: (0, 0),
        location: None,
    })
}

/// An expression over the columns of a member's parent (or of the parent's parent) in terms of the member's own.
pub fn translate(root: &Root, rti: u32, e: &Expr) -> Expr {
    let Some(m) = root.rel(rti).member.as_deref() else { return e.clone() };
    let mut out = if is_member(m.parent) { translate(root, m.parent, e) } else { e.clone() };
    translate_vars(m, rti, &mut out);
    out
}

fn translate_vars(m: &Member, rti: u32, e: &mut Expr) {
    replace(e, &mut |x| match x {
        Expr::Var(v) if v.levels_up == 0 && rte_no(v) == m.parent => match v.attno {
            0 => m.row.clone(),
            n if n > 0 => m.columns.get(n as usize - 1).cloned(),
            n => Some(var(rti, n, (v.vartype, v.typmod, v.collation))),
        },
        Expr::CurrentOf { rte, .. } if *rte == m.parent => {
            let mut c = x.clone();
            if let Expr::CurrentOf { rte, .. } = &mut c {
                *rte = rti;
            }
            Some(c)
        }
        _ => None,
    });
}

/// A clause of the parent as one of the member; the same one each time it is asked for.
pub fn translate_clause(g: &Glob<'_>, root: &Root, rti: u32, ri: &Ri) -> Ri {
    if let Some(r) = root.translated.borrow().get(&(ri.serial, rti)) {
        return r.clone();
    }
    let clause = translate(root, rti, &ri.clause);
    let n = make_ri(
        g,
        clause,
        ri.is_pushed_down,
        ri.outerjoin_delayed,
        ri.pseudoconstant,
        ri.required_relids,
        ri.outer_relids,
        ri.nullable_relids,
    );
    let mut n = (*with_merge_info(g, n)).clone();
    n.parent_ec = ri.parent_ec;
    n.left_ec.set(ri.left_ec.get());
    n.right_ec.set(ri.right_ec.get());
    let n = Rc::new(n);
    root.translated.borrow_mut().insert((ri.serial, rti), n.clone());
    n
}

/// The expressions of equivalence classes over the parent's columns, as the member has them. Asked for when the classes are
/// complete.
pub fn member_exprs(root: &mut Root, rti: u32) -> Rc<Vec<(usize, Oid, Expr)>> {
    if let Some(x) = &root.rel(rti).member_exprs {
        return x.clone();
    }
    let own = Relids::single(rti);
    let mut out = Vec::new();
    for (i, ec) in root.ecs.iter().enumerate() {
        if ec.merged.is_some() || ec.has_volatile || !ec.relids.contains(rti) {
            continue;
        }
        for m in ec.members.iter().filter(|m| m.relids == own) {
            let e = translate(root, rti, &m.expr);
            out.push((i, m.datatype, canonical_expr(&e, m.datatype, ec.collation)));
        }
    }
    let out = Rc::new(out);
    root.rel_mut(rti).member_exprs = Some(out.clone());
    out
}
