//! SET LOGGED and SET UNLOGGED: the table, its TOAST table, its indexes and the sequences of its columns change together; the rows
//! are written anew.

use super::work::Work;
use crate::ctx::CommandCtx;
use crate::{relfilenode, sequence, sequence_ddl, target};
use catalog::columns::pg_class;
use catalog::desc::Relation;
use common::{Oid, Result, bail};
use types::Datum;

/// Changes the persistence to `p` or `u`.
pub fn set(ctx: &CommandCtx<'_>, w: &mut Work, rel: &Relation, wanted: u8) -> Result<()> {
    if w.persistence_changed {
        bail!(FEATURE_NOT_SUPPORTED, "cannot change persistence setting twice");
    }
    if rel.persistence == b't' {
        bail!(
            INVALID_TABLE_DEFINITION,
            "cannot change logged status of table \"{}\" because it is temporary",
            rel.name
        );
    }
    if rel.persistence == wanted {
        return Ok(());
    }
    if rel.kind == b'S' {
        let (last, called) = sequence::state(ctx.catalog, rel.oid)?;
        mark(ctx, rel.oid, wanted)?;
        relfilenode::replace(ctx, rel.oid)?;
        return sequence::create_storage(ctx.catalog, rel.oid, last, called);
    }
    check_references(ctx, rel, wanted)?;
    let mut all = vec![rel.oid];
    all.extend(&rel.indexes);
    let toast = target::class_row(ctx.catalog, rel.oid)?.oid(pg_class::RELTOASTRELID);
    if toast.is_valid() {
        all.push(toast);
        all.extend(&ctx.catalog.relation(toast)?.indexes);
    }
    for oid in all {
        mark(ctx, oid, wanted)?;
    }
    for (seq, _, _) in sequence_ddl::owned_sequences(ctx.catalog, rel.oid)? {
        let (last, called) = sequence::state(ctx.catalog, seq)?;
        mark(ctx, seq, wanted)?;
        relfilenode::replace(ctx, seq)?;
        sequence::create_storage(ctx.catalog, seq, last, called)?;
    }
    w.rewrite = true;
    w.persistence_changed = true;
    Ok(())
}

fn mark(ctx: &CommandCtx<'_>, oid: Oid, wanted: u8) -> Result<()> {
    target::update_class(ctx.catalog, oid, &[(pg_class::RELPERSISTENCE, Datum::I8(wanted as i8))])
}

/// No logged table may reference an unlogged one.
fn check_references(ctx: &CommandCtx<'_>, rel: &Relation, wanted: u8) -> Result<()> {
    let others: Vec<Oid> = match wanted {
        b'p' => rel.fkeys_out.iter().map(|f| f.confrelid).collect(),
        _ => rel.fkeys_in.iter().map(|f| f.conrelid).collect(),
    };
    for o in others.into_iter().filter(|o| *o != rel.oid) {
        let other = ctx.catalog.relation(o)?;
        if wanted == b'p' && other.persistence != b'p' {
            bail!(
                INVALID_TABLE_DEFINITION,
                "could not change table \"{}\" to logged because it references unlogged table \"{}\"",
                rel.name,
                other.name
            );
        }
        if wanted == b'u' && other.persistence == b'p' {
            bail!(
                INVALID_TABLE_DEFINITION,
                "could not change table \"{}\" to unlogged because it references logged table \"{}\"",
                rel.name,
                other.name
            );
        }
    }
    Ok(())
}
