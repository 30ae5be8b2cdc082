//! Questions about expressions and changes to them: walking, equality, constant folding, strictness, costs.

pub mod array;
pub mod eval;
pub mod fold;
pub mod inline;
pub mod props;
pub mod quals;
pub mod walk;

pub use analyze::info::{expr_collation as collation_of, expr_type as type_of, expr_typmod as typmod_of};
pub use eval::{Evaluator, eval_scalar, integer, machine_comparison};
pub use props::*;
pub use quals::{canonicalize, make_and, make_or, to_and_list};
pub use walk::*;
