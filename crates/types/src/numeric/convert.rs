//! numeric from and to integers and floats.

use super::io::parse_numeric;
use super::num::{Kind, Num};
use common::{Result, bail, err};

/// C's `%.*g`: `digits` significant digits, trailing zeros removed.
pub fn format_g(v: f64, digits: usize) -> String {
    if v == 0.0 {
        return if v.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let s = format!("{:.*e}", digits.max(1) - 1, v);
    let Some((m, e)) = s.split_once('e') else { return s };
    let exp: i32 = e.parse().unwrap_or(0);
    let neg = m.starts_with('-');
    let mut d: String = m.chars().filter(char::is_ascii_digit).collect();
    while d.len() > 1 && d.ends_with('0') {
        d.pop();
    }
    let body = crate::float::layout(&d, exp, -4, digits as i32);
    if neg { format!("-{body}") } else { body }
}

fn from_float(v: f64, digits: usize) -> Result<Num> {
    if v.is_nan() {
        return Ok(Num::nan());
    }
    if v.is_infinite() {
        return Ok(Num::inf(v < 0.0));
    }
    parse_numeric(&format_g(v, digits))
}
pub fn float8_numeric(v: f64, out: &mut Vec<u8>) -> Result<()> {
    from_float(v, 15)?.pack(out)
}
pub fn float4_numeric(v: f32, out: &mut Vec<u8>) -> Result<()> {
    from_float(f64::from(v), 6)?.pack(out)
}
pub fn numeric_float8(b: &[u8]) -> Result<f64> {
    let n = Num::unpack(b)?;
    to_float(&n)
}
/// Nearest float. 22003.
pub fn to_float(n: &Num) -> Result<f64> {
    match n.kind {
        Kind::Nan => Ok(f64::NAN),
        Kind::PInf => Ok(f64::INFINITY),
        Kind::NInf => Ok(f64::NEG_INFINITY),
        Kind::Finite => crate::float::parse_f64(&n.to_string(), "double precision"),
    }
}
pub fn numeric_float4(b: &[u8]) -> Result<f32> {
    let n = Num::unpack(b)?;
    match n.kind {
        Kind::Finite => crate::float::parse_f32(&n.to_string()),
        _ => to_float(&n).map(|f| f as f32),
    }
}
fn to_int<T: TryFrom<i128>>(b: &[u8], name: &str) -> Result<T> {
    let n = Num::unpack(b)?;
    match n.kind {
        Kind::Nan => bail!(FEATURE_NOT_SUPPORTED, "cannot convert NaN to {}", name),
        Kind::PInf | Kind::NInf => bail!(FEATURE_NOT_SUPPORTED, "cannot convert infinity to {}", name),
        Kind::Finite => {}
    }
    n.to_i128()
        .and_then(|v| T::try_from(v).ok())
        .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", name))
}
pub fn numeric_int2(b: &[u8]) -> Result<i16> {
    to_int(b, "smallint")
}
pub fn numeric_int4(b: &[u8]) -> Result<i32> {
    to_int(b, "integer")
}
pub fn numeric_int8(b: &[u8]) -> Result<i64> {
    to_int(b, "bigint")
}
pub fn int2_numeric(v: i16, out: &mut Vec<u8>) -> Result<()> {
    Num::from_i64(i64::from(v)).pack(out)
}
pub fn int4_numeric(v: i32, out: &mut Vec<u8>) -> Result<()> {
    Num::from_i64(i64::from(v)).pack(out)
}
pub fn int8_numeric(v: i64, out: &mut Vec<u8>) -> Result<()> {
    Num::from_i64(v).pack(out)
}
