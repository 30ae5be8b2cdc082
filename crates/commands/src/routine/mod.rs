//! Functions and procedures that are not built in: how they are defined ([`create`], [`alter`]), called ([`call`],
//! [`invoke`]) and merged into queries ([`merge`]). What a language is, says [`language::Language`]; SQL is one.
//!
//! A call comes from the executor through the session, gets its identity (SECURITY DEFINER) and settings (SET), and is
//! handed to its language. The statements of an SQL function are analysed and planned once per session, function and
//! argument types ([`sql::Compiled`]); a change of any descriptor or of the search path makes them anew.

mod aggregate;
mod alter;
mod args;
mod body;
mod call;
mod create;
mod invoke;
pub mod language;
mod merge;
pub mod name;
mod options;
mod sql;

pub use aggregate::{create as create_aggregate, flag, type_arg};
pub use alter::{alter, drop, find, owner, raw_type_name, rename, require, set_schema};
pub use call::{call, open_set, stack_address};
pub use create::create;
pub use invoke::{call as call_procedure, columns as call_columns, do_block};
pub use merge::{Merge, fold};
pub use sql::Cache;
