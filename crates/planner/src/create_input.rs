//! Inputs of nodes that take their columns by what they are. Further columns do no harm there: a scan of a sub-query without
//! conditions passes all columns on in the sub-query's order, so that `setrefs` finds nothing left for it to do and takes it
//! out; a scan of a table still reads what is needed, but EXPLAIN lists all columns, as PostgreSQL hands them on there.

use crate::create_plan::{all_clauses, build};
use crate::exprs::{collation_of, equal, type_of, typmod_of};
use crate::path::*;
use crate::plan::Plan;
use crate::root::*;
use analyze::expr::*;
use common::Result;
use std::rc::Rc;

/// Builds the input of a join or of an aggregation that does not keep its rows.
pub fn build_any_columns(g: &Glob<'_>, root: &mut Root, path: &Rc<Path>) -> Result<Plan> {
    let Some((wide, junk)) = with_all_columns(root, path) else {
        let all_columns = lists_all_columns(root, path);
        let mut p = build(g, root, path)?;
        p.all_columns = all_columns;
        return Ok(p);
    };
    let mut p = build(g, root, &Rc::new(wide))?;
    p.targetlist.iter_mut().zip(junk).for_each(|(t, j)| t.junk = j);
    Ok(p)
}

/// The scan with every column of its sub-query, and which of these are junk there.
fn with_all_columns(root: &Root, path: &Path) -> Option<(Path, Vec<bool>)> {
    let PathKind::Subquery { rti, .. } = path.kind else { return None };
    if !all_clauses(root, rti, path).is_empty() {
        return None;
    }
    if !only_columns(path, rti) {
        return None;
    }
    let columns = &root.rel(rti).subroot.as_ref()?.tlist;
    let mut target = Target { cost: path.target.cost, width: path.target.width, ..Target::default() };
    for (i, t) in columns.iter().enumerate() {
        let attno = i as i16 + 1;
        let column = Expr::Var(Var {
            varno: VarNo::Rte(rti),
            attno,
            vartype: type_of(&t.expr),
            typmod: typmod_of(&t.expr),
            collation: collation_of(&t.expr),
            levels_up: 0,
            syn: (0, 0),
            location: None,
        });
        let wanted = path.target.exprs.iter().position(|e| equal(e, &column));
        target.refs.push(wanted.map_or(0, |i| path.target.refs[i]));
        target.exprs.push(wanted.map_or(column, |i| path.target.exprs[i].clone()));
    }
    let found = |e: &Expr| target.exprs.iter().any(|x| equal(x, e));
    if !path.target.exprs.iter().all(found) {
        return None;
    }
    Some((Path { target: Rc::new(target), ..path.clone() }, columns.iter().map(|t| t.junk).collect()))
}

/// Does the path give columns of the relation and nothing else?
fn only_columns(path: &Path, rti: u32) -> bool {
    let column =
        |e: &Expr| matches!(e, Expr::Var(v) if v.varno == VarNo::Rte(rti) && v.levels_up == 0 && v.attno > 0);
    path.target.exprs.iter().all(column)
}

/// Is this a scan whose relation has nothing but its columns to give: none dropped, no expressions of an index?
fn lists_all_columns(root: &Root, path: &Path) -> bool {
    let rti = match &path.kind {
        PathKind::Index(ip) if ip.only && ip.index.desc.keys.contains(&0) => return false,
        PathKind::Index(ip) => ip.rti,
        PathKind::SeqScan { rti }
        | PathKind::BitmapHeap { rti, .. }
        | PathKind::Tid { rti, .. }
        | PathKind::Function { rti }
        | PathKind::Values { rti }
        | PathKind::Cte { rti }
        | PathKind::WorkTable { rti } => *rti,
        _ => return false,
    };
    let rel = root.rel(rti);
    let dropped = rel.relation.as_ref().is_some_and(|r| r.desc.attrs.iter().any(|a| a.dropped));
    rel.member.is_none() && !dropped && only_columns(path, rti)
}
