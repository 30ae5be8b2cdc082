//! citext: text that compares by its lower case. Strings are folded by the collation they are compared with, and the
//! folded ones compared by it.

use super::Symbol;
use crate::kernel::{FromArg, run2};
use crate::locale::lower;
use crate::typeinfo::TypeInfo;
use crate::{Arg, CallCtx, Collation, Column, DatumRef, FnImpl, Phys, Rows};
use common::{Oid, Result};
use std::cmp::Ordering;

pub const TYPE: TypeInfo = TypeInfo {
    oid: Oid(0),
    name: "citext",
    len: -1,
    align: b'i',
    storage: b'x',
    elem: Oid(0),
    array: Oid(0),
    input: Oid(46),
    output: Oid(47),
    receive: Oid(2414),
    send: Oid(2415),
    cmp: Oid(9506),
    hash: Oid(9507),
    phys: Phys::Bytes,
};

fn folded(c: Collation, s: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    lower(c.ctype(), s, &mut out);
    out
}

fn compare(c: Collation, a: &[u8], b: &[u8]) -> Ordering {
    c.compare(&folded(c, a), &folded(c, b))
}
/// Of patterns' order: that of the bytes.
fn pattern(c: Collation, a: &[u8], b: &[u8]) -> Ordering {
    folded(c, a).cmp(&folded(c, b))
}
fn equal(c: Collation, a: &[u8], b: &[u8]) -> bool {
    folded(c, a) == folded(c, b)
}
fn citext_cmp(c: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(c, a.bytes(), b.bytes())
}
fn citext_pattern_cmp(c: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    pattern(c, a.bytes(), b.bytes())
}
fn citext_hash(c: Collation, v: DatumRef<'_>) -> u64 {
    u64::from(crate::pg_hash::hash_bytes(&folded(c, v.bytes()), None) as u32)
}
fn hash_extended(c: &CallCtx<'_>, a: &[u8], seed: i64) -> i64 {
    crate::pg_hash::hash_bytes(&folded(c.collation, a), Some(seed as u64)) as i64
}
fn extreme<'a>(c: &CallCtx<'_>, a: &'a [u8], b: &'a [u8], wanted: Ordering) -> &'a [u8] {
    if compare(c.collation, a, b) == wanted { a } else { b }
}

fn test<'a>(
    c: &CallCtx<'_>,
    args: &[Arg<'a>],
    rows: Rows<'_>,
    out: &mut Column,
    f: impl Fn(Collation, &'a [u8], &'a [u8]) -> bool,
) -> Result<()>
where
    &'a [u8]: FromArg<'a>,
{
    run2(|a: &'a [u8], b: &'a [u8]| f(c.collation, a, b), args, rows, out)
}

macro_rules! tests {
    ($($name:ident = |$c:ident, $a:ident, $b:ident| $e:expr;)*) => {$(
        fn $name(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
            test(c, args, rows, out, |$c, $a, $b| $e)
        }
    )*};
}
tests! {
    citext_eq = |c, a, b| equal(c, a, b);
    citext_ne = |c, a, b| !equal(c, a, b);
    citext_lt = |c, a, b| compare(c, a, b).is_lt();
    citext_le = |c, a, b| compare(c, a, b).is_le();
    citext_gt = |c, a, b| compare(c, a, b).is_gt();
    citext_ge = |c, a, b| compare(c, a, b).is_ge();
    pattern_lt = |c, a, b| pattern(c, a, b).is_lt();
    pattern_le = |c, a, b| pattern(c, a, b).is_le();
    pattern_gt = |c, a, b| pattern(c, a, b).is_gt();
    pattern_ge = |c, a, b| pattern(c, a, b).is_ge();
}
fn smaller(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    run2(|a, b| extreme(c, a, b, Ordering::Less).to_vec(), args, rows, out)
}
fn larger(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    run2(|a, b| extreme(c, a, b, Ordering::Greater).to_vec(), args, rows, out)
}

pub static SYMBOLS: &[Symbol] = &[
    ("citext_eq", 9500, FnImpl::Scalar(citext_eq)),
    ("citext_ne", 9501, FnImpl::Scalar(citext_ne)),
    ("citext_lt", 9502, FnImpl::Scalar(citext_lt)),
    ("citext_le", 9503, FnImpl::Scalar(citext_le)),
    ("citext_gt", 9504, FnImpl::Scalar(citext_gt)),
    ("citext_ge", 9505, FnImpl::Scalar(citext_ge)),
    ("citext_cmp", 9506, FnImpl::Cmp(citext_cmp)),
    ("citext_hash", 9507, FnImpl::Hash(citext_hash)),
    ("citext_hash_extended", 9508, crate::c2!(hash_extended)),
    ("citext_smaller", 9509, FnImpl::Scalar(smaller)),
    ("citext_larger", 9510, FnImpl::Scalar(larger)),
    ("citext_pattern_lt", 9511, FnImpl::Scalar(pattern_lt)),
    ("citext_pattern_le", 9512, FnImpl::Scalar(pattern_le)),
    ("citext_pattern_gt", 9513, FnImpl::Scalar(pattern_gt)),
    ("citext_pattern_ge", 9514, FnImpl::Scalar(pattern_ge)),
    ("citext_pattern_cmp", 9515, FnImpl::Cmp(citext_pattern_cmp)),
];
