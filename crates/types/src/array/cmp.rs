//! Comparison, equality, containment and hash of arrays, by the element type's default operator class.

use super::layout::ArrayRef;
use crate::ops::{cmp_nulls_last, type_cmp, type_hash};
use crate::{CallCtx, Collation, DatumRef};
use common::{Error, Oid, Result, bail, err};
use std::cmp::Ordering;

/// Element-wise comparison; a broken array sorts as empty.
pub fn array_cmp(coll: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(coll, a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}

fn compare(coll: Collation, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (a, b) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    compare_with(elem_cmp(a.elem.oid)?, coll, &a, &b)
}

/// Equality, which some types have without having an order.
fn equal(coll: Collation, a: &[u8], b: &[u8]) -> Result<bool> {
    use crate::oids::{ACLITEM, CID, XID};
    let (a, b) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    let cmp = match a.elem.oid {
        ACLITEM => crate::text::bytes_cmp,
        XID | CID => crate::misc::u32_cmp,
        elem => type_cmp(elem).ok_or_else(|| missing("an equality operator", elem))?,
    };
    Ok(compare_with(cmp, coll, &a, &b)?.is_eq())
}

/// Elements that are strings need a collation. 42P22.
pub fn check_collation(coll: Collation, elem: Oid) -> Result<()> {
    use crate::oids::{BPCHAR, NAME, TEXT, VARCHAR};
    if matches!(elem, TEXT | VARCHAR | BPCHAR | NAME) { coll.require("string comparison") } else { Ok(()) }
}

fn compare_with(cmp: crate::CmpFn, coll: Collation, a: &ArrayRef<'_>, b: &ArrayRef<'_>) -> Result<Ordering> {
    for (x, y) in a.iter().zip(b.iter()) {
        let o = cmp_nulls_last(cmp, coll, x?, y?);
        if o != Ordering::Equal {
            return Ok(o);
        }
    }
    Ok(a.len()
        .cmp(&b.len())
        .then_with(|| a.ndim().cmp(&b.ndim()))
        .then_with(|| a.dims.cmp(&b.dims))
        .then_with(|| a.lower.cmp(&b.lower)))
}

pub fn elem_cmp(elem: Oid) -> Result<crate::CmpFn> {
    type_cmp(elem).ok_or_else(|| missing("a comparison function", elem))
}

fn missing(what: &str, elem: Oid) -> Error {
    let name = crate::user_type::storage_info(elem).map_or("???", |t| t.name);
    err!(UNDEFINED_FUNCTION, "could not identify {what} for type {name}")
}

fn check_same(a: &[u8], b: &[u8]) -> Result<()> {
    if ArrayRef::new(a)?.elem.oid != ArrayRef::new(b)?.elem.oid {
        bail!(DATATYPE_MISMATCH, "cannot compare arrays of different element types");
    }
    Ok(())
}

macro_rules! ops {
    ($($name:ident $test:expr;)*) => {$(
        pub fn $name(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
            check_same(a, b)?;
            check_collation(c.collation, ArrayRef::new(a)?.elem.oid)?;
            let test: fn(Ordering) -> bool = $test;
            Ok(test(compare(c.collation, a, b)?))
        }
    )*};
}
ops! {
    array_lt |o| o.is_lt();
    array_le |o| o.is_le();
    array_gt |o| o.is_gt();
    array_ge |o| o.is_ge();
}

pub fn array_eq(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    check_same(a, b)?;
    equal(c.collation, a, b)
}
pub fn array_ne(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    array_eq(c, a, b).map(|e| !e)
}

pub fn array_larger(c: &CallCtx<'_>, a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(if array_ge(c, a, b)? { a } else { b });
    Ok(())
}
pub fn array_smaller(c: &CallCtx<'_>, a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(if array_le(c, a, b)? { a } else { b });
    Ok(())
}

/// Hash of the elements in order.
pub fn array_hash(coll: Collation, v: DatumRef<'_>) -> u64 {
    let Ok(a) = ArrayRef::new(v.bytes()) else { return 0 };
    let Some(hash) = type_hash(a.elem.oid) else { return 0 };
    a.iter()
        .flatten()
        .fold(a.len() as u64, |h, d| crate::hash::combine(h, if d.is_null() { 0 } else { hash(coll, d) }))
}

/// Is every element of `b` in `a`? NULL equals nothing.
fn contains_all(coll: Collation, a: &[u8], b: &[u8]) -> Result<bool> {
    check_same(a, b)?;
    let (a, b) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    let cmp = elem_cmp(a.elem.oid)?;
    let have = a.to_vec()?;
    for y in b.iter() {
        let y = y?;
        if y.is_null() || !have.iter().any(|x| !x.is_null() && cmp(coll, *x, y).is_eq()) {
            return Ok(false);
        }
    }
    Ok(true)
}
pub fn arraycontains(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    contains_all(c.collation, a, b)
}
pub fn arraycontained(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    contains_all(c.collation, b, a)
}
pub fn arrayoverlap(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    let coll = c.collation;
    check_same(a, b)?;
    let (a, b) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    let cmp = elem_cmp(a.elem.oid)?;
    let have = a.to_vec()?;
    for y in b.iter() {
        let y = y?;
        if !y.is_null() && have.iter().any(|x| !x.is_null() && cmp(coll, *x, y).is_eq()) {
            return Ok(true);
        }
    }
    Ok(false)
}
