//! Range and multirange types.

mod agg;
mod io;
mod ops;
pub mod table;
pub(crate) mod value;

pub use value::{RANGE_TYPES, RangeType, find_family};
