//! Numbers of a few digits, the common case of money and quantities, as a machine integer with a power of 10,000. Each
//! function here says `None` when the operands or the result are not that small, and the caller takes the general way.

use super::num::{Kind, Num};
use std::cmp::Ordering;

/// `m * 10000^unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    pub m: i64,
    pub unit: i32,
    pub dscale: i32,
}

const POWERS: [i64; 5] = [1, 10_000, 100_000_000, 1_000_000_000_000, 10_000_000_000_000_000];

impl Small {
    /// Reads a disk form of up to four digits with a short header.
    #[inline]
    pub fn read(b: &[u8]) -> Option<Small> {
        let word = |i: usize| u16::from_le_bytes([b[i], b[i + 1]]);
        if b.len() < 2 || b.len() > 10 || b.len() & 1 == 1 {
            return None;
        }
        let head = word(0);
        if head & 0xc000 != 0x8000 {
            return None;
        }
        let n = b.len() / 2 - 1;
        let mut m = 0i64;
        for i in 0..n {
            let d = word(2 + 2 * i);
            if d >= 10_000 {
                return None;
            }
            m = m * 10_000 + i64::from(d);
        }
        let weight = i32::from(head & 0x3f) - i32::from(head & 0x40);
        Some(Small {
            m: if head & 0x2000 != 0 { -m } else { m },
            unit: if n == 0 { 0 } else { weight + 1 - n as i32 },
            dscale: i32::from(head >> 7 & 0x3f),
        })
    }
    /// The integer over a lower unit.
    #[inline]
    fn over(self, unit: i32) -> Option<i64> {
        self.m.checked_mul(*POWERS.get(usize::try_from(self.unit - unit).ok()?)?)
    }
    /// The integer over a lower unit, wide.
    #[inline]
    pub fn wide_over(self, unit: i32) -> Option<i128> {
        Some(i128::from(self.m) * i128::from(*POWERS.get(usize::try_from(self.unit - unit).ok()?)?))
    }
    /// Sum, or difference.
    #[inline]
    pub fn add(self, o: Small, minus: bool) -> Option<Small> {
        let unit = self.unit.min(o.unit);
        let (a, b) = (self.over(unit)?, o.over(unit)?);
        let m = if minus { a.checked_sub(b)? } else { a.checked_add(b)? };
        Some(Small { m, unit, dscale: self.dscale.max(o.dscale) })
    }
    /// Product.
    #[inline]
    pub fn times(self, o: Small) -> Option<Small> {
        let m = self.m.checked_mul(o.m)?;
        Some(Small { m, unit: self.unit + o.unit, dscale: self.dscale + o.dscale })
    }
    /// Order.
    #[inline]
    pub fn compare(self, o: Small) -> Option<Ordering> {
        if self.unit == o.unit {
            return Some(self.m.cmp(&o.m));
        }
        let unit = self.unit.min(o.unit);
        Some(self.wide_over(unit)?.cmp(&o.wide_over(unit)?))
    }
    /// Appends the disk form; false (and nothing appended) when it needs a long header.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) -> bool {
        let mut u = self.m.unsigned_abs();
        if u == 0 {
            if self.dscale > 63 {
                return false;
            }
            out.extend_from_slice(&(0x8000 | (self.dscale as u16) << 7).to_le_bytes());
            return true;
        }
        let mut unit = self.unit;
        while u.is_multiple_of(10_000) {
            u /= 10_000;
            unit += 1;
        }
        let mut b = [0u8; 12];
        let mut at = b.len();
        let mut weight = unit - 1;
        while u > 0 {
            at -= 2;
            b[at..at + 2].copy_from_slice(&((u % 10_000) as u16).to_le_bytes());
            u /= 10_000;
            weight += 1;
        }
        if self.dscale > 63 || !(-64..=63).contains(&weight) {
            return false;
        }
        at -= 2;
        let neg = u16::from(self.m < 0) << 13;
        let head = 0x8000 | neg | (self.dscale as u16) << 7 | (weight as u16 & 0x7f);
        b[at..at + 2].copy_from_slice(&head.to_le_bytes());
        out.extend_from_slice(&b[at..]);
        true
    }
}

/// `m * 10000^unit` as a number of any size.
pub fn to_num(m: i128, unit: i32, dscale: i32) -> Num {
    let mut n = Num::from_i128(m);
    if !n.digits.is_empty() {
        n.weight += unit;
    }
    n.dscale = dscale;
    debug_assert!(n.kind == Kind::Finite);
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{arith, parse_numeric};

    fn bytes(n: &Num) -> Vec<u8> {
        let mut v = Vec::new();
        n.pack(&mut v).unwrap();
        v
    }

    #[test]
    fn small_numbers_calculate_as_large_ones() {
        let texts = [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "0.0001",
            "-0.05",
            "49954.00",
            "1.05",
            "99999999.9999",
            "-12345678.9",
            "0.000000000001",
            "1000000000000",
            "123456789012",
            "9999",
            "-10000.0001",
            "1e15",
            "0.5000",
        ];
        for a in texts {
            for b in texts {
                let (x, y) = (parse_numeric(a).unwrap(), parse_numeric(b).unwrap());
                let (p, q) = (bytes(&x), bytes(&y));
                let (Some(s), Some(t)) = (Small::read(&p), Small::read(&q)) else { continue };
                if let Some(o) = s.compare(t) {
                    assert_eq!(o, x.cmp(&y), "{a} ? {b}");
                }
                for (r, want) in [
                    (s.add(t, false), arith::add(&x, &y)),
                    (s.add(t, true), arith::sub(&x, &y)),
                    (s.times(t), arith::mul(&x, &y)),
                ] {
                    let Some(r) = r else { continue };
                    let mut out = Vec::new();
                    if r.write(&mut out) {
                        assert_eq!(out, bytes(&want), "{a} and {b}");
                    }
                    assert_eq!(bytes(&to_num(r.m.into(), r.unit, r.dscale)), bytes(&want));
                }
            }
        }
    }
}
