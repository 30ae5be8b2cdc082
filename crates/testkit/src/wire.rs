//! A client that speaks the wire protocol message by message, for tests that need what a driver hides: the process id
//! of the backend, a statement sent without waiting for its answer, a faulty message.

use crate::Cluster;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The longest any answer may take: a test fails rather than hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An error or a notice of the server, by field letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(char, String)>);

impl Fields {
    /// Reads the body of an ErrorResponse or NoticeResponse.
    pub fn parse(body: &[u8]) -> Fields {
        let parts = body.split(|b| *b == 0).filter(|p| !p.is_empty());
        Fields(parts.map(|p| (p[0] as char, String::from_utf8_lossy(&p[1..]).into_owned())).collect())
    }
    /// One field, or nothing.
    pub fn get(&self, field: char) -> &str {
        self.0.iter().find(|(c, _)| *c == field).map_or("", |(_, t)| t)
    }
    /// The SQLSTATE.
    pub fn code(&self) -> &str {
        self.get('C')
    }
    /// The primary message.
    pub fn message(&self) -> &str {
        self.get('M')
    }
}

/// The whole answer to a simple query, up to ReadyForQuery.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
    pub tags: Vec<String>,
    pub error: Option<Fields>,
    pub notices: Vec<Fields>,
    /// `I`, `T` or `E`.
    pub status: u8,
}

impl Reply {
    /// SQLSTATE of the error, empty where there is none.
    pub fn code(&self) -> &str {
        self.error.as_ref().map_or("", |e| e.code())
    }
    /// The first value of the first row.
    pub fn value(&self) -> Option<&str> {
        self.rows.first().and_then(|r| r.first()).and_then(|v| v.as_deref())
    }
    /// All rows, values joined by `|`.
    pub fn lines(&self) -> Vec<String> {
        let line = |r: &Vec<Option<String>>| {
            r.iter().map(|v| v.as_deref().unwrap_or("")).collect::<Vec<_>>().join("|")
        };
        self.rows.iter().map(line).collect()
    }
}

/// A connection over the Unix socket.
pub struct Wire {
    stream: UnixStream,
    input: Vec<u8>,
    /// Process id of the backend.
    pub pid: i32,
    /// Its cancel key.
    pub key: u32,
    /// Parameters reported at the start and since.
    pub parameters: Vec<(String, String)>,
    partial: Reply,
}

impl Wire {
    /// A connection on which nothing was said yet.
    pub fn raw(cluster: &Cluster) -> Result<Wire> {
        let stream = UnixStream::connect(cluster.dir.join(format!(".s.PGSQL.{}", cluster.port)))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Wire { stream, input: vec![], pid: 0, key: 0, parameters: vec![], partial: Reply::default() })
    }
    /// Connects as `user` without a password. A refusal is an error that shows code and message.
    pub fn connect_as(cluster: &Cluster, user: &str, database: &str) -> Result<Wire> {
        let mut w = Wire::raw(cluster)?;
        w.send_startup(&[("user", user), ("database", database), ("client_encoding", "UTF8")])?;
        w.finish_startup()?;
        Ok(w)
    }
    /// Connects as `postgres` to database `postgres`.
    pub fn connect(cluster: &Cluster) -> Result<Wire> {
        Wire::connect_as(cluster, "postgres", "postgres")
    }
    /// Sends a startup packet.
    pub fn send_startup(&mut self, parameters: &[(&str, &str)]) -> Result<()> {
        let mut body = 196_608u32.to_be_bytes().to_vec();
        for (n, v) in parameters {
            body.extend_from_slice(format!("{n}\0{v}\0").as_bytes());
        }
        body.push(0);
        let mut packet = (body.len() as u32 + 4).to_be_bytes().to_vec();
        packet.extend_from_slice(&body);
        self.send_bytes(&packet)
    }
    /// Reads what follows an accepted startup packet, up to the first ReadyForQuery.
    pub fn finish_startup(&mut self) -> Result<()> {
        loop {
            let (kind, body) = self.message()?;
            match kind {
                b'R' if body == [0, 0, 0, 0] => {}
                b'R' => return Err(Error::other("the server wants a password")),
                b'K' if body.len() == 8 => {
                    self.pid = i32::from_be_bytes([body[0], body[1], body[2], body[3]]);
                    self.key = u32::from_be_bytes([body[4], body[5], body[6], body[7]]);
                }
                b'E' => {
                    let f = Fields::parse(&body);
                    return Err(Error::other(format!("{}: {}", f.code(), f.message())));
                }
                b'Z' => return Ok(()),
                _ => self.note(kind, &body),
            }
        }
    }
    fn note(&mut self, kind: u8, body: &[u8]) {
        if kind == b'S' {
            let mut parts = body.split(|b| *b == 0).map(|p| String::from_utf8_lossy(p).into_owned());
            let name = parts.next().unwrap_or_default();
            self.parameters.retain(|(n, _)| *n != name);
            self.parameters.push((name, parts.next().unwrap_or_default()));
        }
    }
    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }
    /// Sends a message with its length.
    pub fn send(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let mut m = vec![kind];
        m.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        m.extend_from_slice(body);
        self.send_bytes(&m)
    }
    /// Ends the sending direction.
    pub fn close_write(&self) -> Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// The next message, if it comes within `limit`; `UnexpectedEof` when the server has closed the connection.
    pub fn message_within(&mut self, limit: Duration) -> Result<Option<(u8, Vec<u8>)>> {
        let deadline = Instant::now() + limit;
        loop {
            if self.input.len() >= 5 {
                let n =
                    u32::from_be_bytes([self.input[1], self.input[2], self.input[3], self.input[4]]) as usize;
                if self.input.len() > n {
                    let body = self.input[5..=n].to_vec();
                    let kind = self.input[0];
                    self.input.drain(..=n);
                    return Ok(Some((kind, body)));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left))?;
            let mut buf = [0u8; 16384];
            match self.stream.read(&mut buf) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.input.extend_from_slice(&buf[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if Instant::now() >= deadline {
                        return Ok(None);
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
    /// The next message.
    pub fn message(&mut self) -> Result<(u8, Vec<u8>)> {
        self.message_within(PATIENCE)?
            .ok_or_else(|| Error::new(ErrorKind::TimedOut, "no answer from the server"))
    }
    /// Reads until the server closes the connection; what it said before.
    pub fn read_to_end(&mut self) -> Result<Vec<(u8, Vec<u8>)>> {
        let mut out = vec![];
        loop {
            match self.message() {
                Ok(m) => out.push(m),
                Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                    return Ok(out);
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Sends a simple query without waiting.
    pub fn start(&mut self, sql: &str) -> Result<()> {
        self.partial = Reply::default();
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(b'Q', &body)
    }
    /// The answer to what was started, if it is complete within `limit`.
    pub fn reply_within(&mut self, limit: Duration) -> Result<Option<Reply>> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some((kind, body)) = self.message_within(left)? else { return Ok(None) };
            if self.absorb(kind, &body)? {
                return Ok(Some(std::mem::take(&mut self.partial)));
            }
        }
    }
    fn absorb(&mut self, kind: u8, body: &[u8]) -> Result<bool> {
        let p = &mut self.partial;
        match kind {
            b'T' => p.columns = column_names(body),
            b'D' => p.rows.push(row_values(body)?),
            b'C' => p.tags.push(String::from_utf8_lossy(&body[..body.len().saturating_sub(1)]).into_owned()),
            b'E' => {
                let f = Fields::parse(body);
                let fatal = matches!(f.get('V'), "FATAL" | "PANIC");
                p.error = Some(f);
                if fatal {
                    p.status = b'X';
                    return Ok(true);
                }
            }
            b'N' => p.notices.push(Fields::parse(body)),
            b'Z' => {
                p.status = body.first().copied().unwrap_or(b'?');
                return Ok(true);
            }
            _ => self.note(kind, body),
        }
        Ok(false)
    }
    /// The answer to what was started.
    pub fn reply(&mut self) -> Result<Reply> {
        self.reply_within(PATIENCE)?
            .ok_or_else(|| Error::new(ErrorKind::TimedOut, "no answer from the server"))
    }
    /// Runs statements; an error of the server is in the reply.
    pub fn query(&mut self, sql: &str) -> Result<Reply> {
        self.start(sql)?;
        self.reply()
    }
    /// Runs statements that must succeed; panics with the server's words otherwise.
    pub fn ok(&mut self, sql: &str) -> Reply {
        match self.query(sql) {
            Ok(r) if r.error.is_none() => r,
            Ok(r) => panic!("{sql}: {:?}", r.error),
            Err(e) => panic!("{sql}: {e}"),
        }
    }
    /// The first value of a query that must succeed.
    pub fn value(&mut self, sql: &str) -> String {
        self.ok(sql).value().unwrap_or_default().to_string()
    }
    /// Has the server closed this connection (waits for it up to `limit`)?
    pub fn is_closed_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            match self.message_within(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(_) => return true,
            }
        }
        false
    }
}

/// Sends a cancel request as a client does: on a connection of its own.
pub fn cancel(cluster: &Cluster, pid: i32, key: u32) -> Result<()> {
    let mut w = Wire::raw(cluster)?;
    let mut packet = 16u32.to_be_bytes().to_vec();
    packet.extend_from_slice(&80_877_102u32.to_be_bytes());
    packet.extend_from_slice(&pid.to_be_bytes());
    packet.extend_from_slice(&key.to_be_bytes());
    w.send_bytes(&packet)?;
    w.read_to_end().map(|_| ())
}

fn column_names(body: &[u8]) -> Vec<String> {
    let mut names = vec![];
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some(end) = rest.iter().position(|b| *b == 0) {
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        rest = rest.get(end + 19..).unwrap_or_default();
    }
    names
}

/// The values of a DataRow in text format.
pub fn row_values(body: &[u8]) -> Result<Vec<Option<String>>> {
    let bad = || Error::new(ErrorKind::InvalidData, "faulty DataRow");
    let n = u16::from_be_bytes(body.get(..2).and_then(|b| b.try_into().ok()).ok_or_else(bad)?);
    let mut at = 2;
    let mut row = Vec::with_capacity(usize::from(n));
    for _ in 0..n {
        let len = i32::from_be_bytes(body.get(at..at + 4).and_then(|b| b.try_into().ok()).ok_or_else(bad)?);
        at += 4;
        if len < 0 {
            row.push(None);
            continue;
        }
        let v = body.get(at..at + len as usize).ok_or_else(bad)?;
        at += len as usize;
        row.push(Some(String::from_utf8_lossy(v).into_owned()));
    }
    Ok(row)
}
