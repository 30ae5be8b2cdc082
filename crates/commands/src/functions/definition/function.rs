//! Signatures and definitions of functions.

use super::super::{env, with_analyze};
use analyze::expr::Expr;
use analyze::names::{quote_ident, quote_qualified};
use catalog::Ref;
use catalog::builtins::LANGUAGE_INTERNAL;
use catalog::columns::*;
use catalog::desc::ProcDesc;
use common::{Oid, Result, bail};
use std::fmt::Write;
use types::{CallCtx, Datum};

fn find(c: &CallCtx<'_>, oid: u32) -> Result<Option<Ref<ProcDesc>>> {
    env(c)?.catalog.proc_if_any(Oid(oid))
}

fn type_name(c: &CallCtx<'_>, t: Oid) -> Result<String> {
    with_analyze(c, |a| Ok(analyze::format_type_short(a, t)))
}

/// An argument: mode, name, type.
struct Argument {
    mode: u8,
    name: String,
    type_oid: Oid,
}

fn all_arguments(p: &ProcDesc) -> Vec<Argument> {
    let types = if p.all_arg_types.is_empty() { &p.arg_types } else { &p.all_arg_types };
    types
        .iter()
        .enumerate()
        .map(|(i, t)| Argument {
            mode: p.arg_modes.get(i).copied().unwrap_or(b'i'),
            name: p.arg_names.get(i).cloned().unwrap_or_default(),
            type_oid: *t,
        })
        .collect()
}

/// Texts of the defaults of the last input arguments.
fn defaults(c: &CallCtx<'_>, p: &ProcDesc) -> Result<Vec<String>> {
    let Some(text) = &p.arg_defaults else { return Ok(Vec::new()) };
    if text.starts_with("[{") {
        let list: Vec<Expr> = analyze::load_expr(text)?;
        return list.iter().map(|e| super::expr::text(c, e, None, false)).collect();
    }
    Ok(split_list(text).into_iter().map(str::to_string).collect())
}

/// Splits at commas outside quotes and parentheses.
fn split_list(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0i32, false);
    for (i, ch) in text.char_indices() {
        match ch {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(text[start..].trim());
    out
}

fn is_input(mode: u8) -> bool {
    matches!(mode, b'i' | b'b' | b'v')
}

/// The argument list without its parentheses.
pub fn arguments(c: &CallCtx<'_>, oid: u32, with_defaults: bool) -> Result<Option<String>> {
    let Some(p) = find(c, oid)? else { return Ok(None) };
    argument_list(c, &p, with_defaults).map(Some)
}

fn argument_list(c: &CallCtx<'_>, p: &ProcDesc, with_defaults: bool) -> Result<String> {
    let args = all_arguments(p);
    let defaults = if with_defaults { defaults(c, p)? } else { Vec::new() };
    let inputs = args.iter().filter(|a| is_input(a.mode)).count();
    // Ordered-set aggregates: ORDER BY before the first aggregated argument.
    let order_by = match env(c)?.catalog.aggregate(p.oid)? {
        Some(a) if a.kind != b'n' => Some(a.num_direct_args as usize),
        _ => None,
    };
    let (mut out, mut printed, mut input) = (String::new(), 0usize, 0usize);
    let mut i = 0;
    let mut repeated = false;
    while let Some(a) = args.get(i) {
        i += 1;
        if a.mode == b't' {
            continue;
        }
        if order_by == Some(printed) {
            out.push_str(if printed > 0 { " ORDER BY " } else { "ORDER BY " });
        } else if printed > 0 {
            out.push_str(", ");
        }
        out.push_str(match a.mode {
            b'i' if p.kind == b'p' => "IN ",
            b'o' => "OUT ",
            b'b' => "INOUT ",
            b'v' => "VARIADIC ",
            _ => "",
        });
        if !a.name.is_empty() {
            let _ = write!(out, "{} ", quote_ident(&a.name));
        }
        out.push_str(&type_name(c, a.type_oid)?);
        if is_input(a.mode) {
            if let Some(d) = (input + defaults.len()).checked_sub(inputs).and_then(|n| defaults.get(n)) {
                let _ = write!(out, " DEFAULT {d}");
            }
            input += 1;
        }
        printed += 1;
        // The variadic argument of a hypothetical-set aggregate is direct and aggregated.
        if order_by == Some(printed) && i == args.len() && p.variadic.is_valid() && !repeated {
            i -= 1;
            repeated = true;
        }
    }
    Ok(out)
}

/// What the function returns; NULL for a procedure.
pub fn result(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    match find(c, oid)? {
        Some(p) if p.kind != b'p' => result_of(c, &p).map(Some),
        _ => Ok(None),
    }
}

fn result_of(c: &CallCtx<'_>, p: &ProcDesc) -> Result<String> {
    let mut columns = Vec::new();
    for a in all_arguments(p).iter().filter(|a| a.mode == b't') {
        columns.push(format!("{} {}", quote_ident(&a.name), type_name(c, a.type_oid)?));
    }
    if p.retset && !columns.is_empty() {
        return Ok(format!("TABLE({})", columns.join(", ")));
    }
    Ok(format!("{}{}", if p.retset { "SETOF " } else { "" }, type_name(c, p.ret_type)?))
}

/// Default of the n-th argument of all, from 1.
pub fn arg_default(c: &CallCtx<'_>, oid: u32, n: i32) -> Result<Option<String>> {
    let Some(p) = find(c, oid)? else { return Ok(None) };
    let args = all_arguments(&p);
    let Some(at) = usize::try_from(n - 1).ok().filter(|i| args.get(*i).is_some_and(|a| is_input(a.mode)))
    else {
        return Ok(None);
    };
    let inputs = args.iter().filter(|a| is_input(a.mode)).count();
    let nth = args[..at].iter().filter(|a| is_input(a.mode)).count();
    let defaults = defaults(c, &p)?;
    Ok((nth + defaults.len()).checked_sub(inputs).and_then(|n| defaults.get(n).cloned()))
}

/// `pg_get_functiondef`: NULL without such a function, 42809 for an aggregate.
pub fn definition(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    let Some(p) = find(c, oid)? else { return Ok(None) };
    if p.kind == b'a' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", p.name);
    }
    let e = env(c)?;
    let schema = e.catalog.namespace_name(p.namespace)?;
    let word = if p.kind == b'p' { "procedure" } else { "function" };
    let mut out = format!(
        "CREATE OR REPLACE {} {}({})\n",
        word.to_ascii_uppercase(),
        quote_qualified(schema.as_deref(), &p.name),
        argument_list(c, &p, true)?,
    );
    if p.kind != b'p' {
        let _ = writeln!(out, " RETURNS {}", result_of(c, &p)?);
    }
    let language = e.catalog.scan(pg_language::TABLE, pg_language::OID_INDEX, &[Datum::oid(p.language)])?;
    let language = language.first().map(|r| r.str(pg_language::LANNAME).to_string()).unwrap_or_default();
    let _ = writeln!(out, " LANGUAGE {}", quote_ident(&language));
    let words = attributes(c, &p)?;
    if !words.is_empty() {
        let _ = writeln!(out, " {}", words.join(" "));
    }
    for s in &p.config {
        let Some((name, value)) = s.split_once('=') else { continue };
        let _ = writeln!(out, " SET {} TO {}", quote_ident(name), setting_value(name, value));
    }
    if let Some(body) = sql_body(c, oid)? {
        let _ = writeln!(out, "{body}");
        return Ok(Some(out));
    }
    let mut tag = format!("${word}");
    while p.src.contains(&tag) {
        tag.push('x');
    }
    let _ = writeln!(out, "AS {tag}${}{tag}$", p.src);
    Ok(Some(out))
}

/// A setting's value as SET takes it: lists of names item by item.
fn setting_value(name: &str, value: &str) -> String {
    let is_list = ["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"];
    let quoted = |v: &str| format!("'{}'", v.replace('\'', "''"));
    if !is_list.contains(&name) {
        return quoted(value);
    }
    let items = value.split(", ").map(|i| match i.strip_prefix('"').and_then(|i| i.strip_suffix('"')) {
        Some(inner) => quoted(&inner.replace("\"\"", "\"")),
        None => quoted(i),
    });
    items.collect::<Vec<_>>().join(", ")
}

/// What differs from the defaults.
fn attributes(c: &CallCtx<'_>, p: &ProcDesc) -> Result<Vec<String>> {
    let mut w: Vec<String> = Vec::new();
    if p.kind == b'w' {
        w.push("WINDOW".into());
    }
    match p.volatile {
        b'i' => w.push("IMMUTABLE".into()),
        b's' => w.push("STABLE".into()),
        _ => {}
    }
    match p.parallel {
        b's' => w.push("PARALLEL SAFE".into()),
        b'r' => w.push("PARALLEL RESTRICTED".into()),
        _ => {}
    }
    if p.strict {
        w.push("STRICT".into());
    }
    if p.sec_def {
        w.push("SECURITY DEFINER".into());
    }
    if p.leakproof {
        w.push("LEAKPROOF".into());
    }
    if p.cost != if p.language == LANGUAGE_INTERNAL { 1.0 } else { 100.0 } {
        w.push(format!("COST {}", p.cost));
    }
    if p.retset && p.rows > 0.0 && p.rows != 1000.0 {
        w.push(format!("ROWS {}", p.rows));
    }
    if p.support.is_valid() {
        let name = env(c)?.catalog.proc_desc(p.support)?.name.clone();
        w.push(format!("SUPPORT {}", quote_ident(&name)));
    }
    Ok(w)
}

/// The body of a function written in standard SQL; others have none.
pub fn sql_body(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    let rows = env(c)?.catalog.scan(pg_proc::TABLE, pg_proc::OID_INDEX, &[Datum::U32(oid)])?;
    match rows.first().and_then(|r| r.text(pg_proc::PROSQLBODY)) {
        None => Ok(builtin_body(oid)),
        Some(stored) => {
            let body: analyze::routine::SqlBody = analyze::load_expr(&stored)?;
            let Some(p) = find(c, oid)? else { return Ok(None) };
            let names: Vec<String> =
                all_arguments(&p).into_iter().filter(|a| is_input(a.mode)).map(|a| a.name).collect();
            with_analyze(c, |a| analyze::body_to_sql(a, &body, &p.name, &names)).map(Some)
        }
    }
}

/// Bodies of the built-in functions in standard SQL (OID, text): there they run as code of the server.
const BUILTIN_BODIES: &str = include_str!("../../../data/sql_bodies.tsv");

fn builtin_body(oid: u32) -> Option<String> {
    let number = oid.to_string();
    let line = BUILTIN_BODIES.lines().filter_map(|l| l.split_once('\t')).find(|l| l.0 == number)?;
    catalog::data::unescape(line.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_defaults() {
        assert_eq!(split_list("0, 0.0, 'a, b'::text, f(1, 2)"), ["0", "0.0", "'a, b'::text", "f(1, 2)"]);
    }
}
