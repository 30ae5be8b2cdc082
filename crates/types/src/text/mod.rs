//! Character and byte strings: text, varchar, bpchar, name, `"char"`, bytea. How strings compare and what
//! their letters are is the business of [`crate::locale`].

mod bytea;
mod chars;
mod cmp;
mod codec;
mod convert;
mod format;
mod io;
mod like;
mod normal;
mod pad;
pub mod quote;
mod strings;
pub mod table;
mod typmod;

pub use chars::searchable;
pub use cmp::{bpcharcmp, bytes_cmp, bytes_hash, text_cmp, text_hash};
pub use codec::{HEX, push_hex};
pub use format::format_array;
pub use io::{check_utf8, hashchar, name_truncate, trim_blanks};
pub use like::like_match;
pub use typmod::{bpchar_typmod, typmod_ints, varchar_typmod};
