//! Lines of the access files as fields of words: comments, quotes, commas, continued lines, `@file`.

use super::{LineError, Word};
use std::path::Path;

/// Deepest nesting of `@file`.
const MAX_DEPTH: usize = 10;

/// A line with anything on it.
pub struct Line {
    pub number: usize,
    pub raw: String,
    pub fields: Vec<Vec<Word>>,
    pub error: Option<String>,
}

/// Splits a text into its lines; a backslash at the end of a line joins it with the next.
pub fn lines(text: &str, dir: &Path) -> Vec<Line> {
    let mut out = Vec::new();
    let mut it = text.lines().enumerate();
    while let Some((i, first)) = it.next() {
        let mut raw = first.to_string();
        while raw.ends_with('\\') {
            raw.pop();
            match it.next() {
                Some((_, more)) => raw.push_str(more),
                None => break,
            }
        }
        let mut error = None;
        let fields = fields(&raw, dir, 0, &mut error);
        if !fields.is_empty() || error.is_some() {
            out.push(Line { number: i + 1, raw, fields, error });
        }
    }
    out
}

/// The words of a file that a rule names.
fn included(word: &str, dir: &Path, depth: usize, error: &mut Option<String>) -> Vec<Word> {
    let path = dir.join(word.trim_start_matches('@'));
    let text = if depth > MAX_DEPTH {
        Err("maximum nesting depth exceeded".to_string())
    } else {
        std::fs::read(&path).map_err(|e| common::error::os_message(&e))
    };
    match text {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let base = path.parent().unwrap_or(dir).to_path_buf();
            text.lines().flat_map(|l| fields(l, &base, depth + 1, error)).flatten().collect()
        }
        Err(e) => {
            error.get_or_insert(format!(
                "could not open secondary authentication file \"{word}\" as \"{}\": {e}",
                path.display()
            ));
            Vec::new()
        }
    }
}

/// Splits a line into fields, each a comma-separated list of words.
fn fields(line: &str, dir: &Path, depth: usize, error: &mut Option<String>) -> Vec<Vec<Word>> {
    let mut out: Vec<Vec<Word>> = Vec::new();
    let mut chars = line.chars().peekable();
    let mut list: Vec<Word> = Vec::new();
    let mut open = false;
    loop {
        let mut comma = false;
        while let Some(&c) = chars.peek() {
            match c {
                ',' => comma = true,
                c if c.is_whitespace() => {}
                _ => break,
            }
            chars.next();
        }
        if !comma && open {
            out.push(std::mem::take(&mut list));
            open = false;
        }
        if matches!(chars.peek(), None | Some('#')) {
            if open {
                out.push(list);
            }
            return out;
        }
        let (mut text, mut quoted, mut inside) = (String::new(), false, false);
        let starts_quoted = chars.peek() == Some(&'"');
        while let Some(&c) = chars.peek() {
            match c {
                '"' => {
                    quoted = true;
                    inside = !inside;
                }
                ',' | '#' if !inside => break,
                c if c.is_whitespace() && !inside => break,
                c => text.push(c),
            }
            chars.next();
        }
        open = true;
        if text.starts_with('@') && text.len() > 1 && !starts_quoted {
            list.extend(included(&text, dir, depth, error));
        } else {
            list.push(Word { text, quoted });
        }
    }
}

/// A fault without a hint.
pub fn fault(message: impl Into<String>) -> LineError {
    LineError { line: 0, message: message.into(), hint: "" }
}

/// A fault with one.
pub fn hinted(message: impl Into<String>, hint: &'static str) -> LineError {
    LineError { line: 0, message: message.into(), hint }
}
