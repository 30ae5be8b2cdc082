//! JSON text: lexer and push parser. Every function that reads `json` or turns text into `jsonb` runs [`parse`] with a
//! [`Sink`]. The parser keeps its own stack, so nesting costs no native stack; depth is bounded by [`DEPTH_MAX`].
//! Errors have PostgreSQL's texts, details and the CONTEXT line that shows where in the document they lie.

use common::{Error, Result, SqlState, err};
use std::borrow::Cow;

/// Deepest nesting of arrays and objects: what recursive readers of the tree can bear on an ordinary stack.
pub const DEPTH_MAX: usize = 1500;

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    /// Unescaped (empty when escapes were not asked for).
    String(Cow<'a, str>),
}

/// Receives the document's parts in order. Positions are byte offsets into the text.
pub trait Sink<'a> {
    /// `{` or `[`.
    fn start(&mut self, object: bool, at: usize) -> Result<()>;
    /// The matching end; `end` lies behind it.
    fn end(&mut self, end: usize) -> Result<()>;
    /// Name of the next member of the object.
    fn key(&mut self, key: Cow<'a, str>) -> Result<()>;
    /// A scalar and where it stands.
    fn scalar(&mut self, v: Scalar<'a>, start: usize, end: usize) -> Result<()>;
}

/// Looks only whether the text is JSON.
pub struct Check;
impl Sink<'_> for Check {
    fn start(&mut self, _: bool, _: usize) -> Result<()> {
        Ok(())
    }
    fn end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn key(&mut self, _: Cow<'_, str>) -> Result<()> {
        Ok(())
    }
    fn scalar(&mut self, _: Scalar<'_>, _: usize, _: usize) -> Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    String,
    Number,
    True,
    False,
    Null,
    Punct(u8),
}

/// What the parser waits for.
#[derive(Clone, Copy)]
enum Want {
    Value,
    ArrayFirst,
    ArrayNext,
    ObjectFirst,
    ObjectKey,
    ObjectNext,
    End,
}

struct Lexer<'a> {
    text: &'a str,
    b: &'a [u8],
    start: usize,
    end: usize,
    line: usize,
    line_start: usize,
    token: Token,
    escapes: bool,
    value: Cow<'a, str>,
}

fn word_char(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

impl<'a> Lexer<'a> {
    fn char_end(&self, at: usize) -> usize {
        at + self.text.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8)
    }
    #[cold]
    fn fail(&self, state: SqlState, message: &str, detail: String) -> Error {
        let mut from = self.line_start;
        while self.end - from >= 50 && from < self.end {
            from = self.char_end(from);
        }
        if from - self.line_start <= 3 {
            from = self.line_start;
        }
        let prefix = if from > self.line_start { "..." } else { "" };
        let more =
            self.token != Token::End && self.b.get(self.end).is_some_and(|c| !matches!(c, b'\n' | b'\r'));
        Error::new(state, message).detail(detail).context(format!(
            "JSON data, line {}: {}{}{}",
            self.line,
            prefix,
            self.text.get(from..self.end).unwrap_or(""),
            if more { "..." } else { "" }
        ))
    }
    #[cold]
    fn invalid(&self, detail: String) -> Error {
        self.fail(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json", detail)
    }
    fn shown(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or("")
    }
    #[cold]
    fn bad_token(&mut self, end: usize) -> Error {
        self.end = end;
        self.invalid(format!("Token \"{}\" is invalid.", self.shown()))
    }
    #[cold]
    fn unexpected(&self, want: &str) -> Error {
        self.invalid(match self.token {
            Token::End => "The input string ended unexpectedly.".into(),
            _ => format!("Expected {want}, but found \"{}\".", self.shown()),
        })
    }
    /// Reads the next token.
    fn next(&mut self) -> Result<()> {
        let mut s = self.end;
        while let Some(c @ (b' ' | b'\t' | b'\n' | b'\r')) = self.b.get(s) {
            s += 1;
            if *c == b'\n' {
                self.line += 1;
                self.line_start = s;
            }
        }
        self.start = s;
        // Lexical errors are not at the end of input, whatever the previous token was.
        self.token = Token::Null;
        let Some(&c) = self.b.get(s) else {
            self.token = Token::End;
            self.end = s;
            return Ok(());
        };
        match c {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                self.token = Token::Punct(c);
                self.end = s + 1;
            }
            b'"' => {
                self.string()?;
                self.token = Token::String;
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                self.token = Token::Number;
            }
            _ => {
                let mut p = s;
                while self.b.get(p).is_some_and(|c| word_char(*c)) {
                    p += 1;
                }
                if p == s {
                    return Err(self.bad_token(s + 1));
                }
                self.end = p;
                self.token = match &self.b[s..p] {
                    b"true" => Token::True,
                    b"false" => Token::False,
                    b"null" => Token::Null,
                    _ => return Err(self.bad_token(p)),
                };
            }
        }
        Ok(())
    }
    fn number(&mut self) -> Result<()> {
        let end = scan_number(&self.b[self.start..]);
        let at = self.start + end.unwrap_or_else(|e| e);
        let mut p = at;
        while self.b.get(p).is_some_and(|c| word_char(*c)) {
            p += 1;
        }
        if end.is_err() || p > at {
            return Err(self.bad_token(p));
        }
        self.end = at;
        Ok(())
    }
    fn string(&mut self) -> Result<()> {
        let from = self.start + 1;
        let mut p = from;
        // The common case borrows from the text.
        while self.b.get(p).is_some_and(|c| !matches!(c, b'"' | b'\\') && *c >= 32) {
            p += 1;
        }
        if self.b.get(p) == Some(&b'"') {
            self.end = p + 1;
            if self.escapes {
                self.value = Cow::Borrowed(&self.text[from..p]);
            }
            return Ok(());
        }
        let mut out = if self.escapes { self.text[from..p].to_string() } else { String::new() };
        let mut high: Option<u32> = None;
        loop {
            let Some(&c) = self.b.get(p) else { return Err(self.bad_token(self.b.len())) };
            if c != b'\\' {
                if high.is_some() {
                    self.end = if c == b'"' { p + 1 } else { self.char_end(p) };
                    return Err(self.surrogate("Unicode low surrogate must follow a high surrogate."));
                }
                if c == b'"' {
                    self.end = p + 1;
                    break;
                }
                if c < 32 {
                    self.end = p;
                    return Err(self.invalid(format!("Character with value 0x{c:02x} must be escaped.")));
                }
                let e = self.char_end(p);
                if self.escapes {
                    out.push_str(&self.text[p..e]);
                }
                p = e;
                continue;
            }
            p = self.escape(p, &mut out, &mut high)?;
        }
        if self.escapes {
            self.value = Cow::Owned(out);
        }
        Ok(())
    }
    #[cold]
    fn surrogate(&self, detail: &str) -> Error {
        self.invalid(detail.into())
    }
    /// An escape sequence at `p`; returns where it ends.
    fn escape(&mut self, p: usize, out: &mut String, high: &mut Option<u32>) -> Result<usize> {
        let Some(&c) = self.b.get(p + 1) else { return Err(self.bad_token(self.b.len())) };
        if c == b'u' {
            let mut v = 0;
            for i in 0..4 {
                let Some(&h) = self.b.get(p + 2 + i) else { return Err(self.bad_token(self.b.len())) };
                let Some(d) = (h as char).to_digit(16) else {
                    self.end = self.char_end(p + 2 + i);
                    return Err(self.invalid("\"\\u\" must be followed by four hexadecimal digits.".into()));
                };
                v = v * 16 + d;
            }
            if self.escapes {
                self.end = p + 6;
                self.unicode(v, out, high)?;
            }
            return Ok(p + 6);
        }
        if high.is_some() {
            self.end = p + 2;
            return Err(self.surrogate("Unicode low surrogate must follow a high surrogate."));
        }
        let plain = match c {
            b'"' | b'\\' | b'/' => c as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => {
                self.start = p;
                self.end = self.char_end(p + 1);
                return Err(self.invalid(format!("Escape sequence \"{}\" is invalid.", self.shown())));
            }
        };
        if self.escapes {
            out.push(plain);
        }
        Ok(p + 2)
    }
    fn unicode(&self, v: u32, out: &mut String, high: &mut Option<u32>) -> Result<()> {
        match v {
            0xd800..=0xdbff => {
                if high.is_some() {
                    return Err(self.surrogate("Unicode high surrogate must not follow a high surrogate."));
                }
                *high = Some(v);
                return Ok(());
            }
            0xdc00..=0xdfff => {
                let Some(h) = high.take() else {
                    return Err(self.surrogate("Unicode low surrogate must follow a high surrogate."));
                };
                let c = 0x10000 + ((h & 0x3ff) << 10) + (v & 0x3ff);
                out.push(char::from_u32(c).unwrap_or('\u{fffd}'));
                return Ok(());
            }
            _ => {}
        }
        if high.is_some() {
            return Err(self.surrogate("Unicode low surrogate must follow a high surrogate."));
        }
        if v == 0 {
            return Err(self.fail(
                SqlState::UNTRANSLATABLE_CHARACTER,
                "unsupported Unicode escape sequence",
                "\\u0000 cannot be converted to text.".into(),
            ));
        }
        out.push(char::from_u32(v).unwrap_or('\u{fffd}'));
        Ok(())
    }
}

/// Length of the number `b` begins with, or how far it got before it went wrong.
fn scan_number(b: &[u8]) -> std::result::Result<usize, usize> {
    let digits = |mut p: usize| {
        while b.get(p).is_some_and(u8::is_ascii_digit) {
            p += 1;
        }
        p
    };
    let mut p = usize::from(b.first() == Some(&b'-'));
    match b.get(p) {
        Some(b'0') => p += 1,
        Some(b'1'..=b'9') => p = digits(p),
        _ => return Err(p),
    }
    if b.get(p) == Some(&b'.') {
        let q = digits(p + 1);
        if q == p + 1 {
            return Err(q);
        }
        p = q;
    }
    if matches!(b.get(p), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(b.get(p + 1), Some(b'+' | b'-')));
        let q = digits(p + 1 + sign);
        if q == p + 1 + sign {
            return Err(q);
        }
        p = q;
    }
    Ok(p)
}

/// Is this a number in JSON's syntax?
pub fn is_number(s: &[u8]) -> bool {
    scan_number(s) == Ok(s.len())
}

/// 54001 for nesting beyond [`DEPTH_MAX`].
#[cold]
pub fn too_deep() -> Error {
    err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the \
         platform's stack depth limit is adequate.",
    )
}

/// Parses a document. With `escapes` strings are unescaped (and their escapes checked); without it `json` input accepts
/// surrogates it could not represent. 22P02, 22P05, 54001.
pub fn parse<'a>(text: &'a str, escapes: bool, sink: &mut impl Sink<'a>) -> Result<()> {
    let mut lx = Lexer {
        text,
        b: text.as_bytes(),
        start: 0,
        end: 0,
        line: 1,
        line_start: 0,
        token: Token::End,
        escapes,
        value: Cow::Borrowed(""),
    };
    // `true` for objects.
    let mut stack: Vec<bool> = Vec::new();
    let mut want = Want::Value;
    lx.next()?;
    loop {
        match (want, lx.token) {
            (Want::End, Token::End) => return Ok(()),
            (Want::End, _) => return Err(lx.unexpected("end of input")),
            (Want::ArrayFirst, Token::Punct(b']'))
            | (Want::ArrayNext, Token::Punct(b']'))
            | (Want::ObjectFirst | Want::ObjectNext, Token::Punct(b'}')) => {
                sink.end(lx.end)?;
                stack.pop();
                want = after(&stack);
            }
            (Want::ObjectFirst | Want::ObjectKey, Token::String) => {
                sink.key(std::mem::take(&mut lx.value))?;
                lx.next()?;
                if lx.token != Token::Punct(b':') {
                    return Err(lx.unexpected("\":\""));
                }
                want = Want::Value;
            }
            (Want::ArrayNext, Token::Punct(b',')) => want = Want::Value,
            (Want::ObjectNext, Token::Punct(b',')) => want = Want::ObjectKey,
            (Want::ArrayNext, _) => return Err(lx.unexpected("\",\" or \"]\"")),
            (Want::ObjectNext, _) => return Err(lx.unexpected("\",\" or \"}\"")),
            (Want::ObjectFirst, _) => return Err(lx.unexpected("string or \"}\"")),
            (Want::ObjectKey, _) => return Err(lx.unexpected("string")),
            (Want::Value | Want::ArrayFirst, Token::Punct(c @ (b'{' | b'['))) => {
                if stack.len() >= DEPTH_MAX {
                    return Err(too_deep());
                }
                stack.push(c == b'{');
                sink.start(c == b'{', lx.start)?;
                want = if c == b'{' { Want::ObjectFirst } else { Want::ArrayFirst };
            }
            (Want::Value | Want::ArrayFirst, t) => {
                let v = match t {
                    Token::String => Scalar::String(std::mem::take(&mut lx.value)),
                    Token::Number => Scalar::Number(lx.shown()),
                    Token::True => Scalar::Bool(true),
                    Token::False => Scalar::Bool(false),
                    Token::Null => Scalar::Null,
                    _ => return Err(lx.unexpected("JSON value")),
                };
                sink.scalar(v, lx.start, lx.end)?;
                want = after(&stack);
            }
        }
        lx.next()?;
    }
}

/// What may follow a complete value.
fn after(stack: &[bool]) -> Want {
    match stack.last() {
        None => Want::End,
        Some(true) => Want::ObjectNext,
        Some(false) => Want::ArrayNext,
    }
}

/// Kind of the first token of a document known to be valid: `{`, `[`, `"`, `0` for numbers, `t`, `f`, `n`.
pub fn first_kind(text: &str) -> u8 {
    match text.trim_start_matches([' ', '\t', '\n', '\r']).as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => b'0',
        Some(c) => *c,
        None => 0,
    }
}

/// Appends a JSON string with quotes.
pub fn push_string(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let b = s.as_bytes();
    let mut from = 0;
    for (i, &c) in b.iter().enumerate() {
        if c >= 32 && c != b'"' && c != b'\\' {
            continue;
        }
        out.extend_from_slice(&b[from..i]);
        from = i + 1;
        match c {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&b[from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_rejects() {
        for good in ["1", " [1, 2.5e-3,{}] ", r#"{"a":[true,null],"b":"\u00e9"}"#, "[]", r#""\ud800""#] {
            assert!(parse(good, false, &mut Check).is_ok(), "{good}");
        }
        for bad in
            ["", "[", "{", "01", "1e", "-", "{\"a\"}", "[1,]", "{,}", "\"\\x\"", "\"a", "[}", "1 2", "nul"]
        {
            assert!(parse(bad, true, &mut Check).is_err(), "{bad}");
        }
    }

    /// No prefix and no single-byte mutation of a document makes the parser panic.
    #[test]
    fn mutations() {
        let doc = r#"{"k\u00e9\n":[1,-2.5e+10,"é\ud83d\ude04",true,false,null,{"x":{}}]}"#;
        for i in 0..doc.len() {
            if let Some(s) = doc.get(..i) {
                let _ = parse(s, true, &mut Check);
            }
            for c in 0..128u8 {
                let mut b = doc.as_bytes().to_vec();
                b[i] = c;
                if let Ok(s) = std::str::from_utf8(&b) {
                    let _ = parse(s, true, &mut Check);
                }
            }
        }
    }

    #[test]
    fn context_lines() {
        let e = parse("[1,\n2,,3]", true, &mut Check).unwrap_err();
        assert_eq!(e.report().detail.as_deref(), Some("Expected JSON value, but found \",\"."));
        assert_eq!(e.report().context.as_deref(), Some("JSON data, line 2: 2,,..."));
    }
}
