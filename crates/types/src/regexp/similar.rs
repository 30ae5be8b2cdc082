//! SIMILAR TO patterns as POSIX ones.

use common::{Result, bail, err};

/// Rewrites a SIMILAR TO pattern. `escape`: `None` is backslash, empty means no escape character. 22025.
pub fn similar_to_posix(pattern: &str, escape: Option<&str>) -> Result<String> {
    let esc = match escape {
        None => Some('\\'),
        Some(e) => {
            let mut it = e.chars();
            let c = it.next();
            if it.next().is_some() {
                return Err(err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                    .hint("Escape string must be empty or one character."));
            }
            c
        }
    };
    let mut out = String::from("^(?:");
    let mut after_escape = false;
    let mut quotes = 0;
    // Depth 0: outside brackets; 1: just behind the opening one; 2: inside.
    let mut bracket = 0;
    for c in pattern.chars() {
        if after_escape {
            if c == '"' && bracket == 0 {
                match quotes {
                    0 => out.push_str("){1,1}?("),
                    1 => out.push_str("){1,1}(?:"),
                    _ => bail!(
                        INVALID_USE_OF_ESCAPE_CHARACTER,
                        "SQL regular expression may not contain more than two escape-double-quote separators"
                    ),
                }
                quotes += 1;
            } else {
                out.push('\\');
                out.push(c);
                if bracket > 0 {
                    bracket = 2;
                }
            }
            after_escape = false;
        } else if Some(c) == esc {
            after_escape = true;
        } else if bracket > 0 {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            if c == ']' && bracket == 2 {
                bracket = 0;
            } else if c != '^' || bracket == 2 {
                bracket = 2;
            }
        } else {
            match c {
                '[' => {
                    out.push('[');
                    bracket = 1;
                }
                '%' => out.push_str(".*"),
                '_' => out.push('.'),
                '(' => out.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                _ => out.push(c),
            }
        }
    }
    out.push_str(")$");
    Ok(out)
}

pub fn similar_to_escape_1(p: &str, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(similar_to_posix(p, None)?.as_bytes());
    Ok(())
}
pub fn similar_to_escape_2(p: &str, e: &str, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(similar_to_posix(p, Some(e))?.as_bytes());
    Ok(())
}
pub fn similar_escape(p: Option<&str>, e: Option<&str>, out: &mut Vec<u8>) -> Result<bool> {
    let Some(p) = p else { return Ok(false) };
    out.extend_from_slice(similar_to_posix(p, e)?.as_bytes());
    Ok(true)
}
