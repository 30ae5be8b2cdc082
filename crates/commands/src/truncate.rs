//! TRUNCATE: new, empty files for tables, their indexes and TOAST tables.

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::{acl, aclcheck, relfilenode, sequence_ddl, target};
use common::{Oid, Result, bail, err};
use parser::ast::{DropBehavior, TruncateStmt};
use transam::LockMode;

/// A table that goes along with its parent needs no privilege of its own.
fn check_child(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    ctx.engine.note_write_all(oid)?;
    let r = ctx.catalog.relation(oid)?;
    target::check_not_in_use(ctx, r.oid, &r.name, "TRUNCATE")
}

fn check(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    // To a serializable transaction that has read the table, emptying it is a write.
    ctx.engine.note_write_all(oid)?;
    let r = ctx.catalog.relation(oid)?;
    if r.kind != b'r' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table", r.name);
    }
    aclcheck::check_relation(ctx, &r, acl::TRUNCATE)?;
    target::check_not_catalog(&r)?;
    target::check_not_in_use(ctx, r.oid, &r.name, "TRUNCATE")
}

/// Runs TRUNCATE.
pub fn run(ctx: &CommandCtx<'_>, s: &TruncateStmt) -> Result<String> {
    let mut tables: Vec<Oid> = Vec::new();
    for rv in &s.relations {
        let r = target::open_relation(ctx, rv, LockMode::AccessExclusive)?;
        check(ctx, r.oid)?;
        if !tables.contains(&r.oid) {
            tables.push(r.oid);
        }
        if !rv.inh {
            continue;
        }
        for c in ctx.catalog.descendants(r.oid)?.into_iter().skip(1) {
            target::lock_oid(ctx, c, LockMode::AccessExclusive)?;
            if ctx.catalog.relation_if_any(c)?.is_some() && !tables.contains(&c) {
                check_child(ctx, c)?;
                tables.push(c);
            }
        }
    }
    let mut at = 0;
    while at < tables.len() {
        let r = ctx.catalog.relation(tables[at])?;
        at += 1;
        let referencing: Vec<Oid> = r.fkeys_in.iter().map(|f| f.conrelid).collect();
        for other in referencing {
            if tables.contains(&other) {
                continue;
            }
            if s.behavior == DropBehavior::Cascade {
                target::lock_oid(ctx, other, LockMode::AccessExclusive)?;
                let name = ctx.catalog.relation(other)?.name.clone();
                notice(ctx, format!("truncate cascades to table \"{name}\""));
                check(ctx, other)?;
                tables.push(other);
            }
        }
    }
    if s.behavior == DropBehavior::Restrict {
        check_references(ctx, &tables)?;
    }
    for t in tables {
        if s.restart_seqs {
            for (seq, _, _) in sequence_ddl::owned_sequences(ctx.catalog, t)? {
                target::lock_oid(ctx, seq, LockMode::AccessExclusive)?;
                target::check_relation_owner(ctx, &*ctx.catalog.relation(seq)?)?;
                sequence_ddl::restart(ctx, seq)?;
            }
        }
        relfilenode::replace_table(ctx, t)?;
    }
    Ok("TRUNCATE TABLE".into())
}

fn check_references(ctx: &CommandCtx<'_>, tables: &[Oid]) -> Result<()> {
    for t in tables {
        let r = ctx.catalog.relation(*t)?;
        if let Some(f) = r.fkeys_in.iter().find(|f| !tables.contains(&f.conrelid)) {
            let other = ctx.catalog.relation(f.conrelid)?.name.clone();
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot truncate a table referenced in a foreign key constraint"
            )
            .detail(format!("Table \"{other}\" references \"{}\".", r.name))
            .hint(format!("Truncate table \"{other}\" at the same time, or use TRUNCATE ... CASCADE.")));
        }
    }
    Ok(())
}
