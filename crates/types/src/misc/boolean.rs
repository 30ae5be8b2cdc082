//! boolean.

use crate::wire::{Wire, bad_input, trim};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result};
use std::cmp::Ordering;

/// Reads the words PostgreSQL takes for a boolean: any unambiguous prefix of true, false, yes, no, on, off, or 1, 0.
pub fn parse_bool(text: &str) -> Option<bool> {
    let t = trim(text).to_ascii_lowercase();
    let is = |word: &str, min: usize| t.len() >= min && word.starts_with(&t);
    if is("true", 1) || is("yes", 1) || is("on", 2) || t == "1" {
        Some(true)
    } else if is("false", 1) || is("no", 1) || is("off", 2) || t == "0" {
        Some(false)
    } else {
        None
    }
}

pub fn boolin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_bool(s).map(Datum::Bool).ok_or_else(|| bad_input("boolean", s))
}
pub fn boolout(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(if v.bool() { b't' } else { b'f' });
    Ok(())
}
pub fn boolrecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.byte()? != 0;
    w.end().map(|()| Datum::Bool(v))
}
pub fn boolsend(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(u8::from(v.bool()));
    Ok(())
}
pub fn btboolcmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.bool().cmp(&b.bool())
}
pub fn eq(a: bool, b: bool) -> bool {
    a == b
}
pub fn ne(a: bool, b: bool) -> bool {
    a != b
}
pub fn lt(a: bool, b: bool) -> bool {
    !a & b
}
pub fn le(a: bool, b: bool) -> bool {
    a <= b
}
pub fn gt(a: bool, b: bool) -> bool {
    a & !b
}
pub fn ge(a: bool, b: bool) -> bool {
    a >= b
}
pub fn bool_int4(a: bool) -> i32 {
    i32::from(a)
}
pub fn int4_bool(a: i32) -> bool {
    a != 0
}
pub fn booltext(a: bool) -> &'static str {
    if a { "true" } else { "false" }
}
