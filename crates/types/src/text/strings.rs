//! Functions that SQL-language rows of `pg_proc` define by other functions, written directly, and odds and ends.

use super::chars::octets;
use super::pad::{lpad, rpad};
use common::{Result, bail, err};

pub fn lpad2(s: &str, n: i32, out: &mut Vec<u8>) -> Result<()> {
    lpad(s, n, " ", out)
}
pub fn rpad2(s: &str, n: i32, out: &mut Vec<u8>) -> Result<()> {
    rpad(s, n, " ", out)
}
pub fn bit_length(s: &[u8]) -> i32 {
    octets(s) * 8
}
pub fn nameconcatoid(name: &str, oid: u32, out: &mut Vec<u8>) -> Result<()> {
    let suffix = format!("_{oid}");
    let mut keep = name.len().min(63 - suffix.len());
    while !name.is_char_boundary(keep) {
        keep -= 1;
    }
    out.extend_from_slice(&name.as_bytes()[..keep]);
    out.extend_from_slice(suffix.as_bytes());
    Ok(())
}
/// `unistr`: `\XXXX`, `\+XXXXXX`, `\uXXXX`, `\UXXXXXXXX`.
pub fn unistr(s: &str, out: &mut Vec<u8>) -> Result<()> {
    let invalid = || {
        err!(SYNTAX_ERROR, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let mut rest = s;
    let mut high: Option<u32> = None;
    while let Some(c) = rest.chars().next() {
        if c != '\\' {
            if high.is_some() {
                bail!(SYNTAX_ERROR, "invalid Unicode surrogate pair");
            }
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[c.len_utf8()..];
            continue;
        }
        if rest.starts_with("\\\\") {
            out.push(b'\\');
            rest = &rest[2..];
            continue;
        }
        let (skip, n) = match rest.as_bytes().get(1) {
            Some(b'+') => (2, 6),
            Some(b'u') => (2, 4),
            Some(b'U') => (2, 8),
            _ => (1, 4),
        };
        let digits = rest.get(skip..skip + n).filter(|d| d.bytes().all(|c| c.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(invalid)?;
        let v = u32::from_str_radix(digits, 16).map_err(|_| invalid())?;
        rest = &rest[skip + n..];
        let v = match (high.take(), v) {
            (None, 0xd800..=0xdbff) => {
                high = Some(v);
                continue;
            }
            (Some(h), 0xdc00..=0xdfff) => 0x10000 + ((h & 0x3ff) << 10) + (v & 0x3ff),
            (Some(_), _) | (None, 0xdc00..=0xdfff) => bail!(SYNTAX_ERROR, "invalid Unicode surrogate pair"),
            (None, v) => v,
        };
        let c = char::from_u32(v)
            .filter(|c| *c != '\0')
            .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "invalid Unicode code point: {:04X}", v))?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    if high.is_some() {
        bail!(SYNTAX_ERROR, "invalid Unicode surrogate pair");
    }
    Ok(())
}
