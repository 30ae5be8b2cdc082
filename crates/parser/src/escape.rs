//! The lexer's strings with escapes: `E'…'` and the `U&` forms. Apart from the lexer because of their many errors.

use crate::keywords::Kw;
use crate::lexer::Lexer;
use crate::token::{T, Token};
use common::{Error, Report, Result, Severity, SqlState, err};
use std::borrow::Cow;

/// First halves of surrogate pairs.
fn is_first(c: u32) -> bool {
    (0xD800..0xDC00).contains(&c)
}

/// Second halves of surrogate pairs.
fn is_second(c: u32) -> bool {
    (0xDC00..0xE000).contains(&c)
}

fn combine(first: u32, second: u32) -> u32 {
    0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
}

/// Value of exactly `n` hexadecimal digits at `from`.
fn hex(bytes: &[u8], from: usize, n: usize) -> Option<u32> {
    let digits = bytes.get(from..from + n)?;
    digits.iter().try_fold(0u32, |v, d| Some((v << 4) | (*d as char).to_digit(16)?))
}

impl<'a> Lexer<'a> {
    fn surrogate_error(&self, at: usize) -> Error {
        let width = self.src[at..].chars().next().map_or(0, char::len_utf8);
        let near = &self.src[at..at + width];
        err!(SYNTAX_ERROR, "invalid Unicode surrogate pair at or near \"{near}\"").at(at)
    }

    /// `E'…'`, or any string where backslashes escape; `content` is behind the opening quote. With `warn` the first escape
    /// is told of.
    pub(crate) fn escape_string(&mut self, start: usize, content: usize, warn: bool) -> Result<Token<'a>> {
        let mut warn = warn;
        let src = self.src;
        let bytes = src.as_bytes();
        let mut out: Vec<u8> = Vec::new();
        let mut pending: Option<u32> = None;
        let mut i = content;
        loop {
            let Some(&c) = bytes.get(i) else {
                let near = &src[start..];
                return Err(err!(SYNTAX_ERROR, "unterminated quoted string at or near \"{near}\"").at(start));
            };
            let unicode = c == b'\\' && matches!(bytes.get(i + 1), Some(b'u' | b'U'));
            if pending.is_some() && !unicode {
                return Err(self.surrogate_error(i));
            }
            match c {
                b'\'' if bytes.get(i + 1) == Some(&b'\'') => {
                    out.push(b'\'');
                    i += 2;
                }
                b'\'' => {
                    self.pos = i + 1;
                    match self.string_continuation() {
                        Some(next) => i = next,
                        None => break,
                    }
                }
                b'\\' if std::mem::take(&mut warn) => self.warn_escape(start, bytes.get(i + 1)),
                b'\\' if bytes.get(i + 1) == Some(&b'\'') && !self.options.backslash_quote => {
                    return Err(err!(
                        NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
                        "unsafe use of \\' in a string literal"
                    )
                    .hint("Use '' to write quotes in strings. \\' is insecure in client-only encodings.")
                    .at(start));
                }
                b'\\' if unicode => i = self.unicode_escape(i, &mut out, &mut pending)?,
                b'\\' => i = simple_escape(bytes, i, &mut out),
                _ => {
                    out.push(c);
                    i += 1;
                }
            }
        }
        let text = valid_utf8(out)?;
        let end = self.pos;
        Ok(Token { kind: T::SConst, ival: 0, start, end, text: Cow::Owned(text) })
    }

    /// `escape_string_warning`: what stands behind a backslash decides the words.
    fn warn_escape(&mut self, start: usize, next: Option<&u8>) {
        let (what, hint) = match next {
            Some(b'\'') => {
                ("\\'", "Use '' to write quotes in strings, or use the escape string syntax (E'...').")
            }
            Some(b'\\') => ("\\\\", "Use the escape string syntax for backslashes, e.g., E'\\\\'."),
            _ => ("escape", "Use the escape string syntax for escapes, e.g., E'\\r\\n'."),
        };
        let mut r = Report::new(
            Severity::Warning,
            SqlState::NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
            format!("nonstandard use of {what} in a string literal"),
        );
        r.hint = Some(hint.into());
        r.position = Some(start);
        self.add_notice(r);
    }

    /// `\uXXXX` or `\UXXXXXXXX` at `i`; returns the position behind it.
    fn unicode_escape(&self, i: usize, out: &mut Vec<u8>, pending: &mut Option<u32>) -> Result<usize> {
        let src = self.src;
        let digits = if src.as_bytes()[i + 1] == b'u' { 4 } else { 8 };
        let Some(c) = hex(src.as_bytes(), i + 2, digits) else {
            return Err(err!(INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape")
                .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
                .at(i));
        };
        let end = i + 2 + digits;
        let near = &src[i..end];
        let pair_error = || err!(SYNTAX_ERROR, "invalid Unicode surrogate pair at or near \"{near}\"").at(i);
        let c = match pending.take() {
            Some(first) if is_second(c) => combine(first, c),
            Some(_) => return Err(pair_error()),
            None if is_second(c) => return Err(pair_error()),
            None if is_first(c) => {
                *pending = Some(c);
                return Ok(end);
            }
            None => c,
        };
        match char::from_u32(c) {
            Some(ch) if c != 0 => out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return Err(err!(SYNTAX_ERROR, "invalid Unicode escape value at or near \"{near}\"").at(i)),
        }
        Ok(end)
    }

    /// Raw content and end of a `U&` string whose opening quote is at `start + 2`, doubled quotes kept.
    pub(crate) fn unicode_string(&mut self, start: usize) -> Result<Token<'a>> {
        if !self.options.plain_strings {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "unsafe use of string constant with Unicode escapes"
            )
            .detail("String constants with Unicode escapes cannot be used when standard_conforming_strings is off.")
            .at(start));
        }
        let mut token = self.plain_string(start, start + 3)?;
        token.text = Cow::Owned(self.resolve_unicode(&token)?);
        token.end = self.pos.max(token.end);
        Ok(token)
    }

    pub(crate) fn unicode_identifier(&mut self, start: usize) -> Result<Token<'a>> {
        let Some((end, after, doubled)) = self.quoted_end(start + 3, b'"') else {
            let near = &self.src[start..];
            return Err(err!(SYNTAX_ERROR, "unterminated quoted identifier at or near \"{near}\"").at(start));
        };
        self.pos = after;
        if end == start + 3 {
            let near = &self.src[start..after];
            return Err(
                err!(SYNTAX_ERROR, "zero-length delimited identifier at or near \"{near}\"").at(start)
            );
        }
        let raw = &self.src[start + 3..end];
        let text = if doubled { Cow::Owned(raw.replace("\"\"", "\"")) } else { Cow::Borrowed(raw) };
        let mut token = Token { kind: T::Ident, ival: 0, start, end: after, text };
        let resolved = self.resolve_unicode(&token)?;
        token.text = self.truncate(Cow::Owned(resolved));
        token.end = self.pos.max(token.end);
        Ok(token)
    }

    /// Looks for UESCAPE behind the token and resolves the escapes in its text.
    fn resolve_unicode(&mut self, token: &Token<'a>) -> Result<String> {
        let saved = self.pos;
        let mut escape = '\\';
        if matches!(self.next_token()?.kind, T::Kw(Kw::Uescape)) {
            let literal = self.next_token()?;
            let near = &self.src[literal.start..literal.end];
            // A string with Unicode escapes waits for an UESCAPE of its own.
            let unicode = near.starts_with(['U', 'u']) && near[1..].starts_with('&');
            if literal.kind != T::SConst || unicode {
                let message = "UESCAPE must be followed by a simple string literal";
                return Err(match literal.kind {
                    T::Eof => err!(SYNTAX_ERROR, "{message} at end of input").at(literal.start),
                    _ => err!(SYNTAX_ERROR, "{message} at or near \"{near}\"").at(literal.start),
                });
            }
            let mut chars = literal.text.chars();
            escape = match (chars.next(), chars.next()) {
                (Some(c), None) if valid_escape_char(c) => c,
                _ => {
                    return Err(err!(SYNTAX_ERROR, "invalid Unicode escape character at or near \"{near}\"")
                        .at(literal.start));
                }
            };
        } else {
            self.pos = saved;
        }
        unescape_unicode(&token.text, escape, token.start + 3)
    }
}

fn valid_escape_char(c: char) -> bool {
    c.is_ascii()
        && !c.is_ascii_hexdigit()
        && !matches!(c, '+' | '\'' | '"' | ' ' | '\t' | '\n' | '\r' | '\x0C')
}

/// A backslash and what follows, other than the Unicode forms.
fn simple_escape(bytes: &[u8], i: usize, out: &mut Vec<u8>) -> usize {
    let Some(&c) = bytes.get(i + 1) else {
        return i + 1;
    };
    let plain = match c {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0'..=b'7' => {
            let mut end = i + 1;
            let mut value = 0u32;
            while end < i + 4 && matches!(bytes.get(end), Some(b'0'..=b'7')) {
                value = value * 8 + u32::from(bytes[end] - b'0');
                end += 1;
            }
            out.push(value as u8);
            return end;
        }
        b'x' if bytes.get(i + 2).is_some_and(u8::is_ascii_hexdigit) => {
            let two = bytes.get(i + 3).is_some_and(u8::is_ascii_hexdigit);
            let n = if two { 2 } else { 1 };
            out.push(hex(bytes, i + 2, n).unwrap_or(0) as u8);
            return i + 2 + n;
        }
        _ => c,
    };
    out.push(plain);
    i + 2
}

/// Octal and hexadecimal escapes can build anything; the result must be text.
fn valid_utf8(bytes: Vec<u8>) -> Result<String> {
    if bytes.contains(&0) {
        return Err(invalid_bytes(&[0]));
    }
    String::from_utf8(bytes).map_err(|e| {
        let from = e.utf8_error().valid_up_to();
        let rest = &e.as_bytes()[from..];
        let width = match rest[0] {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        invalid_bytes(&rest[..width.min(rest.len())])
    })
}

fn invalid_bytes(bytes: &[u8]) -> Error {
    let shown: Vec<String> = bytes.iter().map(|b| format!("0x{b:02x}")).collect();
    err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "))
}

/// Resolves `\XXXX`, `\+XXXXXX` and doubled escape characters. `offset` is where the text starts in the statement.
fn unescape_unicode(text: &str, escape: char, offset: usize) -> Result<String> {
    let bytes = text.as_bytes();
    let esc = escape as u8;
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<u32> = None;
    let mut i = 0;
    let pair_error = |i: usize| err!(SYNTAX_ERROR, "invalid Unicode surrogate pair").at(offset + i);
    while i < bytes.len() {
        if bytes[i] != esc || bytes.get(i + 1) == Some(&esc) {
            if pending.is_some() {
                return Err(pair_error(i));
            }
            let c = text[i..].chars().next().unwrap_or_default();
            out.push(c);
            i += if bytes[i] == esc { 2 } else { c.len_utf8() };
            continue;
        }
        let (value, len) = if let Some(v) = hex(bytes, i + 1, 4) {
            (v, 5)
        } else if bytes.get(i + 1) == Some(&b'+')
            && let Some(v) = hex(bytes, i + 2, 6)
        {
            (v, 8)
        } else {
            return Err(err!(SYNTAX_ERROR, "invalid Unicode escape")
                .hint("Unicode escapes must be \\XXXX or \\+XXXXXX.")
                .at(offset + i));
        };
        let value = match pending.take() {
            Some(first) if is_second(value) => combine(first, value),
            Some(_) => return Err(pair_error(i)),
            None if is_second(value) => return Err(pair_error(i)),
            None if is_first(value) => {
                pending = Some(value);
                i += len;
                continue;
            }
            None => value,
        };
        match char::from_u32(value) {
            Some(c) if value != 0 => out.push(c),
            _ => return Err(err!(SYNTAX_ERROR, "invalid Unicode escape value").at(offset + i)),
        }
        i += len;
    }
    if pending.is_some() {
        return Err(pair_error(i));
    }
    Ok(out)
}
