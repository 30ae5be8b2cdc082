//! SET CONSTRAINTS: names resolved to constraints, the transaction's modes changed, and what is no longer deferred run at once.

use crate::ctx::CommandCtx;
use catalog::columns::*;
use common::{Oid, Result, bail};
use parser::ast::{ConstraintsSetStmt, RangeVar};
use types::Datum;

/// Runs SET CONSTRAINTS.
pub fn run(ctx: &CommandCtx<'_>, s: &ConstraintsSetStmt) -> Result<String> {
    ctx.engine.warn_no_block(ctx.top_level, "SET CONSTRAINTS");
    let mut found = Vec::new();
    for name in &s.constraints {
        found.extend(resolve(ctx, name)?);
    }
    ctx.env.deferred.set_modes(ctx.engine.nest_level(), &found, s.deferred);
    if !s.deferred {
        executor::modify::run_immediate(ctx.env)?;
    }
    Ok("SET CONSTRAINTS".into())
}

/// The deferrable constraints of that name in the first schema that has one.
fn resolve(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<Vec<Oid>> {
    use pg_constraint::*;
    let schemas = match &rv.schemaname {
        Some(s) => vec![ctx.catalog.require_namespace(s)?],
        None => ctx.host.search_path()?.schemas.clone(),
    };
    let mut found = false;
    let mut out = Vec::new();
    for ns in schemas {
        let keys = [Datum::text(&rv.relname), Datum::oid(ns)];
        for r in ctx.catalog.scan(TABLE, CONNAME_NSP_INDEX, &keys)? {
            found = true;
            if r.bool(CONDEFERRABLE) {
                out.push(r.oid(OID));
            } else if rv.schemaname.is_none() || out.is_empty() {
                bail!(WRONG_OBJECT_TYPE, "constraint \"{}\" is not deferrable", rv.relname);
            }
        }
        if found {
            break;
        }
    }
    if !found {
        bail!(
            UNDEFINED_OBJECT,
            "constraint \"{}\" does not exist",
            crate::target::display(rv).rsplit('.').next().unwrap_or_default()
        );
    }
    Ok(out)
}
