//! Names and numbers of character encodings.

use super::env;
use common::{Encoding, Result};
use types::{CallCtx, FnImpl, c0, k1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1597, k1!(to_char)),
    (1264, k1!(to_encoding)),
    (2319, k1!(max_length)),
    (1039, c0!(database_encoding)),
    (810, c0!(client_encoding)),
];

fn to_char(n: i32) -> &'static str {
    Encoding::by_number(n).map_or("", Encoding::name)
}

fn to_encoding(name: &str) -> i32 {
    Encoding::by_name(name).map_or(-1, Encoding::number)
}

fn max_length(n: i32) -> Option<i32> {
    Encoding::by_number(n).map(Encoding::max_length)
}

fn database_encoding(_: &CallCtx<'_>) -> &'static str {
    "UTF8"
}

fn client_encoding(c: &CallCtx<'_>) -> Result<String> {
    let mut out = String::new();
    env(c)?.host.with_settings(&mut |s| out = s.text("client_encoding").to_string());
    Ok(out)
}
