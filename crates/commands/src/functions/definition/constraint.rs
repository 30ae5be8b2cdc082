//! `pg_get_constraintdef`.

use super::super::{env, reg};
use super::{expr, index};
use analyze::names::quote_ident;
use catalog::columns::pg_constraint::*;
use catalog::desc::Relation;
use catalog::{CatRow, literal};
use common::{Error, Oid, Result};
use std::fmt::Write;
use types::{CallCtx, Datum};

/// Text of a constraint as it stands in CREATE TABLE after its name; NULL if there is none.
pub fn definition(c: &CallCtx<'_>, oid: u32, pretty: bool) -> Result<Option<String>> {
    let catalog = &env(c)?.catalog;
    let rows = catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let mut out = match r.char(CONTYPE) {
        b'f' => foreign_key(c, r)?,
        b'p' | b'u' => unique(c, r)?,
        b'x' => index::exclusion(c, r.oid(CONINDID), &operators(r), pretty)?,
        b'c' => check(c, r, pretty)?,
        _ => return Err(Error::unsupported("definition of this kind of constraint")),
    };
    if r.bool(CONDEFERRABLE) {
        out.push_str(" DEFERRABLE");
    }
    if r.bool(CONDEFERRED) {
        out.push_str(" INITIALLY DEFERRED");
    }
    if !r.bool(CONVALIDATED) {
        out.push_str(" NOT VALID");
    }
    Ok(Some(out))
}

/// Operators of an exclusion constraint.
fn operators(r: &CatRow) -> Vec<Oid> {
    literal::oid_items(r.bytes(CONEXCLOP))
}

fn column_list(rel: &Relation, attnos: &[i16]) -> String {
    let name = |n: &i16| {
        let a = usize::try_from(*n - 1).ok().and_then(|i| rel.desc.attrs.get(i));
        a.map_or_else(|| "???".into(), |a| quote_ident(&a.name))
    };
    attnos.iter().map(name).collect::<Vec<String>>().join(", ")
}

fn attnos(r: &CatRow, column: usize) -> Vec<i16> {
    literal::array_items(r.bytes(column)).iter().map(|d| d.as_ref().i16()).collect()
}

fn foreign_key(c: &CallCtx<'_>, r: &CatRow) -> Result<String> {
    let catalog = &env(c)?.catalog;
    let (from, to) = (catalog.relation(r.oid(CONRELID))?, catalog.relation(r.oid(CONFRELID))?);
    let name = reg::relation_name(c, to.oid)?.unwrap_or_default();
    let mut out = format!(
        "FOREIGN KEY ({}) REFERENCES {name}({})",
        column_list(&from, &attnos(r, CONKEY)),
        column_list(&to, &attnos(r, CONFKEY))
    );
    if r.char(CONFMATCHTYPE) == b'f' {
        out.push_str(" MATCH FULL");
    }
    let action = |ch: u8| match ch {
        b'r' => Some("RESTRICT"),
        b'c' => Some("CASCADE"),
        b'n' => Some("SET NULL"),
        b'd' => Some("SET DEFAULT"),
        _ => None,
    };
    if let Some(a) = action(r.char(CONFUPDTYPE)) {
        let _ = write!(out, " ON UPDATE {a}");
    }
    if let Some(a) = action(r.char(CONFDELTYPE)) {
        let _ = write!(out, " ON DELETE {a}");
    }
    let set = attnos(r, CONFDELSETCOLS);
    if !set.is_empty() {
        let _ = write!(out, " ({})", column_list(&from, &set));
    }
    Ok(out)
}

fn unique(c: &CallCtx<'_>, r: &CatRow) -> Result<String> {
    let catalog = &env(c)?.catalog;
    let (rel, ix) = (catalog.relation(r.oid(CONRELID))?, catalog.index(r.oid(CONINDID))?);
    let mut out = String::from(if r.char(CONTYPE) == b'p' { "PRIMARY KEY" } else { "UNIQUE" });
    if ix.nulls_not_distinct {
        out.push_str(" NULLS NOT DISTINCT");
    }
    let _ = write!(out, " ({})", column_list(&rel, &attnos(r, CONKEY)));
    let included = ix.keys.get(usize::from(ix.num_key_atts)..).unwrap_or_default();
    if !included.is_empty() {
        let _ = write!(out, " INCLUDE ({})", column_list(&rel, included));
    }
    index::options(c, &mut out, ix.oid)?;
    Ok(out)
}

fn check(c: &CallCtx<'_>, r: &CatRow, pretty: bool) -> Result<String> {
    let rel = match r.oid(CONRELID) {
        Oid(0) => None,
        oid => Some(env(c)?.catalog.relation(oid)?),
    };
    let text = expr::stored(c, r.str(CONBIN), rel.as_deref(), pretty)?;
    Ok(format!("CHECK ({text}){}", if r.bool(CONNOINHERIT) { " NO INHERIT" } else { "" }))
}
