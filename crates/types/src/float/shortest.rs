//! The shortest decimal of a float lies strictly between the points halfway to its neighbours, as PostgreSQL has it: `1e23`
//! reads back as the float it stands for, being halfway and that float even, but is printed `9.999999999999999e+22`.

use super::io::digits_of;

/// A finite float as `mantissa × 2^exponent`.
pub struct Parts {
    value: f64,
    mantissa: u64,
    exponent: i32,
    /// The mantissa at which the neighbour below is half as far.
    lowest: u64,
    digits_max: usize,
}

impl Parts {
    pub fn of_f64(v: f64) -> Parts {
        let field = (v.to_bits() >> 52 & 0x7FF) as i32;
        let hidden = u64::from(field != 0) << 52;
        let mantissa = v.to_bits() & ((1 << 52) - 1) | hidden;
        Parts { value: v, mantissa, exponent: field.max(1) - 1075, lowest: 1 << 52, digits_max: 17 }
    }
    pub fn of_f32(v: f32) -> Parts {
        let field = (v.to_bits() >> 23 & 0xFF) as i32;
        let hidden = u32::from(field != 0) << 23;
        let mantissa = u64::from(v.to_bits() & ((1 << 23) - 1) | hidden);
        let value = f64::from(v);
        Parts { value, mantissa, exponent: field.max(1) - 150, lowest: 1 << 23, digits_max: 9 }
    }

    /// Is the decimal with these digits, the first of them worth `10^exp`, halfway to a neighbour?
    fn halfway(&self, digits: &str, exp: i32) -> bool {
        let k = exp + 1 - digits.len() as i32;
        let Some(d) = digits.parse::<u64>().ok().filter(|d| *d != 0) else { return false };
        // A halfway point is an odd number of 54 bits at most times a power of two: powers of five beyond do not fit.
        if !(-24..=24).contains(&k) || k < 0 && d < self.mantissa {
            return false;
        }
        let five = 5u128.pow(k.unsigned_abs());
        let (left, factor) = if k >= 0 { (u128::from(d) * five, 1) } else { (u128::from(d), five) };
        let twos = left.trailing_zeros() as i32;
        let is = |odd: u64, at: i32| left >> twos == u128::from(odd) * factor && twos + k == at;
        let m = self.mantissa;
        is(2 * m + 1, self.exponent - 1)
            || is((2 * m).saturating_sub(1), self.exponent - 1)
            || m == self.lowest && is(4 * m - 1, self.exponent - 2)
    }

    fn reads_back(&self, text: &str) -> bool {
        if self.digits_max == 17 {
            text.parse::<f64>().is_ok_and(|v| v == self.value)
        } else {
            text.parse::<f32>().is_ok_and(|v| f64::from(v) == self.value)
        }
    }

    /// Other digits and exponent, if these are halfway to a neighbour.
    pub fn strictly_inside(&self, digits: &str, exp: i32) -> Option<(String, i32)> {
        if !self.mantissa.is_multiple_of(2) || !self.halfway(digits, exp) {
            return None;
        }
        (digits.len()..self.digits_max).find_map(|behind| {
            let text = format!("{:.behind$e}", self.value);
            let (_, d, e) = digits_of(&text);
            (self.reads_back(&text) && !self.halfway(&d, e)).then_some((d, e))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{push_f32, push_f64};

    #[test]
    fn no_halfway_decimals() {
        let shown = |v: f64| {
            let mut out = Vec::new();
            push_f64(v, 1, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(1e23), "9.999999999999999e+22");
        assert_eq!(shown(5e22), "4.9999999999999996e+22");
        assert_eq!(shown(-7e22), "-7.0000000000000004e+22");
        assert_eq!(shown(8.41e21), "8.409999999999999e+21");
        assert_eq!(shown(1e22), "1e+22");
        assert_eq!(shown(0.1), "0.1");
        assert_eq!(shown(5e-324), "5e-324");
        let mut out = Vec::new();
        push_f32(0.1, 1, &mut out);
        assert_eq!(out, b"0.1");
    }
}
