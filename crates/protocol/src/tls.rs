//! TLS by rustls: the server's configuration from PostgreSQL's settings, and one connection's session. It works on bytes
//! that a [`Transport`] carries; it opens no socket. What a client sent before the handshake never reaches it.

use crate::Transport;
use common::{Error, Result, err};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion, version};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Files and versions, from the settings.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    pub cert: String,
    pub key: String,
    /// Empty: clients are asked for no certificate.
    pub ca: String,
    pub crl: String,
    /// A directory of revocation lists.
    pub crl_dir: String,
    /// OpenSSL's list of ciphers, for TLS 1.2.
    pub ciphers: String,
    /// Name of the curve, as OpenSSL calls it.
    pub curve: String,
    pub prefer_server_ciphers: bool,
    /// `TLSv1.2`, `TLSv1.3`, or empty.
    pub min_version: String,
    pub max_version: String,
}

/// What all connections share.
pub struct TlsConfig {
    config: Arc<ServerConfig>,
    /// `tls-server-end-point`: the hash of the server's certificate.
    end_point: Vec<u8>,
    /// Client certificates can be checked.
    pub has_ca: bool,
}

fn config_error(text: String) -> Error {
    err!(CONFIG_FILE_ERROR, "{text}").fatal()
}

fn read(what: &str, file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|e| {
        config_error(format!("could not load {what} \"{file}\": {}", common::error::os_message(&e)))
    })
}

/// The key must be the server's alone.
fn check_key_file(file: &str) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(Path::new(file)).map_err(|e| {
        config_error(format!(
            "could not access private key file \"{file}\": {}",
            common::error::os_message(&e)
        ))
    })?;
    if !meta.is_file() {
        return Err(config_error(format!("private key file \"{file}\" is not a regular file")));
    }
    let forbidden = if meta.uid() == 0 { 0o027 } else { 0o077 };
    if meta.mode() & forbidden != 0 {
        return Err(config_error(format!("private key file \"{file}\" has group or world access")).detail(
            "File must have permissions u=rw (0600) or less if owned by the database user, or permissions u=rw,g=r (0640) or less if owned by root.",
        ));
    }
    Ok(())
}

fn versions(f: &TlsFiles) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let number = |v: &str| match v {
        "TLSv1.3" => 3,
        _ => 2,
    };
    let low = number(&f.min_version);
    let high = if f.max_version.is_empty() { 3 } else { number(&f.max_version) };
    if ["TLSv1", "TLSv1.1"].contains(&f.max_version.as_str()) || low > high {
        return Err(config_error("could not set SSL protocol version range".into())
            .detail("ssl_min_protocol_version cannot be higher than ssl_max_protocol_version"));
    }
    Ok([(2, &version::TLS12), (3, &version::TLS13)]
        .into_iter()
        .filter(|(n, _)| (low..=high).contains(n))
        .map(|(_, v)| v)
        .collect())
}

/// The hash that the certificate's signature uses; SHA-256 in place of MD5 and SHA-1 (RFC 5929).
fn end_point(cert: &CertificateDer<'_>) -> Vec<u8> {
    let oid = x509_parser::parse_x509_certificate(cert)
        .map(|(_, c)| c.signature_algorithm.algorithm.to_id_string())
        .unwrap_or_default();
    match oid.as_str() {
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Sha384::digest(cert).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Sha512::digest(cert).to_vec(),
        _ => Sha256::digest(cert).to_vec(),
    }
}

/// `ssl_crl_file`, and every file of `ssl_crl_dir`.
fn revocation_lists(f: &TlsFiles) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let mut files: Vec<String> = Vec::new();
    if !f.crl.is_empty() {
        files.push(f.crl.clone());
    }
    if !f.crl_dir.is_empty() {
        let failed = |e: std::io::Error| {
            let why = common::error::os_message(&e);
            let dir = &f.crl_dir;
            config_error(format!("could not load SSL certificate revocation list directory \"{dir}\": {why}"))
        };
        for entry in std::fs::read_dir(&f.crl_dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_file() {
                files.push(path.display().to_string());
            }
        }
    }
    let mut out = Vec::new();
    for file in files {
        let pem = read("SSL certificate revocation list file", &file)?;
        for list in CertificateRevocationListDer::pem_slice_iter(&pem) {
            out.push(list.map_err(|e| {
                config_error(format!("could not load SSL certificate revocation list file \"{file}\": {e}"))
            })?);
        }
    }
    Ok(out)
}

impl TlsConfig {
    /// Loads certificate, key and authorities. Errors are FATAL, SQLSTATE F0000.
    pub fn load(f: &TlsFiles) -> Result<TlsConfig> {
        let bad = |what: &str, file: &str, e: &dyn std::fmt::Display| {
            config_error(format!("could not load {what} \"{file}\": {e}"))
        };
        let pem = read("server certificate file", &f.cert)?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| bad("server certificate file", &f.cert, &e))?;
        let Some(first) = chain.first() else {
            return Err(bad("server certificate file", &f.cert, &"no certificate found"));
        };
        let end_point = end_point(first);
        check_key_file(&f.key)?;
        let key = PrivateKeyDer::from_pem_slice(&read("private key file", &f.key)?)
            .map_err(|e| bad("private key file", &f.key, &e))?;
        let provider = Arc::new(crate::tls_choice::provider(&f.ciphers, &f.curve)?);
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions(f)?)
            .map_err(|e| config_error(format!("could not set SSL protocol version range: {e}")))?;
        let builder = if f.ca.is_empty() {
            builder.with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            for c in CertificateDer::pem_slice_iter(&read("root certificate file", &f.ca)?) {
                let c = c.map_err(|e| bad("root certificate file", &f.ca, &e))?;
                roots.add(c).map_err(|e| bad("root certificate file", &f.ca, &e))?;
            }
            let mut v = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated();
            if !f.crl.is_empty() || !f.crl_dir.is_empty() {
                v = v.with_crls(revocation_lists(f)?).allow_unknown_revocation_status();
            }
            builder.with_client_cert_verifier(v.build().map_err(|e| bad("root certificate file", &f.ca, &e))?)
        };
        let mut config =
            builder.with_single_cert(chain, key).map_err(|e| bad("private key file", &f.key, &e))?;
        config.ignore_client_order = f.prefer_server_ciphers;
        Ok(TlsConfig { config: Arc::new(config), end_point, has_ca: !f.ca.is_empty() })
    }
}

/// What is known of the client's certificate.
#[derive(Clone, Debug, Default)]
pub struct PeerCertificate {
    pub common_name: Option<String>,
    /// `/O=…/CN=…`
    pub subject: String,
    pub issuer: String,
    /// Decimal.
    pub serial: String,
}

/// What `pg_stat_ssl` and the log say of a connection.
#[derive(Clone, Debug, Default)]
pub struct TlsInfo {
    pub version: &'static str,
    pub cipher: String,
    pub bits: i32,
}

/// The encrypted side of a connection.
pub struct TlsSession {
    conn: ServerConnection,
    end_point: Vec<u8>,
    raw: Vec<u8>,
}

fn failed(e: &dyn std::fmt::Display) -> Error {
    err!(PROTOCOL_VIOLATION, "could not accept SSL connection: {e}").fatal()
}

impl TlsSession {
    /// Shakes hands with the client.
    pub fn accept(config: &TlsConfig, t: &mut dyn Transport) -> Result<TlsSession> {
        let conn = ServerConnection::new(config.config.clone()).map_err(|e| failed(&e))?;
        let mut s = TlsSession { conn, end_point: config.end_point.clone(), raw: vec![0; 16_384] };
        while s.conn.is_handshaking() {
            s.send(t)?;
            if s.conn.is_handshaking() && s.receive(t)? == 0 {
                return Err(failed(&"EOF detected"));
            }
        }
        s.send(t)?;
        Ok(s)
    }

    /// Sends what rustls has ready.
    fn send(&mut self, t: &mut dyn Transport) -> Result<()> {
        let mut out = Vec::new();
        while self.conn.wants_write() {
            self.conn.write_tls(&mut out).map_err(|e| failed(&e))?;
        }
        if out.is_empty() { Ok(()) } else { t.write_all(&out) }
    }

    /// Takes some bytes from the transport; 0 at its end.
    fn receive(&mut self, t: &mut dyn Transport) -> Result<usize> {
        let n = t.read(&mut self.raw)?;
        let mut rest = &self.raw[..n];
        while !rest.is_empty() {
            self.conn.read_tls(&mut rest).map_err(|e| failed(&e))?;
            if let Err(e) = self.conn.process_new_packets() {
                // The alert tells the client why.
                let _ = self.send(t);
                return Err(failed(&e));
            }
        }
        Ok(n)
    }

    /// Reads decrypted bytes; 0 at the end.
    pub fn read(&mut self, t: &mut dyn Transport, buf: &mut [u8]) -> Result<usize> {
        loop {
            match self.conn.reader().read(buf) {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                // The client went away without a word of farewell.
                Err(_) => return Ok(0),
            }
            if self.receive(t)? == 0 {
                return Ok(0);
            }
            self.send(t)?;
        }
    }

    /// Encrypts and sends.
    pub fn write_all(&mut self, t: &mut dyn Transport, mut buf: &[u8]) -> Result<()> {
        while !buf.is_empty() {
            let n = self.conn.writer().write(buf).map_err(|e| failed(&e))?;
            buf = &buf[n..];
            self.send(t)?;
        }
        Ok(())
    }

    /// The channel-binding data of `tls-server-end-point`.
    pub fn end_point(&self) -> &[u8] {
        &self.end_point
    }

    /// Version and cipher.
    pub fn info(&self) -> TlsInfo {
        let version = match self.conn.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        };
        let suite = self.conn.negotiated_cipher_suite().map(|s| s.suite().as_str().unwrap_or("").to_string());
        let suite = suite.unwrap_or_default();
        let bits = if suite.contains("128") { 128 } else { 256 };
        // OpenSSL's spelling, which PostgreSQL shows.
        TlsInfo { version, cipher: suite.replace("TLS13_", "TLS_"), bits }
    }

    /// The client's certificate, verified against the authorities.
    pub fn peer(&self) -> Option<PeerCertificate> {
        let der = self.conn.peer_certificates()?.first()?;
        let (_, c) = x509_parser::parse_x509_certificate(der).ok()?;
        let common_name =
            c.subject().iter_common_name().next().and_then(|a| a.as_str().ok()).map(str::to_string);
        Some(PeerCertificate {
            common_name,
            subject: slashed(c.subject()),
            issuer: slashed(c.issuer()),
            serial: c.serial.to_string(),
        })
    }
}

/// A name as OpenSSL prints it: `/C=DE/O=x/CN=y`.
fn slashed(name: &x509_parser::x509::X509Name<'_>) -> String {
    let mut out = String::new();
    for a in name.iter_attributes() {
        let oid = a.attr_type().to_id_string();
        let key = match oid.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            "1.2.840.113549.1.9.1" => "emailAddress",
            other => other,
        };
        out.push_str(&format!("/{key}={}", a.as_str().unwrap_or("")));
    }
    out
}
