//! Scalar values. A [`Datum`] owns its bytes, a [`DatumRef`] borrows them from a page, a batch or a datum. Both are
//! typed by *physical kind* only; what the bits mean (int4 or date, text or numeric) is known from the type's OID.
//!
//! In-memory forms: `date` I32 days from 2000-01-01; `time`, `timestamp[tz]`, `money` I64 (microseconds from
//! 2000-01-01); `timetz`, `interval`, `uuid` Fixed16 (interval: i64 microseconds, i32 days, i32 months, little
//! endian; timetz: i64 microseconds, i32 zone seconds west, 4 zero bytes); `tid` I64 ([`common::Tid::pack`]);
//! `oid`, `reg*`, `xid`, `cid` U32; `xid8`, `pg_lsn` I64; `name` Bytes without padding; `numeric` Bytes in the disk
//! form; arrays Bytes in PostgreSQL's array layout (without the varlena header); records Bytes, see `record`.

use std::rc::Rc;

/// How a type's values are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Phys {
    Bool,
    /// `"char"`
    I8,
    I16,
    I32,
    U32,
    I64,
    F32,
    F64,
    Fixed16,
    Bytes,
}

/// An owned scalar.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Datum {
    #[default]
    Null,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    U32(u32),
    I64(i64),
    /// Stored as bits: JSON has no NaN and no infinity.
    #[serde(with = "f32_bits")]
    F32(f32),
    #[serde(with = "f64_bits")]
    F64(f64),
    Fixed16([u8; 16]),
    Bytes(Rc<[u8]>),
}

/// A borrowed scalar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DatumRef<'a> {
    #[default]
    Null,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    U32(u32),
    I64(i64),
    F32(f32),
    F64(f64),
    Fixed16([u8; 16]),
    Bytes(&'a [u8]),
}

macro_rules! float_bits {
    ($module:ident, $float:ty, $bits:ty) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            pub fn serialize<S: Serializer>(v: &$float, s: S) -> Result<S::Ok, S::Error> {
                v.to_bits().serialize(s)
            }
            pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<$float, D::Error> {
                <$bits>::deserialize(d).map(<$float>::from_bits)
            }
        }
    };
}
float_bits!(f32_bits, f32, u32);
float_bits!(f64_bits, f64, u64);

impl Datum {
    /// Borrow.
    pub fn as_ref(&self) -> DatumRef<'_> {
        match self {
            Datum::Null => DatumRef::Null,
            Datum::Bool(v) => DatumRef::Bool(*v),
            Datum::I8(v) => DatumRef::I8(*v),
            Datum::I16(v) => DatumRef::I16(*v),
            Datum::I32(v) => DatumRef::I32(*v),
            Datum::U32(v) => DatumRef::U32(*v),
            Datum::I64(v) => DatumRef::I64(*v),
            Datum::F32(v) => DatumRef::F32(*v),
            Datum::F64(v) => DatumRef::F64(*v),
            Datum::Fixed16(v) => DatumRef::Fixed16(*v),
            Datum::Bytes(b) => DatumRef::Bytes(b),
        }
    }
    /// Is it SQL's NULL?
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }
    /// The value as one of a binary-coercible type of kind `to`: oid-like types and int4 share their bits.
    #[must_use]
    pub fn relabelled(self, to: Phys) -> Datum {
        match (self, to) {
            (Datum::I32(v), Phys::U32) => Datum::U32(v as u32),
            (Datum::U32(v), Phys::I32) => Datum::I32(v as i32),
            (d, _) => d,
        }
    }
    /// A variable-length value from its bytes.
    pub fn bytes(b: &[u8]) -> Datum {
        Datum::Bytes(Rc::from(b))
    }
    /// A text value.
    pub fn text(s: &str) -> Datum {
        Datum::Bytes(Rc::from(s.as_bytes()))
    }
    /// An object id.
    pub fn oid(o: common::Oid) -> Datum {
        Datum::U32(o.0)
    }
}

macro_rules! getter {
    ($(#[$d:meta])* $name:ident, $variant:ident, $t:ty, $zero:expr) => {
        $(#[$d])*
        #[inline]
        pub fn $name(self) -> $t {
            match self {
                DatumRef::$variant(v) => v,
                other => {
                    debug_assert!(false, "physical kind mismatch: {other:?}");
                    $zero
                }
            }
        }
    };
}

impl<'a> DatumRef<'a> {
    /// Is it SQL's NULL?
    #[inline]
    pub fn is_null(self) -> bool {
        matches!(self, DatumRef::Null)
    }
    /// Copy into an owned value.
    pub fn to_owned(self) -> Datum {
        match self {
            DatumRef::Null => Datum::Null,
            DatumRef::Bool(v) => Datum::Bool(v),
            DatumRef::I8(v) => Datum::I8(v),
            DatumRef::I16(v) => Datum::I16(v),
            DatumRef::I32(v) => Datum::I32(v),
            DatumRef::U32(v) => Datum::U32(v),
            DatumRef::I64(v) => Datum::I64(v),
            DatumRef::F32(v) => Datum::F32(v),
            DatumRef::F64(v) => Datum::F64(v),
            DatumRef::Fixed16(v) => Datum::Fixed16(v),
            DatumRef::Bytes(b) => Datum::Bytes(Rc::from(b)),
        }
    }
    getter!(/// Value of a Bool (a mismatch is a bug: false).
        bool, Bool, bool, false);
    getter!(/// Value of an I8.
        i8, I8, i8, 0);
    getter!(/// Value of an I16.
        i16, I16, i16, 0);
    getter!(/// Value of an I32.
        i32, I32, i32, 0);
    getter!(/// Value of a U32.
        u32, U32, u32, 0);
    getter!(/// Value of an I64.
        i64, I64, i64, 0);
    getter!(/// Value of an F32.
        f32, F32, f32, 0.0);
    getter!(/// Value of an F64.
        f64, F64, f64, 0.0);
    getter!(/// Value of a Fixed16.
        fixed16, Fixed16, [u8; 16], [0; 16]);
    getter!(/// Value of a Bytes.
        bytes, Bytes, &'a [u8], &[]);
    /// Value of a U32 as an object id.
    pub fn oid(self) -> common::Oid {
        common::Oid(self.u32())
    }
    /// Value of a Bytes as UTF-8 text; invalid sequences (which input functions never let in) read as empty.
    pub fn str(self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or("")
    }
}
