//! The number itself: sign, weight, base-10,000 digits and display scale; its disk form, comparison, rounding.

use common::{Error, Result, err};
use std::cmp::Ordering;

/// Base of the digits.
pub const NBASE: i32 = 10_000;
/// Decimal digits in one digit.
pub const DEC: i32 = 4;
/// Largest display scale.
pub const DSCALE_MAX: i32 = 16_383;
/// Largest display scale of results that are not exact.
pub const RESULT_SCALE_MAX: i32 = 1_000;
/// Significant digits of results that are not exact, at least.
pub const MIN_SIG: i32 = 16;
/// Largest weight.
const WEIGHT_MAX: i32 = i16::MAX as i32;

/// Finite or one of the special values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Finite,
    Nan,
    PInf,
    NInf,
}

/// A number taken apart. Digits have no leading and no trailing zeros; zero has none at all and weight 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Num {
    pub kind: Kind,
    pub neg: bool,
    /// Power of 10,000 of the first digit.
    pub weight: i32,
    /// Decimal digits shown behind the point.
    pub dscale: i32,
    pub digits: Vec<u16>,
}

/// 22003.
#[cold]
pub fn overflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

impl Num {
    /// Zero with a display scale.
    pub fn zero(dscale: i32) -> Num {
        Num { kind: Kind::Finite, neg: false, weight: 0, dscale, digits: Vec::new() }
    }
    /// A special value.
    pub fn special(kind: Kind) -> Num {
        Num { kind, ..Num::zero(0) }
    }
    /// Not a number.
    pub fn nan() -> Num {
        Num::special(Kind::Nan)
    }
    /// Infinity of this sign.
    pub fn inf(neg: bool) -> Num {
        Num::special(if neg { Kind::NInf } else { Kind::PInf })
    }
    /// From an integer.
    pub fn from_i128(v: i128) -> Num {
        let mut u = v.unsigned_abs();
        let mut digits = Vec::with_capacity(10);
        while u > 0 {
            digits.push((u % NBASE as u128) as u16);
            u /= NBASE as u128;
        }
        digits.reverse();
        let weight = digits.len() as i32 - 1;
        let mut n = Num { kind: Kind::Finite, neg: v < 0, weight, dscale: 0, digits };
        n.strip();
        n
    }
    /// From an integer.
    pub fn from_i64(v: i64) -> Num {
        Num::from_i128(i128::from(v))
    }
    /// Is it zero?
    pub fn is_zero(&self) -> bool {
        self.kind == Kind::Finite && self.digits.is_empty()
    }
    /// Is it neither NaN nor infinite?
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }
    /// Is it NaN?
    pub fn is_nan(&self) -> bool {
        self.kind == Kind::Nan
    }
    /// -1, 0, 1; NaN counts as 1.
    pub fn signum(&self) -> i32 {
        match self.kind {
            Kind::Finite if self.digits.is_empty() => 0,
            Kind::Finite => 1 - 2 * i32::from(self.neg),
            Kind::NInf => -1,
            _ => 1,
        }
    }
    /// Restores the invariant on leading and trailing zeros.
    pub fn strip(&mut self) {
        let lead = self.digits.iter().take_while(|d| **d == 0).count();
        if lead > 0 {
            self.digits.drain(..lead);
            self.weight -= lead as i32;
        }
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.weight = 0;
            self.neg = false;
        }
    }
    /// Digit of this weight.
    #[inline]
    pub fn digit(&self, weight: i32) -> u16 {
        usize::try_from(self.weight - weight).ok().and_then(|i| self.digits.get(i)).copied().unwrap_or(0)
    }
    /// The same with the other sign.
    pub fn negated(mut self) -> Num {
        match self.kind {
            Kind::Finite => self.neg = !self.neg && !self.digits.is_empty(),
            Kind::PInf => self.kind = Kind::NInf,
            Kind::NInf => self.kind = Kind::PInf,
            Kind::Nan => {}
        }
        self
    }
    /// Keeps decimal digits down to `10^-scale`, rounding half away from zero or cutting; display scale unchanged.
    fn cut(&mut self, scale: i32, round: bool) {
        if !self.is_finite() || self.digits.is_empty() {
            return;
        }
        // Decimal digits kept, counted from the first digit's leading place.
        let keep = (self.weight + 1) * DEC + scale;
        if keep < 0 || (keep == 0 && !round) {
            self.digits.clear();
            self.strip();
            return;
        }
        let whole = (keep / DEC) as usize;
        let part = keep % DEC;
        if whole >= self.digits.len() {
            return;
        }
        let mut carry = false;
        if part == 0 {
            carry = round && self.digits[whole] >= 5000;
            self.digits.truncate(whole);
        } else {
            let unit = [1000, 100, 10][part as usize - 1];
            self.digits.truncate(whole + 1);
            let d = &mut self.digits[whole];
            let rest = *d % unit;
            *d -= rest;
            if round && rest >= unit / 2 {
                *d += unit;
                if *d >= NBASE as u16 {
                    *d -= NBASE as u16;
                    carry = true;
                }
            }
            if carry {
                let d = self.digits[whole];
                self.digits.truncate(whole);
                self.carry_up();
                // The digit that overflowed keeps its remaining (zero) value.
                debug_assert_eq!(d, 0);
                self.strip();
                return;
            }
        }
        if carry {
            self.carry_up();
        }
        self.strip();
    }
    fn carry_up(&mut self) {
        for d in self.digits.iter_mut().rev() {
            *d += 1;
            if *d < NBASE as u16 {
                return;
            }
            *d = 0;
        }
        self.digits.insert(0, 1);
        self.weight += 1;
    }
    /// Rounds to `scale` decimal places (negative: left of the point) and shows that many.
    pub fn round(&mut self, scale: i32) {
        self.cut(scale, true);
        self.dscale = scale.max(0);
    }
    /// Like [`Num::round`], towards zero.
    pub fn trunc(&mut self, scale: i32) {
        self.cut(scale, false);
        self.dscale = scale.max(0);
    }
    /// Rounded copy.
    pub fn rounded(mut self, scale: i32) -> Num {
        self.round(scale);
        self
    }

    /// Reads the disk form. XX001.
    pub fn unpack(b: &[u8]) -> Result<Num> {
        let word = |i: usize| b.get(i..i + 2).map(|w| u16::from_le_bytes([w[0], w[1]]));
        let bad = || Error::corrupted("invalid numeric value");
        let head = word(0).ok_or_else(bad)?;
        let (neg, dscale, weight, start) = match head & 0xc000 {
            0xc000 => {
                return Ok(Num::special(match head & 0xf000 {
                    0xd000 => Kind::PInf,
                    0xf000 => Kind::NInf,
                    _ => Kind::Nan,
                }));
            }
            0x8000 => {
                let w = i32::from(head & 0x3f) - if head & 0x40 != 0 { 0x40 } else { 0 };
                (head & 0x2000 != 0, i32::from(head >> 7 & 0x3f), w, 2)
            }
            sign => (sign == 0x4000, i32::from(head & 0x3fff), i32::from(word(2).ok_or_else(bad)? as i16), 4),
        };
        let digits: Vec<u16> = b[start..].chunks_exact(2).map(|w| u16::from_le_bytes([w[0], w[1]])).collect();
        if digits.iter().any(|d| i32::from(*d) >= NBASE) {
            return Err(bad());
        }
        let mut n = Num { kind: Kind::Finite, neg, weight, dscale, digits };
        n.strip();
        Ok(n)
    }

    /// Writes the disk form. 22003 when it does not fit.
    pub fn pack(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut word = |v: u16| out.extend_from_slice(&v.to_le_bytes());
        match self.kind {
            Kind::Nan => word(0xc000),
            Kind::PInf => word(0xd000),
            Kind::NInf => word(0xf000),
            Kind::Finite => {
                if self.weight > WEIGHT_MAX || self.weight < -WEIGHT_MAX || self.dscale > DSCALE_MAX {
                    return Err(overflow());
                }
                if (-64..=63).contains(&self.weight) && self.dscale <= 63 {
                    word(
                        0x8000
                            | u16::from(self.neg) << 13
                            | (self.dscale as u16) << 7
                            | (self.weight as u16 & 0x7f),
                    );
                } else {
                    word(u16::from(self.neg) << 14 | self.dscale as u16);
                    word(self.weight as i16 as u16);
                }
                self.digits.iter().for_each(|d| word(*d));
            }
        }
        Ok(())
    }
    /// The disk form as a datum.
    pub fn to_datum(&self) -> Result<crate::Datum> {
        let mut v = Vec::with_capacity(4 + 2 * self.digits.len());
        self.pack(&mut v)?;
        Ok(crate::Datum::bytes(&v))
    }
    /// As integer, rounded; `None` when it does not fit.
    pub fn to_i128(&self) -> Option<i128> {
        let mut r = self.clone();
        r.round(0);
        if r.weight > 9 {
            return None;
        }
        let mut v: i128 = 0;
        for w in (0..=r.weight).rev() {
            v = v.checked_mul(i128::from(NBASE))?.checked_add(i128::from(r.digit(w)))?;
        }
        Some(if r.neg { -v } else { v })
    }
    /// Nearest float, for estimates (specials included).
    pub fn to_f64(&self) -> f64 {
        match self.kind {
            Kind::Nan => f64::NAN,
            Kind::PInf => f64::INFINITY,
            Kind::NInf => f64::NEG_INFINITY,
            Kind::Finite => {
                let mut m = 0.0;
                for i in 0..5 {
                    m = m * f64::from(NBASE) + f64::from(self.digit(self.weight - i));
                }
                let v = m * f64::from(NBASE).powi(self.weight - 4);
                if self.neg { -v } else { v }
            }
        }
    }
    /// log10 of the absolute value (finite, not zero), without overflow.
    pub fn log10_abs(&self) -> f64 {
        let mut m = 0.0;
        for i in 0..5 {
            m = m * f64::from(NBASE) + f64::from(self.digit(self.weight - i));
        }
        m.log10() + 4.0 * f64::from(self.weight - 4)
    }
}

/// Compares absolute values of finite numbers.
pub fn cmp_abs(a: &Num, b: &Num) -> Ordering {
    match (a.digits.is_empty(), b.digits.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => a.weight.cmp(&b.weight).then_with(|| a.digits.cmp(&b.digits)),
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, o: &Num) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl Ord for Num {
    /// NaN is greater than everything and equal to itself.
    fn cmp(&self, o: &Num) -> Ordering {
        let rank = |n: &Num| match n.kind {
            Kind::NInf => 0,
            Kind::Finite => 1,
            Kind::PInf => 2,
            Kind::Nan => 3,
        };
        match rank(self).cmp(&rank(o)) {
            Ordering::Equal if self.is_finite() => match (self.neg, o.neg) {
                (false, true) => Ordering::Greater,
                (true, false) => Ordering::Less,
                (false, false) => cmp_abs(self, o),
                (true, true) => cmp_abs(o, self),
            },
            other => other,
        }
    }
}
