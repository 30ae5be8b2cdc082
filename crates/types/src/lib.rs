//! Physical values, column vectors, the tuple format, the function registry, and the built-in types with their
//! pure functions and operators. Unsafe code is allowed here for the tuple codec only.

pub mod column;
pub mod datum;
pub mod oids;
pub mod registry;
pub mod tupdesc;
pub mod tuple;

pub use column::{Arg, Batch, BytesColumn, Column, ColumnData, NullMask, Rows};
pub use datum::{Datum, DatumRef, Phys};
pub use registry::{
    AggImpl, AggState, CallCtx, CmpFn, FnImpl, FormatSettings, HashFn, Registry, RowSource, ScalarKernel,
};
pub use tupdesc::{Attribute, TupleDesc};
