//! Names in text: `schema."Name"`, with argument types for functions and operators.

use super::super::with_analyze;
use common::{Oid, Result, err};
use types::CallCtx;

fn bad_syntax() -> common::Error {
    err!(INVALID_NAME, "invalid name syntax")
}

/// Longest identifier in bytes.
const NAME_MAX: usize = 63;

/// Splits `a."B".c` into its parts: unquoted ones are folded to lower case. 42602 for anything else.
pub fn split_qualified(text: &str) -> Result<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text.trim_matches(|c: char| c.is_ascii_whitespace());
    loop {
        let mut part = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next() {
                    Some((i, '"')) if quoted[i + 1..].starts_with('"') => {
                        part.push('"');
                        chars.next();
                    }
                    Some((i, '"')) => break i,
                    Some((_, c)) => part.push(c),
                    None => return Err(bad_syntax()),
                }
            };
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(|c: char| c == '.' || c.is_ascii_whitespace()).unwrap_or(rest.len());
            part = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        if part.is_empty() {
            return Err(bad_syntax());
        }
        out.push(crate::naming::clip(&part, NAME_MAX).to_string());
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        if rest.is_empty() {
            return Ok(out);
        }
        rest = rest.strip_prefix('.').ok_or_else(bad_syntax)?;
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }
}

/// The type a piece of text names.
pub fn parse_type(c: &CallCtx<'_>, text: &str) -> Result<Oid> {
    // Positions in the literal mean nothing in the statement.
    let lost = |mut e: common::Error| {
        e.report_mut().position = None;
        e
    };
    let bad = |e: common::Error| lost(e).context(format!("invalid type name \"{text}\""));
    let tn = parser::parse_type_name(text).map_err(bad)?;
    with_analyze(c, |a| Ok(analyze::resolve_type_name(a, &tn).map_err(lost)?.0))
}

/// `name(type, type)`: the name's parts and the argument types; `NONE` (an absent operand) is allowed with `none`.
pub fn split_signature(c: &CallCtx<'_>, text: &str, none: bool) -> Result<(String, Vec<Oid>)> {
    let bad = |what: &str| err!(INVALID_TEXT_REPRESENTATION, "{what}");
    let mut quoted = false;
    let open = text.char_indices().find(|(_, ch)| {
        quoted ^= *ch == '"';
        *ch == '(' && !quoted
    });
    let Some((open, _)) = open else { return Err(bad("expected a left parenthesis")) };
    let inner = text[open + 1..].trim_end();
    let Some(inner) = inner.strip_suffix(')') else { return Err(bad("expected a right parenthesis")) };
    let mut types = Vec::new();
    if inner.trim().is_empty() {
        return Ok((text[..open].to_string(), types));
    }
    for part in split_commas(inner) {
        let part = part.trim();
        if part.is_empty() {
            return Err(bad("expected a type name"));
        }
        if none && part.eq_ignore_ascii_case("none") {
            types.push(Oid::INVALID);
        } else {
            types.push(parse_type(c, part)?);
        }
    }
    Ok((text[..open].to_string(), types))
}

/// Splits at commas outside quotes and parentheses.
fn split_commas(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0i32, false);
    for (i, ch) in text.char_indices() {
        match ch {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names() {
        let ok = |t: &str| split_qualified(t).unwrap();
        assert_eq!(ok("PG_Class"), ["pg_class"]);
        assert_eq!(ok(" a . \"B\"\"c\" "), ["a", "B\"c"]);
        for bad in ["", "a b", "a.", ".a", "\"a", "\"\""] {
            assert!(split_qualified(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn commas() {
        assert_eq!(split_commas("int4,numeric(10,2),\"a,b\""), ["int4", "numeric(10,2)", "\"a,b\""]);
    }
}
