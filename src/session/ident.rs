//! The ident protocol (RFC 1413): asks the client's machine which of its users has opened a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PORT: u16 = 113;
const PATIENCE: Duration = Duration::from_secs(10);

/// The user's name, or a line for the log.
pub fn ask(peer: SocketAddr, local: SocketAddr) -> Result<String, String> {
    let server = SocketAddr::new(peer.ip(), PORT);
    let failed = |e: std::io::Error| {
        let why = common::error::os_message(&e);
        format!("could not connect to Ident server at address \"{}\", port {PORT}: {why}", peer.ip())
    };
    let mut s = TcpStream::connect_timeout(&server, PATIENCE).map_err(failed)?;
    s.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    s.write_all(format!("{} , {}\r\n", peer.port(), local.port()).as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    s.take(1000).read_to_end(&mut answer).map_err(failed)?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    parse(&text)
        .ok_or_else(|| format!("invalidly formatted response from Ident server: \"{}\"", text.trim_end()))
}

/// `ports : USERID : system : name`
fn parse(text: &str) -> Option<String> {
    let mut parts = text.trim_end_matches(['\r', '\n']).splitn(4, ':').map(str::trim);
    let (_, kind, _, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (kind == "USERID" && !name.is_empty()).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn answers() {
        assert_eq!(parse("6193 , 23 : USERID : UNIX : joe\r\n").as_deref(), Some("joe"));
        assert_eq!(parse("6193 , 23 : ERROR : NO-USER\r\n"), None);
        assert_eq!(parse(""), None);
    }
}
