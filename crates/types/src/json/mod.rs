//! json and jsonb. `json` values are their text, checked on input; `jsonb` values are the binary form of `node`, in which
//! a field is found without reading the rest. Functions over `json` parse with `lex`; functions over `jsonb` read the
//! stored bytes in place and build results from trees that share them.

mod access;
mod agg;
mod build;
mod cmp;
mod edit;
mod io;
mod lex;
pub(crate) mod node;
pub mod path;
mod srf;
pub mod table;
mod text_tree;

pub use access::jsonb_path;
pub use build::field_names;
pub(crate) use build::record_fields;
pub use edit::assign as jsonb_assign;
pub(crate) use lex::{is_number, push_string as write_quoted};
pub use node::{Node, Value, parse_tree};
pub use srf::Table;
pub use text_tree::{TextKind, TextNode};

/// The document `null`.
pub fn null() -> Vec<u8> {
    Node::Null.to_jsonb().unwrap_or_default()
}
