//! A second opinion on every statement of `tests/sql` that both parsers accept: they agree on what kind of statement it is,
//! and on the text that the tree is written back to.
#![allow(clippy::unwrap_used)]

#[path = "../../parser/tests/scripts/mod.rs"]
mod scripts;

use parser::ast::Statement as Ours;
use sqlparser::ast::Statement as Theirs;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

fn theirs(sql: &str) -> Option<Theirs> {
    let mut list = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    if list.len() == 1 { list.pop() } else { None }
}

/// A word for the kinds that both know under the same name; what one of them divides further has none.
fn our_kind(s: &Ours) -> &'static str {
    match s {
        Ours::Select(s) if s.into_clause.is_none() => "query",
        Ours::Insert(_) => "insert",
        Ours::Update(_) => "update",
        Ours::Delete(_) => "delete",
        Ours::Merge(_) => "merge",
        Ours::CreateTable(_) | Ours::CreateForeignTable(_) => "create table",
        Ours::Index(_) => "create index",
        Ours::View(_) => "create view",
        Ours::Truncate(_) => "truncate",
        Ours::Copy(_) => "copy",
        Ours::Explain(_) => "explain",
        Ours::CreateFunction(f) if !f.is_procedure => "create function",
        _ => "",
    }
}

fn their_kind(s: &Theirs) -> &'static str {
    match s {
        Theirs::Query(_) => "query",
        Theirs::Insert(_) => "insert",
        Theirs::Update { .. } => "update",
        Theirs::Delete(_) => "delete",
        Theirs::Merge { .. } => "merge",
        Theirs::CreateTable(t) if t.query.is_none() => "create table",
        Theirs::CreateIndex(_) => "create index",
        Theirs::CreateView { .. } => "create view",
        Theirs::Truncate { .. } => "truncate",
        Theirs::Copy { .. } => "copy",
        Theirs::Explain { .. } => "explain",
        Theirs::CreateFunction(_) => "create function",
        _ => "",
    }
}

/// A query whose leaf changes rows, or stands in a WITH, is a query to one of them only.
fn comparable(s: &Ours) -> bool {
    parser::walk::with_clause(s).is_none()
}

#[test]
fn kinds() {
    let (mut both, mut again) = (0, 0);
    for (script, sql) in scripts::statements() {
        let Ok(ours) = parser::parse(&sql) else { continue };
        let ([ours], Some(other)) = (ours.as_slice(), theirs(&sql)) else { continue };
        both += 1;
        let (mine, other) = (our_kind(&ours.stmt), their_kind(&other));
        let differ = !mine.is_empty() && !other.is_empty() && mine != other;
        assert!(!differ || !comparable(&ours.stmt), "{script}: {mine} or {other}?\n{sql}");
        if let Some(second) = theirs(&parser::deparse::deparse_statement(&ours.stmt)) {
            again += 1;
            assert!(their_kind(&second) == other || !comparable(&ours.stmt), "{script}: {sql}");
        }
    }
    println!("{both} statements that both accept, {again} of them as written back");
    assert!(both > 5_000 && again > 4_000, "{both} {again}");
}
