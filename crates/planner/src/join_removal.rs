//! Left joins that change nothing: the nullable side can match at most one row for each row of the other side, and
//! nothing above the join reads its columns. Such a join is taken out before the join order is searched.

use crate::equivalence;
use crate::exprs::*;
use crate::initsplan::JoinList;
use crate::paths::join::{is_unique, pushed_down, query_distinct_for, sides_match, unique_by};
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::Expr;
use analyze::query::{CmdType, JoinType, RteKind};

/// Removes what can be removed from the join problem.
pub fn remove(root: &mut Root, list: &mut Vec<JoinList>) {
    while let Some(i) = (0..root.sjis.len()).find(|i| removable(root, &root.sjis[*i])) {
        let s = root.sjis.remove(i);
        if let Some(rti) = s.min_right.first() {
            take_out(root, rti);
            drop_item(list, rti);
        }
    }
}

/// Turns semi joins whose right side has at most one partner for each row of the left into inner joins: any order will do.
pub fn reduce_semi(g: &Glob<'_>, root: &mut Root) {
    for i in (0..root.sjis.len()).rev() {
        let s = &root.sjis[i];
        let (left, right) = (s.min_left, s.min_right);
        let Some(rti) = right.first().filter(|_| s.kind == JoinType::Semi && right.is_single()) else {
            continue;
        };
        let mut clauses = equivalence::join_clauses(g, root, left | right, left, right);
        clauses.extend(root.rel(rti).join_clauses.iter().cloned());
        if is_unique(root, left, right, JoinType::Semi, &clauses) {
            root.sjis.remove(i);
        }
    }
}

fn removable(root: &Root, s: &SpecialJoin) -> bool {
    if s.kind != JoinType::Left || !s.min_right.is_single() {
        return false;
    }
    let Some(rti) = s.min_right.first() else { return false };
    let Some(Some(rel)) = root.base.get(rti as usize) else { return false };
    let join = s.min_left | s.min_right;
    // Row locks and changes look at the rows of all tables again.
    if !root.row_marks.is_empty() || !matches!(root.query.command, CmdType::Select | CmdType::Insert) {
        return false;
    }
    if root.has_lateral || rel.needed.iter().any(|(_, at)| !at.subset_of(join)) {
        return false;
    }
    let mut keys: Vec<&Ri> = Vec::new();
    for c in &rel.join_clauses {
        if pushed_down(c, join) {
            return false;
        }
        if c.can_join && !c.merge_families.is_empty() && sides_match(c, s.min_left, s.min_right) {
            keys.push(c);
        }
    }
    match &root.query.rte(rti).kind {
        RteKind::Relation { .. } => unique_by(root, rti, &keys),
        RteKind::Subquery { query, .. } => {
            let own = Relids::single(rti);
            let column = |c: &&Ri| {
                let Expr::Op(o) = &c.clause else { return None };
                match strip_relabel(&o.args[usize::from(c.right_relids == own)]) {
                    Expr::Var(v) => Some(v.attno),
                    _ => None,
                }
            };
            let cols: Vec<i16> = keys.iter().filter_map(column).collect();
            !cols.is_empty() && query_distinct_for(query, &query.target_list, &cols)
        }
        _ => false,
    }
}

/// The relation stays in the range table, but takes no part in planning any more.
fn take_out(root: &mut Root, rti: u32) {
    let own = Relids::single(rti);
    root.all_base = root.all_base.minus(own);
    root.nullable_base = root.nullable_base.minus(own);
    root.total_pages -= root.rel(rti).pages;
    for rel in root.base.iter_mut().flatten() {
        rel.join_clauses.retain(|c| !c.required_relids.contains(rti));
        for n in &mut rel.needed {
            n.1 = n.1.minus(own);
        }
    }
    for s in &mut root.sjis {
        for r in [&mut s.min_left, &mut s.min_right, &mut s.syn_left, &mut s.syn_right] {
            *r = r.minus(own);
        }
    }
    for l in [&mut root.oj_left, &mut root.oj_right, &mut root.oj_full] {
        l.retain(|c| !c.required_relids.contains(rti));
    }
}

fn drop_item(list: &mut Vec<JoinList>, rti: u32) {
    list.retain_mut(|l| match l {
        JoinList::Rel(n) => *n != rti,
        JoinList::List(v) => {
            drop_item(v, rti);
            !v.is_empty()
        }
    });
}
