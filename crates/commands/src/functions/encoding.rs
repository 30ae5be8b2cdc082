//! Names and numbers of character encodings.

use super::env;
use common::Result;
use types::{CallCtx, FnImpl, c0, k1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1597, k1!(to_char)),
    (1264, k1!(to_encoding)),
    (2319, k1!(max_length)),
    (1039, c0!(database_encoding)),
    (810, c0!(client_encoding)),
];

/// Encodings by PostgreSQL's number, with the longest character in bytes.
const ENCODINGS: [(&str, i32); 42] = [
    ("SQL_ASCII", 1),
    ("EUC_JP", 3),
    ("EUC_CN", 3),
    ("EUC_KR", 3),
    ("EUC_TW", 4),
    ("EUC_JIS_2004", 3),
    ("UTF8", 4),
    ("MULE_INTERNAL", 4),
    ("LATIN1", 1),
    ("LATIN2", 1),
    ("LATIN3", 1),
    ("LATIN4", 1),
    ("LATIN5", 1),
    ("LATIN6", 1),
    ("LATIN7", 1),
    ("LATIN8", 1),
    ("LATIN9", 1),
    ("LATIN10", 1),
    ("WIN1256", 1),
    ("WIN1258", 1),
    ("WIN866", 1),
    ("WIN874", 1),
    ("KOI8R", 1),
    ("WIN1251", 1),
    ("WIN1252", 1),
    ("ISO_8859_5", 1),
    ("ISO_8859_6", 1),
    ("ISO_8859_7", 1),
    ("ISO_8859_8", 1),
    ("WIN1250", 1),
    ("WIN1253", 1),
    ("WIN1254", 1),
    ("WIN1255", 1),
    ("WIN1257", 1),
    ("KOI8U", 1),
    ("SJIS", 2),
    ("BIG5", 2),
    ("GBK", 2),
    ("UHC", 2),
    ("GB18030", 4),
    ("JOHAB", 3),
    ("SHIFT_JIS_2004", 2),
];

fn to_char(n: i32) -> &'static str {
    usize::try_from(n).ok().and_then(|n| ENCODINGS.get(n)).map_or("", |e| e.0)
}

fn to_encoding(name: &str) -> i32 {
    let plain = |s: &str| -> String {
        s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = match plain(name).as_str() {
        "unicode" => "utf8".to_string(),
        "iso88591" => "latin1".to_string(),
        "iso88592" => "latin2".to_string(),
        "iso885915" => "latin9".to_string(),
        other => other.to_string(),
    };
    ENCODINGS.iter().position(|e| plain(e.0) == wanted).map_or(-1, |n| n as i32)
}

fn max_length(n: i32) -> Option<i32> {
    usize::try_from(n).ok().and_then(|n| ENCODINGS.get(n)).map(|e| e.1)
}

fn database_encoding(_: &CallCtx<'_>) -> &'static str {
    "UTF8"
}

fn client_encoding(c: &CallCtx<'_>) -> Result<String> {
    let mut out = String::new();
    env(c)?.host.with_settings(&mut |s| out = s.text("client_encoding").to_string());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (name, number) in
            [("UTF8", 6), ("utf-8", 6), ("unicode", 6), ("latin1", 8), ("sql_ascii", 0), ("x", -1)]
        {
            assert_eq!(to_encoding(name), number, "{name}");
        }
        assert_eq!(to_char(24), "WIN1252");
        assert_eq!(to_char(99), "");
    }
}
