//! Extended statistics shown: text of `pg_ndistinct`, `pg_dependencies` and `pg_mcv_list`, the items of an MCV list, and the
//! definitions of statistics objects.

use super::definition::{expression_text, table_name};
use super::env;
use super::rows::made;
use super::value_io::output_value;
use crate::statistics::{KINDS, expressions, kinds};
use analyze::deparse::looks_like_function;
use analyze::names::{quote_ident, quote_qualified};
use catalog::columns::pg_statistic_ext::*;
use catalog::ext_stats::{Member, read_dependencies, read_mcv, read_ndistinct};
use catalog::{CatRow, literal};
use common::{Error, Oid, Result, bail};
use std::fmt::Write;
use types::array::build_1d;
use types::registry::RowSource;
use types::{CallCtx, Datum, DatumRef, FnImpl, c1, oids};

pub static TABLE_OF_FUNCTIONS: &[(u32, FnImpl)] = &[
    (3355, FnImpl::Input(|_, _, _, _| refused("pg_ndistinct"))),
    (3356, FnImpl::Output(ndistinct_out)),
    (3357, FnImpl::Receive(|_, _, _, _| refused("pg_ndistinct"))),
    (3358, FnImpl::Send(send)),
    (3404, FnImpl::Input(|_, _, _, _| refused("pg_dependencies"))),
    (3405, FnImpl::Output(dependencies_out)),
    (3406, FnImpl::Receive(|_, _, _, _| refused("pg_dependencies"))),
    (3407, FnImpl::Send(send)),
    (5018, FnImpl::Input(|_, _, _, _| refused("pg_mcv_list"))),
    (5019, FnImpl::Output(mcv_out)),
    (5020, FnImpl::Receive(|_, _, _, _| refused("pg_mcv_list"))),
    (5021, FnImpl::Send(send)),
    (3427, FnImpl::Srf(mcv_items)),
    (3415, c1!(|c, o: u32| definition(c, o, false))),
    (6174, c1!(|c, o: u32| definition(c, o, true))),
    (6173, c1!(shown_expressions)),
];

fn refused(type_name: &str) -> Result<Datum> {
    bail!(FEATURE_NOT_SUPPORTED, "cannot accept a value of type {type_name}")
}

fn bytes<'a>(d: DatumRef<'a>) -> &'a [u8] {
    if let DatumRef::Bytes(b) = d { b } else { &[] }
}

fn list(members: &[Member]) -> String {
    members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn braces(items: Vec<String>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{{}}}", items.join(", ")).as_bytes());
}

fn ndistinct_out(_: &CallCtx<'_>, d: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let items = read_ndistinct(bytes(d));
    braces(items.iter().map(|i| format!("\"{}\": {}", list(&i.members), i.ndistinct as i32)).collect(), out);
    Ok(())
}

fn dependencies_out(_: &CallCtx<'_>, d: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let shown = |m: &[Member], degree: f64| {
        let (last, from) = m.split_last().map_or((0, m), |(l, f)| (*l, f));
        format!("\"{} => {last}\": {degree:.6}", list(from))
    };
    braces(read_dependencies(bytes(d)).iter().map(|i| shown(&i.members, i.degree)).collect(), out);
    Ok(())
}

/// As a `bytea` is shown.
fn mcv_out(_: &CallCtx<'_>, d: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(b"\\x");
    for b in bytes(d) {
        out.extend_from_slice(format!("{b:02x}").as_bytes());
    }
    Ok(())
}

fn send(_: &CallCtx<'_>, d: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(bytes(d));
    Ok(())
}

/// `pg_mcv_list_items`.
fn mcv_items(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return made(Vec::new()) };
    let m = read_mcv(&env(c)?.catalog, b)?;
    let mut rows = Vec::new();
    for (i, (frequency, base)) in m.frequency.iter().zip(&m.base).enumerate() {
        let mut texts = Vec::new();
        let mut nulls = Vec::new();
        for (t, values) in m.types.iter().zip(&m.values) {
            let v = &values[i];
            nulls.push(Datum::Bool(v.is_null()));
            texts.push(if v.is_null() {
                Datum::Null
            } else {
                let mut text = Vec::new();
                output_value(c, *t, v.as_ref(), &mut text)?;
                Datum::bytes(&text)
            });
        }
        rows.push(vec![
            Datum::I32(i as i32),
            build_1d(oids::TEXT, texts.iter().map(Datum::as_ref)),
            build_1d(oids::BOOL, nulls.iter().map(Datum::as_ref)),
            Datum::F64(*frequency),
            Datum::F64(*base),
        ]);
    }
    made(rows)
}

fn object(c: &CallCtx<'_>, oid: u32) -> Result<Option<CatRow>> {
    Ok(env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?.into_iter().next())
}

/// The statement that makes the object, or what stands between ON and FROM.
fn definition(c: &CallCtx<'_>, oid: u32, columns_only: bool) -> Result<Option<String>> {
    let Some(r) = object(c, oid)? else { return Ok(None) };
    let catalog = &env(c)?.catalog;
    let rel = catalog.relation(r.oid(STXRELID))?;
    let mut parts: Vec<String> = Vec::new();
    for k in literal::int2_items(r.bytes(STXKEYS)) {
        let a = rel
            .desc
            .attrs
            .get(k as usize - 1)
            .ok_or_else(|| Error::internal("statistics on a lost column"))?;
        parts.push(quote_ident(&a.name));
    }
    for e in expressions(&r)? {
        let text = expression_text(c, &e, &rel, true)?;
        parts.push(if looks_like_function(&e) { text } else { format!("({text})") });
    }
    let columns = parts.join(", ");
    if columns_only {
        return Ok(Some(columns));
    }
    let schema = catalog.namespace_name(r.oid(STXNAMESPACE))?;
    let mut out = format!("CREATE STATISTICS {}", quote_qualified(schema.as_deref(), r.str(STXNAME)));
    let has = kinds(&r);
    if parts.len() > 1 && KINDS.iter().any(|(_, k)| !has.contains(k)) {
        let words: Vec<&str> = KINDS.iter().filter(|(_, k)| has.contains(k)).map(|(w, _)| *w).collect();
        let _ = write!(out, " ({})", words.join(", "));
    }
    let _ = write!(out, " ON {columns} FROM {}", table_name(c, rel.oid, true)?);
    Ok(Some(out))
}

/// `pg_get_statisticsobjdef` for DDL.
pub fn statement(c: &CallCtx<'_>, oid: Oid) -> Result<Option<String>> {
    definition(c, oid.0, false)
}

/// `pg_get_statisticsobjdef_expressions`.
fn shown_expressions(c: &CallCtx<'_>, oid: u32) -> Result<Datum> {
    let Some(r) = object(c, oid)? else { return Ok(Datum::Null) };
    let rel = env(c)?.catalog.relation(r.oid(STXRELID))?;
    let exprs = expressions(&r)?;
    if exprs.is_empty() {
        return Ok(Datum::Null);
    }
    let texts = exprs.iter().map(|e| Ok(Datum::text(&expression_text(c, e, &rel, false)?)));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    Ok(build_1d(oids::TEXT, texts.iter().map(Datum::as_ref)))
}
