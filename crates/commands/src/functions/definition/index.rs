//! `pg_get_indexdef`.

use super::super::env;
use super::expr;
use analyze::deparse::looks_like_function;
use analyze::expr::Expr;
use analyze::info::{expr_collation, expr_type};
use analyze::load_expr;
use analyze::names::{quote_ident, quote_qualified};
use catalog::columns::*;
use catalog::desc::{IndexDesc, Relation};
use common::{Oid, Result};
use std::fmt::Write;
use types::{CallCtx, Datum};

/// The whole statement (`column` 0), or the text of one column.
pub fn definition(c: &CallCtx<'_>, oid: u32, column: i32, pretty: bool) -> Result<Option<String>> {
    let catalog = &env(c)?.catalog;
    let rows = catalog.scan(pg_index::TABLE, pg_index::INDEXRELID_INDEX, &[Datum::U32(oid)])?;
    if rows.is_empty() {
        return Ok(None);
    }
    let ix = catalog.index(Oid(oid))?;
    let table = catalog.relation(ix.table)?;
    let exprs: Vec<Expr> = match &ix.expressions {
        Some(j) => load_expr(j)?,
        None => Vec::new(),
    };
    if column != 0 {
        let Some(k) = usize::try_from(column - 1).ok().filter(|k| *k < ix.keys.len()) else {
            return Ok(Some(String::new()));
        };
        return Ok(Some(key(c, &ix, &table, &exprs, k, pretty)?.0));
    }
    let am = catalog.scan(pg_am::TABLE, pg_am::OID_INDEX, &[Datum::oid(ix.am)])?;
    let am = am.first().map_or_else(String::new, |r| r.str(pg_am::AMNAME).to_string());
    let mut out = format!(
        "CREATE {}INDEX {} ON {} USING {} (",
        if ix.unique { "UNIQUE " } else { "" },
        quote_ident(&ix.name),
        super::table_name(c, ix.table, pretty)?,
        quote_ident(&am)
    );
    columns(c, &mut out, &ix, &table, &exprs, pretty, &[])?;
    if ix.nulls_not_distinct {
        out.push_str(" NULLS NOT DISTINCT");
    }
    options(c, &mut out, ix.oid)?;
    if let Some(p) = &ix.predicate {
        let _ = write!(out, " WHERE {}", expr::stored(c, p, Some(&*table), pretty)?);
    }
    Ok(Some(out))
}

/// An exclusion constraint as it stands after its name.
pub fn exclusion(c: &CallCtx<'_>, index: Oid, operators: &[Oid], pretty: bool) -> Result<String> {
    let catalog = &env(c)?.catalog;
    let ix = catalog.index(index)?;
    let table = catalog.relation(ix.table)?;
    let exprs: Vec<Expr> = match &ix.expressions {
        Some(j) => load_expr(j)?,
        None => Vec::new(),
    };
    let am = catalog.scan(pg_am::TABLE, pg_am::OID_INDEX, &[Datum::oid(ix.am)])?;
    let am = am.first().map_or_else(String::new, |r| r.str(pg_am::AMNAME).to_string());
    let mut out = format!("EXCLUDE USING {} (", quote_ident(&am));
    columns(c, &mut out, &ix, &table, &exprs, pretty, operators)?;
    options(c, &mut out, ix.oid)?;
    if let Some(p) = &ix.predicate {
        let _ = write!(out, " WHERE ({})", expr::stored(c, p, Some(&*table), pretty)?);
    }
    Ok(out)
}

/// An operator's name, qualified where the search path does not find it.
fn operator_name(c: &CallCtx<'_>, oid: Oid) -> Result<String> {
    let e = env(c)?;
    let o = e.catalog.operator(oid)?;
    if crate::functions::visible::operator_is_visible(&e.catalog, &*e.host.search_path()?, &o)? {
        return Ok(o.name.clone());
    }
    let schema = e.catalog.namespace_name(o.namespace)?.unwrap_or_default();
    Ok(format!("OPERATOR({}.{})", quote_ident(&schema), o.name))
}

/// Text, type and collation of a key or included column.
fn key(
    c: &CallCtx<'_>,
    ix: &IndexDesc,
    table: &Relation,
    exprs: &[Expr],
    k: usize,
    pretty: bool,
) -> Result<(String, Oid, Oid)> {
    let attno = ix.keys[k];
    if attno > 0
        && let Some(a) = table.desc.attrs.get(attno as usize - 1)
    {
        return Ok((quote_ident(&a.name), a.type_oid, a.collation));
    }
    let nth = ix.keys[..k].iter().filter(|a| **a == 0).count();
    let Some(e) = exprs.get(nth) else { return Ok(("???".into(), Oid::INVALID, Oid::INVALID)) };
    let text = expr::text(c, e, Some(table), pretty)?;
    let text = if looks_like_function(e) { text } else { format!("({text})") };
    Ok((text, expr_type(e), expr_collation(e)))
}

fn columns(
    c: &CallCtx<'_>,
    out: &mut String,
    ix: &IndexDesc,
    table: &Relation,
    exprs: &[Expr],
    pretty: bool,
    operators: &[Oid],
) -> Result<()> {
    let nkeys = usize::from(ix.num_key_atts);
    for k in 0..ix.keys.len() {
        if k == nkeys {
            out.push_str(") INCLUDE (");
        } else if k > 0 {
            out.push_str(", ");
        }
        let (text, type_oid, collation) = key(c, ix, table, exprs, k, pretty)?;
        out.push_str(&text);
        if k >= nkeys {
            continue;
        }
        let stored = ix.collations.get(k).copied().unwrap_or(Oid::INVALID);
        if stored.is_valid() && stored != collation {
            let _ = write!(out, " COLLATE {}", collation_name(c, stored)?);
        }
        if let Some(oc) = ix.opclasses.get(k) {
            out.push_str(&opclass_name(c, *oc, type_oid)?);
        }
        let bits = ix.options.get(k).copied().unwrap_or(0);
        out.push_str(match (bits & 1 != 0, bits & 2 != 0) {
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
            (false, true) => " NULLS FIRST",
            (false, false) => "",
        });
        if let Some(op) = operators.get(k) {
            let _ = write!(out, " WITH {}", operator_name(c, *op)?);
        }
    }
    out.push(')');
    Ok(())
}

/// A collation's name, qualified where the search path does not find it.
pub fn collation_name(c: &CallCtx<'_>, oid: Oid) -> Result<String> {
    let e = env(c)?;
    let Some((ns, name)) = e.catalog.collation_name(oid)? else { return Ok(oid.to_string()) };
    let visible = e.catalog.find_collation(&*e.host.search_path()?, &name)? == Some(oid);
    let schema = if visible { None } else { e.catalog.namespace_name(ns)? };
    Ok(quote_qualified(schema.as_deref(), &name))
}

/// ` name` of an operator class that is not its type's default.
fn opclass_name(c: &CallCtx<'_>, oid: Oid, type_oid: Oid) -> Result<String> {
    let e = env(c)?;
    let oc = e.catalog.opclass(oid)?;
    let default = e.catalog.default_opclass(oc.method, type_oid)?;
    if default.is_some_and(|d| d.oid == oid) {
        return Ok(String::new());
    }
    let visible = e.host.search_path()?.schemas.contains(&oc.namespace);
    let schema = if visible { None } else { e.catalog.namespace_name(oc.namespace)? };
    Ok(format!(" {}", quote_qualified(schema.as_deref(), &oc.name)))
}

/// ` WITH (name='value', …)` of a relation's storage parameters.
pub fn options(c: &CallCtx<'_>, out: &mut String, rel: Oid) -> Result<()> {
    let row = crate::target::class_row(&env(c)?.catalog, rel)?;
    let list = catalog::literal::text_items(row.bytes(pg_class::RELOPTIONS));
    if list.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = list
        .iter()
        .map(|o| {
            let (name, value) = o.split_once('=').unwrap_or((o, ""));
            format!("{}={}", quote_ident(name), analyze::names::quote_literal(value))
        })
        .collect();
    let _ = write!(out, " WITH ({})", shown.join(", "));
    Ok(())
}
