//! Conversion of byte strings between encodings: `convert`, `convert_from`, `convert_to`, `length(bytea, encoding)`. The
//! database's encoding is UTF8.

use common::{Encoding, Result, bail, err};

/// Encodings that are converted into each other directly; all others go to and from UTF8 only.
const NEIGHBOURS: &[&[&str]] = &[
    &["KOI8R", "WIN1251", "WIN866", "ISO_8859_5"],
    &["LATIN2", "WIN1250"],
    &["EUC_JP", "SJIS"],
    &["EUC_TW", "BIG5"],
];

fn named(name: &str, what: &str) -> Result<Encoding> {
    Encoding::by_name(name)
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "invalid {}encoding name \"{}\"", what, name))
}

fn is_utf8(e: Encoding) -> bool {
    e.name() == "UTF8"
}
fn is_ascii(e: Encoding) -> bool {
    e.name() == "SQL_ASCII"
}

/// Text of an encoding, without zero bytes. 22021.
fn checked(e: Encoding, b: &[u8]) -> Result<String> {
    if b.contains(&0) {
        bail!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"{}\": 0x00", e.name());
    }
    Ok(e.decode(b)?.into_owned())
}

fn utf8(b: &[u8]) -> Result<&str> {
    crate::text::check_utf8(b)
}

pub fn convert(b: &[u8], from: &str, to: &str, out: &mut Vec<u8>) -> Result<()> {
    let (from, to) = (named(from, "source ")?, named(to, "destination ")?);
    if is_ascii(from) {
        if !is_ascii(to) {
            checked(to, b)?;
        }
        out.extend_from_slice(b);
        return Ok(());
    }
    let text = checked(from, b)?;
    if is_ascii(to) || to == from {
        out.extend_from_slice(b);
        return Ok(());
    }
    let direct = |n: &&&[&str]| n.contains(&from.name()) && n.contains(&to.name());
    if !is_utf8(from) && !is_utf8(to) && !NEIGHBOURS.iter().any(|n| direct(&n)) {
        bail!(
            UNDEFINED_FUNCTION,
            "default conversion function for encoding \"{}\" to \"{}\" does not exist",
            from.name(),
            to.name()
        );
    }
    out.extend_from_slice(&to.encode(&text)?);
    Ok(())
}

pub fn convert_from(b: &[u8], from: &str, out: &mut Vec<u8>) -> Result<()> {
    let from = named(from, "source ")?;
    if is_utf8(from) || is_ascii(from) {
        out.extend_from_slice(utf8(b)?.as_bytes());
    } else {
        out.extend_from_slice(checked(from, b)?.as_bytes());
    }
    Ok(())
}

pub fn convert_to(s: &str, to: &str, out: &mut Vec<u8>) -> Result<()> {
    let to = named(to, "destination ")?;
    if is_ascii(to) {
        out.extend_from_slice(s.as_bytes());
    } else {
        out.extend_from_slice(&to.encode(s)?);
    }
    Ok(())
}

pub fn length_in(b: &[u8], name: &str) -> Result<i32> {
    let e = named(name, "")?;
    if is_ascii(e) {
        return Ok(b.len() as i32);
    }
    if is_utf8(e) {
        return Ok(utf8(b)?.chars().count() as i32);
    }
    Ok(checked(e, b)?.chars().count() as i32)
}
