//! Integer arithmetic and comparison, generic over the operand widths; the result has the wider one.

use common::{Error, Result, bail, err};

/// An integer type of SQL.
pub trait Int: Copy + Ord + TryFrom<i128> + Into<i128> + Default {
    /// SQL name, as in "… out of range".
    const NAME: &'static str;
    fn add(self, o: Self) -> Option<Self>;
    fn sub(self, o: Self) -> Option<Self>;
    fn mul(self, o: Self) -> Option<Self>;
    fn div(self, o: Self) -> Option<Self>;
    fn rem(self, o: Self) -> Self;
    fn and(self, o: Self) -> Self;
    fn or(self, o: Self) -> Self;
    fn xor(self, o: Self) -> Self;
    fn not(self) -> Self;
    fn shl(self, n: i32) -> Self;
    fn shr(self, n: i32) -> Self;
    fn neg(self) -> Option<Self>;
    fn is_zero(self) -> bool;
}

macro_rules! int {
    ($($t:ty, $name:literal;)*) => {$(
        impl Int for $t {
            const NAME: &'static str = $name;
            #[inline(always)]
            fn add(self, o: Self) -> Option<Self> { self.checked_add(o) }
            #[inline(always)]
            fn sub(self, o: Self) -> Option<Self> { self.checked_sub(o) }
            #[inline(always)]
            fn mul(self, o: Self) -> Option<Self> { self.checked_mul(o) }
            #[inline(always)]
            fn div(self, o: Self) -> Option<Self> { self.checked_div(o) }
            #[inline(always)]
            fn rem(self, o: Self) -> Self { self.wrapping_rem(o) }
            #[inline(always)]
            fn and(self, o: Self) -> Self { self & o }
            #[inline(always)]
            fn or(self, o: Self) -> Self { self | o }
            #[inline(always)]
            fn xor(self, o: Self) -> Self { self ^ o }
            #[inline(always)]
            fn not(self) -> Self { !self }
            #[inline(always)]
            fn shl(self, n: i32) -> Self {
                if <$t>::BITS == 16 { i32::from(self as i16).wrapping_shl(n as u32) as $t } else { self.wrapping_shl(n as u32) }
            }
            #[inline(always)]
            fn shr(self, n: i32) -> Self {
                if <$t>::BITS == 16 { i32::from(self as i16).wrapping_shr(n as u32) as $t } else { self.wrapping_shr(n as u32) }
            }
            #[inline(always)]
            fn neg(self) -> Option<Self> { self.checked_neg() }
            #[inline(always)]
            fn is_zero(self) -> bool { self == 0 }
        }
    )*};
}
int! { i16, "smallint"; i32, "integer"; i64, "bigint"; }

/// 22003.
#[cold]
pub fn out_of_range<T: Int>() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", T::NAME)
}

/// 22003 of bigint.
#[cold]
pub fn out_of_range_i64() -> Error {
    out_of_range::<i64>()
}

/// 22012.
#[cold]
pub fn division_by_zero() -> Error {
    err!(DIVISION_BY_ZERO, "division by zero")
}

macro_rules! cmp {
    ($($name:ident $op:tt;)*) => {$(
        #[inline(always)]
        pub fn $name<A: Into<i64>, B: Into<i64>>(a: A, b: B) -> bool {
            a.into() $op b.into()
        }
    )*};
}
cmp! { eq ==; ne !=; lt <; le <=; gt >; ge >=; }

macro_rules! arith {
    ($($name:ident $op:ident;)*) => {$(
        #[inline(always)]
        pub fn $name<A: Into<T>, B: Into<T>, T: Int>(a: A, b: B) -> Result<T> {
            a.into().$op(b.into()).ok_or_else(out_of_range::<T>)
        }
    )*};
}
arith! { pl add; mi sub; mul mul; }

#[inline(always)]
pub fn div<A: Into<T>, B: Into<T>, T: Int>(a: A, b: B) -> Result<T> {
    let b = b.into();
    if b.is_zero() {
        return Err(division_by_zero());
    }
    a.into().div(b).ok_or_else(out_of_range::<T>)
}

#[inline(always)]
pub fn modulo<A: Into<T>, B: Into<T>, T: Int>(a: A, b: B) -> Result<T> {
    let b = b.into();
    if b.is_zero() {
        return Err(division_by_zero());
    }
    Ok(a.into().rem(b))
}

pub fn neg<T: Int>(a: T) -> Result<T> {
    a.neg().ok_or_else(out_of_range::<T>)
}
pub fn abs<T: Int>(a: T) -> Result<T> {
    if a < T::default() { neg(a) } else { Ok(a) }
}
pub fn plus<T: Int>(a: T) -> T {
    a
}
pub fn larger<T: Int>(a: T, b: T) -> T {
    a.max(b)
}
pub fn smaller<T: Int>(a: T, b: T) -> T {
    a.min(b)
}
pub fn and<T: Int>(a: T, b: T) -> T {
    a.and(b)
}
pub fn or<T: Int>(a: T, b: T) -> T {
    a.or(b)
}
pub fn xor<T: Int>(a: T, b: T) -> T {
    a.xor(b)
}
pub fn not<T: Int>(a: T) -> T {
    a.not()
}
pub fn shl<T: Int>(a: T, n: i32) -> T {
    a.shl(n)
}
pub fn shr<T: Int>(a: T, n: i32) -> T {
    a.shr(n)
}
pub fn inc<T: Int + From<i16>>(a: T) -> Result<T> {
    a.add(T::from(1)).ok_or_else(out_of_range::<T>)
}

/// Greatest common divisor, never negative.
pub fn gcd<T: Int>(a: T, b: T) -> Result<T> {
    let (mut x, mut y): (i128, i128) = (a.into(), b.into());
    while y != 0 {
        (x, y) = (y, x % y);
    }
    T::try_from(x.abs()).map_err(|_| out_of_range::<T>())
}

/// Least common multiple, never negative; zero if either is.
pub fn lcm<T: Int>(a: T, b: T) -> Result<T> {
    if a.is_zero() || b.is_zero() {
        return Ok(T::default());
    }
    let (x, y): (i128, i128) = (a.into(), b.into());
    let (mut p, mut q) = (x, y);
    while q != 0 {
        (p, q) = (q, p % q);
    }
    T::try_from((x / p * y).abs()).map_err(|_| out_of_range::<T>())
}

/// Widening or narrowing cast.
#[inline(always)]
pub fn cast<A: Copy, T: Int + TryFrom<A>>(a: A) -> Result<T> {
    T::try_from(a).map_err(|_| out_of_range::<T>())
}

/// `in_range` support of window frames.
pub fn in_range<A: Int, B: Int>(val: A, base: A, offset: B, sub: bool, less: bool) -> Result<bool> {
    let (v, b, o): (i128, i128, i128) = (val.into(), base.into(), offset.into());
    if o < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    let bound = if sub { b - o } else { b + o };
    Ok(if less { v <= bound } else { v >= bound })
}

/// `int4(smallint)`, which is also the cast of smallint to `oid` and its kin.
pub fn int2_to_four_bytes(
    ctx: &crate::CallCtx<'_>,
    args: &[crate::Arg<'_>],
    rows: crate::Rows<'_>,
    out: &mut crate::Column,
) -> Result<()> {
    let _ = ctx;
    if matches!(out.data, crate::ColumnData::U32(_)) {
        crate::kernel::run1(|v: i16| i32::from(v) as u32, args, rows, out)
    } else {
        crate::kernel::run1(|v: i16| i32::from(v), args, rows, out)
    }
}
