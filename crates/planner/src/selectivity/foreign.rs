//! What foreign keys say about the size of joins: every referencing row has exactly one partner, however its columns are
//! correlated. A key whose columns are all equated takes the place of those clauses in the estimate. The rules are
//! PostgreSQL's.

use super::clause_sel;
use crate::equivalence::EquivClass;
use crate::exprs::{rte_no, strip_relabel};
use crate::initsplan::merge_families;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::{Expr, Var};
use analyze::query::{JoinType, RteKind};
use catalog::desc::ForeignKey;
use common::Oid;
use std::rc::Rc;

/// A foreign key between two relations of the query, all of whose columns are equated.
#[derive(Clone, Debug)]
pub struct KeyMatch {
    referencing: u32,
    referenced: u32,
    /// By column: the equivalence class that equates it, or the clauses that do.
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
enum Column {
    /// A class; with the attribute of the referenced table in it.
    Class(usize, i16),
    Clauses(Vec<Ri>),
}

/// Finds the keys that the query's equalities match.
pub fn find(g: &Glob<'_>, root: &mut Root) {
    if root.all_base.count() < 2 {
        return;
    }
    let mut found = Vec::new();
    for con in root.all_base.iter() {
        let Some(rel) = plain_table(root, con) else { continue };
        for fk in &rel.fkeys_out {
            for other in root.all_base.iter().filter(|r| *r != con) {
                if plain_table(root, other).is_some_and(|r| r.oid == fk.confrelid) {
                    found.extend(matched(g, root, fk, con, other));
                }
            }
        }
    }
    root.foreign_keys = Rc::new(found);
}

fn plain_table(root: &Root, rti: u32) -> Option<&catalog::desc::Relation> {
    match &root.query.rte(rti).kind {
        RteKind::Relation { inh: true, .. }
            if root.rel(rti).relation.as_ref().is_some_and(|r| r.has_subclass) =>
        {
            None
        }
        RteKind::Relation { .. } => root.base.get(rti as usize)?.as_ref()?.relation.as_deref(),
        _ => None,
    }
}

fn matched(g: &Glob<'_>, root: &Root, fk: &ForeignKey, con: u32, referenced: u32) -> Option<KeyMatch> {
    let mut columns = Vec::with_capacity(fk.conkey.len());
    for (k, (a, b)) in fk.conkey.iter().zip(&fk.confkey).enumerate() {
        let (x, y) = ((con, *a), (referenced, *b));
        let op = *fk.pf_eq.get(k)?;
        columns.push(match class_of(g, root, x, y, op) {
            Some(ec) => Column::Class(ec, *b),
            None => Column::Clauses(clauses(g, root, x, y, op)?),
        });
    }
    (!columns.is_empty()).then_some(KeyMatch { referencing: con, referenced, columns })
}

fn is_column(e: &Expr, c: (u32, i16)) -> bool {
    matches!(e, Expr::Var(v) if place(v) == c && v.levels_up == 0)
}

fn place(v: &Var) -> (u32, i16) {
    (rte_no(v), v.attno)
}

/// The class with both columns, under the key's operator.
fn class_of(g: &Glob<'_>, root: &Root, x: (u32, i16), y: (u32, i16), op: Oid) -> Option<usize> {
    let has = |ec: &EquivClass, c| ec.members.iter().any(|m| is_column(&m.expr, c));
    root.ecs.iter().position(|ec| {
        ec.merged.is_none()
            && !ec.has_volatile
            && has(ec, x)
            && has(ec, y)
            && ec.families == merge_families(g, op)
    })
}

/// Join clauses outside the classes that equate the columns (`y = x` by the operator, or `x = y` by its commutator).
fn clauses(g: &Glob<'_>, root: &Root, x: (u32, i16), y: (u32, i16), op: Oid) -> Option<Vec<Ri>> {
    let commutator = g.ctx.catalog.operator(op).ok()?.commutator;
    let equates = |r: &&Ri| {
        let Expr::Op(o) = &r.clause else { return false };
        let [a, b] = o.args.as_slice() else { return false };
        let (a, b) = (strip_relabel(a), strip_relabel(b));
        !r.outerjoin_delayed
            && ((is_column(a, y) && is_column(b, x) && o.opno == op)
                || (is_column(a, x) && is_column(b, y) && o.opno == commutator))
    };
    let list: Vec<Ri> = root.rel(x.0).join_clauses.iter().filter(equates).cloned().collect();
    (!list.is_empty()).then_some(list)
}

/// Selectivity of the foreign keys between two sides of a join; takes the clauses they stand for out of `clauses`.
pub fn join_sel(
    g: &Glob<'_>,
    root: &Root,
    outer: Relids,
    inner: Relids,
    sji: &SpecialJoin,
    clauses: &mut Vec<Ri>,
) -> f64 {
    let mut sel = 1.0;
    let half = matches!(sji.kind, JoinType::Semi | JoinType::Anti);
    for k in root.foreign_keys.iter() {
        let referenced_outside = if outer.contains(k.referencing) && inner.contains(k.referenced) {
            false
        } else if outer.contains(k.referenced) && inner.contains(k.referencing) {
            true
        } else {
            continue;
        };
        if half && (referenced_outside || !inner.is_single()) {
            continue;
        }
        let ours = |r: &Ri| {
            k.columns.iter().any(|c| match (c, r.parent_ec) {
                (Column::Class(ec, _), Some(p)) => root.ec_id(p) == root.ec_id(*ec),
                (Column::Clauses(l), None) => l.iter().any(|x| Rc::ptr_eq(x, r)),
                _ => false,
            })
        };
        let (gone, rest): (Vec<Ri>, Vec<Ri>) = clauses.iter().cloned().partition(ours);
        let expected: usize = k
            .columns
            .iter()
            .map(|c| match c {
                Column::Class(ec, _) => usize::from(!root.ecs[*ec].has_const),
                Column::Clauses(l) => l.len(),
            })
            .sum();
        // A clause that another key took already is not to be counted twice.
        if gone.is_empty() || gone.len() != expected {
            continue;
        }
        *clauses = rest;
        let target = root.rel(k.referenced);
        let tuples = target.tuples.max(1.0);
        sel *= if half { target.rows / tuples } else { 1.0 / tuples };
        sel /= constants(g, root, k, sji);
    }
    super::clamp(sel)
}

/// Of referenced columns known to equal a constant, the restrictions say nothing new about the referencing rows: their
/// selectivity.
fn constants(g: &Glob<'_>, root: &Root, k: &KeyMatch, sji: &SpecialJoin) -> f64 {
    let mut all = 1.0;
    for c in &k.columns {
        let Column::Class(ec, attno) = c else { continue };
        if !root.ecs[*ec].has_const {
            continue;
        }
        let column = (k.referenced, *attno);
        let own = root.rel(k.referenced).base_clauses.iter().find(|r| {
            r.left_ec.get().is_some_and(|e| root.ec_id(e) == root.ec_id(*ec))
                && matches!(&r.clause, Expr::Op(o) if o.args.iter().any(|a| is_column(a, column)))
        });
        if let Some(r) = own {
            let s = clause_sel(g, root, r, 0, sji.kind, Some(sji));
            if s > 0.0 {
                all *= s;
            }
        }
    }
    all
}
