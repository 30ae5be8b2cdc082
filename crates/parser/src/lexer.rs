//! Text to tokens, after PostgreSQL 15's lexical rules by default with
//! `standard_conforming_strings` on ([`LexOptions`]). The grammar pulls one
//! token at a time; nothing is copied unless an escape, a capital letter or a continuation forces it.
//! Invariant: the position is always on a character border.

use crate::keywords;
use crate::token::{T, Token};
use common::{Error, Report, Result, Severity, SqlState, err};
use std::borrow::Cow;

/// Longest identifier in bytes; the rest is cut off with a NOTICE.
pub const IDENT_BYTES_MAX: usize = 63;

const IDENT_START: u8 = 1;
const IDENT_CONT: u8 = 2;
const SPACE: u8 = 4;
const OPERATOR: u8 = 8;
const DIGIT: u8 = 16;

/// Character classes of all bytes.
static CLASS: [u8; 256] = {
    let mut t = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        if c.is_ascii_alphabetic() || c == b'_' || c >= 0x80 {
            t[i] |= IDENT_START | IDENT_CONT;
        }
        if c.is_ascii_digit() {
            t[i] |= DIGIT | IDENT_CONT;
        }
        if c == b'$' {
            t[i] |= IDENT_CONT;
        }
        if matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0C) {
            t[i] |= SPACE;
        }
        if matches!(
            c,
            b'~' | b'!'
                | b'@'
                | b'#'
                | b'^'
                | b'&'
                | b'|'
                | b'`'
                | b'?'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
                | b'%'
                | b'<'
                | b'>'
                | b'='
        ) {
            t[i] |= OPERATOR;
        }
        i += 1;
    }
    t
};

/// The value of a few digits, or of more that fit.
#[inline]
fn small_integer(digits: &str) -> Option<i32> {
    if digits.len() > 9 {
        return digits.parse().ok();
    }
    Some(digits.bytes().fold(0, |n, b| n * 10 + i32::from(b - b'0')))
}

/// Settings that decide how strings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexOptions {
    /// `standard_conforming_strings`: a backslash in `'…'` is a backslash.
    pub plain_strings: bool,
    /// `escape_string_warning`: tell whoever escapes in `'…'`.
    pub warn_escapes: bool,
    /// `backslash_quote`: is `\'` a quote?
    pub backslash_quote: bool,
}

impl Default for LexOptions {
    fn default() -> LexOptions {
        LexOptions { plain_strings: true, warn_escapes: true, backslash_quote: true }
    }
}

/// The scanner over one query string.
pub struct Lexer<'a> {
    pub(crate) src: &'a str,
    bytes: &'a [u8],
    pub(crate) pos: usize,
    notices: Vec<Report>,
    pub(crate) options: LexOptions,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `src`.
    pub fn new(src: &'a str) -> Lexer<'a> {
        Lexer::with_options(src, LexOptions::default())
    }

    /// The same, under these settings.
    pub fn with_options(src: &'a str, options: LexOptions) -> Lexer<'a> {
        Lexer { src, bytes: src.as_bytes(), pos: 0, notices: Vec::new(), options }
    }

    /// What was reported so far, and forgets it.
    pub fn take_notices(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.notices)
    }

    /// Adds a report of the grammar's.
    pub(crate) fn add_notice(&mut self, report: Report) {
        self.notices.push(report);
    }

    #[inline]
    fn at(&self, i: usize) -> u8 {
        self.bytes.get(i).copied().unwrap_or(0)
    }

    #[inline]
    fn has(&self, i: usize, class: u8) -> bool {
        self.bytes.get(i).is_some_and(|b| CLASS[usize::from(*b)] & class != 0)
    }

    fn error_near(&self, message: &str, start: usize, end: usize) -> Error {
        let near = &self.src[start..end];
        err!(SYNTAX_ERROR, "{message} at or near \"{near}\"").at(start)
    }

    /// The next token; after the last one `Eof`, again and again.
    pub fn next_token(&mut self) -> Result<Token<'a>> {
        self.skip_space()?;
        let start = self.pos;
        let Some(&c) = self.bytes.get(start) else {
            return Ok(self.token(T::Eof, start, Cow::Borrowed("")));
        };
        let class = CLASS[usize::from(c)];
        if class & IDENT_START != 0 {
            return self.word(start, c);
        }
        if class & DIGIT != 0 || (c == b'.' && self.has(start + 1, DIGIT)) {
            return self.number(start);
        }
        match c {
            b'\'' if self.options.plain_strings => self.plain_string(start, start + 1),
            b'\'' => self.escape_string(start, start + 1, self.options.warn_escapes),
            b'"' => self.quoted_identifier(start),
            b'$' => self.dollar(start),
            b':' => Ok(match self.at(start + 1) {
                b':' => self.fixed(T::TypeCast, start, 2),
                b'=' => self.fixed(T::ColonEquals, start, 2),
                _ => self.fixed(T::Char(c), start, 1),
            }),
            b'.' if self.at(start + 1) == b'.' => Ok(self.fixed(T::DotDot, start, 2)),
            _ if class & OPERATOR != 0 => self.operator(start),
            _ => Ok(self.fixed(T::Char(c), start, 1)),
        }
    }

    fn token(&mut self, kind: T, start: usize, text: Cow<'a, str>) -> Token<'a> {
        Token { kind, ival: 0, start, end: self.pos, text }
    }

    fn fixed(&mut self, kind: T, start: usize, len: usize) -> Token<'a> {
        self.pos = start + len;
        self.token(kind, start, Cow::Borrowed(""))
    }

    /// Skips white space and comments.
    fn skip_space(&mut self) -> Result<()> {
        loop {
            while self.has(self.pos, SPACE) {
                self.pos += 1;
            }
            match (self.at(self.pos), self.at(self.pos + 1)) {
                (b'-', b'-') => self.skip_line(),
                (b'/', b'*') => self.skip_block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.pos < self.bytes.len() && !matches!(self.bytes[self.pos], b'\n' | b'\r') {
            self.pos += 1;
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) -> Result<()> {
        let start = self.pos;
        let mut depth = 0usize;
        let mut i = start;
        while i < self.bytes.len() {
            match (self.bytes[i], self.at(i + 1)) {
                (b'/', b'*') => {
                    depth += 1;
                    i += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    i += 2;
                    if depth == 0 {
                        self.pos = i;
                        return Ok(());
                    }
                }
                _ => i += 1,
            }
        }
        Err(self.error_near("unterminated /* comment", start, self.bytes.len()))
    }

    /// A keyword, an identifier, or the prefix of a string (`E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`).
    fn word(&mut self, start: usize, c: u8) -> Result<Token<'a>> {
        if self.at(start + 1) == b'\'' {
            match c {
                b'e' | b'E' => return self.escape_string(start, start + 2, false),
                b'b' | b'B' => return self.bit_string(start, 'b', T::BConst, "bit"),
                b'x' | b'X' => return self.bit_string(start, 'x', T::XConst, "hexadecimal"),
                b'n' | b'N' => return Ok(self.fixed(T::Kw(keywords::Kw::Nchar), start, 1)),
                _ => {}
            }
        }
        if matches!(c, b'u' | b'U') && self.at(start + 1) == b'&' {
            match self.at(start + 2) {
                b'\'' => return self.unicode_string(start),
                b'"' => return self.unicode_identifier(start),
                _ => {}
            }
        }
        let mut end = start + 1;
        let mut upper = c.is_ascii_uppercase();
        while let Some(&b) = self.bytes.get(end) {
            if CLASS[usize::from(b)] & IDENT_CONT == 0 {
                break;
            }
            upper |= b.is_ascii_uppercase();
            end += 1;
        }
        self.pos = end;
        let word = &self.src[start..end];
        if upper {
            return self.mixed_case_word(start, word);
        }
        if let Some(kw) = keywords::lookup(word.as_bytes()) {
            return Ok(self.token(T::Kw(kw), start, Cow::Borrowed("")));
        }
        let text = self.truncate(Cow::Borrowed(word));
        Ok(self.token(T::Ident, start, text))
    }

    fn mixed_case_word(&mut self, start: usize, word: &str) -> Result<Token<'a>> {
        if word.len() <= keywords::MAX_LEN {
            let mut lower = [0u8; keywords::MAX_LEN];
            for (to, from) in lower.iter_mut().zip(word.bytes()) {
                *to = from.to_ascii_lowercase();
            }
            if let Some(kw) = keywords::lookup(&lower[..word.len()]) {
                return Ok(self.token(T::Kw(kw), start, Cow::Borrowed("")));
            }
        }
        let text = self.truncate(Cow::Owned(word.to_ascii_lowercase()));
        Ok(self.token(T::Ident, start, text))
    }

    /// Cuts an identifier to its longest form, with PostgreSQL's notice.
    #[inline]
    pub(crate) fn truncate(&mut self, ident: Cow<'a, str>) -> Cow<'a, str> {
        if ident.len() <= IDENT_BYTES_MAX { ident } else { self.cut(ident) }
    }

    #[cold]
    fn cut(&mut self, ident: Cow<'a, str>) -> Cow<'a, str> {
        let mut end = IDENT_BYTES_MAX;
        while !ident.is_char_boundary(end) {
            end -= 1;
        }
        let cut = &ident[..end];
        self.notices.push(Report::new(
            Severity::Notice,
            SqlState::NAME_TOO_LONG,
            format!("identifier \"{ident}\" will be truncated to \"{cut}\""),
        ));
        Cow::Owned(cut.to_string())
    }

    /// Finds the closing quote (doubled ones are content). Returns content end, position after it, and whether
    /// there were doubled ones.
    pub(crate) fn quoted_end(&self, from: usize, quote: u8) -> Option<(usize, usize, bool)> {
        let mut i = from;
        let mut doubled = false;
        loop {
            i += self.bytes[i..].iter().position(|b| *b == quote)?;
            if self.at(i + 1) == quote {
                doubled = true;
                i += 2;
            } else {
                return Some((i, i + 1, doubled));
            }
        }
    }

    /// After a closing quote: the position behind the opening quote of a continuation, if white space with a newline
    /// leads to one.
    fn continuation(&self, from: usize) -> Option<usize> {
        let mut i = from;
        let mut newline = false;
        loop {
            match self.bytes.get(i)? {
                b'\n' | b'\r' => {
                    newline = true;
                    i += 1;
                }
                b' ' | b'\t' | 0x0C => i += 1,
                b'-' if self.at(i + 1) == b'-' => {
                    while i < self.bytes.len() && !matches!(self.bytes[i], b'\n' | b'\r') {
                        i += 1;
                    }
                }
                b'\'' if newline => return Some(i + 1),
                _ => return None,
            }
        }
    }

    /// As [`Lexer::continuation`], from the present position.
    pub(crate) fn string_continuation(&self) -> Option<usize> {
        self.continuation(self.pos)
    }

    /// A string without escapes; `content` is behind the opening quote.
    pub(crate) fn plain_string(&mut self, start: usize, content: usize) -> Result<Token<'a>> {
        let text = self.string_content(start, content, "quoted string")?;
        Ok(self.token(T::SConst, start, text))
    }

    fn string_content(&mut self, start: usize, content: usize, what: &str) -> Result<Cow<'a, str>> {
        let mut text = Cow::Borrowed("");
        let mut from = content;
        loop {
            let Some((end, after, doubled)) = self.quoted_end(from, b'\'') else {
                return Err(self.error_near(&format!("unterminated {what}"), start, self.bytes.len()));
            };
            self.pos = after;
            let raw = &self.src[from..end];
            let part = if doubled { Cow::Owned(raw.replace("''", "'")) } else { Cow::Borrowed(raw) };
            if text.is_empty() {
                text = part;
            } else {
                text.to_mut().push_str(&part);
            }
            match self.continuation(after) {
                Some(next) => from = next,
                None => return Ok(text),
            }
        }
    }

    fn bit_string(&mut self, start: usize, prefix: char, kind: T, what: &str) -> Result<Token<'a>> {
        let mut text = String::from(prefix);
        let mut from = start + 2;
        loop {
            let Some(n) = self.bytes[from..].iter().position(|b| *b == b'\'') else {
                let message = format!("unterminated {what} string literal");
                return Err(self.error_near(&message, start, self.bytes.len()));
            };
            text.push_str(&self.src[from..from + n]);
            self.pos = from + n + 1;
            match self.continuation(self.pos) {
                Some(next) => from = next,
                None => return Ok(self.token(kind, start, Cow::Owned(text))),
            }
        }
    }

    fn quoted_identifier(&mut self, start: usize) -> Result<Token<'a>> {
        let Some((end, after, doubled)) = self.quoted_end(start + 1, b'"') else {
            return Err(self.error_near("unterminated quoted identifier", start, self.bytes.len()));
        };
        self.pos = after;
        if end == start + 1 {
            return Err(self.error_near("zero-length delimited identifier", start, after));
        }
        let raw = &self.src[start + 1..end];
        let text = if doubled { Cow::Owned(raw.replace("\"\"", "\"")) } else { Cow::Borrowed(raw) };
        let text = self.truncate(text);
        Ok(self.token(T::Ident, start, text))
    }

    /// `$1`, `$tag$ … $tag$`, or a stray dollar sign.
    fn dollar(&mut self, start: usize) -> Result<Token<'a>> {
        if self.has(start + 1, DIGIT) {
            return self.param(start);
        }
        let mut i = start + 1;
        if self.has(i, IDENT_START) {
            while self.has(i, IDENT_CONT) && self.bytes[i] != b'$' {
                i += 1;
            }
        }
        if self.at(i) != b'$' {
            return Ok(self.fixed(T::Char(b'$'), start, 1));
        }
        let tag = &self.src[start..=i];
        let Some(n) = self.src[i + 1..].find(tag) else {
            return Err(self.error_near("unterminated dollar-quoted string", start, self.bytes.len()));
        };
        self.pos = i + 1 + n + tag.len();
        Ok(self.token(T::SConst, start, Cow::Borrowed(&self.src[i + 1..i + 1 + n])))
    }

    fn param(&mut self, start: usize) -> Result<Token<'a>> {
        let mut end = start + 1;
        let mut number: i64 = 0;
        while self.has(end, DIGIT) {
            number = number.saturating_mul(10).saturating_add(i64::from(self.bytes[end] - b'0'));
            end += 1;
        }
        if self.has(end, IDENT_START) {
            return Err(self.junk("trailing junk after parameter", start, end));
        }
        self.pos = end;
        let mut token = self.token(T::Param, start, Cow::Borrowed(""));
        token.ival = number as i32;
        Ok(token)
    }

    fn junk(&self, message: &str, start: usize, from: usize) -> Error {
        let mut end = from;
        while self.has(end, IDENT_CONT) {
            end += 1;
        }
        self.error_near(message, start, end)
    }

    fn digits(&self, mut i: usize) -> usize {
        while self.has(i, DIGIT) {
            i += 1;
        }
        i
    }

    fn number(&mut self, start: usize) -> Result<Token<'a>> {
        let mut end = self.digits(start);
        let mut integer = true;
        if self.at(end) == b'.' && self.at(end + 1) != b'.' {
            integer = false;
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), b'e' | b'E') {
            let signed = matches!(self.at(end + 1), b'+' | b'-');
            let exponent = end + 1 + usize::from(signed);
            if self.has(exponent, DIGIT) {
                integer = false;
                end = self.digits(exponent);
            } else if signed {
                return Err(self.error_near("trailing junk after numeric literal", start, exponent));
            }
        }
        if self.has(end, IDENT_START) {
            return Err(self.junk("trailing junk after numeric literal", start, end));
        }
        self.pos = end;
        let text = &self.src[start..end];
        if integer && let Some(value) = small_integer(text) {
            let mut token = self.token(T::IConst, start, Cow::Borrowed(text));
            token.ival = value;
            return Ok(token);
        }
        Ok(self.token(T::FConst, start, Cow::Borrowed(text)))
    }

    /// The longest run of operator characters, cut before a comment and without trailing `+` and `-` unless one of
    /// the characters before them cannot occur in a standard SQL operator.
    fn operator(&mut self, start: usize) -> Result<Token<'a>> {
        let mut end = start + 1;
        while self.has(end, OPERATOR) {
            if matches!((self.bytes[end], self.at(end + 1)), (b'/', b'*') | (b'-', b'-')) {
                break;
            }
            end += 1;
        }
        while end - start > 1 && matches!(self.bytes[end - 1], b'+' | b'-') {
            let special =
                |b: &u8| matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
            if self.bytes[start..end - 1].iter().any(special) {
                break;
            }
            end -= 1;
        }
        let text = &self.src[start..end];
        let kind = match text.as_bytes() {
            [c @ (b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'<' | b'>' | b'=')] => T::Char(*c),
            b"=>" => T::EqualsGreater,
            b"<=" => T::LessEquals,
            b">=" => T::GreaterEquals,
            b"<>" | b"!=" => T::NotEquals,
            _ => T::Op,
        };
        if text.len() > IDENT_BYTES_MAX {
            return Err(self.error_near("operator too long", start, end));
        }
        self.pos = end;
        Ok(self.token(kind, start, Cow::Borrowed(text)))
    }
}
