//! LIKE and ILIKE: `%` any string, `_` one character, backslash takes the next character literally.

use crate::CallCtx;
use crate::locale::{self, Ctype};
use common::{Result, bail};

#[derive(PartialEq)]
enum Match {
    Yes,
    No,
    /// The text ended early: no later start can match either.
    Abort,
}

fn char_len(b: u8) -> usize {
    match b {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}

fn same(a: u8, b: u8, fold: bool) -> bool {
    if fold { a.eq_ignore_ascii_case(&b) } else { a == b }
}

fn matcher(mut t: &[u8], mut p: &[u8], fold: bool) -> Result<Match> {
    while let Some(&c) = p.first() {
        match c {
            b'\\' => {
                let Some(&lit) = p.get(1) else {
                    // Nobody asks what follows where the text is over.
                    if t.is_empty() {
                        return Ok(Match::Abort);
                    }
                    bail!(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character");
                };
                match t.first() {
                    None => return Ok(Match::Abort),
                    Some(&x) if same(x, lit, fold) => {}
                    Some(_) => return Ok(Match::No),
                }
                (t, p) = (&t[1..], &p[2..]);
            }
            b'%' => return percent(t, p, fold),
            b'_' => {
                let Some(&x) = t.first() else { return Ok(Match::Abort) };
                (t, p) = (&t[char_len(x).min(t.len())..], &p[1..]);
            }
            _ => match t.first() {
                None => return Ok(Match::Abort),
                Some(&x) if same(x, c, fold) => (t, p) = (&t[1..], &p[1..]),
                Some(_) => return Ok(Match::No),
            },
        }
    }
    Ok(if t.is_empty() { Match::Yes } else { Match::No })
}

/// Tries every start for what follows a `%`.
fn percent(mut t: &[u8], mut p: &[u8], fold: bool) -> Result<Match> {
    while let Some(&c) = p.first() {
        match c {
            b'%' => p = &p[1..],
            b'_' => {
                let Some(&x) = t.first() else { return Ok(Match::Abort) };
                (t, p) = (&t[char_len(x).min(t.len())..], &p[1..]);
            }
            _ => break,
        }
    }
    let Some(&first) = p.first() else { return Ok(Match::Yes) };
    let first = if first == b'\\' {
        match p.get(1) {
            Some(&l) => l,
            None => bail!(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character"),
        }
    } else {
        first
    };
    while let Some(&x) = t.first() {
        if same(x, first, fold) {
            let m = matcher(t, p, fold)?;
            if m != Match::No {
                return Ok(m);
            }
        }
        t = &t[char_len(x).min(t.len())..];
    }
    Ok(Match::Abort)
}

/// Does the text match the pattern? 22025 when the pattern ends with a backslash.
pub fn like_match(text: &[u8], pattern: &[u8], fold_case: bool) -> Result<bool> {
    Ok(matcher(text, pattern, fold_case)? == Match::Yes)
}

pub fn textlike(c: &CallCtx<'_>, t: &[u8], p: &[u8]) -> Result<bool> {
    c.collation.require_deterministic("LIKE")?;
    like_match(t, p, false)
}
pub fn textnlike(c: &CallCtx<'_>, t: &[u8], p: &[u8]) -> Result<bool> {
    textlike(c, t, p).map(|m| !m)
}
pub fn bytealike(t: &[u8], p: &[u8]) -> Result<bool> {
    like_match(t, p, false)
}
pub fn byteanlike(t: &[u8], p: &[u8]) -> Result<bool> {
    like_match(t, p, false).map(|m| !m)
}
pub fn texticlike(c: &CallCtx<'_>, t: &[u8], p: &[u8]) -> Result<bool> {
    c.collation.require("ILIKE")?;
    c.collation.require_deterministic("ILIKE")?;
    let ctype = c.collation.ctype();
    if ctype == Ctype::Ascii {
        return like_match(t, p, true);
    }
    let (mut text, mut pattern) = (Vec::with_capacity(t.len()), Vec::with_capacity(p.len()));
    locale::lower(ctype, t, &mut text);
    locale::lower(ctype, p, &mut pattern);
    like_match(&text, &pattern, false)
}
pub fn texticnlike(c: &CallCtx<'_>, t: &[u8], p: &[u8]) -> Result<bool> {
    texticlike(c, t, p).map(|m| !m)
}
/// Rewrites a pattern with another escape character to one with backslashes.
pub fn like_escape(pattern: &str, escape: &str, out: &mut Vec<u8>) -> Result<()> {
    let mut it = escape.chars();
    let esc = it.next();
    if it.next().is_some() {
        return Err(common::err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut buf = [0; 4];
    let mut after_escape = false;
    for c in pattern.chars() {
        if Some(c) == esc && !after_escape && esc != Some('\\') {
            out.push(b'\\');
            after_escape = true;
            continue;
        }
        if c == '\\' && esc != Some('\\') && !after_escape {
            out.push(b'\\');
        }
        out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
        after_escape = esc == Some('\\') && c == '\\' && !after_escape;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn like() {
        for (t, p, want) in [
            ("hawkeye", "h%", true),
            ("hawkeye", "%eye", true),
            ("hawkeye", "h_wk%", true),
            ("hawkeye", "H%", false),
            ("h%", "h\\%", true),
            ("hx", "h\\%", false),
            ("äb", "_b", true),
            ("äb", "__b", false),
            ("", "%", true),
            ("", "_", false),
            ("abc", "a%c%", true),
            ("aaab", "%ab", true),
        ] {
            assert_eq!(super::like_match(t.as_bytes(), p.as_bytes(), false).unwrap(), want, "{t} {p}");
        }
        assert!(super::like_match(b"HAWK", b"h%K", true).unwrap());
    }
}
