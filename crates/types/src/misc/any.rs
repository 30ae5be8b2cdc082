//! Functions over arguments of any type, and arithmetic of WAL positions.

use crate::column::{Arg, Column, Rows};
use crate::numeric::{Num, num_add, num_sub};
use crate::{CallCtx, Datum, DatumRef, array, oids};
use common::{Result, bail, err};

fn count(args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column, nulls: bool) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| {
        Ok(Datum::I32(v.iter().filter(|d| d.is_null() == nulls).count() as i32))
    })
}
pub fn pg_num_nulls(_: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    count(a, r, o, true)
}
pub fn pg_num_nonnulls(_: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    count(a, r, o, false)
}
/// Type of the argument as the call was resolved.
pub fn pg_typeof(c: &CallCtx<'_>, _: DatumRef<'_>) -> u32 {
    c.arg_types.first().map_or(oids::UNKNOWN.0, |t| t.0)
}
fn any_text(c: &CallCtx<'_>, v: DatumRef<'_>) -> Result<String> {
    let mut text = Vec::new();
    let t = c.arg_types.first().copied().unwrap_or(oids::TEXT);
    array::output_text(c, t, v, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
/// `quote_literal(anyelement)`.
pub fn quote_literal_any(c: &CallCtx<'_>, v: DatumRef<'_>) -> Result<Option<String>> {
    if v.is_null() {
        return Ok(None);
    }
    // The cast to text, which spells booleans out.
    let text = match v {
        DatumRef::Bool(b) => b.to_string(),
        v => any_text(c, v)?,
    };
    Ok(Some(crate::text::quote::quote_literal(&text)))
}
/// `quote_nullable(anyelement)`.
pub fn quote_nullable_any(c: &CallCtx<'_>, v: DatumRef<'_>) -> Result<String> {
    Ok(quote_literal_any(c, v)?.unwrap_or_else(|| "NULL".into()))
}

/// Splits a qualified identifier. 22023.
pub fn parse_ident(text: &str, strict: bool) -> Result<Vec<u8>> {
    let bad = || err!(INVALID_PARAMETER_VALUE, "string is not a valid identifier: \"{}\"", text);
    let space = |c: char| c.is_ascii() && crate::wire::is_space(c as u8);
    let mut rest = text.trim_start_matches(space);
    let mut parts: Vec<String> = Vec::new();
    let mut after_dot = false;
    loop {
        if let Some(q) = rest.strip_prefix('"') {
            let mut part = String::new();
            let mut it = q.char_indices().peekable();
            let end = loop {
                match it.next() {
                    None => return Err(bad().detail("String has unclosed double quotes.")),
                    Some((_, '"')) if it.peek().is_some_and(|(_, c)| *c == '"') => {
                        it.next();
                        part.push('"');
                    }
                    Some((i, '"')) => break i + 1,
                    Some((_, c)) => part.push(c),
                }
            };
            if part.is_empty() {
                return Err(bad().detail("Quoted identifier must not be empty."));
            }
            parts.push(part);
            rest = &q[end..];
        } else {
            let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
            let ok = rest.chars().next().is_some_and(first);
            if !ok {
                if rest.starts_with('.') && !after_dot {
                    return Err(bad().detail("No valid identifier before \".\"."));
                }
                return Err(if after_dot { bad().detail("No valid identifier after \".\".") } else { bad() });
            }
            let end =
                rest.find(|c: char| !(first(c) || c.is_ascii_digit() || c == '$')).unwrap_or(rest.len());
            parts.push(rest[..end].to_ascii_lowercase());
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches(space);
        match rest.strip_prefix('.') {
            Some(r) => {
                after_dot = true;
                rest = r.trim_start_matches(space);
            }
            None if rest.is_empty() || !strict => break,
            None => return Err(bad()),
        }
    }
    let mut b = array::ArrayBuilder::new(oids::TEXT);
    for p in &parts {
        b.push(DatumRef::Bytes(p.as_bytes()));
    }
    Ok(b.finish_1d())
}

fn lsn_num(v: i64) -> Num {
    Num::from_i128(i128::from(v as u64))
}
fn num_lsn(n: &Num) -> Result<i64> {
    if !n.is_finite() {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "cannot convert {} to pg_lsn",
            if n.is_nan() { "NaN" } else { "infinity" }
        );
    }
    n.to_i128()
        .and_then(|v| u64::try_from(v).ok())
        .map(|v| v as i64)
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "pg_lsn out of range"))
}
pub fn pg_lsn_mi(a: i64, b: i64, out: &mut Vec<u8>) -> Result<()> {
    num_sub(&lsn_num(a), &lsn_num(b)).pack(out)
}
pub fn pg_lsn_pli(a: i64, n: &[u8]) -> Result<i64> {
    let n = Num::unpack(n)?;
    if n.is_nan() {
        bail!(FEATURE_NOT_SUPPORTED, "cannot add NaN to pg_lsn");
    }
    num_lsn(&num_add(&lsn_num(a), &n))
}
pub fn pg_lsn_mii(a: i64, n: &[u8]) -> Result<i64> {
    let n = Num::unpack(n)?;
    if n.is_nan() {
        bail!(FEATURE_NOT_SUPPORTED, "cannot subtract NaN from pg_lsn");
    }
    num_lsn(&num_sub(&lsn_num(a), &n))
}
pub fn numeric_pl_pg_lsn(n: &[u8], a: i64) -> Result<i64> {
    pg_lsn_pli(a, n)
}
pub fn numeric_pg_lsn(n: &[u8]) -> Result<i64> {
    num_lsn(&Num::unpack(n)?)
}

/// Size with a unit, halves rounded away from zero.
fn pretty(bytes: i128) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let mut v = bytes;
    if v.abs() < 10 * 1024 {
        return format!("{v} bytes");
    }
    // One extra bit is kept for rounding until the unit is settled.
    v >>= 9;
    for (i, unit) in UNITS.iter().enumerate().skip(1) {
        let rounded = if v < 0 { (v - 1) / 2 } else { (v + 1) / 2 };
        if v.abs() < 20 * 1024 - 1 || i == UNITS.len() - 1 {
            return format!("{rounded} {unit}");
        }
        v >>= 10;
    }
    format!("{bytes} bytes")
}
pub fn pg_size_pretty(v: i64) -> String {
    pretty(i128::from(v))
}
pub fn pg_size_pretty_numeric(n: &[u8]) -> Result<String> {
    let n = Num::unpack(n)?;
    match n.to_i128().filter(|_| n.is_finite()) {
        Some(v) if v.abs() < 10 * 1024 => Ok(format!("{n} bytes")),
        Some(v) => Ok(pretty(v)),
        None => Ok(format!("{n} bytes")),
    }
}
pub fn pg_client_encoding() -> &'static str {
    "UTF8"
}
/// Name of an encoding number; the ones a database can have here.
pub fn pg_encoding_to_char(v: i32) -> &'static str {
    match v {
        0 => "SQL_ASCII",
        6 => "UTF8",
        8 => "LATIN1",
        _ => "",
    }
}
pub fn pg_char_to_encoding(name: &str) -> i32 {
    let n: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match n.as_str() {
        "utf8" | "unicode" => 6,
        "sqlascii" => 0,
        "latin1" | "iso88591" => 8,
        _ => -1,
    }
}
