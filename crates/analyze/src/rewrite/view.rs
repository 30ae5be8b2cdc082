//! Views: a reference to one becomes its stored query as a sub-query, whose tables are read with the view owner's
//! rights. The entry keeps the privileges needed on the view itself.

use crate::ctx::AnalyzeCtx;
use crate::query::*;
use common::{Oid, Result, err};

/// Views nested deeper than this are taken for a recursion.
const DEPTH_MAX: u32 = 100;

/// Expands the views in a query's range table and everything below.
pub fn expand(ctx: &AnalyzeCtx<'_>, q: &mut Query, depth: u32) -> Result<()> {
    let marks = q.row_marks.clone();
    for i in 0..q.rtable.len() {
        let rti = i as u32 + 1;
        let in_from = q.rtable[i].in_from;
        match &mut q.rtable[i].kind {
            // A view that was written through stays for its privileges alone.
            RteKind::Relation { relid, relkind: b'v', .. } if rti != q.result_relation && in_from => {
                let relid = *relid;
                let rel = ctx.catalog.relation(relid)?;
                let Some(text) = &rel.view_query else {
                    return Err(err!(INTERNAL_ERROR, "view \"{}\" has no stored query", rel.name));
                };
                if depth >= DEPTH_MAX {
                    return Err(err!(
                        INVALID_OBJECT_DEFINITION,
                        "infinite recursion detected in rules for relation \"{}\"",
                        rel.name
                    ));
                }
                let mut body = Query::clone(&*crate::load_stored(text)?);
                let mark = marks.iter().find(|m| m.rti == rti);
                let owner = reader(&rel, q.rtable[i].check_as_user);
                lock_relations(ctx, &mut body, owner, mark)?;
                super::rewrite_query(ctx, &mut body, depth + 1)?;
                q.rtable[i].kind = RteKind::Subquery {
                    query: Box::new(body),
                    lateral: false,
                    security_barrier: is_barrier(&rel),
                    view: Some(relid),
                };
            }
            RteKind::Subquery { query, .. } => super::rewrite_query(ctx, query, depth)?,
            _ => {}
        }
    }
    Ok(())
}

/// Was the view made WITH (security_barrier)?
pub(super) fn is_barrier(view: &catalog::desc::Relation) -> bool {
    let on = |o: &String| {
        matches!(o.as_str(), "security_barrier" | "security_barrier=true" | "security_barrier=on")
    };
    view.options.iter().any(on)
}

/// The role whose privileges on a view's tables count: its owner's, or with security_invoker those of who reads the view.
pub(super) fn reader(view: &catalog::desc::Relation, invoker: Oid) -> Oid {
    let on = |o: &String| {
        matches!(o.as_str(), "security_invoker" | "security_invoker=true" | "security_invoker=on")
    };
    if view.options.iter().any(on) { invoker } else { view.owner }
}

/// Locks the tables of a view's query, sets the role their privileges are checked for, and passes FOR UPDATE down.
pub(super) fn lock_relations(
    ctx: &AnalyzeCtx<'_>,
    q: &mut Query,
    owner: Oid,
    mark: Option<&RowMark>,
) -> Result<()> {
    for i in 0..q.rtable.len() {
        let rti = i as u32 + 1;
        let in_from = q.rtable[i].in_from;
        match &mut q.rtable[i].kind {
            RteKind::Relation { relid, lockmode, .. } => {
                if mark.is_some() {
                    *lockmode = (*lockmode).max(2);
                }
                (ctx.lock)(*relid, *lockmode)?;
                q.rtable[i].check_as_user = owner;
                if let (Some(m), true) = (mark, in_from) {
                    q.rtable[i].required_perms |= crate::scope::acl::UPDATE;
                    crate::select::add_row_mark(q, rti, m.strength, m.wait, true);
                    q.has_for_update = true;
                }
            }
            RteKind::Subquery { query, .. } => {
                lock_relations(ctx, query, owner, mark.filter(|_| in_from))?;
            }
            _ => {}
        }
    }
    for c in &mut q.ctes {
        lock_relations(ctx, &mut c.query, owner, None)?;
    }
    let mut r = Ok(());
    crate::walk::query_exprs_mut(q, &mut |e| {
        if r.is_ok() {
            r = lock_in_expr(ctx, e, owner);
        }
    });
    r
}

fn lock_in_expr(ctx: &AnalyzeCtx<'_>, e: &mut crate::expr::Expr, owner: Oid) -> Result<()> {
    let mut r = Ok(());
    crate::walk::children_mut(e, &mut |c| {
        if r.is_ok() {
            r = lock_in_expr(ctx, c, owner);
        }
    });
    r?;
    if let crate::expr::Expr::SubLink(s) = e {
        lock_relations(ctx, &mut s.subselect, owner, None)?;
    }
    Ok(())
}
