//! bytea: input and output, substrings, single bytes and bits.

use super::chars::substr_range;
use super::codec::{escape_decode, hex_decode, push_hex};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result, bail, err};

pub fn byteain(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let mut out = Vec::new();
    match s.strip_prefix("\\x") {
        Some(hex) => hex_decode(hex, &mut out)?,
        None => escape_decode(s.as_bytes(), &mut out)?,
    }
    Ok(Datum::bytes(&out))
}
pub fn byteaout(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    if ctx.fmt.bytea_escape {
        // Output differs from encode(…, 'escape') in what counts as printable.
        for &c in v.bytes() {
            match c {
                0x20..=0x7e if c != b'\\' => out.push(c),
                b'\\' => out.extend_from_slice(b"\\\\"),
                _ => out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]),
            }
        }
    } else {
        out.extend_from_slice(b"\\x");
        push_hex(v.bytes(), out);
    }
    Ok(())
}
pub fn bytearecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::bytes(b))
}
pub fn substr(b: &[u8], start: i32, len: Option<i32>) -> Result<&[u8]> {
    let (lo, hi) = substr_range(b.len(), start, len)?;
    Ok(&b[lo..hi])
}
pub fn bytea_substr(b: &[u8], start: i32, len: i32, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(substr(b, start, Some(len))?);
    Ok(())
}
pub fn bytea_substr_no_len(b: &[u8], start: i32, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(substr(b, start, None)?);
    Ok(())
}
pub fn byteaoverlay(b: &[u8], new: &[u8], start: i32, len: i32, out: &mut Vec<u8>) -> Result<()> {
    if start <= 0 {
        bail!(SUBSTRING_ERROR, "negative substring length not allowed");
    }
    let next =
        start.checked_add(len).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
    out.extend_from_slice(substr(b, 1, Some(start - 1))?);
    out.extend_from_slice(new);
    out.extend_from_slice(substr(b, next, None)?);
    Ok(())
}
pub fn byteaoverlay_no_len(b: &[u8], new: &[u8], start: i32, out: &mut Vec<u8>) -> Result<()> {
    byteaoverlay(b, new, start, new.len() as i32, out)
}
pub fn byteapos(b: &[u8], sub: &[u8]) -> i32 {
    if sub.is_empty() {
        return 1;
    }
    b.windows(sub.len()).position(|w| w == sub).map_or(0, |i| i as i32 + 1)
}
fn index(i: i64, n: usize) -> Result<usize> {
    usize::try_from(i)
        .ok()
        .filter(|u| *u < n)
        .ok_or_else(|| err!(ARRAY_SUBSCRIPT_ERROR, "index {} out of valid range, 0..{}", i, n as i64 - 1))
}
pub fn get_byte(b: &[u8], i: i32) -> Result<i32> {
    Ok(i32::from(b[index(i64::from(i), b.len())?]))
}
pub fn set_byte(b: &[u8], i: i32, v: i32, out: &mut Vec<u8>) -> Result<()> {
    let at = index(i64::from(i), b.len())? + out.len();
    out.extend_from_slice(b);
    out[at] = v as u8;
    Ok(())
}
pub fn get_bit(b: &[u8], i: i64) -> Result<i32> {
    let i = index(i, b.len() * 8)?;
    Ok(i32::from(b[i / 8] >> (i % 8) & 1))
}
pub fn set_bit(b: &[u8], i: i64, v: i32, out: &mut Vec<u8>) -> Result<()> {
    let i = index(i, b.len() * 8)?;
    if v != 0 && v != 1 {
        bail!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1");
    }
    let base = out.len();
    out.extend_from_slice(b);
    let byte = &mut out[base + i / 8];
    *byte = *byte & !(1 << (i % 8)) | (v as u8) << (i % 8);
    Ok(())
}
pub fn bit_count(b: &[u8]) -> i64 {
    b.iter().map(|c| i64::from(c.count_ones())).sum()
}
pub fn bytealtrim(b: &[u8], set: &[u8], out: &mut Vec<u8>) {
    let at = b.iter().position(|c| !set.contains(c)).unwrap_or(b.len());
    out.extend_from_slice(&b[at..]);
}
pub fn byteartrim(b: &[u8], set: &[u8], out: &mut Vec<u8>) {
    let end = b.iter().rposition(|c| !set.contains(c)).map_or(0, |i| i + 1);
    out.extend_from_slice(&b[..end]);
}
pub fn byteatrim(b: &[u8], set: &[u8], out: &mut Vec<u8>) {
    let end = b.iter().rposition(|c| !set.contains(c)).map_or(0, |i| i + 1);
    bytealtrim(&b[..end], set, out);
}
