//! Text and binary form.

use super::shortest::Parts;
use crate::wire::{Wire, bad_input, trim};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result, err};

/// Lays out significant digits with decimal exponent `exp` (of the first digit): positional when
/// `min_exp <= exp < max_exp`, else scientific with at least two exponent digits.
pub fn layout(digits: &str, exp: i32, min_exp: i32, max_exp: i32) -> String {
    if exp < min_exp || exp >= max_exp {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if exp < 0 { '-' } else { '+' };
        return format!("{first}{dot}{rest}e{sign}{:02}", exp.abs());
    }
    if exp < 0 {
        return format!("0.{}{digits}", "0".repeat((-exp - 1) as usize));
    }
    let int = exp as usize + 1;
    if digits.len() <= int {
        format!("{digits}{}", "0".repeat(int - digits.len()))
    } else {
        format!("{}.{}", &digits[..int], &digits[int..])
    }
}

/// Digits and exponent out of any decimal notation.
pub(super) fn digits_of(s: &str) -> (bool, String, i32) {
    let (neg, s) = match s.strip_prefix('-') {
        Some(r) => (true, r),
        None => (false, s),
    };
    let (m, e) = s.split_once(['e', 'E']).unwrap_or((s, "0"));
    let exp: i32 = e.parse().unwrap_or(0);
    let (int, frac) = m.split_once('.').unwrap_or((m, ""));
    let all = format!("{int}{frac}");
    let lead = all.bytes().take_while(|c| *c == b'0').count();
    let d = all[lead..].trim_end_matches('0');
    (neg, d.to_string(), exp + int.len() as i32 - 1 - lead as i32)
}

fn push_shortest(text: &str, parts: Parts, max_exp: i32, out: &mut Vec<u8>) {
    let (neg, mut digits, mut exp) = digits_of(text);
    if let Some(other) = parts.strictly_inside(&digits, exp) {
        (digits, exp) = other;
    }
    if neg {
        out.push(b'-');
    }
    if digits.is_empty() {
        out.push(b'0');
    } else {
        out.extend_from_slice(layout(&digits, exp, -4, max_exp).as_bytes());
    }
}

fn push_special(v: f64, out: &mut Vec<u8>) -> bool {
    if v.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if v.is_infinite() {
        out.extend_from_slice(if v < 0.0 { b"-Infinity" } else { b"Infinity" });
    } else {
        return false;
    }
    true
}

/// Appends a double as PostgreSQL prints it.
pub fn push_f64(v: f64, extra_digits: i32, out: &mut Vec<u8>) {
    if push_special(v, out) {
        return;
    }
    if extra_digits > 0 {
        push_shortest(zmij::Buffer::new().format_finite(v), Parts::of_f64(v), 15, out);
    } else {
        let n = (15 + extra_digits).max(1) as usize;
        out.extend_from_slice(crate::numeric::format_g(v, n).as_bytes());
    }
}

/// Appends a single.
pub fn push_f32(v: f32, extra_digits: i32, out: &mut Vec<u8>) {
    if push_special(f64::from(v), out) {
        return;
    }
    if extra_digits > 0 {
        push_shortest(zmij::Buffer::new().format_finite(v), Parts::of_f32(v), 6, out);
    } else {
        let n = (6 + extra_digits).max(1) as usize;
        out.extend_from_slice(crate::numeric::format_g(f64::from(v), n).as_bytes());
    }
}

fn special(t: &str) -> Option<f64> {
    let (neg, rest) = match t.as_bytes().first() {
        Some(b'-') => (true, &t[1..]),
        Some(b'+') => (false, &t[1..]),
        _ => (false, t),
    };
    if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
        return Some(if neg { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if rest.starts_with("0x") || rest.starts_with("0X") {
        return hexadecimal(&rest[2..]).map(|v| if neg { -v } else { v });
    }
    t.eq_ignore_ascii_case("nan").then_some(f64::NAN)
}

/// Hexadecimal digits with a binary exponent, as C reads them.
fn hexadecimal(t: &str) -> Option<f64> {
    let (mantissa, exponent) = match t.split_once(['p', 'P']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (t, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut v = 0.0;
    for c in whole.chars().chain(fraction.chars()) {
        v = v * 16.0 + f64::from(c.to_digit(16)?);
    }
    Some(v * f64::from(exponent).exp2() / (4.0 * fraction.len() as f64).exp2())
}

fn is_decimal(t: &str) -> bool {
    t.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.' | b'e' | b'E'))
}

/// Reads a double. 22P02, 22003.
pub fn parse_f64(text: &str, type_name: &str) -> Result<f64> {
    let t = trim(text);
    if let Some(v) = special(t) {
        return Ok(v);
    }
    let v: f64 = t.parse().ok().filter(|_| is_decimal(t)).ok_or_else(|| bad_input(type_name, text))?;
    let zero_digits =
        t.split(['e', 'E']).next().is_some_and(|m| !m.bytes().any(|c| (b'1'..=b'9').contains(&c)));
    if v.is_infinite() || (v == 0.0 && !zero_digits) {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{}\" is out of range for type {}", text, type_name));
    }
    Ok(v)
}

/// Reads a single. 22P02, 22003.
pub fn parse_f32(text: &str) -> Result<f32> {
    let t = trim(text);
    if let Some(v) = special(t) {
        return Ok(v as f32);
    }
    let v: f32 = t.parse().ok().filter(|_| is_decimal(t)).ok_or_else(|| bad_input("real", text))?;
    let zero_digits =
        t.split(['e', 'E']).next().is_some_and(|m| !m.bytes().any(|c| (b'1'..=b'9').contains(&c)));
    if v.is_infinite() || (v == 0.0 && !zero_digits) {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{}\" is out of range for type real", text));
    }
    Ok(v)
}

pub fn float4in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_f32(s).map(Datum::F32)
}
pub fn float8in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_f64(s, "double precision").map(Datum::F64)
}
pub fn float4out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_f32(v.f32(), ctx.fmt.extra_float_digits, out);
    Ok(())
}
pub fn float8out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_f64(v.f64(), ctx.fmt.extra_float_digits, out);
    Ok(())
}
pub fn float4recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = f32::from_bits(w.i32()? as u32);
    w.end().map(|()| Datum::F32(v))
}
pub fn float8recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = f64::from_bits(w.i64()? as u64);
    w.end().map(|()| Datum::F64(v))
}
pub fn float4send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.f32().to_be_bytes());
    Ok(())
}
pub fn float8send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.f64().to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn shortest() {
        for (v, want) in [
            (1e15, "1e+15"),
            (1e14, "100000000000000"),
            (1234567890123456.0, "1.234567890123456e+15"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1.5e300, "1.5e+300"),
            (123.456, "123.456"),
        ] {
            let mut out = Vec::new();
            super::push_f64(v, 1, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
