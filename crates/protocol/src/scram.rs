//! SCRAM-SHA-256 (RFC 5802, RFC 7677), server side, with PostgreSQL's stored form
//! `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. A role without a verifier gets a mock exchange that
//! cannot succeed, so that user names cannot be probed.

use crate::auth::same;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as B64;
use common::{Error, Result, err};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The only mechanism offered without TLS.
pub const MECHANISM: &str = "SCRAM-SHA-256";
const ITERATIONS: u32 = 4096;
const MAX_ITERATIONS: u32 = 10_000_000;

/// What is stored for a password.
#[derive(Clone, Debug, PartialEq)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut m = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for p in parts {
        m.update(p);
    }
    m.finalize().into_bytes().into()
}

fn normalize(password: &str) -> String {
    stringprep::saslprep(password).map_or_else(|_| password.to_string(), |s| s.into_owned())
}

fn salted(password: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut out = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(normalize(password).as_bytes(), salt, iterations, &mut out);
    out
}

impl Verifier {
    /// Derives a verifier with a given salt.
    pub fn with_salt(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        let salted = salted(password, salt, iterations);
        let client_key = hmac(&salted, &[b"Client Key"]);
        Verifier {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac(&salted, &[b"Server Key"]),
        }
    }
    /// Derives a verifier with a random salt of 16 bytes and 4096 iterations.
    pub fn new(password: &str) -> Result<Verifier> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(Verifier::with_salt(password, &salt, ITERATIONS))
    }
    /// The stored form.
    pub fn to_stored(&self) -> String {
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            B64.encode(&self.salt),
            B64.encode(self.stored_key),
            B64.encode(self.server_key)
        )
    }
    /// Reads the stored form; `None` if it is not one.
    pub fn parse(stored: &str) -> Option<Verifier> {
        let rest = stored.strip_prefix("SCRAM-SHA-256$")?;
        let (params, keys) = rest.split_once('$')?;
        let (iterations, salt) = params.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let iterations = iterations.parse().ok().filter(|n| (1..=MAX_ITERATIONS).contains(n))?;
        Some(Verifier {
            iterations,
            salt: B64.decode(salt).ok()?,
            stored_key: B64.decode(stored_key).ok()?.try_into().ok()?,
            server_key: B64.decode(server_key).ok()?.try_into().ok()?,
        })
    }
    /// Checks a password sent in clear text.
    pub fn matches(&self, password: &str) -> bool {
        let v = Verifier::with_salt(password, &self.salt, self.iterations);
        same(&v.server_key, &self.server_key)
    }
    /// A verifier that matches nothing, the same for every attempt at one user name.
    fn mock(user: &str) -> Verifier {
        let salt = Sha256::digest([b"mock salt ", user.as_bytes()].concat());
        let mut key = [0; 32];
        // A failing random source leaves zeros: the proof is refused by `doomed` all the same.
        let _ = random(&mut key);
        Verifier { iterations: ITERATIONS, salt: salt[..16].to_vec(), stored_key: key, server_key: key }
    }
}

/// Fills with random bytes.
pub fn random(buf: &mut [u8]) -> Result<()> {
    getrandom::fill(buf).map_err(|_| Error::internal("could not generate random nonce"))
}

/// Name of the mechanism that binds to the channel.
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// What channel binding there is.
#[derive(Clone, Copy)]
pub enum Channel<'a> {
    /// No TLS: none was offered.
    None,
    /// Offered, and the client chose the mechanism without it.
    Offered,
    /// The client chose to bind to this data (`tls-server-end-point`).
    Bound(&'a [u8]),
}

impl<'a> Channel<'a> {
    fn is_chosen(self) -> bool {
        matches!(self, Channel::Bound(_))
    }
    fn data(self) -> &'a [u8] {
        if let Channel::Bound(d) = self { d } else { &[] }
    }
}

/// One exchange.
pub struct Exchange {
    verifier: Verifier,
    doomed: bool,
    nonce: String,
    client_first_bare: String,
    /// What `c=` must hold: the header, and the channel's binding data.
    channel_binding: Vec<u8>,
    server_first: String,
}

/// How an exchange ended.
pub enum Outcome {
    /// The password was right; send this as AuthenticationSASLFinal.
    Ok(Vec<u8>),
    /// The password was wrong (or the role has none).
    Wrong,
}

fn malformed(detail: &str) -> Error {
    err!(PROTOCOL_VIOLATION, "malformed SCRAM message").detail(detail).fatal()
}

impl Exchange {
    /// Answers client-first-message with server-first-message. `stored` is the role's password, if it has a usable one.
    pub fn start(
        user: &str,
        stored: Option<&str>,
        client_first: &[u8],
        channel: Channel<'_>,
    ) -> Result<(Exchange, Vec<u8>)> {
        let found = stored.and_then(Verifier::parse);
        let doomed = found.is_none();
        let verifier = found.unwrap_or_else(|| Verifier::mock(user));
        let msg =
            std::str::from_utf8(client_first).map_err(|_| malformed("The message is not valid UTF-8."))?;
        let mut parts = msg.splitn(3, ',');
        let flag = parts.next().unwrap_or("");
        let authzid = parts.next().unwrap_or("");
        let bare = parts.next().ok_or_else(|| malformed("Message is incomplete."))?;
        match flag.bytes().next() {
            Some(b'n') if flag.len() == 1 && !channel.is_chosen() => {}
            Some(b'y') if flag.len() == 1 && matches!(channel, Channel::None) => {}
            Some(b'y') if flag.len() == 1 && !channel.is_chosen() => {
                return Err(err!(
                    INVALID_AUTHORIZATION_SPECIFICATION,
                    "SCRAM channel binding negotiation error"
                )
                .detail("The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.")
                .fatal());
            }
            Some(b'n' | b'y') if flag.len() == 1 => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
                ));
            }
            Some(b'p') if channel.is_chosen() => {
                if flag != "p=tls-server-end-point" {
                    let kind = flag.trim_start_matches("p=");
                    return Err(err!(
                        PROTOCOL_VIOLATION,
                        "unsupported SCRAM channel-binding type \"{kind}\""
                    )
                    .fatal());
                }
            }
            Some(b'p') => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
                ));
            }
            _ => return Err(malformed("Unexpected channel-binding flag.")),
        }
        if !authzid.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "client uses authorization identity, but it is not supported"
            )
            .fatal());
        }
        if bare.starts_with("m=") {
            return Err(err!(FEATURE_NOT_SUPPORTED, "client requires an unsupported SCRAM extension").fatal());
        }
        let nonce = bare
            .split(',')
            .find_map(|a| a.strip_prefix("r="))
            .filter(|n| !n.is_empty() && n.bytes().all(|b| (0x21..=0x7e).contains(&b)))
            .ok_or_else(|| err!(PROTOCOL_VIOLATION, "non-printable characters in SCRAM nonce").fatal())?;
        let mut own = [0; 18];
        random(&mut own)?;
        let nonce = format!("{nonce}{}", B64.encode(own));
        let server_first = format!("r={nonce},s={},i={}", B64.encode(&verifier.salt), verifier.iterations);
        let reply = server_first.clone().into_bytes();
        let ex = Exchange {
            verifier,
            doomed,
            nonce,
            client_first_bare: bare.to_string(),
            channel_binding: [format!("{flag},,").as_bytes(), channel.data()].concat(),
            server_first,
        };
        Ok((ex, reply))
    }

    /// Checks client-final-message.
    pub fn finish(&self, client_final: &[u8]) -> Result<Outcome> {
        let msg =
            std::str::from_utf8(client_final).map_err(|_| malformed("The message is not valid UTF-8."))?;
        let (without_proof, proof) =
            msg.rsplit_once(",p=").ok_or_else(|| malformed("Message is incomplete."))?;
        let mut attrs = without_proof.split(',');
        let channel = attrs.next().and_then(|a| a.strip_prefix("c=")).unwrap_or("");
        if channel != B64.encode(&self.channel_binding) {
            if self.channel_binding.starts_with(b"p=") {
                return Err(
                    err!(INVALID_AUTHORIZATION_SPECIFICATION, "SCRAM channel binding check failed").fatal()
                );
            }
            return Err(err!(
                PROTOCOL_VIOLATION,
                "unexpected SCRAM channel-binding attribute in client-final-message"
            )
            .fatal());
        }
        if attrs.next().and_then(|a| a.strip_prefix("r=")) != Some(&self.nonce) {
            return Err(err!(PROTOCOL_VIOLATION, "invalid SCRAM response")
                .detail("Nonce does not match.")
                .fatal());
        }
        let proof: [u8; 32] = B64
            .decode(proof)
            .ok()
            .and_then(|p| p.try_into().ok())
            .ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        let auth: [&[u8]; 5] = [
            self.client_first_bare.as_bytes(),
            b",",
            self.server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let signature = hmac(&self.verifier.stored_key, &auth);
        let mut client_key = proof;
        for (k, s) in client_key.iter_mut().zip(signature) {
            *k ^= s;
        }
        let hashed: [u8; 32] = Sha256::digest(client_key).into();
        if self.doomed || !same(&hashed, &self.verifier.stored_key) {
            return Ok(Outcome::Wrong);
        }
        let server_signature = hmac(&self.verifier.server_key, &auth);
        Ok(Outcome::Ok(format!("v={}", B64.encode(server_signature)).into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_final(password: &str, client_first_bare: &str, server_first: &str) -> String {
        let get = |k: &str| server_first.split(',').find_map(|a| a.strip_prefix(k)).unwrap().to_string();
        let (nonce, salt, i) = (get("r="), B64.decode(get("s=")).unwrap(), get("i=").parse().unwrap());
        let client_key = hmac(&salted(password, &salt, i), &[b"Client Key"]);
        let stored: [u8; 32] = Sha256::digest(client_key).into();
        let without = format!("c=biws,r={nonce}");
        let sig = hmac(
            &stored,
            &[client_first_bare.as_bytes(), b",", server_first.as_bytes(), b",", without.as_bytes()],
        );
        let proof: Vec<u8> = client_key.iter().zip(sig).map(|(a, b)| a ^ b).collect();
        format!("{without},p={}", B64.encode(proof))
    }

    #[test]
    fn exchange_accepts_the_right_password_only() {
        let stored = Verifier::new("pencil").unwrap().to_stored();
        assert_eq!(Verifier::parse(&stored).unwrap().to_stored(), stored);
        for (given, stored, ok) in [
            ("pencil", Some(stored.as_str()), true),
            ("pen", Some(stored.as_str()), false),
            ("pencil", None, false),
        ] {
            let (ex, first) = Exchange::start("joe", stored, b"n,,n=,r=abcdef", Channel::None).unwrap();
            let first = String::from_utf8(first).unwrap();
            let fin = client_final(given, "n=,r=abcdef", &first);
            assert_eq!(matches!(ex.finish(fin.as_bytes()).unwrap(), Outcome::Ok(_)), ok);
        }
    }

    #[test]
    fn junk_is_refused() {
        for junk in [&b""[..], b"x", b"n,", b"n,,", b"p=tls-unique,,n=,r=x", b"n,a=me,n=,r=x", b"\xff\xff,,"]
        {
            assert!(Exchange::start("joe", None, junk, Channel::None).is_err());
        }
        let (ex, _) = Exchange::start("joe", None, b"n,,n=,r=abc", Channel::None).unwrap();
        for junk in [&b""[..], b"c=biws", b"c=biws,r=abc,p=!!", b"\xff"] {
            assert!(ex.finish(junk).is_err());
        }
    }
}
