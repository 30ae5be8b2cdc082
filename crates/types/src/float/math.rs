//! Mathematical functions with PostgreSQL's domain errors.

use super::ops::{overflow, underflow};
use common::{Error, Result, bail, err};

#[cold]
fn domain() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}
fn checked(r: f64, input_infinite: bool, zero_ok: bool) -> Result<f64> {
    if r.is_infinite() && !input_infinite {
        return Err(overflow());
    }
    if r == 0.0 && !zero_ok {
        return Err(underflow());
    }
    Ok(r)
}

pub fn dround(v: f64) -> f64 {
    v.round_ties_even()
}
pub fn dceil(v: f64) -> f64 {
    v.ceil()
}
pub fn dfloor(v: f64) -> f64 {
    v.floor()
}
pub fn dtrunc(v: f64) -> f64 {
    v.trunc()
}
pub fn dsign(v: f64) -> f64 {
    if v > 0.0 {
        1.0
    } else if v < 0.0 {
        -1.0
    } else {
        0.0
    }
}
pub fn dsqrt(v: f64) -> Result<f64> {
    if v < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number");
    }
    Ok(v.sqrt())
}
pub fn dcbrt(v: f64) -> f64 {
    v.cbrt()
}
pub fn dpow(a: f64, b: f64) -> Result<f64> {
    if a.is_nan() {
        return Ok(if b == 0.0 { 1.0 } else { f64::NAN });
    }
    if b.is_nan() {
        return Ok(if a == 1.0 { 1.0 } else { f64::NAN });
    }
    if a == 0.0 && b < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
    }
    if a < 0.0 && b.floor() != b {
        bail!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        );
    }
    let r = a.powf(b);
    if a.is_infinite() || b.is_infinite() {
        return Ok(r);
    }
    checked(r, false, a == 0.0)
}
pub fn dexp(v: f64) -> Result<f64> {
    if v.is_nan() {
        return Ok(v);
    }
    if v.is_infinite() {
        return Ok(if v > 0.0 { v } else { 0.0 });
    }
    checked(v.exp(), false, false)
}
fn log_domain(v: f64) -> Result<()> {
    if v == 0.0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    }
    if v < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number");
    }
    Ok(())
}
pub fn dlog1(v: f64) -> Result<f64> {
    log_domain(v)?;
    Ok(v.ln())
}
pub fn dlog10(v: f64) -> Result<f64> {
    log_domain(v)?;
    Ok(v.log10())
}

fn unit(v: f64) -> Result<()> {
    if (-1.0..=1.0).contains(&v) || v.is_nan() { Ok(()) } else { Err(domain()) }
}
pub fn dacos(v: f64) -> Result<f64> {
    unit(v).map(|()| v.acos())
}
pub fn dasin(v: f64) -> Result<f64> {
    unit(v).map(|()| v.asin())
}
pub fn datan(v: f64) -> f64 {
    v.atan()
}
pub fn datan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}
fn finite(v: f64) -> Result<f64> {
    if v.is_infinite() { Err(domain()) } else { Ok(v) }
}
pub fn dcos(v: f64) -> Result<f64> {
    finite(v).map(f64::cos)
}
pub fn dsin(v: f64) -> Result<f64> {
    finite(v).map(f64::sin)
}
pub fn dtan(v: f64) -> Result<f64> {
    finite(v).map(f64::tan)
}
pub fn dcot(v: f64) -> Result<f64> {
    finite(v).map(|v| 1.0 / v.tan())
}
pub fn dsinh(v: f64) -> f64 {
    v.sinh()
}
pub fn dcosh(v: f64) -> f64 {
    v.cosh()
}
pub fn dtanh(v: f64) -> f64 {
    v.tanh()
}
pub fn dasinh(v: f64) -> f64 {
    let a = v.abs();
    // Three ranges, so that neither squares overflow nor small values cancel.
    let r = if a > 268_435_456.0 {
        a.ln() + std::f64::consts::LN_2
    } else if a > 2.0 {
        (2.0 * a + 1.0 / ((a * a + 1.0).sqrt() + a)).ln()
    } else {
        (a + a * a / (1.0 + (1.0 + a * a).sqrt())).ln_1p()
    };
    r.copysign(v)
}
pub fn dacosh(v: f64) -> Result<f64> {
    if v < 1.0 {
        return Err(domain());
    }
    Ok(if v > 268_435_456.0 {
        v.ln() + std::f64::consts::LN_2
    } else if v > 2.0 {
        (2.0 * v - 1.0 / (v + (v * v - 1.0).sqrt())).ln()
    } else {
        let t = v - 1.0;
        (t + (2.0 * t + t * t).sqrt()).ln_1p()
    })
}
pub fn datanh(v: f64) -> Result<f64> {
    unit(v)?;
    Ok(if v == 1.0 {
        f64::INFINITY
    } else if v == -1.0 {
        f64::NEG_INFINITY
    } else {
        v.atanh()
    })
}
pub fn degrees(v: f64) -> Result<f64> {
    super::ops::a8::div(v, std::f64::consts::PI / 180.0)
}
pub fn radians(v: f64) -> Result<f64> {
    super::ops::a8::mul(v, std::f64::consts::PI / 180.0)
}
pub fn dpi() -> f64 {
    std::f64::consts::PI
}

const RAD: f64 = std::f64::consts::PI / 180.0;

/// Sine of 0..90 degrees, exact at 0, 30, 90.
fn sin_quadrant(d: f64) -> f64 {
    if d <= 30.0 {
        (d * RAD).sin() / (30.0 * RAD).sin() / 2.0
    } else {
        let one_minus = |x: f64| 1.0 - (x * RAD).cos();
        1.0 - one_minus(90.0 - d) / one_minus(60.0) / 2.0
    }
}
/// Cosine of 0..90 degrees, exact at 0, 60, 90.
fn cos_quadrant(d: f64) -> f64 {
    sin_quadrant(90.0 - d)
}
pub fn dsind(v: f64) -> Result<f64> {
    let mut d = finite(v)? % 360.0;
    let mut sign = 1.0;
    if d < 0.0 {
        d = -d;
        sign = -sign;
    }
    if d > 180.0 {
        d = 360.0 - d;
        sign = -sign;
    }
    if d > 90.0 {
        d = 180.0 - d;
    }
    Ok(sign * sin_quadrant(d))
}
pub fn dcosd(v: f64) -> Result<f64> {
    let mut d = (finite(v)? % 360.0).abs();
    let mut sign = 1.0;
    if d > 180.0 {
        d = 360.0 - d;
    }
    if d > 90.0 {
        d = 180.0 - d;
        sign = -1.0;
    }
    Ok(sign * cos_quadrant(d))
}
pub fn dtand(v: f64) -> Result<f64> {
    let mut d = finite(v)? % 360.0;
    let mut sign = 1.0;
    if d < 0.0 {
        d = -d;
        sign = -sign;
    }
    if d > 180.0 {
        d = 360.0 - d;
        sign = -sign;
    }
    if d > 90.0 {
        d = 180.0 - d;
        sign = -sign;
    }
    let t45 = sin_quadrant(45.0) / cos_quadrant(45.0);
    let r = sign * (sin_quadrant(d) / cos_quadrant(d) / t45);
    Ok(if r == 0.0 { 0.0 } else { r })
}
pub fn dcotd(v: f64) -> Result<f64> {
    let mut d = finite(v)? % 360.0;
    let mut sign = 1.0;
    if d < 0.0 {
        d = -d;
        sign = -sign;
    }
    if d > 180.0 {
        d = 360.0 - d;
        sign = -sign;
    }
    if d > 90.0 {
        d = 180.0 - d;
        sign = -sign;
    }
    let c45 = cos_quadrant(45.0) / sin_quadrant(45.0);
    let r = sign * (cos_quadrant(d) / sin_quadrant(d) / c45);
    Ok(if r == 0.0 { 0.0 } else { r })
}
/// Arc sine of 0..1 in degrees, exact at 0, 0.5, 1.
fn asin_quadrant(x: f64) -> f64 {
    if x <= 0.5 { x.asin() / 0.5f64.asin() * 30.0 } else { 90.0 - x.acos() / 0.5f64.acos() * 60.0 }
}
fn acos_quadrant(x: f64) -> f64 {
    if x <= 0.5 { 90.0 - x.asin() / 0.5f64.asin() * 30.0 } else { x.acos() / 0.5f64.acos() * 60.0 }
}
pub fn dasind(v: f64) -> Result<f64> {
    unit(v)?;
    Ok(if v >= 0.0 { asin_quadrant(v) } else { -asin_quadrant(-v) })
}
pub fn dacosd(v: f64) -> Result<f64> {
    unit(v)?;
    Ok(if v >= 0.0 { acos_quadrant(v) } else { 90.0 + asin_quadrant(-v) })
}
pub fn datand(v: f64) -> f64 {
    v.atan() / 1f64.atan() * 45.0
}
pub fn datan2d(y: f64, x: f64) -> f64 {
    y.atan2(x) / 1f64.atan() * 45.0
}

pub fn width_bucket_float8(op: f64, lo: f64, hi: f64, count: i32) -> Result<i32> {
    if count <= 0 {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "count must be greater than zero");
    }
    if op.is_nan() || lo.is_nan() || hi.is_nan() {
        bail!(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            "operand, lower bound, and upper bound cannot be NaN"
        );
    }
    if lo.is_infinite() || hi.is_infinite() {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower and upper bounds must be finite");
    }
    if lo == hi {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound");
    }
    let (below, above) = if lo < hi { (op < lo, op >= hi) } else { (op > lo, op <= hi) };
    if below {
        return Ok(0);
    }
    if above {
        return count.checked_add(1).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    }
    Ok((f64::from(count) * ((op - lo) / (hi - lo))) as i32 + 1)
}
