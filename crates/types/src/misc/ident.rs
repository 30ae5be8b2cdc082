//! oid, xid, cid, xid8, tid, pg_lsn: unsigned identifiers.

use crate::wire::{Wire, bad_input, is_space, push_u64};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Lsn, Oid, Result, Tid, bail, err};
use std::cmp::Ordering;
use std::io::Write;

fn u32_datum(v: u32) -> Datum {
    Datum::U32(v)
}

/// Reads an object id: decimal, a minus sign wraps around as in C's `strtoul`.
pub fn parse_oid(text: &str) -> Result<u32> {
    parse_oid_prefix(text, text)
        .and_then(|(v, rest)| if rest.bytes().all(is_space) { Ok(v) } else { Err(bad_input("oid", text)) })
}

/// Reads an object id at the start of `s`; `text` is the whole input, for errors.
pub fn parse_oid_prefix<'a>(s: &'a str, text: &str) -> Result<(u32, &'a str)> {
    let t = s.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let (negative, digits) = match t.as_bytes().first() {
        Some(b'-') => (true, &t[1..]),
        Some(b'+') => (false, &t[1..]),
        _ => (false, t),
    };
    let n = digits.bytes().take_while(u8::is_ascii_digit).count();
    if n == 0 {
        return Err(bad_input("oid", text));
    }
    let range = || err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{}\" is out of range for type oid", text);
    let v: u64 = digits[..n].parse().map_err(|_| range())?;
    let v = if negative {
        if v > 1 << 31 {
            return Err(range());
        }
        (v as u32).wrapping_neg()
    } else {
        u32::try_from(v).map_err(|_| range())?
    };
    Ok((v, &digits[n..]))
}

/// C's `strtoul(s, NULL, 0)`: decimal, octal or hexadecimal prefix, never an error.
fn strtoul(s: &str) -> u64 {
    let t = s.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let (negative, t) = match t.as_bytes().first() {
        Some(b'-') => (true, &t[1..]),
        Some(b'+') => (false, &t[1..]),
        _ => (false, t),
    };
    let (radix, t) = if let Some(h) = t.strip_prefix("0x").or(t.strip_prefix("0X")) {
        (16, h)
    } else if t.starts_with('0') {
        (8, t)
    } else {
        (10, t)
    };
    let mut v = 0u64;
    for d in t.chars().map_while(|c| c.to_digit(radix)) {
        v = match v.checked_mul(u64::from(radix)).and_then(|x| x.checked_add(u64::from(d))) {
            Some(x) => x,
            None => return u64::MAX,
        };
    }
    if negative { v.wrapping_neg() } else { v }
}

pub fn oidin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_oid(s).map(Datum::U32)
}
pub fn xidin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(u32_datum(strtoul(s) as u32))
}
pub fn xid8in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::I64(strtoul(s) as i64))
}
pub fn u32out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_u64(out, u64::from(v.u32()));
    Ok(())
}
pub fn xid8out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_u64(out, v.i64() as u64);
    Ok(())
}
pub fn u32recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i32()?;
    w.end().map(|()| Datum::U32(v as u32))
}
pub fn u64recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i64()?;
    w.end().map(|()| Datum::I64(v))
}
pub fn u32send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.u32().to_be_bytes());
    Ok(())
}
pub fn u64send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i64().to_be_bytes());
    Ok(())
}
pub fn u32_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.u32().cmp(&b.u32())
}
pub fn u32_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_u64(u64::from(v.u32()))
}
pub fn u64_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    (a.i64() as u64).cmp(&(b.i64() as u64))
}
pub fn u64_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_u64(v.i64() as u64)
}

macro_rules! cmps {
    ($m:ident, $t:ty, $u:ty) => {
        /// Unsigned comparisons.
        pub mod $m {
            #[inline(always)]
            pub fn eq(a: $t, b: $t) -> bool {
                a == b
            }
            #[inline(always)]
            pub fn ne(a: $t, b: $t) -> bool {
                a != b
            }
            #[inline(always)]
            pub fn lt(a: $t, b: $t) -> bool {
                (a as $u) < (b as $u)
            }
            #[inline(always)]
            pub fn le(a: $t, b: $t) -> bool {
                (a as $u) <= (b as $u)
            }
            #[inline(always)]
            pub fn gt(a: $t, b: $t) -> bool {
                (a as $u) > (b as $u)
            }
            #[inline(always)]
            pub fn ge(a: $t, b: $t) -> bool {
                (a as $u) >= (b as $u)
            }
            pub fn larger(a: $t, b: $t) -> $t {
                if ge(a, b) { a } else { b }
            }
            pub fn smaller(a: $t, b: $t) -> $t {
                if le(a, b) { a } else { b }
            }
        }
    };
}
cmps!(c32, u32, u32);
cmps!(c64, i64, u64);

pub fn xid_eq_int4(a: u32, b: i32) -> bool {
    a == b as u32
}
pub fn xid_ne_int4(a: u32, b: i32) -> bool {
    a != b as u32
}
pub fn xid8toxid(a: i64) -> u32 {
    a as u32
}
pub fn oidtoi8(a: u32) -> i64 {
    i64::from(a)
}
pub fn i8tooid(a: i64) -> Result<u32> {
    u32::try_from(a).map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range"))
}

pub fn tidin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let parse = || -> Option<Tid> {
        let inner = s[s.find('(')? + 1..].split_once(')')?.0;
        let (block, offset) = inner.split_once(',')?;
        // A missing number is 0.
        let number =
            |s: &str| if s.trim_start().is_empty() { "0".to_string() } else { s.trim_start().to_string() };
        let block = number(block).parse::<i64>().ok()?;
        let block = u32::try_from(block).or_else(|_| i32::try_from(block).map(|b| b as u32)).ok()?;
        Some(Tid::new(common::BlockNumber(block), number(offset).parse().ok()?))
    };
    parse().map(|t| Datum::I64(t.pack())).ok_or_else(|| bad_input("tid", s))
}
pub fn tidout(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let t = Tid::unpack(v.i64());
    write!(out, "({},{})", t.block, t.offset).map_err(|e| Error::internal(e.to_string()))
}
pub fn tidrecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let t = Tid::new(common::BlockNumber(w.i32()? as u32), w.i16()? as u16);
    w.end().map(|()| Datum::I64(t.pack()))
}
pub fn tidsend(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let t = Tid::unpack(v.i64());
    out.extend_from_slice(&t.block.0.to_be_bytes());
    out.extend_from_slice(&t.offset.to_be_bytes());
    Ok(())
}

pub fn pg_lsn_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let part = |p: &str| {
        let ok = (1..=8).contains(&p.len()) && p.bytes().all(|c| c.is_ascii_hexdigit());
        ok.then(|| u32::from_str_radix(p, 16).ok()).flatten()
    };
    let parse = || {
        let (hi, lo) = s.split_once('/')?;
        Some((u64::from(part(hi)?) << 32) | u64::from(part(lo)?))
    };
    parse().map(|v| Datum::I64(v as i64)).ok_or_else(|| bad_input("pg_lsn", s))
}
pub fn pg_lsn_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(Lsn(v.i64() as u64).to_string().as_bytes());
    Ok(())
}

/// Text in and out of the pseudo-types whose values are just their text.
pub fn cstring_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::text(s))
}
pub fn cstring_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.bytes());
    Ok(())
}
pub fn cstring_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    crate::text::check_utf8(b)?;
    Ok(Datum::bytes(b))
}
pub fn void_in(_: &CallCtx<'_>, _: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::I32(0))
}
pub fn void_out(_: &CallCtx<'_>, _: DatumRef<'_>, _: &mut Vec<u8>) -> Result<()> {
    Ok(())
}
pub fn void_recv(_: &CallCtx<'_>, _: &[u8], _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::I32(0))
}

/// Declares the I/O pairs of pseudo-types that have no values.
macro_rules! no_values {
    ($($input:ident $output:ident $name:literal;)*) => {$(
        pub fn $input(_: &CallCtx<'_>, _: &str, _: Oid, _: i32) -> Result<Datum> {
            bail!(FEATURE_NOT_SUPPORTED, "cannot accept a value of type {}", $name);
        }
        pub fn $output(_: &CallCtx<'_>, _: DatumRef<'_>, _: &mut Vec<u8>) -> Result<()> {
            bail!(FEATURE_NOT_SUPPORTED, "cannot display a value of type {}", $name);
        }
    )*};
}
no_values! {
    any_in any_out "any"; anyelement_in anyelement_out "anyelement"; trigger_in trigger_out "trigger";
    event_trigger_in event_trigger_out "event_trigger"; internal_in internal_out "internal";
    language_handler_in language_handler_out "language_handler"; anynonarray_in anynonarray_out "anynonarray";
    anycompatible_in anycompatible_out "anycompatible"; fdw_handler_in fdw_handler_out "fdw_handler";
    index_am_handler_in index_am_handler_out "index_am_handler"; tsm_handler_in tsm_handler_out "tsm_handler";
    table_am_handler_in table_am_handler_out "table_am_handler";
    anycompatiblenonarray_in anycompatiblenonarray_out "anycompatiblenonarray";
}
