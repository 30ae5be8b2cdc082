//! What is known about an expression's values: its statistics, number of distinct values, uniqueness.

use super::*;
use crate::exprs::*;
use crate::root::*;
use analyze::expr::*;
use analyze::query::{RteKind, rte_place};
use catalog::desc::ColumnStats;
use common::Oid;
use std::rc::Rc;
use types::oids;

/// An expression with what is known about it.
#[derive(Clone, Debug)]
pub struct VarData {
    pub expr: Expr,
    pub rti: Option<u32>,
    pub stats: Option<Rc<ColumnStats>>,
    pub vartype: Oid,
    pub unique: bool,
    pub rel_tuples: f64,
    pub rel_rows: f64,
}

impl VarData {
    /// Fraction of NULLs.
    pub fn null_frac(&self) -> f64 {
        self.stats.as_ref().map_or(0.0, |s| f64::from(s.null_frac))
    }
}

/// Looks an expression up. `only` restricts it to one relation (others count as constants).
pub fn examine(g: &Glob<'_>, root: &Root, e: &Expr, only: u32) -> VarData {
    let base = strip_relabel(e);
    let mut d = VarData {
        expr: base.clone(),
        rti: None,
        stats: None,
        vartype: type_of(e),
        unique: false,
        rel_tuples: 0.0,
        rel_rows: 0.0,
    };
    if let Expr::Var(v) = base
        && v.levels_up == 0
    {
        let rti = rte_no(v);
        if only != 0 && rti != only {
            return d;
        }
        let Some(Some(rel)) = root.base.get(rte_place(rti)) else { return d };
        d.rti = Some(rti);
        d.rel_tuples = rel.tuples;
        d.rel_rows = rel.rows;
        d.unique = unique_column(rel, v.attno);
        match &root.query.rte(rti).kind {
            RteKind::Relation { .. } => d.stats = root.column_stats(g, rti, v.attno),
            RteKind::Subquery { .. } => sub_variable(g, rel, v.attno, &mut d),
            _ => {}
        }
        return d;
    }
    let rels = pull_rtis(base);
    let number = crate::append::member_of(base).or(rels.first());
    if let (true, Some(rti)) = (rels.is_single(), number)
        && (only == 0 || only == rti)
        && let Some(Some(rel)) = root.base.get(rte_place(rti))
    {
        d.rti = Some(rti);
        d.rel_tuples = rel.tuples;
        d.rel_rows = rel.rows;
        for ix in &rel.indexes {
            let mut n = 0;
            for (c, k) in ix.desc.keys.iter().enumerate() {
                if *k != 0 {
                    continue;
                }
                if ix.exprs.get(n).is_some_and(|x| equal(strip_relabel(x), base)) {
                    d.unique |= ix.unique && ix.desc.num_key_atts == 1 && ix.predicate.is_empty();
                    // A partial index tells of its own rows only.
                    if d.stats.is_none() && ix.predicate.is_empty() {
                        d.stats = g.ctx.catalog.column_stats(ix.desc.oid, c as i16 + 1).ok().flatten();
                    }
                }
                n += 1;
            }
        }
        if d.stats.is_none() {
            d.stats = rel.statlist.iter().find_map(|s| {
                let i = s.exprs.iter().position(|x| equal(strip_relabel(x), base))?;
                s.data().expr_stats.get(i).cloned()
            });
        }
    } else if let (true, Some(_)) = (!rels.is_empty(), rels.first()) {
        // An expression over several relations: the largest of them bounds its values.
        d.rel_tuples = rels
            .iter()
            .filter_map(|r| root.base.get(r as usize)?.as_ref())
            .map(|r| r.tuples)
            .fold(0.0, f64::max);
    }
    d
}

fn unique_column(rel: &RelInfo, attno: i16) -> bool {
    attno > 0
        && rel.indexes.iter().any(|ix| {
            ix.unique
                && ix.desc.num_key_atts == 1
                && ix.desc.keys[0] == attno
                && (ix.predicate.is_empty() || ix.pred_ok)
        })
}

/// A sub-query's column: look below if it is passed through unchanged.
fn sub_variable(g: &Glob<'_>, rel: &RelInfo, attno: i16, d: &mut VarData) {
    let Some(sub) = &rel.subroot else { return };
    let q = &sub.query;
    if q.set_operations.is_some()
        || !q.grouping_sets.is_empty()
        || !q.group_clause.is_empty() && q.distinct.is_empty()
    {
        if q.group_clause.len() == 1
            && q.set_operations.is_none()
            && let Some(t) = sub.tlist.iter().filter(|t| !t.junk).nth(attno.max(1) as usize - 1)
            && t.sort_group_ref == q.group_clause[0].tle_ref
        {
            d.unique = true;
        }
        return;
    }
    let Some(t) = sub.tlist.iter().filter(|t| !t.junk).nth(attno.max(1) as usize - 1) else { return };
    if !q.distinct.is_empty() {
        if q.distinct.len() == 1 && t.sort_group_ref == q.distinct[0].tle_ref {
            d.unique = true;
        }
        return;
    }
    if let Expr::Var(v) = &t.expr
        && v.levels_up == 0
    {
        let below = examine(g, sub, &t.expr, 0);
        d.stats = below.stats;
    }
}

/// Number of distinct values, and whether that is a mere guess.
pub fn num_distinct(d: &VarData) -> (f64, bool) {
    let mut nd = match &d.stats {
        Some(s) => f64::from(s.distinct),
        None if d.vartype == oids::BOOL => 2.0,
        None => match &d.expr {
            Expr::Var(v) if v.attno == -1 => -1.0,
            Expr::Var(v) if v.attno == -6 => 1.0,
            _ => 0.0,
        },
    };
    if d.unique {
        nd = -(1.0 - d.null_frac());
    }
    if nd > 0.0 {
        return (clamp_rows(nd), false);
    }
    if d.rti.is_none() && d.rel_tuples <= 0.0 {
        return (DEFAULT_NUM_DISTINCT, true);
    }
    let tuples = d.rel_tuples;
    if tuples <= 0.0 {
        return (DEFAULT_NUM_DISTINCT, true);
    }
    if nd < 0.0 {
        return (clamp_rows(-nd * tuples), false);
    }
    if tuples < DEFAULT_NUM_DISTINCT {
        return (clamp_rows(tuples), false);
    }
    (DEFAULT_NUM_DISTINCT, true)
}
