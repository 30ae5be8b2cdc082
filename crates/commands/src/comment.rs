//! COMMENT ON: rows of `pg_description`, and of `pg_shdescription` for databases and roles.

use crate::ctx::CommandCtx;
use crate::target;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

/// Sets or removes the comment on an object.
pub fn write(ctx: &CommandCtx<'_>, a: ObjectAddress, text: Option<&str>) -> Result<()> {
    use pg_description::*;
    let keys = [Datum::oid(a.object), Datum::oid(a.class), Datum::I32(a.sub)];
    let old = ctx.catalog.scan(TABLE, O_C_O_INDEX, &keys)?.into_iter().next();
    let text = text.filter(|t| !t.is_empty());
    match (old, text) {
        (Some(r), Some(t)) => {
            ctx.catalog.update_columns(TABLE, &r, &[(DESCRIPTION, Datum::text(t))])?;
        }
        (Some(r), None) => ctx.catalog.delete_row(TABLE, &r)?,
        (None, Some(t)) => {
            let mut r = ctx.catalog.blank_row(TABLE);
            r[OBJOID] = Datum::oid(a.object);
            r[CLASSOID] = Datum::oid(a.class);
            r[OBJSUBID] = Datum::I32(a.sub);
            r[DESCRIPTION] = Datum::text(t);
            ctx.catalog.insert_row(TABLE, &r)?;
        }
        (None, None) => {}
    }
    Ok(())
}

/// Gives an object the comment of another.
pub fn copy(ctx: &CommandCtx<'_>, from: ObjectAddress, to: ObjectAddress) -> Result<()> {
    use pg_description::*;
    let keys = [Datum::oid(from.object), Datum::oid(from.class), Datum::I32(from.sub)];
    match ctx.catalog.scan(TABLE, O_C_O_INDEX, &keys)?.first().and_then(|r| r.text(DESCRIPTION)) {
        Some(t) => write(ctx, to, Some(&t)),
        None => Ok(()),
    }
}

/// The comment on an object.
pub fn of(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<String>> {
    use pg_description::*;
    let keys = [Datum::oid(a.object), Datum::oid(a.class), Datum::I32(a.sub)];
    Ok(ctx.catalog.scan(TABLE, O_C_O_INDEX, &keys)?.first().and_then(|r| r.text(DESCRIPTION)))
}

fn write_shared(ctx: &CommandCtx<'_>, a: ObjectAddress, text: Option<&str>) -> Result<()> {
    use pg_shdescription::*;
    delete_shared(ctx, a)?;
    if let Some(t) = text.filter(|t| !t.is_empty()) {
        let mut r = ctx.catalog.blank_row(TABLE);
        r[OBJOID] = Datum::oid(a.object);
        r[CLASSOID] = Datum::oid(a.class);
        r[DESCRIPTION] = Datum::text(t);
        ctx.catalog.insert_row(TABLE, &r)?;
    }
    Ok(())
}

/// Removes the comment on a database or role.
pub fn delete_shared(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<()> {
    use pg_shdescription::*;
    let keys = [Datum::oid(a.object), Datum::oid(a.class)];
    for r in ctx.catalog.scan(TABLE, O_C_INDEX, &keys)? {
        ctx.catalog.delete_row(TABLE, &r)?;
    }
    Ok(())
}

fn relation(ctx: &CommandCtx<'_>, s: &CommentStmt, names: &[String]) -> Result<ObjectAddress> {
    let rv = target::range_var(names)?;
    let r = target::open_relation(ctx, &rv, LockMode::ShareUpdateExclusive)?;
    let (kind, word) = match s.objtype {
        ObjectType::Table => (b'r', "table"),
        ObjectType::Index => (b'i', "index"),
        ObjectType::Sequence => (b'S', "sequence"),
        ObjectType::View => (b'v', "view"),
        _ => (b'm', "materialized view"),
    };
    if r.kind != kind {
        let article = if kind == b'i' { "an" } else { "a" };
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {word}", r.name);
    }
    target::check_relation_owner(ctx, &r)?;
    Ok(ObjectAddress::new(pg_class::TABLE, r.oid))
}

/// Runs COMMENT ON.
pub fn run(ctx: &CommandCtx<'_>, s: &CommentStmt) -> Result<String> {
    let ObjectRef::Name(names) = &s.object else { return other(ctx, s) };
    let last = names.last().map_or("", String::as_str);
    let text = s.comment.as_deref();
    let must_own = |ok: bool, what: &str| {
        if ok { Ok(()) } else { Err(err!(INSUFFICIENT_PRIVILEGE, "must be owner of {what} {last}")) }
    };
    match s.objtype {
        ObjectType::Table
        | ObjectType::Index
        | ObjectType::Sequence
        | ObjectType::View
        | ObjectType::MatView => write(ctx, relation(ctx, s, names)?, text)?,
        ObjectType::Column => {
            let rv = target::range_var(&names[..names.len().saturating_sub(1)])?;
            let r = target::open_relation(ctx, &rv, LockMode::ShareUpdateExclusive)?;
            target::check_relation_owner(ctx, &r)?;
            let refused = match r.kind {
                b'i' => "indexes",
                b'S' => "sequences",
                b't' => "TOAST tables",
                _ => "",
            };
            let n = r.desc.attrs.iter().position(|a| !a.dropped && a.name == last);
            let Some(n) = n else {
                let shown = target::display(&rv);
                bail!(UNDEFINED_COLUMN, "column \"{last}\" of relation \"{shown}\" does not exist")
            };
            if !refused.is_empty() {
                return Err(err!(WRONG_OBJECT_TYPE, "cannot set comment on relation \"{}\"", r.name)
                    .detail(format!("This operation is not supported for {refused}.")));
            }
            write(ctx, ObjectAddress::column(r.oid, n as i16 + 1), text)?;
        }
        ObjectType::TabConstraint => {
            let rv = target::range_var(&names[..names.len().saturating_sub(1)])?;
            let r = target::open_relation(ctx, &rv, LockMode::AccessShare)?;
            target::check_relation_owner(ctx, &r)?;
            let Some(row) = crate::alter_table::find_constraint(ctx, r.oid, last)? else {
                bail!(UNDEFINED_OBJECT, "constraint \"{last}\" for table \"{}\" does not exist", r.name);
            };
            let oid = row.oid(pg_constraint::OID);
            write(ctx, ObjectAddress::new(pg_constraint::TABLE, oid), text)?;
        }
        ObjectType::Schema => {
            let ns = ctx.catalog.require_namespace(last)?;
            must_own(crate::drop::owns_schema(ctx, ns)?, "schema")?;
            write(ctx, ObjectAddress::new(pg_namespace::TABLE, ns), text)?;
        }
        ObjectType::Database => {
            let Some(row) = ctx.catalog.database_row(last)? else {
                bail!(UNDEFINED_DATABASE, "database \"{last}\" does not exist");
            };
            must_own(target::owns(ctx, row.oid(pg_database::DATDBA))?, "database")?;
            let oid = row.oid(pg_database::OID);
            write_shared(ctx, ObjectAddress::new(pg_database::TABLE, oid), text)?;
        }
        ObjectType::Role => {
            let oid: Oid = target::role_by_name(ctx, last)?;
            if !ctx.host.is_superuser() && oid != ctx.host.role() {
                bail!(INSUFFICIENT_PRIVILEGE, "must be member of role \"{last}\"");
            }
            write_shared(ctx, ObjectAddress::new(pg_authid::TABLE, oid), text)?;
        }
        ObjectType::Rule | ObjectType::Trigger => return part(ctx, s, names),
        _ => return other(ctx, s),
    }
    Ok("COMMENT".into())
}

/// A rule or trigger of a relation.
fn part(ctx: &CommandCtx<'_>, s: &CommentStmt, names: &[String]) -> Result<String> {
    let last = names.last().map_or("", String::as_str);
    let rv = target::range_var(&names[..names.len().saturating_sub(1)])?;
    let r = target::open_relation(ctx, &rv, LockMode::ShareUpdateExclusive)?;
    target::check_relation_owner(ctx, &r)?;
    let keys = [Datum::oid(r.oid), Datum::text(last)];
    let (table, index, oid, word) = match s.objtype {
        ObjectType::Rule => (pg_rewrite::TABLE, pg_rewrite::REL_RULENAME_INDEX, pg_rewrite::OID, "rule"),
        _ => (pg_trigger::TABLE, pg_trigger::TGRELID_TGNAME_INDEX, pg_trigger::OID, "trigger"),
    };
    match ctx.catalog.scan(table, index, &keys)?.first() {
        Some(row) => write(ctx, ObjectAddress::new(table, row.oid(oid)), s.comment.as_deref())?,
        None if word == "rule" => {
            bail!(UNDEFINED_OBJECT, "rule \"{last}\" for relation \"{}\" does not exist", r.name)
        }
        None => bail!(UNDEFINED_OBJECT, "trigger \"{last}\" for table \"{}\" does not exist", r.name),
    }
    Ok("COMMENT".into())
}

/// Objects that are not relations nor parts of them.
fn other(ctx: &CommandCtx<'_>, s: &CommentStmt) -> Result<String> {
    // PostgreSQL points nowhere here.
    let (a, owner) = crate::object_address::resolve(ctx, s.objtype, &s.object).map_err(|mut e| {
        e.report_mut().position = None;
        e
    })?;
    let allowed = if owner.is_valid() { target::owns(ctx, owner)? } else { ctx.host.is_superuser() };
    if !allowed {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {}", crate::drop::describe::describe(ctx, a)?);
    }
    write(ctx, a, s.comment.as_deref())?;
    Ok("COMMENT".into())
}
