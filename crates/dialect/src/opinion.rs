//! The opinion of the `sqlparser` crate: would another system have taken the statement?

use crate::scan::Kind;
use crate::{NESTING_MAX, Place};
use sqlparser::dialect::{
    BigQueryDialect, ClickHouseDialect, Dialect, MsSqlDialect, MySqlDialect, OracleDialect,
    PostgreSqlDialect, SQLiteDialect, SnowflakeDialect,
};
use sqlparser::parser::Parser;

/// What every dialect of the list takes is no sign of any of them; where two do, the first is the likelier one.
const DIALECTS: [(&str, &dyn Dialect); 7] = [
    ("MySQL", &MySqlDialect {}),
    ("SQL Server", &MsSqlDialect {}),
    ("Oracle", &OracleDialect {}),
    ("SQLite", &SQLiteDialect {}),
    ("Snowflake", &SnowflakeDialect),
    ("BigQuery", &BigQueryDialect),
    ("ClickHouse", &ClickHouseDialect {}),
];

/// Statements that differ so much between systems that somebody's own are recognised.
const FIRST_WORDS: [&str; 8] = ["select", "insert", "update", "delete", "merge", "create", "alter", "with"];

/// Words that all dialects have: one of them in a wrong place is a slip, not a habit.
const COMMON: [&str; 44] = [
    "all",
    "and",
    "any",
    "as",
    "by",
    "case",
    "check",
    "constraint",
    "cross",
    "default",
    "do",
    "else",
    "end",
    "except",
    "for",
    "foreign",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "join",
    "left",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "right",
    "set",
    "then",
    "to",
    "union",
    "when",
    "where",
];

/// A hint only where a word is in the way that has no meaning there, well inside a statement that begins as usual.
pub(crate) fn hint(p: &Place) -> Option<String> {
    let known = p.tokens.first().is_some_and(|t| FIRST_WORDS.contains(&t.text.as_ref()));
    let foreign = p.at > 1 && p.kind(0) == Some(Kind::Word) && !COMMON.contains(&p.word(0));
    if !known || !foreign || nesting(p) > NESTING_MAX || accepts(&PostgreSqlDialect {}, p.text) {
        return None;
    }
    let names: Vec<&str> =
        DIALECTS.iter().filter(|(_, d)| accepts(*d, p.text)).map(|(name, _)| *name).collect();
    match names.as_slice() {
        [] => None,
        [name, ..] if names.len() < DIALECTS.len() => {
            Some(format!("This looks like the SQL of {name}, which differs from PostgreSQL's at this place."))
        }
        _ => None,
    }
}

/// Deepest nesting of anything that makes `sqlparser` recurse.
fn nesting(p: &Place) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for t in &p.tokens {
        match t.text.as_ref() {
            "(" | "[" | "{" | "case" | "begin" | "not" | "-" | "+" | "~" | "<" => depth += 1,
            ")" | "]" | "}" | "end" | ">" => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A bug in a parser that others wrote costs the hint and nothing else.
fn accepts(dialect: &dyn Dialect, sql: &str) -> bool {
    let parse = || {
        let parser = Parser::new(dialect).with_recursion_limit(NESTING_MAX).try_with_sql(sql);
        parser.and_then(|mut p| p.parse_statements()).is_ok_and(|list| !list.is_empty())
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)).unwrap_or(false)
}
