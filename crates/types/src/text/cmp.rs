//! Comparison and hashing of strings by bytes. bpchar ignores trailing blanks.

use super::io::trim_blanks;
use crate::DatumRef;
use common::Oid;
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
            pub fn larger(a: &[u8], b: &[u8], out: &mut Vec<u8>) {
                out.extend_from_slice(if gt(a, b) { a } else { b });
            }
            pub fn smaller(a: &[u8], b: &[u8], out: &mut Vec<u8>) {
                out.extend_from_slice(if lt(a, b) { a } else { b });
            }
        }
    };
}
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

pub fn bytes_cmp(_: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.bytes().cmp(b.bytes())
}
pub fn bytes_hash(_: Oid, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_bytes(v.bytes())
}
pub fn bpcharcmp(_: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    trim_blanks(a.bytes()).cmp(trim_blanks(b.bytes()))
}
pub fn hashbpchar(_: Oid, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_bytes(trim_blanks(v.bytes()))
}
pub fn btcharcmp(_: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    (a.i8() as u8).cmp(&(b.i8() as u8))
}
