//! The SQL functions over numeric: operators, rounding, comparison, hashing.

use super::num::{Kind, Num};
use super::small::Small;
use super::typmod::apply_typmod;
use super::{arith, math};
use crate::DatumRef;
use common::{Result, bail, err};
use std::cmp::Ordering;

fn un(b: &[u8]) -> Result<Num> {
    Num::unpack(b)
}

macro_rules! binary {
    ($($name:ident $f:expr;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
            let f: fn(&Num, &Num) -> Result<Num> = $f;
            f(&un(a)?, &un(b)?)?.pack(out)
        }
    )*};
}
binary! {
    general_add |a, b| Ok(arith::add(a, b));
    general_sub |a, b| Ok(arith::sub(a, b));
    general_mul |a, b| Ok(arith::mul(a, b));
    numeric_div arith::div;
    numeric_div_trunc arith::div_trunc;
    numeric_mod arith::rem;
    numeric_power math::power;
    numeric_log math::log;
    numeric_gcd |a, b| Ok(arith::gcd(a, b));
    numeric_lcm |a, b| Ok(arith::lcm(a, b));
    numeric_larger |a, b| Ok(if a > b { a.clone() } else { b.clone() });
    numeric_smaller |a, b| Ok(if a < b { a.clone() } else { b.clone() });
}

macro_rules! quick {
    ($($name:ident $general:ident |$a:ident, $b:ident| $small:expr;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
            if let (Some($a), Some($b)) = (Small::read(a), Small::read(b))
                && let Some(r) = $small
                && r.write(out)
            {
                return Ok(());
            }
            $general(a, b, out)
        }
    )*};
}
quick! {
    numeric_add general_add |a, b| a.add(b, false);
    numeric_sub general_sub |a, b| a.add(b, true);
    numeric_mul general_mul |a, b| a.times(b);
}

macro_rules! unary {
    ($($name:ident $f:expr;)*) => {$(
        pub fn $name(a: &[u8], out: &mut Vec<u8>) -> Result<()> {
            let f: fn(Num) -> Result<Num> = $f;
            f(un(a)?)?.pack(out)
        }
    )*};
}
unary! {
    numeric_uminus |a| Ok(a.negated());
    numeric_uplus Ok;
    numeric_abs |a| Ok(if a.signum() < 0 { a.negated() } else { a });
    numeric_sign |a| Ok(if a.is_nan() { a } else { Num::from_i64(i64::from(a.signum())) });
    numeric_ceil ceil;
    numeric_floor |a| Ok(ceil(a.negated())?.negated());
    numeric_sqrt |a| math::sqrt(&a);
    numeric_exp |a| math::exp(&a);
    numeric_ln |a| math::ln(&a);
    numeric_log10 |a| math::log(&Num::from_i64(10), &a);
    numeric_round0 |a| Ok(round_to(a, 0));
    numeric_trunc0 |a| Ok(trunc_to(a, 0));
    numeric_trim_scale trim;
    numeric_inc |a| Ok(arith::add(&a, &Num::from_i64(1)));
}

fn ceil(mut a: Num) -> Result<Num> {
    if !a.is_finite() {
        return Ok(a);
    }
    let whole = {
        let mut t = a.clone();
        t.trunc(0);
        t
    };
    let fraction = whole.cmp(&a) != Ordering::Equal;
    let up = fraction && !a.neg;
    a = whole;
    Ok(if up { arith::add(&a, &Num::from_i64(1)) } else { a })
}
fn round_to(mut a: Num, scale: i32) -> Num {
    if a.is_finite() {
        a.round(scale.clamp(-2000, 2000).min(super::num::DSCALE_MAX));
    }
    a
}
fn trunc_to(mut a: Num, scale: i32) -> Num {
    if a.is_finite() {
        a.trunc(scale.clamp(-2000, 2000));
    }
    a
}
pub fn numeric_round(a: &[u8], scale: i32, out: &mut Vec<u8>) -> Result<()> {
    round_to(un(a)?, scale).pack(out)
}
pub fn numeric_trunc(a: &[u8], scale: i32, out: &mut Vec<u8>) -> Result<()> {
    trunc_to(un(a)?, scale).pack(out)
}
/// Length coercion.
pub fn numeric(a: &[u8], typmod: i32, out: &mut Vec<u8>) -> Result<()> {
    apply_typmod(un(a)?, typmod)?.pack(out)
}

fn min_scale_of(a: &Num) -> i32 {
    let Some(last) = a.digits.last() else { return 0 };
    let low = a.weight - a.digits.len() as i32 + 1;
    let mut scale = -low * 4;
    let mut d = *last;
    while d % 10 == 0 {
        scale -= 1;
        d /= 10;
    }
    scale.max(0)
}
fn trim(mut a: Num) -> Result<Num> {
    if a.is_finite() {
        a.dscale = min_scale_of(&a);
    }
    Ok(a)
}
pub fn numeric_scale(a: &[u8]) -> Result<Option<i32>> {
    let a = un(a)?;
    Ok(a.is_finite().then_some(a.dscale))
}
pub fn numeric_min_scale(a: &[u8]) -> Result<Option<i32>> {
    let a = un(a)?;
    Ok(a.is_finite().then(|| min_scale_of(&a)))
}
pub fn numeric_fac(n: i64, out: &mut Vec<u8>) -> Result<()> {
    math::factorial(n)?.pack(out)
}

fn order(a: &[u8], b: &[u8]) -> Result<Ordering> {
    if let (Some(x), Some(y)) = (Small::read(a), Small::read(b))
        && let Some(o) = x.compare(y)
    {
        return Ok(o);
    }
    Ok(un(a)?.cmp(&un(b)?))
}

macro_rules! compare {
    ($($name:ident $test:ident;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(order(a, b)?.$test())
        }
    )*};
}
compare! { numeric_eq is_eq; numeric_ne is_ne; numeric_lt is_lt; numeric_le is_le; numeric_gt is_gt; numeric_ge is_ge; }

/// A broken value sorts as NaN.
pub fn numeric_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    if let (Some(x), Some(y)) = (Small::read(a.bytes()), Small::read(b.bytes()))
        && let Some(o) = x.compare(y)
    {
        return o;
    }
    let read = |d: DatumRef<'_>| un(d.bytes()).unwrap_or_else(|_| Num::nan());
    read(a).cmp(&read(b))
}
/// Equal numbers of different display scale hash equally.
pub fn hash_numeric(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    let n = un(v.bytes()).unwrap_or_else(|_| Num::nan());
    let mut h = crate::hash::hash_u64(n.kind as u64 | u64::from(n.neg) << 8 | (n.weight as u32 as u64) << 16);
    for d in &n.digits {
        h = crate::hash::combine(h, u64::from(*d));
    }
    h
}

pub fn width_bucket(op: &[u8], b1: &[u8], b2: &[u8], count: i32) -> Result<i32> {
    let (op, lo, hi) = (un(op)?, un(b1)?, un(b2)?);
    if count <= 0 {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "count must be greater than zero");
    }
    if op.is_nan() || lo.is_nan() || hi.is_nan() {
        bail!(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            "operand, lower bound, and upper bound cannot be NaN"
        );
    }
    if !lo.is_finite() || !hi.is_finite() {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower and upper bounds must be finite");
    }
    let over =
        || count.checked_add(1).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    let up = match lo.cmp(&hi) {
        Ordering::Equal => {
            bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound")
        }
        o => o.is_lt(),
    };
    let (below, above) = if up { (op < lo, op >= hi) } else { (op > lo, op <= hi) };
    if below {
        return Ok(0);
    }
    if above {
        return over();
    }
    if !op.is_finite() {
        return if (op.kind == Kind::PInf) == up { over() } else { Ok(0) };
    }
    let num = arith::mul_exact(&arith::sub(&op, &lo), &Num::from_i64(i64::from(count)));
    let q = arith::div_to(&num, &arith::sub(&hi, &lo), 0, false);
    let v = q.to_i128().and_then(|v| i32::try_from(v + 1).ok());
    v.ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))
}

/// `in_range` support of window frames.
pub fn in_range(val: &[u8], base: &[u8], offset: &[u8], sub: bool, less: bool) -> Result<bool> {
    let (v, b, o) = (un(val)?, un(base)?, un(offset)?);
    if o.is_nan() || o.signum() < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    if v.is_nan() || b.is_nan() {
        return Ok(match (v.is_nan(), b.is_nan()) {
            (true, true) => true,
            (true, false) => !less,
            _ => less,
        });
    }
    if !o.is_finite() {
        // An infinite offset from an infinite base of the other direction includes everything.
        if b.kind == (if sub { Kind::PInf } else { Kind::NInf }) {
            return Ok(true);
        }
        return Ok(if sub { !less || v.kind == Kind::NInf } else { less || v.kind == Kind::PInf });
    }
    let bound = if sub { arith::sub(&b, &o) } else { arith::add(&b, &o) };
    Ok(if less { v <= bound } else { v >= bound })
}
