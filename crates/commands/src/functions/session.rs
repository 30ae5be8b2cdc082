//! Who, where, what: the session and the server as a client asks for them.

use super::rows::made;
use super::{env, rows};
use catalog::literal;
use common::{Error, Oid, Result, SqlState, err};
use parser::keywords::{Category, KEYWORDS};
use types::registry::RowSource;
use types::{Arg, CallCtx, Column, Datum, FnImpl, Rows, c0, c1, kernel, oids};

pub static TABLE: &[(u32, FnImpl)] = &[
    (89, c0!(version)),
    (861, c0!(current_database)),
    (1402, c0!(current_schema)),
    (1403, c1!(current_schemas)),
    (745, c0!(current_user)),
    (710, c0!(current_user)),
    (746, c0!(session_user)),
    (817, c0!(current_query)),
    (2026, c0!(backend_pid)),
    (1619, FnImpl::Scalar(typeof_)),
    (1269, FnImpl::Scalar(column_size)),
    (3162, FnImpl::Scalar(collation_for)),
    (3810, c0!(is_in_recovery)),
    (2560, c0!(postmaster_start_time)),
    (2196, c0!(client_addr)),
    (2197, c0!(client_port)),
    (2198, c0!(server_addr)),
    (2199, c0!(server_port)),
    (1686, FnImpl::Srf(keywords)),
    (2289, FnImpl::Srf(options)),
    (2854, c0!(my_temp_schema)),
    (2855, c1!(is_other_temp_schema)),
    (315, c0!(jit_available)),
    (3298, c1!(row_security_active)),
    (1065, FnImpl::Srf(no_rows)),
    (3800, c0!(current_logfile)),
];

fn version(_: &CallCtx<'_>) -> &'static str {
    "PostgreSQL 15.18 (Stegodon 0.1.0) on x86_64-pc-linux-gnu, compiled by rustc, 64-bit"
}

fn current_database(c: &CallCtx<'_>) -> Result<String> {
    Ok(env(c)?.host.database_name())
}

/// Schemas of the search path, with or without those that are in it unasked.
fn path_schemas(c: &CallCtx<'_>, implicit: bool) -> Result<Vec<Oid>> {
    let e = env(c)?;
    let path = e.host.search_path()?;
    let mut listed = String::new();
    e.host.with_settings(&mut |s| listed = s.text("search_path").to_string());
    let names: Vec<&str> = listed.split(',').map(|n| n.trim().trim_matches('"')).collect();
    let asked = |oid: Oid| match e.catalog.namespace_name(oid)?.as_deref() {
        Some("pg_catalog") => Ok::<bool, Error>(names.contains(&"pg_catalog")),
        Some(n) if n.starts_with("pg_temp_") => Ok(names.contains(&"pg_temp")),
        _ => Ok(true),
    };
    let mut out = Vec::new();
    for s in &path.schemas {
        if implicit || asked(*s)? {
            out.push(*s);
        }
    }
    Ok(out)
}

fn current_schema(c: &CallCtx<'_>) -> Result<Option<String>> {
    match path_schemas(c, false)?.first() {
        Some(s) => Ok(env(c)?.catalog.namespace_name(*s)?.map(|n| n.to_string())),
        None => Ok(None),
    }
}

fn current_schemas(c: &CallCtx<'_>, implicit: bool) -> Result<Datum> {
    let mut names = Vec::new();
    for s in path_schemas(c, implicit)? {
        if let Some(n) = env(c)?.catalog.namespace_name(s)? {
            names.push(Datum::text(&n));
        }
    }
    Ok(literal::make_array(oids::NAME, &names, 1))
}

fn role_name(c: &CallCtx<'_>, role: Oid) -> Result<Option<String>> {
    Ok(env(c)?.catalog.role_name(role)?.map(|n| n.to_string()))
}

fn current_user(c: &CallCtx<'_>) -> Result<Option<String>> {
    role_name(c, env(c)?.host.role())
}

fn session_user(c: &CallCtx<'_>) -> Result<Option<String>> {
    role_name(c, env(c)?.host.session_role())
}

fn backend_pid(c: &CallCtx<'_>) -> Result<i32> {
    Ok(env(c)?.engine.proc().pid())
}

/// The statement string the client sent. The slot keeps its first part only.
fn current_query(c: &CallCtx<'_>) -> Result<String> {
    let activity = &env(c)?.engine.proc().activity;
    let q = activity.read().query;
    // A cut may fall short of the whole by part of a character.
    if q.len() + 5 > activity.query_bytes() {
        return Err(Error::unsupported("function current_query with a long statement"));
    }
    Ok(q)
}

fn arg_type(c: &CallCtx<'_>) -> Oid {
    c.arg_types.first().copied().unwrap_or(oids::UNKNOWN)
}

fn typeof_(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let t = arg_type(c);
    kernel::run_rows(args, rows, out, |_| Ok(Datum::oid(t)))
}

fn column_size(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let len = i32::from(env(c)?.catalog.type_desc(arg_type(c))?.len);
    // A value of an expression has the long header, one that comes from a row the short one where it fits.
    let konst = args.first().is_some_and(|a| a.konst);
    kernel::run_rows(args, rows, out, |v| {
        Ok(match v.first() {
            None | Some(types::DatumRef::Null) => Datum::Null,
            Some(_) if len > 0 => Datum::I32(len),
            Some(v) => {
                let n = v.bytes().len() as i32;
                Datum::I32(match len {
                    -2 => n + 1,
                    _ if !konst && n < 127 => n + 1,
                    _ => n + 4,
                })
            }
        })
    })
}

fn collation_for(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let t = arg_type(c);
    let desc = env(c)?.catalog.type_desc(t)?;
    if !desc.collation.is_valid() && t != oids::UNKNOWN {
        let shown = super::with_analyze(c, |a| Ok(analyze::format_type_short(a, t)))?;
        return Err(err!(DATATYPE_MISMATCH, "collations are not supported by type {shown}"));
    }
    let name = match env(c)?.catalog.collation_name(c.collation.oid)? {
        Some((_, n)) => Datum::text(&analyze::names::quote_ident(&n)),
        None => Datum::Null,
    };
    kernel::run_rows(args, rows, out, |_| Ok(name.clone()))
}

fn is_in_recovery(_: &CallCtx<'_>) -> bool {
    false
}

/// Line `n` of `postmaster.pid`.
fn pid_file_line(c: &CallCtx<'_>, n: usize) -> Result<String> {
    let path = env(c)?.engine.data_dir().join("postmaster.pid");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Error::os("could not read file \"postmaster.pid\"", &e))?;
    Ok(text.lines().nth(n).unwrap_or_default().trim().to_string())
}

fn postmaster_start_time(c: &CallCtx<'_>) -> Result<i64> {
    let seconds: i64 = pid_file_line(c, 2)?.parse().unwrap_or(types::datetime::EPOCH_SHIFT);
    Ok((seconds - types::datetime::EPOCH_SHIFT) * 1_000_000)
}

fn client_addr(c: &CallCtx<'_>) -> Result<Datum> {
    Ok(env(c)?.host.client_addr().map_or(Datum::Null, |a| types::net::inet_host(a.ip())))
}

fn client_port(c: &CallCtx<'_>) -> Result<Option<i32>> {
    Ok(env(c)?.host.client_addr().map(|a| i32::from(a.port())))
}

fn server_addr(c: &CallCtx<'_>) -> Result<Datum> {
    match env(c)?.host.client_addr() {
        None => Ok(Datum::Null),
        Some(_) => Err(Error::unsupported("function inet_server_addr")),
    }
}

fn server_port(c: &CallCtx<'_>) -> Result<Option<i32>> {
    let e = env(c)?;
    let mut port = 0;
    e.host.with_settings(&mut |s| port = s.int("port") as i32);
    Ok(e.host.client_addr().map(|_| port))
}

fn keywords(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let row = |(word, _, category, bare): &(&str, parser::keywords::Kw, Category, bool)| {
        let (code, text) = match category {
            Category::Unreserved => (b'U', "unreserved"),
            Category::ColName => (b'C', "unreserved (cannot be function or type name)"),
            Category::TypeFuncName => (b'T', "reserved (can be function or type name)"),
            Category::Reserved => (b'R', "reserved"),
        };
        let label = if *bare { "can be bare label" } else { "requires AS" };
        vec![
            Datum::text(word),
            Datum::I8(code as i8),
            Datum::Bool(*bare),
            Datum::text(text),
            Datum::text(label),
        ]
    };
    made(KEYWORDS.iter().map(row).collect())
}

fn options(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return made(Vec::new()) };
    let row = |o: String| match o.split_once('=') {
        Some((n, v)) => vec![Datum::text(n), Datum::text(v)],
        None => vec![Datum::text(&o), Datum::Null],
    };
    rows::made(literal::text_items(b).into_iter().map(row).collect())
}

fn my_temp_schema(c: &CallCtx<'_>) -> Result<u32> {
    let e = env(c)?;
    for s in &e.host.search_path()?.schemas {
        if e.catalog.namespace_name(*s)?.is_some_and(|n| n.starts_with("pg_temp_")) {
            return Ok(s.0);
        }
    }
    Ok(0)
}

fn is_other_temp_schema(c: &CallCtx<'_>, oid: u32) -> Result<bool> {
    if my_temp_schema(c)? == oid {
        return Ok(false);
    }
    let name = env(c)?.catalog.namespace_name(Oid(oid))?;
    Ok(name.is_some_and(|n| n.starts_with("pg_temp_") || n.starts_with("pg_toast_temp_")))
}

fn jit_available(_: &CallCtx<'_>) -> bool {
    false
}

pub(super) fn row_security_active(c: &CallCtx<'_>, oid: u32) -> Result<bool> {
    let e = env(c)?;
    let Some(r) = e.catalog.relation_if_any(Oid(oid))? else { return Ok(false) };
    if !r.row_security || e.host.is_superuser() {
        return Ok(false);
    }
    Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, "row-level security is not supported"))
}

/// Lists of what there is none of: prepared transactions (PREPARE TRANSACTION is refused), extensions.
fn no_rows(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    made(Vec::new())
}

fn current_logfile(_: &CallCtx<'_>) -> Option<String> {
    // No logger process collects the log into files.
    None
}
