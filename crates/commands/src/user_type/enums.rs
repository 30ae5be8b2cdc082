//! CREATE TYPE … AS ENUM, ALTER TYPE … ADD VALUE and RENAME VALUE.

use crate::analysis::notice_as;
use crate::ctx::CommandCtx;
use catalog::columns::*;
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result, SqlState, bail};
use parser::ast::*;
use transam::LockMode;
use types::{Datum, Phys, UserClass};

fn check_label(label: &str) -> Result<()> {
    if label.len() > 63 {
        return Err(common::err!(INVALID_NAME, "invalid enum label \"{label}\"")
            .detail("Labels must be 63 bytes or less."));
    }
    Ok(())
}

fn insert_label(ctx: &CommandCtx<'_>, type_oid: Oid, order: f32, label: &str) -> Result<Oid> {
    use pg_enum::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[ENUMTYPID] = Datum::oid(type_oid);
    r[ENUMSORTORDER] = Datum::F32(order);
    r[ENUMLABEL] = Datum::text(label);
    ctx.catalog.insert_row(TABLE, &r)?;
    Ok(oid)
}

/// Runs CREATE TYPE … AS ENUM.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateEnumStmt) -> Result<String> {
    let (ns, name) = super::creation(ctx, &s.type_name)?;
    super::make_way(ctx, ns, &name)?;
    let (oid, array) = super::new_oids(ctx.catalog, UserClass::Enum)?;
    let t = TypeDesc {
        len: 4,
        by_val: true,
        align: b'i',
        storage: b'p',
        phys: Phys::I64,
        typtype: b'e',
        category: b'E',
        input: Oid(3506),
        output: Oid(3507),
        receive: Oid(3532),
        send: Oid(3533),
        ..super::blank(oid, array, &name, ns, ctx.host.role())
    };
    super::insert(ctx, &t, &[])?;
    crate::default_privileges::apply_to_type(ctx.catalog, oid, ctx.host.role(), ns)?;
    for (i, label) in s.vals.iter().enumerate() {
        check_label(label)?;
        if s.vals[..i].contains(label) {
            return Err(common::err!(
                UNIQUE_VIOLATION,
                "duplicate key value violates unique constraint \"pg_enum_typid_label_index\""
            )
            .detail(format!("Key (enumtypid, enumlabel)=({oid}, {label}) already exists.")));
        }
        insert_label(ctx, oid, (i + 1) as f32, label)?;
    }
    ctx.engine.command_counter_increment()?;
    Ok("CREATE TYPE".into())
}

/// Runs ALTER TYPE … ADD VALUE and RENAME VALUE.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterEnumStmt) -> Result<String> {
    let t = super::find(ctx, &s.type_name)?;
    super::check_owner(ctx, &t)?;
    if t.typtype != b'e' {
        bail!(WRONG_OBJECT_TYPE, "{} is not an enum", super::shown(ctx, t.oid)?);
    }
    let db = ctx.catalog.database();
    ctx.engine.lock_object(db, pg_type::TABLE, t.oid, 0, LockMode::Exclusive)?;
    match &s.old_val {
        Some(old) => rename(ctx, &t, old, &s.new_val)?,
        None => add(ctx, &t, s)?,
    }
    ctx.engine.command_counter_increment()?;
    Ok("ALTER TYPE".into())
}

fn rename(ctx: &CommandCtx<'_>, t: &TypeDesc, old: &str, new: &str) -> Result<()> {
    check_label(new)?;
    let labels = ctx.catalog.enum_labels(t.oid)?;
    let Some(l) = labels.iter().find(|l| &*l.label == old) else {
        bail!(INVALID_PARAMETER_VALUE, "\"{old}\" is not an existing enum label");
    };
    if labels.iter().any(|l| &*l.label == new) {
        bail!(DUPLICATE_OBJECT, "enum label \"{new}\" already exists");
    }
    use pg_enum::*;
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(l.oid)])? {
        ctx.catalog.update_columns(TABLE, &r, &[(ENUMLABEL, Datum::text(new))])?;
    }
    Ok(())
}

fn add(ctx: &CommandCtx<'_>, t: &TypeDesc, s: &AlterEnumStmt) -> Result<()> {
    let label = &s.new_val;
    check_label(label)?;
    let labels = ctx.catalog.enum_labels(t.oid)?;
    if labels.iter().any(|l| &*l.label == label.as_str()) {
        if s.skip_if_new_val_exists {
            let message = format!("enum label \"{label}\" already exists, skipping");
            notice_as(ctx, SqlState::DUPLICATE_OBJECT, message);
            return Ok(());
        }
        bail!(DUPLICATE_OBJECT, "enum label \"{label}\" already exists");
    }
    let order = match &s.new_val_neighbor {
        None => labels.last().map_or(1.0, |l| l.sort_order + 1.0),
        Some(n) => {
            let Some(i) = labels.iter().position(|l| &*l.label == n.as_str()) else {
                bail!(INVALID_PARAMETER_VALUE, "\"{n}\" is not an existing enum label");
            };
            let (lo, hi) = if s.new_val_is_after {
                (Some(labels[i].sort_order), labels.get(i + 1).map(|l| l.sort_order))
            } else {
                (i.checked_sub(1).map(|i| labels[i].sort_order), Some(labels[i].sort_order))
            };
            between(lo, hi)?
        }
    };
    let oid = insert_label(ctx, t.oid, order, label)?;
    ctx.catalog.note_new_enum_label(oid)
}

/// A place between two positions. Values hold their position, so that labels cannot be numbered anew.
fn between(lo: Option<f32>, hi: Option<f32>) -> Result<f32> {
    let order = match (lo, hi) {
        (Some(lo), Some(hi)) => (lo + hi) / 2.0,
        (Some(lo), None) => lo + 1.0,
        (None, Some(hi)) => hi - 1.0,
        (None, None) => 1.0,
    };
    if Some(order) == lo || Some(order) == hi {
        return Err(Error::unsupported("more labels between two labels of an enum"));
    }
    Ok(order)
}
