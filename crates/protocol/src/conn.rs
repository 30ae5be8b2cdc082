//! A connection's two buffers over a byte transport. Reading hands out whole messages; writing is gathered until
//! [`Connection::flush`]. What a client sent before a TLS handshake is never taken for encrypted data.

use crate::frontend::{self, Frontend};
use crate::startup::{self, MAX_STARTUP_PACKET, StartupRequest};
use crate::tls::{TlsConfig, TlsSession};
use crate::writer::Writer;
use common::{Error, Result, err};

/// Where bytes come from and go to. Reads wait for data and may fail with the errors of an interrupt (57P01 …).
pub trait Transport {
    /// Reads some bytes; 0 is the end of the stream.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize>;
    /// Sends all of `buf`.
    fn write_all(&mut self, buf: &[u8]) -> Result<()>;
}

/// Size of the read buffer, and the amount of output that is sent without waiting for a flush.
const READ_BUFFER: usize = 8192;
const WRITE_BUFFER: usize = 8192;

/// A client connection.
pub struct Connection<T> {
    pub transport: T,
    pub out: Writer,
    tls: Option<Box<TlsSession>>,
    input: Vec<u8>,
    /// Unread bytes are `input[start..end]`.
    start: usize,
    end: usize,
    /// Body of the message handed out last: `input[body.0..body.1]`.
    body: (usize, usize),
}

impl<T: Transport> Connection<T> {
    /// Bytes of its buffers.
    pub fn buffer_bytes(&self) -> usize {
        self.input.capacity() + self.out.buffer_bytes()
    }
    /// A fresh connection.
    pub fn new(transport: T) -> Connection<T> {
        Connection {
            transport,
            out: Writer::default(),
            tls: None,
            input: Vec::new(),
            start: 0,
            end: 0,
            body: (0, 0),
        }
    }
    /// Shakes hands: everything from here on is encrypted. The caller has made sure that nothing was read before.
    pub fn start_tls(&mut self, config: &TlsConfig) -> Result<()> {
        debug_assert!(!self.has_input());
        self.tls = Some(Box::new(TlsSession::accept(config, &mut self.transport)?));
        Ok(())
    }
    /// The encrypted side, if there is one.
    pub fn tls(&self) -> Option<&TlsSession> {
        self.tls.as_deref()
    }
    /// Are there bytes already read?
    pub fn has_input(&self) -> bool {
        self.start < self.end
    }
    /// Makes at least `n` bytes available at `start`; `false` at the end of the stream.
    fn need(&mut self, n: usize) -> Result<bool> {
        while self.end - self.start < n {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            // Grow in steps as data really arrives: a length word alone reserves nothing.
            let want = n.max(READ_BUFFER).min(self.end * 2 + READ_BUFFER);
            if self.input.len() < want {
                self.input.resize(want, 0);
            }
            let buf = &mut self.input[self.end..];
            let got = match &mut self.tls {
                Some(tls) => tls.read(&mut self.transport, buf)?,
                None => self.transport.read(buf)?,
            };
            if got == 0 {
                return Ok(false);
            }
            self.end += got;
        }
        Ok(true)
    }
    /// Gives back the memory of a large message once it is consumed.
    fn shrink(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.input.len() > 8 * READ_BUFFER {
                self.input = Vec::new();
            }
        }
    }
    /// Reads a startup packet; `None` if the client went away without a word.
    pub fn read_startup(&mut self) -> Result<Option<StartupRequest>> {
        if !self.need(4)? {
            return Ok(None);
        }
        let b = &self.input[self.start..];
        let len = u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize;
        if !(8..=MAX_STARTUP_PACKET).contains(&len) {
            return Err(err!(PROTOCOL_VIOLATION, "invalid length of startup packet").fatal());
        }
        if !self.need(len)? {
            return Err(err!(PROTOCOL_VIOLATION, "incomplete startup packet").fatal());
        }
        let req = startup::parse(&self.input[self.start + 4..self.start + len]).map_err(Error::fatal);
        self.start += len;
        self.shrink();
        req.map(Some)
    }
    /// Waits for a whole message and remembers it for [`Connection::message`]. `None` at the end of the stream; errors
    /// here (of severity FATAL) leave the stream out of step.
    pub fn read_message(&mut self) -> Result<Option<u8>> {
        self.shrink();
        if !self.need(5)? {
            return Ok(None);
        }
        let b = &self.input[self.start..];
        let (kind, len) = (b[0], u32::from_be_bytes([b[1], b[2], b[3], b[4]]) as usize);
        let Some(max) = frontend::max_body(kind) else {
            return Err(err!(PROTOCOL_VIOLATION, "invalid frontend message type {kind}").fatal());
        };
        if len < 4 || len - 4 > max {
            return Err(err!(PROTOCOL_VIOLATION, "invalid message length").fatal());
        }
        if !self.need(len + 1)? {
            return Ok(None);
        }
        self.body = (self.start + 5, self.start + 1 + len);
        self.start += len + 1;
        Ok(Some(kind))
    }
    /// Decodes the message read last.
    pub fn message(&self, kind: u8) -> Result<Frontend<'_>> {
        frontend::decode(kind, &self.input[self.body.0..self.body.1])
    }
    /// The raw body of the message read last.
    pub fn body(&self) -> &[u8] {
        &self.input[self.body.0..self.body.1]
    }
    /// Sends what is waiting.
    pub fn flush(&mut self) -> Result<()> {
        if !self.out.pending().is_empty() {
            let r = match &mut self.tls {
                Some(tls) => tls.write_all(&mut self.transport, self.out.pending()),
                None => self.transport.write_all(self.out.pending()),
            };
            self.out.clear();
            r?;
        }
        Ok(())
    }
    /// Sends what is waiting if it is a lot.
    pub fn flush_if_full(&mut self) -> Result<()> {
        if self.out.pending().len() >= WRITE_BUFFER { self.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script(Vec<u8>, usize);
    impl Transport for Script {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0.drain(..n);
            Ok(n)
        }
        fn write_all(&mut self, _buf: &[u8]) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_in_any_slicing() {
        let mut bytes = Vec::new();
        for i in 0..50 {
            let sql = format!("select {i}{}\0", " ".repeat(i * 97));
            bytes.push(b'Q');
            bytes.extend_from_slice(&(sql.len() as u32 + 4).to_be_bytes());
            bytes.extend_from_slice(sql.as_bytes());
        }
        for step in [1, 3, 4096, 1 << 20] {
            let mut c = Connection::new(Script(bytes.clone(), step));
            for i in 0..50 {
                let kind = c.read_message().unwrap().unwrap();
                let Frontend::Query(q) = c.message(kind).unwrap() else { panic!() };
                assert_eq!(q.trim_end(), format!("select {i}"));
            }
            assert_eq!(c.read_message().unwrap(), None);
        }
    }

    #[test]
    fn a_length_alone_reserves_nothing() {
        let mut c = Connection::new(Script(b"Q\x3f\xff\xff\xff".to_vec(), 5));
        assert_eq!(c.read_message().unwrap(), None);
        assert!(c.input.len() < 3 * READ_BUFFER);
        let mut c = Connection::new(Script(b"Q\xff\xff\xff\xff".to_vec(), 5));
        assert!(c.read_message().is_err());
    }
}
