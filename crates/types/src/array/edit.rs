//! Building arrays from arrays: concatenation, subscripts (fetch, slice, store), fill, trim, remove, replace.

use super::cmp::elem_cmp;
use super::io::call_elem;
use super::layout::{ArrayBuilder, ArrayRef, MAX_DIM, count_elements, empty_array};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail, err};

fn too_many() -> Error {
    err!(PROGRAM_LIMIT_EXCEEDED, "integer out of range")
}

fn elem_of(ctx: &CallCtx<'_>, array: Option<&ArrayRef<'_>>) -> Oid {
    array.map_or_else(|| call_elem(ctx), |a| a.elem.oid)
}

fn push_end(ctx: &CallCtx<'_>, array: Option<&[u8]>, item: DatumRef<'_>, front: bool) -> Result<Vec<u8>> {
    let a = array.map(ArrayRef::new).transpose()?;
    let mut b = ArrayBuilder::new(elem_of(ctx, a.as_ref()));
    let mut lower = 1;
    if front {
        b.push(item);
    }
    if let Some(a) = &a {
        if a.ndim() > 1 {
            bail!(DATA_EXCEPTION, "argument must be empty or one-dimensional array");
        }
        if a.ndim() == 1 {
            lower = a.lower[0];
            if a.upper(0) == i32::MAX {
                return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
            }
        }
        for d in a.iter() {
            b.push(d?);
        }
    }
    if !front {
        b.push(item);
    }
    Ok(b.finish(&[b.len() as i32], &[lower]))
}
pub fn array_append(ctx: &CallCtx<'_>, a: Option<&[u8]>, item: DatumRef<'_>) -> Result<Vec<u8>> {
    push_end(ctx, a, item, false)
}
pub fn array_prepend(ctx: &CallCtx<'_>, item: DatumRef<'_>, a: Option<&[u8]>) -> Result<Vec<u8>> {
    push_end(ctx, a, item, true)
}

fn incompatible(detail: &str) -> Error {
    err!(ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").detail(detail)
}

pub fn array_cat(a: Option<&[u8]>, b: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
    let (x, y) = match (a, b) {
        (None, None) => return Ok(None),
        (Some(v), None) | (None, Some(v)) => return Ok(Some(v.to_vec())),
        (Some(x), Some(y)) => (x, y),
    };
    let (l, r) = (ArrayRef::new(x)?, ArrayRef::new(y)?);
    if l.elem.oid != r.elem.oid {
        bail!(DATATYPE_MISMATCH, "cannot concatenate incompatible arrays");
    }
    if l.is_empty() {
        return Ok(Some(y.to_vec()));
    }
    if r.is_empty() {
        return Ok(Some(x.to_vec()));
    }
    let (mut dims, lower);
    if l.ndim() == r.ndim() {
        if l.dims[1..] != r.dims[1..] || l.lower[1..] != r.lower[1..] {
            return Err(incompatible(
                "Arrays with differing element dimensions are not compatible for concatenation.",
            ));
        }
        dims = l.dims.clone();
        dims[0] = dims[0].checked_add(r.dims[0]).ok_or_else(too_many)?;
        lower = l.lower.clone();
    } else if l.ndim() == r.ndim() + 1 {
        if l.dims[1..] != r.dims[..] || l.lower[1..] != r.lower[..] {
            return Err(incompatible(
                "Arrays with differing dimensions are not compatible for concatenation.",
            ));
        }
        dims = l.dims.clone();
        dims[0] += 1;
        lower = l.lower.clone();
    } else if l.ndim() + 1 == r.ndim() {
        if r.dims[1..] != l.dims[..] || r.lower[1..] != l.lower[..] {
            return Err(incompatible(
                "Arrays with differing dimensions are not compatible for concatenation.",
            ));
        }
        dims = r.dims.clone();
        dims[0] += 1;
        lower = r.lower.clone();
    } else {
        return Err(incompatible(&format!(
            "Arrays of {} and {} dimensions are not compatible for concatenation.",
            l.ndim(),
            r.ndim()
        )));
    }
    count_elements(&dims)?;
    let mut out = ArrayBuilder::new(l.elem.oid);
    for d in l.iter().chain(r.iter()) {
        out.push(d?);
    }
    Ok(Some(out.finish(&dims, &lower)))
}

fn offset_of(a: &ArrayRef<'_>, subs: &[i32]) -> Option<usize> {
    if subs.len() != a.ndim() || subs.is_empty() {
        return None;
    }
    let mut off = 0usize;
    for (i, s) in subs.iter().enumerate() {
        if *s < a.lower[i] || *s > a.upper(i) {
            return None;
        }
        off = off * a.dims[i] as usize + (s - a.lower[i]) as usize;
    }
    Some(off)
}

/// Element at the subscripts; NULL outside the bounds.
pub fn array_get(array: &[u8], subs: &[i32]) -> Result<Datum> {
    let a = ArrayRef::new(array)?;
    match offset_of(&a, subs).and_then(|off| a.iter().nth(off)) {
        Some(d) => Ok(d?.to_owned()),
        None => Ok(Datum::Null),
    }
}

/// Slice `[l:u]…`; a missing bound is the array's own. The result's lower bounds are 1. Empty when nothing overlaps.
pub fn array_slice(array: &[u8], bounds: &[(Option<i32>, Option<i32>)]) -> Result<Datum> {
    let a = ArrayRef::new(array)?;
    if a.ndim() < bounds.len() || a.is_empty() {
        return Ok(Datum::bytes(&empty_array(a.elem.oid)));
    }
    let mut range = Vec::with_capacity(a.ndim());
    for i in 0..a.ndim() {
        let (l, u) = bounds.get(i).copied().unwrap_or((None, None));
        let lo = l.map_or(a.lower[i], |l| l.max(a.lower[i]));
        let hi = u.map_or(a.upper(i), |u| u.min(a.upper(i)));
        if lo > hi {
            return Ok(Datum::bytes(&empty_array(a.elem.oid)));
        }
        range.push((lo - a.lower[i], hi - a.lower[i]));
    }
    let dims: Vec<i32> = range.iter().map(|(l, u)| u - l + 1).collect();
    let mut out = ArrayBuilder::new(a.elem.oid);
    for (k, d) in a.iter().enumerate() {
        let d = d?;
        let mut rest = k as i64;
        let inside = (0..a.ndim()).rev().all(|i| {
            let at = (rest % i64::from(a.dims[i])) as i32;
            rest /= i64::from(a.dims[i]);
            (range[i].0..=range[i].1).contains(&at)
        });
        if inside {
            out.push(d);
        }
    }
    Ok(Datum::bytes(&out.finish(&dims, &vec![1; dims.len()])))
}

/// The array with one element stored; a one-dimensional array grows to hold it, filling with NULLs.
pub fn array_set(array: Option<&[u8]>, elem: Oid, subs: &[i32], value: DatumRef<'_>) -> Result<Datum> {
    let empty = empty_array(elem);
    let a = ArrayRef::new(array.unwrap_or(&empty))?;
    if subs.is_empty() || subs.len() > MAX_DIM {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    let mut out = ArrayBuilder::new(elem);
    if a.is_empty() {
        out.push(value);
        return Ok(Datum::bytes(&out.finish(&vec![1; subs.len()], subs)));
    }
    if a.ndim() != subs.len() {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    if let Some(off) = offset_of(&a, subs) {
        for (i, d) in a.iter().enumerate() {
            out.push(if i == off { value } else { d? });
        }
        return Ok(Datum::bytes(&out.finish(&a.dims, &a.lower)));
    }
    if a.ndim() > 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range");
    }
    let (lo, hi) = (a.lower[0].min(subs[0]), a.upper(0).max(subs[0]));
    let n = i64::from(hi) - i64::from(lo) + 1;
    count_elements(&[i32::try_from(n).map_err(|_| too_many())?])?;
    let items = a.to_vec()?;
    for s in lo..=hi {
        let old = usize::try_from(s - a.lower[0]).ok().and_then(|i| items.get(i)).copied();
        out.push(if s == subs[0] { value } else { old.unwrap_or_default() });
    }
    Ok(Datum::bytes(&out.finish(&[n as i32], &[lo])))
}

/// Equality where NULL equals NULL.
fn same(cmp: crate::CmpFn, c: &CallCtx<'_>, a: DatumRef<'_>, b: DatumRef<'_>) -> bool {
    crate::ops::cmp_nulls_last(cmp, c.collation, a, b).is_eq()
}

pub fn array_remove(c: &CallCtx<'_>, array: Option<&[u8]>, item: DatumRef<'_>) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = array else { return Ok(None) };
    let a = ArrayRef::new(bytes)?;
    if a.ndim() > 1 {
        bail!(FEATURE_NOT_SUPPORTED, "removing elements from multidimensional arrays is not supported");
    }
    let cmp = elem_cmp(a.elem.oid)?;
    let mut out = ArrayBuilder::new(a.elem.oid);
    for d in a.iter() {
        let d = d?;
        if !same(cmp, c, d, item) {
            out.push(d);
        }
    }
    Ok(Some(if out.len() == a.len() { bytes.to_vec() } else { out.finish(&[out.len() as i32], &a.lower) }))
}

pub fn array_replace(
    c: &CallCtx<'_>,
    array: Option<&[u8]>,
    from: DatumRef<'_>,
    to: DatumRef<'_>,
) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = array else { return Ok(None) };
    let a = ArrayRef::new(bytes)?;
    let cmp = elem_cmp(a.elem.oid)?;
    let mut out = ArrayBuilder::new(a.elem.oid);
    for d in a.iter() {
        let d = d?;
        out.push(if same(cmp, c, d, from) { to } else { d });
    }
    Ok(Some(out.finish(&a.dims, &a.lower)))
}

pub fn trim_array(array: &[u8], n: i32, out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(array)?;
    let len = a.dims.first().copied().unwrap_or(0);
    if n < 0 || n > len {
        bail!(ARRAY_ELEMENT_ERROR, "number of elements to trim must be between 0 and {}", len);
    }
    if a.is_empty() {
        out.extend_from_slice(array);
        return Ok(());
    }
    let s = array_slice(array, &[(None, Some(a.upper(0) - n))])?;
    out.extend_from_slice(s.as_ref().bytes());
    Ok(())
}

fn int_items(b: &[u8], what: &str) -> Result<Vec<i32>> {
    let a = ArrayRef::new(b)?;
    if a.ndim() > 1 {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Dimension array must be one dimensional."));
    }
    a.iter()
        .map(|d| match d? {
            DatumRef::Null => Err(err!(NULL_VALUE_NOT_ALLOWED, "{} values cannot be null", what)),
            d => Ok(d.i32()),
        })
        .collect()
}

fn fill(
    ctx: &CallCtx<'_>,
    v: DatumRef<'_>,
    dims: Option<&[u8]>,
    lower: Option<Option<&[u8]>>,
) -> Result<Vec<u8>> {
    let elem = call_elem(ctx);
    let (Some(dims), false) = (dims, lower == Some(None)) else {
        bail!(NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null");
    };
    let dims = int_items(dims, "dimension")?;
    let lower = match lower.flatten() {
        Some(l) => int_items(l, "low bound")?,
        None => vec![1; dims.len()],
    };
    if lower.len() != dims.len() {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Low bound array has different size than dimensions array."));
    }
    if dims.len() > MAX_DIM {
        bail!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of array dimensions ({}) exceeds the maximum allowed ({})",
            dims.len(),
            MAX_DIM
        );
    }
    let mut b = ArrayBuilder::new(elem);
    for _ in 0..count_elements(&dims)? {
        b.push(v);
    }
    Ok(b.finish(&dims, &lower))
}
pub fn array_fill(ctx: &CallCtx<'_>, v: DatumRef<'_>, dims: Option<&[u8]>) -> Result<Vec<u8>> {
    fill(ctx, v, dims, None)
}
pub fn array_fill_bounds(
    ctx: &CallCtx<'_>,
    v: DatumRef<'_>,
    dims: Option<&[u8]>,
    lower: Option<&[u8]>,
) -> Result<Vec<u8>> {
    fill(ctx, v, dims, Some(lower))
}
