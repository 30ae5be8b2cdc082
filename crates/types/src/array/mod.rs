//! Arrays: PostgreSQL's layout without the length word. All offsets count as if the four-byte length word were there, so
//! that the bytes are those of the on-disk value behind its header: dimension count, offset of the data (zero without
//! nulls), element type, dimensions, lower bounds, null bitmap, elements at multiples of 8.

mod cmp;
mod edit;
mod io;
mod layout;
mod search;
mod srf;
mod store;
pub mod table;

pub use cmp::{array_cmp, array_hash};
pub use edit::{array_get, array_set, array_slice};
pub use io::{ArrayText, array_in, int2vector, oidvector, output_text, parse_array_text, vector_items};
pub use layout::{ArrayBuilder, ArrayRef, Elem, MAX_DIM, build_1d, cstring_array, empty_array};
pub use srf::Values;
pub use store::array_set_slice;
