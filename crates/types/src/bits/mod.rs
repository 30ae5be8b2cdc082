//! bit and bit varying. A value is its length in bits (four bytes, little endian) and the bits from the high end of the
//! first byte on; bits beyond the length are zero.

mod agg;
pub mod table;

use crate::wire::{Wire, push_i64};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail, err};
use std::cmp::Ordering;

/// A borrowed value.
#[derive(Clone, Copy)]
pub struct Bits<'a> {
    pub len: usize,
    pub bytes: &'a [u8],
}

impl<'a> Bits<'a> {
    /// Reads a stored value. XX001.
    pub fn new(b: &'a [u8]) -> Result<Bits<'a>> {
        let corrupt = || Error::corrupted("invalid bit string");
        let len = u32::from_le_bytes(*b.first_chunk::<4>().ok_or_else(corrupt)?) as usize;
        let bytes = &b[4..];
        if len.div_ceil(8) != bytes.len() {
            return Err(corrupt());
        }
        Ok(Bits { len, bytes })
    }
    fn get(&self, i: usize) -> bool {
        self.bytes[i / 8] >> (7 - i % 8) & 1 == 1
    }
    /// Bits from `from` on, `n` of them; what lies beyond the end is zero.
    fn slice(&self, from: usize, n: usize) -> Vec<u8> {
        let mut out = vec![0; n.div_ceil(8)];
        for i in 0..n {
            if from + i < self.len && self.get(from + i) {
                out[i / 8] |= 0x80 >> (i % 8);
            }
        }
        out
    }
}

/// A stored value of these bits.
fn make(len: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + bytes.len());
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

fn parse(text: &str) -> Result<(usize, Vec<u8>)> {
    let hex = text.starts_with(['x', 'X']);
    let body = if hex || text.starts_with(['b', 'B']) { &text[1..] } else { text };
    let mut bytes = Vec::with_capacity(body.len() / if hex { 2 } else { 8 } + 1);
    for (i, c) in body.chars().enumerate() {
        let Some(d) = c.to_digit(if hex { 16 } else { 2 }) else {
            let kind = if hex { "hexadecimal" } else { "binary" };
            bail!(INVALID_TEXT_REPRESENTATION, "\"{}\" is not a valid {} digit", c, kind);
        };
        let (per, width) = if hex { (2, 4) } else { (8, 1) };
        if i % per == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= (d as u8) << (8 - width * (i % per + 1));
        }
    }
    Ok((body.len() * if hex { 4 } else { 1 }, bytes))
}

fn wrong_length(len: usize, typmod: i32) -> Error {
    err!(STRING_DATA_LENGTH_MISMATCH, "bit string length {} does not match type bit({})", len, typmod)
}
fn too_long(typmod: i32) -> Error {
    err!(STRING_DATA_RIGHT_TRUNCATION, "bit string too long for type bit varying({})", typmod)
}

fn bit_in(_: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    let (len, b) = parse(s)?;
    if typmod > 0 && len != typmod as usize {
        return Err(wrong_length(len, typmod));
    }
    Ok(Datum::bytes(&make(len, &b)))
}
fn varbit_in(_: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    let (len, b) = parse(s)?;
    if typmod > 0 && len > typmod as usize {
        return Err(too_long(typmod));
    }
    Ok(Datum::bytes(&make(len, &b)))
}
fn out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let b = Bits::new(v.bytes())?;
    out.extend((0..b.len).map(|i| if b.get(i) { b'1' } else { b'0' }));
    Ok(())
}
fn recv(wire: &[u8]) -> Result<(usize, Vec<u8>)> {
    let mut w = Wire::new(wire);
    let len = w.i32()?;
    let Some(len) = usize::try_from(len).ok().filter(|n| *n <= i32::MAX as usize - 8) else {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid length in external bit string");
    };
    let mut b = w.take(len.div_ceil(8))?.to_vec();
    w.end()?;
    if !len.is_multiple_of(8)
        && let Some(last) = b.last_mut()
    {
        *last &= 0xff << (8 - len % 8);
    }
    Ok((len, b))
}
fn bit_recv(_: &CallCtx<'_>, wire: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let (len, b) = recv(wire)?;
    if typmod > 0 && len != typmod as usize {
        return Err(wrong_length(len, typmod));
    }
    Ok(Datum::bytes(&make(len, &b)))
}
fn varbit_recv(_: &CallCtx<'_>, wire: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let (len, b) = recv(wire)?;
    if typmod > 0 && len > typmod as usize {
        return Err(too_long(typmod));
    }
    Ok(Datum::bytes(&make(len, &b)))
}
fn send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let b = Bits::new(v.bytes())?;
    out.extend_from_slice(&(b.len as u32).to_be_bytes());
    out.extend_from_slice(b.bytes);
    Ok(())
}

/// `bit(value, typmod, explicit)`.
fn bit(b: &[u8], typmod: i32, explicit: bool) -> Result<Vec<u8>> {
    let v = Bits::new(b)?;
    // A length beyond the longest bit string is none.
    if typmod <= 0 || typmod > i32::MAX - 7 || v.len == typmod as usize {
        return Ok(b.to_vec());
    }
    if !explicit {
        return Err(wrong_length(v.len, typmod));
    }
    let n = typmod as usize;
    Ok(make(n, &v.slice(0, n)))
}
/// `varbit(value, typmod, explicit)`.
fn varbit(b: &[u8], typmod: i32, explicit: bool) -> Result<Vec<u8>> {
    let v = Bits::new(b)?;
    if typmod <= 0 || v.len <= typmod as usize {
        return Ok(b.to_vec());
    }
    if !explicit {
        return Err(too_long(typmod));
    }
    let n = typmod as usize;
    Ok(make(n, &v.slice(0, n)))
}
fn typmodout(typmod: i32, out: &mut Vec<u8>) {
    if typmod >= 0 {
        out.push(b'(');
        push_i64(out, i64::from(typmod));
        out.push(b')');
    }
}
fn length_mod(arg: &[u8], name: &str) -> Result<i32> {
    let v = crate::array::cstring_array(arg)?;
    let [n] = v.as_slice() else { bail!(INVALID_PARAMETER_VALUE, "invalid type modifier") };
    let n: i32 = crate::int::parse_int(n)?;
    if n < 1 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {} must be at least 1", name);
    }
    if n > 83_886_080 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {} cannot exceed {}", name, 83_886_080);
    }
    Ok(n)
}
fn bittypmodin(arg: &[u8]) -> Result<i32> {
    length_mod(arg, "bit")
}
fn varbittypmodin(arg: &[u8]) -> Result<i32> {
    length_mod(arg, "varbit")
}

fn compare(a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (x, y) = (Bits::new(a)?, Bits::new(b)?);
    let n = x.bytes.len().min(y.bytes.len());
    Ok(x.bytes[..n].cmp(&y.bytes[..n]).then(x.len.cmp(&y.len)))
}
fn cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
macro_rules! compares {
    ($($name:ident $test:ident;)*) => {$(
        fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare(a, b)?.$test())
        }
    )*};
}
compares! { eq is_eq; ne is_ne; lt is_lt; le is_le; gt is_gt; ge is_ge; }

/// Combines two strings of one length bit by bit.
fn combine(a: &[u8], b: &[u8], what: &str, f: impl Fn(u8, u8) -> u8) -> Result<Vec<u8>> {
    let (x, y) = (Bits::new(a)?, Bits::new(b)?);
    if x.len != y.len {
        bail!(STRING_DATA_LENGTH_MISMATCH, "cannot {} bit strings of different sizes", what);
    }
    let v: Vec<u8> = x.bytes.iter().zip(y.bytes).map(|(p, q)| f(*p, *q)).collect();
    Ok(make(x.len, &v))
}
fn and(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    combine(a, b, "AND", |p, q| p & q)
}
fn or(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    combine(a, b, "OR", |p, q| p | q)
}
fn xor(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    combine(a, b, "XOR", |p, q| p ^ q)
}
fn not(a: &[u8]) -> Result<Vec<u8>> {
    let x = Bits::new(a)?;
    let mut v: Vec<u8> = x.bytes.iter().map(|p| !p).collect();
    if !x.len.is_multiple_of(8)
        && let Some(last) = v.last_mut()
    {
        *last &= 0xff << (8 - x.len % 8);
    }
    Ok(make(x.len, &v))
}
fn shifted(a: &[u8], left: i64) -> Result<Vec<u8>> {
    let x = Bits::new(a)?;
    let mut v = vec![0; x.bytes.len()];
    for i in 0..x.len {
        let from = i as i64 + left;
        if from >= 0 && (from as usize) < x.len && x.get(from as usize) {
            v[i / 8] |= 0x80 >> (i % 8);
        }
    }
    Ok(make(x.len, &v))
}
fn shift_left(a: &[u8], n: i32) -> Result<Vec<u8>> {
    shifted(a, i64::from(n))
}
fn shift_right(a: &[u8], n: i32) -> Result<Vec<u8>> {
    shifted(a, -i64::from(n))
}
fn append(parts: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut len = 0usize;
    let mut bytes: Vec<u8> = Vec::new();
    for p in parts {
        let x = Bits::new(p)?;
        for i in 0..x.len {
            if len.is_multiple_of(8) {
                bytes.push(0);
            }
            if x.get(i) {
                bytes[len / 8] |= 0x80 >> (len % 8);
            }
            len += 1;
        }
    }
    Ok(make(len, &bytes))
}
fn concat(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    append(&[a.to_vec(), b.to_vec()])
}
fn length(a: &[u8]) -> Result<i32> {
    Ok(Bits::new(a)?.len as i32)
}
fn octet_length(a: &[u8]) -> Result<i32> {
    Ok(Bits::new(a)?.bytes.len() as i32)
}
fn bit_count(a: &[u8]) -> Result<i64> {
    Ok(Bits::new(a)?.bytes.iter().map(|b| i64::from(b.count_ones())).sum())
}
fn negative_length() -> Error {
    err!(SUBSTRING_ERROR, "negative substring length not allowed")
}
fn sub(a: &[u8], from: i64, n: Option<i64>) -> Result<Vec<u8>> {
    let x = Bits::new(a)?;
    let end = match n {
        Some(n) if n < 0 => return Err(negative_length()),
        Some(n) => (from + n).min(x.len as i64 + 1),
        None => x.len as i64 + 1,
    };
    let start = from.max(1);
    if start > x.len as i64 || end <= start {
        return Ok(make(0, &[]));
    }
    let n = (end - start) as usize;
    Ok(make(n, &x.slice(start as usize - 1, n)))
}
fn substr(a: &[u8], from: i32, n: i32) -> Result<Vec<u8>> {
    sub(a, i64::from(from), Some(i64::from(n)))
}
fn substr_no_len(a: &[u8], from: i32) -> Result<Vec<u8>> {
    sub(a, i64::from(from), None)
}
fn overlay(a: &[u8], b: &[u8], at: i32, n: i32) -> Result<Vec<u8>> {
    if at <= 0 {
        return Err(negative_length());
    }
    let Some(end) = at.checked_add(n) else {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range");
    };
    let head = sub(a, 1, Some(i64::from(at) - 1))?;
    let tail = sub(a, i64::from(end), None)?;
    append(&[head, b.to_vec(), tail])
}
fn overlay_no_len(a: &[u8], b: &[u8], at: i32) -> Result<Vec<u8>> {
    overlay(a, b, at, length(b)?)
}
fn position(a: &[u8], part: &[u8]) -> Result<i32> {
    let (x, p) = (Bits::new(a)?, Bits::new(part)?);
    if x.len == 0 || p.len > x.len {
        return Ok(0);
    }
    if p.len == 0 {
        return Ok(1);
    }
    let hit = (0..=x.len - p.len).find(|s| (0..p.len).all(|i| x.get(s + i) == p.get(i)));
    Ok(hit.map_or(0, |i| i as i32 + 1))
}
fn index(x: &Bits<'_>, i: i32) -> Result<usize> {
    usize::try_from(i).ok().filter(|i| *i < x.len).ok_or_else(|| {
        err!(ARRAY_SUBSCRIPT_ERROR, "bit index {} out of valid range (0..{})", i, x.len as i64 - 1)
    })
}
fn get_bit(a: &[u8], i: i32) -> Result<i32> {
    let x = Bits::new(a)?;
    Ok(i32::from(x.get(index(&x, i)?)))
}
fn set_bit(a: &[u8], i: i32, v: i32) -> Result<Vec<u8>> {
    let x = Bits::new(a)?;
    let i = index(&x, i)?;
    if v != 0 && v != 1 {
        bail!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1");
    }
    let mut b = x.bytes.to_vec();
    let mask = 0x80u8 >> (i % 8);
    if v == 1 {
        b[i / 8] |= mask;
    } else {
        b[i / 8] &= !mask;
    }
    Ok(make(x.len, &b))
}
fn from_int(v: i64, typmod: i32) -> Vec<u8> {
    let n = typmod.max(1) as usize;
    let mut b = vec![0u8; n.div_ceil(8)];
    for i in 0..n {
        // Position from the right; beyond the word the sign goes on.
        if v >> (n - 1 - i).min(63) & 1 == 1 {
            b[i / 8] |= 0x80 >> (i % 8);
        }
    }
    make(n, &b)
}
fn from_int4(v: i32, typmod: i32) -> Vec<u8> {
    from_int(i64::from(v), typmod)
}
fn to_int(a: &[u8], width: usize, name: &str) -> Result<u64> {
    let x = Bits::new(a)?;
    if x.len > width {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", name);
    }
    Ok((0..x.len).fold(0, |v, i| v << 1 | u64::from(x.get(i))))
}
fn to_int4(a: &[u8]) -> Result<i32> {
    to_int(a, 32, "integer").map(|v| v as u32 as i32)
}
fn to_int8(a: &[u8]) -> Result<i64> {
    to_int(a, 64, "bigint").map(|v| v as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints() {
        for v in [0i64, 5, -5, 300, i64::MAX, i64::MIN] {
            assert_eq!(to_int8(&from_int(v, 64)).unwrap(), v);
        }
        assert_eq!(to_int4(&from_int4(-1, 32)).unwrap(), -1);
        assert!(to_int4(&from_int(1, 33)).is_err());
    }

    #[test]
    fn damage() {
        assert!(Bits::new(&[]).is_err() && Bits::new(&[9, 0, 0, 0, 1]).is_err());
        assert!(Bits::new(&[255, 255, 255, 255]).is_err());
        assert!(parse("x1é").is_err());
    }
}
