//! real and double precision: shortest-digits output, checked arithmetic (overflow and underflow are 22003), comparison
//! where NaN equals itself and is greatest, mathematical functions.

mod io;
mod math;
mod ops;
mod shortest;
pub mod table;

#[cfg(test)]
use io::push_f32;
pub use io::{layout, parse_f32, parse_f64, push_f64};
pub use ops::a4::pl as add_f32;
pub use ops::a8::{div as div_f64, mi as sub_f64, mul as mul_f64, pl as add_f64};
pub use ops::{cmp_f64, float_cmp, float_hash, out_of_range, overflow as float_overflow};
