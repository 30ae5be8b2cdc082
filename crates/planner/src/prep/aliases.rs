//! Vars of join range table entries are replaced by the joined relations' expressions, at every depth of sub-links.

use crate::exprs::{each_child_mut, query_exprs_mut, shift_levels, subqueries_mut};
use analyze::expr::*;
use analyze::query::*;

/// Has the query joins with their own range table entries?
pub fn has_joins(q: &Query) -> bool {
    q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join { .. }))
}

/// Replaces all join alias Vars of this level.
pub fn flatten(q: &mut Query) {
    if !has_joins(q) {
        return;
    }
    let mut joins: Vec<Option<Vec<Expr>>> = q
        .rtable
        .iter_mut()
        .map(|r| match &mut r.kind {
            RteKind::Join { alias_vars, .. } => Some(std::mem::take(alias_vars)),
            _ => None,
        })
        .collect();
    // Inner joins come first in the range table, so one pass resolves nested references.
    for i in 0..joins.len() {
        if let Some(mut list) = joins[i].take() {
            for e in &mut list {
                subst(e, 0, &joins);
            }
            joins[i] = Some(list);
        }
    }
    subst_query(q, 0, &joins);
}

fn subst(e: &mut Expr, level: u32, joins: &[Option<Vec<Expr>>]) {
    if let Expr::Var(v) = e {
        if v.levels_up == level
            && let VarNo::Rte(n) = v.varno
            && let Some(Some(list)) = joins.get(n as usize - 1)
        {
            if v.attno > 0 {
                if let Some(x) = list.get(v.attno as usize - 1) {
                    let mut x = x.clone();
                    if level > 0 {
                        shift_levels(&mut x, level as i32, 0);
                    }
                    *e = x;
                }
            } else if v.attno == 0 {
                let mut args = list.clone();
                for a in &mut args {
                    shift_levels(a, level as i32, 0);
                }
                *e = Expr::Row { args, row_type: types::oids::RECORD, col_names: Vec::new(), location: None };
            }
        }
        return;
    }
    if let Expr::SubLink(s) = e {
        subst_query(&mut s.subselect, level + 1, joins);
    }
    each_child_mut(e, &mut |c| subst(c, level, joins));
}

fn subst_query(q: &mut Query, level: u32, joins: &[Option<Vec<Expr>>]) {
    query_exprs_mut(q, &mut |e| subst(e, level, joins));
    subqueries_mut(q, &mut |s| subst_query(s, level + 1, joins));
}
