//! Texts: SQL, hints, regular expressions.

use crate::{Target, failed, hash, shape};
use types::regexp::{Flags, Regex};

const SQL_WORDS: [&str; 40] = [
    " select ",
    " from ",
    " where ",
    " and ",
    " not ",
    " null ",
    " case when ",
    " then ",
    " end ",
    " in (",
    " over (",
    " partition by ",
    " order by ",
    " create table ",
    " alter table ",
    " primary key ",
    " with recursive ",
    " as (",
    " union all ",
    " join ",
    " on ",
    " values (",
    " insert into ",
    " 'x' ",
    " E'\\u00",
    " $$ ",
    " $1 ",
    " \"q\" ",
    "::int",
    "[1:2]",
    " interval '1' ",
    " b'01' ",
    " x'f' ",
    " U&'\\",
    " uescape '!' ",
    "/*",
    "--",
    ".*",
    " array[",
    " 1e5 ",
];

const PATTERN_WORDS: [&str; 24] = [
    "(",
    ")",
    "(?:",
    "(?=",
    "(?!",
    "(?<=",
    "[",
    "]",
    "[^",
    "[[:alpha:]]",
    "[[=a=]]",
    "[[.-.]]",
    "*",
    "+",
    "?",
    "*?",
    "{2,3}",
    "{0,}",
    "|",
    "^",
    "$",
    "\\y",
    "\\1",
    "(?i)",
];

pub(crate) fn targets() -> Vec<Target> {
    let lines = [
        include_str!("../../parser/tests/data/accepted.txt"),
        include_str!("../../parser/tests/data/reference.txt"),
    ];
    // Every third is enough to start from.
    let statements: Vec<Vec<u8>> =
        lines.into_iter().flat_map(str::lines).step_by(3).map(|l| l.as_bytes().to_vec()).collect();
    vec![
        Target {
            name: "sql".into(),
            seeds: statements.clone(),
            words: SQL_WORDS.to_vec(),
            run: Box::new(|b| sql(&String::from_utf8_lossy(b))),
        },
        Target {
            name: "dialect".into(),
            seeds: statements.into_iter().step_by(10).collect(),
            words: SQL_WORDS.to_vec(),
            run: Box::new(|b| {
                let sql = String::from_utf8_lossy(b);
                let at = (0..=sql.len() / 2).rev().find(|i| sql.is_char_boundary(*i)).unwrap_or(0);
                let e = dialect::with_hint(common::err!(SYNTAX_ERROR, "syntax error").at(at), &sql);
                hash(0, e.report().hint.as_deref().unwrap_or("").as_bytes())
            }),
        },
        Target {
            name: "regex".into(),
            seeds: [
                &b"a(b|c)*d"[..],
                b"^[[:alpha:]_]\\w{2,5}$",
                b"(a+)(?=b)\\1",
                b"(?:x|y)*?z",
                b"\\mfoo\\M|[^a-c]",
            ]
            .map(<[u8]>::to_vec)
            .to_vec(),
            words: PATTERN_WORDS.to_vec(),
            run: Box::new(|b| regex(&String::from_utf8_lossy(b))),
        },
    ]
}

/// What parses must come back from its text.
fn sql(text: &str) -> u64 {
    let mut notices = Vec::new();
    match parser::parse_with_notices(text, &mut notices) {
        Ok(list) => list.iter().fold(7, |h, raw| {
            let again = parser::deparse::deparse_statement(&raw.stmt);
            // The text is longer than the original: the limits on depth may be met on the way back.
            if let Err(e) = parser::parse(&again) {
                assert!(e.sqlstate().as_str() == "54001", "{e}\n{again}");
            }
            hash(h, &shape(again.as_bytes()).to_le_bytes())
        }),
        Err(e) => {
            let position = e.report().position.unwrap_or(0);
            assert!(text.is_char_boundary(position), "{e} at {position}");
            failed(&e)
        }
    }
}

fn regex(pattern: &str) -> u64 {
    match Regex::new(pattern, Flags::default()) {
        Err(e) => failed(&e),
        Ok(r) => ["", "abcbcd", "foo_bar 123", "aaaaaaaaaaaaaaaaaaaab"].iter().fold(3, |h, text| {
            let found = r.find(&r.subject(text), 0);
            hash(
                h,
                &[match found {
                    Err(_) => 2,
                    Ok(spans) => u8::from(spans.is_some()),
                }],
            )
        }),
    }
}
