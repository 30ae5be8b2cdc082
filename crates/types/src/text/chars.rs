//! String functions that count or pick characters: length, substring, position, overlay, left, right, reverse, ascii,
//! chr, translate, split_part, replace, repeat.

use crate::CallCtx;
use common::{Result, bail, err};

/// May strings be searched under the call's collation? 42P22, 0A000.
pub fn searchable(c: &CallCtx<'_>) -> Result<()> {
    c.collation.require("string comparison")?;
    c.collation.require_deterministic("substring searches")
}

pub fn textlen(s: &str) -> i32 {
    s.chars().count() as i32
}
pub fn bpcharlen(s: &str) -> i32 {
    textlen(s.trim_end_matches(' '))
}
pub fn octets(s: &[u8]) -> i32 {
    s.len() as i32
}
pub fn textcat(a: &[u8], b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(a);
    out.extend_from_slice(b);
}

/// Characters `start..start + len` (from 1); positions before the string count.
pub fn substr_range(n: usize, start: i32, len: Option<i32>) -> Result<(usize, usize)> {
    let from = i64::from(start);
    let to = match len {
        Some(l) if l < 0 => bail!(SUBSTRING_ERROR, "negative substring length not allowed"),
        Some(l) => from + i64::from(l),
        None => i64::MAX,
    };
    let lo = (from.max(1) - 1).min(n as i64) as usize;
    let hi = (to.max(1) - 1).min(n as i64) as usize;
    Ok((lo, hi.max(lo)))
}

fn substr(s: &str, start: i32, len: Option<i32>) -> Result<&str> {
    let (lo, hi) = substr_range(usize::MAX >> 1, start, len)?;
    if s.is_ascii() {
        return Ok(&s[lo.min(s.len())..hi.min(s.len())]);
    }
    let at = |n: usize| s.char_indices().nth(n).map_or(s.len(), |(i, _)| i);
    Ok(&s[at(lo)..at(hi)])
}
pub fn text_substr(s: &str, start: i32, len: i32, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(substr(s, start, Some(len))?.as_bytes());
    Ok(())
}
pub fn text_substr_no_len(s: &str, start: i32, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(substr(s, start, None)?.as_bytes());
    Ok(())
}
pub fn textpos(c: &CallCtx<'_>, s: &str, sub: &str) -> Result<i32> {
    searchable(c)?;
    Ok(s.find(sub).map_or(0, |i| s[..i].chars().count() as i32 + 1))
}
pub fn textoverlay(s: &str, new: &str, start: i32, len: i32, out: &mut Vec<u8>) -> Result<()> {
    if start <= 0 {
        bail!(SUBSTRING_ERROR, "negative substring length not allowed");
    }
    let next =
        start.checked_add(len).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?;
    out.extend_from_slice(substr(s, 1, Some(start - 1))?.as_bytes());
    out.extend_from_slice(new.as_bytes());
    out.extend_from_slice(substr(s, next, None)?.as_bytes());
    Ok(())
}
pub fn textoverlay_no_len(s: &str, new: &str, start: i32, out: &mut Vec<u8>) -> Result<()> {
    textoverlay(s, new, start, textlen(new), out)
}
fn signed_prefix(s: &str, n: i32) -> usize {
    let k = if n >= 0 { n as usize } else { (i64::from(textlen(s)) + i64::from(n)).max(0) as usize };
    s.char_indices().nth(k).map_or(s.len(), |(i, _)| i)
}
pub fn text_left(s: &str, n: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&s.as_bytes()[..signed_prefix(s, n)]);
}
pub fn text_right(s: &str, n: i32, out: &mut Vec<u8>) {
    let skip = if n == i32::MIN {
        0
    } else if n < 0 {
        n.unsigned_abs() as usize
    } else {
        (textlen(s) as usize).saturating_sub(n as usize)
    };
    let at = s.char_indices().nth(skip).map_or(s.len(), |(i, _)| i);
    out.extend_from_slice(&s.as_bytes()[at..]);
}
pub fn text_reverse(s: &str, out: &mut Vec<u8>) {
    let mut buf = [0; 4];
    for c in s.chars().rev() {
        out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
    }
}
pub fn ascii(s: &str) -> i32 {
    s.chars().next().map_or(0, |c| c as i32)
}
pub fn chr(v: i32, out: &mut Vec<u8>) -> Result<()> {
    if v < 0 {
        bail!(INVALID_PARAMETER_VALUE, "character number must be positive");
    }
    if v == 0 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "null character not permitted");
    }
    if v > 0x10_ffff {
        bail!(PROGRAM_LIMIT_EXCEEDED, "requested character too large for encoding: {}", v);
    }
    let c = char::from_u32(v as u32)
        .ok_or_else(|| err!(PROGRAM_LIMIT_EXCEEDED, "requested character not valid for encoding: {}", v))?;
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}
pub fn translate(s: &str, from: &str, to: &str, out: &mut Vec<u8>) {
    let to: Vec<char> = to.chars().collect();
    let mut buf = [0; 4];
    for c in s.chars() {
        let mapped = match from.chars().position(|f| f == c) {
            Some(i) => match to.get(i) {
                Some(t) => *t,
                None => continue,
            },
            None => c,
        };
        out.extend_from_slice(mapped.encode_utf8(&mut buf).as_bytes());
    }
}
pub fn replace(c: &CallCtx<'_>, s: &str, from: &str, to: &str, out: &mut Vec<u8>) -> Result<()> {
    if s.is_empty() || from.is_empty() {
        out.extend_from_slice(s.as_bytes());
        return Ok(());
    }
    searchable(c)?;
    let mut rest = s;
    while let Some(i) = rest.find(from) {
        out.extend_from_slice(&rest.as_bytes()[..i]);
        out.extend_from_slice(to.as_bytes());
        rest = &rest[i + from.len()..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}
pub fn split_part(c: &CallCtx<'_>, s: &str, sep: &str, n: i32, out: &mut Vec<u8>) -> Result<()> {
    if n == 0 {
        bail!(INVALID_PARAMETER_VALUE, "field position must not be zero");
    }
    if !s.is_empty() && !sep.is_empty() {
        searchable(c)?;
    }
    let k = n.unsigned_abs() as usize - 1;
    let part = if s.is_empty() {
        None
    } else if sep.is_empty() {
        (k == 0).then_some(s)
    } else if n > 0 {
        s.split(sep).nth(k)
    } else {
        let parts: Vec<&str> = s.split(sep).collect();
        parts.len().checked_sub(k + 1).map(|i| parts[i])
    };
    out.extend_from_slice(part.unwrap_or("").as_bytes());
    Ok(())
}
pub fn repeat(s: &[u8], n: i32, out: &mut Vec<u8>) -> Result<()> {
    let n = n.max(0) as usize;
    if s.len().saturating_mul(n) > 0x3fff_fff0 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "requested length too large");
    }
    out.reserve(s.len() * n);
    for _ in 0..n {
        out.extend_from_slice(s);
    }
    Ok(())
}
pub fn starts_with(c: &CallCtx<'_>, s: &[u8], p: &[u8]) -> Result<bool> {
    searchable(c)?;
    Ok(s.starts_with(p))
}
pub fn to_hex32(v: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}", v as u32).as_bytes());
}
pub fn to_hex64(v: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}", v as u64).as_bytes());
}
