//! Unicode normalization, `to_ascii`, and LIKE patterns with another escape character.

use common::{Encoding, Result, bail, err};
use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfd, is_nfkc, is_nfkd};

#[derive(Clone, Copy)]
enum Form {
    C,
    D,
    Kc,
    Kd,
}

fn form(name: &str) -> Result<Form> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "NFC" => Form::C,
        "NFD" => Form::D,
        "NFKC" => Form::Kc,
        "NFKD" => Form::Kd,
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid normalization form: {}", name),
    })
}

pub fn normalize(s: &str, name: &str) -> Result<String> {
    Ok(match form(name)? {
        Form::C => s.nfc().collect(),
        Form::D => s.nfd().collect(),
        Form::Kc => s.nfkc().collect(),
        Form::Kd => s.nfkd().collect(),
    })
}
pub fn is_normalized(s: &str, name: &str) -> Result<bool> {
    Ok(match form(name)? {
        Form::C => is_nfc(s),
        Form::D => is_nfd(s),
        Form::Kc => is_nfkc(s),
        Form::Kd => is_nfkd(s),
    })
}

/// What stands for the upper half of a character set, from its code 160 (WIN1250: 128) on.
fn ascii_table(e: Encoding) -> Option<(u8, &'static [u8])> {
    Some(match e.name() {
        "LATIN1" => (
            160,
            b"  cL Y  \"Ca  -R     'u .,      ?AAAAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooooo/ouuuuyty",
        ),
        "LATIN2" => (
            160,
            b" A L LS \"SSTZ-ZZ a,l'ls ,sstz\"zzRAAAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoooo/ruuuuyt.",
        ),
        "LATIN9" => (
            160,
            b"  cL YS sCa  -R     Zu .z   EeY?AAAAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooooo/ouuuuyty",
        ),
        "WIN1250" => (
            128,
            b"  ' \"    %S<STZZ `'\"\".--  s>stzz   L A  \"CS  -RZ  ,l'u .,as L\"lzRAAAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoooo/ruuuuyt ",
        ),
        _ => return None,
    })
}

fn to_ascii(s: &str, e: Encoding, out: &mut Vec<u8>) -> Result<()> {
    let Some((from, table)) = ascii_table(e) else {
        bail!(FEATURE_NOT_SUPPORTED, "encoding conversion from {} to ASCII not supported", e.name());
    };
    out.extend(s.bytes().map(|b| match b {
        0..128 => b,
        b if b < from => b' ',
        b => table.get(usize::from(b - from)).copied().unwrap_or(b' '),
    }));
    Ok(())
}
pub fn to_ascii_default(s: &str, out: &mut Vec<u8>) -> Result<()> {
    let e = Encoding::by_name("UTF8").ok_or_else(|| common::Error::internal("no UTF8"))?;
    to_ascii(s, e, out)
}
pub fn to_ascii_named(s: &str, name: &str, out: &mut Vec<u8>) -> Result<()> {
    let e = Encoding::by_name(name)
        .ok_or_else(|| err!(UNDEFINED_OBJECT, "{} is not a valid encoding name", name))?;
    to_ascii(s, e, out)
}
pub fn to_ascii_number(s: &str, n: i32, out: &mut Vec<u8>) -> Result<()> {
    let e =
        Encoding::by_number(n).ok_or_else(|| err!(UNDEFINED_OBJECT, "{} is not a valid encoding code", n))?;
    to_ascii(s, e, out)
}
/// A LIKE pattern with the escape character `esc` as one with the backslash.
pub fn like_escape_bytes(p: &[u8], esc: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if esc.len() > 1 {
        return Err(err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let e = esc.first().copied();
    let mut escaped = false;
    for &c in p {
        if e == Some(c) && !escaped {
            out.push(b'\\');
            escaped = true;
            continue;
        }
        if c == b'\\' && e != Some(b'\\') && !escaped {
            out.push(b'\\');
        }
        out.push(c);
        escaped = false;
    }
    Ok(())
}
