//! `numeric(precision, scale)`.

use super::num::{Kind, Num};
use common::{Result, bail, err};
use std::io::Write;

/// Precision and scale of a typmod.
pub fn split(typmod: i32) -> Option<(i32, i32)> {
    if typmod < 4 {
        return None;
    }
    let m = typmod - 4;
    // The scale is eleven bits with a sign.
    Some((m >> 16 & 0xffff, ((m & 0x7ff) ^ 1024) - 1024))
}

/// Rounds to the declared scale. 22003 when the precision does not suffice.
pub fn apply_typmod(mut n: Num, typmod: i32) -> Result<Num> {
    let Some((precision, scale)) = split(typmod) else { return Ok(n) };
    match n.kind {
        Kind::Nan => return Ok(n),
        Kind::PInf | Kind::NInf => {
            return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(format!(
                "A field with precision {precision}, scale {scale} cannot hold an infinite value."
            )));
        }
        Kind::Finite => {}
    }
    n.round(scale);
    if n.is_zero() {
        return Ok(n);
    }
    let mut first = n.digits[0];
    let mut places = n.weight * 4;
    while first > 0 {
        places += 1;
        first /= 10;
    }
    if places > precision - scale {
        let limit = precision - scale;
        let bound = if limit == 0 { "1".into() } else { format!("10^{limit}") };
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
        )));
    }
    Ok(n)
}

/// typmod of `numeric(p[, s])`.
pub fn numeric_typmod(mods: &[i32]) -> Result<i32> {
    let (p, s) = match mods {
        [p] => (*p, 0),
        [p, s] => (*p, *s),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier"),
    };
    if !(1..=1000).contains(&p) {
        bail!(INVALID_PARAMETER_VALUE, "NUMERIC precision {} must be between 1 and 1000", p);
    }
    if !(-1000..=1000).contains(&s) {
        bail!(INVALID_PARAMETER_VALUE, "NUMERIC scale {} must be between -1000 and 1000", s);
    }
    Ok((p << 16 | (s & 0x7ff)) + 4)
}
pub fn numerictypmodin(arg: &[u8]) -> Result<i32> {
    numeric_typmod(&crate::text::typmod_ints(arg)?)
}
pub fn numerictypmodout(typmod: i32, out: &mut Vec<u8>) {
    if let Some((p, s)) = split(typmod) {
        let _ = write!(out, "({p},{s})");
    }
}
