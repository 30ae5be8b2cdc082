//! Inheritance: a table that others inherit from is read as an append relation of all of them, which the planner makes. Here
//! the others are locked, as early as the table itself.

use crate::ctx::AnalyzeCtx;
use crate::query::*;
use catalog::desc::Relation;
use common::{Error, Result};
use std::rc::Rc;

/// Locks the tables that inherit from those of one query level.
pub fn expand(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    for i in 0..q.rtable.len() {
        let rti = i as u32 + 1;
        let r = &q.rtable[i];
        let RteKind::Relation { relid, lockmode, inh: true, .. } = &r.kind else { continue };
        let (relid, lockmode) = (*relid, *lockmode);
        let rel = ctx.catalog.relation(relid)?;
        if !rel.has_subclass || !matches!(rel.kind, b'r' | b'p') {
            continue;
        }
        let is_target = rti == q.result_relation;
        if is_target && q.command == CmdType::Insert || !is_target && !r.in_from {
            continue;
        }
        let mut alone = true;
        for c in ctx.catalog.descendants(relid)?.into_iter().skip(1) {
            (ctx.lock)(c, lockmode)?;
            // It may have been dropped before the lock was there.
            alone &= ctx.catalog.relation_if_any(c)?.is_none();
        }
        if alone && let RteKind::Relation { inh, .. } = &mut q.rtable[i].kind {
            *inh = false;
        }
    }
    Ok(())
}

/// Attribute number in `child` of each of `parent`'s, by name; 0 for dropped ones.
pub fn attribute_map(parent: &Relation, child: &Relation) -> Result<Vec<i16>> {
    let find = |name: &str| child.desc.attrs.iter().position(|a| !a.dropped && a.name == name);
    parent
        .desc
        .attrs
        .iter()
        .map(|a| match (a.dropped, find(&a.name)) {
            (true, _) => Ok(0),
            (false, Some(i)) => Ok(i as i16 + 1),
            (false, None) => Err(Error::internal(format!(
                "could not find inherited attribute \"{}\" of relation \"{}\"",
                a.name, child.name
            ))),
        })
        .collect()
}

/// A range table entry for one of the tables.
pub fn member_entry(of: &RangeTblEntry, child: &Relation) -> RangeTblEntry {
    let mut r = of.clone();
    if let RteKind::Relation { relid, relkind, inh, .. } = &mut r.kind {
        *relid = child.oid;
        *relkind = child.kind;
        *inh = false;
    }
    let attrs = &child.desc.attrs;
    r.alias = Some(of.alias.clone().unwrap_or_else(|| of.eref_name.clone()));
    let lists = child.column_lists();
    r.eref_cols = lists.names.clone();
    r.col_types = Rc::new(attrs.iter().map(|a| a.type_oid).collect());
    r.col_typmods = lists.typmods.clone();
    r.col_collations = lists.collations.clone();
    // The parent's privileges are all that is asked for.
    r.required_perms = 0;
    r.selected_cols.clear();
    r
}
