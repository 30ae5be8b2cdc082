//! Derives vector kernels from typed scalar functions: `k2!(int4pl)` turns `fn int4pl(a: i32, b: i32) -> Result<i32>`
//! into a [`FnImpl::Scalar`](crate::FnImpl). The function tables of this and of higher crates are written with these macros.
//!
//! `kN!(f)`: `fn(A, B) -> R`; `cN!(f)`: the same behind a `&CallCtx`; `wN!(f)` and `cwN!(f)`: the result is appended to
//! a trailing `&mut Vec<u8>`. Arguments of type `Option<_>` or `DatumRef` make the function non-strict in that
//! argument; everything else is strict, by union of the null masks. Results may be `T`, `Option<T>`, `Result<_>`.

use crate::column::{Arg, BytesColumn, Column, ColumnData, NullMask, Rows};
use crate::datum::{Datum, DatumRef};
use common::Result;

/// A type a kernel argument can have.
pub trait FromArg<'a>: Sized {
    /// Does the function see NULLs itself?
    const NULLABLE: bool = false;
    /// Fixed width: worth separate loops for dense and constant arguments.
    const FIXED: bool = false;
    /// Borrowed column contents.
    type Src: Copy;
    /// Borrows the first `n` rows (at least).
    fn src(col: &'a Column, n: usize) -> Self::Src;
    /// Value of row `i`.
    fn at(src: Self::Src, i: usize) -> Self;
}

/// A type a kernel result can have.
pub trait IntoOut: Sized {
    /// Column contents written to.
    type Dst: ?Sized;
    /// Borrows the output, cut to `n` rows.
    fn dst(col: &mut ColumnData, n: usize) -> &mut Self::Dst;
    /// Writes row `i`.
    fn put(self, dst: &mut Self::Dst, nulls: &mut NullMask, i: usize) -> Result<()>;
}

#[cold]
fn mismatch(want: &str, got: &ColumnData) -> ! {
    unreachable!("physical kind mismatch: kernel wants {want}, column is {got:?}")
}

macro_rules! fixed {
    ($($t:ty, $v:ident;)*) => {$(
        impl<'a> FromArg<'a> for $t {
            const FIXED: bool = true;
            type Src = &'a [$t];
            #[inline]
            fn src(col: &'a Column, n: usize) -> &'a [$t] {
                match &col.data {
                    ColumnData::$v(v) => &v[..n],
                    other => mismatch(stringify!($v), other),
                }
            }
            #[inline(always)]
            fn at(src: &'a [$t], i: usize) -> $t {
                src[i]
            }
        }
        impl IntoOut for $t {
            type Dst = [$t];
            #[inline]
            fn dst(col: &mut ColumnData, n: usize) -> &mut [$t] {
                match col {
                    ColumnData::$v(v) => &mut v[..n],
                    other => mismatch(stringify!($v), other),
                }
            }
            #[inline(always)]
            fn put(self, dst: &mut [$t], _: &mut NullMask, i: usize) -> Result<()> {
                dst[i] = self;
                Ok(())
            }
        }
    )*};
}

fixed! {
    bool, Bool; i8, I8; i16, I16; i32, I32; u32, U32; i64, I64; f32, F32; f64, F64; [u8; 16], Fixed16;
}

fn bytes_src(col: &Column) -> &BytesColumn {
    match &col.data {
        ColumnData::Bytes(v) => v,
        other => mismatch("Bytes", other),
    }
}

fn bytes_dst(col: &mut ColumnData) -> &mut BytesColumn {
    match col {
        ColumnData::Bytes(v) => v,
        other => mismatch("Bytes", other),
    }
}

impl<'a> FromArg<'a> for &'a [u8] {
    type Src = &'a BytesColumn;
    fn src(col: &'a Column, _: usize) -> Self::Src {
        bytes_src(col)
    }
    #[inline(always)]
    fn at(src: Self::Src, i: usize) -> Self {
        src.get(i)
    }
}

impl<'a> FromArg<'a> for &'a str {
    type Src = &'a BytesColumn;
    fn src(col: &'a Column, _: usize) -> Self::Src {
        bytes_src(col)
    }
    #[inline(always)]
    fn at(src: Self::Src, i: usize) -> Self {
        std::str::from_utf8(src.get(i)).unwrap_or("")
    }
}

impl<'a, T: FromArg<'a>> FromArg<'a> for Option<T> {
    const NULLABLE: bool = true;
    type Src = (T::Src, &'a NullMask);
    fn src(col: &'a Column, n: usize) -> Self::Src {
        (T::src(col, n), &col.nulls)
    }
    #[inline(always)]
    fn at(src: Self::Src, i: usize) -> Self {
        if src.1.get(i) { None } else { Some(T::at(src.0, i)) }
    }
}

impl<'a> FromArg<'a> for DatumRef<'a> {
    const NULLABLE: bool = true;
    type Src = &'a Column;
    fn src(col: &'a Column, _: usize) -> Self::Src {
        col
    }
    #[inline(always)]
    fn at(src: Self::Src, i: usize) -> Self {
        src.get(i)
    }
}

macro_rules! bytes_out {
    ($($t:ty),*) => {$(
        impl IntoOut for $t {
            type Dst = BytesColumn;
            fn dst(col: &mut ColumnData, _: usize) -> &mut BytesColumn {
                bytes_dst(col)
            }
            #[inline(always)]
            fn put(self, dst: &mut BytesColumn, _: &mut NullMask, i: usize) -> Result<()> {
                dst.set(i, self.as_ref());
                Ok(())
            }
        }
    )*};
}
bytes_out!(Vec<u8>, String, &[u8], &str);

impl<T: IntoOut> IntoOut for Option<T> {
    type Dst = T::Dst;
    fn dst(col: &mut ColumnData, n: usize) -> &mut T::Dst {
        T::dst(col, n)
    }
    #[inline(always)]
    fn put(self, dst: &mut T::Dst, nulls: &mut NullMask, i: usize) -> Result<()> {
        match self {
            Some(v) => v.put(dst, nulls, i),
            None => {
                nulls.set(i);
                Ok(())
            }
        }
    }
}

impl<T: IntoOut> IntoOut for Result<T> {
    type Dst = T::Dst;
    fn dst(col: &mut ColumnData, n: usize) -> &mut T::Dst {
        T::dst(col, n)
    }
    #[inline(always)]
    fn put(self, dst: &mut T::Dst, nulls: &mut NullMask, i: usize) -> Result<()> {
        self?.put(dst, nulls, i)
    }
}

/// Result of any kind, for polymorphic functions.
impl IntoOut for Datum {
    type Dst = ColumnData;
    fn dst(col: &mut ColumnData, _: usize) -> &mut ColumnData {
        col
    }
    fn put(self, dst: &mut ColumnData, nulls: &mut NullMask, i: usize) -> Result<()> {
        put_datum(self.as_ref(), dst, nulls, i);
        Ok(())
    }
}

fn put_datum(d: DatumRef<'_>, dst: &mut ColumnData, nulls: &mut NullMask, i: usize) {
    match (dst, d) {
        (_, DatumRef::Null) => nulls.set(i),
        (ColumnData::Bool(v), DatumRef::Bool(x)) => v[i] = x,
        (ColumnData::I8(v), DatumRef::I8(x)) => v[i] = x,
        (ColumnData::I16(v), DatumRef::I16(x)) => v[i] = x,
        (ColumnData::I32(v), DatumRef::I32(x)) => v[i] = x,
        (ColumnData::U32(v), DatumRef::U32(x)) => v[i] = x,
        (ColumnData::I64(v), DatumRef::I64(x)) => v[i] = x,
        (ColumnData::F32(v), DatumRef::F32(x)) => v[i] = x,
        (ColumnData::F64(v), DatumRef::F64(x)) => v[i] = x,
        (ColumnData::Fixed16(v), DatumRef::Fixed16(x)) => v[i] = x,
        (ColumnData::Bytes(v), DatumRef::Bytes(x)) => v.set(i, x),
        (dst, d) => unreachable!("physical kind mismatch: {d:?} into {dst:?}"),
    }
}

/// What a writer function may return.
pub trait WriteResult {
    /// `Ok(false)` makes the row NULL.
    fn done(self) -> Result<bool>;
}
impl WriteResult for () {
    #[inline(always)]
    fn done(self) -> Result<bool> {
        Ok(true)
    }
}
impl WriteResult for Result<()> {
    #[inline(always)]
    fn done(self) -> Result<bool> {
        self.map(|()| true)
    }
}
impl WriteResult for Result<bool> {
    #[inline(always)]
    fn done(self) -> Result<bool> {
        self
    }
}

/// A result that is built directly in the output buffer.
pub struct Write<F>(pub F);

impl<R: WriteResult, F: FnOnce(&mut Vec<u8>) -> R> IntoOut for Write<F> {
    type Dst = BytesColumn;
    fn dst(col: &mut ColumnData, _: usize) -> &mut BytesColumn {
        bytes_dst(col)
    }
    #[inline(always)]
    fn put(self, dst: &mut BytesColumn, nulls: &mut NullMask, i: usize) -> Result<()> {
        if !dst.set_with(i, self.0).done()? {
            nulls.set(i);
        }
        Ok(())
    }
}

/// Helps inference: a closure that appends to a buffer.
pub fn writer<R: WriteResult, F: FnOnce(&mut Vec<u8>) -> R>(f: F) -> Write<F> {
    Write(f)
}

/// Union of the null masks of strict arguments, cut to `n` rows.
fn union_nulls(arg: &Arg<'_>, nullable: bool, n: usize, nulls: &mut NullMask) {
    if nullable || !arg.col.nulls.any() {
        return;
    }
    if !arg.konst {
        nulls.union_first(&arg.col.nulls, n);
    } else if arg.col.nulls.get(0) {
        nulls.set_all(n);
    }
}

fn rows_of(arg: &Arg<'_>, n: usize) -> usize {
    if arg.konst { n.min(1) } else { n }
}

/// Calls `f` for the rows that are not null yet.
#[inline(always)]
fn each_live(
    rows: Rows<'_>,
    nulls: &mut NullMask,
    mut f: impl FnMut(&mut NullMask, usize) -> Result<()>,
) -> Result<()> {
    let any = nulls.any();
    let mut one = |i: usize| if any && nulls.get(i) { Ok(()) } else { f(nulls, i) };
    match rows {
        Rows::All(n) => (0..n).try_for_each(&mut one),
        Rows::Sel(s) => s.iter().try_for_each(|&i| one(usize::from(i))),
    }
}

/// Runs a function without arguments.
pub fn run0<R: IntoOut>(f: impl Fn() -> R, _: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let n = rows.bound();
    out.resize(n);
    let dst = R::dst(&mut out.data, n);
    each_live(rows, &mut out.nulls, |nulls, i| f().put(dst, nulls, i))
}

/// Runs a function of one argument.
pub fn run1<'a, A: FromArg<'a>, R: IntoOut>(
    f: impl Fn(A) -> R,
    args: &[Arg<'a>],
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let n = rows.bound();
    out.resize(n);
    let a = &args[0];
    union_nulls(a, A::NULLABLE, n, &mut out.nulls);
    let sa = A::src(a.col, rows_of(a, n));
    let dst = R::dst(&mut out.data, n);
    let nulls = &mut out.nulls;
    if let (true, Rows::All(n), false, false) = (A::FIXED, rows, nulls.any(), a.konst) {
        for i in 0..n {
            f(A::at(sa, i)).put(dst, nulls, i)?;
        }
        return Ok(());
    }
    each_live(rows, nulls, |nulls, i| f(A::at(sa, a.index(i))).put(dst, nulls, i))
}

/// Runs a function of two arguments.
pub fn run2<'a, A: FromArg<'a>, B: FromArg<'a>, R: IntoOut>(
    f: impl Fn(A, B) -> R,
    args: &[Arg<'a>],
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let n = rows.bound();
    out.resize(n);
    let (a, b) = (&args[0], &args[1]);
    union_nulls(a, A::NULLABLE, n, &mut out.nulls);
    union_nulls(b, B::NULLABLE, n, &mut out.nulls);
    let (sa, sb) = (A::src(a.col, rows_of(a, n)), B::src(b.col, rows_of(b, n)));
    let dst = R::dst(&mut out.data, n);
    let nulls = &mut out.nulls;
    if n == 0 {
        return Ok(());
    }
    if let (true, Rows::All(n), false) = (A::FIXED && B::FIXED, rows, nulls.any()) {
        match (a.konst, b.konst) {
            (false, false) => {
                for i in 0..n {
                    f(A::at(sa, i), B::at(sb, i)).put(dst, nulls, i)?;
                }
                return Ok(());
            }
            (false, true) => {
                for i in 0..n {
                    f(A::at(sa, i), B::at(sb, 0)).put(dst, nulls, i)?;
                }
                return Ok(());
            }
            _ => {}
        }
    }
    each_live(rows, nulls, |nulls, i| f(A::at(sa, a.index(i)), B::at(sb, b.index(i))).put(dst, nulls, i))
}

macro_rules! run_many {
    ($($(#[$d:meta])* $name:ident: $($t:ident $n:tt $s:ident),+;)*) => {$(
        $(#[$d])*
        pub fn $name<'a, $($t: FromArg<'a>,)+ R: IntoOut>(
            f: impl Fn($($t),+) -> R,
            args: &[Arg<'a>],
            rows: Rows<'_>,
            out: &mut Column,
        ) -> Result<()> {
            let n = rows.bound();
            out.resize(n);
            $(union_nulls(&args[$n], $t::NULLABLE, n, &mut out.nulls);)+
            $(let $s = $t::src(args[$n].col, rows_of(&args[$n], n));)+
            let dst = R::dst(&mut out.data, n);
            each_live(rows, &mut out.nulls, |nulls, i| {
                f($($t::at($s, args[$n].index(i))),+).put(dst, nulls, i)
            })
        }
    )*};
}

run_many! {
    /// Runs a function of three arguments.
    run3: A 0 a, B 1 b, C 2 c;
    /// Runs a function of four arguments.
    run4: A 0 a, B 1 b, C 2 c, D 3 d;
    /// Runs a function of five arguments.
    run5: A 0 a, B 1 b, C 2 c, D 3 d, E 4 e;
    /// Runs a function of six arguments.
    run6: A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, G 5 g;
    /// Runs a function of seven arguments.
    run7: A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, G 5 g, H 6 h;
}

/// Kernel of a plain function of 0 arguments.
#[macro_export]
macro_rules! k0 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run0($f, a, r, o))
    };
}
/// Kernel of a function of a context and 0 arguments.
#[macro_export]
macro_rules! c0 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| $crate::kernel::run0(|| $f(c), a, r, o))
    };
}
/// Kernel of a function of 0 arguments that appends its result.
#[macro_export]
macro_rules! w0 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run0(|| $crate::kernel::writer(move |w| $f(w)), a, r, o)
        })
    };
}
/// Kernel of a function of a context and 0 arguments that appends its result.
#[macro_export]
macro_rules! cw0 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run0(|| $crate::kernel::writer(move |w| $f(c, w)), a, r, o)
        })
    };
}
/// Kernel of a plain function of 1 arguments.
#[macro_export]
macro_rules! k1 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run1($f, a, r, o))
    };
}
/// Kernel of a function of a context and 1 arguments.
#[macro_export]
macro_rules! c1 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| $crate::kernel::run1(|x0| $f(c, x0), a, r, o))
    };
}
/// Kernel of a function of 1 arguments that appends its result.
#[macro_export]
macro_rules! w1 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run1(|x0| $crate::kernel::writer(move |w| $f(x0, w)), a, r, o)
        })
    };
}
/// Kernel of a function of a context and 1 arguments that appends its result.
#[macro_export]
macro_rules! cw1 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run1(|x0| $crate::kernel::writer(move |w| $f(c, x0, w)), a, r, o)
        })
    };
}
/// Kernel of a plain function of 2 arguments.
#[macro_export]
macro_rules! k2 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run2($f, a, r, o))
    };
}
/// Kernel of a function of a context and 2 arguments.
#[macro_export]
macro_rules! c2 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| $crate::kernel::run2(|x0, x1| $f(c, x0, x1), a, r, o))
    };
}
/// Kernel of a function of 2 arguments that appends its result.
#[macro_export]
macro_rules! w2 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run2(|x0, x1| $crate::kernel::writer(move |w| $f(x0, x1, w)), a, r, o)
        })
    };
}
/// Kernel of a function of a context and 2 arguments that appends its result.
#[macro_export]
macro_rules! cw2 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run2(|x0, x1| $crate::kernel::writer(move |w| $f(c, x0, x1, w)), a, r, o)
        })
    };
}
/// Kernel of a plain function of 3 arguments.
#[macro_export]
macro_rules! k3 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run3($f, a, r, o))
    };
}
/// Kernel of a function of a context and 3 arguments.
#[macro_export]
macro_rules! c3 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| $crate::kernel::run3(|x0, x1, x2| $f(c, x0, x1, x2), a, r, o))
    };
}
/// Kernel of a function of 3 arguments that appends its result.
#[macro_export]
macro_rules! w3 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run3(|x0, x1, x2| $crate::kernel::writer(move |w| $f(x0, x1, x2, w)), a, r, o)
        })
    };
}
/// Kernel of a function of a context and 3 arguments that appends its result.
#[macro_export]
macro_rules! cw3 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run3(|x0, x1, x2| $crate::kernel::writer(move |w| $f(c, x0, x1, x2, w)), a, r, o)
        })
    };
}
/// Kernel of a plain function of 4 arguments.
#[macro_export]
macro_rules! k4 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run4($f, a, r, o))
    };
}
/// Kernel of a function of a context and 4 arguments.
#[macro_export]
macro_rules! c4 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run4(|x0, x1, x2, x3| $f(c, x0, x1, x2, x3), a, r, o)
        })
    };
}
/// Kernel of a function of 4 arguments that appends its result.
#[macro_export]
macro_rules! w4 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run4(
                |x0, x1, x2, x3| $crate::kernel::writer(move |w| $f(x0, x1, x2, x3, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a function of a context and 4 arguments that appends its result.
#[macro_export]
macro_rules! cw4 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run4(
                |x0, x1, x2, x3| $crate::kernel::writer(move |w| $f(c, x0, x1, x2, x3, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a plain function of 5 arguments.
#[macro_export]
macro_rules! k5 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run5($f, a, r, o))
    };
}
/// Kernel of a function of a context and 5 arguments.
#[macro_export]
macro_rules! c5 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run5(|x0, x1, x2, x3, x4| $f(c, x0, x1, x2, x3, x4), a, r, o)
        })
    };
}
/// Kernel of a function of 5 arguments that appends its result.
#[macro_export]
macro_rules! w5 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run5(
                |x0, x1, x2, x3, x4| $crate::kernel::writer(move |w| $f(x0, x1, x2, x3, x4, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a function of a context and 5 arguments that appends its result.
#[macro_export]
macro_rules! cw5 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run5(
                |x0, x1, x2, x3, x4| $crate::kernel::writer(move |w| $f(c, x0, x1, x2, x3, x4, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a plain function of 6 arguments.
#[macro_export]
macro_rules! k6 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run6($f, a, r, o))
    };
}
/// Kernel of a function of a context and 6 arguments.
#[macro_export]
macro_rules! c6 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run6(|x0, x1, x2, x3, x4, x5| $f(c, x0, x1, x2, x3, x4, x5), a, r, o)
        })
    };
}
/// Kernel of a function of 6 arguments that appends its result.
#[macro_export]
macro_rules! w6 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run6(
                |x0, x1, x2, x3, x4, x5| $crate::kernel::writer(move |w| $f(x0, x1, x2, x3, x4, x5, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a function of a context and 6 arguments that appends its result.
#[macro_export]
macro_rules! cw6 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run6(
                |x0, x1, x2, x3, x4, x5| $crate::kernel::writer(move |w| $f(c, x0, x1, x2, x3, x4, x5, w)),
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a plain function of 7 arguments.
#[macro_export]
macro_rules! k7 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| $crate::kernel::run7($f, a, r, o))
    };
}
/// Kernel of a function of a context and 7 arguments.
#[macro_export]
macro_rules! c7 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run7(|x0, x1, x2, x3, x4, x5, x6| $f(c, x0, x1, x2, x3, x4, x5, x6), a, r, o)
        })
    };
}
/// Kernel of a function of 7 arguments that appends its result.
#[macro_export]
macro_rules! w7 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|_c, a, r, o| {
            $crate::kernel::run7(
                |x0, x1, x2, x3, x4, x5, x6| {
                    $crate::kernel::writer(move |w| $f(x0, x1, x2, x3, x4, x5, x6, w))
                },
                a,
                r,
                o,
            )
        })
    };
}
/// Kernel of a function of a context and 7 arguments that appends its result.
#[macro_export]
macro_rules! cw7 {
    ($f:expr) => {
        $crate::FnImpl::Scalar(|c, a, r, o| {
            $crate::kernel::run7(
                |x0, x1, x2, x3, x4, x5, x6| {
                    $crate::kernel::writer(move |w| $f(c, x0, x1, x2, x3, x4, x5, x6, w))
                },
                a,
                r,
                o,
            )
        })
    };
}

/// Runs any function row by row over owned datums; for variadic and polymorphic functions where speed is not the point.
pub fn run_rows(
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    mut f: impl FnMut(&[DatumRef<'_>]) -> Result<Datum>,
) -> Result<()> {
    out.resize(rows.bound());
    let mut vals = Vec::with_capacity(args.len());
    rows.each(|i| {
        vals.clear();
        vals.extend(args.iter().map(|a| a.get(i)));
        put_datum(f(&vals)?.as_ref(), &mut out.data, &mut out.nulls, i);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::{Arg, CallCtx, Column, DatumRef, FnImpl, FormatSettings, Phys, Registry, Rows};
    use common::Oid;

    /// Dense, constant, selected and null inputs of a strict kernel.
    #[test]
    fn shapes() {
        let reg = Registry::build(&crate::builtin_tables());
        let fmt = FormatSettings::default();
        let ctx = CallCtx {
            fmt: &fmt,
            registry: &reg,
            collation: crate::Collation::NONE,
            result_type: Oid(0),
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: 0,
            stmt_start_us: 0,
            env: &(),
        };
        let Some(FnImpl::Scalar(int4pl)) = reg.get(Oid(177)) else { panic!("int4pl") };
        let (mut a, mut b) = (Column::new(Phys::I32), Column::new(Phys::I32));
        for i in 0..70 {
            a.push(if i % 7 == 3 { DatumRef::Null } else { DatumRef::I32(i) });
            b.push(DatumRef::I32(100 * i));
        }
        let ten = Column::constant(Phys::I32, &crate::Datum::I32(10));
        let null = Column::constant(Phys::I32, &crate::Datum::Null);
        let sel: Vec<u16> = (0..70).step_by(3).collect();
        for rows in [Rows::All(70), Rows::Sel(&sel), Rows::All(65), Rows::All(0)] {
            for (x, y, konst) in [(&a, &b, false), (&b, &ten, true), (&a, &ten, true), (&b, &null, true)] {
                let mut out = Column::new(Phys::I32);
                let args = [Arg { col: x, konst: false }, Arg { col: y, konst }];
                int4pl(&ctx, &args, rows, &mut out).unwrap();
                assert_eq!(out.len(), rows.bound());
                rows.each(|i| -> Result<(), ()> {
                    let want = match (args[0].get(i), args[1].get(i)) {
                        (DatumRef::I32(p), DatumRef::I32(q)) => DatumRef::I32(p + q),
                        _ => DatumRef::Null,
                    };
                    assert_eq!(out.get(i), want);
                    Ok(())
                })
                .unwrap();
                // A value appended later must not inherit a null bit.
                out.push(DatumRef::I32(1));
                assert_eq!(out.get(out.len() - 1), DatumRef::I32(1));
            }
        }
    }
}
