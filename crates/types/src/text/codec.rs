//! encode and decode (hex, base64, escape), digests.

use common::{Error, Result, bail, err};
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// Lower-case hexadecimal digits.
pub const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends bytes in hexadecimal.
pub fn push_hex(b: &[u8], out: &mut Vec<u8>) {
    out.reserve(b.len() * 2);
    for c in b {
        out.extend_from_slice(&[HEX[usize::from(c >> 4)], HEX[usize::from(c & 15)]]);
    }
}

/// Reads hexadecimal digits; white space between pairs is skipped.
pub fn hex_decode(s: &str, out: &mut Vec<u8>) -> Result<()> {
    let mut it = s.chars();
    let digit = |c: char| {
        c.to_digit(16).ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"{}\"", c))
    };
    while let Some(c) = it.next() {
        if matches!(c, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let hi = digit(c)?;
        let Some(c) = it.next() else {
            bail!(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
        };
        out.push((hi << 4 | digit(c)?) as u8);
    }
    Ok(())
}

const B64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encode(b: &[u8], out: &mut Vec<u8>) {
    let mut line = 0;
    for chunk in b.chunks(3) {
        if line == 76 {
            out.push(b'\n');
            line = 0;
        }
        line += 4;
        let v = u32::from(chunk[0]) << 16
            | u32::from(*chunk.get(1).unwrap_or(&0)) << 8
            | u32::from(*chunk.get(2).unwrap_or(&0));
        for i in 0..4 {
            out.push(if i <= chunk.len() { B64[(v >> (18 - 6 * i) & 63) as usize] } else { b'=' });
        }
    }
}

fn base64_decode(s: &str, out: &mut Vec<u8>) -> Result<()> {
    let (mut buf, mut pos, mut end) = (0u32, 0, 0);
    for c in s.chars() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        let v = if c == '=' {
            if end == 0 {
                end = match pos {
                    2 => 1,
                    3 => 2,
                    _ => bail!(INVALID_PARAMETER_VALUE, "unexpected \"=\" while decoding base64 sequence"),
                };
            }
            0
        } else {
            match u8::try_from(c).ok().and_then(|c| B64.iter().position(|x| *x == c)) {
                Some(v) => v as u32,
                None => bail!(
                    INVALID_PARAMETER_VALUE,
                    "invalid symbol \"{}\" found while decoding base64 sequence",
                    c
                ),
            }
        };
        buf = buf << 6 | v;
        pos += 1;
        if pos == 4 {
            out.push((buf >> 16) as u8);
            if end == 0 || end > 1 {
                out.push((buf >> 8) as u8);
            }
            if end == 0 || end > 2 {
                out.push(buf as u8);
            }
            (buf, pos) = (0, 0);
        }
    }
    if pos != 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(())
}

/// The `escape` form: bytes outside ASCII and zero as `\ooo`, backslash doubled.
pub fn escape_encode(b: &[u8], out: &mut Vec<u8>) {
    for &c in b {
        match c {
            b'\\' => out.extend_from_slice(b"\\\\"),
            0 | 0x80.. => {
                out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]);
            }
            _ => out.push(c),
        }
    }
}

/// Reads the `escape` form. 22P02.
pub fn escape_decode(s: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut i = 0;
    while i < s.len() {
        match &s[i..] {
            [b'\\', b'\\', ..] => {
                out.push(b'\\');
                i += 2;
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                i += 4;
            }
            [b'\\', ..] => bail!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type {}", "bytea"),
            _ => {
                out.push(s[i]);
                i += 1;
            }
        }
    }
    Ok(())
}

#[cold]
fn unknown(format: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "unrecognized encoding: \"{}\"", format)
}

pub fn binary_encode(b: &[u8], format: &str, out: &mut Vec<u8>) -> Result<()> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => push_hex(b, out),
        "base64" => base64_encode(b, out),
        "escape" => escape_encode(b, out),
        _ => return Err(unknown(format)),
    }
    Ok(())
}
pub fn binary_decode(s: &str, format: &str, out: &mut Vec<u8>) -> Result<()> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => hex_decode(s, out),
        "base64" => base64_decode(s, out),
        "escape" => escape_decode(s.as_bytes(), out),
        _ => Err(unknown(format)),
    }
}
pub fn md5_hex(b: &[u8], out: &mut Vec<u8>) {
    push_hex(&Md5::digest(b), out);
}
pub fn sha224_bytea(b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&Sha224::digest(b));
}
pub fn sha256_bytea(b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&Sha256::digest(b));
}
pub fn sha384_bytea(b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&Sha384::digest(b));
}
pub fn sha512_bytea(b: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&Sha512::digest(b));
}
