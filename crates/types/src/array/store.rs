//! Assignment to an array slice.

use super::layout::{ArrayBuilder, ArrayRef, MAX_DIM, count_elements};
use crate::{Datum, DatumRef};
use common::{Error, Result, bail, err};

fn wrong_number() -> Error {
    err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
}

/// Number of places from `lo` to `hi`.
fn span(lo: i32, hi: i32) -> Result<i32> {
    hi.checked_sub(lo)
        .and_then(|n| n.checked_add(1))
        .ok_or_else(|| err!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)"))
}

/// The array with the slice `[l:u]…` replaced by the first elements of `source`. A missing bound is the array's own; a
/// one-dimensional array grows, filling with NULLs. 2202E.
pub fn array_set_slice(array: &[u8], bounds: &[(Option<i32>, Option<i32>)], source: &[u8]) -> Result<Datum> {
    let (a, src) = (ArrayRef::new(array)?, ArrayRef::new(source)?);
    if bounds.is_empty() || bounds.len() > MAX_DIM {
        return Err(wrong_number());
    }
    if a.ndim() == 0 {
        return store_in_empty(&a, bounds, &src);
    }
    if a.ndim() < bounds.len() {
        return Err(wrong_number());
    }
    let (mut dims, mut lower) = (a.dims.clone(), a.lower.clone());
    let mut range = Vec::with_capacity(a.ndim());
    for i in 0..a.ndim() {
        let (l, u) = bounds.get(i).copied().unwrap_or((None, None));
        let (lo, hi) = (l.unwrap_or(lower[i]), u.unwrap_or(a.upper(i)));
        if lo > hi && (i < bounds.len()) {
            bail!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound");
        }
        if a.ndim() == 1 {
            let (first, last) = (lo.min(lower[0]), hi.max(a.upper(0)));
            (dims[0], lower[0]) = (span(first, last)?, first);
        } else if lo < lower[i] || hi > a.upper(i) {
            bail!(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range");
        }
        range.push((lo, hi));
    }
    let wanted = range.iter().map(|(l, h)| span(*l, *h)).collect::<Result<Vec<_>>>()?;
    if count_elements(&wanted)? > src.len() {
        bail!(ARRAY_SUBSCRIPT_ERROR, "source array too small");
    }
    let old = a.to_vec()?;
    let mut new = src.iter();
    let mut out = ArrayBuilder::new(a.elem.oid);
    for k in 0..count_elements(&dims)? {
        let at = position(k, &dims, &lower);
        if at.iter().zip(&range).all(|(p, (l, h))| (l..=h).contains(&p)) {
            out.push(new.next().transpose()?.unwrap_or_default());
        } else {
            out.push(element(&a, &old, &at));
        }
    }
    Ok(Datum::bytes(&out.finish(&dims, &lower)))
}

fn store_in_empty(
    a: &ArrayRef<'_>,
    bounds: &[(Option<i32>, Option<i32>)],
    src: &ArrayRef<'_>,
) -> Result<Datum> {
    let (mut dims, mut lower) = (Vec::new(), Vec::new());
    for b in bounds {
        let (Some(l), Some(u)) = b else {
            return Err(err!(ARRAY_SUBSCRIPT_ERROR, "array slice subscript must provide both boundaries")
                .detail("When assigning to a slice of an empty array value, slice boundaries must be fully specified."));
        };
        dims.push(span(*l, *u)?);
        lower.push(*l);
    }
    let n = count_elements(&dims.iter().map(|d| (*d).max(0)).collect::<Vec<_>>())?;
    if src.len() < n {
        bail!(ARRAY_SUBSCRIPT_ERROR, "source array too small");
    }
    let mut out = ArrayBuilder::new(a.elem.oid);
    for d in src.iter().take(n) {
        out.push(d?);
    }
    Ok(Datum::bytes(&out.finish(&dims, &lower)))
}

/// Subscripts of the element at offset `k`.
fn position(k: usize, dims: &[i32], lower: &[i32]) -> Vec<i32> {
    let mut rest = k as i64;
    let mut at = vec![0; dims.len()];
    for i in (0..dims.len()).rev() {
        at[i] = lower[i] + (rest % i64::from(dims[i])) as i32;
        rest /= i64::from(dims[i]);
    }
    at
}

/// The old element at the subscripts, NULL outside the old bounds.
fn element<'a>(a: &ArrayRef<'_>, old: &[DatumRef<'a>], at: &[i32]) -> DatumRef<'a> {
    let mut off = 0usize;
    for (i, s) in at.iter().enumerate() {
        if *s < a.lower[i] || *s > a.upper(i) {
            return DatumRef::Null;
        }
        off = off * a.dims[i] as usize + (s - a.lower[i]) as usize;
    }
    old.get(off).copied().unwrap_or_default()
}
