//! DROP of relations, schemas and what hangs on them: names resolved, then the dependency walk.

pub mod describe;
mod describe_more;
pub mod remove;
pub mod walk;

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::target;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;

fn kind_of(t: ObjectType) -> Option<(u8, &'static str)> {
    Some(match t {
        ObjectType::Table => (b'r', "table"),
        ObjectType::Index => (b'i', "index"),
        ObjectType::Sequence => (b'S', "sequence"),
        ObjectType::View => (b'v', "view"),
        ObjectType::MatView => (b'm', "materialized view"),
        ObjectType::ForeignTable => (b'f', "foreign table"),
        _ => return None,
    })
}

/// Runs DROP.
pub fn run(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    if let Some((kind, word)) = kind_of(s.remove_type) {
        if s.concurrent {
            ctx.engine.prevent_in_block(ctx.top_level, "DROP INDEX CONCURRENTLY")?;
            if s.objects.len() != 1 {
                bail!(
                    FEATURE_NOT_SUPPORTED,
                    "DROP INDEX CONCURRENTLY does not support dropping multiple objects"
                );
            }
            if s.behavior == DropBehavior::Cascade {
                bail!(FEATURE_NOT_SUPPORTED, "DROP INDEX CONCURRENTLY does not support CASCADE");
            }
        }
        let mut objects = Vec::new();
        for o in &s.objects {
            let ObjectRef::Name(names) = o else { return Err(Error::internal("a relation without a name")) };
            if let Some(oid) = relation(ctx, names, kind, word, s.missing_ok)? {
                objects.push(ObjectAddress::new(pg_class::TABLE, oid));
            }
        }
        walk::drop_objects(ctx, &objects, s.behavior, false)?;
        return Ok(format!("DROP {}", word.to_ascii_uppercase()));
    }
    match s.remove_type {
        ObjectType::Schema => schemas(ctx, s),
        ObjectType::Operator => crate::operator::drop(ctx, s),
        ObjectType::OpClass | ObjectType::OpFamily => crate::opclass::drop(ctx, s),
        ObjectType::Cast => crate::cast::drop(ctx, s),
        ObjectType::Type | ObjectType::Domain => crate::user_type::drop(ctx, s),
        ObjectType::Function | ObjectType::Procedure | ObjectType::Routine | ObjectType::Aggregate => {
            crate::routine::drop(ctx, s)
        }
        ObjectType::Extension => crate::extension::drop(ctx, s),
        ObjectType::Collation => crate::collation::drop(ctx, s),
        ObjectType::Statistic => crate::statistics::alter::drop(ctx, s),
        other => Err(Error::unsupported(format_args!("DROP {other:?}"))),
    }
}

fn relation(
    ctx: &CommandCtx<'_>,
    names: &[String],
    kind: u8,
    word: &str,
    missing_ok: bool,
) -> Result<Option<Oid>> {
    let rv = target::range_var(names)?;
    if let Some(oid) = target::find_relation(ctx, &rv)?
        && kind == b'i'
        && let Some(r) = ctx.catalog.relation_if_any(oid)?
        && r.kind == b'i'
    {
        // The table before its index.
        target::lock_oid(ctx, ctx.catalog.index(oid)?.table, LockMode::AccessExclusive)?;
    }
    let Some(r) = target::lock_relation(ctx, &rv, LockMode::AccessExclusive)? else {
        if let Some(s) = &rv.schemaname
            && ctx.catalog.namespace_oid(s)?.is_none()
        {
            if !missing_ok {
                bail!(INVALID_SCHEMA_NAME, "schema \"{s}\" does not exist");
            }
            notice(ctx, format!("schema \"{s}\" does not exist, skipping"));
            return Ok(None);
        }
        if missing_ok {
            notice(ctx, format!("{word} \"{}\" does not exist, skipping", rv.relname));
            return Ok(None);
        }
        return Err(match kind {
            b'i' => err!(UNDEFINED_OBJECT, "index \"{}\" does not exist", rv.relname),
            _ => err!(UNDEFINED_TABLE, "{word} \"{}\" does not exist", rv.relname),
        });
    };
    if r.kind != kind {
        let article = if kind == b'i' { "an" } else { "a" };
        let hint = match r.kind {
            b'r' => "Use DROP TABLE to remove a table.",
            b'i' => "Use DROP INDEX to remove an index.",
            b'S' => "Use DROP SEQUENCE to remove a sequence.",
            b'v' => "Use DROP VIEW to remove a view.",
            b'm' => "Use DROP MATERIALIZED VIEW to remove a materialized view.",
            b'c' => "Use DROP TYPE to remove a type.",
            _ => "",
        };
        let e = err!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {word}", r.name);
        return Err(if hint.is_empty() { e } else { e.hint(hint) });
    }
    if !target::owns(ctx, r.owner)? && !owns_schema(ctx, r.namespace)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {word} {}", r.name);
    }
    target::check_not_catalog(&r)?;
    Ok(Some(r.oid))
}

/// Does the current user own the schema?
pub fn owns_schema(ctx: &CommandCtx<'_>, ns: Oid) -> Result<bool> {
    use pg_namespace::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[types::Datum::oid(ns)])?;
    match rows.first() {
        Some(r) => target::owns(ctx, r.oid(NSPOWNER)),
        None => Ok(false),
    }
}

fn schemas(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let ObjectRef::Name(names) = o else { return Err(Error::internal("a schema without a name")) };
        let name = names.last().map_or("", String::as_str);
        let Some(oid) = ctx.catalog.namespace_oid(name)? else {
            if s.missing_ok {
                notice(ctx, format!("schema \"{name}\" does not exist, skipping"));
                continue;
            }
            bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist");
        };
        if !owns_schema(ctx, oid)? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be owner of schema {name}");
        }
        let address = ObjectAddress::new(pg_namespace::TABLE, oid);
        if catalog::builtins::is_pinned(oid) && oid != catalog::builtins::PG_PUBLIC {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {} because it is required by the database system",
                describe::describe(ctx, address)?
            );
        }
        objects.push(address);
    }
    walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP SCHEMA".into())
}
