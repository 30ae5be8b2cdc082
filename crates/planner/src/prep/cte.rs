//! WITH: items used once and free of side effects are put in place of their reference; the others are planned as
//! sub-plans of their own and scanned.

use crate::PlannerCtx;
use crate::exprs::*;
use analyze::query::*;

/// Puts inlinable items in place. What remains in `q.ctes` must be planned.
pub fn inline(ctx: &PlannerCtx<'_>, q: &mut Query) {
    if q.ctes.is_empty() {
        return;
    }
    let mut keep = Vec::new();
    let mut all = std::mem::take(&mut q.ctes);
    all.reverse();
    // Later items may refer to earlier ones: work on the rest of the list too.
    while let Some(c) = all.pop() {
        let refs =
            count_refs(q, &c.name, 0) + all.iter().map(|o| count_refs(&o.query, &c.name, 1)).sum::<u32>();
        if refs == 0 && c.query.command == CmdType::Select && !c.recursive {
            continue;
        }
        if !inlinable(ctx, &c, refs) {
            keep.push(c);
            continue;
        }
        put(q, &c, 0);
        for o in &mut all {
            put(&mut o.query, &c, 1);
        }
    }
    q.ctes = keep;
}

fn inlinable(ctx: &PlannerCtx<'_>, c: &CommonTableExpr, refs: u32) -> bool {
    !c.recursive
        && c.query.command == CmdType::Select
        && (c.materialized == CteMaterialize::Never
            || (c.materialized == CteMaterialize::Default && refs == 1))
        && c.query.row_marks.is_empty()
        && !c.query.has_modifying_cte
        && !query_contains_volatile(ctx, &c.query)
}

fn count_refs(q: &Query, name: &str, level: u32) -> u32 {
    let mut n = q
        .rtable
        .iter()
        .map(|r| match &r.kind {
            RteKind::Cte { name: m, levels_up, .. } if *levels_up == level && m == name => 1,
            RteKind::Subquery { query, .. } => count_refs(query, name, level + 1),
            _ => 0,
        })
        .sum();
    for c in &q.ctes {
        n += count_refs(&c.query, name, level + 1);
    }
    query_exprs(q, &mut |e| {
        walk(e, &mut |x| {
            if let analyze::expr::Expr::SubLink(s) = x {
                n += count_refs(&s.subselect, name, level + 1);
            }
            true
        });
    });
    n
}

fn put(q: &mut Query, c: &CommonTableExpr, level: u32) {
    for r in &mut q.rtable {
        match &mut r.kind {
            RteKind::Cte { name, levels_up, .. } if *levels_up == level && *name == c.name => {
                let mut query = c.query.clone();
                // The item stood one level below its WITH's query; it moves down with its reference.
                if level > 0 {
                    shift_query_levels(&mut query, level as i32, 1);
                }
                r.kind = RteKind::Subquery { query, lateral: false, security_barrier: false, view: None };
            }
            RteKind::Subquery { query, .. } => put(query, c, level + 1),
            _ => {}
        }
    }
    for o in &mut q.ctes {
        put(&mut o.query, c, level + 1);
    }
    query_exprs_mut(q, &mut |e| {
        walk_mut(e, &mut |x| {
            if let analyze::expr::Expr::SubLink(s) = x {
                put(&mut s.subselect, c, level + 1);
            }
            true
        });
    });
}
