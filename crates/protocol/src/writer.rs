//! Messages to the client, appended to one buffer that is sent when the protocol says so: at ReadyForQuery, Flush, or
//! when it grows large. Rows are written straight from column values: no intermediate message objects.

use common::{Encoding, Report, Severity};
use std::borrow::Cow;

/// What ReadyForQuery says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    Idle,
    InTransaction,
    Failed,
}

/// A column of RowDescription.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: std::rc::Rc<str>,
    pub table: u32,
    pub attno: i16,
    pub type_oid: u32,
    pub type_len: i16,
    pub typmod: i32,
    pub format: i16,
}

/// The output buffer.
#[derive(Default)]
pub struct Writer {
    buf: Vec<u8>,
    /// What strings are turned into on their way out; `None` is UTF-8.
    encoding: Option<Encoding>,
}

impl Writer {
    /// Bytes of its buffer.
    pub fn buffer_bytes(&self) -> usize {
        self.buf.capacity()
    }
    /// From here on strings go out in this encoding.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = (!encoding.is_identity()).then_some(encoding);
    }
    /// The client's encoding where it is not UTF-8.
    pub fn encoding(&self) -> Option<Encoding> {
        self.encoding
    }
    /// Bytes waiting to be sent.
    pub fn pending(&self) -> &[u8] {
        &self.buf
    }
    /// Forgets what was sent.
    pub fn clear(&mut self) {
        self.buf.clear();
        // One wide result must not hold its buffer for the life of the session.
        if self.buf.capacity() > 256 * 1024 {
            self.buf = Vec::new();
        }
    }
    /// Writes one message: `f` appends the body.
    pub fn message<R>(&mut self, kind: u8, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.buf.push(kind);
        let at = self.buf.len();
        self.buf.extend_from_slice(&[0; 4]);
        let r = f(&mut self.buf);
        let len = (self.buf.len() - at) as u32;
        self.buf[at..at + 4].copy_from_slice(&len.to_be_bytes());
        r
    }
    /// Whole messages made before.
    pub fn append(&mut self, messages: &[u8]) {
        self.buf.extend_from_slice(messages);
    }
    /// One byte outside any message: the answer to SSLRequest.
    pub fn raw_byte(&mut self, b: u8) {
        self.buf.push(b);
    }
    /// AuthenticationOk and its kin: a code and data.
    pub fn authentication(&mut self, code: i32, data: &[u8]) {
        self.message(b'R', |b| {
            b.extend_from_slice(&code.to_be_bytes());
            b.extend_from_slice(data);
        });
    }
    /// NegotiateProtocolVersion.
    pub fn negotiate_protocol(&mut self, minor: i32, unknown: &[String]) {
        let e = self.encoding;
        self.message(b'v', |b| {
            b.extend_from_slice(&minor.to_be_bytes());
            b.extend_from_slice(&(unknown.len() as i32).to_be_bytes());
            for s in unknown {
                cstr(b, e, s);
            }
        });
    }
    pub fn backend_key_data(&mut self, pid: i32, key: u32) {
        self.message(b'K', |b| {
            b.extend_from_slice(&pid.to_be_bytes());
            b.extend_from_slice(&key.to_be_bytes());
        });
    }
    pub fn parameter_status(&mut self, name: &str, value: &str) {
        let e = self.encoding;
        self.message(b'S', |b| {
            cstr(b, e, name);
            cstr(b, e, value);
        });
    }
    pub fn ready_for_query(&mut self, status: TransactionStatus) {
        let c = match status {
            TransactionStatus::Idle => b'I',
            TransactionStatus::InTransaction => b'T',
            TransactionStatus::Failed => b'E',
        };
        self.message(b'Z', |b| b.push(c));
    }
    pub fn command_complete(&mut self, tag: &str) {
        let e = self.encoding;
        self.message(b'C', |b| cstr(b, e, tag));
    }
    pub fn empty_query_response(&mut self) {
        self.message(b'I', |_| ());
    }
    pub fn parse_complete(&mut self) {
        self.message(b'1', |_| ());
    }
    pub fn bind_complete(&mut self) {
        self.message(b'2', |_| ());
    }
    pub fn close_complete(&mut self) {
        self.message(b'3', |_| ());
    }
    pub fn no_data(&mut self) {
        self.message(b'n', |_| ());
    }
    pub fn portal_suspended(&mut self) {
        self.message(b's', |_| ());
    }
    pub fn parameter_description(&mut self, types: &[u32]) {
        self.message(b't', |b| {
            b.extend_from_slice(&(types.len() as i16).to_be_bytes());
            for t in types {
                b.extend_from_slice(&t.to_be_bytes());
            }
        });
    }
    pub fn row_description(&mut self, fields: &[Field]) {
        let e = self.encoding;
        self.message(b'T', |b| {
            b.extend_from_slice(&(fields.len() as i16).to_be_bytes());
            for f in fields {
                cstr(b, e, &f.name);
                b.extend_from_slice(&f.table.to_be_bytes());
                b.extend_from_slice(&f.attno.to_be_bytes());
                b.extend_from_slice(&f.type_oid.to_be_bytes());
                b.extend_from_slice(&f.type_len.to_be_bytes());
                b.extend_from_slice(&f.typmod.to_be_bytes());
                b.extend_from_slice(&f.format.to_be_bytes());
            }
        });
    }
    /// One row of `n` values: `value(i, buf)` appends value `i` and returns whether it is not null. After an error
    /// nothing of the row is left.
    pub fn data_row<E>(
        &mut self,
        n: usize,
        mut value: impl FnMut(usize, &mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let start = self.buf.len();
        let row = self.message(b'D', |b| {
            b.extend_from_slice(&(n as u16).to_be_bytes());
            for i in 0..n {
                let at = b.len();
                b.extend_from_slice(&[0xff; 4]);
                if value(i, b)? {
                    let len = (b.len() - at - 4) as u32;
                    b[at..at + 4].copy_from_slice(&len.to_be_bytes());
                }
            }
            Ok(())
        });
        if row.is_err() {
            self.buf.truncate(start);
        }
        row
    }
    /// CopyInResponse (`G`), CopyOutResponse (`H`) or CopyBothResponse (`W`).
    pub fn copy_response(&mut self, kind: u8, binary: bool, columns: usize) {
        self.message(kind, |b| {
            b.push(u8::from(binary));
            b.extend_from_slice(&(columns as i16).to_be_bytes());
            for _ in 0..columns {
                b.extend_from_slice(&i16::from(binary).to_be_bytes());
            }
        });
    }
    /// FunctionCallResponse; `None` is NULL.
    pub fn function_result(&mut self, value: Option<&[u8]>) {
        self.message(b'V', |b| match value {
            None => b.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(v) => {
                b.extend_from_slice(&(v.len() as i32).to_be_bytes());
                b.extend_from_slice(v);
            }
        });
    }
    pub fn copy_data(&mut self, data: &[u8]) {
        self.message(b'd', |b| b.extend_from_slice(data));
    }
    pub fn copy_done(&mut self) {
        self.message(b'c', |_| ());
    }
    pub fn notification(&mut self, pid: i32, channel: &str, payload: &str) {
        let e = self.encoding;
        self.message(b'A', |b| {
            b.extend_from_slice(&pid.to_be_bytes());
            cstr(b, e, channel);
            cstr(b, e, payload);
        });
    }
    /// ErrorResponse or NoticeResponse. `position` is the 1-based character position already worked out.
    pub fn report(&mut self, r: &Report, position: Option<usize>) {
        let kind = if r.severity >= Severity::Error { b'E' } else { b'N' };
        let internal_position = match (r.internal_position, &r.internal_query) {
            (Some(p), Some(q)) => Some(char_position(q, p).to_string()),
            _ => None,
        };
        let e = self.encoding;
        self.message(kind, |b| {
            let mut field = |code: u8, v: &str| {
                b.push(code);
                cstr(b, e, v);
            };
            field(b'S', r.severity.as_str());
            field(b'V', r.severity.as_str());
            field(b'C', r.sqlstate.as_str());
            field(b'M', &r.message);
            let position = position.map(|p| p.to_string());
            let optional = [
                (b'D', &r.detail),
                (b'H', &r.hint),
                (b'W', &r.context),
                (b's', &r.schema),
                (b't', &r.table),
                (b'c', &r.column),
                (b'd', &r.datatype),
                (b'n', &r.constraint),
                (b'P', &position),
                (b'p', &internal_position),
                (b'q', &r.internal_query),
            ];
            for (code, v) in optional {
                if let Some(v) = v {
                    field(code, v);
                }
            }
            let source = r.source();
            field(b'F', source.file);
            field(b'L', &source.line.to_string());
            field(b'R', source.routine);
            b.push(0);
        });
    }
}

/// The 1-based character position of a byte offset in a text.
pub fn char_position(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(i, _)| *i < byte).count() + 1
}

/// Appends a C string; a NUL inside would end it early, so it is cut there. What the encoding lacks becomes `?`.
fn cstr(b: &mut Vec<u8>, encoding: Option<Encoding>, s: &str) {
    let s = match encoding {
        None => Cow::Borrowed(s.as_bytes()),
        Some(e) => e.encode_lossy(s),
    };
    let n = s.iter().position(|&c| c == 0).unwrap_or(s.len());
    b.extend_from_slice(&s[..n]);
    b.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_lengths() {
        let mut w = Writer::default();
        w.data_row(2, |i, b| {
            if i == 0 {
                b.extend_from_slice(b"xy");
            }
            Ok::<bool, ()>(i == 0)
        })
        .unwrap();
        assert_eq!(w.pending(), b"D\0\0\0\x10\0\x02\0\0\0\x02xy\xff\xff\xff\xff");
    }

    #[test]
    fn a_row_that_fails_leaves_nothing() {
        let mut w = Writer::default();
        let failed = w.data_row(2, |i, b| {
            b.push(b'x');
            if i == 0 { Ok(true) } else { Err("no") }
        });
        assert_eq!((failed, w.pending()), (Err("no"), &b""[..]));
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(char_position("äb c", 2), 2);
        assert_eq!(char_position("abc", 0), 1);
        assert_eq!(char_position("abc", 99), 4);
    }
}
