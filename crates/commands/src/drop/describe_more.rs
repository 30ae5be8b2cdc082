//! The rest of [`super::describe`]: languages, text search, foreign data, policies and others that a name is enough for.

use super::describe::{describe, relation, row};
use crate::ctx::CommandCtx;
use crate::object_address::kind_of;
use crate::user_type::shown;
use analyze::names::quote_qualified;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Oid, Result};

/// The description; `None` for an object that does not exist.
pub fn describe_rest(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<String>> {
    let one = |table: Oid, index: Oid| row(ctx, table, index, a.object);
    let named = |word: &str, table: Oid, index: Oid, name: usize| -> Result<Option<String>> {
        Ok(one(table, index)?.map(|r| format!("{word} {}", r.str(name))))
    };
    match a.class {
        pg_tablespace::TABLE => {
            named("tablespace", a.class, pg_tablespace::OID_INDEX, pg_tablespace::SPCNAME)
        }
        pg_subscription::TABLE => {
            named("subscription", a.class, pg_subscription::OID_INDEX, pg_subscription::SUBNAME)
        }
        pg_parameter_acl::TABLE => {
            use pg_parameter_acl::*;
            Ok(one(TABLE, OID_INDEX)?.map(|r| format!("parameter {}", r.text(PARNAME).unwrap_or_default())))
        }
        pg_policy::TABLE => {
            use pg_policy::*;
            let Some(r) = one(TABLE, OID_INDEX)? else { return Ok(None) };
            Ok(Some(format!("policy {} on {}", r.str(POLNAME), relation(ctx, r.oid(POLRELID))?)))
        }
        pg_user_mapping::TABLE => {
            use pg_user_mapping::*;
            let Some(r) = one(TABLE, OID_INDEX)? else { return Ok(None) };
            let server = ObjectAddress::new(pg_foreign_server::TABLE, r.oid(UMSERVER));
            let user = match r.oid(UMUSER) {
                Oid::INVALID => "public".into(),
                o => ctx.catalog.role_name(o)?.unwrap_or_default(),
            };
            Ok(Some(format!("user mapping for {user} on {}", describe(ctx, server)?)))
        }
        pg_transform::TABLE => {
            use pg_transform::*;
            let Some(r) = one(TABLE, OID_INDEX)? else { return Ok(None) };
            let of = shown(ctx, r.oid(TRFTYPE))?;
            let language = ObjectAddress::new(pg_language::TABLE, r.oid(TRFLANG));
            let language = describe(ctx, language)?;
            let language = language.trim_start_matches("language ");
            Ok(Some(format!("transform for {of} language {language}")))
        }
        _ => by_name(ctx, a),
    }
}

/// `word name`, with the schema where the name alone would not find it.
fn by_name(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<String>> {
    let Some(k) = kind_of(a.class) else { return Ok(None) };
    let Some(r) = row(ctx, k.table, k.oid_index, a.object)? else { return Ok(None) };
    let name = r.str(k.name);
    let Some(column) = k.namespace else { return Ok(Some(format!("{} {name}", k.word))) };
    let schema = schema_unless_found(ctx, r.oid(column), |ns| {
        let same = |o: &CatRow| o.str(k.name) == name && o.oid(column) == ns;
        Ok(ctx.catalog.scan_all(k.table)?.iter().any(same))
    })?;
    Ok(Some(format!("{} {}", k.word, quote_qualified(schema.as_deref(), name))))
}

/// The schema's name, unless it is the first of the search path that has such an object.
fn schema_unless_found(
    ctx: &CommandCtx<'_>,
    ns: Oid,
    has: impl Fn(Oid) -> Result<bool>,
) -> Result<Option<String>> {
    let name = || Ok(ctx.catalog.namespace_name(ns)?.map(|n| n.to_string()));
    for s in &ctx.host.search_path()?.schemas {
        if has(*s)? {
            return if *s == ns { Ok(None) } else { name() };
        }
    }
    name()
}
