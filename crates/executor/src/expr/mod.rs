//! Expressions: [`compile`] turns an `analyze` tree into a [`Program`], a list of kernels over register columns that is
//! evaluated for the selected rows of a batch; [`qual::Qual`] filters, [`project::Projection`] makes output columns.
//! Nodes call these; they call kernels of the function registry. Rows that are not selected are never evaluated.

pub mod arrays;
pub mod callee;
pub mod colops;
pub mod compile;
mod control;
mod decimal;
pub mod domain;
mod eval;
mod jsonb;
mod one_row;
mod program;
pub mod project;
pub mod qual;
mod quick;
pub(crate) mod row;
pub mod special;
mod subplan;

pub use compile::{NoScope, Scope, cmp_for_type as compile_cmp, compile, compile_one, compile_small};
pub use program::{Program, Src};
pub use special::int_datum;
