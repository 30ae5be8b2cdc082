//! Roots, exponentials, logarithms and powers. Computed with guard digits and rounded once at the end, to the display
//! scale PostgreSQL chooses: sixteen significant digits of the result, or the operands' scale if that is more.

use super::arith::{add, div_to, mul_exact, mul_to, sub};
use super::num::{DEC, Kind, MIN_SIG, Num, RESULT_SCALE_MAX, overflow};
use crate::int::ops_division_by_zero;
use common::{Result, bail};

/// Guard digits behind the result's scale.
const GUARD: i32 = 12;
const LOG10_E: f64 = std::f64::consts::LOG10_E;

fn result_scale(dweight: i32, dscale: i32) -> i32 {
    (MIN_SIG - dweight).max(dscale).clamp(0, RESULT_SCALE_MAX)
}

/// Square root. 2201F.
pub fn sqrt(a: &Num) -> Result<Num> {
    match a.kind {
        Kind::Nan | Kind::PInf => return Ok(a.clone()),
        Kind::Finite if !a.neg => {}
        _ => bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number"),
    }
    let sweight = (a.weight + 1) * DEC / 2 - 1;
    Ok(sqrt_to(a, result_scale(sweight, a.dscale)))
}

/// Square root of a finite number that is not negative.
pub fn sqrt_to(a: &Num, scale: i32) -> Num {
    if a.is_zero() {
        return Num::zero(scale);
    }
    let work = scale + GUARD + (-a.weight).max(0) * DEC;
    // Newton from a 15-digit estimate doubles the correct digits each time.
    let half_log = a.log10_abs() / 2.0;
    let mut x = pow10_estimate(half_log);
    let digits = f64::from(work) + half_log.max(0.0) + 4.0;
    let mut correct = 13.0;
    let half = half();
    while correct < digits * 2.0 {
        let q = div_to(a, &x, work, true);
        x = mul_to(&add(&x, &q), &half, work);
        correct *= 2.0;
    }
    x.rounded(scale)
}

fn half() -> Num {
    Num { kind: Kind::Finite, neg: false, weight: -1, dscale: 1, digits: vec![5000] }
}

/// `10^l` to about 14 digits.
fn pow10_estimate(l: f64) -> Num {
    let e = l.floor();
    let mantissa = (10f64.powf(l - e) * 1e15).round() as i64;
    shift10(&Num::from_i64(mantissa), e as i32 - 15)
}

/// Times a power of ten.
fn shift10(n: &Num, e: i32) -> Num {
    let whole = e.div_euclid(DEC);
    let part = e.rem_euclid(DEC);
    let mut r = mul_exact(n, &Num::from_i64(10i64.pow(part as u32)));
    r.weight += whole;
    if r.is_zero() {
        r.weight = 0;
    }
    r.dscale = (-e).max(0);
    r
}

/// `e^a`. 22003.
pub fn exp(a: &Num) -> Result<Num> {
    match a.kind {
        Kind::NInf => return Ok(Num::zero(0)),
        Kind::Nan | Kind::PInf => return Ok(a.clone()),
        Kind::Finite => {}
    }
    let val = (a.to_f64() * LOG10_E).clamp(-1000.0 * 17.0, 1e9);
    if val >= 131_072.0 || a.to_f64() > 6000.0 {
        return Err(overflow());
    }
    if a.to_f64() < -6000.0 {
        return Ok(Num::zero(RESULT_SCALE_MAX.min(result_scale(-RESULT_SCALE_MAX, a.dscale))));
    }
    Ok(exp_to(a, result_scale(val as i32, a.dscale)))
}

/// `e^a` at a scale, for arguments whose result fits.
pub fn exp_to(a: &Num, scale: i32) -> Num {
    // Halve the argument until it is small, sum the series, square back up. Squaring loses digits relative to the
    // size of the result, so those are carried as well.
    let magnitude = (a.to_f64() * LOG10_E).max(0.0) as i32;
    let mut halvings = 0;
    let mut size = a.to_f64().abs();
    while size > 0.01 {
        size /= 2.0;
        halvings += 1;
    }
    let work = scale + magnitude + GUARD + halvings;
    let mut x = a.clone();
    let h = half();
    for _ in 0..halvings {
        x = mul_to(&x, &h, work);
    }
    let one = Num::from_i64(1);
    let mut sum = add(&one, &x);
    let mut term = x.clone();
    let mut i = 2;
    loop {
        term = div_to(&mul_to(&term, &x, work), &Num::from_i64(i), work, true);
        if term.is_zero() {
            break;
        }
        sum = add(&sum, &term);
        i += 1;
    }
    for _ in 0..halvings {
        sum = mul_to(&sum, &sum, work);
    }
    sum.rounded(scale)
}

/// Decimal weight of `ln(a)`, estimated; a > 0.
pub fn ln_dweight(a: &Num) -> i32 {
    let f = a.to_f64();
    if (0.9..=1.1).contains(&f) {
        let d = sub(a, &Num::from_i64(1));
        if d.is_zero() {
            return 0;
        }
        return d.weight * DEC + f64::from(d.digits[0]).log10() as i32;
    }
    let ln = a.log10_abs() * std::f64::consts::LN_10;
    if ln == 0.0 { 0 } else { ln.abs().log10() as i32 }
}

fn check_log(a: &Num) -> Result<()> {
    if a.is_zero() {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    }
    if a.signum() < 0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number");
    }
    Ok(())
}

/// Natural logarithm. 2201E.
pub fn ln(a: &Num) -> Result<Num> {
    if a.is_nan() {
        return Ok(Num::nan());
    }
    check_log(a)?;
    if !a.is_finite() {
        return Ok(a.clone());
    }
    Ok(ln_to(a, result_scale(ln_dweight(a), a.dscale)))
}

/// Natural logarithm of a positive number at a scale.
pub fn ln_to(a: &Num, scale: i32) -> Num {
    let one = Num::from_i64(1);
    let mut roots = 0;
    // Bring the exponent down first: ln(a) = ln(m) + k ln(10).
    let k = a.log10_abs().round() as i32;
    let work = scale + GUARD + 4;
    let mut x = if k == 0 { a.clone() } else { shift10(a, -k) };
    // Enough digits of x itself: a small x would lose them at a fixed scale.
    while (x.to_f64() - 1.0).abs() > 0.1 {
        x = sqrt_to(&x, work + 8);
        roots += 1;
    }
    let mut r = atanh_series(&x, &one, work + 4);
    for _ in 0..roots {
        r = add(&r, &r);
    }
    if k != 0 {
        let ln10 = ln10(work + 8);
        r = add(&r, &mul_exact(&ln10, &Num::from_i64(i64::from(k))));
    }
    r.rounded(scale)
}

/// `ln(x)` for x near 1 as `2 atanh((x - 1) / (x + 1))`.
fn atanh_series(x: &Num, one: &Num, work: i32) -> Num {
    let z = div_to(&sub(x, one), &add(x, one), work, true);
    let z2 = mul_to(&z, &z, work);
    let mut sum = z.clone();
    let mut power = z;
    let mut n = 3;
    loop {
        power = mul_to(&power, &z2, work);
        let term = div_to(&power, &Num::from_i64(n), work, true);
        if term.is_zero() {
            break;
        }
        sum = add(&sum, &term);
        n += 2;
    }
    add(&sum, &sum)
}

/// ln 10 from ln 2 and ln 1.25 (10 = 2^3 * 1.25), both quick series.
fn ln10(work: i32) -> Num {
    let one = Num::from_i64(1);
    let quarter5 = div_to(&Num::from_i64(5), &Num::from_i64(4), 2, true);
    let ln125 = atanh_series(&quarter5, &one, work);
    let ln2 = atanh_series(&Num::from_i64(2), &one, work);
    add(&mul_exact(&ln2, &Num::from_i64(3)), &ln125)
}

/// Logarithm of `a` to a base. 2201E, 22012.
pub fn log(base: &Num, a: &Num) -> Result<Num> {
    if base.is_nan() || a.is_nan() {
        return Ok(Num::nan());
    }
    check_log(base)?;
    check_log(a)?;
    match (base.is_finite(), a.is_finite()) {
        (false, false) => return Ok(Num::nan()),
        (false, true) => return Ok(Num::zero(0)),
        (true, false) => return Ok(a.clone()),
        _ => {}
    }
    let (bw, aw) = (ln_dweight(base), ln_dweight(a));
    let scale = result_scale(aw - bw, base.dscale.max(a.dscale));
    let ln_base = ln_to(base, scale + aw.max(0) + GUARD - bw.min(0) * 2);
    let ln_a = ln_to(a, scale + GUARD + bw.max(0) - bw.min(0) * 2);
    if ln_base.is_zero() {
        return Err(ops_division_by_zero());
    }
    Ok(div_to(&ln_a, &ln_base, scale, true))
}

/// Is it a whole number?
fn is_integral(n: &Num) -> bool {
    n.weight - n.digits.len() as i32 + 1 >= 0 || n.is_zero()
}
fn is_odd(n: &Num) -> bool {
    n.digit(0) % 2 == 1
}

/// `a^b`. 2201F, 22003.
pub fn power(a: &Num, b: &Num) -> Result<Num> {
    let one = Num::from_i64(1);
    if !a.is_finite() || !b.is_finite() {
        return power_special(a, b);
    }
    if a.is_zero() && b.neg {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
    }
    if a.neg && !is_integral(b) {
        bail!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        );
    }
    let shown = a.dscale.max(b.dscale);
    if is_integral(b)
        && let Some(n) = b.to_i128().and_then(|v| i32::try_from(v).ok())
    {
        return power_int(a, n, shown);
    }
    if a.is_zero() {
        return Ok(Num::zero(MIN_SIG));
    }
    let mut abs = a.clone();
    abs.neg = false;
    let val = abs.log10_abs() * b.to_f64();
    if val > 131_072.0 {
        return Err(overflow());
    }
    if val < -16_383.0 {
        return Ok(Num::zero(RESULT_SCALE_MAX));
    }
    let scale = result_scale(val as i32, shown);
    if abs == one {
        return Ok(Num { dscale: scale, ..one });
    }
    let magnitude = val.max(0.0) as i32;
    let digits = scale + magnitude + GUARD + (b.weight + 1).max(0) * DEC;
    let l = ln_to(&abs, digits);
    let product = mul_to(&l, b, scale + magnitude + GUARD);
    let mut r = exp_to(&product, scale);
    r.neg = a.neg && is_odd(b) && !r.is_zero();
    Ok(r)
}

fn power_int(a: &Num, n: i32, shown: i32) -> Result<Num> {
    let scale = MIN_SIG.max(shown).min(RESULT_SCALE_MAX);
    let one = Num::from_i64(1);
    match n {
        0 => return Ok(one.rounded(scale)),
        1 => return Ok(a.clone().rounded(scale)),
        -1 => return Ok(div_to(&one, a, scale, true)),
        2 => return Ok(mul_exact(a, a).rounded(scale)),
        _ => {}
    }
    if a.is_zero() {
        return Ok(Num::zero(scale));
    }
    let log = a.log10_abs() * f64::from(n);
    if log > 131_072.0 {
        return Err(overflow());
    }
    if log < -f64::from(scale) - 2.0 {
        return Ok(Num::zero(scale));
    }
    // Relative precision: significant digits of the result and guards, at every step.
    let sig = scale + log.max(0.0) as i32 + GUARD + 12;
    let trim = |x: Num| {
        let keep = sig - (x.weight + 1) * DEC;
        if x.dscale > keep { x.rounded_any(keep) } else { x }
    };
    let mut base = a.clone();
    base.neg = false;
    let mut result = one.clone();
    let mut e = n.unsigned_abs();
    loop {
        if e & 1 == 1 {
            result = trim(mul_exact(&result, &base));
        }
        e >>= 1;
        if e == 0 {
            break;
        }
        base = trim(mul_exact(&base, &base));
    }
    let mut r = if n < 0 { div_to(&one, &result, scale, true) } else { result.rounded(scale) };
    r.neg = a.neg && n % 2 != 0 && !r.is_zero();
    Ok(r)
}

impl Num {
    /// Rounds at any place, keeping a display scale that shows it.
    fn rounded_any(mut self, scale: i32) -> Num {
        self.round(scale);
        self
    }
}

/// Powers with NaN or infinity, after POSIX pow().
fn power_special(a: &Num, b: &Num) -> Result<Num> {
    let one = Num::from_i64(1);
    if a.is_nan() {
        return Ok(if b.is_zero() { one } else { Num::nan() });
    }
    if b.is_nan() {
        return Ok(if *a == one || (a.is_finite() && !a.neg && a.digits == [1] && a.weight == 0) {
            one
        } else {
            Num::nan()
        });
    }
    if b.is_zero() || (a.is_finite() && !a.neg && a.digits == [1] && a.weight == 0) {
        return Ok(one);
    }
    if a.is_zero() {
        if b.signum() < 0 {
            bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
        }
        return Ok(Num::zero(0));
    }
    if !b.is_finite() {
        let mut abs = a.clone();
        abs.neg = false;
        if abs.is_finite() && abs.digits == [1] && abs.weight == 0 {
            return Ok(one);
        }
        let large = !abs.is_finite() || abs > one;
        return Ok(if large == (b.kind == Kind::PInf) { Num::inf(false) } else { Num::zero(0) });
    }
    // Infinite base, finite exponent.
    if a.kind == Kind::PInf {
        return Ok(if b.neg { Num::zero(0) } else { Num::inf(false) });
    }
    if !is_integral(b) {
        bail!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        );
    }
    if b.neg {
        return Ok(Num::zero(0));
    }
    Ok(Num::inf(is_odd(b)))
}

/// `n!`. 22003.
pub fn factorial(n: i64) -> Result<Num> {
    if n < 0 {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined");
    }
    if n > 32_177 {
        return Err(overflow());
    }
    Ok((2..=n).fold(Num::from_i64(1), |acc, i| mul_exact(&acc, &Num::from_i64(i))))
}
