//! Temporary objects: the schema they lie in is made when first needed, emptied when the session ends, and swept by the next owner
//! of its number if a session died without doing so. ON COMMIT runs just before the commit record.

use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{acl, aclcheck, schema};
use catalog::columns::pg_namespace;
use catalog::depend::ObjectAddress;
use catalog::temp::AtCommit;
use common::{BlockNumber, Oid, Result, bail, err};
use parser::ast::{DropBehavior, OnCommitAction};
use storage::Fork;

/// The owner of temporary schemas: whoever made the cluster.
const BOOTSTRAP_ROLE: Oid = Oid(10);

/// The session's temporary schema, made if need be.
pub fn namespace(ctx: &CommandCtx<'_>) -> Result<Oid> {
    if let Some(ns) = ctx.catalog.temp().namespace() {
        return Ok(ns);
    }
    if aclcheck::check_database(ctx, acl::TEMP).is_err() {
        bail!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied to create temporary tables in database \"{}\"",
            ctx.host.database_name()
        );
    }
    let n = ctx.engine.store().backend_number();
    let ns = make(ctx, &format!("pg_temp_{n}"))?;
    let toast = make(ctx, &format!("pg_toast_temp_{n}"))?;
    ctx.catalog.temp().set(ns, toast, ctx.engine.nest_level());
    ctx.catalog.reset_caches();
    Ok(ns)
}

/// Makes the schema, or empties one that a dead session left.
fn make(ctx: &CommandCtx<'_>, name: &str) -> Result<Oid> {
    match ctx.catalog.namespace_oid(name)? {
        Some(ns) => {
            empty(ctx, ns)?;
            Ok(ns)
        }
        None => schema::insert(ctx, name, BOOTSTRAP_ROLE),
    }
}

fn empty(ctx: &CommandCtx<'_>, ns: Oid) -> Result<()> {
    let all = ctx.catalog.dependents(ObjectAddress::new(pg_namespace::TABLE, ns))?;
    let mut objects: Vec<ObjectAddress> = all.into_iter().map(|d| d.depender).collect();
    objects.sort_by_key(|o| std::cmp::Reverse(o.object));
    walk::drop_objects(ctx, &objects, DropBehavior::Cascade, true)
}

/// Drops every temporary object of the session (end of the session, DISCARD TEMP).
pub fn remove_all(ctx: &CommandCtx<'_>) -> Result<()> {
    match ctx.catalog.temp().namespace() {
        Some(ns) => empty(ctx, ns),
        None => Ok(()),
    }
}

/// Notes ON COMMIT of a table just made.
pub fn note(ctx: &CommandCtx<'_>, table: Oid, action: OnCommitAction) {
    let action = match action {
        OnCommitAction::Noop | OnCommitAction::PreserveRows => return,
        OnCommitAction::DeleteRows => AtCommit::DeleteRows,
        OnCommitAction::Drop => AtCommit::Drop,
    };
    ctx.catalog.temp().at_commit(table, action, ctx.engine.nest_level());
}

/// ON COMMIT, before the transaction commits.
pub fn before_commit(ctx: &CommandCtx<'_>) -> Result<()> {
    let (mut emptied, mut dropped) = (Vec::new(), Vec::new());
    for (table, action) in ctx.catalog.temp().entries() {
        if ctx.catalog.relation_if_any(table)?.is_none() {
            ctx.catalog.temp().forget(table);
            continue;
        }
        match action {
            AtCommit::DeleteRows => emptied.push(table),
            AtCommit::Drop => dropped.push(table),
        }
    }
    check_references(ctx, &emptied)?;
    for t in &emptied {
        delete_rows(ctx, *t)?;
    }
    if !dropped.is_empty() {
        let objects: Vec<ObjectAddress> =
            dropped.iter().map(|t| ObjectAddress::new(catalog::columns::pg_class::TABLE, *t)).collect();
        walk::drop_objects(ctx, &objects, DropBehavior::Cascade, true)?;
    }
    Ok(())
}

fn check_references(ctx: &CommandCtx<'_>, emptied: &[Oid]) -> Result<()> {
    for t in emptied {
        let r = ctx.catalog.relation(*t)?;
        if let Some(f) = r.fkeys_in.iter().find(|f| !emptied.contains(&f.conrelid)) {
            let other = ctx.catalog.relation(f.conrelid)?.name.clone();
            return Err(err!(FEATURE_NOT_SUPPORTED, "unsupported ON COMMIT and foreign key combination")
                .detail(format!(
                    "Table \"{other}\" references \"{}\", but they do not have the same ON COMMIT setting.",
                    r.name
                )));
        }
    }
    Ok(())
}

/// Cuts the files of a table, its TOAST table and indexes to nothing: nobody else can look at them, and a transaction that
/// gets here will commit.
fn delete_rows(ctx: &CommandCtx<'_>, table: Oid) -> Result<()> {
    let r = ctx.catalog.relation(table)?;
    let Some(heap) = r.rel.clone() else { return Ok(()) };
    let store = ctx.engine.store();
    let cut = |rel| {
        let forks = [Fork::Main, Fork::Fsm, Fork::Vm].map(|f| (f, BlockNumber(0)));
        ctx.engine.truncate_storage(rel, &forks)
    };
    let mut parts = vec![(heap.locator, r.indexes.clone())];
    if let Some(t) = &heap.toast {
        parts.push((t.heap.locator, vec![t.index.rel.oid]));
    }
    for (locator, indexes) in parts {
        if store.nblocks(locator, Fork::Main)?.0 == 0 {
            continue;
        }
        cut(locator)?;
        for ix in indexes {
            let ix = ctx.catalog.index(ix)?;
            cut(ix.rel.rel.locator)?;
            access::btree::create_empty(ctx.engine, &ix.rel)?;
        }
    }
    Ok(())
}
