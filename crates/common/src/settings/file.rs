//! Reading `postgresql.conf`: name, optional `=`, value; comments; quoted values; include, include_if_exists and
//! include_dir.

use std::path::Path;

/// One assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct FileEntry {
    pub name: String,
    pub value: String,
    pub file: String,
    pub line: usize,
}

/// Deepest nesting of includes.
const MAX_DEPTH: usize = 10;

/// Reads a file with all it includes. The errors are lines for the log (`syntax error in file "…" line n, near …`);
/// a file with any must not be used.
pub fn parse_file(path: &Path) -> Result<Vec<FileEntry>, Vec<String>> {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    read(path, true, 0, &mut entries, &mut errors);
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

fn read(path: &Path, must_exist: bool, depth: usize, out: &mut Vec<FileEntry>, errors: &mut Vec<String>) {
    let shown = path.display();
    if depth > MAX_DEPTH {
        errors.push(format!("could not open configuration file \"{shown}\": maximum nesting depth exceeded"));
        return;
    }
    let text = match std::fs::read(path) {
        Ok(b) => String::from_utf8_lossy(&b).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_exist => return,
        Err(e) => {
            let e = crate::error::os_message(&e);
            errors.push(format!("could not open configuration file \"{shown}\": {e}"));
            return;
        }
    };
    for entry in parse_file_text(&text, &shown.to_string(), errors) {
        let target = || path.parent().unwrap_or(Path::new("")).join(&entry.value);
        match entry.name.as_str() {
            "include" => read(&target(), true, depth + 1, out, errors),
            "include_if_exists" => read(&target(), false, depth + 1, out, errors),
            "include_dir" => read_dir(&target(), depth + 1, out, errors),
            _ => out.push(entry),
        }
    }
}

fn read_dir(dir: &Path, depth: usize, out: &mut Vec<FileEntry>, errors: &mut Vec<String>) {
    let Ok(list) = std::fs::read_dir(dir) else {
        errors.push(format!("could not open configuration directory \"{}\"", dir.display()));
        return;
    };
    let mut files: Vec<_> = list.flatten().map(|e| e.path()).collect();
    files.sort();
    for f in files {
        let name = f.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.ends_with(".conf") && !name.starts_with('.') && f.is_file() {
            read(&f, true, depth, out, errors);
        }
    }
}

/// Reads the text of one file; includes come out as entries of those names.
pub fn parse_file_text(text: &str, file: &str, errors: &mut Vec<String>) -> Vec<FileEntry> {
    let mut out = Vec::new();
    for (i, line) in text.lines().enumerate() {
        match parse_line(line) {
            Ok(None) => {}
            Ok(Some((name, value))) => {
                out.push(FileEntry { name, value, file: file.to_string(), line: i + 1 });
            }
            Err(near) => {
                errors.push(format!("syntax error in file \"{file}\" line {}, near {near}", i + 1));
            }
        }
    }
    out
}

fn near(s: &str) -> String {
    if s.is_empty() { "end of line".into() } else { format!("token \"{}\"", first_token(s)) }
}

fn first_token(s: &str) -> &str {
    let n = s.find(|c: char| c.is_whitespace()).unwrap_or(s.len());
    &s[..n.max(1).min(s.len())]
}

fn parse_line(line: &str) -> Result<Option<(String, String)>, String> {
    let s = line.trim_start();
    if s.is_empty() || s.starts_with('#') {
        return Ok(None);
    }
    let n = s.find(|c: char| !(c.is_ascii_alphanumeric() || "_.$".contains(c))).unwrap_or(s.len());
    if n == 0 || s.as_bytes()[0].is_ascii_digit() {
        return Err(near(s));
    }
    let (name, rest) = s.split_at(n);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let (value, rest) = if let Some(q) = rest.strip_prefix('\'') {
        quoted(q).ok_or_else(|| near(rest))?
    } else {
        let n = rest.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(rest.len());
        if n == 0 {
            return Err("end of line".into());
        }
        (rest[..n].to_string(), &rest[n..])
    };
    let rest = rest.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(near(rest));
    }
    Ok(Some((name.to_ascii_lowercase(), value)))
}

/// The inside of a quoted value: `''` and backslash escapes.
fn quoted(s: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut it = s.char_indices().peekable();
    while let Some((i, c)) = it.next() {
        match c {
            '\'' if it.peek().is_some_and(|(_, c)| *c == '\'') => {
                it.next();
                out.push('\'');
            }
            '\'' => return Some((out, &s[i + 1..])),
            '\\' => match it.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
    None
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
        ok("Work_Mem 64MB", "work_mem", "64MB");
        ok("a.b='it''s \\'x\\''", "a.b", "it's 'x'");
        assert_eq!(parse_line("  # only comment"), Ok(None));
        for bad in ["= 3", "port =", "port = 1 2", "a = 'x", "9x = 1"] {
            assert!(parse_line(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_survive_quoting() {
        for v in ["", "it's", "a\\b", "x y"] {
            assert_eq!(parse_line(&format!("n = {}", quote_value(v))), Ok(Some(("n".into(), v.into()))));
        }
    }
}
