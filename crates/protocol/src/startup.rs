//! The first packet of a connection: no type byte, a length, a code.

use common::{Result, bail};

/// Longest startup packet accepted, as in PostgreSQL.
pub const MAX_STARTUP_PACKET: usize = 10_000;
const PROTOCOL_3: u32 = 3 << 16;
const CANCEL: u32 = (1234 << 16) | 5678;
const SSL: u32 = (1234 << 16) | 5679;
const GSSENC: u32 = (1234 << 16) | 5680;

/// What a client asks for first.
#[derive(Clone, Debug, PartialEq)]
pub enum StartupRequest {
    /// Answer `S` or `N`, then another startup packet follows.
    Ssl,
    GssEnc,
    /// Cancel the statement of the backend with this pid and key.
    Cancel {
        pid: i32,
        key: u32,
    },
    Start(StartupPacket),
}

/// Parameters of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartupPacket {
    /// Minor protocol version asked for.
    pub minor: u16,
    pub user: String,
    /// Defaults to the user's name.
    pub database: String,
    /// The `options` string: command-line switches.
    pub options: Option<String>,
    /// `true`, `false` or `database`.
    pub replication: Option<String>,
    /// Other parameters: settings for the session, in order.
    pub settings: Vec<(String, String)>,
    /// Protocol options (`_pq_.…`) not understood.
    pub unknown_options: Vec<String>,
}

impl StartupPacket {
    /// `replication=true`: a connection for physical replication, without a database.
    pub fn is_physical_replication(&self) -> bool {
        let on = ["true", "on", "yes", "1", "t", "y"];
        self.replication.as_deref().is_some_and(|r| on.iter().any(|o| o.eq_ignore_ascii_case(r)))
    }
}

fn be32(b: &[u8]) -> u32 {
    u32::from_be_bytes([b[0], b[1], b[2], b[3]])
}

/// Reads the body of a startup packet (what follows the length word).
pub fn parse(body: &[u8]) -> Result<StartupRequest> {
    if body.len() < 4 {
        bail!(PROTOCOL_VIOLATION, "invalid length of startup packet");
    }
    match be32(body) {
        SSL => Ok(StartupRequest::Ssl),
        GSSENC => Ok(StartupRequest::GssEnc),
        CANCEL if body.len() >= 12 => {
            Ok(StartupRequest::Cancel { pid: be32(&body[4..]) as i32, key: be32(&body[8..]) })
        }
        CANCEL => bail!(PROTOCOL_VIOLATION, "invalid length of startup packet"),
        code if code >> 16 == PROTOCOL_3 >> 16 => {
            parameters(code as u16, &body[4..]).map(StartupRequest::Start)
        }
        code => Err(common::err!(
            FEATURE_NOT_SUPPORTED,
            "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0",
            code >> 16,
            code & 0xffff
        )
        .fatal()),
    }
}

fn parameters(minor: u16, body: &[u8]) -> Result<StartupPacket> {
    let mut p = StartupPacket { minor, ..StartupPacket::default() };
    let mut strings = body.split(|&b| b == 0);
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    loop {
        match strings.next() {
            None => {
                bail!(PROTOCOL_VIOLATION, "invalid startup packet layout: expected terminator as last byte")
            }
            Some([]) if strings.next().is_some_and(<[u8]>::is_empty) && strings.next().is_none() => break,
            Some([]) => {
                bail!(PROTOCOL_VIOLATION, "invalid startup packet layout: expected terminator as last byte")
            }
            Some(name) => {
                let Some(value) = strings.next() else {
                    bail!(
                        PROTOCOL_VIOLATION,
                        "invalid startup packet layout: expected terminator as last byte"
                    )
                };
                let value = text(value);
                match name {
                    b"user" => p.user = value,
                    b"database" => p.database = value,
                    b"options" => p.options = Some(value),
                    b"replication" => p.replication = Some(value),
                    n if n.starts_with(b"_pq_.") => p.unknown_options.push(text(n)),
                    n => p.settings.push((text(n), value)),
                }
            }
        }
    }
    if p.user.is_empty() {
        return Err(common::err!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "no PostgreSQL user name specified in startup packet"
        )
        .fatal());
    }
    if p.database.is_empty() {
        p.database = p.user.clone();
    }
    truncate_name(&mut p.user);
    truncate_name(&mut p.database);
    Ok(p)
}

/// Names longer than 63 bytes are cut, at a character border.
fn truncate_name(s: &mut String) {
    if s.len() > 63 {
        let cut = (0..=63).rev().find(|&i| s.is_char_boundary(i)).unwrap_or(0);
        s.truncate(cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn startup_packets() {
        let mut b = PROTOCOL_3.to_be_bytes().to_vec();
        b.extend_from_slice(b"user\0joe\0application_name\0psql\0\0");
        let StartupRequest::Start(p) = parse(&b).unwrap() else { panic!() };
        assert_eq!((p.user.as_str(), p.database.as_str()), ("joe", "joe"));
        assert_eq!(p.settings, vec![("application_name".to_string(), "psql".to_string())]);
        assert_eq!(parse(&SSL.to_be_bytes()).unwrap(), StartupRequest::Ssl);
        assert!(parse(&CANCEL.to_be_bytes()).is_err());
        for cut in 0..b.len() {
            let _ = parse(&b[..cut]);
        }
        assert!(parse(&(2u32 << 16).to_be_bytes()).is_err());
    }
}
