//! `pg_get_viewdef` and `pg_get_ruledef`.

use super::super::{env, reg, with_analyze};
use analyze::load_expr;
use analyze::query::Query;
use catalog::columns::pg_rewrite::*;
use catalog::desc::Relation;
use common::{Error, Oid, Result};
use types::{CallCtx, Datum};

/// The text of a view's query; its columns are called what they are called now.
fn query_text(c: &CallCtx<'_>, rel: &Relation, json: &str, pretty: bool) -> Result<String> {
    let q: Query = load_expr(json)?;
    let names: Vec<String> = rel.desc.attrs.iter().map(|a| a.name.clone()).collect();
    with_analyze(c, |a| Ok(format!("{};", analyze::view_to_sql(a, &q, &names, pretty)?)))
}

/// Text of a view; NULL for what is none.
pub fn definition(c: &CallCtx<'_>, oid: u32, pretty: bool) -> Result<Option<String>> {
    let Some(r) = env(c)?.catalog.relation_if_any(Oid(oid))? else { return Ok(None) };
    r.view_query.as_ref().map(|q| query_text(c, &r, q, pretty)).transpose()
}

/// The same, with lines broken at a width.
pub fn wrapped(c: &CallCtx<'_>, oid: u32, width: i32) -> Result<Option<String>> {
    if width > 0 {
        return Err(Error::unsupported("pg_get_viewdef with a line width"));
    }
    definition(c, oid, true)
}

/// The same by name.
pub fn definition_by_name(c: &CallCtx<'_>, name: &str, pretty: bool) -> Result<Option<String>> {
    match reg::find_class(c, name)? {
        Some(oid) => definition(c, oid.0, pretty),
        None => Err(reg::no_class(name)),
    }
}

/// Text of a rule. Only the rules that make views exist.
pub fn rule(c: &CallCtx<'_>, oid: u32, pretty: bool) -> Result<Option<String>> {
    let catalog = &env(c)?.catalog;
    let rows = catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let view = r.oid(EV_CLASS);
    let rel = catalog.relation(view)?;
    let (b'1', Some(q)) = (r.char(EV_TYPE), &rel.view_query) else {
        return Err(Error::unsupported("definition of rules"));
    };
    let text = query_text(c, &rel, q, pretty)?;
    let name = super::table_name(c, view, pretty)?;
    Ok(Some(format!("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO {name} DO INSTEAD {text}")))
}
