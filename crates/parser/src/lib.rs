//! SQL text to raw parse tree: PostgreSQL 15's grammar by recursive descent, with byte positions. Knows no catalog.
//! The session loop calls [`parse`]; `analyze` and `commands` read the tree in [`ast`].
#![forbid(unsafe_code)]

pub mod ast;

pub use ast::*;
use common::{Error, Report, Result};

/// Parses a query string into its statements. Empty statements vanish.
pub fn parse(sql: &str) -> Result<Vec<RawStmt>> {
    let mut notices = Vec::new();
    parse_with_notices(sql, &mut notices)
}

/// As [`parse`]; NOTICEs (identifier truncation …) are appended to `notices`.
pub fn parse_with_notices(_sql: &str, _notices: &mut Vec<Report>) -> Result<Vec<RawStmt>> {
    Err(Error::unsupported("parsing"))
}

/// Parses one expression, as in a stored default or a check constraint.
pub fn parse_expression(_sql: &str) -> Result<Expr> {
    Err(Error::unsupported("parsing"))
}

/// Parses a type name alone, as `regtype` input and `format_type`'s inverse need it.
pub fn parse_type_name(_sql: &str) -> Result<TypeName> {
    Err(Error::unsupported("parsing"))
}
