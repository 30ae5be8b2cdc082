//! Comparison and hashing of strings: by bytes, or by the call's collation where it orders otherwise (one test a batch).
//! bpchar ignores trailing blanks.

use super::io::trim_blanks;
use crate::column::{Arg, Column, Rows};
use crate::kernel::{run2, writer};
use crate::locale::indeterminate;
use crate::{CallCtx, Collation, DatumRef};
use common::Result;
use std::cmp::Ordering;

macro_rules! ops {
    ($m:ident, $prep:expr) => {
        /// The six comparisons and the two choices.
        pub mod $m {
            pub fn eq(a: &[u8], b: &[u8]) -> bool {
                $prep(a) == $prep(b)
            }
            pub fn ne(a: &[u8], b: &[u8]) -> bool {
                $prep(a) != $prep(b)
            }
            pub fn lt(a: &[u8], b: &[u8]) -> bool {
                $prep(a) < $prep(b)
            }
            pub fn le(a: &[u8], b: &[u8]) -> bool {
                $prep(a) <= $prep(b)
            }
            pub fn gt(a: &[u8], b: &[u8]) -> bool {
                $prep(a) > $prep(b)
            }
            pub fn ge(a: &[u8], b: &[u8]) -> bool {
                $prep(a) >= $prep(b)
            }
        }
    };
}
/// What a collation is needed for, in messages.
const COMPARISON: &str = "string comparison";

macro_rules! collated {
    ($m:ident, $plain:ident, $prep:expr) => {
        /// The same by the call's collation.
        pub mod $m {
            use super::*;
            collated!($plain $prep; eq is_eq is_deterministic);
            collated!($plain $prep; ne is_ne is_deterministic);
            collated!($plain $prep; lt is_lt by_bytes);
            collated!($plain $prep; le is_le by_bytes);
            collated!($plain $prep; gt is_gt by_bytes);
            collated!($plain $prep; ge is_ge by_bytes);
            collated!($prep; larger is_gt);
            collated!($prep; smaller is_lt);
        }
    };
    ($plain:ident $prep:expr; $name:ident $test:ident $as_bytes:ident) => {
        pub fn $name(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
            let k = c.collation;
            if !k.oid.is_valid() {
                return run2(|_: &[u8], _: &[u8]| Err::<bool, _>(indeterminate(COMPARISON)), a, r, o);
            }
            if k.$as_bytes() {
                return run2(super::$plain::$name, a, r, o);
            }
            run2(|x: &[u8], y: &[u8]| k.compare($prep(x), $prep(y)).$test(), a, r, o)
        }
    };
    ($prep:expr; $name:ident $test:ident) => {
        pub fn $name(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
            let k = c.collation;
            let pick = |x: &[u8], y: &[u8], w: &mut Vec<u8>| -> Result<()> {
                k.require(COMPARISON)?;
                w.extend_from_slice(if k.compare($prep(x), $prep(y)).$test() { x } else { y });
                Ok(())
            };
            run2(|x, y| writer(move |w| pick(x, y, w)), a, r, o)
        }
    };
}
collated!(text, bytes, std::convert::identity::<&[u8]>);
collated!(blank_padded, padded, trim_blanks);
ops!(bytes, std::convert::identity::<&[u8]>);
ops!(padded, super::trim_blanks);

/// Single bytes, compared unsigned.
pub mod single {
    pub fn eq(a: i8, b: i8) -> bool {
        a == b
    }
    pub fn ne(a: i8, b: i8) -> bool {
        a != b
    }
    pub fn lt(a: i8, b: i8) -> bool {
        (a as u8) < b as u8
    }
    pub fn le(a: i8, b: i8) -> bool {
        a as u8 <= b as u8
    }
    pub fn gt(a: i8, b: i8) -> bool {
        a as u8 > b as u8
    }
    pub fn ge(a: i8, b: i8) -> bool {
        a as u8 >= b as u8
    }
}

/// bytea, name patterns: bytes whatever the collation.
pub fn bytes_cmp(_: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.bytes().cmp(b.bytes())
}
pub fn bpchar_pattern_cmp(_: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    trim_blanks(a.bytes()).cmp(trim_blanks(b.bytes()))
}
pub fn text_cmp(c: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    c.compare(a.bytes(), b.bytes())
}
pub fn text_hash(c: Collation, v: DatumRef<'_>) -> u64 {
    c.hash(v.bytes())
}
pub fn bytes_hash(_: Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_bytes(v.bytes())
}
pub fn bpcharcmp(c: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    c.compare(trim_blanks(a.bytes()), trim_blanks(b.bytes()))
}
pub fn hashbpchar(c: Collation, v: DatumRef<'_>) -> u64 {
    c.hash(trim_blanks(v.bytes()))
}
pub fn btcharcmp(_: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    (a.i8() as u8).cmp(&(b.i8() as u8))
}
