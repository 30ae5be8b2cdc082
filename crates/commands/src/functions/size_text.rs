//! `pg_size_pretty` and `pg_size_bytes`.

use common::{Error, Result, err};
use types::numeric::Num;
use types::{FnImpl, k1};

pub static TABLE: &[(u32, FnImpl)] =
    &[(2288, k1!(pretty_int8)), (3166, k1!(pretty_numeric)), (3334, k1!(size_bytes))];

/// A unit: a value below the limit is shown in it. All but bytes are kept with one more bit, for rounding.
const UNITS: [(&str, i128, u32); 6] = [
    ("bytes", 10 * 1024, 0),
    ("kB", 20 * 1024 - 1, 10),
    ("MB", 20 * 1024 - 1, 20),
    ("GB", 20 * 1024 - 1, 30),
    ("TB", 20 * 1024 - 1, 40),
    ("PB", 20 * 1024 - 1, 50),
];

fn pretty(mut size: i128) -> String {
    for (i, (name, limit, shift)) in UNITS.iter().enumerate() {
        let halved = i > 0;
        let next = UNITS.get(i + 1);
        if size.abs() < *limit || next.is_none() {
            let shown = if halved { (size + size.signum()) / 2 } else { size };
            return format!("{shown} {name}");
        }
        if let Some((_, _, next)) = next {
            size /= 1 << (next - shift - 1 + u32::from(halved));
        }
    }
    String::new()
}

fn pretty_int8(size: i64) -> String {
    pretty(i128::from(size))
}

fn pretty_numeric(size: &[u8]) -> Result<String> {
    let n = Num::unpack(size)?;
    let text = |n: &Num| {
        let mut out = Vec::new();
        n.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let mut whole = n.clone();
    whole.trunc(0);
    match whole.to_i128() {
        Some(v) if v.abs() < UNITS[0].1 => Ok(format!("{} bytes", text(&n))),
        Some(v) => Ok(pretty(v)),
        None => Ok(format!("{} bytes", text(&n))),
    }
}

/// Length of the number at the start of a size.
fn number_len(s: &str) -> usize {
    let b = s.as_bytes();
    let digits = |mut i: usize| {
        while b.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let start = usize::from(matches!(b.first(), Some(b'-' | b'+')));
    let mut end = digits(start);
    let mut any = end > start;
    if b.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        any |= after > end + 1;
        end = after;
    }
    if !any {
        return 0;
    }
    if matches!(b.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(b.get(end + 1), Some(b'-' | b'+')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}

fn size_bytes(text: &str) -> Result<i64> {
    let invalid = || err!(INVALID_PARAMETER_VALUE, "invalid size: \"{text}\"");
    let s = text.trim_start();
    let end = number_len(s);
    if end == 0 {
        return Err(invalid());
    }
    let unit = s[end..].trim();
    let units = ["bytes", "kb", "mb", "gb", "tb", "pb"];
    let factor = match units.iter().position(|u| unit.eq_ignore_ascii_case(u)) {
        _ if unit.is_empty() => 1i64,
        Some(i) => 1i64 << (10 * i),
        None => {
            return Err(invalid()
                .detail(format!("Invalid size unit: \"{unit}\"."))
                .hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
        }
    };
    let n = types::numeric::parse_numeric(&s[..end])?;
    let product = types::numeric::mul_exact(&n, &Num::from_i64(factor));
    let whole = product.rounded(0).to_i128().and_then(|v| i64::try_from(v).ok());
    whole.ok_or_else(|| Error::new(common::SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (n, shown) in [
            (10, "10 bytes"),
            (10239, "10239 bytes"),
            (10240, "10 kB"),
            (10_485_247, "10239 kB"),
            (10_485_248, "10 MB"),
            (1_000_000_000, "954 MB"),
            (-10241, "-10 kB"),
            (10_000_000_000_000_000, "9095 TB"),
        ] {
            assert_eq!(pretty_int8(n), shown);
        }
        for (text, n) in [("1", 1), ("1kB", 1024), ("1.5GB", 1_610_612_736), ("-3 kb", -3072), ("1e3", 1000)]
        {
            assert_eq!(size_bytes(text).unwrap(), n);
        }
        for bad in ["", "kB", "1 xx", "1.5.2", "99999999999999 PB"] {
            assert!(size_bytes(bad).is_err(), "{bad}");
        }
    }
}
