//! Physical values, column vectors, the tuple format, the function registry, and the built-in types with their
//! pure functions and operators. Unsafe code is allowed here for the tuple codec only.

pub mod agg;
pub mod array;
pub mod bits;
pub mod column;
pub mod datetime;
pub mod datum;
pub mod deform;
mod enums;
pub mod ext;
pub mod float;
pub mod form;
pub mod geo;
pub mod hash;
pub mod int;
pub mod json;
pub mod kernel;
pub mod locale;
pub mod misc;
pub mod money;
pub mod net;
pub mod numeric;
pub mod oids;
pub mod ops;
pub mod pg_hash;
pub mod range;
pub mod record;
pub mod regexp;
pub mod registry;
pub mod snapshot;
pub mod text;
pub mod tupdesc;
pub mod tuple;
pub mod typeinfo;
pub mod user_type;
pub mod wire;

pub use column::{Arg, Batch, BytesColumn, Column, ColumnData, NullMask, Rows};
pub use datum::{Datum, DatumRef, Phys};
pub use locale::Collation;
pub use registry::{
    AggImpl, AggState, CallCtx, CmpFn, FnImpl, FormatSettings, HashFn, Registry, RowSource, ScalarKernel,
};
pub use tupdesc::{Attribute, TupleDesc};
pub use typeinfo::{TypeInfo, array_type, element_type, phys_of, type_info};
pub use user_type::{UserClass, storage_info};

/// Quoting and parsing of text that other crates write into or read from SQL.
pub mod text_io {
    pub use crate::array::{ArrayText, parse_array_text};
    pub use crate::text::quote::{quote_identifier, quote_literal, quote_qualified};
}

/// The function tables of this crate, to be merged into a [`Registry`].
pub fn builtin_tables() -> Vec<&'static [(u32, FnImpl)]> {
    vec![
        int::table::TABLE,
        misc::table::TABLE,
        text::table::TABLE,
        array::table::TABLE,
        float::table::TABLE,
        numeric::table::TABLE,
        agg::table::TABLE,
        datetime::table::TABLE,
        regexp::table::TABLE,
        record::TABLE,
        json::table::TABLE,
        range::table::TABLE,
        bits::table::TABLE,
        net::table::TABLE,
        money::table::TABLE,
        geo::table::TABLE,
        json::path::table::TABLE,
        enums::TABLE,
        pg_hash::EXTENDED,
        snapshot::TABLE,
        agg::transition::TABLE,
    ]
}
