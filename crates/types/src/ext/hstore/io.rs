//! Text and binary forms: `"a"=>"1", "b"=>NULL`.

use super::value::{Hstore, Pair, build, check_count};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail};
use std::borrow::Cow;

struct Reader<'a> {
    text: &'a str,
    pos: usize,
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }
    fn near(&self) -> Error {
        let c = self.text[self.pos..].chars().next().map_or(String::new(), String::from);
        Error::internal(format!("Syntax error near \"{c}\" at position {}", self.pos))
    }
    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.pos += 1;
        }
    }
    /// The character after a backslash.
    fn escaped(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(c) = self.text[self.pos..].chars().next() else { return Err(end()) };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.pos += c.len_utf8();
        Ok(())
    }
    /// A key or a value, and whether it was quoted; `None` at the end of the text.
    fn word(&mut self, is_value: bool) -> Result<Option<(Vec<u8>, bool)>> {
        self.skip_space();
        let mut out = Vec::new();
        match self.peek() {
            None => return Ok(None),
            Some(b'"') => {
                self.pos += 1;
                loop {
                    let Some(b) = self.peek() else { return Err(end()) };
                    self.pos += 1;
                    match b {
                        b'"' => return Ok(Some((out, true))),
                        b'\\' => self.escaped(&mut out)?,
                        b => out.push(b),
                    }
                }
            }
            Some(b'=') if !is_value => return Err(self.near()),
            Some(b'\\') => {
                self.pos += 1;
                self.escaped(&mut out)?;
            }
            Some(b) => {
                self.pos += 1;
                out.push(b);
            }
        }
        loop {
            match self.peek() {
                None => break,
                Some(b'=') if !is_value => break,
                Some(b',') if is_value => break,
                Some(b'\\') => {
                    self.pos += 1;
                    self.escaped(&mut out)?;
                }
                Some(b) if is_space(b) => break,
                Some(b) => {
                    self.pos += 1;
                    out.push(b);
                }
            }
        }
        Ok(Some((out, false)))
    }
    fn expect(&mut self, b: u8) -> Result<()> {
        match self.peek() {
            Some(x) if x == b => {
                self.pos += 1;
                Ok(())
            }
            Some(_) => Err(self.near()),
            None => Err(end()),
        }
    }
}

fn end() -> Error {
    Error::internal("Unexpected end of string")
}

fn parse(text: &str) -> Result<Vec<Pair<'static>>> {
    let mut r = Reader { text, pos: 0 };
    let mut pairs: Vec<Pair<'static>> = Vec::new();
    while let Some((key, _)) = r.word(false)? {
        r.skip_space();
        r.expect(b'=')?;
        r.expect(b'>')?;
        let Some((value, quoted)) = r.word(true)? else { return Err(end()) };
        let null = !quoted && value.eq_ignore_ascii_case(b"null");
        pairs.push((Cow::Owned(key), if null { None } else { Some(Cow::Owned(value)) }));
        r.skip_space();
        match r.peek() {
            None => break,
            Some(b',') => r.pos += 1,
            Some(_) => return Err(r.near()),
        }
    }
    Ok(pairs)
}

pub fn hstore_in(_: &CallCtx<'_>, text: &str, _: Oid, _: i32) -> Result<Datum> {
    let mut out = Vec::new();
    build(parse(text)?, &mut out)?;
    Ok(Datum::bytes(&out))
}

fn quoted(s: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &b in s {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
}

pub fn hstore_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    for (i, (k, v)) in Hstore::new(v.bytes())?.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        quoted(k, out);
        out.extend_from_slice(b"=>");
        match v {
            Some(v) => quoted(v, out),
            None => out.extend_from_slice(b"NULL"),
        }
    }
    Ok(())
}

struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn int(&mut self) -> Result<i32> {
        let (head, rest) = self.0.split_first_chunk::<4>().ok_or_else(short)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*head))
    }
    fn text(&mut self, n: i32) -> Result<&'a [u8]> {
        let n = usize::try_from(n).map_err(|_| short())?;
        if n > self.0.len() {
            return Err(short());
        }
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        if std::str::from_utf8(head).is_err() || head.contains(&0) {
            bail!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"");
        }
        Ok(head)
    }
}

fn short() -> Error {
    common::err!(PROTOCOL_VIOLATION, "insufficient data left in message")
}

pub fn hstore_recv(_: &CallCtx<'_>, wire: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire(wire);
    let count = w.int()?;
    let mut out = Vec::new();
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    check_count(usize::try_from(count).unwrap_or(usize::MAX))?;
    for _ in 0..count {
        let n = w.int()?;
        if n < 0 {
            bail!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for hstore key");
        }
        let key = w.text(n)?;
        let n = w.int()?;
        let value = if n < 0 { None } else { Some(Cow::Borrowed(w.text(n)?)) };
        pairs.push((Cow::Borrowed(key), value));
    }
    build(pairs, &mut out)?;
    Ok(Datum::bytes(&out))
}

pub fn hstore_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let h = Hstore::new(v.bytes())?;
    out.extend_from_slice(&(h.len() as i32).to_be_bytes());
    for (k, v) in h.iter() {
        out.extend_from_slice(&(k.len() as i32).to_be_bytes());
        out.extend_from_slice(k);
        match v {
            Some(v) => {
                out.extend_from_slice(&(v.len() as i32).to_be_bytes());
                out.extend_from_slice(v);
            }
            None => out.extend_from_slice(&(-1i32).to_be_bytes()),
        }
    }
    Ok(())
}
