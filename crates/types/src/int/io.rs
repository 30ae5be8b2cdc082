//! Text and binary forms of the integers, and their comparison and hash functions.

use super::ops::Int;
use crate::wire::{Wire, bad_input, is_space, push_i64};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result, err};
use std::cmp::Ordering;

/// Reads a decimal integer surrounded by white space. 22P02, 22003.
pub fn parse_int<T: Int>(text: &str) -> Result<T> {
    let b = text.as_bytes();
    let mut i = 0;
    while i < b.len() && is_space(b[i]) {
        i += 1;
    }
    let negative = matches!(b.get(i), Some(b'-'));
    if matches!(b.get(i), Some(b'-' | b'+')) {
        i += 1;
    }
    let first = i;
    let mut v: i128 = 0;
    while i < b.len() && b[i].is_ascii_digit() {
        // Saturates far beyond 64 bits, so that the length of the input does not matter.
        v = (v * 10 + i128::from(b[i] - b'0')).min(1 << 100);
        i += 1;
    }
    let no_digits = i == first;
    while i < b.len() && is_space(b[i]) {
        i += 1;
    }
    if no_digits || i < b.len() {
        return Err(bad_input(T::NAME, text));
    }
    T::try_from(if negative { -v } else { v }).map_err(|_| {
        err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{}\" is out of range for type {}", text, T::NAME)
    })
}

pub fn int2in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_int(s).map(Datum::I16)
}
pub fn int4in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_int(s).map(Datum::I32)
}
pub fn int8in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_int(s).map(Datum::I64)
}
pub fn int2out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_i64(out, i64::from(v.i16()));
    Ok(())
}
pub fn int4out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_i64(out, i64::from(v.i32()));
    Ok(())
}
pub fn int8out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_i64(out, v.i64());
    Ok(())
}
pub fn int2recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i16()?;
    w.end().map(|()| Datum::I16(v))
}
pub fn int4recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i32()?;
    w.end().map(|()| Datum::I32(v))
}
pub fn int8recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i64()?;
    w.end().map(|()| Datum::I64(v))
}
pub fn int2send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i16().to_be_bytes());
    Ok(())
}
pub fn int4send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i32().to_be_bytes());
    Ok(())
}
pub fn int8send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i64().to_be_bytes());
    Ok(())
}

/// Any integer as 64 bits.
pub fn widen(d: DatumRef<'_>) -> i64 {
    match d {
        DatumRef::I16(v) => i64::from(v),
        DatumRef::I32(v) => i64::from(v),
        DatumRef::U32(v) => i64::from(v),
        other => other.i64(),
    }
}

/// Comparison of integers of any two widths.
pub fn int_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    match (a, b) {
        (DatumRef::I32(a), DatumRef::I32(b)) => a.cmp(&b),
        (a, b) => widen(a).cmp(&widen(b)),
    }
}

/// Hash of an integer of any width (equal across widths, as cross-type hash joins need).
pub fn int_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_u64(widen(v) as u64)
}
