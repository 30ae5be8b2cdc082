//! Row shapes: the attributes of a relation or of a result, as far as storing and reading values needs them.

use crate::datum::Phys;
use common::Oid;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: String,
    pub type_oid: Oid,
    pub typmod: i32,
    /// Bytes on disk; -1 for variable length.
    pub len: i16,
    pub by_val: bool,
    /// `c`, `s`, `i` or `d`: 1, 2, 4 or 8 bytes.
    pub align: u8,
    /// `p` plain, `x` extended, `m` main, `e` external.
    pub storage: u8,
    /// `p` pglz, `l` lz4, 0 default.
    pub compression: u8,
    pub phys: Phys,
    pub collation: Oid,
    pub not_null: bool,
    pub has_default: bool,
    /// A column added with a constant default has this value in rows that were written without it.
    pub missing: Option<crate::Datum>,
    /// 0, `a` always, `d` by default.
    pub identity: u8,
    /// 0 or `s` stored.
    pub generated: u8,
    pub dropped: bool,
}

/// The shape of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TupleDesc {
    /// Attribute number n is `attrs[n - 1]`; dropped ones stay in place.
    pub attrs: Vec<Attribute>,
    /// Composite type, or RECORD (2249).
    pub type_oid: Oid,
}

impl TupleDesc {
    /// Number of attributes, dropped ones included.
    pub fn len(&self) -> usize {
        self.attrs.len()
    }
    /// Has it no attributes?
    pub fn is_empty(&self) -> bool {
        self.attrs.is_empty()
    }
}
