//! Reading `postgresql.conf`: name, optional `=`, value; comments; quoted values; include, include_if_exists and
//! include_dir. What a token is follows PostgreSQL: `1.5GB` must be quoted, `64MB` need not be.

use std::path::Path;

/// One assignment, or one fault (then the name is empty and `error` says what is wrong).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileEntry {
    pub name: String,
    pub value: String,
    pub file: String,
    pub line: usize,
    /// As `pg_file_settings.error` shows it.
    pub error: Option<String>,
    /// Overridden by a later assignment, or part of files that could not be used.
    pub ignored: bool,
    pub applied: bool,
}

/// What the files say.
#[derive(Clone, Debug, Default)]
pub struct FileContents {
    pub entries: Vec<FileEntry>,
    /// Lines for the log, among them all faults.
    pub log: Vec<String>,
    /// The files must not be used.
    pub faulty: bool,
}

/// Deepest nesting of includes.
const MAX_DEPTH: usize = 10;
/// Faulty lines of one file after which the rest of it is not read.
const MAX_ERRORS: usize = 100;

/// Reads a file with all it includes, adding to `out`. A file that must exist and cannot be opened is a fault.
pub fn parse_file(path: &Path, out: &mut FileContents) {
    read(path, true, 0, None, out);
}

/// Where an include stands.
type From<'a> = Option<(&'a str, usize)>;

fn fault(out: &mut FileContents, from: From<'_>, log: String, error: String) {
    out.log.push(log);
    out.faulty = true;
    let (file, line) = from.unwrap_or(("", 0));
    let (file, error) = (file.to_string(), Some(error));
    out.entries.push(FileEntry { file, line, error, ..FileEntry::default() });
}

fn read(path: &Path, must_exist: bool, depth: usize, from: From<'_>, out: &mut FileContents) {
    let shown = path.display();
    if depth > MAX_DEPTH {
        let log = format!("could not open configuration file \"{shown}\": maximum nesting depth exceeded");
        return fault(out, from, log, "nesting depth exceeded".into());
    }
    let bytes = match std::fs::read(path) {
        Ok(b) => b,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            out.log.push(format!("skipping missing configuration file \"{shown}\""));
            return;
        }
        Err(e) => {
            let e = crate::error::os_message(&e);
            let log = format!("could not open configuration file \"{shown}\": {e}");
            return fault(out, from, log, format!("could not open file \"{shown}\""));
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let file = shown.to_string();
    let mut errors = 0;
    for (i, line) in text.lines().enumerate() {
        let n = i + 1;
        match parse_line(line) {
            Ok(None) => {}
            Ok(Some((name, value))) => assignment(path, &file, n, name, value, depth, out),
            Err(near) => {
                let log = format!("syntax error in file \"{file}\" line {n}, near {near}");
                fault(out, Some((&file, n)), log, "syntax error".into());
                errors += 1;
                if errors >= MAX_ERRORS {
                    out.log.push(format!("too many syntax errors found, abandoning file \"{file}\""));
                    return;
                }
            }
        }
    }
}

fn assignment(
    path: &Path,
    file: &str,
    line: usize,
    name: String,
    value: String,
    depth: usize,
    out: &mut FileContents,
) {
    let target = path.parent().unwrap_or(Path::new("")).join(&value);
    let from = Some((file, line));
    match name.to_ascii_lowercase().as_str() {
        "include" | "include_if_exists" | "include_dir" if value.trim().is_empty() => {
            let what = if name.eq_ignore_ascii_case("include_dir") { "directory" } else { "file" };
            let log = format!("empty configuration {what} name: \"{value}\"");
            fault(out, from, log, format!("empty configuration {what} name"));
        }
        "include" => read(&target, true, depth + 1, from, out),
        "include_if_exists" => read(&target, false, depth + 1, from, out),
        "include_dir" => read_dir(&target, depth + 1, from, out),
        _ => {
            out.entries.push(FileEntry { name, value, file: file.to_string(), line, ..FileEntry::default() })
        }
    }
}

fn read_dir(dir: &Path, depth: usize, from: From<'_>, out: &mut FileContents) {
    let shown = dir.display();
    let list = match std::fs::read_dir(dir) {
        Ok(l) => l,
        Err(e) => {
            let e = crate::error::os_message(&e);
            let log = format!("could not open configuration directory \"{shown}\": {e}");
            return fault(out, from, log, format!("could not open directory \"{shown}\""));
        }
    };
    let mut files: Vec<_> = list.flatten().map(|e| e.path()).collect();
    files.sort();
    for f in files {
        let name = f.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.len() > 5 && name.ends_with(".conf") && !name.starts_with('.') && !f.is_dir() {
            read(&f, true, depth, from, out);
        }
    }
}

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Id,
    QualifiedId,
    /// Quoted string.
    Text,
    /// Number, or a bare word with `-._:/`.
    Plain,
    Equals,
    Garbage,
    End,
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

fn run(b: &[u8], test: impl Fn(u8) -> bool) -> usize {
    b.iter().take_while(|c| test(**c)).count()
}

/// Length of the identifier at the start.
fn identifier(b: &[u8]) -> usize {
    match b.first() {
        Some(c) if is_letter(*c) => run(b, |c| is_letter(c) || c.is_ascii_digit()),
        _ => 0,
    }
}

fn number(b: &[u8]) -> usize {
    let sign = usize::from(matches!(b.first(), Some(b'-' | b'+')));
    let d = &b[sign..];
    let hex = if d.starts_with(b"0x") { run(&d[2..], |c| c.is_ascii_hexdigit()) } else { 0 };
    let digits = if hex > 0 { 2 + hex } else { run(d, |c| c.is_ascii_digit()) };
    let mut integer = digits;
    if digits > 0 {
        integer += run(&d[digits..], |c| c.is_ascii_alphabetic());
    }
    let whole = run(d, |c| c.is_ascii_digit());
    let mut real = 0;
    if d.get(whole) == Some(&b'.') {
        real = whole + 1 + run(&d[whole + 1..], |c| c.is_ascii_digit());
        if let Some(b'e' | b'E') = d.get(real) {
            let s = usize::from(matches!(d.get(real + 1), Some(b'-' | b'+')));
            let e = run(&d[(real + 1 + s).min(d.len())..], |c| c.is_ascii_digit());
            if e > 0 {
                real += 1 + s + e;
            }
        }
    }
    match integer.max(real) {
        0 => 0,
        n => sign + n,
    }
}

/// Length of a complete quoted string at the start.
fn quoted(b: &[u8]) -> usize {
    if b.first() != Some(&b'\'') {
        return 0;
    }
    let mut i = 1;
    while i < b.len() {
        match b[i] {
            b'\\' if i + 1 < b.len() => i += 2,
            b'\'' if b.get(i + 1) == Some(&b'\'') => i += 2,
            b'\'' => return i + 1,
            _ => i += 1,
        }
    }
    0
}

/// The longest token at the start of a line's rest, without leading blanks.
fn token(s: &str) -> (Token, &str, &str) {
    let s = s.trim_start_matches([' ', '\t', '\r']);
    let b = s.as_bytes();
    if b.is_empty() || b[0] == b'#' {
        return (Token::End, "", "");
    }
    let cut = |t: Token, n: usize| (t, &s[..n], &s[n..]);
    let id = identifier(b);
    let mut qualified = id;
    while id > 0 && b.get(qualified) == Some(&b'.') {
        match identifier(&b[qualified + 1..]) {
            0 => break,
            n => qualified += 1 + n,
        }
    }
    let word =
        if id > 0 { run(b, |c| is_letter(c) || c.is_ascii_digit() || b"-._:/".contains(&c)) } else { 0 };
    if word > qualified {
        return cut(Token::Plain, word);
    }
    if qualified > id {
        return cut(Token::QualifiedId, qualified);
    }
    if id > 0 {
        return cut(Token::Id, id);
    }
    match (number(b), quoted(b)) {
        (0, 0) if b[0] == b'=' => cut(Token::Equals, 1),
        (0, 0) => cut(Token::Garbage, s.chars().next().map_or(1, char::len_utf8)),
        (n, 0) => cut(Token::Plain, n),
        (_, n) => cut(Token::Text, n),
    }
}

fn near(t: (Token, &str, &str)) -> String {
    match t.0 {
        Token::End => "end of line".into(),
        _ => format!("token \"{}\"", t.1),
    }
}

fn parse_line(line: &str) -> Result<Option<(String, String)>, String> {
    let name = token(line);
    match name.0 {
        Token::End => return Ok(None),
        Token::Id | Token::QualifiedId => {}
        _ => return Err(near(name)),
    }
    let mut value = token(name.2);
    if value.0 == Token::Equals {
        value = token(value.2);
    }
    let text = match value.0 {
        Token::Id | Token::Plain => value.1.to_string(),
        Token::Text => unquote(value.1),
        _ => return Err(near(value)),
    };
    let rest = token(value.2);
    if rest.0 != Token::End {
        return Err(near(rest));
    }
    Ok(Some((name.1.to_string(), text)))
}

/// The value of a quoted string: `''`, and backslash escapes with up to three octal digits.
fn unquote(s: &str) -> String {
    let b = &s.as_bytes()[1..s.len() - 1];
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        if b[i] == b'\\' && i + 1 < b.len() {
            i += 1;
            let octal = run(&b[i..b.len().min(i + 3)], |c| (b'0'..=b'7').contains(&c));
            if octal > 0 {
                out.push(b[i..i + octal].iter().fold(0u32, |n, c| n * 8 + u32::from(c - b'0')) as u8);
                i += octal;
                continue;
            }
            out.push(match b[i] {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                c => c,
            });
        } else {
            if b[i] == b'\'' && b.get(i + 1) == Some(&b'\'') {
                i += 1;
            }
            out.push(b[i]);
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A value as it is written to a configuration file.
pub fn quote_value(v: &str) -> String {
    format!("'{}'", v.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let ok = |l: &str, n: &str, v: &str| {
            assert_eq!(parse_line(l), Ok(Some((n.to_string(), v.to_string()))), "{l}");
        };
        ok("port = 5433  # x", "port", "5433");
        ok("Work_Mem 64MB", "Work_Mem", "64MB");
        ok("a.b='it''s \\'x\\''", "a.b", "it's 'x'");
        ok("x = '\\101\\n'", "x", "A\n");
        ok("x -1.5e3", "x", "-1.5e3");
        ok("listen_addresses = a-b.c/d:e", "listen_addresses", "a-b.c/d:e");
        assert_eq!(parse_line("  # only comment"), Ok(None));
        let bad = |l: &str, near: &str| assert_eq!(parse_line(l), Err(near.to_string()), "{l}");
        bad("= 3", "token \"=\"");
        bad("port =", "end of line");
        bad("port = 1 2", "token \"2\"");
        bad("a = 'x", "token \"'\"");
        bad("9x = 1", "token \"9x\"");
        bad("work_mem = 1.5GB", "token \"GB\"");
        bad("x = a.b", "token \"a.b\"");
        bad("x = é!", "token \"!\"");
    }

    #[test]
    fn values_survive_quoting() {
        for v in ["", "it's", "a\\b", "x y"] {
            assert_eq!(parse_line(&format!("n = {}", quote_value(v))), Ok(Some(("n".into(), v.into()))));
        }
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut seed = 1u32;
        for _ in 0..20_000 {
            let line: String = (0..12)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from(b"a1.'\\=#-x+e0 \xff"[(seed >> 16) as usize % 14])
                })
                .collect();
            let _ = parse_line(&line);
        }
    }
}
