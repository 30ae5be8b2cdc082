//! Whole-row references to sub-queries, WITH items, VALUES and functions. Scans of tables make the row themselves; of
//! everything else, the entry is put into a sub-select with the row as one more column, and the references become plain
//! columns: so they are NULL where an outer join null-extends them.

use super::pullup::empty_query;
use crate::exprs::*;
use analyze::expr::*;
use analyze::query::*;
use common::Oid;
use types::oids;

/// Replaces them in a query and in all its sub-selects.
pub fn replace_all(q: &mut Query) {
    let own_row = |r: &RangeTblEntry| matches!(r.kind, RteKind::Relation { .. } | RteKind::Result);
    if !q.has_sub_links && q.ctes.is_empty() && q.rtable.iter().all(own_row) {
        return;
    }
    replace(q);
    if q.has_sub_links {
        query_exprs_mut(q, &mut |e| {
            walk_mut(e, &mut |x| {
                if let Expr::SubLink(s) = x {
                    replace_all(&mut s.subselect);
                }
                true
            });
        });
    }
    subqueries_mut(q, &mut replace_all);
}

/// Replaces those to the entries of one level, wherever they stand.
fn replace(q: &mut Query) {
    let mut wanted: Vec<(u32, Oid)> = Vec::new();
    walk_query_levels(q, 0, &mut |x, lvl| {
        if let Expr::Var(Var { varno: VarNo::Rte(n), attno: 0, levels_up, vartype, .. }) = x
            && *levels_up == lvl
            && !wanted.iter().any(|w| w.0 == *n)
        {
            wanted.push((*n, *vartype));
        }
    });
    for (rti, row_type) in wanted {
        let Some(rte) = q.rtable.get_mut(rti as usize - 1) else { continue };
        if matches!(rte.kind, RteKind::Relation { .. } | RteKind::Join { .. } | RteKind::Result) {
            continue;
        }
        let attno = rte.col_types.len() as i16 + 1;
        wrap(rte, row_type);
        walk_query_levels_mut(q, 0, &mut |x, lvl| {
            if let Expr::Var(v) = x
                && v.levels_up == lvl
                && v.varno == VarNo::Rte(rti)
                && v.attno == 0
            {
                v.attno = attno;
            }
        });
    }
}

/// `(SELECT c1, c2, …, ROW(c1, c2, …) FROM entry)`.
fn wrap(rte: &mut RangeTblEntry, row_type: Oid) {
    let lateral = match &rte.kind {
        RteKind::Subquery { lateral, .. }
        | RteKind::Function { lateral, .. }
        | RteKind::Values { lateral, .. } => *lateral,
        _ => false,
    };
    let mut inner = rte.clone();
    inner.security_quals = Vec::new();
    let mut sub = empty_query();
    sub.rtable.push(inner);
    sub.jointree.from.push(JoinTree::Rte(1));
    // What the entry refers to lies one level further out.
    shift_query_levels(&mut sub, 1, 0);
    let mut args = Vec::new();
    for (i, t) in rte.col_types.iter().enumerate() {
        let var = Expr::Var(Var {
            varno: VarNo::Rte(1),
            attno: i as i16 + 1,
            vartype: *t,
            typmod: rte.col_typmods[i],
            collation: rte.col_collations[i],
            levels_up: 0,
            syn: (1, i as i16 + 1),
            location: None,
        });
        // Dropped columns of a view's or function's row type have no name.
        args.push(if t.is_valid() { var } else { null_column() });
    }
    let names = rte.eref_cols.clone();
    for (e, n) in args.iter().zip(names.iter()) {
        push(&mut sub, e.clone(), n.clone());
    }
    let row = Expr::Row {
        args,
        row_type,
        col_names: names.iter().map(|n| n.to_string()).collect(),
        location: None,
    };
    push(&mut sub, row, rte.eref_name.clone());
    rte.kind = RteKind::Subquery { query: Box::new(sub), lateral, security_barrier: false, view: None };
    rte.push_column("".into(), row_type, -1, Oid::INVALID);
}

fn null_column() -> Expr {
    Expr::Const(Const {
        consttype: oids::INT4,
        typmod: -1,
        collation: Oid::INVALID,
        value: types::Datum::Null,
        location: None,
    })
}

fn push(q: &mut Query, expr: Expr, name: std::rc::Rc<str>) {
    let resno = q.target_list.len() as i16 + 1;
    q.target_list.push(TargetEntry {
        expr,
        resno,
        name: Some(name),
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: false,
    });
}
