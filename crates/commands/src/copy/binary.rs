//! The binary format: a signature, then tuples of length-prefixed fields.

use super::stream::Stream;
use common::{Result, bail};

/// The signature.
pub const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Reads a binary stream from the client.
pub struct BinaryReader<'a> {
    host: &'a Stream<'a>,
    buf: Vec<u8>,
    at: usize,
    eof: bool,
}

impl<'a> BinaryReader<'a> {
    /// From the client.
    pub fn new(host: &'a Stream<'a>) -> BinaryReader<'a> {
        BinaryReader { host, buf: Vec::new(), at: 0, eof: false }
    }
    /// Makes `n` bytes available, as far as there are that many.
    fn need(&mut self, n: usize) -> Result<bool> {
        while self.buf.len() - self.at < n {
            if self.eof {
                return Ok(false);
            }
            if self.at > 0 {
                self.buf.drain(..self.at);
                self.at = 0;
            }
            self.eof = !self.host.copy_in_read(&mut self.buf)?;
        }
        Ok(true)
    }
    fn take(&mut self, n: usize) -> &[u8] {
        self.at += n;
        &self.buf[self.at - n..self.at]
    }
    /// Checks signature, flags and header extension.
    pub fn header(&mut self) -> Result<()> {
        if !self.need(11)? || self.take(11) != SIGNATURE {
            bail!(BAD_COPY_FILE_FORMAT, "COPY file signature not recognized");
        }
        if !self.need(4)? {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing flags)");
        }
        let flags = be32(self.take(4));
        if flags & (1 << 16) != 0 {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (WITH OIDS)");
        }
        if flags >> 17 != 0 {
            bail!(BAD_COPY_FILE_FORMAT, "unrecognized critical flags in COPY file header");
        }
        if !self.need(4)? {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing length)");
        }
        let skip = be32(self.take(4)) as i32;
        if skip < 0 || !self.need(skip as usize)? {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (wrong length)");
        }
        self.take(skip as usize);
        Ok(())
    }
    /// Number of fields of the next tuple; `None` at the trailer.
    pub fn tuple(&mut self) -> Result<Option<usize>> {
        if !self.need(2)? {
            return Ok(None);
        }
        let b = self.take(2);
        let n = i16::from_be_bytes([b[0], b[1]]);
        if n == -1 {
            if self.need(1)? {
                bail!(BAD_COPY_FILE_FORMAT, "received copy data after EOF marker");
            }
            return Ok(None);
        }
        Ok(Some(n as usize))
    }
    /// The next field; `None` is NULL.
    pub fn field(&mut self) -> Result<Option<&[u8]>> {
        if !self.need(4)? {
            bail!(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data");
        }
        let n = be32(self.take(4)) as i32;
        if n == -1 {
            return Ok(None);
        }
        if n < 0 {
            bail!(BAD_COPY_FILE_FORMAT, "invalid field size");
        }
        if !self.need(n as usize)? {
            bail!(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data");
        }
        Ok(Some(self.take(n as usize)))
    }
}

fn be32(b: &[u8]) -> u32 {
    u32::from_be_bytes([b[0], b[1], b[2], b[3]])
}
