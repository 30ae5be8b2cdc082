//! POSIX regular expressions with PostgreSQL's semantics, SIMILAR TO, and the functions on them. `parse` reads a pattern into
//! an `ast`; `program` makes automata of its parts, which `dfa` runs in time linear in the text; `tree` and `dissect` find
//! out what the groups matched; `exec` puts it together.

mod ast;
mod bracket;
mod charset;
mod dfa;
mod dissect;
mod exec;
mod flags;
mod funcs;
mod parse;
mod program;
mod similar;
pub mod table;
mod tree;

pub use crate::locale::Ctype;
pub use exec::Regex;
pub use flags::{Flags, Flavour};
