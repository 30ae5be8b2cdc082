//! Raw tree to SQL text, such that parsing the text gives the same tree again (locations apart), for every statement.
//! Invariant: every operator is parenthesised, every name that could be mistaken is quoted.

mod admin;
mod alter;
mod expr;
mod foreign;
mod from;
mod func;
mod modify;
mod object;
mod option;
mod routine;
mod select;
mod session;
mod statement;
mod table;
mod types;

use crate::ast::{Expr, Statement, TypeName};
use crate::keywords::{self, Category};

/// The text of an expression.
pub fn deparse_expr(e: &Expr) -> String {
    let mut d = Deparser::default();
    d.expr(e);
    d.out
}

/// The text of a type's name.
pub fn deparse_type_name(t: &TypeName) -> String {
    let mut d = Deparser::default();
    d.type_name(t);
    d.out
}

/// The text of a statement.
pub fn deparse_statement(stmt: &Statement) -> String {
    let mut d = Deparser::default();
    d.statement(stmt);
    d.out
}

/// The name as it must be written in SQL.
pub fn quote_identifier(name: &str) -> String {
    let plain = name.bytes().enumerate().all(|(i, b)| match b {
        b'a'..=b'z' | b'_' => true,
        b'0'..=b'9' | b'$' => i > 0,
        _ => false,
    });
    let keyword = keywords::lookup(name.as_bytes()).is_some_and(|k| k.category() != Category::Unreserved);
    if plain && !keyword && !name.is_empty() {
        return name.to_string();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The string as a literal.
pub fn quote_literal(s: &str) -> String {
    format!("'{}'", s.replace('\'', "''"))
}

/// Collects the text.
#[derive(Default)]
struct Deparser {
    out: String,
}

impl Deparser {
    fn push(&mut self, s: &str) {
        self.out.push_str(s);
    }

    fn ident(&mut self, name: &str) {
        let quoted = quote_identifier(name);
        self.push(&quoted);
    }

    /// `a.b.c`
    fn names(&mut self, names: &[String]) {
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                self.push(".");
            }
            self.ident(name);
        }
    }

    fn literal(&mut self, s: &str) {
        let quoted = quote_literal(s);
        self.push(&quoted);
    }

    /// Items with commas between them.
    fn list<R>(&mut self, items: &[R], mut item: impl FnMut(&mut Self, &R)) {
        for (i, it) in items.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            item(self, it);
        }
    }

    /// `(a, b)`
    fn paren_names(&mut self, names: &[String]) {
        self.push("(");
        self.list(names, |d, n| d.ident(n));
        self.push(")");
    }

    fn exprs(&mut self, items: &[Expr]) {
        self.list(items, Self::expr);
    }
}
