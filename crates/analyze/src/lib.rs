//! Name and type resolution: raw parse tree → [`query::Query`], rewriting (views), and deparsing back to SQL.
#![forbid(unsafe_code)]

pub mod expr;
pub mod query;
