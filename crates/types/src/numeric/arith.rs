//! Exact arithmetic on finite numbers, and the rules for special values.

use super::num::{DEC, DSCALE_MAX, Kind, MIN_SIG, NBASE, Num, RESULT_SCALE_MAX, cmp_abs};
use crate::int::ops_division_by_zero;
use common::Result;
use std::cmp::Ordering;

fn add_abs(a: &Num, b: &Num, neg: bool) -> Num {
    let hi = a.weight.max(b.weight);
    let lo = (a.weight - a.digits.len() as i32 + 1).min(b.weight - b.digits.len() as i32 + 1);
    let n = (hi - lo + 2) as usize;
    let mut digits = vec![0u16; n];
    let mut carry = 0;
    for (k, w) in (lo..=hi).enumerate() {
        let s = a.digit(w) + b.digit(w) + carry;
        carry = u16::from(s >= NBASE as u16);
        digits[n - 1 - k] = s - carry * NBASE as u16;
    }
    digits[0] = carry;
    let mut r = Num { kind: Kind::Finite, neg, weight: hi + 1, dscale: a.dscale.max(b.dscale), digits };
    r.strip();
    r
}

/// `a - b` for `|a| >= |b|`.
fn sub_abs(a: &Num, b: &Num, neg: bool) -> Num {
    let hi = a.weight.max(b.weight);
    let lo = (a.weight - a.digits.len() as i32 + 1).min(b.weight - b.digits.len() as i32 + 1);
    let n = (hi - lo + 1) as usize;
    let mut digits = vec![0u16; n];
    let mut borrow = 0i32;
    for (k, w) in (lo..=hi).enumerate() {
        let mut s = i32::from(a.digit(w)) - i32::from(b.digit(w)) - borrow;
        borrow = i32::from(s < 0);
        s += borrow * NBASE;
        digits[n - 1 - k] = s as u16;
    }
    let mut r = Num { kind: Kind::Finite, neg, weight: hi, dscale: a.dscale.max(b.dscale), digits };
    r.strip();
    r
}

/// Sum.
pub fn add(a: &Num, b: &Num) -> Num {
    match (a.kind, b.kind) {
        (Kind::Finite, Kind::Finite) => {}
        (Kind::Nan, _) | (_, Kind::Nan) | (Kind::PInf, Kind::NInf) | (Kind::NInf, Kind::PInf) => {
            return Num::nan();
        }
        (Kind::Finite, k) | (k, _) => return Num::special(k),
    }
    if a.is_zero() || b.is_zero() {
        let mut r = if a.is_zero() { b.clone() } else { a.clone() };
        r.dscale = a.dscale.max(b.dscale);
        return r;
    }
    if a.neg == b.neg {
        return add_abs(a, b, a.neg);
    }
    match cmp_abs(a, b) {
        Ordering::Equal => Num::zero(a.dscale.max(b.dscale)),
        Ordering::Greater => sub_abs(a, b, a.neg),
        Ordering::Less => sub_abs(b, a, b.neg),
    }
}

/// Difference.
pub fn sub(a: &Num, b: &Num) -> Num {
    add(a, &b.clone().negated())
}

fn sign_special(a: &Num, b: &Num) -> Num {
    match a.signum() * b.signum() {
        0 => Num::nan(),
        s => Num::inf(s < 0),
    }
}

/// Product, all digits; the display scale is the sum.
pub fn mul_exact(a: &Num, b: &Num) -> Num {
    let dscale = a.dscale + b.dscale;
    if a.is_zero() || b.is_zero() {
        return Num::zero(dscale);
    }
    let (n, m) = (a.digits.len(), b.digits.len());
    let mut acc = vec![0u64; n + m];
    for (i, x) in a.digits.iter().enumerate() {
        if *x == 0 {
            continue;
        }
        for (j, y) in b.digits.iter().enumerate() {
            acc[i + j + 1] += u64::from(*x) * u64::from(*y);
        }
    }
    let mut digits = vec![0u16; n + m];
    let mut carry = 0;
    for i in (0..n + m).rev() {
        let v = acc[i] + carry;
        digits[i] = (v % NBASE as u64) as u16;
        carry = v / NBASE as u64;
    }
    let mut r =
        Num { kind: Kind::Finite, neg: a.neg != b.neg, weight: a.weight + b.weight + 1, dscale, digits };
    r.strip();
    r
}

/// Product.
pub fn mul(a: &Num, b: &Num) -> Num {
    if a.is_nan() || b.is_nan() {
        return Num::nan();
    }
    if !a.is_finite() || !b.is_finite() {
        return sign_special(a, b);
    }
    let r = mul_exact(a, b);
    if r.dscale > DSCALE_MAX { r.rounded(DSCALE_MAX) } else { r }
}

/// Product rounded to `scale`.
pub fn mul_to(a: &Num, b: &Num, scale: i32) -> Num {
    mul_exact(a, b).rounded(scale)
}

/// Quotient of finite numbers cut or rounded to `scale` decimal places; `b` is not zero.
pub fn div_to(a: &Num, b: &Num, scale: i32, round: bool) -> Num {
    if a.is_zero() {
        return Num::zero(scale.max(0));
    }
    // Quotient digits wanted: down to one base digit below the scale.
    let qweight = a.weight - b.weight;
    let low = -(scale + DEC).div_euclid(DEC) - 1;
    let count = qweight - low + 1;
    if count <= 0 {
        return Num::zero(scale.max(0));
    }
    let digits = long_division(&a.digits, &b.digits, count as usize);
    let mut r = Num { kind: Kind::Finite, neg: a.neg != b.neg, weight: qweight, dscale: 0, digits };
    r.strip();
    if round {
        r.round(scale);
    } else {
        r.trunc(scale);
    }
    r
}

/// First `count` base digits of `a / b`, both read as `d.ddd…` (Knuth's algorithm D).
fn long_division(a: &[u16], b: &[u16], count: usize) -> Vec<u16> {
    let base = NBASE as u64;
    let m = b.len();
    if m == 1 {
        let d = u64::from(b[0]);
        let mut rem = 0;
        return (0..count)
            .map(|i| {
                let v = rem * base + u64::from(a.get(i).copied().unwrap_or(0));
                rem = v % d;
                (v / d) as u16
            })
            .collect();
    }
    let scale = base / (u64::from(b[0]) + 1);
    let widen = |src: &[u16], len: usize| {
        // src * scale, with one leading digit for the carry.
        let mut out = vec![0u64; len + 1];
        let mut carry = 0;
        for i in (0..len).rev() {
            let v = u64::from(src.get(i).copied().unwrap_or(0)) * scale + carry;
            out[i + 1] = v % base;
            carry = v / base;
        }
        out[0] = carry;
        out
    };
    let mut u = widen(a, count + m);
    let v = &widen(b, m)[1..];
    let mut q = vec![0u16; count];
    for j in 0..count {
        let top = u[j] * base + u[j + 1];
        let mut qhat = (top / v[0]).min(base - 1);
        let mut rhat = top - qhat * v[0];
        while rhat < base && qhat * v[1] > rhat * base + u[j + 2] {
            qhat -= 1;
            rhat += v[0];
        }
        let mut borrow = 0i64;
        for i in (0..m).rev() {
            let s = u[j + 1 + i] as i64 - (qhat * v[i]) as i64 - borrow;
            let r = s.rem_euclid(base as i64);
            borrow = (r - s) / base as i64;
            u[j + 1 + i] = r as u64;
        }
        let mut lead = u[j] as i64 - borrow;
        if lead < 0 {
            qhat -= 1;
            let mut carry = 0;
            for i in (0..m).rev() {
                let s = u[j + 1 + i] + v[i] + carry;
                u[j + 1 + i] = s % base;
                carry = s / base;
            }
            lead += carry as i64;
        }
        u[j] = lead as u64;
        q[j] = qhat as u16;
    }
    q
}

/// Display scale of a quotient: at least sixteen significant digits, and no fewer places than the operands show.
pub fn div_scale(a: &Num, b: &Num) -> i32 {
    let first = |n: &Num| (n.weight, n.digits.first().copied().unwrap_or(0));
    let ((w1, f1), (w2, f2)) = (first(a), first(b));
    let qweight = w1 - w2 - i32::from(f1 <= f2);
    (MIN_SIG - qweight * DEC).max(a.dscale).max(b.dscale).clamp(0, RESULT_SCALE_MAX)
}

/// Quotient. 22012.
pub fn div(a: &Num, b: &Num) -> Result<Num> {
    if let Some(r) = div_special(a, b)? {
        return Ok(r);
    }
    Ok(div_to(a, b, div_scale(a, b), true))
}

fn div_special(a: &Num, b: &Num) -> Result<Option<Num>> {
    if a.is_nan() || b.is_nan() {
        return Ok(Some(Num::nan()));
    }
    match (a.is_finite(), b.is_finite()) {
        (false, false) => return Ok(Some(Num::nan())),
        (false, true) => {
            if b.is_zero() {
                return Err(ops_division_by_zero());
            }
            return Ok(Some(sign_special(a, b)));
        }
        (true, false) => return Ok(Some(Num::zero(0))),
        _ => {}
    }
    if b.is_zero() {
        return Err(ops_division_by_zero());
    }
    Ok(None)
}

/// Integer quotient, towards zero. 22012.
pub fn div_trunc(a: &Num, b: &Num) -> Result<Num> {
    if let Some(r) = div_special(a, b)? {
        return Ok(r);
    }
    Ok(div_to(a, b, 0, false))
}

/// Remainder with the sign of `a`. 22012.
pub fn rem(a: &Num, b: &Num) -> Result<Num> {
    if a.is_nan() || b.is_nan() {
        return Ok(Num::nan());
    }
    if !a.is_finite() {
        if b.is_zero() {
            return Err(ops_division_by_zero());
        }
        return Ok(Num::nan());
    }
    if !b.is_finite() {
        return Ok(a.clone());
    }
    if b.is_zero() {
        return Err(ops_division_by_zero());
    }
    let q = div_to(a, b, 0, false);
    let mut r = sub(a, &mul_exact(&q, b));
    r.dscale = a.dscale.max(b.dscale);
    Ok(r)
}

/// Greatest common divisor.
pub fn gcd(a: &Num, b: &Num) -> Num {
    if !a.is_finite() || !b.is_finite() {
        return Num::nan();
    }
    let dscale = a.dscale.max(b.dscale);
    let (mut x, mut y) = (a.clone(), b.clone());
    x.neg = false;
    y.neg = false;
    while !y.is_zero() {
        let q = div_to(&x, &y, 0, false);
        let r = sub(&x, &mul_exact(&q, &y));
        (x, y) = (y, r);
    }
    x.dscale = dscale;
    x
}

/// Least common multiple.
pub fn lcm(a: &Num, b: &Num) -> Num {
    if !a.is_finite() || !b.is_finite() {
        return Num::nan();
    }
    let dscale = a.dscale.max(b.dscale);
    if a.is_zero() || b.is_zero() {
        return Num::zero(dscale);
    }
    let g = gcd(a, b);
    let mut r = mul_exact(&div_to(a, &g, 0, false), b);
    r.neg = false;
    r.dscale = dscale;
    r
}
