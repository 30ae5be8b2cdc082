//! Which ciphers and curves TLS may use: OpenSSL's words of `ssl_ciphers` and `ssl_ecdh_curve`, applied to what rustls has.
//! As in PostgreSQL the list of ciphers rules TLS 1.2; those of TLS 1.3 are always all there.

use common::{Error, Result, err};
use rustls::SupportedCipherSuite;
use rustls::crypto::{CryptoProvider, ring};

/// OpenSSL's names, and words that stand for the cipher among others.
const TLS12: [(&str, &str, &[&str]); 6] = [
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        &["AES256", "aECDSA", "SHA384"],
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        &["AES128", "aECDSA", "SHA256"],
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        &["CHACHA20", "aECDSA"],
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        &["AES256", "aRSA", "RSA", "SHA384"],
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        &["AES128", "aRSA", "RSA", "SHA256"],
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        &["CHACHA20", "aRSA", "RSA"],
    ),
];

/// Words that stand for all of them: every one is strong, ephemeral, and an AEAD.
const ALL: [&str; 9] =
    ["ALL", "DEFAULT", "HIGH", "COMPLEMENTOFDEFAULT", "ECDHE", "kECDHE", "EECDH", "kEECDH", "TLSv1.2"];

/// Does the word (of which `+` joins several) stand for the cipher?
fn stands_for(word: &str, name: &str, words: &[&str]) -> bool {
    word.split('+').filter(|w| !w.is_empty()).all(|w| {
        let family = (w == "AESGCM" || w == "AES") && name.contains("AES");
        w == name || ALL.contains(&w) || words.contains(&w) || family
    })
}

/// Positions in [`TLS12`] that the list allows, in its order.
fn choose(list: &str) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut never: Vec<usize> = Vec::new();
    for word in list.split([':', ',', ' ']).filter(|w| !w.is_empty()) {
        let (how, rest) = match word.as_bytes()[0] {
            c @ (b'!' | b'-' | b'+') => (c, &word[1..]),
            _ => (b' ', word),
        };
        let meant: Vec<usize> = (0..TLS12.len())
            .filter(|i| stands_for(rest, TLS12[*i].0, TLS12[*i].2) && !rest.is_empty())
            .collect();
        match how {
            b'!' | b'-' => {
                chosen.retain(|i| !meant.contains(i));
                if how == b'!' {
                    never.extend(meant);
                }
            }
            // Moves to the end what is there.
            b'+' => chosen.sort_by_key(|i| meant.contains(i)),
            _ => {
                for i in meant {
                    if !chosen.contains(&i) && !never.contains(&i) {
                        chosen.push(i);
                    }
                }
            }
        }
    }
    chosen
}

fn fatal(text: String) -> Error {
    err!(CONFIG_FILE_ERROR, "{text}").fatal()
}

/// rustls' algorithms, cut down to what the settings allow; empty settings allow all. FATAL, F0000.
pub fn provider(ciphers: &str, curve: &str) -> Result<CryptoProvider> {
    let mut p = ring::default_provider();
    if !ciphers.is_empty() {
        let chosen = choose(ciphers);
        if chosen.is_empty() {
            return Err(fatal("could not set the cipher list (no valid ciphers available)".into()));
        }
        let named = |s: &SupportedCipherSuite| s.suite().as_str().map(str::to_string).unwrap_or_default();
        let (mut suites, tls12): (Vec<_>, Vec<_>) =
            p.cipher_suites.drain(..).partition(|s| matches!(s, SupportedCipherSuite::Tls13(_)));
        for i in chosen {
            suites.extend(tls12.iter().filter(|s| named(s) == TLS12[i].1));
        }
        p.cipher_suites = suites;
    }
    let group = match curve {
        "" => return Ok(p),
        "prime256v1" | "P-256" | "secp256r1" => "secp256r1",
        "secp384r1" | "P-384" => "secp384r1",
        "X25519" => "X25519",
        other => return Err(fatal(format!("ECDH: unrecognized curve name: {other}"))),
    };
    p.kx_groups.retain(|g| g.name().as_str() == Some(group));
    Ok(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ciphers() {
        let names = |l: &str| choose(l).into_iter().map(|i| TLS12[i].0).collect::<Vec<_>>();
        assert_eq!(choose("HIGH:MEDIUM:+3DES:!aNULL").len(), 6);
        assert_eq!(names("ECDHE-RSA-AES128-GCM-SHA256"), ["ECDHE-RSA-AES128-GCM-SHA256"]);
        assert_eq!(names("HIGH:!AES128:!CHACHA20:!aECDSA"), ["ECDHE-RSA-AES256-GCM-SHA384"]);
        assert_eq!(names("ECDHE+AESGCM:!AES256:-aRSA"), ["ECDHE-ECDSA-AES128-GCM-SHA256"]);
        assert!(names("RC4-MD5:eNULL").is_empty());
        assert!(provider("RC4-MD5", "").is_err());
        assert_eq!(provider("CHACHA20", "P-384").unwrap().kx_groups[0].name().as_str(), Some("secp384r1"));
    }
}
