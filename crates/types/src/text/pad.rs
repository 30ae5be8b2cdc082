//! Case mapping, trimming and padding.

use crate::{CallCtx, locale};
use common::{Result, bail};

pub fn lower(c: &CallCtx<'_>, s: &[u8], out: &mut Vec<u8>) -> Result<()> {
    c.collation.require("lower() function")?;
    locale::lower(c.collation.ctype(), s, out);
    Ok(())
}
pub fn upper(c: &CallCtx<'_>, s: &[u8], out: &mut Vec<u8>) -> Result<()> {
    c.collation.require("upper() function")?;
    locale::upper(c.collation.ctype(), s, out);
    Ok(())
}
pub fn initcap(c: &CallCtx<'_>, s: &[u8], out: &mut Vec<u8>) -> Result<()> {
    c.collation.require("initcap() function")?;
    locale::initcap(c.collation.ctype(), s, out);
    Ok(())
}
fn in_set(set: &str) -> impl Fn(char) -> bool + '_ {
    move |c| set.contains(c)
}
pub fn ltrim(s: &str, set: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(s.trim_start_matches(in_set(set)).as_bytes());
}
pub fn rtrim(s: &str, set: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(s.trim_end_matches(in_set(set)).as_bytes());
}
pub fn btrim(s: &str, set: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(s.trim_matches(in_set(set)).as_bytes());
}
pub fn ltrim1(s: &str, out: &mut Vec<u8>) {
    ltrim(s, " ", out);
}
pub fn btrim1(s: &str, out: &mut Vec<u8>) {
    btrim(s, " ", out);
}

/// Splits the padding work: the cut text and how many fill characters are missing.
fn padding(s: &str, n: i32, fill: &str) -> Result<(usize, usize)> {
    let n = n.max(0) as usize;
    if n > 0x0fff_ffff {
        bail!(PROGRAM_LIMIT_EXCEEDED, "requested length too large");
    }
    let have = s.chars().count();
    if have >= n {
        return Ok((s.char_indices().nth(n).map_or(s.len(), |(i, _)| i), 0));
    }
    Ok((s.len(), if fill.is_empty() { 0 } else { n - have }))
}
fn push_fill(fill: &str, n: usize, out: &mut Vec<u8>) {
    let mut buf = [0; 4];
    for c in fill.chars().cycle().take(n) {
        out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
    }
}
pub fn lpad(s: &str, n: i32, fill: &str, out: &mut Vec<u8>) -> Result<()> {
    let (keep, missing) = padding(s, n, fill)?;
    push_fill(fill, missing, out);
    out.extend_from_slice(&s.as_bytes()[..keep]);
    Ok(())
}
pub fn rpad(s: &str, n: i32, fill: &str, out: &mut Vec<u8>) -> Result<()> {
    let (keep, missing) = padding(s, n, fill)?;
    out.extend_from_slice(&s.as_bytes()[..keep]);
    push_fill(fill, missing, out);
    Ok(())
}
