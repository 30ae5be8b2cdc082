//! The shape of a statement: its text with number and string literals replaced by a mark of their class. Found by one
//! pass over the bytes, by the lexical rules of `parser::lexer`; where those need a second look (comments, escape
//! strings, dollar quotes, continued strings, several statements) the statement has no shape and is not cached.

use common::Oid;
use std::borrow::Cow;
use types::oids;

/// Longest text looked at, and most literals.
const TEXT_BYTES_MAX: usize = 4096;
const LITERALS_MAX: usize = 64;

/// What the analyser makes of a literal where nothing around it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    Int4 = 1,
    Int8 = 2,
    Numeric = 3,
    /// A quoted string: type `unknown`.
    String = 4,
}

impl Class {
    /// The type of the constant.
    pub fn type_oid(self) -> Oid {
        match self {
            Class::Int4 => oids::INT4,
            Class::Int8 => oids::INT8,
            Class::Numeric => oids::NUMERIC,
            Class::String => oids::UNKNOWN,
        }
    }
}

/// A literal: where it stands in the text, quotes included.
#[derive(Clone, Copy, Debug)]
pub struct Literal {
    pub start: usize,
    pub end: usize,
    pub class: Class,
}

impl Literal {
    /// As written.
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.start..self.end]
    }
    /// The content of a quoted string.
    pub fn content<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        let inner = &sql[self.start + 1..self.end - 1];
        if inner.contains('\'') { Cow::Owned(inner.replace("''", "'")) } else { Cow::Borrowed(inner) }
    }
    /// Where the minus sign right before the literal stands, if there is one.
    pub fn minus(&self, sql: &str) -> Option<usize> {
        let before = sql[..self.start].trim_end_matches([' ', '\t', '\n', '\r', '\x0c']);
        before.ends_with('-').then(|| before.len() - 1)
    }
}

fn ident_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}
fn ident_cont(c: u8) -> bool {
    ident_start(c) || c.is_ascii_digit() || c == b'$'
}
fn space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Does the text begin with one of the commands that are cached?
fn is_candidate(b: &[u8]) -> bool {
    let at = b.iter().position(|c| !space(*c)).unwrap_or(b.len());
    let Some(word) = b.get(at..at + 6) else { return false };
    [b"select", b"insert", b"update", b"delete"].iter().any(|w| word.eq_ignore_ascii_case(*w))
        && b.get(at + 6).is_some_and(|c| space(*c))
}

/// Finds the shape and the literals of `sql`. False if it has none.
pub fn scan(sql: &str, shape: &mut Vec<u8>, literals: &mut Vec<Literal>) -> bool {
    shape.clear();
    literals.clear();
    let b = sql.as_bytes();
    if b.len() > TEXT_BYTES_MAX || !is_candidate(b) {
        return false;
    }
    let at = |i: usize| b.get(i).copied().unwrap_or(0);
    let (mut i, mut copied) = (0, 0);
    while i < b.len() {
        let c = b[i];
        let class = match c {
            _ if space(c) => {
                i += 1;
                continue;
            }
            _ if ident_start(c) => {
                i += 1;
                while i < b.len() && ident_cont(b[i]) {
                    i += 1;
                }
                // E'…' and its kin, U&'…', U&"…".
                if at(i) == b'\'' || (at(i) == b'&' && matches!(at(i + 1), b'\'' | b'"')) {
                    return false;
                }
                continue;
            }
            b'"' => {
                let Some(n) = b[i + 1..].iter().position(|c| *c == b'"') else { return false };
                i += n + 2;
                continue;
            }
            b'0'..=b'9' => match number(b, i) {
                Some((end, class)) => (end, class),
                None => return false,
            },
            b'\'' => match string(b, i) {
                Some(end) => (end, Class::String),
                None => return false,
            },
            b'.' if at(i + 1).is_ascii_digit() || at(i + 1) == b'.' => return false,
            b'-' if at(i + 1) == b'-' => return false,
            b'/' if at(i + 1) == b'*' => return false,
            b';' if !b[i + 1..].iter().all(|c| space(*c)) => return false,
            b'$' | b'\\' | b'`' | 0..=0x1f => return false,
            _ => {
                i += 1;
                continue;
            }
        };
        let (end, class) = class;
        if literals.len() == LITERALS_MAX {
            return false;
        }
        literals.push(Literal { start: i, end, class });
        shape.extend_from_slice(&b[copied..i]);
        shape.push(class as u8);
        (i, copied) = (end, end);
    }
    shape.extend_from_slice(&b[copied..]);
    true
}

/// The end and the class of the number at `start`; `None` for forms whose class takes more than a look.
fn number(b: &[u8], start: usize) -> Option<(usize, Class)> {
    let digits = |mut i: usize| {
        while i < b.len() && b[i].is_ascii_digit() {
            i += 1;
        }
        i
    };
    let mut end = digits(start);
    let class = if b.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
        Class::Numeric
    } else if end - start > 18 {
        return None;
    } else {
        let value = b[start..end].iter().fold(0i64, |n, d| n * 10 + i64::from(d - b'0'));
        match value {
            // With a minus sign before it this one is an int4.
            0x8000_0000 => return None,
            v if v <= i64::from(i32::MAX) => Class::Int4,
            _ => Class::Int8,
        }
    };
    let next = b.get(end).copied().unwrap_or(b' ');
    (!ident_cont(next) && next != b'.').then_some((end, class))
}

/// The end of the string at `start`; `None` if it is not closed or might go on.
fn string(b: &[u8], start: usize) -> Option<usize> {
    let mut i = start + 1;
    loop {
        i += b[i..].iter().position(|c| *c == b'\'')?;
        if b.get(i + 1) != Some(&b'\'') {
            break;
        }
        i += 2;
    }
    let next = b[i + 1..].iter().find(|c| !space(**c));
    (next != Some(&b'\'')).then_some(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(sql: &str) -> Option<(String, Vec<String>)> {
        let (mut s, mut l) = (Vec::new(), Vec::new());
        scan(sql, &mut s, &mut l).then(|| {
            (String::from_utf8(s).unwrap(), l.iter().map(|l| l.text(sql).to_string()).collect::<Vec<_>>())
        })
    }

    #[test]
    fn literals_leave_their_class() {
        let (s, l) = shape_of("select a1 from \"t 2\" where x=-12 and y = 'it''s' and z<1.50;").unwrap();
        assert_eq!(s, "select a1 from \"t 2\" where x=-\x01 and y = \x04 and z<\x03;");
        assert_eq!(l, ["12", "'it''s'", "1.50"]);
        assert_eq!(shape_of("SELECT 3000000000").unwrap().0, "SELECT \x02");
    }

    #[test]
    fn doubtful_texts_have_no_shape() {
        for sql in [
            "select 1 -- x",
            "select /* 1 */ 1",
            "select e'a'",
            "select u&'a'",
            "select U&\"a\"",
            "select $1",
            "select $$a$$",
            "select 1; select 2",
            "select 'a'\n'b'",
            "select 'a",
            "select \"a",
            "select 1e5",
            "select 12x",
            "select 1.",
            "select .5",
            "select 2147483648",
            "select 99999999999999999999",
            "explain select 1",
            "selects 1",
            "",
        ] {
            assert_eq!(shape_of(sql), None, "{sql}");
        }
    }

    #[test]
    fn signs() {
        let sql = "select 5 - 3, -  4";
        let (mut s, mut l) = (Vec::new(), Vec::new());
        assert!(scan(sql, &mut s, &mut l));
        let signs: Vec<_> = l.iter().map(|l| l.minus(sql)).collect();
        assert_eq!(signs, [None, Some(9), Some(14)]);
    }
}
