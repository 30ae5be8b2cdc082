//! Arithmetic, comparison, casts.

use crate::DatumRef;
use crate::int::ops_division_by_zero;
use common::{Error, Result, bail, err};
use std::cmp::Ordering;

/// 22003, overflow.
#[cold]
pub fn overflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}
/// 22003, underflow.
#[cold]
pub fn underflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}
/// 22003 for an integer target.
#[cold]
pub fn out_of_range(name: &str) -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", name)
}

macro_rules! arith {
    ($m:ident, $t:ty) => {
        /// Checked arithmetic of one width.
        pub mod $m {
            use super::*;
            pub fn pl(a: $t, b: $t) -> Result<$t> {
                let r = a + b;
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
            }
            pub fn mi(a: $t, b: $t) -> Result<$t> {
                let r = a - b;
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
            }
            pub fn mul(a: $t, b: $t) -> Result<$t> {
                let r = a * b;
                if r.is_infinite() && !a.is_infinite() && !b.is_infinite() {
                    Err(overflow())
                } else if r == 0.0 && a != 0.0 && b != 0.0 {
                    Err(underflow())
                } else {
                    Ok(r)
                }
            }
            pub fn div(a: $t, b: $t) -> Result<$t> {
                if b == 0.0 && !a.is_nan() {
                    return Err(ops_division_by_zero());
                }
                let r = a / b;
                if r.is_infinite() && !a.is_infinite() {
                    Err(overflow())
                } else if r == 0.0 && a != 0.0 && !b.is_infinite() {
                    Err(underflow())
                } else {
                    Ok(r)
                }
            }
            pub fn um(a: $t) -> $t {
                -a
            }
            pub fn up(a: $t) -> $t {
                a
            }
            pub fn abs(a: $t) -> $t {
                a.abs()
            }
            pub fn larger(a: $t, b: $t) -> $t {
                if gt(a, b) { a } else { b }
            }
            pub fn smaller(a: $t, b: $t) -> $t {
                if lt(a, b) { a } else { b }
            }
        }
    };
}
arith!(a4, f32);
arith!(a8, f64);

/// Mixed arithmetic happens in double precision.
pub fn mixed(f: fn(f64, f64) -> Result<f64>) -> impl Fn(f32, f64) -> Result<f64> {
    move |a, b| f(f64::from(a), b)
}
pub fn mixed_r(f: fn(f64, f64) -> Result<f64>) -> impl Fn(f64, f32) -> Result<f64> {
    move |a, b| f(a, f64::from(b))
}

pub fn eq<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    let (a, b) = (a.into(), b.into());
    a == b || (a.is_nan() && b.is_nan())
}
pub fn ne<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    !eq(a, b)
}
pub fn lt<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    let (a, b) = (a.into(), b.into());
    a < b || (b.is_nan() && !a.is_nan())
}
pub fn le<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    let (a, b) = (a.into(), b.into());
    a <= b || b.is_nan()
}
pub fn gt<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    lt(b, a)
}
pub fn ge<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> bool {
    le(b, a)
}

/// NaN is greatest and equals itself; -0 equals 0.
pub fn cmp_f64(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}
fn widen(d: DatumRef<'_>) -> f64 {
    match d {
        DatumRef::F32(v) => f64::from(v),
        d => d.f64(),
    }
}
pub fn float_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    cmp_f64(widen(a), widen(b))
}
pub fn float_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    let v = widen(v);
    crate::hash::hash_u64(if v == 0.0 {
        0
    } else if v.is_nan() {
        f64::NAN.to_bits()
    } else {
        v.to_bits()
    })
}

pub fn ftod(v: f32) -> f64 {
    f64::from(v)
}
pub fn dtof(v: f64) -> Result<f32> {
    let r = v as f32;
    if r.is_infinite() && !v.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && v != 0.0 {
        return Err(underflow());
    }
    Ok(r)
}
macro_rules! to_int {
    ($($name:ident $t:ty, $limit:expr, $word:literal;)*) => {$(
        pub fn $name(v: f64) -> Result<$t> {
            let r = v.round_ties_even();
            if !(-$limit..$limit).contains(&r) {
                return Err(out_of_range($word));
            }
            Ok(r as $t)
        }
    )*};
}
to_int! {
    dtoi2 i16, 32_768.0, "smallint";
    dtoi4 i32, 2_147_483_648.0, "integer";
    dtoi8 i64, 9_223_372_036_854_775_808.0, "bigint";
}
pub fn ftoi2(v: f32) -> Result<i16> {
    dtoi2(f64::from(v))
}
pub fn ftoi4(v: f32) -> Result<i32> {
    dtoi4(f64::from(v))
}
pub fn ftoi8(v: f32) -> Result<i64> {
    dtoi8(f64::from(v))
}
pub fn i2tod(v: i16) -> f64 {
    f64::from(v)
}
pub fn i4tod(v: i32) -> f64 {
    f64::from(v)
}
pub fn i8tod(v: i64) -> f64 {
    v as f64
}
pub fn i2tof(v: i16) -> f32 {
    f32::from(v)
}
pub fn i4tof(v: i32) -> f32 {
    v as f32
}
pub fn i8tof(v: i64) -> f32 {
    v as f32
}

/// `in_range` support of window frames.
pub fn in_range<A: Into<f64>>(val: A, base: A, offset: f64, sub: bool, less: bool) -> Result<bool> {
    let (v, b) = (val.into(), base.into());
    if offset.is_nan() || offset < 0.0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    if v.is_nan() {
        return Ok(b.is_nan() || !less);
    }
    if b.is_nan() {
        return Ok(less);
    }
    if offset.is_infinite() && b.is_infinite() && (if sub { b > 0.0 } else { b < 0.0 }) {
        return Ok(true);
    }
    let bound = if sub { b - offset } else { b + offset };
    Ok(if less { v <= bound } else { v >= bound })
}
