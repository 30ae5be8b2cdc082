//! Text and binary form of numeric.

use super::num::{DEC, DSCALE_MAX, Kind, NBASE, Num, overflow};
use super::typmod::apply_typmod;
use crate::wire::{Wire, bad_input, is_space};
use crate::{CallCtx, Datum, DatumRef};
use common::{Oid, Result, bail};

/// Reads a decimal literal, `NaN` or an infinity. 22P02, 22003.
pub fn parse_numeric(text: &str) -> Result<Num> {
    let bad = || bad_input("numeric", text);
    let t = crate::wire::trim(text).as_bytes();
    let (neg, rest) = match t.first() {
        Some(b'-') => (true, &t[1..]),
        Some(b'+') => (false, &t[1..]),
        _ => (false, t),
    };
    if rest.eq_ignore_ascii_case(b"infinity") || rest.eq_ignore_ascii_case(b"inf") {
        return Ok(Num::inf(neg));
    }
    if t.eq_ignore_ascii_case(b"nan") {
        return Ok(Num::nan());
    }
    let int = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut at = int;
    let mut frac: &[u8] = &[];
    if rest.get(at) == Some(&b'.') {
        let n = rest[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
        frac = &rest[at + 1..at + 1 + n];
        at += 1 + n;
    }
    if int + frac.len() == 0 {
        return Err(bad());
    }
    let mut exp: i64 = 0;
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        at += 1;
        let eneg = rest.get(at) == Some(&b'-');
        if matches!(rest.get(at), Some(b'-' | b'+')) {
            at += 1;
        }
        let n = rest[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        if n == 0 {
            return Err(bad());
        }
        for c in &rest[at..at + n] {
            exp = (exp * 10 + i64::from(c - b'0')).min(i64::from(i32::MAX));
        }
        if eneg {
            exp = -exp;
        }
        at += n;
    }
    if at != rest.len() || rest.iter().any(|c| is_space(*c)) {
        return Err(bad());
    }
    if exp.abs() >= i64::from(i32::MAX) / 2 {
        return Err(overflow());
    }
    build(neg, &rest[..int], frac, exp as i32)
}

/// Decimal digits to base 10,000.
fn build(neg: bool, int: &[u8], frac: &[u8], exp: i32) -> Result<Num> {
    let dscale = (frac.len() as i64 - i64::from(exp)).max(0);
    // Decimal weight of the first digit.
    let dweight = int.len() as i64 - 1 + i64::from(exp);
    let weight = dweight.div_euclid(i64::from(DEC));
    let lead = (weight + 1) * i64::from(DEC) - (dweight + 1);
    let mut digits = Vec::with_capacity((int.len() + frac.len()) / 4 + 2);
    let (mut d, mut n) = (0u16, lead);
    for c in int.iter().chain(frac) {
        d = d * 10 + u16::from(c - b'0');
        n += 1;
        if n == i64::from(DEC) {
            digits.push(d);
            (d, n) = (0, 0);
        }
    }
    if n > 0 {
        for _ in n..i64::from(DEC) {
            d *= 10;
        }
        digits.push(d);
    }
    let mut r = Num {
        kind: Kind::Finite,
        neg,
        weight: weight as i32,
        dscale: i32::try_from(dscale).map_err(|_| overflow())?,
        digits,
    };
    r.strip();
    if r.weight > i32::from(i16::MAX) {
        return Err(overflow());
    }
    if r.dscale > DSCALE_MAX {
        if exp >= 0 || frac.len() as i32 > DSCALE_MAX {
            return Err(overflow());
        }
        return Err(overflow());
    }
    Ok(r)
}

impl Num {
    /// Appends the decimal form with as many places as the display scale.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Nan => return out.extend_from_slice(b"NaN"),
            Kind::PInf => return out.extend_from_slice(b"Infinity"),
            Kind::NInf => return out.extend_from_slice(b"-Infinity"),
            Kind::Finite => {}
        }
        if self.neg {
            out.push(b'-');
        }
        let four = |d: u16| {
            [
                b'0' + (d / 1000) as u8,
                b'0' + (d / 100 % 10) as u8,
                b'0' + (d / 10 % 10) as u8,
                b'0' + (d % 10) as u8,
            ]
        };
        if self.weight < 0 {
            out.push(b'0');
        } else {
            let first = four(self.digit(self.weight));
            let skip = first.iter().take_while(|c| **c == b'0').count().min(3);
            out.extend_from_slice(&first[skip..]);
            for w in (0..self.weight).rev() {
                out.extend_from_slice(&four(self.digit(w)));
            }
        }
        if self.dscale > 0 {
            out.push(b'.');
            let end = out.len() + self.dscale as usize;
            let mut w = -1;
            while out.len() < end {
                out.extend_from_slice(&four(self.digit(w)));
                w -= 1;
            }
            out.truncate(end);
        }
    }
}

impl std::fmt::Display for Num {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut v = Vec::new();
        self.write(&mut v);
        f.write_str(&String::from_utf8_lossy(&v))
    }
}

pub fn numeric_in(_: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    apply_typmod(parse_numeric(s)?, typmod)?.to_datum()
}
pub fn numeric_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    Num::unpack(v.bytes())?.write(out);
    Ok(())
}
pub fn numeric_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let len = w.i16()? as u16 as usize;
    let weight = i32::from(w.i16()?);
    let sign = w.i16()? as u16;
    let dscale = w.i16()? as u16;
    let kind = match sign {
        0 | 0x4000 => Kind::Finite,
        0xc000 => Kind::Nan,
        0xd000 => Kind::PInf,
        0xf000 => Kind::NInf,
        _ => bail!(INVALID_BINARY_REPRESENTATION, "invalid sign in external \"numeric\" value"),
    };
    if dscale & 0x3fff != dscale {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid scale in external \"numeric\" value");
    }
    let mut digits = Vec::with_capacity(len.min(w.left() / 2));
    for _ in 0..len {
        let d = w.i16()?;
        if !(0..NBASE as i16).contains(&d) {
            bail!(INVALID_BINARY_REPRESENTATION, "invalid digit in external \"numeric\" value");
        }
        digits.push(d as u16);
    }
    w.end()?;
    let mut n = if kind == Kind::Finite {
        Num { kind, neg: sign == 0x4000, weight, dscale: i32::from(dscale), digits }
    } else {
        Num::special(kind)
    };
    n.strip();
    if kind == Kind::Finite {
        let scale = n.dscale;
        n.trunc(scale);
    }
    apply_typmod(n, typmod)?.to_datum()
}
pub fn numeric_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let n = Num::unpack(v.bytes())?;
    let mut word = |v: i32| out.extend_from_slice(&(v as i16).to_be_bytes());
    word(n.digits.len() as i32);
    word(n.weight);
    word(match n.kind {
        Kind::Finite if n.neg => 0x4000,
        Kind::Finite => 0,
        Kind::Nan => 0xc000,
        Kind::PInf => 0xd000,
        Kind::NInf => 0xf000,
    });
    // The stored sign of an infinity reads as a scale of 32, which PostgreSQL sends.
    word(if matches!(n.kind, Kind::PInf | Kind::NInf) { 32 } else { n.dscale });
    n.digits.iter().for_each(|d| word(i32::from(*d)));
    Ok(())
}
