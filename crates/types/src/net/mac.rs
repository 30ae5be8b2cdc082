//! macaddr (six bytes) and macaddr8 (eight).

use crate::hash::hash_bytes;
use crate::wire::{Wire, bad_input, trim};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result, bail, err};
use std::cmp::Ordering;

/// Six groups of digits between separators, or digits only with one separator in known places.
fn parse6(s: &str) -> Option<Vec<u32>> {
    for sep in [':', '-'] {
        let parts: Vec<&str> = s.split(sep).collect();
        if parts.len() == 6 {
            return parts
                .iter()
                .map(|p| (p.len() <= 8).then(|| u32::from_str_radix(p, 16).ok()).flatten())
                .collect();
        }
    }
    let shapes: [(char, &[usize]); 5] =
        [(':', &[6, 6]), ('-', &[6, 6]), ('.', &[4, 4, 4]), ('-', &[4, 4, 4]), (' ', &[12])];
    for (sep, lengths) in shapes {
        let parts: Vec<&str> = s.split(sep).collect();
        if parts.iter().map(|p| p.len()).eq(lengths.iter().copied()) {
            let all: String = parts.concat();
            if !all.bytes().all(|c| c.is_ascii_hexdigit()) {
                return None;
            }
            return (0..6).map(|i| u32::from_str_radix(&all[2 * i..2 * i + 2], 16).ok()).collect();
        }
    }
    None
}

pub fn macaddr_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let v = parse6(trim(s)).ok_or_else(|| bad_input("macaddr", s))?;
    let bytes: Option<Vec<u8>> = v.iter().map(|x| u8::try_from(*x).ok()).collect();
    match bytes {
        Some(b) => Ok(Datum::bytes(&b)),
        None => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "invalid octet value in \"macaddr\" value: \"{}\"", s),
    }
}

/// Pairs of digits, one kind of separator or none between any of them.
fn parse8(s: &str) -> Option<Vec<u8>> {
    let b = s.as_bytes();
    let mut out = Vec::new();
    let mut sep = None;
    let mut at = 0;
    while at < b.len() {
        if !out.is_empty() && matches!(b[at], b':' | b'-' | b'.') {
            if sep.is_some_and(|c| c != b[at]) {
                return None;
            }
            sep = Some(b[at]);
            at += 1;
        }
        let digit = |i: usize| b.get(i).and_then(|c| (*c as char).to_digit(16));
        out.push((digit(at)? * 16 + digit(at + 1)?) as u8);
        at += 2;
        if out.len() > 8 {
            return None;
        }
    }
    match out.len() {
        6 => {
            out.splice(3..3, [0xff, 0xfe]);
            Some(out)
        }
        8 => Some(out),
        _ => None,
    }
}
pub fn macaddr8_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse8(trim(s)).map(|b| Datum::bytes(&b)).ok_or_else(|| bad_input("macaddr8", s))
}
pub fn mac_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    for (i, b) in v.bytes().iter().enumerate() {
        if i > 0 {
            out.push(b':');
        }
        out.push(crate::text::HEX[usize::from(b >> 4)]);
        out.push(crate::text::HEX[usize::from(b & 15)]);
    }
    Ok(())
}
pub fn macaddr_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.take(6)?;
    w.end().map(|()| Datum::bytes(v))
}
pub fn macaddr8_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    if b.len() == 6 {
        return macaddr_to_8(b).map(|v| Datum::bytes(&v));
    }
    let mut w = Wire::new(b);
    let v = w.take(8)?;
    w.end().map(|()| Datum::bytes(v))
}
pub fn mac_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.bytes());
    Ok(())
}
pub fn mac_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.bytes().cmp(b.bytes())
}
pub fn mac_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    hash_bytes(v.bytes())
}
pub fn eq(a: &[u8], b: &[u8]) -> bool {
    a == b
}
pub fn ne(a: &[u8], b: &[u8]) -> bool {
    a != b
}
pub fn lt(a: &[u8], b: &[u8]) -> bool {
    a < b
}
pub fn le(a: &[u8], b: &[u8]) -> bool {
    a <= b
}
pub fn gt(a: &[u8], b: &[u8]) -> bool {
    a > b
}
pub fn ge(a: &[u8], b: &[u8]) -> bool {
    a >= b
}
pub fn not(a: &[u8]) -> Vec<u8> {
    a.iter().map(|x| !x).collect()
}
pub fn and(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(x, y)| x & y).collect()
}
pub fn or(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(x, y)| x | y).collect()
}
/// The manufacturer's part.
pub fn trunc(a: &[u8]) -> Vec<u8> {
    a.iter().enumerate().map(|(i, x)| if i < 3 { *x } else { 0 }).collect()
}
pub fn macaddr_to_8(a: &[u8]) -> Result<Vec<u8>> {
    let mut v = a.to_vec();
    if v.len() != 6 {
        return Err(common::Error::corrupted("malformed macaddr value"));
    }
    v.splice(3..3, [0xff, 0xfe]);
    Ok(v)
}
pub fn macaddr8_to_6(a: &[u8]) -> Result<Vec<u8>> {
    match a {
        [b0, b1, b2, 0xff, 0xfe, b5, b6, b7] => Ok(vec![*b0, *b1, *b2, *b5, *b6, *b7]),
        _ => Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "macaddr8 data out of range to convert to macaddr").hint(
            "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.",
        )),
    }
}
pub fn set7bit(a: &[u8]) -> Vec<u8> {
    a.iter().enumerate().map(|(i, x)| if i == 0 { x | 2 } else { *x }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for s in ["08:00:2b:01:02:03", "08002b:010203", "0800.2b01.0203", "08002b010203", "0800-2b01-0203"] {
            assert_eq!(parse6(s).unwrap(), [8, 0, 0x2b, 1, 2, 3], "{s}");
            assert_eq!(parse8(s).unwrap(), [8, 0, 0x2b, 0xff, 0xfe, 1, 2, 3], "{s}");
        }
        for s in ["", "é", "08", "08:00:2b:01:02:0g", "08:00:2b:01-02:03", "ééééé:é"] {
            assert!(parse6(s).is_none() && parse8(s).is_none(), "{s}");
        }
    }
}
