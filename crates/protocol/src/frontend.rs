//! Messages from the client: a type byte, a length, a body. Decoding borrows from the read buffer, checks every length
//! against what is there and allocates nothing but the short lists of a Bind.

use common::{Result, bail};

/// What Describe and Close name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Statement,
    Portal,
}

/// Bind: parameter values for a prepared statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind<'a> {
    pub portal: &'a str,
    pub statement: &'a str,
    /// None: all text; one: for all; else one a parameter. 0 text, 1 binary.
    pub formats: Vec<i16>,
    /// `None` is NULL.
    pub values: Vec<Option<&'a [u8]>>,
    pub result_formats: Vec<i16>,
}

/// A message from the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Frontend<'a> {
    Query(&'a str),
    Parse {
        name: &'a str,
        sql: &'a str,
        param_types: Vec<u32>,
    },
    Bind(Bind<'a>),
    Describe(Target, &'a str),
    Execute {
        portal: &'a str,
        max_rows: i32,
    },
    Close(Target, &'a str),
    Sync,
    Flush,
    Terminate,
    CopyData(&'a [u8]),
    CopyDone,
    CopyFail(&'a str),
    FunctionCall {
        oid: u32,
        formats: Vec<i16>,
        args: Vec<Option<&'a [u8]>>,
        result_format: i16,
    },
    /// Password, SASLInitialResponse, SASLResponse: what it is depends on the exchange.
    Password(&'a [u8]),
}

/// Longest body of the messages that carry data, and of the others.
pub const LARGE_MESSAGE: usize = 0x3fff_ffff;
const SMALL_MESSAGE: usize = 10_000;

/// Longest body accepted for a message type; `None` if there is no such message.
pub fn max_body(kind: u8) -> Option<usize> {
    match kind {
        b'Q' | b'P' | b'B' | b'F' | b'd' => Some(LARGE_MESSAGE),
        b'D' | b'E' | b'C' | b'S' | b'H' | b'X' | b'c' | b'f' | b'p' => Some(SMALL_MESSAGE),
        _ => None,
    }
}

/// Reads a message body, item by item.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            bail!(PROTOCOL_VIOLATION, "insufficient data left in message");
        }
        let (a, b) = self.0.split_at(n);
        self.0 = b;
        Ok(a)
    }
    fn u8(&mut self) -> Result<u8> {
        match self.take(1) {
            Ok(b) => Ok(b[0]),
            Err(_) => bail!(PROTOCOL_VIOLATION, "no data left in message"),
        }
    }
    fn i16(&mut self) -> Result<i16> {
        let b = self.take(2)?;
        Ok(i16::from_be_bytes([b[0], b[1]]))
    }
    fn i32(&mut self) -> Result<i32> {
        let b = self.take(4)?;
        Ok(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    fn str(&mut self) -> Result<&'a str> {
        let Some(n) = self.0.iter().position(|&b| b == 0) else {
            bail!(PROTOCOL_VIOLATION, "invalid string in message");
        };
        let s = self.take(n)?;
        self.take(1)?;
        utf8(s)
    }
    fn formats(&mut self) -> Result<Vec<i16>> {
        let n = self.i16()?;
        (0..n as u16).map(|_| self.i16()).collect()
    }
    fn values(&mut self) -> Result<Vec<Option<&'a [u8]>>> {
        let n = self.i16()?;
        (0..n as u16)
            .map(|_| match self.i32()? {
                -1 => Ok(None),
                len if len < 0 => bail!(PROTOCOL_VIOLATION, "insufficient data left in message"),
                len => self.take(len as usize).map(Some),
            })
            .collect()
    }
    fn target(&mut self, what: &str) -> Result<Target> {
        match self.u8()? {
            b'S' => Ok(Target::Statement),
            b'P' => Ok(Target::Portal),
            c => bail!(PROTOCOL_VIOLATION, "invalid {what} message subtype {c}"),
        }
    }
    fn end<T>(self, v: T) -> Result<T> {
        if !self.0.is_empty() {
            bail!(PROTOCOL_VIOLATION, "invalid message format");
        }
        Ok(v)
    }
}

/// Client text must be valid in the client's encoding (UTF-8): 22021 names the first bad bytes.
pub fn utf8(b: &[u8]) -> Result<&str> {
    match std::str::from_utf8(b) {
        Ok(s) => Ok(s),
        Err(e) => {
            let bad = &b[e.valid_up_to()..];
            // As many as the first byte announces.
            let announced = match bad.first() {
                Some(0xC0..=0xDF) => 2,
                Some(0xE0..=0xEF) => 3,
                Some(0xF0..=0xF7) => 4,
                _ => 1,
            };
            let n = announced.min(bad.len());
            let hex: Vec<String> = bad[..n].iter().map(|b| format!("0x{b:02x}")).collect();
            bail!(
                CHARACTER_NOT_IN_REPERTOIRE,
                "invalid byte sequence for encoding \"UTF8\": {}",
                hex.join(" ")
            )
        }
    }
}

/// Decodes a message of type `kind` from its body.
pub fn decode(kind: u8, body: &[u8]) -> Result<Frontend<'_>> {
    let mut b = Body(body);
    match kind {
        b'Q' => {
            let sql = b.str()?;
            b.end(Frontend::Query(sql))
        }
        b'P' => {
            let (name, sql, n) = (b.str()?, b.str()?, b.i16()?);
            let types: Result<Vec<u32>> = (0..n as u16).map(|_| b.i32().map(|v| v as u32)).collect();
            b.end(Frontend::Parse { name, sql, param_types: types? })
        }
        b'B' => {
            let (portal, statement) = (b.str()?, b.str()?);
            let (formats, values, result_formats) = (b.formats()?, b.values()?, b.formats()?);
            b.end(Frontend::Bind(Bind { portal, statement, formats, values, result_formats }))
        }
        b'D' => {
            let (t, name) = (b.target("DESCRIBE")?, b.str()?);
            b.end(Frontend::Describe(t, name))
        }
        b'E' => {
            let (portal, max_rows) = (b.str()?, b.i32()?);
            b.end(Frontend::Execute { portal, max_rows })
        }
        b'C' => {
            let (t, name) = (b.target("CLOSE")?, b.str()?);
            b.end(Frontend::Close(t, name))
        }
        b'F' => {
            let (oid, formats, args, result_format) = (b.i32()? as u32, b.formats()?, b.values()?, b.i16()?);
            b.end(Frontend::FunctionCall { oid, formats, args, result_format })
        }
        b'S' => b.end(Frontend::Sync),
        b'H' => b.end(Frontend::Flush),
        b'X' => b.end(Frontend::Terminate),
        b'd' => Ok(Frontend::CopyData(body)),
        b'c' => b.end(Frontend::CopyDone),
        b'f' => {
            let s = b.str()?;
            b.end(Frontend::CopyFail(s))
        }
        b'p' => Ok(Frontend::Password(body)),
        c => Err(common::err!(PROTOCOL_VIOLATION, "invalid frontend message type {c}").fatal()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_truncation_is_an_error_not_a_panic() {
        let mut bind = b"portal\0stmt\0".to_vec();
        bind.extend_from_slice(&[0, 1, 0, 1, 0, 2, 0, 0, 0, 2, b'a', b'b', 0xff, 0xff, 0xff, 0xff, 0, 0]);
        let Frontend::Bind(b) = decode(b'B', &bind).unwrap() else { panic!() };
        assert_eq!(b.values, vec![Some(&b"ab"[..]), None]);
        for cut in 0..bind.len() {
            assert!(decode(b'B', &bind[..cut]).is_err(), "cut at {cut}");
        }
        for kind in 0..=255u8 {
            for body in [&b""[..], &[0xff; 9], &[0; 9], b"x\0\x7f\xff\xff\xff"] {
                let _ = decode(kind, body);
            }
        }
    }

    #[test]
    fn invalid_utf8_is_named() {
        let e = decode(b'Q', b"select '\xff\xfe'\0").unwrap_err();
        assert_eq!(e.report().message, "invalid byte sequence for encoding \"UTF8\": 0xff");
        assert_eq!(e.sqlstate().as_str(), "22021");
    }
}
