//! A scanner that takes anything: the tokens of a statement that may be written for another system, back quotes and all.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    /// `'…'` and `$$…$$`
    Text,
    /// `"…"`
    Quoted,
    /// `` `…` ``
    BackQuoted,
    /// A single character.
    Punct,
}

#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// Words in lower case, others as written.
    pub(crate) text: Cow<'a, str>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All tokens; what is not closed ends with the text.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut list = Vec::new();
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, len) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |i| i + 2);
                continue;
            }
            '\'' => (Kind::Text, quoted(rest, '\'')),
            '"' => (Kind::Quoted, quoted(rest, '"')),
            '`' => (Kind::BackQuoted, quoted(rest, '`')),
            '$' => dollar(rest),
            '0'..='9' => (Kind::Number, run(rest, |c| c.is_alphanumeric() || c == '.' || c == '_')),
            _ if c.is_alphabetic() || c == '_' => {
                (Kind::Word, run(rest, |c| c.is_alphanumeric() || c == '_' || c == '$'))
            }
            _ => (Kind::Punct, c.len_utf8()),
        };
        let text = &rest[..len];
        let text = if kind == Kind::Word && text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        list.push(Token { kind, text, start: at, end: at + len });
        at += len;
    }
    list
}

fn run(s: &str, more: fn(char) -> bool) -> usize {
    s.find(|c| !more(c)).unwrap_or(s.len())
}

/// Length of what stands in quotes, doubled ones included.
fn quoted(s: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(i) = s[from..].find(quote) {
        from += i + 1;
        if !s[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    s.len()
}

/// `$tag$…$tag$`, or a lone dollar sign.
fn dollar(s: &str) -> (Kind, usize) {
    let tag = 1 + run(&s[1..], |c| c.is_alphanumeric() || c == '_');
    if !s[tag..].starts_with('$') {
        return (Kind::Punct, 1);
    }
    let open = &s[..=tag];
    let len = s[open.len()..].find(open).map_or(s.len(), |i| i + 2 * open.len());
    (Kind::Text, len)
}
