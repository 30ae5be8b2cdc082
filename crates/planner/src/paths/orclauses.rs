//! Restrictions hidden in join clauses: from `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4)` follows `a.x = 1 OR a.x = 3`,
//! which a scan of `a` can check (PostgreSQL's extraction of restriction OR clauses). The join clause stays, and its
//! selectivity is corrected, so that the size of the join is estimated as before.

use super::index::movable_to;
use crate::cost::join::plain_join;
use crate::exprs::{contains_volatile, make_and, make_or};
use crate::initsplan::make_ri;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity::clause_sel;
use analyze::expr::{BoolOp, Expr};
use analyze::query::JoinType;

/// An extracted clause that keeps more than this share of the rows is not worth its evaluation.
const WORTHWHILE: f64 = 0.9;

/// Adds the restrictions that follow from OR join clauses to the relations of the join tree.
pub fn extract(g: &Glob<'_>, root: &mut Root) {
    for rti in root.all_base.iter().collect::<Vec<_>>() {
        let candidates: Vec<Ri> = root
            .rel(rti)
            .join_clauses
            .iter()
            .filter(|r| r.or_arms.is_some() && movable_to(r, rti))
            .cloned()
            .collect();
        for ri in candidates {
            if let Some(clause) = of_relation(g, &ri, Relids::single(rti)) {
                consider(g, root, rti, clause, &ri);
            }
        }
    }
}

/// What an OR says about a relation alone: `None` if one of its arms says nothing.
fn of_relation(g: &Glob<'_>, or: &Ri, rel: Relids) -> Option<Expr> {
    let mut arms = Vec::new();
    for arm in or.or_arms.as_ref()? {
        let mut said = Vec::new();
        for c in arm {
            if c.or_arms.is_some() {
                said.extend(of_relation(g, c, rel));
            } else if c.clause_relids == rel && !c.pseudoconstant && !contains_volatile(g.ctx, &c.clause) {
                said.push(c.clause.clone());
            }
        }
        if said.is_empty() {
            return None;
        }
        match make_and(said) {
            Expr::Bool { op: BoolOp::Or, args, .. } => arms.extend(args),
            e => arms.push(e),
        }
    }
    Some(make_or(arms))
}

fn consider(g: &Glob<'_>, root: &mut Root, rti: u32, clause: Expr, join: &Ri) {
    let rel = Relids::single(rti);
    let ri = make_ri(g, clause, true, false, false, rel, Relids::EMPTY, join.nullable_relids);
    let own = clause_sel(g, root, &ri, 0, JoinType::Inner, None);
    if own > WORTHWHILE {
        return;
    }
    root.rel_mut(rti).base_clauses.push(ri);
    if own > 0.0 {
        let (left, right) = (join.clause_relids.minus(rel), rel);
        let inner = plain_join(left, right);
        let whole = clause_sel(g, root, join, 0, JoinType::Inner, Some(&inner));
        join.norm_sel.set((whole / own).min(1.0));
    }
}
