//! Sends batches of statements and reads whole answers, in text or binary format.

use std::fmt;
use std::io::Result;
use testkit::{Cluster, Fields, Wire};

/// One statement, with the name of what it tests.
pub struct Statement {
    pub family: String,
    pub sql: String,
    /// Ask for binary results.
    pub binary: bool,
    /// A binary parameter of this type.
    pub parameter: Option<(u32, Vec<u8>)>,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.sql)?;
        match &self.parameter {
            Some((oid, bytes)) => write!(f, " -- $1 of type {oid}: \\x{}", hex(bytes)),
            None => Ok(()),
        }
    }
}

/// All a server said about a statement.
#[derive(Default, PartialEq)]
pub struct Answer {
    columns: Vec<(String, u32, i32)>,
    rows: Vec<Vec<Option<String>>>,
    error: Vec<(char, String)>,
    notices: Vec<String>,
    lost: bool,
}

impl Answer {
    /// Cancelled by `statement_timeout`.
    pub fn timed_out(&self) -> bool {
        self.error.iter().any(|(f, t)| *f == 'C' && t == "57014")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.lost {
            return f.write_str("CONNECTION LOST");
        }
        for n in &self.notices {
            write!(f, "[{n}] ")?;
        }
        if !self.error.is_empty() {
            for (c, t) in &self.error {
                write!(f, "{c}={} ", t.replace('\n', "\\n"))?;
            }
            return Ok(());
        }
        for (n, t, m) in &self.columns {
            write!(f, "{n}:{t}")?;
            if *m != -1 {
                write!(f, "({m})")?;
            }
            f.write_str(" ")?;
        }
        let line = |r: &Vec<Option<String>>| {
            r.iter().map(|v| v.clone().unwrap_or("NULL".into())).collect::<Vec<_>>().join("|")
        };
        let text = self.rows.iter().map(line).collect::<Vec<_>>().join(" // ").replace('\n', "\\n");
        f.write_str(&text)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A connection that is made anew when it is lost.
pub struct Peer<'a> {
    cluster: &'a Cluster,
    wire: Wire,
    /// Hexadecimal oids of types made by the run, and what stands for them in answers.
    oids: Vec<(String, String)>,
}

impl<'a> Peer<'a> {
    pub fn connect(cluster: &'a Cluster) -> Result<Peer<'a>> {
        Ok(Peer { cluster, wire: Wire::connect(cluster)?, oids: Vec::new() })
    }
    /// Statements that succeed.
    pub fn set(&mut self, sql: &str) -> Result<()> {
        match self.wire.query(sql)?.error {
            Some(e) => Err(std::io::Error::other(format!("{sql}: {}", e.message()))),
            None => Ok(()),
        }
    }
    /// Learns the oids of types made by the run.
    pub fn learn(&mut self) -> std::result::Result<(), String> {
        let rows =
            self.rows("select typname, lpad(to_hex(oid::bigint), 8, '0') from pg_type where oid >= 16384")?;
        self.oids =
            rows.into_iter().map(|r| (r[1].clone(), format!("<{:.6}>", format!("{:_<6}", r[0])))).collect();
        Ok(())
    }
    /// Rows of a query that succeeds.
    pub fn rows(&mut self, sql: &str) -> std::result::Result<Vec<Vec<String>>, String> {
        let reply = self.wire.query(sql).map_err(|e| e.to_string())?;
        match reply.error {
            Some(e) => Err(format!("{sql}: {}", e.message())),
            None => Ok(reply
                .rows
                .into_iter()
                .map(|r| r.into_iter().map(Option::unwrap_or_default).collect())
                .collect()),
        }
    }

    /// The answers to a batch, sent at once.
    pub fn run(&mut self, settings: &str, batch: &[Statement]) -> Result<Vec<Answer>> {
        let mut out = Vec::with_capacity(batch.len());
        self.set(settings)?;
        self.set("set statement_timeout = '8s'")?;
        while out.len() < batch.len() {
            for s in &batch[out.len()..] {
                self.send(s)?;
            }
            for s in &batch[out.len()..] {
                match self.read(s.binary) {
                    Ok(a) => out.push(a),
                    Err(_) => {
                        out.push(Answer { lost: true, ..Answer::default() });
                        self.reconnect()?;
                        self.set(settings)?;
                        break;
                    }
                }
            }
        }
        Ok(out)
    }

    fn reconnect(&mut self) -> Result<()> {
        for _ in 0..100 {
            match Wire::connect(self.cluster) {
                Ok(w) => {
                    self.wire = w;
                    return Ok(());
                }
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(200)),
            }
        }
        Err(std::io::Error::other("the server does not come back"))
    }

    fn send(&mut self, s: &Statement) -> Result<()> {
        if !s.binary {
            return self.wire.start(&s.sql);
        }
        let mut parse = format!("\0{}\0", s.sql).into_bytes();
        let mut bind = b"\0\0".to_vec();
        match &s.parameter {
            Some((oid, bytes)) => {
                parse.extend([0, 1]);
                parse.extend(oid.to_be_bytes());
                bind.extend([0, 1, 0, 1, 0, 1]);
                bind.extend((bytes.len() as u32).to_be_bytes());
                bind.extend(bytes);
            }
            None => {
                parse.extend([0, 0]);
                bind.extend([0, 0, 0, 0]);
            }
        }
        bind.extend([0, 1, 0, 1]);
        self.wire.send(b'P', &parse)?;
        self.wire.send(b'B', &bind)?;
        self.wire.send(b'D', b"P\0")?;
        self.wire.send(b'E', &[0, 0, 0, 0, 0])?;
        self.wire.send(b'S', &[])
    }

    /// Puts names in place of oids that differ between the servers, where they stand at whole bytes of a binary value.
    fn rename(&self, v: &mut String) {
        for (oid, name) in &self.oids {
            let mut at = 0;
            while let Some(n) = v.get(at..).and_then(|rest| rest.find(oid.as_str())) {
                at += n;
                if at % 2 == 0 {
                    v.replace_range(at..at + 8, name);
                }
                at += 1;
            }
        }
    }

    fn read(&mut self, binary: bool) -> Result<Answer> {
        let mut a = Answer::default();
        loop {
            let (kind, body) = self.wire.message()?;
            match kind {
                b'T' => a.columns = columns(&body),
                b'D' if a.rows.len() < 200 => {
                    let mut row = values(&body, binary);
                    for v in row.iter_mut().flatten() {
                        self.rename(v);
                    }
                    a.rows.push(row);
                }
                b'E' => {
                    let f = Fields::parse(&body);
                    let keep = |c: &char| "CMDHPWSctdns".contains(*c);
                    a.error = f.0.into_iter().filter(|(c, _)| keep(c)).collect();
                    a.rows.clear();
                    a.columns.clear();
                }
                b'N' => a.notices.push(Fields::parse(&body).message().to_string()),
                b'Z' => return Ok(a),
                _ => {}
            }
        }
    }
}

fn columns(body: &[u8]) -> Vec<(String, u32, i32)> {
    let mut out = vec![];
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some(end) = rest.iter().position(|b| *b == 0) {
        let name = String::from_utf8_lossy(&rest[..end]).into_owned();
        let word = |at: usize| {
            rest.get(end + at..end + at + 4).map_or(0, |b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
        };
        // Objects made by the run have other oids on each server.
        let oid = word(7) as u32;
        out.push((name, if oid >= 16384 { 0 } else { oid }, word(13)));
        rest = rest.get(end + 19..).unwrap_or_default();
    }
    out
}

fn values(body: &[u8], binary: bool) -> Vec<Option<String>> {
    let mut out = vec![];
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let n = i32::from_be_bytes(*head);
        if n < 0 {
            out.push(None);
            rest = tail;
            continue;
        }
        let (value, next) = tail.split_at((n as usize).min(tail.len()));
        out.push(Some(if binary { hex(value) } else { String::from_utf8_lossy(value).into_owned() }));
        rest = next;
    }
    out
}
