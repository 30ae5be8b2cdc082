//! CREATE TYPE … AS (…). A composite type is a relation without rows (`pg_class.relkind` `c`) and its row type; ALTER TYPE
//! goes through ALTER TABLE's subcommands.

use crate::ctx::CommandCtx;
use crate::{columns, relation, target};
use common::{Oid, Result, bail};
use parser::ast::*;
use types::Attribute;

/// Runs CREATE TYPE … AS.
pub fn create(ctx: &CommandCtx<'_>, s: &CompositeTypeStmt) -> Result<String> {
    let (ns, persistence) = target::creation_target(ctx, &s.typevar).map_err(super::without_position)?;
    let name = &s.typevar.relname;
    super::make_way(ctx, ns, name)?;
    let mut attrs: Vec<Attribute> = Vec::new();
    let mut ndims = Vec::new();
    for d in &s.coldeflist {
        let Some(tn) = &d.type_name else { continue };
        let (a, n) = columns::attribute_for(ctx, &d.colname, tn, d.coll_clause.as_ref())
            .map_err(super::without_position)?;
        if attrs.iter().any(|x| x.name == a.name) {
            bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", a.name);
        }
        attrs.push(a);
        ndims.push(n);
    }
    if attrs.len() > 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    relation::create(
        ctx.catalog,
        &relation::NewRelation {
            name,
            namespace: ns,
            owner: ctx.host.role(),
            kind: b'c',
            persistence,
            attrs: &attrs,
            ndims: &ndims,
            options: &[],
            checks: 0,
        },
    )?;
    Ok("CREATE TYPE".into())
}

/// Does a type hold values of a row type (in it, in arrays or domains of it)?
fn contains(ctx: &CommandCtx<'_>, t: Oid, row_type: Oid) -> Result<bool> {
    if t == row_type {
        return Ok(true);
    }
    let d = ctx.catalog.type_desc(t)?;
    match d.typtype {
        b'd' => contains(ctx, d.base_type, row_type),
        b'c' => {
            for a in ctx.catalog.composite_desc(t)?.attrs.iter().filter(|a| !a.dropped) {
                if contains(ctx, a.type_oid, row_type)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ if d.elem.is_valid() && d.len == -1 => contains(ctx, d.elem, row_type),
        _ => Ok(false),
    }
}

/// 42P16 if a new column would make a row type a part of itself.
pub fn check_not_recursive(ctx: &CommandCtx<'_>, t: Oid, row_type: Oid) -> Result<()> {
    if row_type.is_valid() && contains(ctx, t, row_type)? {
        bail!(
            INVALID_TABLE_DEFINITION,
            "composite type {} cannot be made a member of itself",
            super::shown(ctx, row_type)?
        );
    }
    Ok(())
}
