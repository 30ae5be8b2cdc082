//! GROUP BY columns that depend on others: where all columns of a table's primary key are grouped by, its other columns
//! are constant within a group and need not be compared.

use crate::PlannerCtx;
use crate::exprs::rte_no;
use analyze::expr::{Expr, SortGroupClause};
use analyze::query::{Query, RteKind};
use common::Result;

/// Takes superfluous columns out of GROUP BY.
pub fn trim(ctx: &PlannerCtx<'_>, q: &mut Query) -> Result<()> {
    if q.group_clause.len() < 2 || !q.grouping_sets.is_empty() {
        return Ok(());
    }
    // The plain columns grouped by: relation and attribute.
    let column = |q: &Query, c: &SortGroupClause| {
        let t = q.target_list.iter().find(|t| t.sort_group_ref == c.tle_ref)?;
        match &t.expr {
            Expr::Var(v) if v.levels_up == 0 && v.attno > 0 => Some((rte_no(v), v.attno)),
            _ => None,
        }
    };
    let columns: Vec<Option<(u32, i16)>> = q.group_clause.iter().map(|c| column(q, c)).collect();
    let mut keep = vec![true; columns.len()];
    for rti in 1..=q.rtable.len() as u32 {
        let of = |c: &Option<(u32, i16)>| c.filter(|c| c.0 == rti).map(|c| c.1);
        let own: Vec<i16> = columns.iter().filter_map(of).collect();
        if own.len() < 2 {
            continue;
        }
        let Some(key) = primary_key(ctx, q, rti)? else { continue };
        if key.len() >= own.len() || !key.iter().all(|k| own.contains(k)) {
            continue;
        }
        for (k, c) in keep.iter_mut().zip(&columns) {
            *k &= of(c).is_none_or(|a| key.contains(&a));
        }
    }
    let mut k = keep.into_iter();
    q.group_clause.retain(|_| k.next().unwrap_or(true));
    Ok(())
}

/// Columns of a table's primary key, if that holds at every moment.
fn primary_key(ctx: &PlannerCtx<'_>, q: &Query, rti: u32) -> Result<Option<Vec<i16>>> {
    let RteKind::Relation { relid, inh, relkind, .. } = &q.rte(rti).kind else { return Ok(None) };
    if *relkind != b'r' {
        return Ok(None);
    }
    let rel = ctx.catalog.relation(*relid)?;
    if *inh && rel.has_subclass {
        return Ok(None);
    }
    for oid in &rel.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if ix.primary && ix.immediate {
            return Ok(Some(ix.keys[..usize::from(ix.num_key_atts)].to_vec()));
        }
    }
    Ok(None)
}
