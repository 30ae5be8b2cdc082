//! smallint, integer, bigint: operators within and across the three widths, casts between them, input and output,
//! bit operations, `generate_series`. Overflow is 22003, division by zero 22012, always checked.

mod io;
mod ops;
mod series;
pub mod table;

pub use io::{int_cmp, int_hash, parse_int, widen};
pub use ops::{Int, division_by_zero as ops_division_by_zero, out_of_range_i64 as ops_out_of_range_i64};
