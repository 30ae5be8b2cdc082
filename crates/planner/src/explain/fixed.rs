//! Numbers with a fixed number of decimals, as the formatting machinery writes them, without going through it: a plan
//! has four in each line.

/// Appends `v` as `{:.digits}` does: the exact binary value, rounded to even at a tie. At most two digits.
pub fn push(out: &mut String, v: f64, digits: u32) {
    match scaled(v, digits) {
        Some(n) => digits_of(out, n, digits as usize),
        None => out.push_str(&format!("{v:.0$}", digits as usize)),
    }
}

/// `v` times a power of ten, rounded; `None` for what is negative, not finite or large.
fn scaled(v: f64, digits: u32) -> Option<u64> {
    let bits = v.to_bits();
    let exponent = (bits >> 52) as i32;
    // The sign makes the exponent large.
    if !(1..=1023 + 52).contains(&exponent) {
        return (bits == 0).then_some(0);
    }
    let shift = (1023 + 52 - exponent) as u32;
    let n = u128::from((bits & ((1 << 52) - 1)) | 1 << 52) * u128::from(10u32.pow(digits));
    if shift > 100 {
        return Some(0);
    }
    if shift == 0 {
        return u64::try_from(n).ok();
    }
    let (whole, rest, half) = (n >> shift, n & ((1 << shift) - 1), 1 << (shift - 1));
    let up = rest > half || rest == half && whole & 1 == 1;
    u64::try_from(whole).ok().map(|w| w + u64::from(up))
}

fn digits_of(out: &mut String, mut n: u64, decimals: usize) {
    let mut text = [b'0'; 24];
    let mut at = text.len();
    let mut written = 0;
    while n > 0 || written <= decimals {
        if decimals > 0 && written == decimals {
            at -= 1;
            text[at] = b'.';
        }
        at -= 1;
        text[at] = b'0' + (n % 10) as u8;
        n /= 10;
        written += 1;
    }
    out.extend(text[at..].iter().map(|b| char::from(*b)));
}

#[cfg(test)]
mod tests {
    use super::push;

    fn check(v: f64) {
        for d in 0..=2 {
            let mut s = String::new();
            push(&mut s, v, d);
            assert_eq!(s, format!("{v:.0$}", d as usize), "{v:e}");
        }
    }

    #[test]
    fn as_the_library_writes_them() {
        let odd = [
            0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 0.625, 0.005, 0.015, 1.005, 8.29, 8.285, 99.995, 999.995, 0.995,
        ];
        let far = [
            1e-300,
            5e-324,
            4.5e15,
            9007199254740993.0,
            1e16,
            1e17,
            1e22,
            1e300,
            -1.5,
            -0.0,
            f64::NAN,
            f64::INFINITY,
        ];
        odd.iter().chain(&far).for_each(|v| check(*v));
        let mut x = 88172645463325252u64;
        for i in 0..4_000u32 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            check((x % 100_000_000) as f64 / [1.0, 8.0, 100.0, 1000.0, 1024.0, 1e6][i as usize % 6]);
            check(f64::from_bits(x & !(1 << 63)));
        }
    }
}
