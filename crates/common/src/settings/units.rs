//! Numbers with units: `64MB`, `1.5h`; and the way SHOW prints them.

/// (unit, multiplier to bytes) from the largest down.
const MEMORY: [(&str, f64); 5] = [
    ("TB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ("GB", 1024.0 * 1024.0 * 1024.0),
    ("MB", 1024.0 * 1024.0),
    ("kB", 1024.0),
    ("B", 1.0),
];
/// (unit, multiplier to microseconds) from the largest down.
const TIME: [(&str, f64); 6] =
    [("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("us", 1.0)];

fn base(unit: &str) -> Option<(f64, &'static [(&'static str, f64)])> {
    Some(match unit {
        "B" => (1.0, &MEMORY),
        "kB" => (1024.0, &MEMORY),
        "8kB" => (8192.0, &MEMORY),
        "MB" => (1024.0 * 1024.0, &MEMORY),
        "ms" => (1e3, &TIME),
        "s" => (1e6, &TIME),
        "min" => (60e6, &TIME),
        _ => return None,
    })
}

/// The HINT for a wrong unit.
fn unit_hint(unit: &str) -> Option<&'static str> {
    match base(unit)?.1[0].0 {
        "TB" => Some("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."),
        _ => Some("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."),
    }
}

/// Splits the number off; understands decimal, hexadecimal, octal (leading 0) and fractions.
fn number(s: &str) -> Option<(f64, &str)> {
    let s = s.trim_start();
    let (neg, digits) = match s.as_bytes().first()? {
        b'-' => (true, &s[1..]),
        b'+' => (false, &s[1..]),
        _ => (false, s),
    };
    let sign = |v: f64| if neg { -v } else { v };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let n = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        return Some((sign(i64::from_str_radix(&hex[..n], 16).ok()? as f64), &hex[n..]));
    }
    let b = digits.as_bytes();
    let int = b.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut n = int;
    if b.get(n) == Some(&b'.') {
        n += 1 + b[n + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
    }
    if let Some(b'e' | b'E') = b.get(n) {
        let mut m = n + 1;
        if let Some(b'+' | b'-') = b.get(m) {
            m += 1;
        }
        let exp = b[m.min(b.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
        if exp > 0 {
            n = m + exp;
        }
    }
    if n == int && int > 1 && b[0] == b'0' && b[..int].iter().all(|c| (b'0'..=b'7').contains(c)) {
        return Some((sign(i64::from_str_radix(&digits[..int], 8).ok()? as f64), &digits[int..]));
    }
    Some((sign(digits[..n].parse().ok()?), &digits[n..]))
}

/// Reads a number with an optional unit into the base unit, unrounded. The error is the HINT, if there is one.
pub fn parse_number(text: &str, unit: &str) -> Result<f64, Option<&'static str>> {
    let (v, rest) = number(text).ok_or(None)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(v);
    }
    let Some((base, table)) = base(unit) else { return Err(None) };
    match table.iter().find(|(u, _)| *u == rest) {
        Some((_, m)) => Ok(v * m / base),
        None => Err(unit_hint(unit)),
    }
}

/// Reads an integer setting: fractions are rounded (after conversion by unit) to even, as `rint` does.
pub fn parse_int(text: &str, unit: &str) -> Result<i64, Option<&'static str>> {
    let v = parse_number(text, unit)?;
    let r = v.round_ties_even();
    if r > f64::from(i32::MAX) || r < f64::from(i32::MIN) {
        return Err(Some("Value exceeds integer range."));
    }
    Ok(r as i64)
}

/// An integer with the largest unit that divides it.
pub fn show_int(v: i64, unit: &str) -> String {
    let Some((base, table)) = base(unit) else { return v.to_string() };
    if v <= 0 {
        // -1 and 0 are switches: no unit. Negative amounts do not occur otherwise.
        return v.to_string();
    }
    let amount = v as f64 * base;
    match table.iter().find(|(_, m)| amount % m == 0.0) {
        Some((u, m)) => format!("{}{u}", amount / m),
        None => format!("{v}{unit}"),
    }
}

/// A real with the largest unit in which it is a whole number.
pub fn show_real(v: f64, unit: &str) -> String {
    let plain = format_g(v);
    let Some((base, table)) = base(unit) else { return plain };
    if v <= 0.0 {
        return plain;
    }
    match table.iter().find(|(_, m)| (v * base / m).fract() == 0.0) {
        Some((u, m)) => format!("{}{u}", format_g(v * base / m)),
        None => format!("{plain}{unit}"),
    }
}

/// C's `%g`: six significant digits, no trailing zeros.
pub fn format_g(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let exp = v.abs().log10().floor() as i32;
    if !(-5..15).contains(&exp) {
        let s = format!("{v:.5e}");
        let (m, e) = s.split_once('e').unwrap_or((&s, "0"));
        let m = m.trim_end_matches('0').trim_end_matches('.');
        let e: i32 = e.parse().unwrap_or(0);
        return format!("{m}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs());
    }
    let s = format!("{v:.*}", (5 - exp).max(0) as usize);
    if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_string() } else { s }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse_int("1.5MB", "kB"), Ok(1536));
        assert_eq!(parse_int("128MB", "8kB"), Ok(16384));
        assert_eq!(parse_int(" 64 ", "kB"), Ok(64));
        assert_eq!(parse_int("1.5h", "ms"), Ok(5_400_000));
        assert_eq!(parse_int("0x10", ""), Ok(16));
        assert!(parse_int("1XB", "kB").unwrap_err().is_some());
        assert_eq!(parse_int("abc", "kB"), Err(None));
        assert_eq!(parse_int("1kB", ""), Err(None));
        assert_eq!(show_int(1536, "kB"), "1536kB");
        assert_eq!(show_int(5_400_000, "ms"), "90min");
        assert_eq!(show_int(16384, "8kB"), "128MB");
        assert_eq!(show_int(-1, "ms"), "-1");
        assert_eq!(show_int(0, "ms"), "0");
        assert_eq!(format_g(0.0025), "0.0025");
        assert_eq!(format_g(4.0), "4");
        assert_eq!(format_g(f64::MAX), "1.79769e+308");
    }
}
