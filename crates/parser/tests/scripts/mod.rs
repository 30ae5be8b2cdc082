//! The statements of the scripts in `tests/sql`, without what belongs to psql.
#![allow(clippy::unwrap_used)]

use parser::keywords::Kw;
use parser::lexer::Lexer;
use parser::token::T;
use std::path::Path;

/// All statements of all scripts, with the name of the script.
pub fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    names.sort();
    let mut list = Vec::new();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "sql")) {
        let text = without_psql(&std::fs::read_to_string(path).unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        list.extend(split(&text).into_iter().map(|s| (name.clone(), s.to_string())));
    }
    list
}

/// Without meta-commands and the data of COPY FROM STDIN.
fn without_psql(text: &str) -> String {
    let mut out = String::new();
    let mut data = false;
    for line in text.lines() {
        let lower = line.to_lowercase();
        if data {
            data = line != "\\.";
        } else if !line.trim_start().starts_with('\\') {
            data = lower.contains("copy ") && lower.contains("from stdin");
            let end = line.find("\\g").or(line.find("\\;")).unwrap_or(line.len());
            out.push_str(&line[..end]);
            out.push_str(if end < line.len() { ";\n" } else { "\n" });
        }
    }
    out
}

/// At semicolons, but for those inside parentheses and bodies of routines.
fn split(text: &str) -> Vec<&str> {
    let mut lexer = Lexer::new(text);
    let (mut start, mut nesting) = (0, 0);
    let mut list = Vec::new();
    let mut atomic = false;
    while let Ok(token) = lexer.next_token() {
        match token.kind {
            T::Eof => break,
            T::Char(b'(') => nesting += 1,
            T::Char(b')') => nesting -= 1,
            T::Kw(Kw::Atomic) => atomic = true,
            T::Kw(Kw::Case) if atomic => nesting += 1,
            T::Kw(Kw::End) if atomic && nesting > 0 => nesting -= 1,
            T::Kw(Kw::End) => atomic = false,
            T::Char(b';') if nesting <= 0 && !atomic => {
                list.push(&text[start..token.start]);
                (start, nesting) = (token.end, 0);
            }
            _ => {}
        }
    }
    list.push(&text[start..]);
    list
}
