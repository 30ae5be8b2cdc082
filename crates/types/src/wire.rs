//! Shared pieces of the I/O functions: reading binary values, writing decimal digits, trimming as C's `isspace` does.

use common::{Result, bail, err};

/// Reader over a value in binary wire format.
pub struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    /// Starts at the first byte.
    pub fn new(b: &'a [u8]) -> Wire<'a> {
        Wire { rest: b }
    }
    /// The next `n` bytes; 08P01 if there are fewer.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.rest.len() {
            bail!(PROTOCOL_VIOLATION, "insufficient data left in message");
        }
        let (a, b) = self.rest.split_at(n);
        self.rest = b;
        Ok(a)
    }
    /// One byte; 08P01 where there is none.
    pub fn byte(&mut self) -> Result<u8> {
        match self.rest.split_first() {
            Some((b, rest)) => {
                self.rest = rest;
                Ok(*b)
            }
            None => bail!(PROTOCOL_VIOLATION, "no data left in message"),
        }
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.take(N)?);
        Ok(a)
    }
    /// Sixteen bits.
    pub fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }
    /// Thirty-two bits.
    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }
    /// Sixty-four bits.
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }
    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
    /// How much is left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }
    /// Nothing may be left: 22P03 otherwise.
    pub fn end(self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(err!(INVALID_BINARY_REPRESENTATION, "incorrect binary data format"))
        }
    }
}

/// Appends a signed integer in decimal.
pub fn push_i64(out: &mut Vec<u8>, v: i64) {
    if v < 0 {
        out.push(b'-');
    }
    push_u64(out, v.unsigned_abs());
}

/// Appends an unsigned integer in decimal.
pub fn push_u64(out: &mut Vec<u8>, mut v: u64) {
    let mut buf = [0u8; 20];
    let mut at = 20;
    loop {
        at -= 1;
        buf[at] = b'0' + (v % 10) as u8;
        v /= 10;
        if v == 0 {
            break;
        }
    }
    out.extend_from_slice(&buf[at..]);
}

/// Appends `v` with at least `width` digits.
pub fn push_padded(out: &mut Vec<u8>, v: i64, width: usize) {
    let mut digits = Vec::with_capacity(20);
    push_u64(&mut digits, v.unsigned_abs());
    if v < 0 {
        out.push(b'-');
    }
    out.resize(out.len() + width.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(&digits);
}

/// C's `isspace` in the C locale.
pub fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Without leading and trailing white space.
pub fn trim(s: &str) -> &str {
    s.trim_matches(|c: char| c.is_ascii() && is_space(c as u8))
}

/// 22P02 for text that is not a value of the type.
#[cold]
pub fn bad_input(type_name: &str, text: &str) -> common::Error {
    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type {}: \"{}\"", type_name, text)
}
