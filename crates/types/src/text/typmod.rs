//! Length modifiers of varchar and bpchar.

use crate::array::cstring_array;
use common::{Result, bail, err};
use std::io::Write;

/// Modifiers of a type as integers.
pub fn typmod_ints(arg: &[u8]) -> Result<Vec<i32>> {
    cstring_array(arg)?.iter().map(|s| crate::int::parse_int::<i32>(s)).collect()
}

fn length_typmod(mods: &[i32], name: &str) -> Result<i32> {
    let [n] = mods else { bail!(INVALID_PARAMETER_VALUE, "invalid type modifier") };
    if *n < 1 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {} must be at least 1", name);
    }
    if *n > 10 * 1024 * 1024 {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "length for type {} cannot exceed {}",
            name,
            10 * 1024 * 1024
        ));
    }
    Ok(n + 4)
}

/// typmod of `varchar(n)`.
pub fn varchar_typmod(mods: &[i32]) -> Result<i32> {
    length_typmod(mods, "varchar")
}
/// typmod of `char(n)`.
pub fn bpchar_typmod(mods: &[i32]) -> Result<i32> {
    length_typmod(mods, "char")
}
pub fn varchartypmodin(arg: &[u8]) -> Result<i32> {
    varchar_typmod(&typmod_ints(arg)?)
}
pub fn bpchartypmodin(arg: &[u8]) -> Result<i32> {
    bpchar_typmod(&typmod_ints(arg)?)
}
pub fn lengthtypmodout(typmod: i32, out: &mut Vec<u8>) {
    if typmod > 4 {
        let _ = write!(out, "({})", typmod - 4);
    }
}
