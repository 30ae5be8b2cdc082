//! money: a number of cents. The currency's form is that of the C locale with a dollar sign.

mod agg;
pub mod table;

use crate::numeric::{Num, mul_exact};
use crate::wire::{Wire, bad_input, is_space, push_u64};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, err};
use std::cmp::Ordering;

fn out_of_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")
}
fn division_by_zero() -> Error {
    err!(DIVISION_BY_ZERO, "division by zero")
}

/// Sign and symbol may stand on either side; what lies behind the cents rounds.
fn parse(s: &str) -> Result<i64> {
    let b = s.as_bytes();
    let mut at = 0;
    let spaces = |at: &mut usize| {
        while b.get(*at).is_some_and(|c| is_space(*c)) {
            *at += 1;
        }
    };
    let symbol = |at: &mut usize| {
        if b.get(*at) == Some(&b'$') {
            *at += 1;
        }
    };
    let mut negative = false;
    spaces(&mut at);
    symbol(&mut at);
    spaces(&mut at);
    match b.get(at) {
        Some(b'-' | b'(') => {
            negative = true;
            at += 1;
        }
        Some(b'+') => at += 1,
        _ => {}
    }
    spaces(&mut at);
    symbol(&mut at);
    spaces(&mut at);
    let range = || err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{}\" is out of range for type money", s);
    let (mut v, mut decimals, mut dot) = (0i128, 0, false);
    while let Some(&c) = b.get(at) {
        match c {
            b'0'..=b'9' if !dot || decimals < 2 => {
                v = v * 10 + i128::from(c - b'0');
                decimals += i32::from(dot);
                if v > i128::from(u64::MAX) * 100 {
                    return Err(range());
                }
            }
            b'.' if !dot => dot = true,
            b',' => {}
            _ => break,
        }
        at += 1;
    }
    if b.get(at).is_some_and(|c| (b'5'..=b'9').contains(c)) {
        v += 1;
    }
    for _ in decimals..2 {
        v *= 10;
    }
    while b.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    while let Some(&c) = b.get(at) {
        match c {
            b')' | b'$' => {}
            b'-' => negative = true,
            b'+' => {}
            c if is_space(c) => {}
            _ => return Err(bad_input("money", s)),
        }
        at += 1;
    }
    i64::try_from(if negative { -v } else { v }).map_err(|_| range())
}

fn cash_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse(s).map(Datum::I64)
}
fn cash_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let v = v.i64();
    if v < 0 {
        out.push(b'-');
    }
    out.push(b'$');
    let mut whole = Vec::new();
    push_u64(&mut whole, v.unsigned_abs() / 100);
    for (i, c) in whole.iter().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(b',');
        }
        out.push(*c);
    }
    out.extend_from_slice(format!(".{:02}", v.unsigned_abs() % 100).as_bytes());
    Ok(())
}
fn cash_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i64()?;
    w.end().map(|()| Datum::I64(v))
}
fn cash_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i64().to_be_bytes());
    Ok(())
}
fn cash_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.i64().cmp(&b.i64())
}
macro_rules! compares {
    ($($name:ident $op:tt;)*) => {$(
        fn $name(a: i64, b: i64) -> bool {
            a $op b
        }
    )*};
}
compares! { eq ==; ne !=; lt <; le <=; gt >; ge >=; }
fn larger(a: i64, b: i64) -> i64 {
    a.max(b)
}
fn smaller(a: i64, b: i64) -> i64 {
    a.min(b)
}
fn add(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(out_of_range)
}
fn subtract(a: i64, b: i64) -> Result<i64> {
    a.checked_sub(b).ok_or_else(out_of_range)
}
fn mul(a: i64, b: impl Into<i64>) -> Result<i64> {
    a.checked_mul(b.into()).ok_or_else(out_of_range)
}
fn div(a: i64, b: impl Into<i64>) -> Result<i64> {
    match b.into() {
        0 => Err(division_by_zero()),
        b => a.checked_div(b).ok_or_else(out_of_range),
    }
}
fn rounded(v: f64) -> Result<i64> {
    let v = v.round_ties_even();
    if v.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&v) {
        return Err(out_of_range());
    }
    Ok(v as i64)
}
fn mul_float(a: i64, b: impl Into<f64>) -> Result<i64> {
    rounded(a as f64 * b.into())
}
fn div_float(a: i64, b: impl Into<f64>) -> Result<i64> {
    let b = b.into();
    if b == 0.0 { Err(division_by_zero()) } else { rounded(a as f64 / b) }
}
fn div_cash(a: i64, b: i64) -> Result<f64> {
    if b == 0 { Err(division_by_zero()) } else { Ok(a as f64 / b as f64) }
}
fn bigint_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
}
fn from_int(v: impl Into<i64>) -> Result<i64> {
    v.into().checked_mul(100).ok_or_else(bigint_range)
}
fn from_numeric(n: &[u8]) -> Result<i64> {
    let n = Num::unpack(n)?;
    if !n.is_finite() {
        let what = if n.is_nan() { "NaN" } else { "infinity" };
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot convert {} to bigint", what));
    }
    let mut cents = mul_exact(&n, &Num::from_i64(100));
    cents.round(0);
    cents.to_i128().and_then(|v| i64::try_from(v).ok()).ok_or_else(bigint_range)
}
fn to_numeric(v: i64, out: &mut Vec<u8>) -> Result<()> {
    let sign = if v < 0 { "-" } else { "" };
    let u = v.unsigned_abs();
    crate::numeric::parse_numeric(&format!("{sign}{}.{:02}", u / 100, u % 100))?.pack(out)
}

const SMALL: [&str; 28] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
];

/// A number below a thousand in words.
fn words(v: u64) -> String {
    let small = |i: u64| SMALL[i as usize];
    let tens = |v: u64| match v % 10 {
        0 => small(18 + v / 10).to_string(),
        d => format!("{} {}", small(18 + v / 10), small(d)),
    };
    let rest = v % 100;
    match v {
        0..=20 => small(v).into(),
        21..=99 => tens(v),
        _ if rest == 0 => format!("{} hundred", small(v / 100)),
        _ if rest < 20 => format!("{} hundred and {}", small(v / 100), small(rest)),
        _ => format!("{} hundred {}", small(v / 100), tens(rest)),
    }
}
fn cash_words(v: i64) -> String {
    let cents = v.unsigned_abs();
    let (dollars, cents) = (cents / 100, cents % 100);
    let mut out = String::new();
    if v < 0 {
        out.push_str("minus ");
    }
    let mut unit = 1_000_000_000_000_000;
    for name in ["quadrillion ", "trillion ", "billion ", "million ", "thousand "] {
        let n = dollars / unit % 1000;
        if n > 0 {
            out.push_str(&format!("{} {name}", words(n)));
        }
        unit /= 1000;
    }
    if dollars % 1000 > 0 || dollars == 0 {
        out.push_str(&words(dollars % 1000));
    }
    out.push_str(if dollars == 1 { " dollar and " } else { " dollars and " });
    out.push_str(&words(cents));
    out.push_str(if cents == 1 { " cent" } else { " cents" });
    let first = out[..1].to_ascii_uppercase();
    out.replace_range(..1, &first);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (s, v) in
            [("12.345", 1235), ("($5.00)", -500), ("$1,234.56", 123_456), ("5-", -500), (".5", 50), ("", 0)]
        {
            assert_eq!(parse(s).unwrap(), v, "{s}");
        }
        for s in ["a", "1.2.3", "1é", "99999999999999999999999999999999999999999"] {
            assert!(parse(s).is_err(), "{s}");
        }
        assert_eq!(words(219), "two hundred and nineteen");
        assert_eq!(words(125), "one hundred twenty five");
    }
}
