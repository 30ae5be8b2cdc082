//! Object ids to names, schema-qualified where the search path would not find them. `None`: no such object, the number
//! is shown.

use super::super::visible::{function_is_visible, operator_is_visible};
use super::super::{env, with_analyze};
use analyze::names::{quote_ident, quote_qualified};
use catalog::columns::*;
use common::{Oid, Result};
use types::{CallCtx, Datum};

fn qualified(c: &CallCtx<'_>, namespace: Oid, name: &str, visible: bool) -> Result<String> {
    let schema = if visible { None } else { env(c)?.catalog.namespace_name(namespace)? };
    Ok(quote_qualified(schema.as_deref(), name))
}

/// A relation.
pub fn class(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    let e = env(c)?;
    let rows = e.catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let name = r.str(pg_class::RELNAME);
    let visible = e.catalog.find_relation(&*e.host.search_path()?, name)? == Some(oid);
    qualified(c, r.oid(pg_class::RELNAMESPACE), name, visible).map(Some)
}

/// A type.
pub fn type_(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    with_analyze(c, |a| Ok(a.catalog.type_if_any(oid)?.map(|_| analyze::format_type_short(a, oid))))
}

/// A function by its name, qualified unless the name alone finds it and nothing else.
pub fn proc(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    // Before there is a session (initdb's catalogs) only numbers can be shown.
    let Ok(e) = env(c) else { return Ok(None) };
    let Some(p) = e.catalog.proc_if_any(oid)? else { return Ok(None) };
    let path = e.host.search_path()?;
    let alone =
        e.catalog.procs_named(&p.name)?.iter().filter(|o| path.schemas.contains(&o.namespace)).count() == 1;
    qualified(c, p.namespace, &p.name, alone && path.schemas.contains(&p.namespace)).map(Some)
}

/// A function with its argument types.
pub fn procedure(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    let e = env(c)?;
    let Some(p) = e.catalog.proc_if_any(oid)? else { return Ok(None) };
    let visible = function_is_visible(&e.catalog, &*e.host.search_path()?, &p)?;
    let name = qualified(c, p.namespace, &p.name, visible)?;
    with_analyze(c, |a| {
        let args: Vec<String> = p.arg_types.iter().map(|t| analyze::format_type_short(a, *t)).collect();
        Ok(Some(format!("{name}({})", args.join(","))))
    })
}

fn operator_name(c: &CallCtx<'_>, namespace: Oid, name: &str, visible: bool) -> Result<String> {
    if visible {
        return Ok(name.to_string());
    }
    let schema = env(c)?.catalog.namespace_name(namespace)?.unwrap_or_default();
    Ok(format!("{}.{name}", quote_ident(&schema)))
}

/// An operator by its name, qualified unless the name alone finds it and nothing else.
pub fn oper(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    let e = env(c)?;
    let Ok(o) = e.catalog.operator(oid) else { return Ok(None) };
    let path = e.host.search_path()?;
    let mut n = 0;
    for kind in [b'l', b'b'] {
        let all = e.catalog.operators_named(&o.name, kind)?;
        n += all.iter().filter(|x| path.schemas.contains(&x.namespace)).count();
    }
    operator_name(c, o.namespace, &o.name, n == 1).map(Some)
}

/// An operator with its operand types.
pub fn operator(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    let e = env(c)?;
    let Ok(o) = e.catalog.operator(oid) else { return Ok(None) };
    let visible = operator_is_visible(&e.catalog, &*e.host.search_path()?, &o)?;
    let name = operator_name(c, o.namespace, &o.name, visible)?;
    with_analyze(c, |a| {
        let side = |t: Oid| if t.is_valid() { analyze::format_type_short(a, t) } else { "NONE".into() };
        Ok(Some(format!("{name}({},{})", side(o.left), side(o.right))))
    })
}

/// A role.
pub fn role(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    Ok(env(c)?.catalog.role_name(oid)?.map(|n| quote_ident(&n)))
}

/// A schema.
pub fn namespace(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    Ok(env(c)?.catalog.namespace_name(oid)?.map(|n| quote_ident(&n)))
}

/// A collation.
pub fn collation(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    let e = env(c)?;
    let Some((ns, name)) = e.catalog.collation_name(oid)? else { return Ok(None) };
    let visible = e.catalog.find_collation(&*e.host.search_path()?, &name)? == Some(oid);
    qualified(c, ns, &name, visible).map(Some)
}

fn by_oid(
    c: &CallCtx<'_>,
    oid: Oid,
    table: Oid,
    index: Oid,
    name: usize,
    ns: usize,
) -> Result<Option<String>> {
    let e = env(c)?;
    let rows = e.catalog.scan(table, index, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let visible = e.host.search_path()?.schemas.contains(&r.oid(ns));
    qualified(c, r.oid(ns), r.str(name), visible).map(Some)
}

/// A text search configuration.
pub fn ts_config(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    use pg_ts_config::*;
    by_oid(c, oid, TABLE, OID_INDEX, CFGNAME, CFGNAMESPACE)
}

/// A text search dictionary.
pub fn ts_dict(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    use pg_ts_dict::*;
    by_oid(c, oid, TABLE, OID_INDEX, DICTNAME, DICTNAMESPACE)
}
