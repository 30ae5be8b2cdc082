//! LOCK TABLE.

use crate::CommandCtx;
use crate::target::{display, find_relation};
use common::{Oid, Result, bail, err};
use parser::ast::LockStmt;

/// Locks each table until the end of the transaction. 25P01 outside a block, 55P03 with NOWAIT.
pub fn run(ctx: &CommandCtx<'_>, s: &LockStmt) -> Result<String> {
    ctx.engine.require_block(ctx.top_level, "LOCK TABLE")?;
    let mode = crate::lock_mode(s.mode as u8);
    for rv in &s.relations {
        let Some(oid) = find_relation(ctx, rv)? else {
            return Err(err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", display(rv)));
        };
        let rel = ctx.catalog.relation(oid)?;
        if !matches!(rel.kind, b'r' | b'p' | b'v') {
            bail!(WRONG_OBJECT_TYPE, "cannot lock relation \"{}\"", rel.name);
        }
        let tables = if rv.inh { ctx.catalog.descendants(oid)? } else { vec![oid] };
        for t in tables {
            one(ctx, t, mode, s.nowait)?;
        }
    }
    Ok("LOCK TABLE".into())
}

fn one(ctx: &CommandCtx<'_>, oid: Oid, mode: transam::LockMode, nowait: bool) -> Result<()> {
    let Some(rel) = ctx.catalog.relation_if_any(oid)? else { return Ok(()) };
    let db = if rel.shared { Oid::INVALID } else { ctx.catalog.database() };
    if !nowait {
        ctx.engine.lock_relation(db, oid, mode)?;
    } else if !ctx.engine.try_lock_relation(db, oid, mode)? {
        bail!(LOCK_NOT_AVAILABLE, "could not obtain lock on relation \"{}\"", rel.name);
    }
    Ok(())
}
