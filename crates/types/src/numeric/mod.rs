//! numeric: exact decimals of up to 131,072 digits before and 16,383 after the point, NaN and infinities. Digits are base
//! 10,000, on disk as in PostgreSQL (short header where it fits). Other crates use [`Num`] through `unpack` and `pack`.

mod arith;
mod convert;
mod dec;
mod funcs;
mod io;
mod math;
mod num;
mod picture;
mod series;
mod small;
pub mod table;
mod template;
mod to_number;
mod typmod;

pub use arith::{
    add as num_add, div as num_div, div_scale, div_to, mul as num_mul, mul_exact, rem as num_rem,
    sub as num_sub,
};
pub use convert::{float8_numeric, format_g, numeric_float4, to_float};
pub use dec::{DecColumn, DecOp, ten};
pub use funcs::{hash_numeric, numeric_cmp};
pub use io::parse_numeric;
pub use math::sqrt_to;
pub use num::{Kind, Num};
pub use small::{Small, to_num};
pub use typmod::numeric_typmod;
