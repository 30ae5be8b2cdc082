//! The lines of a text or CSV stream: the client's messages cut it anywhere, a record ends at a newline that is not
//! quoted.

use super::options::{CopyOptions, Format};
use super::stream::Stream;
use common::{Result, bail, err};

/// The end-of-line of a stream; all lines must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eol {
    Unknown,
    Lf,
    Cr,
    CrLf,
}

/// Reads records.
pub struct Lines<'a> {
    host: &'a Stream<'a>,
    buf: Vec<u8>,
    at: usize,
    eof: bool,
    eol: Eol,
    csv: bool,
    quote: u8,
    escape: u8,
    /// All bytes at hand are ASCII, none is zero.
    clean: bool,
    /// Number of the record handed out last, from 1.
    pub number: u64,
    /// The record handed out last is clean text, with no quote or backslash in it.
    plain: bool,
    /// Where it lies.
    line: (usize, usize),
}

impl<'a> Lines<'a> {
    /// From the client.
    pub fn new(host: &'a Stream<'a>, o: &CopyOptions) -> Lines<'a> {
        Lines {
            host,
            buf: Vec::with_capacity(128 * 1024),
            at: 0,
            eof: false,
            eol: Eol::Unknown,
            csv: o.format == Format::Csv,
            quote: o.quote,
            escape: o.escape,
            clean: false,
            number: 0,
            plain: false,
            line: (0, 0),
        }
    }

    fn more(&mut self) -> Result<bool> {
        if self.eof {
            return Ok(false);
        }
        if self.at > 0 {
            self.buf.drain(..self.at);
            self.at = 0;
        }
        // Several messages at a time: a row a message is common.
        let want = self.buf.len() + 64 * 1024;
        while self.buf.len() < want {
            if !self.host.copy_in_read(&mut self.buf)? {
                self.eof = true;
                break;
            }
        }
        self.clean = self.buf.is_ascii() && memchr::memchr(0, &self.buf).is_none();
        Ok(true)
    }

    /// Where the record at `at` ends: (end of text, start of the next), if the buffer holds all of it.
    fn find_end(&self) -> Result<Option<(usize, usize)>> {
        let b = &self.buf[self.at..];
        let (mut i, mut quoted) = (0, false);
        while i < b.len() {
            let c = b[i];
            if self.csv {
                if quoted && c == self.escape && self.escape != self.quote {
                    i += 2;
                    continue;
                }
                if c == self.quote {
                    quoted = !quoted;
                }
                if quoted {
                    i += 1;
                    continue;
                }
            } else if c == b'\\' {
                // The byte behind a backslash is data, a newline too.
                i += 2;
                continue;
            }
            match c {
                b'\n' if self.eol == Eol::Cr || self.eol == Eol::CrLf => {
                    return Err(self.bare("newline", "\\n"));
                }
                b'\n' => return Ok(Some((i, i + 1))),
                b'\r' if self.eol == Eol::Lf => return Err(self.bare("carriage return", "\\r")),
                b'\r' => {
                    return match b.get(i + 1) {
                        Some(b'\n') => Ok(Some((i, i + 2))),
                        Some(_) => Ok(Some((i, i + 1))),
                        None if self.eof => Ok(Some((i, i + 1))),
                        None => Ok(None),
                    };
                }
                _ => i += 1,
            }
        }
        Ok(None)
    }

    fn bare(&self, what: &str, escape: &str) -> common::Error {
        if self.csv {
            err!(BAD_COPY_FILE_FORMAT, "unquoted {what} found in data")
                .hint(format!("Use quoted CSV field to represent {what}."))
        } else {
            err!(BAD_COPY_FILE_FORMAT, "literal {what} found in data")
                .hint(format!("Use \"{escape}\" to represent {what}."))
        }
    }

    /// The next record without its end-of-line; `None` at the end (or at the `\.` line).
    pub fn next_line(&mut self) -> Result<Option<&[u8]>> {
        self.number += 1;
        let (end, next) = loop {
            // Text without backslashes or quotes, the common case, is found by one search.
            let fast = if self.eol == Eol::Lf { self.fast_end() } else { None };
            self.plain = self.clean && fast.is_some();
            match fast.map_or_else(|| self.find_end(), |r| Ok(Some(r)))? {
                Some(r) => break r,
                None => {
                    if !self.more()? {
                        let rest = self.buf.len() - self.at;
                        if rest == 0 {
                            return Ok(None);
                        }
                        if self.csv && self.unterminated() {
                            bail!(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field");
                        }
                        break (rest, rest);
                    }
                }
            }
        };
        if self.eol == Eol::Unknown && next > end {
            self.eol = match &self.buf[self.at + end..self.at + next] {
                b"\n" => Eol::Lf,
                b"\r" => Eol::Cr,
                _ => Eol::CrLf,
            };
        }
        let start = self.at;
        self.at += next;
        let line = &self.buf[start..start + end];
        if line == b"\\." {
            self.drain()?;
            return Ok(None);
        }
        self.line = (start, start + end);
        Ok(Some(&self.buf[start..start + end]))
    }

    /// The record handed out last, and whether it is ASCII without zero bytes, quotes and backslashes.
    pub fn current(&self) -> (&[u8], bool) {
        (&self.buf[self.line.0..self.line.1], self.plain)
    }

    /// End of a line of LF-terminated text with no backslash (CSV: no quote) and no carriage return in it.
    fn fast_end(&self) -> Option<(usize, usize)> {
        let b = &self.buf[self.at..];
        let special = if self.csv { self.quote } else { b'\\' };
        let n = memchr::memchr3(b'\n', special, b'\r', b)?;
        (b[n] == b'\n').then_some((n, n + 1))
    }

    fn unterminated(&self) -> bool {
        self.buf[self.at..].iter().filter(|&&c| c == self.quote).count() % 2 == 1
    }

    /// After `\.` the rest of the client's data is thrown away.
    fn drain(&mut self) -> Result<()> {
        while !self.eof {
            self.buf.clear();
            self.at = 0;
            self.eof = !self.host.copy_in_read(&mut self.buf)?;
        }
        self.buf.clear();
        self.at = 0;
        Ok(())
    }
}
