//! The lines of a text or CSV stream: the client's messages cut it anywhere, a record ends at a newline that is not
//! quoted.

use super::options::{CopyOptions, Format};
use crate::Host;
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
    host: &'a dyn Host,
    buf: Vec<u8>,
    at: usize,
    eof: bool,
    eol: Eol,
    csv: bool,
    quote: u8,
    escape: u8,
    /// Number of the record handed out last, from 1.
    pub number: u64,
}

impl<'a> Lines<'a> {
    /// From the client.
    pub fn new(host: &'a dyn Host, o: &CopyOptions) -> Lines<'a> {
        Lines {
            host,
            buf: Vec::with_capacity(128 * 1024),
            at: 0,
            eof: false,
            eol: Eol::Unknown,
            csv: o.format == Format::Csv,
            quote: o.quote,
            escape: o.escape,
            number: 0,
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
            // Text without backslashes, the common case, is found by one search.
            let fast = if self.csv || self.eol != Eol::Lf { None } else { self.fast_end() };
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
        Ok(Some(&self.buf[start..start + end]))
    }

    /// End of a line of LF-terminated text with no backslash and no carriage return in it.
    fn fast_end(&self) -> Option<(usize, usize)> {
        let b = &self.buf[self.at..];
        let n = b.iter().position(|&c| c == b'\n' || c == b'\\' || c == b'\r')?;
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
