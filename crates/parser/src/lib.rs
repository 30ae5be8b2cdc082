//! SQL text to raw parse tree: PostgreSQL 15's grammar by recursive descent, with byte positions. Knows no catalog.
//! The session loop calls [`parse`]; `analyze` and `commands` read the tree in [`ast`].
#![forbid(unsafe_code)]

pub mod ast;
pub mod deparse;
mod escape;
mod grammar;
pub mod keywords;
pub mod lexer;
pub mod token;
pub mod walk;

pub use ast::*;
use common::{Report, Result};
use grammar::Parser;
pub use lexer::LexOptions;
use lexer::Lexer;

/// Parses a query string into its statements. Empty statements vanish.
///
/// Errors: 42601 with the position of the token PostgreSQL names, 54001 for too deeply nested text, and the few other
/// codes that PostgreSQL's scanner and grammar raise.
pub fn parse(sql: &str) -> Result<Vec<RawStmt>> {
    Parser::new(sql)?.statements()
}

/// As [`parse`]; NOTICEs and WARNINGs (identifier truncation …) are appended to `notices`, also on error.
pub fn parse_with_notices(sql: &str, notices: &mut Vec<Report>) -> Result<Vec<RawStmt>> {
    parse_with_options(sql, LexOptions::default(), notices)
}

/// As [`parse_with_notices`], under settings of the session.
pub fn parse_with_options(sql: &str, options: LexOptions, notices: &mut Vec<Report>) -> Result<Vec<RawStmt>> {
    let mut parser = Parser::of(Lexer::with_options(sql, options))?;
    let result = parser.statements();
    notices.append(&mut parser.take_notices());
    result
}

/// Parses one expression, as in a stored default or a check constraint.
pub fn parse_expression(sql: &str) -> Result<Expr> {
    Parser::new(sql)?.only_expression()
}

/// Parses a type name alone, as `regtype` input needs it.
pub fn parse_type_name(sql: &str) -> Result<TypeName> {
    Parser::new(sql)?.only_type_name()
}
