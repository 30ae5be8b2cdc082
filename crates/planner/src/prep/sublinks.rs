//! `x IN (SELECT …)`, `EXISTS (…)` and `NOT EXISTS (…)` at the top of WHERE or ON become semi and anti joins.

use super::{tree_relids, tree_relids_with_joins};
use crate::PlannerCtx;
use crate::exprs::*;
use crate::relids::Relids;
use analyze::expr::*;
use analyze::query::*;
use std::rc::Rc;

/// Converts the sub-links of a query's join tree.
pub fn pull_up(ctx: &PlannerCtx<'_>, q: &mut Query) {
    if !q.has_sub_links {
        return;
    }
    let from = std::mem::take(&mut q.jointree);
    let (tree, _) = node(ctx, q, JoinTree::From(from));
    q.jointree = match tree {
        JoinTree::From(f) => f,
        other => FromExpr { from: vec![other], quals: None },
    };
}

/// A place where a new join may be put: the tree there and the relations it makes available.
struct Site {
    tree: JoinTree,
    rels: Relids,
}

fn node(ctx: &PlannerCtx<'_>, q: &mut Query, t: JoinTree) -> (JoinTree, Relids) {
    match t {
        JoinTree::Rte(n) => (JoinTree::Rte(n), Relids::single(n)),
        JoinTree::From(f) => {
            let mut rels = Relids::EMPTY;
            let mut list = Vec::new();
            for c in f.from {
                let (c, r) = node(ctx, q, c);
                rels |= r;
                list.push(c);
            }
            let mut site = Site { tree: JoinTree::From(FromExpr { from: list, quals: None }), rels };
            let quals = f.quals.and_then(|e| qual(ctx, q, e, &mut site, None));
            // The quals go into a FROM list that holds whatever was put on top.
            let tree = match site.tree {
                JoinTree::From(mut f) => {
                    f.quals = quals;
                    JoinTree::From(f)
                }
                other => JoinTree::From(FromExpr { from: vec![other], quals }),
            };
            (tree, rels)
        }
        JoinTree::Join(j) => {
            let JoinExpr { kind, natural, left, right, using, quals, rtindex } = *j;
            let (left, lr) = node(ctx, q, left);
            let (right, rr) = node(ctx, q, right);
            let mut l = Site { tree: left, rels: lr };
            let mut r = Site { tree: right, rels: rr };
            let mut rels = lr | rr;
            if rtindex != 0 {
                rels.add(rtindex);
            }
            let quals = quals.and_then(|e| match kind {
                JoinType::Inner => {
                    let all = lr | rr;
                    let mut both = Site { tree: std::mem::replace(&mut l.tree, JoinTree::Rte(0)), rels: all };
                    // Attach above the left side only if the right side is not needed.
                    let out = qual_side(ctx, q, e, &mut both, lr, Some(&mut r));
                    l.tree = both.tree;
                    out
                }
                JoinType::Left => qual(ctx, q, e, &mut r, None),
                JoinType::Right => qual(ctx, q, e, &mut l, None),
                _ => Some(e),
            });
            let join = JoinExpr { kind, natural, left: l.tree, right: r.tree, using, quals, rtindex };
            (JoinTree::Join(Box::new(join)), rels)
        }
    }
}

fn qual_side(
    ctx: &PlannerCtx<'_>,
    q: &mut Query,
    e: Expr,
    l: &mut Site,
    lr: Relids,
    r: Option<&mut Site>,
) -> Option<Expr> {
    l.rels = lr;
    qual(ctx, q, e, l, r)
}

/// Processes one qualification; returns what remains of it. New joins wrap `site` (or `other`, if only its relations
/// are used).
fn qual(
    ctx: &PlannerCtx<'_>,
    q: &mut Query,
    e: Expr,
    site: &mut Site,
    mut other: Option<&mut Site>,
) -> Option<Expr> {
    match e {
        Expr::Bool { op: BoolOp::And, args, .. } => {
            let mut rest = Vec::new();
            for a in args {
                if let Some(x) = qual(ctx, q, a, site, other.as_deref_mut()) {
                    rest.push(x);
                }
            }
            (!rest.is_empty()).then(|| make_and(rest))
        }
        Expr::SubLink(s) => match s.kind {
            SubLinkType::Any | SubLinkType::Exists => {
                for st in [Some(&mut *site), other].into_iter().flatten() {
                    if let Some(j) = convert(ctx, q, &s, st.rels, false) {
                        attach(ctx, q, j, st);
                        return None;
                    }
                }
                Some(Expr::SubLink(s))
            }
            _ => Some(Expr::SubLink(s)),
        },
        Expr::Bool { op: BoolOp::Not, args, location } => {
            if let Some(Expr::SubLink(s)) = args.first()
                && s.kind == SubLinkType::Exists
            {
                for st in [Some(&mut *site), other].into_iter().flatten() {
                    if let Some(j) = convert(ctx, q, s, st.rels, true) {
                        attach(ctx, q, j, st);
                        return None;
                    }
                }
            }
            Some(Expr::Bool { op: BoolOp::Not, args, location })
        }
        other => Some(other),
    }
}

/// Puts a made join above a site and goes on with the sub-links of its own ON clause and right side.
fn attach(ctx: &PlannerCtx<'_>, q: &mut Query, mut j: JoinExpr, st: &mut Site) {
    let right = std::mem::replace(&mut j.right, JoinTree::Rte(0));
    let (right, child_rels) = node(ctx, q, right);
    let mut r = Site { tree: right, rels: child_rels };
    let left = std::mem::replace(&mut st.tree, JoinTree::Rte(0));
    let mut l = Site { tree: left, rels: st.rels };
    j.quals = j.quals.take().and_then(|e| {
        if j.kind == JoinType::Semi {
            qual(ctx, q, e, &mut l, Some(&mut r))
        } else {
            qual(ctx, q, e, &mut r, None)
        }
    });
    j.left = match l.tree {
        JoinTree::From(f) if f.quals.is_none() && f.from.len() == 1 => {
            f.from.into_iter().next().unwrap_or(JoinTree::Rte(0))
        }
        t => t,
    };
    j.right = r.tree;
    st.tree = JoinTree::Join(Box::new(j));
}

fn convert(ctx: &PlannerCtx<'_>, q: &mut Query, s: &SubLink, rels: Relids, not: bool) -> Option<JoinExpr> {
    match s.kind {
        SubLinkType::Any if !not => convert_any(ctx, q, s, rels),
        SubLinkType::Exists => convert_exists(ctx, q, s, rels, not),
        _ => None,
    }
}

fn convert_any(ctx: &PlannerCtx<'_>, q: &mut Query, s: &SubLink, rels: Relids) -> Option<JoinExpr> {
    let sub = &s.subselect;
    if !pull_query_rtis(sub, 1).is_empty() || query_is_correlated(sub) && mentions_level_one(sub) {
        return None;
    }
    let test = s.test.as_deref()?;
    let up = pull_rtis(test);
    if up.is_empty() || !up.subset_of(rels) || contains_volatile(ctx, test) {
        return None;
    }
    let rti = q.rtable.len() as u32 + 1;
    if rti as usize > Relids::MAX {
        return None;
    }
    let cols: Vec<&TargetEntry> = sub.target_list.iter().filter(|t| !t.junk).collect();
    let vars: Vec<Expr> = cols
        .iter()
        .enumerate()
        .map(|(i, t)| {
            Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno: i as i16 + 1,
                vartype: type_of(&t.expr),
                typmod: typmod_of(&t.expr),
                collation: collation_of(&t.expr),
                levels_up: 0,
                syn: (0, 0),
                location: None,
            })
        })
        .collect();
    let mut quals = test.clone();
    replace(&mut quals, &mut |e| match e {
        Expr::Param(p) if p.kind == ParamKind::SubLink => vars.get(p.id as usize - 1).cloned(),
        _ => None,
    });
    let rte = subquery_rte((**sub).clone(), "ANY_subquery");
    q.rtable.push(rte);
    Some(JoinExpr {
        kind: JoinType::Semi,
        natural: false,
        left: JoinTree::Rte(0),
        right: JoinTree::Rte(rti),
        using: Vec::new(),
        quals: Some(quals),
        rtindex: 0,
    })
}

fn mentions_level_one(sub: &Query) -> bool {
    let mut found = false;
    walk_query_levels(sub, 0, &mut |x, lvl| match x {
        Expr::Var(v) if v.levels_up == lvl + 1 => found = true,
        Expr::Aggref(a) if a.levels_up == lvl + 1 => found = true,
        _ => {}
    });
    found
}

/// A range table entry for a sub-query the planner made.
pub fn subquery_rte(query: Query, name: &str) -> RangeTblEntry {
    let cols: Vec<&TargetEntry> = query.target_list.iter().filter(|t| !t.junk).collect();
    RangeTblEntry {
        alias: Some(name.into()),
        eref_name: name.into(),
        eref_cols: Rc::new(
            cols.iter().map(|t| t.name.clone().unwrap_or_else(|| "?column?".into())).collect(),
        ),
        col_types: Rc::new(cols.iter().map(|t| type_of(&t.expr)).collect()),
        col_typmods: Rc::new(cols.iter().map(|t| typmod_of(&t.expr)).collect()),
        col_collations: Rc::new(cols.iter().map(|t| collation_of(&t.expr)).collect()),
        kind: RteKind::Subquery {
            query: Box::new(query),
            lateral: false,
            security_barrier: false,
            view: None,
        },
        in_from: false,
        required_perms: 0,
        check_as_user: common::Oid::INVALID,
        selected_cols: Vec::new(),
        inserted_cols: Vec::new(),
        updated_cols: Vec::new(),
        security_quals: Vec::new(),
    }
}

/// Strips an EXISTS sub-select of what does not matter for "is there a row"; false if it must stay as it is.
pub fn simplify_exists(q: &mut Query) -> bool {
    if q.command != CmdType::Select
        || q.set_operations.is_some()
        || q.has_aggs
        || !q.grouping_sets.is_empty()
        || q.has_window_funcs
        || q.has_target_srfs
        || q.has_modifying_cte
        || q.having.is_some()
        || q.limit_offset.is_some()
        || !q.row_marks.is_empty()
    {
        return false;
    }
    match &q.limit_count {
        None => {}
        Some(Expr::Const(c)) if !c.value.is_null() => {
            if matches!(c.value, types::Datum::I64(n) if n <= 0) {
                return false;
            }
        }
        Some(_) => return false,
    }
    q.limit_count = None;
    q.target_list.clear();
    q.group_clause.clear();
    q.windows.clear();
    q.distinct.clear();
    q.sort.clear();
    q.has_distinct_on = false;
    true
}

fn convert_exists(
    ctx: &PlannerCtx<'_>,
    q: &mut Query,
    s: &SubLink,
    rels: Relids,
    under_not: bool,
) -> Option<JoinExpr> {
    if !s.subselect.ctes.is_empty() {
        return None;
    }
    let mut sub = (*s.subselect).clone();
    if !simplify_exists(&mut sub) || sub.jointree.from.is_empty() {
        return None;
    }
    let mut where_clause = sub.jointree.quals.take()?;
    // Only WHERE may refer to the parent.
    if mentions_level_one(&sub) {
        return None;
    }
    if !refers_to_exactly(&where_clause) || contains_volatile(ctx, &where_clause) {
        return None;
    }
    // Lateral references inside WHERE's sub-selects are fine; upper Vars must come from this site.
    let mut up = Relids::EMPTY;
    walk_levels(&where_clause, 0, &mut |x, lvl| {
        if let Expr::Var(v) = x
            && v.levels_up == lvl + 1
        {
            up.add(rte_no(v));
        }
    });
    if up.is_empty() || !up.subset_of(rels) {
        return None;
    }
    // The sub-select's own rows must be used by WHERE, or there is nothing to join on.
    if pull_rtis(&where_clause).is_empty() {
        return None;
    }
    if q.rtable.len() + sub.rtable.len() > Relids::MAX {
        return None;
    }
    let off = q.rtable.len() as u32;
    renumber_query_vars(&mut sub, &mut |n| n + off);
    renumber_expr_vars(&mut where_clause, 0, &mut |n| n + off);
    shift_levels(&mut where_clause, -1, 1);
    shift_query_levels(&mut sub, -1, 1);
    let mut from = std::mem::take(&mut sub.jointree);
    for t in &mut from.from {
        offset_tree(t, off);
    }
    q.rtable.append(&mut sub.rtable);
    let right = if from.from.len() == 1 { from.from.swap_remove(0) } else { JoinTree::From(from) };
    debug_assert!(!tree_relids(&right).overlaps(tree_relids_with_joins(&JoinTree::Rte(off))));
    Some(JoinExpr {
        kind: if under_not { JoinType::Anti } else { JoinType::Semi },
        natural: false,
        left: JoinTree::Rte(0),
        right,
        using: Vec::new(),
        quals: Some(where_clause),
        rtindex: 0,
    })
}

fn refers_to_exactly(e: &Expr) -> bool {
    let mut found = false;
    let mut bad = false;
    walk_levels(e, 0, &mut |x, lvl| match x {
        Expr::Var(v) if v.levels_up == lvl + 1 => found = true,
        Expr::Aggref(a) if a.levels_up > lvl => bad = true,
        _ => {}
    });
    found && !bad
}

/// Adds an offset to the range table numbers of a join tree's structure (not of its quals).
pub fn offset_tree(t: &mut JoinTree, off: u32) {
    match t {
        JoinTree::Rte(n) => *n += off,
        JoinTree::Join(j) => {
            offset_tree(&mut j.left, off);
            offset_tree(&mut j.right, off);
            if j.rtindex != 0 {
                j.rtindex += off;
            }
        }
        JoinTree::From(f) => f.from.iter_mut().for_each(|c| offset_tree(c, off)),
    }
}
