//! Hints for those who come from another database: when a statement was refused, this crate looks whether it is written in
//! another system's dialect and says in a HINT what to write instead. The session calls [`with_hint`] on its way to tell the
//! client of an error; nothing here runs for a statement that parses and finds its tables.
//!
//! Message, SQLSTATE, DETAIL and position stay as they are, and an error that has a HINT keeps it. Rules on tokens come first,
//! as they can name what to write (`syntax`, `names`); where none knows the place, the `sqlparser` crate is asked whether
//! another dialect would have taken the statement (`opinion`).
//! Invariant: the work is bounded by [`LENGTH_MAX`] bytes and [`NESTING_MAX`] levels, and nothing is kept.
#![forbid(unsafe_code)]

mod names;
mod opinion;
mod scan;
mod syntax;

use common::{Error, SqlState};
use scan::{Kind, Token};

/// Longer statements get no hint.
pub const LENGTH_MAX: usize = 8_192;
/// Brackets inside brackets; deeper statements are not given to `sqlparser`.
pub const NESTING_MAX: usize = 40;

/// The refused statement and the place of the error in it.
struct Place<'a> {
    tokens: Vec<Token<'a>>,
    /// Index of the token at the error; past the end for the end of the input.
    at: usize,
    /// The statement's text.
    text: &'a str,
}

impl Place<'_> {
    /// The token `offset` from the error: words in lower case, other tokens as written, nothing where there is none.
    fn word(&self, offset: isize) -> &str {
        self.at.checked_add_signed(offset).and_then(|i| self.tokens.get(i)).map_or("", |t| t.text.as_ref())
    }

    fn kind(&self, offset: isize) -> Option<Kind> {
        self.at.checked_add_signed(offset).and_then(|i| self.tokens.get(i)).map(|t| t.kind)
    }

    /// The words one after the other, the first of them `offset` from the error.
    fn follows(&self, offset: isize, words: &[&str]) -> bool {
        words.iter().zip(offset..).all(|(w, i)| self.word(i) == *w)
    }

    /// The statement's tokens from the start.
    fn begins(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, w)| self.tokens.get(i).is_some_and(|t| t.text == *w))
    }

    /// Whether one of the words stands before the error.
    fn before(&self, words: &[&str]) -> bool {
        self.tokens.iter().take(self.at).any(|t| t.kind == Kind::Word && words.contains(&t.text.as_ref()))
    }
}

/// Adds a HINT to an error, if it has none and the statement shows a habit of another system.
pub fn with_hint(mut e: Error, sql: &str) -> Error {
    let r = e.report();
    if r.hint.is_some() || r.context.is_some() || r.internal_query.is_some() {
        return e;
    }
    let hint = match r.sqlstate {
        SqlState::SYNTAX_ERROR => r
            .position
            .and_then(|p| place(sql, p))
            .and_then(|p| syntax::hint(&p).or_else(|| opinion::hint(&p))),
        SqlState::UNDEFINED_TABLE => names::relation(&r.message),
        SqlState::UNDEFINED_COLUMN => {
            names::column(&r.message, r.position.and_then(|p| place(sql, p)).as_ref())
        }
        SqlState::UNDEFINED_OBJECT => names::object(&r.message),
        _ => None,
    };
    if let Some(hint) = hint {
        e.report_mut().hint = Some(hint);
    }
    e
}

/// The statement in `sql` that holds the byte, as tokens.
fn place(sql: &str, byte: usize) -> Option<Place<'_>> {
    if sql.len() > LENGTH_MAX || byte > sql.len() {
        return None;
    }
    let all = scan::tokens(sql);
    let at = all.iter().position(|t| t.end > byte).unwrap_or(all.len());
    let semicolon = |t: &Token| t.kind == Kind::Punct && t.text == ";";
    let first = all[..at].iter().rposition(semicolon).map_or(0, |i| i + 1);
    let last = all[at..].iter().position(semicolon).map_or(all.len(), |i| at + i);
    let begin = all.get(first).map_or(sql.len(), |t| t.start);
    let end = if last == all.len() { sql.len() } else { all[last].start };
    let text = sql.get(begin..end.max(begin))?;
    let tokens = all.into_iter().skip(first).take(last.saturating_sub(first)).collect();
    Some(Place { tokens, at: at - first, text })
}
