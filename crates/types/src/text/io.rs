//! Text and binary forms of the string types, and length coercion.

use crate::wire::Wire;
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, err};

/// 22021 unless `b` is UTF-8 without zero bytes.
pub fn check_utf8(b: &[u8]) -> Result<&str> {
    let bad = |at: usize, n: usize| {
        let bytes: Vec<String> = b[at..(at + n).min(b.len())].iter().map(|c| format!("0x{c:02x}")).collect();
        err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" "))
    };
    let s = std::str::from_utf8(b).map_err(|e| {
        let at = e.valid_up_to();
        let expect = match b[at] {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        bad(at, expect)
    })?;
    match b.iter().position(|c| *c == 0) {
        Some(at) => Err(bad(at, 1)),
        None => Ok(s),
    }
}

pub fn textin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::text(s))
}
pub fn textout(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.bytes());
    Ok(())
}
pub fn textrecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    check_utf8(b).map(Datum::text)
}

/// Byte offset behind the first `n` characters, if there are more than that.
pub fn clip(s: &str, n: usize) -> Option<usize> {
    if s.len() <= n {
        return None;
    }
    s.char_indices().nth(n).map(|(i, _)| i)
}

#[cold]
fn too_long(what: &str, n: usize) -> Error {
    err!(STRING_DATA_RIGHT_TRUNCATION, "value too long for type {}({})", what, n)
}

/// `varchar(n)`: cuts superfluous blanks; other superfluous characters are 22001 unless the cast is explicit.
pub fn varchar_coerce(s: &str, typmod: i32, explicit: bool) -> Result<&str> {
    if typmod < 4 {
        return Ok(s);
    }
    let n = (typmod - 4) as usize;
    match clip(s, n) {
        None => Ok(s),
        Some(at) if explicit || s[at..].bytes().all(|c| c == b' ') => Ok(&s[..at]),
        Some(_) => Err(too_long("character varying", n)),
    }
}

/// `char(n)`: as `varchar(n)`, and pads with blanks.
pub fn bpchar_coerce(s: &str, typmod: i32, explicit: bool, out: &mut Vec<u8>) -> Result<()> {
    if typmod < 4 {
        out.extend_from_slice(s.as_bytes());
        return Ok(());
    }
    let n = (typmod - 4) as usize;
    match clip(s, n) {
        None => {
            out.extend_from_slice(s.as_bytes());
            let missing = n - s.chars().count();
            out.resize(out.len() + missing, b' ');
        }
        Some(at) if explicit || s[at..].bytes().all(|c| c == b' ') => {
            out.extend_from_slice(&s.as_bytes()[..at])
        }
        Some(_) => return Err(too_long("character", n)),
    }
    Ok(())
}

pub fn varcharin(_: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    varchar_coerce(s, typmod, false).map(Datum::text)
}
pub fn varcharrecv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    varchar_coerce(check_utf8(b)?, typmod, false).map(Datum::text)
}
pub fn bpcharin(_: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    let mut out = Vec::new();
    bpchar_coerce(s, typmod, false, &mut out)?;
    Ok(Datum::bytes(&out))
}
pub fn bpcharrecv(c: &CallCtx<'_>, b: &[u8], o: Oid, typmod: i32) -> Result<Datum> {
    bpcharin(c, check_utf8(b)?, o, typmod)
}
pub fn varchar(s: &str, typmod: i32, explicit: bool, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(varchar_coerce(s, typmod, explicit)?.as_bytes());
    Ok(())
}
pub fn bpchar(s: &str, typmod: i32, explicit: bool, out: &mut Vec<u8>) -> Result<()> {
    bpchar_coerce(s, typmod, explicit, out)
}

/// Cuts to the 63 bytes of a `name`, at a character border.
pub fn name_truncate(s: &str) -> &str {
    if s.len() < 64 {
        return s;
    }
    let mut end = 63;
    while !s.is_char_boundary(end) {
        end -= 1;
    }
    &s[..end]
}

pub fn namein(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::text(name_truncate(s)))
}
pub fn namerecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let s = check_utf8(b)?;
    if s.len() >= 64 {
        return Err(
            err!(NAME_TOO_LONG, "identifier too long").detail("Identifier must be less than 64 characters.")
        );
    }
    Ok(Datum::text(s))
}
pub fn text_name(s: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name_truncate(s).as_bytes());
}
pub fn name_text(s: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(s);
}
/// bpchar to text or name: without the padding.
pub fn rtrim1(s: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(trim_blanks(s));
}
pub fn bpchar_name(s: &str, out: &mut Vec<u8>) {
    let t = name_truncate(s).as_bytes();
    out.extend_from_slice(trim_blanks(t));
}

/// Without trailing blanks.
pub fn trim_blanks(b: &[u8]) -> &[u8] {
    let n = b.iter().rposition(|c| *c != b' ').map_or(0, |i| i + 1);
    &b[..n]
}

pub fn charin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::I8(char_of(s)))
}
fn char_of(s: &str) -> i8 {
    match s.as_bytes() {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')) as i8
        }
        b => b.first().copied().unwrap_or(0) as i8,
    }
}
fn push_char(v: i8, out: &mut Vec<u8>) {
    let c = v as u8;
    match c {
        0 => {}
        1..=127 => out.push(c),
        _ => out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]),
    }
}
pub fn charout(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_char(v.i8(), out);
    Ok(())
}
pub fn charrecv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.byte()?;
    w.end().map(|()| Datum::I8(v as i8))
}
pub fn charsend(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(v.i8() as u8);
    Ok(())
}
pub fn chartoi4(c: i8) -> i32 {
    i32::from(c)
}
pub fn i4tochar(v: i32) -> Result<i8> {
    i8::try_from(v).map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range"))
}
pub fn text_char(s: &str) -> i8 {
    char_of(s)
}
pub fn char_text(c: i8, out: &mut Vec<u8>) {
    push_char(c, out);
}
pub fn char_bpchar(c: i8, out: &mut Vec<u8>) {
    if c != 0 {
        out.push(c as u8);
    }
}

/// Hash of a boolean or `"char"`.
pub fn hashchar(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_u64(match v {
        DatumRef::Bool(b) => u64::from(b),
        other => other.i8() as u8 as u64,
    })
}
