//! WHERE CURRENT OF: a cursor over a plain scan of a table, or one that locks its rows, remembers for each row where it lies.

use super::Session;
use super::prepared::{Analysis, Work};
use analyze::expr::{Expr, TargetEntry, Var, VarNo};
use analyze::query::{JoinTree, Query, RteKind};
use common::{Oid, Result, Tid, bail};
use planner::plan::{Node, Plan};
use types::{Datum, oids};

/// A table whose rows a cursor can name.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub table: Oid,
    /// The column of the plan's output with the row's address.
    pub column: usize,
    /// Others inherit from the table: the next mark is the column that says which table the row is in.
    pub inherited: bool,
}

/// The tables whose row addresses a cursor is to remember: those it locks, or the one it scans.
fn tables(q: &Query) -> Vec<u32> {
    if !q.row_marks.is_empty() {
        return q.row_marks.iter().map(|m| m.rti).collect();
    }
    let plain = q.set_operations.is_none()
        && !q.has_aggs
        && !q.has_window_funcs
        && !q.has_target_srfs
        && q.group_clause.is_empty()
        && q.grouping_sets.is_empty()
        && q.distinct.is_empty()
        && q.having.is_none();
    match &q.jointree.from[..] {
        [JoinTree::Rte(rti)] if plain => vec![*rti],
        _ => Vec::new(),
    }
}

/// Adds the addresses to what the query computes.
pub fn mark(q: &mut Query) -> Vec<Mark> {
    let mut out = Vec::new();
    for rti in tables(q) {
        let RteKind::Relation { relid, relkind: b'r' | b'm' | b'p', inh, .. } = q.rte(rti).kind else {
            continue;
        };
        out.push(Mark { table: relid, column: q.target_list.len(), inherited: inh });
        push_system(q, rti, -1, oids::TID);
        if inh {
            out.push(Mark { table: Oid::INVALID, column: q.target_list.len(), inherited: false });
            push_system(q, rti, -6, oids::OID);
        }
    }
    out
}

fn push_system(q: &mut Query, rti: u32, attno: i16, vartype: Oid) {
    let var = Var {
        varno: VarNo::Rte(rti),
        attno,
        vartype,
        typmod: -1,
        collation: Oid::INVALID,
        levels_up: 0,
        syn: (rti, attno),
        location: None,
    };
    q.target_list.push(TargetEntry {
        expr: Expr::Var(var),
        resno: q.target_list.len() as i16 + 1,
        name: Some(format!("system{attno}.{rti}").into()),
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: true,
    });
}

/// Does each row of the plan come straight from a row of its table?
pub fn is_simple(p: &Plan) -> bool {
    match &p.node {
        Node::SeqScan { .. }
        | Node::IndexScan { .. }
        | Node::IndexOnlyScan { .. }
        | Node::BitmapHeapScan { .. }
        | Node::TidScan { .. } => true,
        Node::Limit { child, .. } | Node::Result { child: Some(child), .. } => is_simple(child),
        Node::Append { children, rti } if *rti != 0 => children.iter().all(is_simple),
        _ => false,
    }
}

impl Analysis {
    /// The same analysis for a cursor that can be named by WHERE CURRENT OF.
    pub fn marked(&self) -> (Option<Query>, Vec<Mark>) {
        let Work::Query(q) = &self.work else { return (None, Vec::new()) };
        let mut q = Query::clone(q);
        let marks = mark(&mut q);
        (Some(q), marks)
    }
}

impl Session {
    /// Where a cursor stands in a table. 34000 if there is no such cursor, 24000 if it does not stand on a row.
    pub(super) fn current_of(&self, cursor: &str, table: Oid) -> Result<Option<Tid>> {
        let portal = self.require_cursor(cursor)?;
        let Ok(p) = portal.try_borrow() else {
            bail!(INVALID_CURSOR_STATE, "cursor \"{cursor}\" is not positioned on a row");
        };
        let a = self.analysis(&p.prepared, false)?;
        let Work::Query(q) = &a.work else {
            bail!(INVALID_CURSOR_STATE, "cursor \"{cursor}\" is not a SELECT query");
        };
        if p.survived {
            bail!(INVALID_CURSOR_STATE, "cursor \"{cursor}\" is held from a previous transaction");
        }
        let name = self.catalog.relation(table)?.name.clone();
        let among = |m: &Mark| -> Result<bool> {
            Ok(m.table == table || (m.inherited && self.catalog.descendants(m.table)?.contains(&table)))
        };
        let mut found = Vec::new();
        for (i, m) in p.marks.iter().enumerate() {
            if m.table.is_valid() && among(m)? {
                found.push(i);
            }
        }
        let Some(&mark) = found.first() else {
            if q.row_marks.is_empty() {
                bail!(
                    INVALID_CURSOR_STATE,
                    "cursor \"{cursor}\" is not a simply updatable scan of table \"{name}\""
                );
            }
            bail!(
                INVALID_CURSOR_STATE,
                "cursor \"{cursor}\" does not have a FOR UPDATE/SHARE reference to table \"{name}\""
            );
        };
        if found.len() > 1 {
            bail!(
                INVALID_CURSOR_STATE,
                "cursor \"{cursor}\" has multiple FOR UPDATE/SHARE references to table \"{name}\""
            );
        }
        if p.marks[mark].inherited
            && let Some(Datum::U32(t)) = p.place(mark + 1)
            && Oid(t) != table
        {
            return Ok(None);
        }
        match p.place(mark) {
            None => bail!(INVALID_CURSOR_STATE, "cursor \"{cursor}\" is not positioned on a row"),
            Some(Datum::I64(t)) => Ok(Some(Tid::unpack(t))),
            Some(_) => Ok(None),
        }
    }
}
