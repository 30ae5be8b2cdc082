//! Names to object ids. Each look-up gives `None` for what does not exist; [`missing`] has the error for it.

use super::super::env;
use super::Lookup;
use super::names::{parse_type, split_qualified, split_signature};
use catalog::Ref;
use catalog::columns::*;
use catalog::desc::{OperDesc, ProcDesc};
use common::{Error, Oid, Result, bail, err};
use types::CallCtx;

/// Schema (if given) and name; the database, if given, must be the connected one.
fn schema_and_name(c: &CallCtx<'_>, parts: &[String], what: &str) -> Result<(Option<String>, String)> {
    match parts {
        [n] => Ok((None, n.clone())),
        [s, n] => Ok((Some(s.clone()), n.clone())),
        [d, s, n] => {
            if *d != env(c)?.host.database_name() {
                bail!(
                    FEATURE_NOT_SUPPORTED,
                    "cross-database references are not implemented: {}",
                    if what == "relation" { format!("\"{}\"", parts.join(".")) } else { parts.join(".") }
                );
            }
            Ok((Some(s.clone()), n.clone()))
        }
        _ if what == "relation" => {
            bail!(SYNTAX_ERROR, "improper relation name (too many dotted names): {}", parts.join("."))
        }
        _ => bail!(SYNTAX_ERROR, "improper qualified name (too many dotted names): {}", parts.join(".")),
    }
}

/// The schemas to look in.
fn schemas(c: &CallCtx<'_>, schema: Option<&str>) -> Result<Vec<Oid>> {
    let e = env(c)?;
    match schema {
        Some(s) => match e.catalog.named_schema(s)? {
            Some(ns) => Ok(vec![ns]),
            None => Ok(vec![e.catalog.require_namespace(s)?]),
        },
        None => Ok(e.host.search_path()?.schemas.clone()),
    }
}

/// A relation.
pub fn class(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    let parts = split_qualified(text)?;
    let (schema, name) = schema_and_name(c, &parts, "relation")?;
    for ns in schemas(c, schema.as_deref())? {
        if let Some(oid) = env(c)?.catalog.relation_oid(ns, &name)? {
            return Ok(Some(oid));
        }
    }
    Ok(None)
}

/// 42P01.
pub fn no_class(text: &str) -> Error {
    let name = split_qualified(text).map_or_else(|_| text.to_string(), |p| p.join("."));
    err!(UNDEFINED_TABLE, "relation \"{name}\" does not exist")
}

/// A type.
pub fn type_(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    if text.trim().is_empty() {
        bail!(SYNTAX_ERROR, "invalid type name \"{text}\"");
    }
    parse_type(c, text).map(Some)
}

/// Functions of a name: those of the first schema that has it for each list of argument types.
fn procs(c: &CallCtx<'_>, text: &str) -> Result<Vec<Ref<ProcDesc>>> {
    let (schema, name) = schema_and_name(c, &split_qualified(text)?, "function")?;
    let all = env(c)?.catalog.procs_named(&name)?;
    let mut out: Vec<Ref<ProcDesc>> = Vec::new();
    for ns in schemas(c, schema.as_deref())? {
        for p in all.iter().filter(|p| p.namespace == ns) {
            if !out.iter().any(|o| o.arg_types == p.arg_types) {
                out.push(p.clone());
            }
        }
    }
    Ok(out)
}

/// A function by its name alone.
pub fn proc(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    let found = procs(c, text)?;
    if found.len() > 1 {
        bail!(AMBIGUOUS_FUNCTION, "more than one function named \"{text}\"");
    }
    Ok(found.first().map(|p| p.oid))
}

/// A function by name and argument types.
pub fn procedure(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    let (name, args) = split_signature(c, text, false)?;
    Ok(procs(c, &name)?.iter().find(|p| p.arg_types == args).map(|p| p.oid))
}

/// Operators of a name, both kinds.
fn opers(c: &CallCtx<'_>, text: &str) -> Result<Vec<Ref<OperDesc>>> {
    let mut parts = split_qualified(text)?;
    if parts.len() > 3 {
        bail!(SYNTAX_ERROR, "improper qualified name (too many dotted names): {}", parts.join("."));
    }
    let name = parts.pop().unwrap_or_default();
    let schema = parts.pop();
    let mut out = Vec::new();
    for ns in schemas(c, schema.as_deref())? {
        for kind in [b'l', b'b'] {
            let all = env(c)?.catalog.operators_named(&name, kind)?;
            out.extend(all.into_iter().filter(|o| o.namespace == ns));
        }
    }
    Ok(out)
}

/// An operator by its name alone.
pub fn oper(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    let found = opers(c, text)?;
    if found.len() > 1 {
        bail!(AMBIGUOUS_FUNCTION, "more than one operator named {text}");
    }
    Ok(found.first().map(|o| o.oid))
}

/// An operator by name and operand types.
pub fn operator(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    let (name, args) = split_signature(c, text, true)?;
    match args[..] {
        [_] => Err(err!(UNDEFINED_PARAMETER, "missing argument")
            .hint("Use NONE to denote the missing argument of a unary operator.")),
        [left, right] => {
            Ok(opers(c, &name)?.iter().find(|o| o.left == left && o.right == right).map(|o| o.oid))
        }
        _ => {
            Err(err!(TOO_MANY_ARGUMENTS, "too many arguments")
                .hint("Provide two argument types for operator."))
        }
    }
}

fn single(text: &str) -> Result<String> {
    match &split_qualified(text)?[..] {
        [n] => Ok(n.clone()),
        _ => Err(err!(INVALID_NAME, "invalid name syntax")),
    }
}

/// A role.
pub fn role(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    env(c)?.catalog.role_oid(&single(text)?)
}

/// A schema.
pub fn namespace(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    env(c)?.catalog.namespace_oid(&single(text)?)
}

fn by_name(
    c: &CallCtx<'_>,
    text: &str,
    table: Oid,
    name_col: usize,
    ns_col: usize,
    oid_col: usize,
) -> Result<Option<Oid>> {
    let (schema, name) = schema_and_name(c, &split_qualified(text)?, "object")?;
    let rows = env(c)?.catalog.scan_all(table)?;
    for ns in schemas(c, schema.as_deref())? {
        if let Some(r) = rows.iter().find(|r| r.oid(ns_col) == ns && r.str(name_col) == name) {
            return Ok(Some(r.oid(oid_col)));
        }
    }
    Ok(None)
}

/// A collation.
pub fn collation(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    use pg_collation::*;
    by_name(c, text, TABLE, COLLNAME, COLLNAMESPACE, OID)
}

/// A text search configuration.
pub fn ts_config(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    use pg_ts_config::*;
    by_name(c, text, TABLE, CFGNAME, CFGNAMESPACE, OID)
}

/// A text search dictionary.
pub fn ts_dict(c: &CallCtx<'_>, text: &str) -> Result<Option<Oid>> {
    use pg_ts_dict::*;
    by_name(c, text, TABLE, DICTNAME, DICTNAMESPACE, OID)
}

/// The error for a name that a look-up did not find.
pub fn missing(_: &CallCtx<'_>, lookup: Lookup, text: &str) -> Error {
    let joined = split_qualified(text).map_or_else(|_| text.to_string(), |p| p.join("."));
    let is = |f: Lookup| std::ptr::fn_addr_eq(lookup, f);
    if is(class) {
        no_class(text)
    } else if is(proc) || is(procedure) {
        err!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist")
    } else if is(oper) || is(operator) {
        err!(UNDEFINED_FUNCTION, "operator does not exist: {text}")
    } else if is(role) {
        err!(UNDEFINED_OBJECT, "role \"{joined}\" does not exist")
    } else if is(namespace) {
        err!(INVALID_SCHEMA_NAME, "schema \"{joined}\" does not exist")
    } else if is(collation) {
        err!(UNDEFINED_OBJECT, "collation \"{joined}\" for encoding \"UTF8\" does not exist")
    } else if is(ts_config) {
        err!(UNDEFINED_OBJECT, "text search configuration \"{joined}\" does not exist")
    } else if is(ts_dict) {
        err!(UNDEFINED_OBJECT, "text search dictionary \"{joined}\" does not exist")
    } else {
        err!(UNDEFINED_OBJECT, "type \"{joined}\" does not exist")
    }
}
