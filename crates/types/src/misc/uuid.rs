//! uuid.

use crate::wire::{Wire, bad_input};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result};
use std::cmp::Ordering;

/// Thirty-two hexadecimal digits, hyphens allowed behind every fourth, braces around.
fn parse(s: &str) -> Option<[u8; 16]> {
    let mut b = s.as_bytes();
    if b.first() == Some(&b'{') {
        b = b.strip_prefix(b"{")?.strip_suffix(b"}")?;
    }
    let mut out = [0u8; 16];
    let mut at = 0;
    for (i, slot) in out.iter_mut().enumerate() {
        if i > 0 && i % 2 == 0 && b.get(at) == Some(&b'-') {
            at += 1;
        }
        let hex = |c: u8| (c as char).to_digit(16);
        *slot = (hex(*b.get(at)?)? * 16 + hex(*b.get(at + 1)?)?) as u8;
        at += 2;
    }
    (at == b.len()).then_some(out)
}

pub fn uuid_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse(s).map(Datum::Fixed16).ok_or_else(|| bad_input("uuid", s))
}
pub fn uuid_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    for (i, b) in v.fixed16().iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(crate::text::HEX[usize::from(b >> 4)]);
        out.push(crate::text::HEX[usize::from(b & 15)]);
    }
    Ok(())
}
pub fn uuid_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let mut v = [0; 16];
    v.copy_from_slice(w.take(16)?);
    w.end().map(|()| Datum::Fixed16(v))
}
pub fn uuid_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.fixed16());
    Ok(())
}
pub fn uuid_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.fixed16().cmp(&b.fixed16())
}
pub fn uuid_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_bytes(&v.fixed16())
}
type U = [u8; 16];
pub fn eq(a: U, b: U) -> bool {
    a == b
}
pub fn ne(a: U, b: U) -> bool {
    a != b
}
pub fn lt(a: U, b: U) -> bool {
    a < b
}
pub fn le(a: U, b: U) -> bool {
    a <= b
}
pub fn gt(a: U, b: U) -> bool {
    a > b
}
pub fn ge(a: U, b: U) -> bool {
    a >= b
}
/// Random UUID, version 4.
pub fn gen_random_uuid() -> Result<U> {
    let mut b = [0; 16];
    getrandom::fill(&mut b).map_err(|_| Error::internal("could not generate random values"))?;
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    Ok(b)
}
