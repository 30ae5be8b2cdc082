//! Password authentication: MD5 hashes and the codes of the authentication messages.

use md5::{Digest, Md5};

/// Codes of the `R` message.
pub const AUTH_OK: i32 = 0;
pub const AUTH_CLEARTEXT: i32 = 3;
pub const AUTH_MD5: i32 = 5;
pub const AUTH_SASL: i32 = 10;
pub const AUTH_SASL_CONTINUE: i32 = 11;
pub const AUTH_SASL_FINAL: i32 = 12;

fn md5_hex(parts: &[&[u8]]) -> String {
    let mut h = Md5::new();
    for p in parts {
        h.update(p);
    }
    h.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The stored form of an MD5 password: `md5` and the hash of password and user name.
pub fn md5_stored(password: &str, user: &str) -> String {
    format!("md5{}", md5_hex(&[password.as_bytes(), user.as_bytes()]))
}

/// Checks the client's answer to an MD5 challenge against a stored `md5…` hash.
pub fn md5_check(stored: &str, salt: &[u8; 4], answer: &str) -> bool {
    let Some(hash) = stored.strip_prefix("md5") else { return false };
    let want = format!("md5{}", md5_hex(&[hash.as_bytes(), salt]));
    same(want.as_bytes(), answer.as_bytes())
}

/// Is this what an MD5 password looks like?
pub fn is_md5(stored: &str) -> bool {
    stored.len() == 35 && stored.starts_with("md5") && stored[3..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// Checks a password sent in clear text against whatever form is stored.
pub fn plain_check(stored: &str, user: &str, password: &str) -> bool {
    if is_md5(stored) {
        same(stored.as_bytes(), md5_stored(password, user).as_bytes())
    } else {
        crate::scram::Verifier::parse(stored).is_some_and(|v| v.matches(password))
    }
}

/// Name and password of an HTTP `Authorization: Basic` header.
pub fn basic_credentials(header: &str) -> Option<(String, String)> {
    use base64::Engine;
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_string(), password.to_string()))
}

/// Comparison in a time that does not depend on where the difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_known_answer() {
        // select 'md5' || md5('secret' || 'joe')
        assert_eq!(md5_stored("secret", "joe"), format!("md5{}", md5_hex(&[b"secretjoe"])));
        assert_eq!(md5_hex(&[b"abc"]), "900150983cd24fb0d6963f7d28e17f72");
        let stored = md5_stored("secret", "joe");
        let answer = format!("md5{}", md5_hex(&[&stored.as_bytes()[3..], b"salt"]));
        assert!(md5_check(&stored, b"salt", &answer));
        assert!(!md5_check(&stored, b"tlas", &answer));
        assert!(plain_check(&stored, "joe", "secret"));
        assert!(!plain_check(&stored, "joe", "Secret"));
    }
}
