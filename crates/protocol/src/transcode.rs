//! Messages of a client whose encoding is not UTF-8: the strings in them are turned into UTF-8 before the message is
//! decoded, so that nothing behind this border knows of encodings.

use common::{Encoding, Result};

/// The body of a message with its strings in UTF-8. What is no well-formed message stays as it is: decoding it reports why.
pub fn to_utf8(encoding: Encoding, kind: u8, body: &[u8]) -> Result<Vec<u8>> {
    let mut t = Transcoder { encoding, rest: body, out: Vec::with_capacity(body.len() + body.len() / 2) };
    match kind {
        b'Q' | b'f' | b'E' => t.string()?,
        b'P' => {
            t.string()?;
            t.string()?;
        }
        b'D' | b'C' => {
            t.copy(1);
            t.string()?;
        }
        b'B' => {
            t.string()?;
            t.string()?;
            t.values()?;
        }
        b'F' => {
            t.copy(4);
            t.values()?;
        }
        _ => {}
    }
    t.copy(t.rest.len());
    Ok(t.out)
}

struct Transcoder<'a> {
    encoding: Encoding,
    rest: &'a [u8],
    out: Vec<u8>,
}

impl<'a> Transcoder<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (a, b) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = b;
        a
    }
    /// `n` bytes as they are, fewer at the end.
    fn copy(&mut self, n: usize) {
        let bytes = self.take(n);
        self.out.extend_from_slice(bytes);
    }
    /// A string and its NUL.
    fn string(&mut self) -> Result<()> {
        let Some(n) = self.rest.iter().position(|&b| b == 0) else { return Ok(()) };
        let text = self.take(n);
        self.out.extend_from_slice(self.encoding.decode(text)?.as_bytes());
        self.copy(1);
        Ok(())
    }
    /// A count of 16 bits, copied.
    fn count(&mut self) -> usize {
        let bytes = self.take(2);
        self.out.extend_from_slice(bytes);
        if let [a, b] = bytes { usize::from(u16::from_be_bytes([*a, *b])) } else { 0 }
    }
    /// Format codes, then values: those in text format are strings.
    fn values(&mut self) -> Result<()> {
        let n = self.count();
        let formats = self.take(2 * n);
        self.out.extend_from_slice(formats);
        let is_text = |i: usize| {
            let at = if n == 1 { 0 } else { i };
            formats.get(2 * at..2 * at + 2).is_none_or(|f| f == [0, 0])
        };
        for i in 0..self.count() {
            let Some(len) = self.rest.first_chunk::<4>().map(|l| i32::from_be_bytes(*l)) else {
                return Ok(());
            };
            if len <= 0 || len as usize > self.rest.len() - 4 || !is_text(i) {
                self.copy(4 + len.max(0) as usize);
                continue;
            }
            self.take(4);
            let bytes = self.take(len as usize);
            let text = self.encoding.decode(bytes)?;
            self.out.extend_from_slice(&(text.len() as u32).to_be_bytes());
            self.out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::{Frontend, decode};

    fn latin1() -> Encoding {
        Encoding::by_name("LATIN1").unwrap()
    }

    #[test]
    fn strings_and_text_values() {
        let body = to_utf8(latin1(), b'Q', b"select '\xe9'\0").unwrap();
        assert_eq!(decode(b'Q', &body).unwrap(), Frontend::Query("select 'é'"));
        let mut bind = b"\0s\xe9\0".to_vec();
        bind.extend_from_slice(&[0, 2, 0, 0, 0, 1, 0, 2]);
        for _ in 0..2 {
            bind.extend_from_slice(&[0, 0, 0, 1, 0xe9]);
        }
        bind.extend_from_slice(&[0, 0]);
        let body = to_utf8(latin1(), b'B', &bind).unwrap();
        let Frontend::Bind(b) = decode(b'B', &body).unwrap() else { panic!() };
        assert_eq!(b.statement, "sé");
        assert_eq!(b.values, vec![Some("é".as_bytes()), Some(&b"\xe9"[..])]);
    }

    #[test]
    fn truncated_messages_are_left_to_the_decoder() {
        let mut bind = b"p\0s\0".to_vec();
        bind.extend_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 2, b'a', 0xe9, 0, 0]);
        for cut in 0..bind.len() {
            for kind in 0..=255u8 {
                let _ = to_utf8(latin1(), kind, &bind[..cut]);
            }
        }
    }
}
