//! pgcrypto: digests, message authentication codes, random bytes, password hashes of the kinds `bf` and `md5`. Encryption
//! and PGP have no code: their functions can be named, and refuse to be called.

use super::Symbol;
use crate::{k0, k1, k2, w2, w3};
use common::{Error, Result, bail};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

fn unknown<T>(name: &str) -> Result<T> {
    bail!(INVALID_PARAMETER_VALUE, "Cannot use \"{name}\": No such hash algorithm")
}

fn digest(data: &[u8], name: &str, out: &mut Vec<u8>) -> Result<()> {
    match name.to_ascii_lowercase().as_str() {
        "md5" => out.extend_from_slice(&Md5::digest(data)),
        "sha1" => out.extend_from_slice(&Sha1::digest(data)),
        "sha224" => out.extend_from_slice(&Sha224::digest(data)),
        "sha256" => out.extend_from_slice(&Sha256::digest(data)),
        "sha384" => out.extend_from_slice(&Sha384::digest(data)),
        "sha512" => out.extend_from_slice(&Sha512::digest(data)),
        _ => return unknown(&name.to_ascii_lowercase()),
    }
    Ok(())
}

fn code(data: &[u8], key: &[u8], name: &str, out: &mut Vec<u8>) -> Result<()> {
    macro_rules! with {
        ($h:ty) => {{
            let mut m = Hmac::<$h>::new_from_slice(key)
                .map_err(|e| Error::internal(format!("key of an authentication code: {e}")))?;
            m.update(data);
            out.extend_from_slice(&m.finalize().into_bytes());
        }};
    }
    match name.to_ascii_lowercase().as_str() {
        "md5" => with!(Md5),
        "sha1" => with!(Sha1),
        "sha224" => with!(Sha224),
        "sha256" => with!(Sha256),
        "sha384" => with!(Sha384),
        "sha512" => with!(Sha512),
        _ => return unknown(&name.to_ascii_lowercase()),
    }
    Ok(())
}

fn random(n: usize) -> Result<Vec<u8>> {
    let mut b = vec![0; n];
    getrandom::fill(&mut b).map_err(|e| Error::internal(format!("could not generate random bytes: {e}")))?;
    Ok(b)
}

fn random_bytes(n: i32) -> Result<Vec<u8>> {
    match usize::try_from(n) {
        Ok(n @ 1..=1024) => random(n),
        _ => bail!(EXTERNAL_ROUTINE_INVOCATION_EXCEPTION, "Length not in range"),
    }
}

fn random_uuid() -> Result<[u8; 16]> {
    let mut u = [0; 16];
    u.copy_from_slice(&random(16)?);
    u[6] = u[6] & 0x0f | 0x40;
    u[8] = u[8] & 0x3f | 0x80;
    Ok(u)
}

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// bcrypt's order of the same letters.
const BF_LETTERS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn gen_salt(kind: &str) -> Result<String> {
    gen_salt_rounds(kind, 0)
}

fn gen_salt_rounds(kind: &str, rounds: i32) -> Result<String> {
    let wrong = || common::err!(INVALID_PARAMETER_VALUE, "gen_salt: Incorrect number of rounds");
    let letter = |set: &[u8; 64], b: u8| char::from(set[usize::from(b & 63)]);
    match kind.to_ascii_lowercase().as_str() {
        "md5" => {
            if rounds != 0 && rounds != 1000 {
                return Err(wrong());
            }
            Ok(format!("$1${}", random(8)?.iter().map(|b| letter(LETTERS, *b)).collect::<String>()))
        }
        "bf" => {
            let rounds = if rounds == 0 { 6 } else { rounds };
            if !(4..=31).contains(&rounds) {
                return Err(wrong());
            }
            let mut salt: Vec<char> = random(22)?.iter().map(|b| letter(BF_LETTERS, *b)).collect();
            // 128 bits: the last letter holds two.
            salt[21] = letter(BF_LETTERS, random(1)?[0] & 0x30);
            Ok(format!("$2a${rounds:02}${}", salt.into_iter().collect::<String>()))
        }
        "des" | "xdes" => Err(Error::unsupported(format_args!("gen_salt of kind {kind}"))),
        _ => bail!(INVALID_PARAMETER_VALUE, "gen_salt: Unknown salt algorithm"),
    }
}

fn crypt(password: &[u8], salt: &str) -> Result<String> {
    let invalid = || common::err!(INVALID_PARAMETER_VALUE, "invalid salt");
    // What a C string holds.
    let password = password.split(|b| *b == 0).next().unwrap_or_default();
    if let Some(rest) = salt.strip_prefix("$1$") {
        return Ok(md5_crypt(password, rest.split('$').next().unwrap_or_default()));
    }
    let form = ["$2a$", "$2x$"].iter().find_map(|p| salt.strip_prefix(p));
    if let Some(rest) = form {
        if salt.starts_with("$2x$") {
            return Err(Error::unsupported("crypt of kind 2x"));
        }
        let (rounds, text) = rest.split_once('$').ok_or_else(invalid)?;
        let cost: u32 = rounds.parse().map_err(|_| invalid())?;
        let text = text.get(..22).ok_or_else(invalid)?;
        if rounds.len() != 2 || !(4..=31).contains(&cost) {
            return Err(invalid());
        }
        let raw = bf_salt(text).ok_or_else(invalid)?;
        let mut key: Vec<u8> = password.to_vec();
        key.push(0);
        key.truncate(72);
        let hash = bcrypt::bcrypt(cost, raw, &key);
        return Ok(format!("$2a${rounds}${}{}", bf_text(&raw), bf_text(&hash[..23])));
    }
    if salt.len() < 2 {
        return Err(invalid());
    }
    Err(Error::unsupported("crypt of kind des"))
}

fn bf_salt(text: &str) -> Option<[u8; 16]> {
    let mut out = [0u8; 16];
    let (mut at, mut bits, mut word) = (0, 0, 0u32);
    for c in text.bytes() {
        let v = BF_LETTERS.iter().position(|l| *l == c)? as u32;
        word = word << 6 | v;
        bits += 6;
        if bits >= 8 && at < 16 {
            bits -= 8;
            out[at] = (word >> bits) as u8;
            at += 1;
        }
    }
    (at == 16).then_some(out)
}

fn bf_text(b: &[u8]) -> String {
    let mut out = String::new();
    let (mut bits, mut word) = (0, 0u32);
    for byte in b {
        word = word << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            out.push(char::from(BF_LETTERS[(word >> bits & 63) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(BF_LETTERS[(word << (6 - bits) & 63) as usize]));
    }
    out
}

/// Poul-Henning Kamp's MD5 password hash.
fn md5_crypt(password: &[u8], salt: &str) -> String {
    let salt = &salt.as_bytes()[..salt.len().min(8)];
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut h = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        let n = left.min(16);
        h.update(&inner[..n]);
        left -= n;
    }
    let mut n = password.len();
    while n > 0 {
        h.update(if n & 1 == 1 { &[0u8][..] } else { &password[..1] });
        n >>= 1;
    }
    let mut last = h.finalize();
    for i in 0..1000 {
        let mut h = Md5::new();
        h.update(if i & 1 == 1 { password } else { &last[..] });
        if i % 3 != 0 {
            h.update(salt);
        }
        if i % 7 != 0 {
            h.update(password);
        }
        h.update(if i & 1 == 1 { &last[..] } else { password });
        last = h.finalize();
    }
    let mut out = format!("$1${}$", String::from_utf8_lossy(salt));
    let mut put = |mut v: u32, n: usize| {
        for _ in 0..n {
            out.push(char::from(LETTERS[(v & 63) as usize]));
            v >>= 6;
        }
    };
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        put(u32::from(last[a]) << 16 | u32::from(last[b]) << 8 | u32::from(last[c]), 4);
    }
    put(u32::from(last[11]), 2);
    out
}

pub static SYMBOLS: &[Symbol] = &[
    ("pg_digest", 9620, w2!(digest)),
    ("pg_hmac", 9621, w3!(code)),
    ("pg_random_bytes", 9622, k1!(random_bytes)),
    ("pg_random_uuid", 9623, k0!(random_uuid)),
    ("pg_gen_salt", 9624, k1!(gen_salt)),
    ("pg_gen_salt_rounds", 9625, k2!(gen_salt_rounds)),
    ("pg_crypt", 9626, k2!(crypt)),
];
