//! GROUP BY: plain items, GROUPING SETS, ROLLUP and CUBE, what they expand to, and GROUPING().

use crate::compare::same_expr;
use crate::expr::*;
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::Analyzer;
use common::{Result, err};
use parser::{Expr as Raw, GroupByItem, GroupingSetKind};

/// Most sets a GROUP BY may expand to.
const SETS_MAX: usize = 4096;

impl Analyzer<'_> {
    /// GROUP BY: the grouping columns, and the sets where it has any.
    pub fn transform_group_clause(
        &mut self,
        raw: &[GroupByItem],
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
    ) -> Result<(Vec<SortGroupClause>, Vec<GroupingSet>)> {
        let has_sets = raw.iter().any(|g| matches!(g, GroupByItem::GroupingSet(_)));
        let mut out: Vec<SortGroupClause> = Vec::new();
        let mut sets: Vec<GroupingSet> = Vec::new();
        let mut seen: Vec<u32> = Vec::new();
        for g in raw {
            match g {
                GroupByItem::Expr(e) => {
                    let mut flat = Vec::new();
                    flatten_rows(e, &mut flat);
                    for e in flat {
                        let r = self.group_ref(e, list, sort, &mut out)?;
                        if !seen.contains(&r) {
                            seen.push(r);
                            sets.push(GroupingSet::Simple(vec![r]));
                        }
                    }
                }
                // At the top an empty set adds nothing.
                GroupByItem::GroupingSet(s) if s.kind == GroupingSetKind::Empty => {}
                GroupByItem::GroupingSet(s) => {
                    let s = self.grouping_set(s, list, sort, &mut out)?;
                    sets.push(s);
                }
            }
        }
        if !has_sets {
            sets.clear();
        } else if sets.is_empty() {
            sets.push(GroupingSet::Empty);
        }
        Ok((out, sets))
    }

    /// One item of a grouping set: its number in the target list.
    fn group_ref(
        &mut self,
        e: &Raw,
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        out: &mut Vec<SortGroupClause>,
    ) -> Result<u32> {
        let i = self.find_entry_sql92(e, list, ExprKind::GroupBy)?;
        let known = list[i].sort_group_ref;
        if known != 0 && out.iter().any(|o| o.tle_ref == known) {
            return Ok(known);
        }
        if known != 0
            && let Some(s) = sort.iter().find(|s| s.tle_ref == known)
        {
            out.push(s.clone());
            return Ok(known);
        }
        let c = self.group_item_at(list, i, Some(e.location()))?;
        let r = c.tle_ref;
        out.push(c);
        Ok(r)
    }

    fn grouping_set(
        &mut self,
        s: &parser::GroupingSet,
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        out: &mut Vec<SortGroupClause>,
    ) -> Result<GroupingSet> {
        self.check_stack()?;
        let mut content = Vec::new();
        for item in &s.content {
            match item {
                GroupByItem::GroupingSet(inner) => {
                    let inner_set = self.grouping_set(inner, list, sort, out)?;
                    match inner_set {
                        // Sets of sets are the sets.
                        GroupingSet::Sets(l) if s.kind == GroupingSetKind::Sets => content.extend(l),
                        x => content.push(x),
                    }
                }
                GroupByItem::Expr(e) => {
                    let mut flat = Vec::new();
                    flatten_rows(e, &mut flat);
                    let mut refs: Vec<u32> = Vec::new();
                    for e in flat {
                        let r = self.group_ref(e, list, sort, out)?;
                        if !refs.contains(&r) {
                            refs.push(r);
                        }
                    }
                    content.push(GroupingSet::Simple(refs));
                }
            }
        }
        Ok(match s.kind {
            GroupingSetKind::Empty => GroupingSet::Empty,
            GroupingSetKind::Rollup => GroupingSet::Rollup(content),
            GroupingSetKind::Sets => GroupingSet::Sets(content),
            GroupingSetKind::Cube => {
                if content.len() > 12 {
                    return Err(err!(TOO_MANY_COLUMNS, "CUBE is limited to 12 elements").at(s.location));
                }
                GroupingSet::Cube(content)
            }
        })
    }

    /// GROUPING(…).
    pub fn transform_grouping(&mut self, g: &parser::GroupingFunc) -> Result<Expr> {
        if g.args.len() > 31 {
            return Err(err!(TOO_MANY_ARGUMENTS, "GROUPING must have fewer than 32 arguments").at(g.location));
        }
        let mut args = Vec::new();
        for a in &g.args {
            args.push(self.transform_expr(a)?);
        }
        let levels_up = self.aggregate_level(&args.iter().collect::<Vec<_>>())?;
        self.check_agg_allowed(levels_up, g.location, "grouping operations")?;
        Ok(Expr::GroupingFunc { args, refs: Vec::new(), levels_up, location: Some(g.location) })
    }

    /// Resolves the sets of a finished query: refuses too many, makes plain GROUP BY of a single one, and gives every
    /// GROUPING() the numbers of its columns. Returns what all sets have in common.
    pub fn finish_grouping(&mut self, q: &mut Query) -> Result<Option<Vec<u32>>> {
        let mut common = None;
        if !q.grouping_sets.is_empty() {
            let Some(all) = expand(&q.grouping_sets, q.group_distinct, SETS_MAX) else {
                return Err(err!(
                    STATEMENT_TOO_COMPLEX,
                    "too many grouping sets present (maximum {SETS_MAX})"
                ));
            };
            let mut shared: Vec<u32> = all.first().cloned().unwrap_or_default();
            shared.retain(|r| all.iter().all(|s| s.contains(r)));
            if all.len() == 1 && !q.group_clause.is_empty() {
                q.grouping_sets.clear();
            } else {
                common = Some(shared);
            }
        }
        let groups: Vec<(u32, Expr)> = q
            .group_clause
            .iter()
            .filter_map(|c| q.target_list.iter().find(|t| t.sort_group_ref == c.tle_ref))
            .map(|t| (t.sort_group_ref, crate::agg::flatten_join_vars(q, &t.expr)))
            .collect();
        let joins = Query { target_list: Vec::new(), having: None, ..q.clone() };
        let mut lists: Vec<&mut Expr> = q.target_list.iter_mut().map(|t| &mut t.expr).collect();
        lists.extend(q.having.as_mut());
        for e in lists {
            fill_refs(&joins, &groups, e, 0)?;
        }
        Ok(common)
    }
}

/// Gives the GROUPING() calls of level `depth` in `e` their columns' numbers.
fn fill_refs(q: &Query, groups: &[(u32, Expr)], e: &mut Expr, depth: u32) -> Result<()> {
    let mut failed = None;
    crate::walk::walk_mut(e, depth, &mut |x, d| {
        if let Expr::GroupingFunc { args, refs, levels_up, .. } = x
            && *levels_up == d
        {
            refs.clear();
            for a in args.iter() {
                let mut flat = crate::agg::flatten_join_vars(q, a);
                if d > 0 {
                    crate::rewrite::shift_levels(&mut flat, -(d as i32));
                }
                match groups.iter().find(|g| same_expr(&g.1, &flat)) {
                    Some(g) => refs.push(g.0),
                    None => {
                        failed.get_or_insert_with(|| {
                            err!(
                                GROUPING_ERROR,
                                "arguments to GROUPING must be grouping expressions of the associated query level"
                            )
                            .at_if_none(crate::info::expr_location(a))
                        });
                    }
                }
            }
        }
        failed.is_none()
    });
    failed.map_or(Ok(()), Err)
}

fn flatten_rows<'r>(e: &'r Raw, out: &mut Vec<&'r Raw>) {
    match e {
        Raw::RowExpr(r) if !r.explicit => r.args.iter().for_each(|a| flatten_rows(a, out)),
        e => out.push(e),
    }
}

fn union(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut l = a.to_vec();
    for x in b {
        if !l.contains(x) {
            l.push(*x);
        }
    }
    l
}

/// The sets one element of GROUP BY stands for; `None` above `max`.
fn expand_one(s: &GroupingSet, max: usize) -> Option<Vec<Vec<u32>>> {
    let simple = |x: &GroupingSet| match x {
        GroupingSet::Simple(l) => l.clone(),
        _ => Vec::new(),
    };
    let out = match s {
        GroupingSet::Empty => vec![Vec::new()],
        GroupingSet::Simple(l) => vec![l.clone()],
        GroupingSet::Rollup(c) => {
            (0..=c.len()).rev().map(|n| c[..n].iter().flat_map(simple).collect()).collect()
        }
        GroupingSet::Cube(c) => (0..1usize << c.len())
            .map(|mask| {
                c.iter()
                    .enumerate()
                    .filter(|(i, _)| mask >> i & 1 == 1)
                    .flat_map(|(_, x)| simple(x))
                    .collect()
            })
            .collect(),
        GroupingSet::Sets(c) => {
            let mut l = Vec::new();
            for x in c {
                l.extend(expand_one(x, max)?);
            }
            l
        }
    };
    (out.len() <= max).then_some(out)
}

/// All sets of a GROUP BY, shortest first: the cross product of its elements. `None` if there are more than `max`.
pub fn expand(sets: &[GroupingSet], distinct: bool, max: usize) -> Option<Vec<Vec<u32>>> {
    let mut result: Vec<Vec<u32>> = vec![Vec::new()];
    let mut parts = Vec::new();
    let mut count = 1usize;
    for s in sets {
        let p = expand_one(s, max)?;
        count = count.checked_mul(p.len()).filter(|c| *c <= max)?;
        parts.push(p);
    }
    for p in &parts {
        result = result.iter().flat_map(|q| p.iter().map(|x| union(q, &union(&[], x)))).collect();
    }
    if distinct {
        result.iter_mut().for_each(|l| l.sort_unstable());
        result.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        result.dedup();
    } else {
        result.sort_by_key(Vec::len);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion() {
        let s = |l: &[u32]| GroupingSet::Simple(l.to_vec());
        let rollup = GroupingSet::Rollup(vec![s(&[1]), s(&[2, 3])]);
        assert_eq!(
            expand(std::slice::from_ref(&rollup), false, 9),
            Some(vec![vec![], vec![1], vec![1, 2, 3]])
        );
        let cube = GroupingSet::Cube(vec![s(&[1]), s(&[2])]);
        assert_eq!(
            expand(std::slice::from_ref(&cube), false, 9),
            Some(vec![vec![], vec![1], vec![2], vec![1, 2]])
        );
        assert_eq!(expand(&[rollup.clone(), cube.clone()], false, 11), None);
        let l = expand(&[rollup, cube], true, 12).map(|l| l.len());
        assert_eq!(l, Some(5));
    }
}
